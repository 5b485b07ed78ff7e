"""Fulfilment fees against the rate card, for Amazon's own measure and for the seller's."""

from __future__ import annotations

import polars as pl

from recon_lib.audits.fee_items import MEASURES, on_the_day
from recon_lib.cards import card_days, fulfilment_fees, price_steps
from recon_lib.money import RATE
from recon_lib.policy import Policy

_CASE = [*MEASURES, "category", "is_dangerous", "segment", "band"]


def expected(charges: pl.DataFrame, policy: Policy, marketplace: str, cep_enrolled: bool | None) -> pl.DataFrame:
    """`charge` with the card fee a unit: `fee`, `size_tier`, `programme`, `tier_row`, `fee_row`, `fee_status`, `reason`.

    Reads `charge`, `day`, `price` (a unit), measures, `category`, `is_dangerous`; a charge may stand on several rows (several
    measures): then the highest fee holds, and none if one of them is unknown. Charges that the tables cannot
    tell apart (same measure, same stretch of days, same price band) are priced once.
    """
    days, steps = card_days(policy, marketplace), price_steps(policy, marketplace)
    keyed = charges.with_columns(
        segment=pl.sum_horizontal(pl.lit(0), *(pl.col("day") >= pl.lit(d) for d in days)),
        band=pl.when(pl.col("price").is_not_null()).then(
            pl.sum_horizontal(pl.lit(0), *(pl.col("price") >= pl.lit(s).cast(RATE) for s in steps))
        ),
    )
    cases = keyed.group_by(_CASE).agg(pl.col("day").min(), pl.col("price").min()).with_row_index("case")
    fees = fulfilment_fees(cases, policy, marketplace, cep_enrolled=cep_enrolled)
    priced = keyed.select("charge", *_CASE).join(cases.select("case", *_CASE), on=_CASE, nulls_equal=True)
    joined = priced.select("charge", "case").join(fees, on="case")
    ordered = joined.sort("charge", "fee", descending=[False, True], nulls_last=False)
    return ordered.unique("charge", keep="first", maintain_order=True).drop("case")


def with_fees(
    items: pl.DataFrame,
    amazon: pl.DataFrame,
    seller: pl.DataFrame,
    dangerous: list[str],
    policy: Policy,
    marketplace: str,
    cep_enrolled: bool | None,
) -> pl.DataFrame:
    """`items` with `own_*` (the card for Amazon's measure) and `true_*` (for the seller's) beside every charge."""
    price = pl.when(pl.col("units") > 0).then(pl.col("principal").cast(RATE) / pl.col("units").cast(RATE))
    charges = items.select("charge", "sku", "day", price=price)
    known = on_the_day(charges, seller, ["category"])
    is_dangerous = pl.col("asin").is_in(dangerous)
    group = pl.coalesce(
        "category", pl.when(pl.col("product_group").str.to_lowercase() == "apparel").then("product_group")
    )
    by_amazon = known.join(amazon, on="sku").with_columns(category=group, is_dangerous=is_dangerous)
    own = expected(by_amazon, policy, marketplace, cep_enrolled).rename(lambda c: c if c == "charge" else f"own_{c}")
    marks = amazon.select("sku", "asin", "fnsku", "product_group", own_place="place").unique(
        "sku", keep="first", maintain_order=True
    )
    measured = on_the_day(charges, seller, [*MEASURES, "category", "place"]).filter(
        pl.col("longest_side").is_not_null()
    )
    by_seller = measured.join(marks.select("sku", "asin", "product_group"), on="sku", how="left").with_columns(
        category=group, is_dangerous=is_dangerous.fill_null(False)
    )
    true = expected(by_seller, policy, marketplace, cep_enrolled).rename(lambda c: c if c == "charge" else f"true_{c}")
    places = by_seller.select("charge", true_place="place")
    return (
        items.join(marks.drop("product_group"), on="sku", how="left")
        .join(own, on="charge", how="left")
        .join(true, on="charge", how="left")
        .join(places, on="charge", how="left")
        .with_columns(price=price)
    )
