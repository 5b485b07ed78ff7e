"""Where every finding stands that a person decided on: the events of the register, and what Amazon paid by case number."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from recon_lib.decisions import RUNNING, Event, to_csv
from recon_lib.money import MONEY, money_text

Paid = tuple[date, Decimal, str]  # day, amount, currency
ANSWER_HOURS = 48  # Amazon usually answers within this time: then ask again
STANDING: dict[str, Any] = {
    "finding_id": pl.String, "decision": pl.String, "note": pl.String, "case_id": pl.String, "stage": pl.String,
    "who": pl.String, "opened_on": pl.Date, "said_on": pl.Date, "paid_on": pl.Date, "paid_amount": MONEY,
    "currency": pl.String, "follow_up_on": pl.Date, "is_due": pl.Boolean,
}  # fmt: skip
"""One row a finding. `decision`: claimed, accepted or null (closed) · `stage`: the last word · `note`: it in words ·
`paid_amount` in `currency`: what the reimbursement report (or a person) says was paid for the case, null where several
currencies were · `follow_up_on`: the day on which Amazon's answer is late, null where none is awaited; `is_due`: it is late."""


@dataclass(frozen=True)
class Decisions:
    """The decisions of an account up to the end of a day, and where each finding stands."""

    events: list[Event] = field(default_factory=list)
    standing: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=STANDING))

    def as_input(self) -> dict[str, Any] | None:
        """What a manifest says of the register: the hash of what was decided up to the day; None where nothing was.

        A review is not in it: the signature under a packet is no reason to make the packet anew.
        """
        told = sorted((e for e in self.events if e.kind != "reviewed"), key=lambda e: e.seq)
        if not told:
            return None
        digest = hashlib.sha256(to_csv(told).encode()).hexdigest()
        last = told[-1]
        return {"path": "register.sqlite", "family": "register", "title": "Decisions", "sha256": digest, "rows_total": len(told),
                "rows_used": len(told), "last_event": last.seq, "last_hash": last.hash}  # fmt: skip


def standing(
    events: Sequence[Event], as_of: date, zone: str, reimbursements: pl.LazyFrame | None = None
) -> pl.DataFrame:
    """One row a finding in `events` (in the order they count), as at the end of `as_of`; columns as STANDING, sorted by id.

    A reimbursement (frames.Reimbursement, up to the day) that names the case pays it, whatever was recorded by hand.
    """
    runs: dict[str, list[Event]] = {}
    for event in events:
        if event.finding_id is not None:
            if event.kind == "opened":
                runs[event.finding_id] = []  # an earlier case of the finding is history
            runs.setdefault(event.finding_id, []).append(event)
    cases = {_folded(e.case_id) for run in runs.values() for e in run if e.case_id}
    paid = _paid(reimbursements, cases) if reimbursements is not None and cases else {}
    end = datetime.combine(as_of + timedelta(days=1), time(), ZoneInfo(zone))
    rows = [_row(run, paid, end, ZoneInfo(zone)) for run in runs.values()]
    return pl.DataFrame(rows, schema=STANDING, orient="row").sort("finding_id")


def _folded(case: str | None) -> str:
    return (case or "").replace("\u00a0", " ").strip().casefold()


def _paid(reimbursements: pl.LazyFrame, cases: set[str]) -> dict[str, list[Paid]]:
    """Case -> first day, sum and currency of what was paid for it, one entry a currency; what was taken back counts."""
    folded = pl.col("case_id").str.replace_all("\u00a0", " ").str.strip_chars().str.to_lowercase().alias("case")
    rows = reimbursements.with_columns(folded).filter(pl.col("case").is_in(sorted(cases)))
    sums = (
        rows.group_by("case", "currency")
        .agg(pl.col("approved_on").min(), pl.col("amount_total").sum())
        .filter(pl.col("amount_total") > 0)
        .sort("case", "currency", nulls_last=True)
        .collect()
    )
    paid: dict[str, list[Paid]] = {}
    for case, currency, on, amount in sums.select("case", "currency", "approved_on", "amount_total").iter_rows():
        paid.setdefault(case, []).append((on, amount, currency or ""))
    return paid


def _row(run: list[Event], paid: dict[str, list[Paid]], end: datetime, zone: ZoneInfo) -> dict[str, Any]:
    def day(event: Event) -> date:
        return datetime.fromisoformat(event.at).astimezone(zone).date()

    last = run[-1]
    opened = next((e for e in run if e.kind == "opened"), None)
    names = list(dict.fromkeys(e.case_id for e in run if e.case_id))
    row: dict[str, Any] = dict.fromkeys(STANDING)
    row |= {
        "finding_id": last.finding_id, "case_id": names[-1] if names else None, "stage": last.kind, "who": last.who,
        "opened_on": day(opened) if opened else None, "said_on": day(last), "is_due": False,
        "decision": "claimed" if last.kind in RUNNING else "accepted" if last.kind == "accepted" else None,
    }  # fmt: skip
    by_report = [entry for name in names for entry in paid.get(_folded(name), [])]
    by_hand = [(day(e), Decimal(e.amount), e.currency or "") for e in run if e.kind == "paid" and e.amount]
    entries = by_report or by_hand
    if entries:
        row["paid_on"] = min(on for on, _, _ in entries)
        if len({currency for _, _, currency in entries}) == 1:
            row["paid_amount"] = sum((amount for _, amount, _ in entries), Decimal(0))
            row["currency"] = entries[0][2] or None
        if by_report and row["decision"] == "claimed":
            row["stage"] = "paid"
    if row["stage"] in ("opened", "appealed"):
        late = datetime.fromisoformat(last.at) + timedelta(hours=ANSWER_HOURS)
        row["follow_up_on"], row["is_due"] = late.astimezone(zone).date(), late < end
    row["note"] = _note(row, last, entries, bool(by_report))
    return row


def _note(row: dict[str, Any], last: Event, entries: list[Paid], by_report: bool) -> str:
    """Where it stands in words, for the reason of the finding."""
    told = f"{last.kind} on {row['said_on']} by {last.who}: {last.note}"
    if last.kind != "accepted":
        told = f"case {row['case_id'] or '(no number yet)'} {told}"
        if row["opened_on"] is not None and last.kind != "opened":
            told += f" (opened on {row['opened_on']})"
    if entries:
        sums = " + ".join(f"{money_text(amount, currency)} {currency}".strip() for _, amount, currency in entries)
        source = "by the reimbursement report" if by_report else "as recorded, in no reimbursement report yet"
        told += f"; paid {sums} on {row['paid_on']} {source}"
    if row["is_due"]:
        told += f"; no answer since {ANSWER_HOURS} hours: ask again"
    return told
