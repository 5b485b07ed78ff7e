"""The data model: one declared class for each kind of row.

Every class says its grain. Conventions for all of them:

* `file` is the path below the account folder (a member of an archive: `a.zip!member.txt`), `line` the physical
  line in it, counted from 1, on which the row begins. Together they are the proof of a number.
* `_on` is a calendar day, `_at` a point in time in UTC. Where a report writes a time with its zone, `_at` holds it and
  `_on` holds the day as written; `books.open_account` replaces `_on` by the day in the account's time zone. Where a
  report writes only a day (or a time without zone), `_at` is null and `_on` is that day.
* money is `MONEY` beside its `currency`; positive comes to the seller.
* ids and codes are text, exactly as written, trimmed; an empty cell is null.
* code lists are open: an unknown code is kept as written.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import dataframely as dy
import polars as pl


def Money(**kwargs: Any) -> dy.Decimal:
    return dy.Decimal(38, 4, **kwargs)


def Measure(**kwargs: Any) -> dy.Decimal:
    """A length, weight, volume or rate: eight digits after the mark."""
    return dy.Decimal(38, 8, **kwargs)


def Instant(**kwargs: Any) -> dy.Datetime:
    return dy.Datetime(time_unit="us", time_zone="UTC", **{"nullable": True, **kwargs})


def Text() -> dy.String:
    """Text that may be missing."""
    return dy.String(nullable=True)


class Row(dy.Schema):
    """Where a row was read."""

    file = dy.String()
    line = dy.UInt32()


# --- what Amazon sends: inventory -------------------------------------------------------------------------------


class Reimbursement(Row):
    """One line of one reimbursement; an id can have several. Reversals are negative rows of their own.

    Source: GET_FBA_REIMBURSEMENTS_DATA. No country, no shipment id.
    """

    approved_at = Instant()
    approved_on = dy.Date()
    reimbursement_id = dy.String()
    case_id = Text()
    order_id = Text()
    reason = dy.String()
    sku = Text()
    fnsku = Text()
    asin = Text()
    product_name = Text()
    condition = Text()
    currency = Text()
    amount_per_unit = Money(nullable=True)
    amount_total = Money()
    quantity_cash = dy.Int32()
    quantity_inventory = dy.Int32()
    quantity_total = dy.Int32()
    original_reimbursement_id = Text()
    original_reimbursement_type = Text()


class CustomerReturn(Row):
    """One arrival of returned units at a warehouse. Refunds without a parcel do not appear here."""

    returned_at = Instant()
    returned_on = dy.Date()
    order_id = dy.String()
    sku = dy.String()
    asin = Text()
    fnsku = Text()
    product_name = Text()
    quantity = dy.Int32()
    fulfillment_center = Text()
    disposition = Text()
    reason = Text()
    status = Text()
    license_plate_number = Text()


class LedgerEvent(Row):
    """One movement of units of one FNSKU in one bucket (centre, disposition). Positive enters, negative leaves.

    No event id exists: equal rows in one file are separate events. `reconciled_quantity` and `unreconciled_quantity`
    are Amazon's opinion on the download day and change later: shown, never a key.
    """

    event_on = dy.Date()
    event_at = Instant()
    fnsku = dy.String()
    asin = Text()
    sku = Text()
    title = Text()
    event_type = dy.String()
    reference_id = Text()
    quantity = dy.Int32()
    fulfillment_center = Text()
    disposition = Text()
    reason = Text()
    country = Text()
    reconciled_quantity = dy.Int32(nullable=True)
    unreconciled_quantity = dy.Int32(nullable=True)
    store = Text()


class LedgerBalance(Row):
    """One FNSKU, disposition and location for one day (or period): opening, movements, closing."""

    day_on = dy.Date()
    fnsku = dy.String()
    asin = Text()
    sku = Text()
    title = Text()
    disposition = Text()
    starting_balance = dy.Int32()
    in_transit = dy.Int32(nullable=True)
    receipts = dy.Int32()
    customer_shipments = dy.Int32()
    customer_returns = dy.Int32()
    vendor_returns = dy.Int32()
    transfers = dy.Int32()
    found = dy.Int32()
    lost = dy.Int32()
    damaged = dy.Int32()
    disposed = dy.Int32()
    other_events = dy.Int32()
    ending_balance = dy.Int32()
    unknown_events = dy.Int32(nullable=True)
    location = Text()
    store = Text()


class InboundShipment(Row):
    """One SKU of one shipment to Amazon (books CSV or the v0 JSON). Final only when CLOSED."""

    shipment_id = dy.String()
    status = Text()
    closed_on = dy.Date(nullable=True)
    sku = dy.String()
    fnsku = Text()
    quantity_shipped = dy.Int32()
    quantity_received = dy.Int32()

    @dy.rule()
    def quantities_are_not_negative(cls) -> pl.Expr:
        return (pl.col("quantity_shipped") >= 0) & (pl.col("quantity_received") >= 0)


class InboundStatus(Row):
    """One shipment to Amazon as the v0 JSON tells it without its items: what `InboundShipment.status` is filled from."""

    shipment_id = dy.String()
    status = Text()
    name = Text()
    fulfillment_center = Text()


class RemovalOrder(Row):
    """One SKU and disposition of one removal order, as it stood at `updated_at`; updated in place."""

    requested_at = Instant()
    requested_on = dy.Date()
    order_id = dy.String()
    order_source = Text()
    order_type = dy.String()
    service_speed = Text()
    order_status = Text()
    updated_at = Instant()
    updated_on = dy.Date(nullable=True)
    sku = Text()
    fnsku = dy.String()
    disposition = Text()
    requested_quantity = dy.Int32()
    cancelled_quantity = dy.Int32()
    disposed_quantity = dy.Int32()
    shipped_quantity = dy.Int32()
    in_process_quantity = dy.Int32()
    removal_fee = Money(nullable=True)
    currency = Text()


class RemovalShipment(Row):
    """One FNSKU and disposition in one parcel of a removal order."""

    requested_at = Instant()
    requested_on = dy.Date(nullable=True)
    order_id = dy.String()
    shipped_at = Instant()
    shipped_on = dy.Date()
    sku = Text()
    fnsku = dy.String()
    disposition = Text()
    shipped_quantity = dy.Int32()
    carrier = Text()
    tracking_number = Text()
    removal_order_type = Text()

    @dy.rule()
    def shipped_quantity_is_not_negative(cls) -> pl.Expr:
        return pl.col("shipped_quantity") >= 0


# --- what Amazon sends: fees and orders -------------------------------------------------------------------------


class FeePreview(Row):
    """Amazon's own measured size and expected fees of one active offer; a snapshot without a date inside."""

    amazon_store = Text()
    sku = dy.String()
    fnsku = Text()
    asin = Text()
    product_name = Text()
    product_group = Text()
    brand = Text()
    fulfilled_by = Text()
    your_price = Money(nullable=True)
    sales_price = Money(nullable=True)
    longest_side = Measure(nullable=True)
    median_side = Measure(nullable=True)
    shortest_side = Measure(nullable=True)
    length_and_girth = Measure(nullable=True)
    dimension_unit = Text()
    package_weight = Measure(nullable=True)
    weight_unit = Text()
    size_tier = Text()
    currency = dy.String()
    estimated_fee_total = Money(nullable=True)
    estimated_referral_fee = Money(nullable=True)
    expected_fulfillment_fee = Money(nullable=True)


class StorageFee(Row):
    """Monthly storage fee estimate of one ASIN in one fulfilment centre for one month (`month_on` = its first day)."""

    month_on = dy.Date()
    asin = dy.String()
    fnsku = Text()
    sku = Text()
    product_name = Text()
    fulfillment_center = Text()
    country = Text()
    longest_side = Measure(nullable=True)
    median_side = Measure(nullable=True)
    shortest_side = Measure(nullable=True)
    dimension_unit = Text()
    weight = Measure(nullable=True)
    weight_unit = Text()
    item_volume = Measure(nullable=True)
    volume_unit = Text()
    size_tier = Text()
    average_quantity = Measure(nullable=True)
    pending_removal_quantity = Measure(nullable=True)
    estimated_total_volume = Measure(nullable=True)
    storage_rate = Measure(nullable=True)
    base_rate = Measure(nullable=True)
    utilization_surcharge_rate = Measure(nullable=True)
    currency = dy.String()
    estimated_fee = Money()
    dangerous_goods_type = Text()
    incentive_fee = Money(nullable=True)


class AgedInventoryFee(Row):
    """Aged-inventory (long-term storage) surcharge of one FNSKU, country and age tier on one snapshot day."""

    snapshot_at = Instant()
    snapshot_on = dy.Date()
    sku = Text()
    fnsku = dy.String()
    asin = Text()
    product_name = Text()
    condition = Text()
    unit_volume = Measure(nullable=True)
    volume_unit = Text()
    country = Text()
    currency = dy.String()
    quantity = dy.Int32(nullable=True)
    amount = Money()
    age_tier = Text()
    rate = Measure(nullable=True)


class OverageFee(Row):
    """Storage overage fee of one storage type for one charge day."""

    charged_at = Instant()
    charged_on = dy.Date()
    country = Text()
    storage_type = Text()
    charge_rate = Measure(nullable=True)
    usage_volume = Measure(nullable=True)
    limit_volume = Measure(nullable=True)
    overage_volume = Measure(nullable=True)
    volume_unit = Text()
    amount = Money()
    currency = dy.String()


class OrderLine(Row):
    """One SKU line of one order; `item_price` is the line total. Updated in place, newest `updated_at` wins."""

    order_id = dy.String()
    merchant_order_id = Text()
    purchased_at = Instant()
    purchased_on = dy.Date()
    updated_at = Instant()
    updated_on = dy.Date(nullable=True)
    order_status = Text()
    fulfillment_channel = Text()
    sales_channel = Text()
    sku = dy.String()
    asin = Text()
    product_name = Text()
    item_status = Text()
    quantity = dy.Int32()
    currency = Text()
    item_price = Money(nullable=True)
    item_tax = Money(nullable=True)
    shipping_price = Money(nullable=True)
    shipping_tax = Money(nullable=True)
    gift_wrap_price = Money(nullable=True)
    gift_wrap_tax = Money(nullable=True)
    item_promotion_discount = Money(nullable=True)
    ship_promotion_discount = Money(nullable=True)


class FulfilledShipment(Row):
    """One item of one parcel sent to a buyer; key `shipment_item_id`. All buyer columns are left behind."""

    order_id = dy.String()
    shipment_id = Text()
    shipment_item_id = dy.String()
    order_item_id = Text()
    purchased_at = Instant()
    purchased_on = dy.Date(nullable=True)
    shipped_at = Instant()
    shipped_on = dy.Date()
    sku = dy.String()
    product_name = Text()
    quantity = dy.Int32()
    currency = Text()
    item_price = Money(nullable=True)
    item_tax = Money(nullable=True)
    shipping_price = Money(nullable=True)
    gift_wrap_price = Money(nullable=True)
    item_promotion_discount = Money(nullable=True)
    ship_promotion_discount = Money(nullable=True)
    carrier = Text()
    tracking_number = Text()
    fulfillment_center = Text()
    fulfillment_channel = Text()
    sales_channel = Text()


class ShipmentSale(Row):
    """One SKU of one parcel sold, from the customer shipment sales report."""

    shipped_at = Instant()
    shipped_on = dy.Date()
    sku = dy.String()
    fnsku = Text()
    asin = Text()
    fulfillment_center = Text()
    quantity = dy.Int32()
    order_id = dy.String()
    currency = Text()
    item_price_per_unit = Money(nullable=True)
    shipping_price = Money(nullable=True)
    gift_wrap_price = Money(nullable=True)


class Replacement(Row):
    """One free replacement shipped for an earlier order."""

    shipped_at = Instant()
    shipped_on = dy.Date()
    sku = dy.String()
    asin = Text()
    fulfillment_center = Text()
    original_fulfillment_center = Text()
    quantity = dy.Int32()
    reason_code = Text()
    replacement_order_id = Text()
    original_order_id = dy.String()


# --- what Amazon sends: money -----------------------------------------------------------------------------------


class Settlement(Row):
    """One settlement: the summary row of a V1 or V2 flat file. `total_amount` negative: no deposit is due.

    A hybrid file without summary row has a null total. `layout` is V1, V2 or hybrid.
    """

    settlement_id = dy.String()
    start_at = Instant()
    start_on = dy.Date(nullable=True)
    end_at = Instant()
    end_on = dy.Date(nullable=True)
    deposit_at = Instant()
    deposit_on = dy.Date(nullable=True)
    total_amount = Money(nullable=True)
    currency = dy.String()
    layout = dy.String()


class SettlementLine(Row):
    """One money movement in a settlement; a V1 row with several amounts gives one line each (`part` counts them).

    V1 is told in V2 words: `amount_type` (ItemPrice, ItemFees, ...) and `amount_description` (Principal, Commission ...).
    `quantity` stands on every row of an item, so it is never summed over rows: per order item take the maximum.
    A V1 row that carries only a quantity is a line of 0.00 with `amount_type` null.
    """

    part = dy.UInt8()
    settlement_id = dy.String()
    transaction_type = Text()
    order_id = Text()
    merchant_order_id = Text()
    adjustment_id = Text()
    shipment_id = Text()
    marketplace_name = Text()
    amount_type = Text()
    amount_description = Text()
    amount = Money()
    currency = dy.String()
    fulfillment_id = Text()
    posted_at = Instant()
    posted_on = dy.Date(nullable=True)
    order_item_code = Text()
    merchant_order_item_id = Text()
    merchant_adjustment_item_id = Text()
    sku = Text()
    quantity = dy.Int32(nullable=True)
    promotion_id = Text()


class DateRangeLine(Row):
    """One transaction of the date-range ("unified transaction") CSV; the money columns add up to `total`.

    `type` is the English word where the written one is known, else null; `type_written` is as written.
    """

    posted_at = Instant()
    posted_on = dy.Date()
    settlement_id = Text()
    type = Text()
    type_written = Text()
    order_id = Text()
    sku = Text()
    description = Text()
    quantity = dy.Int32(nullable=True)
    marketplace = Text()
    account_type = Text()
    fulfillment = Text()
    product_sales = Money(nullable=True)
    product_sales_tax = Money(nullable=True)
    shipping_credits = Money(nullable=True)
    shipping_credits_tax = Money(nullable=True)
    gift_wrap_credits = Money(nullable=True)
    gift_wrap_credits_tax = Money(nullable=True)
    regulatory_fee = Money(nullable=True)
    regulatory_fee_tax = Money(nullable=True)
    promotional_rebates = Money(nullable=True)
    promotional_rebates_tax = Money(nullable=True)
    withheld_tax = Money(nullable=True)
    low_value_goods = Money(nullable=True)
    tcs_cgst = Money(nullable=True)
    tcs_sgst = Money(nullable=True)
    tcs_igst = Money(nullable=True)
    tds = Money(nullable=True)
    points = Money(nullable=True)
    selling_fees = Money(nullable=True)
    fba_fees = Money(nullable=True)
    other_transaction_fees = Money(nullable=True)
    other = Money(nullable=True)
    total = Money()
    currency = dy.String()
    language = dy.String()
    status = Text()
    released_at = Instant()
    released_on = dy.Date(nullable=True)


class PayStatement(Row):
    """One Amazon Pay settlement file: the window its preamble states. `line` is the line of the start date."""

    seller_id = Text()
    start_at = Instant()
    end_at = Instant()


class PayLine(Row):
    """One line of an Amazon Pay settlement. Fees negative; net = amount + fee. Transfer and Reserve rows have no ids."""

    posted_at = dy.Datetime(time_unit="us", time_zone="UTC")
    posted_on = dy.Date()
    settlement_id = dy.String()
    amazon_transaction_id = Text()
    seller_reference_id = Text()
    transaction_type = dy.String()
    order_reference_id = Text()
    seller_order_id = Text()
    store_name = Text()
    currency = dy.String()
    description = Text()
    amount = Money()
    percentage_fee = Money(nullable=True)
    fixed_fee = Money(nullable=True)
    total_fee = Money(nullable=True)
    net_amount = Money(nullable=True)


class PayRefund(Row):
    """One state of one Amazon Pay refund; the same refund appears once a state. `amount` is positive here."""

    amazon_refund_id = dy.String()
    refund_reference_id = Text()
    amazon_capture_id = Text()
    order_reference_id = Text()
    amount = Money()
    currency = dy.String()
    refund_type = Text()
    status = dy.String()
    updated_at = Instant()
    updated_on = dy.Date(nullable=True)
    reason_code = Text()
    created_at = Instant()
    created_on = dy.Date(nullable=True)


class PayCapture(Row):
    """One state of one Amazon Pay capture."""

    amazon_capture_id = dy.String()
    capture_reference_id = Text()
    amazon_authorization_id = Text()
    order_reference_id = Text()
    amount = Money()
    currency = dy.String()
    status = dy.String()
    updated_at = Instant()
    updated_on = dy.Date(nullable=True)
    reason_code = Text()
    created_at = Instant()
    created_on = dy.Date(nullable=True)


# --- what the seller and the bank say ---------------------------------------------------------------------------


class BankLine(Row):
    """One booking on the bank account; positive is a credit. Source: bank.csv, OFX/QFX, MT940 or CAMT.053."""

    booked_on = dy.Date()
    amount = Money()
    currency = dy.String()
    description = Text()
    reference = Text()


class Product(Row):
    """One product from `cost_from` on: unit cost, the seller's own measures. Several rows a product by date."""

    sku = dy.String()
    fnsku = Text()
    asin = Text()
    category = Text()
    unit_cost = Money(nullable=True)
    currency = Text()
    cost_from = dy.Date(nullable=True)
    longest_side = Measure(nullable=True)
    median_side = Measure(nullable=True)
    shortest_side = Measure(nullable=True)
    dimension_unit = Text()
    weight = Measure(nullable=True)
    weight_unit = Text()

    @dy.rule()
    def unit_cost_is_not_negative(cls) -> pl.Expr:
        return pl.col("unit_cost") >= 0

    @dy.rule()
    def measures_are_not_negative(cls) -> pl.Expr:
        sizes = ("longest_side", "median_side", "shortest_side", "weight")
        return pl.all_horizontal(pl.col(size).fill_null(0) >= 0 for size in sizes)


class PayActivity(Row):
    """One capture or refund that the seller's own system recorded. A refund's amount is negative."""

    activity_at = dy.Datetime(time_unit="us", time_zone="UTC")
    kind = dy.String()
    amazon_transaction_id = Text()
    seller_reference_id = Text()
    seller_order_id = Text()
    order_reference_id = Text()
    amount = Money()
    currency = dy.String()

    @dy.rule()
    def kind_is_capture_or_refund(cls) -> pl.Expr:
        return pl.col("kind").is_in(["capture", "refund"])

    @dy.rule()
    def amount_of_a_refund_is_negative_of_a_capture_positive(cls) -> pl.Expr:
        return pl.when(pl.col("kind") == "refund").then(pl.col("amount") <= 0).otherwise(pl.col("amount") >= 0)


class RemovalReceipt(Row):
    """What the seller counted when a removal parcel arrived."""

    order_id = dy.String()
    tracking_number = Text()
    fnsku = dy.String()
    received_on = dy.Date()
    quantity_received = dy.Int32()

    @dy.rule()
    def quantity_received_is_not_negative(cls) -> pl.Expr:
        return pl.col("quantity_received") >= 0


class Reject(Row):
    """One row that could not be used: which column, what was met, why. What buyer columns hold is never kept."""

    column = Text()
    value = Text()
    reason = dy.String()


# --- what the audits say ----------------------------------------------------------------------------------------


class RawFinding(dy.Schema):
    """One fact that is wrong, before value, window and status are put on (`claims.py`). One row a finding.

    * `fact` names the fact by what happened (ids, days, occurrence number), never by file names: the stable id is its hash.
    * `anchor_on`: the day the claim window counts from. `claim_type`: the row of claim_windows, null where none applies.
    * `quantity`, `unit_value`, `owed`: null where unknown; `claims.py` fills unit_value and owed where `value_basis` asks for it.
    * `value_basis`: `before_order` (claims.py values it), `after_order`, `charge`, `difference`, ... as told in `arithmetic`.
    * `status`: null = decided by window; `open`, `review` or `waiting` = decided by the audit, with `reason`.
    * `lines`: the source rows as `file:line`, both sides. `arithmetic`: the sum in words.
    """

    audit = dy.String()
    fact = dy.String()
    event_on = dy.Date(nullable=True)
    anchor_on = dy.Date(nullable=True)
    claim_type = Text()
    order_id = Text()
    reference_id = Text()
    sku = Text()
    fnsku = Text()
    asin = Text()
    quantity = dy.Int64(nullable=True)
    unit_value = Money(nullable=True)
    owed = Money(nullable=True)
    currency = Text()
    value_basis = Text()
    status = Text()
    reason = Text()
    lines = dy.List(dy.String())
    arithmetic = Text()


class Finding(dy.Schema):
    """One finding as in findings.csv, in that column order."""

    finding_id = dy.String(primary_key=True)
    audit = dy.String()
    status = dy.String()
    event_on = dy.Date(nullable=True)
    claim_from = dy.Date(nullable=True)
    claim_by = dy.Date(nullable=True)
    order_id = Text()
    reference_id = Text()
    sku = Text()
    fnsku = Text()
    asin = Text()
    quantity = dy.Int64(nullable=True)
    unit_value = Money(nullable=True)
    owed = Money(nullable=True)
    currency = Text()
    value_basis = Text()
    reason = Text()
    evidence = Text()


class SettledEvent(dy.Schema):
    """One thing Amazon has settled (history.csv): from the event to the payment to the settlement line."""

    audit = dy.String()
    event_on = dy.Date(nullable=True)
    paid_on = dy.Date(nullable=True)
    settled_on = dy.Date(nullable=True)
    quantity = dy.Int64(nullable=True)
    amount = Money(nullable=True)
    currency = Text()
    sku = Text()
    fnsku = Text()
    order_id = Text()
    reimbursement_id = Text()


class NotChecked(dy.Schema):
    """One thing that could not be checked, and why. `subject`: report, period, sku, code ...; `count`: rows concerned."""

    audit = dy.String()
    subject = dy.String()
    reason = dy.String()
    count = dy.Int64(nullable=True)


def empty(schema: type[dy.Schema]) -> pl.DataFrame:
    """A frame of `schema` without rows."""
    return _empty(schema).clone()


@cache
def _empty(schema: type[dy.Schema]) -> pl.DataFrame:
    # as create_empty gives it, which casts every column to what it is already
    return pl.DataFrame(schema={name: column.dtype for name, column in schema.columns().items()})
