"""What Amazon keeps of the commission it gives back on a refund, and what of a wrong commission came back that way."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from recon_lib import frames
from recon_lib.audits.fee_common import (
    REFUND_FEE,
    Unchecked,
    count,
    filled,
    mark,
    money_words,
    raw_findings,
    tolerance,
    with_lines,
)
from recon_lib.audits.fee_disputes import charge_numbers, commission_disputed, disputed_lines, given_back
from recon_lib.audits.fee_items import REFUND, SIDE, cases, places, proofs, refunded_order_items, refunds
from recon_lib.audits.settled_facts import put_together, whole_money
from recon_lib.books import Books
from recon_lib.item_runs import ORDER_NUMBER, repeated
from recon_lib.measures import exact
from recon_lib.money import MONEY, RATE, round_money_expr
from recon_lib.policy import Policy
from recon_lib.referral import RefundFee, refund_fee
from recon_lib.sold import settled_lines

_KEPT = ("back", "given", "kept", "commission", "base", "units")


def refund_fees_kept(books: Books, policy: Policy, unchecked: Unchecked) -> pl.DataFrame:
    """Refunds on which Amazon gave back less commission than it may keep, pro rata for a part refund.

    What another refund of the item brings beyond its own is held against them, oldest first.
    """
    rule = refund_fee(policy, books.account.marketplace)
    back = refunds(books)
    is_refund = pl.col("back") > 0
    if back.is_empty():
        return frames.empty(frames.RawFinding)
    if rule is None:
        many = back.filter(is_refund).height
        unchecked.append((REFUND_FEE, books.account.marketplace, "no sourced refund administration fee", many))
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
    count(REFUND_FEE, rows.filter(pl.col("reason").is_not_null() & is_refund), "sku", unchecked)
    rows, told = cases(rows.filter(pl.col("reason").is_null()), ["currency", *_KEPT])
    wrong = _due(told, rule).filter(_IS_LESS)["case"]
    over = _due(rows.filter(pl.col("case").is_in(wrong.implode())), rule).filter(_IS_LESS)
    over = _less_surplus(over, _due(rows.filter(pl.col("charged").is_in(over["charged"].implode())), rule))
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
        "kept = {got}; {due} - {got} = {short}{since}; {row}"
    )
    words = {
        c: money_words(c)
        for c in ("commission", "keep", "back", "base", "due", "given", "kept", "got", "short", "owed")
    }
    words["more"] = money_words("more")
    since = filled(", of which {more} came with other refunds of the item: {owed} is left", words)
    words["since"] = pl.when(pl.col("more") > 0).then(since).otherwise(pl.lit(""))
    told = over.with_columns(
        arithmetic=filled(said, words | {"row": pl.lit(rule.row)}),
        reason=pl.lit(mark(rule.status), pl.String),
        units=pl.when(pl.col("whole") == pl.col("whole").round(0)).then(pl.col("whole").cast(pl.Int64)),
    )
    return raw_findings(told, REFUND_FEE, "fee_referral", REFUND)


def commission_back(books: Books, rule: RefundFee | None, over: pl.DataFrame) -> pl.DataFrame:
    """What of a commission above `fee` came back with refunds and disputes, or is claimed of refunds: `charge`, `came` and `back`
    (the price given back) of each of `over` of which any did."""
    both = pl.concat([_refunded(books, rule, over), commission_disputed(books, over)])
    sums = both.group_by("charge").agg(pl.col("came", "back").sum()).join(over.select("charge", "owed"), on="charge")
    return sums.select("charge", came=pl.min_horizontal("came", "owed"), back="back")


def _refunded(books: Books, rule: RefundFee | None, over: pl.DataFrame) -> pl.DataFrame:
    """The same of refunds alone.

    Of a refunded share Amazon owes the commission less what it may keep of it; had the right fee been charged, it would owe
    less. Where no share is known, what came back counts in proportion.
    """
    orders = over.select(ORDER_NUMBER).to_series()
    back = refunds(books, orders)
    rows = _with_charge(books, back, orders).filter(pl.col("commission").is_not_null()) if back.height else back
    if rows.is_empty():
        return pl.DataFrame(schema={"charge": over.schema["charge"], "came": MONEY, "back": MONEY})
    free = RefundFee(Decimal(0), Decimal(0), "", "", "") if rule is None else rule
    how = {c: pl.col(c).sum() for c in ("back", "given", "kept", "due", "got")} | {
        c: pl.col(c).first() for c in ("commission", "base", "currency")
    }
    sums = _due(rows, free).group_by("charged").agg(**how)
    told = over.select("charge", "currency", "units", "owed", "fee", all=pl.col("commission"), **charge_numbers())
    met = pl.concat([told.join(sums.drop("currency"), left_on=by, right_on="charged") for by in ("item", "side")])
    part = pl.col("all").cast(RATE) / pl.col("commission").cast(RATE)
    share = pl.min_horizontal((pl.col("back").cast(RATE) / pl.col("base").cast(RATE)).sum(), exact(1))
    more = pl.col("got") - pl.col("due")
    surplus = pl.when(more > tolerance()).then(more.cast(RATE) * part).otherwise(exact(0))
    first = {c: pl.col(c).first() for c in ("currency", "units", "owed", "fee", "all")}
    each = met.group_by("charge").agg(
        **first,
        back=pl.col("back").sum(),
        share=share,
        surplus=surplus.sum(),
        part=pl.min_horizontal((pl.col("got").cast(RATE) / pl.col("commission").cast(RATE)).sum(), exact(1)),
    )
    if rule is None:
        came = pl.col("owed").cast(RATE) * pl.col("part")
    else:
        excess = pl.col("owed").cast(RATE) - (_keep(rule, "all") - _keep(rule, "fee"))
        came = pl.col("share") * excess + pl.col("surplus")
    least = pl.min_horizontal(round_money_expr(came.cast(MONEY)), pl.col("owed"))
    return each.select("charge", came=least.cast(MONEY), back="back").filter(pl.col("came") > 0)


def with_fulfilment_back(books: Books, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` (ITEM, `over`, `wrong`) with `over_came` and `wrong_came`: what of them came back with refunds or disputes.

    The fees of whole units take their share of both; any other amount goes to `over` first. A refund that names none of the
    order's items gives back to each of them: what may have come is not claimed.
    """
    orders = rows.select(ORDER_NUMBER).to_series()
    disputed = disputed_lines(books, orders).filter(pl.col("code") == 4)
    some = settled_lines(books).refunds.filter(pl.col("fulfilment") > 0, pl.col("order").is_in(orders.implode()))
    some = some.select(fine="fulfilment", **charge_numbers())
    some = pl.concat([some, disputed.select(some.columns)]).filter(pl.col("fine") > 0)
    if some.is_empty():
        return rows.with_columns(pl.lit(0).cast(MONEY).alias(f"{name}_came") for name in ("over", "wrong"))
    came = given_back(some, rows.select("charge", **charge_numbers()))
    came = came.select("charge", came=whole_money("fine").cast(RATE))
    units, fee = pl.col("units").cast(RATE), pl.col("fulfilment").cast(RATE)
    count = pl.min_horizontal((pl.col("came") * units / fee).round(0), units)
    is_whole = (pl.col("came") - fee * count / units).abs() * units <= tolerance().cast(RATE)
    over, wrong = (pl.col(c).fill_null(0).cast(RATE) for c in ("over", "wrong"))
    rest = {"over": pl.col("came"), "wrong": pl.max_horizontal(pl.col("came") - over, exact(0))}
    parts = {
        name: pl.when(is_whole).then(whole * count / units).otherwise(pl.min_horizontal(rest[name], whole))
        for name, whole in (("over", over), ("wrong", wrong))
    }
    joined = rows.join(came, on="charge", how="left", maintain_order="left")
    known = pl.col("came").is_not_null()
    return joined.with_columns(
        pl.when(known).then(round_money_expr(part).cast(MONEY)).otherwise(exact(0).cast(MONEY)).alias(f"{name}_came")
        for name, part in parts.items()
    ).drop("came")


def _with_charge(books: Books, back: pl.DataFrame, orders: pl.Series | None = None) -> pl.DataFrame:
    """Refunds with `commission`, `base` and `units` of the item they name, else of all items of the order and SKU, else null.

    `charged` is the number of that item or side.
    """
    sums = ("commission", "base", "units")
    charged = refunded_order_items(books, orders).filter(
        pl.col("base") > 0, pl.col("units") > 0, pl.col("commission") > 0
    )
    charged, rows = (frame.with_columns(**charge_numbers()) for frame in (charged, back))
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


def _keep(rule: RefundFee, commission: str) -> pl.Expr:
    """What Amazon may keep of a commission of `units`."""
    cap = exact(rule.cap) * pl.col("units").cast(RATE)
    return pl.min_horizontal(cap, exact(rule.share) * pl.col(commission).cast(RATE))


_IS_LESS = pl.col("owed") > tolerance("returned")


def _due(rows: pl.DataFrame, rule: RefundFee) -> pl.DataFrame:
    """`rows` (money in ten-thousandths) in MONEY, with the commission that is `due` on each, what was `got`, and `owed`."""
    rows = rows.with_columns(whole_money(c).alias(c) for c in _KEPT if c != "units")
    share = pl.min_horizontal(pl.col("back").cast(RATE) / pl.col("base").cast(RATE), exact(1))
    rows = rows.with_columns(share=share, keep=_keep(rule, "commission")).with_columns(
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
    return rows.with_columns(owed=(pl.col("due") - pl.col("got")).cast(MONEY))


def _less_surplus(over: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """`over` less what other refunds of the item (among `rows`) brought beyond what was due on them, oldest first.

    `short` is what was missing, `more` what came so.
    """
    beyond = rows.filter(-pl.col("owed") > tolerance("returned")).group_by("charged").agg(beyond=-pl.col("owed").sum())
    over = over.sort("posted_on", *REFUND[:-1], nulls_last=True).join(
        beyond, on="charged", how="left", maintain_order="left"
    )
    before = (pl.col("owed").cum_sum() - pl.col("owed")).over("charged")
    more = pl.min_horizontal(pl.max_horizontal(pl.col("beyond").fill_null(0) - before, exact(0)), pl.col("owed"))
    over = over.with_columns(short="owed", more=more.cast(MONEY))
    return over.with_columns(owed=(pl.col("short") - pl.col("more")).cast(MONEY)).filter(_IS_LESS)
