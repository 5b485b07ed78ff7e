"""An account folder as it stands at the end of a day: every family as one typed frame, and what became of every file."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import dataframely as dy
import polars as pl

from recon_lib import frames
from recon_lib.account import Account, load_account
from recon_lib.errors import NotAReport, ReportError, UsageError
from recon_lib.paths import default_store, shown
from recon_lib.reports.base import Reading

_SMALL = 256 * 1024  # bytes of a file up to which several are read at once

FRAMES: dict[str, type[dy.Schema]] = {
    "reimbursements": frames.Reimbursement,
    "customer_returns": frames.CustomerReturn,
    "ledger_detail": frames.LedgerEvent,
    "ledger_summary": frames.LedgerBalance,
    "inbound_shipments": frames.InboundShipment,
    "removal_orders": frames.RemovalOrder,
    "removal_shipments": frames.RemovalShipment,
    "fee_preview": frames.FeePreview,
    "settlements": frames.Settlement,
    "settlement_lines": frames.SettlementLine,
    "date_range": frames.DateRangeLine,
    "storage_fees": frames.StorageFee,
    "aged_inventory_fees": frames.AgedInventoryFee,
    "overage_fees": frames.OverageFee,
    "all_orders": frames.OrderLine,
    "fulfilled_shipments": frames.FulfilledShipment,
    "shipment_sales": frames.ShipmentSale,
    "replacements": frames.Replacement,
    "pay_statements": frames.PayStatement,
    "pay_lines": frames.PayLine,
    "pay_refunds": frames.PayRefund,
    "pay_captures": frames.PayCapture,
    "bank": frames.BankLine,
    "products": frames.Product,
    "pay_activity": frames.PayActivity,
    "removal_receipts": frames.RemovalReceipt,
}
FILE_SCHEMA = {
    "path": pl.String, "family": pl.String, "title": pl.String, "layout": pl.String, "sha256": pl.String,
    "encoding": pl.String, "rows_total": pl.Int64, "rows_used": pl.Int64, "rows_rejected": pl.Int64,
    "rows_repeated": pl.Int64, "rows_after": pl.Int64, "period_from": pl.Date, "period_to": pl.Date,
    "totals": pl.String, "notes": pl.String,
}  # fmt: skip
"""One row a file (or archive member). rows_total = rows_used + rows_rejected; of the used ones `rows_repeated` stand in
another file too and `rows_after` lie after the as-of day: both are set aside. `family` null: not a report."""


@dataclass(frozen=True)
class Books:
    """The typed frames of an account up to the end of `as_of`, in the account's time zone."""

    account: Account
    as_of: date
    folder: Path
    frames: dict[str, pl.LazyFrame]
    files: pl.DataFrame
    rejects: pl.DataFrame
    periods: dict[str, list[tuple[date, date]]] = field(default_factory=dict)
    digests: dict[str, pl.LazyFrame] = field(default_factory=dict)  # of reports too large to be held (digests.py)
    running: tuple[tuple[str | None, date], ...] = ()  # currency and first day of settlements that end after the day
    rejected_orders: Mapping[str, frozenset[str]] = field(
        default_factory=dict
    )  # family -> orders that rejected rows name

    def has(self, family: str) -> bool:
        """Is any file of the family there (whatever its rows)?"""
        return family in self.periods

    def coverage(self, family: str) -> list[tuple[date, date]]:
        """The days that the files of the family speak about, as joined spans; for settlements their stated windows."""
        return self.periods.get(family, [])


def open_account(folder: Path | str, as_of: date | str, *, store: Path | None = None) -> Books:
    """The books of the account folder at the end of `as_of`.

    Raises:
        UsageError: account.yml or the folder is unusable.
        ReportError: a recognised report or a file in books/ is unusable as a whole; all of them are named.
    """
    from recon_lib.asof import assemble  # the cut and the merge import Books' schema
    from recon_lib.reports.archive import is_litter
    from recon_lib.reports.own_files import own_file

    folder, day = Path(folder), day_of(as_of)
    account = load_account(folder)
    store = store or default_store()
    readings: list[tuple[str, Reading]] = []
    others: list[tuple[str, str]] = []
    refused: list[ReportError] = []
    for told in _readings(list(account_files(folder)), folder, store, account):
        for display, outcome in told:
            if isinstance(outcome, Reading):
                readings.append((display, outcome))
            elif isinstance(outcome, NotAReport) and (not display.startswith("books/") or is_litter(display)):
                others.append((display, outcome.met))
            elif display.startswith("books/"):
                refused.append(own_file(outcome, display))
            else:
                refused.append(outcome)
    if refused:
        raise refusal(refused)
    return assemble(account, day, folder, store, readings, others)


def account_files(folder: Path) -> Iterator[Path]:
    """Every file below reports/ and books/, sorted by its path; links that lead out of the account are refused."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hoped="an account folder with account.yml, reports/ and books/")
    root = folder.resolve()
    for part in ("books", "reports"):
        found = []
        for place, folders, names in os.walk(folder / part, onerror=lambda problem: _unopened(problem, folder)):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [Path(place) / name for name in names if not name.startswith(".")]
            # A link to a folder is not followed; one to what is read anyway leads to nothing more.
            found += [
                link for name in folders if (link := Path(place) / name).is_symlink() and not _is_read(link, root)
            ]
        for path in sorted(found, key=lambda p: p.relative_to(folder).as_posix()):
            if path.relative_to(folder).as_posix() == "books/bank/mapping.yml":
                continue  # settings, read beside each bank file
            if path.is_symlink() and not path.exists():
                here = shown(path.relative_to(folder))
                raise ReportError("is a link that leads nowhere", hoped="a file", do="remove it", file=here)
            if path.is_symlink() and (path.is_dir() or not _within(path, root)):
                within = "is a link to a folder that is not read"
                raise ReportError(
                    within if _within(path, root) else "is a link that leads out of the account folder",
                    hoped="the folder itself" if path.is_dir() else "the file itself",
                    do=f"copy the {'folder' if path.is_dir() else 'file'} into {part}/",
                    file=shown(path.relative_to(folder)),
                )
            yield path


def _within(link: Path, root: Path) -> bool:
    return link.resolve().is_relative_to(root)


def _is_read(link: Path, root: Path) -> bool:
    """Does the link lead into books/ or reports/, or to a folder that they are in?"""
    there, parts = link.resolve(), [(root / part).resolve() for part in ("books", "reports")]
    return any(there.is_relative_to(part) or part.is_relative_to(there) for part in parts)


def _unopened(problem: OSError, folder: Path) -> None:
    """Files in a folder that cannot be opened would be missing without a word. There need not be both reports/ and books/."""
    if not isinstance(problem, FileNotFoundError):
        raise ReportError(
            f"the folder cannot be opened: {problem.strerror}",
            hoped="a readable folder",
            do="give yourself the right to read it",
            file=shown(Path(problem.filename).relative_to(folder)),
        )


def read_path(path: Path, display: str, store: Path, account: Account) -> Iterator[tuple[str, Reading | ReportError]]:
    """Reads one file or every member of one archive; problems come back, they are not raised."""
    from recon_lib.reports.members import read_members  # imports every family: only when files are read

    yield from read_members(path, display, store=store, marketplace=account.marketplace)


def _readings(
    paths: list[Path], folder: Path, store: Path, account: Account
) -> Iterator[list[tuple[str, Reading | ReportError]]]:
    """What each file gives, in the order of the paths: small ones several at once, large ones one after the other."""

    def read(path: Path) -> list[tuple[str, Reading | ReportError]]:
        return list(read_path(path, shown(path.relative_to(folder)), store, account))

    from recon_lib.reports import FAMILIES, alike

    small = [path for path in paths if _size(path) <= _SMALL]
    tiny = {path for path in small if _size(path) <= alike.MOST}
    with ThreadPoolExecutor(2) as pool:
        together = pool.submit(alike.keep_alike, sorted(tiny), FAMILIES, store, account.marketplace)
        begun = {path: pool.submit(read, path) for path in small if path not in tiny}
        together.result()
        begun |= {path: pool.submit(read, path) for path in tiny}
        try:
            for path in paths:
                yield begun[path].result() if path in begun else read(path)
        finally:
            pool.shutdown(cancel_futures=True)


def _size(path: Path) -> float:
    try:
        return path.stat().st_size
    except OSError:
        return math.inf  # told by the reader


def refusal(problems: list[ReportError]) -> ReportError:
    """One error that names every unusable file."""
    if len(problems) == 1:
        return problems[0]
    told = "\n\n".join(str(problem) for problem in problems[:20])
    more = f"\n\n... and {len(problems) - 20} more" if len(problems) > 20 else ""
    return ReportError(f"{len(problems)} files cannot be used; nothing was written.\n\n{told}{more}")


def day_of(value: date | str) -> date:
    """The day that is meant; UsageError where it is none."""
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except ValueError:
        raise UsageError(f"{value!r} is no day", hoped="a date like 2026-01-31") from None


def merged_name(parts: list[str]) -> str:
    """A content address for something made of the named parts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


__all__ = ["FRAMES", "Books", "account_files", "day_of", "open_account"]
