"""The time line of one order or product: a report a lane, a day a mark. Floats are allowed here (sizes of marks)."""

from __future__ import annotations

from typing import Any

import polars as pl

from recon_lib.charts import COLOURS, Chart, figure, plain
from recon_lib.tables import money, number

_SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")
_TOLD = 6  # rows of one mark that its tooltip tells; the table has all


def timeline(rows: pl.DataFrame, about: str) -> Chart:
    """`rows`: `life.life`; `about`: the order or product in the reader's words. Rows without a day are counted in `alt`."""
    dated = rows.filter(pl.col("on").is_not_null())
    lanes = dated.group_by("report").agg(pl.col("lane").min()).sort("lane")["report"].to_list()
    traces = [_trace(dated.filter(report=lane), lane, i) for i, lane in enumerate(lanes)]
    return figure(
        traces, f"What happened to {plain(about)}?", _alt(rows, dated, lanes), showlegend=False,
        xaxis={"type": "date"}, yaxis={"type": "category", "autorange": "reversed", "automargin": True},
        height=max(260, 110 + 34 * len(lanes)), margin={"b": 48},
    )  # fmt: skip


def _trace(rows: pl.DataFrame, lane: str, i: int) -> dict[str, Any]:
    marks = rows.group_by("on", maintain_order=True).agg(
        pl.len(), pl.struct("what", "quantity", "amount", "currency", "number")
    )
    return {
        "type": "scatter",
        "x": [day.isoformat() for day in marks["on"]],
        "y": [plain(lane)] * marks.height,
        "mode": "markers",
        "name": plain(lane),
        "text": ["<br>".join(_said(group)) for group in marks["what"].to_list()],
        "marker": {
            "size": [min(26.0, 11 + 2 * n) for n in marks["len"].to_list()],
            "color": COLOURS[i % len(COLOURS)],
            "symbol": _SHAPES[i % len(_SHAPES)],
            "opacity": 0.85,
        },
        "hovertemplate": "%{x|%Y-%m-%d}, %{fullData.name}<br>%{text}<extra></extra>",
    }


def _said(group: list[dict[str, Any]]) -> list[str]:
    told = []
    for row in group[:_TOLD]:
        parts = [
            row["what"] or "",
            "" if row["quantity"] is None else f"{number(row['quantity'])} units",
            money(row["amount"], row["currency"]),
            row["number"] or "",
        ]
        told.append(plain(", ".join(part for part in parts if part)))
    return [*told, f"and {len(group) - _TOLD} more rows"] if len(group) > _TOLD else told


def _alt(rows: pl.DataFrame, dated: pl.DataFrame, lanes: list[str]) -> str:
    if dated.is_empty():
        return "Time line without marks: no report has a row with a day for it."
    days = dated["on"].sort()
    first, last = days[0], days[-1]
    undated = rows.height - dated.height
    return (
        f"Time line: {dated.height:,} rows of {len(lanes)} reports from {first} to {last}: {', '.join(map(plain, lanes))}."
        + (f" {undated:,} rows have no day." if undated else "")
        + " The table below it has every row."
    )
