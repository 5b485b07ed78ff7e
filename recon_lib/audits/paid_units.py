"""What payments for units settled: pairs of a loss and a payment, and their history."""

from __future__ import annotations

import polars as pl

from recon_lib.allocation import Allocation
from recon_lib.audits.evidence import settled
from recon_lib.audits.facts import reimbursements
from recon_lib.audits.payouts import settled_on
from recon_lib.books import Books


def paid_pairs(found: Allocation, credits: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(which credit settles which loss, with the credit's columns; one row a settled loss: `paid` units, `paid_places`)."""
    credits = credits.drop("units", "credit", strict=False).with_row_index("credit")
    pairs = found.pairs.join(credits, on="credit").sort("loss", "credit")
    paid = pairs.group_by("loss").agg(
        pl.col("units").sum().alias("paid"), pl.col("place").sort_by("credit").alias("paid_places")
    )
    return pairs, paid


def cash_units(row: str, before: str | None = None) -> pl.Expr:
    """The units of each pair that payment `row` paid in cash: its cash units settle its first losses, those in stock the rest.

    Needs the pairs in the order of their losses, with `units` and `quantity_cash`; `before`: a column of the payment's units that
    another audit has used already.
    """
    units = pl.col("units").cast(pl.Int64)
    earlier = units.cum_sum().over(row) - units + (pl.col(before) if before else 0)
    return (pl.min_horizontal(earlier + units, pl.col("quantity_cash").cast(pl.Int64)) - earlier).clip(0)


def cash_amount(row: str, before: str | None = None) -> pl.Expr:
    """The money of each pair (of its `cash_units`, at `amount_per_unit`); null where it was paid in stock."""
    cash = cash_units(row, before)
    return pl.when(cash > 0).then(pl.col("amount_per_unit") * cash)


def paid_history(books: Books, audit: str, pairs: pl.DataFrame) -> pl.DataFrame:
    """History of reimbursed units: `pairs` has `row` of the reimbursement, `units`, `event_on`, `sku`, `fnsku`, and
    `before` where another audit has used some of the payment's units."""
    paid = reimbursements(books).select(
        "row", "reimbursement_id", "amount_per_unit", "quantity_cash", "currency", paid_on="approved_on"
    )
    names = ("row", "units", "event_on", "sku", "fnsku", "order_id", "before")
    pairs = pairs.select([c for c in names if c in pairs.columns])
    rows = pairs.join(paid, on="row").join(settled_on(books).select("row", "settled_on"), on="row", how="left")
    before = "before" if "before" in rows.columns else None
    rows = rows.sort("event_on", "row", "units").with_columns(quantity="units", amount=cash_amount("row", before))
    return settled(rows, audit)
