"""Units on their way out or into the bin: disposals and removals."""

from __future__ import annotations

import polars as pl

from recon_lib.allocation import allocate
from recon_lib.audits import coverage
from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.evidence import PLACE, counted, findings, fold, not_checked, occurrence, settled, words
from recon_lib.audits.paid_units import paid_history, paid_pairs
from recon_lib.audits.payouts import settled_on
from recon_lib.audits.settled_facts import paid_lines
from recon_lib.audits.stock_units import (
    DISPOSED,
    Matched,
    damaged_units,
    fact_of_event,
    ledger_events,
    lost_units,
    reimbursed_units,
)
from recon_lib.books import Books
from recon_lib.money import MONEY, RATE, round_money_expr
from recon_lib.policy import Policy


def disposed_without_order(books: Books, policy: Policy) -> AuditResult:
    """Sellable units that Amazon destroyed without a disposal order of the seller. One finding a ledger row.

    Orders cover disposals from their request day on, oldest first, of their own condition first. A payment for lost or
    damaged units that met no loss of its own settles the rest.
    """
    name = "disposed_without_order"
    gone = ledger_events(books, DISPOSED).filter(pl.col("quantity") < 0).drop("on").with_columns(on=pl.col("event_on"))
    gone = gone.with_columns(kind=_kind(pl.col("disposition")))
    orders = books.frames["removal_orders"].collect().with_columns(PLACE.alias("place"))
    orders = orders.filter(fold("order_type") == "disposal").with_columns(
        kind=_kind(pl.col("disposition")),
        on=pl.col("requested_on"),
        units=pl.max_horizontal(pl.col("requested_quantity").cast(pl.Int64) - pl.col("cancelled_quantity"), 0),
    )
    orders = orders.sort("on", "order_id", "fnsku", "disposition", "place", nulls_last=True)
    own = allocate(orders, gone, by=["fnsku", "kind"])
    any_kind = allocate(
        orders.with_columns(units=own.open_units), gone.with_columns(units=own.left_units), by=["fnsku"]
    )
    covered = pl.concat([own.pairs, any_kind.pairs]).join(orders.select("place").with_row_index("loss"), on="loss")
    covered = covered.group_by("credit").agg(order_places=pl.col("place").unique().sort())
    gone = gone.with_row_index("credit").join(covered, on="credit", how="left", maintain_order="left").drop("credit")
    losses = gone.with_columns(left=any_kind.left_units).filter(pl.col("kind") == "sellable", pl.col("left") > 0)
    ordered = (pl.col("units") - pl.col("left")).alias("ordered")
    losses = losses.with_columns(ordered).with_columns(units="left").with_row_index("loss")
    spare = pl.concat([_spare(damaged_units(books)), _spare(lost_units(books))]).sort("on", "paid_row")
    found = allocate(losses, spare, by=["fnsku"])
    pairs, paid = paid_pairs(found, spare)
    out = (
        losses.with_columns(open=found.open_units)
        .filter(pl.col("open") > 0)
        .join(paid, on="loss", how="left", maintain_order="left")
        .with_columns(
            fact_of_event(),
            pl.concat_list("place", pl.col("order_places").fill_null([]), pl.col("paid_places").fill_null([])).alias(
                "lines"
            ),
            pl.format(
                "{} sellable disposed of − {} ordered − {} paid = {}",
                pl.col("units") + pl.col("ordered"),
                "ordered",
                pl.col("paid").fill_null(0),
                counted("open", "unit"),
            ).alias("arithmetic"),
            *coverage.first_reason(
                coverage.missing(books, "removal_orders", pl.col("event_on"), pl.col("event_on")),
                coverage.missing(books, "reimbursements", pl.col("event_on")),
            ),
            anchor_on="event_on",
        )
        .with_columns(quantity="open")
    )
    history = pairs.join(losses.select("loss", "event_on", "sku"), on="loss", suffix="_of_loss").rename(
        {"paid_row": "row"}
    )
    return AuditResult(
        findings(out, name, claim_type="fc_lost_or_damaged", value_basis="before_order"),
        paid_history(books, name, history),
    )


def _kind(disposition: pl.Expr) -> pl.Expr:
    return (
        pl.when(disposition.fill_null("sellable").str.to_lowercase() == "sellable")
        .then(pl.lit("sellable"))
        .otherwise(pl.lit("unsellable"))
    )


def _spare(matched: Matched) -> pl.DataFrame:
    """Paid units that met no loss; `before`: units of the same payment that did."""
    left = matched.credits.with_columns(
        units=matched.found.left_units,
        before=pl.col("before") + pl.col("units").cast(pl.Int64) - matched.found.left_units,
    )
    return left.filter(pl.col("paid_row").is_not_null(), pl.col("units") > 0).select(
        "fnsku", "on", "units", "place", "paid_row", "before"
    )


def removal_short(books: Books, policy: Policy) -> AuditResult:
    """Units of return removals that did not arrive by the seller's own count. One finding a removal shipment line."""
    name = "removal_short"
    if not books.has("removal_receipts"):
        return AuditResult()  # said as an absent report
    parcels, unknown = _parcels(books)
    receipts = books.frames["removal_receipts"].collect().with_columns(PLACE.alias("place"))
    sent = parcels.select("order_id", "fnsku", "tracking_number").unique().with_columns(is_known=pl.lit(True))
    receipts = (
        receipts.sort("received_on", "order_id", "fnsku", "tracking_number", "place", nulls_last=True)
        .join(sent, on=["order_id", "fnsku", "tracking_number"], how="left", maintain_order="left")
        # a tracking number that was never sent is a slip of the pen: the units arrived for the order
        .with_columns(tracking_number=pl.when("is_known").then("tracking_number"), on=pl.lit(books.as_of))
        .with_columns(units=pl.col("quantity_received").cast(pl.Int64))
    )
    arrived = allocate(parcels, receipts, by=["order_id", "fnsku"], within="tracking_number")
    # more than a parcel held was counted with it: the units of another parcel of the order
    receipts = receipts.with_columns(units=arrived.left_units)
    more = allocate(parcels.with_columns(units=arrived.open_units), receipts, by=["order_id", "fnsku"])
    places = pl.concat([arrived.pairs, more.pairs]).join(receipts.select("place").with_row_index("credit"), on="credit")
    places = places.group_by("loss").agg(
        pl.col("units").sum().alias("arrived"), pl.col("place").unique().sort().alias("arrived_places")
    )
    losses = parcels.with_columns(units=more.open_units).with_row_index("loss").join(places, on="loss", how="left")
    losses = losses.sort("loss")
    credits = _removal_payments(books, parcels)
    found = allocate(losses, credits, by=["fnsku"], within="order_id")
    pairs, paid = paid_pairs(found, credits)
    out = (
        losses.with_columns(quantity=found.open_units)
        .filter(pl.col("quantity") > 0)
        .join(paid, on="loss", how="left", maintain_order="left")
        .with_columns(
            words("order_id", "tracking_number", "fnsku", "disposition", "on", "shipped_quantity", "occurrence").alias(
                "fact"
            ),
            pl.col("on").alias("event_on"),
            pl.col("on").alias("anchor_on"),
            pl.col("order_id").alias("reference_id"),
            pl.lit(None, pl.String).alias("order_id"),
            pl.concat_list("place", pl.col("arrived_places").fill_null([]), pl.col("paid_places").fill_null([])).alias(
                "lines"
            ),
            pl.format(
                "{} shipped − {} arrived − {} paid = {} (parcel {}); valued before an order, which no source settles: uncertain",
                "shipped_quantity",
                pl.col("arrived").fill_null(0),
                pl.col("paid").fill_null(0),
                counted("quantity", "unit"),
                pl.col("tracking_number").fill_null("without number"),
            ).alias("arithmetic"),
            *coverage.first_reason(coverage.missing(books, "reimbursements", pl.col("on"))),
        )
    )
    notes = (
        [(name, "removal shipments of unknown type", "return, disposal or liquidation is not told", unknown)]
        if unknown
        else []
    )
    pairs = pairs.join(losses.select("loss", event_on="on", sku="sku"), on="loss", suffix="_of_loss")
    return AuditResult(
        findings(out, name, claim_type="removal_lost_in_transit", value_basis="before_order"),
        pl.concat([paid_history(books, name, pairs), _settled_alone(pairs)]),
        not_checked(notes),
    )


def _parcels(books: Books) -> tuple[pl.DataFrame, int]:
    """Removal shipment lines of type Return with `on`, `units`, `occurrence`; and how many lines have no known type."""
    rows = books.frames["removal_shipments"].collect().with_columns(PLACE.alias("place"))
    types = books.frames["removal_orders"].select("order_id", ordered_as="order_type").unique("order_id").collect()
    rows = rows.join(types, on="order_id", how="left").with_columns(
        kind=pl.coalesce(fold("removal_order_type"), fold("ordered_as"))
    )
    key = ["shipped_on", "order_id", "tracking_number", "fnsku", "disposition", "shipped_quantity"]
    back = rows.filter(pl.col("kind") == "return").sort([*key, "place"], nulls_last=True)
    back = back.with_columns(occurrence(key), on=pl.col("shipped_on"), units=pl.col("shipped_quantity").cast(pl.Int64))
    return back, rows["kind"].null_count()


def _removal_payments(books: Books, parcels: pl.DataFrame) -> pl.DataFrame:
    """Payments for removals: by FNSKU, for their order where one of the removals is named; also lines only settled."""
    ours = parcels["order_id"].unique().to_list()
    told = reimbursed_units(books, ["removalorderlost", "lostoutbound"])
    told = told.filter((pl.col("why") == "removalorderlost") | pl.col("order_id").is_in(ours))
    named = pl.when(pl.col("order_id").is_in(ours)).then(pl.col("order_id")).alias("order_id")
    told = told.select("fnsku", named, "on", "units", "place", "row")
    seen = settled_on(books)["lines"].explode(empty_as_null=True, keep_nulls=True).drop_nulls().to_list()
    only_settled = (
        paid_lines(books)
        .filter(pl.col("why") == "removalorderlost", pl.col("amount") > 0, ~pl.col("place").is_in(seen))
        .join(parcels.select("sku", "fnsku").drop_nulls().unique("sku"), on="sku")
        .select(
            "fnsku",
            named,
            pl.col("posted_on").alias("on"),
            pl.col("quantity").fill_null(1).cast(pl.Int64).alias("units"),
            "place",
            pl.lit(None, pl.UInt32).alias("row"),
            each=(pl.col("amount").cast(RATE) / pl.max_horizontal(pl.col("quantity").fill_null(1), 1).cast(RATE)).cast(
                MONEY
            ),
            currency="currency",
        )
        .filter(pl.col("on").is_not_null(), pl.col("units") > 0)
    )
    return pl.concat([told, only_settled], how="diagonal").sort("on", "place")


def _settled_alone(pairs: pl.DataFrame) -> pl.DataFrame:
    """History of units that only a settlement line paid."""
    alone = pairs.filter(pl.col("row").is_null())
    amount = (pl.col("each").cast(RATE) * pl.col("units").cast(RATE)).cast(MONEY)
    alone = alone.with_columns(quantity="units", paid_on="on", settled_on="on", amount=round_money_expr(amount))
    return settled(alone.sort("event_on", "on", "order_id", "sku", nulls_last=True), "removal_short")


AUDITS = (
    Audit(("disposed_without_order",), ("ledger_detail", "removal_orders", "reimbursements"), disposed_without_order),
    Audit(("removal_short",), ("removal_shipments", "removal_receipts", "reimbursements"), removal_short),
)
