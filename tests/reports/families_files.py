"""Small report files written by hand and read through the doorway."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl

from recon_lib import reports
from recon_lib.reports.base import Reading

SHARED = Path(__file__).parents[2].parent / "shared" / "samples"


def D(text: str) -> Decimal:
    return Decimal(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def read(folder: Path, content: str | bytes, name: str = "file.txt", marketplace: str | None = None) -> Reading:
    """One file with this content, read; the store lies beside it."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return reports.read(path, store=folder / "store", display=name, marketplace=marketplace)


def rows(reading: Reading, family: str | None = None) -> pl.DataFrame:
    return reading.rows(family or reading.family).collect().sort("line")


def tabbed(*lines: str) -> str:
    """Lines written with ` | ` between the cells -> a tab file."""
    return "".join("\t".join(cell.strip() for cell in line.split("|")) + "\n" for line in lines)


def table(**cells: str) -> str:
    """One row: header and values, tab-separated; underscores in names become hyphens."""
    names = [name.replace("_", "-") for name in cells]
    return "\t".join(names) + "\n" + "\t".join(cells.values()) + "\n"


def everything(reading: Reading) -> str:
    """All text of what was read: frames, rejects, facts, notes."""
    frames = "".join(reading.rows(family).collect().write_csv() for family in reading.frames)
    return frames + reading.rejects.write_csv() + str(dict(reading.facts)) + str(reading.notes) + str(reading)


def stored_bytes(folder: Path) -> bytes:
    """Every byte of every file below the store."""
    return b"".join(path.read_bytes() for path in sorted((folder / "store").rglob("*")) if path.is_file())
