"""A file as rows of text: `line` (physical line) and one text column for each header name, `c0`, `c1`, ...

The quick scan is polars' own CSV reader. It fills short rows with nulls, fails on long ones and counts rows, not
lines; so its result counts only where the byte counts prove that every row is one line of the right width. Any doubt
falls to the careful scan, which cuts record by record and sets ragged rows aside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from recon_lib.reports.recognise import Header, normal
from recon_lib.reports.records import records
from recon_lib.reports.store import REJECTS
from recon_lib.reports.text import CHUNK, ByteFacts, lines_of, split_line

_BATCH = 50_000
PLACES, PIECE = 24, 1 << 15
_BEGINNING = 1 << 20
_CUT = re.compile(r"^\s*-?(?:[0-9]+,[0-9]{2}|[1-9][0-9]{0,2},[0-9]{3}\.[0-9]+)\s*$")  # an amount that has a comma


def columns_of(header: Header) -> list[str]:
    return [f"c{i}" for i in range(len(header.names))]


def quick_scan(
    path: Path, header: Header, *, after: int = 0, kinds: Mapping[str, pl.DataType] | None = None
) -> pl.LazyFrame:
    """Lazy rows of a UTF-8 file; may raise a polars error when collected (then the careful scan is due).

    `after`: leave out the first lines below the header. `kinds`: columns that are not read as text.
    A long row raises only in a query that asks for all columns.
    """
    return pl.scan_csv(
        path,
        separator=header.separator,
        quote_char='"' if header.quoted else None,
        has_header=False,
        skip_lines=header.line + after,
        schema={**dict.fromkeys(columns_of(header), pl.String()), **(kinds or {})},
        row_index_name="line",
        row_index_offset=header.line + after + 1,
        glob=False,
    )


def first_rows(path: Path, header: Header, count: int) -> pl.DataFrame:
    """The first rows as the quick scan cuts them, without the work of starting it."""
    with path.open("rb") as file:
        text = file.read(_BEGINNING)
        text = text[: text.rfind(b"\n") + 1] if file.read(1) else text
    if not text or (header.quoted and text.count(b'"') % 2):  # the end may lie within a quoted cell
        return quick_scan(path, header).head(count).collect()
    return cut(text, header).head(count)


def cut(text: bytes, header: Header) -> pl.DataFrame:
    """All rows of a file, or of its beginning, that is held in memory."""
    return pl.read_csv(
        text,
        separator=header.separator,
        quote_char='"' if header.quoted else None,
        has_header=False,
        skip_lines=header.line,
        schema=dict.fromkeys(columns_of(header), pl.String),
        row_index_name="line",
        row_index_offset=header.line + 1,
        glob=False,
    )


def empty_columns(path: Path, header: Header, first: pl.DataFrame) -> frozenset[int]:
    """The columns of a large file that seem to hold nothing below its `first` rows: a guess, for the reader to prove."""
    if header.quoted or len(header.names) == 1:
        return frozenset()
    size, pieces = path.stat().st_size, list[bytes]()
    with path.open("rb") as file:
        for place in range(PLACES):
            file.seek(size * (2 * place + 1) // (2 * PLACES))
            file.readline()
            pieces += file.readlines(PIECE)
    text = b"".join(pieces)
    if b"\r" in text or not text.endswith(b"\n"):
        return frozenset()
    met = pl.read_csv(
        text, separator=header.separator, quote_char=None, has_header=False, truncate_ragged_lines=True, glob=False,
        schema=dict.fromkeys(columns_of(header), pl.String),
    )  # fmt: skip
    below = pl.concat([first.select(columns_of(header))[1:], met])
    return frozenset(at for at, name in enumerate(columns_of(header)) if below[name].null_count() == below.height)


def is_empty(header: Header) -> pl.Expr:
    """Whether a row has no text."""
    return pl.all_horizontal(pl.col(c).is_null() | (pl.col(c).str.strip_chars() == "") for c in columns_of(header))


def proves(
    path: Path, facts: ByteFacts, header: Header, head: str, rows: int, blank: int = 0, short: bool | None = None
) -> bool:
    """Whether the byte counts prove that each of `rows` rows is one physical line of the right width.

    `blank` rows have no text; they may be empty lines. `short`: whether some row has a null in its last column, where
    that is known. All columns were asked for, so no long row is possible: the quick scan raises on it.
    """
    if "\n" not in head and facts.returns:  # the header was found by carriage returns, the quick scan knows line feeds
        return False
    if facts.newlines + (1 if facts.ends_open else 0) - header.line != rows or facts.nul:
        return False
    if len(header.names) == 1:
        return True
    each, full = len(header.names) - 1, rows - blank
    skipped = sum(line.count(header.separator) for line in lines_of(head)[: header.line])
    separators = facts.separators - skipped
    if not (header.quoted and facts.quotes):
        return separators in (each * rows, each * full)
    # A quoted empty cell is read as empty, a missing one as null: no null in the last column, no short row.
    if short is None:
        last = quick_scan(path, header).select(pl.col(columns_of(header)[-1]).null_count())
        short = bool(last.collect(engine="streaming").item())
    if not short:
        return True
    counted, _ = _outside_quotes(path, header, head)
    return counted in (each * rows, each * full)


def is_line_by_line(path: Path, header: Header, head: str, rows: int, size: int) -> bool:
    """Whether in the first `size` bytes of a quoted file every quotation mark is closed on its line, and no row is short."""
    counted, across = _outside_quotes(path, header, head, size)
    return counted == (len(header.names) - 1) * rows and not across


def sound_rows(
    path: Path, facts: ByteFacts, header: Header, head: str, work: Path
) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """(rows with text, each with its line; rejects of those of another width), by the quick scan where it is proved."""
    try:
        raw = quick_scan(path, header)
        empty = is_empty(header)
        rows, blank = raw.select(pl.len(), empty.sum().alias("blank")).collect(engine="streaming").row(0)
        if proves(path, facts, header, head, rows, blank):
            return raw.filter(~empty), pl.DataFrame(schema=REJECTS)
    except PolarsError:
        pass
    return careful_scan(path, header, work)


def _outside_quotes(path: Path, header: Header, head: str, size: int | None = None) -> tuple[int | None, bool]:
    """(separators outside quotation marks below the header, None where the marks do not pair up; whether a line end is
    between marks) in the first `size` bytes."""
    import numpy as np

    left = path.stat().st_size if size is None else size
    inside, counted, across = 0, 0, False
    with path.open("rb") as file:
        while chunk := file.read(min(CHUNK, left)):
            left -= len(chunk)
            raw = np.frombuffer(chunk, np.uint8)
            parity = np.bitwise_xor.accumulate((raw == 34).view(np.uint8)) ^ inside
            counted += int(np.count_nonzero((raw == ord(header.separator)) & (parity == 0)))
            across = across or bool(((raw == 10) & (parity == 1)).any())
            inside = int(parity[-1])
    before = lines_of(head)[: header.line]
    skipped = sum(len(split_line(line, header.separator, quoted=True)) - 1 for line in before)
    return None if inside else counted - skipped, across


def careful_scan(path: Path, header: Header, work: Path) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """(rows of the right width, rejects of the others), record by record, held on disk in batches."""
    names, width = columns_of(header), len(header.names)
    named = max((at for at, name in enumerate(header.names, 1) if name.strip()), default=width)
    amounts = _amounts_of(header) if header.separator == "," else []
    schema: dict[str, pl.DataType] = {"line": pl.UInt32(), **dict.fromkeys(names, pl.String())}
    rows: list[list[object]] = []
    wrong: list[tuple[int, None, None, str]] = []
    parts: list[Path] = []

    def flush() -> None:
        target = work / f"careful-{len(parts):05}.parquet"
        pl.DataFrame(rows, schema=schema, orient="row").write_parquet(target)
        parts.append(target)
        rows.clear()

    for line, cells in records(path, header.separator, quoted=header.quoted, start=header.line):
        if isinstance(cells, str):
            wrong.append((line, None, None, cells))
            continue
        if len(cells) <= width or not _is_shifted(cells, amounts):
            while len(cells) > width and not cells[-1].strip():
                cells.pop()
        if not any(cell.strip() for cell in cells):
            continue
        if named <= len(cells) < width:  # only columns without a name are missing
            cells += [""] * (width - len(cells))
        if len(cells) != width:
            wrong.append((line, None, None, f"the row has {len(cells)} fields, the header {width}"))
            continue
        rows.append([line, *(cell or None for cell in cells)])
        if len(rows) >= _BATCH:
            flush()
    flush()
    return pl.scan_parquet(parts, glob=False), pl.DataFrame(wrong, schema=REJECTS, orient="row")


def _amounts_of(header: Header) -> list[int]:
    """The places of the columns of money. A measure's unit stands behind it, where a shifted number would be no unit."""
    kinds = {normal(name): column.kind for column in header.report.columns for name in column.names}
    return [at for at, name in enumerate(header.names) if kinds.get(normal(name)) in ("money", "fine")]


def _is_shifted(cells: list[str], amounts: list[int]) -> bool:
    """Whether the comma of an amount without quotation marks (`4,10`, `1,052.64`) seems to cut it, so that cells move on."""
    return any(_CUT.match(f"{cells[at]},{cells[at + 1]}") for at in amounts)
