"""All orders, fulfilled shipments, customer shipment sales and replacements.

Sources: GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL and ..._BY_LAST_UPDATE_GENERAL (32 to 91 columns),
GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL (48), GET_FBA_FULFILLMENT_CUSTOMER_SHIPMENT_SALES_DATA (14),
GET_FBA_FULFILLMENT_CUSTOMER_SHIPMENT_REPLACEMENT_DATA (9). They are full of buyers' data: only the columns named here
are read, and the private ones are named so that they are dropped before anything else looks at them.
"""

from __future__ import annotations

from recon_lib import frames
from recon_lib.reports.base import Column, Report

_ADDRESS = (
    "address-1",
    "address-2",
    "address-3",
    "city",
    "state",
    "county",
    "postal-code",
    "phone",
    "phone-number",
    "name",
)


def _address(*prefixes: str) -> tuple[str, ...]:
    return tuple(f"{prefix}-{part}" for prefix in prefixes for part in _ADDRESS)


BUYER = (
    "recipient-name",
    "recipient-phone-number",
    "buyer-name",
    "buyer-email",
    "buyer-phone-number",
    "buyer-company-name",
    "buyer-address",
    "buyer-cst-number",
    "buyer-vat-number",
    "buyer-vat",
    "buyer-tax-number",
    "buyer-tax-registration-id",
    "buyer-tax-registration-type",
    "buyer-tax-registration-country",
    "buyer-citizen-name",
    "buyer-citizen-id",
    "buyer-identification-number",
    "buyer-identification-type",
    "buyer-requested-cancel-reason",
    "cpf",
    "payment-method-details",
    "item-extensions-data",
    "delivery-instructions",
    "gift-message-text",
    "customized-url",
    "customized-page",
    "purchase-order-number",
    "invoice-business-legal-name",
    "invoice-business-address",
    "invoice-business-tax-id",
    "invoice-business-tax-office",
    *_address("ship", "bill", "buyer", "invoice-business", "default-ship-from", "actual-ship-from"),
)
"""Header names that hold a buyer's (or a business buyer's) data in any of these reports."""

ALL_ORDERS = Report(
    family="all_orders",
    title="All orders",
    frame=frames.OrderLine,
    columns=(
        Column("order_id", ("amazon-order-id",), required=True),
        Column("merchant_order_id", ("merchant-order-id",)),
        Column("purchased", ("purchase-date",), "instant", required=True),
        Column("updated", ("last-updated-date",), "instant"),
        Column("order_status", ("order-status",)),
        Column("fulfillment_channel", ("fulfillment-channel", "fulfilment-channel")),
        Column("sales_channel", ("sales-channel",)),
        Column("sku", ("sku",), required=True),
        Column("asin", ("asin",)),
        Column("product_name", ("product-name",)),
        Column("item_status", ("item-status",)),
        Column("quantity", ("quantity",), "int", required=True),
        Column("currency", ("currency",)),
        Column("item_price", ("item-price",), "money", required=True),
        Column("item_tax", ("item-tax",), "money"),
        Column("shipping_price", ("shipping-price",), "money"),
        Column("shipping_tax", ("shipping-tax",), "money"),
        Column("gift_wrap_price", ("gift-wrap-price",), "money"),
        Column("gift_wrap_tax", ("gift-wrap-tax",), "money"),
        Column("item_promotion_discount", ("item-promotion-discount",), "money"),
        Column("ship_promotion_discount", ("ship-promotion-discount",), "money"),
    ),
    signature=("amazon-order-id", "purchase-date", "last-updated-date", "order-status"),
    key=("order_id", "sku"),
    newest_by="updated_at",
    private=BUYER,
    period="purchased_on",
    money="item_price",
)

FULFILLED_SHIPMENTS = Report(
    family="fulfilled_shipments",
    title="Amazon fulfilled shipments",
    frame=frames.FulfilledShipment,
    columns=(
        Column("order_id", ("amazon-order-id",), required=True),
        Column("shipment_id", ("shipment-id",)),
        Column("shipment_item_id", ("shipment-item-id",), required=True),
        Column("order_item_id", ("amazon-order-item-id",)),
        Column("purchased", ("purchase-date",), "instant"),
        Column("shipped", ("shipment-date",), "instant", required=True),
        Column("sku", ("sku",), required=True),
        Column("product_name", ("product-name",)),
        Column("quantity", ("quantity-shipped",), "int", required=True),
        Column("currency", ("currency",)),
        Column("item_price", ("item-price",), "money"),
        Column("item_tax", ("item-tax",), "money"),
        Column("shipping_price", ("shipping-price",), "money"),
        Column("gift_wrap_price", ("gift-wrap-price",), "money"),
        Column("item_promotion_discount", ("item-promotion-discount",), "money"),
        Column("ship_promotion_discount", ("ship-promotion-discount",), "money"),
        Column("carrier", ("carrier",)),
        Column("tracking_number", ("tracking-number",)),
        Column("fulfillment_center", ("fulfillment-center-id", "fulfilment-center-id")),
        Column("fulfillment_channel", ("fulfillment-channel", "fulfilment-channel")),
        Column("sales_channel", ("sales-channel",)),
    ),
    signature=("amazon-order-id", "shipment-item-id", "shipment-date", "quantity-shipped"),
    key=("shipment_item_id",),
    private=BUYER,
    period="shipped_on",
    money="item_price",
)

SHIPMENT_SALES = Report(
    family="shipment_sales",
    title="FBA customer shipment sales",
    frame=frames.ShipmentSale,
    columns=(
        Column("shipped", ("shipment-date",), "instant", required=True),
        Column("sku", ("sku",), required=True),
        Column("fnsku", ("fnsku",)),
        Column("asin", ("asin",)),
        Column("fulfillment_center", ("fulfillment-center-id", "fulfilment-center-id")),
        Column("quantity", ("quantity",), "int", required=True),
        Column("order_id", ("amazon-order-id",), required=True),
        Column("currency", ("currency",)),
        Column("item_price_per_unit", ("item-price-per-unit",), "money"),
        Column("shipping_price", ("shipping-price",), "money"),
        Column("gift_wrap_price", ("gift-wrap-price",), "money"),
    ),
    signature=("shipment-date", "amazon-order-id", "item-price-per-unit"),
    key=(
        "shipped_at",
        "shipped_on",
        "order_id",
        "sku",
        "fnsku",
        "fulfillment_center",
        "quantity",
        "item_price_per_unit",
        "shipping_price",
        "gift_wrap_price",
    ),
    private=BUYER,
    period="shipped_on",
)

REPLACEMENTS = Report(
    family="replacements",
    title="FBA replacements",
    frame=frames.Replacement,
    columns=(
        Column("shipped", ("shipment-date",), "instant", required=True),
        Column("sku", ("sku",), required=True),
        Column("asin", ("asin",)),
        Column("fulfillment_center", ("fulfillment-center-id", "fulfilment-center-id")),
        Column("original_fulfillment_center", ("original-fulfillment-center-id", "original-fulfilment-center-id")),
        Column("quantity", ("quantity",), "int", required=True),
        Column("reason_code", ("replacement-reason-code",)),
        Column("replacement_order_id", ("replacement-amazon-order-id",)),
        Column("original_order_id", ("original-amazon-order-id",), required=True),
    ),
    signature=("shipment-date", "replacement-amazon-order-id", "original-amazon-order-id"),
    key=(
        "shipped_at",
        "shipped_on",
        "original_order_id",
        "replacement_order_id",
        "sku",
        "quantity",
        "reason_code",
        "fulfillment_center",
    ),
    period="shipped_on",
)

ORDERS = (ALL_ORDERS, FULFILLED_SHIPMENTS, SHIPMENT_SALES, REPLACEMENTS)
