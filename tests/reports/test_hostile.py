"""Broken and hostile table files: a clear refusal or counted rejects, nothing lost, nothing silently wrong."""

from __future__ import annotations

import os
import random
import re
from decimal import Decimal

import polars as pl
import pytest
from hostile_files import BANK, FIRST, HEADER, LAST, REIMBURSEMENT, look, report, row

from recon_lib.errors import NotAReport

GOOD = Decimal("30.50")  # the two good rows of `report()`
HUGE = "9" * 40

# One bad row between two good ones: (what, the row, what the reason or column says).
BAD_ROWS = [
    ("NaN", row(amount_total="NaN"), "amount-total"),
    ("inf", row(amount_total="inf"), "amount-total"),
    ("minus infinity", row(amount_total="-Infinity"), "amount-total"),
    ("1e400", row(amount_total="1e400"), "amount-total"),
    ("float exponent", row(amount_total="1.5e1"), "amount-total"),
    ("hexadecimal", row(amount_total="0x10"), "amount-total"),
    ("three decimals", row(amount_total="1.005"), "amount-total"),
    ("seventeen decimals", row(amount_total="0.30000000000000004"), "amount-total"),
    ("huge integer", row(amount_total=HUGE), "amount-total"),
    ("number longer than a line", row(amount_total="1" * 5000), "amount-total"),
    ("two marks", row(amount_total="1.2.3"), "amount-total"),
    ("decimal comma among points", row(amount_total="1,5"), "amount-total"),
    ("wrong groups", row(amount_total="1,23,4.00"), "amount-total"),
    ("two signs", row(amount_total="--5.00"), "amount-total"),
    ("plus and minus", row(amount_total="+-5.00"), "amount-total"),
    ("sign inside", row(amount_total="5-5"), "amount-total"),
    ("open bracket", row(amount_total="(5.00"), "amount-total"),
    ("a fraction sign", row(amount_total="½"), "amount-total"),
    ("Arabic digits", row(amount_total="١٢"), "amount-total"),
    ("full-width digits", row(amount_total="１２"), "amount-total"),
    ("a superscript", row(amount_total="10²"), "amount-total"),
    ("a formula", row(amount_total="=1+1"), "amount-total"),
    ("a command formula", row(amount_total="=cmd|' /C calc'!A0"), "amount-total"),
    ("a script", row(amount_total="<script>alert(1)</script>"), "amount-total"),
    ("words", row(amount_total="ten"), "amount-total"),
    ("a missing amount", row(amount_total=""), "amount-total"),
    ("a boolean", row(amount_total="True"), "amount-total"),
    ("31 February", row(approval_date="2026-02-31T10:00:00+00:00"), "approval-date"),
    ("29 February of no leap year", row(approval_date="2026-02-29T10:00:00+00:00"), "approval-date"),
    ("month 13", row(approval_date="2026-13-01T10:00:00+00:00"), "approval-date"),
    ("year 0000", row(approval_date="0000-01-01T10:00:00+00:00"), "approval-date"),
    ("year 9999", row(approval_date="9999-12-31T10:00:00+00:00"), "approval-date"),
    ("year 22026", row(approval_date="22026-01-05T10:00:00+00:00"), "approval-date"),
    ("year 226", row(approval_date="0226-01-05T10:00:00+00:00"), "approval-date"),
    ("hour 25", row(approval_date="2026-01-05T25:61:00+00:00"), "approval-date"),
    ("an impossible zone", row(approval_date="2026-01-05T10:00:00+99:00"), "approval-date"),
    ("seconds since 1970", row(approval_date="1767600000"), "approval-date"),
    ("a spreadsheet's day number", row(approval_date="46027.5"), "approval-date"),
    ("a word for a date", row(approval_date="yesterday"), "approval-date"),
    ("no date", row(approval_date=""), "approval-date"),
    ("a date of signs", row(approval_date="####-##-##"), "approval-date"),
    ("half a unit", row(quantity_reimbursed_total="1.5"), "quantity-reimbursed-total"),
    ("more units than fit", row(quantity_reimbursed_total="99999999999"), "quantity-reimbursed-total"),
    ("units in words", row(quantity_reimbursed_total="one"), "quantity-reimbursed-total"),
    ("units as NaN", row(quantity_reimbursed_total="NaN"), "quantity-reimbursed-total"),
    ("no id", row(reimbursement_id=""), "reimbursement-id"),
    ("the header again", HEADER, ""),
    ("too few cells", FIRST.rsplit("\t", 6)[0], ""),
    ("too many cells", FIRST + "\textra\tcells", ""),
    ("trailing junk", "Total rows: 2", ""),
    ("an end-of-file mark", "\x1a", ""),
    ("an error page at the end", "<html><body>Service Unavailable</body></html>", ""),
    ("a line of commas", ",,,,,,,,,,", ""),
]


IN_FILES_OF_THEIR_OWN = {
    "NaN",
    "1e400",
    "31 February",
    "two marks",
    "the header again",
    "too few cells",
    "too many cells",
}


@pytest.fixture(scope="module")
def all_bad(tmp_path_factory):
    """One file with every bad row: the n-th stands on line n + 3."""
    folder = tmp_path_factory.mktemp("all")
    path = folder / "report.txt"
    path.write_bytes(report(*(bad for _, bad, _ in BAD_ROWS)).encode())
    (told,) = look(path, folder / "store")
    assert told.reading is not None, told.problem
    return told.reading


def test_all_bad_rows_in_one_file_are_rejected_and_the_good_ones_used(all_bad):
    assert (all_bad.rows_used, all_bad.rows_rejected) == (2, len(BAD_ROWS))
    assert dict(all_bad.totals) == {"USD": GOOD}


@pytest.mark.parametrize("number", range(len(BAD_ROWS)), ids=[case[0] for case in BAD_ROWS])
def test_each_bad_row_is_told_with_its_line_and_column(all_bad, number):
    found = all_bad.rejects.filter(pl.col("line") == number + 3)
    assert found.height == 1
    assert found["reason"].item()
    said = BAD_ROWS[number][2]
    if said:
        assert found["column"].item() == said
    assert len(found["value"].item() or "") <= 500


@pytest.mark.parametrize("name", sorted(IN_FILES_OF_THEIR_OWN))
def test_one_bad_row_in_a_file_of_its_own(tmp_path, name):
    ((_, bad, said),) = [case for case in BAD_ROWS if case[0] == name]
    path = tmp_path / "report.txt"
    path.write_bytes(report(bad).encode())
    (told,) = look(path, tmp_path / "store")
    assert told.reading is not None, told.problem
    assert (told.reading.rows_used, told.reading.rows_rejected) == (2, 1)
    assert dict(told.reading.totals) == {"USD": GOOD}
    reject = told.reading.rejects.row(0, named=True)
    assert reject["line"] == 3
    assert not said or reject["column"] == said


# Rows that look dangerous and are good: kept exactly as written, they are only text.
GOOD_ROWS = [
    ("formula in a code", {"sku": "=cmd|' /C calc'!A0"}, "0"),
    ("a plus formula", {"sku": "+1+1"}, "0"),
    ("an at formula", {"sku": '@SUM(1+1)*cmd|" /C calc"!A0'}, "0"),
    ("a script tag", {"sku": "<script>alert(1)</script>"}, "0"),
    ("SQL", {"sku": "'; DROP TABLE findings; --"}, "0"),
    ("a template", {"sku": "{{7*7}}${7*7}"}, "0"),
    ("right to left", {"sku": "\u202eabc\u202c"}, "0"),
    ("a zero-width blank", {"sku": "AB\u200bC"}, "0"),
    ("a lone quotation mark", {"sku": '5" nail'}, "0"),
    ("unbalanced quotation marks", {"sku": '"""'}, "0"),
    ("an emoji", {"sku": "\U0001f600"}, "0"),
    ("a leading zero", {"sku": "00123"}, "0"),
    ("a code like a float", {"sku": "1E5"}, "0"),
    ("a code like null", {"sku": "null"}, "0"),
    ("negative zero", {"amount-total": "-0.00"}, "0"),
    ("grouped", {"amount-total": "1,234.50"}, "1234.50"),
    ("grouped without cents", {"amount-total": "1,234"}, "1234"),
    ("brackets", {"amount-total": "(5.00)"}, "-5.00"),
    ("minus behind", {"amount-total": "5.00-"}, "-5.00"),
    ("a typographic minus", {"amount-total": "\u22125.00"}, "-5.00"),
]


@pytest.fixture(scope="module")
def all_good(tmp_path_factory):
    """One file with every dangerous-looking row: the n-th stands on line n + 3."""
    folder = tmp_path_factory.mktemp("good")
    path = folder / "report.txt"
    given = [REIMBURSEMENT | {"amount-total": "0.00", "amount-per-unit": "", **cells} for _, cells, _ in GOOD_ROWS]
    path.write_bytes(report(*("\t".join(cells.values()) for cells in given)).encode())
    (told,) = look(path, folder / "store")
    assert told.reading is not None, told.problem
    assert (told.reading.rows_used, told.reading.rows_rejected) == (2 + len(GOOD_ROWS), 0)
    return told.reading.rows("reimbursements").collect()


@pytest.mark.parametrize("number", range(len(GOOD_ROWS)), ids=[case[0] for case in GOOD_ROWS])
def test_dangerous_looking_rows_are_read_as_they_stand(all_good, number):
    _, cells, amount = GOOD_ROWS[number]
    kept = all_good.filter(pl.col("line") == number + 3)
    assert kept["sku"].item() == cells.get("sku", "SKU-1")
    assert kept["amount_total"].item() == Decimal(amount)
    assert not str(kept["amount_total"].item()).startswith("-") or Decimal(amount) < 0  # no negative zero


def test_a_mark_that_can_mean_two_things_is_not_guessed(tmp_path):
    path = tmp_path / "report.txt"
    lines = [HEADER, row(amount_total="1,234", amount_per_unit=""), row(amount_total="7", amount_per_unit="")]
    path.write_text("\n".join(lines) + "\n")
    (told,) = look(path, tmp_path / "store")
    assert told.reading is not None
    assert dict(told.reading.totals) == {"USD": Decimal(7)}
    assert told.reading.rejects["value"].to_list() == ["1,234"]


def test_equally_mixed_marks_reject_both(tmp_path):
    path = tmp_path / "report.txt"
    lines = [HEADER, row(amount_total="1.50", amount_per_unit=""), row(amount_total="1,50", amount_per_unit="")]
    path.write_text("\n".join(lines) + "\n")
    (told,) = look(path, tmp_path / "store")
    assert told.reading is not None
    assert (told.reading.rows_used, told.reading.rows_rejected) == (0, 2)


WHOLE = report()
SAME = [  # other bytes, the same report
    ("utf-8 with mark", WHOLE.encode("utf-8-sig"), "utf-8-sig"),
    ("utf-16 little-endian with mark", b"\xff\xfe" + WHOLE.encode("utf-16-le"), "utf-16"),
    ("utf-16 big-endian with mark", b"\xfe\xff" + WHOLE.encode("utf-16-be"), "utf-16"),
    ("windows line ends", WHOLE.replace("\n", "\r\n").encode(), "utf-8"),
    ("old Mac line ends", WHOLE.replace("\n", "\r").encode(), "utf-8"),
    ("mixed line ends", WHOLE.replace("\n", "\r\n", 1).encode(), "utf-8"),
    ("no line end at the end", WHOLE.rstrip("\n").encode(), "utf-8"),
    ("blank lines", (WHOLE.replace("\n", "\n\n") + "\n\n\n").encode(), "utf-8"),
    ("semicolons", WHOLE.replace("\t", ";").encode(), "utf-8"),
    ("commas", WHOLE.replace("\t", ",").encode(), "utf-8"),
    ("upright bars", WHOLE.replace("\t", "|").encode(), "utf-8"),
    ("capital header", (WHOLE.split("\n", 1)[0].upper() + "\n" + WHOLE.split("\n", 1)[1]).encode(), "utf-8"),
    ("Latin letters", WHOLE.replace("A thing", "Größe").encode("cp1252"), "cp1252"),
]


@pytest.mark.parametrize(("data", "encoding"), [c[1:] for c in SAME], ids=[c[0] for c in SAME])
def test_unusual_bytes_of_a_good_report_are_read(tmp_path, data, encoding):
    path = tmp_path / "report.txt"
    path.write_bytes(data)
    (told,) = look(path, tmp_path / "store")
    assert told.reading is not None, told.problem
    assert (told.reading.rows_used, told.reading.rows_rejected) == (2, 0)
    assert dict(told.reading.totals) == {"USD": GOOD}
    assert told.reading.encoding == encoding


REFUSED = [  # the file as a whole: (what, bytes, what is said)
    ("empty", b"", "empty"),
    ("only a mark", b"\xef\xbb\xbf", "empty"),
    ("only blank lines", b"\n\r\n \t\n\n", "empty"),
    ("utf-16 without mark", WHOLE.encode("utf-16-le"), "NUL"),
    ("utf-16 big-endian without mark", WHOLE.encode("utf-16-be"), "NUL"),
    ("utf-32 with mark", WHOLE.encode("utf-32"), "NUL"),
    ("utf-32 without mark", WHOLE.encode("utf-32-le"), "NUL"),
    ("utf-16 cut in the middle of a letter", (b"\xff\xfe" + WHOLE.encode("utf-16-le"))[:-1], "utf-16"),
    ("NUL bytes", WHOLE.replace("SKU-1", "SKU\0").encode(), "NUL"),
    ("a delimiter nobody uses", WHOLE.replace("\t", "^").encode(), "report|column"),
    ("a column twice", WHOLE.replace("\tfnsku", "\tsku", 1).encode(), "sku"),
    ("a needed column gone", WHOLE.replace("amount-total", "amount", 1).encode(), "amount-total"),
    ("no header", (FIRST + "\n" + LAST + "\n").encode(), "report|header|column"),
    ("an error page", b"<!DOCTYPE html><html><body>Access denied</body></html>", "no report|HTML"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
    ("a PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
    ("random bytes", random.Random(1).randbytes(5000), "NUL|no report"),
    ("a 10 MB line", b"x" * 10_000_000, "report"),
    ("100 000 columns", ("\t".join(f"c{n}" for n in range(100_000)) + "\n").encode(), "report"),
    ("JSON of another kind", b'{"a": 1}', "report"),
    ("deeply nested JSON", b'{"ItemData":' + b"[" * 200_000, "JSON|deep|nested"),
    ("JSON that is cut off", b'{"payload": {"ItemData": [{"ShipmentId": "F', "JSON"),
]


@pytest.mark.parametrize(("data", "said"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_unusable_files_are_refused_with_what_was_met(tmp_path, data, said):
    path = tmp_path / "report.txt"
    path.write_bytes(data)
    (told,) = look(path, tmp_path / "store")
    assert told.problem is not None, told.reading
    assert told.problem.file == "report.txt"
    assert re.search(said, told.problem.met), told.problem.met
    assert told.problem.hoped or told.problem.do or isinstance(told.problem, NotAReport)


def test_header_only_is_a_report_without_rows(tmp_path):
    path = tmp_path / "report.txt"
    path.write_text(HEADER + "\n")
    (told,) = look(path, tmp_path / "store")
    assert told.reading is not None, told.problem
    assert (told.reading.rows_used, told.reading.rows_rejected, dict(told.reading.totals)) == (0, 0, {})


def test_a_header_below_rows_is_refused_for_the_rows_above_it_would_be_lost(tmp_path):
    path = tmp_path / "report.txt"
    path.write_text("\n".join([FIRST, HEADER, LAST]) + "\n")
    (told,) = look(path, tmp_path / "store")
    assert told.problem is not None
    assert not isinstance(told.problem, NotAReport)
    assert "header" in told.problem.met


@pytest.mark.parametrize("cut", [1, 5, 40, 90])
def test_a_file_cut_off_in_its_last_row(tmp_path, cut):
    path = tmp_path / "report.txt"
    path.write_bytes(WHOLE.encode()[:-cut])
    (told,) = look(path, tmp_path / "store")
    assert told.reading is not None, told.problem
    assert told.reading.rows_total == 2
    if cut > 5:
        assert told.reading.rows_rejected == 1
        assert told.reading.rejects["line"].item() == 3


def test_a_file_cut_off_in_the_middle_of_a_letter(tmp_path):
    path = tmp_path / "report.txt"
    text = report(row(product_name="Größe")) + row(product_name="Gr")
    path.write_bytes(text.encode().split(b"Gr\t")[0] + "Grö".encode()[:-1])
    (told,) = look(path, tmp_path / "store")
    assert told.reading is not None, told.problem
    assert (told.reading.rows_used, told.reading.rows_rejected) == (3, 1)


def test_a_giant_line_behind_a_good_header_is_one_reject(tmp_path):
    path = tmp_path / "report.txt"
    path.write_bytes(report("x" * 10_000_000).encode())
    (told,) = look(path, tmp_path / "store")
    assert told.reading is not None, told.problem
    assert (told.reading.rows_used, told.reading.rows_rejected) == (2, 1)
    assert len(told.reading.rejects["value"].item() or "") < 1000


def test_a_hundred_thousand_columns_more_than_needed(tmp_path):
    path = tmp_path / "report.txt"
    more = "".join(f"\tc{n}" for n in range(100_000))
    path.write_text(HEADER + more + "\n" + FIRST + "\t" * 100_000 + "\n")
    (told,) = look(path, tmp_path / "store")
    if told.reading is None:
        assert "column" in told.problem.met
    else:
        assert told.reading.rows_total == 1


def test_nul_bytes_far_behind_the_beginning(tmp_path):
    path = tmp_path / "report.txt"
    rows = [row(reimbursement_id=str(n)) for n in range(2000)]
    path.write_bytes(report(*rows, row(sku="A\0B")).encode())
    (told,) = look(path, tmp_path / "store")
    if told.reading is None:
        assert "NUL" in told.problem.met
    else:
        assert told.reading.rows_total == 2003


def test_bytes_that_are_no_utf_8_far_behind_the_beginning(tmp_path):
    path = tmp_path / "report.txt"
    rows = [row(reimbursement_id=str(n)) for n in range(2000)]
    path.write_bytes(report(*rows).encode() + row(product_name="Größe").encode("cp1252") + b"\n")
    (told,) = look(path, tmp_path / "store")
    assert told.reading is not None, told.problem
    assert (told.reading.rows_total, told.reading.encoding) == (2003, "cp1252")


CSV = [  # quoted CSV: (what, text behind the header, used, rejected, total)
    ("a quoted line end", '2026-01-05,10.00,USD,"two\nlines",R1\n2026-01-06,5.00,USD,x,R2\n', 2, 0, "15.00"),
    ("a doubled quotation mark", '2026-01-05,10.00,USD,"5"" nail",R1\n', 1, 0, "10.00"),
    ("a comma in quotes", '2026-01-05,"1,234.50",USD,"a, b",R1\n', 1, 0, "1234.50"),
    ("an open quotation mark", '2026-01-05,10.00,USD,"open,R1\n2026-01-06,5.00,USD,x,R2\n', 1, 1, "5.00"),
    ("the last mark is open", '2026-01-06,5.00,USD,x,R2\n2026-01-05,10.00,USD,"open,R1\n', 1, 1, "5.00"),
    ("a currency that is none", "2026-01-05,10.00,EURO,x,R1\n2026-01-06,5.00,USD,x,R2\n", 1, 1, "5.00"),
    ("a missing currency", "2026-01-05,10.00,,x,R1\n2026-01-06,5.00,USD,x,R2\n", 1, 1, "5.00"),
]


@pytest.mark.parametrize(("body", "used", "rejected", "total"), [c[1:] for c in CSV], ids=[c[0] for c in CSV])
def test_quotation_marks_in_csv(tmp_path, body, used, rejected, total):
    path = tmp_path / "bank.csv"
    path.write_text(BANK + body)
    (told,) = look(path, tmp_path / "store")
    assert told.reading is not None, told.problem
    assert (told.reading.rows_used, told.reading.rows_rejected) == (used, rejected)
    assert dict(told.reading.totals) == {"USD": Decimal(total)}


def test_the_corpus_is_large_enough():
    assert len(BAD_ROWS) + len(REFUSED) + len(CSV) + len(SAME) + len(GOOD_ROWS) >= 60


def test_what_is_no_file(tmp_path):
    (tmp_path / "folder.txt").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    for name in ("folder.txt", "pipe.txt", "absent.txt"):
        (told,) = look(tmp_path / name, tmp_path / "store")
        assert told.problem is not None
        assert told.problem.do
