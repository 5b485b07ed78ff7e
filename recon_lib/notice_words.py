"""A notice in words: one message for all accounts, plain text, readable on a phone. Counts and links; more where asked."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from pathlib import Path

from recon_lib.notice_facts import Fact
from recon_lib.titles import title_of
from recon_lib.words import count, monies

ACCOUNTS, LINES = 10, 5  # named in one message; claims named in one account
SHOW = ("amounts", "orders")
_KINDS = ("state", "deadline", "overdue", "absent")


def title(facts: Sequence[Fact], day: str) -> str:
    """`Reconciliation 2026-01-31: 1 run failed, 3 claims run out soon`."""
    n = {kind: sum(fact.kind == kind for fact in facts) for kind in _KINDS}
    parts = [
        (n["state"], count(n["state"], "account was not done", "accounts were not done")),
        (n["deadline"], count(n["deadline"], "claim runs out soon", "claims run out soon")),
        (n["overdue"], count(n["overdue"], "Amazon Pay item is overdue", "Amazon Pay items are overdue")),
        (n["absent"], count(n["absent"], "report is missing", "reports are missing")),
    ]
    return f"Reconciliation{f' {day}' if day else ''}: " + ", ".join(words for number, words in parts if number)


def body(facts: Sequence[Fact], page: str, link: Callable[[Path], str], days: int, show: Collection[str] = ()) -> str:
    """What is new in each account, the most urgent first.

    Args:
        page: where the page about all accounts is found; link: the same for a packet.
        days: within which claims run out. show: `amounts`, `orders`; without them only counts go out.
    """
    accounts: dict[str, list[Fact]] = {}
    for fact in sorted(facts, key=_urgency):
        accounts.setdefault(fact.account, []).append(fact)
    blocks = [_account(name, mine, link, days, show) for name, mine in list(accounts.items())[:ACCOUNTS]]
    if len(accounts) > ACCOUNTS:
        blocks.append(f"… and news in {count(len(accounts) - ACCOUNTS, 'more account')}")
    return "\n\n".join([*blocks, *([f"All accounts: {page}"] if page else [])])


def _urgency(fact: Fact) -> tuple[int, str, str, str]:
    return _KINDS.index(fact.kind), fact.by, fact.account, fact.key


def _account(name: str, facts: list[Fact], link: Callable[[Path], str], days: int, show: Collection[str]) -> str:
    of = {kind: [fact for fact in facts if fact.kind == kind] for kind in _KINDS}
    lines = [_plain(name), *(f"- {fact.words}" for fact in of["state"])]
    if near := of["deadline"]:
        sure = count(len(near), "claim runs", "claims run")
        lines.append(f"- {sure} out within {days} days, the first on {near[0].by}{_sum(near, show)}")
        lines += _orders(near, show)
    if late := of["overdue"]:
        lines.append(f"- {count(len(late), 'Amazon Pay item is', 'Amazon Pay items are')} overdue{_sum(late, show)}")
        lines += _orders(late, show)
    if absent := of["absent"]:
        named = [_plain(fact.words) for fact in absent]
        more = f", {len(named) - LINES:,} more" if len(named) > LINES else ""
        lines.append(f"- report missing: {', '.join(named[:LINES])}{more}")
    packets = sorted({fact.packet for fact in facts if fact.packet is not None})
    return "\n".join([*lines, *(link(packet) for packet in packets[-1:])])


def _sum(facts: list[Fact], show: Collection[str]) -> str:
    """`: 120.00 USD + 1 unknown` where amounts are asked for."""
    if "amounts" not in show:
        return ""
    sums: dict[str, Decimal] = {}
    for fact in facts:
        if fact.owed is not None:
            sums[fact.currency] = sums.get(fact.currency, Decimal(0)) + fact.owed
    unknown = sum(fact.owed is None for fact in facts)
    return ": " + " + ".join([*([monies(sums)] if sums else []), *([f"{unknown:,} unknown"] if unknown else [])])


def _orders(facts: list[Fact], show: Collection[str]) -> list[str]:
    if "orders" not in show:
        return []
    lines = []
    for fact in facts[:LINES]:
        amount = _sum([fact], show).replace(": ", ", ", 1).replace("1 unknown", "value unknown")
        by = f", by {fact.by}" if fact.by else ""
        lines.append(f"  {title_of(fact.words)}: {_plain(fact.what) or 'no number'}{amount}{by}")
    return [*lines, *([f"  … {len(facts) - LINES:,} more"] if len(facts) > LINES else [])]


def _plain(name: str) -> str:
    """A name on one line without marks that could reorder or break the message."""
    shown = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in name)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
