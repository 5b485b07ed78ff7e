"""A register that the disk damaged: it is told, no packet is made of half of it, and no decision is lost."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recon_lib import disk
from recon_lib.__main__ import main
from recon_lib.books import open_account
from recon_lib.decisions import Event
from recon_lib.errors import UsageError
from recon_lib.reconcile import reconcile
from recon_lib.register import NAME, Register, open_register
from recon_lib.register_copy import copy_of, kept
from tests.faults import DAY, ROOT, account

NOW = datetime(2026, 1, 20, tzinfo=UTC)


def six(folder: Path) -> list[Event]:
    register = open_register(folder, "America/Los_Angeles")
    for n in range(1, 7):
        register.record(
            "accepted", who="Ann", note=f'=1+1, "note"\n{n} ä', finding_id=f"warehouse_lost-{n:016x}", at=NOW, now=NOW
        )
    return register.events()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return account(tmp_path / "account")


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garbage(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + random.Random(1).randbytes(len(data) - 4096))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def older(path: Path) -> None:
    """The file of the day before was brought back: the last two decisions are not in it, and nothing in it is wrong."""
    events = open_register(path).events()
    path.unlink()
    other = Register(path.with_name("other.sqlite"))
    other.take_over(events[:4])
    shutil.move(other.path, path)
    copy_of(other.path).unlink()


def rewritten(path: Path) -> None:
    base = sqlite3.connect(path)
    base.execute("DROP TRIGGER events_never_change")
    base.execute("UPDATE events SET note = 'nothing' WHERE seq = 3")
    base.commit()
    base.close()


DAMAGES = [halved, garbage, emptied, gone, folder_instead, older, rewritten]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_register_stops_everything_and_is_made_anew(
    folder: Path, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    events = six(folder)
    assert kept(folder / NAME) == events
    before = reconcile(open_account(folder, DAY, store=folder.parent / "store")).decisions.as_input()
    damage(folder / NAME)
    with pytest.raises(UsageError, match="recon case restore"):
        reconcile(open_account(folder, DAY, store=folder.parent / "store"))
    words = ["open", str(folder), "warehouse_lost-00000000000000ff", "--who", "Bob", "--note", "more"]
    assert main(["case", *words]) == 2, "nothing is put on top of what is not whole"
    assert main(["case", "list", str(folder), "--date", DAY]) == 2
    assert main(["case", "verify", str(folder)]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert main(["case", "restore", str(folder), "--out", str(folder.parent / "out")]) == 0
    register = open_register(folder, "America/Los_Angeles")
    assert register.verify() == []
    assert register.events() == events
    assert reconcile(open_account(folder, DAY, store=folder.parent / "store")).decisions.as_input() == before
    if damage is not gone:
        assert (folder / f"{NAME}.damaged-1").exists(), "what was damaged is kept"
    assert main(["case", "restore", str(folder)]) == 2
    assert "is whole" in capsys.readouterr().err
    assert main(["case", *words]) == 0


def test_an_emptied_register_beside_a_damaged_copy_is_no_new_register(folder: Path) -> None:
    six(folder)
    (folder / NAME).write_bytes(b"")
    copy = copy_of(folder / NAME)
    copy.write_bytes(copy.read_bytes().replace(b"finding_id", b"\xffinding_id", 1))
    (problem,) = open_register(folder).verify()
    assert problem.startswith("it holds 0 decisions")
    assert "was given 6" in problem


def test_damaged_bytes_anywhere_are_told_in_words(folder: Path) -> None:
    """Every byte of the register's own description in turn: SQLite quotes such bytes in what it says of them."""
    six(folder)
    whole = (folder / NAME).read_bytes()
    start, stop = whole.index(b"CREATE"), 4096
    for at in range(start, stop, 7):
        (folder / NAME).write_bytes(whole[:at] + b"\xa0" + whole[at + 1 :])
        with suppress(UsageError):
            open_register(folder).verify()
    (folder / NAME).write_bytes(whole)
    assert open_register(folder).verify() == []


def test_a_register_without_copy_is_restored_as_far_as_it_can_be_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = six(folder)
    copy_of(folder / NAME).unlink()
    rewritten(folder / NAME)
    assert main(["case", "restore", str(folder)]) == 0
    assert open_register(folder).events() == events[:2]
    emptied(folder / NAME)
    copy_of(folder / NAME).write_bytes(b"\0" * 999)
    assert main(["case", "restore", str(folder)]) == 2, "nothing is recorded, and nothing says that something was"
    assert "is whole" in capsys.readouterr().err
    (folder / NAME).write_bytes(b"no database" * 999)
    assert main(["case", "restore", str(folder)]) == 2
    assert "neither register.sqlite nor its copy can be read" in capsys.readouterr().err


def test_a_restore_that_is_killed_in_the_middle_loses_nothing_that_could_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damaged register, no copy: between setting the file aside and making it anew its decisions stand nowhere else."""
    events = six(folder)
    copy_of(folder / NAME).unlink()
    rewritten(folder / NAME)

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Register, "take_over", killed)
    assert main(["case", "restore", str(folder)]) == 3
    monkeypatch.undo()
    assert not (folder / NAME).exists()
    assert main(["case", "list", str(folder), "--date", DAY]) == 2, "not taken for an account without decisions"
    assert main(["case", "restore", str(folder)]) == 0
    assert open_register(folder).events() == events[:2]


def test_a_restore_where_nothing_may_be_written_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    events = six(folder)
    emptied(folder / NAME)

    def refused(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "replace", refused)
    assert main(["case", "restore", str(folder)]) == 2
    monkeypatch.undo()
    assert "Read-only file system" in capsys.readouterr().err
    assert kept(folder / NAME) == events


def test_each_decision_of_the_copy_is_looked_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every packet and every decision reads the copy: with the square of its length, a thousand would take seconds."""
    six(folder)
    looked, digest = [], Event.digest
    monkeypatch.setattr(Event, "digest", lambda event: looked.append(event.seq) or digest(event))
    assert len(kept(folder / NAME)) == 6
    assert looked == [1, 2, 3, 4, 5, 6]


def test_a_manifest_that_knows_more_than_the_copy_forbids_a_restore(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    events = six(folder)
    packet = tmp_path / "out" / "faulty" / DAY
    packet.mkdir(parents=True)
    (packet / "manifest.json").write_text(
        f'{{"inputs": [{{"family": "register", "last_event": 7, "last_hash": "{events[0].hash}"}}]}}'
    )
    emptied(folder / NAME)
    assert main(["case", "restore", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert f"no event 7, noted in packet {DAY}" in capsys.readouterr().err
    assert (folder / NAME).stat().st_size == 0
    assert kept(folder / NAME) == events


@pytest.mark.parametrize("left", [0, 10, 300, -1, -40], ids=["empty", "a bit", "a line", "one byte less", "less"])
def test_a_copy_that_was_cut_off_is_completed_by_the_next_decision(folder: Path, left: int) -> None:
    six(folder)
    copy = copy_of(folder / NAME)
    copy.write_bytes(copy.read_bytes()[:left])
    assert open_register(folder).verify() == []
    register = open_register(folder)
    register.record("accepted", who="Bob", note="after", finding_id="warehouse_lost-00000000000000ff", now=NOW)
    assert kept(folder / NAME) == register.events()
    assert len(kept(folder / NAME)) == 7


def test_a_decision_stands_also_where_its_copy_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "write", full)
    events = six(folder)
    assert len(events) == 6
    assert kept(folder / NAME) == []
    assert open_register(folder).verify() == []
    monkeypatch.undo()
    register = open_register(folder)
    register.record("accepted", who="Bob", note="after", finding_id="warehouse_lost-00000000000000ff", now=NOW)
    assert kept(folder / NAME) == register.events()


def test_the_last_word_of_a_killed_command_is_read_where_nothing_may_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Killed between the commit and the end, its decision stands in SQLite's log; a read-only mount hides it from no packet."""
    six(folder)
    code = (
        "import os, sys\nfrom recon_lib import register_copy\nregister_copy.follow = lambda *a: os._exit(9)\n"
        "from recon_lib.__main__ import main\nmain(sys.argv[1:])"
    )
    words = ["case", "open", str(folder), "warehouse_lost-00000000000000ff", "--who", "Bob", "--note", "last"]
    assert subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, check=False).returncode == 9
    assert (folder / f"{NAME}-wal").stat().st_size > 0
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert [event.who for event in open_register(folder).events()] == ["Ann"] * 6 + ["Bob"]
    assert (folder / f"{NAME}-wal").stat().st_size > 0, "reading changed nothing"


def test_a_full_disk_refuses_the_decision_and_keeps_those_before(folder: Path) -> None:
    events = six(folder)
    code = "import resource, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\nfrom recon_lib.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    words = ["case", "open", str(folder), "warehouse_lost-00000000000000ff", "--who", "Bob", "--note", "last"]
    run = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.returncode == 2, run.stderr
    assert "cannot be written" in run.stderr
    register = open_register(folder)
    assert (register.events(), register.verify()) == (events, [])
    assert main(words) == 0
    assert len(register.events()) == 7


@pytest.mark.parametrize(
    "text", ["seq,at\n1,2\n", '{head}\n"open', "{head}\n²,a,b,c,d,e,f,g,h,i,j,k,l\n", "{head}\na\rb\n", "\0"]
)
def test_a_file_that_is_no_exported_register_is_refused_in_words(folder: Path, text: str) -> None:
    head = "seq,at,recorded_at,kind,who,note,finding_id,case_id,amount,currency,packet,prev,hash"
    source = folder / "decisions.csv"
    source.write_text(text.replace("{head}", head))
    with pytest.raises(UsageError, match=r"decisions\.csv"):
        open_register(folder).import_csv(source)
