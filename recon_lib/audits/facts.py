"""The few rows that audits look at, taken from the big reports once for a day's books.

The ledger and the settlements have millions of rows; here each is read once, filtered early and kept small. What is
made is kept as long as the books live.
"""

from __future__ import annotations

import polars as pl

from recon_lib.audits.evidence import PLACE, fold, folded
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
        rows = rows.select(*columns, "event_type", pl.col("reason").str.to_uppercase().alias("code"))
        told = rows.collect(engine="in-memory")
        return folded(told, type="event_type").drop("event_type")

    return once(books, "ledger", make)


def adjustments(books: Books) -> pl.DataFrame:
    """Ledger rows of type Adjustments."""
    kinds = ["adjustments", "adjustment"]
    return once(books, "adjustments", lambda books: ledger_rows(books).filter(pl.col("type").is_in(kinds)))


def returns_in_ledger(books: Books) -> pl.DataFrame:
    """Ledger rows that tell of customer returns, in no order: `order_id` is their reference, `pair` the number of its LINE."""

    def make(books: Books) -> pl.DataFrame:
        names = ["reference_id", "sku", "fnsku", "quantity", "disposition", "file", "line", "type"]
        rows = ledger_rows(books).select(names).filter(pl.col("type").str.starts_with("customerreturn"))
        return rows.rename({"reference_id": "order_id"}).with_columns(pair=PAIR)

    return once(books, "returns_in_ledger", make)


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
        return folded(rows, grade="disposition", why="reason").with_columns(pair=PAIR)

    return once(books, "returns", make)
