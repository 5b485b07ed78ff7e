"""The few rows that audits look at, taken from the big reports once for a day's books.

The ledger and the settlements have millions of rows; here each is read once, filtered early and kept small. What is
made is kept as long as the books live.
"""

from __future__ import annotations

import polars as pl

from recon_lib.audits.evidence import PLACE, fold
from recon_lib.books import Books
from recon_lib.digests import without_bulk
from recon_lib.kept import once

LINE = ["order_id", "sku"]
PAIR = pl.col("order_id").hash(1) ^ pl.col("sku").hash(2)
"""One number for LINE: many rows of several reports are put together by it."""


# --- ledger -----------------------------------------------------------------------------------------------------


def ledger_rows(books: Books) -> pl.DataFrame:
    """Every ledger row but sales, transfers and removals, in no order; `type` is the event type folded, `code` the reason."""

    def make(books: Books) -> pl.DataFrame:
        rows = books.digests.get("ledger_detail", without_bulk(books.frames["ledger_detail"]))
        columns = ["event_on", "fnsku", "asin", "sku", "reference_id", "quantity", "fulfillment_center", "disposition"]
        columns += ["reason", "country", "reconciled_quantity", "unreconciled_quantity", "file", "line"]
        rows = rows.select(
            *columns, fold("event_type").alias("type"), pl.col("reason").str.to_uppercase().alias("code")
        )
        return rows.collect()

    return once(books, "ledger", make)


def adjustments(books: Books) -> pl.DataFrame:
    """Ledger rows of type Adjustments."""
    kinds = ["adjustments", "adjustment"]
    return once(books, "adjustments", lambda books: ledger_rows(books).filter(pl.col("type").is_in(kinds)))


# --- reimbursements ---------------------------------------------------------------------------------------------


def reimbursements(books: Books) -> pl.DataFrame:
    """All rows of the reimbursement report, numbered `row` in a stable order; `why` is the reason folded.

    `units` = cash + inventory units (0 on reversals), `is_reversal` for amounts or units taken back.
    """

    def make(books: Books) -> pl.DataFrame:
        rows = books.frames["reimbursements"].collect()
        rows = rows.with_columns(
            fold("reason").alias("why"),
            PLACE.alias("place"),
            (
                (fold("reason") == "reimbursementreversal")
                | (pl.col("amount_total") < 0)
                | (pl.col("quantity_cash") < 0)
                | (pl.col("quantity_inventory") < 0)
            ).alias("is_reversal"),
        ).with_columns(
            pl.when("is_reversal")
            .then(0)
            .otherwise(pl.max_horizontal(pl.col("quantity_cash") + pl.col("quantity_inventory"), "quantity_total"))
            .cast(pl.Int64)
            .alias("units")
        )
        order = ["approved_on", "reimbursement_id", "order_id", "fnsku", "sku", "why", "amount_total", "file", "line"]
        return rows.sort(order, nulls_last=True).with_row_index("row")

    return once(books, "reimbursements", make)


# --- returns ----------------------------------------------------------------------------------------------------


def customer_returns(books: Books) -> pl.DataFrame:
    """All rows of the returns report in no order; `grade` is the disposition folded, `why` the reason folded."""

    def make(books: Books) -> pl.DataFrame:
        columns = ["returned_on", "order_id", "sku", "asin", "fnsku", "quantity", "disposition", "reason", "status"]
        rows = books.frames["customer_returns"].select(*columns, "license_plate_number", "file", "line").collect()
        rows = rows.with_columns(
            fold("disposition").alias("grade"), fold("reason").alias("why"), PLACE.alias("place"), pair=PAIR
        )
        return rows

    return once(books, "returns", make)
