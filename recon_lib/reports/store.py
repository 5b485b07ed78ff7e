"""Parsed files, kept by content: the second time a file is read, only its hash is taken.

    <store>/<reader version>/<sha256[:2]>/<sha256><hints>/   reading.json, <family>.parquet or .arrows ..., rejects.parquet if any
                                                             (<family> is a folder of Parquet files where the file grew)
    <store>/<reader version>/seen/<quick key>                the sha256 of a big file that begins and ends so and was stored

The reader version is a hash of the sources that decide what a reading holds, so a new version never meets old frames.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache
from pathlib import Path

import polars as pl

from recon_lib.reports.base import Reading

REJECTS = {"line": pl.UInt32(), "column": pl.String(), "value": pl.String(), "reason": pl.String()}
WHOLE = 16 << 20
"""Bytes up to which a kept file is looked at as a whole before it is used."""
_PIECE = 1 << 20
NO_REJECTS = pl.DataFrame(schema=REJECTS)


@cache
def reader_version() -> str:
    """Twelve hex digits over the sources of the reports, frames and money modules and the version of polars."""
    here = Path(__file__).parent
    digest = hashlib.sha256(pl.__version__.encode())
    for source in sorted(
        [*here.glob("*.py"), here.parent / "frames.py", here.parent / "money.py", here.parent / "cents.py"]
    ):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:12]


def place(store: Path, sha256: str, hints: str) -> Path:
    """The folder of one stored reading."""
    return store / reader_version() / sha256[:2] / (sha256 + hints)


def _mark(store: Path, quick: str) -> Path:
    return store / reader_version() / "seen" / quick


def quick_key(path: Path, head: bytes, hints: str) -> str:
    """Size, beginning and end of a file: cheap, and different for nearly every two files."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 4096))
        tail = file.read()
    return hashlib.sha256(f"{size}{hints}".encode() + head + tail).hexdigest()[:32]


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def was_stored(store: Path, quick: str) -> bool:
    """False: the file was surely never stored, so it can be parsed while it is hashed."""
    return _mark(store, quick).exists()


def known_as(store: Path, quick: str) -> str:
    """The sha256 that a big file which begins and ends so had when it was last stored; empty where none was."""
    try:
        return _mark(store, quick).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def work_folder(store: Path) -> Path:
    """A temporary folder on the store's own disk, so that moving it into place is atomic."""
    base = store / reader_version()
    base.mkdir(parents=True, exist_ok=True)
    _sweep(base)
    return Path(tempfile.mkdtemp(prefix=f".tmp-{platform.node()}-{os.getpid()}-", dir=base))


@cache
def _sweep(base: Path) -> None:
    """Once a process: removes what runs of this machine that were killed left behind; it can hold buyers' columns."""
    if os.name != "posix":  # asking for a process by signal 0 would end it elsewhere
        return
    for left in base.glob(f".tmp-{platform.node()}-*"):
        owner = left.name.removeprefix(f".tmp-{platform.node()}-").split("-")[0]
        try:
            os.kill(int(owner), 0)
        except ProcessLookupError:
            shutil.rmtree(left, ignore_errors=True)
        except (OSError, ValueError):  # somebody else's process is running
            continue


def seal(path: Path) -> str:
    """Size and content of a file in one word: of a big one only its beginning and its end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= WHOLE:
            return f"{size} {hashlib.sha256(file.read()).hexdigest()}"
        head = file.read(_PIECE)
        file.seek(size - _PIECE)
        return f"{size} {hashlib.sha256(head + file.read()).hexdigest()}"


def is_as_sealed(path: Path, sealed: str) -> bool:
    """False: gone, cut off or damaged, as a power loss or a bad disk leaves a file."""
    try:
        return seal(path) == sealed
    except OSError:
        return False


def make_durable(path: Path) -> None:
    """Waits until a file is on the disk, where it is too big to be looked at as a whole every day."""
    if path.stat().st_size > WHOLE:
        with path.open("rb+") as file, suppress(OSError):  # some file systems cannot
            os.fsync(file.fileno())


def load(folder: Path) -> Reading | None:
    """The reading kept in `folder`; None where there is none, or it is damaged: then the report is read again."""
    try:
        text, _, digest = (folder / "reading.json").read_text(encoding="utf-8").rstrip("\n").rpartition("\n")
    except (OSError, ValueError):
        return None
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        return None
    told = json.loads(text)
    if not all(is_as_sealed(folder / name, sealed) for name, sealed in told.pop("seals").items()):
        return None
    frames = {family: folder / name for family, name in told.pop("frames").items()}
    rejects = folder / "rejects.parquet"
    totals = {currency: Decimal(amount) for currency, amount in told.pop("totals").items()}
    notes = tuple(told.pop("notes"))
    bad = pl.read_parquet(rejects, glob=False) if told["rows_rejected"] else NO_REJECTS.clone()
    return Reading(**told, frames=frames, totals=totals, notes=notes, rejects=bad)


def save(work: Path, final: Path, told: Mapping[str, object], rejects: pl.DataFrame, quick: str) -> None:
    """Complete `work` (which holds the frames) and move it to `final` in one step; an equal one that is there stays.

    `quick`: the key of a big file, empty for one that is hashed at once.
    """
    frames = told["frames"]
    assert isinstance(frames, Mapping)
    for left in work.iterdir():  # a file made on the way (recoded, cut anew) holds every column, also the buyers'
        if left.name in frames.values():
            continue
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()
    if rejects.height:
        rejects.write_parquet(work / "rejects.parquet")
    kept = sorted(path for path in work.rglob("*") if path.is_file())
    for path in kept:
        make_durable(path)
    told = {**told, "seals": {path.relative_to(work).as_posix(): seal(path) for path in kept}}
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (work / "reading.json").write_text(f"{text}\n{digest}\n", encoding="utf-8", newline="\n")
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(work, final)
    except OSError:
        if load(final) is None:  # left broken by something outside: make room
            shutil.rmtree(final, ignore_errors=True)
            os.replace(work, final)
        else:
            shutil.rmtree(work, ignore_errors=True)
    if not quick:
        return
    mark = final.parent.parent / "seen" / quick
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(str(told["sha256"]), encoding="ascii")
