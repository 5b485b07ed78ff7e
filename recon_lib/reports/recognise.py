"""What a file is, told from its content alone: the header line, its delimiter, and the one report family it fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from recon_lib.errors import NotAReport, ReportError
from recon_lib.reports import elsewhere
from recon_lib.reports.base import Report
from recon_lib.reports.text import DELIMITERS, lines_of, split_line

_SEARCHED_LINES = 120
_FACT = re.compile(r"\b\d{4}-\d\d-\d\d|\b\d\d[./]\d\d[./]\d{2,4}\b|\b\d{3}-\d{7}-\d{7}\b")

# Words of the "Transaction View" export: (status or type column, product column) by language.
_VIEW = (
    ({"transactionstatus", "transactiontype"}, {"productdetails"}),
    ({"transaktionsstatus", "transaktionstyp"}, {"produktdetails"}),
    ({"statutdelatransaction", "typedetransaction"}, {"détailsduproduit", "détailssurleproduit"}),
    ({"statotransazione", "tipoditransazione"}, {"dettagliprodotto"}),
    ({"estadodelatransacción", "tipodetransacción"}, {"detallesdelproducto"}),
)


_VIEW_TOTAL = re.compile(r"^[^\W\d]+ \([A-Z]{3}\)$")  # in any language the view alone states its currency there


@lru_cache(maxsize=8192)
def normal(name: str) -> str:
    """A header name as it is compared: case, blanks, `-`, `_`, typographic apostrophes and byte order marks do not count."""
    return re.sub(r"[\s\u200b\ufeff_-]+", "", name.replace("’", "'").replace("‘", "'").strip('"').casefold())


@dataclass(frozen=True)
class Header:
    """Where the header stands and how the file is cut: `line` counts from 1, `names` are as written."""

    report: Report
    names: tuple[str, ...]
    line: int
    separator: str
    quoted: bool
    preamble: str


@lru_cache(maxsize=256)
def _signature(report: Report) -> frozenset[str]:
    return frozenset(normal(s) for s in report.signature)


@lru_cache(maxsize=256)
def known_names(report: Report) -> frozenset[str]:
    """Every header name that the family declares, normalised."""
    return frozenset(normal(n) for c in report.columns for n in c.names) | _signature(report)


def recognise(text: str, families: Sequence[Report], name: str = "") -> Header:
    """The header of the report that `text` (the beginning of a file) holds.

    NotAReport where it is no report at all; ReportError where it is one that cannot be used, or several fit equally.
    """
    lines = lines_of(text)
    declared = [(r, _signature(r)) for r in families if r.sniff is None and r.signature]
    seen: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate(lines[:_SEARCHED_LINES], 1):
        for separator in DELIMITERS:
            if separator not in line:
                continue
            cells = [
                c.lstrip("?\ufeff") if i == 0 else c for i, c in enumerate(split_line(line, separator, quoted=True))
            ]
            names = {normal(c) for c in cells}
            fitting = [(len(signature), report) for report, signature in declared if signature <= names]
            if fitting:
                report = _choose(fitting, names, number, name)
                cells = _width(cells, lines[number : number + 20], separator)
                _refuse_unusable(report, cells, number, name)
                _refuse_rows_above(report, lines[: number - 1], separator, len(cells), number, name)
                quoted = _is_quoted(report, line, lines[number:], separator)
                return Header(report, tuple(cells), number, separator, quoted, "".join(lines[: number - 1]))
            seen.append((number, separator, cells))
    _refuse_unknown(text, lines, seen, declared, name)
    raise NotAReport("is no report", hoped="a report as Amazon sends it, or one of the seller's own books", file=name)


def _choose(fitting: list[tuple[int, Report]], names: set[str], line: int, file: str) -> Report:
    longest = max(length for length, _ in fitting)
    best = [report for length, report in fitting if length == longest]
    if len(best) > 1:  # equally long signatures: the one that knows more of the header
        overlap = {id(r): len(known_names(r) & names) for r in best}
        most = max(overlap.values())
        best = [r for r in best if overlap[id(r)] == most]
    if len(best) > 1:
        titles = " and ".join(sorted(r.title + (f" ({r.language})" if r.language else "") for r in best))
        raise ReportError(f"the header fits several reports: {titles}", hoped="one", file=file, line=line)
    return best[0]


def _width(cells: list[str], following: list[str], separator: str) -> list[str]:
    """Drops empty names at the end of the header that the rows do not have (Amazon Pay's header ends in a comma)."""
    widths = [len(split_line(row, separator, quoted=True)) for row in following if row.strip()]
    while cells and not cells[-1].strip() and (not widths or max(widths) < len(cells)):
        cells = cells[:-1]
    return cells


def _is_quoted(report: Report, header: str, following: list[str], separator: str) -> bool:
    """Comma files are quoted. Tab files are not (a `"` is data there), save where every field of a line is quoted.

    A report that Amazon quotes was saved with tabs by a spreadsheet where just the cells are quoted that need it there.
    """
    if separator != "\t":
        return True
    wrapped = re.compile(r'^"[^\t]*"(?:\t"[^\t]*")*\s*$')
    if wrapped.match(header):
        return True
    if not report.quoted or not following:
        return False
    marked = [cell for line in following if '"' in line for cell in line.strip("\r\n").split("\t") if '"' in cell]
    return bool(wrapped.match(following[0])) or (bool(marked) and all(map(_is_as_a_spreadsheet_quotes, marked)))


def _is_as_a_spreadsheet_quotes(cell: str) -> bool:
    return re.fullmatch(r'"(?:[^"]|"")*"', cell) is not None and ("," in cell or '""' in cell[1:-1])


def _refuse_unusable(report: Report, cells: list[str], line: int, file: str) -> None:
    names = [normal(c) for c in cells]
    twice = sorted({c.strip() for c, n in zip(cells, names, strict=True) if n and names.count(n) > 1})
    if twice:
        raise ReportError(
            f"{report.title}: the header names a column more than once: {', '.join(twice)}",
            hoped="each column once",
            do="download the report again; do not edit it",
            file=file,
            line=line,
        )
    missing = [c.names[0] for c in report.columns if c.required and not {normal(n) for n in c.names} & set(names)]
    if missing:
        _refuse_lacking(report, missing, cells, line, file)


def _refuse_rows_above(report: Report, above: list[str], separator: str, width: int, line: int, file: str) -> None:
    """A preamble has a few cells a line; a full row there was moved above the header and would be lost."""
    for number, row in enumerate(above, 1):
        if row.count(separator) + 1 < width:
            continue
        cells = split_line(row, separator, quoted=True)
        if len(cells) == width and sum(1 for c in cells if c.strip()) >= min(4, width) and _FACT.search(row):
            raise ReportError(
                f"{report.title}: the header stands on line {line}, below a row of data on line {number}",
                hoped="the header above all rows",
                do="download the report again; do not sort it in a spreadsheet",
                file=file,
                line=number,
            )


def _refuse_lacking(report: Report, missing: list[str], cells: list[str], line: int, file: str) -> None:
    has = ", ".join(c.strip() for c in cells[:40])
    raise ReportError(
        f"looks like {report.title} but lacks {', '.join(missing)}. It has: {has[:600]}",
        hoped="the English column names that Amazon writes",
        do="was it opened and saved in a spreadsheet, or downloaded in another language? Download it again in English",
        file=file,
        line=line,
    )


def _is_view(names: set[str], cells: list[str]) -> bool:
    """The header of a Transaction View: by its words, or ten columns of which the last is `Total (EUR)`."""
    if any(kinds <= names and products & names for kinds, products in _VIEW):
        return True
    written = [c.strip() for c in cells if c.strip()]
    return len(written) == 10 and bool(_VIEW_TOTAL.match(written[-1]))


def _refuse_unknown(
    text: str,
    lines: list[str],
    seen: list[tuple[int, str, list[str]]],
    declared: list[tuple[Report, frozenset[str]]],
    file: str,
) -> None:
    """Raises a ReportError where the file is clearly from Amazon but no report that can be read."""
    start = text[:4096].lstrip("\ufeff \t\r\n").lower()
    if start.startswith("<"):
        if "settlementreport" in text.lower():
            raise ReportError(
                "is a settlement report in XML, which Amazon has withdrawn and which is not read",
                hoped="the settlement report as flat file V2",
                do="download 'Flat File V2' of the same settlement under Payments, All Statements",
                file=file,
            )
        return
    best: tuple[int, Report, frozenset[str], int, list[str]] | None = None
    for number, separator, cells in seen:
        names = {normal(c) for c in cells}
        if title := elsewhere.named(names):
            raise NotAReport(f"is {title}; no check needs it", file=file)
        if _is_view(names, cells):
            raise ReportError(
                "is a 'Transaction View' export, which is too coarse to check fees with",
                hoped="the date-range report of the same period",
                do="download it under Payments, Reports Repository, Transaction",
                file=file,
                line=number,
            )
        if {"orderid", "orderdate", "returnrequestdate"} <= names:
            raise ReportError(
                "is the returns report of seller-fulfilled orders, which holds no units at Amazon",
                hoped="the FBA customer returns report",
                do="download it under Reports, Fulfillment, Customer Concessions, FBA customer returns",
                file=file,
                line=number,
            )
        for report, signature in declared:
            hits = len(signature & names)
            if hits >= 3 and hits >= 0.6 * len(signature) and (best is None or hits > best[0]):
                best = (hits, report, signature, number, cells)
        ours = [known_names(report) & names for report, _ in declared]
        known = max(map(len, ours), default=0)
        facts = sum(1 for row in lines[number : number + 20] if _FACT.search(row) and separator in row)
        if best is None and known >= 2 and len(cells) >= 4 and facts:
            has = ", ".join(c.strip() for c in cells[:40])[:600]
            if elsewhere.is_english([c for c in cells if normal(c) not in set().union(*ours)]):
                raise NotAReport(
                    f"has not the columns of a report that a check needs, unless they were renamed. It has: {has}",
                    file=file,
                )
            raise ReportError(
                f"looks like a report of Amazon, but its columns are not known. It has: {has}",
                hoped="the English column names that Amazon writes",
                do="was it downloaded in another language or changed in a spreadsheet? Download it again in English",
                file=file,
                line=number,
            )
    if best is not None:
        _, report, signature, number, cells = best
        lacking = [s for s in report.signature if normal(s) not in {normal(c) for c in cells}]
        _refuse_lacking(report, lacking, cells, number, file)
