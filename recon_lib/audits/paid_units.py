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


def paid_history(books: Books, audit: str, pairs: pl.DataFrame) -> pl.DataFrame:
    """History of reimbursed units: `pairs` has `row` of the reimbursement, `units`, `event_on`, `sku`, `fnsku`."""
    paid = reimbursements(books).select(
        "row", "reimbursement_id", "amount_per_unit", "quantity_cash", "currency", paid_on="approved_on"
    )
    pairs = pairs.select([c for c in ("row", "units", "event_on", "sku", "fnsku", "order_id") if c in pairs.columns])
    rows = pairs.join(paid, on="row").join(settled_on(books).select("row", "settled_on"), on="row", how="left")
    rows = rows.with_columns(
        quantity="units",
        amount=pl.when(pl.col("quantity_cash") > 0).then(
            pl.col("amount_per_unit") * pl.min_horizontal("units", "quantity_cash")
        ),
    )
    return settled(rows.sort("event_on", "row", "units"), audit)
