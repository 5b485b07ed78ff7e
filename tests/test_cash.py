"""Deposits against the bank: days and amounts computed by hand. Settlements of these tests are paid two days after their end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from bookmaker import D, books, day, line, settlement
from holidays import country_holidays
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_lib.audits.business_days import last_business_day
from recon_lib.audits.cash import deposit_differs, deposit_missing, deposit_unexplained
from recon_lib.audits.deposits import bank_tieout, cash
from recon_lib.settings import MARKETPLACES


def credit(on, amount, text="AMAZON PAYMENTS", reference=None, **more):
    return {
        "booked_on": day(on),
        "amount": D(amount),
        "currency": "USD",
        "description": text,
        "reference": reference,
        **more,
    }


def made(heads, bank, as_of="2026-03-31", lines=(), **more):
    return books(as_of, settlements=list(heads), bank=list(bank), settlement_lines=list(lines), **more)


def run(*args, **more):
    """audit name -> (reference, owed)"""
    found = made(*args, **more)
    return {
        name: audit(found, None).findings.select("reference_id", "owed").rows()
        for name, audit in (
            ("missing", deposit_missing),
            ("differs", deposit_differs),
            ("unexplained", deposit_unexplained),
        )
    }


NOTHING = {"missing": [], "differs": [], "unexplained": []}
# Ended on Thursday 5 March, deposited on Saturday 7 March: five business days end on Friday 13 March.
HEAD = settlement("S1", "2026-02-19", "2026-03-05", "100.00")


@pytest.mark.parametrize(
    ("marketplace", "start", "last"),
    [
        ("US", "2026-03-07", "2026-03-13"),
        ("US", "2026-03-04", "2026-03-11"),
        ("US", "2026-01-15", "2026-01-23"),  # Martin Luther King day on 19 January
        ("UK", "2026-04-01", "2026-04-10"),  # Good Friday and Easter Monday
        ("DE", "2026-12-23", "2026-12-31"),  # 24 and 31 December are business days, 25 is not
    ],
)
def test_five_business_days(marketplace, start, last):
    assert last_business_day(marketplace, day(start), 5) == day(last)


@pytest.mark.parametrize("on", ["2026-03-06", "2026-03-07", "2026-03-13"])
def test_the_exact_credit_in_time_pays(on):
    assert run([HEAD], [credit(on, "100.00")]) == NOTHING


@pytest.mark.parametrize(("as_of", "owed"), [("2026-03-13", []), ("2026-03-14", [("S1", D(100))])])
def test_missing_only_after_the_last_business_day_has_ended(as_of, owed):
    assert run([HEAD], [], as_of)["missing"] == owed


def test_missing_is_open_from_the_deposit_day():
    (row,) = deposit_missing(made([HEAD], []), None).findings.to_dicts()
    assert (row["status"], row["event_on"], row["currency"]) == ("open", day("2026-03-07"), "USD")


def test_a_later_exact_credit_removes_it():
    assert run([HEAD], [credit("2026-03-25", "100.00")]) == NOTHING
    assert bank_tieout(made([HEAD], [credit("2026-03-25", "100.00")]))["tied"].to_list() == ["late"]


def test_a_negative_or_empty_settlement_pays_nothing():
    heads = [
        settlement("S1", "2026-02-19", "2026-03-05", "-100.00"),
        settlement("S2", "2026-03-05", "2026-03-12", "0.00"),
    ]
    assert run(heads, []) == NOTHING


def test_a_settlement_whose_deposit_is_still_to_come_is_not_due():
    assert run([HEAD], [], as_of="2026-03-06") == NOTHING


def test_the_sign_and_the_counterparty_decide_before_the_amount():
    others = [
        credit("2026-03-09", "-100.00"),
        credit("2026-03-09", "100.00", "SHOPIFY"),
    ]
    got = run([HEAD], others)
    assert got["missing"] == [("S1", D(100))]
    assert run([HEAD], [credit("2026-03-09", "100.00", "DES: payout", "amazon 77")]) == NOTHING


@pytest.mark.parametrize(
    "text", ["AMAZON.COM SVCS PAYROLL", "Amazon.com Svcs DIRECT DEP", "AMAZON MKTPLACE PMTS", "AMZN Mktp US*12"]
)
def test_wages_and_purchases_are_no_deposits(text):
    got = run([HEAD], [credit("2026-03-09", "100.00", text)], settings={"bank_pattern": "AMAZON|AMZN"})
    assert got == {**NOTHING, "missing": [("S1", D(100))]}


def test_another_amount_differs_when_the_deposit_is_out_of_time():
    bank = [credit("2026-03-10", "90.00", reference="B7")]
    assert run([HEAD], bank, as_of="2026-03-13") == NOTHING
    assert run([HEAD], bank) == {**NOTHING, "differs": [("S1 B7", D(10))]}
    assert run([HEAD], [credit("2026-03-10", "110.00")])["differs"] == [("S1", None)]


def test_of_several_credits_the_one_nearest_in_amount_is_the_deposit():
    bank = [credit("2026-03-09", "250.00", reference="B1"), credit("2026-03-11", "98.50", reference="B2")]
    got = {**NOTHING, "differs": [("S1 B2", D("1.50"))], "unexplained": [("B1", None)]}
    assert run([HEAD], bank) == got  # the earlier one is something else
    # Two deposits, two credits: 98.50 is the one of 100.00, so 104.00 is the other one (110.00) however near it is to 100.00.
    more = settlement("S2", "2026-02-19", "2026-03-05", "110.00")
    bank = [credit("2026-03-09", "104.00", reference="B1"), credit("2026-03-11", "98.50", reference="B2")]
    assert run([HEAD, more], bank)["differs"] == [("S1 B2", D("1.50")), ("S2 B1", D(6))]
    # Equally near: the earlier credit.
    bank = [credit("2026-03-09", "99.00", reference="B1"), credit("2026-03-11", "101.00", reference="B2")]
    assert run([HEAD], bank)["differs"] == [("S1 B1", D(1))]


def test_a_reserve_movement_of_the_difference_is_named():
    held = line(
        "S1", "2026-03-05", "Current Reserve Amount", "-10.00", kind="other-transaction", group="other-transaction"
    )
    bank = [credit("2026-03-10", "90.00")]
    (row,) = deposit_differs(made([HEAD], bank, lines=[held]), None).findings.to_dicts()
    assert (
        row["arithmetic"]
        == "100.00 sent − 90.00 at the bank on 2026-03-10 = 10.00; a reserve movement of -10.00 explains it"
    )
    (row,) = deposit_differs(made([HEAD], bank), None).findings.to_dicts()
    assert row["arithmetic"].endswith("no reserve movement explains it")


def test_where_nothing_is_owed_the_reason_says_why():
    more, less = made([HEAD], [credit("2026-03-10", "110.00")]), made([HEAD], [credit("2026-03-10", "90.00")])
    assert deposit_differs(more, None).findings.select("owed", "reason").rows() == [(None, "more came than was sent")]
    assert deposit_differs(less, None).findings.select("owed", "reason").rows() == [(D(10), None)]
    heads = [settlement("S0", "2026-01-22", "2026-02-05", "-1.00"), HEAD]
    stray = made(heads, [credit("2026-03-03", "55.00"), credit("2026-03-10", "100.00")])
    found = deposit_unexplained(stray, None).findings
    assert found.select("owed", "reason", "status").rows() == [
        (None, "came, but no settlement or transfer explains it", "open")
    ]


def test_two_credits_that_add_up_settle_one_deposit():
    assert run([HEAD], [credit("2026-03-09", "60.00"), credit("2026-03-10", "40.00")]) == NOTHING


def test_a_credit_without_settlement_is_unexplained():
    bank = [credit("2026-03-10", "100.00"), credit("2026-03-11", "55.00", reference="B9"), credit("2026-03-20", "7.00")]
    assert run([HEAD], bank) == {**NOTHING, "unexplained": [("B9", None), (None, None)]}


@pytest.mark.parametrize(
    ("on", "status"),
    [("2026-02-18", "open"), ("2026-02-19", "waiting"), ("2026-03-02", "waiting"), ("2026-03-03", "open")],
)
def test_a_credit_that_a_missing_settlement_may_have_paid_waits_for_its_report(on, status):
    # the settlement of 5 to 19 February is missing; its money can come until 2 March
    heads = [settlement("S0", "2026-01-22", "2026-02-05", "-1.00"), HEAD]
    found = deposit_unexplained(made(heads, [credit(on, "55.00"), credit("2026-03-10", "100.00")]), None).findings
    assert found["status"].to_list() == [status]


def test_a_missing_settlement_does_not_hide_behind_another_currency_or_store():
    # dollars of 5 to 19 February are missing; the Canadian settlements cover all days
    north = [settlement("C0", "2026-01-22", "2026-02-19", "-1.00", currency="CAD"),
             settlement("C1", "2026-02-19", "2026-03-05", "-1.00", currency="CAD")]  # fmt: skip
    heads = [settlement("S0", "2026-01-22", "2026-02-05", "-1.00"), HEAD]
    bank = [
        credit("2026-02-24", "55.00"),
        credit("2026-02-24", "56.00", currency="CAD"),
        credit("2026-03-10", "100.00"),
    ]
    told = (
        deposit_unexplained(made([*heads, *north], bank), None).findings.sort("currency").select("currency", "status")
    )
    assert told.rows() == [("CAD", "open"), ("USD", "waiting")]
    # the same two sides as two stores of one currency: which of them sent the money is not known
    beside = [head | {"currency": "USD"} for head in north]
    lines = [
        line(number, "2026-02-01", "Principal", "1.00", order_id=number, marketplace_name=store)
        for number, store in (("S0", "Amazon.com"), ("S1", "Amazon.com"), ("C0", "Amazon.ca"), ("C1", "Amazon.ca"))
    ]
    (row,) = deposit_unexplained(made([*heads, *beside], bank[::2], lines=lines), None).findings.to_dicts()
    assert (row["status"], row["reason"]) == ("waiting", "report missing: settlements until 2026-02-18")


def test_a_credit_in_a_long_time_without_settlements_waits():
    heads = [settlement("S0", "2026-01-01", "2026-01-15", "-1.00"), HEAD]
    found = deposit_unexplained(
        made(heads, [credit("2026-02-02", "55.00"), credit("2026-03-10", "100.00")]), None
    ).findings
    assert found.select("status", "reason").rows() == [("waiting", "report missing: settlements until 2026-02-18")]


def test_equal_amounts_in_one_week_are_assigned_by_day():
    heads = [HEAD, settlement("S2", "2026-03-05", "2026-03-08", "100.00")]
    tied = bank_tieout(made(heads, [credit("2026-03-09", "100.00"), credit("2026-03-11", "100.00")]))
    assert tied.select("reference_id", "came_on").rows() == [("S1", date(2026, 3, 9)), ("S2", date(2026, 3, 11))]


def transfer(on, amount, number="P1", kind="Transfer"):
    return {"posted_at": datetime.fromisoformat(f"{on}T10:00:00").replace(tzinfo=UTC), "posted_on": day(on), "settlement_id": number,
            "transaction_type": kind, "currency": "USD", "amount": D(amount)}  # fmt: skip


def test_amazon_pay_transfers_are_deposits_too():
    lines = [
        transfer("2026-03-07", "-50.00"),
        transfer("2026-03-09", "-20.00", "P2"),
        transfer("2026-03-09", "5.00", "P2", "Reserve"),
    ]
    bank = [credit("2026-03-10", "15.00"), credit("2026-03-10", "100.00")]
    got = run([HEAD], bank, pay_lines=lines)
    assert got == {"missing": [("P1", D(50))], "differs": [("P2", D(5))], "unexplained": []}
    assert (
        "a reserve movement of 5.00 explains it"
        in deposit_differs(made([HEAD], bank, pay_lines=lines), None).findings["arithmetic"][0]
    )


def test_one_bank_line_in_two_files_is_one():
    same = credit("2026-03-20", "55.00", reference="B9")
    other = {**same, "file": "books/bank/march.ofx", "description": "AMAZON PAYMENTS DES"}
    assert len(run([HEAD], [credit("2026-03-10", "100.00"), same, other])["unexplained"]) == 1
    nameless = [
        credit("2026-03-20", "55.00"),
        credit("2026-03-20", "55.00"),
        credit("2026-03-20", "55.00", "AMAZON X", file="b.ofx"),
    ]
    assert len(run([HEAD], [credit("2026-03-10", "100.00"), *nameless])["unexplained"]) == 2
    mixed = [credit("2026-03-20", "55.00"), credit("2026-03-20", "55.00", reference="B9", file="b.ofx")]
    assert len(run([HEAD], [credit("2026-03-10", "100.00"), *mixed])["unexplained"]) == 1


def test_without_a_bank_statement_nothing_is_said():
    found = deposit_missing(books("2026-03-31", settlements=[HEAD], settlement_lines=[]), None)
    assert found.findings.is_empty()


sums = st.lists(st.tuples(st.integers(1, 20), st.integers(1, 5)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(sums, sums, st.integers(1, 31))
def test_every_deposit_and_every_credit_is_in_one_place(sent, came, today):
    heads = [settlement(str(n), "2026-01-01", f"2026-02-{d:02}", f"{a}.00") for n, (d, a) in enumerate(sent)]
    bank = [credit(f"2026-02-{d + 5:02}", f"{a}.00", reference=str(n)) for n, (d, a) in enumerate(came)]
    tied = cash(made(heads, bank, as_of=f"2026-03-{today:02}"))
    used = [c.fact for d in tied.deposits for c in d.credits if d.how != "together"]
    shared = [c for d in tied.deposits for c in d.credits if d.how == "together"]
    once = {c.fact for c in shared}
    assert len(used) == len({*used, *once}) - len(once)
    assert all(len([c for c in shared if c.fact == fact]) == 2 for fact in once)
    assert len(used) + len(once) + len(tied.unexplained) + tied.undecided == len(came)
    for deposit in tied.deposits:
        paid = sum(c.amount for c in deposit.credits)
        assert (paid == deposit.amount) == (deposit.how in ("exact", "two", "together", "late"))


@pytest.mark.parametrize("marketplace", sorted(MARKETPLACES))
def test_a_calendar_read_alone_has_the_days_of_the_whole_package(marketplace):
    country, part = {"UK": ("GB", "ENG")}.get(marketplace, (marketplace, None))
    kinds = country_holidays(country).supported_categories
    whole = country_holidays(country, subdiv=part, categories=tuple(k for k in ("public", "bank") if k in kinds))
    days = [date(2025, 12, 20) + timedelta(days=n) for n in range(400)]
    for count in (1, 5):
        assert [last_business_day(marketplace, day, count) for day in days] == [
            whole.get_nth_working_day(day, count) for day in days
        ]
