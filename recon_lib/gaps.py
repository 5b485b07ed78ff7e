"""What a day does not know: reports that are missing, and everything that was not checked, as people count it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import polars as pl

from recon_lib.audits.pay_coverage import WINDOWLESS
from recon_lib.titles import AUDIT_TITLES, REPORT_TITLES

if TYPE_CHECKING:
    from recon_lib.reconcile import Day

BREAKS = ("settlement_out_of_balance", "settlement_gap", "deposit_missing", "deposit_differs", "deposit_unexplained")
CLAIMS = tuple(name for name in AUDIT_TITLES if name not in BREAKS and not name.startswith("pay_"))
NO_REPORT = "no such report in the account folder"


def lacking(day: Day, audits: Collection[str]) -> pl.DataFrame:
    """The points of `not_checked` by which a report was missing to one of `audits`, altogether or for some days."""
    return day.not_checked.filter(
        pl.col("audit").is_in(list(audits)),
        pl.col("reason").is_in([NO_REPORT, WINDOWLESS]) | pl.col("reason").str.starts_with("report missing"),
    )


def unchecked(day: Day) -> pl.DataFrame:
    """What was not checked, one row a point as people count them: `subject`, `reason`, `title` (all audits it
    touches), `count`."""
    gone = pl.col("subject").is_in([name for name in REPORT_TITLES if not day.books.has(name)])
    reason = pl.col("reason").str.replace(
        "report missing: settlement lines ", "report missing: settlements ", literal=True
    )
    return (
        day.not_checked.with_columns(
            pl.col("subject").replace(REPORT_TITLES),
            # Two audits may say of the same absence that the report is missing and that there is none.
            pl.when(gone & (reason == "report missing")).then(pl.lit(NO_REPORT)).otherwise(reason).alias("reason"),
            pl.col("audit").replace(AUDIT_TITLES).alias("title"),
        )
        .group_by("subject", "reason")
        .agg(pl.col("title").unique().sort().str.join(" · "), pl.col("count").max())
        .sort("reason", "subject")
    )


def caveat(day: Day) -> str:
    """How many kinds of claim could not be checked for want of a report, for a sentence; empty where all could."""
    n = lacking(day, CLAIMS)["audit"].n_unique()
    return f"{n} of {len(CLAIMS)} kinds of claim lacked a report, altogether or for some days" if n else ""
