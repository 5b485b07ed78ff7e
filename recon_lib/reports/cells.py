"""Cells of text and number: from what Amazon writes to exact values. No floats anywhere.

Plain files (`-12.34`) take a quick way. Where one cell is not plain, the file is read with a number style: the decimal
mark of each column, decided from all its amounts. A cell that does not fit the style is rejected, never guessed:
`1.234` is 1234 only where decimals are written with a comma.
"""

from __future__ import annotations

import polars as pl

from recon_lib.money import MONEY

MEASURE = pl.Decimal(38, 8)
PLACES = {"money": 2, "fine": 4, "measure": 8}
NUMBERS = ("int", "money", "fine", "measure")

_COMMA_LANGUAGES = {"de", "fr", "it", "es", "nl", "sv", "se", "pl", "pt", "tr", "da", "be"}
_DOT_LANGUAGES = {"en", "ja", "jp", "mx", "es-mx", "zh", "he", "th"}
_BLANKS = r"[\p{Z}\s\u{200b}\u{feff}]+"
_COIN = r"(?:[A-Z]{3}|[A-Z]{0,2}\p{Sc}|kr\.?|zł|TL|Fr\.?)"


def clean_text(text: pl.Expr, *, trim: bool = True, empties: bool = True) -> pl.Expr:
    """Trimmed (no-break spaces too); empty is null. `trim` and `empties` off: the file is known to need neither."""
    if trim:
        text = text.str.strip_chars()
    return pl.when(text != "").then(text) if trim or empties else text


def plain_shape(text: pl.Expr, kind: str) -> pl.Expr:
    """Whether the cell is a number in the plain shape of `kind`."""
    if kind == "int":
        return text.str.contains(r"^-?[0-9]{1,9}$")
    return text.str.contains(rf"^-?[0-9]{{1,15}}(?:\.[0-9]{{1,{PLACES[kind]}}})?$")


def plain_number(text: pl.Expr, kind: str, dtype: pl.DataType) -> pl.Expr:
    """The value of plainly shaped cells; any other raises, so that nothing is lost unseen."""
    if kind == "int":  # a cast of text to a whole number takes no other shape than a leading plus
        return text.cast(dtype, strict=True)
    return pl.when(plain_shape(text, kind)).then(text).otherwise(_unread(text)).cast(dtype, strict=True)


def _unread(text: pl.Expr) -> pl.Expr:
    """Null for null, else a text that no cast takes."""
    return pl.when(text.is_not_null()).then(pl.lit("?"))


def default_mark(language: str | None) -> str | None:
    """The decimal mark of a language; None where it is not known."""
    word = (language or "").lower()
    return "," if word in _COMMA_LANGUAGES else "." if word in _DOT_LANGUAGES else None


def mark_evidence(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """(cells that show a decimal point, cells that show a decimal comma), as counts."""
    body = text.str.replace_all(r"[^0-9.,]+", "")
    point = body.str.contains(r"^(?:[0-9,]*\.[0-9]{1,2}|0\.[0-9]+)$")
    comma = body.str.contains(r"^(?:[0-9.]*,[0-9]{1,2}|0,[0-9]+)$")
    return point.sum(), comma.sum()


def decide_mark(points: int, commas: int, language: str | None) -> tuple[str | None, str]:
    """The decimal mark by what cells show (None: cells with a mark are rejected), and what to say about it."""
    if points and commas:
        if points == commas:
            return None, f"decimal points and commas are mixed ({points} cells each); such cells are rejected"
        mark = "." if points > commas else ","
        said = f"{points} cells show a decimal point, {commas} a decimal comma; read with '{mark}', others are rejected"
        return mark, said
    if points or commas:
        return ("." if points else ","), ""
    return default_mark(language), ""


def _body(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """(digits and marks without sign, currency and blanks at the ends; whether it is negative)."""
    flat = text.str.replace_all(_BLANKS, " ").str.strip_chars(" ").str.replace_all(r"[−‐‑–﹣－]", "-")
    bracketed = flat.str.contains(r"^\(.*\)$")
    flat = pl.when(bracketed).then(flat.str.replace(r"^\((.*)\)$", "$1").str.strip_chars(" ")).otherwise(flat)
    flat = flat.str.replace(rf"^(-?) ?{_COIN} ?(-?)", "$1$2").str.replace(rf" ?{_COIN}(-?)$", "$1")
    minus = flat.str.count_matches("-", literal=True)
    signed = flat.str.contains(r"^- ?[0-9.,]|[0-9] ?-$")
    body = flat.str.replace(r"^[-+] ?", "").str.replace(r" ?-$", "")
    wrong = (minus > 1) | ((minus == 1) & ~signed) | (bracketed & (minus > 0))
    return pl.when(~wrong).then(body), bracketed | signed


def rich_number(text: pl.Expr, kind: str, dtype: pl.DataType, mark: str | None) -> pl.Expr:
    """The value in any written style that fits `mark`; null where it does not fit."""
    body, negative = _body(text)
    if kind == "int":
        # No whole number has exactly three decimals, so a mark before three digits is a thousands mark here.
        grouped = body.str.contains(r"^[1-9][0-9]{0,2}(?:,[0-9]{3}|\.[0-9]{3}|[ '’][0-9]{3})+$")
        pointed = body.str.contains(r"^[0-9]+[.,]0{1,2}$")
        digits = (
            pl.when(grouped)
            .then(body.str.replace_all(r"[^0-9]", ""))
            .when(pointed)
            .then(body.str.replace(r"[.,]0+$", ""))
            .otherwise(body)
        )
        good = pl.when(digits.str.contains(r"^[0-9]{1,9}$")).then(digits)
        value = good.cast(dtype, strict=False)
        return pl.when(negative).then(-value).otherwise(value)
    places = PLACES[kind]
    if mark is None:
        shape = r"^(?:[0-9]+|[1-9][0-9]{0,2}(?: [0-9]{3})+)$"
        digits = body.str.replace_all(r"[^0-9]", "")
    else:
        m, t = (r"\.", ",") if mark == "." else (",", r"\.")
        lakh = r"|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}" if mark == "." else ""
        groups = rf"[0-9]+|[1-9][0-9]{{0,2}}(?:{t}[0-9]{{3}})+|[1-9][0-9]{{0,2}}(?:[ '’][0-9]{{3}})+{lakh}"
        shape = rf"^(?:{groups})?(?:{m}[0-9]{{1,{places}}})?$"
        digits = body.str.replace_all(r"[^0-9.,]|" + t, "").str.replace(mark, ".", literal=True)
    right = body.str.contains(shape) & digits.str.contains(r"^[0-9]{0,15}(?:\.[0-9]+)?$") & (digits != "")
    value = pl.when(right).then(digits).cast(dtype, strict=False)
    return pl.when(negative).then(-value).otherwise(value)


def is_missing(text: pl.Expr) -> pl.Expr:
    """Amazon writes `--` where a number is not known."""
    return text.str.contains(r"^(?:--|—|–)$")


def number_dtype(kind: str, declared: pl.DataType | None) -> pl.DataType:
    """The dtype a number column gets: as the frame declares it, else the usual one."""
    if declared is not None:
        return declared
    return pl.Int32() if kind == "int" else MEASURE if kind == "measure" else MONEY


def number_reason(kind: str, mark: str | None) -> str:
    """What was hoped for, in words."""
    if kind == "int":
        return "is no whole number"
    written = {
        ".": "a decimal point",
        ",": "a decimal comma",
        None: "no decimal mark (the file does not show which it uses)",
    }
    return f"is no number with at most {PLACES[kind]} decimals and {written[mark]}"
