"""The journal as plain text for beancount (https://beancount.github.io), which refuses whatever does not balance.

A day, currency and reference (settlement, or fulfilment activity) is one transaction.
"""

from __future__ import annotations

import polars as pl

from recon_lib.journal import CASH, FEES, RECEIVABLE, RESERVE, SALES, SUSPENSE, UNDISBURSED
from recon_lib.money import money_text

NAMES = {
    RECEIVABLE: "Assets:AmazonPay:Receivable",
    SALES: "Income:AmazonPay:Sales",
    UNDISBURSED: "Assets:AmazonPay:Undisbursed",
    FEES: "Expenses:AmazonPay:Fees",
    RESERVE: "Assets:AmazonPay:Reserve",
    CASH: "Assets:Bank",
    SUSPENSE: "Equity:AmazonPay:Suspense",
}


def beancount(journal: pl.DataFrame) -> str:
    """The rows of `journal.make_journal` as a beancount file: debits positive, credits negative; empty for no rows."""
    used = journal.group_by("account").agg(pl.col("date").min()).sort("date", "account")
    lines = [f"{day} open {NAMES[account]}" for account, day in used.select("account", "date").rows()]
    moved = journal.with_columns((pl.col("debit") - pl.col("credit")).alias("amount"))
    for (day, currency, reference), rows in moved.group_by("date", "currency", "reference", maintain_order=True):
        lines += ["", f'{day} * "Amazon Pay" "{_quoted(str(reference))}"']
        for account, amount in rows.select("account", "amount").rows():
            lines.append(f"  {NAMES[account]:<30} {money_text(amount, str(currency)):>14} {currency}")
    return "".join(line + "\n" for line in lines)


def _quoted(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).replace("\\", "\\\\").replace('"', '\\"')
