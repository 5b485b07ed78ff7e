"""Fees that a chargeback or an A-to-z claim of the buyer gave back."""

from __future__ import annotations

import polars as pl

from recon_lib.audits.facts import PAIR
from recon_lib.audits.fee_items import proofs
from recon_lib.audits.settled_facts import ITEM_SEED, other_lines, whole_money
from recon_lib.books import Books
from recon_lib.item_runs import ORDER_NUMBER, code, fine
from recon_lib.measures import exact
from recon_lib.money import MONEY, RATE, round_money_expr

_DISPUTE = r"^(chargeback|atoz)"


def charge_numbers() -> dict[str, pl.Expr]:
    """`side`: the number of an order, SKU and currency, `item`: of its order item."""
    side = PAIR ^ pl.col("currency").hash(ITEM_SEED + 1)
    return {"side": side, "item": side ^ pl.col("order_item_code").hash(ITEM_SEED)}


def disputed_lines(books: Books, orders: pl.Series) -> pl.DataFrame:
    """The settlement lines by which disputes of those orders (ORDER_NUMBER) gave prices and fees back, with their `code`, `fine`
    (ten-thousandths, as they stand) and `charge_numbers`."""
    lines = other_lines(books).filter(pl.col("type").str.contains(_DISPUTE), pl.col("order_id").is_not_null())
    told = lines.filter(ORDER_NUMBER.is_in(orders.implode())).with_columns(code=code(), fine=fine("amount"))
    return told.filter(pl.col("code").is_between(1, 5)).with_columns(**charge_numbers())


def proofs_back(books: Books, keys: pl.DataFrame, codes: list[int]) -> pl.DataFrame:
    """`fee_items.proofs` of the refunds and disputes of the orders of `keys`."""
    told = proofs(books, "refund", keys, codes)
    disputed = disputed_lines(books, keys.select(ORDER_NUMBER).to_series())
    both = [told, disputed.filter(pl.col("code").is_in(codes)).select(c for c in disputed.columns if c in told.columns)]
    return pl.concat(both, how="diagonal_relaxed")


def given_back(lines: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """`charge` and the sum `fine` of `lines` (`item`, `side`, `fine`) for each of `told` (`charge`, `item`, `side`).

    It is that of its order item, and of the lines that name none of the items that are asked about.
    """
    named = pl.col("item").is_in(told["item"].drop_nulls().implode()).fill_null(False)
    sums = lines.group_by(charged=pl.when(named).then("item").otherwise("side")).agg(pl.col("fine").sum())
    met = pl.concat([told.join(sums, left_on=by, right_on="charged") for by in ("item", "side")])
    return met.group_by("charge").agg(pl.col("fine").sum())


def commission_disputed(books: Books, over: pl.DataFrame) -> pl.DataFrame:
    """What of the `owed` of each of `over` came back with disputes, in proportion to its commission: `charge`, `came` and `back`
    (the price given back)."""
    lines = disputed_lines(books, over.select(ORDER_NUMBER).to_series())
    if lines.is_empty():
        return pl.DataFrame(schema={"charge": over.schema["charge"], "came": MONEY, "back": MONEY})
    told = over.select("charge", **charge_numbers())
    fees, prices = (given_back(lines.filter(pl.col("code").is_in(codes)), told) for codes in ([3, 5], [1, 2]))
    rows = over.select("charge", "currency", "owed", "commission").join(fees, on="charge")
    rows = rows.join(prices.rename({"fine": "price"}), on="charge", how="left")
    part = whole_money("fine").cast(RATE) / pl.col("commission").cast(RATE)
    came = pl.col("owed").cast(RATE) * pl.min_horizontal(part, exact(1))
    back = -whole_money("price").fill_null(0)
    return rows.filter(pl.col("fine") > 0).select(
        "charge", came=round_money_expr(came.cast(MONEY)).cast(MONEY), back=back.cast(MONEY)
    )
