"""Small whole reports that the hostile tests break in one place each, and what must hold whatever comes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from recon_lib.errors import ReportError
from recon_lib.reports.base import Reading
from recon_lib.reports.members import read_members
from tests.headers import V2

REIMBURSEMENT = {
    "approval-date": "2026-01-05T10:00:00+00:00",
    "reimbursement-id": "1001",
    "case-id": "",
    "amazon-order-id": "111-1111111-1111111",
    "reason": "Lost_Warehouse",
    "sku": "SKU-1",
    "fnsku": "X001",
    "asin": "B001",
    "product-name": "A thing",
    "condition": "NewItem",
    "currency-unit": "USD",
    "amount-per-unit": "10.00",
    "amount-total": "10.00",
    "quantity-reimbursed-cash": "1",
    "quantity-reimbursed-inventory": "0",
    "quantity-reimbursed-total": "1",
    "original-reimbursement-id": "",
    "original-reimbursement-type": "",
}
HEADER = "\t".join(REIMBURSEMENT)


def row(**cells: str) -> str:
    """One tab-separated reimbursement, with the given cells changed (`amount_total="x"`)."""
    return "\t".join((REIMBURSEMENT | {name.replace("_", "-"): value for name, value in cells.items()}).values())


FIRST = row()
LAST = row(reimbursement_id="1003", amount_total="20.50", amount_per_unit="20.50")


def report(*between: str) -> str:
    """A whole file: a good row of 10.00 on line 2, the given rows from line 3 on, a good row of 20.50 at the end."""
    return "\n".join([HEADER, FIRST, *between, LAST]) + "\n"


def settlement_row(**cells: str) -> str:
    given = {name.replace("_", "-"): value for name, value in cells.items()}
    assert set(given) <= set(V2)
    return "\t".join({"settlement-id": "700", **given}.get(name, "") for name in V2)


SUMMARY = settlement_row(
    settlement_start_date="2026-01-01 00:00:00 UTC",
    settlement_end_date="2026-01-15 00:00:00 UTC",
    deposit_date="2026-01-17 00:00:00 UTC",
    total_amount="8.00",
    currency="USD",
)


def settlement_line(amount: str, kind: str = "Principal") -> str:
    return settlement_row(
        transaction_type="Order",
        order_id="111-1111111-1111111",
        amount_type="ItemPrice",
        amount_description=kind,
        amount=amount,
        posted_date="2026-01-05",
        posted_date_time="2026-01-05 10:00:00 UTC",
        sku="SKU-1",
    )


def settlement(*rows: str) -> str:
    return "\n".join(["\t".join(V2), *rows]) + "\n"


BANK = "booked_on,amount,currency,description,reference\n"


@dataclass(frozen=True)
class Told:
    """What one file gave."""

    display: str
    reading: Reading | None
    problem: ReportError | None

    @property
    def reasons(self) -> str:
        return "" if self.reading is None else " | ".join(self.reading.rejects["reason"].to_list())


def look(path: Path, store: Path) -> list[Told]:
    """Reads like every command does: any other exception than ReportError fails the test by itself."""
    out = []
    for name, outcome in read_members(path, path.name, store=store):
        if isinstance(outcome, ReportError):
            assert outcome.met
            assert len(str(outcome)) < 5000
            out.append(Told(name, None, outcome))
        else:
            conserved(outcome)
            out.append(Told(name, outcome, None))
    return out


def conserved(reading: Reading) -> None:
    """Rows in = rows used + rows rejected: every used row is in the frames, every other is told with line and reason."""
    assert reading.rejects.height == reading.rows_rejected
    assert reading.rejects["reason"].null_count() == 0
    assert reading.rejects["line"].min() is None or reading.rejects["line"].min() >= 1
    if set(reading.frames) == {reading.family}:
        lines = reading.rows(reading.family).collect()["line"]
        assert lines.n_unique() == reading.rows_used
        assert not set(lines) & set(reading.rejects["line"])
    for amount in reading.totals.values():
        assert isinstance(amount, Decimal)
        assert amount.is_finite()
