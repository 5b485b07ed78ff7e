"""What the explorer answers, on books made by hand: every expected number can be counted from the rows above it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_lib import explore, explore_tables, life, life_chart
from recon_lib.books import Books
from recon_lib.errors import UsageError
from recon_lib.reconcile import reconcile
from recon_lib.register import open_register
from tests.bookmaker import books, event, line, reimbursed, settlement
from tests.standin import HOSTILE, finding, findings

D = Decimal
ORDER = "111-1111111-1111111"


def small() -> Books:
    """One order of one unit of X1 (S-X1) with its shipment, settlement and return; one lost unit; a neighbour order."""
    return books(
        "2026-01-31",
        all_orders=[
            {"order_id": ORDER, "purchased_on": date(2026, 1, 2), "sku": "S-X1", "quantity": 1, "order_status": "Shipped",
             "item_price": D("20.00"), "currency": "USD"},
            {"order_id": "222-2", "purchased_on": date(2026, 1, 2), "sku": "S-X1", "quantity": 5, "order_status": "Shipped"},
        ],
        settlements=[settlement("9001", "2026-01-01", "2026-01-15", "18.00")],
        settlement_lines=[
            line("9001", "2026-01-04", "Principal", "20.00", order_id=ORDER, sku="S-X1", quantity=1),
            line("9001", "2026-01-04", "Shipping", "-2.00", order_id=ORDER),
            line("9001", "2026-01-05", "Principal", "0.00", order_id="222-2", sku="S-X1", quantity=5),
        ],
        customer_returns=[
            {"order_id": ORDER, "returned_on": date(2026, 1, 12), "sku": "S-X1", "fnsku": "X1", "quantity": 1,
             "disposition": "SELLABLE", "reason": "UNWANTED_ITEM"},
        ],
        ledger_detail=[
            event("2026-01-03", -1, "", event_type="Shipments", reference_id=ORDER),
            event("2026-01-10", -1, "M", reference_id="700"),
            event("2026-01-11", -4, "M", fnsku="X2", reference_id="701"),
        ],
        reimbursements=[reimbursed("2026-01-20", "Lost_Warehouse", 1, number="R7")],
    )  # fmt: skip


ROWS = findings(
    [
        finding(n=1, owed=D("14.40")),
        finding(n=2, owed=D("100.00"), sku="OTHER", fnsku="X9"),
        finding("refund_without_return", "waiting", n=3, owed=None, order_id="222-2"),
        finding("storage_fee_overcharge", "expired", n=4, owed=D("9.99"), sku=None, fnsku=None),
    ]
)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({}, [1, 2, 3, 4]),
        ({"audit": "warehouse_lost"}, [1, 2]),
        ({"status": "expired"}, [4]),
        ({"product": " sku-"}, [1, 3]),
        ({"product": "x9"}, [2]),
        ({"product": ".*"}, []),  # text, not a pattern
        ({"minimum": D("10")}, [1, 2, 3]),  # 3 is of unknown value
        ({"minimum": D("100.00")}, [2, 3]),
        ({"audit": "warehouse_lost", "minimum": D("14.41")}, [2]),
    ],
)
def test_findings_are_chosen(asked: dict[str, Any], kept: list[int]) -> None:
    rows = explore.chosen(ROWS, **asked)
    assert [int(id[-1]) for id in rows["finding_id"]] == kept


def test_amounts_are_typed_by_people() -> None:
    assert explore.amount_of(" 1,234.50 ") == D("1234.50")
    assert explore.amount_of("") is None
    for wrong in ("ten", "NaN", "1e99", "--1"):
        with pytest.raises(UsageError):
            explore.amount_of(wrong)


def test_the_lines_of_an_evidence_text_are_found_whatever_the_file_is_called() -> None:
    paths = ["reports/a.txt", "reports/a (1), b; c.txt", "reports/z.gz!z.txt", "reports/b.txt"]
    text = (
        "reports/a (1), b; c.txt:12, reports/z.gz!z.txt:3, reports/a.txt:1, reports/a.txt:1; 3 lost - 1 = 2; reports/b.txt:9; "
        "claim_windows line 7: US"
    )
    assert explore.lines_of(text, paths) == [
        ("reports/a (1), b; c.txt", 12), ("reports/z.gz!z.txt", 3), ("reports/a.txt", 1), ("reports/b.txt", 9),
    ]  # fmt: skip
    assert explore.lines_of("xreports/a.txt:1; areports/b.txt:2", paths) == []
    assert explore.lines_of(None, paths) == []
    assert explore.lines_of(text, []) == []


def test_evidence_rows_come_from_the_typed_frames() -> None:
    asked = [("reports/settlement_lines.txt", 3), ("reports/ledger_detail.txt", 4), ("reports/ledger_detail.txt", 99)]
    rows = explore.evidence_rows(small(), asked)
    assert sorted(rows) == ["ledger_detail", "settlement_lines"]
    assert rows["settlement_lines"]["amount"].to_list() == [D("-2.00")]
    assert "sku" not in rows["settlement_lines"].columns  # says nothing there
    assert rows["ledger_detail"]["quantity"].to_list() == [-4]
    assert explore.not_in_books(asked, rows) == [("reports/ledger_detail.txt", 99)]
    assert explore.evidence_rows(small(), []) == {}


def test_the_life_of_an_order_goes_through_all_reports() -> None:
    rows = life.life(small(), number=f" {ORDER} ")
    told = [(str(r["on"]), r["report"], r["quantity"], r["amount"]) for r in rows.iter_rows(named=True)]
    assert told == [
        ("2026-01-02", "Orders", 1, D("20.00")),
        ("2026-01-03", "Stock ledger", -1, None),
        ("2026-01-04", "Settlements", 1, D("20.00")),
        ("2026-01-04", "Settlements", None, D("-2.00")),
        ("2026-01-12", "Returns", 1, None),
        ("2026-01-17", "Settlement payouts", None, D("18.00")),
    ]
    assert rows["file"][0] == "reports/all_orders.txt"
    assert rows["line"][0] == 2


def test_the_life_of_a_unit_knows_both_its_names() -> None:
    by_sku, by_fnsku = life.life(small(), product="S-X1"), life.life(small(), product="X1")
    assert by_sku.equals(by_fnsku)
    # two orders, two settlement lines with the sku, one return, two ledger rows of X1, one reimbursement
    assert by_sku["report"].value_counts().sort("report").rows() == [
        ("Orders", 2), ("Reimbursements", 1), ("Returns", 1), ("Settlements", 2), ("Stock ledger", 2),
    ]  # fmt: skip
    assert life.product_names(small(), "X2") == ["S-X2", "X2"]


def test_order_and_product_together_keep_the_rows_of_the_order_without_product() -> None:
    rows = life.life(small(), number=ORDER, product="X1")
    assert rows.filter(report="Settlements")["amount"].to_list() == [D("20.00"), D("-2.00")]
    assert life.life(small(), number=ORDER, product="X2").filter(report="Returns").is_empty()


def test_nothing_asked_and_nothing_found_are_empty() -> None:
    assert life.life(small()).is_empty()
    assert life.life(small(), number="no such").is_empty()
    assert life.life(books("2026-01-31"), product="X1").is_empty()


def test_days_of_the_shop_are_the_accounts() -> None:
    shop = books(
        "2026-01-31",
        pay_activity=[{"activity_at": datetime(2026, 1, 6, 3, tzinfo=UTC), "kind": "capture", "seller_order_id": "S1",
                       "amount": D("5.00"), "currency": "USD"}],
    )  # fmt: skip
    assert life.life(shop, number="S1")["on"].to_list() == [date(2026, 1, 5)]  # 19:00 in Los Angeles


def test_a_finding_leads_to_its_order_else_product_else_reference() -> None:
    assert life.subject_of(finding(order_id="1")) == ("1", "")
    assert life.subject_of(finding()) == ("", "X000000001")
    assert life.subject_of(finding(sku=None, fnsku=None)) == ("7000000001", "")


def test_the_time_line_has_a_lane_a_report_and_a_mark_a_day() -> None:
    figure = life_chart.timeline(life.life(small(), number=ORDER), ORDER)
    assert [(t.y[0], list(t.x)) for t in figure.data] == [
        ("Orders", ["2026-01-02"]), ("Returns", ["2026-01-12"]), ("Stock ledger", ["2026-01-03"]),
        ("Settlements", ["2026-01-04"]), ("Settlement payouts", ["2026-01-17"]),
    ]  # fmt: skip
    assert (
        figure.data[3].text[0]
        == f"Order, Principal, 1 units, 20.00 USD, {ORDER}<br>Order, Shipping, −2.00 USD, {ORDER}"
    )
    assert figure.layout.title.text.endswith("?")
    assert "6 rows of 5 reports from 2026-01-02 to 2026-01-17" in figure.layout.meta["alt"]
    assert "without marks" in life_chart.timeline(life.life(small()), "x").layout.meta["alt"]


def test_rows_without_a_day_are_counted_and_hostile_text_stays_text() -> None:
    shipment = {"shipment_id": "FBA1", "sku": "S", "quantity_shipped": 5, "quantity_received": 4}
    open_books = books("2026-01-31", inbound_shipments=[{**shipment, "status": text, "closed_on": day}
                                                        for text, day in zip(HOSTILE, [None, *[date(2026, 1, 1)] * 20], strict=False)])  # fmt: skip
    rows = life.life(open_books, number="FBA1")
    assert rows["on"].to_list()[-1] is None
    figure = life_chart.timeline(rows, HOSTILE[0])
    assert "1 rows have no day" in figure.layout.meta["alt"]
    assert "<" not in figure.data[0].text[0].replace("<br>", "")
    assert "<script" not in figure.layout.title.text
    assert "<script" not in explore_tables.life(rows)


def test_other_settings_change_the_result_and_nothing_else() -> None:
    day = reconcile(books("2026-01-31", settings={"overdue_hours": 48}, pay_lines=[], pay_activity=[
        {"activity_at": datetime(2026, 1, 28, 12, tzinfo=UTC), "kind": "capture", "amazon_transaction_id": "T1",
         "amount": D("5.00"), "currency": "USD"}]))  # fmt: skip
    assert day.findings["audit"].to_list() == ["pay_overdue"]
    after = explore.what_if(day, {"overdue_hours": "240"})
    assert after.findings.is_empty()
    assert day.books.account.overdue_hours == 48
    changes = explore.differences(day.findings, after.findings)
    assert changes.select("change", "audit", "owed", "owed_after").rows() == [("gone", "pay_overdue", D("5.00"), None)]
    assert explore.totals(day.findings, after.findings).rows() == [("waiting", "USD", 1, 0, D("5.00"), None)]
    assert explore.differences(day.findings, day.findings).is_empty()


def test_differences_are_named_by_what_changed() -> None:
    after = findings(
        [
            finding(n=1, owed=D("14.40"), claim_by=date(2026, 2, 4)),
            finding(n=2, owed=D("90.00"), sku="OTHER", fnsku="X9"),
            finding("refund_without_return", "claimable", n=3, owed=None, order_id="222-2"),
            finding("return_unpaid", n=5, owed=D("1.00")),
        ]
    )
    changes = explore.differences(ROWS, after)
    assert [(r["finding_id"][-1], r["change"]) for r in changes.iter_rows(named=True)] == [
        ("3", "status"), ("5", "new"), ("4", "gone"), ("1", "terms"), ("2", "amount"),
    ]  # fmt: skip
    assert explore.totals(ROWS, after).rows() == [
        ("claimable", "USD", 2, 4, D("114.40"), D("105.40")),
        ("expired", "USD", 1, 0, D("9.99"), None),
        ("waiting", "USD", 1, 0, None, None),
    ]


def test_settings_keep_the_rules_of_account_yml() -> None:
    given = books("2026-01-31")
    changed = explore.with_settings(given, {"underpaid_tolerance": "0.5", "USD": 2, "bank_days": "3"}).account
    assert changed.tolerances == {**given.account.tolerances, "underpaid_tolerance": D("0.5"), "USD": D(2)}
    assert changed.bank_days == 3
    for wrong in (
        {"bank_days": "-1"},
        {"bank_days": ""},
        {"overdue_hours": "0"},
        {"USD": "-1"},
        {"EUR": "1"},
        {"account": "x"},
        {"USD": ""},
    ):
        with pytest.raises(UsageError):
            explore.with_settings(given, wrong)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Any:
    pytest.importorskip("ipywidgets")
    from recon_lib.widgets import Explorer

    home = tmp_path_factory.mktemp("explorer")
    sample = Path(__file__).parents[1] / "data" / "sample"
    shutil.copytree(sample, home / "account", ignore=shutil.ignore_patterns("register.sqlite*"))
    return Explorer(home / "account", "2026-01-31", store=home / "store")


def drawn(output: Any) -> dict[str, Any]:
    return dict(output.outputs[0]["data"]["application/vnd.plotly.v1+json"])


def test_controls_are_wired(shown: Any) -> None:
    bars = len(drawn(shown.chart)["data"])
    shown.audit.value = "warehouse_lost"
    assert "9 of 64 findings" in shown.findings.value
    assert len(drawn(shown.chart)["data"]) == 1 < bars
    assert drawn(shown.chart)["config"]["showSendToCloud"] is False
    shown.product.value = "JUN-TRA"
    assert [id for _, id in shown.finding.options] == [shown.finding.value]
    assert 'id="lines-ledger_detail"' in shown.evidence.value
    assert "19 rows by day" in shown.life.value
    shown.minimum.value = "x"
    assert "is no amount" in shown.findings.value
    shown.minimum.value = ""
    shown.folder.value, kept = "/nowhere", shown.folder.value
    shown.open.click()
    assert "Still shown: demo-us" in shown.message.value
    shown.folder.value = kept


def test_a_decision_is_recorded_from_the_explorer(shown: Any) -> None:
    wanted = shown.finding.value
    shown.record.click()
    assert "who" in shown.recorded.value
    shown.kind.value, shown.who.value, shown.note.value = "accepted", "Ana", "seen by us"
    shown.decided_on.value = date(2026, 1, 31)
    shown.record.click()
    assert "Recorded: event 1 (accepted" in shown.recorded.value
    assert shown.day.findings.filter(finding_id=wanted)["status"].to_list() == ["accepted"]
    assert len(open_register(shown.day.books.folder).events()) == 1
    shown.settings["overdue_hours"].value = "soon"
    shown.try_out.click()
    assert "overdue_hours" in shown.outcome.value


def test_what_has_no_amount_is_not_called_unknown_and_what_is_unknown_is_told(tmp_path: Path) -> None:
    pytest.importorskip("ipywidgets")
    from recon_lib.widgets import Explorer

    # Without any cost the lost unit X1 has no known value; it can be claimed all the same.
    (tmp_path / "reports").mkdir()
    (tmp_path / "account.yml").write_text(
        "account: shop\nmarketplace: US\ntime_zone: America/Los_Angeles\ncurrency: USD\n"
    )
    ledger = (
        "Date,FNSKU,ASIN,MSKU,Title,Event Type,Reference ID,Quantity,Fulfillment Center,Disposition,Reason,Country",
        "12/20/2025,X1,B1,S-X1,Mug,Adjustments,700,-1,PHX7,SELLABLE,M,US",
    )
    paid = (
        "approval-date,reimbursement-id,case-id,amazon-order-id,reason,sku,fnsku,asin,product-name,condition,currency-unit,amount-per-unit,"
        "amount-total,quantity-reimbursed-cash,quantity-reimbursed-inventory,quantity-reimbursed-total",
        "2026-01-20T02:00:00+00:00,R1,,,General_Adjustment,S-X9,X9,B9,Cup,New,USD,5.00,5.00,1,0,1",
    )
    for name, lines in (("ledger.csv", ledger), ("paid.csv", paid)):
        (tmp_path / "reports" / name).write_text("\n".join([*lines, ""]))
    explorer = Explorer(tmp_path, "2026-01-31", store=tmp_path / "store")
    assert "shop at the end of 2026-01-31: 1 finding, claimable now: 1 unknown" in explorer.message.value
    assert "1 of 1 finding; 1 without an amount." in explorer.findings.value


def test_a_day_that_is_none_is_told_before_anything_is_read(tmp_path: Path) -> None:
    pytest.importorskip("ipywidgets")
    from recon_lib.widgets import Explorer

    with pytest.raises(UsageError, match="is no day"):
        Explorer(tmp_path, "31.01.2026")


def test_the_notebook_has_an_answer_where_nothing_is_claimable(tmp_path: Path) -> None:
    """A healthy account, or one whose first report has not come yet, is no reason for a traceback."""
    (tmp_path / "account.yml").write_text("account: new\nmarketplace: US\n")
    source = json.loads((Path(__file__).parents[1] / "notebooks" / "explore.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in source["cells"] if cell["cell_type"] == "code"]
    known: dict[str, Any] = {
        "Path": Path,
        "account_folder": str(tmp_path),
        "as_of": "2026-01-31",
        "store": str(tmp_path / "store"),
    }
    for cell in cells[2:]:  # after the parameters and the controls
        exec(cell, known)
    assert known["story"].height == 0
    assert known["after"].findings.height == 0


def test_packet_notebooks_know_no_widget() -> None:
    for path in (Path(__file__).parents[1] / "notebooks").glob("*.ipynb"):
        assert ("widgets" in path.read_text(encoding="utf-8")) == (path.name == "explore.ipynb")


def test_the_pictures_of_the_readme_are_there_and_small() -> None:
    root = Path(__file__).parents[1]
    text = (root / "README.md").read_text(encoding="utf-8")
    for name in ("packet", "review", "explore"):
        assert f"(docs/pictures/{name}.png)" in text
        assert (root / "docs" / "pictures" / f"{name}.png").stat().st_size < 300_000
