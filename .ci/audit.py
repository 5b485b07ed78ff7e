"""Audits what is installed and pinned: nothing outside the lock, nothing withdrawn, no known weakness; lists the licences.

Usage: python .ci/audit.py      (with the interpreter of the environment to audit, the extra `audit` installed)

Exit codes: 0 all was checked and is in order · 1 something was found · 3 in order as far as it could be checked; what could
not be, is told as "not audited", never as clean. The services asked are the package index of pip and the vulnerability
service of pip-audit (AUDIT_SERVICE: pypi or osv; AUDIT_OSV_URL: another address of osv).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from install import ROOT, blocks, canonical

OURS = "amazon-reconciliation-kit"
TOOLS = {"pip", "setuptools", "uv"}  # of the environment itself; not imported by the kit
# A release with published weaknesses: a service that does not know them does not know anything.
CANARY = "jinja2==2.10"
Pins = dict[str, dict[str, set[str]]]  # name -> version -> sha256 of its files


def pins(text: str) -> Pins:
    """What constraints.txt allows."""
    found: Pins = defaultdict(dict)
    for name, block in blocks(text):
        version = block.split("==", 1)[1].split(maxsplit=1)[0]
        found[name].setdefault(version, set()).update(re.findall(r"--hash=sha256:([0-9a-f]{64})", block))
    return found


def outside(installed: Iterable[tuple[str, str]], allowed: Pins) -> list[str]:
    """Installed packages that are not in the lock, in another version, or pinned there without a hash."""
    told = []
    for name, version in sorted(installed):
        if name == OURS or (name in TOOLS and version not in allowed.get(name, {})):
            continue
        if name not in allowed:
            told.append(f"{name} {version} is installed and not in constraints.txt")
        elif version not in allowed[name]:
            told.append(f"{name} {version} is installed, constraints.txt has {', '.join(sorted(allowed[name]))}")
        elif not allowed[name][version]:
            told.append(f"{name} {version} has no hash in constraints.txt")
    return told


def licences(found: Iterable[Distribution]) -> dict[str, list[str]]:
    """Licence as the package states it -> packages."""
    told = defaultdict(list)
    for one in found:
        data = one.metadata
        marks = [c.split(" :: ")[-1] for c in data.get_all("Classifier") or [] if c.startswith("License :: ")]
        text = (data.get("License") or "").strip()
        stated = (
            data.get("License-Expression") or ", ".join(marks) or (text if len(text) < 60 and "\n" not in text else "")
        )
        told[stated or "not stated"].append(canonical(data["Name"]))
    return {name: sorted(packages) for name, packages in sorted(told.items())}


def in_the_index(wanted: dict[str, str], allowed: Pins) -> tuple[list[str], str]:
    """What the index says of the installed versions: withdrawn, or other bytes than locked; and why it could not be asked."""
    with tempfile.TemporaryDirectory() as place:
        names, report = Path(place) / "names.txt", Path(place) / "report.json"
        names.write_text("".join(f"{name}=={version}\n" for name, version in sorted(wanted.items())), encoding="utf-8")
        asked = [
            "install",
            "--dry-run",
            "--ignore-installed",
            "--no-deps",
            "--quiet",
            "--quiet",
            "--report",
            str(report),
        ]
        try:
            done = run(
                [sys.executable, "-m", "pip", "--disable-pip-version-check", *asked, "--requirement", str(names)], 300
            )
        except subprocess.TimeoutExpired:
            return [], "the package index did not answer within 300 seconds"
        if done.returncode:
            return [], "the package index does not answer, or has not all of the versions"
        return judged(json.loads(report.read_text(encoding="utf-8"))["install"], allowed, wanted)


def judged(plan: list[dict[str, object]], allowed: Pins, wanted: dict[str, str]) -> tuple[list[str], str]:
    """`in_the_index` from pip's report."""
    told, known = [], set()
    for item in plan:
        name, version = canonical(item["metadata"]["name"]), item["metadata"]["version"]  # type: ignore[index]
        digest = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")  # type: ignore[attr-defined]
        if "is_yanked" in item and digest:
            known.add(name)
        if item.get("is_yanked"):
            told.append(f"{name} {version} was withdrawn by its authors")
        if digest and digest not in allowed.get(name, {}).get(version, set()):
            told.append(f"{name} {version}: the index offers a file that constraints.txt does not know")
    unknown = sorted(set(wanted) - known)
    return told, f"the index tells nothing of {_few(unknown)}" if unknown else ""


def weaknesses(allowed: Pins) -> tuple[list[str], str]:
    """Published weaknesses of every pin, for whatever system and Python it is; and why it could not be found out."""
    first, why = _asked([CANARY])
    if not first:
        return [], f"no vulnerability service is reachable ({why or f'the one asked knows nothing of {CANARY}'})"
    rounds = max(len(versions) for versions in allowed.values())
    told: list[str] = []
    for n in range(rounds):  # a name may stand once in a call
        pinned = [f"{name}=={sorted(v)[n]}" for name, v in sorted(allowed.items()) if len(v) > n]
        found, why = _asked(pinned)
        told += found
        if why:
            return told, why
    return told, ""


def _asked(pinned: list[str]) -> tuple[list[str], str]:
    with tempfile.TemporaryDirectory() as place:
        names = Path(place) / "names.txt"
        names.write_text("\n".join(pinned) + "\n", encoding="utf-8")
        service = ["-s", os.environ.get("AUDIT_SERVICE", "pypi")]
        service += ["--osv-url", url] if (url := os.environ.get("AUDIT_OSV_URL")) else []
        asked = [
            "-m",
            "pip_audit",
            *service,
            "--no-deps",
            "--disable-pip",
            "--format",
            "json",
            "--progress-spinner",
            "off",
        ]
        try:
            done = run([sys.executable, *asked, "--cache-dir", place, "--requirement", str(names)], 240)
            told = json.loads(done.stdout)["dependencies"]
        except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
            return [], "no answer that could be read"
    found = [f"{d['name']} {d['version']}: {v['id']}" for d in told for v in d.get("vulns", [])]
    asked_for = {canonical(pin.split("==")[0]) for pin in pinned}
    unknown = sorted(asked_for - {canonical(d["name"]) for d in told if "vulns" in d})
    return found, f"nothing is told of {_few(unknown)}" if unknown else ""


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def run(command: list[str], seconds: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)


def main() -> int:
    allowed = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    here = [one for one in distributions() if one.metadata["Name"]]
    installed = {canonical(one.metadata["Name"]): one.version for one in here}
    locked = {name: version for name, version in installed.items() if version in allowed.get(name, {})}
    tools = sorted(f"{name} {installed[name]}" for name in TOOLS & set(installed) - set(locked))
    print(f"audit: licences of {len(here)} installed packages")
    for licence, names in licences(here).items():
        print(f"  {licence}: {', '.join(names)}")
    wrong = {
        f"{len(locked)} installed packages are in the lock" + (f" (beside it: {', '.join(tools)})" if tools else ""): (
            outside(installed.items(), allowed), "",
        ),
        "no installed release was withdrawn, and the index offers the locked bytes": in_the_index(locked, allowed),
        f"no known weakness in {sum(map(len, allowed.values()))} pins": weaknesses(allowed),
    }  # fmt: skip
    for good, (found, why) in wrong.items():
        for problem in found:
            print(f"audit: FOUND: {problem}")
        if why:
            print(f"audit: NOT AUDITED whether {good}: {why}")
        elif not found:
            print(f"audit: {good}")
    if any(found for found, _ in wrong.values()):
        return 1
    if any(why for _, why in wrong.values()):
        print("audit: in order as far as it could be audited; what could not be is named above")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
