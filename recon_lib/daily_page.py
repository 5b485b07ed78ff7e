"""The page about all accounts of one call: who needs a person, what is owed, where the packets lie. No clock, no order."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from recon_lib.errors import RunError
from recon_lib.looks import look, policy
from recon_lib.words import claimable, count, head, text

if TYPE_CHECKING:
    from recon_lib.account_job import Outcome

STATES = {
    "failed": "the run failed",
    "held": "another run holds the account",
    "stopped": "the run was stopped",
    "unusable": "its files cannot be used",
    "published": "published",
    "unchanged": "published before, nothing new",
}


def write_page(outcomes: Sequence[Outcome], day: str, out: Path) -> Path:
    """Writes `<out>/daily-<day>.html` as a whole and gives its path. RunError where that is not possible."""
    place = out / f"daily-{day}.html"
    try:
        handle, fresh = tempfile.mkstemp(prefix=".daily-", dir=out)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(page(outcomes, day, out))
            os.chmod(fresh, 0o644)
            os.replace(fresh, place)
        except BaseException:
            os.unlink(fresh)
            raise
    except OSError as problem:
        raise RunError(
            f"cannot write {place}: {problem.strerror or problem}",
            hoped="room on the disk, and a writable --out folder",
        ) from None
    return place


def page(outcomes: Sequence[Outcome], day: str, out: Path) -> str:
    """The whole page."""
    css, script = look()
    order = list(STATES)
    rows = sorted(outcomes, key=lambda o: (order.index(o.state), o.account or o.folder, o.folder))
    body = "".join(_row(outcome, out) for outcome in rows)
    titles = head("Account", "Day", "State", "Made", "Claimable", "Claimable now", "Overdue", "Not checked", "What to do",
                  right=("Made", "Claimable", "Claimable now", "Overdue", "Not checked"))  # fmt: skip
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(script.encode())}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f'<title>All accounts, {text(day)}</title>\n<link rel="icon" href="data:,">\n<style>\n{css}</style>\n</head>\n'
        f'<body>\n<main id="main">\n<h1>All accounts, {text(day)}</h1>\n<p class="verdict">{text(_verdict(rows))}</p>\n'
        '<div class="scroll" role="region" tabindex="0" aria-label="Accounts">\n'
        f'<table id="accounts" class="{"data" if len(rows) > 1 else "one"}">'
        f"<caption>Accounts, those that need a person first</caption>{titles}<tbody>\n{body}</tbody></table></div>\n"
        "</main>\n<footer><p>Each account has its own packet with evidence and a manifest. Nothing was sent.</p></footer>\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _verdict(outcomes: Sequence[Outcome]) -> str:
    wrong = [outcome for outcome in outcomes if outcome.exit_code > 1]
    owed: dict[str, Decimal] = {}
    for outcome in outcomes:
        for currency, amount in outcome.answer.get("owed", {}).items():
            owed[currency] = owed.get(currency, Decimal(0)) + Decimal(amount)
    done = count(len(outcomes) - len(wrong), "account is", "accounts are") + " done"
    missing = f"; {count(len(wrong), 'account needs', 'accounts need')} a person" if wrong else ""
    unvalued = sum(outcome.answer.get("unvalued", 0) for outcome in outcomes)
    return f"{done}{missing}. Claimable now: {claimable(owed, unvalued)}."


def _row(outcome: Outcome, out: Path) -> str:
    name = text(outcome.account or outcome.folder)
    answer = outcome.answer
    if outcome.packets:
        path = (outcome.packets[-1].path / "packet.html").relative_to(out).as_posix()
        name = f'<a href="{text(quote(path))}">{name}</a>'
    owed = {currency: Decimal(amount) for currency, amount in answer.get("owed", {}).items()}
    kind = "bad" if outcome.exit_code > 1 else "warn" if outcome.exit_code else "good"
    made = sum(not packet.unchanged for packet in outcome.packets)
    cells = [
        f'<td class="text">{name}</td>',
        f'<td class="day">{text(outcome.day)}</td>',
        f'<td class="text"><span class="status {kind}">{text(STATES[outcome.state])}</span></td>',
        f'<td class="number" data-v="{made}">{made}</td>',
        _number(answer.get("findings", {}).get("claimable", 0) if answer else None),
        f'<td class="money">{text(claimable(owed, answer.get("unvalued", 0))) if answer else ""}</td>',
        _number(answer.get("overdue_items")),
        _number(answer.get("not_checked")),
        f'<td class="long">{"<br>".join(text(line.strip()) for line in outcome.message.splitlines())}</td>',
    ]
    return f"<tr>{''.join(cells)}</tr>\n"


def _number(value: int | None) -> str:
    return '<td class="number"></td>' if value is None else f'<td class="number" data-v="{value}">{value:,}</td>'
