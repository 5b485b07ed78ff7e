"""A file that grew: its old rows come from the store, only new ones are read, and nobody can tell it from a reading anew."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from recon_lib import family_rows
from recon_lib.books import open_account
from recon_lib.errors import ReportError
from recon_lib.reconcile import reconcile
from recon_lib.reports import Reading, grown, passes, read, scan, small, store, text
from recon_lib.reports.base import parts_at
from recon_lib.reports.books import BANK_CSV
from recon_lib.reports.members import read_members
from recon_lib.reports.recognise import Header

BOOK = "activity_at,kind,amazon_transaction_id,seller_reference_id,seller_order_id,order_reference_id,amount,currency"
BANK = "booked_on,amount,currency,description,reference"
RECEIPTS = "order_id,tracking_number,fnsku,received_on,quantity_received"


def cells_of(header: str, number: int) -> list[str]:
    if header == BOOK:
        day, sale = f"2026-09-{number % 28 + 1:02}T08:00:00+00:00", f"P01-{number:07}-C1"
        return [day, "capture", sale, f"REF{number}", f"100{number}", sale[:11], f"{number}.50", "USD"]
    if header == BANK:
        return [f"2026-09-{number % 28 + 1:02}", f"{number}.50", "USD", f"AMAZON {number}", f"R{number}"]
    return [f"R-{number}", f"1Z{number}", f"X00{number}", f"2026-09-{number % 28 + 1:02}", str(number % 5)]


def rows(first: int, last: int, header: str = BOOK) -> bytes:
    return "".join(",".join(cells_of(header, number)) + "\n" for number in range(first, last)).encode()


def tiny(patch: pytest.MonkeyPatch) -> None:
    """A file of some rows counts as a large one, of which the first two rows show how to read it."""
    patch.setattr(small, "LIMIT", 400)
    patch.setattr(text, "HEAD", 256)
    patch.setattr(scan, "_BEGINNING", 400)
    patch.setattr(passes, "SAMPLE_ROWS", 2)
    patch.setattr(grown, "SAMPLE_ROWS", 2)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    tiny(monkeypatch)
    return monkeypatch


def told(reading: Reading) -> dict[str, Any]:
    """All that a reading tells, its frames by what is in them."""
    frames = {family: reading.rows(family).collect() for family in reading.frames}
    held = {family: (frame.schema, frame.rows()) for family, frame in frames.items()}
    return {**vars(reading), "frames": held, "rejects": reading.rejects.rows()}


def parts(reading: Reading) -> list[Path]:
    return [part for path in reading.frames.values() for part in parts_at(path)]


def only_the_end(patch: pytest.MonkeyPatch) -> None:
    def whole(*_: object) -> None:
        raise AssertionError("the file was read whole")

    patch.setattr(passes, "run", whole)


def test_only_the_new_rows_are_read(tmp_path: Path, large: pytest.MonkeyPatch) -> None:
    book = tmp_path / "pay_activity.csv"
    first = f"{BOOK}\n".encode() + rows(0, 200)
    book.write_bytes(first)
    old = read(book, store=tmp_path / "store")
    only_the_end(large)
    book.write_bytes(first + rows(200, 203))
    got = read(book, store=tmp_path / "store")
    assert got.sha256 == hashlib.sha256(first + rows(200, 203)).hexdigest()
    assert (got.rows_used, got.rows_rejected, got.notes) == (203, 0, ())
    assert got.totals == {"USD": Decimal("20604.50")}  # 0 + 1 + ... + 202 = 20503, and 203 halves
    frame = got.rows("pay_activity").collect()
    assert frame["line"].to_list() == list(range(2, 205))
    assert frame["seller_reference_id"].to_list() == [f"REF{number}" for number in range(203)]
    assert [part.stat().st_ino for part in parts(got)][:1] == [part.stat().st_ino for part in parts(old)]


def test_days_and_totals_of_a_grown_bank_file(tmp_path: Path, large: pytest.MonkeyPatch) -> None:
    bank = tmp_path / "bank.csv"
    bank.write_bytes(f"{BANK}\n".encode() + rows(2, 20, BANK))  # the 3rd to the 20th
    read(bank, store=tmp_path / "store")
    only_the_end(large)
    with bank.open("ab") as file:
        file.write(b"2026-10-03,-7.25,USD,RENT,\n2026-09-01,3.00,EUR,AMAZON EU,\n")
    got = read(bank, store=tmp_path / "store")
    assert (got.period_from, got.period_to) == ("2026-09-01", "2026-10-03")
    assert got.totals == {"EUR": Decimal("3"), "USD": Decimal("190.75")}  # 2 + ... + 19 = 189, 18 halves, less 7.25
    assert list(got.totals) == ["EUR", "USD"]


def test_a_book_that_grows_for_weeks_stays_in_few_pieces(tmp_path: Path, large: pytest.MonkeyPatch) -> None:
    book, data = tmp_path / "pay_activity.csv", f"{BOOK}\n".encode() + rows(0, 400)
    book.write_bytes(data)
    read(book, store=tmp_path / "store")
    pieces = set()
    with pytest.MonkeyPatch.context() as patch:
        only_the_end(patch)
        for day in range(40):
            data += rows(400 + 5 * day, 405 + 5 * day)
            book.write_bytes(data)
            got = read(book, store=tmp_path / "store")
            pieces.add(len(parts(got)))
    assert told(got) == told(read(book, store=tmp_path / "other"))
    assert 1 < max(pieces) <= 8


def test_without_hard_links_the_rows_are_copied(tmp_path: Path, large: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError("no hard links here")

    large.setattr(os, "link", none)
    book, data = tmp_path / "pay_activity.csv", f"{BOOK}\n".encode() + rows(0, 100)
    book.write_bytes(data)
    read(book, store=tmp_path / "store")
    book.write_bytes(data + rows(100, 101))
    with pytest.MonkeyPatch.context() as patch:
        only_the_end(patch)
        got = read(book, store=tmp_path / "store")
    assert told(got) == told(read(book, store=tmp_path / "other"))


@pytest.mark.parametrize("quoted", [False, True])
def test_quoted_books_grow_too(tmp_path: Path, large: pytest.MonkeyPatch, quoted: bool) -> None:
    head = ",".join(f'"{name}"' for name in BANK.split(",")) if quoted else BANK
    body = [f'2026-09-{n:02},"{n}.00",USD,"AMAZON, ""EU""",\n'.encode() for n in range(1, 29)]
    bank, data = tmp_path / "bank.csv", f"{head}\n".encode() + b"".join(body[:12])
    bank.write_bytes(data)
    read(bank, store=tmp_path / "store")
    for more in body[12:16]:
        data += more
        bank.write_bytes(data)
        with pytest.MonkeyPatch.context() as patch:
            only_the_end(patch)
            got = read(bank, store=tmp_path / "store")
    assert told(got) == told(read(bank, store=tmp_path / "other"))


@pytest.mark.parametrize(
    ("body", "alone"),
    [
        (b'1.00,"A, B"\n"2.00",\n', True),
        (b'1.00,"A\nB"\n2.00,C\n', False),
        (b'1.00,A"\n2.00,"C\n', False),
        (b'1.00,A\n2.00,"C\n', False),
        (b'1.00,"A, B"\n2.00\n', False),
    ],
)
def test_whether_marks_reach_from_row_to_row(tmp_path: Path, body: bytes, alone: bool) -> None:
    head, path = '"x","a,b"\n', tmp_path / "bank.csv"
    path.write_bytes(head.encode() + body + b'3.00,"')
    header = Header(BANK_CSV, ("x", "a,b"), 1, ",", True, "")
    assert scan.is_line_by_line(path, header, head, 2, len(head) + len(body)) is alone


@pytest.mark.parametrize("row", [b'AMAZON,"R\n', b'5" A,R"\n', b'5" A,R\n2026-09-21,1.00,USD,6" A,R\n'])
def test_where_marks_may_reach_into_new_rows_the_file_is_read_whole(tmp_path: Path, large: None, row: bytes) -> None:
    bank, data = tmp_path / "bank.csv", f"{BANK}\n".encode() + rows(0, 20, BANK) + b"2026-09-21,1.00,USD," + row
    bank.write_bytes(data)
    read(bank, store=tmp_path / "store")
    bank.write_bytes(data + b"2026-09-22,2.00,USD,AMAZON,R\n")
    assert reading_of(bank, tmp_path / "store") == reading_of(bank, tmp_path / "other")
    assert not list((tmp_path / "store").rglob("000.parquet"))


NOTED = b"booked_on,amount,currency,description,reference,note\n"
DAYS_FIRST = b"13/05/2026,1.00,USD,AMAZON,R,\n"
DOUBTFUL = {
    "a cell too many": b"13/05/2026,1.00,USD,AMAZON,R,,\n",
    "a blank line": b"\n",
    "no amount": b"13/05/2026,1x,USD,AMAZON,R,\n",
    "a decimal comma": b'13/05/2026,"1,50",USD,AMAZON,R,\n',
    "another shape of days": b"2026-05-14,1.00,USD,AMAZON,R,\n",
    "the month first": b"05/14/2026,1.00,USD,AMAZON,R,\n",
    "a blank beside a text": b"13/05/2026,1.00,USD, AMAZON ,R,\n",
    "no UTF-8 in a column that nothing reads": b"13/05/2026,1.00,USD,AMAZON,R,caf\xe9\n",
    "a NUL byte there": b"13/05/2026,1.00,USD,AMAZON,R,\0\n",
}


@pytest.mark.parametrize("end", DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_a_doubtful_row_has_the_file_read_whole(tmp_path: Path, large: None, end: bytes) -> None:
    bank, data = tmp_path / "bank.csv", NOTED + 20 * DAYS_FIRST
    bank.write_bytes(data)
    read(bank, store=tmp_path / "store")
    bank.write_bytes(data + end)
    assert reading_of(bank, tmp_path / "store") == reading_of(bank, tmp_path / "other")
    assert not list((tmp_path / "store").rglob("000.parquet"))


def test_the_first_rows_tell_the_order_of_day_and_month_of_new_ones(tmp_path: Path, large: pytest.MonkeyPatch) -> None:
    bank, data = tmp_path / "bank.csv", NOTED + 20 * DAYS_FIRST
    bank.write_bytes(data)
    read(bank, store=tmp_path / "store")
    bank.write_bytes(data + b"04/06/2026,1.00,USD,AMAZON,R,\n")
    only_the_end(large)
    got = read(bank, store=tmp_path / "store")
    assert (got.period_from, got.period_to) == ("2026-05-13", "2026-06-04")


def test_first_rows_that_leave_the_order_open_have_the_file_read_whole(tmp_path: Path, large: None) -> None:
    bank, data = tmp_path / "bank.csv", NOTED + 20 * b"04/05/2026,1.00,USD,AMAZON,R,\n"
    bank.write_bytes(data)
    read(bank, store=tmp_path / "store")
    bank.write_bytes(data + b"04/06/2026,1.00,USD,AMAZON,R,\n")
    notes = read(bank, store=tmp_path / "store").notes
    assert notes[0] == "no date shows whether the day or the month comes first; read as month/day"
    bank.write_bytes(data + DAYS_FIRST)
    got = read(bank, store=tmp_path / "store")
    assert (got.period_from, got.period_to, got.notes) == ("2026-05-04", "2026-05-13", ("columns kept aside: note",))


@pytest.mark.parametrize("changed", ["an earlier row", "cut off", "its last row"])
def test_a_file_that_did_not_just_grow_is_read_whole(tmp_path: Path, large: None, changed: str) -> None:
    book, data = tmp_path / "pay_activity.csv", f"{BOOK}\n".encode() + rows(0, 20)
    book.write_bytes(data)
    read(book, store=tmp_path / "store")
    data = {
        "an earlier row": data.replace(b"REF5", b"REF6") + rows(20, 22),
        "cut off": data[:-200],
        "its last row": data[:-4] + b"EUR\n" + rows(20, 22),
    }[changed]
    book.write_bytes(data)
    assert told(read(book, store=tmp_path / "store")) == told(read(book, store=tmp_path / "other"))


def test_of_two_histories_the_longest_that_fits_is_taken(tmp_path: Path, large: pytest.MonkeyPatch) -> None:
    book, data = tmp_path / "pay_activity.csv", f"{BOOK}\n".encode() + rows(0, 20)
    for version in (data, data + rows(20, 25), data + rows(30, 36)):  # the third day corrects the second
        book.write_bytes(version)
        read(book, store=tmp_path / "store")
    book.write_bytes(data + rows(20, 26))
    only_the_end(large)
    assert read(book, store=tmp_path / "store").rows_used == 26


@pytest.mark.parametrize("damage", ["gone", "cut", "reading"])
def test_a_damaged_reading_is_no_beginning(tmp_path: Path, large: None, damage: str) -> None:
    book, data = tmp_path / "pay_activity.csv", f"{BOOK}\n".encode() + rows(0, 200)
    book.write_bytes(data)
    read(book, store=tmp_path / "store")
    book.write_bytes(data + rows(200, 201))
    (part, *_) = parts(read(book, store=tmp_path / "store"))
    if damage == "gone":
        part.unlink()
    elif damage == "cut":
        part.write_bytes(part.read_bytes()[:-50])
    else:
        (part.parent.parent / "reading.json").write_text("{}")
    book.write_bytes(data + rows(200, 202))
    assert told(read(book, store=tmp_path / "store")) == told(read(book, store=tmp_path / "other"))


STEPS = ("shutil.copyfileobj", "os.link", "polars.LazyFrame.sink_parquet", "recon_lib.reports.store.seal", "os.replace")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_and_run_again(tmp_path: Path, large: None, step: str) -> None:
    book, data = tmp_path / "pay_activity.csv", f"{BOOK}\n".encode() + rows(0, 200)
    book.write_bytes(data)
    read(book, store=tmp_path / "store")
    data += rows(200, 203)
    book.write_bytes(data)
    dying = (
        "import os, sys, shutil, polars, pathlib, pytest\nimport recon_lib.reports.store\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\nimport test_grown\n"
        "test_grown.tiny(pytest.MonkeyPatch())\n"
        f"{step} = lambda *a, **k: os._exit(9)\n"
        f"test_grown.read(pathlib.Path({str(book)!r}), store=pathlib.Path({str(tmp_path / 'store')!r}))"
    )
    assert subprocess.run([sys.executable, "-c", dying], check=False).returncode == 9
    hoped = told(read(book, store=tmp_path / "other"))
    assert told(read(book, store=tmp_path / "store")) == hoped
    book.write_bytes(data + rows(203, 204))
    assert told(read(book, store=tmp_path / "store")) == told(read(book, store=tmp_path / "other"))


def test_many_at_once_on_one_store(tmp_path: Path, large: None) -> None:
    book, data = tmp_path / "pay_activity.csv", f"{BOOK}\n".encode() + rows(0, 300)
    book.write_bytes(data)
    read(book, store=tmp_path / "store")
    book.write_bytes(data + rows(300, 320))
    one = (
        f"import pathlib, sys, pytest\nsys.path.insert(0, {str(Path(__file__).parent)!r})\nimport test_grown\n"
        "test_grown.tiny(pytest.MonkeyPatch())\n"
        f"got = test_grown.read(pathlib.Path({str(book)!r}), store=pathlib.Path({str(tmp_path / 'store')!r}))\n"
        "print(got.rows_used, got.totals, got.rows('pay_activity').collect().hash_rows().sum())"
    )
    runs = [subprocess.Popen([sys.executable, "-c", one], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {run.communicate()[0] for run in runs}
    assert len(said) == 1
    assert said.pop().startswith("320 ")
    assert told(read(book, store=tmp_path / "store")) == told(read(book, store=tmp_path / "other"))


def contents(account: Path, kept: Path, out: Path) -> dict[str, bytes]:
    day = reconcile(open_account(account, "2026-01-31", store=kept))
    day.save(out)
    files = {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.suffix in (".csv", ".parquet")}
    return files | {"files": day.books.files.write_csv().encode(), "rejects": day.books.rejects.write_csv().encode()}


@pytest.mark.parametrize("held", [0, 16 << 20])
def test_a_packet_does_not_tell_what_was_in_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    account, one = tmp_path / "account", tmp_path / "store"
    shutil.copytree(Path(__file__).resolve().parents[2] / "data" / "sample", account)
    for name in ("pay_activity.csv", "bank.csv"):
        book = account / "books" / name
        lines = book.read_bytes().splitlines(keepends=True)
        with pytest.MonkeyPatch.context() as patch:
            tiny(patch)
            for share in (0.4, 0.7, 0.9, 1):
                book.write_bytes(b"".join(lines[: int(share * len(lines))]))
                ((_, got),) = read_members(book, f"books/{name}", store=one, marketplace="US")
        assert isinstance(got, Reading)
        assert got.frames[got.family].is_dir()
    monkeypatch.setattr(family_rows, "HELD", held)
    assert contents(account, one, tmp_path / "one") == contents(account, tmp_path / "two", tmp_path / "other")


ODD = st.sampled_from(
    ["", " ", " x ", '"q"', '"a,b"', '"a\nb"', '"a""b"', 'a"b', '"open', "1,5", '"1,50"', "1.234", "+1", "(2.00)", "12/05/2026",
     "05/13/2026", "2026-02-31", "2026-09-02T08:00:00Z", "2026-09-02 08:00:00", "02.09.2026", "é", "\u00a0x", "\ufeff", "\x0b", "\0",
     "EUR", "eur", "true", "--", "99999999999", "1e9"]
)  # fmt: skip
CHANGE = st.none() | st.tuples(st.integers(0, 7), ODD)
WHOLE_LINES = st.sampled_from([b"\n", b" \n", b",\n", b"\xe9,\n", b"\r\n", b"#\n", b"\xef\xbb\xbf\n"])
CHUNK = st.lists(st.none(), min_size=1, max_size=9) | st.lists(CHANGE | WHOLE_LINES, min_size=1, max_size=4)


def block(header: str, changes: list[Any], first: int, end: str) -> bytes:
    out = []
    for number, change in enumerate(changes, first):
        if isinstance(change, bytes):
            out.append(change)
            continue
        cells = cells_of(header, number)
        if change is not None and change[0] < len(cells):
            cells[change[0]] = change[1]
        out.append((",".join(cells) + end).encode())
    return b"".join(out)


def reading_of(path: Path, place: Path) -> object:
    try:
        return told(read(path, store=place))
    except ReportError as problem:
        return str(problem)


def agree(header: str, mark: bytes, chunks: list[tuple[list[Any], str, int]], dull: int) -> set[str]:
    """Reads a file each time it grew, with what is in the store and without; which readings were made from parts."""
    seen = set()
    with tempfile.TemporaryDirectory() as folder:
        path, here = Path(folder) / "f.csv", Path(folder) / "store"
        data = mark + f"{header}\n".encode() + rows(0, dull, header)
        for number, (changes, end, cut) in enumerate([([], "\n", 0), *chunks]):
            data += block(header, changes, 100 * number, end)
            data = data[: len(data) - cut]
            path.write_bytes(data)
            with_store = reading_of(path, here)
            assert with_store == reading_of(path, Path(folder) / f"other-{number}")
            kept = store.place(here, hashlib.sha256(data).hexdigest(), "")
            seen.add("parts" if any(p.is_dir() for p in kept.glob("*")) else "whole")
    return seen


def many(examples: int) -> None:
    """Tries so many files; `python tests/reports/test_grown.py NUMBER` tries more than the daily test."""
    seen: list[set[str]] = []

    @settings(deadline=None, max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from([BOOK, BANK, RECEIPTS]),
        st.sampled_from([b"", b"", b"\xef\xbb\xbf"]),
        st.lists(
            st.tuples(CHUNK, st.sampled_from(["\n", "\n", "\r\n"]), st.sampled_from([0, 0, 0, 0, 1, 2, 9])),
            min_size=1,
            max_size=3,
        ),
        st.integers(8, 20),
    )
    def grows(header: str, mark: bytes, chunks: list[tuple[list[Any], str, int]], dull: int) -> None:
        found = agree(header, mark, chunks, dull)
        event(" ".join(sorted(found)))
        seen.append(found)

    grows()
    got = sum("parts" in found for found in seen)
    print(f"{len(seen)} files tried, {got} of them grew")
    assert got > len(seen) // 20  # else nothing was tried


def test_no_one_can_tell_a_grown_reading_from_one_anew(large: None) -> None:
    many(40)


if __name__ == "__main__":
    tiny(pytest.MonkeyPatch())
    many(int(sys.argv[1]))
