"""Fee corrections that Amazon has paid settle fee findings of their order or SKU, in money, oldest first.

The reimbursement report's `Fee_Correction` and the settlement's `INCORRECT_FEES_*` or `Fee Adjustment` line of one order and
SKU are one payment: the larger sum counts, never both. So are two of one amount of which only one names the order.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from recon_lib.allocation import allocate
from recon_lib.audits.evidence import settled
from recon_lib.audits.facts import reimbursements
from recon_lib.audits.payouts import settled_on
from recon_lib.audits.settled_facts import other_lines, paid_lines
from recon_lib.books import Books
from recon_lib.money import MONEY, money_text

_FINE = 10_000  # money is settled in ten-thousandths, as whole numbers


def corrections(books: Books) -> pl.DataFrame:
    """Credits: `on`, `order_id`, `sku`, `currency`, `fine` (ten-thousandths), `reimbursement_id`, `settled_on`, `place`."""
    columns = ["on", "order_id", "sku", "currency", "fine", "reimbursement_id", "settled_on", "place"]
    fine = (pl.col("amount") * _FINE).cast(pl.Int64)
    told = reimbursements(books).filter(pl.col("why") == "feecorrection", pl.col("amount_total") > 0)
    told = told.rename({"approved_on": "on", "amount_total": "amount"})
    told = told.join(settled_on(books).select("row", "settled_on"), on="row", how="left")
    told = told.with_columns(fine=fine).select(columns)
    lines = [
        paid_lines(books).filter(pl.col("why") == "feecorrection"),
        other_lines(books).filter(pl.col("type") == "feeadjustment"),
    ]
    paid = pl.concat(lines, how="diagonal").filter(pl.col("amount") > 0)
    paid = paid.with_columns(
        on="posted_on", settled_on="posted_on", fine=fine, reimbursement_id=pl.lit(None, pl.String)
    ).select(columns)
    key = ["order_id", "sku", "currency"]
    told, paid = _without_nameless(told, paid, key), _without_nameless(paid, told, key)
    sides = [side.group_by(key).agg(pl.col("fine").sum()) for side in (told, paid)]
    both = sides[0].join(sides[1], on=key, how="full", suffix="_paid", nulls_equal=True, coalesce=True)
    by_paid = both.filter(pl.col("fine_paid").fill_null(0) > pl.col("fine").fill_null(0)).select(key)
    chosen = [
        told.join(by_paid, on=key, how="anti", nulls_equal=True),
        paid.join(by_paid, on=key, how="semi", nulls_equal=True),
    ]
    return (
        pl.concat(chosen)
        .filter(pl.col("on").is_not_null())
        .sort("on", "order_id", "sku", "fine", "place", nulls_last=True)
    )


def _without_nameless(rows: pl.DataFrame, others: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """`rows` without those that name no order where one of `others` pays the same amount for an order that only they name."""
    same = ["sku", "currency", "fine"]
    number = pl.int_range(pl.len()).over(same).alias("number")
    nameless = rows.with_row_index("row").filter(pl.col("order_id").is_null()).sort("on", "place", nulls_last=True)
    named = others.filter(pl.col("order_id").is_not_null()).join(rows, on=key, how="anti").sort("on", "place")
    twice = nameless.with_columns(number).join(named.with_columns(number).select(*same, "number"), on=[*same, "number"])
    return rows.with_row_index("row").filter(~pl.col("row").is_in(twice["row"].implode())).drop("row")


def settle(raw: pl.DataFrame, books: Books) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`raw` with what has been corrected taken off (fully corrected findings are gone), and frames.SettledEvent of it.

    A correction that names an order settles findings of that order and SKU; one without, those of its SKU. Never a finding
    later than itself.
    """
    credits = corrections(books).with_row_index("credit")
    rows = (
        raw.sort("event_on", "audit", "fact")
        .with_row_index("row")
        .with_columns(fine=(pl.col("owed") * _FINE).cast(pl.Int64))
    )
    history = []
    for by in (["order_id", "sku", "currency"], ["sku", "currency"]):
        named = pl.col("order_id").is_not_null() if "order_id" in by else pl.col("order_id").is_null()
        some = credits.filter(named & pl.col("sku").is_not_null())
        if some.is_empty() or rows.is_empty():
            continue
        losses = rows.select("row", *by, on="event_on", units="fine")
        pairs = allocate(losses, some.select(*by, "on", units="fine"), by=by).pairs
        some = some.with_row_index("no")
        met = pairs.join(some.select(pl.col("no").alias("credit"), paid_on="on", settled="settled_on", id="reimbursement_id",
                                     proof="place"), on="credit").rename({"loss": "row", "units": "taken"})  # fmt: skip
        history.append(met.drop("credit"))
        taken = met.group_by("row").agg(pl.col("taken").sum(), pl.col("proof").unique().sort())
        rows = (
            rows.join(taken, on="row", how="left")
            .sort("row")
            .with_columns(pl.col("fine") - pl.col("taken").fill_null(0))
        )
        rows = _with_rest(rows)
    if not history:
        return raw, settled(pl.DataFrame(), "")
    paid = pl.concat(history).join(raw.sort("event_on", "audit", "fact").with_row_index("row"), on="row")
    done = paid.sort("row", "paid_on", "id", "proof").select(
        "audit", "event_on", "paid_on", settled_on="settled", quantity="quantity", amount=_money("taken"), currency="currency",
        sku="sku", fnsku="fnsku", order_id="order_id", reimbursement_id="id",
    )  # fmt: skip
    return rows.filter(pl.col("fine") > 0).select(raw.columns), done


def _money(fine: str) -> pl.Expr:
    return (pl.col(fine).cast(pl.Decimal(38, 4)) / pl.lit(_FINE).cast(pl.Decimal(38, 4))).cast(MONEY)


def _with_rest(rows: pl.DataFrame) -> pl.DataFrame:
    """The owed rest, its unit value, proof and words for findings that a correction met; `taken` and `proof` are used up."""
    met = pl.col("taken").is_not_null()
    rest = _money("fine")
    words = [
        f"{text}; {money_text(_exact(taken), currency)} corrected since, {money_text(_exact(fine), currency)} is left"
        if taken is not None else text
        for text, taken, fine, currency in rows.select("arithmetic", "taken", "fine", "currency").iter_rows()
    ]  # fmt: skip
    each = pl.when(pl.col("quantity") > 0).then(
        (rest.cast(pl.Decimal(38, 8)) / pl.col("quantity").cast(pl.Decimal(38, 8))).cast(MONEY)
    )
    return rows.with_columns(
        owed=pl.when(met).then(rest).otherwise("owed"),
        unit_value=pl.when(met).then(each).otherwise("unit_value"),
        lines=pl.when(met).then(pl.concat_list("lines", "proof")).otherwise("lines"),
        arithmetic=pl.Series(words, dtype=pl.String),
    ).drop("taken", "proof")


def _exact(fine: int) -> Decimal:
    return Decimal(fine) / _FINE
