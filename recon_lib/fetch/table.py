"""Which reports are fetched, and how: the one place to change when Amazon changes something.

how       days      asked for by period (createReport), every day anew with some days of overlap: rows come late, and some
                    are changed in place. Days are days of the account's time zone; a day at the edge of a file may be cut
                    elsewhere by Amazon, so at least two days overlap, and the readers count overlapping rows once.
          months    asked for once for each calendar month, from day `ready` of the next one
          snapshot  the state of now, asked for every `every` days; only the newest one stays in reports/
          listed    made by Amazon by its own schedule, cannot be asked for: listed and downloaded; kept by Amazon for 90 days
          pages     answers of an API, all pages of a period in one zip, each page as it was delivered
period    most days of one request, the overlap included
back      days looked back at the first time; `--from` goes further, down to `limit`
overlap   days asked for again at every request
again     "no data" is believed when it is said twice, so many hours apart (Amazon also cancels for other reasons)
standard  False: only where `--family` names it, because no audit needs it or because it is full of buyers' data
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Api = Literal["selling_partner", "amazon_pay"]
How = Literal["days", "months", "snapshot", "listed", "pages"]


@dataclass(frozen=True)
class Row:
    """One report and how it is asked for. `family` is the name of the typed frame it becomes."""

    family: str
    report: str
    how: How = "days"
    api: Api = "selling_partner"
    period: int = 31
    back: int = 180
    limit: int = 540
    overlap: int = 3
    every: int = 1
    ready: int = 10
    again: int = 20
    standard: bool = True
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def ending(self) -> str:
        return ".zip" if self.how == "pages" else ".csv" if self.api == "amazon_pay" else ".txt"


_PAY = "_GET_FLAT_FILE_OFFAMAZONPAYMENTS_{}_DATA_"
TABLE = (
    Row("settlement_lines", "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2", how="listed", back=90, limit=90),
    Row("reimbursements", "GET_FBA_REIMBURSEMENTS_DATA", period=60, back=540),
    Row("ledger_detail", "GET_LEDGER_DETAIL_VIEW_DATA", overlap=7),
    Row("customer_returns", "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA", period=60, overlap=5),
    Row("removal_orders", "GET_FBA_FULFILLMENT_REMOVAL_ORDER_DETAIL_DATA", period=60, overlap=30),
    Row("removal_shipments", "GET_FBA_FULFILLMENT_REMOVAL_SHIPMENT_DETAIL_DATA", period=60, overlap=10),
    Row("inbound_shipments", "FBA_INBOUND_V0", how="pages", period=30),
    Row("fee_preview", "GET_FBA_ESTIMATED_FBA_FEES_TXT_DATA", how="snapshot", every=7),
    Row("storage_fees", "GET_FBA_STORAGE_FEE_CHARGES_DATA", how="months", again=240),
    Row("aged_inventory_fees", "GET_FBA_FULFILLMENT_LONGTERM_STORAGE_FEE_CHARGES_DATA", how="months", ready=20, again=240),
    Row("overage_fees", "GET_FBA_OVERAGE_FEE_CHARGES_DATA", how="months", ready=20, again=240),
    Row("pay_lines", _PAY.format("SETTLEMENT"), how="listed", api="amazon_pay", back=90, limit=90),
    Row("pay_refunds", _PAY.format("REFUND"), api="amazon_pay", period=30, back=90),
    Row("pay_captures", _PAY.format("CAPTURE"), api="amazon_pay", period=30, back=90, standard=False),
    Row("ledger_summary", "GET_LEDGER_SUMMARY_VIEW_DATA", back=60, standard=False,
        options={"aggregateByLocation": "FC", "aggregatedByTimePeriod": "DAILY"}),
    Row("all_orders", "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL", period=30, back=90, standard=False),
    Row("fulfilled_shipments", "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL", period=30, back=90, standard=False),
    Row("shipment_sales", "GET_FBA_FULFILLMENT_CUSTOMER_SHIPMENT_SALES_DATA", period=30, back=90, standard=False),
    Row("replacements", "GET_FBA_FULFILLMENT_CUSTOMER_SHIPMENT_REPLACEMENT_DATA", period=60, back=90, standard=False),
)  # fmt: skip
FAMILIES = {row.family: row for row in TABLE}
