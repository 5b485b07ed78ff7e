"""Ids as they are compared: trimmed (no-break space too), case-folded, as text; and their 64-bit hashes.

A hash only proposes: whoever joins on hashes compares the texts of what was joined (`matching.pair` does).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

_SEED = 7
_MIX = 0x9E3779B97F4A7C15


def normal(column: str | pl.Expr) -> pl.Expr:
    """The id as it is compared; an id of blanks only is null. Leading zeros count, a number never equals its padded form."""
    expr = pl.col(column) if isinstance(column, str) else column
    text = expr.str.strip_chars().str.to_uppercase()
    return pl.when(text != "").then(text)


def key_hash(column: str, within: Sequence[str] = (), *, seed: int = _SEED) -> pl.Expr:
    """64-bit hash of the normal id inside its group `within` (kind, currency); null where there is no id."""
    text = normal(column)
    mixed = text.hash(seed)
    for number, name in enumerate(within):
        mixed = mixed ^ pl.col(name).hash(seed + 1 + number)
    return pl.when(text.is_not_null()).then(mixed)


def group_mix(group: str) -> pl.Expr:
    """A group given as a small number, as 64 bits that no two groups share."""
    return pl.col(group).cast(pl.UInt64) * pl.lit(_MIX, pl.UInt64)


def raw_hash(column: str, mix: str, *, seed: int = _SEED) -> pl.Expr:
    """64-bit hash of an id as it stands, inside a group (`group_mix`); null where there is no id. For normal ids only."""
    return pl.when(pl.col(column) != "").then(pl.col(column).hash(seed) ^ pl.col(mix))


def needs_folding(*columns: str) -> pl.Expr:
    """Whether an id of the row may need trimming or folding: it has a blank, a small letter, a letter beyond ASCII, a brace."""
    return pl.concat_str(columns, ignore_nulls=True).str.contains("[^!-`]")


def no_folding(ids: pl.Series) -> bool:
    """Whether no id `needs_folding`; quicker where the ids are in memory."""
    for piece in ids.get_chunks():
        text = piece.str.join("").cast(pl.Binary).item()
        if text:
            letters = np.frombuffer(text, np.uint8)
            if letters.max() >= ord("a") or letters.min() <= ord(" "):
                return False
    return True
