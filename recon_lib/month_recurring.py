"""What comes again: products and fulfilment centres with a case in the month and at least one more, ever."""

from __future__ import annotations

import polars as pl

from recon_lib.audits.evidence import PLACE
from recon_lib.month import Month

CENTRES = ("ledger_detail", "customer_returns", "storage_fees")  # reports that name the fulfilment centre of a line


def skus(month: Month) -> pl.DataFrame:
    """SKUs with a discrepancy in this month and at least one more, ever: cases, months, units, known money still owed."""
    return _recurring(month, month.cases, "sku")


def centres(month: Month) -> pl.DataFrame:
    """The same by fulfilment centre (`centre`), as far as the lines that prove a finding name one."""
    proofs = month.cases.filter(pl.col("evidence").is_not_null()).with_columns(
        pl.col("evidence").str.split("; ").list.first().str.split(", ").alias("place")
    )
    places = [
        month.day.books.frames[family].filter(pl.col("fulfillment_center").is_not_null()).select(
            PLACE.alias("place"), centre="fulfillment_center"
        )
        for family in CENTRES
    ]  # fmt: skip
    told = pl.concat(places).unique().collect()
    rows = proofs.explode("place").join(told, on="place", how="inner").unique(["finding_id", "centre"])
    return _recurring(month, rows, "centre")


def _recurring(month: Month, rows: pl.DataFrame, key: str) -> pl.DataFrame:
    owed = pl.col("status").is_in(["claimable", "waiting", "claimed", "open"])
    return (
        rows.filter(pl.col(key).is_not_null())
        .group_by(key)
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            month.holds("event_on").sum().cast(pl.Int64).alias("cases_now"),
            pl.col("event_on").dt.truncate("1mo").drop_nulls().n_unique().cast(pl.Int64).alias("months"),
            pl.col("units").sum().cast(pl.Int64),
            pl.col("audit").unique().sort().alias("audits"),
            pl.col("money").filter(owed & (pl.col("currency") == month.day.books.account.currency)).sum().alias("owed"),
            pl.lit(month.day.books.account.currency).first().alias("currency"),
        )
        .filter(pl.col("cases") > 1, pl.col("cases_now") > 0)
        .sort("cases", "months", "owed", key, descending=[True, True, True, False])
    )
