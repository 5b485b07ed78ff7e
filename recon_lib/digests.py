"""What the audits read of very large reports, made once for a file and kept beside it in the store.

Of millions of ledger and settlement rows the audits look at few, or at sums of rows that stand together. Those depend on the
file alone, so they are worked out when the file is opened for the first time and read from there every day after.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl

from recon_lib import code_words, item_runs
from recon_lib.reports.base import rows_at
from recon_lib.reports.store import is_as_sealed, make_durable, seal

_SEALS = "seals.json"
# Movements that no audit looks at: sales, transfers between warehouses, removals on their way out.
BULK = ["Shipments", "WhseTransfers", "VendorReturns", "Whse Transfers", "Vendor Returns"]


def without_bulk(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The ledger rows that an audit looks at."""
    return rows.filter(~pl.col("event_type").is_in(BULK))


def _ledger(rows: pl.LazyFrame) -> dict[str, pl.DataFrame]:
    return {"ledger_detail": without_bulk(rows).collect(engine="streaming")}


MADE: dict[str, Callable[[pl.LazyFrame], dict[str, pl.DataFrame]]] = {
    "ledger_detail": _ledger,
    "settlement_lines": item_runs.digest,
}
"""Family -> what is made of its rows; each frame has the columns by which the rows are cut and set aside."""


@cache
def _version() -> str:
    sources = [Path(__file__), Path(item_runs.__file__), Path(code_words.__file__)]
    told = [source.read_bytes() for source in sources]
    # the numbers of items and orders are polars' own, which another version may make differently
    return hashlib.sha256(b"".join([*told, pl.__version__.encode()])).hexdigest()[:12]


def digested(family: str, parts: list[tuple[Path, str | None]], store: Path) -> dict[str, pl.LazyFrame]:
    """Name -> rows of all parts (a Parquet file of the store, and the file's name where the frame does not tell it)."""
    found: dict[str, list[pl.LazyFrame]] = {}
    for path, display in parts:
        for name, frame in _of_file(family, path, store, has_name=display is None).items():
            named = frame if display is None else frame.with_columns(pl.lit(display).alias("file"))
            found.setdefault(name, []).append(named)
    return {name: pl.concat(frames) for name, frames in found.items()}


def _of_file(family: str, path: Path, store: Path, *, has_name: bool) -> dict[str, pl.LazyFrame]:
    # the path inside the store names the reader's version and the content
    name = hashlib.sha256(str(path.relative_to(store)).encode()).hexdigest()
    folder = store / "digests" / _version() / name
    if not _is_whole(folder):
        rows = rows_at(path)
        _keep(MADE[family](rows if has_name else rows.with_columns(pl.lit("").alias("file"))), folder)
    return {part.stem: rows_at(part) for part in sorted(folder.glob("*.parquet"))}


def _is_whole(folder: Path) -> bool:
    try:
        seals = json.loads((folder / _SEALS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(seals) and all(is_as_sealed(folder / part, told) for part, told in seals.items())


def _keep(made: dict[str, pl.DataFrame], folder: Path) -> None:
    work = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    work.mkdir(parents=True, exist_ok=True)
    for part, frame in made.items():
        frame.write_parquet(
            work / f"{part}.parquet", compression="lz4"
        )  # read every day: half as large again, a fifth quicker
        make_durable(work / f"{part}.parquet")
    seals = {part.name: seal(part) for part in work.glob("*.parquet")}
    (work / _SEALS).write_text(json.dumps(seals), encoding="utf-8")
    try:
        os.replace(work, folder)
    except OSError:
        if _is_whole(folder):  # another process was quicker
            shutil.rmtree(work)
        else:  # left broken: make room
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(work, folder)
