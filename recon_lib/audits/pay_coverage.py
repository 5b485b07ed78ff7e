"""Which stretches of time the Amazon Pay settlements speak about, by currency. Where none does, absence proves nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from recon_lib.books import Books

_CYCLE = 16  # days: settlements come daily to fortnightly, and a report takes a day or two
SEAM = timedelta(seconds=61)  # one settlement ends a minute or a second before the next begins: no hole


def coverage_spans(books: Books, lines: pl.DataFrame) -> pl.DataFrame:
    """`currency`, `span_from`, `span_to`: the union of the settlements' windows, sorted.

    A file speaks about the currencies of its rows, also of those that another download holds too or that were posted
    later; one without rows about all of the account's.
    """
    windows = books.frames["pay_statements"].select("file", "start_at", "end_at").drop_nulls().collect()
    own: dict[str, list[str]] = {}
    for file, totals in books.files.select("path", "totals").drop_nulls().iter_rows():
        if stated := [total.split(" ")[0] for total in totals.split("; ") if total]:
            own[file] = stated
    untold = set(windows["file"]) - set(own)
    if untold:
        rest = lines.lazy().select("file", "currency").filter(pl.col("file").is_in(sorted(untold)))
        own |= dict(rest.unique().group_by("file").agg("currency").collect().iter_rows())
    rows = [
        (start, end, currency)
        for file, start, end in windows.iter_rows()
        for currency in own.get(file, books.account.currencies)
    ]
    spans: list[tuple[str, object, object]] = []
    for currency in sorted({row[2] for row in rows}):
        found = sorted((start, end) for start, end, c in rows if c == currency)
        at, until = found[0]
        for start, end in found[1:]:
            if start - until > SEAM:
                spans.append((currency, at, until))
                at, until = start, end
            until = max(until, end)
        spans.append((currency, at, until))
    instant = pl.Datetime("us", "UTC")
    return pl.DataFrame(spans, schema={"currency": pl.String, "span_from": instant, "span_to": instant}, orient="row")


def stale(books: Books, spans: pl.DataFrame) -> list[tuple[str, str, str, None]]:
    """Rows of frames.NotChecked: the days since the last settlement of a currency, where the next one should be there."""
    zone = ZoneInfo(books.account.time_zone)
    rows: list[tuple[str, str, str, None]] = []
    for currency, last in spans.group_by("currency").agg(pl.col("span_to").max()).sort("currency").rows():
        start = last.astimezone(zone).date()
        if (books.as_of - start).days > _CYCLE:
            why = f"report missing: Amazon Pay settlement in {currency} {start} to {books.as_of}"
            rows += [(audit, "pay_lines", why, None) for audit in ("pay_overdue", "pay_unknown")]
    return rows


def untold(books: Books, items: pl.DataFrame, spans: pl.DataFrame) -> list[tuple[str, str, str, int | None]]:
    """Rows of frames.NotChecked: the holes that keep open activities waiting, and files that do not state their days.

    Holes that no open activity touches are left out: days without activity have no report. The time since the last
    settlement is told by `stale`.
    """
    hours = books.account.overdue_hours
    zone, windowless = ZoneInfo(books.account.time_zone), _windowless(books)
    rows: list[tuple[str, str, str, int | None]] = [
        (audit, file, WINDOWLESS, count) for file, count in windowless for audit in ("pay_overdue", "settlement_gap")
    ]
    late = items.filter("overdue")
    late = late.filter(~is_covered(late, spans, hours)).select("activity_at", "currency")
    for (currency,), waiting in (
        late.sort("currency").partition_by("currency", as_dict=True, maintain_order=True).items()
    ):
        known = spans.filter(pl.col("currency") == currency).select("span_from", "span_to").sort("span_from").rows()
        begun, last = waiting["activity_at"], waiting["activity_at"] + timedelta(hours=hours)
        why = f"report missing: Amazon Pay settlement in {currency}"
        if not known:
            earliest: Any = begun.min()
            if not windowless and (books.as_of - earliest.astimezone(zone).date()).days > _CYCLE:
                rows.append(("pay_overdue", "pay_lines", why, waiting.height))
            continue
        if before := int((begun < known[0][0]).sum()):
            rows.append(("pay_overdue", "pay_lines", f"{why} until {known[0][0].astimezone(zone).date()}", before))
        for (_, end), (start, _) in pairwise(known):
            if touched := int(((begun < start) & (last > end)).sum()):
                days = f"{end.astimezone(zone).date()} to {start.astimezone(zone).date()}"
                rows.append(("pay_overdue", "pay_lines", f"{why} {days}", touched))
    return rows


WINDOWLESS = (
    "the file does not state its days (SettlementStartDate and SettlementEndDate above the header): "
    "download it again and leave it as it is"
)


def _windowless(books: Books) -> list[tuple[str, int]]:
    """Settlement files that state no window, and how many of their rows lie in that of no other file.

    A window that two files state, as a second download does, stands in `pay_statements` once.
    """
    stated = books.frames["pay_statements"].select("file", "start_at", "end_at").collect()
    files = books.files.filter(pl.col("family") == "pay_lines", ~pl.col("path").is_in(stated["file"].to_list()))
    if files.is_empty():
        return []
    lines = books.frames["pay_lines"].filter(pl.col("file").is_in(files["path"].to_list())).select("file", "posted_at")
    windows = stated.sort("start_at").select("start_at", latest=pl.col("end_at").cum_max())
    met = lines.collect().sort("posted_at").join_asof(windows, left_on="posted_at", right_on="start_at")
    told = met.filter(~(pl.col("posted_at") <= pl.col("latest")).fill_null(False))
    return told.group_by("file").agg(pl.len().cast(pl.Int64)).sort("file").rows()


def is_covered(items: pl.DataFrame, spans: pl.DataFrame, hours: int) -> pl.Series:
    """Beside `items` (activity_at, currency): do the settlements cover its first `hours` without a hole?"""
    met = items.select("activity_at", "currency").with_row_index("row").sort("activity_at").join_asof(
        spans.sort("span_from"), left_on="activity_at", right_on="span_from", by="currency", strategy="backward",
        check_sortedness=False
    )  # fmt: skip
    whole = pl.col("span_to") >= pl.col("activity_at") + pl.duration(hours=hours)
    return met.sort("row").select(whole.fill_null(False)).to_series()
