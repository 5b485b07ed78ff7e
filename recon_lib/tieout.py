"""The tie-out of settlements: what the lines add up to against what the settlement says it paid."""

from __future__ import annotations

import polars as pl

from recon_lib.money import MONEY


def settlement_tieout(settlements: pl.LazyFrame, sums: pl.DataFrame) -> pl.DataFrame:
    """One row a settlement that has ended: stated total, sum of its lines, difference (lines - total).

    `total_amount` and `difference` are null where the file states no total. Sorted by end, currency and id.

    Args:
        settlements: frames.Settlement up to the as-of day.
        sums: `lines` and `amount` of the lines of each settlement (and currency).
    """
    told = sums.lazy().group_by("settlement_id").agg(pl.col("lines").sum(), lines_amount=pl.col("amount").sum())
    return (
        settlements.join(told, on="settlement_id", how="left")
        .with_columns(pl.col("lines").fill_null(0), pl.col("lines_amount").fill_null(0).cast(MONEY))
        .with_columns((pl.col("lines_amount") - pl.col("total_amount")).cast(MONEY).alias("difference"))
        .select(
            "settlement_id",
            "start_on",
            "end_on",
            "deposit_on",
            "currency",
            "lines",
            "lines_amount",
            "total_amount",
            "difference",
            "layout",
            "file",
            "line",
        )
        .sort("end_on", "currency", "settlement_id", "file", nulls_last=True)
        .collect()
    )
