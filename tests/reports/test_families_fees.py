"""Fee preview, storage, aged-inventory and overage fees in every layout."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from families_files import D, read, rows, tabbed

START = "sku fnsku asin product-name product-group brand fulfilled-by your-price sales-price"
SIZE = "longest-side median-side shortest-side length-and-girth unit-of-dimension item-package-weight unit-of-weight"
FEES = "currency estimated-fee-total estimated-referral-fee-per-unit estimated-variable-closing-fee"
PICK = "estimated-pick-pack-fee-per-unit estimated-weight-handling-fee-per-unit"
EFN = " ".join(f"expected-efn-fulfilment-fee-per-unit-{to}" for to in ("uk", "de", "fr", "it", "es"))
ORDER_FEE = "estimated-order-handling-fee-per-order"
US = f"{START} {SIZE} product-size-tier {FEES} {ORDER_FEE} {PICK} expected-fulfillment-fee-per-unit".split()
CA = f"{START} {SIZE} {FEES} {PICK}".split()
EU = (f"{START} {SIZE} product-size-weight-band {FEES} expected-domestic-fulfilment-fee-per-unit {EFN}").split()
EU.insert(EU.index("your-price"), "has-local-inventory")
SE = [*EU, "expected-efn-fulfilment-fee-per-unit-se"]
UK = [*EU, ORDER_FEE]
FUTURE = "estimated-future-fee (Current Selling on Amazon + Future Fulfillment fees)"
UK_TEMPORARY = [
    *UK,
    FUTURE,
    "estimated-future-order-handling-fee-per-order",
    "expected-domestic-future-fulfilment-fee-per-unit",
    *(f"expected-efn-future-fulfilment-fee-per-unit-{to}" for to in ("uk", "de", "fr", "it", "es")),
]
STORE = [*US[:3], "amazon-store", *US[3:]]
WITH_FUTURE = [
    *US,
    FUTURE,
    "estimated-future-order-handling-fee-per-order",
    "estimated-future-pick-pack-fee-per-unit",
    "estimated-future-weight-handling-fee-per-unit",
    "expected-future-fulfillment-fee-per-unit",
    "estimated-future-referral-fee-per-unit",
    "current-fee-category",
    "future-fee-category",
    "future-fee-category-effective-date",
]
LAYOUTS = {
    "US 25": (US, 25), "CA 22": (CA, 22), "EU 28": (EU, 28), "EU with Sweden": (SE, 29), "UK 29": (UK, 29),
    "UK 37": (UK_TEMPORARY, 37), "with the store": (STORE, 26), "with future fees": (WITH_FUTURE, 34),
}  # fmt: skip
CELLS = {
    "sku": "SKU-1", "fnsku": "X001", "asin": "B0TEST0001", "amazon-store": "DE", "your-price": "24.99",
    "sales-price": "19.99", "longest-side": "20.32", "median-side": "15", "shortest-side": "8",
    "length-and-girth": "66.32", "unit-of-dimension": "centimeters", "item-package-weight": "450.5",
    "unit-of-weight": "grams", "product-size-tier": "Standard", "product-size-weight-band": "Standard",
    "currency": "EUR", "estimated-fee-total": "6.95", "estimated-referral-fee-per-unit": "3.75",
    "expected-fulfillment-fee-per-unit": "3.20", "expected-domestic-fulfilment-fee-per-unit": "3.20",
    "expected-efn-fulfilment-fee-per-unit-uk": "7.77", "expected-future-fulfillment-fee-per-unit": "9.99",
    "expected-domestic-future-fulfilment-fee-per-unit": "9.99", FUTURE: "8.88",
}  # fmt: skip


def preview(layout: list[str], **changes: str) -> str:
    cells = CELLS | {name.replace("_", "-"): value for name, value in changes.items()}
    return "\t".join(layout) + "\n" + "\t".join(cells.get(name, "") for name in layout) + "\n"


@pytest.mark.parametrize("name", LAYOUTS)
def test_fee_preview_in_each_of_its_eight_layouts(tmp_path: Path, name: str) -> None:
    layout, columns = LAYOUTS[name]
    assert len(layout) == columns
    reading = read(tmp_path, preview(layout))
    assert (reading.family, reading.rows_used, reading.rows_rejected) == ("fee_preview", 1, 0)
    row = rows(reading).row(0, named=True)
    assert row["expected_fulfillment_fee"] == (None if name == "CA 22" else D("3.20"))
    assert row["size_tier"] == (None if name == "CA 22" else "Standard")
    assert row["amazon_store"] == ("DE" if name == "with the store" else None)
    assert (row["longest_side"], row["package_weight"]) == (D("20.32"), D("450.5"))
    assert (row["dimension_unit"], row["weight_unit"], row["currency"]) == ("centimeters", "grams", "EUR")
    assert (row["estimated_fee_total"], row["estimated_referral_fee"]) == (D("6.95"), D("3.75"))


def test_dashes_in_a_fee_preview_are_unknown(tmp_path: Path) -> None:
    reading = read(tmp_path, preview(US, longest_side="--", expected_fulfillment_fee_per_unit="--", sales_price="--"))
    row = rows(reading).row(0, named=True)
    assert (row["longest_side"], row["expected_fulfillment_fee"], row["sales_price"]) == (None, None, None)
    assert row["median_side"] == D("15")
    words = {"unit_of_dimension": "--", "unit_of_weight": "--", "product_size_tier": "--", "product_group": "Home"}
    row = rows(read(tmp_path, preview(US, **words))).row(0, named=True)
    assert [row[n] for n in ("dimension_unit", "weight_unit", "size_tier")] == [None] * 3
    assert row["product_group"] == "Home"


STORAGE_TEXT = (
    "asin fnsku product_name fulfillment_center country_code longest_side median_side shortest_side measurement_units weight"
    " weight_units item_volume volume_units product_size_tier average_quantity_on_hand average_quantity_pending_removal"
    " estimated_total_item_volume month_of_charge storage_rate currency estimated_monthly_storage_fee"
    " dangerous_goods_storage_type eligible_for_inventory_discount qualifies_for_inventory_discount"
    " total_incentive_fee_amount breakdown_incentive_fee_amount average_quantity_customer_orders"
)
STORAGE_27 = STORAGE_TEXT.split()
STORAGE_28 = [*STORAGE_27, "base_rate"]
STORAGE_31 = [name for name in STORAGE_28 if name != "estimated_monthly_storage_fee"]
STORAGE_31.insert(STORAGE_31.index("currency"), "estimated_monthly_storage_fee")
STORAGE_31 += ["utilization_surcharge_rate", "storage_utilization_ratio", "storage_utilization_ratio_units"]
STORAGE_36 = ["sku", *reversed(STORAGE_31), "avg_qty_for_sus", "est_vol_for_sus", "est_base_msf", "est_sus"]
STORAGE_CELLS = {
    "asin": "B0TEST0001", "fnsku": "X001", "sku": "SKU-1", "fulfillment_center": "PHX6", "country_code": "US",
    "longest_side": "10.5", "weight": "1.25", "weight_units": "pounds", "item_volume": "0.0417",
    "volume_units": "cubic feet", "product_size_tier": "Standard-Size", "average_quantity_on_hand": "12.58",
    "estimated_total_item_volume": "0.5246", "month_of_charge": "2026-07", "storage_rate": "0.78", "currency": "USD",
    "estimated_monthly_storage_fee": "0.4092", "dangerous_goods_storage_type": "--", "base_rate": "0.78",
    "utilization_surcharge_rate": "0.44", "total_incentive_fee_amount": "0.0",
}  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "columns"), [(STORAGE_27, 27), (STORAGE_28, 28), (STORAGE_31, 31), (STORAGE_36, 36)]
)
def test_storage_fees_with_columns_in_any_order(tmp_path: Path, layout: list[str], columns: int) -> None:
    assert len(layout) == columns
    text = "\t".join(layout) + "\n" + "\t".join(STORAGE_CELLS.get(name, "") for name in layout) + "\n"
    reading = read(tmp_path, text)
    assert (reading.family, reading.rows_used, reading.rows_rejected) == ("storage_fees", 1, 0)
    row = rows(reading).row(0, named=True)
    assert row["month_on"] == date(2026, 7, 1)
    assert (row["estimated_fee"], row["storage_rate"], row["average_quantity"]) == (D("0.4092"), D("0.78"), D("12.58"))
    assert row["base_rate"] == (None if columns == 27 else D("0.78"))
    assert row["utilization_surcharge_rate"] == (D("0.44") if columns > 28 else None)
    assert row["sku"] == ("SKU-1" if columns == 36 else None)
    assert dict(reading.totals) == {"USD": D("0.4092")}
    assert (reading.period_from, reading.period_to) == ("2026-07-01", "2026-07-01")


def test_a_storage_month_that_is_no_month_is_rejected(tmp_path: Path) -> None:
    good, bad = (
        "\t".join((STORAGE_CELLS | {"month_of_charge": month}).get(name, "") for name in STORAGE_27)
        for month in ("2026-12", "2026-13")
    )
    reading = read(tmp_path, "\t".join(STORAGE_27) + f"\n{good}\n{bad}\n")
    assert (reading.rows_used, reading.rows_rejected) == (1, 1)
    assert "2026-07" in reading.rejects.row(0, named=True)["reason"]
    assert reading.rejects["line"].to_list() == [3]


@pytest.mark.parametrize(
    ("written", "month"),
    [
        ("Jul-26", date(2026, 7, 1)),
        ("Dez 25", date(2025, 12, 1)),
        ("févr.-26", date(2026, 2, 1)),
        ("mai-2026", date(2026, 5, 1)),
    ],
)
def test_a_storage_month_as_a_spreadsheet_writes_it(tmp_path: Path, written: str, month: date) -> None:
    """Spreadsheets take `2026-07` for a day and save it as `Jul-26`."""
    row = "\t".join((STORAGE_CELLS | {"month_of_charge": written}).get(name, "") for name in STORAGE_27)
    assert rows(read(tmp_path, "\t".join(STORAGE_27) + f"\n{row}\n"))["month_on"].to_list() == [month]


@pytest.mark.parametrize("written", ["Jul", "26-Jul", "Foo-26", "July 4, 26", "07/26", "July"])
def test_other_words_are_no_storage_month(tmp_path: Path, written: str) -> None:
    row = "\t".join((STORAGE_CELLS | {"month_of_charge": written}).get(name, "") for name in STORAGE_27)
    assert read(tmp_path, "\t".join(STORAGE_27) + f"\n{row}\n").rows_rejected == 1


def test_aged_inventory_surcharge(tmp_path: Path) -> None:
    head = (
        "snapshot-date | sku | fnsku | asin | product-name | condition | per-unit-volume | currency | volume-unit | country"
        " | qty-charged | amount-charged | surcharge-age-tier | rate-surcharge"
    )
    row = (
        "2026-02-15T00:00:00+00:00 | SKU-1 | X001 | B0TEST0001 | Ball | New | 0.0417 | USD | cubic feet | US"
        " | 3 | 0.19 | 181-210 days | 1.50"
    )
    reading = read(tmp_path, tabbed(head, row))
    assert reading.family == "aged_inventory_fees"
    got = rows(reading).row(0, named=True)
    assert (got["quantity"], got["amount"], got["age_tier"], got["rate"]) == (3, D("0.19"), "181-210 days", D("1.5"))
    assert got["snapshot_on"] == date(2026, 2, 15)


@pytest.mark.parametrize("term", ["term", "terms"])
def test_old_long_term_storage_fees_become_a_row_a_tier(tmp_path: Path, term: str) -> None:
    head = (
        "snapshot-date | sku | fnsku | asin | product-name | condition | qty-charged-12-mo-long-term-storage-fee"
        f" | per-unit-volume | currency | 12-mo-long-{term}-storage-fee | qty-charged-6-mo-long-term-storage-fee"
        f" | 6-mo-long-{term}-storage-fee | volume-unit | country | enrolled-in-small-and-light"
    )
    base = "2018-02-15T00:00:00+00:00 | SKU | {} | B01 | Ball | New | {} | 0.0417 | USD | {} | {} | {} | cubic feet | US | No"
    text = tabbed(
        head,
        base.format("X001", 2, "6.90", 3, "1.50"),
        base.format("X002", 0, "0.00", 4, "2.00"),
        base.format("X003", 0, "0.00", 0, "0.00"),
    )
    reading = read(tmp_path, text)
    assert (reading.family, reading.rows_total, reading.rows_rejected) == ("aged_inventory_fees", 3, 0)
    got = rows(reading).sort("line", "age_tier").select("line", "fnsku", "age_tier", "quantity", "amount").rows()
    assert got == [
        (2, "X001", "181-365", 3, D("1.5")),
        (2, "X001", "365+", 2, D("6.9")),
        (3, "X002", "181-365", 4, D("2")),
        (4, "X003", None, 0, D("0")),
    ]
    assert dict(reading.totals) == {"USD": D("10.40")}


def test_overage_fees(tmp_path: Path) -> None:
    text = tabbed(
        "charged_date | country_code | storage_type | charge_rate | storage_usage_volume | storage_limit_volume"
        " | overage_volume | volume_unit | charged_fee_amount | currency_code",
        "2026-03-01 | US | Standard | 10.00 | 120.5 | 100 | 20.5 | cubic feet | 205.00 | USD",
    )
    reading = read(tmp_path, text)
    assert reading.family == "overage_fees"
    got = rows(reading).row(0, named=True)
    assert (got["charged_on"], got["amount"], got["overage_volume"]) == (date(2026, 3, 1), D("205"), D("20.5"))
