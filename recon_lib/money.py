"""One money dtype, one sign convention, minor digits of each currency.

Sign: positive money comes to the seller, negative money leaves the seller. In findings `owed` is positive
when Amazon owes the seller. Money is `Decimal` from the file to the page; floats live only inside charts.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import polars as pl

from recon_lib.cents import MINOR_DIGITS, minor_digits, money_text, round_money

MONEY = pl.Decimal(38, 4)
RATE = pl.Decimal(38, 8)


def money_text_expr(amount: str) -> pl.Expr:
    """`cents.money_text` over the column and its `currency`; null where the amount is null."""

    def text(digits: int) -> pl.Expr:
        return pl.col(amount).round(digits, mode="half_away_from_zero").cast(pl.Decimal(38, digits)).cast(pl.String)

    return _by_digits("currency", text).alias(amount)


def exact_text_expr(amount: pl.Expr) -> pl.Expr:
    """`amount` in words that must add up, never rounded: two digits, more only where they tell something (`12.19`, `12.195`);
    none where the currency has no smaller coin (`1200` yen)."""
    text = amount.cast(MONEY).cast(pl.String).str.replace(r"^(-?\d+\.\d\d\d*?)0+$", "${1}")
    return pl.when(_has_digits("currency", 0)).then(text.str.replace(r"\.0+$", "")).otherwise(text)


def round_money_expr(amount: pl.Expr, currency: str = "currency") -> pl.Expr:
    """`amount` rounded half up to the minor unit of the currency column; stays MONEY."""
    return _by_digits(currency, lambda digits: amount.round(digits, mode="half_away_from_zero").cast(MONEY))


def sums(rows: pl.DataFrame, amount: str) -> dict[str, Decimal]:
    """The known amounts by `currency`, sorted; what has no amount or no currency is in none of them."""
    known = rows.drop_nulls([amount, "currency"])
    return dict(known.group_by("currency").agg(pl.col(amount).sum()).sort("currency").iter_rows())


def _has_digits(currency: str, digits: int) -> pl.Expr:
    """Has the currency so many minor digits? For none and three; all that is not listed has two."""
    return pl.col(currency).is_in([code for code, n in MINOR_DIGITS.items() if n == digits])


def _by_digits(currency: str, made: Callable[[int], pl.Expr]) -> pl.Expr:
    """What `made` gives for the minor digits of the currency column."""
    none, three = _has_digits(currency, 0), _has_digits(currency, 3)
    return pl.when(none).then(made(0)).when(three).then(made(3)).otherwise(made(2))


__all__ = [
    "MONEY",
    "RATE",
    "minor_digits",
    "money_text",
    "money_text_expr",
    "round_money",
    "round_money_expr",
    "sums",
]
