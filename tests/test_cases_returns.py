"""Refunds and returns, from report files to findings: a unit sold for 60.00 less 9.63 less 7.71 is worth 42.66."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
from case_folder import Folder, findings, lines, paid, refund, sale

from recon_lib.books import open_account
from recon_lib.reconcile import reconcile

DAY = "2026-03-31"
AUDITS = (
    "refund_without_return", "return_unpaid", "return_not_restocked", "refund_exceeds_charge", "return_wrong_item",
    "reimbursement_reversed", "reimbursement_twice",
)  # fmt: skip
BACK, CLAWED = "REVERSAL_REIMBURSEMENT", "COMPENSATED_CLAWBACK"


def o(number):
    return f"111-{number:07d}-0000001"


def sold(n, day="2026-01-02", q=1, price="60.00", fee="9.63", fba="7.71", **more):
    return sale(o(n), n, day, price, fee, fba, qty=q, **more)


def back(n, day="2026-01-10", price="60.00", fee="9.63", kept="1.93", **more):
    return refund(o(n), n, day, price, fee, kept, **more)


def two(n):
    """Two units sold and refunded."""
    return sold(n, q=2, price="120.00", fee="19.26", fba="15.42") + back(n, price="120.00", fee="19.26", kept="3.85")


def missing(n, state="claimable|2026-01-10|2026-03-11|2026-05-10", units=1, owed="42.66", each="42.66"):
    return f"refund_without_return|{state}|{o(n)}||S{n}|{units}|{each}|{owed}"


def test_of_several_units_taken_back_at_once_those_that_came_back_are_not_claimed():
    """Of three units paid on 5 February so many came back on the 10th, and so many were taken back on the 20th."""
    f = Folder()
    rows = []
    for n, (returned, taken) in enumerate([(1, 3), (2, 3), (3, 3), (1, 2), (1, 1)], 1):
        rows += sold(n, q=3, price="180.00", fee="28.89", fba="23.13") + back(
            n, price="180.00", fee="28.89", kept="5.00"
        )
        rows += paid("2026-02-06", BACK, "127.98", n, o(n), qty=3)
        f.reimb("2026-02-05", f"R{n}", "CustomerReturn", n, 3, "42.66", order=o(n))
        f.ret("2026-02-10", o(n), n, "CUSTOMER_DAMAGED", qty=returned)
        f.reimb(
            "2026-02-20", f"V{n}", "Reimbursement_Reversal", n, -taken, "-42.66", orig=f"R{n}",
            orig_type="CustomerReturn", total=f"-{taken * 4266 / 100:.2f}", sku=f"Amazon.Found.B{n}", fnsku=f"B{n}",
        )  # fmt: skip
    f.settle("1", "2026-01-01", "2026-03-30", rows)
    assert findings(f, DAY, *AUDITS) == lines(f"""
        reimbursement_reversed|claimable|2026-02-20|2026-02-20||{o(1)}|V1|S1|2|42.66|85.32
        reimbursement_reversed|claimable|2026-02-20|2026-02-20||{o(2)}|V2|S2|1|42.66|42.66
        reimbursement_reversed|claimable|2026-02-20|2026-02-20||{o(4)}|V4|S4|1|42.66|42.66
    """)


def test_a_return_under_another_sku_of_the_product_is_the_refunded_unit():
    f = Folder()
    rows = []
    for n, disp in enumerate(["CUSTOMER_DAMAGED", "DAMAGED", "DAMAGED"], 1):
        f.product(n).product(20 + n).ret("2026-01-20", o(n), 20 + n, disp)
        f.rows["products"][-1]["fnsku"] = f.rows["returns"][-1]["fnsku"] = f"X{n}"  # S1 and S21 share X1
        rows += sold(n) + back(n)
    rows += paid("2026-02-22", BACK, "42.66", 23, o(3))  # paid under the other SKU, too
    f.reimb("2026-02-20", "R3", "CustomerReturn", 23, 1, "42.66", order=o(3))
    f.rows["reimb"][-1]["fnsku"] = "X3"
    f.product(4).product(24).ret("2026-01-20", o(4), 24, "CUSTOMER_DAMAGED")  # another product
    rows += sold(4) + back(4)
    f.settle("1", "2026-01-01", "2026-03-30", rows)
    damaged = f"return_unpaid|claimable|2026-01-10|2026-03-11|2026-05-10|{o(2)}||S2|1|42.66|42.66"
    assert findings(f, DAY, *AUDITS) == [missing(4), damaged]


@pytest.mark.parametrize(("paid_as", "came_as"), [("S21", "S1"), ("S21", "S21"), ("", "S1")])
def test_a_unit_paid_under_another_sku_of_the_product_and_then_returned_is_taken_back_rightly(paid_as, came_as):
    f = Folder()
    f.product(1).product(21)
    f.rows["products"][-1]["fnsku"] = "X1"  # S1 and S21 share it
    f.reimb("2026-02-05", "R1", "CustomerReturn", 1, 1, "42.66", order=o(1))
    f.rows["reimb"][-1]["sku"] = paid_as
    f.ret("2026-02-10", o(1), 1, "CUSTOMER_DAMAGED")
    f.rows["returns"][-1]["sku"] = came_as
    f.reimb(
        "2026-02-20", "V1", "Reimbursement_Reversal", 1, -1, "-42.66", orig="R1", orig_type="CustomerReturn",
        total="-42.66", sku="Amazon.Found.B1", fnsku="B1",
    )  # fmt: skip
    rows = sold(1) + back(1) + paid("2026-02-06", BACK, "42.66", paid_as[1:] or 1, o(1))
    f.settle("1", "2026-01-01", "2026-03-30", rows)
    assert findings(f, DAY, *AUDITS) == []


def test_refunds_and_returns():
    f = Folder()
    rows = sold(1) + back(1)
    rows += sold(2) + back(2)  # a late return
    f.ret("2026-02-20", o(2), 2, "CUSTOMER_DAMAGED")
    rows += sold(3) + back(3) + paid("2026-02-22", BACK, "43.29", 3, o(3))  # paid, told twice
    f.reimb("2026-02-20", "R3", "CustomerReturn", 3, 1, "43.29", order=o(3))
    rows += sold(4) + back(4) + paid("2026-02-22", BACK, "43.29", 4, o(4))  # paid, told by the settlement only
    rows += (
        sold(5) + back(5) + paid("2026-02-22", BACK, "43.29", 5, o(5))
    )  # an error of customer service under the other code
    f.reimb("2026-02-20", "R5", "CustomerServiceIssue", 5, 1, "43.29", order=o(5))
    rows += sold(6, q=3, price="180.00", fee="28.89", fba="23.13") + back(6, price="120.00", fee="19.26", kept="3.85")
    f.ret("2026-02-20", o(6), 6, "CUSTOMER_DAMAGED")  # two of three refunded, one came back
    rows += sold(7) + back(7, price="25.00", fee="4.01", kept="0.80")  # less than a unit
    rows += sold(8) + back(8, price="25.00", fee="4.01", kept="0.80") + back(8, "2026-01-12", "35.00", "5.62", "1.13")
    rows += sold(9) + back(9, "2026-01-30") + sold(10) + back(10, "2026-01-31")  # 60 and 59 days
    rows += (
        sold(11, "2025-11-01") + back(11, "2025-12-01") + sold(12, "2025-11-01") + back(12, "2025-11-30")
    )  # 120 and 121
    rows += two(13) + paid("2026-02-22", BACK, "43.29", 13, o(13))
    f.reimb("2026-02-20", "R13", "CustomerReturn", 13, 1, "43.29", order=o(13))
    rows += [(*r[:8], r[8] | {"fulfillment-id": "MFN"}) for r in sold(14) + back(14)]  # shipped by the seller
    rows += sold(15) + back(15)
    f.ret("2026-01-20", o(15), 15, "DAMAGED").ret("2026-01-21", o(15), 15, "DAMAGED")  # one unit, twice in the report
    rows += sold(16) + back(16) + paid("2026-02-22", BACK, "42.66", 16, o(16))
    f.ret("2026-01-20", o(16), 16, "CARRIER_DAMAGED").reimb(
        "2026-02-20", "R16", "CustomerReturn", 16, 1, "42.66", order=o(16)
    )
    rows += sold(17)
    f.ret("2026-01-20", o(17), 17, "DAMAGED")  # no refund: from the return
    rows += two(18) + paid("2026-02-22", BACK, "42.66", 18, o(18))  # pays the damaged unit, the other one is missing
    f.ret("2026-01-20", o(18), 18, "DAMAGED").reimb("2026-02-20", "R18", "CustomerReturn", 18, 1, "42.66", order=o(18))
    rows += (
        sold(20)
        + back(20)
        + sold(21)
        + back(21)
        + sold(22)
        + back(22)
        + two(23)
        + sold(24)
        + back(24)
        + sold(25)
        + back(25)
    )
    f.ret("2026-01-15", o(20), 20)
    f.ret("2026-01-15", o(21), 21).led("2026-01-16", 21, 1, event="CustomerReturns", ref=o(21))
    f.ret("2026-01-15", o(22), 22).led("2026-02-26", 22, 1, event="CustomerReturns", ref=o(22))  # late, but there
    f.ret("2026-01-15", o(23), 23, qty=2).led("2026-01-16", 23, 1, event="CustomerReturns", ref=o(23))
    f.ret("2026-03-21", o(24), 24).ret("2026-03-20", o(25), 25)  # 10 and 11 days
    rows += sold(26) + back(26, price="65.00")
    f.ret("2026-01-15", o(26), 26, "CUSTOMER_DAMAGED")
    rows += (
        sold(27) + back(27, price="35.00", fee="5.62", kept="1.13") + back(27, "2026-01-12", "30.00", "4.01", "0.80")
    )
    f.ret("2026-01-15", o(27), 27, "CUSTOMER_DAMAGED")
    rows += sold(28) + back(28)
    f.ret("2026-01-15", o(28), 28, "CUSTOMER_DAMAGED", reason="SWITCHEROO", lpn="LPNX")
    rows += back(29)  # the charge is in no settlement here
    rows += sold(30) + back(30) + paid("2026-02-22", "LOST_OUTBOUND", "42.66", 30, o(30))  # lost on its way and paid
    f.reimb("2026-02-20", "R30", "Lost_Outbound", 30, 1, "42.66", order=o(30))
    expected = lines(f"""
        {missing(1)}
        {missing(6)}
        {missing(8, "claimable|2026-01-12|2026-03-13|2026-05-12")}
        {missing(9, "claimable|2026-01-30|2026-03-31|2026-05-30")}
        {missing(10, "waiting|2026-01-31|2026-04-01|2026-05-31")}
        {missing(11, "claimable|2025-12-01|2026-01-30|2026-03-31")}
        {missing(12, "expired|2025-11-30|2026-01-29|2026-03-30")}
        {missing(13)}
        {missing(18)}
        return_unpaid|claimable|2026-01-10|2026-03-11|2026-05-10|{o(15)}||S15|1|42.66|42.66
        return_unpaid|claimable|2026-01-20|2026-03-21|2026-05-20|{o(17)}||S17|1|42.66|42.66
        return_not_restocked|claimable|2026-01-15|2026-03-16|2026-05-15|{o(20)}||S20|1|42.66|42.66
        return_not_restocked|claimable|2026-01-15|2026-03-16|2026-05-15|{o(23)}||S23|1|42.66|42.66
        return_not_restocked|waiting|2026-03-20|2026-05-19|2026-07-18|{o(25)}||S25|1|42.66|42.66
        refund_exceeds_charge|claimable|2026-01-10|2026-01-10||{o(26)}||S26|||5.00
        refund_exceeds_charge|claimable|2026-01-12|2026-01-12||{o(27)}||S27|||5.00
        return_wrong_item|review|2026-01-15|||{o(28)}|LPNX|S28|1||
    """)
    f.settle("901", "2025-10-15", "2026-03-25", rows)
    assert findings(f, DAY, *AUDITS) == expected
    f.settlements = [(*f.settlements[0][:6], "V1")]
    assert findings(f, DAY, *AUDITS) == expected


def in_settlement(rows):
    f = Folder()
    f.settle("901", "2026-01-01", "2026-03-25", rows)
    return f


def test_a_payment_that_the_settlement_splits_or_names_otherwise_is_one_payment():
    """Of two units one is paid: told by the report as one, by the settlement in two lines, or under another code."""
    f = Folder()
    rows = two(70) + paid("2026-02-22", BACK, "20.00", 70, o(70)) + paid("2026-02-22", BACK, "22.66", 70, o(70))
    f.reimb("2026-02-20", "R70", "CustomerReturn", 70, 1, "42.66", order=o(70))
    rows += two(71) + paid("2026-02-22", BACK, "42.66", 71, o(71))  # one came back damaged and is paid as such
    f.ret("2026-01-20", o(71), 71, "DAMAGED").reimb(
        "2026-02-20", "R71", "Damaged_Warehouse", 71, 1, "42.66", order=o(71)
    )
    rows += two(72) + paid("2026-02-22", BACK, "42.66", 72, o(72)) + paid("2026-03-12", BACK, "42.66", 72, o(72))
    f.reimb("2026-02-20", "R72", "CustomerReturn", 72, 1, "42.66", order=o(72))  # the second one only settled
    f.settle("9001", "2026-01-01", "2026-03-31", rows)
    assert findings(f, DAY, *AUDITS) == lines(f"""
        {missing(70)}
        {missing(71)}
        """)
    history = settled_units(f)
    assert history == [
        ("refund_without_return", o(70), "2026-02-20", 1, "42.66"),
        ("refund_without_return", o(72), "2026-02-20", 1, "42.66"),
        ("refund_without_return", o(72), "2026-03-12", 1, "42.66"),
        ("return_unpaid", o(71), "2026-02-20", 1, "42.66"),
    ]


def test_a_payment_for_an_order_without_a_sku_is_for_its_only_refunded_item():
    f = Folder()
    rows = sold(75) + back(75) + paid("2026-02-22", BACK, "42.66", order=o(75))  # told by the settlement only
    rows += sold(76) + back(76)
    f.reimb("2026-02-20", "R76", "CustomerReturn", 76, 1, "42.66", order=o(76))
    f.rows["reimb"][-1]["sku"] = ""
    rows += (
        sold(77) + back(77) + sale(o(77), 99, "2026-01-02", "8.00", "1.20", "3.00")
    )  # the other item was not refunded
    rows += paid("2026-02-22", BACK, "42.66", order=o(77))
    rows += sold(79) + back(79) + paid("2026-02-22", "CS_ERROR_NON_ITEMIZED", "5.00", order=o(79))  # for no item
    f.settle("9001", "2026-01-01", "2026-03-31", rows)
    assert findings(f, DAY, "refund_without_return") == [missing(79)]
    assert [row[1] for row in settled_units(f)[:3]] == [o(75), o(76), o(77)]


def test_of_several_refunded_items_none_is_claimed_that_a_payment_without_a_sku_may_have_paid():
    f = Folder()
    rows = []
    for order in (81, 82, 83):
        other = sale(o(order), 90, "2026-01-02", "60.00", "9.63", "7.71") + refund(o(order), 90, "2026-01-10", "60.00")
        rows += sold(order) + back(order) + other
    rows += paid("2026-02-22", BACK, "42.66", order=o(81))
    f.reimb("2026-02-20", "R82", "CustomerReturn", 82, 1, "42.66", order=o(82))
    f.rows["reimb"][-1]["sku"] = ""
    # the line names no SKU, but pays the report's row, which does
    f.reimb("2026-02-20", "R83", "CustomerReturn", 83, 1, "42.66", order=o(83))
    rows += paid("2026-02-22", BACK, "42.66", order=o(83))
    f.settle("9001", "2026-01-01", "2026-03-31", rows)
    told = findings(f, DAY, "refund_without_return", columns=["order_id", "sku", "status", "owed", "reason"])
    why = "a payment that names the order names no SKU"
    assert told == sorted(
        [f"{o(n)}|{sku}|waiting|42.66|{why}" for n in (81, 82) for sku in (f"S{n}", "S90")]
        + [f"{o(83)}|S90|claimable|42.66|"]
    )


def settled_units(f):
    with tempfile.TemporaryDirectory() as place:
        told = reconcile(open_account(f.write(place), DAY, store=Path(place) / "store")).history
    of_orders = told.filter(pl.col("order_id").is_not_null()).select(
        "audit", "order_id", "paid_on", "quantity", "amount"
    )
    return sorted((a, number, str(on), n, f"{money:.2f}") for a, number, on, n, money in of_orders.rows())


def test_an_order_of_one_unit_has_one_unit_to_claim_however_often_its_return_is_told():
    f = Folder()
    rows = sold(60) + back(60) + sold(61) + back(61) + two(62) + sold(63)
    f.ret("2026-01-20", o(60), 60, "SELLABLE").ret("2026-01-22", o(60), 60, "DAMAGED")  # graded anew
    f.ret("2026-01-20", o(61), 61, "SELLABLE").ret("2026-01-21", o(61), 61, "SELLABLE")
    f.led("2026-01-22", 61, 1, event="CustomerReturns", ref=o(61))
    f.ret("2026-01-20", o(62), 62, "SELLABLE").ret("2026-01-22", o(62), 62, "DAMAGED")  # one unit each
    f.ret("2026-01-20", o(63), 63, "SELLABLE").ret("2026-01-21", o(63), 63, "SELLABLE")
    f.settle("9001", "2026-01-01", "2026-03-31", rows)
    assert findings(f, DAY, *AUDITS) == lines(f"""
        return_unpaid|claimable|2026-01-10|2026-03-11|2026-05-10|{o(60)}||S60|1|42.66|42.66
        return_unpaid|claimable|2026-01-10|2026-03-11|2026-05-10|{o(62)}||S62|1|42.66|42.66
        return_not_restocked|claimable|2026-01-20|2026-03-21|2026-05-20|{o(62)}||S62|1|42.66|42.66
        return_not_restocked|claimable|2026-01-21|2026-03-22|2026-05-21|{o(63)}||S63|1|42.66|42.66
        """)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # 70.00 of three units of 60.00
        (sold(1, q=3, price="180.00", fee="28.89", fba="23.13") + back(1, price="70.00", fee="11.24", kept="2.25"), [missing(1)]),
        # three parts of one unit: the last day counts
        (sold(1) + back(1, price="20.00") + back(1, "2026-01-12", "20.00") + back(1, "2026-01-14", "20.00"),
         [missing(1, "claimable|2026-01-14|2026-03-15|2026-05-14")]),
        # two items of one SKU: the refunded one was 50.00 − 8.00 − 7.71
        (sold(1) + sold(1, price="50.00", fee="8.00", **{"order-item-code": "B"}) + back(1, price="50.00", fee="8.00", **{"order-item-code": "B"}),
         [missing(1, owed="34.29", each="34.29")]),
        (sold(1, promo="-10.00") + back(1), [missing(1)]),
        (sold(1, tax="5.00", ship="4.00") + back(1, ship="4.00"), [missing(1)]),
        (sold(1) + back(1, price="59.99"), []),
        # the payment came in two lines
        (sold(1) + back(1) + 2 * paid("2026-02-12", BACK, "21.65", 1, o(1)), []),
        # nine in the evening of the 30th in Los Angeles
        (sold(1) + [(*r[:8], r[8] | {"posted-date-time": "2026-01-31 05:00:00 UTC"}) for r in back(1, "2026-01-31")],
         [missing(1, "claimable|2026-01-30|2026-03-31|2026-05-30")]),
    ],
)  # fmt: skip
def test_refunds_of_one_order(rows, expected):
    assert findings(in_settlement(rows), DAY, *AUDITS) == expected


def test_a_payment_taken_back_is_claimed_once():
    rows = sold(1) + back(1) + paid("2026-02-12", BACK, "42.66", 1, o(1)) + paid("2026-03-03", CLAWED, "-42.66", 1)
    f = in_settlement(rows).reimb("2026-02-10", "R1", "CustomerReturn", 1, 1, "42.66", order=o(1))
    f.reimb(
        "2026-03-01",
        "V1",
        "Reimbursement_Reversal",
        1,
        -1,
        "-42.66",
        orig="R1",
        orig_type="CustomerReturn",
        total="-42.66",
    )
    assert findings(f, DAY, *AUDITS) == [
        f"reimbursement_reversed|claimable|2026-03-01|2026-03-01||{o(1)}|V1|S1|1|42.66|42.66"
    ]
    f.ret("2026-02-25", o(1), 1).led("2026-02-26", 1, 1, event="CustomerReturns", ref=o(1))  # it came back after all
    assert findings(f, DAY, *AUDITS) == []


@pytest.mark.parametrize(
    ("day", "state"),
    [("2026-03-10", "waiting"), ("2026-03-11", "claimable"), ("2026-05-10", "claimable"), ("2026-05-11", "expired")],
)
def test_two_weeks_of_settlements_are_enough(day, state):
    f = Folder().settle("901", "2026-01-01", "2026-01-15", sold(1) + back(1))
    f.ret("2026-01-12", o(77), 77, "DEFECTIVE").reimb("2026-01-08", "R78", "Lost_Warehouse", 78, 1, "5.00")
    assert findings(f, day, "refund_without_return") == [missing(1, f"{state}|2026-01-10|2026-03-11|2026-05-10")]


@pytest.mark.parametrize("market", ["UK", "DE"])
def test_european_windows(market):
    f = Folder(market, **({"cep_enrolled": "true"} if market == "DE" else {}))
    rows = (
        sold(1, "2025-11-05") + back(1, "2026-02-14") + sold(2, "2025-11-05") + back(2, "2026-02-15")
    )  # 45 and 44 days
    rows += sold(3, "2025-11-05") + back(3, "2025-12-16") + sold(4, "2025-11-05") + back(4, "2025-12-15")  # 105 and 106
    rows += sold(5, price="1234.56", fee="234.56", fba="7.71") + back(5, price="1234.56", fee="234.56", kept="5.00")
    f.settle("901", "2025-11-01", "2026-03-25", rows)
    assert findings(f, DAY, *AUDITS) == lines(f"""
        {missing(1, "claimable|2026-02-14|2026-03-31|2026-05-30")}
        {missing(2, "waiting|2026-02-15|2026-04-01|2026-05-31")}
        {missing(3, "claimable|2025-12-16|2026-01-30|2026-03-31")}
        {missing(4, "expired|2025-12-15|2026-01-29|2026-03-30")}
        {missing(5, "claimable|2026-01-10|2026-02-24|2026-04-25", 1, "992.29", "992.29")}
    """)


def test_the_window_before_and_after_october_2024():
    rows = sold(1, "2024-08-02") + back(1, "2024-09-07") + sold(2, "2024-08-02") + back(2, "2024-09-08")
    f = Folder().settle("901", "2024-08-01", "2024-10-15", rows)
    assert findings(f, "2024-10-22", *AUDITS) == [
        missing(1, "claimable|2024-09-07|2024-10-22|2026-03-07"), missing(2, "waiting|2024-09-08|2024-10-23|2026-03-08")
    ]  # fmt: skip
    assert findings(f, "2024-10-23", *AUDITS) == [
        missing(1, "waiting|2024-09-07|2024-11-06|2025-01-05"), missing(2, "waiting|2024-09-08|2024-11-07|2025-01-06")
    ]  # fmt: skip


def test_an_order_that_earned_nothing_has_no_value_and_says_so(tmp_path):
    """9.00 − 1.35 − 8.50 = −0.85 a unit: nothing can be claimed for it, and its charge is not what is missing."""
    f = Folder()
    f.settle("1", "2025-11-01", "2026-02-27",
             sale("111-1", 1, "2025-11-05", "9.00", "1.35", "8.50") + refund("111-1", 1, "2025-12-01", "9.00", "1.35", "0.27")
             + refund("111-2", 2, "2025-12-01", "9.00", "1.35", "0.27"))  # fmt: skip
    f.ret("2025-12-09", "111-2", 2, "DAMAGED").write(tmp_path)
    rows = reconcile(open_account(tmp_path, "2026-03-01", store=tmp_path / "store")).findings
    told = {r["order_id"]: (r["owed"], r["reason"]) for r in rows.iter_rows(named=True)}
    assert told == {
        "111-1": (None, "value unknown: the order's price less its fees is not above zero"),
        "111-2": (None, "value unknown: the order's charge is in no settlement here"),
    }


def test_a_payment_that_only_the_settlement_tells_is_history_with_the_label_of_the_product(tmp_path):
    f = Folder().product(1, "5.00")
    rows = sale("111-0000001-0000000", 1, "2025-12-01", "20.00", "3.00", "4.00")
    rows += refund("111-0000001-0000000", 1, "2025-12-20", "20.00")
    rows += paid("2026-02-10", "REVERSAL_REIMBURSEMENT", "13.00", 1, order="111-0000001-0000000")
    f.settle("901", "2025-11-25", "2026-03-25", rows).write(tmp_path / "one")
    day = reconcile(open_account(tmp_path / "one", "2026-03-31", store=tmp_path / "store"))
    told = day.history.select("audit", "sku", "fnsku", "order_id", "quantity").rows()
    assert told == [("refund_without_return", "S1", "X1", "111-0000001-0000000", 1)]


def test_a_rejected_row_that_names_the_order_keeps_its_claim_waiting():
    """Whether the unit of the rejected row came back or was paid is not known; other orders are claimed."""
    f = Folder()
    rows = [line for n in (1, 2, 3, 4) for line in sold(n) + back(n)]
    f.ret("2026-02-20", o(1), 1, "CUSTOMER_DAMAGED", qty="one").ret("2026-02-20", o(9), 9, qty="x")
    f.ret("2026-02-20", o(2), 2, "CUSTOMER_DAMAGED")
    f.ret("2026-02-21", o(4), 4, "DAMAGED")
    f.reimb("2026-02-22", "R3", "CustomerReturn", 3, 1, "43.29", order=o(3))
    f.reimb("2026-02-22", "R4", "CustomerReturn", 4, 1, "43.29", order=o(4))
    for row in f.rows["reimb"]:
        row["approval-date"] = "2026-02-31"
    f.settle("9001", "2026-01-01", "2026-03-31", rows)
    asked = ["audit", "status", "order_id", "owed", "reason"]
    why = "a row of {} that names the order was rejected"
    assert findings(f, DAY, "refund_without_return", "return_unpaid", columns=asked) == [
        f"refund_without_return|waiting|{o(1)}|42.66|{why.format('customer returns')}",
        f"refund_without_return|waiting|{o(3)}|42.66|{why.format('reimbursements')}",
        f"return_unpaid|waiting|{o(4)}|42.66|{why.format('reimbursements')}",
    ]
