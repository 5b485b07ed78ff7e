"""A day made by hand, for the tests of what people see. Every number in it can be added up in the head."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl

from recon_lib import frames
from recon_lib.books import FILE_SCHEMA
from recon_lib.bridge import Earlier, compare
from recon_lib.cases import Decisions
from recon_lib.money import MONEY
from recon_lib.outputs import MATCHES, OPEN_ITEMS, ROLLFORWARD, write_day

AS_OF = date(2026, 1, 31)
# What a hostile report can hold: markup, a script end, a formula, an entity, an event handler, direction marks.
HOSTILE = (
    "<script>window.bad=1</script>", "</script><img src=x onerror=window.bad=1>", '"><svg onload=window.bad=1>',
    "=1+1", "&lt;b&gt;", "<b>fat</b>", '<a href="javascript:window.bad=1">x</a>', "a\u202eb", "{{ 7*7 }}", "%{x}", "$\\pi$",
    "<!--", "]]>", "https://evil.example/x.js",
)  # fmt: skip


def finding(audit: str = "warehouse_lost", status: str = "claimable", **cells: Any) -> dict[str, Any]:
    base: dict[str, Any] = dict.fromkeys(frames.Finding.column_names())
    number = cells.pop("n", 1)
    base.update(
        finding_id=f"{audit}-{number:016x}", audit=audit, status=status, event_on=date(2026, 1, 5), claim_from=date(2026, 1, 5),
        claim_by=date(2026, 2, 3), reference_id="7000000001", sku="SKU-1", fnsku="X000000001", quantity=2,
        unit_value=Decimal("7.20"), owed=Decimal("14.40"), currency="USD", value_basis="before_order",
        evidence="reports/ledger.csv:12; 3 lost − 1 found = 2 units × 7.20 = 14.40; claim_windows line 7: US fc_lost_or_damaged from 2024-11-01",
    )  # fmt: skip
    return base | cells


def findings(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=frames.Finding.create_empty().schema, orient="row")


ROWS = [
    finding(n=1),  # 14.40, last day 2026-02-03
    finding(n=2, claim_by=date(2026, 2, 10), owed=Decimal("100.00"), unit_value=Decimal("50.00")),
    finding(n=3, claim_by=date(2026, 3, 30), owed=Decimal("5.05"), quantity=1, unit_value=Decimal("5.05"), event_on=date(2026, 1, 20)),
    finding("refund_without_return", "waiting", n=4, claim_by=date(2026, 4, 1), owed=Decimal("42.66"), order_id="111-1", quantity=1),
    finding("inbound_shortage", n=5, owed=None, unit_value=None, reason="no cost known", claim_by=date(2026, 2, 6)),
    finding("settlement_out_of_balance", "open", n=6, owed=Decimal("1.00"), claim_by=None, claim_from=None, quantity=None),
    finding("return_wrong_item", "review", n=7, owed=None, unit_value=None, claim_by=None),
    finding("storage_fee_overcharge", "expired", n=8, owed=Decimal("9.99"), claim_by=date(2026, 1, 30), event_on=date(2025, 11, 30)),
    finding("referral_fee_error", n=9, owed=Decimal("20.00"), currency="CAD", claim_by=date(2026, 2, 14), order_id="222-2"),
]  # fmt: skip


def make_day(
    rows: list[dict[str, Any]] | None = None, *, folder: Path | None = None, last: Earlier | None = None
) -> Any:
    """A day of these findings; claimable: 119.45 USD, 20.00 CAD and one unknown.

    A file reports/late.csv in `folder` brings one finding more (1.00 USD), as a late download would. `last`: what the last packet published.
    """
    late = folder / "reports" / "late.csv" if folder and (folder / "reports" / "late.csv").is_file() else None
    rows = ROWS if rows is None else rows
    found = findings([*rows, finding(n=999, owed=Decimal("1.00"))] if late else rows)
    account = SimpleNamespace(
        account="stand-in", marketplace="US", time_zone="America/Los_Angeles", currency="USD", delay_days=45,
        model_dump=lambda mode: {"account": "stand-in"},
    )  # fmt: skip
    file = {
        "path": "reports/ledger.csv", "family": "ledger_detail", "title": "Inventory ledger", "layout": "v1", "sha256": "0" * 64,
        "encoding": "utf-8", "rows_total": 100, "rows_used": 98, "rows_rejected": 2, "rows_repeated": 10, "rows_after": 5,
        "period_from": date(2025, 11, 1), "period_to": AS_OF, "totals": "", "notes": "",
    }  # fmt: skip
    books = SimpleNamespace(
        account=account, as_of=AS_OF, folder=folder, has=lambda family: False, files=pl.DataFrame([file, *_late(file, late)], schema=FILE_SCHEMA),
        rejects=pl.DataFrame(
            [{"file": "reports/ledger.csv", "line": 7, "column": "Quantity", "value": "NaN", "reason": "not a whole number"}],
            schema=frames.Reject.create_empty().select("file", "line", "column", "value", "reason").schema,
        ),
    )  # fmt: skip
    money = {name: MONEY for name in ROLLFORWARD if name.endswith("_amount")}
    lines = {name: pl.Int64 for name in ROLLFORWARD if name.endswith("_lines")}
    rolled = pl.DataFrame(
        [[AS_OF, "USD", 3, Decimal(30), 4, Decimal(40), 5, Decimal(55), 2, Decimal(15), 0, Decimal(0)]],
        schema={name: (money | lines).get(name, pl.String) for name in ROLLFORWARD} | {"date": pl.Date}, orient="row",
    )  # fmt: skip
    at = datetime(2026, 1, 28, 8, tzinfo=UTC)
    items = pl.DataFrame(
        [
            [at, "capture", "S01-1", "ref-1", "1001", None, Decimal(10), "USD", Decimal("95.0"), True],
            [at + timedelta(days=3), "capture", "S01-2", "ref-2", "1002", None, Decimal(5), "USD", Decimal("23.0"), False],
        ],
        schema=dict(zip(OPEN_ITEMS, [pl.Datetime("us", "UTC"), *[pl.String] * 5, MONEY, pl.String, pl.Decimal(12, 1), pl.Boolean],
                        strict=True)), orient="row",
    )  # fmt: skip
    history = pl.DataFrame(
        [
            {"audit": "warehouse_lost", "event_on": date(2025, 11, day), "paid_on": date(2025, 12, 20), "settled_on": date(2025, 12, 27),
             "quantity": 1, "amount": Decimal("7.20"), "currency": "USD", "sku": "SKU-1", "fnsku": "X1", "order_id": None,
             "reimbursement_id": str(day)}
            for day in (1, 10, 20)
        ],
        schema=frames.SettledEvent.create_empty().schema,
    )  # fmt: skip
    settlements = pl.DataFrame(
        {
            "settlement_id": ["1", "2"], "start_on": [date(2026, 1, 1)] * 2, "end_on": [date(2026, 1, 15)] * 2,
            "deposit_on": [date(2026, 1, 17)] * 2, "currency": ["USD"] * 2, "lines": [10, 3],
            "lines_amount": [Decimal(50), Decimal(20)], "total_amount": [Decimal(50), Decimal(19)],
            "difference": [Decimal(0), Decimal(1)],
        }
    ).with_columns(pl.col("lines_amount", "total_amount", "difference").cast(MONEY))  # fmt: skip
    journal = pl.DataFrame(
        {"date": [AS_OF] * 2, "account": ["undisbursed cash", "accounts receivable"], "debit": [Decimal(55), None],
         "credit": [None, Decimal(55)], "currency": ["USD"] * 2, "reference": ["S01-0"] * 2}
    ).with_columns(pl.col("debit", "credit").cast(MONEY))  # fmt: skip
    unchecked = pl.DataFrame(
        [{"audit": "removal_short", "subject": "books/removal_receipts.csv", "reason": "no such file", "count": None}],
        schema=frames.NotChecked.create_empty().schema,
    )  # fmt: skip
    matches = pl.DataFrame(schema=dict.fromkeys(MATCHES, pl.String))
    known = (
        found.filter(pl.col("status") == "claimable", pl.col("owed").is_not_null())
        .group_by("currency")
        .agg(pl.col("owed").sum())
    )
    day = SimpleNamespace(
        decisions=Decisions(), books=books, findings=found, open_items=items, rollforward=rolled, history=history, not_checked=unchecked,
        settlements=settlements, journal=journal, matches=matches, control_totals=lambda: {"findings": found.height},
        policy=SimpleNamespace(
            tables={"windows": pl.DataFrame({"table": ["claim_windows"], "table_line": [7], "row": ["claim_windows line 7: US"]})}
        ),
        pay=SimpleNamespace(lines_by_type=pl.DataFrame({
            "transaction_type": ["Transfer"], "currency": ["USD"], "lines": [1], "amount": [Decimal("-55.00")], "is_known": [True],
        }), control_totals={"USD": {
            "activity": {"lines": 7, "amount": "70.00", "matched": {"lines": 5, "amount": "55.00"}, "open": {"lines": 2, "amount": "15.00"}},
            "settlement": {"lines": 6, "amount": "0.00", "matched": {"lines": 5, "amount": "55.00"}, "other": {"lines": 1, "amount": "-55.00"}},
        }}),
        owed=lambda *_: dict(known.sort("currency").iter_rows()),
    )  # fmt: skip
    day.changes = compare(found, last, history, "USD")
    day.save = lambda folder: write_day(day, Path(folder))
    return day


def _late(like: dict[str, Any], path: Path | None) -> list[dict[str, Any]]:
    if path is None:
        return []
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return [like | {"path": "reports/late.csv", "sha256": digest}]


def many(count: int) -> list[dict[str, Any]]:
    """`count` findings over ten audits, each with evidence of an ordinary length."""
    audits = [*sorted({row["audit"] for row in ROWS}), "return_unpaid", "measurement_error", "refund_fee_kept"]
    return [
        finding(audits[i % len(audits)], n=i + 1, event_on=AS_OF - timedelta(days=i % 90), claim_by=AS_OF + timedelta(days=i % 60),
                order_id=f"111-{i:07d}", sku=f"SKU-{i % 500}")
        for i in range(count)
    ]  # fmt: skip


def hostile() -> list[dict[str, Any]]:
    """Hostile text in every text cell that a report can fill."""
    texts = ("order_id", "reference_id", "sku", "fnsku", "asin", "reason", "evidence")
    return [finding(n=i + 1, **dict.fromkeys(texts, text)) for i, text in enumerate(HOSTILE)] + [
        finding(audit=text, n=100 * copy + i)
        for i, text in enumerate(HOSTILE)
        for copy in range(1, 3 if text.startswith(("<b", "<a", "%", "$")) else 2)  # these are named in the chart
    ]
