"""Stock that Amazon lost or damaged and neither found again nor paid for (`stock_units` says what settles what)."""

from __future__ import annotations

import polars as pl

from recon_lib.audits import coverage
from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.evidence import findings, not_checked, settled, total
from recon_lib.audits.facts import adjustments, ledger_rows, reimbursements
from recon_lib.audits.paid_units import cash_amount
from recon_lib.audits.payouts import settled_on
from recon_lib.audits.stock_units import (
    DAMAGED,
    DISPOSED,
    FOUND,
    LOST,
    QUIET,
    UNSELLABLE,
    Matched,
    damaged_units,
    fact_of_event,
    ledger_events,
    lost_units,
)
from recon_lib.books import Books
from recon_lib.policy import Policy


def warehouse_lost(books: Books, policy: Policy) -> AuditResult:
    """Lost units that were neither found nor paid. One finding a ledger row; value before an order."""
    return _stock_audit(books, "warehouse_lost", lost_units(books), "lost", FOUND)


def warehouse_damaged(books: Books, policy: Policy) -> AuditResult:
    """Units damaged by Amazon and not paid; units that were unsellable before are shown for review."""
    result = _stock_audit(books, "warehouse_damaged", damaged_units(books), "damaged", [])
    odd = ledger_events(books, UNSELLABLE).filter(pl.col("quantity") < 0)
    review = odd.with_columns(
        fact_of_event(),
        pl.col("units").alias("quantity"),
        pl.concat_list("place").alias("lines"),
        pl.format("{} damaged, reason {}: the unit was unsellable already", "units", "code").alias("arithmetic"),
        anchor_on="event_on",
    )
    shown = findings(
        review, "warehouse_damaged", status="review", reason="damaged when it was unsellable already: no claim by rule"
    )
    unknown = (
        adjustments(books)
        .filter(~pl.col("code").fill_null("").is_in(LOST + FOUND + DAMAGED + UNSELLABLE + DISPOSED + QUIET))
        .group_by("code")
        .agg(pl.len().alias("n"))
        .sort("code", nulls_last=True)
    )
    known = ["adjustments", "adjustment", "customerreturns", "customerreturn", "receipts", "receipt"]
    types = (
        ledger_rows(books).filter(~pl.col("type").is_in(known)).group_by("type").agg(pl.len().alias("n")).sort("type")
    )
    notes = [(f"ledger reason {code or '(empty)'}", n) for code, n in unknown.rows()]
    notes += [(f"ledger event type {name}", n) for name, n in types.rows()]
    odd_codes = not_checked(("warehouse_damaged", subject, "unknown code, not classified", n) for subject, n in notes)
    return AuditResult(pl.concat([result.findings, shown]), result.settled, pl.concat([result.not_checked, odd_codes]))


def _stock_audit(books: Books, audit: str, matched: Matched, word: str, found_codes: list[str]) -> AuditResult:
    losses = matched.losses.with_row_index("loss").with_columns(open_units=matched.found.open_units)
    credits = matched.credits.with_row_index("credit")
    pairs = matched.found.pairs.join(credits.drop("units", "fnsku", "asin", "country"), on="credit").sort(
        "loss", "credit"
    )
    by_paid = pl.col("paid_row").is_not_null()
    beside = pairs.group_by("loss").agg(
        pl.col("units").filter(~by_paid).sum().alias("found"),
        pl.col("units").filter(by_paid).sum().alias("paid"),
        pl.col("place").sort_by("credit").alias("credit_places"),
    )
    rows = (
        losses.filter(pl.col("open_units") > 0)
        .join(beside, on="loss", how="left", maintain_order="left")
        .with_columns(pl.col("found").fill_null(0), pl.col("paid").fill_null(0))
        .with_columns(
            fact_of_event(),
            pl.col("open_units").alias("quantity"),
            pl.concat_list("place", pl.col("credit_places").fill_null([])).alias("lines"),
            _arithmetic(word, bool(found_codes)),
            *coverage.first_reason(
                coverage.missing(books, "reimbursements", pl.col("event_on")),
                *([coverage.missing(books, "ledger_detail", pl.col("event_on"))] if found_codes else []),
            ),
            anchor_on="event_on",
        )
    )
    found = findings(rows, audit, claim_type="fc_lost_or_damaged", value_basis="before_order")
    return AuditResult(found, _history(books, audit, losses, pairs), _left_over(audit, matched, word))


def _arithmetic(word: str, with_found: bool) -> pl.Expr:
    parts: list[pl.Expr] = [pl.format(f"{{}} {word}", "units")]
    if with_found:
        parts.append(pl.format(" − {} found", "found"))
    own = pl.when(pl.col("unreconciled_quantity").is_not_null()).then(
        pl.format("; Amazon's own count of open units: {}", "unreconciled_quantity")
        + pl.when(pl.col("unreconciled_quantity") != pl.col("open_units"))
        .then(pl.lit(", which differs"))
        .otherwise(pl.lit(""))
    )
    unit = pl.when(pl.col("open_units") == 1).then(pl.lit("unit")).otherwise(pl.lit("units"))
    parts += [pl.format(" − {} paid = {} {}", "paid", "open_units", unit), own.otherwise(pl.lit(""))]
    return pl.concat_str(parts).alias("arithmetic")


def _history(books: Books, audit: str, losses: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """What settled a loss: the found or paid units, the approval and the settlement line that paid it."""
    paid = settled_on(books).select(pl.col("row").alias("paid_row"), "settled_on")
    ids = reimbursements(books).select(pl.col("row").alias("paid_row"), "reimbursement_id", "approved_on")
    rows = (
        pairs.join(losses.select("loss", "event_on", "fnsku", "sku"), on="loss")
        .join(paid, on="paid_row", how="left")
        .join(ids, on="paid_row", how="left")
        .sort("loss", "credit")
        .with_columns(
            pl.col("units").alias("quantity"),
            paid_on=pl.coalesce("approved_on", "on"),
            amount=cash_amount("paid_row", "before"),
        )
    )
    return settled(rows, audit)


def _left_over(audit: str, matched: Matched, word: str) -> pl.DataFrame:
    left = matched.credits.with_columns(left=matched.found.left_units).filter(pl.col("left") > 0)
    rows = []
    for kind, part in (
        ("found units", left.filter(pl.col("paid_row").is_null())),
        ("reimbursed units", left.filter(pl.col("paid_row").is_not_null())),
    ):
        if part.height:
            why = f"the ledger shows no {word} unit before them"
            rows.append((audit, f"{kind} without an open loss", why, total(part, "left")))
    return not_checked(rows)


AUDITS = (
    Audit(("warehouse_lost",), ("ledger_detail", "reimbursements"), warehouse_lost),
    Audit(("warehouse_damaged",), ("ledger_detail", "reimbursements"), warehouse_damaged),
)
