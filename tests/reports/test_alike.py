"""Small files of one layout, read together: what is kept of each is what reading it alone gives."""

from __future__ import annotations

import os
import random
import tempfile
import threading
from datetime import date
from pathlib import Path

import pytest
from families_files import D, utc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recon_lib import reports
from recon_lib.errors import ReportError
from recon_lib.reports import alike, reader, store
from recon_lib.reports.base import Reading
from tests.headers import PAY


def line(number: int, day: str, amount: str = "10.00", net: str = "9.41", text: str = "") -> str:
    cells = (
        f"{day}T07:06:47 -0700", "S1", f"P01-{number}-C1", f"ref-{number}", "Capture", f"P01-{number}", f"o-{number}", "Shop",
        "USD", text, amount, "-0.29", "-0.30", "-0.59", net,
    )  # fmt: skip
    return ",".join(f'"{cell}"' for cell in cells)


def settlement(day: str, *rows: str, above: bool = True, end: str = "\n", last: str = "\n") -> bytes:
    preamble = [
        '"SettlementType","Sales"', f'"SettlementStartDate","{day}T00:00:00 -0700"',
        f'"SettlementEndDate","{day}T23:59:59 -0700"', '"SellerId","A1"', "",
    ] if above else []  # fmt: skip
    header = ",".join(f'"{name}"' for name in PAY) + ","
    return (end.join([*preamble, header, *rows]) + last).encode()


def together(folder: Path, files: list[bytes], marketplace: str = "US") -> list[Reading | None]:
    """What is kept of each file after they were read together; None: left to be read alone."""
    paths = [folder / f"{number:03}.csv" for number in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    alike.keep_alike(paths, reports.FAMILIES, folder / "store", marketplace)
    hints = reader.hints_of(None, marketplace)
    return [store.load(store.place(folder / "store", store.sha256_of(path), hints)) for path in paths]


def same(one: Reading, other: Reading) -> bool:
    """All that a reading tells is equal, and every row of every family."""
    mine, theirs = dict(vars(one)), dict(vars(other))
    families = mine.pop("frames").keys() | theirs.pop("frames").keys()
    rejects = mine.pop("rejects").equals(theirs.pop("rejects"))
    frames = [(one.rows(family).collect(), other.rows(family).collect()) for family in families]
    return bool(rejects) and mine == theirs and all(a.equals(b) and a.schema == b.schema for a, b in frames)


def test_each_file_keeps_its_own_rows_lines_window_and_total(tmp_path: Path) -> None:
    days = ["2025-07-01", "2025-12-31", "2026-01-02", "2026-01-03"]
    files = [settlement(day, *(line(10 * at + n, day) for n in range(at + 1))) for at, day in enumerate(days)]
    readings = together(tmp_path, files)
    for at, (day, reading) in enumerate(zip(days, readings, strict=True)):
        assert reading is not None
        rows = reading.rows("pay_lines").collect()
        assert rows["line"].to_list() == [7 + n for n in range(at + 1)]
        assert rows["amazon_transaction_id"].to_list() == [f"P01-{10 * at + n}-C1" for n in range(at + 1)]
        assert rows["posted_at"].to_list() == [utc(f"{day}T14:06:47")] * (at + 1)
        assert rows["posted_on"].to_list() == [date.fromisoformat(day)] * (at + 1)
        assert reading.totals == {"USD": D("9.41") * (at + 1)}
        assert (reading.rows_used, reading.rows_rejected) == (at + 1, 0)
        assert (reading.period_from, reading.period_to) == (day, day)
        (window,) = reading.rows("pay_statements").collect().rows(named=True)
        assert (window["line"], window["seller_id"], window["start_at"]) == (2, "A1", utc(f"{day}T07:00:00"))


def test_fewer_files_than_are_worth_it_are_left_alone(tmp_path: Path) -> None:
    assert together(tmp_path, [settlement("2026-01-02", line(n, "2026-01-02")) for n in range(3)]) == [None] * 3


@pytest.mark.parametrize(
    "odd",
    [
        settlement("2026-01-05", line(1, "2026-01-05", amount="10.001")),
        settlement("2026-01-05", line(1, "2026-01-05", amount="1,5")),
        settlement("2026-01-05", line(1, "2026-01-35")),
        settlement("2026-01-05", line(1, "2026-01-05", text="two\nlines")),
        settlement("2026-01-05", line(1, "2026-01-05"), '"2026-01-05T07:06:47 -0700","S1"'),
        settlement("2026-01-05", *(line(n, "2026-01-05") for n in range(21)), line(21, "2026-01-05") + ',"more"'),
        settlement("2026-01-05", line(1, "2026-01-05"), "", line(2, "2026-01-05")),
        settlement("2026-01-05", line(1, "2026-01-05")[:-1], last=""),
    ],
    ids=["third decimal", "comma", "no day", "newline in a cell", "short", "long", "blank line", "open quote"],
)
def test_a_doubt_leaves_the_whole_group_to_be_read_alone(tmp_path: Path, odd: bytes) -> None:
    sound = [settlement(f"2026-01-0{n}", line(n, f"2026-01-0{n}")) for n in range(1, 5)]
    assert together(tmp_path, [*sound[:2], odd, *sound[2:]]) == [None] * 5


def test_days_that_leave_the_month_open_are_read_file_by_file(tmp_path: Path) -> None:
    header = "return-date\torder-id\tsku\tasin\tfnsku\tproduct-name\tquantity\tfulfillment-center-id\tdetailed-disposition\treason\tstatus\tlicense-plate-number\tcustomer-comments\n"
    row = "{}\t111-1234567-1234567\tA\tB1\tX1\tT\t1\tABC1\tSELLABLE\tOTHER\tUnit returned to inventory\tL{}\t\n"
    files = [
        (header + row.format(day, n)).encode() for n, day in enumerate(["09/06/25", "13/06/25", "06/13/25", "07/08/25"])
    ]
    assert together(tmp_path, files) == [None] * 4
    iso = [(header + row.format(f"2025-06-0{n}T01:02:03+00:00", n)).encode() for n in range(1, 5)]
    assert None not in together(tmp_path, iso)


def test_a_file_without_a_window_has_none(tmp_path: Path) -> None:
    files = [settlement(f"2026-01-0{n}", line(n, f"2026-01-0{n}"), above=n != 2) for n in range(1, 6)]
    readings = together(tmp_path, files)
    assert [r and r.rows("pay_statements").collect().height for r in readings] == [1, 0, 1, 1, 1]
    assert [r and r.rows("pay_lines").collect()["line"].to_list() for r in readings] == [[7], [2], [7], [7], [7]]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_among_the_files_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    given = ([tmp_path / "pipe.csv"], reports.FAMILIES, tmp_path / "store", "US")
    reading = threading.Thread(target=alike.keep_alike, args=given, daemon=True)
    reading.start()
    reading.join(10)
    assert not reading.is_alive()


_DAYS = ["2025-07-01", "2025-11-03", "2026-01-05"]
_ROWS = st.lists(
    st.tuples(
        st.integers(0, 99), st.sampled_from(_DAYS), st.sampled_from(["10.00", "-3.5", "1,234.00", "7", ""]), st.sampled_from(["", "a b", 'say ""x""', " padded ", "é", "a,b"])
    ), max_size=4,
)  # fmt: skip
_FILES = st.tuples(
    st.sampled_from(_DAYS), _ROWS, st.booleans(), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["\n", "\r\n", "", "\n\n", "\r"]), st.booleans(),
)  # fmt: skip


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(_FILES, min_size=4, max_size=6, unique_by=str), st.sampled_from(["US", "DE"]))
def test_what_is_kept_is_what_reading_alone_gives(given_files: list[tuple], marketplace: str) -> None:  # type: ignore[type-arg]
    files = []
    for day, rows, above, end, last, marked in given_files:
        data = settlement(day, *(line(n, d, amount=a, text=t) for n, d, a, t in rows), above=above, end=end, last=last)
        files.append(b"\xef\xbb\xbf" + data if marked else data)
    random.Random(len(files)).shuffle(files)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, kept in enumerate(together(folder, files, marketplace)):
            if kept is None:
                continue
            path = folder / f"{number:03}.csv"
            try:
                alone = reports.read(path, store=folder / "alone", marketplace=marketplace)
            except ReportError:  # pragma: no cover - the failure itself
                raise AssertionError(f"{path.read_bytes()!r} was kept, and is refused alone") from None
            assert same(kept, alone)
