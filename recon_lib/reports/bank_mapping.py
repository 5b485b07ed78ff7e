"""A bank's own CSV, described by `books/bank/mapping.yml`.

    date: Buchungstag              # column of the booking day
    date_format: "%d.%m.%Y"        # as written in the file
    amount: Betrag                 # one signed column, or instead of it:
    # credit: Haben                #   money that came
    # debit: Soll                  #   money that left (with or without a minus)
    # direction: Soll/Haben        # beside an `amount` without a sign: the column that says which way the money went,
    # came: [H]                    #   its words for money that came
    # left: [S]                    #   and for money that left
    currency: Waehrung             # a column, or a constant such as EUR where no column has that name
    description: [Auftraggeber, Verwendungszweck]
    reference: Kundenreferenz      # may be left out
    delimiter: ";"                 # ; , | or tab; left out: the one that the header line shows
    decimal: ","                   # , or . (left out: the point)

Unknown keys are refused. The header may stand below a preamble: it is the first line that has all the named columns.
"""

from __future__ import annotations

import csv
import re
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from recon_lib.errors import NotAReport, ReportError, UsageError
from recon_lib.reports.bank import MOST_BYTES, to_rows
from recon_lib.reports.bank_amounts import read_amount
from recon_lib.reports.bank_common import BadEntry, Booking, Parsed, currency_code, decode, exact_day, words
from recon_lib.reports.base import Rows

NAME = "mapping.yml"
_MOST_SETTINGS = 64 * 1024
_DELIMITERS = {";": ";", ",": ",", "|": "|", "tab": "\t", "\t": "\t"}
_PREAMBLE = 60  # lines before the header, at most


class Mapping(BaseModel):
    """How one bank calls its columns. Names are compared without case and outer blanks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: str = Field(min_length=1)
    date_format: str
    amount: str | None = None
    credit: str | None = None
    debit: str | None = None
    direction: str | None = None
    came: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    currency: str = Field(min_length=1)
    description: tuple[str, ...] = ()
    reference: str | None = None
    delimiter: str | None = None
    decimal: Literal[",", "."] = "."

    @field_validator("amount", "credit", "debit", "direction", "reference", mode="before")
    @classmethod
    def _none_where_blank(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("date", "currency")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("name the column")
        return value

    @field_validator("description", "came", "left", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        names = (value,) if isinstance(value, str) else value
        return tuple(n for n in names if n != "" and not str(n).isspace()) if isinstance(names, tuple | list) else names

    @field_validator("delimiter")
    @classmethod
    def _known_delimiter(cls, value: str | None) -> str | None:
        if value and value not in _DELIMITERS:
            raise ValueError("write one of ; , | or tab")
        return _DELIMITERS[value] if value else None

    @field_validator("date_format")
    @classmethod
    def _whole_format(cls, value: str) -> str:
        marks = re.findall(r"%(.?)", value)
        day = datetime(2031, 12, 25)
        known = set(marks) <= set("dmyYbBHMS") and len(set(marks)) == len(marks) and not {"y", "Y"} <= set(marks)
        if not known or datetime.strptime(day.strftime(value), value).date() != day.date():
            raise ValueError("write day, month and year, such as %d.%m.%Y or %Y-%m-%d")
        return value

    @model_validator(mode="after")
    def _one_way_to_amounts(self) -> Mapping:
        if (self.amount is None) == (self.credit is None) or (self.credit is None) != (self.debit is None):
            raise ValueError("name either `amount`, or both `credit` and `debit`")
        told = (self.direction is not None, bool(self.came), bool(self.left))
        if any(told) and not (all(told) and self.amount):
            raise ValueError("name `direction`, `came` and `left` together, beside an `amount` without a sign")
        if set(map(_norm, self.came)) & set(map(_norm, self.left)):
            raise ValueError("a word stands for both money that came and money that left")
        return self


def load_mapping(path: Path) -> Mapping:
    """The mapping file, strictly: every value stays text, a key may stand once. Raises UsageError."""
    file = path.name
    try:
        data = path.read_bytes()
        if len(data) > _MOST_SETTINGS:
            raise UsageError(f"a file of {len(data)} bytes", hoped="a short settings file", file=file)
        text = data.decode("utf-8-sig")
        tokens = list(yaml.scan(text, Loader=yaml.BaseLoader))
        if any(isinstance(token, yaml.AliasToken) for token in tokens):
            raise UsageError("a YAML alias (*name)", hoped="plain values", file=file)
        node = yaml.compose(text, Loader=yaml.BaseLoader)
        if not isinstance(node, yaml.MappingNode):
            raise UsageError("no `key: value` lines", hoped="the keys " + " ".join(Mapping.model_fields), file=file)
        keys = [str(key.value) for key, _ in node.value]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise UsageError(f"the key {twice[0]!r} stands twice", hoped="each key once", file=file)
        return to_mapping(yaml.load(text, yaml.BaseLoader), file)  # BaseLoader gives text, lists and mappings only
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        met = f"cannot be read: {getattr(error, 'problem', None) or type(error).__name__}"
        raise UsageError(met, hoped="a YAML file in UTF-8", do="correct the mapping", file=file, line=line) from None


def to_mapping(content: object, file: str = NAME) -> Mapping:
    """What the mapping file holds (a YAML mapping with every value as text), strictly. Raises UsageError."""
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        hoped = "the keys " + " ".join(Mapping.model_fields)
        raise UsageError(told, hoped=hoped, do="correct the mapping", file=file) from None


def read_mapped(data: bytes, mapping: Mapping) -> Rows:
    """The bookings of a bank CSV. Raises NotAReport when no line has the named columns, ReportError for broken CSV."""
    if len(data) > MOST_BYTES:
        raise ReportError(f"a bank CSV of {len(data)} bytes", hoped=f"at most {MOST_BYTES}", do="split it by period")
    text, encoding = decode(data)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    number, delimiter, header = _header(lines, mapping)
    at = {_norm(name): index for index, name in enumerate(header)}
    doubled = sorted({n for n in map(_norm, header) if n in _wanted(mapping) and list(map(_norm, header)).count(n) > 1})
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


def _norm(name: str) -> str:
    return " ".join(name.split()).lower()


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
    return {_norm(name) for name in names if name}


def _header(lines: list[str], mapping: Mapping) -> tuple[int, str, list[str]]:
    """Line number (from 1), delimiter and cells of the first line that has every named column."""
    delimiters = [mapping.delimiter] if mapping.delimiter else list(dict.fromkeys(_DELIMITERS.values()))
    wanted = _wanted(mapping)
    if not re.fullmatch(r"[A-Z]{3}", mapping.currency):
        wanted.add(_norm(mapping.currency))
    for number, line in enumerate(lines[:_PREAMBLE], start=1):
        for delimiter in delimiters:
            try:
                cells = next(csv.reader([line], delimiter=delimiter), [])
            except csv.Error:
                continue
            if wanted <= set(map(_norm, cells)):
                return number, delimiter, cells
    raise NotAReport(
        "no line has the columns that mapping.yml names", hoped=", ".join(sorted(wanted)),
        do="correct books/bank/mapping.yml, or rename the columns as in bank.csv",
    )  # fmt: skip


def _booking(mapping: Mapping, at: dict[str, int], cells: list[str], line: int) -> Booking:
    def cell(name: str) -> str:
        return cells[at[_norm(name)]]

    written = cell(mapping.currency) if _norm(mapping.currency) in at else mapping.currency
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
    return came or (-abs(left) if left else Decimal(0))


def _directed(mapping: Mapping, value: Decimal, cell: object) -> Decimal:
    """The amount with the sign that the column of the direction gives it."""
    assert callable(cell)
    assert mapping.direction is not None
    written = cell(mapping.direction)
    came = _norm(written) in map(_norm, mapping.came)
    if not came and _norm(written) not in map(_norm, mapping.left):
        raise BadEntry(mapping.direction, written, "neither a word for money that came nor for money that left")
    if value < 0:
        raise BadEntry(str(mapping.amount), str(value), "an amount with a sign, though a column tells the direction")
    return value if came or not value else -value
