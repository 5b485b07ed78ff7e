"""Notices: told once to each receiver, by a real HTTP server; no order, no amount and no address where it must not be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_lib import notice_memory, notice_settings, notice_words, notices, telling
from recon_lib.__main__ import main
from recon_lib.account_job import Outcome
from recon_lib.daily import Round
from recon_lib.errors import UsageError
from recon_lib.notice_facts import Fact, Seen, is_past, of_packet
from recon_lib.packet import PacketResult
from tests.pages import ROOT
from tests.test_daily import make

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
SECRET = "tok3n-Zyx"
COLUMNS = {
    "finding_id": pl.String, "audit": pl.String, "status": pl.String, "claim_by": pl.Date, "order_id": pl.String,
    "reference_id": pl.String, "sku": pl.String, "owed": pl.Decimal(38, 4), "currency": pl.String, "reason": pl.String,
}  # fmt: skip


class Server(ThreadingHTTPServer):
    """Takes what apprise's json:// sends. `mode`: ok, refuse (500), drip (an answer that never ends)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mode, self.got, self.paths = "ok", [], []  # type: ignore[var-annotated]

    def address(self, more: str = "") -> str:
        return f"json://127.0.0.1:{self.server_port}/{SECRET}{more}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.paths.append(self.path)
        if self.server.mode == "refuse":
            self.send_error(500)
            return
        self.send_response(200)
        self.end_headers()
        if self.server.mode == "drip":
            with suppress(OSError):  # until the one that asked has gone
                while self.server.mode == "drip":
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.1)
            return
        self.server.got.append((body["title"], body["message"]))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.mode = "ok"
    made.shutdown()
    made.server_close()
    thread.join()


def row(n: int, **other: Any) -> dict[str, Any]:
    """A claim about order ORDER-n that runs out on 5 February 2026, worth 12.00 USD."""
    plain = {
        "finding_id": f"f{n}", "audit": "warehouse_lost", "status": "claimable", "claim_by": date(2026, 2, 5),
        "order_id": f"ORDER-{n}", "reference_id": None, "sku": f"SKU-{n}", "owed": Decimal("12.00"), "currency": "USD",
        "reason": None,
    }  # fmt: skip
    return plain | other


def overdue(n: int) -> dict[str, Any]:
    return row(n, audit="pay_overdue", status="open", claim_by=None)


def packet(
    out: Path, account: str, rows: list[dict[str, Any]], day: str = "2026-01-31", absent: tuple[str, ...] = ()
) -> Path:
    place = out / account / day
    place.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows, schema=COLUMNS).write_parquet(place / "findings.parquet")
    gone = [
        {"audit": "a", "subject": name, "reason": "no such report in the account folder", "count": None}
        for name in absent
    ]
    (place / "manifest.json").write_text(json.dumps({"packet": {"as_of": day}, "not_checked": gone}))
    return place


def done(out: Path, *outcomes: Outcome, day: str = "2026-01-31") -> Round:
    return Round(outcomes, day, out / f"daily-{day}.html")


def good(account: str, place: Path, state: str = "published") -> Outcome:
    return Outcome(account, account, place.name, state, 1, (PacketResult(place, 1),))


def bad(account: str, state: str = "failed", day: str = "2026-01-31") -> Outcome:
    return Outcome(account, account, day, state, 3)


def settings_file(folder: Path, *addresses: str, more: str = "") -> str:
    place = folder / "notify.yml"
    place.write_text("to:\n" + "".join(f"  - {address}\n" for address in addresses) + more)
    return str(place)


# --- what there is to tell ---


def test_a_hole_that_findings_and_the_packet_name_is_told_once(tmp_path: Path) -> None:
    told = "report missing: customer returns 2026-01-10 to 2026-01-31"
    place = packet(tmp_path, "a", [row(1, status="waiting", reason=told)])
    gone = [
        {"audit": audit, "subject": subject, "reason": reason, "count": None}
        for audit, subject, reason in (
            ("one", "customer_returns", told), ("two", "customer_returns", told),
            ("pay_overdue", "pay_lines", "report missing: Amazon Pay settlement in USD 2026-01-05 to 2026-01-31"),
            ("measurement_error", "products", "report missing"),
        )
    ]  # fmt: skip
    (place / "manifest.json").write_text(json.dumps({"packet": {"as_of": "2026-01-31"}, "not_checked": gone}))
    assert sorted((fact.key, fact.words) for fact in of_packet(place, "a", 14)) == [
        ("absent Amazon Pay settlement in USD at the end", "Amazon Pay settlement in USD 2026-01-05 to 2026-01-31"),
        ("absent customer returns at the end", "customer returns 2026-01-10 to 2026-01-31"),
        ("absent products", "products"),
    ]


def test_facts_of_a_packet_by_hand(tmp_path: Path) -> None:
    rows = [
        row(1),  # 5 days left
        row(2, claim_by=date(2026, 2, 14)),  # the 14th day still counts
        row(3, claim_by=date(2026, 2, 15)),  # the 15th does not
        row(4, claim_by=None), row(5, status="waiting"), row(6, status="claimed"), row(7, status="expired"),
        overdue(8), overdue(9) | {"status": "waiting"}, overdue(10) | {"status": "accepted"},
        row(11, status="waiting", reason="report missing: customer returns 2026-01-10 to 2026-01-31"),
        row(12, status="waiting", reason="report missing: customer returns 2026-01-10 to 2026-01-31"),
        row(13, status="waiting", reason="report missing: inventory ledger 2026-01-03 to 2026-01-09"),
        row(14, status="waiting", reason="report missing: settlements until 2025-11-02"),
        row(15, status="waiting", reason="report missing: bank"),
        row(16, audit="settlement_gap", status="open", claim_by=None),
    ]  # fmt: skip
    found = of_packet(packet(tmp_path, "a", rows, absent=("bank", "storage_fees")), "a", 14)
    assert sorted((fact.kind, fact.key, fact.words, fact.by) for fact in found) == [
        ("absent", "absent bank", "bank", ""),
        ("absent", "absent customer returns at the end", "customer returns 2026-01-10 to 2026-01-31", ""),
        ("absent", "absent f16", "a settlement period", ""),
        ("absent", "absent inventory ledger to 2026-01-09", "inventory ledger 2026-01-03 to 2026-01-09", ""),
        ("absent", "absent settlements at the beginning", "settlements until 2025-11-02", ""),
        ("absent", "absent storage fees", "storage fees", ""),
        ("deadline", "deadline f1", "warehouse_lost", "2026-02-05"),
        ("deadline", "deadline f2", "warehouse_lost", "2026-02-14"),
        ("overdue", "overdue f8", "pay_overdue", ""),
    ]  # fmt: skip


def test_a_day_before_the_newest_packet_is_past_but_a_clock_that_ran_ahead_hides_nothing(tmp_path: Path) -> None:
    for day in ("2026-01-31", "2030-01-01"):
        packet(tmp_path, "a", [], day)
    assert is_past(tmp_path / "a", "2026-01-30", NOW)
    assert not is_past(tmp_path / "a", "2026-01-31", NOW)
    assert not is_past(tmp_path / "a", "", NOW)
    assert not is_past(tmp_path / "nowhere", "2026-01-30", NOW)


# --- in which words ---


def test_the_message_by_hand(tmp_path: Path) -> None:
    place = tmp_path / "shop" / "2026-01-31"
    facts = [
        Fact(
            "packet shop",
            "1",
            "shop",
            "deadline",
            "warehouse_lost",
            place,
            "2026-02-05",
            "O-1",
            Decimal("12.00"),
            "USD",
        ),
        Fact("packet shop", "2", "shop", "deadline", "return_unpaid", place, "2026-02-03", "O-2", None, "USD"),
        Fact("packet shop", "3", "shop", "overdue", "pay_overdue", place, "", "O-3", Decimal("1234.50"), "USD"),
        Fact("packet shop", "4", "shop", "absent", "customer returns", place),
        Fact("run b", "failed", "b", "state", "the run failed"),
    ]

    def text(*show: str) -> str:
        return notice_words.body(facts, "https://x/daily.html", lambda p: f"https://x/{p.name}", 14, show)

    assert notice_words.title(facts, "2026-01-31") == (
        "Reconciliation 2026-01-31: 1 account was not done, 2 claims run out soon, 1 Amazon Pay item is overdue, 1 report is missing"
    )
    assert text() == (
        "b\n- the run failed\n\n"
        "shop\n- 2 claims run out within 14 days, the first on 2026-02-03\n- 1 Amazon Pay item is overdue\n"
        "- report missing: customer returns\nhttps://x/2026-01-31\n\n"
        "All accounts: https://x/daily.html"
    )
    assert "the first on 2026-02-03: 12.00 USD + 1 unknown\n- 1 Amazon Pay item is overdue: 1,234.50 USD\n" in text(
        "amounts"
    )
    assert "O-" not in text("amounts")
    assert (
        "\n  Came back damaged by Amazon or the carrier, unpaid: O-2, by 2026-02-03\n  Lost in the warehouse"
        in text("orders")
    )
    assert "USD" not in text("orders")
    assert "unpaid: O-2, value unknown, by 2026-02-03\n" in text("amounts", "orders")
    assert "  Lost in the warehouse and not made good: O-1, 12.00 USD, by 2026-02-05\n" in text("orders", "amounts")


def test_a_message_about_thousands_stays_short() -> None:
    facts = [Fact(f"run {n}", "failed", f"account-{n:04}\u202e\n", "state", "the run failed") for n in range(3000)]
    told = notice_words.body(facts, "page", str, 14)
    assert len(told) < 600
    assert "… and news in 2,990 more accounts" in told
    assert "\u202e" not in told
    many = [Fact("p", str(n), "a", "absent", f"report {n}") for n in range(10, 50)]
    assert "report 14, 35 more" in notice_words.body(many, "page", str, 14)


# --- told once ---


def test_told_once_and_again_when_it_was_over_in_between(tmp_path: Path, server: Server) -> None:
    source, out = settings_file(tmp_path, server.address()), tmp_path / "out"

    def tell(*outcomes: Outcome, day: str = "2026-01-31") -> notices.Report:
        server.got.clear()
        return notices.tell(source, out, done(out, *outcomes, day=day), now=NOW)

    first = tell(
        good("a", packet(out, "a", [row(1), overdue(2)], absent=("bank",))),
        bad("b"),
        Outcome("c", "", "", "unusable", 2),
    )
    assert (first.news, first.told, first.problems, first.exit_code) == (5, ("json 1",), (), 0)
    ((title, text),) = server.got
    assert title.startswith(
        "Reconciliation 2026-01-31: 2 accounts were not done, 1 claim runs out soon, 1 Amazon Pay item is"
    )
    assert f"{out}/a/2026-01-31/packet.html" in text
    assert "c\n- its files cannot be used" in text
    # the same again, whether made anew or not: nothing
    again = tell(good("a", out / "a" / "2026-01-31", "unchanged"), bad("b"), Outcome("c", "", "", "unusable", 2))
    assert (again.news, again.told, again.exit_code, server.got) == (0, (), 0, [])
    # one more claim the next day: only that one
    next_day = packet(out, "a", [row(1), overdue(2), row(3)], "2026-02-01", absent=("bank",))
    tell(good("a", next_day), bad("b"), day="2026-02-01")
    assert [title for title, _ in server.got] == ["Reconciliation 2026-02-01: 1 claim runs out soon"]
    # a rerun of the day before, in which the payment was not overdue yet and another claim ran out: nothing of it
    assert tell(good("a", packet(out, "a", [row(8)])), bad("a", day="2026-01-30")).news == 0
    # b is good, then fails again; the report of a is there, then gone again
    tell(
        good("b", packet(out, "b", [], "2026-02-01")),
        good("a", packet(out, "a", [row(1), overdue(2), row(3)], "2026-02-01")),
    )
    assert server.got == []
    tell(
        bad("b", day="2026-02-02"),
        good("a", packet(out, "a", [row(1), overdue(2), row(3)], "2026-02-01", absent=("bank",))),
    )
    assert [title for title, _ in server.got] == [
        "Reconciliation 2026-01-31: 1 account was not done, 1 report is missing"
    ]
    # another kind of failure is told, and the first one not again: the account was never good in between
    assert tell(bad("b", "unusable", "2026-02-02")).news == 1
    assert tell(bad("b", day="2026-02-02")).news == 0


@pytest.mark.parametrize("mode", ["refuse", "drip", "nobody there"])
def test_a_failed_delivery_is_told_and_tried_again(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    out, send = tmp_path / "out", notices.deliver

    def impatient(address: str, title: str, text: str, seconds: float) -> str:  # only with the one that never ends
        return send(address, title, text, seconds=3 if server.mode == "drip" and "rto=30" in address else seconds)

    monkeypatch.setattr(notices, "deliver", impatient)
    place, other = packet(out, "a", [row(1)]), Server()
    threading.Thread(target=other.serve_forever, daemon=True).start()
    source = settings_file(tmp_path, other.address(), server.address("?rto=30"))
    port = server.server_port
    try:
        if mode == "nobody there":
            server.shutdown()
            server.server_close()
        server.mode = mode
        first = notices.tell(source, out, done(out, good("a", place)), now=NOW)
        assert (first.told, first.exit_code) == (("json 1",), 3)
        (problem,) = first.problems
        assert problem.startswith("json 2 was not told: ")
        assert str(port) not in problem
        assert SECRET not in problem
        assert len(other.got) == 1
        if mode == "nobody there":
            again = notices.tell(source, out, done(out, good("a", place)), now=NOW)
            assert (again.told, again.exit_code) == ((), 3)
        else:
            server.mode = "ok"
            server.got.clear()
            again = notices.tell(source, out, done(out, good("a", place)), now=NOW)
            assert (again.told, again.exit_code, len(server.got)) == (("json 2",), 0, 1)
        assert len(other.got) == 1, "who was told is not told twice"
    finally:
        other.shutdown()
        other.server_close()
        if mode == "nobody there":  # the fixture ends a server that runs
            server.__init__()  # type: ignore[misc]
            threading.Thread(target=server.serve_forever, daemon=True).start()


DAMAGES: list[Callable[[bytes], bytes]] = [
    lambda b: b"", lambda b: b[:40], lambda b: b.replace(b"deadline", b"deadlinf"), lambda b: b"[" * 100_000, lambda b: b"\xff" + b,
    lambda b: b"[]", lambda b: b'{"form": 1}', lambda b: b.replace(b'"form": 1', b'"form": 9'),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(DAMAGES)))
def test_a_damaged_memory_is_reported_kept_and_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    told: list[str] = []
    monkeypatch.setattr(notices, "deliver", lambda address, title, text, seconds: told.append(title) or "")
    out, source = tmp_path / "out", settings_file(tmp_path, "json://h/1", "json://h/2")
    run = done(out, good("a", packet(out, "a", [row(1)])))
    notices.tell(source, out, run, now=NOW)
    memory = out / notice_memory.NAME
    broken = DAMAGES[number](memory.read_bytes())
    memory.write_bytes(broken)
    again = notices.tell(source, out, run, now=NOW)
    assert (again.told, again.exit_code, len(told)) == (("json 1", "json 2"), 0, 4)
    assert "is damaged or cannot be read" in again.problems[0]
    assert (out / notice_memory.DAMAGED).read_bytes() == broken
    assert notices.tell(source, out, run, now=NOW) == notices.Report()
    assert not [
        path for path in out.iterdir() if path.name.startswith(f"{notice_memory.NAME}.") and path.suffix != ".lock"
    ]


def test_a_memory_that_cannot_be_written_tells_all_the_same_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(notices, "deliver", lambda address, title, text, seconds: told.append(title) or "")
    (tmp_path / "file").write_text("")
    report = notices.tell(settings_file(tmp_path, "json://h/1"), tmp_path / "file", None, now=NOW)
    assert told == ["Reconciliation 2026-02-01: 1 account was not done"]
    assert report.exit_code == 3
    assert "cannot be written" in report.problems[0]


def test_a_packet_that_cannot_be_read_is_told_and_the_others_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(notices, "deliver", lambda address, title, text, seconds: told.append(text) or "")
    out = tmp_path / "out"
    run = done(out, good("a", packet(out, "a", [row(1)])), good("b", packet(out, "b", [row(2)])))
    (out / "a" / "2026-01-31" / "findings.parquet").write_bytes(b"PAR1")
    source = settings_file(tmp_path, "json://h/1")
    assert notices.tell(source, out, run, now=NOW).news == 2
    assert told[0].startswith("a\n- its packet cannot be read\n\nb\n- 1 claim runs out")
    assert notices.tell(source, out, run, now=NOW).news == 0


def test_runs_at_once_tell_once(tmp_path: Path, server: Server) -> None:
    out, source = tmp_path / "out", settings_file(tmp_path, server.address())
    run = done(out, good("a", packet(out, "a", [row(1), overdue(2)])))
    threads = [threading.Thread(target=notices.tell, args=(source, out, run), kwargs={"now": NOW}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.got) == 1


KEYS = ("x", "y", "z")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.dictionaries(
                st.sampled_from(["p", "q"]), st.frozensets(st.sampled_from(KEYS)), max_size=2
            ),  # looked at -> what holds
            st.tuples(st.booleans(), st.booleans()),  # which receivers can be reached
        ),
        max_size=12,
    )
)
def test_each_fact_is_told_exactly_once_while_it_holds(
    rounds: list[tuple[dict[str, frozenset[str]], tuple[bool, bool]]],
) -> None:
    """Against a plain model: for each receiver and fact one flag, set by a delivery, taken back by a look that misses it."""
    memory: list[notice_memory.Told] = [{}, {}]
    knows = [dict.fromkeys(((s, k) for s in "pq" for k in KEYS), False) for _ in memory]
    for looked, reached in rounds:
        facts = tuple(
            Fact(scope, key, "a", "absent", key) for scope, keys in sorted(looked.items()) for key in sorted(keys)
        )
        seen = Seen(facts, frozenset(looked))
        for n in (0, 1):
            memory[n] = notice_memory.over(memory[n], seen)
            news = notice_memory.news(memory[n], facts)
            expected = set()
            for scope, keys in looked.items():
                for key in KEYS:
                    if key not in keys:
                        knows[n][scope, key] = False
                    elif not knows[n][scope, key]:
                        expected.add((scope, key))
                        knows[n][scope, key] = reached[n]
            assert {(fact.scope, fact.key) for fact in news} == expected
            assert len(news) == len(expected)
            if reached[n]:
                memory[n] = notice_memory.with_told(memory[n], news, "2026-01-31")


# --- settings, secrets ---


def test_settings_and_what_they_refuse_without_quoting_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "n.yml"
    place.write_text(
        f"to: [slack://{SECRET}, json://h/a, slack://b, {SECRET}]\ndays: 7\nlink: https://h/p/\nshow: amounts\n"
    )
    read = notice_settings.load(str(place))
    assert (read.days, read.link, read.show) == (7, "https://h/p/", ("amounts",))
    assert list(read.receivers()) == ["slack 1", "json 1", "slack 2", "unknown 1"]
    assert SECRET not in repr(read)
    monkeypatch.setenv(notice_settings.VARIABLE, "json://h/1  json://h/2")
    assert notice_settings.load("env").to == ("json://h/1", "json://h/2")
    place.write_text("days: 3\n")
    assert notice_settings.load(str(place)).to == ("json://h/1", "json://h/2")
    monkeypatch.delenv(notice_settings.VARIABLE)
    wrong = [
        f"to: [json://{SECRET}\nx", f"json://{SECRET}: 1\njson://{SECRET}: 2\n", f"json://{SECRET}: 1\n", f"json://{SECRET}", "to: []\n",
        f"to: {{a: json://{SECRET}}}\n", f"to: [json://{SECRET}]\ndays: {SECRET}\n", f"to: [json://{SECRET}]\nshow: [{SECRET}]\n",
        f"to: [json://{SECRET}]\nlink: {SECRET}\n", f"to: &a [json://{SECRET}]\nshow: *a\n", f"\t{SECRET}", "", "days: 14\n",
    ]  # fmt: skip
    for content in wrong:
        place.write_text(content)
        with pytest.raises(UsageError) as met:
            notice_settings.load(str(place))
        assert SECRET not in str(met.value), content
    for source, why in ((f"json://{SECRET}", "would show its secret"), (str(tmp_path / SECRET), "is not there")):
        with pytest.raises(UsageError, match=why) as met:
            notice_settings.load(source)
        assert SECRET not in str(met.value)


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "find_spec", lambda name: None)
    report = notices.tell(settings_file(tmp_path, "json://h"), tmp_path / "out", None)
    assert report.exit_code == 2
    assert ".venv/bin/python .ci/install.py notify" in report.problems[0]


def test_daily_tells_and_its_packets_do_not_depend_on_it(tmp_path: Path, server: Server) -> None:
    """The whole command: what is sent, what is not, and that no address is in anything that is written or said."""
    accounts, out, other = tmp_path / "accounts", tmp_path / "out", tmp_path / "other"
    make(accounts / "1-owed", "owed", owed=True)  # one capture of 12.00 USD, overdue
    make(accounts / "2-broken", "broken")
    (accounts / "2-broken" / "books" / "bank.csv").write_text("no,header\nORDER-77,2\n")
    source = settings_file(tmp_path, server.address(), f"nosuch://{SECRET}", more="link: https://books.example/p\n")

    def daily(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "recon_lib", "daily", str(accounts), "--date", "2026-01-31", "--out", str(out), "--workers", "1", *more],
            cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "RECON_STORE": str(tmp_path / "store")},
        )  # fmt: skip

    told = daily(out, "--notify", source)
    assert told.returncode == 3, told.stderr
    line = json.loads(told.stderr.splitlines()[-1])
    assert (line["event"], line["told"], line["exit_code"]) == ("notices", ["json 1"], 3)
    assert line["problems"] == [
        "nosuch 1 was not told: apprise does not understand its address; the next run tries again"
    ]
    ((title, text),) = server.got
    assert "1 account was not done" in title
    assert "https://books.example/p/owed/2026-01-31/packet.html" in text
    assert "https://books.example/p/daily-2026-01-31.html" in text
    for private in ("12.00", "order-owed", "S01-", "P01-", "ORDER-77", "USD", str(tmp_path)):
        assert private not in title + text
    assert SECRET not in told.stdout + told.stderr
    assert server.paths == [f"/{SECRET}"]
    for path in [*out.rglob("*"), *accounts.rglob("*"), *(tmp_path / "store").rglob("*")]:
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    plain = daily(other)
    assert plain.returncode == 2
    assert {path.name: path.read_bytes() for path in (out / "owed" / "2026-01-31").iterdir()} == {
        path.name: path.read_bytes() for path in (other / "owed" / "2026-01-31").iterdir()
    }
    # nothing starts: told as well, once
    server.got.clear()
    for expected in (1, 1):
        gone = subprocess.run(
            [sys.executable, "-m", "recon_lib", "daily", str(tmp_path / "nowhere"), "--out", str(out), "--notify", source],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert gone.returncode == 2
        assert [title.partition(": ")[2] for title, _ in server.got] == ["1 account was not done"] * expected


def test_a_run_that_broke_off_is_told_whatever_ended_it(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> Round:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(telling, "run_daily", full)
    monkeypatch.setattr(tempfile, "mkstemp", full)  # neither is there room for the details, nor for the memory
    source, stop = settings_file(tmp_path, server.address()), signal.getsignal(signal.SIGTERM)
    assert main(["daily", str(tmp_path), "--out", str(tmp_path / "out"), "--notify", source]) == 3
    signal.signal(signal.SIGTERM, stop)
    ((_, text),) = server.got
    assert text.splitlines()[:2] == ["All accounts", "- the run could not start, or broke off"]
    said = capsys.readouterr().err
    assert "look at the disk (No space left on device)" in said
    assert "Traceback" not in said


def test_a_page_that_cannot_be_written_hides_no_outcome(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts, out = tmp_path / "accounts", tmp_path / "out"
    make(accounts / "owed", "owed", owed=True)
    make(accounts / "worse", "worse")
    (accounts / "worse" / "account.yml").write_text("no account")
    (out / "daily-2026-01-31.html" / "x").mkdir(parents=True)  # a folder stands in its place
    monkeypatch.setenv("RECON_STORE", str(tmp_path / "store"))
    source, stop = settings_file(tmp_path, server.address()), signal.getsignal(signal.SIGTERM)
    command = ["daily", str(accounts), "--date", "2026-01-31", "--workers", "1"]
    assert main([*command, "--out", str(out), "--notify", source]) == 3
    signal.signal(signal.SIGTERM, stop)
    said, told = capsys.readouterr()
    assert said.splitlines()[0].startswith(f"{out}/owed/2026-01-31: 1 waiting")
    events = {line["event"] + line.get("folder", ""): line for line in map(json.loads, told.splitlines()[:4])}
    assert (events["accountowed"]["state"], events["accountowed"]["published"]) == ("published", 1)
    assert events["accountworse"]["state"] == "unusable"
    whole = events["daily"]
    assert (whole["accounts"], whole["exit_code"], whole["page"]) == ({"published": 1, "unusable": 1}, 3, None)
    assert whole["message"].startswith(f"cannot write {out}/daily-2026-01-31.html: Is a directory\n")
    assert (events["notices"]["told"], events["notices"]["exit_code"]) == (["json 1"], 0)
    ((title, text),) = server.got
    assert "1 account was not done" in title
    assert f"{out}/owed/2026-01-31/packet.html" in text
    assert "All accounts:" not in text, "no link to a page that is not there"
    assert sorted(path.name for path in out.glob(".daily-*")) == []


def test_the_test_message(tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    from recon_lib.__main__ import main

    assert main(["notify", settings_file(tmp_path, server.address())]) == 0
    assert [title for title, _ in server.got] == ["Reconciliation: a test"]
    assert capsys.readouterr().err == "recon: notices: told json 1\n"
    server.mode = "refuse"
    assert main(["notify", settings_file(tmp_path, server.address())]) == 3
    shown = capsys.readouterr().err
    assert "json 1 was not told" in shown
    assert SECRET not in shown
    assert main(["notify", server.address()]) == 2
    assert SECRET not in capsys.readouterr().err
