"""What Amazon paid, and did not: reimbursements too small, never settled, taken back; deposits that are wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from tests.world import build
from tests.world.cases_stock import unit_value
from tests.world.dice import Dice
from tests.world.places import D, cents
from tests.world.state import Product, Truth, World


def _lose(w: World, p: Product, age: int, units: int) -> date:
    w.move(p, w.day(age), "Adjustments", -units, reason="M", reference=w.reference())
    return w.day(age)


def _paid(
    w: World, audit: str, day: date, number: str, owed: Decimal, note: str, units: int | None = None, **more: object
) -> None:
    w.expect(
        Truth(
            audit,
            event_on=day,
            reference_id=number,
            quantity=units,
            owed=owed,
            currency=w.place.currency,
            note=note,
            **more,
        )
    )  # type: ignore[arg-type]


def underpaid(w: World, p: Product, dice: Dice) -> None:
    age, units = dice.pick((9, 30, 60, 61)), dice.pick((1, 2))
    lost = _lose(w, p, age + 6, units)
    value = unit_value(w, p, lost)
    less = cents(value * dice.pick((D("0.40"), D("0.55"), D("0.90"))))
    number = w.pay_back(p, w.day(age), "Lost_Warehouse", less, cash=units)
    _paid(w, "reimbursement_underpaid", w.day(age), number, (value - less) * units, f"{less} paid a unit, {value} expected",
          **w.claim("value", w.day(age)))  # fmt: skip


def underpaid_return(w: World, p: Product, dice: Dice) -> None:
    o = w.sell(p, w.day(58))
    w.refund(o, w.day(44))
    less = cents(o.unit_value * D("0.60"))
    number = w.pay_back(p, w.day(25), "CustomerReturn", less, order=o)
    _paid(w, "reimbursement_underpaid", w.day(25), number, o.unit_value - less, f"{less} paid, the order was worth {o.unit_value}",
          **w.claim("value", w.day(25)))  # fmt: skip


def nearly_enough(w: World, p: Product, dice: Dice) -> None:
    lost = _lose(w, p, 40, 1)
    value = unit_value(w, p, lost)
    number = w.pay_back(p, w.day(33), "Lost_Warehouse", cents(value * D("0.985")))
    w.decoy("reimbursement_underpaid", number, "within two per cent")


def never_settled(w: World, p: Product, dice: Dice) -> None:
    age, units = dice.pick((23, 40)), dice.pick((1, 2))
    lost = _lose(w, p, age + 5, units)
    value = unit_value(w, p, lost) + D("1.11")
    number = w.pay_back(p, w.day(age), "Lost_Warehouse", value, cash=units, settled=())
    _paid(
        w,
        "reimbursement_not_settled",
        w.day(age),
        number,
        value * units,
        "approved, never in a settlement",
        status="claimable",
        claim_by="",
    )


def half_settled(w: World, p: Product, dice: Dice) -> None:
    lost = _lose(w, p, 50, 2)
    value = unit_value(w, p, lost) + D("0.77")
    number = w.pay_back(p, w.day(44), "Lost_Warehouse", value, cash=2, settled=((2, value),))
    _paid(
        w,
        "reimbursement_not_settled",
        w.day(44),
        number,
        value,
        "one of two units was settled",
        status="claimable",
        claim_by="",
    )


def never_settled_order(w: World, p: Product, dice: Dice) -> None:
    o = w.sell(p, w.day(62))
    w.refund(o, w.day(51))
    number = w.pay_back(p, w.day(38), "CustomerReturn", o.unit_value, order=o, settled=())
    w.expect(Truth("reimbursement_not_settled", "claimable", w.day(38), claim_by="", order_id=o.order_id, reference_id=number,
                   owed=o.unit_value, currency=w.place.currency, note="approved for an order, never in a settlement"))  # fmt: skip


def settled_in_parts(w: World, p: Product, dice: Dice) -> None:
    lost = _lose(w, p, 48, 3)
    value = unit_value(w, p, lost)
    number = w.pay_back(p, w.day(41), "Lost_Warehouse", value, cash=3, settled=((1, value), (1, value), (3, value)))
    w.decoy("reimbursement_not_settled", number, "split over three settlement lines")


def settled_soon(w: World, p: Product, dice: Dice) -> None:
    lost = _lose(w, p, 12, 1)
    number = w.pay_back(p, w.day(8), "Lost_Warehouse", unit_value(w, p, lost), settled=())
    w.decoy("reimbursement_not_settled", number, "approved a week ago")


def taken_back(w: World, p: Product, dice: Dice) -> None:
    value = dice.cents("18", "60")
    number = w.pay_back(p, w.day(dice.pick((15, 45))), "Reimbursement_Reversal", -value, cash=1, sku=f"Amazon.Found.{p.asin}", fnsku=p.asin,
                        original=("16" + dice.digits(9), "CustomerReturn"))  # fmt: skip
    row = w.reimbursements[-1]
    row["cash"], row["total"], row["per_unit"] = -1, -value, -value
    day = row["at"].astimezone(w.zone).date()  # type: ignore[attr-defined]
    _paid(
        w, "reimbursement_reversed", day, number, value, "taken back, but no unit came", status="claimable", claim_by=""
    )


def taken_back_with_unit(w: World, p: Product, dice: Dice) -> None:
    """The unit is on the row itself, or in the ledger on the same day."""
    for in_ledger in (False, True):
        value, age = dice.cents("18", "60"), dice.pick((20, 36))
        number = w.pay_back(p, w.day(age), "Reimbursement_Reversal", -value, sku=f"Amazon.Found.{p.asin}", fnsku=p.asin,
                            original=("16" + dice.digits(9), "Lost_Warehouse"))  # fmt: skip
        row = w.reimbursements[-1]
        row["cash"], row["stock"] = -1, 0 if in_ledger else 1
        if in_ledger:
            w.move(
                p,
                w.day(age),
                "Adjustments",
                1,
                reason="F",
                reference=w.reference(),
                sku=f"Amazon.Found.{p.asin}",
                fnsku=p.asin,
            )
        w.decoy("reimbursement_reversed", number, "taken back, and the unit is back")
        p = build.product(w, dice, plain=True)


def paid_twice(w: World, p: Product, dice: Dice) -> None:
    o = w.sell(p, w.day(49))
    w.refund(o, w.day(37))
    w.pay_back(p, w.day(30), "CustomerServiceIssue", o.unit_value, order=o)
    w.pay_back(p, w.day(22), "CustomerReturn", o.unit_value, order=o)
    w.expect(
        Truth(
            "reimbursement_twice",
            "review",
            None,
            order_id=o.order_id,
            sku=p.sku,
            note="one unit paid under two reasons",
        )
    )


def paid_for_two_units(w: World, p: Product, dice: Dice) -> None:
    o = w.sell(p, w.day(53), 2)
    w.refund(o, w.day(42))
    w.pay_back(p, w.day(31), "CustomerReturn", o.unit_value, order=o)
    w.pay_back(p, w.day(27), "CustomerReturn", o.unit_value, order=o)
    w.decoy("reimbursement_twice", o.order_id, "two units, two payments")


PAID = (
    underpaid, underpaid, underpaid_return, nearly_enough, never_settled, half_settled, never_settled_order, settled_in_parts,
    settled_soon, taken_back, taken_back_with_unit, paid_twice, paid_for_two_units,
)  # fmt: skip


# --- the bank -------------------------------------------------------------------------------------------------------


def wrong_deposits(
    w: World, wrong: dict[int, str]
) -> Callable[[int, Decimal, date], list[tuple[int, Decimal, str]] | None]:
    """What the bank did with the deposit of a settlement: `missing`, `short`, `split` or `late` (inside the days allowed)."""

    def deposit(index: int, total: Decimal, day: date) -> list[tuple[int, Decimal, str]] | None:
        what, reference = wrong.get(index), "TR" + w.unique("digits", 9)
        if what == "missing":
            return []
        if what == "short":
            return [(1, total - D("12.50"), reference)]
        if what == "split":
            return [(1, D("100.00"), reference), (1, total - D("100.00"), "TR" + w.unique("digits", 9))]
        if what == "late":
            return [(4, total, reference)]
        return None

    return deposit


def expect_deposits(w: World, wrong: dict[int, str]) -> None:
    for s in w.settlements:
        what, day = wrong.get(int(str(s["index"]))), s["deposit"].astimezone(w.zone).date()  # type: ignore[attr-defined]
        if what == "missing":
            w.expect(Truth("deposit_missing", "open", day, claim_from="", claim_by="", reference_id=str(s["id"]), owed=s["total"],  # type: ignore[arg-type]
                           currency=w.place.currency, note="no credit within five business days"))  # fmt: skip
        elif what == "short":
            w.expect(Truth("deposit_differs", "open", day, claim_from="", claim_by="", reference_id="~" + str(s["id"]), owed=D("12.50"),
                           currency=w.place.currency, note="12.50 less than the settlement"))  # fmt: skip
        elif what:
            w.decoy("deposit_differs", str(s["id"]), f"{what}, but all of it came")


def stray_credit(w: World, day: date) -> None:
    reference = "TR" + w.unique("digits", 9)
    w.bank.append(
        {"on": day, "amount": D("217.43"), "text": f"AMAZON SETTLEMENT {w.place.code} 0000", "reference": reference}
    )
    w.expect(
        Truth(
            "deposit_unexplained",
            "open",
            day,
            claim_from="",
            claim_by="",
            reference_id="~" + reference,
            note="a credit without a settlement",
        )
    )
