"""Dates and times: from every shape Amazon writes to a UTC instant and the day as written.

A column is sniffed once: where all cells have one fixed-width shape with a few endings (`+00:00`, ` PDT`), the quick
way reads them; else the rich way reads each cell by a grammar. What neither can read is rejected, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

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
    r"|(?<d3>[0-9]{1,2})[-. ]{1,2}(?<n3>[^-0-9 .,/:]{3,})[.,]{0,2}[- ](?<y3>[0-9]{4})"
    r"|(?<n4>[^-0-9 .,/:]{3,})\.? (?<d4>[0-9]{1,2}),? (?<y4>[0-9]{4}))"
    r"(?:[t, ]+(?<h>[0-9]{1,2})[:.](?<mi>[0-9]{2})(?:[:.](?<s>[0-9]{2})(?:[.,][0-9]{1,9})?)?(?: ?(?<ap>[ap])\.? ?m\.?)?)?"
    r" ?(?<zw>[a-z]{1,4})?(?<zs>[-+])?(?<zh>[0-9]{1,2})?(?::?(?<zm>[0-9]{2}))?$"
)
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
    slashed = any(re.match(_SLASHED, cell) for cell in sample)
    rich = DatePlan(month_first=month_first, slashed=slashed)
    shapes, endings = set(), dict[str, int | None]()
    for cell in sample:
        found = _FIXED.match(cell)
        minutes = offset_minutes(found[3] or "") if found else "?"
        if not found or isinstance(minutes, str):
            return rich
        shapes.add((re.sub(r"\d", "9", found[1]), found[2]))
        endings[found[3] or ""] = minutes
    if len(shapes) != 1 or len(endings) > 4:
        return rich
    shape, between = shapes.pop()
    day = {"9999-99-99": "%Y-%m-%d", "99.99.9999": "%d.%m.%Y"}.get(shape)
    if day is None:
        day = ("%m/%d/" if month_first else "%d/%m/") + ("%Y" if len(shape) == 10 else "%y")
    layout = f"{day}{between}%H:%M:%S" if between else day
    width = len(shape) + (9 if between else 0)
    return DatePlan(layout, width, bool(between), tuple(sorted(endings.items())), month_first, slashed)


def rich(plan: DatePlan) -> DatePlan:
    """The same column read cell by cell."""
    return replace(plan, layout="", endings=())


def order_evidence(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """(cells that can only be month/day, cells that can only be day/month), as counts."""
    parts = text.str.strip_chars().str.extract_groups(_SLASHED)
    first, second = (parts.struct.field(n).cast(pl.Int32, strict=False) for n in ("1", "2"))
    return ((second > 12) & (first <= 12)).sum(), ((first > 12) & (second <= 12)).sum()


def read(text: pl.Expr, plan: DatePlan) -> tuple[pl.Expr, pl.Expr]:
    """(instant in UTC or null, day as written or null) of a trimmed text column; no report speaks of the year 226 or 9999."""
    at, on = _read_any(text, plan)
    known = on.dt.year().is_between(FIRST_YEAR, LAST_YEAR)
    return pl.when(known).then(at), pl.when(known).then(on)


def _read_any(text: pl.Expr, plan: DatePlan) -> tuple[pl.Expr, pl.Expr]:
    if not plan.layout:
        return _read_rich(text, month_first=plan.month_first)
    only_days = not plan.timed
    none = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    if len(plan.endings) <= 1:
        ending, minutes = plan.endings[0] if plan.endings else ("", None)
        layout = plan.layout + ending.replace("%", "%%")
        if only_days:
            return none, text.str.to_date(layout, strict=False)
        local = text.str.to_datetime(layout, strict=False, time_unit="us", exact=True)
        return (none if minutes is None else _at(local, minutes)), local.dt.date()
    ending = text.str.slice(plan.width)
    head = text.str.head(plan.width)
    known = ending.is_in([e for e, _ in plan.endings])
    if only_days:
        return none, pl.when(known).then(head.str.to_date(plan.layout, strict=False))
    local = head.str.to_datetime(plan.layout, strict=False, time_unit="us")
    at = none
    for written, minutes in plan.endings:
        if minutes is not None:
            at = pl.when(ending == written).then(_at(local, minutes)).otherwise(at)
    return at, pl.when(known).then(local.dt.date())


def _at(local: pl.Expr, minutes: int) -> pl.Expr:
    moved = local - pl.duration(minutes=minutes, time_unit="us") if minutes else local
    return moved.dt.replace_time_zone("UTC")


def _read_rich(text: pl.Expr, *, month_first: bool) -> tuple[pl.Expr, pl.Expr]:
    flat = text.str.replace_all(r"[\p{Z}\s]+", " ").str.strip_chars(" ").str.to_lowercase()
    flat = flat.str.replace_all(" de ", " ", literal=True)
    parts = flat.str.extract_groups(_RICH).struct.field

    def number(name: str) -> pl.Expr:
        return parts(name).cast(pl.Int32, strict=False)

    def month(name: str) -> pl.Expr:
        return parts(name).replace_strict(list(MONTHS), list(MONTHS.values()), default=None, return_dtype=pl.Int32)

    a, b = number("a2"), number("b2")
    day_first = (parts("s2") != "/") if month_first else pl.lit(True)
    year2 = pl.when(number("y2") < 100).then(number("y2") + 2000).otherwise(number("y2"))
    year = pl.coalesce(number("y1"), year2, number("y3"), number("y4"))
    months = pl.coalesce(number("m1"), pl.when(day_first).then(b).otherwise(a), month("n3"), month("n4"))
    days = pl.coalesce(number("d1"), pl.when(day_first).then(a).otherwise(b), number("d3"), number("d4"))
    on = _joined("-", year, months, days).str.to_date("%Y-%m-%d", strict=False)
    hour, half = number("h"), parts("ap")
    hour = (
        pl.when(half.is_null())
        .then(hour)
        .when(hour.is_between(1, 12))
        .then(hour % 12 + pl.when(half == "p").then(12).otherwise(0))
    )
    clock = _joined(":", hour, number("mi"), number("s").fill_null(0))
    seconds = clock.str.to_time("%H:%M:%S", strict=False)
    word, sign = parts("zw"), parts("zs")
    words = {k: v for k, v in _ZONES.items() if v is not None}
    base = word.replace_strict(list(words), list(words.values()), default=None, return_dtype=pl.Int32)
    shift = number("zh") * 60 + number("zm").fill_null(0)
    shift = pl.when(sign == "-").then(-shift).otherwise(shift)
    numbered = sign.is_not_null() & number("zh").is_not_null() & shift.is_between(-14 * 60, 14 * 60)
    numbered = numbered & (word.is_null() | word.is_in(["utc", "gmt"]))
    worded = word.is_not_null() & base.is_not_null() & sign.is_null() & number("zh").is_null() & number("zm").is_null()
    bare = word.is_null() & sign.is_null() & number("zh").is_null() & number("zm").is_null()
    right = (numbered | worded | bare) & (number("h").is_null() | seconds.is_not_null())
    on = pl.when(right).then(on)
    minutes = pl.when(numbered).then(shift).when(worded).then(base)
    # The zone counts only beside a time: `2026-08-12 PDT` is a day.
    local = on.cast(pl.Datetime("us")) + seconds.cast(pl.Duration("us"))
    at = (local - pl.duration(minutes=minutes, time_unit="us")).dt.replace_time_zone("UTC")
    return at, on


def _joined(mark: str, *numbers: pl.Expr) -> pl.Expr:
    return pl.concat_str([n.cast(pl.String) for n in numbers], separator=mark)
