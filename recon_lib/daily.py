"""Many accounts in one go: each one's packet of the day, missed days too, whatever goes wrong in another account.

One account is one job. A job gives one `Outcome` and never raises; the worst of them is the exit code of the whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recon_lib import account_job, crew
from recon_lib.account_job import YESTERDAY, Job, Outcome, run_account
from recon_lib.daily_page import write_page
from recon_lib.errors import ReconError, RunError, UsageError
from recon_lib.packet import account_name


@dataclass(frozen=True)
class Round:
    """All accounts of one call, sorted by folder; `page` is the summary: None where it could not be written (`problem`)."""

    outcomes: tuple[Outcome, ...]
    day: str
    page: Path | str | None
    problem: str = ""

    @property
    def exit_code(self) -> int:
        """The worst of all: 3 a run failed or was held, or no page, 2 an input is unusable, 1 something is owed, 0."""
        return max([3 if self.problem else 0, *(outcome.exit_code for outcome in self.outcomes)])

    def log_line(self) -> str:
        states = [outcome.state for outcome in self.outcomes]
        counted = {state: states.count(state) for state in sorted(set(states))}
        told = {
            "event": "daily",
            "day": self.day,
            "accounts": counted,
            "exit_code": self.exit_code,
            "page": None if self.page is None else str(self.page),
            "message": self.problem,
        }
        return json.dumps(told, ensure_ascii=False)


def run_daily(
    folder: Path | str,
    out: Path | str,
    day: str = YESTERDAY,
    *,
    catch_up: bool = False,
    workers: int | None = None,
    scheduler: str = "",
    store: Path | None = None,
    now: datetime | None = None,
    told: Callable[[Outcome, int], None] = lambda outcome, of: None,
    work: Callable[[Job], Outcome] | None = None,
    said: Callable[[str], str] = str,
) -> Round:
    """The packets of every account folder in `folder`, and the page `<out>/daily-<date>.html` about them.

    Args:
        day: a day, or `yesterday`: the day before today in each account's own time zone.
        catch_up: also every day since the last published one.
        workers: processes (default: one for each processor). scheduler: a dask.distributed scheduler in place of them.
        now: the moment of the call. told: called with each outcome as it comes, and with how many there will be.
        work: what a worker does with one account (default: `run_account`). said: other words for the places in `folder`.

    Raises:
        UsageError: no account there, nowhere to write, or no scheduler. All else is an Outcome.
    """
    folder, out = Path(folder).resolve(), Path(out).resolve()
    moment = now or datetime.now(UTC)
    jobs = [Job(path, out, day, catch_up, moment, store, why) for path, why in find_accounts(folder, out)]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"cannot write to {out}: {problem.strerror}", hoped="a writable --out folder") from None
    found: dict[Path, Outcome] = {}
    runnable = [job for job in jobs if not job.refused]
    refused = ((job, account_job.outcome(job, "unusable", 2, said(job.refused))) for job in jobs if job.refused)
    try:
        for job, result in _all(work or run_account, refused, runnable, workers or os.cpu_count() or 1, scheduler):
            found[job.folder] = (
                result
                if isinstance(result, Outcome)
                else account_job.outcome(job, "failed", 3, account_job.died(result))
            )
            told(found[job.folder], len(jobs))
    except KeyboardInterrupt:
        for job in jobs:
            found.setdefault(
                job.folder, account_job.outcome(job, "stopped", 3, "the run was stopped before this account was done")
            )
    outcomes = tuple(found[job.folder] for job in jobs)
    days = [outcome.day for outcome in outcomes if outcome.day]
    spoken = day if day != YESTERDAY else max(days, default=(moment.date() - timedelta(days=1)).isoformat())
    try:
        return Round(outcomes, spoken, write_page(outcomes, spoken, out))
    except RunError as problem:  # packets are published: what became of each account is told all the same
        return Round(outcomes, spoken, None, str(problem))


def _all(
    work: Callable[[Job], Outcome],
    refused: Iterator[tuple[Job, Outcome]],
    jobs: list[Job],
    workers: int,
    scheduler: str,
) -> Iterator[tuple[Job, Outcome | BaseException]]:
    yield from refused
    if jobs:
        yield from (crew.with_cluster(work, jobs, scheduler) if scheduler else crew.with_processes(work, jobs, workers))


def find_accounts(folder: Path, out: Path) -> list[tuple[Path, str]]:
    """Every account folder directly in `folder`, sorted, with the reason why it must not run (empty: it may).

    A folder is an account where account.yml, reports/ or books/ lies in it: one that lost its account.yml is told, not
    passed over. Two folders with one account name would write into one place: neither runs.
    """
    if (folder / "account.yml").is_file():
        raise UsageError(
            f"{folder} is an account folder itself",
            hoped="the folder in which account folders lie",
            do="use 'recon packet'",
        )
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as problem:
        raise UsageError(f"{folder} cannot be read: {problem.strerror}", hoped="a folder of account folders") from None
    parts = ("account.yml", "reports", "books")
    paths = [path for path in inside if path.resolve() != out and any((path / part).exists() for part in parts)]
    if not paths:
        raise UsageError(f"no account lies in {folder}", hoped="folders with account.yml, reports/ and books/")
    names: dict[str, list[Path]] = {}
    reasons: dict[Path, str] = {}
    for path in paths:
        try:
            names.setdefault(account_name(path).casefold(), []).append(path)
        except ReconError as problem:
            reasons[path] = str(problem)
    for same in names.values():
        for path in same if len(same) > 1 else ():
            others = ", ".join(other.name for other in same if other != path)
            reasons[path] = (
                f"the account name in account.yml is also that of {others}\n  What to do: name each account differently"
            )
    return [(path, reasons.get(path, "")) for path in paths]
