"""What a unit lost or damaged before an order is worth: sourcing cost, or before its start estimated sale proceeds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from recon_lib.books import Books
from recon_lib.item_runs import FINE
from recon_lib.medians import medians
from recon_lib.money import MONEY, RATE, exact_text_expr, round_money_expr
from recon_lib.policy import Basis, Policy
from recon_lib.sold import items

_CLASS = "lost_or_damaged_before_order"
_OUT: dict[str, Any] = {
    "unit_value": MONEY,
    "currency": pl.String,
    "value_basis": pl.String,
    "value_row": pl.String,
    "value_reason": pl.String,
    "value_proof": pl.String,
}


def bases(policy: Policy, marketplace: str, days: Iterable[date | None]) -> dict[date, Basis]:
    """The valuation basis of every day (days without any row are left away)."""
    table = policy["valuation_basis"]
    ends = [day + timedelta(days=1) for day in table["effective_to"].drop_nulls().to_list()]
    edges = sorted({*table["effective_from"].drop_nulls().to_list(), *ends})
    eras: dict[int, Basis | None] = {}  # between two edges one row holds
    found = {}
    for day in sorted({d for d in days if d is not None}):
        era = bisect_right(edges, day)
        if era not in eras:
            eras[era] = policy.basis(marketplace, _CLASS, day)
        found[day] = eras[era]
    return {day: basis for day, basis in found.items() if basis is not None}


def before_order(losses: pl.DataFrame, books: Books, policy: Policy) -> pl.DataFrame:
    """One row a loss: `row`, `unit_value`, `currency`, `value_basis`, `value_row`, `value_proof`, `value_reason`.

    Reads `row` (unique), `event_on`, `sku`, `fnsku`. The cost of the event day holds, or the proceeds of the 18 months before
    it. An unknown value is null with its reason.
    """
    known = bases(policy, books.account.marketplace, losses["event_on"].to_list())
    table = pl.DataFrame(
        [(day, b.basis, b.row) for day, b in known.items()],
        schema={"event_on": pl.Date, "value_basis": pl.String, "value_row": pl.String},
        orient="row",
    )
    based = losses.select("row", "event_on", "sku", "fnsku").join(table, on="event_on", how="left")
    parts = [
        sourcing_costs(based.filter(pl.col("value_basis") == "sourcing_cost"), books),
        estimated_proceeds(based.filter(pl.col("value_basis") == "estimated_sale_proceeds"), books),
        based.filter(pl.col("value_basis").is_null()).with_columns(value_reason=pl.lit("no valuation row on that day")),
    ]
    return pl.concat([_shaped(part) for part in parts]).sort("row")


def _shaped(rows: pl.DataFrame) -> pl.DataFrame:
    missing = {c: pl.lit(None, t) for c, t in _OUT.items() if c not in rows.columns}
    return rows.with_columns(**missing).select("row", *(pl.col(c).cast(t) for c, t in _OUT.items()))


def sourcing_costs(losses: pl.DataFrame, books: Books) -> pl.DataFrame:
    """`losses` with the cost in the products file that holds on `event_on`: by SKU, by FNSKU where the SKU has no row.

    Where the SKU, or the SKUs of the FNSKU, have several costs that day, none is chosen.
    """
    if losses.is_empty():
        return losses
    if not books.has("products"):
        return losses.with_columns(value_reason=pl.lit("no products file: unit cost unknown"))
    costs = (
        books.frames["products"]
        .filter(pl.col("unit_cost").is_not_null())
        .select(
            "sku", "fnsku", "unit_cost", cost_currency="currency", since=pl.col("cost_from").fill_null(pl.date(1, 1, 1)),
            proof=pl.concat_str("file", pl.lit(":"), pl.col("line").cast(pl.String)),
        )
        .collect()
    )  # fmt: skip
    out = losses
    for key in ("sku", "fnsku"):
        holding = (
            losses.filter(pl.col(key).is_not_null())
            .select("row", "event_on", key, own=pl.col("fnsku"))
            .join(costs.with_columns(of="sku", label="fnsku"), on=key)
            .filter(pl.col("since") <= pl.col("event_on"))
            .filter(pl.col("since") == pl.col("since").max().over("row", "of"))
            .with_columns(own=(pl.col("own") == pl.col("label")).fill_null(False))
            .filter(pl.col("own") == pl.col("own").max().over("row"))
            .sort("row", "proof", descending=[False, True])
        )
        kinds = pl.struct("unit_cost", "cost_currency").n_unique().over("row")
        latest = holding.with_columns(several=kinds > 1).unique("row", keep="first", maintain_order=True)
        names = {c: f"{c}_{key}" for c in ("unit_cost", "cost_currency", "proof", "several")}
        out = out.join(latest.select("row", *names).rename(names), on="row", how="left")
    by_sku = pl.col("unit_cost_sku").is_not_null()

    def either(column: str) -> pl.Expr:
        return pl.when(by_sku).then(f"{column}_sku").otherwise(f"{column}_fnsku")

    seen = pl.col("sku").is_in(costs["sku"].to_list()) | pl.col("fnsku").is_in(costs["fnsku"].drop_nulls().to_list())
    return out.with_columns(
        several=either("several").fill_null(False),
        unit_value=pl.when(~either("several").fill_null(False) & (either("unit_cost") > 0)).then(either("unit_cost")),
        is_zero=(either("unit_cost") == 0).fill_null(False),
        currency=pl.coalesce(either("cost_currency"), pl.lit(books.account.currency)),
        value_proof=either("proof"),
    ).with_columns(
        value_reason=pl.when(pl.col("unit_value").is_null()).then(
            pl.when("several")
            .then(pl.lit("several unit costs hold on that day"))
            .when("is_zero")
            .then(pl.lit("value unknown: the unit cost in the products file is 0"))
            .when(seen.fill_null(False))
            .then(pl.lit("no unit cost holds on that day"))
            .otherwise(pl.lit("unit cost unknown"))
        ),
        currency=pl.when(pl.col("unit_value").is_not_null()).then("currency"),
    )


def _at(number: str, day: pl.Expr) -> pl.Expr:
    """SKU and day as one number, which grows along the sales sorted by it."""
    return pl.col(number).cast(pl.Int64) * 10_000_000 + day.cast(pl.Int32)


def _sales(books: Books, skus: pl.DataFrame, before: date) -> pl.DataFrame:
    """One row an order item of those SKUs (`sku`, `number`) sold before the day, sorted by `at` (`_at` of the number and the day
    sold): a unit's `principal`, `commission` and `fulfilment` (fees negative, as in the settlement)."""
    each = pl.col("units").cast(RATE) * pl.lit(FINE).cast(RATE)
    sold = items(books).lazy().filter(
        pl.col("currency") == books.account.currency, pl.col("day") < before, pl.col("principal") > 0, pl.col("units") > 0
    )  # fmt: skip
    return (
        sold.join(skus.lazy(), on="sku")
        .select(
            at=_at("number", pl.col("day")),
            principal=pl.col("principal").cast(RATE) / each,
            commission=-pl.col("commission").cast(RATE) / each,
            fulfilment=-pl.col("fulfilment").cast(RATE) / each,
        )
        .sort("at")
        .collect(engine="in-memory")
    )


def _months_before(wanted: pl.DataFrame, books: Books, last: date) -> pl.DataFrame:
    """`wanted` (sku, event_on up to `last`) with `sales` in the 18 months before the day (none: no row) and the medians of
    their sums."""
    skus = wanted.select("sku").unique().with_row_index("number")
    sold = _sales(books, skus, last)
    numbered = wanted.join(skus, on="sku", maintain_order="left")
    along = sold["at"].to_numpy()
    since, day = pl.col("event_on").dt.offset_by("-18mo"), pl.col("event_on")
    start, stop = (
        np.searchsorted(along, numbered.select(_at("number", end)).to_series().to_numpy()) for end in (since, day)
    )
    some = stop > start
    return wanted.filter(pl.Series(some)).with_columns(
        pl.Series("sales", (stop - start)[some], dtype=pl.Int64),
        *(medians(sold[name], start[some], stop[some]) for name in ("principal", "commission", "fulfilment")),
    )


def estimated_proceeds(losses: pl.DataFrame, books: Books) -> pl.DataFrame:
    """`losses` with the median principal a unit of the 18 months before `event_on`, less median commission and fulfilment fee."""
    wanted = losses.select("sku", "event_on").drop_nulls().unique()
    last = wanted["event_on"].max()
    if not isinstance(last, date):
        return losses.with_columns(value_reason=pl.lit("no sale in the 18 months before the event"))
    values = (
        _months_before(wanted, books, last)
        # fees are negative in the settlement
        .with_columns(
            value=pl.col("principal") + pl.col("commission") + pl.col("fulfilment"),
            currency=pl.lit(books.account.currency),
        )
        .with_columns(unit_value=round_money_expr(pl.col("value")))
        .with_columns(unit_value=pl.when(pl.col("unit_value") > 0).then("unit_value"))
        .with_columns(
            value_proof=pl.format(
                "median of {}: price {}, commission {}, fulfilment {}",
                pl.when(pl.col("sales") == 1).then(pl.lit("1 sale")).otherwise(pl.format("{} sales", "sales")),
                *(exact_text_expr(pl.col(c)) for c in ("principal", "commission", "fulfilment")),
            )
        )
    )  # fmt: skip
    out = losses.join(
        values.select("sku", "event_on", "unit_value", "currency", "value_proof"), on=["sku", "event_on"], how="left"
    )
    return out.with_columns(
        value_reason=pl.when(pl.col("unit_value").is_null()).then(
            pl.when(pl.col("value_proof").is_not_null())
            .then(pl.lit("value unknown: the median price less its fees is not above zero"))
            .otherwise(pl.lit("no sale in the 18 months before the event"))
        ),
        currency=pl.when(pl.col("unit_value").is_not_null()).then("currency"),
    )
