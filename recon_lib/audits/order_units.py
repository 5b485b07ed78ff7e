"""Every order line that was refunded, returned or paid back, in units: what was charged, refunded, returned, reimbursed.

Refund lines of a settlement carry no quantity: units = refunded principal ÷ unit price charged, part refunds added up
before rounding down. The report's payments and the settlement's lines of one order and SKU are the same payments: the
larger sum counts, never both. Payments settle damaged returns first, then units that never came back, then returns that were
never put back into stock.
"""

from __future__ import annotations

import polars as pl

from recon_lib.audits.evidence import PLACE, fold
from recon_lib.audits.facts import (
    customer_returns,
    ledger_rows,
    order_lines,
    paid_lines,
    refund_lines,
    reimbursements,
)
from recon_lib.books import Books
from recon_lib.kept import once
from recon_lib.money import MONEY, RATE, round_money_expr

LINE = ["order_id", "sku"]
DAMAGED = ["damaged", "carrierdamaged"]
WRONG_ITEM = "switcheroo"
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
_FINE = 10_000


def lines(books: Books) -> pl.DataFrame:
    """One row an order and SKU.

    `refunded` units (null where the charge is not known), `returned`, `damaged`, `sellable` units; `paid` units;
    `missing` = refunded − returned − payments left for it; `unpaid` = damaged − paid; `spare` = payments that neither
    needed; `refund_on` (last), `damaged_on`, `sellable_on` (last); `units`; `net` (charge less its fees) of `net_units`,
    those of the refunded items where the refund names them; `currency`; `is_fba`.
    """

    def make(books: Books) -> pl.DataFrame:
        refunds = (
            refunded_items(books)
            .group_by(LINE)
            .agg(
                pl.when(pl.col("refund_units").null_count() == 0).then(pl.col("refund_units").sum()).alias("refunded"),
                pl.col("refund_on").max(),
                pl.col("first_refund_on").min(),
                pl.col("is_fba").all(),
            )
        )
        frames = [refunds, _returned(books), _paid(books)]
        keys = pl.concat([f.select(LINE) for f in frames]).unique()
        rows = keys
        for frame in frames:
            rows = rows.join(frame, on=LINE, how="left", nulls_equal=True)
        rows = rows.join(charges(books), on=LINE, how="left", nulls_equal=True)
        rows = rows.join(_refunded_charges(books), on=LINE, how="left", nulls_equal=True)
        rows = rows.with_columns(net=pl.coalesce("own_net", "net"), net_units=pl.coalesce("own_units", "units"))
        counts = ["returned", "damaged", "sellable", "paid"]
        rows = rows.with_columns(pl.col(counts).fill_null(0), pl.col("is_fba").fill_null(True))
        for_missing = pl.max_horizontal(pl.col("paid") - pl.col("damaged"), 0)
        away = pl.max_horizontal(pl.col("refunded") - pl.col("returned"), 0)
        return rows.with_columns(
            # of an order of one unit only one can have come back
            unpaid=pl.max_horizontal(pl.min_horizontal("damaged", "units") - pl.col("paid"), 0),
            missing=pl.max_horizontal(away - for_missing, 0),
            spare=pl.max_horizontal(for_missing - away.fill_null(0), 0),
        ).sort(LINE, nulls_last=True)

    return once(books, "order_units", make)


def charges(books: Books) -> pl.DataFrame:
    """One row an order and SKU: `units` charged, `net` = principal − referral and fulfilment fees, `charge_place`."""
    rows = order_lines(books)
    return rows.group_by(LINE).agg(
        pl.col("units").sum(),
        (pl.col("principal").sum() + pl.col("fees").sum()).cast(MONEY).alias("net"),
        pl.col("principal").sum().alias("charged"),
        pl.col("currency").first(),
        pl.col("place").min().alias("charge_place"),
    )


def _refunded_charges(books: Books) -> pl.DataFrame:
    """One row an order and SKU whose refunds all name a charged item: `own_units`, `own_net` of those items."""
    item = [*LINE, "order_item_code"]
    named = refunded_items(books).select(item).filter(pl.col("order_item_code").is_not_null().all().over(LINE))
    rows = order_lines(books).join(named, on=item, how="semi", nulls_equal=True)
    return rows.group_by(LINE).agg(
        pl.col("units").sum().alias("own_units"),
        (pl.col("principal").sum() + pl.col("fees").sum()).cast(MONEY).alias("own_net"),
    )


def refunded_items(books: Books) -> pl.DataFrame:
    """One row an order item with refunded principal: `refund` (positive), `charged`, `refund_units`, days.

    Where a refund names an item that no charge names, the order and SKU are looked at as a whole (`order_item_code`
    null). `refund_units` is null where no charge is known, and then the date-range report's quantity, if it has one.
    """

    def make(books: Books) -> pl.DataFrame:
        item = [*LINE, "order_item_code"]
        refunds = refund_lines(books).filter(pl.col("order_id").is_not_null())
        known = order_lines(books).select(item).unique().with_columns(is_known=pl.lit(True))
        refunds = refunds.join(known, on=item, how="left").with_columns(
            whole=(~pl.col("is_known").fill_null(False)).any().over(LINE)
        )
        whole = refunds.filter("whole").select(LINE).unique().with_columns(whole=pl.lit(True))
        code = pl.when(~pl.col("whole").fill_null(False)).then(pl.col("order_item_code")).alias("order_item_code")
        refunds = refunds.with_columns(code)
        charged = order_lines(books).join(whole, on=LINE, how="left", nulls_equal=True).with_columns(code)
        charged = charged.group_by(item).agg(
            pl.col("principal").sum().alias("charged"),
            pl.col("units").sum(),
            pl.col("posted_on").min().alias("charged_on"),
            pl.col("fulfillment_id").max().alias("charge_channel"),
        )
        rows = refunds.group_by(item).agg(
            (-pl.col("amount").sum()).cast(MONEY).alias("refund"),
            pl.col("posted_on").max().alias("refund_on"),
            pl.col("posted_on").min().alias("first_refund_on"),
            pl.col("fulfillment_id").max().alias("refund_channel"),
            pl.col("currency").first(),
        )
        rows = rows.filter(pl.col("refund") > 0).join(charged, on=item, how="left", nulls_equal=True)
        fine = {c: (pl.col(c) * _FINE).cast(pl.Int64) for c in ("refund", "charged")}
        units = pl.when((pl.col("charged") > 0) & (pl.col("units") > 0)).then(
            pl.min_horizontal(fine["refund"] * pl.col("units") // fine["charged"], "units")
        )
        channel = pl.coalesce("charge_channel", "refund_channel").str.to_uppercase().fill_null("AFN")
        rows = rows.with_columns(refund_units=units, is_fba=~channel.is_in(["MFN", "SELLER"]))
        told = _date_range_units(books, rows.filter(pl.col("refund_units").is_null()).select(LINE).unique())
        rows = rows.join(told, on=LINE, how="left", nulls_equal=True)
        return rows.with_columns(pl.coalesce("refund_units", "told_units").alias("refund_units")).sort(
            item, nulls_last=True
        )

    return once(books, "refunded_items", make)


def _date_range_units(books: Books, wanted: pl.DataFrame) -> pl.DataFrame:
    rows = books.frames["date_range"].filter(pl.col("type") == "Refund", pl.col("quantity").is_not_null())
    rows = rows.join(wanted.lazy(), on=LINE, how="semi", nulls_equal=True)
    return rows.group_by(LINE).agg(pl.col("quantity").cast(pl.Int64).abs().sum().alias("told_units")).collect()


def _returned(books: Books) -> pl.DataFrame:
    grade, units = pl.col("grade").fill_null(""), pl.col("quantity").cast(pl.Int64)
    wrong = pl.col("why").fill_null("") == WRONG_ITEM
    rows = customer_returns(books)
    return rows.group_by(LINE).agg(
        units.sum().alias("returned"),
        units.filter(grade.is_in(DAMAGED)).sum().alias("damaged"),
        units.filter((grade == "sellable") & ~wrong).sum().alias("sellable"),
        pl.col("returned_on").filter(grade.is_in(DAMAGED)).max().alias("damaged_on"),
        pl.col("returned_on").max(),
        pl.col("fnsku").min(),
        pl.col("asin").min(),
    )


def payments(books: Books) -> pl.DataFrame:
    """Payments for units of an order: `source` told (report row) or settled (line), `kind` back, service or outbound."""

    def kind() -> pl.Expr:
        return (
            pl.when(pl.col("why").is_in(BACK))
            .then(pl.lit("back"))
            .when(pl.col("why").is_in(SERVICE))
            .then(pl.lit("service"))
            .when(pl.col("why").is_in(OUTBOUND))
            .then(pl.lit("outbound"))
        )

    told = reimbursements(books).filter(pl.col("units") > 0, pl.col("order_id").is_not_null())
    told = told.select(*LINE, "units", "place", "row", kind().alias("kind"), pl.lit("told").alias("source"),
                       on="approved_on", amount="amount_total", currency="currency")  # fmt: skip
    paid = paid_lines(books).filter(pl.col("amount") > 0, pl.col("order_id").is_not_null())
    paid = paid.select(
        *LINE, pl.col("quantity").fill_null(1).cast(pl.Int64).alias("units"), "place",
        pl.lit(None, pl.UInt32).alias("row"), kind().alias("kind"), pl.lit("settled").alias("source"),
        on="posted_on", amount="amount", currency="currency",
    )  # fmt: skip
    return pl.concat([told, paid]).filter(pl.col("kind").is_not_null())


def _paid(books: Books) -> pl.DataFrame:
    each = payments(books).group_by(*LINE, "source").agg(pl.col("units").sum())
    return each.group_by(LINE).agg(pl.col("units").max().alias("paid"))


def with_proof(books: Books, rows: pl.DataFrame, *sides: str) -> pl.DataFrame:
    """`rows` (with order_id and sku) with `lines`: the places of their refunds, returns, payments, charges, in the order asked.

    `sides`: refund, return, payment, charge, ledger. Proof is looked up for the few rows concerned only.
    """
    keys = rows.select(LINE).unique()

    def of(number: int, side: str) -> pl.DataFrame:
        if side == "refund":
            frame = refund_lines(books)
        elif side == "return":
            frame = customer_returns(books)
        elif side == "payment":
            frame = payments(books)
        elif side == "charge":
            frame = order_lines(books).filter(pl.col("place").is_not_null())
        else:
            frame = ledger_rows(books).filter(pl.col("type").str.starts_with("customerreturn"))
            frame = frame.with_columns(pl.col("reference_id").alias("order_id"), PLACE.alias("place"))
        known = frame.join(keys, on=LINE, how="semi", nulls_equal=True)
        return known.select(*LINE, "place", pl.lit(number, pl.UInt8).alias("side"))

    found = pl.concat([of(number, side) for number, side in enumerate(sides)]).sort("side", "place")
    places = found.group_by(LINE, maintain_order=True).agg(pl.col("place").alias("lines"))
    out = rows.join(places, on=LINE, how="left", nulls_equal=True, maintain_order="left")
    return out.with_columns(pl.col("lines").fill_null([]))


def unit_value(quantity: str) -> list[pl.Expr]:
    """`unit_value`, `owed` after an order for `quantity` units of a row of `lines`; null where the charge is not known."""
    known = (pl.col("net_units") > 0) & (pl.col("net") > 0)
    net, units = pl.col("net").cast(RATE), pl.col("net_units").cast(RATE)
    return [
        pl.when(known).then(round_money_expr((net / units).cast(MONEY))).alias("unit_value"),
        pl.when(known).then(round_money_expr((net * pl.col(quantity).cast(RATE) / units).cast(MONEY))).alias("owed"),
        pl.when(~known.fill_null(False))
        .then(pl.lit("value unknown: the order's charge is in no settlement here"))
        .alias("no_value"),
    ]


def restocked(books: Books, ledger: pl.DataFrame) -> pl.DataFrame:
    """Sellable returns and what the ledger shows of them, one row an order and SKU; `ledger`: its CustomerReturns rows.

    `late_units` are sellable units returned more than `restock_days` ago; `back` the units the ledger put back that no
    other return of the order explains.
    """
    grade = pl.col("grade").fill_null("")
    units = pl.col("quantity").cast(pl.Int64)
    ours = customer_returns(books).with_columns(fnsku=pl.coalesce("fnsku", pl.lit("")))
    due = (books.as_of - pl.col("returned_on")).dt.total_days() > books.account.restock_days
    wrong = pl.col("why").fill_null("") == WRONG_ITEM
    sellable = (grade == "sellable") & ~wrong
    rows = ours.group_by(*LINE, "fnsku").agg(
        units.filter(sellable & due).sum().alias("late_units"),
        units.filter(~sellable & ~grade.is_in(DAMAGED)).sum().alias("kept_units"),
        pl.col("returned_on").filter(sellable & due).max().alias("event_on"),
        pl.col("asin").min(),
    )
    entered = ledger.filter(pl.col("quantity") > 0, pl.col("reference_id").is_not_null())

    def booked(key: str) -> pl.DataFrame:
        return (
            entered.filter(pl.col(key).is_not_null())
            .group_by(pl.col("reference_id").alias("order_id"), key)
            .agg(
                units.sum().alias(f"all_{key}"),
                units.filter(fold("disposition") == "sellable").sum().alias(f"sellable_{key}"),
            )
        )

    rows = rows.filter(pl.col("late_units") > 0)
    rows = rows.join(booked("fnsku"), on=["order_id", "fnsku"], how="left").join(
        booked("sku"), on=["order_id", "sku"], how="left"
    )

    def either(name: str) -> pl.Expr:
        return pl.when(pl.col("fnsku") == "").then(f"{name}_sku").otherwise(f"{name}_fnsku")

    return rows.with_columns(
        back=pl.max_horizontal(either("sellable"), either("all") - pl.col("kept_units"), 0),
        fnsku=pl.when(pl.col("fnsku") != "").then("fnsku"),
    )
