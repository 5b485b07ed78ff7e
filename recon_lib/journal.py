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
    entries = _sums(pl.concat([*_activity(pay.activity), *_lines(pay.lines)]))
    if entered is not None and entered.until < books.as_of:
        published = entered.journal.select(_COLUMNS).cast({"debit": MONEY, "credit": MONEY})
        entries = _kept(entries, published, entered.until, books.as_of)
    return _ordered(entries)


@dataclass(frozen=True)
class _Entry:
    """An entry of every row `where` it holds (null: all), on the day in `day`: its account and its amount, which is a
    column of the rows (`-` before it: with the other sign)."""

    day: str
    account: pl.Expr
    amount: str
    where: pl.Expr | None = None


def _entered(rows: pl.DataFrame, key: list[str], entries: list[_Entry]) -> list[pl.DataFrame]:
    """Entries as `date, account, currency, reference, debit, credit`; the rows, maybe millions, are summed by `key` first."""
    amounts = sorted({entry.amount.removeprefix("-") for entry in entries})
    zero = pl.lit(0, MONEY)
    sums = rows.group_by(key).agg(
        pl.col(name).filter(of).sum().cast(MONEY).fill_null(zero).alias(f"{sign} {name}")
        for name in amounts
        for sign, of in (("+", pl.col(name) > 0), ("-", pl.col(name) < 0))
    )
    made = []
    for entry in entries:
        name, turned = entry.amount.removeprefix("-"), entry.amount.startswith("-")
        debit, credit = pl.col(f"+ {name}"), -pl.col(f"- {name}")
        made.append(
            (sums if entry.where is None else sums.filter(entry.where)).select(
                pl.col(entry.day).alias("date"), entry.account.cast(pl.String).alias("account"), "currency", "reference",
                (credit if turned else debit).cast(MONEY).alias("debit"),
                (debit if turned else credit).cast(MONEY).alias("credit"),
            )
        )  # fmt: skip
    return made


def _activity(activity: pl.DataFrame) -> list[pl.DataFrame]:
    rows = activity.lazy().filter(pl.col("pile") != "duplicate").select("day", "currency", "amount").collect()
    rows = rows.with_columns(pl.lit(ACTIVITY_REFERENCE).alias("reference"))
    entries = [_Entry("day", pl.lit(RECEIVABLE), "amount"), _Entry("day", pl.lit(SALES), "-amount")]
    return _entered(rows, ["day", "currency", "reference"], entries)


def _lines(lines: pl.DataFrame) -> list[pl.DataFrame]:
    fee = pl.coalesce("total_fee", pl.col("percentage_fee") + pl.col("fixed_fee"), pl.lit(0, MONEY))
    amount, matched = pl.col("amount"), pl.col("activity_amount")
    rows = lines.select(
        "posted_on", "matched_on", "currency", pl.col("settlement_id").alias("reference"), "transaction_type",
        "amount", fee.alias("fee"), pl.coalesce("net_amount", amount + fee).alias("net"),
        matched.alias("matched"), (matched - amount).alias("difference"),
    ).with_columns((amount + pl.col("fee") - pl.col("net")).alias("apart"))  # fmt: skip
    kind = pl.col("transaction_type").str.to_lowercase()
    against = (
        pl.when(kind.str.contains("transfer"))
        .then(pl.lit(CASH))
        .when(kind.str.contains("reserve"))
        .then(pl.lit(RESERVE))
        .otherwise(pl.lit(SUSPENSE))
    )
    at_once = (pl.col("matched_on") == pl.col("posted_on")).fill_null(False)
    later = ~at_once & pl.col("matched_on").is_not_null()
    entries = [
        _Entry("posted_on", pl.lit(UNDISBURSED), "net"),
        _Entry("posted_on", pl.lit(FEES), "-fee"),
        _Entry("posted_on", pl.lit(SUSPENSE), "apart"),  # a row whose net does not add up
        _Entry("posted_on", pl.lit(RECEIVABLE), "-matched", at_once),
        _Entry("posted_on", pl.lit(SUSPENSE), "difference", at_once),
        _Entry("posted_on", against, "-amount", ~at_once),
        _Entry("matched_on", pl.lit(RECEIVABLE), "-matched", later),
        _Entry("matched_on", pl.lit(SUSPENSE), "matched", later),
    ]
    return _entered(rows, ["posted_on", "matched_on", "currency", "reference", "transaction_type"], entries)


def _sums(entries: pl.DataFrame) -> pl.DataFrame:
    """Positive is a debit, negative a credit; both are kept, never netted against each other."""
    return _split(entries.group_by(_GROUP).agg(pl.col("debit").sum().cast(MONEY), pl.col("credit").sum().cast(MONEY)))


def _split(sums: pl.DataFrame) -> pl.DataFrame:
    """One row a side: a row is a debit or a credit, never both, never neither."""
    zero = pl.lit(0, MONEY)
    debits = sums.filter(pl.col("debit") > 0).with_columns(zero.alias("credit"))
    credits = sums.filter(pl.col("credit") > 0).with_columns(zero.alias("debit"))
    return pl.concat([debits.select(_COLUMNS), credits.select(_COLUMNS)])


def _kept(entries: pl.DataFrame, published: pl.DataFrame, until: date, seen: date) -> pl.DataFrame:
    """What was published, the entries since, and on the day `seen` what the files now enter otherwise for the days `until`.

    Each side by itself, as a clerk enters what came late; what was published and is no longer true is turned round.
    """
    old, new = entries.filter(pl.col("date") <= until), entries.filter(pl.col("date") > until)
    sides = pl.col("debit", "credit")
    apart = pl.concat([old.select(_COLUMNS), published.select(_COLUMNS).with_columns(-sides)])
    moved = apart.group_by("account", "currency", "reference").agg(sides.sum().cast(MONEY))
    zero = pl.lit(0, MONEY)
    # both sides above what is true: an entry and its turning round, published before
    again = pl.min_horizontal(pl.max_horizontal("debit", "credit"), zero)
    debit, credit = pl.col("debit") - again, pl.col("credit") - again
    late = moved.with_columns(debit.cast(MONEY), credit.cast(MONEY)).with_columns(
        (pl.max_horizontal("debit", zero) + pl.max_horizontal(-pl.col("credit"), zero)).cast(MONEY).alias("debit"),
        (pl.max_horizontal("credit", zero) + pl.max_horizontal(-pl.col("debit"), zero)).cast(MONEY).alias("credit"),
        pl.lit(seen).alias("date"),
    )
    return pl.concat([published, new, _split(late)])


def _ordered(entries: pl.DataFrame) -> pl.DataFrame:
    place = pl.col("account").replace_strict(
        list(ACCOUNTS), list(range(len(ACCOUNTS))), default=len(ACCOUNTS), return_dtype=pl.Int32
    )
    return entries.sort("date", "currency", "reference", place, "account", "credit", "debit", nulls_last=True)
