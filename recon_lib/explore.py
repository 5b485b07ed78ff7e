"""Questions to the books of a day, as an analyst asks them: which findings, what their lines say, what would change.

Frames in, frames out; no widgets. Everything comes from the typed frames, which hold no buyer's data.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl
from pydantic import ValidationError

from recon_lib.books import Books
from recon_lib.errors import UsageError
from recon_lib.money import MONEY
from recon_lib.reconcile import Day, reconcile

SETTINGS = {
    "underpaid_tolerance": "share of a value that may be missing (0.02 = 2 %)",
    "lost_wait_days": "days a lost unit may still be found",
    "auto_pay_days": "days Amazon has to pay by itself",
    "settle_days": "days from approval to settlement",
    "bank_days": "business days from transfer to bank",
    "restock_days": "days from return to stock",
    "overdue_hours": "hours Amazon Pay has to settle",
}
"""Settings that `what_if` can change, in words. A currency code (`USD`) stands for the tolerance of Amazon Pay amounts."""
_COMPARED = ("status", "owed", "claim_from", "claim_by", "reason")


def chosen(
    findings: pl.DataFrame, *, audit: str = "", status: str = "", product: str = "", minimum: Decimal | None = None
) -> pl.DataFrame:
    """The findings of an audit, a status, a product (part of its sku, fnsku or asin) and of at least `minimum`.

    A finding whose value is unknown passes every minimum: unknown is not small.
    """
    kept = findings
    if audit:
        kept = kept.filter(audit=audit)
    if status:
        kept = kept.filter(status=status)
    if wanted := product.strip().lower():
        names = [
            pl.col(name).str.to_lowercase().str.contains(wanted, literal=True) for name in ("sku", "fnsku", "asin")
        ]
        kept = kept.filter(pl.any_horizontal(names).fill_null(False))
    if minimum is not None:
        kept = kept.filter(pl.col("owed").is_null() | (pl.col("owed") >= minimum))
    return kept


def amount_of(value: str) -> Decimal | None:
    """The amount a person typed; None for nothing. UsageError where it is no number."""
    text = value.strip().replace(",", "")
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise UsageError(f"{value!r} is no amount", hoped="digits and a point, like 12.34") from None
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 15:
        raise UsageError(f"{value!r} is no amount", hoped="digits and a point, like 12.34")
    return amount


def lines_of(evidence: str | None, paths: Iterable[str]) -> list[tuple[str, int]]:
    """The `file:line` marks that an evidence text names, in its order, each once. `paths`: the files of the account."""
    known = sorted(set(paths), key=len, reverse=True)
    if not evidence or not known:
        return []
    marks = re.compile(rf"(?:^|, |; )({'|'.join(map(re.escape, known))}):(\d+)(?!\d)")
    return list(dict.fromkeys((found[1], int(found[2])) for found in marks.finditer(evidence)))


def evidence_rows(books: Books, lines: Collection[tuple[str, int]]) -> dict[str, pl.DataFrame]:
    """Family -> what the books hold of these source lines, sorted by file and line, without columns that say nothing.

    A settlement row of the older layout gives several rows with one line number. A line that is set aside because another
    file has it too, or lies after the day, is in no frame: `not_in_books` names it.
    """
    wanted = _wanted(lines)
    found = {}
    if lines:
        for family, frame in books.frames.items():
            rows = frame.join(wanted.lazy(), on=["file", "line"], how="semi").collect().sort("file", "line")
            if rows.height:
                found[family] = rows.select(name for name in rows.columns if rows[name].null_count() < rows.height)
    return found


def not_in_books(lines: Collection[tuple[str, int]], rows: Mapping[str, pl.DataFrame]) -> list[tuple[str, int]]:
    """The lines that no frame of `rows` (from `evidence_rows`) holds."""
    met = {mark for frame in rows.values() for mark in frame.select("file", "line").rows()}
    return [line for line in lines if line not in met]


def _wanted(lines: Collection[tuple[str, int]]) -> pl.DataFrame:
    return pl.DataFrame(list(lines), schema={"file": pl.String, "line": pl.UInt32}, orient="row")


def with_settings(books: Books, changes: Mapping[str, str | int | Decimal]) -> Books:
    """The same books under other settings of the account; account.yml stays as it is.

    Raises:
        UsageError: a name that is no setting, or a value it cannot have.
    """
    tolerances = dict(books.account.tolerances)
    update: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "underpaid_tolerance" or name in books.account.currencies:
            if (amount := amount_of(str(value))) is None or amount < 0:
                raise UsageError(f"{name}: {value} is no tolerance", hoped="0 or more")
            tolerances[name] = amount
        elif name in SETTINGS:
            update[name] = value
        else:
            raise UsageError(
                f"{name!r} cannot be changed here", hoped=", ".join([*SETTINGS, *books.account.currencies])
            )
    update["tolerances"] = tolerances
    try:  # model_copy takes everything: the rules of account.yml hold here too
        checked = type(books.account).model_validate(books.account.model_dump() | update)
    except ValidationError as problem:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in problem.errors()[:8])
        raise UsageError(told, hoped="values as in account.yml") from None
    return replace(books, account=books.account.model_copy(update={name: getattr(checked, name) for name in update}))


def what_if(day: Day, changes: Mapping[str, str | int | Decimal]) -> Day:
    """The same day under other settings: same books, same policy, same decisions. Nothing is saved."""
    return reconcile(with_settings(day.books, changes), day.policy, register=day.decisions.standing)


def differences(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """One row a finding that differs: `change` is new, gone, status, amount or terms (dates, reason); sorted by audit and id."""
    names = ["finding_id", "audit", "sku", "order_id", "reference_id", "currency"]
    joined = before.select(*names, *_COMPARED).join(
        after.select(*names, *_COMPARED), on="finding_id", how="full", suffix="_after", coalesce=True
    )
    was, now = pl.col("audit").is_not_null(), pl.col("audit_after").is_not_null()
    change = (
        pl.when(~was).then(pl.lit("new")).when(~now).then(pl.lit("gone"))
        .when(pl.col("status").ne_missing(pl.col("status_after"))).then(pl.lit("status"))
        .when(pl.col("owed").ne_missing(pl.col("owed_after"))).then(pl.lit("amount"))
        .when(pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{n}_after")) for n in _COMPARED)).then(pl.lit("terms"))
    )  # fmt: skip
    return (
        joined.with_columns(change.alias("change"), *(pl.coalesce(name, f"{name}_after") for name in names[1:]))
        .filter(pl.col("change").is_not_null())
        .select("change", *names, *(column for name in _COMPARED for column in (name, f"{name}_after")))
        .sort("audit", "finding_id")
    )


def totals(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """One row a status and currency: findings and money owed before and after; money is null where no value is known."""

    def summed(findings: pl.DataFrame, name: str) -> pl.DataFrame:
        known = pl.when(pl.col("owed").count() > 0).then(pl.col("owed").sum()).cast(MONEY)
        groups = findings.group_by("status", "currency")
        return groups.agg(pl.len().cast(pl.Int64).alias(f"findings{name}"), known.alias(f"owed{name}"))

    joined = summed(before, "").join(
        summed(after, "_after"), on=["status", "currency"], how="full", coalesce=True, nulls_equal=True
    )
    counts = [pl.col(name).fill_null(0) for name in ("findings", "findings_after")]
    order = ["status", "currency", "findings", "findings_after", "owed", "owed_after"]
    return joined.with_columns(counts).select(order).sort("status", "currency", nulls_last=True)
