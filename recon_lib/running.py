"""Running one notebook in a fresh process and writing its page. All of it is slow to import: the order is the point.

The kernel is started first, before its connection is known. While it boots, papermill is imported; while it works, a
thread imports nbconvert, compiles the template and compresses plotly.js. papermill saves nothing in between: the page is
all that is kept.
A worker that makes many packets keeps the template and a process that splits off kernels (`warm`).
"""

from __future__ import annotations

import gc
import logging
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

from recon_lib import errors, manifest, warm
from recon_lib.errors import ReconError, RunError

if TYPE_CHECKING:
    from recon_lib.export import Exporter

LONGEST = 6 * 3600  # seconds for one cell
READY = 120  # seconds until a kernel must answer


@dataclass(frozen=True)
class Ran:
    """A notebook that ran to its end, and what writes its page."""

    notebook: Any
    exporter: Exporter

    def page(self, facts: dict[str, Any]) -> bytes:
        return self.exporter.page(self.notebook, facts)


class _Getting(threading.Thread):
    """Builds the exporter in the background; `result` waits for it."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="exporter")
        self.kept = warm.kept()
        self.failure: BaseException | None = None
        self.exporter: Exporter | None = None

    def run(self) -> None:
        try:
            if self.kept is not None:
                self.exporter = self.kept.exporter()
                return
            from recon_lib.export import Exporter

            self.exporter = Exporter()
            manifest.versions()  # known from now on
        except BaseException as problem:  # told by the main thread
            self.failure = problem

    def result(self) -> Exporter:
        self.join()
        if self.exporter is None:
            raise RunError("the page template cannot be prepared") from self.failure
        return self.exporter


def run_notebook(path: Path, parameters: dict[str, str], root: Path, log: Path, progress: bool = False) -> Ran:
    """Runs the notebook with `parameters` in a kernel of its own and this interpreter, in the folder `root`.

    Raises:
        ReconError: an error of the kit that ended the notebook, as itself.
        RunError: anything else; the traceback is in `log`.
    """
    if not path.is_file():
        raise RunError(f"the notebook {path.name} is missing", hoped="a checkout with notebooks/", file=str(path))
    # A socket's path may have 107 letters only, so it lies in the system's own temporary folder.
    short = Path(tempfile.mkdtemp(prefix="recon-"))
    collecting = gc.isenabled()
    gc.disable()  # what is imported from here on stays; to look for garbage in it takes a fifth of the time
    try:
        with (short / "kernel.log").open("w+", encoding="utf-8", errors="replace") as said:
            manager = _start(short, root, said)
            try:
                return _run(path, parameters, log, progress, manager)
            except RunError:
                said.seek(0)
                if (words := said.read().strip()) and log.parent.is_dir():
                    _write_log(log, words, more=True)
                raise
            finally:
                _stop(manager)
    finally:
        if collecting:
            gc.enable()
        shutil.rmtree(short, ignore_errors=True)


def _start(short: Path, root: Path, said: IO[str]) -> Any:
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


def _stop(manager: Any) -> None:
    from jupyter_core.utils import run_sync

    if (process := getattr(manager.provisioner, "process", None)) is not None:
        process.kill()  # here, because the manager looks for its end only every tenth of a second
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
            manager.provisioner.process = None  # its number may be somebody else's now
    run_sync(manager.shutdown_kernel)(now=True)
    while manager.clients:
        manager.clients.pop().stop_channels()


def _run(path: Path, parameters: dict[str, str], log: Path, progress: bool, manager: Any) -> Ran:
    with _unmet("boto3"):  # where it is installed, papermill would load all of it, only to be able to write to S3
        import papermill  # noqa: F401
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").disabled = True  # it writes tracebacks to the terminal; ours go to the log
    getting = _Getting()
    getting.start()
    try:
        notebook = _execute(path, parameters, progress, manager)
    except PapermillExecutionError as problem:
        if known := _as_told(problem.ename, problem.evalue):
            raise known from None
        _write_log(log, "\n".join(problem.traceback))
        raise RunError(
            f"the run stopped in cell {problem.cell_index}: {problem.ename}: {_first_line(problem.evalue)}",
            hoped="a run to the end; nothing was published",
            do=f"see {log}",
        ) from None
    except CellTimeoutError:
        raise RunError(f"the run took longer than {LONGEST // 3600} hours in one step; nothing was published") from None
    except DeadKernelError:
        raise RunError(
            "the process of the run died; nothing was published", do="look for a lack of memory, then run again"
        ) from None
    except Exception as problem:
        _write_log(log, traceback.format_exc())
        raise RunError(f"the run failed: {type(problem).__name__}; nothing was published", do=f"see {log}") from None
    return Ran(notebook, getting.result())


def _execute(path: Path, parameters: dict[str, str], progress: bool, manager: Any) -> Any:
    """As `papermill.execute_notebook`, which would in the end write all of it as text even where nobody wants the text."""
    from papermill.engines import papermill_engines
    from papermill.execute import raise_for_execution_errors
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    notebook = load_notebook_node(str(path))
    if parameters:
        notebook = parameterize_notebook(notebook, parameters, kernel_name="python3")
    notebook = papermill_engines.execute_notebook_with_engine(
        None, notebook, kernel_name="python3", input_path=str(path), output_path=None, progress_bar=progress,
        log_output=False, start_timeout=READY, execution_timeout=LONGEST, km=manager, shutdown_kernel="immediate",
        record_timing=False,
    )  # fmt: skip
    raise_for_execution_errors(notebook, None)
    return notebook


@contextmanager
def _unmet(name: str) -> Iterator[None]:
    """As if a library that others use where they find it were not installed; what has imported it already keeps it."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def _as_told(name: str, message: str) -> ReconError | None:
    """An error of the kit that ended the notebook, as itself: by its class name and its text."""
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, ReconError):
        return kind(message)
    return None


def _first_line(message: str) -> str:
    lines = message.strip().splitlines()
    return lines[0][:300] if lines else "no message"


def _write_log(log: Path, told: str, *, more: bool = False) -> None:
    """The traceback without terminal colours; `more` adds to what is there."""
    with suppress(OSError), log.open("a" if more else "w", encoding="utf-8") as file:  # a full disk must not hide why
        file.write(re.sub(r"\x1b\[[0-9;]*m", "", told) + "\n")
