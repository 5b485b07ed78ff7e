"""The life of one order or one product across all reports: every row that names it, in the order of the days.

An order is found by any number that reports call things by (order, shipment, removal, reimbursement, transaction ...), a
product by its sku or fnsku; the other name of the same product is looked up in the rows that carry both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from recon_lib.books import Books
from recon_lib.money import MONEY

NUMBERS = ("order_id", "merchant_order_id", "original_order_id", "replacement_order_id", "order_reference_id",
           "seller_order_id", "amazon_transaction_id", "seller_reference_id", "amazon_capture_id", "amazon_refund_id",
           "amazon_authorization_id", "capture_reference_id", "refund_reference_id", "reference_id", "shipment_id",
           "reimbursement_id", "original_reimbursement_id", "case_id")  # fmt: skip
SCHEMA: dict[str, Any] = {
    "on": pl.Date, "report": pl.String, "what": pl.String, "quantity": pl.Int64, "amount": MONEY, "currency": pl.String,
    "number": pl.String, "sku": pl.String, "fnsku": pl.String, "file": pl.String, "line": pl.UInt32, "lane": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True)
class Lane:
    """How the rows of one family are told on a time line. `days`: the first one that is known counts."""

    family: str
    report: str
    days: tuple[str, ...]
    what: tuple[str, ...]
    quantity: str = ""
    money: str = ""


LANES = (
    Lane("inbound_shipments", "Sent to Amazon", ("closed_on",), ("status",), "quantity_received"),
    Lane("all_orders", "Orders", ("purchased_on",), ("order_status",), "quantity", "item_price"),
    Lane("fulfilled_shipments", "Shipped to buyers", ("shipped_on",), ("fulfillment_center",), "quantity", "item_price"),
    Lane("shipment_sales", "Shipment sales", ("shipped_on",), ("fulfillment_center",), "quantity", "item_price_per_unit"),
    Lane("replacements", "Replacements", ("shipped_on",), ("reason_code",), "quantity"),
    Lane("customer_returns", "Returns", ("returned_on",), ("disposition", "reason", "status"), "quantity"),
    Lane("ledger_detail", "Stock ledger", ("event_on",), ("event_type", "reason", "disposition"), "quantity"),
    Lane("removal_orders", "Removal orders", ("requested_on",), ("order_type", "order_status"), "requested_quantity",
         "removal_fee"),
    Lane("removal_shipments", "Removal parcels", ("shipped_on",), ("carrier", "tracking_number"), "shipped_quantity"),
    Lane("removal_receipts", "Removals received", ("received_on",), ("tracking_number",), "quantity_received"),
    Lane("storage_fees", "Storage fees", ("month_on",), ("fulfillment_center",), "", "estimated_fee"),
    Lane("aged_inventory_fees", "Aged stock fees", ("snapshot_on",), ("age_tier",), "quantity", "amount"),
    Lane("reimbursements", "Reimbursements", ("approved_on",), ("reason",), "quantity_total", "amount_total"),
    Lane("settlement_lines", "Settlements", ("posted_on",), ("transaction_type", "amount_description"), "quantity", "amount"),
    Lane("date_range", "Transactions", ("posted_on",), ("type", "description"), "quantity", "total"),
    Lane("pay_activity", "Shop (Amazon Pay)", ("activity_on",), ("kind",), "", "amount"),
    Lane("pay_captures", "Amazon Pay captures", ("created_on", "updated_on"), ("status",), "", "amount"),
    Lane("pay_refunds", "Amazon Pay refunds", ("created_on", "updated_on"), ("status",), "", "amount"),
    Lane("pay_lines", "Amazon Pay settled", ("posted_on",), ("transaction_type",), "", "amount"),
)  # fmt: skip


def life(books: Books, *, number: str = "", product: str = "") -> pl.DataFrame:
    """One row a source row that names `number` and (where both are given) `product`; sorted by day, report, file, line.

    `on` is null where the row has no day; `quantity` and `amount` are as the report writes them. The settlements that hold
    the lines of a number come as rows of their own on the day of their payout. Nothing is asked: no row.
    """
    number, product = number.strip(), product.strip()
    if not number and not product:
        return pl.DataFrame(schema=SCHEMA)
    names = product_names(books, product) if product else []
    found = [_told(books, lane, rank, number, names) for rank, lane in enumerate(LANES)]
    rows = pl.concat([frame for frame in found if frame is not None] or [pl.LazyFrame(schema=SCHEMA)]).collect()
    if number:
        rows = pl.concat([rows, _payouts(books, rows)])
    return rows.sort("on", "lane", "file", "line", "what", "amount", nulls_last=True)


def product_names(books: Books, product: str) -> list[str]:
    """`product` and the skus or fnskus that stand beside it in any row, sorted."""
    pairs = [
        frame.filter((pl.col("sku") == product) | (pl.col("fnsku") == product)).select("sku", "fnsku")
        for frame in books.frames.values()
        if {"sku", "fnsku"} <= set(frame.collect_schema().names())
    ]
    both = pl.concat(pairs).unique().collect()
    return sorted({product, *both["sku"].drop_nulls(), *both["fnsku"].drop_nulls()})


def subject_of(finding: dict[str, object]) -> tuple[str, str]:
    """(number, product) that tell the life behind a finding: its order, else its product, else its reference."""
    order, product = finding.get("order_id"), finding.get("fnsku") or finding.get("sku")
    if order:
        return str(order), ""
    return ("", str(product)) if product else (str(finding.get("reference_id") or ""), "")


def _told(books: Books, lane: Lane, rank: int, number: str, names: list[str]) -> pl.LazyFrame | None:
    frame = books.frames[lane.family]
    if lane.family == "pay_activity":
        local = pl.col("activity_at").dt.convert_time_zone(books.account.time_zone).dt.date()
        frame = frame.with_columns(activity_on=local)
    has = frame.collect_schema().names()
    numbers = [name for name in NUMBERS if name in has]
    products = [name for name in ("sku", "fnsku", "asin") if name in has]
    if (number and not numbers) or (names and not products):
        return None
    asked = [pl.any_horizontal(pl.col(name) == number for name in numbers)] if number else []
    if names:
        mine = pl.any_horizontal(pl.col(name).is_in(names) for name in products)
        # A row of the order that names no product at all (a shipping charge) belongs to the order's life as well.
        unnamed = pl.all_horizontal(pl.col(name).is_null() for name in products) & pl.lit(bool(number))
        asked.append(mine | unnamed)
    said = pl.concat_str([pl.col(name).cast(pl.String) for name in lane.what], separator=", ", ignore_nulls=True)
    values = {
        "on": pl.coalesce(lane.days),
        "report": pl.lit(lane.report),
        "what": said,
        "quantity": pl.col(lane.quantity) if lane.quantity else pl.lit(None),
        "amount": pl.col(lane.money) if lane.money else pl.lit(None),
        "currency": pl.col("currency") if "currency" in has and lane.money else pl.lit(None),
        "number": pl.coalesce(numbers) if numbers else pl.lit(None),
        "sku": pl.col("sku") if "sku" in has else pl.lit(None),
        "fnsku": pl.col("fnsku") if "fnsku" in has else pl.lit(None),
        "file": pl.col("file"),
        "line": pl.col("line"),
        "lane": pl.lit(rank),
    }
    kept = frame.filter(pl.all_horizontal(condition.fill_null(False) for condition in asked))
    return kept.select(value.cast(SCHEMA[name]).alias(name) for name, value in values.items())


def _payouts(books: Books, rows: pl.DataFrame) -> pl.DataFrame:
    """The settlements whose lines are among `rows`, on the day Amazon sent the money."""
    marks = rows.filter(report="Settlements").select("file", "line").unique()
    numbers = (
        books.frames["settlement_lines"].join(marks.lazy(), on=["file", "line"], how="semi").select("settlement_id")
    )
    told = books.frames["settlements"].join(numbers.unique(), on="settlement_id", how="semi").select(
        pl.coalesce("deposit_on", "end_on").alias("on"),
        pl.lit("Settlement payouts").alias("report"),
        pl.lit("the whole settlement").alias("what"),
        pl.lit(None, pl.Int64).alias("quantity"),
        pl.col("total_amount").alias("amount"),
        "currency",
        pl.col("settlement_id").alias("number"),
        pl.lit(None, pl.String).alias("sku"),
        pl.lit(None, pl.String).alias("fnsku"),
        "file",
        "line",
        pl.lit(len(LANES), pl.Int64).alias("lane"),
    )  # fmt: skip
    return told.collect().select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
