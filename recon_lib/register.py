"""What people decided: an append-only register of events in `<account folder>/register.sqlite`, chained by hashes.

One event a decision: who, when (`at`, the moment it counts from, and `recorded_at`), what (`kind`), why (`note`), about
which finding, case and amount (text), or which packet was reviewed. Nothing is changed or deleted: triggers refuse it, and
every event carries the hash of the one before, so what was changed behind the program's back is found and named.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from recon_lib import register_copy
from recon_lib.decisions import (  # fmt: skip
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
from recon_lib.register_base import GUARDS, RESTORE, events_in, insert, inside, reading, writing

if TYPE_CHECKING:
    import polars as pl

    from recon_lib.books import Books
    from recon_lib.cases import Decisions

NAME = "register.sqlite"


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
        with writing(self.path) as base:
            self._must_be_all(base)
            if event.finding_id is not None:
                before = sorted((e for e in events_in(base) if e.finding_id == event.finding_id), key=_order)
                if is_day and before and before[-1].at > event.at and self._day(before[-1].at) == self._day(event.at):
                    event = replace(event, at=before[-1].at)  # a day alone is never too early on that very day
                may_follow(event, before)
            last = base.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone() or (0, START)
            event = replace(event, seq=last[0] + 1, prev=last[1])
            return insert(base, replace(event, hash=event.digest()))

    def events(self, as_of: date | None = None) -> list[Event]:
        """The decisions up to the end of the day `as_of` in the account's zone (None: all), in the order they count."""
        with reading(self.path) as base:
            found = events_in(base) if base else []
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
            with reading(self.path) as base:
                found, counted, guards = inside(base)
        except UsageError as problem:
            return [problem.met]
        missing = register_copy.lost(self.path, found)
        problems = [f"the guard {name} against changes is gone" for name in sorted(GUARDS - guards)]
        problems += chain_problems(found)
        end = found[-1].seq if found else 0
        if counted > end:
            problems.append(f"events {end + 1} to {counted} at the end are missing")
        if missing and not problems:
            problems.append(
                f"{_told(missing)} not here, and stands in its copy {register_copy.copy_of(self.path).name}"
            )
        if not missing and not problems and (told := register_copy.lines_in(self.path)) > len(found):
            problems.append(
                f"it holds {len(found)} decisions, and its copy {register_copy.copy_of(self.path).name} was given {told}, "
                "which cannot be read: both are damaged"
            )
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
        return self.take_over(given, source.name)

    def take_over(self, given: Sequence[Event], source: str = "") -> int:
        """Appends events that are not here yet, each as it was recorded; gives how many. UsageError as `import_csv`."""
        with writing(self.path) as base:
            self._must_be_all(base, given)
            here = events_in(base)
            for mine, other in zip(here, given, strict=False):
                if mine != other:
                    raise UsageError(f"{other.told()} differs from {mine.told()} recorded here", file=source)
            for event in given[len(here) :]:
                insert(base, event)
        return max(0, len(given) - len(here))

    def _must_be_all(self, base: sqlite3.Connection, given: Sequence[Event] = ()) -> None:
        """A decision that follows a damaged register would hide what is missing there, and spoil the copy too."""
        found = sorted(events_in(base), key=lambda event: event.seq)
        problems = chain_problems(found)
        if not problems and (missing := register_copy.lost(self.path, [*found, *given])):
            problems = [f"{_told(missing)} missing here"]
        if problems:
            raise UsageError("; ".join(problems), hoped="a whole register", do=RESTORE, file=self.path.name)

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

    register = Register(books.folder / NAME, books.account.time_zone)
    if problems := register.verify():
        raise UsageError(
            "; ".join(problems),
            hoped="an untouched register",
            do=RESTORE,
            file=NAME,
        )
    events = register.events(books.as_of)
    paid = books.frames["reimbursements"] if events else None
    return Decisions(events, standing(events, books.as_of, books.account.time_zone, paid))


def _order(event: Event) -> tuple[str, int]:
    return event.at, event.seq


def _told(missing: Sequence[Event]) -> str:
    return f"{missing[0].told()} is" if len(missing) == 1 else f"{missing[0].told()} and {len(missing) - 1} more are"


def _id(what: str, value: str | None) -> str | None:
    return None if value is None else one_line(what, value, 200)
