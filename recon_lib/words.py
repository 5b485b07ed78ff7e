"""Words and amounts as HTML text for people, escaped. No frame, so that it costs nothing to import."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from decimal import Decimal
from html import escape

from recon_lib.cents import minor_digits, round_money

_ODD = re.compile(r"[^ -\x7f\n\t]")


def text(value: object) -> str:
    """`value` as HTML text: markup escaped, control and direction marks made visible (they could reorder a line)."""
    return _ODD.sub(_visible, escape(str(value), quote=True))


def _visible(found: re.Match[str]) -> str:
    char = found[0]
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in ("Cc", "Cf", "Cs") else char


def money(amount: Decimal | None, currency: str | None) -> str:
    """`1,234.50 USD`; empty for unknown. A minus sign, never brackets."""
    if amount is None:
        return ""
    shown = f"{round_money(amount, currency):,.{minor_digits(currency)}f}".replace("-", "\N{MINUS SIGN}")
    return f"{shown} {currency}" if currency else shown


def monies(amounts: Mapping[str, Decimal], *, none: str = "nothing", first: str = "") -> str:
    """Several currencies in one line, the currency `first` before the others: `1,234.50 USD + 20.00 CAD`."""
    ordered = sorted(amounts, key=lambda currency: (currency != first, currency))
    return " + ".join(money(amounts[currency], currency) for currency in ordered) or none


def claimable(owed: Mapping[str, Decimal], unvalued: int) -> str:
    """What is claimable, where `unvalued` findings have no known value: `5.00 USD + 2 unknown`, `2 unknown`, `nothing`."""
    told = [monies(owed)] if owed or not unvalued else []
    return " + ".join([*told, *([f"{unvalued:,} unknown"] if unvalued else [])])


def number(value: int | Decimal | float) -> str:
    """A plain number with thousands marks."""
    return (
        f"{value:,.1f}".replace("-", "\N{MINUS SIGN}")
        if isinstance(value, float)
        else f"{value:,}".replace("-", "\N{MINUS SIGN}")
    )


def count(n: int, one: str, many: str = "") -> str:
    """`1 finding`, `2 findings`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def head(*titles: str, right: Collection[str] = ()) -> str:
    """The head of a table made by hand; those named in `right` stand over numbers."""
    cells = "".join(
        f'<th scope="col" class="{"money" if name in right else "text"}">{text(name)}</th>' for name in titles
    )
    return f"<thead><tr>{cells}</tr></thead>"
