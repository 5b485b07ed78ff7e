"""What `recon check` finds: for every file what it is, its period, rows, money, and what was refused and why.

Exit code: 2 a file was refused, else 1 a row was rejected or a settlement does not add up, else 0. A file that is no report
at all is listed and is nothing wrong.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import polars as pl

from recon_lib.account import load_account
from recon_lib.errors import NotAReport, ReconError, ReportError
from recon_lib.money import money_text
from recon_lib.paths import shown
from recon_lib.reports.bank_mapping import NAME, load_mapping
from recon_lib.reports.base import Reading
from recon_lib.reports.period import told_period
from recon_lib.settled_files import compared_settlements

SHOWN_REJECTS = 20
ACCOUNT_FILE, MISNAMED = "account.yml", "account.yaml"
REFUSED = "REFUSED, see below"


@dataclass(frozen=True)
class Refusal:
    """One file that cannot be used: where, what was met, what was hoped for, what to do."""

    file: str
    line: int | None
    met: str
    hoped: str
    do: str


@dataclass(frozen=True)
class Row:
    """One file or archive member. `what` is the report's title, or says why it is none; counts are physical rows."""

    file: str
    what: str
    is_report: bool = False
    period_from: str | None = None
    period_to: str | None = None
    rows_used: int = 0
    rows_rejected: int = 0
    totals: tuple[tuple[str, Decimal], ...] = ()
    encoding: str = ""
    notes: tuple[str, ...] = ()
    out_of_balance: tuple[str, ...] = ()
    rejects: tuple[tuple[int, str, str, str], ...] = ()  # line, column, value, reason: the first ones


@dataclass
class CheckResult:
    """Everything that was looked at, in the order of the walk; nothing is left out."""

    rows: list[Row] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    settlements: dict[Path, dict[str, Reading]] = field(default_factory=dict, repr=False)  # by account, then by file

    @property
    def exit_code(self) -> int:
        """2 refused, 1 rejected rows or a settlement that does not add up, 0 nothing wrong."""
        if self.refusals:
            return 2
        return 1 if any(row.rows_rejected or row.out_of_balance for row in self.rows) else 0


def check(paths: Sequence[Path], *, store: Path) -> CheckResult:
    """Looks at the given files and at every file below the given folders. Raises nothing for what it meets there."""
    result = CheckResult()
    for path in paths:
        if path.is_dir():
            _folder(path, store, result)
        elif _is_settings(path):
            _settings(path, shown(path), result)
        else:
            _file(path, shown(path), store, None, result)
    for readings in result.settlements.values():
        _contradictions(readings, result)
    return result


def _contradictions(readings: dict[str, Reading], result: CheckResult) -> None:
    """Refuses the files of one account that tell different content under one settlement id, as its packet does."""
    kept = [{name: r.frames[family] for name, r in readings.items()} for family in ("settlements", "settlement_lines")]
    for conflict in compared_settlements(*kept)[1]:
        result.rows = [Row(row.file, REFUSED) if row.file in conflict.files else row for row in result.rows]
        for file in conflict.files:
            problem = conflict.problem(file)
            result.refusals.append(Refusal(file, None, problem.met, problem.hoped, problem.do))


def _folder(folder: Path, store: Path, result: CheckResult) -> None:
    """Account settings first: they tell the marketplace. Folders sorted, links never followed out of the folder."""
    marketplaces: dict[Path, str | None] = {}
    root = folder.resolve()
    for path, display in _walk(folder, root, result):
        if _is_settings(path):
            _settings(path, display, result)
        else:
            _file(path, display, store, _marketplace(path, folder, marketplaces), result)


def _walk(folder: Path, root: Path, result: CheckResult) -> Iterator[tuple[Path, str]]:
    unread: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=unread.append):
        for name in sorted(folders):
            path = Path(place) / name
            if path.is_symlink():
                result.rows.append(Row(shown(path), "not a report: a link to a folder, not followed"))
            elif name.startswith("."):
                result.rows.append(Row(shown(path), "not a report: a hidden folder, not looked into"))
        folders[:] = sorted(n for n in folders if not n.startswith(".") and not (Path(place) / n).is_symlink())
        for name in sorted(names):
            path = Path(place) / name
            if path.is_symlink() and not _within(path, root):
                result.rows.append(Row(shown(path), "not a report: a link that leads out of the folder, not followed"))
            elif name.startswith("."):
                result.rows.append(Row(shown(path), "not a report: a hidden file"))
            else:
                yield path, shown(path)
    for error in unread:
        where = str(error.filename)
        why = error.strerror or type(error).__name__
        do = "give yourself the right to read it"
        result.refusals.append(Refusal(where, None, f"the folder cannot be opened: {why}", "a readable folder", do))


def _within(path: Path, root: Path) -> bool:
    """Does the link end inside the folder? A link to itself does not, it ends nowhere."""
    try:
        return path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _is_settings(path: Path) -> bool:
    return path.name in (ACCOUNT_FILE, MISNAMED) or (path.name == NAME and path.parent.name == "bank")


def _settings(path: Path, display: str, result: CheckResult) -> None:
    account = path.name != NAME
    if path.name == MISNAMED and path.with_name(ACCOUNT_FILE).is_file():
        result.rows.append(Row(display, f"not a report: {ACCOUNT_FILE} beside it holds the settings"))
        return
    try:
        load_account(path.parent) if account else load_mapping(path)
    except ReconError as problem:
        _refuse(problem, display, result)
    else:
        result.rows.append(Row(display, "account settings" if account else "bank mapping"))


def _marketplace(path: Path, folder: Path, known: dict[Path, str | None]) -> str | None:
    """The marketplace of the nearest account.yml above the file, within the folder; null where there is none."""
    for place in path.parents:
        if place not in known:
            known[place] = None
            if (place / ACCOUNT_FILE).is_file():
                with suppress(ReconError):  # told as a refusal when the walk comes to it
                    known[place] = load_account(place).marketplace
        if known[place] or place == folder:
            return known[place]
    return None


def _file(path: Path, display: str, store: Path, marketplace: str | None, result: CheckResult) -> None:
    from recon_lib.reports.archive import is_litter
    from recon_lib.reports.members import read_members  # imports every family: only when files are read
    from recon_lib.reports.own_files import own_file

    own = _in_books(path)
    for name, outcome in read_members(path, display, store=store, marketplace=marketplace):
        if isinstance(outcome, ReportError) and own and not is_litter(name):
            _refuse(own_file(outcome, name), name, result)
        elif isinstance(outcome, NotAReport):
            result.rows.append(Row(name, f"not a report: {outcome.met}"))
        elif isinstance(outcome, ReportError):
            _refuse(outcome, name, result)
        else:
            result.rows.append(_row(name, outcome))
            if "settlements" in outcome.frames:
                home = next((place for place in path.parents if (place / ACCOUNT_FILE).is_file()), Path())
                result.settlements.setdefault(home, {})[name] = outcome


def _in_books(path: Path) -> bool:
    """Does the file lie in the books/ of an account? There a packet refuses what it cannot read."""
    books = next((place for place in path.parents if place.name == "books"), None)
    return books is not None and (books.parent / ACCOUNT_FILE).is_file()


def _refuse(problem: ReconError, name: str, result: CheckResult) -> None:
    result.rows.append(Row(name, REFUSED))
    result.refusals.append(Refusal(name, problem.line, problem.met, problem.hoped, problem.do))


def _row(name: str, reading: Reading) -> Row:
    first, last = told_period(reading)
    rejects = reading.rejects.sort("line").head(SHOWN_REJECTS).select("line", "column", "value", "reason")
    return Row(
        file=name,
        what=reading.title + (f" ({reading.layout})" if reading.layout and reading.layout not in reading.title else ""),
        is_report=True,
        period_from=first.isoformat() if first else None,
        period_to=last.isoformat() if last else None,
        rows_used=reading.rows_used,
        rows_rejected=reading.rows_rejected,
        totals=tuple(sorted(reading.totals.items())),
        encoding=reading.encoding,
        notes=tuple(note for note in reading.notes if ": lines add up to " not in note),  # told as out of balance
        out_of_balance=tuple(out_of_balance(reading)),
        rejects=tuple((int(line), str(c or ""), str(v or ""), str(r)) for line, c, v, r in rejects.iter_rows()),
    )


def out_of_balance(reading: Reading) -> list[str]:
    """One sentence for each settlement of the file whose lines do not add up to the total it states."""
    if not {"settlements", "settlement_lines"} <= set(reading.frames):
        return []
    lines = reading.rows("settlement_lines").group_by("settlement_id").agg(pl.col("amount").sum())
    both = (
        reading.rows("settlements")
        .filter(pl.col("total_amount").is_not_null())
        .join(lines, on="settlement_id", how="left")
        .with_columns(pl.col("amount").fill_null(Decimal(0)))
        .filter(pl.col("amount") != pl.col("total_amount"))
        .select("settlement_id", "total_amount", "amount", "currency")
        .sort("settlement_id", "total_amount")
        .collect()
    )
    return [
        f"settlement {s} does not add up: it states {money_text(total, c)} {c}, its lines give {money_text(got, c)} {c}"
        for s, total, got, c in both.iter_rows()
    ]
