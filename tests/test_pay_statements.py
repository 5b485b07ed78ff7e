"""Amazon Pay settlements: rows that do not add up, transfers that do not pay what was left, missing periods."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from recon_lib.audits.pay import reconcile_pay
from tests.pay_case import books, settled, window

DAY = date(2026, 1, 9)
D = Decimal


def found(lines: list[dict[str, Any]], windows: list[dict[str, Any]] | None = None) -> list[tuple[Any, ...]]:
    day = reconcile_pay(books([], lines, DAY, windows=windows))
    chosen = day.findings.filter(pl.col("audit").str.starts_with("settlement_"))
    return chosen.sort("audit", "fact").select("audit", "reference_id", "owed", "status").rows()


def transfer(amount: str, when: str, settlement: str, **changes: Any) -> dict[str, Any]:
    return settled(". . . .", amount, when, transaction_type="Transfer", settlement_id=settlement, **changes)


def capture(name: str, amount: str, when: str, settlement: str, **changes: Any) -> dict[str, Any]:
    return settled(f"{name} . . .", amount, when, settlement_id=settlement, **changes)


def test_a_row_whose_net_is_not_amount_plus_fee() -> None:
    # 10.00 − 0.59 = 9.41, the file says 9.40: 0.01 is missing; the other row is in our favour.
    lines = [
        capture("C1", "10.00", "01-03 09:00", "S1", net_amount=D("9.40")),
        capture("C2", "10.00", "01-03 09:00", "S1", net_amount=D("9.50")),
    ]
    assert found(lines) == [
        ("settlement_out_of_balance", "C1", D("0.01"), "open"),
        ("settlement_out_of_balance", "C2", None, "open"),
    ]


def test_a_chain_that_balances() -> None:
    lines = [
        transfer("-25.54", "01-02 07:00", "S1"),  # pays what came before: not known here
        capture("C1", "10.00", "01-02 11:00", "S1"),  # leaves 9.41
        transfer("-9.41", "01-03 07:00", "S2"),
        capture("C2", "100.00", "01-03 11:00", "S2"),  # leaves 96.80
        settled("F2 . . .", "-6.80", "01-03 12:00", settlement_id="S2"),  # leaves 90.00
        transfer("-90.00", "01-04 07:00", "S3"),
    ]
    assert found(lines) == []


def test_a_transfer_below_what_was_left_is_owed() -> None:
    lines = [
        capture("C1", "10.00", "01-02 11:00", "S1"),
        transfer("-9.00", "01-03 07:00", "S2"),
        transfer("0.00", "01-04 07:00", "S3"),
    ]
    assert found(lines) == [("settlement_out_of_balance", "S2", D("0.41"), "open")]


def test_a_settlement_without_a_transfer_carries_on() -> None:
    lines = [
        settled("F1 . . .", "-20.00", "01-02 11:00", settlement_id="S1"),  # leaves −20
        capture("C1", "30.00", "01-03 11:00", "S2"),  # 30 − 1.17 = 28.83: leaves 8.83
        transfer("-8.83", "01-04 07:00", "S3"),
    ]
    assert found(lines) == []


def test_a_charge_clears_a_negative_balance() -> None:
    debt = {"transaction_type": "Debt", "settlement_id": "S2"}
    lines = [
        settled("F1 . . .", "-20.00", "01-02 11:00", settlement_id="S1"),
        settled(". . . .", "20.00", "01-03 07:00", **debt),
    ]
    assert found(lines) == []
    wrong = [lines[0], settled(". . . .", "21.00", "01-03 07:00", **debt)]
    # 21.00 charged where 20.00 was due: 1.00 was taken too much.
    assert found(wrong) == [("settlement_out_of_balance", "S2", D("1.00"), "open")]


def test_a_charge_in_the_first_settlement_known_may_clear_what_came_before() -> None:
    debt = settled(". . . .", "20.00", "01-02 07:00", transaction_type="Debt", settlement_id="S1")
    first = [debt, capture("C1", "10.00", "01-02 11:00", "S1")]  # leaves 9.41, or 29.41 where the charge is its own
    for paid in ("-9.41", "-29.41"):
        assert found([*first, transfer(paid, "01-03 07:00", "S2")]) == []
    more = capture("C2", "10.00", "01-03 11:00", "S2")
    assert found([*first, more, transfer("-18.82", "01-04 07:00", "S3")]) == []
    # Neither: 1.00 less than the smaller of the two.
    wrong = found([*first, transfer("-8.41", "01-03 07:00", "S2")])
    assert wrong == [("settlement_out_of_balance", "S2", D("1.00"), "open")]
    # A transfer at its head tells where the chain begins: then the charge is a row like any other.
    whole = [transfer("-5.00", "01-02 06:00", "S1"), *first, transfer("-9.41", "01-03 07:00", "S2")]
    assert found(whole) == [("settlement_out_of_balance", "S2", D("20.00"), "open")]


def test_a_reserve_released_beside_the_transfer_explains_it() -> None:
    reserve = settled(". . . .", "1.41", "01-03 07:00", transaction_type="Reserve", settlement_id="S2")
    lines = [capture("C1", "10.00", "01-02 11:00", "S1"), transfer("-8.00", "01-03 07:00", "S2"), reserve]
    assert found(lines) == []


def test_a_missing_period_is_a_gap_only_when_the_next_transfer_does_not_fit() -> None:
    apart = [window("01-01 15:00", "01-02 15:00", "a.csv"), window("01-03 15:01", "01-04 15:00", "b.csv")]
    seam = [window("01-01 15:00", "01-02 15:00", "a.csv"), window("01-02 15:01", "01-04 15:00", "b.csv")]

    def lines(paid: str) -> list[dict[str, Any]]:
        return [
            capture("C1", "10.00", "01-02 11:00", "S1", file="a.csv"),
            transfer(paid, "01-04 07:00", "S2", file="b.csv"),
        ]

    assert found(lines("-50.00"), apart) == [("settlement_gap", "S2", None, "open")]
    assert found(lines("-9.41"), apart) == []
    assert found(lines("-50.00"), seam) == [("settlement_out_of_balance", "S2", None, "open")]


def test_every_currency_is_a_chain_of_its_own() -> None:
    lines = [
        capture("C1", "10.00", "01-02 11:00", "S1"),
        capture("C2", "10.00", "01-02 11:00", "S1", currency="EUR", total_fee=D(0)),
        transfer("-9.41", "01-03 07:00", "S2"),
        transfer("-10.00", "01-03 07:00", "S2", currency="EUR"),
    ]
    assert found(lines) == []
