"""Size tier and billable weight of a measured product on a day, as expressions over many cases."""

from __future__ import annotations

from typing import Any

import polars as pl

from recon_lib.measures import cube, exact, length, own_length, sorted_sides, weight
from recon_lib.money import RATE
from recon_lib.policy import Policy

# The units each store's tier and fee tables count in (`base_covers_weight` is in pounds or kilograms).
UNITS = {"US": ("in", "lb"), "UK": ("cm", "kg"), "DE": ("cm", "kg")}
_ADDED: dict[str, Any] = {"size_tier": pl.String, "billable_weight": RATE, "tier_row": pl.String, "tier_status": pl.String}


def size_tiers(cases: pl.DataFrame, policy: Policy, marketplace: str) -> pl.DataFrame:
    """`cases` with `size_tier`, `billable_weight` (pounds in the US, kilograms elsewhere), `tier_row` and `tier_status`.

    Reads day, longest_side, median_side, shortest_side, dimension_unit, weight, weight_unit. The first tier (in table
    order) of the day's era whose limits all hold is the tier; null where a measure is missing or no tier holds.
    Rows keep no order.
    """
    measured = _measured(cases, marketplace)
    parts = []
    for (since, until), era in policy.of("size_tiers", marketplace).group_by("effective_from", "effective_to"):
        here = pl.lit(True) if since is None else pl.col("day") >= pl.lit(since)
        here = here if until is None else here & (pl.col("day") <= pl.lit(until))
        rows = era.sort("table_line").to_dicts()
        number = pl.coalesce(*(pl.when(_fits(row)).then(pl.lit(i, pl.Int32)) for i, row in enumerate(rows)))
        known = measured.filter(here.fill_null(False)).with_columns(tier_no=number)
        billable = pl.coalesce(*(pl.when(pl.col("tier_no") == i).then(_billable(row)) for i, row in enumerate(rows)))
        words = {"size_tier": "size_tier", "tier_row": "row", "tier_status": "status"}
        named = {new: _pick([row[old] for row in rows]) for new, old in words.items()}
        parts.append(known.with_columns(billable_weight=billable, **named).select(*cases.columns, *_ADDED))
    found = pl.concat(parts) if parts else _untiered(cases.clear())
    outside = cases.join(found, on="case", how="anti")
    return pl.concat([found, _untiered(outside)])


def _untiered(cases: pl.DataFrame) -> pl.DataFrame:
    return cases.with_columns(**{name: pl.lit(None, kind) for name, kind in _ADDED.items()})


def _measured(cases: pl.DataFrame, marketplace: str) -> pl.DataFrame:
    """Sides and weight in the card's units; `cubic` the volume, `cubic_2` with two inches of width and height at least."""
    into_length, into_weight = UNITS.get(marketplace, ("cm", "kg"))
    two = own_length(2, "in", "dimension_unit")
    flat = pl.col("longest") * pl.max_horizontal("median", two) * pl.max_horizontal("shortest", two)
    return (
        cases.with_columns(**sorted_sides())
        .with_columns(
            cubic=cube(pl.col("longest") * pl.col("median") * pl.col("shortest"), "dimension_unit", into_length),
            cubic_2=cube(flat, "dimension_unit", into_length),
            unit_weight=weight(pl.col("weight"), "weight_unit", into_weight),
        )
        .with_columns(
            **{s: length(pl.col(s), "dimension_unit", into_length) for s in ("longest", "median", "shortest")}
        )
    )


def _pick(words: list[str]) -> pl.Expr:
    return pl.col("tier_no").replace_strict(dict(enumerate(words)), default=None, return_dtype=pl.String)


def _dimensional(row: dict[str, Any]) -> pl.Expr:
    """Dimensional weight: volume over divisor; bulky sizes count two inches of width and height at least."""
    return pl.col("cubic_2" if row["min_width_height"] is not None else "cubic") / exact(row["dim_divisor"])


def _billable(row: dict[str, Any]) -> pl.Expr:
    if row["billable_weight"] == "unit":
        return pl.col("unit_weight")
    return pl.max_horizontal(pl.col("unit_weight"), _dimensional(row))


def _fits(row: dict[str, Any]) -> pl.Expr:
    """True where every limit of the tier row holds; null where a measure is missing.

    The weight limit holds for the weight the tier is billed by; where the row limits unit and dimensional weight
    apart, each for its own.
    """
    heavy = (
        _billable(row)
        if row["max_dimensional_weight"] is None and row["over_weight"] is None
        else pl.col("unit_weight")
    )
    girth = pl.col("longest") + exact(2) * (pl.col("median") + pl.col("shortest"))
    limits = {
        "max_weight": heavy,
        "max_dimensional_weight": _dimensional(row),
        "longest_side_max": pl.col("longest"),
        "median_side_max": pl.col("median"),
        "shortest_side_max": pl.col("shortest"),
        "length_plus_girth_max": girth,
    }
    tests = [pl.col("cubic").is_not_null() & pl.col("unit_weight").is_not_null()]
    tests += [value <= exact(row[limit]) for limit, value in limits.items() if row[limit] is not None]
    if row["over_weight"] is not None:
        tests.append(pl.col("unit_weight") > exact(row["over_weight"]))
    if row["over_longest_side"] is not None:
        tests.append(
            (pl.col("longest") > exact(row["over_longest_side"])) | (girth > exact(row["over_length_plus_girth"]))
        )
    return pl.all_horizontal(*tests)
