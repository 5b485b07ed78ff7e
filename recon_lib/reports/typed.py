"""Rows of text into typed rows: one expression a column, built from the family's declaration and what the file shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from recon_lib.reports import cells, dates
from recon_lib.reports.base import Column, Report
from recon_lib.reports.recognise import Header, normal

TEXT = "text:"
Marks = dict[str, str | None]
"""Target of an amount column -> its decimal mark."""


@dataclass(frozen=True)
class Plan:
    """How one declared column is read from this file. `header` is None where the file lacks it."""

    column: Column
    header: str | None
    at: int
    dtype: pl.DataType
    date: dates.DatePlan | None = None

    @property
    def text(self) -> str:
        return TEXT + self.column.target


def plans_for(header: Header) -> list[Plan]:
    """One plan for each declared column, before anything is sniffed; buyers' columns are never among them."""
    return list(_plans_for(header.report, header.names))


@lru_cache(maxsize=256)
def _plans_for(report: Report, names: tuple[str, ...]) -> tuple[Plan, ...]:
    frame = report.frame.columns()
    private = {normal(name) for name in report.private}
    positions = {normal(name): i for i, name in reversed(list(enumerate(names)))}
    plans = []
    for column in report.columns:
        found = next((n for n in map(normal, column.names) if n in positions and n not in private), None)
        declared = frame[column.target].dtype if column.target in frame else None
        dtype = declared if declared is not None else pl.String()
        if column.kind in cells.NUMBERS:
            dtype = cells.number_dtype(column.kind, declared)
        at = positions[found] if found else -1
        plans.append(Plan(column, names[at].strip() if found else None, at, dtype))
    return tuple(plans)


def unknown_names(header: Header, plans: list[Plan]) -> list[str]:
    """Header names that nothing reads, without the buyers'."""
    known = {plan.at for plan in plans}
    private = {normal(name) for name in header.report.private}
    return [
        name.strip()
        for i, name in enumerate(header.names)
        if i not in known and name.strip() and normal(name) not in private
    ]


def texts(raw: pl.LazyFrame, plans: list[Plan], *, trim: bool = True, empties: bool = True) -> pl.LazyFrame:
    """`line` and the wanted columns as trimmed text, null where empty, named `text:<target>`."""
    return raw.select(text_columns(tuple(plans), trim=trim, empties=empties))


@lru_cache(maxsize=256)
def text_columns(plans: tuple[Plan, ...], *, trim: bool, empties: bool) -> list[pl.Expr]:
    """The expressions of `texts`."""
    return [
        pl.col("line").cast(pl.UInt32),
        *(
            (
                cells.clean_text(pl.col(f"c{p.at}"), trim=trim, empties=empties)
                if p.header is not None
                else pl.lit(None, dtype=p.dtype if p.column.kind == "text" else pl.String())
            ).alias(p.text)
            for p in plans
        ),
    ]


def is_plain(plan: Plan, mark: str | None) -> pl.Expr:
    """Is the cell of a number column plainly written in the column's decimal mark?"""
    text = pl.col(plan.text)
    plain = cells.plain_shape(text, plan.column.kind)
    # A plain `1.5` is right only where the point is the decimal mark.
    return plain if mark == "." or plan.column.kind == "int" else plain & ~text.str.contains(".", literal=True)


@lru_cache(maxsize=4096)
def typed_columns(plan: Plan, *, mark: str | None, plain: bool, rich: bool = False) -> dict[str, pl.Expr]:
    """Target column -> expression over the text column; `rich`: a number column that is read cell by cell."""
    text, target, kind = pl.col(plan.text), plan.column.target, plan.column.kind
    if kind == "text":
        return {target: text}
    if kind in cells.NUMBERS:
        if plain:
            return {target: cells.plain_number(text, kind, plan.dtype)}
        quick = pl.when(is_plain(plan, mark)).then(text).cast(plan.dtype, strict=False)
        if not rich:
            return {target: quick}
        full = cells.rich_number(text, kind, plan.dtype, mark)
        return {target: pl.when(is_plain(plan, mark)).then(quick).otherwise(full)}
    if _by_parts(plan):
        at, on = dates.read_parts(pl.col(f"{TEXT}{target}:parts"))
    else:
        at, on = dates.read(text, plan.date or dates.DatePlan(), strict=plain)
    return dict(zip(names_of(plan), (at, on) if kind == "instant" else (on if kind == "day" else at,), strict=True))


def names_of(plan: Plan) -> tuple[str, ...]:
    """The typed columns of a plan."""
    target = plan.column.target
    return (f"{target}_at", f"{target}_on") if plan.column.kind == "instant" else (target,)


def _by_parts(plan: Plan) -> bool:
    """Is it a date column that is read cell by cell, by way of a column of its parts?"""
    return plan.header is not None and plan.date is not None and not plan.date.layout


@lru_cache(maxsize=256)
def parts(plans: tuple[Plan, ...]) -> list[pl.Expr]:
    """The columns of date parts that the typed columns are taken from."""
    return [
        dates.parts(pl.col(p.text), p.date).alias(f"{p.text}:parts")
        for p in plans
        if p.date is not None and _by_parts(p)
    ]


def typed(
    rows: pl.LazyFrame,
    plans: list[Plan],
    *,
    marks: Marks | None = None,
    plain: bool,
    rich: frozenset[str] = frozenset(),
) -> pl.LazyFrame:
    """The rows with their typed columns beside the text columns."""
    if dated := parts(tuple(plans)):
        rows = rows.with_columns(dated)
    rows = rows.with_columns(
        expr.alias(name)
        for plan in plans
        for name, expr in typed_columns(
            plan, mark=(marks or {}).get(plan.column.target), plain=plain, rich=plan.column.target in rich
        ).items()
    )
    return rows.drop(f"{p.text}:parts" for p in plans if _by_parts(p)) if dated else rows


def value_column(plan: Plan) -> str:
    """The typed column that is null exactly where the cell could not be read."""
    return f"{plan.column.target}_on" if plan.column.kind == "instant" else plan.column.target


def unsure(plans: list[Plan]) -> list[pl.Expr]:
    """Counts that must be 0: cells that a plan without strictness left unread.

    Those are the rich way of dates, moments, and a date column with several endings: a strict reading within `when` is
    made only of the cells that it is wanted for, so a cell with none of the endings raises nothing.
    """
    checks = []
    for plan in plans:
        date = plan.date if plan.header is not None else None
        if date is not None and (not date.layout or len(date.endings) > 1 or plan.column.kind == "moment"):
            unread = pl.col(value_column(plan)).null_count() - pl.col(plan.text).null_count()
            checks.append(unread.alias(plan.column.target))
    return checks
