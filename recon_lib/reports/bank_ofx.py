"""OFX and QFX: one `<STMTTRN>` is one booking.

The entries are cut out of the text (so that each keeps its line and one bad entry spoils no other); ofxparse reads them
and its amount is checked against the text. The day is the day written in DTPOSTED: ofxparse shifts it to UTC.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import unescape
from io import BytesIO
from typing import Any

from recon_lib.errors import ReportError
from recon_lib.reports.bank_common import (
    BadEntry,
    Booking,
    Parsed,
    currency_code,
    exact,
    exact_day,
    library,
    quiet,
    words,
)

LAYOUT = "OFX"
_ENTRY = re.compile(r"<STMTTRN>(.*?)(?=</STMTTRN>|<STMTTRN>|</BANKTRANLIST>|</STMTRS>|</CCSTMTRS>|\Z)", re.I | re.S)
_HEAD = re.compile(r"\A\s*(OFXHEADER\s*:|(<\?xml[^>]*>\s*)?<\?OFX\s|(<\?xml[^>]*>\s*)?<OFX>)", re.I)
_BATCH = 400


def is_ofx(head: str) -> bool:
    """Does the text begin like OFX 1 (key:value header) or OFX 2 (processing instruction)?"""
    return _HEAD.match(head) is not None


@dataclass(frozen=True)
class _Entry:
    line: int
    text: str
    currency: str | None


def parse(text: str, encoding: str) -> Parsed:
    """All bookings of an OFX file. Raises ReportError when the file is cut off or is no bank statement."""
    if not re.search(r"</OFX>\s*\Z", text, re.I):
        raise ReportError(
            "an OFX file without its closing </OFX>", line=text.count("\n") + 1, hoped="the whole file",
            do="download the statement again: this one is cut off or something was added behind it",
        )  # fmt: skip
    if not re.search(r"<(CC)?STMTRS>", text, re.I):
        raise ReportError(
            "an OFX file without a bank or card statement", hoped="<STMTRS> with bookings",
            do="download the transactions of the bank account",
        )  # fmt: skip
    out = Parsed(LAYOUT, encoding)
    entries = list(_entries(text))
    seen: dict[tuple[object, ...], int] = {}
    for entry, read in zip(entries, _with_library(entries), strict=True):
        try:
            booking = _booking(entry, read)
            key = (booking.reference, booking.booked_on, booking.amount, booking.currency, booking.description)
            if seen.setdefault(key, booking.line) != booking.line and booking.reference:
                why = f"the same booking with the same FITID stands on line {seen[key]}"
                raise BadEntry("FITID", booking.reference, why)
            out.bookings.append(booking)
        except BadEntry as error:
            out.bad.append(error.at(entry.line))
    pending = len(re.findall(r"<STMTTRNP>", text, re.I))
    if pending:
        out.notes.append(f"{pending} pending transactions left out: they come again when booked")
    return out


def _entries(text: str) -> Iterator[_Entry]:
    currencies = [(m.start(), m[1]) for m in re.finditer(r"<CURDEF>\s*([^<\r\n]*)", text, re.I)]
    places = [at for at, _ in currencies]
    starts = [m.start() for m in re.finditer(r"<(?:CC)?STMTRS>", text, re.I)]
    line, seen = 1, 0
    for match in _ENTRY.finditer(text):
        line, seen = line + text.count("\n", seen, match.start()), match.start()
        statement, stated = bisect_left(starts, seen) - 1, bisect_left(places, seen) - 1
        inside = stated >= 0 and places[stated] >= (starts[statement] if statement >= 0 else 0)
        yield _Entry(line, match[1], currencies[stated][1] if inside else None)


def _booking(entry: _Entry, read: Any) -> Booking:
    written = _value(entry.text, "DTPOSTED") or ""
    day = _day(written)
    own = re.search(r"<CURRENCY>.*?<CURSYM>\s*([^<\r\n]*)", entry.text, re.I | re.S)
    currency = currency_code(own[1] if own else entry.currency, "CURSYM" if own else "CURDEF")
    amount = _amount(_value(entry.text, "TRNAMT") or "", currency)
    if isinstance(read, str):
        raise BadEntry("STMTTRN", "", f"the entry cannot be read: {read}")
    if Decimal(read.amount) != amount:
        raise BadEntry("TRNAMT", _value(entry.text, "TRNAMT") or "", f"read as {read.amount} and as {amount}")
    if read.date is None or abs((read.date.date() - day).days) > 1:
        raise BadEntry("DTPOSTED", written, "the day can be read in two ways")
    return Booking(
        entry.line, day, amount, currency, words(unescape(read.payee or ""), unescape(read.memo or "")), read.id or None
    )


def _value(entry: str, tag: str) -> str | None:
    found = re.search(rf"<{tag}>\s*([^<\r\n]*)", entry, re.I)
    return found[1].strip() if found else None


def _day(written: str) -> date:
    shape = re.match(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[0-9]{4}(?:[0-9]{2}(?:\.[0-9]+)?)?)?(?:\[[^\]]*\])?\Z", written)
    if shape is None:
        raise BadEntry("DTPOSTED", written, "no date as YYYYMMDD")
    return exact_day(shape[1], shape[2], shape[3], "DTPOSTED", written)


def _amount(written: str, currency: str) -> Decimal:
    """TRNAMT has one mark, point or comma, no thousands marks; a single mark before three digits is not guessed."""
    both = re.fullmatch(r"([+-]?[0-9]{1,3}(?:,[0-9]{3})+)\.([0-9]*)|([+-]?[0-9]{1,3}(?:\.[0-9]{3})+),([0-9]*)", written)
    if both:  # against the standard, but it can only mean one thing
        plain = re.sub("[.,]", "", both[1] or both[3])
        return exact(f"{plain}.{both[2] or both[4] or ''}", ".", currency, "TRNAMT")
    if re.fullmatch(r"[+-]?[0-9]{1,3}[.,][0-9]{3}", written):
        raise BadEntry("TRNAMT", written, "the mark can be a decimal or a thousands mark")
    return exact(written, "," if "," in written else ".", currency, "TRNAMT")


def _with_library(entries: list[_Entry]) -> Iterator[Any]:
    """Per entry ofxparse's transaction, or a text that says why it gave none."""
    parser = library("ofxparse", "An OFX or QFX file").OfxParser
    for start in range(0, len(entries), _BATCH):
        batch = entries[start : start + _BATCH]
        read = _statement(parser, batch)
        if isinstance(read, list) and len(read) == len(batch):
            yield from read
            continue
        for entry in batch:  # one of them is bad: each by itself
            one = _statement(parser, [entry])
            if isinstance(one, str):
                yield one
            else:
                yield one[0] if len(one) == 1 else f"{len(one)} transactions instead of one"


def _statement(parser: Any, entries: list[_Entry]) -> list[Any] | str:
    body = "".join(f"<STMTTRN>{e.text}</STMTTRN>\n" for e in entries)
    document = f"ENCODING:UTF-8\n\n<OFX><STMTRS><CURDEF>XXX</CURDEF><BANKTRANLIST>{body}</BANKTRANLIST></STMTRS></OFX>"
    try:
        with quiet():
            accounts = parser.parse(BytesIO(document.encode("utf-8")), fail_fast=True).accounts
        return list(accounts[0].statement.transactions)
    except Exception as error:  # the library raises what it likes: the entry is told as a reject
        return f"{type(error).__name__}: {error}"[:200]
