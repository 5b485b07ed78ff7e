"""`index.html` over packets that lie in a cloud: every new packet is read back once, and held against its manifest."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from recon_lib import index, manifest, mirror
from recon_lib.cloud import Cloud, Found
from recon_lib.cloud_problems import Differs
from recon_lib.errors import RunError
from recon_lib.index import Index
from recon_lib.index_page import page

FORM = "cloud 1"  # of the cache: its stamps are made of the server's etags


def refresh(out: Cloud, *, everything: bool = False) -> Index:
    """As `index.refresh`: only packets of which an object is another one than last time are read; `everything`: all.

    Raises:
        RunError: the index was written by others, again and again. ReconErrors of `Cloud`.
    """
    for _ in range(mirror.TRIES):
        there = out.objects()
        last = there.get(index.CACHE)
        try:
            known = {} if everything or last is None else _known(out.read(index.CACHE)[0])
            packets = [_entry(out, home, name, there, known) for home, name in _folders(there)]
            told = json.dumps({"form": FORM, "packets": packets}, sort_keys=True).encode()
            out.write(index.CACHE, told, over=last.etag if last else "")
        except Differs:  # another run made it, or a packet came: both are in the next look
            continue
        out.replace(index.PAGE, page(packets).encode("utf-8"))
        return Index(f"{out}/{index.PAGE}", packets)
    raise RunError(f"{out}/{index.PAGE} is made by several runs at once", do="run 'recon index' when they have ended")


def _folders(there: dict[str, Found]) -> list[tuple[str, str]]:
    """(account, packet folder) of every published packet, sorted by account, name and revision."""
    homes: dict[str, dict[str, Found]] = {}
    for name, found in there.items():
        home, _, rest = name.partition("/")
        if rest and not home.startswith("."):
            homes.setdefault(home, {})[rest] = found
    return [
        (home, name)
        for home in sorted(homes)
        for name in sorted(
            mirror.packets(homes[home]), key=lambda n: (n.split(".r")[0], int(n.partition(".r")[2] or 1))
        )
    ]


def _known(content: bytes) -> dict[str, dict[str, Any]]:
    try:
        told = json.loads(content)
        return {f"{p['account']}/{p['folder']}": p for p in told["packets"]} if told["form"] == FORM else {}
    except (ValueError, KeyError, TypeError):
        return {}


def _entry(out: Cloud, home: str, name: str, there: dict[str, Found], known: dict[str, Any]) -> dict[str, Any]:
    place = f"{home}/{name}/"
    wanted = {
        file: found for file, found in there.items() if file.startswith(place) and mirror.is_account_file(file, out)
    }
    day, _, number = name.partition(".r")
    before = day if number == "2" else f"{day}.r{int(number) - 1}" if number else ""
    revised = f"{home}/{before}/{manifest.NAME}"
    if before and revised in there:
        wanted[revised] = there[revised]
    stamp = hashlib.sha256(json.dumps([(n, f.size, f.etag) for n, f in sorted(wanted.items())]).encode()).hexdigest()
    last = known.get(place.rstrip("/"))
    if last is not None and last.get("stamp") == stamp:
        return dict(last)
    with tempfile.TemporaryDirectory(prefix="recon-index-") as near:
        out.fetch(wanted, Path(near))
        return {**index.entry(Path(near) / home / name, {}), "stamp": stamp}
