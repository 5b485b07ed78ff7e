"""One account's part of a call: a job in, what became of it out. It runs in a worker and never raises."""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from recon_lib import manifest, publish, unchanged, warm
from recon_lib.errors import HeldError, ReconError
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
        return outcome(job, state, max(p.exit_code for p in made), "", name, day, made, time.monotonic() - begun)
    except Exception as problem:
        log = job.out / name / f"{day}.log"
        return ended(job, problem, name, day, made, log, seconds=time.monotonic() - begun)


def ended(
    job: Job, problem: Exception, name: str = "", day: str = "", made: Sequence[PacketResult] = (),
    log: Path | None = None, *, seconds: float = 0.0,
) -> Outcome:  # fmt: skip
    """What became of an account whose run ended with `problem`; `log` takes the details of one that nobody foresaw."""
    if isinstance(problem, HeldError):
        return outcome(job, "held", 3, str(problem), name, day, made, seconds)
    if isinstance(problem, ReconError):
        state = "unusable" if problem.exit_code == 2 else "failed"
        return outcome(job, state, problem.exit_code, str(problem), name, day, made, seconds)
    # a defect of the program or of the machine: this account's alone
    return outcome(job, "failed", 3, died(problem, log), name, day, made, seconds)


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


def outcome(
    job: Job, state: str, code: int, message: str, name: str = "", day: str = "",
    made: Sequence[PacketResult] = (), seconds: float = 0.0,
) -> Outcome:  # fmt: skip
    """What became of the job; the answer is that of the newest packet in `made`."""
    answer = manifest.read(made[-1].path)["answer"] if made else {}
    day = day or (job.day if job.day != YESTERDAY else "")
    return Outcome(job.folder.name, name, day, state, code, tuple(made), answer, message, seconds)


def died(problem: BaseException, log: Path | None = None) -> str:
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
