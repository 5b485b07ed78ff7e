"""One account held by one run, in storage without file locks: an object `.lock` with a sign of life.

The holder writes a token that nobody else has and renews it; a lease that was not renewed for `lasts` seconds (by the clock
of the server) is left, and may be taken. Taking, renewing and giving back are writes with conditions: of two, one succeeds.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from recon_lib.cloud import Cloud
from recon_lib.cloud_problems import Differs, no_conditions
from recon_lib.errors import HeldError, ReconError, RunError

NAME, PROBE = ".lock", ".recon-probe"
_proved: set[str] = set()


class Lease:
    """A lease that this process holds; `renew` says whether it still does."""

    def __init__(self, home: Cloud, run: str, lasts: float) -> None:
        self.home, self.lasts = home, lasts
        self.body = {"run": run, "token": uuid.uuid4().hex, "lasts": lasts}
        self._etag = ""
        self._writing, self._over = threading.Lock(), threading.Event()

    def take(self, over: str) -> None:
        """Differs where another one was quicker."""
        self._etag = self.home.write(NAME, self._bytes(), over=over)
        threading.Thread(target=self._keep, daemon=True, name="lease").start()

    def renew(self) -> None:
        """A sign of life. RunError where the lease is another's by now: then nothing more may be written."""
        with self._writing:
            if self._over.is_set():
                raise _lost(self.home)
            self.body["signs"] = int(self.body.get("signs", 0)) + 1  # type: ignore[call-overload]
            try:
                self._etag = self.home.write(NAME, self._bytes(), over=self._etag)
            except Differs:
                self._over.set()
                raise _lost(self.home) from None

    def give_back(self) -> None:
        with self._writing:
            if not self._over.is_set():
                self._over.set()
                with suppress(Differs, ReconError):  # it ends by itself
                    self.home.write(
                        NAME, json.dumps({"free": True, "token": self.body["token"]}).encode(), over=self._etag
                    )

    def _bytes(self) -> bytes:
        return json.dumps(self.body, sort_keys=True).encode()

    def _keep(self) -> None:
        while not self._over.wait(self.lasts / 4):
            with suppress(ReconError):  # the storage may come back before the lease ends; else the next write says so
                self.renew()


@contextmanager
def held(home: Cloud, run: str, lasts: float) -> Iterator[Lease]:
    """Holds the account whose packets lie in `home`.

    `run`: a name for the whole call; the lease of a worker of the same call that died is waited for, not reported.

    Raises:
        HeldError: another run holds it. UsageError: the storage does not keep the conditions of a write.
    """
    prove(home)
    mine = Lease(home, run, lasts)
    while True:
        over, wait = _free(home, run)
        if wait:
            time.sleep(wait)
            continue
        try:
            mine.take(over)
            break
        except Differs:  # another one was quicker: whose it is now is looked at
            time.sleep(0.2)
    try:
        yield mine
    finally:
        mine.give_back()


def _free(home: Cloud, run: str) -> tuple[str, float]:
    """(the etag of the lease to be replaced, seconds to wait before looking again); HeldError where another run has it."""
    try:
        content, etag = home.read(NAME)
        now, age = home.age(NAME)
    except Differs:
        return "", 0.0
    try:
        told: dict[str, Any] = json.loads(content)
        lasts = float(told.get("lasts", 0))
    except (ValueError, AttributeError, TypeError):
        raise RunError(f"{home}/{NAME} is no lease", do="see what wrote it, and delete it when no run is on") from None
    if now != etag:
        return "", 0.2
    if told.get("free") or age > lasts + 1:  # the server tells whole seconds
        return etag, 0.0
    if run and told.get("run") == run:
        return "", min(1.0, lasts / 4)
    raise _held(home, lasts)


def prove(place: Cloud) -> None:
    """UsageError where the storage, or this client, does not keep the conditions of a write. Tried once a process."""
    if place.url in _proved:
        return
    with suppress(Differs):
        place.write(PROBE, b"1")
    for number, over in enumerate(("", '"00000000000000000000000000000000"')):
        with suppress(Differs):
            place.write(PROBE, f"never {number}".encode(), over=over)
            raise no_conditions(place.url)
    _proved.add(place.url)


def _held(home: Cloud, lasts: float) -> HeldError:
    return HeldError(
        f"another run holds the account {home.prefix.rpartition('/')[2]}",
        do=f"wait until it has ended; the lease of a dead run ends by itself after {lasts:.0f} seconds",
    )


def _lost(home: Cloud) -> RunError:
    return RunError(
        f"the lease {home}/{NAME} was not renewed in time and is another run's now",
        hoped="a connection that lasts",
        do="nothing more was written; run again",
    )
