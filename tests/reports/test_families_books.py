"""The seller's own books: strict headers, exact values."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from families_files import D, read, rows, utc

from recon_lib.errors import ReportError

HEADERS = {
    "products": "sku,fnsku,asin,category,unit_cost,currency,cost_from,longest_side,median_side,shortest_side,dimension_unit,"
    "weight,weight_unit",
    "pay_activity": "activity_at,kind,amazon_transaction_id,seller_reference_id,seller_order_id,order_reference_id,amount,"
    "currency",
    "inbound_shipments": "shipment_id,status,closed_on,sku,fnsku,quantity_shipped,quantity_received",
    "removal_receipts": "order_id,tracking_number,fnsku,received_on,quantity_received",
    "bank": "booked_on,amount,currency,description,reference",
}
ROWS = {
    "products": "00123,X001,B0TEST0001,Toys,4.1250,USD,2026-01-01,10.5,8,2.25,inches,1.2,pounds",
    "pay_activity": "2026-01-05T10:00:00-08:00,refund,P01-1-1-R000001,ref-1,S-1,P01-1234567-1234567,-12.30,USD",
    "inbound_shipments": "FBA15D7ABCDE,CLOSED,2026-01-20,SKU-1,X001,100,97",
    "removal_receipts": "RMV-7,1Z9,X001,2026-02-01,4",
    "bank": '2026-01-06,"1,234.50",USD,"AMAZON, SETTLEMENT",R-1',
}
HOPED = {
    "products": {"sku": "00123", "unit_cost": D("4.125"), "cost_from": date(2026, 1, 1), "shortest_side": D("2.25")},
    "pay_activity": {"activity_at": utc("2026-01-05 18:00:00"), "kind": "refund", "amount": D("-12.30")},
    "inbound_shipments": {"closed_on": date(2026, 1, 20), "quantity_shipped": 100, "quantity_received": 97},
    "removal_receipts": {"received_on": date(2026, 2, 1), "quantity_received": 4, "tracking_number": "1Z9"},
    "bank": {"booked_on": date(2026, 1, 6), "amount": D("1234.5"), "description": "AMAZON, SETTLEMENT"},
}


@pytest.mark.parametrize("family", HEADERS)
def test_each_book_is_read(tmp_path: Path, family: str) -> None:
    reading = read(tmp_path, f"{HEADERS[family]}\n{ROWS[family]}\n", f"{family}.csv")
    assert (reading.family, reading.rows_used, reading.rows_rejected) == (family, 1, 0)
    row = rows(reading).row(0, named=True)
    assert {name: row[name] for name in HOPED[family]} == HOPED[family]


@pytest.mark.parametrize(
    ("family", "column"),
    [(family, column) for family, head in HEADERS.items() for column in head.split(",")],
)
def test_a_book_without_one_of_its_columns_is_refused(tmp_path: Path, family: str, column: str) -> None:
    head = HEADERS[family].split(",")
    kept = [number for number, name in enumerate(head) if name != column]
    cells = (
        ROWS[family].replace("1,234.50", "1234.50").replace("AMAZON, SETTLEMENT", "AMAZON").replace('"', "").split(",")
    )
    text = ",".join(head[number] for number in kept) + "\n" + ",".join(cells[number] for number in kept) + "\n"
    with pytest.raises(ReportError) as refused:
        read(tmp_path, text, f"{family}.csv")
    assert refused.value.hoped


def test_optional_cells_of_a_product_may_be_empty(tmp_path: Path) -> None:
    row = rows(read(tmp_path, HEADERS["products"] + "\nSKU-1,,,,,,,,,,,,\n")).row(0, named=True)
    assert row["sku"] == "SKU-1"
    assert all(row[name] is None for name in ("fnsku", "unit_cost", "cost_from", "weight", "currency"))


@pytest.mark.parametrize(
    "row",
    [
        "2026-01-05T10:00:00-08:00,refund,R1,ref-1,S-1,P01,12.30,USD",  # a refund takes money: negative
        "2026-01-05T10:00:00-08:00,capture,C1,ref-1,S-1,P01,-12.30,USD",
        "2026-01-05T10:00:00-08:00,charge,C1,ref-1,S-1,P01,12.30,USD",
        "2026-01-05T10:00:00,capture,C1,ref-1,S-1,P01,12.30,USD",  # no offset: which hour?
        "2026-01-05T10:00:00-08:00,capture,C1,ref-1,S-1,P01,12.305,USD",
        "2026-01-05T10:00:00-08:00,capture,C1,ref-1,S-1,P01,,USD",
    ],
)
def test_a_pay_activity_row_that_breaks_a_rule_is_rejected(tmp_path: Path, row: str) -> None:
    reading = read(tmp_path, f"{HEADERS['pay_activity']}\n{ROWS['pay_activity']}\n{row}\n")
    assert (reading.rows_used, reading.rows_rejected) == (1, 1)
    assert reading.rejects["line"].to_list() == [3]
    assert reading.rejects["reason"].to_list()[0]


@pytest.mark.parametrize(
    ("family", "row", "said"),
    [  # a slip of the pen must not become a claim of negative money, or of units that were never sent
        ("products", "1,X,B,Toys,-4.12,USD,2026-01-01,10,8,2,inches,1,pounds", "unit cost is not negative"),
        ("products", "1,X,B,Toys,4.12,USD,2026-01-01,10,8,-2,inches,1,pounds", "measures are not negative"),
        ("products", "1,X,B,Toys,4.12,USD,2026-01-01,10,8,2,inches,-1,pounds", "measures are not negative"),
        ("inbound_shipments", "FBA1,CLOSED,2026-01-20,SKU-1,X001,100,-3", "quantities are not negative"),
        ("inbound_shipments", "FBA1,CLOSED,2026-01-20,SKU-1,X001,-1,0", "quantities are not negative"),
    ],
)
def test_a_value_below_zero_is_rejected(tmp_path: Path, family: str, row: str, said: str) -> None:
    reading = read(tmp_path, f"{HEADERS[family]}\n{ROWS[family]}\n{row}\n", f"{family}.csv")
    assert (reading.rows_used, reading.rows_rejected) == (1, 1)
    assert reading.rejects.select("line", "reason").rows() == [(3, f"breaks the rule: {said}")]


def test_a_count_below_zero_is_rejected_in_words(tmp_path: Path) -> None:
    text = f"{HEADERS['removal_receipts']}\nRMV-7,1Z9,X001,2026-02-01,4\nRMV-8,1Z9,X001,2026-02-01,12-\n"
    reading = read(tmp_path, text, "removal_receipts.csv")
    assert (reading.rows_used, reading.rows_rejected) == (1, 1)
    assert reading.rejects.select("line", "reason").rows() == [
        (3, "breaks the rule: quantity received is not negative")
    ]


def test_a_refund_with_a_positive_amount_is_told_which_sign_it_needs(tmp_path: Path) -> None:
    row = "2026-01-05T10:00:00-08:00,refund,R1,ref-1,S-1,P01,12.30,USD"
    (reason,) = read(tmp_path, f"{HEADERS['pay_activity']}\n{row}\n").rejects["reason"].to_list()
    assert reason == "breaks the rule: amount of a refund is negative of a capture positive"
