"""What Amazon paid for units of orders, told by the reimbursement report and by the settlements."""

from __future__ import annotations

import polars as pl

from recon_lib.audits.facts import LINE, PAIR, reimbursements
from recon_lib.audits.order_returns import as_refunded, order_returns
from recon_lib.audits.payouts import settled_on
from recon_lib.audits.settled_facts import paid_lines, refund_lines
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


def _kind() -> pl.Expr:
    return (
        pl.when(pl.col("why").is_in(BACK))
        .then(pl.lit("back"))
        .when(pl.col("why").is_in(SERVICE))
        .then(pl.lit("service"))
        .when(pl.col("why").is_in(OUTBOUND))
        .then(pl.lit("outbound"))
    )


def _damaged_units(books: Books) -> pl.DataFrame:
    rows = order_returns(books).filter(pl.col("grade").is_in(DAMAGED))
    return rows.group_by("pair").agg(pl.col("quantity").cast(pl.Int64).sum().alias("damaged"))


def _told(books: Books) -> pl.DataFrame:
    """The report's payments that name an order, with `kind`, `pair` and `source`."""
    told = reimbursements(books).filter(pl.col("units") > 0, pl.col("order_id").is_not_null())
    told = as_refunded(books, _of_its_item(books, told).with_columns(pair=PAIR))
    told = told.select(*LINE, "why", "units", "place", "row", _kind().alias("kind"), pl.lit("told").alias("source"),
                       on="approved_on", amount="amount_total", currency="currency", pair=PAIR)  # fmt: skip
    other = ~pl.col("why").is_in(_NO_UNIT) & pl.col("pair").is_in(_damaged_units(books)["pair"].implode())
    return told.with_columns(
        kind=pl.when(pl.col("kind").is_null() & other).then(pl.lit("damage")).otherwise("kind")
    ).drop("why")


def _of_its_item(books: Books, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` of payments: one that names an order and no SKU is for the only item of the order that was refunded or came back
    damaged; of several none is chosen."""
    orders = rows.filter(pl.col("sku").is_null())["order_id"].unique()
    if not orders.len():
        return rows
    hurt = order_returns(books).filter(pl.col("grade").is_in(DAMAGED))
    known = pl.concat([side.select(LINE) for side in (refund_lines(books), hurt)]).drop_nulls().unique()
    items = known.filter(pl.col("order_id").is_in(orders.implode())).group_by("order_id")
    only = items.agg(pl.col("sku").first().alias("only"), pl.len().alias("items")).filter(pl.col("items") == 1)
    rows = rows.join(only.drop("items"), on="order_id", how="left", maintain_order="left")
    return rows.with_columns(pl.coalesce("sku", "only").alias("sku")).drop("only")


def payments(books: Books) -> pl.DataFrame:
    """Payments for units of an order: `source` told (report row) or settled (line), `kind` back, service, outbound or damage.

    A report row of any other reason that names an order and SKU pays (`damage`) what came back damaged, and nothing else.
    """

    def make(books: Books) -> pl.DataFrame:
        paid = paid_lines(books).filter(pl.col("amount") > 0, pl.col("order_id").is_not_null())
        back = pl.col("why").is_in(BACK)
        paid = pl.concat([_of_its_item(books, paid.filter(back)), paid.filter(~back)]).select(
            *LINE, pl.col("quantity").fill_null(1).cast(pl.Int64).alias("units"), "place",
            pl.lit(None, pl.UInt32).alias("row"), _kind().alias("kind"), pl.lit("settled").alias("source"),
            on="posted_on", amount="amount", currency="currency", pair=PAIR,
        )  # fmt: skip
        return pl.concat([_told(books), paid]).filter(pl.col("kind").is_not_null())

    return once(books, "payments", make)


def used_by_returns(books: Books) -> pl.DataFrame:
    """The report rows of `damage_payments` and how many of their units damaged returns use up, oldest first: `row`, `used`.

    What they pay beyond that is left for the losses of the stock that their reason names.
    """

    def make(books: Books) -> pl.DataFrame:
        rows = _told(books).filter(pl.col("kind") == "damage").join(_damaged_units(books), on="pair")
        rows = rows.sort("on", "row", nulls_last=True)
        through = pl.col("units").cum_sum().over("pair")
        used = pl.min_horizontal(through, "damaged") - pl.min_horizontal(through - pl.col("units"), "damaged")
        return rows.select("row", used=used)

    return once(books, "used_by_returns", make)


def damage_payments(books: Books) -> pl.Series:
    """The report rows (`row` of `facts.reimbursements`) that pay a damaged return by a reason for something else."""
    return payments(books).filter(pl.col("kind") == "damage")["row"].drop_nulls().unique()


def only_settled(books: Books) -> pl.DataFrame:
    """The settlement's lines among `payments` that pay none of the report's: a payment may be split over several lines, or
    stand under another code there, and is one all the same."""
    told = payments(books).filter(pl.col("source") == "told")
    met = _lines_of_rows(books).filter(pl.col("row").is_in(told["row"].implode()))["place"]
    return payments(books).filter(pl.col("source") == "settled", ~pl.col("place").is_in(met.implode()))


def nameless_orders(books: Books) -> list[str]:
    """The orders of which a payment does not tell, and nothing else does, for which item it is: sorted."""
    told = payments(books).filter(pl.col("source") == "told")
    rows = pl.concat([told, only_settled(books).filter(pl.col("kind") == "back")]).filter(pl.col("sku").is_null())
    return rows["order_id"].unique().sort().to_list()


def _lines_of_rows(books: Books) -> pl.DataFrame:
    lines = settled_on(books).select("row", place="lines")
    return lines.explode("place", empty_as_null=True, keep_nulls=True).drop_nulls()


def paid_units(books: Books) -> pl.DataFrame:
    """One row an order and SKU: `paid` units, and `paid_damage`, each the larger of what report and settlements tell.

    A line that pays a row of the report tells that row's units.
    """
    damage = pl.col("kind") == "damage"
    told = payments(books).filter(pl.col("source") == "told")
    settled = told.filter(pl.col("row").is_in(_lines_of_rows(books)["row"].implode()))
    settled = pl.concat([settled.with_columns(source=pl.lit("settled")), only_settled(books)])
    each = (
        pl.concat([told, settled])
        .group_by("pair", "source")
        .agg(
            *(pl.col(c).first() for c in LINE),
            pl.col("units").filter(~damage).sum(),
            paid_damage=pl.col("units").filter(damage).sum(),
        )
    )
    most = {"paid": pl.col("units").max(), "paid_damage": pl.col("paid_damage").max()}
    return each.group_by("pair").agg(*(pl.col(c).first() for c in LINE), **most)
