"""Settlement reports, flat file V1 (33 or 36 columns) and the 37-column hybrid, told in the words of V2.

The `*-type` column becomes `amount_type`, its value `amount_description`; what V1 writes as a transaction type of its own
beside `other-amount` (`REVERSAL_REIMBURSEMENT`, `Storage Fee`, `Payable to Amazon`) becomes `transaction_type`
"other-transaction", `amount_description` that word, and `amount_type` "FBA Inventory Reimbursement" for the codes of
reimbursements, else "other-transaction". One V1 row gives one line for each amount on it, numbered by `part`; a row that
carries only a quantity is a line of 0.00.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from recon_lib import frames
from recon_lib.money import MONEY
from recon_lib.reports.base import Column, Report
from recon_lib.reports.settlement import HEAD, KEY, is_summary, posted, prepare, remark, settlements

# (amount column, column of its word, amount_type), in the order of the file.
_AMOUNTS = (
    ("shipment_fee_amount", "shipment_fee_type", "ShipmentFees"),
    ("order_fee_amount", "order_fee_type", "OrderFees"),
    ("price_amount", "price_type", "ItemPrice"),
    ("item_related_fee_amount", "item_related_fee_type", "ItemFees"),
    ("misc_fee_amount", "misc_fee_type", "MiscFees"),
    ("other_fee_amount", "other_fee_reason_description", "OtherFees"),
    ("promotion_amount", "promotion_type", "Promotion"),
    ("direct_payment_amount", "direct_payment_type", "DirectPayment"),
    ("other_amount", "transaction_type", "other-transaction"),
)
_NOT_REIMBURSED = ["COMMINGLING_VAT"]  # written like the codes of reimbursements, but none
_CODE = r"^[A-Z]+(?:_[A-Z0-9]+)+$|^RE_EVALUATION$"


def prepare_v1(rows: pl.LazyFrame) -> dict[str, str]:
    """As `prepare`, with the layout: the hybrid has a time of posting."""
    timed = rows.select(pl.col("posted_time").is_not_null().any()).collect().item()
    return prepare(rows) | {"layout": "hybrid" if timed else "V1"}


def split_v1(rows: pl.LazyFrame, facts: Mapping[str, str]) -> dict[str, pl.LazyFrame]:
    """Lines and settlements of the file; a row gives one line for each amount on it, in the order of the file."""
    amounts = tuple(amount for amount, _, _ in _AMOUNTS)
    summary = is_summary(amounts)
    given = [pl.col(a).is_not_null() for a in amounts]
    bare = len(given)  # the place of a row without any amount
    places, numbers, number = [], [], pl.lit(0, dtype=pl.UInt8)
    for i, there in enumerate([*given, ~pl.any_horizontal(given)]):
        number = number + there.cast(pl.UInt8)
        places.append(pl.when(there).then(pl.lit(i, dtype=pl.UInt8)))
        numbers.append(pl.when(there).then(number))
    place = pl.col("place")

    def of_place(told: list[pl.Expr]) -> pl.Expr:
        return pl.coalesce(pl.when(place == i).then(value) for i, value in enumerate(told))

    lines = (
        rows.filter(~summary)
        .with_columns(
            pl.concat_list(places).list.drop_nulls().alias("place"),
            pl.concat_list(numbers).list.drop_nulls().alias("part"),
        )
        .explode("place", "part")
        .with_columns(
            of_place([_amount_type(word, kind) for _, word, kind in _AMOUNTS]).alias("amount_type"),
            of_place([_description(word) for _, word, _ in _AMOUNTS]).alias("amount_description"),
            pl.when(place == bare).then(pl.lit(0).cast(MONEY)).otherwise(of_place([pl.col(a) for a in amounts]))
            .alias("amount"),
            pl.when(pl.col("other_amount").is_not_null() & ~_ordinary()).then(pl.lit("other-transaction"))
            .otherwise(pl.col("transaction_type")).alias("transaction_type"),
        )
    )  # fmt: skip
    return {"settlement_lines": lines, "settlements": settlements(rows, summary, facts)}


def _ordinary() -> pl.Expr:
    """Transaction types that V2 writes as V1 does, also beside `other-amount`."""
    return pl.col("transaction_type").is_in(
        ["Order", "Refund", "ServiceFee", "Chargeback Refund", "A-to-z Guarantee Refund", "other-transaction"]
    )


def _amount_type(word: str, kind: str) -> pl.Expr:
    if kind == "other-transaction":
        code = pl.col("transaction_type")
        reimbursed = code.str.contains(_CODE) & ~code.is_in(_NOT_REIMBURSED)
        multichannel = code.str.starts_with("MULTICHANNEL_")
        return (
            pl.when(multichannel).then(pl.lit("MCF Inventory Reimbursement"))
            .when(reimbursed).then(pl.lit("FBA Inventory Reimbursement"))
            .otherwise(pl.lit(kind))
        )  # fmt: skip
    withheld = pl.col(word).str.contains("^(?:MarketplaceFacilitator|LowValueGoodsTax)")
    out = pl.when(withheld).then(pl.lit("ItemWithheldTax")).otherwise(pl.lit(kind))
    if kind in ("ItemFees", "OtherFees"):  # V2 names a service fee by its own word
        service = pl.col("transaction_type") == "ServiceFee"
        out = pl.when(service).then(pl.coalesce("item_related_fee_type", pl.lit(kind))).otherwise(out)
    return out


def _description(word: str) -> pl.Expr:
    if word == "item_related_fee_type":
        service = pl.col("transaction_type") == "ServiceFee"
        return pl.when(service).then(pl.lit("TransactionTotalAmount")).otherwise(pl.col(word))
    return pl.coalesce(word, "transaction_type")


SETTLEMENT_V1 = Report(
    family="settlement_lines",
    title="Settlement, flat file V1",
    frame=frames.SettlementLine,
    extra_frames={"settlements": frames.Settlement},
    columns=(
        *HEAD,
        Column("shipment_fee_type", ("shipment-fee-type",)),
        Column("shipment_fee_amount", ("shipment-fee-amount",), "money", required=True),
        Column("order_fee_type", ("order-fee-type",)),
        Column("order_fee_amount", ("order-fee-amount",), "money", required=True),
        Column("price_type", ("price-type",)),
        Column("price_amount", ("price-amount",), "money", required=True),
        Column("item_related_fee_type", ("item-related-fee-type",)),
        Column("item_related_fee_amount", ("item-related-fee-amount",), "money", required=True),
        Column("misc_fee_type", ("misc-fee-type",)),
        Column("misc_fee_amount", ("misc-fee-amount",), "money", required=True),
        Column("other_fee_amount", ("other-fee-amount",), "money", required=True),
        Column("other_fee_reason_description", ("other-fee-reason-description",)),
        Column("promotion_type", ("promotion-type",)),
        Column("promotion_amount", ("promotion-amount",), "money"),
        Column("direct_payment_type", ("direct-payment-type",)),
        Column("direct_payment_amount", ("direct-payment-amount",), "money", required=True),
        Column("other_amount", ("other-amount",), "money", required=True),
    ),
    signature=("settlement-id", "total-amount", "transaction-type", "price-type", "price-amount", "other-amount"),
    key=KEY,
    period="posted_on",
    money="amount",
    prepare=prepare_v1,
    finish=posted,
    split=split_v1,
    remark=remark,
)
