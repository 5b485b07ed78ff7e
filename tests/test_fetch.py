"""`recon fetch` against a server on this machine that speaks Amazon's protocols, with faults. Requests go over real sockets."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from recon_lib.errors import HeldError, RunError, UsageError
from recon_lib.fetch.guarded import Result
from recon_lib.fetch.run import fetch
from recon_lib.fetch.wire import Clock
from tests import amazon_fake as fake
from tests.amazon_fake import Amazon

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "data/sample/reports"
SETTLEMENT = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
REIMBURSED = "GET_FBA_REIMBURSEMENTS_DATA"
RETURNS = "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA"
LEDGER = "GET_LEDGER_DETAIL_VIEW_DATA"
FEES = "GET_FBA_ESTIMATED_FBA_FEES_TXT_DATA"
PAY = "_GET_FLAT_FILE_OFFAMAZONPAYMENTS_SETTLEMENT_DATA_"
ASK, LOOK, DOC = (
    "/reports/2021-06-30/reports",
    "/reports/2021-06-30/reports/[^/]+",
    "/reports/2021-06-30/documents/[^/]+",
)
FILE = "/doc/.*"
JANUARY = {"first": datetime(2026, 1, 1).date(), "last": datetime(2026, 1, 20).date()}


class FakeClock(Clock):
    """Noon of 1 February 2026 in Los Angeles; sleeping costs nothing."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.naps: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 2, 1, 20, tzinfo=UTC) + timedelta(seconds=self.passed)

    def ticks(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.passed += seconds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Amazon]:
    with fake.running(tmp_path_factory.mktemp("amazon")) as amazon:
        yield amazon


@pytest.fixture
def amazon(server: Amazon, monkeypatch: pytest.MonkeyPatch) -> Amazon:
    fresh = Amazon()
    for name in (
        "documents",
        "zipped",
        "made",
        "fate",
        "slow",
        "inbound",
        "faults",
        "seen",
        "tokens",
        "good_addresses",
    ):
        setattr(server, name, getattr(fresh, name))
    server.clock = lambda: datetime(2026, 2, 1, 20, tzinfo=UTC)
    for name in [name for name in os.environ if name.startswith(("LWA_", "SP_API_", "AMAZON_PAY_", "AWS_"))]:
        monkeypatch.delenv(name)
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Forcing to disk takes long on a busy machine and shows nothing here; one test looks that it is done."""
    if "forced" not in request.node.name:
        monkeypatch.setattr(os, "fsync", lambda handle: None)


def environment(amazon: Amazon) -> dict[str, str]:
    return {
        "RECON_FETCH_TEST_ENDPOINT": amazon.url, "SSL_CERT_FILE": str(amazon.ca), "NO_PROXY": "127.0.0.1",
        "LWA_APP_ID": fake.CLIENT_ID, "LWA_CLIENT_SECRET": fake.CLIENT_SECRET, "SP_API_REFRESH_TOKEN_SHOP_US": fake.REFRESH,
        "AMAZON_PAY_PUBLIC_KEY_ID_SHOP_US": fake.PAY_KEY_ID, "AMAZON_PAY_PRIVATE_KEY_SHOP_US": amazon.pay_pem,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop-us"
    folder.mkdir()
    (folder / "account.yml").write_text("account: shop-us\nmarketplace: US\ntime_zone: America/Los_Angeles\n")
    return folder


def run(shop: Path, *families: str, clock: FakeClock | None = None, minutes: float = 60, **days: object) -> Result:
    clock = clock or FakeClock()
    return fetch(shop, families=families, clock=clock, minutes=minutes, **days)  # type: ignore[arg-type]


def texts(result: Result) -> str:
    return "\n".join(f"{name}: {text}" for name, text, _ in result.problems)


def fetched(shop: Path) -> list[str]:
    place = shop / "reports/fetched"
    return (
        sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
        if place.exists()
        else []
    )


# The good way


def test_a_report_is_asked_for_looked_at_and_kept_as_delivered(amazon: Amazon, shop: Path) -> None:
    amazon.documents[REIMBURSED] = data = b"approval-date\treimbursement-id\r\n\xa9 not UTF-8\r\n"
    amazon.slow = 2
    clock = FakeClock()
    result = run(shop, "reimbursements", clock=clock, **JANUARY)
    (path,) = result.files
    assert path.read_bytes() == data
    assert fetched(shop) == [f"reimbursements/{REIMBURSED}_2026-01-01_2026-01-20_50000.txt"]
    assert (result.exit_code, result.asked, result.waiting) == (0, 1, 0)
    told = json.loads(amazon.asked("POST", ASK)[0].body)
    assert told["reportType"] == REIMBURSED
    assert told["marketplaceIds"] == [fake.US]
    # Los Angeles is 8 hours behind in January; the end is the last second of the last day.
    assert (told["dataStartTime"], told["dataEndTime"]) == ("2026-01-01T08:00:00Z", "2026-01-21T07:59:59Z")
    assert len(amazon.asked("GET", LOOK)) == 3
    assert sum(clock.naps) < 40
    state = json.loads((shop / ".fetch/state.json").read_text())
    assert state["files"][0]["sha256"] == hashlib.sha256(data).hexdigest()
    assert not state["open"]


def test_nothing_is_fetched_twice(amazon: Amazon, shop: Path) -> None:
    amazon.documents[REIMBURSED] = b"x\ty\n"
    run(shop, "reimbursements", **JANUARY)
    before = len(amazon.seen)
    again = run(shop, "reimbursements", **JANUARY)
    assert (again.files, again.exit_code) == ([], 0)
    assert len(amazon.seen) == before  # not even a token


def test_the_next_day_asks_for_one_day_and_its_overlap(amazon: Amazon, shop: Path) -> None:
    amazon.documents[LEDGER] = b"x\ty\n"
    clock = FakeClock()
    run(shop, "ledger_detail", clock=clock)
    amazon.seen.clear()
    clock.sleep(86400)
    run(shop, "ledger_detail", clock=clock)
    (told,) = [json.loads(one.body) for one in amazon.asked("POST", ASK)]
    # the new day is 1 February; 7 days of overlap: from 25 January
    assert (told["dataStartTime"], told["dataEndTime"]) == ("2026-01-25T08:00:00Z", "2026-02-02T07:59:59Z")


def test_gzip_stays_gzip(amazon: Amazon, shop: Path) -> None:
    amazon.documents[REIMBURSED] = data = gzip.compress(b"x\ty\n" * 1000, mtime=0)
    amazon.zipped.add(REIMBURSED)
    (path,) = run(shop, "reimbursements", **JANUARY).files
    assert path.name.endswith("_50000.txt.gz")
    assert path.read_bytes() == data


def test_settlements_are_listed_never_asked_for(amazon: Amazon, shop: Path) -> None:
    sent = [
        amazon.listed(SETTLEMENT, n, f"2026-01-{n + 1:02}T12:00:00Z", f"2026-01-{n + 2:02}T12:00:00Z", b"data %d" % n)
        for n in range(23)
    ]
    result = run(shop, "settlement_lines")
    assert len(result.files) == 23  # three pages
    assert {path.stem.rsplit("_", 1)[1] for path in result.files} == set(sent)
    assert fetched(shop)[0] == f"settlement_lines/{SETTLEMENT}_2026-01-01_2026-01-02_700000.txt"
    assert not amazon.asked("POST", ASK)
    amazon.listed(SETTLEMENT, 99, "2026-01-28T12:00:00Z", "2026-01-29T12:00:00Z", b"new")
    amazon.seen.clear()
    assert [path.read_bytes() for path in run(shop, "settlement_lines").files] == [b"new"]
    assert len(amazon.asked("GET", FILE)) == 1


def test_amazon_pay_is_signed_listed_and_loaded(amazon: Amazon, shop: Path) -> None:
    source = DEMO / "amazon-pay/2026-01/2026-01-01-SETTLEMENT_DATA_1433457573.csv"
    amazon.listed(PAY, 1, "20251231T230000Z", "20260101T230000Z", source.read_bytes(), pay=True)
    amazon.documents["_GET_FLAT_FILE_OFFAMAZONPAYMENTS_REFUND_DATA_"] = b"AmazonRefundId\n"
    result = run(shop, "pay_lines", "pay_refunds", **JANUARY)
    assert texts(result) == ""
    assert fetched(shop) == [
        f"pay_lines/{PAY.strip('_')}_2025-12-31_2026-01-01_A700001.csv",
        "pay_refunds/GET_FLAT_FILE_OFFAMAZONPAYMENTS_REFUND_DATA_2026-01-01_2026-01-20_50001.csv",
    ]
    (asked,) = amazon.asked("POST", "/live/v2/reports")
    assert json.loads(asked.body)["startTime"] == "20260101T080000Z"
    assert len(asked.headers["x-amz-pay-idempotency-key"]) == 32
    assert not amazon.asked("POST", "/auth/.*")  # nothing of the other API is needed


def test_inbound_shipments_page_by_page(amazon: Amazon, shop: Path) -> None:
    amazon.inbound["ShipmentData"] = [[{"ShipmentId": "FBA1", "ShipmentStatus": "CLOSED"}]]
    item = {
        "ShipmentId": "FBA1",
        "SellerSKU": "A",
        "FulfillmentNetworkSKU": "X1",
        "QuantityShipped": 5,
        "QuantityReceived": 3,
    }
    amazon.inbound["ItemData"] = [[item], [{**item, "SellerSKU": "B"}]]
    (path,) = run(shop, "inbound_shipments", **JANUARY).files
    with zipfile.ZipFile(path) as whole:
        assert whole.namelist() == ["shipments-0001.json", "items-0001.json", "items-0002.json"]
        assert json.loads(whole.read("items-0001.json")) == {"payload": {"ItemData": [item], "NextToken": "1"}}
    from recon_lib.books import open_account

    (shop / "books").mkdir()
    rows = open_account(shop, "2026-01-31", store=shop.parent / "store").frames["inbound_shipments"].collect()
    assert sorted(rows.select("shipment_id", "status", "sku", "quantity_received").rows()) == [
        ("FBA1", "CLOSED", "A", 3), ("FBA1", "CLOSED", "B", 3),
    ]  # fmt: skip


def test_only_the_newest_fee_preview_is_read_and_the_earlier_ones_are_kept(amazon: Amazon, shop: Path) -> None:
    clock = FakeClock()
    amazon.documents[FEES] = b"first\n"
    run(shop, "fee_preview", clock=clock)
    clock.sleep(3 * 86400)
    assert run(shop, "fee_preview", clock=clock).files == []
    clock.sleep(4 * 86400)
    amazon.documents[FEES] = b"second\n"
    run(shop, "fee_preview", clock=clock)
    (now,) = (shop / "reports/fetched/fee_preview").iterdir()
    (before,) = (shop / ".fetch/earlier/fee_preview").iterdir()
    assert (now.read_bytes(), before.read_bytes()) == (b"second\n", b"first\n")


# What Amazon says instead of data


def test_no_data_is_asked_a_second_time_and_then_never_again(amazon: Amazon, shop: Path) -> None:
    clock = FakeClock()
    amazon.fate[RETURNS] = ["CANCELLED"] * 9
    for hours, posts in ((1, 1), (23, 1), (24, 2), (48, 2)):
        result = run(shop, "customer_returns", clock=clock, **JANUARY)
        assert (result.exit_code, result.files, len(amazon.asked("POST", ASK))) == (0, [], posts)
        clock.passed = hours * 3600
    assert run(shop, "customer_returns", clock=clock, **JANUARY).empty == 0
    assert len(amazon.asked("POST", ASK)) == 2


def test_an_empty_document_is_no_data(amazon: Amazon, shop: Path) -> None:
    amazon.documents[RETURNS] = b""
    result = run(shop, "customer_returns", **JANUARY)
    assert (result.empty, result.exit_code, fetched(shop)) == (1, 0, [])


def test_fatal_is_told_with_its_text_and_asked_again_by_the_next_run(amazon: Amazon, shop: Path) -> None:
    amazon.fate[RETURNS] = ["FATAL:The date range\nis too long " + fake.CLIENT_SECRET]
    amazon.documents[RETURNS] = amazon.documents[REIMBURSED] = b"x\n"
    result = run(shop, "customer_returns", "reimbursements", **JANUARY)
    assert result.exit_code == 3
    assert "50001 for 2026-01-01 to 2026-01-20 (FATAL): The date range is too long ***" in texts(result)
    assert len(result.files) == 1  # the other family came
    assert [path.parent.name for path in run(shop, "customer_returns", "reimbursements", **JANUARY).files] == [
        "customer_returns"
    ]


def test_fatal_without_a_document(amazon: Amazon, shop: Path) -> None:
    amazon.fate[RETURNS] = ["FATAL"]
    result = run(shop, "customer_returns", **JANUARY)
    assert (result.exit_code, len(result.problems), fetched(shop)) == (3, 1, [])


def test_a_report_that_takes_long_is_collected_by_the_next_run(amazon: Amazon, shop: Path) -> None:
    amazon.slow, clock = 60, FakeClock()
    amazon.documents[RETURNS] = b"x\n"
    first = run(shop, "customer_returns", clock=clock, minutes=10, **JANUARY)
    assert (first.exit_code, first.waiting, first.files) == (0, 1, [])
    assert clock.passed <= 600
    assert "next run collects" in first.notes[0]
    second = run(shop, "customer_returns", clock=clock, **JANUARY)
    assert (second.asked, len(second.files), len(amazon.asked("POST", ASK))) == (0, 1, 1)


def test_a_report_that_never_ends_is_given_up_after_two_days(amazon: Amazon, shop: Path) -> None:
    amazon.slow, clock = 10_000, FakeClock()
    run(shop, "customer_returns", clock=clock, minutes=1, **JANUARY)
    clock.sleep(49 * 3600)
    result = run(shop, "customer_returns", clock=clock, minutes=1, **JANUARY)
    assert result.exit_code == 3
    assert "more than two days" in texts(result)


def test_a_report_that_amazon_forgot_is_asked_for_again(amazon: Amazon, shop: Path) -> None:
    amazon.slow, clock = 1000, FakeClock()
    amazon.documents[RETURNS] = b"x\n"
    run(shop, "customer_returns", clock=clock, minutes=1, **JANUARY)
    amazon.made.clear()
    amazon.slow = 0
    assert run(shop, "customer_returns", clock=clock, **JANUARY).exit_code == 3
    assert len(run(shop, "customer_returns", clock=clock, **JANUARY).files) == 1


def test_one_refused_family_stops_no_other(amazon: Amazon, shop: Path) -> None:
    amazon.documents[REIMBURSED] = amazon.documents[RETURNS] = b"x\n"
    amazon.fault(
        "POST", ASK, fake.errors(400, "InvalidInput", "Request for report type 2610 is not allowed at this time")
    )
    result = run(shop, "reimbursements", "customer_returns", **JANUARY)
    assert texts(result).startswith("reimbursements: Amazon refuses it: InvalidInput: Request for report type 2610")
    assert (result.exit_code, [path.parent.name for path in result.files]) == (3, ["customer_returns"])


def test_a_missing_role_stops_only_its_family(amazon: Amazon, shop: Path) -> None:
    amazon.documents[RETURNS] = b"x\n"
    denied = fake.errors(403, "Unauthorized", "Access to requested resource is denied.")
    amazon.fault("POST", ASK, denied, times=2)
    result = run(shop, "reimbursements", "customer_returns", **JANUARY)
    assert "Access to requested resource is denied" in texts(result)
    assert "role" in texts(result)
    assert (result.exit_code, [path.parent.name for path in result.files]) == (2, ["customer_returns"])


# Limits and faults of the network


def test_throttling_is_waited_out(amazon: Amazon, shop: Path) -> None:
    amazon.documents[REIMBURSED] = b"x\n"
    slow_down = fake.errors(429, "QuotaExceeded", "You exceeded your quota", x_amzn_RateLimit_Limit="0.02")
    amazon.fault("POST", ASK, slow_down, times=2)
    amazon.fault("GET", LOOK, fake.errors(429, "QuotaExceeded", "quota", Retry_After="7"))
    clock = FakeClock()
    result = run(shop, "reimbursements", clock=clock, **JANUARY)
    assert (result.exit_code, len(result.files)) == (0, 1)
    assert len(amazon.asked("POST", ASK)) == 3
    # twice at least 1 / 0.02 a second = 50 s, once the 7 s that were asked for
    assert sum(nap >= 50 for nap in clock.naps) >= 2
    assert any(7 <= nap < 9 for nap in clock.naps)


def test_throttling_without_end_ends_with_the_time_limit(amazon: Amazon, shop: Path) -> None:
    amazon.fault("POST", ASK, fake.errors(429, "QuotaExceeded", "quota"), times=99)
    clock = FakeClock()
    result = run(shop, "reimbursements", "customer_returns", clock=clock, minutes=5, **JANUARY)
    assert result.exit_code == 3
    assert "time limit" in texts(result)
    assert clock.passed <= 300
    assert not json.loads((shop / ".fetch/state.json").read_text())["open"]


def test_many_requests_keep_to_the_usage_plan(amazon: Amazon, shop: Path) -> None:
    amazon.documents[LEDGER] = b"x\n"
    clock = FakeClock()
    first = datetime(2024, 9, 1).date()
    result = run(shop, "ledger_detail", clock=clock, first=first, minutes=600)
    # 518 days in pieces of 31 - 7 days: 22 requests and 22 documents; 15 at once, then one a minute
    assert (len(result.files), result.exit_code) == (22, 0)
    assert sum(nap > 10 for nap in clock.naps) >= 7
    assert 7 * 60 <= clock.passed < 30 * 60


@pytest.mark.parametrize(
    "broken", [fake.status(503, b"<html>busy</html>"), fake.status(500), fake.hang_up, fake.status(200, b"<html>"), fake.status(200, b"[]")]
)  # fmt: skip
def test_broken_answers_are_tried_again_or_told(amazon: Amazon, shop: Path, broken: object) -> None:
    amazon.documents[REIMBURSED] = amazon.documents[RETURNS] = b"x\n"
    amazon.fault("GET", LOOK, broken)  # type: ignore[arg-type]
    clock = FakeClock()
    run(shop, "reimbursements", "customer_returns", clock=clock, **JANUARY)
    result = run(shop, "reimbursements", "customer_returns", clock=clock, **JANUARY)
    assert (result.exit_code, len(fetched(shop)), len(amazon.asked("POST", ASK))) == (0, 2, 2)


def test_a_server_that_stays_broken_is_told_and_continued(amazon: Amazon, shop: Path) -> None:
    amazon.documents[REIMBURSED] = amazon.documents[RETURNS] = b"x\n"
    amazon.fault("GET", DOC, fake.status(502, b"bad gateway"), times=24)
    result = run(shop, "reimbursements", "customer_returns", **JANUARY)
    assert result.exit_code == 3
    assert "it answered 502" in texts(result)
    assert result.waiting == 2
    amazon.faults.clear()
    assert len(run(shop, "reimbursements", "customer_returns", **JANUARY).files) == 2
    assert len(amazon.asked("POST", ASK)) == 2


def test_an_answer_lost_on_its_way_is_found_again_and_not_asked_twice(amazon: Amazon, shop: Path) -> None:
    amazon.documents[REIMBURSED] = b"x\n"

    def made_but_lost(handler: fake.Handler) -> None:
        handler.new(json.loads(handler.now.body), "dataStartTime", "dataEndTime")
        fake.hang_up(handler)

    amazon.fault("POST", ASK, made_but_lost)
    result = run(shop, "reimbursements", **JANUARY)
    assert (result.exit_code, len(result.files), len(amazon.asked("POST", ASK))) == (0, 1, 1)


def test_documents_that_break_off_are_loaded_again_from_a_fresh_address(amazon: Amazon, shop: Path) -> None:
    amazon.documents[REIMBURSED] = data = gzip.compress(os.urandom(300_000), mtime=0)
    amazon.zipped.add(REIMBURSED)
    for fault in (
        fake.cut_off,
        fake.cut_off_unannounced,
        fake.status(403, b"<Error><Code>ExpiredToken</Code></Error>"),
    ):
        amazon.fault("GET", FILE, fault)
    result = run(shop, "reimbursements", **JANUARY)
    assert [path.read_bytes() for path in result.files] == [data]
    used = [one.query["X-Amz-Signature"][0] for one in amazon.asked("GET", FILE)]
    assert len(used) == len(set(used)) == 4


@pytest.mark.parametrize("zipped", [True, False])
def test_half_a_document_is_never_kept(amazon: Amazon, shop: Path, zipped: bool) -> None:
    whole = gzip.compress(os.urandom(5000)) if zipped else b"x\ty\n" * 3000
    amazon.documents[REIMBURSED] = whole
    amazon.fault("GET", FILE, fake.cut_off_unannounced if zipped else fake.cut_off, times=99)
    result = run(shop, "reimbursements", **JANUARY)
    assert (result.exit_code, fetched(shop), result.waiting) == (3, [], 1)
    assert "cut off" in texts(result) or "broke off" in texts(result)
    assert not list((shop / ".fetch").glob("part-*"))


def test_a_length_that_nobody_states_is_not_trusted(amazon: Amazon, shop: Path) -> None:
    amazon.documents[REIMBURSED] = b"x\ty\n" * 3000
    amazon.fault("GET", FILE, fake.cut_off_unannounced, times=99)
    assert "nothing says whether the document is whole" in texts(run(shop, "reimbursements", **JANUARY))
    assert fetched(shop) == []


def test_a_wrong_checksum_is_noticed(amazon: Amazon, shop: Path) -> None:
    data = bytearray(gzip.compress(b"x\ty\n" * 3000))
    data[-6] ^= 1
    amazon.documents[REIMBURSED] = bytes(data)
    assert "check sum is wrong" in texts(run(shop, "reimbursements", **JANUARY))
    assert fetched(shop) == []


def test_an_ended_token_is_renewed(amazon: Amazon, shop: Path) -> None:
    amazon.documents[REIMBURSED] = b"x\n"

    def ended(handler: fake.Handler) -> None:
        handler.amazon.current = "another"  # type: ignore[attr-defined]
        handler.seller(handler.now.path)

    amazon.fault("GET", LOOK, ended)
    result = run(shop, "reimbursements", **JANUARY)
    assert (texts(result), len(result.files), len(amazon.asked("POST", "/auth/.*"))) == ("", 1, 2)


def test_no_network_is_told_soon(amazon: Amazon, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECON_FETCH_TEST_ENDPOINT", "https://127.0.0.1:9")
    clock = FakeClock()
    result = run(shop, clock=clock)
    assert result.exit_code == 3
    assert "no connection" in texts(result)
    assert clock.passed < 15 * 60
    assert {name for name, _, _ in result.problems} >= {"reimbursements", "pay_lines"}


def test_a_foreign_certificate_is_refused(amazon: Amazon, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    result = run(shop, "reimbursements", **JANUARY)
    assert "secure connection could not be made" in texts(result)
    assert not amazon.seen


# Credentials


def test_bad_credentials_end_one_api_and_not_the_other(
    amazon: Amazon, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    amazon.listed(PAY, 1, "20260101T000000Z", "20260102T000000Z", b"pay", pay=True)
    amazon.fate["_GET_FLAT_FILE_OFFAMAZONPAYMENTS_REFUND_DATA_"] = ["CANCELLED"] * 9
    monkeypatch.setenv("SP_API_REFRESH_TOKEN_SHOP_US", "Atzr|wrong-refresh-token")
    result = run(shop)
    assert [name for name, _, _ in result.problems] == ["selling_partner"]
    assert "the refresh token (SP_API_REFRESH_TOKEN) is not good" in texts(result)
    assert (result.exit_code, [path.parent.name for path in result.files]) == (2, ["pay_lines"])
    assert len(amazon.asked("POST", "/auth/.*")) == 1


def test_a_bad_amazon_pay_key(amazon: Amazon, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAZON_PAY_PUBLIC_KEY_ID_SHOP_US", "ANOTHERKEY")
    result = run(shop, "pay_lines", "pay_refunds")
    assert [(name, code) for name, _, code in result.problems] == [("amazon_pay", 2)]
    assert "InvalidRequestSignature" in texts(result)
    assert len(amazon.seen) == 1


def test_without_amazon_pay_the_rest_is_fetched(amazon: Amazon, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMAZON_PAY_PUBLIC_KEY_ID_SHOP_US")
    monkeypatch.delenv("AMAZON_PAY_PRIVATE_KEY_SHOP_US")
    result = run(shop, minutes=0.5)  # the time is over soon; what matters is that it begins
    assert "no credentials for the amazon pay API" in result.notes[0]
    assert len(amazon.asked("POST", ASK)) > 10
    with pytest.raises(UsageError, match="AMAZON_PAY_PRIVATE_KEY_SHOP_US"):
        run(shop, "pay_lines")


def test_wrong_use(amazon: Amazon, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="nonsense cannot be fetched"):
        run(shop, "nonsense")
    for bad in ("http://127.0.0.1:1", "https://example.com", "https://127.0.0.1.example.com", "https://localhost", "https://a@127.0.0.1"):  # fmt: skip
        monkeypatch.setenv("RECON_FETCH_TEST_ENDPOINT", bad)
        result = run(shop, "reimbursements")
        assert "for tests only" in texts(result), bad
        assert result.exit_code == 2


@pytest.mark.parametrize(
    ("first", "last", "wrong"),
    [
        ("2026-02-01", "2026-01-31", True),
        ("2026-02-02", None, True),  # tomorrow
        ("2026-02-01", None, False),  # today: settlements are listed up to now
        ("2026-01-31", "2026-01-31", False),
    ],
)
def test_days_that_are_none_are_refused(amazon: Amazon, shop: Path, first: str, last: str | None, wrong: bool) -> None:
    days = {"first": date.fromisoformat(first), "last": date.fromisoformat(last) if last else None}
    if wrong:
        with pytest.raises(UsageError, match="no day lies between"):
            run(shop, "reimbursements", **days)
        assert amazon.seen == []
    else:
        amazon.documents[REIMBURSED] = b"reimbursement-id\n1\n"
        assert run(shop, "reimbursements", **days).exit_code == 0


@pytest.mark.parametrize("made", [lambda shop: (shop / ".fetch").touch(), lambda shop: (shop / ".fetch/state.json").mkdir(parents=True)])  # fmt: skip
def test_a_place_that_cannot_be_written_or_read_is_told_in_words(
    amazon: Amazon, shop: Path, made: Callable[[Path], None]
) -> None:
    made(shop)
    with pytest.raises(RunError, match=r"\.fetch cannot be used: (File exists|Is a directory)"):
        run(shop, "reimbursements", **JANUARY)


def test_the_environment_cannot_turn_it_to_another_marketplace(
    amazon: Amazon, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    amazon.documents[REIMBURSED] = b"x\n"
    monkeypatch.setenv("SP_API_DEFAULT_MARKETPLACE", "DE")
    run(shop, "reimbursements", **JANUARY)
    assert json.loads(amazon.asked("POST", ASK)[0].body)["marketplaceIds"] == [fake.US]


def test_an_id_that_climbs_out_is_refused(amazon: Amazon, shop: Path) -> None:
    amazon.listed(SETTLEMENT, 1, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", b"x")
    amazon.made["700001"]["reportId"] = "../../../../tmp/x"
    result = run(shop, "settlement_lines")
    assert "cannot stand in a file name" in texts(result)
    assert fetched(shop) == []


# Crashes


def test_a_lost_state_is_rebuilt_from_the_files(amazon: Amazon, shop: Path) -> None:
    amazon.listed(SETTLEMENT, 1, "2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z", b"settled")
    run(shop, "settlement_lines")
    shutil.rmtree(shop / ".fetch")
    amazon.seen.clear()
    run(shop, "settlement_lines")
    assert not amazon.asked("GET", FILE)
    assert len(fetched(shop)) == 1


def test_a_changed_file_is_never_overwritten(amazon: Amazon, shop: Path) -> None:
    from recon_lib.fetch.collect import place

    (shop / "part").write_bytes(b"new")
    target = shop / "reports/fetched/x/name.txt.gz"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    beside = place(shop / "part", target, hashlib.sha256(b"new").hexdigest())
    assert (target.read_bytes(), beside.read_bytes()) == (b"old", b"new")
    assert beside.name == f"name-{hashlib.sha256(b'new').hexdigest()[:8]}.txt.gz"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to see which file a handle is")
def test_every_file_is_forced_to_disk_before_it_gets_its_name(
    amazon: Amazon, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    amazon.documents[REIMBURSED] = b"x\n"
    steps: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def forced(handle: int) -> None:
        steps.append(("forced", os.readlink(f"/proc/self/fd/{handle}")))
        fsync(handle)

    def named(source: Path, target: Path) -> None:
        steps.append(("named", str(source)))
        replace(source, target)
        steps.append(("folder", str(Path(target).parent)))

    monkeypatch.setattr(os, "fsync", forced)
    monkeypatch.setattr(os, "replace", named)
    run(shop, "reimbursements", **JANUARY)
    names = [n for n, (what, _) in enumerate(steps) if what == "named"]
    assert len(names) == 4  # the state three times, the file once
    for before, n in zip([0, *names], names, strict=False):
        assert ("forced", steps[n][1]) in steps[before:n]
        assert steps[n + 2] == ("forced", steps[n + 1][1])


def test_two_runs_at_once(amazon: Amazon, shop: Path) -> None:
    from filelock import FileLock

    (shop / ".fetch").mkdir()
    with FileLock(shop / ".fetch/lock"), pytest.raises(HeldError, match="another run fetches"):
        run(shop)


class PowerCut(BaseException):
    """The program ends here."""


def power_cut(moment: int, patch: pytest.MonkeyPatch) -> None:
    """Ends the program at the so-many-th moment: after an answer arrived, before and after a file is renamed."""
    left = [moment]

    def step() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise PowerCut

    send, replace = httpx.Client.send, os.replace

    def sent(self: httpx.Client, *given: object, **named: object) -> httpx.Response:
        answer = send(self, *given, **named)  # type: ignore[arg-type]
        step()
        return answer

    def replaced(source: str, target: str) -> None:
        step()
        replace(source, target)
        step()

    patch.setattr(httpx.Client, "send", sent)
    patch.setattr(os, "replace", replaced)


def test_a_power_cut_at_every_moment(amazon: Amazon, shop: Path) -> None:
    amazon.documents = {REIMBURSED: b"a\n"}
    wanted = ("settlement_lines", "reimbursements")
    moments = 0
    for moment in range(1, 200):
        amazon.made.clear()
        amazon.listed(SETTLEMENT, 1, "2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z", b"s\n")
        folder = shop.parent / f"shop-{moment}"
        shutil.copytree(shop, folder)
        with pytest.MonkeyPatch.context() as patch:
            power_cut(moment, patch)
            try:
                run(folder, *wanted, **JANUARY)
            except PowerCut:
                moments += 1
            else:
                break
        loaded = len(amazon.asked("GET", FILE))
        result = run(folder, *wanted, **JANUARY)
        assert (result.exit_code, result.waiting) == (0, 0), (moment, texts(result))
        assert [(folder / "reports/fetched" / name).read_bytes() for name in fetched(folder)] == [b"a\n", b"s\n"]
        assert sorted(one["reportType"] for one in amazon.made.values()) == [REIMBURSED, SETTLEMENT], moment
        assert len(amazon.asked("GET", FILE)) - loaded <= 2
        assert run(folder, *wanted, **JANUARY).files == []
    assert moments > 20


def command(shop: Path, amazon: Amazon, *more: str) -> list[str]:
    return [sys.executable, "-m", "recon_lib", "fetch", str(shop), *more]


def surroundings(amazon: Amazon, tmp: Path) -> dict[str, str]:
    """For a run in a process of its own: it lives in the real time."""
    amazon.clock = lambda: datetime.now(UTC)
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, **environment(amazon), "RECON_STORE": str(tmp / "store"), "TMPDIR": str(tmp)}


def test_killed_at_many_moments_it_ends_the_same_and_loads_nothing_twice(
    amazon: Amazon, shop: Path, tmp_path: Path
) -> None:
    amazon.documents = {REIMBURSED: b"a\n" * 5000, RETURNS: b"b\n", LEDGER: gzip.compress(b"c\n" * 50_000)}
    wanted = [word for name in ("reimbursements", "customer_returns", "ledger_detail", "settlement_lines") for word in ("--family", name)]  # fmt: skip
    days = (datetime.now(UTC) - timedelta(days=9)).date().isoformat()
    amazon.listed(SETTLEMENT, 1, f"{days}T12:00:00Z", f"{days}T13:00:00Z", b"s\n" * 99)
    env = surroundings(amazon, tmp_path)
    # Each request in turn is the last thing the run does: killed while Amazon waits with the answer, or just after it.
    for victim in (3, 6):
        died = subprocess.Popen(
            command(shop, amazon, "--from", days, *wanted), cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )  # fmt: skip
        target, until = len(amazon.seen) + victim, time.monotonic() + 60
        while died.poll() is None and len(amazon.seen) < target and time.monotonic() < until:
            time.sleep(0.0005)
        died.kill()
        died.wait()
    done = subprocess.run(
        command(shop, amazon, "--from", days, *wanted), cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    kinds = sorted(path.split("/")[0] for path in fetched(shop))
    assert kinds == ["customer_returns", "ledger_detail", "reimbursements", "settlement_lines"]
    assert {(shop / "reports/fetched" / name).read_bytes() for name in fetched(shop)} == {
        *amazon.documents.values(), b"s\n" * 99,
    }  # fmt: skip
    types = [json.loads(one.body)["reportType"] for one in amazon.asked("POST", ASK)]
    made = [one["reportType"] for one in amazon.made.values()]
    assert sorted(made) == sorted({*types, SETTLEMENT}), "a report was asked for twice"
    again = subprocess.run(
        command(shop, amazon, "--from", days, *wanted), cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert (again.returncode, again.stdout) == (0, "")
    assert not list((shop / ".fetch").glob("part-*"))


# Secrets, and the way into a packet

PLANTED = ("PLANTED", fake.CLIENT_SECRET, fake.REFRESH, fake.PAY_KEY_ID)


def test_no_secret_in_any_output(amazon: Amazon, shop: Path, tmp_path: Path) -> None:
    """Good and bad answers, one of which quotes the secrets back; everything that is written is searched."""
    amazon.documents[REIMBURSED] = b"x\n"
    quoted = fake.errors(
        400, "InvalidInput", f"{fake.CLIENT_ID} {fake.CLIENT_SECRET} {fake.REFRESH} Atza|PLANTED-access-0"
    )
    amazon.fault("POST", ASK, quoted, after=1)
    amazon.fault("GET", FILE, fake.status(403, b"PLANTED"), times=2)
    amazon.fault(
        "GET",
        "/live/v2/reports",
        fake.status(400, json.dumps({"message": f"{fake.PAY_KEY_ID} {amazon.pay_pem}"}).encode()),
    )
    outputs = []
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        outputs.append(texts(run(shop, "reimbursements", "customer_returns", "pay_lines", **JANUARY)))
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(logging.WARNING)
    outputs.append(log.getvalue())
    env = surroundings(amazon, tmp_path)
    day = (datetime.now(UTC) - timedelta(days=9)).date().isoformat()
    bad = {"SP_API_REFRESH_TOKEN_SHOP_US": fake.REFRESH + "x", "AMAZON_PAY_PRIVATE_KEY_SHOP_US": amazon.pay_pem[:500]}
    for change in ({}, bad):
        words = command(
            shop, amazon, "--family", "reimbursements", "--family", "pay_lines", "--from", day, "--minutes", "1"
        )
        done = subprocess.run(words, cwd=ROOT, env={**env, **change}, capture_output=True, text=True)
        outputs += [done.stdout, done.stderr]
        assert "Traceback" not in done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "state.json" for path in files)
    outputs += [path.read_bytes().decode("latin-1") + str(path) for path in files]
    lines = [line for line in amazon.pay_pem.splitlines() if not line.startswith("-")]
    for text in outputs:
        assert not [planted for planted in (*PLANTED, *lines) if planted in text], text[:2000]
    assert "***" in outputs[0]


def test_what_is_fetched_makes_the_same_packet_as_files_put_there_by_hand(
    amazon: Amazon, shop: Path, tmp_path: Path
) -> None:
    from polars.testing import assert_frame_equal

    documents = {
        REIMBURSED: DEMO / "fba/180021020412.txt", RETURNS: DEMO / "fba/customer returns.txt",
        LEDGER: DEMO / "fba/ledger-detail-2.csv.gz", FEES: DEMO / "fba/fee-preview.txt",
        "GET_FBA_FULFILLMENT_REMOVAL_SHIPMENT_DETAIL_DATA": DEMO / "fba/removal-shipments.txt",
        "GET_FBA_STORAGE_FEE_CHARGES_DATA": DEMO / "fba/storage-fees.txt",
    }  # fmt: skip
    amazon.documents = {kind: path.read_bytes() for kind, path in documents.items()}
    amazon.zipped.add(LEDGER)
    settled = sorted((DEMO / "settlements/2026-01").glob("*.txt"))
    paid = sorted((DEMO / "amazon-pay/2026-01").glob("*.csv"))
    for n, path in enumerate(settled):
        amazon.listed(SETTLEMENT, n, "2026-01-01T00:00:00Z", "2026-01-15T00:00:00Z", path.read_bytes())
    for n, path in enumerate(paid):
        amazon.listed(PAY, 100 + n, "20260101T000000Z", "20260102T000000Z", path.read_bytes(), pay=True)
    shutil.copy(ROOT / "data/sample/account.yml", shop / "account.yml")
    (shop / "account.yml").write_text(
        (shop / "account.yml").read_text().replace("account: demo-us", "account: shop-us")
    )
    shutil.copytree(ROOT / "data/sample/books", shop / "books")
    by_hand = tmp_path / "by-hand"
    shutil.copytree(shop, by_hand)
    for path in [*documents.values(), *settled, *paid]:
        (by_hand / "reports").mkdir(exist_ok=True)
        shutil.copy(path, by_hand / "reports" / path.name)

    families = ["reimbursements", "customer_returns", "ledger_detail", "fee_preview", "removal_shipments", "storage_fees",
                "settlement_lines", "pay_lines"]  # fmt: skip
    result = run(shop, *families)
    assert texts(result) == ""
    assert len({path.read_bytes() for path in result.files}) == len(documents) + len(settled) + len(paid)

    env = surroundings(amazon, tmp_path)
    checked = subprocess.run(
        [sys.executable, "-m", "recon_lib", "check", str(shop / "reports")], cwd=ROOT, env=env, capture_output=True, text=True
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    from recon_lib import open_account, reconcile

    found = [
        reconcile(open_account(folder, "2026-01-31", store=tmp_path / "store")).findings.drop("evidence")
        for folder in (shop, by_hand)
    ]
    assert found[0].height > 20
    order = found[0].columns
    assert_frame_equal(found[0].sort(order), found[1].sort(order))


def test_without_the_extra_it_says_what_to_install(shop: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "class Gone:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] in ('sp_api', 'httpx', 'cryptography', 'keyring'): raise ImportError(name, name=name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "from recon_lib.__main__ import main\n"
        f"sys.exit(main(['fetch', {str(shop)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert ".venv/bin/python .ci/install.py download" in done.stderr


def test_a_reader_that_went_away_is_no_full_disk(amazon: Amazon, shop: Path, tmp_path: Path) -> None:
    amazon.documents[REIMBURSED] = b"x\n"
    day = (datetime.now(UTC) - timedelta(days=9)).date().isoformat()
    words = command(shop, amazon, "--family", "reimbursements", "--from", day)
    reads, writes = os.pipe()
    os.close(reads)  # as of `| head` that has ended
    done = subprocess.run(
        words, cwd=ROOT, env=surroundings(amazon, tmp_path), stdout=writes, stderr=subprocess.PIPE, text=True
    )
    os.close(writes)
    assert (done.returncode, done.stderr) == (3, "")
    assert [name for name in fetched(shop) if name.endswith("_50000.txt")] != [], "what arrived stays"


def test_a_stop_ends_with_3_and_is_continued(amazon: Amazon, shop: Path, tmp_path: Path) -> None:
    amazon.documents[REIMBURSED] = b"x\n"
    amazon.slow = 1
    env = surroundings(amazon, tmp_path)
    day = (datetime.now(UTC) - timedelta(days=9)).date().isoformat()
    words = command(shop, amazon, "--family", "reimbursements", "--from", day)
    child = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not amazon.asked("GET", LOOK) and child.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 3
    assert "Traceback" not in said
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.strip().endswith("_50000.txt")
    assert json.loads(done.stderr.splitlines()[-1])["event"] == "fetch"
    assert len(amazon.asked("POST", ASK)) == 1
