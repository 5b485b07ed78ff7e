"""Settlements and deposits, from report files to findings; every settlement here sells something for its net amount."""

from __future__ import annotations

import pytest
from case_folder import Folder, findings, lines, other, sale

AUDITS = ("settlement_out_of_balance", "settlement_gap", "deposit_missing", "deposit_differs", "deposit_unexplained")
ONE, TWO, THREE = (
    ("2026-01-01", "2026-01-15", "2026-01-16"),
    ("2026-01-15", "2026-01-29", "2026-01-30"),
    ("2026-01-29", "2026-02-12", "2026-02-13"),
)


def account(market="US", pattern="AMAZON SETTLEMENT", **more):
    return Folder(market, bank_pattern=f'"{pattern}"', **more)


def settled(f, number, when, net, *, held=None, released=None, extra=(), **more):
    start, end, deposit = when
    rows = sale(f"111-{number:0>7}-0000001", 1, start, net)
    rows += other(start, "Previous Reserve Amount Balance", released) if released else []
    rows += other(end, "Current Reserve Amount", held) if held else []
    return f.settle(number, start, end, rows + list(extra), deposit=deposit, **more)


def three():
    f = account()
    for number, when, net, on in (
        ("901", ONE, "100.00", "2026-01-20"),
        ("902", TWO, "200.00", "2026-02-03"),
        ("903", THREE, "300.00", "2026-02-17"),
    ):
        settled(f, number, when, net).bank(on, net)
    return f


def test_a_chain_that_is_paid():
    assert findings(three(), "2026-02-28", *AUDITS) == []
    f = three()
    del f.settlements[1]
    assert findings(f, "2026-02-28", "settlement_gap") == ["settlement_gap|open|2026-01-15||||903||||"]
    f = three()  # a second chain of the same days, for another kind of order
    settled(f, "911", ONE, "30.00").bank("2026-01-20", "30.00")
    settled(f, "912", TWO, "40.00").bank("2026-02-03", "40.00")
    assert findings(f, "2026-02-28", *AUDITS) == []


def test_a_payout_after_the_last_line_of_the_bank_is_not_seen_and_says_so():
    f = three()
    del f.rows["bank"][2]  # the third is due until 2026-02-23, a week with a holiday on its Monday
    told = "deposit_missing|open|300.00|the bank statement ends on {}: the payout may have come since"
    columns = ["audit", "status", "owed", "reason"]
    assert findings(f, "2026-02-28", *AUDITS, columns=columns) == [told.format("2026-02-03")]
    f.bank("2026-02-22", "-5.00", "rent")
    assert findings(f, "2026-02-28", *AUDITS, columns=columns) == [told.format("2026-02-22")]
    f.bank("2026-02-23", "-5.00", "rent")
    assert findings(f, "2026-02-28", *AUDITS, columns=columns) == ["deposit_missing|open|300.00|"]


def test_a_payout_that_may_be_on_a_line_of_the_bank_that_cannot_be_read():
    f = three().bank("2026-01-21", "100.12345")
    del f.rows["bank"][0]
    told = "deposit_missing|open|100.00|{} of the bank statement could not be used: the payout may stand on {}"
    columns = ["audit", "status", "owed", "reason"]
    assert findings(f, "2026-02-28", *AUDITS, columns=columns) == [told.format("1 row", "it")]
    f.bank("2026-01-22", "0.12345")
    assert findings(f, "2026-02-28", *AUDITS, columns=columns) == [told.format("2 rows", "one of them")]


@pytest.mark.parametrize(("total", "owed"), [("101.00", ""), ("99.00", "1.00")])
def test_out_of_balance(total, owed):
    f = settled(account(), "901", ONE, "100.00", total=total).bank("2026-01-20", total)
    assert findings(f, "2026-02-10", *AUDITS) == [f"settlement_out_of_balance|open|2026-01-15||||901||||{owed}"]


def test_the_reserve_chain():
    f = settled(account(), "901", ONE, "100.00", held="-40.00", released="7.00")  # what came before is not known
    settled(f, "902", TWO, "200.00", released="40.00", held="-50.00")
    settled(f, "903", THREE, "300.00", released="45.00")
    f.bank("2026-01-20", "67.00").bank("2026-02-03", "190.00").bank("2026-02-17", "345.00")
    assert findings(f, "2026-02-28", *AUDITS) == ["settlement_gap|open|2026-01-29||||903||||5.00"]


@pytest.mark.parametrize(
    ("payable", "came", "expected"),
    [("-39.99", "160.01", []), ("-49.99", "150.01", ["settlement_gap|open|2026-01-15||||902||||10.00"])],
)
def test_a_negative_settlement(payable, came, expected):
    f = account().settle("901", "2026-01-01", "2026-01-15", other("2026-01-05", "Subscription Fee", "-39.99"))
    settled(f, "902", TWO, "200.00", extra=other("2026-01-15", "Payable to Amazon", payable)).bank("2026-02-03", came)
    assert findings(f, "2026-02-28", *AUDITS) == expected


# Wednesday 14 January 2026; the 19th is a holiday: the fifth business day is the 22nd
SENT = ("2026-01-01", "2026-01-13", "2026-01-14")
MISSING = ["deposit_missing|open|2026-01-14||||901||||100.00"]


@pytest.mark.parametrize(
    ("credits", "day", "expected"),
    [
        ([], "2026-01-22", []),
        ([], "2026-01-23", MISSING),
        ([("2026-01-22", "100.00", "AMAZON SETTLEMENT")], "2026-02-10", []),
        ([("2026-01-23", "100.00", "AMAZON SETTLEMENT")], "2026-02-10", []),  # late, but there
        ([("2026-01-16", "60.00", "AMAZON SETTLEMENT"), ("2026-01-16", "40.00", "AMAZON SETTLEMENT")], "2026-02-10", []),
        ([("2026-01-16", "-100.00", "AMAZON SETTLEMENT")], "2026-02-10", MISSING),
        ([("2026-01-16", "100.00", "RENT")], "2026-02-10", MISSING),
        ([("2026-01-16", "90.00", "AMAZON SETTLEMENT")], "2026-02-10", ["deposit_differs|open|2026-01-14||||901 B1||||10.00"]),
        ([("2026-01-16", "120.00", "AMAZON SETTLEMENT")], "2026-02-10", ["deposit_differs|open|2026-01-14||||901 B1||||"]),
        ([("2026-01-16", "100.00", "AMAZON SETTLEMENT"), ("2026-01-20", "55.00", "AMAZON SETTLEMENT")], "2026-03-10",
         ["deposit_unexplained|open|2026-01-20||||B2||||"]),
    ],
)  # fmt: skip
def test_deposits(credits, day, expected):
    f = settled(account(), "901", SENT, "100.00").bank("2026-01-05", "7.77", "SHOP")
    for number, (on, amount, text) in enumerate(credits, 1):
        f.bank(on, amount, text, ref=f"B{number}")
    assert findings(f, day, *AUDITS) == expected


def test_wages_and_purchases_are_no_deposits():
    f = settled(account(pattern="AMAZON"), "901", SENT, "100.00").bank("2026-01-16", "100.00")
    f.bank("2026-01-16", "-25.00", "AMAZON MKTPLACE PMTS").bank("2026-01-20", "1500.00", "AMAZON.COM SVCS PAYROLL")
    assert findings(f, "2026-02-10", *AUDITS) == []


def test_a_failed_transfer_is_given_back():
    f = settled(account(), "901", ONE, "100.00")
    failed = other("2026-01-18", "Transfer of funds unsuccessful: the transfer of your funds was cancelled", "100.00")
    settled(f, "902", TWO, "200.00", extra=failed).bank("2026-02-03", "300.00")
    assert findings(f, "2026-02-20", *AUDITS) == []
    assert findings(f, "2026-01-28", "deposit_missing") == []  # the line that gives it back is there already
    f.settlements[1] = (*f.settlements[1][:5], f.settlements[1][5][:-1], "V2")
    assert findings(f, "2026-02-20", "deposit_missing") == lines("deposit_missing|open|2026-01-16||||901||||100.00")


def test_one_settlement_in_two_layouts():
    f = settled(settled(account(), "901", SENT, "100.00"), "901", SENT, "100.00", layout="V1").bank(
        "2026-01-16", "100.00"
    )
    assert findings(f, "2026-02-10", *AUDITS) == []


@pytest.mark.parametrize("market", ["UK", "DE"])
def test_easter(market):
    # Wednesday 1 April 2026; the 3rd and the 6th are holidays: the fifth business day is the 10th
    f = account(market, "AMAZON", **({"cep_enrolled": "true"} if market == "DE" else {}))
    settled(f, "901", ("2026-03-18", "2026-04-01", "2026-04-01"), "1234.56").bank("2026-04-03", "9.99", "SHOP")
    assert findings(f, "2026-04-10", *AUDITS) == []
    assert findings(f, "2026-04-11", *AUDITS) == ["deposit_missing|open|2026-04-01||||901||||1234.56"]
    assert findings(f.bank("2026-04-08", "1234.56", "AMAZON PAYMENTS EUROPE"), "2026-04-20", *AUDITS) == []
