"""Reimbursements that Amazon took back although the unit did not come back."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from recon_lib.audits import coverage
from recon_lib.audits.base import AuditResult
from recon_lib.audits.evidence import counted, findings, occurrence, words
from recon_lib.audits.inbound import shipped_fnskus, short_units
from recon_lib.audits.order_payments import damage_payments, payments
from recon_lib.audits.order_units import lines
from recon_lib.audits.reimbursement_rows import ORDER_PAYMENTS, ROW_KEY, reversals
from recon_lib.audits.restocked import restocked
from recon_lib.audits.stock_units import damaged_units, lost_units
from recon_lib.books import Books
from recon_lib.money import MONEY, RATE, exact_text_expr, round_money_expr
from recon_lib.policy import Policy

_NEAR_DAYS = 30


def reimbursement_reversed(books: Books, policy: Policy) -> AuditResult:
    """Money taken back although the unit did not come back. One finding a reversal row.

    The unit came back when the row shows a unit in stock; when the ledger found a unit of the product within 30 days that
    settles no loss; or, for a payment of an order, as far as what was still paid was more than what is still due. What was paid
    beyond the losses of the product was never owed: taking it back is right.
    """
    rows = reversals(books).sort(*ROW_KEY, "file", "line", nulls_last=True)
    rows = rows.with_columns(occurrence(ROW_KEY)).with_columns(words(*ROW_KEY, "occurrence").alias("fact"))
    rows = rows.filter(pl.col("approved_on").is_not_null())
    if rows.is_empty():
        return AuditResult()
    stock = pl.max_horizontal(pl.col("quantity_inventory").cast(pl.Int64), 0)
    rows = rows.with_columns(in_stock=pl.min_horizontal(stock, "back_units")).sort("approved_on", "row")
    found = _found_near(books, rows)
    # where no settlement tells the refund, what was paid was refunded
    refunded = pl.coalesce("refunded", pl.max_horizontal("paid", "returned"))
    due = lines(books).join(_never_put_back(books), on="pair", how="left").select(
        original_order="order_id", due_sku="sku",
        due=pl.col("damaged") + pl.max_horizontal(refunded - pl.col("returned"), 0) + pl.col("away").fill_null(0),
        still=pl.col("paid") + pl.col("paid_damage"),
    )  # fmt: skip
    # the SKU of the order for which it counts: the payment may name another one of the product, or none
    counted_for = payments(books).select(original_row="row", due_sku="sku").drop_nulls()
    rows = rows.join(found, on="row", how="left").join(counted_for, on="original_row", how="left")
    rows = rows.with_columns(pl.coalesce("due_sku", "original_sku").alias("due_sku"))
    rows = rows.sort("approved_on", "row").join(
        due, on=["original_order", "due_sku"], how="left", maintain_order="left"
    )
    left = pl.col("still") - pl.col("back_units").cum_sum().over("original_order", "due_sku")
    over = pl.when(pl.col("original_order").is_not_null()).then(left + pl.col("back_units") - pl.col("due"))
    rows = rows.with_columns(
        pl.col("found_places").fill_null([]), over=pl.min_horizontal(over.fill_null(0).clip(0), "back_units"),
        put_back=pl.min_horizontal(pl.col("in_stock") + pl.col("found_units").fill_null(0), "back_units"),
    )  # fmt: skip
    rows = rows.with_columns(quantity=pl.col("back_units") - pl.max_horizontal("put_back", "over"))
    rows = rows.filter(pl.col("quantity") > 0)
    rows = rows.with_columns(too_many=_paid_too_many(books, rows)).with_columns(pl.col("quantity") - pl.col("too_many"))
    rows = rows.filter(pl.col("quantity") > 0)
    taken = -pl.col("amount_total").cast(RATE)
    each = (taken / pl.col("back_units").cast(RATE)).cast(MONEY)
    near = timedelta(days=_NEAR_DAYS)
    absent = coverage.missing(
        books,
        "ledger_detail",
        pl.col("approved_on") - near,
        pl.min_horizontal(pl.col("approved_on") + near, pl.lit(books.as_of)),
    )
    paid_on = pl.coalesce(
        "original_on", pl.col("approved_on") - near
    )  # a unit that came back then was rightly taken back
    back = coverage.missing(books, "customer_returns", paid_on, pl.col("approved_on"))
    absent = pl.coalesce(absent, pl.when(pl.col("original_why").is_in(ORDER_PAYMENTS)).then(back))
    out = rows.with_columns(
        event_on=pl.col("approved_on"),
        anchor_on=pl.col("approved_on"),
        reference_id=pl.col("reimbursement_id"),
        order_id=pl.coalesce("order_id", "original_order"),
        sku=pl.coalesce("original_sku", "sku"),
        fnsku=pl.coalesce("original_fnsku", "fnsku"),
        unit_value=round_money_expr(each),
        owed=round_money_expr((taken * pl.col("quantity").cast(RATE) / pl.col("back_units").cast(RATE)).cast(MONEY)),
        lines=pl.concat_list("place", "original_place", "found_places").list.drop_nulls(),
        arithmetic=pl.format(
            "{} taken back for {}, {} put back into stock{}{}; original reimbursement {}",
            exact_text_expr(-pl.col("amount_total")),
            counted("back_units", "unit"),
            "put_back",
            pl.when(pl.col("over") > 0).then(pl.format(", {} no longer due for the order", "over")).otherwise(pl.lit("")),
            pl.when(pl.col("too_many") > 0).then(pl.format(", {} had been paid too many", "too_many")).otherwise(pl.lit("")),
            pl.coalesce("original_reimbursement_id", pl.lit("not named")),
        ),
    ).with_columns(*coverage.first_reason(absent))  # fmt: skip
    return AuditResult(findings(out, "reimbursement_reversed", value_basis="difference"))


def _never_put_back(books: Books) -> pl.DataFrame:
    """Units of orders (`pair`) that came back sellable and that the ledger never put back into stock: `away`."""
    away = (pl.col("late_units") - pl.col("back")).clip(0).sum().alias("away")
    return restocked(books).group_by("pair").agg(away)


def _paid_too_many(books: Books, rows: pl.DataFrame) -> pl.Series:
    """Units of each reversal that were paid although every loss of the product was settled without them.

    Counted only from the first loss of the product in the books (of its shipments, from ever): of a payment for what happened
    before that nothing is known, and it counts only where a unit was found near the taking back. A payment for an order's
    damaged return is no payment for the stock's losses, so it is none too many for them.
    """
    beside = set(_near(books, rows)["row"])
    kinds = {"lostwarehouse": lost_units(books), "damagedwarehouse": damaged_units(books)}
    kinds |= dict.fromkeys(("lostinbound", "damagedinbound"), short_units(books))
    known: dict[str, dict[str, date]] = {}
    spare: dict[tuple[int, str], list[int]] = {}  # units paid before the first loss, and since
    product: dict[int, str] = {}  # of each paid row, also of one that names the SKU alone
    for why, matched in kinds.items():
        firsts = matched.losses.drop_nulls("fnsku").group_by("fnsku").agg(first=pl.col("on").min())
        known[why] = dict(firsts.iter_rows())
        if why.endswith("inbound"):
            known[why] = dict.fromkeys([*known[why], *shipped_fnskus(books)], date.min)
        paid = matched.credits.with_columns(left=matched.found.left_units)
        paid = paid.filter(
            pl.col("paid_row").is_not_null(), ~pl.col("paid_row").is_in(damage_payments(books).implode())
        )
        asked = pl.col("paid_row").is_in(rows["original_row"].drop_nulls().implode())
        product |= dict(paid.filter(asked).select("paid_row", "fnsku").iter_rows())
        first = pl.col("fnsku").replace_strict(known[why], default=None, return_dtype=pl.Date)
        paid = paid.filter(pl.col("left") > 0, first.is_not_null())
        for fnsku, since, units in paid.group_by("fnsku", pl.col("on") >= first).agg(pl.col("left").sum()).rows():
            spare.setdefault((id(matched), fnsku), [0, 0])[since] = units
    told = []
    for number, why, row, on, units in rows.select(
        "row", "original_why", "original_row", "original_on", "quantity"
    ).iter_rows():
        fnsku, taken = product.get(row, ""), 0
        first_on = known.get(why, {}).get(fnsku)
        if first_on is not None and (first_on <= on or number in beside):
            left = spare.get((id(kinds[why]), fnsku), [0, 0])
            for since in (0, 1) if number in beside else (1,):
                part = min(units - taken, left[since])
                left[since] -= part
                taken += part
        told.append(taken)
    return pl.Series("too_many", told, dtype=pl.Int64)


def _found_near(books: Books, rows: pl.DataFrame) -> pl.DataFrame:
    """Found units that settle no loss, given to the reversals near them: `row`, `found_units`, `found_places`."""
    near = _near(books, rows).filter(pl.col("left") > 0)
    need: dict[int, int] = {}
    free: dict[int, int] = {}
    given: dict[int, list[tuple[int, str]]] = {}
    for row, _, wants, found, _, has, place, _ in near.sort("apart", "approved_on", "row", "found").iter_rows():
        units = min(need.setdefault(row, wants), free.setdefault(found, has))
        if units:
            need[row] -= units
            free[found] -= units
            given.setdefault(row, []).append((units, place))
    return pl.DataFrame(
        [(row, sum(u for u, _ in got), [p for _, p in got]) for row, got in given.items()],
        schema={"row": pl.UInt32, "found_units": pl.Int64, "found_places": pl.List(pl.String)},
        orient="row",
    )


def _near(books: Books, rows: pl.DataFrame) -> pl.DataFrame:
    """Every reversal with every found unit of its product near it; `left` of it settles no loss."""
    matched = lost_units(books)
    found = matched.credits.with_columns(left=matched.found.left_units).filter(pl.col("paid_row").is_null())
    left = found.with_row_index("found")
    wanted = rows.with_columns(need=pl.col("back_units") - pl.col("in_stock")).filter(pl.col("need") > 0)
    # the product by the original's FNSKU; a reversal itself shows only the ASIN
    product = wanted.select(
        "row", "approved_on", "need", fnsku=pl.coalesce("original_fnsku", "fnsku"), asin=pl.coalesce("asin", "fnsku")
    )
    by_name = product.join(left, on="fnsku")
    by_asin = product.join(left.drop("fnsku"), on="asin")
    shared = ["row", "approved_on", "need", "found", "on", "left", "place"]
    near = pl.concat([by_name.select(shared), by_asin.select(shared)]).unique()
    near = near.with_columns(apart=(pl.col("on") - pl.col("approved_on")).dt.total_days().abs())
    return near.filter(pl.col("apart") <= _NEAR_DAYS)
