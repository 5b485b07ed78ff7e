"""Returns by the item of the order that came back, whatever SKU of the product the warehouse wrote on them."""

from __future__ import annotations

import polars as pl

from recon_lib.audits.facts import LINE, PAIR, customer_returns, ledger_rows
from recon_lib.audits.settled_facts import refund_lines
from recon_lib.books import Books
from recon_lib.item_runs import ORDER_NUMBER
from recon_lib.kept import once


def order_returns(books: Books) -> pl.DataFrame:
    """`facts.customer_returns`, each under the SKU that was refunded (`as_refunded`)."""
    return once(
        books, "order_returns", lambda books: as_refunded(books, customer_returns(books).with_columns(pair=PAIR))
    )


def as_refunded(books: Books, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` (order_id, sku, fnsku, pair), where another SKU of the same FNSKU was refunded in the order, under that one.

    Several SKUs may share one FNSKU; the unit that came back, or was paid, is then that of the order. A SKU that was refunded
    itself stays, and of several others none is chosen.
    """
    refunds = refund_lines(books).select(*LINE, "pair").drop_nulls()
    odd = rows.filter(~pl.col("pair").is_in(refunds["pair"].implode()), pl.col("fnsku").is_not_null())
    if odd.height:
        odd = odd.filter(ORDER_NUMBER.is_in(refunds.select(ORDER_NUMBER).to_series().implode()))
    odd = odd.select(*LINE, "fnsku").unique()
    if odd.is_empty():
        return rows
    refunds = refunds.filter(pl.col("order_id").is_in(odd["order_id"].unique().implode())).select(LINE).unique()
    products = books.frames["products"].select("sku", "fnsku").collect()
    known = pl.concat([products, ledger_rows(books).select("sku", "fnsku")]).drop_nulls().unique()
    other = odd.join(refunds.rename({"sku": "refunded_sku"}), on="order_id")
    other = other.join(known.rename({"sku": "refunded_sku"}), on=["refunded_sku", "fnsku"], how="semi")
    key = [*LINE, "fnsku"]
    other = other.group_by(key).agg(pl.col("refunded_sku").first(), pl.len().alias("n")).filter(pl.col("n") == 1)
    rows = rows.join(other.drop("n"), on=key, how="left", nulls_equal=True, maintain_order="left")
    rows = rows.with_columns(pl.coalesce("refunded_sku", "sku").alias("sku")).drop("refunded_sku")
    return rows.with_columns(pair=PAIR)
