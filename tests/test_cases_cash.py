"""Amazon Pay transfers and the bank, from files to findings: days and amounts worked out by hand.

Thursday 15 January 2026: the business days after it are 16, 20, 21, 22 and 23 January (19: Martin Luther King).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pay_folder import Account

from recon_lib.audits.deposits import bank_tieout

SENT = "01-15 07:00"


@pytest.fixture
def a(tmp_path: Path) -> Account:
    """Amazon sent 100.00 on Thursday 15 January; a bank line of another customer shows that the statement goes on."""
    account = Account(tmp_path)
    account.file("f", "01-14 15:00:44", "01-15 14:59:44", account.transfer("-100.00", SENT, "S1"))
    account.bank("01-14", "7.00", "SOMEBODY ELSE")
    return account


@pytest.mark.parametrize(("day", "found"), [("01-23", []), ("01-24", ["deposit_missing open 01-15 S1 100.00"])])
def test_missing_after_the_fifth_business_day(a: Account, day: str, found: list[str]) -> None:
    assert a.day(day).findings == found


@pytest.mark.parametrize("on", ["01-15", "01-16", "01-23"])
def test_the_amount_in_time_pays(a: Account, on: str) -> None:
    a.bank(on, "100.00", reference="B1")
    for day in ("01-23", "01-24", "01-31"):
        assert a.day(day).findings == []


def test_a_later_exact_credit_removes_what_was_missing(a: Account) -> None:
    a.bank("01-28", "100.00")
    assert a.day("01-27").findings == ["deposit_missing open 01-15 S1 100.00"]
    assert a.day("01-28").findings == []


def test_a_credit_of_another_amount_is_judged_when_time_is_up(a: Account) -> None:
    a.bank("01-20", "88.00", reference="B7")
    assert a.day("01-23").findings == []
    assert a.day("01-24").findings == ["deposit_differs open 01-15 S1 B7 12.00"]


def test_more_than_was_sent_owes_nothing(a: Account) -> None:
    a.bank("01-20", "101.00")
    assert a.day("01-24").findings == ["deposit_differs open 01-15 S1 -"]


def test_money_that_the_bank_exchanged_is_not_missing(a: Account) -> None:
    a.bank("01-20", "92.10", reference="B1", currency="EUR")
    assert a.day("01-23").findings == []
    assert a.day("01-24").findings == [
        "deposit_differs open 01-15 S1 B1 -"
    ]  # how much is missing, if any, is not known
    a.bank("01-21", "99.00", reference="B2")  # in the own currency: this one is judged first
    assert a.day("01-24").findings == ["deposit_differs open 01-15 S1 B2 1.00", "deposit_unexplained open 01-20 B1 -"]


OWN, ODD = ("01-16", "50.00", "B0"), ("01-20", "92.10", "B1")


def two_currencies(tmp_path: Path, *came: tuple[str, str, str]) -> Account:
    a = Account(tmp_path, settings={"currencies": "[USD, EUR]"})
    a.file(
        "f",
        "01-14 15:00:44",
        "01-15 14:59:44",
        a.transfer("-100.00", SENT, "S1"),
        a.transfer("-50.00", SENT, "S1", currency="EUR"),
    )
    for on, amount, reference in came:
        a.bank(on, amount, reference=reference, currency="EUR")
    return a


def test_a_currency_in_which_amazon_sends_too_is_not_exchanged(tmp_path: Path) -> None:
    a = two_currencies(tmp_path, OWN, ODD)
    a.bank("01-02", "-9.00", "BANK FEE")  # the bank keeps dollars
    assert a.day("01-24").findings == ["deposit_missing open 01-15 S1 100.00", "deposit_unexplained open 01-20 B1 -"]


def test_a_currency_that_the_bank_does_not_keep_is_exchanged(tmp_path: Path) -> None:
    # no statement ever shows a dollar: the dollars can only come in euros, in which Amazon sends as well
    a = two_currencies(tmp_path, OWN, ODD)
    assert a.day("01-23").findings == []
    assert a.day("01-24").findings == ["deposit_differs open 01-15 S1 B1 -"]


def test_an_unseen_currency_of_which_nothing_came_is_missing(tmp_path: Path) -> None:
    a = two_currencies(tmp_path, OWN)
    assert a.day("01-24").findings == ["deposit_missing open 01-15 S1 100.00"]


def test_an_odd_credit_pays_its_own_currency_before_one_that_the_bank_exchanged(tmp_path: Path) -> None:
    a = two_currencies(tmp_path, ODD)
    assert a.day("01-24").findings == ["deposit_differs open 01-15 S1 B1 -", "deposit_missing open 01-15 S1 100.00"]


def test_two_credits_that_add_up_pay_one_transfer(a: Account) -> None:
    a.bank("01-20", "60.00")
    a.bank("01-21", "40.00")
    assert a.day("01-31").findings == []


def test_the_second_part_may_come_late(a: Account) -> None:
    a.bank("01-20", "60.00", reference="B1")
    a.bank("01-26", "40.00", reference="B2")
    assert a.day("01-24").findings == ["deposit_differs open 01-15 S1 B1 40.00"]
    assert a.day("01-26").findings == []


def test_two_credits_that_do_not_add_up(a: Account) -> None:
    a.bank("01-20", "60.00", reference="B1")
    a.bank("01-21", "30.00", reference="B2")
    # the nearer one is the transfer in another amount, the other one is nobody's
    assert a.day("01-31").findings == ["deposit_differs open 01-15 S1 B1 40.00", "deposit_unexplained open 01-21 B2 -"]


@pytest.mark.parametrize(
    ("on", "currency", "status"),
    [
        ("01-13", "USD", "open"),  # before anything that the missing settlement sent can have come
        ("01-14", "USD", "waiting"),
        ("01-26", "USD", "waiting"),  # the fifth business day after 17 January, without Martin Luther King day
        ("01-27", "USD", "open"),
        ("01-20", "EUR", "open"),  # no Amazon Pay settlement is in euros
    ],
)
def test_a_credit_of_a_missing_amazon_pay_settlement_waits_for_it(
    a: Account, on: str, currency: str, status: str
) -> None:
    a.bank("01-16", "100.00")
    a.file("h", "01-17 15:00:44", "01-18 14:59:44", a.row("", "5.00", "01-18 09:00", "Adjustment", number="S3"))
    a.bank(on, "55.00", reference="B9", currency=currency)
    seen = a.day("01-31")
    assert seen.findings == [f"deposit_unexplained {status} {on} B9 -"]
    told = seen.day.findings["reason"].to_list()
    assert ("report missing: Amazon Pay settlement 2026-01-15 to 2026-01-17" in told) == (status == "waiting")


@pytest.mark.parametrize(("on", "told"), [("01-02", True), ("01-13", True), ("01-14", False)])
def test_a_credit_before_the_first_amazon_pay_settlement_says_where_they_begin(a: Account, on: str, told: bool) -> None:
    a.bank("01-16", "100.00")
    a.bank(on, "55.00", reference="B9")
    seen = a.day("01-31")
    assert seen.findings == [f"deposit_unexplained open {on} B9 -"]
    more = "; the Amazon Pay settlements known begin on 2026-01-14: an earlier one may tell of it" if told else ""
    assert seen.day.findings["reason"].to_list() == [f"came, but no settlement or transfer explains it{more}"]


@pytest.mark.parametrize(("on", "told"), [("01-15", False), ("01-16", True), ("01-26", True)])
def test_a_credit_after_the_last_amazon_pay_settlement_says_how_far_they_reach(a: Account, on: str, told: bool) -> None:
    a.bank("01-16", "100.00")
    a.bank(on, "55.00", reference="B9")
    seen = a.day("01-31")
    assert seen.findings == [f"deposit_unexplained open {on} B9 -"]
    more = "; the Amazon Pay settlements known end on 2026-01-15: the next one may tell of it" if told else ""
    assert seen.day.findings["reason"].to_list() == [f"came, but no settlement or transfer explains it{more}"]


def test_one_credit_that_is_the_sum_of_two_transfers_pays_both(a: Account) -> None:
    """100.00 of Thursday 15 January (until the 23rd) and 250.00 of Friday 16 January (until Monday 26th), paid as 350.00."""
    a.file("g", "01-15 15:00:44", "01-16 14:59:44", a.row("", "250.00", "01-15 16:00", "Adjustment", number="S2"))
    a.file("h", "01-16 15:00:44", "01-17 14:59:44", a.transfer("-250.00", "01-16 16:00", "S3"))
    a.bank("01-23", "350.00", reference="B1")
    for day in ("01-23", "01-24", "01-31"):
        assert a.day(day).findings == []
    tied = bank_tieout(a.day("01-31").day.books).select("reference_id", "due", "came", "tied").rows()
    assert [(r, f"{d:.2f}", f"{c:.2f}", how) for r, d, c, how in tied] == [
        ("S1", "100.00", "100.00", "together"), ("S3", "250.00", "250.00", "together")]  # fmt: skip


def test_the_sum_of_two_transfers_must_be_in_time_for_both(a: Account) -> None:
    a.file("g", "01-15 15:00:44", "01-16 14:59:44", a.row("", "250.00", "01-15 16:00", "Adjustment", number="S2"))
    a.file("h", "01-16 15:00:44", "01-17 14:59:44", a.transfer("-250.00", "01-16 16:00", "S3"))
    a.bank("01-26", "350.00", reference="B1")
    assert a.day("01-27").findings == ["deposit_differs open 01-16 S3 B1 -", "deposit_missing open 01-15 S1 100.00"]


def test_a_credit_of_nobody(a: Account) -> None:
    a.bank("01-16", "100.00")
    a.bank("01-26", "55.00", reference="B9")
    assert a.day("01-26").findings == ["deposit_unexplained open 01-26 B9 -"]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("-100.00", "AMAZON PAYMENTS"),  # a debit of the right amount and name
        ("100.00", "SHOPIFY PAYOUT"),
        ("100.00", "AMAZON MKTPLACE PMTS AMZN.COM/BILL"),
        ("100.00", "AMZN Mktp US*2K4"),
        ("100.00", "AMAZON.COM SVCS PAYROLL"),
        ("100.00", "Amazon.com Services DIRECT DEP"),
    ],
)
def test_lines_that_are_no_deposit(a: Account, amount: str, text: str) -> None:
    a.bank("01-16", amount, text)
    assert a.day("01-24").findings == ["deposit_missing open 01-15 S1 100.00"]


def test_the_pattern_may_stand_in_the_reference(a: Account) -> None:
    a.bank("01-16", "100.00", "DES payout", "Amazon 0815")
    assert a.day("01-24").findings == []


def test_equal_amounts_in_one_week(a: Account) -> None:
    a.file("g", "01-15 15:00:44", "01-16 14:59:44", a.row("", "100.00", "01-16 09:00", "Adjustment", number="S2"))
    a.file("h", "01-16 15:00:44", "01-17 14:59:44", a.transfer("-100.00", "01-16 16:00", "S3"))
    a.bank("01-16", "100.00")
    assert a.day("01-27").findings == ["deposit_missing open 01-16 S3 100.00"]  # until Monday 26
    a.bank("01-21", "100.00")
    assert a.day("01-27").findings == []


def test_a_transfer_counts_from_its_day_and_no_other_row_is_one(tmp_path: Path) -> None:
    a = Account(tmp_path)
    a.bank("01-02", "1.00", "SOMEBODY ELSE")
    a.file(
        "f",
        "01-14 15:00:44",
        "01-15 14:59:44",
        a.row("", "-30.00", SENT, "Chargeback"),
        a.row("", "-5.00", SENT, "Reserve"),
    )
    a.file("g", "01-15 15:00:44", "01-16 14:59:44", a.row("", "35.00", "01-16 07:00", "Debt", number="S2"))
    assert a.day("01-31").findings == []  # a balance below zero is charged: no deposit is due


OFX = """OFXHEADER:100
DATA:OFXSGML
VERSION:102
SECURITY:NONE
ENCODING:USASCII
CHARSET:1252
COMPRESSION:NONE
OLDFILEUID:NONE
NEWFILEUID:NONE

<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20260131<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>USD
<BANKACCTFROM><BANKID>1<ACCTID>2<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260101<DTEND>20260131
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260120<TRNAMT>100.00<FITID>F1<NAME>AMAZON PAYMENTS<MEMO>PAYOUT</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>100.00<DTASOF>20260131</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""
CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-01-31T00:00:00</CreDtTm></GrpHdr>
<Stmt><Id>1</Id><CreDtTm>2026-01-31T00:00:00</CreDtTm><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id><Ccy>USD</Ccy></Acct>
<Ntry><Amt Ccy="USD">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-20</Dt></BookgDt><ValDt><Dt>2026-01-20</Dt></ValDt>
<AcctSvcrRef>C1</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Dbtr><Nm>AMAZON PAYMENTS</Nm></Dbtr></RltdPties><RmtInf><Ustrd>PAYOUT</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>
"""
MT940 = """:20:STMT1
:25:1/2
:28C:1/1
:60F:C260101USD0,00
:61:2601200120C100,00NTRFNONREF//M1
:86:AMAZON PAYMENTS PAYOUT
:62F:C260131USD100,00
"""


@pytest.mark.parametrize(("name", "text"), [("a.ofx", OFX), ("a.xml", CAMT), ("a.sta", MT940)])
def test_bank_formats_pay_alike(a: Account, name: str, text: str) -> None:
    (a.root / "books/bank" / name).write_text(text, encoding="utf-8")
    assert a.day("01-24").findings == []


def test_the_same_bank_line_in_two_files_is_one(a: Account) -> None:
    (a.root / "books/bank/a.ofx").write_text(OFX, encoding="utf-8")
    a.bank("01-20", "100.00", "AMAZON PAYMENTS", "F1")
    assert a.day("01-24").findings == []
    a.bank("01-20", "100.00", "AMAZON PAYMENTS", "F2")  # another reference: another line
    assert a.day("01-24").findings == ["deposit_unexplained open 01-20 F2 -"]


def test_without_a_reference_the_fullest_file_counts(a: Account) -> None:
    (a.root / "books/bank/a.ofx").write_text(OFX, encoding="utf-8")
    a.bank("01-20", "100.00")
    assert a.day("01-24").findings == []
    a.bank("01-20", "100.00")
    assert [f.rsplit(" ", 2)[0] for f in a.day("01-24").findings] == ["deposit_unexplained open 01-20"]
