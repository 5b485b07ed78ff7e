"""What a report family declares, and what reading one file gives back. No reading happens here.

A family is a `Report`: the frame it becomes, how its columns are called in every layout, which columns hold buyers'
data, and what makes two rows the same row. One shared reader (`reader.py`) does all the work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

import dataframely as dy
import polars as pl

Kind = Literal["text", "int", "money", "fine", "measure", "day", "instant", "moment"]
"""How a cell is read.

text     trimmed, empty is null
int      whole number (`10`, `10.0` and `1,000` too), negative allowed
money    at most 2 digits after the mark (`fine`: at most 4); decimal mark of the column, thousands marks, brackets =
         negative
measure  at most 8 digits after the mark
day      a calendar day in any written shape -> Date column of that name
instant  gives two columns: for the target `posted` the reader fills `posted_at` (UTC, null where the text has no
         time zone) and `posted_on` (the day as written)
moment   a point in time that must have a zone -> one Datetime(UTC) column of that very name
"""


@dataclass(frozen=True)
class Column:
    """One target column: its name in the frame, the names it has in files (any case; blanks, `-` and `_` are ignored)."""

    target: str
    names: tuple[str, ...]
    kind: Kind = "text"
    required: bool = False  # the header must have it for the file to be this report


@dataclass(frozen=True, eq=False)
class Report:
    """One report family.

    key             natural key for overlapping files (section 13 of the format notes): columns of the frame,
                    without what changes. Rows equal in the key are counted per file and merged by maximum count; a
                    file's own twins all count.
    newest_by       the row is updated in place: per key and occurrence the row with the largest value of this
                    column wins.
    private         header names of buyers' data: dropped before anything else sees them, never in a reject either.
    signature       header names (any case, blanks/-/_ ignored) that together mean "this report"; the first family
                    in FAMILIES whose signature fits and that no more specific one claims is it. Two claimants with
                    equally long signatures: name both.
    quoted          None: sniffed (tab: unquoted, comma: quoted); True for ledger-like quoted tab files.
    check, finish   `check` runs on the typed rows (rejects with its text as reason), then `finish`; columns whose
                    target is not in the frame are there for these two and are left behind afterwards. `finish` may
                    make several rows of one (same `line`).
    money_when      (column, word): only rows with this word there count in the file's total, where a file has one row a
                    state of the same money.
    language        what the header is written in (facts["language"]); sets the order of day and month where a date
                    leaves it open.
    prepare         facts that the rows themselves tell (a currency that stands on the summary row only); gets the
                    rows as text under their target names. Facts always there: `language` (the header's), `preamble`
                    (the text before the header), `marketplace` (the account's, where given), `columns` (the header
                    names, normalised, one blank between).
    split           where one file gives several frames: typed rows (after `finish`) -> family -> rows;
                    `extra_frames` names the frames of the families beside the report's own.
    above           where the lines above the header tell rows of another family: facts of each file -> family -> rows, in the
                    order of the files, with `nth` the number of the file.
    words           text columns with few different texts (codes, names of stores): a large file keeps them coded while
                    it is read. No text is taken apart in `check`, `finish` or `split` there.
    head_only       families of `split` whose rows all stand among the first rows of a file (a settlement's summary
                    row); the reader proves it by counting.
    remark          what `recon check` should say about the finished frames (family -> stored rows).
    sniff, read     for files without a header line (JSON, OFX, MT940, CAMT): `sniff` says from the first 64 KiB
                    whether the file is it, `read` turns the whole bytes into `Rows`; storing and hashing stay with
                    the shared reader.
    """

    family: str
    title: str
    frame: type[dy.Schema]
    columns: tuple[Column, ...]
    signature: tuple[str, ...]
    key: tuple[str, ...] = ()
    newest_by: str | None = None
    private: tuple[str, ...] = ()
    quoted: bool | None = None
    language: str | None = None
    period: str | None = None  # the `_on` column that gives the file's period
    money: str | None = None  # the money column that gives the file's total by currency
    money_when: tuple[str, str] | None = None
    check: pl.Expr | None = None  # over the typed columns: why the row must be rejected (text), null where it is good
    finish: Callable[[pl.LazyFrame, Mapping[str, str]], pl.LazyFrame] | None = (
        None  # last step: derived columns, file-level facts
    )
    prepare: Callable[[pl.LazyFrame], Mapping[str, str]] | None = None
    split: Callable[[pl.LazyFrame, Mapping[str, str]], Mapping[str, pl.LazyFrame]] | None = None
    above: Callable[[Sequence[Mapping[str, str]]], Mapping[str, pl.LazyFrame]] | None = None
    extra_frames: Mapping[str, type[dy.Schema]] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    head_only: tuple[str, ...] = ()
    remark: Callable[[Mapping[str, pl.LazyFrame]], list[str]] | None = None
    sniff: Callable[[bytes], bool] | None = None
    read: Callable[[bytes], Rows] | None = None


def counted_money(report: Report) -> pl.Expr:
    """The money that counts in a file's total, row by row; null where the row counts nothing."""
    amount = pl.col(report.money or "")
    if report.money_when is None:
        return amount
    column, word = report.money_when
    return pl.when(pl.col(column).str.to_lowercase() == word).then(amount)


@dataclass(frozen=True)
class Rows:
    """What an own reading function gives: frames by family (frame columns without `file`, with `line`) and what was rejected.

    `rejects` has line, column, value, reason. A file that is unusable as a whole raises ReportError instead.
    """

    frames: Mapping[str, pl.DataFrame]
    rejects: pl.DataFrame | None = None
    encoding: str = "utf-8"
    layout: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


FEW = ".arrows"


@dataclass(frozen=True)
class Reading:
    """What one file (or one member of an archive) gave.

    `frames`: family -> file of typed rows (with `line`, without `file`: the same bytes may lie under two names), or folder of
    several; `rows_at`.
    `rejects`: DataFrame line/column/value/reason, one row a rejected physical row.
    rows_total = rows_used + rows_rejected, counted in physical rows (a V1 row with three amounts is one row).
    """

    family: str
    title: str
    sha256: str
    encoding: str
    rows_used: int
    rows_rejected: int
    period_from: str | None  # YYYY-MM-DD
    period_to: str | None
    totals: Mapping[str, Decimal]  # currency -> sum of the family's money column
    frames: Mapping[str, Path]
    rejects: pl.DataFrame
    layout: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)  # what a preamble said
    notes: tuple[str, ...] = ()  # said by `recon check`: unknown columns kept aside, ambiguous marks resolved, ...

    @property
    def rows_total(self) -> int:
        return self.rows_used + self.rows_rejected

    def rows(self, family: str) -> pl.LazyFrame:
        """The typed rows of one of the file's families."""
        return rows_at(self.frames[family])


def keep_few(rows: pl.DataFrame, path: Path) -> Path:
    """Keeps a few rows in a file of their own beside `path`, and names it; `rows_at` reads it.

    An account has hundreds of small files: to write Parquet takes three times as long as an Arrow stream, to read it ten times.
    """
    few = path.with_suffix(FEW)
    rows.write_ipc_stream(few, compression="lz4")
    return few


def rows_at(path: Path, *columns: str) -> pl.LazyFrame:
    """The rows that are kept in a file of the store: Parquet, to be scanned, or an Arrow stream of a few.

    `columns`: only these; of a stream the others are not unpacked.
    """
    if path.suffix == FEW:
        return pl.read_ipc_stream(path, columns=list(columns) or None).lazy()
    rows = pl.scan_parquet(parts_at(path), glob=False)
    return rows.select(columns) if columns else rows


def parts_at(path: Path) -> list[Path]:
    """The files in which such rows lie, in their order: of a report that grew there are several in a folder."""
    return sorted(path.iterdir()) if path.is_dir() else [path]
