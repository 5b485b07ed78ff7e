"""FBA reimbursements: GET_FBA_REIMBURSEMENTS_DATA, 18 columns, older 16, and an old form with one quantity column."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from recon_lib import frames
from recon_lib.reports.base import Column, Report


def _quantities(rows: pl.LazyFrame, facts: Mapping[str, str]) -> pl.LazyFrame:
    """One count that is not written is the rest: cash + inventory = total.

    The oldest layout has one quantity, a short one only the total: paid in cash where money was paid (as many units as its
    amount a unit goes into it without a rest), else given back as stock. Counts that contradict each other have no rest.
    """

    def rest(of: pl.Expr) -> pl.Expr:
        left = total - of
        return pl.when(left * total >= 0).then(left)

    cash, stock, total = (pl.col(f"quantity_{of}") for of in ("cash", "inventory", "total"))
    only = pl.coalesce("quantity", pl.when(cash.is_null() & stock.is_null()).then(total))
    paid = pl.col("amount_total") != 0
    each, money = pl.col("amount_per_unit"), pl.col("amount_total")
    # found in floats, proven in exact money
    times = (money.cast(pl.Float64) / each.cast(pl.Float64)).round()
    fits = pl.when(each > 0, money > 0).then(times).cast(pl.Int32, strict=False)
    in_cash = (
        pl.when(fits < only, each * fits == money).then(fits).otherwise(pl.when(paid).then(only).otherwise(only * 0))
    )
    rows = rows.with_columns(
        quantity_cash=pl.coalesce(cash, rest(stock), in_cash),
        quantity_inventory=pl.coalesce(stock, rest(cash), only - in_cash),
    )
    return rows.with_columns(quantity_total=pl.coalesce(total, cash + stock))


REIMBURSEMENTS = Report(
    family="reimbursements",
    title="FBA reimbursements",
    frame=frames.Reimbursement,
    columns=(
        Column("approved", ("approval-date",), "instant", required=True),
        Column("reimbursement_id", ("reimbursement-id",), required=True),
        Column("case_id", ("case-id",)),
        Column("order_id", ("amazon-order-id",)),
        Column("reason", ("reason",), required=True),
        Column("sku", ("sku",)),
        Column("fnsku", ("fnsku",)),
        Column("asin", ("asin",)),
        Column("product_name", ("product-name",)),
        Column("condition", ("condition",)),
        Column("currency", ("currency-unit",)),
        Column("amount_per_unit", ("amount-per-unit",), "money"),
        Column("amount_total", ("amount-total",), "money", required=True),
        Column("quantity_cash", ("quantity-reimbursed-cash",), "int"),
        Column("quantity_inventory", ("quantity-reimbursed-inventory",), "int"),
        Column("quantity_total", ("quantity-reimbursed-total",), "int"),
        Column("quantity", ("quantity", "quantity-reimbursed"), "int"),
        Column("original_reimbursement_id", ("original-reimbursement-id",)),
        Column("original_reimbursement_type", ("original-reimbursement-type",)),
    ),
    signature=("approval-date", "reimbursement-id", "amount-total", "reason"),
    key=(
        "reimbursement_id", "order_id", "sku", "fnsku", "reason", "currency", "amount_per_unit", "amount_total",
        "quantity_cash", "quantity_inventory",
    ),
    period="approved_on",
    money="amount_total",
    finish=_quantities,
)  # fmt: skip
