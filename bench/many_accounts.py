"""Many small accounts: what a packet costs beside its own compute, and what a second worker brings.

python -m bench.many_accounts [ACCOUNTS]     CPU seconds a packet (trust these on a busy machine), then wall seconds of
                                             `recon daily` with 1 and with 2 workers; nothing is kept
"""

from __future__ import annotations

import ast
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from recon_lib import running, warm
from recon_lib.packet import make_packet, project_root

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


def own_compute(folder: Path, store: Path, times: int) -> list[float]:
    """CPU seconds of the notebook's cells alone, each time in a process split off from one with all imports done."""
    code = f"""
import ast, json, os, sys, tempfile, time
sys.modules.setdefault("rfc3987_syntax", None)
from recon_lib import kernel
kernel._imports(); kernel._later_imports()
cells = [c for c in json.load(open("notebooks/daily_packet.ipynb"))["cells"] if c["cell_type"] == "code"]
for _ in range({times}):
    if os.fork() == 0:
        begun, names = time.process_time(), {{}}
        for cell in cells:
            source = "".join(cell["source"])
            if "parameters" in cell["metadata"].get("tags", []):
                source += "\\naccount_folder, as_of, out, store = {str(folder)!r}, {DAY!r}, tempfile.mkdtemp(), {str(store)!r}"
                source = "import tempfile\\n" + source
            body = ast.parse(source).body
            last = body.pop() if isinstance(body[-1], ast.Expr) else None
            exec(compile(ast.Module(body, []), "cell", "exec"), names)
            if last is not None:
                shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
                getattr(shown, "_repr_mimebundle_", getattr(shown, "_repr_html_", lambda: repr(shown)))()
        print(time.process_time() - begun, flush=True)
        os._exit(0)
    os.wait()
"""
    ast.parse(code)
    done = subprocess.run([sys.executable, "-c", code], cwd=project_root(), capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


def warm_packets(folders: list[Path], out: Path, store: Path) -> list[float]:
    """CPU seconds of whole packets after the first, made one after the other by one worker: its own and its kernel's."""
    kernels: list[float] = []
    stop, tick = running._stop, os.sysconf("SC_CLK_TCK")

    def counted(manager: Any) -> None:
        fields = Path(f"/proc/{manager.provisioner.pid}/stat").read_text().rsplit(")", 1)[1].split()
        kernels.append((int(fields[11]) + int(fields[12])) / tick)
        stop(manager)

    running._stop = counted
    warm.keep(project_root())
    spent = []
    for folder in folders:
        begun = time.process_time()
        make_packet(folder, DAY, out, store=store)
        spent.append(time.process_time() - begun + kernels[-1])
    running._stop = stop
    warm.let_go()
    return spent[1:]


def main(count: int) -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="recon-bench-") as place:
        base = Path(place)
        folders = accounts(base / "accounts", count)
        spent = statistics.median(warm_packets(folders[:12], base / "warm", base / "store"))
        alone = statistics.median(own_compute(folders[0], base / "store", 8))
        told: dict[str, Any] = {
            "packet_cpu": round(spent, 2),
            "own_cpu": round(alone, 2),
            "over_own_cpu": round(spent - alone, 2),
        }
        for workers in (1, 2):
            begun = time.monotonic()
            subprocess.run(
                [sys.executable, "-m", "recon_lib", "daily", str(base / "accounts"), "--date", DAY, "--out",
                 str(base / f"out{workers}"), "--workers", str(workers)],
                cwd=project_root(), capture_output=True, check=False, env={**os.environ, "RECON_STORE": str(base / "store")},
            )  # fmt: skip
            wall = time.monotonic() - begun
            told[f"wall_a_packet_{workers}_workers"] = round(wall / count, 2)
        told["load_average"] = os.getloadavg()[0]
        print(json.dumps({"accounts": count, **told}))


if __name__ == "__main__":
    main(int((sys.argv[1:2] or ["50"])[0]))
