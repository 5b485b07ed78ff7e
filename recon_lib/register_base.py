"""The file in which the register lies: SQLite, guarded by triggers, followed by its copy."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recon_lib import register_copy
from recon_lib.decisions import FIELDS, START, Event
from recon_lib.errors import UsageError

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
RESTORE = (
    "run 'recon case restore' with the account folder, or bring the register back from a backup or an exported CSV"
)
GUARDS = {"events_never_change", "events_never_vanish", "events_only_follow"}


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """The register at `path` for one change; on the disk when the block ends. UsageError where it cannot be."""
    try:
        base = sqlite3.connect(path, timeout=30, isolation_level=None)
        try:
            base.execute("PRAGMA busy_timeout = 30000")
            base.execute("PRAGMA journal_mode = WAL")
            base.execute("PRAGMA synchronous = FULL")  # what is said to be recorded is on the disk
            base.execute("BEGIN IMMEDIATE")
            try:
                for statement in _SCHEMA:
                    base.execute(statement)
                yield base
            except BaseException:
                base.execute("ROLLBACK")
                raise
            base.execute("COMMIT")
            _copy(path, base)
        finally:
            base.close()
    except sqlite3.Error as problem:
        raise UsageError(f"cannot be written: {problem}", hoped="a writable folder", file=path.name) from None
    except UnicodeDecodeError:
        raise _garbled(path) from None


def _copy(path: Path, base: sqlite3.Connection) -> None:
    """The decision stands; where its copy cannot be written now, the next decision writes both."""
    with suppress(OSError, sqlite3.Error):
        base.execute("BEGIN IMMEDIATE")  # one after the other
        try:
            register_copy.follow(path, events_in(base))
        finally:
            base.execute("ROLLBACK")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The register for reading; None where there is none. Reading makes no register."""
    if not os.path.lexists(path):
        yield None
        return
    if not path.is_file():
        raise UsageError("is no file", hoped="a register of decisions", do=RESTORE, file=path.name)
    try:
        with _readable(path) as place:
            base = sqlite3.connect(place, uri=True, timeout=30)
            try:
                yield base
            finally:
                base.close()
    except sqlite3.Error as problem:
        raise UsageError(
            f"cannot be read: {problem}", hoped="a register of decisions", do=RESTORE, file=path.name
        ) from None
    except UnicodeDecodeError:  # SQLite quotes damaged bytes in what it says, or they stand in a decision
        raise _garbled(path) from None


def _garbled(path: Path) -> UsageError:
    return UsageError(
        "holds bytes that are no text: it is damaged", hoped="a register of decisions", do=RESTORE, file=path.name
    )


@contextmanager
def _readable(path: Path) -> Iterator[str]:
    """The address under which SQLite reads it."""
    whole, log = path.resolve(), path.with_name(f"{path.name}-wal")
    if os.access(whole.parent, os.W_OK):
        yield f"{whole.as_uri()}?mode=ro"
    elif not (log.is_file() and log.stat().st_size):
        yield f"{whole.as_uri()}?mode=ro&immutable=1"  # no writer, and no place for the files of WAL
    else:  # a command that was killed left its last decisions in the log: read both where there is room
        with tempfile.TemporaryDirectory(prefix="recon-") as place:
            for part in (whole, log):
                shutil.copyfile(part, Path(place) / part.name)
            yield (Path(place) / whole.name).as_uri()


def events_in(base: sqlite3.Connection) -> list[Event]:
    """All decisions, in the order in which they were recorded."""
    if not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return []  # only made: its first decision was refused
    rows = base.execute(f"SELECT {', '.join(FIELDS)} FROM events ORDER BY seq")
    # What is no text was put there by something else: as text its hash is wrong, and the event is named.
    return [Event(seq, *(v if v is None or isinstance(v, str) else repr(v) for v in rest)) for seq, *rest in rows]  # type: ignore[arg-type]


def inside(base: sqlite3.Connection | None) -> tuple[list[Event], int, set[str]]:
    """The events, the number of the last one ever recorded, and the triggers."""
    if base is None:
        return [], 0, GUARDS
    if not (found := events_in(base)) and not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return [], 0, GUARDS
    counted = base.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    guards = {row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    return found, counted[0] if counted else 0, guards


def insert(base: sqlite3.Connection, event: Event) -> Event:
    """Appends one decision as it stands."""
    values = [getattr(event, name) for name in FIELDS]
    base.execute(f"INSERT INTO events ({', '.join(FIELDS)}) VALUES ({', '.join('?' * len(FIELDS))})", values)
    return event
