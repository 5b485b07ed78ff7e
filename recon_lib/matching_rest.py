"""What a first look at hashes could not settle: repeats, lone couples, and the ladder for lines that compete for each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from recon_lib.item_runs import repeated
from recon_lib.keys import normal
from recon_lib.matching_ladder import Line, climb
from recon_lib.matching_meet import meet
from recon_lib.matching_terms import Array, Side, Terms, equal_amounts, is_in, same_text


@dataclass(frozen=True)
class Slow:
    """Pairs: rows of both sides, the rule's number, the day on which the pair was made (smallest int: the later line's day)."""

    left: Array
    right: Array
    rule: Array
    day: Array


@dataclass
class _Part:
    """The rows of one side that are still to be placed, with their hashes as plain arrays (`known` where there is one)."""

    side: Side
    rows: Array
    hashes: list[Array]
    known: list[Array]

    @classmethod
    def of(cls, side: Side, rows: Array) -> _Part:
        parts = [hashes[rows] for hashes in side.hashes]
        return cls(side, rows, parts, [part != 0 for part in parts])


NEVER = np.iinfo(np.int32).min
_PRIME = np.uint64(0x9E3779B97F4A7C15)


def pair_rest(
    left: Side, right: Side, quick_left: Array, quick_right: Array, terms: Terms
) -> tuple[Slow, tuple[Array, Array]]:
    """Places every row that is in no quick pair. Gives the pairs, and the rows of both sides that repeat an earlier one."""
    free = [_others(side.frame.height, quick) for side, quick in ((left, quick_left), (right, quick_right))]
    repeats = (_repeats(left, free[0]), _repeats(right, free[1]))
    parts = [_Part.of(side, np.setdiff1d(rows, gone, assume_unique=True) if len(gone) else rows)
             for side, rows, gone in zip((left, right), free, repeats, strict=True)]  # fmt: skip
    couples, tangled = _couples(parts[0], parts[1], terms)
    lone, contested = _settle(parts[0], parts[1], couples, left, quick_left, terms)
    ones = np.concatenate([parts[0].rows[tangled[0]], parts[0].rows[contested[0]]])
    twos = np.concatenate([parts[1].rows[tangled[1]], parts[1].rows[contested[1]]])
    if not len(ones) or not len(twos):
        return lone, repeats
    tied = climb(*_lines(left, right, ones, twos, quick_left, quick_right, terms), terms.rules, terms.left_first)
    return Slow(
        np.concatenate([lone.left, tied[0]]),
        np.concatenate([lone.right, tied[1]]),
        np.concatenate([lone.rule, tied[2].astype(np.uint8)]),
        np.concatenate([lone.day, tied[3].astype(np.int32)]),
    ), repeats


def _others(height: int, rows: Array) -> Array:
    keep = np.ones(height, bool)
    keep[rows] = False
    return np.flatnonzero(keep)


def _repeats(side: Side, rows: Array) -> Array:
    """The rows that equal an earlier one of `rows` in every column of `side.repeat`."""
    if not side.repeat or not len(rows):
        return rows[:0]
    wanted = pl.Series(rows.astype(np.uint32))
    mark = np.zeros(len(rows), np.uint64)
    for name in side.repeat:
        if name in side.keys:
            part = side.hashes[side.keys.index(name)][rows]
        elif name in (side.terms.at, side.terms.amount):
            part = (side.at if name == side.terms.at else side.amounts)[rows].astype(np.int64).view(np.uint64)
        elif name in side.other_ids and name in side.frame.columns:
            part = side.frame.select(normal(name))[wanted].select(pl.first().hash().fill_null(0)).to_series().to_numpy()
        else:
            continue
        mark = (mark ^ part) * _PRIME
    likely = repeated(pl.Series(mark)).to_numpy()
    if not likely.any():
        return rows[:0]
    table = _table(side, rows[likely])
    names = [f"k{side.keys.index(n)}" if n in side.keys else {side.terms.at: "_at", side.terms.amount: "_amount"}.get(n, n)
             for n in side.repeat]  # fmt: skip
    table = table.filter(pl.col(names[0]).is_not_null())
    return table.filter(~pl.struct(names).is_first_distinct())["_row"].to_numpy().astype(np.int64)


def _table(side: Side, rows: Array) -> pl.DataFrame:
    """The rows with their texts, sorted as they happened: instant, then content, then place in the frame.

    Of one instant, who does not know a key goes before who knows another one than the line that asks by a later key.
    """
    texts = side.texts(rows).with_columns(
        pl.Series("_row", rows.astype(np.int64)),
        pl.Series("_at", side.at[rows]),
        pl.Series("_amount", side.amounts[rows]),
    )
    keys = [f"k{number}" for number in range(len(side.keys))]
    return texts.sort("_at", *keys, "_amount", *side.other_ids, "_row", nulls_last=False)


@dataclass(frozen=True)
class _Couples:
    """Two lines each of which could be paired with the other and with nobody else (indices into the parts)."""

    left: Array
    right: Array


def _couples(left: _Part, right: _Part, terms: Terms) -> tuple[_Couples, tuple[Array, Array]]:
    """Splits the rows into couples, lines alone, and tangled ones (masks): several lines that share keys."""
    partner = (np.full(len(left.rows), -1, np.int64), np.full(len(right.rows), -1, np.int64))
    tangled = (np.zeros(len(left.rows), bool), np.zeros(len(right.rows), bool))
    for rule in range(len(terms.rules)):
        met = meet(left.hashes[rule], right.hashes[rule])
        tangled[0][met.several_left] = tangled[1][met.several_right] = True
        i, j = met.left, met.right
        for mask, known, mine, other in ((tangled[0], partner[0], i, j), (tangled[1], partner[1], j, i)):
            mask[mine] |= (known[mine] != -1) & (known[mine] != other)
            known[mine] = np.where(known[mine] == -1, other, known[mine])
    i = np.flatnonzero(partner[0] >= 0)
    j = partner[0][i]
    alone = ~tangled[0][i] & ~tangled[1][j] & (partner[1][j] == i)
    in_couple = (np.zeros(len(left.rows), bool), np.zeros(len(right.rows), bool))
    in_couple[0][i[alone]] = True
    in_couple[1][j[alone]] = True
    rest = tuple(
        ((known >= 0) | mask) & ~couple for known, mask, couple in zip(partner, tangled, in_couple, strict=True)
    )
    return _Couples(i[alone], j[alone]), (rest[0], rest[1])


def _settle(
    left: _Part, right: _Part, couples: _Couples, whole: Side, quick_left: Array, terms: Terms
) -> tuple[Slow, tuple[Array, Array]]:
    """Pairs the couples by their first rule; those a waiting third line stands beside come back (indices) for the ladder."""
    i, j = couples.left, couples.right
    exact = equal_amounts(left.side, right.side, left.rows[i], right.rows[j])
    rule = np.full(len(i), 255, np.uint8)
    doubted = np.zeros(len(i), bool)  # equal hashes of unequal texts: only the ladder, which compares texts, may judge
    against = np.zeros(len(i), bool)  # an earlier key is known on both sides and disagrees
    refused = np.zeros(len(i), bool)
    beside = np.zeros(len(i), bool)
    in_quick = np.zeros(whole.height, bool)
    in_quick[quick_left] = True
    for number, terms_rule in enumerate(terms.rules):
        known = left.known[number][i] & right.known[number][j]
        same = known & (left.hashes[number][i] == right.hashes[number][j])
        where = np.flatnonzero(same)
        doubted[where[~same_text(left.side, right.side, left.rows[i[where]], right.rows[j[where]], number)]] = True
        if terms_rule.sure:
            refused |= known & ~same
        first = same & (rule == 255)
        rule[first & exact] = number
        differing = first & ~exact & ~against
        if terms_rule.differs and differing.any():
            rule[differing] = number
            where = np.flatnonzero(differing)
            wanted = pl.Series(left.hashes[number][i[where]])
            same_key = pl.Series(whole.hashes[number]).is_in(wanted.implode()).arg_true().to_numpy()
            waiting = whole.hashes[number][same_key[in_quick[same_key]]]
            beside[where[wanted.is_in(pl.Series(waiting).implode()).to_numpy()]] = True
        against |= known & ~same
    to_ladder = doubted | (beside & ~refused)
    made = (rule != 255) & ~refused & ~to_ladder
    pairs = Slow(left.rows[i[made]], right.rows[j[made]], rule[made], np.full(int(made.sum()), NEVER, np.int32))
    return pairs, (i[to_ladder], j[to_ladder])


def _lines(
    left: Side,
    right: Side,
    ones: Array,
    twos: Array,
    quick_left: Array,
    quick_right: Array,
    terms: Terms,
) -> tuple[list[Line], list[Line], list[tuple[Line, int]]]:
    """The competing lines of both sides as they happened, and the left lines of quick pairs that wait beside them.

    With each of the latter its last day.
    """
    beside = np.zeros(len(quick_left), bool)
    for number, rule in enumerate(terms.rules):
        if rule.differs and number:
            keys = np.concatenate([left.hashes[number][ones], right.hashes[number][twos]])
            beside |= is_in(left.hashes[number][quick_left], keys)
    waiting, until = quick_left[beside], right.days(quick_right[beside])
    long = left.days(waiting) < until
    waiting, until = waiting[long], until[long]
    last = dict(zip(waiting.tolist(), until.tolist(), strict=True))
    lines = _as_lines(left, np.concatenate([ones, waiting]), terms)
    return (
        [line for line in lines if line.row not in last],
        _as_lines(right, twos, terms),
        [(line, last[line.row]) for line in lines if line.row in last],
    )


def _as_lines(side: Side, rows: Array, terms: Terms) -> list[Line]:
    table = _table(side, rows)
    group = (
        list(zip(*[table[name].to_list() for name in terms.within], strict=True))
        if terms.within
        else [()] * table.height
    )
    keys = list(zip(*[table[f"k{number}"].to_list() for number in range(len(side.keys))], strict=True))
    days = side.days(table["_row"].to_numpy()).tolist()
    limits = [terms.limits.get(currency, 0) for currency in table["currency"]] if terms.limits else [0] * table.height
    return [
        Line(row, order, day, at, amount, tuple(None if key is None else (*names, key) for key in ids), limits[order])
        for order, (row, day, at, amount, names, ids) in enumerate(
            zip(
                table["_row"].to_list(),
                days,
                table["_at"].to_list(),
                table["_amount"].to_list(),
                group,
                keys,
                strict=True,
            )
        )
    ]
