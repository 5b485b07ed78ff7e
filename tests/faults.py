"""Runs the kit again and again, kills it (-9) at a random moment, and looks at what the next run makes of it.

python -m tests.faults [MOMENTS] [SEED]    prints what was met; ends with 1 where any promise was broken

Killed are `recon packet` and the process of its notebook, `recon daily` or any one process of its tree (worker, waiting
process, notebook), and `recon case` in the middle of recording. After a kill: nothing half is seen, no process stays, the
next run ends in the bytes of an undisturbed one, and no decision that was said to be recorded is missing.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from recon_lib import manifest, publish
from recon_lib.register import open_register

ROOT = Path(__file__).resolve().parents[1]
DAY = "2026-01-31"
HEAD = "activity_at,kind,amazon_transaction_id,seller_reference_id,seller_order_id,order_reference_id,amount,currency\n"
# Ten moments: which are tried, and how often.
ROUND = ("packet", "daily", "packet", "daily tree", "case", "packet notebook", "daily", "packet", "daily tree", "case")
DECISIONS = 150  # recorded one after the other while the kill comes
RECORDING = f"""
import sys
from recon_lib.__main__ import main
for n in range({DECISIONS}):
    code = main(["case", "open", sys.argv[1], f"warehouse_lost-{{n:016x}}", "--who", "Ann", "--note", "asked", "--case", f"C{{n}}"])
    sys.stdout.flush()
    assert code == 0
"""


def account(folder: Path, name: str = "faulty") -> Path:
    """A small account with one open capture of 12.00 USD."""
    (folder / "books").mkdir(parents=True)
    (folder / "account.yml").write_text(f"account: {name}\nmarketplace: US\n")
    (folder / "books" / "pay_activity.csv").write_text(
        f"{HEAD}2026-01-28T08:00:00-08:00,capture,S01-1,r1,o1,P01-1,12.00,USD\n"
    )
    return folder


def start(folder: Path, out: Path, store: Path, *command: str) -> subprocess.Popen[str]:
    """`recon packet` of the account, or the given command in its place."""
    words = command or ("packet", str(folder), "--date", DAY, "--out", str(out))
    return subprocess.Popen(
        [sys.executable, "-m", "recon_lib", *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "RECON_STORE": str(store)},
    )  # fmt: skip


def start_daily(folder: Path, out: Path, store: Path) -> subprocess.Popen[str]:
    """`recon daily` of all accounts in the folder, with two workers."""
    return start(folder, out, store, "daily", str(folder), "--date", DAY, "--out", str(out), "--workers", "2")


def visible(home: Path) -> dict[str, str]:
    """Every published file with its hash; what begins with a dot is nobody's business."""
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(home).parts)
    }


def half(home: Path) -> list[str]:
    """What is wrong with what stands there: a packet is whole and as its manifest says, or it is not there."""
    wrong = []
    for path in home.iterdir() if home.is_dir() else ():
        if path.is_dir() and not path.name.startswith("."):
            if not (path / manifest.NAME).is_file():
                wrong.append(f"{path.name} has no manifest")
                continue
            stated = manifest.read(path)["outputs"]
            found = {file.name: manifest.sha256(file) for file in path.iterdir() if file.name != manifest.NAME}
            wrong += [] if stated == found else [f"{path.name} is not what its manifest says"]
    return wrong


def differing(now: dict[str, str], undisturbed: dict[str, str]) -> list[str]:
    other = sorted(name for name in {*now, *undisturbed} if now.get(name) != undisturbed.get(name))
    return [f"other bytes than undisturbed: {', '.join(other[:4])}"] if other else []


def one(base: Path, undisturbed: dict[str, str], store: Path, seconds: float, victim: str) -> tuple[str, list[str]]:
    """(what was standing after the kill of `recon packet`, broken promises).

    `victim`: the command, or the process of its notebook.
    """
    folder, out = account(base / "account"), base / "out"
    run = start(folder, out, store)
    time.sleep(seconds)
    below = descendants(run.pid)
    _kill(run.pid if victim == "command" else next(iter(below), 0))
    run.communicate()
    home = out / "faulty"
    wrong = half(home) + staying(below)
    met = "published" if publish.revisions(home, DAY) else "nothing visible"
    if run.returncode == 1:
        met = "had ended"
    again = start(folder, out, store)
    _, told = again.communicate()
    wrong += half(home)
    if again.returncode != 1:
        wrong.append(f"the next run ended with {again.returncode}: {told[-500:]}")
    # The log of a run whose notebook died goes with the next run that succeeds.
    return met, wrong + differing(visible(home), undisturbed)


def accounts(folder: Path) -> Path:
    """Three accounts in a folder."""
    for name in ("a", "b", "c"):
        account(folder / name, f"faulty-{name}")
    return folder


def pages(out: Path) -> dict[str, str]:
    """What `recon daily` leaves, without the summary of the run: it tells what this very run did."""
    return {name: digest for name, digest in visible(out).items() if name != f"daily-{DAY}.html"}


def one_daily(
    base: Path, undisturbed: dict[str, str], store: Path, seconds: float, dice: random.Random, victim: str
) -> tuple[str, list[str]]:
    """(what was standing after the kill of `recon daily`, broken promises).

    `victim`: the command, or (`tree`) any one process below it.
    """
    folder, out = accounts(base / "accounts"), base / "out"
    run = start_daily(folder, out, store)
    time.sleep(seconds)
    below = descendants(run.pid)
    _kill(run.pid if victim == "command" else dice.choice(below) if below else 0)
    _, told = run.communicate()
    homes = [out / f"faulty-{name}" for name in ("a", "b", "c")]
    wrong = [line for home in homes for line in half(home)] + staying(below)
    # Python's own tracker of semaphores says a word when it is the victim; it is none of the kit's.
    if "recon_lib" in told.partition("Traceback")[2] and run.returncode != -signal.SIGKILL:
        wrong.append(f"a traceback: {told[-800:]}")
    met = f"{sum(bool(publish.revisions(home, DAY)) for home in homes)} of 3 published"
    if run.returncode != -signal.SIGKILL:
        met += f", the run ended with {run.returncode}"
    again = start_daily(folder, out, store)
    _, told = again.communicate()
    wrong += [line for home in homes for line in half(home)]
    if again.returncode != 1:
        wrong.append(f"the next run ended with {again.returncode}: {told[-500:]}")
    if not (out / f"daily-{DAY}.html").is_file():
        wrong.append("the next run left no summary")
    return met, wrong + differing(pages(out), undisturbed)


def one_case(base: Path, seconds: float) -> tuple[str, list[str]]:
    """(how many decisions were recorded before the kill, broken promises)."""
    folder = account(base / "account")
    run = subprocess.Popen(
        [sys.executable, "-c", RECORDING, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    time.sleep(seconds)
    _kill(run.pid)
    said, _ = run.communicate()
    told = sum(line.endswith("\n") for line in said.splitlines(keepends=True))
    register, wrong = open_register(folder), []
    if problems := register.verify():
        wrong.append(f"the register does not verify: {problems}")
    cases = [event.case_id for event in register.events()]
    # The one in the middle may be there or not; what was told is there, in its order, and nothing else.
    if cases not in ([f"C{n}" for n in range(told)], [f"C{n}" for n in range(told + 1)]):
        wrong.append(f"{told} decisions were told, recorded are {cases}")
    if run.returncode not in (0, -signal.SIGKILL):
        wrong.append(f"the recording ended with {run.returncode}")
    for finding, code in (("warehouse_lost-00000000000000ff", 0), (f"warehouse_lost-{0:016x}", 2 if cases else 0)):
        again = start(folder, base, base, "case", "open", str(folder), finding, "--who", "Bob", "--note", "later")
        _, why = again.communicate()
        if again.returncode != code:
            wrong.append(f"the next decision ended with {again.returncode}, not {code}: {why[-500:]}")
    return f"{'all' if told == DECISIONS else 'some' if cases else 'none'} recorded", wrong + register.verify()


def descendants(pid: int) -> list[int]:
    """The processes below one, its children first."""
    try:
        own = [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return own + [n for child in own for n in descendants(child)]


def staying(pids: Iterable[int], seconds: float = 30) -> list[str]:
    """Those that still run after a while: none may outlive its run, it could hold the account."""
    until, left = time.monotonic() + seconds, list(pids)
    while left and time.monotonic() < until:
        left = [pid for pid in left if _runs(pid)]
        time.sleep(0.05)
    return [f"{len(left)} processes outlive their run"] if left else []


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _kill(pid: int) -> None:
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def baseline(base: Path, store: Path) -> tuple[dict[str, str], float]:
    """(what an undisturbed packet is, its seconds)."""
    begun = time.monotonic()
    run = start(account(base / "account"), base / "out", store)
    _, told = run.communicate()
    assert run.returncode == 1, told
    return visible(base / "out" / "faulty"), time.monotonic() - begun


def baseline_daily(base: Path, store: Path) -> tuple[dict[str, str], float]:
    """(what an undisturbed run over three accounts leaves, its seconds)."""
    begun = time.monotonic()
    run = start_daily(accounts(base / "accounts"), base / "out", store)
    _, told = run.communicate()
    assert run.returncode == 1, told
    return pages(base / "out"), time.monotonic() - begun


def baseline_case(base: Path) -> float:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", RECORDING, str(account(base / "account"))], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    return time.monotonic() - begun


def main(moments: int, seed: int) -> int:
    dice, met, broken = random.Random(seed), Counter[str](), 0
    with tempfile.TemporaryDirectory(prefix="recon-faults-") as place:
        here, store = Path(place), Path(place) / "store"
        baseline(here / "first", store)
        packet, took = baseline(here / "base", store)
        daily, took_daily = baseline_daily(here / "base-daily", store)
        took_case = baseline_case(here / "base-case")
        for n in range(moments):
            kind, base = ROUND[n % len(ROUND)], here / str(n)
            at = dice.uniform(0, 1.1 * (took_case if kind == "case" else took_daily if "daily" in kind else took))
            if kind == "case":
                said, wrong = one_case(base, at)
            elif "daily" in kind:
                said, wrong = one_daily(base, daily, store, at, dice, "tree" if "tree" in kind else "command")
            else:
                said, wrong = one(base, packet, store, at, "kernel" if "notebook" in kind else "command")
            met[f"{kind}: {said}"] += 1
            broken += bool(wrong)
            for line in wrong:
                print(f"moment {n} ({kind}, {at:.2f} s): {line}", flush=True)
            shutil.rmtree(base, ignore_errors=True)
    for said, times in sorted(met.items()):
        print(f"{times:5} {said}")
    print(
        f"{moments} moments within {took:.1f} s (packet), {took_daily:.1f} s (daily), {took_case:.1f} s (case), "
        f"seed {seed}; broken promises: {broken}"
    )
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main(int((sys.argv[1:2] or ["200"])[0]), int((sys.argv[2:3] or ["1"])[0])))
