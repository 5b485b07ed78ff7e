"""Running one notebook in a fresh process and writing its page. All of it is slow to import: the order is the point.

The kernel is started first, before its connection is known. While it boots, papermill is imported; while it works, a
thread imports nbconvert, compiles the template and compresses plotly.js. papermill saves nothing in between: the page is
all that is kept.
A worker that makes many packets keeps the template and a process that splits off kernels (`warm`).
"""

from __future__ import annotations

import gc
import logging
import re
import shutil
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recon_lib import errors, kernel_manager, manifest, warm
from recon_lib.errors import ReconError, RunError

if TYPE_CHECKING:
    from recon_lib.export import Exporter

LONGEST = 6 * 3600  # seconds for one cell
_FULL = ("No space left", "quota exceeded", "File too large")  # what systems say of a disk without room


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
            manager = kernel_manager.start(short, root, said)
            try:
                return _run(path, parameters, log, progress, manager)
            except RunError:
                said.seek(0)
                if (words := said.read().strip()) and log.parent.is_dir():
                    _write_log(log, words, more=True)
                raise
            finally:
                kernel_manager.stop(manager)
    finally:
        if collecting:
            gc.enable()
        shutil.rmtree(short, ignore_errors=True)


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
        log_output=False, start_timeout=kernel_manager.READY, execution_timeout=LONGEST, km=manager, shutdown_kernel="immediate",
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
    """An error of the kit that ended the notebook, as itself by its class name and text; or a full disk: no room for a log."""
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, ReconError):
        return kind(message)
    if name == "OSError" and any(full in message for full in _FULL):
        return RunError(
            f"the packet's files cannot be written: {_first_line(message)}",
            hoped="room for them",
            do="nothing was published; make room and run again",
        )
    return None


def _first_line(message: str) -> str:
    lines = message.strip().splitlines()
    return lines[0][:300] if lines else "no message"


def _write_log(log: Path, told: str, *, more: bool = False) -> None:
    """The traceback without terminal colours; `more` adds to what is there."""
    with suppress(OSError), log.open("a" if more else "w", encoding="utf-8") as file:  # a full disk must not hide why
        file.write(re.sub(r"\x1b\[[0-9;]*m", "", told) + "\n")
