"""Does every settlement add up, and does one begin where the last one ended: in days, in the reserve and in the debt?

Only settlements that have ended on the as-of day are judged: a running one has neither its lines nor its total yet.
Findings here are breaks to clear with support: status `open`, owed only where money is short in the seller's disfavour.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.evidence import PLACE, findings, not_checked
from recon_lib.audits.pay_coverage import SEAM
from recon_lib.audits.settled_facts import other_lines, settlement_sums
from recon_lib.audits.settlement_chains import adjacent, broken, chains, end, start, stores
from recon_lib.books import Books
from recon_lib.kept import once
from recon_lib.money import money_text
from recon_lib.policy import Policy

_ZERO = Decimal("0.0000")
_OPENING = {"previousreserveamountbalance": "previous", "currentreserveamount": "current", "payabletoamazon": "payable"}


def settlements(books: Books) -> pl.DataFrame:
    """The settlements that have ended, by currency, start and id, with `lines`, `lines_amount` and the chain's money.

    `previous` (reserve released, positive), `current` (reserve held back, negative), `payable` (debt carried over,
    negative): sums of those lines, 0 where there is none; `chain_places` are their rows.
    """

    def make(books: Books) -> pl.DataFrame:
        heads = books.frames["settlements"].collect().with_columns(PLACE.alias("place"))
        heads = heads.filter(pl.col("end_on").is_null() | (pl.col("end_on") <= books.as_of))
        sums = settlement_sums(books).select("settlement_id", "currency", "lines", lines_amount="amount")
        names = list(_OPENING)
        named = pl.when(pl.col("what").is_in(names)).then("what").when(pl.col("type").is_in(names)).then("type")
        chain = other_lines(books).with_columns(part_of=named).filter(pl.col("part_of").is_not_null())
        chain = chain.with_columns(pl.col("part_of").replace_strict(_OPENING))
        by_name = chain.group_by("settlement_id").agg(
            *(
                pl.col("amount").filter(pl.col("part_of") == name).sum().alias(name)
                for name in ("previous", "current", "payable")
            ),
            pl.col("place").sort().alias("chain_places"),
        )
        return (
            heads.join(sums, on=["settlement_id", "currency"], how="left")
            .join(by_name, on="settlement_id", how="left")
            .with_columns(
                pl.col("lines").fill_null(0),
                pl.col("lines_amount", "previous", "current", "payable").fill_null(_ZERO),
                pl.col("chain_places").fill_null([]),
            )
            .with_columns(
                held=-pl.col("current"), debt=pl.min_horizontal(pl.col("total_amount").fill_null(_ZERO), _ZERO)
            )
            .sort("currency", "start_at", "start_on", "end_at", "settlement_id", nulls_last=True)
        )

    return once(books, "settlements", make)


def settlement_out_of_balance(books: Books, policy: Policy) -> AuditResult:
    """The lines of a settlement do not add up to its total. Owed: lines − total where that is in the seller's favour."""
    rows = settlements(books)
    gap = pl.col("lines_amount") - pl.col("total_amount")
    wrong = rows.filter(pl.col("total_amount").is_not_null(), gap != _ZERO)
    wrong = wrong.with_columns(
        fact=pl.col("settlement_id"),
        event_on=pl.coalesce("end_on", "deposit_on"),
        reference_id=pl.col("settlement_id"),
        owed=pl.when(gap > _ZERO).then(gap),
        lines=pl.concat_list("place"),
        arithmetic=pl.struct("lines_amount", "total_amount", "currency", "lines").map_elements(
            _balance_in_words, return_dtype=pl.String
        ),
    )
    unknown = rows.filter(pl.col("total_amount").is_null())
    notes = [
        ("settlement_out_of_balance", f"settlement {sid}", "the file states no total", n)
        for sid, n in unknown.select("settlement_id", "lines").rows()
    ]
    running = settlement_sums(books).join(rows, on="settlement_id", how="anti")
    notes += [
        ("settlement_out_of_balance", f"settlement {sid}", "has not ended on the as-of day", n)
        for sid, n in running.select("settlement_id", "lines").rows()
    ]
    found = findings(wrong, "settlement_out_of_balance", status="open", reason="sum of lines differs from the total")
    return AuditResult(found, not_checked=not_checked(notes))


def _balance_in_words(row: dict[str, Any]) -> str:
    lines, total, apart = (
        money_text(v, row["currency"])
        for v in (row["lines_amount"], row["total_amount"], abs(row["lines_amount"] - row["total_amount"]))
    )
    return f"{row['lines']} lines add up to {lines}, total-amount says {total}: {apart} {row['currency']} apart"


def settlement_gap(books: Books, policy: Policy) -> AuditResult:
    """A period between two settlements is missing, or what one carried over is not what the next one opens with.

    Settlements of one currency form chains: a settlement follows those that ended within 61 seconds of its start
    (settlements of other marketplaces or account types may share the period). Amounts carried over are compared as
    multisets over all settlements that start together; across a missing period they are not judged.
    """
    notes: list[tuple[str, str, str, int | None]] = []
    rows = settlements(books)
    undated = rows.filter(pl.col("start_on").is_null() | pl.col("end_on").is_null())
    notes += [
        ("settlement_gap", f"settlement {sid}", "the file states no period", None) for sid in undated["settlement_id"]
    ]
    found = [row for currency, chain in _chains(books) for row in _walk(currency, chain)]
    frame = pl.DataFrame(found, schema=_SCHEMA, orient="row")
    return AuditResult(findings(frame, "settlement_gap", status="open"), not_checked=not_checked(notes))


def _chains(books: Books) -> list[tuple[str, list[dict[str, Any]]]]:
    """The dated settlements in the order in which they follow each other, each chain with its currency."""
    dated = settlements(books).filter(pl.col("start_on").is_not_null(), pl.col("end_on").is_not_null())
    return [
        (str(currency), chain)
        for (currency,), rows in dated.group_by("currency", maintain_order=True)
        for chain in chains(rows.to_dicts(), lambda: once(books, "settlement_stores", stores))
    ]


def missing_periods(books: Books, currency: str) -> list[tuple[date, date]]:
    """The days (both ends included) between two settlements of a chain in `currency` for which no settlement is there."""
    links = [pair for of, chain in _chains(books) if of == currency for pair in broken(chain)]
    spans = [(left["end_on"] + timedelta(days=1), right["start_on"] - timedelta(days=1)) for left, right in links]
    return sorted(span for span in spans if span[0] <= span[1])


_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "fact": pl.String, "event_on": pl.Date, "reference_id": pl.String, "owed": pl.Decimal(38, 4), "currency": pl.String,
    "reason": pl.String, "lines": pl.List(pl.String), "arithmetic": pl.String,
}  # fmt: skip


def _walk(currency: str, chain: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    gaps = {right["settlement_id"]: left for left, right in broken(chain)}
    done: list[dict[str, Any]] = []
    for slot in _slots(chain):
        first = slot[0]
        before = [s for s in done if adjacent(s, first)]
        if first["settlement_id"] in gaps:
            found.append(_missing_period(currency, gaps[first["settlement_id"]], first))
        elif before:
            found += _carried(currency, before, slot)
        done = [s for s in done if end(s) >= start(first) - timedelta(days=1)] + slot
    return found


def _slots(chain: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Settlements that start together (within a seam), in order of start."""
    slots: list[list[dict[str, Any]]] = []
    for row in chain:
        together = slots and start(row) - start(slots[-1][0]) <= SEAM
        if together and all(end(s) > start(row) for s in slots[-1]):
            slots[-1].append(row)
        else:
            slots.append([row])
    return slots


def _missing_period(currency: str, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    return {
        "fact": f"period|{currency}|{left['settlement_id']}|{right['settlement_id']}",
        "event_on": left["end_on"],
        "reference_id": right["settlement_id"],
        "owed": None,
        "currency": currency,
        "reason": "a period between two settlements is missing",
        "lines": [left["place"], right["place"]],
        "arithmetic": f"settlement {left['settlement_id']} ends {_told(left, 'end')}, the next one, "
        f"{right['settlement_id']}, starts {_told(right, 'start')}: nothing covers the time between",
    }


def _told(row: dict[str, Any], edge: str) -> str:
    at = row[f"{edge}_at"]
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at else str(row[f"{edge}_on"])


def _carried(currency: str, before: list[dict[str, Any]], slot: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the settlements before carried over against what those of the slot open with; each amount counts once."""
    found = []
    for column, name, source, told in (
        ("previous", "Previous Reserve", "held", "− Current Reserve of settlement"),
        ("payable", "Payable to Amazon", "debt", "the negative total of settlement"),
    ):
        carried = [s for s in before if s[source] and not s.get(f"{source}_met")]
        odd = []
        for row in slot:
            match = next((s for s in carried if s[source] == row[column]), None)
            if match is not None:
                carried.remove(match)
                match[f"{source}_met"] = True
            elif row[column]:
                odd.append(row)
        if carried and not odd:
            # nobody opens with what was carried over: told on a settlement that opens with nothing
            odd = [row for row in slot if not row[column]][: len(carried)]
        for row in odd:
            one = carried.pop(0) if carried else None
            if one is not None:
                one[f"{source}_met"] = True
            found.append(_unequal(currency, before, row, column, name, told, one[source] if one else _ZERO))
    return found


def _unequal(
    currency: str, before: list[dict[str, Any]], row: dict[str, Any], column: str, name: str, told: str, want: Decimal
) -> dict[str, Any]:
    short = want - row[column]
    met, hoped, apart = (money_text(v, currency) for v in (row[column], want, abs(short)))
    names = " and ".join(s["settlement_id"] for s in before)
    places = [p for s in [*before, row] for p in (s["place"], *s["chain_places"])]
    return {
        "fact": f"{column}|{currency}|{row['settlement_id']}",
        "event_on": row["start_on"],
        "reference_id": row["settlement_id"],
        "owed": short if short > _ZERO else None,
        "currency": currency,
        "reason": f"{name} is not what the settlement before carried over",
        "lines": places,
        "arithmetic": f"{name} {met}; {told} {names} is {hoped}: {apart} {currency} apart",
    }


AUDITS = (
    Audit(("settlement_out_of_balance",), ("settlements",), settlement_out_of_balance),
    Audit(("settlement_gap",), ("settlements",), settlement_gap),
)
