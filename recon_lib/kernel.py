"""The process in which a packet's notebook runs: this very interpreter, whatever kernels are installed beside it."""

from __future__ import annotations

import contextlib
import sys

# jsonschema builds a whole grammar from this package where JupyterLab brought it: 1.3 s, and nothing here needs it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def main() -> None:
    """Starts an IPython kernel with the connection file given on the command line (`-f FILE`)."""
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize()
    # The run that asked for this kernel is still busy with its own imports: the notebook's are done meanwhile.
    # What fails here fails again in the notebook, where it is told.
    with contextlib.suppress(Exception):
        import recon_lib.books
        import recon_lib.charts
        import recon_lib.reconcile
        import recon_lib.sections  # noqa: F401

    app.start()


if __name__ == "__main__":
    main()
