"""One run of a notebook for a day or a month -> the page, the data files and the manifest, published whole or not at all.

The notebook does the work, in a process of its own; this one only runs it (papermill), writes the page from it
(nbconvert) and moves the finished folder to its place. So it imports little, and imports it while the kernel starts.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from recon_lib import manifest, publish
from recon_lib.errors import RunError, UsageError

# jsonschema builds a whole grammar from this package where JupyterLab brought it: 1.3 s, and nothing here needs it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

NOTEBOOK = "daily_packet.ipynb"
PARAMETERS = (
    "account_folder",
    "as_of",
    "out",
    "store",
    "published_before",
    "entered_before",
)  # of the notebook, all plain text
REVIEW = "monthly_review.ipynb"
REVIEW_PARAMETERS = ("account_folder", "month", "out", "store", "packets")


@dataclass(frozen=True)
class PacketResult:
    """One published packet. `exit_code`: 0 nothing wrong, 1 something is owed, open or overdue."""

    path: Path
    exit_code: int
    counts: dict[str, int] = field(default_factory=dict)  # findings by status
    owed: dict[str, str] = field(default_factory=dict)  # claimable now, by currency
    revision: int = 1
    unchanged: bool = False  # the same inputs gave the same packet: nothing was written
    unvalued: int = 0  # claimable findings without a known value

    def line(self) -> str:
        """The packet in one line, for the command's output."""
        found = ", ".join(f"{n} {status}" for status, n in self.counts.items()) or "no findings"
        owed = ", ".join(f"{amount} {currency}" for currency, amount in self.owed.items())
        owed = " + ".join(filter(None, [owed, f"{self.unvalued} unknown" if self.unvalued else ""])) or "nothing"
        mark = " (unchanged)" if self.unchanged else f" (revision {self.revision})" if self.revision > 1 else ""
        return f"{self.path}{mark}: {found}; claimable now: {owed}"


def make_packet(
    folder: Path | str,
    as_of: date | str,
    out: Path | str,
    *,
    store: Path | None = None,
    progress: bool = False,
    notebook: Path | None = None,
) -> PacketResult:
    """The packet of one account and day in `<out>/<account>/<date>/`, or a revision beside it where inputs changed.

    Args:
        folder: the account folder. as_of: the day. out: where packets lie. store: where parsed files are kept.
        progress: a bar on the terminal. notebook: another one with the same parameters.

    Raises:
        UsageError, ReportError: the input is unusable; nothing was written.
        RunError: the run failed (the log is `<out>/<account>/<date>.log`) or another run holds the account.
    """
    day = _day(as_of)

    def parameters(home: Path, built: Path) -> dict[str, str]:
        today = date.fromisoformat(day)
        yesterday = publish.revisions(home, (today - timedelta(days=1)).isoformat())
        before = publish.before(home, today)
        last = str(yesterday[-1]) if yesterday else ""
        return _parameters(PARAMETERS, folder, day, built, store, last, str(before or ""))

    return _hold(
        Path(folder), day, Path(out), notebook or project_root() / "notebooks" / NOTEBOOK, parameters, progress
    )


def make_month(
    folder: Path | str,
    month: str,
    out: Path | str,
    *,
    store: Path | None = None,
    progress: bool = False,
    notebook: Path | None = None,
) -> PacketResult:
    """The review of one account and month (`2026-01`) in `<out>/<account>/<month>/`; all else as `make_packet`.

    It is read against the daily packets that lie in the same output folder.
    """
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise UsageError(f"{month!r} is no month", hoped="a month like 2026-01")

    def parameters(home: Path, built: Path) -> dict[str, str]:
        return _parameters(REVIEW_PARAMETERS, folder, month, built, store, str(home))

    return _hold(
        Path(folder), month, Path(out), notebook or project_root() / "notebooks" / REVIEW, parameters, progress
    )


def _parameters(
    names: tuple[str, ...], folder: Path | str, name: str, built: Path, store: Path | None, *earlier: str
) -> dict[str, str]:
    values = (str(Path(folder).resolve()), name, str(built), str(store.resolve()) if store else "", *earlier)
    return dict(zip(names, values, strict=True))


def _hold(
    folder: Path,
    name: str,
    out: Path,
    notebook: Path,
    parameters: Callable[[Path, Path], dict[str, str]],
    progress: bool,
) -> PacketResult:
    """Runs the notebook in a folder of its own while nobody else may, and publishes what it made."""
    home = out.resolve() / account_name(folder.resolve())
    for own in ("reports", "books"):
        if out.resolve().is_relative_to(folder.resolve() / own):
            told = f"{out} lies in the account's own {own}/: the next packet would read this one as a report"
            raise UsageError(told, hoped="a folder outside reports/ and books/", do="give another --out")
    with publish.hold(home):
        try:
            built = Path(tempfile.mkdtemp(prefix=publish.BUILDING, dir=home))
            try:
                return _make(name, home, built, notebook, parameters(home, built), progress)
            finally:
                shutil.rmtree(built, ignore_errors=True)
        except OSError as problem:
            raise RunError(
                f"the packet cannot be written: {problem.strerror or problem}",
                hoped=f"room and the right to write in {home}",
                do="nothing was published; make room and run again",
            ) from None


def _make(
    day: str, home: Path, built: Path, notebook: Path, parameters: dict[str, str], progress: bool
) -> PacketResult:
    from recon_lib.running import run_notebook

    log = home / f"{day}.log"
    ran = run_notebook(notebook, parameters, project_root(), log, progress)
    log.unlink(missing_ok=True)
    if not (built / manifest.NAME).is_file():
        raise RunError("the notebook ended without saving the day", hoped="a cell with day.save(out)")
    earlier = publish.revisions(home, day)
    now = manifest.read(built)
    told: dict[str, Any] = {"revision": len(earlier) + 1}
    shown = {"title": f"{now['packet']['account']} {day}"}
    if earlier:
        last = manifest.read(earlier[-1])
        full = manifest.finish(built, told)
        if manifest.same(last, full):
            publish.point_to_latest(home)  # a run that was killed may have left this undone
            return _result(earlier[-1], last, unchanged=True)
        told["revises"] = {
            "folder": earlier[-1].name,
            "manifest_sha256": manifest.sha256(earlier[-1] / manifest.NAME),
            "changes": manifest.changes(last, full),
        }
        shown["differs"], told["revises"]["findings"] = _differing(earlier[-1], built, now)
    page = ran.page(shown | told)
    (built / "packet.html").write_bytes(page)
    full = manifest.finish(built, told)
    os.chmod(built, 0o755)  # mkdtemp makes a folder for its owner only; a packet is for its readers
    place, _ = publish.publish(built, home, day)
    return _result(place, full)


def _differing(revised: Path, built: Path, content: dict[str, Any]) -> tuple[str, dict[str, int]]:
    """Which findings differ from the packet that is revised: HTML for the page's head, and their number by change."""
    from recon_lib import bridge, changes

    before, now = publish.earlier(revised), publish.earlier(built)
    assert now is not None
    made = bridge.compare(now.findings, before, now.history, str(content["settings"].get("currency", "")))
    assert made is not None
    return changes.revised(made), made.counts()


def _result(place: Path, content: dict[str, Any], *, unchanged: bool = False) -> PacketResult:
    answer = content["answer"]
    return PacketResult(
        place,
        answer["exit_code"],
        dict(answer["findings"]),
        dict(answer["owed"]),
        content["revision"],
        unchanged,
        answer.get("unvalued", 0),
    )


def published(place: Path) -> PacketResult:
    """A packet that was published before, as the result of a run that had nothing to do."""
    return _result(place, manifest.read(place), unchanged=True)


def _day(value: date | str) -> str:
    try:
        return (value if isinstance(value, date) else date.fromisoformat(value)).isoformat()
    except ValueError:
        raise UsageError(f"{value!r} is no day", hoped="a date like 2026-01-31") from None


def account_name(folder: Path) -> str:
    """The account's name from account.yml, without the cost of checking the rest: the notebook does that.

    Raises:
        UsageError: as `account.load_account`.
    """
    try:
        text = (folder / "account.yml").read_bytes()[: 256 * 1024].decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        text = ""
    found = re.findall(r"^account:[ \t]*([A-Za-z0-9][A-Za-z0-9._-]{0,63})[ \t]*(?:#.*)?$", text, re.MULTILINE)
    if len(found) == 1:
        return str(found[0])
    from recon_lib.account import load_account

    return load_account(folder).account


def project_root() -> Path:
    """As `paths.project_root`."""
    from recon_lib.paths import project_root as root

    return root()


__all__ = ["PacketResult", "account_name", "make_month", "make_packet", "published"]
