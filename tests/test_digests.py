"""Very large reports are looked at through what was made of them once: that must tell the same as the rows themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from random import Random

import polars as pl
import pytest
from bookmaker import books, line
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from recon_lib import digests, family_rows, item_runs, open_account, reconcile
from recon_lib.audits.fee_items import places, proofs
from recon_lib.audits.settled_facts import settlement_sums
from recon_lib.overlaps import Source
from recon_lib.reports.base import keep_few
from recon_lib.sold import items, settled_lines

DEMO = Path(__file__).parents[1] / "data" / "sample"
KEY = ["order_id", "order_item_code", "shipment_id", "sku", "currency"]


def of(
    item: str,
    what: str,
    amount: str,
    *,
    group: str = "ItemPrice",
    kind: str = "Order",
    units: int | None = 1,
    on="2026-01-05",
):
    more = {"order_id": f"O{item}", "order_item_code": item, "shipment_id": "H1", "sku": f"S{item}", "quantity": units}
    return line("1", on, what, amount, kind=kind, group=group, **more)


SOLD = [
    of("1", "Principal", "30.00", units=2),
    of("1", "Tax", "2.40", units=2),
    of("1", "Shipping", "4.00", units=2),
    of("1", "Principal", "-1.50", group="Promotion", units=2),
    of("1", "Commission", "-4.88", group="ItemFees", units=2),
    of("1", "FBAPerUnitFulfillmentFee", "-9.10", group="ItemFees", units=2),
    of("2", "Principal", "12.00"),
    of("2", "Commission", "-1.80", group="ItemFees"),
    of("2", "Principal", "-12.00", kind="Refund", units=None),
    of("2", "RefundCommission", "-0.36", group="ItemFees", kind="Refund", units=None),
]


def test_lines_that_stand_together_are_one_run():
    made = settled_lines(books("2026-01-31", settlement_lines=SOLD))
    (first, second) = made.orders.sort("sku").to_dicts()
    assert [first[c] for c in ("principal", "base", "commission", "fulfilment")] == [300000, 325000, 48800, 91000]
    assert [first[c] for c in ("price", "fees", "units", "priced", "line")] == [300000, -139800, 2, 2, 2]
    assert [second[c] for c in ("principal", "base", "commission", "fulfilment")] == [120000, 120000, 18000, 0]
    (refund,) = made.refunds.to_dicts()
    assert [refund[c] for c in ("base", "kept")] == [-120000, -3600]


def test_an_item_is_the_same_however_its_lines_are_strewn():
    strewn = [SOLD[n] for n in (6, 0, 8, 4, 2, 9, 1, 7, 3, 5)]
    one, two = (items(books("2026-01-31", settlement_lines=rows)).sort("sku") for rows in (SOLD, strewn))
    assert_frame_equal(one, two)
    assert one["base"].to_list() == [325000, 120000]
    assert one["fulfilment"].to_list() == [91000, 0]
    assert one["commission"].to_list() == [48800, 18000]


def test_the_sum_of_a_settlement_holds_every_line():
    (row,) = settlement_sums(books("2026-01-31", settlement_lines=SOLD)).to_dicts()
    # 30 + 2.40 + 4 - 1.50 - 4.88 - 9.10 = 20.92; 12 - 1.80 - 12 - 0.36 = -2.16
    assert (row["lines"], row["amount"]) == (10, Decimal("18.76"))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["Principal", "Tax", "Commission", "GiftWrap", "Odd"]),
                          st.integers(-999, 999), st.sampled_from([None, 1, 2])), max_size=30), st.integers(0, 9))  # fmt: skip
def test_items_add_up_as_by_hand(told, seed):
    groups = {
        "Principal": "ItemPrice",
        "Tax": "ItemPrice",
        "GiftWrap": "ItemPrice",
        "Commission": "ItemFees",
        "Odd": "ItemFees",
    }
    rows = [of(i, what, f"{cents / 100:.2f}", group=groups[what], units=units) for i, what, cents, units in told]
    Random(seed).shuffle(rows)
    wanted = {}
    for item, what, cents, units in told:
        if what in ("Tax", "Odd"):
            continue
        sums = wanted.setdefault(item, {"principal": None, "base": 0, "commission": 0, "units": None})
        if what == "Principal":
            sums["principal"] = (sums["principal"] or 0) + cents * 100
        if what in ("Principal", "GiftWrap"):
            sums["base"] += cents * 100
        if what == "Commission":
            sums["commission"] -= cents * 100
        sums["units"] = max(sums["units"] or 0, units or 0) or None
    found = items(books("2026-01-31", settlement_lines=rows))
    got = {
        row["sku"][1:]: {c: row[c] for c in ("principal", "base", "commission", "units")} for row in found.to_dicts()
    }
    assert got == wanted


_CODES = {("ItemPrice", "Principal"): 1, ("ItemFees", "Commission"): 3, ("ItemFees", "FBAPerUnitFulfillmentFee"): 4,
          ("ItemFees", "RefundCommission"): 5, ("ItemPrice", "Tax"): 0}  # fmt: skip


@pytest.mark.parametrize(("kind", "codes"), [("order", [3, 4]), ("refund", [1, 3, 4, 5])])
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(sorted(_CODES)), st.sampled_from(["Order", "Refund"])),
                max_size=16))  # fmt: skip
def test_every_line_of_a_fee_is_shown_also_where_one_stands_twice(kind, codes, told):
    rows = [of(item, what, "1.00", group=group, kind=told_kind) for item, (group, what), told_kind in told]
    made = books("2026-01-31", settlement_lines=rows)
    asked = pl.DataFrame({"charge": [7], "order_id": ["OA"], "sku": ["SA"]})
    found = places(proofs(made, kind, asked, codes), asked, ["order_id", "sku"], codes)
    file = made.frames["settlement_lines"].collect()["file"]
    wanted = sorted(
        f"{file[0]}:{at}" for at, (item, name, of_kind) in enumerate(told, 2)
        if item == "A" and of_kind.lower() == kind and _CODES[name] in codes
    )  # fmt: skip
    assert found["lines"].to_list() == ([wanted] if wanted else [])


def test_amounts_that_no_whole_number_holds_are_an_error():
    rows = [of("1", "Principal", "900000000000000.00"), of("2", "Principal", "900000000000000.00")]
    with pytest.raises(item_runs.RunError):
        items(books("2026-01-31", settlement_lines=rows))


@pytest.mark.parametrize("day", ["2026-01-31", "2025-12-15"])
def test_a_large_account_is_audited_as_a_small_one(day, tmp_path, monkeypatch):
    small = open_account(DEMO, day, store=tmp_path)
    assert not small.digests
    monkeypatch.setattr(family_rows, "HELD", 0)
    monkeypatch.setattr(item_runs, "_BATCH", 7)
    large = open_account(DEMO, day, store=tmp_path)
    names = ("orders", "refunds", "back", "days", "few")
    assert set(large.digests) == {"ledger_detail", *(f"settlement_{name}" for name in names)}
    wanted, got = reconcile(small), reconcile(large)
    for name in ("findings", "history", "not_checked", "settlements"):
        assert_frame_equal(getattr(got, name), getattr(wanted, name))
    assert wanted.findings.height > 10


def test_a_file_is_digested_once(tmp_path, monkeypatch):
    monkeypatch.setattr(family_rows, "HELD", 0)
    open_account(DEMO, "2026-01-31", store=tmp_path)

    def never(*_: object) -> dict[str, pl.DataFrame]:
        raise AssertionError("digested again")

    monkeypatch.setattr(digests, "MADE", dict.fromkeys(digests.MADE, never))
    again = open_account(DEMO, "2026-01-30", store=tmp_path)
    assert (
        again.digests["settlement_orders"].select(pl.col("posted_on").max()).collect().item().isoformat()
        <= "2026-01-30"
    )
    assert not list(tmp_path.rglob("*.tmp"))


def test_arrow_streams_are_read_when_their_rows_are_asked_for(tmp_path, monkeypatch):
    rows = pl.DataFrame({"sku": ["A", "B", "C", "B"], "line": [2, 3, 4, 5]})
    found = [
        Source(name, None, keep_few(rows.with_columns(pl.col("line") + at), tmp_path / f"{name}.parquet"))
        for at, name in enumerate(("f", "g"))
    ]
    read, asked = pl.read_ipc_stream, []

    def told(path: Path, **how: object) -> pl.DataFrame:
        asked.append(how["columns"])
        return read(path, **how)

    monkeypatch.setattr(pl, "read_ipc_stream", told)
    whole = pl.concat([rows.with_columns(pl.col("line") + at, file=pl.lit(name)) for at, name in enumerate(("f", "g"))])
    lazy = family_rows._when_asked(found, whole.schema)
    assert asked == []
    made = lazy.filter(pl.col("sku") == "B").select("file", "line")
    assert made.collect().rows() == [("f", 3), ("f", 5), ("g", 4), ("g", 6)]
    assert all("file" not in columns for columns in asked)
    assert_frame_equal(made.collect(engine="in-memory"), made.collect(engine="streaming"))
    assert_frame_equal(lazy.collect(), whole)
    assert lazy.select("file").collect()["file"].to_list() == [*"ffff", *"gggg"]
    assert lazy.select(pl.len()).collect().item() == 8
    for count in (1, 4, 5, 8, 9):
        assert_frame_equal(lazy.head(count).select("line", "sku").collect(), whole.head(count).select("line", "sku"))
    assert lazy.filter(pl.col("sku") == "B").head(3).collect()["line"].to_list() == [3, 5, 4]
    assert lazy.head(6).filter(pl.col("sku") == "B").collect()["line"].to_list() == [3, 5, 4]


def test_who_stops_reading_arrow_streams_leaves_no_threads_behind(tmp_path, monkeypatch):
    """Polars let go of the rest in one of these threads, which cannot wait for itself: a traceback stood on the screen."""
    path = keep_few(pl.DataFrame({"line": [1, 2]}), tmp_path / "few.parquet")
    found = [Source(name, None, path) for name in "abcdefghij"]
    monkeypatch.setattr(family_rows, "register_io_source", lambda read, schema: read)
    before = threading.active_count()
    rows = family_rows._when_asked(found, pl.Schema({"line": pl.Int64, "file": pl.String}))(None, None, None, None)
    assert next(rows)["file"].to_list() == ["a", "a"]
    assert threading.active_count() == before


def test_a_damaged_digest_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(family_rows, "HELD", 0)
    whole = open_account(DEMO, "2026-01-31", store=tmp_path).digests["settlement_orders"].collect()
    (damaged, *_) = sorted(tmp_path.rglob("settlement_orders.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-9])
    again = open_account(DEMO, "2026-01-31", store=tmp_path).digests["settlement_orders"].collect()
    assert_frame_equal(again, whole)


def test_another_polars_digests_anew(tmp_path, monkeypatch):
    """The numbers of orders are polars' own: those of another version would meet nothing."""
    monkeypatch.setattr(family_rows, "HELD", 0)
    open_account(DEMO, "2026-01-31", store=tmp_path)
    before = {folder.name for folder in (tmp_path / "digests").iterdir()}
    monkeypatch.setattr(pl, "__version__", "0.0.1")
    digests._version.cache_clear()
    try:
        open_account(DEMO, "2026-01-31", store=tmp_path)
    finally:
        digests._version.cache_clear()
    assert len({folder.name for folder in (tmp_path / "digests").iterdir()} - before) == 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), max_size=200))
def test_numbers_that_stand_there_twice(numbers):
    found = item_runs.repeated(pl.Series("number", numbers, dtype=pl.UInt64))
    assert found.to_list() == [numbers.count(n) > 1 for n in numbers]


def test_few_of_many_numbers_stand_there_twice():
    numbers = [*range(1000, 2000), 1500, 1999]
    found = item_runs.repeated(pl.Series("number", numbers, dtype=pl.UInt64))
    assert found.arg_true().to_list() == [500, 999, 1000, 1001]


@pytest.mark.parametrize(("given", "wanted"), [(None, "dirty_decay_ms"), ("narenas:1", "narenas:1")])
def test_memory_is_kept_for_a_while_unless_somebody_said_otherwise(given, wanted):
    env = {k: v for k, v in os.environ.items() if k != "_RJEM_MALLOC_CONF"}
    env |= {"_RJEM_MALLOC_CONF": given} if given else {}
    told = "import os, recon_lib; print(os.environ['_RJEM_MALLOC_CONF'])"
    out = subprocess.run([sys.executable, "-c", told], env=env, capture_output=True, text=True, check=True).stdout
    assert wanted in out
