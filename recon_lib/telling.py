"""What `recon daily` says: on a terminal a bar and what needs a person, else one JSON line an account; packets on stdout."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from recon_lib.daily import Outcome, run_daily


def run_and_tell(folder: Path, out: Path, day: str, **wanted: Any) -> int:
    """Runs all accounts and tells each as it comes; gives the exit code."""
    with suppress(ValueError):  # a scheduler's stop is told like Ctrl-C: what is done stays, the page is written
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    bar: Any = None
    people = sys.stderr.isatty()

    def told(outcome: Outcome, of: int) -> None:
        nonlocal bar
        if people:
            from tqdm import tqdm

            bar = bar if bar is not None else tqdm(total=of, desc="Accounts", unit="account", file=sys.stderr)
            if outcome.message:
                bar.write(f"recon: {outcome.folder}: {outcome.state}: {outcome.message}", file=sys.stderr)
            bar.update()
        else:
            print(outcome.log_line(), file=sys.stderr, flush=True)
        for packet in outcome.packets:
            print(packet.line(), flush=True)

    try:
        done = run_daily(folder, out, day, told=told, **wanted)
    finally:
        if bar is not None:
            bar.close()
    print(f"recon: {done.page}" if people else done.log_line(), file=sys.stderr, flush=True)
    return done.exit_code
