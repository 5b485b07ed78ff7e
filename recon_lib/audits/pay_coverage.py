"""Which stretches of time the Amazon Pay settlements speak about, by currency. Where none does, absence proves nothing."""

from __future__ import annotations

from datetime import timedelta
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


def is_covered(items: pl.DataFrame, spans: pl.DataFrame, hours: int) -> pl.Series:
    """Beside `items` (activity_at, currency): do the settlements cover its first `hours` without a hole?"""
    met = items.select("activity_at", "currency").with_row_index("row").sort("activity_at").join_asof(
        spans.sort("span_from"), left_on="activity_at", right_on="span_from", by="currency", strategy="backward",
        check_sortedness=False
    )  # fmt: skip
    whole = pl.col("span_to") >= pl.col("activity_at") + pl.duration(hours=hours)
    return met.sort("row").select(whole.fill_null(False)).to_series()
