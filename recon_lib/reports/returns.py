"""FBA customer returns: GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA, 13 columns or fewer."""

from __future__ import annotations

from recon_lib import frames
from recon_lib.reports.base import Column, Report

CUSTOMER_RETURNS = Report(
    family="customer_returns",
    title="FBA customer returns",
    frame=frames.CustomerReturn,
    columns=(
        Column("returned", ("return-date",), "instant", required=True),
        Column("order_id", ("order-id", "amazon-order-id"), required=True),
        Column("sku", ("sku",), required=True),
        Column("asin", ("asin",)),
        Column("fnsku", ("fnsku",)),
        Column("product_name", ("product-name",)),
        Column("quantity", ("quantity",), "int", required=True),
        Column("fulfillment_center", ("fulfillment-center-id",)),
        Column("disposition", ("detailed-disposition", "disposition")),
        Column("reason", ("reason",)),
        Column("status", ("status",)),
        Column("license_plate_number", ("license-plate-number",)),
    ),
    private=("customer-comments",),
    signature=("return-date", "sku", "quantity", "fulfillment-center-id", "detailed-disposition"),
    # `status` changes later; a unit returned twice has the same plate with another order.
    key=(
        "order_id", "license_plate_number", "returned_at", "returned_on", "sku", "asin", "fnsku", "quantity",
        "fulfillment_center", "disposition", "reason",
    ),
    period="returned_on",
)  # fmt: skip
