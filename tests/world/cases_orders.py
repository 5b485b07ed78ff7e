"""Refunds, returns and what Amazon charged: plantings and decoys around single orders."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from tests.world import build
from tests.world.dice import Dice
from tests.world.places import D, cents
from tests.world.state import Order, Product, Truth, World


def _sold(w: World, p: Product, refund_age: int, quantity: int = 1, **more: object) -> Order:
    """An order that was refunded `refund_age` days before the as-of day was sold ten days before that."""
    return w.sell(p, w.day(refund_age + 10), quantity, **more)  # type: ignore[arg-type]


def _after_order(w: World, o: Order, units: int, audit: str, day: date, note: str, **more: object) -> Truth:
    # No fulfilment fee is known to be wrong here: the order's own lines say what a unit brought.
    return Truth(
        audit, order_id=o.order_id, sku=o.product.sku, quantity=units, owed=o.unit_value * units,
        currency=w.place.currency, note=f"{note}: {units} x {o.unit_value}", **{"event_on": day, **w.claim("return", day), **more},
    )  # type: ignore[arg-type]  # fmt: skip


def _age(w: World, dice: Dice) -> int:
    """Waiting, on the first claimable day, well inside and (where the world is old enough) on the last day and after it."""
    first, last = w.place.return_days if w.as_of >= w.place.new_windows_from else (45, 9999)
    ages = [first - 21, first - 1, first, first + 9, last, last + 1]
    most = (w.as_of - w.start).days - 16
    return dice.pick([a for a in ages if a <= most])


def refund_without_return(w: World, p: Product, dice: Dice) -> None:
    age, units = _age(w, dice), dice.pick((1, 1, 2))
    o = _sold(w, p, age, units)
    w.refund(o, w.day(age))
    w.expect(_after_order(w, o, units, "refund_without_return", w.day(age), "refunded, never returned, never paid"))


def refund_partly_returned(w: World, p: Product, dice: Dice) -> None:
    age = _age(w, dice)
    o = _sold(w, p, age, 3)
    w.refund(o, w.day(age))
    w.give_back(o, w.day(age - 3))
    w.expect(_after_order(w, o, 2, "refund_without_return", w.day(age), "3 refunded - 1 returned"))


def refund_of_two_parts(w: World, p: Product, dice: Dice) -> None:
    """Two refunds of half a unit each make one unit; the last one counts."""
    age = _age(w, dice)
    o = _sold(w, p, age + 4)
    half = cents(o.price / 2)
    w.refund(o, w.day(age + 2), principal=half)
    w.refund(o, w.day(age), principal=o.price - half)
    w.expect(_after_order(w, o, 1, "refund_without_return", w.day(age), "two halves refunded"))


def refund_returned(w: World, p: Product, dice: Dice) -> None:
    """The parcel came long after the refund, after the waiting time was over."""
    age = max(_age(w, dice), 40)
    o = _sold(w, p, age)
    w.refund(o, w.day(age))
    w.give_back(o, w.day(4), restock=0)
    w.decoy("refund_without_return", o.order_id, "returned late")


def refund_of_part(w: World, p: Product, dice: Dice) -> None:
    age = _age(w, dice)
    o = _sold(w, p, age, 2)
    w.refund(o, w.day(age), principal=cents(o.price * D("0.40")))
    w.decoy("refund_without_return", o.order_id, "less than one unit was refunded")


def refund_paid(w: World, p: Product, dice: Dice) -> None:
    """Paid back under one of two reasons; report and settlement name the same payment."""
    age = dice.pick((30, 64, 70))
    o = _sold(w, p, age)
    w.refund(o, w.day(age))
    reason = dice.pick(("CustomerReturn", "CustomerServiceIssue"))
    w.pay_back(p, w.day(age - 12), reason, o.unit_value + D("0.63"), order=o)
    w.decoy("refund_without_return", o.order_id, f"reimbursed as {reason}")


def refund_paid_in_settlement_only(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((66, 72))
    o = _sold(w, p, age)
    w.refund(o, w.day(age))
    w.pay_back(p, w.day(age - 34), "CustomerReturn", o.unit_value, order=o, listed=False, settled=((1, o.unit_value),))
    w.decoy("refund_without_return", o.order_id, "paid in a later settlement")


def refund_of_own_delivery(w: World, p: Product, dice: Dice) -> None:
    age = _age(w, dice)
    o = _sold(w, p, age, fba=False)
    w.refund(o, w.day(age))
    w.decoy("refund_without_return", o.order_id, "the seller delivered it: no FBA claim")


def return_unpaid(w: World, p: Product, dice: Dice) -> None:
    age = _age(w, dice)
    o = _sold(w, p, age)
    w.refund(o, w.day(age))
    w.give_back(o, w.day(age - 2), disposition=dice.pick(("DAMAGED", "CARRIER_DAMAGED")), reason="DAMAGED_BY_CARRIER")
    w.expect(_after_order(w, o, 1, "return_unpaid", w.day(age), "came back damaged by Amazon, not paid", event_on=None))


def return_damaged_paid(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((28, 63))
    o = _sold(w, p, age)
    w.refund(o, w.day(age))
    w.give_back(o, w.day(age - 3), disposition="DAMAGED", reason="DAMAGED_BY_FC", status="Reimbursed")
    w.pay_back(p, w.day(age - 9), "CustomerReturn", o.unit_value, order=o)
    w.decoy("return_unpaid", o.order_id, "damaged and reimbursed")


def return_damaged_by_buyer(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((35, 68))
    o = _sold(w, p, age)
    w.refund(o, w.day(age))
    w.give_back(
        o, w.day(age - 1), disposition=dice.pick(("CUSTOMER_DAMAGED", "DEFECTIVE", "EXPIRED")), reason="DEFECTIVE"
    )
    w.decoy("return_unpaid", o.order_id, "the buyer or the product is at fault")


def return_not_restocked(w: World, p: Product, dice: Dice) -> None:
    """Refund and return on one day, so that both ways of counting the window agree."""
    age = _age(w, dice)
    if age < 12:
        age = 30
    o = _sold(w, p, age)
    w.refund(o, w.day(age))
    w.give_back(o, w.day(age), restock=None)
    w.expect(_after_order(w, o, 1, "return_not_restocked", w.day(age), "sellable, but never back on the shelf"))


def return_restocked_late(w: World, p: Product, dice: Dice) -> None:
    o = _sold(w, p, 66)
    w.refund(o, w.day(66))
    w.give_back(o, w.day(65), restock=20)
    w.decoy("return_not_restocked", o.order_id, "back on the shelf after 20 days")


def return_just_arrived(w: World, p: Product, dice: Dice) -> None:
    o = _sold(w, p, 6)
    w.refund(o, w.day(6))
    w.give_back(o, w.day(3), restock=None)
    w.decoy("return_not_restocked", o.order_id, "arrived three days ago")


def refund_exceeds_charge(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((20, 50, 70))
    o = _sold(w, p, age)
    more = dice.pick((D("5.00"), D("11.30")))
    w.refund(o, w.day(age), principal=o.price + more)
    w.give_back(o, w.day(age - 2))
    w.expect(Truth("refund_exceeds_charge", "claimable", w.day(age), claim_by="", order_id=o.order_id, sku=p.sku, owed=more,
                   currency=w.place.currency, note=f"{o.price + more} refunded, {o.price} charged"))  # fmt: skip


def return_wrong_item(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((22, 67))
    o = _sold(w, p, age)
    w.refund(o, w.day(age))
    w.give_back(o, w.day(age - 1), disposition="CUSTOMER_DAMAGED", reason="SWITCHEROO")
    w.expect(
        Truth(
            "return_wrong_item", "review", None, order_id=o.order_id, sku=p.sku, owed="", note="another item came back"
        )
    )


# --- what Amazon charged --------------------------------------------------------------------------------------------


def _charged(w: World, audit: str, o: Order, owed: Decimal, note: str) -> None:
    w.expect(Truth(audit, event_on=o.day, order_id=o.order_id, sku=o.product.sku, quantity=o.quantity, owed=owed,
                   currency=w.place.currency, note=note, **w.claim("fee", o.day)))  # type: ignore[arg-type]  # fmt: skip


def _fee_age(w: World, dice: Dice, price: Decimal, p: Product) -> int:
    """An age with a published card; 90 is the last day of the window."""
    ages = [4, 15, 16, 17, 18, 40, 89, 90, 91]
    good = []
    for age in ages:
        try:
            w.place.fee(p.profile, w.day(age), price)
        except KeyError:
            continue
        if w.day(age) > w.start + timedelta(5):
            good.append(age)
    return dice.pick(good)


def fulfilment_overcharge(w: World, p: Product, dice: Dice) -> None:
    age, units = _fee_age(w, dice, p.price, p), dice.pick((1, 1, 2, 3))
    right = w.place.fee(p.profile, w.day(age), p.price)
    more = dice.pick((D("0.55"), D("1.87"), D("2.40")))
    o = w.sell(p, w.day(age), units, fee=right + more)
    _charged(
        w,
        "fulfilment_fee_overcharge",
        o,
        more * units,
        f"{right + more} charged a unit, {right} on the card, {units} units",
    )


def fulfilment_below_card(w: World, p: Product, dice: Dice) -> None:
    age = _fee_age(w, dice, p.price, p)
    o = w.sell(p, w.day(age), fee=w.place.fee(p.profile, w.day(age), p.price) - D("0.40"))
    w.decoy("fulfilment_fee_overcharge", o.order_id, "below the card")
    o = w.sell(p, w.day(age), 2, fee=w.place.fee(p.profile, w.day(age), p.price) + D("0.01"))
    w.decoy("fulfilment_fee_overcharge", o.order_id, "one cent a unit is tolerated")


def fulfilment_peak(w: World, p: Product, dice: Dice) -> None:
    """The first and the last day of the peak season, and the days beside them, each at its own card."""
    if w.place.code != "US":
        return
    for day in (date(2025, 10, 14), date(2025, 10, 15), date(2026, 1, 14), date(2026, 1, 15)):
        if w.start < day <= w.as_of:
            o = w.sell(p, day)
            w.decoy("fulfilment_fee_overcharge", o.order_id, "the season's own card")


def fulfilment_no_card(w: World, p: Product, dice: Dice) -> None:
    """A day for which no card is published: nothing can be claimed, however much was charged."""
    day = {"US": date(2024, 11, 20)}.get(w.place.code, date(2026, 6, 20))
    if w.start + timedelta(5) < day <= w.as_of:
        o = w.sell(p, day, fee=D("19.00"))
        w.decoy("fulfilment_fee_overcharge", o.order_id, "no card for that day")


def measured_too_large(w: World, p: Product, dice: Dice) -> None:
    """Amazon measured the larger parcel and charges for it; the seller's measure says the smaller one."""
    for o in [o for o in w.orders if o.product is p]:  # the two sales every product starts with
        _measured(w, o)
    o = w.sell(p, w.day(_fee_age(w, dice, p.price, p)), dice.pick((1, 2)))
    _measured(w, o)
    age = _fee_age(w, dice, p.price, p)
    right = w.place.fee(p.profile, w.day(age), p.price)
    o = w.sell(p, w.day(age), fee=right + D("1.00"))
    _charged(w, "fulfilment_fee_overcharge", o, D("1.00"), "above Amazon's own card too: the gap down to it")
    _measured(w, o)


def _measured(w: World, o: Order) -> None:
    p = o.product
    try:
        high, low = w.place.fee(p.profile, o.day, o.price), w.place.fee(p.own, o.day, o.price)
    except KeyError:
        return
    _charged(
        w, "measurement_error", o, (high - low) * o.quantity, f"{high} for Amazon's measure, {low} for the seller's"
    )


def referral_overcharge(w: World, p: Product, dice: Dice) -> None:
    age, units = _fee_age(w, dice, p.price, p), dice.pick((1, 2))
    shipping = dice.pick((D("0.00"), D("6.00")))
    right = w.commission(p, p.price * units + shipping)
    more = dice.pick((D("0.80"), D("2.25")))
    o = w.sell(p, w.day(age), units, commission=right + more, shipping=shipping)
    _charged(w, "referral_fee_error", o, more, f"{right + more} charged, {right} due on {p.price * units + shipping}")


def referral_below(w: World, p: Product, dice: Dice) -> None:
    o = w.sell(p, w.day(14), commission=w.commission(p, p.price) - D("1.00"))
    w.decoy("referral_fee_error", o.order_id, "below the rate")


def referral_odd(w: World, p: Product, dice: Dice) -> None:
    """Band edges and sliced bands, charged as they should be; and the same again with a little too much."""
    category, price, right, why = dice.pick(w.place.odd_categories)
    odd = build.product(
        w, dice, price=D(price), category=category, rate=D(right) / D(price), profile=w.place.profiles[0], plain=True
    )
    age = dice.pick((8, 15))
    fee = w.place.fee(odd.profile, w.day(age), odd.price) if D(price) > 20 or w.place.code == "US" else D("1.00")
    o = w.sell(odd, w.day(age), commission=D(right), fee=fee)
    w.decoy("referral_fee_error", o.order_id, why)
    o = w.sell(odd, w.day(age), commission=D(right) + D("0.60"), fee=fee)
    _charged(w, "referral_fee_error", o, D("0.60"), f"{why}; 0.60 too much")


def referral_unknown_category(w: World, p: Product, dice: Dice) -> None:
    odd = build.product(w, dice, category="Something No Card Names", profile=w.place.profiles[0], plain=True)
    o = w.sell(odd, w.day(12), commission=D("15.00"))
    w.decoy("referral_fee_error", o.order_id, "no rate for the category")


def refund_fee_kept(w: World, p: Product, dice: Dice) -> None:
    """Amazon may keep a fifth of the commission, at most 5.00; it kept more."""
    age, more = dice.pick((9, 33, 71)), dice.pick((D("0.95"), D("1.60")))
    o = _sold(w, p, age)
    normal = cents(min(D("5.00"), o.commission * D("0.20")))
    due = w.refund(o, w.day(age), kept=normal + more)
    w.give_back(o, w.day(age - 2))
    if w.place.refund_kept is None:
        w.decoy("refund_fee_kept", o.order_id, "no published rule in this store")
        return
    w.expect(Truth("refund_fee_kept", event_on=w.day(age), order_id=o.order_id, sku=p.sku, owed=more, currency=w.place.currency,
                   note=f"{due} due, {due - more} given back", **w.claim("fee", w.day(age))))  # type: ignore[arg-type]  # fmt: skip


def refund_fee_of_part(w: World, p: Product, dice: Dice) -> None:
    o = _sold(w, p, 26, 4)
    w.refund(o, w.day(26), principal=o.price)
    w.give_back(o, w.day(24))
    w.decoy("refund_fee_kept", o.order_id, "a part refund gives a part back")


def storage_overcharge(w: World, p: Product, dice: Dice) -> None:
    if w.place.storage is None:
        return
    first = w.day(dice.pick((35, 64))).replace(day=1)
    last = (first + timedelta(32)).replace(day=1) - timedelta(1)
    rate = w.place.storage[1] if first.month >= 10 else w.place.storage[0]
    average = D(400)
    right = (D(p.profile.volume) * average * rate).quantize(D("0.0001"))
    more = D("3.10")
    charged = cents(right) + more
    w.storage.append({"product": p, "month": f"{first:%Y-%m}", "average": average, "rate": rate, "charged": charged})
    w.expect(Truth("storage_fee_overcharge", event_on=last, fnsku=p.fnsku, owed=more, currency=w.place.currency,
                   note=f"{charged} charged, {p.profile.volume} x {average} x {rate} = {cents(right)}", **w.claim("fee", last)))  # type: ignore[arg-type]  # fmt: skip


ORDERS = (
    refund_without_return, refund_without_return, refund_partly_returned, refund_of_two_parts, refund_returned, refund_of_part,
    refund_paid, refund_paid_in_settlement_only, refund_of_own_delivery, return_unpaid, return_unpaid, return_damaged_paid,
    return_damaged_by_buyer, return_not_restocked, return_restocked_late, return_just_arrived, refund_exceeds_charge,
    return_wrong_item,
)  # fmt: skip
FEES = (
    fulfilment_overcharge, fulfilment_overcharge, fulfilment_below_card, fulfilment_peak, fulfilment_no_card, measured_too_large,
    referral_overcharge, referral_below, referral_odd, referral_unknown_category, refund_fee_kept, refund_fee_of_part,
    storage_overcharge,
)  # fmt: skip
