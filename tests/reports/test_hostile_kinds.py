"""Hostile settlements, archives, XML, bank files and JSON, read like every command reads them."""

from __future__ import annotations

import gzip
import io
import zipfile
from decimal import Decimal

import pytest
from hostile_files import SUMMARY, V2, look, report, settlement, settlement_line

from recon_lib.errors import NotAReport
from recon_lib.reports import archive

GOOD = settlement(SUMMARY, settlement_line("10.00"), settlement_line("-2.00", "Commission"))


def only(tmp_path, data, name="file.txt"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    (told,) = look(path, tmp_path / "store")
    return told


def test_the_settlement_that_is_broken_below_is_whole(tmp_path):
    told = only(tmp_path, GOOD)
    assert told.reading is not None, told.problem
    assert told.reading.rows_rejected == 0
    assert dict(told.reading.totals) == {"USD": Decimal(8)}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([SUMMARY, SUMMARY, settlement_line("8.00")], id="the summary twice"),
        pytest.param([SUMMARY, settlement_line("8.00"), SUMMARY.replace("8.00", "9.00")], id="two totals"),
        pytest.param([SUMMARY, "\t".join(V2), settlement_line("8.00")], id="the header again"),
        pytest.param([SUMMARY, settlement_line("8.00"), settlement_line("NaN")], id="NaN"),
        pytest.param([SUMMARY, settlement_line("8.00"), settlement_line("1e400")], id="1e400"),
        pytest.param([SUMMARY, settlement_line("8.00"), settlement_line("0.005")], id="three decimals"),
        pytest.param([SUMMARY, settlement_line("8.00"), settlement_line("1.00")[:60]], id="cut off in the last row"),
        pytest.param([SUMMARY, settlement_line("8.00"), "700"], id="one cell"),
        pytest.param([SUMMARY.replace("8.00", "lots"), settlement_line("8.00")], id="a total in words"),
    ],
)
def test_a_settlement_with_one_bad_row_is_read_with_rejects_or_refused(tmp_path, rows):
    told = only(tmp_path, settlement(*rows))
    if told.problem is not None:
        assert not isinstance(told.problem, NotAReport)
    else:
        assert told.reading.rows_rejected >= 1
        assert told.reading.rows_total == len(rows)


def test_a_settlement_without_a_currency_is_not_summed_as_something_else(tmp_path):
    told = only(tmp_path, settlement(SUMMARY.replace("USD", ""), settlement_line("8.00")))
    if told.problem is None:
        assert told.reading.rows_rejected == 2
        assert dict(told.reading.totals) == {}


def test_a_settlement_row_of_another_settlement_is_kept_apart(tmp_path):
    other = settlement_line("3.00").replace("700", "701", 1)
    told = only(tmp_path, settlement(SUMMARY, settlement_line("8.00"), other))
    assert told.problem is not None or told.reading.rows_total == 3


LAUGHS = '<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY lol0 "lol">' + "".join(
    f'<!ENTITY lol{n} "' + f"&lol{n - 1};" * 10 + '">' for n in range(1, 10)
)
SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
CAMT = f'<Document xmlns="{SPACE}"><BkToCstmrStmt><Stmt><Id>%s</Id></Stmt></BkToCstmrStmt></Document>'
FILE = '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'
NET = '<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">\n'

REFUSED = [
    ("billion laughs in a statement", LAUGHS + "]>\n" + CAMT % "&lol9;", "document type"),
    ("a file entity in a statement", FILE + CAMT % "&x;", "document type"),
    ("an outside document type", NET + CAMT % "1", "document type"),
    ("billion laughs in utf-16", (LAUGHS + "]>\n" + CAMT % "&lol9;").encode("utf-16"), "document type"),
    ("billion laughs elsewhere", LAUGHS + "]>\n<lolz>&lol9;</lolz>", "report"),
    ("a wrong namespace", CAMT.replace(SPACE, "urn:x") % "1", "another kind"),
    ("a notice instead of a statement", CAMT.replace("053", "054") % "1", "another kind"),
    ("a deep statement", CAMT % ("<a>" * 5000 + "</a>" * 5000), "cannot be read"),
    ("unclosed XML", (CAMT % "1")[:-20], "cannot be read"),
    ("an unknown entity", CAMT % "&nothing;", "cannot be read"),
    ("control characters in XML", CAMT % "\x01", "cannot be read"),
    ("OFX that is only a header", "OFXHEADER:100\nDATA:OFXSGML\n\n", "</OFX>"),
    ("OFX garbage", "OFXHEADER:100\n\n<OFX><<<>>></OFX", "</OFX>"),
    ("OFX without statement", "OFXHEADER:100\n\n<OFX></OFX>\n", "statement"),
    ("OFX with junk behind it", "OFXHEADER:100\n\n<OFX><STMTRS></STMTRS></OFX>\n<html>", "</OFX>"),
    ("an interim report", ":20:A\n:25:1\n:28C:1\n:34F:EURD0,\n:61:260101C1,00NTRFX\n", "MT942"),
]


@pytest.mark.parametrize(("data", "said"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_hostile_bank_files_are_refused(tmp_path, data, said):
    told = only(tmp_path, data)
    assert told.problem is not None, told.reading
    assert said in told.problem.met
    assert told.problem.file == "file.txt"


OFX = "OFXHEADER:100\n\n<OFX><STMTRS><CURDEF>USD\n<BANKTRANLIST>\n%s\n</BANKTRANLIST></STMTRS></OFX>\n"
OFX_GOOD = "<STMTTRN><DTPOSTED>20260105<TRNAMT>1.00<FITID>1<NAME>x</STMTTRN>"
MT = ":20:A\n:25:1\n:28C:1\n:60F:C260101EUR0,\n:61:260105C1,00NTRFX\n%s\n:62F:C260105EUR1,00\n-\n"
BAD_ENTRIES = [
    *(
        (f"OFX amount {amount!r}", OFX % (OFX_GOOD + "\n" + OFX_GOOD.replace("1.00", amount)), "USD")
        for amount in ("NaN", "inf", "1e400", "1E2", "1,234", "1.2.3", "0x1", "", "1.005", "9" * 40, "=1+1", "null")
    ),
    *(
        (f"OFX day {day!r}", OFX % (OFX_GOOD + "\n" + OFX_GOOD.replace("20260105", day)), "USD")
        for day in ("20260231", "00000101", "99991231", "2026-01-05", "tomorrow", "", "20260105250000")
    ),
    ("OFX entry without amount", OFX % (OFX_GOOD + "\n<STMTTRN><DTPOSTED>20260105<FITID>2</STMTTRN>"), "USD"),
    *(
        (f"MT940 {line!r}", MT % line, "EUR")
        for line in (
            ":61:260231C1,00NTRFX",
            ":61:261301C1,00NTRFX",
            ":61:260105X1,00NTRFX",
            ":61:260105C1.00NTRFX",
            ":61:260105C,NTRFX",
            ":61:260105C1,2,3NTRFX",
            ":61:260105CNaN",
            ":61:260105C1,005NTRFX",
            ":61:260105C" + "9" * 20 + ",00NTRFX",
            ":61:2601050231C1,00NTRFX",
            ":61:",
            ":61:\x07\x1b[31m",
        )
    ),
]


@pytest.mark.parametrize(("data", "currency"), [c[1:] for c in BAD_ENTRIES], ids=[c[0][:40] for c in BAD_ENTRIES])
def test_one_bad_entry_of_a_statement_is_rejected(tmp_path, data, currency):
    told = only(tmp_path, data)
    assert told.reading is not None, told.problem
    assert (told.reading.rows_used, told.reading.rows_rejected) == (1, 1)
    assert dict(told.reading.totals) == {currency: Decimal(1)}
    assert told.reading.rejects["line"].item() == 6


JSON = [
    ("not a number", '{"payload": {"ItemData": [{"ShipmentId": "F", "SellerSKU": "A", "QuantityShipped": NaN}]}}'),
    ("infinity", '{"payload": {"ItemData": [{"ShipmentId": "F", "SellerSKU": "A", "QuantityShipped": Infinity}]}}'),
    ("1e400", '{"payload": {"ItemData": [{"ShipmentId": "F", "SellerSKU": "A", "QuantityShipped": 1e400}]}}'),
    ("half a unit", '{"payload": {"ItemData": [{"ShipmentId": "F", "SellerSKU": "A", "QuantityShipped": 1.5}]}}'),
    ("a huge integer", '{"payload": {"ItemData": [{"ShipmentId": "F", "QuantityShipped": ' + "9" * 5000 + "}]}}"),
    ("a text for the list", '{"payload": {"ItemData": "none"}}'),
    ("numbers for items", '{"payload": {"ItemData": [1, null, "x", []]}}'),
    ("deep", '{"payload": {"ItemData": [' + "[" * 100_000 + "]" * 100_000 + "]}}"),
    ("deep objects", '{"ItemData":' * 50_000 + "1" + "}" * 50_000),
    ("the key twice", '{"payload": {"ItemData": [], "ItemData": [{"ShipmentId": "F"}]}}'),
    ("junk behind", '{"payload": {"ItemData": []}} x'),
    ("cut off", '{"payload": {"ItemData": [{"ShipmentId": "F'),
    ("a lone surrogate", '{"payload": {"ItemData": [{"ShipmentId": "\\ud800", "SellerSKU": "A"}]}}'),
    ("bytes that are no text", b'{"payload": {"ItemData": [{"ShipmentId": "\xff\xfe\xfd"}]}}'),
]


@pytest.mark.parametrize("data", [c[1] for c in JSON], ids=[c[0] for c in JSON])
def test_hostile_json_uses_no_row(tmp_path, data):
    told = only(tmp_path, data, "items.json")
    assert told.problem is not None or told.reading.rows_used == 0


def zipped(*entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries:
            file.writestr(name, data)
    return out.getvalue()


def test_archives_are_read_member_by_member_and_one_bad_member_hides_no_other(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(
        zipped(
            ("../../evil.txt", report()),
            ("in/good.txt", report()),
            ("__MACOSX/._good.txt", b"\0\1"),
            ("laughs.xml", LAUGHS + "]>\n" + CAMT % "&lol9;"),
            ("page.html", "<html>no</html>"),
            ("inner.zip", zipped(("good.txt", report()))),
        )
    )
    told = {t.display: t for t in look(path, tmp_path / "store")}
    assert set(told) == {
        "a.zip!../../evil.txt",
        "a.zip!in/good.txt",
        "a.zip!__MACOSX/._good.txt",
        "a.zip!laughs.xml",
        "a.zip!page.html",
        "a.zip!inner.zip",
    }
    assert [n for n, t in told.items() if t.reading is not None] == ["a.zip!in/good.txt"]
    not_reports = {n for n, t in told.items() if isinstance(t.problem, NotAReport)}
    assert not_reports == {"a.zip!__MACOSX/._good.txt", "a.zip!page.html"}
    assert not list(tmp_path.parent.rglob("evil.txt"))


@pytest.mark.parametrize("packed", ["zip", "gz"])
def test_bombs_are_refused_early(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(archive, "FREE_BYTES", 4_000_000)
    zeros = bytes(30_000_000)
    told = only(tmp_path, gzip.compress(zeros) if packed == "gz" else zipped(("a.txt", zeros)), f"bomb.{packed}")
    assert told.problem is not None
    assert "200 times" in told.problem.met


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(report().encode())[:-9], "cut off"),
        (gzip.compress(report().encode()) + b"junk", "followed by something else"),
        (zipped(("a.txt", report()))[:-30], "cut off"),
        (b"PK\x03\x04" + bytes(100), "cut off"),
        (b"\x1f\x8b" + bytes(100), "damaged"),
        (zipped(), "without files"),
    ],
    ids=[
        "gz cut off",
        "gz with junk behind",
        "zip cut off",
        "only the mark of a zip",
        "only the mark of a gz",
        "empty zip",
    ],
)
def test_broken_archives(tmp_path, data, said):
    told = only(tmp_path, data, "a.bin")
    assert told.problem is not None
    assert said in told.problem.met
