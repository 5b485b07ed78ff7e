"""The manifest of a packet: what went in, what was used, what came out. No clock, no machine, no path of one."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recon_lib.errors import RunError

if TYPE_CHECKING:
    from recon_lib.reconcile import Day

NAME = "manifest.json"
LIBRARIES = ("polars", "dataframely", "plotly", "papermill", "nbconvert", "ipykernel", "xlsxwriter", "pydantic")
# What makes two runs the same packet. The page is not in it: it may look better in a newer version.
SAME = ("packet", "inputs", "settings", "policy", "control_totals")


# What a packet takes from published ones: of the day before, and of the last one before the day.
OF_YESTERDAY = ("rollforward.csv",)
OF_THE_LAST = ("findings.parquet", "history.csv", "journal.csv")


def draft(day: Day, folder: Path | str, published_before: Path | str = "", entered_before: Path | str = "") -> None:
    """Writes what only the run itself knows; the packet adds versions and the hashes of the outputs.

    `published_before`, `entered_before`: the packets that the day was compared with, as the notebook has them.
    """
    from recon_lib.gaps import unchecked
    from recon_lib.money import money_text

    books = day.books
    inputs = [{"path": "account.yml", "family": "account", "sha256": sha256(books.folder / "account.yml")}]
    for row in books.files.sort("path").iter_rows(named=True):
        inputs.append({key: str(value) if hasattr(value, "isoformat") else value for key, value in row.items()})
    if decided := day.decisions.as_input():
        inputs.append(decided)
    inputs += _packet(books.account.account, published_before, OF_YESTERDAY)
    inputs += _packet(books.account.account, entered_before, OF_THE_LAST)
    overdue = day.open_items["overdue"].sum() if day.open_items.height else 0
    by_status = dict(day.findings.group_by("status").len().sort("status").iter_rows())
    wrong = any(by_status.get(s) for s in ("claimable", "open", "waiting", "claimed")) or day.open_items.height > 0
    write(Path(folder), {
        "packet": {"account": books.account.account, "marketplace": books.account.marketplace, "as_of": str(books.as_of)},
        "answer": {
            "exit_code": int(wrong),
            "owed": {c: money_text(v, c) for c, v in day.owed().items()},
            "unvalued": day.findings.filter(status="claimable")["owed"].null_count(),
            "findings": by_status,
            "open_items": day.open_items.height,
            "overdue_items": int(overdue or 0),
            "not_checked": unchecked(day).height,
            "rejected_rows": books.rejects.height,
        },
        "settings": books.account.model_dump(mode="json"),
        "inputs": inputs,
        "policy": policy_used(day),
        "control_totals": day.control_totals(),
        "not_checked": day.not_checked.to_dicts(),
    })  # fmt: skip


def _packet(account: str, packet: Path | str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The files of a published packet that another one rests on, by account and folder: no path of a machine."""
    places = [Path(packet) / name for name in names] if packet else []
    return [{"path": f"{account}/{p.parent.name}/{p.name}", "family": "packet", "sha256": sha256(p)} for p in places]


def policy_used(day: Day) -> dict[str, Any]:
    """The policy tables by hash, and the rows that findings relied on."""
    from recon_lib.paths import project_root

    files = sorted((project_root() / "params" / "policy").glob("*.csv"))
    told = (
        day.findings["evidence"]
        .str.extract_all(r"\b\w+ line \d+\b")
        .explode(keep_nulls=False, empty_as_null=False)
        .unique()
    )
    named = {(table, int(line)) for table, line in (place.split(" line ") for place in told)}
    used = []
    for table in day.policy.tables.values():
        for row in table.select("table", "table_line", "row").iter_rows(named=True):
            if (row["table"], int(row["table_line"])) in named:
                used.append(row["row"])
    return {"tables": {path.name: sha256(path) for path in files}, "rows_used": sorted(set(used))}


def finish(folder: Path, extra: dict[str, Any]) -> dict[str, Any]:
    """Adds versions, `extra` and the sha256 of every other file in `folder`; gives the whole manifest."""
    manifest = read(folder)
    manifest["versions"] = versions()
    manifest.update(extra)
    manifest["outputs"] = {p.name: sha256(p) for p in sorted(folder.iterdir()) if p.name != NAME}
    write(folder, manifest)
    return manifest


def versions() -> dict[str, str]:
    """The versions that can change a number or a byte."""
    return dict(_versions())


@lru_cache(maxsize=1)  # a process runs what it has loaded
def _versions() -> tuple[tuple[str, str], ...]:
    import platform
    from importlib.metadata import PackageNotFoundError, version  # slow to import, and needed at the end only

    found = {"python": platform.python_version()}
    for name in ("amazon-reconciliation-kit", *LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return tuple(found.items())


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Do both manifests speak of the same inputs, settings, policy and results?"""
    tables = [{k: v for k, v in m.get("outputs", {}).items() if k.endswith(".csv")} for m in (one, other)]
    return tables[0] == tables[1] and all(one.get(part) == other.get(part) for part in SAME)


def changes(before: dict[str, Any], now: dict[str, Any]) -> dict[str, list[str]]:
    """What differs between two manifests, in words: added, removed and changed inputs, and the other parts."""
    old, new = ({row["path"]: row["sha256"] for row in m.get("inputs", [])} for m in (before, now))
    told = {
        "added": sorted(set(new) - set(old)),
        "removed": sorted(set(old) - set(new)),
        "changed": sorted(path for path in set(old) & set(new) if old[path] != new[path]),
        "other": [part for part in ("settings", "policy", "versions") if before.get(part) != now.get(part)],
    }
    return {name: names for name, names in told.items() if names}


def read(folder: Path) -> dict[str, Any]:
    """The manifest in the folder of a packet. RunError where it is not as it was written."""
    try:
        content = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise RunError(
            f"the manifest of {folder.name} cannot be read: it is missing or was changed",
            hoped="a packet as it was published",
            do="see what `recon index` says of it; restore the folder from a copy or move it away, then run again",
        )
    return content


def write(folder: Path, manifest: dict[str, Any]) -> None:
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (folder / NAME).write_text(text + "\n", encoding="utf-8", newline="\n")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
