"""Overlapping downloads: the maximum count over files, never the sum; twins inside a file all count."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recon_lib.merging import merge_overlaps, overlapping, union_of_days

D = date


def overlapping_days(periods: list[tuple[date, date]]) -> list[tuple[date, date]]:
    found = overlapping([(start.toordinal(), end.toordinal()) for start, end in periods])
    return [(date.fromordinal(start), date.fromordinal(end)) for start, end in found]


def frame(rows: list[tuple[str, int, str, int]]) -> pl.LazyFrame:
    """file, line, key, value"""
    schema = {"file": pl.String, "line": pl.UInt32, "key": pl.String, "value": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").lazy()


def test_a_row_in_two_downloads_counts_once_and_twins_in_one_file_both_count() -> None:
    rows = frame([("a", 1, "x", 1), ("a", 2, "x", 2), ("b", 1, "x", 3), ("b", 2, "y", 4)])
    merged = merge_overlaps(rows, ["key"], {"a": 0, "b": 1}).collect().sort("file", "line")
    assert merged.rows() == [("a", 1, "x", 1), ("a", 2, "x", 2), ("b", 2, "y", 4)]


def test_the_preferred_file_keeps_its_copy_of_columns_that_change() -> None:
    rows = frame([("a", 1, "x", 1), ("b", 1, "x", 3)])
    assert merge_overlaps(rows, ["key"], {"a": 1, "b": 0}).collect().rows() == [("b", 1, "x", 3)]


def test_newest_wins_but_not_a_version_written_after_the_as_of_day() -> None:
    at = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 5, 9)]
    rows = pl.LazyFrame(
        {"file": ["a", "b", "c"], "line": [1, 1, 1], "key": ["x", "x", "x"], "at": at},
        schema={"file": pl.String, "line": pl.UInt32, "key": pl.String, "at": pl.Datetime("us", "UTC")},
    )
    ranks = {"a": 0, "b": 1, "c": 2}

    def chosen(until: datetime) -> str:
        return str(merge_overlaps(rows, ["key"], ranks, "at", until).collect()["file"].item())

    assert chosen(datetime(2026, 1, 31, tzinfo=UTC)) == "c"
    assert chosen(datetime(2026, 1, 6, tzinfo=UTC)) == "b"
    assert chosen(datetime(2025, 12, 31, tzinfo=UTC)) == "a"


def test_days_that_two_files_tell() -> None:
    periods = [(D(2026, 1, 1), D(2026, 1, 31)), (D(2026, 1, 25), D(2026, 2, 10)), (D(2026, 3, 1), D(2026, 3, 2))]
    assert overlapping_days(periods) == [(D(2026, 1, 25), D(2026, 1, 31))]
    assert overlapping_days([(D(2026, 1, 1), D(2026, 1, 2)), (D(2026, 1, 2), D(2026, 1, 3))]) == [
        (D(2026, 1, 2), D(2026, 1, 2))
    ]
    assert overlapping_days([(D(2026, 1, 1), D(2026, 1, 2)), (D(2026, 1, 3), D(2026, 1, 4))]) == []


def test_periods_join_where_they_touch() -> None:
    periods = [(D(2026, 2, 1), D(2026, 2, 2)), (D(2026, 1, 1), D(2026, 1, 31)), (D(2026, 2, 4), D(2026, 2, 5))]
    assert union_of_days(periods) == [(D(2026, 1, 1), D(2026, 2, 2)), (D(2026, 2, 4), D(2026, 2, 5))]


files = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=40)


@given(files, st.permutations([0, 1, 2]))
def test_each_key_counts_as_often_as_in_the_file_that_has_it_most_often(
    rows: list[tuple[str, str]], order: list[int]
) -> None:
    lines = [(file, number, key, number) for number, (file, key) in enumerate(rows, 1)]
    merged = merge_overlaps(frame(lines), ["key"], dict(zip("abc", order, strict=True))).collect()
    per_file = Counter(rows)
    expected = {key: max(per_file[file, key] for file in "abc") for key in "xyz"}
    assert Counter(merged["key"].to_list()) == Counter({key: n for key, n in expected.items() if n})
    assert merged.height == merged.unique(["file", "line"]).height


@given(st.lists(st.tuples(st.integers(1, 28), st.integers(0, 9)), max_size=6))
def test_overlap_and_union_agree_with_counting_days(periods: list[tuple[int, int]]) -> None:
    spans = [(D(2026, 1, start), D.fromordinal(D(2026, 1, start).toordinal() + length)) for start, length in periods]
    counts = Counter(day for start, end in spans for day in range(start.toordinal(), end.toordinal() + 1))

    def days(found: list[tuple[date, date]]) -> set[int]:
        return {day for start, end in found for day in range(start.toordinal(), end.toordinal() + 1)}

    assert days(overlapping_days(spans)) == {day for day, n in counts.items() if n > 1}
    assert days(union_of_days(spans)) == set(counts)
