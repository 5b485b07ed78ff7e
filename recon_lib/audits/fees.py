"""The five fee audits: one finding a charge, above the card by more than one minor unit a unit; below it never.

A fee that cannot be known (no measure, no category, no rate row, a disputed limit) is counted as not checked.
"""

from __future__ import annotations

import polars as pl

from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.evidence import not_checked
from recon_lib.audits.fee_common import (
    FULFILMENT_FEE,
    MEASUREMENT,
    NAMES,
    Unchecked,
    count,
    mark,
    raw_findings,
    text,
    tolerance,
    with_lines,
)  # fmt: skip
from recon_lib.audits.fee_credits import settle
from recon_lib.audits.fee_fulfilment import with_fees
from recon_lib.audits.fee_items import FULFILMENT, ITEM, order_items, own_sizes, places, sellers_sizes
from recon_lib.audits.fee_referral import referral_errors, refund_fees_kept
from recon_lib.audits.fee_storage import storage
from recon_lib.books import Books
from recon_lib.cards import card_currency
from recon_lib.money import MONEY, RATE
from recon_lib.policy import Policy


def fees(books: Books, policy: Policy) -> AuditResult:
    """All five fee audits, with what Amazon has corrected since taken off, oldest first."""
    unchecked: Unchecked = []
    found: list[pl.DataFrame] = []
    if books.has("settlement_lines") or books.has("settlements"):
        items = order_items(books)
        seller = sellers_sizes(books)
        here = _of_this_store(items, books, unchecked)
        found += [
            *_fulfilment(books, policy, here, seller, unchecked),
            referral_errors(books, policy, here, seller, unchecked),
        ]
        found.append(refund_fees_kept(books, policy, items, unchecked))
    else:
        unchecked += [(name, "settlements", "report missing", None) for name in NAMES[:4]]
    found.append(storage(books, policy, unchecked))
    raw, settled = settle(pl.concat(found), books)
    return AuditResult(raw, settled, not_checked(unchecked))


def _of_this_store(items: pl.DataFrame, books: Books, unchecked: Unchecked) -> pl.DataFrame:
    """The items sold in the account's own store; others are counted, because their card is another."""
    store = books.account.marketplace
    elsewhere = items.filter(pl.col("store").is_not_null() & (pl.col("store") != store))
    for name, many in elsewhere.group_by("store").len().sort("store").iter_rows():
        subject = "no Amazon store" if name == "other" else f"sold in {name}"
        unchecked += [(audit, subject, f"not of the store {store}: another card", many) for audit in NAMES[:3]]
    return items.filter(pl.col("store").is_null() | (pl.col("store") == store))


def _fulfilment(
    books: Books, policy: Policy, items: pl.DataFrame, seller: pl.DataFrame, unchecked: Unchecked
) -> list[pl.DataFrame]:
    """Charges above the card for Amazon's measure, and the part of the card that the seller's measure does not bear out."""
    account = books.account
    charged = items.filter(pl.col("fulfilment") > 0)
    currency = card_currency(policy, account.marketplace)
    if charged.is_empty():
        return []
    for audit, family in ((FULFILMENT_FEE, "fee_preview"), (MEASUREMENT, "fee_preview"), (MEASUREMENT, "products")):
        if not books.has(family):
            unchecked.append((audit, family, "report missing", charged.height))
    if currency is None or not books.has("fee_preview"):
        if currency is None:
            unchecked += [
                (a, account.marketplace, "no rate card for this marketplace", charged.height) for a in NAMES[:2]
            ]
        return []
    amazon = own_sizes(books)
    goods = books.frames["storage_fees"].select("asin", kind=pl.col("dangerous_goods_type").str.to_lowercase())
    is_goods = pl.col("kind").is_not_null() & ~pl.col("kind").is_in(
        ["", "--", "none", "no", "n/a", "false", "not dangerous"]
    )
    dangerous = goods.filter(is_goods).collect()["asin"].unique().to_list()
    foreign = charged.filter(pl.col("currency") != currency)
    if foreign.height:
        unchecked += [(a, "currency", f"the card is in {currency}", foreign.height) for a in NAMES[:2]]
    rows = with_fees(
        charged.filter(pl.col("currency") == currency),
        amazon,
        seller,
        dangerous,
        policy,
        account.marketplace,
        account.cep_enrolled,
    )
    units = pl.col("units").cast(RATE)
    unknown = (
        pl.when(units.is_null() | (units <= 0))
        .then(pl.lit("quantity unknown"))
        .when(pl.col("own_reason").is_not_null())
        .then("own_reason")
        .when(pl.col("own_fee").is_null())
        .then(pl.lit("size not in the fee preview"))
    )
    rows = rows.with_columns(reason=unknown, own=pl.col("own_fee") * units, true=pl.col("true_fee") * units)
    count(FULFILMENT_FEE, rows.filter(pl.col("reason").is_not_null()), "sku", unchecked)
    known = rows.filter(pl.col("reason").is_null()).with_columns(
        above=pl.col("fulfilment") - pl.col("own"), rest=pl.min_horizontal("fulfilment", "own") - pl.col("true")
    )
    over = known.filter(pl.col("above") > tolerance()).with_columns(owed="above")
    is_card = pl.col("above") >= -tolerance()
    wrong = known.filter(is_card & (pl.col("rest") > tolerance())).with_columns(owed="rest")
    if books.has("products"):
        why = pl.coalesce("reason", "true_reason", pl.lit("no measure of the seller's own"))
        open_ = rows.filter(pl.col("true_fee").is_null()).with_columns(reason=why)
        count(MEASUREMENT, open_, "sku", unchecked)
    both = pl.concat([over.select("charge", *ITEM), wrong.select("charge", *ITEM)]).unique("charge")
    lines = places(books, "order", both, ITEM, [FULFILMENT])
    above = _told(with_lines(over, lines, "own_place"), "own", "Amazon's measure")
    below = _told(with_lines(wrong, lines, "own_place", "true_place"), "true", "the seller's measure")
    return [
        raw_findings(above, FULFILMENT_FEE, "fee_weight_dimension", ITEM),
        raw_findings(below, MEASUREMENT, "fee_weight_dimension", ITEM),
    ]


def _told(rows: pl.DataFrame, side: str, whose: str) -> pl.DataFrame:
    """`arithmetic` and `reason` of fulfilment fee findings; `side` is own (Amazon's measure) or true (the seller's)."""
    texts, marks = [], []
    for row in rows.iter_rows(named=True):
        fee = text(row[f"{side}_fee"], row)
        paid = min(row["fulfilment"], row["own"]) if side == "true" else row["fulfilment"]
        part = "" if paid == row["fulfilment"] else f", of which {text(paid, row)} on Amazon's own card"
        texts.append(
            f"charged {text(row['fulfilment'], row)} for {row['units']}{part}; card for {whose} ({row[f'{side}_size_tier']}, "
            f"{row[f'{side}_programme']}, price {text(row['price'], row)}) {fee} a unit: "
            f"{text(paid, row)} - {row['units']} x {fee} = {text(row['owed'], row)}; "
            f"{row[f'{side}_tier_row']}; {row[f'{side}_fee_row']}"
        )
        marks.append(mark(row[f"{side}_fee_status"]))
    return rows.with_columns(
        arithmetic=pl.Series(texts, dtype=pl.String),
        reason=pl.Series(marks, dtype=pl.String),
        owed=pl.col("owed").cast(MONEY),
    )


FEE_AUDITS: tuple[Audit, ...] = (
    Audit(NAMES, ("settlement_lines", "fee_preview", "products", "storage_fees", "reimbursements"), fees),
)
