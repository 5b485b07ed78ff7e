"""Medians of many stretches of one column, against those worked out by hand and one by one."""

from __future__ import annotations

import statistics
from decimal import Decimal

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recon_lib.medians import medians
from recon_lib.money import RATE


def of(values: list[str], *stretches: tuple[int, int]) -> list[Decimal]:
    column = pl.Series("x", [Decimal(v) for v in values], dtype=RATE)
    start, stop = (np.array([s[i] for s in stretches], dtype=np.int64) for i in (0, 1))
    return medians(column, start, stop).to_list()


def test_middle_value_or_half_of_the_two_in_the_middle() -> None:
    prices = ["20.00", "30.00", "22.00", "-5.00"]
    # 20 | 20 30 | 20 30 22 | 30 22 -5 | all: (20 + 22) / 2
    found = of(prices, (0, 1), (0, 2), (0, 3), (1, 4), (0, 4))
    assert found == [Decimal(20), Decimal(25), Decimal(22), Decimal(22), Decimal(21)]


def test_no_digit_is_lost_where_a_float_would() -> None:
    assert of(["90071992547409.93000001", "90071992547409.93000003"], (0, 2)) == [Decimal("90071992547409.93000002")]


def test_no_stretch_gives_no_median() -> None:
    assert of(["1.00"]) == []


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=40), st.data())
def test_as_one_by_one(cents: list[int], data: st.DataObject) -> None:
    starts = data.draw(st.lists(st.integers(0, len(cents) - 1), min_size=1, max_size=8))
    stretches = [(start, data.draw(st.integers(start + 1, len(cents)))) for start in starts]
    values = [Decimal(c).scaleb(-2) for c in cents]
    wanted = [statistics.median(values[a:b]) for a, b in stretches]
    assert of([str(v) for v in values], *stretches) == wanted
