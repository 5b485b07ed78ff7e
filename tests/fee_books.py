"""Small books for the fee and claim tests: rows written by hand, everything else empty."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dataframely as dy
import polars as pl

from recon_lib import frames
from recon_lib.books import FRAMES, Books

STORE_OF = {
    "US": ("Amazon.com", "USD"),
    "UK": ("Amazon.co.uk", "GBP"),
    "DE": ("Amazon.de", "EUR"),
    "JP": ("Amazon.co.jp", "JPY"),
}


def rows(schema: type[dy.Schema], given: list[dict[str, Any]]) -> pl.DataFrame:
    """`given` as a frame of the schema; what is not given is null, `file` and `line` are numbered."""
    types = frames.empty(schema).schema
    filled = [{"file": "f.txt", "line": i + 2} | row for i, row in enumerate(given)]
    whole = [{name: _typed(row.get(name), kind) for name, kind in types.items()} for row in filled]
    return pl.DataFrame(whole, schema=types, orient="row")


def _typed(value: Any, kind: pl.DataType) -> Any:
    return Decimal(str(value)) if isinstance(kind, pl.Decimal) and value is not None else value


def books(
    as_of: date = date(2025, 6, 30), marketplace: str = "US", *, cep_enrolled: bool | None = None, **given: Any
) -> Books:
    """Books of `as_of` with the families given (lists of rows); a family that is not given has no file."""
    account = SimpleNamespace(
        marketplace=marketplace, currency=STORE_OF.get(marketplace, ("", "EUR"))[1], cep_enrolled=cep_enrolled,
        auto_pay_days=10, lost_wait_days=30, settle_days=21, restock_days=10,
    )  # fmt: skip
    held = {name: rows(schema, given.get(name, [])).lazy() for name, schema in FRAMES.items()}
    empty = pl.DataFrame()
    return Books(account, as_of, Path(), held, empty, empty, {name: [(date(2020, 1, 1), as_of)] for name in given})  # type: ignore[arg-type]


def sale(
    order: str, day: date, sku: str, *, units: int = 1, price: str = "20.00", commission: str | None = None,
    fulfilment: str | None = None, shipping: str | None = None, promotion: str | None = None, tax: str | None = None,
    kind: str = "Order", marketplace: str = "US", store: str | None = None, adjustment: str | None = None, kept: str | None = None,
    settlement: str = "S1", start: int = 100,
) -> list[dict[str, Any]]:  # fmt: skip
    """The settlement lines of one order item (or refund): money as it stands in the report, `price` for all units."""
    name, currency = STORE_OF[marketplace]
    parts = [
        ("ItemPrice", "Principal", price), ("ItemPrice", "Tax", tax), ("ItemPrice", "Shipping", shipping),
        ("Promotion", "Principal", promotion), ("ItemFees", "Commission", commission),
        ("ItemFees", "FBAPerUnitFulfillmentFee", fulfilment), ("ItemFees", "RefundCommission", kept),
    ]  # fmt: skip
    parts = [part for part in parts if part[2] is not None]
    return [
        {
            "file": f"{settlement}.txt", "line": start + i, "part": 0, "settlement_id": settlement, "transaction_type": kind,
            "order_id": order, "adjustment_id": adjustment, "shipment_id": f"SH{order}" if kind == "Order" else None,
            "marketplace_name": store or name, "amount_type": group, "amount_description": what, "amount": amount,
            "currency": currency, "posted_on": day, "order_item_code": f"I{order}", "sku": sku,
            "quantity": units if kind == "Order" else None,
        }
        for i, (group, what, amount) in enumerate(parts)
    ]  # fmt: skip


def preview(
    sku: str, sides: tuple[str, str, str], weight: str, unit: str = "inches", weight_unit: str = "pounds", **more: Any
) -> dict[str, Any]:
    """One fee preview row: Amazon's own measure of a SKU."""
    a, b, c = sides
    return {
        "file": "preview.txt", "line": 2, "sku": sku, "asin": f"A-{sku}", "fnsku": f"X-{sku}", "longest_side": a, "median_side": b,
        "shortest_side": c, "dimension_unit": unit, "package_weight": weight, "weight_unit": weight_unit, "currency": "USD",
    } | more  # fmt: skip


def product(sku: str, category: str | None = None, sides: tuple[str, str, str] | None = None, weight: str | None = None,
            unit: str = "in", weight_unit: str = "lb", **more: Any) -> dict[str, Any]:  # fmt: skip
    """One products row: category and the seller's own measure."""
    a, b, c = sides or (None, None, None)
    return {
        "file": "books/products.csv", "line": 2, "sku": sku, "asin": f"A-{sku}", "fnsku": f"X-{sku}", "category": category,
        "longest_side": a, "median_side": b, "shortest_side": c, "dimension_unit": unit if sides else None, "weight": weight,
        "weight_unit": weight_unit if weight else None,
    } | more  # fmt: skip
