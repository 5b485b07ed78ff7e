"""Many accounts in one go: each one's packet of the day, missed days too, whatever goes wrong in another account.

One account is one job. A job gives one `Outcome` and never raises; the worst of them is the exit code of the whole.
"""

from __future__ import annotations

import json
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from recon_lib import crew, manifest, publish, unchanged, warm
from recon_lib.errors import HeldError, ReconError, RunError, UsageError
from recon_lib.packet import PacketResult, account_name, make_packet, project_root, published

YESTERDAY = "yesterday"
# papermill is not made for threads; on a cluster a worker may have several.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Job:
    """One account folder and what is wanted of it."""

    folder: Path
    out: Path
    day: str  # YYYY-MM-DD or `yesterday`
    catch_up: bool
    now: datetime
    store: Path | None = None
    refused: str = ""  # why it must not run at all


@dataclass(frozen=True)
class Outcome:
    """What became of one account.

    `state`: published, unchanged (all there already), unusable (its input), failed, held (another run has it), stopped.
    """

    folder: str
    account: str
    day: str
    state: str
    exit_code: int
    packets: tuple[PacketResult, ...] = ()
    answer: dict[str, Any] = field(default_factory=dict)  # of the newest packet, as in its manifest
    message: str = ""
    seconds: float = 0.0
    lines: tuple[str, ...] = ()  # of `packets`, where they do not lie at their paths

    def log_line(self) -> str:
        """One line of JSON for machines: counts and money, no order, no path of a report."""
        told = {
            "event": "account", "folder": self.folder, "account": self.account, "day": self.day, "state": self.state,
            "exit_code": self.exit_code, "published": sum(not packet.unchanged for packet in self.packets),
            "findings": self.answer.get("findings", {}), "owed": self.answer.get("owed", {}),
            "overdue": self.answer.get("overdue_items", 0), "seconds": round(self.seconds, 2), "message": self.message,
        }  # fmt: skip
        return json.dumps(told, ensure_ascii=False)


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
    from recon_lib.daily_page import write_page

    folder, out = Path(folder).resolve(), Path(out).resolve()
    moment = now or datetime.now(UTC)
    jobs = [Job(path, out, day, catch_up, moment, store, why) for path, why in find_accounts(folder, out)]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"cannot write to {out}: {problem.strerror}", hoped="a writable --out folder") from None
    found: dict[Path, Outcome] = {}
    runnable = [job for job in jobs if not job.refused]
    refused = ((job, _outcome(job, "unusable", 2, said(job.refused))) for job in jobs if job.refused)
    try:
        for job, result in _all(work or run_account, refused, runnable, workers or os.cpu_count() or 1, scheduler):
            found[job.folder] = result if isinstance(result, Outcome) else _outcome(job, "failed", 3, _died(result))
            told(found[job.folder], len(jobs))
    except KeyboardInterrupt:
        for job in jobs:
            found.setdefault(
                job.folder, _outcome(job, "stopped", 3, "the run was stopped before this account was done")
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


def run_account(job: Job) -> Outcome:
    """Everything wanted of one account; runs in a worker, never raises."""
    begun = time.monotonic()
    made: list[PacketResult] = []
    name, day = "", "" if job.day == YESTERDAY else job.day
    try:
        with _one_at_a_time:
            warm.keep(project_root())
            name = account_name(job.folder)
            home = job.out / name
            last = wanted_day(job, job.folder)
            # A failure ends the account: days after it would hide that this one is missing.
            for day in days_wanted(home, last, job.catch_up):
                made.append(_packet(job, home, day))
        state = "unchanged" if all(packet.unchanged for packet in made) else "published"
        return _outcome(job, state, max(p.exit_code for p in made), "", name, day, made, time.monotonic() - begun)
    except Exception as problem:
        log = job.out / name / f"{day}.log"
        return ended(job, problem, name, day, made, log, seconds=time.monotonic() - begun)


def ended(
    job: Job, problem: Exception, name: str = "", day: str = "", made: Sequence[PacketResult] = (),
    log: Path | None = None, *, seconds: float = 0.0,
) -> Outcome:  # fmt: skip
    """What became of an account whose run ended with `problem`; `log` takes the details of one that nobody foresaw."""
    if isinstance(problem, HeldError):
        return _outcome(job, "held", 3, str(problem), name, day, made, seconds)
    if isinstance(problem, ReconError):
        state = "unusable" if problem.exit_code == 2 else "failed"
        return _outcome(job, state, problem.exit_code, str(problem), name, day, made, seconds)
    # a defect of the program or of the machine: this account's alone
    return _outcome(job, "failed", 3, _died(problem, log), name, day, made, seconds)


def _packet(job: Job, home: Path, day: str) -> PacketResult:
    now = unchanged.digest(job.folder, home, day, project_root())
    if place := unchanged.made_from(home, day, now):
        publish.mend(home)
        return published(place)
    result = make_packet(job.folder, day, job.out, store=job.store)
    # A file that changed while it was read is not remembered: the next run looks again.
    if now is not None and unchanged.digest(job.folder, home, day, project_root()) == now:
        unchanged.remember(home, day, now, result.path)
    return result


def wanted_day(job: Job, folder: Path) -> str:
    """The last day that the job asks for. UsageError as `account.load_account`."""
    return job.day if job.day != YESTERDAY else yesterday(folder, job.now)


def yesterday(folder: Path, now: datetime) -> str:
    """The day before today where the account is. UsageError as `account.load_account`."""
    from recon_lib.account import load_account

    here = now.astimezone(ZoneInfo(load_account(folder).time_zone))
    return (here.date() - timedelta(days=1)).isoformat()


def days_wanted(home: Path, last: str, catch_up: bool) -> list[str]:
    """The days to make, the oldest first: `last`, and with `catch_up` all since the newest published day before it."""
    end = date.fromisoformat(last)
    known = [day for day in publish.days(home) if day < last] if catch_up else []
    first = date.fromisoformat(known[-1]) + timedelta(days=1) if known else end
    return [(first + timedelta(days=n)).isoformat() for n in range((end - first).days + 1)]


def _outcome(
    job: Job, state: str, code: int, message: str, name: str = "", day: str = "",
    made: Sequence[PacketResult] = (), seconds: float = 0.0,
) -> Outcome:  # fmt: skip
    answer = manifest.read(made[-1].path)["answer"] if made else {}
    day = day or (job.day if job.day != YESTERDAY else "")
    return Outcome(job.folder.name, name, day, state, code, tuple(made), answer, message, seconds)


def _died(problem: BaseException, log: Path | None = None) -> str:
    """A problem nobody foresaw, in words; its details go to `log` where that can be written."""
    told = f"the run ended with {type(problem).__name__}; nothing was published for this day"
    if log is None:
        return f"{told}\n  What to do: look for a lack of memory, then run this account alone with 'recon packet'"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(traceback.format_exception(problem)), encoding="utf-8")
        return f"{told}\n  What to do: see {log}"
    except OSError:
        return f"{told}: {problem}"
