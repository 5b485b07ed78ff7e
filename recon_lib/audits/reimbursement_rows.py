"""The rows of the reimbursement report as the audits of payments look at them."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import polars as pl

from recon_lib.audits.evidence import fold, occurrence_sorted, words
from recon_lib.audits.facts import reimbursements
from recon_lib.audits.inbound import short_units
from recon_lib.audits.order_payments import BACK, OUTBOUND, SERVICE
from recon_lib.audits.paid_units import cash_units
from recon_lib.audits.stock_units import Matched, damaged_units, lost_units
from recon_lib.books import Books
from recon_lib.kept import once
from recon_lib.money import MONEY, RATE

BEFORE = ["lostwarehouse", "damagedwarehouse", "lostinbound", "damagedinbound"]
ORDER_PAYMENTS = [*BACK, *SERVICE, *OUTBOUND]
ROW_KEY = ["approved_on", "reimbursement_id", "order_id", "sku", "fnsku", "why", "amount_total", "quantity_total"]


def named(books: Books) -> pl.DataFrame:
    """All reimbursement rows with `fact`, `each` (money a cash unit) and `taken`, `taken_units` (reversals of the row)."""

    def make(books: Books) -> pl.DataFrame:
        rows = reimbursements(books).sort(*ROW_KEY, "file", "line", nulls_last=True)
        rows = rows.with_columns(occurrence_sorted(ROW_KEY)).with_columns(words(*ROW_KEY, "occurrence").alias("fact"))
        cash = pl.col("quantity_cash").cast(RATE)
        by_unit = pl.when(pl.col("quantity_cash") > 0).then((pl.col("amount_total").cast(RATE) / cash).cast(MONEY))
        back = (
            reversals(books)
            .filter(pl.col("original_row").is_not_null())
            .group_by("original_row")
            .agg(
                (-pl.col("amount_total").sum()).cast(MONEY).alias("taken"),
                pl.col("back_units").sum().alias("taken_units"),
            )
        )
        rows = rows.join(back, left_on="row", right_on="original_row", how="left", maintain_order="left")
        return rows.with_columns(
            each=pl.coalesce("amount_per_unit", by_unit),
            taken=pl.col("taken").fill_null(0),
            taken_units=pl.col("taken_units").fill_null(0),
        )

    return once(books, "named_reimbursements", make)


def reversals(books: Books) -> pl.DataFrame:
    """Rows that take money back: `original_row` (null where the original is older than the report) and `back_units`.

    The sku of a reversal is not the original's, so only `original_reimbursement_id` ties them. Among several rows of the id it is
    the one whose reason is named, of the reversal's product (it shows the ASIN), that has units left to take back, of its price.
    """

    def make(books: Books) -> pl.DataFrame:
        rows = reimbursements(books)
        taken = rows.filter("is_reversal", pl.col("amount_total") < 0).with_columns(
            back_units=pl.max_horizontal(pl.col("quantity_cash").cast(pl.Int64).abs(), 1),
            named_why=fold("original_reimbursement_type"),
        )
        paid = rows.filter(~pl.col("is_reversal")).select(
            "asin", "units", "amount_per_unit", original_reimbursement_id="reimbursement_id", original_row="row",
            original_why="why", original_sku="sku", original_fnsku="fnsku", original_order="order_id", original_place="place",
            original_on="approved_on",
        )  # fmt: skip
        told = [c for c in paid.columns if c.startswith("original_") and c != "original_reimbursement_id"]
        both = taken.join(paid, on="original_reimbursement_id", how="inner", suffix="_paid")
        chosen = taken.join(_nearest(both), on="row", how="left")
        return chosen.join(paid.select(told), on="original_row", how="left").sort("row")

    return once(books, "reversals", make)


def _nearest(both: pl.DataFrame) -> pl.DataFrame:
    """`row`, `original_row`: which of the payments of its id each reversal takes back; `both`: reversals with all of them."""
    same = [(pl.col(a) == pl.col(b)).fill_null(False) for a, b in (
        ("sku", "original_sku"), ("fnsku", "original_fnsku"), ("fnsku", "asin_paid"), ("asin", "asin_paid"),
    )]  # fmt: skip
    ranked = both.select(
        "row", "back_units", "original_row", "units_paid",
        (pl.col("original_why") != pl.col("named_why")).fill_null(True).alias("other_why"),
        (~pl.any_horizontal(same)).alias("other_product"),
        (pl.col("amount_per_unit_paid") != pl.col("amount_per_unit").abs()).fill_null(True).alias("other_price"),
    ).sort("row", "original_row")  # fmt: skip
    left: dict[int, int] = {}
    chosen = []
    for (row, units), payments in groupby(ranked.iter_rows(), itemgetter(0, 1)):
        options = [
            (why, product, left.setdefault(original, paid) <= 0, price, original)
            for _, _, original, paid, why, product, price in payments
        ]
        original = min(options)[-1]
        left[original] -= units
        chosen.append((row, original))
    numbers = {c: ranked.schema[c] for c in ("row", "original_row")}
    return pl.DataFrame(chosen, schema=numbers, orient="row")


def loss_days(books: Books) -> pl.DataFrame:
    """The losses that each reimbursement row settles in cash, oldest first: `row`, `event_on`, `units`, `loss_place`."""

    def days(matched: Matched, place: str) -> pl.DataFrame:
        losses = matched.losses.with_row_index("loss").select("loss", "event_on", loss_place=place)
        credits = matched.credits.with_row_index("credit")
        credits = credits.select("credit", "quantity_cash", "before", row="paid_row").drop_nulls("row")
        both = matched.found.pairs.join(losses, on="loss").join(credits, on="credit").sort("row", "loss")
        both = both.with_columns(units=cash_units("row", "before"))
        return both.filter(pl.col("units") > 0).select("row", "event_on", "units", "loss_place")

    inbound = short_units(books)
    inbound = Matched(inbound.losses.with_columns(place=pl.col("places").list.first()), inbound.credits, inbound.found)
    return pl.concat([days(m, "place") for m in (lost_units(books), damaged_units(books), inbound)])
