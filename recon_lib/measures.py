"""Units of length, weight and volume: exact conversion as expressions, and what a parcel measures in a card's units.

Every factor is exact (an inch is 2.54 cm, a pound 453.59237 g). Converted figures keep eight digits after the mark.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

import polars as pl

from recon_lib.money import RATE

_CENTIMETRES = {"cm": "1", "mm": "0.1", "m": "100", "in": "2.54", "ft": "30.48"}
_GRAMS = {"g": "1", "kg": "1000", "mg": "0.001", "oz": "28.349523125", "lb": "453.59237"}
_CUBIC_CENTIMETRES = {
    "cubic cm": "1",
    "cubic m": "1000000",
    "cubic in": "16.387064",
    "cubic ft": "28316.846592",
    "l": "1000",
}

# Twelve digits hold every factor exactly.
_FACTOR = pl.Decimal(38, 12)

# As reports and sellers write them (any case, with or without a final s or full stop).
_WORDS = {
    **dict.fromkeys(("cm", "centimeter", "centimetre", "zentimeter"), "cm"),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), "mm"),
    **dict.fromkeys(("m", "meter", "metre"), "m"),
    **dict.fromkeys(("in", "inch", "inche", '"', "zoll"), "in"),
    **dict.fromkeys(("ft", "foot", "feet"), "ft"),
    **dict.fromkeys(("g", "gr", "gram", "gramm", "gramme"), "g"),
    **dict.fromkeys(("kg", "kilogram", "kilogramm", "kilogramme", "kilo"), "kg"),
    **dict.fromkeys(("mg", "milligram"), "mg"),
    **dict.fromkeys(("oz", "ounce", "unze", "unzen"), "oz"),
    **dict.fromkeys(("lb", "pound", "pfund"), "lb"),
    **dict.fromkeys(
        ("cubic foot", "cubic feet", "cubic ft", "cu ft", "ft3", "ft^3", "cubic_feet", "cubic_foot"), "cubic ft"
    ),
    **dict.fromkeys(("cubic inch", "cubic inche", "cubic in", "in3", "in^3", "cubic_inche", "cubic_inch"), "cubic in"),
    **dict.fromkeys(
        ("cubic centimeter", "cubic centimetre", "cubic cm", "cm3", "cm^3", "cubic_centimeter"), "cubic cm"
    ),
    **dict.fromkeys(("cubic meter", "cubic metre", "cubic m", "m3", "m^3", "cubic_meter"), "cubic m"),
    **dict.fromkeys(("l", "liter", "litre"), "l"),
}


@lru_cache(maxsize=1024)
def exact(number: str | int | Decimal) -> pl.Expr:
    """A literal of exactly that number."""
    return pl.lit(Decimal(number)).cast(RATE)


def unit_code(unit: str) -> pl.Expr:
    """The unit in column `unit` in short (cm, in, g, kg, oz, lb, cubic ft ...); null where it is unknown or missing."""
    word = pl.col(unit).str.strip_chars(" .\u00a0").str.to_lowercase().str.replace(r"(.[^s])s$", "$1")
    return word.replace_strict(_WORDS, default=None, return_dtype=pl.String)


def _code(unit: str | pl.Expr) -> pl.Expr:
    """Of a column of units as written, by its name; an expression is a column of `unit_code` already, made once for several."""
    return unit_code(unit) if isinstance(unit, str) else unit


def _converted(value: pl.Expr, unit: str | pl.Expr, into: str, factors: dict[str, str], power: int = 1) -> pl.Expr:
    code = _code(unit)
    down = pl.lit(Decimal(factors[into]) ** power).cast(_FACTOR)
    out: Any = pl.when(code == into).then(value.cast(_FACTOR))
    for other, factor in factors.items():
        if other != into:
            out = out.when(code == other).then(value * pl.lit(Decimal(factor) ** power).cast(_FACTOR) / down)
    return cast(pl.Expr, out.otherwise(None).cast(RATE))


def length(value: pl.Expr, unit: str | pl.Expr, into: str) -> pl.Expr:
    """`value`, written in the unit of column `unit`, in `into` (cm, mm, m, in, ft); null for an unknown unit."""
    return _converted(value, unit, into, _CENTIMETRES)


def cube(value: pl.Expr, unit: str | pl.Expr, into: str) -> pl.Expr:
    """A product of three lengths in the unit of column `unit`, in cubic `into`: one division, so nothing is rounded twice."""
    return _converted(value, unit, into, _CENTIMETRES, power=3)


def own_length(number: int, of: str, unit: str | pl.Expr) -> pl.Expr:
    """A length of `number` `of` units, told in the unit of column `unit` (2 inches: 5.08 where it says cm)."""
    code = _code(unit)
    out: Any = pl.when(pl.lit(False)).then(exact(0))
    for other, factor in _CENTIMETRES.items():
        out = out.when(code == other).then(exact(Decimal(number) * Decimal(_CENTIMETRES[of]) / Decimal(factor)))
    return cast(pl.Expr, out.otherwise(None))


def weight(value: pl.Expr, unit: str | pl.Expr, into: str) -> pl.Expr:
    """`value`, written in the unit of column `unit`, in `into` (g, kg, mg, oz, lb); null for an unknown unit."""
    return _converted(value, unit, into, _GRAMS)


def volume(value: pl.Expr, unit: str | pl.Expr, into: str) -> pl.Expr:
    """`value`, written in the unit of column `unit`, in `into` (cubic ft, cubic m, ...); null for an unknown unit."""
    return _converted(value, unit, into, _CUBIC_CENTIMETRES)


def sorted_sides() -> dict[str, pl.Expr]:
    """`longest`, `median`, `shortest` of the three side columns, whichever way round they were written."""
    a, b, c = pl.col("longest_side"), pl.col("median_side"), pl.col("shortest_side")
    known = a.is_not_null() & b.is_not_null() & c.is_not_null()
    top, low = pl.max_horizontal(a, b, c), pl.min_horizontal(a, b, c)
    middle = pl.max_horizontal(pl.min_horizontal(a, b), pl.min_horizontal(pl.max_horizontal(a, b), c))
    return {name: pl.when(known).then(side) for name, side in (("longest", top), ("median", middle), ("shortest", low))}
