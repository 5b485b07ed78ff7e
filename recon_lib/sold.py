"""What was sold, one narrow row an order item, from one pass over the settlement lines: for fees and for prices."""

from __future__ import annotations

import polars as pl

from recon_lib.books import Books
from recon_lib.kept import once

ITEM = ["order_id", "order_item_code", "shipment_id", "sku", "currency"]
FINE = 10_000  # money as whole ten-thousandths: exact, and quicker to add up than Decimal
FULFILMENT, COMMISSION, KEPT = "FBAPerUnitFulfillmentFee", "Commission", "RefundCommission"

NUMBER = pl.reduce(lambda a, b: a ^ b, [pl.col(c).hash(seed) for seed, c in enumerate(ITEM, 1)])
"""One number for the key of an order item: narrow enough for millions. What looks wrong is grouped again by the key itself."""


def coded(lines: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    """The settlement lines of one transaction type (`order`, `refund`) with a `code` for the price or fee they carry.

    1 principal · 2 shipping, gift wrap and promotions on a price · 3 commission · 4 fulfilment fee · 5 refund commission ·
    6 nothing but the quantity, which the older layout tells on a row of its own.
    """
    what, group = pl.col("amount_description"), pl.col("amount_type")
    code = (
        pl.when((group == "ItemPrice") & (what == "Principal"))
        .then(1)
        .when(group.is_in(["ItemPrice", "Promotion"]) & what.is_in(["Principal", "Shipping", "GiftWrap"]))
        .then(2)
        .when((group == "ItemFees") & (what == COMMISSION))
        .then(3)
        .when((group == "ItemFees") & (what == FULFILMENT))
        .then(4)
        .when((group == "ItemFees") & (what == KEPT))
        .then(5)
        .when(group.is_null() & pl.col("quantity").is_not_null())
        .then(6)
    )
    words = [kind, kind.title(), kind.upper()]
    lines = lines.filter(pl.col("transaction_type").is_in(words), pl.col("order_id").is_not_null())
    return lines.with_columns(code=code.cast(pl.UInt8)).filter(pl.col("code").is_not_null())


def fine(amount: str = "amount") -> pl.Expr:
    """A MONEY column in whole ten-thousandths; an amount too large for that is an error, never another amount."""
    return pl.col(amount).to_physical().cast(pl.Int64)


def items(books: Books) -> pl.DataFrame:
    """One row an order item: `charge` (the number of its key), sku, currency, marketplace_name, and its sums. In no order.

    `principal` (null where no line tells one), `base` (the total price with shipping and gift wrap, without tax, less
    promotions), `commission`, `fulfilment` (fees as positive charges) in ten-thousandths; `units` = the largest quantity on
    the item's rows (it stands on every row); `day` the first posted day.
    """

    def make(books: Books) -> pl.DataFrame:
        code = pl.col("code")

        def of(*codes: int) -> pl.Expr:
            return pl.when(code.is_in(codes) if len(codes) > 1 else code == codes[0]).then(fine())

        lines = coded(books.frames["settlement_lines"], "order").filter(code != 5)
        narrow = lines.select(
            "sku", "currency", "marketplace_name", charge=NUMBER, day="posted_on", units="quantity",
            principal=of(1), base=of(1, 2), commission=-of(3), fulfilment=-of(4),
        )  # fmt: skip
        sums = ["base", "commission", "fulfilment"]
        return (
            narrow.group_by("charge")
            .agg(
                pl.col("principal").sum(),
                pl.col(sums).sum(),
                told=pl.col("principal").is_not_null().any(),
                units=pl.col("units").max().cast(pl.Int64),
                day=pl.col("day").min(),
                # equal on all rows of an item
                sku=pl.col("sku").first(),
                currency=pl.col("currency").first(),
                marketplace_name=pl.col("marketplace_name").max(),
            )
            .with_columns(principal=pl.when("told").then("principal"))
            .drop("told")
            .collect()
        )

    return once(books, "sold_items", make)
