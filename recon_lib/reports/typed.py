"""Rows of text into typed rows: one expression a column, built from the family's declaration and what the file shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import polars as pl

from recon_lib.reports import cells, dates
from recon_lib.reports.base import Column, Report
from recon_lib.reports.recognise import Header, normal

TEXT = "text:"
_DATES = ("day", "instant", "moment")
_AMOUNTS = ("money", "fine", "measure")
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


def sniff(sample: pl.DataFrame, plans: list[Plan], *, month_first: bool) -> list[Plan]:
    """Puts the date shapes on that the sample shows."""
    return with_dates(plans, lambda plan: sample[plan.text].drop_nulls().to_list(), month_first=month_first)


def with_dates(plans: list[Plan], words: Callable[[Plan], list[str]], *, month_first: bool) -> list[Plan]:
    """The same from the first cells of each date column."""
    return [
        replace(plan, date=dates.sniff(words(plan), month_first=month_first)) if plan.column.kind in _DATES else plan
        for plan in plans
    ]


def order_of_day_and_month(rows: pl.LazyFrame, plans: list[Plan], *, default: bool) -> tuple[bool, str]:
    """Whether `09/06/25` is month first, by the cells that can be only one, else by another date of the same row."""
    slashed = [p for p in plans if p.date is not None and p.date.slashed]
    if not slashed:
        return default, ""
    evidence = {p.text: dates.order_evidence(pl.col(p.text)) for p in slashed}
    counts = rows.select(
        pl.sum_horizontal(e[0] for e in evidence.values()).alias("month"),
        pl.sum_horizontal(e[1] for e in evidence.values()).alias("day"),
    ).collect()
    month, day = counts.row(0)
    if month or day:
        said = f"{month} dates can only be month/day, {day} only day/month" if month and day else ""
        return month >= day, said
    sure = [p for p in plans if p.date is not None and not p.date.slashed and p.header is not None]
    if sure:
        near = []
        for first in (True, False):
            _, on = dates.read(pl.col(slashed[0].text), dates.DatePlan(month_first=first))
            known = (dates.read(pl.col(p.text), dates.rich(p.date or dates.DatePlan()))[1] for p in sure)
            near.append(pl.sum_horizontal(((on - day).dt.total_days().abs() <= 1).sum() for day in known))
        a, b = rows.select(near[0].alias("a"), near[1].alias("b")).collect().row(0)
        if a != b:
            return bool(a > b), ""
    return (
        default,
        f"no date shows whether the day or the month comes first; read as {'month/day' if default else 'day/month'}",
    )


def decimal_marks(rows: pl.LazyFrame, plans: list[Plan], language: str | None) -> tuple[Marks, str]:
    """The decimal mark of each amount column (target -> mark), and what to say about them.

    A column follows its own cells; where they show no mark or both, the columns of its kind, then the file, then the
    language. Amazon writes prices as the store does, and sizes beside them with a point.
    """
    amounts = [p for p in plans if p.column.kind in _AMOUNTS and p.header is not None]
    if not amounts:
        return {}, ""
    evidence = [cells.mark_evidence(pl.col(p.text)) for p in amounts]
    both = [
        count.alias(f"{i}{side}") for i, pair in enumerate(evidence) for side, count in zip("pc", pair, strict=True)
    ]
    counts = rows.select(both).collect().row(0)
    seen = {p.column.target: (counts[2 * i], counts[2 * i + 1]) for i, p in enumerate(amounts)}
    file = sum(p for p, _ in seen.values()), sum(c for _, c in seen.values())
    marks: Marks = {}
    for plan in amounts:
        own = seen[plan.column.target]
        like = [
            seen[p.column.target] for p in amounts if (p.column.kind == "measure") == (plan.column.kind == "measure")
        ]
        kind = sum(p for p, _ in like), sum(c for _, c in like)
        shown = next((e for e in (own, kind) if bool(e[0]) != bool(e[1])), file)
        marks[plan.column.target] = cells.decide_mark(*shown, language)[0]
    if any(p and c for p, c in seen.values()):
        return marks, cells.decide_mark(*file, language)[1]
    names = {side: ", ".join(str(p.header) for p in amounts if seen[p.column.target][side]) for side in (0, 1)}
    return marks, f"decimal point in {names[0]}, decimal comma in {names[1]}" if names[0] and names[1] else ""


def numbers_to_judge(rows: pl.LazyFrame, plans: list[Plan], marks: Marks) -> frozenset[str]:
    """The number columns with a cell that is not plainly written in the column's decimal mark."""
    numbers = [p for p in plans if p.header is not None and p.column.kind in cells.NUMBERS]
    if not numbers:
        return frozenset()
    plain = {p.column.target: _is_plain(p, marks.get(p.column.target)) for p in numbers}
    met = rows.select((~is_plain).any().alias(name) for name, is_plain in plain.items()).collect(engine="streaming")
    return frozenset(name for name in met.columns if met[name].item())


def _is_plain(plan: Plan, mark: str | None) -> pl.Expr:
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
        quick = pl.when(_is_plain(plan, mark)).then(text).cast(plan.dtype, strict=False)
        if not rich:
            return {target: quick}
        full = cells.rich_number(text, kind, plan.dtype, mark)
        return {target: pl.when(_is_plain(plan, mark)).then(quick).otherwise(full)}
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


def rich_where_needed(rows: pl.LazyFrame, plans: list[Plan]) -> list[Plan]:
    """The plans, date columns read cell by cell where the quick way leaves a cell unread."""
    quick = [p for p in plans if p.header is not None and p.date is not None and p.date.layout]
    if not quick:
        return plans
    read = {p.column.target: dates.read(pl.col(p.text), p.date or dates.DatePlan())[1] for p in quick}
    unread = rows.select(
        (read[p.column.target].is_null() & pl.col(p.text).is_not_null()).any().alias(p.column.target) for p in quick
    ).collect(engine="streaming")
    out = []
    for plan in plans:
        name = plan.column.target
        if plan.date is not None and name in unread.columns and unread[name].item():
            plan = replace(plan, date=dates.rich(plan.date))
        out.append(plan)
    return out


def month_first_default(report: Report, marketplace: str | None) -> bool:
    """Flat files write MM/DD; a header in another language, or a store outside North America for a date range, DD/MM."""
    if report.language is None:
        return True
    language = report.language.lower()
    return language == "en" and (marketplace or "US").upper() in ("US", "CA", "PH")
