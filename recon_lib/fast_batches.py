"""Batches of one scan laid into whole arrays as they come: no text is kept, nothing lies in memory twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from recon_lib.folding import needs_no_folding
from recon_lib.keys import KEY_COLUMNS

IDS = list(KEY_COLUMNS.values())
GROUP = "group"  # kind and currency as one small number
LAST = IDS[-1]  # the id that nearly every line has
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
        """Keeps a batch; true where no further one is wanted. `at`, `amount`, `group`, `kind`, the ids and their hashes."""
        if batch["at"].null_count():
            self.wrong = "moment"
        elif batch["amount"].null_count():
            self.wrong = "cell"
        elif batch[GROUP].null_count():
            aside = batch[GROUP].is_null()
            kinds = batch["kind"].filter(aside)
            if kinds.is_null().any() or kinds.str.strip_chars().str.to_lowercase().is_in(self._kinds).any():
                self.wrong = "kind"
            self.gaps += (aside.arg_true() + self.rows).to_list()
            self.rows += batch.height
            batch = batch.filter(~aside)
        else:
            self.rows += batch.height
        if not self.wrong and not self._folded and not all(needs_no_folding(batch[name]) for name in IDS):
            self.wrong = "folding"
        if self.wrong:
            return True
        end = self.kept + batch.height
        for name, array in self._arrays.items():
            array[self.kept : end] = batch[name].to_physical().to_numpy()
        self.kept = end
        return False

    def frame(self) -> pl.DataFrame:
        """What was kept, without copying it."""
        made = pl.DataFrame({name: pl.Series(array[: self.kept]) for name, array in self._arrays.items()})
        return made.with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))
