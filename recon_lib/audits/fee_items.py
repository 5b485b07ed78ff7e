"""What was charged and given back, one row an order item or refund, and the measures it should have been charged by."""

from __future__ import annotations

import polars as pl

from recon_lib.audits.evidence import PLACE
from recon_lib.audits.facts import concerned_lines
from recon_lib.books import Books
from recon_lib.money import MONEY
from recon_lib.sold import FINE, ITEM, NUMBER, coded, items

_STORES = {
    "amazon.com": "US", "amazon.ca": "CA", "amazon.com.mx": "MX", "amazon.com.br": "BR", "amazon.co.uk": "UK",
    "amazon.de": "DE", "amazon.fr": "FR", "amazon.it": "IT", "amazon.es": "ES", "amazon.nl": "NL", "amazon.se": "SE",
    "amazon.pl": "PL", "amazon.com.be": "BE", "amazon.ie": "IE", "amazon.com.tr": "TR", "amazon.ae": "AE", "amazon.sa": "SA",
    "amazon.eg": "EG", "amazon.in": "IN", "amazon.co.jp": "JP", "amazon.com.au": "AU", "amazon.sg": "SG", "amazon.co.za": "ZA",
}  # fmt: skip
REFUND = ["order_id", "adjustment_id", "order_item_code", "sku", "currency", "posted_on"]
MEASURES = ["longest_side", "median_side", "shortest_side", "dimension_unit", "weight", "weight_unit"]


def _of(*codes: int) -> pl.Expr:
    return pl.col("amount").filter(pl.col("code").is_in(codes)).sum().cast(MONEY)


def _money(fine: str) -> pl.Expr:
    return (pl.col(fine).cast(MONEY) / pl.lit(FINE).cast(MONEY)).cast(MONEY)


def _store() -> pl.Expr:
    """The store a line was sold in; `other` for a name that is none of Amazon's stores (a multi-channel order, say)."""
    name = pl.col("marketplace_name").str.strip_chars().str.to_lowercase()
    return pl.when(name.is_not_null()).then(name.replace_strict(_STORES, default="other", return_dtype=pl.String))


_ITEM_SUMS = {
    "principal": pl.when((pl.col("code") == 1).any()).then(_of(1)),
    "base": _of(1, 2),
    "commission": -_of(3),
    "fulfilment": -_of(4),
    "units": pl.col("quantity").max().cast(pl.Int64),
    "day": pl.col("posted_on").min(),
    "marketplace_name": pl.col("marketplace_name").max(),
}
"""Fees as positive charges; `units` = the largest quantity on the item's rows (it stands on every row), `day` the first
posted day, `base` the total price with shipping and gift wrap, without tax, less promotions."""


def all_items(books: Books) -> pl.DataFrame:
    """The order items that were charged a referral or fulfilment fee, as in `sold.items`, money in MONEY, with `store`."""
    charged = items(books).filter((pl.col("commission") > 0) | (pl.col("fulfilment") > 0))
    money = [_money(c) for c in ("principal", "base", "commission", "fulfilment")]
    return _with_store(charged.with_columns(money))


def order_items(books: Books, only: pl.DataFrame) -> pl.DataFrame:
    """The order items with the `charge` numbers of `only`, one row an exact key, with its settlement."""
    lines = books.frames["settlement_lines"]
    lines = lines.clear() if only.is_empty() else lines  # nothing to look for: nothing to read
    found = coded(lines, "order").with_columns(number=NUMBER)
    return _items(found.join(only.lazy().select(number="charge").unique(), on="number", how="semi"))


def refunded_order_items(books: Books) -> pl.DataFrame:
    """The order items of all orders of which anything was refunded (and of others that are asked about), as `order_items`."""
    return _items(coded(concerned_lines(books).lazy(), "order"))


def _items(lines: pl.LazyFrame) -> pl.DataFrame:
    grouped = lines.filter(pl.col("code") != 5).group_by(ITEM)
    made = grouped.agg(**_ITEM_SUMS, settlement_id=pl.col("settlement_id").min()).collect()
    return _with_store(made).sort("day", *ITEM, nulls_last=True).with_row_index("charge")


def _with_store(items: pl.DataFrame) -> pl.DataFrame:
    """`store` for `marketplace_name`: the few names are told once."""
    names = items.select("marketplace_name").unique().with_columns(store=_store())
    return items.join(names, on="marketplace_name", how="left", nulls_equal=True).drop("marketplace_name")


def refunds(books: Books) -> pl.DataFrame:
    """One row a refund of an order item on a day that gave a price back: `back` = refunded base, `given` = commission
    given back, `kept` = refund commission kept; all positive."""
    grouped = (
        coded(books.frames["settlement_lines"], "refund")
        .group_by(REFUND)
        .agg(
            back=-_of(1, 2),
            given=_of(3),
            kept=-_of(5),
            settlement_id=pl.col("settlement_id").min(),
            marketplace_name=pl.col("marketplace_name").max(),
        )
        .filter(pl.col("back") > 0)
    )
    return _with_store(grouped.collect()).sort("posted_on", *REFUND[:-1], nulls_last=True).with_row_index("charge")


def places(lines: pl.LazyFrame, kind: str, keys: pl.DataFrame, key: list[str], codes: list[int]) -> pl.DataFrame:
    """`charge`, `lines`: where the rows of those codes of each charge stand (`file:line`), sorted."""
    found = (
        coded(lines.clear() if keys.is_empty() else lines, kind)
        .filter(pl.col("code").is_in(codes))
        .join(keys.lazy().select("charge", *key), on=key, nulls_equal=True)
        .group_by("charge")
        .agg(lines=PLACE.unique().sort())
    )
    return found.collect()


def own_sizes(books: Books) -> pl.DataFrame:
    """Amazon's own measures of each SKU from the fee preview: `size` (a number), `sku`, measures, `place`.

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
    return kept.drop("rank").collect().with_row_index("size")


def sellers_sizes(books: Books) -> pl.DataFrame:
    """The seller's own measures and category of each SKU: `version` (a number), `since`, `until`, `place`.

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
    return kept.with_columns(until=pl.col("since").shift(-1).over("sku").dt.offset_by("-1d")).with_row_index("version")


def with_version(items: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    """`items` with the `version` of the seller's product that holds on `day`; null where the SKU has none."""
    several = versions["sku"].is_duplicated().any()
    spans = versions.select("sku", "version", *(["since", "until"] if several else []))
    if not several:
        return items.join(spans, on="sku", how="left")
    holds = (pl.col("since").is_null() | (pl.col("since") <= pl.col("day"))) & (
        pl.col("until").is_null() | (pl.col("until") >= pl.col("day"))
    )
    found = items.select("charge", "sku", "day").join(spans, on="sku").filter(holds)
    return items.join(found.select("charge", "version").unique("charge", keep="any"), on="charge", how="left")
