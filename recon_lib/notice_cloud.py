"""What notices need of packets that lie in a cloud: the newest ones near, and the memory as an object beside them.

One run tells at a time: the one that holds the lease `<out>/.notices/.lock`. The memory is written only while it is held,
and replaces only the object that was read: what another run noted is never lost.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from recon_lib import lease, manifest, mirror, paths
from recon_lib.account_job import Outcome
from recon_lib.cloud import Cloud
from recon_lib.cloud_problems import Differs
from recon_lib.errors import HeldError, ReconError, RunError
from recon_lib.notice_memory import DAMAGED, NAME, Memory, Told, packed, parsed

HOME = ".notices"  # where the lease lies
NEEDED = (manifest.NAME, "findings.parquet")


class CloudMemory(Memory):
    """The object `.notices.json` in `place`; `out` is a local folder that stands for `place`. ReconErrors of `Cloud`."""

    def __init__(self, out: Path, place: Cloud, mine: lease.Lease) -> None:
        super().__init__(out)
        self._place, self._lease = place, mine
        self._content, self._etag = b"", ""
        with suppress(Differs):  # nobody was told anything yet
            self._content, self._etag = place.read(NAME)

    def read(self) -> tuple[dict[str, Told], str]:
        return parsed(self._content) if self._etag else ({}, "")

    def write(self, told: dict[str, Told], *, keep_old: bool = False) -> None:
        """RunError where another run wrote it since it was read, or holds the lease."""
        self.confirm()
        if keep_old:
            self._place.replace(DAMAGED, self._content)
        content = packed(told)
        try:
            self._etag = self._place.write(NAME, content, over=self._etag)
        except Differs:
            raise RunError(
                "another run wrote it meanwhile", do="nothing: the next run reads what stands there"
            ) from None
        self._content = content

    def confirm(self) -> None:
        self._lease.renew()

    def said(self, path: Path) -> str:
        return _said(self._place.url, self.out, path)


class NoMemory(Memory):
    """Of a storage that cannot be used. Telling goes before order: what is known without it is told, and each time."""

    def __init__(self, out: Path, url: str, why: ReconError) -> None:
        super().__init__(out)
        self._url, self._why = url, why

    def read(self) -> tuple[dict[str, Told], str]:
        return {}, f"no packet and no {NAME} could be looked at, only runs that went wrong are told: {self._why}"

    def write(self, told: dict[str, Told], *, keep_old: bool = False) -> None:
        raise self._why

    def said(self, path: Path) -> str:
        return _said(self._url, self.out, path)


def _said(url: str, out: Path, path: Path) -> str:
    return f"{url}/{path.relative_to(out).as_posix()}"


@contextmanager
def at_hand(url: str, outcomes: tuple[Outcome, ...], patience: float) -> Iterator[tuple[Memory, tuple[Outcome, ...]]]:
    """The memory, and the outcomes with the paths of copies that hold what is told about; `Memory.out` stands for `url`.

    Where the storage cannot be used the outcomes come without packets, and the memory says why.

    Raises:
        HeldError: another run was telling for `patience` seconds.
    """
    with ExitStack() as stack:
        near = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recon-notices-"))).resolve()
        memory: Memory
        try:
            place = Cloud(url)
            mine = _alone(place.below(HOME), stack, patience)
            memory = CloudMemory(near, place, mine)
            with ThreadPoolExecutor(16) as pool:
                outcomes = tuple(pool.map(partial(_brought, place, near), outcomes))
        except HeldError:
            raise
        except ReconError as problem:
            memory = NoMemory(near, url, problem)
            outcomes = tuple(replace(outcome, packets=()) for outcome in outcomes)
        yield memory, outcomes


def _alone(home: Cloud, stack: ExitStack, patience: float) -> lease.Lease:
    """Waits while another run tells; the lease of one that died ends by itself."""
    lasts, until = paths.lease_seconds(), time.monotonic() + patience
    while True:
        try:
            return stack.enter_context(lease.held(home, "", lasts))
        except HeldError:
            if time.monotonic() >= until:
                raise HeldError("another run is telling", do="nothing: what is new is told by the next run") from None
            time.sleep(0.5)


def _brought(place: Cloud, near: Path, outcome: Outcome) -> Outcome:
    """Brings what is told about the newest packet; of the others only that they are there."""
    if not outcome.account:
        return outcome
    home, folder = place.below(outcome.account), near / outcome.account
    there = home.objects()
    for name in mirror.packets(there):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / manifest.NAME).touch()
    moved = tuple(replace(packet, path=folder / packet.path.name) for packet in outcome.packets)
    for packet in moved[-1:]:
        wanted = {f"{packet.path.name}/{name}" for name in NEEDED}
        with suppress(Differs):  # changed or gone this moment: told as a packet that cannot be read
            home.fetch({name: found for name, found in there.items() if name in wanted}, folder)
    return replace(outcome, packets=moved)
