"""The clean pass: a table streamed once, where the counts prove every line and every cell read; else the strict pass."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from polars.exceptions import PolarsError

from recon_lib.reports import scan, typed, verdicts
from recon_lib.reports.job import (
    PARQUET,
    SAMPLE_ROWS,
    Job,
    Outcome,
    facts_of,
    frame_of,
    frames_of,
    proper,
    unread,
)
from recon_lib.reports.store import NO_REJECTS
from recon_lib.reports.strict import judge
from recon_lib.reports.text import ByteFacts


def run(job: Job, counted: Callable[[], ByteFacts]) -> tuple[Outcome, ByteFacts]:
    """The clean pass where the byte counts prove it right, else the strict one."""
    plans = typed.plans_for(job.header)
    first = typed.month_first_default(job.report, job.marketplace)
    outcome, trim = _try_clean(job, plans, month_first=first, trim=False)
    facts = counted()
    if not proper(job, facts):
        return unread(), facts
    if outcome is not None and facts.padded and not trim:
        outcome, _ = _try_clean(job, plans, month_first=first, trim=True)
    if outcome is not None and scan.proves(job.path, facts, job.header, job.head, outcome.used):
        return outcome, facts
    return judge(job, facts), facts


def _try_clean(job: Job, plans: list[typed.Plan], *, month_first: bool, trim: bool) -> tuple[Outcome | None, bool]:
    """(what the clean pass gave, None where a cell was not read; whether it trimmed)."""
    try:
        raw = scan.quick_scan(job.path, job.header)
        sample = raw.head(SAMPLE_ROWS).collect()
        padded = sample.select(
            pl.any_horizontal((pl.col(c) != pl.col(c).str.strip_chars()).any() for c in scan.columns_of(job.header))
        ).item()
        trim = trim or bool(padded)
        return _clean(job, raw, sample, plans, month_first=month_first, trim=trim), trim
    except PolarsError:
        return None, trim


def _clean(
    job: Job, raw: pl.LazyFrame, sample: pl.DataFrame, plans: list[typed.Plan], *, month_first: bool, trim: bool
) -> Outcome | None:
    """One streaming pass in which a cell that is not read raises; None where a row breaks a rule of its frame."""
    report = job.report
    words = typed.texts(sample.lazy(), plans).collect()
    sniffed = typed.sniff(words, plans, month_first=month_first)
    order, said = typed.order_of_day_and_month(words.lazy(), sniffed, default=month_first)
    if said:  # the first rows leave it open: ask all of them
        order, said = typed.order_of_day_and_month(typed.texts(raw, plans), sniffed, default=month_first)
    if order != month_first:
        sniffed = typed.sniff(words, plans, month_first=order)
    facts = facts_of(job, words.lazy())

    def parts_of(rows: pl.LazyFrame) -> tuple[pl.LazyFrame, dict[str, pl.LazyFrame]]:
        texts = typed.texts(rows, plans, trim=trim, empties=job.header.quoted)
        full = typed.typed(texts, sniffed, plain=True)
        return full, frames_of(report, full, facts)

    rows, parts = parts_of(raw)
    _, first_parts = parts_of(sample.lazy())
    sinks = {family: job.work / f"{family}.parquet" for family in parts}
    for family, part in parts.items():
        source = first_parts[family] if family in report.head_only else part
        source.sink_parquet(sinks[family], **PARQUET)
    checks = typed.unsure(sniffed)
    if report.check is not None:
        checks.append(report.check.is_not_null().sum().alias("check"))
    if checks and any(rows.select(checks).collect(engine="streaming").row(0)):
        return None
    stored = {family: pl.scan_parquet(path) for family, path in sinks.items()}
    names = verdicts.given_names(plans)
    for family, part in stored.items():
        rules = verdicts.rules(frame_of(report, family), names) + verdicts.impossible_days(frame_of(report, family))
        if rules and part.filter(pl.any_horizontal(wrong for wrong, _, _ in rules)).head(1).collect().height:
            return None
    if report.head_only or (report.finish is None and report.split is None):
        counted = [report.family, *report.head_only]
        used = sum(int(stored[f].select(pl.len()).collect().item()) for f in counted)
    else:
        used = int(raw.select(pl.len()).collect(engine="streaming").item())
    return Outcome(sinks, used, NO_REJECTS, facts, [said] if said else [])
