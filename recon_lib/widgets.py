"""The explorer of `notebooks/explore.ipynb`: controls that only wire `explore`, `life` and the register to what is shown.

Never part of a packet: on a page without a kernel a widget is dead text.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ipywidgets as w
import polars as pl

from recon_lib import charts, explore, explore_tables, life, life_chart, trends
from recon_lib.books import day_of, open_account
from recon_lib.errors import ReconError, UsageError
from recon_lib.explorer_controls import Controls, draw, refill
from recon_lib.reconcile import Day, reconcile
from recon_lib.register import open_register
from recon_lib.tables import count as count_of
from recon_lib.tables import money
from recon_lib.titles import title_of
from recon_lib.words import claimable


class Explorer(Controls):
    """The controls of one account and day. `view` is the widget to show; every control can be set from code too.

    Raises:
        ReconError: the account cannot be read at first; later on the explorer says so and keeps what it shows.
    """

    def __init__(self, folder: Path | str, as_of: date | str, *, store: Path | None = None) -> None:
        self._store, self._quiet = store, False
        self.day: Day
        super().__init__(folder, day_of(as_of))
        self._wire()
        self._read()

    def _wire(self) -> None:
        self.open.on_click(lambda _: self.load())
        self.try_out.on_click(lambda _: self._what_if())
        self.record.on_click(lambda _: self._record())
        for control in (self.audit, self.status, self.product, self.minimum):
            control.observe(lambda _: self._show_findings(), "value")
        self.finding.observe(lambda _: self._show_finding(), "value")
        for control in (self.number, self.unit):
            control.observe(lambda _: self._show_life(), "value")

    def load(self) -> None:
        """Reads the account folder at the end of the day and shows its findings; where that fails, says why."""
        self.message.value = explore_tables.said("Reading …")
        try:
            self._read()
        except (ReconError, OSError) as problem:
            self.message.value = explore_tables.said(f"{problem}\n\nStill shown: {self._named_day()}.")

    def _read(self) -> None:
        if self.as_of.value is None:
            raise UsageError("no day is chosen", hoped="a day")
        self.day = reconcile(open_account(self.folder.value.strip(), self.as_of.value, store=self._store))
        found = self.day.findings
        owed = claimable(self.day.owed(), found.filter(status="claimable")["owed"].null_count())
        count = f"{count_of(found.height, 'finding')}, claimable now: {owed}"
        self.message.value = explore_tables.said(f"{self._named_day()}: {count}")
        self._offer()
        self._show_findings()

    def _named_day(self) -> str:
        return f"{self.day.books.account.account} at the end of {self.day.books.as_of}"

    def _offer(self) -> None:
        """Fills the controls with what this day has; a choice that still exists stays."""
        rows = self.day.findings
        audits = rows["audit"].value_counts().sort("audit").rows()
        statuses = rows["status"].value_counts().sort("status").rows()
        self._quiet = True
        try:
            refill(self.audit, [("all audits", "")] + [(f"{title_of(name)} ({n})", name) for name, n in audits])
            refill(self.status, [("all statuses", "")] + [(f"{name} ({n})", name) for name, n in statuses])
            self.product.options = tuple(sorted(rows["sku"].drop_nulls().unique()))
        finally:
            self._quiet = False
        account = self.day.books.account
        values = {name: getattr(account, name, None) for name in explore.SETTINGS}
        values |= {name: account.tolerances.get(name, 0) for name in ("underpaid_tolerance", *account.currencies)}
        told = explore.SETTINGS | {
            code: f"difference of Amazon Pay amounts ignored, {code}" for code in account.currencies
        }
        self.settings = {
            name: w.Text(
                str(value), description=told[name], style={"description_width": "30em"}, layout={"width": "40em"}
            )
            for name, value in values.items()
        }
        self.settings_box.children = tuple(self.settings.values())
        self.outcome.value = ""

    def _show_findings(self) -> None:
        if self._quiet:
            return
        try:
            least = explore.amount_of(self.minimum.value)
        except UsageError as problem:
            self.findings.value = explore_tables.said(str(problem))
            return
        rows = explore.chosen(
            self.day.findings,
            audit=self.audit.value,
            status=self.status.value,
            product=self.product.value,
            minimum=least,
        )
        self.findings.value = explore_tables.findings(rows, self.day.findings.height)
        draw(self.chart, charts.discrepancies(trends.discrepancies_by_week(rows)))
        options = [(_named(row), row["finding_id"]) for row in rows.head(2000).iter_rows(named=True)]
        self._quiet = True
        try:
            refill(self.finding, options)
        finally:
            self._quiet = False
        self._show_finding()

    def _show_finding(self) -> None:
        if self._quiet:
            return
        if self.finding.value is None:
            self.evidence.value = explore_tables.said("No finding is chosen.")
            return
        row = self.day.findings.row(by_predicate=pl.col("finding_id") == self.finding.value, named=True)
        lines = explore.lines_of(row["evidence"], self.day.books.files["path"])
        rows = explore.evidence_rows(self.day.books, lines)
        self.evidence.value = explore_tables.evidence(row, rows, explore.not_in_books(lines, rows))
        self._quiet = True
        try:
            self.number.value, self.unit.value = life.subject_of(row)
        finally:
            self._quiet = False
        self._show_life()

    def _show_life(self) -> None:
        if self._quiet:
            return
        rows = life.life(self.day.books, number=self.number.value, product=self.unit.value)
        asked = [self.number.value.strip(), self.unit.value.strip()]
        draw(self.timeline, life_chart.timeline(rows, " and ".join(part for part in asked if part) or "nothing chosen"))
        self.life.value = explore_tables.life(rows)

    def _what_if(self) -> None:
        account = self.day.books.account
        given = {name: field.value.strip() for name, field in self.settings.items()}
        self.outcome.value = explore_tables.said("Reconciling …")
        try:
            after = explore.what_if(self.day, given).findings
        except ReconError as problem:
            self.outcome.value = explore_tables.said(str(problem))
            return
        before = self.day.findings
        note = explore_tables.said(f"Only tried: account.yml of {account.account} and its packets stay as they are.")
        self.outcome.value = note + explore_tables.what_if(
            explore.totals(before, after), explore.differences(before, after)
        )

    def _record(self) -> None:
        books = self.day.books
        try:
            if self.finding.value is None:
                raise UsageError("no finding is chosen", hoped="one from the list above")
            amount = explore.amount_of(self.amount.value)
            register = open_register(books.folder, books.account.time_zone)
            event = register.record(
                self.kind.value, who=self.who.value, note=self.note.value, finding_id=self.finding.value,
                case_id=self.case.value.strip() or None, amount=amount, at=self.decided_on.value,
                currency=None if amount is None else self._currency(),
            )  # fmt: skip
        except ReconError as problem:
            self.recorded.value = explore_tables.said(str(problem))
            return
        self.note.value = self.case.value = self.amount.value = ""
        self.load()
        zone = ZoneInfo(books.account.time_zone)
        day = datetime.fromisoformat(event.at).astimezone(zone).date()
        later = "" if day <= books.as_of else f" It counts from {day}, after the day shown."
        self.recorded.value = explore_tables.said(f"Recorded: {event.told(zone)}.{later}")

    def _currency(self) -> str:
        row = self.day.findings.row(by_predicate=pl.col("finding_id") == self.finding.value, named=True)
        return str(row["currency"] or self.day.books.account.currency)


def explorer(folder: Path | str, as_of: date | str, *, store: Path | None = None) -> w.Widget:
    """The explorer of an account at the end of a day, ready to be shown as the last value of a cell."""
    return Explorer(folder, as_of, store=store).view


def _named(row: dict[str, Any]) -> str:
    about = row["order_id"] or row["sku"] or row["reference_id"] or ""
    parts = (
        str(row["event_on"] or ""),
        title_of(row["audit"]),
        about,
        money(row["owed"], row["currency"]),
        row["status"],
    )
    return " · ".join(part for part in parts if part)
