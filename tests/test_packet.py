"""A packet is published whole or not at all, once, and the same bytes come from the same inputs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from recon_lib import manifest, publish
from recon_lib.__main__ import main
from recon_lib.errors import ReportError, RunError, UsageError
from recon_lib.packet import PARAMETERS, PacketResult, account_name, make_packet
from tests.pages import NOTEBOOK, ROOT, standin_notebook

DAY = "2026-01-31"
FILES = [
    "claims.xlsx", "findings.csv", "findings.parquet", "history.csv", "journal.csv", "manifest.json", "matches.parquet",
    "open_items.csv", "packet.html", "rollforward.csv",
]  # fmt: skip


@pytest.fixture
def account(tmp_path: Path) -> Path:
    return make_account(tmp_path / "account")


def make_account(folder: Path) -> Path:
    (folder / "reports").mkdir(parents=True)
    (folder / "account.yml").write_text("# mine\naccount: stand-in  # the name\nmarketplace: US\n")
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_a_packet_is_whole_repeats_byte_for_byte_and_is_revised_beside_the_first(tmp_path: Path, account: Path) -> None:
    notebook = standin_notebook(tmp_path / "n.ipynb")
    first = make_packet(account, DAY, tmp_path / "out", notebook=notebook)
    assert first.path == tmp_path / "out" / "stand-in" / DAY
    assert sorted(os.listdir(first.path)) == FILES
    assert (first.exit_code, first.revision, first.unchanged) == (1, 1, False)
    assert first.owed == {"CAD": "20.00", "USD": "119.45"}
    assert first.counts == {"claimable": 5, "expired": 1, "open": 1, "review": 1, "waiting": 1}
    home = first.path.parent
    assert sorted(os.listdir(home)) == [".lock", DAY, "latest.json"]
    told = manifest.read(first.path)
    assert told["policy"]["rows_used"] == ["claim_windows line 7: US"]
    assert told["outputs"] == {name: digest for name, digest in contents(first.path).items() if name != "manifest.json"}
    assert told["inputs"][0]["sha256"] == hashlib.sha256((account / "account.yml").read_bytes()).hexdigest()
    everything = b"".join((first.path / name).read_bytes() for name in ("packet.html", "manifest.json"))
    assert str(tmp_path).encode() not in everything
    assert not re.search(rb"https?://(?!www\.w3\.org/)", everything)
    assert len((first.path / "packet.html").read_bytes()) < 2_500_000

    # another place, another run: the same bytes
    other = make_packet(make_account(tmp_path / "else" / "where"), DAY, tmp_path / "else" / "out", notebook=notebook)
    assert contents(other.path) == contents(first.path)

    # the same again: nothing is written
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
    again = make_packet(account, DAY, tmp_path / "out", notebook=notebook)
    assert again.unchanged
    assert again.path == first.path
    assert "(unchanged)" in again.line()
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()} == before

    # a late file: a revision beside the first, which stays as it is
    (account / "reports" / "late.csv").write_text("late")
    kept = contents(first.path)
    revised = make_packet(account, DAY, tmp_path / "out", notebook=notebook)
    assert revised.path == home / f"{DAY}.r2"
    assert (revised.revision, revised.owed) == (2, {"CAD": "20.00", "USD": "120.45"})
    assert contents(first.path) == kept
    assert json.loads((home / "latest.json").read_bytes()) == {DAY: f"{DAY}.r2"}
    told = manifest.read(revised.path)["revises"]
    assert told["folder"] == DAY
    assert told["manifest_sha256"] == kept["manifest.json"]
    assert told["changes"]["added"] == ["reports/late.csv"]
    assert told["findings"] == {"new": 1}
    page = (revised.path / "packet.html").read_text(encoding="utf-8")
    assert "<b>Revision 2.</b>" in page
    assert "files added: <code>reports/late.csv</code>" in page
    assert f"Findings: 1 new; 9 as in {DAY}." in page
    assert page.index('id="revised-new"') < page.index(">Answer</h2>")


def test_a_packet_is_compared_with_the_last_one_and_names_it_as_an_input(tmp_path: Path, account: Path) -> None:
    notebook, out = standin_notebook(tmp_path / "n.ipynb"), tmp_path / "out"
    first = make_packet(account, "2026-01-29", out, notebook=notebook)  # nothing on the 30th
    assert "There is no earlier packet" in (first.path / "packet.html").read_text(encoding="utf-8")
    assert [row for row in manifest.read(first.path)["inputs"] if row["family"] == "packet"] == []
    (account / "reports" / "late.csv").write_text("late")
    second = make_packet(account, DAY, out, notebook=notebook)
    assert [row for row in manifest.read(second.path)["inputs"] if row["family"] == "packet"] == [
        {"path": f"stand-in/2026-01-29/{name}", "family": "packet", "sha256": contents(first.path)[name]}
        for name in ("findings.parquet", "history.csv", "journal.csv")
    ]
    page = (second.path / "packet.html").read_text(encoding="utf-8")
    assert "Compared with the packet of 2026-01-29: 1 new; 9 unchanged." in page
    assert str(tmp_path) not in page
    assert str(tmp_path) not in (second.path / "manifest.json").read_text(encoding="utf-8")
    assert make_packet(account, DAY, out, notebook=notebook).unchanged

    # the earlier day is made anew from the late file: the later one rests on another packet now
    assert make_packet(account, "2026-01-29", out, notebook=notebook).revision == 2
    third = make_packet(account, DAY, out, notebook=notebook)
    assert third.revision == 2
    told = manifest.read(third.path)["revises"]
    assert told["findings"] == {}
    assert "stand-in/2026-01-29.r2/findings.parquet" in told["changes"]["added"]
    page = (third.path / "packet.html").read_text(encoding="utf-8")
    assert "Compared with the packet of 2026-01-29.r2: no finding changed; 10 unchanged." in page

    # yesterday's roll-forward is compared with as well, so it is an input of its own
    fourth = make_packet(account, "2026-02-01", out, notebook=notebook)
    paths = [row["path"] for row in manifest.read(fourth.path)["inputs"] if row["family"] == "packet"]
    assert paths[0] == f"stand-in/{DAY}.r2/rollforward.csv"
    assert len(paths) == 4


def test_a_failed_run_publishes_nothing_and_leaves_a_log(tmp_path: Path, account: Path) -> None:
    notebook = standin_notebook(tmp_path / "n.ipynb", "raise ValueError('the sum is odd')")
    with pytest.raises(RunError, match="ValueError: the sum is odd") as caught:
        make_packet(account, DAY, tmp_path / "out", notebook=notebook)
    assert caught.value.exit_code == 3
    home = tmp_path / "out" / "stand-in"
    assert sorted(os.listdir(home)) == [".lock", f"{DAY}.log"]
    log = (home / f"{DAY}.log").read_text()
    assert "Traceback" in log
    assert "the sum is odd" in log
    assert "\x1b" not in log


def test_what_breaks_inside_polars_is_told_in_words(
    tmp_path: Path, account: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from polars.exceptions import PanicException

    def breaks(*_: object, **__: object) -> None:
        raise PanicException("assertion failed: i < self.len()")

    monkeypatch.setattr("recon_lib.packet.make_packet", breaks)
    assert main(["packet", str(account), "--date", "2026-01-31", "--out", str(tmp_path / "out")]) == 3
    told = capsys.readouterr().err
    assert "something went wrong inside the program (PanicException)" in told
    assert "Traceback" not in told


def test_unusable_input_is_told_as_itself_and_writes_nothing(tmp_path: Path, account: Path) -> None:
    more = "from recon_lib.errors import ReportError\nraise ReportError('no header', file='reports/x.csv', do='download it again')"
    with pytest.raises(ReportError, match=r"reports/x\.csv: no header\n  What to do: download it again") as caught:
        make_packet(account, DAY, tmp_path / "out", notebook=standin_notebook(tmp_path / "n.ipynb", more))
    assert caught.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_killed_run_leaves_nothing_half_and_the_next_one_cleans_up(tmp_path: Path, account: Path) -> None:
    slow = standin_notebook(tmp_path / "slow.ipynb", "import time; time.sleep(60)")
    code = f"from recon_lib.packet import make_packet; make_packet({str(account)!r}, {DAY!r}, {str(tmp_path / 'out')!r}, notebook=__import__('pathlib').Path({str(slow)!r}))"
    run = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    home = tmp_path / "out" / "stand-in"
    until = time.monotonic() + 60
    while not list(home.glob(".building-*/manifest.json")):
        assert time.monotonic() < until, "the run did not get to its data"
        assert run.poll() is None
        time.sleep(0.05)
    with pytest.raises(RunError, match="another run holds the account stand-in") as caught:
        make_packet(account, DAY, tmp_path / "out")
    assert caught.value.exit_code == 3
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert publish.revisions(home, DAY) == []
    assert not (home / DAY).exists()
    made = make_packet(account, DAY, tmp_path / "out", notebook=standin_notebook(tmp_path / "n.ipynb"))
    assert sorted(os.listdir(made.path)) == FILES
    assert sorted(os.listdir(home)) == [".lock", DAY, "latest.json"]


def test_a_held_account_is_refused_at_once(tmp_path: Path, account: Path) -> None:
    home = tmp_path / "out" / "stand-in"
    home.mkdir(parents=True)
    with FileLock(home / ".lock"), pytest.raises(RunError, match="another run holds the account"):
        make_packet(account, DAY, tmp_path / "out")
    assert home.is_dir()


@pytest.mark.parametrize(
    "content", ["", "marketplace: US\n", "account: ../../etc\nmarketplace: US\n", "account: a/b\n", "account: a\naccount: b\n", "[", "account: .\n"]
)  # fmt: skip
def test_an_account_without_a_usable_name_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "account.yml").write_text(content)
    with pytest.raises(UsageError):
        account_name(tmp_path)


def test_no_account_folder_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        make_packet(tmp_path / "nowhere", DAY, tmp_path / "out")
    with pytest.raises(UsageError, match="is no day"):
        make_packet(make_account(tmp_path / "a"), "31.01.2026", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unwritable_place_is_refused(tmp_path: Path, account: Path) -> None:
    (tmp_path / "out").write_text("a file, no folder")
    with pytest.raises(UsageError, match="cannot write to"):
        make_packet(account, DAY, tmp_path / "out")


@pytest.mark.parametrize("inside", ["reports", "reports/deep", "books"])
def test_packets_among_the_accounts_own_files_are_refused(account: Path, inside: str) -> None:
    # the next packet would read them as reports
    with pytest.raises(UsageError, match="lies in the account's own") as problem:
        make_packet(account, DAY, account / inside)
    assert "a folder outside" in str(problem.value)
    assert not list(account.rglob("packet.html"))
    assert not (account / inside / account.name).exists()


def test_a_foreign_folder_in_the_place_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / DAY).mkdir()
    (tmp_path / DAY / "notes.txt").write_text("mine")
    built = tmp_path / ".building-1"
    built.mkdir()
    with pytest.raises(RunError, match="holds no packet"):
        publish.publish(built, tmp_path, DAY)
    assert (tmp_path / DAY / "notes.txt").read_text() == "mine"


def test_revisions_are_counted_by_number(tmp_path: Path) -> None:
    for name in (DAY, f"{DAY}.r2", f"{DAY}.r10", f"{DAY}.r01", "2026-01-30", f"{DAY}.log"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    assert [path.name for path in publish.revisions(tmp_path, DAY)] == [DAY, f"{DAY}.r2", f"{DAY}.r10"]


def test_the_notebook_knows_every_parameter_and_says_what_it_is() -> None:
    (cell,) = [c for c in json.loads(NOTEBOOK.read_text())["cells"] if "parameters" in c["metadata"].get("tags", [])]
    names = [re.fullmatch(r'(\w+) = "[^"]*"  # .+', line.rstrip("\n")) for line in cell["source"]]
    assert tuple(name[1] for name in names if name) == PARAMETERS
    assert all(names)


@pytest.mark.parametrize(("command", "name", "noted"), [
    ("packet", "2026-01-31", False), ("packet", "2999-01-31", True), ("month", "2026-01", False), ("month", "2999-01", True),
])  # fmt: skip
def test_a_day_or_month_that_has_not_ended_is_noted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    name: str,
    noted: bool,
) -> None:
    (tmp_path / "account.yml").write_text("account: small\nmarketplace: US\n", encoding="utf-8")
    made = PacketResult(tmp_path, 0)
    monkeypatch.setattr(f"recon_lib.packet.make_{command}", lambda *_, **__: made)
    option = "--date" if command == "packet" else "--month"
    assert main([command, str(tmp_path), option, name, "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr()
    assert (f"recon: note: {name}: its end is not reached yet" in told.err) == noted
    assert told.out.count("\n") == 1


def test_the_line_of_a_packet_tells_claims_without_a_known_value() -> None:
    made = PacketResult(Path("x"), 1, {"claimable": 3}, {"USD": "5.00"}, unvalued=2)
    assert made.line() == "x: 3 claimable; claimable now: 5.00 USD + 2 unknown"
    assert PacketResult(Path("x"), 1, {"claimable": 3}, unvalued=3).line() == "x: 3 claimable; claimable now: 3 unknown"
