"""One recognised table: what is known before its rows are read, what comes of them, and how they become frames."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from recon_lib.errors import ReportError
from recon_lib.reports import typed
from recon_lib.reports.base import Report, counted_money, keep_few, rows_at
from recon_lib.reports.recognise import Header, normal
from recon_lib.reports.store import NO_REJECTS
from recon_lib.reports.text import ByteFacts

SAMPLE_ROWS = 400


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
    _made: Iterator[int] = field(default_factory=count, compare=False, repr=False)

    def target(self, family: str) -> Path:
        """A new file for the rows of a family. An attempt that was broken off may still be closing its own one."""
        number = next(self._made)
        return self.work / (f"{family}-{number}.parquet" if number else f"{family}.parquet")

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
    trimmed: bool | None = None  # of the clean pass over a large file: whether its cells were trimmed
    quotes: str = ""  # what is known of its quotation marks (grown.py)

    def frame(self, family: str) -> pl.LazyFrame:
        return self.held[family].lazy() if family in self.held else rows_at(self.frames[family])

    def keep_few(self, family: str, rows: pl.DataFrame, job: Job) -> None:
        """Keeps the few rows of a family, as its declared frame has them."""
        self.held[family] = rows
        self.frames[family] = keep_few(rows, job.target(family))


def proper(job: Job, facts: ByteFacts) -> bool:
    """False: the bytes are not UTF-8, so nothing that was read counts. ReportError for NUL bytes."""
    if facts.nul:
        raise ReportError("holds NUL bytes", hoped="plain text", do="download it again", file=job.name)
    return facts.utf8


def unread() -> Outcome:
    """Nothing was read."""
    return Outcome({}, 0, NO_REJECTS, {})


PARQUET: dict[str, Any] = {
    "compression": "lz4",
    "statistics": {"min": False, "max": False, "distinct_count": False, "null_count": True},
}


@cache
def kept_as(frame: type[dy.Schema]) -> dict[str, str]:
    """What a Parquet file of the frame says of its columns, so that text which is coded in it is read as text."""
    made = io.BytesIO()
    declared = {name: column.dtype for name, column in frame.columns().items() if name != "file"}
    pl.DataFrame(schema=declared).write_parquet(made)
    made.seek(0)
    return {"ARROW:schema": pl.read_parquet_metadata(made)["ARROW:schema"]}


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
        by = main.group_by("currency").agg(counted_money(report).sum().cast(pl.String)).sort("currency").collect()
        totals = {currency or "": amount for currency, amount in by.iter_rows()}
    return first, last, totals


def frame_of(report: Report, family: str) -> type[dy.Schema]:
    """The declared frame of one of the families a report gives."""
    return report.extra_frames.get(family, report.frame)


def facts_of(job: Job, rows: pl.LazyFrame) -> dict[str, str]:
    """What the whole file tells about every row, by the family's own `prepare` too."""
    facts = job.facts()
    if job.report.prepare is not None:
        named = rows.rename({n: n.removeprefix(typed.TEXT) for n in rows.collect_schema().names()})
        facts |= job.report.prepare(named)
    return facts


def frames_of(report: Report, rows: pl.LazyFrame, facts: Mapping[str, str]) -> dict[str, pl.LazyFrame]:
    """Typed rows -> the finished frames by family, each with exactly its declared columns but `file`."""
    rows = rows.select(pl.exclude(rf"^{typed.TEXT}.*$"))
    if report.finish is not None:
        rows = report.finish(rows, facts)
    parts = parts_of(report, rows, facts)
    return {family: _conform(part, frame_of(report, family)) for family, part in parts.items()}


def parts_of(report: Report, rows: pl.LazyFrame, facts: Mapping[str, str]) -> dict[str, pl.LazyFrame]:
    """The rows of each family that one file gives."""
    parts = dict(report.split(rows, facts)) if report.split is not None else {report.family: rows}
    return parts | dict(report.above([facts])) if report.above is not None else parts


def _conform(rows: pl.LazyFrame, frame: type[dy.Schema]) -> pl.LazyFrame:
    there = rows.collect_schema()
    out = []
    for name, column in frame.columns().items():
        if name == "file":
            continue
        if name not in there:
            out.append(pl.lit(None, dtype=column.dtype).alias(name))
        else:
            # Coded text stays coded: the Parquet file tells it as text (`kept_as`).
            same = there[name] == column.dtype or (there[name] == pl.Categorical() and column.dtype == pl.String())
            out.append(pl.col(name) if same else pl.col(name).cast(column.dtype))
    return rows.select(out)
