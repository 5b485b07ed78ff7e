"""What changed between two packets: a case added up by hand, then the same sums over any two days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_lib import frames
from recon_lib.bridge import COUNTED, Changes, Earlier, compare
from tests.standin import finding, findings

D = Decimal


def event(n: int = 1, audit: str = "warehouse_lost", **cells: Any) -> dict[str, Any]:
    base: dict[str, Any] = dict.fromkeys(frames.SettledEvent.column_names())
    base.update(audit=audit, event_on=date(2026, 1, n), paid_on=date(2026, 1, 31), quantity=1, amount=D("7.20"),
                currency="USD", fnsku=f"X{n}", reimbursement_id=f"R{n}")  # fmt: skip
    return base | cells


def history(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=frames.SettledEvent.create_empty().schema, orient="row")


def of(
    n: int, status: str, owed: str | None, currency: str | None = "USD", quantity: int | None = 1, **more: Any
) -> dict[str, Any]:
    """Finding number n of the n-th of January, unit X<n>."""
    return finding(status=status, n=n, owed=None if owed is None else D(owed), currency=currency, quantity=quantity,
                   event_on=date(2026, 1, n), fnsku=f"X{n}", **more)  # fmt: skip


def changes(
    before: list[dict[str, Any]],
    now: list[dict[str, Any]],
    paid: pl.DataFrame | None = None,
    known: pl.DataFrame | None = None,
) -> Changes:
    earlier = Earlier("2026-01-30", findings(before), history() if known is None else known)
    return compare(findings(now), earlier, history() if paid is None else paid, "USD")


def told(made: Changes) -> dict[int, str]:
    return {int(name[-16:], 16): change for name, change in made.rows.select("finding_id", "change").iter_rows()}


def steps(made: Changes, currency: str = "USD") -> dict[str, tuple[int, int, Decimal]]:
    rows = made.bridge.filter(pl.col("currency") == currency)
    return {
        step: (n, unknown, owed)
        for step, n, unknown, owed in rows.select("step", "findings", "unknown", "owed").iter_rows()
    }


BEFORE = [
    of(1, "claimable", "10.00"),  # stays
    of(2, "claimable", "20.00"),  # grows to 25.00
    of(3, "claimable", "30.00", quantity=3),  # shrinks to 10.00
    of(4, "claimable", "40.00"),  # gone, paid
    of(5, "waiting", "50.00"),  # gone, found again
    of(6, "waiting", "60.00"),  # claimable now
    of(7, "claimable", "70.00"),  # expired now
    of(8, "accepted", "80.00"),  # claimable again
    of(9, "claimed", "90.00"),  # the case was refused: claimable again
    of(10, "claimable", "100.00"),  # accepted now
    of(11, "claimable", None),  # its value became known: 11.00
    of(12, "expired", "120.00"),  # gone: it was no longer owed
]
NOW = [
    of(1, "claimable", "10.00"), of(2, "claimable", "25.00"), of(3, "claimable", "10.00", quantity=1), of(6, "claimable", "60.00"),
    of(7, "expired", "70.00"), of(8, "claimable", "80.00"), of(9, "claimable", "90.00"), of(10, "accepted", "100.00"),
    of(11, "claimable", "11.00"), of(13, "open", "13.00"), of(14, "claimable", None, None), of(15, "expired", "15.00"),
    of(16, "claimable", "16.00", "CAD"),
]  # fmt: skip
HISTORY = history(
    event(4),
    event(5, reimbursement_id=None, amount=None),  # found: nobody paid
    event(12, fnsku="X99"),  # another unit lost on that day
)


def test_a_day_added_up_by_hand() -> None:
    made = changes(BEFORE, NOW, HISTORY)
    assert told(made) == {
        2: "grown", 3: "shrunk", 4: "paid", 5: "closed", 6: "status changed", 7: "status changed", 8: "reopened", 9: "reopened",
        10: "status changed", 11: "grown", 12: "closed", 13: "new", 14: "new", 15: "new", 16: "new",
    }  # fmt: skip
    assert made.unchanged == 1
    # 10+20+30+40+50+60+70+90+100 = 470 and one unknown; 10+25+10+60+80+90+11+13 = 299 and one unknown
    assert steps(made) == {
        "before": (10, 1, D("470.00")),
        "new": (2, 1, D("13.00")),  # 13 and the unknown 14; 15 was expired when it was first seen
        "back": (1, 0, D("80.00")),  # 8
        "grown": (0, -1, D("16.00")),  # 5 + 11
        "shrunk": (0, 0, D("-20.00")),
        "paid": (-1, 0, D("-40.00")),
        "closed": (-1, 0, D("-50.00")),
        "expired": (-1, 0, D("-70.00")),
        "accepted": (-1, 0, D("-100.00")),
        "review": (0, 0, D(0)),
        "now": (9, 1, D("299.00")),
    }
    assert steps(made, "CAD") == {
        "before": (0, 0, D(0)), "new": (1, 0, D("16.00")), "back": (0, 0, D(0)), "grown": (0, 0, D(0)), "shrunk": (0, 0, D(0)),
        "paid": (0, 0, D(0)), "closed": (0, 0, D(0)), "expired": (0, 0, D(0)), "accepted": (0, 0, D(0)),
        "review": (0, 0, D(0)), "now": (1, 0, D("16.00")),
    }  # fmt: skip
    assert made.foots()


def test_a_payment_that_the_last_packet_knew_does_not_explain_what_is_gone_now() -> None:
    """Three lost, one paid in December; the other two were found in January: closed, not paid."""
    old = event(4, paid_on=date(2025, 12, 20))
    before = [of(4, "claimable", "14.40", quantity=2)]
    assert told(changes(before, [], history(old), history(old))) == {4: "closed"}
    # the line of the settlement that paid it came since: still the same payment
    assert told(changes(before, [], history(old | {"settled_on": date(2026, 1, 31)}), history(old))) == {4: "closed"}
    # two payments alike, one of them known before
    assert told(changes(before, [], history(old, old), history(old))) == {4: "paid"}


@pytest.mark.parametrize(
    ("cells", "change"),
    [
        ({}, "paid"),
        ({"paid_on": date(2026, 1, 10)}, "paid"),  # the report came late
        ({"event_on": date(2026, 1, 5)}, "closed"),
        ({"audit": "warehouse_damaged"}, "closed"),
        ({"fnsku": "X9"}, "closed"),
        ({"sku": "SKU-2"}, "closed"),  # the finding is about SKU-1
        ({"fnsku": None, "sku": "SKU-1"}, "paid"),
        ({"fnsku": None}, "closed"),  # it names nothing
        ({"reimbursement_id": None}, "paid"),  # a correction in a settlement
        ({"reimbursement_id": None, "amount": None}, "closed"),  # found
    ],
)
def test_a_payment_is_of_the_same_event_and_unit(cells: dict[str, Any], change: str) -> None:
    assert told(changes([of(4, "claimable", "7.20")], [], history(event(4, **cells)))) == {4: change}


def test_a_reimbursement_that_is_in_a_settlement_at_last_is_paid() -> None:
    before = [finding("reimbursement_not_settled", n=1, reference_id="R7", event_on=date(2025, 12, 1))]
    seen = event(7, settled_on=date(2026, 1, 31))
    assert told(changes(before, [], history(seen), history(event(7)))) == {1: "paid"}
    assert told(changes(before, [], history(event(7)), history(event(7)))) == {1: "closed"}


def test_another_currency_leaves_one_sum_and_enters_the_other() -> None:
    made = changes([of(1, "claimable", "10.00")], [of(1, "claimable", "9.00", "CAD")])
    assert steps(made)["shrunk"] == (-1, 0, D("-10.00"))
    assert steps(made, "CAD")["grown"] == (1, 0, D("9.00"))
    assert told(made) == {1: "currency changed"}
    assert made.foots()


def test_without_an_earlier_packet_there_is_nothing_to_compare() -> None:
    assert compare(findings(NOW), None, history(), "USD") is None


def test_nothing_on_both_days() -> None:
    made = changes([], [])
    assert (made.rows.height, made.bridge.height, made.unchanged) == (0, 0, 0)
    assert made.foots()


def test_a_bridge_that_does_not_foot_is_seen() -> None:
    made = changes(BEFORE, NOW)
    wrong = made.bridge.with_columns(
        pl.when(pl.col("step") == "new").then(pl.col("owed") + 1).otherwise("owed").alias("owed")
    )
    assert not Changes(made.since, made.rows, wrong, made.unchanged).foots()


STATUS = st.sampled_from(["claimable", "waiting", "open", "claimed", "review", "accepted", "expired"])
MONEY = st.none() | st.decimals(-99, 99, places=2)
DAY = st.dictionaries(
    st.integers(1, 9), st.tuples(STATUS, MONEY, st.sampled_from(["USD", "CAD", None]), st.none() | st.integers(0, 3))
)
PAID = st.lists(st.integers(1, 9), max_size=4)


def made_of(day: dict[int, Any]) -> list[dict[str, Any]]:
    return [
        of(n, status, None if owed is None else str(owed), currency, units)
        for n, (status, owed, currency, units) in day.items()
    ]


@settings(max_examples=150, deadline=None)
@given(DAY, DAY, PAID)
def test_every_bridge_foots_and_every_finding_is_told_once(
    before: dict[int, Any], now: dict[int, Any], paid: list[int]
) -> None:
    made = changes(made_of(before), made_of(now), history(*map(event, paid)))
    assert made.foots()
    whole: dict[str, dict[str, list[Any]]] = {}
    for day, step in ((before, "before"), (now, "now")):
        for status, owed, currency, _ in day.values():
            if status in COUNTED:
                sums = whole.setdefault(currency or "USD", {"before": [0, 0, D(0)], "now": [0, 0, D(0)]})[step]
                sums[0] += 1
                sums[1] += owed is None
                sums[2] += owed or D(0)
    for currency, ends in whole.items():
        shown = steps(made, currency)
        assert list(shown["before"]) == ends["before"]
        assert list(shown["now"]) == ends["now"]
        between = [row for step, row in shown.items() if step not in ("before", "now")]
        for i in range(3):
            assert shown["before"][i] + sum(row[i] for row in between) == shown["now"][i]
        assert shown["grown"][2] >= 0 >= shown["shrunk"][2]
    names = told(made)
    assert len(names) + made.unchanged == len(before.keys() | now.keys())
    assert {n for n, change in names.items() if change == "new"} == now.keys() - before.keys()
    assert {n for n, change in names.items() if change in ("paid", "closed")} == before.keys() - now.keys()
    assert {n for n, change in names.items() if change == "paid"} == (before.keys() - now.keys()) & set(paid)


@settings(max_examples=40, deadline=None)
@given(DAY)
def test_the_same_day_twice_changes_nothing(day: dict[int, Any]) -> None:
    made = changes(made_of(day), made_of(day))
    assert made.rows.is_empty()
    assert made.unchanged == len(day)
    assert made.foots()
