"""Reimbursements too small, not settled, taken back or doubled: amounts computed by hand."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from bookmaker import D, books, day, event, line, paid_line, reimbursed, settlement
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recon_lib.audits import payouts
from recon_lib.audits.reimbursements import (
    reimbursement_not_settled,
    reimbursement_twice,
    reimbursement_underpaid,
)
from recon_lib.audits.takings_back import reimbursement_reversed
from recon_lib.policy import load_policy

SHARED = Path(__file__).parents[1].parent / "shared"
ORDER, SKU = "111-1", "S-X1"


def run(audit, paid, lines=(), ledger=(), as_of="2026-03-31", heads=None, **more):
    heads = [settlement("1", "2026-01-01", "2026-03-31", "0.00")] if heads is None else heads
    return audit(
        books(
            as_of,
            reimbursements=list(paid),
            settlement_lines=list(lines),
            settlements=heads,
            ledger_detail=list(ledger),
            **more,
        ),
        load_policy(),
    )


def product(cost, since="2020-01-01", *, currency="USD"):
    return {"sku": SKU, "fnsku": "X1", "unit_cost": D(cost), "currency": currency, "cost_from": day(since)}


def underpaid(paid, products=(), **more):
    result = run(reimbursement_underpaid, paid, products=list(products), **more)
    return result.findings.select("reference_id", "quantity", "owed").rows()


def test_the_gap_to_the_unit_cost_times_cash_units_is_owed():
    paid = [reimbursed("2026-02-05", "Lost_Warehouse", 3, "6.00", stock=1)]
    (row,) = run(reimbursement_underpaid, paid, products=[product("7.20")]).findings.to_dicts()
    assert (row["quantity"], row["unit_value"], row["owed"]) == (3, D("1.20"), D("3.60"))
    assert (row["claim_type"], row["event_on"], row["status"]) == ("reimbursement_revaluation", day("2026-02-05"), None)
    assert row["reason"] is None  # the reason of the reimbursement is not the reason of the finding


@pytest.mark.parametrize(("each", "count"), [("9.80", 0), ("9.79", 1), ("10.00", 0), ("12.00", 0)])
def test_two_percent_below_is_still_fair(each, count):
    assert len(underpaid([reimbursed("2026-02-05", "Damaged_Warehouse", 1, each)], [product("10.00")])) == count


def test_the_cost_of_the_day_of_the_loss_holds_else_that_of_the_approval():
    costs = [product("7.00"), product("9.00", "2026-02-03")]
    paid = [reimbursed("2026-02-05", "Lost_Warehouse", 1, "7.00")]
    assert underpaid(paid, costs, ledger=[event("2026-02-01", -1)]) == []
    assert underpaid(paid, costs) == [("R1", 1, D("2.00"))]


def test_without_a_cost_nothing_is_known():
    result = run(reimbursement_underpaid, [reimbursed("2026-02-05", "Lost_Warehouse")], products=[])
    assert result.findings.is_empty()
    assert result.not_checked["count"].to_list() == [1]
    foreign = run(
        reimbursement_underpaid,
        [reimbursed("2026-02-05", "Lost_Warehouse")],
        products=[product("99.00", currency="EUR")],
    )
    assert foreign.findings.is_empty()
    assert foreign.not_checked["reason"].to_list() == ["paid in another currency than its value"]


def test_a_reason_that_nobody_knows_is_counted_as_not_classified():
    known = ["LOST warehouse", "General_Adjustment", "Fee_Correction", "COMPENSATED_CLAWBACK", "REMOVAL_ORDER_LOST"]
    paid = [reimbursed("2026-02-05", reason, number=f"R{n}") for n, reason in enumerate(known)]
    paid += [reimbursed("2026-02-06", "Brand_New", number=f"N{n}") for n in range(2)]
    result = run(reimbursement_underpaid, paid, products=[product("10.00")])
    odd = result.not_checked.filter(pl.col("reason") == "unknown code, not classified")
    assert odd.select("subject", "count").rows() == [("reimbursement reason Brand_New", 2)]


def test_what_is_paid_for_removals_is_said_not_to_be_valued():
    paid = [reimbursed("2026-02-05", "Removal_Order_Lost", 1, "0.01", number=f"R{n}") for n in range(2)]
    result = run(
        reimbursement_underpaid,
        [*paid, reimbursed("2026-02-05", "Lost_Warehouse", number="W")],
        products=[product("9.00")],
    )
    assert result.findings.is_empty()
    assert result.not_checked.select("subject", "reason", "count").rows() == [
        ("reimbursements of removals", "no source says how Amazon values a unit that a removal lost", 2)
    ]


def test_a_settlement_code_that_nobody_knows_is_counted_as_not_classified():
    codes = ["WAREHOUSE_LOST", "RE_EVALUATION", "BRAND_NEW_CODE", "BRAND_NEW_CODE"]
    result = run(reimbursement_not_settled, [], [paid_line("1", "2026-02-01", code, "5.00") for code in codes])
    assert result.not_checked.select("subject", "reason", "count").rows() == [
        ("settlement code BRAND_NEW_CODE", "unknown code, not classified", 2)
    ]


def sold(units=1, price="60.00"):
    same = {"order_id": ORDER, "sku": SKU, "order_item_code": "I1", "quantity": units}
    return [line("1", "2026-01-05", "Principal", price, **same), line("1", "2026-01-05", "Commission", "-9.63", group="ItemFees", **same),
            line("1", "2026-01-05", "FBAPerUnitFulfillmentFee", "-7.71", group="ItemFees", **same)]  # fmt: skip


def test_after_an_order_price_less_fees_is_the_measure():
    # 60.00 - 9.63 - 7.71 = 42.66
    fair = [reimbursed("2026-02-05", "CustomerReturn", 1, "43.29", order_id=ORDER)]
    assert underpaid(fair, lines=sold()) == []
    for reason in ("CustomerReturn", "CustomerServiceIssue", "Lost_Outbound"):
        low = [reimbursed("2026-02-05", reason, 1, "40.00", order_id=ORDER)]
        assert underpaid(low, lines=sold()) == [("R1", 1, D("2.66"))]
    removal = [reimbursed("2026-02-05", "Lost_Outbound", 1, "4.00", order_id="RM1")]  # no buyer's order
    assert underpaid(removal, lines=sold()) == []


def test_a_second_small_payment_for_one_unit_is_not_underpaid():
    paid = [reimbursed("2026-02-05", "CustomerReturn", 1, a, order_id=ORDER) for a in ("10.00", "42.66")]
    assert underpaid(paid, lines=sold()) == []


def test_a_reversed_payment_and_a_stock_payment_are_not_underpaid():
    paid = [reimbursed("2026-02-05", "Lost_Warehouse", 1, "1.00"), reversal("2026-02-09", "1.00")]
    assert underpaid(paid, [product("7.20")]) == []
    assert underpaid([reimbursed("2026-02-05", "Lost_Warehouse", 0, stock=2)], [product("7.20")]) == []


def test_a_later_revaluation_is_taken_off():
    paid = [reimbursed("2026-02-05", "Lost_Warehouse", 2, "6.00")]
    more = paid_line("1", "2026-03-01", "RE_EVALUATION", "1.00", sku=SKU)
    assert underpaid(paid, [product("7.20")], lines=[more]) == [("R1", 2, D("1.40"))]
    assert underpaid(paid, [product("7.20")], lines=[more | {"amount": D("2.40")}]) == []


def unsettled(paid, lines=(), **more):
    result = run(reimbursement_not_settled, paid, lines, **more)
    return [(r["reference_id"], r["owed"]) for r in result.findings.sort("reference_id").to_dicts()]


@pytest.mark.parametrize(
    ("why", "code"), [("Damaged_Warehouse", "WAREHOUSE_DAMAGE"), ("Lost_Warehouse", "WAREHOUSE_LOST")]
)
def test_two_payments_that_are_split_into_equal_lines_each_have_their_own(why, code):
    # two units on 1 February paid on the 2nd and 4th, three on the 10th paid on the 10th and twice on the 13th
    paid = [reimbursed("2026-02-01", why, 2), reimbursed("2026-02-10", "Lost_Warehouse", 3, number="R2")]
    lines = [paid_line("1", f"2026-02-{day}", code, "10.00", sku="S-X1") for day in ("02", "04")]
    lines += [paid_line("1", f"2026-02-{day}", "WAREHOUSE_LOST", "10.00", sku="S-X1") for day in ("10", "13", "13")]
    assert unsettled(paid, lines) == []


@pytest.mark.parametrize("first", [("02", "04"), ("03", "03")])
def test_a_payment_that_was_split_does_not_keep_the_line_of_a_later_one_of_its_amount(first):
    # two units on 1 February paid in two lines, two more on the 10th paid in one line on the 12th
    paid = [reimbursed("2026-02-01", "Lost_Warehouse", 2), reimbursed("2026-02-10", "Lost_Warehouse", 2, number="R2")]
    split = [paid_line("1", f"2026-02-{day}", "WAREHOUSE_LOST", "10.00", sku="S-X1") for day in first]
    whole = paid_line("1", "2026-02-12", "WAREHOUSE_LOST", "20.00", sku="S-X1")
    assert unsettled(paid, [*split, whole]) == []
    assert unsettled(paid, [*split[:1], whole]) in ([("R1", D("10.00"))], [("R2", D("20.00"))])  # one line is missing


def test_split_lines_of_a_payments_own_code_are_its_own_also_where_another_code_came_first():
    # lost on 1 February, half of it paid on the 5th; damaged on the same day, paid on the 3rd and 4th
    paid = [
        reimbursed("2026-02-01", "Lost_Warehouse", 2),
        reimbursed("2026-02-01", "Damaged_Warehouse", 2, number="R2"),
    ]
    lines = [paid_line("1", f"2026-02-{day}", "WAREHOUSE_DAMAGE", "10.00", sku="S-X1") for day in ("03", "04")]
    lines += [paid_line("1", "2026-02-05", "WAREHOUSE_LOST", "10.00", sku="S-X1")]
    assert unsettled(paid, lines) == [("R1", D("10.00"))]


@pytest.mark.parametrize(("as_of", "count"), [("2026-02-26", 0), ("2026-02-27", 1)])
def test_more_than_twenty_one_days(as_of, count):
    # approved on 5 February: the 21st day is 26 February
    assert len(unsettled([reimbursed("2026-02-05", "Lost_Warehouse")], as_of=as_of)) == count


STOCK = reimbursed("2026-02-05", "Lost_Warehouse", 3, "10.00", number="R1")


@pytest.mark.parametrize(
    ("lines", "owed"),
    [
        ([("2026-02-09", "30.00")], None),
        ([("2026-02-03", "30.00")], None),
        ([("2026-02-01", "30.00")], "30.00"),  # posted before it was approved
        ([("2026-02-09", "10.00")] * 3, None),
        ([("2026-02-09", "10.00"), ("2026-02-12", "20.00")], None),
        ([("2026-02-09", "10.00")] * 2, "10.00"),
        ([("2026-03-20", "30.00")], None),  # late, but it came
        ([("2026-02-09", "31.00")], "30.00"),
        ([("2026-02-09", "-30.00")], "30.00"),
    ],
)
def test_stock_is_paid_by_sku_amount_and_days(lines, owed):
    settled = [paid_line("1", on, "WAREHOUSE_LOST", amount, sku=SKU) for on, amount in lines]
    assert unsettled([STOCK], settled) == ([("R1", D(owed))] if owed else [])


def test_another_product_currency_or_an_order_does_not_pay_stock():
    assert unsettled([STOCK], [paid_line("1", "2026-02-09", "WAREHOUSE_LOST", "30.00", sku="S-X2")]) == [("R1", D(30))]
    assert unsettled([STOCK], [paid_line("1", "2026-02-09", "WAREHOUSE_LOST", "30.00", sku=SKU, currency="CAD")]) == [
        ("R1", D(30))
    ]
    assert unsettled(
        [STOCK], [paid_line("1", "2026-02-09", "REVERSAL_REIMBURSEMENT", "30.00", sku=SKU, order_id=ORDER)]
    ) == [("R1", D(30))]


def test_several_reimbursements_may_be_paid_by_one_line():
    paid = [STOCK, reimbursed("2026-02-06", "Lost_Warehouse", 1, "12.50", number="R2")]
    assert unsettled(paid, [paid_line("1", "2026-02-10", "WAREHOUSE_LOST", "42.50", sku=SKU)]) == []


def test_a_line_pays_once_and_the_one_nearest_in_time():
    # two payments of 30.00 a month apart, one line after the second: the first is the one not settled
    paid = [STOCK, reimbursed("2026-03-05", "Lost_Warehouse", 3, "10.00", number="R2")]
    assert unsettled(paid, [paid_line("1", "2026-03-09", "WAREHOUSE_LOST", "30.00", sku=SKU)]) == [("R1", D(30))]


@settings(max_examples=40, deadline=None)
@example(1, 11, 1000, 500, None, None)
@example(1, 12, 1000, 500, None, None)
@example(1, 31, 1000, 1000, None, None)
@example(9, 6, 1000, 1000, "S1", "S1")
@example(9, 5, 1000, 1000, "S1", "S1")
@given(st.integers(1, 31), st.integers(1, 31), st.sampled_from([500, 1000]), st.sampled_from([500, 1000, 1500]),
       st.sampled_from([None, "S1", "S2"]), st.sampled_from([None, "S1"]))  # fmt: skip
def test_a_payment_and_a_line_alone_meet_as_they_would_among_others(approved, posted, due, paid, due_sku, line_sku):
    pool = {"pool_order": ["O1"], "pool_sku": [None], "pool_currency": ["USD"]}
    keys = {"pool_order": pl.String, "pool_sku": pl.String, "pool_currency": pl.String, "why": pl.String}
    dues = pl.DataFrame(pool | {"why": ["a"], "row": [0], "due_sku": [due_sku], "on": [date(2026, 1, approved)], "due": [due]},
                        schema=keys | {"row": pl.UInt32, "due_sku": pl.String, "on": pl.Date, "due": pl.Int64})  # fmt: skip
    lines = pl.DataFrame(pool | {"why": ["b"], "place": ["f:1"], "line_sku": [line_sku], "line_on": [date(2026, 1, posted)],
                                 "line": [paid]},
                         schema=keys | {"place": pl.String, "line_sku": pl.String, "line_on": pl.Date, "line": pl.Int64})  # fmt: skip
    wait = timedelta(days=10)
    alone = payouts._of_pairs(dues, lines, wait)
    # by hand: never three days before the approval, of the same product where the line names one, and a part only in time
    meets = posted >= approved - 3 and line_sku in (None, due_sku)
    wanted = int(meets and (paid == due or (paid < due and posted <= approved + 10)))
    assert alone.height == wanted
    assert alone.rows() == payouts._of_pools(dues, lines, wait).rows()


def test_of_equal_payments_each_takes_the_first_line_that_it_may():
    lost = [reimbursed(on, "Lost_Warehouse", each="10.00") for on in ("2026-01-02", "2026-01-10", "2026-01-20")]
    paid = [paid_line("1", on, "WAREHOUSE_LOST", "10.00", sku="S-X1") for on in ("2026-01-09", "2026-01-12")]
    made = payouts.settled_on(books("2026-03-31", reimbursements=lost, settlement_lines=paid))
    assert made.select("row", "settled_on").rows() == [(0, date(2026, 1, 9)), (1, date(2026, 1, 12))]


def test_an_order_is_paid_by_order_and_sku():
    paid = [reimbursed("2026-02-05", "CustomerReturn", 1, "42.80", order_id=ORDER, number="R1"),
            reimbursed("2026-02-05", "CustomerReturn", 1, "75.00", order_id=ORDER, number="R2")]  # fmt: skip
    first = paid_line("1", "2026-02-08", "REVERSAL_REIMBURSEMENT", "75.00", order_id=ORDER, sku=SKU)
    assert unsettled(paid, [first]) == [("R1", D("42.80"))]
    assert unsettled(paid, [first, first | {"amount": D("42.80")}]) == []
    assert unsettled(paid, [first | {"order_id": "111-2"}]) == [("R1", D("42.80")), ("R2", D("75.00"))]


@pytest.mark.parametrize(("parts", "settled", "on"), [(2, "20.00", None), (3, "30.00", date(2026, 2, 12))])
def test_what_came_in_part_is_settled_on_no_day(parts, settled, on):
    lines = [
        paid_line("1", day, "WAREHOUSE_LOST", "10.00", sku=SKU) for day in ("2026-02-09", "2026-02-09", "2026-02-12")
    ]
    made = payouts.settled_on(books("2026-03-31", reimbursements=[STOCK], settlement_lines=lines[:parts]))
    assert made.select("settled", "settled_on").rows() == [(D(settled), on)]


def test_money_taken_back_is_not_owed_again():
    assert unsettled([STOCK, reversal("2026-02-09", "30.00")]) == []


def test_where_no_settlement_covers_the_days_nothing_is_known():
    heads = [settlement("1", "2026-01-01", "2026-02-06", "0.00"), settlement("3", "2026-02-20", "2026-03-31", "0.00")]
    found = run(reimbursement_not_settled, [STOCK], heads=heads).findings
    assert found.select("status", "reason").rows() == [
        ("waiting", "report missing: settlement lines 2026-02-07 to 2026-02-19")
    ]
    early = [settlement("1", "2026-03-01", "2026-03-31", "0.00")]
    assert run(reimbursement_not_settled, [STOCK], heads=early).findings["status"].to_list() == ["waiting"]
    without = reimbursement_not_settled(books("2026-03-31", reimbursements=[STOCK]), None).findings
    assert without["reason"].to_list() == ["report missing: settlement lines"]


def test_the_running_settlement_covers_until_today_and_the_next_one_is_not_late():
    heads = [settlement("1", "2026-01-01", "2026-02-10", "0.00")]
    assert run(reimbursement_not_settled, [STOCK], heads=heads, as_of="2026-02-27").findings["status"].to_list() == [
        "waiting"
    ]
    running = [line("2", "2026-02-10", "Principal", "1.00")]
    assert run(reimbursement_not_settled, [STOCK], running, heads=heads, as_of="2026-02-27").findings[
        "status"
    ].to_list() == [None]
    to_the_15th = [settlement("1", "2026-01-01", "2026-02-15", "0.00")]
    assert run(reimbursement_not_settled, [STOCK], heads=to_the_15th, as_of="2026-02-27").findings[
        "status"
    ].to_list() == [None]


def reversal(on, amount, *, original="R1", stock=0, number="V1", units=1, **more):
    return {
        **reimbursed(on, "Reimbursement_Reversal", number=number), "sku": "Amazon.Found.B-X1", "fnsku": "B-X1",
        "amount_per_unit": -D(amount) / units, "amount_total": -D(amount), "quantity_cash": -units,
        "quantity_inventory": stock, "quantity_total": stock - units, "original_reimbursement_id": original,
        "original_reimbursement_type": "Lost_Warehouse", **more,
    }  # fmt: skip


LOSS = [event("2026-02-01", -1), reimbursed("2026-02-05", "Lost_Warehouse", 1, "10.00", number="R1")]


def taken_back(rows, ledger=LOSS[:1], paid=LOSS[1:], **more):
    return run(reimbursement_reversed, [*paid, *rows], ledger=ledger, **more).findings


def test_money_taken_back_without_the_unit_is_owed():
    (row,) = taken_back([reversal("2026-03-05", "10.00")]).to_dicts()
    assert (row["owed"], row["quantity"], row["reference_id"], row["event_on"]) == (D(10), 1, "V1", day("2026-03-05"))
    assert (row["sku"], row["fnsku"], row["status"], row["claim_type"]) == (SKU, "X1", None, None)


def test_a_unit_back_in_stock_on_the_row_settles_it():
    assert taken_back([reversal("2026-03-05", "10.00", stock=1)]).is_empty()


@pytest.mark.parametrize(
    ("on", "code", "count"),
    [("2026-03-03", "F", 0), ("2026-03-20", "N", 0), ("2026-04-03", "F", 0), ("2026-04-06", "F", 1)],
)
def test_a_unit_found_near_it_settles_it(on, code, count):
    # the thirtieth day after 5 March is 4 April
    found = taken_back([reversal("2026-03-05", "10.00")], [*LOSS[:1], event(on, 1, code)], as_of="2026-04-30")
    assert found.height == count


def test_a_found_unit_that_settles_another_loss_is_not_the_one_taken_back():
    ledger = [event("2026-02-01", -1), event("2026-02-10", -1), event("2026-03-04", 1, "F")]
    assert taken_back([reversal("2026-03-05", "10.00")], ledger).height == 1


@pytest.mark.parametrize(
    ("ledger", "paid", "owed"),
    [
        # found before it was paid: nothing was missing any more
        ([event("2026-02-01", -1), event("2026-02-02", 1, "F")], LOSS[1:], []),
        ([event("2026-02-01", -1), event("2026-02-02", 1, "N")], LOSS[1:], []),
        # paid twice for one unit, whichever of the two is taken back
        (LOSS[:1], [*LOSS[1:], reimbursed("2026-02-09", "Lost_Warehouse", number="R2")], []),
        (LOSS[:1], [reimbursed("2026-02-03", "Lost_Warehouse", number="R0"), *LOSS[1:]], []),
        # two lost, one found: the payment was for the other one
        ([event("2026-02-01", -2), event("2026-02-02", 1, "F")], LOSS[1:], [D(10)]),
        # of a payment whose loss the ledger does not show nothing is known
        ([event("2026-02-01", -1, fnsku="X2")], LOSS[1:], [D(10)]),
        # nor of one before the first loss that it shows, and such a payment makes no later one too many
        ([event("2026-02-20", -1)], LOSS[1:], [D(10)]),
        ([event("2026-02-20", -1)], [*LOSS[1:], reimbursed("2026-02-09", "Lost_Warehouse", number="R2")], [D(10)]),
        ([event("2026-02-04", -1)], [reimbursed("2026-02-03", "Lost_Warehouse", number="R0"), *LOSS[1:]], [D(10)]),
        # but a unit was found just before it was taken back, whatever later loss that unit settles
        ([event("2026-02-20", -1), event("2026-03-04", 1, "F")], LOSS[1:], []),
        # damaged units are another account than lost ones
        ([event("2026-02-01", -1, "E")], LOSS[1:], [D(10)]),
    ],
)
def test_what_was_paid_too_many_is_rightly_taken_back(ledger, paid, owed):
    assert taken_back([reversal("2026-03-05", "10.00")], ledger, paid)["owed"].to_list() == owed


def test_one_of_two_paid_too_many_is_rightly_taken_back():
    paid = [reimbursed("2026-02-05", "Lost_Warehouse", 2, "10.00", number="R1")]
    (row,) = taken_back([reversal("2026-03-05", "20.00", units=2)], LOSS[:1], paid).to_dicts()
    assert (row["quantity"], row["owed"]) == (1, D(10))
    assert "2 units, 0 put back into stock, 1 had been paid too many" in row["arithmetic"]


def test_a_shipment_received_in_full_later_owes_nothing():
    paid = [reimbursed("2026-02-05", "Lost_Inbound", 2, "10.00", number="R1")]
    row = {
        "shipment_id": "FBA1", "status": "CLOSED", "closed_on": day("2026-01-20"), "sku": SKU, "fnsku": "X1",
        "quantity_shipped": 10, "quantity_received": 8,
    }  # fmt: skip
    taken = [reversal("2026-03-05", "20.00", units=2, original_reimbursement_type="Lost_Inbound")]
    assert taken_back(taken, [], paid, inbound_shipments=[row])["owed"].to_list() == [D(20)]
    assert taken_back(taken, [], paid, inbound_shipments=[row | {"quantity_received": 10}]).is_empty()


def test_an_original_older_than_the_report_is_told_by_its_asin():
    assert taken_back([reversal("2026-03-05", "10.00", original="R0")], [event("2026-03-04", 1, "F")], []).is_empty()
    (row,) = taken_back([reversal("2026-03-05", "10.00", original="R0")], [], []).to_dicts()
    assert (row["sku"], row["owed"]) == ("Amazon.Found.B-X1", D(10))


def test_two_units_taken_one_found_leaves_half():
    found = taken_back([reversal("2026-03-05", "20.00", units=2)], [event("2026-03-04", 1, "F")], [])
    assert found.select("quantity", "unit_value", "owed").rows() == [(1, D(10), D(10))]


def test_the_second_payment_of_an_order_may_be_taken_back():
    refund = line(
        "1", "2026-01-20", "Principal", "-60.00", kind="Refund", order_id=ORDER, sku=SKU, order_item_code="I1"
    )
    paid = [reimbursed("2026-02-05", "CustomerReturn", 1, "42.66", order_id=ORDER, number=n) for n in ("R1", "R2")]
    back = reversal("2026-03-05", "42.66", original="R2", original_reimbursement_type="CustomerReturn")
    assert run(reimbursement_reversed, [*paid, back], [*sold(), refund]).findings.is_empty()
    assert run(reimbursement_reversed, [paid[1], back], [*sold(), refund]).findings["owed"].to_list() == [D("42.66")]


DAMAGED_RETURN = {
    "returned_on": day("2026-01-25"), "order_id": ORDER, "sku": SKU, "fnsku": "X1", "quantity": 1,
    "disposition": "DAMAGED", "reason": "UNWANTED_ITEM",
}  # fmt: skip


def _for_the_return(reason, number):
    return reimbursed("2026-02-05", reason, 1, "42.66", order_id=ORDER, number=number)


@pytest.mark.parametrize(
    ("paid", "owed"),
    [
        # one damaged return paid twice: either may be taken back
        ([("CustomerReturn", "R1"), ("Damaged_Warehouse", "R2")], []),
        ([("Damaged_Warehouse", "R1"), ("CustomerReturn", "R2")], []),
        ([("Damaged_Warehouse", "R1"), ("GeneralAdjustment", "R2")], []),
        # paid once: then nothing pays it any more
        ([("CustomerReturn", "R1")], [D("42.66")]),
        ([("Damaged_Warehouse", "R1")], [D("42.66")]),
        # a fee given back pays no unit
        ([("CustomerReturn", "R1"), ("Fee_Correction", "R2")], [D("42.66")]),
    ],
)
@pytest.mark.parametrize("ledger", [[], [event("2026-01-28", -1, "E")]])
def test_of_a_damaged_return_one_payment_has_to_stay(paid, owed, ledger):
    refund = line(
        "1", "2026-01-20", "Principal", "-60.00", kind="Refund", order_id=ORDER, sku=SKU, order_item_code="I1"
    )
    back = reversal("2026-03-05", "42.66", original_reimbursement_type=paid[0][0])
    # with a damaged unit in the ledger, paid on its own: the payment of the order is not one too many for it
    alone = [reimbursed("2026-02-01", "Damaged_Warehouse", 1, "10.00", number="R0")] if ledger else []
    rows = [*alone, *(_for_the_return(*told) for told in paid), back]
    found = run(reimbursement_reversed, rows, [*sold(), refund], ledger, customer_returns=[DAMAGED_RETURN]).findings
    assert found["owed"].to_list() == owed


def test_of_two_payments_that_name_the_sku_alone_one_is_rightly_taken_back():
    paid = [reimbursed(on, "Lost_Warehouse", number=n) | {"fnsku": None} for on, n in
            (("2026-02-05", "R1"), ("2026-02-09", "R2"))]  # fmt: skip
    back = [reversal("2026-03-05", "10.00")]
    assert taken_back(back, LOSS[:1], paid, products=[product("10.00")]).is_empty()
    assert taken_back(back, LOSS[:1], paid[:1], products=[product("10.00")])["owed"].to_list() == [D(10)]


def test_without_the_ledger_a_found_unit_may_be_missed():
    found = reimbursement_reversed(books("2026-03-31", reimbursements=[reversal("2026-03-05", "10.00")]), None).findings
    assert found["reason"].to_list() == ["report missing: ledger detail"]


def twice(paid, lines=()):
    return run(reimbursement_twice, paid, lines).findings.select("order_id", "status", "quantity", "owed").rows()


def test_an_order_paid_for_more_units_than_it_had_is_for_review():
    paid = [
        reimbursed("2026-02-05", r, 1, "42.66", order_id=ORDER, number=r)
        for r in ("CustomerServiceIssue", "CustomerReturn")
    ]
    assert twice(paid, sold()) == [(ORDER, "review", 1, None)]
    assert twice(paid, sold(2, "120.00")) == []
    assert twice(paid) == [(ORDER, "review", None, None)]  # how many units it had is not known
    assert twice(paid[:1]) == []
    back = reversal("2026-03-05", "42.66", original="CustomerReturn", original_reimbursement_type="CustomerReturn")
    assert twice([*paid, back], sold()) == []
    fee = reimbursed("2026-02-06", "Fee_Correction", 1, "1.00", order_id=ORDER)
    assert twice([paid[0], fee], sold()) == []


def test_a_damaged_return_paid_by_two_reasons_is_for_review():
    paid = [_for_the_return(reason, reason) for reason in ("Damaged_Warehouse", "CustomerReturn")]
    refund = line(
        "1", "2026-01-20", "Principal", "-60.00", kind="Refund", order_id=ORDER, sku=SKU, order_item_code="I1"
    )
    (row,) = run(reimbursement_twice, paid, [*sold(), refund], customer_returns=[DAMAGED_RETURN]).findings.to_dicts()
    assert (row["order_id"], row["quantity"], row["status"]) == (ORDER, 1, "review")
    assert run(reimbursement_twice, paid, [*sold(2), refund], customer_returns=[DAMAGED_RETURN]).findings.is_empty()
    # without a damaged return the payment for the warehouse's damage pays no unit of the order
    assert run(reimbursement_twice, paid, [*sold(), refund]).findings.is_empty()


amounts = st.lists(st.tuples(st.integers(1, 10), st.integers(1, 4)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(amounts, amounts)
def test_money_is_conserved(approved, posted):
    paid = [
        reimbursed(f"2026-02-{d:02}", "Lost_Warehouse", 1, f"{a}.00", number=str(n))
        for n, (d, a) in enumerate(approved)
    ]
    lines = [paid_line("1", f"2026-02-{d + 2:02}", "WAREHOUSE_LOST", f"{a}.00", sku=SKU) for d, a in posted]
    owed = sum(o for _, o in unsettled(paid, lines))
    due, came = sum(a for _, a in approved), sum(a for _, a in posted)
    assert max(0, due - came) <= owed <= due


@pytest.mark.skipif(not (SHARED / "samples").exists(), reason="the shared sample reports are not on this machine")
def test_the_real_report_shows_two_orders_paid_twice_and_two_reversals_with_their_units(tmp_path):
    from recon_lib.books import open_account

    (tmp_path / "reports").mkdir()
    (tmp_path / "account.yml").write_text("account: us\nmarketplace: US\n", encoding="utf-8")
    shutil.copy(
        SHARED / "samples" / "fba-reimbursements" / "reimbursement-2025-08-02_2025-11-02.tsv", tmp_path / "reports"
    )
    real = open_account(tmp_path, "2025-12-31", store=tmp_path / "store")
    assert reimbursement_twice(real, None).findings.height == 2
    assert reimbursement_reversed(real, None).findings.is_empty()
