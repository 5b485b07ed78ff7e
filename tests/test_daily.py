"""Many accounts: each its own packet, the same bytes as alone, and no account stops or sees another."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock

from recon_lib import account_job, crew, daily, unchanged, warm
from recon_lib.account_job import Job, Outcome, run_account
from recon_lib.daily_page import page
from recon_lib.errors import UsageError
from recon_lib.packet import PacketResult, make_packet
from recon_lib.running import run_notebook
from tests.pages import ROOT, standin_notebook

DAY = "2026-01-31"
NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
HEAD = "activity_at,kind,amazon_transaction_id,seller_reference_id,seller_order_id,order_reference_id,amount,currency\n"


def make(folder: Path, name: str, *, owed: bool = False, more: str = "") -> Path:
    """An account with nothing in it, or with one capture of 12.00 USD on 28 January that was never settled."""
    (folder / "books").mkdir(parents=True)
    (folder / "reports").mkdir()
    (folder / "account.yml").write_text(f"account: {name}\nmarketplace: US\n{more}")
    if owed:
        line = f"2026-01-28T08:00:00-08:00,capture,S01-{name},ref-{name},order-{name},P01-{name},12.00,USD\n"
        (folder / "books" / "pay_activity.csv").write_text(HEAD + line)
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def recon(*arguments: object, store: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recon_lib", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "RECON_STORE": str(store)},
    )  # fmt: skip


def lines(told: str) -> dict[str, dict[str, object]]:
    found = [json.loads(line) for line in told.splitlines() if line.startswith('{"event"')]
    return {line.get("folder", ""): line for line in found}


@pytest.fixture
def kept() -> Iterator[None]:
    warm.keep(ROOT)
    yield
    warm.let_go()


def test_good_owing_broken_and_held_accounts_in_one_call(tmp_path: Path) -> None:
    accounts, out, store = tmp_path / "accounts", tmp_path / "out", tmp_path / "store"
    make(accounts / "1-fine", "fine")
    make(accounts / "2-owed", "owed", owed=True)
    make(accounts / "3-broken", "broken")
    (accounts / "3-broken" / "books" / "bank.csv").write_text("no,header,of,a,bank\n1,2,3,4,5\n")
    make(accounts / "4-held", "held")
    (accounts / "5-lost" / "reports").mkdir(parents=True)  # its account.yml is gone
    (accounts / "notes").mkdir()
    (out / "held").mkdir(parents=True)
    command = ("daily", accounts, "--date", DAY, "--out", out, "--workers", 2)
    with FileLock(out / "held" / ".lock"):
        done = recon(*command, store=store)
    assert done.returncode == 3
    told = lines(done.stderr)
    assert {name: (line["state"], line["exit_code"]) for name, line in told.items() if name} == {
        "1-fine": ("published", 0), "2-owed": ("published", 1), "3-broken": ("unusable", 2), "4-held": ("held", 3),
        "5-lost": ("unusable", 2),
    }  # fmt: skip
    assert told[""]["accounts"] == {"held": 1, "published": 2, "unusable": 2}
    assert "bank.csv" in str(told["3-broken"]["message"])
    assert sorted(done.stdout.splitlines()) == [
        f"{out}/fine/{DAY}: no findings; claimable now: nothing",
        f"{out}/owed/{DAY}: 1 waiting; claimable now: nothing",
    ]
    assert not (out / "broken").exists()
    assert [path.name for path in (out / "held").iterdir()] == [".lock"]
    shown = (out / f"daily-{DAY}.html").read_text(encoding="utf-8")
    assert "2 accounts are done; 3 accounts need a person" in shown
    assert f'<a href="owed/{DAY}/packet.html">owed</a>' in shown

    # alone and in a fresh kernel: the same bytes; and nothing of the other account in them
    alone = recon("packet", accounts / "2-owed", "--date", DAY, "--out", tmp_path / "alone", store=tmp_path / "store2")
    assert alone.returncode == 1
    assert contents(tmp_path / "alone" / "owed" / DAY) == contents(out / "owed" / DAY)
    assert b"S01-owed" in (out / "owed" / DAY / "open_items.csv").read_bytes()
    assert b"owed</" not in (out / "fine" / DAY / "packet.html").read_bytes()
    assert b"S01-owed" not in b"".join(path.read_bytes() for path in (out / "fine" / DAY).iterdir())

    # the lock is free, the broken file is gone: only these two are made; the lost one stays broken
    (accounts / "3-broken" / "books" / "bank.csv").unlink()
    before = {path: path.stat().st_mtime_ns for path in (out / "owed").rglob("[!.]*")}
    again = recon(*command, store=store)
    assert again.returncode == 2
    assert {name: line["state"] for name, line in lines(again.stderr).items() if name} == {
        "1-fine": "unchanged", "2-owed": "unchanged", "3-broken": "published", "4-held": "published", "5-lost": "unusable",
    }  # fmt: skip
    assert {path: path.stat().st_mtime_ns for path in (out / "owed").rglob("[!.]*")} == before
    assert not re.search(r"Traceback|recon_lib/", done.stderr + again.stderr)


def test_missed_days_are_caught_up_and_a_failure_hides_no_day(tmp_path: Path, kept: None) -> None:
    folder, out = make(tmp_path / "a", "a", owed=True), tmp_path / "out"

    def run(day: str, catch_up: bool = True) -> Outcome:
        return run_account(Job(folder, out, day, catch_up, NOW, tmp_path / "store"))

    assert [packet.path.name for packet in run("2026-01-27").packets] == ["2026-01-27"]  # nothing before: only the day
    (folder / "books" / "bank.csv").write_text("not,a,bank\n")
    failed = run("2026-01-30")
    assert (failed.state, failed.exit_code, failed.packets, failed.day) == ("unusable", 2, (), "2026-01-28")
    (folder / "books" / "bank.csv").unlink()
    made = run("2026-01-29")
    assert [packet.path.name for packet in made.packets] == ["2026-01-28", "2026-01-29"]
    assert made.exit_code == 1
    # the next day's packet was compared with the day before: made in the order of days
    rolled = (out / "a" / "2026-01-29" / "rollforward.csv").read_text().splitlines()[1]
    assert rolled == "2026-01-29,USD,1,12.00,0,0.00,0,0.00,1,12.00,0,0.00"
    assert run("2026-01-29").state == "unchanged"
    # a late file changes the day's inputs: a revision
    late = folder / "books" / "pay_activity.csv"
    late.write_text(late.read_text() + "2026-01-29T09:00:00-08:00,capture,S01-l,ref-l,order-l,P01-l,3.00,USD\n")
    assert run("2026-01-29").packets[0].path.name == "2026-01-29.r2"


def test_nothing_of_one_packet_is_there_in_the_next(tmp_path: Path, kept: None) -> None:
    """The first notebook leaves marks wherever a process can keep them; the second one looks for each."""
    marks = """
import builtins, os, sys, tempfile, random, gc, recon_lib.money, polars, IPython
class Secret: name = "secret-of-" + day.books.account.account
seen = [hasattr(builtins, "mark"), "MARK" in os.environ, hasattr(recon_lib.money, "mark"), "mark" in sys.modules,
        tempfile.tempdir == "/", hasattr(polars, "mark"), os.path.exists("mark.txt"),
        any(type(o).__name__ == "Secret" and type(o) is not Secret for o in gc.get_objects()), os.getcwd() != ROOT]
assert not any(seen), seen
from pathlib import Path
Path(PIDS).open("a").write(str(os.getpid()) + " " + str(os.getppid()) + "\\n")
builtins.mark = Secret(); os.environ["MARK"] = "1"; recon_lib.money.mark = 1; sys.modules["mark"] = sys; polars.mark = Secret()
os.chdir("/"); tempfile.tempdir = "/"; sys.path.insert(0, "/nowhere")
"""
    pids = tmp_path / "pids"
    marks = marks.replace("ROOT", repr(str(ROOT))).replace("PIDS", repr(str(pids)))
    notebook = standin_notebook(tmp_path / "n.ipynb", marks)
    make(tmp_path / "x", "stand-in")
    made = [make_packet(tmp_path / "x", DAY, tmp_path / f"out{n}", notebook=notebook) for n in range(3)]
    assert len({json.dumps(contents(packet.path)) for packet in made}) == 1
    ran = [line.split() for line in pids.read_text().splitlines()]
    assert len({pid for pid, _ in ran}) == 3, "a process each"
    if warm.POSSIBLE:
        assert len({parent for _, parent in ran}) == 1, "of one waiting process"


def test_what_cells_print_stays_with_the_cell_that_printed_it(tmp_path: Path, kept: None) -> None:
    printing = ["import sys; print('one'); _ = sys.stderr.write('two')", "1 + 1", "print('three', end='')"]
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": code, "outputs": [], "execution_count": None}
        for n, code in enumerate(printing)
    ]
    whole = {"cells": cells, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
    path = tmp_path / "printing.ipynb"
    path.write_text(json.dumps(whole))
    ran = run_notebook(path, {}, ROOT, tmp_path / "log")
    told = [[output.get("text", output.get("data")) for output in cell.outputs] for cell in ran.notebook.cells]
    assert [sorted(map(str, shown)) for shown in told] == [["one\n", "two"], ["{'text/plain': '2'}"], ["three"]]


def test_a_dead_waiting_process_is_started_anew_and_leaves_no_process(tmp_path: Path, kept: None) -> None:
    if not warm.POSSIBLE:
        pytest.skip("processes are split off on Linux only")
    folder = make(tmp_path / "x", "x")
    make_packet(folder, DAY, tmp_path / "1", store=tmp_path / "store")
    server = warm.kept().server  # type: ignore[union-attr]
    assert server is not None
    first = server._process
    assert first is not None
    first.kill()
    first.wait()
    make_packet(folder, DAY, tmp_path / "2", store=tmp_path / "store")
    assert contents(tmp_path / "1" / "x" / DAY) == contents(tmp_path / "2" / "x" / DAY)
    second = server._process
    warm.let_go()
    assert second is not None
    assert second.poll() is not None


def _doomed(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 3:
        raise ValueError("three")
    return number * 10


def test_a_process_that_dies_takes_only_its_own_job_with_it() -> None:
    ended = dict(crew.with_processes(_doomed, range(6), 2))
    assert {n: r for n, r in ended.items() if n not in (2, 3)} == {0: 0, 1: 10, 4: 40, 5: 50}
    assert type(ended[2]).__name__ == "BrokenProcessPool"
    assert isinstance(ended[3], ValueError)


def test_yesterday_is_the_day_before_today_where_the_account_is(tmp_path: Path) -> None:
    west = make(tmp_path / "w", "w", more="time_zone: America/Los_Angeles\n")
    east = make(tmp_path / "e", "e", more="time_zone: Asia/Tokyo\n")
    moment = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)  # 18:00 on 31 January in Los Angeles, 11:00 on 1 February in Tokyo
    assert account_job.yesterday(west, moment) == "2026-01-30"
    assert account_job.yesterday(east, moment) == "2026-01-31"
    # an hour that the clocks skip changes nothing: 8 March 2026, 02:30 does not exist in Los Angeles
    assert account_job.yesterday(west, datetime(2026, 3, 8, 10, 30, tzinfo=UTC)) == "2026-03-07"


def test_days_wanted(tmp_path: Path) -> None:
    for name in ("2026-01-27", "2026-01-28.r2", "2026-01-28", "2026-02", "2026-02-02"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    assert account_job.days_wanted(tmp_path, "2026-01-31", True) == ["2026-01-29", "2026-01-30", "2026-01-31"]
    assert account_job.days_wanted(tmp_path, "2026-01-31", False) == ["2026-01-31"]
    assert account_job.days_wanted(tmp_path, "2026-01-20", True) == ["2026-01-20"]
    assert account_job.days_wanted(tmp_path, "2026-02-02", True) == [f"2026-01-{d}" for d in (29, 30, 31)] + [
        "2026-02-01",
        "2026-02-02",
    ]
    assert account_job.days_wanted(tmp_path / "nowhere", "2026-01-31", True) == ["2026-01-31"]


def test_accounts_with_one_name_never_write_into_one_place(tmp_path: Path) -> None:
    for folder, name in (("a", "shop"), ("b", "Shop"), ("c", "other")):
        make(tmp_path / folder, name)
    make(tmp_path / "packets", "packets")  # where packets go is no account, whatever lies in it
    found = dict(daily.find_accounts(tmp_path, tmp_path / "packets"))
    assert found[tmp_path / "c"] == ""
    assert "also that of b" in found[tmp_path / "a"]
    assert "also that of a" in found[tmp_path / "b"]
    assert len(found) == 3
    with pytest.raises(UsageError, match="is an account folder itself"):
        daily.find_accounts(tmp_path / "a", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no account lies in"):
        daily.find_accounts(tmp_path / "empty", tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        daily.find_accounts(tmp_path / "nowhere", tmp_path)


def test_only_the_same_bytes_are_the_same_inputs(tmp_path: Path) -> None:
    folder, home = make(tmp_path / "a", "a", owed=True), tmp_path / "out" / "a"
    packet = home / DAY
    packet.mkdir(parents=True)
    (packet / "manifest.json").write_text("{}")

    def now(day: str = DAY) -> str | None:
        return unchanged.digest(folder, home, day, ROOT)

    first = now()
    assert first is not None
    unchanged.remember(home, DAY, first, packet)
    assert unchanged.made_from(home, DAY, first) == packet
    os.utime(folder / "account.yml", (0, 0))  # a clock that was turned back
    (folder / "register.sqlite-shm").write_bytes(b"working file")
    (folder / "register.sqlite-wal").write_bytes(b"")
    assert now() == first
    (folder / "register.sqlite-wal").write_bytes(b"a decision")
    assert now() != first
    (folder / "register.sqlite-wal").unlink()
    (folder / "reports" / "new.txt").write_text("x")
    assert now() != first
    (folder / "reports" / "new.txt").unlink()
    assert now() == first
    # the packet of the day before is an input: its closing is compared with
    (home / "2026-01-30").mkdir()
    (home / "2026-01-30" / "manifest.json").write_text("{}")
    assert now() != first
    assert now("2026-01-30") == first
    # a packet that is not as it was published is not trusted
    (packet / "manifest.json").write_text('{"changed": 1}')
    assert unchanged.made_from(home, DAY, first) is None
    (home / unchanged.NAME).write_text("damaged")
    assert unchanged.made_from(home, DAY, first) is None
    (folder / "reports" / "gone.txt").symlink_to(tmp_path / "nowhere")
    assert now() is None


def test_the_page_escapes_what_it_shows_and_puts_the_worst_first(tmp_path: Path) -> None:
    bad = "<script>window.bad=1</script>"
    place = tmp_path / "a" / DAY
    answer = {
        "owed": {"USD": "1234.50"},
        "unvalued": 1,
        "findings": {"claimable": 2},
        "overdue_items": 1,
        "not_checked": 0,
    }
    outcomes = [
        Outcome("a", "a", DAY, "published", 1, (PacketResult(place, 1),), answer),
        Outcome(bad, "", DAY, "failed", 3, message=f"{bad}\u202e\n  What to do: wait"),
    ]
    shown = page(outcomes, DAY, tmp_path)
    assert bad not in shown
    assert "&lt;script&gt;window.bad=1&lt;/script&gt;\N{REPLACEMENT CHARACTER}<br>What to do: wait" in shown
    assert shown.index("the run failed") < shown.index(">published<")
    assert "1 account is done; 1 account needs a person. Claimable now: 1,234.50 USD + 1 unknown." in shown
    assert '<td class="money">1,234.50 USD + 1 unknown</td>' in shown
    assert "default-src 'none'" in shown
    assert not re.search(r"https?://", shown)


def test_wrong_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from recon_lib.__main__ import main

    no_text = ["--out", os.fsdecode(b"out\xff")]  # packets name their place in files
    for wrong in (["--date", "soon"], ["--workers", "0"], ["--workers", "2", "--scheduler", "tcp://h:1"], no_text):
        with pytest.raises(SystemExit) as ended:
            main(["daily", str(tmp_path), *wrong])
        assert ended.value.code == 2
    assert main(["daily", str(tmp_path), "--out", str(tmp_path / "o")]) == 2
    assert "no account lies in" in capsys.readouterr().err
    make(tmp_path / "a", "a")
    (tmp_path / "file").write_text("")
    assert main(["daily", str(tmp_path), "--out", str(tmp_path / "file")]) == 2


def until(happened: Callable[[], object], processes: list[subprocess.Popen[str]]) -> None:
    end = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        assert all(process.poll() is None for process in processes), "a process ended early"
        time.sleep(0.05)
