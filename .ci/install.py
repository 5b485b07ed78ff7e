"""Installs this project with the named extras, every package at the version and hash of constraints.txt.

Usage: python .ci/install.py [EXTRA ...]      (with the interpreter of the environment to fill; only pip is needed)

pip checks hashes only when every requirement is pinned in a requirements file. So the versions of constraints.txt decide
first which packages the chosen extras need, and then just those are installed, with their hashes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def blocks(text: str) -> list[tuple[str, str]]:
    """(canonical name, whole requirement with its hash lines) for each pin; a name may stand several times with markers."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if match := NAME.match(line):
            found.append((canonical(match.group(1)), line))
        elif line.strip() and found:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line}")
    return found


def pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], cwd=ROOT, check=False
    )
    if done.returncode:
        raise SystemExit(f"pip {arguments[0]} failed with exit code {done.returncode}; is a package index reachable?")


def main(extras: list[str]) -> None:
    pins = blocks((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    wanted = f".[{','.join(extras)}]" if extras else "."
    with tempfile.TemporaryDirectory() as place:
        versions, report, chosen = (Path(place) / name for name in ("versions.txt", "report.json", "chosen.txt"))
        versions.write_text("\n".join(block.split("\\")[0].strip() for _, block in pins) + "\n", encoding="utf-8")
        pip("install", "--quiet", "--dry-run", "--report", str(report), "--constraint", str(versions), wanted)
        plan = json.loads(report.read_text(encoding="utf-8"))["install"]
        names = {canonical(item["metadata"]["name"]) for item in plan} - {"amazon-reconciliation-kit"}
        unknown = names - {name for name, _ in pins}
        if unknown:
            raise SystemExit(f"constraints.txt has no pin for {', '.join(sorted(unknown))}: run 'make lock'")
        if names:
            chosen.write_text("\n".join(block for name, block in pins if name in names) + "\n", encoding="utf-8")
            pip("install", "--quiet", "--no-deps", "--require-hashes", "--requirement", str(chosen))
    pip("install", "--quiet", "--no-deps", "--editable", ".")


if __name__ == "__main__":
    main(sys.argv[1:])
