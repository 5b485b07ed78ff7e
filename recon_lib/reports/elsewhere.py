"""Reports of Amazon that no check needs: they lie in the same folders, are named in the list of files and left alone.

Old archives hold the reports that the ledger replaced, and every account downloads lists of offers and stock. Such a file
must neither stop the day nor pass for a damaged report of another kind.
"""

from __future__ import annotations

import re
from collections.abc import Set

_OLD = "which the inventory ledger has replaced"
_KNOWN: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (title, frozenset(re.sub(r"[\s_-]+", "", name) for name in names.split()))
    for title, names in (
        ("the FBA inbound performance report", "issue-reported-date fba-shipment-id problem-type"),
        (f"the FBA inventory adjustments report, {_OLD}", "adjusted-date transaction-item-id fnsku"),
        (f"the FBA inventory event detail report, {_OLD}", "snapshot-date transaction-type fnsku quantity"),
        (f"the FBA received inventory report, {_OLD}", "received-date fba-shipment-id fnsku"),
        (f"the FBA daily inventory history, {_OLD}", "snapshot-date detailed-disposition fnsku quantity"),
        (f"the FBA monthly inventory history, {_OLD}", "month average-quantity end-quantity fnsku"),
        ("the FBA promotions report", "shipment-item-id item-promotion-id promotion-rule-value"),
        ("a list of offers", "listing-id seller-sku open-date"),
        ("a list of FBA stock", "fnsku afn-warehouse-quantity afn-fulfillable-quantity"),
        ("a list of stranded stock", "date-stranded stranded-reason fnsku"),
        ("a tax report", "unique-account-identifier activity-period tax-calculation-date"),
        ("a tax report", "tax-calculated-date-utc transaction-type sku"),
        ("the Amazon Pay authorizations report", "amazonauthorizationid authorizationstatus authorizationamount"),
        ("the Amazon Pay order references report", "amazonorderreferenceid orderreferencestatus"),
    )
)
_ENGLISH = frozenset({
    "quantity", "price", "amount", "number", "shipment", "warehouse", "units", "seller", "currency", "country", "reason",
    "fee", "created", "updated", "reported", "available", "received", "customer", "recommended", "inventory", "purchase",
    "buyer", "days", "sales", "invoice",
})  # fmt: skip


def named(names: Set[str]) -> str | None:
    """What the report is, where its normalised header names are those of one that no check needs."""
    return next((title for title, signature in _KNOWN if signature <= names), None)


def is_english(unknown: list[str]) -> bool:
    """Whether these header names, which no family has, are English: then the header is no translated or re-typed one."""
    words = [re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()) for name in unknown]
    return sum(1 for said in words if not _ENGLISH.isdisjoint(said)) >= 2
