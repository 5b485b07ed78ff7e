"""How long one report file takes from bytes to typed, validated rows kept as Parquet. Prints one JSON line.

    python bench/read.py FILE [--again]

The store is a temporary folder; `--again` also times the lookup of the kept reading.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    begun = time.perf_counter()
    from recon_lib.reports import read

    imported = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        cpu = time.process_time()
        got = read(given.file, store=Path(folder))
        done = time.perf_counter()
        told: dict[str, object] = {
            "file": given.file.name,
            "family": got.family,
            "rows": got.rows_total,
            "rejected": got.rows_rejected,
            "import_seconds": round(imported - begun, 3),
            "seconds": round(done - imported, 3),
            "cpu_seconds": round(time.process_time() - cpu, 3),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        if given.again:
            read(given.file, store=Path(folder))
            told["again_seconds"] = round(time.perf_counter() - done, 3)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
