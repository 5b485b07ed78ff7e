"""MT940: one field `:61:` (with its `:86:`) is one booking.

The fields are cut out of the text, so that each booking keeps its line and one bad field spoils no other; mt-940 reads
each of them and is checked against the text: it moves 31 February to the 28th and cuts amounts after 15 characters.

Marks: C credit, D debit, RC the reversal of a credit (money leaves), RD the reversal of a debit (money comes back).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
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

LAYOUT = "MT940"
_TAG = re.compile(r"(?:\{[^\n]*?)?:(NS|[0-9]{2}[A-Z]?):(.*)", re.S)
_BALANCE = re.compile(r"([CD])([0-9]{6})([A-Za-z]{3})([0-9,]+)\s*\Z")
_LINE = re.compile(
    r"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{4}| {4})?(R?[CD]|E[CD])([A-Z])?[ \n]?([0-9,]+)(?=[A-Z]|\s|\Z)"
)
_PURPOSE_WIDTH = 27  # a purpose part of full width goes on in the next one without a blank
_LINE_WIDTH = 65


@dataclass
class _Field:
    line: int
    tag: str
    text: str


@dataclass
class _Statement:
    line: int
    currency: str | None = None
    opening: Decimal | None = None
    closing: Decimal | None = None
    closed: bool = False
    entries: list[tuple[_Field, list[str]]] = field(default_factory=list)


def is_mt940(head: str) -> bool:
    """A `:20:` field at the start of a line, and an account, number, balance or booking field after it."""
    start = re.search(r"(?m)^(\{[^\n]*)?:20:", head[:4000])
    return start is not None and re.search(r"(?m)^:(25|28C?|60[FM]|61|62[FM]):", head[start.start() :]) is not None


def parse(text: str, encoding: str) -> Parsed:
    """All bookings of all statements of the file. Raises ReportError for an interim report (MT942)."""
    fields = list(_fields(text))
    tags = {f.tag for f in fields}
    if not tags & {"60F", "60M"} and tags & {"34F", "13D"}:
        raise ReportError(
            "an interim report (MT942)", hoped="a statement (MT940)",
            do="use the statement of the day: it holds the same bookings for good",
        )  # fmt: skip
    mt940 = library("mt940", "An MT940 file")
    out = Parsed(LAYOUT, encoding)
    for statement in _statements(fields):
        total, whole = Decimal(0), True
        for entry, details in statement.entries:
            try:
                booking = _booking(mt940, entry, "\n".join(details), statement.currency)
                out.bookings.append(booking)
                total += booking.amount
            except BadEntry as error:
                out.bad.append(error.at(entry.line))
                whole = False
        _foots(statement, total, whole, out)
    return out


def _foots(statement: _Statement, total: Decimal, whole: bool, out: Parsed) -> None:
    if not statement.closed:
        out.notes.append(f"the statement on line {statement.line} has no closing balance: it may be cut off")
    elif whole and statement.opening is not None and statement.closing is not None:
        gap = statement.closing - statement.opening - total
        if gap:
            out.notes.append(
                f"the statement on line {statement.line} does not add up: "
                f"opening + bookings differs from closing by {gap}"
            )


def _fields(text: str) -> Iterator[_Field]:
    line, tag, parts = 0, "", list[str]()
    for number, raw in enumerate(text.split("\n"), start=1):
        here = raw.rstrip("\r")
        match = _TAG.match(here)
        ends = here.startswith("-") and here.strip() in {"-", "-}"}
        if (match or ends) and tag:
            yield _Field(line, tag, "\n".join(parts))
            tag = ""
        if match:
            line, tag, parts = number, match[1], [match[2]]
        elif tag:
            parts.append(here)
    if tag:
        yield _Field(line, tag, "\n".join(parts))


def _statements(fields: list[_Field]) -> list[_Statement]:
    """Fields before the first `:20:` make a statement of their own, so that no booking is lost."""
    found: list[_Statement] = []
    for item in fields:
        if item.tag == "20" or not found:
            found.append(_Statement(item.line))
        here = found[-1]
        if item.tag in {"60F", "60M", "62F", "62M"}:
            _balance(here, item)
        elif item.tag == "61":
            here.entries.append((item, []))
        elif item.tag == "86" and here.entries and not here.closed:
            here.entries[-1][1].append(item.text)
    return found


def _balance(statement: _Statement, item: _Field) -> None:
    opening = item.tag.startswith("60")
    statement.closed = statement.closed or not opening
    match = _BALANCE.match(item.text)
    if not match:
        return
    try:
        currency = currency_code(match[3], item.tag)
        amount = exact(match[4], ",", currency, item.tag) * (1 if match[1] == "C" else -1)
    except BadEntry:
        return
    if opening:
        statement.currency, statement.opening = statement.currency or currency, amount
    else:
        statement.currency, statement.closing = statement.currency or currency, amount


def _booking(mt940: Any, entry: _Field, details: str, currency: str | None) -> Booking:
    shape = _LINE.match(entry.text)
    if shape is None:
        raise BadEntry(":61:", entry.text.split("\n")[0][:60], "no booking line: date, mark, amount with a comma, type")
    year, month, day, _, mark, _, written = shape.groups()
    value_on = exact_day(f"20{year}", month, day, ":61: value date", f"{year}{month}{day}")
    if mark.startswith("E"):
        raise BadEntry(":61: mark", mark, "expected, not booked: it comes again when booked")
    if currency is None:
        raise BadEntry(
            ":60F: currency", "", "the statement has no readable opening balance, so its currency is unknown"
        )
    amount = exact(written, ",", currency, ":61: amount") * (1 if mark in {"C", "RD"} else -1)
    read = _with_library(mt940, entry.text, details, currency)
    if read["amount"].amount != amount:
        raise BadEntry(":61: amount", written, f"read as {read['amount'].amount} and as {amount}")
    if str(read["date"]) != value_on.isoformat():
        raise BadEntry(":61: value date", f"{year}{month}{day}", "the day can be read in two ways")
    booked = read.get("entry_date")
    references = [r.strip() for r in (read.get("bank_reference"), read.get("customer_reference")) if r]
    reference = next((r for r in references if r and r.upper() != "NONREF"), None)
    return Booking(
        line=entry.line,
        booked_on=date.fromisoformat(str(booked)) if booked else value_on,
        amount=amount or Decimal(0),
        currency=currency,
        description=words(_purpose(details), (read.get("extra_details") or "").strip()),
        reference=reference,
    )


def _with_library(mt940: Any, line: str, details: str, currency: str) -> dict[str, Any]:
    document = f":20:1\n:25:1\n:28C:1\n:60F:C200101{currency}0,\n:61:{line.rstrip()}\n"
    if details:  # only free text here: a structured one could overwrite the references of the booking line
        document += ":86:see the text\n"
    try:
        with quiet():
            read = mt940.parse(document, options=mt940.Options(reversal_sign=True, merge_keeps_values=True))
        if len(read) != 1:
            raise BadEntry(":61:", line[:60], f"{len(read)} bookings instead of one")
        return dict(read[0].data)
    except BadEntry:
        raise
    except Exception as error:  # the library raises what it likes: the entry is told as a reject
        raise BadEntry(
            ":61:", line.split("\n")[0][:60], f"the booking line cannot be read: {error.args[0]!s}"[:200]
        ) from None


def _purpose(details: str) -> str:
    """The text of `:86:`: name and purpose of the structured form (`?20`..), or the free text.

    Parts that fill their width were cut in the middle of a word by the bank, so they are joined without a blank.
    """
    mark = re.match(r"\s*[0-9]{3}([?])[0-9]{2}", details)
    if mark is None:
        return _join(details.split("\n"), _LINE_WIDTH)
    parts: dict[str, str] = {}
    for piece in details.replace("\n", "").split(mark[1])[1:]:
        parts[piece[:2]] = parts.get(piece[:2], "") + piece[2:]
    name = _join([parts[k] for k in ("32", "33") if k in parts], _PURPOSE_WIDTH)
    keys = sorted(k for k in parts if re.fullmatch(r"2[0-9]|6[0-3]", k))
    return " ".join(p for p in (name, _join([parts[k] for k in keys], _PURPOSE_WIDTH), parts.get("00", "")) if p)


def _join(parts: list[str], width: int) -> str:
    out = ""
    for part in parts:
        out += part if len(part) >= width else part + " "
    return out.strip()
