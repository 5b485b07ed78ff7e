"""What `recon daily` says: on a terminal a bar and what needs a person, else one JSON line an account; packets on stdout."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from recon_lib.account_job import Outcome
from recon_lib.daily import Round, run_daily
from recon_lib.paths import is_url


def run_and_tell(folder: Path | str, out: Path | str, day: str, *, notify: str = "", **wanted: Any) -> int:
    """Runs all accounts and tells each as it comes; gives the exit code. `notify`: as `notices.tell`, after all is made."""
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
        for line in outcome.lines or [packet.line() for packet in outcome.packets]:
            print(line, flush=True)

    def notices(done: Round | None) -> int:
        from recon_lib.notices import tell

        report = tell(notify, out, done)
        print(report.words() if people else report.log_line(), file=sys.stderr, flush=True)
        return report.exit_code

    try:
        if is_url(folder) or is_url(out):
            from recon_lib import away

            done = away.run_daily(folder, out, day, told=told, **wanted)
        else:
            done = run_daily(folder, out, day, told=told, **wanted)
    except Exception:  # also a full disk: whatever ends the run, someone hears of it
        if notify:
            notices(None)
        raise
    finally:
        if bar is not None:
            bar.close()
    print(f"recon: {done.problem or done.page}" if people else done.log_line(), file=sys.stderr, flush=True)
    return max(done.exit_code, notices(done) if notify else 0)
