"""Pair the lines of two frames by an ordered list of key rules: nothing is lost and nothing counts twice.

The rules are worked as a clerk would, at the end of every day, over what is still free on both sides:

1. For each rule in order, lines with the same key and an equal amount are paired. Among equals those go first that share
   a sure id, too, which only a later rule asks for. Then the earliest later-side line at or after the earlier-side line
   closes the oldest one; only then a line that came before it is taken. Then, in the same way, lines whose amounts lie
   within the tolerance.
2. For the same rule, a key with exactly one free line on each side and unequal amounts is a pair with a difference.

A pair once made stays. So the pairs of a day do not change when later days are added, and one run over everything
gives what a run a day gave. Two lines that both know a sure id (unique by nature) and disagree in it are never a pair.
A difference is never assumed where a key of an earlier rule is known on both sides and disagrees, or where one of the
two has a free line of its own sure id and amount.

Most keys are unique on both sides and nobody else can claim their lines: these are paired by their hashes
(`matching_meet`), and the texts behind the hashes, or further bits, are compared (`quick`). Only what is left goes
through the careful steps (`matching_rest`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import polars as pl

from recon_lib.matching_meet import meet
from recon_lib.matching_rest import NEVER, Slow, pair_rest
from recon_lib.matching_terms import (
    MONEY_STEPS,
    Array,
    Fetch,
    Rule,
    Side,
    Terms,
    compared,
    equal_amounts,
    is_in,
    same_text,
)

__all__ = ["DUPLICATE", "MATCHED", "ONLY_LEFT", "ONLY_RIGHT", "WITH_DIFFERENCE", "Pairing", "Rule", "pair"]

MATCHED, WITH_DIFFERENCE = "matched", "matched with a difference"
ONLY_LEFT, ONLY_RIGHT, DUPLICATE = "only left", "only right", "duplicate"


@dataclass(frozen=True)
class Pairing:
    """Where every line went.

    pairs       left, right (row numbers), rule (its name), pile, paired_on (the day the pair was made); sorted by left
    left_pile   beside the left frame: matched, matched with a difference, only left, duplicate
    right_pile  beside the right frame: matched, matched with a difference, only right, duplicate
    """

    pairs: pl.DataFrame
    left_pile: pl.Series
    right_pile: pl.Series


def pair(
    left: pl.DataFrame,
    right: pl.DataFrame,
    rules: Sequence[Rule],
    *,
    within: Sequence[str] = ("kind", "currency"),
    amount: str = "amount",
    at: str = "at",
    zone: str = "UTC",
    tolerance: Mapping[str, Decimal] | None = None,
    later: str = "right",
    repeat_left: Sequence[str] = (),
    repeat_right: Sequence[str] = (),
    fetch_left: Fetch | None = None,
    fetch_right: Fetch | None = None,
    dated: bool = True,
) -> Pairing:
    """Pair `left` with `right`; a key matches only inside equal `within` columns. Null keys match nothing.

    Args:
        amount: exact money (Decimal up to 4 digits, or whole minor units).
        at: the instant; its day in `zone` is when a line can first match.
        tolerance: by currency (column `currency`): amounts that far apart at most are as good as equal ones, and come after them.
        later: the side that follows the other ("right": a settlement line follows the activity).
        repeat_left, repeat_right: a line equal to an earlier one of its side in all these columns is a duplicate; a
            line whose first of them is null never is.
        fetch_left, fetch_right: where the frames hold hashes of the normal ids (`key#`, 64 bits, 0 without an id; `key##`,
            32 more of another seed): gives the rows of the given row numbers with their ids. Their texts are compared
            unless a second hash agrees too: an accident among ten million ids is less likely than one in 10^12.
        dated: whether to work out `paired_on` (null otherwise).

    Lines of one instant are told apart by their keys and amount, then by their order in the frame, so the order of the
    rows does not matter as long as equal rows are equal.
    """
    unit = MONEY_STEPS if isinstance(left[amount].dtype, pl.Decimal) else 1
    limits = {currency: int(allowed * unit) for currency, allowed in (tolerance or {}).items() if allowed}
    terms = Terms(tuple(rules), tuple(within), amount, at, zone, later == "right", limits)
    sides = (
        Side.of(left, [r.left for r in rules], terms, tuple(repeat_left), fetch_left),
        Side.of(right, [r.right for r in rules], terms, tuple(repeat_right), fetch_right),
    )
    quick_left, quick_right = _quick(*sides, terms)
    slow, repeats = pair_rest(*sides, quick_left, quick_right, terms)
    partner = np.full(left.height, -1, np.int32)
    partner[quick_left] = quick_right
    partner[slow.left] = slow.right
    rows_left = np.flatnonzero(partner >= 0)
    rows_right = partner[rows_left]
    rules_of = np.zeros(left.height, np.uint8)
    rules_of[slow.left] = slow.rule
    exact = equal_amounts(*sides, rows_left, rows_right)
    day = _days(sides, rows_left, rows_right, slow) if dated else None
    pairs = pl.DataFrame({"left": rows_left.astype(np.uint32), "right": rows_right.astype(np.uint32)}).with_columns(
        _named("rule", rules_of[rows_left], [rule.name for rule in rules]),
        _named("pile", np.where(exact, 0, 1).astype(np.uint8), [MATCHED, WITH_DIFFERENCE]),
        pl.lit(None, pl.Date).alias("paired_on") if day is None else pl.Series("paired_on", day).cast(pl.Date),
    )
    return Pairing(
        pairs,
        _piles(left.height, rows_left, exact, repeats[0], ONLY_LEFT),
        _piles(right.height, rows_right, exact, repeats[1], ONLY_RIGHT),
    )


def _quick(left: Side, right: Side, terms: Terms) -> tuple[Array, Array]:
    """The rows that are certain to be each other's, whatever the other lines are: (left rows, right rows).

    Certain means: the first rule is a sure id, it stands once on each side, and from the later line's day on nobody
    else could have taken either of them. A left line that waits can only be taken by a right line without a sure id
    (two different sure ids never meet); a right line that came on an earlier day may have been taken: not certain.
    """
    none = np.zeros(0, np.int64)
    if not terms.rules or not (terms.rules[0].sure and terms.rules[0].differs and terms.left_first):
        return none, none
    met = meet(left.hashes[0], right.hashes[0])
    rows_left, rows_right = met.left, met.right
    early = compared(np.less, right.at, rows_right, left.at, rows_left)
    if early.any():
        where = np.flatnonzero(early)
        early[where] = right.days(rows_right[where]) < left.days(rows_left[where])
    sure = ~early
    sure &= same_text(left, right, rows_left, rows_right, 0)
    without = right.missing(0)
    if len(without):
        for number in range(1, len(terms.rules)):
            sure &= ~is_in(left.hashes[number][rows_left], right.hashes[number][without])
    return (rows_left, rows_right) if sure.all() else (rows_left[sure], rows_right[sure])


def _days(sides: tuple[Side, Side], rows_left: Array, rows_right: Array, slow: Slow) -> Array:
    """The day each pair was made: the later line's day, or a later one where the pair became the only one left over."""
    told = np.full(sides[0].height, NEVER, np.int32)
    told[slow.left] = slow.day
    return np.asarray(np.maximum(np.maximum(sides[0].days(rows_left), sides[1].days(rows_right)), told[rows_left]))


def _piles(height: int, rows: Array, exact: Array, repeats: Array, alone: str) -> pl.Series:
    codes = np.zeros(height, np.uint8)
    codes[rows] = np.where(exact, 1, 2)
    codes[repeats] = 3
    return _named("pile", codes, [alone, MATCHED, WITH_DIFFERENCE, DUPLICATE])


def _named(name: str, codes: Array, names: Sequence[str]) -> pl.Series:
    return pl.Series(name, codes).cat.to(pl.Enum(names))
