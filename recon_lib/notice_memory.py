"""What has been told to whom, in `<out>/.notices.json`: so that nothing is told twice. It holds no order and no address.

Each receiver has a memory of its own: scope -> key -> the day it was told. What is over is forgotten, so the file stays
as small as the list of what is wrong. It may be deleted at any time: then everything that still holds is told again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

from recon_lib import disk
from recon_lib.notice_facts import Fact, Seen

NAME, LOCK, DAMAGED = ".notices.json", ".notices.lock", ".notices.damaged.json"
DAMAGE = f"{NAME} is damaged or cannot be read: what still holds is told again; the file is kept as {DAMAGED}"
FORM = 1
Told = dict[str, dict[str, str]]  # of one receiver


def news(told: Told, facts: Iterable[Fact]) -> list[Fact]:
    """The facts that this receiver has not been told."""
    return [fact for fact in facts if fact.key not in told.get(fact.scope, {})]


def over(told: Told, seen: Seen) -> Told:
    """The memory without what no longer holds; a scope that was not looked at stays as it is."""
    holds = {(fact.scope, fact.key) for fact in seen.facts}
    kept = {
        scope: {key: day for key, day in keys.items() if scope not in seen.looked_at or (scope, key) in holds}
        for scope, keys in told.items()
    }
    return {scope: keys for scope, keys in kept.items() if keys}


def with_told(told: Told, facts: Collection[Fact], day: str) -> Told:
    """The memory with `facts` told on `day`."""
    made = {scope: dict(keys) for scope, keys in told.items()}
    for fact in facts:
        made.setdefault(fact.scope, {})[fact.key] = day
    return made


class Memory:
    """The memory beside the packets in the folder `out`, for the one run that tells."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def read(self) -> tuple[dict[str, Told], str]:
        """Receiver -> memory, and what is wrong with it (empty: nothing). A damaged one counts as empty."""
        try:
            return parsed((self.out / NAME).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return {}, ""
        except OSError:
            return {}, DAMAGE

    def write(self, told: dict[str, Told], *, keep_old: bool = False) -> None:
        """Puts the memory in place as a whole, on the disk when this returns. `keep_old`: the file there is set aside."""
        out = self.out
        if keep_old and (out / NAME).exists():
            os.replace(out / NAME, out / DAMAGED)
        out.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(prefix=f"{NAME}.", dir=out)
        try:
            os.close(handle)
            disk.replace(out / NAME, packed(told), by=Path(fresh))
        except BaseException:
            Path(fresh).unlink(missing_ok=True)
            raise

    def confirm(self) -> None:
        """ReconError where another run tells by now: then nobody else is told."""

    def said(self, path: Path) -> str:
        """What people call a file below `out`."""
        return str(path)


def parsed(content: bytes) -> tuple[dict[str, Told], str]:
    """What `Memory.read` gives, from the bytes of the file."""
    try:
        known = json.loads(content)
        told = known["told"]
        if known["form"] == FORM and known["sha256"] == _hash(told):
            return told, ""
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return {}, DAMAGE


def packed(told: dict[str, Told]) -> bytes:
    """The bytes of the file."""
    kept = whole(told)
    return json.dumps({"form": FORM, "sha256": _hash(kept), "told": kept}, indent=1, sort_keys=True).encode()


def whole(told: dict[str, Told]) -> dict[str, Told]:
    """The memories in which something stands."""
    return {name: known for name, known in told.items() if known}


def _hash(told: object) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
