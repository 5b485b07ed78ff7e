"""The two sides of the bank statement's tie-out: what Amazon says it sent, and the credits of the counterparty."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from recon_lib.audits.business_days import last_business_day
from recon_lib.audits.evidence import PLACE, fold, occurrence, words
from recon_lib.audits.settled_facts import other_lines
from recon_lib.audits.settlements import settlements
from recon_lib.books import Books

# Wages of Amazon's employees and refunds of card purchases: never a payout.
_NOT_PAYOUT = r"(?i)payroll|direct dep|amzn mktp|amazon mktpl"


@dataclass(slots=True)
class Deposit:
    """Money that Amazon says it sent: a positive settlement or an Amazon Pay transfer. `credits` are bank rows that pay it."""

    fact: str
    reference: str
    on: date
    until: date
    amount: Decimal
    currency: str
    place: str
    reserves: list[Decimal]
    credits: list[Credit]
    how: str = ""


@dataclass(slots=True)
class Credit:
    """A bank credit of the counterparty."""

    fact: str
    reference: str | None
    on: date
    amount: Decimal
    currency: str
    place: str
    used: bool = False


def deposits_of(books: Books) -> list[Deposit]:
    """Every positive settlement and every Amazon Pay transfer up to the as-of day, the oldest first."""
    account = books.account
    heads = settlements(books).filter(pl.col("total_amount") > 0).with_columns(on=pl.coalesce("deposit_on", "end_on"))
    heads = heads.filter(pl.col("on") <= books.as_of)
    found = [
        (f"settlement|{r['settlement_id']}", r["settlement_id"], r["on"], r["total_amount"], r["currency"], r["place"],
         [v for v in (r["previous"], r["current"]) if v])
        for r in heads.iter_rows(named=True)
    ]  # fmt: skip
    pay = books.frames["pay_lines"].with_columns(PLACE.alias("place"), fold("transaction_type").alias("type"))
    pay = pay.filter(pl.col("type").is_in(["transfer", "reserve"])).select(
        "settlement_id", "posted_on", "amount", "currency", "place", "type", "file", "line"
    )  # fmt: skip
    rows = pay.collect()
    reserves: dict[str, list[Decimal]] = defaultdict(list)
    for number, amount in rows.filter(pl.col("type") == "reserve").select("settlement_id", "amount").iter_rows():
        reserves[number].append(amount)
    key = ["settlement_id", "posted_on", "currency", "amount"]
    sent = rows.filter(pl.col("type") == "transfer", pl.col("amount") < 0, pl.col("posted_on") <= books.as_of)
    sent = (
        sent.sort(*key, "file", "line")
        .with_columns(occurrence(key))
        .with_columns(words(*key, "occurrence").alias("fact"))
    )
    found += [
        (f"transfer|{r['fact']}", r["settlement_id"], r["posted_on"], -r["amount"], r["currency"], r["place"],
         reserves[r["settlement_id"]])
        for r in sent.iter_rows(named=True)
    ]  # fmt: skip
    made = [
        Deposit(
            fact,
            ref,
            on,
            last_business_day(account.marketplace, on, account.bank_days),
            amount,
            currency,
            place,
            held,
            [],
        )
        for fact, ref, on, amount, currency, place, held in found
    ]
    return sorted(made, key=lambda d: (d.on, d.currency, d.amount, d.fact))


def credits_of(books: Books) -> tuple[list[Credit], int]:
    """The counterparty's credits, each once: a line told by two files of the same statement is one line."""
    text = pl.concat_str([pl.col("description").fill_null(""), pl.lit(" "), pl.col("reference").fill_null("")])
    rows = (
        books.frames["bank"]
        .filter(pl.col("amount") > 0)
        .with_columns(text.alias("text"), PLACE.alias("place"))
        .collect()
    )
    rows = rows.filter(pl.col("text").str.contains(f"(?i){books.account.bank_pattern}"))
    ours = rows.filter(~pl.col("text").str.contains(_NOT_PAYOUT))
    same = ["booked_on", "currency", "amount"]
    ours = ours.sort(*same, "reference", "file", "line", nulls_last=True)
    named = ours.filter(pl.col("reference").is_not_null()).unique(
        [*same, "reference"], keep="first", maintain_order=True
    )
    # without a reference: as many as the fullest file shows, of which the named ones are part
    by_file = ours.with_columns(pl.col("reference").fill_null(pl.concat_str(pl.lit("\n"), "line")))
    most = (
        by_file.group_by(*same, "file")
        .agg(pl.col("reference").n_unique().alias("n"))
        .group_by(same)
        .agg(pl.col("n").max())
    )
    known = named.group_by(same).agg(pl.len().alias("named"))
    nameless = ours.filter(pl.col("reference").is_null()).join(most, on=same).join(known, on=same, how="left")
    wanted = pl.col("n").cast(pl.Int64) - pl.col("named").fill_null(0).cast(pl.Int64)
    nameless = nameless.sort(*same, "file", "line").filter(pl.int_range(pl.len()).over(same) < wanted)
    key = [*same, "reference"]
    kept = pl.concat([named, nameless.select(named.columns)]).sort(*key, "place", nulls_last=True)
    kept = kept.with_columns(occurrence(key)).with_columns(words(*key, "occurrence").alias("fact"))
    made = kept.select("fact", "reference", "booked_on", "amount", "currency", "place").rows()
    return [Credit(*row) for row in made], rows.height - ours.height


def failed_transfers(books: Books) -> list[tuple[date, Decimal, str]]:
    """Day, amount and currency of the lines that give a failed transfer back, oldest first."""
    told = pl.concat_str([pl.col("type", "what").fill_null("")], separator=" ")
    rows = other_lines(books).filter(told.str.contains("transferoffundsunsuccessful"), pl.col("amount") > 0)
    return rows.drop_nulls("posted_on").select("posted_on", "amount", "currency").sort("posted_on", "amount").rows()
