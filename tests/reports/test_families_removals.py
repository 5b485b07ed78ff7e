"""Removal orders and removal shipments in every layout."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from families_files import D, read, rows, tabbed, utc

FULL = (
    "request-date | order-id | order-source | order-type | service-speed | order-status | last-updated-date | sku | fnsku"
    " | disposition | requested-quantity | cancelled-quantity | disposed-quantity | shipped-quantity | in-process-quantity"
    " | removal-fee | currency"
)
ROW = (
    "2026-01-05T09:12:00+00:00 | RMV-7 | Seller | Return | Standard | Completed | 2026-01-09T18:00:30+00:00 | SKU-1 | X001"
    " | Unsellable | 5 | 1 | 0 | 4 | 0 | 4.16 | USD"
)


def without(*names: str) -> str:
    head = [cell.strip() for cell in FULL.split("|")]
    keep = [number for number, name in enumerate(head) if name not in names]
    return tabbed(*(" | ".join(line.split("|")[number].strip() for number in keep) for line in (FULL, ROW)))


@pytest.mark.parametrize(
    ("gone", "columns"),
    [
        ((), 17),
        (("order-source",), 16),
        (("order-source", "service-speed"), 15),
        (("order-source", "removal-fee", "currency"), 14),
    ],
)
def test_removal_orders_of_14_to_17_columns(tmp_path: Path, gone: tuple[str, ...], columns: int) -> None:
    text = without(*gone)
    assert text.splitlines()[0].count("\t") + 1 == columns
    reading = read(tmp_path, text)
    assert (reading.family, reading.rows_used, reading.rows_rejected) == ("removal_orders", 1, 0)
    row = rows(reading).row(0, named=True)
    assert row["requested_at"] == utc("2026-01-05 09:12:00")
    assert row["updated_at"] == utc("2026-01-09 18:00:30")
    assert row["requested_on"] == date(2026, 1, 5)
    assert (row["order_id"], row["order_type"], row["fnsku"]) == ("RMV-7", "Return", "X001")
    units = ("requested", "cancelled", "disposed", "shipped", "in_process")
    assert [row[f"{name}_quantity"] for name in units] == [5, 1, 0, 4, 0]
    assert row["removal_fee"] == (None if "removal-fee" in gone else D("4.16"))
    assert row["service_speed"] == (None if "service-speed" in gone else "Standard")
    assert row["order_source"] == (None if "order-source" in gone else "Seller")
    assert row["line"] == 2


def test_an_empty_fee_and_an_empty_update_are_unknown_not_zero(tmp_path: Path) -> None:
    text = tabbed(FULL, ROW.replace("4.16", "").replace("2026-01-09T18:00:30+00:00", ""))
    row = rows(read(tmp_path, text)).row(0, named=True)
    assert row["removal_fee"] is None
    assert row["updated_at"] is None


def test_a_removal_row_with_a_word_for_a_quantity_is_rejected(tmp_path: Path) -> None:
    reading = read(tmp_path, tabbed(FULL, ROW, ROW.replace("| 5 |", "| five |")))
    assert (reading.rows_used, reading.rows_rejected) == (1, 1)
    reject = reading.rejects.row(0, named=True)
    assert (reject["line"], reject["value"]) == (3, "five")


@pytest.mark.parametrize("first", ["request-date", "removal-date"])
def test_removal_shipments_whatever_the_first_column_is_called(tmp_path: Path, first: str) -> None:
    head = (
        f"{first} | order-id | shipment-date | sku | fnsku | disposition | shipped-quantity | carrier | tracking-number"
        " | removal-order-type"
    )
    row = "2026-01-05T09:12:00+00:00 | RMV-7 | 2026-01-08T01:02:03-08:00 | SKU-1 | X001 | Unsellable | 4 | UPS | 1Z9 | Return"
    reading = read(tmp_path, tabbed(head, row, row))
    assert (reading.family, reading.rows_used, reading.rows_rejected) == ("removal_shipments", 2, 0)
    got = rows(reading).row(0, named=True)
    assert got["shipped_at"] == utc("2026-01-08 09:02:03")
    assert got["requested_on"] == date(2026, 1, 5)
    assert (got["shipped_quantity"], got["tracking_number"], got["removal_order_type"]) == (4, "1Z9", "Return")
    assert rows(reading)["line"].to_list() == [2, 3]  # twins in one file are two rows
