"""What there is to tell about the accounts of one run, from their outcomes and newest packets. No order, no clock.

A fact stands as long as it is true: a claim that runs out soon, an overdue payment, a report that is absent, a run that
failed. Its key is the same on every day, so that it can be told once, and told again only when it was over in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from recon_lib import manifest, publish
from recon_lib.account_job import Outcome

STATES = {
    "failed": "the run failed",
    "unusable": "its files cannot be used",
    "held": "another run held the account",
    "stopped": "the run was stopped",
    "unreadable": "its packet cannot be read",
    "not started": "the run could not start, or broke off",
}
RUN = "run"  # the scope of what is not about one account
_ABSENT = "no such report in the account folder"
_HOLE = re.compile(r"report missing: (.+?)(?: until (\d{4}-\d\d-\d\d)| (\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d))?$")


@dataclass(frozen=True)
class Fact:
    """One thing to tell. `scope` and `key` name it in the memory; the rest is for the message.

    `kind`: state, deadline, overdue or absent. `what` (an order, a reference) and `owed` go out only where asked for.
    """

    scope: str
    key: str
    account: str
    kind: str
    words: str
    packet: Path | None = None
    by: str = ""
    what: str = ""
    owed: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class Seen:
    """All facts that hold, and the scopes that were looked at: what is told there and holds no more is over."""

    facts: tuple[Fact, ...]
    looked_at: frozenset[str]


def not_started() -> Seen:
    """No account was looked at: the run ended before the first one."""
    return Seen((Fact(RUN, "not started", "All accounts", "state", STATES["not started"]),), frozenset())


def seen(outcomes: Sequence[Outcome], out: Path, days: int, now: datetime) -> Seen:
    """What holds after a run, claims counted as near when they run out within `days` of their packet's day.

    A run of a day before the newest published one tells nothing, and ends nothing, of the account: it speaks of the past.
    """
    facts: list[Fact] = []
    looked_at = {RUN}
    for outcome in outcomes:
        home = out / outcome.account if outcome.account else None
        if home is None or not is_past(home, outcome.day, now):
            if outcome.state in STATES:  # what was told of the account's runs is over with the first good one
                facts.append(_state(outcome, outcome.state))
            else:
                looked_at.add(f"run {outcome.folder}")
        if outcome.packets and home is not None:
            packet = outcome.packets[-1].path
            if is_past(home, packet.name[:10], now):
                continue
            try:
                facts += of_packet(packet, outcome.account, days)
                looked_at.add(f"packet {outcome.account}")
            except Exception:  # whatever was done to its files: the account is told, the others go on
                facts.append(_state(outcome, "unreadable"))
                looked_at.discard(f"run {outcome.folder}")
    return Seen(tuple(facts), frozenset(looked_at))


def _state(outcome: Outcome, state: str) -> Fact:
    return Fact(f"run {outcome.folder}", state, outcome.account or outcome.folder, "state", STATES[state])


def is_past(home: Path, day: str, now: datetime) -> bool:
    """Is there a packet of a later day? One from a day that is not over yet (a clock that ran ahead) says nothing."""
    latest = (now.date() + timedelta(days=1)).isoformat()  # anywhere on earth
    return bool(day) and any(day < known <= latest for known in publish.days(home))


def of_packet(packet: Path, account: str, days: int) -> list[Fact]:
    """Claims that run out, overdue payments and absent reports of one packet. Any error where it is not as published."""
    import polars as pl

    names = (
        "finding_id",
        "audit",
        "status",
        "claim_by",
        "order_id",
        "reference_id",
        "sku",
        "owed",
        "currency",
        "reason",
    )
    rows = (
        pl.read_parquet(packet / "findings.parquet", columns=list(names), glob=False)
        .sort("finding_id")
        .iter_rows(named=True)
    )
    content, scope = manifest.read(packet), f"packet {account}"
    as_of = date.fromisoformat(content["packet"]["as_of"])
    found: dict[tuple[str, str], Fact] = {}

    def tell(
        kind: str, key: str, words: str, by: str = "", what: str = "", owed: Decimal | None = None, currency: str = ""
    ) -> None:
        found.setdefault(
            (kind, key), Fact(scope, f"{kind} {key}", account, kind, words, packet, by, what, owed, currency)
        )

    for row in rows:
        near = row["claim_by"] is not None and row["claim_by"] <= as_of + timedelta(days=days)
        if row["status"] == "claimable" and near:
            kind, by = "deadline", row["claim_by"].isoformat()
        elif row["audit"] == "pay_overdue" and row["status"] == "open":
            kind, by = "overdue", ""
        else:
            kind, by = "", ""
        if kind:
            quote = next((row[name] for name in ("order_id", "reference_id", "sku") if row[name]), "")
            tell(kind, row["finding_id"], row["audit"], by, quote, row["owed"], row["currency"] or "")
        if row["audit"] == "settlement_gap" and row["status"] == "open":
            tell("absent", row["finding_id"], "a settlement period")
        if hole := _HOLE.match(row["reason"] or ""):
            tell("absent", *_hole(hole, as_of))
    for key, words in _missing(content["not_checked"], as_of):
        tell("absent", key, words)
    return list(found.values())


def _missing(not_checked: Iterable[dict[str, str]], as_of: date) -> list[tuple[str, str]]:
    """Key and words of every report that is absent, or absent for some days."""
    told = set()
    for row in not_checked:
        family = row["subject"].replace("_", " ")
        hole = _HOLE.match(row["reason"])
        if hole and (hole[2] or hole[3]):
            told.add(_hole(hole, as_of))
        elif hole or row["reason"] == _ABSENT or row["reason"].startswith("report missing"):
            told.add((family, family))
    return sorted(told)


def _hole(hole: re.Match[str], as_of: date) -> tuple[str, str]:
    """Key and words. A hole that reaches to the day itself grows with every day and stays the same one."""
    family, until, start, end = hole.groups()
    if until:
        return f"{family} at the beginning", f"{family} until {until}"
    if not start:
        return family, family
    ending = "at the end" if end == as_of.isoformat() else f"to {end}"
    return f"{family} {ending}", f"{family} {start} to {end}"
