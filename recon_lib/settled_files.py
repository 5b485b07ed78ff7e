"""One settlement, one file: which copies of a settlement are set aside when several files hold the same settlement id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recon_lib.errors import ReportError
from recon_lib.reports.base import rows_at


@dataclass(frozen=True)
class Conflict:
    """One settlement id with different content in several files: none of them can be believed."""

    settlement_id: str
    files: tuple[str, ...]
    why: str

    def problem(self, file: str | None = None) -> ReportError:
        """The refusal of all the files, or of one of them that names the others."""
        others = " and ".join(name for name in self.files if name != file)
        return ReportError(
            f"settlement {self.settlement_id} stands {'also ' if file else ''}in {others} with different content: {self.why}",
            hoped="one settlement told once, or the same rows downloaded again",
            do="download the settlement again and remove the wrong file",
        )


def superseded_settlements(totals: Mapping[str, Path], lines: Mapping[str, Path]) -> list[tuple[str, str]]:
    """The (file, settlement id) pairs that another file tells better.

    A settlement in V1 and V2 layout is one settlement: V2 is used and the totals must be equal. A file whose rows are
    contained in another one of the same id is a re-download. Anything else under one id cannot be decided.

    Args:
        totals: file -> where its frames.Settlement are kept.
        lines: file -> where its frames.SettlementLine are kept.

    Raises:
        ReportError: two files hold different content under one settlement id; both are named.
    """
    gone, found = compared_settlements(totals, lines)
    if found:
        raise found[0].problem()
    return gone


def compared_settlements(
    totals: Mapping[str, Path], lines: Mapping[str, Path]
) -> tuple[list[tuple[str, str]], list[Conflict]]:
    """The same pairs, and every settlement whose files contradict each other."""
    gone: list[tuple[str, str]] = []
    found: list[Conflict] = []
    if len(totals) < 2:
        return gone, found
    known = pl.concat(
        rows_at(path)
        .select("settlement_id", "layout", "total_amount", "currency")
        .with_columns(pl.lit(file).alias("file"))
        for file, path in totals.items()
    ).collect()
    several = known.filter(pl.col("file").n_unique().over("settlement_id") > 1).sort("settlement_id", "file")
    for (settlement_id,), copies in several.group_by("settlement_id", maintain_order=True):
        name, files = str(settlement_id), tuple(copies["file"].unique(maintain_order=True))
        best = copies.filter(pl.col("layout") == "V2")
        best = copies if best.is_empty() else best
        keep, odd = _largest(name, best["file"].to_list(), lines)
        if odd is not None:
            found.append(Conflict(name, (keep, odd), "neither contains the rows of the other"))
        elif copies.drop_nulls("total_amount").unique(["total_amount", "currency"]).height > 1:
            found.append(Conflict(name, files, "they state different totals"))
        else:
            gone += [(file, name) for file in files if file != keep]
    return gone, found


def _largest(settlement_id: str, files: list[str], lines: Mapping[str, Path]) -> tuple[str, str | None]:
    """The file with the most rows, and a file with rows that are not among these.

    Of equal ones the file that fills the most columns, then the first by name. A column that is empty in one of two files
    tells nothing there: layouts have more columns or fewer.
    """
    rows = {file: _rows(lines[file], settlement_id) for file in dict.fromkeys(files)}
    filled = {file: {c for c in of.columns if of[c].null_count() < of.height} for file, of in rows.items()}
    keep = min(rows, key=lambda file: (-rows[file].height, -len(filled[file]), file))
    for file in rows:
        both = sorted(filled[file] & filled[keep])
        if file == keep or not both:
            continue
        own, whole = (rows[of].group_by(both).agg(pl.len().alias("n")) for of in (file, keep))
        beside = own.join(whole, on=both, how="left", nulls_equal=True, suffix="_whole")
        if not beside.filter(pl.col("n_whole").fill_null(0) < pl.col("n")).is_empty():
            return keep, file
    return keep, None


def _rows(path: Path, settlement_id: str) -> pl.DataFrame:
    return (
        rows_at(path)
        .filter(pl.col("settlement_id") == settlement_id)
        .drop("line", "file", "part", strict=False)
        .collect()
    )
