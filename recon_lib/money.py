"""One money dtype, one sign convention, minor digits of each currency.

Sign: positive money comes to the seller, negative money leaves the seller. In findings `owed` is positive
when Amazon owes the seller. Money is `Decimal` from the file to the page; floats live only inside charts.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

import polars as pl

MONEY = pl.Decimal(38, 4)
RATE = pl.Decimal(38, 8)
_WIDE = Context(prec=60)  # the default of 28 digits is less than MONEY can hold
ZERO = Decimal("0.0000")

# ISO 4217 minor digits where they are not 2 (among the currencies of Amazon's marketplaces).
_MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "HUF": 2, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3}


def minor_digits(currency: str | None) -> int:
    """Digits after the decimal mark of `currency` (2 where unknown)."""
    return _MINOR_DIGITS.get((currency or "").upper(), 2)


def round_money(amount: Decimal, currency: str | None) -> Decimal:
    """`amount` rounded half up (away from zero) to the minor unit of `currency`."""
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), rounding=ROUND_HALF_UP, context=_WIDE)


def money_text(amount: Decimal | None, currency: str | None) -> str:
    """`amount` with exactly the minor digits of `currency`, as in the output files; empty for unknown."""
    return "" if amount is None else format(round_money(amount, currency), "f")


def money_text_expr(amount: str, currency: str = "currency") -> pl.Expr:
    """The same as an expression over two columns; text, null where the amount is null."""
    value = pl.col(amount)

    def text(digits: int) -> pl.Expr:
        return value.round(digits, mode="half_away_from_zero").cast(pl.Decimal(38, digits)).cast(pl.String)

    def of_digits(digits: int) -> pl.Expr:
        return pl.col(currency).is_in([code for code, n in _MINOR_DIGITS.items() if n == digits])

    return pl.when(of_digits(0)).then(text(0)).when(of_digits(3)).then(text(3)).otherwise(text(2)).alias(amount)


def round_money_expr(amount: pl.Expr, currency: str = "currency") -> pl.Expr:
    """`amount` rounded half up to the minor unit of the currency column; stays MONEY."""
    zero = pl.col(currency).is_in([c for c, n in _MINOR_DIGITS.items() if n == 0])
    three = pl.col(currency).is_in([c for c, n in _MINOR_DIGITS.items() if n == 3])
    return (
        pl.when(zero)
        .then(amount.round(0, mode="half_away_from_zero").cast(MONEY))
        .when(three)
        .then(amount.round(3, mode="half_away_from_zero").cast(MONEY))
        .otherwise(amount.round(2, mode="half_away_from_zero").cast(MONEY))
    )
