"""Which typed cells and rows are wrong, and the reason that a reject is given."""

from __future__ import annotations

from collections.abc import Mapping

import dataframely as dy
import polars as pl

from recon_lib.reports import cells, dates
from recon_lib.reports.typed import Marks, Plan, names_of, value_column

_NO_MOMENT = "is no date and time with a time zone that can be read"


def failures(plans: list[Plan], marks: Marks) -> list[tuple[pl.Expr, str, pl.Expr, str]]:
    """(cell is wrong, header name, its text, reason) for each column that can fail."""
    out = []
    for plan in plans:
        if plan.header is None or plan.column.kind == "text":
            continue
        text = pl.col(plan.text)
        wrong = text.is_not_null() & pl.col(value_column(plan)).is_null()
        if plan.column.kind in cells.NUMBERS:
            wrong, reason = (
                wrong & ~cells.is_missing(text),
                cells.number_reason(plan.column.kind, marks.get(plan.column.target)),
            )
        elif plan.column.kind == "moment":
            reason = _NO_MOMENT
        else:
            reason = "is no date that can be read"
        out.append((wrong, plan.header, text, reason))
    return out


def rules(frame: type[dy.Schema], given: Mapping[str, str]) -> list[tuple[pl.Expr, str | None, str]]:
    """(row is wrong, column, reason) from the frame: what must not be null, and its own rules."""
    must = filled(frame)
    # a day is told, but no instant: the hour or its zone is missing
    days = [(name, f"{name[:-3]}_on") for name in must if name.endswith("_at") and f"{name[:-3]}_on" in frame.columns()]
    hourless = [(pl.col(at).is_null() & pl.col(on).is_not_null(), given.get(at, at), _NO_MOMENT) for at, on in days]
    empty = [(pl.col(name).is_null(), given.get(name, name), "is empty") for name in must]
    return [*hourless, *empty, *((wrong, None, reason) for wrong, reason in laws(frame))]


def filled(frame: type[dy.Schema]) -> list[str]:
    """The columns that must not be null."""
    return [name for name, column in frame.columns().items() if name != "file" and not column.nullable]


def laws(frame: type[dy.Schema]) -> list[tuple[pl.Expr, str]]:
    """(row is wrong, reason) by the frame's own rules."""
    out = []
    for name, rule in frame._validation_rules(with_cast=False).items():
        if not name.endswith("|nullability"):
            reason = name.replace("|", " ").replace("_", " ")
            out.append((~rule.expr.fill_null(True), f"breaks the rule: {reason}"))
    return out


def days(frame: type[dy.Schema]) -> list[str]:
    """The columns of days and instants."""
    dtypes = {name: column.dtype for name, column in frame.columns().items() if name != "file"}
    return [name for name, dtype in dtypes.items() if dtype == pl.Date or dtype == pl.Datetime("us", "UTC")]


def impossible_days(frame: type[dy.Schema]) -> list[tuple[pl.Expr, str | None, str]]:
    """(row is wrong, column, reason) for days out of the years that reports speak of."""
    return [(~dates.in_range(pl.col(name).cast(pl.Date)), name, "is no day of a report") for name in days(frame)]


def given_names(plans: list[Plan]) -> dict[str, str]:
    """Frame column -> the header name it was read from."""
    names: dict[str, str] = {}
    for plan in plans:
        header = plan.header or plan.column.names[0]
        names |= dict.fromkeys(names_of(plan), header)
    return names
