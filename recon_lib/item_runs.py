"""Settlement lines of one item that stand together as one narrow row, and the few other lines whole.

A settlement writes the price, the tax and the fees of an order item one below the other. Their sums are taken where they
stand, in whole ten-thousandths; who needs an item, an order or a refund adds up its runs. What the sums say never depends on
the order of the rows, only how many runs there are does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from recon_lib.cents import MINOR_DIGITS
from recon_lib.code_words import usual_words
from recon_lib.errors import RunError

FINE = 10_000  # money as whole ten-thousandths: exact, and quicker to add up than Decimal
FULFILMENT, COMMISSION, KEPT = "FBAPerUnitFulfillmentFee", "Commission", "RefundCommission"
_MINOR = {currency: FINE // 10**digits for currency, digits in MINOR_DIGITS.items()}
OTHER, ORDER, REFUND = 0, 1, 2
"""The `kind` of a run."""

ITEM = ["order_id", "order_item_code", "shipment_id", "sku", "currency"]
RUN = [*ITEM, "settlement_id", "posted_at", "posted_on", "fulfillment_id", "marketplace_name", "adjustment_id"]
"""What is equal on all lines of a run, beside the transaction type and the file."""
FEW = [
    "settlement_id", "transaction_type", "order_id", "adjustment_id", "marketplace_name", "amount_type", "amount_description",
    "amount", "currency", "fulfillment_id", "posted_at", "posted_on", "order_item_code", "sku", "quantity", "file", "line",
    "part",
]  # fmt: skip
BACK = [
    "settlement_id", "order_id", "amount", "currency", "fulfillment_id", "posted_at", "posted_on", "order_item_code", "sku",
    "file", "line",
]  # fmt: skip
REFUNDED = [
    "order_id", "order_item_code", "sku", "currency", "settlement_id", "posted_at", "posted_on", "marketplace_name",
    "adjustment_id", "order", "base", "commission", "fulfilment", "kept", "has_code", "file", "line_1", "line_3", "line_4",
    "line_5", "is_several",
]  # fmt: skip
PROOF = (1, 3, 4, 5)
"""The codes whose lines are shown as proof: `line_1` and so on."""
NUMBER = pl.reduce(lambda a, b: a ^ b, [pl.col(c).hash(seed) for seed, c in enumerate(ITEM, 1)])
"""One number for the key of an order item: narrow enough for millions. What looks wrong is grouped again by the key itself."""
ORDER_NUMBER = pl.col("order_id").hash(1)
"""One number for an order, to look for it among millions."""

_MINUTES = "15m"
_BATCH = 500_000
_MOST = 9e18
_FEW = 20  # one in so many
_PRICE, _FEE, _BARE = 8, 16, 32  # beside the code in the lowest three bits
_NAMED = ("principal", "extra", "commission", "fulfilment", "kept")
Flags = npt.NDArray[np.bool_]


def digest(lines: pl.LazyFrame) -> dict[str, pl.DataFrame]:
    """What is kept of the lines (with `file`), made in one pass, in no order. A run has the sums of `_runs_of`.

    `settlement_orders`, `settlement_refunds`: runs of orders and refunds that name an order, with `order` and `charge`
    (ORDER_NUMBER and NUMBER) and `base`, the total price with shipping and gift wrap, without tax, less promotions; those of
    orders with fees as positive charges, and without `principal` where no line tells one. `settlement_days`: `lines` and `fine`
    of all lines, by file, settlement, currency and quarter of an hour, at one of which every zone's midnight falls.
    `settlement_back`: BACK of the prices given back by refunds.
    `settlement_few`: FEW of all other lines that are neither orders nor the fees of refunds.
    """
    parts, back, few = [], [], []
    for batch in map(usual_words, _batches(lines.select(list(dict.fromkeys([*RUN, *FEW]))))):
        is_order, is_refund = any_case("transaction_type", "order"), any_case("transaction_type", "refund")
        kinds = pl.when(is_order).then(ORDER).when(is_refund).then(REFUND).otherwise(OTHER)
        told = batch.with_columns(kind=kinds.cast(pl.UInt8))
        some = told.filter((pl.col("kind") == OTHER) | ((pl.col("kind") == REFUND) & _is_principal()))
        is_back = ((pl.col("kind") == REFUND) & (pl.col("amount_type") == "ItemPrice")).fill_null(False)
        back.append(some.filter(is_back).select(BACK))
        few.append(some.filter(~is_back).select(FEW))
        parts.append(_runs_of(told))
    runs = pl.concat(parts)
    named = runs.filter(pl.col("order_id").is_not_null()).with_columns(base=pl.col("principal") + pl.col("extra"))
    sold = named.filter(pl.col("kind") == ORDER).with_columns(
        -pl.col("commission", "fulfilment"), principal=pl.when("has_principal").then("principal")
    )
    when = ["file", "settlement_id", "currency", pl.col("posted_at").dt.truncate(_MINUTES), "posted_on"]
    return {
        "settlement_orders": sold.drop(
            "adjustment_id", "kind", "lines", "fine", "extra", "kept", "has_principal", "has_code", "line_1", "line_5"
        ),
        "settlement_refunds": named.filter(pl.col("kind") == REFUND).select(REFUNDED),
        "settlement_days": runs.group_by(when).agg(pl.col("lines", "fine").sum()),
        "settlement_back": pl.concat(back),
        "settlement_few": pl.concat(few),
    }


def repeated(numbers: pl.Series) -> pl.Series:
    """Whether each of the numbers stands there more than once; far quicker than to group where few of millions do."""
    ordered = numbers.sort()
    twice = ordered.filter(ordered == ordered.shift(1)).unique()
    if twice.len() * _FEW > numbers.len():
        return numbers.is_duplicated()
    return numbers.is_in(twice.implode()) if twice.len() else pl.repeat(False, numbers.len(), eager=True)


def parcel_units(runs: pl.DataFrame) -> pl.DataFrame:
    """Of items told on several runs: `charge` and `units`, the quantities of their parcels added up.

    The quantity stands on every row of a parcel, so it counts once a settlement and posted day on which a price was charged;
    null where one of these tells none. Without any price the largest quantity holds. Reads `units`, `principal`, `settlement_id`
    and `posted_on` of the runs.
    """
    has_principal = pl.col("principal").is_not_null().any()
    by_day = runs.group_by("charge", "settlement_id", "posted_on").agg(
        pl.col("units").max(), has_principal=has_principal
    )
    priced = pl.col("units").filter("has_principal")
    known = priced.null_count() == 0
    told = pl.when(~pl.col("has_principal").any()).then(pl.col("units").max()).when(known).then(priced.sum())
    return by_day.group_by("charge").agg(units=told)


def whole_units(refund: pl.Expr, charged: pl.Expr, units: pl.Expr) -> pl.Expr:
    """How many of the `units` charged the refunded money pays, rounded down; null where the charge or its units are not known.

    The price of one unit is taken in whole minor units of `currency`: of three for 29.99 one may be refunded with 9.99. Units
    that cost less than that are counted by their share of the money. All money in ten-thousandths.
    """
    minor = pl.col("currency").replace_strict(_MINOR, default=100, return_dtype=pl.Int64)
    each = charged // (units * minor) * minor
    count = pl.when(each > 0).then(refund // each).otherwise(refund * units // charged)
    return pl.when((charged > 0) & (units > 0)).then(pl.min_horizontal(count, units))


def any_case(column: str, word: str) -> pl.Expr:
    """Whether the column says `word` as reports spell it (word, Word, WORD); false where it is empty."""
    told = [pl.col(column) == spelt for spelt in (word.title(), word.upper(), word)]
    return pl.any_horizontal(told).fill_null(False)


def fine(amount: str) -> pl.Expr:
    """A MONEY column in whole ten-thousandths; an amount too large for that is an error, never another amount."""
    return pl.col(amount).to_physical().cast(pl.Int64)


def code() -> pl.Expr:
    """The price or fee that a line carries.

    1 principal · 2 shipping, gift wrap, promotions on a price, what is kept of a refunded one · 3 commission ·
    4 fulfilment fee · 5 refund commission · 6 nothing but the quantity, which the older layout tells on a row of its own ·
    0 anything else.
    """
    what, group = pl.col("amount_description"), pl.col("amount_type")
    price, fees, principal = group == "ItemPrice", group == "ItemFees", what == "Principal"
    told: Any = pl.when(price & principal).then(1)
    told = told.when((price | (group == "Promotion")) & (principal | (what == "Shipping") | (what == "GiftWrap"))).then(
        2
    )
    told = told.when(price & ((what == "RestockingFee") | (what == "ReturnShipping"))).then(2)
    for number, fee in ((3, COMMISSION), (4, FULFILMENT), (5, KEPT)):
        told = told.when(fees & (what == fee)).then(number)
    told = told.when(group.is_null() & pl.col("quantity").is_not_null()).then(6).otherwise(0)
    return cast(pl.Expr, told).cast(pl.UInt8)


def _is_principal() -> pl.Expr:
    return any_case("amount_description", "principal")


def _classes() -> pl.Expr:
    """`code`, and as bits whether the line is a price, a referral or fulfilment fee, or a bare quantity, whatever its layout."""
    what = pl.col("amount_description")
    fee = (what == COMMISSION) | what.str.starts_with("FBA") | (what == COMMISSION.upper())
    flags = {
        _PRICE: _is_principal() & ~any_case("amount_type", "promotion"),
        _FEE: fee.fill_null(False),
        _BARE: pl.col("amount_type").is_null() & (pl.col("quantity") > 0).fill_null(False),
    }
    bits = [flag.cast(pl.UInt8) * pl.lit(bit, pl.UInt8) for bit, flag in flags.items()]
    return pl.reduce(lambda a, b: a + b, [code(), *bits])


def _batches(lines: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """A stretch of rows at a time, in the order of the file: a batch and what is made of it stay small."""
    some = False
    for batch in lines.collect_batches(maintain_order=True, chunk_size=_BATCH):
        some = True
        yield batch
    if not some:
        yield lines.clear().collect()


def _runs_of(lines: pl.DataFrame) -> pl.DataFrame:
    """One row a run, money in ten-thousandths as it stands.

    `principal`, `extra`, `commission`, `fulfilment`, `kept`: sums of the codes 1 to 5. `has_principal`, `has_code`, `is_item`: is
    there a line of code 1, of any, of any that an order has? `units`: the largest quantity of the latter. For what was charged
    in any layout: sums `price` and `fees`, the largest quantities on a price and on any such line (`priced`, `any_units`), the
    first `line` with a price, `is_charge`. Of all lines: their number `lines` and their sum `fine`. As proof: the first line of
    each code of PROOF (`line_1` ...), and whether one of these codes stands on several lines (`is_several`).
    """
    narrow = lines.select(
        key=pl.reduce(lambda a, b: a ^ b, [pl.col(c).hash(n) for n, c in enumerate([*RUN, "file", "kind"], 1)]),
        told=_classes(),
        fine=fine("amount").fill_null(0),
        known=pl.col("amount").is_not_null(),
        units=pl.col("quantity").cast(pl.Int64).fill_null(-1),
        line=pl.col("line").cast(pl.Int64),
    )
    key, told, amounts, known, units, line = (narrow[c].to_numpy() for c in narrow.columns)
    if np.abs(amounts).sum(dtype=np.float64) > _MOST:
        raise RunError("the settlement lines hold amounts too large to add up", do="look at the amounts in the reports")
    starts = np.flatnonzero(np.concatenate([np.ones(min(key.size, 1), bool), key[1:] != key[:-1]]))
    codes = told & 7
    price, fee, bare = ((told & bit) != 0 for bit in (_PRICE, _FEE, _BARE))
    charge, item = price | fee | bare, (codes != 0) & (codes != 5)
    far = np.iinfo(np.int64).max

    def each(how: np.ufunc, values: npt.NDArray[np.generic]) -> pl.Series:
        return pl.Series(how.reduceat(values, starts) if starts.size else values)

    def total(where: Flags) -> pl.Series:
        return each(np.add, np.where(where, amounts, 0))

    def most(where: Flags) -> pl.Series:
        return each(np.maximum, np.where(where, units, -1)).replace(-1, None)

    made = {name: total(codes == number) for number, name in enumerate(_NAMED, 1)}
    several = np.zeros(starts.size, bool)
    for number in PROOF:
        first = each(np.minimum, np.where(codes == number, line, far))
        several |= (first < each(np.maximum, np.where(codes == number, line, -1))).to_numpy()
        made[f"line_{number}"] = first.replace(far, None).cast(pl.UInt32)
    made |= {
        "has_principal": each(np.logical_or, (codes == 1) & known),
        "has_code": each(np.logical_or, codes != 0),
        "is_item": each(np.logical_or, item),
        "units": most(item),
        "price": total(price),
        "fees": total(fee),
        "priced": most(price),
        "any_units": most(charge),
        "line": each(np.minimum, np.where(price, line, far)).replace(far, None).cast(pl.UInt32),
        "is_charge": each(np.logical_or, charge),
        "lines": pl.Series(np.diff(np.append(starts, key.size))),
        "fine": each(np.add, amounts),
        "is_several": pl.Series(several),
    }
    found = lines.select(*RUN, "file", "kind")[starts]
    return found.with_columns(NUMBER.alias("charge"), ORDER_NUMBER.alias("order"), **made)
