"""What was sold, one narrow row an order item, and what settlements said at all, from one pass over the settlement lines."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from recon_lib.books import Books
from recon_lib.item_runs import ITEM, digest, parcel_units, repeated
from recon_lib.kept import once


@dataclass(frozen=True)
class Settled:
    """`orders`, `refunds`: runs of lines (item_runs.digest). `sums`, one row a settlement and currency: `lines`, `fine`
    (ten-thousandths), `first_on` and `last_on`. In no order."""

    orders: pl.DataFrame
    refunds: pl.DataFrame
    sums: pl.DataFrame


def settled_lines(books: Books) -> Settled:
    """The settlement lines up to the as-of day."""

    def make(books: Books) -> Settled:
        told, days = _digest(books), pl.col("posted_on")
        sums = told["settlement_days"].group_by("settlement_id", "currency").agg(
            pl.col("lines", "fine").sum(), first_on=days.min(), last_on=days.max()
        )  # fmt: skip
        orders, refunds = (
            told["settlement_orders"].drop("posted_at"),
            told["settlement_refunds"].drop("posted_at"),
        )
        made = pl.collect_all([orders, refunds, sums], engine="in-memory")
        return Settled(*made)

    return once(books, "settled_lines", make)


def few_lines(books: Books) -> pl.DataFrame:
    """The settlement lines that are neither orders nor refunds as reports usually spell them, whole (item_runs.FEW)."""
    return _digest(books)["settlement_few"].drop("posted_at").collect(engine="in-memory")


def prices_back(books: Books) -> pl.DataFrame:
    """The prices that refunds gave back, as reports usually spell them (item_runs.BACK)."""
    return _digest(books)["settlement_back"].drop("posted_at", "settlement_id").collect(engine="in-memory")


def proof(books: Books, kind: str, orders: pl.Series, codes: list[int]) -> pl.DataFrame:
    """Where the lines of those codes stand that the runs of those orders (`ORDER_NUMBER`) hold, in no order.

    `kind` is order or refund. One row a run and code: what a run is known by, `code`, `file`, `line` (null: none), and
    `is_several`, where a run has more such lines than these.
    """
    settled = settled_lines(books)
    runs = settled.orders if kind == "order" else settled.refunds
    known = [c for c in (*ITEM, "adjustment_id", "posted_on", "file", "is_several") if c in runs.columns]
    found = runs.filter(pl.col("order").is_in(orders.unique().implode()))
    parts = [found.select(*known, code=pl.lit(number, pl.UInt8), line=f"line_{number}") for number in codes]
    return pl.concat(parts)


def _digest(books: Books) -> dict[str, pl.LazyFrame]:
    if "settlement_few" in books.digests:
        return books.digests

    def make(books: Books) -> dict[str, pl.LazyFrame]:
        return {name: made.lazy() for name, made in digest(books.frames["settlement_lines"]).items()}

    return once(books, "settlement_digest", make)


def items(books: Books) -> pl.DataFrame:
    """One row an order item: `charge` (the number of its key), sku, currency, marketplace_name, and its sums. In no order.

    `principal` (null where no line tells one), `base` (the total price with shipping and gift wrap, without tax, less
    promotions), `commission`, `fulfilment` (fees as positive charges) in ten-thousandths; `units` = the largest quantity on
    the item's rows (it stands on every row), of several parcels their sum; `day` the first posted day.
    """

    def make(books: Books) -> pl.DataFrame:
        runs = settled_lines(books).orders.lazy().filter("is_item")
        rows = runs.select(*_OF_ITEM, day="posted_on").collect()
        twice = repeated(rows["charge"])
        if not twice.any():
            return rows
        units = parcel_units(
            runs.filter(pl.col("charge").is_in(rows.filter(twice)["charge"].unique().implode())).collect()
        )
        several = (
            rows.filter(twice)
            .lazy()
            .group_by("charge")
            .agg(
                pl.col("sku", "currency").first(),  # equal on all runs of an item
                pl.col("marketplace_name").max(),
                pl.col("day").min(),
                pl.col("base", "commission", "fulfilment").sum(),
                pl.when(pl.col("principal").is_not_null().any()).then(pl.col("principal").sum()),
            )
            .join(units.lazy(), on="charge", how="left")
            .collect()
        )
        return pl.concat([rows.filter(~twice), several.select(rows.columns)])

    return once(books, "sold_items", make)


_OF_ITEM = ("charge", "sku", "currency", "marketplace_name", "units", "principal", "base", "commission", "fulfilment")
