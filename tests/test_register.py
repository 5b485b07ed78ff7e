"""Decisions of people: nothing lost, nothing changed unseen, nothing claimed twice, every past day as it was."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from recon_lib import manifest
from recon_lib.decisions import KINDS
from recon_lib.errors import UsageError
from recon_lib.reconcile import reconcile
from recon_lib.register import NAME, Register, open_register
from tests.bookmaker import books, day, event, reimbursed

LOST, OTHER = "warehouse_lost-00000000000000a1", "refund_without_return-00000000000000b2"
ZONE = "America/Los_Angeles"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return open_register(tmp_path, ZONE)


def say(register: Register, kind: str, at: str, finding: str = LOST, **more: str) -> None:
    register.record(kind, who="Ann", note=f"{kind}!", finding_id=finding, at=at, now=NOW, **more)


def stands(register: Register, on: str, finding: str = LOST, paid: pl.LazyFrame | None = None) -> dict:
    rows = register.state(day(on), paid).filter(finding_id=finding).to_dicts()
    return rows[0] if rows else {}


def test_a_case_goes_its_way_and_every_past_day_stays_as_it_was(register: Register) -> None:
    say(register, "opened", "2026-01-05", case_id="77001")
    say(register, "answered", "2026-01-06")
    say(register, "refused", "2026-01-10")
    say(register, "appealed", "2026-01-12", case_id="77002")
    say(register, "closed", "2026-02-01")
    told = {on: (s.get("decision"), s.get("stage"), s.get("case_id")) for on in
            ("2026-01-04", "2026-01-05", "2026-01-06", "2026-01-11", "2026-01-31", "2026-02-01") if (s := stands(register, on)) or True}  # fmt: skip
    assert told == {
        "2026-01-04": (None, None, None),
        "2026-01-05": ("claimed", "opened", "77001"),
        "2026-01-06": ("claimed", "answered", "77001"),
        "2026-01-11": ("claimed", "refused", "77001"),
        "2026-01-31": ("claimed", "appealed", "77002"),
        "2026-02-01": (None, "closed", "77002"),
    }
    assert stands(register, "2026-01-31")["opened_on"] == date(2026, 1, 5)
    assert "case 77002 appealed on 2026-01-12 by Ann: appealed!" in stands(register, "2026-01-31")["note"]
    say(register, "opened", "2026-02-02", case_id="77003")  # after closing, a person may claim again
    assert stands(register, "2026-02-02")["case_id"] == "77003"
    assert register.verify() == []


def test_a_decision_counts_from_its_day_in_the_accounts_zone(register: Register) -> None:
    say(register, "accepted", "2026-02-01T07:59:00+00:00")  # 23:59 on 31 January in Los Angeles
    say(register, "accepted", "2026-02-01T08:00:00+00:00", OTHER)
    assert stands(register, "2026-01-31")["decision"] == "accepted"
    assert stands(register, "2026-01-31", OTHER) == {}
    assert stands(register, "2026-02-01", OTHER)["said_on"] == date(2026, 2, 1)


def test_a_finding_is_never_claimed_twice(register: Register) -> None:
    say(register, "opened", "2026-01-05", case_id="77001")
    for later in ("answered", "refused", "appealed"):
        with pytest.raises(UsageError, match=r"has a case already \(77001\).*One event is claimed once"):
            say(register, "opened", "2026-01-20", case_id="77009")
        say(register, later, "2026-01-06")
    say(register, "paid", "2026-01-07", amount="7.20", currency="USD")
    with pytest.raises(UsageError, match="has a case already"):
        say(register, "opened", "2026-01-20")
    assert len(register.events()) == 5
    say(register, "opened", "2026-01-20", OTHER)


@pytest.mark.parametrize("kind", ["answered", "paid", "refused", "appealed", "closed"])
def test_without_a_case_there_is_nothing_to_answer(register: Register, kind: str) -> None:
    with pytest.raises(UsageError, match="no open case|nothing to close"):
        say(register, kind, "2026-01-05", amount="1.00", currency="USD")
    assert register.events() == []


def test_an_accepted_difference_is_not_claimed_until_it_is_taken_back(register: Register) -> None:
    say(register, "accepted", "2026-01-05")
    assert stands(register, "2026-01-05")["note"] == "accepted on 2026-01-05 by Ann: accepted!"
    with pytest.raises(UsageError, match="was accepted"):
        say(register, "opened", "2026-01-06")
    say(register, "closed", "2026-01-07")
    assert stands(register, "2026-01-07")["decision"] is None
    say(register, "opened", "2026-01-08")


def test_amazon_is_asked_again_after_48_hours_without_an_answer(register: Register) -> None:
    say(register, "opened", "2026-01-05T10:00:00-08:00")
    assert (stands(register, "2026-01-06")["is_due"], stands(register, "2026-01-06")["follow_up_on"]) == (False, date(2026, 1, 7))  # fmt: skip
    assert stands(register, "2026-01-07")["is_due"]
    assert "no answer since 48 hours" in stands(register, "2026-01-07")["note"]
    say(register, "answered", "2026-01-08")
    assert not stands(register, "2026-01-09")["is_due"]
    assert stands(register, "2026-01-07")["is_due"]  # the past stays


def payments(*rows: dict) -> pl.LazyFrame:
    return books("2026-02-28", reimbursements=list(rows)).frames["reimbursements"]


def test_the_reimbursement_report_closes_the_loop_by_the_case_number(register: Register) -> None:
    say(register, "opened", "2026-01-05", case_id=" 77001")
    say(register, "refused", "2026-01-06")
    paid = payments(
        reimbursed("2026-01-20", "Lost_Warehouse", 2, "7.20", case_id="77001 "),
        reimbursed("2026-01-22", "Lost_Warehouse", 1, "5.00", case_id="77001"),
        reimbursed("2026-01-23", "Lost_Warehouse", 1, "9.00", case_id="077001"),
        reimbursed("2026-01-23", "Lost_Warehouse", 1, "9.00"),
    )
    now = stands(register, "2026-01-31", paid=paid)
    assert (now["stage"], now["paid_on"], now["paid_amount"], now["currency"]) == ("paid", date(2026, 1, 20), Decimal("19.40"), "USD")  # fmt: skip
    assert "paid 19.40 USD on 2026-01-20 by the reimbursement report" in now["note"]
    assert now["decision"] == "claimed"  # until a person closes it: what is left is no new claim by itself


def test_a_payment_taken_back_is_no_payment(register: Register) -> None:
    say(register, "opened", "2026-01-05", case_id="1")
    back = {"amount_total": Decimal("-7.20"), "case_id": "1"}
    paid = payments(reimbursed("2026-01-20", "Lost_Warehouse", 1, "7.20", case_id="1"), reimbursed("2026-01-25", "Reimbursement_Reversal") | back)  # fmt: skip
    assert (stands(register, "2026-01-31", paid=paid)["stage"], stands(register, "2026-01-31", paid=paid)["paid_on"]) == ("opened", None)  # fmt: skip


@pytest.mark.parametrize(
    ("amount", "currency", "right"),
    [("13.555", "EUR", False), ("12.5", "JPY", False), ("1.255", "KWD", True), ("5.00", "JPY", True)],
)
def test_a_payment_has_no_more_digits_than_its_currency(
    register: Register, amount: str, currency: str, right: bool
) -> None:
    say(register, "opened", "2026-01-05")
    if right:
        say(register, "paid", "2026-01-20", amount=amount, currency=currency)
    else:
        with pytest.raises(UsageError, match=f"{amount} {currency} is no amount"):
            say(register, "paid", "2026-01-20", amount=amount, currency=currency)


def test_a_decision_is_told_by_the_day_of_the_account(tmp_path: Path) -> None:
    # 23:30 UTC is half past midnight of the next day in Berlin, where `case list` tells it too
    register = Register(tmp_path / "register.sqlite", "Europe/Berlin")
    say(register, "opened", "2026-01-05T23:30:00+00:00")
    (event,) = register.events()
    assert event.told(register.zone).endswith("by Ann, 2026-01-06)")
    assert str(register.state(date(2026, 1, 31))["said_on"][0]) == "2026-01-06"


def test_what_a_person_recorded_as_paid_is_said_to_be_in_no_report_yet(register: Register) -> None:
    say(register, "opened", "2026-01-05")
    say(register, "paid", "2026-01-20", amount="7.2", currency="USD", case_id="9")
    now = stands(register, "2026-01-31", paid=payments())
    assert (now["stage"], now["paid_amount"], now["case_id"]) == ("paid", Decimal("7.20"), "9")
    assert "in no reimbursement report yet" in now["note"]


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "won"}, {"who": " "}, {"note": ""}, {"note": "x" * 2001}, {"note": "a\x00b"}, {"finding_id": None}, {"packet": "2026-01-31"},
     {"kind": "reviewed"}, {"kind": "paid"}, {"amount": "-1", "currency": "USD"}, {"amount": "1.00"}, {"amount": "NaN", "currency": "USD"},
     {"amount": "1e30", "currency": "USD"}, {"amount": "0.00001", "currency": "USD"}, {"at": "soon"}, {"at": "2026-03-02"}, {"who": "a\u202eb"}],
)  # fmt: skip
def test_what_is_no_decision_is_refused_and_not_written(register: Register, wrong: dict) -> None:
    with pytest.raises(UsageError):
        register.record(**{"kind": "opened", "who": "Ann", "note": "why", "finding_id": LOST, "now": NOW} | wrong)
    assert not register.path.exists()


def test_a_decision_is_not_put_before_the_last_word(register: Register) -> None:
    say(register, "opened", "2026-01-05T18:00:00-08:00")
    say(register, "answered", "2026-01-05")  # a day alone is never too early on that very day
    with pytest.raises(UsageError, match="before the last word"):
        say(register, "refused", "2026-01-04")


def test_four_people_at_once_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from recon_lib.register import open_register\n"
        "r = open_register(sys.argv[1])\n"
        "for i in range(25): r.record('accepted', who=sys.argv[2], note='n', finding_id=f'warehouse_lost-{sys.argv[2]}{i:08d}')"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), f"p{n}"]) for n in range(4)]
    assert [run.wait() for run in runs] == [0] * 4
    register = open_register(tmp_path)
    found = register.events()
    assert len(found) == 100
    assert sorted(event.seq for event in found) == list(range(1, 101))
    assert {event.who for event in found} == {"p0", "p1", "p2", "p3"}
    assert register.verify() == []


def five(register: Register) -> None:
    for n in range(1, 6):
        say(register, "accepted", f"2026-01-0{n}", f"warehouse_lost-{n:016x}")


def break_in(register: Register, *statements: str) -> None:
    base = sqlite3.connect(register.path)
    for name in ("events_never_change", "events_never_vanish", "events_only_follow"):
        base.execute(f"DROP TRIGGER {name}")
    guards = Register(register.path.with_name("other.sqlite"))
    guards.record("accepted", who="x", note="x", finding_id="x-1")
    made = sqlite3.connect(guards.path).execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for statement in statements:
        base.execute(statement)
    for (sql,) in made:  # the intruder puts the guards back
        base.execute(sql)
    base.commit()
    base.close()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE events SET note = 'fine' WHERE seq = 3", ["event 3 (accepted warehouse_lost-0000000000000003 by Ann, 2026-01-03) was changed"]),
        ("UPDATE events SET amount = '9.99' WHERE seq = 5", ["event 5 (accepted"]),
        ("UPDATE events SET note = x'00ff' WHERE seq = 3", ["event 3 (accepted warehouse_lost-0000000000000003 by Ann, 2026-01-03) was changed"]),
        ("UPDATE events SET at = x'00ff' WHERE seq = 3", ["event 3 (accepted"]),
        ("DELETE FROM events WHERE seq = 2", ["event 2 is missing"]),
        ("DELETE FROM events WHERE seq IN (2, 3)", ["events 2 to 3 are missing"]),
        ("DELETE FROM events WHERE seq > 3", ["events 4 to 5 at the end are missing"]),
        ("UPDATE events SET hash = 'f00' WHERE seq = 4", ["event 4 (accepted", "event 5 (accepted"]),
        ("UPDATE events SET seq = 9 WHERE seq = 5", ["events 5 to 8 are missing", "event 9"]),
    ],
)  # fmt: skip
def test_what_was_changed_behind_our_back_is_found_and_named(register: Register, statement: str, told: list[str]) -> None:  # fmt: skip
    five(register)
    assert register.verify() == []
    break_in(register, statement)
    found = register.verify()
    assert len(found) == len(told), found
    assert all(problem.startswith(start) for problem, start in zip(found, told, strict=True)), found


def test_a_chain_made_anew_shows_against_what_was_noted_elsewhere(register: Register, tmp_path: Path) -> None:
    five(register)
    noted = register.events()[2]
    other = open_register(tmp_path / "forged.sqlite", ZONE)
    for n in range(1, 6):
        other.record(
            "accepted", who="Eve", note="fine", finding_id=f"warehouse_lost-{n:016x}", at=f"2026-01-0{n}", now=NOW
        )
    assert other.verify() == []
    (problem,) = other.verify([("2026-01-31", noted.seq, noted.hash)])
    assert "by Eve, 2026-01-03) is not the one noted in 2026-01-31" in problem
    assert register.verify([("2026-01-31", noted.seq, noted.hash)]) == []
    assert register.verify([("a", 6, noted.hash)]) == ["event 6, noted in a, is missing"]


@pytest.mark.parametrize("statement", ["UPDATE events SET note = 'x'", "DELETE FROM events", "REPLACE INTO events SELECT 1, at, recorded_at, kind, who, 'x', finding_id, case_id, amount, currency, packet, prev, hash FROM events WHERE seq = 1"])  # fmt: skip
def test_the_register_itself_refuses_changes(register: Register, statement: str) -> None:
    five(register)
    with pytest.raises(sqlite3.IntegrityError, match="never|follows"):
        sqlite3.connect(register.path).execute(statement)


def test_missing_guards_and_a_file_that_is_no_register_are_named(register: Register, tmp_path: Path) -> None:
    five(register)
    base = sqlite3.connect(register.path)
    base.execute("DROP TRIGGER events_never_vanish")
    base.commit()
    assert register.verify() == ["the guard events_never_vanish against changes is gone"]
    (tmp_path / "odd.sqlite").write_text("no database at all, but long enough to be looked into" * 20)
    (problem,) = open_register(tmp_path / "odd.sqlite").verify()
    assert problem == "cannot be read: file is not a database"  # once, without what to do: who asks tells that
    assert open_register(tmp_path / "none.sqlite").verify() == []
    assert not (tmp_path / "none.sqlite").exists()


def test_export_and_import_are_a_round_trip(register: Register, tmp_path: Path) -> None:
    five(register)
    register.record("accepted", who="=cmd", note='\'tis +1, "quoted"\n-and more', finding_id=OTHER, now=NOW)
    out = tmp_path / "decisions.csv"
    assert register.export_csv(out) == 6
    assert "'=cmd" in out.read_text()
    copy = open_register(tmp_path / "copy.sqlite", ZONE)
    assert (copy.import_csv(out), copy.import_csv(out)) == (6, 0)
    assert copy.events() == register.events()
    assert copy.verify() == []
    say(register, "closed", "2026-03-01", OTHER)
    register.export_csv(out)
    assert copy.import_csv(out) == 1
    say(copy, "accepted", "2026-03-01", OTHER)
    register.record("accepted", who="Bob", note="other", finding_id=OTHER, now=NOW)
    register.export_csv(out)
    with pytest.raises(UsageError, match=r"event 8 .*by Bob.* differs from event 8 .*by Ann"):
        copy.import_csv(out)
    changed = out.read_text().replace("accepted!", "fine", 1)
    out.write_text(changed)
    with pytest.raises(UsageError, match="event 1 .* was changed after it was recorded"):
        open_register(tmp_path / "third.sqlite").import_csv(out)
    out.write_text("a,b\n")
    with pytest.raises(UsageError, match="no exported register"):
        copy.import_csv(out)


def test_the_view_is_the_last_word_on_every_finding(register: Register) -> None:
    say(register, "opened", "2026-01-05")
    say(register, "answered", "2026-01-06")
    say(register, "accepted", "2026-01-04", OTHER)
    rows = sqlite3.connect(register.path).execute("SELECT finding_id, kind FROM current_state ORDER BY seq").fetchall()
    assert rows == [(LOST, "answered"), (OTHER, "accepted")]


def account(tmp_path: Path) -> Path:
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "account.yml").write_text("account: test\nmarketplace: US\ncurrency: USD\n")
    return tmp_path


def lost_day(folder: Path, on: str = "2026-01-31"):
    from dataclasses import replace

    made = books(on, ledger_detail=[event("2025-12-10", -2), event("2025-12-12", -1, fnsku="X2")],
                 reimbursements=[reimbursed("2026-01-02", "Lost_Warehouse", fnsku="X9") | {"period": ("2025-12-01", "2026-03-31")}])  # fmt: skip
    return reconcile(replace(made, folder=folder))


def lost(day) -> pl.DataFrame:
    return day.findings.filter(audit="warehouse_lost")


def test_a_packet_shows_decisions_and_a_new_decision_is_a_new_input(tmp_path: Path) -> None:
    folder = account(tmp_path)
    before = lost_day(folder)
    assert lost(before)["status"].to_list() == ["claimable", "claimable"]
    manifest.draft(before, tmp_path)
    plain = manifest.read(tmp_path)
    assert [row["path"] for row in plain["inputs"] if row["family"] == "register"] == []
    first, second = lost(before)["finding_id"].to_list()
    register = open_register(folder, ZONE)
    say(register, "opened", "2026-01-30", first, case_id="1")
    say(register, "accepted", "2026-02-01", second)
    now = lost_day(folder)
    assert now.findings.filter(finding_id=first)["status"].to_list() == ["claimed"]
    assert "case 1 opened on 2026-01-30 by Ann: opened!" in now.findings.filter(finding_id=first)["reason"].item()
    assert now.findings.filter(finding_id=second)["status"].to_list() == ["claimable"]  # accepted the day after
    assert lost_day(folder, "2026-02-01").findings.filter(finding_id=second)["status"].to_list() == ["accepted"]
    assert lost(lost_day(folder, "2026-01-29"))["status"].to_list() == ["claimable", "claimable"]
    manifest.draft(now, tmp_path)
    decided = manifest.read(tmp_path)
    assert not manifest.same(plain, decided)
    assert manifest.changes(plain, decided)["added"] == ["register.sqlite"]
    (row,) = [row for row in decided["inputs"] if row["family"] == "register"]
    assert (row["rows_total"], row["last_event"], row["last_hash"]) == (1, 1, register.events()[0].hash)
    register.record("reviewed", who="Bob", note="signed", packet="2026-01-31", at="2026-01-31", now=NOW)
    manifest.draft(lost_day(folder), tmp_path)
    assert manifest.same(decided, manifest.read(tmp_path))  # a signature is no reason to make the packet anew


def test_a_tampered_register_stops_the_day_and_is_named(tmp_path: Path) -> None:
    register = open_register(account(tmp_path), ZONE)
    five(register)
    break_in(register, "UPDATE events SET who = 'nobody' WHERE seq = 2")
    with pytest.raises(UsageError, match=rf"{NAME}: event 2 .*was changed after it was recorded"):
        lost_day(tmp_path)


def test_every_kind_has_its_words() -> None:
    assert set(KINDS) == {"opened", "answered", "paid", "refused", "appealed", "closed", "accepted", "reviewed"}


def run(*words: str) -> int:
    from recon_lib.__main__ import main

    return main(["case", *words])


def test_the_commands_record_list_verify_and_hand_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = account(tmp_path / "a"), tmp_path / "out"
    packet = out / "test" / "2026-01-31"
    packet.mkdir(parents=True)
    (packet / "findings.csv").write_text(f"finding_id,audit\n{LOST},warehouse_lost\n{OTHER},refund_without_return\n")
    (packet / "manifest.json").write_text("{}")
    where = ["--out", str(out), "--who", "Ann", "--note", "why"]
    assert run("open", str(folder), LOST, *where, "--case", "77", "--at", "2026-01-20") == 0
    assert "event 1 (opened warehouse_lost-00000000000000a1, case 77 by Ann, 2026-01-20)" in capsys.readouterr().out
    assert run("open", str(folder), LOST, *where) == 2
    assert "One event is claimed once" in capsys.readouterr().err
    assert run("accept", str(folder), OTHER.replace("b2", "b3"), *where) == 2  # a typing error cannot be taken back
    assert "no packet in" in capsys.readouterr().err
    assert run("open", str(folder), "nonsense", *where) == 2
    assert run("paid", str(folder), LOST, *where, "--amount", "7.20", "--at", "2026-01-25") == 0
    assert run("refuse", str(folder), OTHER, *where) == 2
    assert run("review", str(folder), "2026-01-31", "--who", "Bob", "--out", str(out)) == 0
    assert (
        "(reviewed 2026-01-31 sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a by Bob"
        in capsys.readouterr().out
    )
    assert run("review", str(folder), "2026-01-30", "--who", "Bob", "--out", str(out)) == 2
    assert run("verify", str(folder), "--out", str(out)) == 0
    capsys.readouterr()
    assert run("list", str(folder), "--date", "2026-01-31") == 1
    told = capsys.readouterr().out
    assert (
        "case 77 paid on 2026-01-25 by Ann: why (opened on 2026-01-20); paid 7.20 USD on 2026-01-25 as recorded, in no reimbursement report yet"
        in told
    )
    assert "1 claimed, 0 accepted, 0 to ask again" in told
    assert run("export", str(folder), str(tmp_path / "d.csv")) == 0
    other = account(tmp_path / "b")
    assert run("import", str(other), str(tmp_path / "d.csv")) == 0
    assert open_register(other).events() == open_register(folder).events()
    (packet / "manifest.json").write_text('{"inputs": [{"family": "register", "last_event": 1, "last_hash": "f00"}]}')
    assert run("verify", str(folder), "--out", str(out)) == 2
    assert "is not the one noted in packet 2026-01-31" in capsys.readouterr().err
