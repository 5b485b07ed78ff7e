"""The body of the packet: findings, trends in numbers, what was not checked, legend, sign-off. Gives HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from recon_lib.answer import value_of, what_to_quote
from recon_lib.gaps import unchecked
from recon_lib.tables import Column, Html, head, table, text
from recon_lib.titles import AUDIT_TITLES, title_of

if TYPE_CHECKING:
    from recon_lib.reconcile import Day

ROWS_PER_AUDIT = 100
# Findings shown on the page together: the page stays small; claims.xlsx and findings.csv hold all of them.
ROWS_OF_FINDINGS = 1500
ORDER = ("claimable", "open", "claimed", "waiting", "review", "accepted", "expired")


def _rank() -> pl.Expr:
    places = {status: i for i, status in enumerate(ORDER)}
    return pl.col("status").replace_strict(places, default=len(ORDER), return_dtype=pl.Int8).alias("rank")


def findings(day: Day) -> Html:
    """All findings by audit; each audit opens on a click, and in it each finding's evidence."""
    found = day.findings
    if found.is_empty():
        return Html('<p class="none" id="findings">No finding. See below what could not be checked.</p>')
    home = day.books.account.currency
    ordered = found.with_columns(what_to_quote(), _rank()).sort(
        "audit",
        "rank",
        "claim_by",
        "owed",
        "finding_id",
        descending=[False, False, False, True, False],
        nulls_last=True,
    )
    audits = _in_order(found)
    rows = max(10, min(ROWS_PER_AUDIT, ROWS_OF_FINDINGS // len(audits)))
    out = []
    for audit in audits:
        part = ordered.filter(pl.col("audit") == audit)
        groups = part.partition_by("status", maintain_order=True)  # in the order of ORDER already
        told = ", ".join(f"{g.height:,} {g['status'][0]} ({value_of(g, home)})" for g in groups)
        now = part.filter(pl.col("status") == "claimable")
        columns = [
            Column("status", "Status"),
            Column("event_on", "Day", "day"),
            Column("claim_by", "Claim by", "day"),
            Column("what", "What", "code"),
            Column("quantity", "Units", "number"),
            Column("unit_value", "A unit", "money"),
            Column("owed", "Owed", "money"),
            Column("reason", "Reason", "long"),
            Column("evidence", "Evidence", "evidence"),
        ]
        inner = table(
            part,
            columns,
            id=f"audit-{audit}",
            caption=f"{title_of(audit)} ({audit})",
            rows=rows,
            # A sum over several statuses would mix what is owed with what is lost.
            totals=["owed"] if len(groups) == 1 else [],
        )
        out.append(
            f'<details class="audit"><summary><b>{text(title_of(audit))}</b> '
            f'<span class="count">{text(told)}</span> '
            f'<span class="sum">{text(value_of(now, home)) if now.height else ""}</span></summary>{inner}</details>'
        )
    return Html(f'<div id="findings">{"".join(out)}</div>')


def _in_order(found: pl.DataFrame) -> list[str]:
    """The audits, those first that have something to claim or clear, then by title."""
    first = found.with_columns(_rank()).group_by("audit").agg(pl.col("rank").min())
    return [audit for audit, _ in sorted(first.rows(), key=lambda row: (row[1], title_of(row[0])))]


def by_status(day: Day) -> Html:
    """How many findings have which status, and their known value."""
    grouped = (
        day.findings.with_columns(pl.col("currency").fill_null(day.books.account.currency))
        .group_by("status", "currency")
        .agg(
            pl.len().cast(pl.Int64).alias("findings"),
            pl.col("owed").null_count().cast(pl.Int64).alias("unknown"),
            pl.when(pl.col("owed").count() > 0).then(pl.col("owed").sum()).alias("owed"),
        )
        .with_columns(_rank(), pl.col("status").replace(dict(STATUSES)).alias("meaning"))
        .sort("rank", "status", "currency", nulls_last=True)
    )
    columns = [
        Column("status", "Status"),
        Column("meaning", "Meaning", "long"),
        Column("findings", "Findings", "number"),
        Column("unknown", "Without an amount", "number"),
        Column("owed", "Owed", "money"),
    ]
    return table(grouped, columns, id="by-status", caption="Findings by status", data=False)


def not_checked(day: Day) -> Html:
    """What could not be checked, and why: one row for each reason, with all audits that it touches."""
    columns = [
        Column("subject", "What", "long"),
        Column("reason", "Why not", "long"),
        Column("title", "Audits it touches", "long"),
        Column("count", "Rows", "number"),
    ]
    return table(
        unchecked(day),
        columns,
        id="not-checked",
        caption="Not checked, and why",
        empty="Everything could be checked.",
        rest="manifest.json",
        rows=300,
    )


LEGEND = (
    ("✓", "the numbers of this row add up: recomputed from the lines, no difference"),
    ("✗", "they do not add up: the difference is a finding"),
    ("!", "needs a decision or an action"),
    ("?", "not known: a report, a period or a value is missing"),
)
STATUSES = (
    ("claimable", "can be claimed from Amazon until its last day"),
    ("waiting", "its window has not opened, Amazon's usual time to act has not passed, or a report is missing"),
    ("open", "a difference without a claim form: clear it with support or the bank"),
    ("claimed", "a case is open"),
    ("accepted", "a person accepted the difference, with a reason"),
    ("review", "odd, but no money owed: look at it"),
    ("expired", "its last day has passed"),
)


def legend(day: Day) -> Html:
    """Tick marks and statuses."""
    marks = "".join(f"<dt>{text(m)}</dt><dd>{text(said)}</dd>" for m, said in LEGEND)
    states = "".join(f'<dt><span class="status {s}">{s}</span></dt><dd>{text(said)}</dd>' for s, said in STATUSES)
    said = (
        "Positive money comes to the seller. “Owed” is positive when Amazon owes the seller; an empty amount is not known, "
        "or nothing is owed to the seller (reason and evidence tell which), never zero. Days are days in the account's time zone."
    )
    return Html(f'<dl class="legend">{marks}{states}</dl><p>{said}</p>')


def sign_off(day: Day) -> Html:
    """Lines for the people who prepare and review."""
    return signatures(day.books.account.account, day.books.as_of.isoformat())


def signatures(account: str, span: str) -> Html:
    """The same for a packet of a day or month."""
    roles = ("Prepared by", "Reviewed by", "Approved by")
    rows = "".join(f'<tr><th scope="row">{role}</th><td></td><td></td><td></td></tr>' for role in roles)
    caption = f"Sign-off for {text(account)}, {text(span)}"
    return Html(
        f'<table class="sign" id="sign-off"><caption>{caption}</caption>'
        f"{head('Role', 'Name', 'Date', 'Signature')}<tbody>{rows}</tbody></table>"
        f"<p>A signature is recorded with <code>recon case review ACCOUNT_FOLDER {text(span)} --who NAME</code>.</p>"
    )


def weekly(weeks: pl.DataFrame) -> Html:
    """The numbers of the chart of discrepancies. `weeks`: `trends.discrepancies_by_week`."""
    named = weeks.with_columns(pl.col("audit").replace(AUDIT_TITLES))
    frame = named.sort("week", "audit", "currency", descending=[True, False, False], nulls_last=True)
    columns = [
        Column("week", "Week (Monday)", "day"),
        Column("audit", "Audit"),
        Column("findings", "Findings", "number"),
        Column("units", "Units", "number"),
        Column("owed", "Owed", "money"),
    ]
    shown = table(frame, columns, id="weekly", caption="Findings by week and audit, the newest week first", rows=200)
    return Html(f"<details><summary>The numbers of this chart</summary>{shown}</details>")


def delays(months: pl.DataFrame, yardstick: int) -> Html:
    """The numbers of the chart of delays. `months`: `trends.delays_by_month`."""
    columns = [
        Column("month", "Approved in the month from", "day"),
        Column("paid", "Reimbursements", "number"),
        Column("median_days", "Median days", "number"),
        Column("p90_days", "9 of 10 within days", "number"),
        Column("over", f"Later than {yardstick} days", "number"),
        Column("over_pct", "Share in %", "number"),
        Column("settled", "Seen in a settlement", "number"),
        Column("settle_median_days", "Median days to the settlement", "number"),
    ]
    return table(
        months,
        columns,
        id="delays",
        caption="Days from the event to the reimbursement in money, by month of its approval",
        empty="No reimbursement could be tied to its event.",
        rest="history.csv",
        data=False,
    )
