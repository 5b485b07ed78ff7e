"""The page over all accounts: what is owed and due first, then deadlines, then every packet. Words and HTML only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from recon_lib.looks import look, policy
from recon_lib.words import claimable, count, head, monies, text

AHEAD = 30  # days of deadlines on the page


def page(packets: list[dict[str, Any]]) -> str:
    """The page: accounts first, then deadlines, then every packet by account."""
    newest = _newest(packets)
    wrong = [(p, problem) for p in packets for problem in p["problems"]]
    accounts = sorted({p["account"] for p in packets})
    parts = [
        "<h1>Packets</h1>", _verdict(packets, newest, len(wrong)), _problems(wrong),
        '<section id="accounts"><h2>Accounts</h2>', _accounts(packets, newest), "</section>",
        '<section id="deadlines"><h2>Deadlines ahead</h2>', _ahead(newest), "</section>",
        '<section id="packets"><h2>Days and months</h2>', *(_of_account(name, packets) for name in accounts), "</section>",
    ]  # fmt: skip
    return _whole("Packets", "\n".join(parts))


def _whole(title: str, body: str) -> str:
    """A page in the look of the packet: one script by its hash, nothing fetched."""
    css, script = look()
    chapters = (("accounts", "Accounts"), ("deadlines", "Deadlines"), ("packets", "Days and months"))
    links = "".join(f'<li><a href="#{id}">{name}</a></li>' for id, name in chapters)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(script.encode())}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>{text(title)}</title>\n<link rel="icon" href="data:,">\n'
        f'<style>\n{css}</style>\n</head>\n<body>\n<a class="skip" href="#main">To the answer</a>\n'
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n<main id="main">\n{body}\n</main>\n'
        "<footer><p>Made from the manifests of the packets named here; every file was compared with its hash.</p></footer>\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _newest(packets: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Account -> its packet of the latest day (the newest revision of it); a month counts where there is no day."""
    newest: dict[str, dict[str, Any]] = {}
    for packet in packets:
        last = newest.get(packet["account"])
        key = (packet["as_of"], len(packet["name"]), packet["revision"])
        if last is None or key > (last["as_of"], len(last["name"]), last["revision"]):
            newest[packet["account"]] = packet
    return newest


def _link(packet: dict[str, Any], words: str) -> str:
    return f'<a href="{quote(packet["account"])}/{quote(packet["folder"])}/packet.html">{text(words)}</a>'


def _verdict(packets: list[dict[str, Any]], newest: dict[str, dict[str, Any]], wrong: int) -> str:
    if not packets:
        return '<p class="verdict">No packet was published here yet.</p>'
    total: dict[str, Decimal] = {}
    for packet in newest.values():
        for currency, amount in packet["answer"].get("owed", {}).items():
            total[currency] = total.get(currency, Decimal(0)) + Decimal(amount)
    overdue, unvalued = (sum(p["answer"].get(k, 0) for p in newest.values()) for k in ("overdue_items", "unvalued"))
    having = sum(bool(p["answer"].get("findings", {}).get("claimable")) for p in newest.values())
    whole = f"<b>{count(wrong, 'thing')} do not verify</b>" if wrong else "every published file is as it was published"
    return (
        f'<p class="verdict"><b>{text(claimable(total, unvalued))}</b> can be claimed now in '
        f"{having:,} of {count(len(newest), 'account')}; "
        f"{count(overdue, 'item')} of Amazon Pay overdue; {whole}.</p>"
    )


def _problems(wrong: list[tuple[dict[str, Any], str]]) -> str:
    if not wrong:
        return ""
    rows = "".join(f"<li>{_link(p, p['account'] + '/' + p['folder'])}: {text(problem)}</li>" for p, problem in wrong)
    return f'<aside class="revision" aria-label="Does not verify"><b>Does not verify.</b><ul>{rows}</ul></aside>'


def _table(
    id: str, caption: str, titles: tuple[str, ...], right: tuple[str, ...], rows: list[str], *, data: bool = True
) -> str:
    kind = ' class="data"' if data and len(rows) > 1 else ""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}"><table id="{text(id)}"{kind}>'
        f"<caption>{text(caption)}</caption>{head(*titles, right=right)}<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _mark(packet: dict[str, Any]) -> str:
    ties = not packet["problems"]
    kind, mark, said = ("tick", "✓", "yes") if ties else ("cross", "✗", "no")
    return f'<span class="{kind}" role="img" aria-label="{said}">{mark}</span>'


def _number(packet: dict[str, Any], name: str) -> str:
    n = packet["answer"].get(name, 0)
    return f'<td class="number" data-v="{n}">{n:,}</td>'


def _amount(packet: dict[str, Any]) -> str:
    """What is claimable; sorted by the amount where all of it is in one currency."""
    owed = packet["answer"].get("owed", {})
    value = f' data-v="{Decimal(next(iter(owed.values())))}"' if len(owed) == 1 else ""
    shown = claimable({c: Decimal(v) for c, v in owed.items()}, packet["answer"].get("unvalued", 0))
    return f'<td class="money"{value}>{text(shown)}</td>'


def _status(packet: dict[str, Any]) -> str:
    if not packet["answer"]:
        return '<span class="status open">unreadable</span>'
    findings = packet["answer"]["findings"]
    words = [name for name in ("claimable", "open", "claimed", "waiting") if findings.get(name)]
    words = words or [name for name in ("review", "accepted", "expired") if findings.get(name)]
    return " ".join(f'<span class="status {w}">{findings[w]:,} {w}</span>' for w in words) or "no findings"


def _accounts(packets: list[dict[str, Any]], newest: dict[str, dict[str, Any]]) -> str:
    rows = []
    for name, packet in sorted(newest.items()):
        first = min((row[0] for row in packet["deadlines"] if row[0] >= packet["as_of"]), default="")
        rows.append(
            f'<tr><th scope="row">{text(name)}</th><td class="day">{_link(packet, packet["name"])}</td><td>{_status(packet)}</td>'
            f'{_amount(packet)}<td class="day">{text(first)}</td>'
            f"{_number(packet, 'overdue_items')}<td>{text(_missing(name, packets))}</td></tr>"
        )
    titles = (
        "Account",
        "Newest packet",
        "Status",
        "Claimable now",
        "Next last day",
        "Overdue",
        "Days without a packet",
    )
    return _table("account-list", "Accounts and their newest packet", titles, ("Claimable now", "Overdue"), rows)


def _missing(account: str, packets: list[dict[str, Any]]) -> str:
    """Days between the first and the last daily packet without one."""
    days = {date.fromisoformat(p["name"]) for p in packets if p["account"] == account and len(p["name"]) == 10}
    if not days:
        return "no daily packet"
    span = (max(days) - min(days)).days + 1
    gone = [day for n in range(span) if (day := min(days) + timedelta(days=n)) not in days]
    return f"{len(gone):,}, the last {gone[-1]}" if gone else "none"


def _ahead(newest: dict[str, dict[str, Any]]) -> str:
    rows = []
    for name, packet in newest.items():
        if not packet["as_of"]:
            continue
        end = (date.fromisoformat(packet["as_of"]) + timedelta(days=AHEAD)).isoformat()
        for day, currency, n, owed, unknown in packet["deadlines"]:
            if packet["as_of"] <= day <= end:
                value = monies({currency: Decimal(owed)}) if n > unknown else "unknown"
                more = f" + {unknown:,} unknown" if unknown and n > unknown else ""
                rows.append((day, name, f'<tr><td class="day">{text(day)}</td><th scope="row">{_link(packet, name)}</th>'
                             f'<td class="number" data-v="{n}">{n:,}</td>'
                             f'<td class="money" data-v="{owed}">{text(value + more)}</td></tr>'))  # fmt: skip
    if not rows:
        return f'<p class="none">No claim runs out within {AHEAD} days of the newest packets.</p>'
    titles, caption = (
        ("Last day", "Account", "Findings", "Owed"),
        f"Claims that run out within {AHEAD} days of the newest packet",
    )
    return _table("ahead", caption, titles, ("Findings", "Owed"), [row for _, _, row in sorted(rows)])


def _of_account(name: str, packets: list[dict[str, Any]]) -> str:
    mine = sorted((p for p in packets if p["account"] == name), key=lambda p: (p["name"], p["revision"]), reverse=True)
    last = {p["name"]: p["revision"] for p in reversed(mine)}
    rows = []
    for p in mine:
        words = p["name"] + (f", revision {p['revision']}" if p["revision"] > 1 else "")
        newer = " (revised since)" if p["revision"] < last[p["name"]] else ""
        rows.append(
            f'<tr><th scope="row">{_link(p, words)}{newer}</th><td>{"month" if len(p["name"]) == 7 else "day"}</td>'
            f"<td>{_status(p)}</td>{_amount(p)}"
            f"{_number(p, 'overdue_items')}{_number(p, 'not_checked')}"
            f'<td class="tick">{_mark(p)} {text("; ".join(p["problems"]))}</td></tr>'
        )
    titles = ("Packet", "Kind", "Status", "Claimable then", "Overdue", "Not checked", "Verifies")
    listed = _table(f"packets-{name}", f"Packets of {name}", titles, ("Claimable then", "Overdue", "Not checked"), rows)
    return f"<details open><summary><b>{text(name)}</b>: {count(len(mine), 'packet')}</summary>{listed}</details>"
