"""Batches of one scan laid into whole arrays as they come: no text is kept, nothing lies in memory twice."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from recon_lib.folding import needs_no_folding
from recon_lib.matching_terms import Array
from recon_lib.pay_keys import KEY_COLUMNS

IDS = list(KEY_COLUMNS.values())
GROUP = "group"  # kind and currency as one small number
NO_GROUP = 255  # a kind or currency that is none of them
LAST = IDS[-1]  # the id that nearly every line has
_EMPTY = 128  # bytes of an array file that holds nothing
_COLUMNS: dict[str, Any] = {"at": np.int64, "amount": np.int64, GROUP: np.uint8}
_COLUMNS |= {f"{name}#": np.uint64 for name in IDS} | {f"{LAST}##": np.uint32}


class Taken:
    """The rows of one side so far.

    rows    how many rows came
    gaps    those of them, from 0, whose kind is none of `kinds`: left aside
    wrong   why the rest was not looked at: "moment", "cell", "kind" (a cell or kind is not written as it should be) or
            "folding" (an id does not stand as it is compared); "" where all is well
    """

    def __init__(self, most: int, kinds: tuple[str, str], *, folded: bool) -> None:
        self.rows, self.kept, self.wrong = 0, 0, ""
        self.gaps: list[int] = []
        self._folded, self._kinds = folded, [kind.lower() for kind in kinds]
        # Memory that is never written to costs nothing: the arrays may be far too long.
        self._arrays = {name: np.empty(most, kind) for name, kind in _COLUMNS.items()}

    def take(self, batch: pl.DataFrame) -> bool:
        """Keeps a batch; true where no further one is wanted. `at`, `amount`, `group` (plain numbers), `kind` (of rows
        without a group), the ids and their hashes."""
        groups = batch[GROUP].to_numpy()
        if batch["at"].null_count():
            self.wrong = "moment"
        elif batch["amount"].null_count():
            self.wrong = "cell"
        elif groups.max(initial=0) == NO_GROUP:
            aside = np.flatnonzero(groups == NO_GROUP)
            kinds = batch["kind"].drop_nulls().to_list()
            if len(kinds) < len(aside) or any(kind.strip().lower() in self._kinds for kind in kinds):
                self.wrong = "kind"
            self.gaps += (aside + self.rows).tolist()
        self.rows += batch.height
        if not self.wrong and not self._folded and not all(needs_no_folding(batch[name]) for name in IDS):
            self.wrong = "folding"
        if self.wrong:
            return True
        inside = groups != NO_GROUP
        end = self.kept + int(inside.sum())
        for name, array in self._arrays.items():
            column = batch[name].to_numpy()
            array[self.kept : end] = column if end - self.kept == len(column) else column[inside]
        self.kept = end
        return False

    def frame(self) -> pl.DataFrame:
        """What was kept, without copying it."""
        return as_frame({name: array[: self.kept] for name, array in self._arrays.items()})


def as_frame(arrays: Mapping[str, Array]) -> pl.DataFrame:
    """The arrays of a side as its columns, in the same memory."""
    made = pl.DataFrame({name: pl.Series(arrays[name]) for name in _COLUMNS})
    return made.with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))


def keep(folder: Path, arrays: Mapping[str, Array]) -> None:
    """Keeps arrays in a folder that is complete as soon as it is there."""
    made = Path(tempfile.mkdtemp(prefix=".tmp-", dir=folder.parent))
    try:
        for name, array in arrays.items():
            np.save(made / f"{name}.npy", array)
        with suppress(OSError):  # another process was quicker
            os.replace(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def kept(folder: Path) -> dict[str, Array]:
    """The arrays that `keep` kept, read from the disk where they are looked at; an empty one cannot be mapped."""
    paths = sorted(folder.glob("*.npy"))
    return {path.stem: np.load(path, mmap_mode="r" if path.stat().st_size > _EMPTY else None) for path in paths}
