"""The doorway: what Amazon, the seller and the bank write becomes typed rows, each with its file and line.

read(path, store=folder) -> Reading        one plain file (an archive's members come from `archive.open_members`)
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from recon_lib.reports.base import Column, Reading, Report, Rows

_MODULES = (
    "reimbursements",
    "returns",
    "ledger",
    "inbound",
    "removals",
    "fees",
    "settlement",
    "settlement_v1",
    "date_range",
    "orders",
    "amazon_pay",
    "books",
    "bank",
)


def _collect() -> tuple[Report, ...]:
    found: dict[int, Report] = {}
    for name in _MODULES:
        for value in vars(import_module(f"{__name__}.{name}")).values():
            for report in value if isinstance(value, tuple | list) else (value,):
                if isinstance(report, Report):
                    found[id(report)] = report
    return tuple(found.values())


FAMILIES: tuple[Report, ...] = _collect()
"""Every report family that can be read."""


def read(
    path: Path,
    *,
    store: Path,
    display: str | None = None,
    language: str | None = None,
    marketplace: str | None = None,
) -> Reading:
    """The typed rows of one plain file; see `reader.read_file`."""
    from recon_lib.reports.reader import read_file

    return read_file(path, FAMILIES, store_folder=store, display=display, language=language, marketplace=marketplace)


__all__ = ["FAMILIES", "Column", "Reading", "Report", "Rows", "read"]
