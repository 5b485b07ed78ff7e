"""Days that no report speaks about are told in the packet, each once, and only where the silence means something."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from recon_lib.books import open_account
from recon_lib.reconcile import reconcile

DEMO = Path(__file__).parents[1] / "data" / "sample"


def told(day: str) -> set[tuple[str, str]]:
    gone = reconcile(open_account(DEMO, day)).not_checked.filter(pl.col("reason").str.starts_with("report missing"))
    return set(gone.select("subject", "reason").rows())


def test_reports_up_to_the_day_leave_nothing_to_say() -> None:
    assert told("2026-01-31") == set()


def test_reports_that_ended_months_ago_are_named_with_the_days_they_lack() -> None:
    # The last rows in data/sample: returns 29 January, bank and reimbursements 30 January, ledger 31 January; the last
    # settlement ends on 29 January, the last of Amazon Pay on 31 January. Too few removals to know their pace.
    last = {
        "bank": "bank 2026-01-31",
        "customer_returns": "customer returns 2026-01-30",
        "ledger_detail": "ledger detail 2026-02-01",
        "reimbursements": "reimbursements 2026-01-31",
        "settlement_lines": "settlement lines 2026-01-30",
        "settlements": "settlements 2026-01-30",
        "pay_lines": "Amazon Pay settlement in USD 2026-01-31",
    }
    missing = {(family, f"report missing: {words} to 2026-09-30") for family, words in last.items()}
    assert told("2026-09-30") == missing


def test_a_settlement_may_be_sixteen_days_away() -> None:
    assert {family for family, _ in told("2026-02-14")} == set()  # 14 and 16 days after the last ones ended
    assert {family for family, _ in told("2026-02-16")} == {"settlement_lines", "settlements"}  # 16 and 18
    assert {family for family, _ in told("2026-02-17")} == {"pay_lines", "settlement_lines", "settlements"}
