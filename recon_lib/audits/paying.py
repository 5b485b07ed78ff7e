"""Payments that wait and settlement lines that pay, of one order or SKU: which lines are whose (`payouts` says by which rule)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

_MOST_SUMS = 4096


@dataclass(slots=True)
class Due:
    """A payment that waits for lines from `on` on, usually until `until`; money in ten-thousandths."""

    row: int
    on: date
    until: date
    amount: int
    sku: str | None
    why: str
    paid: int = 0
    lines: list[Line] = field(default_factory=list)

    def takes(self, line: Line) -> None:
        self.paid += line.amount
        self.lines.append(line)
        line.used = True

    def meets(self, line: Line) -> bool:
        return self.on <= line.on and (line.sku is None or line.sku == self.sku)


@dataclass(slots=True)
class Line:
    """A settlement line that pays; `used` by one payment only, or by several that add up to it."""

    on: date
    amount: int
    sku: str | None
    why: str
    place: str
    used: bool = False


T = TypeVar("T", Due, Line)


def pay(waiting: list[Due], paying: list[Line]) -> None:
    """Gives the lines, in the order of their days, to the payments, in the order of theirs. Every line pays once.

    Sets `paid` and `lines` of each payment; its `paid` is never more than its `amount`.
    """
    for same_code in (True, False):
        _one_to_one(waiting, paying, in_time=True, same_code=same_code)
    if not (_open(waiting) and _free(paying)):
        return
    for same_code in (True, False):
        for due in _open(waiting):
            near = [
                line for line in _free(paying) if due.meets(line) and line.on <= due.until and line.amount < due.amount
            ]
            near = [line for line in near if line.why == due.why or not same_code]
            for part in _adding_up(near, due.amount, by_day=True):
                due.takes(part)
    for line in _free(paying):
        owed = [due for due in _open(waiting) if due.meets(line) and line.on <= due.until and due.amount < line.amount]
        for due in _adding_up(owed, line.amount, by_day=False):
            due.paid, line.used = due.amount, True
            due.lines.append(line)
    _exchange(waiting, paying)
    _one_to_one(waiting, paying, in_time=False, same_code=False)
    for due in _open(waiting):
        for line in _free(paying):
            if due.meets(line) and line.on <= due.until and due.paid + line.amount <= due.amount:
                due.takes(line)


def _exchange(waiting: list[Due], paying: list[Line]) -> None:
    """What met nothing takes over the lines of a payment of its amount for which free lines add up as well."""
    if not (_open(waiting) and _free(paying)):
        return
    paid: dict[int, list[Due]] = defaultdict(list)
    for due in waiting:
        if due.lines:
            paid[due.amount].append(due)
    for due in _open(waiting):
        for other in paid[due.amount]:
            if all(due.meets(line) and line.on <= due.until for line in other.lines):
                near = [line for line in _free(paying) if other.meets(line) and line.on <= other.until]
                if parts := _adding_up(near, other.amount, by_day=True):
                    due.lines, due.paid, other.lines, other.paid = other.lines, other.paid, [], 0
                    for part in parts:
                        other.takes(part)
                    break


def _open(waiting: Iterable[Due]) -> list[Due]:
    return [due for due in waiting if not due.lines]


def _free(paying: Iterable[Line]) -> list[Line]:
    return [line for line in paying if not line.used]


def _one_to_one(waiting: list[Due], paying: list[Line], *, in_time: bool, same_code: bool) -> None:
    by_amount: dict[int, list[Due]] = defaultdict(list)
    for due in _open(waiting):
        by_amount[due.amount].append(due)
    for line in _free(paying):
        owed = by_amount.get(line.amount, [])
        for number, due in enumerate(owed):
            if due.on > line.on:  # they are in the order of their days
                break
            if due.meets(line) and (not in_time or line.on <= due.until) and (not same_code or line.why == due.why):
                due.takes(line)
                del owed[number]
                break


def _adding_up(items: Sequence[T], amount: int, *, by_day: bool) -> list[T]:
    """Items whose amounts add up to `amount`: those of one day, unless earlier ones do (what comes later may be for a later
    payment), all of them, else any (the first found); or none."""
    if len(items) < 2 or sum(item.amount for item in items) < amount:
        return []
    if by_day:
        days: dict[date, list[T]] = defaultdict(list)
        for item in items:
            days[item.on].append(item)
        for same in days.values():
            if len(same) > 1 and sum(item.amount for item in same) == amount:
                earlier = [item for item in items if item.on < same[0].on]
                return _adding_up(earlier, amount, by_day=False) or same
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
