"""Overlapping downloads of reports whose rows change: the newest state stays, nothing counts twice."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from families_files import D, tabbed
from test_families_date_range import HIGH, HIGH_MONEY, order_line, quoted
from test_families_removals import FULL, ROW

from recon_lib.books import open_account


def frame(folder: Path, family: str, as_of: str, **files: str) -> pl.DataFrame:
    (folder / "reports").mkdir(exist_ok=True)
    (folder / "account.yml").write_text("account: demo\nmarketplace: UK\n")
    for name, text in files.items():
        (folder / "reports" / f"{name}.txt").write_text(text)
    return open_account(folder, as_of, store=folder / "store").frames[family].collect()


def test_a_deferred_transaction_gives_way_to_its_released_self_and_twins_stay_two(tmp_path: Path) -> None:
    header = HIGH["uk"].split("|")
    said = ["All amounts in GBP, unless specified"]
    base = order_line(header, HIGH_MONEY, "13 Sep 2026 00:12:34 UTC", "Order")[:-2]
    deferred, released = [*base, "Deferred", ""], [*base, "Released", "20 Sep 2026 10:00:00 UTC"]
    later = order_line(header, HIGH_MONEY, "14 Sep 2026 09:00:00 UTC", "Order")
    got = frame(
        tmp_path,
        "date_range",
        "2026-09-30",
        first=quoted(said, header, deferred, deferred),
        second=quoted(said, header, released, deferred, later),
    )
    assert got.height == 3
    assert sorted(got["status"].to_list()) == ["Deferred", "Released", "Released"]
    assert got["total"].sum() == D("3162.75")


def test_a_removal_order_keeps_its_newest_state(tmp_path: Path) -> None:
    old = (
        ROW.replace("Completed", "Pending").replace("| 0 | 4 | 0", "| 0 | 0 | 4").replace("01-09T18:00", "01-06T18:00")
    )
    got = frame(tmp_path, "removal_orders", "2026-02-01", a=tabbed(FULL, ROW), b=tabbed(FULL, old))
    assert got.select("order_status", "shipped_quantity", "in_process_quantity").rows() == [("Completed", 4, 0)]
    early = frame(tmp_path, "removal_orders", "2026-01-07")
    assert early.select("order_status", "shipped_quantity", "in_process_quantity").rows() == [("Pending", 0, 4)]
