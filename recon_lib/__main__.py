"""The commands: arguments in, exit code out. Heavy imports wait inside each command, so that --help is quick.

Exit codes: 0 nothing wrong · 1 something is owed, open or overdue · 2 wrong usage or unusable input, nothing written ·
3 the run failed or another run holds the account.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from recon_lib import case_commands
from recon_lib.cloud import is_url, near, place
from recon_lib.errors import ReconError, UsageError

if TYPE_CHECKING:
    from recon_lib.packet import PacketResult


def parser() -> argparse.ArgumentParser:
    """Every command and option; also read by the tests that hold the documents to them."""
    whole = argparse.ArgumentParser(
        prog="recon",
        description="Finds, to the cent and with the source line as proof, what Amazon owes a seller.",
        epilog="Exit codes: 0 nothing wrong, 1 something is owed, open or overdue, 2 unusable input, 3 the run failed.",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    packet = commands.add_parser("packet", help="make the daily packet of one account")
    packet.add_argument("account_folder", type=place, metavar="ACCOUNT_FOLDER")
    packet.add_argument("--date", type=_day, required=True, help="the day the packet speaks for, like 2026-01-31")
    packet.add_argument("--out", type=place, default=Path("packets"), help="where packets go (default: packets)")
    packet.set_defaults(run=_packet)
    month = commands.add_parser("month", help="make the monthly FBA audit review of one account")
    month.add_argument("account_folder", type=place, metavar="ACCOUNT_FOLDER")
    month.add_argument("--month", required=True, help="the month the review speaks for, like 2026-01")
    month.add_argument("--out", type=place, default=Path("packets"), help="where packets lie (default: packets)")
    month.set_defaults(run=_month)
    index = commands.add_parser(
        "index", help="make the page over all accounts, days and months, and verify every packet"
    )
    index.add_argument("--out", type=place, default=Path("packets"), help="where packets lie (default: packets)")
    index.set_defaults(run=_index)
    daily = commands.add_parser("daily", help="make the packets of all accounts in a folder")
    daily.add_argument("folder", type=place, metavar="FOLDER_OF_ACCOUNTS")
    daily.add_argument(
        "--date", type=_day_or_yesterday, default="yesterday", help="a day, or yesterday where the account is (default)"
    )
    daily.add_argument("--catch-up", action="store_true", help="also every day since the last published one")
    who = daily.add_mutually_exclusive_group()
    who.add_argument("--workers", type=_workers, help="processes (default: one for each processor)")
    who.add_argument("--scheduler", default="", metavar="tcp://HOST:PORT", help="a dask.distributed scheduler instead")
    daily.add_argument("--out", type=place, default=Path("packets"), help="where packets go (default: packets)")
    daily.add_argument(
        "--notify", default="", metavar="FILE", help="tell what is new to the addresses in this file (or: env)"
    )
    daily.set_defaults(run=_daily)
    notify = commands.add_parser("notify", help="send a test message to everybody named in a notify file")
    notify.add_argument("file", metavar="FILE", help="the notify file, or env: the addresses in RECON_NOTIFY")
    notify.set_defaults(run=_notify)
    fetch = commands.add_parser("fetch", help="download the reports that are due into an account folder")
    fetch.add_argument("account_folder", type=near, metavar="ACCOUNT_FOLDER")
    fetch.add_argument("--from", dest="first", type=_day, help="first day wanted (default: by report)")
    fetch.add_argument("--to", dest="last", type=_day, help="last day wanted (default: yesterday)")
    fetch.add_argument("--family", action="append", default=[], help="only this report; may be given several times")
    fetch.add_argument("--minutes", type=_minutes, default=60.0, help="how long it may take (default: 60)")
    fetch.set_defaults(run=_fetch)
    check = commands.add_parser(
        "check", help="say what each file is, its period and rows, and what was refused and why"
    )
    check.add_argument("paths", type=near, nargs="+", metavar="FILE_OR_FOLDER")
    check.set_defaults(run=_check)
    life = commands.add_parser(
        "life", help="tell the life of one Amazon Pay activity: recorded, open, matched, by which rule"
    )
    life.add_argument("account_folder", type=near, metavar="ACCOUNT_FOLDER")
    life.add_argument(
        "id", metavar="ID", help="any of its ids: capture or refund, seller reference, seller order, order reference"
    )
    life.add_argument("--date", type=_day, required=True, help="as at the end of that day, like 2026-01-31")
    life.set_defaults(run=_life)
    journal = commands.add_parser("journal", help="write the journal of a published packet as plain text for beancount")
    journal.add_argument("packet", type=near, metavar="PACKET_FOLDER")
    journal.set_defaults(run=_journal)
    case_commands.add_commands(commands)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code; every problem is told in words on stderr."""
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


def _packet(arguments: argparse.Namespace) -> int:
    from recon_lib.packet import make_packet

    return _one_account(arguments, make_packet, arguments.date)


def _month(arguments: argparse.Namespace) -> int:
    from recon_lib.packet import make_month

    return _one_account(arguments, make_month, arguments.month)


def _one_account(arguments: argparse.Namespace, make: Callable[..., PacketResult], name: str) -> int:
    """The packet of a day or month, near or in a cloud."""
    if is_url(arguments.account_folder) or is_url(arguments.out):
        from recon_lib.away import at_hand

        with at_hand(arguments.account_folder, arguments.out, name) as here:
            result = make(here.folder, name, here.out, progress=sys.stderr.isatty())
        print(here.said(result.line()))
    else:
        result = make(arguments.account_folder, name, arguments.out, progress=sys.stderr.isatty())
        print(result.line())
    if not is_url(arguments.account_folder) and not _is_over(arguments.account_folder, name):
        told = "its end is not reached yet where the account is, so it speaks as if nothing else happened until then"
        print(f"recon: note: {name}: {told}", file=sys.stderr)
    _refresh_index(arguments.out)
    return result.exit_code


def _is_over(account_folder: Path, name: str) -> bool:
    """Has the day or month ended in the account's time zone?"""
    from recon_lib.settings import account_values

    today = datetime.now(ZoneInfo(account_values(account_folder)["time_zone"])).date().isoformat()
    return name < today[: len(name)]


def _index(arguments: argparse.Namespace) -> int:
    from recon_lib.index import refresh

    if is_url(arguments.out):
        from recon_lib import cloud_index
        from recon_lib.cloud import Cloud

        found = cloud_index.refresh(Cloud(arguments.out), everything=True)
    elif not arguments.out.is_dir():
        raise UsageError(f"{arguments.out} is no folder", hoped="the folder with the packets", do="give --out")
    else:
        found = refresh(arguments.out, everything=True)
    print(found.line())
    for problem in found.problems:
        print(f"recon: {problem}", file=sys.stderr)
    return int(bool(found.problems))


def _refresh_index(out: Path | str) -> None:
    """The index follows every packet; where it cannot, the packet is published all the same."""
    from recon_lib import index

    try:
        if isinstance(out, str):
            from recon_lib import cloud_index
            from recon_lib.cloud import Cloud

            found = cloud_index.refresh(Cloud(out))
        else:
            found = index.refresh(out)
        for problem in found.problems:
            print(f"recon: note: {problem}", file=sys.stderr)
    except (OSError, ReconError) as problem:  # also a lock that was held too long
        print(f"recon: note: {out}/index.html could not be made: {problem}", file=sys.stderr)


def _daily(arguments: argparse.Namespace) -> int:
    from recon_lib.telling import run_and_tell

    code = run_and_tell(
        arguments.folder, arguments.out, arguments.date,
        catch_up=arguments.catch_up, workers=arguments.workers, scheduler=arguments.scheduler,
        notify=arguments.notify,
    )  # fmt: skip
    if is_url(arguments.out) or arguments.out.is_dir():
        _refresh_index(arguments.out)
    return code


def _notify(arguments: argparse.Namespace) -> int:
    from recon_lib.notices import send_test

    report = send_test(arguments.file)
    print(report.words(), file=sys.stderr)
    return report.exit_code


def _fetch(arguments: argparse.Namespace) -> int:
    from recon_lib.fetch.tell import fetch_and_tell

    return fetch_and_tell(
        arguments.account_folder, arguments.first, arguments.last, arguments.family, arguments.minutes
    )


def _check(arguments: argparse.Namespace) -> int:
    from recon_lib.check import check, render
    from recon_lib.paths import default_store

    result = check(arguments.paths, store=default_store())
    print(render(result))
    return result.exit_code


def _life(arguments: argparse.Namespace) -> int:
    from recon_lib.books import open_account
    from recon_lib.pay_life import pay_life

    found = pay_life(open_account(arguments.account_folder, arguments.date), arguments.id)
    print(found.text)
    return 0 if found.is_settled else 1


def _journal(arguments: argparse.Namespace) -> int:
    from recon_lib import publish
    from recon_lib.plain_journal import beancount

    if not all((arguments.packet / name).is_file() for name in ("journal.csv", "manifest.json")):
        raise UsageError(f"{arguments.packet} is no packet", hoped="a folder like packets/demo-us/2026-01-31")
    entered = publish.journal(arguments.packet)
    print(beancount(entered.journal) if entered else "", end="")
    return 0


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; hoped for a date like 2026-01-31") from None


def _day_or_yesterday(text: str) -> str:
    return text if text == "yesterday" else _day(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 512:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes; hoped for 1 to 512")
    return int(text)


def _minutes(text: str) -> float:
    if not text.isdecimal() or not 1 <= int(text) <= 1440:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes; hoped for 1 to 1440")
    return float(text)


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
