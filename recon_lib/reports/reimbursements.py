"""FBA reimbursements: GET_FBA_REIMBURSEMENTS_DATA, 18 columns, older 16, and an old form with one quantity column."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from recon_lib import frames
from recon_lib.reports.base import Column, Report


def _quantities(rows: pl.LazyFrame, facts: Mapping[str, str]) -> pl.LazyFrame:
    """The oldest layout has one quantity: paid in cash where money was paid, else given back as stock."""
    paid = pl.col("amount_total") != 0
    cash = pl.coalesce("quantity_cash", pl.when(paid).then(pl.col("quantity")).otherwise(pl.col("quantity") * 0))
    stock = pl.coalesce("quantity_inventory", pl.when(paid).then(pl.col("quantity") * 0).otherwise(pl.col("quantity")))
    rows = rows.with_columns(quantity_cash=cash, quantity_inventory=stock)
    total = pl.coalesce("quantity_total", pl.col("quantity_cash") + pl.col("quantity_inventory"))
    return rows.with_columns(quantity_total=total)


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
