"""What Amazon paid for units of orders, as history: payments settle an order's damaged returns first, then its missing units,
then the returns that were never put back into stock."""

from __future__ import annotations

import polars as pl

from recon_lib.audits.evidence import settled
from recon_lib.audits.facts import LINE, reimbursements
from recon_lib.audits.order_payments import only_settled, paid_units, payments, used_by_returns
from recon_lib.audits.order_units import lines
from recon_lib.audits.payouts import settled_on
from recon_lib.audits.restocked import restocked
from recon_lib.books import Books
from recon_lib.money import MONEY, RATE, round_money_expr

_MANY = 2**40  # units: more than anybody pays


def order_history(books: Books) -> pl.DataFrame:
    """frames.SettledEvent: report rows with their settlement day, and lines without a report row for themselves; a payment of
    several units is parted where it settles several things, its cash before its units in stock."""
    rows = _paid(books).join(_due(books), on="pair", how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("to_damaged").fill_null(0), pl.col("to_missing").fill_null(_MANY))
    rows = rows.filter((pl.col("kind") != "outbound") | pl.col("refund_on").is_not_null())
    rows = rows.sort("on", *LINE, "place", nulls_last=True).with_columns(paid_on="on")
    # a payment by a reason of the stock pays what came back damaged, and nothing else
    is_damage = pl.col("kind") == "damage"
    through = pl.when(is_damage).then(0).otherwise("units").cum_sum().over("pair")
    rows = rows.with_columns(through=through, first=through - pl.col("units"))
    missing_from = pl.col("to_damaged")
    # a unit that was paid before it came back was paid as missing
    is_early = pl.col("on") < pl.col("away_on")
    away_from = pl.when(is_early).then(_MANY).otherwise(missing_from + pl.col("to_missing"))
    parts = [
        ("return_unpaid", pl.lit(0), missing_from, pl.coalesce("refund_on", "damaged_on")),
        ("refund_without_return", missing_from, away_from, pl.coalesce("refund_on", "damaged_on")),
        ("return_not_restocked", away_from, pl.lit(_MANY), pl.col("away_on")),
    ]
    made = []
    for audit, start, end, event_on in parts:
        units = (pl.min_horizontal("through", end) - pl.max_horizontal("first", start)).clip(0)
        whole = pl.col("units") if audit == "return_unpaid" else pl.lit(0)
        part = rows.with_columns(
            quantity=pl.when(is_damage).then(whole).otherwise(units),
            before=pl.when(is_damage).then(0).otherwise(pl.max_horizontal(start - pl.col("first"), 0)),
            event_on=event_on,
        ).filter(pl.col("quantity") > 0)
        made.append(settled(part.with_columns(amount=_amount()), audit))
    return pl.concat(made)


def _paid(books: Books) -> pl.DataFrame:
    """The payments that count; of one whose reason is another only the units and money that its damaged return used."""
    told = payments(books).filter(pl.col("source") == "told")
    rows = reimbursements(books).select("row", "reimbursement_id", "fnsku", "amount_per_unit", "quantity_cash")
    told = told.join(rows, on="row").join(settled_on(books).select("row", "settled_on"), on="row", how="left")
    # what settlements pay beyond the report's units; of several lines the last ones
    alone = only_settled(books).join(told.group_by("pair").agg(told_units=pl.col("units").sum()), on="pair", how="left")
    alone = alone.join(paid_units(books).select("pair", "paid", "paid_damage"), on="pair", how="left")
    alone = alone.sort("on", "amount", "place", descending=True)
    beyond = pl.col("paid") + pl.col("paid_damage") - pl.col("told_units")
    alone = alone.filter(pl.col("told_units").is_null() | (pl.col("units").cum_sum().over("pair") <= beyond))
    rows = pl.concat([told, alone.with_columns(settled_on="on")], how="diagonal")
    rows = rows.join(used_by_returns(books), on="row", how="left")
    some = pl.col("used") < pl.col("units")
    cash = pl.col("amount_per_unit") * pl.min_horizontal("used", pl.col("quantity_cash").cast(pl.Int64))
    return rows.with_columns(
        units=pl.coalesce("used", "units"), amount=pl.when(some).then(cash).otherwise("amount")
    ).filter(pl.col("units") > 0)


def _due(books: Books) -> pl.DataFrame:
    """One row an order and SKU: the units that payments settle `to_damaged`, then `to_missing`, then the rest; the days.

    The last of the three of which the order has units takes what was paid beyond them.
    """
    never_back = (
        restocked(books)
        .group_by("pair")
        .agg(away_on=pl.col("event_on").max(), away=(pl.col("late_units") - pl.col("back")).clip(0).sum())
    )
    rows = lines(books).join(never_back, on="pair", how="left")
    is_away = (pl.col("away") > 0).fill_null(False)
    damaged = pl.min_horizontal("damaged", "units") - pl.col("paid_damage")
    # how many units were refunded is not known where the order's charge is in no settlement here
    missing = pl.when(pl.col("refund_on").is_not_null()).then((pl.col("refunded") - pl.col("returned")).fill_null(1))
    rows = rows.with_columns(to_damaged=damaged.clip(0), to_missing=missing.fill_null(0).clip(0))
    only_damaged = ~is_away & (pl.col("to_missing") == 0) & (pl.col("damaged") > 0)
    return rows.select(
        "pair", "refund_on", "damaged_on", "away_on",
        to_damaged=pl.when(only_damaged).then(_MANY).otherwise("to_damaged"),
        to_missing=pl.when(is_away).then("to_missing").otherwise(_MANY),
    )  # fmt: skip


def _amount() -> pl.Expr:
    """The money of `quantity` units of a payment after `before` others: all of it, or their share of the cash; null where they
    were paid in stock."""
    cash = pl.coalesce(pl.col("quantity_cash").cast(pl.Int64), "units")

    def of_first(units: pl.Expr) -> pl.Expr:
        share = pl.col("amount").cast(RATE) * pl.min_horizontal(units, cash).cast(RATE) / cash.cast(RATE)
        return round_money_expr(share.cast(MONEY))

    last = pl.col("before") + pl.col("quantity")
    part = pl.when(pl.col("before") < cash).then(of_first(last) - of_first(pl.col("before")))
    return pl.when(pl.col("quantity") == pl.col("units")).then("amount").otherwise(part.cast(MONEY))
