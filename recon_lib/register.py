"""What people decided: an append-only register of events in `<account folder>/register.sqlite`, chained by hashes.

One event a decision: who, when (`at`, the moment it counts from, and `recorded_at`), what (`kind`), why (`note`), about
which finding, case and amount (text), or which packet was reviewed. Nothing is changed or deleted: triggers refuse it, and
every event carries the hash of the one before, so what was changed behind the program's back is found and named.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from recon_lib.decisions import (  # fmt: skip
    FIELDS,
    START,
    Event,
    chain_problems,
    exact_amount,
    from_csv,
    may_follow,
    must_be_whole,
    one_line,
    stamp,
    to_csv,
)  # fmt: skip
from recon_lib.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from recon_lib.books import Books
    from recon_lib.cases import Decisions

NAME = "register.sqlite"
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, recorded_at TEXT NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL,
  note TEXT NOT NULL, finding_id TEXT, case_id TEXT, amount TEXT, currency TEXT, packet TEXT, prev TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE)""",
    """CREATE TRIGGER IF NOT EXISTS events_never_change BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'a recorded decision is never changed'); END""",
    """CREATE TRIGGER IF NOT EXISTS events_never_vanish BEFORE DELETE ON events
  BEGIN SELECT RAISE(ABORT, 'a recorded decision is never deleted'); END""",
    f"""CREATE TRIGGER IF NOT EXISTS events_only_follow BEFORE INSERT ON events
  WHEN NEW.prev IS NOT coalesce((SELECT hash FROM events ORDER BY seq DESC LIMIT 1), '{START}')
  BEGIN SELECT RAISE(ABORT, 'a decision follows the last one'); END""",
    """CREATE VIEW IF NOT EXISTS current_state AS SELECT * FROM events AS e WHERE finding_id IS NOT NULL AND NOT EXISTS
  (SELECT 1 FROM events AS l WHERE l.finding_id = e.finding_id AND (l.at > e.at OR (l.at = e.at AND l.seq > e.seq)))""",
)
_GUARDS = {"events_never_change", "events_never_vanish", "events_only_follow"}


class Register:
    """The register of one account. `zone`: the account's; a day given for a decision counts from its noon there."""

    def __init__(self, path: Path, zone: str = "UTC") -> None:
        self.path, self.zone = path, ZoneInfo(zone)

    def record(
        self,
        kind: str,
        *,
        who: str,
        note: str,
        finding_id: str | None = None,
        case_id: str | None = None,
        amount: str | Decimal | None = None,
        currency: str | None = None,
        packet: str | None = None,
        at: datetime | date | str | None = None,
        now: datetime | None = None,
    ) -> Event:
        """Appends one decision and gives it back; `at` (a day, or a time) defaults to `now`.

        Raises:
            UsageError: in words, where the decision cannot follow what is recorded (a second case for a finding ...).
        """
        clock = (now or datetime.now(UTC)).astimezone(UTC)
        moment, is_day = self._moment(at, clock)
        if moment > clock:
            raise UsageError(f"{at} lies in the future", hoped="the day of the decision", do="leave --at away for now")
        event = Event(
            seq=0, at=stamp(moment), recorded_at=stamp(clock), kind=kind, who=one_line("who", who, 100),
            note=one_line("the note", note, 2000), finding_id=_id("finding id", finding_id), case_id=_id("case id", case_id),
            amount=exact_amount(amount), currency=currency, packet=_id("packet", packet), prev="", hash="",
        )  # fmt: skip
        must_be_whole(event)
        with self._writing() as base:
            if event.finding_id is not None:
                before = sorted((e for e in _events(base) if e.finding_id == event.finding_id), key=_order)
                if is_day and before and before[-1].at > event.at and self._day(before[-1].at) == self._day(event.at):
                    event = replace(event, at=before[-1].at)  # a day alone is never too early on that very day
                may_follow(event, before)
            last = base.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone() or (0, START)
            event = replace(event, seq=last[0] + 1, prev=last[1])
            return _insert(base, replace(event, hash=event.digest()))

    def events(self, as_of: date | None = None) -> list[Event]:
        """The decisions up to the end of the day `as_of` in the account's zone (None: all), in the order they count."""
        with self._reading() as base:
            found = _events(base) if base else []
        if as_of is not None:
            end = stamp(datetime.combine(as_of + timedelta(days=1), time(), self.zone))
            found = [event for event in found if event.at < end]
        return sorted(found, key=_order)

    def state(self, as_of: date, reimbursements: pl.LazyFrame | None = None) -> pl.DataFrame:
        """One row a finding that was ever decided on, as at the end of `as_of`: `cases.standing`."""
        from recon_lib.cases import standing  # polars: not for recording alone

        return standing(self.events(as_of), as_of, str(self.zone), reimbursements)

    def verify(self, anchors: Iterable[tuple[str, int, str]] = ()) -> list[str]:
        """What is wrong with the register, in words, each naming the event; nothing where all is whole.

        `anchors` are (where, seq, hash) noted elsewhere, as in the manifests of packets: they also show a chain that was
        made anew as a whole.
        """
        try:
            with self._reading() as base:
                found, counted, guards = _inside(base)
        except UsageError as problem:
            return [str(problem)]
        problems = [f"the guard {name} against changes is gone" for name in sorted(_GUARDS - guards)]
        problems += chain_problems(found)
        end = found[-1].seq if found else 0
        if counted > end:
            problems.append(f"events {end + 1} to {counted} at the end are missing")
        known = {event.seq: event for event in found}
        for where, seq, digest in anchors:
            if seq not in known:
                problems.append(f"event {seq}, noted in {where}, is missing")
            elif known[seq].hash != digest:
                problems.append(f"{known[seq].told()} is not the one noted in {where}: the register was made anew")
        return problems

    def export_csv(self, target: Path) -> int:
        """Writes every event to a CSV file that `import_csv` takes back; gives their number."""
        found = sorted(self.events(), key=lambda event: event.seq)
        target.write_text(to_csv(found), encoding="utf-8", newline="")
        return len(found)

    def import_csv(self, source: Path) -> int:
        """Appends the events of an exported file that are not here yet; gives how many.

        Raises:
            UsageError: the file was changed, or it is not the continuation of what is recorded here. Nothing is written.
        """
        try:
            text = source.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as problem:
            raise UsageError(f"cannot be read: {problem}", hoped="a file as exported", file=source.name) from None
        given = from_csv(text, source.name)
        if problems := chain_problems(given):
            raise UsageError("; ".join(problems), hoped="a file as exported", file=source.name)
        with self._writing() as base:
            here = _events(base)
            for mine, other in zip(here, given, strict=False):
                if mine != other:
                    raise UsageError(f"{other.told()} differs from {mine.told()} recorded here", file=source.name)
            for event in given[len(here) :]:
                _insert(base, event)
        return max(0, len(given) - len(here))

    def _moment(self, at: datetime | date | str | None, clock: datetime) -> tuple[datetime, bool]:
        """The moment, and whether only its day was given: then its noon, or now where it is today."""
        if at is None:
            return clock, False
        try:
            given = (
                (datetime.fromisoformat(at) if len(at) > 10 else date.fromisoformat(at)) if isinstance(at, str) else at
            )
        except ValueError:
            raise UsageError(
                f"{at!r} is no day", hoped="2026-01-31, or a time like 2026-01-31T09:30:00+01:00"
            ) from None
        if isinstance(given, datetime):
            return (given if given.tzinfo else given.replace(tzinfo=self.zone)).astimezone(UTC), False
        if given == clock.astimezone(self.zone).date():
            return clock, True
        return datetime.combine(given, time(12), self.zone).astimezone(UTC), True

    def _day(self, at: str) -> date:
        return datetime.fromisoformat(at).astimezone(self.zone).date()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            base = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            try:
                base.execute("PRAGMA busy_timeout = 30000")
                base.execute("PRAGMA journal_mode = WAL")
                base.execute("BEGIN IMMEDIATE")
                try:
                    for statement in _SCHEMA:
                        base.execute(statement)
                    yield base
                except BaseException:
                    base.execute("ROLLBACK")
                    raise
                base.execute("COMMIT")
            finally:
                base.close()
        except sqlite3.Error as problem:
            raise UsageError(f"cannot be written: {problem}", hoped="a writable folder", file=self.path.name) from None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """The register for reading; None where there is none. Reading makes no register."""
        if not self.path.is_file():
            yield None
            return
        # A folder that cannot be written has no writer, and no place for the files of WAL.
        alone = "" if os.access(self.path.parent, os.W_OK) else "&immutable=1"
        try:
            base = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro{alone}", uri=True, timeout=30)
            try:
                yield base
            finally:
                base.close()
        except sqlite3.Error as problem:
            raise UsageError(
                f"cannot be read: {problem}", hoped="a register of decisions", file=self.path.name
            ) from None


def open_register(path: Path | str, zone: str = "UTC") -> Register:
    """The register of an account folder (or at the path of the file itself); it comes into being with the first decision."""
    path = Path(path)
    return Register(path / NAME if path.is_dir() else path, zone)


def decided(books: Books) -> Decisions:
    """The decisions that count at the end of the books' day, from the register in the account folder.

    Raises:
        UsageError: the register was tampered with; the events are named.
    """
    from recon_lib.cases import Decisions, standing

    register = open_register(books.folder / NAME, books.account.time_zone)
    if problems := register.verify():
        raise UsageError(
            "; ".join(problems),
            hoped="an untouched register",
            do="restore it from a backup or an exported CSV",
            file=NAME,
        )
    events = register.events(books.as_of)
    paid = books.frames["reimbursements"] if events else None
    return Decisions(events, standing(events, books.as_of, books.account.time_zone, paid))


def _order(event: Event) -> tuple[str, int]:
    return event.at, event.seq


def _events(base: sqlite3.Connection) -> list[Event]:
    if not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return []  # only made: its first decision was refused
    return [Event(*row) for row in base.execute(f"SELECT {', '.join(FIELDS)} FROM events ORDER BY seq")]


def _inside(base: sqlite3.Connection | None) -> tuple[list[Event], int, set[str]]:
    """The events, the number of the last one ever recorded, and the triggers."""
    if base is None:
        return [], 0, _GUARDS
    if not (found := _events(base)) and not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return [], 0, _GUARDS
    counted = base.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    guards = {row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    return found, counted[0] if counted else 0, guards


def _insert(base: sqlite3.Connection, event: Event) -> Event:
    values = [getattr(event, name) for name in FIELDS]
    base.execute(f"INSERT INTO events ({', '.join(FIELDS)}) VALUES ({', '.join('?' * len(FIELDS))})", values)
    return event


def _id(what: str, value: str | None) -> str | None:
    return None if value is None else one_line(what, value, 200)
