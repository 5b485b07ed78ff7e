"""The breaks of the Amazon Pay match as findings. Owed = what should have come − what came, gross; empty in our disfavour."""

from __future__ import annotations

from typing import Any

import polars as pl

from recon_lib.account import Account
from recon_lib.audits.evidence import PLACE, findings, occurrence, words
from recon_lib.audits.pay_coverage import is_covered
from recon_lib.books import Books
from recon_lib.keys import normal
from recon_lib.money import MONEY, money_text_expr
from recon_lib.pay_keys import KEY_COLUMNS

_IDS = list(KEY_COLUMNS.values())


def reference(account: Account) -> pl.Expr:
    """What a case would quote: the capture or refund id, else the account's first known key."""
    return pl.coalesce("amazon_transaction_id", *[KEY_COLUMNS[key] for key in account.match_keys], *_IDS)


def order() -> pl.Expr:
    return pl.coalesce("seller_order_id", "order_reference_id")


def owed(amount: pl.Expr) -> pl.Expr:
    return pl.when(amount > 0).then(amount.cast(MONEY)).alias("owed")


def instant(column: str) -> pl.Expr:
    return pl.col(column).dt.to_string("%Y-%m-%d %H:%M:%S UTC")


def ids_in_words() -> pl.Expr:
    """The ids that a row has, each by its name in account.yml."""
    parts = [
        pl.when(pl.col(c).is_not_null()).then(pl.format("{} {}", pl.lit(name), pl.col(c)))
        for name, c in KEY_COLUMNS.items()
    ]
    return pl.concat_str(parts, separator=", ", ignore_nulls=True)


def _line_fact() -> list[str | pl.Expr]:
    return ["kind", "currency", *_IDS, pl.col("amount"), instant("posted_at"), "settlement_id"]


def _numbered(rows: pl.DataFrame, *parts: str | pl.Expr) -> pl.DataFrame:
    """With `fact`; equal facts are told apart by their number of occurrence."""
    named = rows.with_columns(words(*parts).alias("fact")).with_columns(occurrence(["fact"]))
    return named.with_columns(
        pl.when(pl.col("occurrence") > 1).then(pl.format("{}|{}", "fact", "occurrence")).otherwise("fact").alias("fact")
    )


def differing(activity: pl.DataFrame, lines: pl.DataFrame, pairs: pl.DataFrame, account: Account) -> pl.DataFrame:
    """`pay_amount_differs`: the same key, another amount. Owed: activity − line."""
    chosen = pairs.filter(pl.col("pile") == "matched with a difference")
    left = activity[chosen["left"]].select(pl.all().name.prefix("activity_"))
    right = lines[chosen["right"]].drop("activity_amount", "activity_on")
    rows = pl.concat([left, right, chosen.select("rule")], how="horizontal")
    gap = pl.col("activity_amount") - pl.col("amount")
    rows = rows.with_columns(gap.alias("gap"), *[pl.coalesce(c, f"activity_{c}").alias(c) for c in _IDS]).with_columns(
        reference(account).alias("reference_id"),
        order().alias("order_id"),
        owed(pl.col("gap")),
        pl.col("posted_on").alias("event_on"),
        pl.concat_list(pl.format("{}:{}", "activity_file", "activity_line"), PLACE).alias("lines"),
        pl.format(
            "{} recorded {} − settled {} = {} {} (matched by {})",
            "kind", money_text_expr("activity_amount"), money_text_expr("amount"), money_text_expr("gap"), "currency", "rule",
        ).alias("arithmetic"),
    )  # fmt: skip
    rows = _numbered(rows, *_line_fact(), instant("activity_activity_at"), "activity_amount")
    return findings(
        rows, "pay_amount_differs", status="open", value_basis="difference", reason="settled with another amount"
    )


def doubled(lines: pl.DataFrame, account: Account) -> pl.DataFrame:
    """`pay_duplicate`: a line that an earlier line of the settlements holds already. Owed where a refund was taken twice."""
    again = lines.filter(pl.col("pile") == "duplicate")
    keyed: list[Any] = [_folded().alias("id"), "kind", "currency", "amount"]
    firsts = lines.lazy().filter(pl.col("kind").is_not_null(), pl.col("pile") != "duplicate")
    firsts = firsts.join(
        again.lazy().select("kind", "currency", "amount"), on=["kind", "currency", "amount"], how="semi"
    )
    known = firsts.select(*keyed, PLACE.alias("first_place"), pl.col("settlement_id").alias("first_settlement"))
    first = (
        known.join(again.lazy().select(*keyed), on=["id", "kind", "currency", "amount"], how="semi")
        .unique(["id", "kind", "currency", "amount"], keep="first", maintain_order=True)
        .collect()
    )
    rows = again.with_columns(_folded().alias("id")).join(
        first, on=["id", "kind", "currency", "amount"], how="left", maintain_order="left"
    )
    rows = rows.with_columns(
        reference(account).alias("reference_id"),
        order().alias("order_id"),
        owed(-pl.col("amount")),
        pl.col("posted_on").alias("event_on"),
        pl.concat_list(PLACE, "first_place").list.drop_nulls().alias("lines"),
        pl.format(
            "{} {} of {} {} stands a second time: in settlement {}, and before in settlement {}",
            "kind", "amazon_transaction_id", money_text_expr("amount"), "currency", "settlement_id",
            pl.col("first_settlement").fill_null("?"),
        ).alias("arithmetic"),
    )  # fmt: skip
    rows = _numbered(rows, *_line_fact())
    return findings(
        rows, "pay_duplicate", status="open", value_basis="difference", reason="the same line was settled before"
    )


def _folded() -> pl.Expr:
    return pl.col("amazon_transaction_id").str.strip_chars().str.to_lowercase()


def unknown(lines: pl.DataFrame, account: Account) -> pl.DataFrame:
    """`pay_unknown`: a settled capture or refund that the seller's records do not know. Owed where money was taken."""
    rows = lines.filter(pl.col("pile") == "only right").with_columns(
        reference(account).alias("reference_id"),
        order().alias("order_id"),
        owed(-pl.col("amount")),
        pl.col("posted_on").alias("event_on"),
        pl.concat_list(PLACE).alias("lines"),
        pl.format(
            "{} of {} {} settled {}, no activity with {}", "kind", money_text_expr("amount"), "currency",
            instant("posted_at"), ids_in_words(),
        ).alias("arithmetic"),
    )  # fmt: skip
    rows = _numbered(rows, *_line_fact())
    return findings(
        rows, "pay_unknown", status="open", value_basis="difference", reason="settled, but not in the seller's records"
    )


def overdue(items: pl.DataFrame, spans: pl.DataFrame, books: Books, looked_at: int) -> pl.DataFrame:
    """`pay_overdue`: open longer than allowed, with a text for Merchant Support; waiting where settlements are missing."""
    account = books.account
    late = items.filter("overdue")
    sure = is_covered(late, spans, account.overdue_hours)
    keys: Any = ", ".join(account.match_keys)
    rows = late.with_columns(
        reference(account).alias("reference_id"),
        order().alias("order_id"),
        owed(pl.col("amount")),
        pl.col("day").alias("event_on"),
        pl.when(sure).then(pl.lit("open")).otherwise(pl.lit("waiting")).alias("status"),
        pl.when(sure)
        .then(pl.format("not settled after {} hours: contact Merchant Support", pl.lit(account.overdue_hours)))
        .otherwise(pl.lit("report missing"))
        .alias("reason"),
        pl.concat_list(PLACE).alias("lines"),
        pl.format(
            "The {} of {} {} recorded {} is in no settlement report after {} hours: {}. Looked at {} settlement lines by {}",
            "kind", money_text_expr("amount"), "currency", instant("activity_at"), pl.col("hours_open").round(1),
            ids_in_words().fill_null("no id"),
            pl.lit(looked_at), pl.lit(keys),
        ).alias("arithmetic"),
    )  # fmt: skip
    rows = _numbered(rows, "kind", "currency", *_IDS, pl.col("amount"), instant("activity_at"))
    return findings(rows, "pay_overdue", value_basis="difference")


def under_another_id(activity: pl.DataFrame, lines: pl.DataFrame, account: Account) -> int:
    """How many open activities have an unknown line of the same reference of the seller, kind, currency and amount beside
    them whose capture or refund id is another one: recurring payments, where Amazon's id is not the shop's, look so."""
    if "AmazonTransactionId" not in account.match_keys or "SellerReferenceId" not in account.match_keys:
        return 0
    same = [normal("seller_reference_id").alias("reference"), "kind", "currency", "amount"]
    both_known = pl.col("amazon_transaction_id").is_not_null()
    waiting = activity.lazy().filter(both_known, pl.col("pile") == "only left").select(same)
    alone = lines.lazy().filter(both_known, pl.col("pile") == "only right").select(same)
    met = waiting.join(alone, on=["reference", "kind", "currency", "amount"], how="semi")
    return int(met.select(pl.len()).collect().item())
