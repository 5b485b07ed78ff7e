"""Every layout of settlements, Amazon Pay, ledger, returns and reimbursements, by hand-made rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest

from recon_lib import frames
from recon_lib.reports import Reading, read
from tests.headers import PAY, RETURNS, V1, V2

Read = Callable[..., Reading]


@pytest.fixture
def reads(tmp_path: Path) -> Read:
    def one(text: str, **hints: str) -> Reading:
        path = tmp_path / "file"
        path.write_bytes(text.encode())
        return read(path, store=tmp_path / "store", **hints)

    return one


def lines(header: list[str], *rows: dict[str, str], sep: str = "\t") -> str:
    return "\n".join([sep.join(header), *(sep.join(r.get(n, "") for n in header) for r in rows)]) + "\n"


def frame(got: Reading, family: str, schema: type[dy.Schema]) -> pl.DataFrame:
    """The stored rows, proved to be what the data model declares."""
    rows = got.rows(family).collect()
    schema.validate(rows.with_columns(pl.lit("f").alias("file")).select(schema.column_names()))
    return rows.sort("line")


SUMMARY = {
    "settlement-id": "700", "settlement-start-date": "2026-03-01 00:00:00 UTC", "settlement-end-date": "2026-03-14 00:00:00 UTC",
    "deposit-date": "2026-03-16 00:00:00 UTC", "total-amount": "8.00", "currency": "USD",
}  # fmt: skip


def line(amount: str, **more: str) -> dict[str, str]:
    base = {
        "settlement-id": "700", "transaction-type": "Order", "order-id": "111-1", "amount-type": "ItemPrice",
        "amount-description": "Principal", "amount": amount, "posted-date": "2026-03-14",
        "posted-date-time": "2026-03-14 08:49:04 UTC", "sku": "S1", "quantity-purchased": "1",
    }  # fmt: skip
    return base | {k.replace("_", "-"): v for k, v in more.items()}


@pytest.mark.parametrize("many", [2, 30])
def test_each_of_many_settlements_in_a_file_has_its_own_currency(reads: Read, many: int) -> None:
    coins = ["USD", "CAD", "MXN"]
    told = [
        row | {"settlement-id": str(n)}
        for n in range(many)
        for row in (SUMMARY | {"currency": coins[n % 3]}, line("8.00"))
    ]
    got = reads(lines(V2, *told))
    rows = frame(got, "settlement_lines", frames.SettlementLine).select("settlement_id", "currency").rows()
    assert sorted(rows) == sorted((str(n), coins[n % 3]) for n in range(many))


@pytest.mark.parametrize("header", [V2, V2[:-1], [n for n in V2 if n not in ("promotion-id", "posted-date-time")]])
def test_settlement_v2(reads: Read, header: list[str]) -> None:
    got = reads(lines(header, SUMMARY, line("10.00"), line("-2.00", amount_type="ItemFees")))
    rows = frame(got, "settlement_lines", frames.SettlementLine)
    assert (got.layout, got.rows_used, got.totals, got.notes) == ("V2", 3, {"USD": Decimal("8.00")}, ())
    assert rows.select("line", "part", "amount", "currency", "posted_on").rows() == [
        (3, 1, Decimal("10.00"), "USD", date(2026, 3, 14)),
        (4, 1, Decimal("-2.00"), "USD", date(2026, 3, 14)),
    ]
    timed = datetime(2026, 3, 14, 8, 49, 4, tzinfo=UTC) if "posted-date-time" in header else None
    assert rows["posted_at"].to_list() == [timed, timed]
    head = frame(got, "settlements", frames.Settlement)
    assert head.select("line", "settlement_id", "total_amount", "currency", "layout", "end_on").rows() == [
        (2, "700", Decimal("8.00"), "USD", "V2", date(2026, 3, 14))
    ]


def test_a_settlement_out_of_balance_is_read_and_noted(reads: Read) -> None:
    got = reads(lines(V2, SUMMARY, line("10.00")))
    assert got.notes == ("settlement 700: lines add up to 10.00, total-amount says 8.00",)


def test_currency_on_every_row(reads: Read) -> None:
    got = reads(lines(V2, SUMMARY, line("8.00", currency="USD")))
    assert got.rows_used == 2
    assert frame(got, "settlement_lines", frames.SettlementLine)["currency"].to_list() == ["USD"]


def test_the_summary_row_may_stand_last(reads: Read) -> None:
    got = reads(lines(V2, line("10.00"), line("-2.00"), SUMMARY))
    assert (got.rows_used, got.rows_rejected) == (3, 0)
    assert frame(got, "settlements", frames.Settlement)["line"].to_list() == [4]
    far = reads(lines(V2, *[line("1.00") for _ in range(600)], SUMMARY))
    assert (far.rows_used, far.rows_rejected) == (601, 0)
    assert frame(far, "settlements", frames.Settlement)["line"].to_list() == [602]
    assert set(frame(far, "settlement_lines", frames.SettlementLine)["currency"]) == {"USD"}


def test_a_line_without_amount_or_currency_is_rejected(reads: Read) -> None:
    got = reads(lines(V2, SUMMARY, line(""), line("8.00")))
    assert got.rejects.rows() == [(3, "amount", None, "is empty")]
    assert reads(lines(V2, line("8.00"))).rejects.rows() == [(2, "currency", None, "is empty")]


def test_german_settlement(reads: Read) -> None:
    summary = SUMMARY | {
        "settlement-start-date": "01.03.2026 00:00:00 UTC", "settlement-end-date": "14.03.2026 00:00:00 UTC",
        "deposit-date": "16.03.2026 00:00:00 UTC", "total-amount": "1.234,56", "currency": "EUR",
    }  # fmt: skip
    dated = {"posted_date": "02.03.2026", "posted_date_time": "02.03.2026 23:30:00 UTC"}
    got = reads(lines(V2, summary, line("1.300,00", **dated), line("-65,44", **dated)))
    assert (got.totals, got.notes) == ({"EUR": Decimal("1234.56")}, ())
    assert frame(got, "settlement_lines", frames.SettlementLine)["posted_on"].to_list() == [date(2026, 3, 2)] * 2


@pytest.mark.parametrize(
    ("written", "timed", "on"), [("09/06/25", "2025-09-06 08:00:00 UTC", date(2025, 9, 6)), ("09/06/25", "2025-06-09 08:00:00 UTC", date(2025, 6, 9))]
)  # fmt: skip
def test_an_ambiguous_posted_date_follows_the_time_of_its_row(reads: Read, written: str, timed: str, on: date) -> None:
    first = line("8.00", posted_date=written, posted_date_time=timed)
    got = reads(lines(V2, SUMMARY, first, line("0.00", posted_date=written, posted_date_time="")))
    assert frame(got, "settlement_lines", frames.SettlementLine)["posted_on"].to_list() == [on, on]


def v1(kind: str, **cells: str) -> dict[str, str]:
    base = {"settlement-id": "700", "transaction-type": kind, "posted-date": "2026-03-05T06:23:59+00:00"}
    return base | {k.replace("_", "-"): v for k, v in cells.items()}


PROMOTIONS = ("promotion-id", "promotion-type", "promotion-amount")


@pytest.mark.parametrize("header", [V1, [n for n in V1 if n not in PROMOTIONS]])
def test_settlement_v1_in_v2_words(reads: Read, header: list[str]) -> None:
    summary = SUMMARY | {"settlement-start-date": "2026-03-01T00:00:00+00:00", "total-amount": "84.33"}
    text = lines(
        header,
        summary,
        v1("Order", order_id="1", quantity_purchased="2"),
        v1("Order", order_id="1", price_type="Principal", price_amount="35.00"),
        v1("Order", order_id="1", item_related_fee_type="Commission", item_related_fee_amount="-5.25"),
        v1("ServiceFee", item_related_fee_type="Cost of Advertising", item_related_fee_amount="-10.00",
           other_fee_amount="-1.30", other_fee_reason_description="TaxAmount"),
        v1("REVERSAL_REIMBURSEMENT", order_id="1", quantity_purchased="1", other_amount="43.29"),
        v1("Storage Fee", other_amount="-9.50"),
        v1("Successful charge", other_amount="32.09    "),
    )  # fmt: skip
    text = text.replace("32.09    \n", "32.09    \n\n") + "\t".join(
        v1("Payable to Amazon", other_amount="0.00").get(n, "") for n in header
    )
    got = reads(text)
    assert (got.layout, got.rows_used, got.rows_rejected, got.notes) == ("V1", 9, 0, ())
    rows = frame(got, "settlement_lines", frames.SettlementLine).sort("line", "part")
    told = rows.select("line", "part", "transaction_type", "amount_type", "amount_description", "amount").rows()
    assert told == [
        (3, 1, "Order", None, None, Decimal("0.00")),
        (4, 1, "Order", "ItemPrice", "Principal", Decimal("35.00")),
        (5, 1, "Order", "ItemFees", "Commission", Decimal("-5.25")),
        (6, 1, "ServiceFee", "Cost of Advertising", "TransactionTotalAmount", Decimal("-10.00")),
        (6, 2, "ServiceFee", "Cost of Advertising", "TaxAmount", Decimal("-1.30")),
        (7, 1, "other-transaction", "FBA Inventory Reimbursement", "REVERSAL_REIMBURSEMENT", Decimal("43.29")),
        (8, 1, "other-transaction", "other-transaction", "Storage Fee", Decimal("-9.50")),
        (9, 1, "other-transaction", "other-transaction", "Successful charge", Decimal("32.09")),
        (11, 1, "other-transaction", "other-transaction", "Payable to Amazon", Decimal("0.00")),
    ]
    assert rows["quantity"].to_list()[0] == 2


def test_all_nine_amounts_of_a_v1_row(reads: Read) -> None:
    amounts = [n for n in V1 if n.endswith("-amount") and n != "total-amount"]
    assert len(amounts) == 9
    row = v1("Order") | {n: f"{i}.00" for i, n in enumerate(amounts, 1)}
    got = reads(lines(V1, SUMMARY | {"total-amount": "45.00"}, row))
    rows = frame(got, "settlement_lines", frames.SettlementLine).sort("part")
    assert (got.rows_used, got.notes) == (2, ())
    assert rows.select("part", "amount").rows() == [(i, Decimal(i)) for i in range(1, 10)]


def test_the_hybrid_without_summary_row(reads: Read) -> None:
    header = [*V1[:18], "posted-date-time", *V1[18:]]
    assert len(header) == 37
    stated = {
        "settlement-start-date": "2026-08-04 UTC", "settlement-end-date": "2026-08-17 UTC",
        "deposit-date": "2026-08-17 UTC", "currency": "EUR", "posted-date": "2026-08-16",
        "posted-date-time": "2026-08-16 10:12:00 UTC", "settlement-id": "9", "transaction-type": "Order",
    }  # fmt: skip
    first = stated | {"price-type": "Principal", "price-amount": "249.90", "quantity-purchased": "10"}
    second = stated | {
        "item-related-fee-type": "Commission",
        "item-related-fee-amount": "-38.23",
        "quantity-purchased": "10",
    }
    got = reads(lines(header, first, second))
    assert (got.layout, got.rows_used, got.totals) == ("hybrid", 2, {"EUR": Decimal("211.67")})
    head = frame(got, "settlements", frames.Settlement)
    assert head.select("settlement_id", "total_amount", "start_on", "deposit_on", "currency", "layout").rows() == [
        ("9", None, date(2026, 8, 4), date(2026, 8, 17), "EUR", "hybrid")
    ]


@pytest.mark.parametrize("count", [2, 700])
def test_a_settlement_that_states_its_head_on_every_line(reads: Read, count: int) -> None:
    head = {n: c for n, c in SUMMARY.items() if n != "total-amount"} | {"total-amount": f"{count}.00"}
    got = reads(lines(V2, *[head | line("1.00") for _ in range(count)]))
    assert (got.rows_used, got.rows_rejected, got.notes) == (count, 0, ())
    assert frame(got, "settlement_lines", frames.SettlementLine).height == count
    rows = frame(got, "settlements", frames.Settlement)
    assert rows.select("settlement_id", "total_amount", "start_on", "end_on", "deposit_on", "currency").rows() == [
        ("700", Decimal(count), date(2026, 3, 1), date(2026, 3, 14), date(2026, 3, 16), "USD")
    ]


def test_a_total_on_every_line_that_the_lines_do_not_add_up_to(reads: Read) -> None:
    got = reads(lines(V2, SUMMARY | line("5.00"), SUMMARY | line("2.00")))
    assert got.notes == ("settlement 700: lines add up to 7.00, total-amount says 8.00",)
    apart = reads(lines(V2, SUMMARY | line("5.00"), SUMMARY | line("3.00") | {"total-amount": "9.00"}))
    assert frame(apart, "settlements", frames.Settlement)["total_amount"].to_list() == [None]


def quoted(cells: list[str]) -> str:
    return ",".join(f'"{c}"' for c in cells)


def test_amazon_pay_settlement(reads: Read) -> None:
    capture = ["2015-10-01T11:10:34 -0700", "59", "P01-1-C1", "87-0", "Capture", "P01-1", "", "", "USD", "", "10.00",
               "-0.29", "-0.30", "-0.59", "9.41"]  # fmt: skip
    transfer = [
        "2015-12-01T07:06:47-0800",
        "59",
        "",
        "",
        "Transfer",
        "",
        "",
        "",
        "USD",
        "x",
        "-25.54",
        "0",
        "0",
        "0",
        "-25.54",
    ]
    text = (
        '\ufeff"Amazon Payments Advanced",\n"Settlement Report",\n"SellerId","ABC"\n'
        '"SettlementStartDate","2015-09-30T15:00:44 -0700"\n"SettlementEndDate","2015-10-01T14:59:44 -0700"\n'
        + quoted(PAY) + ",\n" + quoted(capture) + "\n" + quoted(transfer) + "\n"
    )  # fmt: skip
    got = reads(text)
    assert (got.family, got.encoding, got.rows_used, got.totals) == (
        "pay_lines",
        "utf-8-sig",
        2,
        {"USD": Decimal("-16.13")},
    )
    rows = frame(got, "pay_lines", frames.PayLine)
    assert rows.select("line", "posted_at", "amazon_transaction_id", "total_fee").rows() == [
        (7, datetime(2015, 10, 1, 18, 10, 34, tzinfo=UTC), "P01-1-C1", Decimal("-0.59")),
        (8, datetime(2015, 12, 1, 15, 6, 47, tzinfo=UTC), None, Decimal("0")),
    ]
    assert frame(got, "pay_statements", frames.PayStatement).rows() == [
        (4, "ABC", datetime(2015, 9, 30, 22, 0, 44, tzinfo=UTC), datetime(2015, 10, 1, 21, 59, 44, tzinfo=UTC))
    ]


def test_an_amazon_pay_settlement_that_went_through_a_spreadsheet_says_so(reads: Read) -> None:
    """Of what stands above the rows, a frame of its own, no cell is an id."""
    cells = ["2015-10-01T11:10:34 -0700", "59", "P01-1-C1", "8.7E+10", "Capture", "P01-1", "", "BLUE+RED", "USD", "", "10.00",
             "-0.29", "-0.30", "-0.59", "9.41"]  # fmt: skip
    above = '"Amazon Payments Advanced",\n"Settlement Report",\n"SellerId","ABC"\n'
    above += '"SettlementStartDate","2015-09-30T15:00:44 -0700"\n"SettlementEndDate","2015-10-01T14:59:44 -0700"\n'
    (note,) = reads(above + quoted(PAY) + ",\n" + quoted(cells) + "\n").notes
    assert note.startswith("1 cell of SellerReferenceId is a number that a spreadsheet shortened (8.7E+10)")
    cells[3] = "87-0"
    assert reads(above + quoted(PAY) + ",\n" + quoted(cells) + "\n").notes == ()


def test_amazon_pay_refund_and_capture_without_buyers(reads: Read, tmp_path: Path) -> None:
    refund = [
        "AmazonRefundId",
        "RefundReferenceId",
        "AmazonCaptureId",
        "AmazonOrderReferenceId",
        "RefundAmount",
        "CurrencyCode",
        "SellerRefundNote",
        "RefundType",
        "RefundStatus",
        "LastUpdateTimestamp",
        "ReasonCode",
        "CreationTimestamp",
    ]
    row = ["R1", "ref", "C1", "P01", "1.00", "USD", "secret note", "SellerInitiated", "Completed",
           "2015-10-05T16:20:49 -0700", "", "2015-10-05T14:43:18 -0700"]  # fmt: skip
    pending = [*row[:8], "Pending", *row[9:]]
    got = reads(f"{quoted(refund)}\n{quoted(row)}\n{quoted(pending)}\n")
    assert frame(got, "pay_refunds", frames.PayRefund)["status"].to_list() == ["Completed", "Pending"]
    assert got.totals == {"USD": Decimal("1.00")}  # a row a state: the money is counted once, on Completed
    capture = [
        "AmazonCaptureId",
        "CaptureReferenceId",
        "AmazonAuthorizationId",
        "AmazonOrderReferenceId",
        "CaptureAmount",
        "CurrencyCode",
        "SellerCaptureNote",
        "CaptureStatus",
        "LastUpdateTimestamp",
        "ReasonCode",
        "CreationTimestamp",
        "BuyerName",
        "BuyerEmailAddress",
        "BillingAddressLine1",
        "BillingAddressLine2",
        "BillingAddressLine3",
        "BillingAddressCity",
        "BillingAddressDistrictOrCounty",
        "BillingAddressStateOrRegion",
        "BillingAddressPostalCode",
        "BillingAddressCountryCode",
    ]
    assert len(capture) == 21
    good = ["C1", "ref", "A1", "P01", "1.00", "USD", "secret note", "Completed", "2018-10-05T16:20:49 -0700", "",
            "2018-10-05T14:43:18 -0700", *["secret"] * 10]  # fmt: skip
    bad = ["C2", "ref", "A1", "P01", "one", *good[5:]]
    got = reads(f"{quoted(capture)}\n{quoted(good)}\n{quoted(bad)}\n")
    assert (got.rows_used, got.rows_rejected) == (1, 1)
    frame(got, "pay_captures", frames.PayCapture)
    for path in (tmp_path / "store").rglob("*"):
        assert not path.is_file() or b"secret" not in path.read_bytes()


DETAIL = [
    "Date",
    "FNSKU",
    "ASIN",
    "MSKU",
    "Title",
    "Event Type",
    "Reference ID",
    "Quantity",
    "Fulfillment Center",
    "Disposition",
    "Reason",
    "Country",
    "Reconciled Quantity",
    "Unreconciled Quantity",
    "Date and Time",
    "Store",
]


@pytest.mark.parametrize("width", [14, 15, 16])
@pytest.mark.parametrize("blanks", [True, False])
@pytest.mark.parametrize("quotes", [True, False])
def test_ledger_detail(reads: Read, width: int, blanks: bool, quotes: bool) -> None:
    header = [n if blanks else n.replace(" ", "") for n in DETAIL[:width]]
    row = ["07/06/2026", "X1", "B1", "S1", 'a ""b"" c' if quotes else 'a "b" c', "Adjustments", "99", "-1", "ABE8", "SELLABLE",
           "M", "US", "0", "1", "2026-07-06T00:00:00-0700", "main"][:width]  # fmt: skip
    winter = ["12/24/2026", *row[1:14], "2026-12-24T00:00:00-0800", "main"][:width]
    mark = '"' if quotes else ""
    text = "".join("\t".join(f"{mark}{c}{mark}" for c in cells) + "\n" for cells in (header, row, winter))
    got = reads(text)
    rows = frame(got, "ledger_detail", frames.LedgerEvent)
    assert rows["event_on"].to_list() == [date(2026, 7, 6), date(2026, 12, 24)]
    assert rows["event_at"].to_list() == [None, None]  # midnight is no time
    assert rows.select("quantity", "unreconciled_quantity", "title", "reason").row(0) == (-1, 1, 'a "b" c', "M")


def test_ledger_detail_with_a_real_time(reads: Read) -> None:
    row = dict(
        zip(
            DETAIL,
            ["2026-08-18", "X", "B", "S", "T", "Shipments", "1", "-1", "F", "SELLABLE", "", "DE", "", "", "", ""],
            strict=True,
        )
    )
    got = reads(
        lines(
            DETAIL, row | {"Date and Time": "2026-08-18 10:00:00 UTC"}, row | {"Date and Time": "2026-08-18 10:00:00"}
        )
    )
    at = frame(got, "ledger_detail", frames.LedgerEvent)["event_at"].to_list()
    assert at == [datetime(2026, 8, 18, 10, tzinfo=UTC), None]


@pytest.mark.parametrize("blanks", [True, False])
def test_ledger_summary(reads: Read, blanks: bool) -> None:
    names = [
        "Date",
        "FNSKU",
        "ASIN",
        "MSKU",
        "Title",
        "Disposition",
        "Starting Warehouse Balance",
        "In Transit Between Warehouses",
        "Receipts",
        "Customer Shipments",
        "Customer Returns",
        "Vendor Returns",
        "Warehouse Transfer In/Out",
        "Found",
        "Lost",
        "Damaged",
        "Disposed",
        "Other Events",
        "Ending Warehouse Balance",
        "Unknown Events",
        "Location",
        "Store",
    ]
    names = names if blanks else [n.replace(" ", "") for n in names[:-1]]
    row = [
        "12/22/2022",
        "X",
        "B",
        "S",
        "T",
        "SELLABLE",
        "1,000",
        "0",
        "5",
        "-3",
        "0",
        "0",
        "0",
        "1",
        "-2",
        "0",
        "0",
        "0",
        "1,001",
        "0",
        "US",
        "s",
    ]
    got = reads("\n".join("\t".join(f'"{c}"' for c in cells[: len(names)]) for cells in (names, row)))
    rows = frame(got, "ledger_summary", frames.LedgerBalance)
    assert rows.select("day_on", "starting_balance", "lost", "ending_balance").row(0) == (
        date(2022, 12, 22),
        1000,
        -2,
        1001,
    )


def test_returns_and_their_older_layouts(reads: Read, tmp_path: Path) -> None:
    names = RETURNS
    row = dict(
        zip(
            names,
            [
                "2026-09-10T08:00:00+00:00",
                "1",
                "S",
                "B",
                "X",
                "P",
                "1",
                "F",
                "SELLABLE",
                "OTHER",
                "ok",
                "LPN1",
                "secret",
            ],
            strict=True,
        )
    )
    got = reads(lines(names, row))
    assert frame(got, "customer_returns", frames.CustomerReturn)["license_plate_number"].to_list() == ["LPN1"]
    old = ["amazon-order-id" if n == "order-id" else n for n in names[:-3]]
    got = reads(lines(old, row | {"amazon-order-id": "1", "return-date": "18-AUG-2026"}))
    assert frame(got, "customer_returns", frames.CustomerReturn).select("order_id", "returned_on").row(0) == (
        "1",
        date(2026, 8, 18),
    )
    assert all(b"secret" not in p.read_bytes() for p in (tmp_path / "store").rglob("*") if p.is_file())


def test_the_oldest_reimbursements_have_one_quantity(reads: Read) -> None:
    names = [
        "approval-date",
        "reimbursement-id",
        "reason",
        "sku",
        "fnsku",
        "currency-unit",
        "amount-per-unit",
        "amount-total",
        "quantity",
    ]
    row = dict(zip(names, ["2016-01-02", "1", "Lost_Warehouse", "S", "X", "USD", "2.00", "4.00", "2"], strict=True))
    got = reads(lines(names, row, row | {"amount-total": "0.00", "amount-per-unit": "0"}))
    rows = frame(got, "reimbursements", frames.Reimbursement)
    counts = ("quantity_cash", "quantity_inventory", "quantity_total")
    assert rows.select(counts).rows() == [(2, 0, 2), (0, 2, 2)]
    # 8.00 at 4.00 a unit pays two of three, so the third came in stock; what does not divide tells no such thing
    told = [
        ("4.00", "8.00", "3"),
        ("3.33", "10.00", "3"),
        ("4.00", "16.00", "3"),
        ("-4.00", "-4.00", "-2"),
        ("", "8.00", "2"),
    ]
    got = reads(lines(names, *[row | dict(zip(names[-3:], cells, strict=True)) for cells in told]))
    paid = frame(got, "reimbursements", frames.Reimbursement).select(counts).rows()
    assert paid == [(2, 1, 3), (3, 0, 3), (3, 0, 3), (-2, 0, -2), (2, 0, 2)]


def test_a_reimbursed_quantity_that_is_not_written_is_the_rest(reads: Read) -> None:
    head = ["approval-date", "reimbursement-id", "reason", "sku", "fnsku", "currency-unit", "amount-total"]
    cells = ["2026-01-02", "1", "Lost_Warehouse", "S", "X", "USD"]
    counts = [f"quantity-reimbursed-{of}" for of in ("cash", "inventory", "total")]

    def read_counts(names: list[str], *told: list[str]) -> list[tuple[int, ...]]:
        got = reads(lines(head + names, *[dict(zip(head + names, [*cells, *row], strict=True)) for row in told]))
        rows = frame(got, "reimbursements", frames.Reimbursement)
        return rows.select("quantity_cash", "quantity_inventory", "quantity_total").rows()

    blank = [["7.00", "1", "", "1"], ["7.00", "", "1", "3"], ["0.00", "", "2", "2"], ["7.00", "1", "0", ""]]
    assert read_counts(counts, *blank) == [(1, 0, 1), (2, 1, 3), (0, 2, 2), (1, 0, 1)]
    assert read_counts(counts[2:], ["14.00", "2"], ["0.00", "1"]) == [(2, 0, 2), (0, 1, 1)]
    got = reads(lines([*head, *counts], dict(zip([*head, *counts], [*cells, "7.00", "1", "", ""], strict=True))))
    assert got.rejects.rows() == [(2, "quantity-reimbursed-inventory", None, "is empty")]
    got = reads(lines([*head, *counts], dict(zip([*head, *counts], [*cells, "7.00", "", "2", "1"], strict=True))))
    assert got.rejects.rows() == [(2, "quantity-reimbursed-cash", None, "is empty")]  # more in stock than in all
