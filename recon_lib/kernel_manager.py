"""The kernel of one notebook, begun and ended: a process of its own, or one that the waiting process splits off."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, ClassVar

from recon_lib import warm

READY = 120  # seconds until a kernel must answer


def start(short: Path, root: Path, said: IO[str]) -> Any:
    """A manager with its kernel, in the folder `root`; its connection lies in `short`, what it prints goes to `said`."""
    environment = warm.environment_for(root, str(short / "ipython"))
    file = str(short / "k.json")
    kept = warm.kept()
    shared = kept.server if kept is not None else None
    # Before anything is imported here: what the kernel imports takes longer.
    early = None if shared is not None else warm.early(file, root, environment, said)
    try:
        return _managed(short, root, environment, said, file, shared, early)
    except BaseException:
        if early is not None:
            with early:
                early.kill()
        raise


def _managed(
    short: Path, root: Path, environment: dict[str, str], said: IO[str], file: str, shared: warm.Server | None,
    early: subprocess.Popen[bytes] | None,
) -> Any:  # fmt: skip
    """A manager with its kernel: the one that was begun early, or one that the waiting process splits off."""
    from jupyter_client.asynchronous.client import AsyncKernelClient
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync

    class Client(AsyncKernelClient):
        async def wait_for_ready(self, timeout: float | None = None) -> None:  # type: ignore[override]
            await _ready(self, timeout or READY)

    class Manager(AsyncKernelManager):
        clients: ClassVar[list[Any]] = []  # papermill keeps its client to itself, and would leave its sockets open

        def client(self, **kwargs: Any) -> Any:
            self.clients.append(super().client(**kwargs))
            return self.clients[-1]

        @property
        def kernel_spec(self) -> KernelSpec:
            return KernelSpec(argv=[sys.executable], display_name="packet", language="python")

    transport = "ipc" if os.name == "posix" else "tcp"
    manager = Manager(connection_file=file, transport=transport, client_factory=Client)
    if shared is not None:
        manager.provisioner = _given(manager, lambda: shared.kernel(file, said.name, str(short / "ipython")))
    elif early is not None:
        manager.provisioner = _given(manager, lambda: warm.go(early))
    run_sync(manager.start_kernel)(cwd=str(root), env=environment, stdout=said, stderr=said)
    return manager


async def _ready(client: Any, longest: float) -> None:
    """Waits until the kernel answers and its outputs arrive; RuntimeError where it died or says nothing in time.

    As jupyter_client has it, without its last step: 0.2 seconds of listening for what nobody would use.
    """
    until = time.monotonic() + longest
    while True:
        client.kernel_info()
        with suppress(queue.Empty):
            if (await client.shell_channel.get_msg(timeout=1))["msg_type"] == "kernel_info_reply":
                await client.iopub_channel.get_msg(timeout=0.2)
                return
        if not await client.parent.is_alive():
            raise RuntimeError("the kernel died before it answered")
        if time.monotonic() > until:
            raise RuntimeError(f"the kernel did not answer in {longest:.0f} seconds")


def _given(manager: Any, kernel: Callable[[], Any]) -> Any:
    """What makes the manager take the process that `kernel` gives, in place of one it starts itself."""
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

    class Given(LocalProvisioner):
        async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
            self.process = process = kernel()
            self.pid = self.pgid = process.pid  # it leads a group of its own
            self.cwd = kwargs.get("cwd")
            return self.connection_info

    return Given(kernel_id="packet", kernel_spec=manager.kernel_spec, parent=manager)


def stop(manager: Any) -> None:
    """Ends the kernel at once, and closes what was opened to talk to it."""
    from jupyter_core.utils import run_sync

    if (process := getattr(manager.provisioner, "process", None)) is not None:
        process.kill()  # here, because the manager looks for its end only every tenth of a second
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
            manager.provisioner.process = None  # its number may be somebody else's now
    run_sync(manager.shutdown_kernel)(now=True)
    while manager.clients:
        manager.clients.pop().stop_channels()
