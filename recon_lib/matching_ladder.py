"""The ladder of rules, climbed day by day, for the few lines that compete for each other.

Every line waits in one queue a key. A day costs what its own lines touch, not what is open.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np

from recon_lib.matching_terms import Array, Rule

Key = Hashable
Columns = tuple[Array, Array, Array, Array]


@dataclass
class Line:
    """One line: row in its frame, place in the order of events, day, instant, amount, per rule its key (None: unknown), and
    how far apart amounts of its currency may lie that count as equal."""

    row: int
    order: int
    day: int
    at: int
    amount: int
    keys: tuple[Key | None, ...]
    limit: int = 0
    free: bool = True


@dataclass
class _Queue:
    """The lines of one side, one rule and one key; `free` counts what still waits."""

    lines: list[Line] = field(default_factory=list)
    free: int = 0

    def waiting(self) -> list[Line]:
        if self.free < len(self.lines):
            self.lines = [line for line in self.lines if line.free]
        return self.lines


def climb(
    lefts: list[Line], rights: list[Line], blockers: list[tuple[Line, int]], rules: Sequence[Rule], left_first: bool
) -> Columns:
    """Pairs the lines: (left rows, right rows, rule numbers, days).

    `blockers` are left lines that are sure to be paired elsewhere on the day beside them: until then they only count
    when "exactly one free line" is asked. All lists are in the order of events.
    """
    return _Ladder(rules, left_first).run(lefts, rights, blockers)


class _Ladder:
    def __init__(self, rules: Sequence[Rule], left_first: bool) -> None:
        self.rules, self.left_first = rules, left_first
        self.sure = [number for number, rule in enumerate(rules) if rule.sure]
        self.queues: tuple[list[dict[Key, _Queue]], list[dict[Key, _Queue]]] = (
            [{} for _ in rules],
            [{} for _ in rules],
        )
        self.touched: list[set[Key]] = [set() for _ in rules]
        self.awaiting: dict[tuple[int, Key], set[tuple[int, Key]]] = {}  # a sure id -> the keys that wait for its lines
        self.pairs: list[tuple[int, int, int, int]] = []

    def run(self, lefts: list[Line], rights: list[Line], blockers: list[tuple[Line, int]]) -> Columns:
        events: dict[int, tuple[list[Line], list[Line], list[Line]]] = {}
        standing = [line for line, _ in blockers]
        for line in sorted([*lefts, *standing], key=attrgetter("order")):
            events.setdefault(line.day, ([], [], []))[0].append(line)
        for line in rights:
            events.setdefault(line.day, ([], [], []))[1].append(line)
        for line, until in blockers:
            events.setdefault(until, ([], [], []))[2].append(line)
        self.standing = {id(line) for line in standing}
        for day in sorted(events):
            new_left, new_right, leaving = events[day]
            self._day(day, new_left, new_right, leaving)
        columns = np.array(self.pairs, np.int64).reshape(-1, 4).T
        return columns[0], columns[1], columns[2], columns[3]

    def _day(self, day: int, new_left: list[Line], new_right: list[Line], leaving: list[Line]) -> None:
        for side, lines in ((0, new_left), (1, new_right)):
            for line in lines:
                for number, key in enumerate(line.keys):
                    if key is not None:
                        queue = self.queues[side][number].setdefault(key, _Queue())
                        queue.lines.append(line)
                        queue.free += 1
                        self.touched[number].add(key)
        for line in leaving:
            self._leave(line, 0)
        new = [{line.keys[number] for line in (*new_left, *new_right)} for number in range(len(self.rules))]
        fresh = True
        while fresh or any(self.touched):
            for number, rule in enumerate(self.rules):
                if fresh:
                    for key in new[number]:
                        if key is not None:
                            self._equal(day, number, key)
                            self._near(day, number, key)
                keys, self.touched[number] = self.touched[number], set()
                if rule.differs:
                    for key in keys:
                        self._one_to_one(day, number, key)
            fresh = False

    def _free(self, side: int, number: int, key: Key) -> list[Line]:
        queue = self.queues[side][number].get(key)
        return queue.waiting() if queue and queue.free else []

    def _equal(self, day: int, number: int, key: Key) -> None:
        """Lines of one key: equal amount decides; oldest first, the follower at or after it, then one that came before."""
        lefts, rights = self._free(0, number, key), self._free(1, number, key)
        if not lefts or not rights:
            return
        first, then = (lefts, rights) if self.left_first else (rights, lefts)
        by_amount: dict[int, list[Line]] = {}
        for line in then:
            if id(line) not in self.standing:
                by_amount.setdefault(line.amount, []).append(line)
        buckets: dict[int, list[Line]] = {}
        for line in first:
            if line.amount in by_amount and id(line) not in self.standing:
                buckets.setdefault(line.amount, []).append(line)
        for amount, firsts in buckets.items():
            for line, same in _same_id(firsts, by_amount[amount], [n for n in self.sure if n > number], self.sure):
                self._pair(day, number, *((line, same) if self.left_first else (same, line)))
            followers = _Followers([line for line in by_amount[amount] if line.free], self.sure)
            for only_after in (True, False):
                for line in firsts:
                    if line.free and (other := followers.take(line, only_after)) is not None:
                        self._pair(day, number, *((line, other) if self.left_first else (other, line)))

    def _near(self, day: int, number: int, key: Key) -> None:
        """The same for amounts within the tolerance, once the equal ones are gone."""
        lefts, rights = self._free(0, number, key), self._free(1, number, key)
        if not lefts or not rights or not lefts[0].limit:
            return
        first, then = (lefts, rights) if self.left_first else (rights, lefts)
        amount = attrgetter("amount")
        sorted_then = sorted((line for line in then if id(line) not in self.standing), key=amount)
        for only_after in (True, False):
            for line in [line for line in first if line.free and id(line) not in self.standing]:
                start = bisect_left(sorted_then, line.amount - line.limit, key=amount)
                end = bisect_right(sorted_then, line.amount + line.limit, key=amount)
                fit = (
                    other for other in sorted_then[start:end] if other.free and (other.at >= line.at or not only_after)
                )
                fit = (other for other in fit if _compatible(line, other, self.sure))
                if other := min(fit, key=attrgetter("order"), default=None):
                    self._pair(day, number, *((line, other) if self.left_first else (other, line)))

    def _one_to_one(self, day: int, number: int, key: Key) -> None:
        queues = [self.queues[side][number].get(key) for side in (0, 1)]
        if any(queue is None or queue.free != 1 for queue in queues):
            return
        one, two = self._free(0, number, key)[0], self._free(1, number, key)[0]
        if id(one) in self.standing or one.amount == two.amount or not _compatible(one, two, self.sure):
            return
        for known in (ids := self._awaited(one, 1, number) + self._awaited(two, 0, number)):
            self.awaiting.setdefault(known, set()).add((number, key))
        agree = all(one.keys[n] is None or two.keys[n] is None or one.keys[n] == two.keys[n] for n in range(number))
        if agree and not ids:
            self._pair(day, number, one, two)

    def _awaited(self, line: Line, other_side: int, number: int) -> list[tuple[int, Key]]:
        """The line's sure ids, of later rules, that a free line of the other side with its amount has."""
        keys = [(n, key) for n in self.sure if n > number and (key := line.keys[n]) is not None]
        return [(n, key) for n, key in keys if any(o.amount == line.amount for o in self._free(other_side, n, key))]

    def _pair(self, day: int, number: int, one: Line, two: Line) -> None:
        self._leave(one, 0)
        self._leave(two, 1)
        self.pairs.append((one.row, two.row, number, day))

    def _leave(self, line: Line, side: int) -> None:
        line.free = False
        for number, key in enumerate(line.keys):
            if key is not None:
                self.queues[side][number][key].free -= 1
                self.touched[number].add(key)
                for waiting, again in self.awaiting.pop((number, key), ()):
                    self.touched[waiting].add(again)


def _compatible(one: Line, two: Line, sure: Iterable[int]) -> bool:
    return all(one.keys[n] is None or two.keys[n] is None or one.keys[n] == two.keys[n] for n in sure)


def _same_id(first: list[Line], then: list[Line], later: list[int], sure: list[int]) -> list[tuple[Line, Line]]:
    """Of lines with equal key and amount those that share a sure id of a later rule, once each: they are nobody else's."""
    pairs: dict[int, tuple[Line, Line]] = {}  # by either line
    for number in later:
        known: dict[Key | None, list[Line]] = {}
        for line in then:
            known.setdefault(line.keys[number], []).append(line)
        for line in first:
            those = known.get(line.keys[number], []) if line.keys[number] is not None and id(line) not in pairs else []
            if same := next((one for one in those if id(one) not in pairs and _compatible(line, one, sure)), None):
                pairs[id(line)] = pairs[id(same)] = (line, same)
    return [pair for one, pair in pairs.items() if one == id(pair[0])]


class _Followers:
    """The later side's lines of one key and amount, in order; those that a line's sure id rules out are never looked at."""

    def __init__(self, lines: list[Line], sure: list[int]) -> None:
        self.sure = sure
        self.all = _Chain(lines)
        by_id: dict[Key | None, list[Line]] = {}
        for line in lines:
            by_id.setdefault(line.keys[sure[0]] if sure else None, []).append(line)
        self.by_id = {key: _Chain(found) for key, found in by_id.items()}

    def take(self, line: Line, only_after: bool) -> Line | None:
        known = line.keys[self.sure[0]] if self.sure else None
        chains = [self.all] if known is None else [self.by_id[key] for key in (None, known) if key in self.by_id]
        found = [other for chain in chains if (other := chain.first(line, only_after, self.sure)) is not None]
        return min(found, key=attrgetter("order")) if found else None


class _Chain:
    """Lines in order of time; lines already taken are skipped in one step."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.next = list(range(len(lines) + 1))

    def first(self, line: Line, only_after: bool, sure: list[int]) -> Line | None:
        place = bisect_left(self.lines, line.at, key=attrgetter("at")) if only_after else 0
        while (place := self._free_from(place)) < len(self.lines):
            if _compatible(line, self.lines[place], sure):
                return self.lines[place]
            place += 1
        return None

    def _free_from(self, place: int) -> int:
        end = place
        while end < len(self.lines) and not self.lines[end].free:
            end = self.next[end] if self.next[end] > end else end + 1
        while place < end:
            place, self.next[place] = max(self.next[place], place + 1), end
        return end
