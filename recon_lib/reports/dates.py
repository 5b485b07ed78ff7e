"""Dates and times: from every shape Amazon writes to a UTC instant and the day as written.

A column is sniffed once: where all cells have one fixed-width shape with a few endings (`+00:00`, ` PDT`), the quick
way reads them; else the rich way reads each cell by a grammar. What neither can read is rejected, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

import polars as pl

_ZONES = {
    "": None, "z": 0, "utc": 0, "gmt": 0, "pst": -480, "pdt": -420, "mst": -420, "mdt": -360, "est": -300, "edt": -240,
    "jst": 540, "cet": 60, "cest": 120, "mez": 60, "mesz": 120, "bst": 60, "aest": 600, "aedt": 660,
}  # fmt: skip
"""Minutes east of UTC of the words that name one offset only; PST and PDT are fixed offsets, whatever the day."""

_MONTH_WORDS = (
    "jan januar january janv janvier gen gennaio ene enero januari sty stycznia styczeń jän jänner oca ocak janeiro",
    "feb februar february févr fevr février fév febbraio febrero februari lut lutego luty şub şubat fev fevereiro",
    "mar mär märz mrz march mars marzo mrt maart marca marzec março maret",
    "apr april avr avril aprile abr abril kwi kwietnia kwiecień nis nisan",
    "may mai mag maggio mayo mei maj maja mayıs maio",
    "jun juni june juin giu giugno junio cze czerwca czerwiec haz haziran junho",
    "jul juli july juil juillet lug luglio julio lip lipca lipiec tem temmuz julho",
    "aug august août aout ago agosto augustus augusti sie sierpnia sierpień ağu ağustos",
    "sep sept september septembre set settembre septiembre wrz września wrzesień eyl eylül setembro",
    "oct okt october oktober octobre ott ottobre octubre paź października październik eki ekim out outubro",
    "nov november novembre noviembre lis listopada listopad kas kasım novembro",
    "dec dez december dezember déc décembre dic dicembre diciembre gru grudnia grudzień ara aralık dezembro",
)
MONTHS = {word: number for number, words in enumerate(_MONTH_WORDS, 1) for word in words.split()}

FIRST_YEAR, LAST_YEAR = 1900, 2199
_FIXED = re.compile(
    r"^(\d{4}-\d\d-\d\d|\d\d\.\d\d\.\d{4}|\d\d/\d\d/\d{4}|\d\d/\d\d/\d\d(?!\d))(?:([T ])\d\d:\d\d:\d\d)?(\D.*)?$"
)
_RICH = (
    r"^(?:(?<y1>[0-9]{4})[-/.年](?<m1>[0-9]{1,2})[-/.月](?<d1>[0-9]{1,2})日?"
    r"|(?<a2>[0-9]{1,2})(?<s2>[-/.])(?<b2>[0-9]{1,2})[-/.](?<y2>[0-9]{4}|[0-9]{2})"
    r"|(?<d3>[0-9]{1,2})(?:er)?[-. /]{1,2}(?<n3>[^-0-9 .,/:]{3,})[.,]{0,2}[- /](?<y3>[0-9]{4}|[0-9]{2})"
    r"|(?<n4>[^-0-9 .,/:]{3,})\.? (?<d4>[0-9]{1,2}),? (?<y4>[0-9]{4}))"
    r"(?:[t, ]+(?<h>[0-9]{1,2})[:.](?<mi>[0-9]{2})(?:[:.](?<s>[0-9]{2})(?:[.,](?<f>[0-9]{1,9}))?)?(?: ?(?<ap>[ap])\.? ?m\.?)?)?"
    r" ?(?<zw>[a-z]{1,4})?(?<zs>[-+])?(?<zh>[0-9]{1,2})?(?::?(?<zm>[0-9]{2}))?$"
)
_DIGITS = str.maketrans("012345678", "999999999")
_EITHER_ORDER = re.compile(r"[0-9]{1,2}/[0-9]{1,2}[-/]")  # with dashes the day stands first
_SLASHED = r"^([0-9]{1,2})[-/]([0-9]{1,2})[-/](?:[0-9]{4}|[0-9]{2})(?:[^0-9]|$)"


@dataclass(frozen=True)
class DatePlan:
    """How one column is read. `layout` empty: the rich way. `endings`: ending -> minutes east of UTC (None: no zone)."""

    layout: str = ""
    width: int = 0
    timed: bool = False
    endings: tuple[tuple[str, int | None], ...] = ()
    month_first: bool = True
    slashed: bool = False  # the order of day and month is not said by the shape


@lru_cache(maxsize=256)
def offset_minutes(ending: str) -> int | str | None:
    """Minutes east of UTC of a written zone, None for no zone, "?" where it is not understood."""
    word = ending.strip().lower()
    if word in _ZONES:
        return _ZONES[word]
    found = re.fullmatch(r"(?:utc|gmt)?([-+])(\d{1,2})(?::?(\d{2}))?", word)
    if not found:
        return "?"
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return "?" if minutes > 14 * 60 else -minutes if found[1] == "-" else minutes


def sniff(sample: list[str], *, month_first: bool = True) -> DatePlan:
    """The plan for a column whose first cells are `sample`."""
    slashed = any(_EITHER_ORDER.match(cell) for cell in sample if cell[2:3] == "/" or cell[1:2] == "/")
    rich = DatePlan(month_first=month_first, slashed=slashed)
    shapes, endings = set(), dict[str, int | None]()
    for cell in {_shape(cell): cell for cell in sample}.values():
        found = _FIXED.match(cell)
        minutes = offset_minutes(found[3] or "") if found else "?"
        if not found or isinstance(minutes, str):
            return rich
        shapes.add((found[1].translate(_DIGITS), found[2]))
        endings[found[3] or ""] = minutes
    if len(shapes) != 1 or len(endings) > 4:
        return rich
    shape, between = shapes.pop()
    day = {"9999-99-99": "%Y-%m-%d", "99.99.9999": "%d.%m.%Y"}.get(shape)
    if day is None:
        day = ("%m/%d/" if month_first else "%d/%m/") + ("%Y" if len(shape) == 10 else "%y")
    endings |= _summer_and_winter(endings)
    layout = f"{day}{between}%H:%M:%S" if between else day
    width = len(shape) + (9 if between else 0)
    return DatePlan(layout, width, bool(between), tuple(sorted(endings.items())), month_first, slashed)


def _shape(cell: str) -> str:
    """Cells that are read alike have one: of a cell with seconds the digits of day and time do not count."""
    return cell[:19].translate(_DIGITS) + cell[19:] if cell[16:17] == ":" else cell


_CLOCK_PAIRS = (("PST", "PDT"), ("MST", "MDT"), ("EST", "EDT"), ("CET", "CEST"), ("AEST", "AEDT"), ("GMT", "BST"))


def _summer_and_winter(endings: dict[str, int | None]) -> dict[str, int | None]:
    """What the endings become when the clocks change: a file that begins in July may end in December."""
    more: dict[str, int | None] = {}
    for ending, minutes in endings.items():
        for pair in _CLOCK_PAIRS:
            for here, there in (pair, pair[::-1]):
                if ending.strip() == here:
                    other = offset_minutes(there)
                    more[ending.replace(here, there)] = other if isinstance(other, int) else None
        found = re.fullmatch(r"(\s*(?:GMT|UTC)?)([-+])(\d\d)(:?)(\d\d)", ending)
        if found and minutes:
            for other in (minutes - 60, minutes + 60):
                sign = "-" if other < 0 else found[2] if other == 0 else "+"
                more[f"{found[1]}{sign}{abs(other) // 60:02}{found[4]}{abs(other) % 60:02}"] = other
    return {ending: minutes for ending, minutes in more.items() if ending not in endings}


def rich(plan: DatePlan) -> DatePlan:
    """The same column read cell by cell."""
    return replace(plan, layout="", endings=())


def order_evidence(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """(cells that can only be month/day, cells that can only be day/month), as counts."""
    parts = text.str.strip_chars().str.extract_groups(_SLASHED)
    first, second = (parts.struct.field(n).cast(pl.Int32, strict=False) for n in ("1", "2"))
    return ((second > 12) & (first <= 12)).sum(), ((first > 12) & (second <= 12)).sum()


def read(text: pl.Expr, plan: DatePlan, *, strict: bool = False) -> tuple[pl.Expr, pl.Expr]:
    """(instant in UTC or null, day as written or null) of a trimmed text column; no report speaks of the year 226 or 9999.

    `strict`: a cell that the plan cannot read raises (the rich way never does), and the years are for the caller to check.
    """
    at, on = _read_any(text, plan, strict=strict)
    if strict or not plan.layout:
        return at, on
    known = in_range(on)
    return pl.when(known).then(at), pl.when(known).then(on)


def in_range(on: pl.Expr) -> pl.Expr:
    """Whether a day lies in the years that reports speak of."""
    return on.is_between(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31))


def _read_any(text: pl.Expr, plan: DatePlan, *, strict: bool) -> tuple[pl.Expr, pl.Expr]:
    if not plan.layout:
        return read_parts(parts(text, plan))
    only_days = not plan.timed
    none = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    if len(plan.endings) <= 1:
        ending, minutes = plan.endings[0] if plan.endings else ("", None)
        layout = plan.layout + ending.replace("%", "%%")
        if only_days:
            return none, text.str.to_date(layout, strict=strict)
        local = text.str.to_datetime(layout, strict=strict, time_unit="us", exact=True)
        return (none if minutes is None else _at(local, minutes)), local.dt.date()
    tail = text.str.slice(plan.width)
    head = text.str.head(plan.width)
    known = tail.is_in([e for e, _ in plan.endings])
    if strict:
        head = pl.when(known).then(head).otherwise(pl.when(text.is_not_null()).then(pl.lit("?")))
    if only_days:
        return none, pl.when(known).then(head.str.to_date(plan.layout, strict=strict))
    local = head.str.to_datetime(plan.layout, strict=strict, time_unit="us")
    at = none
    for written, minutes in plan.endings:
        if minutes is not None:
            at = pl.when(tail == written).then(_at(local, minutes)).otherwise(at)
    return at, pl.when(known).then(local.dt.date())


def _at(local: pl.Expr, minutes: int) -> pl.Expr:
    moved = local - pl.duration(minutes=minutes, time_unit="us") if minutes else local
    return moved.dt.replace_time_zone("UTC")


def parts(text: pl.Expr, plan: DatePlan) -> pl.Expr:
    """A struct for `read_parts`, by the grammar step by step: as nested expressions the match would be made 60 times."""
    month_first = plan.month_first
    flat = text.str.replace_all(r"[\p{Z}\s]+", " ").str.strip_chars(" ").str.to_lowercase()
    flat = flat.str.replace_all(" de ", " ", literal=True)
    cell, numbers = pl.field, ("y1", "m1", "d1", "a2", "b2", "y2", "d3", "y3", "d4", "y4", "h", "mi", "s", "zh", "zm")
    told = flat.str.extract_groups(_RICH).struct.with_fields(
        *(cell(name).cast(pl.Int32, strict=False) for name in numbers),
        *(_number_of(cell(name), MONTHS) for name in ("n3", "n4")),
        _number_of(cell("zw"), {k: v for k, v in _ZONES.items() if v is not None}).alias("base"),
    )
    a, b, h, half, sign, word = cell("a2"), cell("b2"), cell("h"), cell("ap"), cell("zs"), cell("zw")
    day_first = (cell("s2") != "/") if month_first else pl.lit(True)
    told_year = pl.coalesce(cell("y2"), cell("y3"))
    year2 = pl.when(told_year < 100).then(told_year + 2000).otherwise(told_year)
    year = pl.coalesce(cell("y1"), year2, cell("y4"))
    month = pl.coalesce(cell("m1"), pl.when(day_first).then(b).otherwise(a), cell("n3"), cell("n4"))
    day = pl.coalesce(cell("d1"), pl.when(day_first).then(a).otherwise(b), cell("d3"), cell("d4"))
    half_day = pl.when(h.is_between(1, 12)).then(h % 12 + pl.when(half == "p").then(12).otherwise(0))
    hour = pl.when(half.is_null()).then(h).otherwise(half_day)
    shift = cell("zh") * 60 + cell("zm").fill_null(0)
    told = told.struct.with_fields(
        _joined("-", year, month, day).str.to_date("%Y-%m-%d", strict=False).alias("on"),
        _joined(":", hour, cell("mi"), cell("s").fill_null(0)).str.to_time("%H:%M:%S", strict=False).alias("clock"),
        pl.when(sign == "-").then(-shift).otherwise(shift).alias("shift"),
    )
    bare = sign.is_null() & cell("zh").is_null() & cell("zm").is_null()
    numbered = sign.is_not_null() & cell("zh").is_not_null() & cell("shift").is_between(-14 * 60, 14 * 60)
    numbered = numbered & (word.is_null() | word.is_in(["utc", "gmt"]))
    worded = word.is_not_null() & cell("base").is_not_null() & bare
    timed = h.is_null() | cell("clock").is_not_null()
    sure = (numbered | worded | (word.is_null() & bare)) & timed
    on = pl.when(sure & in_range(cell("on"))).then(cell("on"))
    minutes = pl.when(numbered).then(cell("shift")).when(worded).then(cell("base"))
    # The zone counts only beside a time: `2026-08-12 PDT` is a day.
    local = on.cast(pl.Datetime("us")) + cell("clock").cast(pl.Duration("us"))
    part = cell("f").str.head(6).str.pad_end(6, "0").cast(pl.Int32, strict=False)
    local = local + pl.duration(microseconds=part.fill_null(0), time_unit="us")
    at = (local - pl.duration(minutes=minutes, time_unit="us")).dt.replace_time_zone("UTC")
    return told.struct.with_fields(at.alias("at"), on.alias("on"))


def read_parts(told: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """(instant, day) of a column of `parts`."""
    return told.struct.field("at"), told.struct.field("on")


def _number_of(word: pl.Expr, numbers: dict[str, int]) -> pl.Expr:
    return word.replace_strict(list(numbers), list(numbers.values()), default=None, return_dtype=pl.Int32)


def _joined(mark: str, *numbers: pl.Expr) -> pl.Expr:
    return pl.concat_str([n.cast(pl.String) for n in numbers], separator=mark)
