"""Mutates the demo account again and again and looks at what the kit makes of each folder.

python -m tests.mutants [FOLDERS] [SEED]            prints the figures; ends with 1 where any promise was broken
python -m tests.mutants --only NUMBER SEED [PLACE]  makes one folder again (kept in PLACE) and says what was done and met

Two processes share the folders. Every 25th folder also goes through `recon check` and `recon packet` themselves.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.mutants import folders
from tests.mutants.examine import DAY, Told, examine

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 300  # seconds for one folder, on a machine that others use too
WORKERS = 2
EACH = 25  # folders of which one goes through the commands


def one(base: folders.Base, place: Path, seed: int, number: int, *, commands: bool) -> tuple[folders.Mutant, Told]:
    """Makes folder `number` in `place` and looks at it."""
    made = folders.make(base, place / "account", seed, number)
    # Before the other look: that one takes unusable files away.
    by_command = _commands(made.folder, place, base.store) if commands and made.params is None else None
    told = examine(made.folder, base.store, base.seed, made.touched, made.params, made.settings)
    if by_command is not None:
        code, wrong = by_command
        told.problems += wrong
        told.counts["commands"] += 1
        if code != told.exit_code:
            told.problems.append(f"`recon packet` ends with {code}, inside it was {told.exit_code}")
    return made, told


def _commands(folder: Path, place: Path, store: Path) -> tuple[int, list[str]]:
    """`recon check` and `recon packet`: (exit code of the packet, what must not be)."""
    wrong, codes = [], []
    out = place / "packets"
    for words in (["check", str(folder)], ["packet", str(folder), "--date", DAY, "--out", str(out)]):
        run = subprocess.run(
            [sys.executable, "-m", "recon_lib", *words], cwd=ROOT, capture_output=True, text=True, errors="replace", check=False,
            timeout=LONGEST, env={**os.environ, "RECON_STORE": str(store)},
        )  # fmt: skip
        codes.append(run.returncode)
        said = run.stdout + run.stderr
        if run.returncode not in (0, 1, 2) or "Traceback" in said or "inside the program" in said:
            wrong.append(f"`recon {words[0]}` ends with {run.returncode}: {said[-600:]}")
    if codes[1] == 2 and out.exists() and any(path.is_file() for path in out.rglob("*")):
        wrong.append(f"refused, and yet something was written: {sorted(out.rglob('*'))[:3]}")
    if codes[1] in (0, 1):
        from tests.faults import half

        wrong += [line for home in out.iterdir() if home.is_dir() for line in half(home)]
    return codes[1], wrong


def worker(seed: int, first: int, step: int, upto: int) -> None:
    """Examines every `step`-th folder from `first` on, a JSON line before and after each."""
    import faulthandler

    with tempfile.TemporaryDirectory(prefix="recon-mutants-") as here:
        base = folders.base(Path(here) / "base")
        for number in range(first, upto, step):
            print(json.dumps({"begun": number}), flush=True)
            faulthandler.dump_traceback_later(LONGEST, exit=True)
            place = Path(here) / str(number)
            place.mkdir()
            made, told = one(base, place, seed, number, commands=number % EACH == 0)
            faulthandler.cancel_dump_traceback_later()
            print(json.dumps({
                "number": number, "done": made.done, "end": told.end, "exit_code": told.exit_code, "problems": told.problems,
                "counts": dict(told.counts), "refused": told.refused,
            }), flush=True)  # fmt: skip
            shutil.rmtree(place, ignore_errors=True)
            shutil.rmtree(base.store / "merged", ignore_errors=True)


def run(wanted: int, seed: int) -> int:
    """All folders; gives the exit code."""
    begun, results, bad = time.monotonic(), list[dict[str, Any]](), list[str]()
    choose = selectors.DefaultSelector()
    at: dict[int, int] = {}

    def start(index: int, first: int) -> None:
        words = [sys.executable, "-m", "tests.mutants", "--worker", str(seed), str(first), str(WORKERS), str(wanted)]
        process = subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "POLARS_MAX_THREADS": "1"}
        )
        choose.register(process.stdout, selectors.EVENT_READ, (index, process))  # type: ignore[arg-type]

    for index in range(min(WORKERS, wanted)):
        start(index, index)
    while choose.get_map():
        for key, _ in choose.select():
            index, process = key.data
            line = process.stdout.readline()
            if line:
                told = json.loads(line)
                if "begun" in told:
                    at[index] = told["begun"]
                    continue
                results.append(told)
                for problem in told["problems"]:
                    bad.append(f"folder {told['number']}: {problem}\n    made by {told['done']}")
                    print(bad[-1], flush=True)
                continue
            choose.unregister(key.fileobj)
            if process.wait() != 0:
                if index not in at:
                    raise SystemExit("the seed folder itself cannot be read")
                number = at.pop(index)
                bad.append(f"folder {number}: the process died or hung ({process.returncode})")
                print(bad[-1], flush=True)
                if number + WORKERS < wanted:
                    start(index, number + WORKERS)
    return _tell(wanted, seed, results, bad, time.monotonic() - begun)


def _tell(wanted: int, seed: int, results: list[dict[str, Any]], bad: list[str], seconds: float) -> int:
    ends = Counter(f"{told['end']} (exit code {told['exit_code']})" for told in results)
    counts = sum((Counter(told["counts"]) for told in results), Counter[str]())
    kinds = Counter(line.split(": ")[-1] if ": " in line and not line.startswith("account") else line.split(":")[0]
                    for told in results for line in told["done"])  # fmt: skip
    print("changes: " + ", ".join(f"{n} {kind}" for kind, n in kinds.most_common(60)))
    print("ends: " + ", ".join(f"{n} {end}" for end, n in sorted(ends.items())))
    print(
        f"{counts['files']} files with {counts['rows']} rows looked at line by line, {counts['rejected']} of them rejected; "
        f"{sum(told['refused'] for told in results)} files refused; {counts['commands']} folders also through the commands"
    )
    lost = wanted - len(results)
    print(f"{wanted} folders, seed {seed}, {seconds:.0f} s: {len(bad)} broken promises, {lost} without an answer")
    return int(bool(bad) or lost > 0)


def again(number: int, seed: int, place: Path) -> int:
    """One folder, kept."""
    place.mkdir(parents=True, exist_ok=True)
    base = folders.base(place / "base")
    made, told = one(base, place, seed, number, commands=False)
    print("\n".join([*made.done, f"{told.end}, exit code {told.exit_code}", *told.problems]))
    return int(bool(told.problems))


def main(words: list[str]) -> int:
    if words[:1] == ["--worker"]:
        worker(*map(int, words[1:5]))
        return 0
    if words[:1] == ["--only"]:
        return again(
            int(words[1]),
            int(words[2]),
            Path(words[3]) if words[3:] else Path(tempfile.mkdtemp(prefix="recon-mutant-")),
        )
    return run(int((words[:1] or ["1000"])[0]), int((words[1:2] or ["1"])[0]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
