"""Accounts and packets in a storage, end to end: the commands, the workers, a cluster. A real S3 server on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from recon_lib import away, cloud_index, daily, warm
from recon_lib.__main__ import main
from recon_lib.cloud import Cloud
from recon_lib.daily import Job
from tests.pages import ROOT
from tests.s3_server import CUT, DENIED, SECRET, Asked, Storage, bucket_of, environment, running
from tests.test_daily import DAY, NOW, lines, make, until

OURS = (".lock", ".recon-probe", ".index.json", ".index.lock", ".inputs.json")  # of a run, not of a reader


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    with running(tmp_path_factory.mktemp("moto") / "log") as storage:
        yield storage


@pytest.fixture
def bucket(server: Storage, tmp_path: Path) -> Iterator[str]:
    with bucket_of(server, tmp_path) as name:
        yield name


@pytest.fixture
def kept() -> Iterator[None]:
    warm.keep(ROOT)
    yield
    warm.let_go()


def call(server: Storage, tmp_path: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "recon_lib", *map(str, arguments)], cwd=ROOT, text=True, env=environment(server, tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def recon(server: Storage, tmp_path: Path, code: int, *arguments: object) -> tuple[str, str]:
    run = call(server, tmp_path, *arguments)
    said, told = run.communicate(timeout=180)
    assert run.returncode == code, said + told
    assert SECRET not in said + told
    assert "Traceback" not in told
    assert "cache" not in said + told, "the copies are nobody's business"
    return said, told


def tree(folder: Path) -> dict[str, bytes]:
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    return {name: content for name, content in found.items() if not name.endswith(OURS)}


def there(server: Storage, bucket: str, prefix: str = "out") -> dict[str, bytes]:
    names = [name for name in server.names(bucket) if name.startswith(f"{prefix}/") and not name.endswith(OURS)]
    return {name.removeprefix(f"{prefix}/"): server.get(f"/{bucket}/{name}") for name in names}


def test_all_accounts_of_a_storage_in_one_call(server: Storage, bucket: str, tmp_path: Path, kept: None) -> None:
    accounts, out = tmp_path / "accounts", tmp_path / "out"
    make(accounts / "1-owed", "owed", owed=True)
    make(accounts / "3-broken", "broken")
    (accounts / "3-broken" / "books" / "bank.csv").write_text("no,header,of,a,bank\n1,2,3,4,5\n")
    (accounts / "4-lost" / "reports").mkdir(parents=True)  # its account.yml is gone
    (accounts / "4-lost" / "reports" / "x.txt").write_text("x")
    (accounts / "notes").mkdir()
    (accounts / "notes" / "x.txt").write_text("x")
    server.upload(accounts, bucket, "acc")
    job = Job(accounts / "1-owed", out, DAY, False, NOW, tmp_path / "store")
    daily.run_account(job)
    url = (f"s3://{bucket}/acc", f"s3://{bucket}/out")
    said, told = recon(server, tmp_path, 2, "daily", url[0], "--out", url[1], "--date", DAY, "--workers", 1)
    assert {name: line["state"] for name, line in lines(told).items() if name} == {
        "1-owed": "published", "3-broken": "unusable", "4-lost": "unusable",
    }  # fmt: skip
    assert said == f"s3://{bucket}/out/owed/{DAY}: 1 waiting; claimable now: nothing\n"
    assert lines(told)[""]["page"] == f"s3://{bucket}/out/daily-{DAY}.html"
    assert f"there is no account.yml in s3://{bucket}/acc/4-lost" in str(lines(told)["4-lost"]["message"])
    page = server.get(f"/{bucket}/out/daily-{DAY}.html").decode()
    assert "1 account is done; 2 accounts need a person" in page
    assert f'<a href="owed/{DAY}/packet.html">owed</a>' in page
    assert str(tmp_path) not in page
    packets = {name: content for name, content in there(server, bucket).items() if name.startswith("owed/")}
    assert packets == tree(out)
    assert sorted(set(there(server, bucket)) - set(packets)) == [f"daily-{DAY}.html", "index.html"]
    assert f'href="owed/{DAY}/packet.html"' in server.get(f"/{bucket}/out/index.html").decode()
    assert not list((tmp_path / "cache").rglob("*.csv")), "no copy of a report stays"

    # nothing new: no file of a packet is sent, or brought for the index
    server.asked.clear()
    assert away.run_account(*url, "again", job).state == "unchanged"
    assert cloud_index.refresh(Cloud(url[1])).line() == f"{url[1]}/index.html: 1 packet of 1 account, all verify"
    assert server.wrote("/2026") == []
    assert [a.key for a in server.asked if a.method == "GET" and a.key.endswith("packet.html")] == []

    # a packet that someone changed is named
    server.put(f"/{bucket}/out/owed/{DAY}/findings.csv", b"nothing")
    found = cloud_index.refresh(Cloud(f"s3://{bucket}/out"))
    assert found.problems == [f"owed/{DAY}: findings.csv was changed after it was published"]


def test_days_in_a_storage_carry_over_like_local_ones(server: Storage, bucket: str, tmp_path: Path, kept: None) -> None:
    folder, out, near = make(tmp_path / "accounts" / "x", "x", owed=True), tmp_path / "out", tmp_path / "near"
    url = (f"s3://{bucket}/acc", f"s3://{bucket}/out")
    server.upload(folder, bucket, "acc/x")
    template = Job(folder, out, DAY, True, NOW, tmp_path / "store")

    def both(day: str) -> daily.Outcome:
        job = replace(template, day=day)
        daily.run_account(job)
        made = away.run_account(*url, "run", replace(job, out=near))
        assert made.message == ""
        assert there(server, bucket) == tree(out)
        return made

    assert [packet.path for packet in both("2026-01-28").packets] == [near / "x" / "2026-01-28"]
    made = both("2026-01-30")  # the missed day too, each compared with the one before
    assert made.lines[1] == f"s3://{bucket}/out/x/2026-01-30: 1 waiting; claimable now: nothing"
    assert len(made.lines) == 2
    assert both("2026-01-30").state == "unchanged"
    # a file that was deleted makes a revision that says so
    server.send("DELETE", f"/{bucket}/acc/x/books/pay_activity.csv")
    (folder / "books" / "pay_activity.csv").unlink()
    assert both("2026-01-30").packets[0].path.name == "2026-01-30.r2"
    assert json.loads(server.get(f"/{bucket}/out/x/2026-01-30.r2/manifest.json"))["revises"]["changes"]["removed"] == [
        "books/pay_activity.csv"
    ]
    # a storage and a folder, either way
    job = replace(template, day="2026-01-28", catch_up=False)
    away.run_account(url[0], tmp_path / "mixed", "run", replace(job, out=tmp_path / "mixed"))
    away.run_account(tmp_path / "accounts", f"{url[1]}/mixed", "run", replace(job, out=near))
    assert tree(tmp_path / "mixed") == there(server, bucket, "out/mixed") != {}


def test_a_run_killed_while_it_sends_is_completed_to_the_same_bytes(
    server: Storage, bucket: str, tmp_path: Path, kept: None
) -> None:
    folder = make(tmp_path / "owed", "owed", owed=True)
    job = Job(folder, tmp_path / "out", DAY, False, NOW, tmp_path / "store")
    assert daily.run_account(job).state == "published"
    reached: list[str] = []

    def stuck(asked: Asked) -> str | None:
        if asked.method == "PUT" and asked.key.endswith("matches.parquet"):
            reached.append(asked.key)
            time.sleep(2)
            return CUT
        return None

    server.disturb = stuck
    run = call(server, tmp_path, "packet", folder, "--date", DAY, "--out", f"s3://{bucket}/out")
    until(lambda: reached, [run])
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    server.disturb = lambda asked: None
    left = there(server, bucket)
    assert f"owed/{DAY}/findings.csv" in left
    assert not any(name.endswith("manifest.json") for name in left), "half a packet is not there"
    again = partial(away.run_account, tmp_path, f"s3://{bucket}/out", "another run", job)
    held = again()  # its lease has not ended
    assert (held.state, held.exit_code) == ("held", 3)
    assert "another run holds the account owed" in held.message
    time.sleep(4)
    assert again().state == "published"
    assert there(server, bucket) == tree(tmp_path / "out")


def test_what_goes_wrong_with_a_storage_is_told(
    server: Storage, bucket: str, tmp_path: Path, kept: None, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "accounts" / "a", "a", owed=True)
    job = Job(folder, tmp_path / "near", DAY, False, NOW, tmp_path / "store")
    assert main(["daily", str(folder.parent), "--date", DAY, "--out", "s3://no-such-bucket/out"]) == 2
    assert "there is no bucket no-such-bucket" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["check", "s3://some/where"])
    assert "this command works on files of this machine" in capsys.readouterr().err

    def run(run: str) -> daily.Outcome:
        return away.run_account(folder.parent, f"s3://{bucket}/out", run, job)

    server.disturb = lambda asked: DENIED if asked.method == "PUT" and "/a/" in asked.key else None
    denied = run("1")
    assert (denied.state, denied.exit_code) == ("unusable", 2)
    assert f"access to s3://{bucket}/out/a/.recon-probe is denied (AccessDenied)" in denied.message
    # the line breaks in the middle of a packet and stays broken
    broken: list[bool] = []

    def breaks(asked: Asked) -> str | None:
        broken.extend([True] * (asked.method == "PUT" and asked.key.endswith("journal.csv")))
        return CUT if broken else None

    server.disturb = breaks
    failed = run("2")
    assert (failed.state, failed.exit_code, failed.packets) == ("failed", 3, ())
    assert "cannot be reached or broke off" in failed.message
    server.disturb = lambda asked: None
    assert not any(name.endswith("manifest.json") for name in there(server, bucket))
    # a packet that fails leaves its log there, and the next one that succeeds takes it away
    bad = folder / "books" / "bank.csv"
    time.sleep(4)
    server.put(f"/{bucket}/out/a/{DAY}.log", b"why")
    bad.write_text("no,bank\n")
    assert "bank.csv" in run("3").message
    assert f"a/{DAY}.log" in there(server, bucket)
    bad.unlink()
    assert run("4").state == "published"
    assert f"a/{DAY}.log" not in there(server, bucket)
    assert f"a/{DAY}/manifest.json" in there(server, bucket)
