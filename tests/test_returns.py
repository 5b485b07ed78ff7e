"""Refunds and returns of orders: units and values computed by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bookmaker import D, books, day, event, line, paid_line, reimbursed, settlement
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_lib.audits.returns import (
    refund_exceeds_charge,
    refund_without_return,
    return_not_restocked,
    return_unpaid,
    return_wrong_item,
)

SHARED = Path(__file__).parents[1].parent / "shared"
ORDER, SKU = "111-1", "S-X1"


def sold(units=1, price="60.00", commission="-9.63", fee="-7.71", *, order=ORDER, item="I1", on="2026-01-05", **more):
    """The lines of one order item; its quantity stands on every row."""
    same = {"order_id": order, "sku": SKU, "order_item_code": item, "quantity": units, "shipment_id": "SH1", **more}
    return [
        line("1", on, "Principal", price, **same),
        line("1", on, "Commission", commission, group="ItemFees", **same),
        line("1", on, "FBAPerUnitFulfillmentFee", fee, group="ItemFees", **same),
    ]


def refund(amount="60.00", on="2026-01-20", *, order=ORDER, item="I1", **more):
    return line(
        "1", on, "Principal", f"-{amount}", kind="Refund", order_id=order, sku=SKU, order_item_code=item, **more
    )


def came_back(units=1, disposition="CUSTOMER_DAMAGED", on="2026-01-25", *, order=ORDER, reason="UNWANTED_ITEM", **more):
    return {
        "returned_on": day(on), "order_id": order, "sku": SKU, "fnsku": "X1", "quantity": units,
        "disposition": disposition, "reason": reason, **more,
    }  # fmt: skip


def run(audit, lines, returns=(), paid=(), as_of="2026-03-31", **more):
    more = {"settlements": [settlement("1", "2026-01-01", "2026-03-31", "0.00")], **more}
    return audit(
        books(as_of, settlement_lines=list(lines), customer_returns=list(returns), reimbursements=list(paid), **more),
        None,
    )


def missing(*args, **more):
    return run(refund_without_return, *args, **more)


def quantities(result):
    return result.findings["quantity"].to_list()


def test_a_refund_without_parcel_or_payment_is_worth_price_less_fees():
    (row,) = missing([*sold(), refund()]).findings.to_dicts()
    assert (row["quantity"], row["unit_value"], row["owed"], row["currency"]) == (1, D("42.66"), D("42.66"), "USD")
    assert (row["event_on"], row["anchor_on"], row["claim_type"]) == (
        day("2026-01-20"),
        day("2026-01-20"),
        "customer_return",
    )
    assert (row["order_id"], row["sku"], row["value_basis"], row["status"]) == (ORDER, SKU, "after_order", None)
    assert (
        row["arithmetic"]
        == "1 refunded − 0 returned − 0 paid = 1 missing; 60.00 charged − 17.34 fees = 42.66 for 1 unit; 1 x 42.66"
    )


@pytest.mark.parametrize("disposition", ["SELLABLE", "CUSTOMER_DAMAGED", "DEFECTIVE", None])
def test_a_returned_unit_is_not_missing(disposition):
    assert quantities(missing([*sold(), refund()], [came_back(1, disposition)])) == []


def test_a_return_of_another_order_does_not_help():
    assert quantities(missing([*sold(), refund()], [came_back(order="111-2")])) == [1]


def test_part_refunds_add_up_before_rounding_down():
    # 3 units at 20.00: 15.00 + 30.00 = 45.00 = 2.25 units = 2
    lines = [*sold(3, "60.00"), refund("15.00"), refund("30.00", "2026-01-22")]
    result = missing(lines)
    assert quantities(result) == [2]
    # (60.00 - 9.63 - 7.71) * 2 / 3 = 28.44
    assert result.findings.select("unit_value", "owed", "event_on").rows() == [
        (D("14.22"), D("28.44"), day("2026-01-22"))
    ]


@pytest.mark.parametrize(
    ("back", "units"), [("9.98", []), ("9.99", [1]), ("19.98", [2]), ("20.00", [2]), ("29.99", [3])]
)
def test_a_unit_of_three_for_29_99_is_refunded_with_9_99_or_10_00(back, units):
    assert quantities(missing([*sold(3, "29.99"), refund(back)])) == units


@pytest.mark.parametrize(
    ("back", "units"), [("908", []), ("909", [1]), ("910", [1]), ("1818", [2]), ("1819", [2]), ("2728", [3])]
)
def test_a_unit_of_three_for_2728_yen_is_refunded_with_909(back, units):
    # 3 × 1000 with the tax: 2728 without it; one unit 909
    yen = {"currency": "JPY"}
    assert quantities(missing([*sold(3, "2728", "-300", "-600", **yen), refund(back, **yen)])) == units


def test_units_that_cost_less_than_a_cent_are_counted_too():
    # 1000 for 5.00: half of the money is half of the units
    assert quantities(missing([*sold(1000, "5.00", "-0.10", "-0.10"), refund("2.50")])) == [500]
    assert quantities(missing([*sold(1000, "5.00", "-0.10", "-0.10"), refund("5.00")])) == [1000]


def test_less_than_a_unit_is_no_unit():
    assert quantities(missing([*sold(), refund("59.99")])) == []


def test_more_refunded_than_charged_is_not_more_units():
    assert quantities(missing([*sold(2, "60.00"), refund("95.00")])) == [2]


def test_an_item_shipped_in_two_parcels_counts_both():
    lines = [*sold(1, "20.00"), *sold(2, "40.00", shipment_id="SH2", on="2026-01-07"), refund("60.00")]
    assert quantities(missing(lines)) == [3]


def test_promotions_are_not_principal():
    promotion = {"kind": "Refund", "group": "Promotion", "order_id": ORDER, "sku": SKU, "order_item_code": "I1"}
    assert quantities(missing([*sold(), refund(), line("1", "2026-01-20", "Principal", "60.00", **promotion)])) == [1]


@pytest.mark.parametrize(
    ("reason", "left"),
    [("CustomerReturn", []), ("CUSTOMERRETURN", []), ("CustomerServiceIssue", []), ("Lost_Warehouse", [1])],
)
def test_which_payments_count(reason, left):
    assert quantities(missing([*sold(), refund()], paid=[reimbursed("2026-03-01", reason, order_id=ORDER)])) == left


def test_report_and_settlement_tell_one_payment():
    lines = [*sold(2, "60.00"), refund("60.00"), paid_line("1", "2026-03-04", "REVERSAL_REIMBURSEMENT", "20.00", order_id=ORDER,
             sku=SKU, quantity=1)]  # fmt: skip
    paid = [reimbursed("2026-03-01", "CustomerReturn", 1, "20.00", order_id=ORDER)]
    result = missing(lines, paid=paid)
    assert quantities(result) == [1]
    assert result.settled.select("audit", "event_on", "paid_on", "settled_on", "quantity", "amount").rows() == [
        ("refund_without_return", day("2026-01-20"), day("2026-03-01"), day("2026-03-04"), 1, D("20.00"))
    ]


def test_a_payment_that_only_the_settlement_shows_counts():
    lines = [
        *sold(),
        refund(),
        paid_line("1", "2026-03-04", "REVERSAL_REIMBURSEMENT", "43.29", order_id=ORDER, sku=SKU, quantity=1),
    ]
    result = missing(lines)
    assert quantities(result) == []
    assert result.settled.select("paid_on", "settled_on", "amount").rows() == [
        (day("2026-03-04"), day("2026-03-04"), D("43.29"))
    ]


def test_payments_settle_damaged_returns_first_then_missing_units():
    # 3 refunded, 1 came back damaged, 1 paid: the payment is for the damaged one, 2 are missing
    lines, back = [*sold(3, "60.00"), refund("60.00")], [came_back(1, "DAMAGED")]
    one = [reimbursed("2026-03-01", "CustomerReturn", order_id=ORDER)]
    assert quantities(missing(lines, back, one)) == [2]
    assert quantities(run(return_unpaid, lines, back, one)) == []
    assert quantities(run(return_unpaid, lines, back)) == [1]
    two = [reimbursed("2026-03-01", "CustomerReturn", 2, order_id=ORDER)]
    assert quantities(missing(lines, back, two)) == [1]


@pytest.mark.parametrize(
    ("reason", "unpaid", "missing_units"),
    [
        # any reimbursement of the order and SKU pays what came back damaged, but of a missing unit only those for returns
        ("Damaged_Warehouse", [], [2]),
        ("GeneralAdjustment", [], [2]),
        ("Fee_Correction", [1], [2]),  # a fee, no unit
    ],
)
def test_a_damaged_return_is_paid_by_any_reason_that_names_the_order(reason, unpaid, missing_units):
    lines, back = [*sold(3, "60.00"), refund("60.00")], [came_back(1, "DAMAGED")]
    paid = [reimbursed("2026-03-01", reason, order_id=ORDER)]
    assert quantities(run(return_unpaid, lines, back, paid)) == unpaid
    assert quantities(missing(lines, back, paid)) == missing_units
    # a payment for the return itself is then left for a missing unit
    two = [*paid, reimbursed("2026-03-02", "CustomerReturn", order_id=ORDER)]
    assert quantities(missing(lines, back, two)) == [2 if unpaid else 1]
    assert quantities(run(return_unpaid, lines, back, two)) == []
    assert quantities(missing([*sold(), refund()], paid=paid)) == [1]


def test_orders_of_the_seller_are_no_claims():
    lines = [*sold(fulfillment_id="MFN"), refund(fulfillment_id="MFN")]
    result = missing(lines)
    assert quantities(result) == []
    assert result.not_checked["subject"].to_list() == ["refunds of orders shipped by the seller"]
    assert quantities(missing([*sold(fulfillment_id="AFN"), refund(fulfillment_id="AFN")])) == [1]


def test_a_refund_whose_charge_is_not_known_is_said_and_the_date_range_report_helps():
    result = missing([refund()])
    assert quantities(result) == []
    assert result.not_checked.select("subject", "count").rows() == [
        ("refunds whose order line is in no settlement here", 1)
    ]
    told = [{"posted_on": day("2026-01-20"), "type": "Refund", "order_id": ORDER, "sku": SKU, "quantity": 2, "total": D(0),
             "currency": "USD", "language": "en"}]  # fmt: skip
    (row,) = missing([refund()], date_range=told).findings.to_dicts()
    assert (row["quantity"], row["owed"]) == (2, None)
    assert "value unknown" in row["reason"]


def test_a_refund_that_names_another_item_is_taken_by_order_and_sku():
    assert quantities(missing([*sold(), refund(item="I9")])) == [1]
    assert quantities(missing([*sold(), refund(item=None)])) == [1]


def test_without_the_returns_report_nothing_is_known():
    found = refund_without_return(
        books("2026-03-31", settlement_lines=[*sold(), refund()], settlements=[], reimbursements=[]), None
    ).findings
    assert found.select("status", "reason").rows() == [("waiting", "report missing: customer returns")]


@pytest.mark.parametrize("disposition", ["DAMAGED", "CARRIER_DAMAGED"])
def test_a_return_damaged_by_amazon_is_owed_from_the_last_refund(disposition):
    lines = [*sold(), refund("30.00"), refund("30.00", "2026-02-02")]
    (row,) = run(return_unpaid, lines, [came_back(1, disposition)]).findings.to_dicts()
    assert (row["quantity"], row["owed"], row["event_on"]) == (1, D("42.66"), day("2026-02-02"))
    (row,) = run(return_unpaid, sold(), [came_back(1, disposition)]).findings.to_dicts()
    assert row["event_on"] == day("2026-01-25")


@pytest.mark.parametrize("disposition", ["CUSTOMER_DAMAGED", "DEFECTIVE", "SELLABLE", "EXPIRED"])
def test_other_conditions_are_not_amazons(disposition):
    assert quantities(run(return_unpaid, [*sold(), refund()], [came_back(1, disposition)])) == []


def ledger_return(units=1, disposition="SELLABLE", on="2026-01-26"):
    return event(on, units, None, event_type="CustomerReturns", reference_id=ORDER, disposition=disposition)


def unstocked(returns, ledger=(), paid=(), as_of="2026-03-31", lines=None):
    lines = [*sold(2, "120.00"), refund("60.00")] if lines is None else lines
    return run(return_not_restocked, lines, returns, paid, as_of, ledger_detail=list(ledger))


@pytest.mark.parametrize(("as_of", "units"), [("2026-02-04", []), ("2026-02-05", [1])])
def test_a_sellable_return_must_be_put_back_within_ten_days(as_of, units):
    # returned on 25 January: the tenth day is 4 February
    result = unstocked([came_back(1, "SELLABLE")], as_of=as_of)
    assert quantities(result) == units


def test_put_back_late_or_paid_is_no_finding():
    back = [came_back(1, "SELLABLE")]
    assert quantities(unstocked(back, [ledger_return(on="2026-03-20")])) == []
    assert quantities(unstocked(back, paid=[reimbursed("2026-03-01", "CustomerReturn", order_id=ORDER)])) == []
    assert quantities(unstocked(back, [ledger_return() | {"reference_id": "111-9"}])) == [1]


def test_a_ledger_row_of_another_return_of_the_order_does_not_put_it_back():
    back = [came_back(1, "SELLABLE"), came_back(1, "DEFECTIVE")]
    assert quantities(unstocked(back, [ledger_return(1, "DEFECTIVE")])) == [1]
    assert quantities(unstocked(back, [ledger_return(1, "SELLABLE")])) == []
    assert quantities(unstocked(back[:1], [ledger_return(1, "CUSTOMER_DAMAGED")])) == []  # graded again


def test_the_excess_of_a_refund_is_owed():
    (row,) = run(refund_exceeds_charge, [*sold(), refund("60.00"), refund("5.50", "2026-02-01")]).findings.to_dicts()
    assert (row["owed"], row["quantity"], row["status"], row["claim_type"]) == (D("5.50"), None, None, None)
    assert row["arithmetic"] == "65.50 refunded − 60.00 charged = 5.50"
    assert run(refund_exceeds_charge, [*sold(), refund("60.00")]).findings.is_empty()


def test_an_excess_over_a_missing_settlement_is_not_known():
    heads = [settlement("1", "2026-01-01", "2026-01-10", "0.00"), settlement("3", "2026-01-18", "2026-03-31", "0.00")]
    (row,) = run(refund_exceeds_charge, [*sold(), refund("61.00")], settlements=heads).findings.to_dicts()
    assert (row["status"], row["reason"]) == ("waiting", "report missing: settlement lines 2026-01-11 to 2026-01-17")


def test_another_item_in_the_parcel_is_for_review():
    back = [came_back(1, "SELLABLE", reason="SWITCHEROO"), came_back(1, "DAMAGED", reason="SWITCHEROO"), came_back()]
    found = run(return_wrong_item, sold(), back).findings
    assert found.select("status", "quantity", "owed").rows() == [("review", 1, None)]
    # nobody waits for the wrong item to be put back into stock
    assert quantities(unstocked(back[:1])) == []


counts = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))


@settings(max_examples=40, deadline=None)
@given(counts, st.integers(1, 3))
def test_a_unit_is_in_one_finding_at_the_most(parts, bought):
    refunded, sellable, damaged, paid = parts
    refunded, damaged = min(refunded, bought), min(damaged, bought)  # no more can have come back than was sold
    lines = sold(bought, f"{bought * 20}.00") + ([refund(f"{refunded * 20}.00")] if refunded else [])
    back = [came_back(n, d) for n, d in ((sellable, "SELLABLE"), (damaged, "DAMAGED")) if n]
    money = [reimbursed("2026-03-01", "CustomerReturn", paid, order_id=ORDER)] if paid else []
    claimed = sum(
        result.findings["quantity"].sum()
        for result in (
            missing(lines, back, money),
            run(return_unpaid, lines, back, money),
            unstocked(back, (), money, lines=lines),
        )
    )
    there = damaged + min(sellable, bought - damaged)  # a return told more often than units were sold
    assert claimed == max(0, max(0, refunded - sellable - damaged) + there - paid)
    assert claimed <= bought


@pytest.mark.skipif(not (SHARED / "samples").exists(), reason="the shared sample reports are not on this machine")
def test_a_real_refund_paid_back_in_a_later_settlement_is_history(tmp_path):
    from recon_lib.books import open_account

    (tmp_path / "reports").mkdir()
    (tmp_path / "account.yml").write_text("account: ca\nmarketplace: CA\n", encoding="utf-8")
    for name in ("50018020314.txt", "50044020356.txt"):
        shutil.copy(SHARED / "samples" / "settlement-v1-flat-file" / name, tmp_path / "reports")
    real = open_account(tmp_path, "2025-12-31", store=tmp_path / "store")
    result = refund_without_return(real, None)
    order = "702-1278184-4976266"
    assert order not in result.findings["order_id"].to_list()
    (row,) = [r for r in result.settled.to_dicts() if r["order_id"] == order]
    assert (row["event_on"], row["settled_on"], row["quantity"], row["amount"], row["currency"]) == (
        day("2025-08-14"), day("2025-09-17"), 1, D("43.29"), "CAD",
    )  # fmt: skip


def test_a_disposition_that_nobody_knows_is_counted_as_not_classified():
    known = ["Sellable", "DAMAGED", "CUSTOMER_DAMAGED", "DEFECTIVE", "CARRIER_DAMAGED", "EXPIRED"]
    rows = [came_back(1, name) for name in [*known, "EATEN_BY_DOG", "EATEN_BY_DOG", None]]
    odd = run(return_unpaid, sold(), rows).not_checked
    assert odd.select("subject", "reason", "count").rows() == [
        ("return disposition (empty)", "unknown code, not classified", 1),
        ("return disposition EATEN_BY_DOG", "unknown code, not classified", 2),
    ]
