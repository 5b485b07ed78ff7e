"""Accounts and packets in a storage, end to end: the commands, the workers, a cluster. A real S3 server on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from recon_lib import account_job, away, cloud_index, lease, notice_memory, notices, warm
from recon_lib.__main__ import main
from recon_lib.account_job import Job
from recon_lib.cloud import Cloud
from tests.pages import ROOT
from tests.s3_server import CUT, DENIED, SECRET, Asked, Storage, bucket_of, environment, running
from tests.test_daily import DAY, NOW, lines, make, until
from tests.test_notices import Server, bad, done, good, overdue, packet, row, settings_file

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
    account_job.run_account(job)
    url = (f"s3://{bucket}/acc", f"s3://{bucket}/out")
    hears = Server()
    threading.Thread(target=hears.serve_forever, daemon=True).start()
    command = ("daily", url[0], "--out", url[1], "--date", DAY, "--workers", 1)
    said, told = recon(server, tmp_path, 2, *command, "--notify", settings_file(tmp_path, hears.address()))
    hears.shutdown()
    hears.server_close()
    notice = json.loads(told.splitlines()[-1])
    assert (notice["event"], notice["told"], notice["problems"]) == ("notices", ["json 1"], [])
    told = told.replace(told.splitlines()[-1], "")
    ((title, text),) = hears.got
    assert title.startswith(f"Reconciliation {DAY}: 2 accounts were not done, ")
    assert "broken\n- its files cannot be used\n" in text
    assert "owed\n- report missing: " in text
    assert f"\n{url[1]}/owed/{DAY}/packet.html\n" in text
    assert str(tmp_path) not in text
    assert text.endswith(f"\nAll accounts: {url[1]}/daily-{DAY}.html")
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
    assert sorted(set(there(server, bucket)) - set(packets)) == [".notices.json", f"daily-{DAY}.html", "index.html"]
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

    def both(day: str) -> account_job.Outcome:
        job = replace(template, day=day)
        account_job.run_account(job)
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
    assert account_job.run_account(job).state == "published"
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
    assert (held.state, held.exit_code, held.account, held.day) == ("held", 3, "owed", DAY)
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

    def run(run: str) -> account_job.Outcome:
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


def test_a_page_that_cannot_be_sent_hides_no_outcome(server: Storage, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "lost" / "reports").mkdir(parents=True)
    url = f"s3://{bucket}/out"
    server.disturb = lambda asked: DENIED if asked.method == "PUT" and "/daily-" in asked.key else None
    made = away.run_daily(tmp_path, url, DAY)
    assert [(outcome.folder, outcome.state) for outcome in made.outcomes] == [("lost", "unusable")]
    assert (made.exit_code, made.page) == (3, None)
    assert f"access to {url}/daily-{DAY}.html is denied" in made.problem


# --- notices about packets in a storage ---

LATER = "2026-02-01"


class Told:
    """Takes the place of apprise: what was delivered, by address. `meanwhile` happens at a delivery; refused: addresses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, server: Storage, bucket: str, folder: Path) -> None:
        self.got: list[tuple[str, str, str]] = []
        self.refused: set[str] = set()
        self.meanwhile: Callable[[], object] = lambda: None
        self.server, self.bucket, self.near = server, bucket, folder / "packets"
        self.source = settings_file(folder, "json://h/1", "xml://h/2")
        monkeypatch.setattr(notices, "deliver", self.deliver)

    def deliver(self, address: str, title: str, text: str, seconds: float) -> str:
        self.meanwhile()
        if address in self.refused:
            return "it was refused"
        self.got.append((address, title, text))
        return ""

    def packet(self, account: str, rows: list[dict[str, Any]], day: str = DAY) -> account_job.Outcome:
        """A packet in the storage, and the outcome of the run that made it: its path is that of a copy that has gone."""
        place = packet(self.near, account, rows, day)
        self.server.upload(place, self.bucket, f"out/{account}/{day}")
        return good(account, Path("/gone/out") / account / day)

    def tell(self, *outcomes: account_job.Outcome, day: str = DAY) -> notices.Report:
        self.got.clear()
        run = replace(done(Path(), *outcomes, day=day), page=f"s3://{self.bucket}/out/daily-{day}.html")
        return notices.tell(self.source, f"s3://{self.bucket}/out", run if outcomes else None, now=NOW)

    def memory(self) -> Any:
        return json.loads(self.server.get(f"/{self.bucket}/out/{notice_memory.NAME}"))["told"]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, server: Storage, bucket: str, tmp_path: Path) -> Told:
    return Told(monkeypatch, server, bucket, tmp_path)


def test_packets_in_a_storage_are_told_once_to_each_receiver(
    told: Told, server: Storage, bucket: str, tmp_path: Path
) -> None:
    told.refused = {"xml://h/2"}
    first = told.tell(told.packet("a", [row(1), overdue(2)]), bad("b"))
    assert (first.news, first.told, first.exit_code) == (3, ("json 1",), 3)
    assert first.problems == ("xml 1 was not told: it was refused; the next run tries again",)
    assert told.got == [(
        "json://h/1",
        f"Reconciliation {DAY}: 1 account was not done, 1 claim runs out soon, 1 Amazon Pay item is overdue",
        "b\n- the run failed\n\n"
        "a\n- 1 claim runs out within 14 days, the first on 2026-02-05\n- 1 Amazon Pay item is overdue\n"
        f"s3://{bucket}/out/a/{DAY}/packet.html\n\nAll accounts: s3://{bucket}/out/daily-{DAY}.html",
    )]  # fmt: skip
    known = {"packet a": {"deadline f1": DAY, "overdue f2": DAY}, "run b": {"failed": DAY}}
    assert told.memory() == {"json 1": known}
    # the next run tells the other one alone, then nobody
    told.refused = set()
    same = (good("a", Path("/gone/out/a") / DAY), bad("b"))
    again = told.tell(*same)
    assert (again.told, again.problems, again.exit_code) == (("xml 1",), (), 0)
    assert told.memory() == {"json 1": known, "xml 1": known}
    server.asked.clear()
    assert told.tell(*same) == notices.Report()
    assert server.wrote(notice_memory.NAME) == []
    # what is over is forgotten; one more claim the next day is told alone, with the link that people use
    Path(told.source).write_text(Path(told.source).read_text() + "link: https://books.example/p\n")
    third = told.tell(
        told.packet("a", [row(1), row(3)], LATER), good("b", told.packet("b", []).packets[0].path), day=LATER
    )
    assert (third.news, third.told) == (1, ("json 1", "xml 1"))
    assert told.got[0][2].endswith(
        f"\nhttps://books.example/p/a/{LATER}/packet.html\n\nAll accounts: https://books.example/p/daily-{LATER}.html"
    )
    assert told.memory()["xml 1"] == {"packet a": {"deadline f1": DAY, "deadline f3": LATER}}
    # a run of the day before speaks of the past
    assert told.tell(told.packet("a", [row(8)]), bad("a")) == notices.Report()
    # a packet that is gone or broken is told, the other account too
    server.send("DELETE", f"/{bucket}/out/a/{LATER}/findings.parquet")
    assert told.tell(good("a", Path(LATER)), told.packet("b", [row(4)]), day=LATER).news == 2
    assert told.got[0][2].startswith("a\n- its packet cannot be read\n\nb\n- 1 claim runs out")
    assert not any(str(tmp_path) in str(asked.body) for asked in server.asked)


def test_a_damaged_memory_in_a_storage_is_reported_kept_and_told_again(
    told: Told, server: Storage, bucket: str
) -> None:
    run = told.packet("a", [row(1)])
    told.tell(run)
    known = told.memory()
    server.put(f"/{bucket}/out/{notice_memory.NAME}", b'{"form": 1')
    again = told.tell(run)
    assert (again.told, again.exit_code) == (("json 1", "xml 1"), 0)
    assert again.problems == (
        ".notices.json is damaged or cannot be read: what still holds is told again; the file is kept as .notices.damaged.json",
    )
    assert server.get(f"/{bucket}/out/{notice_memory.DAMAGED}") == b'{"form": 1'
    assert told.memory() == known
    assert told.tell(run) == notices.Report()


def test_runs_at_once_tell_once_in_a_storage(told: Told, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = told.packet("a", [row(1)])
    place = f"s3://{bucket}/out"
    reports: list[notices.Report] = []
    told.meanwhile = lambda: time.sleep(0.1)

    def tell() -> None:
        reports.append(notices.tell(told.source, place, done(Path(), run), now=NOW))

    threads = [threading.Thread(target=tell) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [address for address, _, _ in told.got] == ["json://h/1", "xml://h/2"]
    assert sorted(report.told for report in reports) == [(), (), ("json 1", "xml 1")]
    assert [report.problems for report in reports] == [(), (), ()]
    # one that holds on for too long is told, and nobody else
    monkeypatch.setattr(notices, "PATIENCE", 0)
    with lease.held(Cloud(f"{place}/.notices"), "", 60):
        late = told.tell(bad("a"))
    assert (late.told, late.exit_code, told.got) == ((), 3, [])
    assert late.problems[0].startswith("another run is telling\n")
    assert told.tell(bad("a")).told == ("json 1", "xml 1")


def test_a_memory_that_another_run_wrote_is_never_overwritten(told: Told, server: Storage, bucket: str) -> None:
    run, memory = told.packet("a", [row(1)]), f"/{bucket}/out/{notice_memory.NAME}"
    told.meanwhile = lambda: server.put(memory, b"of another run")
    met = told.tell(run)
    assert (met.told, met.exit_code, server.get(memory)) == (("json 1", "xml 1"), 3, b"of another run")
    (problem,) = met.problems
    assert (
        problem == ".notices.json cannot be written (another run wrote it meanwhile): what was told now is told again"
    )
    # a run that slept past its lease tells nobody else, and notes nothing
    server.send("DELETE", memory)
    told.meanwhile = lambda: server.put(f"/{bucket}/out/.notices/.lock", b'{"lasts": 60, "run": "x", "token": "y"}')
    met = told.tell(run)
    assert (met.told, met.exit_code) == (("json 1",), 3)
    assert met.problems[0].startswith(f"xml 1 was not told: the lease s3://{bucket}/out/.notices/.lock was not renewed")
    assert memory.partition("/out/")[2] not in there(server, bucket)


def test_a_storage_that_refuses_does_not_keep_what_went_wrong_from_people(
    told: Told, server: Storage, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = told.packet("a", [row(1)])
    server.disturb = lambda asked: DENIED
    for _ in range(2):
        met = told.tell(run, bad("b"))
        assert (met.news, met.told, met.exit_code) == (1, ("json 1", "xml 1"), 3)
        assert told.got[0][2] == f"b\n- the run failed\n\nAll accounts: s3://{bucket}/out/daily-{DAY}.html"
        assert met.problems[0].startswith(
            "no packet and no .notices.json could be looked at, only runs that went wrong are told: "
        )
        assert "is denied (AccessDenied)" in met.problems[0]
        assert ".notices.json cannot be written" in met.problems[1]
    assert told.tell().told == ("json 1", "xml 1")
    assert told.got[0][1] == "Reconciliation 2026-02-01: 1 account was not done"
    assert told.tell(run).told == ()  # but the run says that it could not look
    server.disturb = lambda asked: None
    assert told.tell(run, bad("b")).news == 2
    # an address that is none, with a password in it
    monkeypatch.setattr(told, "bucket", "user:hidden@host")
    met = told.tell()
    assert met.told == ("json 1", "xml 1")
    assert "is no place in a storage" in met.problems[0]
    assert "hidden" not in str(met) + str(told.got)
