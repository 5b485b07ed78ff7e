"""Times the match job and the FBA job of the kit beside its peers and the parse floor, round robin, and prints ratios.

argv: PEERS_FOLDER ROWS ROUNDS fast|all [match|fba ...]
A ratio is the median over the rounds of (this command / the floor of the same round): a neighbour slows both. Peak
memory is the process' own. Wall seconds of a shared machine mean little; nothing here judges, it only prints.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
FLOOR, PLAIN, STORED = "floor (polars scan)", "polars eager", "kit, from the store"


def main() -> None:
    peers, rows, rounds, which = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    data = Path(os.environ["BENCH_DATA"])
    account, out = data / str(rows), data / "out"
    python = Path(os.environ["BENCH_ENVS"]) / "bench" / "bin" / "python"
    out.mkdir(parents=True, exist_ok=True)
    for job in sys.argv[5:] or ["match", "fba"]:
        what, proof = {"match": ("pay", "books/pay_activity.csv"), "fba": ("fba", "reports/ledger-detail.txt")}[job]
        if not (account / proof).exists():
            generated = [str(python), str(peers / "gen.py"), str(account), str(rows), "--what", what]
            subprocess.run(generated, check=True)
        store = data / "store"
        shutil.rmtree(store, ignore_errors=True)
        print(f"{job}: {rows} rows, {rounds} rounds, load {os.getloadavg()[0]:.1f}", flush=True)
        if job == "match":
            compare(job, table(peers, account, out, str(python), store, which), data, out, rows, rounds)
        else:
            compare(job, fba_table(peers, account, out, str(python), which), data, out, rows, rounds)
        shutil.rmtree(store, ignore_errors=True)


def compare(job: str, commands: dict[str, list[str]], data: Path, out: Path, rows: int, rounds: int) -> None:
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    totals: dict[str, object] = {}
    if STORED in commands:
        run(commands[STORED], out)  # fills the store
    for _ in range(rounds):
        for name, command in commands.items():
            figures, told = run(command, out)
            measured[name].append(figures)
            if told is not None:
                totals[name] = told
    report(measured)
    agree(totals)
    (data / f"kit-{job}-{rows}.json").write_text(json.dumps(measured, indent=1))


def table(peers: Path, account: Path, out: Path, python: str, store: Path, which: str) -> dict[str, list[str]]:
    settlement, activity = account / "reports" / "amazon-pay-settlement.csv", account / "books" / "pay_activity.csv"
    files = [str(settlement), str(activity), str(out / "peer.csv")]
    kit = [sys.executable, str(HERE / "match.py"), str(account), str(out / "kit.csv")]
    found = {
        FLOOR: [python, str(peers / "floor" / "scan.py"), "polars-csv", "match", str(account)],
        "kit": kit,
        STORED: [*kit, "--store", str(store)],
        PLAIN: [python, str(peers / "match" / "m_polars.py"), *files, "eager"],
    }
    if which == "all":
        found["polars lazy"] = [python, str(peers / "match" / "m_polars.py"), *files, "lazy"]
        found["duckdb"] = [python, str(peers / "match" / "m_duckdb.py"), *files]
        found["pandas"] = [python, str(peers / "match" / "m_pandas.py"), *files, "pyarrow"]
    return found


def fba_table(peers: Path, account: Path, out: Path, python: str, which: str) -> dict[str, list[str]]:
    peer = [python, str(peers / "fba" / "f_polars.py"), str(account), str(out / "peer.csv")]
    found = {
        FLOOR: [python, str(peers / "floor" / "scan.py"), "polars-csv", "fba", str(account)],
        "kit": [sys.executable, str(HERE / "fba.py"), str(account), str(out / "kit.csv")],
        PLAIN: [*peer, "eager"],
        "polars streaming": [*peer, "stream"],
    }
    if which == "all":
        found["polars lazy"] = [*peer, "lazy"]
        files = [str(account), str(out / "peer.csv")]
        found["duckdb"] = [python, str(peers / "fba" / "f_duckdb.py"), *files]
        found["pandas"] = [python, str(peers / "fba" / "f_pandas.py"), *files, "pyarrow"]
    return found


def run(command: list[str], out: Path) -> tuple[dict[str, float], object]:
    """Wall and processor seconds and peak memory (MB) of one process, and the totals it printed (None: none)."""
    log = out / "log.txt"
    with log.open("wb") as file:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{log.read_text(errors='replace')}")
    last = log.read_text(errors="replace").strip().splitlines()[-1:]
    told = json.loads(last[0]) if last and last[0].startswith("{") else {}
    figures = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "rss": used.ru_maxrss / 1024}
    return figures, told if {"L1", "balance"} & told.keys() else None


def report(measured: dict[str, list[dict[str, float]]]) -> None:
    def median(name: str, figure: str) -> float:
        return statistics.median(row[figure] for row in measured[name])

    def ratio(name: str, base: str, figure: str) -> float:
        return statistics.median(a[figure] / b[figure] for a, b in zip(measured[name], measured[base], strict=True))

    print(
        f"{'':24s}{'wall s':>8s}{'cpu s':>8s}{'MB':>7s}{'x floor':>9s}{'x plain':>9s}{'cpu x floor':>13s}{'cpu x plain':>13s}"
    )
    for name in measured:
        print(
            f"{name:24s}{median(name, 'wall'):8.2f}{median(name, 'cpu'):8.2f}{median(name, 'rss'):7.0f}"
            f"{ratio(name, FLOOR, 'wall'):9.2f}{ratio(name, PLAIN, 'wall'):9.2f}"
            f"{ratio(name, FLOOR, 'cpu'):13.2f}{ratio(name, PLAIN, 'cpu'):13.2f}"
        )


def agree(totals: dict[str, object]) -> None:
    if len({json.dumps(told, sort_keys=True) for told in totals.values()}) == 1:
        print(f"all {len(totals)} give the same totals: {json.dumps(next(iter(totals.values())), sort_keys=True)}")
        return
    for name, told in totals.items():
        print(f"DIFFERENT {name}: {json.dumps(told, sort_keys=True)}")
    sys.exit(1)


if __name__ == "__main__":
    main()
