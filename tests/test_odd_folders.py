"""Folders whose names hold signs that mean something to programs: people have them, and no packet may stop at one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from recon_lib import family_rows
from recon_lib.__main__ import main

DEMO = Path(__file__).parents[1] / "data" / "sample"


def test_a_bracket_in_the_name_of_a_folder_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Account, store and packets lie in such folders; the second day finds files in the store and the packet before."""
    home = tmp_path / "Shop [EU] 2025"
    account = shutil.copytree(DEMO, home / "account")
    monkeypatch.setattr(family_rows, "HELD", 0)  # also what is kept of large reports is read
    monkeypatch.setenv("RECON_STORE", str(home / "store"))
    for day in ("2025-12-14", "2025-12-15"):
        assert main(["packet", str(account), "--date", day, "--out", str(home / "out")]) == 1
    assert len(list((home / "out").glob("*/*/findings.csv"))) == 2


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "bank.csv"
    path.write_text("booked_on,amount,currency,description,reference\n2026-01-05,10.00,USD,AMAZON,R1\n")
    return path


def test_a_home_that_cannot_be_written_stops_nothing(
    tmp_path: Path, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container or a service often has none: what is parsed then lies below the temporary files, for its user only."""
    (tmp_path / "home").write_text("no folder")
    (tmp_path / "temporary").mkdir()
    monkeypatch.delenv("RECON_STORE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    assert main(["check", str(report)]) == 0
    (store,) = (tmp_path / "temporary").iterdir()
    assert any(store.rglob("*.json"))
    assert store.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("variable", ["RECON_STORE", "XDG_CACHE_HOME"])
def test_a_store_that_cannot_be_written_is_told_in_words(
    tmp_path: Path, report: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    (tmp_path / "home").write_text("no folder")
    monkeypatch.delenv("RECON_STORE", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "home"))  # nor may anything else be written
    assert main(["check", str(report)]) == 2
    told = capsys.readouterr().err
    assert "cannot be written" in told
    assert str(tmp_path / "home") in told
    assert "RECON_STORE" in told


def test_letters_that_the_terminal_has_not_are_written_as_numbers(report: Path, tmp_path: Path) -> None:
    """As on a terminal of one country or in a plain C locale; the packet was published and then called a failure."""
    named = report.rename(tmp_path / "Übersicht 円.csv")
    told = subprocess.run(
        [sys.executable, "-m", "recon_lib", "check", str(named)], check=False, capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "RECON_STORE": str(tmp_path / "store")},
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, b"")
    assert b"\\xdcbersicht \\u5186.csv" in told.stdout
    assert b"1 rows used, 0 rejected" in told.stdout


def test_a_name_that_is_no_utf_8_is_read_and_told(
    tmp_path: Path, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As archives of other systems leave them: the file `Auszug_ä` in Latin-1, told by its byte."""
    account = tmp_path / "account"
    (account / "books").mkdir(parents=True)
    (account / "account.yml").write_text("account: odd\nmarketplace: US\n")
    try:
        os.rename(os.fsencode(report), os.fsencode(account / "books") + b"/Auszug_\xe4.csv")
    except OSError:
        pytest.skip("this disk takes names in UTF-8 only")
    monkeypatch.setenv("RECON_STORE", str(tmp_path / "store"))
    assert main(["check", str(account)]) == 0
    assert main(["packet", str(account), "--date", "2026-01-31", "--out", str(tmp_path / "out")]) == 1  # unexplained
    assert "Auszug_\\xe4.csv:2" in (tmp_path / "out" / "odd" / "2026-01-31" / "findings.csv").read_text()
