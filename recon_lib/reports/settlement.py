"""Settlement reports, flat file V2 (22 to 24 columns), and what V1 (`settlement_v1`) shares with it.

One file gives `settlement_lines` and `settlements` (the summary row, where the file has one).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from recon_lib import frames
from recon_lib.errors import ReportError
from recon_lib.reports.base import Column, Report

_SUMMARY = ("settlement_id", "start_at", "start_on", "end_at", "end_on", "deposit_at", "deposit_on", "total_amount")


def prepare(rows: pl.LazyFrame) -> dict[str, str]:
    """The currency of each settlement, from the first of its rows that states one, and whether there is a summary row."""
    stated = rows.select("settlement_id", "currency").drop_nulls()
    firsts = stated.unique("settlement_id", keep="first", maintain_order=True).collect()
    pairs = dict(sorted(firsts.iter_rows()))
    alone = pl.col("total_amount").is_not_null() & pl.col("transaction_type").is_null()
    summary = rows.filter(alone).head(1).collect().height
    return {"currencies": ";".join(f"{k}={v}" for k, v in pairs.items()), "summary": "yes" if summary else ""}


def prepare_v2(rows: pl.LazyFrame) -> dict[str, str]:
    """As `prepare`, with the layout."""
    return prepare(rows) | {"layout": "V2"}


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


def posted(rows: pl.LazyFrame, facts: Mapping[str, str]) -> pl.LazyFrame:
    """`posted` from the time where the row has one, else from the day; the currency on every row."""
    return rows.with_columns(
        posted_at=pl.coalesce("posted_time_at", "posted_day_at"),
        posted_on=pl.coalesce("posted_time_on", "posted_day_on"),
        currency=_stated_currency(facts),
    )


def is_summary(amounts: tuple[str, ...]) -> pl.Expr:
    """A row without transaction type and amounts that states a total or a start."""
    empty = pl.col("transaction_type").is_null() & pl.all_horizontal(pl.col(a).is_null() for a in amounts)
    return empty & (pl.col("total_amount").is_not_null() | pl.col("start_on").is_not_null())


def settlements(rows: pl.LazyFrame, summary: pl.Expr, facts: Mapping[str, str]) -> pl.LazyFrame:
    """The settlements of the file, from their summary rows; without any, from what the lines state."""
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
    """Lines and settlements of the file; a row is one line."""
    summary = is_summary(("amount",))
    lines = rows.filter(~summary).with_columns(pl.lit(1, dtype=pl.UInt8).alias("part"))
    return {"settlement_lines": lines, "settlements": settlements(rows, summary, facts)}


def remark(stored: Mapping[str, pl.LazyFrame]) -> list[str]:
    """What to say of settlements whose lines do not add up to their total. ReportError: one is stated twice."""
    heads = stored["settlements"].collect()
    if heads["settlement_id"].n_unique() < heads.height:
        twice = heads.filter(pl.col("settlement_id").is_duplicated()).sort("settlement_id", "line")
        settlement_id, stated = twice["settlement_id"][0], twice["line"].to_list()
        raise ReportError(
            f"settlement {settlement_id} has several summary rows: lines {stated[0]} and {stated[1]}",
            hoped="one summary row a settlement",
            do="were two downloads put together? Use each file as Amazon sent it",
            line=int(stated[1]),
        )
    totals = heads.select("line", "settlement_id", "total_amount").drop_nulls("total_amount").rows()
    lines, amount = stored["settlement_lines"], pl.col("amount").sum()
    if len(totals) == 1:
        only = totals[0][1]
        sums = {only: lines.filter(pl.col("settlement_id") == only).select(amount).collect().item()}
    else:
        sums = dict(lines.group_by("settlement_id").agg(amount).collect().iter_rows())
    return [
        f"settlement {sid}: lines add up to {sums.get(sid) or 0:.2f}, total-amount says {total:.2f}"
        for _, sid, total in sorted(totals)
        if (sums.get(sid) or 0) != total
    ]


HEAD = (
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
KEY = ("settlement_id", "line", "part")  # settlements are merged whole, never by rows

SETTLEMENT_V2 = Report(
    family="settlement_lines",
    title="Settlement, flat file V2",
    frame=frames.SettlementLine,
    extra_frames={"settlements": frames.Settlement},
    columns=(
        *HEAD,
        Column("amount_type", ("amount-type",), required=True),
        Column("amount_description", ("amount-description",), required=True),
        Column("amount", ("amount",), "money", required=True),
    ),
    signature=("settlement-id", "total-amount", "transaction-type", "amount-type", "amount-description", "amount"),
    key=KEY,
    period="posted_on",
    money="amount",
    prepare=prepare_v2,
    words=(
        "settlement_id", "currency", "transaction_type", "marketplace_name", "amount_type", "amount_description",
        "fulfillment_id",
    ),
    head_only=("settlements",),
    finish=posted,
    split=split_v2,
    remark=remark,
)  # fmt: skip
