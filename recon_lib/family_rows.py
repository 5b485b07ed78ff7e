"""The rows of all files of a family as one frame, each row once; held in memory, or scanned whenever they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from itertools import groupby
from pathlib import Path

import dataframely as dy
import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from recon_lib import frames
from recon_lib.account import Account
from recon_lib.overlaps import Source, merged, overlap_of
from recon_lib.reports import FAMILIES
from recon_lib.reports.base import FEW, Report, parts_at, rows_at

# Each file keeps its window: two files of one window may be two currencies.
_NEVER_MERGED = {"pay_statements"}
ONE_FILE_EACH = {"settlements", "settlement_lines"}  # superseded_settlements decides
HELD = 16 << 20  # bytes of Parquet up to which a family's rows are held in memory
_AHEAD = 8  # files that are read at a time


def joined(
    found: list[Source], family: str, schema: type[dy.Schema], account: Account, as_of: date, store: Path
) -> tuple[pl.LazyFrame, list[tuple[Path, str | None]], bool]:
    """The rows of all files, each once; the Parquet files they lie in (the name of one's file where the frame does not
    tell it); whether rows of overlapping files may have been set aside."""
    parts: list[tuple[Path, str | None]] = [(source.path, source.display) for source in found]
    if family in ONE_FILE_EACH | _NEVER_MERGED or len(found) < 2:
        return _rows(found, schema), parts, False
    report = declared(found[0])
    nullable = report.period is not None and schema.columns()[report.period].nullable
    overlap = overlap_of(found, report, nullable=nullable)
    if overlap is None:
        return _rows(found, schema), parts, False
    target = merged(overlap, report, account, as_of, store, partial(_rows, schema=schema))
    rows = [rows_at(target).select(frames.empty(schema).columns)]
    if overlap.apart:
        rows.insert(0, _rows(overlap.apart, schema))
    return pl.concat(rows), [*[(s.path, s.display) for s in overlap.apart], (target, None)], True


def _rows(found: list[Source], schema: type[dy.Schema]) -> pl.LazyFrame:
    """The frames of all files with `file`: small ones read once and held, big ones to be scanned whenever asked."""
    columns = frames.empty(schema).columns
    if not is_held(found):
        parts = []
        for few, those in groupby(found, key=lambda source: source.path.suffix == FEW):
            if few:
                parts.append(_when_asked(list(those), frames.empty(schema).schema))
            else:
                parts += [rows_at(s.path).with_columns(file=pl.lit(s.display)).select(columns) for s in those]
        return pl.concat(parts)
    held = [rows_at(source.path).collect(engine="in-memory") for source in found]
    of_file = np.repeat(np.arange(len(found), dtype=np.uint32), [part.height for part in held])
    names = pl.Series("file", [source.display for source in found]).gather(pl.Series(of_file))
    return pl.concat(held).with_columns(names).select(columns).lazy()


def _when_asked(found: list[Source], schema: pl.Schema) -> pl.LazyFrame:
    """The rows of Arrow streams, one file after the other, read only when they are asked for: many small files may be many
    rows. `schema`: the frame with `file`; to ask a stream would unpack all of it."""

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = columns or list(schema)
        names = [name for name in wanted if name != "file"] or ["line"]

        def one(source: Source) -> pl.DataFrame:
            rows = pl.read_ipc_stream(source.path, columns=names, n_rows=n_rows)
            return rows.with_columns(file=pl.lit(source.display)).select(wanted)

        for first in range(0, len(found), _AHEAD):
            # The threads are gone before a row is given: who reads may stop there.
            with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
                parts = list(pool.map(one, found[first : first + _AHEAD]))
            for rows in parts:
                told = rows if n_rows is None else rows.head(n_rows)
                n_rows = None if n_rows is None else n_rows - told.height
                yield told if predicate is None else told.filter(predicate)
                if n_rows == 0:
                    return

    return register_io_source(read, schema=schema)


def is_held(found: list[Source]) -> bool:
    """Are the files of a family small enough for their rows to be held in memory?"""
    return sum(part.stat().st_size for source in found for part in parts_at(source.path)) <= HELD


def declared(source: Source) -> Report:
    """What the family of the file says of itself."""
    return next(report for report in FAMILIES if report.family == source.reading.family)
