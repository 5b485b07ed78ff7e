"""One HTTP client for everything: it keeps to Amazon's rates, waits and tries again, and never outlasts the run's time limit.

It stands below python-amazon-sp-api too, as its transport: that library takes a broken answer for an empty one, has no time
limits of its own and does not try again. Addresses, headers and bodies are never logged.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from recon_lib.errors import UsageError
from recon_lib.fetch.problems import OutOfTime, Unanswered

TEST_ENDPOINT = "RECON_FETCH_TEST_ENDPOINT"
TIMEOUT = httpx.Timeout(60, connect=20)
TRIES, MOST_THROTTLED, LONGEST = 6, 12, 120.0
# Documented usage plans: requests a second and how many at once; an answer's own x-amzn-RateLimit-Limit goes before.
RATES = (
    ("POST", r"/reports/2021-06-30/reports", 1 / 60, 15),
    ("GET", r"/reports/2021-06-30/reports", 1 / 45, 10),
    ("GET", r"/reports/2021-06-30/reports/[^/]+", 2.0, 15),
    ("GET", r"/reports/2021-06-30/documents/[^/]+", 1 / 60, 15),
    ("GET", r"/fba/inbound/v0/[A-Za-z]+", 2.0, 30),
)
Headers = Mapping[str, str] | Callable[[], Mapping[str, str]]


class Clock:
    """Time as the run sees it; a test gives another one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def ticks(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class _Bucket:
    rate: float
    most: int
    left: float
    at: float


class Wire:
    """`request` is what the library calls as its transport. `minutes`: how long the whole run may take."""

    def __init__(self, clock: Clock, minutes: float) -> None:
        for name in ("httpx", "httpcore", "sp_api", "urllib3"):  # they log addresses, and with DEBUG headers
            logging.getLogger(name).setLevel(logging.CRITICAL)
        for name in ("sp_api.base.client", "sp_api.auth.access_token_client", "httpcore.connection", "httpcore.http11"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.clock, self.end = clock, clock.ticks() + 60 * minutes
        self.http = httpx.Client(timeout=TIMEOUT, follow_redirects=False, headers={"accept-encoding": "identity"})
        self.last_body = b""
        self._buckets: dict[int, _Bucket] = {}
        self._down: set[str] = set()

    def close(self) -> None:
        self.http.close()

    def request(
        self, method: str, url: str, *, params: Any = None, data: Any = None, content: Any = None, headers: Headers | None = None
    ) -> httpx.Response:  # fmt: skip
        """The answer to one request, whatever its status below 500 except 429.

        Raises:
            Unanswered: no usable answer. Asking for a report is not tried again here where Amazon may have heard it.
            OutOfTime: waiting on would outlast the run.
        """
        parts = urlsplit(url)
        once = method == "POST" and parts.path.endswith("/reports")
        throttled = tried = 0
        while True:
            self._pace(method, parts.path)
            made = headers() if callable(headers) else headers
            try:
                answer = self.http.request(method, url, params=params or None, data=data, content=content, headers=made)
            except httpx.TransportError as problem:
                heard = not isinstance(problem, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                why, wait = told(problem), 2.0**tried
                if not heard and parts.netloc in self._down:
                    tried = TRIES  # it was tried often enough a moment ago
            else:
                self._learn(method, parts.path, answer)
                if answer.status_code != 429 and answer.status_code < 500:
                    self.last_body = answer.content
                    self._down.discard(parts.netloc)
                    return answer
                why, heard = f"it answered {answer.status_code}", answer.status_code != 429
                wait = _stated_wait(answer) or 2.0**tried
                if answer.status_code == 429:
                    throttled += 1
                    wait = max(wait, self._interval(method, parts.path), 2.0**throttled)
                    tried -= 1
            tried += 1
            if (once and heard) or tried >= TRIES or throttled >= MOST_THROTTLED:
                if not heard:
                    self._down.add(parts.netloc)
                raise Unanswered(
                    f"{parts.hostname} gave no usable answer: {why}",
                    do="nothing, the next run tries again; if it stays so, look at the network and at Amazon's status page",
                )
            self.wait(min(wait, LONGEST) * random.uniform(1, 1.1))

    def wait(self, seconds: float) -> None:
        """Sleeps, or raises OutOfTime where that would outlast the run."""
        if self.clock.ticks() + seconds > self.end:
            raise OutOfTime(
                "the time limit of the run is reached",
                do="run it again, it goes on where it stopped; or give more --minutes",
            )
        self.clock.sleep(seconds)

    def _bucket(self, method: str, path: str) -> _Bucket | None:
        for number, (verb, form, rate, most) in enumerate(RATES):
            if verb == method and re.fullmatch(form, path):
                return self._buckets.setdefault(number, _Bucket(rate, most, most, self.clock.ticks()))
        return None

    def _pace(self, method: str, path: str) -> None:
        bucket = self._bucket(method, path)
        if bucket is None:
            return
        now = self.clock.ticks()
        bucket.left = min(bucket.most, bucket.left + (now - bucket.at) * bucket.rate)
        bucket.at = now
        if bucket.left < 1:
            self.wait((1 - bucket.left) / bucket.rate)
            bucket.left, bucket.at = 1, self.clock.ticks()
        bucket.left -= 1

    def _interval(self, method: str, path: str) -> float:
        bucket = self._bucket(method, path)
        return 1 / bucket.rate if bucket else 1.0

    def _learn(self, method: str, path: str, answer: httpx.Response) -> None:
        bucket = self._bucket(method, path)
        try:
            rate = float(answer.headers.get("x-amzn-RateLimit-Limit", ""))
        except ValueError:
            return
        if bucket and 0.0001 < rate < 10_000:
            bucket.rate = rate


def told(problem: httpx.TransportError) -> str:
    """A transport problem in words; its own text may hold addresses."""
    if isinstance(problem, httpx.TimeoutException):
        return "it did not answer in time"
    if isinstance(problem, httpx.ConnectError):
        return "a secure connection could not be made" if "certificate" in str(problem).lower() else "no connection"
    return "the connection broke off"


def _stated_wait(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if re.fullmatch(r"[0-9]{1,5}(\.[0-9]+)?", text) else 0.0


def endpoint(usual: str) -> str:
    """Where requests go: Amazon's own address, or in tests a server on this machine and nowhere else."""
    chosen = os.environ.get(TEST_ENDPOINT)
    if not chosen:
        return usual
    parts = urlsplit(chosen)
    try:
        near = ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        near = False
    if not near or parts.scheme != "https" or parts.path not in ("", "/") or parts.username:
        raise UsageError(
            f"{TEST_ENDPOINT} is for tests only and may name nothing but this machine",
            hoped="an address like https://127.0.0.1:8443",
            do=f"unset {TEST_ENDPOINT}",
        )
    return chosen.rstrip("/")
