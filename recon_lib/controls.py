"""The control totals of the packet: what was read and what ties. Each function gives HTML."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from recon_lib.tables import Column, Html, count, monies, table

if TYPE_CHECKING:
    from recon_lib.reconcile import Day

_ROWS = (
    Column("rows_total", "Rows", "number"),
    Column("rows_in", "Used", "number"),
    Column("rows_repeated", "In another file", "number"),
    Column("rows_after", "After the day", "number"),
    Column("rows_rejected", "Rejected", "number"),
    Column("ties", "Adds up", "tick"),
)
_PERIOD = (Column("period_from", "From", "day"), Column("period_to", "To", "day"))


def files(day: Day) -> Html:
    """Every report: its files, its period, and that each row is accounted for; the single files open on a click."""
    # Used rows are told without those that were set aside, so that the four parts add up to the file.
    single = day.books.files.sort("path").with_columns(
        pl.col("title").fill_null("not a report"),
        (pl.col("rows_used") - pl.col("rows_repeated") - pl.col("rows_after")).alias("rows_in"),
        pl.col("totals").map_elements(_money_of, return_dtype=pl.String),
    )
    counts = ["rows_total", "rows_in", "rows_repeated", "rows_after", "rows_rejected"]
    whole = single.group_by("title").agg(
        pl.len().cast(pl.Int64).alias("files"),
        pl.col("period_from").min(),
        pl.col("period_to").max(),
        pl.col(*counts).sum(),
    )
    reports = table(
        _adds_up(whole).sort("title"),
        [Column("title", "Report"), Column("files", "Files", "number"), *_PERIOD, *_ROWS],
        id="reports",
        caption=f"What was read: {count(single.height, 'file')}",
        empty="No file was found.",
    )
    listed = table(
        _adds_up(single),
        [
            Column("path", "File", "code"),
            Column("title", "Report"),
            *_PERIOD,
            *_ROWS,
            Column("totals", "Money", "long"),
        ],
        id="files",
        caption="Single files",
        rest="manifest.json",
        rows=300,
    )
    return Html(f"{reports}<details><summary>File by file</summary>{listed}</details>" if single.height else reports)


def _money_of(totals: str) -> str:
    """`-1234.50 CAD + 7 JPY` as it is written everywhere on the page, from the files' `CAD -1234.50; JPY 7`."""
    pairs = (total.split(" ") for total in totals.split("; ") if total)
    return monies({currency: Decimal(amount) for currency, amount in pairs}, none="")


def _adds_up(rows: pl.DataFrame) -> pl.DataFrame:
    parts = pl.sum_horizontal("rows_in", "rows_repeated", "rows_after", "rows_rejected")
    return rows.with_columns((parts == pl.col("rows_total")).alias("ties"))


def settlements(day: Day) -> Html:
    """Every settlement that has ended: its lines against its stated total."""
    frame = day.settlements.with_columns((pl.col("difference") == 0).alias("ties"))
    columns = [
        Column("settlement_id", "Settlement", "code"),
        Column("start_on", "From", "day"),
        Column("end_on", "To", "day"),
        Column("deposit_on", "Deposit", "day"),
        Column("lines", "Lines", "number"),
        Column("lines_amount", "Sum of lines", "money"),
        Column("total_amount", "Stated total", "money"),
        Column("difference", "Difference", "money"),
        Column("ties", "Ties", "tick"),
    ]
    return table(
        frame,
        columns,
        id="settlements",
        caption="Settlements: lines against the stated total",
        empty="No settlement has ended.",
        rest="the settlement reports",
        rows=200,
        totals=["lines_amount", "total_amount", "difference"],
    )


def journal(day: Day) -> Html:
    """The journal by account: debits equal credits in every currency."""
    sums = (
        day.journal.group_by("account", "currency")
        .agg(pl.col("debit").sum(), pl.col("credit").sum())
        .sort("currency", "account")
    )
    columns = [Column("account", "Account"), Column("debit", "Debit", "money"), Column("credit", "Credit", "money")]
    return table(
        sums,
        columns,
        id="journal",
        caption="Journal by account",
        empty="No entry.",
        totals=["debit", "credit"],
        data=False,
    )


def inputs(day: Day) -> Html:
    """The hash of every input: whoever has the same files can make the same packet."""
    frame = day.books.files.sort("path").select("path", "sha256", "encoding", "layout")
    columns = [
        Column("path", "File", "code"),
        Column("sha256", "SHA-256", "hash"),
        Column("encoding", "Encoding"),
        Column("layout", "Layout"),
    ]
    listed = table(frame, columns, id="inputs", caption="Inputs", rest="manifest.json", rows=300)
    return Html(f"<details><summary>{count(frame.height, 'file')} by hash</summary>{listed}</details>")


def rejects(day: Day) -> Html:
    """Rows of the files that could not be used."""
    columns = [
        Column("file", "File", "code"),
        Column("line", "Line", "number"),
        Column("column", "Column", "code"),
        Column("value", "Met", "code"),
        Column("reason", "Why it was set aside", "long"),
    ]
    return table(
        day.books.rejects,
        columns,
        id="rejects",
        caption="Rows that could not be used",
        empty="Every row could be used.",
        rest="the report files named",
        rows=100,
    )
