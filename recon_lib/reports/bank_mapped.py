"""A bank's own CSV, read by its mapping (`bank_mapping`).

The header may stand below a preamble: it is the first line that has all the named columns.
"""

from __future__ import annotations

import csv
import re
from datetime import date, datetime
from decimal import Decimal
from io import StringIO

from recon_lib.errors import NotAReport, ReportError
from recon_lib.reports.bank import MOST_BYTES, to_rows
from recon_lib.reports.bank_amounts import read_amount
from recon_lib.reports.bank_common import BadEntry, Booking, Parsed, currency_code, decode, exact_day, words
from recon_lib.reports.bank_mapping import DELIMITERS, Mapping, plain_name
from recon_lib.reports.base import Rows

_PREAMBLE = 60  # lines before the header, at most


def read_mapped(data: bytes, mapping: Mapping) -> Rows:
    """The bookings of a bank CSV. Raises NotAReport when no line has the named columns, ReportError for broken CSV."""
    if len(data) > MOST_BYTES:
        raise ReportError(f"a bank CSV of {len(data)} bytes", hoped=f"at most {MOST_BYTES}", do="split it by period")
    text, encoding = decode(data)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    number, delimiter, header = _header(lines, mapping)
    at = {plain_name(name): index for index, name in enumerate(header)}
    doubled = sorted(
        {n for n in map(plain_name, header) if n in _wanted(mapping) and list(map(plain_name, header)).count(n) > 1}
    )
    if doubled:
        raise ReportError(
            f"the column {doubled[0]!r} stands twice in the header", line=number, do="name another column"
        )
    out = Parsed("mapped CSV", encoding)
    reader = csv.reader(StringIO("\n".join(lines[number:])), delimiter=delimiter, strict=True)
    end = number
    try:
        for cells in reader:
            line, end = end + 1, number + reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            try:
                if len(cells) != len(header):
                    raise BadEntry("", "", f"{len(cells)} cells where the header has {len(header)}")
                out.bookings.append(_booking(mapping, at, [cell.strip() for cell in cells], line))
            except BadEntry as error:
                out.bad.append(error.at(line))
    except csv.Error as error:
        raise ReportError(
            f"broken CSV: {error}", line=end + 1, hoped="closed quotes", do="download the file again"
        ) from None
    return to_rows(out)


def _wanted(mapping: Mapping) -> set[str]:
    names = [
        mapping.date,
        mapping.amount,
        mapping.credit,
        mapping.debit,
        mapping.direction,
        mapping.reference,
        *mapping.description,
    ]
    return {plain_name(name) for name in names if name}


def _header(lines: list[str], mapping: Mapping) -> tuple[int, str, list[str]]:
    """Line number (from 1), delimiter and cells of the first line that has every named column."""
    delimiters = [mapping.delimiter] if mapping.delimiter else list(dict.fromkeys(DELIMITERS.values()))
    wanted = _wanted(mapping)
    if not re.fullmatch(r"[A-Z]{3}", mapping.currency):
        wanted.add(plain_name(mapping.currency))
    for number, line in enumerate(lines[:_PREAMBLE], start=1):
        for delimiter in delimiters:
            try:
                cells = next(csv.reader([line], delimiter=delimiter), [])
            except csv.Error:
                continue
            if wanted <= set(map(plain_name, cells)):
                return number, delimiter, cells
    raise NotAReport(
        "no line has the columns that mapping.yml names", hoped=", ".join(sorted(wanted)),
        do="correct books/bank/mapping.yml, or rename the columns as in bank.csv",
    )  # fmt: skip


def _booking(mapping: Mapping, at: dict[str, int], cells: list[str], line: int) -> Booking:
    def cell(name: str) -> str:
        return cells[at[plain_name(name)]]

    written = cell(mapping.currency) if plain_name(mapping.currency) in at else mapping.currency
    currency = currency_code(written, mapping.currency)
    text = words(*(cell(name) for name in mapping.description))
    reference = (cell(mapping.reference) or None) if mapping.reference else None
    return Booking(line, _day(mapping, cell(mapping.date)), _amount(mapping, cell, currency), currency, text, reference)


def _day(mapping: Mapping, written: str) -> date:
    try:
        day = datetime.strptime(written, mapping.date_format)
    except ValueError:
        raise BadEntry(mapping.date, written, f"no day written as {mapping.date_format}") from None
    return exact_day(str(day.year), str(day.month), str(day.day), mapping.date, written)


def _amount(mapping: Mapping, cell: object, currency: str) -> Decimal:
    assert callable(cell)
    if mapping.amount is not None:
        value = read_amount(cell(mapping.amount), mapping.decimal, currency, mapping.amount)
        return value if mapping.direction is None else _directed(mapping, value, cell)
    credit, debit = str(mapping.credit), str(mapping.debit)
    came = read_amount(cell(credit), mapping.decimal, currency, credit) if cell(credit) else None
    left = read_amount(cell(debit), mapping.decimal, currency, debit) if cell(debit) else None
    if came is None and left is None:
        raise BadEntry(credit, "", "neither a credit nor a debit")
    if came and left:
        raise BadEntry(credit, cell(credit), "a credit and a debit in one row")
    if came is not None and came < 0:
        raise BadEntry(credit, cell(credit), "a negative credit")
    if left is not None and re.search(r"(?i)CR\s*\.?$", cell(debit)):
        raise BadEntry(debit, cell(debit), "a credit among the debits")
    return came or (-abs(left) if left else Decimal(0))


def _directed(mapping: Mapping, value: Decimal, cell: object) -> Decimal:
    """The amount with the sign that the column of the direction gives it."""
    assert callable(cell)
    assert mapping.direction is not None
    written = cell(mapping.direction)
    came = plain_name(written) in map(plain_name, mapping.came)
    if not came and plain_name(written) not in map(plain_name, mapping.left):
        raise BadEntry(mapping.direction, written, "neither a word for money that came nor for money that left")
    if value < 0:
        raise BadEntry(str(mapping.amount), str(value), "an amount with a sign, though a column tells the direction")
    return value if came or not value else -value
