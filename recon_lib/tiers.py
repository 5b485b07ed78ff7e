"""Size tier and billable weight of a measured product on a day, as expressions over many cases."""

from __future__ import annotations

from typing import Any

import polars as pl

from recon_lib.measures import cube, exact, length, own_length, sorted_sides, unit_code, weight
from recon_lib.money import RATE
from recon_lib.policy import Policy

# The units each store's tier and fee tables count in (`base_covers_weight` is in pounds or kilograms).
UNITS = {"US": ("in", "lb"), "UK": ("cm", "kg"), "DE": ("cm", "kg")}
_MEASURES = ["longest_side", "median_side", "shortest_side", "dimension_unit", "weight", "weight_unit"]
_ADDED: dict[str, Any] = {
    "size_tier": pl.String,
    "billable_weight": RATE,
    "tier_row": pl.String,
    "tier_status": pl.String,
}


def size_tiers(cases: pl.DataFrame, policy: Policy, marketplace: str) -> pl.DataFrame:
    """`cases` with `size_tier`, `billable_weight` (pounds in the US, kilograms elsewhere), `tier_row` and `tier_status`.

    Reads day, longest_side, median_side, shortest_side, dimension_unit, weight, weight_unit. The first tier (in table
    order) of the day's era whose limits all hold is the tier; null where a measure is missing or no tier holds.
    Rows keep no order.
    """
    eras = policy.of("size_tiers", marketplace).partition_by("effective_from", "effective_to", maintain_order=True)
    era = pl.coalesce(
        *(pl.when(_in_era(rows)).then(pl.lit(i, pl.Int32)) for i, rows in enumerate(eras)), pl.lit(None, pl.Int32)
    )
    placed = cases.with_columns(era=era)
    # the same parcel in the same era is looked at once, however many days and prices it has
    shapes = _measured(placed.select("era", *_MEASURES).unique().with_row_index("shape"), marketplace)
    parts = []
    met = set(shapes["era"].unique().to_list())
    for i, table in enumerate(eras):
        if i not in met:
            continue
        rows = table.sort("table_line").to_dicts()
        number = pl.coalesce(*(pl.when(_fits(row)).then(pl.lit(n, pl.Int32)) for n, row in enumerate(rows)))
        known = shapes.filter(pl.col("era") == i).with_columns(tier_no=number)
        billable = pl.coalesce(*(pl.when(pl.col("tier_no") == n).then(_billable(row)) for n, row in enumerate(rows)))
        words = {"size_tier": "size_tier", "tier_row": "row", "tier_status": "status"}
        named = {new: _pick([row[old] for row in rows]) for new, old in words.items()}
        parts.append(known.with_columns(billable_weight=billable, **named).select("shape", *_ADDED))
    found = pl.concat(parts) if parts else pl.DataFrame(schema={"shape": pl.UInt32, **_ADDED})
    of_case = placed.join(shapes.select("shape", "era", *(pl.col(f"{m}_told").alias(m) for m in _MEASURES)),
                          on=["era", *_MEASURES], how="left", nulls_equal=True)  # fmt: skip
    return of_case.join(found, on="shape", how="left").select(*cases.columns, *_ADDED)


def _in_era(rows: pl.DataFrame) -> pl.Expr:
    since, until = rows["effective_from"][0], rows["effective_to"][0]
    inside = pl.lit(True) if since is None else pl.col("day") >= pl.lit(since)
    return inside if until is None else inside & (pl.col("day") <= pl.lit(until))


def _measured(cases: pl.DataFrame, marketplace: str) -> pl.DataFrame:
    """Sides and weight in the card's units; `cubic` the volume, `cubic_2` with two inches of width and height at least."""
    into_length, into_weight = UNITS.get(marketplace, ("cm", "kg"))
    side_unit, weight_unit = pl.col("side_code"), pl.col("weight_code")
    two = own_length(2, "in", side_unit)
    flat = pl.col("longest") * pl.max_horizontal("median", two) * pl.max_horizontal("shortest", two)
    return (
        cases.with_columns(
            **sorted_sides(),
            **{f"{m}_told": pl.col(m) for m in _MEASURES},
            side_code=unit_code("dimension_unit"),
            weight_code=unit_code("weight_unit"),
        )
        .with_columns(
            cubic=cube(pl.col("longest") * pl.col("median") * pl.col("shortest"), side_unit, into_length),
            cubic_2=cube(flat, side_unit, into_length),
            unit_weight=weight(pl.col("weight"), weight_unit, into_weight),
        )
        .with_columns(**{s: length(pl.col(s), side_unit, into_length) for s in ("longest", "median", "shortest")})
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
