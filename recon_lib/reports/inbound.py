"""Inbound shipments as the Fulfillment Inbound API v0 tells them (JSON).

`getShipmentItems` answers hold `payload.ItemData[]` (SKU, shipped, received), `getShipments` answers hold
`payload.ShipmentData[]` (status); both may come in several pages, in one file or in several, one after the other or as
a list. An item names its shipment by `ShipmentId`; an item without one is rejected, for nothing ties it to a shipment.
The closing day is not in the API: `closed_on` stays null. Addresses are never read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from recon_lib import frames
from recon_lib.errors import ReportError
from recon_lib.reports.base import Report, Rows
from recon_lib.reports.json_lists import elements

_LISTS = ("ItemData", "ShipmentData")
# How far along a shipment is; the furthest state told counts, because downloads carry no date of their own.
_STATES = (
    "WORKING", "READY_TO_SHIP", "SHIPPED", "IN_TRANSIT", "DELIVERED", "CHECKED_IN", "RECEIVING", "CLOSED",
    "CANCELLED", "DELETED", "ERROR",
)  # fmt: skip
_ITEM = {
    "line": pl.UInt32, "shipment_id": pl.String, "status": pl.String, "closed_on": pl.Date, "sku": pl.String,
    "fnsku": pl.String, "quantity_shipped": pl.Int32, "quantity_received": pl.Int32,
}  # fmt: skip
_STATUS = {
    "line": pl.UInt32, "shipment_id": pl.String, "status": pl.String, "name": pl.String,
    "fulfillment_center": pl.String,
}  # fmt: skip
_REJECT = {"line": pl.UInt32, "column": pl.String, "value": pl.String, "reason": pl.String}


class _BadItem(Exception):
    def __init__(self, column: str, value: object, reason: str) -> None:
        super().__init__(reason)
        # Only a plain value is quoted: anything else could carry an address.
        self.column, self.reason = column, reason
        self.value = str(value)[:200] if isinstance(value, str | int | float) else None


@dataclass
class _Found:
    items: list[tuple[object, ...]] = field(default_factory=list)
    statuses: list[tuple[object, ...]] = field(default_factory=list)
    bad: list[tuple[object, ...]] = field(default_factory=list)


def is_inbound_json(head: bytes) -> bool:
    """Does the file begin like JSON and speak of shipment items or shipments?"""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text[:1] in (b"{", b"[") and any(f'"{name}"'.encode() in text for name in _LISTS)


def read_inbound_json(data: bytes) -> Rows:
    """The items and shipments of one file; `line` is the line on which the object begins.

    Raises ReportError where the bytes are no UTF-8 JSON or hold neither list.
    """
    text = _decoded(data)
    found, seen = _Found(), False
    line, counted = 1, 0
    for name, offset, value in elements(text, _LISTS):
        seen = True
        if value is None:
            continue
        line += text.count("\n", counted, offset)
        counted = offset
        try:
            if not isinstance(value, dict):
                raise _BadItem(name, value, "is no object")
            if name == "ItemData":
                found.items.append((line, *_item(value)))
            else:
                found.statuses.append((line, *_status(value)))
        except _BadItem as bad:
            found.bad.append((line, bad.column, bad.value, bad.reason))
    if not seen:
        raise ReportError(
            "JSON without ItemData and ShipmentData", hoped="the answer of getShipmentItems or getShipments (v0)"
        )
    statuses = _frame(found.statuses, _STATUS)
    items = with_status(_frame(found.items, _ITEM).lazy(), statuses.lazy()).collect().sort("line", maintain_order=True)
    told = {"inbound_shipments": items}
    if found.statuses:
        told["inbound_statuses"] = statuses
    return Rows(told, _frame(found.bad, _REJECT), "utf-8", "v0 JSON")


def with_status(items: pl.LazyFrame, statuses: pl.LazyFrame) -> pl.LazyFrame:
    """`items` with an empty status filled from the shipments' own records: the furthest state told of each shipment."""
    folded = pl.col("status").str.to_uppercase().str.replace_all(r"[\s_-]", "")  # the seller may write "Checked in"
    rank = folded.replace_strict(
        {name.replace("_", ""): number for number, name in enumerate(_STATES)}, default=-1, return_dtype=pl.Int32
    )
    furthest = (
        statuses.filter(pl.col("status").is_not_null())
        .select("shipment_id", pl.col("status").alias("told"), rank.alias("rank"))
        .sort("shipment_id", "rank", "told", descending=[False, True, False])
        .unique("shipment_id", keep="first", maintain_order=True)
        .drop("rank")
    )
    names = items.collect_schema().names()
    return (
        items.join(furthest, on="shipment_id", how="left", maintain_order="left")
        .with_columns(pl.coalesce("status", "told").alias("status"))
        .select(names)
    )


def with_told_elsewhere(items: pl.LazyFrame, told: pl.LazyFrame) -> pl.LazyFrame:
    """`items` with what all files (`told`) know of their shipment: the furthest status, and the day it closed.

    Of two records of an item the one with more units received stays, which is often Amazon's answer: it names no day.
    """
    closed = told.group_by("shipment_id").agg(pl.col("closed_on").max().alias("told_on"))
    names = items.collect_schema().names()
    items = with_status(items.with_columns(pl.lit(None, dtype=pl.String).alias("status")), told)
    items = items.join(closed, on="shipment_id", how="left", maintain_order="left")
    return items.with_columns(pl.coalesce("closed_on", "told_on").alias("closed_on")).select(names)


def _frame(rows: list[tuple[object, ...]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ReportError(f"JSON that is not UTF-8 (byte {problem.start})", hoped="UTF-8 JSON") from None


def _item(item: dict[str, Any]) -> tuple[object, ...]:
    return (
        _text(item, "ShipmentId", "the item names no shipment"),
        None,
        None,
        _text(item, "SellerSKU", "the item names no SKU"),
        _text(item, "FulfillmentNetworkSKU"),
        _units(item, "QuantityShipped"),
        _units(item, "QuantityReceived"),
    )


def _status(shipment: dict[str, Any]) -> tuple[object, ...]:
    return (
        _text(shipment, "ShipmentId", "the shipment has no id"),
        _text(shipment, "ShipmentStatus"),
        _text(shipment, "ShipmentName"),
        _text(shipment, "DestinationFulfillmentCenterId"),
    )


def _text(item: dict[str, Any], name: str, missing: str | None = None) -> str | None:
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise _BadItem(name, value, "is no text")
    text = (value or "").strip() or None
    if text is None and missing is not None:
        raise _BadItem(name, value, missing)
    return text


def _units(item: dict[str, Any], name: str) -> int:
    value = item.get(name)
    if value is None:
        raise _BadItem(name, value, "is missing: how many units is unknown")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise _BadItem(name, value, "is no number of units")
    return value


INBOUND_JSON = Report(
    family="inbound_shipments",
    title="Inbound shipments (v0 JSON)",
    frame=frames.InboundShipment,
    columns=(),
    signature=(),
    key=("shipment_id", "sku"),
    newest_by="quantity_received",  # downloads carry no date; receiving only goes forward
    sniff=is_inbound_json,
    read=read_inbound_json,
)

INBOUND = (INBOUND_JSON,)
