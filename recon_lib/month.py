"""A month looked at as a whole: the books at its last day, grouped by what happened, was approved, was paid and ran out.

Pure: frames in, frames out. "Found" is every discrepancy Amazon can be asked to make good: the findings of FUNNEL (but
those for review only) and what Amazon has paid for since. Money is only known money; what is not known is counted beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from recon_lib.audits.deposits import bank_tieout
from recon_lib.claims_book import SHEETS
from recon_lib.errors import UsageError
from recon_lib.money import MONEY
from recon_lib.rollforward import rollforward_days
from recon_lib.trends import delay_figures

if TYPE_CHECKING:
    from recon_lib.reconcile import Day

# What Amazon approved and never paid out, or took back, is in the history already: counted here it would count twice.
FUNNEL = tuple(sorted(set(SHEETS) - {"reimbursement_not_settled", "reimbursement_reversed"}))
STAGES = (
    ("found", "Found"),
    ("claimed", "Claimed, or paid by Amazon by itself"),
    ("approved", "Approved (reimbursement report)"),
    ("paid", "Paid (settlement line)"),
    ("bank", "At the bank"),
)
TIED = ("exact", "two", "together", "late")  # ways in which a deposit came whole


@dataclass(frozen=True)
class Month:
    """The books at the end of a month. `cases` is the events of FUNNEL with how far each came on its way to the bank."""

    day: Day
    first: date
    cases: pl.DataFrame

    @property
    def last(self) -> date:
        return self.day.books.as_of

    @property
    def name(self) -> str:
        return f"{self.first:%Y-%m}"

    def holds(self, column: str) -> pl.Expr:
        """Is the day in `column` in this month?"""
        return pl.col(column).is_between(self.first, self.last)


def month_of(day: Day) -> Month:
    """The month that ends with the day."""
    return Month(day, day.books.as_of.replace(day=1), _cases(day))


def last_day(month: str) -> date:
    """The last day of `2026-01`; UsageError for anything else."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise UsageError(f"{month!r} is no month", hoped="a month like 2026-01") from None
    return (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _cases(day: Day) -> pl.DataFrame:
    """One row a finding of FUNNEL and one a payment: what, when, units, known money, status, days of approval and payment, stage.

    `stage`: how many of STAGES it has passed after "found" (0 to 4). What came back into stock is no money: not here.
    """
    claimed = day.decisions.standing.filter(pl.col("decision") == "claimed")["finding_id"].implode()
    found = day.findings.filter(pl.col("audit").is_in(FUNNEL), pl.col("status") != "review").select(
        "audit", "event_on", "sku", "finding_id", "status", "evidence", "claim_by", "currency",
        units="quantity", money="owed", approved_on=pl.lit(None, pl.Date), paid_on=pl.lit(None, pl.Date),
        stage=(pl.col("finding_id").is_in(claimed) | (pl.col("status") == "claimed")).cast(pl.Int8),
    )  # fmt: skip
    settled = _at_bank(day).select(
        "audit", "event_on", "sku", finding_id=pl.lit(None, pl.String), status=pl.lit("settled"),
        evidence=pl.lit(None, pl.String), claim_by=pl.lit(None, pl.Date), currency="currency", units="quantity", money="amount",
        approved_on="paid_on", paid_on="settled_on",
        stage=pl.when(pl.col("is_banked")).then(4).when(pl.col("settled_on").is_not_null()).then(3).otherwise(2).cast(pl.Int8),
    )  # fmt: skip
    order = ["audit", "event_on", "sku", "finding_id", "approved_on", "paid_on", "money", "units"]
    alike = settled.select(pl.col(name).cast(kind) for name, kind in found.schema.items())
    return pl.concat([found, alike]).sort(order, nulls_last=True)


def _at_bank(day: Day) -> pl.DataFrame:
    """The payments of the history with `is_banked` (the deposit of their settlement came whole), `settlement_id` and `tied`.

    The history names the day of the line: it belongs to the first settlement of its currency that ends on that day or later.
    """
    paid = day.history.filter(pl.col("amount").is_not_null()).with_row_index("at")
    ways = bank_tieout(day.books).select(settlement_id="reference_id", tied="tied", due_until="due_until")
    ends = day.settlements.join(ways, on="settlement_id", how="left").select(
        "currency", "settlement_id", "start_on", "end_on", "tied", "due_until"
    )
    lines = paid.filter(pl.col("settled_on").is_not_null()).join(ends, on="currency", how="inner")
    lines = lines.filter(pl.col("settled_on").is_between(pl.col("start_on"), pl.col("end_on")))
    first = lines.sort("at", "end_on", "settlement_id").unique("at", keep="first", maintain_order=True)
    told = first.select("at", "settlement_id", "end_on", "tied", "due_until")
    joined = paid.join(told, on="at", how="left").sort("at")
    return joined.with_columns(pl.col("tied").is_in(TIED).fill_null(False).alias("is_banked"))


def not_banked(month: Month) -> pl.DataFrame:
    """What was paid and is not at the bank, by settlement: units, money, the day by which it is due, and `tied`.

    `tied`: differs, missing, open (not due yet), null (no deposit is known: still running, or without a payout).
    """
    rows = _at_bank(month.day).filter(pl.col("settled_on").is_not_null(), ~pl.col("is_banked"))
    return (
        rows.group_by("settlement_id", "end_on", "due_until", "tied", "currency")
        .agg(pl.col("quantity").sum().alias("units"), pl.col("amount").sum().alias("money"))
        .sort("end_on", "settlement_id", "currency", nulls_last=True)
    )


def funnel(month: Month) -> pl.DataFrame:
    """One row a stage and currency: units, known money, cases and those of unknown value, of the month's events and of all.

    Columns `units`, `money`, `cases`, `unknown` (events of the month) and the same with `_all`. Currency null: not known.
    """
    cases = month.cases.with_columns(month.holds("event_on").fill_null(False).alias("now"))
    parts = [
        cases.filter(pl.col("stage") >= at).group_by("currency").agg(
            pl.lit(at, pl.Int8).alias("rank"), pl.lit(name).alias("stage"), *_sums("now", ""), *_sums(None, "_all")
        )
        for at, (name, _) in enumerate(STAGES)
    ]  # fmt: skip
    names = [(rank, name) for rank, (name, _) in enumerate(STAGES)]
    stages = pl.DataFrame(names, schema={"rank": pl.Int8, "stage": pl.String}, orient="row")
    whole = parts[0].select("currency").join(stages, how="cross")
    rows = whole.join(pl.concat(parts).drop("stage"), on=["currency", "rank"], how="left", nulls_equal=True)
    numbers = [name for name in rows.columns if name not in ("currency", "rank", "stage")]
    return rows.with_columns(pl.col(numbers).fill_null(0)).sort("currency", "rank", nulls_last=True)


def _sums(flag: str | None, end: str) -> list[pl.Expr]:
    now = pl.col(flag) if flag else pl.lit(True)
    return [
        pl.col("units").filter(now).sum().cast(pl.Int64).alias(f"units{end}"),
        pl.col("money").filter(now).sum().cast(MONEY).alias(f"money{end}"),
        now.sum().cast(pl.Int64).alias(f"cases{end}") if flag else pl.len().cast(pl.Int64).alias(f"cases{end}"),
        (pl.col("money").is_null() & now).sum().cast(pl.Int64).alias(f"unknown{end}"),
    ]


def by_month(month: Month, months: int = 12) -> pl.DataFrame:
    """One row a month and currency, the newest first, at most `months` up to this one.

    `found_units`, `found` by the day of the event; `approved` and `paid` by their own days; `expired` by the last day to claim.
    """
    days = {"found": "event_on", "approved": "approved_on", "paid": "paid_on", "expired": "claim_by"}
    parts = []
    for name, on in days.items():
        rows = month.cases.filter(pl.col("status") == "expired") if name == "expired" else month.cases
        known = rows.filter(pl.col(on).is_not_null(), pl.col("currency").is_not_null())
        units = pl.col("units").cast(pl.Int64) if name == "found" else pl.lit(None, pl.Int64)
        money = [pl.col("money").alias(n) if n == name else pl.lit(None, MONEY).alias(n) for n in days]
        parts.append(
            known.select(pl.col(on).dt.truncate("1mo").alias("month"), "currency", units.alias("found_units"), *money)
        )
    back = month.first.year * 12 + month.first.month - months
    since = date(back // 12, back % 12 + 1, 1)
    rows = pl.concat(parts).filter(pl.col("month").is_between(since, month.first))
    return (
        rows.group_by("month", "currency")
        .agg(pl.col("found_units").sum(), pl.col(*days).sum())
        .sort("month", "currency", descending=[True, False])
    )


def delays_by_reason(month: Month) -> pl.DataFrame:
    """One row a reason (audit): the delay figures of what was approved in the month, and the median of all before it."""
    yardstick = month.day.books.account.delay_days
    rows = month.day.history.filter(pl.col("amount").is_not_null())
    now = rows.filter(month.holds("paid_on")).group_by("audit").agg(delay_figures(yardstick))
    before = rows.filter(pl.col("paid_on") < month.first).group_by("audit").agg(delay_figures(yardstick))
    return (
        now.filter(pl.col("paid") > 0)
        .join(before.select("audit", paid_before="paid", median_before="median_days"), on="audit", how="left")
        .sort("paid", "audit", descending=[True, False])
    )


def open_cases(month: Month) -> pl.DataFrame:
    """Every open case with its age in days, the oldest first, and what its finding is still worth."""
    found = month.day.findings.select("finding_id", "audit", "owed", found_currency="currency")
    cases = month.day.decisions.standing.filter(pl.col("decision") == "claimed").join(
        found, on="finding_id", how="left"
    )
    age = (pl.lit(month.last) - pl.coalesce("opened_on", "said_on")).dt.total_days().alias("age")
    return cases.with_columns(
        age, pl.coalesce("audit", pl.col("finding_id").str.replace(r"-[0-9a-f]{16}$", "")).alias("audit"),
        pl.coalesce("found_currency", "currency").alias("currency"),
    ).sort("age", "finding_id", descending=[True, False])  # fmt: skip


def policy_changes(month: Month) -> pl.DataFrame:
    """Rows of the policy tables of this marketplace that began or ended to hold in the month: `on`, `change`, `row`, `status`."""
    store = month.day.books.account.marketplace
    parts = []
    for table in month.day.policy.tables.values():
        mine = table.filter(pl.col("marketplace") == store)
        for column, change in (("effective_from", "begins"), ("effective_to", "ends")):
            kept = mine.filter(month.holds(column))
            parts.append(kept.select(on=column, change=pl.lit(change), row="row", status="status"))
    return pl.concat(parts).sort("on", "change", "row")


def rolled(month: Month) -> pl.DataFrame:
    """The Amazon Pay roll-forward of every day of the month, by currency and day, as the files tell it at the month's end."""
    return rollforward_days(month.day.pay.activity, month.first, month.last, month.day.books.account.currencies)


def settled_in(month: Month) -> pl.DataFrame:
    """The settlements that ended in the month, as `tieout.settlement_tieout`, with `ties`."""
    ended = month.day.settlements.filter(month.holds("end_on"))
    return ended.with_columns((pl.col("difference") == 0).alias("ties"))


def posted_lines(month: Month) -> pl.DataFrame:
    """What was posted in the month's settlements: lines and money by transaction type, amount type and currency."""
    lines = month.day.books.frames["settlement_lines"].filter(month.holds("posted_on"))
    keys = ["currency", "transaction_type", "amount_type"]
    sums = lines.group_by(keys).agg(pl.len().cast(pl.Int64).alias("lines"), pl.col("amount").sum())
    return sums.sort(keys, nulls_last=True).collect()
