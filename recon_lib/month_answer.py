"""The top of the monthly review, its sign-off, and its files. Each function for the page gives HTML."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from recon_lib import manifest, month_packets
from recon_lib.answer import line, of_status, value_of
from recon_lib.gaps import caveat
from recon_lib.money import money_text
from recon_lib.month import Month, funnel
from recon_lib.review_book import NAME, Sheet, write_book
from recon_lib.sections import signatures
from recon_lib.tables import Html, count, head, monies, text


def title(month: Month) -> Html:
    """Who and when."""
    account = month.day.books.account
    return Html(
        f"<h1>Monthly FBA audit review {text(month.name)}</h1>"
        f'<p class="who">Account <b>{text(account.account)}</b> · marketplace {text(account.marketplace)} · '
        f"{month.first} to {month.last} ({text(account.time_zone)}), as known from files and decisions up to the last day</p>"
    )


def at_a_glance(month: Month, sheets: dict[str, Sheet]) -> Html:
    """The answer first: found, recovered, lost, open, and whether it ties."""
    home = month.day.books.account.currency
    stages = funnel(month)
    new, flows = month.cases.filter(month.holds("event_on")), sheets["months"].frame.filter(month=month.first)
    claimable = of_status(month.day.findings, "claimable")
    gone, cases = sheets["expired"].frame, sheets["cases"].frame
    due = cases.filter("is_due").height
    by_name = {name: _flow(flows, name) for name in ("approved", "paid")}
    well = "" if caveat(month.day) else "good"
    rows = [
        line("", "Found: discrepancies of this month", _money(new, home), count(new.height, "case")),
        line("", "Approved by Amazon in this month", monies(by_name["approved"], first=home), _cases(month, "approved_on")),
        line("", "Paid in settlements of this month", monies(by_name["paid"], first=home), _cases(month, "paid_on")),
        line("", "At the bank, of all that was found so far", monies(_stage(stages, "bank"), first=home),
             f"of {monies(_stage(stages, 'found'), first=home)} found; {monies(_stage(stages, 'paid'), first=home)} paid"),
        line("bad" if claimable.height else well, "Still to be claimed", value_of(claimable, home),
             count(claimable.height, "finding")),
        line("bad" if gone.height else well, "Ran out unclaimed in this month", value_of(gone, home),
             count(gone.height, "claim")),
        line("bad" if due else "", "Open cases", value_of(cases, home) if cases.height else "none",
             f"{count(cases.height, 'case')}, {due:,} without an answer for more than 48 hours"),
        _ties(sheets),
    ]  # fmt: skip
    return Html(
        f'<p class="verdict">{_verdict(month, by_name["approved"], gone, claimable)}</p>'
        '<table id="answer" class="answer"><caption>The month at a glance</caption>'
        f"{head('Question', 'Amount', 'Detail', right=['Amount'])}<tbody>{''.join(rows)}</tbody></table>"
    )


def _verdict(month: Month, approved: dict[str, Decimal], gone: pl.DataFrame, claimable: pl.DataFrame) -> str:
    home = month.day.books.account.currency
    lost = f"<b>{text(value_of(gone, home))}</b> ran out unclaimed" if gone.height else "nothing ran out unclaimed"
    left = (
        f"<b>{text(value_of(claimable, home))}</b> is still to be claimed"
        if claimable.height
        else "nothing is left to claim"
    )
    missing = caveat(month.day)
    known = f" As far as is known: {missing} (see “Not checked”)." if missing else ""
    told = f"<b>{text(monies(approved, first=home))}</b> for the cases known here"
    return f"In {month.name} Amazon approved {told}; {lost}; {left}.{known}"


def _flow(flows: pl.DataFrame, name: str) -> dict[str, Decimal]:
    return {c: v for c, v in flows.select("currency", name).iter_rows() if v}


def _stage(stages: pl.DataFrame, name: str) -> dict[str, Decimal]:
    return {c: v for c, v in stages.filter(stage=name).select("currency", "money_all").iter_rows() if c and v}


def _money(cases: pl.DataFrame, home: str) -> str:
    return value_of(cases.rename({"money": "owed"}), home) if cases.height else "nothing"


def _cases(month: Month, on: str) -> str:
    return f"for {count(month.cases.filter(month.holds(on)).height, 'case')}"


def _ties(sheets: dict[str, Sheet]) -> str:
    """Settlements, the daily packets and the packet of the last day: what does not tie is named."""
    settled, days, last = (sheets[name].frame for name in ("month-settlements", "daily", "last-packet"))
    told = {
        "settlements that do not add up": settled.filter(~pl.col("ties").fill_null(False)).height,
        "days that differ from their packet": days.filter(~pl.col("ties").fill_null(True))["day"].n_unique(),
        "numbers that differ from the last packet": last.filter(~pl.col("ties")).height,
    }
    missing = days.filter(pl.col("folder").is_null())["day"].n_unique()
    wrong = [f"{n:,} {what}" for what, n in told.items() if n]
    open_points = [f"{missing:,} of {days['day'].n_unique():,} days without a packet"] if missing else []
    tone = "bad" if wrong else "warn" if missing else "good"
    said = "does not tie" if wrong else "ties as far as known" if missing else "ties"
    return line(
        tone, "Tie-out to settlements and daily packets", said, "; ".join(wrong + open_points) or "nothing differs"
    )


def daily(sheets: dict[str, Sheet]) -> Html:
    """The days against their packets; opens on a click, because most days tie."""
    sheet = sheets["daily"]
    days = sheet.frame.group_by("day").agg(pl.col("folder").first(), pl.col("ties").all().alias("ties"))
    missing, wrong = days["folder"].null_count(), days.filter(~pl.col("ties").fill_null(True)).height
    told = f"{count(days.height, 'day')}: {missing:,} without a packet, {wrong:,} that differ now"
    return Html(f"<details><summary>Day by day ({text(told)})</summary>{sheet.html()}</details>")


def sign_off(month: Month) -> Html:
    """Lines for the people who prepare and review the month."""
    return signatures(month.day.books.account.account, month.name)


def save(month: Month, sheets: dict[str, Sheet], packets: Path | None, out: Path | str) -> None:
    """The data files of the month's last day, review.xlsx, and what only the run knows of the manifest."""
    folder = Path(out)
    month.day.save(folder)
    write_book(list(sheets.values()), folder / NAME, f"Monthly review {month.name}")
    manifest.draft(month.day, folder)
    content: dict[str, Any] = manifest.read(folder)
    content["packet"]["month"] = month.name
    content["inputs"] += month_packets.as_inputs(month, packets, sheets["daily"].frame, sheets["expired"].frame)
    content["control_totals"]["month"] = {
        name: {
            row["currency"] or "": money_text(row["money_all"], row["currency"])
            for row in funnel(month).filter(stage=name).iter_rows(named=True)
        }
        for name in ("found", "claimed", "approved", "paid", "bank")
    }
    manifest.write(folder, content)
