"""Days that no report speaks about are told in the packet, each once, and only where the silence means something."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from case_folder import Folder, findings, refund, sale

from recon_lib.books import open_account
from recon_lib.reconcile import reconcile

DEMO = Path(__file__).parents[1] / "data" / "sample"


def told(day: str) -> set[tuple[str, str]]:
    gone = reconcile(open_account(DEMO, day)).not_checked.filter(pl.col("reason").str.starts_with("report missing"))
    return set(gone.select("subject", "reason").rows())


def test_reports_up_to_the_day_leave_nothing_to_say() -> None:
    assert told("2026-01-31") == set()


def test_reports_that_ended_months_ago_are_named_with_the_days_they_lack() -> None:
    # The last rows in data/sample: returns 29 January, bank and reimbursements 30 January, ledger 31 January; the last
    # settlement ends on 29 January, the last of Amazon Pay on 31 January. Too few removals to know their pace.
    last = {
        "bank": "bank 2026-01-31",
        "customer_returns": "customer returns 2026-01-30",
        "ledger_detail": "ledger detail 2026-02-01",
        "reimbursements": "reimbursements 2026-01-31",
        "settlement_lines": "settlement lines 2026-01-30",
        "settlements": "settlements 2026-01-30",
        "pay_lines": "Amazon Pay settlement in USD 2026-01-31",
    }
    missing = {(family, f"report missing: {words} to 2026-09-30") for family, words in last.items()}
    assert told("2026-09-30") == missing


def test_a_settlement_may_be_sixteen_days_away() -> None:
    assert {family for family, _ in told("2026-02-14")} == set()  # 14 and 16 days after the last ones ended
    assert {family for family, _ in told("2026-02-16")} == {"settlement_lines", "settlements"}  # 16 and 18
    assert {family for family, _ in told("2026-02-17")} == {"pay_lines", "settlement_lines", "settlements"}


def trailing(refunds_since: int = 0) -> Folder:
    """Sixty orders of 1 to 30 October, each refunded in December: one a day and one more, fifty of them paid from 1 January on,
    fifty of others returned in December. No return since; `refunds_since` later refunds a day from 2 January to 25 February.
    """
    f, rows = Folder("DE", cep_enrolled="true"), []
    for n in range(1, 61):
        order, day = f"302-{n:07d}-0000000", f"2025-12-{1 + n % 30:02d}"
        rows += sale(order, n, f"2025-10-{1 + n % 30:02d}", "20.00", "3.00", "4.00") + refund(order, n, day, "20.00")
        if n <= 50:
            f.reimb(f"2026-01-{1 + n % 30:02d}", f"R{n}", "CustomerReturn", n, 1, "13.00", order=order)
        else:
            f.ret(day, f"303-{n:07d}-0000000", n, "CUSTOMER_DAMAGED")
    for n in range(61, 111):
        f.ret(f"2025-12-{1 + n % 30:02d}", f"303-{n:07d}-0000000", n, "CUSTOMER_DAMAGED")
    for n in range(refunds_since * 55):
        day = f"2026-01-{2 + n % 27:02d}" if n % 55 < 27 else f"2026-02-{n % 55 - 26:02d}"
        rows += refund(f"304-{n:07d}-0000000", 200, day, "20.00")
    return f.settle("901", "2025-09-25", "2026-02-26", rows)


def test_payments_and_returns_that_trail_the_sales_by_nature_leave_no_hole() -> None:
    # the last ten refunds are neither returned nor paid: owed from the 45th to the 105th day
    found = findings(trailing(), "2026-02-28", "refund_without_return")
    assert [row.split("|")[1] for row in found] == ["claimable"] * 10


@pytest.mark.parametrize(("more", "state"), [(1, "waiting"), (0, "claimable")])
def test_returns_that_stop_while_refunds_go_on_are_a_hole(more: int, state: str) -> None:
    # sixty refunds brought sixty returns; fifty-five more in eight weeks without any return do not happen
    found = findings(trailing(more), "2026-02-28", "refund_without_return")
    assert {row.split("|")[1] for row in found} == {state}


@pytest.mark.parametrize(("sales", "state"), [(False, "claimable"), (True, "waiting")])
def test_a_ledger_that_begins_late_is_a_hole_if_it_tells_sales(sales: bool, state: str) -> None:
    f, rows = Folder("US"), []
    for n in range(1, 41):  # forty sellable returns of December that no ledger row puts back
        order = f"111-{n:07d}-0000000"
        rows += sale(order, n, "2025-11-20", "20.00", "3.00", "4.00") + refund(order, n, "2025-12-10", "20.00")
        f.ret(f"2025-12-{11 + n % 10:02d}", order, n, "SELLABLE")
    for n in range(60):  # the ledger's rows: two a day from 2 February on
        day = f"2026-02-{2 + n % 27:02d}" if n < 54 else "2026-03-01"
        f.led(day, 100 + n, -1, "G") if not sales else f.led(day, 100 + n, -1, event="Shipments", ref=f"112-{n}")
    f.settle("901", "2025-11-15", "2026-03-01", rows)
    found = findings(f, "2026-03-05", "return_not_restocked")
    assert len(found) == 40
    assert {row.split("|")[1] for row in found} == {state}


@pytest.mark.parametrize("older", [(), (10, 15, 20, 25, 28), (31, 31, 31)])
def test_a_report_downloaded_again_and_again_has_no_more_events_for_it(tmp_path: Path, older: tuple[int, ...]) -> None:
    """A payment every third day from 1 January to 1 April, and none in the forty-one days to the packet's: a quiet time."""
    f = Folder("US").product(1, "5.00").led("2026-04-05", 1, -1, ref="A1")
    for n in range(31):
        day = f"2026-{1 + (3 * n) // 30:02d}-{1 + (3 * n) % 30:02d}" if n < 30 else "2026-04-01"
        f.reimb(day.replace("2026-02-30", "2026-02-28"), f"R{n}", "GeneralAdjustment", 2, 1, "1.00")
    files = f.files()
    head, *rows = files["reports/reimb.txt"].splitlines(keepends=True)
    files |= {f"reports/older-{n}-{kept}.txt": "".join([head, *rows[:kept]]) for n, kept in enumerate(older)}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    got = reconcile(open_account(tmp_path, "2026-05-12", store=tmp_path / "store")).findings
    lost = got.filter(pl.col("audit") == "warehouse_lost").select("status", pl.col("claim_by").cast(pl.String))
    assert lost.rows() == [("claimable", "2026-06-04")]


@pytest.mark.parametrize(("days", "state"), [((0, 1, 41, 42, 86, 87), "claimable"), (tuple(range(88)), "waiting")])
def test_payments_that_come_by_the_case_are_no_pace(days: tuple[int, ...], state: str) -> None:
    """One hundred and seventy-six payments from 5 January to 2 April: two a day, or on three occasions; none in the forty days after."""
    f = Folder("US").product(1, "5.00").led("2026-04-05", 1, -1, ref="A1")
    for n in range(176):
        f.reimb(str(date(2026, 1, 5) + timedelta(days=days[n % len(days)])), f"R{n}", "GeneralAdjustment", 2, 1, "1.00")
    assert findings(f, "2026-05-12", "warehouse_lost") == [
        f"warehouse_lost|{state}|2026-04-05|2026-04-05|2026-06-04||A1|S1|1|5.00|5.00"
    ]


@pytest.mark.parametrize(("day", "state"), [("2026-07-16", "claimable"), ("2026-07-17", "waiting")])
def test_no_report_of_payments_is_quiet_for_more_than_fifteen_weeks(day: str, state: str) -> None:
    """Ninety payments on three occasions up to 2 April; 16 July is the 105th day without one."""
    f = Folder("US").product(1, "5.00").led("2026-06-20", 1, -1, ref="A1")
    for n in range(90):
        f.reimb(str(date(2026, 1, 5) + timedelta(days=(0, 41, 87)[n % 3])), f"R{n}", "GeneralAdjustment", 2, 1, "1.00")
    assert findings(f, day, "warehouse_lost", columns=["status"]) == [state]


@pytest.mark.parametrize(("orders", "state"), [(2, "claimable"), (130, "waiting")])
def test_removals_come_in_orders_however_many_products_each_has(orders: int, state: str) -> None:
    """One hundred and thirty products are disposed of from 5 January to 5 April, in two orders, or each in its own: that is a pace,
    and forty-five days of silence after it a hole. What was destroyed in these nobody ordered."""
    f = Folder("US").product(1, "5.00").led("2026-04-20", 1, -2, "D", ref="A1")
    for n in range(130):
        day = str(date(2026, 1, 5) + timedelta(days=90 * (n * (orders - 1) // 129) // (orders - 1)))
        f.removal(day, f"Q{day}" if orders == 2 else f"Q{n}", 100 + n)
    assert findings(f, "2026-05-20", "disposed_without_order") == [
        f"disposed_without_order|{state}|2026-04-20|2026-04-20|2026-06-19||A1|S1|2|5.00|10.00"
    ]


def test_a_settlement_that_has_not_ended_speaks_about_its_days_from_its_start() -> None:
    """Of a past day: the file that ends on 31 January is there, its first line is of the 22nd. No day lacks a report."""
    f = Folder("US").reimb("2026-01-02", "R1", "Lost_Warehouse", 1, 1, "10.00")
    for n, (start, end) in enumerate([("2025-12-20", "2026-01-03"), ("2026-01-03", "2026-01-17")], 901):
        f.settle(str(n), start, end, sale(f"111-{n:07d}-0000000", 2, start, "20.00", "3.00", "4.00"))
    f.settle("903", "2026-01-17", "2026-01-31", sale("111-0000903-0000000", 2, "2026-01-22", "20.00", "3.00", "4.00"))
    found = findings(f, "2026-01-25", "reimbursement_not_settled")
    assert found == ["reimbursement_not_settled|claimable|2026-01-02|2026-01-02|||R1|S1|1||10.00"]
