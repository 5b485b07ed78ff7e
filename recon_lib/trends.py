"""Findings and history over time. Pure: a frame in, a frame out; days are the account's days."""

from __future__ import annotations

import polars as pl

from recon_lib.money import MONEY


def discrepancies_by_week(findings: pl.DataFrame) -> pl.DataFrame:
    """One row a week (its Monday), audit and currency in which something went wrong, by the day it happened.

    `findings`, `units`, `owed` (null where no value of the group is known). Findings without a day are left out here;
    the packet lists them. Sorted by week, audit, currency.
    """
    weekly = findings.filter(pl.col("event_on").is_not_null()).group_by(
        pl.col("event_on").dt.truncate("1w").alias("week"), "audit", "currency"
    )
    return weekly.agg(
        pl.len().cast(pl.Int64).alias("findings"),
        pl.col("quantity").sum().alias("units"),
        pl.when(pl.col("owed").count() > 0).then(pl.col("owed").sum()).cast(MONEY).alias("owed"),
    ).sort("week", "audit", "currency", nulls_last=True)


def delays_by_month(history: pl.DataFrame, yardstick: int = 45) -> pl.DataFrame:
    """One row a month of payment: how long reimbursements took from the event to the approval, in days.

    Only money counts, as in the monthly review: units that were found again or given back into stock are no reimbursement.
    `paid` (events with both days), `median_days`, `p90_days` (a day that occurred), `over` (paid later than
    `yardstick` days), `over_pct` (whole per cent), `settled` and `settle_median_days` (approval to settlement line).
    """
    known = history.drop_nulls(["event_on", "paid_on", "amount"])
    months = known.group_by(pl.col("paid_on").dt.truncate("1mo").alias("month"))
    return months.agg(delay_figures(yardstick)).sort("month")


def delay_figures(yardstick: int) -> list[pl.Expr]:
    """The figures of `delays_by_month`, for any grouping of history rows; rows without both days do not count."""
    days = (pl.col("paid_on") - pl.col("event_on")).dt.total_days()
    settle_days = (pl.col("settled_on") - pl.col("paid_on")).dt.total_days().filter(days.is_not_null())
    late = (days > yardstick).sum()
    return [
        days.count().cast(pl.Int64).alias("paid"),
        days.median().round(1).alias("median_days"),
        days.quantile(0.9, "higher").cast(pl.Int64).alias("p90_days"),
        late.cast(pl.Int64).alias("over"),
        (late * 100 / days.count()).round(0).cast(pl.Int64, strict=False).alias("over_pct"),
        settle_days.count().cast(pl.Int64).alias("settled"),
        settle_days.median().round(1).alias("settle_median_days"),
    ]
