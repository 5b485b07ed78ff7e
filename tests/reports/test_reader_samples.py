"""The real and the invented sample files that lie beside the repository, where they are there."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from recon_lib.errors import NotAReport, ReportError
from recon_lib.reports import Reading, read

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample files are not beside the repository")


def sample(tmp_path: Path, name: str) -> Reading:
    return read(SAMPLES / name, store=tmp_path)


@pytest.mark.parametrize(
    ("name", "total", "rows"),
    [("50011020300", "-321.69", 4), ("50018020314", "-62.31", 16), ("50041020342", "2539.66", 490), ("50044020356", "4630.23", 730)],
)  # fmt: skip
def test_real_settlements_add_up(tmp_path: Path, name: str, total: str, rows: int) -> None:
    path = SAMPLES / "settlement-v1-flat-file" / f"{name}.txt"
    stated = path.read_text().splitlines()[1].split("\t")[4]
    got = read(path, store=tmp_path)
    assert (got.totals, got.layout, got.rows_used, got.rows_rejected) == ({"CAD": Decimal(total)}, "V1", rows, 0)
    assert Decimal(stated) == Decimal(total)
    assert got.rows("settlements").collect()["total_amount"].to_list() == [Decimal(total)]
    assert got.notes == ()


def test_the_hybrid(tmp_path: Path) -> None:
    got = sample(tmp_path, "settlement-v1-flat-file/aresstore-settlement.txt")
    assert (got.layout, got.rows_used, got.rows_rejected) == ("hybrid", 12, 0)
    assert got.rows("settlements").collect()["total_amount"].to_list() == [None]


def test_a_refund_and_what_paid_it_back_keep_their_ids(tmp_path: Path) -> None:
    old = sample(tmp_path, "settlement-v1-flat-file/50018020314.txt").rows("settlement_lines").collect()
    new = sample(tmp_path, "settlement-v1-flat-file/50044020356.txt").rows("settlement_lines").collect()
    refund = old.filter((pl.col("order_id") == "702-1278184-4976266") & (pl.col("transaction_type") == "Refund"))
    paid = new.filter(
        (pl.col("order_id") == "702-1278184-4976266") & (pl.col("amount_description") == "REVERSAL_REIMBURSEMENT")
    )
    assert paid["amount"].to_list() == [Decimal("43.29")]
    assert set(refund["adjustment_id"]) == set(paid["adjustment_id"])


def test_reimbursements(tmp_path: Path) -> None:
    got = sample(tmp_path, "fba-reimbursements/reimbursement-2025-08-02_2025-11-02.tsv")
    assert (got.rows_used, got.rows_rejected, got.period_from, got.period_to) == (18, 0, "2025-08-10", "2025-10-31")
    assert got.totals == {"USD": Decimal("5397.37")}
    assert sample(tmp_path, "fba-reimbursements/aresstore-reimbursements.txt").totals == {"EUR": Decimal("228.90")}


def test_amazon_pay(tmp_path: Path) -> None:
    got = sample(tmp_path, "amazon-pay-settlement/2015-10-01-SETTLEMENT_DATA_371273040777777.csv")
    assert (got.rows_used, got.rows_rejected, got.totals) == (2, 0, {"USD": Decimal("-16.13")})
    assert got.rows("pay_statements").collect().height == 1
    refund = sample(tmp_path, "amazon-pay-refund/2015-10-06-REFUND_DATA_414749300022222.csv")
    assert (refund.rows_used, refund.totals) == (2, {"USD": Decimal("1.00")})


def test_ledger_in_cp1252(tmp_path: Path) -> None:
    got = sample(tmp_path, "ledger-detail/aresstore-ledger-detail.txt")
    assert (got.encoding, got.rows_used, got.rows_rejected) == ("cp1252", 16, 0)
    assert "Set de bandas elásticas" in got.rows("ledger_detail").collect()["title"].to_list()


def test_every_sample_is_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    outcomes = {}
    for path in sorted(p for p in SAMPLES.rglob("*") if p.is_file()):
        try:
            got = read(path, store=tmp_path)
            outcomes[path.name] = "rejected" if got.rows_used == 0 and got.rows_rejected else "read"
        except NotAReport:
            outcomes[path.name] = "no report"
        except ReportError as problem:
            outcomes[path.name] = "refused" if problem.hoped and problem.do else "refused without a word what to do"
    assert {n for n, o in outcomes.items() if o == "refused"} == {
        "aresstore-devoluciones-es.txt",
        "aresstore-libro-inventario-es.txt",
    }
    assert {n for n, o in outcomes.items() if o == "no report"} == {
        "README.md", "amazon_payment_configs_au_old.csv", "amazon_settlement_configs_au.csv",
    }  # fmt: skip
    assert all(n.startswith("airbyte-") for n, o in outcomes.items() if o == "rejected")
