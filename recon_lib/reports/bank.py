"""Bank statements: OFX/QFX, MT940 and CAMT.053 as `frames.BankLine`, recognised by their content.

One entry of the statement is one row; `line` is where the entry begins. Rows in = rows used + rows rejected. The
packages of the `bank` extra are imported only when such a file is met; their values are checked against its text.
A file that is cut off, is another kind of message or could do harm (XML with a document type) raises ReportError.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from recon_lib import frames
from recon_lib.errors import ReportError
from recon_lib.money import MONEY
from recon_lib.reports import bank_camt, bank_mt940, bank_ofx
from recon_lib.reports.bank_common import Parsed, decode
from recon_lib.reports.base import Column, Report, Rows

MOST_BYTES = 64 * 1024 * 1024
KEY = ("booked_on", "currency", "amount", "description", "reference")
REJECTS = {"line": pl.UInt32, "column": pl.String, "value": pl.String, "reason": pl.String}


def to_rows(parsed: Parsed) -> Rows:
    """The frame of the bookings (schema of BankLine without `file`) and of the rejected entries, both by line."""
    bookings = sorted(parsed.bookings, key=lambda b: b.line)
    bad = sorted(parsed.bad, key=lambda b: b.line)
    lines = pl.DataFrame(
        {
            "line": [b.line for b in bookings],
            "booked_on": [b.booked_on for b in bookings],
            "amount": [b.amount for b in bookings],
            "currency": [b.currency for b in bookings],
            "description": [b.description for b in bookings],
            "reference": [b.reference for b in bookings],
        },
        schema={
            "line": pl.UInt32, "booked_on": pl.Date, "amount": MONEY, "currency": pl.String,
            "description": pl.String, "reference": pl.String,
        },
    )  # fmt: skip
    rejects = pl.DataFrame(
        {
            "line": [b.line for b in bad],
            "column": [b.column for b in bad],
            "value": [b.value[:200] for b in bad],
            "reason": [b.reason for b in bad],
        },
        schema=REJECTS,
    )
    return Rows({"bank": lines}, rejects, parsed.encoding, parsed.layout, notes=tuple(parsed.notes))


def read_bytes(data: bytes, parse: Callable[[str, str], Parsed], *, xml: bool = False) -> Rows:
    """Decodes and parses one statement file. Raises ReportError when it is unusable as a whole."""
    if len(data) > MOST_BYTES:
        raise ReportError(
            f"a bank statement of {len(data)} bytes", hoped=f"at most {MOST_BYTES}",
            do="download the statement in shorter periods",
        )  # fmt: skip
    text, encoding = decode(data)
    if xml:
        text, encoding = bank_camt.declared_text(data, text, encoding)
    return to_rows(parse(text.removeprefix("\ufeff"), encoding))


def _head(data: bytes) -> str:
    for mark, name in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(name, errors="ignore")
    return data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def _declare(title: str, sniff: Callable[[str], bool], parse: Callable[[str, str], Parsed], *, xml: bool) -> Report:
    return Report(
        family="bank",
        title=title,
        frame=frames.BankLine,
        columns=(
            Column("booked_on", ("booked_on",), "day"),
            Column("amount", ("amount",), "money"),
            Column("currency", ("currency",)),
            Column("description", ("description",)),
            Column("reference", ("reference",)),
        ),
        signature=(),
        key=KEY,
        period="booked_on",
        money="amount",
        sniff=lambda data: sniff(_head(data)),
        read=lambda data: read_bytes(data, parse, xml=xml),
    )


OFX = _declare("Bank statement (OFX/QFX)", bank_ofx.is_ofx, bank_ofx.parse, xml=False)
MT940 = _declare("Bank statement (MT940)", bank_mt940.is_mt940, bank_mt940.parse, xml=False)
CAMT = _declare("Bank statement (CAMT.053)", bank_camt.is_camt, bank_camt.parse, xml=True)
BANK = (OFX, MT940, CAMT)
