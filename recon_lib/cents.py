"""Minor digits of each currency, and one amount rounded to them. No frame, so that it costs nothing to import."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

_WIDE = Context(prec=60)  # the default of 28 digits is less than a money column can hold

# ISO 4217 minor digits where they are not 2 (among the currencies of Amazon's marketplaces).
MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "HUF": 2, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3}


def minor_digits(currency: str | None) -> int:
    """Digits after the decimal mark of `currency` (2 where unknown)."""
    return MINOR_DIGITS.get((currency or "").upper(), 2)


def round_money(amount: Decimal, currency: str | None) -> Decimal:
    """`amount` rounded half up (away from zero) to the minor unit of `currency`."""
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), rounding=ROUND_HALF_UP, context=_WIDE)


def money_text(amount: Decimal | None, currency: str | None) -> str:
    """`amount` with exactly the minor digits of `currency`, as in the output files; empty for unknown."""
    return "" if amount is None else format(round_money(amount, currency), "f")
