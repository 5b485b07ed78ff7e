"""The tables of `params/policy` as typed frames, one row a rule. What they say on a day is asked in `policy`.

Every row has `effective_from` and `effective_to` (both days included, empty = open), `source` and `status` (documented,
secondary, derived, uncertain). Reading adds `table` (the file), `table_line` (its line), `marketplace` and `row`, the words
by which a finding names the row it relied on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from recon_lib.errors import UsageError
from recon_lib.money import RATE

HOPED = "the tables of params/policy as they came with the kit, or with rows of the same columns"
_DATES = ("effective_from", "effective_to", "automatic_reimbursement_from")
_WHOLE = ("min_value", "max_value", "month_from", "month_to")
_NUMBERS = [
    "over_weight", "max_weight", "longest_side_max", "median_side_max", "shortest_side_max",
    "length_plus_girth_max", "over_longest_side", "over_length_plus_girth", "min_width_height",
    "max_dimensional_weight", "dim_divisor", "base_fee", "per_extra_unit_fee", "price_min", "price_max",
    "price_disputed_above", "base_covers_weight", "rate", "min_price", "max_price", "minimum_fee", "amount",
    "cap",
]  # fmt: skip

_TYPED: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    **dict.fromkeys(_DATES, lambda text: text.str.to_date("%Y-%m-%d")),
    **dict.fromkeys(_WHOLE, lambda text: text.cast(pl.Int32)),
    **dict.fromkeys(_NUMBERS, lambda text: text.cast(RATE)),
    "cep_enrolled": lambda text: text.replace_strict({"true": True, "false": False}, return_dtype=pl.Boolean),
}

TABLES = {
    "claim_windows": "claim_windows.csv",
    "valuation_basis": "valuation_basis.csv",
    "size_tiers": "size_tiers_*.csv",
    "fulfilment_fees": "fulfilment_fees_*.csv",
    "referral_fees": "referral_fees_*.csv",
    "storage_fees": "storage_fees_*.csv",
    "other_fees": "other_fees.csv",
}


def read_tables(folder: Path) -> dict[str, pl.DataFrame]:
    """Every table of TABLES, its files one below the other. UsageError where one is missing or cannot be read."""
    tables = {}
    for name, pattern in TABLES.items():
        paths = sorted(folder.glob(pattern))
        if not paths:
            raise UsageError(f"no policy table {pattern}", hoped="the tables of params/policy", file=str(folder))
        tables[name] = pl.concat([_read(path) for path in paths], how="diagonal")
    return tables


def _read(path: Path) -> pl.DataFrame:
    try:
        written = path.read_bytes()
        written.decode("utf-8")
        text = pl.read_csv(written, infer_schema=False, row_index_name="table_line", row_index_offset=2)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as problem:
        raise UsageError(f"cannot be read as a table: {first_line(problem)}", hoped=HOPED, file=path.name) from None
    there = [c for c in text.columns if c in _TYPED]
    try:  # one expression after the other: the tables are small, and a second thread costs more than it spares
        typed = text.with_columns_seq(_TYPED[c](pl.col(c)) for c in there)
    except pl.exceptions.PolarsError as problem:
        raise UsageError(
            f"a value cannot be read: {first_line(problem)}", hoped="days YYYY-MM-DD, plain numbers", file=path.name
        ) from None
    if needed := {"effective_from", "source", "status"} - set(text.columns):
        raise UsageError(f"has no column {', '.join(sorted(needed))}", hoped=HOPED, file=path.name)
    if "marketplace" not in text.columns:
        typed = typed.with_columns(marketplace=pl.lit(path.stem.rpartition("_")[2].upper()))
    since = pl.col("effective_from").dt.to_string("%Y-%m-%d").fill_null("the beginning")
    about = [
        c
        for c in ("claim_type", "event_class", "fee", "fee_type", "category", "programme", "size_tier", "size_class")
        if c in text.columns
    ]
    what = pl.concat_str(
        [pl.col(c).replace("", None) for c in ("marketplace", *about)], separator=" ", ignore_nulls=True
    )
    words = [
        pl.lit(f"{path.stem} line "),
        "table_line",
        pl.lit(": "),
        what,
        pl.lit(" from "),
        since,
        pl.lit(" ("),
        "status",
        pl.lit("; "),
        "source",
        pl.lit(")"),
    ]
    return typed.with_columns_seq(table=pl.lit(path.stem), row=pl.concat_str(words))


def first_line(problem: Exception) -> str:
    """What polars says, without the pages behind it."""
    return str(problem).strip().split("\n")[0][:300] or type(problem).__name__
