"""Which rows of two sides have the same key and nobody else has it: one sort of numbers, no table of keys.

Each number holds the first bits of a 64-bit hash, the side and the row. Sorted, rows that may be equal are neighbours;
whether they are is asked of the whole hashes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from recon_lib.matching_terms import BLOCK, Array, compared

_ONE = np.uint64(1)


@dataclass(frozen=True)
class Met:
    """left, right: rows with equal hashes that stand once on either side, sorted by the left one.

    several_left, several_right: the rows of hashes that are on both sides and on one of them more than once. Hashes that
    only begin alike may be among them.
    """

    left: Array
    right: Array
    several_left: Array
    several_right: Array


def meet(left: Array, right: Array) -> Met:
    """The rows of two arrays of hashes (uint64, 0: none) that have the same one."""
    size = np.uint64(max(len(left), len(right), 1).bit_length())
    numbers = _sorted(left, right, size)
    partner, several = _partners(numbers, size, len(left))
    rows_left = np.flatnonzero(partner >= 0)
    rows_right = partner[rows_left]
    equal = compared(np.equal, left, rows_left, right, rows_right)
    if not equal.all():
        rows_left, rows_right = rows_left[equal], rows_right[equal]
    many = _runs(numbers, several, _ONE << (size + _ONE))
    of_right = (many >> size) & _ONE == _ONE
    rows = (many & ((_ONE << size) - _ONE)).astype(np.int64)
    return Met(rows_left, rows_right, rows[~of_right], rows[of_right])


def _sorted(left: Array, right: Array, size: np.uint64) -> Array:
    """The hashes of both sides that are not 0: their first bits, one for the side, `size` for the row."""
    numbers = np.empty(len(left) + len(right), np.uint64)
    places = np.arange(BLOCK, dtype=np.uint64)
    end, low = 0, (_ONE << (size + _ONE)) - _ONE
    for side, hashes in ((np.uint64(0), left), (_ONE << size, right)):
        for start in range(0, len(hashes), BLOCK):
            part = hashes[start : start + BLOCK]
            made = numbers[end : end + len(part)]
            np.bitwise_and(part, ~low, out=made)
            made |= places[: len(part)] + (np.uint64(start) | side)
            there = int(np.count_nonzero(part))
            if there < len(part):
                made[:there] = made[part != 0]
            end += there
    return pl.Series(numbers[:end]).sort().to_numpy()


def _partners(numbers: Array, size: np.uint64, height: int) -> tuple[Array, Array]:
    """Of each left row the right row whose number begins alike where nobody else's does (-1: none), and the places of the
    left numbers behind which the right ones of the same beginning come where there are more of them."""
    partner, several = np.full(height, -1, np.int32), []
    low, near = (_ONE << size) - _ONE, _ONE << (size + _ONE)
    for start in range(0, len(numbers) - 1, BLOCK):
        first = max(start - 1, 0)  # one more on either side tells who stands alone
        part = numbers[first : start + BLOCK + 2]
        steps = part[1:] ^ part[:-1]
        crossing = steps >> size == _ONE  # of equal beginnings the left side stands first
        crossing[: start - first] = False
        crossing[start - first + BLOCK :] = False
        alone = crossing.copy()
        alike = steps < near
        alone[1:] &= ~alike[:-1]
        alone[:-1] &= ~alike[1:]
        at = np.flatnonzero(alone)
        partner[part[at] & low] = part[at + 1] & low
        several.append(np.flatnonzero(crossing & ~alone) + first)
    return partner, np.concatenate(several) if several else np.zeros(0, np.int64)


def _runs(numbers: Array, places: Array, near: np.uint64) -> Array:
    """All numbers that begin as the one in one of the places does."""
    if not len(places):
        return numbers[:0]
    shift = np.uint64(int(near).bit_length() - 1)
    begun = numbers[places] >> shift
    starts = np.searchsorted(numbers, begun << shift, side="left")
    ends = np.searchsorted(numbers, (begun << shift) | (near - _ONE), side="right")
    lengths = ends - starts
    before = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.asarray(numbers[np.arange(lengths.sum()) - before + np.repeat(starts, lengths)])
