"""Units that Amazon lost, damaged or destroyed, and the credits that settle them.

Ledger reasons: M and 5 lost; F and N found; E damaged while sellable; 6 7 H K U damaged but unsellable before (review);
D disposed of. Found units credit their own country only; reimbursements carry no country and credit the oldest open
loss of the FNSKU in any; both in one run through time. A reimbursement in stock and the ledger's N of the same FNSKU and
units within 7 days are one credit.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from recon_lib.allocation import Allocation, allocate
from recon_lib.audits.evidence import PLACE, occurrence_sorted, words
from recon_lib.audits.facts import adjustments, ledger_rows, reimbursements
from recon_lib.audits.order_payments import BACK, OUTBOUND, SERVICE, used_by_returns
from recon_lib.books import Books
from recon_lib.kept import once
from recon_lib.money import MONEY

LOST, FOUND, DAMAGED, UNSELLABLE = ["M", "5"], ["F", "N"], ["E"], ["6", "7", "H", "K", "U"]
DISPOSED = ["D"]
# Moves that are nobody's loss: redefinition 3 4, correction O, disposition change P Q, donation G.
QUIET = ["3", "4", "O", "P", "Q", "G"]
_ONE_CREDIT_DAYS = 7
_BY_ORDER = [*BACK, *SERVICE, *OUTBOUND]
_EVENT = ["event_on", "fnsku", "reference_id", "fulfillment_center", "disposition", "code", "country", "quantity"]


@dataclass(frozen=True)
class Matched:
    """Losses and credits of one kind and what settles what; `found.pairs` numbers the rows of both frames from 0."""

    losses: pl.DataFrame
    credits: pl.DataFrame
    found: Allocation


def ledger_events(books: Books, codes: list[str]) -> pl.DataFrame:
    """Ledger adjustments of the given reasons: `units` (positive), `on`, `occurrence` among equal rows, `place`."""
    rows = adjustments(books).filter(pl.col("code").is_in(codes))
    return rows.sort([*_EVENT, "file", "line"], nulls_last=True).with_columns(
        occurrence_sorted(_EVENT),
        PLACE.alias("place"),
        pl.col("quantity").cast(pl.Int64).abs().alias("units"),
        pl.col("event_on").alias("on"),
    )


def fact_of_event() -> pl.Expr:
    """By what such a row is known again, whatever file it stands in."""
    return words(*_EVENT, "occurrence").alias("fact")


def found_units(books: Books) -> pl.DataFrame:
    """Found units of the ledger, without those that are the stock side of a reimbursement row.

    An N of the same FNSKU and units within 7 days; of a reversal that gives the unit back in stock also an F, and by its ASIN,
    because it shows no FNSKU. The reimbursement counts from its approval, whenever its N came.
    """

    def make(books: Books) -> pl.DataFrame:
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
        shared = ["row", "asin", "is_reversal", "approved_on", "ledger_row", "on"]
        near = (
            pl.concat([by_name.select(shared), by_asin.select(shared)])
            .unique()
            .with_columns(apart=(pl.col("on") - pl.col("approved_on")).dt.total_days().abs())
            .filter(pl.col("apart") <= _ONE_CREDIT_DAYS)
        )
        near = (
            near.join(_wanted_nearer(books, near, stock), on=["row", "ledger_row"], how="anti")
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
        served: set[int] = set()
        for row, ledger_row in near.select("row", "ledger_row").rows():
            if row not in served and ledger_row not in used:
                used.add(ledger_row)
                served.add(row)
        return found.filter(~pl.col("ledger_row").is_in(pl.Series(list(used), dtype=pl.UInt32).implode()))

    return once(books, "found_units", make)


def _wanted_nearer(books: Books, near: pl.DataFrame, stock: pl.DataFrame) -> pl.DataFrame:
    """The pairs of `near` whose found unit lies nearer to another reversal of the product, which gave no unit back and has no
    found unit (`stock`) nearer still. What was paid for an order comes back as a return, never as a found unit."""
    rows = reimbursements(books).with_columns(asin=pl.coalesce("asin", "fnsku"))
    bare = pl.col("is_reversal") & (pl.col("quantity_inventory").fill_null(0) <= 0)
    stock_paid = rows.filter(~pl.col("is_reversal"), ~pl.col("why").is_in(_BY_ORDER))["reimbursement_id"]
    of_order = rows.filter(~pl.col("is_reversal"), pl.col("why").is_in(_BY_ORDER))["reimbursement_id"]
    original = pl.col("original_reimbursement_id")
    for_order = original.is_in(of_order.implode()) & ~original.is_in(stock_paid.implode())
    asin = near.filter("is_reversal")["asin"].unique()
    others = rows.filter(bare, ~for_order.fill_null(False), pl.col("asin").is_in(asin.implode())).select(
        "asin", "row", need=pl.max_horizontal(pl.col("quantity_cash").cast(pl.Int64).abs(), 1), other="approved_on"
    )
    both = others.join(stock.select("asin", "ledger_row", "units", "on"), on="asin")
    both = both.with_columns(nearest=(pl.col("on") - pl.col("other")).dt.total_days().abs())
    both = both.filter(pl.col("nearest") <= _ONE_CREDIT_DAYS).sort("nearest", "other", "row", "ledger_row")
    need: dict[int, int] = {}
    free: dict[int, int] = {}
    wanted: dict[int, int] = {}
    for row, wants, ledger_row, has, apart in both.select("row", "need", "ledger_row", "units", "nearest").rows():
        units = min(need.setdefault(row, wants), free.setdefault(ledger_row, has))
        if units:
            need[row] -= units
            free[ledger_row] -= units
            wanted.setdefault(ledger_row, apart)
    nearest = pl.DataFrame(list(wanted.items()), {"ledger_row": pl.UInt32, "nearest": pl.Int64}, orient="row")
    pairs = near.filter("is_reversal").join(nearest, on="ledger_row")
    return pairs.filter(pl.col("nearest") < pl.col("apart")).select("row", "ledger_row")


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
    rows = _with_fnsku(books, reimbursements(books)).filter(
        pl.col("why").is_in(reasons),
        pl.col("units") > 0,
        pl.col("fnsku").is_not_null(),
        pl.col("approved_on").is_not_null(),
    )
    rows = rows.join(used_by_returns(books), on="row", how="left", maintain_order="left")
    rows = rows.with_columns(on=pl.col("approved_on"), before=pl.col("used").fill_null(0))
    return rows.with_columns(pl.col("units") - pl.col("before")).filter(pl.col("units") > 0)


def lost_units(books: Books) -> Matched:
    """Lost units against found and paid ones."""

    def make(books: Books) -> Matched:
        losses = ledger_events(books, LOST).filter(pl.col("quantity") < 0)
        found = found_units(books)
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
