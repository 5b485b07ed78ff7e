"""Amazon Pay's part of the control totals: where every line went, the open match set rolled forward, its age. Gives HTML."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from recon_lib.audits.pay import end_of_day
from recon_lib.tables import CROSS, TICK, Column, Html, head, money, number, table, text
from recon_lib.titles import title_of

if TYPE_CHECKING:
    from recon_lib.reconcile import Day


def pay(day: Day) -> Html:
    """Amazon Pay: the open match set rolled forward, its ageing, its items."""
    zone = day.books.account.time_zone
    parts = [_at_a_glance(day.pay.control_totals), _roll(day.rollforward), _ageing(day), _others(day)]
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


BREAKS = ("pay_amount_differs", "pay_duplicate", "pay_fee_differs", "pay_unknown")


def lines_that_differ(day: Day) -> tuple[str, pl.DataFrame, str] | None:
    """What Amazon settled otherwise than recorded: tone and words for the day's answer, and the findings that nobody settled.

    None without a settlement of Amazon Pay: what is not settled is told by the open items.
    """
    if not day.books.has("pay_lines"):
        return None
    found = day.findings.filter(pl.col("audit").is_in(BREAKS), pl.col("status").is_in(["open", "claimed"]))
    if found.height:
        kinds = found.group_by("audit").len().sort("audit").iter_rows()
        return "bad", found, ", ".join(f"{n:,} × {title_of(audit).removeprefix('Amazon Pay: ')}" for audit, n in kinds)
    if day.not_checked.filter(pl.col("audit").is_in(BREAKS)).height:
        return "warn", found, "none as far as known (see “Not checked”)"
    return "good", found, "every settled capture and refund is recorded, once, in its amount and with its fee"


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


def _others(day: Day) -> str:
    """What else the settlements hold: chargebacks, claims, debts, adjustments, reserves, transfers."""
    columns = [
        Column("transaction_type", "Type"),
        Column("lines", "Lines", "number"),
        Column("amount", "Amount", "money"),
    ]
    caption = "Lines that are no capture or refund, by type"
    lines = day.pay.lines_by_type
    return table(lines, columns, id="pay-types", caption=caption, data=False) if lines.height else ""


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


def _ageing(day: Day) -> str:
    """The open items by age. By their exact age: of two items of 48.0 hours one may be overdue and the other not."""
    bounds = [24, 48, 96, 168, 336]
    names = ["up to 24 hours", "24 to 48 hours", "2 to 4 days", "4 to 7 days", "7 to 14 days", "more than 14 days"]
    end = pl.lit(end_of_day(day.books.as_of, day.books.account.time_zone), pl.Datetime("us", "UTC"))
    age = end - pl.col("activity_at")
    step = pl.sum_horizontal((age > timedelta(hours=bound)).cast(pl.Int8) for bound in bounds)
    aged = (
        day.open_items.with_columns(step.alias("step"))
        .group_by("step", "currency")
        .agg(pl.len().cast(pl.Int64).alias("lines"), pl.col("amount").sum())
        .sort("step", "currency")
        .with_columns(pl.col("step").replace_strict(dict(enumerate(names)), return_dtype=pl.String).alias("age"))
    )
    columns = [Column("age", "Open for"), Column("lines", "Items", "number"), Column("amount", "Amount", "money")]
    return table(aged, columns, id="ageing", caption="How old the open items are", totals=["amount"], data=False)
