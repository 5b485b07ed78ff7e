"""Reimbursements themselves: too small, never settled, taken back without the unit, or paid twice."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from recon_lib.allocation import allocate
from recon_lib.audits import coverage
from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.evidence import findings, fold, not_checked, occurrence, words
from recon_lib.audits.facts import LINE, reimbursements
from recon_lib.audits.inventory import Matched, damaged_units, lost_units
from recon_lib.audits.movements import short_units
from recon_lib.audits.order_units import BACK, SERVICE, charges, lines
from recon_lib.audits.payouts import settled_on
from recon_lib.audits.settled_facts import paid_lines, settlement_sums
from recon_lib.books import Books
from recon_lib.kept import once
from recon_lib.money import MONEY, RATE, round_money_expr
from recon_lib.policy import Policy
from recon_lib.valuation import before_order

BEFORE = ["lostwarehouse", "damagedwarehouse", "lostinbound", "damagedinbound"]
ORDER_PAYMENTS = [*BACK, *SERVICE, "lostoutbound", "damagedoutbound"]
_NEAR_DAYS = 30
_FINE = 10_000
_KEY = ["approved_on", "reimbursement_id", "order_id", "sku", "fnsku", "why", "amount_total", "quantity_total"]


def named(books: Books) -> pl.DataFrame:
    """All reimbursement rows with `fact`, `each` (money a cash unit) and `taken`, `taken_units` (reversals of the row)."""

    def make(books: Books) -> pl.DataFrame:
        rows = reimbursements(books).sort(*_KEY, "file", "line", nulls_last=True)
        rows = rows.with_columns(occurrence(_KEY)).with_columns(words(*_KEY, "occurrence").alias("fact"))
        cash = pl.col("quantity_cash").cast(RATE)
        by_unit = pl.when(pl.col("quantity_cash") > 0).then((pl.col("amount_total").cast(RATE) / cash).cast(MONEY))
        back = (
            reversals(books)
            .filter(pl.col("original_row").is_not_null())
            .group_by("original_row")
            .agg(
                (-pl.col("amount_total").sum()).cast(MONEY).alias("taken"),
                pl.col("back_units").sum().alias("taken_units"),
            )
        )
        rows = rows.join(back, left_on="row", right_on="original_row", how="left", maintain_order="left")
        return rows.with_columns(
            each=pl.coalesce("amount_per_unit", by_unit),
            taken=pl.col("taken").fill_null(0),
            taken_units=pl.col("taken_units").fill_null(0),
        )

    return once(books, "named_reimbursements", make)


def reversals(books: Books) -> pl.DataFrame:
    """Rows that take money back: `original_row` (null where the original is older than the report) and `back_units`.

    The sku of a reversal is not the original's, so only `original_reimbursement_id` ties them; among several rows of the
    id the one whose reason is named.
    """

    def make(books: Books) -> pl.DataFrame:
        rows = reimbursements(books)
        taken = rows.filter("is_reversal", pl.col("amount_total") < 0).with_columns(
            back_units=pl.max_horizontal(pl.col("quantity_cash").cast(pl.Int64).abs(), 1),
            named_why=fold("original_reimbursement_type"),
        )
        paid = rows.filter(~pl.col("is_reversal")).select(
            original_reimbursement_id="reimbursement_id", original_row="row", original_why="why",
            original_sku="sku", original_fnsku="fnsku", original_order="order_id", original_place="place",
        )  # fmt: skip
        both = taken.join(paid, on="original_reimbursement_id", how="left")
        both = both.with_columns(other=(pl.col("original_why") != pl.col("named_why")).fill_null(True))
        return both.sort("row", "other", "original_row").unique("row", keep="first", maintain_order=True)

    return once(books, "reversals", make)


def loss_days(books: Books) -> pl.DataFrame:
    """The day of the oldest loss that each reimbursement row settles: `row`, `event_on`, `loss_place`."""

    def days(matched: Matched, place: str) -> pl.DataFrame:
        losses = matched.losses.with_row_index("loss").select("loss", "event_on", loss_place=place)
        credits = matched.credits.with_row_index("credit").select("credit", row="paid_row")
        both = matched.found.pairs.join(losses, on="loss").join(credits, on="credit")
        return (
            both.filter(pl.col("row").is_not_null())
            .sort("row", "loss")
            .unique("row", keep="first", maintain_order=True)
            .select("row", "event_on", "loss_place")
        )

    inbound = short_units(books)
    inbound = Matched(inbound.losses.with_columns(place=pl.col("places").list.first()), inbound.credits, inbound.found)
    return pl.concat([days(m, "place") for m in (lost_units(books), damaged_units(books), inbound)])


def reimbursement_underpaid(books: Books, policy: Policy) -> AuditResult:
    """Paid less a unit than it was worth, by more than the tolerance. One finding a reimbursement row.

    Before an order: the cost (or proceeds) of the day of the loss it settles, else of the approval. After an order: price
    less fees of the order's own lines; not where an order was paid for more units than it had.
    """
    name = "reimbursement_underpaid"
    rows = named(books).filter(
        ~pl.col("is_reversal"),
        pl.col("quantity_cash") > 0,
        pl.col("taken_units") == 0,
        pl.col("approved_on").is_not_null(),
    )
    early = rows.filter(pl.col("why").is_in(BEFORE)).join(loss_days(books), on="row", how="left")
    early = early.with_columns(event_on=pl.coalesce("event_on", "approved_on"))
    values = before_order(early.select("row", "event_on", "sku", "fnsku"), books, policy)
    values = values.select(
        "row", "value_basis", "value_reason", "value_proof", "value_row", worth="unit_value", in_currency="currency"
    )
    early = early.join(values, on="row", how="left")
    late = rows.filter(pl.col("why").is_in([*BACK, *SERVICE]), pl.col("order_id").is_not_null())
    paid_units = pl.col("quantity_cash").cast(pl.Int64).sum().over(LINE)
    # of the charge: `sold` units, and `net` of the `net_units` that were refunded
    charge = lines(books).rename({"currency": "in_currency", "units": "sold"})
    charge = charge.select(*LINE, "net", "net_units", "charge_place", "in_currency", "sold")
    late = late.with_columns(paid_units.alias("paid_units")).join(charge, on=LINE, how="left", nulls_equal=True)
    late = late.filter(pl.col("sold").is_null() | (pl.col("paid_units") <= pl.col("sold"))).with_columns(
        worth=pl.when((pl.col("net_units") > 0) & (pl.col("net") > 0)).then(
            round_money_expr((pl.col("net").cast(RATE) / pl.col("net_units").cast(RATE)).cast(MONEY), "in_currency")
        ),
        value_basis=pl.lit("after_order"),
        value_reason=pl.lit("the order's charge is in no settlement here"),
        value_proof=pl.col("charge_place"),
        event_on=pl.col("approved_on"),
    )
    both = pl.concat([early, late.with_columns(loss_place=pl.lit(None, pl.String))], how="diagonal")
    known = both.filter(pl.col("worth").is_not_null(), pl.col("in_currency") == pl.col("currency"))
    share = pl.lit(1 - books.account.tolerances["underpaid_tolerance"]).cast(RATE)
    low = known.filter(pl.col("each").cast(RATE) < pl.col("worth").cast(RATE) * share)
    low = _less_revaluations(books, low.with_columns(gap=(pl.col("worth") - pl.col("each")).cast(MONEY)))
    out = low.with_columns(
        event_on=pl.col("approved_on"),
        anchor_on=pl.col("approved_on"),
        reference_id=pl.col("reimbursement_id"),
        quantity=pl.col("quantity_cash"),
        unit_value=pl.col("gap"),
        owed=pl.col("owed"),
        lines=pl.concat_list("place", "loss_place", "value_proof").list.drop_nulls(),
        arithmetic=pl.concat_str(
            pl.format("worth {} a unit ({}) − {} paid = {}, × {} paid in cash", pl.col("worth").cast(pl.String), "value_basis",
                      pl.col("each").cast(pl.String), pl.col("gap").cast(pl.String), "quantity_cash"),
            pl.when(pl.col("revalued") > 0).then(pl.format(" − {} paid since", pl.col("revalued").cast(pl.String))),
            pl.format("; {}", "value_row"),
            ignore_nulls=True,
        ),
    )  # fmt: skip
    why = (
        pl.when(pl.col("worth").is_null())
        .then(pl.coalesce("value_reason", pl.lit("value unknown")))
        .otherwise(pl.lit("paid in another currency than its value"))
    )
    unknown = both.join(known, on="row", how="anti").group_by(why.alias("why")).agg(pl.len()).sort("why")
    notes = [(name, "reimbursements of unknown value", reason, n) for reason, n in unknown.rows()]
    return AuditResult(findings(out, name, claim_type="reimbursement_revaluation"), not_checked=not_checked(notes))


def _less_revaluations(books: Books, low: pl.DataFrame) -> pl.DataFrame:
    """`owed` = gap × units less what settlement lines RE_EVALUATION of the SKU have paid since, oldest first."""
    fine = (pl.col("gap") * pl.col("quantity_cash") * _FINE).cast(pl.Int64)
    low = low.sort("approved_on", "row").with_columns(units=fine, on=pl.col("approved_on"))
    more = paid_lines(books).filter(
        pl.col("code") == "reevaluation", pl.col("amount") > 0, pl.col("posted_on").is_not_null()
    )
    more = more.with_columns(units=(pl.col("amount") * _FINE).cast(pl.Int64), on=pl.col("posted_on"))
    found = allocate(low, more, by=["sku", "currency"])

    def money(fine: pl.Expr) -> pl.Expr:
        return (fine.cast(MONEY) / pl.lit(_FINE).cast(MONEY)).cast(MONEY)

    low = low.with_columns(left=found.open_units).with_columns(
        owed=money(pl.col("left")), revalued=money(pl.col("units") - pl.col("left"))
    )
    return low.filter(pl.col("left") > 0)


def reimbursement_not_settled(books: Books, policy: Policy) -> AuditResult:
    """Cash approved more than `settle_days` ago that no settlement line pays, or not in full. One finding a row.

    What has been taken back meanwhile is not owed.
    """
    wait = books.account.settle_days
    rows = named(books).filter(~pl.col("is_reversal"), pl.col("amount_total") > 0, pl.col("approved_on").is_not_null())
    rows = rows.filter(pl.col("approved_on") + timedelta(days=wait) < books.as_of)
    rows = rows.join(settled_on(books).rename({"lines": "paid_places"}), on="row", how="left")
    rows = rows.with_columns(pl.col("settled").fill_null(0), pl.col("paid_places").fill_null([]))
    rows = rows.with_columns(owed=(pl.col("amount_total") - pl.col("settled") - pl.col("taken")).cast(MONEY)).filter(
        pl.col("owed") > 0
    )
    currencies = settlement_sums(books)["currency"].unique().to_list()
    strange = pl.when(pl.lit(bool(currencies)) & ~pl.col("currency").is_in(currencies)).then(
        pl.format("report missing: settlements in {}", "currency")
    )
    absent = coverage.missing(
        books,
        "settlement_lines",
        pl.col("approved_on"),
        pl.min_horizontal(pl.col("approved_on") + timedelta(days=wait), pl.lit(books.as_of)),
    )
    out = rows.with_columns(
        event_on=pl.col("approved_on"),
        anchor_on=pl.col("approved_on"),
        reference_id=pl.col("reimbursement_id"),
        quantity=pl.col("quantity_cash"),
        lines=pl.concat_list("place", "paid_places"),
        arithmetic=pl.concat_str(
            pl.format(
                "{} approved − {} settled", pl.col("amount_total").cast(pl.String), pl.col("settled").cast(pl.String)
            ),
            pl.when(pl.col("taken") > 0).then(pl.format(" − {} taken back", pl.col("taken").cast(pl.String))),
            pl.format(
                " = {}, {} days after",
                pl.col("owed").cast(pl.String),
                (pl.lit(books.as_of) - pl.col("approved_on")).dt.total_days(),
            ),
            ignore_nulls=True,
        ),
    ).with_columns(*coverage.first_reason(absent, strange))
    return AuditResult(findings(out, "reimbursement_not_settled", value_basis="difference"))


def reimbursement_reversed(books: Books, policy: Policy) -> AuditResult:
    """Money taken back although the unit did not come back. One finding a reversal row.

    The unit came back when the row shows a unit in stock; when the ledger found a unit of the product within 30 days that
    settles no loss; or, for a payment of an order, when what is still paid covers what is still due.
    """
    rows = reversals(books).sort(*_KEY, "file", "line", nulls_last=True)
    rows = rows.with_columns(occurrence(_KEY)).with_columns(words(*_KEY, "occurrence").alias("fact"))
    rows = rows.filter(pl.col("approved_on").is_not_null())
    stock = pl.max_horizontal(pl.col("quantity_inventory").cast(pl.Int64), 0)
    rows = rows.with_columns(in_stock=pl.min_horizontal(stock, "back_units")).sort("approved_on", "row")
    found = _found_near(books, rows)
    due = lines(books).filter(pl.col("refunded").is_not_null()).select(
        original_order="order_id", original_sku="sku",
        due=pl.col("damaged") + pl.max_horizontal(pl.col("refunded") - pl.col("returned"), 0), still="paid",
    )  # fmt: skip
    rows = rows.join(found, on="row", how="left").join(due, on=["original_order", "original_sku"], how="left")
    over = pl.col("still") - pl.col("back_units").cum_sum().over("original_order", "original_sku") >= pl.col("due")
    by_order = pl.col("original_order").is_not_null() & over.fill_null(False)
    rows = rows.sort("approved_on", "row").with_columns(
        pl.col("found_units").fill_null(0), pl.col("found_places").fill_null([]), by_order=by_order
    )
    rows = rows.with_columns(quantity=(pl.col("back_units") - pl.col("in_stock") - pl.col("found_units")).clip(0))
    rows = rows.filter(pl.col("quantity") > 0, ~pl.col("by_order"))
    taken = -pl.col("amount_total").cast(RATE)
    each = (taken / pl.col("back_units").cast(RATE)).cast(MONEY)
    near = timedelta(days=_NEAR_DAYS)
    absent = coverage.missing(
        books,
        "ledger_detail",
        pl.col("approved_on") - near,
        pl.min_horizontal(pl.col("approved_on") + near, pl.lit(books.as_of)),
    )
    out = rows.with_columns(
        event_on=pl.col("approved_on"),
        anchor_on=pl.col("approved_on"),
        reference_id=pl.col("reimbursement_id"),
        order_id=pl.coalesce("order_id", "original_order"),
        sku=pl.coalesce("original_sku", "sku"),
        fnsku=pl.coalesce("original_fnsku", "fnsku"),
        unit_value=round_money_expr(each),
        owed=round_money_expr((taken * pl.col("quantity").cast(RATE) / pl.col("back_units").cast(RATE)).cast(MONEY)),
        lines=pl.concat_list("place", "original_place", "found_places").list.drop_nulls(),
        arithmetic=pl.format(
            "{} taken back for {}, {} of them came back into stock; original reimbursement {}",
            (-pl.col("amount_total")).cast(pl.String),
            pl.format("{} unit(s)", "back_units"),
            pl.col("back_units") - pl.col("quantity"),
            pl.coalesce("original_reimbursement_id", pl.lit("not named")),
        ),
    ).with_columns(*coverage.first_reason(absent))  # fmt: skip
    return AuditResult(findings(out, "reimbursement_reversed", value_basis="difference"))


def _found_near(books: Books, rows: pl.DataFrame) -> pl.DataFrame:
    """Found units that settle no loss, given to the reversals near them: `row`, `found_units`, `found_places`."""
    matched = lost_units(books)
    left = matched.credits.with_columns(left=matched.found.left_units).filter(
        pl.col("paid_row").is_null(), pl.col("left") > 0
    )
    left = left.with_row_index("found")
    wanted = rows.with_columns(need=pl.col("back_units") - pl.col("in_stock")).filter(pl.col("need") > 0)
    # the product by the original's FNSKU; a reversal itself shows only the ASIN
    product = wanted.select(
        "row", "approved_on", "need", fnsku=pl.coalesce("original_fnsku", "fnsku"), asin=pl.coalesce("asin", "fnsku")
    )
    by_name = product.join(left, on="fnsku")
    by_asin = product.join(left.drop("fnsku"), on="asin")
    shared = ["row", "approved_on", "need", "found", "on", "left", "place"]
    near = pl.concat([by_name.select(shared), by_asin.select(shared)]).unique()
    near = near.with_columns(apart=(pl.col("on") - pl.col("approved_on")).dt.total_days().abs()).filter(
        pl.col("apart") <= _NEAR_DAYS
    )
    need: dict[int, int] = {}
    free: dict[int, int] = {}
    given: dict[int, list[tuple[int, str]]] = {}
    for row, _, wants, found, _, has, place, _ in near.sort("apart", "approved_on", "row", "found").iter_rows():
        units = min(need.setdefault(row, wants), free.setdefault(found, has))
        if units:
            need[row] -= units
            free[found] -= units
            given.setdefault(row, []).append((units, place))
    return pl.DataFrame(
        [(row, sum(u for u, _ in got), [p for _, p in got]) for row, got in given.items()],
        schema={"row": pl.UInt32, "found_units": pl.Int64, "found_places": pl.List(pl.String)},
        orient="row",
    )


def reimbursement_twice(books: Books, policy: Policy) -> AuditResult:
    """An order and SKU paid for more units than it had (payments taken back do not count): Amazon may claim it back.

    Where the order's units are not known, two payments for it are shown.
    """
    rows = named(books).filter(
        ~pl.col("is_reversal"), pl.col("order_id").is_not_null(), pl.col("why").is_in(ORDER_PAYMENTS)
    )
    rows = rows.with_columns(net=pl.col("units") - pl.col("taken_units")).filter(pl.col("net") > 0)
    paid = rows.group_by(LINE).agg(
        pl.col("net").sum(), pl.len().alias("payments"), pl.col("approved_on").max().alias("event_on"), pl.col("fnsku").min(),
        pl.col("asin").min(), pl.col("place").sort().alias("lines"), pl.col("currency").first(), pl.col("amount_total").sum(),
    )  # fmt: skip
    paid = paid.join(charges(books).select(*LINE, "units"), on=LINE, how="left", nulls_equal=True)
    known = pl.col("units") > 0
    odd = paid.filter(
        (known & (pl.col("net") > pl.col("units"))) | (~known.fill_null(False) & (pl.col("payments") > 1))
    )
    out = odd.with_columns(
        words(*LINE).alias("fact"),
        anchor_on=pl.col("event_on"),
        quantity=pl.when(known).then(pl.col("net") - pl.col("units")),
        arithmetic=pl.format("{} units paid in {} payments, {} together; units of the order: {}", "net", "payments",
                             pl.col("amount_total").cast(pl.String), pl.col("units").cast(pl.String).fill_null("unknown")),
    )  # fmt: skip
    return AuditResult(
        findings(out, "reimbursement_twice", status="review", reason="paid more than once: Amazon may take it back")
    )


AUDITS = (
    Audit(("reimbursement_underpaid",), ("reimbursements", "products"), reimbursement_underpaid),
    Audit(("reimbursement_not_settled",), ("reimbursements", "settlement_lines"), reimbursement_not_settled),
    Audit(("reimbursement_reversed",), ("reimbursements", "ledger_detail"), reimbursement_reversed),
    Audit(("reimbursement_twice",), ("reimbursements",), reimbursement_twice),
)
