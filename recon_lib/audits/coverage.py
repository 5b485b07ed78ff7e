"""Which stretches of time no report speaks about: there the absence of a row proves nothing.

Settlements state their windows. Every other report is known by its rows only, so a stretch without rows is a hole only
when it is long and the report's own average leaves chance no room: between two files of a report with a row a day or more,
longer than two weeks with at least six rows to be expected; before the first row likewise and after the last one,
longer than five weeks with at least twenty (of a report with less than a row a day: longer than fifteen weeks). Rarer events
come in bursts, and what trails something else begins and ends late by nature: `_is_natural` says when the silence of an end
is none to wonder at. A pace is known only from twenty rows over four weeks: a report of a few rows is a quiet one, and its
silence says that nothing happened.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import polars as pl

from recon_lib.audits.settled_facts import refund_lines, settlement_sums
from recon_lib.books import Books
from recon_lib.kept import once
from recon_lib.merging import union_of_days

_SHORT, _EXPECTED = 14, 6  # days and rows, between two files
_SHORT_END, _EXPECTED_END = 35, 20  # before the first and after the last row
_LONG_END = 105  # so long no report of rare events is quiet
_PACE_ROWS, _PACE_DAYS = 20, 28  # fewer tell no pace
# A settlement is issued when it ends: the days after the last one are not late for this long.
_SETTLEMENT_DAYS = 16
_BY_ORDER = {"removal_orders", "removal_shipments"}
_MONTHLY = {"storage_fees", "aged_inventory_fees", "overage_fees"}
_DAY = timedelta(days=1)
EVER = date(1, 1, 1)

Span = tuple[date, date]


def holes(books: Books, family: str, *, to_tell: bool = False, currency: str | None = None) -> list[Span]:
    """The spans of days (both ends included, up to the as-of day) that no file of the family covers.

    `currency`: of settlements only those in it count.
    `to_tell`: also the quiet ends that may well be natural: worth a word to the reader, no reason to hold a finding back.
    """
    if not books.has(family):
        return [(EVER, books.as_of)]
    if family in ("settlements", "settlement_lines"):
        return _between(settled_days(books, currency), books.as_of, tail=_SETTLEMENT_DAYS)
    spans = books.coverage(family)
    if not spans:
        return []  # a file without rows says: nothing happened
    rows = _events(books, family)
    days = sum((end - start).days + 1 for start, end in spans)
    if rows < _PACE_ROWS or days < _PACE_DAYS:
        return []
    first = min((span[0] for known in books.periods.values() for span in known), default=spans[0][0])

    def is_hole(span: Span) -> bool:
        # Before the first row the account itself must have begun: other reports say since when it has.
        quiet = (max(span[0], first), span[1])
        length = (quiet[1] - quiet[0]).days + 1
        is_before, is_after = span[1] < spans[0][0], span[0] > spans[-1][1]
        short, expected = (_SHORT_END, _EXPECTED_END) if is_before or is_after else (_SHORT, _EXPECTED)
        if not ((rows >= days or is_after) and length > short and length * rows >= expected * days):
            return False
        by_case = family == "reimbursements" and is_after and length <= _LONG_END
        if by_case and length * _paid_days(books) < expected * days:
            return False  # payments come by the case, many on a day: days of payment tell the pace
        if to_tell or (family != "ledger_detail" and not (is_before or is_after)):
            return True
        if is_after and rows < days and length <= _LONG_END:
            return False
        return not _is_natural(books, family, quiet, (spans[0][0], spans[-1][1]), rows, is_before)

    return [span for span in _between(spans, books.as_of, tail=0) if is_hole(span)]


def _events(books: Books, family: str) -> int:
    """How many events a report tells: one downloaded twice happened once, and a removal is one order of many products."""
    if family in _BY_ORDER:
        return int(books.frames[family].select(pl.col("order_id").n_unique()).collect().item())
    told = pl.col("rows_used") - pl.col("rows_repeated").fill_null(0)
    return int(books.files.filter(pl.col("family") == family).select(told.sum()).item() or 0)


def _paid_days(books: Books) -> int:
    days = books.frames["reimbursements"].select(pl.col("approved_on").drop_nulls().n_unique())
    return once(books, "paid_days", lambda _: int(days.collect().item()))


def _is_natural(books: Books, family: str, quiet: Span, told: Span, rows: int, is_before: bool) -> bool:
    """Does a silence, most of all before or after the days that a report tells, say nothing against it?

    Payments come months after the first sale. A ledger that tells no sales is an extract of rare events. Returns come with
    refunds: where settlements know these of all the quiet days, there must be enough for a hole's number of returns.
    """
    if family == "reimbursements":
        return is_before
    if family == "ledger_detail":
        sold = books.frames[family].filter(pl.col("event_type").str.to_lowercase() == "shipments")
        return sold.head(1).collect().is_empty()
    if family != "customer_returns":
        return False
    if any(start <= quiet[1] and end >= quiet[0] for start, end in holes(books, "settlement_lines")):
        return False
    day = pl.col("posted_on")
    refunds = refund_lines(books).select(told=day.is_between(*told).sum(), quiet=day.is_between(*quiet).sum())
    there, here = refunds.row(0)
    return bool(there) and here * rows < _EXPECTED_END * there


def uncovered(books: Books, family: str) -> list[Span]:
    """The holes of a report that is there, as a reader has to be told of them: not the time before the account began, and
    none of reports that speak about whole months, since the last month's comes weeks after its end."""
    if family in _MONTHLY or not books.has(family):
        return []
    began = min((span[0] for known in books.periods.values() for span in known), default=books.as_of)
    return [
        (max(start, began), end)
        for start, end in holes(books, family, to_tell=True)
        if start != EVER or (end - began).days >= _SHORT_END
    ]


def settled_days(books: Books, currency: str | None = None) -> list[Span]:
    """The days that settlements (of one currency) speak about: their windows, of one that runs on up to the as-of day."""
    of_it = pl.lit(True) if currency is None else pl.col("currency") == currency
    windows = books.frames["settlements"].filter(of_it).select("settlement_id", "start_on", "end_on").collect()
    known = windows.drop_nulls()
    spans = [(start, end) for _, start, end in known.rows() if start <= end]
    running = settlement_sums(books).filter(of_it).join(known, on="settlement_id", how="anti").drop_nulls("first_on")
    begun = running["first_on"].to_list() + [start for told, start in books.running if currency in (None, told)]
    spans += [(start, books.as_of) for start in begun if start <= books.as_of]
    return union_of_days(spans)


def _between(spans: list[Span], as_of: date, tail: int) -> list[Span]:
    found = [(EVER, spans[0][0] - _DAY)] if spans else [(EVER, as_of)]
    found += [(left[1] + _DAY, right[0] - _DAY) for left, right in pairwise(spans)]
    if spans and spans[-1][1] + timedelta(days=tail) < as_of:
        found.append((spans[-1][1] + _DAY, as_of))
    return [(start, min(end, as_of)) for start, end in found if start <= min(end, as_of)]


def missing(books: Books, family: str, start: pl.Expr, end: pl.Expr | None = None) -> pl.Expr:
    """Text "report missing: ..." where a hole of the family touches [start, end] (end: the as-of day), else null."""
    last = pl.lit(books.as_of) if end is None else end
    out = pl.lit(None, pl.String)
    for from_, to in reversed(holes(books, family)):
        told = family.replace("_", " ")
        told += (
            "" if from_ == EVER and not books.has(family) else f" {'until' if from_ == EVER else f'{from_} to'} {to}"
        )
        out = (
            pl.when((start <= pl.lit(to)) & (last >= pl.lit(from_)))
            .then(pl.lit(f"report missing: {told}"))
            .otherwise(out)
        )
    return out


def first_reason(*reasons: pl.Expr) -> list[pl.Expr]:
    """Columns `status` and `reason`: waiting with the first reason that is given, else both null."""
    reason = pl.coalesce(*reasons) if reasons else pl.lit(None, pl.String)
    return [pl.when(reason.is_not_null()).then(pl.lit("waiting")).alias("status"), reason.alias("reason")]
