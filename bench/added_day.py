"""What a day costs that is added to settled ones: one file of Amazon Pay settlements and one of activity a day.

python -m bench.added_day [ROWS] [one]      ROWS lines a side (default 1000000); needs ../shared/bench for the data.
Prints a line each: processor and wall seconds of opening the account and of matching it, first with all days but the last
and an empty store, then again, then with the last day added, then again. With `one` the activity is a single file that
grows, and so are the bank's bookings (one for every fourth row of the activity).
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from recon_lib.packet import project_root

MAKER = project_root().parent / "shared" / "bench" / "gen.py"
_OPEN = """
import sys
from pathlib import Path
from recon_lib.books import open_account
from recon_lib.audits.pay import reconcile_pay
pay = reconcile_pay(open_account(sys.argv[1], sys.argv[2], store=Path(sys.argv[3])))
print(pay.matches.height)
"""


def by_day(path: Path, folder: Path, above: int, at: slice) -> list[str]:
    """One file a day of the rows of `path`, with the lines above them; the days."""
    days: dict[str, list[str]] = defaultdict(list)
    with path.open(encoding="utf-8-sig") as file:
        head = [file.readline() for _ in range(above)]
        for line in file:
            days[line[at]].append(line)
    clocks = {'"SettlementStartDate"': "00:00:00", '"SettlementEndDate"': "23:59:59"}
    for day, lines in days.items():
        names = [line.split(",")[0] for line in head]
        top = [
            f'{name},"{day}T{clocks[name]} -0700"\n' if name in clocks else line
            for name, line in zip(names, head, strict=True)
        ]
        (folder / f"{path.stem}-{day}.csv").write_text("".join([*top, *lines]), encoding="utf-8")
    path.unlink()
    return sorted(days)


def opened(account: Path, day: str, store: Path, what: str) -> None:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([sys.executable, "-c", _OPEN, str(account), day, str(store)], capture_output=True, check=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begun
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        json.dumps(
            {"what": what, "cpu_seconds": round(cpu, 2), "wall_seconds": round(wall, 2), "pairs": int(done.stdout)}
        )
    )


def growing(activity: Path, eve: str, aside: Path) -> None:
    """The single files of the seller's books up to `eve`; what the last day adds to each goes to `aside`."""
    booked = activity.with_name("bank.csv")
    head = {activity: "", booked: "booked_on,amount,currency,description,reference\n"}
    early: dict[Path, list[str]] = {activity: [], booked: []}
    late: dict[Path, list[str]] = {activity: [], booked: []}
    with activity.open(encoding="utf-8") as file:
        head[activity] = file.readline()
        for number, line in enumerate(file):
            part, cells = early if line[:10] <= eve else late, line.rstrip("\n").split(",")
            part[activity].append(line)
            if number % 4 == 0:
                part[booked].append(f"{line[:10]},{cells[6]},{cells[7]},CARD SALE {cells[4]},{cells[3]}\n")
    for path in (activity, booked):
        path.write_text("".join([head[path], *early[path]]), encoding="utf-8")
        (aside / path.name).write_text("".join(late[path]), encoding="utf-8")


def main(rows: int, *, one: bool) -> None:
    if not MAKER.is_file():
        print(f"no generator in {MAKER.parent}: nothing to measure with")
        return
    with tempfile.TemporaryDirectory(prefix="recon-day-") as place:
        account, store, aside = Path(place) / "account", Path(place) / "store", Path(place) / "aside"
        made = [sys.executable, str(MAKER), str(account), str(rows), "--what", "pay"]
        subprocess.run(made, capture_output=True, check=True)
        aside.mkdir()
        days = by_day(account / "reports" / "amazon-pay-settlement.csv", account / "reports", 6, slice(1, 11))
        last, eve = days[-1], days[-2]
        if one:
            growing(account / "books" / "pay_activity.csv", eve, aside)
        else:
            by_day(account / "books" / "pay_activity.csv", account / "books", 1, slice(0, 10))
        kept = [path for part in ("books", "reports") for path in (account / part).glob(f"*{last}.csv")]
        for path in kept:
            path.rename(aside / path.name)
        opened(account, eve, store, f"{len(days) - 1} days, empty store")
        opened(account, eve, store, "the same again")
        for path in kept:
            (aside / path.name).rename(path)
        for added in sorted(aside.iterdir()):
            with (account / "books" / added.name).open("ab") as file:
                file.write(added.read_bytes())
        opened(account, last, store, "one day added")
        opened(account, last, store, "the same again")


if __name__ == "__main__":
    main(*(int(arg) for arg in (sys.argv[1:2] or ["1000000"])), one="one" in sys.argv[2:])
