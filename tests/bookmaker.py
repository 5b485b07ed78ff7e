"""Books of a day from a few short rows, for tests of single audits: what is not said is empty."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from recon_lib import frames
from recon_lib.account import Account, load_account
from recon_lib.books import FILE_SCHEMA, FRAMES, Books
from recon_lib.merging import union_of_days

D = Decimal


def account(**changes: Any) -> Account:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "account.yml").write_text("account: test\nmarketplace: US\ncurrency: USD\n", encoding="utf-8")
        return load_account(folder).model_copy(update=changes)


def day(text: str) -> date:
    return date.fromisoformat(text)


def books(
    as_of: str, *, marketplace: str = "US", settings: dict[str, Any] | None = None, **families: list[dict]
) -> Books:
    """`families` name -> rows; a family that is given (even empty) is there and covers its rows' days."""
    made: dict[str, pl.LazyFrame] = {}
    periods, files = {}, []
    for family, schema in FRAMES.items():
        wanted = frames.empty(schema).schema
        rows = families.get(family)
        made[family] = frames.empty(schema).lazy()
        if rows is None:
            continue
        full = [
            {"file": f"reports/{family}.txt", "line": n + 2} | {k: v for k, v in row.items() if k in wanted}
            for n, row in enumerate(rows)
        ]
        frame = pl.DataFrame(
            [{name: row.get(name) for name in wanted} for row in full],
            schema={n: t if not t.is_decimal() else pl.Decimal(38, t.scale) for n, t in wanted.items()},
            orient="row",
            infer_schema_length=None,
        )
        made[family] = frame.lazy()
        spans = [p for row in rows if (p := row.get("period"))]
        periods[family] = union_of_days([(day(a), day(b)) for a, b in spans])
        files.append({"path": f"reports/{family}.txt", "family": family, "rows_used": len(rows)})
    if "settlements" in families:
        stated = [(r["start_on"], r["end_on"]) for r in families["settlements"]]
        periods["settlements"] = periods["settlement_lines"] = union_of_days(stated)
    table = pl.DataFrame([{n: f.get(n) for n in FILE_SCHEMA} for f in files], schema=FILE_SCHEMA, orient="row")
    return Books(
        account(marketplace=marketplace, **(settings or {})),
        day(as_of),
        Path("nowhere"),
        made,
        table,
        frames.empty(frames.Reject),
        periods,
    )


def event(
    on: str, quantity: int, reason: str = "M", *, fnsku: str = "X1", country: str | None = "US", **more: Any
) -> dict:
    """A ledger row; an adjustment where nothing else is said."""
    return {
        "event_on": day(on), "fnsku": fnsku, "sku": f"S-{fnsku}", "asin": f"B-{fnsku}", "event_type": "Adjustments",
        "quantity": quantity, "fulfillment_center": "FC1", "disposition": "SELLABLE", "reason": reason,
        "country": country, **more,
    }  # fmt: skip


def reimbursed(on: str, reason: str, units: int = 1, each: str = "10.00", *, fnsku: str = "X1", stock: int = 0,
               number: str = "R1", **more: Any) -> dict:  # fmt: skip
    """A reimbursement row of `units` in cash and `stock` units in stock."""
    return {
        "approved_on": day(on), "reimbursement_id": number, "reason": reason, "sku": f"S-{fnsku}", "fnsku": fnsku,
        "asin": f"B-{fnsku}", "currency": "USD", "amount_per_unit": D(each) if units else D(0),
        "amount_total": D(each) * units, "quantity_cash": units, "quantity_inventory": stock,
        "quantity_total": units + stock, **more,
    }  # fmt: skip


def settlement(number: str, start: str, end: str, total: str | None, *, currency: str = "USD", **more: Any) -> dict:
    """A settlement from noon of `start` to noon of `end`, paid two days later."""
    at = {k: datetime.fromisoformat(f"{v}T12:00:00").replace(tzinfo=UTC) for k, v in (("start", start), ("end", end))}
    return {
        "settlement_id": number, "start_at": at["start"], "start_on": day(start), "end_at": at["end"], "end_on": day(end),
        "deposit_on": day(end) + timedelta(days=2), "total_amount": None if total is None else D(total),
        "currency": currency, "layout": "V2", **more,
    }  # fmt: skip


def line(
    number: str, on: str, what: str, amount: str, *, kind: str = "Order", group: str = "ItemPrice", **more: Any
) -> dict:
    """A settlement line: transaction type `kind`, amount type `group`, amount description `what`."""
    return {
        "part": 0, "settlement_id": number, "transaction_type": kind, "amount_type": group, "amount_description": what,
        "amount": D(amount), "currency": "USD", "posted_on": day(on), **more,
    }  # fmt: skip


def paid_line(number: str, on: str, what: str, amount: str, **more: Any) -> dict:
    """A settlement line by which Amazon reimburses."""
    return line(number, on, what, amount, kind="other-transaction", group="FBA Inventory Reimbursement", **more)
