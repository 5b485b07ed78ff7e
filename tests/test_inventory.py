"""Stock lost, damaged, short or destroyed: every number computed by hand."""

from __future__ import annotations

import polars as pl
import pytest
from bookmaker import D, books, day, event, paid_line, reimbursed, settlement
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_lib.audits.inventory import warehouse_damaged, warehouse_lost


def open_units(result) -> list[tuple[str, str, int]]:
    f = result.findings.filter(pl.col("status").is_null() | (pl.col("status") != "review"))
    return sorted((str(e), k, q) for e, k, q in f.select("event_on", "fnsku", "quantity").rows())


def lost(as_of="2026-03-31", ledger=(), paid=(), **more):
    return warehouse_lost(books(as_of, ledger_detail=list(ledger), reimbursements=list(paid), **more), None)


def test_three_lost_one_found_one_paid_leaves_one_owed():
    result = lost(
        ledger=[event("2026-02-01", -3, reference_id="ADJ1", unreconciled_quantity=1), event("2026-02-05", 1, "F")],
        paid=[reimbursed("2026-02-09", "Lost_Warehouse", number="R7")],
    )
    (row,) = result.findings.to_dicts()
    assert (row["audit"], row["quantity"], row["claim_type"]) == ("warehouse_lost", 1, "fc_lost_or_damaged")
    assert (row["event_on"], row["anchor_on"]) == (day("2026-02-01"), day("2026-02-01"))
    assert (row["value_basis"], row["unit_value"], row["owed"], row["status"]) == ("before_order", None, None, None)
    assert (row["reference_id"], row["sku"], row["asin"]) == ("ADJ1", "S-X1", "B-X1")
    assert row["arithmetic"] == "3 lost − 1 found − 1 paid = 1 unit; Amazon's own count of open units: 1"
    assert row["lines"] == [
        "reports/ledger_detail.txt:2", "reports/ledger_detail.txt:3", "reports/reimbursements.txt:2"
    ]  # fmt: skip
    history = result.settled.to_dicts()
    assert [(h["event_on"], h["paid_on"], h["quantity"], h["amount"], h["reimbursement_id"]) for h in history] == [
        (day("2026-02-01"), day("2026-02-05"), 1, None, None),
        (day("2026-02-01"), day("2026-02-09"), 1, D(10), "R7"),
    ]


def test_amazons_own_count_is_shown_where_it_differs():
    result = lost(ledger=[event("2026-02-01", -3, unreconciled_quantity=1)])
    assert result.findings["arithmetic"].to_list() == [
        "3 lost − 0 found − 0 paid = 3 units; Amazon's own count of open units: 1, which differs"
    ]


def test_reasons_m_and_5_are_lost_and_f_and_n_are_found():
    ledger = [
        event("2026-02-01", -1, "M"),
        event("2026-02-02", -1, "5"),
        event("2026-02-03", 1, "F"),
        event("2026-02-04", 1, "N"),
    ]
    assert open_units(lost(ledger=ledger)) == []
    assert open_units(lost(ledger=ledger[:3])) == [("2026-02-02", "X1", 1)]


@pytest.mark.parametrize("reason", ["3", "4", "O", "P", "Q", "G", "D", "E", "6"])
def test_other_reasons_are_not_losses(reason):
    assert open_units(lost(ledger=[event("2026-02-01", -1, reason)])) == []


def test_the_case_of_the_reason_word_does_not_matter():
    assert open_units(lost(ledger=[event("2026-02-01", -1)], paid=[reimbursed("2026-02-05", "Lost_warehouse")])) == []


def test_a_payment_that_names_the_sku_alone_pays_its_product():
    paid = [reimbursed("2026-02-05", "Lost_Warehouse") | {"fnsku": None}]
    ledger = [event("2026-02-01", -1) | {"sku": "S-X1"}, event("2026-02-01", -1, fnsku="X2") | {"sku": "S-X2"}]
    assert open_units(lost(ledger=ledger, paid=paid)) == [("2026-02-01", "X2", 1)]
    of_nobody = [paid[0] | {"sku": "S-X9"}]
    assert [fnsku for _, fnsku, _ in open_units(lost(ledger=ledger, paid=of_nobody))] == ["X1", "X2"]


def test_a_payment_before_the_loss_pays_nothing_and_is_shown_as_left_over():
    result = lost(ledger=[event("2026-02-02", -1)], paid=[reimbursed("2026-02-01", "Lost_Warehouse")])
    assert open_units(result) == [("2026-02-02", "X1", 1)]
    assert result.not_checked.select("subject", "count").rows() == [("reimbursed units without an open loss", 1)]


def test_units_paid_in_stock_settle_a_loss():
    result = lost(ledger=[event("2026-02-01", -2)], paid=[reimbursed("2026-02-05", "Lost_Warehouse", 1, stock=1)])
    assert open_units(result) == []
    assert result.settled["amount"].to_list() == [D(10)]


@pytest.mark.parametrize(
    ("found_on", "left"), [("2026-02-12", 1), ("2026-02-13", 0), ("2026-01-29", 1), ("2026-02-05", 1)]
)
def test_stock_paid_and_the_ledgers_n_within_7_days_are_one_credit(found_on, left):
    # 2 lost on 27 January; 1 paid in stock on 5 February; N of 1 unit: within 7 days it is the same unit
    ledger = [event("2026-01-27", -2), event(found_on, 1, "N")]
    result = lost(ledger=ledger, paid=[reimbursed("2026-02-05", "Lost_Warehouse", 0, stock=1)])
    assert sum(q for *_, q in open_units(result)) == left


def test_a_payment_in_stock_counts_from_its_approval_also_where_its_n_came_before_the_loss():
    # 3 lost on 30 January; on that day 1 paid in cash and 1 in stock, whose N stands there since the 28th
    ledger = [event("2026-01-28", 1, "N"), event("2026-01-30", -3)]
    result = lost(ledger=ledger, paid=[reimbursed("2026-01-30", "Lost_Warehouse", 1, stock=1)])
    assert open_units(result) == [("2026-01-30", "X1", 1)]


def test_an_n_of_other_units_or_another_product_is_a_credit_of_its_own():
    paid = [reimbursed("2026-02-05", "Lost_Warehouse", 0, stock=1)]
    assert open_units(lost(ledger=[event("2026-02-01", -3), event("2026-02-06", 2, "N")], paid=paid)) == []
    other = [event("2026-02-01", -1), event("2026-02-01", -1, fnsku="X2"), event("2026-02-06", 1, "N", fnsku="X2")]
    assert open_units(lost(ledger=other, paid=paid)) == []


def test_a_found_unit_settles_its_country_only_and_a_payment_any():
    ledger = [
        event("2026-02-01", -1, country="DE"),
        event("2026-02-02", -1, country="FR"),
        event("2026-02-03", 1, "F", country="FR"),
    ]
    assert open_units(lost(ledger=ledger)) == [("2026-02-01", "X1", 1)]
    assert open_units(lost(ledger=ledger, paid=[reimbursed("2026-02-04", "Lost_Warehouse")])) == []


def test_a_ledger_without_countries_is_one_place():
    assert (
        open_units(lost(ledger=[event("2026-02-01", -1, country=None), event("2026-02-03", 1, "F", country=None)]))
        == []
    )


def test_equal_twin_rows_are_two_events_with_their_own_facts():
    result = lost(ledger=[event("2026-02-01", -1), event("2026-02-01", -1)])
    assert result.findings.height == 2
    assert result.findings["fact"].n_unique() == 2


def test_the_fact_does_not_know_files_lines_or_order():
    rows = [event("2026-02-01", -1), event("2026-02-01", -1), event("2026-02-03", -2, fnsku="X2")]
    one, two = (
        lost(ledger=rows),
        lost(ledger=[{**r, "file": "other.txt", "line": 99 - n} for n, r in enumerate(rows[::-1])]),
    )
    assert one.findings["fact"].to_list() == two.findings["fact"].to_list()
    assert "reports" not in one.findings["fact"].str.join("").item()


def test_without_the_reimbursement_report_nothing_is_known():
    result = warehouse_lost(books("2026-03-31", ledger_detail=[event("2026-02-01", -1)]), None)
    assert result.findings.select("status", "reason").rows() == [("waiting", "report missing: reimbursements")]


def test_a_month_without_reimbursement_file_is_a_hole_where_six_rows_would_be_expected():
    def paid(until: str, since: str, each_day: int):
        rows = [reimbursed("2026-01-01", "Fee_Correction", fnsku="X9") for _ in range(60 * each_day)]
        return [rows[0] | {"period": ("2025-12-01", until)}, *rows, rows[0] | {"period": (since, "2026-03-31")}]

    ledger = [event("2026-01-20", -1)]
    hole = lost(ledger=ledger, paid=paid("2026-01-31", "2026-03-01", 2)).findings
    assert hole["reason"].to_list() == ["report missing: reimbursements 2026-02-01 to 2026-02-28"]
    weeks = lost(ledger=ledger, paid=paid("2026-02-03", "2026-02-18", 2)).findings
    assert weeks["status"].to_list() == [None]  # 14 days: no file is missing for so short a time
    more = lost(ledger=ledger, paid=paid("2026-02-02", "2026-02-18", 2)).findings
    assert more["reason"].to_list() == ["report missing: reimbursements 2026-02-03 to 2026-02-17"]
    rare = lost(ledger=ledger, paid=paid("2026-01-31", "2026-03-01", 1)).findings
    assert rare["status"].to_list() == [None]  # less than a row a day: its rows cannot show where a file is missing
    after = lost(ledger=[event("2026-03-05", -1)], paid=paid("2026-01-31", "2026-03-01", 2)).findings
    assert after["status"].to_list() == [None]


@pytest.mark.parametrize(
    ("kind", "reason"), [("Shipments", "report missing: ledger detail 2026-02-01 to 2026-02-28"), ("Adjustments", None)]
)
def test_a_month_without_ledger_file_is_a_hole_where_the_ledger_tells_sales(kind, reason):
    rest = [event("2026-01-01", -1, "G", event_type=kind, fnsku="X9", reference_id=str(n)) for n in range(120)]
    files = [
        rest[0] | {"period": ("2025-12-01", "2026-01-31")},
        *rest,
        rest[0] | {"period": ("2026-03-01", "2026-03-31")},
    ]
    found = lost(ledger=[event("2026-01-20", -1), *files]).findings
    assert found["reason"].to_list() == [reason]  # found units may stand in the month that is missing


def test_history_tells_the_settlement_line_that_paid():
    result = lost(
        ledger=[event("2026-02-01", -1)],
        paid=[reimbursed("2026-02-05", "Lost_Warehouse", each="7.20")],
        settlements=[settlement("1", "2026-02-01", "2026-02-15", "7.20")],
        settlement_lines=[paid_line("1", "2026-02-09", "WAREHOUSE_LOST", "7.20", sku="S-X1")],
    )
    assert result.settled.select("paid_on", "settled_on", "amount").rows() == [
        (day("2026-02-05"), day("2026-02-09"), D("7.20"))
    ]


def damaged(ledger=(), paid=()):
    return warehouse_damaged(books("2026-03-31", ledger_detail=list(ledger), reimbursements=list(paid)), None)


def test_damage_is_settled_by_payments_for_damage_only():
    ledger = [event("2026-02-01", -2, "E"), event("2026-02-03", 1, "F")]
    paid = [reimbursed("2026-02-04", "Lost_Warehouse"), reimbursed("2026-02-05", "Damaged_Warehouse", number="R2")]
    result = damaged(ledger, paid)
    assert open_units(result) == [("2026-02-01", "X1", 1)]
    assert result.findings["arithmetic"].to_list() == ["2 damaged − 1 paid = 1 unit"]


@pytest.mark.parametrize("reason", ["6", "7", "H", "K", "U"])
def test_damage_of_an_unsellable_unit_is_shown_for_review(reason):
    (row,) = damaged([event("2026-02-01", -1, reason)]).findings.to_dicts()
    assert (row["status"], row["owed"], row["value_basis"], row["quantity"]) == ("review", None, None, 1)


def test_an_unknown_code_is_counted_and_shown():
    result = damaged([event("2026-02-01", -1, "Z"), event("2026-02-02", 4, "z"), event("2026-02-02", 1, None)])
    rows = result.not_checked.select("subject", "count").rows()
    assert ("ledger reason Z", 2) in rows
    assert ("ledger reason (empty)", 1) in rows


units = st.tuples(
    st.integers(1, 20),
    st.integers(1, 3),
    st.sampled_from(["M", "5", "F"]),
    st.sampled_from(["DE", "FR"]),
    st.sampled_from(["X1", "X2"]),
)
paid_units = st.tuples(st.integers(1, 20), st.integers(0, 2), st.integers(0, 2), st.sampled_from(["X1", "X2"]))


@settings(max_examples=40, deadline=None)
@given(st.lists(units, max_size=8), st.lists(paid_units, max_size=5), st.randoms(use_true_random=False))
def test_units_are_conserved_whatever_the_order_of_rows(moves, payments, chance):
    ledger = [
        event(f"2026-02-{d:02}", q if r == "F" else -q, r, country=c, fnsku=f, reference_id=str(n))
        for n, (d, q, r, c, f) in enumerate(moves)
    ]
    paid = [
        reimbursed(f"2026-02-{d:02}", "Lost_Warehouse", cash, fnsku=f, stock=stock, number=str(n))
        for n, (d, cash, stock, f) in enumerate(payments)
    ]
    result = lost(ledger=ledger, paid=paid)
    lost_units = sum(q for _, q, r, *_ in moves if r != "F")
    assert lost_units == result.findings["quantity"].sum() + result.settled["quantity"].sum()
    credit = sum(q for _, q, r, *_ in moves if r == "F") + sum(c + s for _, c, s, _ in payments)
    assert credit == result.settled["quantity"].sum() + result.not_checked["count"].sum()
    again = lost(ledger=chance.sample(ledger, len(ledger)), paid=chance.sample(paid, len(paid)))
    facts = ["fact", "quantity"]
    assert again.findings.select(facts).rows() == result.findings.select(facts).rows()
