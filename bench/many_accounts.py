"""Many small accounts: what a packet costs beside its own compute, and what a second worker brings.

python -m bench.many_accounts [ACCOUNTS]     prints one line of JSON; nothing is kept. Of up to 12 accounts, one after the
                                             other: CPU seconds of a packet, and of its notebook's cells alone (`own`), in
                                             turn, so that what else runs on the machine troubles both alike. Of all: wall
                                             seconds of `recon daily` with 1 and with 2 workers, from its start to its end.
`own` is what the cells cost in a process that was split off with all imports done, without kernel, messages or page.
All else is `over`: the split, the kernel's start and messages, papermill, the page, hashes, publishing.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recon_lib import kernel_manager, warm
from recon_lib.account_job import Job, run_account
from recon_lib.packet import project_root

DAY = "2026-01-31"
HEAD = "activity_at,kind,amazon_transaction_id,seller_reference_id,seller_order_id,order_reference_id,amount,currency\n"


def accounts(place: Path, count: int) -> list[Path]:
    """Accounts with ten captures each, none settled."""
    made = []
    for n in range(count):
        folder = place / f"account-{n:03d}"
        (folder / "books").mkdir(parents=True)
        (folder / "account.yml").write_text(f"account: account-{n:03d}\nmarketplace: US\n")
        rows = [
            f"2026-01-{d:02d}T08:00:00-08:00,capture,S{n}-{d},r{n}-{d},o{d},P{n}-{d},{d}.50,USD\n"
            for d in range(10, 20)
        ]
        (folder / "books" / "pay_activity.csv").write_text(HEAD + "".join(rows))
        made.append(folder)
    return made


ALONE = """
import ast, gc, json, os, sys, tempfile, time
from recon_lib import kernel
kernel._imports(); kernel._later_imports()
gc.collect(); gc.freeze()
cells = [c for c in json.load(open("notebooks/daily_packet.ipynb"))["cells"] if c["cell_type"] == "code"]
while asked := os.read(0, 4096).decode():
    if os.fork() == 0:
        begun, names = time.process_time(), {}
        given = json.loads(asked)
        for cell in cells:
            source = "".join(cell["source"])
            if "parameters" in cell["metadata"].get("tags", []):
                source += "".join(f"\\n{name} = {value!r}" for name, value in given.items())
            body = ast.parse(source).body
            last = body.pop() if isinstance(body[-1], ast.Expr) else None
            exec(compile(ast.Module(body, []), "cell", "exec"), names)
            if last is not None:
                shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
                getattr(shown, "_repr_mimebundle_", getattr(shown, "_repr_html_", lambda: repr(shown)))()
        os.write(1, b"%f\\n" % (time.process_time() - begun))
        os._exit(0)
    os.wait()
"""


def in_turn(folders: list[Path], base: Path) -> tuple[list[float], list[float]]:
    """CPU seconds of whole packets made by one worker (its own, its kernel's, of the split), and of their cells alone.

    The first packet is left out: in it the worker starts. A kernel is counted up to the moment at which it is ended.
    """
    kernels: list[float] = []
    stop = kernel_manager.stop

    def counted(manager: Any) -> None:
        kernels.append(_cpu(manager.provisioner.pid))
        stop(manager)

    kernel_manager.stop = counted
    warm.keep(project_root())
    whole, own = [], []
    with subprocess.Popen(
        [sys.executable, "-c", ALONE], cwd=project_root(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as alone:
        assert alone.stdin is not None
        assert alone.stdout is not None
        for folder in folders:
            begun, split = time.process_time(), _waiting()
            outcome = run_account(Job(folder, base / "warm", DAY, False, datetime.now(UTC), base / "store-warm"))
            assert outcome.state == "published", outcome.message
            whole.append(time.process_time() - begun + kernels[-1] + _waiting() - split)
            out = base / "own" / folder.name
            out.mkdir(parents=True)
            asked = {"account_folder": str(folder), "as_of": DAY, "out": str(out), "store": str(base / "store-own")}
            alone.stdin.write(json.dumps(asked))
            alone.stdin.flush()
            own.append(float(alone.stdout.readline()))
        alone.stdin.close()
    kernel_manager.stop = stop
    warm.let_go()
    return whole[1:], own[1:]


def _waiting() -> float:
    """CPU seconds so far of the process that splits off the kernels."""
    kept = warm.kept()
    process = kept.server._process if kept is not None and kept.server is not None else None
    return _cpu(process.pid) if process is not None else 0.0


def _cpu(pid: int) -> float:
    """CPU seconds that all threads of a process have used, finer than the clock's hundredths."""
    told = [(task / "schedstat").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int(line.split()[0]) for line in told) / 1e9


def main(count: int) -> None:
    environment = dict(os.environ)
    os.environ["POLARS_MAX_THREADS"] = "1"  # for the CPU seconds; `recon daily` sees to its threads itself
    with tempfile.TemporaryDirectory(prefix="recon-bench-") as place:
        base = Path(place)
        folders = accounts(base / "accounts", count)
        whole, own = in_turn(folders[:13], base)
        over = [one - other for one, other in zip(whole, own, strict=True)]
        told: dict[str, Any] = {
            "accounts": count,
            "packet_cpu": round(statistics.median(whole), 2),
            "own_cpu": round(statistics.median(own), 2),
            "over_own_cpu": round(statistics.median(over), 2),
            "over_own_cpu_range": [round(min(over), 2), round(max(over), 2)],
        }
        walls = []
        for workers in (1, 2):
            own_store = {"RECON_STORE": str(base / f"store{workers}")}  # each way parses the files anew
            begun = time.monotonic()
            subprocess.run(
                [sys.executable, "-m", "recon_lib", "daily", str(base / "accounts"), "--date", DAY, "--out",
                 str(base / f"out{workers}"), "--workers", str(workers)],
                cwd=project_root(), capture_output=True, check=False, env={**environment, **own_store},
            )  # fmt: skip
            walls.append(time.monotonic() - begun)
            made = len(list((base / f"out{workers}").glob(f"*/{DAY}/manifest.json")))
            assert made == count, f"{made} packets of {count}"
            told[f"wall_a_packet_{workers}_workers"] = round(walls[-1] / count, 2)
            told[f"packets_an_hour_{workers}_workers"] = round(3600 * count / walls[-1])
        told["two_workers_to_one"] = round(walls[0] / walls[1], 2)
        told["load_average"] = round(os.getloadavg()[0], 1)
        print(json.dumps(told))


if __name__ == "__main__":
    main(int((sys.argv[1:2] or ["50"])[0]))
