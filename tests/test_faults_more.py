"""Time runs out, a file may not grow, a report changes while it is read, notes beside the packets are damaged."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recon_lib import kernel_manager, manifest, publish, running, unchanged
from recon_lib.account_job import Job, run_account
from recon_lib.errors import ReportError, RunError
from recon_lib.packet import make_packet
from recon_lib.reports import reader, small
from recon_lib.reports.members import read_members
from tests import test_faults_power
from tests.faults import DAY, HEAD, ROOT, account, half, staying, visible
from tests.pages import standin_notebook

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the stand-in's packet is when nothing happens."""
    base = tmp_path_factory.mktemp("base")
    make_packet(
        account(base / "account", "stand-in"), DAY, base / "out", notebook=standin_notebook(base / "whole.ipynb")
    )
    return visible(base / "out" / "stand-in")


@pytest.mark.parametrize("way", ["a step", "the start"])
def test_time_runs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: dict[str, str], way: str) -> None:
    """A notebook that hangs in a step, or whose process never answers: told, nothing published, no process stays."""
    folder, out, pids = account(tmp_path / "account", "stand-in"), tmp_path / "out", tmp_path / "pids"
    slow = f"import os, sys, time\nopen({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\ntime.sleep(600)\n"
    with monkeypatch.context() as patched:
        if way == "a step":
            patched.setattr(running, "LONGEST", 5)
            notebook = standin_notebook(tmp_path / "slow.ipynb", slow)
        else:
            (tmp_path / "sitecustomize.py").write_text(
                f"import sys\nif 'recon_lib.kernel' in sys.orig_argv:\n    exec({slow!r})"
            )
            patched.setenv("PYTHONPATH", str(tmp_path))
            patched.setattr(kernel_manager, "READY", 2)
            notebook = standin_notebook(tmp_path / "whole.ipynb")
        with pytest.raises(RunError) as told:
            make_packet(folder, DAY, out, notebook=notebook)
    assert "nothing was published" in str(told.value)
    begun = pids.read_text().split() if pids.exists() else []  # on a busy machine not even that
    assert staying([int(line) for line in begun]) == []
    assert publish.revisions(out / "stand-in", DAY) == []
    if way == "a step":
        make_packet(folder, DAY, out, notebook=standin_notebook(tmp_path / "whole.ipynb"))
        assert half(out / "stand-in") == []
        assert visible(out / "stand-in") == undisturbed


def test_a_file_that_may_not_grow(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    """As on a full disk, for those who may not mount a small one: the page does not fit."""
    most = 200_000
    folder, out = account(tmp_path / "account", "stand-in"), tmp_path / "out"
    notebook = standin_notebook(tmp_path / "whole.ipynb")
    code = (
        "import sys\nfrom recon_lib.errors import RunError\nfrom recon_lib.packet import make_packet\n"
        f"try:\n    make_packet({str(folder)!r}, {DAY!r}, {str(out)!r}, notebook=__import__('pathlib').Path({str(notebook)!r}))\n"
        "except RunError as problem:\n    sys.exit(f'told: {problem}')"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )  # fmt: skip
    assert run.stderr.startswith("told: "), run.stderr[-500:]
    assert publish.revisions(out / "stand-in", DAY) == []
    make_packet(folder, DAY, out, notebook=notebook)
    assert visible(out / "stand-in") == undisturbed


@pytest.mark.parametrize("limit", [small.LIMIT, 0], ids=["a small file", "a big one"])
def test_a_report_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Else the rows of one version could be kept under the hash of another one."""
    path, store = tmp_path / "pay_activity.csv", tmp_path / "store"
    line = "2026-01-28T08:00:00-08:00,capture,S01-{n},r1,o1,P01-1,12.00,USD\n"
    path.write_text(HEAD + line.format(n=1))
    real = reader.recognise

    def slowly(*given: object, **more: object) -> object:
        path.write_text(HEAD + line.format(n=2) * 2)
        return real(*given, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(small, "LIMIT", limit)
        patched.setattr(reader, "recognise", slowly)
        ((_, told),) = read_members(path, path.name, store=store)
        assert isinstance(told, ReportError)
        assert "was changed while it was read" in str(told)
    ((_, again),) = read_members(path, path.name, store=store)
    assert not isinstance(again, ReportError)
    assert again.rows_used == 2


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "null", '{"2026-01-31": 7}', '{"2026-01-31": {}}', "[" * 50_000, "\0" * 99]
)
@pytest.mark.parametrize("name", [unchanged.NAME, "latest.json"])
def test_damaged_notes_beside_the_packets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, damage: str
) -> None:
    """They are worked out anew: the same packet, the same bytes, no revision."""
    test_faults_power.without_kernel(monkeypatch)
    folder, out = account(tmp_path / "account"), tmp_path / "out"
    run_account(Job(folder, out, DAY, False, NOW))
    hoped = visible(out)
    (out / "faulty" / name).write_text(damage)
    assert run_account(Job(folder, out, DAY, False, NOW)).exit_code == 1
    assert visible(out) == hoped


def test_a_published_packet_that_was_damaged_is_told_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_faults_power.without_kernel(monkeypatch)
    folder, out = account(tmp_path / "account"), tmp_path / "out"
    run_account(Job(folder, out, DAY, False, NOW))
    whole = visible(out)
    copy = shutil.copytree(out, tmp_path / "copy")
    (out / "faulty" / DAY / manifest.NAME).write_text("{")
    told = run_account(Job(folder, out, DAY, False, NOW))
    assert (told.state, told.exit_code) == ("failed", 3)
    assert f"the manifest of {DAY} cannot be read" in told.message
    assert sorted(p.name for p in (out / "faulty").iterdir() if not p.name.startswith(".")) == [DAY, "latest.json"]
    shutil.copy(copy / "faulty" / DAY / manifest.NAME, out / "faulty" / DAY / manifest.NAME)
    assert run_account(Job(folder, out, DAY, False, NOW)).state == "unchanged"
    assert visible(out) == whole
    assert json.loads((out / "faulty" / "latest.json").read_bytes()) == {DAY: DAY}
