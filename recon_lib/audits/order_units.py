"""Every order line that was refunded, returned or paid back, in units: what was charged, refunded, returned, reimbursed.

Refund lines of a settlement carry no quantity: units = refunded principal ÷ unit price charged, part refunds added up
before rounding down. The report's payments and the settlement's lines of one order and SKU are the same payments: the
larger sum counts, never both. Payments settle damaged returns first, then units that never came back, then returns that were
never put back into stock.
"""

from __future__ import annotations

import polars as pl

from recon_lib.audits.evidence import PLACE
from recon_lib.audits.facts import LINE, PAIR, returns_in_ledger
from recon_lib.audits.order_payments import DAMAGED, paid_units, payments
from recon_lib.audits.order_returns import order_returns
from recon_lib.audits.settled_facts import ITEM_SEED, order_lines, put_together, refund_lines, whole_money
from recon_lib.books import Books
from recon_lib.item_runs import fine, repeated, whole_units
from recon_lib.kept import once
from recon_lib.money import MONEY, RATE, exact_text_expr, round_money_expr

WRONG_ITEM = "switcheroo"
_FIRST = {c: pl.col(c).first() for c in LINE}
NO_CHARGE = "value unknown: the order's charge is in no settlement here"
NO_EARNINGS = "value unknown: the order's price less its fees is not above zero"


def lines(books: Books) -> pl.DataFrame:
    """One row an order and SKU.

    `refunded` units (null where the charge is not known), `returned`, `damaged`, `sellable` units; `paid` units, and
    `paid_damage` by reasons that pay a damaged return only; `missing` = refunded − returned − `for_missing`, the payments
    left for it; `unpaid` = damaged − paid; `spare` = payments that neither needed; `refund_on`, `damaged_on` and `returned_on`
    (each the last); `units`; `gross` charge and `net` (less its fees) of `net_units`, those of the refunded items where the
    refund names them; `currency`; `is_fba`.
    """

    def make(books: Books) -> pl.DataFrame:
        items = refunded_items(books).select(
            *LINE, "pair", "refund_on", "first_refund_on", "is_fba", refunded="refund_units",
            unknown=pl.col("refund_units").is_null(),
        )  # fmt: skip
        refunds = put_together(items, "pair", _FIRST | {
            "refunded": pl.col("refunded").sum(), "unknown": pl.col("unknown").any(), "refund_on": pl.col("refund_on").max(),
            "first_refund_on": pl.col("first_refund_on").min(), "is_fba": pl.col("is_fba").all(),
        })  # fmt: skip
        refunds = refunds.with_columns(refunded=pl.when(~pl.col("unknown")).then("refunded")).drop("unknown")
        sides = [_returned(books), paid_units(books)]
        rows = refunds
        for side in sides:
            more = side.filter(~pl.col("pair").is_in(rows["pair"].implode())).select("pair", *LINE)
            rows = pl.concat([rows, more], how="diagonal")
        for side in [*sides, charges(books)]:
            rows = rows.join(side.drop(LINE), on="pair", how="left")
        counts = ["returned", "damaged", "sellable", "paid", "paid_damage"]
        rows = rows.with_columns(pl.col(counts).fill_null(0), pl.col("is_fba").fill_null(True))
        for_missing = pl.max_horizontal(
            pl.col("paid") - pl.max_horizontal(pl.col("damaged") - pl.col("paid_damage"), 0), 0
        )
        away = pl.max_horizontal(pl.col("refunded") - pl.col("returned"), 0)
        return rows.with_columns(
            # of an order of one unit only one can have come back
            unpaid=pl.max_horizontal(pl.min_horizontal("damaged", "units") - pl.col("paid") - pl.col("paid_damage"), 0),
            missing=pl.max_horizontal(away - for_missing, 0),
            for_missing=for_missing,
            spare=pl.max_horizontal(for_missing - away.fill_null(0), 0),
        )

    return once(books, "order_units", make)


def charges(books: Books) -> pl.DataFrame:
    """One row an order and SKU: `units` charged; `gross` principal and `net` of referral and fulfilment fees of `net_units`:
    those of the refunded items, where every refund names one, else all; `charge_place`."""

    def make(books: Books) -> pl.DataFrame:
        rows = order_lines(books).select(
            *LINE, "pair", "units", "currency", gross="principal", net=pl.col("principal") + pl.col("fees"), net_units="units",
            charge_place="place", is_own=pl.col("item").is_in(_named_items(books).implode()),
        )  # fmt: skip
        own = pl.col("is_own")
        how = _FIRST | {"units": pl.col("units").sum()} | {c: pl.col(c).min() for c in ("currency", "charge_place")}
        for c in ("gross", "net", "net_units"):
            how[c] = pl.when(own.any()).then(pl.col(c).filter(own).sum()).otherwise(pl.col(c).sum())
        return put_together(rows, "pair", how).with_columns(whole_money(c).alias(c) for c in ("gross", "net"))

    return once(books, "charges", make)


def _named_items(books: Books) -> pl.Series:
    """The refunded items (their numbers) of every order and SKU whose refunds all name a charged item."""
    refunded = refunded_items(books).select("pair", "item", nameless=pl.col("order_item_code").is_null())
    whole = refunded.filter("nameless")["pair"]
    return refunded.filter(~pl.col("pair").is_in(whole.implode()))["item"]


def refunded_items(books: Books) -> pl.DataFrame:
    """One row an order item with refunded principal: `refund` (positive), `charged` (ten-thousandths), `refund_units`, days.

    Where a refund names an item that no charge names, the order and SKU are looked at as a whole (`order_item_code`
    null). `refund_units` is null where no charge is known, and then the date-range report's quantity, if it has one.
    """

    def make(books: Books) -> pl.DataFrame:
        code = pl.col("order_item_code")
        refunds = refund_lines(books).filter(pl.col("order_id").is_not_null())
        refunds = refunds.select(
            *LINE, "order_item_code", "pair", "fulfillment_id", "currency", "posted_on", refund=-fine("amount"),
            item=pl.col("pair") ^ code.hash(ITEM_SEED),
        )  # fmt: skip
        charged = order_lines(books).select(
            "pair", "item", "units", charged="principal", charged_on="posted_on", charge_channel="fulfillment_id"
        )
        is_known = pl.col("item").is_in(charged["item"].unique().implode()) & code.is_not_null()
        whole = refunds.filter(~is_known)["pair"].unique()
        if whole.len():  # the number of an order and SKU is then that of its only item
            is_whole = pl.col("pair").is_in(whole.implode())
            item = pl.when(is_whole).then("pair").otherwise("item")
            charged = charged.with_columns(item=item)
            refunds = refunds.with_columns(item=item, order_item_code=pl.when(~is_whole).then("order_item_code"))
        charged = put_together(charged.drop("pair"), "item", {
            "charged": pl.col("charged").sum(), "units": pl.col("units").sum(), "charged_on": pl.col("charged_on").min(),
            "charge_channel": pl.col("charge_channel").max(),
        })  # fmt: skip
        refunds = refunds.with_columns(
            first_refund_on="posted_on", refund_on="posted_on", refund_channel="fulfillment_id"
        )
        how = _FIRST | {c: pl.col(c).first() for c in ("pair", "order_item_code")} | {"refund": pl.col("refund").sum()}
        how |= {c: pl.col(c).max() for c in ("refund_on", "refund_channel")}
        how |= {c: pl.col(c).min() for c in ("first_refund_on", "currency")}
        rows = put_together(refunds, "item", how)
        rows = rows.filter(pl.col("refund") > 0).join(charged, on="item", how="left")
        units = whole_units(pl.col("refund"), pl.col("charged"), pl.col("units"))
        rows = rows.with_columns(refund_units=units, channel=pl.coalesce("charge_channel", "refund_channel"))
        sellers = rows["channel"].unique().drop_nulls()
        sellers = sellers.filter(sellers.str.to_uppercase().is_in(["MFN", "SELLER"]))
        rows = rows.with_columns(is_fba=~pl.col("channel").is_in(sellers.implode()).fill_null(False)).drop("channel")
        told = _date_range_units(books, rows.filter(pl.col("refund_units").is_null()).select(LINE).unique())
        if told.is_empty():
            return rows
        rows = rows.join(told, on=LINE, how="left", nulls_equal=True)
        return rows.with_columns(pl.coalesce("refund_units", "told_units").alias("refund_units"))

    return once(books, "refunded_items", make)


def _date_range_units(books: Books, wanted: pl.DataFrame) -> pl.DataFrame:
    rows = books.frames["date_range"].filter(pl.col("type") == "Refund", pl.col("quantity").is_not_null())
    rows = rows.join(wanted.lazy(), on=LINE, how="semi", nulls_equal=True)
    return rows.group_by(LINE).agg(pl.col("quantity").cast(pl.Int64).abs().sum().alias("told_units")).collect()


def _returned(books: Books) -> pl.DataFrame:
    grade = pl.col("grade").fill_null("")
    wrong = pl.col("why").fill_null("") == WRONG_ITEM
    units = pl.col("quantity").cast(pl.Int64).fill_null(0)
    sellable = pl.when((grade == "sellable") & ~wrong).then(units).otherwise(0)
    rows = order_returns(books).with_columns(
        returned=units, damaged=pl.when(grade.is_in(DAMAGED)).then(units).otherwise(0), sellable=sellable,
        damaged_on=pl.when(grade.is_in(DAMAGED)).then("returned_on"),
    )  # fmt: skip
    how = _FIRST | {c: pl.col(c).sum() for c in ("returned", "damaged", "sellable")}
    how |= {c: pl.col(c).max() for c in ("damaged_on", "returned_on")}
    return put_together(rows, "pair", how | {c: pl.col(c).min() for c in ("fnsku", "asin")})


def with_proof(books: Books, rows: pl.DataFrame, *sides: str) -> pl.DataFrame:
    """`rows` (with order_id and sku) with `lines`: the places of their refunds, returns, payments, charges, in the order asked.

    `sides`: refund, return, payment, charge, ledger. Proof is looked up for the few rows concerned only.
    """
    rows = rows.with_columns(pair=PAIR)
    keys = rows["pair"].unique()
    none = pl.lit([], pl.List(pl.String))

    def of(side: str) -> pl.DataFrame:
        if side == "refund":
            frame = refund_lines(books)
        elif side == "return":
            frame = order_returns(books)
        elif side == "payment":
            frame = payments(books)
        elif side == "charge":
            frame = order_lines(books).select("pair", "place").filter(pl.col("place").is_not_null())
        else:
            frame = returns_in_ledger(books)
        names = ["place"] if "place" in frame.columns else ["file", "line"]
        known = frame.select("pair", *names).filter(pl.col("pair").is_in(keys.implode()))
        known = known if names == ["place"] else known.select("pair", PLACE.alias("place"))
        twice = repeated(known["pair"])
        alone = known.filter(~twice).with_columns(pl.concat_list("place"))
        return pl.concat([alone, known.filter(twice).group_by("pair").agg(pl.col("place").sort())])

    names = [f"{side}_places" for side in sides]
    for name, side in zip(names, sides, strict=True):
        rows = rows.join(of(side).rename({"place": name}), on="pair", how="left", maintain_order="left")
    return rows.with_columns(lines=pl.concat_list(pl.col(name).fill_null(none) for name in names)).drop(names)


def unit_value(quantity: str) -> list[pl.Expr]:
    """`unit_value`, `owed` and their words (`worth`) after an order for `quantity` units of a row of `lines`; null (the words
    empty) where the charge is not known."""
    known = (pl.col("net_units") > 0) & (pl.col("net") > 0)
    net, units = pl.col("net").cast(RATE), pl.col("net_units").cast(RATE)
    each = round_money_expr((net / units).cast(MONEY))
    fees = pl.col("gross") - pl.col("net")
    of = pl.when(pl.col("net_units") == 1).then(pl.lit("1 unit")).otherwise(pl.format("{} units", "net_units"))
    owed = round_money_expr((net * pl.col(quantity).cast(RATE) / units).cast(MONEY))
    times = (
        pl.when(each * pl.col(quantity) == owed)
        .then(pl.format("{} x {}", quantity, exact_text_expr(each)))
        .otherwise(
            pl.format("{} of these = {}", quantity, exact_text_expr(owed))
        )  # a unit's rounded worth tells another sum
    )
    told = pl.format(
        "; {} charged − {} fees = {} for {}; {}",
        *(exact_text_expr(c) for c in (pl.col("gross"), fees, pl.col("net"))), of, times,
    )  # fmt: skip
    return [
        pl.when(known).then(each).alias("unit_value"),
        pl.when(known).then(told).otherwise(pl.lit("")).alias("worth"),
        pl.when(known).then(owed).alias("owed"),
        pl.when(~known.fill_null(False))
        .then(pl.when(pl.col("net_units") > 0).then(pl.lit(NO_EARNINGS)).otherwise(pl.lit(NO_CHARGE)))
        .alias("no_value"),
    ]
