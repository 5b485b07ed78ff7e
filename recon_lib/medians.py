"""Exact medians of many stretches of one long column at once.

Windows of many days over the same sales overlap almost wholly; taking each apart costs the product of days and sales.
Here the column is cut bit by bit (a wavelet matrix): every window finds its middle value in as many steps as the values
have bits, all windows together.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from recon_lib.money import RATE

_Whole = npt.NDArray[np.int64]


def medians(values: pl.Series, start: _Whole, stop: _Whole) -> pl.Series:
    """The median of `values[start:stop]` for each pair: the middle value, or half the sum of the two in the middle.

    `values` are exact numbers without nulls (RATE); no stretch may be empty. Nothing is computed in floating point.
    """
    told = values.unique().sort()
    # looked up: of many sales few have a price of their own, and to rank them is to sort them all
    ranks = values.replace_strict(told, pl.int_range(told.len(), eager=True), return_dtype=pl.Int64).to_numpy()
    many = stop - start
    low, high = (
        told.gather(kth_smallest(ranks, start, stop, k).astype(np.uint32)) for k in ((many - 1) // 2, many // 2)
    )
    both = pl.DataFrame({"low": low, "high": high, "odd": many % 2 == 1}, strict=True)
    half = (pl.col("low") + pl.col("high")) / pl.lit(2).cast(RATE)
    return both.select(pl.when("odd").then("low").otherwise(half).cast(RATE).alias(values.name)).to_series()


def kth_smallest(values: _Whole, start: _Whole, stop: _Whole, k: _Whole) -> _Whole:
    """The k-th smallest (from 0) of `values[start:stop]` for each start, stop and k; `values` are whole and not negative."""
    found = np.zeros(start.size, dtype=np.int64)
    left, right, wanted = start.copy(), stop.copy(), k.copy()
    for bit in reversed(range(int(values.max(initial=0)).bit_length())):
        is_one = (values >> bit) & 1 == 1
        zeros = np.concatenate([[0], np.cumsum(~is_one)])  # zeros[i]: values before i without the bit
        zero_left, zero_right = zeros[left], zeros[right]
        without = zero_right - zero_left
        has_bit = wanted >= without
        found |= has_bit.astype(np.int64) << bit
        wanted -= np.where(has_bit, without, 0)
        left = np.where(has_bit, zeros[-1] + left - zero_left, zero_left)
        right = np.where(has_bit, zeros[-1] + right - zero_right, zero_right)
        values = np.concatenate([values[~is_one], values[is_one]])
    return found
