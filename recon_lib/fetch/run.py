"""`fetch`: one account from lock to result."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filelock import FileLock, Timeout

from recon_lib.account import load_account
from recon_lib.errors import HeldError, RunError, UsageError
from recon_lib.fetch.state import FOLDER
from recon_lib.fetch.table import FAMILIES, TABLE, Row
from recon_lib.paths import to_install

if TYPE_CHECKING:
    from recon_lib.fetch.guarded import Result
    from recon_lib.fetch.wire import Clock


def fetch(
    folder: Path,
    *,
    first: date | None = None,
    last: date | None = None,
    families: Collection[str] = (),
    minutes: float = 60,
    clock: Clock | None = None,
    told: Callable[[Path], None] = lambda path: None,
) -> Result:
    """Fetches what is due for the account; problems of single families are in the result, not raised.

    Args:
        first, last: days wanted, both included; None: what the table says, up to yesterday.
        families: only these; empty: all standard ones.
        told: hears of each file as it arrives.

    Raises:
        UsageError: account.yml, the families, the days, the extra `download`, or no credentials at all.
        HeldError: another run fetches for this account. RunError: nothing can be written there.
    """
    account = load_account(folder)
    rows = chosen(families)
    _look_for_the_extra()
    from recon_lib.fetch import wire as wires  # both need the extra
    from recon_lib.fetch.steps import Steps

    clock = clock or wires.Clock()
    until = last or clock.now().astimezone(ZoneInfo(account.time_zone)).date()
    if first and first > until:
        raise UsageError(f"no day lies between {first} and {until}", hoped="--from not after --to, nor after today")
    try:
        (folder / FOLDER).mkdir(exist_ok=True)
        with FileLock(folder / FOLDER / "lock", timeout=0):
            for left in (folder / FOLDER).glob("part-*"):  # of a run that was killed
                left.unlink(missing_ok=True)
            wire = wires.Wire(clock, minutes)
            try:
                return Steps(folder, account, rows, wire, told).all(first, last, named=bool(families))
            finally:
                wire.close()
    except Timeout:
        raise HeldError(f"another run fetches for {account.account}", do="wait for it; nothing was touched") from None
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise RunError(
            f"{folder / FOLDER} cannot be used: {problem.strerror or problem}", hoped="a writable account folder"
        ) from None


def chosen(families: Collection[str]) -> list[Row]:
    """The rows of the table for the named families, or all standard ones. UsageError: an unknown name."""
    if unknown := sorted(set(families) - set(FAMILIES)):
        raise UsageError(f"{' '.join(unknown)} cannot be fetched", hoped=f"--family with one of {' '.join(FAMILIES)}")
    return [row for row in TABLE if (row.family in families if families else row.standard)]


def _look_for_the_extra() -> None:
    try:
        import cryptography  # noqa: F401
        import httpx  # noqa: F401
        import sp_api  # noqa: F401
    except ImportError as problem:
        raise UsageError(
            f"recon fetch needs packages that are not installed ({problem.name})",
            do=to_install("download"),
        ) from None
