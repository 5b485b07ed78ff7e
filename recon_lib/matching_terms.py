"""What the steps of matching share: a rule, the terms of a run, and one side in the form in which it is matched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from recon_lib.folding import needs_no_folding
from recon_lib.keys import key_hash, normal
from recon_lib.money import MONEY
from recon_lib.zones import local_day

Array: TypeAlias = "np.ndarray[Any, Any]"
_SECOND = 101  # seed of the further bits
MONEY_STEPS = 10**4  # whole steps of 1.00 in MONEY
BLOCK = 1 << 13  # rows that are looked at in one go: what is worked out of them stays in the cache
_MANY = 10_000  # rows from which on it pays to ask whether ids need folding at all
Fetch = Callable[[pl.Series], pl.DataFrame]


@dataclass(frozen=True)
class Rule:
    """One key and its column on either side.

    sure     the id is unique by nature: known and different ids never meet
    differs  this key may pair lines whose amounts differ
    """

    name: str
    left: str
    right: str
    sure: bool = False
    differs: bool = True


@dataclass(frozen=True)
class Terms:
    """The terms of one run of `pair`; `left_first`: the left side comes first, the right side follows.

    `limits`: by currency, in whole steps: amounts that lie no further apart count as equal.
    """

    rules: tuple[Rule, ...]
    within: tuple[str, ...]
    amount: str
    at: str
    zone: str
    left_first: bool
    limits: Mapping[str, int]

    @property
    def sure(self) -> list[int]:
        return [number for number, rule in enumerate(self.rules) if rule.sure]


@dataclass
class Side:
    """One side. `hashes`: per rule the 64-bit hash of the key inside its group, 0 without a key.

    `at` and `amounts` are whole numbers; `repeat`: the columns that make a repeat.
    """

    frame: pl.DataFrame
    keys: list[str]
    terms: Terms
    repeat: tuple[str, ...]
    fetch: Fetch | None
    hashes: list[Array]
    at: Array
    amounts: Array

    @classmethod
    def of(
        cls, frame: pl.DataFrame, keys: Sequence[str], terms: Terms, repeat: tuple[str, ...], fetch: Fetch | None
    ) -> Side:
        ready = [key for key in keys if f"{key}#" in frame.columns]
        made = frame.select(hashes_of(frame, [key for key in dict.fromkeys(keys) if key not in ready], terms.within))
        hashes = [(frame if key in ready else made)[f"{key}#"].to_numpy() for key in keys]
        money = frame[terms.amount]
        if isinstance(money.dtype, pl.Decimal):
            money = money.cast(MONEY).to_physical().cast(pl.Int64)
        return cls(
            frame,
            list(keys),
            terms,
            repeat,
            fetch,
            hashes,
            frame[terms.at].to_physical().to_numpy(),
            money.to_numpy(),
        )

    @property
    def height(self) -> int:
        return self.frame.height

    def missing(self, rule: int) -> Array:
        """The rows without the rule's key."""
        return np.flatnonzero(self.hashes[rule] == 0)

    def days(self, rows: Array) -> Array:
        """The day of each row in the zone of the run, as days since 1970 (int32)."""
        moments = self.frame[self.terms.at].gather(pl.Series(rows.astype(np.uint32)))
        if isinstance(moments.dtype, pl.Datetime):
            if moments.dtype.time_zone is None:
                moments = moments.dt.replace_time_zone("UTC")
            first, last = moments.min(), moments.max()
            if isinstance(first, datetime) and isinstance(last, datetime):
                day = local_day(self.terms.at, self.terms.zone, first.date(), last.date())
                moments = moments.dt.convert_time_zone("UTC").to_frame().select(day).to_series()
            else:
                moments = moments.cast(pl.Date)  # none
        return moments.to_physical().cast(pl.Int32).to_numpy()

    def texts(self, rows: Array) -> pl.DataFrame:
        """The normal ids of the given rows, one column `k0`, `k1` ... a rule, the `within` columns as text, and `other_ids`."""
        wanted = pl.Series(rows.astype(np.uint32))
        if self.fetch is None or all(key in self.frame.columns for key in self.keys):
            part = self.frame.select(list(dict.fromkeys([*self.keys, *self.terms.within, *self.other_ids])))[wanted]
        else:
            part = self.fetch(wanted)
        return part.select(
            *[normal(key).alias(f"k{number}") for number, key in enumerate(self.keys)],
            *[pl.col(name).cast(pl.String) for name in self.terms.within],
            *[normal(name).alias(name) for name in self.other_ids],
        )

    @property
    def other_ids(self) -> list[str]:
        """The columns that make a repeat and are neither keys nor groups, instant or amount: further ids."""
        known = {*self.keys, *self.terms.within, self.terms.at, self.terms.amount}
        return [name for name in self.repeat if name not in known]


def hashes_of(frame: pl.DataFrame, keys: Sequence[str], within: Sequence[str], check: str = "") -> list[pl.Expr]:
    """The columns `key#` of a frame with the keys as text, and `key##` of the key to `check`: as `matching.pair` takes them."""
    plain = {key: frame.height >= _MANY and needs_no_folding(frame[key]) for key in {*keys, check} - {""}}
    made = [key_hash(key, within, plain=plain[key]).fill_null(0).alias(f"{key}#") for key in keys]
    if check:
        more = key_hash(check, within, seed=_SECOND, plain=plain[check]).cast(pl.UInt32, wrap_numerical=True)
        made.append(more.fill_null(0).alias(f"{check}##"))
    return made


def same_text(left: Side, right: Side, rows_left: Array, rows_right: Array, rule: int) -> Array:
    """Are the rule's keys of the joined rows really equal (hashes can collide)? Groups are compared too.

    Where only hashes are at hand, a second id that is known and equal on both sides, or 32 further bits, stands in for
    the texts: an accident would have to happen twice. The texts of all others are fetched and compared.
    """
    one, two = left.keys[rule], right.keys[rule]
    if one in left.frame.columns and two in right.frame.columns:
        return _same_in_frames(left, right, rows_left, rows_right, rule)
    if f"{one}##" in left.frame.columns and f"{two}##" in right.frame.columns:
        a, b = left.frame[f"{one}##"].to_numpy(), right.frame[f"{two}##"].to_numpy()
        return compared(np.equal, a, rows_left, b, rows_right)
    told = np.zeros(len(rows_left), bool)
    for other in reversed(range(len(left.keys))):
        if other != rule and not told.all():
            told |= compared(_known_and_equal, left.hashes[other], rows_left, right.hashes[other], rows_right)
    if not told.all():
        rest = np.flatnonzero(~told)
        texts = left.texts(rows_left[rest]), right.texts(rows_right[rest])
        same = np.ones(len(rest), bool)
        for name in (f"k{rule}", *left.terms.within):
            same &= (texts[0][name] == texts[1][name]).fill_null(False).to_numpy()
        told[rest] = same
    return told


def _same_in_frames(left: Side, right: Side, rows_left: Array, rows_right: Array, rule: int) -> Array:
    a, b = pl.Series(rows_left.astype(np.uint32)), pl.Series(rows_right.astype(np.uint32))
    equal = np.ones(len(rows_left), bool)
    for name in left.terms.within:
        equal &= (left.frame[name].gather(a) == right.frame[name].gather(b)).to_numpy()
    x, y = left.frame[left.keys[rule]].gather(a), right.frame[right.keys[rule]].gather(b)
    same = (x == y).to_numpy()
    if not same.all():
        where = pl.Series(np.flatnonzero(~same).astype(np.uint32))
        both = pl.DataFrame({"x": x.gather(where), "y": y.gather(where)}).select(normal("x") == normal("y"))
        same = same.copy()
        same[where.to_numpy()] = both.to_series().fill_null(False).to_numpy()
    return np.asarray(equal & same)


def compared(how: Callable[..., Any], one: Array, rows_one: Array, two: Array, rows_two: Array) -> Array:
    """`how(one, two, out=)` (np.equal ...) over the given rows of two arrays, piece by piece: these stay in the cache."""
    told = np.empty(len(rows_one), bool)
    for start in range(0, len(told), BLOCK):
        part = slice(start, start + BLOCK)
        how(one[rows_one[part]], two[rows_two[part]], out=told[part])
    return told


def _known_and_equal(one: Array, two: Array, out: Array) -> None:
    np.equal(one, two, out=out)
    out &= one != 0


def equal_amounts(left: Side, right: Side, rows_left: Array, rows_right: Array) -> Array:
    """Are the amounts of the joined rows equal, or no further apart than the tolerance of their currency?"""
    equal = compared(np.equal, left.amounts, rows_left, right.amounts, rows_right)
    if limits := left.terms.limits:
        currency = left.frame["currency"].gather(pl.Series(rows_left.astype(np.uint32)))
        allowed = currency.replace_strict(limits, default=0, return_dtype=pl.Int64).to_numpy()
        equal |= np.abs(left.amounts[rows_left] - right.amounts[rows_right]) <= allowed
    return equal


def is_in(hashes: Array, among: Array) -> Array:
    """Which of the hashes stand among the others; 0, no key, never does."""
    wanted = pl.Series(among).unique()
    wanted = wanted.filter(wanted != 0)
    if not len(wanted):
        return np.zeros(len(hashes), bool)
    return pl.Series(hashes).is_in(wanted.implode()).to_numpy()
