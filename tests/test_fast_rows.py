"""Columns of a report straight from its file: typed as the doorway types them, refused where they are not plain."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.exceptions import PolarsError

from recon_lib.errors import ReportError
from recon_lib.fast_rows import plain_rows

HEADER = "return-date\torder-id\tsku\tasin\tfnsku\tproduct-name\tquantity\tfulfillment-center-id\tdetailed-disposition\treason\tstatus\n"
ROW = "2025-01-{day}T02:27:23+00:00\t111-1\tS-1\tB1\tX1\tBox\t{units}\tLEX1\tSELLABLE\t\tok\n"


def returns(folder: Path, *rows: str) -> Path:
    path = folder / "returns.txt"
    path.write_text(HEADER + "".join(rows))
    return path


def test_text_numbers_and_days_as_written(tmp_path: Path) -> None:
    path = returns(tmp_path, ROW.format(day="02", units=2), ROW.format(day="03", units=-1))
    rows = plain_rows(path, "customer_returns", ["returned", "order_id", "quantity", "reason"]).collect()
    assert rows.rows() == [(date(2025, 1, 2), "111-1", 2, None), (date(2025, 1, 3), "111-1", -1, None)]


def test_money_is_whole_ten_thousandths_and_null_where_finer(tmp_path: Path) -> None:
    path = tmp_path / "settlement.txt"
    names = "settlement-id settlement-start-date settlement-end-date deposit-date total-amount currency transaction-type order-id"
    names += " merchant-order-id adjustment-id shipment-id marketplace-name amount-type amount-description amount fulfillment-id"
    names += " posted-date posted-date-time order-item-code merchant-order-item-id merchant-adjustment-item-id sku"
    names += " quantity-purchased promotion-id"
    line = "11{}Order\t111-1\t\t\tD1\tAmazon.com\tItemPrice\tPrincipal\t{}\tAFN\t2024-10-01\t2024-10-01 07:03:22 UTC\t4\t\t\tS-1\t1\t\n"
    text = (
        "\t".join(names.split())
        + "\n"
        + "".join(line.format("\t" * 6, amount) for amount in ("47.28", "-0.5", "0.00001"))
    )
    path.write_text(text)
    rows = plain_rows(path, "settlement_lines", ["amount", "posted_day"]).collect()
    assert rows["amount"].to_list() == [472_800, -5_000, None]
    assert rows["posted_day"].unique().to_list() == [date(2024, 10, 1)]


def test_another_report_and_an_unreadable_cell_are_refused(tmp_path: Path) -> None:
    path = returns(tmp_path, ROW.format(day="02", units="two"))
    with pytest.raises(ReportError, match="reimbursements"):
        plain_rows(path, "reimbursements", ["quantity"])
    with pytest.raises(PolarsError):
        plain_rows(path, "customer_returns", ["quantity"]).select(pl.col("quantity").sum()).collect()
