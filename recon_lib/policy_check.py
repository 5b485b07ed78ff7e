"""What would be wrong in the policy tables: overlaps, holes inside a card, limits upside down, unknown words."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

STATUSES = ("documented", "secondary", "derived", "uncertain")
# Two rows of one table with the same key must not hold on the same day.
_KEYS = {
    "claim_windows": ["marketplace", "claim_type"],
    "valuation_basis": ["marketplace", "event_class"],
    "size_tiers": ["marketplace", "size_tier"],
    "fulfilment_fees": [
        "marketplace",
        "programme",
        "size_tier",
        "max_weight",
        "weight_unit",
        "price_min",
        "price_max",
        "cep_enrolled",
    ],
    "referral_fees": ["marketplace", "category", "min_price", "max_price"],
    "storage_fees": ["marketplace", "fee_type", "size_class", "month_from", "condition"],
    "other_fees": ["marketplace", "fee", "size_class", "max_weight", "weight_unit"],
}
_ORDERED = (
    ("effective_from", "effective_to"),
    ("price_min", "price_max"),
    ("min_price", "max_price"),
    ("month_from", "month_to"),
    ("over_weight", "max_weight"),
)
# Column -> must every row have it?
_ALWAYS = {
    "source": True,
    "status": True,
    "marketplace": True,
    "effective_from": False,
    "effective_to": False,
    "notes": False,
}
COLUMNS: dict[str, dict[str, bool]] = {
    name: _ALWAYS | dict.fromkeys(filled.split(), True) | dict.fromkeys(open_.split(), False)
    for name, filled, open_ in (
        ("claim_windows", "claim_type anchor_event max_unit applies_by",
         "max_value min_value min_unit automatic_reimbursement_from"),
        ("valuation_basis", "event_class basis", ""),
        ("size_tiers", "effective_from size_tier weight_unit dimension_unit dim_divisor billable_weight",
         "over_weight max_weight longest_side_max median_side_max shortest_side_max length_plus_girth_max over_longest_side "
         "over_length_plus_girth min_width_height max_dimensional_weight"),
        ("fulfilment_fees", "effective_from programme size_tier weight_unit currency season",
         "base_fee max_weight per_extra_unit_fee extra_unit price_min price_max price_disputed_above base_covers_weight "
         "cep_enrolled"),
        ("referral_fees", "effective_from category min_price rate minimum_fee band_mode currency", "max_price"),
        ("storage_fees", "effective_from fee_type size_class month_from month_to rate unit currency", "condition"),
        ("other_fees", "fee amount amount_kind",
         "size_class max_weight weight_unit cap per_extra_unit_fee extra_unit currency"),
    )
}  # fmt: skip


def lacking(tables: Mapping[str, pl.DataFrame]) -> list[str]:
    """Columns that are not there or not known, and cells that may not be empty; without them nothing else can be asked."""
    found: list[str] = []
    for name, table in tables.items():
        known, there = COLUMNS[name], set(table.columns) - {"table", "table_line", "row"}
        found += [f"{name}: the column {column} is missing" for column in sorted(set(known) - there)]
        found += [f"{name}: the column {column!r} is not known" for column in sorted(there - set(known))]
        wrong = {f"no {c}": pl.col(c).is_null() for c in sorted(there) if known.get(c)}
        if "marketplace" in there:
            odd = ~pl.col("marketplace").str.contains("^[A-Z]{2}$")
            wrong["the marketplace is no code of two capital letters"] = odd
        found += _named(table, wrong)
    return found


def problems(tables: Mapping[str, pl.DataFrame]) -> list[str]:
    """Every problem in words, sorted; empty when the tables hold together."""
    found: list[str] = []
    same_unit = pl.col("min_unit") == pl.col("max_unit")
    of_table = {
        "claim_windows": {
            "min_value is above max_value": same_unit & (pl.col("min_value") > pl.col("max_value")),
            "no maximum": pl.col("max_value").is_null(),
        },
        "fulfilment_fees": {"no base fee": pl.col("base_fee").is_null()},
    }
    for name, table in tables.items():
        wrong = {"unknown status": ~pl.col("status").is_in(STATUSES) | pl.col("status").is_null()}
        wrong["no source"] = pl.col("source").is_null()
        for low, high in _ORDERED:
            if low in table.columns and high in table.columns:
                wrong[f"{low} is above {high}"] = pl.col(low) > pl.col(high)
        found += _named(table, wrong | of_table.get(name, {}))
        found += _overlaps(table, _KEYS[name])
    found += _price_holes(tables["fulfilment_fees"]) + _referral_holes(tables["referral_fees"])
    found += _weight_holes(tables) + _month_holes(tables["storage_fees"])
    return sorted(found)


def _named(rows: pl.DataFrame, wrong: Mapping[str, pl.Expr]) -> list[str]:
    """Each problem of `wrong` and every row at which it holds; all are asked in one look."""
    flags = rows.select_seq("table", "table_line", **wrong)
    return [
        f"{table} line {line}: {problem}"
        for problem in wrong
        if flags[problem].any()
        for table, line in flags.filter(problem).select("table", "table_line").rows()
    ]


def _overlaps(table: pl.DataFrame, key: list[str]) -> list[str]:
    last = pl.col("effective_to").fill_null(pl.date(9999, 12, 31)).cum_max().shift(1).over(key)
    since = pl.col("effective_from").fill_null(pl.date(1, 1, 1))
    ordered = table.sort([*key, "effective_from"], nulls_last=False)
    return _named(ordered, {"overlaps an earlier row of the same key": since <= last})


def _price_holes(fees: pl.DataFrame) -> list[str]:
    """Price bands of one fulfilment card follow each other by one minor unit."""
    card = ["table", "effective_from", "programme", "size_tier", "max_weight", "weight_unit", "cep_enrolled"]
    bands = fees.filter(pl.col("price_min").is_not_null()).sort([*card, "price_min"])
    before = pl.col("price_max").shift(1).over(card)
    broken = before.is_not_null() & (pl.col("price_min") != before + pl.lit("0.01").cast(pl.Decimal(38, 8)))
    first = before.is_null() & (pl.col("price_min") != 0)
    return _named(bands, {"price bands leave a hole": broken | first})


def _referral_holes(fees: pl.DataFrame) -> list[str]:
    """Price bands of one category begin at 0, touch each other and end open."""
    card = ["table", "category", "effective_from"]
    bands = fees.sort([*card, "min_price"])
    start = pl.col("max_price").shift(1).over(card).fill_null(0)
    last = pl.int_range(pl.len()).over(card) == pl.len().over(card) - 1
    broken = (pl.col("min_price") != start) | (last != pl.col("max_price").is_null())
    return _named(bands, {"price bands leave a hole": broken})


def _weight_holes(tables: Mapping[str, pl.DataFrame]) -> list[str]:
    """The bands of a standard card reach the limit of their tier; a peak table known only in part does not count."""
    in_kilo = pl.col("max_weight") / pl.col("weight_unit").replace_strict({"oz": 16, "lb": 1, "kg": 1, "g": 1000}).cast(
        pl.Decimal(38, 8)
    )
    partial = pl.col("notes").fill_null("").str.contains("only two rows")
    card = ["table", "marketplace", "effective_from", "size_tier", "price_min", "cep_enrolled"]
    whole = tables["fulfilment_fees"].filter((pl.col("programme") == "standard") & ~partial)
    tops = whole.group_by(card).agg(
        pl.col("table_line").min(), open_end=pl.col("max_weight").is_null().any(), top=in_kilo.max()
    )
    tiers = tables["size_tiers"].select(
        "marketplace", "size_tier", "effective_to", limit="max_weight", tier_from="effective_from"
    )
    both = tops.join(tiers, on=["marketplace", "size_tier"], how="left").filter(
        pl.col("tier_from").is_null()
        | (
            (pl.col("effective_from") >= pl.col("tier_from"))
            & (pl.col("effective_from") <= pl.col("effective_to").fill_null(pl.date(9999, 1, 1)))
        )
    )
    short = ~pl.col("open_end") & (pl.col("limit").is_null() | (pl.col("top") < pl.col("limit")))
    unknown = pl.col("tier_from").is_null()
    wrong = {
        "its size tier is not in the tier table": unknown,
        "weight bands end below the limit of the tier": ~unknown & short,
    }
    return _named(both, wrong)


def _month_holes(fees: pl.DataFrame) -> list[str]:
    """One storage card covers the twelve months."""
    card = ["table", "fee_type", "size_class", "condition", "effective_from"]
    covered = fees.group_by(card).agg(
        pl.col("table_line").min(), months=(pl.col("month_to") - pl.col("month_from") + 1).sum()
    )
    twelve = (pl.col("months") == 12) | (pl.col("fee_type") == "storage_incl_utilisation_surcharge")
    return _named(covered, {"the months of the card leave a hole or overlap": ~twelve})
