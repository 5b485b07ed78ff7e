"""Some columns of one large report straight from its file, for sums over millions of rows.

The same recognition, declarations and date shapes as the doorway, in one streaming pass that keeps nothing: no rejects, no
hashes, no overlaps. Cells are read as they stand; a report with a cell that is not plainly readable needs the doorway.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from recon_lib.errors import ReportError
from recon_lib.reports import FAMILIES, dates, typed
from recon_lib.reports.recognise import Header, recognise
from recon_lib.reports.text import HEAD

_FINE = pl.Decimal(38, 9)
_DTYPES: dict[str, pl.DataType | type[pl.DataType]] = {"int": pl.Int64, "money": _FINE, "fine": _FINE}
_SAMPLE = 400


def plain_rows(path: Path, family: str, columns: Sequence[str]) -> pl.LazyFrame:
    """Lazy rows of a UTF-8 file with the given declared columns: text (empty: null), whole numbers, money in whole
    ten-thousandths (null where finer), days as written. Collecting raises polars' error where a cell is not readable.

    Raises:
        ReportError: the file is no such report, or dates are not all of one plain shape.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    header = recognise(head[: head.rfind(b"\n") + 1].decode("utf-8-sig"), FAMILIES, path.name)
    if header.report.family != family:
        raise ReportError(f"is {header.report.title}", hoped=family, file=path.name)
    plans = {plan.column.target: plan for plan in typed.plans_for(header) if plan.header is not None}
    kinds = {f"c{plan.at}": _DTYPES[plan.column.kind] for plan in plans.values() if plan.column.kind in _DTYPES}
    raw = _scan(path, header, kinds)
    chosen = []
    for name in columns:
        plan, column = plans[name], pl.col(f"c{plans[name].at}")
        if plan.column.kind in ("money", "fine"):
            physical = column.to_physical().cast(pl.Int64)
            column = pl.when(physical % 100_000 == 0).then(physical // 100_000)
        elif plan.column.kind in ("day", "instant"):
            column = _day(raw, column, path)
        chosen.append(column.alias(name))
    return raw.select(chosen)


def _day(raw: pl.LazyFrame, column: pl.Expr, path: Path) -> pl.Expr:
    shape = raw.select(column).head(_SAMPLE).collect().to_series().drop_nulls().to_list()
    plan = dates.sniff(shape)
    if not plan.layout:
        raise ReportError("has dates of several shapes", hoped="one shape", do="read it by the doorway", file=path.name)
    if not plan.timed:
        return column.str.to_date(plan.layout, strict=True)  # each day that occurs is read once
    return dates.read(column, plan, strict=True)[1]


def _scan(path: Path, header: Header, kinds: dict[str, pl.DataType | type[pl.DataType]]) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        separator=header.separator,
        quote_char='"' if header.quoted else None,
        has_header=False,
        skip_lines=header.line,
        schema={f"c{i}": kinds.get(f"c{i}", pl.String()) for i in range(len(header.names))},
        glob=False,
    )
