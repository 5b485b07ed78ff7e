"""Runs `recon packet` again and again, kills it (-9) at a random moment, and looks at what the next run makes of it.

python -m tests.faults [MOMENTS] [SEED]    prints what was met; ends with 1 where any promise was broken
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from recon_lib import manifest, publish

ROOT = Path(__file__).resolve().parents[1]
DAY = "2026-01-31"
HEAD = "activity_at,kind,amazon_transaction_id,seller_reference_id,seller_order_id,order_reference_id,amount,currency\n"


def account(folder: Path, name: str = "faulty") -> Path:
    """A small account with one open capture of 12.00 USD."""
    (folder / "books").mkdir(parents=True)
    (folder / "account.yml").write_text(f"account: {name}\nmarketplace: US\n")
    (folder / "books" / "pay_activity.csv").write_text(
        f"{HEAD}2026-01-28T08:00:00-08:00,capture,S01-1,r1,o1,P01-1,12.00,USD\n"
    )
    return folder


def start(folder: Path, out: Path, store: Path, **more: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "recon_lib", "packet", str(folder), "--date", DAY, "--out", str(out)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "RECON_STORE": str(store)}, **more,  # type: ignore[call-overload]
    )  # fmt: skip


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


def one(base: Path, undisturbed: dict[str, str], store: Path, seconds: float, victim: str) -> tuple[str, list[str]]:
    """(what was standing after the kill, broken promises). `victim`: the command, or the process of its notebook."""
    folder, out = account(base / "account"), base / "out"
    run = start(folder, out, store)
    time.sleep(seconds)
    target = run.pid if victim == "command" else _child(run.pid)
    if target:
        with suppress(ProcessLookupError):
            os.kill(target, signal.SIGKILL)
    run.communicate()
    home = out / "faulty"
    wrong = half(home)
    met = "published" if publish.revisions(home, DAY) else "nothing visible"
    if run.returncode == 1:
        met = "had ended"
    again = start(folder, out, store)
    _, told = again.communicate()
    wrong += half(home)
    if again.returncode != 1:
        wrong.append(f"the next run ended with {again.returncode}: {told[-500:]}")
    # The log of a run whose notebook died goes with the next run that succeeds.
    if visible(home) != undisturbed:
        wrong.append(
            f"other bytes than undisturbed: {sorted(set(visible(home).items()) ^ set(undisturbed.items()))[:4]}"
        )
    return met, wrong


def _child(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    except (OSError, IndexError):
        return 0


def baseline(base: Path, store: Path) -> tuple[dict[str, str], float]:
    """(what an undisturbed run publishes, its seconds)."""
    begun = time.monotonic()
    run = start(account(base / "account"), base / "out", store)
    _, told = run.communicate()
    assert run.returncode == 1, told
    return visible(base / "out" / "faulty"), time.monotonic() - begun


def main(moments: int, seed: int) -> int:
    dice, met, broken = random.Random(seed), Counter[str](), 0
    with tempfile.TemporaryDirectory(prefix="recon-faults-") as place:
        store = Path(place) / "store"
        baseline(Path(place) / "first", store)
        undisturbed, seconds = baseline(Path(place) / "base", store)
        for n in range(moments):
            victim = "command" if n % 4 else "kernel"
            at = dice.uniform(0, seconds * 1.1)
            said, wrong = one(Path(place) / str(n), undisturbed, store, at, victim)
            met[f"{victim} killed: {said}"] += 1
            broken += bool(wrong)
            for line in wrong:
                print(f"moment {n} ({victim}, {at:.2f} s): {line}")
    print(
        f"{moments} moments within {seconds:.1f} s, seed {seed}: {dict(sorted(met.items()))}; broken promises: {broken}"
    )
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main(int((sys.argv[1:2] or ["200"])[0]), int((sys.argv[2:3] or ["1"])[0])))
