"""Stock that Amazon lost, damaged or destroyed, and the credits that settle it.

Ledger reasons: M and 5 lost; F and N found; E damaged while sellable; 6 7 H K U damaged but unsellable before (review);
D disposed of. Found units credit their own country only; reimbursements carry no country and credit the oldest open
loss of the FNSKU in any; both in one run through time. A reimbursement in stock and the ledger's N of the same FNSKU and
units within 7 days are one credit.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from recon_lib.allocation import Allocation, allocate
from recon_lib.audits import coverage
from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.evidence import PLACE, findings, not_checked, occurrence_sorted, settled, total, words
from recon_lib.audits.facts import adjustments, ledger_rows, reimbursements
from recon_lib.audits.order_payments import used_by_returns
from recon_lib.audits.paid_units import cash_amount
from recon_lib.audits.payouts import settled_on
from recon_lib.books import Books
from recon_lib.kept import once
from recon_lib.money import MONEY
from recon_lib.policy import Policy

LOST, FOUND, DAMAGED, UNSELLABLE = ["M", "5"], ["F", "N"], ["E"], ["6", "7", "H", "K", "U"]
DISPOSED = ["D"]
# Moves that are nobody's loss: redefinition 3 4, correction O, disposition change P Q, donation G.
QUIET = ["3", "4", "O", "P", "Q", "G"]
_ONE_CREDIT_DAYS = 7
_EVENT = ["event_on", "fnsku", "reference_id", "fulfillment_center", "disposition", "code", "country", "quantity"]


@dataclass(frozen=True)
class Matched:
    """Losses and credits of one kind and what settles what; both frames have `row` numbers as in `found.pairs`."""

    losses: pl.DataFrame
    credits: pl.DataFrame
    found: Allocation


def ledger_events(books: Books, codes: list[str]) -> pl.DataFrame:
    """Ledger adjustments of the given reasons: `units` (positive), `occurrence` among equal rows, `fact`, `place`."""
    rows = adjustments(books).filter(pl.col("code").is_in(codes))
    return rows.sort([*_EVENT, "file", "line"], nulls_last=True).with_columns(
        occurrence_sorted(_EVENT),
        PLACE.alias("place"),
        pl.col("quantity").cast(pl.Int64).abs().alias("units"),
        pl.col("event_on").alias("on"),
    )


def fact_of_event() -> pl.Expr:
    return words(*_EVENT, "occurrence").alias("fact")


def paid_in_stock(books: Books) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Which found units of the ledger are the stock side of which reimbursement row.

    An N of the same FNSKU and units within 7 days; of a reversal that gives the unit back in stock also an F, and by its ASIN,
    because it shows no FNSKU.
    Returns the found units of the ledger without those, and the day each such reimbursement counts from (the earlier of the
    two) as frame `row`, `on`.
    """

    def make(books: Books) -> tuple[pl.DataFrame, pl.DataFrame]:
        found = ledger_events(books, FOUND).filter(pl.col("quantity") > 0).with_row_index("ledger_row")
        paid = _with_fnsku(books, reimbursements(books))
        paid = paid.filter(pl.col("quantity_inventory") > 0, pl.col("approved_on").is_not_null())
        # days no more than a week apart lie in the same stretch of eight days or in one beside it
        stretch = pl.col("on").cast(pl.Int32) // (_ONE_CREDIT_DAYS + 1)
        paid = paid.select(
            "row", "fnsku", "is_reversal", "approved_on", asin=pl.coalesce("asin", "fnsku"), on="approved_on",
            units=pl.col("quantity_inventory").cast(pl.Int64),
        )  # fmt: skip
        paid = (
            paid.with_columns(stretch=pl.concat_list(stretch - 1, stretch, stretch + 1)).explode("stretch").drop("on")
        )
        stock = found.select("ledger_row", "fnsku", "asin", "code", "units", "on", stretch=stretch)
        by_name = paid.join(stock.filter(pl.col("code") == "N"), on=["fnsku", "units", "stretch"])
        by_asin = paid.filter("is_reversal").join(stock, on=["asin", "units", "stretch"])
        shared = ["row", "is_reversal", "approved_on", "ledger_row", "on"]
        near = (
            pl.concat([by_name.select(shared), by_asin.select(shared)])
            .unique()
            .with_columns(apart=(pl.col("on") - pl.col("approved_on")).dt.total_days().abs())
            .filter(pl.col("apart") <= _ONE_CREDIT_DAYS)
            # money is taken back because the unit was found: before, if one was
            .sort(
                pl.col("is_reversal") & (pl.col("on") > pl.col("approved_on")),
                "apart",
                "approved_on",
                "row",
                "ledger_row",
            )
        )
        used: set[int] = set()
        days: dict[int, object] = {}
        for row, approved, ledger_row, on in near.select("row", "approved_on", "ledger_row", "on").rows():
            if row not in days and ledger_row not in used:
                used.add(ledger_row)
                days[row] = min(on, approved)
        first = pl.DataFrame(
            {"row": list(days), "first_on": list(days.values())}, schema={"row": pl.UInt32, "first_on": pl.Date}
        )
        return found.filter(~pl.col("ledger_row").is_in(pl.Series(list(used), dtype=pl.UInt32).implode())), first

    return once(books, "paid_in_stock", make)


def _with_fnsku(books: Books, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows`, where the report leaves out the FNSKU, with the one of the SKU in products or ledger: its units are paid, too."""
    if not rows["fnsku"].null_count():
        return rows
    named = (
        books.frames["products"].select("sku", "fnsku").drop_nulls().sort("sku", "fnsku").unique("sku", keep="first")
    )
    seen = ledger_rows(books).select("sku", "fnsku").drop_nulls().sort("sku", "fnsku").unique("sku", keep="first")
    known = pl.concat([named.collect(), seen]).unique("sku", keep="first", maintain_order=True)
    rows = rows.join(known.rename({"fnsku": "known"}), on="sku", how="left", maintain_order="left")
    return rows.with_columns(pl.coalesce("fnsku", "known").alias("fnsku")).drop("known")


def reimbursed_units(books: Books, reasons: list[str]) -> pl.DataFrame:
    """Reimbursement rows of the given reasons (folded) as credits: `on`, `units`, `fnsku`; reversals are none.

    Units that pay an order's damaged return (`before`) pay nothing else.
    """
    _, first = paid_in_stock(books)
    rows = _with_fnsku(books, reimbursements(books)).filter(
        pl.col("why").is_in(reasons),
        pl.col("units") > 0,
        pl.col("fnsku").is_not_null(),
        pl.col("approved_on").is_not_null(),
    )
    rows = rows.join(first, on="row", how="left", maintain_order="left")
    rows = rows.join(used_by_returns(books), on="row", how="left", maintain_order="left")
    rows = rows.with_columns(on=pl.min_horizontal("approved_on", "first_on"), before=pl.col("used").fill_null(0))
    return rows.with_columns(pl.col("units") - pl.col("before")).filter(pl.col("units") > 0)


def lost_units(books: Books) -> Matched:
    """Lost units against found and paid ones."""

    def make(books: Books) -> Matched:
        losses = ledger_events(books, LOST).filter(pl.col("quantity") < 0)
        found, _ = paid_in_stock(books)
        paid = reimbursed_units(books, ["lostwarehouse"])
        return _matched(losses, found, paid)

    return once(books, "lost_units", make)


def damaged_units(books: Books) -> Matched:
    """Damaged units against paid ones."""

    def make(books: Books) -> Matched:
        losses = ledger_events(books, DAMAGED).filter(pl.col("quantity") < 0)
        return _matched(losses, None, reimbursed_units(books, ["damagedwarehouse"]))

    return once(books, "damaged_units", make)


def _matched(losses: pl.DataFrame, found: pl.DataFrame | None, paid: pl.DataFrame) -> Matched:
    told = {"paid_row": pl.UInt32(), "amount_per_unit": MONEY, "quantity_cash": pl.Int32(), "currency": pl.String()}
    told["before"] = pl.Int64()
    common = ["fnsku", "asin", "country", "on", "units", "place", *told]
    parts = [paid.with_columns(paid_row="row", country=pl.lit(None, pl.String)).select(common)]
    if found is not None:
        nothing = {n: pl.lit(None, t) for n, t in told.items()}
        parts.insert(0, found.with_columns(**nothing).select(common))
    credits = pl.concat(parts)
    return Matched(losses, credits, allocate(losses, credits, by=["fnsku"], within="country"))


def warehouse_lost(books: Books, policy: Policy) -> AuditResult:
    """Lost units that were neither found nor paid. One finding a ledger row; value before an order."""
    return _stock_audit(books, "warehouse_lost", lost_units(books), "lost", FOUND)


def warehouse_damaged(books: Books, policy: Policy) -> AuditResult:
    """Units damaged by Amazon and not paid; units that were unsellable before are shown for review."""
    result = _stock_audit(books, "warehouse_damaged", damaged_units(books), "damaged", [])
    odd = ledger_events(books, UNSELLABLE).filter(pl.col("quantity") < 0)
    review = odd.with_columns(
        fact_of_event(),
        pl.col("units").alias("quantity"),
        pl.concat_list("place").alias("lines"),
        pl.format("{} damaged, reason {}: the unit was unsellable already", "units", "code").alias("arithmetic"),
        anchor_on="event_on",
    )
    shown = findings(
        review, "warehouse_damaged", status="review", reason="damaged when it was unsellable already: no claim by rule"
    )
    unknown = (
        adjustments(books)
        .filter(~pl.col("code").fill_null("").is_in(LOST + FOUND + DAMAGED + UNSELLABLE + DISPOSED + QUIET))
        .group_by("code")
        .agg(pl.len().alias("n"))
        .sort("code", nulls_last=True)
    )
    known = ["adjustments", "adjustment", "customerreturns", "customerreturn", "receipts", "receipt"]
    types = (
        ledger_rows(books).filter(~pl.col("type").is_in(known)).group_by("type").agg(pl.len().alias("n")).sort("type")
    )
    notes = [(f"ledger reason {code or '(empty)'}", n) for code, n in unknown.rows()]
    notes += [(f"ledger event type {name}", n) for name, n in types.rows()]
    odd_codes = not_checked(("warehouse_damaged", subject, "unknown code, not classified", n) for subject, n in notes)
    return AuditResult(pl.concat([result.findings, shown]), result.settled, pl.concat([result.not_checked, odd_codes]))


def _stock_audit(books: Books, audit: str, matched: Matched, word: str, found_codes: list[str]) -> AuditResult:
    losses = matched.losses.with_row_index("loss").with_columns(open_units=matched.found.open_units)
    credits = matched.credits.with_row_index("credit")
    pairs = matched.found.pairs.join(credits.drop("units", "fnsku", "asin", "country"), on="credit").sort(
        "loss", "credit"
    )
    by_paid = pl.col("paid_row").is_not_null()
    beside = pairs.group_by("loss").agg(
        pl.col("units").filter(~by_paid).sum().alias("found"),
        pl.col("units").filter(by_paid).sum().alias("paid"),
        pl.col("place").sort_by("credit").alias("credit_places"),
    )
    rows = (
        losses.filter(pl.col("open_units") > 0)
        .join(beside, on="loss", how="left", maintain_order="left")
        .with_columns(pl.col("found").fill_null(0), pl.col("paid").fill_null(0))
        .with_columns(
            fact_of_event(),
            pl.col("open_units").alias("quantity"),
            pl.concat_list("place", pl.col("credit_places").fill_null([])).alias("lines"),
            _arithmetic(word, bool(found_codes)),
            *coverage.first_reason(
                coverage.missing(books, "reimbursements", pl.col("event_on")),
                *([coverage.missing(books, "ledger_detail", pl.col("event_on"))] if found_codes else []),
            ),
            anchor_on="event_on",
        )
    )
    found = findings(rows, audit, claim_type="fc_lost_or_damaged", value_basis="before_order")
    return AuditResult(found, _history(books, audit, losses, pairs), _left_over(audit, matched, word))


def _arithmetic(word: str, with_found: bool) -> pl.Expr:
    parts: list[pl.Expr] = [pl.format(f"{{}} {word}", "units")]
    if with_found:
        parts.append(pl.format(" − {} found", "found"))
    own = pl.when(pl.col("unreconciled_quantity").is_not_null()).then(
        pl.format("; Amazon's own count of open units: {}", "unreconciled_quantity")
        + pl.when(pl.col("unreconciled_quantity") != pl.col("open_units"))
        .then(pl.lit(", which differs"))
        .otherwise(pl.lit(""))
    )
    unit = pl.when(pl.col("open_units") == 1).then(pl.lit("unit")).otherwise(pl.lit("units"))
    parts += [pl.format(" − {} paid = {} {}", "paid", "open_units", unit), own.otherwise(pl.lit(""))]
    return pl.concat_str(parts).alias("arithmetic")


def _history(books: Books, audit: str, losses: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """What settled a loss: the found or paid units, the approval and the settlement line that paid it."""
    paid = settled_on(books).select(pl.col("row").alias("paid_row"), "settled_on")
    ids = reimbursements(books).select(pl.col("row").alias("paid_row"), "reimbursement_id", "approved_on")
    rows = (
        pairs.join(losses.select("loss", "event_on", "fnsku", "sku"), on="loss")
        .join(paid, on="paid_row", how="left")
        .join(ids, on="paid_row", how="left")
        .sort("loss", "credit")
        .with_columns(
            pl.col("units").alias("quantity"),
            paid_on=pl.coalesce("approved_on", "on"),
            amount=cash_amount("paid_row", "before"),
        )
    )
    return settled(rows, audit)


def _left_over(audit: str, matched: Matched, word: str) -> pl.DataFrame:
    left = matched.credits.with_columns(left=matched.found.left_units).filter(pl.col("left") > 0)
    rows = []
    for kind, part in (
        ("found units", left.filter(pl.col("paid_row").is_null())),
        ("reimbursed units", left.filter(pl.col("paid_row").is_not_null())),
    ):
        if part.height:
            why = f"the ledger shows no {word} unit before them"
            rows.append((audit, f"{kind} without an open loss", why, total(part, "left")))
    return not_checked(rows)


AUDITS = (
    Audit(("warehouse_lost",), ("ledger_detail", "reimbursements"), warehouse_lost),
    Audit(("warehouse_damaged",), ("ledger_detail", "reimbursements"), warehouse_damaged),
)
