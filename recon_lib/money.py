"""One money dtype, one sign convention, minor digits of each currency.

Sign: positive money comes to the seller, negative money leaves the seller. In findings `owed` is positive
when Amazon owes the seller. Money is `Decimal` from the file to the page; floats live only inside charts.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from recon_lib.cents import MINOR_DIGITS, minor_digits, money_text, round_money

MONEY = pl.Decimal(38, 4)
RATE = pl.Decimal(38, 8)
ZERO = Decimal("0.0000")


def money_text_expr(amount: str, currency: str = "currency") -> pl.Expr:
    """The same as an expression over two columns; text, null where the amount is null."""
    value = pl.col(amount)

    def text(digits: int) -> pl.Expr:
        return value.round(digits, mode="half_away_from_zero").cast(pl.Decimal(38, digits)).cast(pl.String)

    def of_digits(digits: int) -> pl.Expr:
        return pl.col(currency).is_in([code for code, n in MINOR_DIGITS.items() if n == digits])

    return pl.when(of_digits(0)).then(text(0)).when(of_digits(3)).then(text(3)).otherwise(text(2)).alias(amount)


def exact_text_expr(amount: pl.Expr, currency: str = "currency") -> pl.Expr:
    """`amount` in words that must add up, never rounded: two digits, more only where they tell something (`12.19`, `12.195`);
    none where the currency has no smaller coin (`1200` yen)."""
    text = amount.cast(MONEY).cast(pl.String).str.replace(r"^(-?\d+\.\d\d\d*?)0+$", "${1}")
    whole = pl.col(currency).is_in([code for code, digits in MINOR_DIGITS.items() if digits == 0])
    return pl.when(whole).then(text.str.replace(r"\.0+$", "")).otherwise(text)


def round_money_expr(amount: pl.Expr, currency: str = "currency") -> pl.Expr:
    """`amount` rounded half up to the minor unit of the currency column; stays MONEY."""
    zero = pl.col(currency).is_in([c for c, n in MINOR_DIGITS.items() if n == 0])
    three = pl.col(currency).is_in([c for c, n in MINOR_DIGITS.items() if n == 3])
    return (
        pl.when(zero)
        .then(amount.round(0, mode="half_away_from_zero").cast(MONEY))
        .when(three)
        .then(amount.round(3, mode="half_away_from_zero").cast(MONEY))
        .otherwise(amount.round(2, mode="half_away_from_zero").cast(MONEY))
    )


__all__ = [
    "MONEY",
    "RATE",
    "ZERO",
    "minor_digits",
    "money_text",
    "money_text_expr",
    "round_money",
    "round_money_expr",
]
