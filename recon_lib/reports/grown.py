"""A large file that grew: the rows it had are taken from the store, only those below them are read.

A file of books begins every day with the bytes of the day before. Where a hash proves that, and both the old rows and the
new ones pass the clean pass, a reading of the whole file is the old one and the new rows: the first rows, which are the
same, decide on all that is decided once a file (header, shapes of dates), and else every cell and row stands for itself.
Any doubt has the file read whole. So a reading does not tell how it came about.

    <store>/<reader version>/grown/<beginning and hints>/<size>-<sha256>-<marks>   an empty file: such a reading can be continued
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from itertools import islice
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from recon_lib.errors import ReportError
from recon_lib.reports import passes, scan, store, text
from recon_lib.reports.base import Reading, Report, parts_at, rows_at
from recon_lib.reports.job import PARQUET, SAMPLE_ROWS, Job, Outcome, Summary
from recon_lib.reports.text import ByteFacts

_WIDE = Context(prec=60)
_MARK = re.compile(r"([0-9]+)-([0-9a-f]{64})-([t-])([-ql])")


@dataclass(frozen=True)
class _Base:
    """A kept reading that can be continued: of which content, whether cells were trimmed, and its quotation marks: `-` none,
    `q` some, `l` each closed on its line."""

    size: int
    sha256: str
    trimmed: bool
    quotes: str


@dataclass(frozen=True)
class Earlier:
    """The readings in a store of files that begin with the same bytes and were read with the same hints."""

    store: Path
    hints: str
    folder: Path

    @classmethod
    def of(cls, place: Path, head: bytes, hints: str) -> Earlier:
        key = hashlib.sha256(hints.encode() + b"\0" + head).hexdigest()[:32]
        return cls(place, hints, place / store.reader_version() / "grown" / key)

    def note(self, mark: str) -> None:
        """Lists a reading that is kept now, by its `mark_of`."""
        if mark:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / mark).touch()

    def continued(self, job: Job) -> tuple[Outcome, ByteFacts] | None:
        """What reading the whole file gives, from an earlier reading and the rows below it; None: read the whole file.

        So is one that more than doubled: its new rows are the larger part.
        """
        size = job.path.stat().st_size
        bases = [base for base in self._listed() if base.size < size <= 2 * base.size]
        if not bases or not _row_by_row(job.report):
            return None
        *hashes, whole = _hashes(job.path, [base.size for base in bases])
        for base, sha256 in zip(reversed(bases), reversed(hashes), strict=True):  # the longest first
            kept = store.load(store.place(self.store, sha256, self.hints)) if sha256 == base.sha256 else None
            if kept is not None:
                try:
                    return _continued(job, base, kept, whole)
                except (PolarsError, ReportError, OSError):
                    return None
        return None

    def _listed(self) -> list[_Base]:
        """By size."""
        try:
            found = [_MARK.fullmatch(name) for name in os.listdir(self.folder)]
        except OSError:
            return []
        bases = [_Base(int(mark[1]), mark[2], mark[3] == "t", mark[4]) for mark in found if mark]
        return sorted(bases, key=lambda base: base.size)


def mark_of(job: Job, outcome: Outcome, facts: ByteFacts) -> str:
    """The name under which a reading is listed as one that can be continued; empty where it cannot."""
    if outcome.trimmed is None or facts.ends_open or outcome.used <= SAMPLE_ROWS:
        return ""
    quotes = outcome.quotes or ("q" if job.header.quoted and facts.quotes else "-")
    mark = f"{facts.size}-{facts.sha256}-{'t' if outcome.trimmed else '-'}{quotes}"
    return mark if _row_by_row(job.report) else ""


def _row_by_row(report: Report) -> bool:
    """Whether no row of the report depends on another one."""
    return not (report.finish or report.split or report.above or report.prepare or report.remark or report.words)


def _hashes(path: Path, sizes: Iterable[int]) -> Iterator[str]:
    """The sha256 of the first bytes of the file, as many as each of the growing sizes tells, and of all of them."""
    digest, at = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        for size in sizes:
            while at < size and (chunk := file.read(min(text.CHUNK, size - at))):
                digest.update(chunk)
                at += len(chunk)
            yield digest.hexdigest()
        while chunk := file.read(text.CHUNK):
            digest.update(chunk)
    yield digest.hexdigest()


def _continued(job: Job, base: _Base, kept: Reading, whole: str) -> tuple[Outcome, ByteFacts] | None:
    below = replace(job, path=job.work / "below.txt")
    with job.path.open("rb") as file, below.path.open("wb") as out:
        out.writelines(islice(file, job.header.line))
        file.seek(base.size)
        shutil.copyfileobj(file, out)
    facts = text.byte_facts(below.path, job.header.separator)
    if facts.nul or not facts.utf8 or (facts.padded and not base.trimmed):
        return None
    more = passes.run_below(below, job.path, facts, trim=base.trimmed)
    if more is None:
        return None
    quotes = base.quotes
    if quotes != "-" or (job.header.quoted and facts.quotes):  # none may reach over from one row to another
        known = quotes == "l" or scan.is_line_by_line(job.path, job.header, job.head, kept.rows_used, base.size)
        if not known or not scan.is_line_by_line(below.path, job.header, job.head, more.used, facts.size):
            return None
        quotes = "l"
    family = job.report.family
    joined = _joined(parts_at(kept.frames[family]), more.frames[family], kept.rows_used, job.work / family)
    outcome = Outcome(
        {family: joined}, kept.rows_used + more.used, more.rejects, more.facts,
        summary=_summary(kept, more.summary), trimmed=more.trimmed, quotes=quotes,
    )  # fmt: skip
    return outcome, replace(facts, sha256=whole, size=job.path.stat().st_size)


def _joined(parts: list[Path], below: Path, before: int, target: Path) -> Path:
    """A folder of Parquet files: the old ones as they are and the new rows, whose lines lie `before` further down.

    A file that is not twice as large as what comes after it is written anew with that, so that there are never many.
    """
    rows, size = rows_at(below).with_columns(pl.col("line") + before), below.stat().st_size
    while parts and parts[-1].stat().st_size < 2 * size:
        last = parts.pop()
        rows, size = pl.concat([rows_at(last), rows]), size + last.stat().st_size
    target.mkdir()
    for number, part in enumerate(parts):
        try:
            os.link(part, target / f"{number:03}.parquet")
        except OSError:  # a file system without hard links
            shutil.copyfile(part, target / f"{number:03}.parquet")
    rows.sink_parquet(target / f"{len(parts):03}.parquet", **PARQUET)
    return target


def _summary(kept: Reading, more: Summary | None) -> Summary:
    first, last, sums = more or (None, None, {})
    days = [day for day in (kept.period_from, kept.period_to, first, last) if day]
    totals = dict(kept.totals)
    for currency, amount in sums.items():
        totals[currency] = _WIDE.add(totals.get(currency, Decimal(0)), Decimal(amount))
    return min(days, default=None), max(days, default=None), {c: format(totals[c], "f") for c in sorted(totals)}
