"""Forty-five days of Amazon Pay, each activity with a planned line: every day's open set, matches, roll-forward and journal.

The plan knows what happens to each activity, so what must be open or entered on a day is summed from the plan alone.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import polars as pl
import pytest
from pay_folder import Account

from recon_lib.journal import ACCOUNTS

FIRST, DAYS = datetime(2026, 2, 1), 45  # over the change of the clock on 8 March
D = Decimal


@dataclass
class Thing:
    """An activity (`at`), the line that closes it (`posted`), or only one of the two; `settled` is the line's amount."""

    ids: str
    amount: Decimal
    at: datetime | None
    posted: datetime | None
    settled: Decimal
    known: str = ""

    @property
    def closed(self) -> datetime | None:
        return max(self.at, self.posted) if self.at and self.posted else None


@dataclass
class Plan:
    things: list[Thing] = field(default_factory=list)
    transfers: list[tuple[datetime, Decimal, int]] = field(default_factory=list)


def fee_of(amount: Decimal) -> Decimal:
    if amount < 0:
        return D(0)
    return -((amount * D("0.029")).quantize(D("0.01"), rounding=ROUND_HALF_UP) + D("0.30"))


def planned(seed: int) -> Plan:
    dice, plan = random.Random(seed), Plan()
    for day in range(DAYS):
        for n in range(dice.randint(2, 4)):
            ids = [f"P{day}-{n}-C1", f"REF{day}x{n}", f"{day:02}{n:05}", f"P{day}-{n}"]
            at = FIRST + timedelta(days=day, hours=dice.randint(0, 23), minutes=dice.randint(0, 59))
            amount = D(dice.randint(100, 20000)) / 100
            posted: datetime | None = at + timedelta(minutes=dice.choice([1, 30, 300, 1000, 1500, 2900]))
            settled = amount
            knows = dice.choice([(0, 1, 2, 3), (0, 1, 2, 3), (1, 3), (2,), (3,)])
            fate = dice.random()
            if fate < 0.08:
                posted = None
            elif fate < 0.14 and knows != (3,):
                settled = amount - D("0.37")
            elif fate < 0.20:
                posted = at - timedelta(hours=dice.choice([1, 20]))  # recorded after it was settled
            elif fate < 0.24:
                plan.things.append(Thing(" ".join(ids), amount, None, at, amount))  # never recorded
                continue
            known = " ".join(ids[k] if k in knows else "." for k in range(4))
            plan.things.append(Thing(" ".join(ids), amount, at, posted, settled, known))
            if posted and fate > 0.8:  # a part comes back, under an id of its own and the order's two
                back = [f"P{day}-{n}-R1", f"BACK{day}x{n}", *ids[2:]]
                at = posted + timedelta(hours=dice.randint(1, 90))
                part = -(amount / 3).quantize(D("0.01"))
                known = " ".join(back[k] if k in knows else "." for k in range(4))
                plan.things.append(
                    Thing(" ".join(back), part, at, at + timedelta(hours=dice.randint(0, 40)), part, known)
                )
    return plan


def windows(plan: Plan, a: Account) -> dict[int, tuple[str, str, list[list[str]]]]:
    """Number of the file -> its window and rows; each one also pays out what the one before left."""
    files: dict[int, tuple[str, str, list[list[str]]]] = {}
    left = D(0)
    for n in range(DAYS + 6):
        start, end = (
            FIRST + timedelta(days=n - 2, hours=15, seconds=44),
            FIRST + timedelta(days=n - 1, hours=14, minutes=59, seconds=44),
        )
        number, rows, paid = f"N{n}", [], start + timedelta(hours=2)
        if left > 0:
            rows.append(a.transfer(str(-left), paid.isoformat(" "), number))
            plan.transfers.append((paid, left, n))
            left = D(0)
        for thing in plan.things:
            if thing.posted and start - timedelta(seconds=60) <= thing.posted < end + timedelta(seconds=1):
                rows.append(a.row(thing.ids, str(thing.settled), thing.posted.isoformat(" "), number=number))
                left += thing.settled + fee_of(thing.settled)
        if rows:
            files[n] = (start.isoformat(" "), end.isoformat(" "), rows)
    return files


def end_of(day: int) -> datetime:
    return FIRST + timedelta(days=day + 1)


def expected_open(plan: Plan, day: int) -> list[tuple[str, Decimal]]:
    now = end_of(day)
    left = [t for t in plan.things if t.at and t.at < now and not (t.closed and t.closed < now)]
    return sorted((t.known, t.amount) for t in left)


def expected_journal(plan: Plan, day: int) -> dict[tuple[str, str], Decimal]:
    now = end_of(day)
    sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: D(0))

    def enter(at: datetime, *moves: tuple[str, Decimal]) -> None:
        for account, amount in moves:
            sums[(f"{at:%Y-%m-%d}", account)] += amount

    for t in plan.things:
        if t.at and t.at < now:
            enter(t.at, ("accounts receivable", t.amount), ("sales", -t.amount))
        if t.posted and t.posted < now:
            fee = fee_of(t.settled)
            enter(t.posted, ("undisbursed cash", t.settled + fee), ("fees", -fee), ("suspense", -t.settled))
        if t.closed and t.closed < now:
            enter(t.closed, ("accounts receivable", -t.amount), ("suspense", t.amount))
    for at, amount, _ in plan.transfers:
        if at < now:
            enter(at, ("cash", amount), ("undisbursed cash", -amount))
    return {key: amount for key, amount in sums.items() if amount}


def record(plan: Plan, a: Account) -> None:
    for t in plan.things:
        if t.at:
            a.did(t.known, str(t.amount), t.at.isoformat(" "))


def pairs_of(seen) -> list[tuple]:
    return seen.day.matches.drop("matched_on").rows()


@pytest.mark.parametrize("seed", [1, 2])
def test_every_day_is_as_planned(tmp_path: Path, seed: int) -> None:
    a, plan = Account(tmp_path), planned(seed)
    record(plan, a)
    for n, (start, end, rows) in windows(plan, a).items():
        a.file(f"f{n:02}", start, end, *rows)
    for day in range(0, DAYS, 3 if seed > 1 else 2):
        now = end_of(day)
        seen = a.day((FIRST + timedelta(days=day)).strftime("%m-%d"))
        seen.check()
        ids = seen.day.open_items.select(
            pl.concat_str(
                [
                    pl.col(c).fill_null(".")
                    for c in ("amazon_transaction_id", "seller_reference_id", "seller_order_id", "order_reference_id")
                ],
                separator=" ",
            ).alias("ids"),
            "amount",
        )
        assert sorted(ids.rows()) == expected_open(plan, day)
        met = [t for t in plan.things if t.closed and t.closed < now]
        wanted = sorted((t.amount, t.settled, t.ids.split()[0], t.closed.date()) for t in met if t.closed)
        got = seen.day.matches.select(
            "activity_amount", "settlement_amount", "amazon_transaction_id", "matched_on"
        ).rows()
        assert sorted(got) == wanted
        today = [t for t in plan.things if t.at and t.at.date() == (FIRST + timedelta(days=day)).date()]
        (roll,) = seen.day.rollforward.to_dicts()
        assert (roll["new_lines"], roll["new_amount"]) == (len(today), sum(t.amount for t in today))
        assert roll["opening_lines"] == len(expected_open(plan, day - 1))
        assert roll["opening_amount"] == sum(amount for _, amount in expected_open(plan, day - 1))
        sums = seen.day.journal.group_by(pl.col("date").dt.strftime("%Y-%m-%d"), "account").agg(
            (pl.col("debit") - pl.col("credit")).sum()
        )
        assert {(d, n): v for d, n, v in sums.rows() if v} == expected_journal(plan, day)
        unknown = {f.split()[3] for f in seen.findings if f.startswith("pay_unknown")}
        assert unknown == {
            t.ids.split()[0] for t in plan.things if t.posted and t.posted < now and not (t.closed and t.closed < now)
        }
        assert not [
            f
            for f in seen.findings
            if f.split()[0] in ("pay_duplicate", "pay_fee_differs", "settlement_gap", "settlement_out_of_balance")
        ]


@pytest.mark.parametrize("seed", [3, 4])
def test_files_that_come_in_any_order_end_in_the_same(tmp_path: Path, seed: int) -> None:
    dice, plan, home = random.Random(seed), planned(seed), tmp_path / "out"
    a, b = Account(tmp_path / "a"), Account(tmp_path / "b")
    record(plan, a)
    record(plan, b)
    files = windows(plan, a)
    arrival = {n: dice.choice([n - 1, n - 1, n, n + 4, DAYS - 1]) for n in files}
    for n, (start, end, rows) in files.items():
        b.file(f"f{n:02}", start, end, *rows)
    for day in range(20, DAYS, 3):
        for n, (start, end, rows) in files.items():
            if arrival[n] <= day:
                a.file(f"f{n:02}", start, end, *rows)
        late = a.packet((FIRST + timedelta(days=day)).strftime("%m-%d"), home)
        late.check()
    last = (FIRST + timedelta(days=day)).strftime("%m-%d")
    for n, (start, end, rows) in files.items():
        a.file(f"f{n:02}", start, end, *rows)
    late, once = a.packet(last, home), b.day(last)
    assert late.open == once.open
    assert late.day.matches.equals(once.day.matches)
    assert [late.balance(name) for name in ACCOUNTS] == [once.balance(name) for name in ACCOUNTS]
    late.check()
    assert b.day(last).day.journal.equals(once.day.journal)
