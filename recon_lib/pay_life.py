"""The life of one Amazon Pay activity: when it was recorded, how long it was open, which line closed it, by which rule.

Asked for by any of its ids, compared as in the match. One capture or refund id is one activity; an order's id may be several.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from recon_lib.audits.pay import PayDay, reconcile_pay
from recon_lib.books import Books
from recon_lib.errors import UsageError
from recon_lib.keys import normal
from recon_lib.money import money_text
from recon_lib.pay_keys import KEY_COLUMNS


@dataclass(frozen=True)
class PayLife:
    """`text` for people; `is_settled`: everything that carries the id is reconciled in its amount."""

    text: str
    is_settled: bool


def pay_life(books: Books, wanted: str) -> PayLife:
    """Every activity and settlement line that carries the id `wanted`, as they stand at the end of the books' day.

    Raises:
        UsageError: nothing up to the day carries the id.
    """
    pay = reconcile_pay(books)
    carries = pl.any_horizontal(
        (normal(name) == normal(pl.lit(wanted))).fill_null(False) for name in KEY_COLUMNS.values()
    )
    lines = pay.lines.filter(carries)
    met = pay.matches.join(
        lines.select(pl.col("file").alias("settlement_file"), pl.col("line").alias("settlement_line")),
        on=["settlement_file", "settlement_line"], how="semi",
    ).select(pl.col("activity_file").alias("file"), pl.col("activity_line").alias("line"))  # fmt: skip
    numbered = pay.activity.with_row_index("row")
    rows = pl.concat([numbered.filter(carries), numbered.join(met, on=["file", "line"], how="semi")])
    activity = rows.unique("row").sort("row").drop("row")
    if not activity.height and not lines.height:
        raise UsageError(
            f"no Amazon Pay activity and no settlement line up to {books.as_of} carries the id {wanted.strip()!r}",
            hoped="a capture or refund id, seller reference id, seller order id or order reference id",
            do="look for it in books/pay_activity.csv and in open_items.csv",
        )
    told: list[str] = []
    shown: set[tuple[str, int]] = set()
    settled = True
    for row in activity.iter_rows(named=True):
        pair = _pair(pay, row)
        told.append(_activity(row, pair, pay, books))
        settled &= row["pile"] in ("matched", "duplicate")
        if pair:
            shown.add((pair["file"], pair["line"]))
    for row in lines.sort("posted_at", "file", "line").iter_rows(named=True):
        if (row["file"], row["line"]) not in shown:
            told.append(_line(row, books))
            settled &= row["pile"] is None
    return PayLife("\n\n".join(told), settled)


def _pair(pay: PayDay, row: dict[str, Any]) -> dict[str, Any] | None:
    """The settlement line of the activity, with the rule that found it."""
    met = pay.matches.filter(activity_file=row["file"], activity_line=row["line"])
    if not met.height:
        return None
    found = met.row(0, named=True)
    line = pay.lines.filter(file=found["settlement_file"], line=found["settlement_line"]).row(0, named=True)
    return line | {"rule": found["rule"], "matched_on": found["matched_on"]}


def _activity(row: dict[str, Any], pair: dict[str, Any] | None, pay: PayDay, books: Books) -> str:
    amount = money_text(row["amount"], row["currency"])
    head = f"{row['kind']} of {amount} {row['currency']}: "
    rows = [("recorded", f"{_time(row['activity_at'], books)}, {row['file']} line {row['line']}"), ("ids", _ids(row))]
    if pair:
        gap = row["amount"] - pair["amount"]
        apart = f"settled with another amount, {money_text(gap, row['currency'])} {row['currency']} apart"
        head += "reconciled" if row["pile"] == "matched" else apart
        days = (pair["matched_on"] - row["day"]).days
        after = (
            "on the day it was recorded" if not days else f"open for {days} {'day' if days == 1 else 'days'} until then"
        )
        rows.append(("matched on", f"{pair['matched_on']} by {pair['rule']}, {after}"))
        rows.append(("settled", _settled(pair, books)))
    elif row["pile"] == "duplicate":
        head += "set aside, an earlier row is equal in every column"
    else:
        item = pay.open_items.filter(file=row["file"], line=row["line"]).row(0, named=True)
        head += f"open for {item['hours_open']:.1f} hours at the end of {books.as_of}"
        found = pay.findings.filter(
            pl.col("audit") == "pay_overdue", pl.col("lines").list.contains(f"{row['file']}:{row['line']}")
        )
        head += f", overdue ({found['reason'][0]})" if found.height else ""
        rows.append(("open since", str(row["day"])))
    return _told(head, rows)


def _line(row: dict[str, Any], books: Books) -> str:
    said = {"duplicate": "the same line was settled before", "only right": "settled, but not in the seller's records"}
    head = f"{row['transaction_type']} of {money_text(row['amount'], row['currency'])} {row['currency']}: "
    head += said.get(row["pile"] or "", "listed, no capture or refund")
    return _told(head, [("settled", _settled(row, books)), ("ids", _ids(row))])


def _settled(row: dict[str, Any], books: Books) -> str:
    amount = money_text(row["amount"], row["currency"])
    place = f"{row['file']} line {row['line']}, settlement {row['settlement_id']}"
    return f"{amount} {row['currency']} posted {_time(row['posted_at'], books)}, {place}"


def _ids(row: dict[str, Any]) -> str:
    return ", ".join(f"{key} {row[name].strip()}" for key, name in KEY_COLUMNS.items() if row[name]) or "none"


def _time(at: datetime, books: Books) -> str:
    return at.astimezone(ZoneInfo(books.account.time_zone)).isoformat(sep=" ", timespec="seconds")


def _told(head: str, rows: list[tuple[str, str]]) -> str:
    """Characters of the files that could steer a terminal never reach it."""
    lines = [head, *(f"    {name:<11} {text}" for name, text in rows)]
    return "\n".join("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line) for line in lines)
