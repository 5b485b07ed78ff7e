"""The day's work in one call: books in, everything a packet shows out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from recon_lib import frames
from recon_lib.audits import AUDITS
from recon_lib.audits.base import Audit, AuditResult
from recon_lib.audits.coverage import uncovered
from recon_lib.audits.pay import PayDay, reconcile_pay
from recon_lib.audits.settled_facts import settlement_sums
from recon_lib.books import Books
from recon_lib.bridge import Changes, Earlier, compare
from recon_lib.cases import Decisions
from recon_lib.claims import finish, with_names
from recon_lib.journal import Entered, make_journal
from recon_lib.money import money_text, sums
from recon_lib.outputs import write_day
from recon_lib.policy import Policy, load_policy
from recon_lib.register import decided
from recon_lib.sold import settled_lines
from recon_lib.tieout import settlement_tieout

_AT_A_TIME = 2  # audits: each uses many processors where it looks at many rows, and one where it looks at few
# Of many rows these take the longest, in this order: nobody should wait for one of them at the end.
_LONG = ("fulfilment_fee_overcharge", "refund_without_return", "reimbursement_underpaid", "warehouse_lost")
HISTORY_ORDER = ["audit", "event_on", "paid_on", "settled_on", "order_id", "fnsku", "reimbursement_id", "sku", "amount"]


@dataclass(frozen=True)
class Day:
    """What is true at the end of `books.as_of`. Frames are as in the packet's files; `save` writes them."""

    books: Books
    policy: Policy
    findings: pl.DataFrame  # frames.Finding, sorted as in findings.csv
    history: pl.DataFrame  # frames.SettledEvent
    not_checked: pl.DataFrame  # frames.NotChecked
    settlements: pl.DataFrame  # settlement_tieout
    pay: PayDay
    journal: pl.DataFrame
    decisions: Decisions = field(default_factory=Decisions)  # what people decided up to the day
    last: Earlier | None = None  # what the last packet before the day published

    @cached_property
    def changes(self) -> Changes | None:
        """What changed since the last packet before the day; None where there is none."""
        return compare(self.findings, self.last, self.history, self.books.account.currency)

    @property
    def open_items(self) -> pl.DataFrame:
        return self.pay.open_items

    @property
    def rollforward(self) -> pl.DataFrame:
        return self.pay.rollforward

    @property
    def matches(self) -> pl.DataFrame:
        return self.pay.matches

    def owed(self, *statuses: str) -> dict[str, Decimal]:
        """Currency -> money owed in findings of the given statuses (default: claimable). Unknown values count as nothing here."""
        return sums(self.findings.filter(pl.col("status").is_in(list(statuses) or ["claimable"])), "owed")

    def control_totals(self) -> dict[str, Any]:
        """The numbers a reviewer ties the packet to; money as text, by currency."""
        files = self.books.files
        counts = (
            files.select("rows_total", "rows_used", "rows_rejected", "rows_repeated", "rows_after")
            .sum()
            .row(0, named=True)
        )
        by = self.findings.group_by("audit", "status").len().sort("audit", "status")
        checked = self.settlements.filter(pl.col("difference").is_not_null())
        return {
            "files": {"count": files.height, "not_reports": files["family"].null_count()}
            | {k: v or 0 for k, v in counts.items()},
            "findings": {f"{a} {s}": n for a, s, n in by.rows()},
            "owed": {
                status: {c: money_text(v, c) for c, v in self.owed(status).items()}
                for status in sorted(self.findings["status"].unique().to_list())
            },
            "settlements": {
                "ended": self.settlements.height,
                "balanced": checked.filter(pl.col("difference") == 0).height,
                "out_of_balance": checked.filter(pl.col("difference") != 0).height,
                "without_total": self.settlements.height - checked.height,
            },
            "amazon_pay": self.pay.control_totals,
            "journal": journal_totals(self.journal),
        }

    def save(self, folder: Path | str) -> None:
        """The data files of a packet (contract: findings, open items, roll-forward, matches, journal, history, claims)."""
        write_day(self, Path(folder))


def reconcile(
    books: Books,
    policy: Policy | None = None,
    *,
    audits: tuple[Audit, ...] = AUDITS,
    published: pl.DataFrame | None = None,
    entered: Entered | None = None,
    last: Earlier | None = None,
    register: pl.DataFrame | None = None,
) -> Day:
    """Everything about the day.

    Args:
        books: the account up to the day. policy: the tables of params/policy (default).
        published: the roll-forward published for the day before, to show what was restated.
        entered: the journal of the last packet before the day; what it entered stays, what came late is entered now.
        last: the findings and history of that packet, to tell what changed since.
        register: decisions of people (open cases, accepted differences); from the account's own register where null.
    """
    decisions = decided(books) if register is None else Decisions(standing=register)
    policy, pay, results = _audited(books, policy, audits, published)
    raw = pl.concat([result.findings for result in results])
    history = with_names(pl.concat([result.settled for result in results]), books, ("fnsku",))
    history = history.sort(HISTORY_ORDER, nulls_last=True)
    not_checked = pl.concat([result.not_checked for result in results])
    not_checked = (
        pl.concat([not_checked, _missing_reports(books, audits)])
        .unique()
        .sort("audit", "subject", "reason", nulls_last=True)
    )
    findings = finish(raw, books, policy, register=decisions.standing)
    tieout = settlement_tieout(books.frames["settlements"], settlement_sums(books))
    journal = make_journal(pay, books, entered)
    return Day(books, policy, findings, history, not_checked, tieout, pay, journal, decisions, last)


def _audited(
    books: Books, policy: Policy | None, audits: tuple[Audit, ...], published: pl.DataFrame | None
) -> tuple[Policy, PayDay, list[AuditResult]]:
    """The policy, Amazon Pay, and the results of it and of all audits in the order of the list, however many run at a time."""
    names = [audit.names[0] for audit in audits]
    longest = sorted(range(len(audits)), key=lambda at: _LONG.index(names[at]) if names[at] in _LONG else len(_LONG))
    with ThreadPoolExecutor(min(_AT_A_TIME, pl.thread_pool_size())) as pool:
        try:
            pool.submit(settled_lines, books)  # most audits begin with them, whatever the policy says
            policy = policy or load_policy()
            begun = {at: pool.submit(audits[at].run, books, policy) for at in longest}
            pay = reconcile_pay(books, published)
            found = [begun[at].result() for at in range(len(audits))]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return policy, pay, [AuditResult(findings=pay.findings, not_checked=pay.not_checked), *found]


def _missing_reports(books: Books, audits: tuple[Audit, ...]) -> pl.DataFrame:
    """A report that an audit reads and that is not there, or not for some days: absence is said, it is never a zero."""
    read = [(name, family) for audit in audits for name in audit.names for family in audit.needs.get(name, audit.reads)]
    why = {
        family: [
            f"report missing: {family.replace('_', ' ')} {start} to {end}" for start, end in uncovered(books, family)
        ]
        if books.has(family)
        else ["no such report in the account folder"]
        for family in {family for _, family in read}
    }
    rows = [(name, family, reason, None) for name, family in read for reason in why[family]]
    return pl.DataFrame(rows, schema=frames.empty(frames.NotChecked).schema, orient="row")


def journal_totals(journal: pl.DataFrame) -> dict[str, dict[str, str]]:
    """Currency -> debit and credit of the whole journal; equal, or the journal is wrong."""
    both = journal.group_by("currency").agg(pl.col("debit").sum(), pl.col("credit").sum()).sort("currency")
    return {c: {"debit": money_text(d, c), "credit": money_text(k, c)} for c, d, k in both.rows()}
