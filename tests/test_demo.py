"""The demo account: made again byte for byte, small, readable as a whole, and found out completely."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import recon_lib
from recon_lib.books import Books
from tests.world import demo
from tests.world.score import known_audits, score
from tests.world.state import World


@pytest.fixture(scope="module")
def world() -> World:
    return demo.world()


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    return recon_lib.open_account(demo.HOME, demo.AS_OF, store=tmp_path_factory.mktemp("store"))


def test_the_committed_folder_is_what_the_script_makes(world: World) -> None:
    made = demo.account(world)
    committed = {p.relative_to(demo.HOME).as_posix(): p.read_bytes() for p in demo.HOME.rglob("*") if p.is_file()}
    assert sorted(committed) == sorted(made)
    assert [name for name in made if made[name] != committed[name]] == []
    assert sum(map(len, committed.values())) < 3_000_000


def test_every_row_of_the_demo_can_be_used(books: Books) -> None:
    assert books.rejects.height == 0
    assert books.files.filter(books.files["family"].is_null())["path"].to_list() == [
        "reports/screenshot of the case.png"
    ]


def test_the_packet_finds_all_that_was_planted_and_nothing_else(books: Books, world: World) -> None:
    result = score(recon_lib.reconcile(books).findings.to_dicts(), world.truth, known_audits())
    assert result.perfect, "\n" + result.table() + "\n" + result.explain()


def test_what_is_open_at_amazon_pay_is_what_never_met_a_line(books: Books, world: World) -> None:
    day = recon_lib.reconcile(books, audits=())
    found = sorted((r["kind"], r["seller_order_id"] or "", f"{r['amount']:.2f}") for r in day.open_items.to_dicts())
    assert found == sorted((r["kind"], r["shop"], f"{r['amount']:.2f}") for r in world.pay["open"])


def test_no_decoy_carries_the_ids_of_a_planted_finding(world: World) -> None:
    planted = {(t.audit, i) for t in world.truth for i in (t.order_id, t.reference_id, t.fnsku) if i}
    assert [d for d in world.decoys if (d.audit, d.ids) in planted] == []


def test_buyers_do_not_get_past_the_doorway(books: Books) -> None:
    secrets = Path(demo.HOME / "truth" / "buyer_secrets.txt").read_text().splitlines()
    assert len(secrets) > 15
    seen = "\n".join(frame.collect().write_csv() for frame in books.frames.values()).casefold()
    assert [s for s in secrets if s.casefold() in seen] == []


def test_the_truth_beside_the_demo_reads_as_a_table() -> None:
    with (demo.HOME / "truth" / "findings.csv").open() as file:
        rows = list(csv.DictReader(file))
    by_hand = next(r for r in rows if r["note"].startswith("partly found, partly paid"))
    assert by_hand["quantity"] == "1"  # 3 lost - 1 found - 1 paid
    assert len({r["audit"] for r in rows}) >= 24


def test_the_four_lines_that_tell_the_library_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECON_STORE", str(tmp_path / "store"))
    lines = [line.strip() for line in (recon_lib.__doc__ or "").splitlines() if line.startswith("    ")]
    assert len(lines) == 4
    lines[2] = f"chart = {lines[2]}"
    names = {"recon_lib": recon_lib, "account_folder": demo.HOME, "as_of": demo.AS_OF, "out": tmp_path / "out"}
    exec("\n".join(lines), names)
    months = recon_lib.trends.delays_by_month(names["day"].history)
    assert months.height >= 2
    assert names["chart"].to_dict() == recon_lib.charts.delays(months).to_dict()
    assert (tmp_path / "out" / "findings.csv").is_file()
