"""Settlement reports: V2 flat file (22 to 24 columns), V1 flat file (33 or 36) and the 37-column hybrid.

One file gives `settlement_lines` and `settlements` (the summary row, where the file has one).

V1 is told in V2 words: the `*-type` column becomes `amount_type`, its value `amount_description`; what V1 writes as a
transaction type of its own beside `other-amount` (`REVERSAL_REIMBURSEMENT`, `Storage Fee`, `Payable to Amazon`) becomes
`transaction_type` "other-transaction", `amount_description` that word, and `amount_type` "FBA Inventory Reimbursement"
for the codes of reimbursements, else "other-transaction". One V1 row gives one line for each amount on it, numbered by
`part`; a row that carries only a quantity is a line of 0.00.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from recon_lib import frames
from recon_lib.errors import ReportError
from recon_lib.money import MONEY
from recon_lib.reports.base import Column, Report

# (amount column, column of its word, amount_type), in the order of the file.
_V1_AMOUNTS = (
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
_SUMMARY = ("settlement_id", "start_at", "start_on", "end_at", "end_on", "deposit_at", "deposit_on", "total_amount")
_NOT_REIMBURSED = ["COMMINGLING_VAT"]  # written like the codes of reimbursements, but none
_CODE = r"^[A-Z]+(?:_[A-Z0-9]+)+$|^RE_EVALUATION$"


def prepare(rows: pl.LazyFrame) -> dict[str, str]:
    """The currency of each settlement, from the first of its rows that states one, and whether there is a summary row."""
    stated = rows.select("settlement_id", "currency").drop_nulls()
    firsts = stated.unique("settlement_id", keep="first", maintain_order=True).collect()
    pairs = dict(sorted(firsts.iter_rows()))
    alone = pl.col("total_amount").is_not_null() & pl.col("transaction_type").is_null()
    summary = rows.filter(alone).head(1).collect().height
    return {"currencies": ";".join(f"{k}={v}" for k, v in pairs.items()), "summary": "yes" if summary else ""}


def prepare_v2(rows: pl.LazyFrame) -> dict[str, str]:
    return prepare(rows) | {"layout": "V2"}


def prepare_v1(rows: pl.LazyFrame) -> dict[str, str]:
    timed = rows.select(pl.col("posted_time").is_not_null().any()).collect().item()
    return prepare(rows) | {"layout": "hybrid" if timed else "V1"}


def _stated_currency(facts: Mapping[str, str]) -> pl.Expr:
    """The currency on the row, else the one its settlement states elsewhere."""
    pairs = [pair.split("=", 1) for pair in facts.get("currencies", "").split(";") if "=" in pair]
    if len(pairs) > 20:
        known = pl.col("settlement_id").replace_strict(dict(pairs), default=None, return_dtype=pl.String)
        return pl.coalesce("currency", known)
    out = pl.col("currency")
    for settlement, currency in pairs:
        out = (
            pl.when(pl.col("currency").is_null() & (pl.col("settlement_id") == settlement))
            .then(pl.lit(currency))
            .otherwise(out)
        )
    return out


def _posted(rows: pl.LazyFrame, facts: Mapping[str, str]) -> pl.LazyFrame:
    """`posted` from the time where the row has one, else from the day; the currency on every row."""
    return rows.with_columns(
        posted_at=pl.coalesce("posted_time_at", "posted_day_at"),
        posted_on=pl.coalesce("posted_time_on", "posted_day_on"),
        currency=_stated_currency(facts),
    )


def _is_summary(amounts: tuple[str, ...]) -> pl.Expr:
    empty = pl.col("transaction_type").is_null() & pl.all_horizontal(pl.col(a).is_null() for a in amounts)
    return empty & (pl.col("total_amount").is_not_null() | pl.col("start_on").is_not_null())


def _settlements(rows: pl.LazyFrame, summary: pl.Expr, facts: Mapping[str, str]) -> pl.LazyFrame:
    layout = pl.lit(facts.get("layout", "V2")).alias("layout")
    stated = rows.filter(summary).select("line", *_SUMMARY, "currency", layout)
    if facts.get("summary"):
        return stated
    # Without a summary row its cells stand on the lines; a total counts where all lines that state one state the same.
    firsts = [pl.col(n).drop_nulls().first() for n in (*_SUMMARY[1:-1], "currency")]
    total = pl.col("total_amount").drop_nulls()
    same = pl.when(total.n_unique() == 1).then(total.first()).alias("total_amount")
    told = rows.group_by("settlement_id").agg(pl.col("line").min(), *firsts, same).sort("line")
    return told.select("line", *_SUMMARY, "currency", layout)


def split_v2(rows: pl.LazyFrame, facts: Mapping[str, str]) -> dict[str, pl.LazyFrame]:
    summary = _is_summary(("amount",))
    lines = rows.filter(~summary).with_columns(pl.lit(1, dtype=pl.UInt8).alias("part"))
    return {"settlement_lines": lines, "settlements": _settlements(rows, summary, facts)}


def split_v1(rows: pl.LazyFrame, facts: Mapping[str, str]) -> dict[str, pl.LazyFrame]:
    amounts = tuple(amount for amount, _, _ in _V1_AMOUNTS)
    summary = _is_summary(amounts)
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
            of_place([_amount_type(word, kind) for _, word, kind in _V1_AMOUNTS]).alias("amount_type"),
            of_place([_description(word) for _, word, _ in _V1_AMOUNTS]).alias("amount_description"),
            pl.when(place == bare).then(pl.lit(0).cast(MONEY)).otherwise(of_place([pl.col(a) for a in amounts]))
            .alias("amount"),
            pl.when(pl.col("other_amount").is_not_null() & ~_ordinary()).then(pl.lit("other-transaction"))
            .otherwise(pl.col("transaction_type")).alias("transaction_type"),
        )
    )  # fmt: skip
    return {"settlement_lines": lines, "settlements": _settlements(rows, summary, facts)}


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


def remark(stored: Mapping[str, pl.LazyFrame]) -> list[str]:
    """What to say of settlements whose lines do not add up to their total. ReportError: one is stated twice."""
    ids = stored["settlements"].select("settlement_id", "line").collect()
    twice = ids.filter(pl.col("settlement_id").is_duplicated()).sort("settlement_id", "line")
    if twice.height:
        settlement_id, lines = twice["settlement_id"][0], twice["line"].to_list()
        raise ReportError(
            f"settlement {settlement_id} has several summary rows: lines {lines[0]} and {lines[1]}",
            hoped="one summary row a settlement",
            do="were two downloads put together? Use each file as Amazon sent it",
            line=int(lines[1]),
        )
    totals = stored["settlements"].filter(pl.col("total_amount").is_not_null()).collect()
    amount = pl.col("amount").sum().alias("added")
    if totals.height == 1:
        only = totals["settlement_id"].item()
        sums = stored["settlement_lines"].filter(pl.col("settlement_id") == only).select(amount).collect()
        sums = sums.with_columns(pl.lit(only).alias("settlement_id"))
    else:
        sums = stored["settlement_lines"].group_by("settlement_id").agg(amount).collect()
    joined = totals.join(sums, on="settlement_id", how="left").with_columns(pl.col("added").fill_null(0))
    off = joined.filter(pl.col("added") != pl.col("total_amount")).sort("line")
    return [
        f"settlement {sid}: lines add up to {added:.2f}, total-amount says {total:.2f}"
        for sid, added, total in off.select("settlement_id", "added", "total_amount").iter_rows()
    ]


_HEAD = (
    Column("settlement_id", ("settlement-id",), required=True),
    Column("start", ("settlement-start-date",), "instant"),
    Column("end", ("settlement-end-date",), "instant"),
    Column("deposit", ("deposit-date",), "instant"),
    Column("total_amount", ("total-amount",), "money", required=True),
    Column("currency", ("currency",), required=True),
    Column("transaction_type", ("transaction-type",), required=True),
    Column("order_id", ("order-id",), required=True),
    Column("merchant_order_id", ("merchant-order-id",)),
    Column("adjustment_id", ("adjustment-id",)),
    Column("shipment_id", ("shipment-id",)),
    Column("marketplace_name", ("marketplace-name",)),
    Column("fulfillment_id", ("fulfillment-id",)),
    Column("posted_day", ("posted-date",), "instant", required=True),
    Column("posted_time", ("posted-date-time",), "instant"),
    Column("order_item_code", ("order-item-code",)),
    Column("merchant_order_item_id", ("merchant-order-item-id",)),
    Column("merchant_adjustment_item_id", ("merchant-adjustment-item-id",)),
    Column("sku", ("sku",)),
    Column("quantity", ("quantity-purchased",), "int"),
    Column("promotion_id", ("promotion-id",)),
)
_KEY = ("settlement_id", "line", "part")  # settlements are merged whole, never by rows

SETTLEMENT_V2 = Report(
    family="settlement_lines",
    title="Settlement, flat file V2",
    frame=frames.SettlementLine,
    extra_frames={"settlements": frames.Settlement},
    columns=(
        *_HEAD,
        Column("amount_type", ("amount-type",), required=True),
        Column("amount_description", ("amount-description",), required=True),
        Column("amount", ("amount",), "money", required=True),
    ),
    signature=("settlement-id", "total-amount", "transaction-type", "amount-type", "amount-description", "amount"),
    key=_KEY,
    period="posted_on",
    money="amount",
    prepare=prepare_v2,
    words=(
        "settlement_id", "currency", "transaction_type", "marketplace_name", "amount_type", "amount_description",
        "fulfillment_id",
    ),
    head_only=("settlements",),
    finish=_posted,
    split=split_v2,
    remark=remark,
)  # fmt: skip

SETTLEMENT_V1 = Report(
    family="settlement_lines",
    title="Settlement, flat file V1",
    frame=frames.SettlementLine,
    extra_frames={"settlements": frames.Settlement},
    columns=(
        *_HEAD,
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
    key=_KEY,
    period="posted_on",
    money="amount",
    prepare=prepare_v1,
    finish=_posted,
    split=split_v1,
    remark=remark,
)
