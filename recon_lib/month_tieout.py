"""The second half of the monthly review: policy rows that changed, and the tie-out to settlements and daily packets."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from recon_lib import month as months
from recon_lib import month_packets
from recon_lib.decisions import Event
from recon_lib.month import Month
from recon_lib.review_book import Sheet, specs


def tie_out(month: Month, packets: Path | None, events: list[Event]) -> list[Sheet]:
    """Policy, settlements, posted lines, Amazon Pay, the daily packets, the packet of the last day."""
    found = month_packets.published(packets, month)
    return [
        _policy(month), _policy_rows(month), _settlements(month), _lines(month), _roll(month), _daily(month, found, events),
        _last(month, found),
    ]  # fmt: skip


def _policy(month: Month) -> Sheet:
    changes = months.policy_changes(month)
    parts = changes.with_columns(
        pl.col("row").str.extract(r"^(\w+) line \d+").alias("table"),
        pl.col("row").str.extract(r" line (\d+)").cast(pl.Int64).alias("at"),
    )
    rows = parts.group_by("on", "table", "change", "status").agg(
        pl.len().cast(pl.Int64).alias("rows"), pl.col("at").min().alias("first"), pl.col("at").max().alias("last")
    )
    columns = specs(
        "on | Day | day; change | Rows that; table | Table | code; rows | Rows | number; "
        "first | From line | number; last | To line | number; status | Status of the source"
    )
    return Sheet(
        "policy",
        "Policy",
        "Policy rows that began or ended to hold in this month",
        rows.sort("on", "table", "change", "status"),
        columns,
        empty="No policy row of this marketplace changed in this month.",
        data=False,
    )


def _policy_rows(month: Month) -> Sheet:
    columns = specs("on | Day | day; change | Change; row | Row | long; status | Status of the source")
    return Sheet("policy-rows", "Policy rows", "The rows one by one", months.policy_changes(month), columns, rows=60)


def _settlements(month: Month) -> Sheet:
    columns = specs(
        "settlement_id | Settlement | code; start_on | From | day; end_on | To | day; deposit_on | Deposit | day; "
        "lines | Lines | number; lines_amount | Sum of lines | money; total_amount | Stated total | money; "
        "difference | Difference | money; ties | Ties | tick"
    )
    return Sheet(
        "month-settlements",
        "Settlements",
        "Settlements that ended in this month: lines against the stated total",
        months.settled_in(month),
        columns,
        empty="No settlement ended in this month.",
        totals=("lines_amount", "total_amount", "difference"),
    )


def _lines(month: Month) -> Sheet:
    columns = specs(
        "transaction_type | Transaction; amount_type | Kind of amount; lines | Lines | number; amount | Amount | money"
    )
    return Sheet(
        "posted",
        "Posted lines",
        "What settlements posted in this month",
        months.posted_lines(month),
        columns,
        empty="No settlement line was posted in this month.",
        totals=("amount",),
        data=False,
    )


def _roll(month: Month) -> Sheet:
    days = months.rolled(month).sort("currency", "date")
    rows = days.group_by("currency", maintain_order=True).agg(
        pl.col("opening_lines", "opening_amount").first(),
        pl.col("new_lines", "new_amount", "matched_lines", "matched_amount").sum(),
        pl.col("closing_lines", "closing_amount").last(),
    )
    foots = pl.all_horizontal(
        pl.col(f"opening_{m}") + pl.col(f"new_{m}") - pl.col(f"matched_{m}") == pl.col(f"closing_{m}")
        for m in ("lines", "amount")
    )
    columns = specs(
        "currency | Currency; opening_lines | Lines | number; opening_amount | Open at the start | money; "
        "new_lines | Lines | number; new_amount | + new | money; matched_lines | Lines | number; "
        "matched_amount | − matched | money; closing_lines | Lines | number; closing_amount | = open at the end | money; "
        "ties | Foots | tick"
    )
    return Sheet(
        "month-roll",
        "Amazon Pay",
        "Amazon Pay: the open match set over the month",
        rows.with_columns(foots.alias("ties")),
        columns,
        empty="No Amazon Pay activity is known.",
        data=False,
    )


def _daily(month: Month, found: dict[date, Path], events: list[Event]) -> Sheet:
    columns = specs(
        "day | Day | day; folder | Packet | code; claimable | Claimable | number; owed | Claimable then | money; "
        "open_lines | Open items then | number; open_amount | Open amount then | money; "
        "open_amount_now | Open as known now | money; ties | Ties | tick; told | What differs | long; "
        "signed_by | Signed off by"
    )
    return Sheet(
        "daily",
        "Daily packets",
        "The month day by day: Amazon Pay as published and as the files tell it now",
        month_packets.daily(month, found, events),
        columns,
        empty="No Amazon Pay activity is known.",
        data=False,
    )


def _last(month: Month, found: dict[date, Path]) -> Sheet:
    columns = specs("what | Number; published | Packet of the last day; month | This review; ties | Ties | tick")
    return Sheet(
        "last-packet",
        "Last packet",
        f"This review against the packet published for {month.last}",
        month_packets.last_packet(month, found),
        columns,
        data=False,
        empty=f"No packet was published for {month.last}: nothing to compare with.",
    )
