"""Fulfilment fees against the rate card, for Amazon's own measure and for the seller's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from recon_lib.audits.fee_items import MEASURES, own_sizes
from recon_lib.books import Books
from recon_lib.cards import card_days, fulfilment_fees, price_steps
from recon_lib.measures import exact
from recon_lib.money import RATE
from recon_lib.policy import Policy

_NOT_DANGEROUS = ["", "--", "none", "no", "n/a", "false", "not dangerous"]


@dataclass(frozen=True)
class Goods:
    """What is known about the products: Amazon's measures, the seller's versions, and which ASINs are dangerous goods."""

    amazon: pl.DataFrame  # fee_items.own_sizes, with `is_dangerous`
    seller: pl.DataFrame  # fee_items.sellers_sizes, with product_group and `is_dangerous`

    @classmethod
    def of(cls, books: Books, seller: pl.DataFrame) -> Goods:
        stored = books.frames["storage_fees"].select("asin", kind=pl.col("dangerous_goods_type").str.to_lowercase())
        told = stored.filter(pl.col("kind").is_not_null() & ~pl.col("kind").is_in(_NOT_DANGEROUS)).collect()
        dangerous = pl.col("asin").is_in(told["asin"].unique().to_list()).fill_null(False)
        amazon = own_sizes(books).with_columns(is_dangerous=dangerous)
        first = amazon.unique("sku", keep="first", maintain_order=True).select("sku", "product_group", "is_dangerous")
        joined = seller.join(first, on="sku", how="left").with_columns(
            is_dangerous=dangerous | pl.col("is_dangerous").fill_null(False)
        )
        return cls(amazon, joined)


def _group() -> pl.Expr:
    """The seller's category, or the preview's product group where it says apparel."""
    apparel = pl.when(pl.col("product_group").str.to_lowercase() == "apparel").then("product_group")
    return pl.coalesce("category", apparel)


@dataclass(frozen=True)
class Card:
    """The store's card and the steps by which it tells days and prices apart."""

    policy: Policy
    marketplace: str
    cep_enrolled: bool | None

    @cached_property
    def days(self) -> list[date]:
        """The first day of every stretch; the one before all tables comes first."""
        return [date(1, 1, 1), *card_days(self.policy, self.marketplace)]

    @cached_property
    def steps(self) -> list[Decimal]:
        """The first price of every band."""
        return [Decimal(0), *(step for step in price_steps(self.policy, self.marketplace) if step > 0)]

    @staticmethod
    def _first(values: list[Any], number: str) -> pl.Expr:
        kind = pl.Date if isinstance(values[0], date) else RATE
        return pl.col(number).replace_strict(dict(enumerate(values)), default=None, return_dtype=kind)

    def stretch(self, items: pl.DataFrame) -> pl.DataFrame:
        """`items` with `price` a unit, and the numbers of the stretch of days and the price band they lie in."""
        price = pl.when(pl.col("units") > 0).then(pl.col("principal").cast(RATE) / pl.col("units").cast(RATE))
        days = [pl.col("day") >= pl.lit(day) for day in self.days[1:]]
        steps = [pl.col("price") >= exact(step) for step in self.steps[1:]]
        return items.with_columns(price=price).with_columns(
            segment=pl.sum_horizontal(pl.lit(0), *days).cast(pl.UInt8),
            band=pl.when(pl.col("price").is_not_null()).then(pl.sum_horizontal(pl.lit(0), *steps)).cast(pl.UInt8),
        )

    def fees(self, keyed: pl.DataFrame, key: list[str], attributes: pl.DataFrame, wanted: list[str]) -> pl.DataFrame:
        """`charge` and the `wanted` columns of its card fee.

        Charges that the tables cannot tell apart (same goods, same stretch of days, same price band) are priced once. A
        charge that stands on several rows (several measures) takes the highest fee, and none if one is unknown.
        """
        full = [*key, "segment", "band"]
        cases = keyed.select(full).unique().with_row_index("case")
        cases = cases.with_columns(day=self._first(self.days, "segment"), price=self._first(self.steps, "band"))
        told = cases.join(attributes, on=key, nulls_equal=True)
        priced = fulfilment_fees(told, self.policy, self.marketplace, cep_enrolled=self.cep_enrolled)
        by_case = cases.select("case", *full).join(priced.select("case", *wanted), on="case", how="left").drop("case")
        out = keyed.select("charge", *full).join(by_case, on=full, how="left", nulls_equal=True).drop(full)
        if not out["charge"].is_duplicated().any():
            return out
        ordered = out.sort("charge", "fee", descending=[False, True], nulls_last=False)
        return ordered.unique("charge", keep="first", maintain_order=True)


def with_fees(items: pl.DataFrame, goods: Goods, card: Card, *, brief: bool) -> pl.DataFrame:
    """`items` (with `version`) with `own_*` (the card for Amazon's measure) and `true_*` (for the seller's) beside each charge.

    `brief`: only fee and reason, for looking at millions.
    """
    wanted = ["fee", "reason"]
    if not brief:
        wanted += ["size_tier", "programme", "tier_row", "fee_row", "fee_status"]
    placed = card.stretch(items)
    narrow = placed.select("charge", "sku", "version", "day", "price", "segment", "band")
    by_amazon = narrow.join(goods.amazon.select("sku", "size"), on="sku").drop("sku")
    category = (
        by_amazon.select("size", "version")
        .unique()
        .join(goods.seller.select("version", "category"), on="version", how="left")
    )
    own_goods = category.join(goods.amazon.select("size", *MEASURES, "product_group", "is_dangerous"), on="size")
    own = card.fees(by_amazon, ["size", "version"], own_goods.with_columns(category=_group()), wanted)
    measured = goods.seller.filter(pl.col("longest_side").is_not_null())
    by_seller = narrow.join(measured.select("version"), on="version", how="semi").drop("sku")
    true_goods = measured.select("version", *MEASURES, "is_dangerous", category=_group())
    true = card.fees(by_seller, ["version"], true_goods, wanted)
    out = placed.drop("segment", "band")
    for side, fees in (("own", own), ("true", true)):
        out = out.join(fees.rename({name: f"{side}_{name}" for name in wanted}), on="charge", how="left")
    return out
