"""The Amazon reconciliation kit: what Amazon owes, until when it can be claimed, what is reconciled today.

    books = recon_lib.open_account(account_folder, as_of)      # typed frames, what was read, what was rejected
    day = recon_lib.reconcile(books)                           # matches, open items, findings, history, journal, control totals
    recon_lib.charts.delays(day.history)                       # look
    day.save(out)                                              # the files of a packet

Names are loaded when they are first used, so that `import recon_lib` is quick.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recon_lib import charts, tables, trends
    from recon_lib.account import Account, load_account
    from recon_lib.books import Books, open_account
    from recon_lib.errors import ReconError, ReportError, RunError, UsageError
    from recon_lib.packet import make_month, make_packet
    from recon_lib.policy import Policy, load_policy
    from recon_lib.reconcile import Day, reconcile
    from recon_lib.register import Register, open_register

__all__ = [
    "Account",
    "Books",
    "Day",
    "Policy",
    "ReconError",
    "Register",
    "ReportError",
    "RunError",
    "UsageError",
    "charts",
    "load_account",
    "load_policy",
    "make_month",
    "make_packet",
    "open_account",
    "open_register",
    "reconcile",
    "tables",
    "trends",
]

_HOME = {
    "Account": "account", "load_account": "account", "Books": "books", "open_account": "books", "Day": "reconcile",
    "reconcile": "reconcile", "Policy": "policy", "load_policy": "policy", "make_month": "packet",
    "make_packet": "packet", "Register": "register", "open_register": "register", "ReconError": "errors",
    "ReportError": "errors", "RunError": "errors", "UsageError": "errors",
}  # fmt: skip


class _FrontDoor(ModuleType):
    """Importing the module `reconcile` must not hide the function of that name behind it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


# Frames of millions of rows come and go: polars would give their memory back to the system at once and fetch it anew, page by
# page. Few arenas (eight for two processors otherwise): what one thread gave back is there for the other one. Read when
# polars is first imported.
_ARENAS = max(1, (os.cpu_count() or 1) // 2)
os.environ.setdefault("_RJEM_MALLOC_CONF", f"narenas:{_ARENAS},dirty_decay_ms:10000,muzzy_decay_ms:-1")

# A large file is read ahead in pieces of 32 MB otherwise: the memory of small ones is there again for the next piece.
os.environ.setdefault("POLARS_CSV_CHUNK_SIZE", str(4 << 20))

sys.modules[__name__].__class__ = _FrontDoor


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'recon_lib' has no attribute {name!r}")
    if name in _HOME:
        return getattr(import_module(f"recon_lib.{_HOME[name]}"), name)
    return import_module(f"recon_lib.{name}")
