"""All audits of an account from the Parquet store beside a plain scan of the columns they need. Prints one JSON object.

argv: ACCOUNT_FOLDER [--date DAY] [--store FOLDER]
The scan reads each needed column of the four large reports once and reduces it to a length or a sum. Each side is a process
of its own, so that its peak memory is its own. Seconds are wall and processor time after the books are open; a busy
machine moves wall seconds, so look at the ratio of processor seconds too. `fill` is the opening before both: reading the files
where the store has none of them yet, and making the digests that the audits read.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from recon_lib.books import Books, open_account  # isort: skip  (before polars: it says how polars keeps memory)
import polars as pl

from recon_lib.reconcile import reconcile

NEEDED = {
    "ledger_detail": (
        "event_on", "fnsku", "asin", "sku", "event_type", "reference_id", "quantity", "fulfillment_center", "disposition",
        "reason", "country", "reconciled_quantity", "unreconciled_quantity", "line",
    ),
    "settlement_lines": (
        "settlement_id", "transaction_type", "order_id", "adjustment_id", "shipment_id", "marketplace_name", "amount_type",
        "amount_description", "amount", "currency", "fulfillment_id", "posted_on", "order_item_code", "sku", "quantity",
        "line", "part",
    ),
    "customer_returns": (
        "returned_on", "order_id", "sku", "asin", "fnsku", "quantity", "disposition", "reason", "status",
        "license_plate_number", "line",
    ),
    "reimbursements": (
        "approved_on", "reimbursement_id", "order_id", "reason", "sku", "fnsku", "asin", "currency", "amount_per_unit",
        "amount_total", "quantity_cash", "quantity_inventory", "quantity_total", "original_reimbursement_id",
        "original_reimbursement_type", "line",
    ),
}  # fmt: skip


def scan(books: Books) -> dict[str, object]:
    rows = 0
    for family, names in NEEDED.items():
        frame = books.frames[family].select(names)
        schema = frame.collect_schema()

        def told(name: str, dtype: pl.DataType) -> pl.Expr:
            column = pl.col(name)
            if dtype == pl.String:
                return column.str.len_bytes().sum()
            return (column if dtype.is_numeric() else column.to_physical()).sum()

        sums = frame.select(pl.len().alias("rows"), *(told(n, t) for n, t in schema.items())).collect()
        rows += sums["rows"].item()
    return {"rows": rows}


def audits(books: Books) -> dict[str, object]:
    day = reconcile(books)
    return {"findings": day.findings.height, "history": day.history.height}


def measured(job: Callable[[Books], dict[str, object]], books: Books) -> dict[str, object]:
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    told = job(books)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(wall, 2), "cpu_seconds": round(cpu, 2), "peak_mb": after.ru_maxrss // 1024} | told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("account", type=Path)
    parser.add_argument("--date", default="2026-09-30")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--only", choices=["fill", "scan", "audits"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        books = open_account(given.account, given.date, store=given.store)
        opened = resource.getrusage(resource.RUSAGE_SELF)
        opening = {
            "opening_cpu_seconds": round(opened.ru_utime + opened.ru_stime, 2),
            "opening_peak_mb": opened.ru_maxrss // 1024,
        }
        print(
            json.dumps(opening if given.only == "fill" else measured(scan if given.only == "scan" else audits, books))
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        store = given.store or Path(folder)

        def run(only: str) -> dict[str, float]:
            command = [
                sys.executable,
                __file__,
                str(given.account),
                "--date",
                given.date,
                "--store",
                str(store),
                "--only",
                only,
            ]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            told: dict[str, float] = json.loads(out.strip().splitlines()[-1])
            return told

        found = {only: run(only) for only in ("fill", "scan", "audits")}
    ratio = {
        f"{name}_ratio": round(found["audits"][name] / max(found["scan"][name], 0.01), 2)
        for name in ("seconds", "cpu_seconds")
    }
    print(json.dumps(found | ratio))


if __name__ == "__main__":
    main()
