"""Inbound shipments from the v0 JSON."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from families_files import SHARED, everything, read, rows, stored_bytes

from recon_lib.books import open_account
from recon_lib.errors import ReportError
from recon_lib.reports.inbound import is_inbound_json, read_inbound_json, with_status

BOTH = """{
  "payload": {
    "ShipmentData": [
      {"ShipmentId": "FBA1", "ShipmentName": "FBA (2/1/24 10:00 AM) - 1", "ShipmentStatus": "CLOSED",
       "DestinationFulfillmentCenterId": "PHX6",
       "ShipFromAddress": {"Name": "Zebulon Quillfeather", "AddressLine1": "1 Hidden Lane", "PostalCode": "00501"}}
    ],
    "ItemData": [
      {"ShipmentId": "FBA1", "SellerSKU": "SKU-1", "FulfillmentNetworkSKU": "X001",
       "QuantityShipped": 10, "QuantityReceived": 8, "PrepDetailsList": [{"PrepInstruction": "ItemData"}]},

      {"ShipmentId": "FBA1", "SellerSKU": "SKU-2", "QuantityShipped": 5, "QuantityReceived": 6}
    ],
    "NextToken": "abc"
  }
}
"""


def items(*objects: str) -> str:
    return '{"payload": {"ItemData": [' + ",\n".join(objects) + "]}}"


def test_items_and_their_shipments_in_one_file(tmp_path: Path) -> None:
    reading = read(tmp_path, BOTH, "answers.json")
    assert (reading.family, reading.rows_rejected) == ("inbound_shipments", 0)
    got = rows(reading).select("line", "shipment_id", "status", "sku", "fnsku", "quantity_shipped", "quantity_received")
    assert got.rows() == [
        (9, "FBA1", "CLOSED", "SKU-1", "X001", 10, 8),
        (12, "FBA1", "CLOSED", "SKU-2", None, 5, 6),
    ]
    assert rows(reading)["closed_on"].to_list() == [None, None]
    told = everything(reading).encode() + stored_bytes(tmp_path)
    assert not any(secret in told for secret in (b"Quillfeather", b"Hidden Lane", b"00501"))


def test_items_alone_leave_the_status_unknown_until_the_shipments_are_there() -> None:
    one = '{"ShipmentId": "FBA1", "SellerSKU": "SKU-1", "QuantityShipped": 10, "QuantityReceived": 8}'
    alone = read_inbound_json(items(one).encode()).frames["inbound_shipments"]
    assert alone["status"].to_list() == [None]
    shipments = b'{"payload": {"ShipmentData": [{"ShipmentId": "FBA1", "ShipmentStatus": "RECEIVING"},'
    shipments += (
        b' {"ShipmentId": "FBA1", "ShipmentStatus": "CLOSED"}, {"ShipmentId": "FBA1", "ShipmentStatus": "SHIPPED"}]}}'
    )
    told = read_inbound_json(shipments)
    assert told.frames["inbound_shipments"].height == 0
    statuses = told.frames["inbound_statuses"]
    assert with_status(alone.lazy(), statuses.lazy()).collect()["status"].to_list() == ["CLOSED"]
    known = alone.with_columns(pl.lit("WORKING").alias("status"))
    assert with_status(known.lazy(), statuses.lazy()).collect()["status"].to_list() == ["WORKING"]


@pytest.mark.parametrize("between", ["\n", "\n,\n", "list"])
def test_several_pages_in_one_file(between: str) -> None:
    pages = [
        items(f'{{"ShipmentId": "FBA{n}", "SellerSKU": "S", "QuantityShipped": {n}, "QuantityReceived": 0}}')
        for n in (1, 2, 3)
    ]
    text = "[" + ",\n".join(pages) + "]" if between == "list" else between.join(pages)
    frame = read_inbound_json(text.encode()).frames["inbound_shipments"]
    assert frame["shipment_id"].to_list() == ["FBA1", "FBA2", "FBA3"]
    assert frame["line"].to_list() == ([1, 3, 5] if between == "\n,\n" else [1, 2, 3])


@pytest.mark.parametrize(
    ("item", "column"),
    [
        ('{"SellerSKU": "S", "QuantityShipped": 1, "QuantityReceived": 1}', "ShipmentId"),
        ('{"ShipmentId": "F", "QuantityShipped": 1, "QuantityReceived": 1}', "SellerSKU"),
        ('{"ShipmentId": "F", "SellerSKU": "S", "QuantityShipped": 1}', "QuantityReceived"),
        ('{"ShipmentId": "F", "SellerSKU": "S", "QuantityShipped": -1, "QuantityReceived": 0}', "QuantityShipped"),
        ('{"ShipmentId": "F", "SellerSKU": "S", "QuantityShipped": 1.5, "QuantityReceived": 0}', "QuantityShipped"),
        ('{"ShipmentId": "F", "SellerSKU": "S", "QuantityShipped": true, "QuantityReceived": 0}', "QuantityShipped"),
        ('{"ShipmentId": "F", "SellerSKU": "S", "QuantityShipped": "1", "QuantityReceived": 1}', "QuantityShipped"),
        ('{"ShipmentId": 7, "SellerSKU": "S", "QuantityShipped": 1, "QuantityReceived": 1}', "ShipmentId"),
        ("null", "ShipmentId"),
        ("17", "ItemData"),
    ],
)
def test_an_item_that_cannot_be_used_is_rejected_with_its_line(item: str, column: str) -> None:
    good = '{"ShipmentId": "FBA1", "SellerSKU": "S", "QuantityShipped": 2, "QuantityReceived": 2}'
    told = read_inbound_json(items(good, item).encode())
    assert told.frames["inbound_shipments"].height == 1
    assert told.rejects is not None
    assert told.rejects.select("line", "column").rows() == [(2, column)]


@pytest.mark.parametrize(
    "text",
    [
        BOTH[:-30],
        BOTH.replace('"PHX6"', "PHX6"),
        BOTH.replace("10,", "NaN,"),
        '{"ItemData": [' + "[" * 100_000,
        '{"a": ' * 100_000 + '"ItemData"',
        '{"payload": {"Other": "ItemData"}}',
    ],
)
def test_broken_or_hostile_json_is_refused(text: str) -> None:
    with pytest.raises(ReportError):
        read_inbound_json(text.encode())


def test_an_empty_answer_is_a_file_without_rows() -> None:
    told = read_inbound_json(b'{"payload": {"ItemData": []}}')
    assert told.frames["inbound_shipments"].height == 0
    assert told.rejects is not None
    assert told.rejects.height == 0


def test_other_json_is_not_taken_for_it() -> None:
    assert not is_inbound_json(b'{"payload": {"Orders": []}}')
    assert not is_inbound_json(b'shipment_id,"ItemData"')
    assert is_inbound_json(b'\xef\xbb\xbf\n {"ItemData": []}')


def test_the_public_sample_names_no_shipment(tmp_path: Path) -> None:
    sample = SHARED / "inbound-shipment-items" / "airbyte-FbaInboundShipmentItems.json"
    if not sample.exists():
        pytest.skip("the shared samples are not on this machine")
    reading = read(tmp_path, sample.read_bytes(), "items.json")
    assert (reading.family, reading.rows_used, reading.rows_rejected) == ("inbound_shipments", 0, 1)
    assert reading.rejects.row(0, named=True)["column"] == "ShipmentId"


def test_items_and_shipments_in_separate_files_meet_in_the_books(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "account.yml").write_text("account: demo\nmarketplace: US\n")
    for number, received in enumerate((8, 9)):  # the second download is newer: more has arrived
        item = f'{{"ShipmentId": "FBA1", "SellerSKU": "S", "QuantityShipped": 10, "QuantityReceived": {received}}}'
        other = f'{{"ShipmentId": "FBA{number + 5}", "SellerSKU": "S", "QuantityShipped": 1, "QuantityReceived": 1}}'
        (tmp_path / "reports" / f"items{number}.json").write_text(items(item, other).replace("\n", ""))
    shipments = '{"payload": {"ShipmentData": [{"ShipmentId": "FBA1", "ShipmentStatus": "CLOSED"}]}}'
    (tmp_path / "reports" / "shipments.json").write_text(shipments)
    books = open_account(tmp_path, "2026-01-31", store=tmp_path / "store")
    got = books.frames["inbound_shipments"].sort("shipment_id").collect()
    assert got.select("shipment_id", "status", "quantity_received").rows() == [
        ("FBA1", "CLOSED", 9),
        ("FBA5", None, 1),
        ("FBA6", None, 1),
    ]
    assert books.files.select("rows_used", "rows_repeated").rows() == [(2, 1), (2, 0), (1, 0)]


def folder_with_books(folder: Path, shipments: str) -> None:
    (folder / "reports").mkdir()
    (folder / "books").mkdir()
    (folder / "account.yml").write_text("account: demo\nmarketplace: US\n")
    head = "shipment_id,status,closed_on,sku,fnsku,quantity_shipped,quantity_received\n"
    (folder / "books" / "inbound_shipments.csv").write_text(head + shipments)


def test_the_books_tell_when_a_shipment_closed_that_the_items_tell_more_of(tmp_path: Path) -> None:
    folder_with_books(
        tmp_path, "FBA1,CLOSED,2026-01-05,S,X,10,8\nFBA2,RECEIVING,,S,X,5,0\nFBA3,CLOSED,2026-01-07,S,X,4,4\n"
    )
    told = ('{"ShipmentId": "FBA1", "SellerSKU": "S", "QuantityShipped": 10, "QuantityReceived": 9}',
            '{"ShipmentId": "FBA2", "SellerSKU": "S", "QuantityShipped": 5, "QuantityReceived": 0}')  # fmt: skip
    (tmp_path / "reports" / "items.json").write_text(items(*told).replace("\n", ""))
    shipments = '{"payload": {"ShipmentData": [{"ShipmentId": "FBA2", "ShipmentStatus": "CLOSED"}]}}'
    (tmp_path / "reports" / "shipments.json").write_text(shipments)
    books = open_account(tmp_path, "2026-01-31", store=tmp_path / "store")
    got = books.frames["inbound_shipments"].sort("shipment_id").collect()
    assert got.select("shipment_id", "status", "closed_on", "quantity_received").rows() == [
        ("FBA1", "CLOSED", date(2026, 1, 5), 9),
        ("FBA2", "CLOSED", None, 0),
        ("FBA3", "CLOSED", date(2026, 1, 7), 4),
    ]
    before = open_account(tmp_path, "2026-01-04", store=tmp_path / "store").frames["inbound_shipments"].collect()
    assert before["shipment_id"].to_list() == ["FBA2"]


def test_a_status_that_the_books_write_in_small_letters_is_as_far(tmp_path: Path) -> None:
    folder_with_books(tmp_path, "FBA1,Closed,2026-01-05,S,X,10,8\nFBA2,Checked in,,S,X,5,0\n")
    shipments = "".join(f'{{"ShipmentId": "FBA{n}", "ShipmentStatus": "RECEIVING"}}, ' for n in (1, 2)).rstrip(", ")
    (tmp_path / "reports" / "shipments.json").write_text(f'{{"payload": {{"ShipmentData": [{shipments}]}}}}')
    books = open_account(tmp_path, "2026-01-31", store=tmp_path / "store")
    got = books.frames["inbound_shipments"].sort("shipment_id").collect()
    assert got.select("shipment_id", "status").rows() == [("FBA1", "Closed"), ("FBA2", "RECEIVING")]
