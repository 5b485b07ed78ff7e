"""Several audits that look at the same unit, payment or product: from report files to findings and history, worked out by hand."""

from __future__ import annotations

import re

import pytest
from case_folder import Folder, findings, lines, other, paid, refund, sale

from recon_lib.books import open_account
from recon_lib.reconcile import reconcile

DAY = "2026-03-31"


def folder(cost="7.20", products=9):
    made = Folder("US")
    for number in range(1, products):
        made.product(number, cost)
    return made


def taken_back(f, day, number, x, original, why="Lost_Warehouse", units=1, each="7.20", stock=0):
    """A reversal as the report writes it: no order, the ASIN in place of SKU and FNSKU."""
    total = f"-{float(each) * units:.2f}"
    names = {"sku": f"Amazon.Found.B{x}", "fnsku": f"B{x}", "total": total}
    return f.reimb(
        day, number, "Reimbursement_Reversal", x, -units, f"-{each}", stock=stock, orig=original, orig_type=why, **names
    )


def history(f, tmp_path):
    """What was settled: audit, event day, units and money of every row."""
    f.write(tmp_path / "account")
    day = reconcile(open_account(tmp_path / "account", DAY, store=tmp_path / "store"))
    columns = ("audit", "event_on", "quantity", "amount")
    rows = day.history.select(columns).iter_rows()
    return [f"{audit}|{on}|{units}|{'' if money is None else f'{money:.2f}'}" for audit, on, units, money in rows]


@pytest.mark.parametrize("audit", ["warehouse_lost", "warehouse_damaged", "inbound_shortage"])
def test_one_payment_in_cash_and_stock_over_two_losses_is_money_once(audit, tmp_path):
    f = folder()
    if audit == "inbound_shortage":
        f.inbound("FBA1", 1, 10, 9, "2026-02-10").inbound("FBA2", 1, 10, 9, "2026-02-11")
    else:
        code = "M" if audit == "warehouse_lost" else "E"
        f.led("2026-02-10", 1, -1, code, ref="A1").led("2026-02-11", 1, -1, code, ref="A2")
    reason = {"warehouse_lost": "Lost_Warehouse", "warehouse_damaged": "Damaged_Warehouse"}.get(audit, "Lost_Inbound")
    f.reimb("2026-03-20", "R1", reason, 1, 1, "7.20", stock=1)
    assert findings(f, DAY, audit) == []
    assert history(f, tmp_path) == [f"{audit}|2026-02-10|1|7.20", f"{audit}|2026-02-11|1|"]


def test_three_units_in_cash_and_one_in_stock_over_two_losses_of_two(tmp_path):
    f = folder().led("2026-02-10", 1, -2, ref="A1").led("2026-02-11", 1, -2, ref="A2")
    f.reimb("2026-03-20", "R1", "Lost_Warehouse", 1, 3, "7.20", stock=1)
    assert history(f, tmp_path) == ["warehouse_lost|2026-02-10|2|14.40", "warehouse_lost|2026-02-11|2|7.20"]


def test_a_payment_over_a_loss_and_a_disposal_is_money_once(tmp_path):
    f = folder().led("2026-02-10", 1, -1, ref="A1").led("2026-02-11", 1, -2, "D", ref="D1")
    f.reimb("2026-03-20", "R1", "Lost_Warehouse", 1, 2, "7.20", stock=1)
    assert history(f, tmp_path) == ["disposed_without_order|2026-02-11|2|7.20", "warehouse_lost|2026-02-10|1|7.20"]


def settled(f, *rows):
    return f.settle("901", "2026-01-01", "2026-03-30", [line for some in rows for line in some])


def test_a_reversal_takes_back_the_item_of_its_own_product():
    f = folder().led("2026-01-10", 1, -1).led("2026-01-10", 2, -1)
    f.reimb("2026-01-20", "R1", "Lost_Warehouse", 1, 1, "7.20").reimb(
        "2026-01-20", "R1", "Lost_Warehouse", 2, 1, "9.00"
    )
    taken_back(f, "2026-02-20", "V1", 2, "R1", each="9.00")
    settled(
        f,
        paid("2026-01-22", "WAREHOUSE_LOST", "7.20", 1),
        paid("2026-01-22", "WAREHOUSE_LOST", "9.00", 2),
        paid("2026-02-22", "COMPENSATED_CLAWBACK", "-9.00"),
    )
    assert findings(f, DAY) == lines("""
        reimbursement_reversed|claimable|2026-02-20|2026-02-20|||V1|S2|1|9.00|9.00
    """)


def test_two_equal_items_of_one_payment_are_each_taken_back_once():
    f = folder().led("2026-01-10", 1, -2).reimb("2026-01-20", "R1", "Lost_Warehouse", 1, 1, "5.00")
    f.reimb("2026-01-20", "R1", "Lost_Warehouse", 1, 1, "5.00")
    taken_back(f, "2026-02-20", "V1", 1, "R1", each="5.00", stock=1)
    taken_back(f, "2026-02-21", "V2", 1, "R1", each="5.00", stock=1)
    clawed = [paid(f"2026-02-2{n}", "COMPENSATED_CLAWBACK", "-5.00") for n in (2, 3)]
    settled(f, *[paid("2026-01-22", "WAREHOUSE_LOST", "5.00", 1)] * 2, *clawed)
    assert findings(f, DAY) == []  # neither is underpaid any more


def test_a_unit_that_came_back_with_a_reversal_is_found_once():
    f = folder().led("2026-02-10", 1, -1, ref="A1").reimb("2026-02-15", "R1", "Lost_Warehouse", 1, 1, "7.20")
    f.led("2026-02-20", 1, -1, ref="A2").led("2026-03-01", 1, 1, "F")  # the first unit, which the reversal gives back
    taken_back(f, "2026-03-05", "V1", 1, "R1", stock=1)
    settled(f, paid("2026-02-17", "WAREHOUSE_LOST", "7.20", 1), paid("2026-03-06", "COMPENSATED_CLAWBACK", "-7.20"))
    assert findings(f, DAY) == lines("""
        warehouse_lost|claimable|2026-02-20|2026-02-20|2026-04-21||A2|S1|1|7.20|7.20
    """)


@pytest.mark.parametrize(("found_on", "open_units"), [("2026-02-26", 1), ("2026-02-25", 0)])
def test_a_unit_found_more_than_a_week_before_a_reversal_is_another_one(found_on, open_units):
    f = folder().led("2026-02-10", 1, -1, ref="A1").reimb("2026-02-15", "R1", "Lost_Warehouse", 1, 1, "7.20")
    f.led("2026-02-20", 1, -1, ref="A2").led(found_on, 1, 1, "F")
    taken_back(f, "2026-03-05", "V1", 1, "R1", stock=1)
    settled(f, paid("2026-02-17", "WAREHOUSE_LOST", "7.20", 1), paid("2026-03-06", "COMPENSATED_CLAWBACK", "-7.20"))
    assert len(findings(f, DAY, "warehouse_lost")) == open_units


def test_of_two_found_units_the_earlier_one_came_back_with_the_reversal():
    f = folder().led("2026-01-12", 1, -1).reimb("2026-01-16", "R1", "Lost_Warehouse", 1, 1, "7.20")
    f.led("2026-02-06", 1, 1, "F").led("2026-02-07", 1, -1, ref="A2").led("2026-02-09", 1, 1, "F")
    taken_back(f, "2026-02-08", "V1", 1, "R1", stock=1)
    settled(f, paid("2026-01-18", "WAREHOUSE_LOST", "7.20", 1), paid("2026-02-09", "COMPENSATED_CLAWBACK", "-7.20"))
    assert findings(f, DAY) == []


def test_what_is_left_of_a_payment_that_was_taken_back_in_part_may_be_too_little():
    f = folder().led("2026-01-10", 1, -3).reimb("2026-02-15", "R1", "Lost_Warehouse", 1, 3, "5.00")
    taken_back(f, "2026-03-05", "V1", 1, "R1", each="5.00", stock=1)
    settled(f, paid("2026-02-17", "WAREHOUSE_LOST", "15.00", 1), paid("2026-03-06", "COMPENSATED_CLAWBACK", "-5.00"))
    assert findings(f, DAY) == lines("""
        reimbursement_underpaid|claimable|2026-02-15|2026-02-15|2026-04-16||R1|S1|2|2.20|4.40
    """)


def test_the_words_of_a_short_payment_for_units_of_two_values_add_up():
    f = Folder("US").product(1, "7.00").product(1, "8.00", since="2026-02-11")
    f.led("2026-02-10", 1, -1, ref="A1").led("2026-02-11", 1, -2, ref="A2")
    f.reimb("2026-03-20", "R1", "Lost_Warehouse", 1, 3, "5.00")
    ((owed, evidence),) = (
        row.split("|", 1) for row in findings(f, DAY, "reimbursement_underpaid", columns=["owed", "evidence"])
    )
    assert owed == "8.00"  # 7.00 + 2 x 8.00 - 15.00; a unit's 7.67 would tell 8.01
    assert "; worth 23.00 for 3 units (sourcing_cost) − 15.00 paid in cash = 8.00;" in evidence


def test_the_rest_of_an_order_s_payment_may_be_too_little():
    f = folder()
    rows = sale("O1", 1, "2025-11-05", "40.00", fee="6.00", fba="8.00", qty=2)  # 13.00 a unit
    rows += refund("O1", 1, "2025-12-01", "40.00", fee="6.00", kept="1.20")
    f.reimb("2026-02-10", "R1", "CustomerReturn", 1, 2, "8.00", order="O1")
    f.ret("2026-02-15", "O1", 1).led("2026-02-15", 1, 1, event="CustomerReturns", ref="O1")
    taken_back(f, "2026-02-20", "V1", 1, "R1", "CustomerReturn", each="8.00", stock=1)
    rows += paid("2026-02-12", "REVERSAL_REIMBURSEMENT", "16.00", 1, "O1")
    f.settle("901", "2025-11-01", "2026-03-30", rows + paid("2026-02-22", "COMPENSATED_CLAWBACK", "-8.00"))
    assert findings(f, DAY) == lines("""
        reimbursement_underpaid|claimable|2026-02-10|2026-02-10|2026-04-11|O1|R1|S1|1|5.00|5.00
    """)


def test_the_words_of_a_missing_unit_add_up_where_the_damaged_one_was_paid_for_itself():
    f = folder()
    rows = sale("O1", 1, "2025-11-05", "60.00", fee="9.00", fba="12.00", qty=3)
    rows += refund("O1", 1, "2025-12-01", "60.00", fee="9.00", kept="1.80")
    f.ret("2025-12-20", "O1", 1, "DAMAGED").reimb("2026-01-10", "R1", "Damaged_Warehouse", 1, 1, "13.00", order="O1")
    f.reimb("2026-02-10", "R2", "CustomerReturn", 1, 1, "13.00", order="O1")
    rows += paid("2026-01-12", "WAREHOUSE_DAMAGE", "13.00", 1, "O1")
    f.settle("901", "2025-11-01", "2026-03-30", rows + paid("2026-02-12", "REVERSAL_REIMBURSEMENT", "13.00", 1, "O1"))
    assert [row.split("|")[8] for row in findings(f, DAY, "refund_without_return")] == ["1"]
    (evidence,) = findings(f, DAY, "refund_without_return", columns=["evidence"])
    assert "; 3 refunded − 1 returned − 1 paid = 1 missing" in evidence


def test_the_words_of_units_whose_worth_does_not_divide_add_up():
    """40.00 − 6.00 − 8.01 = 25.99 for three units, two of them missing: 17.33, while two times 8.66 would be 17.32."""
    f = folder().ret("2025-12-20", "O1", 1).led("2025-12-21", 1, 1, event="CustomerReturns", ref="O1")
    rows = sale("O1", 1, "2025-11-05", "40.00", fee="6.00", fba="8.01", qty=3)
    f.settle("901", "2025-11-01", "2026-03-30", rows + refund("O1", 1, "2025-12-01", "40.00", fee="6.00", kept="1.20"))
    (told,) = findings(f, DAY, columns=["audit", "owed", "evidence"])
    assert told.startswith("refund_without_return|17.33|")
    assert "; 40.00 charged − 14.01 fees = 25.99 for 3 units; 2 of these = 17.33;" in told


def test_a_shipment_without_fnsku_keeps_its_id_when_the_ledger_tells_one():
    f = Folder("US").inbound("FBA1", 1, 10, 9, "2026-01-10")
    f.rows["inbound"][0]["fnsku"] = ""
    for day, fnsku in (("2026-02-20", "X1"), ("2026-02-25", "A0")):  # the label was changed later
        f.led(day, 1, -1)
        f.rows["ledger"][-1]["FNSKU"] = fnsku
    days = ("2026-02-01", "2026-02-21", "2026-02-28")
    ids = [findings(f, day, "inbound_shortage", columns=["finding_id"]) for day in days]
    assert len(ids[0]) == 1
    assert ids == [ids[0]] * 3


def test_a_shipment_without_fnsku_is_paid_under_the_one_of_the_products_file():
    f = folder().inbound("FBA1", 1, 10, 9, "2026-01-10").led("2026-02-20", 1, -1)
    f.rows["inbound"][0]["fnsku"] = ""
    f.rows["ledger"][0]["FNSKU"] = "A0"  # an older label of the SKU
    f.reimb("2026-02-25", "R1", "Lost_Inbound", 1, 1, "7.20")
    assert findings(f, DAY, "inbound_shortage") == []


def one_order(returned=None):
    """An order of one unit worth 13.00, refunded on December 1 and returned damaged."""
    f = folder().ret("2026-01-10", "O1", 1, returned or "DAMAGED")
    rows = sale("O1", 1, "2025-11-05", "20.00", fee="3.00", fba="4.00")
    return f, rows + refund("O1", 1, "2025-12-01", "20.00", fee="3.00", kept="0.60")


@pytest.mark.parametrize(
    ("audit", "code", "reason"),
    [("warehouse_damaged", "E", "Damaged_Warehouse"), ("warehouse_lost", "M", "Lost_Warehouse")],
)
def test_a_payment_for_a_damaged_return_pays_no_loss_of_the_stock(audit, code, reason):
    f, rows = one_order()
    f.led("2026-02-10", 1, -1, code, ref="A1").reimb("2026-02-20", "R1", reason, 1, 1, "13.00", order="O1")
    f.settle("901", "2025-11-01", "2026-03-30", rows + paid("2026-02-22", "WAREHOUSE_DAMAGE", "13.00", 1, "O1"))
    assert findings(f, DAY) == [f"{audit}|claimable|2026-02-10|2026-02-10|2026-04-11||A1|S1|1|7.20|7.20"]


def test_what_a_payment_for_a_damaged_return_pays_beyond_it_is_for_the_stock(tmp_path):
    f, rows = one_order()
    f.led("2026-02-10", 1, -2, "E", ref="A1").reimb("2026-02-20", "R1", "Damaged_Warehouse", 1, 2, "13.00", order="O1")
    rows += paid("2026-02-22", "WAREHOUSE_DAMAGE", "26.00", 1, "O1", 2)
    f.settle("901", "2025-11-01", "2026-03-30", rows)
    assert [row.split("|")[8] for row in findings(f, DAY, "warehouse_damaged", "return_unpaid")] == ["1"]
    assert history(f, tmp_path) == ["return_unpaid|2025-12-01|1|13.00", "warehouse_damaged|2026-02-10|1|13.00"]


def test_payments_of_an_order_are_history_of_what_they_settle(tmp_path):
    """Three refunded units worth 13.00: one came back damaged, one sellable and never to the stock, one not at all."""
    f = folder().ret("2026-01-10", "O1", 1, "DAMAGED").ret("2026-01-12", "O1", 1)
    rows = sale("O1", 1, "2025-11-05", "60.00", fee="9.00", fba="12.00", qty=3)
    rows += refund("O1", 1, "2025-12-01", "60.00", fee="9.00", kept="1.80")
    damaged, missing = "return_unpaid|2025-12-01|1|13.00", "refund_without_return|2025-12-01|1|13.00"
    away = "return_not_restocked|2026-01-12|1|13.00"
    for number, settles in enumerate(([damaged], [missing, damaged], [missing, away, damaged]), 1):
        day = f"2026-02-1{number}"
        f.reimb(day, f"R{number}", "CustomerReturn", 1, 1, "13.00", order="O1")
        rows += paid(day, "REVERSAL_REIMBURSEMENT", "13.00", 1, "O1")
        f.settlements = []
        f.settle("901", "2025-11-01", "2026-03-30", rows)
        assert history(f, tmp_path / str(number)) == settles
        assert [row.split("|")[8] for row in findings(f, DAY)] == ["1"] * (3 - number)


def test_a_unit_that_was_paid_before_it_came_back_was_paid_as_missing(tmp_path):
    f = folder().ret("2026-01-12", "O1", 1)  # sellable, never put back
    rows = sale("O1", 1, "2025-11-05", "20.00", fee="3.00", fba="4.00")
    rows += refund("O1", 1, "2025-12-01", "20.00", fee="3.00", kept="0.60")
    f.reimb("2026-01-11", "R1", "CustomerReturn", 1, 1, "13.00", order="O1")
    rows += paid("2026-01-13", "REVERSAL_REIMBURSEMENT", "13.00", 1, "O1")
    f.settle("901", "2025-11-01", "2026-03-30", rows)
    assert history(f, tmp_path) == ["refund_without_return|2025-12-01|1|13.00"]


@pytest.mark.parametrize("is_told", [True, False])
def test_a_payment_for_several_units_of_an_order_is_parted_by_what_it_settles(tmp_path, is_told):
    """Two refunded units worth 12.405, one of them back damaged; both paid with 24.81."""
    f = folder().ret("2026-01-10", "O1", 1, "DAMAGED")
    rows = sale("O1", 1, "2025-11-05", "40.00", fee="6.00", fba="9.19", qty=2)
    rows += refund("O1", 1, "2025-12-01", "40.00", fee="6.00", kept="1.20")
    if is_told:
        f.reimb("2026-02-10", "R1", "CustomerReturn", 1, 2, "12.41", total="24.81", order="O1")
    rows += paid("2026-02-10", "REVERSAL_REIMBURSEMENT", "24.81", 1, "O1", 2)
    f.settle("901", "2025-11-01", "2026-03-30", rows)
    assert findings(f, DAY) == []
    assert history(f, tmp_path) == ["refund_without_return|2025-12-01|1|12.40", "return_unpaid|2025-12-01|1|12.41"]


def test_the_part_of_a_payment_that_was_made_in_stock_is_no_money(tmp_path):
    f = folder().ret("2026-01-10", "O1", 1, "DAMAGED")
    rows = sale("O1", 1, "2025-11-05", "40.00", fee="6.00", fba="8.00", qty=2)
    rows += refund("O1", 1, "2025-12-01", "40.00", fee="6.00", kept="1.20")
    f.reimb("2026-02-10", "R1", "CustomerReturn", 1, 1, "13.00", stock=1, order="O1")
    f.settle("901", "2025-11-01", "2026-03-30", rows + paid("2026-02-10", "REVERSAL_REIMBURSEMENT", "13.00", 1, "O1"))
    assert history(f, tmp_path) == ["refund_without_return|2025-12-01|1|", "return_unpaid|2025-12-01|1|13.00"]


def test_a_unit_returned_sellable_never_put_back_paid_and_taken_back_is_claimed_once():
    f, rows = one_order("SELLABLE")
    f.reimb("2026-02-01", "R1", "CustomerReturn", 1, 1, "13.00", order="O1")
    taken_back(f, "2026-02-20", "V1", 1, "R1", "CustomerReturn", each="13.00")
    rows += paid("2026-02-03", "REVERSAL_REIMBURSEMENT", "13.00", 1, "O1")
    f.settle("901", "2025-11-01", "2026-03-30", rows + paid("2026-02-21", "COMPENSATED_CLAWBACK", "-13.00"))
    assert findings(f, DAY) == ["reimbursement_reversed|claimable|2026-02-20|2026-02-20||O1|V1|S1|1|13.00|13.00"]
    f.led("2026-01-12", 1, 1, event="CustomerReturns", ref="O1")  # put back: rightly taken back
    assert findings(f, DAY) == []


def test_the_evidence_of_a_disposal_quotes_the_orders_that_cover_the_rest():
    f = folder().led("2026-02-10", 1, -3, "D", ref="D1").led("2026-02-11", 1, -1, "D", ref="D2")
    f.removal("2026-02-01", "RO1", 1, asked=1).removal("2026-02-02", "RO2", 1, asked=2, cancelled=1, disp="Unsellable")
    evidence = findings(f, DAY, "disposed_without_order", columns=["reference_id", "evidence"])
    assert evidence[0].startswith(
        "D1|reports/ledger.txt:2, reports/removal-orders.txt:2, reports/removal-orders.txt:3; "
        "3 sellable disposed of − 2 ordered − 0 paid = 1 unit; 1 x 7.20; "
    )
    assert evidence[1].startswith(
        "D2|reports/ledger.txt:3; 1 sellable disposed of − 0 ordered − 0 paid = 1 unit; 1 x 7.20; "
    )


@pytest.mark.parametrize(
    ("audit", "disposition", "words"),
    [
        ("refund_without_return", None, "2 refunded − 0 returned − 0 paid = 2 missing"),
        ("return_unpaid", "DAMAGED", "1 returned damaged − 0 paid = 1 unit"),
        (
            "return_not_restocked",
            "SELLABLE",
            "1 returned sellable − 0 put back − 0 paid = 1 unit, 50 days after the return",
        ),
    ],
)
def test_the_words_of_a_unit_of_an_order_tell_what_it_is_worth(audit, disposition, words):
    f = folder()
    rows = sale("O1", 1, "2026-01-05", "60.00", fee="9.00", fba="12.00", qty=3)
    rows += refund("O1", 1, "2026-01-20", "40.00" if not disposition else "20.00", fee="6.00", kept="1.20")
    if disposition:
        f.ret("2026-02-09", "O1", 1, disposition)
    f.settle("901", "2026-01-01", "2026-03-30", rows)
    (evidence,) = findings(f, DAY, audit, columns=["evidence"])
    units = 1 if disposition else 2
    assert f"; {words}; 60.00 charged − 21.00 fees = 39.00 for 3 units; {units} x 13.00; " in evidence


@pytest.mark.parametrize(
    ("costs", "each", "owed"),
    [
        (("6.00", "5.00"), "5.50", []),  # 11.00 together, which were paid
        (("5.00", "6.00"), "5.00", ["2|0.50|1.00"]),
        (("5.00", "6.01"), "5.00", ["2|0.51|1.01"]),  # 11.01 − 10.00, half up
    ],
)
def test_a_payment_for_units_lost_on_days_of_different_cost_is_held_against_all_of_them(costs, each, owed):
    f = Folder("US").product(1, costs[0]).product(1, costs[1], "2026-02-11")
    f.led("2026-02-10", 1, -1).led("2026-02-11", 1, -1).reimb("2026-02-20", "R1", "Lost_Warehouse", 1, 2, each)
    f.settle("901", "2026-01-01", "2026-03-30", paid("2026-02-22", "WAREHOUSE_LOST", f"{2 * float(each):.2f}", 1))
    assert findings(f, DAY, "reimbursement_underpaid", columns=["quantity", "unit_value", "owed"]) == owed


@pytest.mark.parametrize("sales", [3, 0])  # without a sale the first unit's worth is not known
def test_a_payment_over_the_day_on_which_the_sourcing_cost_began(sales):
    f = folder()
    rows = [line for n in range(sales) for line in sale(f"Z{n}", 1, "2025-02-05", "20.00", fee="3.00", fba="4.00")]
    f.led("2025-03-30", 1, -1).led("2025-03-31", 1, -1)  # worth 13.00 and 7.20
    f.reimb("2025-04-05", "R1", "Lost_Warehouse", 1, 2, "7.20")
    f.settle("901", "2025-01-01", "2025-05-30", rows + paid("2025-04-07", "WAREHOUSE_LOST", "14.40", 1))
    found = ["reimbursement_underpaid|claimable|2025-04-05|2025-04-05|2025-06-04||R1|S1|2|2.90|5.80"]
    assert findings(f, "2025-04-30") == (found if sales else [])


def respelt(how):
    """One account with its settlement's words as `how` writes them."""
    f = Folder()
    for n in range(1, 6):
        f.product(n, "10.00").measured(n, ("16", "1", "1"), "0.2")
    o = "111-000000{}-0000001".format
    rows = sale(o(1), 1, "2026-02-02", "60.00", "9.00", "8.00") + refund(o(1), 1, "2026-02-10", "60.00", "9.00", "3.00")
    rows += sale(o(2), 2, "2026-02-02", "60.00", "12.00", "3.99", ship="5.00", promo="-5.00", wrap="1.00")
    rows += [("Order", o(2), "S2", "ItemFees", "FBAPerOrderFulfillmentFee", "-1.00", "2026-02-02", 1, {})]
    rows += refund(o(2), 2, "2026-02-05", "65.00", "9.60", "2.00") + paid(
        "2026-02-22", "REVERSAL_REIMBURSEMENT", "30.00", 2, o(2)
    )
    rows += other("2026-02-01", "Previous Reserve Amount Balance", "5.00") + other(
        "2026-03-01", "Current Reserve Amount", "-7.00"
    )
    f.settle("901", "2026-02-01", "2026-03-01", [(how(a), b, c, how(d), how(e), *r) for a, b, c, d, e, *r in rows])
    return f


def test_the_words_of_a_settlement_count_however_they_are_spelt():
    """Case, blanks, hyphens and underscores differ between sources; the same charges and refunds are found in all.

    Of 2.85 too much commission 2.28 are due back with the refund, which brought 2.00 less than due: 12.00 − 7.60 paid for 1.83.
    """
    told = findings(respelt(str), "2026-04-20")
    assert told == lines("""
        fulfilment_fee_overcharge|claimable|2026-02-02|2026-02-02|2026-05-03|111-0000001-0000001|901|S1|1|4.01|4.01
        referral_fee_error|claimable|2026-02-02|2026-02-02|2026-05-03|111-0000002-0000001|901|S2|1|0.57|0.57
        refund_exceeds_charge|claimable|2026-02-05|2026-02-05||111-0000002-0000001||S2|||5.00
        refund_fee_kept|claimable|2026-02-05|2026-02-05|2026-05-06|111-0000002-0000001|901|S2|1|2.00|2.00
        refund_fee_kept|claimable|2026-02-10|2026-02-10|2026-05-11|111-0000001-0000001|901|S1|1|1.20|1.20
        refund_without_return|claimable|2026-02-10|2026-04-11|2026-06-10|111-0000001-0000001||S1|1|43.00|43.00
    """)
    apart = re.compile(r"(?<=[a-z])(?=[A-Z])")
    for how in (
        str.upper,
        str.lower,
        lambda w: apart.sub(" ", w),
        lambda w: apart.sub("_", w).lower(),
        lambda w: apart.sub("-", w),
    ):
        assert findings(respelt(how), "2026-04-20") == told
