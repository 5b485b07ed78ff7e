"""One path in, one outcome a file: archives opened, every member read, a bank's own CSV read by the mapping beside it.

Problems come back as values, so that one bad file hides no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from recon_lib import frames, reports
from recon_lib.errors import NotAReport, ReconError, ReportError
from recon_lib.reports.archive import open_members
from recon_lib.reports.bank import KEY
from recon_lib.reports.bank_mapped import read_mapped
from recon_lib.reports.bank_mapping import NAME, load_mapping
from recon_lib.reports.base import Reading, Report
from recon_lib.reports.reader import read_file


def read_members(
    path: Path, display: str, *, store: Path, marketplace: str | None = None
) -> Iterator[tuple[str, Reading | ReportError]]:
    """Reads one file or every member of one archive: (display name, reading or what is wrong with it)."""
    for name, member in open_members(path, display):
        if isinstance(member, ReportError):
            yield name, member
            continue
        try:
            yield name, _read(path, member, name, store, marketplace)
        except ReportError as problem:
            yield name, problem


def _read(path: Path, member: Path, name: str, store: Path, marketplace: str | None) -> Reading:
    try:
        return reports.read(member, store=store, display=name, marketplace=marketplace)
    except ReportError as problem:
        beside = path.parent / NAME
        if path.name == NAME or not beside.is_file():
            raise
        met = problem
    try:
        return read_by_mapping(member, beside, name, store)
    except ReportError:
        if isinstance(met, NotAReport):
            raise
        raise met from None  # a damaged statement of another kind, not this bank's own columns


def read_by_mapping(member: Path, beside: Path, name: str, store: Path) -> Reading:
    """A bank's own CSV. Raises ReportError also for a wrong mapping, NotAReport where the columns are not there."""
    try:
        mapping = load_mapping(beside)
    except ReconError as problem:
        raise ReportError(
            f"mapping.yml is wrong: {problem.met}", hoped=problem.hoped, do=problem.do, file=name
        ) from None
    report = Report(
        family="bank",
        title="Bank statement (CSV by mapping.yml)",
        frame=frames.BankLine,
        columns=(),
        signature=(),
        key=KEY,
        period="booked_on",
        money="amount",
        sniff=lambda head: True,
        read=lambda data: read_mapped(data, mapping),
    )
    # The same bytes under another mapping are another reading: the hint becomes part of the place where it is kept.
    hint = "mapping-" + hashlib.sha256(mapping.model_dump_json().encode()).hexdigest()[:16]
    return read_file(member, (report,), store_folder=store, display=name, language=hint)
