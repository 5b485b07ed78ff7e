"""Amazon Pay (Off-Amazon Payments): settlement, refund and capture reports. Comma, every field quoted.

The settlement's window stands in the lines before its header; it becomes the one row of `pay_statements`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import polars as pl

from recon_lib import frames
from recon_lib.reports import dates
from recon_lib.reports.base import Column, Report
from recon_lib.reports.text import lines_of, split_line

_BILLING = tuple(
    f"Billing{part}"
    for part in (
        "AddressLine1", "AddressLine2", "AddressLine3", "AddressCity", "AddressDistrictOrCounty", "AddressStateOrRegion",
        "AddressPostalCode", "AddressCountryCode",
    )
)  # fmt: skip
_TOLD = ("sellerid", "settlementstartdate", "settlementenddate")
_SEPARATORS = (",", ";", "\t", "|")
_BUYER = ("BuyerName", "BuyerEmailAddress", *_BILLING)


def preamble_values(preamble: str) -> tuple[dict[str, str], int]:
    """(name -> value of the lines before the header, line of the start date)."""
    values: dict[str, str] = {}
    start = 1
    for number, line in enumerate(lines_of(preamble), 1):
        # a spreadsheet of another country saves it with its own separator
        for separator in _SEPARATORS:
            name, *cells = split_line(line.lstrip("\ufeff"), separator, quoted=True) or [""]
            name = name.strip().lower()
            if name in _TOLD and cells and cells[0].strip():
                values[name] = cells[0].strip()
                start = number if name == "settlementstartdate" else start
                break
    return values, start


def _statements(files: Sequence[Mapping[str, str]]) -> dict[str, pl.LazyFrame]:
    """The window that each preamble states (no row where it states none)."""
    told: list[list[object]] = []
    for nth, facts in enumerate(files):
        values, line = preamble_values(facts.get("preamble", ""))
        told.append([nth, line, *(values.get(name) for name in _TOLD)])
    rows = pl.LazyFrame(told, schema=_WRITTEN, orient="row")
    ends = ([str(row[at]) for row in told if row[at]] for at in (3, 4))
    statements = rows.select(
        "nth",
        "line",
        "seller_id",
        *(_moment(name, dates.sniff(words)) for name, words in zip(_ENDS, ends, strict=True)),
    ).filter(pl.col("start_at").is_not_null() & pl.col("end_at").is_not_null())
    return {"pay_statements": statements}


_ENDS = ("start_at", "end_at")
_WRITTEN = {"nth": pl.UInt32, "line": pl.UInt32, **dict.fromkeys(("seller_id", *_ENDS), pl.String)}


@lru_cache(maxsize=256)
def _moment(name: str, plan: dates.DatePlan) -> pl.Expr:
    return dates.read(pl.col(name), plan)[0].alias(name)


PAY_SETTLEMENT = Report(
    family="pay_lines",
    title="Amazon Pay settlement",
    frame=frames.PayLine,
    extra_frames={"pay_statements": frames.PayStatement},
    columns=(
        Column("posted", ("TransactionPostedDate",), "instant", required=True),
        Column("settlement_id", ("SettlementId",), required=True),
        Column("amazon_transaction_id", ("AmazonTransactionId",), required=True),
        Column("seller_reference_id", ("SellerReferenceId",)),
        Column("transaction_type", ("TransactionType",), required=True),
        Column("order_reference_id", ("AmazonOrderReferenceId",)),
        Column("seller_order_id", ("SellerOrderId",)),
        Column("store_name", ("StoreName",)),
        Column("currency", ("CurrencyCode",), required=True),
        Column("description", ("TransactionDescription",)),
        Column("amount", ("TransactionAmount",), "money", required=True),
        Column("percentage_fee", ("TransactionPercentageFee",), "money"),
        Column("fixed_fee", ("TransactionFixedFee",), "money"),
        Column("total_fee", ("TotalTransactionFee",), "money"),
        Column("net_amount", ("NetTransactionAmount",), "money"),
    ),
    quoted=True,
    signature=("TransactionPostedDate", "SettlementId", "AmazonTransactionId", "TransactionType", "TransactionAmount"),
    key=(
        "settlement_id", "amazon_transaction_id", "transaction_type", "posted_at", "posted_on", "seller_reference_id",
        "order_reference_id", "seller_order_id", "currency", "description", "amount", "total_fee", "net_amount",
    ),
    period="posted_on",
    money="net_amount",
    above=_statements,
)  # fmt: skip

PAY_REFUND = Report(
    family="pay_refunds",
    title="Amazon Pay refunds",
    frame=frames.PayRefund,
    columns=(
        Column("amazon_refund_id", ("AmazonRefundId",), required=True),
        Column("refund_reference_id", ("RefundReferenceId",)),
        Column("amazon_capture_id", ("AmazonCaptureId",)),
        Column("order_reference_id", ("AmazonOrderReferenceId",)),
        Column("amount", ("RefundAmount",), "money", required=True),
        Column("currency", ("CurrencyCode",), required=True),
        Column("refund_type", ("RefundType",)),
        Column("status", ("RefundStatus",), required=True),
        Column("updated", ("LastUpdateTimestamp",), "instant"),
        Column("reason_code", ("ReasonCode",)),
        Column("created", ("CreationTimestamp",), "instant"),
    ),
    private=("SellerRefundNote", *_BUYER),
    quoted=True,
    signature=("AmazonRefundId", "RefundAmount", "RefundStatus"),
    key=("amazon_refund_id", "status", "updated_at", "updated_on", "amount", "currency"),
    period="updated_on",
    money="amount",
    money_when=("status", "completed"),  # a row a state change
)

PAY_CAPTURE = Report(
    family="pay_captures",
    title="Amazon Pay captures",
    frame=frames.PayCapture,
    columns=(
        Column("amazon_capture_id", ("AmazonCaptureId",), required=True),
        Column("capture_reference_id", ("CaptureReferenceId",)),
        Column("amazon_authorization_id", ("AmazonAuthorizationId",)),
        Column("order_reference_id", ("AmazonOrderReferenceId",)),
        Column("amount", ("CaptureAmount",), "money", required=True),
        Column("currency", ("CurrencyCode",), required=True),
        Column("status", ("CaptureStatus",), required=True),
        Column("updated", ("LastUpdateTimestamp",), "instant"),
        Column("reason_code", ("ReasonCode",)),
        Column("created", ("CreationTimestamp",), "instant"),
    ),
    private=("SellerCaptureNote", *_BUYER),
    quoted=True,
    signature=("AmazonCaptureId", "CaptureAmount", "CaptureStatus"),
    key=("amazon_capture_id", "status", "updated_at", "updated_on", "amount", "currency"),
    period="updated_on",
    money="amount",
    money_when=("status", "completed"),  # a row a state change
)
