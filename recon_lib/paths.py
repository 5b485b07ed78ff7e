"""Where things lie: the project's own folders, and the store of parsed files. Nothing else asks the environment."""

from __future__ import annotations

import os
import re
from pathlib import Path

from recon_lib.errors import UsageError


def is_url(place: object) -> bool:
    """Is that a place in a cloud (whatever it is worth), not a path?"""
    return isinstance(place, str) and bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", place))


def project_root() -> Path:
    """The folder with params/ and notebooks/: the checkout that recon_lib was installed from (`pip install -e .`)."""
    root = Path(__file__).resolve().parent.parent
    if not (root / "params").is_dir():
        raise UsageError(
            "the folder params/ is not beside the installed library",
            hoped="an editable install of a checkout",
            do="run 'make packet' in the checkout, which installs it from there",
        )
    return root


def to_install(extra: str) -> str:
    """What to do for an extra, in words. Never by the name of the project: on an index that name is anybody's."""
    return f"in the checkout, with the python of the environment: .venv/bin/python .ci/install.py {extra}"


def default_store() -> Path:
    """Where parsed files are kept by content hash: RECON_STORE, else the user's cache folder. Safe to delete."""
    if chosen := os.environ.get("RECON_STORE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recon-kit"


def copies() -> tuple[Path, bool]:
    """Where copies of accounts that lie in a cloud are worked on, and whether reports stay there for the next run.

    RECON_MIRROR names the place, and keeps them. Else they lie in the user's cache folder and go when the run ends:
    reports hold buyers' data, and where such copies stay is for a person to say.
    """
    if chosen := os.environ.get("RECON_MIRROR"):
        return Path(chosen).resolve(), True
    return (Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recon-kit-copies").resolve(), False


def lease_seconds() -> float:
    """RECON_LEASE_SECONDS (60): how long a run that holds an account in a cloud may be silent before it counts as dead."""
    told = os.environ.get("RECON_LEASE_SECONDS", "60")
    if not told.isdecimal() or not 2 <= int(told) <= 3600:
        raise UsageError(f"RECON_LEASE_SECONDS is {told!r}", hoped="whole seconds, 2 to 3600")
    return float(told)
