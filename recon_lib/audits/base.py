"""What every audit gives back. An audit is a pure function from the books of a day to an `AuditResult`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from recon_lib import frames

if TYPE_CHECKING:
    from recon_lib.books import Books
    from recon_lib.policy import Policy


def _no_findings() -> pl.DataFrame:
    return frames.empty(frames.RawFinding)


def _nothing_settled() -> pl.DataFrame:
    return frames.empty(frames.SettledEvent)


def _all_checked() -> pl.DataFrame:
    return frames.empty(frames.NotChecked)


@dataclass(frozen=True)
class AuditResult:
    """`findings`: frames.RawFinding · `settled`: frames.SettledEvent · `not_checked`: frames.NotChecked."""

    findings: pl.DataFrame = field(default_factory=_no_findings)
    settled: pl.DataFrame = field(default_factory=_nothing_settled)
    not_checked: pl.DataFrame = field(default_factory=_all_checked)


@dataclass(frozen=True)
class Audit:
    """A named check. `names` are the values of findings.audit it can give; `reads` the families it looks at.

    `needs`: where one function gives several audits, the families that each of them cannot do without (default: `reads`).
    """

    names: tuple[str, ...]
    reads: tuple[str, ...]
    run: Callable[[Books, Policy], AuditResult]
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
