"""The clean pass: a table streamed once, where the counts prove every line and every cell read; else the strict pass.

What makes it cheap: a column that looks empty everywhere is read as truth values, at which nearly any text raises; columns of
few words stay coded from the parser to the Parquet file; rows, rules, days and totals are taken while the rows pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from polars.exceptions import ColumnNotFoundError, PolarsError

from recon_lib.reports import scan, shapes, tally, typed
from recon_lib.reports.base import Report
from recon_lib.reports.job import (
    PARQUET,
    SAMPLE_ROWS,
    Job,
    Outcome,
    facts_of,
    frame_of,
    frames_of,
    kept_as,
    proper,
    unread,
)
from recon_lib.reports.store import NO_REJECTS
from recon_lib.reports.strict import judge
from recon_lib.reports.text import ByteFacts

_EVERY_ROW = pl.QueryOptFlags(predicate_pushdown=False)
"""A row that a later step leaves out is typed too, so that a cell in it that cannot be read raises."""


@dataclass(frozen=True)
class _Clean:
    """What a clean pass gave, and what its proof needs: whether cells were trimmed, whether some row ends in no cell."""

    outcome: Outcome | None = None  # None: a cell was not read, or a row breaks a rule
    trim: bool = False
    short: bool = False


def run(job: Job, counted: Callable[[], ByteFacts]) -> tuple[Outcome, ByteFacts]:
    """The clean pass where the byte counts prove it right, else the strict one."""
    plans = typed.plans_for(job.header)
    first = shapes.month_first_default(job.report, job.marketplace)
    done = _try_clean(job, plans, month_first=first, trim=False)
    facts = counted()
    if not proper(job, facts):
        return unread(), facts
    if done.outcome is not None and facts.padded and not done.trim:
        done = _try_clean(job, plans, month_first=first, trim=True)
    return _proven(job, done, facts) or judge(job, facts), facts


def run_below(job: Job, above: Path, facts: ByteFacts, *, trim: bool) -> Outcome | None:
    """The clean pass over rows that stand below those of the file `above`, as it would read them in one file with those.

    None where the first rows of `above` do not show by themselves how to read the others, or a row here is in doubt.
    """
    plans = typed.plans_for(job.header)
    first = shapes.month_first_default(job.report, job.marketplace)
    done = _try_clean(job, plans, month_first=first, trim=False, above=above)
    if done.outcome is not None and trim and not done.trim:
        done = _try_clean(job, plans, month_first=first, trim=True, above=above)
    return _proven(job, done, facts)


def _proven(job: Job, done: _Clean, facts: ByteFacts) -> Outcome | None:
    used = done.outcome
    if used is None or not scan.proves(job.path, facts, job.header, job.head, used.used, short=done.short):
        return None
    used.trimmed = done.trim
    return used


def _try_clean(
    job: Job, plans: list[typed.Plan], *, month_first: bool, trim: bool, above: Path | None = None
) -> _Clean:
    try:
        sample = scan.first_rows(above or job.path, job.header, SAMPLE_ROWS)
        padded = sample.select(
            pl.any_horizontal((pl.col(c) != pl.col(c).str.strip_chars()).any() for c in scan.columns_of(job.header))
        ).item()
        trim = trim or bool(padded)
        empty = frozenset[int]() if above else scan.empty_columns(job.path, job.header, sample)
    except PolarsError:
        return _Clean(trim=trim)
    for guess in (empty, frozenset[int]()) if empty else (empty,):
        try:
            done = _clean(job, sample, plans, guess, month_first=month_first, trim=trim, alone=above is None)
        except PolarsError:  # also where a column that looked empty holds text
            continue
        if done is not None:
            return done
    return _Clean(trim=trim)


def _clean(
    job: Job,
    sample: pl.DataFrame,
    plans: list[typed.Plan],
    empty: frozenset[int],
    *,
    month_first: bool,
    trim: bool,
    alone: bool,
) -> _Clean | None:
    """One streaming pass in which a cell that is not read raises; None where a column is not `empty` after all.

    `alone`: the file holds all rows, not just those below others.
    """
    report = job.report
    words = typed.texts(sample.lazy(), plans).collect()
    sniffed = shapes.sniff(words, plans, month_first=month_first)
    order, said = shapes.order_of_day_and_month(words.lazy(), sniffed, default=month_first)
    if said and not alone:
        return None
    if said:  # the first rows leave it open: ask all of them
        everything = typed.texts(scan.quick_scan(job.path, job.header), plans)
        order, said = shapes.order_of_day_and_month(everything, sniffed, default=month_first)
    if order != month_first:
        sniffed = shapes.sniff(words, plans, month_first=order)
    facts = facts_of(job, words.lazy())
    coded = frozenset[str]() if trim else frozenset(report.words)
    reading = [replace(p, dtype=pl.Categorical()) if p.column.target in coded else p for p in sniffed]

    direct = [p for p in reading if p.header is not None and p.column.target in coded]
    direct += [] if trim or job.header.quoted else _whole_numbers(reading)

    def typed_rows(rows: pl.LazyFrame, plans: list[typed.Plan]) -> pl.LazyFrame:
        return typed.typed(typed.texts(rows, plans, trim=trim, empties=job.header.quoted), plans, plain=True)

    first = typed_rows(sample.lazy(), sniffed).collect()
    first_parts = frames_of(report, first.lazy(), facts)
    checks = _checks(report, reading)
    aside = [] if checks else _aside(report, first, facts, [p for p in reading if p.at not in empty])
    look = (lambda rows: typed_rows(rows.lazy(), aside).collect()) if aside else None

    def parts_of(lines: tally.Tally, cells: tally.Tally) -> dict[str, pl.LazyFrame]:
        kinds = {f"c{p.at}": p.dtype for p in direct}
        after = sample.height if empty else 0
        rest = scan.quick_scan(
            job.path, job.header, after=after, kinds=kinds | {f"c{at}": pl.Boolean() for at in empty}
        )
        rows = typed_rows(lines.over(rest), [replace(p, header=None) if p.at in empty else p for p in reading])
        if empty:  # the first rows may well fill columns that no later row fills: a settlement's own row does
            coded_too = sample.lazy().with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())
            rows = pl.concat([typed_rows(coded_too, reading), rows])
        return frames_of(report, cells.over(rows) if checks else rows, facts)

    lines, cells = tally.of_lines(job.header, empty, look), tally.of_cells(checks)
    outcome = Outcome({}, 0, NO_REJECTS, facts, [said] if said else [])
    sound, counted = True, 0
    for family in first_parts:
        frame, target = frame_of(report, family), job.target(family)
        rows = tally.of_rows(report, family)
        if family in report.head_only:
            part = first_parts[family]
        elif family == report.family:
            part = parts_of(lines, cells)[family]
        else:
            part = parts_of(tally.of_lines(job.header, empty), tally.of_cells(checks))[family]
        rows.over(part).sink_parquet(target, **PARQUET, metadata=kept_as(frame), optimizations=_EVERY_ROW)
        outcome.frames[family] = target
        sound = sound and not rows.any("wrong")
        if family == report.family:
            outcome.summary = tally.summary_of(report, rows)
        if family == report.family or family in report.head_only:
            counted += rows.sum("rows")
    if lines.any("filled"):
        return None
    if cells.any("wrong") or not sound:
        return _Clean(trim=trim)
    outcome.used = counted if report.head_only else lines.sum("rows") + (sample.height if empty else 0)
    return _Clean(outcome, trim, short=lines.any("short"))


def _whole_numbers(plans: list[typed.Plan]) -> list[typed.Plan]:
    """The columns that the parser reads as whole numbers at once: it takes what a cast of text takes, and blanks before it.

    Blanks the byte counts show, and then every cell is trimmed first. A column that is kept as text too stays text.
    """
    places = Counter(plan.at for plan in plans)
    return [p for p in plans if p.header is not None and p.column.kind == "int" and places[p.at] == 1]


def _checks(report: Report, plans: list[typed.Plan]) -> list[pl.Expr]:
    """Counts that must be 0: cells that were left unread without raising, rows that the report's own check finds wrong."""
    checks = typed.unsure(plans)
    return [*checks, report.check.is_not_null().sum().alias("check")] if report.check is not None else checks


def _aside(report: Report, rows: pl.DataFrame, facts: Mapping[str, str], plans: list[typed.Plan]) -> list[typed.Plan]:
    """The columns that the report's own rows are not made of: a query leaves them out, so nothing in them would raise."""
    kept = set(report.frame.columns())

    def unused(plan: typed.Plan) -> bool:
        if plan.header is None or plan.column.kind == "text" or kept & set(typed.names_of(plan)):
            return False
        try:
            without = rows.lazy().drop(typed.names_of(plan))
            without = report.finish(without, facts) if report.finish is not None else without
            (report.split(without, facts)[report.family] if report.split is not None else without).collect_schema()
        except ColumnNotFoundError:
            return False
        return True

    return [plan for plan in plans if unused(plan)]
