"""Units first-in-first-out: which credit settles which loss.

A credit settles the oldest loss of its group dated on or before it, never a later one; on one day losses come first.
A loss may be settled in parts; a credit that meets no open loss is left over. Nothing is lost and nothing counts twice:
units of losses = settled + open, units of credits = settled + left.

The groups are walked all at once: signed cumulative sums, their running minimum (how much credit met no open loss)
and the overlap of the intervals that losses and used credits cover on one line of units. Only groups in which credits
without a place compete for losses of several places are walked event by event.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

_PAIRS = {"loss": pl.UInt32, "credit": pl.UInt32, "units": pl.Int64}


@dataclass(frozen=True)
class Allocation:
    """`pairs`: loss and credit (row numbers from 0) and the units between them, sorted.

    `open_units` lies beside the losses, `left_units` beside the credits (Int64).
    """

    pairs: pl.DataFrame
    open_units: pl.Series
    left_units: pl.Series


def allocate(
    losses: pl.DataFrame,
    credits: pl.DataFrame,
    *,
    by: Sequence[str],
    within: str | None = None,
) -> Allocation:
    """Settle `losses` by `credits` inside each group `by`, in order of the day `on`; rows of one day keep their order.

    With `within` (a country) a credit settles only losses of the same place, and a credit whose place is null settles
    the oldest open loss of any place; on one day credits with a place come first. A null place of a loss is a place of
    its own. Units are whole and not negative (ValueError); days and units are never null (ValueError).
    """
    for frame in (losses, credits):
        if frame["on"].null_count() or frame["units"].null_count() or (frame["units"] < 0).any():
            raise ValueError("units to allocate need a day and must not be negative")
    events = _events(losses, credits, by, within)
    if within is None:
        pairs = _in_one_pass(events)
    else:
        crowded = _crowded(events)
        pairs = pl.concat([_in_one_pass(events.filter(~crowded)), _event_by_event(events.filter(crowded))])
    pairs = pairs.sort("loss", "credit")
    return Allocation(pairs, _not_in(pairs, "loss", losses), _not_in(pairs, "credit", credits))


def _not_in(pairs: pl.DataFrame, side: str, rows: pl.DataFrame) -> pl.Series:
    """The units of each row of a side that no pair holds."""
    used = np.zeros(rows.height, dtype=np.int64)
    np.add.at(used, pairs[side].to_numpy(), pairs["units"].to_numpy())
    return rows["units"].cast(pl.Int64) - pl.Series(used)


def _events(losses: pl.DataFrame, credits: pl.DataFrame, by: Sequence[str], within: str | None) -> pl.DataFrame:
    """Both sides in one frame: group number, place, rank on the day (loss, placed credit, free credit), row, units."""
    place = pl.lit("") if within is None else pl.col(within).cast(pl.String)
    keys = [pl.col(c) for c in by]

    def side(frame: pl.DataFrame, place: pl.Expr, rank: pl.Expr) -> pl.LazyFrame:
        return frame.lazy().select(
            *keys,
            on=pl.col("on"),
            units=pl.col("units").cast(pl.Int64),
            place=place,
            rank=rank.cast(pl.UInt8),
            row=pl.int_range(pl.len(), dtype=pl.UInt32),
        )

    free = place.is_null() if within is not None else pl.lit(False)
    both = pl.concat(
        [
            side(losses, place.fill_null(""), pl.lit(0)),
            side(credits, place, pl.when(free).then(2).otherwise(1)),
        ]
    )
    both = both.filter(pl.col("units") > 0).with_columns(group=pl.struct(by).rank("dense").cast(pl.UInt32))
    return both.select("group", "place", "on", "rank", "row", "units").collect()


def _crowded(events: pl.DataFrame) -> pl.Series:
    """True where free credits compete for losses of several places."""
    loss = pl.col("rank") == 0
    return events.select(
        ((pl.col("rank") == 2).any() & (pl.col("place").filter(loss).n_unique() > 1)).over("group").alias("crowded")
    ).to_series()


def _in_one_pass(events: pl.DataFrame) -> pl.DataFrame:
    """FIFO where every credit knows its place, or its group has losses of one place only."""
    if events.is_empty():
        return pl.DataFrame(schema=_PAIRS)
    loss_place = pl.col("place").filter(pl.col("rank") == 0).first().over("group")
    if events["place"].null_count():
        events = events.with_columns(place=pl.coalesce("place", loss_place, pl.lit("")))
    events = events.sort("group", "place", "on", "rank", "row")
    parts = pl.struct("group", "place").rle_id().cast(pl.Int64)
    told = events.select("row", "units", is_loss=pl.col("rank") == 0, part=parts)
    row, units, is_loss, part = (told[c].to_numpy() for c in told.columns)
    begins = np.flatnonzero(np.diff(part, prepend=-1))
    first = begins[part]  # of each row the first one of its part
    signed = np.where(is_loss, units, -units)
    balance = np.cumsum(signed)
    balance -= (balance - signed)[first]
    through = np.cumsum(units)
    ends = through[np.append(begins[1:], part.size) - 1]
    apart = (through - units)[first] + ends[part] + part  # so far below all parts before that these count no more
    low = np.minimum(np.minimum.accumulate(balance - apart) + apart, 0)
    lowest = np.concatenate([[0], low[:-1]])
    lowest[begins] = 0
    used = np.where(is_loss, 0, units - (lowest - low))  # what pushes below the lowest balance so far met no open loss
    if not used.any():
        return pl.DataFrame(schema=_PAIRS)
    lost = np.where(is_loss, units, 0)
    base = np.cumsum(lost) - lost  # losses tile one line of units over all groups
    spent = np.cumsum(used) - used
    loss_from, loss_to = base[is_loss], (base + lost)[is_loss]
    is_used = used > 0
    credit_from = (base[first] + spent - spent[first])[is_used]
    credit_to = credit_from + used[is_used]
    points = np.unique(np.concatenate([loss_from, loss_to, credit_from, credit_to]))
    start, length = points[:-1], np.diff(points)
    loss_no = np.searchsorted(loss_to, start, side="right")
    credit_no = np.searchsorted(credit_to, start, side="right")
    inside = (loss_no < loss_to.size) & (credit_no < credit_to.size)
    start, length, loss_no, credit_no = start[inside], length[inside], loss_no[inside], credit_no[inside]
    held = credit_from[credit_no] <= start
    return pl.DataFrame(
        {
            "loss": row[is_loss][loss_no[held]],
            "credit": row[is_used][credit_no[held]],
            "units": length[held],
        },
        schema=_PAIRS,
    )


def _event_by_event(events: pl.DataFrame) -> pl.DataFrame:
    """FIFO where free credits choose among several places: a plain walk, for the few groups that need it."""
    pairs: list[tuple[int, int, int]] = []
    queues: dict[str, deque[list[Any]]] = {}
    current = None
    for group, place, on, rank, row, units in events.sort("group", "on", "rank", "row").iter_rows():
        if group != current:
            current, queues = group, {}
        if rank == 0:
            queues.setdefault(place, deque()).append([(on, row), row, units])
            continue
        left = units
        while left:
            queue = queues.get(place) if rank == 1 else min(filter(None, queues.values()), key=_oldest, default=None)
            if not queue:
                break
            taken = min(left, queue[0][2])
            pairs.append((queue[0][1], row, taken))
            left -= taken
            queue[0][2] -= taken
            if not queue[0][2]:
                queue.popleft()
    return pl.DataFrame(pairs, schema=_PAIRS, orient="row")


def _oldest(queue: deque[list[Any]]) -> Any:
    return queue[0][0]
