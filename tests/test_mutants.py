"""What mutated folders brought to light, each by hand; and ten mutated folders (`python -m tests.mutants 1000` has more)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from recon_lib.errors import UsageError
from recon_lib.paths import project_root
from recon_lib.policy import load_policy
from recon_lib.reports import Reading, read
from tests.mutants import __main__ as run
from tests.mutants import examine, folders

BANK = "booked_on,amount,currency,description,reference\n"
PAY = '"Settlement Report"\n"SettlementStartDate","2026-01-16T15:00:44 -0800"\n"SettlementEndDate","2026-01-17T14:59:44 -0800"\n'


def reads(tmp_path: Path, data: str) -> Reading:
    path = tmp_path / "file.csv"
    path.write_bytes(data.encode())
    return read(path, store=tmp_path / "store", display="file.csv")


def told(reading: Reading) -> tuple[int, list[tuple[int, str]], dict[str, Decimal]]:
    rejects = reading.rejects.select("line", "reason").rows()
    return reading.rows_used, rejects, dict(reading.totals)


# A carriage return, a form feed, a next-line mark: they end no line of a file whose lines end in line feeds.
@pytest.mark.parametrize("mark", ["\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_a_strange_line_end_above_the_header_hides_no_row(tmp_path: Path, mark: str) -> None:
    text = f'"note{mark}of the bank",\n{BANK}2026-01-05,10.00,USD,x,R1\n2026-01-06,5.00,USD,y,R2\n'
    reading = reads(tmp_path, text)
    assert told(reading) == (2, [], {"USD": Decimal("15.00")})


def test_lines_that_end_in_line_feed_and_carriage_return(tmp_path: Path) -> None:
    """The mark before a quoted first cell makes it no day: told, not passed over."""
    rows = ["booked_on,amount,currency,description,reference", "2026-01-05,10.00,USD,x,R1", "2026-01-06,5.00,USD,y,R2"]
    assert told(reads(tmp_path, "\n\r".join(rows))) == (2, [], {"USD": Decimal("15.00")})
    quoted = [",".join(f'"{cell}"' for cell in row.split(",")) for row in rows]
    reading = reads(tmp_path, "\n\r".join(quoted))
    assert [line for line, _ in told(reading)[1]] == [2, 3]


@pytest.mark.parametrize("rows", [2, 3000], ids=["small", "longer than the beginning"])
def test_quoted_rows_that_end_in_carriage_returns_alone(tmp_path: Path, rows: int) -> None:
    head = ",".join(f'"{name}"' for name in BANK.strip().split(","))
    body = [f'"2026-01-05","1.00","USD","x","R{n}"' for n in range(rows)]
    reading = reads(tmp_path, "\r".join([head, *body]) + "\r")
    assert told(reading) == (rows, [], {"USD": Decimal(rows)})


def test_line_feeds_that_begin_late(tmp_path: Path) -> None:
    """The beginning has carriage returns alone: all of the file is cut at them, and a line feed is no secret."""
    row = '"2026-01-05","1.00","USD","x","R1"'
    head = ",".join(f'"{name}"' for name in BANK.strip().split(","))
    reading = reads(tmp_path, "\r".join([head, *[row] * 3000]) + "\n" + "\n".join([row] * 3) + "\n")
    assert told(reading)[0] + len(told(reading)[1]) == 3003


def test_a_carriage_return_between_two_quoted_rows_is_told(tmp_path: Path) -> None:
    """One line, two rows: neither is used, and the line is rejected; nothing of it is passed over."""
    bad = '"2026-01-05","10.00","USD","x","R1"\r"2026-01-06","5.00","USD","y","R2"\n'
    reading = reads(tmp_path, f"{BANK}{bad}2026-01-07,1.00,USD,z,R3\n")
    assert told(reading)[0] == 1
    assert [line for line, _ in told(reading)[1]] == [2]
    assert told(reading)[2] == {"USD": Decimal("1.00")}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", ",more\n", 2).replace(",more", "", 1),
        lambda text: text.split("\n", 1)[1],
        lambda text: "",
        lambda text: text.replace("effective_from", "from", 1),
        lambda text: text + '"open\n',
        lambda text: "\xff\xfe" + text,
        lambda text: text.replace("\n", "\n\0", 1),
    ],
    ids=["a long row", "no header", "empty", "another column", "an open quotation mark", "bytes", "NUL"],
)
def test_a_policy_table_that_cannot_be_read_is_named(tmp_path: Path, change) -> None:  # type: ignore[no-untyped-def]
    shutil.copytree(project_root() / "params" / "policy", tmp_path / "policy")
    table = tmp_path / "policy" / "claim_windows.csv"
    table.write_text(change(table.read_text()), encoding="latin-1", errors="replace")
    with pytest.raises(UsageError, match=r"claim_windows"):
        load_policy(tmp_path / "policy")


@pytest.fixture(scope="module")
def seed_folder(tmp_path_factory: pytest.TempPathFactory) -> folders.Base:
    return folders.base(tmp_path_factory.mktemp("seed"))


@pytest.mark.parametrize("number", range(5))
def test_a_mutated_folder(tmp_path: Path, seed_folder: folders.Base, number: int) -> None:
    made, met = run.one(seed_folder, tmp_path, 2026, number, commands=False)
    assert met.problems == [], made.done
    assert met.end in ("packet", "refused")
    assert met.exit_code in (0, 1, 2)


def test_the_examination_finds_what_is_wrong(tmp_path: Path, seed_folder: folders.Base, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A row that vanished, a reject without reason, a decision that vanished: each would be told."""
    place = tmp_path / "account"
    shutil.copytree(seed_folder.folder, place)
    path = place / "books" / "bank.csv"
    path.write_text(path.read_text() + "2026-01-20,7.00,USD,late,R9\nno day,1.00,USD,x,R10\n")

    def look() -> str:
        return " ".join(
            examine.examine(place, seed_folder.store, seed_folder.seed, {"books/bank.csv"}, None, False).problems
        )

    assert look() == ""
    real = examine.read_path

    def hiding(*given: object) -> Iterator[tuple[str, object]]:
        for name, outcome in real(*given):  # type: ignore[arg-type]
            if name == "books/bank.csv":
                assert isinstance(outcome, Reading)
                outcome = replace(outcome, rejects=outcome.rejects.clear(), rows_rejected=0)
            yield name, outcome

    with monkeypatch.context() as patched:
        patched.setattr(examine, "read_path", hiding)
        assert "neither used nor rejected" in look()
    fewer = replace(seed_folder.seed, events=seed_folder.seed.events + 1)
    told = examine.examine(place, seed_folder.store, fewer, {"books/bank.csv"}, None, False).problems
    assert told == [f"{fewer.events - 1} decisions are read, {fewer.events} were recorded"]
    with monkeypatch.context() as patched:
        patched.setattr(examine, "reconcile", lambda *_: 1 / 0)
        assert "ZeroDivisionError" in look()
