"""`recon case ...` for an account that lies in a cloud: no recorded decision is ever lost or overwritten.

The register is brought near with its etag, the decision is appended to the copy, and the copy replaces exactly that object
(`If-Match`). Where someone else recorded a decision meanwhile, it is brought again and the command runs anew on top of theirs.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sqlite3
import tempfile
from pathlib import Path

from recon_lib import lease, manifest, mirror
from recon_lib.account import load_account
from recon_lib.away import Near, in_words
from recon_lib.cloud import Cloud
from recon_lib.cloud_problems import Differs
from recon_lib.errors import ReconError, RunError, UsageError
from recon_lib.packet import account_name
from recon_lib.paths import is_url
from recon_lib.register import NAME, open_register

TRIES = 10
READING = ("list", "verify", "export")  # need no right to write
OF_PACKETS = (manifest.NAME, "findings.csv")  # what the commands look into


def run(arguments: argparse.Namespace) -> int:
    """Runs one `recon case` command near; its exit code. What it says is said once its decision stands in the cloud.

    Raises:
        UsageError: as the command, or the register cannot be replaced safely. RunError: others were quicker, again and again.
    """
    if arguments.decision == "restore" and is_url(arguments.account_folder):
        raise UsageError(
            "a register in a storage has no second copy beside it",
            hoped="an account folder on this machine",
            do="bring back an earlier version of the object (keep versions of the bucket), or an exported CSV",
        )
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory(prefix="recon-case-") as place:
            try:
                return _once(arguments, Path(place).resolve())
            except Differs:
                continue
    raise RunError("the register was written by others again and again", hoped="a quiet moment", do="run again")


def _once(arguments: argparse.Namespace, place: Path) -> int:
    given = argparse.Namespace(**vars(arguments))
    names: list[tuple[str, str]] = []
    source = Cloud(arguments.account_folder) if is_url(arguments.account_folder) else None
    etag, writes = "", arguments.decision not in READING
    try:
        if source is not None:
            given.account_folder = place / "account"
            names.append((str(given.account_folder), source.url))
            etag = _bring(source, place, whole=arguments.decision == "list", safely=writes)
        if is_url(getattr(arguments, "out", "")):
            given.out = place / "out"
            names.append((str(given.out), str(arguments.out)))
            home = Cloud(arguments.out).below(account_name(given.account_folder))
            there = home.objects()
            files = {f"{packet}/{file}" for packet in mirror.packets(there) for file in OF_PACKETS}
            home.fetch(
                {f: found for f, found in there.items() if f in files}, given.out / home.prefix.rpartition("/")[2]
            )
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = int(arguments.run(given))
        if source is not None and writes:
            _send(source, given.account_folder, etag)
    except ReconError as problem:
        raise in_words(problem, Near(Path(), Path(), tuple(names)).said) from None
    print(Near(Path(), Path(), tuple(names)).said(said.getvalue()), end="")
    return code


def _bring(source: Cloud, place: Path, *, whole: bool, safely: bool) -> str:
    """account.yml and the register (for `list` the reports too); gives the register's etag, empty where there is none.

    `safely`: it will be replaced, so the storage must keep conditions (finding that out writes).
    """
    there = source.objects()
    loose = [name for name in (f"{NAME}-wal", f"{NAME}-journal") if name in there and there[name].size]
    if loose:
        raise UsageError(
            f"{source}/{loose[0]} lies beside the register: it was copied while a program had it open",
            hoped=f"{NAME} alone",
            do=f"bring both files into one local folder, run 'recon case verify' there, send {NAME} up and delete the other",
        )
    if safely:
        lease.prove(source)
    if whole:
        mirror.account(source, place)
    else:
        near = {name: found for name, found in there.items() if name in ("account.yml", NAME)}
        (place / "account").mkdir(mode=0o700)
        source.fetch(near, place / "account")
    return there[NAME].etag if NAME in there else ""


def _send(source: Cloud, folder: Path, etag: str) -> None:
    """Puts the register up where the command recorded something. Differs: someone else did meanwhile."""
    register = folder / NAME
    if not register.is_file():
        return
    # Everything into the one file: a log beside it would stay behind.
    with contextlib.closing(sqlite3.connect(register)) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        base.execute("PRAGMA journal_mode = DELETE")
    mine = open_register(register, load_account(folder).time_zone)
    if problems := mine.verify():
        raise UsageError("; ".join(problems), hoped="an untouched register", do="restore it from a backup", file=NAME)
    if etag:
        last, found = source.read(NAME)
        if found != etag:
            raise Differs(NAME)
        before = folder / "before.sqlite"
        before.write_bytes(last)
        theirs = sorted(open_register(before).events(), key=lambda event: event.seq)
        ours = sorted(mine.events(), key=lambda event: event.seq)
        if ours == theirs:
            return
        if ours[: len(theirs)] != theirs:
            raise RunError("the copy of the register lost a decision; nothing was sent", do="report it")
    source.write(NAME, register.read_bytes(), over=etag)
