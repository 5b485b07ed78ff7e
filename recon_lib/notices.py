"""Telling someone after a run, through apprise (the extra `notify`): settings in, one message to each receiver out.

An address holds secrets (tokens, passwords): it goes to apprise and nowhere else, no message of this module contains a
part of one. What apprise and the libraries under it would log is kept silent for the same reason (`deliver.py`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from recon_lib import deliver as sender
from recon_lib import notice_cloud, notice_facts, notice_memory, notice_words
from recon_lib.account_job import Outcome
from recon_lib.daily import Round
from recon_lib.errors import ReconError, RunError, UsageError
from recon_lib.notice_memory import Memory
from recon_lib.notice_settings import Settings, load
from recon_lib.paths import is_url, to_install

SECONDS = 60  # for one receiver
PATIENCE = 300  # for another run that is telling


@dataclass(frozen=True)
class Report:
    """What became of the notices of one run. `exit_code`: 0, 2 the settings are wrong, 3 a receiver was not told."""

    news: int = 0
    told: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    exit_code: int = 0

    def log_line(self) -> str:
        told = {
            "event": "notices",
            "news": self.news,
            "told": self.told,
            "problems": self.problems,
            "exit_code": self.exit_code,
        }
        return json.dumps(told, ensure_ascii=False)

    def words(self) -> str:
        """For people."""
        said = f"told {', '.join(self.told)}" if self.told else "nobody was told" if self.problems else "nothing new"
        return "\n".join([f"recon: notices: {said}", *(f"recon: notices: {problem}" for problem in self.problems)])


def tell(
    source: str, out: Path | str, done: Round | None, *, now: datetime | None = None, seconds: float = SECONDS
) -> Report:
    """Tells every receiver what it was not told yet. Never raises: packets are published, whatever becomes of notices.

    Args:
        source: a settings file, or `env`. out: where the packets lie, a folder or s3://bucket/folder.
        done: what the run made; None where it could not start.
        now: the moment of the call. seconds: for one receiver.
    """
    try:
        settings = load(source)
        needs_apprise()
        moment = now or datetime.now(UTC)
        outcomes = done.outcomes if done else ()
        ours = notice_cloud.at_hand(str(out), outcomes, PATIENCE) if is_url(out) else _alone(Path(out), outcomes)
        with ours as (memory, outcomes):
            seen = (
                notice_facts.seen(outcomes, memory.out, settings.days, moment) if done else notice_facts.not_started()
            )
            return _tell(settings, seen, memory, done, done.day if done else moment.date().isoformat(), seconds)
    except ReconError as problem:
        return Report(problems=(str(problem),), exit_code=2 if isinstance(problem, UsageError) else 3)
    except (Exception, KeyboardInterrupt) as problem:
        return Report(problems=(f"telling ended with {type(problem).__name__}; the next run tries again",), exit_code=3)


@contextmanager
def _alone(out: Path, outcomes: tuple[Outcome, ...]) -> Iterator[tuple[Memory, tuple[Outcome, ...]]]:
    """Only one run tells at a time. Where nothing can be written there is no lock, and telling goes before order."""
    from filelock import FileLock, Timeout

    out = out.resolve()
    with ExitStack() as held:
        with suppress(OSError):
            out.mkdir(parents=True, exist_ok=True)
            lock = FileLock(out / notice_memory.LOCK, timeout=PATIENCE)
            try:
                held.enter_context(lock)
            except Timeout:  # is an OSError too
                raise RunError("another run is telling", do="nothing: what is new is told by the next run") from None
        yield Memory(out), outcomes


def _tell(
    settings: Settings, seen: notice_facts.Seen, memory: Memory, done: Round | None, day: str, seconds: float
) -> Report:
    receivers = settings.receivers()
    known, damage = memory.read()
    kept = {name: notice_memory.over(known.get(name, {}), seen) for name in sorted({*known, *receivers})}
    failed: list[str] = []
    told: list[str] = []
    most, keep_old = 0, bool(damage)
    for name, address in receivers.items():
        news = notice_memory.news(kept[name], seen.facts)
        most = max(most, len(news))
        if not news:
            continue
        if why := _send(address, *_message(settings, news, memory, done, day), memory=memory, seconds=seconds):
            failed.append(f"{name} was not told: {why}; the next run tries again")
            continue
        told.append(name)
        kept[name] = notice_memory.with_told(kept[name], news, day)
        with suppress(OSError, ReconError):  # at once: a process that dies now tells nothing twice
            memory.write(kept, keep_old=keep_old)
            keep_old, known = False, notice_memory.whole(kept)
    try:
        if keep_old or notice_memory.whole(kept) != known:
            memory.write(kept, keep_old=keep_old)
    except (OSError, ReconError) as problem:
        what = problem.met if isinstance(problem, ReconError) else problem.strerror or type(problem).__name__
        failed.append(f"{notice_memory.NAME} cannot be written ({what}): what was told now is told again")
    return Report(most, tuple(told), tuple(filter(None, [damage, *failed])), 3 if failed else 0)


def _send(address: str, title: str, text: str, *, memory: Memory, seconds: float) -> str:
    """As `deliver`, as long as no other run tells."""
    try:
        memory.confirm()
    except ReconError as problem:
        return problem.met
    return deliver(address, title, text, seconds=seconds)


def _message(
    settings: Settings, news: Sequence[notice_facts.Fact], memory: Memory, done: Round | None, day: str
) -> tuple[str, str]:
    def link(path: Path) -> str:
        if not settings.link:
            return memory.said(path)
        return f"{settings.link.rstrip('/')}/{quote(path.relative_to(memory.out).as_posix())}"

    page = link(memory.out / Path(done.page).name) if done and done.page else ""
    text = notice_words.body(news, page, lambda packet: link(packet / "packet.html"), settings.days, settings.show)
    return notice_words.title(news, day), text


def send_test(source: str) -> Report:
    """Sends a test message to every receiver. UsageError as `load`."""
    settings = load(source)
    needs_apprise()
    text = "This is a test. Notices about deadlines, overdue payments, failed runs and missing reports arrive here."
    why = {name: deliver(address, "Reconciliation: a test", text) for name, address in settings.receivers().items()}
    problems = tuple(f"{name} was not told: {reason}" for name, reason in why.items() if reason)
    return Report(0, tuple(name for name, reason in why.items() if not reason), problems, 3 if problems else 0)


def needs_apprise() -> None:
    """UsageError where the extra `notify` is not installed."""
    if find_spec("apprise") is None:
        raise UsageError(
            "notices need the package apprise, which is not installed",
            do=to_install("notify"),
        )


def deliver(address: str, title: str, text: str, *, seconds: float = SECONDS) -> str:
    """Sends one message; gives why it was not delivered (empty: it was), without any part of the address."""
    asked = json.dumps({"address": address, "title": title, "text": text, "seconds": seconds})
    # -P: the modules beside deliver.py must not be taken for others of the same names.
    command = [sys.executable, "-P", sender.__file__]
    late = f"no answer within {seconds:.0f} seconds"
    try:
        done = subprocess.run(
            command,
            input=asked.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds + 2,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return late
    except OSError as problem:
        return f"no process could be started ({problem.strerror})"
    said = {
        sender.DELIVERED: "",
        sender.UNKNOWN: "apprise does not understand its address",
        sender.REFUSED: "the service refused it or cannot be reached",
        sender.LATE: late,
    }
    return said.get(done.stdout.decode("ascii", "replace").strip(), "apprise ended with an error")
