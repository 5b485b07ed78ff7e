"""Cells: every written shape of numbers and dates, against values worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from recon_lib.money import MONEY
from recon_lib.reports import cells, dates

POINT = {
    "12.34": "12.34", "-12.34": "-12.34", "+5.00": "5.00", ".5": "0.50", "0": "0", "1,234.56": "1234.56", "1,234": "1234",
    "1,44,957.78": "144957.78", "($5.00)": "-5.00", "12.50-": "-12.50", "−3.00": "-3.00", "1\u00a0234.50": "1234.50",
    "1'234.50": "1234.50", "USD 5.00": "5.00", "5.00 USD": "5.00", "32.09    ": "32.09", "- 5.00": "-5.00",
    "£1,000": "1000", "-$5.00": "-5.00", "₹1,00,000.00": "100000.00",
}  # fmt: skip
COMMA = {
    "95,00": "95.00", "1.234,56": "1234.56", "1.234": "1234", "12.000": "12000", "1\u202f234,56": "1234.56",
    "-1 135,72": "-1135.72", "5,00 €": "5.00", "(12,50)": "-12.50", "12,5": "12.50", "7": "7",
}  # fmt: skip
NEVER = [
    "1e3",
    "1e400",
    "NaN",
    "inf",
    "0x10",
    "abc",
    "12,34,5",
    "5.",
    "--1",
    "1 2",
    "1234567890123456",
    "=1+1",
    "'5",
    "1_0",
]


def money(words: list[str], mark: str | None) -> list[Decimal | None]:
    frame = pl.DataFrame({"t": words}, schema={"t": pl.String})
    return frame.select(cells.rich_number(pl.col("t"), "money", MONEY, mark))["t"].to_list()


def on_at(words: list[str], plan: dates.DatePlan) -> list[tuple[datetime | None, date | None]]:
    at, on = dates.read(pl.col("t"), plan)
    return pl.DataFrame({"t": words}, schema={"t": pl.String}).select(at.alias("at"), on.alias("on")).rows()


def test_numbers_with_a_decimal_point() -> None:
    assert money(list(POINT), ".") == [Decimal(v) for v in POINT.values()]


def test_numbers_with_a_decimal_comma() -> None:
    assert money(list(COMMA), ",") == [Decimal(v) for v in COMMA.values()]


@pytest.mark.parametrize("mark", [".", ",", None])
def test_what_is_no_number_is_never_guessed(mark: str | None) -> None:
    assert money(NEVER, mark) == [None] * len(NEVER)


def test_the_other_mark_is_no_decimal_mark() -> None:
    assert money(["12,34", "12.000", "0.123"], ".") == [None, None, None]
    assert money(["12.34", "12,000", "0,123"], ",") == [None, None, None]


def test_without_evidence_a_mark_is_not_read() -> None:
    assert money(["1.234", "1,234", "12.34", "12", "-7"], None) == [None, None, None, Decimal(12), Decimal(-7)]


@pytest.mark.parametrize(
    ("points", "commas", "language", "mark"),
    [(3, 0, None, "."), (0, 3, None, ","), (0, 0, None, None), (0, 0, "de", ","), (0, 0, "ja", "."), (9, 1, "de", "."), (2, 2, "de", None)],
)  # fmt: skip
def test_the_mark_is_decided_by_the_file(points: int, commas: int, language: str | None, mark: str | None) -> None:
    assert cells.decide_mark(points, commas, language)[0] == mark


def test_evidence_counts_cells_that_show_a_mark() -> None:
    frame = pl.DataFrame({"t": ["1.50", "1,234.5", "2,5", "1.234", "-0.125", "7", None, "($3.10)"]})
    a, b = cells.mark_evidence(pl.col("t"))
    assert frame.select(a.alias("a"), b.alias("b")).row(0) == (4, 1)


def test_whole_numbers() -> None:
    words = ["10", "10.0", "1,000", "1.000", "-5", "(5)", "5-", "1 000", "10.5", "99999999999", "1,00"]
    got = pl.DataFrame({"t": words}).select(cells.rich_number(pl.col("t"), "int", pl.Int32(), None))["t"].to_list()
    assert got == [10, 10, 1000, 1000, -5, -5, -5, 1000, None, None, 1]


WRITTEN = {
    "2026-02-28": (None, date(2026, 2, 28)),
    "2026-08-12 PDT": (None, date(2026, 8, 12)),
    "2015-10-01T07:06:47 -0700": (datetime(2015, 10, 1, 14, 6, 47, tzinfo=UTC), date(2015, 10, 1)),
    "2025-10-31T13:47:11+00:00": (datetime(2025, 10, 31, 13, 47, 11, tzinfo=UTC), date(2025, 10, 31)),
    "2026-03-13 20:21:38 UTC": (datetime(2026, 3, 13, 20, 21, 38, tzinfo=UTC), date(2026, 3, 13)),
    "2026-03-13 20:21:38": (None, date(2026, 3, 13)),
    "14.03.2026": (None, date(2026, 3, 14)),
    "14.03.2026 08:49:04 UTC": (datetime(2026, 3, 14, 8, 49, 4, tzinfo=UTC), date(2026, 3, 14)),
    "01.05.2017 00:12:34 GMT+02:00": (datetime(2017, 4, 30, 22, 12, 34, tzinfo=UTC), date(2017, 5, 1)),
    "1 May 2017 00:12:34 GMT+01:00": (datetime(2017, 4, 30, 23, 12, 34, tzinfo=UTC), date(2017, 5, 1)),
    "Dec 1, 2017 12:38:23 AM PST": (datetime(2017, 12, 1, 8, 38, 23, tzinfo=UTC), date(2017, 12, 1)),
    "Oct 1, 2026 11:30:00 PM PDT": (datetime(2026, 10, 2, 6, 30, tzinfo=UTC), date(2026, 10, 1)),
    "2017-05-01 1:02:03 a.m. PDT": (datetime(2017, 5, 1, 8, 2, 3, tzinfo=UTC), date(2017, 5, 1)),
    "1 juil. 2025 10:00:00 UTC": (datetime(2025, 7, 1, 10, tzinfo=UTC), date(2025, 7, 1)),
    "30 juin 2025 22:31:31 UTC": (datetime(2025, 6, 30, 22, 31, 31, tzinfo=UTC), date(2025, 6, 30)),
    "15 Mar 2026 3:22:08 PM UTC": (datetime(2026, 3, 15, 15, 22, 8, tzinfo=UTC), date(2026, 3, 15)),
    "1 mag 2017 00.12.34 GMT+02:00": (datetime(2017, 4, 30, 22, 12, 34, tzinfo=UTC), date(2017, 5, 1)),
    "1/mag/2017 00.12.34 GMT+02:00": (datetime(2017, 4, 30, 22, 12, 34, tzinfo=UTC), date(2017, 5, 1)),
    "1er mai 2017 00:12:34 GMT+02:00": (datetime(2017, 4, 30, 22, 12, 34, tzinfo=UTC), date(2017, 5, 1)),
    "2024/12/01 8:15:22JST": (datetime(2024, 11, 30, 23, 15, 22, tzinfo=UTC), date(2024, 12, 1)),
    "05-JAN-2025": (None, date(2025, 1, 5)),
    "18-Aug-26": (None, date(2026, 8, 18)),  # as a spreadsheet saves 18-AUG-2026
    "31-12-2025": (None, date(2025, 12, 31)),
}  # fmt: skip


def test_every_written_date_in_one_column() -> None:
    assert dict(zip(WRITTEN, on_at(list(WRITTEN), dates.DatePlan()), strict=True)) == WRITTEN


@pytest.mark.parametrize("word", WRITTEN)
def test_a_sniffed_column_reads_as_the_grammar_does(word: str) -> None:
    plan = dates.sniff([word], month_first=False)
    assert on_at([word], plan) == [WRITTEN[word]]


@pytest.mark.parametrize(
    "word",
    ["2026-02-30", "2026-02-31 10:00:00 UTC", "2026-13-01", "31.02.2026", "Feb 30, 2026", "2026-01-01 25:00:00 UTC", "x",
     "Dec 1, 2017 13:38:23 PM PST", "2026-01-01 10:00:00 XYZ", "2026", "1 Foo 2026", "18-Aug", "31-Feb-26", "1 May 10:00", "0026-08-18", "18-Aug-126", "02/31/2026", "2026-01-01 10:00 +99:00"],
)  # fmt: skip
def test_impossible_dates_are_not_read(word: str) -> None:
    assert on_at([word], dates.DatePlan()) == [(None, None)]
    assert on_at([word], dates.sniff([word])) == [(None, None)]


def test_day_and_month_are_ordered_by_the_plan() -> None:
    assert on_at(["09/06/25", "9/6/2025"], dates.DatePlan(month_first=True)) == [(None, date(2025, 9, 6))] * 2
    assert on_at(["09/06/25", "9/6/2025"], dates.DatePlan(month_first=False)) == [(None, date(2025, 6, 9))] * 2


def test_a_file_from_summer_reads_winter_too() -> None:
    plan = dates.sniff(["2026-07-06T00:00:00-0700"])
    assert plan.layout
    at = on_at(["2026-07-06T00:00:00-0700", "2026-12-06T00:00:00-0800"], plan)
    assert [a.hour for a, _ in at if a] == [7, 8]
