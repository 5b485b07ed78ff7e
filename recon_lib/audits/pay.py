"""Amazon Pay, every day: the seller's captures and refunds against the lines of the settlements.

Every activity row is matched, matched with a difference, open, or set aside (recorded twice). Every settlement line is
matched, matched with a difference, unknown, a duplicate, or no capture or refund at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from recon_lib import frames
from recon_lib.audits.evidence import not_checked
from recon_lib.audits.pay_breaks import differing, doubled, overdue, under_another_id, unknown
from recon_lib.audits.pay_coverage import coverage_spans, stale, untold
from recon_lib.audits.pay_fees import fees_differ
from recon_lib.audits.pay_sides import activity_side, line_side, match_sides
from recon_lib.audits.pay_statements import pay_statements
from recon_lib.books import Books
from recon_lib.money import money_text
from recon_lib.rollforward import rollforward

AUDIT_NAMES = ("pay_amount_differs", "pay_duplicate", "pay_fee_differs", "pay_overdue", "pay_unknown")
_IDS = ["amazon_transaction_id", "seller_reference_id", "seller_order_id", "order_reference_id"]


@dataclass(frozen=True)
class PayDay:
    """Amazon Pay at the end of a day.

    activity      one row an activity: frames.PayActivity, `day`, `matched_on` (null: open) and
                  `pile` (matched, matched with a difference, only left, duplicate)
    lines         one row a settlement line: frames.PayLine without description and store name, `kind` (capture, refund, null),
                  `pile` (only right: unknown; null: other line), `matched_on`, `activity_amount` and `activity_on` of its pair
    matches, open_items, rollforward      as in the packet's files
    findings      frames.RawFinding: breaks, fees, statements that do not balance
    lines_by_type the lines that are no capture or refund, by type and currency
    """

    activity: pl.DataFrame
    lines: pl.DataFrame
    matches: pl.DataFrame
    open_items: pl.DataFrame
    rollforward: pl.DataFrame
    findings: pl.DataFrame
    not_checked: pl.DataFrame
    lines_by_type: pl.DataFrame
    control_totals: dict[str, Any]


def reconcile_pay(books: Books, published: pl.DataFrame | None = None) -> PayDay:
    """Amazon Pay up to the books' day. `published`: the roll-forward published for the day before (none: nothing is restated)."""
    account = books.account
    end = end_of_day(books.as_of, account.time_zone)
    activity, lines, pairs = match_sides(activity_side(books), line_side(books), account)
    known = books.has("pay_activity")
    spans = coverage_spans(books, lines)
    items = open_items(activity, end, account.overdue_hours)
    found, fee_notes = [frames.empty(frames.RawFinding)], not_checked([])
    if lines.height:
        fee_findings, fee_notes = fees_differ(lines, account)
        found = [doubled(lines, account), fee_findings, pay_statements(books, lines)]
    if known:
        found += [
            differing(activity, lines, pairs, account),
            unknown(lines, account),
            overdue(items, spans, books, lines.height),
        ]
    others = lines_by_type(lines)
    holes = [*stale(books, spans), *untold(books, items, spans)]
    return PayDay(
        activity,
        lines,
        matches(activity, lines, pairs),
        items,
        rollforward(activity, books.as_of, account.currencies, published),
        pl.concat([frame.select(frames.empty(frames.RawFinding).columns) for frame in found]),
        pl.concat([_not_checked(books, lines, activity, others), not_checked(holes), fee_notes]),
        others,
        control_totals(activity, lines),
    )


def end_of_day(day: Any, zone: str) -> datetime:
    """The instant at which `day` ends in `zone` (midnight of the next day there), in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)


def matches(activity: pl.DataFrame, lines: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """One row a pair, in the order of posting: where both were read, rule, pile, both amounts, when it was matched."""
    one_file = lines.height == 0 or bool((lines["file"] == lines["file"][0]).all())
    pairs = pairs.sort("right")  # the order of posting already, where all lines are of one file
    left = activity.select(
        pl.col("file").alias("activity_file"),
        pl.col("line").alias("activity_line"),
        pl.col("amount").alias("activity_amount"),
    )[pairs["left"]]
    right = lines.select(
        pl.col("file").alias("settlement_file"), pl.col("line").alias("settlement_line"),
        pl.col("amount").alias("settlement_amount"),
        "currency", "amazon_transaction_id", "settlement_id", "posted_at",
    )[pairs["right"]]  # fmt: skip
    told = pairs.select("pile", "rule", pl.col("paired_on").alias("matched_on"))
    found = pl.concat([left, right, told], how="horizontal").select(
        "activity_file", "activity_line", "settlement_file", "settlement_line", "pile", "rule", "activity_amount",
        "settlement_amount",
        "currency", "amazon_transaction_id", "settlement_id", "posted_at", "matched_on",
    )  # fmt: skip
    return found if one_file else found.sort("posted_at", "settlement_file", "settlement_line")


def open_items(activity: pl.DataFrame, end: datetime, overdue_hours: int) -> pl.DataFrame:
    """The open match set at `end`, oldest first: `hours_open` elapsed (half up to 0.1), `overdue` when strictly longer."""
    elapsed = (pl.lit(end, pl.Datetime("us", "UTC")) - pl.col("activity_at")).dt.total_microseconds()
    tenths = (elapsed + 180_000_000) // 360_000_000
    return (
        activity.filter(pl.col("pile") == "only left")
        .with_columns(
            (tenths.cast(pl.Float64) / 10).round(1).alias("hours_open"),
            (elapsed > overdue_hours * 3_600_000_000).alias("overdue"),
        )
        .sort("activity_at", "kind", *_IDS, "amount", "currency", "file", "line", nulls_last=True)
    )


_KNOWN_TYPES = (
    r"^(transfer|reserve|chargeback|dispute|atozguaranteeclaim|atoz.*|guaranteeclaim|debt|adjustment|auth.*)$"
)


def lines_by_type(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines that are no capture or refund: one row a type (as written) and currency with lines and amount.

    `is_known` is false for a type that the documentation does not name: kept, counted and shown.
    """
    plain = pl.col("transaction_type").str.to_lowercase().str.replace_all(r"[^a-z]", "")
    return (
        lines.filter(pl.col("kind").is_null())
        .group_by("transaction_type", "currency")
        .agg(pl.len().cast(pl.Int64).alias("lines"), pl.col("amount").sum())
        .with_columns(plain.str.contains(_KNOWN_TYPES).alias("is_known"))
        .sort("transaction_type", "currency")
    )


def control_totals(activity: pl.DataFrame, lines: pl.DataFrame) -> dict[str, Any]:
    """Lines and money by currency.

    activity = matched + open + set aside; settlement = matched + unknown + duplicate + other lines.
    """
    left = {"matched": "matched", "matched with a difference": "matched", "only left": "open", "duplicate": "set_aside"}
    right = {
        "matched": "matched",
        "matched with a difference": "matched",
        "only right": "unknown",
        "duplicate": "duplicate",
    }
    totals: dict[str, Any] = {}
    for side, table, names in (("activity", activity, left), ("settlement", lines, right)):
        sums = table.group_by("currency", "pile").agg(pl.len().alias("lines"), pl.col("amount").sum())
        part = pl.col("pile").cast(pl.String).replace_strict(names, default="other", return_dtype=pl.String)
        sums = sums.group_by("currency", part.alias("part")).agg(pl.col("lines", "amount").sum())
        for currency, part, count, amount in sums.sort("currency", "part").rows():
            here = totals.setdefault(currency, {}).setdefault(side, {"lines": 0, "amount": "0"})
            here[part] = {"lines": count, "amount": money_text(amount, currency)}
        whole = sums.group_by("currency").agg(pl.col("lines", "amount").sum()).sort("currency")
        for currency, count, amount in whole.rows():
            totals[currency][side] |= {"lines": count, "amount": money_text(amount, currency)}
    return totals


def _not_checked(books: Books, lines: pl.DataFrame, activity: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    rows: list[tuple[str, str, str, int | None]] = []
    if not books.has("pay_activity"):
        captures = len(lines) - lines["kind"].null_count()
        rows += [
            (
                name,
                "pay_activity",
                "books/pay_activity.csv is missing: nothing to match the settlement lines with",
                captures,
            )
            for name in ("pay_amount_differs", "pay_overdue", "pay_unknown")
        ]
    elif not books.has("pay_lines") and activity.height:
        rows += [
            (name, "pay_lines", "no Amazon Pay settlement report", None)
            for name in AUDIT_NAMES
            if name != "pay_overdue"
        ]
    rows += [
        ("pay_unknown", f"transaction type {kind} ({currency})", "unclassified: an unknown type, listed only", count)
        for kind, currency, count in others.filter(~pl.col("is_known"))
        .select("transaction_type", "currency", "lines")
        .rows()
    ]
    if other_id := under_another_id(activity, lines, books.account):
        rows.append(
            (
                "pay_overdue",
                "AmazonTransactionId",
                "an unknown line has the same SellerReferenceId and amount but another capture or refund id, so it is no pair. "
                "For recurring payments Amazon's id may not be the one you record: then leave AmazonTransactionId out of "
                "match_keys in account.yml",
                other_id,
            )
        )
    aside = activity.select((pl.col("pile") == "duplicate").sum()).item()
    if aside:
        rows.append(
            (
                "pay_overdue",
                "activity recorded twice",
                "equal to an earlier row in every column: set aside, not open",
                aside,
            )
        )
    return not_checked(rows)


__all__ = ["AUDIT_NAMES", "PayDay", "end_of_day", "reconcile_pay"]
