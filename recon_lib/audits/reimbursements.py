"""Reimbursements themselves: too small, never settled or paid twice."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from recon_lib.allocation import allocate
from recon_lib.audits import coverage
from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.evidence import counted, findings, not_checked, words
from recon_lib.audits.facts import LINE, PAIR
from recon_lib.audits.order_payments import damage_payments
from recon_lib.audits.order_units import charges, lines
from recon_lib.audits.payouts import settled_on
from recon_lib.audits.reimbursement_rows import BEFORE, ORDER_PAYMENTS, loss_days, named
from recon_lib.audits.settled_facts import REIMBURSED_AS, paid_lines, settlement_sums
from recon_lib.audits.takings_back import reimbursement_reversed
from recon_lib.books import Books
from recon_lib.money import MONEY, RATE, exact_text_expr, round_money_expr
from recon_lib.policy import Policy
from recon_lib.valuation import before_order

_FINE = 10_000
_NO_BASIS = "no source says how Amazon values a unit that a removal lost"
# Every reason that is known by meaning, as the report writes it or as the settlement does, which some exports copy.
_CLASSIFIED = [
    *BEFORE, *ORDER_PAYMENTS, *REIMBURSED_AS, "feecorrection", "reimbursementreversal", "generaladjustment",
    "returnadjustment", "cserroritemslost", "fbacustomerreturnperishableitem",
]  # fmt: skip


def reimbursement_underpaid(books: Books, policy: Policy) -> AuditResult:
    """Paid less a unit than it was worth, by more than the tolerance. One finding a reimbursement row.

    Before an order: the cost (or proceeds) of the days of the losses it settles, else of the approval. After an order: price
    less fees of the order's own lines; not where an order was paid for more units than it had.
    """
    name = "reimbursement_underpaid"
    rows = named(books).filter(
        ~pl.col("is_reversal"),
        pl.col("quantity_cash") > pl.col("taken_units"),
        pl.col("approved_on").is_not_null(),
    )
    rows = rows.with_columns(kept_units=pl.col("quantity_cash").cast(pl.Int64) - pl.col("taken_units"))
    early = rows.filter(pl.col("why").is_in(BEFORE))
    early = early.join(_worth_before(books, policy, early), on="row", how="left")
    late = rows.filter(pl.col("why").is_in(ORDER_PAYMENTS), pl.col("order_id").is_not_null())
    paid_units = pl.col("kept_units").sum().over(LINE)
    # of the charge: `sold` units, and `net` of the `net_units` that were refunded
    charge = lines(books).rename({"currency": "in_currency", "units": "sold"})
    charge = charge.select("pair", "net", "net_units", "charge_place", "in_currency", "sold")
    late = late.with_columns(paid_units.alias("paid_units"), pair=PAIR).join(charge, on="pair", how="left")
    late = late.filter(pl.col("sold").is_null() | (pl.col("paid_units") <= pl.col("sold"))).with_columns(
        worth=pl.when((pl.col("net_units") > 0) & (pl.col("net") > 0)).then(
            round_money_expr(
                (pl.col("net").cast(RATE) / pl.col("net_units").cast(RATE)).cast(MONEY), "in_currency"
            ).cast(RATE)
        ),
        value_basis=pl.lit("after_order"),
        value_reason=pl.lit("the order's charge is in no settlement here"),
        value_proof=pl.col("charge_place"),
    )
    both = pl.concat([early, late], how="diagonal")
    known = both.filter(pl.col("worth").is_not_null(), pl.col("in_currency") == pl.col("currency"))
    share = pl.lit(1 - books.account.tolerances["underpaid_tolerance"]).cast(RATE)
    low = known.filter(pl.col("each").cast(RATE) < pl.col("worth") * share)
    kept, each = pl.col("kept_units").cast(RATE), pl.col("each").cast(RATE)
    low = low.with_columns(
        gap=round_money_expr((pl.col("worth") - each).cast(MONEY)),
        all_worth=round_money_expr((pl.col("worth") * kept).cast(MONEY)),
        all_paid=round_money_expr((each * kept).cast(MONEY)),
        worth=round_money_expr(pl.col("worth").cast(MONEY)),
    ).with_columns(short=pl.col("all_worth") - pl.col("all_paid"))
    low = _less_revaluations(books, low)
    out = low.with_columns(
        event_on="approved_on", anchor_on="approved_on", reference_id="reimbursement_id", quantity="kept_units",
        unit_value="gap",
        lines=pl.concat_list("place", pl.col("loss_places").fill_null([]), "value_proof").list.drop_nulls(),
        arithmetic=pl.concat_str(
            _in_words(),
            pl.when(pl.col("revalued") > 0).then(pl.format(" − {} paid since", exact_text_expr(pl.col("revalued")))),
            pl.format("; {}", "value_row"),
            ignore_nulls=True,
        ),
    )  # fmt: skip
    why = (
        pl.when(pl.col("worth").is_null())
        .then(pl.coalesce("value_reason", pl.lit("value unknown")))
        .otherwise(pl.lit("paid in another currency than its value"))
    )
    unknown = both.join(known, on="row", how="anti").group_by(why.alias("why")).agg(pl.len()).sort("why")
    notes = [(name, "reimbursements of unknown value", reason, n) for reason, n in unknown.rows()]
    if gone := rows.filter(pl.col("why") == "removalorderlost").height:
        notes.append((name, "reimbursements of removals", _NO_BASIS, gone))
    odd = named(books).filter(~pl.col("why").is_in(_CLASSIFIED)).group_by("reason").agg(pl.len()).sort("reason")
    notes += [(name, f"reimbursement reason {reason}", "unknown code, not classified", n) for reason, n in odd.rows()]
    # The reimbursement has a reason of its own: not why the finding stands as it does.
    found = findings(out, name, claim_type="reimbursement_revaluation", reason=None)
    return AuditResult(found, not_checked=not_checked(notes))


def _in_words() -> pl.Expr:
    """What a payment fell short by: a unit's worth and money where they tell it to the cent, else those of all its units."""
    told = {c: exact_text_expr(pl.col(c)) for c in ("worth", "each", "gap", "all_worth", "all_paid", "short")}
    a_unit = pl.format("worth {} a unit ({}) − {} paid = {}, × {} paid in cash",
                       told["worth"], "value_basis", told["each"], told["gap"], "kept_units")  # fmt: skip
    of_all = pl.format("worth {} for {} units ({}) − {} paid in cash = {}",
                       told["all_worth"], "kept_units", "value_basis", told["all_paid"], told["short"])  # fmt: skip
    adds_up = (pl.col("worth") - pl.col("each") == pl.col("gap")) & (
        pl.col("gap") * pl.col("kept_units") == pl.col("short")
    )
    return pl.when(adds_up).then(a_unit).otherwise(of_all)


def _worth_before(books: Books, policy: Policy, rows: pl.DataFrame) -> pl.DataFrame:
    """`worth` a unit (exact) of payments for what was lost before an order: the mean over the losses that they settle.

    One row a payment (`row`) with the currency, basis, reason and proof of its oldest loss and the `loss_places`.
    """
    parts = rows.select("row", "approved_on", "sku", "fnsku").join(loss_days(books), on="row", how="left")
    parts = parts.with_columns(pl.coalesce("event_on", "approved_on").alias("event_on"), pl.col("units").fill_null(1))
    days = parts.select("row", "event_on").unique(maintain_order=True).with_row_index("day")
    parts = parts.join(days, on=["row", "event_on"], maintain_order="left")
    asked = parts.unique("day", maintain_order=True).select("event_on", "sku", "fnsku", row="day")
    values = before_order(asked, books, policy).rename({"row": "day", "currency": "in_currency"})
    parts = parts.join(values, on="day", maintain_order="left")
    told = ("in_currency", "value_basis", "value_proof", "value_row")
    total = (pl.col("unit_value").cast(RATE) * pl.col("units").cast(RATE)).sum() / pl.col("units").sum().cast(RATE)
    return parts.group_by("row", maintain_order=True).agg(
        *(pl.col(c).first() for c in told),
        pl.col("value_reason").drop_nulls().first(),
        loss_places=pl.col("loss_place").drop_nulls(),
        worth=pl.when(pl.col("unit_value").is_not_null().all()).then(total),
    )


def _less_revaluations(books: Books, low: pl.DataFrame) -> pl.DataFrame:
    """`owed` = what is `short` less what settlement lines RE_EVALUATION of the SKU have paid since, oldest first."""
    fine = (pl.col("short") * _FINE).cast(pl.Int64)
    low = low.sort("approved_on", "row").with_columns(units=fine, on=pl.col("approved_on"))
    more = paid_lines(books).filter(
        pl.col("code") == "reevaluation", pl.col("amount") > 0, pl.col("posted_on").is_not_null()
    )
    more = more.with_columns(units=(pl.col("amount") * _FINE).cast(pl.Int64), on=pl.col("posted_on"))
    found = allocate(low, more, by=["sku", "currency"])

    def money(fine: pl.Expr) -> pl.Expr:
        return (fine.cast(MONEY) / pl.lit(_FINE).cast(MONEY)).cast(MONEY)

    low = low.with_columns(left=found.open_units).with_columns(
        owed=money(pl.col("left")), revalued=money(pl.col("units") - pl.col("left"))
    )
    return low.filter(pl.col("left") > 0)


def reimbursement_not_settled(books: Books, policy: Policy) -> AuditResult:
    """Cash approved more than `settle_days` ago that no settlement line pays, or not in full. One finding a row.

    What has been taken back meanwhile is not owed.
    """
    wait = books.account.settle_days
    rows = named(books).filter(~pl.col("is_reversal"), pl.col("amount_total") > 0, pl.col("approved_on").is_not_null())
    rows = rows.filter(pl.col("approved_on") + timedelta(days=wait) < books.as_of)
    rows = rows.join(settled_on(books).rename({"lines": "paid_places"}), on="row", how="left")
    rows = rows.with_columns(pl.col("settled").fill_null(0), pl.col("paid_places").fill_null([]))
    rows = rows.with_columns(owed=(pl.col("amount_total") - pl.col("settled") - pl.col("taken")).cast(MONEY)).filter(
        pl.col("owed") > 0
    )
    currencies = settlement_sums(books)["currency"].unique().to_list()
    strange = pl.when(pl.lit(bool(currencies)) & ~pl.col("currency").is_in(currencies)).then(
        pl.format("report missing: settlements in {}", "currency")
    )
    absent = coverage.missing(
        books,
        "settlement_lines",
        pl.col("approved_on"),
        pl.min_horizontal(pl.col("approved_on") + timedelta(days=wait), pl.lit(books.as_of)),
    )
    out = rows.with_columns(
        event_on=pl.col("approved_on"),
        anchor_on=pl.col("approved_on"),
        reference_id=pl.col("reimbursement_id"),
        quantity=pl.col("quantity_cash"),
        lines=pl.concat_list("place", "paid_places"),
        arithmetic=pl.concat_str(
            pl.format(
                "{} approved − {} settled", exact_text_expr(pl.col("amount_total")), exact_text_expr(pl.col("settled"))
            ),
            pl.when(pl.col("taken") > 0).then(pl.format(" − {} taken back", exact_text_expr(pl.col("taken")))),
            pl.format(
                " = {}, {} days after the approval",
                exact_text_expr(pl.col("owed")),
                (pl.lit(books.as_of) - pl.col("approved_on")).dt.total_days(),
            ),
            ignore_nulls=True,
        ),
    ).with_columns(*coverage.first_reason(absent, strange))
    odd = (
        paid_lines(books)
        .filter(~pl.col("code").is_in(list(REIMBURSED_AS)))
        .group_by("amount_description")
        .agg(pl.len())
    )
    notes = [
        ("reimbursement_not_settled", f"settlement code {code}", "unknown code, not classified", n)
        for code, n in odd.sort("amount_description", nulls_last=True).rows()
    ]
    found = findings(out, "reimbursement_not_settled", value_basis="difference")
    return AuditResult(found, not_checked=not_checked(notes))


def reimbursement_twice(books: Books, policy: Policy) -> AuditResult:
    """An order and SKU paid for more units than it had (payments taken back do not count): Amazon may claim it back.

    Where the order's units are not known, two payments for it are shown.
    """
    of_orders = pl.col("why").is_in(ORDER_PAYMENTS) | pl.col("row").is_in(damage_payments(books).implode())
    rows = named(books).filter(~pl.col("is_reversal"), pl.col("order_id").is_not_null(), of_orders)
    rows = rows.with_columns(net=pl.col("units") - pl.col("taken_units")).filter(pl.col("net") > 0)
    paid = rows.group_by(LINE).agg(
        pl.col("net").sum(), pl.len().alias("payments"), pl.col("approved_on").max().alias("event_on"), pl.col("fnsku").min(),
        pl.col("asin").min(), pl.col("place").sort().alias("lines"), pl.col("currency").first(), pl.col("amount_total").sum(),
    )  # fmt: skip
    paid = paid.with_columns(pair=PAIR).join(charges(books).select("pair", "units"), on="pair", how="left")
    known = pl.col("units") > 0
    odd = paid.filter(
        (known & (pl.col("net") > pl.col("units"))) | (~known.fill_null(False) & (pl.col("payments") > 1))
    )
    out = odd.with_columns(
        words(*LINE).alias("fact"),
        anchor_on=pl.col("event_on"),
        quantity=pl.when(known).then(pl.col("net") - pl.col("units")),
        arithmetic=pl.format("{} paid in {}, {} together; units of the order: {}", counted("net", "unit"),
                             counted("payments", "payment"), exact_text_expr(pl.col("amount_total")),
                             pl.col("units").cast(pl.String).fill_null("unknown")),
    )  # fmt: skip
    return AuditResult(
        findings(out, "reimbursement_twice", status="review", reason="paid more than once: Amazon may take it back")
    )


AUDITS = (
    Audit(("reimbursement_underpaid",), ("reimbursements", "products"), reimbursement_underpaid),
    Audit(("reimbursement_not_settled",), ("reimbursements", "settlement_lines"), reimbursement_not_settled),
    Audit(("reimbursement_reversed",), ("reimbursements", "ledger_detail"), reimbursement_reversed),
    Audit(("reimbursement_twice",), ("reimbursements",), reimbursement_twice),
)
