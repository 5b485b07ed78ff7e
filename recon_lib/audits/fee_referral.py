"""Commission against the rate of its category."""

from __future__ import annotations

import polars as pl

from recon_lib.audits.evidence import counted, total
from recon_lib.audits.fee_common import (
    REFERRAL,
    Unchecked,
    count,
    filled,
    money_words,
    plain_words,
    raw_findings,
    tolerance,
    uncertain_mark,
    with_lines,
)
from recon_lib.audits.fee_disputes import proofs_back
from recon_lib.audits.fee_items import SIDE, places
from recon_lib.audits.fee_refunds import commission_back
from recon_lib.books import Books
from recon_lib.item_runs import ITEM
from recon_lib.measures import exact
from recon_lib.money import MONEY
from recon_lib.policy import Policy
from recon_lib.referral import NO_TABLE, referral_fees, refund_fee

_PER_CENT = (pl.col("rate") * exact(100)).cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")


def _judged(books: Books, policy: Policy, items: pl.DataFrame, seller: pl.DataFrame) -> pl.DataFrame:
    """Items charged a commission, with `fee` (what the table gives), `reason` (why unknown) and `owed` where above it."""
    charged = items.filter(pl.col("commission") > 0)
    known = charged.join(seller.select("version", "category"), on="version", how="left")
    rows = known.join(referral_fees(known, policy, books.account.marketplace), on="charge", how="left")
    gap = (pl.col("commission") - pl.col("fee")).cast(MONEY)
    return rows.with_columns(owed=pl.when(pl.col("reason").is_null() & (gap > tolerance())).then(gap))


def referral_suspects(
    books: Books, policy: Policy, items: pl.DataFrame, seller: pl.DataFrame, unchecked: Unchecked
) -> pl.DataFrame:
    """`charge` of every commission that looks wrong; what cannot be known is counted."""
    if not books.has("products"):
        unchecked.append(
            (REFERRAL, "products", "report missing", total(items.filter(pl.col("commission") > 0), "rows"))
        )
        return items.select("charge").clear()
    rows = _judged(books, policy, items, seller)
    store = rows["reason"].eq_missing(NO_TABLE)  # then it is not for want of a category
    if store.any():
        unchecked.append((REFERRAL, books.account.marketplace, NO_TABLE, total(rows.filter(store), "rows")))
    count(REFERRAL, rows.filter(pl.col("reason").is_not_null(), ~store), "category", unchecked)
    return rows.filter(pl.col("owed").is_not_null()).select("charge")


def referral_errors(
    books: Books, policy: Policy, items: pl.DataFrame, seller: pl.DataFrame, lines: pl.DataFrame
) -> pl.DataFrame:
    """Commission above the rate of the category and price band of the day, with the minimum fee; `lines`: their coded lines.

    What refunds have brought back of it, or should have, is not claimed again.
    """
    over = _judged(books, policy, items, seller).filter(pl.col("owed").is_not_null())
    rule = refund_fee(policy, books.account.marketplace)
    over = over.join(commission_back(books, rule, over), on="charge", how="left").with_columns(above="owed")
    over = over.with_columns(owed=pl.col("above") - pl.col("came").fill_null(0)).filter(pl.col("owed") > tolerance())
    over = over.join(seller.select("version", "asin", "fnsku", product_place="place"), on="version", how="left")
    came = over.filter(pl.col("came").is_not_null())
    refunded = places(proofs_back(books, came, [3, 5]), came, SIDE, [3, 5]).rename({"lines": "refund_lines"})
    over = with_lines(over, places(lines, over, ITEM, [3]), "product_place").join(refunded, on="charge", how="left")
    none = pl.lit([], pl.List(pl.String))
    over = over.with_columns(lines=pl.concat_list("lines", pl.col("refund_lines").fill_null(none)))
    words = {c: money_words(c) for c in ("commission", "base", "fee", "owed", "above", "came", "back")}
    words |= {c: plain_words(c) for c in ("category", "fee_row")} | {
        "rate": _PER_CENT,
        "units": counted("units", "unit"),
    }
    said = (
        "charged {commission} for {units} at {base}; {category} {rate} % gives {fee}: {commission} - {fee} = {above}{since}; "
        "{fee_row}"
    )
    since = filled(", of which {came} came back with refunds of {back}: {owed} is left", words)
    words["since"] = pl.when(pl.col("came").is_not_null()).then(since).otherwise(pl.lit(""))
    told = over.with_columns(arithmetic=filled(said, words), reason=uncertain_mark("fee_status"))
    return raw_findings(told, REFERRAL, "fee_referral", ITEM)
