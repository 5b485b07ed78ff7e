"""The FBA job of the benchmark: from the raw files to the units and values of every FNSKU, by the library's own reading.

argv: ACCOUNT_FOLDER OUT.csv
Narrower than the audits: no first-in-first-out, no claim windows, only the joins and sums underneath them. Prints one
JSON object of totals as its last line.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date, timedelta
from pathlib import Path

# What is read ahead of the parser waits in memory; one piece of the file keeps it busy.
os.environ.setdefault("POLARS_CSV_CHUNK_PREFETCH_LIMIT", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))
import polars as pl

from recon_lib.fast_rows import plain_rows

AS_OF = date(2026, 9, 30)
WAITING, WINDOW = AS_OF - timedelta(days=30), AS_OF - timedelta(days=60)
CENT = 100  # ten-thousandths
LINE = ["order", "sku"]  # the order id as a 64-bit number: texts of millions of lines would stay in memory
ORDER = pl.col("order_id").hash().alias("order")


def main() -> None:
    account, out = Path(sys.argv[1]), Path(sys.argv[2])
    reports = account / "reports"
    stock = ledger(reports / "ledger-detail.txt")
    prices, refunds = settlement(reports / "settlement-v2.txt")
    by_fnsku, by_line = reimbursements(reports / "reimbursements.txt")
    back = plain_rows(reports / "customer-returns.txt", "customer_returns", ["order_id", "sku", "quantity"])
    back = back.with_columns(ORDER).group_by(LINE).agg(returned=pl.col("quantity").sum()).collect()
    missing = (
        refunds.filter(pl.col("first_on") <= WINDOW)
        .join(back, on=LINE, how="left")
        .join(by_line, on=LINE, how="left")
        .with_columns(m=pl.col("units") - pl.col("returned").fill_null(0) - pl.col("paid").fill_null(0))
        .filter(pl.col("m") > 0)
        .group_by("sku")
        .agg(return_net=pl.col("m").sum())
    )
    rows = stock.join(by_fnsku, on="fnsku", how="left").join(missing, on="sku", how="left")
    rows = rows.join(prices, on="sku", how="left").fill_null(0)
    rows = rows.with_columns(
        lost_net=pl.max_horizontal(0, pl.col("lost") - pl.col("found") - pl.col("paid_lost")),
        damaged_net=pl.max_horizontal(0, pl.col("damaged") - pl.col("paid_damaged")),
    ).with_columns(units=pl.col("lost_net") + pl.col("damaged_net") + pl.col("return_net"))
    value = pl.when(pl.col("sold") > 0).then(pl.col("units") * pl.col("cents") / pl.col("sold")).otherwise(0.0)
    rows = rows.with_columns(value=value).filter(pl.col("units") > 0).sort("value", "fnsku", descending=[True, False])
    rows.write_csv(out)
    names = ["balance", "lost_net", "damaged_net", "return_net", "units"]
    totals = {name: int(rows[name].sum()) for name in names}
    totals |= {"fnskus": rows.height, "value": round(rows["value"].sum() / 100)}
    print(json.dumps(totals, sort_keys=True))


def ledger(path: Path) -> pl.DataFrame:
    """One row a FNSKU: its SKU, balance, and the lost, found and damaged units that have waited long enough."""
    rows = plain_rows(path, "ledger_detail", ["event_on", "fnsku", "sku", "event_type", "quantity", "reason"])
    due = (pl.col("event_type") == "Adjustments") & (pl.col("event_on") <= WAITING)

    def units(*codes: str) -> pl.Expr:
        return pl.when(due & pl.col("reason").is_in(codes)).then(pl.col("quantity")).otherwise(0)

    narrow = rows.select(
        "fnsku", "sku", "quantity", lost=-units("M", "5"), found=units("F", "N"), damaged=-units("E", "6", "7", "H", "K", "U")
    )  # fmt: skip
    sums = narrow.group_by("fnsku").agg(
        pl.col("sku").first(), pl.col("lost", "found", "damaged").sum(), balance=pl.col("quantity").sum()
    )
    return sums.collect()


def settlement(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cents and units sold a SKU; refunded units and the first day of it an order and SKU."""
    names = [
        "transaction_type",
        "order_id",
        "amount_description",
        "amount",
        "posted_day",
        "order_item_code",
        "sku",
        "quantity",
    ]
    rows = plain_rows(path, "settlement_lines", names).filter(
        pl.col("amount_description") == "Principal", pl.col("transaction_type").is_in(["Order", "Refund"])
    )
    is_refund = pl.col("transaction_type") == "Refund"
    lines = rows.select(
        "sku",
        item=pl.col("order_item_code").hash(),
        cents=pl.col("amount") // CENT,
        units=pl.col("quantity").cast(pl.Int32),
        order=pl.when(is_refund).then(ORDER),
        posted_on=pl.when(is_refund).then("posted_day"),
    ).collect()
    sold = lines.filter(pl.col("order").is_null())
    prices = sold.group_by("sku").agg(pl.col("cents").sum(), sold=pl.col("units").cast(pl.Int64).sum())
    refunds = lines.filter(pl.col("order").is_not_null()).select(*LINE, "item", "posted_on", back=-pl.col("cents"))
    charged = sold.select("item", "cents", "units").join(refunds.select("item"), on="item", how="semi")
    matched = refunds.join(charged, on="item")
    units = (pl.col("back") * pl.col("units") // pl.col("cents")).sum()
    return prices, matched.group_by(LINE).agg(units=units, first_on=pl.col("posted_on").min())


def reimbursements(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Units paid by reason: of stock a FNSKU, of customer returns an order and SKU."""
    names = ["fnsku", "sku", "order_id", "reason", "quantity_total"]
    rows = plain_rows(path, "reimbursements", names).with_columns(ORDER).collect()
    paid = pl.col("quantity_total")
    by_fnsku = rows.group_by("fnsku").agg(
        paid_lost=paid.filter(pl.col("reason") == "Lost_Warehouse").sum(),
        paid_damaged=paid.filter(pl.col("reason") == "Damaged_Warehouse").sum(),
    )
    returns = rows.filter(pl.col("reason") == "CustomerReturn").group_by(LINE).agg(paid=paid.sum())
    return by_fnsku, returns


if __name__ == "__main__":
    main()
