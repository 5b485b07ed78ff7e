"""From the files that were read to the books of a day: overlaps merged, days in the account's zone, cut at the as-of day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial, reduce
from pathlib import Path

import polars as pl

from recon_lib import frames
from recon_lib.account import Account
from recon_lib.books import FRAMES, Books
from recon_lib.digests import MADE, digested
from recon_lib.family_rows import ONE_FILE_EACH, declared, is_held, joined
from recon_lib.file_facts import file_table
from recon_lib.merging import union_of_days
from recon_lib.overlaps import Source
from recon_lib.reports.base import Reading, rows_at
from recon_lib.reports.inbound import with_told_elsewhere
from recon_lib.settled_files import superseded_settlements
from recon_lib.zones import in_account_zone

# The day on which a row of the family happened; a family without an entry is a snapshot and is never cut.
EVENT_DAY: dict[str, pl.Expr] = {
    "reimbursements": pl.col("approved_on"),
    "customer_returns": pl.col("returned_on"),
    "ledger_detail": pl.col("event_on"),
    "ledger_summary": pl.col("day_on"),
    "inbound_shipments": pl.col("closed_on"),
    "removal_orders": pl.col("requested_on"),
    "removal_shipments": pl.col("shipped_on"),
    "settlements": pl.col("end_on"),
    "settlement_lines": pl.col("posted_on"),
    "date_range": pl.col("posted_on"),
    "storage_fees": pl.col("month_on").dt.month_end(),
    "aged_inventory_fees": pl.col("snapshot_on"),
    "overage_fees": pl.col("charged_on"),
    "all_orders": pl.col("purchased_on"),
    "fulfilled_shipments": pl.col("shipped_on"),
    "shipment_sales": pl.col("shipped_on"),
    "replacements": pl.col("shipped_on"),
    "pay_lines": pl.col("posted_on"),
    "pay_refunds": pl.coalesce("updated_on", "created_on"),
    "pay_captures": pl.coalesce("updated_on", "created_on"),
    "bank": pl.col("booked_on"),
    "removal_receipts": pl.col("received_on"),
}
_SEVERAL_OF_ONE = {"settlement_lines", "aged_inventory_fees"}
_MANY = 50_000


def assemble(
    account: Account,
    as_of: date,
    folder: Path,
    store: Path,
    readings: list[tuple[str, Reading]],
    others: list[tuple[str, str]],
) -> Books:
    """The books of `as_of`. Equal content under two names is read once; the first name (by path) stays on the rows."""
    seen: dict[str, str] = {}
    sources: dict[str, list[Source]] = {}
    for display, reading in readings:
        if seen.setdefault(reading.sha256, display) == display:
            for family, path in reading.frames.items():
                sources.setdefault(family, []).append(Source(display, reading, path))
    dropped = superseded_settlements({s.display: s.path for s in sources.get("settlements", [])},
                                     {s.display: s.path for s in sources.get("settlement_lines", [])})  # fmt: skip
    made: dict[str, pl.LazyFrame] = {}
    kept: dict[str, dict[str, int]] = {}
    after: dict[str, dict[str, int]] = {}
    digests: dict[str, pl.LazyFrame] = {}
    running: tuple[tuple[str | None, date], ...] = ()
    gone = pl.LazyFrame(dropped, schema={"file": pl.String, "settlement_id": pl.String}, orient="row")
    for family, schema in FRAMES.items():
        found = sources.get(family, [])
        if not found:
            made[family] = frames.empty(schema).lazy()
            continue
        held = is_held(found)
        rows, parts, is_merged = joined(found, family, schema, account, as_of, store)
        steps: list[Callable[[pl.LazyFrame], pl.LazyFrame]] = []
        if family in ONE_FILE_EACH and dropped:
            steps.append(lambda rows: rows.join(gone, on=["file", "settlement_id"], how="anti", maintain_order="left"))
        if steps or is_merged:
            kept[family] = _physical_rows(_all(steps, rows), family)
        steps.append(partial(in_account_zone, family=family, zone=account.time_zone, spans=_spans(found)))
        day = _event_day(family, account.time_zone)
        if day is not None and _reaches_past(found, day, as_of):
            after[family] = _physical_rows(_all(steps, rows).filter(day > as_of), family)
            if after[family]:
                running = _running(_all(steps, rows), as_of) if family == "settlements" else running
                steps.append(partial(_until, day=day, as_of=as_of))
        rows = _all(steps, rows)
        # In one piece: polars' streaming engine trips over a piece of one row of which a filter leaves none.
        made[family] = rows.collect(engine="in-memory").rechunk().lazy() if held else rows
        if family in MADE and not held:
            digests |= {name: _all(steps, frame) for name, frame in digested(family, parts, store).items()}
    _with_told_shipments(sources, made, kept, after, as_of)
    files = file_table(readings, others, seen, kept, after, account.time_zone)
    periods = _periods(sources, made)
    return Books(
        account, as_of, folder, made, files, _rejects(readings), periods, digests, running, _rejected_orders(readings)
    )


def _with_told_shipments(
    sources: dict[str, list[Source]],
    made: dict[str, pl.LazyFrame],
    kept: dict[str, dict[str, int]],
    after: dict[str, dict[str, int]],
    as_of: date,
) -> None:
    """Puts state and closing day on inbound items whose shipments are told in other files, and cuts them at the day."""
    shipments, told_items = sources.get("inbound_statuses", []), sources.get("inbound_shipments", [])
    if not shipments and len(told_items) < 2:
        return
    known = [rows_at(s.path).select("shipment_id", "status", "closed_on") for s in told_items]
    known += [rows_at(s.path).select("shipment_id", "status", closed_on=pl.lit(None, pl.Date)) for s in shipments]
    whole = with_told_elsewhere(made["inbound_shipments"], pl.concat(known))
    late = _physical_rows(whole.filter(pl.col("closed_on") > as_of), "inbound_shipments")
    for file, number in late.items():
        of_file = after.setdefault("inbound_shipments", {})
        of_file[file] = of_file.get(file, 0) + number
    made["inbound_shipments"] = _until(whole, day=pl.col("closed_on"), as_of=as_of)
    for source in shipments if "inbound_shipments" in kept else ():
        rows_of_file = kept["inbound_shipments"]
        told_rows = rows_at(source.path).select(pl.len()).collect().item()
        rows_of_file[source.display] = rows_of_file.get(source.display, 0) + told_rows


def _rejects(readings: list[tuple[str, Reading]]) -> pl.DataFrame:
    """frames.Reject of all files."""
    none = frames.empty(frames.Reject)
    rejects = [
        r.rejects.select(pl.lit(d).alias("file"), "line", "column", "value", "reason").cast(none.schema)
        for d, r in readings
        if r.rows_rejected
    ]
    return pl.concat([none, *rejects]).sort("file", "line")


def _rejected_orders(readings: list[tuple[str, Reading]]) -> dict[str, frozenset[str]]:
    """Family -> the orders that its rejected rows name."""
    named: dict[str, frozenset[str]] = {}
    for _, reading in readings:
        orders = reading.facts.get("rejected_orders", "").split()
        named[reading.family] = named.get(reading.family, frozenset()) | frozenset(orders)
    return named


def _all(steps: list[Callable[[pl.LazyFrame], pl.LazyFrame]], rows: pl.LazyFrame) -> pl.LazyFrame:
    return reduce(lambda made, step: step(made), steps, rows)


def _until(rows: pl.LazyFrame, *, day: pl.Expr, as_of: date) -> pl.LazyFrame:
    return rows.filter(day.is_null() | (day <= as_of))


def _running(settlements: pl.LazyFrame, as_of: date) -> tuple[tuple[str | None, date], ...]:
    """Currency and stated first day of the settlements that have begun and not ended."""
    begun = settlements.filter(pl.col("end_on") > as_of, pl.col("start_on") <= as_of).select("currency", "start_on")
    return tuple(begun.unique().sort("start_on", "currency").collect().rows())


def _spans(found: list[Source]) -> dict[str, tuple[date, date]]:
    """The days that the column of the period reaches over, for reports so large that days are worth more than a look each."""
    column = declared(found[0]).period
    known = [(s.reading.period_from, s.reading.period_to) for s in found]
    if column is None or sum(s.reading.rows_used for s in found) < _MANY or not all(a and b for a, b in known):
        return {}
    ends = [date.fromisoformat(end) for both in known for end in both if end]
    return {column: (min(ends), max(ends))}


def _event_day(family: str, zone: str) -> pl.Expr | None:
    if family == "pay_activity":
        return pl.col("activity_at").dt.convert_time_zone(zone).dt.date()
    if family == "pay_statements":
        return pl.col("start_at").dt.convert_time_zone(zone).dt.date()
    return EVENT_DAY.get(family)


def _reaches_past(found: list[Source], day: pl.Expr, as_of: date) -> bool:
    """Can a row lie after the as-of day? A written day and the account's day differ by one at the most."""
    if not all(day.meta.eq(pl.col(declared(source).period or "")) for source in found):  # a month's last day, say
        return True
    limit = as_of - timedelta(days=1)
    ends = [source.reading.period_to for source in found]
    return any(end is None or date.fromisoformat(end) >= limit for end in ends)


def _physical_rows(rows: pl.LazyFrame, family: str) -> dict[str, int]:
    """Rows of each file: one row of these families may have become several; elsewhere several may share a line (JSON, XML)."""
    count = pl.col("line").n_unique() if family in _SEVERAL_OF_ONE else pl.len()
    counted = rows.group_by("file").agg(count.alias("n")).collect()
    return dict(zip(counted["file"].to_list(), counted["n"].to_list(), strict=True))


def _periods(
    sources: Mapping[str, list[Source]], made: Mapping[str, pl.LazyFrame]
) -> dict[str, list[tuple[date, date]]]:
    """Family -> the days its files speak about. A settlement speaks about its stated window, not about its first and last row."""
    periods: dict[str, list[tuple[date, date]]] = {}
    for family, found in sources.items():
        spans = [(s.reading.period_from, s.reading.period_to) for s in found]
        periods[family] = union_of_days([(date.fromisoformat(a), date.fromisoformat(b)) for a, b in spans if a and b])
    if "settlements" in sources:
        windows = made["settlements"].select("start_on", "end_on").drop_nulls().collect()
        stated = [(start, end) for start, end in windows.rows() if start <= end]
        if stated:
            periods["settlements"] = periods["settlement_lines"] = union_of_days(stated)
    return periods
