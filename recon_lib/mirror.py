"""What a run needs of a cloud, as local files: the account as it stands there, and the few packets it is compared with.

The kit works on local files alone. An account's copy holds exactly the objects of the cloud: each one downloaded under the
condition that it is still the one that was listed, and known again by the server's etag and its own hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recon_lib import manifest, paths, publish
from recon_lib.cloud import Cloud, Found
from recon_lib.cloud_problems import Differs
from recon_lib.errors import HeldError, ReportError, RunError, UsageError

STATE = "copied.json"
TRIES = 3
# What a packet is compared with (manifest.OF_YESTERDAY, OF_THE_LAST), and what says that nothing is to be done.
NEEDED = (manifest.NAME, *manifest.OF_YESTERDAY, *manifest.OF_THE_LAST)
POINTERS = (".inputs.json", "latest.json")
_PACKET = re.compile(r"(\d{4}-\d\d(?:-\d\d)?)(?:\.r(?:[2-9]|[1-9]\d+))?")


@contextmanager
def workplace(*what: str) -> Iterator[Path]:
    """A folder of this user alone, for one account and one process at a time; its part `out` begins empty, and goes."""
    base, keep = paths.copies()
    place = base / hashlib.sha256("\n".join(what).encode()).hexdigest()[:32]
    from filelock import FileLock, Timeout

    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        lock = FileLock(place / ".lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise HeldError(f"another run on this machine works on {what[0]}", do="wait until it has ended") from None
    except OSError as problem:
        raise UsageError(f"cannot write to {place}: {problem.strerror or problem}", hoped="room for copies",
                         do="name a writable one in XDG_CACHE_HOME, or in RECON_MIRROR, where copies stay") from None  # fmt: skip
    try:
        shutil.rmtree(place / "out", ignore_errors=True)
        (place / "out").mkdir()
        yield place
    finally:
        shutil.rmtree(place if not keep else place / "out", ignore_errors=True)
        lock.release()


def account(source: Cloud, place: Path) -> Path:
    """Makes `<place>/account` the same as `source` and gives it.

    Raises:
        ReportError: a name there cannot be a file here. RunError: it kept changing. ReconErrors of `Cloud`.
    """
    folder = place / "account"
    for _ in range(TRIES):
        there = {name: found for name, found in source.objects().items() if is_account_file(name, source)}
        if not there:
            raise UsageError(f"nothing lies in {source}", hoped="an account folder: account.yml, reports/, books/")
        if both := {"/".join(name.split("/")[:n]) for name in there for n in range(1, name.count("/") + 1)} & set(
            there
        ):
            raise ReportError(
                f"an object and a folder in {source} have one name: {min(both)}",
                hoped="names that can be files",
                do="rename one of them",
            )
        try:
            known = _kept(folder, place / STATE, there)
            _only(folder, set(known))
            source.fetch({name: found for name, found in there.items() if name not in known}, folder)
        except Differs:
            continue  # changed or deleted since it was listed: seen as it is now
        told = {name: [found.size, found.etag, manifest.sha256(folder / name)] for name, found in there.items()}
        (place / STATE).write_text(json.dumps(told), encoding="utf-8")
        return folder
    raise RunError(f"{source} changed while it was read, {TRIES} times", do="run again when nobody writes there")


def is_account_file(name: str, source: Cloud) -> bool:
    """Nothing that begins with a dot is part of an account. ReportError: a name that would lead out of the folder."""
    parts = name.split("/")
    bad = re.search(r"[\x00-\x1f\\]", name) or (os.name == "nt" and ":" in name)
    if bad or {"", ".", ".."} & set(parts):
        raise ReportError(
            f"{name!r} in {source} cannot be the name of a file",
            hoped="names without empty parts, .. and \\",
            do="rename or delete that object",
        )
    return not any(part.startswith(".") for part in parts)


def _kept(folder: Path, state: Path, there: dict[str, Found]) -> dict[str, Found]:
    """What need not be fetched again: the same object as last time, and the copy as it was then, by its hash."""
    try:
        last = json.loads(state.read_bytes())
        return {
            name: found
            for name, found in there.items()
            if name in last
            and last[name][:2] == [found.size, found.etag]
            and (folder / name).is_file()
            and manifest.sha256(folder / name) == last[name][2]
        }
    except (OSError, ValueError, TypeError, LookupError):
        return {}


def _only(folder: Path, names: set[str]) -> None:
    """Removes everything else from the copy, working files of the register too."""
    for here, folders, files in os.walk(folder, topdown=False):
        for name in files:
            path = Path(here) / name
            if path.relative_to(folder).as_posix() not in names:
                path.unlink()
        for name in folders:
            path = Path(here) / name
            if not any(path.iterdir()):
                path.rmdir()
    # An account has these, full or empty; a cloud has no empty folders.
    for name in ("reports", "books"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def packets(there: dict[str, Found]) -> list[str]:
    """The published packets in the listing of an account's output: those with a manifest."""
    names = {name.partition("/")[0] for name in there if name.count("/") == 1 and name.endswith(f"/{manifest.NAME}")}
    return sorted(name for name in names if _PACKET.fullmatch(name))


def bring_packets(home: Cloud, folder: Path, name: str) -> dict[str, Found]:
    """Brings what a packet of the day (or month) `name` is made from of published ones; gives all that lies in `home`.

    These are all its revisions and the last packet before it; for a month all daily packets until its end.
    """
    there = home.objects()
    known = packets(there)
    days = sorted({packet[:10] for packet in known if len(packet) >= 10})
    earlier = [day for day in days if day[:7] <= name] if len(name) == 7 else [day for day in days if day < name][-1:]
    wanted = {name, *earlier}
    files = {f"{packet}/{file}" for packet in known if packet.split(".r")[0] in wanted for file in NEEDED} | set(
        POINTERS
    )
    try:
        home.fetch({file: found for file, found in there.items() if file in files}, folder)
    except Differs as problem:
        raise RunError(f"{problem} changed while it was read", do="run again; nothing else may write there") from None
    if known:  # of a pointer that was lost or damaged there, the few packets near would make only a part
        folder.mkdir(parents=True, exist_ok=True)
        publish.point_to_latest(folder, known)
    return there
