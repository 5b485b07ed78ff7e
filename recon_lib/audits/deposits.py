"""Did the money reach the bank? Settlements and Amazon Pay transfers against the credits of the bank statement.

Sign first, then the counterparty pattern, then currency, amount and day; a descriptor alone decides nothing, and wages or
card purchases of the same name are never deposits. A deposit has `bank_days` business days; a credit of the exact amount
pays it (a later one too), or two credits that add up exactly, or one credit that is the sum of two deposits; one whose
transfer failed is given back by a later settlement line. Any other credit is judged only when every deposit it could pay is
paid or out of time: then it is the nearest deposit in another amount, or one that was exchanged on the way (in a currency in
which Amazon sends nothing, or for a currency of which the statements show no line at all), or it is unexplained. A settlement
with a negative total pays nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from recon_lib.audits.evidence import PLACE, fold, occurrence, words
from recon_lib.audits.settled_facts import other_lines
from recon_lib.audits.settlements import settlements
from recon_lib.books import Books
from recon_lib.kept import once

if TYPE_CHECKING:
    from holidays import HolidayBase

# Wages of Amazon's employees and refunds of card purchases: never a payout.
_NOT_PAYOUT = r"(?i)payroll|direct dep|amzn mktp|amazon mktpl"
_DAY = timedelta(days=1)


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


@dataclass(frozen=True)
class Cash:
    """Every deposit with what paid it; credits that nothing explains; how many credits wait and how many were no payouts."""

    deposits: list[Deposit]
    unexplained: list[Credit]
    undecided: int
    not_payouts: int


def cash(books: Books) -> Cash:
    """The tie-out of the bank statement up to the as-of day."""
    return once(books, "cash", _tie)


def bank_tieout(books: Books) -> pl.DataFrame:
    """One row a deposit: what was due, when at the latest, what came, and how it was tied.

    `tied`: exact, two (credits), together (one credit for two deposits: `came` is its part), late, given back (a failed
    transfer), differs, missing or open.
    """
    rows = [
        (d.reference, d.on, d.until, d.currency, d.amount,
         None if any(c.currency != d.currency for c in d.credits) else sum((c.amount for c in d.credits), Decimal(0)),
         max((c.on for c in d.credits), default=None), d.how or ("missing" if books.as_of > d.until else "open"),
         [d.place, *(c.place for c in d.credits)])
        for d in cash(books).deposits
    ]  # fmt: skip
    schema: dict[str, Any] = {"reference_id": pl.String, "deposit_on": pl.Date, "due_until": pl.Date, "currency": pl.String,
              "due": pl.Decimal(38, 4), "came": pl.Decimal(38, 4), "came_on": pl.Date, "tied": pl.String,
              "lines": pl.List(pl.String)}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").sort("deposit_on", "reference_id")


@cache
def _calendar(marketplace: str) -> HolidayBase:
    # Easter Monday is a bank holiday in England, not in the whole kingdom
    country, part = {"UK": ("GB", "ENG")}.get(marketplace, (marketplace, None))
    calendar = _calendar_class(country)
    known = calendar.supported_categories
    return calendar(subdiv=part, categories=tuple(c for c in ("public", "bank") if c in known))


def _calendar_class(country: str) -> type[HolidayBase]:
    """The calendar of one country from its own file: the package beside it would import all 250 countries."""
    import holidays  # slow to import, and needed only where money is due
    from holidays.registry import COUNTRIES

    module, names = next((module, names) for module, names in COUNTRIES.items() if country in names[1:])
    path = Path(holidays.__file__).with_name("countries") / f"{module}.py"
    spec = spec_from_file_location(f"{__name__}.{module}", path)
    assert spec is not None
    assert spec.loader is not None
    alone = module_from_spec(spec)
    spec.loader.exec_module(alone)
    found: type[HolidayBase] = getattr(alone, names[0])
    return found


def last_business_day(marketplace: str, day: date, count: int) -> date:
    """The `count`-th business day after `day`, by the public and bank holidays of the marketplace's country."""
    found = day if count == 0 else _calendar(marketplace).get_nth_working_day(day, count)
    return date(found.year, found.month, found.day)


def _deposits(books: Books) -> list[Deposit]:
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


def _credits(books: Books) -> tuple[list[Credit], int]:
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


def _failed_transfers(books: Books) -> list[tuple[date, Decimal, str]]:
    """Day, amount and currency of the lines that give a failed transfer back, oldest first."""
    told = pl.concat_str([pl.col("type", "what").fill_null("")], separator=" ")
    rows = other_lines(books).filter(told.str.contains("transferoffundsunsuccessful"), pl.col("amount") > 0)
    return rows.drop_nulls("posted_on").select("posted_on", "amount", "currency").sort("posted_on", "amount").rows()


def _tie(books: Books) -> Cash:
    deposits = _deposits(books)
    credits, not_payouts = _credits(books)
    by_currency: dict[str, list[Credit]] = defaultdict(list)
    for credit in credits:
        by_currency[credit.currency].append(credit)

    def free(deposit: Deposit, *, late: bool = False) -> list[Credit]:
        near = (c for c in by_currency[deposit.currency] if not c.used and c.on >= deposit.on - _DAY)
        return [c for c in near if late or c.on <= deposit.until]

    def pay(deposit: Deposit, how: str, *parts: Credit) -> None:
        deposit.how, deposit.credits = how, list(parts)
        for part in parts:
            part.used = True

    def pay_exactly(how: str, late: bool) -> None:
        for deposit in (d for d in deposits if not d.how):  # the earliest credit of the amount, oldest deposit first
            if exact := [c for c in free(deposit, late=late) if c.amount == deposit.amount]:
                pay(deposit, how, exact[0])

    def pay_in_two(late: bool) -> None:
        for deposit in (d for d in deposits if not d.how):  # the first part in time, the second one maybe not
            both = ((a, b) for a, b in product(free(deposit), free(deposit, late=late)) if a is not b)
            if parts := next(((a, b) for a, b in both if a.amount + b.amount == deposit.amount), None):
                pay(deposit, "two", *parts)

    def pay_together() -> None:
        for credit in credits:
            if credit.used:
                continue
            waiting = (d for d in deposits if not d.how and d.currency == credit.currency)
            due = [d for d in waiting if d.on - _DAY <= credit.on <= d.until]  # in time for both
            if both := next(((a, b) for a, b in combinations(due, 2) if a.amount + b.amount == credit.amount), None):
                for deposit in both:  # what each gets of the credit is its own amount
                    pay(deposit, "together", replace(credit, amount=deposit.amount))
                credit.used = True

    for name, late in (("exact", False), ("late", True)):
        pay_exactly(name, late)
        pay_in_two(late)
        if not late:
            pay_together()
    for on, *money in _failed_transfers(books):
        sent = [d for d in deposits if not d.how and d.on <= on and [d.amount, d.currency] == money]
        if sent:
            pay(sent[-1], "given back")
    left = [c for c in credits if not c.used]
    undecided, sent_in = 0, {d.currency for d in deposits}
    kept = set(books.frames["bank"].select(pl.col("currency").unique()).collect()["currency"])

    def is_exchanged(deposit: Deposit, credit: Credit) -> bool:
        """Amazon sends nothing in the credit's currency, or the seller's bank keeps nothing in the deposit's."""
        return deposit.currency != credit.currency and (credit.currency not in sent_in or deposit.currency not in kept)

    for exchanged in (False, True):  # the bank may have changed the money: judged after all credits in the own currency
        odd, left = left, []
        for credit in odd:
            in_time = [d for d in deposits if not d.how and d.on - _DAY <= credit.on <= d.until]
            could = [d for d in in_time if (is_exchanged(d, credit) if exchanged else d.currency == credit.currency)]
            if any(books.as_of <= d.until for d in could):
                undecided += 1
            elif could:
                nearest = min(could, key=lambda d: (0 if exchanged else abs(d.amount - credit.amount), d.on, d.fact))
                pay(nearest, "differs", credit)
            else:
                left.append(credit)
    return Cash(deposits, left, undecided, not_payouts)
