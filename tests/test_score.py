"""The scorer counts right, the simulator repeats itself, and random worlds are found out completely."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.world import places, worlds
from tests.world.dice import Dice
from tests.world.score import COLUMNS, run, score
from tests.world.state import Truth


def found(audit: str, **cells: Any) -> dict[str, Any]:
    return {"audit": audit, **dict.fromkeys(COLUMNS), "reason": "", "evidence": "", **cells}


def test_the_scorer_tells_found_missed_false_and_nearly() -> None:
    truth = [
        Truth("warehouse_lost", "claimable", reference_id="1", quantity=2, owed=Decimal("4.00")),
        Truth("warehouse_lost", "claimable", reference_id="2", quantity=1, owed=Decimal("2.00")),
        Truth("deposit_missing", "open", reference_id="~77"),
        Truth("not_written_yet", "open"),
    ]
    findings = [
        found("warehouse_lost", status="claimable", reference_id="1", quantity=2, owed=Decimal("4.00")),
        found("warehouse_lost", status="claimable", reference_id="2", quantity=1, owed=Decimal("2.01")),
        found("deposit_missing", status="open", reference_id="1077 TR9"),
    ]
    result = score(findings, truth, {"warehouse_lost", "deposit_missing"})
    assert (result.planted.total(), result.found.total(), len(result.missed), len(result.false)) == (3, 2, 1, 1)
    assert result.unscored == {"not_written_yet"}
    assert "owed: '2.01'" in result.differs[0]
    assert not result.perfect
    assert "0.500" in result.table()


def test_two_equal_facts_need_two_findings() -> None:
    truth = [Truth("warehouse_lost", "claimable", fnsku="X")] * 2
    assert len(score([found("warehouse_lost", status="claimable", fnsku="X")], truth, {"warehouse_lost"}).missed) == 1


def test_the_dice_fall_the_same_everywhere() -> None:
    assert [Dice(1).next() for _ in range(1)] == [10451216379200822465]  # splitmix64 of seed 1, as published


def test_the_simulators_cards_are_the_published_ones() -> None:
    """Read off the cards by hand: 12 oz large standard in three seasons, a heavy one of 3 lb + 7 steps, a UK parcel."""
    light, _, _, heavy = places.US.profiles
    assert places.US.fee(light, date(2025, 10, 14), Decimal("30")) == Decimal("4.15")
    assert places.US.fee(light, date(2025, 10, 15), Decimal("30")) == Decimal("4.43")
    assert places.US.fee(light, date(2026, 1, 15), Decimal("50")) == Decimal("4.20")
    assert places.US.fee(light, date(2026, 4, 17), Decimal("30")) == Decimal("4.35")  # 4.20 x 1.035 = 4.347
    assert places.US.fee(heavy, date(2026, 1, 20), Decimal("60")) == Decimal("7.79")  # 7.23 + 7 x 0.08
    assert places.UK.fee(places.UK.profiles[1], date(2026, 8, 1), Decimal("30")) == Decimal("3.10")  # 3.05 x 1.015


@pytest.mark.parametrize("place", ["US", "UK", "DE"])
def test_the_same_seed_makes_the_same_bytes(place: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        worlds.save(worlds.random_world(5, place), tmp_path / name)
    first = {p.relative_to(tmp_path / "one"): p.read_bytes() for p in (tmp_path / "one").rglob("*") if p.is_file()}
    assert first == {
        p.relative_to(tmp_path / "two"): p.read_bytes() for p in (tmp_path / "two").rglob("*") if p.is_file()
    }
    assert len(first) > 40


@pytest.mark.parametrize(("place", "seed"), [("US", 4), ("UK", 2), ("DE", 3)])
def test_a_random_world_is_found_out_completely(place: str, seed: int, tmp_path: Path) -> None:
    w = worlds.random_world(seed, place)
    worlds.save(w, tmp_path / "account")
    result = run(tmp_path / "account", w.as_of, w.truth)
    assert result.perfect, "\n" + result.table() + "\n" + result.explain()
