"""The journal of Amazon Pay: what was sold, what Amazon holds for the seller, what it paid; debits equal credits every day.

    activity          debit accounts receivable, credit sales (a refund the other way round)
    matched line      debit undisbursed cash and fees, credit accounts receivable; a difference stays in suspense
    unknown, double   debit undisbursed cash and fees, credit suspense
    transfer          debit cash, credit undisbursed cash
    reserve           released: debit undisbursed cash, credit reserve; held back: the other way round
    any other line    against suspense until a person decides (chargeback, claim, debt, adjustment ...)

So accounts receivable always equals the open match set, and undisbursed cash what Amazon still holds. Rows are dated by
the day of the event in the account's zone; a line that is only matched on a later day waits in suspense until then.
What an earlier packet has entered stays as it was: a file that came after the packet of its day is entered on the day of
the packet that sees it first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from recon_lib.money import MONEY

if TYPE_CHECKING:
    from recon_lib.audits.pay import PayDay
    from recon_lib.books import Books

RECEIVABLE, SALES, UNDISBURSED = "accounts receivable", "sales", "undisbursed cash"
FEES, RESERVE, CASH, SUSPENSE = "fees", "reserve", "cash", "suspense"
ACCOUNTS = (RECEIVABLE, SALES, UNDISBURSED, FEES, RESERVE, CASH, SUSPENSE)
ACTIVITY_REFERENCE = "fulfilment activity"
_COLUMNS = ["date", "account", "debit", "credit", "currency", "reference"]
_GROUP = ["date", "account", "currency", "reference"]


@dataclass(frozen=True)
class Entered:
    """The journal that an earlier packet published, and the day it spoke for."""

    journal: pl.DataFrame
    until: date


def make_journal(pay: PayDay, books: Books, entered: Entered | None = None) -> pl.DataFrame:
    """Every entry up to the books' day: `date, account, debit, credit, currency, reference`; sums a day, account and settlement.

    `entered`: the journal published for an earlier day. It is kept as it was, and what the files now say otherwise about
    its days (a file that came late) is entered on the books' day.
    """
    entries = _sums(pl.concat([_activity(pay.activity), _lines(pay.lines)]))
    if entered is not None and entered.until < books.as_of:
        published = entered.journal.select(_COLUMNS).cast({"debit": MONEY, "credit": MONEY})
        entries = _kept(entries, published, entered.until, books.as_of)
    return _ordered(entries)


def _entry(rows: pl.DataFrame, day: str, account: str | pl.Expr, amount: pl.Expr, reference: pl.Expr) -> pl.DataFrame:
    name = pl.lit(account) if isinstance(account, str) else account
    return rows.select(
        pl.col(day).alias("date"), name.cast(pl.String).alias("account"), amount.cast(MONEY).alias("amount"), "currency",
        reference.cast(pl.String).alias("reference"),
    )  # fmt: skip


def _activity(activity: pl.DataFrame) -> pl.DataFrame:
    rows, amount, told = activity.filter(pl.col("pile") != "duplicate"), pl.col("amount"), pl.lit(ACTIVITY_REFERENCE)
    return pl.concat([_entry(rows, "day", RECEIVABLE, amount, told), _entry(rows, "day", SALES, -amount, told)])


def _lines(lines: pl.DataFrame) -> pl.DataFrame:
    fee = pl.coalesce("total_fee", pl.col("percentage_fee") + pl.col("fixed_fee"), pl.lit(0, MONEY))
    lines = lines.with_columns(fee.alias("fee")).with_columns(
        pl.coalesce("net_amount", pl.col("amount") + pl.col("fee")).alias("net"),
        pl.col("transaction_type").str.to_lowercase().alias("type"),
        (pl.col("matched_on") == pl.col("posted_on")).fill_null(False).alias("at_once"),
    )
    amount, told = pl.col("amount"), pl.col("settlement_id")
    against = (
        pl.when(pl.col("type").str.contains("transfer"))
        .then(pl.lit(CASH))
        .when(pl.col("type").str.contains("reserve"))
        .then(pl.lit(RESERVE))
        .otherwise(pl.lit(SUSPENSE))
    )
    now, rest = lines.filter("at_once"), lines.filter(~pl.col("at_once"))
    later = rest.filter(pl.col("matched_on").is_not_null())
    return pl.concat([
        _entry(lines, "posted_on", UNDISBURSED, pl.col("net"), told),
        _entry(lines, "posted_on", FEES, -pl.col("fee"), told),
        _entry(lines, "posted_on", SUSPENSE, amount + pl.col("fee") - pl.col("net"), told),  # a row whose net does not add up
        _entry(now, "posted_on", RECEIVABLE, -pl.col("activity_amount"), told),
        _entry(now, "posted_on", SUSPENSE, pl.col("activity_amount") - amount, told),
        _entry(rest, "posted_on", against, -amount, told),
        _entry(later, "matched_on", RECEIVABLE, -pl.col("activity_amount"), told),
        _entry(later, "matched_on", SUSPENSE, pl.col("activity_amount"), told),
    ])  # fmt: skip


def _sums(entries: pl.DataFrame) -> pl.DataFrame:
    """Positive is a debit, negative a credit; both are kept, never netted against each other."""
    zero = pl.lit(0, MONEY)
    debit = pl.when(pl.col("amount") > 0).then("amount").otherwise(zero)
    credit = pl.when(pl.col("amount") < 0).then(-pl.col("amount")).otherwise(zero)
    sums = entries.group_by(_GROUP).agg(
        debit.sum().cast(MONEY).alias("debit"), credit.sum().cast(MONEY).alias("credit")
    )
    return _split(sums)


def _split(sums: pl.DataFrame) -> pl.DataFrame:
    """One row a side: a row is a debit or a credit, never both, never neither."""
    zero = pl.lit(0, MONEY)
    debits = sums.filter(pl.col("debit") > 0).with_columns(zero.alias("credit"))
    credits = sums.filter(pl.col("credit") > 0).with_columns(zero.alias("debit"))
    return pl.concat([debits.select(_COLUMNS), credits.select(_COLUMNS)])


def _kept(entries: pl.DataFrame, published: pl.DataFrame, until: date, seen: date) -> pl.DataFrame:
    old, new = entries.filter(pl.col("date") <= until), entries.filter(pl.col("date") > until)
    signed = pl.col("debit") - pl.col("credit")
    apart = pl.concat([old.with_columns(signed.alias("amount")), published.with_columns((-signed).alias("amount"))])
    moved = apart.group_by("account", "currency", "reference").agg(pl.col("amount").sum()).filter(pl.col("amount") != 0)
    late = moved.with_columns(pl.lit(seen).alias("date"))
    return pl.concat([published, new, _sums(late.select(["date", "account", "amount", "currency", "reference"]))])


def _ordered(entries: pl.DataFrame) -> pl.DataFrame:
    place = pl.col("account").replace_strict(
        list(ACCOUNTS), list(range(len(ACCOUNTS))), default=len(ACCOUNTS), return_dtype=pl.Int32
    )
    return entries.sort("date", "currency", "reference", place, "account", "credit", "debit", nulls_last=True)


def balances(journal: pl.DataFrame) -> pl.DataFrame:
    """`account, currency, balance`: debit − credit over all rows."""
    total = (pl.col("debit").sum() - pl.col("credit").sum()).cast(MONEY).alias("balance")
    return journal.group_by("account", "currency").agg(total).sort("account", "currency")
