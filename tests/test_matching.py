"""`pair`: hand-worked cases for every rule, then the promises that hold for any lines."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_lib.matching import DUPLICATE, MATCHED, ONLY_LEFT, ONLY_RIGHT, WITH_DIFFERENCE, Pairing, Rule, pair

RULES = [
    Rule("id", "id", "id", sure=True),
    Rule("reference", "reference", "reference"),
    Rule("order", "order", "order"),
    Rule("permission", "permission", "permission", differs=False),
]
KEYS = ["id", "reference", "order", "permission"]
SCHEMA = dict.fromkeys([*KEYS, "kind", "currency"], pl.String()) | {
    "amount": pl.Decimal(38, 4),
    "at": pl.Datetime("us", "UTC"),
}
SAME_LEFT = ["at", "kind", *KEYS, "amount", "currency"]
SAME_RIGHT = ["id", "kind", "currency", "amount"]


def line(
    text: str, amount: int | str, day: int, hour: int = 12, *, kind: str = "capture", currency: str = "USD"
) -> dict[str, Any]:
    """`text` is "id reference order permission", a dot for an unknown one."""
    known: list[str | None] = [None if part == "." else part for part in text.split()]
    ids = dict(zip(KEYS, [*known, None, None, None, None][:4], strict=True))
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour)
    return ids | {"kind": kind, "currency": currency, "amount": Decimal(amount), "at": at}


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def run(
    left: list[dict[str, Any]], right: list[dict[str, Any]], rules: list[Rule] | None = None, **more: Any
) -> Pairing:
    return pair(
        frame(left),
        frame(right),
        RULES if rules is None else rules,
        repeat_left=SAME_LEFT,
        repeat_right=SAME_RIGHT,
        **more,
    )


def told(pairing: Pairing) -> list[tuple[Any, ...]]:
    """(left, right, rule, exact?, day of January)."""
    rows = pairing.pairs.rows()
    return [(a, b, rule, pile == MATCHED, (day - date(2025, 12, 31)).days) for a, b, rule, pile, day in rows]


def test_the_sure_id_pairs_and_the_rule_stays_on_the_pair() -> None:
    got = run([line("C1 . . .", 10, 1), line(". R2 . .", 20, 1)], [line(". R2 . .", 20, 3), line("C1 R1 O1 P1", 10, 2)])
    assert told(got) == [(0, 1, "id", True, 2), (1, 0, "reference", True, 3)]
    assert got.left_pile.to_list() == [MATCHED, MATCHED]


def test_ids_are_trimmed_and_case_folded_but_leading_zeros_count() -> None:
    got = run(
        [line("c1-abc . . .", 10, 1), line(". . 007 .", 5, 1)],
        [line("\u00a0C1-ABC\u00a0 . . .".replace("\u00a0 .", "\u00a0 ."), 10, 2), line(". . 7 .", 5, 2)],
    )
    assert told(got) == [(0, 0, "id", True, 2)]
    assert got.left_pile.to_list()[1] == ONLY_LEFT
    assert got.right_pile.to_list()[1] == ONLY_RIGHT


def test_a_key_matches_only_inside_its_kind_and_currency() -> None:
    left = [line("X R O P", 10, 1), line("X R O P", -10, 1, kind="refund"), line("X R O P", 10, 1, currency="EUR")]
    right = [
        line("X R O P", 10, 2, currency="EUR"),
        line("X R O P", 10, 2, currency="GBP"),
        line("X R O P", -10, 2, kind="refund"),
    ]
    assert told(run(left, right)) == [(1, 2, "id", True, 2), (2, 0, "id", True, 2)]


def test_equal_amount_decides_among_part_captures_of_an_order() -> None:
    left = [line(". . O P", 30, 1, 8), line(". . O P", 70, 1, 9)]
    right = [line("C1 . O P", 70, 2, 8), line("C2 . O P", 30, 2, 9)]
    assert told(run(left, right)) == [(0, 1, "order", True, 2), (1, 0, "order", True, 2)]


def test_among_equals_the_earliest_line_at_or_after_closes_the_oldest() -> None:
    left = [line(". . O .", 10, 3, 10), line(". . O .", 10, 3, 8)]
    right = [line("C1 . O .", 10, 3, 7), line("C2 . O .", 10, 3, 8), line("C3 . O .", 10, 3, 11)]
    # C1 came before both: C2 closes the older (row 1), C3 the younger (row 0); C1 is left.
    got = run(left, right)
    assert told(got) == [(0, 2, "order", True, 3), (1, 1, "order", True, 3)]
    assert got.right_pile.to_list()[0] == ONLY_RIGHT


def test_a_line_that_came_before_its_activity_is_taken_when_nothing_else_is_there() -> None:
    assert told(run([line(". . O .", 10, 3)], [line("C1 . O .", 10, 2)])) == [(0, 0, "order", True, 3)]


def test_a_day_is_done_before_the_next_one_begins() -> None:
    # On day 2 the only free pair is (0, 0); the better key of day 3 comes too late for it.
    left = [line(". . O .", 10, 1), line(". R O .", 10, 3)]
    right = [line("C1 R O .", 10, 2), line("C2 R O .", 10, 3)]
    assert told(run(left, right)) == [(0, 0, "order", True, 2), (1, 1, "reference", True, 3)]


def test_a_difference_needs_exactly_one_free_line_on_each_side() -> None:
    assert told(run([line(". R . .", 10, 1)], [line("C1 R . .", 12, 2)])) == [(0, 0, "reference", False, 2)]
    assert told(run([line(". R . .", 10, 1), line(". R . .", 11, 1)], [line("C1 R . .", 12, 2)])) == []


def test_a_difference_needs_more_than_the_permission() -> None:
    assert told(run([line(". . . P", 10, 1)], [line("C1 . . P", 12, 2)])) == []
    assert told(run([line(". . . P", 10, 1)], [line("C1 . . P", 10, 2)])) == [(0, 0, "permission", True, 2)]


def test_what_remains_after_the_equal_ones_are_gone_pairs_with_a_difference() -> None:
    left = [line(". . O .", 10, 1), line(". . O .", 20, 1)]
    right = [line("C1 . O .", 21, 2), line("C2 . O .", 10, 3)]
    # Day 2: two free on the left, nothing. Day 3: 10 = 10, then one is left on each side.
    assert told(run(left, right)) == [(0, 1, "order", True, 3), (1, 0, "order", False, 3)]


def test_known_and_different_sure_ids_are_never_a_pair() -> None:
    got = run([line("C1 R O P", 10, 1)], [line("C2 R O P", 10, 2)])
    assert told(got) == []


def test_of_two_sure_ids_one_that_agrees_is_not_enough() -> None:
    both_sure = [RULES[2], Rule("reference", "reference", "reference", sure=True), RULES[0]]
    left = [line("C1 R1 O .", 10, 1, 8), line("C2 R1 O .", 10, 1, 9)]
    assert told(run(left, [line("C2 R1 O .", 10, 2)], both_sure)) == [(1, 0, "order", True, 2)]
    right = [line("C2 R1 O .", 10, 2, 8), line("C1 R1 O .", 10, 2, 9)]
    assert told(run(left, right, both_sure)) == [(0, 1, "order", True, 2), (1, 0, "order", True, 2)]


def test_among_equals_a_line_goes_to_the_one_that_knows_its_sure_id_whatever_key_comes_first() -> None:
    order_first = [RULES[2], RULES[1], RULES[0]]
    # Two equal captures of an order, the shop knows the id of the younger: C1 is its line, so C2 is the older one's.
    left = [line(". . O .", 10, 1, 8), line("C1 . O .", 10, 1, 9)]
    right = [line("C1 . O .", 10, 2, 8), line("C2 . O .", 10, 2, 9)]
    assert told(run(left, right, order_first)) == [(0, 1, "order", True, 2), (1, 0, "order", True, 2)]
    # Nor is C1 assumed to be another amount of its order while the capture that it settles is open.
    left = [line("C1 R1 . .", 70, 1), line(". R2 O .", 30, 1)]
    right = [line("C1 R1 O .", 70, 2), line("C2 R2 O .", 30, 4)]
    assert told(run(left, right, order_first)) == [(0, 0, "reference", True, 2), (1, 1, "order", True, 4)]


def test_a_difference_is_assumed_once_the_line_of_its_sure_id_has_gone_to_another() -> None:
    # X of 50 is the line of both captures and goes to the older: 60 is then what came for the order of the younger.
    left = [line("X . . .", 50, 1, 8), line("X . O .", 50, 1, 9)]
    right = [line(". . O .", 60, 2, 8), line("X . . .", 50, 2, 9)]
    got = run(left, right, [RULES[2], RULES[1], RULES[0]])
    assert told(got) == [(0, 1, "id", True, 2), (1, 0, "order", False, 2)]


def test_a_difference_is_not_assumed_against_an_earlier_key() -> None:
    assert told(run([line(". R1 O .", 50, 1)], [line("C2 R2 O .", 30, 2)])) == []
    # Equal amounts may still pair by the order: a capture made by hand has a reference of Amazon's own.
    assert told(run([line(". R1 O .", 50, 1)], [line("C2 R2 O .", 50, 2)])) == [(0, 0, "order", True, 2)]


def test_a_waiting_line_that_will_be_paired_later_still_counts_as_free() -> None:
    # C1 waits until day 3 on the same order, so on day 2 there are two free lines on the left.
    left = [line("C1 . O .", 50, 1), line(". . O .", 20, 1)]
    right = [line("C2 . O .", 21, 2), line("C1 . O .", 50, 3)]
    assert told(run(left, right)) == [(0, 1, "id", True, 3), (1, 0, "order", False, 3)]


def test_a_repeated_line_is_a_duplicate_and_the_first_one_counts() -> None:
    right = [line("C1 . . .", 10, 3), line("C1 . . .", 10, 2), line("C1 . . .", 11, 4)]
    got = run([line("C1 . . .", 10, 1)], right)
    assert told(got) == [(0, 1, "id", True, 2)]
    assert got.right_pile.to_list() == [DUPLICATE, MATCHED, ONLY_RIGHT]


def test_a_line_recorded_twice_on_the_left_is_set_aside() -> None:
    twin = line(". R O P", 10, 1)
    got = run([twin, dict(twin), line("C5 . . .", 1, 1), line("C5 . . .", 1, 1)], [line("C1 R O P", 10, 2)])
    assert got.left_pile.to_list() == [MATCHED, DUPLICATE, ONLY_LEFT, DUPLICATE]


def test_the_day_is_the_day_in_the_zone() -> None:
    got = run([line("C1 . . .", 10, 1)], [line("C1 . . .", 10, 3, 5)], zone="America/Los_Angeles")
    assert told(got) == [(0, 0, "id", True, 2)]


def test_tolerance_turns_a_difference_into_a_match() -> None:
    left, right = [line("C1 . . .", "10.00", 1)], [line("C1 . . .", "10.02", 2)]
    assert told(run(left, right, tolerance={"USD": Decimal("0.02")}))[0][3] is True
    assert told(run(left, right, tolerance={"USD": Decimal("0.01"), "EUR": Decimal(9)}))[0][3] is False


def test_amounts_within_the_tolerance_are_equal_once_the_equal_ones_are_gone() -> None:
    cents = {"tolerance": {"USD": Decimal("0.05")}}
    # The order reference alone pairs equal amounts, and within the tolerance they are equal.
    assert told(run([line(". . . P", "10.00", 1)], [line("C1 . . P", "10.03", 2)], **cents)) == [
        (0, 0, "permission", True, 2)
    ]
    # Two captures of an order, both three cents apart: no difference, so "one free line on each side" is not asked.
    left = [line(". . O .", "10.00", 1, 8), line(". . O .", "25.00", 1, 9)]
    right = [line("C1 . O .", "25.03", 2, 8), line("C2 . O .", "9.97", 2, 9)]
    assert told(run(left, right, **cents)) == [(0, 1, "order", True, 2), (1, 0, "order", True, 2)]
    # The equal one goes first, however late; among the others the earliest at or after closes the oldest.
    left = [line(". . O .", "10.00", 1, 8), line(". . O .", "10.02", 1, 9)]
    right = [line("C1 . O .", "10.04", 2, 8), line("C2 . O .", "10.02", 2, 9), line("C3 . O .", "10.03", 2, 10)]
    assert told(run(left, right, **cents)) == [(0, 0, "order", True, 2), (1, 1, "order", True, 2)]
    # Six cents are a difference: not by the order reference.
    assert run([line(". . . P", "10.00", 1)], [line("C1 . . P", "10.06", 2)], **cents).pairs.height == 0


def test_nothing_in_nothing_out() -> None:
    assert run([], []).pairs.height == 0
    assert run([line("C1 . . .", 1, 1)], []).left_pile.to_list() == [ONLY_LEFT]
    assert pair(frame([line("C1 . . .", 1, 1)]), frame([]), []).left_pile.to_list() == [ONLY_LEFT]


# --- promises ---------------------------------------------------------------------------------------------------


def by_hand(
    left: list[dict[str, Any]], right: list[dict[str, Any]], rules: list[Rule], tolerance: int = 0
) -> tuple[set[tuple[Any, ...]], set[int], set[int]]:
    """The same rules, worked day by day over every possible pair, as plainly as can be said. `tolerance`: in dollars."""

    keys = [rule.left for rule in rules]

    def moment(rows: list[dict[str, Any]], n: int) -> tuple[Any, ...]:
        ids = [(rows[n][k] is not None, rows[n][k] or "") for k in keys]
        others = [
            (rows[n][k] is not None, rows[n][k] or "") for k in KEYS if k not in keys and (rows is left or k == "id")
        ]
        return (rows[n]["at"], *ids, rows[n]["amount"], *others, n)

    def repeats(rows: list[dict[str, Any]], names: list[str]) -> set[int]:
        seen, out = set(), set()
        for n in sorted(range(len(rows)), key=lambda n: moment(rows, n)):
            mark = tuple(rows[n][name] for name in names)
            if mark[0] is not None and mark in seen:
                out.add(n)
            seen.add(mark)
        return out

    aside, double = repeats(left, SAME_LEFT), repeats(right, SAME_RIGHT)
    free_l, free_r = set(range(len(left))) - aside, set(range(len(right))) - double
    pairs: set[tuple[Any, ...]] = set()

    def meets(a: int, b: int, rule: Rule) -> bool:
        x, y = left[a], right[b]
        same_group = (x["kind"], x["currency"]) == (y["kind"], y["currency"])
        return x[rule.left] is not None and x[rule.left] == y[rule.right] and same_group

    def near(a: int, b: int, limit: int) -> bool:
        gap = abs(left[a]["amount"] - right[b]["amount"])
        return bool(gap <= (limit if left[a]["currency"] == "USD" else 0))

    def refused(a: int, b: int, chosen: list[Rule]) -> bool:
        return any(
            None not in (left[a][r.left], right[b][r.right]) and left[a][r.left] != right[b][r.right] for r in chosen
        )

    def one_id(a: int, b: int, later: list[Rule]) -> bool:
        return any(meets(a, b, rule) for rule in later if rule.sure)

    for day in sorted({row["at"].date() for row in [*left, *right]}):
        moved = True
        while moved:
            moved = False
            for number, rule in enumerate(rules):
                here_l = [a for a in free_l if left[a]["at"].date() <= day]
                here_r = [b for b in free_r if right[b]["at"].date() <= day]
                for limit in (0, tolerance):
                    equal = [
                        (
                            limit or not one_id(a, b, rules[number + 1 :]),
                            right[b]["at"] < left[a]["at"],
                            moment(left, a),
                            moment(right, b),
                            a,
                            b,
                        )
                        for a in here_l
                        for b in here_r
                        if meets(a, b, rule) and near(a, b, limit) and not refused(a, b, [r for r in rules if r.sure])
                    ]
                    for *_, a, b in sorted(equal):
                        if a in free_l and b in free_r:
                            free_l.remove(a)
                            free_r.remove(b)
                            pairs.add((a, b, rule.name, True, day))
                            moved = True
                if not rule.differs:
                    continue
                here_l = [a for a in here_l if a in free_l]
                here_r = [b for b in here_r if b in free_r]
                for a in here_l:
                    for b in here_r:
                        x = left[a]
                        same_l = [
                            c
                            for c in here_l
                            if left[c][rule.left] == x[rule.left]
                            and (left[c]["kind"], left[c]["currency"]) == (x["kind"], x["currency"])
                        ]
                        same_r = [c for c in here_r if meets(a, c, rule)]
                        if meets(a, b, rule) and same_l == [a] and same_r == [b] and x["amount"] != right[b]["amount"]:
                            if refused(a, b, rules[:number]) or refused(a, b, [r for r in rules if r.sure]):
                                continue
                            later = rules[number + 1 :]
                            if any(near(a, c, 0) and one_id(a, c, later) for c in here_r if c in free_r):
                                continue
                            if any(near(c, b, 0) and one_id(c, b, later) for c in here_l if c in free_l):
                                continue
                            if a in free_l and b in free_r:
                                free_l.remove(a)
                                free_r.remove(b)
                                pairs.add((a, b, rule.name, False, day))
                                moved = True
    return pairs, aside, double


def lines(largest: int = 8) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Few values, so that ids are reused, orders are captured in parts and days collide."""

    def key(values: str) -> st.SearchStrategy[str | None]:
        return st.sampled_from([None, *values])

    row = st.builds(
        lambda ids, amount, day, hour, kind, currency: (
            dict(zip(KEYS, ids, strict=True))
            | line("", amount if kind == "capture" else -amount, day, hour, kind=kind, currency=currency)
            | dict(zip(KEYS, ids, strict=True))
        ),
        st.tuples(key("ABCDEF"), key("RST"), key("OQ"), key("P")),
        st.sampled_from([10, 20, 30]),
        st.integers(1, 5),
        st.sampled_from([8, 12, 16]),
        st.sampled_from(["capture", "capture", "capture", "refund"]),
        st.sampled_from(["USD", "USD", "USD", "EUR"]),
    )
    return st.lists(row, max_size=largest)


ORDERS = st.sampled_from(
    [RULES, [RULES[2], RULES[0], RULES[3]], [RULES[1], RULES[2]], RULES[:1], [RULES[0], RULES[3], RULES[1]]]
)


@settings(max_examples=120, deadline=None)
@given(lines(), lines(), ORDERS, st.sampled_from([0, 0, 10, 20]))
def test_the_pairs_are_those_of_the_clerk(
    left: list[dict[str, Any]], right: list[dict[str, Any]], rules: list[Rule], tolerance: int
) -> None:
    got = run(left, right, rules, tolerance={"USD": Decimal(tolerance)})
    pairs, aside, double = by_hand(left, right, rules, tolerance)
    assert {(a, b, rule, pile == MATCHED, day) for a, b, rule, pile, day in got.pairs.rows()} == pairs
    assert {n for n, pile in enumerate(got.left_pile) if pile == DUPLICATE} == aside
    assert {n for n, pile in enumerate(got.right_pile) if pile == DUPLICATE} == double


@settings(max_examples=25, deadline=None)
@given(lines(20), lines(20))
def test_every_line_and_every_cent_is_in_exactly_one_pile(
    left: list[dict[str, Any]], right: list[dict[str, Any]]
) -> None:
    got = run(left, right)
    for side, rows, piles in (("left", left, got.left_pile), ("right", right, got.right_pile)):
        assert len(piles) == len(rows)
        assert not got.pairs[side].is_duplicated().any()
        paired = piles.is_in([MATCHED, WITH_DIFFERENCE])
        assert paired.sum() == got.pairs.height
        money = frame(rows).with_columns(pl.Series("pile", piles)).group_by("pile").agg(pl.col("amount").sum())
        assert sum(money["amount"].to_list(), Decimal(0)) == sum((row["amount"] for row in rows), Decimal(0))


@settings(max_examples=25, deadline=None)
@given(lines(20), lines(20), st.integers(1, 5))
def test_a_day_added_changes_no_earlier_pair(left: list[dict[str, Any]], right: list[dict[str, Any]], day: int) -> None:
    left.sort(key=lambda row: row["at"])
    right.sort(key=lambda row: row["at"])
    limit = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    until = run([row for row in left if row["at"] < limit], [row for row in right if row["at"] < limit])
    whole = run(left, right)
    assert whole.pairs.filter(pl.col("paired_on") < limit.date()).rows() == until.pairs.rows()


@settings(max_examples=25, deadline=None)
@given(lines(15), lines(15), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(left: list[dict[str, Any]], right: list[dict[str, Any]], dice: Any) -> None:
    def content(pairing: Pairing, one: list[dict[str, Any]], two: list[dict[str, Any]]) -> list[str]:
        return sorted(repr((one[a], two[b], rule, pile, day)) for a, b, rule, pile, day in pairing.pairs.rows())

    before = content(run(left, right), left, right)
    dice.shuffle(left)
    dice.shuffle(right)
    assert content(run(left, right), left, right) == before


@settings(max_examples=25, deadline=None)
@given(lines(15), lines(15))
def test_swapping_the_sides_only_swaps_the_sign(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> None:
    def gaps(pairing: Pairing, one: list[dict[str, Any]], two: list[dict[str, Any]]) -> dict[tuple[int, int], Decimal]:
        return {(a, b): two[b]["amount"] - one[a]["amount"] for a, b in pairing.pairs.select("left", "right").rows()}

    ways = gaps(pair(frame(left), frame(right), RULES), left, right)
    back = gaps(pair(frame(right), frame(left), RULES, later="left"), right, left)
    assert {(b, a): -gap for (a, b), gap in back.items()} == ways


def test_hashes_that_collide_never_make_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_alike(column: str, within: object = (), *, seed: int = 7, plain: bool = False) -> pl.Expr:
        return pl.when(pl.col(column).is_not_null()).then(pl.lit(1, pl.UInt64))

    monkeypatch.setattr("recon_lib.matching_terms.key_hash", all_alike)
    left = [line("C1 R1 O1 P1", 10, 1), line(". R2 . .", 20, 1)]
    right = [line("C2 R2 . .", 20, 2), line("C1 . . .", 10, 2), line("C3 . . .", 5, 2)]
    assert told(run(left, right)) == [(0, 1, "id", True, 2), (1, 0, "reference", True, 2)]
    assert told(run(left[:1], right[:1])) == []
    assert told(run(left[1:], right[:1])) == [(0, 0, "reference", True, 2)]


def hashed(ids: list[tuple[str | None, str | None]], hashes: list[tuple[int, int]], amounts: list[int]) -> pl.DataFrame:
    told = pl.DataFrame(ids, schema={"id": pl.String, "order": pl.String}, orient="row")
    return told.with_columns(
        pl.Series("id#", [one for one, _ in hashes], dtype=pl.UInt64),
        pl.Series("order#", [two for _, two in hashes], dtype=pl.UInt64),
        pl.Series("amount", amounts, dtype=pl.Int64),
        pl.lit("capture").alias("kind"),
        pl.lit("USD").alias("currency"),
        pl.datetime(2026, 1, 1, time_zone="UTC").alias("at"),
    )


@pytest.mark.parametrize(
    ("right", "hashes", "pairs"),
    [
        (("B", None), (5, 0), []),  # the hashes are equal by accident
        (("A", None), (5, 0), [(0, 0)]),  # no second hash: the texts decide
        (("A", "X"), (5, 6), [(0, 0)]),  # a second id agrees
        ((None, "X"), (0, 6), [(0, 0)]),
        ((None, "Y"), (0, 6), []),
    ],
)
def test_where_only_hashes_are_kept_texts_or_a_second_hash_decide(
    right: tuple[str | None, str | None], hashes: tuple[int, int], pairs: list[tuple[int, int]]
) -> None:
    one, two = hashed([("A", "X")], [(5, 6)], [10]), hashed([right], [hashes], [10])
    found = pair(
        one.drop("id", "order"), two.drop("id", "order"), [Rule("id", "id", "id", sure=True), Rule("order", "order", "order")],
        fetch_left=lambda rows: one[rows], fetch_right=lambda rows: two[rows],
    )  # fmt: skip
    assert found.pairs.select("left", "right").rows() == pairs


@pytest.mark.parametrize("many", [1, 10_000])
def test_ids_that_need_no_folding_meet_those_that_do(monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr("recon_lib.matching_terms._MANY", many)  # 1: each side is looked at first, as with many rows
    left = [line("C1 R1 O1 P1", 10, 1), line("C2 R2 O2 P2", 20, 1), line(". R3 . .", 30, 1)]
    right = [line(" c1 R1 o1 P1", 10, 2), line("c2 . . .", 20, 2), line(". r3 . .", 30, 2)]
    assert told(run(left, right)) == [(0, 0, "id", True, 2), (1, 1, "id", True, 2), (2, 2, "reference", True, 2)]


def test_a_heavy_key_is_worked_without_trying_every_pair() -> None:
    n = 3000
    left = [line(f". . SAME P{i}", 10, 1 + i % 5) for i in range(n)]
    right = [line(f"C{i} . SAME .", 10, 2 + i % 5) for i in range(n)]
    got = run(left, right)
    assert got.pairs.height == n
    assert (got.pairs["rule"] == "order").all()
