"""Effective-dated policy: claim windows, valuation basis, size tiers and fee cards, as frames, one row a rule.

The tables are `params/policy/*.csv`. Every row has `effective_from` and `effective_to` (both days included, empty = open),
`source` and `status` (documented, secondary, derived, uncertain). Loading adds `table` (the file), `table_line` (its line),
`marketplace` and `row`, the words by which a finding names the row it relied on. A day or product without a row
means "not sourced": unknown, never free.

`python -m recon_lib.policy` prints every uncertain row and every problem found in the tables.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from recon_lib.errors import UsageError
from recon_lib.money import RATE
from recon_lib.paths import project_root
from recon_lib.policy_check import lacking, problems

_HOPED = "the tables of params/policy as they came with the kit, or with rows of the same columns"
_DATES = ("effective_from", "effective_to", "automatic_reimbursement_from")
_WHOLE = ("min_value", "max_value", "month_from", "month_to")
_NUMBERS = [
    "over_weight", "max_weight", "longest_side_max", "median_side_max", "shortest_side_max",
    "length_plus_girth_max", "over_longest_side", "over_length_plus_girth", "min_width_height",
    "max_dimensional_weight", "dim_divisor", "base_fee", "per_extra_unit_fee", "price_min", "price_max",
    "price_disputed_above", "base_covers_weight", "rate", "min_price", "max_price", "minimum_fee", "amount",
    "cap",
]  # fmt: skip

TABLES = {
    "claim_windows": "claim_windows.csv",
    "valuation_basis": "valuation_basis.csv",
    "size_tiers": "size_tiers_*.csv",
    "fulfilment_fees": "fulfilment_fees_*.csv",
    "referral_fees": "referral_fees_*.csv",
    "storage_fees": "storage_fees_*.csv",
    "other_fees": "other_fees.csv",
}

# Stores of the euro zone and its neighbours that share the European announcements without rows of their own.
_EUROPE = ("DE", "FR", "IT", "ES", "NL", "BE", "IE", "SE", "PL")
EURO_STORES = ("DE", "FR", "IT", "ES", "NL", "BE", "IE")
# Days named where no row holds: fees 90, revaluation 60. Everything else borrows the rows of a neighbour store.
_USUAL_DAYS = {"fee_weight_dimension": 90, "fee_referral": 90, "fee_storage": 90, "reimbursement_revaluation": 60}


@dataclass(frozen=True)
class Window:
    """The claim window in force on a filing day: from `min_value` `min_unit` to `max_value` `max_unit` after the event."""

    min_value: int
    min_unit: str
    max_value: int
    max_unit: str
    automatic_from: date | None
    status: str
    source: str
    row: str

    @property
    def is_uncertain(self) -> bool:
        return self.status == "uncertain"


@dataclass(frozen=True)
class Basis:
    """How a unit is valued on an event day: `sourcing_cost`, `estimated_sale_proceeds` or `sale_price_minus_fees`."""

    basis: str
    status: str
    row: str


@dataclass(frozen=True)
class Policy:
    """All tables, typed; `tables` has the keys of `TABLES`."""

    tables: dict[str, pl.DataFrame] = field(repr=False)

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self.tables[table]

    def of(self, table: str, marketplace: str) -> pl.DataFrame:
        """The rows of one marketplace."""
        return self.tables[table].filter(pl.col("marketplace") == marketplace)

    def window(self, marketplace: str, claim_type: str, filing_day: date, *, loss: str = "lost") -> Window:
        """The claim window in force on `filing_day`; never nothing.

        A marketplace without a row for the type borrows: 90 days for fees and 60 for revaluations, European stores the
        German rows, all others the US rows. What is borrowed is `uncertain` and says so. `loss` (lost, damaged)
        chooses where a store has the two apart.
        """
        for store, borrowed in ((marketplace, False), *((s, True) for s in _lenders(marketplace))):
            if borrowed and claim_type in _USUAL_DAYS:
                break
            names = [claim_type, f"fc_{loss}"] if claim_type == "fc_lost_or_damaged" else [claim_type]
            table = self.of("claim_windows", store).filter(pl.col("claim_type").is_in(names))
            for row in in_force(table, filing_day).sort("claim_type", descending=True).iter_rows(named=True):
                return _window(row, borrowed_by=marketplace if borrowed else None)
        days = _USUAL_DAYS.get(claim_type)
        if days is None:
            raise UsageError(
                f"no claim window is known for {claim_type!r}", hoped=f"one of {sorted(_USUAL_DAYS)} or a table row"
            )
        words = f"no row of claim_windows for {marketplace} {claim_type}: the usual {days} days (uncertain)"
        return Window(0, "day", days, "day", None, "uncertain", "usual days, no source", words)

    def basis(self, marketplace: str, event_class: str, event_day: date) -> Basis | None:
        """The valuation basis on `event_day`; a store without rows borrows as `window` does. None: no row at all."""
        for store, borrowed in ((marketplace, False), *((s, True) for s in _lenders(marketplace))):
            table = self.of("valuation_basis", store).filter(pl.col("event_class") == event_class)
            for row in in_force(table, event_day).iter_rows(named=True):
                name = row["row"] + (f", borrowed for {marketplace}: uncertain" if borrowed else "")
                return Basis(row["basis"], "uncertain" if borrowed else row["status"], name)
        return None

    def uncertain(self) -> pl.DataFrame:
        """Every row of status `uncertain`: table, line, marketplace, what it is about, source, notes."""
        return pl.concat(
            [
                t.filter(pl.col("status") == "uncertain").select("table", "table_line", "marketplace", "row", "notes")
                for t in self.tables.values()
            ]
        ).sort("table", "table_line")


def _lenders(marketplace: str) -> tuple[str, ...]:
    return ("DE", "US") if marketplace in _EUROPE else ("US",)


def _window(row: dict[str, Any], borrowed_by: str | None) -> Window:
    return Window(
        min_value=row["min_value"] or 0,
        min_unit=row["min_unit"] or "day",
        max_value=row["max_value"],
        max_unit=row["max_unit"],
        # announced for Europe as a whole, so it goes with the rows there; elsewhere only the days are borrowed
        automatic_from=row["automatic_reimbursement_from"] if borrowed_by is None or borrowed_by in _EUROPE else None,
        status="uncertain" if borrowed_by else row["status"],
        source=row["source"],
        row=row["row"] + (f", borrowed for {borrowed_by}: uncertain" if borrowed_by else ""),
    )


def holds_on(day: pl.Expr | date) -> pl.Expr:
    """True for a policy row in force on `day` (a date, or a column of the joined frame); both limits included."""
    on = pl.lit(day) if isinstance(day, date) else day
    after = pl.col("effective_from").is_null() | (pl.col("effective_from") <= on)
    return after & (pl.col("effective_to").is_null() | (pl.col("effective_to") >= on))


def in_force(table: pl.DataFrame, day: date) -> pl.DataFrame:
    """The rows of `table` in force on `day`."""
    return table.filter(holds_on(day))


def _read(path: Path) -> pl.DataFrame:
    try:
        path.read_bytes().decode("utf-8")
        text = pl.read_csv(path, glob=False, infer_schema=False, row_index_name="table_line", row_index_offset=2)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as problem:
        raise UsageError(f"cannot be read as a table: {_first_line(problem)}", hoped=_HOPED, file=path.name) from None
    types: dict[str, pl.Expr] = {
        **{c: pl.col(c).str.to_date("%Y-%m-%d") for c in _DATES},
        **{c: pl.col(c).cast(pl.Int32) for c in _WHOLE},
        **{c: pl.col(c).cast(RATE) for c in _NUMBERS},
        "cep_enrolled": pl.col("cep_enrolled").replace_strict({"true": True, "false": False}, return_dtype=pl.Boolean),
    }
    needed = {"effective_from", "source", "status"} - set(text.columns)
    typed = text.lazy().with_columns(**{c: e for c, e in types.items() if c in text.columns})
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
    if not needed:
        typed = typed.with_columns(table=pl.lit(path.stem), row=pl.concat_str(words))
    try:
        made = typed.collect(engine="in-memory")
    except pl.exceptions.PolarsError as problem:
        raise UsageError(
            f"a value cannot be read: {_first_line(problem)}", hoped="days YYYY-MM-DD, plain numbers", file=path.name
        ) from None
    if needed:
        raise UsageError(f"has no column {', '.join(sorted(needed))}", hoped=_HOPED, file=path.name)
    return made


def _first_line(problem: Exception) -> str:
    return str(problem).strip().split("\n")[0][:300] or type(problem).__name__


@cache
def _load(folder: Path) -> Policy:
    tables = {}
    for name, pattern in TABLES.items():
        paths = sorted(folder.glob(pattern))
        if not paths:
            raise UsageError(f"no policy table {pattern}", hoped="the tables of params/policy", file=str(folder))
        tables[name] = pl.concat([_read(path) for path in paths], how="diagonal")
    return Policy(tables)


@cache
def _checked(folder: Path) -> Policy:
    policy = _load(folder)
    if found := lacking(policy.tables):
        raise UsageError("the policy tables are not whole: " + _some(found), hoped=_HOPED, do="correct the rows named")
    try:
        found = problems(policy.tables)
    except pl.exceptions.PolarsError as problem:
        raise UsageError(f"the policy tables cannot be compared: {_first_line(problem)}", hoped=_HOPED) from None
    if found:
        raise UsageError("the policy tables contradict themselves: " + _some(found), do="correct the rows named")
    return policy


def _some(found: list[str]) -> str:
    return "; ".join(found[:20]) + (f"; and {len(found) - 20} more" if len(found) > 20 else "")


def load_policy(folder: Path | None = None) -> Policy:
    """The policy tables of `folder` (default: `params/policy`), typed. UsageError where one cannot be read or is wrong."""
    return _checked((folder or project_root() / "params" / "policy").resolve())


def main() -> int:
    """Print uncertain rows and problems; 2 when there is a problem."""
    policy = _load(project_root() / "params" / "policy")
    for row in policy.uncertain().iter_rows(named=True):
        print(row["row"] + (f": {row['notes']}" if row["notes"] else ""))
    print(f"{policy.uncertain().height} of {sum(t.height for t in policy.tables.values())} rows are uncertain.")
    found = problems(policy.tables)
    for problem in found:
        print(f"problem: {problem}", file=sys.stderr)
    return 2 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
