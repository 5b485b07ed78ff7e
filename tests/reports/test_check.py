"""`recon check`: every file is listed, what was refused is told, the exit code follows."""

from __future__ import annotations

import gzip
import os
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from hostile_files import BANK, FIRST, HEADER, SUMMARY, report, row, settlement, settlement_line

from recon_lib.check import CheckResult, check
from recon_lib.check_text import WIDTH, render

ACCOUNT = "account: demo-de\nmarketplace: DE\ntime_zone: Europe/Berlin\ncurrency: EUR\ncurrencies: [EUR]\ncep_enrolled: true\n"
MAPPING = (
    'date: Tag\ndate_format: "%d.%m.%Y"\namount: Betrag\ncurrency: EUR\ndescription: [Von, Zweck]\ndecimal: ","\n'
    'delimiter: ";"\n'
)


def run(tmp_path: Path, *paths: Path) -> CheckResult:
    return check(list(paths), store=tmp_path / "store")


def by_name(result: CheckResult):
    return {Path(r.file).name: r for r in result.rows}


def test_a_good_file_by_hand(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(report())
    result = run(tmp_path, path)
    (found,) = result.rows
    assert (found.file, found.rows_used, found.rows_rejected) == (path.as_posix(), 2, 0)
    assert (found.period_from, found.period_to, found.encoding) == ("2026-01-05", "2026-01-05", "utf-8")
    assert found.totals == (("USD", Decimal("30.50")),)
    assert result.exit_code == 0
    text = " ".join(render(result).split())
    assert "2026-01-05 to 2026-01-05 · 2 rows used, 0 rejected · 30.50 USD · utf-8" in text
    assert text.endswith("1 reports with 2 rows used and 0 rejected, 0 not a report, 0 refused")


def test_rejected_rows_are_listed_with_line_column_value_and_reason(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(report(*(row(amount_total=f"x{n}") for n in range(25))))
    result = run(tmp_path, path)
    assert result.exit_code == 1
    text = render(result)
    assert "line 3, amount-total, 'x0'" in text
    assert "line 22, amount-total, 'x19'" in text
    assert "'x20'" not in text
    assert "and 5 more" in text


def test_a_refused_file_is_told_with_everything(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(report().replace("\tfnsku", "\tsku", 1))
    (tmp_path / "in" / "b.txt").write_text(report())
    result = run(tmp_path, tmp_path / "in")
    assert result.exit_code == 2
    (refusal,) = result.refusals
    assert (Path(refusal.file).name, refusal.line) == ("a.txt", 1)
    text = render(result)
    for word in ("Refused: ", "a.txt, line 1", "met: ", "hoped for: ", "what to do: "):
        assert word in text
    assert by_name(result)["b.txt"].rows_used == 2  # the other file is still told


def test_what_is_no_report_is_listed_and_is_nothing_wrong(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "readme.md").write_text("Hello, this is a note.\n")
    (folder / ".hidden").write_text("x")
    (folder / ".git").mkdir()
    result = run(tmp_path, folder)
    assert result.exit_code == 0
    assert {r.what.split(":")[0] for r in result.rows} == {"not a report"}
    assert set(by_name(result)) == {"picture.txt", "readme.md", ".hidden", ".git"}


def test_a_settlement_that_does_not_add_up_is_told(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(settlement(SUMMARY, settlement_line("7.99")))
    result = run(tmp_path, path)
    assert result.exit_code == 1
    assert result.rows[0].out_of_balance == (
        "settlement 700 does not add up: it states 8.00 USD, its lines give 7.99 USD",
    )
    text = " ".join(render(result).split())
    assert "1 settlements that do not add up" in text
    assert text.count("7.99") == 2  # the file's total and the sentence
    path.write_text(settlement(SUMMARY, settlement_line("8.00")))
    assert run(tmp_path, path).exit_code == 0


def test_folders_are_walked_sorted_with_archives_and_account_folders(tmp_path):
    account = tmp_path / "demo"
    (account / "reports" / "z").mkdir(parents=True)
    (account / "books" / "bank").mkdir(parents=True)
    (account / "account.yml").write_text(ACCOUNT)
    (account / "reports" / "z" / "b.txt.gz").write_bytes(gzip.compress(report().encode()))
    with zipfile.ZipFile(account / "reports" / "a.zip", "w") as out:
        out.writestr("in/one.txt", report())
        out.writestr("__MACOSX/._one.txt", "x")
    (account / "books" / "bank.csv").write_text(BANK + "2026-01-05,10.00,EUR,AMAZON,R1\n")
    (account / "books" / "bank" / "mapping.yml").write_text(MAPPING)
    (account / "books" / "bank" / "2026.csv").write_text(
        "Tag;Von;Zweck;Betrag\n05.01.2026;AMAZON;Auszahlung;1.234,50\n06.01.2026;x;y;2,555\n"
    )
    result = run(tmp_path, account)
    names = [Path(r.file).relative_to(account).as_posix() for r in result.rows]
    assert names == [
        "account.yml",
        "books/bank.csv",
        "books/bank/2026.csv",
        "books/bank/mapping.yml",
        "reports/a.zip!__MACOSX/._one.txt",
        "reports/a.zip!in/one.txt",
        "reports/z/b.txt.gz!b.txt",
    ]
    whats = [r.what for r in result.rows]
    assert whats[0] == "account settings"
    assert whats[3] == "bank mapping"
    mapped = result.rows[2]
    assert (mapped.rows_used, mapped.rows_rejected, mapped.totals) == (1, 1, (("EUR", Decimal("1234.50")),))
    assert result.exit_code == 1


def test_the_account_reads_every_bank_format_below_books(tmp_path):
    from recon_lib.books import open_account

    folder = tmp_path / "demo"
    (folder / "books" / "bank").mkdir(parents=True)
    (folder / "reports").mkdir()
    (folder / "account.yml").write_text(ACCOUNT)
    (folder / "books" / "bank" / "mapping.yml").write_text(MAPPING)
    (folder / "books" / "bank" / "2026.csv").write_text("Tag;Von;Zweck;Betrag\n05.01.2026;AMAZON;Auszahlung;1,50\n")
    (folder / "books" / "bank" / "january.sta").write_text(
        ":20:A\n:25:1\n:60F:C260101EUR0,\n:61:260106C2,50NTRFX//B-1\n:86:AMAZON\n:62F:C260106EUR2,50\n-\n"
    )
    books = open_account(folder, "2026-01-31", store=tmp_path / "store")
    lines = books.frames["bank"].sort("booked_on").collect()
    assert lines.select("file", "line", "amount", "currency", "description", "reference").rows() == [
        ("books/bank/2026.csv", 2, Decimal("1.50"), "EUR", "AMAZON Auszahlung", None),
        ("books/bank/january.sta", 4, Decimal("2.50"), "EUR", "AMAZON", "B-1"),
    ]


def test_another_mapping_reads_the_same_bytes_again(tmp_path):
    folder = tmp_path / "bank"
    folder.mkdir()
    (folder / "a.csv").write_text("Tag;Von;Zweck;Betrag\n05.01.2026;AMAZON;Auszahlung;1,50\n")
    (folder / "mapping.yml").write_text(MAPPING)
    assert by_name(run(tmp_path, folder))["a.csv"].totals == (("EUR", Decimal("1.50")),)
    (folder / "mapping.yml").write_text(MAPPING.replace("EUR", "SEK"))
    assert by_name(run(tmp_path, folder))["a.csv"].totals == (("SEK", Decimal("1.50")),)


def test_a_bank_csv_whose_columns_sound_like_a_report_is_read_by_its_mapping(tmp_path):
    folder = tmp_path / "bank"
    folder.mkdir()
    (folder / "mapping.yml").write_text(
        'date: Posting Date\ndate_format: "%m/%d/%Y"\namount: Amount\ncurrency: USD\ndescription: Description\n'
    )
    (folder / "a.csv").write_text(
        "Details,Posting Date,Description,Amount,Type,Balance,Quantity\n"
        'CREDIT,01/05/2026,"AMAZON, SETTLEMENT",1234.56,ACH,1.00,\nDEBIT,01/06/2026,FEE,-5.00,ACH,1.00,\n'
    )
    (folder / "other.csv").write_text("Fecha,FNSKU,ASIN,MSKU,Evento\n2026-08-18,X,B,S,T\n")
    result = run(tmp_path, folder)
    row = by_name(result)["a.csv"]
    assert (row.rows_used, row.rows_rejected, row.totals) == (2, 0, (("USD", Decimal("1229.56")),))
    (refusal,) = result.refusals
    assert "columns are not known" in refusal.met


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (MAPPING + "colour: red\n", "colour"),
        (MAPPING + "date: Tag\n", "twice"),
        ("- a\n", "key"),
        ("date: [", "cannot be read"),
        ("a: &x 1\nb: *x\n", "alias"),
        ("\xff", "cannot be read"),
    ],
)
def test_a_wrong_mapping_is_told_with_the_file_that_needs_it(tmp_path, content, said):
    folder = tmp_path / "bank"
    folder.mkdir()
    (folder / "a.csv").write_text("Tag;Von;Zweck;Betrag\n05.01.2026;AMAZON;Auszahlung;1,50\n")
    (folder / "mapping.yml").write_bytes(content.encode("latin-1"))
    refusal = next(r for r in run(tmp_path, folder).refusals if r.file.endswith("a.csv"))
    assert said in refusal.met
    assert "mapping.yml" in refusal.met


def test_wrong_account_settings_are_refused(tmp_path):
    (tmp_path / "account.yml").write_text(ACCOUNT + "colour: red\n")
    result = run(tmp_path, tmp_path)
    assert result.exit_code == 2
    assert "colour" in render(result)


def test_settings_named_alone_or_with_another_ending_are_no_report_of_amazon(tmp_path):
    for name in ("right", "misnamed", "both"):
        (tmp_path / name).mkdir()
    alone = tmp_path / "right" / "account.yml"
    alone.write_text(ACCOUNT)
    assert [row.what for row in run(tmp_path, alone).rows] == ["account settings"]
    misnamed = tmp_path / "misnamed" / "account.yaml"
    misnamed.write_text(ACCOUNT)
    for path in (misnamed, misnamed.parent):
        (refusal,) = run(tmp_path, path).refusals
        assert refusal.do == "rename account.yaml to account.yml"
    for name in ("account.yml", "account.yaml"):
        (tmp_path / "both" / name).write_text(ACCOUNT)
    both = run(tmp_path, tmp_path / "both")
    assert [row.what for row in both.rows] == [
        "not a report: account.yml beside it holds the settings",
        "account settings",
    ]
    assert both.exit_code == 0


def test_links_are_never_followed_out(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "in"
    outside.mkdir()
    folder.mkdir()
    (outside / "secret.txt").write_text(report())
    (folder / "real.txt").write_text(report())
    (folder / "file-out.txt").symlink_to(outside / "secret.txt")
    (folder / "folder-out").symlink_to(outside)
    (folder / "within.txt").symlink_to(folder / "real.txt")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "around").symlink_to(folder)
    (folder / "nowhere").symlink_to(folder / "absent")
    result = run(tmp_path, folder)
    found = by_name(result)
    assert {name for name, r in found.items() if r.is_report} == {"real.txt", "within.txt"}
    assert all("link" in found[name].what for name in ("file-out.txt", "folder-out", "loop", "around", "nowhere"))
    assert "secret" not in render(result)


def test_what_cannot_be_opened_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    result = run(tmp_path, tmp_path / "pipe.txt", tmp_path / "absent.txt")
    assert result.exit_code == 2
    assert [r.met for r in result.refusals] == [
        "is a pipe, socket or device",
        "cannot be opened: No such file or directory",
    ]
    assert result.refusals[1].do == "look at its name: nothing is there"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_unreadable_files_and_folders_are_refused(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.txt").write_text(report())
    (tmp_path / "in" / "a.txt").chmod(0)
    (tmp_path / "in" / "deep").chmod(0)
    try:
        assert len(run(tmp_path, tmp_path / "in").refusals) == 2
    finally:
        (tmp_path / "in" / "deep").chmod(0o700)


def test_a_folder_that_cannot_be_opened_is_refused(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()

    def refuse(top, onerror=None):
        onerror(PermissionError(13, "Permission denied", str(top)))
        return iter(())

    monkeypatch.setattr("recon_lib.check.os.walk", refuse)
    result = run(tmp_path, tmp_path / "in")
    assert result.exit_code == 2
    assert "Permission denied" in result.refusals[0].met


def test_the_page_is_narrow_and_no_control_character_reaches_the_terminal(tmp_path):
    folder = tmp_path / ("long-" * 20)
    folder.mkdir()
    (folder / "a\x1b[31m\u202e.txt").write_text(report(row(amount_total="\x1b[2Jevil\u202e" + "y" * 300)))
    (folder / "b.txt").write_text("\n".join([HEADER.replace("amount-total", "amount\x1b]0;x\x07"), FIRST]))
    text = render(run(tmp_path, folder))
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert all(c.isprintable() or c == "\n" for c in text)


def test_the_same_folder_gives_the_same_page(tmp_path):
    for name in ("b.txt", "a.txt", "c.txt"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text(report())
    assert render(run(tmp_path, tmp_path / "in")) == render(run(tmp_path, tmp_path / "in"))


def two_settlements(folder: Path, one: str, other: str) -> None:
    (folder / "reports").mkdir(parents=True)
    (folder / "account.yml").write_text(ACCOUNT)
    (folder / "reports" / "a.txt").write_text(one)
    (folder / "reports" / "b.txt").write_text(other)


def test_two_contents_under_one_settlement_id_are_both_refused_by_name(tmp_path: Path) -> None:
    one = settlement(SUMMARY, settlement_line("8.00"))
    two_settlements(tmp_path / "acct", one, settlement(SUMMARY, settlement_line("8.00", "Shipping")))
    result = run(tmp_path, tmp_path / "acct")
    assert result.exit_code == 2
    assert {name: row.what for name, row in by_name(result).items()} == {
        "account.yml": "account settings", "a.txt": "REFUSED, see below", "b.txt": "REFUSED, see below",
    }  # fmt: skip
    assert [Path(refusal.file).name for refusal in result.refusals] == ["a.txt", "b.txt"]
    for refusal, other in zip(result.refusals, ("b.txt", "a.txt"), strict=True):
        assert f"settlement 700 stands also in {tmp_path.as_posix()}/acct/reports/{other}" in refusal.met
        assert "neither contains the rows of the other" in refusal.met
    text = " ".join(render(result).split())
    assert text.endswith("0 reports with 0 rows used and 0 rejected, 0 not a report, 2 refused")
    # named one by one they are files of the same account, below its folder too
    assert run(tmp_path, *sorted((tmp_path / "acct" / "reports").iterdir())).exit_code == 2


def test_copies_of_one_settlement_and_the_same_id_of_another_account_are_no_contradiction(tmp_path: Path) -> None:
    one = settlement(SUMMARY, settlement_line("8.00"))
    part = settlement(SUMMARY.replace("8.00", ""), settlement_line("8.00"))  # contained, and states no total
    two_settlements(tmp_path / "all" / "one", one, part)
    two_settlements(tmp_path / "all" / "two", one.replace("Principal", "Tax"), one.replace("Principal", "Tax") + "\n")
    result = run(tmp_path, tmp_path / "all")
    assert (result.exit_code, result.refusals) == (0, [])
