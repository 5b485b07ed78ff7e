"""The second copy of the register: every decision as a line of CSV, on the disk before the command says it is recorded.

`.register.sqlite-copy.csv` beside the register follows it. It is read only where the register lost something: then
`recon case restore` makes the register anew from it. Both would have to be damaged for a decision to be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from recon_lib import disk
from recon_lib.decisions import Event, from_csv, to_csv, whole_part
from recon_lib.errors import UsageError


def copy_of(register: Path) -> Path:
    """Where the copy of a register lies."""
    return register.with_name(f".{register.name}-copy.csv")


def kept(register: Path) -> list[Event]:
    """The decisions in the copy, as far as its chain is whole; the line that a power loss cut off is none."""
    head, lines = _lines(register)
    return whole_part(_events(head, lines))


def lines_in(register: Path) -> int:
    """How many decisions the copy was given, whether they can be read or not."""
    return len(_lines(register)[1])


def _lines(register: Path) -> tuple[str, list[str]]:
    try:
        text = copy_of(register).read_bytes().decode("utf-8", errors="replace")
    except OSError:
        return "", []
    head, *lines = text.split("\n")
    return head, lines[:-1]  # what follows the last line end was never written to its end


def _events(head: str, lines: Sequence[str]) -> Iterator[Event]:
    """The decision of each line, up to the first line that holds none."""
    for line in lines:
        try:
            found = from_csv(f"{head}\n{line}\n", "copy")
        except UsageError:
            return
        if len(found) != 1:
            return
        yield found[0]


def lost(register: Path, found: Sequence[Event]) -> list[Event]:
    """The decisions that stand in the copy and are not among `found`, those of the register."""
    known = {event.hash for event in found}
    return [event for event in kept(register) if event.hash not in known]


def follow(register: Path, found: Sequence[Event]) -> None:
    """Brings the copy up to the decisions `found` of a whole register. Called while nobody else may write.

    OSError where it cannot be written: the next decision tries again.
    """
    copy, there = copy_of(register), kept(register)
    if lost(register, found):
        return  # it knows more than the register does: it is what a restore needs
    whole = to_csv(found)
    body = to_csv(there)
    if whole.startswith(body) and copy.is_file() and copy.stat().st_size == len(body.encode()):
        disk.write(copy, whole[len(body) :].encode(), "ab")
        return
    disk.replace(copy, whole.encode(), by=copy.with_name(copy.name + ".new"))  # none yet, or damaged
