"""Files of one family that tell of the same time are merged into one frame of the store; all others stay as they are.

So a day that is added to two years costs no more than its own file, as long as it overlaps with none of the others.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from recon_lib import merging
from recon_lib.account import Account
from recon_lib.books import merged_name
from recon_lib.merging import as_named, merge_layouts, merge_overlaps, overlapping
from recon_lib.reports.base import Reading, Report, rows_at
from recon_lib.reports.store import is_as_sealed, make_durable, seal
from recon_lib.zones import in_account_zone

# Rows equal in every column are one row in overlapping downloads: an id alone may rightly stand in two files.
# With the instant of an event, which is one of these columns.
WHOLE_ROW = {"pay_lines": "posted_at", "pay_activity": "activity_at"}
_INSIDE = "_inside"
_OTHER_ZONE = 1  # days by which the written day of an instant may differ in another zone
# Parts of a key that some layouts of a report lack, or an instant where they tell the day alone.
_MAY_LACK = {
    "pay_lines": (
        "percentage_fee",
        "fixed_fee",
        "total_fee",
        "net_amount",
        "seller_reference_id",
        "seller_order_id",
        "order_reference_id",
    ),
    "customer_returns": ("license_plate_number", "returned_at"),
    "reimbursements": ("approved_at", "order_id", "sku", "fnsku", "currency", "amount_per_unit"),
    "storage_fees": ("sku",),
    "fee_preview": ("amazon_store",),
    "removal_shipments": ("shipped_at",),
    "replacements": ("shipped_at",),
    "shipment_sales": ("shipped_at",),
}
# What names one event wherever both are told, however else a download writes it: Amazon grades returned units anew.
_NAMED = {"customer_returns": ["order_id", "license_plate_number"]}
# What a layout may leave out beside the key and no download takes back.
_LASTING = {
    "reimbursements": ("case_id", "original_reimbursement_id", "original_reimbursement_type"),
    "removal_shipments": ("removal_order_type",),
}
# Words about a row, which another download may leave out or translate.
_WORDS = {"pay_lines": ("description", "store_name")}


@cache
def _version() -> str:
    """What decides how rows are merged: the sources that do it."""
    return hashlib.sha256(Path(__file__).read_bytes() + Path(merging.__file__).read_bytes()).hexdigest()[:12]


@dataclass(frozen=True)
class Source:
    """One frame of one file."""

    display: str
    reading: Reading
    path: Path


@dataclass(frozen=True)
class Overlap:
    """`together`: files that may hold the same rows; `inside`: the rows that may (null: any). `apart`: all other files."""

    apart: list[Source]
    together: list[Source]
    inside: pl.Expr | None
    told: str


def overlap_of(found: list[Source], report: Report, *, nullable: bool) -> Overlap | None:
    """Which of the files of a family overlap; None where none do.

    A row that is updated in place may stand in any file, and so may one without a day (`nullable`).
    """
    at = WHOLE_ROW.get(report.family)
    if report.newest_by or (report.period is None and at is None):
        return Overlap([], found, None, "None")
    spans: list[tuple[int, int]] = []
    together = found
    timed = at or _instant_of(report)
    ends = None
    # a day as written depends on the zone of the download: where every row tells its instant, that decides
    for slack in () if report.period is None else (_OTHER_ZONE, 0) if timed else (0,):
        together, spans = _meeting(found, [_days(source, slack) for source in found])
        if timed and together:
            ends = _instants(together, timed)
            at = at or (None if ends["gaps"].sum() else timed)
            if _is_named(report) and at is None and ends["first"].count():
                break  # hours here, days alone there: rows a day apart may be one that is known by its name
        if at is not None:
            break
    if at is not None and together:
        ends = _instants(together, at) if ends is None else ends
        known = [(first, last) if first is not None else None for first, last, _ in ends.rows()]
        together, spans = _meeting(together, known)
        inside = pl.col(at).to_physical()
    elif report.period is not None:
        inside = pl.col(report.period).cast(pl.Int32)
        together = found if nullable and spans else together
    if not spans:
        return None
    inside = pl.any_horizontal(inside.is_between(start, end) for start, end in spans).fill_null(True)
    names = {source.display for source in together}
    return Overlap([source for source in found if source.display not in names], together, inside, str(spans))


def _instant_of(report: Report) -> str | None:
    """The instant of the report's day, where the key has it too or no day: then rows are known again in any zone."""
    day = report.period or ""
    at = f"{day[:-3]}_at"
    return at if at in report.frame.columns() and (at in report.key or day not in report.key) else None


def _is_named(report: Report) -> bool:
    """Are rows known again without their days?"""
    return report.family in _NAMED or not any(name.endswith(("_on", "_at")) for name in report.key or ("_on",))


def _meeting(found: list[Source], periods: list[tuple[int, int] | None]) -> tuple[list[Source], list[tuple[int, int]]]:
    """The sources whose period meets another one's, and where periods meet. Without a period a source meets nothing."""
    spans = overlapping([period for period in periods if period])
    return [
        source
        for source, period in zip(found, periods, strict=True)
        if period and any(start <= period[1] and period[0] <= end for start, end in spans)
    ], spans


def _days(source: Source, slack: int) -> tuple[int, int] | None:
    first, last = source.reading.period_from, source.reading.period_to
    if not first or not last:
        return None
    start = date(1970, 1, 1).toordinal()
    return date.fromisoformat(first).toordinal() - start - slack, date.fromisoformat(last).toordinal() - start + slack


def _instants(found: list[Source], at: str) -> pl.DataFrame:
    """One row a source: its `first` and `last` instant (whole numbers; null where no row has one), `gaps` rows without."""
    at_ = pl.col(at).to_physical()
    ends = (at_.min().alias("first"), at_.max().alias("last"), at_.null_count().alias("gaps"))
    return pl.concat(rows_at(source.path, at).select(ends) for source in found).collect()


def merged(
    overlap: Overlap,
    report: Report,
    account: Account,
    as_of: date,
    store: Path,
    read: Callable[[list[Source]], pl.LazyFrame],
) -> Path:
    """Overlapping files as one frame with `file` and `line`, kept in the store under the content of its parts."""
    together = overlap.together
    rows = read(together)
    aside = ("file", "line", *_WORDS.get(report.family, ()))
    columns = [name for name in rows.collect_schema().names() if name not in aside]
    key = columns if report.family in WHOLE_ROW or not report.key else list(report.key)
    order = sorted(
        together, key=lambda s: (s.reading.period_to or "", s.reading.rows_used, s.reading.sha256), reverse=True
    )
    ranks = {source.display: number for number, source in enumerate(order)}
    may_lack, lasting = _MAY_LACK.get(report.family, ()), _LASTING.get(report.family, ())
    parts = [
        _version(),
        report.family,
        *key,
        " ".join((*may_lack, *lasting)),
        str(as_of) if report.newest_by else "",
        overlap.told,
        account.time_zone,
    ]
    parts += [f"{s.display} {s.reading.sha256} {ranks[s.display]} {s.path.parent.parent.parent.name}" for s in together]
    target = store / "merged" / f"{merged_name(parts)}.parquet"
    note = target.with_suffix(".seal")
    if not (note.is_file() and is_as_sealed(target, note.read_text(encoding="utf-8", errors="replace"))):
        inside = overlap.inside if overlap.inside is not None else pl.lit(True)
        rows = rows.with_columns(inside.alias(_INSIDE))
        if any(name.endswith("_at") and name in key for name in may_lack):
            # a day that one layout tells without hour is the account's day of another one's hour
            rows = in_account_zone(rows, report.family, account.time_zone)
        if report.family in _NAMED:
            rows = as_named(rows, _NAMED[report.family], key, ranks)
        key = _without_told_days(rows, key)
        if overlap.inside is None and not may_lack:
            until = datetime.combine(as_of + timedelta(days=1), time(), ZoneInfo(account.time_zone))
            whole = merge_overlaps(rows, key, ranks, report.newest_by, until)
        else:
            once = merge_layouts(rows.filter(_INSIDE), key, ranks, may_lack, lasting)
            whole = pl.concat([rows.filter(~pl.col(_INSIDE)), once])
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(f".{os.getpid()}.tmp")
        whole.drop(_INSIDE).sort("file", "line").sink_parquet(temporary)
        make_durable(temporary)
        fresh = temporary.with_suffix(".new")
        fresh.write_text(seal(temporary), encoding="utf-8")
        os.replace(temporary, target)
        os.replace(fresh, note)
    return target


def _without_told_days(rows: pl.LazyFrame, key: list[str]) -> list[str]:
    """The key without the written day of an instant that every row tells: another download may write it in another zone."""
    days = {on: at for at in key if at.endswith("_at") and (on := f"{at[:-3]}_on") in key}
    if not days:
        return key
    gaps = rows.select(pl.col(at).null_count().alias(on) for on, at in days.items()).collect().row(0, named=True)
    return [name for name in key if gaps.get(name, 1)]
