"""Sellable returns against the ledger: were the units put back into stock?"""

from __future__ import annotations

import polars as pl

from recon_lib.audits.evidence import folded
from recon_lib.audits.facts import LINE, returns_in_ledger
from recon_lib.audits.order_payments import DAMAGED
from recon_lib.audits.order_returns import order_returns
from recon_lib.audits.order_units import WRONG_ITEM
from recon_lib.audits.settled_facts import put_together
from recon_lib.books import Books
from recon_lib.item_runs import ORDER_NUMBER
from recon_lib.kept import once

_FNSKU_SEED = 4  # of a FNSKU or SKU beside its order's number


def restocked(books: Books) -> pl.DataFrame:
    """Sellable returns and what the ledger shows of them, one row an order and SKU.

    `late_units` are sellable units returned more than `restock_days` ago; `back` the units the ledger put back that no
    other return of the order explains.
    """
    return once(books, "restocked", _restocked)


def _restocked(books: Books) -> pl.DataFrame:
    grade = pl.col("grade").fill_null("")
    units = pl.col("quantity").cast(pl.Int64).fill_null(0)
    due = (books.as_of - pl.col("returned_on")).dt.total_days() > books.account.restock_days
    wrong = pl.col("why").fill_null("") == WRONG_ITEM
    sellable = (grade == "sellable") & ~wrong
    fnsku = pl.coalesce("fnsku", pl.lit(""))
    ours = order_returns(books).select(
        *LINE, "pair", "asin", fnsku=fnsku, number=pl.col("pair") ^ fnsku.hash(_FNSKU_SEED),
        late_units=pl.when(sellable & due).then(units).otherwise(0),
        kept_units=pl.when(~sellable & ~grade.is_in(DAMAGED)).then(units).otherwise(0),
        event_on=pl.when(sellable & due).then("returned_on"),
    )  # fmt: skip
    how = {c: pl.col(c).first() for c in ("pair", "fnsku", *LINE)}
    how |= {c: pl.col(c).sum() for c in ("late_units", "kept_units")}
    rows = put_together(ours, "number", how | {"event_on": pl.col("event_on").max(), "asin": pl.col("asin").min()})
    rows = rows.drop("number").filter(pl.col("late_units") > 0).with_columns(order=ORDER_NUMBER)
    entered = returns_in_ledger(books).filter(pl.col("type").is_in(["customerreturns", "customerreturn"]))
    entered = entered.filter(pl.col("quantity") > 0, pl.col("order_id").is_not_null()).with_columns(order=ORDER_NUMBER)
    entered = entered.filter(pl.col("order").is_in(rows["order"].unique().implode()))
    entered = folded(entered, grade="disposition").with_columns(
        all=units, sellable=pl.when(grade == "sellable").then(units).otherwise(0)
    )

    def with_booked(rows: pl.DataFrame, key: str) -> pl.DataFrame:
        number = pl.col("order") ^ pl.col(key).hash(_FNSKU_SEED)
        named = entered.filter(pl.col(key).is_not_null()).select("all", "sellable", number=number)
        made = put_together(named, "number", {c: pl.col(c).sum() for c in ("all", "sellable")})
        return rows.with_columns(number=number).join(made, on="number", how="left").drop("number")

    nameless = rows.filter(pl.col("fnsku") == "")
    rows = with_booked(rows.filter(pl.col("fnsku") != ""), "fnsku")
    if nameless.height:
        rows = pl.concat([rows, with_booked(nameless, "sku")])
    return rows.with_columns(
        back=pl.max_horizontal("sellable", pl.col("all") - pl.col("kept_units"), 0),
        fnsku=pl.when(pl.col("fnsku") != "").then("fnsku"),
    )
