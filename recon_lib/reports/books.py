"""The seller's own records: plain CSV with exactly these headers.

Books are strict: every header must be there, so a missing column refuses the file. Quantities are whole units, times
are ISO 8601 with their offset, a refund's amount is negative. Unit costs and measures may be empty.
"""

from __future__ import annotations

import polars as pl

from recon_lib import frames
from recon_lib.reports.base import Column, Kind, Report


def _column(name: str, kind: Kind = "text") -> Column:
    return Column(name, (name,), kind, required=True)


_CURRENCY = pl.when(~pl.col("currency").str.contains(r"^[A-Z]{3}$")).then(
    pl.lit("the currency is no code of three capital letters")
)

_PRODUCT_KINDS: dict[str, Kind] = {
    "unit_cost": "fine",
    "cost_from": "day",
    "longest_side": "measure",
    "median_side": "measure",
    "shortest_side": "measure",
    "weight": "measure",
}

PRODUCTS = Report(
    family="products",
    title="Products (books)",
    frame=frames.Product,
    columns=tuple(
        _column(name, _PRODUCT_KINDS.get(name, "text"))
        for name in (
            "sku",
            "fnsku",
            "asin",
            "category",
            "unit_cost",
            "currency",
            "cost_from",
            "longest_side",
            "median_side",
            "shortest_side",
            "dimension_unit",
            "weight",
            "weight_unit",
        )
    ),
    signature=("sku", "unit_cost", "cost_from"),
    key=("sku", "fnsku", "cost_from"),
)

PAY_ACTIVITY = Report(
    family="pay_activity",
    title="Amazon Pay activity (books)",
    frame=frames.PayActivity,
    columns=(
        _column("activity_at", "moment"),
        _column("kind"),
        _column("amazon_transaction_id"),
        _column("seller_reference_id"),
        _column("seller_order_id"),
        _column("order_reference_id"),
        _column("amount", "money"),
        _column("currency"),
    ),
    signature=("activity_at", "kind", "amazon_transaction_id"),
    check=_CURRENCY,
    key=(
        "activity_at",
        "kind",
        "amazon_transaction_id",
        "seller_reference_id",
        "seller_order_id",
        "order_reference_id",
        "amount",
        "currency",
    ),
    money="amount",
)

INBOUND_SHIPMENTS = Report(
    family="inbound_shipments",
    title="Inbound shipments (books)",
    frame=frames.InboundShipment,
    columns=(
        _column("shipment_id"),
        _column("status"),
        _column("closed_on", "day"),
        _column("sku"),
        _column("fnsku"),
        _column("quantity_shipped", "int"),
        _column("quantity_received", "int"),
    ),
    signature=("shipment_id", "quantity_shipped", "quantity_received"),
    key=("shipment_id", "sku"),
    newest_by="quantity_received",
)

REMOVAL_RECEIPTS = Report(
    family="removal_receipts",
    title="Removal receipts (books)",
    frame=frames.RemovalReceipt,
    columns=(
        _column("order_id"),
        _column("tracking_number"),
        _column("fnsku"),
        _column("received_on", "day"),
        _column("quantity_received", "int"),
    ),
    signature=("order_id", "tracking_number", "received_on", "quantity_received"),
    key=("order_id", "tracking_number", "fnsku", "received_on", "quantity_received"),
    period="received_on",
)

BANK_CSV = Report(
    family="bank",
    title="Bank bookings (books)",
    frame=frames.BankLine,
    columns=(
        _column("booked_on", "day"),
        _column("amount", "money"),
        _column("currency"),
        _column("description"),
        _column("reference"),
    ),
    signature=("booked_on", "amount", "description"),
    check=_CURRENCY,
    key=("booked_on", "currency", "amount", "description", "reference"),
    period="booked_on",
    money="amount",
)

BOOKS = (PRODUCTS, PAY_ACTIVITY, INBOUND_SHIPMENTS, REMOVAL_RECEIPTS, BANK_CSV)
