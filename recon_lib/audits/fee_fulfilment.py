"""Fulfilment fees against the rate card, for Amazon's own measure and for the seller's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from recon_lib.audits.fee_common import is_dangerous
from recon_lib.audits.fee_items import MEASURES, own_sizes
from recon_lib.books import Books
from recon_lib.cards import OWN_CARD, card_days, fulfilment_fees, plain_category, price_steps
from recon_lib.measures import exact
from recon_lib.money import RATE
from recon_lib.policy import Policy

ATTRIBUTES = [*MEASURES, "category", "is_dangerous"]  # of a product, that decide its fee
WANTED = ["fee", "reason", "size_tier", "programme", "tier_row", "fee_row", "fee_status"]  # of what the card says


@dataclass(frozen=True)
class Goods:
    """What is known about the products: Amazon's measures, the seller's versions, and which ASINs are dangerous goods."""

    amazon: pl.DataFrame  # fee_items.own_sizes, with `is_dangerous`
    seller: pl.DataFrame  # fee_items.sellers_sizes, with product_group and `is_dangerous`

    @classmethod
    def of(cls, books: Books, seller: pl.DataFrame) -> Goods:
        told = books.frames["storage_fees"].filter(is_dangerous()).select("asin").collect()
        dangerous = pl.col("asin").is_in(told["asin"].unique().to_list()).fill_null(False)
        amazon = own_sizes(books).with_columns(is_dangerous=dangerous)
        first = amazon.unique("sku", keep="first", maintain_order=True).select("sku", "product_group", "is_dangerous")
        joined = seller.join(first, on="sku", how="left").with_columns(
            is_dangerous=dangerous | pl.col("is_dangerous").fill_null(False)
        )
        return cls(amazon, joined)


def _group() -> pl.Expr:
    """The seller's category, or the preview's product group where only that says that the goods may have a card of their own."""
    group = plain_category("product_group")
    is_told = plain_category("category").str.contains(OWN_CARD).fill_null(False)
    apparel = group.str.contains("apparel").fill_null(False)
    return (
        pl.when(apparel)
        .then(pl.lit("apparel"))
        .when(~is_told & group.str.contains(OWN_CARD).fill_null(False))
        .then("product_group")
        .otherwise(pl.coalesce("category", "product_group"))
    )


@dataclass(frozen=True)
class Side:
    """Charges and the measure by which they are priced: Amazon's own (0) or the seller's (1)."""

    number: int
    charges: pl.DataFrame  # charge, segment, band and the key
    key: list[str]
    goods: pl.DataFrame  # ATTRIBUTES of each key

    @property
    def full(self) -> list[str]:
        return [*self.key, "segment", "band"]


@dataclass(frozen=True)
class Card:
    """The store's card and the steps by which it tells days and prices apart."""

    policy: Policy
    marketplace: str
    cep_enrolled: bool | None
    _known: list[pl.DataFrame] = field(default_factory=list, repr=False, compare=False)  # what was priced, side by side

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

    def fees(self, sides: list[Side], wanted: list[str]) -> list[pl.DataFrame]:
        """Of each side `charge` and the `wanted` columns of its card fee.

        Charges that the tables cannot tell apart (same goods, same stretch of days, same price band) are priced once, those
        of all sides together, and stay known. A charge that stands on several rows (several measures) takes the highest
        fee, and none if one is unknown.
        """
        known = self._known
        if not known or any(self._is_new(side) for side in sides):
            known = self._priced(sides)
            self._known[:] = known
        return [_of_charges(side, by_case, wanted) for side, by_case in zip(sides, known, strict=True)]

    def _is_new(self, side: Side) -> bool:
        by_case = self._known[side.number]
        return side.charges.join(by_case, on=side.full, how="anti", nulls_equal=True).height > 0

    def _priced(self, sides: list[Side]) -> list[pl.DataFrame]:
        cases, told, first = [], [], 0
        for side in sides:
            found = side.charges.select(side.full).unique().with_row_index("case", offset=first)
            found = found.with_columns(day=self._first(self.days, "segment"), price=self._first(self.steps, "band"))
            told.append(
                found.join(side.goods, on=side.key, nulls_equal=True).select("case", "day", "price", *ATTRIBUTES)
            )
            cases.append(found)
            first += found.height
        priced = fulfilment_fees(pl.concat(told), self.policy, self.marketplace, cep_enrolled=self.cep_enrolled)
        return [
            found.select("case", *side.full).join(priced.select("case", *WANTED), on="case", how="left").drop("case")
            for found, side in zip(cases, sides, strict=True)
        ]


def _of_charges(side: Side, by_case: pl.DataFrame, wanted: list[str]) -> pl.DataFrame:
    told = by_case.select(*side.full, *wanted)
    out = (
        side.charges.select("charge", *side.full).join(told, on=side.full, how="left", nulls_equal=True).drop(side.full)
    )
    if not out["charge"].is_duplicated().any():
        return out
    ordered = out.sort("charge", "fee", descending=[False, True], nulls_last=False)
    return ordered.unique("charge", keep="first", maintain_order=True)


def with_fees(items: pl.DataFrame, goods: Goods, card: Card, *, brief: bool) -> pl.DataFrame:
    """`items` (with `version`) with `own_*` (the card for Amazon's measure) and `true_*` (for the seller's) beside each charge.

    `brief`: only fee and reason, for looking at millions.
    """
    wanted = WANTED[:2] if brief else WANTED
    placed = card.stretch(items)
    narrow = placed.select("charge", "sku", "version", "day", "price", "segment", "band")
    by_amazon = narrow.join(goods.amazon.select("sku", "size"), on="sku").drop("sku")
    category = (
        by_amazon.select("size", "version")
        .unique()
        .join(goods.seller.select("version", "category"), on="version", how="left")
    )
    own_goods = category.join(goods.amazon.select("size", *MEASURES, "product_group", "is_dangerous"), on="size")
    own_side = Side(0, by_amazon, ["size", "version"], own_goods.with_columns(category=_group()))
    measured = goods.seller.filter(pl.col("longest_side").is_not_null())
    by_seller = narrow.join(measured.select("version"), on="version", how="semi").drop("sku")
    true_goods = measured.select("version", *MEASURES, "is_dangerous", category=_group())
    own, true = card.fees([own_side, Side(1, by_seller, ["version"], true_goods)], wanted)
    out = placed.drop("segment", "band")
    for side, fees in (("own", own), ("true", true)):
        out = out.join(fees.rename({name: f"{side}_{name}" for name in wanted}), on="charge", how="left")
    return out
