"""docs/reports.md names every family with the key that the code uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recon_lib.reports import FAMILIES
from recon_lib.reports.bank_mapping import load_mapping
from recon_lib.reports.base import Report
from recon_lib.reports.own_files import FILES, header
from recon_lib.reports.recognise import known_names, normal

PAGE = Path(__file__).parents[2] / "docs" / "reports.md"
TABLE = {
    cells[2].split("`")[1]: cells
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if (cells := line.split("|"))[2:] and "`" in cells[2]
}


@pytest.mark.parametrize("report", FAMILIES, ids=lambda report: report.title)
def test_the_page_tells_the_key_of_each_report(report: Report) -> None:
    told = TABLE[report.family][4]
    if "whole row" in told:
        return
    names = re.findall(r"`([^`]*)`", told)
    assert tuple(names[0].split(", ")) == report.key
    assert names[1:] == ([report.newest_by] if report.newest_by else [])


@pytest.mark.parametrize("report", FAMILIES, ids=lambda report: report.title)
def test_a_declaration_is_consistent(report: Report) -> None:
    frame = set(report.frame.columns())
    assert set(report.key) <= frame | {"line"}
    assert {report.newest_by, report.period, report.money} - {None} <= frame
    private = {normal(name) for name in report.private}
    assert not private & known_names(report)


@pytest.mark.parametrize("report", [r for r in FAMILIES if r.family == "date_range"], ids=lambda report: report.title)
def test_no_word_of_a_language_names_two_columns(report: Report) -> None:
    owner: dict[str, str] = {}
    for column in report.columns:
        for name in map(normal, column.names):
            assert owner.setdefault(name, column.target) == column.target, name
    assert {normal(name) for name in report.signature} <= set(owner)


@pytest.mark.parametrize("name", FILES)
def test_the_page_tells_the_header_of_each_file_of_the_seller(name: str) -> None:
    assert f"\n{name} " in PAGE.read_text(encoding="utf-8")
    line = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"{name} "))
    assert line.split()[1] == header(FILES[name])


def test_the_page_shows_a_mapping_that_is_understood(tmp_path: Path) -> None:
    shown = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "mapping.yml").write_text(shown, encoding="utf-8")
    assert load_mapping(tmp_path / "mapping.yml").delimiter == ";"
