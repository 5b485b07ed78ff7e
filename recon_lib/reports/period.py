"""From which day to which day a file tells, for people."""

from __future__ import annotations

from datetime import date

import polars as pl

from recon_lib.reports.base import Reading, rows_at

# What is told by instants, or by days that may be missing, is nowhere merged or searched for holes by its period.
_TOLD_BY = {"pay_activity": "activity_at", "inbound_shipments": "closed_on"}


def told_period(reading: Reading, zone: str = "UTC") -> tuple[date | None, date | None]:
    """First and last day of the file's rows, instants by the calendar of `zone`; nulls where its rows have no day."""
    if reading.period_from and reading.period_to:
        return date.fromisoformat(reading.period_from), date.fromisoformat(reading.period_to)
    column, path = _TOLD_BY.get(reading.family), reading.frames.get(reading.family)
    if column is None or path is None:
        return None, None
    ends = rows_at(path).select(pl.col(column).min().alias("first"), pl.col(column).max().alias("last"))
    if ends.collect_schema()["first"] != pl.Date:
        ends = ends.select(pl.all().dt.convert_time_zone(zone).dt.date())
    first, last = ends.collect().row(0)
    return first, last
