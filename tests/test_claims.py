"""Windows, statuses, values and evidence, worked out by hand at every first and last day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from fee_books import books, product, rows, sale

from recon_lib import frames
from recon_lib.claims import finish
from recon_lib.errors import RunError
from recon_lib.policy import load_policy

EVENT = date(2025, 5, 1)


def raw(
    audit: str = "warehouse_lost", claim_type: str | None = "fc_lost_or_damaged", on: date = EVENT, **cells: Any
) -> dict[str, Any]:
    base = {
        "audit": audit, "fact": f"{audit} {on}", "event_on": on, "anchor_on": on, "claim_type": claim_type, "sku": "A", "fnsku": "X-A",
        "quantity": 2, "currency": "USD", "value_basis": "before_order", "lines": ["ledger.csv:7"], "arithmetic": "3 lost - 1 found = 2",
    }  # fmt: skip
    return base | cells


def found(
    as_of: date, *given: dict[str, Any], store: str = "US", register: pl.DataFrame | None = None, **families: Any
) -> list[dict[str, Any]]:
    day = books(as_of=as_of, marketplace=store, **families)
    out = finish(rows(frames.RawFinding, list(given)), day, load_policy(), register)
    assert out.columns == list(frames.Finding.column_names())
    frames.Finding.validate(out)
    return out.to_dicts()


def one(as_of: date, *args: Any, **more: Any) -> dict[str, Any]:
    (row,) = found(as_of, *args, **more)
    return row


def window(row: dict[str, Any]) -> tuple[date | None, date | None]:
    return row["claim_from"], row["claim_by"]


# --- windows ------------------------------------------------------------------------------------------------------

WINDOWS = [
    # claim type, store, filing day, event -> first and last day
    ("fc_lost_or_damaged", "US", date(2025, 6, 1), EVENT, EVENT, date(2025, 6, 30)),  # 60 days
    ("fc_lost_or_damaged", "US", date(2024, 10, 23), date(2024, 10, 1), date(2024, 10, 1), date(2024, 11, 30)),
    ("fc_lost_or_damaged", "US", date(2024, 10, 22), date(2024, 10, 1), date(2024, 10, 1), date(2026, 4, 1)),  # 18 months
    ("fc_lost_or_damaged", "US", date(2024, 10, 22), date(2024, 8, 31), date(2024, 8, 31), date(2026, 2, 28)),  # no 31 February
    ("customer_return", "US", date(2025, 6, 1), EVENT, date(2025, 6, 30), date(2025, 8, 29)),  # 60 to 120 days
    ("customer_return", "US", date(2024, 10, 22), date(2024, 9, 1), date(2024, 10, 16), date(2026, 3, 1)),  # 45 days, 18 months
    ("customer_return", "UK", date(2025, 6, 1), EVENT, date(2025, 6, 15), date(2025, 8, 14)),  # 45 to 105 days
    ("customer_return", "DE", date(2025, 1, 8), date(2024, 12, 1), date(2025, 1, 15), date(2026, 6, 1)),
    ("customer_return", "DE", date(2025, 1, 9), date(2024, 12, 1), date(2025, 1, 15), date(2025, 3, 16)),
    ("customer_return", "JP", date(2025, 6, 1), EVENT, date(2025, 6, 15), date(2025, 8, 14)),
    ("shipment_to_amazon", "US", date(2025, 6, 1), date(2025, 5, 31), date(2025, 5, 31), date(2026, 2, 28)),  # 9 months
    ("shipment_to_amazon", "UK", date(2025, 6, 1), EVENT, EVENT, date(2025, 11, 1)),  # 6 months
    ("removal_lost_in_transit", "US", date(2025, 6, 1), EVENT, date(2025, 5, 16), date(2025, 7, 15)),  # 15 to 75 days
    ("fee_weight_dimension", "US", date(2025, 6, 1), EVENT, EVENT, date(2025, 7, 30)),  # 90 days
    ("fee_referral", "DE", date(2025, 6, 1), EVENT, EVENT, date(2025, 7, 30)),  # the usual 90 days
    ("reimbursement_revaluation", "US", date(2025, 6, 1), EVENT, EVENT, date(2025, 6, 30)),  # 60 days
    ("reimbursement_revaluation", "UK", date(2025, 6, 1), EVENT, EVENT, date(2025, 6, 30)),
    ("fc_lost_or_damaged", "NL", date(2025, 6, 1), EVENT, EVENT, date(2025, 6, 30)),  # as in Germany
    ("customer_return", "NL", date(2025, 6, 1), EVENT, date(2025, 6, 15), date(2025, 8, 14)),
    ("fc_lost_or_damaged", "CA", date(2025, 6, 1), EVENT, EVENT, date(2025, 6, 30)),  # as in the US
    ("shipment_to_amazon", "AE", date(2025, 6, 1), EVENT, date(2025, 5, 16), date(2025, 6, 30)),  # 15 to 60 days
]  # fmt: skip


@pytest.mark.parametrize(("claim_type", "store", "filed", "event", "first", "last"), WINDOWS)
def test_windows(claim_type: str, store: str, filed: date, event: date, first: date, last: date) -> None:
    row = one(filed, raw("disposed_without_order", claim_type, event), store=store)
    assert window(row) == (first, last)


@pytest.mark.parametrize(
    ("claim_type", "store", "filed", "event", "first", "last"), [w for w in WINDOWS if w[2] == date(2025, 6, 1)]
)
def test_status_on_the_first_and_last_day(
    claim_type: str, store: str, filed: date, event: date, first: date, last: date
) -> None:
    given = raw("disposed_without_order", claim_type, event)
    days = {
        first - timedelta(days=1): "waiting",
        first: "claimable",
        last: "claimable",
        last + timedelta(days=1): "expired",
    }
    if first == event:
        days.pop(first - timedelta(days=1))
    assert {day: one(day, given, store=store)["status"] for day in days} == days


def test_new_windows_close_old_losses_on_the_day_they_begin() -> None:
    loss = raw("warehouse_damaged", on=date(2024, 8, 1))
    assert one(date(2024, 10, 22), loss)["status"] == "claimable"
    assert one(date(2024, 10, 23), loss)["status"] == "expired"


def test_a_window_borrowed_or_usual_is_marked() -> None:
    row = one(date(2025, 5, 20), raw(), store="CA")
    assert "claim window is uncertain" in row["reason"]
    assert "US fc_lost_or_damaged from 2024-10-23 (documented; Amazon seller announcement" in row["evidence"]
    assert "borrowed for CA: uncertain" in row["evidence"]
    row = one(date(2025, 5, 20), raw("referral_fee_error", "fee_referral"), store="UK")
    assert "no row of claim_windows for UK fee_referral: the usual 90 days (uncertain)" in row["evidence"]
    assert "claim window is uncertain" in row["reason"]
    assert "uncertain" not in (one(date(2025, 5, 20), raw("referral_fee_error", "fee_referral"))["reason"] or "")
    assert "claim window is uncertain" in one(date(2025, 5, 20), raw("x", "shipment_to_amazon"))["reason"]


def test_the_uae_tells_lost_and_damaged_apart() -> None:
    lost = one(date(2025, 5, 20), raw(), store="AE")["evidence"]
    damaged = one(date(2025, 5, 20), raw("warehouse_damaged"), store="AE")["evidence"]
    assert "AE fc_lost from 2024-09-05" in lost
    assert "AE fc_damaged from 2024-09-05" in damaged


# --- waiting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audit", ["warehouse_lost", "warehouse_damaged"])
def test_amazon_gets_ten_days_to_pay_by_itself(audit: str) -> None:
    early, due = one(EVENT + timedelta(days=9), raw(audit)), one(EVENT + timedelta(days=10), raw(audit))
    assert (early["status"], due["status"]) == ("waiting", "claimable")
    assert early["reason"].startswith("Amazon's usual time to pay by itself runs until 2025-05-11")
    assert window(early) == window(due) == (EVENT, date(2025, 6, 30))


def test_the_rest_of_europe_is_paid_by_itself_too_and_a_borrowed_american_row_does_not_say_so() -> None:
    early = {store: one(EVENT + timedelta(days=9), raw(), store=store) for store in ("NL", "SE", "CA")}
    assert {store: row["status"] for store, row in early.items()} == {
        "NL": "waiting", "SE": "waiting", "CA": "claimable",
    }  # fmt: skip
    assert all("claim window is uncertain" in row["reason"] for row in early.values())
    assert one(EVENT + timedelta(days=10), raw(), store="NL")["status"] == "claimable"


def test_before_automatic_payment_lost_units_get_thirty_days_to_be_found() -> None:
    day = date(2024, 10, 1)
    assert one(date(2024, 10, 30), raw(on=day))["status"] == "waiting"
    assert one(date(2024, 10, 31), raw(on=day))["status"] == "claimable"
    assert "may still be found until 2024-10-31" in one(date(2024, 10, 30), raw(on=day))["reason"]
    assert one(day, raw("warehouse_damaged", on=day))["status"] == "claimable"  # damage is not found again
    assert one(date(2024, 10, 31), raw(on=date(2024, 10, 25)))["status"] == "waiting"
    assert one(date(2024, 11, 1), raw(on=date(2024, 10, 25)))["status"] == "waiting"  # from here on the ten days hold
    assert one(date(2024, 11, 4), raw(on=date(2024, 10, 25)))["status"] == "claimable"
    assert (
        one(date(2025, 1, 10), raw(on=date(2025, 1, 9)), store="UK")["status"] == "claimable"
    )  # automatic from 2025-01-15
    assert one(date(2025, 1, 15), raw(on=date(2025, 1, 9)), store="UK")["status"] == "waiting"


def test_other_claims_of_the_warehouse_do_not_wait() -> None:
    assert one(EVENT, raw("disposed_without_order"))["status"] == "claimable"


# --- without a window ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audit", ["refund_exceeds_charge", "reimbursement_not_settled", "reimbursement_reversed"])
def test_what_never_expires(audit: str) -> None:
    row = one(date(2030, 1, 1), raw(audit, None, value_basis="difference", owed="5.00", unit_value=None))
    assert (row["status"], row["claim_from"], row["claim_by"]) == ("claimable", EVENT, None)


def test_breaks_are_open_and_what_an_audit_decided_stays() -> None:
    assert one(EVENT, raw("settlement_gap", None, owed=None, value_basis=None))["status"] == "open"
    row = one(
        EVENT,
        raw("warehouse_damaged", None, status="review", reason="was unsellable before"),
        products=[product("A", unit_cost="7.20")],
    )
    assert (row["status"], row["owed"], row["unit_value"], row["claim_by"]) == ("review", None, None, None)
    assert row["reason"] == "was unsellable before"
    late = one(
        date(2025, 12, 1), raw("refund_without_return", "customer_return", status="waiting", reason="report missing")
    )
    assert (late["status"], late["claim_by"]) == ("waiting", date(2025, 8, 29))
    assert late["reason"].startswith("report missing")


def test_the_register_goes_before_the_window() -> None:
    given = [raw("disposed_without_order", on=EVENT), raw("disposed_without_order", on=EVENT + timedelta(days=1))]
    ids = [row["finding_id"] for row in found(date(2025, 12, 1), *given)]
    register = pl.DataFrame({"finding_id": ids, "decision": ["claimed", "accepted"], "note": ["case 77", "too small"]})
    out = found(date(2025, 12, 1), *given, register=register)
    assert [row["status"] for row in out] == ["claimed", "accepted"]
    assert out[1]["reason"].endswith("too small")


def test_the_products_file_names_what_a_claim_quotes() -> None:
    of_order = raw(
        "refund_without_return",
        "customer_return",
        sku="A",
        fnsku=None,
        order_id="111-1",
        value_basis="after_order",
        owed="1.00",
    )
    row = one(date(2025, 6, 1), of_order, products=[product("A"), product("A", line=3)])
    assert (row["sku"], row["fnsku"], row["asin"]) == ("A", "X-A", "A-A")
    # two labels of one SKU: neither is guessed; what the reports tell stays
    relabelled = [product("A"), product("A", fnsku="X-B", line=3)]
    row = one(date(2025, 6, 1), of_order, products=relabelled)
    assert (row["fnsku"], row["asin"]) == (None, "A-A")
    assert one(date(2025, 6, 1), of_order | {"fnsku": "X-B"}, products=relabelled)["fnsku"] == "X-B"
    assert one(date(2025, 6, 1), of_order)["fnsku"] is None  # no products file


# --- value --------------------------------------------------------------------------------------------------------


def test_the_cost_of_the_loss_day_holds() -> None:
    costs = [
        product("A", unit_cost="7.20", cost_from=date(2025, 4, 1)),
        product("A", unit_cost="9.00", cost_from=EVENT, line=3),
    ]
    before = one(date(2025, 6, 1), raw(on=EVENT - timedelta(days=1)), products=costs)
    on_it = one(date(2025, 6, 1), raw(), products=costs)
    assert (before["unit_value"], before["owed"], before["value_basis"]) == (
        Decimal("7.20"),
        Decimal("14.40"),
        "sourcing_cost",
    )
    assert (on_it["unit_value"], on_it["owed"]) == (Decimal("9.00"), Decimal("18.00"))
    assert on_it["evidence"].startswith(
        "ledger.csv:7; 3 lost - 1 found = 2; 2 x 9.00; books/products.csv:3; claim_windows line 7: "
    )
    assert "valuation_basis line 3: US lost_or_damaged_before_order from 2025-03-31 (secondary; " in on_it["evidence"]


def test_an_unknown_cost_is_null_with_its_reason() -> None:
    assert one(date(2025, 6, 1), raw())["reason"] == "no products file: unit cost unknown"
    other = one(date(2025, 6, 1), raw(), products=[product("B", unit_cost="1")])
    assert (other["owed"], other["unit_value"], other["reason"]) == (None, None, "unit cost unknown")
    late = one(date(2025, 6, 1), raw(), products=[product("A", unit_cost="1", cost_from=date(2025, 5, 2))])
    assert (late["owed"], late["reason"]) == (None, "no unit cost holds on that day")
    undated = one(date(2025, 6, 1), raw(), products=[product("A", unit_cost="1.05")])
    assert undated["owed"] == Decimal("2.10")


def test_a_cost_is_found_by_fnsku_where_the_sku_is_missing() -> None:
    assert one(date(2025, 6, 1), raw(sku=None), products=[product("A", unit_cost="3.00")])["owed"] == Decimal("6.00")


def test_of_several_costs_none_is_guessed() -> None:
    # the ledger's SKU is in no row; its FNSKU is that of two others
    twins = [product("B", unit_cost="3.00", fnsku="X1"), product("C", unit_cost="4.00", fnsku="X1", line=3)]
    told = one(date(2025, 6, 1), raw(sku="Z", fnsku="X1"), products=twins)
    assert (told["owed"], told["reason"]) == (None, "several unit costs hold on that day")
    equal = [twins[0], product("C", unit_cost="3.00", fnsku="X1", line=3)]
    assert one(date(2025, 6, 1), raw(sku="Z", fnsku="X1"), products=equal)["owed"] == Decimal("6.00")
    # a SKU with two FNSKUs has the cost of the one that was lost
    relabelled = [product("B", unit_cost="3.00", fnsku="X1"), product("B", unit_cost="4.00", fnsku="X2", line=3)]
    assert one(date(2025, 6, 1), raw(sku="B", fnsku="X1"), products=relabelled)["owed"] == Decimal("6.00")
    assert one(date(2025, 6, 1), raw(sku="B", fnsku="X2"), products=relabelled)["owed"] == Decimal("8.00")
    assert one(date(2025, 6, 1), raw(sku="B", fnsku="X3"), products=relabelled)["owed"] is None


SALES = [
    *sale("1", date(2024, 3, 1), "A", price="20.00", commission="-3.00", fulfilment="-3.15"),
    *sale(
        "2", date(2024, 4, 1), "A", price="60.00", commission="-9.00", fulfilment="-9.90", units=2
    ),  # 30.00, 4.50, 4.95 each
    *sale("3", date(2024, 5, 1), "A", price="22.00", commission="-3.30", fulfilment="-3.15"),
]


def test_estimated_proceeds_before_the_sourcing_cost_date() -> None:
    # medians: 22.00 - 3.30 - 3.15 = 15.55
    row = one(date(2025, 3, 30), raw("x", on=date(2025, 3, 30)), settlement_lines=SALES)
    assert (row["unit_value"], row["owed"], row["value_basis"]) == (
        Decimal("15.55"),
        Decimal("31.10"),
        "estimated_sale_proceeds",
    )
    assert "median of 3 sales: price 22.00, commission -3.30, fulfilment -3.15" in row["evidence"]
    # the next day the sourcing cost holds
    row = one(
        date(2025, 3, 31),
        raw("x", on=date(2025, 3, 31)),
        settlement_lines=SALES,
        products=[product("A", unit_cost="7.20")],
    )
    assert (row["unit_value"], row["value_basis"]) == (Decimal("7.20"), "sourcing_cost")


def test_an_even_count_takes_the_middle_of_two_and_eighteen_months_are_exact() -> None:
    # on 2024-04-30 two sales: (20 + 30)/2 - (3 + 4.5)/2 - (3.15 + 4.95)/2 = 25 - 3.75 - 4.05 = 17.20
    assert one(date(2024, 5, 1), raw("x", on=date(2024, 5, 1)), settlement_lines=SALES)["unit_value"] == Decimal(
        "17.20"
    )
    old = sale("1", date(2023, 8, 31), "A", price="20.00", commission="-3.00", fulfilment="-3.15")
    assert (
        one(date(2025, 3, 1), raw("x", on=date(2025, 3, 1)), settlement_lines=old)["owed"] is None
    )  # back to 2023-09-01
    assert one(date(2025, 3, 1), raw("x", on=date(2025, 2, 28)), settlement_lines=old)["owed"] == Decimal("27.70")


def test_the_older_layout_tells_the_quantity_of_a_sale_on_a_row_of_its_own() -> None:
    sold = [row | {"quantity": None} for row in SALES[3:6]]  # two units for 60.00, 9.00 and 9.90
    sold.append(
        sold[0] | {"line": 99, "amount_type": None, "amount_description": None, "amount": "0.00", "quantity": 2}
    )
    assert one(date(2025, 3, 30), raw("x", on=date(2025, 3, 30)), settlement_lines=sold)["unit_value"] == Decimal(
        "20.55"
    )


def test_a_sale_of_the_older_layout_tells_its_units_on_a_row_of_its_own() -> None:
    sold = [
        row | {"quantity": None}
        for row in sale("1", date(2024, 3, 1), "A", price="60.00", commission="-9.00", fulfilment="-9.90")
    ]
    count = sold[0] | {"line": 99, "amount_type": None, "amount_description": None, "amount": "0.00", "quantity": 2}
    row = one(date(2024, 5, 1), raw("x", on=date(2024, 5, 1)), settlement_lines=[*sold, count])
    assert row["unit_value"] == Decimal("20.55")  # 30.00 - 4.50 - 4.95


def test_no_sale_gives_no_estimate() -> None:
    row = one(
        date(2024, 3, 1), raw("x", on=date(2024, 3, 1)), settlement_lines=SALES
    )  # the sale of that very day does not count
    assert (row["owed"], row["reason"]) == (None, "no sale in the 18 months before the event")


@pytest.mark.parametrize(
    ("store", "event", "basis"),
    [
        ("US", date(2025, 3, 30), "estimated_sale_proceeds"), ("US", date(2025, 3, 31), "sourcing_cost"),
        ("UK", date(2025, 3, 30), "estimated_sale_proceeds"), ("UK", date(2025, 3, 31), "sourcing_cost"),
        ("DE", date(2025, 3, 9), "estimated_sale_proceeds"), ("DE", date(2025, 3, 10), "sourcing_cost"),
        ("JP", date(2025, 3, 10), "estimated_sale_proceeds"), ("JP", date(2025, 3, 11), "sourcing_cost"),
        ("FR", date(2025, 3, 10), "sourcing_cost"), ("CA", date(2025, 3, 30), "estimated_sale_proceeds"),
    ],
)  # fmt: skip
def test_the_basis_changes_on_its_day(store: str, event: date, basis: str) -> None:
    assert one(event, raw("x", on=event), store=store)["value_basis"] == basis


def test_other_values_are_kept_and_multiplied() -> None:
    row = one(EVENT, raw("return_unpaid", "customer_return", value_basis="after_order", unit_value="42.66", quantity=1))
    assert (row["owed"], row["value_basis"]) == (Decimal("42.66"), "after_order")
    row = one(EVENT, raw("referral_fee_error", "fee_referral", value_basis="charge", unit_value="0.5", owed="1.01"))
    assert row["owed"] == Decimal("1.01")


def test_notes_on_what_is_uncertain() -> None:
    assert "removal loss" in one(EVENT, raw("removal_short", "removal_lost_in_transit"))["reason"]
    assert "delivery day is not known" in one(EVENT, raw("inbound_shortage", "shipment_to_amazon"))["reason"]


# --- ids, order, evidence -----------------------------------------------------------------------------------------


def test_ids_depend_on_the_fact_alone() -> None:
    one_day, other = one(EVENT, raw()), one(date(2025, 6, 25), raw(lines=["other.csv:9"], arithmetic="x"))
    assert one_day["finding_id"] == other["finding_id"]
    # sha256 of "warehouse_lost|warehouse_lost 2025-05-01"
    assert one_day["finding_id"].startswith("warehouse_lost-")
    assert len(one_day["finding_id"]) == len("warehouse_lost-") + 16


def test_one_fact_told_twice_is_an_error() -> None:
    with pytest.raises(RunError, match="two findings tell the same fact"):
        found(EVENT, raw(), raw())


def test_rows_are_sorted_and_their_order_does_not_matter() -> None:
    given = [
        raw("b", order_id="2", fact="1"), raw("a", fact="2"), raw("b", order_id="1", fact="3"), raw("b", on=EVENT - timedelta(days=1), fact="4"),
        raw("b", order_id="1", fnsku="W", fact="5"), raw("b", fact="6"),
    ]  # fmt: skip
    out = found(EVENT, *given)
    assert out == found(EVENT, *given[::-1])
    told = [(row["audit"], row["event_on"], row["order_id"], row["fnsku"]) for row in out]
    last = EVENT - timedelta(days=1)
    assert told == [
        ("a", EVENT, None, "X-A"),
        ("b", last, None, "X-A"),
        ("b", EVENT, None, "X-A"),  # as the text of findings.csv sorts: an empty cell is before any other
        ("b", EVENT, "1", "W"),
        ("b", EVENT, "1", "X-A"),
        ("b", EVENT, "2", "X-A"),
    ]


def test_long_evidence_counts_what_it_does_not_list() -> None:
    row = one(EVENT, raw(lines=[f"f:{i}" for i in range(23)]))
    assert row["evidence"].startswith("f:0, f:1, ")
    assert " and 3 more lines; " in row["evidence"]


def test_no_findings_are_a_frame_all_the_same() -> None:
    assert found(EVENT) == []
