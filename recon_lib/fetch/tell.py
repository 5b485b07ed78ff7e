"""What `recon fetch` says: each file on stdout; problems, notes and one last line on stderr. No secrets, no rows."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from recon_lib.fetch.run import fetch

if TYPE_CHECKING:
    from recon_lib.fetch.guarded import Result


def fetch_and_tell(folder: Path, first: str | None, last: str | None, families: list[str], minutes: float) -> int:
    """Runs and tells; gives the exit code."""
    with suppress(ValueError):  # a scheduler's stop ends like Ctrl-C: what arrived stays, the rest is continued
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    days = [date.fromisoformat(text) if text else None for text in (first, last)]
    result = fetch(
        folder, first=days[0], last=days[1], families=families, minutes=minutes,
        told=lambda path: print(path, flush=True),
    )  # fmt: skip
    for name, text, _ in result.problems:
        print(f"recon: {name}: {text}", file=sys.stderr)
    for note in result.notes:
        print(f"recon: note: {note}", file=sys.stderr)
    print(in_words(result) if sys.stderr.isatty() else as_json(result), file=sys.stderr)
    return result.exit_code


def in_words(result: Result) -> str:
    """The last line for people."""
    parts = [f"{len(result.files)} files arrived", f"{result.empty} times no data"]
    if result.waiting:
        parts.append(f"{result.waiting} reports are on their way, the next run collects them")
    if result.problems:
        parts.append(f"{len(result.problems)} problems")
    return f"recon: {result.account}: {', '.join(parts)}"


def as_json(result: Result) -> str:
    """The last line for machines."""
    return json.dumps(
        {
            "event": "fetch", "account": result.account, "files": len(result.files), "asked": result.asked,
            "empty": result.empty, "waiting": result.waiting, "problems": [name for name, _, _ in result.problems],
            "exit_code": result.exit_code,
        }
    )  # fmt: skip
