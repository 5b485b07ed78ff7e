"""One report that is ready -> a file in reports/fetched/: whole, named by what it is, there once."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from recon_lib import disk
from recon_lib.fetch.downloading import Arrived, download
from recon_lib.fetch.problems import Damaged, Expired, Refused, Unanswered
from recon_lib.fetch.ready import Api
from recon_lib.fetch.state import Open, State
from recon_lib.fetch.table import FAMILIES, Row
from recon_lib.fetch.wire import Wire

PLACE = Path("reports") / "fetched"
TRIES = 4


def file_name(item: Open, row: Row, *, zipped: bool) -> str:
    """`GET_FBA_REIMBURSEMENTS_DATA_2026-01-01_2026-01-31_50013019894.txt.gz`: the same for the same report."""
    kind = row.report.strip("_")
    return f"{kind}_{item.first}_{item.last}_{item.id}{row.ending}{'.gz' if zipped else ''}"


def check_id(text: str) -> str:
    """The id, if it may stand in a file name."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", text):
        raise Refused(
            "Amazon's answer names a report by an id that cannot stand in a file name", do="see docs/fetch.md"
        )
    return text


def lying(folder: Path) -> dict[tuple[str, str], Path]:
    """(family, report id) -> the file that is there already; also where the state was lost."""
    found: dict[tuple[str, str], Path] = {}
    for family, row in FAMILIES.items():
        kind = row.report.strip("_")
        form = re.compile(rf"{re.escape(kind)}_[0-9-]*_[0-9-]*_([A-Za-z0-9][A-Za-z0-9._-]*?)\{row.ending}(\.gz)?")
        for place in (folder / PLACE / family, folder / ".fetch" / "earlier" / family):
            for path in sorted(place.glob(f"{kind}_*")) if place.is_dir() else ():
                if match := form.fullmatch(path.name):
                    found[family, match.group(1)] = path
    return found


def load(api: Api, wire: Wire, item: Open, row: Row, folder: Path) -> Path | None:
    """Downloads a report that is done; the file, or None where the document is empty.

    A fresh address is asked for whenever the last one did not do; after several tries the last problem is raised.
    """
    part = folder / ".fetch" / f"part-{item.id}"
    try:
        arrived = _downloaded(api, wire, item, part)
        if not arrived.size:
            return None
        return place(part, folder / PLACE / row.family / file_name(item, row, zipped=arrived.zipped), arrived.sha256)
    finally:
        part.unlink(missing_ok=True)


def _downloaded(api: Api, wire: Wire, item: Open, part: Path) -> Arrived:
    for tried in range(1, TRIES + 1):
        url, zipped = api.document(item.document)
        try:
            return download(wire, url, part, zipped=zipped)
        except (Expired, Damaged, Unanswered):
            if tried == TRIES:
                raise
            wire.wait(2.0**tried)
    raise AssertionError("the last try raises")


def place(part: Path, target: Path, sha256: str) -> Path:
    """Moves a whole file to its name; one of that name with other bytes is never touched: the new one gets another name."""
    if target.exists() and hashlib.sha256(target.read_bytes()).hexdigest() != sha256:
        stem, dot, rest = target.name.partition(".")
        target = target.with_name(f"{stem}-{sha256[:8]}{dot}{rest}")
    for missing in [path for path in (target.parent, *target.parent.parents) if not path.exists()][::-1]:
        missing.mkdir(exist_ok=True)
        disk.sync(missing.parent)
    os.replace(part, target)
    disk.sync(target.parent)
    return target


def why_fatal(api: Api, wire: Wire, item: Open, folder: Path) -> str:
    """The text of the document that came with a FATAL report, in one line; empty where there is none."""
    part = folder / ".fetch" / f"part-{item.id}"
    try:
        url, zipped = api.document(item.document)
        arrived = download(wire, url, part, zipped=zipped, most=1 << 16)
        data = part.read_bytes()[: 1 << 16]
        if arrived.zipped:
            data = zlib.decompressobj(31).decompress(data, 1 << 16)
        return " ".join(data.decode("utf-8", "replace").split())[:400]
    except (Damaged, Expired, Unanswered, Refused, zlib.error):
        return ""
    finally:
        part.unlink(missing_ok=True)


def pack(pages: Sequence[tuple[str, bytes]], item: Open, row: Row, folder: Path) -> Path | None:
    """All pages of a period as one zip, the same bytes for the same pages; None where there are none."""
    if not pages:
        return None
    part = folder / ".fetch" / f"part-{item.id}"
    try:
        with part.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as whole:
                for name, data in pages:
                    whole.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
            file.flush()
            os.fsync(file.fileno())
        digest = hashlib.sha256(part.read_bytes()).hexdigest()
        return place(part, folder / PLACE / row.family / file_name(item, row, zipped=False), digest)
    finally:
        part.unlink(missing_ok=True)


def remember(state: State, item: Open, path: Path, folder: Path, now: datetime) -> None:
    """Notes the file as arrived."""
    data = path.read_bytes()
    state.files.append(
        {
            "family": item.family, "id": item.id, "name": path.relative_to(folder).as_posix(),
            "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "at": now.isoformat(),
        }
    )  # fmt: skip


def remember_empty(state: State, item: Open, now: datetime) -> None:
    """Notes that a listed report holds nothing, so that it is not loaded again."""
    state.files.append(
        {"family": item.family, "id": item.id, "name": "", "sha256": "", "bytes": 0, "at": now.isoformat()}
    )


def set_earlier_aside(folder: Path, row: Row, newest: Path) -> None:
    """A snapshot has no date inside: only the newest may be read. Earlier ones are kept in `.fetch/earlier/`."""
    aside = folder / ".fetch" / "earlier" / row.family
    for path in sorted(newest.parent.iterdir()):
        if path != newest and path.name.startswith(row.report):
            aside.mkdir(parents=True, exist_ok=True)
            os.replace(path, aside / path.name)
