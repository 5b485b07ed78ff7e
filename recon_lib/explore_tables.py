"""What the explorer shows, as tables for people: every cell goes through the one escaping helper of `tables`."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from recon_lib.tables import Column, Html, Kind, count, table, text
from recon_lib.titles import title_of

ROWS = 200
STYLE = Html(
    "<style>.recon table{border-collapse:collapse;margin:.3em 0}.recon caption{text-align:left;font-weight:600;padding:.3em 0}"
    ".recon th,.recon td{padding:.15em .6em;border-bottom:1px solid #8884;text-align:left;vertical-align:top;line-height:1.4}"
    ".recon .money,.recon .number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".recon .scroll{overflow:auto;max-height:26em}.recon .note{font-weight:400}.recon .day{white-space:nowrap}"
    ".recon .code{font-family:monospace}"
    ".recon thead th{position:sticky;top:0;background:var(--jp-layout-color0,#fff)}.recon .said{white-space:pre-wrap}</style>"
)
_FINDINGS = (
    Column("audit", "Audit"), Column("status", "Status"), Column("event_on", "Day", "day"),
    Column("claim_by", "Claim by", "day"), Column("sku", "SKU", "code"), Column("order_id", "Order", "code"),
    Column("quantity", "Units", "number"), Column("owed", "Owed", "money"), Column("reason", "Why", "long"),
    Column("finding_id", "Finding", "code"),
)  # fmt: skip
_LIFE = (
    Column("on", "Day", "day"), Column("report", "Report"), Column("what", "What"), Column("quantity", "Units", "number"),
    Column("amount", "Amount", "money"), Column("number", "Number", "code"), Column("sku", "SKU", "code"),
    Column("file", "File", "code"), Column("line", "Line", "code"),
)  # fmt: skip
_CHANGES = (
    Column("change", "Change"), Column("audit", "Audit"), Column("sku", "SKU", "code"), Column("order_id", "Order", "code"),
    Column("status", "Status was", "code"), Column("status_after", "Status is", "code"),
    Column("owed", "Owed was", "money"), Column("owed_after", "Owed is", "money"),
    Column("claim_by", "Claim by was", "day"), Column("claim_by_after", "Claim by is", "day"),
)  # fmt: skip
_TOTALS = (
    Column("status", "Status", "code"), Column("findings", "Findings were", "number"),
    Column("findings_after", "Findings are", "number"), Column("owed", "Owed was", "money"),
    Column("owed_after", "Owed is", "money"),
)  # fmt: skip


def wrapped(*parts: str) -> str:
    """Parts that are HTML already, in the explorer's look."""
    return f'<div class="recon">{"".join(parts)}</div>'


def said(message: str) -> str:
    """A message in words, shown as written."""
    return wrapped(f'<p class="said" role="status">{text(message)}</p>')


def findings(frame: pl.DataFrame, of: int) -> str:
    """The findings table; `of`: how many the day has in all."""
    without = frame["owed"].null_count()  # not known, or nothing is owed: reason and evidence tell which
    note = f"; {without:,} without an amount" if without else ""
    shown = frame.with_columns(pl.col("audit").map_elements(title_of, return_dtype=pl.String))
    caption = f"{frame.height:,} of {count(of, 'finding')}{note}."
    return wrapped(
        table(
            shown,
            _FINDINGS,
            id="explore-findings",
            caption=caption,
            empty="No finding fits.",
            rows=ROWS,
            totals=("owed",),
        )
    )


def evidence(finding: Mapping[str, object], rows: Mapping[str, pl.DataFrame], missing: list[tuple[str, int]]) -> str:
    """The evidence text of a finding and under it the source rows as the books hold them, a table a family."""
    parts = [f'<p class="said">{text(finding["evidence"] or "No evidence text.")}</p>']
    for family, frame in rows.items():
        columns = [Column(name, name.replace("_", " "), _kind(frame.schema[name], frame)) for name in frame.columns]
        parts.append(
            table(
                frame, columns, id=f"lines-{family}", caption=_title(family), rows=ROWS, rest="the reports", data=False
            )
        )
    if missing:
        marks = ", ".join(f"{file}:{line}" for file, line in missing)
        parts.append(f"<p>Set aside, because another file has the line too or it lies after the day: {text(marks)}</p>")
    return wrapped(*parts)


def life(rows: pl.DataFrame) -> str:
    """Every row of a life."""
    caption = f"{count(rows.height, 'row')} by day."
    empty = "No report names it. Give a number or a product as the reports write it."
    return wrapped(
        table(rows.with_columns(pl.col("line").cast(pl.String)), _LIFE, id="explore-life", caption=caption, empty=empty,
              rows=ROWS, rest="the reports")
    )  # fmt: skip


def what_if(totals: pl.DataFrame, changes: pl.DataFrame) -> str:
    """What other settings do: totals by status, then the findings that differ."""
    shown = changes.with_columns(pl.col("audit").map_elements(title_of, return_dtype=pl.String))
    return wrapped(
        table(totals, _TOTALS, id="explore-totals", caption="Under these settings, by status.", data=False),
        table(shown, _CHANGES, id="explore-changes", caption=f"{count(shown.height, 'finding')} differ.",
              empty="The findings stay as they are.", rows=2000, rest="no file"),
    )  # fmt: skip


def _title(family: str) -> str:
    return f"{family.replace('_', ' ').capitalize()}: the lines as the books hold them."


def _kind(dtype: pl.DataType, frame: pl.DataFrame) -> Kind:
    if isinstance(dtype, pl.Decimal):
        return "money" if dtype.scale == 4 and "currency" in frame.columns else "number"
    return "number" if dtype.is_integer() else "text"
