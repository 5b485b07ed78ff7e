"""What was charged and given back, one row an order item or refund, and the measures it should have been charged by."""

from __future__ import annotations

import polars as pl

from recon_lib.audits.evidence import PLACE, fold
from recon_lib.books import Books
from recon_lib.money import MONEY

_STORES = {
    "amazon.com": "US", "amazon.ca": "CA", "amazon.com.mx": "MX", "amazon.com.br": "BR", "amazon.co.uk": "UK",
    "amazon.de": "DE", "amazon.fr": "FR", "amazon.it": "IT", "amazon.es": "ES", "amazon.nl": "NL", "amazon.se": "SE",
    "amazon.pl": "PL", "amazon.com.be": "BE", "amazon.ie": "IE", "amazon.com.tr": "TR", "amazon.ae": "AE", "amazon.sa": "SA",
    "amazon.eg": "EG", "amazon.in": "IN", "amazon.co.jp": "JP", "amazon.com.au": "AU", "amazon.sg": "SG", "amazon.co.za": "ZA",
}  # fmt: skip
ITEM = ["order_id", "order_item_code", "shipment_id", "sku", "currency"]
REFUND = ["order_id", "adjustment_id", "order_item_code", "sku", "currency", "posted_on"]
MEASURES = ["longest_side", "median_side", "shortest_side", "dimension_unit", "weight", "weight_unit"]
FULFILMENT, COMMISSION, KEPT = "FBAPerUnitFulfillmentFee", "Commission", "RefundCommission"
_PRICES = ["Principal", "Shipping", "GiftWrap"]


def _lines(books: Books, kind: str) -> pl.LazyFrame:
    """Settlement lines of one transaction type that carry a price, a promotion on it, or one of the fees looked at."""
    what, group = pl.col("amount_description"), fold("amount_type")
    price = group.is_in(["itemprice", "promotion"]) & what.is_in(_PRICES)
    fee = (group == "itemfees") & what.is_in([FULFILMENT, COMMISSION, KEPT])
    return books.frames["settlement_lines"].filter(
        pl.col("transaction_type").str.to_lowercase() == kind, price | fee, pl.col("order_id").is_not_null()
    )


def _sums() -> list[pl.Expr]:
    what, group = pl.col("amount_description"), fold("amount_type")
    priced = group == "itemprice"

    def of(condition: pl.Expr) -> pl.Expr:
        return pl.col("amount").filter(condition).sum().cast(MONEY)

    return [
        of(priced & (what == "Principal")).alias("principal"),
        of(what.is_in(_PRICES)).alias("base"),
        of(what == COMMISSION).alias("commission"),
        of(what == FULFILMENT).alias("fulfilment"),
        of(what == KEPT).alias("kept"),
        (what == COMMISSION).any().alias("has_commission"),
        (priced & (what == "Principal")).any().alias("has_principal"),
        pl.col("settlement_id").min(),
        pl.col("marketplace_name").max(),
    ]


def order_items(books: Books) -> pl.DataFrame:
    """One row an order item and shipment that was charged a referral or fulfilment fee; fees as positive charges.

    `units` = the largest quantity on its rows (it stands on every row), `day` the first posted day, `base` the total price
    with shipping and gift wrap, without tax, less promotions; `store` the marketplace it was sold in (null: not said).
    """
    grouped = (
        _lines(books, "order")
        .group_by(ITEM)
        .agg(*_sums(), units=pl.col("quantity").max().cast(pl.Int64), day=pl.col("posted_on").min())
        .filter((pl.col("commission") < 0) | (pl.col("fulfilment") < 0))
        .with_columns(
            commission=-pl.col("commission"),
            fulfilment=-pl.col("fulfilment"),
            principal=pl.when("has_principal").then("principal"),
            store=_store(),
        )
        .drop("kept", "has_commission", "has_principal", "marketplace_name")
    )
    return grouped.sort("day", *ITEM, nulls_last=True).collect().with_row_index("charge")


def refunds(books: Books) -> pl.DataFrame:
    """One row a refund of an order item on a day that gave a price back: `back` = refunded base, `given` = commission
    given back, `kept` = refund commission kept; all positive."""
    grouped = (
        _lines(books, "refund")
        .group_by(REFUND)
        .agg(*_sums())
        .filter(pl.col("base") < 0)
        .with_columns(back=-pl.col("base"), given=pl.col("commission"), kept=-pl.col("kept"), store=_store())
        .drop("base", "commission", "fulfilment", "principal", "marketplace_name", "has_principal")
    )
    return grouped.sort("posted_on", *REFUND[:-1], nulls_last=True).collect().with_row_index("charge")


def _store() -> pl.Expr:
    """The store a line was sold in; `other` for a name that is none of Amazon's stores (a multi-channel order, say)."""
    name = pl.col("marketplace_name").str.strip_chars().str.to_lowercase()
    return pl.when(name.is_not_null()).then(name.replace_strict(_STORES, default="other", return_dtype=pl.String))


def places(books: Books, kind: str, keys: pl.DataFrame, key: list[str], descriptions: list[str]) -> pl.DataFrame:
    """`charge`, `lines`: where the rows of those descriptions of each charge stand (`file:line`), sorted."""
    what = pl.col("amount_description").is_in(descriptions)
    found = (
        _lines(books, kind)
        .filter(what)
        .join(keys.lazy().select("charge", *key), on=key, nulls_equal=True)
        .group_by("charge")
        .agg(lines=PLACE.unique().sort())
    )
    return found.collect()


def own_sizes(books: Books) -> pl.DataFrame:
    """Amazon's own measures of each SKU from the fee preview: `sku`, measures, `category`, `asin`, `fnsku`, `place`.

    The rows of the account's own store go before those of other stores. A SKU with several measures keeps them all: which
    one held on a past day is not told.
    """
    store = pl.col("amazon_store").str.to_uppercase().replace({"GB": "UK"})
    store = store.str.to_lowercase().replace_strict(_STORES, default=store)
    rank = pl.when(store == books.account.marketplace).then(0).when(store.is_null()).then(1).otherwise(2)
    rows = books.frames["fee_preview"].select(
        "sku", "asin", "fnsku", "longest_side", "median_side", "shortest_side", "dimension_unit",
        "weight_unit", "product_group", weight="package_weight", place=PLACE, rank=rank,
    )  # fmt: skip
    best = rows.filter(pl.col("rank") == pl.col("rank").min().over("sku"))
    kept = best.sort("sku", "place").unique(["sku", *MEASURES], keep="first", maintain_order=True)
    return kept.drop("rank").collect()


def sellers_sizes(books: Books) -> pl.DataFrame:
    """The seller's own measures and category of each SKU: `sku`, `since`, `until`, measures, `category`, `place`.

    The row with the latest `cost_from` on or before a day holds; the first one also for the time before it.
    """
    rows = (
        books.frames["products"]
        .select("sku", "asin", "fnsku", *MEASURES, "category", since="cost_from", place=PLACE)
        .collect()
        .sort("sku", "since", "place", nulls_last=False)
    )
    changed = pl.struct(*MEASURES, "category") != pl.struct(*MEASURES, "category").shift(1)
    first = pl.int_range(pl.len()).over("sku") == 0
    kept = rows.filter(first | changed.over("sku").fill_null(True)).with_columns(
        since=pl.when(pl.int_range(pl.len()).over("sku") > 0).then("since")
    )
    return kept.with_columns(until=pl.col("since").shift(-1).over("sku").dt.offset_by("-1d"))


def on_the_day(charges: pl.DataFrame, versions: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """`charges` with `columns` of the version of its SKU that holds on `day`; null where the SKU has none."""
    holds = (pl.col("since").is_null() | (pl.col("since") <= pl.col("day"))) & (
        pl.col("until").is_null() | (pl.col("until") >= pl.col("day"))
    )
    found = charges.select("charge", "sku", "day").join(versions, on="sku").filter(holds)
    return charges.join(found.select("charge", *columns).unique("charge", keep="first"), on="charge", how="left")
