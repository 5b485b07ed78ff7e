"""Small files of one layout that are new to the store: read as one table, kept one by one.

An account has hundreds of them, one a day, and to set up the queries over such a file takes longer than its rows. What is
kept of each is what reading it alone gives: the header is its own, every cell stands for itself, and the byte counts prove
of each file that its lines are the rows. A layout in which one row depends on another, and a group in which anything is in
doubt, is left to be read file by file; so this keeps only what it is sure of, and tells nothing.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from recon_lib.errors import ReportError
from recon_lib.reports import scan, shapes, small, store, text, typed
from recon_lib.reports.base import Report
from recon_lib.reports.job import Job, Outcome, frame_of
from recon_lib.reports.reader import hints_of, told_of_table
from recon_lib.reports.recognise import Header, recognise
from recon_lib.reports.store import NO_REJECTS
from recon_lib.reports.text import ByteFacts, small_facts

MOST = 1 << 15
"""Bytes up to which a file is read with others: below text.HEAD, so its beginning is all of it."""
FEWEST, AT_ONCE = 4, 500
"""Files of one layout from which on it is worth while, and how many are held at once."""


@dataclass(frozen=True)
class _File:
    """One file that is not in the store yet, and what its bytes tell."""

    path: Path
    data: bytes
    head: str
    header: Header
    facts: ByteFacts
    final: Path

    @property
    def layout(self) -> tuple[int, tuple[str, ...], str, bool]:
        header = self.header
        return id(header.report), header.names, header.separator, header.quoted

    @property
    def lines(self) -> int:
        """Physical lines below the header."""
        return self.facts.newlines + self.facts.ends_open - self.header.line

    @property
    def body(self) -> bytes:
        """These lines, the last one ended too."""
        below = self.data.split(b"\n", self.header.line)[self.header.line]
        return below + b"\n" if self.facts.ends_open else below

    def job(self, work: Path, marketplace: str | None) -> Job:
        return Job(self.path, "", work, self.head, self.header, self.header.report.language, marketplace)


def keep_alike(paths: Iterable[Path], families: Sequence[Report], store_folder: Path, marketplace: str | None) -> None:
    """Puts into the store what can be read together of those small files; the others stay as they are."""
    groups: dict[object, list[_File]] = {}
    for path in paths:
        file = _unread(path, families, store_folder, hints_of(None, marketplace))
        if file is not None:
            groups.setdefault(file.layout, []).append(file)
    for files in groups.values():
        for at in range(0, len(files), AT_ONCE):
            if len(together := files[at : at + AT_ONCE]) >= FEWEST:
                _keep(together, store_folder, marketplace)


def _unread(path: Path, families: Sequence[Report], store_folder: Path, hints: str) -> _File | None:
    """The file, where the store lacks it and no row of it depends on another one."""
    try:
        if not path.is_file():  # a pipe would never end
            return None
        data = path.read_bytes()
        final = store.place(store_folder, hashlib.sha256(data).hexdigest(), hints)
        if final.exists() or len(data) > MOST or b"\n" not in data:
            return None
        text.refuse_other_kinds(data, "")
        if any(r.sniff is not None and r.sniff(data) for r in families):
            return None
        head = data.decode("utf-8-sig")
        header = recognise(head, families)
    except (OSError, UnicodeDecodeError, ReportError):  # told when it is read alone
        return None
    report, facts = header.report, small_facts(data, header.separator)
    if report.finish or report.split or report.prepare or data.endswith(b"\r"):
        return None
    file = _File(path, data, head, header, facts, final)
    return file if file.lines > 0 and not facts.nul else None


def _keep(files: list[_File], store_folder: Path, marketplace: str | None) -> None:
    try:
        rows = _typed(files, marketplace)
    except PolarsError:
        return
    if rows is None:
        return
    report = files[0].header.report
    frame = frame_of(report, report.family)
    held, counts = small.conform(rows, frame), [file.lines for file in files]
    nth = pl.Series("nth", [n for n, count in enumerate(counts) for _ in range(count)], pl.UInt32)
    told = held.with_columns(nth).group_by("nth", maintain_order=True).agg(small.told_of(frame, report))
    if told["wrong"].any():
        return
    facts = [file.job(store_folder, marketplace).facts() for file in files]
    above = _above(report, facts)
    if above is None:
        return
    for at, (file, of_file, own) in enumerate(zip(files, told.iter_rows(named=True), _cut(held, counts), strict=True)):
        work = store.work_folder(store_folder)
        try:
            job = file.job(work, marketplace)
            outcome = Outcome({}, own.height, NO_REJECTS, facts[at], summary=small.summary_of(of_file, report, own))
            outcome.keep_few(report.family, own, job)
            for family, parts in above.items():
                outcome.keep_few(family, parts[at], job)
            encoding = text.encoding_of(file.data, utf8=True)
            store.save(work, file.final, *told_of_table(job, outcome, file.facts.sha256, encoding), "")
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _above(report: Report, facts: list[dict[str, str]]) -> dict[str, list[pl.DataFrame]] | None:
    """What the lines above the header tell, family -> rows of each file; None where one breaks a rule."""
    parts = {}
    for family, lazy in (report.above(facts) if report.above is not None else {}).items():
        rows, frame = lazy.collect(engine="in-memory", optimizations=small.AS_WRITTEN), frame_of(report, family)
        told = small.conform(rows, frame)
        if told.select(small.told_of(frame, report)[:1]).item():
            return None
        numbers = Counter(rows["nth"].to_list())
        parts[family] = list(_cut(told, [numbers[nth] for nth in range(len(facts))]))
    return parts


def _typed(files: list[_File], marketplace: str | None) -> pl.DataFrame | None:
    """The typed rows of all files below each other, each with its line; None where something is in doubt."""
    header, report = files[0].header, files[0].header.report
    below = Header(report, header.names, 0, header.separator, header.quoted, "")
    raw = scan.cut(b"".join(file.body for file in files), below)
    # No row is less than a line: as many rows as lines, and every line of every file is a row of its own.
    if raw.height != sum(file.lines for file in files):
        return None
    lines = (line for file in files for line in range(file.header.line + 1, file.header.line + 1 + file.lines))
    raw = raw.with_columns(pl.Series("line", lines, raw.schema["line"]))
    last = scan.columns_of(header)[-1]
    for file, own in zip(files, _cut(raw, [file.lines for file in files]), strict=True):
        short = bool(own[last].null_count())
        if (short and header.quoted) or not scan.proves(
            file.path, file.facts, file.header, file.head, own.height, short=short
        ):
            return None
    trim = any(file.facts.padded for file in files)
    month_first = shapes.month_first_default(report, marketplace)
    plans = shapes.with_dates(
        typed.plans_for(header), lambda plan: small.words_of(raw, plan, trim=trim), month_first=month_first
    )
    if any(plan.date is not None and plan.date.slashed for plan in plans):
        return None  # each file shows for itself whether the month stands first
    rows = raw.lazy().select(typed.text_columns(tuple(plans), trim=trim, empties=header.quoted))
    done = small.read_cells(report, rows, plans)
    return None if done is None else done.collect(engine="in-memory", optimizations=small.AS_WRITTEN)


def _cut(rows: pl.DataFrame, counts: list[int]) -> Iterator[pl.DataFrame]:
    """The rows of each file."""
    for end, count in zip(accumulate(counts), counts, strict=True):
        yield rows.slice(end - count, count)
