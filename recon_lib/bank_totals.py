"""The bank's part of the control totals: every payout with the credit that paid it. Gives HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from recon_lib.audits.deposits import bank_tieout
from recon_lib.tables import Column, Html, table

if TYPE_CHECKING:
    from recon_lib.reconcile import Day

_TIED = {
    "exact": "one credit of the amount",
    "two": "two credits that add up",
    "together": "one credit for two payouts",
    "late": "came late",
    "given back": "failed, given back by a later settlement",
    "differs": "another amount came",
    "missing": "not seen",
    "open": "may still come",
}


def payouts(day: Day) -> Html:
    """Every deposit that Amazon announced, with the credit of the bank statement that paid it."""
    if not day.books.has("bank"):
        return Html('<p class="none" id="bank">No bank statement: whether the payouts arrived was not checked.</p>')
    paid = pl.when(pl.col("tied") != "open").then(
        pl.col("tied").is_in(["exact", "two", "together", "late", "given back"])
    )
    frame = bank_tieout(day.books).with_columns(
        paid.alias("ties"),
        pl.col("tied").replace(_TIED),
        pl.when(pl.col("came_on").is_not_null()).then("came").alias("came"),
        pl.col("lines").list.join(", "),
    )
    columns = [
        Column("reference_id", "Settlement", "code"),
        Column("deposit_on", "Deposit", "day"),
        Column("due_until", "Due until", "day"),
        Column("due", "Sent", "money"),
        Column("came_on", "Arrived", "day"),
        Column("came", "At the bank", "money"),
        Column("tied", "How"),
        Column("ties", "Ties", "tick"),
        Column("lines", "Lines", "evidence"),
    ]
    return table(
        frame,
        columns,
        id="bank",
        caption="Payouts against the bank statement",
        empty="No payout was announced.",
        rest="the settlement reports",
        rows=200,
        totals=["due", "came"],
    )
