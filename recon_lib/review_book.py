"""Tables that stand on the page and in a workbook alike: a `Sheet` says once what its columns are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from recon_lib.claims_book import heighten, lines
from recon_lib.money import minor_digits
from recon_lib.tables import Column, Html, table

WIDTHS = {"long": 44, "code": 24, "money": 14, "number": 11, "day": 12, "tick": 7, "flag": 7}
WIDEST = 60  # longer texts are wrapped
NAME = "review.xlsx"


@dataclass(frozen=True)
class Sheet:
    """One table: `name` of the worksheet (at most 31 letters) and id on the page, rows in their order, columns in words."""

    id: str
    name: str
    caption: str
    frame: pl.DataFrame
    columns: tuple[Column, ...]
    empty: str = "None."
    totals: tuple[str, ...] = ()
    rows: int = 200
    data: bool = True

    def html(self) -> Html:
        """The table on the page; rows beyond `rows` are in the workbook."""
        return table(self.frame, self.columns, id=self.id, caption=self.caption, empty=self.empty, rows=self.rows,
                     rest=NAME, totals=self.totals, data=self.data)  # fmt: skip

    def _repr_html_(self) -> str:
        return str(self.html())


def specs(told: str) -> tuple[Column, ...]:
    """Columns from `name | Title | kind; ...`; the kind is text where it is left out."""
    return tuple(Column(*(part.strip() for part in one.split("|"))) for one in told.split(";"))  # type: ignore[arg-type]


def write_book(sheets: Sequence[Sheet], path: Path, title: str) -> None:
    """Writes one worksheet a sheet, all rows, amounts as numbers beside their currency; the same bytes for the same rows."""
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"title": title, "created": datetime(2000, 1, 1)})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    formats: dict[Any, Any] = {n: book.add_format({"num_format": _pattern(n), "valign": "top"}) for n in (0, 2, 3)}
    formats |= {
        "day": book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"}),
        "number": book.add_format({"valign": "top"}),
        "text": book.add_format({"valign": "top", "text_wrap": True}),
    }
    for one in sheets:
        _write(book.add_worksheet(one.name), one, head, formats)
    book.close()


def _pattern(digits: int) -> str:
    number = "#,##0" + ("." + "0" * digits if digits else "")
    return f"{number};[Red]-{number}"


def _write(sheet: Any, one: Sheet, head: Any, formats: dict[Any, Any]) -> None:
    columns = []
    for column in one.columns:
        columns.append(column)
        shown = {c.name for c in one.columns} | {c.name for c in columns}
        if column.kind == "money" and column.currency not in shown:
            columns.append(Column(column.currency, "Currency"))
    widths = [_width(one.frame, column) for column in columns]
    for at, (column, width) in enumerate(zip(columns, widths, strict=True)):
        sheet.write_string(0, at, column.title, head)
        sheet.set_column(at, at, width)
    heighten(sheet, 0, max(lines(column.title, width) for column, width in zip(columns, widths, strict=True)))
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)  # all columns on one page, however many pages the rows need
    sheet.repeat_rows(0)
    if one.frame.is_empty():
        sheet.write_string(1, 0, one.empty, formats["number"])  # not wrapped: it may reach over the empty cells
        return
    sheet.autofilter(0, 0, one.frame.height, len(columns) - 1)
    for line, row in enumerate(one.frame.iter_rows(named=True), start=1):
        values = [row.get(column.name) for column in columns]
        texts = ((told, width) for told, width in zip(values, widths, strict=True) if isinstance(told, str))
        heighten(sheet, line, max((lines(told, width) for told, width in texts), default=1))
        for at, column in enumerate(columns):
            _cell(sheet, line, at, values[at], row.get(column.currency), formats)


def _width(frame: pl.DataFrame, column: Column) -> int:
    """Letters of a column: those usual for its kind; of texts the longest one's, as far as paper allows."""
    usual = WIDTHS.get(column.kind, 9 if column.title == "Currency" else 20)
    if frame.schema.get(column.name) != pl.String or column.title == "Currency":
        return usual
    longest: int = frame[column.name].str.len_chars().max() or 0  # type: ignore[assignment]
    return max(usual, min(longest + 1, WIDEST))


def _cell(sheet: Any, line: int, at: int, value: Any, currency: str | None, formats: dict[Any, Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_string(line, at, "yes" if value else "no", formats["text"])
    elif isinstance(value, Decimal):
        sheet.write_number(line, at, value, formats[minor_digits(currency)])
    elif isinstance(value, int | float):
        sheet.write_number(line, at, value, formats["number"])
    elif isinstance(value, date):
        sheet.write_datetime(line, at, value, formats["day"])
    else:
        sheet.write_string(line, at, str(value)[:32_767], formats["text"])
