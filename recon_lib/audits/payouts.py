"""Which settlement lines pay which reimbursement.

Reimbursements of an order meet lines of the same order and SKU; those of stock have no id in common with their line, so
SKU, currency, amount and days decide. A line belongs to a reimbursement when it was posted from three days before the
approval to `settle_days` after it. In that order:

1. one line of the same amount (a line of the fitting code first);
2. several lines that add up to one reimbursement, or several reimbursements that add up to one line;
3. one line of the same amount later than that;
4. smaller lines: a part payment, the rest stays open.

Every line pays once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

import polars as pl

from recon_lib.audits.facts import reimbursements
from recon_lib.audits.settled_facts import paid_lines
from recon_lib.books import Books
from recon_lib.kept import once
from recon_lib.money import MONEY

_EARLY = timedelta(days=3)
_MOST_SUMS = 4096
_UNIT = Decimal(10000)


@dataclass(slots=True)
class _Due:
    row: int
    on: date
    until: date
    amount: int
    sku: str | None
    why: str
    paid: int = 0
    lines: list[_Line] = field(default_factory=list)

    def takes(self, line: _Line) -> None:
        self.paid += line.amount
        self.lines.append(line)
        line.used = True

    def meets(self, line: _Line) -> bool:
        return self.on <= line.on and (line.sku is None or line.sku == self.sku)


@dataclass(slots=True)
class _Line:
    on: date
    amount: int
    sku: str | None
    why: str
    place: str
    used: bool = False


T = TypeVar("T", _Due, _Line)
_Key = tuple[str | None, str | None, str]


def settled_on(books: Books) -> pl.DataFrame:
    """One row a cash reimbursement: `row` (of `facts.reimbursements`), `settled` money, `settled_on` (last line), `lines`."""
    return once(books, "settled_on", _match)


def _key(order: str | None, sku: str | None, currency: str) -> _Key:
    return (order, None, currency) if order else (None, sku, currency)


def _match(books: Books) -> pl.DataFrame:
    wait = timedelta(days=books.account.settle_days)
    pools: dict[_Key, tuple[list[_Due], list[_Line]]] = defaultdict(lambda: ([], []))
    lines = paid_lines(books).filter(pl.col("amount") > 0, pl.col("posted_on").is_not_null())
    cents = (pl.col("amount") * _UNIT).cast(pl.Int64).alias("cents")
    for on, order, sku, currency, why, amount, place in lines.select(
        "posted_on", "order_id", "sku", "currency", "why", cents, "place"
    ).iter_rows():
        pools[_key(order, sku, currency)][1].append(_Line(on, amount, sku, why, place))
    dues = reimbursements(books).filter(
        ~pl.col("is_reversal"), pl.col("amount_total") > 0, pl.col("approved_on").is_not_null()
    )
    dues = dues if pools else dues.clear()
    cents = (pl.col("amount_total") * _UNIT).cast(pl.Int64)
    for row, on, order, sku, currency, why, amount in dues.select(
        "row", "approved_on", "order_id", "sku", "currency", "why", cents
    ).iter_rows():
        key = _key(order, sku, currency)
        if key in pools:
            pools[key][0].append(_Due(row, on - _EARLY, on + wait, amount, sku, why))
    for waiting, paying in pools.values():
        _pay(waiting, paying)
    found = [due for waiting, _ in pools.values() for due in waiting if due.lines]
    return pl.DataFrame(
        {
            "row": [d.row for d in found],
            "settled": [Decimal(d.paid) / _UNIT for d in found],
            "settled_on": [max(line.on for line in d.lines) for d in found],
            "lines": [sorted(line.place for line in d.lines) for d in found],
        },
        schema={"row": pl.UInt32, "settled": MONEY, "settled_on": pl.Date, "lines": pl.List(pl.String)},
    ).sort("row")


def _pay(waiting: list[_Due], paying: list[_Line]) -> None:
    for same_code in (True, False):
        _one_to_one(waiting, paying, in_time=True, same_code=same_code)
    for due in _open(waiting):
        near = [line for line in _free(paying) if due.meets(line) and line.on <= due.until and line.amount < due.amount]
        for part in _adding_up(near, due.amount, by_day=True):
            due.takes(part)
    for line in _free(paying):
        owed = [due for due in _open(waiting) if due.meets(line) and line.on <= due.until and due.amount < line.amount]
        for due in _adding_up(owed, line.amount, by_day=False):
            due.paid, line.used = due.amount, True
            due.lines.append(line)
    _one_to_one(waiting, paying, in_time=False, same_code=False)
    for due in _open(waiting):
        for line in _free(paying):
            if due.meets(line) and line.on <= due.until and due.paid + line.amount <= due.amount:
                due.takes(line)


def _open(waiting: Iterable[_Due]) -> list[_Due]:
    return [due for due in waiting if not due.lines]


def _free(paying: Iterable[_Line]) -> list[_Line]:
    return [line for line in paying if not line.used]


def _one_to_one(waiting: list[_Due], paying: list[_Line], *, in_time: bool, same_code: bool) -> None:
    by_amount: dict[int, list[_Due]] = defaultdict(list)
    for due in _open(waiting):
        by_amount[due.amount].append(due)
    for line in _free(paying):
        for due in by_amount.get(line.amount, ()):
            fits = due.meets(line) and (not in_time or line.on <= due.until) and (not same_code or line.why == due.why)
            if fits and not due.lines:
                due.takes(line)
                break


def _adding_up(items: Sequence[T], amount: int, *, by_day: bool) -> list[T]:
    """Items whose amounts add up to `amount`: those of one day, all of them, else any (the first found); or none."""
    if len(items) < 2 or sum(item.amount for item in items) < amount:
        return []
    if by_day:
        days: dict[date, list[T]] = defaultdict(list)
        for item in items:
            days[item.on].append(item)
        for same in days.values():
            if len(same) > 1 and sum(item.amount for item in same) == amount:
                return same
    if sum(item.amount for item in items) == amount:
        return list(items)
    ways: dict[int, tuple[int, ...]] = {0: ()}  # sum reached -> numbers of the items
    reached: int
    for number, item in enumerate(items):
        for reached in sorted(ways):
            if reached + item.amount <= amount:
                ways.setdefault(reached + item.amount, (*ways[reached], number))
        if amount in ways:
            return [items[n] for n in ways[amount]]
        if len(ways) > _MOST_SUMS:
            break
    return []
