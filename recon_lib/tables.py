"""A frame in, a table for people out: static HTML in which every cell went through one escaping helper.

The tables need no script. The packet's own small script makes those of class `data` sortable and filterable by the
`data-v` values. Money is written from Decimal with the minor digits of its currency and the currency's code beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import polars as pl

from recon_lib.words import count, head, money, monies, number, text

Kind = Literal["text", "code", "money", "number", "day", "flag", "tick", "long", "hash", "evidence"]
# Marks beside a name; in a column of the kind "tick" the cell has its own.
TICK = '<span class="tick" role="img" aria-label="ties">✓</span>'
CROSS = '<span class="cross" role="img" aria-label="does not tie">✗</span>'
ROWS = 500  # rows of one table on the page; the rest is in the data files beside it


class Html(str):
    """Text that is HTML already; notebooks show it as such."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Column:
    """One column of a table. `currency` names the column that holds the currency of a money column."""

    name: str
    title: str
    kind: Kind = "text"
    currency: str = "currency"


def _cell(value: Any, column: Column, currency: str | None) -> str:
    if value is None:
        # The sort script puts empty cells last.
        return f'<td class="{column.kind}"></td>'
    if column.kind == "money" and isinstance(value, Decimal):
        return f'<td class="money" data-v="{value}">{text(money(value, currency))}</td>'
    if column.kind == "number":
        return f'<td class="number" data-v="{value}">{text(number(value))}</td>'
    if column.kind == "flag":
        word = "yes" if value else "no"
        return f'<td class="flag">{word}</td>'
    if column.kind == "tick":
        mark, said = ("✓", "yes") if value else ("✗", "no")
        kind = "tick" if value else "cross"
        return f'<td class="tick"><span class="{kind}" role="img" aria-label="{said}">{mark}</span></td>'
    if column.kind == "evidence":
        return f'<td class="evidence"><details><summary>show</summary>{text(value)}</details></td>'
    shown = value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else str(value)
    if column.kind == "day" and isinstance(value, date):
        return f'<td class="day"><time>{text(shown)}</time></td>'
    if column.kind == "text" and column.name == "status":
        return f'<td class="text"><span class="status {text(shown)}">{text(shown)}</span></td>'
    return f'<td class="{column.kind}">{text(shown)}</td>'


def table(
    frame: pl.DataFrame,
    columns: Sequence[Column],
    *,
    id: str,
    caption: str,
    empty: str = "None.",
    rows: int = ROWS,
    rest: str = "findings.csv",
    totals: Iterable[str] = (),
    data: bool = True,
) -> Html:
    """`frame` as a table, in the frame's order, at most `rows` rows; what is left out is said, with the file it is in.

    `totals` names money columns summed by currency over all rows of the frame, also those not shown.
    """
    if frame.is_empty():
        return Html(f'<p class="none" id="{text(id)}"><b>{text(caption)}</b> {text(empty)}</p>')
    head = "".join(f'<th scope="col" class="{c.kind}">{text(c.title)}</th>' for c in columns)
    body = []
    for row in frame.head(rows).iter_rows(named=True):
        cells = "".join(_cell(row.get(c.name), c, row.get(c.currency)) for c in columns)
        body.append(f"<tr>{cells}</tr>")
    left = frame.height - min(frame.height, rows)
    note = f" The first {rows:,} of {frame.height:,} rows; all of them are in {rest}." if left else ""
    label = f'<caption>{text(caption)}<span class="note">{text(note)}</span></caption>'
    kind = ' class="data"' if data and frame.height > 1 else ""
    foot = _foot(frame, columns, set(totals), whole=not left)
    return Html(
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}">'
        f'<table id="{text(id)}"{kind}>{label}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody>{foot}</table></div>"
    )


def _foot(frame: pl.DataFrame, columns: Sequence[Column], names: set[str], *, whole: bool) -> str:
    """A row of totals a currency. It says so where it adds up more rows than are shown, or rows without an amount."""
    if not names:
        return ""
    rows = []
    by = next(c.currency for c in columns if c.name in names)
    known = frame[by].drop_nulls().unique().sort().to_list()
    parts: list[tuple[str | None, pl.DataFrame]] = [(c, frame.filter(pl.col(by) == c)) for c in known]
    one = next(iter(names)) if len(names) == 1 else None
    bare = frame.filter(pl.col(by).is_null() & pl.col(one).is_null()) if one and known else frame.clear()
    if bare.height:  # an unknown value has no currency either
        parts = [(known[0], pl.concat([parts[0][1], bare]))] if len(known) == 1 else [*parts, (None, bare)]
    for currency, part in parts:
        label = "Total" if whole else f"Total of all {count(part.height, 'row')}"
        without = f"{part[one].null_count():,} without an amount" if one and part[one].null_count() else ""
        label = ", ".join(filter(None, [label, without])) if currency else f"In no total: {without}"
        at = next(i for i, c in enumerate(columns) if c.name in names)
        cells = [f'<th scope="row" colspan="{at}">{text(label)}</th>'] if at else []
        for c in columns[at:]:
            if c.name in names:
                total = part[c.name].drop_nulls()
                shown = money(total.to_frame().sum().item(), currency) if len(total) else "no amount"
                cells.append(f'<td class="money">{text(shown)}</td>')
            else:
                cells.append("<td></td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<tfoot>{''.join(rows)}</tfoot>"


__all__ = [
    "ROWS",
    "Column",
    "Html",
    "Kind",
    "count",
    "head",
    "money",
    "monies",
    "number",
    "table",
    "text",
]
