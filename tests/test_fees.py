"""The five fee audits on cases worked out by hand. Cards: see test_cards.py."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from fee_books import books, preview, product, sale

from recon_lib.audits.base import AuditResult
from recon_lib.audits.fee_items import _store
from recon_lib.audits.fees import fees
from recon_lib.claims import finish
from recon_lib.policy import load_policy

DAY = date(2025, 5, 20)  # non-peak, no surcharge
SMALL = ("10", "8", "0.5")  # small standard, 4 oz: 3.15
BIG = ("10", "8", "5")  # large standard, 2.88 lb dimensional: 3 lb band 6.62


def run(**given: Any) -> AuditResult:
    return fees(books(**given), load_policy())


def owed(result: AuditResult) -> list[tuple[str, str, str]]:
    return [
        (a, o, f"{v:.2f}") for a, o, v in result.findings.sort("fact").select("audit", "order_id", "owed").iter_rows()
    ]


def unknown(result: AuditResult, audit: str) -> list[tuple[str, str, int | None]]:
    rows = result.not_checked.filter(pl.col("audit") == audit).sort("subject", "reason")
    return rows.select("subject", "reason", "count").rows()


# --- fulfilment fee -----------------------------------------------------------------------------------------------


def test_fulfilment_above_the_card_by_more_than_a_cent_a_unit() -> None:
    lines = [
        *sale("1", DAY, "A", fulfilment="-3.15"),  # the card
        *sale("2", DAY, "A", fulfilment="-3.16"),  # within one cent
        *sale("3", DAY, "A", fulfilment="-3.17"),  # two cents above
        *sale("4", DAY, "A", fulfilment="-2.00"),  # below: never
        *sale("5", DAY, "A", units=3, price="60.00", fulfilment="-9.48"),  # three cents on three units: within
        *sale("6", DAY, "A", units=3, price="60.00", fulfilment="-9.49"),  # four cents above 9.45
        *sale("7", DAY, "A", units=2, price="19.98", fulfilment="-6.30"),  # 9.99 a unit: low price, 2.38 each
    ]
    result = run(settlement_lines=lines, fee_preview=[preview("A", SMALL, "0.25")])
    expected = [("3", "0.02"), ("6", "0.04"), ("7", "1.54")]
    assert owed(result) == [("fulfilment_fee_overcharge", *e) for e in expected]
    found = result.findings.sort("fact").row(2, named=True)
    assert (found["quantity"], found["unit_value"], found["currency"]) == (2, Decimal("0.7700"), "USD")
    assert (found["event_on"], found["anchor_on"], found["claim_type"]) == (DAY, DAY, "fee_weight_dimension")
    assert (found["asin"], found["fnsku"], found["reference_id"], found["value_basis"]) == (
        "A-A",
        "X-A",
        "S1",
        "charge",
    )
    assert found["lines"] == ["S1.txt:101", "preview.txt:2"]
    assert (
        "charged 6.30 for 2 units; card for Amazon's measure (small_standard, low_price, price 9.99) 2.38 a unit: "
        in found["arithmetic"]
    )
    assert "6.30 - 2 x 2.38 = 1.54; size_tiers_us line " in found["arithmetic"]


def test_several_lines_of_one_item_fee_add_up_and_the_quantity_stands_on_each() -> None:
    lines = sale("1", DAY, "A", units=2, price="40.00", fulfilment="-4.00") + [
        row | {"line": 900} for row in sale("1", DAY, "A", units=2, price="40.00", fulfilment="-3.00")[1:]
    ]
    result = run(settlement_lines=lines, fee_preview=[preview("A", SMALL, "0.25")])
    assert owed(result) == [("fulfilment_fee_overcharge", "1", "0.70")]  # 7.00 - 2 x 3.15
    assert result.findings["lines"].to_list() == [["S1.txt:101", "S1.txt:900", "preview.txt:2"]]


@pytest.mark.parametrize(
    ("day", "fee", "expected"),
    [
        (date(2024, 4, 14), "-3.40", "0.09"),  # 3.31 until then
        (date(2024, 4, 15), "-3.40", "0.25"),  # 3.15 from then
        (date(2024, 10, 14), "-3.34", "0.19"),
        (date(2024, 10, 15), "-3.34", None),  # peak card
        (date(2025, 1, 14), "-3.34", None),
        (date(2025, 1, 15), "-3.34", "0.19"),
        (date(2026, 4, 16), "-3.54", "0.12"),  # 3.42
        (date(2026, 4, 17), "-3.54", None),  # with 3.5 % surcharge
    ],
)
def test_the_card_of_the_posted_day_holds(day: date, fee: str, expected: str | None) -> None:
    result = run(
        as_of=date(2026, 6, 30),
        settlement_lines=sale("1", day, "A", fulfilment=fee),
        fee_preview=[preview("A", SMALL, "0.25")],
    )
    assert owed(result) == ([("fulfilment_fee_overcharge", "1", expected)] if expected else [])


def test_the_older_layout_tells_the_quantity_on_a_row_of_its_own() -> None:
    sold = sale(
        "1", DAY, "A", units=2, price="40.00", fulfilment="-7.30", commission="-6.00"
    )  # 3.65 each, 3.15 on the card
    lines = [row | {"quantity": None} for row in sold]
    lines.append(
        lines[0] | {"line": 99, "amount_type": None, "amount_description": None, "amount": "0.00", "quantity": 2}
    )
    result = run(settlement_lines=lines, fee_preview=[preview("A", SMALL, "0.25")])
    assert owed(result) == [("fulfilment_fee_overcharge", "1", "1.00")]
    assert result.findings["quantity"].to_list() == [2]


def test_what_cannot_be_known_about_fulfilment_is_counted() -> None:
    lines = [
        *sale("1", DAY, "A", fulfilment="-9.00"),  # no preview row
        *sale("2", DAY, "B", fulfilment="-9.00"),  # measure missing
        *sale("3", date(2023, 11, 1), "C", fulfilment="-9.00"),  # peak of 2023: no row for 5 oz
        *sale("4", DAY, "C", fulfilment="-9.00", store="Non-Amazon US"),
        *sale("5", DAY, "C", fulfilment="-9.00", store="Amazon.ca"),
        *[row for row in sale("6", DAY, "C", fulfilment="-9.00") if row["amount_description"] != "Principal"],
    ]
    result = run(
        settlement_lines=lines, fee_preview=[preview("B", (None, "1", "1"), "1"), preview("C", SMALL, "0.3125")]
    )  # type: ignore[arg-type]
    assert owed(result) == []
    assert unknown(result, "fulfilment_fee_overcharge") == [
        ("A", "size not in the fee preview", 1),
        ("B", "measure missing", 1),
        ("C", "no rate row", 1),
        ("C", "price unknown", 1),
        ("no Amazon store", "not of the store US: another card", 1),
        ("sold in CA", "not of the store US: another card", 1),
    ]


def test_two_previews_of_one_product_claim_only_above_the_larger_size() -> None:
    sizes = [preview("A", SMALL, "0.25"), preview("A", BIG, "1", line=3)]
    lines = sale("1", DAY, "A", fulfilment="-6.62") + sale("2", DAY, "A", fulfilment="-7.00")
    assert owed(run(settlement_lines=lines, fee_preview=sizes)) == [("fulfilment_fee_overcharge", "2", "0.38")]


def test_no_report_is_said() -> None:
    result = run()
    assert result.findings.is_empty()
    assert set(result.not_checked["audit"]) == {
        "fulfilment_fee_overcharge", "measurement_error", "referral_fee_error", "refund_fee_kept", "storage_fee_overcharge",
    }  # fmt: skip
    result = run(settlement_lines=sale("1", DAY, "A", fulfilment="-9.00", commission="-9.00"))
    assert ("fee_preview", "report missing", 1) in unknown(result, "fulfilment_fee_overcharge")
    assert ("products", "report missing", 1) in unknown(result, "measurement_error")
    assert unknown(result, "referral_fee_error") == [("products", "report missing", 1)]


# --- measurement --------------------------------------------------------------------------------------------------


def test_the_seller_measures_less_than_amazon() -> None:
    amazon, seller = [preview("A", BIG, "1")], [product("A", "Toys and Games", SMALL, "4", weight_unit="oz")]
    lines = [
        *sale("1", DAY, "A", fulfilment="-6.62"),  # Amazon's card; 3.15 by the seller's measure
        *sale("2", DAY, "A", fulfilment="-7.62"),  # above both: 1.00 and the rest of 3.47
        *sale("3", DAY, "A", fulfilment="-5.00"),  # not Amazon's card: another reason, not this one
        *sale("4", DAY, "A", units=2, price="40", fulfilment="-13.24"),
    ]
    result = run(settlement_lines=lines, fee_preview=amazon, products=seller)
    assert sorted(owed(result)) == [
        ("fulfilment_fee_overcharge", "2", "1.00"),
        ("measurement_error", "1", "3.47"),
        ("measurement_error", "2", "3.47"),
        ("measurement_error", "4", "6.94"),
    ]
    row = result.findings.filter(pl.col("order_id") == "2", pl.col("audit") == "measurement_error").row(0, named=True)
    assert row["lines"] == ["S1.txt:101", "preview.txt:2", "books/products.csv:2"]
    assert (
        "charged 7.62 for 1 unit, of which 6.62 on Amazon's own card; card for the seller's measure (small_standard, standard"
        in row["arithmetic"]
    )


def test_the_seller_measures_more_or_nothing() -> None:
    lines = sale("1", DAY, "A", fulfilment="-3.15") + sale("2", DAY, "B", fulfilment="-3.15")
    result = run(settlement_lines=lines, fee_preview=[preview("A", SMALL, "0.25"), preview("B", SMALL, "0.25")],
                 products=[product("A", None, BIG, "1"), product("B", "Toys and Games")])  # fmt: skip
    assert owed(result) == []
    assert unknown(result, "measurement_error") == [("B", "no measure of the seller's own", 1)]


def test_the_measure_of_the_day_counts() -> None:
    seller = [
        product("A", None, BIG, "1", cost_from=date(2024, 1, 1)),
        product("A", None, SMALL, "0.25", cost_from=DAY, line=3),
    ]
    lines = sale("1", DAY - timedelta(days=1), "A", fulfilment="-6.62") + sale("2", DAY, "A", fulfilment="-6.62")
    assert owed(run(settlement_lines=lines, fee_preview=[preview("A", BIG, "1")], products=seller)) == [
        ("measurement_error", "2", "3.47")
    ]


# --- referral fee -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "price", "units", "more", "charged", "expected"),
    [
        ("Toys and Games", "20.00", 1, {}, "-3.00", None),
        ("Toys and Games", "20.00", 1, {}, "-3.01", None),
        ("Toys and Games", "20.00", 1, {}, "-3.02", "0.02"),
        ("  toys AND games ", "20.00", 1, {}, "-4.00", "1.00"),
        ("Toys and Games", "20.00", 1, {"shipping": "5.00"}, "-4.00", "0.25"),  # 25.00 x 15 % = 3.75
        ("Toys and Games", "20.00", 1, {"promotion": "-2.00"}, "-3.00", "0.30"),  # 18.00 x 15 %
        ("Toys and Games", "20.00", 1, {"tax": "1.60"}, "-3.24", "0.24"),  # tax is no base
        ("Toys and Games", "1.00", 1, {}, "-0.30", None),  # minimum
        ("Toys and Games", "2.00", 2, {}, "-0.70", "0.10"),  # minimum on each of two
        ("Beauty, Health and Personal Care", "10.00", 1, {}, "-1.50", "0.70"),  # 8 % up to 10.00
        ("Beauty, Health and Personal Care", "10.01", 1, {}, "-1.50", None),  # 15 % of the whole above
        ("Beauty, Health and Personal Care", "20.00", 2, {}, "-3.00", "1.40"),  # 10.00 a unit: 8 %
        ("Clothing and Accessories", "15.00", 1, {}, "-1.50", "0.75"),  # 5 %
        ("Clothing and Accessories", "15.01", 1, {}, "-1.50", None),  # 10 %
        ("Clothing and Accessories", "20.00", 1, {}, "-3.40", "1.40"),  # 10 %
        ("Clothing and Accessories", "20.01", 1, {}, "-3.40", None),  # 17 %
        ("Furniture", "300.00", 1, {}, "-45.00", "5.00"),  # 200 x 15 % + 100 x 10 % = 40
        ("Furniture", "400.00", 2, {}, "-60.00", None),  # 200 a unit: all at 15 %
        ("Furniture", "600.00", 2, {}, "-90.00", "10.00"),  # 2 x 40
        ("Fine Art", "6000.00", 1, {}, "-700.00", "95.00"),  # 20 + 135 + 400 + 50 = 605
        ("Grocery and Gourmet", "1.00", 1, {}, "-0.30", "0.22"),  # no minimum: 8 %
    ],
)
def test_commission(
    category: str, price: str, units: int, more: dict[str, str], charged: str, expected: str | None
) -> None:
    lines = sale("1", DAY, "A", units=units, price=price, commission=charged, **more)  # type: ignore[arg-type]
    result = run(settlement_lines=lines, products=[product("A", category)])
    assert owed(result) == ([("referral_fee_error", "1", expected)] if expected else [])
    assert unknown(result, "referral_fee_error") == []


def test_commission_by_era() -> None:
    goods = [product("A", "Clothing and Accessories")]
    old = sale("1", date(2024, 1, 14), "A", price="10.00", commission="-1.70")  # 17 % until then
    new = sale("2", date(2024, 1, 15), "A", price="10.00", commission="-1.70")  # 5 %
    assert owed(run(settlement_lines=old + new, products=goods)) == [("referral_fee_error", "2", "1.20")]


def test_commission_in_words() -> None:
    result = run(settlement_lines=sale("1", DAY, "A", commission="-4.00", units=1), products=[product("A", "Jewelry")])
    assert owed(result) == []  # 20 %: 4.00
    result = run(settlement_lines=sale("1", DAY, "A", commission="-4.00"), products=[product("A", "Toys and Games")])
    row = result.findings.row(0, named=True)
    assert row["arithmetic"].startswith(
        "charged 4.00 for 1 unit at 20.00; Toys and Games 15 % gives 3.00: 4.00 - 3.00 = 1.00; referral_fees_us line "
    )
    assert row["lines"] == ["S1.txt:101", "books/products.csv:2"]
    assert row["claim_type"] == "fee_referral"


def test_unknown_commission_is_counted() -> None:
    lines = [
        *sale("1", DAY, "A", commission="-9.00"),
        *sale("2", DAY, "B", commission="-9.00"),
        *sale("3", date(2023, 1, 1), "C", commission="-9.00"),
        *sale("4", DAY, "D", commission="-9.00"),
    ]
    goods = [product("A", "Spaceships"), product("B"), product("C", "Toys and Games")]
    result = run(settlement_lines=lines, products=goods)
    assert owed(result) == []
    assert unknown(result, "referral_fee_error") == [
        ("Spaceships", "unmapped category", 1),
        ("Toys and Games", "no rate row", 1),
        ("not given", "unknown category", 2),
    ]


def test_a_store_without_a_referral_table_is_named_and_not_its_categories() -> None:
    lines = [
        *sale("1", DAY, "A", commission="-9.00", marketplace="JP"),
        *sale("2", DAY, "B", commission="-9.00", marketplace="JP"),
    ]
    goods = [product("A"), product("B", "Toys and Games")]
    result = run(settlement_lines=lines, products=goods, marketplace="JP")
    assert unknown(result, "referral_fee_error") == [("JP", "no referral table for this marketplace", 2)]


def test_an_uncertain_rate_row_counts_and_is_marked() -> None:
    result = run(
        settlement_lines=sale("1", DAY, "A", price="300.00", commission="-60.00"),
        products=[product("A", "Sports Collectibles")],
    )
    assert owed(result) == [("referral_fee_error", "1", "25.00")]  # 100 x 15 % + 200 x 10 % = 35
    assert result.findings["reason"].to_list() == ["rate row is uncertain"]


# --- refunds ------------------------------------------------------------------------------------------------------


def refund(order: str, day: date, price: str, given: str | None, kept: str | None, **more: Any) -> list[dict[str, Any]]:
    return sale(
        order,
        day,
        "A",
        price=price,
        commission=given,
        kept=kept,
        kind="Refund",
        adjustment=f"ADJ{order}{day}",
        start=500,
        **more,
    )


@pytest.mark.parametrize(
    ("commission", "price", "units", "back", "given", "kept", "expected"),
    [
        # a real refund: 60.00 back, commission 9.63, kept 1.93 = 20 % of 9.63 rounded
        ("-9.63", "60.00", 1, "-60.00", "9.63", "-1.93", None),
        ("-9.63", "60.00", 1, "-60.00", "9.63", "-2.93", "1.00"),  # due 7.70 (7.704), got 6.70
        ("-9.63", "60.00", 1, "-60.00", None, None, "7.70"),  # nothing came back
        ("-9.63", "60.00", 1, "-60.00", "9.63", None, None),  # more than due
        ("-3.00", "20.00", 1, "-20.00", "3.00", "-0.61", None),  # one cent
        ("-3.00", "20.00", 1, "-20.00", "3.00", "-0.62", "0.02"),
        ("-3.00", "20.00", 1, "-10.00", "1.50", "-0.30", None),  # half back: half of 2.40
        ("-3.00", "20.00", 1, "-10.00", "1.50", "-0.60", "0.30"),
        ("-45.00", "300.00", 1, "-300.00", "45.00", "-9.00", "4.00"),  # at most 5.00 kept: due 40.00, got 36.00
        ("-90.00", "600.00", 2, "-600.00", "90.00", "-10.00", None),  # 5.00 on each of two
        ("-90.00", "600.00", 2, "-300.00", "45.00", "-9.00", "4.00"),  # one of two
        ("-3.00", "20.00", 1, "-25.00", "3.00", "-0.60", None),  # more back than charged: a whole refund
    ],
)
def test_refund_fee(
    commission: str, price: str, units: int, back: str, given: str | None, kept: str | None, expected: str | None
) -> None:
    lines = sale("1", date(2025, 3, 1), "A", price=price, commission=commission, units=units)
    result = run(settlement_lines=lines + refund("1", DAY, back, given, kept))
    assert owed(result) == ([("refund_fee_kept", "1", expected)] if expected else [])
    if expected:
        assert result.findings["event_on"].to_list() == [DAY]
        assert result.findings["claim_type"].to_list() == ["fee_referral"]


def test_part_refunds_of_one_order_are_each_their_own_charge() -> None:
    lines = sale("1", date(2025, 3, 1), "A", commission="-3.00")
    lines += refund("1", DAY, "-10.00", "1.50", "-0.30") + refund("1", DAY + timedelta(days=2), "-5.00", "0.30", None)
    result = run(settlement_lines=lines)
    assert owed(result) == [("refund_fee_kept", "1", "0.30")]  # a quarter of 2.40 is 0.60
    row = result.findings.row(0, named=True)
    assert row["event_on"] == DAY + timedelta(days=2)
    assert row["quantity"] is None  # less than a unit
    assert row["lines"] == ["S1.txt:500", "S1.txt:501", "S1.txt:101"]
    assert (
        "commission 3.00, of which 0.60 may be kept; refunded 5.00 of 20.00: 0.60 due; given back 0.30 - 0.00 kept"
        in row["arithmetic"]
    )


def test_refunds_that_cannot_be_judged_are_counted() -> None:
    assert unknown(run(settlement_lines=refund("1", DAY, "-10.00", None, None)), "refund_fee_kept") == [
        ("A", "order not in the settlements", 1)
    ]
    uk = sale("1", DAY, "A", marketplace="UK", commission="-3.00") + refund(
        "1", DAY, "-20.00", None, None, marketplace="UK"
    )
    assert unknown(run(settlement_lines=uk, marketplace="UK"), "refund_fee_kept") == [
        ("UK", "no sourced refund administration fee", 1)
    ]
    de = sale("1", DAY, "A", marketplace="DE", commission="-3.00") + refund(
        "1", DAY, "-20.00", "3.00", "-1.60", marketplace="DE"
    )
    assert owed(run(settlement_lines=de, marketplace="DE")) == [("refund_fee_kept", "1", "1.00")]  # 20 %, at most 5.00
    # the euro stores have one rule; a British sale of the same account has none
    french = [row | {"marketplace_name": "Amazon.fr"} for row in de]
    assert owed(run(settlement_lines=french, marketplace="DE")) == [("refund_fee_kept", "1", "1.00")]
    british = [row | {"marketplace_name": "Amazon.co.uk"} for row in de]
    assert unknown(run(settlement_lines=british, marketplace="DE"), "refund_fee_kept") == [
        ("A", "not of this store: another rule", 1)
    ]


# --- storage ------------------------------------------------------------------------------------------------------


def stored(month: date, fee: str, **more: Any) -> dict[str, Any]:
    """0.1 cubic feet x 50 on average = 5 cubic feet."""
    return {
        "file": "storage.txt", "line": 2, "month_on": month, "asin": "A-A", "fnsku": "X-A", "fulfillment_center": "ONT8",
        "country": "US", "item_volume": "0.1", "volume_unit": "cubic feet", "size_tier": "Standard-Size", "average_quantity": "50",
        "currency": "USD", "estimated_fee": fee,
    } | more  # fmt: skip


@pytest.mark.parametrize(
    ("month", "fee", "more", "expected"),
    [
        (date(2025, 5, 1), "3.91", {}, None),  # 5 x 0.78 = 3.90
        (date(2025, 5, 1), "3.92", {}, "0.02"),
        (date(2025, 5, 1), "12.00", {}, "8.10"),
        (date(2025, 5, 1), "3.92", {"size_tier": "UsLargeOversize"}, "1.12"),  # 0.56
        (date(2024, 9, 1), "12.00", {}, "8.10"),
        (date(2024, 10, 1), "12.00", {}, None),  # 2.40 in the last quarter
        (date(2024, 3, 1), "4.35", {}, None),  # 0.87 until March 2024
        (date(2024, 4, 1), "4.35", {}, "0.45"),
        (date(2025, 5, 1), "3.92", {"item_volume": "2831.6846592", "volume_unit": "cubic centimeters"}, "0.02"),
        (
            date(2025, 5, 1),
            "6.10",
            {"utilization_surcharge_rate": "0.44"},
            None,
        ),  # 0.78 + 0.44 = 1.22: a step of the table
        (date(2025, 5, 1), "7.10", {"utilization_surcharge_rate": "0.44"}, "1.00"),
        (date(2025, 5, 1), "3.95", {"estimated_total_volume": "5.05"}, None),  # rounded volume: the total bears it out
        (date(2025, 5, 1), "3.99", {"estimated_total_volume": "5.05"}, "0.09"),
    ],
)
def test_storage(month: date, fee: str, more: dict[str, Any], expected: str | None) -> None:
    result = run(storage_fees=[stored(month, fee, **more)], products=[product("A")])
    assert [f"{v:.2f}" for v in result.findings["owed"]] == ([expected] if expected else [])
    if expected:
        row = result.findings.row(0, named=True)
        assert (row["event_on"], row["sku"], row["fnsku"]) == (pl.Series([month]).dt.month_end()[0], "A", "X-A")
        assert row["lines"] == ["storage.txt:2"]
        assert row["status"] is None  # the window decides, not the status of the rate row


@pytest.mark.parametrize(("written", "store"), [("Amazon.co.jp", "JP"), ("Amazon.jp", "JP"), ("Non-Amazon", "other")])
def test_a_store_is_known_by_each_of_its_names(written: str, store: str) -> None:
    assert pl.DataFrame({"marketplace_name": [written]}).select(_store()).item() == store


def test_storage_at_the_plain_rate_is_judged_though_the_first_step_of_the_surcharge_is_that_rate() -> None:
    """5 cubic feet: 3.90 at 0.78, the step up to 22 weeks; 6.10 at 1.22, the next one."""
    rows = [stored(date(2025, 5, 1), fee) for fee in ("3.90", "3.91", "3.00", "6.10")]
    result = run(storage_fees=rows, products=[product("A")])
    assert result.findings.is_empty()
    assert unknown(result, "storage_fee_overcharge") == [
        ("storage_fees", "rate may hold a utilisation surcharge that the report does not show", 1)
    ]


def test_storage_that_cannot_be_known_is_counted() -> None:
    month = date(2025, 5, 1)
    rows = [
        stored(month, "9", size_tier=None),
        stored(month, "9", item_volume=None),
        stored(date(2022, 5, 1), "9"),
        stored(month, "9", country="CA"),
        stored(month, "9", utilization_surcharge_rate="0.11"),
        stored(month, "6.10", storage_rate="1.22"),
    ]
    result = run(storage_fees=rows)
    assert result.findings.is_empty()
    assert unknown(result, "storage_fee_overcharge") == [
        ("storage_fees", "no rate row", 1),
        ("storage_fees", "rate may hold a utilisation surcharge that the report does not show", 1),
        ("storage_fees", "stored in another country: another card", 1),
        ("storage_fees", "unknown size class", 1),
        ("storage_fees", "utilisation surcharge not in the table", 1),
        ("storage_fees", "volume or quantity unknown", 1),
    ]


def test_equal_storage_rows_are_two_charges() -> None:
    rows = [stored(date(2025, 5, 1), "5.90"), stored(date(2025, 5, 1), "5.90", line=3)]
    assert run(storage_fees=rows).findings["fact"].n_unique() == 2


def test_storage_in_the_uk_by_category() -> None:
    row = stored(date(2026, 9, 1), "4.00", country="GB", currency="GBP")
    dress = run(marketplace="UK", storage_fees=[row], products=[product("A", "Clothing and Accessories")])
    assert [f"{v:.2f}" for v in dress.findings["owed"]] == ["0.90"]  # 5 x 0.62 = 3.10
    assert dress.findings["reason"].to_list() == ["rate row is uncertain"]
    other = run(marketplace="UK", storage_fees=[row], products=[product("A", "Toys and Games")])
    assert [f"{v:.2f}" for v in other.findings["owed"]] == ["0.20"]  # 5 x 0.76 = 3.80


# --- corrections --------------------------------------------------------------------------------------------------


def correction(day: date, amount: str, order: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "file": "reimbursements.txt", "line": 2, "approved_on": day, "reimbursement_id": "R1", "reason": "Fee_Correction", "sku": "A",
        "order_id": order, "currency": "USD", "amount_total": amount, "quantity_cash": 1, "quantity_inventory": 0, "quantity_total": 1,
    } | more  # fmt: skip


def charged_too_much() -> dict[str, Any]:
    lines = sale("1", DAY, "A", fulfilment="-4.15") + sale("2", DAY + timedelta(days=1), "A", fulfilment="-4.65")
    return {"settlement_lines": lines, "fee_preview": [preview("A", SMALL, "0.25")]}  # 1.00 and 1.50


def test_a_correction_settles_the_oldest_finding_of_its_sku() -> None:
    paid = DAY + timedelta(days=9)
    result = run(**charged_too_much(), reimbursements=[correction(paid, "1.20")])
    assert owed(result) == [("fulfilment_fee_overcharge", "2", "1.30")]
    assert "0.20 corrected since, 1.30 is left" in result.findings["arithmetic"][0]
    assert "reimbursements.txt:2" in result.findings["lines"][0]
    history = result.settled.select("audit", "event_on", "paid_on", "amount", "order_id", "reimbursement_id").rows()
    assert history == [
        ("fulfilment_fee_overcharge", DAY, paid, Decimal("1.0000"), "1", "R1"),
        ("fulfilment_fee_overcharge", DAY + timedelta(days=1), paid, Decimal("0.2000"), "2", "R1"),
    ]


def test_a_correction_that_names_an_order_settles_that_order_only() -> None:
    result = run(**charged_too_much(), reimbursements=[correction(DAY + timedelta(days=9), "9.00", "2")])
    assert owed(result) == [("fulfilment_fee_overcharge", "1", "1.00")]


def test_a_correction_never_settles_a_later_charge() -> None:
    result = run(**charged_too_much(), reimbursements=[correction(DAY, "9.00")])
    assert owed(result) == [("fulfilment_fee_overcharge", "2", "1.50")]


def test_report_and_settlement_line_of_one_correction_are_one_payment() -> None:
    given = charged_too_much()
    line = sale("1", DAY + timedelta(days=12), "A", price="1.00")[0] | {
        "order_id": None, "transaction_type": "other-transaction", "amount_type": "FBA Inventory Reimbursement",
        "amount_description": "INCORRECT_FEES_NON_ITEMIZED", "order_item_code": None, "shipment_id": None,
    }  # fmt: skip
    given["settlement_lines"] = [*given["settlement_lines"], line]
    only_line = run(**given)
    assert owed(only_line) == [("fulfilment_fee_overcharge", "2", "1.50")]
    assert only_line.settled["settled_on"].to_list() == [DAY + timedelta(days=12)]
    both = run(**given, reimbursements=[correction(DAY + timedelta(days=9), "1.00")])
    assert owed(both) == [("fulfilment_fee_overcharge", "2", "1.50")]


# --- together with the claim window -------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "status"), [(0, "claimable"), (90, "claimable"), (91, "expired")])
def test_fee_windows_to_the_day(days: int, status: str) -> None:
    given = {
        "settlement_lines": [
            *sale("1", DAY, "A", fulfilment="-9.00", commission="-9.00"), *refund("1", DAY, "-20.00", None, None),
        ],
        "fee_preview": [preview("A", SMALL, "0.25")], "products": [product("A", "Toys and Games", ("10", "8", "0.4"), "0.125")],
        "storage_fees": [stored(date(2025, 5, 1), "9.00")],
    }  # fmt: skip
    day = books(as_of=DAY + timedelta(days=days), **given)
    found = finish(fees(day, load_policy()).findings, day, load_policy())
    assert found.filter(pl.col("audit") != "storage_fee_overcharge")["status"].unique().to_list() == [status]
    assert set(found["audit"]) == {
        "fulfilment_fee_overcharge", "measurement_error", "referral_fee_error", "refund_fee_kept", "storage_fee_overcharge",
    }  # fmt: skip
    storage = found.filter(pl.col("audit") == "storage_fee_overcharge").row(0, named=True)
    assert (storage["claim_from"], storage["claim_by"]) == (date(2025, 5, 31), date(2025, 8, 29))
    assert "claim window is uncertain" in storage["reason"]


def test_row_order_is_irrelevant() -> None:
    given = charged_too_much()
    one = run(**given).findings
    given["settlement_lines"] = given["settlement_lines"][::-1]
    assert run(**given).findings.rows() == one.rows()
