"""A trend frame in, a plotly figure out. A chart asks a question as its title and answers it in `layout.meta.alt`.

A packet shows its charts as plain data: to load plotly takes longer than to make them. Floats are allowed here and
nowhere else. Text from files goes through `plain`: plotly reads `<b>` or `<a href>` in a label as markup, so markup
characters are handed over as entities.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import date, timedelta
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from recon_lib.titles import title_of
from recon_lib.trends import delays_by_month

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Without these plotly shows a button that uploads the data.
CONFIG: Mapping[str, Any] = {
    "responsive": True,
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
}
PLOTLY = "application/vnd.plotly.v1+json"
NO_TEMPLATE: Mapping[str, Any] = {"data": {"scatter": [{"type": "scatter"}]}}  # what plotly makes of template="none"

# Told apart in print, by people who do not see all colours, on white and on black (contrast of at least 3 to both).
COLOURS = ("#3f7fbf", "#c4683a", "#4f8f5b", "#9a6fb8", "#8a7a2f", "#c05780", "#4c8f97", "#7c7c7c")
OTHERS = "all_other_audits"
TICKS = 8  # counts up to this get a tick each; so many weeks are named (fewer on a phone: page.js)


def plain(value: object) -> str:
    """`value` for a label, tooltip or category of a chart: shown letter by letter, never as markup."""
    return escape(str(value), quote=False).replace("$", "&#36;")  # $...$ would be read as a formula


class Chart:
    """One chart: its data as plotly writes it, `to_dict()`; everything else is asked of the plotly Figure made of them."""

    def __init__(self, data: list[dict[str, Any]], layout: dict[str, Any]) -> None:
        self._told = {"data": data, "layout": layout}

    @cached_property
    def figure(self) -> go.Figure:
        import plotly.graph_objects as go
        import plotly.io as pio

        pio.renderers["plotly_mimetype"].config = dict(CONFIG)
        pio.renderers.default = "plotly_mimetype"
        return go.Figure(deepcopy(self._told))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # notebooks ask every object for many of these
            raise AttributeError(name)
        return getattr(self.figure, name)

    def to_dict(self) -> dict[str, Any]:
        made: dict[str, Any] = self.figure.to_dict() if "figure" in self.__dict__ else deepcopy(self._told)
        return made

    def bundle(self) -> dict[str, Any]:
        """What a notebook shows of it."""
        return {PLOTLY: {**self.to_dict(), "config": dict(CONFIG)}}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.bundle()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.bundle(), raw=True)  # type: ignore[no-untyped-call]


def figure(traces: list[dict[str, Any]], title: str, alt: str, **layout: Any) -> Chart:
    """A chart in the packet's look; `alt` answers the question of the title for who does not see it."""
    look = {
        "title": {"text": title, "x": 0, "xref": "container", "font": {"size": 16}},
        "meta": {"alt": alt},
        "height": 380,
        "margin": {"l": 56, "r": 12, "t": 48, "b": 96},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0},
        "template": NO_TEMPLATE,
    }
    if not any(trace["x"] and trace["y"] for trace in traces):
        layout = _without_bars(alt)
    for name, value in layout.items():
        known = look.get(name)
        look[name] = {**known, **value} if isinstance(known, dict) else value
    return Chart(traces, look)


def _without_bars(alt: str) -> dict[str, Any]:
    """Words in place of axes that plotly would make up (from 0 to 4, or the year 2000)."""
    said = alt.removeprefix("Bar chart without bars: ")
    note = {"xref": "paper", "yref": "paper", "x": 0, "y": 0.5, "xanchor": "left", "showarrow": False,
            "text": plain(said[:1].upper() + said[1:]), "font": {"size": 14}}  # fmt: skip
    return {
        "annotations": [note], "height": 130, "margin": {"b": 12}, "showlegend": False,
        "xaxis": {"visible": False}, "yaxis": {"visible": False},
    }  # fmt: skip


def _weeks(seen: list[date]) -> list[date]:
    """Every Monday from the first to the last of `seen`, so that a week without findings is a gap and not left out."""
    days = range(0, (max(seen) - min(seen)).days + 1, 7) if seen else ()
    return [min(seen) + timedelta(days=day) for day in days]


def _most_frequent(weekly: pl.DataFrame) -> list[str]:
    """The audits with the most findings, as many as there are colours to tell them apart; the rest is shown as one."""
    counts = weekly.group_by("audit").agg(pl.col("findings").sum()).sort("findings", "audit", descending=[True, False])
    room = len(COLOURS) if counts.height <= len(COLOURS) else len(COLOURS) - 1
    return counts["audit"].head(room).to_list()


def discrepancies(weekly: pl.DataFrame) -> Chart:
    """Findings a week, stacked by audit, the most frequent ones by name. `weekly`: `trends.discrepancies_by_week`."""
    axis = _weeks(weekly["week"].to_list())
    traces = []
    named = _most_frequent(weekly)
    grouped = weekly.with_columns(pl.when(pl.col("audit").is_in(named)).then("audit").otherwise(pl.lit(OTHERS)))
    shown = [*named, *([OTHERS] if OTHERS in grouped["audit"] else [])]
    for i, audit in enumerate(shown):
        mine = grouped.filter(pl.col("audit") == audit).group_by("week").agg(pl.col("findings").sum())
        counts = pl.DataFrame({"week": axis}, schema={"week": pl.Date}).join(
            mine, on="week", how="left", maintain_order="left"
        )
        traces.append(
            {
                "type": "bar",
                "x": [day.isoformat() for day in axis],
                "y": counts["findings"].fill_null(0).to_list(),
                "name": plain(title_of(audit)),
                "marker": {"color": COLOURS[-1] if audit == OTHERS else COLOURS[i]},
                "hovertemplate": "week of %{x}<br>%{fullData.name}: %{y}<extra></extra>",
            }
        )
    most = weekly.group_by("week").agg(pl.col("findings").sum()).sort("findings", "week", descending=[True, False])
    # Ticks between whole numbers would show the same number twice.
    ticks = {"dtick": 1} if not most.is_empty() and most["findings"][0] <= TICKS else {}
    if most.is_empty():
        alt = "Bar chart without bars: no finding has a day."
    else:
        alt = (
            f"Bar chart: findings a week by audit, {len(axis)} weeks from {axis[0]} to {axis[-1]}, "
            f"{weekly['findings'].sum():,} findings in all, most ({most['findings'][0]:,}) in the week of "
            f"{most['week'][0]}. The table beside it has the numbers."
        )
    return figure(
        traces,
        "In which weeks did discrepancies arise? (weeks from Monday)",
        alt,
        barmode="stack",
        yaxis={"title": {"text": "findings"}, "rangemode": "tozero", "tickformat": ",d", **ticks},
        # On an axis of days plotly puts the ticks on Sundays, which name no week of the table.
        xaxis={"type": "category", "tick0": 0, "dtick": -(-len(axis) // TICKS)},
    )


def delays(monthly: pl.DataFrame, yardstick: int = 45) -> Chart:
    """Days from event to reimbursement by month of payment, and the yardstick.

    `monthly`: `trends.delays_by_month`, or the history of a day that it would be made from.
    """
    if "month" not in monthly.columns:
        monthly = delays_by_month(monthly, yardstick)
    months = [day.strftime("%Y-%m") for day in monthly["month"]]
    traces = [
        {
            "type": "bar", "x": months, "y": monthly[column].to_list(), "name": name, "marker": {"color": colour},
            "hovertemplate": "%{x}<br>%{fullData.name}: %{y} days<extra></extra>",
        }
        for column, name, colour in (("median_days", "median", COLOURS[0]), ("p90_days", "9 of 10 within", COLOURS[1]))
    ]  # fmt: skip
    line = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": yardstick, "y1": yardstick,
        "line": {"dash": "dash", "width": 2, "color": "#888888"},
    }  # fmt: skip
    note = {
        "xref": "paper", "x": 1, "y": yardstick, "yanchor": "bottom", "xanchor": "right", "showarrow": False,
        "text": f"{yardstick} days",
    }  # fmt: skip
    if monthly.is_empty():
        alt = "Bar chart without bars: no reimbursement could be tied to its event yet."
    else:
        paid, over = monthly["paid"].sum(), monthly["over"].sum()
        alt = (
            f"Bar chart: days from event to reimbursement by month, {months[0]} to {months[-1]}; {over:,} of {paid:,} "
            f"took longer than {yardstick} days. The table beside it has the numbers."
        )
    return figure(
        traces,
        "How long does Amazon take to reimburse? (by month of the reimbursement)",
        alt,
        barmode="group",
        bargap=0.4,
        shapes=[line],
        annotations=[note],
        yaxis={"title": {"text": "days"}, "rangemode": "tozero"},
        xaxis={"type": "category"},
    )
