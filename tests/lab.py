"""JupyterLab for the tests and the screenshots: a real server and kernel on a copy of the explore notebook and the demo account."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HAS_LAB = importlib.util.find_spec("jupyterlab") is not None
NEWS = "@jupyterlab/apputils-extension:announcements"  # asks a server of its makers for news


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The address of explore.ipynb in a JupyterLab of its own in `folder`; ended with its kernels afterwards."""
    (folder / "notebooks").mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / "explore.ipynb", folder / "notebooks")
    shutil.copytree(
        ROOT / "data" / "sample", folder / "data" / "sample", ignore=shutil.ignore_patterns("register.sqlite*")
    )
    own = {f"JUPYTER_{name}_DIR": str(folder / f".{name.lower()}") for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {f"JUPYTERLAB_{name}_DIR": str(folder / f".{name.lower()}") for name in ("SETTINGS", "WORKSPACES")}
    told = {**os.environ, **own, "RECON_STORE": str(folder / ".store"), "PYTHONPATH": str(ROOT)}
    jupyter = [sys.executable, "-m", "jupyterlab.labextensions", "disable", NEWS]
    subprocess.run(jupyter, env=told, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}",
    ]  # fmt: skip
    with (folder / ".log").open("wb") as log:
        running = subprocess.Popen(command, env=told, cwd=folder, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/api?token={token}", running, folder / ".log")
            yield f"http://127.0.0.1:{port}/lab/tree/notebooks/explore.ipynb?reset&token={token}"
        finally:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def _wait(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if running.poll() is not None:
            raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-2000:]}")
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("JupyterLab gave no answer within a minute")


def run_all(page: Any, address: str) -> None:
    """Opens the notebook, runs all its cells and waits until the controls and their chart are there."""
    page.goto(address)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
    page.locator(".jupyter-widgets select").first.wait_for(timeout=60_000)
    bars = page.locator(".jupyter-widgets .js-plotly-plot .bars path")
    bars.first.wait_for(state="attached", timeout=60_000)  # a bar of nothing has no height and counts as hidden
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
