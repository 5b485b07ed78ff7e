"""Where packets lie and how one gets there: whole or not at all, and never changed afterwards.

<out>/<account>/<date>/        the first packet of the day
<out>/<account>/<date>.r2/     the same day from other inputs, beside the first; then .r3 ...
<out>/<account>/latest.json    date -> folder of its newest revision
<out>/<account>/.lock          held by the one run of the account
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from recon_lib import disk
from recon_lib.errors import HeldError, RunError, UsageError

if TYPE_CHECKING:
    import polars as pl

    from recon_lib.bridge import Earlier
    from recon_lib.journal import Entered

BUILDING = ".building-"
SHIELD = r"^'([=+\-@\t\r])"  # an apostrophe before what a spreadsheet would run, as the data files have it


@contextmanager
def hold(home: Path) -> Iterator[None]:
    """Holds the account folder `home` of the output for one run; HeldError where another run has it."""
    from filelock import FileLock, Timeout

    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / ".lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise HeldError(
            f"another run holds the account {home.name}",
            do="wait until it has ended; if none is running, try again: a lock of a dead run is free by itself",
        ) from None
    except OSError as problem:
        raise UsageError(
            f"cannot write to {home}: {problem.strerror or problem}", hoped="a writable --out folder"
        ) from None
    try:
        for stale in home.glob(f"{BUILDING}*"):  # of a run that was killed: nobody else can be building now
            shutil.rmtree(stale, ignore_errors=True)
        yield
    finally:
        _forget_if_empty(home)
        lock.release()


def _forget_if_empty(home: Path) -> None:
    """Removes the output folder of an account in which nothing but the lock lies: the run wrote nothing.

    Only for the one that holds the lock; a lock on a file that was removed meanwhile is tried anew by filelock.
    """
    if [path.name for path in home.iterdir()] == [".lock"]:
        (home / ".lock").unlink()
        for folder in (home, home.parent):
            try:
                folder.rmdir()
            except OSError:
                return


def revisions(home: Path, name: str) -> list[Path]:
    """The published packets of `name` (a day or month), the first one first."""
    found = {}
    if home.is_dir():
        for path in home.iterdir():
            match = re.fullmatch(re.escape(name) + r"(?:\.r([2-9]|[1-9]\d+))?", path.name)
            if match and path.is_dir() and (path / "manifest.json").is_file():
                found[int(match[1] or 1)] = path
    return [found[n] for n in sorted(found)]


def days(home: Path) -> list[str]:
    """The days for which a packet is published, the oldest first."""
    found = {path.parent.name[:10] for path in home.glob("*/manifest.json")} if home.is_dir() else set()
    return sorted(name for name in found if re.fullmatch(r"\d{4}-\d{2}-\d{2}", name) and revisions(home, name))


def before(home: Path, day: date) -> Path | None:
    """The newest packet of the newest day before `day` that has one."""
    found = {
        match[0] for path in home.iterdir() if (match := re.match(r"\d{4}-\d{2}-\d{2}", path.name)) and path.is_dir()
    }
    for name in sorted((name for name in found if name < day.isoformat()), reverse=True):
        if taken := revisions(home, name):
            return taken[-1]
    return None


def publish(built: Path, home: Path, name: str) -> tuple[Path, int]:
    """Moves the finished folder `built` (same file system) to its place; gives the place and the revision."""
    taken = revisions(home, name)
    revision = len(taken) + 1
    target = home / folder_name(name, revision)
    if target.exists():
        raise RunError(
            f"{target} exists, but holds no packet", hoped="a free place", do="move that folder away and run again"
        )
    for path in [*sorted(built.iterdir()), built]:
        disk.sync(path)
    os.rename(built, target)
    for folder in (home, home.parent):  # the account's folder may be as new as the packet
        disk.sync(folder)
    point_to_latest(home)
    return target, revision


def folder_name(name: str, revision: int) -> str:
    return name if revision == 1 else f"{name}.r{revision}"


def point_to_latest(home: Path, away: Collection[str] = ()) -> None:
    """Notes in latest.json which folder holds the newest revision of each day and month that is published here.

    `away`: names of packets that count as published without lying in `home`, for a copy that holds only some of them.
    """
    pointer, fresh = home / "latest.json", home / f"{BUILDING}latest"
    known, told = _pointed(home), _newest([*away, *_published(home)])
    if known == {**known, **told}:
        return
    disk.replace(pointer, (json.dumps({**known, **told}, indent=1, sort_keys=True) + "\n").encode(), by=fresh)


def mend(home: Path) -> None:
    """Makes latest.json whole where a power loss took it; where another run holds the account, that one does."""
    known = _pointed(home)
    if known != {**known, **_newest(_published(home))}:
        with suppress(HeldError), hold(home):
            point_to_latest(home)


def _pointed(home: Path) -> dict[str, str]:
    try:
        known = json.loads((home / "latest.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _published(home: Path) -> list[str]:
    return [path.name for path in home.iterdir() if (path / "manifest.json").is_file()]


def _newest(packets: Iterable[str]) -> dict[str, str]:
    """Day or month -> the folder of its newest revision."""
    found: dict[str, tuple[int, str]] = {}
    for name in packets:
        match = re.fullmatch(r"(\d{4}-\d\d(?:-\d\d)?)(?:\.r([2-9]|[1-9]\d+))?", name)
        if match:
            found[match[1]] = max(found.get(match[1], (0, "")), (int(match[2] or 1), name))
    return {name: folder for name, (_, folder) in found.items()}


def rollforward(packet: Path | str) -> pl.DataFrame | None:
    """The roll-forward that a published packet states; None where `packet` is empty (no packet of that day)."""
    if not packet:
        return None
    import polars as pl

    from recon_lib.money import MONEY

    table = pl.read_csv(Path(packet) / "rollforward.csv", glob=False, infer_schema=False)
    return table.with_columns(
        pl.col("date").str.to_date("%Y-%m-%d"),
        pl.col("^.*_lines$").cast(pl.Int64),
        pl.col("^.*_amount$").cast(MONEY),
    )


def journal(packet: Path | str) -> Entered | None:
    """The journal that a published packet states, with its day; None where `packet` is empty (no packet before)."""
    if not packet:
        return None
    import polars as pl

    from recon_lib.journal import Entered
    from recon_lib.money import MONEY

    table = pl.read_csv(Path(packet) / "journal.csv", glob=False, infer_schema=False)
    shielded = pl.col("account", "reference").str.replace(SHIELD, "$1")
    table = table.with_columns(pl.col("date").str.to_date("%Y-%m-%d"), pl.col("debit", "credit").cast(MONEY), shielded)
    stated = json.loads((Path(packet) / "manifest.json").read_bytes())["packet"]["as_of"]
    return Entered(table, date.fromisoformat(stated))


def earlier(packet: Path | str) -> Earlier | None:
    """The findings and the history that a published packet states; None where `packet` is empty (no packet before).

    RunError where the packet is not as it was published.
    """
    if not packet:
        return None
    import polars as pl

    from recon_lib import frames
    from recon_lib.bridge import Earlier

    place, schema = Path(packet), frames.empty(frames.SettledEvent).schema
    shielded = [pl.col(name).str.replace(SHIELD, "$1") for name, kind in schema.items() if kind == pl.String]
    days = [pl.col(name).str.to_date("%Y-%m-%d") for name, kind in schema.items() if kind == pl.Date]
    try:
        told = pl.read_csv(place / "history.csv", glob=False, infer_schema=False)
        history = told.with_columns(*shielded, *days).cast(pl.Schema(schema))
        findings = pl.read_parquet(
            place / "findings.parquet", columns=list(frames.empty(frames.Finding).schema), glob=False
        )
    except (OSError, pl.exceptions.PolarsError):
        raise RunError(
            f"the published packet {place.name} cannot be read: findings.parquet or history.csv is missing or was changed",
            hoped="a packet as it was published",
            do="see what `recon index` says of it; restore the folder from a copy or move it away, then run again",
        ) from None
    return Earlier(place.name, findings, history)
