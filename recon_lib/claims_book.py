"""claims.xlsx: what can be claimed now, one sheet a claim type, the earliest last day and the largest amount first."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from recon_lib.money import minor_digits

# audit -> sheet: the claim type, as Amazon's forms divide them. An audit that is not here gets a sheet of its own name.
SHEETS = {
    "warehouse_lost": "Lost or damaged",
    "warehouse_damaged": "Lost or damaged",
    "disposed_without_order": "Lost or damaged",
    "inbound_shortage": "Shipment to Amazon",
    "removal_short": "Removal",
    "refund_without_return": "Customer returns",
    "return_unpaid": "Customer returns",
    "return_not_restocked": "Customer returns",
    "refund_exceeds_charge": "Refund above charge",
    "fulfilment_fee_overcharge": "Weight and dimensions",
    "measurement_error": "Weight and dimensions",
    "referral_fee_error": "Referral fee",
    "refund_fee_kept": "Referral fee",
    "storage_fee_overcharge": "Storage fee",
    "reimbursement_underpaid": "Reimbursement value",
    "reimbursement_not_settled": "Reimbursement not paid out",
    "reimbursement_reversed": "Reimbursement reversed",
}
_USUAL = "The transaction, the amount that is due and why."
# What the form of a claim type asks for: what to quote, what to attach, what spoils the case.
ASKED = {
    "Lost or damaged": "The ledger's reference (transaction item) ID, for lost units also the FNSKU; day and fulfilment centre "
    "on request. One event a claim.",
    "Shipment to Amazon": "Shipment ID and quantities; supplier invoice (no purchase order) and proof of delivery (bill of "
    "lading or tracking). Ask to research missing units, never units not shipped. At most 4 files a shipment.",
    "Removal": "Removal order ID, tracking or proof of delivery, FNSKU or ASIN and quantity, LPN, photos of units, packaging "
    "and box.",
    "Customer returns": "Order ID, FNSKU and quantity.",
    "Weight and dimensions": "Your own measures in the original packaging, photos of the FNSKU with scale and ruler, the "
    "transactions. One claim a charge: duplicates are denied. One appeal, then it is final.",
    "Referral fee": "Day, transaction and amount, the correct amount and why, the category guideline relied on.",
    "Storage fee": "The transactions, the amount charged, the correct amount and why.",
    "Reimbursement value": "The reimbursement ID and what a unit is worth: the sourcing cost on file with an invoice for it, "
    "or for a unit of an order the price charged less its fees.",
    "Refund above charge": _USUAL,
    "Reimbursement not paid out": _USUAL,
    "Reimbursement reversed": _USUAL,
}
COLUMNS = (
    ("claim_by", "Claim by", 11), ("owed", "Owed", 12), ("currency", "Currency", 9), ("quantity", "Units", 7),
    ("unit_value", "Value of a unit", 12), ("event_on", "Day of the event", 12), ("order_id", "Order ID", 22),
    ("reference_id", "Reference ID", 24), ("sku", "SKU", 20), ("fnsku", "FNSKU", 14), ("asin", "ASIN", 14),
    ("audit", "Audit", 24), ("value_basis", "Value basis", 14), ("reason", "Reason", 24), ("evidence", "Evidence", 56),
    ("asked", "The case asks for", 32), ("finding_id", "Finding", 20),
)  # fmt: skip
_LONG = ("reason", "evidence", "asked", "finding_id")  # wrapped: all columns must find room on one page of paper
LARGEST = 1_048_575 - 1  # data rows of one sheet
LINE, HIGHEST = 15, 409  # points of one line of text, and of the highest row there may be


def lines(told: str, width: int) -> int:
    """How many lines a cell of `width` letters needs for this text, broken between words, and within those that are longer."""
    count, used = 1, 0
    for word in told.split():
        used += len(word) + (used > 0)
        if used > width:
            count, used = count + (used > len(word)), len(word)
            count, used = count + (used - 1) // width, (used - 1) % width + 1
    return count


def heighten(sheet: Any, at: int, count: int) -> None:
    """Gives a row room for its lines: programs that take the file for one of Excel's own (LibreOffice) do not count them."""
    if count > 1:
        sheet.set_row(at, min(count * LINE, HIGHEST))


def write_claims(findings: pl.DataFrame, path: Path) -> None:
    """Writes the claimable rows of `findings` (frames.Finding) to `path`; the same bytes for the same findings.

    Text stays text: nothing is read as a formula, link or number. A sheet says so where nothing can be claimed.
    """
    import xlsxwriter

    book = xlsxwriter.Workbook(
        str(path),
        {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True},
    )
    book.set_properties({"title": "Claims", "created": datetime(2000, 1, 1)})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    formats = {n: book.add_format({"num_format": _pattern(n), "valign": "top"}) for n in (0, 2, 3)}
    formats |= {
        -1: book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"}),
        -2: book.add_format({"valign": "top"}),
        -3: book.add_format({"valign": "top", "text_wrap": True}),
    }
    claims = findings.filter(pl.col("status") == "claimable").with_columns(
        pl.col("audit").replace(SHEETS).str.replace_all(r"[\[\]:*?/\\']", "_").str.slice(0, 31).alias("sheet")
    )
    claims = claims.with_columns(pl.col("sheet").replace_strict(ASKED, default=_USUAL).alias("asked"))
    claims = claims.sort(
        "sheet", "claim_by", "owed", "finding_id", descending=[False, False, True, False], nulls_last=True
    )
    for (sheet,), part in claims.partition_by("sheet", as_dict=True, maintain_order=True).items():
        for begin in range(0, part.height, LARGEST):
            name = str(sheet) if begin == 0 else f"{str(sheet)[:27]} {begin // LARGEST + 1}"
            _sheet(book.add_worksheet(name), part.slice(begin, LARGEST), head, formats)
    if claims.is_empty():
        book.add_worksheet("Nothing to claim").write_string(0, 0, "No finding can be claimed on this day.")
    book.close()


def _sheet(sheet: Any, rows: pl.DataFrame, head: Any, formats: dict[int, Any]) -> None:
    for at, (_, name, width) in enumerate(COLUMNS):
        sheet.write_string(0, at, name, head)
        sheet.set_column(at, at, width)
    heighten(sheet, 0, max(lines(name, width) for _, name, width in COLUMNS))
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_margins(left=0.25, right=0.25)
    sheet.fit_to_pages(1, 0)  # all columns on one page, however many pages the rows need
    sheet.repeat_rows(0)  # printed, every page begins with the head
    sheet.autofilter(0, 0, rows.height, len(COLUMNS) - 1)
    names = [name for name, _, _ in COLUMNS]
    wrapped = [(at, width) for at, (name, _, width) in enumerate(COLUMNS) if name in _LONG]
    count = lru_cache(64)(lines)  # what a case asks for is the same in all rows
    for line, row in enumerate(rows.select(names).iter_rows(), start=1):
        heighten(sheet, line, max(count(row[at] or "", width) for at, width in wrapped))
        digits = minor_digits(row[2])
        for at, value in enumerate(row):
            if value is None:
                continue
            if isinstance(value, Decimal):
                sheet.write_number(line, at, value, formats.get(digits, formats[2]))
            elif isinstance(value, int):
                sheet.write_number(line, at, value, formats[-2])
            elif isinstance(value, date):
                sheet.write_datetime(line, at, value, formats[-1])
            else:
                sheet.write_string(line, at, value[:32_767], formats[-3 if names[at] in _LONG else -2])


def _pattern(digits: int) -> str:
    number = "#,##0" + ("." + "0" * digits if digits else "")
    return f"{number};[Red]-{number}"
