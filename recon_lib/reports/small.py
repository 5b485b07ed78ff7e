"""The clean pass over a small file: the same columns and rules as the streaming pass, held in memory, in few queries.

Starting the streaming engine costs more than a small file is worth, and an account has hundreds of them.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import dataframely as dy
import polars as pl
from polars.exceptions import PolarsError

from recon_lib.reports import scan, shapes, typed, verdicts
from recon_lib.reports.base import Report, counted_money
from recon_lib.reports.job import (
    SAMPLE_ROWS,
    Job,
    Outcome,
    Summary,
    facts_of,
    frame_of,
    parts_of,
    proper,
    summary,
    unread,
)
from recon_lib.reports.store import NO_REJECTS
from recon_lib.reports.strict import judge
from recon_lib.reports.text import ByteFacts, small_facts

LIMIT = 4 << 20
"""Bytes up to which a file is small."""
AS_WRITTEN = pl.QueryOptFlags.none()  # optimising a query takes longer than running it on a small file


def run(job: Job, data: bytes) -> tuple[Outcome, ByteFacts]:
    """The clean pass where the byte counts prove it right, else the strict one."""
    facts = small_facts(data, job.header.separator)
    if not proper(job, facts):
        return unread(), facts
    try:
        outcome = _clean(job, data, facts)
    except PolarsError:
        outcome = None
    return outcome or judge(job, facts), facts


def _clean(job: Job, data: bytes, facts: ByteFacts) -> Outcome | None:
    """What the file holds; None (or a polars error) where a width, a cell or a row is in doubt."""
    report, header = job.report, job.header
    raw = _sound_rows(job, data, facts)
    if raw is None:
        return None
    plans = typed.plans_for(header)
    month_first = shapes.month_first_default(report, job.marketplace)
    trim = facts.padded
    first = raw.head(SAMPLE_ROWS)
    words = partial(words_of, first, trim=trim)
    sniffed = shapes.with_dates(plans, words, month_first=month_first)
    rows = raw.lazy().select(typed.text_columns(tuple(plans), trim=trim, empties=header.quoted))
    slashed = any(p.date is not None and p.date.slashed for p in sniffed)
    if slashed or report.prepare is not None:
        rows = rows.collect(engine="in-memory", optimizations=AS_WRITTEN).lazy()
    order, said = shapes.order_of_day_and_month(rows, sniffed, default=month_first)
    if order != month_first:
        sniffed = shapes.with_dates(plans, words, month_first=order)
    known = facts_of(job, rows)
    typed_rows = read_cells(report, rows, sniffed)
    if typed_rows is None:
        return None
    rows = typed_rows
    if report.finish is not None:
        rows = report.finish(rows, known)
    if report.split is not None:
        rows = rows.collect(engine="in-memory", optimizations=AS_WRITTEN).lazy()
    parts = parts_of(report, rows, known)
    outcome = Outcome({}, raw.height, NO_REJECTS, known, [said] if said else [])
    for family, part in parts.items():
        frame = frame_of(report, family)
        held = conform(part.collect(engine="in-memory", optimizations=AS_WRITTEN), frame)
        told = held.select(told_of(frame, report)).row(0, named=True)
        if told["wrong"]:
            return None
        if family == report.family:
            outcome.summary = summary_of(told, report, held)
        outcome.keep_few(family, held, job)
    return outcome


def words_of(raw: pl.DataFrame, plan: typed.Plan, *, trim: bool) -> list[str]:
    """The cells of a column that are not empty."""
    cells = raw[f"c{plan.at}"].to_list() if plan.header is not None else []
    return [cell for cell in (c.strip() if trim else c for c in cells if c) if cell]


def read_cells(report: Report, rows: pl.LazyFrame, plans: list[typed.Plan]) -> pl.LazyFrame | None:
    """Rows of text with their typed columns; None (or a polars error) where a cell is in doubt or a row must be rejected."""
    if dated := typed.parts(tuple(plans)):
        rows = rows.with_columns(dated)
    rows = rows.with_columns(_typed_columns(tuple(plans)))
    checks = typed.unsure(plans)
    if report.check is not None:
        checks.append(report.check.is_not_null().sum().alias("check"))
    if checks:
        rows = rows.collect(engine="in-memory", optimizations=AS_WRITTEN).lazy()
        if any(rows.select(checks).collect(engine="in-memory", optimizations=AS_WRITTEN).row(0)):
            return None
    return rows


def _sound_rows(job: Job, data: bytes, facts: ByteFacts) -> pl.DataFrame | None:
    """The rows with text; None where the byte counts do not prove the width of each."""
    raw, header = scan.cut(data, job.header), job.header
    short = bool(raw[raw.columns[-1]].null_count())
    if scan.proves(job.path, facts, header, job.head, raw.height, short=short):
        return raw
    empty = raw.select(scan.is_empty(header).alias("empty"))["empty"]
    blank = int(empty.sum())
    if blank and scan.proves(job.path, facts, header, job.head, raw.height, blank, short=short):
        return raw.filter(~empty)
    return None


@lru_cache(maxsize=256)
def _typed_columns(plans: tuple[typed.Plan, ...]) -> list[pl.Expr]:
    return [
        expr.alias(name) for plan in plans for name, expr in typed.typed_columns(plan, mark=None, plain=True).items()
    ]


@lru_cache(maxsize=256)
def told_of(frame: type[dy.Schema], report: Report) -> list[pl.Expr]:
    """Whether some row breaks a rule of its frame; the first and last day; the total, where there is one currency."""
    rules, names = verdicts.rules(frame, {}) + verdicts.impossible_days(frame), _declared(frame)
    told = [pl.any_horizontal(pl.lit(False), *(wrong for wrong, _, _ in rules)).any().alias("wrong")]
    period, money = report.period, report.money
    if period in names:
        told += [pl.col(period).min().cast(pl.String).alias("from"), pl.col(period).max().cast(pl.String).alias("to")]
    if money in names and "currency" in names:
        total = counted_money(report).sum().cast(pl.String)
        told += [pl.col("currency").n_unique().alias("n"), pl.col("currency").first().alias("of"), total.alias("total")]
    return told


def summary_of(told: dict[str, Any], report: Report, rows: pl.DataFrame) -> Summary:
    if told.get("n", 0) > 1:
        return summary(report, rows.lazy())
    totals = {told["of"] or "": told["total"]} if told.get("n") else {}
    return told.get("from"), told.get("to"), totals


@lru_cache(maxsize=256)
def _declared(frame: type[dy.Schema]) -> dict[str, pl.DataType]:
    return {name: column.dtype for name, column in frame.columns().items() if name != "file"}


def conform(rows: pl.DataFrame, frame: type[dy.Schema]) -> pl.DataFrame:
    """Exactly the declared columns but `file`."""
    declared, there = _declared(frame), rows.schema
    if all(there.get(name) == dtype for name, dtype in declared.items()):
        return rows[list(declared)]
    return rows.select(
        (pl.col(name) if name in there else pl.lit(None)).cast(dtype).alias(name) for name, dtype in declared.items()
    )
