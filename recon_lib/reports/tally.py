"""What the rows of a streaming query add up to, taken while they pass, so that no second pass over the file is needed.

A batch is small (some 10 000 rows) and there are hundreds of them, so columns are asked directly where that is enough: a
query of its own for each batch would cost more than it tells.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Context, Decimal
from typing import Any

import polars as pl

from recon_lib.reports import dates, scan, verdicts
from recon_lib.reports.base import Report, counted_money
from recon_lib.reports.job import Summary, frame_of
from recon_lib.reports.recognise import Header

Told = dict[str, Any]
_EPOCH = date(1970, 1, 1)
_WIDE = Context(prec=60)


class Tally:
    """What `of` tells of each batch of rows that passed: one or more entries."""

    def __init__(self, of: Callable[[pl.DataFrame], list[Told]]) -> None:
        self._of = of
        self.seen: list[Told] = []

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
        self.seen += self._of(batch)
        return batch

    def any(self, name: str) -> bool:
        """Whether an entry's flag is set or its count is above 0."""
        return any(told[name] for told in self.seen)

    def sum(self, name: str) -> int:
        return sum(told[name] for told in self.seen)


def of_lines(header: Header, empty: frozenset[int], look: Callable[[pl.DataFrame], object] | None = None) -> Tally:
    """`rows` as the parser cut them; `filled` cells of columns that were thought empty; `short`: rows without a last cell.

    `look` sees each batch too.
    """
    last, blank = scan.columns_of(header)[-1], [f"c{at}" for at in empty]

    def of(batch: pl.DataFrame) -> list[Told]:
        if look is not None:
            look(batch)
        filled = sum(batch.height - batch[name].null_count() for name in blank)
        return [{"rows": batch.height, "filled": filled, "short": batch[last].null_count()}]

    return Tally(of)


def of_cells(checks: list[pl.Expr]) -> Tally:
    """`wrong`: the sum of the checks."""
    wrong = pl.sum_horizontal(pl.lit(0), *checks)
    return Tally(lambda batch: [{"wrong": batch.select(wrong).item()}])


def of_rows(report: Report, family: str) -> Tally:
    """Finished rows: `rows`, `wrong` by a rule of their frame; of the report's own frame the days and sums by currency."""
    frame = frame_of(report, family)
    filled, days, laws = verdicts.filled(frame), verdicts.days(frame), [wrong for wrong, _ in verdicts.laws(frame)]
    own = frame.columns() if family == report.family else {}
    period = report.period if report.period in own else None
    money = report.money if report.money in own and "currency" in own else None

    def of(batch: pl.DataFrame) -> list[Told]:
        wrong = any(batch[name].null_count() for name in filled) or any(_odd_years(batch[name]) for name in days)
        wrong = wrong or bool(laws and batch.select(pl.any_horizontal(laws).any()).item())
        told: Told = {"rows": batch.height, "wrong": wrong}
        if period is not None:
            at = batch[period].cast(pl.Int64)  # days since 1970
            told |= {"first": at.min(), "last": at.max()}
        if money is None or not batch.height:
            return [told]
        amount = batch[money] if report.money_when is None else batch.select(counted_money(report)).to_series()
        return [{**told, "sums": _sums(batch["currency"], amount)}]

    return Tally(of)


def _odd_years(at: pl.Series) -> bool:
    """Whether a day or instant lies out of the years that reports speak of."""
    day = 1 if at.dtype == pl.Date else 86_400_000_000
    count = at.cast(pl.Int64)
    first, last = count.min(), count.max()
    begin, end = date(dates.FIRST_YEAR, 1, 1) - _EPOCH, date(dates.LAST_YEAR + 1, 1, 1) - _EPOCH
    return isinstance(first, int) and isinstance(last, int) and not begin.days * day <= first <= last < end.days * day


def _sums(currency: pl.Series, amount: pl.Series) -> dict[str | None, int]:
    """Sum by currency in the smallest digit of the amount."""
    amount = amount.to_physical()
    if currency.n_unique() == 1:
        return {currency[0]: int(amount.sum())}
    by = (
        pl.DataFrame({"currency": currency.cast(pl.String), "amount": amount})
        .group_by("currency")
        .agg(pl.col("amount").sum())
    )
    return dict(by.iter_rows())


def summary_of(report: Report, rows: Tally) -> Summary:
    """First day, last day, total by currency from a tally of the report's own rows."""
    ends = [told[end] for told in rows.seen for end in ("first", "last") if told.get(end) is not None]
    first, last = ((_EPOCH + timedelta(pick(ends))).isoformat() if ends else None for pick in (min, max))
    totals: dict[str, int] = {}
    for sums in (told["sums"] for told in rows.seen if "sums" in told):
        for currency, amount in sums.items():
            totals[currency or ""] = totals.get(currency or "", 0) + amount
    scale = getattr(report.frame.columns()[report.money].dtype, "scale", 0) if report.money and totals else 0
    text = {c: format(Decimal(totals[c]).scaleb(-scale, context=_WIDE), "f") for c in sorted(totals)}
    return first, last, text
