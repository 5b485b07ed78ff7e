"""Days as spans `(first, last)`, both included, sorted and joined where they touch. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

Span = tuple[date, date]
DAY = timedelta(days=1)


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same days as few spans as possible, the earliest first."""
    out: list[Span] = []
    for first, last in sorted(spans):
        if out and first <= out[-1][1] + DAY:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        elif first <= last:
            out.append((first, last))
    return out


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """The days of `spans` that lie in none of `taken`."""
    left = joined(spans)
    for first, last in joined(taken):
        rest: list[Span] = []
        for start, end in left:
            if last < start or end < first:
                rest.append((start, end))
                continue
            if start < first:
                rest.append((start, first - DAY))
            if last < end:
                rest.append((last + DAY, end))
        left = rest
    return left


def common(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The days that lie in both."""
    spans = joined(spans)
    return without(spans, without(spans, others))


def pieces(span: Span, days: int) -> Iterator[Span]:
    """The span cut into pieces of at most so many days."""
    first, last = span
    while first <= last:
        yield first, min(last, first + (days - 1) * DAY)
        first += days * DAY


def months(span: Span) -> Iterator[Span]:
    """The span cut at the ends of months."""
    first, last = span
    while first <= last:
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield first, min(last, following - DAY)
        first = following
