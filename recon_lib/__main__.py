"""The command line: every command and option, and the exit code; what goes wrong is told in words.

Exit codes: 0 nothing wrong · 1 something is owed, open or overdue · 2 wrong usage or unusable input, nothing written ·
3 the run failed or another run holds the account.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from recon_lib import case_commands, commands
from recon_lib.arguments import day, day_or_yesterday, minutes, near, packets, place, workers
from recon_lib.errors import ReconError
from recon_lib.paths import is_url


def parser() -> argparse.ArgumentParser:
    """Every command and option; also read by the tests that hold the documents to them."""
    whole = argparse.ArgumentParser(
        prog="recon",
        description="Finds, to the cent and with the source line as proof, what Amazon owes a seller.",
        epilog="Exit codes: 0 nothing wrong, 1 something is owed, open or overdue, 2 unusable input, 3 the run failed.",
    )
    known = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    packet = known.add_parser("packet", help="make the daily packet of one account")
    packet.add_argument("account_folder", type=place, metavar="ACCOUNT_FOLDER")
    packet.add_argument("--date", type=day, required=True, help="the day the packet speaks for, like 2026-01-31")
    packet.add_argument("--out", type=packets, default=Path("packets"), help="where packets go (default: packets)")
    packet.set_defaults(run=commands.packet)
    month = known.add_parser("month", help="make the monthly FBA audit review of one account")
    month.add_argument("account_folder", type=place, metavar="ACCOUNT_FOLDER")
    month.add_argument("--month", required=True, help="the month the review speaks for, like 2026-01")
    month.add_argument("--out", type=packets, default=Path("packets"), help="where packets lie (default: packets)")
    month.set_defaults(run=commands.month)
    index = known.add_parser("index", help="make the page over all accounts, days and months, and verify every packet")
    index.add_argument("--out", type=packets, default=Path("packets"), help="where packets lie (default: packets)")
    index.set_defaults(run=commands.index)
    daily = known.add_parser("daily", help="make the packets of all accounts in a folder")
    daily.add_argument("folder", type=place, metavar="FOLDER_OF_ACCOUNTS")
    daily.add_argument(
        "--date", type=day_or_yesterday, default="yesterday", help="a day, or yesterday where the account is (default)"
    )
    daily.add_argument("--catch-up", action="store_true", help="also every day since the last published one")
    who = daily.add_mutually_exclusive_group()
    who.add_argument("--workers", type=workers, help="processes (default: one for each processor)")
    who.add_argument("--scheduler", default="", metavar="tcp://HOST:PORT", help="a dask.distributed scheduler instead")
    daily.add_argument("--out", type=packets, default=Path("packets"), help="where packets go (default: packets)")
    daily.add_argument(
        "--notify", default="", metavar="FILE", help="tell what is new to the addresses in this file (or: env)"
    )
    daily.set_defaults(run=commands.daily)
    notify = known.add_parser("notify", help="send a test message to everybody named in a notify file")
    notify.add_argument("file", metavar="FILE", help="the notify file, or env: the addresses in RECON_NOTIFY")
    notify.set_defaults(run=commands.notify)
    fetch = known.add_parser("fetch", help="download the reports that are due into an account folder")
    fetch.add_argument("account_folder", type=near, metavar="ACCOUNT_FOLDER")
    fetch.add_argument("--from", dest="first", type=day, help="first day wanted (default: by report)")
    fetch.add_argument("--to", dest="last", type=day, help="last day wanted (default: yesterday)")
    fetch.add_argument("--family", action="append", default=[], help="only this report; may be given several times")
    fetch.add_argument("--minutes", type=minutes, default=60.0, help="how long it may take (default: 60)")
    fetch.set_defaults(run=commands.fetch)
    check = known.add_parser("check", help="say what each file is, its period and rows, and what was refused and why")
    check.add_argument("paths", type=near, nargs="+", metavar="FILE_OR_FOLDER")
    check.set_defaults(run=commands.check)
    life = known.add_parser(
        "life", help="tell the life of one Amazon Pay activity: recorded, open, matched, by which rule"
    )
    life.add_argument("account_folder", type=near, metavar="ACCOUNT_FOLDER")
    life.add_argument(
        "id", metavar="ID", help="any of its ids: capture or refund, seller reference, seller order, order reference"
    )
    life.add_argument("--date", type=day, required=True, help="as at the end of that day, like 2026-01-31")
    life.set_defaults(run=commands.life)
    journal = known.add_parser("journal", help="write the journal of a published packet as plain text for beancount")
    journal.add_argument("packet", type=near, metavar="PACKET_FOLDER")
    journal.set_defaults(run=commands.journal)
    case_commands.add_commands(known)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code; every problem is told in words on stderr."""
    # Nothing here does linear algebra: its threads, in this process and each kernel, cost a tenth of a second to start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):  # a name may have letters that the terminal has not
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments = parser().parse_args(argv)
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)  # to look for garbage at the end of a process takes 0.2 s, and the system takes all back
    try:
        if arguments.command == "case" and (is_url(arguments.account_folder) or is_url(getattr(arguments, "out", ""))):
            from recon_lib import cloud_cases

            return cloud_cases.run(arguments)
        return int(arguments.run(arguments))
    except ReconError as problem:
        print(f"recon: {problem}", file=sys.stderr)
        return problem.exit_code
    except KeyboardInterrupt:
        print("recon: stopped by the user; nothing was published", file=sys.stderr)
        return 3
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 3
    except BaseException as problem:  # a defect of the program: told in words, its details go to a file
        # What breaks inside polars is no Exception; by name, because polars is loaded only by commands that read.
        if not isinstance(problem, Exception) and type(problem).__name__ != "PanicException":
            raise
        print(f"recon: {_unexpected(problem)}", file=sys.stderr)
        return 3


def _unexpected(problem: BaseException) -> str:
    told = f"something went wrong inside the program ({type(problem).__name__}).\n  Nothing was published. What to do: "
    try:
        handle, name = tempfile.mkstemp(prefix="recon-", suffix=".log", text=True)
        with os.fdopen(handle, "w", encoding="utf-8") as log:
            log.write("".join(traceback.format_exception(problem)))
        return f"{told}report it with the details in {name}"
    except OSError as full:
        return f"{told}look at the disk ({full.strerror}), then run again"


if __name__ == "__main__":
    sys.exit(main())
