"""Which settlements follow each other: one chain a currency, or one a store where stores settle side by side.

A European account has a settlement a store, several of them in euros and often of the same days. What one store carries
over is no other store's, and a store's missing settlement must not hide behind another's. Stores that share a settlement are
one chain. A settlement that names no store belongs to the chain that it closes. Where settlements only follow each other by
their days, two of different stores are of two chains if what one carries over is not what the next opens with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import polars as pl

from recon_lib.audits.evidence import fold
from recon_lib.audits.pay_coverage import SEAM
from recon_lib.audits.settled_facts import other_lines
from recon_lib.books import Books
from recon_lib.sold import settled_lines

_ELSEWHERE = (
    r"^nonamazon|^si.*prodmarketplace$"  # "Non-Amazon DE", "SI UK Prod Marketplace": shipped by Amazon, sold elsewhere
)
Row = dict[str, Any]


def start(row: Row) -> datetime:
    """The instant at which a settlement begins: midnight where only the day is known."""
    at: datetime | None = row["start_at"]
    return at or datetime.combine(row["start_on"], time(), UTC)


def end(row: Row) -> datetime:
    """The instant at which a settlement ends: midnight where only the day is known."""
    at: datetime | None = row["end_at"]
    return at or datetime.combine(row["end_on"], time(), UTC)


def adjacent(left: Row, right: Row) -> bool:
    """Does `right` begin where `left` ends?"""
    return abs(start(right) - end(left)) <= _limit(left, right)


def apart(left: Row, right: Row) -> bool:
    """Is there time between the end of `left` and the start of `right`?"""
    return start(right) - end(left) > _limit(left, right)


def broken(chain: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """The settlements of a chain (in order of start) between which time is missing: the last one before it, the next one."""
    reach: Row | None = None  # the settlement that reaches furthest so far
    for row in chain:
        if reach is not None and apart(reach, row):
            yield reach, row
        if reach is None or end(row) > end(reach):
            reach = row


def _limit(left: Row, right: Row) -> timedelta:
    # where only days are known, the next settlement begins on the same or the next day
    return SEAM if left["end_at"] and right["start_at"] else timedelta(days=1)


def stores(books: Books) -> dict[str, set[str]]:
    """The stores (folded) that the lines of each settlement name; sales elsewhere are in no store."""
    settled, named = settled_lines(books), ["settlement_id", "marketplace_name"]
    told = pl.concat(rows.select(named).unique() for rows in (settled.orders, settled.refunds, other_lines(books)))
    told = told.drop_nulls().unique().with_columns(store=fold("marketplace_name"))
    told = told.filter(~pl.col("store").str.contains(_ELSEWHERE), pl.col("store") != "")
    return {number: set(names) for number, names in told.group_by("settlement_id").agg("store").iter_rows()}


def chains(rows: list[Row], named: Callable[[], Mapping[str, set[str]]]) -> list[list[Row]]:
    """The settlements of one currency (in order of start) as chains in that order; `named` is asked only where some overlap
    or do not carry on."""
    side_by_side = any(_overlap(one, two) for one, two in pairwise(rows))
    breaks = [] if side_by_side else [pair for pair in pairwise(rows) if adjacent(*pair) and not _meets(*pair)]
    if not side_by_side and not breaks:
        return [rows]
    known = named()
    groups: list[set[str]] = []
    for names in (known.get(row["settlement_id"], set()) for row in rows):
        if names:
            shared = [group for group in groups if group & names]
            groups = [group for group in groups if not group & names] + [set[str]().union(names, *shared)]
    if len(groups) < 2 or not (side_by_side or any(_of_two_stores(pair, known, groups) for pair in breaks)):
        return [rows]
    found: list[list[Row]] = [[] for _ in groups]
    nameless: list[Row] = []
    for row in rows:
        names = known.get(row["settlement_id"], set())
        home = next((chain for chain, group in zip(found, groups, strict=True) if group & names), nameless)
        home.append(row)
    strays: list[list[Row]] = []  # of no store that is known: those that meet are a chain of their own
    for row in nameless:
        fits = [chain for chain in found if _closes(row, chain)]
        if fits:
            max(fits, key=lambda chain: _carries_on(row, chain)).append(row)
        elif strays and any(adjacent(other, row) or _overlap(other, row) for other in strays[-1]):
            strays[-1].append(row)
        else:
            strays.append([row])
    order = {row["settlement_id"]: number for number, row in enumerate(rows)}
    return [sorted(chain, key=lambda row: order[row["settlement_id"]]) for chain in (*found, *strays)]


def _meets(one: Row, two: Row) -> bool:
    return bool(one["held"] == two["previous"] and one["debt"] == two["payable"])


def _of_two_stores(pair: tuple[Row, Row], known: Mapping[str, set[str]], groups: list[set[str]]) -> bool:
    one, two = (known.get(row["settlement_id"], set()) for row in pair)
    return bool(one and two) and not any(group & one and group & two for group in groups)


def _overlap(one: Row, two: Row) -> bool:
    return min(end(one), end(two)) - max(start(one), start(two)) > SEAM


def _closes(row: Row, chain: list[Row]) -> bool:
    beside = any(adjacent(other, row) or adjacent(row, other) for other in chain)
    return beside and not any(_overlap(row, other) for other in chain)


def _carries_on(row: Row, chain: list[Row]) -> int:
    """How much of what the settlements before carried over `row` opens with, and of what it carries over the ones behind do."""
    pairs = [(other, row) for other in chain if adjacent(other, row)]
    pairs += [(row, other) for other in chain if adjacent(row, other)]
    return sum((one["held"] == two["previous"]) + (one["debt"] == two["payable"]) for one, two in pairs)
