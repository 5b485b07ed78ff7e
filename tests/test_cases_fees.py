"""Fees, from report files to findings: every expected fee worked out by hand from the cards.

LARGE: 14 × 10 × 4 in, 4.60 lb: large standard, 4.60 lb (dimensions give 4.03): 6.92 + 7 × 0.08 = 7.48 in 2025, 7.53 in 2026.
POUND: 8 × 6 × 2 in, 1.00 lb: large standard, 16 oz: 4.55 in 2025, 4.84 in its peak, 3.78 / 4.60 / 4.86 by price in 2026.
"""

from __future__ import annotations

import pytest
from case_folder import D, Folder, findings, lines, paid, refund, sale

from recon_lib.books import open_account
from recon_lib.reconcile import reconcile

LARGE, POUND = (("14", "10", "4"), "4.60"), (("8", "6", "2"), "1.00")
SMALL, FLAT = (("10", "6", "0.5"), "0.25"), (("40", "20", "1"), "5.00")
FEES = ("fulfilment_fee_overcharge", "measurement_error")


def o(number):
    return f"111-{number:07d}-0000001"


def over(n, day, until, each, owed, units=1, *, state="claimable", audit="fulfilment_fee_overcharge", order=None):
    return f"{audit}|{state}|{day}|{day}|{until}|{o(order or n)}|901|S{n}|{units}|{each}|{owed}"


def measured(sizes, market="US", **more):
    f = Folder(market, **more)
    for number, (sides, weight) in sizes.items():
        f.measured(number, sides, weight)
    return f


def test_the_card_of_2025():
    sizes = dict.fromkeys(range(1, 16), LARGE) | {2: SMALL, 3: SMALL, 4: SMALL, 5: SMALL, 7: POUND, 8: POUND, 9: FLAT}
    f, day = measured(sizes), "2025-06-10"
    charged = {1: "8.00", 2: "3.15", 3: "3.16", 4: "3.17", 6: "7.00", 9: "15.00", 10: "7.48", 11: "8.00", 15: "8.00"}
    rows = [line for n, fee in charged.items() for line in sale(o(n), n, day, "30.00", fba=fee)]
    rows += (
        sale(o(5), 5, day, "90.00", fba="9.60", qty=3)
        + sale(o(7), 7, day, "9.99", fba="4.55")
        + sale(o(8), 8, day, "10.00", fba="4.55")
    )
    rows += sale(o(12), 99, day, "30.00", fba="8.00")  # not measured
    rows += sale(o(13), 13, "2025-04-01", "30.00", fba="8.00") + sale(
        o(14), 14, "2025-04-02", "30.00", fba="8.00"
    )  # 91, 90 days
    f.product(10, "5.00", sides=POUND[0], weight=POUND[1]).product(11, "5.00", sides=POUND[0], weight=POUND[1])
    f.reimb("2025-06-20", "R15", "Fee_Correction", 15, 1, "0.52")
    f.settle("901", "2025-04-01", "2025-06-25", rows + paid("2025-06-22", "INCORRECT_FEES_ITEMS", "0.52", 15))
    until = "2025-09-08"
    assert findings(f, "2025-07-01", *FEES) == sorted([
        over(1, day, until, "0.52", "0.52"),
        over(4, day, until, "0.02", "0.02"),  # 4 oz cost 3.15; one cent a unit is tolerated
        over(5, day, until, "0.05", "0.15", 3),
        over(7, day, until, "0.77", "0.77"),  # low price up to 9.99: 3.78
        over(9, day, until, "1.21", "1.21"),  # a flat parcel counts 2 in high: 11.51 lb, 9.61 + 11 × 0.38 = 13.79
        over(10, day, until, "2.93", "2.93", audit="measurement_error"),
        over(11, day, until, "2.93", "2.93", audit="measurement_error"),
        over(11, day, until, "0.52", "0.52"),
        over(13, "2025-04-01", "2025-06-30", "0.52", "0.52", state="expired"),
        over(14, "2025-04-02", "2025-07-01", "0.52", "0.52"),
    ])  # fmt: skip


def test_a_correction_is_history_with_the_day_it_was_settled(tmp_path):
    f = measured({1: POUND}).reimb("2026-02-20", "R1", "Fee_Correction", 1, 1, "0.40")
    rows = sale(o(1), 1, "2026-01-20", "30.00", fba="5.00") + paid("2026-02-22", "INCORRECT_FEES_ITEMS", "0.40", 1)
    f.settle("901", "2026-01-01", "2026-03-25", rows).write(tmp_path / "one")
    day = reconcile(open_account(tmp_path / "one", "2026-03-31", store=tmp_path / "store"))
    assert day.findings.is_empty()
    (row,) = day.history.rows()
    days = [str(value) for value in row[1:4]]
    assert (row[0], days, row[5]) == (
        "fulfilment_fee_overcharge",
        ["2026-01-20", "2026-02-20", "2026-02-22"],
        D("0.40"),
    )


def test_both_sides_of_every_change():
    f = measured(dict.fromkeys(range(1, 14), POUND))
    rows = []
    for n, (day, price, fee) in enumerate([
        ("2025-10-14", "30.00", "4.84"), ("2025-10-15", "30.00", "4.84"), ("2026-01-14", "30.00", "4.84"), ("2026-01-15", "30.00", "4.84"),
        ("2026-04-16", "30.00", "4.76"), ("2026-04-17", "30.00", "4.76"), ("2026-04-17", "30.00", "4.90"),  # 4.60 × 1.035 = 4.761
        ("2026-02-16", "9.99", "4.60"), ("2026-02-16", "10.00", "4.60"), ("2026-02-16", "50.00", "4.86"), ("2026-02-16", "50.01", "4.86"),
    ], 1):  # fmt: skip
        rows += sale(o(n), n, day, price, fba=fee)
    rows += sale(o(12), 12, "2026-02-16", "100.00", fba="9.72", qty=2)  # 50.00 a unit
    f.settle("901", "2025-10-01", "2026-04-20", rows)
    assert findings(f, "2026-04-20", *FEES) == sorted([
        over(1, "2025-10-14", "2026-01-12", "0.29", "0.29", state="expired"),
        over(4, "2026-01-15", "2026-04-15", "0.24", "0.24", state="expired"),
        over(5, "2026-04-16", "2026-07-15", "0.16", "0.16"),
        over(7, "2026-04-17", "2026-07-16", "0.14", "0.14"),
        over(8, "2026-02-16", "2026-05-17", "0.82", "0.82"),
        over(10, "2026-02-16", "2026-05-17", "0.26", "0.26"),
        over(12, "2026-02-16", "2026-05-17", "0.26", "0.52", 2),
    ])  # fmt: skip


@pytest.mark.parametrize(("enrolled", "card"), [("true", "3.18"), ("false", "3.44")])
def test_germany(enrolled, card):
    # 20 × 14 × 7 cm are 0.392 kg by size: small parcel up to 400 g, 3.13 or 3.39 × 1.015
    f = measured(dict.fromkeys((1, 2, 3), (("20", "14", "7"), "0.40")), "DE", cep_enrolled=enrolled)
    rows = sale(o(1), 1, "2026-09-10", "30.00", fba=card) + sale(o(2), 2, "2026-09-10", "30.00", fba="3.60")
    rows += sale(o(3), 3, "2026-10-15", "30.00", fba="3.60") + sale(
        o(4), 1, "2026-09-11", "60.00", fba="7.20", qty=2
    )  # peak: no rate known
    f.settle("901", "2026-07-01", "2026-10-20", rows)
    gap = D("3.60") - D(card)
    assert findings(f, "2026-10-20", *FEES) == [
        over(2, "2026-09-10", "2026-12-09", gap, gap), over(1, "2026-09-11", "2026-12-10", gap, 2 * gap, 2, order=4)
    ]  # fmt: skip


def test_the_united_kingdom():
    f = Folder("UK").measured(1, ("30", "20", "2"), "0.21").measured(2, ("30", "20", "2"), "210", wu="grams")
    f.settle(
        "901",
        "2026-07-01",
        "2026-09-20",
        sale(o(1), 1, "2026-09-10", "30.00", fba="2.13") + sale(o(2), 2, "2026-09-10", "30.00", fba="2.40"),
    )
    assert findings(f, "2026-09-20", *FEES) == [
        over(2, "2026-09-10", "2026-12-09", "0.27", "0.27")
    ]  # 2.10 × 1.015 = 2.1315


BEAUTY, HOME = "Beauty, Health and Personal Care", "Home and Kitchen"


@pytest.mark.parametrize(
    ("category", "price", "fee", "more", "each", "owed"),
    [
        (HOME, "20.00", "3.40", {}, "0.40", "0.40"),
        (HOME, "1.50", "0.30", {}, None, None),  # the minimum
        (HOME, "2.40", "0.60", {"qty": 2}, None, None),
        (BEAUTY, "10.00", "1.50", {}, "0.70", "0.70"),
        (BEAUTY, "10.01", "1.50", {}, None, None),
        (BEAUTY, "9.00", "1.50", {"ship": "2.00", "promo": "-1.00"}, "0.70", "0.70"),
        (BEAUTY, "18.00", "2.70", {"qty": 2}, "0.63", "1.26"),
        (BEAUTY, "30.00", "2.43", {"qty": 3}, None, None),  # one cent a unit
        ("Electronics Accessories", "150.00", "22.50", {}, "3.50", "3.50"),
        ("Furniture", "400.00", "60.00", {}, "10.00", "10.00"),
        ("Furniture", "400.00", "60.00", {"qty": 2}, None, None),
        ("Watches", "2000.00", "320.00", {}, "65.00", "65.00"),
        ("Clothing and Accessories", "20.00", "3.40", {}, "1.40", "1.40"),
        ("Grocery and Gourmet", "1.00", "0.30", {}, "0.22", "0.22"),  # no minimum
        (HOME, "20.00", "3.75", {"wrap": "5.00", "tax": "2.00"}, None, None),
        (HOME, "20.00", "2.80", {"promo": "-4.00"}, "0.40", "0.40"),
        (HOME, "33.33", "5.00", {}, None, None),
        ("Something Else", "20.00", "9.00", {}, None, None),
    ],
)  # fmt: skip
def test_referral_fees(category, price, fee, more, each, owed):
    f = (
        Folder()
        .product(1, "1.00", category=category)
        .settle("901", "2026-02-01", "2026-02-15", sale(o(1), 1, "2026-02-10", price, fee, **more))
    )
    expected = (
        [over(1, "2026-02-10", "2026-05-11", each, owed, more.get("qty", 1), audit="referral_fee_error")]
        if owed
        else []
    )
    assert findings(f, "2026-02-20", "referral_fee_error") == expected


def test_referral_fees_by_day_and_store():
    f = Folder().product(1, "1.00", category="Clothing and Accessories")
    f.settle(
        "901",
        "2024-01-01",
        "2024-01-20",
        sale(o(1), 1, "2024-01-14", "14.00", "2.38") + sale(o(2), 1, "2024-01-15", "14.00", "2.38"),
    )
    assert findings(f, "2024-01-25", "referral_fee_error") == [
        over(1, "2024-01-15", "2024-04-14", "1.68", "1.68", audit="referral_fee_error", order=2)
    ]
    f = Folder("DE", cep_enrolled="true").product(1, "1.00", category="Beauty").product(2, "1.00", category="Schmuck")
    rows = (
        sale(o(1), 1, "2026-02-10", "10.00", "1.50")
        + sale(o(2), 2, "2026-02-10", "300.00", "60.00")
        + sale(o(3), 1, "2026-02-10", "1234.56", "185.18")
    )
    f.settle("901", "2026-02-01", "2026-02-15", rows)
    assert findings(f, "2026-02-20", "referral_fee_error") == [
        over(1, "2026-02-10", "2026-05-11", "0.70", "0.70", audit="referral_fee_error"),
        over(2, "2026-02-10", "2026-05-11", "7.50", "7.50", audit="referral_fee_error"),
    ]  # fmt: skip


def given_back(n, price, fee, refunded, returned, kept, **more):
    return sale(o(n), n, "2026-02-10", price, fee, **more) + refund(o(n), n, "2026-03-05", refunded, returned, kept)


def test_refund_fees():
    rows = given_back(1, "60.00", "9.00", "60.00", "9.00", "1.80") + given_back(
        2, "60.00", "9.00", "60.00", "9.00", "2.50"
    )
    rows += given_back(3, "300.00", "45.00", "300.00", "45.00", "5.00") + given_back(
        4, "300.00", "45.00", "300.00", "45.00", "9.00"
    )
    rows += given_back(5, "60.00", "9.00", "30.00", "4.50", "0.90") + given_back(
        6, "60.00", "9.00", "30.00", "4.00", "0.90"
    )
    rows += given_back(7, "60.00", "9.00", "60.00", None, None) + given_back(
        8, "300.00", "45.00", "150.00", "22.50", "4.50"
    )
    rows += given_back(10, "60.00", "9.00", "60.00", "9.00", "1.81") + given_back(
        12, "600.00", "90.00", "600.00", "90.00", "10.00", qty=2
    )
    rows += given_back(13, "600.00", "90.00", "600.00", "90.00", "18.00", qty=2)
    head = "refund_fee_kept|claimable|2026-03-05|2026-03-05|2026-06-03"
    f = Folder().settle("901", "2026-02-01", "2026-03-15", rows)
    assert findings(f, "2026-03-20", "refund_fee_kept") == lines(f"""
        {head}|{o(2)}|901|S2|1|0.70|0.70
        {head}|{o(4)}|901|S4|1|4.00|4.00
        {head}|{o(6)}|901|S6|||0.50
        {head}|{o(7)}|901|S7|1|7.20|7.20
        {head}|{o(8)}|901|S8|||2.00
        {head}|{o(13)}|901|S13|2|4.00|8.00
    """)
    rows = given_back(2, "60.00", "9.00", "60.00", "9.00", "2.50")
    assert (
        findings(Folder("UK").settle("901", "2026-02-01", "2026-03-15", rows), "2026-03-20", "refund_fee_kept") == []
    )  # no share known
    german = Folder("DE", cep_enrolled="true").settle("901", "2026-02-01", "2026-03-15", rows)
    assert findings(german, "2026-03-20", "refund_fee_kept") == [f"{head}|{o(2)}|901|S2|1|0.70|0.70"]


def test_the_older_layout_and_the_last_day():
    f = Folder().measured(1, *POUND).product(1, "1.00")
    rows = sale(o(1), 1, "2026-02-10", "20.00", "3.40", "5.00") + sale(
        o(2), 1, "2026-02-10", "40.00", "6.80", "10.00", qty=2
    )
    f.settle("901", "2026-01-01", "2026-02-15", rows, layout="V1")
    for day, state in (("2026-05-11", "claimable"), ("2026-05-12", "expired")):
        assert findings(f, day, *FEES, "referral_fee_error") == sorted(
            over(1, "2026-02-10", "2026-05-11", "0.40", owed, units, state=state, audit=audit, order=units)
            for audit in ("fulfilment_fee_overcharge", "referral_fee_error") for units, owed in ((1, "0.40"), (2, "0.80"))
        )  # fmt: skip


def test_an_item_in_two_parcels_of_two_days_has_the_units_of_both():
    f = measured({1: POUND, 2: POUND}).product(1, "1.00").product(2, "1.00")
    # one of them has no shipment id at all; 4.60 a unit in February 2026, 15 % of 20.00
    rows = sale(o(1), 1, "2026-02-10", "20.00", "3.00", "5.00") + sale(o(1), 1, "2026-02-12", "20.00", "3.00", "4.60")
    rows += [(*line[:8], {"shipment-id": ""}) for line in sale(o(2), 2, "2026-02-10", "40.00", "6.00", "9.20", qty=2)]
    rows += [(*line[:8], {"shipment-id": ""}) for line in sale(o(2), 2, "2026-02-11", "20.00", "3.00", "4.60")]
    # the second half of a fee on a later day is no parcel: 2.30 + 2.70 = 5.00 for one unit
    late = sale(o(3), 1, "2026-02-10", "20.00", "3.00", "2.30") + sale(o(3), 1, "2026-02-12", None, None, "2.70")
    # of 60.00 commission 10.00 may be kept for two units of 200.00
    dear = sale(o(4), 1, "2026-02-10", "200.00", "30.00") + sale(o(4), 1, "2026-02-12", "200.00", "30.00")
    back = refund(o(4), 1, "2026-02-20", "400.00", "60.00", "10.00")
    f.settle("901", "2026-01-01", "2026-03-01", rows + late + dear + back)
    for layout in ("V2", "V1"):
        f.settlements = [(*s[:6], layout) for s in f.settlements]
        assert findings(f, "2026-03-10", *FEES, "referral_fee_error", "refund_fee_kept") == sorted([
            over(1, "2026-02-10", "2026-05-11", "0.20", "0.40", 2),
            over(1, "2026-02-10", "2026-05-11", "0.40", "0.40", order=3),
        ])  # fmt: skip


def test_refunds_beyond_the_charge_bring_no_more_commission_back():
    """34.37 charged, 17.18 and 21.39 refunded: commission 5.16 back in two halves, less 0.52 each: all that is due, 4.13 − 0.01."""
    rows = sale(o(1), 1, "2026-02-01", "34.37", "5.16", "4.00")
    rows += refund(o(1), 1, "2026-02-10", "17.18", "2.58", "0.52")
    rows += refund(o(1), 1, "2026-02-14", "21.39", "2.58", "0.52")
    # another item of which too little came back on the second refund: (6.00 − 1.20) / 2 − 1.40 = 1.00
    rows += sale(o(2), 2, "2026-02-01", "40.00", "6.00", "4.00")
    rows += refund(o(2), 2, "2026-02-10", "20.00", "3.00", "0.60") + refund(
        o(2), 2, "2026-02-14", "25.00", "2.00", "0.60"
    )
    f = Folder().settle("901", "2026-01-25", "2026-02-20", rows)
    f.ret("2026-02-12", o(1), 1, "DEFECTIVE").ret("2026-02-12", o(2), 2, "DEFECTIVE")
    assert findings(f, "2026-02-25", "refund_fee_kept", "refund_exceeds_charge") == [
        f"refund_exceeds_charge|claimable|2026-02-14|2026-02-14||{o(1)}||S1|||4.20",
        f"refund_exceeds_charge|claimable|2026-02-14|2026-02-14||{o(2)}||S2|||5.00",
        f"refund_fee_kept|claimable|2026-02-14|2026-02-14|2026-05-15|{o(2)}|901|S2|||1.00",
    ]


def test_a_month_that_has_not_ended_is_no_charge_of_the_day_yet():
    f = Folder().stored("2026-01", 1, "0.3241", "50.00", "15.00").stored("2026-02", 2, "0.3241", "50.00", "15.00")
    told = "storage_fee_overcharge|claimable|2026-01-31|2026-01-31|2026-05-01||2026-01 FC1||||2.36"
    assert findings(f, "2026-02-20", "storage_fee_overcharge") == [told]


def test_storage():
    f = (
        Folder().stored("2026-01", 1, "0.3241", "50.00", "15.00").stored("2026-01", 2, "0.3241", "50.00", "12.64")
    )  # 16.205 × 0.78
    f.stored("2025-12", 3, "1.0000", "10.00", "26.00").stored("2025-12", 4, "1.0000", "10.00", "24.00")
    f.stored("2025-12", 5, "10.0000", "2.00", "48.00", tier="Oversize").stored(
        "2026-01", 6, "10.0000", "2.00", "15.60", tier="Large bulky"
    )
    f.stored("2025-10", 7, "1.0000", "10.00", "7.80").stored("2025-09", 8, "1.0000", "10.00", "24.00", rate="2.40")
    f.stored("2026-01", 9, "1.0000", "1.00", "0.79").stored("2026-01", 10, "1.0000", "1.00", "0.80")
    january, december = (
        "claimable|2026-01-31|2026-01-31|2026-05-01||2026-01 FC1",
        "claimable|2025-12-31|2025-12-31|2026-03-31||2025-12 FC1",
    )
    assert findings(f, "2026-02-20", "storage_fee_overcharge") == sorted(
        f"storage_fee_overcharge|{row}" for row in (
            f"{january}||||2.36", f"{december}||||2.00", f"{december}||||20.00", f"{january}||||4.40", f"{january}||||0.02",
            "expired|2025-09-30|2025-09-30|2025-12-29||2025-09 FC1||||16.20",
        )
    )  # fmt: skip
