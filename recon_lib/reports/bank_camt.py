"""CAMT.053: one `<Ntry>` is one booking, however many payments (`<TxDtls>`) the bank batched in it.

XML with a document type is refused unread (entities are how XML bombs and file readers are built), and the text is
decoded here, so that no exotic encoding can hide one. pycamt reads each entry in a document of its own and is checked
against it.

Sign: CdtDbtInd says where the money went, also for a reversal (RvslInd tells only that the opposite was booked before).
"""

from __future__ import annotations

import re
from copy import deepcopy
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

LAYOUT = "CAMT.053"
_ENCODINGS = {"utf-8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"}
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.[0-9]{2}")
_DECLARATION = re.compile(r"\A\s*<\?xml([^>]*)\?>")


def is_xml(head: str) -> bool:
    """Any XML but OFX: whether it is a bank statement is decided by `parse`."""
    return re.match(r"\s*<(\?xml|!DOCTYPE|!--|[A-Za-z])", head) is not None


def is_camt(head: str) -> bool:
    """Does the XML speak of a bank to customer message?"""
    return is_xml(head) and re.search(r"camt\.05[0-9]|<([A-Za-z0-9]+:)?BkToCstmr", head) is not None


def refuse_doctype(text: str) -> None:
    """Raises ReportError when the text declares a document type or an entity."""
    found = re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.I)
    if found:
        raise ReportError(
            "XML with a document type declaration", line=text.count("\n", 0, found.start()) + 1,
            hoped="plain XML without <!DOCTYPE and entities",
            do="do not open the file; download the statement from the bank again",
        )  # fmt: skip


def declared_text(data: bytes, text: str, encoding: str) -> tuple[str, str]:
    """`text` read again by the encoding that the XML declaration names, when it is one of the plain ones."""
    found = _DECLARATION.match(text)
    named = re.search(r"encoding\s*=\s*[\"']([^\"']*)[\"']", found[1]) if found else None
    if named is None or encoding != "cp1252":
        return text, encoding
    name = named[1].lower()
    if name not in _ENCODINGS:
        raise ReportError(f"XML in the encoding {named[1][:40]}", hoped="UTF-8", do="download the statement again")
    if name in {"utf-8", "us-ascii", "ascii", "utf-16"}:
        raise ReportError(f"XML that says {named[1]} and is not", hoped="UTF-8 text", do="download the file again")
    return data.decode("iso-8859-15" if name == "iso-8859-15" else "cp1252", errors="replace"), name


def parse(text: str, encoding: str) -> Parsed:
    """All bookings of all statements of the file. Raises ReportError for other messages and broken XML."""
    refuse_doctype(text)
    camt = library("pycamt.parser", "A CAMT.053 file")
    etree = library("lxml.etree", "A CAMT.053 file")
    plain = _DECLARATION.sub("", text, count=1)  # the text is decoded already
    skipped = text[: len(text) - len(plain)].count("\n")
    reader = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(plain.encode("utf-8"), reader)
    except etree.XMLSyntaxError as error:
        raise ReportError(
            f"XML that cannot be read: {error.msg}", line=(error.lineno or 1) + skipped, hoped="whole, well-formed XML",
            do="download the statement again: this one is cut off or broken",
        ) from None  # fmt: skip
    space = etree.QName(root).namespace or ""
    statements = list(root.iter(_any("Stmt")))
    if not _NAMESPACE.fullmatch(space):
        raise ReportError(
            f"an XML message of another kind: {space or root.tag}"[:160], hoped="a statement (CAMT.053)",
            do="download the account statement: reports of the day (CAMT.052) and notices (CAMT.054) come again in it",
        )  # fmt: skip
    if not statements:
        raise ReportError("CAMT.053 without a statement", hoped="<Stmt> with entries", do="download it again")
    out = Parsed(LAYOUT, encoding)
    lines = _lines(text)
    found = [(s, e) for s in statements for e in s.iterchildren(_any("Ntry"))]
    everywhere = sum(1 for _ in root.iter(_any("Ntry")))
    if everywhere != len(found):
        raise ReportError("CAMT.053 with entries outside its statements", do="download the statement again")
    totals: dict[Any, Decimal | None] = {s: Decimal(0) for s in statements}
    for number, (statement, entry) in enumerate(found):
        line = lines[number] if len(lines) == len(found) else entry.sourceline + skipped
        try:
            booking = _booking(etree, camt, space, statement, entry, line)
            out.bookings.append(booking)
            total = totals[statement]
            totals[statement] = None if total is None else total + booking.amount
        except BadEntry as error:
            out.bad.append(error.at(line))
            totals[statement] = None
    for statement in statements:
        _foots(statement, totals[statement], out, statement.sourceline + skipped)
    return out


def _lines(text: str) -> list[int]:
    """The line of every `<Ntry>`; libxml2 itself stops counting at 65535."""
    lines, line, seen = [], 1, 0
    for match in re.finditer(r"<(?:[A-Za-z0-9_.-]+:)?Ntry[\s>]", text):
        line, seen = line + text.count("\n", seen, match.start()), match.start()
        lines.append(line)
    return lines


def _any(name: str) -> str:
    """The tag of that local name in any namespace."""
    return f"{{*}}{name}"


def _child(element: Any, *path: str) -> Any | None:
    """The first element down the path of local names, direct children only."""
    for name in path:
        element = next(element.iterchildren(_any(name)), None)
        if element is None:
            return None
    return element


def _text(element: Any, *path: str) -> str | None:
    found = _child(element, *path)
    return (found.text or "").strip() or None if found is not None else None


def _signed(element: Any) -> tuple[Decimal, str]:
    """Amount with its sign and currency of an entry or balance. Raises BadEntry."""
    amount = _child(element, "Amt")
    if amount is None:
        raise BadEntry("Amt", "", "no amount")
    currency = currency_code(amount.get("Ccy"), "Amt@Ccy")
    written = (amount.text or "").strip()
    mark = _text(element, "CdtDbtInd")
    if mark not in {"CRDT", "DBIT"}:
        raise BadEntry("CdtDbtInd", mark or "", "neither CRDT nor DBIT")
    if written.startswith(("-", "+")):
        raise BadEntry("Amt", written, "an amount with a sign, though the sign is told by CdtDbtInd")
    value = exact(written, ".", currency, "Amt")
    return (-value if mark == "DBIT" and value else value), currency


def _booking(etree: Any, camt: Any, space: str, statement: Any, entry: Any, line: int) -> Booking:
    status = (_text(entry, "Sts", "Cd") or _text(entry, "Sts") or "BOOK").upper()
    if status != "BOOK":
        raise BadEntry("Sts", status, "not booked: it comes again when booked")
    amount, currency = _signed(entry)
    written = _text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm") or ""
    shape = re.match(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T[0-9:.]+|Z|[+-][0-9]{2}:[0-9]{2}|\Z)", written)
    if shape is None:
        raise BadEntry("BookgDt", written, "no booking day as YYYY-MM-DD")
    day = exact_day(shape[1], shape[2], shape[3], "BookgDt", written)
    try:
        with quiet():
            read = camt.Camt053Parser(_alone(etree, space, statement, entry)).get_transactions()
    except Exception as error:  # the library raises what it likes: the entry is told as a reject
        raise BadEntry("Ntry", "", f"the entry cannot be read: {type(error).__name__}: {error}"[:200]) from None
    if not read or (read[0].get("BookingDate") or "").strip() != written:
        raise BadEntry("BookgDt", written, "the day can be read in two ways")
    if len(read) == 1 and _child(entry, "NtryDtls") is None and Decimal(read[0]["Amount"].strip()) != abs(amount):
        raise BadEntry("Amt", read[0]["Amount"], f"read as {read[0]['Amount']} and as {abs(amount)}")
    names = ("DebtorName", "RemittanceInformationFull", "RemittanceInformation", "AdditionalRemittanceInformation")
    mark = "CreditorName" if amount < 0 else "DebtorName"
    parts = [t.get(mark if name == "DebtorName" else name) for t in read for name in (*names, "EndToEndId")]
    known = [p for p in parts if p and p.strip().upper() not in {"NOTPROVIDED", "NONREF"}]
    # pycamt leaves out on whose behalf the money came, and what the bank says of each payment
    behalf = [
        e.text for who in entry.iter(_any("UltmtCdtr" if amount < 0 else "UltmtDbtr")) for e in who.iter(_any("Nm"))
    ]
    added = [element.text for element in entry.iter(_any("AddtlTxInf"))]
    text = words(*known, *behalf, *added, read[0].get("AdditionalEntryInformation"))
    reference = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
    return Booking(line, day, amount, currency, text, reference)


def _alone(etree: Any, space: str, statement: Any, entry: Any) -> bytes:
    """A CAMT.053 document that holds only this entry, without namespace prefixes."""
    document = etree.Element(f"{{{space}}}Document", nsmap={None: space})
    shell = etree.SubElement(etree.SubElement(document, f"{{{space}}}BkToCstmrStmt"), f"{{{space}}}Stmt")
    account = _child(statement, "Acct")
    for part in (account, entry):
        if part is not None:
            shell.append(deepcopy(part))
    etree.cleanup_namespaces(document)
    return bytes(etree.tostring(document))


def _foots(statement: Any, total: Decimal | None, out: Parsed, line: int) -> None:
    """A note when opening + bookings is not closing (told only where all of them could be read)."""
    balances: dict[str, Decimal] = {}
    for element in statement.iterchildren(_any("Bal")):
        kind = _text(element, "Tp", "CdOrPrtry", "Cd")
        if kind in {"OPBD", "PRCD", "CLBD"}:
            try:
                balances.setdefault("CLBD" if kind == "CLBD" else "OPBD", _signed(element)[0])
            except BadEntry:
                return
    if total is not None and len(balances) == 2:
        gap = balances["CLBD"] - balances["OPBD"] - total
        if gap:
            out.notes.append(
                f"the statement on line {line} does not add up: opening + bookings differs from closing by {gap}"
            )
