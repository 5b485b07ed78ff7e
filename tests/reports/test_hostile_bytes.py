"""Whatever bytes come: rows in = rows used + rows rejected, and nothing but a ReportError is ever raised."""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hostile_files import BANK, SUMMARY, conserved, look, report, row, settlement, settlement_line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recon_lib.errors import ReportError, UsageError
from recon_lib.reports.bank import BANK as BANK_FORMATS
from recon_lib.reports.bank import REJECTS
from recon_lib.reports.bank_mapped import read_mapped
from recon_lib.reports.bank_mapping import load_mapping, to_mapping

SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
ENTRY = (
    '<Ntry><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-05</Dt></BookgDt>'
    "<NtryDtls><TxDtls><RmtInf><Ustrd>x</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
)
OFX = (
    "OFXHEADER:100\n\n<OFX><STMTRS><CURDEF>USD\n<BANKTRANLIST>\n"
    + "".join(f"<STMTTRN><DTPOSTED>2026010{n}<TRNAMT>{n}.00<FITID>{n}<NAME>x<MEMO>y\n</STMTTRN>\n" for n in range(1, 4))
    + "</BANKTRANLIST></STMTRS></OFX>\n"
)
MT = (
    ":20:A\n:25:1\n:28C:1\n:60F:C260101EUR0,\n:61:2601050105C1,00NTRFX//B\n:86:166?20SVWZ+x?32y\n"
    ":61:260106D1,00NMSCNONREF\n:86:free\ntext\n:62F:C260105EUR0,00\n-\n"
)
CAMT = f'<Document xmlns="{SPACE}"><BkToCstmrStmt><Stmt>\n{ENTRY * 3}</Stmt></BkToCstmrStmt></Document>\n'
JSON = (
    '{"payload": {"ItemData": [\n{"ShipmentId": "F1", "SellerSKU": "A", "QuantityShipped": 5, "QuantityReceived": 4},\n'
    '{"ShipmentId": "F2", "SellerSKU": "B", "QuantityShipped": 1, "QuantityReceived": 1}]}}\n'
)
TABLES = {
    "reimbursements": report(row(reimbursement_id="1002", amount_total="-3.00")),
    "settlement": settlement(SUMMARY, settlement_line("10.00"), settlement_line("-2.00")),
    "bank": BANK + '2026-01-05,10.00,USD,"a, b",R1\n2026-01-06,-5.00,USD,x,\n',
    "inbound": JSON,
}
BANKS = dict(zip(("ofx", "mt940", "camt"), (OFX, MT, CAMT), strict=True))
MAPPING = to_mapping({"date": "d", "date_format": "%Y-%m-%d", "amount": "a", "currency": "c", "description": "t"})
MAPPED = 'd,a,c,t\n2026-01-05,10.00,EUR,"x ""y"""\n2026-01-06,-1.00,EUR,z\n'

# What is put into a good file: marks, digits, ends of lines and bytes that mean something to one of the readers.
PIECES = st.sampled_from(
    b"\t|,|;|\"|'|\n|\r|\r\n|\0|\x1a|\xff|\xfe|\xef\xbb\xbf|\xc3|\xe2\x80\x8b|-|+|.|0|9|99999999999|1e400|NaN|inf|=|<|>"
    b"|</|<!DOCTYPE a>|&lol;|]]>|{|}|[|]|:61:|:86:|:20:|?20|//|<STMTTRN>|</STMTTRN>|</OFX>|<Ntry>|</Ntry>|T|Z| |\\".split(
        b"|"
    )
)
EDITS = st.lists(
    st.tuples(
        st.integers(0, 10_000),
        st.integers(0, 40),
        st.one_of(PIECES, st.binary(max_size=6), st.just(b"")),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


def mutated(data: bytes, edits: list[tuple[int, int, bytes, bool]]) -> bytes:
    """Each edit cuts some bytes out at a place (or doubles them) and puts others in."""
    for place, length, piece, double in edits:
        at = place % (len(data) + 1)
        taken = data[at : at + length]
        data = data[:at] + piece + (taken * 2 if double else b"") + data[at + length :]
    return data


QUICK = settings(max_examples=60, deadline=None, database=None, derandomize=True)
SLOW = settings(
    max_examples=12, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize("kind", sorted(TABLES))
@SLOW
@given(edits=EDITS)
def test_mutated_reports(kind, edits):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(mutated(TABLES[kind].encode(), edits))
        look(path, Path(folder) / "store")


@given(data=st.binary(max_size=300))
@settings(SLOW, max_examples=20)
def test_any_bytes(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        look(path, Path(folder) / "store")


@pytest.mark.parametrize("kind", sorted(BANKS))
@QUICK
@given(edits=EDITS)
def test_mutated_statements(kind, edits):
    data = mutated(BANKS[kind].encode(), edits)
    for report_ in BANK_FORMATS:
        report_.sniff(data)
    which = {"ofx": 0, "mt940": 1, "camt": 2}[kind]
    try:
        rows = BANK_FORMATS[which].read(data)
    except ReportError:
        return
    lines = rows.frames["bank"]["line"].to_list() + rows.rejects["line"].to_list()
    assert dict(rows.rejects.schema) == REJECTS
    entries = {"ofx": rb"<STMTTRN>", "mt940": rb"(?m)^(?:\{.*)?:61:", "camt": rb"<Ntry>"}[kind]
    assert len(lines) == len(re.findall(entries, data))
    assert all(line >= 1 for line in lines)
    assert rows.frames["bank"].null_count().select("booked_on", "amount", "currency").sum_horizontal().item() == 0


@QUICK
@given(edits=EDITS)
def test_mutated_mapped_csv(edits):
    try:
        rows = read_mapped(mutated(MAPPED.encode(), edits), MAPPING)
    except ReportError:
        return
    lines = rows.frames["bank"]["line"].to_list() + rows.rejects["line"].to_list()
    assert len(set(lines)) == len(lines)


@QUICK
@given(edits=EDITS)
def test_mutated_mapping(edits):
    text = b"date: d\ndate_format: '%Y-%m-%d'\namount: a\ncurrency: c\ndescription: [t, u]\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mapping.yml"
        path.write_bytes(mutated(text, edits))
        with suppress(UsageError):
            load_mapping(path)


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/one.txt", "no report\n" * 20)
        file.writestr("two.txt", "nor this\n")
    return out.getvalue()


@pytest.mark.parametrize("data", [zipped(), gzip.compress(b"no report\n" * 50)], ids=["zip", "gz"])
@settings(QUICK, max_examples=40)
@given(edits=EDITS)
def test_mutated_archives(data, edits):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.zip"
        path.write_bytes(mutated(data, edits))
        look(path, Path(folder) / "store")


def test_the_files_that_are_mutated_are_good(tmp_path):
    for kind, text in TABLES.items():
        (tmp_path / kind).write_text(text)
        (told,) = look(tmp_path / kind, tmp_path / "store")
        assert told.reading is not None, told.problem
        assert told.reading.rows_rejected == 0
        conserved(told.reading)
    for report_, text in zip(BANK_FORMATS, BANKS.values(), strict=True):
        rows = report_.read(text.encode())
        assert report_.sniff(text.encode())
        assert rows.rejects.is_empty()
    assert read_mapped(MAPPED.encode(), MAPPING).rejects.is_empty()
