"""How long one report file takes from bytes to typed, validated rows kept as Parquet, beside its floor. Prints JSON lines.

    python bench/read.py FILE [--rounds 3]

The floor is polars' streaming scan of every column of the same file, each reduced to the length of its texts; the header is
the file's first line. Both are processes of their own, one after the other in each round: seconds from the imports on,
processor seconds, peak memory. The last line holds the medians of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["floor", "read"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measured(given.only, given.file)))
        return
    rounds = [{only: run(only, given.file) for only in ("floor", "read")} for _ in range(given.rounds)]
    for one in rounds:
        print(json.dumps(one))
    ratios = {
        name: round(statistics.median(one["read"][name] / one["floor"][name] for one in rounds), 2)
        for name in ("seconds", "cpu_seconds")
    }
    print(json.dumps({"times the floor": ratios}))


def run(only: str, file: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, str(file), "--only", only]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


def measured(only: str, file: Path) -> dict[str, object]:
    if only == "floor":
        import polars
    else:
        import recon_lib.reports  # noqa: F401
    begun, before = time.perf_counter(), time.process_time()
    told = floor(file, polars) if only == "floor" else reading(file)
    return {
        "seconds": round(time.perf_counter() - begun, 3),
        "cpu_seconds": round(time.process_time() - before, 3),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    } | told


def floor(file: Path, pl: Any) -> dict[str, object]:
    with file.open("rb") as lines:
        head = lines.readline().decode("utf-8-sig")
    separator = max("\t,;", key=head.count)
    rows = pl.scan_csv(
        file, separator=separator, quote_char='"' if '"' in head else None, has_header=False, skip_lines=1,
        schema={f"c{number}": pl.String for number in range(head.count(separator) + 1)},
    )  # fmt: skip
    sums = rows.select(pl.len(), pl.all().str.len_bytes().sum()).collect(engine="streaming")
    return {"rows": sums["len"].item(), "columns": sums.width - 1}


def reading(file: Path) -> dict[str, object]:
    from recon_lib.reports import read

    with tempfile.TemporaryDirectory() as folder:
        got = read(file, store=Path(folder))
        return {"family": got.family, "rows": got.rows_total, "rejected": got.rows_rejected}


if __name__ == "__main__":
    main()
