"""What every simulated account has: products, stock, daily sales, refunds that come back, a bank account with other people in it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from tests.world.dice import Dice
from tests.world.places import D, Profile
from tests.world.state import Product, World

FIRST = (
    "Cedar",
    "Amber",
    "Nimbus",
    "Quarry",
    "Juniper",
    "Harbor",
    "Saffron",
    "Cobalt",
    "Willow",
    "Ember",
    "Lumen",
    "Birch",
)
SECOND = (
    "Kettle",
    "Lantern",
    "Tray",
    "Basket",
    "Clock",
    "Mug",
    "Blanket",
    "Organizer",
    "Planter",
    "Stool",
    "Sconce",
    "Rack",
)


def product(
    w: World, dice: Dice, *, price: Decimal | None = None, profile: Profile | None = None, own: Profile | None = None,
    category: str | None = None, rate: Decimal | None = None, units: int = 60,
    plain: bool = False,
) -> Product:  # fmt: skip
    """A new product with stock from the first day on and two sales at the usual price soon after (`plain`: none)."""
    number = len(w.products) + 1
    profile = profile or dice.pick(w.place.profiles)
    price = D(dice.between(22, 48)) if price is None else price
    cost = (price * dice.between(22, 38) / 100).quantize(D("0.01"))
    costs = [(w.start - timedelta(200), cost)]
    if dice.chance(40):  # a new supplier's price in the middle of the time
        costs.append((w.start + timedelta(dice.between(30, 60)), cost + D("0.35")))
    p = Product(
        sku=f"{dice.pick(FIRST)[:3].upper()}-{dice.pick(SECOND)[:3].upper()}-{number:03d}", fnsku="X00" + w.unique("letters", 7),
        asin="B0" + w.unique("letters", 8), title=f"{dice.pick(FIRST)} {dice.pick(SECOND)}, crème {number}",
        category=category or w.place.category, price=price, costs=costs, profile=profile, own=own or profile,
        center=dice.pick(w.place.centers), rate=w.place.rate if rate is None else rate,
    )  # fmt: skip
    w.products.append(p)
    w.receive(p, w.start, units)
    for _ in range(0 if plain else 2):
        w.sell(p, w.start + timedelta(dice.between(1, 4)))
    return p


def business(w: World, dice: Dice, products: list[Product], last: date, a_day: tuple[int, int]) -> None:
    """Daily sales; some are refunded, come back and go on the shelf again, or come back spoiled by the buyer."""
    day = w.start + timedelta(1)
    while day <= last:
        for _ in range(dice.between(*a_day)):
            p = dice.pick(products)
            shipping = D("4.99") if dice.chance(15) else D("0.00")
            order = w.sell(
                p,
                day,
                dice.pick((1, 1, 1, 2)),
                price=p.price if dice.chance(80) else p.price - D("0.01"),
                shipping=shipping,
            )
            back = day + timedelta(dice.between(6, 20))
            if dice.chance(9) and back + timedelta(4) <= last:
                w.refund(order, back)
                arrived = back + timedelta(dice.between(0, 2))
                if back <= w.as_of < arrived:  # a refund still waiting for its parcel would be a finding
                    arrived = back
                state = dice.pick(("SELLABLE", "SELLABLE", "CUSTOMER_DAMAGED", "DEFECTIVE"))
                w.give_back(order, arrived, order.quantity, disposition=state,
                            reason="DEFECTIVE" if state == "DEFECTIVE" else dice.pick(("UNWANTED_ITEM", "NO_REASON_GIVEN")),
                            restock=dice.between(0, 2))  # fmt: skip
        day += timedelta(1)


def other_people(w: World, dice: Dice, last: date) -> None:
    """Bookings that only look like Amazon's payouts: purchases as a buyer, wages, refunds of card purchases."""
    day = w.start
    while day <= last:
        day += timedelta(dice.between(3, 9))
        text, amount = dice.pick(
            (
                ("AMAZON MKTPLACE PMTS AMZN.COM/BILL WA", -dice.cents("9", "80")),
                ("AMZN Mktp US*2K4RT81Q3", -dice.cents("9", "80")),
                ("AMAZON.COM SVCS LLC PAYROLL DIRECT DEP", dice.cents("700", "900")),
                ("THISTLE STREET RENT", D("-1450.00")),
                ("GREYFEN PACKAGING SUPPLY", -dice.cents("60", "300")),
                ("MONTHLY ACCOUNT FEE", D("-5.00")),
            )
        )
        for _ in range(2 if text == "MONTHLY ACCOUNT FEE" else 1):
            w.bank.append(
                {
                    "on": day,
                    "amount": amount,
                    "text": text,
                    "reference": "" if dice.chance(50) else "B" + w.unique("digits", 8),
                }
            )


def storage(w: World, dice: Dice, products: list[Product], months: list[date]) -> None:
    """Monthly storage lines at exactly the rate of the month."""
    if w.place.storage is None:
        return
    for month in months:
        rate = w.place.storage[1] if month.month >= 10 else w.place.storage[0]
        for p in products:
            average = D(dice.between(10, 60))
            charged = (D(p.profile.volume) * average * rate).quantize(D("0.0001"))
            w.storage.append({"product": p, "month": f"{month:%Y-%m}", "average": average, "rate": rate,
                              "charged": charged.quantize(D("0.01"))})  # fmt: skip


def check(w: World) -> None:
    """The world holds together: no bucket of stock ever goes below zero."""
    level: dict[tuple[str, str], int] = {}
    for r in sorted(w.ledger, key=lambda r: (r["day"], -int(str(r["quantity"])))):  # type: ignore[arg-type,return-value]
        key = (str(r["fnsku"]), str(r["disposition"]))
        level[key] = level.get(key, 0) + int(str(r["quantity"]))
        if level[key] < 0:
            raise ValueError(f"the simulated stock of {key} is below zero on {r['day']}")


def edges(w: World, dice: Dice) -> None:
    """Every sparse report begins with the time and ends with it: a payment, a return, a removal at both ends, all in order."""
    from tests.world.cases_stock import fair, parcel, removal

    p = product(w, dice, units=80)
    days = (w.as_of - w.start).days
    for sold, happened in ((days - 1, days - 4), (14, 4)):
        w.move(p, w.day(happened), "Adjustments", -1, reason="M", reference=w.reference())
        w.pay_back(p, w.day(happened - 3), "Lost_Warehouse", fair(w, p))
        order = w.sell(p, w.day(sold))
        w.refund(order, w.day(happened))
        w.give_back(order, w.day(happened - 2), restock=1)
        asked = removal(w, p, happened, "Return", 2, 0, 0, 2)
        tracking = parcel(w, p, asked, happened - 1, 2)
        w.receipts.append({"order": asked, "tracking": tracking, "product": p, "on": w.day(happened - 3), "units": 2})
