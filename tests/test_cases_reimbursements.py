"""Reimbursements themselves, from report files to findings; a unit costs 10.00, a sold one is worth 60.00 − 9.63 − 7.71 = 42.66."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from case_folder import Folder, findings, lines, paid, refund, sale

from recon_lib.books import open_account
from recon_lib.reconcile import reconcile

DAY = "2026-03-31"
AUDITS = ("reimbursement_underpaid", "reimbursement_not_settled", "reimbursement_reversed", "reimbursement_twice")
LOST, BACK = "WAREHOUSE_LOST", "REVERSAL_REIMBURSEMENT"


def o(number):
    return f"111-{number:07d}-0000001"


def folder():
    f = Folder()
    for number in range(1, 40):
        f.product(number, "10.00", category="Unknown")
    return f


def lost(f, n, each, *, units=1, on="2026-02-15", day="2026-02-10", stock=0):
    """A loss paid in cash, and its settlement lines."""
    f.led(day, n, -units - stock).reimb(on, f"R{n}", "Lost_Warehouse", n, units, each, stock=stock)
    return paid(on, LOST, units * float(each), n, qty=units)


def sold(n, units=1):
    price, fee, fba = f"{60 * units}.00", f"{9.63 * units:.2f}", f"{7.71 * units:.2f}"
    return sale(o(n), n, "2026-01-02", price, fee, fba, qty=units) + refund(
        o(n), n, "2026-01-10", price, fee, f"{1.93 * units:.2f}"
    )


def test_paid_too_little():
    f = folder()
    rows = lost(f, 1, "8.00") + lost(f, 2, "9.80") + lost(f, 3, "9.79")  # 2 % are tolerated
    rows += lost(f, 4, "7.50", units=2, stock=1)
    rows += lost(f, 7, "8.00", on="2026-01-30", day="2026-01-20") + lost(
        f, 8, "8.00", on="2026-01-29", day="2026-01-20"
    )  # 60, 61 days
    rows += lost(f, 11, "12.00")
    f.led("2026-02-10", 5, -1).reimb("2026-02-15", "R5", "Lost_Warehouse", 5, 0, stock=1)
    f.led("2026-02-10", 6, -1, "E").reimb("2026-02-15", "R6", "Damaged_Warehouse", 6, 1, "6.00")
    f.inbound("FBA13", 13, 10, 9, "2026-02-01").reimb("2026-02-15", "R13", "Lost_Inbound", 13, 1, "5.00")
    rows += paid("2026-02-17", "WAREHOUSE_DAMAGE", "6.00", 6) + paid("2026-02-17", "MISSING_FROM_INBOUND", "5.00", 13)
    for n, each in ((9, "40.00"), (10, "42.66")):
        rows += sold(n) + paid("2026-02-22", BACK, each, n, o(n))
        f.reimb("2026-02-20", f"R{n}", "CustomerReturn", n, 1, each, order=o(n))
    f.rows["products"] = [row for row in f.rows["products"] if row["sku"] != "S12"]
    f.product(12, "10.00", "2025-01-01", "Unknown").product(
        12, "20.00", "2026-02-12", "Unknown"
    )  # the cost of the loss day holds
    rows += lost(f, 12, "10.00") + lost(f, 61, "1.00")  # no cost known
    f.reimb("2026-02-15", "R14", "GeneralAdjustment", 14, 1, "1.00").reimb(
        "2026-02-15", "R15", "Fee_Correction", 15, 1, "1.00"
    )
    rows += paid("2026-02-17", "RE_EVALUATION", "1.00", 14) + paid("2026-02-17", "INCORRECT_FEES_ITEMS", "1.00", 15)
    f.settle("901", "2026-01-01", "2026-03-25", rows)
    assert findings(f, DAY, *AUDITS) == lines(f"""
        reimbursement_underpaid|claimable|2026-02-15|2026-02-15|2026-04-16||R1|S1|1|2.00|2.00
        reimbursement_underpaid|claimable|2026-02-15|2026-02-15|2026-04-16||R3|S3|1|0.21|0.21
        reimbursement_underpaid|claimable|2026-02-15|2026-02-15|2026-04-16||R4|S4|2|2.50|5.00
        reimbursement_underpaid|claimable|2026-02-15|2026-02-15|2026-04-16||R6|S6|1|4.00|4.00
        reimbursement_underpaid|claimable|2026-01-30|2026-01-30|2026-03-31||R7|S7|1|2.00|2.00
        reimbursement_underpaid|expired|2026-01-29|2026-01-29|2026-03-30||R8|S8|1|2.00|2.00
        reimbursement_underpaid|claimable|2026-02-20|2026-02-20|2026-04-21|{o(9)}|R9|S9|1|2.66|2.66
        reimbursement_underpaid|claimable|2026-02-15|2026-02-15|2026-04-16||R13|S13|1|5.00|5.00
    """)


def test_a_unit_of_a_larger_order_is_worth_its_share_of_the_order():
    """Three sold for 180.00 − 28.89 − 23.13 = 127.98, so each is worth 42.66, however many of them a row pays."""
    f = folder()
    rows = sold(1, units=3) + sold(2, units=3) + sold(3, units=2) + sold(4, units=2)
    rows += paid("2026-02-22", BACK, "85.32", 1, o(1), qty=2) + paid("2026-02-22", BACK, "80.00", 2, o(2), qty=2)
    for n in (3, 4):
        rows += paid("2026-02-22", BACK, "42.66", n, o(n)) + paid("2026-02-23", BACK, "30.00", n, o(n))
    f.reimb("2026-02-20", "R1", "CustomerReturn", 1, 2, "42.66", order=o(1))
    f.reimb("2026-02-20", "R2", "CustomerReturn", 2, 2, "40.00", order=o(2))
    f.reimb("2026-02-20", "R3a", "CustomerReturn", 3, 1, "42.66", order=o(3))
    f.reimb("2026-02-21", "R3b", "CustomerReturn", 3, 1, "30.00", order=o(3))
    f.reimb("2026-02-20", "R4a", "CustomerReturn", 4, 1, "42.66", order=o(4))
    f.reimb("2026-02-21", "R4b", "CustomerServiceIssue", 4, 1, "30.00", order=o(4))
    f.settle("1", "2026-01-01", "2026-03-30", rows)
    assert findings(f, DAY, *AUDITS) == lines(f"""
        reimbursement_underpaid|claimable|2026-02-20|2026-02-20|2026-04-21|{o(2)}|R2|S2|2|2.66|5.32
        reimbursement_underpaid|claimable|2026-02-21|2026-02-21|2026-04-22|{o(3)}|R3b|S3|1|12.66|12.66
        reimbursement_underpaid|claimable|2026-02-21|2026-02-21|2026-04-22|{o(4)}|R4b|S4|1|12.66|12.66
    """)


def test_the_refunded_item_of_two_prices_is_what_was_worth_paying():
    """One SKU twice in an order: 60.00 − 9.63 − 7.71 = 42.66 and 30.00 − 4.83 − 7.71 = 17.46; only one item is refunded."""
    f = folder()
    rows = []
    for n, item, price, fee in ((1, "B", "30.00", "4.83"), (2, "A", "60.00", "9.63")):
        rows += sale(o(n), n, "2026-01-02", "60.00", "9.63", "7.71", **{"order-item-code": "A"})
        rows += sale(o(n), n, "2026-01-02", "30.00", "4.83", "7.71", **{"order-item-code": "B"})
        rows += refund(o(n), n, "2026-01-10", price, fee, "0.97", **{"order-item-code": item})
        rows += paid("2026-02-22", BACK, "17.46", n, o(n))
        f.reimb("2026-02-20", f"R{n}", "CustomerReturn", n, 1, "17.46", order=o(n))
    f.settle("1", "2026-01-01", "2026-03-30", rows)
    assert findings(f, DAY, *AUDITS) == lines(f"""
        reimbursement_underpaid|claimable|2026-02-20|2026-02-20|2026-04-21|{o(2)}|R2|S2|1|25.20|25.20
    """)


def test_not_settled():
    f = folder()
    for n, on, units in (
        (1, "2026-03-09", 1),
        (2, "2026-03-10", 1),
        (3, "2026-02-15", 1),
        (4, "2026-02-15", 3),
        (5, "2026-02-15", 3),
        (12, "2026-02-15", 1),
    ):
        lost(f, n, "10.00", units=units, on=on, day="2026-01-05")  # 22 and 21 days ago, and longer
    f.led("2026-01-05", 6, -2).reimb("2026-02-15", "R6a", "Lost_Warehouse", 6).reimb(
        "2026-02-15", "R6b", "Lost_Warehouse", 6
    )
    f.led("2026-01-05", 11, -1).reimb("2026-02-15", "R11", "Lost_Warehouse", 11, 0, stock=1)
    rows = paid("2026-02-17", LOST, "10.00", 3) + 3 * paid("2026-02-17", LOST, "10.00", 4)  # whole, split
    rows += 2 * paid("2026-02-17", LOST, "10.00", 5) + paid(
        "2026-02-17", LOST, "20.00", 6, qty=2
    )  # in part, two at once
    rows += paid("2026-02-17", LOST, "9.00", 12)
    for n, reason, code in (
        (8, "CustomerReturn", None),
        (9, "CustomerReturn", BACK),
        (10, "CustomerServiceIssue", "CS_ERROR_ITEMS"),
    ):
        f.reimb("2026-02-15", f"R{n}", reason, n, 1, "42.66", order=o(n))
        rows += paid("2026-02-17", code, "42.66", n, o(n)) if code else []
    f.settle("901", "2026-01-01", "2026-03-25", rows)
    assert findings(f, DAY, *AUDITS) == lines(f"""
        reimbursement_not_settled|claimable|2026-03-09|2026-03-09|||R1|S1|1||10.00
        reimbursement_not_settled|claimable|2026-02-15|2026-02-15|||R5|S5|3||10.00
        reimbursement_not_settled|claimable|2026-02-15|2026-02-15|||R12|S12|1||1.00
        reimbursement_not_settled|claimable|2026-02-15|2026-02-15||{o(8)}|R8|S8|1||42.66
    """)


def taken(f, n, *, units=1, stock=0, amount="-10.00", found=True):
    name = {"sku": f"Amazon.Found.B{n}", "fnsku": f"B{n}"} if found else {}
    return f.reimb(
        "2026-02-15",
        f"V{n}",
        "Reimbursement_Reversal",
        n,
        -units,
        "-10.00",
        stock=stock,
        orig=f"R{n}",
        orig_type="Lost_Warehouse",
        total=amount,
        **name,
    )


def test_taken_back():
    f = folder()
    taken(f, 1)
    taken(f, 2, stock=1)
    taken(f, 3).led("2026-02-13", 3, 1, "F")
    rows = lost(f, 4, "10.00", on="2026-01-10", day="2026-01-05")  # the loss stays settled: the reversal is the claim
    taken(f, 4, found=False)
    taken(f, 5, units=2, stock=1, amount="-20.00")
    f.settle("901", "2026-01-01", "2026-03-25", rows)
    assert findings(f, DAY, *AUDITS, "warehouse_lost") == lines("""
        reimbursement_reversed|claimable|2026-02-15|2026-02-15|||V1|Amazon.Found.B1|1|10.00|10.00
        reimbursement_reversed|claimable|2026-02-15|2026-02-15|||V4|S4|1|10.00|10.00
        reimbursement_reversed|claimable|2026-02-15|2026-02-15|||V5|Amazon.Found.B5|1|10.00|10.00
    """)


def test_a_unit_found_just_before_a_reversal_is_not_that_of_an_earlier_one_given_back_in_stock():
    """Three lost and paid. One taken back with a unit in stock on the 8th, one on the 17th for the unit found on the 15th."""
    f = folder().led("2026-01-20", 1, -3, ref="A1").reimb("2026-01-22", "R1", "Lost_Warehouse", 1, 3, "10.00")
    name = {"orig": "R1", "orig_type": "Lost_Warehouse", "sku": "Amazon.Found.B1", "fnsku": "B1", "total": "-10.00"}
    f.reimb("2026-02-08", "V1", "Reimbursement_Reversal", 1, -1, "-10.00", stock=1, **name)
    f.led("2026-02-15", 1, 1, "F").reimb("2026-02-17", "V2", "Reimbursement_Reversal", 1, -1, "-10.00", **name)
    f.settle("901", "2026-01-01", "2026-03-25", paid("2026-01-24", LOST, "30.00", 1))
    assert findings(f, DAY, *AUDITS) == []
    f.reimb("2026-02-19", "V3", "Reimbursement_Reversal", 1, -1, "-10.00", **name)  # for which no unit is there
    told = "reimbursement_reversed|claimable|2026-02-19|2026-02-19|||V3|S1|1|10.00|10.00"
    assert findings(f, DAY, *AUDITS) == [told]


def test_a_reversal_that_has_its_own_found_unit_takes_none_from_one_given_back_in_stock():
    """Three lost, two paid and both taken back: one with a unit in stock (the N of the 11th), one for the F of the 12th.
    Two came back, no money was kept: one unit is owed."""
    f = folder().led("2026-01-20", 1, -3, ref="A1").reimb("2026-01-22", "R1", "Lost_Warehouse", 1, 2, "10.00")
    name = {"orig": "R1", "orig_type": "Lost_Warehouse", "sku": "Amazon.Found.B1", "fnsku": "B1", "total": "-10.00"}
    f.reimb("2026-02-08", "V1", "Reimbursement_Reversal", 1, -1, "-10.00", stock=1, **name)
    f.reimb("2026-02-12", "V2", "Reimbursement_Reversal", 1, -1, "-10.00", **name)
    f.led("2026-02-11", 1, 1, "N", ref="A2").led("2026-02-12", 1, 1, "F", ref="A3")
    f.settle("901", "2026-01-01", "2026-03-25", paid("2026-01-24", LOST, "20.00", 1))
    told = "reimbursement_reversed|claimable|2026-02-12|2026-02-12|||V2|S1|1|10.00|10.00"
    assert findings(f, DAY, *AUDITS, "warehouse_lost") == [told]


@pytest.mark.parametrize("told", ["CustomerReturn", ""])
def test_a_payment_for_an_order_taken_back_takes_no_found_unit_from_one_given_back_in_stock(told):
    """Two lost, one paid and taken back with a unit in stock (the F of the 11th): the other is owed. The unit of the order
    came back and was restocked: taking that payment back the day after was right."""
    f = folder().led("2026-01-20", 1, -2, ref="A1").reimb("2026-01-22", "R1", "Lost_Warehouse", 1, 1, "10.00")
    f.reimb("2026-01-10", "R2", "CustomerReturn", 1, 1, "42.66", order=o(1))
    f.ret("2026-02-08", o(1), 1).led("2026-02-09", 1, 1, event="CustomerReturns", ref=o(1))
    name = {"sku": "Amazon.Found.B1", "fnsku": "B1"}
    f.reimb(
        "2026-02-08", "V1", "Reimbursement_Reversal", 1, -1, "-10.00", orig="R1", orig_type="Lost_Warehouse", stock=1,
        total="-10.00", **name,
    )  # fmt: skip
    f.led("2026-02-11", 1, 1, "F", ref="A2")
    f.reimb(
        "2026-02-12", "V2", "Reimbursement_Reversal", 1, -1, "-42.66", orig="R2", orig_type=told, total="-42.66", **name
    )
    f.settle("901", "2026-01-01", "2026-03-25", paid("2026-01-24", LOST, "10.00", 1))
    found = findings(f, "2026-03-10", "reimbursement_reversed", "warehouse_lost")
    assert found == ["warehouse_lost|claimable|2026-01-20|2026-01-20|2026-03-21||A1|S1|1|10.00|10.00"]


def reversed_orders(full=True):
    """Three refunds before the first settlement, paid back on 10 January and taken back on 15 February. In between one unit
    came back and went into stock, one came back damaged, one did not come back."""
    f = folder()
    f.full = full
    for n in (1, 2, 3):
        f.reimb("2026-01-10", f"R{n}", "CustomerReturn", n, 1, "42.66", order=o(n))
        f.reimb(
            "2026-02-15", f"V{n}", "Reimbursement_Reversal", n, -1, "-42.66", orig=f"R{n}", orig_type="CustomerReturn",
            sku=f"Amazon.Found.B{n}", fnsku=f"B{n}", total="-42.66",
        )  # fmt: skip
    f.led("2026-02-11", 1, 1, event="CustomerReturns", ref=o(1))
    return f


def test_a_unit_that_came_back_was_rightly_taken_back_also_where_no_settlement_tells_the_refund():
    f = reversed_orders().ret("2026-02-10", o(1), 1).ret("2026-02-10", o(2), 2, "DAMAGED")
    head = "reimbursement_reversed|claimable|2026-02-15|2026-02-15|"
    assert findings(f, DAY, "reimbursement_reversed") == [f"{head}|{o(n)}|V{n}|S{n}|1|42.66|42.66" for n in (2, 3)]


def test_without_the_returns_what_was_taken_back_of_a_refund_waits():
    found = findings(reversed_orders(full=False), DAY, "reimbursement_reversed", columns=["status", "reason"])
    assert set(found) == {"waiting|report missing: customer returns"}


def test_paid_twice():
    f, rows = folder(), []
    for n, units in ((1, 1), (2, 2)):  # two payments for one unit, and for two
        rows += (
            sold(n, units)
            + paid("2026-02-12", "CS_ERROR_ITEMS", "42.66", n, o(n))
            + paid("2026-02-20", BACK, "42.66", n, o(n))
        )
        f.reimb("2026-02-10", f"R{n}a", "CustomerServiceIssue", n, 1, "42.66", order=o(n))
        f.reimb("2026-02-18", f"R{n}b", "CustomerReturn", n, 1, "42.66", order=o(n))
    f.settle("901", "2026-01-01", "2026-03-25", rows)
    assert findings(f, DAY, *AUDITS, "refund_without_return") == [
        f"reimbursement_twice|review|2026-02-18|||{o(1)}||S1|1||"
    ]


def mixed():
    """A little of everything."""
    f = folder()
    f.led("2026-02-10", 1, -3, ref="A1").led("2026-02-12", 1, 2, "F").led("2026-02-11", 2, -1, "E", ref="A2")
    f.led("2026-02-20", 3, -2, "D", ref="D3").removal("2026-02-01", "RO3", 3, asked=1, disposed=1)
    f.inbound("FBA4", 4, 10, 8, "2026-02-01").reimb("2026-02-20", "R4", "Lost_Inbound", 4, 1, "5.00")
    f.shipped("2026-02-10", "RO20", 20, 5).received("2026-02-18", "RO20", 20, 3)
    f.measured(21, ("14", "10", "4"), "4.60").stored("2026-01", 22, "0.3241", "50.00", "15.00")
    f.ret("2026-01-20", o(6), 6, "DAMAGED").ret("2026-01-20", o(7), 7).reimb(
        "2026-02-18", "R10", "CustomerReturn", 10, 1, "30.00", order=o(10)
    )
    taken(f, 1)
    rows = [line for n in range(5, 12) for line in sold(n)] + paid("2026-02-03", BACK, "42.66", 11, o(11))
    rows += sale(o(21), 21, "2026-01-20", "30.00", "9.00", "9.00")
    for number, start, end in (("901", "2026-01-01", "2026-01-15"), ("902", "2026-01-15", "2026-02-12")):
        f.settle(number, start, end, [line for line in rows if start <= line[6] < end])
    return f.bank("2026-01-20", "55.00", ref="B9")


def told(place, day=DAY):
    found = reconcile(open_account(place, day, store=Path(place).parent / "store"))
    return found.findings.drop("evidence").rows(), found.history.rows()


def shuffled(f, place):
    dice = random.Random(5)
    for rows in f.rows.values():
        dice.shuffle(rows)
    f.settlements = [(*s[:5], dice.sample(s[5], len(s[5])), s[6]) for s in reversed(f.settlements)]
    f.write(place)


def packed(f, place):
    for number, path in enumerate(sorted((f.write(place) / "reports").iterdir(), reverse=True)):
        inside = place / "reports" / f"deep{number % 3}" / f"z{number}.csv.gz"
        inside.parent.mkdir(exist_ok=True)
        inside.write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def cut(f, place):
    for name in ("ledger", "reimb", "returns"):
        whole = f.write(place) / "reports" / f"{name}.txt"
        head, *rows = whole.read_text().splitlines()
        for part in range(2):
            (place / "reports" / f"{name}-{part}.txt").write_text("\n".join([head, *rows[part::2]]))
    for name in ("ledger", "reimb", "returns"):
        (place / "reports" / f"{name}.txt").unlink()


def again(f, place):
    f.write(place)
    for name in ("ledger", "reimb", "returns", "settlement-901-V2"):
        path = place / "reports" / f"{name}.txt"
        (place / "reports" / f"{name} (1).txt").write_text(path.read_text())


@pytest.mark.parametrize("change", [shuffled, packed, cut, again])
def test_the_same_facts_are_the_same_findings(tmp_path, change):
    mixed().write(tmp_path / "one")
    (tmp_path / "two").mkdir()
    change(mixed(), tmp_path / "two")
    first = told(tmp_path / "one")
    assert len(first[0]) > 15
    assert told(tmp_path / "two") == first


def test_a_fact_keeps_its_id_from_day_to_day(tmp_path):
    mixed().write(tmp_path / "one")
    seen = {}
    for day in ("2026-02-15", "2026-02-25", "2026-03-10", "2026-03-31", "2026-05-31"):
        for row in told(tmp_path / "one", day)[0]:
            fact = (row[1], row[3], *row[6:10])
            assert seen.setdefault(row[0], fact) == fact
    assert len(set(seen.values())) == len(seen)


@pytest.mark.parametrize("name", [None, *(name for name in mixed().files() if name != "account.yml")])
def test_nothing_or_one_report_alone_is_no_error(tmp_path, name):
    files = mixed().files()
    for each in filter(None, ("account.yml", name)):
        path = tmp_path / "one" / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[each])
    assert told(tmp_path / "one", "2019-01-01") == ([], [])
    assert name is not None or told(tmp_path / "one") == ([], [])
    told(tmp_path / "one")


def test_returns_known_since_the_payment_tell_whether_it_was_rightly_taken_back():
    """Paid on 10 January, taken back on 15 February: a returns report from 8 January on has the days that count."""
    f = reversed_orders(full=False)
    for day in ("2026-01-08", "2026-01-25", "2026-02-10", "2026-03-30"):
        f.ret(day, o(9), 9)
    f.led("2026-01-10", 9, 1, event="Receipts", ref="FBA9").led("2026-03-30", 9, 1, event="Receipts", ref="FBA9")
    found = findings(f, DAY, "reimbursement_reversed", columns=["order_id", "status", "reason"])
    assert found == [f"{o(n)}|claimable|" for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("order", "line_order", "line_sku", "amount", "left"),
    [
        ("", o(1), 1, "8.40", []),
        (o(1), "", 1, "8.40", []),
        ("", o(1), None, "8.40", []),  # an INCORRECT_FEES_NON_ITEMIZED line has no SKU
        ("", "", None, "8.40", []),
        ("", o(1), 1, "8.41", ["8.40"]),
        ("", o(1), 2, "8.40", ["8.40"]),
        (o(2), o(1), 1, "8.40", ["8.40"]),
    ],
)
@pytest.mark.parametrize("twice", [False, True])
def test_a_line_that_alone_names_the_order_pays_its_only_reimbursement(
    order, line_order, line_sku, amount, left, twice
):
    f = Folder().product(1, "10.00").reimb("2026-02-20", "R1", "Fee_Correction", 1, 1, "8.40", order=order)
    if twice:
        f.reimb("2026-02-21", "R2", "Fee_Correction", 1, 1, "8.40", order=order)
    f.settle(
        "901", "2026-02-01", "2026-03-25", paid("2026-02-23", "INCORRECT_FEES_ITEMS", amount, line_sku, line_order)
    )
    assert findings(f, "2026-03-30", "reimbursement_not_settled", columns=["owed"]) == left + ["8.40"] * twice


def test_of_payments_of_one_amount_a_line_that_alone_names_the_order_pays_the_oldest_in_time():
    """A line may come three days before its payment and up to 21 days after it; one without SKU may pay any of them."""
    f = Folder().product(1, "10.00").product(2, "10.00")
    days = ("2026-01-05", "2026-02-10", "2026-02-20", "2026-02-26", "2026-02-27")
    for n, day in enumerate(days, 1):
        f.reimb(day, f"R{n}", "Fee_Correction", 2 if n == 3 else 1, 1, "8.40")
    rows = paid("2026-02-23", "INCORRECT_FEES_ITEMS", "8.40", 1, o(1))  # R2
    rows += paid("2026-02-23", "INCORRECT_FEES_ITEMS", "8.40", 1, o(2))  # R4: R5 is four days later
    rows += paid("2026-02-23", "INCORRECT_FEES_ITEMS", "8.40", 1, o(3))  # none is left in time
    rows += paid("2026-02-24", "INCORRECT_FEES_ITEMS", "8.40", None, o(4))  # R3, older than R5
    f.settle("901", "2026-02-01", "2026-03-25", rows)
    assert findings(f, "2026-03-30", "reimbursement_not_settled", columns=["reference_id"]) == ["R1", "R5"]
