"""A table row and what is known of its family -> the periods to ask for now. Pure functions; days of the account's zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from recon_lib.fetch.spans import DAY, Span, months, pieces, without
from recon_lib.fetch.state import Known
from recon_lib.fetch.table import Row


def due(
    row: Row,
    known: Known,
    now: datetime,
    zone: str,
    *,
    first: date | None,
    last: date | None,
    open_: Iterable[Span] = (),
) -> list[Span]:
    """The periods to ask for, the earliest first; empty where nothing is due.

    Args:
        first, last: the days wanted by the command; None: the row's own `back`, and yesterday.
        open_: periods that are asked for already.
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    wanted = (max(first or today - row.back * DAY, today - row.limit * DAY), min(last or today, today - DAY))
    if row.how == "listed":
        return [(wanted[0], last or today)] if wanted[0] <= (last or today) else []
    if row.how == "snapshot":
        fresh = known.last is not None and (today - known.last).days < row.every
        return [] if fresh or list(open_) else [(today - 4 * DAY, today - DAY)]
    taken = [*known.covered, *known.resting(now, row.again), *open_]
    if row.how == "months":
        whole = [span for span in months((wanted[0].replace(day=1), today)) if _is_ready(span, today, row.ready)]
        return [span for span in whole if without([span], taken) and span[0] <= wanted[1]]
    out = []
    for span in without([wanted], taken):
        for start, end in pieces(span, row.period - row.overlap):
            out.append((max(start - row.overlap * DAY, wanted[0]), end))
    return out


def _is_ready(month: Span, today: date, ready: int) -> bool:
    following = (month[0] + timedelta(days=32)).replace(day=1)
    return today >= following.replace(day=ready)


def instants(span: Span, zone: str) -> tuple[datetime, datetime]:
    """Beginning of the first and end (to the second) of the last day, in UTC."""
    place = ZoneInfo(zone)
    begin = datetime.combine(span[0], time(), place).astimezone(UTC)
    end = datetime.combine(span[1] + DAY, time(), place).astimezone(UTC)
    return begin, end - timedelta(seconds=1)
