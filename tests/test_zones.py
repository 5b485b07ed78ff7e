"""Days in a zone by its clock changes, against hand-checked nights and the plain conversion."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from recon_lib.zones import local_day


def days(zone: str, moments: list[datetime | None], start: date, end: date) -> list[date | None]:
    frame = pl.DataFrame({"at": moments}, schema={"at": pl.Datetime("us", "UTC")})
    return frame.select(local_day("at", zone, start, end)).to_series().to_list()


def test_midnight_in_los_angeles_is_seven_hours_late_in_summer_and_eight_in_winter() -> None:
    moments = [
        datetime(2026, 3, 7, 7, 59, 59, tzinfo=UTC), datetime(2026, 3, 7, 8, tzinfo=UTC),
        datetime(2026, 3, 8, 9, 59, 59, tzinfo=UTC), datetime(2026, 3, 8, 10, tzinfo=UTC),  # clocks go forward here
        datetime(2026, 3, 9, 6, 59, 59, tzinfo=UTC), datetime(2026, 3, 9, 7, tzinfo=UTC), None,
    ]  # fmt: skip
    eighth, ninth = date(2026, 3, 8), date(2026, 3, 9)
    wanted = [date(2026, 3, 6), date(2026, 3, 7), eighth, eighth, eighth, ninth, None]
    assert days("America/Los_Angeles", moments, date(2026, 3, 7), ninth) == wanted


@pytest.mark.parametrize(
    "zone",
    ["America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Cairo", "UTC"],
)  # fmt: skip
def test_as_the_plain_conversion(zone: str) -> None:
    start, end = date(2017, 1, 1), date(2026, 12, 31)
    first = datetime(2016, 12, 31, 10, tzinfo=UTC)
    moments = [first + timedelta(minutes=7 * number) for number in range(0, 750_000, 3)]
    frame = pl.DataFrame({"at": moments}, schema={"at": pl.Datetime("us", "UTC")})
    plain = pl.col("at").dt.convert_time_zone(zone).dt.date()
    assert frame.filter(local_day("at", zone, start, end) != plain).is_empty()
