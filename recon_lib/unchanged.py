"""Was this packet made from exactly what lies there now? Told from bytes alone: an unchanged account costs no run.

`<out>/<account>/.inputs.json` keeps, for the newest days, the digest of everything a packet depends on and the packet it
led to. It may be deleted at any time: the day is then made anew and found to be the same. No clock and no file time is
looked at.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from recon_lib import manifest, publish

NAME = ".inputs.json"
MOST = 60  # days remembered


def digest(folder: Path, home: Path, day: str, root: Path) -> str | None:
    """One hash over the account's files, the kit itself (code, parameters, notebooks, versions) and the packet before.

    The packet before counts because its roll-forward and journal are compared with. None where a file cannot be read.
    """
    told = hashlib.sha256(json.dumps(manifest.versions(), sort_keys=True).encode())
    try:
        told.update(_lines("account", folder))
        told.update(_code(root / "recon_lib"))
        for name in ("params", "notebooks"):
            told.update(_lines("kit", root / name))
        before = [known for known in publish.days(home) if known < day][-1:]
        for known in before:
            told.update(f"\n{known} {manifest.sha256(publish.revisions(home, known)[-1] / manifest.NAME)}".encode())
    except OSError:
        return None
    return told.hexdigest()


def _lines(label: str, place: Path) -> bytes:
    """Name and hash of every file that counts in a folder."""
    told = []
    for path in _files(place):
        name = path.relative_to(place).as_posix()
        if label != "account" or _counts(path, name):
            told.append(f"\n{label}/{name}\0{manifest.sha256(path)}".encode("utf-8", "surrogateescape"))
    return b"".join(told)


@lru_cache(maxsize=1)
def _code(place: Path) -> bytes:
    """The kit's code, read once a process: that which the process, and the one that waits for it, has loaded."""
    return _lines("kit", place)


def _files(place: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        yield from (Path(here) / name for name in sorted(names) if not name.startswith("."))


def _counts(path: Path, name: str) -> bool:
    """SQLite's working files beside the register come and go; only a log with something in it is content."""
    return not (name.startswith("register.sqlite-") and (name.endswith("-shm") or path.stat().st_size == 0))


def made_from(home: Path, day: str, now: str | None) -> Path | None:
    """The packet of the day that was made from these very inputs and stands as it was published; None: make it."""
    entry = _read(home).get(day)
    taken = publish.revisions(home, day)
    if now is None or not taken or not isinstance(entry, dict) or entry.get("inputs") != now:
        return None
    newest = taken[-1]
    same = entry.get("packet") == newest.name and entry.get("manifest") == manifest.sha256(newest / manifest.NAME)
    return newest if same else None


def remember(home: Path, day: str, now: str, packet: Path) -> None:
    """Notes what the packet was made from. What cannot be noted is found out again by making the packet anew."""
    known = _read(home)
    known[day] = {"inputs": now, "packet": packet.name, "manifest": manifest.sha256(packet / manifest.NAME)}
    kept = {name: known[name] for name in sorted(known)[-MOST:]}
    with suppress(OSError):
        handle, fresh = tempfile.mkstemp(prefix=NAME, dir=home)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=1, sort_keys=True)
            os.replace(fresh, home / NAME)
        except OSError:
            os.unlink(fresh)


def _read(home: Path) -> dict[str, Any]:
    try:
        known = json.loads((home / NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}
