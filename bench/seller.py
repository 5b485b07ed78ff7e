"""A large FBA seller's account folder as a seller would have it: 24 months in which nearly everything went right.

python bench/seller.py ACCOUNT_FOLDER [ROWS]     ROWS (default 5000000) ledger rows and about as many settlement lines, ROWS / 25
                                                 returns; always the same bytes.

The generator that bench/large_account.py calls is for volume: its ledger shares no order with its settlements, no settlement
pays its reimbursements and one unit in forty is lost, so one row in thirty becomes a finding. Here the reports tell one story: a
refunded order is returned and put back, lost stock is found or paid. RATES (seller_history.py) says how often not: assumptions,
chosen rather high. ROWS / 25 returns mean that a fifth of the orders is refunded, as in clothing. Settlements are a fortnight
each, ledgers a month each.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from seller_history import LEAST, START, Seller, digits, local


def columns(text: str) -> list[str]:
    return text.split(",")


ACCOUNT = (
    "account: seller\nmarketplace: US\ntime_zone: America/Los_Angeles\ncurrency: USD\ncurrencies: [USD]\n"
    "bank_pattern: AMAZON\n"
)
LEDGER = columns(
    "Date,FNSKU,ASIN,MSKU,Title,Event Type,Reference ID,Quantity,Fulfillment Center,Disposition,Reason,Country,"
    "Reconciled Quantity,Unreconciled Quantity,Date and Time,Store"
)
SETTLEMENT = columns(
    "settlement-id,settlement-start-date,settlement-end-date,deposit-date,total-amount,currency,"
    "transaction-type,order-id,merchant-order-id,adjustment-id,shipment-id,marketplace-name,amount-type,"
    "amount-description,amount,fulfillment-id,posted-date,posted-date-time,order-item-code,"
    "merchant-order-item-id,merchant-adjustment-item-id,sku,quantity-purchased,promotion-id"
)
REIMBURSEMENTS = columns(
    "approval-date,reimbursement-id,case-id,amazon-order-id,reason,sku,fnsku,asin,product-name,condition,"
    "currency-unit,amount-per-unit,amount-total,quantity-reimbursed-cash,quantity-reimbursed-inventory,"
    "quantity-reimbursed-total,original-reimbursement-id,original-reimbursement-type"
)
PREVIEW = columns(
    "sku,fnsku,asin,product-name,product-group,brand,fulfilled-by,your-price,sales-price,longest-side,"
    "median-side,shortest-side,length-and-girth,unit-of-dimension,item-package-weight,unit-of-weight,"
    "product-size-tier,currency,estimated-fee-total,estimated-referral-fee-per-unit,"
    "estimated-variable-closing-fee,estimated-order-handling-fee-per-order,estimated-pick-pack-fee-per-unit,"
    "estimated-weight-handling-fee-per-unit,expected-fulfillment-fee-per-unit"
)


def money(cents: pl.Expr) -> pl.Expr:
    sign = pl.when(cents < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str(sign, (cents.abs() // 100).cast(pl.String), pl.lit("."), digits(cents.abs() % 100, 2))


def utc(form: str) -> pl.Expr:
    return pl.from_epoch("t").dt.strftime(form)


def order_id() -> pl.Expr:
    o = pl.col("o")
    return pl.concat_str(
        pl.lit("11"),
        (o % 5).cast(pl.String),
        pl.lit("-"),
        digits(o * 9301 % 9_999_991, 7),
        pl.lit("-"),
        digits(o * 7919 % 9_999_973, 7),
    )


def write(
    rows: pl.DataFrame, columns: list[str], path: Path, values: Mapping[str, pl.Expr], quoted: bool = False
) -> None:
    told = rows.select(values.get(c, pl.lit("")).alias(c) for c in columns)
    told.write_csv(path, separator="\t", quote_style="always" if quoted else "never")


def write_all(folder: Path, rows: int) -> dict[str, int]:
    for name in ("reports", "books"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "account.yml").write_text(ACCOUNT)
    seller, reports = Seller(rows), folder / "reports"
    of_product = {
        "sku": pl.col("sku"),
        "fnsku": pl.col("fnsku"),
        "asin": pl.col("asin"),
        "product-name": pl.col("title"),
    }
    seller.products.select(
        "sku",
        "fnsku",
        "asin",
        category=pl.lit("Home and Kitchen"),
        unit_cost=money(pl.col("price") * 2 // 5),
        currency=pl.lit("USD"),
        cost_from=pl.lit("2024-01-01"),
        longest_side=pl.lit("8.00"),
        median_side=pl.lit("5.00"),
        shortest_side=pl.lit("2.00"),
        dimension_unit=pl.lit("in"),
        weight=pl.lit("0.90"),
        weight_unit=pl.lit("lb"),
    ).write_csv(folder / "books" / "products.csv")
    constant = {
        "product-group": "gl_home",
        "brand": "Example",
        "fulfilled-by": "Amazon",
        "longest-side": "8.00",
        "median-side": "5.00",
        "shortest-side": "2.00",
        "length-and-girth": "22.00",
        "unit-of-dimension": "inches",
        "item-package-weight": "0.90",
        "unit-of-weight": "pounds",
        "product-size-tier": "Large standard-size",
        "currency": "USD",
        "estimated-variable-closing-fee": "0.00",
    }
    price = money(pl.col("price"))
    write(
        seller.products,
        PREVIEW,
        reports / "fee-preview.txt",
        of_product | {c: pl.lit(v) for c, v in constant.items()} | {"your-price": price, "sales-price": price},
    )
    ledger, code = seller.ledger(), pl.col("code")
    ref = pl.when(pl.col("o").is_not_null()).then(order_id()).otherwise(pl.col("ref").cast(pl.String))
    ref = pl.when(pl.col("event") == "Receipts").then(pl.lit("FBA") + digits(pl.col("ref") % 10**9, 9)).otherwise(ref)
    counted = code.is_in(["M", "F", "E", "6"])
    values = {
        "Date": local("%m/%d/%Y"),
        "FNSKU": pl.col("fnsku"),
        "ASIN": pl.col("asin"),
        "MSKU": pl.col("sku"),
        "Title": pl.col("title"),
        "Event Type": pl.col("event"),
        "Reference ID": ref,
        "Quantity": pl.col("q").cast(pl.String),
        "Fulfillment Center": pl.col("fc"),
        "Disposition": pl.col("disposition"),
        "Reason": code,
        "Country": pl.lit("US"),
        "Date and Time": local("%Y-%m-%dT00:00:00%z"),
        "Reconciled Quantity": pl.when(counted).then(pl.lit("0")).otherwise(pl.lit("")),
        "Unreconciled Quantity": pl.when(counted).then(pl.col("q").abs().cast(pl.String)).otherwise(pl.lit("")),
    }
    for (month,), part in ledger.group_by("month", maintain_order=True):
        write(part, LEDGER, reports / f"ledger-{month}.txt", values, quoted=True)
    stamp = utc("%Y-%m-%dT%H:%M:%S+00:00")
    write(
        seller.returns.with_row_index("i"),
        [
            "return-date",
            "order-id",
            "sku",
            "asin",
            "fnsku",
            "product-name",
            "quantity",
            "fulfillment-center-id",
            "detailed-disposition",
            "reason",
            "status",
            "license-plate-number",
            "customer-comments",
        ],
        reports / "returns.txt",
        of_product
        | {
            "return-date": stamp,
            "order-id": order_id(),
            "quantity": pl.col("q").cast(pl.String),
            "reason": pl.lit("UNWANTED_ITEM"),
            "fulfillment-center-id": pl.lit("LEX1"),
            "detailed-disposition": pl.col("kind"),
            "status": pl.lit("Unit returned to inventory"),
            "license-plate-number": pl.lit("LPN") + digits(pl.col("i"), 9),
        },
    )
    many = pl.col("q").cast(pl.String)
    write(
        seller.payments.with_row_index("i").reverse(),
        REIMBURSEMENTS,
        reports / "reimbursements.txt",
        of_product
        | {
            "approval-date": stamp,
            "reimbursement-id": (pl.col("i") + 19 * 10**9).cast(pl.String),
            "reason": pl.col("reason"),
            "amazon-order-id": pl.when(pl.col("o").is_not_null()).then(order_id()).otherwise(pl.lit("")),
            "condition": pl.lit("NewItem"),
            "currency-unit": pl.lit("USD"),
            "amount-per-unit": money(pl.col("each")),
            "amount-total": money(pl.col("paid")),
            "quantity-reimbursed-cash": many,
            "quantity-reimbursed-inventory": pl.lit("0"),
            "quantity-reimbursed-total": many,
        },
    )
    lines = seller.settlement()
    for (number,), part in lines.group_by("s", maintain_order=True):
        write_settlement(part, int(str(number)), reports)
    return {
        "ledger": ledger.height,
        "settlement": lines.height,
        "returns": seller.returns.height,
        "reimbursements": seller.payments.height,
        "orders": seller.orders.height,
        "refunds": seller.refunds.height,
    }


def write_settlement(rows: pl.DataFrame, number: int, reports: Path) -> None:
    """One fortnight as a file of its own; its total is the sum of its lines."""
    begin, name, total = START + number * 14 * LEAST, str(11_000_000_001 + number), int(rows["cents"].sum())
    ends = [
        datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        for t in (begin, begin + 14 * LEAST - 1, begin + 16 * LEAST)
    ]
    kind, ad, blank = pl.col("kind"), pl.col("ad"), pl.lit("")
    is_order, is_refund, is_paid = kind == "Order", kind == "Refund", kind == "other-transaction"
    fees = ad.is_in(["Commission", "FBAPerUnitFulfillmentFee", "RefundCommission"])
    known = pl.col("o").is_not_null()
    values = {
        "settlement-id": pl.lit(name),
        "transaction-type": kind,
        "order-id": pl.when(known).then(order_id()).otherwise(blank),
        "adjustment-id": pl.when(is_refund).then(pl.lit("amzn1:crow:") + digits(pl.col("n"), 12)).otherwise(blank),
        "shipment-id": pl.when(is_order).then(pl.lit("D") + digits(pl.col("o"), 9)).otherwise(blank),
        "marketplace-name": pl.when(is_paid).then(blank).otherwise(pl.lit("Amazon.com")),
        "amount-type": pl.when(is_paid)
        .then(pl.lit("FBA Inventory Reimbursement"))
        .when(fees)
        .then(pl.lit("ItemFees"))
        .otherwise(pl.lit("ItemPrice")),
        "amount-description": ad,
        "amount": money(pl.col("cents")),
        "fulfillment-id": pl.when(is_paid).then(blank).otherwise(pl.lit("AFN")),
        "posted-date": utc("%Y-%m-%d"),
        "posted-date-time": utc("%Y-%m-%d %H:%M:%S UTC"),
        "sku": pl.col("sku"),
        "order-item-code": pl.when(is_paid).then(blank).otherwise(digits(pl.col("o") + 40_000_000_000_000, 14)),
        "merchant-adjustment-item-id": pl.when(is_refund).then(digits(pl.col("n"), 14)).otherwise(blank),
        "quantity-purchased": pl.when(is_refund).then(blank).otherwise(pl.col("q").cast(pl.String)),
    }
    top = [name, *ends, f"{'-' * (total < 0)}{abs(total) // 100}.{abs(total) % 100:02d}", "USD"]
    body = (
        rows.select(values.get(c, blank).alias(c) for c in SETTLEMENT)
        .write_csv(separator="\t", quote_style="never")
        .split("\n", 1)
    )
    summary = "\t".join(top + [""] * (len(SETTLEMENT) - len(top)))
    (reports / f"settlement-{name}.txt").write_text(f"{body[0]}\n{summary}\n{body[1]}")


if __name__ == "__main__":
    print(write_all(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5_000_000))
