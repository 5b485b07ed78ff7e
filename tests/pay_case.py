"""Small Amazon Pay worlds written by hand: activity, settlement lines and windows as books of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from recon_lib import frames
from recon_lib.account import Account, PayFee
from recon_lib.books import FILE_SCHEMA, FRAMES, Books

ZONE = "America/Los_Angeles"
IDS = ("amazon_transaction_id", "seller_reference_id", "seller_order_id", "order_reference_id")
FEE = PayFee(
    currency="USD",
    valid_from=date(2020, 1, 1),
    percentage=Decimal("2.9"),
    fixed=Decimal("0.30"),
    dispute=Decimal("20.00"),
)
ALL_KEYS = ("AmazonTransactionId", "SellerReferenceId", "SellerOrderId", "AmazonOrderReferenceId")


def account(**changes: Any) -> Account:
    values: dict[str, Any] = {
        "account": "test", "marketplace": "US", "time_zone": ZONE, "currency": "USD", "currencies": ("USD",), "match_keys": ALL_KEYS,
        "pay_fees": (FEE,), "overdue_hours": 48, "bank_pattern": "AMAZON", "tolerances": {}, "lost_wait_days": 30, "auto_pay_days": 10,
        "settle_days": 21, "bank_days": 5, "restock_days": 10, "delay_days": 45,
    }  # fmt: skip
    return Account(**(values | changes))


def at(text: str) -> datetime:
    """`01-03 09:30` of 2026 in the account's zone."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def day_of(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(ZONE)).date()


def ids(text: str) -> dict[str, str | None]:
    """`C1 R1 O1 P1`, a dot for an unknown id; what is not written is unknown."""
    parts: list[str | None] = [None if part == "." else part for part in text.split()]
    return dict(zip(IDS, [*parts, None, None, None, None][:4], strict=True))


def did(text: str, amount: str, when: str, **changes: Any) -> dict[str, Any]:
    """An activity; a negative amount is a refund."""
    kind = "refund" if amount.startswith("-") else "capture"
    return ids(text) | {"activity_at": at(when), "kind": kind, "amount": Decimal(amount), "currency": "USD"} | changes


def fee_of(amount: Decimal) -> Decimal:
    """2.9 % half up + 0.30 on a capture, nothing on a refund: as the schedule of these tests has it."""
    if amount <= 0:
        return Decimal(0)
    return -((amount * Decimal("0.029")).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP") + Decimal("0.30"))


def settled(text: str, amount: str, when: str, **changes: Any) -> dict[str, Any]:
    """A settlement line; type, fee and net follow from the amount unless given."""
    money = Decimal(amount)
    values = ids(text) | {
        "posted_at": at(when), "settlement_id": "S1", "transaction_type": "Refund" if money < 0 else "Capture", "currency": "USD",
        "amount": money, "total_fee": fee_of(money),
    }  # fmt: skip
    values |= changes
    if values["transaction_type"] not in ("Capture", "Refund") and "total_fee" not in changes:
        values["total_fee"] = Decimal(0)
    values.setdefault("net_amount", values["amount"] + (values["total_fee"] or 0))
    return values


def window(start: str, end: str, file: str = "reports/pay.csv") -> dict[str, Any]:
    return {"start_at": at(start), "end_at": at(end), "file": file}


def _frame(rows: list[dict[str, Any]], schema: Any, file: str, limit: Any) -> pl.LazyFrame:
    numbered = [{"file": file, "line": n} | row for n, row in enumerate(rows, 2)]
    return pl.DataFrame(
        [row for row in numbered if limit(row)], schema=frames.empty(schema).schema, orient="row"
    ).lazy()


def books(
    activity: list[dict[str, Any]] | None,
    lines: list[dict[str, Any]],
    as_of: date,
    *,
    windows: list[dict[str, Any]] | None = None,
    **changes: Any,
) -> Books:
    """The books at the end of `as_of`; `activity` None: no such file. Without `windows` the settlements cover 2025-11 to 2026-12."""
    posted = [row | {"posted_on": day_of(row["posted_at"])} for row in lines]
    if windows is None:
        early, late = datetime(2025, 11, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
        windows = [{"start_at": early, "end_at": late, "file": "reports/pay.csv"}] if lines else []
    made = {name: frames.empty(schema).lazy() for name, schema in FRAMES.items()}
    made["pay_lines"] = _frame(posted, frames.PayLine, "reports/pay.csv", lambda row: row["posted_on"] <= as_of)
    made["pay_activity"] = _frame(
        activity or [], frames.PayActivity, "books/pay_activity.csv", lambda row: day_of(row["activity_at"]) <= as_of
    )
    made["pay_statements"] = _frame(
        windows, frames.PayStatement, "reports/pay.csv", lambda row: day_of(row["start_at"]) <= as_of
    )
    periods: dict[str, list[tuple[date, date]]] = {}
    if activity is not None:
        periods["pay_activity"] = []
    if lines:
        periods["pay_lines"] = periods["pay_statements"] = []
    none = pl.DataFrame(schema=FILE_SCHEMA)
    return Books(account(**changes), as_of, Path("."), made, none, frames.empty(frames.Reject), periods)


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]
