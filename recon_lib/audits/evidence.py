"""What every audit shares: places of rows, occurrence numbers, and frames of the declared schemas from partial ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dataframely as dy
import polars as pl

from recon_lib import frames

PLACE = pl.concat_str("file", pl.lit(":"), pl.col("line").cast(pl.String))
"""`file:line` of a row."""


def fold(column: str) -> pl.Expr:
    """A code compared without case, blanks, `_` and `-`; null stays null."""
    return pl.col(column).str.to_lowercase().str.replace_all(r"[\s_\-]", "")


def folded(rows: pl.DataFrame, **names: str) -> pl.DataFrame:
    """`rows` with, under each name, the column's codes as `fold` has them: of many rows few words, each folded once."""
    for name, column in names.items():
        kinds = rows.select(pl.col(column).unique().drop_nulls())
        words = kinds.select(fold(column)).to_series()
        told = pl.col(column).replace_strict(kinds.to_series(), words) if kinds.height else pl.lit(None, pl.String)
        rows = rows.with_columns(told.alias(name))
    return rows


def occurrence(key: Sequence[str]) -> pl.Expr:
    """1, 2, ... among rows equal in `key`; the frame is sorted beforehand."""
    return pl.int_range(1, pl.len() + 1).over(key).alias("occurrence")


def occurrence_sorted(key: Sequence[str]) -> pl.Expr:
    """The same for a frame sorted by exactly `key` first, where equal rows stand together: quicker on many rows."""
    index = pl.int_range(pl.len())
    is_first = pl.any_horizontal(index == 0, *(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in key))
    return (index - pl.when(is_first).then(index).forward_fill() + 1).alias("occurrence")


def words(*parts: pl.Expr | str) -> pl.Expr:
    """The parts of a fact joined by `|`; what is missing is empty."""
    columns = [pl.col(p) if isinstance(p, str) else p for p in parts]
    return pl.concat_str([c.cast(pl.String).fill_null("") for c in columns], separator="|")


def counted(column: str | pl.Expr, word: str) -> pl.Expr:
    """`1 unit`, `3 units`."""
    number = pl.col(column) if isinstance(column, str) else column
    return pl.when(number == 1).then(pl.lit(f"1 {word}")).otherwise(pl.format(f"{{}} {word}s", number))


def shaped(rows: pl.DataFrame, schema: type[dy.Schema], **constants: object) -> pl.DataFrame:
    """`rows` with exactly the columns of `schema`: constants put in, what is absent null, other columns left away."""
    if rows.is_empty():
        return frames.empty(schema)
    wanted = frames.empty(schema).schema
    columns = []
    for name, dtype in wanted.items():
        if name in constants:
            columns.append(pl.lit(constants[name], dtype=dtype).alias(name))
        elif name in rows.columns:
            columns.append(pl.col(name).cast(dtype))
        else:
            columns.append(pl.lit(None, dtype=dtype).alias(name))
    return rows.select(columns)


def findings(rows: pl.DataFrame, audit: str, **constants: object) -> pl.DataFrame:
    """frames.RawFinding of one audit, in no order; `lines` defaults to none."""
    if "lines" not in rows.columns and rows.height:
        rows = rows.with_columns(lines=pl.lit([], dtype=pl.List(pl.String)))
    return shaped(rows, frames.RawFinding, audit=audit, **constants)


def settled(rows: pl.DataFrame, audit: str) -> pl.DataFrame:
    """frames.SettledEvent of one audit."""
    return shaped(rows, frames.SettledEvent, audit=audit)


def not_checked(rows: Iterable[tuple[str, str, str, int | None]]) -> pl.DataFrame:
    """frames.NotChecked from (audit, subject, reason, count)."""
    return pl.DataFrame(list(rows), schema=frames.empty(frames.NotChecked).schema, orient="row")


def total(frame: pl.DataFrame, column: str) -> int:
    """Sum of whole units; 0 for no rows."""
    return int(frame[column].sum() or 0)
