"""Amazon Pay files state no total: does every row add up, and does every transfer pay what the settlement before left?

A settlement's payable is the sum of its rows without the transfer. The next transfer pays it (a reserve released beside
the transfer explains as much less). A settlement without a transfer carries the payable on. A charge in the first settlement
known may clear what one before it left. One chain a currency.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from recon_lib import frames
from recon_lib.audits.evidence import PLACE, findings, occurrence, words
from recon_lib.audits.pay_breaks import instant, owed
from recon_lib.audits.pay_coverage import SEAM
from recon_lib.books import Books
from recon_lib.money import MONEY, money_text, money_text_expr

_FOUND: dict[str, Any] = {
    "audit": pl.String, "fact": pl.String, "event_on": pl.Date, "reference_id": pl.String, "owed": MONEY, "currency": pl.String,
    "reason": pl.String, "lines": pl.List(pl.String), "arithmetic": pl.String,
}  # fmt: skip


def pay_statements(books: Books, lines: pl.DataFrame) -> pl.DataFrame:
    """`settlement_out_of_balance` and `settlement_gap` of the Amazon Pay settlements (frames.RawFinding)."""
    chain = pl.DataFrame(
        [
            row
            for _, part in _settlements(books, lines).group_by("currency", maintain_order=True)
            for row in _walk(part.to_dicts())
        ],
        schema=_FOUND,
        orient="row",
    )
    told = [
        findings(chain.filter(pl.col("audit") == name), name, status="open", value_basis="difference")
        for name in ("settlement_gap", "settlement_out_of_balance")
    ]
    return pl.concat([_rows(lines), *told]).select(frames.empty(frames.RawFinding).columns)


def _rows(lines: pl.DataFrame) -> pl.DataFrame:
    fee = pl.coalesce("total_fee", pl.col("percentage_fee") + pl.col("fixed_fee"))
    gap = pl.col("amount") + fee - pl.col("net_amount")
    odd = lines.with_columns(fee.alias("fee"), gap.alias("gap")).filter(pl.col("gap") != 0)
    name = words(
        "settlement_id",
        "transaction_type",
        "currency",
        "amazon_transaction_id",
        instant("posted_at"),
        "amount",
        "net_amount",
    )
    odd = odd.with_columns(pl.format("pay row|{}", name).alias("name"), apart=pl.col("gap").abs())
    rows = odd.with_columns(occurrence(["name"])).with_columns(
        pl.when(pl.col("occurrence") > 1).then(pl.format("{}|{}", "name", "occurrence")).otherwise("name").alias("fact"),
        pl.col("posted_on").alias("event_on"),
        pl.coalesce("amazon_transaction_id", "settlement_id").alias("reference_id"),
        owed(pl.col("gap")),
        pl.concat_list(PLACE).alias("lines"),
        pl.format("amount {} + fee {} is not net {}: {} {} apart", money_text_expr("amount"), money_text_expr("fee"),
                  money_text_expr("net_amount"), money_text_expr("apart"), "currency").alias("arithmetic"),
    )  # fmt: skip
    why = "net is not amount plus fee"
    return findings(rows, "settlement_out_of_balance", status="open", value_basis="difference", reason=why)


def _settlements(books: Books, lines: pl.DataFrame) -> pl.DataFrame:
    """One row a settlement and currency, in order: what its transfers cleared, what else it holds, reserve, window, places."""
    windows = books.frames["pay_statements"].select("file", "start_at", "end_at").collect().unique("file", keep="first")
    key = ["currency", "settlement_id"]
    alone = pl.col("settlements") == 1  # of that currency in its file: then the file's window is the settlement's
    sums = ["transfer", "transfers", "debt", "rest", "reserve"]
    return (
        _by_file(lines)
        .with_columns(pl.len().over("file", "currency").alias("settlements"))
        .join(windows, on="file", how="left")
        .group_by(key)
        .agg(
            pl.col(sums).sum(),
            pl.col("first_at").min(),
            pl.coalesce(pl.col("start_at").filter(alone).min(), pl.col("first_at").min()).alias("from_at"),
            pl.coalesce(pl.col("end_at").filter(alone).max(), pl.col("last_at").max()).alias("to_at"),
            pl.col("cleared_on", "first_on").min(),
            pl.col("places").list.explode(keep_nulls=False, empty_as_null=False).sort(),
            pl.col("place").sort_by("first_at", "file").first(),
            pl.col("file").sort().alias("files"),
        )
        .sort("currency", "first_at", "settlement_id")
    )


def _by_file(lines: pl.DataFrame) -> pl.DataFrame:
    """The same for the lines of one file; `place` is its earliest line, `places` those that clear something."""
    types = lines["transaction_type"].unique()
    plain = types.str.to_lowercase().str.replace_all(r"[^a-z]", "")

    def of_type(pattern: str) -> pl.Expr:
        return pl.col("transaction_type").is_in(types.filter(plain.str.contains(pattern)).implode())

    key = ["currency", "settlement_id", "file"]
    net = pl.coalesce("net_amount", pl.col("amount") + pl.col("total_fee").fill_null(0))
    rows = lines.select(
        *key, "line", "posted_at", "posted_on", net.alias("net"),
        of_type("transfer").alias("transfer"), of_type("^debt").alias("debt"), of_type("^reserve").alias("reserve"),
    )  # fmt: skip
    transfer, debt = pl.col("transfer"), pl.col("debt")

    def summed(which: pl.Expr) -> pl.Expr:
        return pl.col("net").filter(which).sum().cast(MONEY)

    sums = rows.group_by(key).agg(
        summed(transfer).alias("transfer"),
        transfer.sum().alias("transfers"),
        summed(debt).alias("debt"),
        summed(~transfer & ~debt).alias("rest"),
        summed(pl.col("reserve")).alias("reserve"),
        pl.col("posted_at").min().alias("first_at"),
        pl.col("posted_at").max().alias("last_at"),
        pl.col("posted_on").filter(transfer | debt).min().alias("cleared_on"),
        pl.col("posted_on").min().alias("first_on"),
        pl.col("line").filter(pl.col("posted_at") == pl.col("posted_at").min()).min().alias("line"),
    )
    cleared = rows.filter(transfer | debt).group_by(key).agg(PLACE.alias("places"))
    return sums.with_columns(PLACE.alias("place")).join(cleared, on=key, how="left")


def _walk(chain: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    payable: Decimal | None = None
    doubt = Decimal(0)  # charged in the first settlement known: for a balance left before it, or for its own
    seam: tuple[datetime, datetime] | None = None
    last: dict[str, Any] | None = None
    for row in chain:
        if last is not None and row["from_at"] - last["to_at"] > SEAM and not set(row["files"]) & set(last["files"]):
            seam = (last["to_at"], row["from_at"])
        charged = not row["transfers"] and payable is not None and payable < 0 and row["debt"]
        cleared = row["debt"] if charged else row["transfer"]
        rest = row["rest"] if charged else row["rest"] + row["debt"]
        if row["transfers"] or charged:
            left = () if payable is None else (payable - doubt, payable)
            if left and -cleared not in (*left, *(one - row["reserve"] for one in left)):
                assert last is not None
                payable = left[0]
                found.append(_gap(row, last, seam) if seam else _unpaid(row, last, payable, cleared))
            payable, doubt, seam = rest, Decimal(0), None
        elif payable is not None:
            payable += rest
        else:
            payable, doubt = rest, row["debt"]
        last = row
    return found


def _gap(row: dict[str, Any], last: dict[str, Any], seam: tuple[datetime, datetime]) -> dict[str, Any]:
    return {
        "audit": "settlement_gap",
        "fact": f"pay period|{row['currency']}|{last['settlement_id']}|{row['settlement_id']}",
        "event_on": row["first_on"],
        "reference_id": row["settlement_id"],
        "owed": None,
        "currency": row["currency"],
        "reason": "a period between two settlements is missing",
        "lines": [last["place"], *(row["places"] or [row["place"]])],
        "arithmetic": f"no settlement from {_told(seam[0])} to {_told(seam[1])}, and the transfer of {row['settlement_id']} "
        f"is not what {last['settlement_id']} left",
    }


def _unpaid(row: dict[str, Any], last: dict[str, Any], payable: Decimal, cleared: Decimal) -> dict[str, Any]:
    on: date = row["cleared_on"] or row["first_on"]
    short = payable + cleared
    currency = row["currency"]
    return {
        "audit": "settlement_out_of_balance",
        "fact": f"pay transfer|{currency}|{last['settlement_id']}|{row['settlement_id']}",
        "event_on": on,
        "reference_id": row["settlement_id"],
        "owed": short if short > 0 else None,
        "currency": currency,
        "reason": "the transfer is not what the settlement before left",
        "lines": [*row["places"], last["place"]],
        "arithmetic": f"payable after settlement {last['settlement_id']} {money_text(payable, currency)}, cleared "
        f"{money_text(-cleared, currency)}: {money_text(abs(short), currency)} {currency} apart",
    }


def _told(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
