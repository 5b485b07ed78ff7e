"""Who is told what: the notify file, or the variable RECON_NOTIFY. Addresses hold secrets: no message quotes a part of one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recon_lib.errors import UsageError
from recon_lib.notice_words import SHOW

VARIABLE = "RECON_NOTIFY"
KEYS = ("to", "days", "link", "show")


@dataclass(frozen=True)
class Settings:
    """Who is told what. `to`: apprise addresses, secret. `link`: where packets are found in a browser; empty: paths."""

    to: tuple[str, ...] = field(repr=False)
    days: int = 14
    link: str = ""
    show: tuple[str, ...] = ()

    def receivers(self) -> dict[str, str]:
        """Receiver -> address. A receiver is named by the kind of its address and its place among those: `slack 1`."""
        kinds: list[str] = []
        for address in self.to:
            kind, mark, _ = address.partition("://")
            kinds.append(kind.lower() if mark and kind.isalnum() and len(kind) < 20 else "unknown")
        return {f"{k} {kinds[: n + 1].count(k)}": self.to[n] for n, k in enumerate(kinds)}


def load(source: str) -> Settings:
    """The settings in the file `source`; `env`: the addresses alone, in the variable RECON_NOTIFY.

    UsageError where they are not understood; it quotes nothing of what was met, since that may be part of an address.
    """
    given: dict[str, Any] = {} if source == "env" else _read(source)
    if unknown := set(given) - set(KEYS):
        raise UsageError(f"the notify file has {len(unknown)} unknown keys", hoped=f"only {', '.join(KEYS)}")
    to, show = given.get("to", os.environ.get(VARIABLE, "").split()), given.get("show", [])
    to, show = ([to] if isinstance(to, str) else to), ([show] if isinstance(show, str) else show)
    if not isinstance(to, list) or not to or not all(isinstance(address, str) and address.strip() for address in to):
        raise UsageError(
            "nobody is named to be told",
            hoped=f"apprise addresses under 'to:' in the notify file, or in the variable {VARIABLE} (spaces between)",
        )
    if not isinstance(show, list) or not set(map(str, show)) <= set(SHOW):
        raise UsageError("'show' in the notify file is not understood", hoped=" or ".join(SHOW))
    days, link = str(given.get("days", 14)), given.get("link", "")
    if not days.isdecimal() or not 1 <= int(days) <= 366:
        raise UsageError("'days' in the notify file is no number of days", hoped="1 to 366")
    if not isinstance(link, str) or (link and not link.startswith(("https://", "http://", "file://"))):
        raise UsageError("'link' in the notify file is no web address", hoped="like https://books.example/packets")
    return Settings(tuple(address.strip() for address in to), int(days), link, tuple(map(str, show)))


def _read(source: str) -> dict[str, Any]:
    from recon_lib.account import read_yaml

    if "://" in source:
        raise UsageError(
            "--notify got an address; the list of processes would show its secret to everybody",
            hoped="a file with addresses, or the word env",
            do=f"write the address into a file that only you may read, or into the variable {VARIABLE}",
        )
    if not Path(source).is_file():
        raise UsageError("the notify file is not there", hoped="--notify FILE, with lines like 'to: [...]'")
    try:
        return read_yaml(Path(source))
    except UsageError as problem:
        raise UsageError(
            "the notify file is not understood",
            hoped="lines like 'to: [ADDRESS]'",
            file=Path(source).name,
            line=problem.line,
        ) from None
