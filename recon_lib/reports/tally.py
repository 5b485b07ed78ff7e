"""What the rows of a streaming query add up to, taken while they pass, so that no second pass over the file is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from recon_lib.reports import scan, typed, verdicts
from recon_lib.reports.base import Report
from recon_lib.reports.job import Summary, frame_of, summary
from recon_lib.reports.recognise import Header


class Tally:
    """One small frame for each batch of rows that passed; `of` makes it."""

    def __init__(self, of: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        self._of = of
        self._seen: list[pl.DataFrame] = []

    def over(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The same rows, counted. All their columns are made, also those that nothing else asks for."""
        return rows.map_batches(
            self._add,
            predicate_pushdown=False,
            projection_pushdown=False,
            slice_pushdown=False,
            validate_output_schema=False,
            streamable=True,
        )

    def _add(self, batch: pl.DataFrame) -> pl.DataFrame:
        self._seen.append(self._of(batch))
        return batch

    def seen(self) -> pl.DataFrame:
        """All the small frames, one below the other; without any column where no batch passed."""
        return pl.concat(self._seen) if self._seen else pl.DataFrame()

    def any(self, name: str) -> bool:
        """Whether a column of flags or counts is anywhere true or above 0."""
        seen = self.seen()
        return name in seen.columns and bool(seen[name].cast(pl.Boolean).any())

    def sum(self, name: str) -> int:
        seen = self.seen()
        return int(seen[name].sum()) if name in seen.columns else 0


def of_lines(header: Header, empty: frozenset[int]) -> Tally:
    """`rows` as the parser cut them; `filled` cells of columns that were thought empty; `short`: rows without a last cell."""
    last = scan.columns_of(header)[-1]
    filled = pl.sum_horizontal(pl.lit(0), *(pl.col(f"c{at}").count() for at in empty))
    wanted = [pl.len().alias("rows"), filled.alias("filled"), pl.col(last).null_count().alias("short")]
    return Tally(lambda batch: batch.select(wanted))


def of_cells(report: Report, plans: list[typed.Plan]) -> Tally:
    """`wrong`: cells that were not read without raising, and rows that the report's own check finds wrong."""
    checks = typed.unsure(plans)
    if report.check is not None:
        checks.append(report.check.is_not_null().sum().alias("check"))
    wrong = pl.sum_horizontal(pl.lit(0), *checks).alias("wrong")
    return Tally(lambda batch: batch.select(wrong))


def of_rows(report: Report, family: str, names: Mapping[str, str]) -> Tally:
    """Finished rows: `rows`, `wrong` by a rule of their frame; of the report's own frame the days and sums by currency."""
    frame = frame_of(report, family)
    rules = verdicts.rules(frame, names) + verdicts.impossible_days(frame)
    declared = frame.columns() if family == report.family else {}
    wanted = [
        pl.len().alias("rows"),
        pl.any_horizontal(pl.lit(False), *(wrong for wrong, _, _ in rules)).any().alias("wrong"),
    ]
    if report.period in declared:
        wanted += [pl.col(report.period).min(), pl.col(report.period).max().alias("last")]
    if report.money not in declared or "currency" not in declared:
        return Tally(lambda batch: batch.select(wanted))
    wanted.append(pl.col(report.money).sum())
    return Tally(lambda batch: batch.group_by("currency").agg(wanted).with_columns(pl.col("currency").cast(pl.String)))


def summary_of(report: Report, rows: Tally) -> Summary:
    """First day, last day, total by currency from a tally of the report's own rows."""
    seen = rows.seen()
    if "last" in seen.columns:
        nothing = [pl.lit(None, seen.schema[name]).alias(name) for name in seen.columns if name == report.money]
        ends = seen.with_columns(pl.col("last").alias(str(report.period)), *nothing)
        seen = pl.concat([seen, ends])
    return summary(report, seen.lazy())
