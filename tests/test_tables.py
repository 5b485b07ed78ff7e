"""What people read: numbers as they are written, text that stays text, sums that can be added up in the head."""

from __future__ import annotations

import html
import re
import shutil
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from recon_lib import answer, claims_book, controls, gaps, manifest, pay_totals, review_book, sections, trends
from recon_lib.books import open_account
from recon_lib.claims_book import ASKED, SHEETS, write_claims
from recon_lib.money import MONEY
from recon_lib.reconcile import Day, reconcile
from recon_lib.tables import Column, money, monies, table, text
from tests.standin import HOSTILE, ROWS, finding, findings, hostile, make_day


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234.5", "USD", "1,234.50 USD"),
        ("-0.005", "USD", "−0.01 USD"),
        ("1234567", "JPY", "1,234,567 JPY"),
        ("1.2345", "KWD", "1.235 KWD"),
        ("12345678901234567890123456789012.34", "USD", "12,345,678,901,234,567,890,123,456,789,012.34 USD"),
        ("7.20", None, "7.20"),
    ],
)
def test_money_is_written_exactly(amount: str, currency: str | None, shown: str) -> None:
    assert money(Decimal(amount), currency) == shown


def test_unknown_money_is_empty_and_never_zero() -> None:
    assert money(None, "USD") == ""


def test_several_currencies_are_never_added_up() -> None:
    assert monies({"USD": Decimal(1), "CAD": Decimal(2)}, first="USD") == "1.00 USD + 2.00 CAD"
    assert monies({}) == "nothing"


@pytest.mark.parametrize("value", HOSTILE)
def test_text_from_files_is_no_markup(value: str) -> None:
    shown = text(value)
    assert not re.search(r"[<>\"']", shown)
    assert "\u202e" not in shown
    frame = pl.DataFrame({"a": [value, value]})
    made = table(frame, [Column("a", value, "code")], id="t", caption=value)
    assert not re.search(r"<(script|img|svg|b|a)\b", made)


def test_a_table_says_what_it_leaves_out_and_totals_all_of_it() -> None:
    frame = pl.DataFrame(
        {"owed": [Decimal(i) for i in range(1, 11)], "currency": ["USD"] * 10},
        schema={"owed": MONEY, "currency": pl.String},
    )
    made = table(frame, [Column("owed", "Owed", "money")], id="t", caption="Ten", rows=3, totals=["owed"])
    assert made.count("<tr>") == 1 + 3 + 1
    assert "The first 3 of 10 rows; all of them are in findings.csv." in made
    assert "55.00 USD" in made  # 1 + 2 + ... + 10


def test_a_total_says_what_it_adds_up_beyond_the_shown_rows_and_what_it_cannot() -> None:
    frame = pl.DataFrame(
        {"sku": list("abcde"), "owed": [Decimal(1), None, Decimal(2), None, Decimal(4)], "currency": ["USD"] * 5},
        schema={"sku": pl.String, "owed": MONEY, "currency": pl.String},
    )
    columns = [Column("sku", "SKU"), Column("owed", "Owed", "money")]
    cut = table(frame, columns, id="t", caption="Five", rows=2, totals=["owed"])
    assert '<th scope="row" colspan="1">Total of all 5 rows, 2 without an amount</th><td class="money">7.00 USD' in cut
    # an unknown value has no currency either
    unknown = pl.col("owed").is_null()
    bare = frame.with_columns(currency=pl.when(~unknown).then("currency"))
    assert "Total of all 5 rows, 2 without an amount" in table(
        bare, columns, id="t", caption="5", rows=2, totals=["owed"]
    )
    mixed = bare.with_columns(currency=pl.when(pl.col("owed") == 4).then(pl.lit("EUR")).otherwise("currency"))
    told = table(mixed, columns, id="t", caption="5", totals=["owed"])
    assert '<th scope="row" colspan="1">Total</th><td class="money">4.00 EUR' in told
    assert '<th scope="row" colspan="1">Total</th><td class="money">3.00 USD' in told
    assert '<th scope="row" colspan="1">In no total: 2 without an amount</th><td class="money">no amount' in told
    whole = table(frame.drop_nulls(), columns, id="t", caption="Three", totals=["owed"])
    assert '<th scope="row" colspan="1">Total</th><td class="money">7.00 USD' in whole


def test_an_unknown_amount_is_an_empty_cell_and_no_amount_in_total() -> None:
    frame = pl.DataFrame({"owed": [None], "currency": ["USD"]}, schema={"owed": MONEY, "currency": pl.String})
    made = table(frame, [Column("owed", "Owed", "money")], id="t", caption="One", totals=["owed"])
    assert '<tbody><tr><td class="money"></td></tr></tbody>' in made
    assert '<td class="money">no amount</td>' in made


def test_every_table_can_be_read_by_ear() -> None:
    made = table(
        make_day().findings, [Column("audit", "Audit"), Column("owed", "Owed", "money")], id="t", caption="Said"
    )
    assert made.count('<th scope="col"') == 2
    assert "<caption>Said" in made


def test_the_answer_adds_up() -> None:
    shown = answer.at_a_glance(make_day())
    # 14.40 + 100.00 + 5.05 USD, 20.00 CAD and one without a cost
    assert "119.45 USD + 20.00 CAD + 1 unknown" in shown
    assert (
        "in 5 findings; the value of 1 of them is not known. The first of them must be claimed by <b>2026-02-03</b>"
        in shown
    )
    # by 2026-02-07: 14.40 and the unknown one
    assert "14.40 USD + 1 unknown" in shown
    # by 2026-02-14: 14.40 + 100.00, 20.00 CAD, the unknown one
    assert "114.40 USD + 20.00 CAD + 1 unknown" in shown
    assert "2 items open, 1 of them overdue: captures 10.00 USD" in shown
    assert "1 × settlement lines do not add up to the total" in shown


def test_the_answer_tells_of_one_finding_and_one_item_in_the_singular() -> None:
    one = make_day([finding(n=1, owed=Decimal("14.40"))])
    assert "in 1 finding. It must be claimed by <b>" in answer.at_a_glance(one)
    for overdue, told in ((True, "1 item open, overdue: captures 10.00 USD"), (False, "1 item open, not overdue<")):
        one.open_items = make_day().open_items.head(1).with_columns(overdue=pl.lit(overdue))
        assert told in answer.at_a_glance(one)


def test_what_waits_may_wait_for_a_report() -> None:
    # Of 42.66 and 700.00 that wait the second one lacks a report: it is neither too early, nor may Amazon still act.
    rows = [
        finding(
            "refund_without_return", "waiting", n=1, owed=Decimal("42.66"), reason="claim window opens on 2026-02-20"
        ),
        finding("pay_overdue", "waiting", n=2, owed=Decimal("700.00"), reason="report missing"),
    ]
    shown = answer.at_a_glance(make_day(rows))
    assert "742.66 USD" in shown
    assert "Waiting (too early to claim, Amazon may still act, or a report is missing)" in shown


def test_what_waits_for_a_report_or_was_accepted_is_no_break() -> None:
    rows = [
        finding("deposit_missing", "waiting", n=1, owed=Decimal("700.00"), reason="report missing: bank"),
        finding("deposit_differs", "accepted", n=2, owed=Decimal("50.00")),
    ]
    shown = glance(make_day(rows))
    told = "? Settlements and payouts that do not tie | all tie as far as known | no gap, no difference; 1 finding waiting for a report"
    assert told in shown
    shown = glance(make_day([*rows, finding("deposit_missing", "open", n=3, owed=Decimal("9.00"))]))
    told = "! Settlements and payouts that do not tie | 9.00 USD | 1 × payout not seen at the bank; 1 finding waiting for a report"
    assert told in shown


def test_the_last_day_is_still_within_the_days() -> None:
    rows = [
        finding(n=1, claim_by=date(2026, 2, 14)),
        finding(n=2, claim_by=date(2026, 2, 15)),
        finding(n=3, claim_by=None),
    ]
    shown = answer.deadlines(make_day(rows))
    assert "2026-02-14" in shown
    assert "2026-02-15" not in shown


def test_nothing_owed_is_said() -> None:
    assert "Nothing can be claimed from Amazon on 2026-01-31." in answer.at_a_glance(make_day([]))
    assert "No finding." in sections.findings(make_day([]))


def test_deadlines_come_first_and_amounts_of_statuses_are_not_mixed() -> None:
    shown = sections.findings(make_day())
    assert (
        shown.index("audit-warehouse_lost") < shown.index("audit-return_wrong_item") < shown.index("audit-storage_fee")
    )
    mixed = sections.findings(make_day([finding(n=1), finding(n=2, status="expired")]))
    assert "1 claimable (14.40 USD), 1 expired (14.40 USD)" in mixed
    assert "28.80" not in mixed


def test_ten_thousand_findings_keep_the_page_small() -> None:
    rows = [finding(n=i) for i in range(10_000)]
    assert "The first 100 of 10,000 rows" in sections.findings(make_day(rows))


def test_rows_of_a_file_add_up() -> None:
    shown = controls.files(make_day())
    assert ">83<" in shown  # 98 used − 10 in another file − 5 after the day; 83 + 10 + 5 + 2 rejected = 100
    assert shown.count('aria-label="yes"') == 2  # the report and its one file


def test_the_money_of_a_file_is_written_as_everywhere_on_the_page() -> None:
    day = make_day()
    day.books.files = day.books.files.with_columns(totals=pl.lit("CAD -1234.50; JPY 27159"))
    assert "−1,234.50 CAD + 27,159 JPY" in controls.files(day)


def test_the_numbers_of_the_weekly_chart_name_audits_as_the_chart_does() -> None:
    shown = sections.weekly(trends.discrepancies_by_week(make_day().findings))
    assert '<td class="text">Lost in the warehouse and not made good</td>' in shown
    assert "warehouse_lost" not in shown


def test_a_packet_says_how_it_is_signed() -> None:
    assert "<code>recon case review ACCOUNT_FOLDER 2026-01-31 --who NAME</code>" in sections.sign_off(make_day())


def test_a_settlement_that_does_not_tie_has_a_cross() -> None:
    shown = controls.settlements(make_day())
    assert shown.count("✓") == 1
    assert shown.count("✗") == 1
    assert "1.00 USD" in shown


def test_every_line_of_amazon_pay_went_somewhere() -> None:
    day = make_day()
    assert pay_totals.pay(day).split("</table>")[0].count("✓") == 2  # 5 + 2 = 7 recorded, 5 + 1 = 6 settled
    day.pay.control_totals["USD"]["activity"]["lines"] = 8
    assert pay_totals.pay(day).split("</table>")[0].count("✗") == 1


def test_the_roll_forward_foots_and_says_so() -> None:
    day = make_day()
    assert "✓" in pay_totals.pay(day).split("</table>")[1]
    day.rollforward = day.rollforward.with_columns(pl.lit(3, dtype=pl.Int64).alias("closing_lines"))
    assert "✗" in pay_totals.pay(day).split("</table>")[1]


def test_hostile_findings_are_text_everywhere() -> None:
    day = make_day(hostile())
    for shown in (sections.findings(day), sections.by_status(day), answer.deadlines(day), answer.at_a_glance(day)):
        assert not re.search(r"<(script|img|svg|a)\b|<b>fat", shown)


def sheets(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name).decode("utf-8") for name in book.namelist()}


def test_claims_are_the_claimable_ones_by_type_and_last_day(tmp_path: Path) -> None:
    import fastexcel

    write_claims(findings(ROWS), tmp_path / "claims.xlsx")
    book = fastexcel.read_excel(tmp_path / "claims.xlsx")
    assert book.sheet_names == ["Lost or damaged", "Referral fee", "Shipment to Amazon"]
    lost = book.load_sheet("Lost or damaged").to_polars()
    assert lost["Claim by"].cast(pl.String).str.head(10).to_list() == ["2026-02-03", "2026-02-10", "2026-03-30"]
    assert lost["Owed"].to_list() == [14.4, 100.0, 5.05]


def test_audits_of_one_claim_type_share_its_sheet_and_each_row_tells_what_the_case_asks_for(tmp_path: Path) -> None:
    import fastexcel

    stock = ("warehouse_lost", "warehouse_damaged", "disposed_without_order")
    sizes, returns = ("fulfilment_fee_overcharge", "measurement_error"), ("refund_without_return", "return_unpaid")
    made = [finding(audit, n=number) for number, audit in enumerate((*stock, *sizes, *returns))]
    write_claims(findings(made), tmp_path / "claims.xlsx")
    book = fastexcel.read_excel(tmp_path / "claims.xlsx")
    assert book.sheet_names == ["Customer returns", "Lost or damaged", "Weight and dimensions"]
    for name, audits in (("Lost or damaged", stock), ("Weight and dimensions", sizes), ("Customer returns", returns)):
        sheet = book.load_sheet(name).to_polars()
        assert sorted(sheet["Audit"]) == sorted(audits)
        assert sheet["The case asks for"].n_unique() == 1
    told = book.load_sheet("Weight and dimensions").to_polars()["The case asks for"][0]
    assert "scale and ruler" in told
    assert "One claim a charge" in told


def test_a_payment_too_low_for_a_unit_of_an_order_is_not_asked_for_its_sourcing_cost_alone(tmp_path: Path) -> None:
    import fastexcel

    row = finding("reimbursement_underpaid", value_basis="after_order", order_id="111-1")
    write_claims(findings([row]), tmp_path / "claims.xlsx")
    told = fastexcel.read_excel(tmp_path / "claims.xlsx").load_sheet("Reimbursement value").to_polars()
    assert "or for a unit of an order the price charged less its fees" in told["The case asks for"][0]


def test_claims_print_sideways_with_their_head_on_every_page(tmp_path: Path) -> None:
    write_claims(findings([finding(n=1)]), tmp_path / "claims.xlsx")
    with zipfile.ZipFile(tmp_path / "claims.xlsx") as book:
        sheet, names = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/workbook.xml").decode()
    # all columns on one page of paper, as many pages long as it needs; long texts are wrapped, so that the print stays legible
    assert '<pageSetUpPr fitToPage="1"/>' in sheet
    assert 'orientation="landscape"' in sheet
    assert 'fitToHeight="0"' in sheet
    assert '<pageMargins left="0.25" right="0.25"' in sheet
    assert sum(float(width) for width in re.findall(r'<col [^>]*?width="([0-9.]+)"', sheet)) < 350
    assert '<definedName name="_xlnm.Print_Titles" localSheetId="0">\'Lost or damaged\'!$1:$1</definedName>' in names


@pytest.mark.parametrize(
    ("told", "width", "lines"),
    [
        ("", 10, 1),
        ("one two", 10, 1),
        ("one two three", 10, 2),
        ("three four five", 5, 3),
        ("a" * 25, 10, 3),
        ("ab " + "c" * 12, 10, 3),
    ],
)
def test_lines_of_a_wrapped_cell(told: str, width: int, lines: int) -> None:
    assert claims_book.lines(told, width) == lines


def heights(path: Path, sheet: str = "sheet1") -> list[float]:
    with zipfile.ZipFile(path) as book:
        part = book.read(f"xl/worksheets/{sheet}.xml").decode()
    return [float(told) for told in re.findall(r'<row [^>]*?ht="([0-9.]+)" customHeight="1"', part)]


def test_rows_of_wrapped_text_tell_their_height(tmp_path: Path) -> None:
    """LibreOffice counts no lines in a file that says it is of Excel: heads and texts lay over the rows below them."""
    long_one = "a word " * 64  # eight times in a line of 56
    rows = [finding(n=1, evidence="short"), finding(n=2, owed=Decimal("1.00"), evidence=long_one)]
    write_claims(findings(rows), tmp_path / "claims.xlsx")
    head, short, long = heights(tmp_path / "claims.xlsx")
    assert head == 30  # "Day of the event" in 12
    assert 45 <= short <= 90  # what the case asks for, in 32
    assert long >= 8 * 15
    write_claims(findings([finding(n=1, evidence="a word " * 5000)]), tmp_path / "claims.xlsx")
    assert 400 < heights(tmp_path / "claims.xlsx")[1] <= 409  # the highest row that Excel knows


def test_a_text_of_the_review_is_not_cut(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"stage": ["Claimed, or paid by Amazon by itself", "Found"], "n": [1, 2], "what": ["word " * 30, "x"]}
    )
    columns = review_book.specs("stage | Stage; n | Number of all the cases | number; what | What | long")
    review_book.write_book([review_book.Sheet("a", "A", "A", frame, columns)], tmp_path / "review.xlsx", "t")
    with zipfile.ZipFile(tmp_path / "review.xlsx") as book:
        part = book.read("xl/worksheets/sheet1.xml").decode()
    widths = [float(width) for width in re.findall(r'<col [^>]*?width="([0-9.]+)"', part)]
    assert widths[0] > 36  # the longest stage has 36 letters
    assert widths[2] <= 62  # longer ones are wrapped: 150 letters in 60
    assert heights(tmp_path / "review.xlsx") == [45, 45]  # the head in three lines of 11, the text in three of 60


def test_every_sheet_tells_what_its_case_asks_for() -> None:
    assert set(ASKED) == set(SHEETS.values())


def test_a_book_without_claims_says_so(tmp_path: Path) -> None:
    import fastexcel

    write_claims(findings([]), tmp_path / "claims.xlsx")
    assert fastexcel.read_excel(tmp_path / "claims.xlsx").sheet_names == ["Nothing to claim"]


def test_claims_repeat_byte_for_byte_and_run_no_text(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_claims(findings(hostile()), tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    parts = sheets(tmp_path / "a.xlsx")
    assert not any(
        "<f>" in content or "<hyperlink" in content for name, content in parts.items() if "worksheets" in name
    )
    assert "=1+1" in parts["xl/sharedStrings.xml"]


REPORTS = Path(__file__).parents[1] / "data" / "sample"
US = "account: small\nmarketplace: US\n"


def small_day(folder: Path, *files: str, as_of: str = "2026-01-31") -> Day:
    """The day of an account that has only these files of the demo account."""
    (folder / "account.yml").write_text(US, encoding="utf-8")
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPORTS / name, folder / name)
    return reconcile(open_account(folder, as_of, store=folder / "store"))


def glance(day: Day) -> str:
    """The answer as the reader sees it: one line a row, the cells parted by ` | `."""
    shown = answer.at_a_glance(day).replace("</tr>", "\n").replace("</th>", " | ").replace("</td>", " | ")
    return html.unescape(re.sub(r"<[^>]+>", "", shown))


def test_an_account_without_reports_is_not_told_to_be_well(tmp_path: Path) -> None:
    shown = glance(small_day(tmp_path))
    assert "Nothing is known of this account up to 2026-01-31: no report tells of it." in shown
    assert "✓" not in shown
    assert "· Claimable now | nothing | 0 findings; 19 of 19 kinds of claim lacked a report" in shown
    assert "· Amazon Pay not settled yet | not known | no record of Amazon Pay in the folder" in shown
    assert "? Settlements and payouts that do not tie | not checked | no settlement up to this day was read" in shown


def test_files_that_begin_after_the_day_tell_nothing_of_it(tmp_path: Path) -> None:
    shown = glance(small_day(tmp_path, "reports/fba/customer returns.txt", as_of="2020-01-01"))
    assert "Nothing is known of this account up to 2020-01-01: no report tells of it." in shown


def test_nothing_to_claim_says_how_much_was_not_looked_at(tmp_path: Path) -> None:
    shown = glance(
        small_day(tmp_path, "reports/fba/customer returns.txt", "reports/settlements/2025-11/15262020675.txt")
    )
    told = re.search(r"Nothing can be claimed from Amazon on 2026-01-31, as far as is known: (\d+) of 19 kinds", shown)
    assert told is not None
    assert 0 < int(told[1]) <= 19
    # one settlement that ended in November: nothing differs in it, but nothing is known of the rest, nor of the bank
    assert "? Settlements and payouts that do not tie | all tie as far as known | no gap, no difference; " in shown
    assert "not read, or not for all days: Bank statement (books/bank.csv or books/bank/), Settlements" in shown


def test_settlements_of_amazon_pay_without_the_shops_record_leave_open_what_is_open(tmp_path: Path) -> None:
    file = "reports/amazon-pay/2025-10/2025-10-26-SETTLEMENT_DATA_7008993569.csv"
    shown = glance(small_day(tmp_path, file))
    assert "? Amazon Pay not settled yet | not known | the shop's own record books/pay_activity.csv is missing" in shown


def test_settlements_of_amazon_pay_whose_days_are_not_known_do_not_tie_for_sure(tmp_path: Path) -> None:
    name = "reports/amazon-pay/2025-10/2025-10-26-SETTLEMENT_DATA_7008993569.csv"
    assert name not in glance(small_day(tmp_path, name, "books/bank.csv", as_of="2025-10-28"))
    cut = (tmp_path / name).read_bytes().split(b'"TransactionPostedDate"', 1)[1]  # the lines above the header are gone
    (tmp_path / name).write_bytes(b'"TransactionPostedDate"' + cut)
    told = next(row for row in glance(small_day(tmp_path, as_of="2025-10-28")).split("\n") if "do not tie" in row)
    assert f"not read, or not for all days: Settlements, {name}" in told


def test_what_is_not_owed_is_not_called_unknown() -> None:
    rows = [
        finding(n=1, owed=None),
        finding("pay_overdue", n=2, status="open", owed=None, value_basis="difference"),  # a refund: the buyer's money
        finding("deposit_unexplained", n=3, status="open", owed=None, value_basis=None),
        finding("return_wrong_item", n=4, status="review", owed=None),
        finding("pay_overdue", n=5, status="claimed", owed=None, value_basis="difference"),
    ]
    assert answer.value_of(findings(rows)) == "1 unknown + 4 without an amount"
    assert answer.value_of(findings([finding(n=6), rows[1]])) == "14.40 USD + 1 without an amount"
    assert "nothing is owed to the seller" in sections.legend(make_day())


def test_each_point_that_was_not_checked_is_told_once_and_by_the_reports_name(tmp_path: Path) -> None:
    day = small_day(tmp_path)
    points = gaps.unchecked(day)
    names = points["subject"].to_list()
    assert len(set(names)) == len(names)  # nothing is there: each report is missing for one reason
    assert "Settlements" in names
    assert "FBA inventory ledger, detail" in names
    assert not any("_" in name.split("(")[0] for name in names)
    assert f"? Not checked | {points.height} points |" in glance(day)
    assert sections.not_checked(day).count("<tr>") == 1 + points.height
    fees = points.filter(subject="Settlements")["title"].item()
    assert "Referral fee above the rate" in fees
    assert "Break between two settlements" in fees
    manifest.draft(day, tmp_path)
    assert manifest.read(tmp_path)["answer"]["not_checked"] == points.height
    assert len(manifest.read(tmp_path)["not_checked"]) == day.not_checked.height  # there with every audit
