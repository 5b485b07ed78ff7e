"""Fulfilment fees of the rate cards, for many cases at once.

A case is one product measure on one day at one price. What cannot be known (a measure, a tier, a rate row, a price
inside a disputed limit) is null with its `reason`; it is never guessed. Fees are positive, a unit, in the card's currency.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, cast

import polars as pl

from recon_lib.measures import exact
from recon_lib.money import MONEY, RATE, round_money_expr
from recon_lib.policy import EURO_STORES, Policy, holds_on
from recon_lib.tiers import size_tiers

# The standard US card says of itself that it is for goods other than apparel; the apparel card knows the standard sizes.
_APPAREL = ("clothing and accessories", "clothing", "apparel", "gl_apparel")
_DRESS = "clothing|apparel"
# European parcels of these categories have a programme of their own; the sources do not agree on the full list. As the
# English and German tables and Amazon's product groups name them.
_SELECTED = (
    "clothing|apparel|kleidung|footwear|shoe|schuh|grocery|lebensmittel|(^|[^a-z])pets?([^a-z]|$)|haustier|tierbedarf|tiernahrung"
    "|luggage access|gl_luggage|koffer|gep(ae|ä)ck"
)
OWN_CARD = _SELECTED
"""What a category or product group says of goods that may have a card of their own."""
_ENDLESS = 10_000_000
_KILO = {"oz": exact(16), "lb": exact(1), "g": exact(1000), "kg": exact(1)}


def card_currency(policy: Policy, marketplace: str) -> str | None:
    """The currency of the store's fulfilment card; None where it has no card."""
    found = policy.of("fulfilment_fees", marketplace)["currency"].unique().to_list()
    return str(found[0]) if len(found) == 1 else None


def card_days(policy: Policy, marketplace: str) -> list[date]:
    """The first days of all stretches in which tiers, cards and surcharges of the store stay as they are, ascending."""
    tables = [policy.of(t, marketplace) for t in ("size_tiers", "fulfilment_fees")]
    tables.append(surcharges(policy, marketplace))
    firsts = [t["effective_from"] for t in tables] + [t["effective_to"].dt.offset_by("1d") for t in tables]
    return pl.concat(firsts).drop_nulls().unique().sort().to_list()


def price_steps(policy: Policy, marketplace: str) -> list[Decimal]:
    """The first prices of all price bands of the store's fulfilment cards, ascending; a disputed limit is a step too."""
    cards = policy.of("fulfilment_fees", marketplace)
    cent = exact("0.01")
    after = [cards.select(x=pl.col(c) + cent)["x"] for c in ("price_max", "price_disputed_above")]
    return pl.concat([cards["price_min"], *after]).drop_nulls().unique().sort().to_list()


def surcharges(policy: Policy, marketplace: str) -> pl.DataFrame:
    """Fuel and logistics surcharge rows of the store (the row of the EU for its stores without one of their own)."""
    rows = policy["other_fees"].filter(pl.col("fee") == "fuel_and_logistics_surcharge")
    own = rows.filter(pl.col("marketplace") == marketplace)
    return own if own.height or marketplace not in EURO_STORES else rows.filter(pl.col("marketplace") == "EU")


def plain_category(column: str) -> pl.Expr:
    """The words of a category in small letters, `&` as `and`, without what stands in brackets (`ohne Babybekleidung`)."""
    words = pl.col(column).str.to_lowercase().str.replace_all(r"\(.*?\)", "").str.replace_all(r"\s*&\s*", " and ")
    return words.str.strip_chars()


def with_programme(cases: pl.DataFrame, marketplace: str) -> pl.DataFrame:
    """`cases` with the programme that their `category` and `is_dangerous` put them into (`wanted`); null where the sources leave
    it open."""
    words = cases.select(pl.col("category").unique())  # few, however many cases
    plain = plain_category("category")
    own = _SELECTED if marketplace in ("UK", "DE") else _DRESS
    words = words.with_columns(is_apparel=plain.is_in(_APPAREL), has_own=plain.str.contains(own))
    out: Any = pl.when(pl.col("is_dangerous").fill_null(False)).then(pl.lit("dangerous_goods"))
    if marketplace == "US":
        standard_size = pl.col("size_tier").is_in(["small_standard", "large_standard"])
        out = out.when(pl.col("is_apparel") & standard_size).then(pl.lit("apparel"))
        out = out.when(pl.col("has_own") & standard_size).then(None)
    elif marketplace in ("UK", "DE"):
        parcel = pl.col("size_tier").is_in(["small_parcel", "standard_parcel"])
        out = out.when(pl.col("has_own").fill_null(True) & parcel).then(None)  # also where nothing says what it is
    joined = cases.join(words, on="category", how="left", nulls_equal=True)
    return joined.with_columns(wanted=out.otherwise(pl.lit("standard"))).drop("is_apparel", "has_own")


def fulfilment_fees(
    cases: pl.DataFrame, policy: Policy, marketplace: str, *, cep_enrolled: bool | None = None
) -> pl.DataFrame:
    """One row a case: `case`, `size_tier`, `billable_weight`, `programme`, `card_fee`, `surcharge`, `fee`, `fee_row`,
    `fee_status`, `reason`.

    Reads `case` (unique), `day`, `price` (a unit), the measures, `category`, `is_dangerous`. `fee` = card fee x (1 + surcharge
    of the day), rounded half up. A low-price row that holds for day, price, tier and weight goes before the standard one.
    Rows keep no order.
    """
    currency = card_currency(policy, marketplace)
    tiered = with_programme(size_tiers(cases, policy, marketplace), marketplace)
    rates = policy.of("fulfilment_fees", marketplace).filter(
        pl.col("cep_enrolled").is_null() | (pl.col("cep_enrolled") == pl.lit(cep_enrolled, pl.Boolean))
    )
    matched = _lowest_band(tiered, rates)
    days = tiered.select("day").unique()
    low = pl.col("programme") == "low_price"
    disputed = low & (pl.col("price") > pl.col("price_disputed_above")).fill_null(False)
    size, unit = pl.col("extra_unit").str.split(" ").list.get(0), pl.col("extra_unit").str.split(" ").list.get(1)
    step = size.cast(RATE) / pl.when(unit == "oz").then(exact(16)).otherwise(exact(1))
    steps = ((pl.col("billable_weight") - pl.col("base_covers_weight")) / step).ceil()
    extra = pl.max_horizontal(steps, exact(0)) * pl.col("per_extra_unit_fee")
    uncovered = pl.col("per_extra_unit_fee").is_not_null() & pl.col("base_covers_weight").is_null()
    card = (
        pl.when(pl.col("per_extra_unit_fee").is_null()).then(pl.col("base_fee")).otherwise(pl.col("base_fee") + extra)
    )
    more = days.join(surcharges(policy, marketplace), how="cross").filter(holds_on(pl.col("day")))
    priced = (
        matched.with_columns(
            card_fee=pl.when(~disputed & ~uncovered).then(card),
            why=pl.when(disputed)
            .then(pl.lit("programme limit disputed at that price"))
            .when(uncovered)
            .then(pl.lit("weight covered by the base fee not known")),
        )
        .join(
            more.select("day", surcharge="amount", surcharge_row="row", surcharge_status="status"), on="day", how="left"
        )
        .with_columns(surcharge=pl.col("surcharge").fill_null(0), currency=pl.lit(currency, pl.String))
        .with_columns(fee=round_money_expr(pl.col("card_fee") * (exact(1) + pl.col("surcharge"))).cast(MONEY))
        .select(
            "case",
            "programme",
            "card_fee",
            "surcharge",
            "fee",
            "why",
            fee_row=pl.concat_str([pl.col("row"), pl.col("surcharge_row")], separator=" + ", ignore_nulls=True),
            fee_status=pl.when((pl.col("status") == "uncertain") | (pl.col("surcharge_status") == "uncertain"))
            .then(pl.lit("uncertain"))
            .otherwise(pl.col("status")),
        )
    )
    measures = pl.any_horizontal(
        pl.col("longest_side", "median_side", "shortest_side", "dimension_unit", "weight", "weight_unit").is_null()
    )
    reason = (
        pl.when(pl.col("fee").is_not_null())
        .then(None)
        .when(pl.lit(currency is None))
        .then(pl.lit("no rate card for this marketplace"))
        .when(measures)
        .then(pl.lit("measure missing"))
        .when(pl.col("price").is_null())
        .then(pl.lit("price unknown"))
        .when(pl.col("why").is_not_null())
        .then(pl.col("why"))
        .when(pl.col("size_tier").is_null())
        .then(pl.lit("no size tier row"))
        .when(pl.col("wanted").is_null())
        .then(
            pl.lit("category may be " + ("apparel" if marketplace == "US" else "in the selected-categories programme"))
        )
        .otherwise(pl.lit("no rate row"))
    )
    uncertain = (pl.col("tier_status") == "uncertain") | (pl.col("fee_status") == "uncertain")
    out = tiered.join(priced, on="case", how="left").with_columns(
        reason=reason, fee_status=pl.when(uncertain).then(pl.lit("uncertain")).otherwise(pl.col("fee_status"))
    )
    names = "case size_tier billable_weight programme card_fee surcharge fee tier_row fee_row fee_status reason"
    return out.select(names.split())


def _lowest_band(tiered: pl.DataFrame, rates: pl.DataFrame) -> pl.DataFrame:
    """The rate row of each case: in force on its day, of its price band, tier and programme, the smallest weight that holds it.

    Days and prices are matched once for every pair that occurs; then each case meets its weight band, without a fan-out.
    """
    pairs = (
        tiered.select("day", "price")
        .filter(pl.col("price").is_not_null())
        .unique()
        .sort("day", "price")
        .with_row_index("pair")
    )
    # A price between two bands (a third of 10.00, say) belongs to the lower one: bands begin at their first price.
    in_band = pl.col("price_min").is_null() | (
        (pl.col("price") >= pl.col("price_min"))
        & (pl.col("price_max").is_null() | (pl.col("price") < pl.col("price_max") + exact("0.01")))
    )
    heavy = (pl.col("max_weight") / _kilo("weight_unit")).fill_null(exact(_ENDLESS))
    bands = (
        pairs.join(rates, how="cross")
        .filter(holds_on(pl.col("day")) & in_band)
        .select("pair", "size_tier", "programme", top=heavy, rate_line="table_line")
        .sort("top")
    )
    weighed = tiered.filter(pl.col("billable_weight").is_not_null()).join(pairs, on=["day", "price"])
    weighed = weighed.select("case", "day", "pair", "size_tier", "wanted", "price", "billable_weight").sort(
        "billable_weight"
    )
    found = []
    for programme in ("low_price", None):
        of = weighed.with_columns(programme=pl.lit(programme) if programme else pl.col("wanted"))
        of = of.filter(pl.col("wanted") == "standard") if programme else of.filter(pl.col("wanted").is_not_null())
        found.append(
            of.join_asof(
                bands, left_on="billable_weight", right_on="top", by=["pair", "size_tier", "programme"], strategy="forward",
                check_sortedness=False,
            ).filter(pl.col("rate_line").is_not_null())
        )  # fmt: skip
    chosen = pl.concat(found).unique("case", keep="first", maintain_order=True)
    return chosen.select("case", "day", "price", "billable_weight", "rate_line").join(
        rates.rename({"table_line": "rate_line"}), on="rate_line", how="left"
    )


def _kilo(unit: str) -> pl.Expr:
    """How many of the unit in column `unit` make a pound or a kilogram."""
    out: Any = pl.when(pl.lit(False)).then(exact(1))
    for name, count in _KILO.items():
        out = out.when(pl.col(unit) == name).then(count)
    return cast(pl.Expr, out.otherwise(None))
