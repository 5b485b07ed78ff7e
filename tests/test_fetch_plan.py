"""When a report is due, which days are asked for, and what the state file keeps. Cases worked out by hand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recon_lib.errors import UsageError
from recon_lib.fetch.plan import due, instants
from recon_lib.fetch.spans import common, joined, months, pieces, without
from recon_lib.fetch.state import Known, Open, State
from recon_lib.fetch.table import FAMILIES, TABLE, Row
from recon_lib.reports import FAMILIES as READERS

LA = "America/Los_Angeles"
NOON = datetime(2026, 2, 1, 20, tzinfo=UTC)  # noon of 1 February in Los Angeles
START = date(2025, 1, 1)
days = st.integers(0, 60).map(lambda n: START + timedelta(days=n))
spans = st.lists(
    st.tuples(days, st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + timedelta(days=pair[1]))), max_size=5
)
calm = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def d(text: str) -> date:
    return date.fromisoformat(f"2026-{text}")


def s(first: str, last: str) -> tuple[date, date]:
    return d(first), d(last)


def every(found: list[tuple[date, date]]) -> set[date]:
    return {first + timedelta(days=n) for first, last in found for n in range((last - first).days + 1)}


@calm
@given(spans, spans)
def test_spans_are_sets_of_days(some: list[tuple[date, date]], others: list[tuple[date, date]]) -> None:
    assert every(joined(some)) == every(some)
    assert every(without(some, others)) == every(some) - every(others)
    assert every(common(some, others)) == every(some) & every(others)
    for found in (joined(some), without(some, others)):
        assert all(a[1] + timedelta(days=1) < b[0] for a, b in pairwise(found))


@calm
@given(days, days, st.integers(1, 40))
def test_pieces_and_months_are_the_span_once(first: date, last: date, size: int) -> None:
    if first <= last:
        for cut in (list(pieces((first, last), size)), list(months((first, last)))):
            assert every(cut) == every([(first, last)])
            assert sum((b - a).days + 1 for a, b in cut) == (last - first).days + 1


def test_first_run_looks_back_and_then_each_day_adds_one_with_overlap() -> None:
    row, known = Row("x", "X", period=31, back=60, overlap=3), Known()
    # 1 February minus 60 days is 3 December; yesterday is 31 January; 28 new days a request.
    first = due(row, known, NOON, LA, first=None, last=None)
    assert first == [(date(2025, 12, 3), date(2025, 12, 30)), (date(2025, 12, 28), d("01-27")), s("01-25", "01-31")]
    assert max((b - a).days + 1 for a, b in first) == 31
    for span in first:
        known.arrived(span)
    assert due(row, known, NOON, LA, first=None, last=None) == []
    tomorrow = NOON + timedelta(days=1)
    assert due(row, known, tomorrow, LA, first=None, last=None) == [s("01-29", "02-01")]
    assert due(row, known, tomorrow, LA, first=None, last=None, open_=[s("01-29", "02-01")]) == []


def test_a_day_is_the_accounts_day() -> None:
    row = Row("x", "X", back=1, overlap=0)
    early = datetime(2026, 2, 1, 5, tzinfo=UTC)  # still 31 January in Los Angeles, already 1 February in Tokyo
    assert due(row, Known(), early, LA, first=None, last=None) == [s("01-30", "01-30")]
    assert due(row, Known(), early, "Asia/Tokyo", first=None, last=None) == [s("01-31", "01-31")]
    begin, end = instants(s("01-30", "01-30"), LA)
    assert (begin, end) == (datetime(2026, 1, 30, 8, tzinfo=UTC), datetime(2026, 1, 31, 7, 59, 59, tzinfo=UTC))
    # 8 March 2026 has 23 hours there
    begin, end = instants(s("03-08", "03-08"), LA)
    assert end - begin == timedelta(hours=23) - timedelta(seconds=1)


def test_wanted_days_go_further_back_but_not_beyond_what_amazon_keeps() -> None:
    row = Row("x", "X", period=400, back=10, overlap=0, limit=100)
    assert due(row, Known(), NOON, LA, first=d("01-05"), last=d("01-07")) == [s("01-05", "01-07")]
    assert due(row, Known(), NOON, LA, first=date(2020, 1, 1), last=None) == [(date(2025, 10, 24), d("01-31"))]
    assert due(row, Known(), NOON, LA, first=d("01-30"), last=d("02-05")) == [s("01-30", "01-31")]
    assert due(row, Known(), NOON, LA, first=d("02-01"), last=None) == []


def test_months_are_asked_once_each_when_they_are_ready() -> None:
    row, known = Row("x", "X", how="months", back=62, ready=10), Known()
    december, january = (date(2025, 12, 1), date(2025, 12, 31)), s("01-01", "01-31")
    assert due(row, known, NOON, LA, first=None, last=None) == [december]  # January is ready on 10 February
    known.arrived(december)
    assert due(row, known, NOON, LA, first=None, last=None) == []
    assert due(row, known, datetime(2026, 2, 10, 20, tzinfo=UTC), LA, first=None, last=None) == [january]


def test_a_snapshot_is_taken_once_in_so_many_days() -> None:
    row, known = Row("x", "X", how="snapshot", every=7), Known()
    assert due(row, known, NOON, LA, first=None, last=None) == [s("01-28", "01-31")]
    known.last = d("01-26")
    assert due(row, known, NOON, LA, first=None, last=None) == []
    known.last = d("01-25")
    assert len(due(row, known, NOON, LA, first=None, last=None)) == 1


def test_no_data_is_believed_when_it_is_said_twice() -> None:
    known = Known()
    assert not known.said_empty(s("01-01", "01-10"), NOON, again=20)
    assert known.resting(NOON + timedelta(hours=19), 20) == [s("01-01", "01-10")]
    assert known.resting(NOON + timedelta(hours=20), 20) == []
    assert not known.said_empty(s("01-01", "01-10"), NOON + timedelta(hours=1), again=20)  # too soon to count
    later = NOON + timedelta(hours=24)
    assert known.said_empty(s("01-08", "01-11"), later, again=20)
    assert known.empty == known.covered == [s("01-08", "01-10")]
    assert [span[:2] for span in known.doubt] == [s("01-01", "01-07"), s("01-11", "01-11")]
    known.arrived(s("01-01", "01-05"))
    assert known.covered == [s("01-01", "01-05"), s("01-08", "01-10")]
    assert [span[:2] for span in known.doubt] == [s("01-06", "01-07"), s("01-11", "01-11")]


def test_the_state_comes_back_as_it_was(tmp_path: Path) -> None:
    state = State(tmp_path, "demo-us", "US")
    state.of("x").arrived(s("01-01", "01-10"))
    state.of("x").said_empty(s("01-11", "01-12"), NOON, 20)
    state.open.append(Open("x", "X", "2026-01-13", "2026-01-14", NOON.isoformat(), "77"))
    state.files = [{"id": "1", "at": NOON.isoformat()}, {"id": "2", "at": (NOON - timedelta(days=401)).isoformat()}]
    state.save(NOON)
    again = State.load(tmp_path, "demo-us", "US")
    assert (again.families, again.open, again.ids()) == (state.families, state.open, {"1", "77"})
    assert [path.name for path in (tmp_path / ".fetch").iterdir()] == ["state.json"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 1}', '{"version": 9, "account": "demo-us", "marketplace": "US"}'])  # fmt: skip
def test_a_damaged_state_is_set_aside_and_told(tmp_path: Path, damage: str) -> None:
    (tmp_path / ".fetch").mkdir()
    (tmp_path / ".fetch/state.json").write_text(damage)
    state = State.load(tmp_path, "demo-us", "US")
    assert "damaged" in state.note
    assert not state.open
    assert (tmp_path / ".fetch/state.json.damaged").read_text() == damage


def test_the_state_of_another_account_is_refused(tmp_path: Path) -> None:
    State(tmp_path, "demo-us", "US").save(NOON)
    with pytest.raises(UsageError, match="belongs to the account demo-us"):
        State.load(tmp_path, "other-us", "US")
    assert json.loads((tmp_path / ".fetch/state.json").read_text())["account"] == "demo-us"


def test_every_row_of_the_table_has_a_reader_and_can_work() -> None:
    names = {report.family for report in READERS} | {"pay_lines", "settlement_lines"}
    assert len(FAMILIES) == len(TABLE)
    for row in TABLE:
        assert row.family in names
        assert row.overlap < row.period <= 90
        assert row.back <= row.limit
        if row.how == "days":
            assert row.overlap >= 2, "Amazon's day at the edge of a file may be another than the account's"


def test_the_table_in_the_documents_is_the_table() -> None:
    text = (Path(__file__).resolve().parent.parent / "docs/fetch.md").read_text(encoding="utf-8")
    rows = {cells[1].strip("` "): [cell.strip("` ") for cell in cells] for line in text.splitlines() if len(cells := line.split("|")) == 7}  # fmt: skip
    for row in TABLE:
        if not row.standard:
            assert f"`{row.family}`" in rows_of(text, "only when named"), row.family
            continue
        told = rows[row.family]
        assert told[2] == row.report or row.how == "pages"
        assert told[3].split(",")[0].split(" ")[0] == {"days": "by", "months": "months", "snapshot": "snapshot", "listed": "listed", "pages": "pages"}[row.how]  # fmt: skip
        assert told[4] == (f"{row.back} days" if row.how != "snapshot" else "–")
        assert told[5] == (f"{row.overlap} days" if row.how in ("days", "pages") else "–")
        if row.how == "months":
            assert told[3] == f"months, from the {row.ready}th"


def rows_of(text: str, word: str) -> str:
    return "\n".join(line for line in text.splitlines() if word in line and line.startswith("|"))
