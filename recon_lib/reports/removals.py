"""Removal order detail and removal shipment detail.

Sources: GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA (14 to 17 columns: service-speed, order-source, fee and currency
come and go) and GET_FBA_FULFILLMENT_REMOVAL_SHIPMENT_DETAIL_DATA (its first column is request-date or removal-date).
`order_id` is the removal order's own id, never a marketplace order.
"""

from __future__ import annotations

from recon_lib import frames
from recon_lib.reports.base import Column, Report

REMOVAL_ORDERS = Report(
    family="removal_orders",
    title="FBA removal order detail",
    frame=frames.RemovalOrder,
    columns=(
        Column("requested", ("request-date",), "instant", required=True),
        Column("order_id", ("order-id",), required=True),
        Column("order_source", ("order-source",)),
        Column("order_type", ("order-type",), required=True),
        Column("service_speed", ("service-speed",)),
        Column("order_status", ("order-status",)),
        Column("updated", ("last-updated-date",), "instant"),
        Column("sku", ("sku",)),
        Column("fnsku", ("fnsku",), required=True),
        Column("disposition", ("disposition",)),
        Column("requested_quantity", ("requested-quantity",), "int", required=True),
        Column("cancelled_quantity", ("cancelled-quantity", "canceled-quantity"), "int", required=True),
        Column("disposed_quantity", ("disposed-quantity",), "int", required=True),
        Column("shipped_quantity", ("shipped-quantity",), "int", required=True),
        Column("in_process_quantity", ("in-process-quantity",), "int", required=True),
        Column("removal_fee", ("removal-fee",), "money"),
        Column("currency", ("currency",)),
    ),
    signature=("request-date", "order-type", "requested-quantity", "disposed-quantity", "in-process-quantity"),
    key=("order_id", "sku", "fnsku", "disposition"),
    newest_by="updated_at",
    period="requested_on",
    money="removal_fee",
)

REMOVAL_SHIPMENTS = Report(
    family="removal_shipments",
    title="FBA removal shipment detail",
    frame=frames.RemovalShipment,
    columns=(
        Column("requested", ("request-date", "removal-date"), "instant"),
        Column("order_id", ("order-id",), required=True),
        Column("shipped", ("shipment-date",), "instant", required=True),
        Column("sku", ("sku",)),
        Column("fnsku", ("fnsku",), required=True),
        Column("disposition", ("disposition",)),
        Column("shipped_quantity", ("shipped-quantity",), "int", required=True),
        Column("carrier", ("carrier",)),
        Column("tracking_number", ("tracking-number",)),
        Column("removal_order_type", ("removal-order-type",)),
    ),
    signature=("order-id", "shipment-date", "fnsku", "shipped-quantity", "tracking-number"),
    key=("order_id", "tracking_number", "sku", "fnsku", "disposition", "shipped_at", "shipped_on", "shipped_quantity"),
    period="shipped_on",
)

REMOVALS = (REMOVAL_ORDERS, REMOVAL_SHIPMENTS)
