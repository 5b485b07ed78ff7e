"""What changed between two packets: every finding by what became of it, and a bridge of the money owed that foots.

Owed, and so in the bridge, is what may still come: the statuses COUNTED. What expired, was accepted as a loss or is only
to be looked at is no money owed; a finding that moves there leaves the bridge, one that comes back enters it again.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from recon_lib.money import MONEY

COUNTED = ("claimable", "waiting", "open", "claimed")
# What became of a finding, the first that holds; in the order shown.
CHANGES = ("new", "reopened", "status changed", "currency changed", "grown", "shrunk", "paid", "closed")
STEPS = ("before", "new", "back", "grown", "shrunk", "paid", "closed", "expired", "accepted", "review", "now")
_NAMES = ("order_id", "fnsku", "sku")
_TOLD = ("audit", "event_on", "order_id", "reference_id", "sku", "fnsku")
_MOVES = ("status", "quantity", "owed", "currency")
_PAYMENT = ("audit", "event_on", "paid_on", "reimbursement_id", *_NAMES, "quantity")
_SUMS = ("findings", "unknown", "owed")


@dataclass(frozen=True)
class Earlier:
    """What an earlier packet published: `name` is its folder, `findings` frames.Finding, `history` frames.SettledEvent."""

    name: str
    findings: pl.DataFrame
    history: pl.DataFrame


@dataclass(frozen=True)
class Changes:
    """Since the packet `since`: one row a finding that changed, the bridge, and how many findings stayed as they were.

    `rows`: finding_id, change, what the finding is about, status, quantity, owed and currency now and `_before`, claim_by,
    reason; null now where it is gone, null before where it is new. `bridge`: one row a currency and step of STEPS (all of
    them): `findings`, of them `unknown` in value, and `owed` in known values; the steps between are signed.
    """

    since: str
    rows: pl.DataFrame
    bridge: pl.DataFrame
    unchanged: int

    def foots(self) -> bool:
        """before + every step = now, in findings, unknown values and money of every currency."""
        sign = pl.when(pl.col("step") == "now").then(-1).otherwise(1)
        left = self.bridge.group_by("currency").agg((pl.col(name) * sign).sum() for name in _SUMS)
        return bool(left.select(pl.all_horizontal((pl.col(name) == 0).all() for name in _SUMS)).item())

    def counts(self) -> dict[str, int]:
        """Findings by what became of them, in the order of CHANGES; what did not happen is not in it."""
        found = dict(self.rows.group_by("change").len().iter_rows())
        return {change: found[change] for change in CHANGES if change in found}


def compare(today: pl.DataFrame, last: Earlier | None, history: pl.DataFrame, home: str) -> Changes | None:
    """The findings `today` (frames.Finding) against those of the packet `last`; None where there is none.

    `history` (frames.SettledEvent) of today tells which findings are gone because they were paid. `home` is the currency
    under which a value without one (it is unknown) is counted.
    """
    if last is None:
        return None
    then = _of(last.findings, home).rename({name: f"{name}_before" for name in (*_TOLD, *_MOVES)})
    now = _of(today, home).join(today.select("finding_id", "claim_by", "reason"), on="finding_id", how="left")
    both = now.join(then, on="finding_id", how="full", coalesce=True)
    both = both.with_columns(pl.coalesce(name, f"{name}_before").alias(name) for name in _TOLD)
    gone = both.filter(pl.col("status").is_null()).select("finding_id", *_TOLD)
    paid = _paid(gone, history, last.history)
    both = both.with_columns(_change(pl.col("finding_id").is_in(paid.implode())).alias("change"))
    place = {change: i for i, change in enumerate(CHANGES)}
    rows = both.filter(pl.col("change").is_not_null()).sort(
        pl.col("change").replace_strict(place, return_dtype=pl.Int8),
        pl.coalesce("owed", "owed_before"),
        "finding_id",
        descending=[False, True, False],
        nulls_last=True,
    )
    names = [
        "finding_id",
        "change",
        *_TOLD,
        *(n for move in _MOVES for n in (f"{move}_before", move)),
        "claim_by",
        "reason",
    ]
    return Changes(last.name, rows.select(names), _bridge(both), both.height - rows.height)


def _of(findings: pl.DataFrame, home: str) -> pl.DataFrame:
    known = pl.col("currency").fill_null(home)
    return findings.select("finding_id", *_TOLD, *_MOVES).with_columns(known, pl.col("owed").cast(MONEY))


def _counted(status: str) -> pl.Expr:
    return pl.col(status).is_in(COUNTED).fill_null(False)


def _change(is_paid: pl.Expr) -> pl.Expr:
    """The change in a word; null where the finding is as it was."""
    was, now = pl.col("status_before"), pl.col("status")
    more = pl.col("owed") - pl.col("owed_before")
    units = (pl.col("quantity") - pl.col("quantity_before")).fill_null(0)
    known, unknown = pl.col("owed").is_not_null(), pl.col("owed_before").is_null()
    return (
        pl.when(was.is_null())
        .then(pl.lit("new"))
        .when(now.is_null())
        .then(pl.when(is_paid).then(pl.lit("paid")).otherwise(pl.lit("closed")))
        .when(was.is_in(["claimed", "accepted", "expired"]) & now.is_in(["claimable", "open", "waiting"]))
        .then(pl.lit("reopened"))
        .when(was != now)
        .then(pl.lit("status changed"))
        .when(pl.col("currency_before") != pl.col("currency"))
        .then(pl.lit("currency changed"))
        # A value that became known is more than what could be told before; one that was lost is less.
        .when((more > 0) | (known & unknown))
        .then(pl.lit("grown"))
        .when((more < 0) | ~(known | unknown))
        .then(pl.lit("shrunk"))
        .when(units > 0)
        .then(pl.lit("grown"))
        .when(units < 0)
        .then(pl.lit("shrunk"))
    )


def _paid(gone: pl.DataFrame, history: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    """The ids of those findings that a payment settles which the last packet did not know: same audit, event and item.

    A history row without money and number is a unit that was found: nobody paid it. An item is the same where no name
    that both tell differs and one agrees. A reimbursement that was never paid out is paid when it is in a settlement.
    """
    seen = known.group_by(_PAYMENT).len(name="seen")
    fresh = (
        history.filter(pl.col("amount").is_not_null() | pl.col("reimbursement_id").is_not_null())
        .group_by(_PAYMENT)
        .len(name="times")
        .join(seen, on=_PAYMENT, how="left", nulls_equal=True)
        .filter(pl.col("times") > pl.col("seen").fill_null(0))
    )
    met = gone.join(fresh, on=["audit", "event_on"], suffix="_paid")
    agree = [pl.col(name) == pl.col(f"{name}_paid") for name in _NAMES]
    settled = met.filter(
        pl.all_horizontal(a.fill_null(True) for a in agree), pl.any_horizontal(a.fill_null(False) for a in agree)
    )
    late = gone.filter(pl.col("audit") == "reimbursement_not_settled")
    paid_out = history.filter(pl.col("settled_on").is_not_null())["reimbursement_id"].drop_nulls()
    late = late.filter(pl.col("reference_id").is_in(paid_out.implode()))
    return pl.concat([settled["finding_id"], late["finding_id"]]).unique().sort()


def _ends(both: pl.DataFrame, ending: str, sign: int) -> pl.DataFrame:
    """What the findings of one packet bring to the sums, one row a finding that counts, times `sign`."""
    owed = pl.col(f"owed{ending}")
    return both.filter(_counted(f"status{ending}")).select(
        "finding_id",
        pl.col(f"currency{ending}").alias("currency"),
        pl.lit(sign, pl.Int64).alias("findings"),
        (owed.is_null().cast(pl.Int64) * sign).alias("unknown"),
        (owed.fill_null(0) * sign).cast(MONEY).alias("owed"),
    )


def _bridge(both: pl.DataFrame) -> pl.DataFrame:
    before, now = _ends(both, "_before", 1), _ends(both, "", 1)
    moved = pl.concat([now, _ends(both, "_before", -1)]).group_by("finding_id", "currency").agg(pl.col(*_SUMS).sum())
    signs = [pl.col("owed").sign().cast(pl.Int64), -pl.col("unknown"), pl.col("findings")]
    way = pl.coalesce(*(pl.when(sign != 0).then(sign) for sign in signs))  # of a finding that counts on both days
    step = (
        pl.when(~_counted("status_before") & pl.col("status_before").is_null())
        .then(pl.lit("new"))
        .when(~_counted("status_before"))
        .then(pl.lit("back"))
        .when(pl.col("status").is_null())
        .then("change")  # paid or closed
        .when(~_counted("status"))
        .then("status")
        .when(way > 0)
        .then(pl.lit("grown"))
        .when(way < 0)
        .then(pl.lit("shrunk"))
    )
    moved = moved.join(both.select("finding_id", "change", "status", "status_before"), on="finding_id")
    parts = [
        before.with_columns(step=pl.lit("before")),
        moved.with_columns(step.alias("step")).drop_nulls("step").select(*before.columns, "step"),
        now.with_columns(step=pl.lit("now")),
    ]
    sums = pl.concat(parts).group_by("currency", "step").agg(pl.col(*_SUMS).sum())
    currencies = sums.select("currency").unique().sort("currency")
    steps = pl.DataFrame({"step": STEPS}, schema={"step": pl.String}).with_row_index("place")
    whole = currencies.join(steps, how="cross").join(sums, on=["currency", "step"], how="left")
    filled = whole.with_columns(pl.col(*_SUMS).fill_null(0)).sort("currency", "place")
    return filled.select("currency", "step", *_SUMS)
