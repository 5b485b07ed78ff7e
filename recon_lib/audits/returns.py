"""Refunds whose goods never came back, returns that nobody paid or restocked, refunds above the charge, wrong items.

A unit counts in one of these only. Value after an order: the price charged less the referral and fulfilment fees of
the order's own settlement lines. Orders that the seller ships are no FBA claims.
"""

from __future__ import annotations

import polars as pl

from recon_lib.audits import coverage
from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.evidence import PLACE, counted, findings, not_checked, occurrence, words
from recon_lib.audits.facts import LINE, customer_returns
from recon_lib.audits.order_history import order_history
from recon_lib.audits.order_payments import DAMAGED, nameless_orders
from recon_lib.audits.order_returns import order_returns
from recon_lib.audits.order_units import (
    WRONG_ITEM,
    lines,
    refunded_items,
    unit_value,
    with_proof,
)
from recon_lib.audits.restocked import restocked
from recon_lib.audits.settled_facts import whole_money
from recon_lib.books import Books
from recon_lib.money import money_text
from recon_lib.policy import Policy

_GRADES = [*DAMAGED, "sellable", "customerdamaged", "defective", "expired", "distributordamaged", "warehousedamaged"]
_CLAIM = {"claim_type": "customer_return", "value_basis": "after_order"}


def _waits(books: Books, start: str, *families: str) -> list[pl.Expr]:
    """Status and reason: waiting where a report is missing since `start`, a row of it that names the order was rejected, or a
    payment of the order may be for this item or another; else why the value is unknown."""
    nameless = nameless_orders(books)
    absent = pl.coalesce(
        *(coverage.missing(books, family, pl.col(start)) for family in families),
        *(
            pl.when(pl.col("order_id").is_in(sorted(orders))).then(
                pl.lit(f"a row of {family.replace('_', ' ')} that names the order was rejected")
            )
            for family in families
            if (orders := books.rejected_orders.get(family))
        ),
        pl.when(pl.col("order_id").is_in(nameless)).then(pl.lit("a payment that names the order names no SKU")),
    )
    return [
        pl.when(absent.is_not_null()).then(pl.lit("waiting")).alias("status"),
        pl.coalesce(absent, "no_value").alias("reason"),
    ]


def refund_without_return(books: Books, policy: Policy) -> AuditResult:
    """Units refunded that neither came back nor were paid. One finding an order and SKU, from its last refund."""
    name = "refund_without_return"
    rows = lines(books).filter(pl.col("refund_on").is_not_null(), pl.col("is_fba"))
    out = rows.filter(pl.col("missing") > 0).with_columns(*unit_value("missing")).with_columns(
        words(*LINE).alias("fact"),
        pl.col("missing").alias("quantity"),
        pl.col("refund_on").alias("event_on"),
        pl.col("refund_on").alias("anchor_on"),
        pl.format("{} refunded − {} returned − {} paid = {} missing{}",
                  "refunded", "returned", "for_missing", "missing", "worth").alias("arithmetic"),
        *_waits(books, "first_refund_on", "customer_returns", "reimbursements"),
    )  # fmt: skip
    unknown = rows.filter(pl.col("refunded").is_null(), pl.col("paid") == 0, pl.col("returned") == 0)
    sellers = lines(books).filter(pl.col("refund_on").is_not_null(), ~pl.col("is_fba"))
    notes = [
        (name, "refunds whose order line is in no settlement here", "refunded units unknown", unknown.height),
        (name, "refunds of orders shipped by the seller", "no FBA claim", sellers.height),
    ]
    out = with_proof(books, out, "refund", "return", "payment", "charge")
    return AuditResult(findings(out, name, **_CLAIM), order_history(books), not_checked(n for n in notes if n[3]))


def return_unpaid(books: Books, policy: Policy) -> AuditResult:
    """Units returned damaged by Amazon or its carrier and not paid. One finding an order and SKU.

    Counted from the last refund, or from the return where no refund is seen.
    """
    name = "return_unpaid"
    rows = lines(books).filter(pl.col("unpaid") > 0).with_columns(event_on=pl.coalesce("refund_on", "damaged_on"))
    out = rows.with_columns(*unit_value("unpaid")).with_columns(
        words(*LINE).alias("fact"),
        pl.col("unpaid").alias("quantity"),
        pl.col("event_on").alias("anchor_on"),
        pl.format(
            "{} returned damaged − {} paid = {}{}",
            "damaged",
            pl.col("paid") + pl.col("paid_damage"),
            counted("unpaid", "unit"),
            "worth",
        ).alias("arithmetic"),
        first_on=pl.min_horizontal("event_on", "damaged_on"),
    )
    out = out.with_columns(*_waits(books, "first_on", "reimbursements"))
    out = with_proof(books, out, "return", "refund", "payment", "charge")
    odd = customer_returns(books).filter(~pl.col("grade").fill_null("").is_in(_GRADES))
    odd = odd.group_by("disposition").agg(pl.len()).sort("disposition", nulls_last=False)
    notes = [
        (name, f"return disposition {told or '(empty)'}", "unknown code, not classified", n) for told, n in odd.rows()
    ]
    return AuditResult(findings(out, name, **_CLAIM), not_checked=not_checked(notes))


def return_not_restocked(books: Books, policy: Policy) -> AuditResult:
    """Sellable returns that the ledger never put back and nobody paid. One finding an order and SKU.

    A unit that is put back late, or paid, is no finding any more; before `restock_days` have passed it is none yet.
    """
    name = "return_not_restocked"
    rows = restocked(books)
    # an order of one unit has one to put back, and none where Amazon damaged it, however often the report tells its return
    others = pl.col("units") - pl.min_horizontal("units", "damaged")
    more = lines(books).select("pair", "spare", "net_units", "gross", "net", "currency", others=others)
    rows = rows.join(more, on="pair", how="left").with_columns(late_units=pl.min_horizontal("late_units", "others"))
    # payments left over settle the order's SKU once, even where it was returned under two FNSKUs
    earlier = (pl.col("late_units") - pl.col("back")).clip(0)
    rows = rows.with_columns(open=earlier, before=pl.lit(0, pl.Int64))
    twice = rows["pair"].is_duplicated()
    several = rows.filter(twice).sort(*LINE, "fnsku", nulls_last=True)
    several = several.with_columns(before=(pl.col("open").cum_sum() - pl.col("open")).over("pair"))
    rows = pl.concat([rows.filter(~twice), several])
    rows = rows.with_columns(paid=pl.min_horizontal("open", (pl.col("spare") - pl.col("before")).clip(0)))
    rows = rows.with_columns(quantity=pl.col("open") - pl.col("paid")).filter(pl.col("quantity") > 0)
    out = rows.with_columns(*unit_value("quantity")).with_columns(
        words(*LINE, "fnsku").alias("fact"),
        pl.col("event_on").alias("anchor_on"),
        pl.format("{} returned sellable − {} put back − {} paid = {}, {} days after the return{}", "late_units", "back",
                  "paid", counted("quantity", "unit"), (pl.lit(books.as_of) - pl.col("event_on")).dt.total_days(),
                  "worth").alias("arithmetic"),
        *_waits(books, "event_on", "ledger_detail", "reimbursements"),
    )  # fmt: skip
    out = with_proof(books, out, "return", "ledger", "refund", "charge")
    return AuditResult(findings(out, name, **_CLAIM))


def refund_exceeds_charge(books: Books, policy: Policy) -> AuditResult:
    """Refunded principal of an order item above what was charged for it: the excess is owed."""
    name = "refund_exceeds_charge"
    rows = refunded_items(books).filter(pl.col("is_fba"), pl.col("charged") > 0, pl.col("refund") > pl.col("charged"))
    rows = rows.with_columns(refund=whole_money("refund"), charged=whole_money("charged"))
    texts = [
        f"{money_text(r, c)} refunded − {money_text(p, c)} charged = {money_text(r - p, c)}"
        for r, p, c in rows.select("refund", "charged", "currency").iter_rows()
    ]
    absent = coverage.missing(books, "settlement_lines", pl.col("charged_on"), pl.col("refund_on"))
    out = rows.with_columns(
        words(*LINE, "order_item_code").alias("fact"),
        pl.col("refund_on").alias("event_on"),
        pl.col("refund_on").alias("anchor_on"),
        (pl.col("refund") - pl.col("charged")).alias("owed"),
        pl.Series("arithmetic", texts, dtype=pl.String),
        *coverage.first_reason(absent),
    )
    out = with_proof(books, out, "refund", "charge")
    return AuditResult(findings(out, name, value_basis="difference"))


def return_wrong_item(books: Books, policy: Policy) -> AuditResult:
    """Returns in which the buyer sent another item: for review, with photographs of the parcel. One finding a return row.

    Where the unit is also damaged by Amazon or its carrier, `return_unpaid` has it.
    """
    grade = pl.col("grade").fill_null("")
    rows = order_returns(books).filter(pl.col("why") == WRONG_ITEM, ~grade.is_in(DAMAGED))
    key = ["returned_on", *LINE, "fnsku", "license_plate_number", "quantity"]
    out = rows.sort(*key, "file", "line", nulls_last=True).with_columns(occurrence(key))
    out = out.with_columns(
        words(*key, "occurrence").alias("fact"),
        pl.col("returned_on").alias("event_on"),
        pl.col("returned_on").alias("anchor_on"),
        pl.col("license_plate_number").alias("reference_id"),
        pl.concat_list(PLACE).alias("lines"),
        pl.format(
            "{} returned, reason SWITCHEROO, disposition {}", "quantity", pl.col("disposition").fill_null("none")
        ).alias("arithmetic"),
    )
    reason = "another item came back: a claim needs photographs and the return label"
    return AuditResult(findings(out, "return_wrong_item", status="review", reason=reason))


_SETTLED = ("settlement_lines", "reimbursements")
AUDITS = (
    Audit(("refund_without_return",), ("customer_returns", *_SETTLED), refund_without_return),
    Audit(("return_unpaid",), ("customer_returns", *_SETTLED), return_unpaid),
    Audit(("return_not_restocked",), ("customer_returns", "ledger_detail", *_SETTLED), return_not_restocked),
    Audit(("refund_exceeds_charge",), ("settlement_lines",), refund_exceeds_charge),
    Audit(("return_wrong_item",), ("customer_returns",), return_wrong_item),
)
