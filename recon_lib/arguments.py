"""What an argument of a command may be; what it is not is told by argparse as wrong usage."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from recon_lib.paths import is_url


def place(text: str) -> Path | str:
    """A folder, or an address in a storage."""
    return text if is_url(text) else Path(text)


def packets(text: str) -> Path | str:
    """Where packets lie. Its name is written into files, so it must be text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{text!a} is no UTF-8; hoped for a folder with such a name") from None
    return place(text)


def near(text: str) -> Path:
    """A folder or file of this machine."""
    if is_url(text):
        raise argparse.ArgumentTypeError(f"{text!r} is an address; this command works on files of this machine")
    return Path(text)


def day(text: str) -> str:
    """A day, as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; hoped for a date like 2026-01-31") from None


def day_or_yesterday(text: str) -> str:
    """A day, or the word that means another day for each account."""
    return text if text == "yesterday" else day(text)


def workers(text: str) -> int:
    """A number of processes."""
    if not text.isdecimal() or not 1 <= int(text) <= 512:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes; hoped for 1 to 512")
    return int(text)


def minutes(text: str) -> float:
    """A number of minutes, up to one day."""
    if not text.isdecimal() or not 1 <= int(text) <= 1440:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes; hoped for 1 to 1440")
    return float(text)
