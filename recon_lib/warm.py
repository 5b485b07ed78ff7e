"""What one worker keeps for many packets: a process with all imports done, and the compiled page template.

`keep()` switches it on for this process (`recon daily` does, in its workers). Every packet still runs in a process of
its own: the waiting one splits off a child for it (`kernel.serve`), which starts in hundredths of a second. Where a
process cannot be split off safely (all but Linux), each packet gets a fresh kernel as in `recon packet`.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from recon_lib.errors import RunError

if TYPE_CHECKING:
    from recon_lib.export import Exporter

POSSIBLE = sys.platform == "linux" and hasattr(os, "pidfd_open")
START = 120  # seconds until the waiting process must be ready


class Kernel:
    """A kernel that was split off; looks like `subprocess.Popen` to whoever manages it."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._handle = os.pidfd_open(pid)  # names this very process, also after its number was given away again

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._handle], [], [], 0)[0]:
            self._ended()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._handle], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("kernel", timeout or 0)
            self._ended()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _ended(self) -> None:
        # Its exit code goes to its parent, the waiting process: here it only matters that it has ended.
        self.returncode = -signal.SIGKILL
        os.close(self._handle)


class Server:
    """The waiting process of this worker; started at the first packet and anew when it is gone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._process: subprocess.Popen[bytes] | None = None

    def kernel(self, connection_file: str, log: str, ipython: str) -> Kernel:
        """A kernel for one packet. RunError where none starts."""
        asked = {"connection_file": connection_file, "cwd": str(self.root), "log": log, "ipython": ipython}
        for _ in range(2):
            process = self._running()
            assert process.stdin is not None
            try:
                process.stdin.write(json.dumps(asked).encode() + b"\n")
                process.stdin.flush()
                return Kernel(int(self._answer(process)))
            except (OSError, ValueError):
                self.stop()
        raise RunError("no kernel can be started", do="look for a lack of memory or processes, then run again")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            environment = environment_for(self.root)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "recon_lib.kernel", "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, cwd=self.root, env=environment,
            )  # fmt: skip
            if self._answer(self._process) != b"ready":
                self.stop()
                raise RunError("the process that starts kernels does not come up", do="run 'recon packet' to see why")
        return self._process

    def _answer(self, process: subprocess.Popen[bytes]) -> bytes:
        """One line of the process; empty where it has ended or says nothing in time."""
        assert process.stdout is not None
        told, until = b"", time.monotonic() + START
        while not told.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                return b""
            if not (byte := os.read(process.stdout.fileno(), 1)):
                return b""
            told += byte
        return told.strip()

    def stop(self) -> None:
        """Ends the waiting process, and with it what it split off."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not written yet goes nowhere
                    pipe.close()


class Kept:
    """What this process keeps."""

    def __init__(self, root: Path) -> None:
        self.server = Server(root) if POSSIBLE else None
        self._exporter: Exporter | None = None

    def exporter(self) -> Exporter:
        if self._exporter is None:
            from recon_lib.export import Exporter

            self._exporter = Exporter()
        return self._exporter


_kept: Kept | None = None


def keep(root: Path) -> None:
    """From now on this process keeps what packets can share. Call it once, in a worker."""
    global _kept
    if _kept is None:
        _kept = Kept(root)
        atexit.register(let_go)


def let_go() -> None:
    """Ends what is kept."""
    global _kept
    kept, _kept = _kept, None
    if kept is not None and kept.server is not None:
        kept.server.stop()


def kept() -> Kept | None:
    return _kept


def early(connection_file: str, root: Path, environment: dict[str, str], log: IO[str]) -> subprocess.Popen[bytes]:
    """A kernel for one packet that does its imports at once, and its work when `go` says that its connection is written."""
    own = {**environment, "JPY_PARENT_PID": str(os.getpid())}  # it ends by itself when this process is gone
    command = [sys.executable, "-m", "recon_lib.kernel", "--early", "-f", connection_file]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=root, env=own, start_new_session=True
    )


def go(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Lets an early kernel begin; one that has died meanwhile is found dead by whoever waits for it."""
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.write(b"go\n")
        process.stdin.close()
    return process


# A notebook reads files and nothing else: it needs no one's credentials.
_SECRET = re.compile(
    r"SECRET|TOKEN|PASSW|CREDENTIAL|PRIVATE|(API|ACCESS|ACCOUNT)_?KEY|^(AWS|AZURE|GOOGLE|LWA|SP_API|AMAZON_PAY|RECON_NOTIFY)"
)


def environment_for(root: Path, ipython: str = "") -> dict[str, str]:
    """The environment in which every notebook runs: that of the run, without what looks like a secret."""
    open_to_all = {name: value for name, value in os.environ.items() if not _SECRET.search(name.upper())}
    environment: dict[str, Any] = {**open_to_all, "PYTHONHASHSEED": "0", "MPLBACKEND": "agg"}
    if ipython:
        environment["IPYTHONDIR"] = ipython
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return environment
