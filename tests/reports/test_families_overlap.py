"""Overlapping downloads of reports whose rows change: the newest state stays, nothing counts twice."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from families_files import D, tabbed
from test_families_date_range import DE_SAYS, HIGH, HIGH_MONEY, comma, order_line, quoted
from test_families_removals import FULL, ROW

from recon_lib.books import open_account


def frame(folder: Path, family: str, as_of: str, **files: str) -> pl.DataFrame:
    (folder / "reports").mkdir(exist_ok=True)
    (folder / "account.yml").write_text("account: demo\nmarketplace: UK\n")
    for name, text in files.items():
        (folder / "reports" / f"{name}.txt").write_text(text)
    return open_account(folder, as_of, store=folder / "store").frames[family].collect()


def test_a_deferred_transaction_gives_way_to_its_released_self_and_twins_stay_two(tmp_path: Path) -> None:
    header = HIGH["uk"].split("|")
    said = ["All amounts in GBP, unless specified"]
    base = order_line(header, HIGH_MONEY, "13 Sep 2026 00:12:34 UTC", "Order")[:-2]
    deferred, released = [*base, "Deferred", ""], [*base, "Released", "20 Sep 2026 10:00:00 UTC"]
    later = order_line(header, HIGH_MONEY, "14 Sep 2026 09:00:00 UTC", "Order")
    got = frame(
        tmp_path,
        "date_range",
        "2026-09-30",
        first=quoted(said, header, deferred, deferred),
        second=quoted(said, header, released, deferred, later),
    )
    assert got.height == 3
    assert sorted(got["status"].to_list()) == ["Deferred", "Released", "Released"]
    assert got["total"].sum() == D("3162.75")


def test_a_month_downloaded_in_two_languages_and_with_other_line_ends_counts_once(tmp_path: Path) -> None:
    """Amazon writes type, amounts and times by the language of the page; the orders of the month stay the same."""
    header = HIGH["uk"].split("|")
    english = order_line(header, HIGH_MONEY, "30 Apr 2026 22:12:34 UTC", "Order")
    german = order_line(
        HIGH["de"].split("|"), [comma(m) for m in HIGH_MONEY], "01.05.2026 00:12:34 GMT+02:00", "Bestellung"
    )
    english[5] = german[5] = "one\ntwo"
    unknown = [*german[:2], "Sonstiges", *german[3:]]
    text = quoted([DE_SAYS], HIGH["de"].split("|"), german, german, unknown)
    got = frame(
        tmp_path, "date_range", "2026-09-30",
        en=quoted(["All amounts in EUR, unless specified"], header, english, english), de=text, crlf=text.replace("\n", "\r\n"),
    )  # fmt: skip
    assert sorted(got["type"].to_list(), key=str) == [None, "Order", "Order"]


def test_a_removal_order_keeps_its_newest_state(tmp_path: Path) -> None:
    old = (
        ROW.replace("Completed", "Pending").replace("| 0 | 4 | 0", "| 0 | 0 | 4").replace("01-09T18:00", "01-06T18:00")
    )
    got = frame(tmp_path, "removal_orders", "2026-02-01", a=tabbed(FULL, ROW), b=tabbed(FULL, old))
    assert got.select("order_status", "shipped_quantity", "in_process_quantity").rows() == [("Completed", 4, 0)]
    early = frame(tmp_path, "removal_orders", "2026-01-07")
    assert early.select("order_status", "shipped_quantity", "in_process_quantity").rows() == [("Pending", 0, 4)]


RETURN = (
    "return-date | order-id | sku | asin | fnsku | quantity | fulfillment-center-id | detailed-disposition | reason"
)


def came_back(order: str, day: str = "2026-03-10T08:00:00+00:00") -> str:
    return f"{day} | {order} | S | A | F | 1 | PHX7 | SELLABLE | OTHER"


def test_returns_of_a_layout_without_plate_are_the_same_returns(tmp_path: Path) -> None:
    plated = tabbed(RETURN + " | license-plate-number", came_back("1") + " | L1", came_back("1") + " | L2")
    bare = tabbed(RETURN, came_back("1"), came_back("2"), came_back("2"))
    got = frame(tmp_path, "customer_returns", "2026-03-31", a=bare, b=plated, c=bare)
    plates = got.select("order_id", "license_plate_number").rows()
    assert sorted(plates, key=str) == [("1", "L1"), ("1", "L2"), ("2", None), ("2", None)]


def test_a_return_told_by_its_day_alone_is_the_one_told_by_its_time(tmp_path: Path) -> None:
    days = tabbed(RETURN, came_back("1", "2026-03-10"), came_back("1", "2026-03-11"))
    timed = tabbed(RETURN + " | license-plate-number", came_back("1") + " | L1", came_back("9") + " | L9")
    got = frame(tmp_path, "customer_returns", "2026-03-31", a=days, b=timed)
    told = got.select("order_id", pl.col("returned_on").dt.day(), "license_plate_number").rows()
    assert sorted(told, key=str) == [("1", 10, "L1"), ("1", 11, None), ("9", 10, "L9")]


def test_the_same_instants_written_in_another_zone_are_the_same_returns(tmp_path: Path) -> None:
    """20:00 in California is the next day by UTC: the first row of one download seems to lie before the other one."""
    utc = tabbed(RETURN, came_back("1", "2026-03-10T03:00:00+00:00"), came_back("2", "2026-03-11T12:00:00+00:00"))
    west = tabbed(RETURN, came_back("1", "2026-03-09T20:00:00-07:00"), came_back("2", "2026-03-11T05:00:00-07:00"))
    twice = west + west.splitlines(keepends=True)[1]  # and twins in one file are still two
    assert frame(tmp_path, "customer_returns", "2026-03-31", a=utc, b=west).height == 2
    assert frame(tmp_path, "customer_returns", "2026-03-31", a=utc, b=twice).height == 3


def test_downloads_that_meet_only_by_the_instants_of_their_ends_hold_the_same_return_once(tmp_path: Path) -> None:
    """One ends on March 9 in California, the other begins on March 10 by UTC: with the same return at one instant."""
    utc = tabbed(RETURN, came_back("1", "2026-03-10T03:00:00+00:00"), came_back("2", "2026-03-11T12:00:00+00:00"))
    west = tabbed(RETURN, came_back("0", "2026-03-08T20:00:00-07:00"), came_back("1", "2026-03-09T20:00:00-07:00"))
    got = frame(tmp_path, "customer_returns", "2026-03-31", a=utc, b=west)
    assert sorted(got["order_id"].to_list()) == ["0", "1", "2"]
    far = tabbed(RETURN, came_back("8", "2026-03-09"))  # beside them, but of no hour
    days = tabbed(RETURN, came_back("8", "2026-03-09"), came_back("9", "2026-03-08"))
    beside = frame(tmp_path, "customer_returns", "2026-03-31", c=far, d=days)
    assert sorted(beside["order_id"].to_list())[-2:] == ["8", "9"]


def test_a_plate_and_its_order_are_one_return_however_downloads_write_the_day(tmp_path: Path) -> None:
    """The hour of one download, a day of another zone without hour in the other: only the plate knows the unit."""
    names = RETURN + " | license-plate-number"
    timed = tabbed(
        names,
        came_back("1", "2026-03-11T03:00:00+00:00") + " | L1",
        came_back("2", "2026-03-20T20:00:00+00:00") + " | L2",
    )
    days = tabbed(names, came_back("1", "2026-03-10") + " | L1", came_back("2", "2026-03-20") + " | L2")
    got = frame(tmp_path, "customer_returns", "2026-03-31", a=timed, b=days)
    told = got.select("order_id", "license_plate_number", pl.col("returned_on").dt.day()).rows()
    assert sorted(told) == [("1", "L1", 11), ("2", "L2", 20)]
    # one begins where the other ends, and they meet in that return alone
    late = tabbed(names, came_back("1", "2026-03-11T03:00:00+00:00") + " | L1", came_back("3", "2026-03-25") + " | L3")
    early = tabbed(names, came_back("0", "2026-03-02") + " | L0", came_back("1", "2026-03-10") + " | L1")
    (tmp_path / "ends").mkdir()
    met = frame(tmp_path / "ends", "customer_returns", "2026-03-31", a=late, b=early)
    assert sorted(met["license_plate_number"].to_list()) == ["L0", "L1", "L3"]


def test_a_day_without_hour_is_the_accounts_day_of_another_downloads_hour(tmp_path: Path) -> None:
    """23:30 by UTC on 10 May is 00:30 on the 11th in London; no plate is told."""
    timed = tabbed(RETURN, came_back("1", "2026-05-10T23:30:00+00:00"), came_back("2", "2026-05-20T08:00:00+00:00"))
    days = tabbed(RETURN, came_back("1", "2026-05-11"), came_back("2", "2026-05-20"), came_back("3", "2026-05-20"))
    got = frame(tmp_path, "customer_returns", "2026-05-31", a=timed, b=days)
    told = got.select("order_id", pl.col("returned_on").dt.day()).rows()
    assert sorted(told) == [("1", 11), ("2", 20), ("3", 20)]


def test_a_unit_that_was_graded_anew_is_one_return_as_the_newer_download_tells_it(tmp_path: Path) -> None:
    names = RETURN + " | license-plate-number"
    old = tabbed(names, came_back("1").replace("SELLABLE", "CUSTOMER_DAMAGED") + " | L1")
    new = tabbed(names, came_back("1").replace("SELLABLE", "DAMAGED") + " | L1", came_back("1") + " | L9")
    later = new + came_back("2", "2026-03-15T08:00:00+00:00").replace(" | ", "\t") + "\tL2\n"
    got = frame(tmp_path, "customer_returns", "2026-03-31", a=old, b=later)
    graded = got.select("license_plate_number", "disposition").rows()
    assert sorted(graded) == [("L1", "DAMAGED"), ("L2", "SELLABLE"), ("L9", "SELLABLE")]
    # resold and returned again: another order
    (tmp_path / "again").mkdir()
    again = tabbed(names, came_back("1") + " | L1", came_back("7") + " | L1")
    assert frame(tmp_path / "again", "customer_returns", "2026-03-31", a=again, b=again + "\n").height == 2


PAID = (
    "approval-date | reimbursement-id | case-id | amazon-order-id | reason | sku | fnsku | asin | product-name | condition | "
    "currency-unit | amount-per-unit | amount-total | quantity-reimbursed-cash | quantity-reimbursed-inventory | "
    "quantity-reimbursed-total"
)


def approved(day: str, number: str) -> str:
    return f"{day} | {number} | | | Lost_Warehouse | S | F | A | N | NewItem | GBP | 7.20 | 7.20 | 1 | 0 | 1"


def test_a_payment_at_the_end_of_a_download_is_one_whatever_the_zone_of_its_day(tmp_path: Path) -> None:
    """20:00 in California is the next day by UTC: both files begin with that payment, on two written days."""
    utc = tabbed(PAID, approved("2026-03-11T03:00:00+00:00", "1"), approved("2026-03-14T12:00:00+00:00", "2"))
    days = tabbed(PAID, approved("2026-03-10 PDT", "1"), approved("2026-03-14 PDT", "2"))
    got = frame(tmp_path, "reimbursements", "2026-03-31", a=utc, b=days)
    assert sorted(got["reimbursement_id"].to_list()) == ["1", "2"]
    (tmp_path / "hours").mkdir()
    west = tabbed(PAID, approved("2026-03-09T20:00:00-07:00", "0"), approved("2026-03-10T20:00:00-07:00", "1"))
    got = frame(tmp_path / "hours", "reimbursements", "2026-03-31", a=utc, b=west)
    assert sorted(got["reimbursement_id"].to_list()) == ["0", "1", "2"]


def test_a_payment_in_a_layout_of_fewer_columns_is_the_same_payment(tmp_path: Path) -> None:
    day, order = "2026-03-14T12:00:00+00:00", "026-1-1"
    whole = tabbed(
        PAID, approved(day, "1"), approved(day, "1"), approved(day, "2").replace("| | | Lost", f"| | {order} | Lost")
    )
    left_out = ("case-id", "fnsku", "product-name", "currency-unit", "amount-per-unit")
    names, cells = PAID.split(" | "), [cell.strip() for cell in approved(day, "1").split("|")]
    kept = [n for n in range(len(names)) if names[n] not in left_out]
    row = [cells[n] for n in kept]
    other = [row[0], "9", *row[2:]]
    few = tabbed(" | ".join(names[n] for n in kept), " | ".join(row), " | ".join(other))
    got = frame(tmp_path, "reimbursements", "2026-03-31", a=few, b=whole)
    told = got.select("reimbursement_id", "fnsku", "currency", "order_id").rows()
    assert sorted(told, key=str) == [
        ("1", "F", "GBP", None),
        ("1", "F", "GBP", None),
        ("2", "F", "GBP", order),
        ("9", None, None, None),
    ]


def test_what_a_newer_download_of_fewer_columns_leaves_out_stays_known(tmp_path: Path) -> None:
    """Which payment is taken back, and in which case: the newer file has no such columns."""
    day = "2026-03-14T12:00:00+00:00"
    taken = approved(day, "5").replace("| 7.20 | 7.20 | 1 | 0 | 1", "| -7.20 | -7.20 | -1 | 1 | 0")
    taken = taken.replace("| 5 | | | Lost_Warehouse", "| 5 | 777 | | Reimbursement_Reversal")
    whole = tabbed(PAID + " | original-reimbursement-id | original-reimbursement-type", f"{taken} | 1 | Lost_Warehouse")
    few = tabbed(PAID, approved("2026-03-20T12:00:00+00:00", "6"), taken.replace("777", ""))
    got = frame(tmp_path, "reimbursements", "2026-03-31", a=whole, b=few).sort("reimbursement_id")
    told = got.select("reimbursement_id", "case_id", "original_reimbursement_id", "original_reimbursement_type").rows()
    assert told == [("5", "777", "1", "Lost_Warehouse"), ("6", None, None, None)]
    sent = "order-id | shipment-date | sku | fnsku | disposition | shipped-quantity | carrier | tracking-number"
    parcel, later = (f"R{n} | 2026-03-{n}T12:00:00+00:00 | S | F | Sellable | 3 | UPS | T{n}" for n in (14, 20))
    typed, bare = tabbed(sent + " | removal-order-type", parcel + " | Return"), tabbed(sent, parcel, later)
    got = frame(tmp_path, "removal_shipments", "2026-03-31", c=typed, d=bare).sort("order_id")
    assert got.select("order_id", "removal_order_type").rows() == [("R14", "Return"), ("R20", None)]


def test_storage_fees_of_a_layout_without_sku_are_the_same_fees(tmp_path: Path) -> None:
    names = "month_of_charge | asin | fnsku | fulfillment_center | country_code | storage_rate | currency"
    names += " | estimated_monthly_storage_fee"
    cells = "2026-02 | A1 | F1 | LTN1 | GB | 0.78 | GBP | 1.50"
    other = "2026-02 | A2 | F2 | LTN1 | GB | 0.78 | GBP | 2.00"
    got = frame(
        tmp_path, "storage_fees", "2026-03-31",
        a=tabbed(names, cells, other), b=tabbed(names + " | sku", cells + " | SKU-1"),
    )  # fmt: skip
    fees = got.select("fnsku", "sku", "estimated_fee").rows()
    assert sorted(fees, key=str) == [("F1", "SKU-1", D("1.50")), ("F2", None, D("2.00"))]


LEDGER = "Date | FNSKU | ASIN | MSKU | Title | Event Type | Reference ID | Quantity | Fulfillment Center | Disposition | Reason"


def test_a_ledgers_midnight_in_another_zone_or_layout_is_no_other_event(tmp_path: Path) -> None:
    """`Date and Time` is midnight of the day: of the account, of UTC, or in a shorter layout not there at all."""
    row = "07/06/2026 | F | A | S | T | Adjustments | 7001 | -2 | LTN4 | SELLABLE | M | GB | 0 | 2"
    names = LEDGER + " | Country | Reconciled Quantity | Unreconciled Quantity"
    local, utc = (f"{row} | 2026-07-06T00:00:00+0100", f"{row} | 2026-07-05T23:00:00+0000")
    timed = names + " | Date and Time"
    got = frame(
        tmp_path, "ledger_detail", "2026-07-31",
        bare=tabbed(names, row), local=tabbed(timed, local, local), utc=tabbed(timed, utc),
    )  # fmt: skip
    assert got["quantity"].to_list() == [-2, -2], "twins inside one file"


PREVIEW = (
    "sku | asin | your-price | longest-side | median-side | shortest-side | unit-of-dimension | item-package-weight"
)
PREVIEW += " | unit-of-weight | product-size-tier | currency | estimated-fee-total | estimated-referral-fee-per-unit"


def measured(longest: str, price: str) -> str:
    return f"S | A | {price} | {longest} | 15 | 5 | centimeters | 450 | grams | Standard | GBP | 6.95 | 3.75"


def test_fee_previews_of_two_days_keep_each_size_that_amazon_measured(tmp_path: Path) -> None:
    first, second, third = (
        tabbed(PREVIEW, measured(*cells)) for cells in (("20", "9.99"), ("35", "9.99"), ("35", "8.99"))
    )
    got = frame(tmp_path, "fee_preview", "2026-03-31", a=first, b=second, c=third)
    assert sorted(got["longest_side"].to_list()) == [D("20"), D("35")]
