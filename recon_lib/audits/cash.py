"""The audits of money at the bank: deposits that are missing or differ, and credits that nothing explains."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from recon_lib.audits import coverage
from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.business_days import last_business_day
from recon_lib.audits.cash_sides import Credit
from recon_lib.audits.deposits import cash
from recon_lib.audits.evidence import findings, not_checked
from recon_lib.audits.pay_coverage import coverage_spans
from recon_lib.audits.settlements import missing_periods
from recon_lib.books import Books
from recon_lib.money import money_text
from recon_lib.policy import Policy

# A credit can only pay a settlement that ended at most this long before; one settlement alone is at most so long.
_PAID_WITHIN, _ONE_SETTLEMENT = timedelta(days=12), timedelta(days=15)
_SCHEMA: dict[str, Any] = {
    "fact": pl.String, "reference_id": pl.String, "event_on": pl.Date, "anchor_on": pl.Date, "owed": pl.Decimal(38, 4),
    "currency": pl.String, "lines": pl.List(pl.String), "arithmetic": pl.String, "until": pl.Date,
}  # fmt: skip
_READS = ("bank", "settlements")


def deposit_missing(books: Books, policy: Policy) -> AuditResult:
    """A deposit that no bank credit pays, after the last business day allowed for it has ended."""
    if not books.has("bank"):
        return AuditResult()  # said as an absent report
    found = [d for d in cash(books).deposits if not d.how and books.as_of > d.until]
    rows = [
        _row(d.fact, d.reference, d.on, d.amount, d.currency, [d.place],
             f"{money_text(d.amount, d.currency)} {d.currency} sent on {d.on}, no such credit until {d.until} or since",
             until=d.until)
        for d in found
    ]  # fmt: skip
    frame = _frame(rows)
    absent = coverage.missing(books, "bank", pl.col("event_on"), pl.col("until"))
    frame = frame.with_columns(
        status=pl.when(absent.is_not_null()).then(pl.lit("waiting")).otherwise(pl.lit("open")),
        reason=pl.coalesce(
            absent,
            pl.concat_str(
                _ends_before(books), pl.lit(_unread_rows(books), pl.String), separator="; ", ignore_nulls=True
            ).replace("", None),
        ),
    )
    return AuditResult(findings(frame, "deposit_missing"))


def _ends_before(books: Books) -> pl.Expr:
    """Where the last line of the bank statement is of a day before the last one allowed: nobody has looked at the days since."""
    last = books.frames["bank"].select(pl.col("booked_on").max()).collect().item()
    if last is None:
        return pl.lit(None, pl.String)
    told = f"the bank statement ends on {last}: the payout may have come since"
    return pl.when(pl.col("until") > last).then(pl.lit(told))


def _unread_rows(books: Books) -> str | None:
    rows = int(books.files.filter(pl.col("family") == "bank")["rows_rejected"].sum() or 0)
    if not rows:
        return None
    many, which = ("1 row", "it") if rows == 1 else (f"{rows} rows", "one of them")
    return f"{many} of the bank statement could not be used: the payout may stand on {which}"


def deposit_differs(books: Books, policy: Policy) -> AuditResult:
    """A credit that fits a deposit by day and counterparty, but not in amount. In another currency nothing is owed by number."""
    if not books.has("bank"):
        return AuditResult()
    rows: list[tuple[Any, ...]] = []
    reasons: list[str | None] = []
    for d in (d for d in cash(books).deposits if d.how == "differs"):
        credit = d.credits[0]
        reference = f"{d.reference} {credit.reference}" if credit.reference else d.reference
        if credit.currency != d.currency:
            due, came = money_text(d.amount, d.currency), money_text(credit.amount, credit.currency)
            told = f"{due} {d.currency} sent, {came} {credit.currency} at the bank on {credit.on}: exchanged"
            rows.append(_row(d.fact, reference, d.on, None, d.currency, [d.place, credit.place], told))
            reasons.append("paid in another currency: the difference is not known")
            continue
        gap = d.amount - credit.amount
        due, came, apart = (money_text(v, d.currency) for v in (d.amount, credit.amount, gap))
        held = next((r for r in d.reserves if abs(r) == abs(gap)), None)
        why = (
            f"a reserve movement of {money_text(held, d.currency)} explains it"
            if held is not None
            else "no reserve movement explains it"
        )
        reasons.append(None if gap > 0 else "more came than was sent")
        rows.append(_row(d.fact, reference, d.on, gap if gap > 0 else None, d.currency, [d.place, credit.place],
                         f"{due} sent − {came} at the bank on {credit.on} = {apart}; {why}"))  # fmt: skip
    frame = _frame(rows).with_columns(pl.Series("reason", reasons, dtype=pl.String))
    return AuditResult(findings(frame, "deposit_differs", status="open"))


def deposit_unexplained(books: Books, policy: Policy) -> AuditResult:
    """A credit of the counterparty that no settlement and no transfer explains."""
    name = "deposit_unexplained"
    if not books.has("bank"):
        return AuditResult()
    tied = cash(books)
    rows = [
        _row(c.fact, c.reference, c.on, None, c.currency, [c.place],
             f"{money_text(c.amount, c.currency)} {c.currency} came on {c.on}: no settlement or transfer of that amount and time")
        for c in tied.unexplained
    ]  # fmt: skip
    # an account with Amazon Pay only is known by its lines, every other one by the windows of its settlements
    family = "settlements" if books.has("settlements") or not books.has("pay_lines") else "pay_lines"
    gaps = {currency: _gaps(books, family, currency) for currency in {c.currency for c in tied.unexplained}}
    frame = _frame(rows)
    pay_days = {currency: _pay_days(books, currency) for currency in gaps}
    apart = {currency: _pay_gaps(books, days) for currency, days in pay_days.items()}
    reasons = (
        [
            _report_missing(family, gaps[c.currency], c.on, books.as_of) or _pay_missing(apart[c.currency], c.on)
            for c in tied.unexplained
        ]
        if books.has(family)
        else [f"report missing: {family}"] * frame.height
    )
    frame = frame.with_columns(
        pl.Series(
            "reason",
            [r or _nothing_explains(c, pay_days[c.currency]) for r, c in zip(reasons, tied.unexplained, strict=True)],
            dtype=pl.String,
        ),
        pl.Series("status", ["waiting" if r else "open" for r in reasons], dtype=pl.String),
    )
    notes = [(name, "credits", "not judged before the deposits they could pay are out of time", tied.undecided),
             (name, "credits", "wages or card purchases by their descriptor", tied.not_payouts)]  # fmt: skip
    return AuditResult(findings(frame, name), not_checked=not_checked(n for n in notes if n[3]))


def _gaps(books: Books, family: str, currency: str) -> list[coverage.Span]:
    """The days of which no report of the currency tells (of any currency, where none of this one is known).

    The last gap counts from the day on which a settlement no shorter than the known ones can have ended in it.
    """
    if not books.has("settlements"):
        return coverage.holes(books, family)
    heads = books.frames["settlements"].select("currency", days=pl.col("end_on") - pl.col("start_on")).collect()
    own = heads.filter(pl.col("currency") == currency)
    gaps = coverage.holes(books, family, currency=currency if own.height else None)
    shortest = max(min((own if own.height else heads)["days"].drop_nulls().to_list(), default=timedelta()), timedelta())
    moved = [(start + shortest if end == books.as_of and start != coverage.EVER else start, end) for start, end in gaps]
    between = [span for span in missing_periods(books, currency) if span not in gaps]
    return [(start, end) for start, end in (*moved, *between) if start <= end]


def _report_missing(family: str, gaps: list[coverage.Span], booked: date, as_of: date) -> str | None:
    """Why a credit may be the money of a settlement whose report is missing; null where none can have ended in time."""
    for start, end in gaps:
        if start == coverage.EVER:
            continue  # before the first settlement known: nothing tells that there was one
        one = end < as_of and end - start <= _ONE_SETTLEMENT  # a single settlement: it ended on the day after the gap
        if (end >= booked - _PAID_WITHIN) and (end < booked if one else start <= booked):
            return f"report missing: {family.replace('_', ' ')} until {end}"
    return None


def _nothing_explains(credit: Credit, pay_days: list[date]) -> str:
    told = "came, but no settlement or transfer explains it"
    if pay_days and pay_days[-1] < credit.on:
        # a transfer stands in the settlement that begins with it, and that one's report comes when it ends
        told += f"; the Amazon Pay settlements known end on {pay_days[-1]}: the next one may tell of it"
    if pay_days and credit.on < pay_days[0]:
        told += f"; the Amazon Pay settlements known begin on {pay_days[0]}: an earlier one may tell of it"
    return told


def _pay_days(books: Books, currency: str) -> list[date]:
    """First and last day of each stretch of time that the Amazon Pay settlements in the currency speak about."""
    if not books.has("pay_lines"):
        return []
    lines = books.frames["pay_lines"].filter(pl.col("posted_on") <= books.as_of).select("file", "currency").unique()
    spans = coverage_spans(books, lines.collect()).filter(pl.col("currency") == currency)
    zone = ZoneInfo(books.account.time_zone)
    return [at.astimezone(zone).date() for _, *edges in spans.rows() for at in edges]


def _pay_gaps(books: Books, days: list[date]) -> list[tuple[date, date, date]]:
    """Between which of these days an Amazon Pay settlement is missing, and until when the money it sent may come."""
    account = books.account
    return [
        (start, end, last_business_day(account.marketplace, end, account.bank_days))
        for start, end in zip(days[1:-1:2], days[2::2], strict=True)
    ]


def _pay_missing(gaps: list[tuple[date, date, date]], booked: date) -> str | None:
    for start, end, until in gaps:
        if start - timedelta(days=1) <= booked <= until:
            return f"report missing: Amazon Pay settlement {start} to {end}"
    return None


def _row(fact: str, reference: str | None, on: date, owed: Decimal | None, currency: str, lines: list[str], told: str,
         until: date | None = None) -> tuple[Any, ...]:  # fmt: skip
    return fact, reference, on, on, owed, currency, lines, told, until


def _frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


AUDITS = (
    Audit(("deposit_missing",), _READS, deposit_missing),
    Audit(("deposit_differs",), _READS, deposit_differs),
    Audit(("deposit_unexplained",), _READS, deposit_unexplained),
)
