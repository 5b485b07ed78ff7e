"""The data files of a packet: exact, sorted, the same bytes for the same day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recon_lib import frames
from recon_lib.money import money_text_expr

if TYPE_CHECKING:
    from recon_lib.reconcile import Day

OPEN_ITEMS = ["activity_at", "kind", "amazon_transaction_id", "seller_reference_id", "seller_order_id", "order_reference_id",
              "amount", "currency", "hours_open", "overdue"]  # fmt: skip
ROLLFORWARD = ["date", "currency", "opening_lines", "opening_amount", "new_lines", "new_amount", "matched_lines",
               "matched_amount", "closing_lines", "closing_amount", "restated_lines", "restated_amount"]  # fmt: skip
MATCHES = ["activity_file", "activity_line", "settlement_file", "settlement_line", "pile", "rule", "activity_amount",
           "settlement_amount", "currency", "amazon_transaction_id", "settlement_id", "posted_at", "matched_on"]  # fmt: skip
JOURNAL = ["date", "account", "debit", "credit", "currency", "reference"]
# A spreadsheet runs a text cell that begins like this as a formula.
_FORMULA = r"^[=+\-@\t\r]"


def write_day(day: Day, folder: Path) -> None:
    """Writes every data file of contract's packet into `folder` (the page and the manifest are the packet's own work)."""
    from recon_lib.claims_book import write_claims

    folder.mkdir(parents=True, exist_ok=True)
    findings = day.findings.select(frames.empty(frames.Finding).columns)
    with ThreadPoolExecutor(1) as beside:  # the workbook is slow Python, all else the work of polars' threads
        claims = beside.submit(write_claims, findings, folder / "claims.xlsx")
        findings.write_parquet(folder / "findings.parquet")
        write_table(findings, folder / "findings.csv", money=["unit_value", "owed"])
        write_table(day.open_items.select(OPEN_ITEMS), folder / "open_items.csv", money=["amount"])
        amounts = [name for name in ROLLFORWARD if name.endswith("_amount")]
        write_table(day.rollforward.select(ROLLFORWARD), folder / "rollforward.csv", money=amounts)
        day.matches.select(MATCHES).write_parquet(folder / "matches.parquet")
        write_table(day.journal.select(JOURNAL), folder / "journal.csv", money=["debit", "credit"])
        history = day.history.select(frames.empty(frames.SettledEvent).columns)
        write_table(history, folder / "history.csv", money=["amount"])
        claims.result()


def write_table(table: pl.DataFrame, path: Path, *, money: list[str]) -> None:
    """CSV: UTF-8, comma, LF; money with the minor digits of the row's `currency`, days as YYYY-MM-DD, unknown empty.

    Text that a spreadsheet would run as a formula gets a leading apostrophe; the Parquet files hold it untouched.
    """
    texts = [name for name, kind in table.schema.items() if kind == pl.String and name not in money]
    safe = [
        pl.when(pl.col(name).str.contains(_FORMULA))
        .then(pl.concat_str(pl.lit("'"), name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in texts
    ]
    instants = [
        pl.col(name).dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ").alias(name)
        for name, kind in table.schema.items()
        if isinstance(kind, pl.Datetime)
    ]
    exact = [money_text_expr(name) for name in money]
    table.with_columns(*exact, *instants).with_columns(*safe).write_csv(path, line_terminator="\n")
