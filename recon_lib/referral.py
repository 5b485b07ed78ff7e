"""Referral fees (commission) and the fee Amazon keeps on a refund, from the rate tables.

Bands: `whole` = the rate of the band holds for the whole price, `marginal` = each rate for its slice, `flat` = one rate.
The lower limit of a band is exclusive (except 0), the upper one inclusive. Fees are positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from recon_lib.measures import exact
from recon_lib.money import RATE, round_money_expr
from recon_lib.policy import EURO_STORES, Policy, holds_on

NO_TABLE = "no referral table for this marketplace"
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e"}


def category_key(column: str) -> pl.Expr:
    """A category compared without case, outer and double blanks and umlauts, `&` as `and`; null where empty."""
    key = pl.col(column).str.to_lowercase().str.replace_all("&", " and ", literal=True)
    key = key.str.strip_chars().str.replace_all(r"\s+", " ")
    return key.str.replace_many(list(_UMLAUTS), list(_UMLAUTS.values())).replace("", None)


def referral_days(policy: Policy, marketplace: str) -> list[date]:
    """The first days of all stretches in which the store's referral rates stay as they are, ascending."""
    table = policy.of("referral_fees", marketplace)
    return (
        pl.concat([table["effective_from"], table["effective_to"].dt.offset_by("1d")])
        .drop_nulls()
        .unique()
        .sort()
        .to_list()
    )


def referral_rates(policy: Policy, marketplace: str) -> pl.DataFrame:
    """One row a category, period and band: `key`, limits, `rate`, `minimum_fee`, `below` (fee of the slices under a
    marginal band), `is_marginal`, `currency`, `row`, `status`."""
    card = ["key", "effective_from"]
    marginal = pl.col("band_mode") == "marginal"
    slice_fee = (pl.col("max_price") - pl.col("min_price")) * pl.col("rate")
    return (
        policy.of("referral_fees", marketplace)
        .with_columns(key=category_key("category"), is_marginal=marginal)
        .sort(*card, "min_price")
        .with_columns(
            below=pl.when(marginal).then(slice_fee.cum_sum().shift(1).over(card).fill_null(0)).otherwise(exact(0)),
            lower=pl.when(marginal).then(pl.col("min_price")).otherwise(exact(0)),
        )
        .select(
            "key",
            "effective_from",
            "effective_to",
            "min_price",
            "max_price",
            "rate",
            "minimum_fee",
            "below",
            "lower",
            "is_marginal",
            "currency",
            "row",
            "status",
        )  # fmt: skip
    )


def referral_fees(charges: pl.DataFrame, policy: Policy, marketplace: str) -> pl.DataFrame:
    """One row a charge: `charge`, `fee` for all its units, `rate`, `fee_row`, `fee_status`, `reason`.

    Reads `charge` (unique), `day`, `category`, `units`, `principal` (of all units), `base` (total price with shipping and
    gift wrap, without tax, less promotions), `currency`. The band is that of the principal a unit; slices are cut
    from the base. fee = the larger of rate x base and units x minimum fee, rounded half up. Rows keep no order.
    """
    rates = referral_rates(policy, marketplace)
    units = pl.col("units").cast(RATE)
    keys = charges.select("category").unique().with_columns(key=category_key("category"))
    cases = charges.select(
        "charge",
        "category",
        "day",
        "units",
        "currency",
        base=pl.col("base").cast(RATE),
        price=pl.when(pl.col("units") > 0).then(pl.col("principal").cast(RATE) / units),
    )
    cases = cases.join(keys, on="category", how="left", nulls_equal=True).drop("category")
    price = pl.when("is_marginal").then(pl.col("base") / units).otherwise(pl.col("price"))
    in_band = ((price > pl.col("min_price")) | (pl.col("min_price") == 0)) & (
        pl.col("max_price").is_null() | (price <= pl.col("max_price"))
    )
    share = (pl.col("base") - pl.col("lower") * units) * pl.col("rate") + pl.col("below") * units
    found = (
        cases.lazy()
        .filter(pl.col("price").is_not_null())
        .join(rates.lazy(), on=["key", "currency"])
        .filter(holds_on(pl.col("day")) & in_band)
        .with_columns(fee=round_money_expr(pl.max_horizontal(share, pl.col("minimum_fee") * units)))
        .select("charge", "fee", "rate", fee_row="row", fee_status="status")
        .collect()
    )
    known = pl.col("key").is_in(rates["key"].unique().to_list())
    reason = (
        pl.when(pl.col("fee").is_not_null())
        .then(None)
        .when(pl.lit(rates.is_empty()))
        .then(pl.lit(NO_TABLE))
        .when(pl.col("key").is_null())
        .then(pl.lit("unknown category"))
        .when(~known)
        .then(pl.lit("unmapped category"))
        .when(pl.col("price").is_null())
        .then(pl.lit("price unknown"))
        .otherwise(pl.lit("no rate row"))
    )
    return cases.join(found, on="charge", how="left").select(
        "charge", "fee", "rate", "fee_row", "fee_status", reason=reason
    )


@dataclass(frozen=True)
class RefundFee:
    """What Amazon keeps of a referral fee it gives back: the lesser of `share` of the fee and `cap` an item."""

    share: Decimal
    cap: Decimal
    currency: str
    status: str
    row: str


def refund_fee(policy: Policy, marketplace: str) -> RefundFee | None:
    """The store's refund administration fee; None where none is sourced (the UK)."""
    rows = policy["other_fees"].filter(pl.col("fee") == "refund_administration_fee")
    own = rows.filter(pl.col("marketplace") == marketplace)
    if own.is_empty() and marketplace in EURO_STORES:
        own = rows.filter(pl.col("marketplace") == "EU")
    for row in own.iter_rows(named=True):
        return RefundFee(row["amount"], row["cap"], row["currency"], row["status"], row["row"])
    return None
