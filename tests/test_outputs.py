"""The data files of a packet: digits, days and text exactly as promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl

from recon_lib.audits.pay import open_items
from recon_lib.money import MONEY, exact_text_expr
from recon_lib.outputs import write_table

END = datetime(2026, 2, 1, 8, tzinfo=UTC)
IDS = ["amazon_transaction_id", "seller_reference_id", "seller_order_id", "order_reference_id"]


def test_open_hours_have_one_decimal_whatever_the_number() -> None:
    # 805.8, 229.6 and 46.9 hours are numbers that binary fractions cannot hold.
    ages = [timedelta(hours=805, minutes=48), timedelta(hours=229, minutes=36), timedelta(hours=46, minutes=54)]
    activity = pl.DataFrame(
        {
            "pile": ["only left"] * 3,
            "activity_at": [END - age for age in ages],
            "kind": ["capture"] * 3,
            **{name: [None] * 3 for name in IDS},
            "amount": [Decimal("1.00")] * 3,
            "currency": ["USD"] * 3,
            "file": ["a"] * 3,
            "line": [1, 2, 3],
        },
        schema_overrides={"activity_at": pl.Datetime("us", "UTC"), **dict.fromkeys(IDS, pl.String)},
    )
    found = open_items(activity, END, 48)
    assert found.select("hours_open", "overdue").write_csv().splitlines()[1:] == [
        "805.8,true",
        "229.6,true",
        "46.9,false",
    ]


def test_money_has_the_digits_of_its_currency_and_text_is_no_formula(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "sku": ["=1+1", "plain", None],
            "owed": [Decimal("1.5"), Decimal("-120"), None],
            "currency": ["USD", "JPY", "EUR"],
        },
        schema_overrides={"owed": pl.Decimal(38, 4)},
    )
    write_table(table, tmp_path / "t.csv", money=["owed"])
    assert (tmp_path / "t.csv").read_bytes() == b"sku,owed,currency\n'=1+1,1.50,USD\nplain,-120,JPY\n,,EUR\n"


def test_amounts_in_words_keep_what_adds_up_and_no_more() -> None:
    amounts = ["12.1900", "12.1950", "12.1951", "-31.0800", "0.0000", "100.0000", "1000.5000", None]
    frame = pl.DataFrame({"amount": amounts}).with_columns(pl.col("amount").cast(MONEY), currency=pl.lit("USD"))
    assert frame.select(exact_text_expr(pl.col("amount")))["amount"].to_list() == [
        "12.19", "12.195", "12.1951", "-31.08", "0.00", "100.00", "1000.50", None,
    ]  # fmt: skip
    yen = frame.with_columns(currency=pl.lit("JPY"))  # an evidence must not speak of hundredths of a yen
    assert yen.select(exact_text_expr(pl.col("amount")))["amount"].to_list() == [
        "12.19", "12.195", "12.1951", "-31.08", "0", "100", "1000.50", None,
    ]  # fmt: skip
