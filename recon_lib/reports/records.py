"""Every record of a text file with the line it begins on, one by one: the careful way where the quick one cannot be proved."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from recon_lib.reports.text import HEAD


def records(path: Path, separator: str, *, quoted: bool, start: int) -> Iterator[tuple[int, list[str] | str]]:
    """Every record after physical line `start` of a UTF-8 file: (line it begins on, its cells or why it has none).

    Blank lines are passed over. A quotation mark that is not closed within 200 lines spoils only its own line.
    """
    with path.open("rb") as file:
        alone = b"\n" not in file.read(HEAD)
    with path.open(encoding="utf-8-sig", errors="replace", newline="" if alone else "\n") as file:
        lines: Iterator[str] = iter(file)
        for _ in range(start):
            next(lines, "")
        number, pushed = start, list[str]()
        while True:
            line = pushed.pop() if pushed else next(lines, "")
            if not line:
                return
            number += 1
            if not line.strip():
                continue
            if not quoted or '"' not in line:
                yield number, line.rstrip("\r\n").split(separator)
                continue
            taken, cells = _quoted(line, lines, pushed, separator)
            yield number, cells
            number += taken


def _quoted(line: str, lines: Iterator[str], pushed: list[str], separator: str) -> tuple[int, list[str] | str]:
    """One quoted record that begins with `line`: (further lines it took, cells or why it has none)."""
    text, more = line, list[str]()
    while True:
        try:
            found = list(csv.reader(io.StringIO(text.strip("\r\n"), newline=""), delimiter=separator, strict=True))
            if more:  # the same cell, whatever ends the lines of this download
                found = [[re.sub("\r\n?", "\n", cell) for cell in cells] for cells in found]
            return len(more), found[0] if len(found) == 1 else "a line end stands in the middle of the row"
        except csv.Error as error:
            if "unexpected end of data" not in str(error):
                return len(more), _lenient(text, separator)
        while len(more) < 200:
            following = pushed.pop() if pushed else next(lines, "")
            if not following:
                break
            more.append(following)
            if '"' in following:
                break
        else:
            following = ""
        if not following:
            pushed.extend(reversed(more))
            return 0, "a quotation mark is opened and never closed"
        text += following


def _lenient(text: str, separator: str) -> list[str] | str:
    try:
        found = list(csv.reader([text.strip("\r\n")], delimiter=separator))
    except csv.Error:
        found = []
    return found[0] if len(found) == 1 else "the line cannot be split into cells"
