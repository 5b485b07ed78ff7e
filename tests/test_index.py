"""The index over all packets: one page, made from manifests, which says what was changed after it was published."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from recon_lib import index, manifest
from recon_lib.__main__ import main

FINDINGS = "finding_id,status,claim_by,owed,currency\n"


def publish(out: Path, account: str, folder: str, rows: str, owed: dict[str, str], **more: Any) -> Path:
    place = out / account / folder
    place.mkdir(parents=True)
    (place / "findings.csv").write_text(FINDINGS + rows)
    (place / "packet.html").write_text("<p>page")
    name = folder.split(".")[0]
    content = {
        "packet": {"account": account, "as_of": name if len(name) == 10 else f"{name}-31"},
        "answer": {"exit_code": 1, "owed": owed, "findings": {"claimable": rows.count("claimable")}, "open_items": 2,
                   "overdue_items": 1, "not_checked": 3, "rejected_rows": 0},
        "outputs": {file.name: manifest.sha256(file) for file in sorted(place.iterdir())}, **more,
    }  # fmt: skip
    manifest.write(place, content)
    return place


@pytest.fixture
def out(tmp_path: Path) -> Path:
    publish(tmp_path, "alpha", "2026-01-30", "a-1,claimable,2026-02-03,5.00,USD\n", {"USD": "5.00"})
    publish(tmp_path, "alpha", "2026-01-28", "", {})
    rows = "a-1,claimable,2026-02-03,5.00,USD\na-2,claimable,2026-02-03,2.50,USD\na-3,claimable,2026-02-03,,USD\na-4,claimable,2026-04-01,9.00,USD\n"
    publish(tmp_path, "alpha", "2026-01-31", rows, {"USD": "16.50"})
    publish(tmp_path, "alpha", "2026-01", rows, {"USD": "16.50"})
    publish(tmp_path, "beta", "2026-01-31", "b-1,claimable,2026-02-10,1000,JPY\n", {"JPY": "1000"})
    (tmp_path / "alpha" / "notes").mkdir()
    (tmp_path / "alpha" / ".building-x").mkdir()
    return tmp_path


def test_the_index_answers_over_all_accounts(out: Path) -> None:
    found = index.refresh(out)
    assert found.problems == []
    assert [(p["account"], p["folder"]) for p in found.packets] == [
        ("alpha", "2026-01"), ("alpha", "2026-01-28"), ("alpha", "2026-01-30"), ("alpha", "2026-01-31"), ("beta", "2026-01-31")
    ]  # fmt: skip
    assert found.packets[3]["deadlines"] == [["2026-02-03", "USD", 3, "7.50", 1], ["2026-04-01", "USD", 1, "9.00", 0]]
    page = found.path.read_text()
    assert (
        "<b>1,000 JPY + 16.50 USD</b> can be claimed now in 2 of 2 accounts; 2 items of Amazon Pay overdue; every published file"
        in page
    )
    assert "7.50 USD + 1 unknown" in page
    assert "2026-04-01" not in page  # further away than 30 days
    assert 'href="alpha/2026-01/packet.html"' in page
    assert "<td>1, the last 2026-01-29</td>" in page
    assert found.line().endswith("index.html: 5 packets of 2 accounts, all verify")


def test_what_has_no_known_value_is_claimable_too_and_no_finding_is_no_all_well(tmp_path: Path) -> None:
    told = {"exit_code": 1, "open_items": 0, "overdue_items": 0, "not_checked": 9, "rejected_rows": 0}
    known = told | {"owed": {"USD": "5.00"}, "unvalued": 2, "findings": {"claimable": 3}}
    unknown = told | {"owed": {}, "unvalued": 4, "findings": {"claimable": 4}}
    nothing = told | {"owed": {}, "unvalued": 0, "findings": {}}
    over = told | {"owed": {}, "unvalued": 0, "findings": {"expired": 1, "review": 2}}
    for account, answer in (("alpha", known), ("beta", unknown), ("new", nothing), ("old", over)):
        publish(tmp_path, account, "2026-01-31", "", {}, answer=answer)
    page = index.refresh(tmp_path).path.read_text()
    assert "<b>5.00 USD + 6 unknown</b> can be claimed now in 2 of 4 accounts; 0 items" in page
    assert ">5.00 USD + 2 unknown</td>" in page
    assert ">4 unknown</td>" in page
    assert "nothing wrong" not in page
    assert "<td>no findings</td>" in page
    assert '<span class="status review">2 review</span> <span class="status expired">1 expired</span>' in page


def test_nothing_is_written_where_nothing_changed_and_files_are_hashed_once(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    index.refresh(out)
    before = {path: path.stat().st_mtime_ns for path in (out / "index.html", out / ".index.json")}
    hashed: list[str] = []
    real = manifest.sha256
    monkeypatch.setattr(manifest, "sha256", lambda path: hashed.append(path.parent.name) or real(path))
    index.refresh(out)
    assert hashed == []
    assert {path: path.stat().st_mtime_ns for path in before} == before
    publish(out, "beta", "2026-02-01", "", {})
    hashed.clear()
    assert len(index.refresh(out).packets) == 6
    assert set(hashed) == {"2026-02-01"}
    hashed.clear()
    assert len(index.refresh(out, everything=True).packets) == 6
    assert len(set(hashed)) == 5  # folder names


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda p: (p / "findings.csv").write_text("x"), "alpha/2026-01-31: findings.csv was changed after it was published"),
        (lambda p: (p / "packet.html").unlink(), "alpha/2026-01-31: packet.html is missing"),
        (lambda p: (p / "more.txt").write_text("x"), "alpha/2026-01-31: more.txt was added after it was published"),
        (lambda p: (p / "manifest.json").write_text("{"), "alpha/2026-01-31: cannot be read (RunError)"),
        (lambda p: (p / "manifest.json").write_text("{}"), "alpha/2026-01-31: cannot be read (KeyError)"),
    ],
)  # fmt: skip
def test_what_was_changed_after_publication_is_named(out: Path, act: Any, told: str, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    index.refresh(out)
    act(out / "alpha" / "2026-01-31")
    assert told in index.refresh(out).problems
    assert main(["index", "--out", str(out)]) == 1
    assert told in capsys.readouterr().err
    assert told.split(": ")[1] in (out / "index.html").read_text()


def test_a_revision_follows_the_manifest_it_revises(out: Path) -> None:
    first = out / "beta" / "2026-01-31"
    revises = {"folder": "2026-01-31", "manifest_sha256": manifest.sha256(first / "manifest.json"), "changes": {}}
    publish(out, "beta", "2026-01-31.r2", "", {}, revises=revises)
    found = index.refresh(out)
    assert found.problems == []
    page = found.path.read_text()
    assert "2026-01-31, revision 2" in page
    assert "</a> (revised since)" in page
    content = manifest.read(first)
    manifest.write(first, content | {"revision": 7})
    assert index.refresh(out).problems == [
        "beta/2026-01-31.r2: the manifest of 2026-01-31, which it revises, was changed"
    ]
    for file in first.iterdir():
        file.unlink()
    assert index.refresh(out).problems == ["beta/2026-01-31.r2: 2026-01-31, which it revises, is missing"]


def test_a_broken_cache_is_made_anew(out: Path) -> None:
    index.refresh(out)
    page = (out / "index.html").read_bytes()
    for broken in (b"", b"[]", b'{"form": 0, "packets": []}'):
        (out / ".index.json").write_bytes(broken)
        index.refresh(out)
        assert (out / "index.html").read_bytes() == page
    assert json.loads((out / ".index.json").read_bytes())["form"] == index.FORM


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    assert main(["index", "--out", str(tmp_path / "none")]) == 2
    assert main(["index", "--out", str(tmp_path)]) == 0
    assert "No packet was published here yet." in (tmp_path / "index.html").read_text()


def test_names_that_are_markup_stay_text(tmp_path: Path) -> None:
    publish(tmp_path, "<b>fat&", "2026-01-31", "", {})
    page = index.refresh(tmp_path).path.read_text()
    assert "<b>fat" not in page
    assert 'href="%3Cb%3Efat%26/2026-01-31/packet.html"' in page


CHROMIUM = Path("/usr/bin/chromium")


@pytest.mark.skipif(
    not CHROMIUM.exists() and os.environ.get("CI") != "true", reason="/usr/bin/chromium is not installed"
)
def test_in_a_browser_it_is_usable_by_everybody_and_asks_for_nothing(out: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    (out / "alpha" / "2026-01-31" / "more.txt").write_text("x")
    index.refresh(out)
    said: list[str] = []
    with sync_playwright() as run:
        browser = run.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(offline=True).new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on(
            "request",
            lambda request: said.append(request.url) if not request.url.startswith(("file:", "data:")) else None,
        )
        page.goto((out / "index.html").as_uri())
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            result = Axe().run(page)
            assert result.violations_count == 0, result.generate_report()
        page.locator("#packets-alpha").get_by_role("button", name="Claimable then").click()
        assert page.locator("#packets-alpha tbody td.money").all_text_contents()[0] == "5.00 USD"
        page.locator("#account-list a").first.click()
        assert page.url.endswith("/alpha/2026-01-31/packet.html")
        browser.close()
    assert said == []
