"""All orders, fulfilled shipments, shipment sales and replacements; and that no buyer comes through."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from families_files import D, everything, read, rows, stored_bytes, tabbed, utc

from recon_lib.reports.base import Reading

CORE = (
    "amazon-order-id merchant-order-id purchase-date last-updated-date order-status fulfillment-channel sales-channel"
    " order-channel url ship-service-level product-name sku asin item-status quantity currency item-price item-tax"
    " shipping-price shipping-tax gift-wrap-price gift-wrap-tax item-promotion-discount ship-promotion-discount ship-city"
    " ship-state ship-postal-code ship-country promotion-ids is-business-order purchase-order-number price-designation"
)
CORE_32 = CORE.split()
NO_URL = [name for name in CORE_32 if name != "url"]
CPF_33 = [*NO_URL[:28], "cpf", *NO_URL[28:], "signature-confirmation-recommended"]
LAYOUTS = {
    "core": (CORE_32, 32),
    "with is-sold-by-ab": ([*CORE_32, "is-sold-by-ab"], 33),
    "with cpf": (CPF_33, 33),
    "with order-item-id": ([*CPF_33, "order-item-id"], 34),
    "archived": (
        [
            *CORE_32,
            "ship-promotion-id",
            "customized-url",
            "customized-page",
            "is-heavy-or-bulky",
            "is-replacement-order",
        ],
        37,
    ),
}
PLACE_PARTS = (
    "name",
    "address-1",
    "address-2",
    "address-3",
    "city",
    "state",
    "county",
    "postal-code",
    "country",
    "phone",
)
WIDE_TAIL = [
    *"address-type payment-method-details item-extensions-data fulfilled-by".split(),  # noqa: SIM905
    *(f"buyer-{part}" for part in ("name", "email", "phone-number", "company-name", "cst-number", "vat-number")),
    *(f"buyer-{part}" for part in ("citizen-name", "citizen-id", "address", "tax-registration-type")),
    *"is-replacement-order is-exchange-order original-order-id is-amazon-invoiced".split(),  # noqa: SIM905
    *(f"vat-exclusive-{part}-price" for part in ("item", "shipping", "giftwrap")),
    "is-iba",
    *(f"default-ship-from-{part}" for part in PLACE_PARTS),
    *(f"actual-ship-from-{part}" for part in PLACE_PARTS),
    *"is-buyer-requested-cancellation buyer-requested-cancel-reason ioss-number order-invoice-type".split(),  # noqa: SIM905
    *(f"invoice-business-{part}" for part in ("legal-name", "address", "tax-id", "tax-office")),
    *"signature-confirmation-recommended order-item-id ship-phone-number ship-name license-number is-pick-up".split(),  # noqa: SIM905
]
BEFORE_QUANTITY = ["number-of-items", "tax-collection-model", "tax-collection-responsible-party"]
WIDE_91 = [*CORE_32[:14], *BEFORE_QUANTITY, *CORE_32[14:], *WIDE_TAIL]
ORDER = {
    "amazon-order-id": "111-2223334-5556667", "merchant-order-id": "M-1", "purchase-date": "2025-05-05T10:19:22+00:00",
    "last-updated-date": "2025-05-06T00:30:00+00:00", "order-status": "Shipped", "fulfillment-channel": "Amazon",
    "sales-channel": "Amazon.co.uk", "product-name": 'Ball 5" blue', "sku": "00123", "asin": "B0TEST0001",
    "item-status": "Shipped", "quantity": "2", "currency": "GBP", "item-price": "39.98", "item-tax": "6.66",
    "item-promotion-discount": "0.50", "price-designation": "",
}  # fmt: skip
SECRET = "Zebulon Quillfeather"


def order_file(layout: list[str], end: str = "\n") -> str:
    cells = {name: ORDER.get(name, "") for name in layout}
    return "\t".join(layout) + end + "\t".join(cells.values()) + "\n"


@pytest.mark.parametrize("name", LAYOUTS)
def test_all_orders_in_each_layout(tmp_path: Path, name: str) -> None:
    layout, columns = LAYOUTS[name]
    assert len(layout) == columns
    check_order(tmp_path, order_file(layout))


def test_all_orders_of_91_columns_whose_header_ends_in_a_blank(tmp_path: Path) -> None:
    assert len(WIDE_91) == 91
    check_order(tmp_path, order_file(WIDE_91, end=" \n"))


def test_a_header_that_ends_in_a_blank_and_a_carriage_return(tmp_path: Path) -> None:
    check_order(tmp_path, order_file(CORE_32, end=" \r\n"))


def check_order(folder: Path, text: str) -> None:
    reading = read(folder, text)
    assert (reading.family, reading.rows_used, reading.rows_rejected) == ("all_orders", 1, 0)
    row = rows(reading).row(0, named=True)
    assert (row["order_id"], row["sku"], row["product_name"]) == ("111-2223334-5556667", "00123", 'Ball 5" blue')
    assert (row["purchased_at"], row["purchased_on"]) == (utc("2025-05-05 10:19:22"), date(2025, 5, 5))
    assert row["updated_at"] == utc("2025-05-06 00:30:00")
    assert (row["quantity"], row["item_price"], row["item_tax"]) == (2, D("39.98"), D("6.66"))
    assert (row["item_promotion_discount"], row["gift_wrap_price"]) == (D("0.5"), None)
    assert dict(reading.totals) == {"GBP": D("39.98")}


def test_a_cancelled_line_has_no_price_and_two_equal_lines_are_two(tmp_path: Path) -> None:
    head = "\t".join(CORE_32)
    cancelled = ORDER | {"order-status": "Cancelled", "quantity": "0", "item-price": "", "currency": ""}
    lines = ["\t".join(cells.get(name, "") for name in CORE_32) for cells in (ORDER, ORDER, cancelled)]
    reading = read(tmp_path, "\n".join([head, *lines]) + "\n")
    got = rows(reading)
    assert got["line"].to_list() == [2, 3, 4]
    assert got["item_price"].to_list() == [D("39.98"), D("39.98"), None]
    assert got["quantity"].to_list() == [2, 2, 0]


SHIPMENT_48 = (
    "amazon-order-id merchant-order-id shipment-id shipment-item-id amazon-order-item-id merchant-order-item-id purchase-date"
    " payments-date shipment-date reporting-date buyer-email buyer-name buyer-phone-number sku product-name quantity-shipped"
    " currency item-price item-tax shipping-price shipping-tax gift-wrap-price gift-wrap-tax ship-service-level recipient-name"
    " ship-address-1 ship-address-2 ship-address-3 ship-city ship-state ship-postal-code ship-country ship-phone-number"
    " bill-address-1 bill-address-2 bill-address-3 bill-city bill-state bill-postal-code bill-country item-promotion-discount"
    " ship-promotion-discount carrier tracking-number estimated-arrival-date fulfillment-center-id fulfillment-channel"
    " sales-channel"
)
SHIPMENT = {
    "amazon-order-id": "111-2223334-5556667", "shipment-id": "Dabc", "shipment-item-id": "Dxyz1",
    "amazon-order-item-id": "6789", "purchase-date": "2026-01-02T03:04:05-08:00",
    "shipment-date": "2026-01-03T10:00:00-08:00", "sku": "SKU-1", "quantity-shipped": "2", "currency": "USD",
    "item-price": "39.98", "item-tax": "3.30", "shipping-price": "0", "item-promotion-discount": "-1.00",
    "carrier": "AMZN_US", "tracking-number": "TBA1", "fulfillment-center-id": "PHX6", "sales-channel": "amazon.com",
}  # fmt: skip


def test_fulfilled_shipments_of_48_columns_leave_every_buyer_behind(tmp_path: Path) -> None:
    layout = SHIPMENT_48.split()
    assert len(layout) == 48
    private = [name for name in layout if name.startswith(("buyer-", "recipient-", "ship-a", "ship-c", "bill-"))]
    private += ["ship-state", "ship-postal-code", "ship-phone-number"]
    cells = SHIPMENT | dict.fromkeys(private, SECRET)
    broken = cells | {"quantity-shipped": "two"}
    lines = ["\t".join(c.get(name, "") for name in layout) for c in (cells, broken)]
    reading = read(tmp_path, "\n".join(["\t".join(layout), *lines]) + "\n")
    assert (reading.family, reading.rows_used, reading.rows_rejected) == ("fulfilled_shipments", 1, 1)
    row = rows(reading).row(0, named=True)
    assert row["shipped_at"] == utc("2026-01-03 18:00:00")
    assert (row["shipment_item_id"], row["quantity"], row["item_price"]) == ("Dxyz1", 2, D("39.98"))
    assert (row["item_promotion_discount"], row["fulfillment_center"]) == (D("-1"), "PHX6")
    assert reading.rejects["value"].to_list() == ["xxx"]  # only its shape: a broken row can bring a buyer's cell here
    nobody(reading, tmp_path)


def test_no_buyer_of_the_wide_order_report_comes_through(tmp_path: Path) -> None:
    private = ("buyer-", "ship-", "default-", "actual-", "invoice-business", "payment-", "item-ext", "purchase-order")
    read_anyway = {"ship-promotion-discount", "ship-service-level"}
    cells = {
        name: SECRET if name.startswith(private) and name not in read_anyway else ORDER.get(name, "")
        for name in WIDE_91
    }
    assert sum(cell == SECRET for cell in cells.values()) > 30
    reading = read(tmp_path, "\t".join(WIDE_91) + " \n" + "\t".join(cells.values()) + "\n")
    assert (reading.rows_used, reading.rows_rejected) == (1, 0)
    nobody(reading, tmp_path)


def nobody(reading: Reading, folder: Path) -> None:
    assert SECRET not in everything(reading)
    assert SECRET.encode() not in stored_bytes(folder)


def test_shipment_sales(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        tabbed(
            "shipment-date | sku | fnsku | asin | fulfillment-center-id | quantity | amazon-order-id | currency"
            " | item-price-per-unit | shipping-price | gift-wrap-price | ship-city | ship-state | ship-postal-code",
            "2026-01-03T10:00:00+00:00 | SKU-1 | X001 | B0TEST0001 | PHX6 | 2 | 111-2223334-5556667 | USD | 19.99 | 0 | 0"
            f" | {SECRET} | {SECRET} | {SECRET}",
        ),
    )
    assert reading.family == "shipment_sales"
    row = rows(reading).row(0, named=True)
    assert (row["quantity"], row["item_price_per_unit"], row["shipping_price"]) == (2, D("19.99"), D("0"))
    nobody(reading, tmp_path)


def test_replacements(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        tabbed(
            "shipment-date | sku | asin | fulfillment-center-id | original-fulfillment-center-id | quantity"
            " | replacement-reason-code | replacement-amazon-order-id | original-amazon-order-id",
            "2026-01-03T10:00:00+00:00 | SKU-1 | B0TEST0001 | PHX6 | ONT8 | 1 | 7 | 111-0000000-0000002 | 111-0000000-0000001",
        ),
    )
    assert reading.family == "replacements"
    row = rows(reading).row(0, named=True)
    assert (row["original_order_id"], row["replacement_order_id"]) == ("111-0000000-0000001", "111-0000000-0000002")
    assert (row["quantity"], row["reason_code"], row["original_fulfillment_center"]) == (1, "7", "ONT8")
