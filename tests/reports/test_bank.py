"""Bank statements: every booking with its line, day, sign, exact amount and text; bad entries as rejects."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest

from recon_lib.errors import NotAReport, ReportError, UsageError
from recon_lib.reports import bank_common
from recon_lib.reports.bank import CAMT, MT940, OFX
from recon_lib.reports.bank_mapped import read_mapped
from recon_lib.reports.bank_mapping import to_mapping

OFX1 = """OFXHEADER:100
DATA:OFXSGML
VERSION:102
ENCODING:USASCII
CHARSET:1252

<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS></SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD
<BANKACCTFROM><BANKID>1<ACCTID>2<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260101<DTEND>20260131
<STMTTRN>
<TRNTYPE>CREDIT
<DTPOSTED>20260105233000[-8:PST]
<TRNAMT>1234.56
<FITID>F-1
<NAME>AMAZON.COM &amp; CO
<MEMO>PAYMENT ref 42
</STMTTRN>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260106<TRNAMT>-0.10<FITID>F-2<NAME>Fee</STMTTRN>
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260231<TRNAMT>5.00<FITID>F-3<NAME>Bad day</STMTTRN>
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260107<TRNAMT>1,234<FITID>F-4<NAME>Two readings</STMTTRN>
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260107<TRNAMT>NaN<FITID>F-5<NAME>No number</STMTTRN>
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260108<TRNAMT>1,234.50<FITID>F-6<NAME>Grouped</STMTTRN>
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260108<TRNAMT>7<FITID>F-7<NAME>Euro<CURRENCY><CURRATE>1<CURSYM>EUR</CURRENCY></STMTTRN>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260106<TRNAMT>-0.10<FITID>F-2<NAME>Fee</STMTTRN>
</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""


def read(report, text):
    rows = report.read(text.encode("utf-8") if isinstance(text, str) else text)
    return rows.frames["bank"].rows(named=True), rows.rejects.rows(named=True), rows


def test_ofx_one_booking_by_hand():
    lines, rejects, rows = read(OFX, OFX1)
    assert OFX.sniff(OFX1.encode())
    assert lines[0] == {
        "line": 11,
        "booked_on": date(2026, 1, 5),  # as written, though it is the 6th in UTC
        "amount": Decimal("1234.5600"),
        "currency": "USD",
        "description": "AMAZON.COM & CO PAYMENT ref 42",
        "reference": "F-1",
    }
    assert [(x["line"], x["amount"], x["currency"]) for x in lines[1:]] == [
        (19, Decimal("-0.10"), "USD"),
        (23, Decimal("1234.50"), "USD"),
        (24, Decimal("7"), "EUR"),
    ]
    assert [(x["line"], x["column"], x["value"]) for x in rejects] == [
        (20, "DTPOSTED", "20260231"),
        (21, "TRNAMT", "1,234"),
        (22, "TRNAMT", "NaN"),
        (25, "FITID", "F-2"),
    ]
    assert "line 19" in rejects[3]["reason"]
    assert len(lines) + len(rejects) == OFX1.count("<STMTTRN>")
    assert rows.layout == "OFX"


def test_ofx_2_is_xml_and_several_accounts_keep_their_currency():
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211"?>\n<OFX>\n'
        + "".join(
            f"<STMTRS><CURDEF>{c}</CURDEF><BANKTRANLIST><STMTTRN><DTPOSTED>20260105</DTPOSTED><TRNAMT>3.00</TRNAMT>"
            f"<FITID>1</FITID><NAME>ÄÖ</NAME></STMTTRN></BANKTRANLIST></STMTRS>\n"
            for c in ("EUR", "gbp")
        )
        + "</OFX>"
    )
    lines, rejects, _ = read(OFX, text)
    assert OFX.sniff(text.encode())
    assert not CAMT.sniff(text.encode())
    assert [(x["line"], x["currency"], x["description"]) for x in lines] == [(4, "EUR", "ÄÖ"), (5, "GBP", "ÄÖ")]
    assert not rejects


@pytest.mark.parametrize(
    ("text", "met"),
    [
        (OFX1[:900], "without its closing </OFX>"),
        ("OFXHEADER:100\n\n<OFX><INVSTMTRS></INVSTMTRS></OFX>", "without a bank or card statement"),
        (OFX1.replace("Fee", "F\0e"), "NUL"),
    ],
)
def test_ofx_refused_as_a_whole(text, met):
    with pytest.raises(ReportError, match=met):
        OFX.read(text.encode())


def test_ofx_one_broken_entry_spoils_no_other():
    text = OFX1.replace("<FITID>F-2<NAME>Fee", "<NAME>Fee without id", 1)
    lines, rejects, _ = read(OFX, text)
    assert "FIT" in rejects[0]["reason"]
    assert rejects[0]["line"] == 19
    assert [x["line"] for x in lines] == [11, 23, 24, 25]


MT = """{1:F01BANKDEFFAXXX0000000000}{4:
:20:STARTUMS
:25:10020030/1234567
:28C:00001/001
:60F:C260101EUR1000,00
:61:2601050106CR1234,56NTRFNONREF//B-77
:86:166?00GUTSCHRIFT?10931?20SVWZ+AMAZON PAYMENTS EURO?21PE SCA ref?22second part?32AMAZON
 PAYMENTS
:61:260107DR10,N062KREF1
:86:Fee for the
account
:61:260108RC5,00NTRFR-1
:61:260108RDR6,00NTRFR-2
:61:2512310102C7,NMSCNONREF
:62F:C260108EUR2232,56
-}
:20:SECOND
:25:1
:28C:1
:60F:D260101GBP0,
:61:260230C1,00NTRFX
:61:260201C1.00NTRFX
:61:260201C1,005NTRFX
:61:260201C1234567890123456,00NTRFX
:61:260201EC3,00NTRFX
:61:260201Cnothing
:61:260203C12,34NTRFNONREF
:62F:C260203GBP12,34
-
"""


def test_mt940_by_hand():
    lines, rejects, rows = read(MT940, MT)
    assert MT940.sniff(MT.encode())
    got = [(x["line"], x["booked_on"], x["amount"], x["currency"], x["reference"]) for x in lines]
    assert got == [
        (6, date(2026, 1, 6), Decimal("1234.56"), "EUR", "B-77"),
        (9, date(2026, 1, 7), Decimal("-10.00"), "EUR", "KREF1"),
        (12, date(2026, 1, 8), Decimal("-5.00"), "EUR", "R-1"),
        (13, date(2026, 1, 8), Decimal("6.00"), "EUR", "R-2"),
        (14, date(2026, 1, 2), Decimal("7.00"), "EUR", None),  # value day in the old year, booked in the new one
        (27, date(2026, 2, 3), Decimal("12.34"), "GBP", None),
    ]
    # "SVWZ+AMAZON PAYMENTS EURO" has 25 characters: short of its width, so a blank follows
    assert lines[0]["description"] == "AMAZON PAYMENTS SVWZ+AMAZON PAYMENTS EURO PE SCA ref second part GUTSCHRIFT"
    assert lines[1]["description"] == "Fee for the account"
    assert [(x["line"], x["column"]) for x in rejects] == [
        (21, ":61: value date"),
        (22, ":61:"),
        (23, ":61: amount"),
        (24, ":61: amount"),
        (25, ":61: mark"),
        (26, ":61:"),
    ]
    assert len(lines) + len(rejects) == MT.count("\n:61:")
    assert rows.notes == ()  # 1000 + 1234.56 - 10 - 5 + 6 + 7 = 2232.56


def test_mt940_full_purpose_parts_go_on_without_a_blank():
    full = "EREF+0123456789 AMAZON PAYM"  # 27 characters, cut in the middle of the word
    assert len(full) == 27
    details = f":86:166?20{full}?21ENTS?22SETTLEMENT\n"
    text = f":20:A\n:25:1\n:60F:C260101EUR0,\n:61:260101C1,00NTRFX\n{details}:62F:C260101EUR1,\n-\n"
    assert read(MT940, text)[0][0]["description"] == "EREF+0123456789 AMAZON PAYMENTS SETTLEMENT"


def test_mt940_says_what_does_not_add_up_and_what_is_cut_off():
    assert "differs from closing by 1.00" in read(MT940, MT.replace("2232,56", "2233,56"))[2].notes[0]
    cut = MT[: MT.index(":62F:C260203")]
    assert "no closing balance" in read(MT940, cut)[2].notes[-1]


def test_mt940_without_a_currency_rejects_every_booking():
    lines, rejects, _ = read(MT940, ":20:A\n:25:1\n:61:260101C1,00NTRFX\n:61:260101C2,00NTRFX\n")
    assert lines == []
    assert [(x["line"], x["column"]) for x in rejects] == [(3, ":60F: currency"), (4, ":60F: currency")]


def test_mt942_is_refused():
    text = ":20:A\n:25:1\n:28C:1\n:34F:EURD0,\n:13D:2601011200+0100\n:61:260101C1,00NTRFX\n"
    with pytest.raises(ReportError, match="MT942"):
        MT940.read(text.encode())


SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
CAMT_TEXT = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{SPACE}">
<BkToCstmrStmt><GrpHdr><MsgId>1</MsgId><CreDtTm>2026-01-31T00:00:00</CreDtTm></GrpHdr>
<Stmt><Id>1</Id><Acct><Id><IBAN>DE00</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">230.50</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Ntry>
 <NtryRef>1</NtryRef><Amt Ccy="EUR">300.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
 <BookgDt><Dt>2026-01-05</Dt></BookgDt><ValDt><Dt>2026-01-06</Dt></ValDt><AcctSvcrRef>S-1</AcctSvcrRef>
 <NtryDtls>
  <TxDtls><Refs><EndToEndId>E-1</EndToEndId></Refs><Amt Ccy="EUR">200.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
   <RltdPties><Dbtr><Nm>AMAZON PAYMENTS EUROPE</Nm></Dbtr></RltdPties><RmtInf><Ustrd>one</Ustrd><Ustrd>two</Ustrd></RmtInf></TxDtls>
  <TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><Amt Ccy="EUR">100.50</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls>
 </NtryDtls>
</Ntry>
<Ntry><NtryRef>N-2</NtryRef><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd><Sts>BOOK</Sts><BookgDt><DtTm>2026-01-07T23:30:00-08:00</DtTm></BookgDt></Ntry>
</Stmt>
<Stmt><Id>2</Id><Acct><Id><IBAN>GB00</IBAN></Id></Acct>
<Ntry><Amt Ccy="GBP">5</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-08</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="GBP">5.001</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-08</Dt></BookgDt></Ntry>
<Ntry><Amt>5</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-08</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="GBP">5</Amt><Sts>BOOK</Sts><BookgDt><Dt>2026-01-08</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="GBP">5</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts><BookgDt><Dt>2026-01-08</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="GBP">5</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-02-31</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="GBP">5e2</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-02-01</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="GBP">-5</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-02-01</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="GBP">1.50000</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-02-01</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>
"""


def test_camt_by_hand():
    lines, rejects, rows = read(CAMT, CAMT_TEXT)
    assert CAMT.sniff(CAMT_TEXT.encode())
    assert lines[0] == {
        "line": 7,
        "booked_on": date(2026, 1, 5),
        "amount": Decimal("300.50"),  # one booking, though the bank batched two payments in it
        "currency": "EUR",
        "description": "AMAZON PAYMENTS EUROPE one two E-1",
        "reference": "S-1",
    }
    assert [(x["line"], x["booked_on"], x["amount"], x["currency"], x["reference"]) for x in lines[1:]] == [
        (16, date(2026, 1, 7), Decimal("30.00"), "EUR", "N-2"),  # a debit was reversed: money came
        (19, date(2026, 1, 8), Decimal("-5"), "GBP", None),
        (27, date(2026, 2, 1), Decimal("1.50"), "GBP", None),
    ]
    assert [(x["line"], x["column"]) for x in rejects] == [
        (20, "Amt"),
        (21, "Amt@Ccy"),
        (22, "CdtDbtInd"),
        (23, "Sts"),
        (24, "BookgDt"),
        (25, "Amt"),
        (26, "Amt"),
    ]
    assert len(lines) + len(rejects) == CAMT_TEXT.count("<Ntry>")
    assert rows.notes == ()  # -100 + 300.50 + 30 = 230.50


def test_camt_with_prefixes_comments_and_old_versions():
    text = CAMT_TEXT.replace("</", "</n:").replace("<", "<n:").replace("<n:/n:", "</n:").replace("<n:?", "<?")
    text = text.replace("xmlns=", "xmlns:n=").replace("001.08", "001.02")
    plain, prefixed = read(CAMT, CAMT_TEXT), read(CAMT, text)
    assert CAMT.sniff(text.encode())
    assert plain[0] == prefixed[0]
    assert plain[1] == prefixed[1]
    commented = CAMT_TEXT.replace("<Id>1</Id><Acct>", "<Id>1</Id><!-- <Ntry> --><Acct>")
    assert read(CAMT, commented)[0] == plain[0]


def test_camt_tells_who_really_paid_and_what_the_bank_added():
    payer = "<RltdPties><Dbtr><Nm>SOME BANK</Nm></Dbtr><UltmtDbtr><Pty><Nm>AMAZON PAYMENTS</Nm></Pty></UltmtDbtr></RltdPties>"
    text = CAMT_TEXT.replace("<RltdPties><Dbtr><Nm>AMAZON PAYMENTS EUROPE</Nm></Dbtr></RltdPties>", payer)
    text = text.replace("</RmtInf></TxDtls>", "</RmtInf><AddtlTxInf>payout of March</AddtlTxInf></TxDtls>")
    assert read(CAMT, text)[0][0]["description"] == "SOME BANK one two E-1 AMAZON PAYMENTS payout of March"
    bought = text.replace("300.50</Amt><CdtDbtInd>CRDT", "300.50</Amt><CdtDbtInd>DBIT")  # who was paid counts there
    assert read(CAMT, bought)[0][0]["description"] == "one two E-1 payout of March"


def test_camt_says_what_does_not_add_up():
    note = read(CAMT, CAMT_TEXT.replace("230.50", "230.49"))[2].notes[0]
    assert "line 4" in note
    assert "by -0.01" in note


BOMB = '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;">]>\n'


@pytest.mark.parametrize(
    ("text", "met", "line"),
    [
        (BOMB + CAMT_TEXT.split("\n", 1)[1], "document type", 2),
        (
            CAMT_TEXT.split("\n", 1)[1].replace("<Stmt>", "<!ENTITY x SYSTEM 'file:///etc/passwd'><Stmt>", 1),
            "document",
            3,
        ),
        (CAMT_TEXT.replace("053.001.08", "052.001.08"), "another kind", None),
        (CAMT_TEXT.replace(SPACE, "urn:something"), "another kind", None),
        (CAMT_TEXT[: CAMT_TEXT.index("E-1")], "XML that cannot be read", 11),
        (CAMT_TEXT.replace("Stmt>", "Rpt>"), "without a statement", None),
    ],
)
def test_camt_refused_as_a_whole(text, met, line):
    with pytest.raises(ReportError, match=met) as caught:
        CAMT.read(text.encode())
    assert caught.value.do
    if line:
        assert caught.value.line == line


@pytest.mark.parametrize("encoding", ["UTF-7", "cp037", "idna"])
def test_camt_in_an_exotic_encoding_is_refused(encoding):
    text = CAMT_TEXT.replace("UTF-8", encoding, 1).replace("one", "\xe9")
    with pytest.raises(ReportError, match="encoding"):
        CAMT.read(text.encode("latin-1"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_camt_in_other_encodings_reads_alike(encoding):
    declared = encoding.replace("-sig", "")
    text = CAMT_TEXT.replace("UTF-8", declared, 1).replace("one", "Größe")
    data = text.encode(encoding)
    assert CAMT.sniff(data)
    lines, _, rows = read(CAMT, data)
    assert lines[0]["description"] == "AMAZON PAYMENTS EUROPE Größe two E-1"
    assert rows.encoding == encoding


MAPPING = {
    "date": "Buchungstag",
    "date_format": "%d.%m.%Y",
    "amount": "Betrag",
    "currency": "Währung",
    "description": ["Auftraggeber", "Zweck"],
    "reference": "Ref",
    "delimiter": ";",
    "decimal": ",",
}
MAPPED = (
    "Konto 4711\n\nBuchungstag;Auftraggeber;Zweck;Betrag;Währung;Ref\n"
    '05.01.2026;Amazon;"Zeile eins\nZeile zwei";1.234,50;EUR;R1\n'
    "06.01.2026;Bank;Gebühr;-0,10;EUR;\n\n31.02.2026;x;y;1,00;EUR;\n07.01.2026;x;y;1.23;EUR;\n08.01.2026;x;y\n"
)


def test_mapped_csv_by_hand():
    rows = read_mapped(MAPPED.encode("cp1252"), to_mapping(MAPPING))
    assert rows.encoding == "cp1252"
    assert rows.frames["bank"].rows() == [
        (4, date(2026, 1, 5), Decimal("1234.50"), "EUR", "Amazon Zeile eins Zeile zwei", "R1"),
        (6, date(2026, 1, 6), Decimal("-0.10"), "EUR", "Bank Gebühr", None),
    ]
    assert rows.rejects["line"].to_list() == [8, 9, 10]
    assert rows.rejects["value"].to_list() == ["31.02.2026", "1.23", ""]


def test_mapped_csv_with_credit_and_debit_columns_and_a_constant_currency():
    mapping = to_mapping({"date": "day", "date_format": "%Y-%m-%d", "credit": "in", "debit": "out", "currency": "USD"})
    text = "day,in,out\n2026-01-05,10.00,\n2026-01-05,,3.00\n2026-01-05,,-3.00\n2026-01-06,1,1\n2026-01-06,,\n"
    rows = read_mapped(text.encode(), mapping)
    assert rows.frames["bank"]["amount"].to_list() == [Decimal("10"), Decimal("-3"), Decimal("-3")]
    assert rows.rejects["line"].to_list() == [5, 6]


@pytest.mark.parametrize(
    ("mark", "written", "hoped"),
    [
        (",", "1.234,56 €", "1234.56"),
        (",", "EUR -1.234,56", "-1234.56"),
        (",", "−50,00\u00a0EUR", "-50"),
        (",", "50,00-", "-50"),
        (".", "-$1,234.56", "-1234.56"),
        (".", "$-5.00", "-5"),
        (".", "($1,234.50)", "-1234.50"),
        (".", "CHF 1'234.50", "1234.50"),
        (".", "1’234’567.05", "1234567.05"),
        (".", "₹1,44,957.78", "144957.78"),
        (".", "-(5.00)", None),
        (".", "--5.00", None),
        (".", "5.00-5", None),
        (".", "(5.00", None),
        (".", "5.00)", None),
        (".", "1'23.00", None),
        (".", "USD", None),
        (".", "1,44,95.78", None),
    ],
)
def test_amounts_as_banks_write_them(mark, written, hoped):
    code = {"CHF": "CHF", "USD": "USD"}.get(
        written[:3], "INR" if "₹" in written else "USD" if "$" in written else "EUR"
    )
    mapping = to_mapping(
        {"date": "d", "date_format": "%Y-%m-%d", "amount": "a", "currency": code, "delimiter": ";", "decimal": mark}
    )
    rows = read_mapped(f"d;a\n2026-01-05;{written}\n".encode(), mapping)
    assert rows.frames["bank"]["amount"].to_list() == ([Decimal(hoped)] if hoped else [])
    assert rows.rejects.height == (0 if hoped else 1)


def test_a_column_may_say_which_way_the_money_went():
    mapping = to_mapping(
        {"date": "Datum", "date_format": "%Y%m%d", "amount": "Bedrag (EUR)", "currency": "EUR", "decimal": ",",
         "direction": "Af Bij", "came": "Bij", "left": ["Af", "Terug"]}
    )  # fmt: skip
    text = '"Datum";"Af Bij";"Bedrag (EUR)"\n20260105;Bij;1.234,56\n20260106; af ;5,00\n20260107;TERUG;0,10\n'
    rows = read_mapped(f"{text}20260108;;5,00\n20260108;Boeking;5,00\n20260109;Bij;-5,00\n".encode(), mapping)
    assert rows.frames["bank"]["amount"].to_list() == [Decimal("1234.56"), Decimal("-5"), Decimal("-0.10")]
    assert rows.rejects.select("line", "column").rows() == [(5, "Af Bij"), (6, "Af Bij"), (7, "Bedrag (EUR)")]


@pytest.mark.parametrize(
    ("written", "hoped"),
    [("1,234.50 CR", "1234.50"), ("45.00DR", "-45"), ("45.00 Dr.", "-45"), ("USD 5.00 cr", "5"), ("-5.00 DR", None), ("5 C", None), ("5.00 €.", None)],
)  # fmt: skip
def test_a_mark_behind_an_amount_says_which_way_the_money_went(written, hoped):
    mapping = to_mapping({"date": "d", "date_format": "%Y-%m-%d", "amount": "a", "currency": "USD", "delimiter": ";"})
    rows = read_mapped(f"d;a\n2026-01-05;{written}\n".encode(), mapping)
    assert rows.frames["bank"]["amount"].to_list() == ([Decimal(hoped)] if hoped else [])


def test_a_mark_that_contradicts_its_column_is_rejected():
    mapping = to_mapping({"date": "d", "date_format": "%Y-%m-%d", "credit": "in", "debit": "out", "currency": "USD"})
    days = [("5.00 CR", ""), ("", "5.00 DR"), ("", "5.00 CR"), ("5.00 DR", ""), ("", "5.00 cr.")]
    text = "d,in,out\n" + "".join(f"2026-01-{n:02},{came},{left}\n" for n, (came, left) in enumerate(days, 1))
    rows = read_mapped(text.encode(), mapping)
    assert rows.frames["bank"]["amount"].to_list() == [Decimal(5), Decimal(-5)]
    assert rows.rejects.select("line", "column").rows() == [(4, "out"), (5, "in"), (6, "out")]


def test_an_amount_that_names_another_currency_is_rejected():
    mapping = to_mapping({"date": "d", "date_format": "%Y-%m-%d", "amount": "a", "currency": "EUR"})
    rows = read_mapped(b"d,a\n2026-01-05,5.00 EUR\n2026-01-06,5.00 USD\n", mapping)
    assert rows.frames["bank"]["amount"].to_list() == [Decimal(5)]
    assert rows.rejects["reason"].to_list() == ["names USD where the row is in EUR"]


@pytest.mark.parametrize(
    ("code", "written", "is_read"),
    [
        ("USD", "€5.00", False),
        ("EUR", "5.00 $", False),
        ("USD", "£5.00", False),
        ("GBP", "£5.00", True),
        ("CAD", "CA$5.00", True),
        ("USD", "CA$5.00", False),
        ("USD", "A$5.00", False),
        ("USD", "5.00 US$", True),
        ("BRL", "R$5.00", True),
        ("USD", "ZZ$5.00", False),
        ("CNY", "CN¥5.00", True),
        ("JPY", "CN¥5", False),
        ("JPY", "¥5", True),
    ],
)
def test_the_sign_of_another_currency_names_it_too(code, written, is_read):
    mapping = to_mapping({"date": "d", "date_format": "%Y-%m-%d", "amount": "a", "currency": code, "delimiter": ";"})
    rows = read_mapped(f"d;a\n2026-01-05;{written}\n".encode(), mapping)
    assert rows.frames["bank"]["amount"].to_list() == ([Decimal(5)] if is_read else [])
    assert [reason[:6] for reason in rows.rejects["reason"]] == ([] if is_read else ["names "])


@pytest.mark.parametrize("nothing", ["", "  ", [""], ["text", " "]])
def test_a_name_left_empty_names_no_column(nothing) -> None:  # type: ignore[no-untyped-def]
    """A mapping that was cut off, or a key that nobody filled in."""
    asked = {"date": "d", "date_format": "%Y-%m-%d", "amount": "a", "currency": "EUR"}
    mapping = to_mapping(
        {**asked, "description": nothing, "reference": "", "credit": " ", "debit": "", "delimiter": ""}
    )
    rows = read_mapped(b"d,a,text\n2026-01-05,5.00,AMAZON\n", mapping)
    assert rows.frames["bank"]["description"].to_list() == ["AMAZON" if "text" in nothing else None]
    for name in ("date", "amount", "currency"):
        with pytest.raises(UsageError, match=name):
            to_mapping({**asked, name: "  "})


@pytest.mark.parametrize(
    ("change", "met"),
    [
        ({"datum": "x"}, "datum"),
        ({"amount": None}, "credit"),
        ({"credit": "x", "debit": "y"}, "either"),
        ({"date_format": "%d.%m."}, "day, month and year"),
        ({"date_format": "%d.%m.%Y%Y"}, "day, month and year"),
        ({"date_format": "%d.%m.%y%Y"}, "day, month and year"),
        ({"date_format": "%x"}, "day, month and year"),
        ({"date_format": "%"}, "day, month and year"),
        ({"decimal": ";"}, "decimal"),
        ({"delimiter": "x"}, "tab"),
        ({"direction": "S/H"}, "came"),
        ({"came": ["H"], "left": ["S"]}, "direction"),
        ({"direction": "S/H", "came": ["H"], "left": ["h"]}, "both"),
        ({"amount": None, "credit": "x", "debit": "y", "direction": "S/H", "came": ["H"], "left": ["S"]}, "amount"),
    ],
)
def test_wrong_mapping_is_refused(change, met):
    content = {k: v for k, v in (MAPPING | change).items() if v is not None}
    with pytest.raises(UsageError, match=met):
        to_mapping(content)


def test_mapped_csv_that_does_not_fit():
    with pytest.raises(NotAReport, match="no line has the columns"):
        read_mapped(b"a;b\n1;2\n", to_mapping(MAPPING))
    with pytest.raises(ReportError, match="broken CSV") as caught:
        read_mapped((MAPPED + '09.01.2026;"open;y;1,00;EUR;\n').encode(), to_mapping(MAPPING))
    assert caught.value.line == 11
    doubled = MAPPED.replace(";Ref", ";Betrag;Ref", 1)
    with pytest.raises(ReportError, match="twice"):
        read_mapped(doubled.encode(), to_mapping(MAPPING))


def test_without_the_extra_the_message_names_it(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(bank_common, "import_module", absent)
    for report, text in ((OFX, OFX1), (MT940, MT), (CAMT, CAMT_TEXT)):
        with pytest.raises(ReportError, match=r"\.venv/bin/python \.ci/install\.py bank$"):
            report.read(text.encode())


def test_the_libraries_are_imported_only_when_needed():
    names = ("ofxparse", "mt940", "pycamt", "lxml")
    code = f"import sys, recon_lib.reports.bank; print([m for m in {names} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
