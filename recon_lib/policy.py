"""Effective-dated policy: claim windows, valuation basis, size tiers and fee cards, as frames, one row a rule.

Which row holds on a day is asked here; the tables themselves are read by `policy_tables`. A day or product without a row
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
from recon_lib.paths import project_root
from recon_lib.policy_check import lacking, problems
from recon_lib.policy_tables import HOPED, first_line, read_tables

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
    """All tables, typed; `tables` has the keys of `policy_tables.TABLES`."""

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
            mine = (pl.col("marketplace") == store) & pl.col("claim_type").is_in(names)
            table = self["claim_windows"].filter(mine, holds_on(filing_day))
            for row in table.sort("claim_type", descending=True).iter_rows(named=True):
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
            mine = (pl.col("marketplace") == store) & (pl.col("event_class") == event_class)
            for row in self["valuation_basis"].filter(mine, holds_on(event_day)).iter_rows(named=True):
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


@cache
def _load(folder: Path) -> Policy:
    return Policy(read_tables(folder))


@cache
def _checked(folder: Path) -> Policy:
    policy = _load(folder)
    if found := lacking(policy.tables):
        raise UsageError("the policy tables are not whole: " + _some(found), hoped=HOPED, do="correct the rows named")
    try:
        found = problems(policy.tables)
    except pl.exceptions.PolarsError as problem:
        raise UsageError(f"the policy tables cannot be compared: {first_line(problem)}", hoped=HOPED) from None
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
