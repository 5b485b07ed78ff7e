"""Units on their way in: shipments that Amazon closed short."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from recon_lib.allocation import allocate
from recon_lib.audits import coverage
from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.evidence import PLACE, counted, findings, fold, not_checked, words
from recon_lib.audits.facts import ledger_rows, reimbursements
from recon_lib.audits.paid_units import paid_history, paid_pairs
from recon_lib.audits.stock_units import (
    Matched,
    reimbursed_units,
)
from recon_lib.books import Books
from recon_lib.kept import once
from recon_lib.policy import Policy

# A payment for a shipment may come before Amazon closes it, but not longer before than a shipment stays open.
_OPEN_DAYS = 180


def short_units(books: Books) -> Matched:
    """Short units of closed shipments against paid ones; `units` short, `event_on` the closing day."""

    def make(books: Books) -> Matched:
        losses = _shortages(books).filter(pl.col("event_on").is_not_null())
        losses = losses.with_columns(on=pl.col("event_on") - timedelta(days=_OPEN_DAYS)).sort(
            "event_on", "shipment_id", "sku"
        )
        credits = reimbursed_units(books, ["lostinbound", "damagedinbound"]).with_columns(paid_row="row")
        return Matched(losses, credits, allocate(losses, credits, by=["fnsku"]))

    return once(books, "short_units", make)


def _shipments(books: Books) -> pl.DataFrame:
    return books.frames["inbound_shipments"].collect().with_columns(PLACE.alias("place"), status=fold("status"))


def shipped_fnskus(books: Books) -> list[str]:
    """The FNSKUs of all shipments that are closed, short or not; by the SKU where the record leaves the FNSKU out."""
    closed = _shipments(books).filter(pl.col("status") == "closed")
    rows = closed.join(_fnsku_of_sku(books, closed["sku"].unique()), on="sku", how="left")
    return rows.select(pl.coalesce("fnsku", "known_fnsku"))["fnsku"].drop_nulls().unique().sort().to_list()


def _shortages(books: Books) -> pl.DataFrame:
    def make(books: Books) -> pl.DataFrame:
        closed = _shipments(books).filter(pl.col("status") == "closed")
        received = ledger_rows(books).filter(
            pl.col("type").is_in(["receipts", "receipt"]),
            pl.col("reference_id").is_in(closed["shipment_id"].drop_nulls().unique().implode()),
        )
        names = _fnsku_of_sku(books, closed["sku"].unique())
        return _shipped(closed, names, received.with_columns(PLACE.alias("place"))).filter(pl.col("units") > 0)

    return once(books, "shortages", make)


def inbound_shortage(books: Books, policy: Policy) -> AuditResult:
    """Units of closed shipments that never arrived and were not paid. One finding a shipment and SKU.

    Received is the larger of the shipment record and the ledger's receipts with its id. Payments carry no shipment id:
    they settle the shipment of the FNSKU that closed first.
    """
    still_open = _shipments(books).filter(pl.col("status").fill_null("") != "closed")
    undated = _shortages(books).filter(pl.col("event_on").is_null())
    matched = short_units(books)
    losses, found = matched.losses.with_row_index("loss"), matched.found
    pairs, paid = paid_pairs(found, matched.credits)
    out = (
        losses.with_columns(quantity=found.open_units)
        .filter(pl.col("quantity") > 0)
        .join(paid, on="loss", how="left", maintain_order="left")
        .with_columns(
            words("shipment_id", "sku", "told_fnsku").alias("fact"),
            pl.col("shipment_id").alias("reference_id"),
            pl.col("event_on").alias("anchor_on"),
            pl.concat_list("places", "receipt_places", pl.col("paid_places").fill_null([])).alias("lines"),
            pl.format(
                "{} shipped − {} received − {} paid = {}",
                "shipped",
                "received",
                pl.col("paid").fill_null(0),
                counted("quantity", "unit"),
            ).alias("arithmetic"),
            *coverage.first_reason(coverage.missing(books, "reimbursements", pl.col("event_on"))),
        )
    )
    name = "inbound_shortage"
    notes = [(name, "shipments not closed", "only a closed shipment is final", still_open["shipment_id"].n_unique())]
    notes += [
        (name, f"shipment {s}", "closed on an unknown day", int(u))
        for s, u in undated.select("shipment_id", "units").rows()
    ]
    left = int(found.left_units.sum() or 0)
    notes += [
        (name, "reimbursed units without an open shortage", "no closed shipment in the books is short of them", left)
    ]
    return AuditResult(
        findings(out, name, claim_type="shipment_to_amazon", value_basis="before_order"),
        paid_history(books, name, pairs.join(losses.select("loss", "event_on", "sku"), on="loss", suffix="_of_loss")),
        not_checked(n for n in notes if n[3]),
    )


def _fnsku_of_sku(books: Books, skus: pl.Series) -> pl.DataFrame:
    """`sku`, `known_fnsku`: by the products file, else by ledger and reimbursements, which may know older labels too."""
    asked = pl.col("sku").is_in(skus.implode())
    named = books.frames["products"].filter(asked).select("sku", "fnsku").drop_nulls().collect()
    seen = [
        frame.filter(asked).select("sku", "fnsku").drop_nulls() for frame in (ledger_rows(books), reimbursements(books))
    ]
    known = [rows.group_by("sku").agg(pl.col("fnsku").min().alias("known_fnsku")) for rows in (named, pl.concat(seen))]
    return pl.concat(known).unique("sku", keep="first", maintain_order=True)


def _shipped(closed: pl.DataFrame, names: pl.DataFrame, receipts: pl.DataFrame) -> pl.DataFrame:
    """One row a closed shipment and SKU: `shipped`, `received`, `units` short, places of both sides, `event_on`."""
    rows = closed.join(names, on="sku", how="left").with_columns(
        told_fnsku="fnsku", fnsku=pl.coalesce("fnsku", "known_fnsku")
    )
    rows = rows.group_by("shipment_id", "sku", "fnsku").agg(
        pl.col("told_fnsku").min(),  # names the finding: what other reports know of the SKU may change
        pl.col("quantity_shipped").cast(pl.Int64).sum().alias("shipped"),
        pl.col("quantity_received").cast(pl.Int64).sum().alias("recorded"),
        pl.col("closed_on").max(),
        pl.col("place").sort().alias("places"),
    )

    def arrived(key: str) -> pl.DataFrame:
        known = receipts.filter(pl.col(key).is_not_null())
        return known.group_by(pl.col("reference_id").alias("shipment_id"), key).agg(
            pl.col("quantity").cast(pl.Int64).sum().alias(f"arrived_{key}"),
            pl.col("place").sort().alias(f"places_{key}"),
        )

    last = receipts.group_by(pl.col("reference_id").alias("shipment_id")).agg(
        pl.col("event_on").max().alias("last_receipt")
    )
    rows = rows.join(arrived("fnsku"), on=["shipment_id", "fnsku"], how="left")
    rows = rows.join(arrived("sku"), on=["shipment_id", "sku"], how="left").join(last, on="shipment_id", how="left")
    # where several SKUs of a shipment share an FNSKU, the ledger's SKU says whose units came
    product = ["shipment_id", "fnsku"]
    by_sku = (
        (pl.len().over(product) > 1)
        & pl.col("fnsku").is_not_null()
        & pl.col("arrived_sku").is_not_null().any().over(product)
    )
    return rows.with_columns(
        received=pl.max_horizontal(
            "recorded", pl.when(by_sku).then("arrived_sku").otherwise(pl.coalesce("arrived_fnsku", "arrived_sku"))
        ),
        receipt_places=pl.when(by_sku)
        .then("places_sku")
        .otherwise(pl.coalesce("places_fnsku", "places_sku"))
        .fill_null([]),
        event_on=pl.coalesce("closed_on", "last_receipt"),
    ).with_columns(units=pl.col("shipped") - pl.col("received"))


AUDITS = (Audit(("inbound_shortage",), ("inbound_shipments", "ledger_detail", "reimbursements"), inbound_shortage),)
