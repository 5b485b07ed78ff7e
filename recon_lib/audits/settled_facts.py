"""The few settlement lines and order items that audits look at."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from recon_lib.audits.evidence import PLACE, folded
from recon_lib.audits.facts import LINE, PAIR, customer_returns, reimbursements
from recon_lib.books import Books
from recon_lib.item_runs import FINE, ORDER_NUMBER, repeated
from recon_lib.kept import once
from recon_lib.money import MONEY
from recon_lib.sold import few_lines, prices_back, settled_lines

REIMBURSED_AS = {
    "warehouselost": "lostwarehouse",
    "warehouselostmanual": "lostwarehouse",
    "missingfrominventory": "lostwarehouse",
    "warehousedamage": "damagedwarehouse",
    "warehousedamageexception": "damagedwarehouse",
    "missingfrominbound": "lostinbound",
    "inboundcarrierdamage": "damagedinbound",
    "reversalreimbursement": "customerreturn",
    "creturnwrongitem": "customerreturn",
    "carrierdamageddiscard": "customerreturn",
    "customerdamage": "customerreturn",
    "freereplacementrefunditems": "customerserviceissue",
    "cserroritems": "customerserviceissue",
    "cserrornonitemized": "customerserviceissue",
    "incorrectfeesitems": "feecorrection",
    "incorrectfeesnonitemized": "feecorrection",
    "removalorderlost": "removalorderlost",
    "multichannelorderlost": "lostoutbound",
    "paymentretractionitems": "other",
    "reevaluation": "other",
    "compensatedclawback": "clawback",
    "missingfrominboundclawback": "clawback",
}
"""Settlement code (folded) -> the reimbursement report's reason (folded) that it pays."""
_ONE_FINE = 1 / Decimal(FINE)
ITEM_SEED = 3  # the seed of the order item in its number, after those of PAIR
_REIMBURSED_GROUPS = ["fbainventoryreimbursement", "mcfinventoryreimbursement"]
_REFUNDED = (pl.col("type") == "refund") & (pl.col("what") == "principal") & (pl.col("group") != "promotion")


def whole_money(fine: str | pl.Expr) -> pl.Expr:
    """Ten-thousandths as MONEY."""
    column = pl.col(fine) if isinstance(fine, str) else fine
    return (column.cast(pl.Decimal(38, 0)) * pl.lit(_ONE_FINE)).cast(MONEY)  # exact, and quicker than to divide


def settlement_sums(books: Books) -> pl.DataFrame:
    """One row a settlement and currency: `lines`, `amount`, `first_on`, `last_on` of its lines up to the as-of day."""

    def make(books: Books) -> pl.DataFrame:
        sums = settled_lines(books).sums.sort("settlement_id", "currency")
        return sums.select(
            "settlement_id", "currency", "lines", amount=whole_money("fine"), first_on="first_on", last_on="last_on"
        )

    return once(books, "settlement_sums", make)


def _few(books: Books) -> pl.DataFrame:
    """FEW in order, with `place`, `pair` and the words folded."""

    def make(books: Books) -> pl.DataFrame:
        words = {"type": "transaction_type", "group": "amount_type", "what": "amount_description"}
        rows = folded(few_lines(books), **words).with_columns(pl.col(list(words)).fill_null(""))
        rows = rows.with_columns(PLACE.alias("place"), pair=PAIR)
        return rows.sort("posted_on", "settlement_id", "file", "line", "part", nulls_last=True)

    return once(books, "few_lines", make)


def other_lines(books: Books) -> pl.DataFrame:
    """Settlement lines that are neither orders nor refunds of a price; `type`, `group`, `what` are folded words."""
    is_plain = _REFUNDED & ~pl.col("group").is_in(_REIMBURSED_GROUPS)
    return once(books, "other_lines", lambda books: _few(books).filter(~is_plain))


def _odd_refunds(books: Books) -> pl.DataFrame:
    """Refunded principal in words that `sold.prices_back` does not know."""
    return _few(books).filter(_REFUNDED)


def refund_lines(books: Books) -> pl.DataFrame:
    """Refunded principal: `amount` negative, one row a settlement line, in no order."""

    def make(books: Books) -> pl.DataFrame:
        rows = prices_back(books).with_columns(pair=PAIR)
        odd = _odd_refunds(books)
        return pl.concat([rows, odd.select(rows.columns)]) if odd.height else rows

    return once(books, "refund_lines", make)


def paid_lines(books: Books) -> pl.DataFrame:
    """Settlement lines by which Amazon reimburses (or takes back); `why` is the report's reason they belong to."""

    def make(books: Books) -> pl.DataFrame:
        known = list(REIMBURSED_AS)
        code = (
            pl.when(pl.col("what").is_in(known))
            .then("what")
            .when(pl.col("type").is_in(known))
            .then("type")
            .when(pl.col("group").is_in(_REIMBURSED_GROUPS))
            .then("what")
        )
        rows = other_lines(books).with_columns(code=code).filter(pl.col("code").is_not_null())
        return rows.with_columns(why=pl.col("code").replace_strict(REIMBURSED_AS, default="other"))

    return once(books, "paid_lines", make)


def concerned_orders(books: Books) -> pl.DataFrame:
    """The order runs (`sold.settled_lines`) of all orders that a refund, a return or a payment names."""

    def make(books: Books) -> pl.DataFrame:
        settled = settled_lines(books)
        # of the lines of refunds only those that are spelled oddly are not among the runs of refunds
        sides = [_odd_refunds(books), customer_returns(books), reimbursements(books), paid_lines(books)]
        asked = [side.filter(pl.col("order_id").is_not_null()).select(order=ORDER_NUMBER)["order"] for side in sides]
        orders = pl.concat([*asked, settled.refunds["order"]])
        return settled.orders.filter(pl.col("order").is_in(orders.implode()))

    return once(books, "concerned_orders", make)


def put_together(rows: pl.DataFrame, key: str, how: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """One row a `key` (a column of numbers); `how` names every other column, and leaves the value of a single row as it is."""
    twice = repeated(rows[key])
    alone = rows.select(key, *how)
    if not twice.any():
        return alone
    several = rows.filter(twice).group_by(key).agg(**how)
    return pl.concat([alone.filter(~twice), several.select(pl.col(c).cast(t) for c, t in alone.schema.items())])


def order_lines(books: Books) -> pl.DataFrame:
    """What was charged, one row an order, SKU, order item and currency, for the orders that refunds, returns or payments name.

    `units`, `principal` (positive), `fees` (referral and fulfilment fees, negative), both in ten-thousandths,
    `fulfillment_id`, `place` of a principal row; `pair` and `item`: the numbers of its LINE and of its LINE and order item.
    The quantity stands on every row of an item, so it counts once a shipment of the item. In no order.
    """

    def make(books: Books) -> pl.DataFrame:
        parts = ("order_item_code", "currency", "settlement_id", "shipment_id", "posted_on")
        of = {c: pl.col(c).hash(seed) for seed, c in enumerate(parts, ITEM_SEED)}
        rows = concerned_orders(books).filter("is_charge").with_columns(pair=PAIR, principal="price")
        rows = rows.with_columns(item=pl.col("pair") ^ of["order_item_code"], is_priced=pl.col("priced").is_not_null())
        rows = rows.with_columns(
            shipment=pl.col("item") ^ of["settlement_id"] ^ of["shipment_id"] ^ of["posted_on"],
            each=pl.col("item") ^ of["currency"],
        )
        same = {c: pl.col(c).first() for c in (*LINE, "order_item_code", "pair", "item")}
        largest = {c: pl.col(c).max() for c in ("priced", "any_units", "fulfillment_id", "is_priced")}
        least = {c: pl.col(c).min() for c in ("line", "file", "currency", "posted_on")}
        added = {c: pl.col(c).sum() for c in ("principal", "fees")}
        # one settlement is one file and one currency, so their smallest value is their only one
        each = {"each": pl.col("each").first()}
        shipped = put_together(rows, "shipment", same | each | largest | least | added)
        shipped = shipped.with_columns(PLACE.alias("place"), pl.col("priced", "any_units").fill_null(0))
        least = {c: pl.col(c).min() for c in ("place", "currency", "posted_on")}
        added |= {c: pl.col(c).sum() for c in ("priced", "any_units")}
        told = put_together(shipped, "each", same | largest | least | added)
        units = pl.when("is_priced").then("priced").otherwise("any_units")
        return told.with_columns(units=units).drop("each", "priced", "any_units", "is_priced")

    return once(books, "order_lines", make)
