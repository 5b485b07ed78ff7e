"""Folders whose names hold signs that mean something to programs: people have them, and no packet may stop at one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from recon_lib import asof
from recon_lib.__main__ import main

DEMO = Path(__file__).parents[1] / "data" / "sample"


def test_a_bracket_in_the_name_of_a_folder_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Account, store and packets lie in such folders; the second day finds files in the store and the packet before."""
    home = tmp_path / "Shop [EU] 2025"
    account = shutil.copytree(DEMO, home / "account")
    monkeypatch.setattr(asof, "_HELD", 0)  # also what is kept of large reports is read
    monkeypatch.setenv("RECON_STORE", str(home / "store"))
    for day in ("2025-12-14", "2025-12-15"):
        assert main(["packet", str(account), "--date", day, "--out", str(home / "out")]) == 1
    assert len(list((home / "out").glob("*/*/findings.csv"))) == 2
