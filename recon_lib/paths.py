"""Where things lie: the project's own folders, and the store of parsed files. Nothing else asks the environment."""

from __future__ import annotations

import os
from pathlib import Path

from recon_lib.errors import UsageError


def project_root() -> Path:
    """The folder with params/ and notebooks/: the checkout that recon_lib was installed from (`pip install -e .`)."""
    root = Path(__file__).resolve().parent.parent
    if not (root / "params").is_dir():
        raise UsageError(
            "the folder params/ is not beside the installed library",
            hoped="an editable install of a checkout",
            do="install with 'pip install -e .' from the checkout, or run 'make packet' there",
        )
    return root


def default_store() -> Path:
    """Where parsed files are kept by content hash: RECON_STORE, else the user's cache folder. Safe to delete."""
    if chosen := os.environ.get("RECON_STORE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recon-kit"
