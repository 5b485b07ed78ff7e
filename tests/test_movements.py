"""Inbound shortages, disposals and removals: every number computed by hand."""

from __future__ import annotations

import pytest
from bookmaker import D, books, day, event, paid_line, reimbursed, settlement

from recon_lib.audits.inbound import inbound_shortage
from recon_lib.audits.removals import disposed_without_order, removal_short


def shipment(number="FBA1", shipped=10, received=8, closed="2026-02-10", *, fnsku="X1", status="CLOSED", **more):
    return {
        "shipment_id": number, "status": status, "closed_on": day(closed) if closed else None, "sku": f"S-{fnsku}",
        "fnsku": fnsku, "quantity_shipped": shipped, "quantity_received": received, **more,
    }  # fmt: skip


def receipt(on, quantity, number="FBA1", **more):
    return event(on, quantity, None, event_type="Receipts", reference_id=number, **more)


def inbound(shipments, ledger=(), paid=(), as_of="2026-03-31"):
    return inbound_shortage(
        books(as_of, inbound_shipments=shipments, ledger_detail=list(ledger), reimbursements=list(paid)), None
    )


def short(result):
    return result.findings.select("reference_id", "quantity").rows()


def test_shipped_less_received_less_paid():
    result = inbound(
        [shipment()],
        [receipt("2026-02-01", 5), receipt("2026-02-03", 4)],
        [reimbursed("2026-02-20", "Lost_Inbound", 0)],
    )
    (row,) = result.findings.to_dicts()
    # the record says 8, the ledger 9: 10 - 9 = 1
    assert (row["quantity"], row["event_on"], row["reference_id"]) == (1, day("2026-02-10"), "FBA1")
    assert (row["claim_type"], row["value_basis"], row["status"]) == ("shipment_to_amazon", "before_order", None)
    assert row["arithmetic"] == "10 shipped − 9 received − 0 paid = 1 unit"
    assert len(row["lines"]) == 3


def test_the_record_counts_where_it_is_larger():
    assert short(inbound([shipment(received=9)], [receipt("2026-02-01", 5)])) == [("FBA1", 1)]


@pytest.mark.parametrize("status", ["RECEIVING", "SHIPPED", None])
def test_only_a_closed_shipment_is_final(status):
    result = inbound([shipment(status=status)])
    assert short(result) == []
    assert result.not_checked["subject"].to_list() == ["shipments not closed"]


def test_more_received_than_shipped_is_nothing():
    assert short(inbound([shipment(received=12)])) == []


def test_payments_settle_the_shipment_that_closed_first_and_may_come_before_it_closed():
    shipments = [shipment("FBA2", closed="2026-02-20"), shipment("FBA1", closed="2026-02-10")]
    paid = [
        reimbursed("2026-02-01", "Lost_Inbound", 1),
        reimbursed("2026-02-02", "Damaged_Inbound", 0, stock=2, number="R2"),
    ]
    result = inbound(shipments, paid=paid)
    assert short(result) == [("FBA2", 1)]
    assert sorted(result.settled.select("event_on", "paid_on", "quantity", "amount").rows()) == [
        (day("2026-02-10"), day("2026-02-01"), 1, D(10)),
        (day("2026-02-10"), day("2026-02-02"), 1, None),
        (day("2026-02-20"), day("2026-02-02"), 1, None),
    ]


def test_a_payment_half_a_year_before_belongs_to_another_shipment():
    result = inbound([shipment(closed="2026-03-10")], paid=[reimbursed("2025-09-10", "Lost_Inbound", 2)])
    assert short(result) == [("FBA1", 2)]
    assert ("reimbursed units without an open shortage", 2) in result.not_checked.select("subject", "count").rows()


def test_skus_that_share_an_fnsku_are_received_apart():
    shipments = [shipment() | {"sku": "S-A"}, shipment(received=10) | {"sku": "S-B"}]
    ledger = [receipt("2026-02-01", 7) | {"sku": "S-A"}, receipt("2026-02-01", 10) | {"sku": "S-B"}]
    (row,) = inbound(shipments, ledger).findings.to_dicts()
    assert (row["sku"], row["quantity"]) == ("S-A", 2)  # the record says 8, the ledger 7
    nothing_of_a = inbound([shipments[0] | {"quantity_received": 0}, shipments[1]], ledger[1:])
    assert nothing_of_a.findings.select("sku", "quantity").rows() == [("S-A", 10)]
    # a ledger that does not tell the SKU says nothing of one of them alone
    assert short(inbound(shipments, [row | {"sku": None} for row in ledger])) == []


def test_a_shipment_without_fnsku_or_closing_day_borrows_them_from_the_ledger():
    result = inbound(
        [shipment(fnsku="X1", closed=None) | {"fnsku": None}],
        [receipt("2026-02-05", 8)],
        [reimbursed("2026-02-20", "Lost_Inbound")],
    )
    assert result.findings.select("event_on", "fnsku", "quantity").rows() == [(day("2026-02-05"), "X1", 1)]


def disposal(
    quantity=3, on="2026-02-01", *, number="DO1", cancelled=0, fnsku="X1", kind="Disposal", disposition="Sellable"
):
    return {
        "requested_on": day(on), "order_id": number, "order_type": kind, "fnsku": fnsku, "sku": f"S-{fnsku}",
        "disposition": disposition, "requested_quantity": quantity, "cancelled_quantity": cancelled,
        "disposed_quantity": 0, "shipped_quantity": 0, "in_process_quantity": 0,
    }  # fmt: skip


def disposed(ledger, orders=(), paid=()):
    return disposed_without_order(
        books("2026-03-31", ledger_detail=ledger, removal_orders=list(orders), reimbursements=list(paid)), None
    )


def test_a_disposal_needs_an_order_of_the_seller():
    result = disposed([event("2026-02-05", -3, "D", reference_id="A1")], [disposal(3, cancelled=1)])
    (row,) = result.findings.to_dicts()
    assert (row["quantity"], row["claim_type"], row["reference_id"]) == (1, "fc_lost_or_damaged", "A1")
    assert row["arithmetic"] == "3 sellable disposed of − 2 ordered − 0 paid = 1 unit"
    assert disposed([event("2026-02-05", -3, "D")], [disposal(3)]).findings.is_empty()


@pytest.mark.parametrize(
    ("order", "left"),
    [
        (disposal(on="2026-02-05"), 0),
        (disposal(on="2026-02-06"), 3),  # asked for after it happened
        (disposal(kind="Return"), 3),
        (disposal(fnsku="X2"), 3),
        (disposal(disposition="Unsellable"), 0),  # spare units of an order cover, whatever their condition
    ],
)
def test_which_order_covers(order, left):
    assert (disposed([event("2026-02-05", -3, "D")], [order]).findings["quantity"].sum() or 0) == left


def test_unsellable_disposals_use_up_their_own_order_and_are_no_loss():
    ledger = [event("2026-02-04", -3, "D", disposition="DEFECTIVE"), event("2026-02-05", -1, "D")]
    result = disposed(ledger, [disposal(3, disposition="Unsellable")])
    assert result.findings["quantity"].to_list() == [1]


def test_a_payment_without_a_loss_of_its_own_settles_a_disposal():
    result = disposed([event("2026-02-05", -2, "D")], paid=[reimbursed("2026-02-09", "Damaged_Warehouse")])
    assert result.findings["quantity"].to_list() == [1]
    assert result.settled.select("quantity", "amount", "reimbursement_id").rows() == [(1, D(10), "R1")]


def test_without_removal_orders_nothing_is_known():
    result = disposed_without_order(
        books("2026-03-31", ledger_detail=[event("2026-02-05", -2, "D")], reimbursements=[]), None
    )
    assert result.findings["reason"].to_list() == ["report missing: removal orders"]


def parcel(quantity=5, tracking="T1", on="2026-02-10", *, order="RO1", kind="Return", fnsku="X1"):
    return {
        "order_id": order, "shipped_on": day(on), "sku": f"S-{fnsku}", "fnsku": fnsku, "disposition": "Sellable",
        "shipped_quantity": quantity, "tracking_number": tracking, "removal_order_type": kind,
    }  # fmt: skip


def arrived(quantity, tracking="T1", *, order="RO1", fnsku="X1", on="2026-02-14"):
    return {
        "order_id": order,
        "tracking_number": tracking,
        "fnsku": fnsku,
        "received_on": day(on),
        "quantity_received": quantity,
    }


def removal(parcels, receipts, paid=(), **more):
    return removal_short(
        books(
            "2026-03-31",
            removal_shipments=parcels,
            removal_receipts=receipts,
            removal_orders=[],
            reimbursements=list(paid),
            **more,
        ),
        None,
    )


def test_shipped_less_arrived():
    (row,) = removal([parcel()], [arrived(3)]).findings.to_dicts()
    assert (row["quantity"], row["event_on"], row["reference_id"]) == (2, day("2026-02-10"), "RO1")
    assert (row["claim_type"], row["value_basis"]) == ("removal_lost_in_transit", "before_order")
    assert "5 shipped − 3 arrived − 0 paid = 2 units" in row["arithmetic"]
    assert "uncertain" in row["arithmetic"]


def test_parcels_are_counted_apart_and_a_slip_in_the_number_counts_for_the_order():
    parcels = [parcel(5, "T1"), parcel(5, "T2")]
    assert removal(parcels, [arrived(5, "T1"), arrived(4, "T2")]).findings["quantity"].to_list() == [1]
    assert removal(parcels, [arrived(5, "T1"), arrived(5, None)]).findings.is_empty()
    assert removal(parcels, [arrived(5, "T1"), arrived(5, "T3")]).findings.is_empty()
    assert removal(parcels, [arrived(5, "T1")]).findings["quantity"].to_list() == [5]


def test_more_than_one_parcel_held_was_counted_with_it_and_belongs_to_the_rest_of_its_order():
    parcels = [parcel(3, "T1"), parcel(2, "T2"), parcel(4, "T9", order="RO2")]
    assert removal(parcels[:2], [arrived(5, "T1")]).findings.is_empty()
    # 3 + 1 of 5 came; what came too much for one order is nothing to another, nor one product to another
    result = removal(parcels, [arrived(4, "T1"), arrived(3, "T9", order="RO2")])
    assert result.findings.select("reference_id", "quantity").rows() == [("RO1", 1), ("RO2", 1)]
    assert "2 shipped − 1 arrived − 0 paid = 1 unit (parcel T2)" in result.findings["arithmetic"][0]
    assert removal(parcels, [arrived(9, "T1"), arrived(4, "T9", order="RO2", fnsku="X2")]).findings.height == 1


def test_liquidations_and_disposals_do_not_come_to_the_seller():
    assert removal([parcel(kind="Liquidations"), parcel(kind="Disposal")], [arrived(0)]).findings.is_empty()


def test_without_the_sellers_count_the_audit_is_skipped():
    assert removal_short(books("2026-03-31", removal_shipments=[parcel()]), None).findings.is_empty()


def test_payments_for_removals_settle_the_oldest():
    parcels = [parcel(2, "T1", "2026-02-10"), parcel(2, "T2", "2026-02-12", order="RO2")]
    paid = [reimbursed("2026-03-01", "REMOVAL_ORDER_LOST", 1)]
    assert removal(parcels, [], paid).findings.select("reference_id", "quantity").rows() == [("RO1", 1), ("RO2", 2)]
    of_order = [reimbursed("2026-03-01", "Lost_Outbound", 2, order_id="RO2")]
    assert removal(parcels, [], of_order).findings["reference_id"].to_list() == ["RO1"]
    of_a_sale = [reimbursed("2026-03-01", "Lost_Outbound", 2, order_id="111-1")]
    assert removal(parcels, [], of_a_sale).findings.height == 2


def test_a_payment_seen_only_in_the_settlement_counts_and_one_seen_twice_counts_once():
    lines = [paid_line("1", "2026-03-04", "REMOVAL_ORDER_LOST", "10.00", sku="S-X1", quantity=1)]
    more = {"settlements": [settlement("1", "2026-03-01", "2026-03-15", "10.00")], "settlement_lines": lines}
    alone = removal([parcel(2)], [], **more)
    assert alone.findings["quantity"].to_list() == [1]
    assert alone.settled.select(
        "event_on", "paid_on", "settled_on", "quantity", "amount", "currency", "sku", "fnsku"
    ).rows() == [(day("2026-02-10"), day("2026-03-04"), day("2026-03-04"), 1, D(10), "USD", "S-X1", "X1")]
    paid = [reimbursed("2026-03-01", "REMOVAL_ORDER_LOST", 1)]
    result = removal([parcel(2)], [], paid, **more)
    assert result.findings["quantity"].to_list() == [1]
    assert result.settled.select("paid_on", "settled_on", "amount").rows() == [
        (day("2026-03-01"), day("2026-03-04"), D(10))
    ]
