"""The words of settlements as they are usually spelt: sources differ in case, blanks, hyphens and underscores.

`ITEMPRICE`, `item_price` and `Item Price` are `ItemPrice`. Only the words are told that the sums of orders and refunds rest on;
all other codes are compared folded where they are looked at.
"""

from __future__ import annotations

import re

import polars as pl

_USUAL = {
    "transaction_type": ("Order", "Refund"),
    "amount_type": ("ItemPrice", "ItemFees", "Promotion"),
    "amount_description": (
        "Principal", "Shipping", "GiftWrap", "Commission", "RefundCommission", "FBAPerUnitFulfillmentFee",
        "FBAPerOrderFulfillmentFee", "FBAWeightBasedFee", "FBA transportation fee", "RestockingFee", "ReturnShipping",
    ),
}  # fmt: skip


_APART = re.compile(r"[\s_\-]")
_BY_FOLDED = {  # without a query: a process that has run one can no longer be split into kernels
    column: {_APART.sub("", word).lower(): word for word in words} for column, words in _USUAL.items()
}


def usual_words(lines: pl.DataFrame) -> pl.DataFrame:
    """Settlement lines with the usual spelling of their words; lines that have it already come back as they are."""
    for column, usual in _BY_FOLDED.items():
        seen = lines[column].unique().drop_nulls()
        seen = seen.filter(~seen.is_in(list(usual.values())))
        folded = seen.str.to_lowercase().str.replace_all(_APART.pattern, "")
        known = folded.is_in(list(usual))
        if known.any():
            now = folded.filter(known).replace_strict(usual, return_dtype=pl.String)
            lines = lines.with_columns(pl.col(column).replace(seen.filter(known), now))
    return lines
