"""What the page says of the changes since the last packet and of the bank; sums as in a day made by hand."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from bookmaker import D, books, day, settlement

from recon_lib import answer, bank_totals, changes, publish
from recon_lib.bridge import Earlier
from recon_lib.errors import RunError
from tests.standin import ROWS, finding, findings, hostile, make_day


def last(rows: list[dict[str, Any]], paid: pl.DataFrame | None = None) -> Earlier:
    return Earlier("2026-01-30", findings(rows), make_day().history if paid is None else paid)


def test_the_first_packet_says_that_there_is_nothing_to_compare_with() -> None:
    assert "no earlier packet" in changes.since_last(make_day())
    assert "no earlier packet" in answer.at_a_glance(make_day())


def test_the_answer_says_what_is_new_and_the_section_how_it_foots() -> None:
    """14.40 and 20.00 CAD are new; 100.00 was 60.00; the expired one was claimable; one of 7.00 is gone."""
    before = [row for row in ROWS if row["finding_id"][-1] not in "19"]
    before[0] = before[0] | {"owed": Decimal("60.00")}
    before[-1] = before[-1] | {"status": "claimable"}
    today = make_day(last=last([*before, finding(n=77, owed=Decimal("7.00"))]))
    glance = answer.at_a_glance(today)
    assert "14.40 USD + 20.00 CAD" in glance
    assert "2 findings since 2026-01-30; 1 status changed, 1 grown, 1 closed" in glance
    shown = changes.since_last(today)
    assert "2 new, 1 status changed, 1 grown, 1 closed; 5 unchanged" in shown
    assert shown.count("✓") == 2
    assert "✗" not in shown
    dollars = shown[shown.index('id="bridge-USD"') :].split("</table>")[0]
    # 60.00 + 5.05 + 42.66 + 1.00 + 9.99 + 7.00 = 125.70; + 14.40 + 40.00 − 7.00 − 9.99 = 163.11
    cells = re.findall(r'class="money">([^<]*USD)<', dollars)
    assert cells == [
        "125.70 USD",
        "14.40 USD",
        "40.00 USD",
        "0.00 USD",
        "0.00 USD",
        "−7.00 USD",
        "−9.99 USD",
        "163.11 USD",
    ]
    assert "claimable → expired" in shown


def test_many_changes_are_capped_and_counted() -> None:
    rows = [finding(n=n) for n in range(120)]
    shown = changes.since_last(make_day(rows, last=last([finding(n=n) for n in range(60, 300)])))
    assert "The first 50 of 60 rows; all of them are in findings.csv." in shown
    assert "The first 50 of 180 rows; all of them are in findings.csv of 2026-01-30 and of this packet." in shown


def test_hostile_findings_stay_text() -> None:
    for made in (make_day(hostile(), last=last([])), make_day([], last=last(hostile()))):
        shown = changes.since_last(made) + changes.revised(made.changes) + answer.at_a_glance(made)
        assert not re.search(r"<(script|img|svg|a)\b|<b>fat", shown)


def test_a_published_packet_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = make_day(hostile())
    made.history = pl.concat([made.history, made.history.with_columns(sku=pl.lit("=1+1"), order_id=pl.lit("-x"))])
    made.save(tmp_path)
    read = publish.earlier(tmp_path)
    assert read is not None
    assert read.history.equals(made.history)
    assert read.findings.equals(made.findings)
    assert publish.earlier("") is None


@pytest.mark.parametrize("name", ["findings.parquet", "history.csv"])
@pytest.mark.parametrize("content", [None, b"", b"PAR1 and no more", b"a,b\n1,2\n"])
def test_a_packet_that_was_changed_since_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    place = tmp_path / "2026-01-30"
    make_day().save(place)
    (place / name).unlink()
    if content is not None:
        (place / name).write_bytes(content)
    with pytest.raises(RunError, match="the published packet 2026-01-30 cannot be read"):
        publish.earlier(place)


def test_every_payout_is_shown_with_the_credit_that_paid_it() -> None:
    heads = [
        settlement(f"S{n}", f"2026-0{n}-01", f"2026-0{n}-10", total)
        for n, total in ((1, "100.00"), (2, "50.00"), (3, "70.00"))
    ]
    credit = {
        "booked_on": day("2026-01-14"),
        "amount": D("100.00"),
        "currency": "USD",
        "description": "AMAZON",
        "reference": None,
    }
    made = SimpleNamespace(books=books("2026-03-14", settlements=heads, bank=[credit]))
    shown = bank_totals.payouts(made)
    rows = [re.sub(r"<[^>]+>", "|", row) for row in shown.split("<tr>")[2:]]
    assert [re.findall("✓|✗", row) for row in rows] == [["✓"], ["✗"], [], []]
    assert "2026-01-14" in rows[0]
    assert "one credit of the amount" in rows[0]
    assert "not seen" in rows[1]
    assert "may still come" in rows[2]
    assert "220.00 USD" in rows[3]
    assert "100.00 USD" in rows[3]


def test_without_a_bank_statement_that_is_said() -> None:
    assert "No bank statement" in bank_totals.payouts(make_day())
