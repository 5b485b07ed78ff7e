"""Lost, damaged, short, disposed and removed units, from report files to findings: units, days and money worked out by hand."""

from __future__ import annotations

import pytest
from case_folder import Folder, findings, lines, sale

DAY = "2026-03-31"
STOCK = ("warehouse_lost", "warehouse_damaged")
MOVED = ("inbound_shortage", "disposed_without_order", "removal_short")


def folder(market="US", cost="7.20", **more):
    made = Folder(market, **({"cep_enrolled": "true"} if market == "DE" else {}), **more)
    for number in range(1, 40):
        made.product(number, cost)
    return made


def test_losses_finds_and_payments():
    f = folder()
    f.led("2026-03-22", 1, -1, ref="A1").led("2026-03-21", 2, -1, ref="A2")  # 9 and 10 days old
    f.led("2026-01-30", 3, -2, "5", ref="A3").led("2026-01-29", 4, -1, ref="A4")  # 60 and 61 days old
    f.led("2026-02-10", 5, -3, ref="A5").led("2026-02-12", 5, 1, "F").reimb(
        "2026-02-14", "R5", "Lost_Warehouse", 5, 1, "7.20"
    )
    f.led("2026-02-10", 6, -1).led("2026-02-12", 6, 1, "F")  # found later
    f.led("2026-02-10", 7, -1, ref="A7").led("2026-02-09", 7, 1, "F")  # found before: another unit
    f.led("2026-02-10", 8, 1, "F").led("2026-02-10", 8, -1)  # the same day, in whatever order
    # paid in stock and the unit that arrives for it are one credit within 7 days, two after
    f.led("2026-02-10", 9, -1).reimb("2026-02-15", "R9", "Lost_Warehouse", 9, 0, stock=1).led("2026-02-18", 9, 1, "N")
    f.led("2026-02-10", 10, -2, ref="A10").reimb("2026-02-15", "R10", "Lost_Warehouse", 10, 0, stock=1).led(
        "2026-02-22", 10, 1, "N"
    )
    f.led("2026-02-10", 11, -2).reimb("2026-02-15", "R11", "Lost_Warehouse", 11, 0, stock=1).led(
        "2026-02-23", 11, 1, "N"
    )
    f.led("2026-02-10", 12, -2, ref="A12").led("2026-02-13", 12, 1, "N").reimb(
        "2026-02-20", "R12", "Lost_Warehouse", 12, 0, stock=1
    )
    f.led("2026-02-10", 13, -1, ref="A13").reimb(
        "2026-02-15", "R13", "Damaged_Warehouse", 13, 1, "7.20"
    )  # the other reason
    f.led("2026-02-10", 14, -1, ref="A14").led("2026-02-10", 14, -1, ref="A14")  # twins
    f.led("2026-02-10", 15, -2).led("2026-02-12", 15, -2, ref="A15").led(
        "2026-02-20", 15, 3, "F"
    )  # one find, two losses
    f.led("2026-02-10", 16, -1, ref="A16").led("2026-02-12", 16, 1, "F", country="CA")  # found in another country
    f.led("2026-02-10", 17, -1, country="CA").led("2026-02-12", 17, -1, ref="A17").reimb(
        "2026-02-20", "R17", "Lost_Warehouse", 17, 1, "7.20"
    )
    f.led("2026-02-10", 18, -1, "Q").led("2026-02-10", 18, 1, "P").led("2026-02-11", 18, -1, "O").led(
        "2026-02-11", 18, -1, "G"
    )
    f.led("2026-02-10", 19, -1).reimb("2026-02-15", "R19", "Lost_warehouse", 19, 1, "7.20")
    f.led("2026-02-10", 50, -1, ref="A50")  # cost unknown
    f.product(51, "5.00", "2025-01-01").product(51, "6.00", "2026-02-10").led("2026-02-09", 51, -1, ref="A51").led(
        "2026-02-10", 51, -1, ref="B51"
    )
    assert findings(f, DAY, *STOCK) == lines("""
        warehouse_lost|waiting|2026-03-22|2026-03-22|2026-05-21||A1|S1|1|7.20|7.20
        warehouse_lost|claimable|2026-03-21|2026-03-21|2026-05-20||A2|S2|1|7.20|7.20
        warehouse_lost|claimable|2026-01-30|2026-01-30|2026-03-31||A3|S3|2|7.20|14.40
        warehouse_lost|expired|2026-01-29|2026-01-29|2026-03-30||A4|S4|1|7.20|7.20
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A5|S5|1|7.20|7.20
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A7|S7|1|7.20|7.20
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A10|S10|1|7.20|7.20
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A12|S12|1|7.20|7.20
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A13|S13|1|7.20|7.20
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A14|S14|1|7.20|7.20
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A14|S14|1|7.20|7.20
        warehouse_lost|claimable|2026-02-12|2026-02-12|2026-04-13||A15|S15|1|7.20|7.20
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A16|S16|1|7.20|7.20
        warehouse_lost|claimable|2026-02-12|2026-02-12|2026-04-13||A17|S17|1|7.20|7.20
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A50|S50|1||
        warehouse_lost|claimable|2026-02-09|2026-02-09|2026-04-10||A51|S51|1|5.00|5.00
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||B51|S51|1|6.00|6.00
    """)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("columns", [14, 15, 16])
@pytest.mark.parametrize("paid", ["2026-02-15", "2025-06-15"])
def test_a_quiet_report_proves_nothing_missing(full, columns, paid):
    f = folder()
    f.full, f.columns = full, columns
    f.led("2026-02-10", 1, -1, ref="A1").reimb(paid, "R2", "Lost_Warehouse", 2, 1, "7.20")
    assert findings(f, DAY, *STOCK) == ["warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A1|S1|1|7.20|7.20"]


def test_without_a_reimbursement_report_a_loss_waits():
    f = folder()
    f.full = False
    f.led("2026-02-10", 1, -1, ref="A1")
    assert findings(f, DAY, *STOCK) == ["warehouse_lost|waiting|2026-02-10|2026-02-10|2026-04-11||A1|S1|1|7.20|7.20"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # eighteen months, lost units wait 30 days, damaged ones do not; no sale in 18 months: value unknown
        ("2024-10-22", """
            warehouse_lost|claimable|2024-09-22|2024-09-22|2026-03-22||A1|S1|1||
            warehouse_lost|waiting|2024-09-23|2024-09-23|2026-03-23||A2|S2|1||
            warehouse_lost|claimable|2023-04-22|2023-04-22|2024-10-22||A3|S3|1||
            warehouse_lost|expired|2023-04-21|2023-04-21|2024-10-21||A4|S4|1||
            warehouse_damaged|claimable|2024-10-20|2024-10-20|2026-04-20||A5|S5|1||"""),
        ("2024-10-23", """
            warehouse_lost|claimable|2024-09-22|2024-09-22|2024-11-21||A1|S1|1||
            warehouse_lost|claimable|2024-09-23|2024-09-23|2024-11-22||A2|S2|1||
            warehouse_lost|expired|2023-04-22|2023-04-22|2023-06-21||A3|S3|1||
            warehouse_lost|expired|2023-04-21|2023-04-21|2023-06-20||A4|S4|1||
            warehouse_damaged|claimable|2024-10-20|2024-10-20|2024-12-19||A5|S5|1||"""),
    ],
)  # fmt: skip
def test_the_window_of_the_filing_day(day, expected):
    f = folder().led("2024-09-22", 1, -1, ref="A1").led("2024-09-23", 2, -1, ref="A2")
    f.led("2023-04-22", 3, -1, ref="A3").led("2023-04-21", 4, -1, ref="A4").led("2024-10-20", 5, -1, "E", ref="A5")
    assert findings(f, day, *STOCK) == lines(expected)


def test_automatic_payment_from_november_2024():
    f = folder().led("2024-10-22", 1, -1, ref="A1").led("2024-10-23", 2, -1, ref="A2")
    f.led("2024-10-22", 3, -1, "E", ref="A3").led("2024-10-23", 4, -1, "E", ref="A4")
    told = {day: [row.split("|")[1] for row in findings(f, day, *STOCK)] for day in ("2024-10-31", "2024-11-01")}
    # damaged, damaged, lost, lost, by name and state: before, lost units wait 30 days; then everything waits 10
    assert told == {
        "2024-10-31": ["claimable", "claimable", "waiting", "waiting"],
        "2024-11-01": ["claimable", "waiting", "claimable", "waiting"],
    }


@pytest.mark.parametrize(("market", "last"), [("US", "2025-03-30"), ("UK", "2025-03-30"), ("DE", "2025-03-09")])
def test_the_sourcing_cost_holds_from_its_day(market, last):
    first = {"2025-03-30": "2025-03-31", "2025-03-09": "2025-03-10"}[last]
    f = folder(market).led(last, 1, -1, ref="A1").led(first, 2, -1, ref="A2")
    assert [row.split("|")[6:] for row in findings(f, "2025-04-20", *STOCK)] == [
        ["A1", "S1", "1", "", ""],
        ["A2", "S2", "1", "7.20", "7.20"],
    ]


def test_estimated_proceeds_are_medians_of_the_sales_before():
    rows = []
    for number, (price, commission, fee) in enumerate(
        [("20.00", "3.00", "4.00"), ("22.00", "3.30", "4.00"), ("30.00", "4.50", "5.00")]
    ):
        rows += sale(f"111-000000{number}-0000000", 1, "2025-01-10", price, commission, fee)
    rows += sale("111-0000009-0000000", 1, "2025-01-11", "44.00", "6.60", "8.00", qty=2)
    f = (
        folder()
        .settle("901", "2025-01-01", "2025-01-15", rows)
        .led("2025-02-20", 1, -2, ref="A1")
        .led("2025-01-05", 1, -1, ref="A0")
    )
    # 22.00 − 3.30 − 4.00
    assert findings(f, "2025-03-20", *STOCK) == lines("""
        warehouse_lost|claimable|2025-02-20|2025-02-20|2025-04-21||A1|S1|2|14.70|29.40
        warehouse_lost|expired|2025-01-05|2025-01-05|2025-03-06||A0|S1|1||
    """)


def test_a_value_that_is_not_above_zero_is_unknown():
    # 3.00 less 0.45 and 3.22 is 0.67 below zero; a cost of 0 is one that nobody filled in
    sold = sale("111-0000001-0000001", 1, "2025-02-05", "3.00", "0.45", "3.22")
    f = Folder().settle("901", "2025-02-01", "2025-03-25", sold).led("2025-03-20", 1, -2)
    told = ["audit", "status", "unit_value", "owed", "reason"]
    why = "value unknown: the median price less its fees is not above zero"
    assert findings(f, "2025-04-05", *STOCK, columns=told) == [f"warehouse_lost|claimable|||{why}"]
    (evidence,) = findings(f, "2025-04-05", *STOCK, columns=["evidence"])
    assert "median of 1 sale: price 3.00, commission -0.45, fulfilment -3.22" in evidence
    f = Folder().product(1, "0.00").led("2026-03-01", 1, -2)
    why = "value unknown: the unit cost in the products file is 0"
    assert findings(f, "2026-03-20", *STOCK, columns=told) == [f"warehouse_lost|claimable|||{why}"]


def test_damaged_units():
    f = (
        folder()
        .led("2026-02-10", 1, -2, "E", ref="E1")
        .led("2026-02-10", 1, 2, "P", disp="WAREHOUSE_DAMAGED", ref="E1")
    )
    f.reimb("2026-02-14", "R1", "Damaged_Warehouse", 1, 1, "7.20")
    f.led("2026-02-10", 2, -1, "E", ref="E2").reimb("2026-02-14", "R2", "Lost_Warehouse", 2, 1, "7.20")
    f.led("2026-02-10", 3, -1, "E", ref="E3").led("2026-02-12", 3, 1, "F")  # a find repairs nothing
    f.led("2026-02-10", 4, -1, "E").reimb("2026-02-10", "R4", "Damaged_Warehouse", 4, 0, stock=1)
    f.led("2026-02-10", 5, -1, "E", ref="E5").reimb("2026-02-09", "R5", "Damaged_Warehouse", 5, 1, "7.20")
    for number, code in enumerate("67HKU", 10):
        f.led("2026-02-10", number, -1, code, ref=f"E{number}", disp="DEFECTIVE")
    claims = [
        f"warehouse_damaged|claimable|2026-02-10|2026-02-10|2026-04-11||E{n}|S{n}|1|7.20|7.20" for n in (1, 2, 3, 5)
    ]
    reviews = [f"warehouse_damaged|review|2026-02-10||||E{n}|S{n}|1||" for n in range(10, 15)]
    assert findings(f, DAY, *STOCK) == sorted(claims + reviews)


@pytest.mark.parametrize("market", ["UK", "DE"])
def test_european_losses(market):
    f = folder(market).led("2026-02-10", 1, -1, ref="A1").led("2026-03-25", 2, -1, ref="A2").led("2026-02-12", 3, -1)
    f.reimb("2026-02-14", "R3", "Lost_Warehouse", 3, 1, "7.20").led("2026-02-10", 4, -1, ref="A4", country="FR").led(
        "2026-02-11", 4, 1, "F"
    )
    assert findings(f, DAY, *STOCK) == lines("""
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A1|S1|1|7.20|7.20
        warehouse_lost|waiting|2026-03-25|2026-03-25|2026-05-24||A2|S2|1|7.20|7.20
        warehouse_lost|claimable|2026-02-10|2026-02-10|2026-04-11||A4|S4|1|7.20|7.20
    """)


def test_inbound_shortages():
    f = folder().inbound("FBA1", 1, 10, 8, "2026-02-01")
    f.inbound("FBA2", 2, 10, 8, "2026-02-01").led(
        "2026-01-20", 2, 9, event="Receipts", ref="FBA2"
    )  # the ledger saw more
    f.inbound("FBA3", 3, 10, 8, "2026-02-01").led("2026-01-20", 3, 6, event="Receipts", ref="FBA3").led(
        "2026-01-22", 3, 4, event="Receipts", ref="FBA3"
    )
    f.inbound("FBA4", 4, 10, 12, "2026-02-01").inbound("FBA6", 6, 10, 8, status="RECEIVING")
    f.inbound("FBA5", 5, 10, 8, "2026-02-01").reimb(
        "2026-01-25", "R5", "Lost_Inbound", 5, 1, "7.20"
    )  # paid before it closed
    f.inbound("FBA7", 7, 10, 9, "2026-01-05").inbound("FBA7b", 7, 10, 7, "2026-02-05")
    f.reimb("2026-02-20", "R7", "Lost_Inbound", 7, 1, "7.20").reimb(
        "2026-02-21", "R7b", "Damaged_Inbound", 7, 1, "7.20"
    )
    f.inbound("FBA8", 8, 10, 9, "2025-06-30").inbound("FBA9", 9, 10, 9, "2025-07-01")  # nine calendar months
    f.inbound("FBA12", 12, 10, 8, "2026-02-01").reimb("2026-02-20", "R12", "Lost_Warehouse", 12, 1, "7.20")
    f.inbound("FBA13", 13, 10, 8, "2026-02-01").inbound("FBA13", 14, 5, 5, "2026-02-01").reimb(
        "2026-02-20", "R13", "Lost_Inbound", 13, 0, stock=2
    )
    assert findings(f, DAY, *MOVED) == lines("""
        inbound_shortage|claimable|2026-02-01|2026-02-01|2026-11-01||FBA1|S1|2|7.20|14.40
        inbound_shortage|claimable|2026-02-01|2026-02-01|2026-11-01||FBA2|S2|1|7.20|7.20
        inbound_shortage|claimable|2026-02-01|2026-02-01|2026-11-01||FBA5|S5|1|7.20|7.20
        inbound_shortage|claimable|2026-02-05|2026-02-05|2026-11-05||FBA7b|S7|2|7.20|14.40
        inbound_shortage|expired|2025-06-30|2025-06-30|2026-03-30||FBA8|S8|1|7.20|7.20
        inbound_shortage|claimable|2025-07-01|2025-07-01|2026-04-01||FBA9|S9|1|7.20|7.20
        inbound_shortage|claimable|2026-02-01|2026-02-01|2026-11-01||FBA12|S12|2|7.20|14.40
    """)
    f = folder("UK").inbound("FBA2", 2, 10, 8, "2025-09-30").inbound("FBA3", 3, 10, 8, "2025-10-01")  # six months
    assert [row.split("|")[1:5] for row in findings(f, DAY, *MOVED)] == [
        ["claimable", "2025-10-01", "2025-10-01", "2026-04-01"], ["expired", "2025-09-30", "2025-09-30", "2026-03-30"],
    ]  # fmt: skip


def test_disposals():
    f = folder().led("2026-02-10", 1, -2, "D", ref="D1")
    f.led("2026-02-10", 2, -2, "D").removal("2026-02-01", "RO2", 2, asked=2, disposed=2)
    f.led("2026-02-10", 3, -2, "D", ref="D3").removal("2026-02-01", "RO3", 3, asked=2, cancelled=1, disposed=1)
    f.led("2026-02-10", 4, -2, "D", ref="D4").removal("2026-02-11", "RO4", 4, asked=2, disposed=2)  # ordered afterwards
    f.led("2026-02-10", 5, -2, "D").removal("2026-02-10", "RO5", 5, asked=2, disposed=2)
    f.led("2026-02-10", 6, -2, "D", ref="D6").removal("2026-02-01", "RO6", 6, kind="Return", asked=2, shipped=2)
    f.led("2026-02-10", 7, -2, "D", ref="D7").removal("2026-02-01", "RO7", 7, kind="Liquidations", asked=2, shipped=2)
    f.led("2026-02-10", 8, -2, "D", disp="DEFECTIVE")
    f.led("2026-02-10", 9, -1, "D").led("2026-02-12", 9, -2, "D", ref="D9").removal(
        "2026-02-01", "RO9", 9, asked=2, disposed=2
    )
    f.led("2026-03-25", 10, -1, "D", ref="D10").led("2026-01-30", 11, -1, "D", ref="D11").led(
        "2026-01-29", 12, -1, "D", ref="D12"
    )
    assert findings(f, DAY, *MOVED) == lines("""
        disposed_without_order|claimable|2026-02-10|2026-02-10|2026-04-11||D1|S1|2|7.20|14.40
        disposed_without_order|claimable|2026-02-10|2026-02-10|2026-04-11||D3|S3|1|7.20|7.20
        disposed_without_order|claimable|2026-02-10|2026-02-10|2026-04-11||D4|S4|2|7.20|14.40
        disposed_without_order|claimable|2026-02-10|2026-02-10|2026-04-11||D6|S6|2|7.20|14.40
        disposed_without_order|claimable|2026-02-10|2026-02-10|2026-04-11||D7|S7|2|7.20|14.40
        disposed_without_order|claimable|2026-02-12|2026-02-12|2026-04-13||D9|S9|1|7.20|7.20
        disposed_without_order|claimable|2026-03-25|2026-03-25|2026-05-24||D10|S10|1|7.20|7.20
        disposed_without_order|claimable|2026-01-30|2026-01-30|2026-03-31||D11|S11|1|7.20|7.20
        disposed_without_order|expired|2026-01-29|2026-01-29|2026-03-30||D12|S12|1|7.20|7.20
    """)


def test_removals_that_arrive_short():
    f = (
        folder()
        .shipped("2026-02-10", "RO1", 1, 5, "T1")
        .received("2026-02-18", "RO1", 1, 3, "T1")
        .shipped("2026-02-10", "RO2", 2, 5, "T2")
    )
    f.shipped("2026-02-10", "RO3", 3, 5, "T3").received("2026-02-18", "RO3", 3, 2, "T3").received(
        "2026-02-19", "RO3", 3, 3, "T3"
    )
    f.shipped("2026-02-10", "RO4", 4, 5, "T4", kind="Liquidations").shipped(
        "2026-02-10", "RO5", 5, 5, "T5", kind="Disposal"
    )
    f.shipped("2026-03-16", "RO6", 6, 1, "T6").shipped("2026-03-17", "RO7", 7, 1, "T7")  # 15 and 14 days
    f.shipped("2026-01-15", "RO8", 8, 1, "T8").shipped("2026-01-14", "RO9", 9, 1, "T9")  # 75 and 76 days
    f.shipped("2026-02-10", "RO10", 10, 2, "Ta").shipped("2026-02-12", "RO10", 10, 2, "Tb")
    f.received("2026-02-18", "RO10", 10, 2, "Ta").received("2026-02-19", "RO10", 10, 1, "Tb")
    f.shipped("2026-02-10", "RO11", 11, 2, "T11").reimb("2026-03-01", "R11", "REMOVAL_ORDER_LOST", 11, 1, "7.20")
    f.shipped("2026-02-10", "RO13", 13, 2, "T13").reimb(
        "2026-03-01", "R13", "Lost_Outbound", 13, 2, "7.20", order="RO13"
    )
    assert findings(f, DAY, *MOVED) == lines("""
        removal_short|claimable|2026-02-10|2026-02-25|2026-04-26||RO1|S1|2|7.20|14.40
        removal_short|claimable|2026-02-10|2026-02-25|2026-04-26||RO2|S2|5|7.20|36.00
        removal_short|claimable|2026-03-16|2026-03-31|2026-05-30||RO6|S6|1|7.20|7.20
        removal_short|waiting|2026-03-17|2026-04-01|2026-05-31||RO7|S7|1|7.20|7.20
        removal_short|claimable|2026-01-15|2026-01-30|2026-03-31||RO8|S8|1|7.20|7.20
        removal_short|expired|2026-01-14|2026-01-29|2026-03-30||RO9|S9|1|7.20|7.20
        removal_short|claimable|2026-02-12|2026-02-27|2026-04-28||RO10|S10|1|7.20|7.20
        removal_short|claimable|2026-02-10|2026-02-25|2026-04-26||RO11|S11|1|7.20|7.20
    """)


@pytest.mark.parametrize(
    ("day", "state"),
    [
        ("2024-10-14", "waiting|2024-10-01|2024-10-15|2026-04-01"),
        ("2024-10-15", "claimable|2024-10-01|2024-10-15|2026-04-01"),
        ("2024-10-23", "claimable|2024-10-01|2024-10-16|2024-12-15"),
    ],
)
def test_removal_windows_before_and_after(day, state):
    f = folder().shipped("2024-10-01", "RO1", 1, 5, "T1").received("2024-10-05", "RO1", 1, 3, "T1")
    assert findings(f, day, *MOVED) == [f"removal_short|{state}||RO1|S1|2||"]
