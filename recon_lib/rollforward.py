"""The open match set from day to day: opening + new − matched = closing, in lines and in money, by currency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from recon_lib.money import MONEY

_COLUMNS = [
    "date", "currency", "opening_lines", "opening_amount", "new_lines", "new_amount", "matched_lines", "matched_amount",
    "closing_lines", "closing_amount", "restated_lines", "restated_amount",
]  # fmt: skip


def rollforward(
    activity: pl.DataFrame, day: date, currencies: Sequence[str], published: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row a currency for `day`.

    The opening is the closing of the day before as the files now tell it: a pair counts from its `matched_on`, so nothing is
    computed twice. `restated` = opening − the closing in `published` (the roll-forward published for the day before; a currency
    it does not name closed at 0); null where nothing was published.

    Args:
        activity: one row an activity with `day`, `amount`, `currency`, `pile`, `matched_on`; duplicates (set aside) do not count.
    """
    counted = activity.select("day", "matched_on", "amount", "currency", "pile").filter(pl.col("pile") != "duplicate")
    matched = pl.col("matched_on")
    parts = {
        "opening": (pl.col("day") < day) & (matched.is_null() | (matched >= day)),
        "new": pl.col("day") == day,
        "matched": matched == day,
        "closing": (pl.col("day") <= day) & (matched.is_null() | (matched > day)),
    }
    sums = counted.group_by("currency").agg(
        expr
        for name, of in parts.items()
        for expr in (
            of.fill_null(False).sum().cast(pl.Int64).alias(f"{name}_lines"),
            pl.col("amount").filter(of.fill_null(False)).sum().cast(MONEY).alias(f"{name}_amount"),
        )
    )
    known = sorted({*currencies, *sums["currency"].to_list()})
    rows = pl.DataFrame({"currency": known}, schema={"currency": pl.String}).join(sums, on="currency", how="left").with_columns(
        pl.col("^.*_lines$").fill_null(0), pl.col("^.*_amount$").fill_null(0).cast(MONEY), pl.lit(day).alias("date")
    )  # fmt: skip
    return _restated(rows, published).select(_COLUMNS).sort("currency")


def _restated(rows: pl.DataFrame, published: pl.DataFrame | None) -> pl.DataFrame:
    if published is None:
        return rows.with_columns(
            pl.lit(None, pl.Int64).alias("restated_lines"), pl.lit(None, MONEY).alias("restated_amount")
        )
    before = published.select(
        "currency",
        pl.col("closing_lines").cast(pl.Int64).alias("then_lines"),
        pl.col("closing_amount").cast(MONEY).alias("then_amount"),
    )
    joined = rows.join(before, on="currency", how="left")
    return joined.with_columns(
        (pl.col("opening_lines") - pl.col("then_lines").fill_null(0)).alias("restated_lines"),
        (pl.col("opening_amount") - pl.col("then_amount").fill_null(0).cast(MONEY)).alias("restated_amount"),
    )


def rollforward_days(activity: pl.DataFrame, first: date, last: date, currencies: Sequence[str]) -> pl.DataFrame:
    """The roll-forward of every day from `first` to `last` (nothing restated), by currency and day; for trends."""
    span = (last - first).days
    days = [rollforward(activity, first + timedelta(days=n), currencies) for n in range(span + 1)]
    return pl.concat(days).sort("currency", "date")
