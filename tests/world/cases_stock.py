"""Units that went missing in warehouses, on the way in, at disposal or on the way back: plantings and decoys.

The truth of a stock story is counted unit by unit: every lost unit is one entry in a list, every credit crosses out the
oldest entry that is not younger than itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tests.world.dice import Dice
from tests.world.places import cents
from tests.world.state import Product, Truth, World

Step = tuple[str, int, int]  # what, age in days, units

CREDIT_REASON = {"warehouse_lost": "Lost_Warehouse", "warehouse_damaged": "Damaged_Warehouse"}


@dataclass
class _Unit:
    event: int
    day: date
    reference: str
    open: bool = True


def unit_value(w: World, product: Product, day: date) -> Decimal:
    """What Amazon owes for a unit lost before any order: its cost of that day; before the change, the proceeds of a sale."""
    if day >= w.place.sourcing_from:
        return product.cost(day)
    return product.price - w.commission(product, product.price) - w.place.fee(product.profile, day, product.price)


def fair(w: World, product: Product) -> Decimal:
    """An amount no one can call too low: the dearest cost the product ever had, or its price."""
    dearest = max(cost for _, cost in product.costs)
    return dearest if w.start >= w.place.sourcing_from else max(dearest, product.price)


def story(w: World, product: Product, audit: str, steps: list[Step], note: str, *, reason: str = "M") -> None:
    """Plant losses and credits of one product and write down what is still owed of each loss.

    Steps: lost, found, cash, stock (a reimbursement in stock with its ledger row), with the age in days and the units.
    On one day losses come first.
    """
    units: list[_Unit] = []
    events: list[tuple[date, str, int]] = []
    for number, (what, age, count) in enumerate(sorted(steps, key=lambda s: (-s[1], s[0] != "lost"))):
        day = w.day(age)
        if what == "lost":
            reference = w.reference()
            events.append((day, reference, count))
            w.move(
                product,
                day,
                "Adjustments",
                -count,
                reason="E" if audit == "warehouse_damaged" else reason,
                reference=reference,
            )
            if audit == "warehouse_damaged":
                w.move(
                    product, day, "Adjustments", count, reason="P", reference=reference, disposition="WAREHOUSE_DAMAGED"
                )
            units += [_Unit(number, day, reference) for _ in range(count)]
            continue
        per_unit = fair(w, product) if what == "cash" else Decimal("0.00")
        if what == "found":
            w.move(product, day, "Adjustments", count, reason="F", reference=w.reference())
        elif what == "cash":
            w.pay_back(product, day, CREDIT_REASON[audit], per_unit, cash=count)
        else:
            w.pay_back(product, day, CREDIT_REASON[audit], per_unit, cash=0, stock=count)
        for unit in [u for u in units if u.open and u.day <= day][:count]:
            unit.open = False
    left = 0
    for number in dict.fromkeys(u.event for u in units):
        mine = [u for u in units if u.event == number]
        still = sum(u.open for u in mine)
        if not still:
            continue
        left += still
        value = unit_value(w, product, mine[0].day)
        w.expect(
            Truth(
                audit, event_on=mine[0].day, reference_id=mine[0].reference, sku=product.sku, fnsku=product.fnsku,
                asin=product.asin, quantity=still, owed=value * still, currency=w.place.currency,
                note=f"{note}: {len(mine)} lost, {len(mine) - still} settled, {still} x {value}",
                **w.claim("fc", mine[0].day, wait=w.wait_for_stock(found=audit == "warehouse_lost")),
            )
        )  # fmt: skip
    if not left:
        w.decoy(audit, product.fnsku, note)


def _age(w: World, dice: Dice) -> int:
    """An age well inside, outside or exactly at the end of the window."""
    if w.as_of < w.place.automatic_from:
        return dice.pick((3, 20, 35, 50, 70, 90))
    return dice.pick((3, 7, 13, 20, 33, 47, 59, 60, 61, 74))


def lost_open(w: World, p: Product, dice: Dice) -> None:
    story(w, p, "warehouse_lost", [("lost", _age(w, dice), dice.between(1, 4))], "lost and never found",
          reason=dice.pick(("M", "5")))  # fmt: skip


def lost_partly_settled(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((30, 41, 52))
    story(
        w,
        p,
        "warehouse_lost",
        [("lost", age, 3), ("found", age - 4, 1), ("cash", age - 11, 1)],
        "partly found, partly paid",
    )


def lost_found_later(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((25, 44))
    story(w, p, "warehouse_lost", [("lost", age, 2), ("found", age - 9, 2)], "found later")


def lost_paid_cash(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((28, 55))
    story(w, p, "warehouse_lost", [("lost", age, 2), ("cash", age - 6, 2)], "paid in cash")


def lost_paid_in_stock(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((31, 48))
    story(w, p, "warehouse_lost", [("lost", age, 1), ("stock", age - 8, 1)], "paid in stock: one credit, not two")


def lost_stock_counts_once(w: World, p: Product, dice: Dice) -> None:
    """A reimbursement in stock and its ledger row are one credit: of two lost units one stays open."""
    age = dice.pick((29, 46))
    story(w, p, "warehouse_lost", [("lost", age, 2), ("stock", age - 7, 1)], "paid in stock counts once")


def lost_first_in_first_out(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((45, 58))
    story(
        w, p, "warehouse_lost", [("lost", age, 2), ("lost", age - 12, 3), ("found", age - 20, 3)], "oldest loss first"
    )


def lost_after_found(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((26, 39))
    story(
        w,
        p,
        "warehouse_lost",
        [("found", age + 6, 2), ("lost", age, 1)],
        "found before the loss: settles nothing later",
    )


def lost_paid_yesterday(w: World, p: Product, dice: Dice) -> None:
    story(w, p, "warehouse_lost", [("lost", 5, 1), ("cash", 1, 1)], "approved yesterday")


def lost_twins(w: World, p: Product, dice: Dice) -> None:
    """Two equal rows on one day are two events; one unit was found."""
    day, reference = w.day(37), w.reference()
    for _ in range(2):
        w.move(p, day, "Adjustments", -1, reason="M", reference=reference)
    w.move(p, day + timedelta(3), "Adjustments", 1, reason="F", reference=reference)
    value = unit_value(w, p, day)
    w.expect(
        Truth("warehouse_lost", event_on=day, reference_id=reference, sku=p.sku, fnsku=p.fnsku, asin=p.asin, quantity=1,
              owed=value, currency=w.place.currency, note="twin rows, one of them found",
              **w.claim("fc", day, wait=w.wait_for_stock()))
    )  # fmt: skip


def lost_mixture(w: World, p: Product, dice: Dice) -> None:
    # Losses on days of their own: which of two on one day is the older nobody can tell.
    ages = dice.shuffled(
        (3, 20, 35, 50, 70, 90) if w.as_of < w.place.automatic_from else (3, 7, 13, 20, 33, 47, 59, 60, 61, 74)
    )
    steps: list[Step] = [("lost", age, dice.between(1, 3)) for age in ages[: dice.between(2, 4)]]
    for _ in range(dice.between(1, 4)):
        steps.append((dice.pick(("found", "cash")), dice.pick((2, 8, 16, 24, 38, 50, 57, 66)), dice.between(1, 3)))
    story(w, p, "warehouse_lost", steps, "a mixture")


def damaged_open(w: World, p: Product, dice: Dice) -> None:
    story(w, p, "warehouse_damaged", [("lost", _age(w, dice), dice.between(1, 3))], "damaged and not paid")


def damaged_partly_paid(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((27, 51))
    story(w, p, "warehouse_damaged", [("lost", age, 3), ("cash", age - 5, 2)], "partly paid")


def damaged_paid(w: World, p: Product, dice: Dice) -> None:
    story(w, p, "warehouse_damaged", [("lost", 33, 2), ("cash", 29, 2)], "paid in full")


def damaged_not_lost(w: World, p: Product, dice: Dice) -> None:
    """Paid as lost, but what happened was damage: the payment settles the loss, not the damage."""
    story(w, p, "warehouse_lost", [("lost", 40, 1), ("cash", 34, 1)], "paid as lost")
    story(w, p, "warehouse_damaged", [("lost", 42, 1)], "damaged beside a paid loss")


def damaged_unsellable(w: World, p: Product, dice: Dice) -> None:
    """The unit was unsellable before: odd, but no money."""
    day, reference, code = w.day(dice.pick((18, 36))), w.reference(), dice.pick("67HKU")
    spoiled = {
        "6": "CARRIER_DAMAGED",
        "7": "EXPIRED",
        "H": "CUSTOMER_DAMAGED",
        "K": "DEFECTIVE",
        "U": "DISTRIBUTOR_DAMAGED",
    }
    w.move(p, day - timedelta(5), "Adjustments", -1, reason="Q", reference=reference)
    w.move(p, day - timedelta(5), "Adjustments", 1, reason="P", reference=reference, disposition=spoiled[code])
    w.move(p, day, "Adjustments", -1, reason=code, reference=reference, disposition=spoiled[code])
    w.move(p, day, "Adjustments", 1, reason="P", reference=reference, disposition="WAREHOUSE_DAMAGED")
    w.expect(Truth("warehouse_damaged", "review", event_on=day, reference_id=reference, fnsku=p.fnsku, owed="",
                   note=f"reason {code}: unsellable already"))  # fmt: skip


# --- inbound ----------------------------------------------------------------------------------------------------


def _shipment(
    w: World, p: Product, age: int, shipped: int, recorded: int, in_ledger: int, status: str = "CLOSED"
) -> str:
    shipment = "FBA15" + w.unique("letters", 7)
    closed = w.day(age)
    w.inbound.append(
        {"shipment": shipment, "status": status, "closed": closed if status == "CLOSED" else None, "product": p,
         "shipped": shipped, "received": recorded}
    )  # fmt: skip
    if in_ledger:
        w.move(p, closed - timedelta(6), "Receipts", in_ledger, reference=shipment)
    return shipment


def _short(w: World, p: Product, shipment: str, age: int, units: int, note: str) -> None:
    day = w.day(age)
    value = unit_value(w, p, day)
    w.expect(
        Truth("inbound_shortage", event_on=day, reference_id=shipment, sku=p.sku, fnsku=p.fnsku, quantity=units,
              owed=value * units, currency=w.place.currency, note=f"{note}: {units} x {value}", **w.claim("inbound", day))
    )  # fmt: skip


def inbound_short(w: World, p: Product, dice: Dice) -> None:
    age, short = dice.pick((5, 24, 63)), dice.between(1, 6)
    shipment = _shipment(w, p, age, 40, 40 - short, 40 - short)
    _short(w, p, shipment, age, short, f"40 shipped, {40 - short} received")


def inbound_ledger_knows_more(w: World, p: Product, dice: Dice) -> None:
    """The shipment record says 30, the ledger received 34: the larger counts."""
    shipment = _shipment(w, p, 40, 36, 30, 34)
    _short(w, p, shipment, 40, 2, "36 shipped, 30 recorded, 34 in the ledger")


def inbound_paid_oldest_first(w: World, p: Product, dice: Dice) -> None:
    _shipment(w, p, 60, 20, 18, 18)
    newer = _shipment(w, p, 33, 20, 17, 17)
    w.pay_back(p, w.day(21), dice.pick(("Lost_Inbound", "Damaged_Inbound")), fair(w, p), cash=3)
    _short(w, p, newer, 33, 2, "3 paid: 2 for the older shipment, 1 for this one; 3 short - 1 paid")


def inbound_paid_before_closing(w: World, p: Product, dice: Dice) -> None:
    shipment = _shipment(w, p, 12, 15, 14, 14)
    w.pay_back(p, w.day(17), "Lost_Inbound", fair(w, p))
    w.decoy("inbound_shortage", shipment, "paid before the shipment was closed")


def inbound_still_open(w: World, p: Product, dice: Dice) -> None:
    shipment = _shipment(w, p, 14, 25, 10, 10, dice.pick(("RECEIVING", "SHIPPED", "WORKING")))
    w.decoy("inbound_shortage", shipment, "not closed yet")
    over = _shipment(w, p, 44, 12, 13, 13)
    w.decoy("inbound_shortage", over, "more received than shipped")


# --- disposals and removals -------------------------------------------------------------------------------------


def removal(w: World, p: Product, age: int, kind: str, asked: int, cancelled: int, disposed: int, shipped: int,
             disposition: str = "Sellable") -> str:  # fmt: skip
    order = w.unique("letters", 10)
    asked_at = w.at(w.day(age))
    w.removals.append(
        {"at": asked_at, "order": order, "kind": kind, "status": "Completed", "updated": w.at(w.day(max(0, age - 4))), "product": p,
         "disposition": disposition, "asked": asked, "cancelled": cancelled, "disposed": disposed, "shipped": shipped,
         "waiting": 0}
    )  # fmt: skip
    return order


def disposed_without_order(w: World, p: Product, dice: Dice) -> None:
    age, units = dice.pick((14, 30, 59, 61)), dice.between(1, 3)
    day, reference = w.day(age), w.reference()
    w.move(p, day, "Adjustments", -units, reason="D", reference=reference)
    value = unit_value(w, p, day)
    w.expect(
        Truth("disposed_without_order", event_on=day, reference_id=reference, sku=p.sku, fnsku=p.fnsku, quantity=units,
              owed=value * units, currency=w.place.currency, note=f"destroyed without an order: {units} x {value}",
              **w.claim("fc", day, wait=w.wait_for_stock(found=False)))
    )  # fmt: skip


def disposed_more_than_ordered(w: World, p: Product, dice: Dice) -> None:
    """5 asked for, 2 of them cancelled: 3 covered of 4 destroyed."""
    day, reference = w.day(35), w.reference()
    removal(w, p, 39, "Disposal", 5, 2, 3, 0)
    w.move(p, day, "Adjustments", -4, reason="D", reference=reference)
    value = unit_value(w, p, day)
    w.expect(
        Truth("disposed_without_order", event_on=day, reference_id=reference, sku=p.sku, fnsku=p.fnsku, quantity=1,
              owed=value, currency=w.place.currency, note="4 destroyed - (5 asked - 2 cancelled) = 1",
              **w.claim("fc", day, wait=w.wait_for_stock(found=False)))
    )  # fmt: skip


def disposed_as_ordered(w: World, p: Product, dice: Dice) -> None:
    order = removal(w, p, 30, "Disposal", 3, 0, 3, 0)
    w.move(p, w.day(27), "Adjustments", -3, reason="D", reference=order)
    w.decoy("disposed_without_order", order, "the seller asked for it")


def disposed_unsellable(w: World, p: Product, dice: Dice) -> None:
    day, reference = w.day(26), w.reference()
    w.move(p, day - timedelta(8), "Adjustments", -1, reason="Q", reference=reference)
    w.move(p, day - timedelta(8), "Adjustments", 1, reason="P", reference=reference, disposition="CUSTOMER_DAMAGED")
    w.move(p, day, "Adjustments", -1, reason="D", reference=reference, disposition="CUSTOMER_DAMAGED")
    w.decoy("disposed_without_order", reference, "the unit was unsellable")


def parcel(w: World, p: Product, order: str, age: int, units: int, kind: str = "Return") -> str:
    tracking = "1Z" + w.unique("letters", 16)
    day = w.day(age)
    w.removal_shipments.append(
        {"asked": w.at(day - timedelta(3)), "order": order, "at": w.at(day), "product": p, "disposition": "Sellable",
         "units": units, "tracking": tracking, "kind": kind}
    )  # fmt: skip
    w.move(p, day, "VendorReturns", -units, reference=order)
    return tracking


def removal_short(w: World, p: Product, dice: Dice) -> None:
    age = dice.pick((8, 16, 40, 75, 77))
    units, arrived = 6, dice.pick((0, 2, 5))
    order = removal(w, p, age + 3, "Return", units, 0, 0, units)
    tracking = parcel(w, p, order, age, units)
    day = w.day(age)
    if arrived:
        w.receipts.append(
            {"order": order, "tracking": tracking, "product": p, "on": day + timedelta(6), "units": arrived}
        )
    value, missing = unit_value(w, p, day), units - arrived
    w.expect(
        Truth("removal_short", event_on=day, reference_id=order, sku=p.sku, fnsku=p.fnsku, quantity=missing,
              owed=value * missing, currency=w.place.currency, note=f"{units} sent, {arrived} arrived: {missing} x {value}",
              **w.claim("removal", day))
    )  # fmt: skip


def removal_arrived_in_two(w: World, p: Product, dice: Dice) -> None:
    order = removal(w, p, 33, "Return", 4, 0, 0, 4)
    tracking = parcel(w, p, order, 30, 4)
    for wait, units in ((5, 1), (7, 3)):
        w.receipts.append({"order": order, "tracking": tracking, "product": p, "on": w.day(30 - wait), "units": units})
    w.decoy("removal_short", order, "arrived on two days")


def removal_liquidated(w: World, p: Product, dice: Dice) -> None:
    order = removal(w, p, 36, "Liquidations", 5, 0, 0, 5)
    parcel(w, p, order, 32, 5, "Liquidations")
    w.decoy("removal_short", order, "a liquidation is not sent to the seller")


def removal_paid(w: World, p: Product, dice: Dice) -> None:
    order = removal(w, p, 50, "Return", 2, 0, 0, 2)
    tracking = parcel(w, p, order, 47, 2)
    w.receipts.append({"order": order, "tracking": tracking, "product": p, "on": w.day(40), "units": 1})
    w.pay_back(p, w.day(30), "REMOVAL_ORDER_LOST", cents(fair(w, p)))
    w.decoy("removal_short", order, "the missing unit was paid")


STOCK = (
    lost_open, lost_open, lost_partly_settled, lost_found_later, lost_paid_cash, lost_paid_in_stock, lost_stock_counts_once,
    lost_first_in_first_out, lost_after_found, lost_paid_yesterday, lost_twins, lost_mixture, lost_mixture, damaged_open,
    damaged_partly_paid, damaged_paid, damaged_not_lost, damaged_unsellable, inbound_short, inbound_ledger_knows_more,
    inbound_paid_oldest_first, inbound_paid_before_closing, inbound_still_open, disposed_without_order,
    disposed_more_than_ordered, disposed_as_ordered, disposed_unsellable, removal_short, removal_arrived_in_two,
    removal_liquidated, removal_paid,
)  # fmt: skip
