"""Raw findings -> findings: id, window, status, value, reason and evidence, put on in one place for all audits alike.

`claim_from` = event + minimum and `claim_by` = event + maximum of the window row in force on the as-of day (the day of
filing); both days are included, months are calendar months.
"""

from __future__ import annotations

import hashlib

import polars as pl

from recon_lib import frames
from recon_lib.books import Books
from recon_lib.errors import RunError
from recon_lib.money import MONEY, RATE, exact_text_expr, round_money_expr
from recon_lib.policy import Policy, Window
from recon_lib.valuation import before_order

ORDER = ["audit", "event_on", "order_id", "fnsku", "reference_id", "finding_id"]
# Claimable as long as the facts stand: Amazon names no last day for what it owes from its own statement.
ENDLESS = ("refund_exceeds_charge", "reimbursement_not_settled", "reimbursement_reversed")
# Amazon pays these by itself where automatic reimbursement is in force; before, lost units were given time to turn up.
_AUTOMATIC = ("warehouse_lost", "warehouse_damaged")
_NOTES = {
    "removal_short": "that a removal loss is valued as one before an order is not sourced: uncertain",
    "inbound_shortage": "counted from the closing day, because the delivery day is not known: uncertain",
}
_LINES = 20


def finish(raw: pl.DataFrame, books: Books, policy: Policy, register: pl.DataFrame | None = None) -> pl.DataFrame:
    """frames.Finding, sorted by audit, event_on, order_id, fnsku, reference_id, finding_id; nulls first, as empty cells sort.

    `register` (finding_id, decision: claimed or accepted, note) holds what people decided; it goes before the window. RunError
    when two findings tell the same fact.
    """
    rows = raw.with_row_index("row").with_columns(finding_id=_ids(raw))
    if rows["finding_id"].hash(1).is_duplicated().any() and rows["finding_id"].is_duplicated().any():
        twice = rows.filter(pl.col("finding_id").is_duplicated()).sort("finding_id").row(0, named=True)
        raise RunError(
            f"two findings tell the same fact: {twice['audit']} {twice['fact']}", do="report it: this is a bug"
        )
    valued = _with_value(with_names(rows, books), books, policy)
    windowed = _with_window(valued, books, policy)
    judged = _with_status(windowed, books)
    if register is not None and register.height:
        judged = _with_register(judged, register)
    names = frames.empty(frames.Finding).schema
    out = judged.with_columns(evidence=_evidence()).select(pl.col(c).cast(t) for c, t in names.items())
    return out.sort(ORDER)


def _ids(raw: pl.DataFrame) -> pl.Series:
    """The audit and the first 16 hex digits of the SHA-256 of audit and fact."""
    told = raw.select(pl.concat_str("audit", "fact", separator="|").cast(pl.Binary)).to_series()
    sha256 = hashlib.sha256
    halves = pl.Series("half", [sha256(text).digest()[:8] for text in told.to_list()], dtype=pl.Binary)
    return raw.select(pl.concat_str("audit", halves.bin.encode("hex"), separator="-").alias("finding_id")).to_series()


def with_names(rows: pl.DataFrame, books: Books, names: tuple[str, ...] = ("fnsku", "asin")) -> pl.DataFrame:
    """`rows` (with `sku`) with the SKU's FNSKU and ASIN in the products file where reports do not tell them; of several, none."""
    nameless = rows.filter(pl.col("sku").is_not_null() & pl.any_horizontal(pl.col(c).is_null() for c in names))[
        "sku"
    ].unique()
    if not nameless.len():
        return rows
    known = books.frames["products"].filter(pl.col("sku").is_in(nameless.implode())).group_by("sku")
    one = {
        f"known_{c}": pl.when(pl.col(c).drop_nulls().n_unique() == 1).then(pl.col(c).drop_nulls().first())
        for c in names
    }
    rows = rows.join(known.agg(**one).collect(), on="sku", how="left", maintain_order="left")
    return rows.with_columns(pl.coalesce(c, f"known_{c}").alias(c) for c in names).drop(one)


def _with_value(rows: pl.DataFrame, books: Books, policy: Policy) -> pl.DataFrame:
    """Values what was lost before an order, and multiplies units by their value where an audit left that open."""
    asks = (pl.col("value_basis") == "before_order") & pl.col("unit_value").is_null() & pl.col("owed").is_null()
    asks = asks & (pl.col("status").is_null() | (pl.col("status") != "review"))
    values = before_order(rows.filter(asks.fill_null(False)), books, policy)
    joined = rows.join(values, on="row", how="left", suffix="_new")
    has_value = pl.col("value_basis_new").is_not_null()
    joined = joined.with_columns(
        unit_value=pl.coalesce("unit_value", "unit_value_new"),
        currency=pl.when(has_value).then(pl.coalesce("currency_new", "currency")).otherwise("currency"),
        value_basis=pl.coalesce("value_basis_new", "value_basis"),
    )
    product = (pl.col("unit_value").cast(RATE) * pl.col("quantity").cast(RATE)).cast(MONEY)
    asked = pl.col("owed").is_null() & (pl.col("status").is_null() | (pl.col("status") != "review"))
    return joined.with_columns(owed=pl.when(asked).then(round_money_expr(product)).otherwise("owed"))


def _window_of(audit: str, claim_type: str, books: Books, policy: Policy) -> Window:
    loss = "damaged" if audit == "warehouse_damaged" else "lost"
    return policy.window(books.account.marketplace, claim_type, books.as_of, loss=loss)


def _with_window(rows: pl.DataFrame, books: Books, policy: Policy) -> pl.DataFrame:
    """`claim_from`, `claim_by`, `wait_until`, and the words for the policy row."""
    kinds = rows.select("audit", "claim_type").drop_nulls().unique().sort("audit", "claim_type")
    table = []
    for audit, claim_type in kinds.iter_rows():
        w = _window_of(audit, claim_type, books, policy)
        letters = {"day": "d", "month": "mo"}
        wait = _wait(audit, w, books)
        table.append((audit, claim_type, f"{w.min_value}{letters[w.min_unit]}", f"{w.max_value}{letters[w.max_unit]}", f"{wait}d",
                      bool(w.automatic_from and w.automatic_from <= books.as_of), w.is_uncertain, w.row))  # fmt: skip
    schema = {"audit": pl.String, "claim_type": pl.String, "low": pl.String, "high": pl.String, "wait": pl.String,
              "is_automatic": pl.Boolean, "window_uncertain": pl.Boolean, "window_row": pl.String}  # fmt: skip
    joined = rows.join(pl.DataFrame(table, schema=schema, orient="row"), on=["audit", "claim_type"], how="left")
    anchor = pl.coalesce("anchor_on", "event_on")
    endless = pl.col("claim_type").is_null() & pl.col("audit").is_in(ENDLESS)
    return joined.with_columns(
        claim_from=pl.when(endless).then(anchor).otherwise(anchor.dt.offset_by(pl.col("low"))),
        claim_by=anchor.dt.offset_by(pl.col("high")),
        wait_until=anchor.dt.offset_by(pl.col("wait")),
    )


def _wait(audit: str, window: Window, books: Books) -> int:
    """Days a warehouse loss waits: for Amazon's own payment, or (before that, US) in case it is found."""
    if audit not in _AUTOMATIC:
        return 0
    if window.automatic_from is not None and window.automatic_from <= books.as_of:
        return books.account.auto_pay_days
    if audit == "warehouse_lost" and books.account.marketplace == "US":
        return books.account.lost_wait_days
    return 0


def _with_status(rows: pl.DataFrame, books: Books) -> pl.DataFrame:
    day = pl.lit(books.as_of, pl.Date)
    given = pl.col("status").is_not_null()
    endless = pl.col("claim_type").is_null() & pl.col("audit").is_in(ENDLESS)
    waits = day < pl.col("wait_until")
    status = (
        pl.when(given)
        .then("status")
        .when(endless)
        .then(pl.lit("claimable"))
        .when(pl.col("claim_by").is_null())
        .then(pl.lit("open"))
        .when(day > pl.col("claim_by"))
        .then(pl.lit("expired"))
        .when((day < pl.col("claim_from")) | waits)
        .then(pl.lit("waiting"))
        .otherwise(pl.lit("claimable"))
    )
    own = given & pl.col("status").is_in(["open", "review"])
    until = pl.col("wait_until").dt.to_string("%Y-%m-%d")
    why_wait = (
        pl.when(given | (day > pl.col("claim_by")))
        .then(None)
        .when(day < pl.col("claim_from"))
        .then(pl.format("claim window opens on {}", pl.col("claim_from").dt.to_string("%Y-%m-%d")))
        .when(waits & pl.col("is_automatic"))
        .then(pl.format("Amazon's usual time to pay by itself runs until {}", until))
        .when(waits)
        .then(pl.format("may still be found until {}", until))
    )
    note = pl.col("audit").replace_strict(_NOTES, default=None, return_dtype=pl.String)
    mark = pl.when(pl.col("window_uncertain") & ~own).then(pl.lit("claim window is uncertain"))
    reason = pl.concat_str(
        [pl.col("reason"), why_wait, pl.col("value_reason"), mark, note], separator="; ", ignore_nulls=True
    )
    return rows.with_columns(
        status=status,
        reason=reason.replace("", None),
        claim_from=pl.when(~own).then("claim_from"),
        claim_by=pl.when(~own).then("claim_by"),
        window_row=pl.when(~own).then("window_row"),
    )


def _with_register(rows: pl.DataFrame, register: pl.DataFrame) -> pl.DataFrame:
    """Open cases are `claimed`, accepted differences `accepted`; the note of the person is added to the reason."""
    decided = register.select("finding_id", "decision", "note").unique("finding_id", keep="last", maintain_order=True)
    joined = rows.join(decided, on="finding_id", how="left")
    return joined.with_columns(
        status=pl.coalesce("decision", "status"),
        reason=pl.concat_str(["reason", "note"], separator="; ", ignore_nulls=True).replace("", None),
    )


def _evidence() -> pl.Expr:
    """`lines; arithmetic; policy rows`; lines beyond the twentieth are counted."""
    count = pl.col("lines").list.len()
    shown = pl.col("lines").list.head(_LINES).list.join(", ")
    more = pl.when(count > _LINES).then(pl.format(" and {} more lines", count - _LINES)).otherwise(pl.lit(""))
    lines = pl.when(count > 0).then(shown + more)
    units = pl.format("{} x {}", "quantity", exact_text_expr(pl.col("unit_value")))
    value = pl.when(pl.col("value_row").is_not_null() & pl.col("unit_value").is_not_null()).then(units)
    parts = [lines, pl.col("arithmetic"), value, pl.col("value_proof"), pl.col("window_row"), pl.col("value_row")]
    return pl.concat_str(parts, separator="; ", ignore_nulls=True).replace("", None)
