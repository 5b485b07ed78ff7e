"""The committed demo account: three months of an invented US seller, with every kind of case planted once.

python -m tests.world.demo            writes data/sample/ and its truth
"""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.world import build, cases_paid, files, money_files, worlds
from tests.world.pay import Pay
from tests.world.places import US
from tests.world.state import Truth, World

HOME = Path(__file__).parents[2] / "data" / "sample"
AS_OF = date(2026, 1, 31)
START = date(2025, 10, 24)
# A picture of one grey dot: real folders hold files that are no report.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6368000000820081772b07"
    "0f0000000049454e44ae426082"
)


def world() -> World:
    w = World(US, AS_OF, START, seed=20260131, account="demo-us")
    dice = w.dice.fork("demo")
    shelf = [build.product(w, dice, units=400) for _ in range(8)]
    for what in worlds.EVERY:
        worlds.case(w, dice, what, shelf)
    build.edges(w, dice)
    build.business(w, dice, shelf, AS_OF, (3, 6))
    build.storage(w, dice, shelf, [date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1)])
    build.other_people(w, dice, AS_OF)
    amazon_pay(w)
    wrong = {0: "late", 2: "split", 4: "short", 5: "missing"}
    money_files.settle(w, datetime(2025, 10, 23, 22, 7, 18, tzinfo=UTC), 7, negative=1, broken_reserve=4,
                       deposit=cases_paid.wrong_deposits(w, wrong))  # fmt: skip
    cases_paid.expect_deposits(w, wrong)
    cases_paid.stray_credit(w, w.day(66))
    w.expect(Truth("settlement_gap", "open", note="the settlement releases 7.00 more than the one before held"))
    out_of_balance(w, 3)
    build.check(w)
    return w


def amazon_pay(w: World) -> None:
    pay = Pay(w, date(2025, 10, 25), AS_OF)
    pay.background((3, 5))
    day = w.day
    for age in (60, 24):
        pay.late(day(age))
    pay.overdue(day(33))
    pay.overdue(day(12), knows="ref")
    pay.overdue(day(9), kind="refund")
    pay.overdue(day(5), knows="shop")
    pay.waiting()
    pay.differs(day(41), "60.00", "50.00")
    pay.differs(day(22), "50.00", "55.00")
    pay.differs(day(15), "-18.00", "-23.00", "refund")
    pay.duplicate(day(47))
    pay.duplicate(day(19), "refund")
    pay.unknown(day(38))
    pay.unknown(day(17), "refund")
    pay.fee_differs(day(28))
    pay.fee_rounds(day(35))
    pay.shared_order(day(30))
    pay.other_types(day(52))
    pay.recorded_twice(day(44))
    pay.clean(AS_OF, hour=18)  # in the file of tomorrow
    pay.build(reserve=(day(70), day(58)))


def out_of_balance(w: World, index: int) -> None:
    """One settlement lost a line on the way: its lines no longer add up to its total."""
    settlement = w.settlements[index]
    line = next(x for x in settlement["lines"] if x.what == "TransactionTotalAmount")  # type: ignore[attr-defined]
    line.dropped = True
    w.expect(Truth("settlement_out_of_balance", "open", reference_id=str(settlement["id"]), claim_from="", claim_by="",
                   note=f"a line of {line.amount} is missing"))  # fmt: skip


def account(w: World) -> dict[str, bytes]:
    """Path below the account folder -> content."""
    out: dict[str, bytes] = {"account.yml": files.account_yml(w)}
    for name, content in files.books(w, AS_OF).items():
        out[f"books/{name}"] = content
    for s in w.settlements:
        index, stem = int(str(s["index"])), f"reports/settlements/{s['end']:%Y-%m}/{str(s['id'])[::-1]}"
        if index == 2:  # only as the older layout
            out[f"{stem}.txt"] = money_files.v1(w, s)
            continue
        out[f"{stem}.txt"] = money_files.v2(w, s)
        if index == 0:  # the same settlement in both layouts
            out[f"{stem}-flat.txt"] = money_files.v1(w, s)
        if index == 4:  # downloaded twice
            out[f"{stem} (1).txt.gz"] = files.zipped(money_files.v2(w, s))
    for f in w.pay_files:
        out[f"reports/amazon-pay/{f['day']:%Y-%m}/{f['day']}-SETTLEMENT_DATA_{f['number']}.csv"] = files.pay_settlement(
            w, f
        )
    again = w.pay_files[20]
    out[f"reports/amazon-pay/again/{again['number']}.csv"] = files.pay_settlement(w, again)
    first, last = START - timedelta(1), AS_OF
    out["reports/amazon-pay/captures-2026-01.csv"] = files.pay_captures(w, date(2026, 1, 1), last)
    out["reports/amazon-pay/refunds.csv"] = files.pay_refunds(w, first, last)
    middle = date(2025, 12, 15)
    fba = "reports/fba"
    out[f"{fba}/ledger-detail-1.txt"] = files.ledger(w, first, middle + timedelta(9))
    out[f"{fba}/ledger-detail-2.csv.gz"] = files.zipped(files.ledger(w, middle, last, later=True))
    out[f"{fba}/ledger-summary-2026-01.csv"] = files.ledger_summary(w, date(2026, 1, 1), last)
    out[f"{fba}/180021020412.txt"] = files.reimbursements(w, first, middle + timedelta(12))
    out[f"{fba}/180021020977.txt"] = files.reimbursements(w, middle, last)
    out[f"{fba}/customer returns.txt"] = files.returns(w)
    out[f"{fba}/removals.zip"] = files.packed("removal-order-detail.csv", files.removal_orders(w))
    out[f"{fba}/removal-shipments.txt"] = files.removal_shipments(w)
    out[f"{fba}/fee-preview.txt"] = files.fee_preview(w)
    out[f"{fba}/storage-fees.txt"] = files.storage_fees(w)
    out["reports/orders/all-orders.txt"] = files.all_orders(w)
    out["reports/orders/fulfilled-shipments-2026-01.txt"] = files.fulfilled_shipments(w, date(2026, 1, 1), last)
    out["reports/date-range/2025DecMonthlyUnifiedTransaction.csv"] = money_files.date_range(
        w, date(2025, 12, 1), date(2025, 12, 31)
    )
    out["reports/screenshot of the case.png"] = PICTURE
    out["truth/findings.csv"] = files.truth_csv(w)
    out["truth/decoys.csv"] = files.decoys_csv(w)
    out["truth/buyer_secrets.txt"] = ("\n".join(files.secrets()) + "\n").encode()
    return out


def main() -> None:
    files_of_the_demo = account(world())
    for part in ("reports", "books", "truth"):
        shutil.rmtree(HOME / part, ignore_errors=True)
    files.save(HOME, files_of_the_demo)
    print(f"{HOME}: {len(files_of_the_demo)} files, {sum(map(len, files_of_the_demo.values())):,} bytes")


if __name__ == "__main__":
    main()
