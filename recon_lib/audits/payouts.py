"""Which settlement lines pay which reimbursement.

Reimbursements of an order meet lines of the same order and SKU; those of stock have no id in common with their line, so
SKU, currency, amount and days decide. A line belongs to a reimbursement when it was posted from three days before the
approval to `settle_days` after it. In that order:

1. one line of the same amount (a line of the fitting code first);
2. several lines (of the fitting code first) that add up to one reimbursement, or several reimbursements that add up to one line;
   where that leaves one open, and free lines add up to another of its amount, that one's lines are its;
3. one line of the same amount later than that;
4. smaller lines: a part payment, the rest stays open;
5. of what met nothing, a line of the same code, amount and time: one of both names no order, or the line no SKU.

Every line pays once.
"""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import date, timedelta
from typing import Any

import polars as pl

from recon_lib.audits.facts import reimbursements
from recon_lib.audits.paying import Due, Line, pay
from recon_lib.audits.settled_facts import paid_lines, whole_money
from recon_lib.books import Books
from recon_lib.item_runs import fine
from recon_lib.kept import once

_EARLY = timedelta(days=3)
_POOL = ["pool_order", "pool_sku", "pool_currency"]
_SAME = ["pool_currency", "why"]
_PAID: dict[str, Any] = {"row": pl.UInt32, "settled": pl.Int64, "settled_on": pl.Date, "place": pl.String}


_Key = tuple[Any, ...]


def settled_on(books: Books) -> pl.DataFrame:
    """One row a cash reimbursement: `row` (of `facts.reimbursements`), `settled` money, `settled_on` (its last line; null
    where less came than was approved), `lines`."""
    return once(books, "settled_on", _match)


def _match(books: Books) -> pl.DataFrame:
    lines = paid_lines(books).filter(pl.col("amount") > 0, pl.col("posted_on").is_not_null())
    lines = lines.select(*_pool(), "why", "place", line_sku="sku", line_on="posted_on", line=fine("amount"))
    dues = reimbursements(books).filter(
        ~pl.col("is_reversal"), pl.col("amount_total") > 0, pl.col("approved_on").is_not_null()
    )
    dues = dues.select(*_pool(), "why", "row", due_sku="sku", on="approved_on", due=fine("amount_total"))
    each = lines.group_by(_POOL).agg(paying=pl.len())
    each = dues.group_by(_POOL).agg(waiting=pl.len()).join(each, on=_POOL, nulls_equal=True)
    alone = (pl.col("waiting") == 1) & (pl.col("paying") == 1)

    def of(side: pl.DataFrame, pools: pl.DataFrame) -> pl.DataFrame:
        return side.join(pools.select(_POOL), on=_POOL, how="semi", nulls_equal=True, maintain_order="left")

    wait = timedelta(days=books.account.settle_days)
    lone, crowded = each.filter(alone), each.filter(~alone)
    found = [_of_pairs(of(dues, lone), of(lines, lone), wait), _of_pools(of(dues, crowded), of(lines, crowded), wait)]
    rows, places = (pl.concat(found)[c] for c in ("row", "lines"))
    dues_left = dues.filter(~pl.col("row").is_in(rows.implode()))
    lines_left = lines.filter(~pl.col("place").is_in(places.explode().implode()))
    found.append(_nameless(dues_left, lines_left, wait))
    whole = pl.when(pl.col("settled") >= pl.col("due")).then("settled_on")  # a part of it is not yet the payment
    made = pl.concat(found).join(dues.select("row", "due"), on="row").with_columns(whole.alias("settled_on"))
    return made.select("row", whole_money("settled").alias("settled"), "settled_on", "lines").sort("row")


def _pool() -> list[pl.Expr]:
    """Where a payment looks for its line: in the order where it has one, else in the SKU; always in one currency."""
    order = pl.col("order_id").replace("", None)
    return [
        order.alias("pool_order"),
        pl.when(order.is_null()).then("sku").alias("pool_sku"),
        pl.col("currency").alias("pool_currency"),
    ]


def _of_pairs(dues: pl.DataFrame, lines: pl.DataFrame, wait: timedelta) -> pl.DataFrame:
    """One payment and one line that can only meet each other, many at once: what `_pay` does with two such lists."""
    both = dues.join(lines, on=_POOL, nulls_equal=True)
    in_time = pl.col("line_on") <= pl.col("on") + wait
    same_sku = pl.col("line_sku").is_null() | pl.col("line_sku").eq(pl.col("due_sku")).fill_null(False)
    meets = (pl.col("on") - _EARLY <= pl.col("line_on")) & same_sku
    met = both.filter(meets, (pl.col("line") == pl.col("due")) | (in_time & (pl.col("line") < pl.col("due"))))
    return met.select("row", settled="line", settled_on="line_on", lines=pl.concat_list("place"))


def _nameless(dues: pl.DataFrame, lines: pl.DataFrame, wait: timedelta) -> pl.DataFrame:
    """Payments and lines of one code and amount where only one of them names an order, or the line no SKU; the oldest first."""
    asked: dict[_Key, deque[tuple[date, int]]] = defaultdict(deque)  # oldest in front; without SKU a line asks by None
    told = dues.drop_nulls("pool_currency").sort("on", "row")
    for *key, sku, order, on, row in told.select(*_SAME, "due", "due_sku", "pool_order", "on", "row").iter_rows():
        for name in {sku, None}:
            asked[*key, name, order is None].append((on, row))
    paid: dict[int, tuple[int, int, date, str]] = {}
    told = lines.sort("line_on", "place")
    for *key, amount, sku, order, on, place in told.select(
        *_SAME, "line", "line_sku", "pool_order", "line_on", "place"
    ).iter_rows():
        fronts = []
        for is_nameless in (True, False) if order is None else (True,):
            waiting = asked.get((*key, amount, sku, is_nameless), deque())
            while waiting and (waiting[0][1] in paid or waiting[0][0] + wait < on):
                waiting.popleft()  # of the lines that follow none is earlier
            fronts += [waiting[0]] if waiting and waiting[0][0] - _EARLY <= on else []
        if fronts:
            row = min(fronts)[1]
            paid[row] = (row, amount, on, place)
    made = pl.DataFrame(list(paid.values()), schema=_PAID, orient="row")
    return made.select("row", "settled", "settled_on", lines=pl.concat_list("place"))


def _of_pools(dues: pl.DataFrame, lines: pl.DataFrame, wait: timedelta) -> pl.DataFrame:
    pools: dict[_Key, tuple[list[Due], list[Line]]] = defaultdict(lambda: ([], []))
    for *key, on, amount, sku, why, place in lines.select(
        *_POOL, "line_on", "line", "line_sku", "why", "place"
    ).iter_rows():
        pools[tuple(key)][1].append(Line(on, amount, sku, why, place))
    for *key, row, on, amount, sku, why in dues.select(*_POOL, "row", "on", "due", "due_sku", "why").iter_rows():
        pools[tuple(key)][0].append(Due(row, on - _EARLY, on + wait, amount, sku, why))
    for waiting, paying in pools.values():
        pay(waiting, paying)
    waited = (due for waiting, _ in pools.values() for due in waiting)
    paid = [(due.row, due.paid, line.on, line.place) for due in waited for line in due.lines]
    told = pl.DataFrame(paid, schema=_PAID, orient="row")
    return told.group_by("row").agg(pl.col("settled").first(), pl.col("settled_on").max(), lines=pl.col("place").sort())
