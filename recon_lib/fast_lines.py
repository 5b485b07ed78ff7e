"""Some lines of a large file once more: where each begins is found by counting line ends, without parsing the rest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from recon_lib.matching_terms import Array
from recon_lib.reports.recognise import Header

_BLOCK = 1 << 19


@dataclass
class Lines:
    """A file with a header; `wanted`: name -> place of the columns to give; `rows`: how many rows the parser found.

    `stored`: the doorway's typed rows, to be asked instead of a file that is not plain UTF-8.
    """

    path: Path
    width: int
    first: int  # lines above the rows
    separator: str
    quoted: bool
    wanted: Mapping[str, int]
    rows: int = -1
    stored: Path | None = None

    @classmethod
    def of(cls, path: Path, header: Header, wanted: Mapping[str, int]) -> Lines:
        return cls(path, len(header.names), header.line, header.separator, header.quoted, wanted)

    def scan(self) -> pl.LazyFrame:
        """All columns as text, `c0`, `c1` ..., and `line`, which counts from 1 and the header too."""
        return pl.scan_csv(
            self.path,
            separator=self.separator,
            quote_char='"' if self.quoted else None,
            has_header=False,
            skip_lines=self.first,
            schema=self._schema,
            row_index_name="line",
            row_index_offset=self.first + 1,
            glob=False,
        )

    def fetch(self, lines: pl.Series) -> pl.DataFrame:
        """The wanted columns of the given lines, in that order."""
        columns = [pl.col(f"c{place}").alias(name) for name, place in self.wanted.items()]
        unique = lines.unique().sort()
        if not len(lines):
            return pl.DataFrame(schema=dict.fromkeys(self.wanted, pl.String))
        if self.stored is None and len(self.starts) - 1 == self.rows:
            table = pl.read_csv(
                self._cut(unique.cast(pl.Int64).to_numpy() - (self.first + 1)),
                separator=self.separator,
                quote_char='"' if self.quoted else None,
                has_header=False,
                schema=self._schema,
            ).select(columns)
        else:  # a line end inside quotes: only the parser knows where a row begins
            only = pl.LazyFrame({"line": unique.cast(pl.UInt32)})
            rows = pl.scan_parquet(self.stored) if self.stored else self.scan().rename(
                {f"c{place}": name for name, place in self.wanted.items()}
            )  # fmt: skip
            rows = rows.select(pl.col("line").cast(pl.UInt32), *self.wanted)
            found = rows.join(only, on="line", how="semi").collect(engine="streaming")
            table = found.sort("line").drop("line")
        return table if lines.equals(unique) else table[unique.search_sorted(lines)]

    @property
    def _schema(self) -> dict[str, pl.DataType]:
        return {f"c{i}": pl.String() for i in range(self.width)}

    @cached_property
    def starts(self) -> Array:
        """Where each row begins, and behind the last where the file ends."""
        ends, at = [], 0
        block = bytearray(_BLOCK)
        letters = np.frombuffer(block, np.uint8)
        with self.path.open("rb", buffering=0) as file:
            while size := file.readinto(block):
                letters[size:] = 0
                ends.append(_line_ends(letters) + at)
                at += size
        found = np.concatenate(ends)[self.first - 1 :] if ends else np.zeros(0, np.int64)
        return found if len(found) and found[-1] == at else np.append(found, at)

    def _cut(self, places: Array) -> bytes:
        """The rows in these places; neighbours are read at once."""
        first = np.flatnonzero(np.diff(places, prepend=-2) != 1)
        last = np.append(first[1:], len(places)) - 1
        starts, ends = self.starts[places[first]].tolist(), self.starts[places[last] + 1].tolist()
        parts = []
        with self.path.open("rb") as file:
            for start, end in zip(starts, ends, strict=True):
                part = os.pread(file.fileno(), end - start, start)
                parts.append(part if part.endswith(b"\n") else part + b"\n")
        return b"".join(parts)


def _line_ends(block: Array) -> Array:
    """Behind which bytes a line ends. Most lines are long: eight bytes are looked at in one go."""
    words = (block == ord("\n")).view(np.uint64)
    where = np.flatnonzero(words != 0)
    found = words[where]
    if np.any(found & (found - np.uint64(1))):  # two ends within eight bytes
        return np.flatnonzero(block == ord("\n")) + 1
    return np.asarray(where * 8 + (np.bitwise_count(found - np.uint64(1)) >> 3) + 1)
