"""The top of the packet: who and when, the answer in a few lines, and what cannot wait. Each function gives HTML.

Sums are by currency and only over known values; what has no known value is counted beside the sum, never as zero.
Nothing found where a report is missing is told as not known, never as all well.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from recon_lib.bridge import COUNTED
from recon_lib.gaps import BREAKS, caveat, lacking, unchecked
from recon_lib.money import sums
from recon_lib.pay_totals import lines_that_differ
from recon_lib.tables import Column, Html, count, head, monies, table, text
from recon_lib.titles import AUDIT_TITLES, REPORT_TITLES, title_of

if TYPE_CHECKING:
    from recon_lib.reconcile import Day

_NO_PAY = "no record of Amazon Pay in the folder"
_VALUED = ("claimable", "waiting", "claimed", "expired")  # statuses in which an amount is due, known or not


def of_status(findings: pl.DataFrame, *statuses: str) -> pl.DataFrame:
    return findings.filter(pl.col("status").is_in(statuses))


def value_of(findings: pl.DataFrame, first: str = "") -> str:
    """`1,234.50 USD + 3 unknown + 1 without an amount`: the known values by currency (`first` before the others), how many
    are not known, and how many have none: a difference that is not the seller's loss, or something odd that is no money."""
    empty = pl.col("owed").is_null()
    due = pl.lit(True)
    if {"status", "value_basis"} <= set(findings.columns):
        due = pl.col("status").is_in(_VALUED) & pl.col("value_basis").ne_missing("difference")
    unknown, none = findings.select((empty & due).sum().alias("unknown"), (empty & ~due).sum().alias("none")).row(0)
    said = [monies(sums(findings, "owed"), first=first)] if unknown + none < findings.height else []
    said += [f"{unknown:,} unknown"] if unknown else []
    said += [f"{none:,} without an amount"] if none else []
    return " + ".join(said) or "nothing"


def title(day: Day) -> Html:
    """Who and when."""
    account = day.books.account
    return Html(
        f"<h1>Daily packet {day.books.as_of.isoformat()}</h1>"
        f'<p class="who">Account <b>{text(account.account)}</b> · marketplace {text(account.marketplace)} · '
        f"as of the end of {day.books.as_of:%A}, {day.books.as_of} ({text(account.time_zone)})</p>"
    )


def at_a_glance(day: Day) -> Html:
    """The answer first: what is owed, what cannot wait, what is open, what broke, what is not known."""
    found, as_of, home = day.findings, day.books.as_of, day.books.account.currency
    claimable, breaks = of_status(found, "claimable"), found.filter(pl.col("audit").is_in(BREAKS))
    soon = claimable.filter(pl.col("claim_by") <= as_of + timedelta(days=7))
    two_weeks = claimable.filter(pl.col("claim_by") <= as_of + timedelta(days=14))
    missing = caveat(day)
    well = "" if missing else "good"  # a tick would say that there is nothing, not that nothing is known
    rows = [
        line(
            "bad" if claimable.height else well,
            "Claimable now",
            value_of(claimable, home),
            "; ".join([count(claimable.height, "finding"), *([missing] if missing and not claimable.height else [])]),
        )
    ]
    for name, part, days in (("within 7 days", soon, 7), ("within 14 days", two_weeks, 14)):
        first = _first_day(part)
        last_day = (
            f"{count(part.height, 'finding')}, first last day {first}"
            if part.height
            else f"none before {as_of + timedelta(days=days)}"
        )
        rows.append(
            line("bad" if part.height else well, f"… of it to be claimed {name}", value_of(part, home), last_day)
        )
    rows.append(
        line(
            "",
            "Waiting (too early to claim, Amazon may still act, or a report is missing)",
            value_of(of_status(found, "waiting"), home),
            count(of_status(found, "waiting").height, "finding"),
        )
    )
    rows.append(_new_line(day))
    rows.append(_pay_line(day))
    if (differ := lines_that_differ(day)) is not None:
        tone, part, told = differ
        rows.append(line(tone, "Amazon Pay lines that differ", value_of(part, home), told))
    rows.append(_breaks_line(day, breaks))
    points = unchecked(day).height
    rejected = day.books.rejects.height
    rows.append(
        line(
            "warn" if points or rejected else "good",
            "Not checked",
            count(points, "point"),
            f"{count(rejected, 'row')} of the files could not be used",
        )
    )
    return Html(
        f'<p class="verdict">{_verdict(day, claimable)}</p>'
        '<table id="answer" class="answer"><caption>The day at a glance</caption>'
        f"{head('Question', 'Amount', 'Detail', right=['Amount'])}<tbody>{''.join(rows)}</tbody></table>"
    )


def line(tone: str, name: str, value: str, detail: str) -> str:
    """One row of an answer table; `tone`: good, bad, warn or nothing."""
    mark = {"good": "✓", "bad": "!", "warn": "?"}.get(tone, "·")
    return (
        f'<tr class="{tone}"><th scope="row"><span class="mark" aria-hidden="true">{mark}</span> {text(name)}</th>'
        f'<td class="money">{text(value)}</td><td>{text(detail)}</td></tr>'
    )


def _pay_line(day: Day) -> str:
    items = day.open_items
    overdue = items.filter(pl.col("overdue"))
    if not items.height and day.books.has("pay_activity"):
        return line("good", "Amazon Pay not settled yet", "nothing open", "no activity is open")
    if not items.height:
        used = day.books.has("pay_lines")
        why = "the shop's own record books/pay_activity.csv is missing" if used else _NO_PAY
        return line("warn" if used else "", "Amazon Pay not settled yet", "not known", why)
    # Captures and refunds apart: their sum would hide a large refund behind a large capture.
    late = [
        f"{kind}s {monies(sums(part, 'amount'))}"
        for (kind,), part in overdue.partition_by("kind", as_dict=True, maintain_order=True).items()
    ]
    many = f"{overdue.height:,} of them overdue" if items.height > 1 else "overdue" if late else "not overdue"
    told = f"{count(items.height, 'item')} open, {many}" + (f": {', '.join(late)}" if late else "")
    return line("bad" if overdue.height else "", "Amazon Pay not settled yet", monies(sums(items, "amount")), told)


def _breaks_line(day: Day, breaks: pl.DataFrame) -> str:
    """What does not tie; what waits for a report is not known to differ, and nothing compared is not all well."""
    name = "Settlements and payouts that do not tie"
    missing = lacking(day, BREAKS)["subject"].replace(REPORT_TITLES).unique().sort().to_list()
    waiting, breaks = of_status(breaks, "waiting").height, of_status(breaks, "open", "claimed")
    unread = f"not read, or not for all days: {', '.join(missing)}" if missing else ""
    unread = "; ".join(filter(None, [f"{count(waiting, 'finding')} waiting for a report" if waiting else "", unread]))
    if breaks.height:
        kinds = breaks.group_by("audit").len().sort("audit").iter_rows()
        told = ", ".join(f"{n} × {title_of(audit).lower()}" for audit, n in kinds)
        return line("bad", name, value_of(breaks, day.books.account.currency), "; ".join(filter(None, [told, unread])))
    if not day.settlements.height and not day.books.has("pay_lines"):
        return line("warn", name, "not checked", "no settlement up to this day was read")
    if unread:
        return line("warn", name, "all tie as far as known", f"no gap, no difference; {unread}")
    return line("good", name, "all tie", "no gap, no difference")


def _new_line(day: Day) -> str:
    """What is owed now that the last packet did not know, and what else became of its findings."""
    name = "New since the last packet"
    made = day.changes
    if made is None:
        return line("", name, "not known", "no earlier packet")
    fresh = made.rows.filter(pl.col("change") == "new", pl.col("status").is_in(COUNTED))
    others = [f"{n:,} {change}" for change, n in made.counts().items() if change != "new"]
    told = f"{count(fresh.height, 'finding')} since {made.since}"
    return line(
        "",
        name,
        value_of(fresh, day.books.account.currency),
        "; ".join([told, *([", ".join(others)] if others else [])]),
    )


def _first_day(claims: pl.DataFrame) -> date | None:
    return min((day for day in claims["claim_by"].to_list() if day is not None), default=None)


def _verdict(day: Day, claimable: pl.DataFrame) -> str:
    as_of = day.books.as_of
    if claimable.is_empty():
        rows = day.books.files.select(pl.col("rows_used") - pl.col("rows_repeated") - pl.col("rows_after")).sum().item()
        if not rows:
            return f"Nothing is known of this account up to {as_of}: no report tells of it."
        missing = caveat(day)
        return f"Nothing can be claimed from Amazon on {as_of}" + (
            f", as far as is known: {missing} (see “Not checked”)." if missing else "."
        )
    unknown = claimable["owed"].null_count()
    told = monies(sums(claimable, "owed"), none="an amount that is not known yet", first=day.books.account.currency)
    more = f"; the value of {unknown:,} of them is not known" if unknown and unknown < claimable.height else ""
    first = _first_day(claimable)
    which = "It" if claimable.height == 1 else "The first of them"
    by = f" {which} must be claimed by <b>{first}</b>." if first is not None else ""
    return (
        f"Amazon owes <b>{text(told)}</b> that can be claimed now, in {count(claimable.height, 'finding')}{more}.{by}"
    )


def deadlines(day: Day, days: int = 14) -> Html:
    """What must be claimed within `days`, the earliest last day first, the largest amount first within a day."""
    due = of_status(day.findings, "claimable").filter(pl.col("claim_by") <= day.books.as_of + timedelta(days=days))
    due = due.sort("claim_by", "owed", "finding_id", descending=[False, True, False], nulls_last=True)
    due = due.with_columns(
        (pl.col("claim_by") - pl.lit(day.books.as_of)).dt.total_days().alias("days"),
        pl.col("audit").replace(AUDIT_TITLES).alias("claim"),
        what_to_quote(),
    )
    columns = [
        Column("claim_by", "Last day", "day"),
        Column("days", "Days left", "number"),
        Column("claim", "Claim"),
        Column("what", "What to quote", "code"),
        Column("quantity", "Units", "number"),
        Column("owed", "Owed", "money"),
    ]
    return table(
        due,
        columns,
        id="deadlines",
        caption=f"To be claimed by {day.books.as_of + timedelta(days=days)}",
        rows=100,
        empty="No claim runs out in these days.",
        rest="claims.xlsx",
        totals=["owed"],
    )


def what_to_quote() -> pl.Expr:
    """The ids that a claim quotes, joined: order, reference, SKU, FNSKU."""
    names = ("order_id", "reference_id", "sku", "fnsku")
    labels = ("order ", "ref. ", "SKU ", "FNSKU ")
    parts = [pl.lit(label) + pl.col(name) for name, label in zip(names, labels, strict=True)]
    return pl.concat_str(parts, separator=" · ", ignore_nulls=True).alias("what")
