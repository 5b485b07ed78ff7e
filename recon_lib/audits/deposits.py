"""Did the money reach the bank? Settlements and Amazon Pay transfers against the credits of the bank statement.

Sign first, then the counterparty pattern, then currency, amount and day; a descriptor alone decides nothing, and wages or
card purchases of the same name are never deposits. A deposit has `bank_days` business days; a credit of the exact amount
pays it (a later one too), or two credits that add up exactly, or one credit that is the sum of two deposits; one whose
transfer failed is given back by a later settlement line. Any other credit is judged only when every deposit it could pay is
paid or out of time: then it is the deposit nearest to it in amount (the nearest two of all go first), or one that was
exchanged on the way (in a currency in which Amazon sends nothing, or for a currency of which the statements show no line at
all), or it is unexplained. A settlement with a negative total pays nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import combinations, product
from typing import Any

import polars as pl

from recon_lib.audits.cash_sides import Credit, Deposit, credits_of, deposits_of, failed_transfers
from recon_lib.books import Books
from recon_lib.kept import once

_DAY = timedelta(days=1)


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


def _tie(books: Books) -> Cash:
    deposits = deposits_of(books)
    credits, not_payouts = credits_of(books)
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
    for on, *money in failed_transfers(books):
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
        odd, left, fits = left, [], []
        for number, credit in enumerate(odd):
            in_time = [d for d in deposits if not d.how and d.on - _DAY <= credit.on <= d.until]
            could = [d for d in in_time if (is_exchanged(d, credit) if exchanged else d.currency == credit.currency)]
            if any(books.as_of <= d.until for d in could):
                undecided += 1
                continue
            left.append(credit)
            fits += [(0 if exchanged else abs(d.amount - credit.amount), number, d.on, d.fact, d) for d in could]
        for _, number, *_, deposit in sorted(fits, key=lambda fit: fit[:4]):  # what is nearest in amount goes first
            if not deposit.how and not odd[number].used:
                pay(deposit, "differs", odd[number])
        left = [credit for credit in left if not credit.used]
    return Cash(deposits, left, undecided, not_payouts)
