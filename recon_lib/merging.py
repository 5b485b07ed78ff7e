"""Overlapping downloads of one family become one frame: nothing counted twice, no legitimate twin lost.

Rows that are equal in the family's natural key are numbered inside each file (1st, 2nd ...). Over all files the
key and number stand once: that is the maximum count over files, never the sum. Which file's copy stays does not
depend on file names: the newest (largest `newest_by` value, else the file that reaches furthest), then the content hash.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

_N, _RANK, _AGE = "_occurrence", "_file_rank", "_age"


def merge_overlaps(
    rows: pl.LazyFrame,
    key: list[str],
    ranks: dict[str, int],
    newest_by: str | None = None,
    until: datetime | None = None,
    lasting: tuple[str, ...] = (),
) -> pl.LazyFrame:
    """One row for each key and occurrence number over all files.

    Args:
        rows: typed rows of several files with `file` and `line`.
        key: the natural key, without columns that change between downloads.
        ranks: file -> preference; the smallest rank wins among rows that are otherwise equally new.
        newest_by: a Datetime column whose largest value wins where a row is updated in place; the day beside it counts where
            a download tells no more.
        until: midnight that ends the as-of day: a version written then or later wins only where no earlier one is known.
        lasting: columns that hold whenever any copy of a row tells them.
    """
    columns = rows.collect_schema().names()
    rank = pl.col("file").replace_strict(ranks, return_dtype=pl.Int32).alias(_RANK)
    numbered = (
        rows.with_columns(rank)
        .sort(_RANK, "line", maintain_order=True)
        .with_columns(pl.int_range(pl.len()).over(["file", *key]).alias(_N))
    )
    age = pl.lit(0, pl.Int64)
    if newest_by is not None:
        day = f"{newest_by[:-3]}_on"
        told = pl.col(newest_by)
        if newest_by.endswith("_at") and day in columns:  # noon lies on that day in nearly every zone
            told = pl.coalesce(told, pl.col(day).cast(pl.Datetime("us", "UTC")) + pl.duration(hours=12))
        written = told.cast(pl.Datetime("us", "UTC"))
        micros = written.to_physical()
        late = written >= until.astimezone(UTC) if until is not None else pl.lit(False)
        # Later than the as-of day: negative, so that any version known that day goes before it, and the earliest of them first.
        age = pl.when(written.is_null()).then(pl.lit(0, pl.Int64)).when(late).then(micros).otherwise(-micros)
    kept = [name for name in columns if name not in key]
    return (
        numbered.with_columns(age.alias(_AGE))
        .sort(_AGE, _RANK, "line", maintain_order=True)
        .group_by([*key, _N], maintain_order=True)
        .agg((pl.col(c).drop_nulls() if c in lasting else pl.col(c)).first() for c in kept)
        .select(columns)
    )


def merge_layouts(
    rows: pl.LazyFrame, key: list[str], ranks: dict[str, int], may_lack: tuple[str, ...], lasting: tuple[str, ...] = ()
) -> pl.LazyFrame:
    """`merge_overlaps` over files of several layouts: a key column of `may_lack` that a file leaves empty tells nothing there.

    The files that fill them all come first; of the others a row counts only beyond the number that is already there by the
    columns both fill.
    """
    if not may_lack:
        return merge_overlaps(rows, key, ranks, lasting=lasting)
    filled = [pl.col(name).is_not_null().any().alias(name) for name in may_lack]
    told = rows.group_by("file").agg(filled).collect()
    somewhere = {name for name in may_lack if told[name].any()}
    lacking = {row["file"]: frozenset(n for n in somewhere if not row[n]) for row in told.iter_rows(named=True)}
    groups = sorted(set(lacking.values()), key=lambda names: (len(names), sorted(names)))
    if len(groups) < 2:
        return merge_overlaps(rows, key, ranks, lasting=lasting)
    without: frozenset[str] = frozenset()
    whole: pl.LazyFrame | None = None
    for group in groups:
        files = [file for file, names in lacking.items() if names == group]
        part = merge_overlaps(rows.filter(pl.col("file").is_in(files)), key, ranks, lasting=lasting)
        without |= group
        by = [name for name in key if name not in without]
        numbered = part.with_columns(pl.int_range(pl.len()).over(by).alias(_N))
        if whole is None:
            whole = part
            continue
        there = whole.with_columns(pl.int_range(pl.len()).over(by).alias(_N)).select(*by, _N)
        whole = pl.concat([whole, numbered.join(there, on=[*by, _N], how="anti", nulls_equal=True).drop(_N)])
    return rows if whole is None else whole


def as_named(rows: pl.LazyFrame, names: list[str], key: list[str], ranks: dict[str, int]) -> pl.LazyFrame:
    """`rows`; of what several files tell, each once and by the same `names` (all filled), every copy with one `key`.

    It is as the preferred file tells it; its day as a file tells it that knows the hour, which the others go on lacking.
    """
    days = {f"{at[:-3]}_on": at for at in key if at.endswith("_at")}
    rank = pl.col("file").replace_strict(ranks, return_dtype=pl.Int32)
    named = rows.filter(pl.all_horizontal(pl.col(name).is_not_null() for name in names)).sort(rank, "line")
    told = {c: pl.col(c).drop_nulls().first() for c in key if c not in names}
    told |= {
        on: pl.coalesce(pl.col(on).filter(pl.col(at).is_not_null()).first(), told[on])
        for on, at in days.items()
        if on in told
    }
    one = named.group_by(names).agg(
        pl.len().alias(_N), pl.col("file").n_unique().alias(_RANK), **{f"_{c}": e for c, e in told.items()}
    )
    one = one.filter(pl.col(_N) == pl.col(_RANK), pl.col(_N) > 1).drop(_RANK)
    some = rows.join(one, on=names, how="left", maintain_order="left")
    hourless = set(days.values())
    as_told = [
        pl.when(pl.col(_N).is_not_null() & (pl.col(c).is_not_null() if c in hourless else True))
        .then(f"_{c}")
        .otherwise(c)
        .alias(c)
        for c in told
    ]
    return some.with_columns(as_told).select(rows.collect_schema().names())


def overlapping(periods: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans of whole numbers that lie in two or more of the given periods (both ends included), sorted and joined."""
    edges = sorted([(start, 1) for start, _ in periods] + [(end + 1, -1) for _, end in periods])
    spans: list[tuple[int, int]] = []
    depth, since = 0, None
    for place, step in edges:
        depth += step
        if depth >= 2 and since is None:
            since = place
        elif depth < 2 and since is not None:
            last = place - 1
            if spans and spans[-1][1] + 1 >= since:
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
