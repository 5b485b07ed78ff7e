"""An amount in a bank's own CSV: with its currency, thousands marks, and its sign before, behind, as brackets or as a word."""

from __future__ import annotations

import re
from decimal import Decimal

from recon_lib.reports.bank_common import BadEntry, exact

# The currencies that write their amounts with a sign; one with letters before it is of one currency alone.
_SIGNS = {
    "€": ("EUR",), "£": ("GBP", "EGP"), "E£": ("EGP",), "₹": ("INR",), "¥": ("JPY", "CNY"), "JP¥": ("JPY",), "CN¥": ("CNY",),
    "$": ("USD", "CAD", "MXN", "AUD", "BRL", "SGD", "NZD", "HKD", "TWD", "ARS", "CLP", "COP"),
    "US$": ("USD",), "CA$": ("CAD",), "C$": ("CAD",), "MX$": ("MXN",), "A$": ("AUD",), "AU$": ("AUD",), "R$": ("BRL",),
    "S$": ("SGD",), "NZ$": ("NZD",), "HK$": ("HKD",), "NT$": ("TWD",),
}  # fmt: skip
_COIN = r"[A-Z]{3}|[A-Z]{0,2}[$€£¥₹]|"
_AMOUNT = re.compile(
    rf"\(?(?P<sign>[+-]?)(?P<before>{_COIN})(?P<inner>[+-]?)(?P<digits>[0-9.,'’]*)(?P<trailing>-?)(?P<behind>{_COIN})"
    r"\)?(?:(?P<way>(?i:CR|DR))\.?)?"
)


def read_amount(written: str, decimal: str, currency: str, column: str) -> Decimal:
    """As banks write amounts: a currency before or behind, the minus before, behind, as brackets or as `DR` (`CR` is none),
    thousands marks only in whole groups (`1.234,50` yes, `1.23,50` no). Raises BadEntry."""
    plain = re.sub(r"[\s\u200b]+", "", written.replace("\u2212", "-"))
    shape = _AMOUNT.fullmatch(plain)
    if not plain or shape is None:
        raise BadEntry(column, written, "no amount")
    named = [word for word in (shape["before"], shape["behind"]) if word]
    if named := [word for word in named if currency not in _SIGNS.get(word, (word,))]:
        raise BadEntry(column, written, f"names {named[0]} where the row is in {currency}")
    way = (shape["way"] or "").upper()
    signs = shape["sign"] + shape["inner"] + shape["trailing"] + ("-" if way == "DR" else "+" if way else "")
    if plain.count("(") != plain.count(")") or len(signs) + plain.count("(") > 1:
        raise BadEntry(column, written, "no amount")
    whole, mark, rest = shape["digits"].partition(decimal)
    thousands = re.escape("." if decimal == "," else ",")
    grouped = rf"[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+|[0-9]{{1,3}}(?:['’][0-9]{{3}})+"
    if re.fullmatch(rf"{grouped}|[0-9]{{1,2}}(?:,[0-9]{{2}})+,[0-9]{{3}}", whole):
        whole = re.sub(r"[^0-9]", "", whole)
    return exact(("-" if "-" in signs or "(" in plain else "") + whole + mark + rest, decimal, currency, column)
