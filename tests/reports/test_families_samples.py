"""Public sample files of these families: read with the right totals, or refused with a reason. Skipped where absent."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from families_files import SHARED, D, everything, read, rows, utc

from recon_lib.errors import ReportError


def sample(name: str) -> bytes:
    path = SHARED / name
    if not path.exists():
        pytest.skip("the shared samples are not on this machine")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "family", "rejected"),
    [
        ("removal-order-detail/airbyte-GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA.csv", "removal_orders", 2),
        (
            "removal-shipment-detail/airbyte-GET_FBA_FULFILLMENT_REMOVAL_SHIPMENT_DETAIL_DATA.csv",
            "removal_shipments",
            2,
        ),
        ("replacements/airbyte-GET_FBA_FULFILLMENT_CUSTOMER_SHIPMENT_REPLACEMENT_DATA.csv", "replacements", 2),
        ("storage-fees/airbyte-GET_FBA_STORAGE_FEE_CHARGES_DATA.csv", "storage_fees", 2),
    ],
)
def test_placeholder_rows_are_rejected_one_by_one(tmp_path: Path, name: str, family: str, rejected: int) -> None:
    data = sample(name)
    reading = read(tmp_path, data)
    assert (reading.family, reading.rows_used, reading.rows_rejected) == (family, 0, rejected)
    assert reading.rejects["line"].to_list() == [2, 3]
    assert all(reading.rejects["reason"].to_list())


def test_the_fee_preview_with_future_fees(tmp_path: Path) -> None:
    reading = read(tmp_path, sample("fee-preview/aresstore-fee-preview.txt"))
    assert (reading.family, reading.rows_rejected) == ("fee_preview", 0)
    row = rows(reading).row(1, named=True)
    assert (row["sku"], row["product_name"]) == ("ARS-BAN-02", "Set de bandas elásticas")
    assert (row["expected_fulfillment_fee"], row["estimated_referral_fee"], row["currency"]) == (
        D("3.20"),
        D("2.70"),
        "EUR",
    )
    assert (row["package_weight"], row["weight_unit"], row["size_tier"]) == (D("450"), "grams", "Standard")


def test_all_orders_of_33_columns(tmp_path: Path) -> None:
    data = sample("all-orders/aresstore-all-orders.txt")
    reading = read(tmp_path, data)
    lines = data.decode().splitlines()
    assert (reading.family, reading.rows_rejected) == ("all_orders", 0)
    assert reading.rows_used == len(lines) - 1
    row = rows(reading).row(0, named=True)
    assert (row["order_id"], row["quantity"], row["item_price"]) == ("171-2000000-1000000", 6, D("149.94"))
    assert (row["purchased_at"], row["purchased_on"]) == (utc("2026-08-18 09:12:44"), date(2026, 8, 18))
    by_hand = sum((D(line.split("\t")[15] or "0") for line in lines[1:]), D("0"))
    assert sum(reading.totals.values()) == by_hand
    assert "Madrid" not in everything(reading)


def test_the_order_header_with_a_blank_before_its_line_end(tmp_path: Path) -> None:
    reading = read(tmp_path, sample("all-orders/arise-orders-header.txt"))
    assert (reading.family, reading.rows_total) == ("all_orders", 0)


@pytest.mark.parametrize(
    ("name", "hoped"),
    [
        ("customer-returns/aresstore-devoluciones-es.txt", "English column names"),
        ("ledger-detail/aresstore-libro-inventario-es.txt", "English column names"),
    ],
)
def test_invented_spanish_headers_are_refused_by_name(tmp_path: Path, name: str, hoped: str) -> None:
    with pytest.raises(ReportError) as refused:
        read(tmp_path, sample(name))
    assert hoped in refused.value.hoped
    assert refused.value.do
