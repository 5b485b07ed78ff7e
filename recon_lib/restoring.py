"""A damaged register made anew from its copy; the damaged file is kept."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from recon_lib.decisions import Event, whole_part
from recon_lib.errors import UsageError
from recon_lib.register import Register
from recon_lib.register_copy import follow, kept

BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps beside the file


@dataclass(frozen=True)
class Restored:
    """How many decisions the register has now, and where the damaged file lies."""

    decisions: int
    damaged: Path


def restore(register: Register, anchors: Iterable[tuple[str, int, str]] = ()) -> Restored:
    """Makes the register anew from whatever knows more decisions: its copy, or what can still be read of it.

    Raises:
        UsageError: the register is whole, or nothing is known from which it could be made, or a manifest noted a decision
            (`anchors`, as in `Register.verify`) that is nowhere to be found. Nothing was changed then.
    """
    if not register.verify(anchors):
        raise UsageError(f"{register.path} is whole", do="nothing: no decision is missing")
    best = max(kept(register.path), _readable(register), key=len)
    if not best:
        raise UsageError(
            f"neither {register.path.name} nor its copy can be read",
            do="bring both back from a backup, or import an exported CSV into a new register ('recon case import')",
        )
    known = {event.seq: event.hash for event in best}
    if gone := [f"event {seq}, noted in {where}" for where, seq, digest in anchors if known.get(seq) != digest]:
        raise UsageError(
            f"the copy has no {'; no '.join(gone)}", hoped="a copy with all decisions", do="bring the register back from a backup"
        )  # fmt: skip
    damaged = _free(register.path)
    try:
        follow(register.path, best)  # a run that is killed below leaves all that is known in the copy
        for end in ("", *BESIDE):
            part = register.path.with_name(register.path.name + end)
            if part.exists() or part.is_symlink():
                os.replace(part, damaged.with_name(damaged.name + end))
    except OSError as problem:
        raise UsageError(
            f"cannot be replaced: {problem.strerror}", hoped="a writable account folder", file=register.path.name
        ) from None
    return Restored(register.take_over(best), damaged)


def _readable(register: Register) -> list[Event]:
    """The decisions of the register up to the first one that is not as it was recorded."""
    try:
        return whole_part(sorted(register.events(), key=lambda event: event.seq))
    except UsageError:
        return []


def _free(path: Path) -> Path:
    number = 1
    while (place := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return place
