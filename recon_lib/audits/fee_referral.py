"""Commission against the rate of its category, and what Amazon keeps of it on a refund."""

from __future__ import annotations

import polars as pl

from recon_lib import frames
from recon_lib.audits.evidence import total
from recon_lib.audits.facts import PAIR
from recon_lib.audits.fee_common import (
    REFERRAL,
    REFUND_FEE,
    Unchecked,
    count,
    filled,
    mark,
    money_words,
    plain_words,
    raw_findings,
    tolerance,
    uncertain_mark,
    with_lines,
)
from recon_lib.audits.fee_items import REFUND, cases, places, proofs, refunded_order_items, refunds
from recon_lib.audits.settled_facts import ITEM_SEED, put_together, whole_money
from recon_lib.books import Books
from recon_lib.item_runs import ITEM, repeated
from recon_lib.measures import exact
from recon_lib.money import MONEY, RATE, round_money_expr
from recon_lib.policy import Policy
from recon_lib.referral import RefundFee, referral_fees, refund_fee

SIDE = ["order_id", "sku", "currency"]
_PER_CENT = (pl.col("rate") * exact(100)).cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
_KEPT = ("back", "given", "kept", "commission", "base", "units")


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
    count(REFERRAL, rows.filter(pl.col("reason").is_not_null()), "category", unchecked)
    return rows.filter(pl.col("owed").is_not_null()).select("charge")


def referral_errors(
    books: Books, policy: Policy, items: pl.DataFrame, seller: pl.DataFrame, lines: pl.DataFrame
) -> pl.DataFrame:
    """Commission above the rate of the category and price band of the day, with the minimum fee; `lines`: their coded lines."""
    over = _judged(books, policy, items, seller).filter(pl.col("owed").is_not_null())
    over = over.join(seller.select("version", "asin", "fnsku", product_place="place"), on="version", how="left")
    over = with_lines(over, places(lines, over, ITEM, [3]), "product_place")
    words = {c: money_words(c) for c in ("commission", "base", "fee", "owed")}
    words |= {c: plain_words(c) for c in ("units", "category", "fee_row")} | {"rate": _PER_CENT}
    said = "charged {commission} for {units} at {base}; {category} {rate} % gives {fee}: {commission} - {fee} = {owed}; {fee_row}"
    told = over.with_columns(arithmetic=filled(said, words), reason=uncertain_mark("fee_status"))
    return raw_findings(told, REFERRAL, "fee_referral", ITEM)


def refund_fees_kept(books: Books, policy: Policy, unchecked: Unchecked) -> pl.DataFrame:
    """Refunds on which Amazon gave back less commission than it may keep, pro rata for a part refund."""
    rule = refund_fee(policy, books.account.marketplace)
    back = refunds(books)
    if back.is_empty():
        return frames.empty(frames.RawFinding)
    if rule is None:
        unchecked.append((REFUND_FEE, books.account.marketplace, "no sourced refund administration fee", back.height))
        return frames.empty(frames.RawFinding)
    rows = _with_charge(books, back)
    # the euro stores share one rule: a seller of one of them sells in the others too
    stores = [s for s in rows["store"].drop_nulls().unique() if refund_fee(policy, s) == rule]
    elsewhere = pl.col("store").is_not_null() & ~pl.col("store").is_in([*stores, books.account.marketplace])
    reason = (
        pl.when(elsewhere | (pl.col("currency") != rule.currency))
        .then(pl.lit("not of this store: another rule"))
        .when(pl.col("commission").is_null())
        .then(pl.lit("order not in the settlements"))
    )
    rows = rows.with_columns(reason=reason, day="posted_on", rows=pl.lit(1, pl.Int64))
    count(REFUND_FEE, rows.filter(pl.col("reason").is_not_null()), "sku", unchecked)
    rows, told = cases(rows.filter(pl.col("reason").is_null()), ["currency", *_KEPT])
    wrong = _kept_too_much(told, rule)["case"]
    over = _kept_too_much(rows.filter(pl.col("case").is_in(wrong.implode())), rule)
    if over.is_empty():
        return frames.empty(frames.RawFinding)
    over = over.sort("posted_on", *REFUND[:-1], nulls_last=True).drop("charge").with_row_index("charge")
    refund_lines = places(proofs(books, "refund", over, [1, 3, 5]), over, REFUND, [1, 3, 5])
    order_side = places(proofs(books, "order", over, [3]), over, SIDE, [3]).rename({"lines": "order_lines"})
    over = with_lines(over.join(order_side, on="charge", how="left"), refund_lines)
    over = over.with_columns(
        lines=pl.concat_list("lines", pl.col("order_lines").fill_null(pl.lit([], pl.List(pl.String))))
    )
    said = (
        "commission {commission}, of which {keep} may be kept; refunded {back} of {base}: {due} due; given back {given} - {kept} "
        "kept = {got}; {due} - {got} = {owed}; {row}"
    )
    words = {c: money_words(c) for c in ("commission", "keep", "back", "base", "due", "given", "kept", "got", "owed")}
    told = over.with_columns(
        arithmetic=filled(said, words | {"row": pl.lit(rule.row)}),
        reason=pl.lit(mark(rule.status), pl.String),
        units=pl.when(pl.col("whole") == pl.col("whole").round(0)).then(pl.col("whole").cast(pl.Int64)),
    )
    return raw_findings(told, REFUND_FEE, "fee_referral", REFUND)


def _with_charge(books: Books, back: pl.DataFrame) -> pl.DataFrame:
    """Refunds with `commission`, `base` and `units` of the item they name, else of all items of the order and SKU, else null."""
    sums = ("commission", "base", "units")
    charged = refunded_order_items(books).filter(pl.col("base") > 0, pl.col("units") > 0, pl.col("commission") > 0)
    side = PAIR ^ pl.col("currency").hash(ITEM_SEED + 1)
    numbers = {"side": side, "item": side ^ pl.col("order_item_code").hash(ITEM_SEED)}
    charged, rows = (frame.with_columns(**numbers) for frame in (charged, back))
    how = {c: pl.col(c).sum() for c in sums}
    rows = rows.join(put_together(charged, "item", how), on="item", how="left")
    rows = rows.with_columns(charged=pl.when(pl.col("commission").is_not_null()).then("item").otherwise("side"))
    if rows["commission"].null_count():
        of_order = put_together(charged, "side", how)
        rows = rows.join(of_order, on="side", how="left", suffix="_order")
        rows = rows.with_columns(pl.coalesce(c, f"{c}_order").alias(c) for c in sums)
    return _within_charge(rows)


def _within_charge(rows: pl.DataFrame) -> pl.DataFrame:
    """Of several refunds of one charge `back` adds up to its base at the most: beyond it no commission is left to give back."""
    several = repeated(rows["charged"])
    if not several.any():
        return rows
    more = rows.filter(several).sort("charged", "posted_on", *REFUND[:-1], nulls_last=True)
    left = pl.col("base") - (pl.col("back").cum_sum() - pl.col("back")).over("charged")
    more = more.with_columns(back=pl.when(left < pl.col("back")).then(pl.max_horizontal(left, 0)).otherwise("back"))
    return pl.concat([rows.filter(~several), more.select(rows.columns)])


def _kept_too_much(rows: pl.DataFrame, rule: RefundFee) -> pl.DataFrame:
    """`rows` (money in ten-thousandths) on which less commission came back than is due, in MONEY, with `owed` and its parts."""
    rows = rows.with_columns(whole_money(c).alias(c) for c in _KEPT if c != "units")
    share = pl.min_horizontal(pl.col("back").cast(RATE) / pl.col("base").cast(RATE), exact(1))
    keep = pl.min_horizontal(
        exact(rule.cap) * pl.col("units").cast(RATE), exact(rule.share) * pl.col("commission").cast(RATE)
    )
    rows = rows.with_columns(share=share, keep=keep).with_columns(
        # (commission - kept) x back / base with the division last, so that a full refund is exact
        due=round_money_expr(
            pl.when(pl.col("share") >= 1)
            .then(pl.col("commission") - pl.col("keep"))
            .otherwise((pl.col("commission") - pl.col("keep")) * pl.col("back").cast(RATE) / pl.col("base").cast(RATE))
        ),
        got=pl.col("given") - pl.col("kept"),
        returned=pl.max_horizontal((pl.col("share") * pl.col("units").cast(RATE)).ceil(), exact(1)).cast(pl.Int64),
        whole=(pl.col("share") * pl.col("units").cast(RATE)).cast(MONEY),
    )
    rows = rows.with_columns(owed=(pl.col("due") - pl.col("got")).cast(MONEY))
    return rows.filter(pl.col("owed") > tolerance("returned"))
