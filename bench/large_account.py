"""One large account, every day: packets of days one after the other, the first with an empty store.

python -m bench.large_account [ROWS] [DAYS]     ROWS a report (default 1000000), over 24 months; needs ../shared/bench for the
                                                files. Prints a line a day: wall and CPU seconds of the command with all
                                                its processes, the largest one's peak memory, findings and size of the packet.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from recon_lib.packet import project_root

LAST = date(2026, 9, 30)  # the files reach to it
MAKER = project_root().parent / "shared" / "bench" / "gen.py"


def packet(account: Path, day: date, base: Path) -> dict[str, Any]:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "recon_lib", "packet", str(account), "--date", day.isoformat(), "--out", str(base / "out")],
        cwd=project_root(), capture_output=True, text=True, check=False, env={**os.environ, "RECON_STORE": str(base / "store")},
    )  # fmt: skip
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode > 1:
        sys.exit(done.stderr)
    place = base / "out" / "bench" / day.isoformat()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "day": day.isoformat(),
        "wall_seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
        "peak_mb": after.ru_maxrss // 1024,
        "findings": sum(json.loads((place / "manifest.json").read_text())["answer"]["findings"].values()),
        "packet_mb": round(sum(file.stat().st_size for file in place.iterdir()) / 1e6, 1),
    }


def main(rows: int, days: int) -> None:
    if not MAKER.is_file():
        print(f"no generator in {MAKER.parent}: nothing to measure with")
        return
    with tempfile.TemporaryDirectory(prefix="recon-large-") as place:
        account = Path(place) / "account"
        subprocess.run(
            [sys.executable, str(MAKER), str(account), str(rows), "--what", "all"], capture_output=True, check=True
        )
        for back in reversed(range(days)):
            told = packet(account, LAST - timedelta(days=back), Path(place))
            print(json.dumps({"rows_a_report": rows, **told}), flush=True)


if __name__ == "__main__":
    main(*(int(given) for given in [*sys.argv[1:3], *["1000000", "3"][len(sys.argv[1:3]) :]]))
