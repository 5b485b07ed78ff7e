"""The two sides of the Amazon Pay match straight from the files, for volume: typed, checked and hashed in one streaming pass.

The same declarations, cell shapes and rules as the doorway, without keeping every column. A file in which any cell of
the columns read here is not plainly written or a currency is not the account's gives None: then the doorway has to
read it. Columns that the match does not need (fees, the settlement's id) are not looked at.

Ids are hashed as they stand, because folding tens of millions of texts costs as much as reading them, while every one
is proven to need no folding. A side in which one does is read again and folded. Only hashes stay: the few ids that
somebody has to see are picked out of the file once more (`FastSide.fetch`).
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from recon_lib import fast_batches
from recon_lib.fast_batches import GROUP, IDS, LAST, NO_GROUP, Taken
from recon_lib.fast_lines import Lines
from recon_lib.keys import group_mix, normal, raw_hash
from recon_lib.matching_terms import Array
from recon_lib.reports import FAMILIES, cells, dates, read, typed
from recon_lib.reports import store as parsed
from recon_lib.reports.base import rows_at
from recon_lib.reports.recognise import recognise
from recon_lib.reports.text import HEAD, lines_of, split_line

_CENTS = pl.Decimal(18, 2)
_SAMPLE = 400
_AT_ONCE = 30_000  # rows of a batch
_KINDS = {"pay_lines": ("Capture", "Refund"), "pay_activity": ("capture", "refund")}


@dataclass
class FastSide:
    """One side: `at`, `amount` (Int64, 1/10000), `group`, and of each id `key#`, a 64-bit hash (0 without an id); of the
    last id also `key##`, 32 bits more.

    `lines`: to read some rows again. `gaps`: the rows of the file, from 0, that are no capture or refund.
    """

    frame: pl.DataFrame
    lines: Lines
    gaps: Array
    proof: Future[bool] | None = None

    def is_proven(self) -> bool:
        """Whether the file's content is the one whose kept side this is (`stored_side` with `beside`)."""
        return self.proof is None or self.proof.result()

    @property
    def others(self) -> int:
        return len(self.gaps)

    def fetch(self, rows: pl.Series) -> pl.DataFrame:
        """The ids of the given rows of `frame`, in that order, by reading their lines once more."""
        return self.lines.fetch(self.places(rows.to_numpy())).with_columns(self.frame[GROUP].gather(rows))

    def places(self, rows: Array) -> Array:
        """The place in the file, from 0, of each of the given rows of `frame`."""
        before = np.searchsorted(self.gaps - np.arange(len(self.gaps)), rows, side="right")
        return np.asarray(rows.astype(np.int64) + before)


def settlement_side(path: Path, currencies: Sequence[str]) -> FastSide | None:
    """The capture and refund lines of one settlement file; None where the doorway has to read it."""
    return _side(path, "pay_lines", "posted", "transaction_type", currencies)


def activity_side(path: Path, currencies: Sequence[str]) -> FastSide | None:
    """The rows of books/pay_activity.csv; None where the doorway has to read it."""
    return _side(path, "pay_activity", "activity_at", "kind", currencies)


def _side(path: Path, family: str, moment: str, kind: str, currencies: Sequence[str]) -> FastSide | None:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        text = head[: head.rfind(b"\n") + 1].decode("utf-8-sig")
        header = recognise(text, FAMILIES, path.name)
        if header.report.family != family:
            return None
        places = {plan.column.target: plan.at for plan in typed.plans_for(header) if plan.header is not None}
        lines = Lines.of(path, header, {name: places[name] for name in IDS})
        first = lines_of(text)[header.line : header.line + _SAMPLE]
        rows = csv.reader(first, delimiter=header.separator) if header.quoted else (
            split_line(line, header.separator, quoted=False) for line in first
        )  # fmt: skip
        sample = [row[places[moment]] for row in rows if len(row) > places[moment]]
        plan = dates.sniff(sample)
        if not plan.layout or not plan.timed or any(minutes is None for _, minutes in plan.endings):
            return None
        column = {target: pl.col(f"c{at}") for target, at in places.items()}
        for at in (
            _one_ending(column[moment], plan, sample[0][plan.width :]),
            dates.read(column[moment], plan, strict=True)[0],
        ):
            raw = lines.scan().select(
                at.to_physical().alias("at"),
                _amount(column["amount"]).alias("amount"),
                _group(column[kind], column["currency"], _KINDS[family], currencies).alias(GROUP),
                column[kind].alias("kind"),
                *[column[name].alias(name) for name in IDS],
            )
            # a row ends every cell, and writes out at least a moment, a kind, an amount and a currency
            taken = _taken(raw, path.stat().st_size // (len(header.names) + 20) + 1, _KINDS[family])
            if taken.wrong != "moment":
                break
    except (PolarsError, UnicodeDecodeError, KeyError, IndexError, OSError, csv.Error):
        return None
    return _checked(taken, lines, family)


def _one_ending(text: pl.Expr, plan: dates.DatePlan, first: str) -> pl.Expr:
    """The instant where every cell ends as the first one does; null for any other cell."""
    minutes = dict(plan.endings)[first]
    local = text.str.to_datetime(
        plan.layout + first.replace("%", "%%"), strict=False, time_unit="us", exact=True, cache=False
    )
    return (local - pl.duration(minutes=minutes, time_unit="us")).dt.replace_time_zone("UTC")


def _amount(text: pl.Expr) -> pl.Expr:
    """1/10000 of the currency; null for a cell that is not written as plainly as the doorway takes at once."""
    plain = pl.when(cells.plain_shape(text, "money")).then(text)
    return plain.cast(_CENTS, strict=False).to_physical().cast(pl.Int64) * 100


def _group(kind: pl.Expr, currency: pl.Expr, kinds: tuple[str, str], currencies: Sequence[str]) -> pl.Expr:
    number = pl.lit(None, pl.UInt8)
    for place, name in enumerate(currencies):
        number = pl.when(currency == name).then(pl.lit(2 * place, pl.UInt8)).otherwise(number)
    group = pl.when(kind == kinds[0]).then(number).when(kind == kinds[1]).then(number + pl.lit(1, pl.UInt8))
    return group.fill_null(NO_GROUP)


def _taken(rows: pl.LazyFrame, most: int, kinds: tuple[str, str]) -> Taken:
    """The rows of a side, hashed; ids are folded where any of them needs it. `most`: more rows there cannot be."""
    for folded in (False, True):
        taken = Taken(most, kinds, folded=folded)
        hashed = (
            (rows.with_columns(normal(name) for name in IDS) if folded else rows)
            .with_columns(group_mix(GROUP).alias("mix"), pl.when(pl.col(GROUP) == NO_GROUP).then(pl.col("kind")))
            .with_columns(
                *[raw_hash(name, "mix").alias(f"{name}#") for name in IDS],
                raw_hash(LAST, "mix", seed=101).cast(pl.UInt32, wrap_numerical=True).alias(f"{LAST}##"),
            )
        )
        hashed.drop("mix").sink_batches(taken.take, chunk_size=_AT_ONCE)
        if taken.wrong != "folding":
            break
    return taken


def _checked(taken: Taken, lines: Lines, family: str) -> FastSide | None:
    """None where a cell was not read, or where a row left aside might be a capture or refund written otherwise."""
    lines.rows = taken.rows
    frame = taken.frame()
    if taken.wrong or (taken.gaps and family == "pay_activity"):  # the seller's own book has no other kinds
        return None
    if frame.height and not _in_range(frame["at"]):
        return None
    if family == "pay_activity":
        refund, amount = pl.col(GROUP) % 2 == 1, pl.col("amount")
        wrong = (refund & (amount > 0)) | (~refund & (amount < 0))
        if frame.select(wrong.any()).item():
            return None
    return FastSide(frame, lines, np.array(taken.gaps, np.int64))


def _in_range(at: pl.Series) -> bool:
    """Whether all instants surely lie in the years that reports speak of (a day at either end may fall to the doorway)."""
    first, last = datetime(dates.FIRST_YEAR, 1, 2, tzinfo=UTC), datetime(dates.LAST_YEAR, 12, 30, tzinfo=UTC)
    return bool(at.is_between(first, last).all())


def stored_side(
    path: Path, store: Path, currencies: Sequence[str], *, beside: Executor | None = None
) -> FastSide | None:
    """The same from what the doorway keeps, beside which the side is kept too; None for one with rejects.

    With `beside` a large file that begins and ends as one that was stored is taken for it while it is hashed there: ask
    `is_proven` before the numbers are used.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    sha256 = parsed.known_as(store, parsed.quick_key(path, head[: head.rfind(b"\n") + 1] or head, "")) if beside else ""
    reading, proof = parsed.load(parsed.place(store, sha256, "")) if sha256 else None, None
    if reading is None:
        reading = read(path, store=store)
    elif beside:
        proof = beside.submit(lambda: parsed.sha256_of(path) == sha256)
    if reading.rows_rejected:
        return None
    family = next(name for name in _KINDS if name in reading.frames)
    kept = reading.frames[family]
    header = recognise(head.decode("utf-8-sig", errors="replace"), FAMILIES, path.name)
    places = {plan.column.target: plan.at for plan in typed.plans_for(header) if plan.header is not None}
    lines = Lines.of(path, header, {name: places.get(name, -1) for name in IDS})
    lines.stored = None if reading.encoding.startswith("utf-8") and -1 not in lines.wanted.values() else kept
    ready = kept.with_name(f"{family}-{_version(currencies)}")
    if ready.is_dir():
        arrays = fast_batches.kept(ready)
        lines.rows, lines.starts = reading.rows_total, arrays["starts"]
        return FastSide(fast_batches.as_frame(arrays), lines, arrays["gaps"], proof)
    moment, kind = ("posted_at", "transaction_type") if family == "pay_lines" else ("activity_at", "kind")
    rows = rows_at(kept).select(
        pl.col(moment).to_physical().alias("at"),
        pl.col("amount").to_physical().cast(pl.Int64),
        _group(pl.col(kind), pl.col("currency"), _KINDS[family], currencies).alias(GROUP),
        pl.col(kind).alias("kind"),
        *IDS,
    )
    side = _checked(_taken(rows, reading.rows_total, _KINDS[family]), lines, family)
    if side is not None:
        side.proof = proof
        columns = {name: side.frame[name].to_physical().to_numpy() for name in side.frame.columns}
        fast_batches.keep(ready, columns | {"starts": lines.starts, "gaps": side.gaps})
    return side


@cache
def _sources() -> bytes:
    here = Path(__file__).parent
    return b"".join(
        (here / name).read_bytes()
        for name in ("fast_pay.py", "fast_batches.py", "fast_lines.py", "folding.py", "keys.py")
    )


def _version(currencies: Sequence[str]) -> str:
    """What decides the numbers in a kept side: the sources that make them and the currencies in their order."""
    return hashlib.sha256(_sources() + repr((pl.__version__, list(currencies))).encode()).hexdigest()[:12]
