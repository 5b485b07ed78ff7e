"""The explore notebook in JupyterLab, with a real server, kernel and browser: every control does what it says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recon_lib.register import open_register
from tests.lab import HAS_LAB, run_all, server
from tests.test_browser import ARGUMENTS, CHROMIUM

pytestmark = [
    pytest.mark.skipif(not HAS_LAB, reason="jupyterlab is not installed: 'make test-lab' brings it"),
    pytest.mark.skipif(
        not CHROMIUM.exists() and os.environ.get("CI") != "true", reason="/usr/bin/chromium is not installed"
    ),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab") / "home"


@pytest.fixture(scope="module")
def page(home: Path) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with server(home) as address, sync_playwright() as run:
        browser = run.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1600, "height": 2400})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        run_all(page, address)
        yield page
        here = address.split("/lab")[0]
        assert [url for url in asked if not url.startswith((here, here.replace("http", "ws"), "data:", "blob:"))] == []
        browser.close()


def control(page: Any, label: str) -> Any:
    """The field of the explorer's control with this label."""
    row = page.locator(".jupyter-widgets.widget-inline-hbox").filter(has=page.get_by_text(label, exact=True))
    return row.locator("select, input, textarea").first


def tab(page: Any, name: str) -> None:
    page.locator(".jupyter-widget-tab > .lm-TabBar .lm-TabBar-tabLabel", has_text=name).click()


def caption(page: Any, id: str, text: str) -> None:
    page.locator(f"#{id} caption", has_text=text).first.wait_for(timeout=20_000)


def bars(page: Any) -> int:
    return int(page.locator(".jupyter-widgets .js-plotly-plot .bars path").count())


def test_filters_change_table_chart_and_findings_to_choose(page: Any) -> None:
    caption(page, "explore-findings", "64 of 64 findings")
    before = bars(page)
    control(page, "Audit").select_option("Lost in the warehouse and not made good (9)")
    caption(page, "explore-findings", "9 of 64 findings")
    page.wait_for_function(
        f"document.querySelectorAll('.jupyter-widgets .js-plotly-plot .bars path').length < {before}"
    )
    assert control(page, "Finding").locator("option").count() == 9
    control(page, "At least").fill("20.00")
    control(page, "At least").press("Tab")
    caption(page, "explore-findings", "2 of 64 findings")
    control(page, "At least").fill("")
    control(page, "At least").press("Tab")
    control(page, "SKU").fill("jun-tra")
    control(page, "SKU").press("Tab")
    caption(page, "explore-findings", "1 of 64 findings")
    control(page, "Status").select_option("expired (2)")
    page.locator("#explore-findings", has_text="No finding fits").wait_for(timeout=20_000)
    control(page, "Status").select_option("all statuses")
    caption(page, "explore-findings", "1 of 64 findings")


def test_evidence_shows_the_source_rows(page: Any) -> None:
    page.locator("#lines-ledger_detail tbody tr").nth(1).wait_for(timeout=20_000)
    assert page.locator("#lines-ledger_detail tbody tr").count() == 2


def test_the_life_of_the_unit_is_drawn_and_cannot_be_uploaded(page: Any) -> None:
    tab(page, "Life")
    page.locator(".jupyter-widget-tab .js-plotly-plot .scatterlayer .point").first.wait_for(timeout=20_000)
    caption(page, "explore-life", "19 rows by day")
    control(page, "Order or number").fill("114-6485509-1839251")
    control(page, "SKU or FNSKU").fill("")
    control(page, "SKU or FNSKU").press("Tab")
    caption(page, "explore-life", "17 rows by day")
    named = page.locator(".modebar-btn").evaluate_all("all => all.map(b => b.dataset.title || '')")
    assert named
    assert not any("share" in name.lower() or "cloud" in name.lower() for name in named)


def test_what_if_reconciles_the_same_books_again(page: Any) -> None:
    tab(page, "What if")
    control(page, "difference of Amazon Pay amounts ignored, USD").fill("6.00")
    control(page, "difference of Amazon Pay amounts ignored, USD").press("Tab")
    page.get_by_role("button", name="Reconcile again").click()
    caption(page, "explore-changes", "2 findings differ")
    control(page, "hours Amazon Pay has to settle").fill("soon")
    page.get_by_role("button", name="Reconcile again").click()
    page.get_by_text("overdue_hours: Input should be a valid integer").wait_for(timeout=20_000)


def test_a_decision_is_recorded_once_and_counts(page: Any, home: Path) -> None:
    tab(page, "Decide")
    control(page, "Decision").select_option("opened: a person filed a case with Amazon")
    for label, text in (
        ("Who", "Ana"),
        ("Case number", "1234567"),
        ("Why", "lost, two units"),
        ("On (empty: now)", "2026-01-30"),
    ):
        control(page, label).fill(text)
        control(page, label).press("Tab")
    page.locator("button.jupyter-button", has_text="Record").click()
    page.get_by_text("Recorded: event 1 (opened warehouse_lost-").wait_for(timeout=30_000)
    caption(page, "explore-findings", "1 of 64 findings")
    assert "claimed" in page.locator("#explore-findings tbody tr").first.inner_text()
    control(page, "Why").fill("again")
    control(page, "Why").press("Tab")
    page.locator("button.jupyter-button", has_text="Record").click()
    page.get_by_text("has a case already (1234567)").wait_for(timeout=20_000)
    (event,) = open_register(home / "data" / "sample", "America/Los_Angeles").events()
    assert (event.who, event.case_id, event.note) == ("Ana", "1234567", "lost, two units")
