"""The power fails between two steps of publishing or recording: every state that the disk may be in is tried."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recon_lib import publish, running, unchanged, warm
from recon_lib.account_job import Job, Outcome, run_account
from recon_lib.register import NAME, open_register
from recon_lib.register_copy import copy_of, kept
from tests.faults import DAY, ROOT, account, half, visible
from tests.power import KINDS, Disk, laid_out

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


class Ran:
    def page(self, facts: dict[str, Any]) -> bytes:
        return json.dumps(facts, sort_keys=True, default=str).encode()


def notebook(path: Path, parameters: dict[str, str], *_: object) -> Ran:
    """In place of the notebook's run: the files of a packet, from the books alone."""
    out, books = Path(parameters["out"]), Path(parameters["account_folder"]) / "books" / "pay_activity.csv"
    digest = hashlib.sha256(books.read_bytes()).hexdigest()
    for name in ("findings.csv", "history.csv", "journal.csv", "rollforward.csv"):
        (out / name).write_text(f"{name} of {parameters['as_of']} from {digest}\n" * 50)
    packet = {"account": "faulty", "marketplace": "US", "as_of": parameters["as_of"]}
    answer = {"exit_code": 1, "findings": {"open": 1}, "owed": {}}
    told = {"packet": packet, "answer": answer, "inputs": [{"path": "books/pay_activity.csv", "sha256": digest}]}
    (out / "manifest.json").write_text(json.dumps(told))
    return Ran()


def without_kernel(patch: pytest.MonkeyPatch) -> None:
    """Packets in hundredths of a second: no kernel, and the kit, which does not change here, is not hashed."""
    real = unchanged._files
    patch.setattr(running, "run_notebook", notebook)
    patch.setattr(warm, "keep", lambda root: None)
    patch.setattr(unchanged, "_code", lambda place: b"")  # its answer is kept, and is not for other tests
    patch.setattr(unchanged, "_files", lambda place: () if ROOT in place.parents else real(place))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    without_kernel(monkeypatch)


def run(folder: Path, out: Path, day: str = DAY, *, catch_up: bool = False) -> Outcome:
    return run_account(Job(folder, out, day, catch_up, NOW))


@pytest.mark.parametrize("before", [False, True], ids=["the first packet", "a packet after others"])
def test_the_power_fails_while_a_packet_is_published(tmp_path: Path, before: bool) -> None:
    folder, out = account(tmp_path / "account"), tmp_path / "disk" / "out"
    out.mkdir(parents=True)
    if before:
        assert run(folder, out, "2026-01-29").state == "published"
    disk = Disk(out.parent)
    with disk.watched():
        assert run(folder, out, catch_up=True).state == "published"
    hoped = visible(out)
    assert {name.split("/")[1] for name in hoped if name.count("/") > 1} >= {DAY}
    assert disk.moments > 12
    tried = 0
    for kind in KINDS:
        assert len(disk.states[kind]) > 1
        for number, state in enumerate(disk.states[kind]):
            place = laid_out(state, tmp_path / f"{kind}-{number}") / "out"
            assert half(place / "faulty") == [], (kind, number)
            done = run(folder, place, catch_up=True)
            assert done.exit_code == 1, (kind, number, done.message)
            assert visible(place) == hoped, (kind, number)
            assert number or run(folder, place, catch_up=True).state == "unchanged"
            tried += 1
    assert tried > 20


def test_what_is_said_to_be_published_is_sure(tmp_path: Path) -> None:
    """The line of the packet is printed after the last sync: a power loss then takes nothing away."""
    folder, out = account(tmp_path / "account"), tmp_path / "disk" / "out"
    out.mkdir(parents=True)
    disk = Disk(out.parent)
    with disk.watched():
        run(folder, out)
    last = laid_out(disk.states["sure"][-1], tmp_path / "after") / "out"
    assert visible(last) == visible(out)
    assert publish.days(last / "faulty") == [DAY]


def test_the_power_fails_while_a_decision_is_copied(tmp_path: Path) -> None:
    """SQLite keeps its own promise (WAL, synchronous FULL); the copy never makes a whole register look damaged."""
    folder = account(tmp_path / "disk")
    register = open_register(folder)

    def say(n: int) -> None:
        register.record("accepted", who="Ann", note=f"{n}", finding_id=f"warehouse_lost-{n:016x}", now=NOW)

    say(1)
    disk = Disk(folder)
    with disk.watched():
        say(2)
        say(3)
    events = register.events()
    assert disk.moments > 2
    for kind in KINDS:
        for number, state in enumerate(disk.states[kind]):
            place = laid_out({**state, NAME: (folder / NAME).read_bytes()}, tmp_path / f"{kind}-{number}")
            for beside in ("-wal", "-shm"):
                (place / f"{NAME}{beside}").unlink(missing_ok=True)
            found = open_register(place)
            assert (found.events(), found.verify()) == (events, [])
            found.record("accepted", who="Bob", note="later", finding_id="warehouse_lost-00000000000000ff", now=NOW)
            assert kept(place / NAME) == found.events()
    assert kept(laid_out(disk.states["sure"][-1], tmp_path / "sure") / NAME) == events
    assert copy_of(folder / NAME).is_file()
