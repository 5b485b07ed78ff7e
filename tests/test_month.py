"""The monthly review of a small account whose every number can be worked out by hand.

Lost units (cost of a unit: S1 10, S2 20, S3 7, S4 5 USD):

    2025-11-15  1 x S3   never paid; last day to claim 2026-01-14: ran out
    2025-11-20  1 x S1   approved 2026-01-05 (46 days), settled 01-08 in settlement 900, at the bank 01-20
    2026-01-02  2 x S1   not paid; case 77 opened on 01-20
    2026-01-03  1 x S2   approved 01-13 (10 days), settled 01-20 in settlement 901, deposit of 01-31 not due yet
    2026-01-10  1 x S2   approved 01-30 (20 days), not settled yet
    2026-01-15  3 x S4   not paid, not claimed
"""

from __future__ import annotations

import json
import os
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from recon_lib import manifest, month_packets, month_recurring, month_sheets
from recon_lib import month as months
from recon_lib.__main__ import main
from recon_lib.books import open_account
from recon_lib.errors import UsageError
from recon_lib.month_answer import at_a_glance, save
from recon_lib.packet import make_month
from recon_lib.reconcile import reconcile
from recon_lib.register import open_register
from tests.headers import LEDGER, REIMBURSEMENTS, V2

LOSSES = [("11/15/2025", 3, -1, "FC1"), ("11/20/2025", 1, -1, "FC1"), ("01/02/2026", 1, -2, "FC1"), ("01/03/2026", 2, -1, "FC2"),
          ("01/10/2026", 2, -1, "FC1"), ("01/15/2026", 4, -3, "FC2")]  # fmt: skip
PAID = [("2026-01-05", "9001", 1, "10.00"), ("2026-01-13", "9002", 2, "20.00"), ("2026-01-30", "9003", 2, "20.00")]
COST = {1: "10.00", 2: "20.00", 3: "7.00", 4: "5.00"}
SETTLED = [("900", "2026-01-01", "2026-01-15", "2026-01-17", "2026-01-08", 1, "10.00"),
           ("901", "2026-01-15", "2026-01-29", "2026-01-31", "2026-01-20", 2, "20.00")]  # fmt: skip


def table(head: list[str], rows: list[dict[str, str]]) -> str:
    return (
        "\n".join("\t".join(cells) for cells in [head, *([row.get(name, "") for name in head] for row in rows)]) + "\n"
    )


def write_account(folder: Path) -> Path:
    (folder / "reports").mkdir(parents=True)
    (folder / "books").mkdir()
    (folder / "account.yml").write_text("account: tiny\nmarketplace: US\n")
    ledger = [
        {"Date": on, "FNSKU": f"X00000000{n}", "ASIN": f"B00000000{n}", "MSKU": f"S{n}", "Event Type": "Adjustments",
         "Reference ID": f"70000000{at}", "Quantity": str(units), "Fulfillment Center": centre, "Disposition": "SELLABLE", "Reason": "M",
         "Country": "US", "Store": "Amazon.com"}
        for at, (on, n, units, centre) in enumerate(LOSSES)
    ]  # fmt: skip
    (folder / "reports" / "ledger.txt").write_text(table(LEDGER, ledger))
    paid = [
        {"approval-date": f"{on}T20:00:00+00:00", "reimbursement-id": number, "reason": "Lost_Warehouse", "sku": f"S{n}",
         "fnsku": f"X00000000{n}", "asin": f"B00000000{n}", "condition": "NewItem", "currency-unit": "USD", "amount-per-unit": amount,
         "amount-total": amount, "quantity-reimbursed-cash": "1", "quantity-reimbursed-inventory": "0", "quantity-reimbursed-total": "1"}
        for on, number, n, amount in PAID
    ]  # fmt: skip
    (folder / "reports" / "reimbursements.txt").write_text(table(REIMBURSEMENTS, paid))
    for number, start, end, deposit, on, n, amount in SETTLED:
        top = {"settlement-id": number, "settlement-start-date": f"{start} 20:00:00 UTC", "settlement-end-date": f"{end} 20:00:00 UTC",
               "deposit-date": f"{deposit} 20:00:00 UTC", "total-amount": amount, "currency": "USD"}  # fmt: skip
        line = {"settlement-id": number, "transaction-type": "other-transaction", "amount-type": "FBA Inventory Reimbursement",
                "amount-description": "WAREHOUSE_LOST", "amount": amount, "posted-date": on, "posted-date-time": f"{on} 20:00:00 UTC",
                "sku": f"S{n}", "quantity-purchased": "1"}  # fmt: skip
        (folder / "reports" / f"{number}.txt").write_text(table(V2, [top, line]))
    (folder / "books" / "bank.csv").write_text(
        "booked_on,amount,currency,description,reference\n2026-01-20,10.00,USD,AMAZON SETTLEMENT,T1\n"
    )
    names = "sku,fnsku,asin,category,unit_cost,currency,cost_from,longest_side,median_side,shortest_side,dimension_unit,weight,weight_unit"
    rows = [f"S{n},X00000000{n},B00000000{n},,{cost},USD,2025-01-01,,,,,," for n, cost in COST.items()]
    (folder / "books" / "products.csv").write_text("\n".join([names, *rows]) + "\n")
    return folder


def finding_of(folder: Path, store: Path, sku: str) -> str:
    found = reconcile(open_account(folder, "2026-01-31", store=store)).findings
    return str(found.filter(audit="warehouse_lost", sku=sku)["finding_id"].item())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Path:
    folder = write_account(tmp_path_factory.mktemp("month") / "account")
    register = open_register(folder, "America/Los_Angeles")
    register.record(
        "opened", who="Ann", note="filed", finding_id=finding_of(folder, store, "S1"), case_id="77", at="2026-01-20"
    )
    return folder


@pytest.fixture(scope="module")
def month(account: Path, store: Path) -> months.Month:
    return months.month_of(reconcile(open_account(account, months.last_day("2026-01"), store=store)))


D = Decimal


def test_how_far_the_money_came(month: months.Month) -> None:
    rows = (
        months.funnel(month)
        .select("stage", "cases", "units", "money", "cases_all", "units_all", "money_all", "unknown_all")
        .rows()
    )
    assert rows == [
        ("found", 4, 7, D(75), 6, 9, D(92), 0),
        ("claimed", 3, 4, D(60), 4, 5, D(70), 0),
        ("approved", 2, 2, D(40), 3, 3, D(50), 0),
        ("paid", 1, 1, D(20), 2, 2, D(30), 0),
        ("bank", 0, 0, D(0), 1, 1, D(10), 0),
    ]
    waits = months.not_banked(month).select("settlement_id", "units", "money", "tied").rows()
    assert waits == [("901", 1, D(20), "open")]


def test_the_month_against_the_months_before(month: months.Month) -> None:
    assert months.by_month(month).rows() == [
        (date(2026, 1, 1), "USD", 7, D(75), D(50), D(30), D(7)),
        (date(2025, 11, 1), "USD", 2, D(17), D(0), D(0), D(0)),
    ]
    assert months.by_month(month, 2).height == 1


def test_how_long_amazon_took(month: months.Month) -> None:
    (row,) = months.delays_by_reason(month).to_dicts()
    assert (row["audit"], row["paid"], row["median_days"], row["p90_days"], row["over"], row["over_pct"]) == ("warehouse_lost", 3, 20.0, 46, 1, 33)  # fmt: skip
    assert (row["settled"], row["settle_median_days"], row["paid_before"]) == (2, 5.0, None)


def test_what_comes_again(month: months.Month) -> None:
    columns = ("cases", "cases_now", "months", "units", "owed")
    assert month_recurring.skus(month).select("sku", *columns).rows() == [
        ("S1", 2, 1, 2, 3, D(20)),
        ("S2", 2, 2, 1, 2, D(0)),
    ]
    assert month_recurring.centres(month).select("centre", *columns).rows() == [("FC1", 2, 1, 2, 3, D(20))]


def test_open_cases_and_their_age(month: months.Month) -> None:
    (case,) = months.open_cases(month).to_dicts()
    assert (case["case_id"], case["age"], case["owed"], case["is_due"]) == ("77", 11, D(20), True)


def test_settlements_of_the_month(month: months.Month) -> None:
    assert months.settled_in(month).select("settlement_id", "lines_amount", "ties").rows() == [
        ("900", D(10), True),
        ("901", D(20), True),
    ]
    assert months.posted_lines(month).rows() == [("USD", "other-transaction", "FBA Inventory Reimbursement", 2, D(30))]


def test_policy_rows_that_changed(month: months.Month) -> None:
    changes = months.policy_changes(month)
    assert changes.height > 0
    assert changes["on"].is_between(date(2026, 1, 1), date(2026, 1, 31)).all()
    assert changes["row"].str.contains(r"line \d+: US").all()


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory, account: Path, store: Path) -> Path:
    """Published: 10 January (the claim that ran out was in it), and the last day."""
    home = tmp_path_factory.mktemp("out") / "tiny"
    for day in ("2026-01-10", "2026-01-31"):
        made = reconcile(open_account(account, day, store=store))
        made.save(home / day)
        manifest.draft(made, home / day)
        manifest.finish(home / day, {"revision": 1})
    (home / "latest.json").write_text(json.dumps({day: day for day in ("2026-01-10", "2026-01-31")}))
    return home


def test_why_a_claim_ran_out(month: months.Month, packets: Path) -> None:
    (row,) = month_packets.expired(month, packets).to_dicts()
    assert (row["sku"], row["owed"], row["claim_by"], row["why"]) == ("S3", D(7), date(2026, 1, 14), "shown as claimable in 1 packet and not claimed")  # fmt: skip
    assert row["last_shown"] == date(2026, 1, 10)
    (row,) = month_packets.expired(month, None).to_dicts()
    assert row["why"] == "no packet was published while it could be claimed"


def test_tie_out_to_the_packets_and_signatures(
    month: months.Month, packets: Path, account: Path, tmp_path: Path
) -> None:
    digest = manifest.sha256(packets / "2026-01-31" / "manifest.json")
    register = open_register(tmp_path)
    register.record("reviewed", who="Bob", note="ok", packet=f"2026-01-31 sha256:{digest}")
    register.record("reviewed", who="Eve", note="ok", packet=f"2026-01-10 sha256:{'0' * 64}")  # of another content
    sheets = month_sheets.sheets(month, packets, register.events())
    days = sheets["daily"].frame
    assert days.height == 31
    assert days.filter(pl.col("ties"))["day"].to_list() == [date(2026, 1, 10), date(2026, 1, 31)]
    assert days.filter(pl.col("signed_by").is_not_null()).select("day", "signed_by").rows() == [
        (date(2026, 1, 31), "Bob")
    ]
    last = sheets["last-packet"].frame
    assert last["ties"].all()
    assert last.filter(what="findings claimed")["published"].item() == "1"
    page = at_a_glance(month, sheets)
    assert (
        "In 2026-01 Amazon approved <b>50.00 USD</b> for the cases known here; <b>7.00 USD</b> ran out unclaimed; <b>15.00 USD</b> is still to be claimed."
        in page
    )
    assert "29 of 31 days without a packet" in page
    assert 'Approved by Amazon in this month</th><td class="money">50.00 USD</td><td>for 3 cases</td>' in page
    save(month, sheets, packets, tmp_path / "out")
    told = manifest.read(tmp_path / "out")
    assert told["packet"]["month"] == "2026-01"
    named = [row["path"] for row in told["inputs"] if row["family"] == "packet"]
    assert named == ["packets/2026-01-10", "packets/2026-01-31", "packets/2026-01-31 signed off by Bob"]
    assert told["control_totals"]["month"]["bank"] == {"USD": "10.00"}


def test_the_workbook_holds_the_same_tables(month: months.Month, packets: Path, tmp_path: Path) -> None:
    sheets = month_sheets.sheets(month, packets, [])
    for name in ("one", "two"):
        save(month, sheets, packets, tmp_path / name)
    book = tmp_path / "one" / "review.xlsx"
    assert book.read_bytes() == (tmp_path / "two" / "review.xlsx").read_bytes()
    months_read = pl.read_excel(book, sheet_name="Months")
    assert months_read.columns == ["Month", "Units found", "Found (by event)", "Currency", "Approved by Amazon", "Paid in settlements", "Ran out unclaimed"]  # fmt: skip
    assert months_read["Found (by event)"].to_list() == [75, 17]
    with zipfile.ZipFile(book) as parts:  # printed, every page has the head and all columns
        sheet, names = parts.read("xl/worksheets/sheet1.xml").decode(), parts.read("xl/workbook.xml").decode()
    assert 'orientation="landscape"' in sheet
    assert 'fitToHeight="0"' in sheet
    assert "_xlnm.Print_Titles" in names
    assert pl.read_excel(book, sheet_name="Open cases")["Case"].cast(pl.String).to_list() == ["77"]
    assert pl.read_excel(book, sheet_name="Expired")["Why"].to_list() == [
        "shown as claimable in 1 packet and not claimed"
    ]


def test_months_are_read_strictly() -> None:
    assert months.last_day("2024-02") == date(2024, 2, 29)
    assert months.last_day("2025-12") == date(2025, 12, 31)
    for wrong in ("2026-13", "2026-1", "jan", "2026-01-01"):
        with pytest.raises(UsageError):
            months.last_day(wrong)
        assert main(["month", "nowhere", "--month", wrong]) == 2


@pytest.fixture(scope="module")
def demo(store: Path) -> months.Month:
    return months.month_of(
        reconcile(open_account(Path(__file__).parents[1] / "data" / "sample", "2026-01-31", store=store))
    )


def test_every_stage_of_the_demo_is_a_part_of_the_one_above(demo: months.Month) -> None:
    rows = months.funnel(demo)
    for name in ("units", "money", "cases", "units_all", "money_all", "cases_all"):
        values = rows[name].to_list()
        assert values == sorted(values, reverse=True), name
    assert rows["money"].to_list()[0] <= rows["money_all"].to_list()[0]
    paid, bank = rows["money_all"].to_list()[3:]
    assert months.not_banked(demo)["money"].sum() == paid - bank
    settled = demo.day.history.filter(pl.col("amount").is_not_null())
    assert rows["money_all"].to_list()[2] == settled["amount"].sum()


def test_the_months_of_the_demo_add_up_to_all(demo: months.Month) -> None:
    rows, stages = months.by_month(demo), months.funnel(demo)
    assert rows["found"].sum() == stages["money_all"].to_list()[0]
    assert rows["approved"].sum() == stages["money_all"].to_list()[2]
    assert rows["paid"].sum() == stages["money_all"].to_list()[3]
    assert rows.filter(month=date(2026, 1, 1))["found"].item() == stages["money"].to_list()[0]


CHROMIUM = Path("/usr/bin/chromium")


def test_the_review_is_published_like_a_packet(account: Path, packets: Path, store: Path) -> None:
    made = make_month(account, "2026-01", packets.parent, store=store)
    assert (made.path, made.exit_code, made.owed) == (packets / "2026-01", 1, {"USD": "15.00"})
    assert sorted(os.listdir(made.path)) == [
        "claims.xlsx", "findings.csv", "findings.parquet", "history.csv", "journal.csv", "manifest.json", "matches.parquet",
        "open_items.csv", "packet.html", "review.xlsx", "rollforward.csv",
    ]  # fmt: skip
    page = (made.path / "packet.html").read_text(encoding="utf-8")
    assert page.count('<div class="fig"') == 3
    for question in ("How does the month compare", "How far did the money come", "How long does Amazon take"):
        assert question in page
    assert make_month(account, "2026-01", packets.parent, store=store).unchanged
    if not CHROMIUM.exists():
        pytest.skip("/usr/bin/chromium is not installed")
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    said: list[str] = []
    with sync_playwright() as run:
        browser = run.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_context(offline=True).new_page()
        tab.on("console", lambda message: said.append(message.text))
        tab.on(
            "request",
            lambda asked: said.append(asked.url) if not asked.url.startswith(("file:", "data:", "blob:")) else None,
        )
        tab.goto((made.path / "packet.html").as_uri())
        tab.wait_for_selector("html[data-charts=drawn]", timeout=30_000)
        tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        result = Axe().run(tab)
        assert result.violations_count == 0, result.generate_report()
        browser.close()
    assert said == []


def test_an_account_without_anything_says_so() -> None:
    from recon_lib import month_charts
    from tests.bookmaker import books

    empty = months.month_of(reconcile(books("2026-01-31")))
    sheets = month_sheets.sheets(empty, None, [])
    page = at_a_glance(empty, sheets) + "".join(sheet.html() for sheet in sheets.values())
    assert (
        "In 2026-01 Amazon approved <b>nothing</b> for the cases known here; nothing ran out unclaimed; nothing is left to claim."
        in page
    )
    assert "Nothing was found yet." in page
    assert "No SKU had a case this month and another one." in page
    assert "No centre had a case this month and another one." in page
    for figure in (
        month_charts.months(sheets["months"].frame, "USD"),
        month_charts.funnel(sheets["funnel"].frame, dict(months.STAGES), "USD"),
        month_charts.delays(sheets["delays-by-reason"].frame, 45),
    ):
        assert figure.layout.meta["alt"].startswith("Bar chart without bars")
        assert figure.layout.title.text.split(" (")[0].endswith("?")


def test_the_charts_show_what_the_tables_say(month: months.Month) -> None:
    from recon_lib import month_charts

    by_month = month_charts.months(months.by_month(month), "USD")
    assert {trace.name: list(trace.y) for trace in by_month.data}["found (by event)"] == [17.0, 75.0]
    assert (
        "in 2026-01: 75.00 USD found (by event), 50.00 USD approved, 30.00 USD paid, 7.00 USD ran out"
        in by_month.layout.meta["alt"]
    )
    stages = month_charts.funnel(months.funnel(month), dict(months.STAGES), "USD")
    assert [list(trace.y) for trace in stages.data] == [[75.0, 60.0, 40.0, 20.0, 0.0], [92.0, 70.0, 50.0, 30.0, 10.0]]
    days = month_charts.delays(months.delays_by_reason(month), 45)
    assert [(trace.name, list(trace.x)) for trace in days.data] == [("median", [20.0]), ("9 of 10 within", [46])]
    assert "1 took longer than 45 days" in days.layout.meta["alt"]
    named = pl.DataFrame({"audit": ["return_unpaid"], "paid": [1], "median_days": [1.0], "p90_days": [1], "over": [0]})
    (name,) = month_charts.delays(named, 45).data[0].y
    assert name == "Came back damaged by<br>Amazon or the carrier"  # in one line it left no room for its bar on a phone


def test_hostile_text_stays_text(month: months.Month) -> None:
    from dataclasses import replace

    bad = "<script>window.bad=1</script>"
    found = month.day.findings.with_columns(pl.lit(bad).alias("sku"), pl.lit(bad).alias("reference_id"))
    standing = month.day.decisions.standing.with_columns(pl.lit(bad).alias("note"), pl.lit(bad).alias("case_id"))
    day = replace(month.day, findings=found, decisions=replace(month.day.decisions, standing=standing))
    sheets = month_sheets.sheets(months.month_of(day), None, [])
    page = "".join(sheet.html() for sheet in sheets.values())
    assert "<script" not in page
    assert page.count("&lt;script&gt;window.bad=1&lt;/script&gt;") >= 4


def test_currencies_are_never_added_up(month: months.Month) -> None:
    from dataclasses import replace

    history = month.day.history.with_columns(
        pl.when(pl.col("sku") == "S2").then(pl.lit("JPY")).otherwise("currency").alias("currency")
    )
    mixed = months.month_of(replace(month.day, history=history))
    rows = months.funnel(mixed).filter(stage="approved").select("currency", "money_all").rows()
    assert rows == [("JPY", D(40)), ("USD", D(10))]
    assert "40 JPY" in month_sheets.sheets(mixed, None, [])["funnel"].html()
