"""Overlapping downloads of one family become one frame: nothing counted twice, no legitimate twin lost.

Rows that are equal in the family's natural key are numbered inside each file (1st, 2nd ...). Over all files the
key and number stand once: that is the maximum count over files, never the sum. Which file's copy stays does not
depend on file names: the newest (largest `newest_by` value, else the file that reaches furthest), then the content hash.
"""

from __future__ import annotations

from datetime import date

import polars as pl

_N, _RANK = "_occurrence", "_file_rank"


def merge_overlaps(rows: pl.LazyFrame, key: list[str], newest_by: str | None, ranks: dict[str, int]) -> pl.LazyFrame:
    """One row for each key and occurrence number over all files.

    Args:
        rows: typed rows of several files with `file` and `line`.
        key: the natural key, without columns that change between downloads.
        newest_by: a column whose largest value wins where a row is updated in place.
        ranks: file -> preference; the smallest rank wins among rows that are otherwise equally new.
    """
    rank = pl.col("file").replace_strict(ranks, return_dtype=pl.Int32).alias(_RANK)
    order = [rank, pl.col("line")]
    numbered = rows.with_columns(rank).sort(_RANK, "line", maintain_order=True).with_columns(
        pl.int_range(pl.len()).over(["file", *key]).alias(_N)
    )
    newest = [pl.col(newest_by).is_null(), pl.col(newest_by)] if newest_by else []
    descending = [False, True] if newest_by else []
    names = [name for name in rows.collect_schema().names() if name not in key]
    ordered = numbered.sort([*newest, *order], descending=[*descending, False, False], maintain_order=True)
    return (
        ordered.group_by([*key, _N], maintain_order=True)
        .agg(pl.col(names).first())
        .select(rows.collect_schema().names())
    )


def overlapping_days(periods: list[tuple[date, date]]) -> list[tuple[date, date]]:
    """The spans of days that lie in two or more of the given periods (both ends included), sorted and joined."""
    edges = sorted([(start, 1) for start, _ in periods] + [(date.fromordinal(end.toordinal() + 1), -1) for _, end in periods])
    spans: list[tuple[date, date]] = []
    depth, since = 0, None
    for day, step in edges:
        depth += step
        if depth >= 2 and since is None:
            since = day
        elif depth < 2 and since is not None:
            last = date.fromordinal(day.toordinal() - 1)
            if spans and spans[-1][1].toordinal() + 1 >= since.toordinal():
                spans[-1] = (spans[-1][0], last)
            elif last >= since:
                spans.append((since, last))
            since = None
    return spans


def union_of_days(periods: list[tuple[date, date]]) -> list[tuple[date, date]]:
    """The given periods joined where they touch or overlap, sorted."""
    spans: list[tuple[date, date]] = []
    for start, end in sorted(periods):
        if spans and start.toordinal() <= spans[-1][1].toordinal() + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans
