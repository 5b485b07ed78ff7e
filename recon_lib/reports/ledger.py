"""Inventory ledger, detail and summary: GET_LEDGER_DETAIL_VIEW_DATA and GET_LEDGER_SUMMARY_VIEW_DATA.

Quoted tab files from Seller Central (14 to 16 and 21 to 22 columns), names with or without blanks.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from recon_lib import frames
from recon_lib.reports.base import Column, Report


def _event_time(rows: pl.LazyFrame, facts: Mapping[str, str]) -> pl.LazyFrame:
    """`Date and Time` is midnight of the day in most files: that is no time, so only a real one becomes `event_at`."""
    midnight = pl.col("time_written").str.contains(r"[T ]0{1,2}:00:00", literal=False)
    return rows.with_columns(event_at=pl.when(~midnight).then(pl.col("clock_at")))


LEDGER_DETAIL = Report(
    family="ledger_detail",
    title="FBA inventory ledger, detail",
    frame=frames.LedgerEvent,
    columns=(
        Column("event_on", ("Date",), "day", required=True),
        Column("fnsku", ("FNSKU",), required=True),
        Column("asin", ("ASIN",)),
        Column("sku", ("MSKU",)),
        Column("title", ("Title",)),
        Column("event_type", ("Event Type",), required=True),
        Column("reference_id", ("Reference ID",)),
        Column("quantity", ("Quantity",), "int", required=True),
        Column("fulfillment_center", ("Fulfillment Center",)),
        Column("disposition", ("Disposition",)),
        Column("reason", ("Reason",)),
        Column("country", ("Country",)),
        Column("reconciled_quantity", ("Reconciled Quantity",), "int"),
        Column("unreconciled_quantity", ("Unreconciled Quantity",), "int"),
        Column("clock", ("Date and Time",), "instant"),
        Column("time_written", ("Date and Time",)),
        Column("store", ("Store",)),
    ),
    signature=("FNSKU", "Event Type", "Reference ID", "Quantity", "Disposition", "Fulfillment Center"),
    # Title, store and the two reconciled numbers change later; the time tells no more than the day, in any zone.
    key=(
        "event_on", "fnsku", "asin", "sku", "event_type", "reference_id", "quantity", "fulfillment_center",
        "disposition", "reason", "country",
    ),
    quoted=True,
    period="event_on",
    finish=_event_time,
)  # fmt: skip

LEDGER_SUMMARY = Report(
    family="ledger_summary",
    title="FBA inventory ledger, summary",
    frame=frames.LedgerBalance,
    columns=(
        Column("day_on", ("Date",), "day", required=True),
        Column("fnsku", ("FNSKU",), required=True),
        Column("asin", ("ASIN",)),
        Column("sku", ("MSKU",)),
        Column("title", ("Title",)),
        Column("disposition", ("Disposition",)),
        Column("starting_balance", ("Starting Warehouse Balance",), "int", required=True),
        Column("in_transit", ("In Transit Between Warehouses",), "int"),
        Column("receipts", ("Receipts",), "int", required=True),
        Column("customer_shipments", ("Customer Shipments",), "int", required=True),
        Column("customer_returns", ("Customer Returns",), "int", required=True),
        Column("vendor_returns", ("Vendor Returns",), "int", required=True),
        Column("transfers", ("Warehouse Transfer In/Out",), "int", required=True),
        Column("found", ("Found",), "int", required=True),
        Column("lost", ("Lost",), "int", required=True),
        Column("damaged", ("Damaged",), "int", required=True),
        Column("disposed", ("Disposed",), "int", required=True),
        Column("other_events", ("Other Events",), "int", required=True),
        Column("ending_balance", ("Ending Warehouse Balance",), "int", required=True),
        Column("unknown_events", ("Unknown Events",), "int"),
        Column("location", ("Location",)),
        Column("store", ("Store",)),
    ),
    signature=("FNSKU", "Disposition", "Starting Warehouse Balance", "Receipts", "Ending Warehouse Balance"),
    key=("day_on", "fnsku", "sku", "disposition", "location"),
    quoted=True,
    period="day_on",
)
