"""An account folder up to a day: overlaps once, days in the account's zone, nothing dropped without a count."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from recon_lib.audits.evidence import PLACE
from recon_lib.audits.settled_facts import settlement_sums
from recon_lib.books import Books, open_account
from recon_lib.check import check
from recon_lib.errors import NotAReport, ReportError, UsageError
from recon_lib.tieout import settlement_tieout
from tests import headers

Folder = Callable[..., Path]
LEDGER = "\t".join(f'"{name}"' for name in headers.LEDGER) + "\n"
RETURNS = "\t".join(headers.RETURNS) + "\n"
V2 = "\t".join(headers.V2) + "\n"


def ledger(day: str, quantity: int, open_units: int, fnsku: str = "X001") -> str:
    fields = [
        day,
        fnsku,
        "B01",
        "SKU-1",
        "Cup",
        "Adjustments",
        "7",
        str(quantity),
        "PHX3",
        "SELLABLE",
        "M",
        "US",
        "0",
        str(open_units),
    ]
    return (
        "\t".join(f'"{field}"' for field in [*fields, f"{day[6:]}-{day[:2]}-{day[3:5]}T00:00:00-0700", "store"]) + "\n"
    )


def returned(at: str, order: str, plate: str) -> str:
    return f"{at}\t{order}\tSKU-1\tB01\tX001\tCup\t1\tPHX3\tSELLABLE\tOTHER\tUnit returned to inventory\t{plate}\tcall me\n"


def settlement(number: str, total: str, amounts: list[str], start: str = "2026-01-01", end: str = "2026-01-15") -> str:
    summary = [number, f"{start} 08:00:00 UTC", f"{end} 08:00:00 UTC", f"{end} 10:00:00 UTC", total, "USD"]
    rows = ["\t".join(summary + [""] * 18)]
    for order, amount in enumerate(amounts):
        line = [
            number,
            "",
            "",
            "",
            "",
            "",
            "Order",
            f"111-{order}",
            "",
            "",
            f"S{order}",
            "Amazon.com",
            "ItemPrice",
            "Principal",
            amount,
        ]
        rows.append(
            "\t".join([*line, "AFN", "2026-01-10", "2026-01-10 12:00:00 UTC", f"I{order}", "", "", "SKU-1", "1", ""])
        )
    return V2 + "\n".join(rows) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    def make(files: dict[str, str | bytes], settings: str = "account: a\nmarketplace: US\n") -> Path:
        account = tmp_path / "account"
        for name, content in {"account.yml": settings, **files}.items():
            path = account / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return account

    return make


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[Path, str], Books]:
    return lambda account, day: open_account(account, day, store=tmp_path / "store")


def test_the_same_event_in_two_downloads_counts_once_and_shows_the_newest_opinion(
    folder: Folder, opened: Callable[..., Books]
) -> None:
    first = LEDGER + ledger("01/03/2026", -1, 1) + ledger("01/05/2026", -2, 2)
    second = LEDGER + ledger("01/05/2026", -2, 0) + ledger("01/20/2026", -1, 1)
    books = opened(folder({"reports/jan.txt": first, "reports/feb.txt": second}), "2026-01-31")
    rows = books.frames["ledger_detail"].sort("event_on").collect()
    assert rows["quantity"].to_list() == [-1, -2, -1]
    assert rows["unreconciled_quantity"].to_list() == [1, 0, 1]
    assert rows["file"].to_list() == ["reports/jan.txt", "reports/feb.txt", "reports/feb.txt"]
    files = {row["path"]: row for row in books.files.to_dicts()}
    assert (files["reports/jan.txt"]["rows_used"], files["reports/jan.txt"]["rows_repeated"]) == (2, 1)
    assert (files["reports/feb.txt"]["rows_used"], files["reports/feb.txt"]["rows_repeated"]) == (2, 0)
    assert books.coverage("ledger_detail") == [(date(2026, 1, 3), date(2026, 1, 20))]


def test_twins_in_one_file_both_count_also_beside_an_overlap(folder: Folder, opened: Callable[..., Books]) -> None:
    twins = LEDGER + ledger("01/05/2026", -1, 1) * 2
    books = opened(
        folder({"reports/a.txt": twins, "reports/b.txt": LEDGER + ledger("01/05/2026", -1, 1)}), "2026-01-31"
    )
    assert books.frames["ledger_detail"].collect().height == 2


def test_equal_content_under_two_names_is_one_file(folder: Folder, opened: Callable[..., Books]) -> None:
    text = LEDGER + ledger("01/05/2026", -1, 1)
    books = opened(
        folder({"reports/a.txt": text, "reports/b.txt.gz": gzip.compress(text.encode(), mtime=0)}), "2026-01-31"
    )
    assert books.frames["ledger_detail"].collect()["file"].to_list() == ["reports/a.txt"]
    assert books.files["rows_repeated"].to_list() == [0, 1]


def test_the_day_ends_in_the_accounts_zone(folder: Folder, opened: Callable[..., Books]) -> None:
    late = returned("2026-02-01T07:59:59+00:00", "111-1", "LPN1")  # 31 January, 23:59:59 in California
    next_day = returned("2026-02-01T08:00:00+00:00", "111-2", "LPN2")
    account = folder({"reports/returns.txt": RETURNS + late + next_day})
    books = opened(account, "2026-01-31")
    rows = books.frames["customer_returns"].collect()
    assert (rows["order_id"].to_list(), rows["returned_on"].to_list()) == (["111-1"], [date(2026, 1, 31)])
    assert books.files["rows_after"].to_list() == [1]
    # a row that counts on the last day of the account must not be told as one of the day after
    assert books.files.select("period_from", "period_to").rows() == [(date(2026, 1, 31), date(2026, 2, 1))]
    assert opened(account, "2026-02-01").frames["customer_returns"].collect().height == 2


def test_a_bad_row_is_told_and_the_rest_walks_on(folder: Folder, opened: Callable[..., Books]) -> None:
    text = RETURNS + returned("2026-01-01T08:00:00+00:00", "111-1", "LPN1") + returned("2026-02-31", "111-2", "LPN2")
    books = opened(folder({"reports/returns.txt": text}), "2026-01-31")
    assert books.frames["customer_returns"].collect().height == 1
    (reject,) = books.rejects.to_dicts()
    assert (reject["file"], reject["line"], reject["value"]) == ("reports/returns.txt", 3, "2026-02-31")
    assert books.files["rows_rejected"].to_list() == [1]
    assert "call me" not in str(books.rejects.to_dicts())


def test_a_settlement_that_has_not_ended_states_no_total_yet(folder: Folder, opened: Callable[..., Books]) -> None:
    account = folder({"reports/s.txt": settlement("900", "30.00", ["10.00", "20.00"])})
    before = opened(account, "2026-01-12")
    assert before.frames["settlement_lines"].collect().height == 2
    assert before.frames["settlements"].collect().height == 0
    books = opened(account, "2026-01-31")
    (tie,) = settlement_tieout(books.frames["settlements"], settlement_sums(books)).to_dicts()
    assert (tie["lines"], tie["lines_amount"], tie["total_amount"], tie["difference"]) == (
        2,
        Decimal(30),
        Decimal(30),
        0,
    )
    assert books.coverage("settlement_lines") == [(date(2026, 1, 1), date(2026, 1, 15))]


def test_a_settlement_downloaded_again_counts_once(folder: Folder, opened: Callable[..., Books]) -> None:
    whole = settlement("900", "30.00", ["10.00", "20.00"])
    part = settlement("900", "30.00", ["10.00"])
    books = opened(folder({"reports/a.txt": part, "reports/b.txt": whole}), "2026-01-31")
    assert books.frames["settlement_lines"].collect()["file"].unique().to_list() == ["reports/b.txt"]
    assert books.files.select("path", "rows_used", "rows_repeated").rows() == [
        ("reports/a.txt", 2, 2),
        ("reports/b.txt", 3, 0),
    ]


@pytest.mark.parametrize(
    "other",
    [settlement("900", "31.00", ["10.00", "20.00"]), settlement("900", "30.00", ["10.00", "20.50"])],
    ids=["total", "rows"],
)
def test_two_stories_under_one_settlement_id_are_both_named(
    folder: Folder, opened: Callable[..., Books], other: str
) -> None:
    account = folder({"reports/a.txt": settlement("900", "30.00", ["10.00", "20.00"]), "reports/b.txt": other})
    with pytest.raises(ReportError, match="settlement 900") as problem:
        opened(account, "2026-01-31")
    assert "reports/a.txt" in str(problem.value)
    assert "reports/b.txt" in str(problem.value)


def test_what_is_no_report_is_listed_and_what_is_a_broken_one_stops_the_packet(
    folder: Folder, opened: Callable[..., Books]
) -> None:
    account = folder({"reports/readme.md": "# Where these files come from\n\nFrom Amazon.\n", "reports/r.txt": RETURNS})
    books = opened(account, "2026-01-31")
    assert books.files.filter(pl.col("family").is_null())["path"].to_list() == ["reports/readme.md"]
    assert books.has("customer_returns")
    assert not books.has("ledger_detail")
    assert books.frames["ledger_detail"].collect().height == 0
    (account / "reports" / "broken.txt").write_text(RETURNS.replace("\torder-id", "\tNúmero"), encoding="utf-8")
    with pytest.raises(ReportError, match=r"reports/broken\.txt"):
        opened(account, "2026-01-31")


def test_a_file_in_books_must_be_one_of_the_sellers_records(folder: Folder, opened: Callable[..., Books]) -> None:
    with pytest.raises(ReportError, match=r"books/notes\.txt"):
        opened(folder({"books/notes.txt": "remember the milk\n"}), "2026-01-31")


def test_a_link_out_of_the_account_is_refused(folder: Folder, opened: Callable[..., Books], tmp_path: Path) -> None:
    account = folder({"reports/r.txt": RETURNS})
    (tmp_path / "secret.txt").write_text(RETURNS)
    (account / "reports" / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(ReportError, match="leads out"):
        opened(account, "2026-01-31")


def test_a_link_to_a_folder_outside_is_refused_and_one_within_is_left_alone(
    folder: Folder, opened: Callable[..., Books], tmp_path: Path
) -> None:
    """Its files were missing from the packet without a word."""
    account = folder({"reports/old/r.txt": RETURNS})
    (account / "reports" / "again").symlink_to(account / "reports" / "old")
    assert opened(account, "2026-01-31").files["path"].to_list() == ["reports/old/r.txt"]
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "s.txt").write_text(RETURNS)
    (account / "reports" / "new").symlink_to(tmp_path / "downloads")
    with pytest.raises(ReportError, match="reports/new: is a link that leads out of the account folder") as told:
        opened(account, "2026-01-31")
    assert "copy the folder into reports/" in str(told.value)


def test_a_link_to_a_folder_of_the_account_that_is_not_read_is_refused(
    folder: Folder, opened: Callable[..., Books]
) -> None:
    """Who keeps older downloads in archive/ and links them into reports/ missed them without a word."""
    account = folder({"reports/r.txt": RETURNS, "archive/s.txt": RETURNS})
    (account / "reports" / "all").symlink_to(account)  # leads to reports/ itself
    assert opened(account, "2026-01-31").files["path"].to_list() == ["reports/r.txt"]
    (account / "reports" / "archive").symlink_to(account / "archive")
    with pytest.raises(ReportError, match="reports/archive: is a link to a folder that is not read") as told:
        opened(account, "2026-01-31")
    assert "copy the folder into reports/" in str(told.value)


def test_a_folder_that_cannot_be_opened_is_said(
    folder: Folder, opened: Callable[..., Books], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The packet was made without its files, and the captures that they settle waited for a report."""
    account = folder({"reports/closed/r.txt": RETURNS})
    scan = os.scandir

    def closed(path: str | Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(ReportError, match="reports/closed: the folder cannot be opened: Permission denied"):
        opened(account, "2026-01-31")


def test_no_folder_and_no_day_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        open_account(tmp_path / "nowhere", "2026-01-31")


def test_a_second_opening_parses_nothing(
    folder: Folder, opened: Callable[..., Books], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = folder({"reports/r.txt": RETURNS + returned("2026-01-01T08:00:00+00:00", "111-1", "LPN1")})
    first = opened(account, "2026-01-31").frames["customer_returns"].collect()

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr(pl, "scan_csv", fail)
    monkeypatch.setattr(pl, "read_csv", fail)
    assert opened(account, "2026-01-31").frames["customer_returns"].collect().equals(first)


def test_files_read_side_by_side_are_told_in_the_order_of_their_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "account.yml").write_text("account: order\nmarketplace: US\n")
    names = [f"reports/{n}.txt" for n in range(8)]
    for n, name in enumerate(names):
        (tmp_path / name).write_text("x" * (400_000 if n == 2 else n))

    def slow(path: Path, display: str, store: Path, account: object) -> list[tuple[str, NotAReport]]:
        time.sleep(0.02 if path.stem in "04" else 0)
        return [(display, NotAReport(f"is number {path.stem}"))]

    monkeypatch.setattr("recon_lib.books.read_path", slow)
    told = open_account(tmp_path, "2026-01-31", store=tmp_path / "store").files
    assert told["path"].to_list() == names
    assert told["notes"].to_list() == [f"is number {n}" for n in range(8)]


def test_a_file_of_one_row_that_is_left_aside_stands_between_others(
    folder: Folder, opened: Callable[..., Books]
) -> None:
    bank = "booked_on,amount,currency,description,reference\n2026-01-{},{},USD,AMAZON,R{}\n"
    files = {
        "books/a.csv": bank.format("05", "10.00", 1) + "2026-01-06,11.00,USD,AMAZON,R2\n" * 99,
        "books/b.csv": bank.format("07", "-5.00", 3),
        "books/c.csv": bank.format("08", "12.00", 4) + "2026-01-09,13.00,USD,AMAZON,R5\n",
    }
    books = opened(folder(files), "2026-01-31")
    came = books.frames["bank"].filter(pl.col("amount") > 0).select(PLACE.alias("place")).collect()
    assert came["place"].to_list()[-2:] == ["books/c.csv:2", "books/c.csv:3"]
    assert came.height == 102


PRODUCTS = (
    "sku,fnsku,asin,category,unit_cost,currency,cost_from,longest_side,median_side,shortest_side,dimension_unit,weight"
)
RECEIPTS = "order_id,tracking_number,fnsku,received_on,quantity_received"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("products.csv", PRODUCTS + "\nA,X,B,Toys,1,USD,2026-01-01,1,1,1,in,1\n",
         ["lacks weight_unit", f"Hoped for: the header {PRODUCTS},weight_unit", "add the columns"]),
        ("products.csv", "sku,fnsku\nA,X\n", ["has not the header of products.csv", f"the header {PRODUCTS},weight_unit"]),
        ("removal_receipts.csv", "order_id,tracking_number,fnsku,quantity_received\nO,T,X,1\n",
         ["has not the header of removal_receipts.csv", f"the header {RECEIPTS}"]),
        ("pay_activity-2026.csv", "activity_at,kind,amazon_transaction_id,amount,currency\n2026-01-01T00:00:00Z,capture,P,1.00,USD\n",
         ["lacks seller_reference_id, seller_order_id, order_reference_id", "the header activity_at,kind,"]),
        ("notes.txt", "remember the milk\n", ["is no report", "products.csv, pay_activity.csv", "take it out of books/"]),
        ("bank/giro.csv", "Buchungstag;Betrag\n01.02.2026;1,00\n", ["CAMT.053", "write books/bank/mapping.yml"]),
    ],
)  # fmt: skip
def test_a_file_of_the_sellers_own_is_told_with_the_header_it_needs(
    folder: Folder, opened: Callable[..., Books], tmp_path: Path, name: str, content: str, told: list[str]
) -> None:
    account = folder({f"books/{name}": content})
    with pytest.raises(ReportError) as problem:
        opened(account, "2026-01-31")
    said = str(problem.value)
    assert said.startswith(f"books/{name}")
    assert all(words in said for words in told), said
    assert "Amazon writes" not in said
    looked = check([account], store=tmp_path / "store")
    assert looked.exit_code == 2  # as the packet says
    assert [(r.met, r.hoped, r.do) for r in looked.refusals] == [
        (problem.value.met, problem.value.hoped, problem.value.do)
    ]


def test_a_workbook_among_the_sellers_own_is_to_be_saved_as_csv(
    folder: Folder, opened: Callable[..., Books], tmp_path: Path
) -> None:
    import xlsxwriter

    for name in ("products.xlsx", "products.csv", "bank/giro.xlsx"):  # also one that was only given another name
        account = folder({})
        path = account / "books" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        book = xlsxwriter.Workbook(str(path), {"in_memory": True})
        book.add_worksheet().write_row(0, 0, PRODUCTS.split(","))
        book.close()
        with pytest.raises(ReportError) as problem:
            opened(account, "2026-01-31")
        assert problem.value.met == "is a spreadsheet or document"
        assert str(problem.value.do).startswith("save its sheet as CSV (commas, UTF-8); ")
        assert [r.do for r in check([account], store=tmp_path / "store").refusals] == [problem.value.do]
        path.unlink()


def test_records_of_instants_and_closing_days_tell_their_period(
    folder: Folder, opened: Callable[..., Books], tmp_path: Path
) -> None:
    head = (
        "activity_at,kind,amazon_transaction_id,seller_reference_id,seller_order_id,order_reference_id,amount,currency"
    )
    account = folder({
        # 1 January 03:00 UTC is still 31 December in Los Angeles
        "books/pay_activity.csv": f"{head}\n2026-01-01T03:00:00Z,capture,P1,,,,1.00,USD\n2026-01-20T20:00:00Z,capture,P2,,,,1.00,USD\n",
        "books/inbound_shipments.csv": "shipment_id,status,closed_on,sku,fnsku,quantity_shipped,quantity_received\n"
        "S1,CLOSED,2026-01-05,A,X,1,1\nS2,WORKING,,A,X,1,0\nS3,CLOSED,2026-01-07,A,X,1,1\n",
    })  # fmt: skip
    books = opened(account, "2026-01-31")
    told = {path: (first, last) for path, first, last in books.files.select("path", "period_from", "period_to").rows()}
    assert told == {
        "books/inbound_shipments.csv": (date(2026, 1, 5), date(2026, 1, 7)),
        "books/pay_activity.csv": (date(2025, 12, 31), date(2026, 1, 20)),
    }
    # the records of a shop say nothing of the time that Amazon's reports cover
    assert books.coverage("pay_activity") == books.coverage("inbound_shipments") == []
    looked = {Path(row.file).name: (row.period_from, row.period_to) for row in check([account], store=tmp_path).rows}
    assert looked["pay_activity.csv"] == ("2026-01-01", "2026-01-20")  # by UTC: check knows no zone
    assert looked["inbound_shipments.csv"] == ("2026-01-05", "2026-01-07")


def test_what_a_shared_folder_gathers_stops_no_packet(
    folder: Folder, opened: Callable[..., Books], tmp_path: Path
) -> None:
    """Windows, Office and network disks leave files of their own beside the seller's records; nobody put them there."""
    litter = [
        "books/Thumbs.db", "books/desktop.ini", "books/~$costs.xlsx", "books/bank/~$bank.xlsx", "reports/~$costs.xlsx",
        "reports/@eaDir/a.txt@SynoEAStream", "reports/x/Desktop.ini",
    ]  # fmt: skip
    account = folder({"reports/a.txt": LEDGER + ledger("01/05/2026", -1, 1)} | dict.fromkeys(litter, "\x03Ana\0\0"))
    books = opened(account, "2026-01-31")
    aside = books.files.filter(pl.col("family").is_null())
    assert aside["path"].to_list() == sorted(litter)
    assert set(aside["notes"]) == {"is written by the operating system, not by Amazon"}
    looked = check([account], store=tmp_path / "store")
    assert looked.exit_code == 0
    assert sum("not a report: is written by the operating system" in row.what for row in looked.rows) == len(litter)
