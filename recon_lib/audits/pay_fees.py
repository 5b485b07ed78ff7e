"""`pay_fee_differs`: the fee of each Amazon Pay line against the account's schedule. Only overcharges are findings.

Expected for a capture: percentage (rounded half up to the minor unit) + fixed. For a refund what comes back: the same
parts where the schedule says so. For a dispute or chargeback: the dispute fee. The schedule of the posting day holds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

from recon_lib.account import Account
from recon_lib.audits.evidence import PLACE, findings, not_checked, occurrence, words
from recon_lib.audits.pay_breaks import instant, order, reference
from recon_lib.money import MONEY, RATE, money_text_expr, round_money_expr

_AT_ONCE = (
    500_000  # lines: what was worked out for them is soon forgotten, so a thousand times as many need no more memory
)
_SCHEDULE: dict[str, Any] = {
    "currency": pl.String, "valid_from": pl.Date, "percentage": RATE, "fixed": MONEY,
    "percentage_back": pl.Boolean, "fixed_back": pl.Boolean, "dispute": MONEY,
}  # fmt: skip


def fees_differ(lines: pl.DataFrame, account: Account) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(frames.RawFinding, frames.NotChecked). Owed: expected − charged. Duplicate lines are left to `pay_duplicate`."""
    parts = [
        _told(_expected(_charged(lines.slice(start, _AT_ONCE), start), account))
        for start in range(0, max(lines.height, 1), _AT_ONCE)
    ]
    rows = pl.concat(parts)
    over = rows.filter(pl.col("expected") > pl.col("charged")).with_columns(
        (pl.col("expected") - pl.col("charged")).alias("owed")
    )
    ours = over.select("what", "charged", "valid_from", "percentage", "fixed", "expected", "owed")
    told = lines[over["row"]].hstack(ours).sort("posted_at", "settlement_id", "file", "line")
    return _findings(told, account), _not_checked(rows)


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that something has to be said of: charged too much, or not to be checked."""
    return rows.filter((pl.col("expected") > pl.col("charged")).fill_null(True))


def _charged(lines: pl.DataFrame, first: int) -> pl.DataFrame:
    """The few columns that decide, of the lines that have a fee to be checked: one row a line, `row` its place from `first`."""
    types = lines["transaction_type"].unique()
    disputes = types.filter(types.str.to_lowercase().str.contains("chargeback|dispute"))
    dispute = pl.col("transaction_type").is_in(disputes.implode())
    what = pl.when(pl.col("kind").is_not_null()).then("kind").when(dispute).then(pl.lit("dispute"))
    return (
        lines.lazy()
        .with_row_index("row", offset=first)
        .filter(pl.col("pile").is_null() | (pl.col("pile") != "duplicate"))
        .select(
            "row", "posted_on", "currency", "amount", what.alias("what"),
            pl.coalesce("total_fee", pl.col("percentage_fee") + pl.col("fixed_fee")).alias("charged"),
        )
        .filter(pl.col("what").is_not_null())
        .collect()
    )  # fmt: skip


def _expected(rows: pl.DataFrame, account: Account) -> pl.DataFrame:
    """With the row of the schedule that holds on the day of posting, and the `expected` fee."""
    rows = rows if rows["posted_on"].is_sorted() else rows.sort("posted_on")
    rows = rows.join_asof(
        _schedule(account),
        left_on="posted_on",
        right_on="valid_from",
        by="currency",
        strategy="backward",
        check_sortedness=False,
    )
    share = round_money_expr(
        (pl.col("amount").abs().cast(RATE) * pl.col("percentage") / pl.lit(Decimal(100), RATE)).cast(RATE)
    )
    # without a schedule of the day what comes back is unknown, not nothing
    zero = pl.when(pl.col("valid_from").is_not_null()).then(pl.lit(Decimal(0), MONEY))
    expected = (
        pl.when(pl.col("what") == "capture")
        .then(-share - pl.col("fixed"))
        .when(pl.col("what") == "refund")
        .then(
            pl.when("percentage_back").then(share).otherwise(zero) + pl.when("fixed_back").then("fixed").otherwise(zero)
        )
        .otherwise(-pl.col("dispute"))
    )
    return rows.with_columns(expected.cast(MONEY).alias("expected"))


def _findings(over: pl.DataFrame, account: Account) -> pl.DataFrame:
    over = over.with_columns(
        words("what", "currency", "amazon_transaction_id", "seller_reference_id", "seller_order_id", "order_reference_id",
              "amount", instant("posted_at"), "settlement_id", "charged").alias("name"),
    ).with_columns(occurrence(["name"])).with_columns(
        pl.when(pl.col("occurrence") > 1).then(pl.format("{}|{}", "name", "occurrence")).otherwise("name").alias("fact"),
        reference(account).alias("reference_id"), order().alias("order_id"), pl.col("posted_on").alias("event_on"),
        pl.concat_list(PLACE).alias("lines"),
        pl.format("{} of {}: expected fee {}, charged {} {} (schedule from {}: {} % + {})", "what", money_text_expr("amount"),
                  money_text_expr("expected"), money_text_expr("charged"), "currency", "valid_from",
                  pl.col("percentage").cast(pl.String).str.strip_chars_end("0").str.strip_chars_end("."),
                  money_text_expr("fixed")).alias("arithmetic"),
    )  # fmt: skip
    return findings(
        over, "pay_fee_differs", status="open", value_basis="charge", reason="fee above the account's schedule"
    )


def _schedule(account: Account) -> pl.DataFrame:
    rows = [
        (
            f.currency,
            f.valid_from,
            f.percentage,
            f.fixed,
            f.refund_percentage_returned,
            f.refund_fixed_returned,
            f.dispute,
        )
        for f in account.pay_fees
    ]
    return pl.DataFrame(rows, schema=_SCHEDULE, orient="row").sort("valid_from")


def _not_checked(rows: pl.DataFrame) -> pl.DataFrame:
    blank = rows.filter(pl.col("expected").is_null() | pl.col("charged").is_null())
    why = (
        pl.when(pl.col("charged").is_null())
        .then(pl.lit("the line states no fee"))
        .when(pl.col("valid_from").is_null())
        .then(pl.lit("no row of pay_fees holds for this currency and day: expected fee unknown"))
        .otherwise(pl.lit("pay_fees states no dispute fee: expected fee unknown"))
    )
    told = (
        blank.group_by("currency", "what", why.alias("why"))
        .agg(pl.len().cast(pl.Int64).alias("n"))
        .sort("currency", "what", "why")
    )
    return not_checked(
        [("pay_fee_differs", f"{what} lines in {currency}", reason, n) for currency, what, reason, n in told.rows()]
    )
