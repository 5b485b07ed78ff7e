"""The five fee audits: one finding a charge, above the card by more than one minor unit a unit; below it never.

A fee that cannot be known (no measure, no category, no rate row, a disputed limit) is counted as not checked.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.evidence import counted, not_checked, total
from recon_lib.audits.fee_common import (
    FULFILMENT_FEE,
    MEASUREMENT,
    NAMES,
    Unchecked,
    count,
    filled,
    money_words,
    plain_words,
    raw_findings,
    tolerance,
    uncertain_mark,
    with_lines,
)  # fmt: skip
from recon_lib.audits.fee_credits import settle
from recon_lib.audits.fee_disputes import proofs_back
from recon_lib.audits.fee_fulfilment import Card, Goods, with_fees
from recon_lib.audits.fee_items import SIDE, charge_cases, order_items, places, proofs, sellers_sizes, with_version
from recon_lib.audits.fee_referral import referral_errors, referral_suspects
from recon_lib.audits.fee_refunds import refund_fees_kept, with_fulfilment_back
from recon_lib.audits.fee_storage import storage
from recon_lib.books import Books
from recon_lib.cards import card_currency, card_days
from recon_lib.item_runs import ITEM
from recon_lib.money import MONEY, RATE
from recon_lib.policy import Policy
from recon_lib.referral import referral_days


def fees(books: Books, policy: Policy) -> AuditResult:
    """All five fee audits, with what Amazon has corrected since taken off, oldest first.

    Charges that nothing tells apart are looked at once; what looks wrong is put together again, by exact key and with proof.
    """
    unchecked: Unchecked = []
    found: list[pl.DataFrame] = []
    if books.has("settlement_lines") or books.has("settlements"):
        seller = sellers_sizes(books)
        charges, cases = charge_cases(books, _days(policy, books.account.marketplace, seller))
        items = with_version(_of_this_store(cases, books, unchecked), seller)
        card = _card(books, policy, items, unchecked)
        goods = Goods.of(books, seller)
        suspects = [referral_suspects(books, policy, items, seller, unchecked)]
        if card is not None:
            suspects.append(_suspects(books, items, goods, card, unchecked))
        wrong = pl.concat(suspects)["charge"].unique()
        again = with_version(order_items(books, charges.filter(pl.col("case").is_in(wrong.implode()))), seller)
        if again.height:
            lines = proofs(books, "order", again, [3, 4])
            found.append(referral_errors(books, policy, again, seller, lines))
            if card is not None:
                found += _fulfilment(books, again, goods, card, lines)
        found.append(refund_fees_kept(books, policy, unchecked))
    else:
        unchecked += [(name, "settlements", "report missing", None) for name in NAMES[:4]]
    found.append(storage(books, policy, unchecked))
    raw, settled = settle(pl.concat(found), books)
    return AuditResult(raw, settled, not_checked(unchecked))


def _days(policy: Policy, store: str, seller: pl.DataFrame) -> list[date]:
    """The days on which a rate of the store or what is known of a product changes."""
    return [*card_days(policy, store), *referral_days(policy, store), *seller["since"].drop_nulls().unique().to_list()]


def _of_this_store(items: pl.DataFrame, books: Books, unchecked: Unchecked) -> pl.DataFrame:
    """The items sold in the account's own store; others are counted, because their card is another."""
    store = books.account.marketplace
    elsewhere = items.filter(pl.col("store").is_not_null() & (pl.col("store") != store))
    for name, many in elsewhere.group_by("store").agg(pl.col("rows").sum()).sort("store").iter_rows():
        subject = "no Amazon store" if name == "other" else f"sold in {name}"
        unchecked += [(audit, subject, f"not of the store {store}: another card", many) for audit in NAMES[:3]]
    return items.filter(pl.col("store").is_null() | (pl.col("store") == store)).drop("store")


def _card(books: Books, policy: Policy, items: pl.DataFrame, unchecked: Unchecked) -> Card | None:
    """The card that fulfilment fees are held against; None (and said) without a card, a fee preview or any such fee."""
    account = books.account
    charged = total(items.filter(pl.col("fulfilment") > 0), "rows")
    if not charged:
        return None
    for audit, family in ((FULFILMENT_FEE, "fee_preview"), (MEASUREMENT, "fee_preview"), (MEASUREMENT, "products")):
        if not books.has(family):
            unchecked.append((audit, family, "report missing", charged))
    if card_currency(policy, account.marketplace) is None:
        unchecked += [(a, account.marketplace, "no rate card for this marketplace", charged) for a in NAMES[:2]]
        return None
    return Card(policy, account.marketplace, account.cep_enrolled) if books.has("fee_preview") else None


def _judged(items: pl.DataFrame, goods: Goods, card: Card, *, brief: bool) -> pl.DataFrame:
    """Fulfilment charges with `reason` (why unknown), `over` (above Amazon's card) and `wrong` (what its measure adds)."""
    currency = card_currency(card.policy, card.marketplace)
    charged = items.filter((pl.col("fulfilment") > 0) & (pl.col("currency") == currency))
    rows = with_fees(charged, goods, card, brief=brief)
    units = pl.col("units").cast(RATE)
    reason = (
        pl.when(units.is_null() | (units <= 0))
        .then(pl.lit("quantity unknown"))
        .when(pl.col("own_reason").is_not_null())
        .then("own_reason")
        .when(pl.col("own_fee").is_null())
        .then(pl.lit("size not in the fee preview"))
    )
    own = (pl.col("own_fee") * units).cast(MONEY)
    above = pl.col("fulfilment") - own
    rest = pl.min_horizontal(pl.col("fulfilment"), own) - (pl.col("true_fee") * units).cast(MONEY)
    known = pl.col("reason").is_null()
    judged = rows.with_columns(reason=reason, own=own, slack=tolerance())
    return judged.with_columns(
        over=pl.when(known & (above > pl.col("slack"))).then(above),
        # what lies below Amazon's own card is no matter of its measure
        wrong=pl.when(known & (above >= -pl.col("slack")) & (rest > pl.col("slack"))).then(rest),
    )


def _suspects(books: Books, items: pl.DataFrame, goods: Goods, card: Card, unchecked: Unchecked) -> pl.DataFrame:
    """`charge` of every fulfilment charge that looks wrong; what cannot be known is counted."""
    currency = card_currency(card.policy, card.marketplace)
    foreign = total(items.filter((pl.col("fulfilment") > 0) & (pl.col("currency") != currency)), "rows")
    if foreign:
        unchecked += [(a, "currency", f"the card is in {currency}", foreign) for a in NAMES[:2]]
    rows = _judged(items, goods, card, brief=True)
    count(FULFILMENT_FEE, rows.filter(pl.col("reason").is_not_null()), "sku", unchecked)
    if books.has("products"):
        why = pl.coalesce("reason", "true_reason", pl.lit("no measure of the seller's own"))
        count(MEASUREMENT, rows.filter(pl.col("true_fee").is_null()).with_columns(reason=why), "sku", unchecked)
    return rows.filter(pl.col("over").is_not_null() | pl.col("wrong").is_not_null()).select("charge")


def _fulfilment(books: Books, items: pl.DataFrame, goods: Goods, card: Card, lines: pl.DataFrame) -> list[pl.DataFrame]:
    """Charges above the card for Amazon's measure, and the part of the card that the seller's measure does not bear out.

    What refunds have given back of a fee is not claimed again.
    """
    rows = with_fulfilment_back(books, _judged(items, goods, card, brief=False))
    marks = goods.amazon.select("sku", "asin", "fnsku", own_place="place").unique(
        "sku", keep="first", maintain_order=True
    )
    rows = rows.join(marks, on="sku", how="left").join(
        goods.seller.select("version", true_place="place"), on="version", how="left"
    )
    over, wrong = (
        rows.with_columns(above=c, came=f"{c}_came", owed=pl.col(c) - pl.col(f"{c}_came")).filter(
            pl.col("owed") > pl.col("slack")
        )
        for c in ("over", "wrong")
    )
    proof = places(lines, pl.concat([over, wrong]).unique("charge"), ITEM, [4])
    both = pl.concat([over, wrong]).filter(pl.col("came") > 0).unique("charge")
    if both.height:
        back = places(proofs_back(books, both, [4]), both, SIDE, [4])
        proof = pl.concat([proof, back]).group_by("charge").agg(pl.col("lines").explode())
    above = _told(with_lines(over, proof, "own_place"), "own", "Amazon's measure")
    below = _told(with_lines(wrong, proof, "own_place", "true_place"), "true", "the seller's measure")
    return [
        raw_findings(above, FULFILMENT_FEE, "fee_weight_dimension", ITEM),
        raw_findings(below, MEASUREMENT, "fee_weight_dimension", ITEM),
    ]


def _told(rows: pl.DataFrame, side: str, whose: str) -> pl.DataFrame:
    """`arithmetic` and `reason` of fulfilment fee findings; `side` is own (Amazon's measure) or true (the seller's)."""
    paid = pl.min_horizontal("fulfilment", "own") if side == "true" else pl.col("fulfilment")
    rows = rows.with_columns(paid=paid)
    on_card = pl.format(", of which {} on Amazon's own card", money_words("paid"))
    since = pl.format(", of which {} came back with refunds: {} is left", money_words("came"), money_words("owed"))
    words = {
        "charged": money_words("fulfilment"), "units": plain_words("units"),
        "many": counted("units", "unit"), "paid": money_words("paid"),
        "part": pl.when(pl.col("paid") == pl.col("fulfilment")).then(pl.lit("")).otherwise(on_card),
        "price": money_words("price"), "fee": money_words(f"{side}_fee"), "above": money_words("above"),
        "since": pl.when(pl.col("came") > 0).then(since).otherwise(pl.lit("")),
    } | {c: plain_words(f"{side}_{c}") for c in ("size_tier", "programme", "tier_row", "fee_row")}  # fmt: skip
    said = (
        f"charged {{charged}} for {{many}}{{part}}; card for {whose} ({{size_tier}}, {{programme}}, price {{price}}) {{fee}} a "
        "unit: {paid} - {units} x {fee} = {above}{since}; {tier_row}; {fee_row}"
    )
    return rows.with_columns(
        arithmetic=filled(said, words),
        reason=uncertain_mark(f"{side}_fee_status"),
        owed=pl.col("owed").cast(MONEY),
    )


FEE_AUDITS: tuple[Audit, ...] = (
    Audit(
        NAMES,
        ("settlement_lines", "fee_preview", "products", "storage_fees", "reimbursements"),
        fees,
        needs={
            "fulfilment_fee_overcharge": ("settlement_lines", "fee_preview"),
            "measurement_error": ("settlement_lines", "fee_preview", "products"),
            "referral_fee_error": ("settlement_lines", "products"),
            "refund_fee_kept": ("settlement_lines",),
            "storage_fee_overcharge": ("storage_fees",),
        },
    ),
)
