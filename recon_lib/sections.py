"""What the packet shows, section by section: each function takes the reconciled day and returns HTML for people.

Sums are by currency and only over known values; what has no known value is counted beside the sum, never as zero.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from recon_lib.tables import Column, Html, count, monies, table, text

if TYPE_CHECKING:
    from recon_lib.reconcile import Day

# What an audit asks, in the words of a reader. Names that are not here are shown as they are.
AUDIT_TITLES = {
    "warehouse_lost": "Lost in the warehouse and not made good",
    "warehouse_damaged": "Damaged in the warehouse and not made good",
    "inbound_shortage": "Sent to Amazon, not received",
    "disposed_without_order": "Disposed of without an order",
    "removal_short": "Removal parcels that arrived short",
    "refund_without_return": "Refunded, but the unit never came back",
    "return_unpaid": "Came back damaged by Amazon or the carrier, unpaid",
    "return_not_restocked": "Came back sellable, not back in stock",
    "refund_exceeds_charge": "Refunded more than was charged",
    "return_wrong_item": "Another item came back",
    "fulfilment_fee_overcharge": "Fulfilment fee above the rate card",
    "measurement_error": "Fee from a wrong size or weight",
    "referral_fee_error": "Referral fee above the rate",
    "refund_fee_kept": "Referral fee kept on a refund",
    "storage_fee_overcharge": "Storage fee above the rate",
    "reimbursement_underpaid": "Reimbursed below the unit's value",
    "reimbursement_not_settled": "Reimbursement approved, never paid out",
    "reimbursement_reversed": "Reimbursement taken back, unit not returned",
    "reimbursement_twice": "Paid twice (risk of being taken back)",
    "settlement_out_of_balance": "Settlement lines do not add up to the total",
    "settlement_gap": "A settlement period is missing",
    "deposit_missing": "Payout that never reached the bank",
    "deposit_differs": "Payout that arrived with another amount",
    "deposit_unexplained": "Bank credit without a settlement",
    "pay_amount_differs": "Amazon Pay: settled with another amount",
    "pay_duplicate": "Amazon Pay: the same line settled twice",
    "pay_unknown": "Amazon Pay: settled, but unknown to the shop",
    "pay_overdue": "Amazon Pay: not settled in time",
    "pay_fee_differs": "Amazon Pay: fee above the schedule",
}
BREAKS = ("settlement_out_of_balance", "settlement_gap", "deposit_missing", "deposit_differs", "deposit_unexplained")
ROWS_PER_AUDIT = 100
# Findings shown on the page together: the page stays small; claims.xlsx and findings.csv hold all of them.
ROWS_OF_FINDINGS = 1500
ORDER = ("claimable", "open", "claimed", "waiting", "review", "accepted", "expired")


def owed(findings: pl.DataFrame) -> dict[str, Decimal]:
    """Known `owed` by currency."""
    known = findings.filter(pl.col("owed").is_not_null() & pl.col("currency").is_not_null())
    sums = known.group_by("currency").agg(pl.col("owed").sum()).sort("currency")
    return dict(zip(sums["currency"].to_list(), sums["owed"].to_list(), strict=True))


def _of(findings: pl.DataFrame, *statuses: str) -> pl.DataFrame:
    return findings.filter(pl.col("status").is_in(statuses))


def _value(findings: pl.DataFrame) -> str:
    """`1,234.50 USD`, and how many have no known value."""
    unknown = findings["owed"].null_count()
    said = monies(owed(findings)) if unknown < findings.height else ""
    more = f"{count(unknown, 'finding')} of unknown value" if unknown else ""
    return " and ".join(part for part in (said, more) if part) or "nothing"


def title(day: Day) -> Html:
    """Who and when."""
    account = day.books.account
    return Html(
        f"<h1>Daily packet {day.books.as_of.isoformat()}</h1>"
        f'<p class="who">Account <b>{text(account.account)}</b> · marketplace {text(account.marketplace)} · '
        f"as of the end of {day.books.as_of.strftime('%A')}, {day.books.as_of.isoformat()} ({text(account.time_zone)})</p>"
    )


def answer(day: Day) -> Html:
    """The answer first: what is owed, what cannot wait, what is open, what broke, what is not known."""
    found, as_of = day.findings, day.books.as_of
    claimable, breaks = _of(found, "claimable"), found.filter(pl.col("audit").is_in(BREAKS))
    soon = claimable.filter(pl.col("claim_by") <= as_of + timedelta(days=7))
    two_weeks = claimable.filter(pl.col("claim_by") <= as_of + timedelta(days=14))
    rows = [
        _line(
            "bad" if claimable.height else "good",
            "Claimable now",
            _value(claimable),
            count(claimable.height, "finding"),
        )
    ]
    for name, part, days in (("within 7 days", soon, 7), ("within 14 days", two_weeks, 14)):
        first = part["claim_by"].min()
        last_day = (
            f"{count(part.height, 'finding')}, first last day {first}"
            if part.height
            else f"none before {as_of + timedelta(days=days)}"
        )
        rows.append(_line("bad" if part.height else "good", f"… of it to be claimed {name}", _value(part), last_day))
    rows.append(
        _line(
            "",
            "Waiting (too early to claim, or Amazon may still act)",
            _value(_of(found, "waiting")),
            count(_of(found, "waiting").height, "finding"),
        )
    )
    rows.append(_pay_line(day))
    kinds = ", ".join(f"{n} × {audit}" for audit, n in breaks.group_by("audit").len().sort("audit").iter_rows())
    rows.append(
        _line(
            "bad" if breaks.height else "good",
            "Settlements and payouts that do not tie",
            _value(breaks) if breaks.height else "all tie",
            kinds or "no gap, no difference",
        )
    )
    unchecked = day.not_checked.height
    rejected = day.books.rejects.height
    rows.append(
        _line(
            "warn" if unchecked or rejected else "good",
            "Not checked",
            count(unchecked, "point"),
            f"{count(rejected, 'row')} of the files could not be used",
        )
    )
    return Html(
        f'<p class="verdict">{_verdict(day, claimable)}</p>'
        '<table id="answer" class="answer"><caption>The day at a glance</caption>'
        '<thead><tr><th scope="col">Question</th><th scope="col" class="money">Amount</th><th scope="col">Detail</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _line(tone: str, name: str, value: str, detail: str) -> str:
    mark = {"good": "✓", "bad": "!", "warn": "?"}.get(tone, "·")
    return (
        f'<tr class="{tone}"><th scope="row"><span class="mark" aria-hidden="true">{mark}</span> {text(name)}</th>'
        f'<td class="money">{text(value)}</td><td>{text(detail)}</td></tr>'
    )


def _pay_line(day: Day) -> str:
    items = day.open_items
    overdue = items.filter(pl.col("overdue"))
    if not items.height:
        return _line("good", "Amazon Pay not settled yet", "nothing open", "no activity is open")
    sums = {c: v for c, v in items.group_by("currency").agg(pl.col("amount").sum()).sort("currency").iter_rows()}
    late = {c: v for c, v in overdue.group_by("currency").agg(pl.col("amount").sum()).sort("currency").iter_rows()}
    told = f"{count(items.height, 'item')} open, {overdue.height:,} overdue" + (f" ({monies(late)})" if late else "")
    return _line("bad" if overdue.height else "", "Amazon Pay not settled yet", monies(sums), told)


def _verdict(day: Day, claimable: pl.DataFrame) -> str:
    first = claimable.filter(pl.col("claim_by").is_not_null())["claim_by"].min()
    if claimable.is_empty():
        return f"Nothing can be claimed from Amazon on {day.books.as_of}."
    by = f" The first last day is <b>{first}</b>." if first is not None else ""
    return f"Amazon owes <b>{text(_value(claimable))}</b> that can be claimed now, in {count(claimable.height, 'finding')}.{by}"


def deadlines(day: Day, days: int = 14) -> Html:
    """What must be claimed within `days`, the earliest last day first, the largest amount first within a day."""
    due = _of(day.findings, "claimable").filter(pl.col("claim_by") <= day.books.as_of + timedelta(days=days))
    due = due.sort("claim_by", "owed", "finding_id", descending=[False, True, False], nulls_last=True)
    due = due.with_columns(
        (pl.col("claim_by") - pl.lit(day.books.as_of)).dt.total_days().alias("days"),
        pl.col("audit").replace(AUDIT_TITLES).alias("claim"),
        _what(),
    )
    columns = [
        Column("claim_by", "Last day", "day"), Column("days", "Days left", "number"), Column("claim", "Claim"),
        Column("what", "What to quote", "code"), Column("quantity", "Units", "number"), Column("owed", "Owed", "money"),
    ]  # fmt: skip
    return table(
        due, columns, id="deadlines", caption=f"To be claimed by {day.books.as_of + timedelta(days=days)}", rows=100,
        empty="No claim runs out in these days.", rest="claims.xlsx", totals=["owed"],
    )  # fmt: skip


def _what() -> pl.Expr:
    """The ids that a claim quotes, joined: order, reference, SKU, FNSKU."""
    names = ("order_id", "reference_id", "sku", "fnsku")
    labels = ("order ", "ref. ", "SKU ", "FNSKU ")
    parts = [pl.lit(label) + pl.col(name) for name, label in zip(names, labels, strict=True)]
    return pl.concat_str(parts, separator=" · ", ignore_nulls=True).alias("what")


def findings(day: Day) -> Html:
    """All findings by audit; each audit opens on a click, and in it each finding's evidence."""
    found = day.findings
    if found.is_empty():
        return Html('<p class="none" id="findings">No finding. See below what could not be checked.</p>')
    rank = pl.col("status").replace_strict(
        {s: i for i, s in enumerate(ORDER)}, default=len(ORDER), return_dtype=pl.Int8
    )
    ordered = found.with_columns(_what(), rank.alias("rank")).sort(
        "audit",
        "rank",
        "claim_by",
        "owed",
        "finding_id",
        descending=[False, False, False, True, False],
        nulls_last=True,
    )
    audits = ordered["audit"].unique().sort().to_list()
    rows = max(10, min(ROWS_PER_AUDIT, ROWS_OF_FINDINGS // len(audits)))
    out = []
    for audit in audits:
        part = ordered.filter(pl.col("audit") == audit)
        by_status = [
            f"{n:,} {s}"
            for s, n in part.group_by("status", "rank").len().sort("rank").select("status", "len").iter_rows()
        ]
        columns = [
            Column("status", "Status"), Column("event_on", "Day", "day"), Column("claim_by", "Claim by", "day"),
            Column("what", "What", "code"), Column("quantity", "Units", "number"),
            Column("unit_value", "A unit", "money"), Column("owed", "Owed", "money"),
            Column("reason", "Reason", "long"), Column("evidence", "Evidence", "evidence"),
        ]  # fmt: skip
        inner = table(
            part, columns, id=f"audit-{audit}", caption=f"{_title(audit)} ({audit})", rows=rows, totals=["owed"],
        )  # fmt: skip
        out.append(
            f'<details class="audit"><summary><b>{text(_title(audit))}</b> <span class="count">{text(", ".join(by_status))}'
            f'</span> <span class="sum">{text(_value(part))}</span></summary>{inner}</details>'
        )
    return Html(f'<div id="findings">{"".join(out)}</div>')


def _title(audit: str) -> str:
    return AUDIT_TITLES.get(audit, audit.replace("_", " ").capitalize())


def by_status(day: Day) -> Html:
    """How many findings an audit has in which status, and their known value."""
    grouped = day.findings.group_by("audit", "status", "currency").agg(
        pl.len().cast(pl.Int64).alias("findings"), pl.col("owed").null_count().cast(pl.Int64).alias("unknown"),
        pl.when(pl.col("owed").count() > 0).then(pl.col("owed").sum()).alias("owed"),
    ).sort("audit", "status", "currency", nulls_last=True).with_columns(pl.col("audit").replace(AUDIT_TITLES).alias("title"))  # fmt: skip
    columns = [
        Column("title", "Audit"), Column("status", "Status"), Column("findings", "Findings", "number"),
        Column("unknown", "Value unknown", "number"), Column("owed", "Owed", "money"),
    ]  # fmt: skip
    return table(grouped, columns, id="by-status", caption="Findings by audit and status", totals=["owed"])


def not_checked(day: Day) -> Html:
    """What could not be checked, and why."""
    frame = day.not_checked.with_columns(pl.col("audit").replace(AUDIT_TITLES).alias("title"))
    columns = [
        Column("title", "Audit"), Column("subject", "What", "code"), Column("reason", "Why not", "long"),
        Column("count", "Rows", "number"),
    ]  # fmt: skip
    return table(
        frame,
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
    return Html(
        f'<dl class="legend">{marks}{states}</dl><p>Positive money comes to the seller. “Owed” is positive when Amazon owes the '
        "seller; an empty amount is unknown, never zero. Days are days in the account's time zone.</p>"
    )


def sign_off(day: Day) -> Html:
    """Lines for the people who prepare and review."""
    rows = "".join(
        f'<tr><th scope="row">{role}</th><td></td><td></td><td></td></tr>'
        for role in ("Prepared by", "Reviewed by", "Approved by")
    )
    return Html(
        f'<table class="sign" id="sign-off"><caption>Sign-off for {text(day.books.account.account)}, {day.books.as_of.isoformat()}</caption>'
        '<thead><tr><th scope="col">Role</th><th scope="col">Name</th><th scope="col">Date</th><th scope="col">Signature</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def weekly(weeks: pl.DataFrame) -> Html:
    """The numbers of the chart of discrepancies. `weeks`: `trends.discrepancies_by_week`."""
    frame = weeks.sort("week", "audit", "currency", descending=[True, False, False], nulls_last=True)
    columns = [
        Column("week", "Week (Monday)", "day"), Column("audit", "Audit"), Column("findings", "Findings", "number"),
        Column("units", "Units", "number"), Column("owed", "Owed", "money"),
    ]  # fmt: skip
    shown = table(frame, columns, id="weekly", caption="Findings by week and audit, the newest week first", rows=200)
    return Html(f"<details><summary>The numbers of this chart</summary>{shown}</details>")


def delays(months: pl.DataFrame, yardstick: int) -> Html:
    """The numbers of the chart of delays. `months`: `trends.delays_by_month`."""
    columns = [
        Column("month", "Paid in the month from", "day"), Column("paid", "Reimbursements", "number"),
        Column("median_days", "Median days", "number"), Column("p90_days", "9 of 10 within days", "number"),
        Column("over", f"Later than {yardstick} days", "number"), Column("over_pct", "Share in %", "number"),
        Column("settled", "Seen in a settlement", "number"), Column("settle_median_days", "Median days to the settlement", "number"),
    ]  # fmt: skip
    return table(
        months, columns, id="delays", caption="Days from the event to the reimbursement, by month of payment",
        empty="No reimbursement could be tied to its event.", rest="history.csv", data=False,
    )  # fmt: skip
