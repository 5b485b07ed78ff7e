"""The names of audits in the words of a reader."""

from __future__ import annotations

# Names that are not here are shown as they are.
AUDIT_TITLES = {
    "warehouse_lost": "Lost in the warehouse and not made good",
    "warehouse_damaged": "Damaged in the warehouse and not made good",
    "inbound_shortage": "Sent to Amazon, not received",
    "disposed_without_order": "Disposed of without an order",
    "removal_short": "Removal parcels that arrived short",
    "refund_without_return": "Refunded, but the unit never came back",
    "return_unpaid": "Came back damaged by Amazon or the carrier, unpaid",
    "return_not_restocked": "Came back sellable, not back in stock",
    "refund_exceeds_charge": "Refunded more than was charged",
    "return_wrong_item": "Another item came back",
    "fulfilment_fee_overcharge": "Fulfilment fee above the rate card",
    "measurement_error": "Fee from a wrong size or weight",
    "referral_fee_error": "Referral fee above the rate",
    "refund_fee_kept": "Referral fee kept on a refund",
    "storage_fee_overcharge": "Storage fee above the rate",
    "reimbursement_underpaid": "Reimbursed below the unit's value",
    "reimbursement_not_settled": "Reimbursement approved, never paid out",
    "reimbursement_reversed": "Reimbursement taken back, unit not returned",
    "reimbursement_twice": "Paid twice (risk of being taken back)",
    "settlement_out_of_balance": "Settlement lines do not add up to the total",
    "settlement_gap": "Break between two settlements",
    "deposit_missing": "Payout not seen at the bank",
    "deposit_differs": "Payout that arrived with another amount",
    "deposit_unexplained": "Bank credit without a settlement",
    "pay_amount_differs": "Amazon Pay: settled with another amount",
    "pay_duplicate": "Amazon Pay: the same line settled twice",
    "pay_unknown": "Amazon Pay: settled, but unknown to the shop",
    "pay_overdue": "Amazon Pay: not settled in time",
    "pay_fee_differs": "Amazon Pay: fee above the schedule",
}
# Where a report that an audit reads is not there: what to look for.
REPORT_TITLES = {
    "bank": "Bank statement (books/bank.csv or books/bank/)",
    "customer_returns": "FBA customer returns",
    "fee_preview": "FBA fee preview",
    "inbound_shipments": "Inbound shipments (books/inbound_shipments.csv)",
    "ledger_detail": "FBA inventory ledger, detail",
    "pay_activity": "Amazon Pay activity (books/pay_activity.csv)",
    "pay_lines": "Amazon Pay settlements",
    "products": "Products (books/products.csv)",
    "reimbursements": "FBA reimbursements",
    "removal_orders": "FBA removal order detail",
    "removal_receipts": "Removal receipts (books/removal_receipts.csv)",
    "removal_shipments": "FBA removal shipment detail",
    "settlement_lines": "Settlements",
    "settlements": "Settlements",
    "storage_fees": "FBA monthly storage fees",
}


def title_of(audit: str) -> str:
    """The title of an audit; an unknown name as words."""
    return AUDIT_TITLES.get(audit, audit.replace("_", " ").capitalize())


def reason_of(audit: str) -> str:
    """What happened, without what is still missing: for what was made good since."""
    return title_of(audit).removesuffix(" and not made good").removesuffix(", unpaid")
