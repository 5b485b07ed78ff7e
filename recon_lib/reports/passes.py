"""The two passes over the rows of one recognised table: the clean one streams, the strict one judges each cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl
from polars.exceptions import PolarsError

from recon_lib.errors import ReportError
from recon_lib.reports import scan, typed
from recon_lib.reports.base import Report
from recon_lib.reports.recognise import Header, normal
from recon_lib.reports.store import REJECTS
from recon_lib.reports.text import ByteFacts

SAMPLE_ROWS = 400
_VALUE_LENGTH = 80
_IN_MEMORY = 64 << 20


@dataclass(frozen=True)
class Job:
    """One recognised table: a UTF-8 file, its header, what is known before its rows are read."""

    path: Path
    name: str
    work: Path
    head: str
    header: Header
    language: str | None
    marketplace: str | None

    @property
    def report(self) -> Report:
        return self.header.report

    def facts(self) -> dict[str, str]:
        return {
            "language": self.language or "",
            "preamble": self.header.preamble,
            "marketplace": self.marketplace or "",
            "columns": " ".join(normal(n) for n in self.header.names),
        }


Summary = tuple[str | None, str | None, Mapping[str, str]]
"""First day, last day, total by currency of a report's own frame."""


@dataclass
class Outcome:
    """What the passes gave. `rejects` has one row a rejected physical row."""

    frames: dict[str, Path]
    used: int
    rejects: pl.DataFrame
    facts: dict[str, str]
    notes: list[str] = field(default_factory=list)
    held: dict[str, pl.DataFrame] = field(default_factory=dict)  # the frames again, where they are small
    summary: Summary | None = None  # where it is known already

    def frame(self, family: str) -> pl.LazyFrame:
        return self.held[family].lazy() if family in self.held else pl.scan_parquet(self.frames[family])


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


def proper(job: Job, facts: ByteFacts) -> bool:
    """False: the bytes are not UTF-8, so nothing that was read counts. ReportError for NUL bytes."""
    if facts.nul:
        raise ReportError("holds NUL bytes", hoped="plain text", do="download it again", file=job.name)
    return facts.utf8


def unread() -> Outcome:
    """Nothing was read."""
    return Outcome({}, 0, pl.DataFrame(schema=REJECTS), {})


def judge(job: Job, facts: ByteFacts) -> Outcome:
    """The strict pass."""
    plans, first = typed.plans_for(job.header), typed.month_first_default(job.report, job.marketplace)
    raw, ragged = scan.sound_rows(job.path, facts, job.header, job.head, job.work)
    return _strict(job, raw, ragged, plans, month_first=first)


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
        return full, _frames(report, full, facts)

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
    names = typed.given_names(plans)
    for family, part in stored.items():
        rules = typed.rules(frame_of(report, family), names) + typed.impossible_days(frame_of(report, family))
        if rules and part.filter(pl.any_horizontal(wrong for wrong, _, _ in rules)).head(1).collect().height:
            return None
    if report.head_only or (report.finish is None and report.split is None):
        counted = [report.family, *report.head_only]
        used = sum(int(stored[f].select(pl.len()).collect().item()) for f in counted)
    else:
        used = int(raw.select(pl.len()).collect(engine="streaming").item())
    return Outcome(sinks, used, pl.DataFrame(schema=REJECTS), facts, [said] if said else [])


PARQUET: dict[str, Any] = {
    "compression": "lz4",
    "statistics": {"min": False, "max": False, "distinct_count": False, "null_count": True},
}


def summary(report: Report, main: pl.LazyFrame | None) -> Summary:
    """First day, last day, total by currency of the finished rows."""
    if main is None:
        return None, None, {}
    names = main.collect_schema().names()
    first = last = None
    totals: dict[str, str] = {}
    if report.period in names:
        day = pl.col(report.period)
        first, last = (
            main.select(day.min().cast(pl.String).alias("a"), day.max().cast(pl.String).alias("b")).collect().row(0)
        )
    if report.money in names and "currency" in names:
        by = main.group_by("currency").agg(pl.col(report.money).sum().cast(pl.String)).sort("currency").collect()
        totals = {currency or "": amount for currency, amount in by.iter_rows()}
    return first, last, totals


def frame_of(report: Report, family: str) -> type[dy.Schema]:
    """The declared frame of one of the families a report gives."""
    return report.extra_frames.get(family, report.frame)


def facts_of(job: Job, rows: pl.LazyFrame) -> dict[str, str]:
    facts = job.facts()
    if job.report.prepare is not None:
        named = rows.rename({n: n.removeprefix(typed.TEXT) for n in rows.collect_schema().names()})
        facts |= job.report.prepare(named)
    return facts


def _frames(report: Report, rows: pl.LazyFrame, facts: Mapping[str, str]) -> dict[str, pl.LazyFrame]:
    """Typed rows -> the finished frames by family, each with exactly its declared columns but `file`."""
    rows = rows.select(pl.exclude(rf"^{typed.TEXT}.*$"))
    if report.finish is not None:
        rows = report.finish(rows, facts)
    parts = dict(report.split(rows, facts)) if report.split is not None else {report.family: rows}
    return {family: _conform(part, frame_of(report, family)) for family, part in parts.items()}


def _conform(rows: pl.LazyFrame, frame: type[dy.Schema]) -> pl.LazyFrame:
    there = rows.collect_schema()
    out = []
    for name, column in frame.columns().items():
        if name == "file":
            continue
        if name not in there:
            out.append(pl.lit(None, dtype=column.dtype).alias(name))
        else:
            out.append(pl.col(name) if there[name] == column.dtype else pl.col(name).cast(column.dtype))
    return rows.select(out)


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
    sniffed = typed.sniff(sample, plans, month_first=month_first)
    slashes = [replace(p, date=replace(p.date, slashed=True)) if p.date and p.header else p for p in sniffed]
    order, order_said = _order(rows, sniffed, slashes, default=month_first)
    sniffed = typed.sniff(sample, plans, month_first=order)
    sniffed = typed.rich_where_needed(rows, sniffed)
    mark, mark_said = typed.decimal_mark(rows, sniffed, job.language or _language_of(job.marketplace))
    facts = facts_of(job, rows)
    rich = typed.numbers_to_judge(rows, sniffed, mark)
    judged = typed.typed(rows, sniffed, mark=mark, plain=False, rich=rich)
    wrong = typed.failures(sniffed, mark)
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
    lawless = _lawless(job.report, good, facts, typed.given_names(sniffed))
    if lawless.height:
        good = good.filter(~pl.col("line").is_in(lawless["line"].implode()))
    parts = _frames(job.report, good, facts)
    sinks = {family: job.work / f"{family}.parquet" for family in parts}
    queries = [part.sink_parquet(sinks[family], **PARQUET, lazy=True) for family, part in parts.items()]
    results = pl.collect_all([*queries, good.select(pl.len())], engine="streaming")
    everything = pl.concat([ragged, rejects, lawless]).sort("line")
    return Outcome(sinks, int(results[-1].item()), everything, facts, [n for n in (order_said, mark_said) if n])


def _order(
    rows: pl.LazyFrame, sniffed: list[typed.Plan], slashes: list[typed.Plan], *, default: bool
) -> tuple[bool, str]:
    """The order of day and month from all rows; a column counts although its first cells were of another shape."""
    if any(p.date is not None and p.date.slashed for p in sniffed):
        return typed.order_of_day_and_month(rows, sniffed, default=default)
    order, _ = typed.order_of_day_and_month(rows, slashes, default=default)
    return order, ""


def _cell_rejects(bad: pl.LazyFrame, wrong: list[tuple[pl.Expr, str, pl.Expr, str]]) -> pl.DataFrame:
    which = pl.col("text:which")
    column, value, reason = (pl.lit(None, dtype=pl.String),) * 3
    for i, (_, header, text, why) in enumerate(wrong):
        column = pl.when(which == i).then(pl.lit(header)).otherwise(column)
        value = pl.when(which == i).then(text.str.head(_VALUE_LENGTH)).otherwise(value)
        reason = pl.when(which == i).then(pl.lit(why)).otherwise(reason)
    reason = pl.coalesce(reason, pl.col("text:check"))
    return bad.select("line", column=column, value=value, reason=reason).collect()


def _lawless(report: Report, good: pl.LazyFrame, facts: Mapping[str, str], names: Mapping[str, str]) -> pl.DataFrame:
    """Rows that break a rule of their frame, one a line."""
    found = []
    for family, part in _frames(report, good, facts).items():
        rules = typed.rules(frame_of(report, family), names)
        if not rules:
            continue
        column, reason = pl.lit(None, dtype=pl.String), pl.lit(None, dtype=pl.String)
        for wrong, name, why in reversed(rules):
            column = pl.when(wrong).then(pl.lit(name, dtype=pl.String)).otherwise(column)
            reason = pl.when(wrong).then(pl.lit(why)).otherwise(reason)
        broken = part.filter(pl.any_horizontal(wrong for wrong, _, _ in rules))
        found.append(broken.select("line", column=column, value=pl.lit(None, dtype=pl.String), reason=reason))
    everything = pl.concat(found).collect() if found else pl.DataFrame(schema=REJECTS)
    return everything.unique("line", keep="first", maintain_order=True)


def _language_of(marketplace: str | None) -> str | None:
    """The language whose decimal mark a store writes; nothing is assumed for a store that is not known."""
    stores = {
        "US": "en", "CA": "en", "UK": "en", "GB": "en", "IE": "en", "AU": "en", "IN": "en", "AE": "en", "SA": "en",
        "SG": "en", "MX": "mx", "JP": "ja", "DE": "de", "FR": "fr", "IT": "it", "ES": "es", "NL": "nl", "BE": "be",
        "SE": "sv", "PL": "pl", "BR": "pt", "TR": "tr",
    }  # fmt: skip
    return stores.get((marketplace or "").upper())
