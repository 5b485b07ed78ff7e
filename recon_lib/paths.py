"""Where things lie: the project's own folders, and the store of parsed files. Nothing else asks the environment."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from recon_lib.errors import UsageError


def is_url(place: object) -> bool:
    """Is that a place in a cloud (whatever it is worth), not a path?"""
    return isinstance(place, str) and bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", place))


def shown(path: Path) -> str:
    """The path as it is told and written in data: bytes that are no UTF-8 (names from an old archive) as `\\xff`."""
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


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
    """Where parsed files are kept by content hash: RECON_STORE, else the user's cache folder. Safe to delete.

    Where the cache folder cannot be written (a home that is read-only, or none), a folder of the user's own below the
    temporary files. UsageError where the place that was chosen cannot be written, or no place can.
    """
    if chosen := os.environ.get("RECON_STORE"):
        if why := _unwritable(Path(chosen)):
            raise UsageError(
                f"RECON_STORE, the folder for parsed files, cannot be written: {chosen}: {why}",
                hoped="a folder in which you may write",
                do="let RECON_STORE name another folder, or leave it out",
            )
        return Path(chosen)
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recon-kit"
    why = _unwritable(usual)
    if not why:
        return usual
    user = os.getuid() if hasattr(os, "getuid") else 0
    spare = Path(tempfile.gettempdir()) / f"recon-kit-{user}"
    # what lies there under this name may be anybody's
    if _unwritable(spare) or spare.is_symlink() or (hasattr(os, "getuid") and spare.stat().st_uid != user):
        raise UsageError(
            f"the folder for parsed files cannot be written: {usual}: {why}",
            hoped="a folder in which you may write",
            do="let the variable RECON_STORE name one",
        )
    return spare


def _unwritable(folder: Path) -> str:
    """Why the folder cannot be made or written; empty where it can."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        return problem.strerror or type(problem).__name__
    return "" if os.access(folder, os.W_OK | os.X_OK) else "Permission denied"


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
