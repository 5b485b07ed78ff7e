"""The process in which a packet's notebook runs: this very interpreter, whatever kernels are installed beside it.

`python -m recon_lib.kernel --early -f FILE` is one fresh kernel, which waits for a line on stdin before it reads FILE.
`python -m recon_lib.kernel --serve` imports everything once and then waits; for every line on stdin it splits off a child
that becomes the kernel of one packet and ends with it.
The waiting process itself never reads a file of an account, so nothing of one account can be met in the next.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
import warnings
from functools import cache
from importlib import import_module
from typing import Any

# jsonschema builds a whole grammar from this package where JupyterLab brought it: 1.3 s, and nothing here needs it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
# Nobody sets a breakpoint in a packet's run; the debugger that ipykernel would load into every kernel is 100 modules.
sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]

# What ipykernel, the notebook and polars import when they first need it; the waiting process does so once, for all packets.
LATER = (
    "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger", "IPython.extensions.storemagic",
    "cmd", "code", "dateutil.easter", "encodings.ascii", "encodings.idna", "encodings.latin_1", "encodings.utf_16_le",
    "encodings.utf_8_sig", "faulthandler", "holidays", "ipykernel.debugger", "ipykernel.ipkernel", "ipykernel.kernelapp",
    "ipykernel.zmqshell", "numpy.ma", "pdb", "polars._utils.parquet", "polars._utils.udfs", "psutil", "pwd",
    "recon_lib.asof", "recon_lib.bank_totals", "recon_lib.changes", "recon_lib.claims_book",
    "recon_lib.family_rows", "recon_lib.quiet",
    "recon_lib.reports.members", "recon_lib.reports.reader", "recon_lib.reports.recognise", "recon_lib.reports.small",
    "recon_lib.settled_files", "tornado.platform.asyncio", "xlsxwriter.workbook",
)  # fmt: skip


def early() -> None:
    """As `main`, with all imports done before it is known how the run that asked for this kernel is to be spoken to."""
    sys.argv.remove("--early")
    gc.disable()  # what is imported stays; to look for garbage in it takes a fifth of the time
    import ipykernel.ipkernel
    import ipykernel.kernelapp
    import ipykernel.zmqshell  # noqa: F401

    with contextlib.suppress(Exception):
        _imports()
    gc.freeze()
    gc.enable()
    if _line():  # else the run has ended before it began
        main()


def main(connection_file: str = "", parent: int = 0) -> None:
    """Runs an IPython kernel with this connection file (else the one on the command line, `-f FILE`) to its end.

    `parent`: the process with which it ends (else the one in JPY_PARENT_PID).
    """
    from traitlets.config import Config

    app = _app().instance(
        connection_file=connection_file or sys.argv[sys.argv.index("-f") + 1],
        parent_handle=parent or int(os.environ.get("JPY_PARENT_PID", "0")),
        outstream_class="recon_lib.quiet.Quiet",
        config=Config({"HistoryManager": {"enabled": False}, "IPythonKernel": {"_execute_sleep": 0.0}}),
    )
    app.initialize()
    # The run that asked for this kernel is still busy with its own imports: the notebook's are done meanwhile.
    # What fails here fails again in the notebook, where it is told.
    with contextlib.suppress(Exception):
        _imports()
    app.start()


@cache
def _app() -> Any:
    from ipykernel.kernelapp import IPKernelApp

    class App(IPKernelApp):  # type: ignore[misc]
        def parse_command_line(self, argv: list[str] | None = None) -> None:
            """Nothing to read: to learn all that could be asked of it takes longer than reading it."""

    return App


def _imports() -> None:
    import recon_lib.answer
    import recon_lib.books
    import recon_lib.charts
    import recon_lib.controls
    import recon_lib.manifest
    import recon_lib.pay_totals
    import recon_lib.publish
    import recon_lib.reconcile
    import recon_lib.sections
    import recon_lib.trends  # noqa: F401


def _later_imports() -> None:
    """What a packet needs only after its first cells. No polars query may run here: its threads do not survive a split."""
    for name in LATER:
        with contextlib.suppress(ImportError):  # another version, another module: it is imported when it is needed
            import_module(name)
    _app()


def serve() -> None:
    """Splits off one kernel for each JSON line on stdin (`argv`, `cwd`, `log`, `ipython`); ends with its stdin.

    The child writes its process id to stdout when it leads a group of its own.
    """
    gc.disable()
    _imports()
    with contextlib.suppress(Exception):  # what a packet would import later; it fails there again and is told there
        _later_imports()
    gc.collect()
    gc.freeze()  # the children then leave these pages alone, and share them
    gc.enable()
    # polars has idle helper threads from its import on, so Python warns of every split; no query has run, no lock is held.
    warnings.simplefilter("ignore", DeprecationWarning)
    # Children that end need no one to wait for them: the worker sees them end by itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    # Not `for line in sys.stdin`: a buffer would be shared with the children.
    while line := _line():
        here = os.getpid()
        if os.fork() == 0:
            _become_kernel(json.loads(line), here)


def _line() -> bytes:
    """One line of stdin, byte for byte; empty at its end."""
    told = b""
    while not told.endswith(b"\n"):
        if not (byte := os.read(0, 1)):
            return b""
        told += byte
    return told


def _become_kernel(asked: dict[str, str], parent: int) -> None:
    """The child: a kernel with its own group, log and folder, as if it were started alone. Never returns."""
    code = 1
    try:
        warnings.resetwarnings()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.write(1, b"%d\n" % os.getpid())
        log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND)
        none = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((none, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.chdir(asked["cwd"])
        os.environ["IPYTHONDIR"] = asked["ipython"]
        main(asked["connection_file"], parent)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    {"--serve": serve, "--early": early}.get(" ".join(sys.argv[1:2]), main)()
