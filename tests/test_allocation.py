"""Units first-in-first-out: hand-computed cases, then properties against a slow loop."""

from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_lib.allocation import allocate

SCHEMA = {"key": pl.String, "place": pl.String, "on": pl.Date, "units": pl.Int64}


def day(n: int) -> date:
    return date(2026, 1, 1) + timedelta(days=n - 1)


def rows(*items: tuple[str, int, int] | tuple[str, int, int, str | None]) -> pl.DataFrame:
    """(key, day number, units[, place])"""
    data = [(i[0], i[3] if len(i) > 3 else "DE", day(i[1]), i[2]) for i in items]
    return pl.DataFrame(data, schema=SCHEMA, orient="row")


def pairs(found) -> list[tuple[int, int, int]]:
    return found.pairs.rows()


def test_a_loss_is_settled_in_parts_and_the_rest_stays_open():
    # 3 lost on day 1; 1 found on day 5, 1 paid on day 9: 3 - 1 - 1 = 1
    found = allocate(rows(("A", 1, 3)), rows(("A", 5, 1), ("A", 9, 1)), by=["key"])
    assert pairs(found) == [(0, 0, 1), (0, 1, 1)]
    assert found.open_units.to_list() == [1]
    assert found.left_units.to_list() == [0, 0]


def test_a_credit_settles_the_oldest_loss_and_runs_on_into_the_next():
    found = allocate(rows(("A", 3, 2), ("A", 1, 2)), rows(("A", 4, 3)), by=["key"])
    assert pairs(found) == [(0, 0, 1), (1, 0, 2)]
    assert found.open_units.to_list() == [1, 0]


def test_a_credit_never_settles_a_later_loss():
    found = allocate(rows(("A", 5, 1)), rows(("A", 4, 1)), by=["key"])
    assert pairs(found) == []
    assert found.open_units.to_list() == [1]
    assert found.left_units.to_list() == [1]


def test_a_left_over_credit_does_not_help_a_later_loss_even_in_part():
    # day 1: 1 lost; day 2: 3 found (2 of them meet nothing); day 3: 2 lost; day 4: 1 found
    found = allocate(rows(("A", 1, 1), ("A", 3, 2)), rows(("A", 2, 3), ("A", 4, 1)), by=["key"])
    assert pairs(found) == [(0, 0, 1), (1, 1, 1)]
    assert found.open_units.to_list() == [0, 1]
    assert found.left_units.to_list() == [2, 0]


def test_on_one_day_the_loss_comes_first():
    found = allocate(rows(("A", 5, 1)), rows(("A", 5, 1)), by=["key"])
    assert pairs(found) == [(0, 0, 1)]


def test_groups_do_not_mix():
    found = allocate(rows(("A", 1, 1), ("B", 1, 1)), rows(("B", 2, 2)), by=["key"])
    assert found.open_units.to_list() == [1, 0]
    assert found.left_units.to_list() == [1]


def test_nothing_to_allocate():
    none = rows()
    assert allocate(none, none, by=["key"]).pairs.is_empty()
    assert allocate(rows(("A", 1, 2)), none, by=["key"], within="place").open_units.to_list() == [2]
    assert allocate(none, rows(("A", 1, 2)), by=["key"], within="place").left_units.to_list() == [2]
    assert allocate(rows(("A", 1, 0)), rows(("A", 1, 0)), by=["key"]).pairs.is_empty()


def test_found_units_settle_their_own_country_only():
    found = allocate(rows(("A", 1, 1, "DE"), ("A", 1, 1, "FR")), rows(("A", 2, 2, "FR")), by=["key"], within="place")
    assert found.open_units.to_list() == [1, 0]
    assert found.left_units.to_list() == [1]


def test_a_payment_has_no_country_and_settles_the_oldest_loss_of_any():
    found = allocate(
        rows(("A", 1, 1, "FR"), ("A", 2, 1, "DE"), ("A", 3, 1, "DE")),
        rows(("A", 4, 2, None)),
        by=["key"],
        within="place",
    )
    assert found.open_units.to_list() == [0, 0, 1]


def test_payments_and_found_units_are_allocated_in_one_run_through_time():
    # Lost on days 1 and 6, paid on day 5, found on day 7: nothing is open. Found units first and payments second would
    # let the found unit take day 1 and leave day 6 open.
    for other in ((), (("A", 9, 1, "FR"),)):
        found = allocate(
            rows(("A", 1, 1, "DE"), ("A", 6, 1, "DE"), *other),
            rows(("A", 5, 1, None), ("A", 7, 1, "DE")),
            by=["key"],
            within="place",
        )
        assert found.open_units.to_list() == [0, 0] + [1] * len(other)


def test_on_one_day_found_units_go_before_payments():
    found = allocate(
        rows(("A", 1, 1, "DE"), ("A", 2, 1, "FR")),
        rows(("A", 3, 1, None), ("A", 3, 1, "DE")),
        by=["key"],
        within="place",
    )
    assert pairs(found) == [(0, 1, 1), (1, 0, 1)]


def test_units_without_a_day_or_below_zero_are_refused():
    with pytest.raises(ValueError, match="units"):
        allocate(rows(("A", 1, -1)), rows(), by=["key"])
    with pytest.raises(ValueError, match="units"):
        allocate(rows(), rows(("A", 1, 1)).with_columns(on=pl.lit(None, pl.Date)), by=["key"])


event = st.tuples(
    st.sampled_from(["A", "B"]), st.integers(1, 12), st.integers(0, 4), st.sampled_from(["DE", "FR", None])
)


def slow(losses, credits, places: bool):
    """The rule as a loop over units."""
    open_units = [u for *_, u in losses.iter_rows()]
    left = [u for *_, u in credits.iter_rows()]
    out: dict[tuple[int, int], int] = {}
    lost, paid = losses.rows(), credits.rows()

    def rank(c: int) -> tuple:
        return paid[c][2], places and paid[c][1] is None, c

    for c in sorted(range(len(paid)), key=rank):
        key, place, on, _ = paid[c]
        for loss in sorted(range(len(lost)), key=lambda n: (lost[n][2], n)):
            there = not places or place is None or place == (lost[loss][1] or "")
            while lost[loss][0] == key and lost[loss][2] <= on and there and open_units[loss] and left[c]:
                open_units[loss] -= 1
                left[c] -= 1
                out[loss, c] = out.get((loss, c), 0) + 1
    return sorted((a, b, u) for (a, b), u in out.items()), open_units, left


@settings(max_examples=300, deadline=None)
@given(st.lists(event, max_size=14), st.lists(event, max_size=14), st.booleans())
def test_it_equals_the_slow_loop_and_keeps_every_unit(lost, paid, places):
    losses, credits = rows(*lost), rows(*paid)
    found = allocate(losses, credits, by=["key"], within="place" if places else None)
    expected = slow(losses, credits, places)
    assert (pairs(found), found.open_units.to_list(), found.left_units.to_list()) == expected
    settled = found.pairs["units"].sum()
    assert losses["units"].sum() == settled + found.open_units.sum()
    assert credits["units"].sum() == settled + found.left_units.sum()


@settings(max_examples=60, deadline=None)
@given(st.lists(event, max_size=10), st.lists(event, max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_rows_of_different_days_does_not_matter(lost, paid, chance: random.Random):
    losses = rows(*lost).unique(["key", "on"], keep="first", maintain_order=True)
    credits = rows(*paid).unique(["key", "on"], keep="first", maintain_order=True)
    first = allocate(losses, credits, by=["key"], within="place")
    order = chance.sample(range(losses.height), losses.height)
    again = allocate(losses[order], credits.reverse(), by=["key"], within="place")
    assert [first.open_units[n] for n in order] == again.open_units.to_list()
    assert first.left_units.to_list() == again.left_units.reverse().to_list()
