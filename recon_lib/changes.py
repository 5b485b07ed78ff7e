"""What changed since the last packet, for the page: the bridge by currency and the findings that changed. Gives HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from recon_lib.answer import what_to_quote
from recon_lib.bridge import CHANGES, COUNTED, Changes
from recon_lib.tables import CROSS, TICK, Column, Html, head, money, number, table, text
from recon_lib.titles import AUDIT_TITLES

if TYPE_CHECKING:
    from recon_lib.reconcile import Day

ROWS = 50  # of each table on the page
# Step -> its words, and whether it is shown where nothing took it.
_STEPS = {
    "before": ("Owed in the packet of {since}", True),
    "new": ("New", True),
    "back": ("Owed again (was expired, accepted or in review)", False),
    "grown": ("Grown", True),
    "shrunk": ("Shrunk", True),
    "paid": ("Paid", True),
    "closed": ("Closed (found, made good or no longer told by the files)", True),
    "expired": ("Expired", False),
    "accepted": ("Accepted as a loss", False),
    "review": ("Only to be looked at now", False),
}
_WHAT = [Column("title", "Finding"), Column("event_on", "Day", "day"), Column("what", "What", "code")]
_NEW = [
    Column("status", "Status"),
    *_WHAT,
    Column("quantity", "Units", "number"),
    Column("owed", "Owed", "money"),
    Column("claim_by", "Claim by", "day"),
    Column("reason", "Reason", "long"),
]
_CHANGED = [
    Column("change", "Change"),
    Column("statuses", "Status"),
    *_WHAT,
    Column("units", "Units"),
    Column("owed_before", "Owed before", "money", "currency_before"),
    Column("owed", "Owed", "money"),
    Column("reason", "Reason", "long"),
]


def since_last(day: Day) -> Html:
    """The bridge from the last packet before the day to this one, and what is new or has changed."""
    made = day.changes
    if made is None:
        return Html(
            '<p class="none" id="changes">There is no earlier packet of this account: nothing to compare with.</p>'
        )
    told = f"Compared with the packet of {made.since}: {said(made)}; {made.unchanged:,} unchanged."
    return Html(f'<p id="changes">{text(told)}</p>{_bridge(made)}{tables(made)}')


def said(made: Changes) -> str:
    """`2 new, 1 grown`: findings by what became of them."""
    return ", ".join(f"{n:,} {change}" for change, n in made.counts().items()) or "no finding changed"


def _bridge(made: Changes) -> str:
    mark = TICK if made.foots() else CROSS
    out = []
    for (currency,), rows in made.bridge.partition_by("currency", as_dict=True, maintain_order=True).items():
        steps = {row["step"]: row for row in rows.iter_rows(named=True)}
        body = [
            _step(words.format(since=made.since), steps[step], str(currency))
            for step, (words, always) in _STEPS.items()
            if always or any(steps[step][name] for name in ("findings", "unknown", "owed"))
        ]
        foot = _step("= owed now", steps["now"], str(currency), mark)
        numbers = ("Findings", "Without an amount", "Owed")
        out.append(
            f'<div class="scroll" role="region" tabindex="0" aria-label="How the money owed moved, {text(currency)}">'
            f'<table class="roll" id="bridge-{text(currency)}">'
            f"<caption>Owed ({text(', '.join(COUNTED))}), {text(currency)}</caption>"
            f"{head('Step', *numbers, right=numbers)}<tbody>{''.join(body)}</tbody><tfoot>{foot}</tfoot></table></div>"
        )
    return "".join(out)


def _step(name: str, row: dict[str, Any], currency: str, mark: str = "") -> str:
    counts = "".join(f'<td class="number">{text(number(row[key]))}</td>' for key in ("findings", "unknown"))
    return (
        f'<tr><th scope="row">{text(name)} {mark}</th>{counts}'
        f'<td class="money">{text(money(row["owed"], currency))}</td></tr>'
    )


def tables(made: Changes, name: str = "") -> Html:
    """The new findings, and those that were there and changed or went; each table is capped and says what is left out."""
    rows = made.rows.with_columns(
        pl.col("audit").replace(AUDIT_TITLES).alias("title"),
        what_to_quote(),
        _both("status").alias("statuses"),
        _both("quantity").alias("units"),
    )
    new = rows.filter(pl.col("change") == "new")
    other = rows.filter(pl.col("change") != "new")
    kinds = ", ".join(c for c in CHANGES if c != "new")
    return Html(
        table(new, _NEW, id=f"{name}new", caption=f"New since {made.since}", empty="No new finding.", rows=ROWS)
        + table(
            other,
            _CHANGED,
            id=f"{name}changed",
            caption=f"Changed since {made.since}",
            empty=f"None ({kinds}).",
            rows=ROWS,
            rest=f"findings.csv of {made.since} and of this packet",
        )
    )


def _both(name: str) -> pl.Expr:
    """`waiting → claimable`; one of them where nothing changed or the other is not there."""
    before, now = pl.col(f"{name}_before").cast(pl.String), pl.col(name).cast(pl.String)
    return pl.when(before != now).then(pl.format("{} → {}", before, now)).otherwise(pl.coalesce(now, before))


def revised(made: Changes) -> Html:
    """For the head of a revision: which findings differ from the packet that it revises."""
    told = f"{said(made)}; {made.unchanged:,} as in {made.since}"
    details = (
        f"<details><summary>The findings that differ</summary>{tables(made, 'revised-')}</details>"
        if made.rows.height
        else ""
    )
    return Html(f'<p id="revised">Findings: {text(told)}.</p>{details}')
