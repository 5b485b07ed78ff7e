"""The control totals of the packet: what was read, what ties, Amazon Pay rolled forward. Each function gives HTML."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from recon_lib.tables import Column, Html, count, head, money, number, table, text

if TYPE_CHECKING:
    from recon_lib.reconcile import Day

TICK = '<span class="tick" role="img" aria-label="ties">✓</span>'
CROSS = '<span class="cross" role="img" aria-label="does not tie">✗</span>'


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


def pay(day: Day) -> Html:
    """Amazon Pay: the open match set rolled forward, its ageing, its items."""
    zone = day.books.account.time_zone
    parts = [_at_a_glance(day.pay.control_totals), _roll(day.rollforward), _ageing(day.open_items)]
    columns = [
        Column("activity_at", f"Recorded ({zone})"),
        Column("kind", "Kind"),
        Column("amazon_transaction_id", "Capture or refund", "code"),
        Column("seller_reference_id", "Own reference", "code"),
        Column("seller_order_id", "Own order", "code"),
        Column("order_reference_id", "Order reference", "code"),
        Column("amount", "Amount", "money"),
        Column("hours_open", "Hours open", "number"),
        Column("overdue", "Overdue", "flag"),
    ]
    local = pl.col("activity_at").dt.convert_time_zone(zone)
    items = day.open_items.with_columns(local).sort("hours_open", descending=True, maintain_order=True)
    parts.append(
        table(
            items,
            columns,
            id="open-items",
            caption="Open items, the oldest first",
            rows=200,
            rest="open_items.csv",
            totals=["amount"],
        )
    )
    return Html("".join(parts))


PARTS = {
    "matched": "matched line by line",
    "open": "open",
    "set_aside": "recorded twice, set aside",
    "unknown": "settled, but unknown to the shop",
    "duplicate": "settled twice",
    "other": "no capture or refund (transfer, reserve, fee ...)",
}


def _at_a_glance(totals: dict[str, Any]) -> str:
    """Where every recorded activity and every settlement line went, and that nothing is left over."""
    rows = []
    for currency, sides in sorted(totals.items()):
        for side, whole in sorted(sides.items()):
            parts = [(name, whole[name]) for name in PARTS if name in whole]
            ties = whole["lines"] == sum(part["lines"] for _, part in parts)
            ties = ties and Decimal(whole["amount"]) == sum((Decimal(part["amount"]) for _, part in parts), Decimal(0))
            name = {"activity": "Recorded by the shop", "settlement": "Settled by Amazon"}.get(side, side)
            rows.append(_count_row(f"{name}, {currency}", whole, currency, TICK if ties else CROSS, "whole"))
            rows += [_count_row(f"of it {PARTS[part]}", values, currency, "", "part") for part, values in parts]
    if not rows:
        return ""
    return (
        '<table id="pay-lines"><caption>Where every line went, up to the end of the day</caption>'
        f"{head('Lines of', 'Lines', 'Amount', right=['Lines', 'Amount'])}<tbody>{''.join(rows)}</tbody></table>"
    )


def _count_row(name: str, values: dict[str, Any], currency: str, mark: str, kind: str) -> str:
    return (
        f'<tr class="{kind}"><th scope="row">{text(name)} {mark}</th><td class="number">{number(values["lines"])}</td>'
        f'<td class="money">{text(money(Decimal(values["amount"]), currency))}</td></tr>'
    )


def _roll(rolled: pl.DataFrame) -> str:
    """Opening + new - matched = closing, by currency, with a tick where it foots."""
    if rolled.is_empty():
        return '<p class="none" id="rollforward">No Amazon Pay activity is known: nothing to roll forward.</p>'
    out = []
    for row in rolled.iter_rows(named=True):
        currency = row["currency"]
        foots = all(
            row[f"opening_{m}"] + row[f"new_{m}"] - row[f"matched_{m}"] == row[f"closing_{m}"]
            for m in ("lines", "amount")
        )
        lines = [("Open at the start of the day", "opening"), ("+ new activity", "new"), ("− matched", "matched")]
        body = "".join(_roll_row(name, row, key, currency) for name, key in lines)
        foot = _roll_row("= open at the end of the day", row, "closing", currency, TICK if foots else CROSS)
        if row["restated_lines"] or row["restated_amount"]:
            foot += _roll_row("Restated: opening − closing published the day before", row, "restated", currency)
        out.append(
            f'<table class="roll" id="rollforward-{text(currency)}"><caption>Open match set, {text(currency)}</caption>'
            f"{head('Step', 'Lines', 'Amount', right=['Lines', 'Amount'])}"
            f"<tbody>{body}</tbody><tfoot>{foot}</tfoot></table>"
        )
    return "".join(out)


def _roll_row(name: str, row: dict[str, Any], key: str, currency: str, mark: str = "") -> str:
    lines, amount = row[f"{key}_lines"], row[f"{key}_amount"]
    return (
        f'<tr><th scope="row">{text(name)} {mark}</th>'
        f'<td class="number">{number(lines) if lines is not None else ""}</td>'
        f'<td class="money">{text(money(amount, currency))}</td></tr>'
    )


def _ageing(items: pl.DataFrame) -> str:
    bounds = [0, 24, 48, 96, 168, 336]
    names = ["up to 24 hours", "24 to 48 hours", "2 to 4 days", "4 to 7 days", "7 to 14 days", "more than 14 days"]
    hours = pl.col("hours_open").cast(pl.Float64)
    step = pl.lit(0, dtype=pl.Int8)
    for i, bound in enumerate(bounds[1:], start=1):
        step = pl.when(hours > bound).then(pl.lit(i, dtype=pl.Int8)).otherwise(step)
    aged = (
        items.with_columns(step.alias("step"))
        .group_by("step", "currency")
        .agg(pl.len().cast(pl.Int64).alias("lines"), pl.col("amount").sum())
        .sort("step", "currency")
        .with_columns(pl.col("step").replace_strict(dict(enumerate(names)), return_dtype=pl.String).alias("age"))
    )
    columns = [Column("age", "Open for"), Column("lines", "Items", "number"), Column("amount", "Amount", "money")]
    return table(aged, columns, id="ageing", caption="How old the open items are", totals=["amount"], data=False)
