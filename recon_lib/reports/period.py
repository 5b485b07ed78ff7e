"""From which day to which day a file tells, for people."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl
from polars.exceptions import ColumnNotFoundError

from recon_lib.reports.base import FEW, Reading, rows_at

# What is told by instants, or by days that may be missing, is nowhere merged or searched for holes by its period.
_TOLD_BY = {"pay_activity": "activity_at", "inbound_shipments": "closed_on"}


def told_period(reading: Reading, zone: str | None = None, day: str | None = None) -> tuple[date | None, date | None]:
    """First and last day of the file's rows; nulls where its rows have no day.

    Without `zone` the days are those written in the file, else days of that zone: then `day` names the column of the
    written day, and where every row tells its instant too, that decides.
    """
    if reading.period_from and reading.period_to:
        ends = _instants(reading, f"{day[:-3]}_at") if zone and day and day.endswith("_on") else None
        if zone and ends:
            return ends[0].astimezone(ZoneInfo(zone)).date(), ends[1].astimezone(ZoneInfo(zone)).date()
        return date.fromisoformat(reading.period_from), date.fromisoformat(reading.period_to)
    column, path = _TOLD_BY.get(reading.family), reading.frames.get(reading.family)
    if column is None or path is None:
        return None, None
    told = rows_at(path, column).select(pl.col(column).min().alias("first"), pl.col(column).max().alias("last"))
    if told.collect_schema()["first"] != pl.Date:
        told = told.select(pl.all().dt.convert_time_zone(zone or "UTC").dt.date())
    first, last = told.collect().row(0)
    return first, last


def _instants(reading: Reading, at: str) -> tuple[datetime, datetime] | None:
    """The first and the last instant of the column; None where it is not there or some row has none."""
    path = reading.frames.get(reading.family)
    if path is None:
        return None
    if path.suffix == FEW:  # a hundred small files: without the work of a query each
        try:
            few = pl.read_ipc_stream(path, columns=[at])[at]
        except ColumnNotFoundError:
            return None
        return None if few.null_count() else (few.min(), few.max())  # type: ignore[return-value]
    rows = rows_at(path)
    if at not in rows.collect_schema():
        return None
    column = pl.col(at)
    first, last, unknown = (
        rows.select(column.min(), column.max().alias("last"), column.null_count().alias("n")).collect().row(0)
    )
    return None if unknown else (first, last)
