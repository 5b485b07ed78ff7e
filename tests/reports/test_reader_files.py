"""Whole files: encodings, line ends, delimiters, quoting, broken rows, and what is refused."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from recon_lib import frames
from recon_lib.errors import NotAReport, ReportError
from recon_lib.reports import Reading, read, scan, store
from tests import headers

HEADER = tuple(headers.REIMBURSEMENTS)
PRODUCTS = ",".join(headers.PRODUCTS)
Read = Callable[..., Reading]


@pytest.fixture
def reads(tmp_path: Path) -> Read:
    def one(data: bytes | str, **hints: str) -> Reading:
        path = tmp_path / "any name at all.bin"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return read(path, store=tmp_path / "store", display="report.txt", **hints)

    return one


def row(
    amount: str = "7.20", name: str = "Thing", *, day: str = "2026-01-05T10:00:00+00:00", rid: str = "1"
) -> list[str]:
    return [
        day,
        rid,
        "",
        "",
        "Lost_Warehouse",
        "S1",
        "X1",
        "B1",
        name,
        "NewItem",
        "USD",
        amount,
        amount,
        "1",
        "0",
        "1",
        "",
        "",
    ]


def table(*rows: list[str], sep: str = "\t", end: str = "\n", header: tuple[str, ...] = HEADER) -> str:
    return end.join(sep.join(cells) for cells in (header, *rows)) + end


def rows_of(reading: Reading) -> pl.DataFrame:
    return reading.rows(reading.family).collect()


def test_a_plain_file(reads: Read) -> None:
    got = reads(table(row("7.20"), row("-3.10", rid="2")))
    assert (got.family, got.encoding, got.rows_used, got.rows_rejected) == ("reimbursements", "utf-8", 2, 0)
    assert (got.period_from, got.period_to, got.totals) == ("2026-01-05", "2026-01-05", {"USD": Decimal("4.10")})
    frame = rows_of(got)
    assert frame["line"].to_list() == [2, 3]
    frames.Reimbursement.validate(frame.insert_column(0, pl.lit("f").alias("file")))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " \r\n"])
def test_line_ends(reads: Read, end: str) -> None:
    got = reads(table(row(), row(rid="2"), end=end))
    assert (got.rows_used, rows_of(got)["line"].to_list()) == (2, [2, 3])


def test_no_final_line_end_and_header_only(reads: Read) -> None:
    assert reads(table(row()).rstrip("\n")).rows_used == 1
    for text in (table(), table().rstrip("\n")):
        got = reads(text)
        assert (got.rows_used, got.rows_rejected, got.totals) == (0, 0, {})


@pytest.mark.parametrize(
    ("encoding", "name", "told"),
    [
        ("utf-8", "Rodillo elástico", "utf-8"),
        ("utf-8-sig", "Rodillo elástico", "utf-8-sig"),
        ("cp1252", "Rodillo elástico – 5 €", "cp1252"),
        ("latin-1", "Müller Größe", "cp1252"),
        ("cp932", "ヨガマット 折りたたみ式", "cp932"),
        ("utf-16", "Rodillo elástico", "utf-16"),
    ],
)
def test_encodings(reads: Read, encoding: str, name: str, told: str) -> None:
    got = reads(table(row(name=name)).encode(encoding))
    assert (got.encoding, rows_of(got)["product_name"].to_list()) == (told, [name])


def test_japanese_by_hint(reads: Read) -> None:
    data = table(row(name="ﾏｯﾄ")).encode("cp932")  # half-width only: not sure by content
    assert rows_of(reads(data, marketplace="JP"))["product_name"].to_list() == ["ﾏｯﾄ"]
    assert reads(data).encoding == "cp1252"


def test_a_late_letter_that_is_not_utf8(reads: Read) -> None:
    body = [row(rid=str(i)) for i in range(1500)] + [row(name="elástico", rid="x")]
    got = reads(table(*body).encode("cp1252"))
    assert (got.encoding, got.rows_used, rows_of(got)["product_name"].to_list()[-1]) == ("cp1252", 1501, "elástico")
    assert len(got.sha256) == 64


@pytest.mark.parametrize("sep", ["\t", ",", ";", "|"])
def test_the_delimiter_comes_from_the_header(reads: Read, sep: str) -> None:
    assert reads(table(row(), sep=sep)).rows_used == 1


def test_names_are_compared_loosely(reads: Read) -> None:
    header = tuple(n.upper().replace("-", "_") for n in HEADER[:9]) + tuple(
        f" {n.replace('-', ' ')} " for n in HEADER[9:]
    )
    assert reads(table(row(), header=header)).rows_used == 1


def test_a_quotation_mark_in_a_tab_file_is_data(reads: Read) -> None:
    got = reads(table(row(name='5" pipe'), row(name='"half', rid="2"), row(rid="3")))
    assert rows_of(got)["product_name"].to_list() == ['5" pipe', '"half', "Thing"]


def test_quoted_commas_marks_and_line_breaks(reads: Read) -> None:
    names = ["plain", "a, b", 'say ""hi"", you', "two\nlines", "last"]
    body = [[f'"{c}"' for c in row(name=n, rid=str(i))] for i, n in enumerate(names)]
    got = reads(table(*body, sep=","))
    frame = rows_of(got)
    assert frame["product_name"].to_list() == ["plain", "a, b", 'say "hi", you', "two\nlines", "last"]
    assert frame["line"].to_list() == [2, 3, 4, 5, 7]


@pytest.mark.parametrize("amount", ["4,10", "-12,00", "1,052.64"])
def test_the_comma_of_an_amount_without_quotation_marks_shifts_no_cells(reads: Read, amount: str) -> None:
    """The last two cells of a row are empty: what two amounts with a comma push over the end would not be missed."""
    got = reads(table(row(amount=amount), row(rid="2"), sep=","))
    assert (got.rows_used, got.rejects["line"].to_list()) == (1, [2])
    assert got.rejects["reason"].to_list() == ["the row has 20 fields, the header 18"]


def test_empty_cells_behind_a_row_of_commas_are_nothing(reads: Read) -> None:
    got = reads(table([*row(), "", ""], row(rid="2"), sep=","))
    assert (got.rows_used, got.rejects.height) == (2, 0)


def test_neighbours_that_are_whole_numbers_are_no_amount_with_a_comma(reads: Read) -> None:
    """`0,125.50` is no number, and no side of a product is cut where the unit behind the sides stands in its place."""
    paid = row("125.50")
    paid[paid.index("125.50")] = "0"
    got = reads(table([*paid, ""], row(rid="2"), sep=","))
    assert (got.rows_used, got.rejects.height) == (2, 0)
    product = "S1,X1,B1,Toys,4.00,USD,2026-01-01,30,20,10,centimeters,500,grams"
    got = reads(f"{PRODUCTS}\n{product},\n{product.replace('S1', 'S2')}\n")
    assert (got.rows_used, got.rejects.height) == (2, 0)


def test_a_short_row_cannot_hide_behind_a_quoted_comma(reads: Read) -> None:
    good = [f'"{c}"' for c in row(name="a,b")]
    short = [f'"{c}"' for c in row(rid="2")[:-1]]
    odd = [f'"{c}"' for c in row(rid="3", name='x""y')]
    got = reads(table(good, short, odd, sep=","))
    assert (got.rows_used, got.rejects["line"].to_list()) == (2, [3])


def test_an_open_quotation_mark_spoils_one_line(reads: Read) -> None:
    body = [[f'"{c}"' for c in row(rid=str(i))] for i in range(4)]
    body[1][8] = '"never closed'
    got = reads(table(*body, sep=","))
    assert got.rows_total == 4
    assert got.rejects["line"].to_list() == [3]


def test_ragged_rows_are_rejected_and_empty_lines_skipped(reads: Read) -> None:
    lines = table(row(), row(rid="2"), row(rid="3")).splitlines()
    lines[2] = "\t".join(row(rid="2")[:-1])
    lines.insert(2, "")
    lines += ["", "\t".join([*row(rid="4"), "extra"]), "\t" * 17, "   "]
    got = reads("\n".join(lines))
    assert (got.rows_used, got.rows_rejected) == (2, 2)
    assert rows_of(got)["line"].to_list() == [2, 5]
    assert got.rejects.rows() == [
        (4, None, None, "the row has 17 fields, the header 18"),
        (7, None, None, "the row has 19 fields, the header 18"),
    ]


def test_columns_without_a_name_at_the_end_of_the_header_are_no_reason_to_reject(reads: Read) -> None:
    """Amazon Pay ends its header alone in a comma; one wide row must not spoil the others, nor a spreadsheet's blanks."""
    wide = (*HEADER, "", "")
    got = reads(table(row(), [*row(rid="2"), "", ""], [*row(rid="3"), "x", "", "y"], row(rid="4"), header=wide))
    assert rows_of(got)["line"].to_list() == [2, 3, 5]
    assert got.rejects.rows() == [(4, None, None, "the row has 21 fields, the header 20")]


def test_a_header_in_the_middle_is_told_as_one(reads: Read) -> None:
    got = reads(table(row(), list(HEADER), row(rid="2")))
    assert rows_of(got)["line"].to_list() == [2, 4]
    assert got.rejects.rows() == [(3, "approval-date", "approval-date", "the header stands here again")]


def test_a_short_and_a_long_row_do_not_cancel_out(reads: Read) -> None:
    got = reads(table(row(), row(rid="2")[:-1], [*row(rid="3"), "x"]))
    assert (got.rows_used, got.rejects["line"].to_list()) == (1, [3, 4])


def test_blanks_are_trimmed_everywhere(reads: Read) -> None:
    padded = [f"  {c}\u00a0" if c else "   " for c in row("7.20")]
    frame = rows_of(reads(table(row(rid="0"), padded)))
    assert frame["sku"].to_list() == ["S1", "S1"]
    assert frame["case_id"].to_list() == [None, None]
    assert frame["amount_total"].to_list() == [Decimal("7.20")] * 2


def test_late_padding_is_trimmed_too(reads: Read) -> None:
    body = [row(rid=str(i)) for i in range(900)]
    body[800][5] = "S1 "
    assert rows_of(reads(table(*body)))["sku"].unique().to_list() == ["S1"]


BAD = {
    12: ["NaN", "1e400", "12.345", "abc", "=1+1", "<b>", "9" * 16],
    13: ["1.5", "x", "99999999999"],
    0: ["2026-02-31T00:00:00+00:00", "yesterday"],
}


@pytest.mark.parametrize(("at", "value"), [(at, value) for at, values in BAD.items() for value in values])
def test_a_bad_cell_rejects_its_row_only(reads: Read, at: int, value: str) -> None:
    wrong = row(rid="2")
    wrong[at] = value
    got = reads(table(row(), wrong, row(rid="3")))
    assert (got.rows_used, got.rows_rejected) == (2, 1)
    line, column, raw, reason = got.rejects.row(0)
    assert (line, column, raw) == (3, HEADER[at], value)
    assert reason


def test_a_missing_value_rejects_where_the_frame_needs_it(reads: Read) -> None:
    wrong = row(rid="")
    got = reads(table(row(), wrong))
    assert got.rejects.rows() == [(3, "reimbursement-id", None, "is empty")]
    assert reads(table(row("--"))).rejects.rows() == [(2, "amount-total", None, "is empty")]


def test_a_long_value_is_cut(reads: Read) -> None:
    assert reads(table(row("x" * 500))).rejects["value"].to_list() == ["x" * 80]


def test_decimal_commas_are_told_by_the_file(reads: Read) -> None:
    got = reads(table(row("1.234"), row("4,10", rid="2"), row("1.234,56", rid="3")))
    assert rows_of(got)["amount_total"].to_list() == [Decimal(1234), Decimal("4.10"), Decimal("1234.56")]


def test_a_thousands_mark_without_evidence_is_rejected_unless_the_store_tells(reads: Read) -> None:
    text = table(row("1.234"), row("5", rid="2"))
    assert reads(text).rejects["line"].to_list() == [2]
    assert rows_of(reads(text, marketplace="DE"))["amount_total"].to_list() == [Decimal(1234), Decimal(5)]


def test_mixed_marks_reject_the_odd_ones(reads: Read) -> None:
    got = reads(table(row("4.10"), row("5.20", rid="2"), row("6,30", rid="3")))
    assert got.rejects["line"].to_list() == [4]
    assert any("decimal comma" in note for note in got.notes)
    even = reads(table(row("4.10"), row("6,30", rid="3"), row("7", rid="4")))
    assert even.rejects["line"].to_list() == [2, 3]


def test_each_column_is_read_with_the_mark_it_shows(reads: Read) -> None:
    """Sizes with a point beside prices with a comma; a column that shows nothing follows its like."""
    header = (
        "sku", "fnsku", "asin", "product-name", "product-group", "brand", "fulfilled-by", "your-price", "sales-price",
        "longest-side", "median-side", "shortest-side", "length-and-girth", "unit-of-dimension", "item-package-weight",
        "unit-of-weight", "currency", "estimated-fee-total", "estimated-referral-fee-per-unit",
        "expected-domestic-fulfilment-fee-per-unit",
    )  # fmt: skip
    ends = ["--", "centimeters", "1.400", "kilograms", "EUR", "1.008", "1,20", "4,10"]
    first = ["S1", "X1", "B1", "Thing", "g", "b", "Amazon", "24,90", "24,90", "32", "22.5", "3.5", *ends]
    second = ["S2", "X2", "B2", "Thing", "g", "b", "Amazon", "8,50", "8,50", "32", "22", "4", *ends]
    got = reads(table(first, second, header=header))
    assert (got.family, got.rows_used, got.rows_rejected) == ("fee_preview", 2, 0)
    read = rows_of(got)
    assert read["shortest_side"].to_list() == [Decimal("3.5"), Decimal(4)]
    assert read["your_price"].to_list() == [Decimal("24.90"), Decimal("8.50")]
    assert read["package_weight"].to_list() == [Decimal("1.4"), Decimal("1.4")]
    assert read["estimated_fee_total"].to_list() == [Decimal(1008), Decimal(1008)]
    assert "decimal point in median-side, shortest-side, decimal comma in your-price" in "; ".join(got.notes)


def test_a_point_is_not_read_in_a_comma_file(reads: Read) -> None:
    got = reads(table(row("4,10"), row("5,20", rid="2"), row("6.30", rid="3")))
    assert got.rejects["line"].to_list() == [4]


def test_late_oddities_are_found(reads: Read) -> None:
    body = [row("5", rid=str(i)) for i in range(900)]
    body[700][11] = body[700][12] = "1,50"
    body[800][0] = "2026-02-30T00:00:00+00:00"
    got = reads(table(*body))
    assert (got.rows_used, got.rejects["line"].to_list()) == (899, [802])
    assert rows_of(got)["amount_total"].sum() == Decimal("4491.50")


def test_dates_of_mixed_shapes_in_one_column(reads: Read) -> None:
    got = reads(table(row(day="2026-08-12 PDT"), row(day="2026-01-05T23:00:00-0800"), row(day="14.03.2026")))
    frame = rows_of(got)
    assert frame["approved_on"].to_list() == [date(2026, 8, 12), date(2026, 1, 5), date(2026, 3, 14)]
    assert frame["approved_at"].null_count() == 2


@pytest.mark.parametrize(("other", "first"), [("13/02/2026", date(2026, 6, 9)), ("02/13/2026", date(2026, 9, 6))])
def test_day_and_month_are_told_by_other_rows(reads: Read, other: str, first: date) -> None:
    for far in (1, 700):
        body = [row(day="09/06/2026", rid=str(i)) for i in range(far)] + [row(day=other, rid="x")]
        assert rows_of(reads(table(*body)))["approved_on"].to_list()[0] == first


def test_unknown_columns_are_noted(reads: Read) -> None:
    got = reads(table([*row(), "z"], header=(*HEADER, "new-thing")))
    assert got.rows_used == 1
    assert any("new-thing" in note for note in got.notes)


def test_numbers_that_a_spreadsheet_shortened_are_noted(reads: Read) -> None:
    rows = [
        row(rid="1.96E+10"),
        row(rid="1.93E+10"),
        row(rid="19318419242"),
        row(rid="E+10"),
        row(name="1.5E+10 beads"),
    ]
    got = reads(table(*rows))
    assert rows_of(got)["reimbursement_id"].to_list()[:2] == ["1.96E+10", "1.93E+10"]  # kept as written
    (note,) = got.notes
    assert note.startswith("2 cells of reimbursement-id are numbers that a spreadsheet shortened (1.96E+10)")
    assert reads(table(*rows[2:])).notes == ()
    many = reads(table(*[row(rid=str(i)) for i in range(9_000)], row(rid="2E+11")))  # a large file too
    assert many.notes == (
        note.replace("2 cells", "1 cell").replace("are numbers", "is a number").replace("1.96E+10", "2E+11"),
    )


def refusal(reads: Read, data: bytes | str) -> ReportError:
    with pytest.raises(ReportError) as caught:
        reads(data)
    assert caught.value.file == "report.txt"
    return caught.value


def test_a_missing_column_says_what_there_is(reads: Read) -> None:
    at = HEADER.index("amount-total")
    problem = refusal(reads, table([*row()[:at], *row()[at + 1 :]], header=HEADER[:at] + HEADER[at + 1 :]))
    assert "amount-total" in problem.met
    assert "It has: approval-date" in problem.met
    assert "spreadsheet" in problem.do


def test_duplicate_names_are_refused(reads: Read) -> None:
    assert "more than once" in refusal(reads, table([*row(), "x"], header=(*HEADER, "SKU"))).met


def test_other_exports_are_refused_by_name(reads: Read) -> None:
    view = '"Date","Transaction status","Transaction type","Order ID","Product Details","Total product charges",'
    view += '"Total promotional rebates","Amazon fees","Other","Total (EUR)"\n'
    assert "Transaction View" in refusal(reads, view).met
    dutch = "Datum,Transactiestatus,Transactietype,Bestelnummer,Productgegevens,Totaal productkosten,"
    dutch += "Totaal promotiekortingen,Amazon-kosten,Overig,Totaal (EUR)\n"
    assert "Transaction View" in refusal(reads, dutch + "29-06-2025,Vrijgegeven,x,1,M,1,0,0,0,1\n").met
    seller = "Order ID\tOrder date\tReturn request date\tReturn request status\tAmazon RMA ID\n"
    assert "seller-fulfilled" in refusal(reads, seller).met
    xml = '<?xml version="1.0"?><AmazonEnvelope><SettlementReport></SettlementReport></AmazonEnvelope>'
    assert "XML" in refusal(reads, xml).met


OTHERS = {
    "inbound performance": "issue-reported-date shipment-creation-date fba-shipment-id fba-carton-id fulfillment-center-id"
    " sku fnsku asin product-name problem-type problem-quantity expected-quantity received-quantity currency fee-total",
    "adjustments": "adjusted-date transaction-item-id fnsku sku product-name fulfillment-center-id quantity reason"
    " disposition",
    "event detail": "snapshot-date transaction-type fnsku sku product-name fulfillment-center-id quantity disposition",
    "received inventory": "received-date fnsku sku product-name quantity fba-shipment-id fulfillment-center-id",
    "daily inventory": "snapshot-date fnsku sku product-name quantity fulfillment-center-id detailed-disposition country",
    "list of offers": "item-name listing-id seller-sku price quantity open-date asin1 pending-quantity"
    " fulfillment-channel status",
    "Pay authorizations": "AmazonAuthorizationId AuthorizationReferenceId AmazonOrderReferenceId AuthorizationAmount"
    " CapturedAmount AuthorizationFee CurrencyCode AuthorizationStatus LastUpdateTimestamp ReasonCode CreationTimestamp",
    "report that a check needs": "snapshot-date sku fnsku asin product-name condition available pending-removal-quantity"
    " inv-age-0-to-90-days currency units-shipped-t7 your-price sales-price",  # stock by age
}


@pytest.mark.parametrize("said", OTHERS)
def test_reports_that_no_check_needs_are_named_and_stop_nothing(reads: Read, said: str) -> None:
    names = OTHERS[said].split()
    cells = ["2026-01-05T00:00:00+00:00" if "date" in n.lower() else "1" for n in names]
    problem = refusal(reads, "\t".join(names) + "\n" + "\t".join(cells) + "\n")
    assert isinstance(problem, NotAReport)
    assert said in problem.met


def test_translated_headers_are_refused_with_what_they_are(reads: Read) -> None:
    header = "Fecha\tFNSKU\tASIN\tMSKU\tTítulo\tTipo de evento\tCantidad\n2026-08-18\tX\tB\tS\tT\tEnvíos\t-1\n"
    problem = refusal(reads, header)
    assert not isinstance(problem, NotAReport)
    assert "Tipo de evento" in problem.met


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\x1a\n....", b"%PDF-1.7 ....", b"Dear Sir, this is prose, with commas, and more, of them.\nYours\n",
     b"# Title\n\nSome text.\n", b"transaction_type,amount_type,amount_description,x\nORDER,ITEMPRICE,PRINCIPAL,y\n",
     b"<html><body>hi</body></html>", b'{"a": 1}'],
)  # fmt: skip
def test_what_is_no_report(reads: Read, data: bytes) -> None:
    assert isinstance(refusal(reads, data), NotAReport)


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"\xef\xbb\xbf", table(row()).encode("utf-16-le"), table(row(name="a\0b")).encode()]
)
def test_unusable_as_a_whole(reads: Read, data: bytes) -> None:
    assert not isinstance(refusal(reads, data), NotAReport)


def tarred() -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        entry = tarfile.TarInfo("report.txt")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"12345"))
    return whole.getvalue()


@pytest.mark.parametrize(
    ("kind", "data"),
    [("bzip2", bz2.compress(b"1")), ("xz", lzma.compress(b"1")), ("tar", tarred()), ("7z", b"7z\xbc\xaf'\x1c\0\x04"),
     ("rar", b"Rar!\x1a\x07\x01\0"), ("zstd", b"\x28\xb5\x2f\xfd\x04\x00")],
)  # fmt: skip
def test_archives_of_other_kinds_are_named(reads: Read, kind: str, data: bytes) -> None:
    problem = refusal(reads, data)
    assert not isinstance(problem, NotAReport)
    assert problem.met.endswith(kind)
    assert "unpack" in str(problem.do)


def test_a_late_nul_is_refused(reads: Read) -> None:
    body = [row(rid=str(i)) for i in range(1500)] + [row(name="a\0b")]
    assert "NUL" in refusal(reads, table(*body)).met


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be opened"):
        read(tmp_path / "absent.txt", store=tmp_path / "store")


def test_the_second_read_is_a_lookup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text(table(row(), row("x", rid="2")))
    first = read(path, store=tmp_path / "store")
    monkeypatch.setattr(scan, "quick_scan", None)  # parsing again would fail
    again = read(path, store=tmp_path / "store", display="other name")
    assert (again.frames, again.rows_total, again.totals) == (first.frames, 2, first.totals)
    assert again.rejects.equals(first.rejects)
    assert first.frames["reimbursements"].parent.name == first.sha256
    left = [p for p in (tmp_path / "store" / store.reader_version()).iterdir() if p.name.startswith(".tmp")]
    assert left == []


def test_a_careful_scan_of_many_rows_keeps_lines(reads: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_BATCH", 10)
    body = [row(rid=str(i)) for i in range(35)]
    body[20] = body[20][:-1]
    got = reads(table(*body))
    assert (got.rows_used, got.rejects["line"].to_list()) == (34, [22])
    assert rows_of(got)["line"].to_list() == [n for n in range(2, 37) if n != 22]


def test_the_order_of_day_and_month_is_asked_of_all_rows(reads: Read) -> None:
    body = [row(day="05/05/2026", rid=str(i)) for i in range(900)] + [row(day="01/05/2026"), row(day="13/05/2026")]
    assert rows_of(reads(table(*body)))["approved_on"].to_list()[-2:] == [date(2026, 5, 1), date(2026, 5, 13)]
    open_ended = reads(table(row(day="05/06/2026")))
    assert any("day or the month comes first" in note for note in open_ended.notes)
    dashed = reads(table(row(day="05-06-2026")))  # with dashes the day stands first, nothing is left open
    assert rows_of(dashed)["approved_on"].to_list() == [date(2026, 6, 5)]
    assert dashed.notes == ()
