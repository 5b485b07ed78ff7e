"""How a file writes its days and amounts, by what its own cells show; what they leave open follows language and store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from recon_lib.reports import cells, dates
from recon_lib.reports.base import Report
from recon_lib.reports.typed import Marks, Plan, is_plain

_DATES = ("day", "instant", "moment")
_AMOUNTS = ("money", "fine", "measure")


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
    plain = {p.column.target: is_plain(p, marks.get(p.column.target)) for p in numbers}
    met = rows.select((~shape).any().alias(name) for name, shape in plain.items()).collect(engine="streaming")
    return frozenset(name for name in met.columns if met[name].item())


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
