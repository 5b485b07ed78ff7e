"""What the fee audits share: tolerance, evidence, counting of what could not be known."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from string import Formatter

import polars as pl

from recon_lib import frames
from recon_lib.audits.evidence import findings, words
from recon_lib.money import MONEY, RATE, minor_digits, money_text_expr

NAMES = (
    "fulfilment_fee_overcharge", "measurement_error", "referral_fee_error", "refund_fee_kept", "storage_fee_overcharge",
)  # fmt: skip
FULFILMENT_FEE, MEASUREMENT, REFERRAL, REFUND_FEE, STORAGE = NAMES
_ODD = {c: Decimal(1).scaleb(-minor_digits(c)) for c in ("JPY", "KRW", "VND", "CLP", "KWD", "BHD", "OMR", "JOD", "TND")}
_NOT_DANGEROUS = ["", "--", "none", "no", "n/a", "false", "not dangerous"]
Unchecked = list[tuple[str, str, str, int | None]]


def count(audit: str, rows: pl.DataFrame, subject: str, unchecked: Unchecked) -> None:
    """Counts `rows` (each as often as its column `rows` says) by their `reason`; up to five subjects are named, more counted."""
    for reason, count, some, many in (
        rows.group_by("reason")
        .agg(pl.col("rows").sum(), pl.col(subject).unique().sort().head(5), many=pl.col(subject).n_unique())
        .sort("reason")
        .iter_rows()
    ):
        named = ", ".join(str(s) for s in some if s is not None)
        word = "SKUs" if subject == "sku" else "categories"
        unchecked.append((audit, f"{many} {word}" if many > 5 else named or "not given", reason, count))


def is_dangerous() -> pl.Expr:
    """Whether a row of the storage report says that its goods are dangerous."""
    kind = pl.col("dangerous_goods_type").str.strip_chars().str.to_lowercase()
    return (kind.is_not_null() & ~kind.is_in(_NOT_DANGEROUS)).fill_null(False)


def tolerance(units: str = "units") -> pl.Expr:
    """One minor unit of the currency a unit."""
    minor = pl.col("currency").replace_strict(_ODD, default=Decimal("0.01"), return_dtype=RATE)
    return minor * pl.col(units).cast(RATE)


def raw_findings(rows: pl.DataFrame, audit: str, claim_type: str, key: list[str]) -> pl.DataFrame:
    """Findings of one audit from rows with owed, units, arithmetic, lines, reason; the fact is the charge's own key."""
    if rows.is_empty():
        return frames.empty(frames.RawFinding)
    each = pl.when(pl.col("units") > 0).then((pl.col("owed").cast(RATE) / pl.col("units").cast(RATE)).cast(MONEY))
    ready = rows.with_columns(
        fact=words(*key),
        event_on="day",
        anchor_on="day",
        reference_id="settlement_id",
        quantity="units",
        unit_value=each,
    )
    return findings(ready, audit, claim_type=claim_type, value_basis="charge")


def money_words(column: str) -> pl.Expr:
    """The amount with the digits of the column `currency`; empty where it is not known."""
    return money_text_expr(column).fill_null("")


def plain_words(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).fill_null("None")


def filled(said: str, words: Mapping[str, pl.Expr]) -> pl.Expr:
    """The text `said` of every row, with the words of each name in braces."""
    parts: list[pl.Expr] = []
    for plain, name, _, _ in Formatter().parse(said):
        parts += [pl.lit(plain)] if plain else []
        parts += [words[name]] if name else []
    return pl.concat_str(parts)


def mark(status: str | None) -> str | None:
    return "rate row is uncertain" if status == "uncertain" else None


def uncertain_mark(status: str) -> pl.Expr:
    """`mark` of a whole column."""
    return pl.when(pl.col(status) == "uncertain").then(pl.lit(mark("uncertain")))


def with_lines(rows: pl.DataFrame, lines: pl.DataFrame, *more: str) -> pl.DataFrame:
    """`lines` of every charge, with the places of the other side behind them."""
    beside = pl.concat_list([pl.col(c) for c in more]).list.drop_nulls() if more else pl.lit([], pl.List(pl.String))
    joined = rows.drop("lines", strict=False).join(lines, on="charge", how="left", maintain_order="left")
    return joined.with_columns(lines=pl.concat_list(pl.col("lines").fill_null(pl.lit([], pl.List(pl.String))), beside))
