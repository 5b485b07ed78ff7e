"""The match job of the benchmark: from the files to the open set and the totals, by the library's own reading and matching.

argv: ACCOUNT_FOLDER OUT.csv [--frugal] [--store FOLDER]
  --frugal  keeps hashes instead of ids in memory and picks the few rows that are left over out of the file once more
            (files of more than 512 MB together are always read so: it saves a gigabyte and costs hardly any time)
  --store   reads the hashes that are kept beside the typed Parquet of the store (the first run fills it)
Prints one JSON object: lines and cents by status, pairs by level.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parents[1]))
import polars as pl

from recon_lib.fast_pay import GROUP, IDS, FastSide, activity_side, settlement_side, stored_side
from recon_lib.settings import account_values

AS_OF = date(2026, 9, 30)
LARGE = 512 << 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("account", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--frugal", action="store_true")
    parser.add_argument("--store", type=Path)
    given = parser.parse_args()
    settings = account_values(given.account)
    currencies = settings["currencies"]
    files = sorted((given.account / "reports").glob("*pay*settlement*")), [given.account / "books" / "pay_activity.csv"]
    keep = not given.frugal and sum(paths[0].stat().st_size for paths in files) <= LARGE

    def lines() -> FastSide | None:
        if given.store:
            return stored_side(files[0][0], given.store, currencies)
        return settlement_side(files[0][0], currencies, ids=keep)

    def activity() -> FastSide | None:
        if given.store:
            return stored_side(files[1][0], given.store, currencies)
        return activity_side(files[1][0], currencies, ids=keep)

    with ThreadPoolExecutor(2) as beside:
        right_read, left_read = beside.submit(lines), beside.submit(activity)
        import recon_lib.matching  # while the files are being read
        import recon_lib.pay_keys  # noqa: F401

        right, left = right_read.result(), left_read.result()
    if right is None or left is None:
        sys.exit("a file is not plain: the quick way does not read it")
    print(json.dumps(totals(right, left, settings, given.out), sort_keys=True))


def totals(lines: FastSide, activity: FastSide, settings: dict[str, Any], out: Path) -> dict[str, object]:
    from recon_lib.matching import DUPLICATE, MATCHED, ONLY_LEFT, ONLY_RIGHT, pair
    from recon_lib.pay_keys import pay_rules

    # The job has every key show a difference: the order reference is unique within a kind in these data.
    rules = [replace(rule, differs=True) for rule in pay_rules(settings["match_keys"])]
    found = pair(
        activity.frame, lines.frame, rules, within=(GROUP,), zone=settings["time_zone"], dated=False,
        repeat_left=["at", *IDS, "amount", GROUP], repeat_right=[IDS[0], GROUP, "amount"],
        fetch_left=activity.fetch, fetch_right=lines.fetch,
    )  # fmt: skip
    end = datetime.combine(AS_OF + timedelta(days=1), time(), ZoneInfo(settings["time_zone"])).astimezone(UTC)
    pairs = found.pairs
    left = activity.frame.select(ful="at", oc="amount")[pairs["left"]]
    right = lines.frame.select(posted="at", sc="amount")[pairs["right"]]
    late = pl.col("posted") - pl.col("ful") > pl.duration(hours=24)
    code = pl.when(pl.col("pile") != MATCHED).then(pl.lit(2, pl.UInt8)).when(late).then(pl.lit(1, pl.UInt8))
    made = pl.concat([pairs, left, right], how="horizontal").with_columns(
        code.otherwise(pl.lit(0, pl.UInt8)).cat.to(pl.Enum(["matched", "late", "amount_mismatch"])).alias("status")
    )
    open_rows = rows_of(activity, found.left_pile, ONLY_LEFT).with_columns(
        pl.when(pl.lit(end) - pl.col("at") > pl.duration(hours=48))
        .then(pl.lit("escalate"))
        .otherwise(pl.lit("open"))
        .alias("status")
    )
    unknown = rows_of(lines, found.right_pile, ONLY_RIGHT).with_columns(pl.lit("no_activity").alias("status"))
    double = rows_of(lines, found.right_pile, DUPLICATE).with_columns(pl.lit("duplicate").alias("status"))
    odd = made.filter(pl.col("status") == "amount_mismatch")
    odd_told = odd.select(pl.col("status", "rule").cast(pl.String), "posted", "ful", "sc", "oc")
    told = pl.concat([
        pl.concat([lines.fetch(odd["right"]), odd_told], how="horizontal"),
        with_ids(lines, unknown, posted="at", sc="amount"), with_ids(lines, double, posted="at", sc="amount"),
        with_ids(activity, open_rows, ful="at", oc="amount"),
    ], how="diagonal_relaxed")  # fmt: skip
    told.select("status", "rule", *IDS, GROUP, "posted", "ful", pl.col("sc") // 100, pl.col("oc") // 100).write_csv(out)
    result: dict[str, object] = {}
    for table, amount in ((made, "sc"), (open_rows, "amount"), (unknown, "amount"), (double, "amount")):
        for name, count, money in table.group_by("status").agg(pl.len(), pl.col(amount).sum()).rows():
            result[name] = [count, money // 100]
    levels = {rule.name: f"L{number}" for number, rule in enumerate(rules, 1)}
    return result | {levels[rule]: count for rule, count in pairs.group_by("rule").len().rows()}


def rows_of(side: FastSide, piles: pl.Series, pile: str) -> pl.DataFrame:
    rows = (piles == pile).arg_true()
    return side.frame.select("at", "amount")[rows].with_columns(rows.alias("row"))


def with_ids(side: FastSide, rows: pl.DataFrame, **named: str) -> pl.DataFrame:
    return pl.concat([side.fetch(rows["row"]), rows.select("status", **named)], how="horizontal")


if __name__ == "__main__":
    main()
