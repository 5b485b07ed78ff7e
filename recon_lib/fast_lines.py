"""Some lines of a large file once more: where each begins is found by counting line ends, without parsing the rest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from recon_lib.matching_terms import Array
from recon_lib.reports.base import rows_at
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
    _ahead: Future[Array] | None = None

    @classmethod
    def of(cls, path: Path, header: Header, wanted: Mapping[str, int]) -> Lines:
        return cls(path, len(header.names), header.line, header.separator, header.quoted, wanted)

    def scan(self) -> pl.LazyFrame:
        """All columns as text, `c0`, `c1` ..., and `place`, which counts the rows from 0."""
        return pl.scan_csv(
            self.path,
            separator=self.separator,
            quote_char='"' if self.quoted else None,
            has_header=False,
            skip_lines=self.first,
            schema=self._schema,
            row_index_name="place",
            glob=False,
        )

    def fetch(self, places: Array) -> pl.DataFrame:
        """The wanted columns of the rows in the given places (from 0), in that order."""
        columns = [pl.col(f"c{place}").alias(name) for name, place in self.wanted.items()]
        unique, order = np.unique(places, return_inverse=True)
        if not len(places):
            return pl.DataFrame(schema=dict.fromkeys(self.wanted, pl.String))
        if self.stored is None and len(self.starts) - 1 == self.rows:
            table = pl.read_csv(
                self._cut(unique),
                separator=self.separator,
                quote_char='"' if self.quoted else None,
                has_header=False,
                schema=self._schema,
            ).select(columns)
        else:  # a line end inside quotes: only the parser knows where a row begins
            only = pl.LazyFrame({"place": unique.astype(np.uint32)})
            rows = (
                rows_at(self.stored).with_row_index("place").select("place", *self.wanted)
                if self.stored
                else self.scan().select("place", *columns)
            )
            found = rows.join(only, on="place", how="semi").collect(engine="streaming")
            table = found.sort("place").drop("place")
        return table if len(unique) == len(places) and (places[1:] > places[:-1]).all() else table[order]

    @property
    def _schema(self) -> dict[str, pl.DataType]:
        return {f"c{i}": pl.String() for i in range(self.width)}

    @cached_property
    def starts(self) -> Array:
        """Where each row begins, and behind the last where the file ends."""
        return self._ahead.result() if self._ahead else self._found_starts()

    def look_ahead(self, pool: Executor) -> None:
        """Has `starts` found by another thread, for it will be asked for."""
        if "starts" not in self.__dict__:
            self._ahead = pool.submit(self._found_starts)

    def _found_starts(self) -> Array:
        kind = np.uint32 if self.path.stat().st_size < 1 << 32 else np.int64  # memory never used before is dear
        ends, at = [], 0
        block = bytearray(_BLOCK)
        letters = np.frombuffer(block, np.uint8)
        with self.path.open("rb", buffering=0) as file:
            while size := file.readinto(block):
                letters[size:] = 0
                ends.append((_line_ends(letters) + at).astype(kind))
                at += size
        found = np.concatenate(ends)[self.first - 1 :] if ends else np.zeros(0, kind)
        return found if len(found) and found[-1] == at else np.append(found, kind(at))

    def _cut(self, places: Array) -> bytes:
        """The rows in these places; neighbours are read at once."""
        first = np.flatnonzero(np.diff(places, prepend=-2) != 1)
        last = np.append(first[1:], len(places)) - 1
        starts, ends = self.starts[places[first]].tolist(), self.starts[places[last] + 1].tolist()
        with self.path.open("rb") as file:
            parts = [os.pread(file.fileno(), end - start, start) for start, end in zip(starts, ends, strict=True)]
        if parts[-1][-1:] != b"\n":  # the last row of the file
            parts.append(b"\n")
        return b"".join(parts)


def _line_ends(block: Array) -> Array:
    """Behind which bytes a line ends. Most lines are long: eight bytes are looked at in one go."""
    words = (block == ord("\n")).view(np.uint64)
    where = np.flatnonzero(words != 0)
    found = words[where]
    if np.any(found & (found - np.uint64(1))):  # two ends within eight bytes
        return np.flatnonzero(block == ord("\n")) + 1
    return np.asarray(where * 8 + (np.bitwise_count(found - np.uint64(1)) >> 3) + 1)
