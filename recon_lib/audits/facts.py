"""The few rows that audits look at, taken from the big reports once for a day's books.

The ledger and the settlements have millions of rows; here each is read once, filtered early and kept small. What is
made is kept as long as the books live.
"""

from __future__ import annotations

import polars as pl

from recon_lib.audits.evidence import PLACE, fold
from recon_lib.books import Books
from recon_lib.kept import once
from recon_lib.money import MONEY

# Movements that no audit looks at: sales, transfers between warehouses, removals on their way out.
_BULK = ["Shipments", "WhseTransfers", "VendorReturns", "Whse Transfers", "Vendor Returns"]
_ORDER = ["Order", "ORDER", "order"]
_REFUND = ["Refund", "REFUND", "refund"]

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


# --- ledger -----------------------------------------------------------------------------------------------------


def ledger_rows(books: Books) -> pl.DataFrame:
    """Every ledger row but sales, transfers and removals, in no order; `type` is the event type folded, `code` the reason."""

    def make(books: Books) -> pl.DataFrame:
        rows = books.frames["ledger_detail"].filter(~pl.col("event_type").is_in(_BULK))
        columns = ["event_on", "fnsku", "asin", "sku", "reference_id", "quantity", "fulfillment_center", "disposition"]
        columns += ["reason", "country", "reconciled_quantity", "unreconciled_quantity", "file", "line"]
        rows = rows.select(
            *columns, fold("event_type").alias("type"), pl.col("reason").str.to_uppercase().alias("code")
        )
        return rows.collect()

    return once(books, "ledger", make)


def adjustments(books: Books) -> pl.DataFrame:
    """Ledger rows of type Adjustments."""
    kinds = ["adjustments", "adjustment"]
    return once(books, "adjustments", lambda books: ledger_rows(books).filter(pl.col("type").is_in(kinds)))


# --- reimbursements ---------------------------------------------------------------------------------------------


def reimbursements(books: Books) -> pl.DataFrame:
    """All rows of the reimbursement report, numbered `row` in a stable order; `why` is the reason folded.

    `units` = cash + inventory units (0 on reversals), `is_reversal` for amounts or units taken back.
    """

    def make(books: Books) -> pl.DataFrame:
        rows = books.frames["reimbursements"].collect()
        rows = rows.with_columns(
            fold("reason").alias("why"),
            PLACE.alias("place"),
            (
                (fold("reason") == "reimbursementreversal")
                | (pl.col("amount_total") < 0)
                | (pl.col("quantity_cash") < 0)
                | (pl.col("quantity_inventory") < 0)
            ).alias("is_reversal"),
        ).with_columns(
            pl.when("is_reversal")
            .then(0)
            .otherwise(pl.max_horizontal(pl.col("quantity_cash") + pl.col("quantity_inventory"), "quantity_total"))
            .cast(pl.Int64)
            .alias("units")
        )
        order = ["approved_on", "reimbursement_id", "order_id", "fnsku", "sku", "why", "amount_total", "file", "line"]
        return rows.sort(order, nulls_last=True).with_row_index("row")

    return once(books, "reimbursements", make)


# --- settlements ------------------------------------------------------------------------------------------------


def _settlement(books: Books) -> tuple[pl.DataFrame, pl.DataFrame]:
    def make(books: Books) -> tuple[pl.DataFrame, pl.DataFrame]:
        lines = books.frames["settlement_lines"]
        kind = pl.col("transaction_type").fill_null("")
        is_refund = kind.is_in(_REFUND)
        principal = pl.col("amount_description").is_in(["Principal", "PRINCIPAL", "principal"])
        sums = lines.group_by("settlement_id", "currency").agg(
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("amount").sum().cast(MONEY).alias("amount"),
            pl.col("posted_on").min().alias("first_on"),
            pl.col("posted_on").max().alias("last_on"),
        )
        few = lines.filter(~kind.is_in(_ORDER) & (~is_refund | principal)).select(
            "settlement_id", "transaction_type", "order_id", "adjustment_id", "marketplace_name", "amount_type",
            "amount_description", "amount", "currency", "fulfillment_id", "posted_on", "order_item_code", "sku",
            "quantity", "file", "line", "part",
        )  # fmt: skip
        # one by one: each reads only the columns and rows it needs
        made = sums.collect(), few.collect()
        order = ["posted_on", "settlement_id", "file", "line", "part"]
        few_rows = (
            made[1]
            .sort(order, nulls_last=True)
            .with_columns(
                fold("transaction_type").fill_null("").alias("type"),
                fold("amount_type").fill_null("").alias("group"),
                fold("amount_description").fill_null("").alias("what"),
                PLACE.alias("place"),
            )
        )
        return made[0].sort("settlement_id", "currency"), few_rows

    return once(books, "settlement", make)


def settlement_sums(books: Books) -> pl.DataFrame:
    """One row a settlement and currency: `lines`, `amount`, `first_on`, `last_on` of its lines up to the as-of day."""
    return _settlement(books)[0]


def other_lines(books: Books) -> pl.DataFrame:
    """Settlement lines that are neither orders nor the fees of refunds; `type`, `group`, `what` are folded words."""
    return _settlement(books)[1]


def refund_lines(books: Books) -> pl.DataFrame:
    """Refunded principal: `amount` negative, one row a settlement line."""
    return other_lines(books).filter(
        pl.col("type") == "refund", pl.col("what") == "principal", pl.col("group") != "promotion"
    )


def paid_lines(books: Books) -> pl.DataFrame:
    """Settlement lines by which Amazon reimburses (or takes back); `why` is the report's reason they belong to."""

    def make(books: Books) -> pl.DataFrame:
        known = list(REIMBURSED_AS)
        code = (
            pl.when(pl.col("what").is_in(known))
            .then("what")
            .when(pl.col("type").is_in(known))
            .then("type")
            .when(pl.col("group").is_in(["fbainventoryreimbursement", "mcfinventoryreimbursement"]))
            .then("what")
        )
        rows = other_lines(books).with_columns(code=code).filter(pl.col("code").is_not_null())
        return rows.with_columns(why=pl.col("code").replace_strict(REIMBURSED_AS, default="other"))

    return once(books, "paid_lines", make)


def concerned_lines(books: Books) -> pl.DataFrame:
    """Settlement lines of type order for the orders that a refund, a return or a payment names; read once, as they stand.

    `is_asked` is false where nothing but fees was refunded.
    """

    def make(books: Books) -> pl.DataFrame:
        sides = [refund_lines(books), customer_returns(books), reimbursements(books), paid_lines(books)]
        asked = pl.concat([side.select("order_id") for side in sides]).drop_nulls().unique()["order_id"]
        lines = books.frames["settlement_lines"]
        refunded = lines.filter(pl.col("transaction_type").is_in(_REFUND)).select("order_id").unique().collect()
        wanted = pl.concat([asked, refunded["order_id"].drop_nulls()]).unique()
        found = lines.filter(
            pl.col("transaction_type").is_in(_ORDER), pl.col("order_id").is_in(wanted.implode())
        ).select(
            "order_id", "sku", "order_item_code", "shipment_id", "settlement_id", "posted_on", "amount_type",
            "amount_description", "amount", "currency", "quantity", "fulfillment_id", "marketplace_name",
            "transaction_type", "file", "line",
        )  # fmt: skip
        if wanted.len() == asked.len():
            return found.with_columns(is_asked=pl.lit(True)).collect()
        return found.with_columns(is_asked=pl.col("order_id").is_in(asked.implode())).collect()

    return once(books, "concerned_lines", make)


def order_lines(books: Books) -> pl.DataFrame:
    """What was charged, one row an order, SKU and order item, for the orders that refunds, returns or payments name.

    `units`, `principal` (positive), `fees` (referral and fulfilment fees, negative), `fulfillment_id`, `place` of a
    principal row. The quantity stands on every row of an item, so it counts once a shipment of the item.
    """

    def make(books: Books) -> pl.DataFrame:
        kind, what = pl.col("amount_type").fill_null(""), pl.col("amount_description").fill_null("")
        price = what.is_in(["Principal", "PRINCIPAL", "principal"]) & ~kind.is_in(
            ["Promotion", "PROMOTION", "promotion"]
        )
        fee = (what == "Commission") | what.str.starts_with("FBA") | (what == "COMMISSION")
        item = ["order_id", "sku", "order_item_code"]
        units = pl.col("quantity").cast(pl.Int64)
        bare = pl.col("amount_type").is_null() & (units > 0)  # V1 writes the quantity on a row of its own
        lines = concerned_lines(books).lazy().filter("is_asked", price | fee | bare)
        # one settlement is one file and one currency, so their smallest value is their only one
        shipped = lines.group_by(*item, "settlement_id", "shipment_id", "posted_on").agg(
            pl.when(price).then(pl.col("amount")).sum().alias("principal"),
            pl.when(fee).then(pl.col("amount")).sum().alias("fees"),
            pl.when(price).then(units).max().alias("priced"),
            units.max().alias("any_units"),
            pl.when(price).then("line").min().alias("line"),
            pl.col("file", "currency").min(),
            pl.col("fulfillment_id").max(),
        )
        return (
            shipped.with_columns(PLACE.alias("place"))
            .group_by(*item, "currency")
            .agg(
                pl.col("principal").sum().cast(MONEY),
                pl.col("fees").sum().cast(MONEY),
                pl.when(pl.col("priced").is_not_null().any())
                .then(pl.col("priced").sum())
                .otherwise(pl.col("any_units").sum())
                .alias("units"),
                pl.col("place").min(),
                pl.col("fulfillment_id").max(),
                pl.col("posted_on").min(),
            )
            .sort(*item, "currency", nulls_last=True)
            .collect()
        )

    return once(books, "order_lines", make)


# --- returns ----------------------------------------------------------------------------------------------------


def customer_returns(books: Books) -> pl.DataFrame:
    """All rows of the returns report in a stable order; `grade` is the disposition folded, `why` the reason folded."""

    def make(books: Books) -> pl.DataFrame:
        columns = ["returned_on", "order_id", "sku", "asin", "fnsku", "quantity", "disposition", "reason", "status"]
        rows = books.frames["customer_returns"].select(*columns, "license_plate_number", "file", "line").collect()
        rows = rows.with_columns(fold("disposition").alias("grade"), fold("reason").alias("why"), PLACE.alias("place"))
        return rows.sort("returned_on", "order_id", "sku", "license_plate_number", "file", "line", nulls_last=True)

    return once(books, "returns", make)
