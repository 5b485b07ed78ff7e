"""Ids that a spreadsheet has shortened: it shows 19600000000 as 1.96E+10 and saves what it shows."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from recon_lib.reports.typed import Plan

_SIGN = b"E+"
_SHAPE = r"^\d(\.\d+)?E\+\d{2}$"
_MOST = 1 << 29
"""Bytes: no spreadsheet holds the rows of a larger report."""


def shortened(path: Path, plans: Iterable[Plan], frames: Iterable[pl.LazyFrame]) -> list[str]:
    """What to say of such cells in the text columns of a file; the digits are lost, so they stay as written."""
    if not _may_have(path):
        return []
    names = {plan.column.target: plan.header for plan in plans if plan.header and plan.column.kind == "text"}
    cells: dict[str, list[str]] = {}
    for rows in frames:
        if texts := [name for name in rows.collect_schema().names() if name in names]:
            is_hit = pl.any_horizontal(pl.col(texts).str.contains(_SHAPE))
            for column in rows.filter(is_hit).select(texts).collect():
                cells.setdefault(column.name, []).extend(column.filter(column.str.contains(_SHAPE)).to_list())
    return [
        f"{len(found)} {'cells' if len(found) > 1 else 'cell'} of {names[name]} "
        f"{'are numbers' if len(found) > 1 else 'is a number'} that a spreadsheet shortened ({found[0]}): the id is lost; "
        "download the report again and use it as it comes"
        for name, found in cells.items()
        if found
    ]


def _may_have(path: Path) -> bool:
    if not 0 < path.stat().st_size <= _MOST:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(_SIGN) >= 0
