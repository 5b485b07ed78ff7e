"""The daily packets published in a month, against the month: is one missing, does the chain hold, what did they show?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from recon_lib import manifest, publish
from recon_lib.decisions import Event
from recon_lib.money import MONEY, money_text
from recon_lib.month import Month, rolled

DAILY: dict[str, Any] = {
    "day": pl.Date, "folder": pl.String, "currency": pl.String, "claimable": pl.Int64, "owed": MONEY, "open_lines": pl.Int64,
    "open_amount": MONEY, "open_lines_now": pl.Int64, "open_amount_now": MONEY, "ties": pl.Boolean, "told": pl.String,
    "signed_by": pl.String,
}  # fmt: skip
"""One row a day of the month and currency. `claimable` and `owed`: as published · `open_*`: closing of Amazon Pay as published,
`open_*_now`: as the files tell it at the month's end · `ties`: both are equal, null without a packet · `told`: what differs."""


def published(home: Path | None, month: Month) -> dict[date, Path]:
    """Day -> the newest packet of that day in the output folder of the account."""
    if home is None:
        return {}
    days = [month.first + timedelta(days=n) for n in range((month.last - month.first).days + 1)]
    found = {day: publish.revisions(home, day.isoformat()) for day in days}
    return {day: paths[-1] for day, paths in found.items() if paths}


def signatures(events: Sequence[Event]) -> dict[str, str]:
    """Packet folder and manifest hash (`2026-01-31 <hash>`) -> who signed it off."""
    names: dict[str, list[str]] = {}
    for event in events:
        if event.kind == "reviewed" and event.packet:
            names.setdefault(event.packet.replace("sha256:", ""), []).append(event.who)
    return {packet: ", ".join(dict.fromkeys(who)) for packet, who in names.items()}


def daily(month: Month, packets: dict[date, Path], events: Sequence[Event]) -> pl.DataFrame:
    """The days of the month against the packets published for them; columns as DAILY, by day and currency."""
    signed = signatures(events)
    rows = []
    for now in rolled(month).sort("date", "currency").iter_rows(named=True):
        row: dict[str, Any] = dict.fromkeys(DAILY)
        row |= {"day": now["date"], "currency": now["currency"], "open_lines_now": now["closing_lines"],
                "open_amount_now": now["closing_amount"], "told": "no packet was published"}  # fmt: skip
        if path := packets.get(now["date"]):
            row |= _published(path, now, signed)
        rows.append(row)
    return pl.DataFrame(rows, schema=DAILY, orient="row")


def _published(path: Path, now: dict[str, Any], signed: dict[str, str]) -> dict[str, Any]:
    content, table = manifest.read(path), publish.rollforward(path)
    assert table is not None
    mine = table.filter(currency=now["currency"]).to_dicts()
    then = mine[0] if mine else {"closing_lines": 0, "closing_amount": now["closing_amount"] * 0}
    differs = now["closing_amount"] - then["closing_amount"], now["closing_lines"] - then["closing_lines"]
    amount = f"{money_text(differs[0], now['currency'])} {now['currency']}"
    told = f"files that came later: {differs[1]:+d} open, {amount}" if any(differs) else ""
    owed = content["answer"]["owed"].get(now["currency"])
    return {
        "folder": path.name, "claimable": content["answer"]["findings"].get("claimable", 0),
        "owed": None if owed is None else pl.Series([owed]).cast(MONEY).item(), "open_lines": then["closing_lines"],
        "open_amount": then["closing_amount"], "ties": not any(differs), "told": told,
        "signed_by": signed.get(f"{path.name} {manifest.sha256(path / manifest.NAME)}"),
    }  # fmt: skip


OWN = ("account", "register", "packet")  # inputs of a packet that are no report files


def last_packet(month: Month, packets: dict[date, Path]) -> pl.DataFrame:
    """The packet of the month's last day against the month: one row a number, `published`, `month`, `ties`; empty without one."""
    schema = {"what": pl.String, "published": pl.String, "month": pl.String, "ties": pl.Boolean}
    if month.last not in packets:
        return pl.DataFrame(schema=schema)
    content, day = manifest.read(packets[month.last]), month.day
    then = content["answer"]
    files = {(row["path"], row["sha256"]) for row in content["inputs"] if row["family"] not in OWN}
    differs = len({path for path, _ in files ^ set(day.books.files.select("path", "sha256").iter_rows())})
    decided = {row["rows_total"] for row in content["inputs"] if row["family"] == "register"} or {0}
    decisions = (day.decisions.as_input() or {"rows_total": 0})["rows_total"]
    by_status = {str(k): int(v) for k, v in day.findings.group_by("status").len().iter_rows()}
    owed = {c: money_text(v, c) for c, v in day.owed().items()}
    names = [*sorted(set(then["findings"]) | set(by_status))]
    pairs = [(f"findings {name}", str(then["findings"].get(name, 0)), str(by_status.get(name, 0))) for name in names]
    pairs += [
        (f"claimable, {c}", then["owed"].get(c, ""), owed.get(c, "")) for c in sorted(set(then["owed"]) | set(owed))
    ]
    pairs.append(("open items of Amazon Pay", str(then["open_items"]), str(day.open_items.height)))
    pairs.append(("decisions of people up to that day", str(max(decided)), str(decisions)))
    pairs.append(("files read", str(len(files)), str(day.books.files.height) if not differs else f"{differs} differ"))
    return pl.DataFrame([(*pair, pair[1] == pair[2]) for pair in pairs], schema=schema, orient="row")


def expired(month: Month, home: Path | None) -> pl.DataFrame:
    """Findings whose last day fell into the month unclaimed, and why: `why`, `first_shown` and `last_shown` as claimable.

    What was shown is read from the packets published on the days on which it could be claimed, whatever month they are of.
    """
    gone = month.day.findings.filter(pl.col("status") == "expired", month.holds("claim_by"))
    days = shown(gone, home)
    rows = gone.join(days, on="finding_id", how="left")
    why = (
        pl.when(pl.col("times") > 0)
        .then(pl.format("shown as claimable in {} and not claimed", _packets("times")))
        .when(pl.col("packets") > 0)
        .then(pl.format("not in the {} of that time: its reports came later", _packets("packets")))
        .otherwise(pl.lit("no packet was published while it could be claimed"))
    )
    return rows.with_columns(why.alias("why")).sort("claim_by", "finding_id")


def _packets(number: str) -> pl.Expr:
    word = pl.when(pl.col(number) == 1).then(pl.lit("packet")).otherwise(pl.lit("packets"))
    return pl.format("{} {}", number, word)


def shown(gone: pl.DataFrame, home: Path | None) -> pl.DataFrame:
    """finding_id, `times` shown as claimable, `first_shown`, `last_shown`, `packets` published while it could be claimed."""
    days = _days(home)
    seen: dict[date, set[str]] = {}
    rows = []
    for finding, since, until in gone.select("finding_id", "claim_from", "claim_by").iter_rows():
        could = [day for day in sorted(days) if (since is None or day >= since) and day <= until]
        for day in could:
            if day not in seen:
                told = pl.read_parquet(days[day] / "findings.parquet", columns=["finding_id", "status"], glob=False)
                seen[day] = set(told.filter(status="claimable")["finding_id"].to_list())
        on = [day for day in could if finding in seen[day]]
        rows.append((finding, len(on), on[0] if on else None, on[-1] if on else None, len(could)))
    schema = {
        "finding_id": pl.String,
        "times": pl.Int64,
        "first_shown": pl.Date,
        "last_shown": pl.Date,
        "packets": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _days(home: Path | None) -> dict[date, Path]:
    try:
        latest = json.loads((home / "latest.json").read_bytes()) if home else {}
    except (OSError, ValueError):
        return {}
    found = {date.fromisoformat(name): home / folder for name, folder in latest.items() if home and len(name) == 10}
    return {day: path for day, path in found.items() if (path / "findings.parquet").is_file()}


def as_inputs(month: Month, home: Path | None, table: pl.DataFrame, lost: pl.DataFrame) -> list[dict[str, Any]]:
    """The packets that the month was read against, for its manifest: a new one, or a signature, is another month."""
    packets = published(home, month)
    until = max((day for day in lost["claim_by"].to_list()), default=None) if lost.height else None
    since = min((day for day in lost["claim_from"].to_list() if day), default=None) if lost.height else None
    if until and since:
        packets |= {day: path for day, path in _days(home).items() if since <= day <= until}
    inputs = [_input(f"packets/{path.name}", path) for _, path in sorted(packets.items())]
    signed = table.filter(pl.col("signed_by").is_not_null()).select("day", "signed_by").unique().sort("day")
    return inputs + [
        _input(f"packets/{packets[day].name} signed off by {who}", packets[day]) for day, who in signed.iter_rows()
    ]


def _input(name: str, packet: Path) -> dict[str, Any]:
    return {
        "path": name,
        "family": "packet",
        "title": "Daily packet",
        "sha256": manifest.sha256(packet / manifest.NAME),
    }
