"""What was charged and given back, one row an order item or refund, and the measures it should have been charged by."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from recon_lib.audits.evidence import PLACE
from recon_lib.audits.settled_facts import concerned_orders, put_together, whole_money
from recon_lib.books import Books
from recon_lib.code_words import usual_words
from recon_lib.item_runs import ITEM, ORDER_NUMBER, any_case, code, parcel_units, repeated
from recon_lib.sold import items, proof, settled_lines

_STORES = {
    "amazon.com": "US", "amazon.ca": "CA", "amazon.com.mx": "MX", "amazon.com.br": "BR", "amazon.co.uk": "UK",
    "amazon.de": "DE", "amazon.fr": "FR", "amazon.it": "IT", "amazon.es": "ES", "amazon.nl": "NL", "amazon.se": "SE",
    "amazon.pl": "PL", "amazon.com.be": "BE", "amazon.ie": "IE", "amazon.com.tr": "TR", "amazon.ae": "AE", "amazon.sa": "SA",
    "amazon.eg": "EG", "amazon.in": "IN", "amazon.co.jp": "JP", "amazon.com.au": "AU", "amazon.sg": "SG", "amazon.co.za": "ZA",
    "amazon.jp": "JP",  # as Japanese reports also write it
}  # fmt: skip
SIDE = ["order_id", "sku", "currency"]
REFUND = ["order_id", "adjustment_id", "order_item_code", "sku", "currency", "posted_on"]
MEASURES = ["longest_side", "median_side", "shortest_side", "dimension_unit", "weight", "weight_unit"]


def _store() -> pl.Expr:
    """The store a line was sold in; `other` for a name that is none of Amazon's stores (a multi-channel order, say)."""
    name = pl.col("marketplace_name").str.strip_chars().str.to_lowercase()
    return pl.when(name.is_not_null()).then(name.replace_strict(_STORES, default="other", return_dtype=pl.String))


_MONEY = ("principal", "base", "commission", "fulfilment")


def cases(rows: pl.DataFrame, by: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Charges that nothing in `by` tells apart are one case: `rows` with its number `case`, and one row a case.

    Of other columns a case has any value, of `day` the first one; `rows` counts its charges.
    """
    number = pl.reduce(lambda a, b: a ^ b, [pl.col(c).hash(seed) for seed, c in enumerate(by, 1)])
    rows = rows.with_columns(case=number)
    firsts = [pl.col(c).first() for c in rows.columns if c not in ("case", "day", "rows")]
    return rows, rows.group_by("case").agg(*firsts, pl.col("day").min(), rows=pl.len().cast(pl.Int64))


def charge_cases(books: Books, days: list[date]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The order items that were charged a referral or fulfilment fee (`charge` and `case`), and their cases.

    A case has the columns of `sold.items`, money in MONEY, `store` and `rows`; its number is its `charge`. Two items of one case
    differ by nothing but their order, in the same stretch between two of the `days` on which a rule or a measure changes.
    """
    charged = items(books).filter((pl.col("commission") > 0) | (pl.col("fulfilment") > 0))
    edges = pl.Series("edges", sorted(set(days)), dtype=pl.Date).to_physical().to_numpy()
    era = np.searchsorted(edges, charged["day"].to_physical().fill_null(0).to_numpy(), "right")
    same = ["sku", "currency", "marketplace_name", "units", *_MONEY, "era"]
    charged = charged.with_columns(era=pl.when(pl.col("day").is_not_null()).then(pl.Series(era)))
    numbered, found = cases(charged, same)
    found = _with_store(found.with_columns(whole_money(c).alias(c) for c in _MONEY))
    return numbered.select("charge", "case"), found.drop("charge", "era").rename({"case": "charge"})


def order_items(books: Books, only: pl.DataFrame) -> pl.DataFrame:
    """The order items with the `charge` numbers of `only`, one row an exact key: as `sold.items`, with `store` and settlement,
    money in MONEY."""
    runs = settled_lines(books).orders.filter("is_item")
    rows, how = _of_runs(runs.join(only.select("charge").unique(), on="charge", how="semi"))
    how |= {"number": pl.col("charge").first()}
    made = rows.group_by(ITEM).agg(**{c: e for c, e in how.items() if c not in ITEM})
    made = _with_parcels(made, rows, "number").drop("number")
    made = _with_store(made.with_columns(whole_money(c).alias(c) for c in _MONEY))
    return made.sort("day", *ITEM, nulls_last=True).with_row_index("charge")


def refunded_order_items(books: Books, orders: pl.Series | None = None) -> pl.DataFrame:
    """The order items of all orders of which anything was refunded (and of others that are asked about), or only of `orders`
    (ORDER_NUMBER): ITEM, `base`, `commission` (ten-thousandths) and `units`, in no order."""
    runs = concerned_orders(books).filter("is_item")
    runs = runs if orders is None else runs.filter(pl.col("order").is_in(orders.implode()))
    return _by_number(runs).select(*ITEM, "base", "commission", "units")


def _of_runs(runs: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Expr]]:
    """Runs of orders, and how those of one item (`charge`) add up.

    `units` = the largest quantity on its rows (it stands on every row of a parcel), `day` the first posted day.
    """
    rows = runs.select(*ITEM, "charge", "units", "settlement_id", "marketplace_name", *_MONEY, day="posted_on")
    how = {c: pl.col(c).first() for c in ITEM} | {c: pl.col(c).sum() for c in _MONEY}
    how |= {"principal": pl.when(pl.col("principal").is_not_null().any()).then(pl.col("principal").sum())}
    how |= {c: pl.col(c).max() for c in ("units", "marketplace_name")}
    return rows, how | {c: pl.col(c).min() for c in ("day", "settlement_id")}


def _by_number(runs: pl.DataFrame) -> pl.DataFrame:
    rows, how = _of_runs(runs)
    return _with_parcels(put_together(rows, "charge", how), rows, "charge")


def _with_parcels(items: pl.DataFrame, runs: pl.DataFrame, number: str) -> pl.DataFrame:
    """`items` with the units of all their parcels, where one is told on several runs."""
    several = runs.filter(repeated(runs["charge"]))
    if several.is_empty():
        return items
    told = parcel_units(several.rename({"day": "posted_on"})).rename({"charge": number, "units": "parcels"})
    joined = items.join(told.with_columns(is_told=pl.lit(True)), on=number, how="left")
    return joined.with_columns(units=pl.when("is_told").then("parcels").otherwise("units")).drop("parcels", "is_told")


def _with_store(items: pl.DataFrame) -> pl.DataFrame:
    """`store` for `marketplace_name`: the few names are told once."""
    names = items.select("marketplace_name").unique().with_columns(store=_store())
    return items.join(names, on="marketplace_name", how="left", nulls_equal=True).drop("marketplace_name")


def refunds(books: Books, orders: pl.Series | None = None) -> pl.DataFrame:
    """One row a refund of an order item on a day: `back` = refunded base (0 where only fees came), `given` = commission given
    back, `kept` = refund commission kept; all positive, in ten-thousandths. `charge` is the number of its key.

    Of all orders, or only of `orders` (ORDER_NUMBER). Rows that brought neither a price nor commission are left away.
    """
    number = pl.reduce(lambda a, b: a ^ b, [pl.col(c).hash(seed) for seed, c in enumerate(REFUND, 1)])
    some = settled_lines(books).refunds.filter("has_code")
    some = some if orders is None else some.filter(pl.col("order").is_in(orders.implode()))
    rows = some.select(
        *REFUND, "settlement_id", "marketplace_name", charge=number, back=-pl.col("base"),
        given="commission", kept=-pl.col("kept"),
    )  # fmt: skip
    how = {c: pl.col(c).first() for c in REFUND} | {c: pl.col(c).sum() for c in ("back", "given", "kept")}
    how |= {"settlement_id": pl.col("settlement_id").min(), "marketplace_name": pl.col("marketplace_name").max()}
    told = put_together(rows, "charge", how).with_columns(pl.col("back").clip(0))
    return _with_store(told.filter((pl.col("back") > 0) | (pl.col("given") > pl.col("kept"))))


def proofs(books: Books, kind: str, keys: pl.DataFrame, codes: list[int]) -> pl.DataFrame:
    """The settlement lines of the orders of `keys` and one transaction type (`order`, `refund`) that carry one of the codes."""
    numbers = keys.select(ORDER_NUMBER).to_series()
    found = proof(books, kind, numbers, codes)
    several = found.filter("is_several")["order_id"].unique()
    names = [*dict.fromkeys(c for c in (*ITEM, *REFUND) if c in found.columns), "file", "line", "code"]
    one = found.filter(pl.col("line").is_not_null(), ~pl.col("order_id").is_in(several.implode())).select(names)
    if several.is_empty():
        return one
    rows = books.frames["settlement_lines"].filter(pl.col("order_id").is_in(several.implode())).collect()
    lines = usual_words(rows).filter(any_case("transaction_type", kind)).with_columns(code=code())
    return pl.concat([one, lines.filter(pl.col("code").is_in(codes)).select(names)])


def places(lines: pl.DataFrame, keys: pl.DataFrame, key: list[str], codes: list[int]) -> pl.DataFrame:
    """`charge`, `lines`: where the rows of those codes of each charge stand (`file:line`), sorted; `lines`: `proofs`."""
    found = lines.filter(pl.col("code").is_in(codes)).join(keys.select("charge", *key), on=key, nulls_equal=True)
    return found.group_by("charge").agg(lines=PLACE.unique().sort())


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
    known = pl.struct(*MEASURES, "category")
    kept = rows.filter(_begins() | (known != known.shift(1)).fill_null(True)).with_columns(
        since=pl.when(~_begins()).then("since")
    )
    until = pl.when(~_begins().shift(-1).fill_null(True)).then(pl.col("since").shift(-1).dt.offset_by("-1d"))
    return kept.with_columns(until=until).with_row_index("version")


def _begins() -> pl.Expr:
    """Is it the first row of its SKU, of rows sorted by SKU?"""
    return pl.col("sku").ne_missing(pl.col("sku").shift(1)) | (pl.int_range(pl.len()) == 0)


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
