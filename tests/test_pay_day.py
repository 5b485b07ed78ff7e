"""Amazon Pay for a day: worked by hand first, then the promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_lib.audits import pay_fees, pay_sides
from recon_lib.audits.pay import PayDay, reconcile_pay
from recon_lib.frames import RawFinding
from recon_lib.journal import Entered, make_journal
from recon_lib.rollforward import rollforward_days
from tests.pay_case import at, books, did, settled, window

DAY = date(2026, 1, 5)
D = Decimal


def found(day: PayDay, audit: str) -> list[dict[str, Any]]:
    return day.findings.filter(pl.col("audit") == audit).sort("fact").to_dicts()


def owed(day: PayDay, audit: str) -> list[Decimal | None]:
    return [row["owed"] for row in found(day, audit)]


def balances(journal: pl.DataFrame) -> pl.DataFrame:
    """`account, currency, balance`: debit − credit over all rows."""
    total = (pl.col("debit").sum() - pl.col("credit").sum()).alias("balance")
    return journal.group_by("account", "currency").agg(total).sort("account", "currency")


def a_day() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    activity = [
        did("C1 R1 O1 P1", "100.00", "01-02 10:00"),  # settled the next day
        did(". R2 O2 P2", "50.00", "01-02 11:00"),  # settled at 49.00 on the 4th
        did("C3 . O3 P3", "30.00", "01-02 12:00"),  # never settled: 84 hours at the end of the 5th
        did("C4 R4 O4 P4", "20.00", "01-04 12:00"),  # open, not late
        did("F1 . O1 P1", "-40.00", "01-05 09:00"),  # refund, settled the same day
        did("C1 R1 O1 P1", "100.00", "01-02 10:00"),  # recorded twice
    ]
    lines = [
        settled(". . . .", "-300.00", "01-03 07:00", transaction_type="Transfer"),
        settled("C1 R1 O1 P1", "100.00", "01-03 10:00"),
        settled("C2 R2 O2 P2", "49.00", "01-04 10:00"),
        settled("C1 R1 O1 P1", "100.00", "01-04 11:00", settlement_id="S2"),  # the same capture again
        settled("C9 R9 O9 P9", "15.00", "01-05 08:00"),  # unknown to the seller
        settled("F1 . O1 P1", "-40.00", "01-05 10:00"),
        settled(". . . .", "150.00", "01-05 11:00", transaction_type="Reserve"),
    ]
    return activity, lines


def missing(day: PayDay) -> list[tuple[Any, ...]]:
    told = pl.col("reason").str.contains("missing|state its days")
    return day.not_checked.filter(pl.col("subject") != "activity recorded twice", told).rows()


def test_the_days_that_keep_an_activity_waiting_are_told() -> None:
    """Windows 01-02 to 01-04 and 01-06 to 01-20; the first 48 hours of the second and third activity touch the 4th to the
    6th, those of the first one the time before, the fourth one's are covered; on the 20th nothing else can be known to be late."""
    activity = [
        did("C1 R1 O1 P1", "10.00", "01-01 12:00"),
        did("C2 R2 O2 P2", "20.00", "01-03 12:00"),
        did("C3 R3 O3 P3", "30.00", "01-05 12:00"),
        did("C4 R4 O4 P4", "40.00", "01-08 12:00"),
    ]
    lines = [settled("C9 R9 O9 P9", "15.00", "01-02 08:00"), settled("C8 R8 O8 P8", "15.00", "01-08 08:00")]
    windows = [window("01-02 00:00", "01-04 10:00"), window("01-06 10:00", "01-20 10:00", "reports/more.csv")]
    day = reconcile_pay(books(activity, lines, date(2026, 1, 20), windows=windows))
    assert [row["reason"] for row in found(day, "pay_overdue") if row["status"] == "waiting"] == ["report missing"] * 3
    assert missing(day) == [
        ("pay_overdue", "pay_lines", "report missing: Amazon Pay settlement in USD until 2026-01-02", 1),
        ("pay_overdue", "pay_lines", "report missing: Amazon Pay settlement in USD 2026-01-04 to 2026-01-06", 2),
    ]


def test_a_hole_that_nothing_waits_for_is_not_told() -> None:
    activity = [did("C4 R4 O4 P4", "40.00", "01-08 12:00")]
    windows = [window("01-02 00:00", "01-04 10:00"), window("01-06 10:00", "01-20 10:00", "reports/more.csv")]
    lines = [settled("C9 R9 O9 P9", "15.00", "01-02 08:00")]
    assert missing(reconcile_pay(books(activity, lines, date(2026, 1, 20), windows=windows))) == []


@pytest.mark.parametrize(("as_of", "told"), [(date(2026, 1, 16), []), (date(2026, 1, 19), [1])])
def test_a_currency_without_any_settlement_is_told_when_the_first_one_is_due(as_of: date, told: list[int]) -> None:
    # the first settlement comes 14 days after the first transaction; here none in USD has come by the 19th
    activity = [did("C1 R1 O1 P1", "10.00", "01-02 12:00")]
    lines = [settled("C9 R9 O9 P9", "15.00", "01-02 08:00", currency="EUR")]
    day = reconcile_pay(books(activity, lines, as_of, windows=[], currencies=("USD", "EUR")))
    reason = "report missing: Amazon Pay settlement in USD"
    assert missing(day) == [("pay_overdue", "pay_lines", reason, count) for count in told]


def test_a_settlement_that_states_no_window_is_told() -> None:
    # the lines above the header were deleted by hand: nobody knows which days the file speaks about
    activity = [did("C1 R1 O1 P1", "10.00", "01-02 12:00")]
    made = books(activity, [settled("C9 R9 O9 P9", "15.00", "01-02 08:00")], date(2026, 1, 10), windows=[])
    file = {"path": "reports/pay.csv", "family": "pay_lines", "rows_used": 1, "rows_after": 0}
    made = replace(made, files=pl.DataFrame([file], schema=made.files.schema))
    reason = (
        "the file does not state its days (SettlementStartDate and SettlementEndDate above the header): "
        "download it again and leave it as it is"
    )
    assert missing(reconcile_pay(made)) == [
        ("pay_overdue", "reports/pay.csv", reason, 1), ("settlement_gap", "reports/pay.csv", reason, 1),
    ]  # fmt: skip


def test_a_window_that_another_file_states_too_is_known() -> None:
    """Of two downloads of one settlement the window stands under the first one's name; a row before it is in no window."""
    activity = [did("C1 R1 O1 P1", "10.00", "01-02 12:00")]
    lines = [settled("C9 R9 O9 P9", "15.00", "01-02 08:00"), settled("C8 R8 O8 P8", "15.00", "01-01 08:00")]
    files = [
        {"path": path, "family": "pay_lines", "rows_used": 2, "rows_after": 0}
        for path in ("reports/a.csv", "reports/pay.csv")
    ]
    for start, told in (("01-01 00:00", []), ("01-02 00:00", [1])):
        made = books(activity, lines, date(2026, 1, 10), windows=[window(start, "01-10 23:00", "reports/a.csv")])
        made = replace(made, files=pl.DataFrame(files, schema=made.files.schema))
        gone = [row for row in missing(reconcile_pay(made)) if row[0] == "settlement_gap"]
        assert [(row[1], row[3]) for row in gone] == [("reports/pay.csv", count) for count in told]


def test_a_day_worked_by_hand() -> None:
    activity, lines = a_day()
    day = reconcile_pay(books(activity, lines, DAY))
    assert day.matches.select("activity_line", "settlement_line", "pile", "rule", "matched_on").rows() == [
        (2, 3, "matched", "AmazonTransactionId", date(2026, 1, 3)),
        (3, 4, "matched with a difference", "SellerReferenceId", date(2026, 1, 4)),
        (6, 7, "matched", "AmazonTransactionId", date(2026, 1, 5)),
    ]
    assert day.open_items.select("amazon_transaction_id", "hours_open", "overdue").rows() == [
        ("C3", 84.0, True),
        ("C4", 36.0, False),
    ]
    # Opening: C3 30 + C4 20; new: the refund -40; matched: the refund.
    row = day.rollforward.row(0, named=True)
    assert (row["opening_lines"], row["opening_amount"], row["new_lines"], row["new_amount"]) == (2, D(50), 1, D(-40))
    assert (row["matched_lines"], row["matched_amount"], row["closing_lines"], row["closing_amount"]) == (
        1,
        D(-40),
        2,
        D(50),
    )
    assert row["restated_lines"] is None
    assert owed(day, "pay_amount_differs") == [D(1)]
    assert owed(day, "pay_duplicate") == [None]
    assert owed(day, "pay_unknown") == [None]
    assert owed(day, "pay_overdue") == [D(30)]
    assert found(day, "pay_overdue")[0]["reference_id"] == "C3"
    assert found(day, "pay_overdue")[0]["lines"] == ["books/pay_activity.csv:4"]
    assert owed(day, "pay_fee_differs") == []
    usd = day.control_totals["USD"]
    assert usd["activity"] == {
        "lines": 6, "amount": "260.00",
        "matched": {"lines": 3, "amount": "110.00"}, "open": {"lines": 2, "amount": "50.00"}, "set_aside": {"lines": 1, "amount": "100.00"},
    }  # fmt: skip
    assert usd["settlement"] == {
        "lines": 7, "amount": "74.00",
        "matched": {"lines": 3, "amount": "109.00"}, "unknown": {"lines": 1, "amount": "15.00"},
        "duplicate": {"lines": 1, "amount": "100.00"}, "other": {"lines": 2, "amount": "-150.00"},
    }  # fmt: skip
    assert day.lines_by_type.select("transaction_type", "lines", "amount", "is_known").rows() == [
        ("Reserve", 1, D(150), True), ("Transfer", 1, D(-300), True),
    ]  # fmt: skip


def test_the_journal_of_that_day_worked_by_hand() -> None:
    activity, lines = a_day()
    here = books(activity, lines, DAY)
    journal = make_journal(reconcile_pay(here), here)
    # fees: 100 -> 2.90 + 0.30 = 3.20 (twice), 49 -> 1.42 + 0.30 = 1.72, 15 -> 0.44 + 0.30 = 0.74, refund 0: together 8.86
    assert dict(balances(journal).select("account", "balance").rows()) == {
        "accounts receivable": D("50.00"),  # the open match set
        "sales": D("-160.00"),  # 100 + 50 + 30 + 20 − 40
        "undisbursed cash": D("65.14"),  # sum of the nets: 74.00 − 8.86
        "fees": D("8.86"),
        "reserve": D("-150.00"),
        "cash": D("300.00"),
        "suspense": D("-114.00"),  # unknown −15, double −100, difference +1
    }
    assert journal.filter(pl.col("date") == date(2026, 1, 4)).select(
        "account", "debit", "credit", "reference"
    ).rows() == [
        ("accounts receivable", D(0), D("50.00"), "S1"),
        ("undisbursed cash", D("47.28"), D(0), "S1"),
        ("fees", D("1.72"), D(0), "S1"),
        ("suspense", D("1.00"), D(0), "S1"),
        ("undisbursed cash", D("96.80"), D(0), "S2"),
        ("fees", D("3.20"), D(0), "S2"),
        ("suspense", D(0), D("100.00"), "S2"),
        ("accounts receivable", D("20.00"), D(0), "fulfilment activity"),
        ("sales", D(0), D("20.00"), "fulfilment activity"),
    ]


def test_a_line_without_activity_waits_in_suspense_until_the_activity_is_recorded() -> None:
    here = books([did("C1 . . .", "10.00", "01-04 09:00")], [settled("C1 . . .", "10.00", "01-03 09:00")], DAY)
    journal = make_journal(reconcile_pay(here), here)
    for last, suspense, receivable in ((date(2026, 1, 3), D(-10), D(0)), (date(2026, 1, 4), D(0), D(0))):
        sums = dict(balances(journal.filter(pl.col("date") <= last)).select("account", "balance").rows())
        assert sums["suspense"] == suspense
        assert sums.get("accounts receivable", D(0)) == receivable


def test_what_a_late_file_changes_is_entered_on_the_day_it_is_seen() -> None:
    activity, lines = a_day()
    before = books(activity, [line for line in lines if line["amount"] != D("49.00")], date(2026, 1, 4))
    published = make_journal(reconcile_pay(before), before)
    now = books(activity, lines, DAY)
    journal = make_journal(reconcile_pay(now), now, Entered(published, date(2026, 1, 4)))
    assert journal.filter(pl.col("date") < DAY).rows() == published.rows()
    assert balances(journal).rows() == balances(make_journal(reconcile_pay(now), now)).rows()
    late = journal.filter(
        pl.col("date") == DAY, pl.col("account") == "accounts receivable", pl.col("credit") == D("50.00")
    )
    assert late.height == 1


def test_exactly_48_hours_are_not_overdue() -> None:
    activity = [
        did("C1 . . .", "1.00", "01-04 00:00"),
        did("C2 . . .", "2.00", "01-03 23:59"),
        did("C3 . . .", "3.00", "01-03 00:00"),
    ]
    day = reconcile_pay(books(activity, [settled("C9 . . .", "1.00", "01-01 00:00")], DAY))
    # The end of the 5th is midnight of the 6th: 48 h since the 4th 00:00.
    assert day.open_items.select("amazon_transaction_id", "hours_open", "overdue").rows() == [
        ("C3", 72.0, True), ("C2", 48.0, True), ("C1", 48.0, False),
    ]  # fmt: skip


def test_elapsed_hours_count_through_the_change_of_the_clock() -> None:
    # 2026-03-08 has 23 hours: from the 7th 00:00 to the end of the 8th only 47 hours pass.
    day = reconcile_pay(books([did("C1 . . .", "1.00", "03-07 00:00")], [], date(2026, 3, 8)))
    assert day.open_items["hours_open"].to_list() == [47.0]


def test_an_overdue_activity_in_a_hole_of_the_settlements_is_waiting() -> None:
    activity = [did("C1 . . .", "1.00", "01-02 12:00")]
    other = [settled("C9 . . .", "1.00", "01-01 12:00")]
    whole = [window("01-01 00:00", "01-03 00:00"), window("01-03 00:01", "01-06 00:00")]
    holed = [window("01-01 00:00", "01-03 00:00"), window("01-03 00:02", "01-06 00:00")]
    short = [window("01-01 00:00", "01-04 11:59")]
    told = []
    for windows in (whole, holed, short):
        row = found(reconcile_pay(books(activity, other, DAY, windows=windows)), "pay_overdue")[0]
        told.append((row["status"], row["reason"] == "report missing"))
    assert told == [("open", False), ("waiting", True), ("waiting", True)]
    assert found(reconcile_pay(books(activity, [], DAY)), "pay_overdue")[0]["status"] == "waiting"


def test_coverage_is_by_currency() -> None:
    activity = [did("C1 . . .", "1.00", "01-02 12:00", currency="EUR")]
    lines = [settled("C9 . . .", "1.00", "01-01 12:00")]
    assert found(reconcile_pay(books(activity, lines, DAY)), "pay_overdue")[0]["status"] == "waiting"


def test_owed_is_what_should_have_come_minus_what_came_and_empty_in_our_disfavour() -> None:
    activity = [
        did("C1 . . .", "10.00", "01-02 09:00"),
        did("F2 . . .", "-20.00", "01-02 09:00"),
        did("F3 . . .", "-5.00", "01-02 09:00"),
    ]
    lines = [
        settled("C1 . . .", "12.00", "01-03 09:00"),  # more than due: not owed
        settled("F2 . . .", "-25.00", "01-03 09:00"),  # 5.00 too much taken
        settled("F9 . . .", "-7.00", "01-03 09:00"),  # a refund nobody made
    ]
    day = reconcile_pay(books(activity, lines, DAY))
    assert sorted(owed(day, "pay_amount_differs"), key=str) == [D(5), None]
    assert owed(day, "pay_unknown") == [D(7)]
    assert owed(day, "pay_overdue") == [None]  # the refund of 5.00 that never left us


def test_fees_against_the_schedule() -> None:
    lines = [
        settled("C1 . . .", "10.50", "01-03 09:00"),  # 0.3045 -> 0.30, + 0.30
        settled("C2 . . .", "10.50", "01-03 09:01", total_fee=D("-0.61")),  # 0.01 too much
        settled("C3 . . .", "10.50", "01-03 09:02", total_fee=D("-0.10")),  # less than due is no finding
        settled("C4 . . .", "50.00", "01-03 09:03", total_fee=D("-1.75")),  # 1.45 + 0.30
        settled(
            "F1 . . .", "-10.50", "01-03 09:04", total_fee=D("-0.05")
        ),  # nothing comes back, nothing is charged either
        settled("D1 . . .", "-30.00", "01-03 09:05", transaction_type="Chargeback", total_fee=D("-21.00")),
    ]
    assert sorted(owed(reconcile_pay(books([], lines, DAY)), "pay_fee_differs"), key=str) == [
        D("0.01"),
        D("0.05"),
        D("1.00"),
    ]


def test_half_a_cent_of_percentage_rounds_up() -> None:
    # 2.9 % of 50.00 is 1.45; of 25.00 it is 0.725 -> 0.73
    lines = [
        settled("C1 . . .", "25.00", "01-03 09:00", total_fee=D("-1.03")),
        settled("C2 . . .", "25.00", "01-03 09:00", total_fee=D("-1.04")),
    ]
    assert owed(reconcile_pay(books([], lines, DAY)), "pay_fee_differs") == [D("0.01")]


def test_a_fee_without_a_schedule_is_unknown_never_an_overcharge() -> None:
    lines = [
        settled("C1 . . .", "10.00", "01-03 09:00", currency="EUR"),
        settled("C2 . . .", "10.00", "01-03 09:00", total_fee=None, net_amount=None),
    ]
    day = reconcile_pay(books([], lines, DAY))
    assert owed(day, "pay_fee_differs") == []
    told = day.not_checked.filter(pl.col("audit") == "pay_fee_differs").select("subject", "count").rows()
    assert told == [("capture lines in EUR", 1), ("capture lines in USD", 1)]


def test_without_the_sellers_records_nothing_is_called_unknown() -> None:
    day = reconcile_pay(books(None, [settled("C1 . . .", "10.00", "01-03 09:00")], DAY))
    assert found(day, "pay_unknown") == []
    assert "pay_unknown" in day.not_checked["audit"].to_list()


def test_an_unknown_type_is_kept_and_said() -> None:
    day = reconcile_pay(books([], [settled(". . . .", "-3.00", "01-03 09:00", transaction_type="Sorcery")], DAY))
    assert day.lines_by_type.select("transaction_type", "lines", "is_known").rows() == [("Sorcery", 1, False)]
    assert day.not_checked.filter(pl.col("subject").str.contains("Sorcery")).height == 1


def test_the_opening_published_and_the_opening_now() -> None:
    activity, lines = a_day()
    published = reconcile_pay(
        books(activity, lines[:2], date(2026, 1, 4))
    ).rollforward  # the line of 49.00 came a day late
    row = reconcile_pay(books(activity, lines, DAY), published).rollforward.row(0, named=True)
    assert (row["restated_lines"], row["restated_amount"]) == (-1, D(-50))


def test_twins_of_a_fact_are_told_apart() -> None:
    double = [
        settled("C1 . . .", "5.00", "01-03 09:00"),
        *[settled("C1 . . .", "5.00", "01-03 10:00") for _ in range(2)],
    ]
    day = reconcile_pay(books([], [*double, *[settled(". R . .", "5.00", "01-03 09:00") for _ in range(2)]], DAY))
    assert day.findings.select("audit", "fact").is_duplicated().any() is False
    assert RawFinding.is_valid(day.findings)


# --- the platform's payment reference as the only id, and a seller who keeps only Amazon's ids --------------------


def test_a_platforms_payment_reference_is_the_only_key() -> None:
    activity = [did(". . pay-77 .", "10.00", "01-02 09:00"), did(". . pay-77 .", "10.00", "01-02 10:00")]
    lines = [settled("C1 8812 PAY-77 P1", "10.00", "01-03 09:00"), settled("C2 8813 PAY-77 P1", "10.00", "01-03 10:00")]
    day = reconcile_pay(books(activity, lines, DAY, match_keys=("SellerOrderId",)))
    assert day.matches.select("activity_line", "settlement_line", "rule").rows() == [
        (2, 2, "SellerOrderId"),
        (3, 3, "SellerOrderId"),
    ]


def test_only_amazons_ids() -> None:
    activity = [did(". . . P1", "10.00", "01-02 09:00"), did("C2 . . P1", "10.00", "01-02 10:00")]
    lines = [settled("C2 81 . P1", "10.00", "01-03 09:00"), settled("C1 82 . P1", "10.00", "01-03 10:00")]
    day = reconcile_pay(books(activity, lines, DAY, match_keys=("AmazonTransactionId", "AmazonOrderReferenceId")))
    assert day.matches.select("activity_line", "settlement_line", "rule").rows() == [
        (3, 2, "AmazonTransactionId"), (2, 3, "AmazonOrderReferenceId"),
    ]  # fmt: skip


# --- promises ---------------------------------------------------------------------------------------------------


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Twelve days with part captures, reused ids, late and early lines, duplicates, transfers and reserves."""
    one = st.sampled_from

    def text() -> str:
        return " ".join(
            draw(one(values))
            for values in (["C1", "C2", "C3", "C4", "."], ["R1", "R2", "."], ["O1", "O2", "."], ["P1", "."])
        )

    def when() -> Any:
        return at("01-01 00:30") + timedelta(hours=draw(st.integers(0, 12 * 8)) * 3)

    def amount() -> str:
        return draw(one(["10.00", "10.00", "25.00", "-10.00"]))

    activity = [
        did(text(), amount(), "01-01 00:00") | {"activity_at": when(), "currency": draw(one(["USD", "USD", "EUR"]))}
        for _ in range(draw(st.integers(0, 10)))
    ]
    lines = [
        settled(text(), amount(), "01-01 00:00")
        | {"posted_at": when(), "currency": draw(one(["USD", "USD", "EUR"])), "settlement_id": draw(one("ST"))}
        for _ in range(draw(st.integers(0, 10)))
    ]
    for row in list(activity):
        if draw(one([True, True, False])):
            lines.append(
                settled(".", str(row["amount"]), "01-01 00:00")
                | {key: row[key] for key in ("seller_order_id", "order_reference_id", "currency")}
                | {
                    "amazon_transaction_id": row["amazon_transaction_id"],
                    "posted_at": row["activity_at"] + timedelta(hours=draw(st.integers(-5, 60))),
                }
            )
    for kind in draw(st.lists(one(["Transfer", "Reserve", "Chargeback"]), max_size=3)):
        lines.append(settled(". . . .", "-5.00", "01-01 00:00", transaction_type=kind) | {"posted_at": when()})
    return activity, lines


@settings(max_examples=4, deadline=None)
@given(worlds())
def test_day_after_day_and_once_over_everything_end_alike(
    world: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    activity, lines = world
    first, last = date(2025, 12, 31), date(2026, 1, 16)
    whole = reconcile_pay(books(activity, lines, last, currencies=("USD", "EUR")))
    told = rollforward_days(whole.activity, first, last, ("USD", "EUR"))
    journal = make_journal(whole, books(activity, lines, last))
    published: pl.DataFrame | None = None
    day = first
    while day <= last:
        here = books(activity, lines, day, currencies=("USD", "EUR"))
        now = reconcile_pay(here, published)
        assert now.matches.rows() == whole.matches.filter(pl.col("matched_on") <= day).rows()
        assert (
            now.rollforward.drop("^restated.*$").rows()
            == told.filter(pl.col("date") == day).drop("^restated.*$").rows()
        )
        if published is not None:
            assert set(now.rollforward["restated_lines"].to_list()) == {0}
        mine = make_journal(now, here)
        assert mine.rows() == journal.filter(pl.col("date") <= day).rows()
        for row in now.rollforward.iter_rows(named=True):
            assert row["opening_lines"] + row["new_lines"] - row["matched_lines"] == row["closing_lines"]
            assert row["opening_amount"] + row["new_amount"] - row["matched_amount"] == row["closing_amount"]
            items = now.open_items.filter(pl.col("currency") == row["currency"])
            assert (items.height, items["amount"].sum()) == (row["closing_lines"], row["closing_amount"])
        sums = {(name, currency): amount for name, currency, amount in balances(mine).rows()}
        for currency in ("USD", "EUR"):
            row = now.rollforward.filter(pl.col("currency") == currency).row(0, named=True)
            assert sums.get(("accounts receivable", currency), D(0)) == row["closing_amount"]
            nets = now.lines.filter(pl.col("currency") == currency)["net_amount"].sum()
            assert sums.get(("undisbursed cash", currency), D(0)) == nets
        by_day = mine.group_by("date", "currency").agg(pl.col("debit").sum(), pl.col("credit").sum())
        assert by_day.filter(pl.col("debit") != pl.col("credit")).height == 0
        published = now.rollforward
        day += timedelta(days=1)


@settings(max_examples=15, deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_no_line_and_no_cent_is_lost_and_order_is_irrelevant(
    world: tuple[list[dict[str, Any]], list[dict[str, Any]]], dice: Any
) -> None:
    activity, lines = world
    last = date(2026, 1, 16)
    day = reconcile_pay(books(activity, lines, last))
    for side, rows in (("activity", activity), ("settlement", lines)):
        for currency in ("USD", "EUR"):
            mine = [row["amount"] for row in rows if row["currency"] == currency]
            parts = day.control_totals.get(currency, {}).get(side, {"lines": 0, "amount": "0"})
            inner = [part for part in parts.values() if isinstance(part, dict)]
            assert parts["lines"] == len(mine) == sum(part["lines"] for part in inner)
            assert D(parts["amount"]) == sum(mine, D(0)) == sum((D(part["amount"]) for part in inner), D(0))
    shuffled = ([*activity], [*lines])
    for rows in shuffled:
        dice.shuffle(rows)
    again = reconcile_pay(books(*shuffled, last))
    assert (
        again.findings.select("audit", "fact", "owed", "status").sort("audit", "fact").rows()
        == day.findings.select("audit", "fact", "owed", "status").sort("audit", "fact").rows()
    )
    assert again.rollforward.rows() == day.rollforward.rows()


def test_frames_in_pieces_are_matched_alike_and_stay_in_their_pieces() -> None:
    activity, lines = a_day()
    mine = books(activity, lines, DAY)
    whole = pay_sides.activity_side(mine), pay_sides.line_side(mine)
    cut = [pl.concat([side[:2], side[2:3], side[3:]], rechunk=False) for side in whole]
    left, right, pairs = pay_sides.match_sides(cut[0], cut[1], mine.account)
    for made, wanted in zip((left, right, pairs), pay_sides.match_sides(*whole, mine.account), strict=True):
        assert made.equals(wanted)
    assert pairs.height == 3
    # a filter copies the whole of a frame whose columns lie in different pieces
    for side, names in ((left, ("line", "amount", "pile", "matched_on")), (right, ("line", "pile", "activity_amount"))):
        pieces = [side[name].chunk_lengths() for name in names]
        assert len(pieces[0]) >= 3
        assert all(cut == pieces[0] for cut in pieces)


@pytest.mark.parametrize("lines_at_once", [1, 2, 3])
def test_fees_are_the_same_however_many_lines_are_looked_at_at_once(
    monkeypatch: pytest.MonkeyPatch, lines_at_once: int
) -> None:
    activity, lines = a_day()
    lines[1] |= {"total_fee": Decimal("-9.00"), "net_amount": Decimal("91.00")}  # 2.9 % of 100.00 + 0.30 is 3.20
    lines[5] |= {"total_fee": None, "percentage_fee": None, "fixed_fee": None}
    monkeypatch.setattr(pay_fees, "_AT_ONCE", lines_at_once)
    day = reconcile_pay(books(activity, lines, DAY))
    assert [row["owed"] for row in found(day, "pay_fee_differs")] == [D("5.80")]
    told = day.not_checked.filter(pl.col("audit") == "pay_fee_differs")
    assert [(row["subject"], row["count"]) for row in told.to_dicts()] == [("refund lines in USD", 1)]
