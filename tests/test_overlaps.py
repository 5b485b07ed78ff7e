"""Only files that tell of the same time are merged: a day that is added leaves what is settled as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_lib.books import Books, open_account
from recon_lib.errors import ReportError
from recon_lib.merging import overlapping

SETTINGS = """account: shop
marketplace: US
time_zone: America/Los_Angeles
currency: USD
match_keys: [AmazonTransactionId]
pay_fees: [{currency: USD, from: 2020-01-01, percentage: 2.9, fixed: 0.30, refund_percentage_returned: true,
  refund_fixed_returned: false, dispute: 20.00}]
"""
HEAD = "activity_at,kind,amazon_transaction_id,seller_reference_id,seller_order_id,order_reference_id,amount,currency\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "shop"
    (place / "books").mkdir(parents=True)
    (place / "account.yml").write_text(SETTINGS)
    return place


def write(folder: Path, name: str, *rows: str) -> None:
    """Rows like `05 10:00 C1`: day of January 2026, UTC, and the capture's id."""
    lines = [
        f"2026-01-{day}T{clock}:00+00:00,capture,{number},,,,1.00,USD\n" for day, clock, number in map(str.split, rows)
    ]
    (folder / "books" / name).write_text(HEAD + "".join(lines))


def opened(folder: Path, tmp_path: Path) -> Books:
    return open_account(folder, "2026-01-31", store=tmp_path / "store")


def captures(books: Books) -> list[str]:
    return sorted(books.frames["pay_activity"].select("amazon_transaction_id").collect().to_series().to_list())


def merged(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "store" / "merged").glob("*.parquet"))


def test_files_that_follow_each_other_are_left_as_they_are(folder: Path, tmp_path: Path) -> None:
    write(folder, "a.csv", "05 10:00 C1", "05 12:00 C2")
    write(folder, "b.csv", "05 12:01 C3", "06 09:00 C4")
    write(folder, "c.csv", "06 09:01 C5", "06 09:01 C5")  # twins inside a file both count
    books = opened(folder, tmp_path)
    assert captures(books) == ["C1", "C2", "C3", "C4", "C5", "C5"]
    assert books.files["rows_repeated"].to_list() == [0, 0, 0]
    assert merged(tmp_path) == []


def test_a_row_at_the_very_instant_where_files_meet_counts_once(folder: Path, tmp_path: Path) -> None:
    write(folder, "a.csv", "05 10:00 C1", "05 12:00 C2")
    write(folder, "b.csv", "05 12:00 C2", "05 12:00 C3")
    write(folder, "c.csv", "05 12:01 C1")
    books = opened(folder, tmp_path)
    assert captures(books) == ["C1", "C1", "C2", "C3"]  # C1 at another instant is another row
    assert sum(books.files["rows_repeated"].to_list()) == 1
    assert len(merged(tmp_path)) == 1


def test_a_day_that_is_added_merges_nothing_anew(folder: Path, tmp_path: Path) -> None:
    write(folder, "a.csv", "05 10:00 C1", "05 12:00 C2")
    write(folder, "b.csv", "05 11:00 C9", "05 12:00 C2")
    opened(folder, tmp_path)
    before = merged(tmp_path)
    assert len(before) == 1
    write(folder, "0.csv", "07 10:00 C7")  # first by name, later in time
    books = opened(folder, tmp_path)
    assert captures(books) == ["C1", "C2", "C7", "C9"]
    assert merged(tmp_path) == before
    places = books.frames["pay_activity"].select("file", "line").collect()
    assert places.unique().height == 4
    assert set(places["file"]) <= {"books/0.csv", "books/a.csv", "books/b.csv"}


def test_rows_are_merged_anew_where_the_way_of_merging_is_another(folder, tmp_path, monkeypatch) -> None:
    write(folder, "a.csv", "05 10:00 C1", "05 12:00 C2")
    write(folder, "b.csv", "05 11:00 C9", "05 12:00 C2")
    opened(folder, tmp_path)
    before = merged(tmp_path)
    monkeypatch.setattr("recon_lib.overlaps._version", lambda: "another")
    opened(folder, tmp_path)
    assert len(merged(tmp_path)) == 2
    assert before[0] in merged(tmp_path)


periods = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=7)


@given(periods)
def test_spans_are_exactly_the_numbers_that_two_periods_hold(starts: list[tuple[int, int]]) -> None:
    given_periods = [(start, start + length) for start, length in starts]
    inside = {n for start, end in overlapping(given_periods) for n in range(start, end + 1)}
    assert inside == {n for n in range(50) if sum(start <= n <= end for start, end in given_periods) >= 2}


def test_a_parcel_counts_once_where_downloads_of_two_zones_meet_at_the_ends_of_their_days(
    folder: Path, tmp_path: Path
) -> None:
    head = "amazon-order-id\tshipment-item-id\tshipment-date\tsku\tquantity-shipped\n"
    (folder / "reports").mkdir()
    (folder / "reports" / "a.txt").write_text(
        f"{head}O1\tD1\t2026-01-05T09:00:00-08:00\tS\t1\nO2\tD2\t2026-01-05T20:00:00-08:00\tS\t1\n"
    )
    # D2 again, which lies on the 6th in UTC: the written days of the two files do not meet
    (folder / "reports" / "b.txt").write_text(
        f"{head}O2\tD2\t2026-01-06T04:00:00+00:00\tS\t1\nO3\tD3\t2026-01-06T10:00:00+00:00\tS\t1\n"
    )
    books = opened(folder, tmp_path)
    shipped = books.frames["fulfilled_shipments"].collect()
    assert sorted(shipped["shipment_item_id"]) == ["D1", "D2", "D3"]
    assert books.files["rows_repeated"].sum() == 1


NAMES = (
    "settlement-id|settlement-start-date|settlement-end-date|deposit-date|total-amount|currency|transaction-type|order-id"
    "|amount-type|amount-description|amount|posted-date|posted-date-time|sku|quantity-purchased|promotion-id"
)
LINES = (
    "901|2026-01-01 00:00:00 UTC|2026-01-14 00:00:00 UTC|2026-01-16 00:00:00 UTC|8.00|USD||||||||||",
    "901||||||Order|O1|ItemPrice|Principal|10.00|2026-01-03|2026-01-03 10:00:00 UTC|S|1|",
    "901||||||Order|O1|Promotion|Principal|-2.00|2026-01-03|2026-01-03 10:00:00 UTC|S|1|P9",
)


def settlement(without: tuple[str, ...] = (), lines: tuple[str, ...] = LINES) -> str:
    """The file with or without some columns."""
    rows = [line.split("|") for line in (NAMES, *lines)]
    kept = [at for at, name in enumerate(rows[0]) if name not in without]
    return "".join("\t".join(row[at] for at in kept) + "\n" for row in rows)


@pytest.mark.parametrize("lacking", [("promotion-id",), ("promotion-id", "posted-date-time")])
@pytest.mark.parametrize("fuller", ["a.txt", "b.txt"])
def test_a_settlement_downloaded_again_in_a_layout_of_fewer_columns_counts_once(
    folder: Path, tmp_path: Path, lacking: tuple[str, ...], fuller: str
) -> None:
    (folder / "reports").mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / "reports" / name).write_text(settlement(() if name == fuller else lacking))
    books = opened(folder, tmp_path)
    lines = books.frames["settlement_lines"].collect()
    assert lines.select("amount", "promotion_id").rows() == [(10, None), (-2, "P9")]
    assert lines["posted_at"].null_count() == 0
    assert books.frames["settlements"].collect().height == 1
    assert sorted(books.files["rows_repeated"]) == [0, 3]


def test_fewer_columns_do_not_hide_another_amount(folder: Path, tmp_path: Path) -> None:
    (folder / "reports").mkdir()
    other = tuple(line.replace("-2.00", "-3.00") for line in LINES)
    (folder / "reports" / "a.txt").write_text(settlement())
    (folder / "reports" / "b.txt").write_text(settlement(("promotion-id",), other))
    with pytest.raises(ReportError, match="neither contains the rows of the other"):
        opened(folder, tmp_path)


@pytest.mark.parametrize(
    ("older", "newer"), [("2026-01-02T08:00:00+00:00", "1/9/2026 0:00"), ("1/2/2026 0:00", "2026-01-09T08:00:00+00:00")]
)
@pytest.mark.parametrize("names", ["ab", "ba"])
def test_the_newest_state_of_a_removal_wins_where_a_download_tells_days_alone(
    folder: Path, tmp_path: Path, older: str, newer: str, names: str
) -> None:
    """A spreadsheet that saves a report leaves the day and no zone."""
    head = (
        "request-date\torder-id\torder-type\torder-status\tlast-updated-date\tfnsku\trequested-quantity\tcancelled-quantity"
        "\tdisposed-quantity\tshipped-quantity\tin-process-quantity\n"
    )
    (folder / "reports").mkdir()
    for name, updated, shipped in zip(names, (older, newer), (1, 5), strict=True):
        row = f"2026-01-01\tR1\tReturn\tPending\t{updated}\tX\t5\t0\t0\t{shipped}\t{5 - shipped}\n"
        (folder / "reports" / f"{name}.txt").write_text(head + row)
    for day, shipped in (("2026-01-31", 5), ("2026-01-09", 5), ("2026-01-08", 1)):
        books = open_account(folder, day, store=tmp_path / "store")
        assert books.frames["removal_orders"].collect()["shipped_quantity"].to_list() == [shipped]
