"""Accounts or packets that lie in a cloud: brought near, worked on as local files, and what came of it sent up.

Each worker brings its own account and sends its own packets; only addresses go through the cluster. What is said names the
addresses, not the copies.
"""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from recon_lib import account_job, daily, lease, mirror, paths, sending
from recon_lib.account_job import YESTERDAY, Job, Outcome
from recon_lib.cloud import Cloud
from recon_lib.cloud_problems import Differs
from recon_lib.daily import Round
from recon_lib.errors import ReconError
from recon_lib.packet import account_name
from recon_lib.paths import is_url

Place = Path | str  # a folder, or s3://bucket/folder
# What no folder of Windows has in its name: a folder of another name stands for it, so that the account is told, not lost.
_NO_NAMES = str.maketrans('\\:*?"<>|', "\uff3c\uff1a\uff0a\uff1f\uff02\uff1c\uff1e\uff5c")


@dataclass(frozen=True)
class Near:
    """Local folders that stand for `source` (the account) and `target` (where packets go)."""

    folder: Path
    out: Path
    names: tuple[tuple[str, str], ...]  # local path, what it stands for

    def said(self, text: str) -> str:
        for path, url in self.names:
            text = text.replace(path, url)
        return text


@contextmanager
def at_hand(source: Place, target: Place, wanted: str | Callable[[Path], str], run: str = "") -> Iterator[Near]:
    """The account `source` and what a packet needs of `target`, as local folders; packets made there go up at the end.

    `wanted`: the day or month, or what gives it from the account's folder. `run`: as in `lease.held`.

    Raises:
        ReconError: with the addresses in its words; HeldError where another run holds the account.
    """
    names: list[tuple[str, str]] = []
    try:
        with ExitStack() as stack:
            if not (is_url(source) or is_url(target)):
                yield Near(Path(source), Path(target), ())
                return
            place = stack.enter_context(mirror.workplace(str(source), str(target)))
            folder = Path(source)
            if is_url(source):
                folder = mirror.account(Cloud(str(source)), place)
                names.append((str(folder), str(source)))
            name = wanted if isinstance(wanted, str) else wanted(folder)
            if not is_url(target):
                yield Near(folder, Path(target), tuple(names))
                return
            out, home = place / "out", Cloud(str(target)).below(account_name(folder))
            names.append((str(out), str(target)))
            held = stack.enter_context(lease.held(home, run, paths.lease_seconds()))
            there = mirror.bring_packets(home, out / home.prefix.rpartition("/")[2], name)
            try:
                yield Near(folder, out, tuple(names))
            except ReconError:
                with suppress(ReconError):  # the first problem is the one to tell; its log goes up
                    sending.send(out / home.prefix.rpartition("/")[2], home, there, held)
                raise
            sending.send(out / home.prefix.rpartition("/")[2], home, there, held)
    except ReconError as problem:
        raise in_words(problem, Near(Path(), Path(), tuple(names)).said) from None


def in_words(problem: ReconError, said: Callable[[str], str]) -> ReconError:
    """The same problem with other words for places."""
    return type(problem)(
        said(problem.met), hoped=said(problem.hoped), do=said(problem.do), file=said(problem.file), line=problem.line
    )


def run_account(source: Place, target: Place, run: str, job: Job) -> Outcome:
    """`account_job.run_account` for an account of the folder `source`; runs in a worker, never raises."""
    begun = time.monotonic()
    place = f"{source}/{job.folder.name}" if is_url(source) else job.folder
    name = day = ""

    def wanted(folder: Path) -> str:
        nonlocal name, day
        name, day = account_name(folder), account_job.wanted_day(job, folder)
        return day

    try:
        with at_hand(place, target, wanted, run) as near:
            made = account_job.run_account(replace(job, folder=near.folder, out=near.out))
    except Exception as problem:
        return account_job.ended(job, problem, name, day, seconds=time.monotonic() - begun)
    lines = tuple(near.said(packet.line()) for packet in made.packets)
    moved = tuple(replace(p, path=job.out / p.path.relative_to(near.out)) for p in made.packets)
    return replace(made, folder=job.folder.name, message=near.said(made.message), packets=moved, lines=lines,
                   seconds=time.monotonic() - begun)  # fmt: skip


def run_daily(folder: Place, out: Place, day: str = YESTERDAY, **given: Any) -> Round:
    """`daily.run_daily`, where `folder`, `out` or both are addresses. The page goes to `out`."""
    with tempfile.TemporaryDirectory(prefix="recon-daily-") as made:
        base = Path(made).resolve()
        here = base / "accounts" if is_url(folder) else Path(folder).resolve()
        near = base / "out" if is_url(out) else Path(out).resolve()
        said = Near(here, near, tuple((str(a), str(b)) for a, b in ((here, folder), (near, out)) if is_url(b))).said
        try:
            if is_url(folder):
                folder = outline(Cloud(str(folder)), here).url
            if is_url(out):
                out = Cloud(str(out)).url
                lease.prove(Cloud(out))
            work = partial(run_account, folder, out, uuid.uuid4().hex)
            done = daily.run_daily(here, near, day, work=work, said=said, **given)
            return _sent(done, Cloud(str(out)), said) if is_url(out) else done
        except ReconError as problem:
            raise in_words(problem, said) from None


def _sent(done: Round, out: Cloud, said: Callable[[str], str]) -> Round:
    """Sends the page. Packets lie there already: where it cannot be sent, what became of the accounts is told all the same."""
    if done.page is None:
        return replace(done, problem=said(done.problem))
    try:
        out.replace(Path(done.page).name, Path(done.page).read_bytes())
    except ReconError as problem:
        return replace(done, page=None, problem=said(str(problem)))
    return replace(done, page=said(str(done.page)))


def outline(source: Cloud, here: Path) -> Cloud:
    """Makes in `here` what tells an account from another folder: its parts, and account.yml as it stands."""
    folders, _ = source.inside()

    def one(name: str) -> None:
        if name.startswith("."):
            return
        parts, names = source.below(name).inside()
        near = here / (name.translate(_NO_NAMES) if os.name == "nt" else name)
        for part in {"reports", "books"} & set(parts):
            (near / part).mkdir(parents=True, exist_ok=True)
        if "account.yml" in names:
            with suppress(Differs):  # gone this moment: told as missing
                content, _ = source.below(name).read("account.yml")
                near.mkdir(parents=True, exist_ok=True)
                (near / "account.yml").write_bytes(content)

    here.mkdir(parents=True)
    if "account.yml" in source.inside()[1]:
        (here / "account.yml").touch()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, folders))
    return source
