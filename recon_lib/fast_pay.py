"""The two sides of the Amazon Pay match straight from the files, for volume: typed, checked and hashed in one streaming pass.

The same declarations, date shapes and rules as the doorway, without keeping every column. A file in which any cell is
not plainly readable or a currency is not the account's gives None: then the doorway has to read it.

Ids are hashed as they stand, because folding tens of millions of texts costs as much as reading them. The match looks at
every id that is in no certain pair and raises `UnfoldedIds` where one needs trimming or folding: read again with `fold`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from recon_lib.keys import group_mix, normal, raw_hash
from recon_lib.pay_keys import KEY_COLUMNS
from recon_lib.reports import FAMILIES, dates, read, typed
from recon_lib.reports.recognise import Header, recognise
from recon_lib.reports.text import HEAD

IDS = list(KEY_COLUMNS.values())
GROUP = "group"  # kind and currency as one small number
_FINE = pl.Decimal(38, 9)
_SAMPLE = 400


@dataclass
class FastSide:
    """One side: `at`, `amount` (Int64, 1/10000), `group`, `key#` a key, with `ids` the ids, else `key##` of the first key.

    `others`: rows of the file that are no capture or refund. `scan`: to read some rows again.
    """

    frame: pl.DataFrame
    others: int
    scan: pl.LazyFrame
    read_again: tuple[pl.Series, pl.DataFrame] | None = None

    def fetch(self, rows: pl.Series) -> pl.DataFrame:
        """The ids of the given rows of `frame`, in that order: from memory, or by reading the file once more."""
        if IDS[0] in self.frame.columns:
            return self.frame.select(*IDS, GROUP)[rows]
        if self.read_again is not None:
            places = self.read_again[0].search_sorted(rows)
            places = places.clip(0, max(len(self.read_again[0]) - 1, 0))
            if self.read_again[0].gather(places).equals(rows.cast(pl.UInt32)):
                return self.read_again[1][places]
        lines = self.frame.select("line", GROUP)[rows].with_row_index("place")
        wanted = self.scan.select("line", *IDS).join(lines.lazy(), on="line", how="inner").collect(engine="streaming")
        self.read_again = (rows, wanted.sort("place").select(*IDS, GROUP))
        return self.read_again[1]


def settlement_side(path: Path, currencies: Sequence[str], *, ids: bool = True, fold: bool = False) -> FastSide | None:
    """The capture and refund lines of one settlement file; None where the doorway has to read it."""
    return _side(path, "pay_lines", "posted", "transaction_type", ("Capture", "Refund"), currencies, ids, fold)


def activity_side(path: Path, currencies: Sequence[str], *, ids: bool = True, fold: bool = False) -> FastSide | None:
    """The rows of books/pay_activity.csv; None where the doorway has to read it."""
    return _side(path, "pay_activity", "activity_at", "kind", ("capture", "refund"), currencies, ids, fold)


def _side(
    path: Path,
    family: str,
    moment: str,
    kind: str,
    kinds: tuple[str, str],
    currencies: Sequence[str],
    ids: bool,
    fold: bool,
) -> FastSide | None:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        text = head[: head.rfind(b"\n") + 1].decode("utf-8-sig")
        header = recognise(text, FAMILIES, path.name)
        if header.report.family != family:
            return None
        plans = {plan.column.target: plan for plan in typed.plans_for(header)}
        names = {target: f"c{plan.at}" for target, plan in plans.items() if plan.header is not None}
        raw = _scan(path, header, names["amount"])
        shape = raw.select(pl.col(names[moment])).head(_SAMPLE).collect().to_series()
        plan = dates.sniff(shape.drop_nulls().to_list())
        if not plan.layout or not plan.timed or any(minutes is None for _, minutes in plan.endings):
            return None
        for at in (
            _one_ending(pl.col(names[moment]), plan, shape[0][plan.width :]),
            dates.read(pl.col(names[moment]), plan, strict=True)[0],
        ):
            rows = _typed(raw, names, at, kind, kinds, currencies)
            rows = rows.with_columns(normal(name) for name in IDS) if fold else rows
            frame = _kept(rows, ids=ids)
            if not frame["at"].null_count():
                break
    except (PolarsError, UnicodeDecodeError, KeyError, OSError):
        return None
    return _checked(frame, rows, kinds)


def _scan(path: Path, header: Header, amount: str) -> pl.LazyFrame:
    columns = [f"c{i}" for i in range(len(header.names))]
    return pl.scan_csv(
        path,
        separator=header.separator,
        quote_char='"' if header.quoted else None,
        has_header=False,
        skip_lines=header.line,
        schema={name: _FINE if name == amount else pl.String() for name in columns},
        row_index_name="line",
        row_index_offset=header.line + 1,
        glob=False,
    )


def _one_ending(text: pl.Expr, plan: dates.DatePlan, first: str) -> pl.Expr:
    """The instant where every cell ends as the first one does; null for any other cell."""
    minutes = dict(plan.endings)[first]
    local = text.str.to_datetime(plan.layout + first, strict=False, time_unit="us", exact=True)
    return (local - pl.duration(minutes=minutes, time_unit="us")).dt.replace_time_zone("UTC")


def _typed(
    raw: pl.LazyFrame,
    names: dict[str, str],
    at: pl.Expr,
    kind: str,
    kinds: tuple[str, str],
    currencies: Sequence[str],
) -> pl.LazyFrame:
    what = pl.col(names[kind])
    group = _group(what, pl.col(names["currency"]), kinds, currencies)
    # Nine digits are read, four may be there: a finer amount divides with a remainder and raises the count of unread cells.
    fine = pl.col(names["amount"]).to_physical().cast(pl.Int64)
    amount = pl.when(fine % 10_000_000 == 0).then(fine // 100_000)
    return raw.select(
        pl.col("line").cast(pl.UInt32),
        at.alias("at"),
        amount.alias("amount"),
        group.alias(GROUP),
        pl.when(group.is_null()).then(what).alias("other"),
        *[pl.col(names[name]).alias(name) for name in IDS],
    )


def _group(kind: pl.Expr, currency: pl.Expr, kinds: tuple[str, str], currencies: Sequence[str]) -> pl.Expr:
    number = pl.lit(None, pl.UInt8)
    for place, name in enumerate(currencies):
        number = pl.when(currency == name).then(pl.lit(2 * place, pl.UInt8)).otherwise(number)
    return pl.when(kind == kinds[0]).then(number).when(kind == kinds[1]).then(number + pl.lit(1, pl.UInt8))


def _kept(rows: pl.LazyFrame, *, ids: bool) -> pl.DataFrame:
    hashes = [raw_hash(name, "mix").alias(f"{name}#") for name in IDS]
    second = [] if ids else [raw_hash(IDS[0], "mix", seed=101).alias(f"{IDS[0]}##")]
    wanted = rows.with_columns(group_mix(GROUP).alias("mix")).select(
        "line", "at", "amount", GROUP, "other", *hashes, *second, *(IDS if ids else [])
    )
    frame = wanted.collect(engine="streaming")
    for name in frame.columns:  # one by one: the pieces of a column are given back before the next is joined up
        frame = frame.with_columns(frame[name].rechunk())
    return frame


def _checked(frame: pl.DataFrame, rows: pl.LazyFrame, kinds: tuple[str, str]) -> FastSide | None:
    """None where a cell was not read, or where a row left aside might be a capture or refund written otherwise."""
    others = 0
    if frame["other"].null_count() < frame.height or frame[GROUP].null_count():
        aside = frame.filter(pl.col(GROUP).is_null())
        known = [kind.lower() for kind in kinds]
        if aside["other"].is_null().any() or aside["other"].str.strip_chars().str.to_lowercase().is_in(known).any():
            return None
        others = aside.height
        frame = frame.filter(pl.col(GROUP).is_not_null())
    if frame["at"].null_count() or frame["amount"].null_count():
        return None
    return FastSide(frame.drop("other"), others, rows)


def stored_side(
    path: Path, store: Path, currencies: Sequence[str], *, ids: bool = True, fold: bool = False
) -> FastSide | None:
    """The same from the typed Parquet that the doorway keeps; the file is read only where the store does not know it."""
    reading = read(path, store=store)
    if reading.rows_rejected:
        return None
    family = next(name for name in ("pay_lines", "pay_activity") if name in reading.frames)
    moment, kind = ("posted_at", "transaction_type") if family == "pay_lines" else ("activity_at", "kind")
    kinds = ("Capture", "Refund") if family == "pay_lines" else ("capture", "refund")
    raw = pl.scan_parquet(reading.frames[family])
    group = _group(pl.col(kind), pl.col("currency"), kinds, currencies)
    amount = pl.col("amount").to_physical().cast(pl.Int64)
    rows = raw.select(
        "line",
        pl.col(moment).alias("at"),
        amount,
        group.alias(GROUP),
        pl.when(group.is_null()).then(kind).alias("other"),
        *IDS,
    )
    return _checked(_kept(rows, ids=ids), rows, kinds)
