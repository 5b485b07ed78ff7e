"""The match job of the benchmark: from the files to the open set and the totals, by the library's own reading and matching.

argv: ACCOUNT_FOLDER OUT.csv [--store FOLDER]
  --store   reads the hashes that are kept beside the typed Parquet of the store (the first run fills it)
Prints one JSON object: lines and cents by status, pairs by level.
"""

# ruff: noqa: E402

from __future__ import annotations

import argparse
import atexit
import gc
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

gc.disable()  # as in `recon`: what is imported stays, and to look for garbage in it takes a fifth of the time
# Huge pages are slow to get where a virtual machine gives its free ones back to its host.
os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
# Pieces of a file as small as this come back as the memory of the next ones: half the pages are touched.
os.environ.setdefault("POLARS_CSV_CHUNK_SIZE", str(4 << 20))
os.environ.setdefault("POLARS_CSV_CHUNK_PREFETCH_LIMIT", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # no linear algebra here: threads that only wait
# What one thread gave back is there for the other one: a tenth less memory.
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1")
sys.path.insert(0, str(Path(__file__).parents[1]))
import numpy as np
import polars as pl  # before the library, which would have it keep freed memory: half a gigabyte for a twentieth of the time

from recon_lib.fast_batches import GROUP, IDS
from recon_lib.fast_pay import FastSide, activity_side, settlement_side, stored_side
from recon_lib.settings import account_values

AS_OF = date(2026, 9, 30)
HOUR = 3_600_000_000
NAMES = {True: ("posted", "sc"), False: ("ful", "oc")}  # of the instant and the amount, of a settlement line or not


def main() -> None:
    atexit.register(gc.freeze)  # as in `recon`: no last search for garbage
    parser = argparse.ArgumentParser()
    parser.add_argument("account", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--store", type=Path)
    given = parser.parse_args()
    settings = account_values(given.account)
    currencies = settings["currencies"]
    settlement = sorted((given.account / "reports").glob("*pay*settlement*"))[0]
    book = given.account / "books" / "pay_activity.csv"
    with ThreadPoolExecutor(4) as beside:
        for pool in (beside, None):  # the second time only where a file is not what its beginning and end say
            if given.store:
                reads = [
                    beside.submit(stored_side, one, given.store, currencies, beside=pool) for one in (settlement, book)
                ]
            else:
                reads = [
                    beside.submit(settlement_side, settlement, currencies),
                    beside.submit(activity_side, book, currencies),
                ]
            import recon_lib.matching  # while the files are being read
            import recon_lib.pay_keys  # noqa: F401

            lines, activity = (one.result() for one in reads)
            if lines is None or activity is None:
                sys.exit("a file is not plain: the quick way does not read it")
            for side in (lines, activity):
                side.lines.look_ahead(beside)
            told = totals(lines, activity, settings, given.out)
            if lines.is_proven() and activity.is_proven():
                break
    print(json.dumps(told, sort_keys=True))


def totals(lines: FastSide, activity: FastSide, settings: dict[str, Any], out: Path) -> dict[str, object]:
    from recon_lib.matching import DUPLICATE, ONLY_LEFT, ONLY_RIGHT, pair
    from recon_lib.matching_terms import compared
    from recon_lib.pay_keys import pay_rules

    # The job has every key show a difference: the order reference is unique within a kind in these data.
    rules = [replace(rule, differs=True) for rule in pay_rules(settings["match_keys"])]
    found = pair(
        activity.frame, lines.frame, rules, within=(GROUP,), zone=settings["time_zone"], dated=False,
        repeat_left=["at", *IDS, "amount", GROUP], repeat_right=[IDS[0], GROUP, "amount"],
        fetch_left=activity.fetch, fetch_right=lines.fetch,
    )  # fmt: skip
    midnight = datetime.combine(AS_OF + timedelta(days=1), time(), ZoneInfo(settings["time_zone"])).astimezone(UTC)
    end = int(midnight.timestamp()) * 1_000_000
    left, right = found.pairs["left"].to_numpy(), found.pairs["right"].to_numpy()
    odd = found.pairs["pile"].to_physical().to_numpy() != 0
    late = compared(a_day_later, numbers(lines, "at"), right, numbers(activity, "at"), left) & ~odd
    paid = numbers(lines, "amount")
    sums = {"late": right[late], "amount_mismatch": right[odd]}
    result = {name: [len(rows), int(paid[rows].sum()) // 100] for name, rows in sums.items()}
    placed = np.isin(found.right_pile.to_physical().to_numpy(), (1, 2))
    result["matched"] = [len(right) - len(sums["late"]) - len(sums["amount_mismatch"]),
                         int(paid.sum(where=placed)) // 100 - result["late"][1] - result["amount_mismatch"][1]]  # fmt: skip
    levels = np.bincount(found.pairs["rule"].to_physical().to_numpy(), minlength=len(rules)).tolist()
    result |= {f"L{number}": count for number, count in enumerate(levels, 1) if count}
    open_rows = np.flatnonzero(found.left_pile == ONLY_LEFT)
    escalate = end - numbers(activity, "at")[open_rows] > 48 * HOUR
    aside = (
        (lines, "no_activity", np.flatnonzero(found.right_pile == ONLY_RIGHT)),
        (lines, "duplicate", np.flatnonzero(found.right_pile == DUPLICATE)),
        (activity, "escalate", open_rows[escalate]),
        (activity, "open", open_rows[~escalate]),
    )
    result |= {name: [len(rows), int(numbers(side, "amount")[rows].sum()) // 100] for side, name, rows in aside}
    with ThreadPoolExecutor(2) as both:
        rule = found.pairs["rule"].filter(odd).cast(pl.String)
        pairs = both.submit(told_pairs, lines, activity, left[odd], right[odd], rule)
        alone = both.map(lambda one: told_rows(one[0], one[2], *NAMES[one[0] is lines], one[1]), aside)
        told = [pairs.result(), *alone]
    pl.concat(told, how="diagonal").select("status", "rule", *IDS, GROUP, "posted", "ful", "sc", "oc").write_csv(out)
    return result


def a_day_later(posted: np.ndarray[Any, Any], done: np.ndarray[Any, Any], out: np.ndarray[Any, Any]) -> None:
    np.greater(posted - done, 24 * HOUR, out=out)


def numbers(side: FastSide, column: str) -> np.ndarray[Any, Any]:
    return side.frame[column].to_physical().to_numpy()


def told_rows(side: FastSide, rows: np.ndarray[Any, Any], at: str, amount: str, status: str) -> pl.DataFrame:
    """The rows as they are written: status, ids, group, instant and cents."""
    wanted = pl.Series(rows.astype(np.uint32))
    figures = side.frame.select(pl.col("at").alias(at), pl.col("amount").alias(amount))[wanted]
    return side.fetch(wanted).hstack(figures).with_columns(pl.col(amount) // 100, status=pl.lit(status))


def told_pairs(
    lines: FastSide, activity: FastSide, left: np.ndarray[Any, Any], right: np.ndarray[Any, Any], rule: pl.Series
) -> pl.DataFrame:
    figures = activity.frame.select(ful="at", oc="amount")[pl.Series(left)].with_columns(pl.col("oc") // 100)
    return told_rows(lines, right, "posted", "sc", "amount_mismatch").hstack(figures).with_columns(rule.alias("rule"))


if __name__ == "__main__":
    main()
