"""The charts of the monthly review. Floats are allowed here; every title is a question, `layout.meta.alt` its answer."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import polars as pl

from recon_lib.charts import COLOURS, Chart, figure, plain
from recon_lib.money import minor_digits
from recon_lib.tables import money
from recon_lib.titles import reason_of

FLOWS = (("found", "found (by event)"), ("approved", "approved"), ("paid", "paid"), ("expired", "ran out unclaimed"))
NAME = 24  # letters of a name beside its bar: on a phone longer ones leave no room for bars


def months(by_month: pl.DataFrame, currency: str) -> Chart:
    """What happened, was approved, paid and ran out, month by month. `by_month`: `month.by_month`."""
    mine = by_month.filter(currency=currency).sort("month")
    axis = [day.strftime("%Y-%m") for day in mine["month"]]
    traces = [
        {"type": "bar", "x": axis, "y": mine[name].cast(pl.Float64).to_list(), "name": said, "hovertemplate": _hover(currency),
         "marker": {"color": COLOURS[i], "pattern": {"shape": "/" if name == "expired" else ""}}}
        for i, (name, said) in enumerate(FLOWS)
    ]  # fmt: skip
    alt = "Bar chart without bars: nothing was found yet."
    if axis:
        last = mine.row(-1, named=True)
        told = ", ".join(f"{money(last[name], currency)} {said}" for name, said in FLOWS)
        alt = f"Bar chart: {axis[0]} to {axis[-1]}; in {axis[-1]}: {told}. The table beside it has the numbers."
    return figure(
        traces, f"How does the month compare? ({plain(currency)})", alt, barmode="group",
        yaxis={"title": {"text": plain(currency)}, "rangemode": "tozero", "tickformat": ",.0f"}, xaxis={"type": "category"},
    )  # fmt: skip


def funnel(stages: pl.DataFrame, names: dict[str, str], currency: str) -> Chart:
    """How far the money of the month's events and of all came. `stages`: `month.funnel`, `names`: stage -> words."""
    mine = stages.filter(currency=currency).sort("rank")
    short = [plain(names[stage].split(" (")[0].split(",")[0]) for stage in mine["stage"]]
    traces = [
        {"type": "bar", "x": short, "y": mine[column].cast(pl.Float64).to_list(), "name": said,
         "hovertemplate": _hover(currency), "marker": {"color": colour}}
        for column, said, colour in (("money", "events of this month", COLOURS[0]),
                                     ("money_all", "events of all months", COLOURS[1]))
    ]  # fmt: skip
    alt = "Bar chart without bars: nothing was found yet."
    if mine.height:
        top, end = mine.row(0, named=True), mine.row(-1, named=True)
        alt = (
            f"Bar chart: of {money(top['money'], currency)} found in this month's events {money(end['money'], currency)} is at "
            f"the bank; of all months {money(end['money_all'], currency)} of {money(top['money_all'], currency)}. "
            "The table beside it has the numbers."
        )
    return figure(
        traces, f"How far did the money come? ({plain(currency)})", alt, barmode="group",
        yaxis={"title": {"text": plain(currency)}, "rangemode": "tozero", "tickformat": ",.0f"}, xaxis={"type": "category"},
    )  # fmt: skip


def delays(reasons: pl.DataFrame, yardstick: int) -> Chart:
    """Median and ninth tenth of the days to the approval, by reason. `reasons`: `month.delays_by_reason`."""
    axis = ["<br>".join(map(plain, wrap(reason_of(audit), NAME))) for audit in reasons["audit"]]
    traces = [
        {"type": "bar", "y": axis, "x": reasons[column].to_list(), "name": said, "orientation": "h",
         "marker": {"color": colour}, "hovertemplate": "%{y}<br>%{fullData.name}: %{x} days<extra></extra>"}
        for column, said, colour in (("median_days", "median", COLOURS[0]), ("p90_days", "9 of 10 within", COLOURS[1]))
    ]  # fmt: skip
    alt = "Bar chart without bars: nothing was approved in this month."
    if axis:
        slow = reasons.sort("median_days", "audit", descending=[True, False]).row(0, named=True)
        alt = (
            f"Bar chart: {reasons['paid'].sum():,} approvals by reason, the slowest in the median is "
            f"“{reason_of(slow['audit'])}” with {slow['median_days']:g} days; "
            f"{reasons['over'].sum():,} took longer than {yardstick} days. "
            "The table beside it has the numbers."
        )
    return figure(
        traces, "How long does Amazon take?", alt, barmode="group",
        xaxis={"title": {"text": f"days to the approval<br>({yardstick} days: dashed)"}, "rangemode": "tozero"},
        yaxis={"type": "category", "autorange": "reversed", "automargin": True},
        shapes=[{"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": yardstick, "x1": yardstick,
                 "line": {"dash": "dash", "width": 2, "color": "#888888"}}],
        legend={"y": -0.36},
    )  # fmt: skip


def _hover(currency: str) -> Any:
    return f"%{{x}}<br>%{{fullData.name}}: %{{y:,.{minor_digits(currency)}f}} {plain(currency)}<extra></extra>"
