"""The streaming way of large files: columns without text, words kept coded, sums taken in passing; as careful as the small way."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_lib import frames
from recon_lib.errors import ReportError
from recon_lib.reports import Reading, passes, read, scan, small
from tests.headers import LEDGER, V2

ROWS = 900  # more than the first rows that are looked at
MANY = 6000  # more than one piece that the parser cuts off
Read = Callable[[str], Reading]


def line(amount: str = "1.25", **cells: str) -> str:
    told = {
        "settlement-id": "11", "transaction-type": "Order", "order-id": "111-1", "marketplace-name": "Amazon.com",
        "amount-type": "ItemPrice", "amount-description": "Principal", "amount": amount, "posted-date": "2026-01-05",
        "posted-date-time": "2026-01-05 07:02:16 UTC", "sku": "S1", "quantity-purchased": "1",
    } | {name.replace("_", "-"): text for name, text in cells.items()}  # fmt: skip
    return "\t".join(told.get(name, "") for name in V2)


def settlement(lines: list[str], total: str) -> str:
    summary = {
        "settlement-id": "11", "settlement-start-date": "2026-01-01 00:00:00 UTC", "total-amount": total, "currency": "USD",
        "settlement-end-date": "2026-01-15 00:00:00 UTC", "deposit-date": "2026-01-17 00:00:00 UTC",
    }  # fmt: skip
    return "\n".join(["\t".join(V2), "\t".join(summary.get(name, "") for name in V2), *lines]) + "\n"


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "LIMIT", 0)


@pytest.fixture
def reads(tmp_path: Path, streamed: None) -> Read:
    def one(text: str) -> Reading:
        path = tmp_path / "report.txt"
        path.write_bytes(text.encode())
        return read(path, store=tmp_path / "store", display="report.txt")

    return one


@pytest.fixture
def never_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "judge", None)


def rows_of(reading: Reading, family: str = "settlement_lines") -> pl.DataFrame:
    return reading.rows(family).collect()


def test_a_settlement(reads: Read, never_strict: None) -> None:
    body = [line() for _ in range(ROWS - 1)] + [line("-0.25", posted_date_time="2026-01-09 23:00:00 UTC")]
    got = reads(settlement(body, "1123.50"))  # 899 x 1.25 - 0.25
    assert (got.rows_used, got.rows_rejected, got.notes) == (ROWS + 1, 0, ())
    assert (got.period_from, got.period_to, got.totals) == ("2026-01-05", "2026-01-09", {"USD": Decimal("1123.50")})
    rows = rows_of(got)
    assert rows["line"].to_list() == list(range(3, ROWS + 3))
    assert rows.select("transaction_type", "currency", "promotion_id", "quantity").unique().rows() == [
        ("Order", "USD", None, 1)
    ]
    frames.SettlementLine.validate(rows.insert_column(0, pl.lit("f").alias("file")))
    assert rows_of(got, "settlements").select("line", "settlement_id", "total_amount", "deposit_on").rows() == [
        (2, "11", Decimal("1123.50"), date(2026, 1, 17))
    ]


@pytest.mark.parametrize("told", ["P-1", "7", "true"])
def test_a_column_that_is_filled_late(
    reads: Read, told: str, never_strict: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in the rows that are looked at, text or a number later."""
    monkeypatch.setattr(scan, "PLACES", 1)
    monkeypatch.setattr(scan, "PIECE", 1000)
    got = reads(
        settlement([line() for _ in range(ROWS)] + [line(promotion_id=told, merchant_order_id=told)], "1126.25")
    )
    assert (got.rows_used, got.rows_rejected) == (ROWS + 2, 0)
    assert rows_of(got).filter(pl.col("promotion_id").is_not_null()).select(
        "line", "promotion_id", "merchant_order_id"
    ).rows() == [(ROWS + 3, told, told)]


def test_a_second_summary_row_far_below_is_met(reads: Read) -> None:
    summary = settlement([], "5.00").splitlines()[1]
    with pytest.raises(ReportError, match="several summary rows: lines 2 and 903"):
        reads(settlement([*(line() for _ in range(ROWS)), summary], "1125.00"))


def test_a_long_and_a_short_row_that_make_up_for_each_other(reads: Read) -> None:
    """As many cells as rows times columns, and yet two rows are wrong."""
    body = [line() for _ in range(MANY)]
    body[5500], body[5700] = body[5500] + "\tmore", body[5700].removesuffix("\t")
    got = reads(settlement(body, "7497.50"))
    assert got.rejects.select("line", "reason").rows() == [
        (5503, "the row has 25 fields, the header 24"),
        (5703, "the row has 23 fields, the header 24"),
    ]
    assert got.rows_used == MANY - 2 + 1


def test_a_wrong_cell_in_a_column_that_is_not_kept(reads: Read) -> None:
    body = [*(line() for _ in range(MANY)), line(deposit_date="soon")]
    got = reads(settlement(body, "7500.00"))
    assert got.rejects.select("line", "column", "value").rows() == [(MANY + 3, "deposit-date", "soon")]


@pytest.mark.parametrize("time", ["2026-02-31", "2147483648", "2024-10-01T00:00:00-0730x"])
def test_a_late_time_with_no_known_ending_is_rejected(reads: Read, time: str) -> None:
    """A ledger's times end in -0700 or, in winter, -0800: this one in neither."""
    cells = ["10/01/2024", "X1", "B1", "S1", "T", "Shipments", "R", "-1", "MDW2", "SELLABLE", "", "US", "", ""]

    def quoted(row: list[str]) -> str:
        return "\t".join(f'"{cell}"' for cell in row) + "\n"

    body = quoted([*cells, "2024-10-01T00:00:00-0700", ""]) * ROWS
    got = reads(quoted(LEDGER) + body + quoted([*cells, time, ""]))
    assert got.rejects.rows() == [(ROWS + 2, "Date and Time", time, "is no date that can be read")]
    assert got.rows_used == ROWS


@pytest.mark.parametrize("amount", ["1.234", "1e3", "5.", "12345678901234567.00", "x"])
def test_an_amount_that_is_not_plain_is_rejected(reads: Read, amount: str) -> None:
    got = reads(settlement([*(line() for _ in range(ROWS)), line(amount)], "1125.00"))
    assert got.rejects.select("line", "column", "value").rows() == [(ROWS + 3, "amount", amount)]
    assert (got.rows_used, got.totals, got.notes) == (ROWS + 1, {"USD": Decimal("1125.00")}, ())


@pytest.mark.parametrize(
    ("quantity", "read_as"), [("+2", 2), ("007", 7), ("-3", -3), (" 4", 4), ("5 ", 5), ("6.0", 6), ("1,000", 1000)]
)
def test_a_late_quantity_in_every_way_it_is_written(reads: Read, quantity: str, read_as: int) -> None:
    got = reads(settlement([*(line() for _ in range(MANY)), line(quantity_purchased=quantity)], "7501.25"))
    assert (got.rows_used, got.rows_rejected) == (MANY + 2, 0)
    assert rows_of(got)["quantity"].to_list()[-2:] == [1, read_as]


@pytest.mark.parametrize("quantity", ["1.5", "2147483648", "0x5", "1e3", "\u0663", "true", "5a"])
def test_a_late_quantity_that_is_no_whole_number_is_rejected(reads: Read, quantity: str) -> None:
    got = reads(settlement([*(line() for _ in range(MANY)), line(quantity_purchased=quantity)], "7500.00"))
    assert got.rejects.rows() == [(MANY + 3, "quantity-purchased", quantity, "is no whole number")]
    assert got.rows_used == MANY + 1


@pytest.mark.parametrize("day", ["1899-12-31", "2200-01-01"])
def test_a_day_of_no_report_is_rejected(reads: Read, day: str) -> None:
    body = [*(line() for _ in range(ROWS)), line(posted_date_time=f"{day} 10:00:00 UTC")]
    got = reads(settlement(body, "1125.00"))
    assert got.rejects.select("line", "column", "reason").rows() == [
        (ROWS + 3, "posted-date-time", "is no date that can be read")
    ]


def test_two_currencies_and_a_line_without_its_amount(reads: Read) -> None:
    body = [line(currency="USD" if n % 3 else "CAD") for n in range(ROWS)] + [line("")]
    got = reads(settlement(body, "1125.00"))
    assert got.totals == {"CAD": Decimal("375.00"), "USD": Decimal("750.00")}
    assert got.rejects.rows() == [(ROWS + 3, "amount", None, "is empty")]


@pytest.mark.parametrize("limit", [0, 4 << 20])
def test_a_late_line_of_another_currency_leaves_the_settlement_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(small, "LIMIT", limit)
    body = [line(currency="") for _ in range(ROWS)] + [line(currency="ZAR")]  # the summary row states USD
    (tmp_path / "report.txt").write_text(settlement(body, "1126.25"))
    got = read(tmp_path / "report.txt", store=tmp_path / "store")
    assert got.totals == {"USD": Decimal("1125.00"), "ZAR": Decimal("1.25")}
    assert rows_of(got)["currency"].to_list() == ["USD"] * ROWS + ["ZAR"]


@pytest.mark.parametrize("blank", [" ", "\x0b", "\x0c", "\u00a0"])
def test_a_blank_around_a_late_cell_is_no_part_of_it(reads: Read, blank: str) -> None:
    got = reads(settlement([*(line() for _ in range(ROWS)), line(sku=f"{blank}S2{blank}", order_id=blank)], "1126.25"))
    assert rows_of(got).select("sku", "order_id").row(-1) == ("S2", None)


CELLS = st.sampled_from(["", " ", "1", "+1", " 1", "true", "-1.50", "1,5", "1.234", "USD", "2026-01-05", "2026-02-31", '"', '""', "é", "=1", "1e9", "\x0b"])  # fmt: skip


@pytest.fixture(scope="module")
def first_rows() -> Iterator[None]:
    """Two rows are looked at, so that what is seen late is seen after three."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "SAMPLE_ROWS", 2)
        yield


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 23), CELLS), max_size=2), min_size=3, max_size=9),
    st.sampled_from(["\n", "\r\n"]),
    st.lists(st.tuples(st.integers(3, 8), st.sampled_from(["", "\t", "\tx", "cut"])), max_size=2),
)
def test_the_streaming_way_and_the_small_way_agree(
    first_rows: None, odd: list[list[tuple[int, str]]], end: str, ragged: list[tuple[int, str]]
) -> None:
    body = []
    for changes in odd:
        cells = line().split("\t")
        for at, cell in changes:
            cells[at] = cell
        body.append("\t".join(cells))
    for at, how in ragged:
        if at < len(body):
            body[at] = body[at][: body[at].rfind("\t")] if how == "cut" else body[at] + how
    data = settlement(body, "5.00").replace("\n", end).encode()
    told = []
    for limit in (0, 4 << 20):
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setattr(small, "LIMIT", limit)
            path = Path(folder) / "f"
            path.write_bytes(data)
            try:
                got = read(path, store=Path(folder) / "store")
            except ReportError as problem:
                told.append(str(problem))
                continue
            tables = {family: got.rows(family).collect().rows() for family in got.frames}
            schemas = {family: got.rows(family).collect_schema() for family in got.frames}
            summary = got.rows_used, got.period_from, got.period_to, got.totals, got.notes, got.facts
            told.append((tables, schemas, got.rejects.rows(), summary))
    assert told[0] == told[1]


@pytest.mark.parametrize("limit", [0, 1 << 20])
@pytest.mark.parametrize("broken", [False, True])
def test_a_refund_told_in_two_states_is_counted_once(tmp_path: Path, monkeypatch, limit: int, broken: bool) -> None:
    """In memory, streamed and by the strict pass: 5.00 and 2.50 dollars and 4.00 euros completed, 9.99 only pending."""
    monkeypatch.setattr(small, "LIMIT", limit)
    head = (
        "AmazonRefundId,RefundReferenceId,AmazonCaptureId,AmazonOrderReferenceId,RefundAmount,CurrencyCode,SellerRefundNote,"
        "RefundType,RefundStatus,LastUpdateTimestamp,ReasonCode,CreationTimestamp"
    )
    told = [("R1", "5.00", "USD", "Pending"), ("R1", "5.00", "USD", "Completed"), ("R2", "2.50", "USD", "Completed"),
            ("R3", "9.99", "USD", "Pending"), ("R4", "4.00", "EUR", "completed"), ("R4", "4.00", "EUR", "Pending")]  # fmt: skip
    rows = [
        f'"{i}","r","c","p","{a}","{c}","","SellerInitiated","{s}","2026-01-05T10:00:00 -0800","","2026-01-05T10:00:00 -0800"'
        for i, a, c, s in told
    ]
    rows += [rows[0].replace("5.00", "five")] * broken
    path = tmp_path / "refunds.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    got = read(path, store=tmp_path / "store")
    assert (got.rows_used, got.rows_rejected) == (6, int(broken))
    assert got.totals == {"USD": Decimal("7.50"), "EUR": Decimal("4.00")}
