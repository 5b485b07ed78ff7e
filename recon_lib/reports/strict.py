"""The strict pass: every cell by the grammar that the whole file shows; what fails is set aside with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from recon_lib.reports import scan, shapes, typed, verdicts
from recon_lib.reports.base import Report
from recon_lib.reports.job import (
    PARQUET,
    SAMPLE_ROWS,
    Job,
    Outcome,
    facts_of,
    frame_of,
    frames_of,
)
from recon_lib.reports.store import NO_REJECTS
from recon_lib.reports.text import ByteFacts

_VALUE_LENGTH = 80
_IN_MEMORY = 64 << 20


def judge(job: Job, facts: ByteFacts) -> Outcome:
    """The strict pass."""
    plans, first = typed.plans_for(job.header), shapes.month_first_default(job.report, job.marketplace)
    raw, ragged = scan.sound_rows(job.path, facts, job.header, job.head, job.work)
    return _strict(job, raw, ragged, plans, month_first=first)


def _strict(
    job: Job,
    raw: pl.LazyFrame,
    ragged: pl.DataFrame,
    plans: list[typed.Plan],
    *,
    month_first: bool,
) -> Outcome:
    """Every cell by the grammar of the whole file; what fails is set aside with its reason."""
    rows = typed.texts(raw, plans)
    if job.path.stat().st_size < _IN_MEMORY:
        rows = rows.collect().lazy()
    sample = rows.head(SAMPLE_ROWS).collect()
    sniffed = shapes.sniff(sample, plans, month_first=month_first)
    slashes = [replace(p, date=replace(p.date, slashed=True)) if p.date and p.header else p for p in sniffed]
    order, order_said = _order(rows, sniffed, slashes, default=month_first)
    sniffed = shapes.sniff(sample, plans, month_first=order)
    sniffed = shapes.rich_where_needed(rows, sniffed)
    marks, mark_said = shapes.decimal_marks(rows, sniffed, job.language or _language_of(job.marketplace))
    facts = facts_of(job, rows)
    rich = shapes.numbers_to_judge(rows, sniffed, marks)
    judged = typed.typed(rows, sniffed, marks=marks, plain=False, rich=rich)
    wrong = verdicts.failures(sniffed, marks)
    which = pl.coalesce(
        pl.lit(None, dtype=pl.UInt16),
        *(pl.when(bad).then(pl.lit(i, dtype=pl.UInt16)) for i, (bad, _, _, _) in enumerate(wrong)),
    )
    judged = judged.with_columns(which.alias("text:which"))
    check = job.report.check if job.report.check is not None else pl.lit(None, dtype=pl.String)
    judged = judged.with_columns(pl.when(pl.col("text:which").is_null()).then(check).alias("text:check"))
    if job.path.stat().st_size < _IN_MEMORY:  # judge each cell once instead of once a query
        judged = judged.collect().lazy()
    bad = pl.col("text:which").is_not_null() | pl.col("text:check").is_not_null()
    rejects = _cell_rejects(judged.filter(bad), wrong)
    good = judged.filter(~bad)
    lawless = _lawless(job.report, good, facts, verdicts.given_names(sniffed))
    if lawless.height:
        good = good.filter(~pl.col("line").is_in(lawless["line"].implode()))
    parts = frames_of(job.report, good, facts)
    sinks = {family: job.target(family) for family in parts}
    queries = [part.sink_parquet(sinks[family], **PARQUET, lazy=True) for family, part in parts.items()]
    results = pl.collect_all([*queries, good.select(pl.len())], engine="streaming")
    everything = pl.concat([ragged, rejects, lawless]).sort("line")
    return Outcome(sinks, int(results[-1].item()), everything, facts, [n for n in (order_said, mark_said) if n])


def _order(
    rows: pl.LazyFrame, sniffed: list[typed.Plan], slashes: list[typed.Plan], *, default: bool
) -> tuple[bool, str]:
    """The order of day and month from all rows; a column counts although its first cells were of another shape."""
    if any(p.date is not None and p.date.slashed for p in sniffed):
        return shapes.order_of_day_and_month(rows, sniffed, default=default)
    order, _ = shapes.order_of_day_and_month(rows, slashes, default=default)
    return order, ""


def _cell_rejects(bad: pl.LazyFrame, wrong: list[tuple[pl.Expr, str, pl.Expr, str]]) -> pl.DataFrame:
    which = pl.col("text:which")
    column, value, reason = (pl.lit(None, dtype=pl.String),) * 3
    for i, (_, header, text, why) in enumerate(wrong):
        column = pl.when(which == i).then(pl.lit(header)).otherwise(column)
        value = pl.when(which == i).then(text.str.head(_VALUE_LENGTH)).otherwise(value)
        again = text.str.strip_chars() == header.strip()  # two downloads put together by hand
        told = pl.when(again).then(pl.lit("the header stands here again")).otherwise(pl.lit(why))
        reason = pl.when(which == i).then(told).otherwise(reason)
    reason = pl.coalesce(reason, pl.col("text:check"))
    return bad.select("line", column=column, value=value, reason=reason).collect()


def _lawless(report: Report, good: pl.LazyFrame, facts: Mapping[str, str], names: Mapping[str, str]) -> pl.DataFrame:
    """Rows that break a rule of their frame, one a line."""
    found = []
    for family, part in frames_of(report, good, facts).items():
        rules = verdicts.rules(frame_of(report, family), names)
        if not rules:
            continue
        column, reason = pl.lit(None, dtype=pl.String), pl.lit(None, dtype=pl.String)
        for wrong, name, why in reversed(rules):
            column = pl.when(wrong).then(pl.lit(name, dtype=pl.String)).otherwise(column)
            reason = pl.when(wrong).then(pl.lit(why)).otherwise(reason)
        broken = part.filter(pl.any_horizontal(wrong for wrong, _, _ in rules))
        found.append(broken.select("line", column=column, value=pl.lit(None, dtype=pl.String), reason=reason))
    everything = pl.concat(found).collect() if found else NO_REJECTS
    return everything.unique("line", keep="first", maintain_order=True)


def _language_of(marketplace: str | None) -> str | None:
    """The language whose decimal mark a store writes; nothing is assumed for a store that is not known."""
    stores = {
        "US": "en", "CA": "en", "UK": "en", "GB": "en", "IE": "en", "AU": "en", "IN": "en", "AE": "en", "SA": "en",
        "SG": "en", "MX": "mx", "JP": "ja", "DE": "de", "FR": "fr", "IT": "it", "ES": "es", "NL": "nl", "BE": "be",
        "SE": "sv", "PL": "pl", "BR": "pt", "TR": "tr",
    }  # fmt: skip
    return stores.get((marketplace or "").upper())
