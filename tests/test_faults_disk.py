"""What a power loss or a bad disk leaves behind: the next run ends in the bytes of an undisturbed one."""

from __future__ import annotations

import gzip
import random
import shutil
from pathlib import Path

import pytest

from recon_lib.books import open_account
from recon_lib.reconcile import reconcile
from recon_lib.reports.base import FEW
from tests.faults import HEAD, account

DAY = "2026-01-31"
SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"


def small_account(folder: Path) -> Path:
    """An account with books, two settlements that overlap in the store's `merged`, and rejected rows."""
    account(folder)
    reports = folder / "reports"
    reports.mkdir()
    shutil.copy(SAMPLE / "reports" / "fba" / "ledger-detail-1.txt", reports / "ledger.txt")
    part = (reports / "ledger.txt").read_text().splitlines(keepends=True)
    (reports / "again.txt").write_text("".join([*part[:40], "a row that is none\n"]))
    (reports / "packed.csv.gz").write_bytes(gzip.compress((HEAD + "nothing,at,all\n").encode(), mtime=0))
    return folder


def contents(folder: Path, store: Path, out: Path) -> dict[str, bytes]:
    day = reconcile(open_account(folder, DAY, store=store))
    day.save(out)
    files = {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.suffix == ".csv"}
    return files | {"files": day.books.files.write_csv().encode(), "rejects": day.books.rejects.write_csv().encode()}


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def zeros(data: bytes) -> bytes:
    return bytes(len(data))


def flipped(data: bytes) -> bytes:
    dice = random.Random(len(data))
    out = bytearray(data)
    out[dice.randrange(len(out))] ^= 1 << dice.randrange(8)
    return bytes(out)


@pytest.mark.parametrize("damage", [cut, zeros, flipped], ids=["cut", "zeros", "a bit"])
def test_a_damaged_store_is_read_anew(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    """All files of one kind at once: nothing of it is believed, and the store is whole again afterwards."""
    folder, store = small_account(tmp_path / "account"), tmp_path / "store"
    hoped = contents(folder, store, tmp_path / "one")
    kept = sorted(path for path in store.rglob("*") if path.is_file() and path.stat().st_size)
    assert {"reading.json", "rejects.parquet"} <= {path.name for path in kept}
    assert any(path.suffix == FEW for path in kept)
    assert any(path.parent.name == "merged" and path.suffix == ".parquet" for path in kept)
    for end in (".parquet", FEW, ".json", ".seal"):
        for path in kept:
            if path.suffix == end:
                path.write_bytes(damage(path.read_bytes()))
        assert contents(folder, store, tmp_path / "two") == hoped, end
