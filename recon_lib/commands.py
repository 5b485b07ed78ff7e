"""What each command does: parsed arguments in, exit code out. Heavy imports wait inside each, so that --help is quick."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from recon_lib.errors import ReconError, UsageError
from recon_lib.paths import is_url

if TYPE_CHECKING:
    from recon_lib.packet import PacketResult


def packet(arguments: argparse.Namespace) -> int:
    """The daily packet of one account."""
    from recon_lib.packet import make_packet

    return _one_account(arguments, make_packet, arguments.date)


def month(arguments: argparse.Namespace) -> int:
    """The monthly review of one account."""
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


def index(arguments: argparse.Namespace) -> int:
    """The page over all packets, and every packet verified."""
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


def daily(arguments: argparse.Namespace) -> int:
    """The packets of all accounts in a folder."""
    from recon_lib.telling import run_and_tell

    code = run_and_tell(
        arguments.folder, arguments.out, arguments.date,
        catch_up=arguments.catch_up, workers=arguments.workers, scheduler=arguments.scheduler,
        notify=arguments.notify,
    )  # fmt: skip
    if is_url(arguments.out) or arguments.out.is_dir():
        _refresh_index(arguments.out)
    return code


def notify(arguments: argparse.Namespace) -> int:
    """A test message to everybody in the notify file."""
    from recon_lib.notices import send_test

    report = send_test(arguments.file)
    print(report.words(), file=sys.stderr)
    return report.exit_code


def fetch(arguments: argparse.Namespace) -> int:
    """The reports that are due, into the account folder."""
    from recon_lib.fetch.tell import fetch_and_tell

    return fetch_and_tell(
        arguments.account_folder, arguments.first, arguments.last, arguments.family, arguments.minutes
    )


def check(arguments: argparse.Namespace) -> int:
    """What every file is, and what was refused."""
    from recon_lib.check import check
    from recon_lib.check_text import render
    from recon_lib.paths import default_store

    result = check(arguments.paths, store=default_store())
    print(render(result))
    return result.exit_code


def life(arguments: argparse.Namespace) -> int:
    """The life of one Amazon Pay activity."""
    from recon_lib.books import open_account
    from recon_lib.pay_life import pay_life

    found = pay_life(open_account(arguments.account_folder, arguments.date), arguments.id)
    print(found.text)
    return 0 if found.is_settled else 1


def journal(arguments: argparse.Namespace) -> int:
    """The journal of a packet, as plain text."""
    from recon_lib import publish
    from recon_lib.plain_journal import beancount

    if not all((arguments.packet / name).is_file() for name in ("journal.csv", "manifest.json")):
        raise UsageError(f"{arguments.packet} is no packet", hoped="a folder like packets/demo-us/2026-01-31")
    entered = publish.journal(arguments.packet)
    print(beancount(entered.journal) if entered else "", end="")
    return 0
