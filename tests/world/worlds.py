"""Random accounts: a mixture of cases and decoys in one of three marketplaces, as of a day in one of several eras of the policy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.world import build, cases_orders, cases_paid, cases_stock, files, money_files
from tests.world.dice import Dice
from tests.world.pay import Pay
from tests.world.places import PLACES
from tests.world.state import Product, Truth, World

DAYS = {
    # the old windows; sourcing cost; peak season into the next card; the surcharge
    "US": (date(2024, 9, 30), date(2025, 9, 30), date(2026, 1, 31), date(2026, 6, 30)),
    "UK": (date(2026, 9, 30), date(2026, 10, 8)),
    "DE": (date(2026, 9, 30), date(2026, 10, 8)),
}
LENGTH = 140


OWN = (cases_orders.storage_overcharge, *cases_stock.STOCK, *cases_paid.PAID)
EVERY = (*cases_stock.STOCK, *cases_orders.ORDERS, *cases_orders.FEES, *cases_paid.PAID)


def case(w: World, dice: Dice, what: Callable[[World, Product, Dice], None], shelf: list[Product]) -> None:
    """Plant one case: on a product of its own where units or amounts could mix, else on one that sells every day."""
    if what is cases_orders.measured_too_large:
        p = build.product(w, dice, profile=w.place.profiles[2], own=w.place.profiles[0])
    else:
        p = build.product(w, dice) if what in OWN else dice.pick(shelf)
    what(w, p, dice)


def random_world(seed: int, place: str = "US", as_of: date | None = None, cases: int = 34) -> World:
    where = PLACES[place]
    dice = Dice(seed).fork(place)
    as_of = as_of or DAYS[place][seed % len(DAYS[place])]
    w = World(
        where,
        as_of,
        as_of - timedelta(LENGTH),
        seed=seed * 1000 + ord(place[0]),
        account=f"world-{place.lower()}-{seed}",
    )
    shelf = [build.product(w, dice, units=400) for _ in range(4)]
    for what in dice.shuffled(EVERY)[:cases]:
        case(w, dice, what, shelf)
    beyond = as_of + timedelta(9)  # files were downloaded later than the day they are asked about
    build.edges(w, dice)
    build.business(w, dice, shelf, beyond, (1, 2))
    build.other_people(w, dice, beyond)
    if where.storage:
        build.storage(w, dice, shelf[:2], [w.day(70).replace(day=1), w.day(40).replace(day=1)])
    _pay(w, dice)
    _settle(w, dice)
    build.check(w)
    return w


def _pay(w: World, dice: Dice) -> None:
    first = w.day(34)
    hole = w.day(dice.between(12, 20)) if dice.chance(50) else None
    pay = Pay(w, first, w.as_of + timedelta(2), hole)
    pay.background((3, 4))

    def day() -> date:
        near = {hole - timedelta(d) for d in range(-3, 5)} if hole else set()
        while (chosen := w.day(dice.between(4, 30))) in near:
            pass
        return chosen

    for _ in range(dice.between(4, 9)):
        dice.pick(
            (
                lambda: pay.late(day()), lambda: pay.overdue(day(), knows=dice.pick(("all", "ref", "shop", "oro", "messy"))),
                lambda: pay.overdue(day(), kind="refund"), pay.waiting, lambda: pay.differs(day(), "60.00", "50.00"),
                lambda: pay.differs(day(), "50.00", "55.00"), lambda: pay.differs(day(), "-18.00", "-23.00", "refund"),
                lambda: pay.duplicate(day()), lambda: pay.duplicate(day(), "refund"), lambda: pay.unknown(day()),
                lambda: pay.unknown(day(), "refund"), lambda: pay.fee_differs(day()), lambda: pay.fee_rounds(day()),
                lambda: pay.shared_order(day()), lambda: pay.recorded_twice(day()),
            )
        )()  # fmt: skip
    if hole:
        pay.overdue(hole - timedelta(1))
    pay.build()


def _settle(w: World, dice: Dice) -> None:
    """Two settlements lie before anything happened; the second of them may be missing: a gap that hides nothing."""
    before = w.start - timedelta(29)
    wrong = {}
    for index in dice.shuffled(range(3, 10))[:2]:
        wrong[index] = dice.pick(("missing", "short", "split", "late"))
    missing = 1 if dice.chance(40) else None
    broken = dice.pick((None, None, 7))
    money_files.settle(
        w, datetime(before.year, before.month, before.day, 22, 7, 18, tzinfo=UTC), 13, negative=dice.pick((None, 2)), missing=missing,
        broken_reserve=broken, deposit=cases_paid.wrong_deposits(w, wrong),
    )  # fmt: skip
    cases_paid.expect_deposits(w, wrong)
    if missing is not None:
        w.expect(Truth("settlement_gap", "open", note="a settlement is missing"))
    if broken is not None:
        w.expect(Truth("settlement_gap", "open", note="another reserve was released than was held"))
    if dice.chance(50):
        cases_paid.stray_credit(w, w.start - timedelta(24))
    if dice.chance(50):
        settlement = w.settlements[6]
        line = next(x for x in settlement["lines"] if x.what == "TransactionTotalAmount")  # type: ignore[attr-defined]
        line.dropped = True
        w.expect(
            Truth(
                "settlement_out_of_balance",
                "open",
                reference_id=str(settlement["id"]),
                note=f"a line of {line.amount} is missing",
            )
        )


def save(w: World, folder: Path) -> None:
    """Write the account; layouts and downloads vary with the world's seed."""
    dice = w.dice.fork("files")
    end, first = w.as_of + timedelta(9), w.start - timedelta(30)
    out: dict[str, bytes] = {"account.yml": files.account_yml(w)}
    for name, content in files.books(w, end).items():
        out[f"books/{name}"] = content
    for s in w.settlements:
        if s["lost"] or s["start"].astimezone(w.zone).date() > end:  # type: ignore[attr-defined]
            continue
        make = money_files.v1 if dice.chance(25) else money_files.v2
        out[f"reports/{str(s['id'])[::-1]}.txt"] = make(w, s)
    for f in w.pay_files:
        if not f["lost"]:
            out[f"reports/pay/{f['number']}.csv"] = files.pay_settlement(w, f)
    cut = w.day(dice.between(30, 80))
    out["reports/ledger-1.txt"] = files.ledger(
        w, first, cut + timedelta(dice.between(1, 20)), columns=dice.pick((14, 15, 16))
    )
    out["reports/ledger-2.txt"] = files.ledger(w, cut, end, later=True)
    out["reports/reimbursements-1.txt"] = files.reimbursements(w, first, cut + timedelta(7))
    out["reports/reimbursements-2.tsv.gz"] = files.zipped(files.reimbursements(w, cut, end))
    out["reports/returns.txt"] = files.returns(w, columns=dice.pick((12, 13)))
    out["reports/removals.txt"] = files.removal_orders(w)
    out["reports/removal-shipments.zip"] = files.packed("shipments.txt", files.removal_shipments(w))
    out["reports/fees.txt"] = files.fee_preview(w)
    if w.storage:
        out["reports/storage.txt"] = files.storage_fees(w)
    if dice.chance(50):
        month = w.day(45).replace(day=1)
        out["reports/date-range.csv"] = money_files.date_range(w, month, month + timedelta(27))
    out["truth/findings.csv"] = files.truth_csv(w)
    files.save(folder, out)
