"""The policy tables: figures by hand, and every kind of mistake is caught."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from recon_lib.errors import UsageError
from recon_lib.paths import project_root
from recon_lib.policy import load_policy
from recon_lib.policy_check import problems
from recon_lib.policy_tables import TABLES
from recon_lib.referral import referral_rates, refund_fee

FOLDER = project_root() / "params" / "policy"


def test_every_table_is_there_and_typed() -> None:
    policy = load_policy()
    assert set(policy.tables) == set(TABLES)
    counts = {name: table.height for name, table in policy.tables.items()}
    assert counts == {
        "claim_windows": 61, "valuation_basis": 12, "size_tiers": 62, "fulfilment_fees": 779, "referral_fees": 136, "storage_fees": 45,
        "other_fees": 31,
    }  # fmt: skip
    for table in policy.tables.values():
        assert table["effective_from"].dtype == pl.Date
        assert not [name for name, kind in table.schema.items() if kind.is_float()]
        assert table["status"].is_in(["documented", "secondary", "derived", "uncertain"]).all()
        assert table["source"].null_count() == 0
    assert policy["fulfilment_fees"]["base_fee"].dtype == pl.Decimal(38, 8)


def test_no_problem_is_left() -> None:
    assert problems(load_policy().tables) == []


def test_uncertain_rows_are_listed() -> None:
    listed = load_policy().uncertain()
    assert listed.group_by("table").len().sort("table").rows() == [
        ("claim_windows", 6), ("fulfilment_fees_de", 153), ("fulfilment_fees_uk", 18), ("other_fees", 4), ("referral_fees_de", 5),
        ("referral_fees_uk", 20), ("referral_fees_us", 14), ("size_tiers_de", 20), ("size_tiers_us", 1), ("storage_fees_uk", 4),
        ("storage_fees_us", 2), ("valuation_basis", 3),
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "recon_lib.policy"], cwd=project_root(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 250 + 1
    assert done.stdout.splitlines()[-1] == "250 of 1126 rows are uncertain."


def test_windows_in_force() -> None:
    policy = load_policy()
    new = policy.window("US", "customer_return", date(2024, 10, 23))
    assert (new.min_value, new.min_unit, new.max_value, new.max_unit) == (60, "day", 120, "day")
    assert new.automatic_from == date(2024, 11, 1)
    old = policy.window("US", "customer_return", date(2024, 10, 22))
    assert (old.min_value, old.max_value, old.max_unit, old.automatic_from) == (45, 18, "month", None)
    assert old.row == (
        "claim_windows line 3: US customer_return from the beginning (documented; Seller Central help G9N934L7Y4SFWPJ4 (old copy))"
    )
    with pytest.raises(UsageError, match="no claim window is known for 'something'"):
        policy.window("US", "something", date(2025, 1, 1))


def test_marginal_bands_carry_the_slices_below_them() -> None:
    rates = referral_rates(load_policy(), "US").filter(pl.col("key") == "fine art").sort("min_price")
    # 100 x 20 % = 20; + 900 x 15 % = 155; + 4000 x 10 % = 555
    assert rates["below"].to_list() == [Decimal(0), Decimal(20), Decimal(155), Decimal(555)]


def test_refund_fees() -> None:
    policy = load_policy()
    found = {store: refund_fee(policy, store) for store in ("US", "DE", "IT", "JP", "IN", "UK", "CA")}
    told = {store: (fee.share, fee.cap, fee.currency) for store, fee in found.items() if fee is not None}
    assert told == {
        "US": (Decimal("0.2"), Decimal(5), "USD"), "DE": (Decimal("0.2"), Decimal(5), "EUR"), "IT": (Decimal("0.2"), Decimal(5), "EUR"),
        "JP": (Decimal("0.1"), Decimal(500), "JPY"), "IN": (Decimal("0.2"), Decimal(300), "INR"),
    }  # fmt: skip


MISTAKES = [
    ("claim_windows.csv", "US,fc_lost_or_damaged,,2024-10-22,", "US,fc_lost_or_damaged,,2024-10-23,", "overlaps an earlier row"),
    ("claim_windows.csv", "60,day,120,day", "130,day,120,day", "min_value is above max_value"),
    ("claim_windows.csv", "0,day,60,day,filing_date,2024-11-01", "0,day,,day,filing_date,2024-11-01", "no maximum"),
    ("claim_windows.csv", ",secondary,\n", ",hearsay,\n", "unknown status"),
    ("valuation_basis.csv", "2025-03-31,,sourcing_cost", "2025-03-30,,sourcing_cost", "overlaps an earlier row"),
    ("fulfilment_fees_us.csv", "2024-04-15,2024-10-14,standard,small_standard,4,oz,3.15", "2024-04-14,2024-10-14,standard,small_standard,4,oz,3.15",
     "overlaps an earlier row"),
    ("fulfilment_fees_us.csv", "large_standard,20,lb,6.92", "large_standard,19,lb,6.92", "weight bands end below the limit of the tier"),
    ("fulfilment_fees_us.csv", "small_standard,4,oz,3.15", "tiny_standard,4,oz,3.15", "its size tier is not in the tier table"),
    ("fulfilment_fees_us.csv", "non_peak,10.00,50.00,", "non_peak,10.01,50.00,", "price bands leave a hole"),
    ("fulfilment_fees_us.csv", "small_standard,4,oz,3.15,", "small_standard,4,oz,,", "no base fee"),
    ("referral_fees_us.csv", "Furniture,200,,0.1", "Furniture,210,,0.1", "price bands leave a hole"),
    ("referral_fees_us.csv", "Furniture,0,200", "Furniture,5,200", "price bands leave a hole"),
    ("storage_fees_us.csv", "monthly_storage,standard,1,9,,0.78", "monthly_storage,standard,1,8,,0.78", "the months of the card leave a hole"),
    ("size_tiers_us.csv", "2024-02-05,2026-01-14,small_standard", "2026-02-05,2026-01-14,small_standard", "effective_from is above effective_to"),
    ("other_fees.csv", "US,2026-04-17,,fuel", "US,17.04.2026,,fuel", "a value cannot be read"),
    ("other_fees.csv", "0.035,fraction", "3.5 %,fraction", "a value cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "right", "wrong", "problem"), MISTAKES)
def test_a_mistake_in_a_table_is_refused(tmp_path: Path, name: str, right: str, wrong: str, problem: str) -> None:
    shutil.copytree(FOLDER, tmp_path / "policy")
    path = tmp_path / "policy" / name
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(UsageError, match=problem):
        load_policy(tmp_path / "policy")


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no policy table claim_windows\.csv"):
        load_policy(tmp_path)


def test_the_tables_name_no_machine_and_no_index() -> None:
    for path in sorted(FOLDER.glob("*.csv")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?i)index id|github|/work|/home|https?://|\bid \d{6,}", text), path.name


def test_figures_are_those_of_the_reference() -> None:
    shared = project_root().parent / "shared" / "reference" / "rate-cards"
    if not shared.is_dir():
        pytest.skip("the reference rate cards are not on this machine")
    for path in sorted(shared.glob("*.csv")):
        theirs, ours = pl.read_csv(path, infer_schema=False), pl.read_csv(FOLDER / path.name, infer_schema=False)
        figures = [name for name in theirs.columns if name not in ("source", "notes")]
        assert ours.select(figures).sort(figures).equals(theirs.select(figures).sort(figures)), path.name
