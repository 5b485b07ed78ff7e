"""The packet in a real browser: no request, no error, charts drawn, usable by everybody, hostile text stays text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recon_lib.bridge import Earlier
from tests.pages import render
from tests.standin import ROWS, finding, findings, hostile, make_day, many

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists() and os.environ.get("CI") != "true", reason="/usr/bin/chromium is not installed"
)
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as run:
        started = run.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


def before(rows: list[dict[str, Any]]) -> Earlier:
    """The packet of the day before, with these findings."""
    return Earlier("2026-01-30", findings(rows), make_day().history)


class Opened:
    """A page and everything it said or asked for."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.said: list[str] = []
        self.context = browser.new_context(offline=True, **options)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda problem: self.said.append(str(problem)))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.goto(path.as_uri())
        if options.get("java_script_enabled", True):
            self.page.wait_for_selector("html[data-charts=drawn]", timeout=30_000)

    def _asked(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.said.append(f"asked for {url}")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "packet.html").write_bytes(render(make_day(last=before([*ROWS[2:], finding(n=77)]))))
    return folder


@pytest.fixture(scope="module")
def opened(browser: Any, written: Path) -> Iterator[Opened]:
    page = Opened(browser, written / "packet.html", viewport={"width": 1280, "height": 900})
    yield page
    assert page.said == []


def test_charts_are_drawn_and_cannot_be_uploaded(opened: Opened) -> None:
    assert opened.page.locator(".fig.js-plotly-plot").count() == 2
    assert opened.page.locator(".fig .bars path").count() >= 9
    buttons = opened.page.locator(".modebar-btn").evaluate_all("all => all.map(b => b.dataset.title || '')")
    assert buttons
    assert not any("share" in name.lower() or "cloud" in name.lower() or "edit" in name.lower() for name in buttons)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Opened, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened.page.emulate_media(color_scheme=scheme)
    opened.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    opened.page.wait_for_timeout(200)
    result = Axe().run(opened.page)
    assert result.violations_count == 0, result.generate_report()
    opened.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")


def test_tables_sort_by_value_with_unknown_last(opened: Opened) -> None:
    table = opened.page.locator("#deadlines")
    table.get_by_role("button", name="Owed").click()
    cells = table.locator("tbody td.money")
    assert cells.all_text_contents() == ["14.40 USD", "20.00 CAD", "100.00 USD", ""]
    assert table.locator("th[aria-sort=ascending]").inner_text().startswith("Owed")
    table.get_by_role("button", name="Owed").click()
    assert cells.all_text_contents() == ["100.00 USD", "20.00 CAD", "14.40 USD", ""]


def test_findings_are_found_by_any_word_and_open_by_themselves(opened: Opened) -> None:
    field = opened.page.get_by_label("Find in all findings")
    field.fill("222-2 referral")
    assert opened.page.locator("details.audit:visible").count() == 1
    assert opened.page.locator("#findings tbody tr:visible").count() == 1
    assert opened.page.get_by_text("1 of 9 findings").is_visible()
    opened.page.locator("#findings tbody tr:visible td.evidence summary").click()
    assert "3 lost − 1 found = 2 units" in opened.page.locator("#findings tr:visible details[open]").inner_text()
    field.fill("")
    assert opened.page.locator("details.audit:visible").count() == 7


def test_no_open_column_is_hidden_at_the_side_of_a_desk_screen(opened: Opened) -> None:
    """`Overdue` is the last column of the open items: it must not wait behind a scroll bar."""
    cut = "all => all.filter(t => t.scrollWidth > t.parentElement.clientWidth + 1).map(t => t.id)"
    assert opened.page.locator("#open-items").count() == 1
    assert opened.page.locator(".scroll > table:visible").evaluate_all(cut) == []


def test_the_page_fits_a_phone_and_paper(opened: Opened, tmp_path: Path) -> None:
    opened.page.set_viewport_size({"width": 390, "height": 844})
    opened.page.wait_for_timeout(500)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = "e => e.parentElement.parentElement.scrollWidth > innerWidth && e.getBoundingClientRect().right > innerWidth"
    cut = opened.page.locator(".scroll caption:visible").evaluate_all(
        f"all => all.filter({wide}).map(e => e.textContent)"
    )
    assert cut == []  # a table may be pushed aside, what it is called is read at once
    asked = opened.page.locator(".fig .gtitle")
    assert asked.count() == 2
    ends = asked.evaluate_all("all => all.map(t => t.getBoundingClientRect().right)")
    assert max(ends) <= 390  # nor is the question of a chart cut
    names = opened.page.locator(".fig .xtick text").evaluate_all(
        "all => all.map(t => t.getBoundingClientRect().height)"
    )
    assert max(names) < 30  # the names of weeks lie flat: upright they covered the legend
    opened.page.set_viewport_size({"width": 1280, "height": 900})
    made = opened.page.pdf(prefer_css_page_size=True)
    assert made.startswith(b"%PDF")
    opened.page.emulate_media(media="print")
    assert opened.page.locator("nav").is_hidden()
    assert opened.page.locator(".tools").first.is_hidden()
    opened.page.emulate_media(media="screen")


def test_without_a_script_the_tables_are_there(browser: Any, written: Path) -> None:
    plain = Opened(browser, written / "packet.html", java_script_enabled=False)
    assert plain.page.locator("#answer tbody tr").count() == 8
    assert plain.page.locator("#settlements tbody tr").count() == 2
    assert plain.page.get_by_text("The chart needs a script; its numbers are in the table below.").count() == 2
    plain.context.close()


def test_hostile_text_stays_text(browser: Any, written: Path) -> None:
    path = written / "hostile.html"
    path.write_bytes(render(make_day(hostile(), last=before(hostile()[3:] + ROWS))))
    opened = Opened(browser, path)
    page = opened.page
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("window.bad") is None
    assert page.locator("main img, main td svg, main td b, main td a, main td script").count() == 0
    assert page.get_by_text("<script>window.bad=1</script>", exact=False).count() > 5
    legend = " ".join(page.locator("#fig-1 .legendtext").all_text_contents())
    assert "<b>fat</b>" in legend
    assert '<a href="javascript:window.bad=1">x</a>' in legend
    assert page.locator("#fig-1 a").count() == 0
    page.locator("#fig-1 .bars path").first.hover(force=True)
    page.wait_for_timeout(300)
    assert page.evaluate("window.bad") is None
    assert opened.said == []
    opened.context.close()


def test_ten_thousand_findings_open_in_one_small_page(browser: Any, written: Path) -> None:
    path = written / "many.html"
    path.write_bytes(render(make_day(many(10_000))))
    assert path.stat().st_size < 6_000_000
    opened = Opened(browser, path)
    assert opened.page.get_by_text("all of them are in findings.csv").count() >= 10
    assert opened.said == []
    opened.context.close()
