"""Fees that came back, in part or whole, by refunds and corrections; goods whose fees have a card of their own.

Home and Kitchen costs 15 % (3.00 of 20.00); a fifth of a refunded commission may be kept, at most 5.00 a unit.
POUND: 8 × 6 × 2 in, 1.00 lb: 4.60 in February 2026 for 10.00 to 50.00.
"""

from __future__ import annotations

import pytest
from case_folder import Folder, findings, lines, paid, refund, sale

POUND = (("8", "6", "2"), "1.00")
PARCEL = (("30", "20", "10"), "1.80")  # small parcel in Germany: 3.17 + 1.5 % = 3.22
FEES = ("fulfilment_fee_overcharge", "measurement_error")


def o(number):
    return f"111-{number:07d}-0000001"


def house(*numbers, market="US", category="Home and Kitchen"):
    f = Folder(market)
    for n in numbers:
        f.product(n, "1.00", category=category)
    return f


def back_again(n, price, fee, refunded, returned, kept, **more):
    return sale(o(n), n, "2026-02-03", price, fee, **more) + refund(o(n), n, "2026-02-20", refunded, returned, kept)


def test_commission_that_came_back_with_a_refund_is_not_claimed_again():
    rows = back_again(1, "20.00", "5.00", "20.00", "5.00", "1.00")  # a fifth of 2.00 was kept too much
    rows += sale(o(2), 2, "2026-02-03", "20.00", "5.00")
    rows += back_again(3, "20.00", "5.00", "20.00", "3.00", "0.60")  # 4.00 due, 2.40 came: paid 2.60 for 0.60
    rows += back_again(4, "20.00", "5.00", "10.00", "2.50", "0.50")  # 2.00 less half of 1.60
    rows += back_again(5, "40.00", "10.00", "20.00", "5.00", "1.00", qty=2)  # 4.00 less half of 3.20
    rows += back_again(6, "300.00", "60.00", "300.00", "60.00", "5.00")  # 5.00 may be kept of 45.00 too
    rows += back_again(7, "20.00", "5.00", "20.00", "5.00", None)  # all came back
    rows += back_again(8, "20.00", "5.00", "25.00", "5.00", "1.00")  # more refunded than charged
    f = house(*range(1, 9)).settle("901", "2026-02-01", "2026-02-25", rows)

    def head(n):
        return f"referral_fee_error|claimable|2026-02-03|2026-02-03|2026-05-04|{o(n)}|901|S{n}"

    assert findings(f, "2026-03-01", "referral_fee_error", "refund_fee_kept") == lines(f"""
        {head(1)}|1|0.40|0.40
        {head(2)}|1|2.00|2.00
        {head(3)}|1|0.40|0.40
        refund_fee_kept|claimable|2026-02-20|2026-02-20|2026-05-21|{o(3)}|901|S3|1|1.60|1.60
        {head(4)}|1|1.20|1.20
        {head(5)}|2|1.20|2.40
        {head(8)}|1|0.40|0.40
    """)
    before = [line.rsplit("|", 1)[1] for line in findings(f, "2026-02-19", "referral_fee_error")]
    assert before == ["2.00", "2.00", "2.00", "2.00", "4.00", "15.00", "2.00", "2.00"]
    (told,) = (
        row
        for row in findings(f, "2026-03-01", "referral_fee_error", columns=["order_id", "evidence"])
        if row.startswith(o(1))
    )
    assert "5.00 - 3.00 = 2.00, of which 1.60 came back with refunds of 20.00: 0.40 is left" in told
    assert "settlement-901-V2.txt:6" in told  # the refund's commission


def test_where_no_share_is_known_what_came_back_counts_in_proportion():
    rows = back_again(1, "20.00", "5.00", "20.00", "5.00", "1.00") + back_again(2, "20.00", "5.00", "20.00", None, None)
    f = house(1, 2, market="UK", category="Toys and Games").settle("901", "2026-02-01", "2026-02-25", rows)
    assert findings(f, "2026-03-01", "referral_fee_error", columns=["order_id", "owed"]) == [
        f"{o(1)}|0.40",
        f"{o(2)}|2.00",
    ]


def test_what_another_refund_of_the_item_brings_back_is_not_missing():
    late = {"adjustment-id": "A1"}
    rows = sale(o(1), 1, "2026-02-03", "20.00", "3.00") + refund(o(1), 1, "2026-02-10", "20.00", adj="A1")
    rows += [
        ("Refund", o(1), "S1", "ItemFees", what, amount, "2026-02-11", None, late)
        for what, amount in (("Commission", "3.00"), ("RefundCommission", "-0.60"))
    ]
    rows += sale(o(2), 2, "2026-02-03", "20.00", "3.00") + refund(o(2), 2, "2026-02-10", "10.00", "1.00", "0.30")
    rows += refund(o(2), 2, "2026-02-14", "10.00", "1.70", "0.30")  # 1.20 and 1.20 due; 0.70 and 1.40 came
    rows += sale(o(3), 3, "2026-02-03", "20.00", "3.00") + refund(o(3), 3, "2026-02-10", "10.00", "1.00", "0.30")
    rows += refund(o(3), 3, "2026-02-14", "10.00", "1.50", "0.30")
    f = Folder().settle("901", "2026-02-01", "2026-02-25", rows)
    asked = ["event_on", "order_id", "owed"]
    assert findings(f, "2026-03-01", "refund_fee_kept", columns=asked) == [
        f"2026-02-10|{o(2)}|0.30",
        f"2026-02-10|{o(3)}|0.50",
    ]
    # on the day itself nothing has come yet
    assert findings(f, "2026-02-10", "refund_fee_kept", columns=asked)[0] == f"2026-02-10|{o(1)}|2.40"


def test_a_fulfilment_fee_that_came_back_with_a_refund_is_not_claimed_again():
    def fee(n, amount):
        more = {"adjustment-id": f"F{n}"}
        return [("Refund", o(n), f"S{n}", "ItemFees", "FBAPerUnitFulfillmentFee", amount, "2026-02-20", None, more)]

    rows = sale(o(1), 1, "2026-02-03", "20.00", "3.00", "6.00") + fee(1, "6.00")
    rows += sale(o(2), 2, "2026-02-03", "40.00", "6.00", "12.00", qty=2) + fee(2, "6.00")  # one of two parcels
    rows += sale(o(3), 3, "2026-02-03", "20.00", "3.00", "6.00") + fee(3, "1.00")
    rows += sale(o(4), 4, "2026-02-03", "20.00", "3.00", "6.00")
    f = Folder().settle("901", "2026-02-01", "2026-02-25", rows)
    for n in range(1, 5):
        f.measured(n, *POUND)
    assert findings(f, "2026-03-01", *FEES, columns=["order_id", "quantity", "unit_value", "owed"]) == [
        f"{o(2)}|2|0.70|1.40",
        f"{o(3)}|1|0.40|0.40",
        f"{o(4)}|1|1.40|1.40",
    ]
    told = findings(f, "2026-03-01", *FEES, columns=["order_id", "evidence"])
    assert "settlement-901-V2.txt:14, " in told[1]  # the summary row, four lines of each of two sales, then this one's
    assert "6.00 - 1 x 4.60 = 1.40, of which 1.00 came back with refunds: 0.40 is left" in told[1]


@pytest.mark.parametrize("kind", ["Chargeback Refund", "A-to-z Guarantee Refund"])
def test_fees_that_came_back_with_a_dispute_are_not_claimed_again(kind):
    def dispute(n, *args):
        return [(kind, *line[1:]) for line in refund(o(n), n, "2026-02-20", *args)]

    def sold(n):
        return sale(o(n), n, "2026-02-03", "20.00", "5.00", "6.00")  # 3.00 and 4.60 are right

    rows = sold(1) + dispute(1, "20.00", "5.00")  # all came back
    rows += sold(2) + dispute(2, "10.00", "2.50", "0.50")  # 2.00 of 5.00: 0.80 of the 2.00
    rows += sold(3) + dispute(3, "20.00")  # nothing did
    rows += sold(4) + refund(o(4), 4, "2026-02-10", "10.00", "2.50", "0.50") + dispute(4, "10.00", "2.50", "0.50")
    more = {"adjustment-id": "F5"}
    rows += [*sold(5), (kind, o(5), "S5", "ItemFees", "FBAPerUnitFulfillmentFee", "6.00", "2026-02-20", None, more)]
    f = house(*range(1, 6)).settle("901", "2026-02-01", "2026-02-25", rows)
    for n in range(1, 6):
        f.measured(n, *POUND)
    asked = ["order_id", "owed"]
    # the refund of the fourth brought 0.80 of its 2.00 (half of 1.60), the dispute 0.80
    assert findings(f, "2026-03-01", "referral_fee_error", columns=asked) == [
        f"{o(2)}|1.20",
        f"{o(3)}|2.00",
        f"{o(4)}|0.40",
        f"{o(5)}|2.00",
    ]
    assert findings(f, "2026-03-01", *FEES, columns=asked) == [f"{o(n)}|1.40" for n in range(1, 5)]
    told = findings(f, "2026-03-01", "referral_fee_error", columns=["order_id", "evidence"])[0]
    assert "5.00 - 3.00 = 2.00, of which 0.80 came back with refunds of 10.00: 1.20 is left" in told
    # heads, the summary, five lines of the first order, three of this one, its price back: then commission and what was kept
    assert "settlement-901-V2.txt:12, reports/settlement-901-V2.txt:13" in told


def corrected(report_order, settled_order, *more):
    f = Folder().measured(1, *POUND).reimb("2026-02-20", "R1", "Fee_Correction", 1, 1, "0.40", order=report_order)
    rows = [line for n in (1, 2) for line in sale(o(n), 1, f"2026-02-0{n}", "20.00", "3.00", "5.00")]
    rows += paid("2026-02-22", "INCORRECT_FEES_ITEMS", "0.40", 1, order=settled_order)
    return f.settle("901", "2026-02-01", "2026-02-25", [*rows, *more])


@pytest.mark.parametrize(
    ("report_order", "settled_order", "left"),
    [("", o(2), o(1)), (o(2), "", o(1)), ("", "", o(2)), (o(2), o(2), o(1)), (o(1), o(2), None)],
)
def test_a_correction_that_only_one_report_holds_against_an_order_is_one_payment(report_order, settled_order, left):
    wanted = [f"{left}|0.40"] if left else []
    assert findings(corrected(report_order, settled_order), "2026-03-01", *FEES, columns=["order_id", "owed"]) == wanted


def test_a_fee_adjustment_of_the_settlement_is_a_correction():
    more = {"order-item-code": ""}
    given = [("Fee Adjustment", o(1), "S1", "ItemFees", "FBAPerUnitFulfillmentFee", "0.40", "2026-02-23", None, more)]
    taken = [("Fee Adjustment", o(2), "S1", "ItemFees", "FBAPerUnitFulfillmentFee", "-0.40", "2026-02-23", None, more)]
    f = corrected(o(9), o(9), *given, *taken)  # the other correction is of another order
    assert findings(f, "2026-03-01", *FEES, columns=["order_id", "owed"]) == [f"{o(2)}|0.40"]


def test_storage_of_dangerous_goods_and_what_a_surcharge_explains_are_left_open():
    f = Folder()
    for n, charged in enumerate(("49.50", "49.50", "61.00", "61.03"), 1):  # 50 cubic feet: 39.00; 61.00 at 1.22
        f.stored("2026-01", n, "0.5000", "100.00", charged)
    f.rows["storage"][0]["dangerous_goods_storage_type"] = "Flammable"
    assert findings(f, "2026-02-20", "storage_fee_overcharge", columns=["fnsku", "owed"]) == ["X2|10.50", "X4|22.03"]


@pytest.mark.parametrize(
    ("category", "group", "owed"),
    [
        ("Beauty", "gl_beauty", "1.18"),
        ("Bekleidung", "gl_home", None),
        ("Lebensmittel (ohne Bier, Wein und Spirituosen)", "gl_home", None),
        ("Haustierbedarf", "gl_home", None),
        ("Schuhe", "gl_home", None),
        ("Koffer, Rucksäcke und Taschen", "gl_home", None),
        ("", "gl_grocery", None),
        ("Beauty", "gl_shoes", None),
        ("Beauty", "Pet Products", None),
        ("", "gl_home", "1.18"),
        ("", "", None),  # nothing says that it is none of them
        ("", "--", None),
    ],
)
def test_german_parcels_that_may_have_a_card_of_their_own(category, group, owed):
    """3.12 + 18 × 0.07 = 4.38 for a selected category: 4.40 is no overcharge there."""
    f = Folder("DE", cep_enrolled="true").product(1, "1.00", category=category).measured(1, *PARCEL, group=group)
    f.settle("901", "2026-08-01", "2026-08-25", sale(o(1), 1, "2026-08-10", "30.00", None, "4.40"))
    assert findings(f, "2026-08-30", *FEES, columns=["owed"]) == ([owed] if owed else [])


@pytest.mark.parametrize(
    ("category", "group", "owed"),
    [
        ("Home and Kitchen", "gl_home", "1.00"),
        ("Clothing and Accessories", "gl_home", "0.43"),
        ("Clothing & Accessories", "gl_home", "0.43"),
        ("Shirts", "gl_apparel", "0.43"),
        ("Shirts", "Apparel", "0.43"),
        ("Clothing, Shoes and Jewelry", "gl_home", None),
        ("Pet Clothing", "gl_home", None),
    ],
)
def test_american_apparel_by_either_name(category, group, owed):
    """One pound costs 4.60, as apparel 5.17."""
    f = Folder().product(1, "1.00", category=category).measured(1, *POUND, group=group)
    f.settle("901", "2026-02-01", "2026-02-25", sale(o(1), 1, "2026-02-03", "20.00", None, "5.60"))
    assert findings(f, "2026-03-01", *FEES, columns=["owed"]) == ([owed] if owed else [])


def test_a_category_with_an_ampersand_is_the_same_category():
    f = house(1, category="Home & Kitchen").settle(
        "901", "2026-02-01", "2026-02-25", sale(o(1), 1, "2026-02-03", "20.00", "5.00")
    )
    assert findings(f, "2026-03-01", "referral_fee_error", columns=["owed"]) == ["2.00"]


def test_an_extra_large_envelope_is_stored_as_a_standard_size():
    """50 cubic feet in September 2026: 38.00; a small oversize parcel has no sourced rate."""
    f = Folder("UK")
    for n, tier in enumerate(("Extra-large envelope", "Standard-size", "Small oversize"), 1):
        f.stored("2026-09", n, "0.5000", "100.00", "60.00", tier=tier, country="GB")
    assert findings(f, "2026-11-01", "storage_fee_overcharge", columns=["fnsku", "owed"]) == ["X1|22.00", "X2|22.00"]


@pytest.mark.parametrize("layout", ["V2", "V1"])
@pytest.mark.parametrize("word", ["RestockingFee", "ReturnShipping", "Restocking Fee"])
def test_what_the_seller_keeps_of_a_refund_is_no_refunded_price(word, layout):
    """20.00 refunded less 4.00: of 3.00 − 0.60 commission four fifths are due, 1.92."""
    rows = back_again(1, "20.00", "3.00", "20.00", "2.40", "0.48") + back_again(
        2, "20.00", "3.00", "20.00", "2.00", "0.48"
    )
    for n in (1, 2):
        more = {"adjustment-id": f"amzn1:crow:{o(n)}2026-02-20"}
        rows += [("Refund", o(n), f"S{n}", "ItemPrice", word, "4.00", "2026-02-20", None, more)]
    f = Folder().settle("901", "2026-02-01", "2026-02-25", rows, layout=layout)
    assert findings(f, "2026-03-01", "refund_fee_kept", columns=["order_id", "owed"]) == [f"{o(2)}|0.40"]


def test_a_total_volume_within_the_rounding_of_a_small_item_is_borne_out():
    """0.0012 cubic feet may be 0.00124: 10,000 of them fill 12.4 cubic feet, at 0.78 9.67; at 0.00126 the digit would be another."""
    f = Folder().stored("2026-01", 1, "0.0012", "10000.00", "9.67", total="12.40")
    f.stored("2026-01", 2, "0.0012", "10000.00", "9.83", total="12.60")
    assert findings(f, "2026-02-20", "storage_fee_overcharge", columns=["fnsku", "owed"]) == ["X2|0.47"]
