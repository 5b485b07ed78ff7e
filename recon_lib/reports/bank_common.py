"""What every bank format shares: bookings, rejected entries, exact amounts, days, text from bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

from recon_lib.errors import ReportError
from recon_lib.money import minor_digits
from recon_lib.paths import to_install

FIRST_YEAR, LAST_YEAR = 1990, 2099
MOST_DIGITS = 18  # before the mark; a statement never has more, and MONEY holds 34


@dataclass(frozen=True)
class Booking:
    """One booking on the account; positive is a credit. `line` is where its entry begins."""

    line: int
    booked_on: date
    amount: Decimal
    currency: str
    description: str | None
    reference: str | None


@dataclass(frozen=True)
class Bad:
    """One entry that cannot be used: where, which field, what was met, why."""

    line: int
    column: str
    value: str
    reason: str


@dataclass
class Parsed:
    """What one statement file holds. Every entry is a booking or a bad one: nothing is left out unsaid."""

    layout: str
    encoding: str
    bookings: list[Booking] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class BadEntry(Exception):
    """Raised inside one entry; becomes a `Bad` with the entry's line."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason

    def at(self, line: int) -> Bad:
        return Bad(line, self.column, self.value, self.reason)


def library(name: str, what: str) -> Any:
    """The module `name` of the `bank` extra, met only when such a file is there. Raises ReportError without it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ReportError(
            f"{what} is read with the package `{name.split('.')[0]}`, which is not installed",
            hoped="the bank formats installed",
            do=to_install("bank"),
        ) from error


def decode(data: bytes) -> tuple[str, str]:
    """Text and the name of its encoding: byte order mark, then strict UTF-8, then cp1252. NUL bytes are refused."""
    for mark, name in ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if data.startswith(mark):
            return _strict(data, name), name
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _strict(data, "utf-16"), "utf-16"
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise ReportError(
            "a NUL byte in a text file", line=line, hoped="text without NUL bytes", do="download the file again"
        )
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), "cp1252"  # five bytes stand for nothing there: U+FFFD


def _strict(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        met = f"the bytes are no {encoding.removesuffix('-sig').upper()} text: {error.reason}"
        raise ReportError(met, line=line, hoped="a whole text file", do="download the file again") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ReportError("a NUL character in a text file", line=line, do="download the file again")
    return text


def exact(text: str, mark: str, currency: str, column: str) -> Decimal:
    """An unsigned or signed amount as a Decimal, never through float. `mark` is the decimal mark of the format.

    Digits, at most one mark, no thousands marks, no exponent; digits after the mark up to the currency's minor unit
    (at least 2), zeros beyond them are harmless. Raises BadEntry.
    """
    shape = re.fullmatch(rf"([+-]?)([0-9]+)(?:{re.escape(mark)}([0-9]*))?|([+-]?){re.escape(mark)}([0-9]+)", text)
    if shape is None:
        raise BadEntry(column, text, f"no amount with `{mark}` as decimal mark")
    sign, whole = shape[1] or shape[4] or "", shape[2] or "0"
    rest = (shape[3] or shape[5] or "").rstrip("0")
    if len(whole.lstrip("0")) > MOST_DIGITS:
        raise BadEntry(column, text, f"more than {MOST_DIGITS} digits")
    most = max(2, minor_digits(currency))
    if len(rest) > most:
        raise BadEntry(column, text, f"more than {most} digits after the decimal mark")
    value = Decimal(f"{whole}.{rest or '0'}")
    return -value if sign == "-" and value else value


def exact_day(year: str, month: str, day: str, column: str, written: str) -> date:
    """The calendar day, or BadEntry for 31 February and years no statement can have."""
    try:
        value = date(int(year), int(month), int(day))
    except ValueError:
        raise BadEntry(column, written, "no such day in the calendar") from None
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise BadEntry(column, written, f"the year is not within {FIRST_YEAR} to {LAST_YEAR}")
    return value


def currency_code(text: str | None, column: str) -> str:
    """Three letters, in capitals. Raises BadEntry."""
    code = (text or "").strip().upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise BadEntry(column, text or "", "no three-letter currency code")
    return code


def words(*parts: str | None) -> str | None:
    """The parts joined by a blank, white space folded, each text once; null when nothing is left."""
    kept: list[str] = []
    for part in parts:
        text = " ".join((part or "").split())
        if text and not any(text in have for have in kept):
            kept.append(text)
    return " ".join(kept) or None


@contextmanager
def quiet() -> Iterator[None]:
    """The bank libraries log and warn about what is already told as a reject."""
    import logging
    import warnings

    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
