"""The tables of the monthly review, each for the page and for review.xlsx."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from recon_lib import month as months
from recon_lib import month_packets, month_recurring
from recon_lib.claims_book import SHEETS
from recon_lib.decisions import Event
from recon_lib.month import Month
from recon_lib.month_tieout import tie_out
from recon_lib.review_book import Sheet, specs
from recon_lib.titles import AUDIT_TITLES, reason_of


def sheets(month: Month, packets: Path | None, events: list[Event]) -> dict[str, Sheet]:
    """Every table of the review by its id. `packets`: the output folder of the account, `events`: of its register."""
    home, yardstick = month.day.books.account.currency, month.day.books.account.delay_days
    made = [
        _months(month), _funnel(month), _not_banked(month), _left(month), _delays(month, yardstick), _skus(month, home),
        _centres(month, home), _expired(month, packets), _cases(month), _accepted(month), *tie_out(month, packets, events),
    ]  # fmt: skip
    return {sheet.id: sheet for sheet in made}


def _titled(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("audit").replace(AUDIT_TITLES).alias("claim"))


def _months(month: Month) -> Sheet:
    columns = specs(
        "name | Month | day; found_units | Units found | number; found | Found (by event) | money; "
        "approved | Approved by Amazon | money; paid | Paid in settlements | money; expired | Ran out unclaimed | money"
    )
    caption = "Month by month, the newest first: what happened, what Amazon approved and paid, what ran out"
    rows = months.by_month(month).with_columns(pl.col("month").dt.to_string("%Y-%m").alias("name"))
    return Sheet("months", "Months", caption, rows, columns, empty="Nothing was found yet.", data=False)


def _funnel(month: Month) -> Sheet:
    rows = months.funnel(month).with_columns(pl.col("stage").replace(dict(months.STAGES)).alias("told"))
    columns = specs(
        "told | Stage; cases | Cases | number; units | Units | number; money | Events of this month | money; "
        "unknown | of unknown value | number; cases_all | Cases, all months | number; "
        "units_all | Units, all months | number; money_all | Events of all months | money; "
        "unknown_all | of unknown value | number"
    )
    return Sheet(
        "funnel",
        "Recovery",
        "How far the money came, each stage a part of the one above",
        rows,
        columns,
        empty="Nothing was found yet.",
        data=False,
    )


_BANK = {
    "differs": "the deposit came in another amount",
    "missing": "the deposit was not seen at the bank",
    "open": "the deposit is not due yet",
}


def _not_banked(month: Month) -> Sheet:
    unknown = "no deposit known: still running, without a payout, or no bank statement"
    told = pl.col("tied").replace_strict(_BANK, default=unknown, return_dtype=pl.String).alias("told")
    columns = specs(
        "settlement_id | Settlement | code; end_on | Ended | day; due_until | Due at the bank | day; "
        "units | Units | number; money | Paid for units | money; told | Why | long"
    )
    return Sheet(
        "not-banked",
        "Not at the bank",
        "Paid, but not known to be at the bank",
        months.not_banked(month).with_columns(told),
        columns,
        empty="Nothing that was paid is missing at the bank.",
        totals=("money",),
        data=False,
    )


def _left(month: Month) -> Sheet:
    kept = month.day.findings.filter(pl.col("audit").is_in(list(SHEETS)), pl.col("status") != "review")
    again = (
        pl.when(pl.col("audit").is_in(months.FUNNEL))
        .then(pl.lit("never approved"))
        .otherwise(pl.lit("approved, then not paid out or taken back"))
    )
    rows = (
        kept.with_columns(again.alias("what"))
        .group_by("status", "what", "currency")
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            pl.col("quantity").sum().alias("units"),
            pl.col("owed").sum().alias("money"),
            pl.col("owed").null_count().cast(pl.Int64).alias("unknown"),
            pl.col("claim_by").filter(pl.col("status") == "claimable").min().alias("first_day"),
        )
    )
    columns = specs(
        "status | Status; what | What | long; cases | Cases | number; units | Units | number; "
        "money | Known value | money; unknown | Value unknown | number; first_day | First last day | day"
    )
    caption = "Still missing at the end of the month, events of all months"
    return Sheet(
        "left", "Still missing", caption, rows.sort("status", "what", "currency", nulls_last=True), columns, data=False
    )


def _delays(month: Month, yardstick: int) -> Sheet:
    rows = months.delays_by_reason(month)
    names = {audit: reason_of(audit) for audit in rows["audit"]}
    columns = specs(
        "reason | Reason | long; paid | Approved | number; median_days | Median days | number; "
        f"p90_days | 9 of 10 within | number; over | Over {yardstick} days | number; over_pct | Share % | number; "
        "settle_median_days | Median to settlement | number; paid_before | Approved before | number; "
        "median_before | Median before | number"
    )
    return Sheet(
        "delays-by-reason",
        "Delays",
        "Days from the event to the approval: approved in this month, and in all months before",
        rows.with_columns(pl.col("audit").replace(names).alias("reason")),
        columns,
        data=False,
        empty="Nothing was approved in this month.",
    )


def _skus(month: Month, home: str) -> Sheet:
    return _recurring(month_recurring.skus(month), "sku", "SKU", "SKUs", home)


def _centres(month: Month, home: str) -> Sheet:
    return _recurring(month_recurring.centres(month), "centre", "Centre", "Fulfilment centres", home)


def _recurring(rows: pl.DataFrame, key: str, title: str, name: str, home: str) -> Sheet:
    told = pl.col("audits").list.eval(pl.element().replace(AUDIT_TITLES)).list.join("; ").alias("what")
    columns = specs(
        f"{key} | {title} | code; cases | Cases | number; cases_now | of them this month | number; months | Months | number; "
        f"units | Units | number; owed | Still owed ({home}) | money; what | What | long"
    )
    return Sheet(
        f"recurring-{key}",
        name,
        f"{name} with a case this month and at least one more",
        rows.with_columns(told),
        columns,
        empty=f"No {title if title.isupper() else title.lower()} had a case this month and another one.",
        rows=30,
    )


def _expired(month: Month, packets: Path | None) -> Sheet:
    columns = specs(
        "claim_by | Last day was | day; claim | Claim | long; reference_id | Reference | code; "
        "order_id | Order | code; sku | SKU | code; quantity | Units | number; owed | Lost | money; "
        "why | Why | long; last_shown | Last shown on | day; finding_id | Finding | code"
    )
    rows = _titled(month_packets.expired(month, packets))
    return Sheet(
        "expired",
        "Expired",
        "Claims whose last day passed in this month",
        rows,
        columns,
        totals=("owed",),
        empty="No claim ran out in this month.",
    )


def _cases(month: Month) -> Sheet:
    columns = specs(
        "age | Age in days | number; opened_on | Opened | day; case_id | Case | code; claim | Claim; "
        "stage | Last word; owed | Still owed | money; paid_amount | Paid for the case | money; "
        "is_due | Ask again | flag; note | Note | long; finding_id | Finding | code"
    )
    return Sheet(
        "cases",
        "Open cases",
        "Open cases, the oldest first",
        _titled(months.open_cases(month)),
        columns,
        empty="No case is open.",
        totals=("owed",),
    )


def _accepted(month: Month) -> Sheet:
    found = month.day.findings.select("finding_id", "audit", "owed", found_currency="currency")
    rows = month.day.decisions.standing.filter(pl.col("decision") == "accepted").join(
        found, on="finding_id", how="left"
    )
    rows = rows.with_columns(
        pl.coalesce("audit", pl.lit("no such finding any more")).alias("audit"), currency="found_currency"
    ).sort("said_on", "finding_id")
    columns = specs(
        "said_on | Accepted | day; who | By; claim | Difference; owed | Amount | money; note | Note | long; "
        "finding_id | Finding | code"
    )
    return Sheet(
        "accepted", "Accepted", "Accepted differences", _titled(rows), columns, empty="No difference was accepted."
    )
