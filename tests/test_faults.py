"""Whatever happens in the middle of a run: no half packet is seen, and the next run ends in the bytes of an undisturbed one.

`python -m tests.faults 200` does the same at many more moments.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recon_lib import account_job, publish, running, unchanged, warm
from recon_lib.account_job import Job, run_account
from recon_lib.errors import RunError
from recon_lib.packet import make_packet
from tests import faults
from tests.faults import DAY, ROOT, account, half, visible
from tests.pages import standin_notebook

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], float, Path]:
    base = tmp_path_factory.mktemp("base")
    return *faults.baseline(base, base / "store"), base / "store"


@pytest.mark.parametrize(("share", "victim"), [(0.35, "command"), (0.8, "command"), (0.6, "kernel")])
def test_a_kill_at_some_moment(
    tmp_path: Path, undisturbed: tuple[dict[str, str], float, Path], share: float, victim: str
) -> None:
    bytes_, seconds, store = undisturbed
    assert faults.one(tmp_path, bytes_, store, share * seconds, victim)[1] == []


@pytest.mark.parametrize(
    ("moment", "stands"), [("os.rename", False), ("publish.point_to_latest", True), ("publish.disk.sync", False)]
)
def test_a_kill_at_the_moments_of_publishing(
    tmp_path: Path, undisturbed: tuple[dict[str, str], float, Path], moment: str, stands: bool
) -> None:
    """Just before the packet gets its place; between the packet and the note of the latest; in the middle of the writing."""
    bytes_, _, store = undisturbed
    folder, out = account(tmp_path / "account"), tmp_path / "out"
    code = (
        f"import os\nfrom recon_lib import publish\nfrom recon_lib.packet import make_packet\nfrom pathlib import Path\n"
        f"{moment} = lambda *a: os._exit(9)\nmake_packet({str(folder)!r}, {DAY!r}, {str(out)!r}, store=Path({str(store)!r}))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 9
    home = out / "faulty"
    assert half(home) == []
    assert bool(publish.revisions(home, DAY)) == stands
    again = make_packet(folder, DAY, out, store=store)
    assert again.unchanged == stands
    assert visible(home) == bytes_
    assert json.loads((home / "latest.json").read_bytes()) == {DAY: DAY}


@pytest.mark.parametrize("way", ["fresh", "warm"])
def test_the_process_of_the_notebook_dies(tmp_path: Path, way: str) -> None:
    folder = account(tmp_path / "account", "stand-in")
    dying = standin_notebook(tmp_path / "dying.ipynb", "import os; os.kill(os.getpid(), 9)")
    whole = standin_notebook(tmp_path / "whole.ipynb")
    if way == "warm":
        warm.keep(ROOT)
    try:
        with pytest.raises(RunError, match="process of the run died"):
            make_packet(folder, DAY, tmp_path / "out", notebook=dying)
        home = tmp_path / "out" / "stand-in"
        assert not home.exists()
        make_packet(folder, DAY, tmp_path / "out", notebook=whole)
        assert half(home) == []
        assert sorted(os.listdir(home)) == [".lock", DAY, "latest.json"]
    finally:
        warm.let_go()


def test_a_full_disk_and_a_read_only_one(tmp_path: Path, undisturbed: tuple[dict[str, str], float, Path]) -> None:
    bytes_, _, store = undisturbed
    folder, out = account(tmp_path / "account"), tmp_path / "disk"
    out.mkdir()

    def mount(*options: str) -> None:
        done = subprocess.run(["mount", *options, str(out)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("no right to mount a small disk here")

    def run() -> subprocess.CompletedProcess[str]:
        running = faults.start(folder, out, store)
        told = running.communicate()
        return subprocess.CompletedProcess([], running.returncode, *told)

    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mount("-t", "tmpfs", "-o", "size=300k", "small")
    try:
        full = run()
        assert full.returncode == 3, full.stderr
        assert "No space left" in full.stderr
        assert "Traceback" not in full.stderr
        assert half(out / "faulty") == []
        assert publish.revisions(out / "faulty", DAY) == []
        mount("-o", "remount,size=50m,ro")
        kept = run()
        assert kept.returncode in (2, 3), kept.stderr
        assert "Read-only" in kept.stderr
        assert "Traceback" not in kept.stderr
        mount("-o", "remount,size=50m,rw")
        assert run().returncode == 1
        assert {n: h for n, h in visible(out / "faulty").items() if not n.endswith(".log")} == bytes_
    finally:
        subprocess.run(["umount", str(out)], check=False)


def test_a_clock_that_was_turned_back_changes_no_published_packet(tmp_path: Path) -> None:
    folder, out = account(tmp_path / "account"), tmp_path / "out"

    def round_at(now: datetime) -> account_job.Outcome:
        return run_account(Job(folder, out, "yesterday", True, now, tmp_path / "store"))

    try:
        assert [p.path.name for p in round_at(NOW).packets] == [DAY]
        before = visible(out / "faulty")
        for path in folder.rglob("*"):
            os.utime(path, (0, 0))
        back = round_at(datetime(2026, 1, 31, 12, tzinfo=UTC))
        assert [p.path.name for p in back.packets] == ["2026-01-30"]
        again = round_at(NOW)
        assert again.state in ("unchanged", "published")
        now = visible(out / "faulty")
        assert {name: now[name] for name in before if name != "latest.json"} == {
            name: digest for name, digest in before.items() if name != "latest.json"
        }
        assert half(out / "faulty") == []
    finally:
        warm.let_go()


def test_two_schedulers_at_once_make_every_packet_once(
    tmp_path: Path, undisturbed: tuple[dict[str, str], float, Path]
) -> None:
    bytes_, _, store = undisturbed
    account(tmp_path / "accounts" / "a")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "recon_lib", "daily", str(tmp_path / "accounts"), "--date", DAY, "--out", str(out), "--workers", "1"]  # fmt: skip
    both = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                         env={**os.environ, "RECON_STORE": str(store)})
        for _ in range(2)
    ]  # fmt: skip
    told = [run.communicate()[1] for run in both]
    codes = sorted(run.returncode for run in both)
    assert codes in ([1, 3], [1, 1]), told
    assert visible(out / "faulty") == bytes_
    assert (out / f"daily-{DAY}.html").is_file()


def test_a_file_that_changes_while_it_is_read_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = account(tmp_path / "account"), tmp_path / "out"
    made = []

    def slow(*given: object, **more: object) -> object:
        packet = out / "faulty" / DAY
        packet.mkdir(parents=True, exist_ok=True)
        answer = {"exit_code": 0, "findings": {}, "owed": {}}
        (packet / "manifest.json").write_text(json.dumps({"revision": 1, "answer": answer, "outputs": {}}))
        if not made:
            (folder / "books" / "pay_activity.csv").write_text(faults.HEAD)
        made.append(packet)
        return account_job.published(packet)

    monkeypatch.setattr(account_job, "make_packet", slow)
    job = Job(folder, out, DAY, False, NOW)
    run_account(job)
    assert not (out / "faulty" / unchanged.NAME).exists()
    run_account(job)
    assert len(made) == 2, "made again: what was read is not what lay there"
    run_account(job)
    assert len(made) == 2
    warm.let_go()


@pytest.mark.parametrize("said", ["No space left on device (os error 28)", "[Errno 122] Disk quota exceeded"])
def test_a_disk_that_fills_up_in_a_cell_is_told_without_a_log_that_found_no_room_either(said: str) -> None:
    told = running._as_told("OSError", said)
    assert told is not None
    assert told.exit_code == 3
    assert said in str(told)
    assert "make room and run again" in str(told)
    assert running._as_told("OSError", "Stale file handle") is None
