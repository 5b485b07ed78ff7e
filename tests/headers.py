"""The columns of reports and books as they are downloaded and kept today; other layouts stand in the tests about them."""

from __future__ import annotations


def _names(text: str, between: str | None = None) -> list[str]:
    return text.split(between)


V2 = _names(
    "settlement-id settlement-start-date settlement-end-date deposit-date total-amount currency transaction-type order-id "
    "merchant-order-id adjustment-id shipment-id marketplace-name amount-type amount-description amount fulfillment-id "
    "posted-date posted-date-time order-item-code merchant-order-item-id merchant-adjustment-item-id sku quantity-purchased "
    "promotion-id"
)

V1 = _names(
    "settlement-id settlement-start-date settlement-end-date deposit-date total-amount currency transaction-type order-id "
    "merchant-order-id adjustment-id shipment-id marketplace-name shipment-fee-type shipment-fee-amount order-fee-type "
    "order-fee-amount fulfillment-id posted-date order-item-code merchant-order-item-id merchant-adjustment-item-id sku "
    "quantity-purchased price-type price-amount item-related-fee-type item-related-fee-amount misc-fee-amount other-fee-amount "
    "other-fee-reason-description promotion-id promotion-type promotion-amount direct-payment-type direct-payment-amount "
    "other-amount"
)

LEDGER = _names(
    "Date, FNSKU, ASIN, MSKU, Title, Event Type, Reference ID, Quantity, Fulfillment Center, Disposition, Reason, Country, "
    "Reconciled Quantity, Unreconciled Quantity, Date and Time, Store",
    ", ",
)

REIMBURSEMENTS = _names(
    "approval-date reimbursement-id case-id amazon-order-id reason sku fnsku asin product-name condition currency-unit "
    "amount-per-unit amount-total quantity-reimbursed-cash quantity-reimbursed-inventory quantity-reimbursed-total "
    "original-reimbursement-id original-reimbursement-type"
)

RETURNS = _names(
    "return-date order-id sku asin fnsku product-name quantity fulfillment-center-id detailed-disposition reason status "
    "license-plate-number customer-comments"
)

REMOVAL_ORDERS = _names(
    "request-date order-id order-type service-speed order-status last-updated-date sku fnsku disposition requested-quantity "
    "cancelled-quantity disposed-quantity shipped-quantity in-process-quantity removal-fee currency"
)

REMOVAL_SHIPMENTS = _names(
    "request-date order-id shipment-date sku fnsku disposition shipped-quantity carrier tracking-number removal-order-type"
)

FEE_PREVIEW = _names(
    "sku fnsku asin product-name product-group brand fulfilled-by your-price sales-price longest-side median-side shortest-side "
    "length-and-girth unit-of-dimension item-package-weight unit-of-weight product-size-tier currency estimated-fee-total "
    "estimated-referral-fee-per-unit estimated-variable-closing-fee estimated-order-handling-fee-per-order "
    "estimated-pick-pack-fee-per-unit estimated-weight-handling-fee-per-unit expected-fulfillment-fee-per-unit"
)

STORAGE_FEES = _names(
    "asin fnsku product_name fulfillment_center country_code longest_side median_side shortest_side measurement_units weight "
    "weight_units item_volume volume_units product_size_tier average_quantity_on_hand average_quantity_pending_removal "
    "estimated_total_item_volume month_of_charge storage_rate currency estimated_monthly_storage_fee "
    "dangerous_goods_storage_type eligible_for_inventory_discount qualifies_for_inventory_discount total_incentive_fee_amount "
    "breakdown_incentive_fee_amount average_quantity_customer_orders"
)

PRODUCTS = _names(
    "sku fnsku asin category unit_cost currency cost_from longest_side median_side shortest_side dimension_unit weight "
    "weight_unit"
)

PAY = _names(
    "TransactionPostedDate SettlementId AmazonTransactionId SellerReferenceId TransactionType AmazonOrderReferenceId "
    "SellerOrderId StoreName CurrencyCode TransactionDescription TransactionAmount TransactionPercentageFee TransactionFixedFee "
    "TotalTransactionFee NetTransactionAmount"
)
