"""What Amazon paid for units of orders, told by the reimbursement report and by the settlements."""

from __future__ import annotations

import polars as pl

from recon_lib.audits.facts import LINE, PAIR, customer_returns, reimbursements
from recon_lib.audits.settled_facts import paid_lines
from recon_lib.books import Books
from recon_lib.kept import once

DAMAGED = ["damaged", "carrierdamaged"]
# Words of the report and codes of the settlement for a refund paid back, and for an error of customer service.
BACK = ["customerreturn", "fbacustomerreturnperishableitem", "creturnwrongitem", "reversalreimbursement"]
SERVICE = [
    "customerserviceissue",
    "cserroritems",
    "cserroritemslost",
    "cserrornonitemized",
    "freereplacementrefunditems",
]
# A unit lost or damaged on the way to the buyer: paid for that order, it is not owed again when the buyer is refunded.
OUTBOUND = ["lostoutbound", "damagedoutbound"]
# Neither pays a unit of the order: a fee given back, and a removal whose number stands where an order's would.
_NO_UNIT = ["feecorrection", "removalorderlost"]


def payments(books: Books) -> pl.DataFrame:
    """Payments for units of an order: `source` told (report row) or settled (line), `kind` back, service, outbound or damage.

    A report row of any other reason that names an order and SKU pays (`damage`) what came back damaged, and nothing else.
    """

    def kind() -> pl.Expr:
        return (
            pl.when(pl.col("why").is_in(BACK))
            .then(pl.lit("back"))
            .when(pl.col("why").is_in(SERVICE))
            .then(pl.lit("service"))
            .when(pl.col("why").is_in(OUTBOUND))
            .then(pl.lit("outbound"))
        )

    def make(books: Books) -> pl.DataFrame:
        told = reimbursements(books).filter(pl.col("units") > 0, pl.col("order_id").is_not_null())
        told = told.select(*LINE, "why", "units", "place", "row", kind().alias("kind"), pl.lit("told").alias("source"),
                           on="approved_on", amount="amount_total", currency="currency")  # fmt: skip
        paid = paid_lines(books).filter(pl.col("amount") > 0, pl.col("order_id").is_not_null())
        paid = paid.select(
            *LINE, pl.col("quantity").fill_null(1).cast(pl.Int64).alias("units"), "place",
            pl.lit(None, pl.UInt32).alias("row"), kind().alias("kind"), pl.lit("settled").alias("source"),
            on="posted_on", amount="amount", currency="currency",
        )  # fmt: skip
        damaged = customer_returns(books).filter(pl.col("grade").is_in(DAMAGED))["pair"].unique()
        told, paid = told.with_columns(pair=PAIR), paid.with_columns(pair=PAIR)
        other = ~pl.col("why").is_in(_NO_UNIT) & pl.col("pair").is_in(damaged.implode())
        told = told.with_columns(
            kind=pl.when(pl.col("kind").is_null() & other).then(pl.lit("damage")).otherwise("kind")
        )
        return pl.concat([told.drop("why"), paid]).filter(pl.col("kind").is_not_null())

    return once(books, "payments", make)


def damage_payments(books: Books) -> pl.Series:
    """The report rows (`row` of `facts.reimbursements`) that pay a damaged return by a reason for something else."""
    return payments(books).filter(pl.col("kind") == "damage")["row"].drop_nulls().unique()


def paid_units(books: Books) -> pl.DataFrame:
    """One row an order and SKU: `paid` units, and `paid_damage`, each the larger of what report and settlements tell."""
    damage = pl.col("kind") == "damage"
    each = (
        payments(books)
        .group_by("pair", "source")
        .agg(
            *(pl.col(c).first() for c in LINE),
            pl.col("units").filter(~damage).sum(),
            paid_damage=pl.col("units").filter(damage).sum(),
        )
    )
    most = {"paid": pl.col("units").max(), "paid_damage": pl.col("paid_damage").max()}
    return each.group_by("pair").agg(*(pl.col(c).first() for c in LINE), **most)
