"""`<out>/index.html`: every account, day and month in one page, with what is owed and due, and whether each packet is whole.

The page is made from manifests and findings.csv alone; what was read of a packet is kept in `<out>/.index.json` until one
of its files changes. No clock: deadlines count from the day of the newest packet of each account.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from recon_lib import manifest
from recon_lib.errors import RunError
from recon_lib.index_page import page
from recon_lib.words import count

CACHE, PAGE, LOCK = ".index.json", "index.html", ".index.lock"
FORM = 1  # of the cache
_PACKET = re.compile(r"(\d{4}-\d\d(?:-\d\d)?)(?:\.r(\d+))?")


@dataclass(frozen=True)
class Index:
    """What the index tells: `packets` (one entry a published folder, sorted), and everything that does not verify."""

    path: Path | str
    packets: list[dict[str, Any]]

    @property
    def problems(self) -> list[str]:
        return [f"{p['account']}/{p['folder']}: {problem}" for p in self.packets for problem in p["problems"]]

    def line(self) -> str:
        """The index in one line, for the command's output."""
        accounts = len({p["account"] for p in self.packets})
        told = f"{len(self.problems)} do not verify" if self.problems else "all verify"
        return f"{self.path}: {count(len(self.packets), 'packet')} of {count(accounts, 'account')}, {told}"


def refresh(out: Path, *, everything: bool = False) -> Index:
    """Makes the index of the output folder anew where something changed.

    `everything`: hash every file again; else only packets of which a file has another size or time than when last hashed.
    """
    from filelock import FileLock

    with FileLock(out / LOCK, timeout=60):
        known = {} if everything else _cached(out / CACHE)
        packets = [entry(folder, known) for folder in _folders(out)]
        found = Index(out / PAGE, packets)
        _write(out / CACHE, json.dumps({"form": FORM, "packets": packets}, sort_keys=True).encode())
        _write(out / PAGE, page(packets).encode("utf-8"))
    return found


def _folders(out: Path) -> list[Path]:
    """Every published packet, sorted by account, name and revision; other folders are nobody's business."""
    found = []
    for home in sorted(out.iterdir()) if out.is_dir() else []:
        if home.is_dir() and not home.name.startswith("."):
            for folder in home.iterdir():
                if (match := _PACKET.fullmatch(folder.name)) and (folder / manifest.NAME).is_file():
                    found.append(((home.name, match[1], int(match[2] or 1)), folder))
    return [folder for _, folder in sorted(found)]


def _cached(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = json.loads(path.read_bytes())
        return {f"{p['account']}/{p['folder']}": p for p in content["packets"]} if content["form"] == FORM else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    fresh.write_bytes(content)
    os.replace(fresh, path)


def entry(folder: Path, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the index needs of one packet. A revision also depends on the manifest it revises."""
    before = _before(folder)
    stats = [(p.parent.name, p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(folder.iterdir())]
    if before:
        stats.append((before.name, "", before.stat().st_size, before.stat().st_mtime_ns))
    stamp = hashlib.sha256(json.dumps(stats).encode()).hexdigest()
    last = known.get(f"{folder.parent.name}/{folder.name}")
    if last is not None and last.get("stamp") == stamp:
        return last
    match = _PACKET.fullmatch(folder.name)
    assert match is not None
    told: dict[str, Any] = {
        "account": folder.parent.name, "folder": folder.name, "name": match[1], "revision": int(match[2] or 1), "stamp": stamp,
        "problems": [], "answer": {}, "deadlines": [], "as_of": "",
    }  # fmt: skip
    try:
        content = manifest.read(folder)
        told["answer"] = {
            k: content["answer"][k]
            for k in ("exit_code", "owed", "findings", "open_items", "overdue_items", "not_checked")
        } | {"unvalued": content["answer"].get("unvalued", 0)}  # packets of before do not tell it
        told["as_of"] = date.fromisoformat(content["packet"]["as_of"]).isoformat()
        told["problems"] = verify(folder, content, before)
        told["deadlines"] = _deadlines(folder / "findings.csv")
    except (RunError, OSError, ValueError, KeyError, TypeError, AssertionError, InvalidOperation) as problem:
        told["problems"] = [f"cannot be read ({type(problem).__name__})"]
    return told


def _before(folder: Path) -> Path | None:
    """The manifest that a revision revises."""
    match = _PACKET.fullmatch(folder.name)
    number = int(match[2] or 1) if match else 1
    if match is None or number == 1:
        return None
    path = folder.with_name(match[1] if number == 2 else f"{match[1]}.r{number - 1}") / manifest.NAME
    return path if path.is_file() else None


def verify(folder: Path, content: dict[str, Any], before: Path | None) -> list[str]:
    """What differs between the packet and its manifest, file by file, and whether a revision follows the one before."""
    problems = []
    for name, digest in sorted(content["outputs"].items()):
        path = folder / name
        if Path(name).name != name or not path.is_file():
            problems.append(f"{name} is missing")
        elif manifest.sha256(path) != digest:
            problems.append(f"{name} was changed after it was published")
    extra = sorted({path.name for path in folder.iterdir()} - set(content["outputs"]) - {manifest.NAME})
    problems += [f"{name} was added after it was published" for name in extra]
    if revises := content.get("revises"):
        if before is None:
            problems.append(f"{revises['folder']}, which it revises, is missing")
        elif manifest.sha256(before) != revises["manifest_sha256"]:
            problems.append(f"the manifest of {revises['folder']}, which it revises, was changed")
    return problems


def _deadlines(path: Path) -> list[list[Any]]:
    """Last day, currency, findings, known amount as text, findings of unknown value: what can be claimed, by day."""
    sums: dict[tuple[str, str], list[Any]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["status"] == "claimable" and row["claim_by"]:
                entry = sums.setdefault((row["claim_by"], row["currency"]), [0, Decimal(0), 0])
                entry[0] += 1
                entry[1] += Decimal(row["owed"] or 0)
                entry[2] += not row["owed"]
    return [[day, currency, n, str(owed), unknown] for (day, currency), (n, owed, unknown) in sorted(sums.items())]
