"""Makes the pictures of the README: `python -m tests.screenshots` (needs Chromium and JupyterLab; `make pictures` brings both).

docs/pictures/packet.png, review.png and explore.png, all of the demo account.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from recon_lib.packet import make_month, make_packet
from tests.lab import ROOT, run_all, server
from tests.test_browser import ARGUMENTS, CHROMIUM

PICTURES = ROOT / "docs" / "pictures"
SAMPLE = ROOT / "data" / "sample"
LARGEST = 300_000  # bytes


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as run:
        home = Path(place)
        os.environ["RECON_STORE"] = str(home / "store")
        browser = run.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        packet = make_packet(SAMPLE, "2026-01-31", home / "packets").path
        review = make_month(SAMPLE, "2026-01", home / "packets").path
        for name, path, first in (("packet", packet, ""), ("review", review, "Months")):
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            page.goto((path / "packet.html").as_uri())
            page.wait_for_selector("html[data-charts=drawn]", timeout=60_000)
            if first:
                page.get_by_role("heading", name=first, exact=True).evaluate("heading => heading.scrollIntoView()")
            _take(page, name)
        with server(home / "lab") as address:
            page = browser.new_page(viewport={"width": 1400, "height": 1900})
            run_all(page, address)
            page.keyboard.press("Control+b")  # the file list away
            audit = page.locator(".widget-dropdown").filter(has=page.get_by_text("Audit", exact=True)).locator("select")
            audit.select_option("Lost in the warehouse and not made good (9)")
            page.locator("#explore-findings caption", has_text="9 of 64").wait_for()
            page.locator(".jupyter-widget-tab > .lm-TabBar .lm-TabBar-tabLabel", has_text="Life").click()
            page.locator(".jupyter-widget-tab .js-plotly-plot .point").first.wait_for()
            page.locator(".jp-OutputArea-output .jupyter-widgets").first.evaluate("shown => shown.scrollIntoView()")
            _take(page, "explore")
        browser.close()


def _take(page: Any, name: str) -> None:
    page.wait_for_timeout(1_500)  # charts fade in
    taken = PICTURES / f"{name}.png"
    page.screenshot(path=str(taken))
    page.close()
    size = taken.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{taken} has {size:,} bytes, more than {LARGEST:,}")
    print(f"{taken.relative_to(ROOT)}: {size:,} bytes")


if __name__ == "__main__":
    main()
