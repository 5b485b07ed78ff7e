"""Ids as they are compared: trimmed (no-break space too), case-folded, as text; and their 64-bit hashes.

A hash only proposes: whoever joins on hashes compares the texts of what was joined (`matching.pair` does).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

_SEED = 7
_MIX = 0x9E3779B97F4A7C15


def normal(column: str | pl.Expr) -> pl.Expr:
    """The id as it is compared; an id of blanks only is null. Leading zeros count, a number never equals its padded form."""
    expr = pl.col(column) if isinstance(column, str) else column
    text = expr.str.strip_chars().str.to_uppercase()
    return pl.when(text != "").then(text)


def key_hash(column: str, within: Sequence[str] = (), *, seed: int = _SEED, plain: bool = False) -> pl.Expr:
    """64-bit hash of the normal id inside its group `within` (kind, currency); null where there is no id.

    `plain`: every id is known to stand as it is compared (`folding.needs_no_folding`).
    """
    text = pl.col(column) if plain else normal(column)
    mixed = text.hash(seed)
    for number, name in enumerate(within):
        mixed = mixed ^ pl.col(name).hash(seed + 1 + number)
    return pl.when(text != "").then(mixed)


def group_mix(group: str) -> pl.Expr:
    """A group given as a small number, as 64 bits that no two groups share."""
    return pl.col(group).cast(pl.UInt64) * pl.lit(_MIX, pl.UInt64)


def raw_hash(column: str, mix: str, *, seed: int = _SEED) -> pl.Expr:
    """64-bit hash of an id as it stands, inside a group (`group_mix`); 0 where there is no id. For normal ids only."""
    return pl.when(pl.col(column) != "").then(pl.col(column).hash(seed) ^ pl.col(mix)).otherwise(pl.lit(0, pl.UInt64))
