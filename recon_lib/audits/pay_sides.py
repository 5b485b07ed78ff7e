"""The two sides of the Amazon Pay match, in the form in which they are compared, and their pairs."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
import polars as pl

from recon_lib.account import Account
from recon_lib.books import Books
from recon_lib.matching import pair
from recon_lib.matching_terms import Rule, hashes_of
from recon_lib.pay_keys import KEY_COLUMNS, pay_rules

_ACTIVITY_ROW = ["activity_at", "kind", *KEY_COLUMNS.values(), "amount", "currency"]
_WITHIN = ("kind", "currency")
_TEXTS = [*KEY_COLUMNS.values(), *_WITHIN]
_MANY = 10_000  # rows from which on streaming them is worth its start
_WORDS = ("description", "store_name")  # nothing looks at them
_LINE_ONCE = ["amazon_transaction_id", "kind", "currency", "amount"]


def activity_side(books: Books) -> pl.DataFrame:
    """frames.PayActivity in the order in which it happened, with its `day` in the account's zone."""
    day = pl.col("activity_at").dt.convert_time_zone(books.account.time_zone).dt.date()
    rows = books.frames["pay_activity"].with_columns(day.alias("day")).filter(pl.col("day") <= books.as_of).collect()
    return rows if rows["activity_at"].is_sorted() and _one_file(rows) else rows.sort("activity_at", "file", "line")


def line_side(books: Books) -> pl.DataFrame:
    """frames.PayLine without its words, in the order of posting, with `kind`: capture, refund, or null for every other type.

    Of equal lines of one moment the one in the earlier settlement comes first: it was there before the other was known.
    """
    rows = books.frames["pay_lines"].drop(_WORDS).filter(pl.col("posted_on") <= books.as_of).collect()
    types = rows["transaction_type"].unique().drop_nulls()  # a handful: folded once, not a million times
    kinds = {t: t.strip().lower() for t in types if t.strip().lower() in ("capture", "refund")}
    kind = pl.col("transaction_type").replace_strict(kinds, default=None, return_dtype=pl.String)
    rows = rows.with_columns(kind.alias("kind"))
    if rows["posted_at"].is_sorted() and _one_file(rows):
        return rows
    starts = books.frames["pay_statements"].select("file", "start_at").collect()
    by_start = starts.group_by("file").agg(pl.col("start_at").min().alias("_start"))
    order = ["posted_at", "_start", "settlement_id", *KEY_COLUMNS.values(), "amount", "file", "line"]
    return rows.join(by_start, on="file", how="left").sort(order, nulls_last=True).drop("_start")


def _one_file(rows: pl.DataFrame) -> bool:
    return rows.height == 0 or bool((rows["file"] == rows["file"][0]).all())


def match_sides(
    activity: pl.DataFrame, lines: pl.DataFrame, account: Account
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Activity and lines with `pile` and `matched_on`, and the pairs.

    Lines also get their pair's `activity_amount` and `activity_on`. The pairs are those of `matching.pair`, with row
    numbers of the two frames.
    """
    places = lines.select(pl.arg_where(pl.col("kind").is_not_null())).to_series()
    rules = pay_rules(account.match_keys)
    found = pair(
        _hashed(activity, "activity_at", rules, "currency"),
        _hashed(lines, "posted_at", rules),
        rules,
        within=_WITHIN,
        zone=account.time_zone,
        tolerance={currency: limit for currency, limit in account.tolerances.items() if len(currency) == 3},
        repeat_left=["at" if name == "activity_at" else name for name in _ACTIVITY_ROW],
        repeat_right=_LINE_ONCE,
        fetch_left=lambda rows: activity.select(_TEXTS)[rows],
        fetch_right=lambda rows: lines.select(_TEXTS)[places.gather(rows)],
    )
    pairs = found.pairs.with_columns(pl.col("rule", "pile").cast(pl.String)).with_columns(
        places.gather(found.pairs["right"]).cast(pl.UInt32).alias("right")
    )
    met = _beside(pairs["left"], activity.height)
    left = _with(
        activity,
        found.left_pile.cast(pl.String).alias("pile"),
        pairs["paired_on"].gather(met).alias("matched_on"),
    )
    met = _beside(pairs["right"], lines.height)
    its = pairs["left"].gather(met)
    marked = _with(
        lines,
        found.right_pile.cast(pl.String).gather(_beside(places, lines.height)).alias("pile"),
        pairs["paired_on"].gather(met).alias("matched_on"),
        activity["amount"].gather(its).alias("activity_amount"),
        activity["day"].gather(its).alias("activity_on"),
    )
    return left, marked, pairs


def _hashed(rows: pl.DataFrame, at: str, rules: list[Rule], *others: str) -> pl.DataFrame:
    """The captures and refunds as they are matched, with hashes in place of their ids: these lie in `rows` already."""
    ids = hashes_of(rows, list(KEY_COLUMNS.values()), _WITHIN, check=rules[0].left if rules else "")
    wanted = rows.lazy().filter(pl.col("kind").is_not_null())
    made = wanted.select(pl.col(at).alias("at"), "amount", *others, *ids)
    return made.collect(engine="streaming" if rows.height >= _MANY else "in-memory").rechunk()


def _with(rows: pl.DataFrame, *columns: pl.Series) -> pl.DataFrame:
    """The rows with further columns, cut into the pieces in which the rows lie: else the next filter would copy all of them."""
    ends = list(accumulate(rows["line"].chunk_lengths()))
    pieces = [
        rows.slice(start, end - start).with_columns(column.slice(start, end - start) for column in columns)
        for start, end in pairwise([0, *ends])
    ]
    return pl.concat(pieces, rechunk=False)


def _beside(rows: pl.Series, height: int) -> pl.Series:
    """For each of `height` rows its place in `rows` (row numbers, each once); null for a row that is not there."""
    place = np.full(height, -1, np.int32)
    place[rows.to_numpy()] = np.arange(len(rows), dtype=np.int32)
    found = pl.Series(place)
    return found.set(found < 0, None)
