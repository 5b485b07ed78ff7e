"""Rows of two sides with the same 64-bit key, against counting them one by one."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recon_lib.matching_meet import Met, meet

A, B, C = 0x1111_2222_3333_4444, 0x9999_AAAA_BBBB_CCCC, 0xFFFF_EEEE_DDDD_1234


def met(left: list[int], right: list[int]) -> Met:
    return meet(np.array(left, np.uint64), np.array(right, np.uint64))


def counted(left: list[int], right: list[int]) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    rows: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, keys in enumerate((left, right)):
        for row, key in enumerate(keys):
            if key:
                rows[key][side].append(row)
    both = [(ones, twos) for ones, twos in rows.values() if ones and twos]
    couples = sorted((ones[0], twos[0]) for ones, twos in both if len(ones) == len(twos) == 1)
    many = [(ones, twos) for ones, twos in both if len(ones) + len(twos) > 2]
    return couples, sorted(row for ones, _ in many for row in ones), sorted(row for _, twos in many for row in twos)


def told(found: Met) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    couples = list(zip(found.left.tolist(), found.right.tolist(), strict=True))
    return couples, sorted(found.several_left.tolist()), sorted(found.several_right.tolist())


def test_a_key_on_both_sides_once_is_a_couple() -> None:
    assert told(met([A, B, 0], [0, C, A])) == ([(0, 2)], [], [])


def test_a_key_that_one_side_has_twice_is_no_couple() -> None:
    assert told(met([A, B, B, C], [B, A, C, C])) == ([(0, 1)], [1, 2, 3], [0, 2, 3])


def test_a_key_that_only_one_side_has_meets_nobody_however_often() -> None:
    assert told(met([A, A, A], [B, 0])) == ([], [], [])
    assert told(met([], [A, A])) == ([], [], [])
    assert told(met([], [])) == ([], [], [])


def test_keys_that_only_begin_alike_are_no_couple() -> None:
    assert told(met([A], [A + 1])) == ([], [], [])
    couples, ones, twos = told(met([A, A + 1], [A + 1]))
    assert (couples, twos) == ([], [0])
    assert 1 in ones, "who has whose key is left to those who look closer"


@given(st.lists(st.sampled_from([0, A, B, C]), max_size=9), st.lists(st.sampled_from([0, A, B, C]), max_size=9))
def test_every_key_is_found(left: list[int], right: list[int]) -> None:
    assert told(met(left, right)) == counted(left, right)


def test_many_rows_are_found_across_blocks() -> None:
    chance = np.random.default_rng(7)
    keys = chance.integers(1, 2**64, 90_000, dtype=np.uint64)
    left, right = keys[chance.integers(0, 90_000, 120_000)], keys[chance.integers(0, 90_000, 60_000)]
    left[::17] = 0
    assert told(meet(left, right)) == counted(left.tolist(), right.tolist())


@given(st.lists(st.integers(0, 6), max_size=8), st.lists(st.integers(0, 6), max_size=8))
def test_where_all_begin_alike_nothing_is_lost_and_no_couple_is_wrong(left: list[int], right: list[int]) -> None:
    couples, ones, twos = told(met(left, right))
    true, many_left, many_right = counted(left, right)
    assert set(couples) <= set(true)
    lefts, rights = {i for i, _ in couples} | set(ones), {j for _, j in couples} | set(twos)
    assert {i for i, _ in true} | set(many_left) <= lefts
    assert {j for _, j in true} | set(many_right) <= rights
