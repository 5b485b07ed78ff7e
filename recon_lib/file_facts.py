"""What became of every file of an account folder: rows used, told by another file, after the day, and its money."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from recon_lib.books import FILE_SCHEMA
from recon_lib.reports import FAMILIES
from recon_lib.reports.base import Reading
from recon_lib.reports.period import told_period


def file_table(
    readings: list[tuple[str, Reading]],
    others: list[tuple[str, str]],
    seen: Mapping[str, str],
    kept: Mapping[str, Mapping[str, int]],
    after: Mapping[str, Mapping[str, int]],
    zone: str,
) -> pl.DataFrame:
    """One row a file (books.FILE_SCHEMA). `kept`, `after`: family -> file -> rows that stayed of overlapping files, that lie
    after the as-of day; `seen`: sha256 -> the first file of that content; `others`: files that are no reports, and why."""
    rows: list[dict[str, object]] = []
    days = {report.family: report.period for report in FAMILIES}
    for display, reading in readings:
        main = next((f for f in reading.frames if f in ("settlement_lines", "pay_lines")), reading.family)
        if seen[reading.sha256] != display:
            repeated = reading.rows_used
        else:
            summaries = _summary_rows(reading)
            repeated = reading.rows_used - summaries - kept[main].get(display, 0) if main in kept else 0
            repeated += summaries if main in kept and repeated == reading.rows_used - summaries else 0
        first, last = told_period(reading, zone, days.get(reading.family))
        rows.append({
            "path": display, "family": reading.family, "title": reading.title, "layout": reading.layout,
            "sha256": reading.sha256, "encoding": reading.encoding, "rows_total": reading.rows_total,
            "rows_used": reading.rows_used, "rows_rejected": reading.rows_rejected, "rows_repeated": repeated,
            "rows_after": after.get(main, {}).get(display, 0),
            "period_from": first, "period_to": last,
            "totals": totals_text(reading.totals), "notes": "; ".join(reading.notes),
        })  # fmt: skip
    rows += [{"path": display, "family": None, "title": "not a report", "notes": why} for display, why in others]
    return pl.DataFrame(rows, schema=FILE_SCHEMA, orient="row").sort("path")


def _summary_rows(reading: Reading) -> int:
    if "settlement_lines" not in reading.frames or "settlements" not in reading.frames:
        return 0
    return int(reading.rows("settlements").filter(pl.col("layout") != "hybrid").select(pl.len()).collect().item())


def totals_text(totals: Mapping[str, Decimal]) -> str:
    """`EUR 12.00; USD 3.50`: the money of a file by currency."""
    from recon_lib.money import money_text

    return "; ".join(f"{currency} {money_text(totals[currency], currency)}" for currency in sorted(totals))
