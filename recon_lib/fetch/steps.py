"""The steps of one account's run: list, ask, wait, collect.

Each step is written down before and after it is done (`state.py`), so that a run which ends anywhere is continued: a report
being asked for is looked for at Amazon before it is asked for again, one that is on its way is collected, one whose file
lies there is not loaded again.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from recon_lib.errors import ReconError
from recon_lib.fetch import collect, plan
from recon_lib.fetch.guarded import Guarded, Result
from recon_lib.fetch.problems import OutOfTime, Refused, Unanswered
from recon_lib.fetch.ready import Report
from recon_lib.fetch.state import Open
from recon_lib.fetch.table import Row

STUCK = timedelta(hours=48)
PAUSES = (5.0, 10.0, 20.0, 30.0, 60.0)  # between two looks at reports that Amazon is working on
LISTS = timedelta(days=90) - timedelta(minutes=10)  # Amazon lists no older reports; clocks differ a little


class Steps(Guarded):
    """One run for one account, under its lock."""

    def all(self, first: date | None, last: date | None, *, named: bool) -> Result:
        """The whole run. UsageError: no credentials for anything that is wanted."""
        self.open_apis(named)
        for row in self.rows.values():
            self.guarded(row, self._adopt, row)
            step = {"listed": self._list, "pages": self._pages}.get(row.how, self._ask)
            self.guarded(row, step, row, first, last)
            self._look_at_all()  # asking and loading have limits of their own: the one goes on while the other waits
        self._collect()
        self.result.waiting = sum(item.family in self.rows for item in self.state.open)
        return self.result

    def _adopt(self, row: Row) -> None:
        """Reports that were being asked for when a run ended: found at Amazon, or asked for again by the plan."""
        for item in [item for item in self.state.open if item.family == row.family and not item.id]:
            item.id = self._twin(row, item)
            if not item.id:
                self.state.drop(item)
            self.state.save(self.now)

    def _twin(self, row: Row, item: Open) -> str:
        """The id of a report at Amazon for the very same period, made since this one was asked for; else empty."""
        begin, end = plan.instants(item.span, self.account.time_zone)
        known = self.state.ids() | {name for family, name in self.lying if family == row.family}
        since = datetime.fromisoformat(item.at) - timedelta(minutes=10)
        for found in self.apis[row.api].listed(row.report, max(since, self.now - LISTS)):
            if (
                (found.first, found.last) == (begin, end)
                and found.status in ("working", "done")
                and found.id not in known
            ):
                return collect.check_id(found.id)
        return ""

    def _ask(self, row: Row, first: date | None, last: date | None) -> None:
        taken = [item.span for item in self.state.open if item.family == row.family]
        known = self.state.of(row.family)
        for span in plan.due(row, known, self.now, self.account.time_zone, first=first, last=last, open_=taken):
            item = Open(row.family, row.report, str(span[0]), str(span[1]), self.now.isoformat())
            self.state.open.append(item)
            self.state.save(self.now)
            try:
                item.id = self._asked(row, item)
            except Unanswered:
                raise  # Amazon may have heard it: the next run looks for it first
            except ReconError:
                self.state.drop(item)
                self.state.save(self.now)
                raise
            self.state.save(self.now)
            self.result.asked += 1

    def _asked(self, row: Row, item: Open) -> str:
        begin, end = plan.instants(item.span, self.account.time_zone)
        for tried in (1, 2, 3):
            try:
                return collect.check_id(self.apis[row.api].ask(row.report, begin, end, row.options, item.at))
            except Unanswered:
                if tried == 3:
                    raise
                self.wire.wait(10.0 * tried)
                if twin := self._twin(row, item):
                    return twin
        raise AssertionError("the third try raises")

    def _list(self, row: Row, first: date | None, last: date | None) -> None:
        """Reports that Amazon made by itself and that did not arrive yet."""
        zone = ZoneInfo(self.account.time_zone)
        for span in plan.due(row, self.state.of(row.family), self.now, zone.key, first=first, last=last):
            begin, _ = plan.instants(span, zone.key)
            seen = self.state.ids()
            for found in self.apis[row.api].listed(row.report, max(begin, self.now - LISTS)):
                if found.status == "done" and found.id not in seen:
                    start, end = (str(at.astimezone(zone).date()) if at else "" for at in (found.first, found.last))
                    name = collect.check_id(found.id)
                    if not (last and start > str(last)):
                        item = Open(row.family, row.report, start, end, self.now.isoformat(), name, found.document)
                        self.state.open.append(item)
            self.state.save(self.now)

    def _pages(self, row: Row, first: date | None, last: date | None) -> None:
        known = self.state.of(row.family)
        for span in plan.due(row, known, self.now, self.account.time_zone, first=first, last=last):
            item = Open(row.family, row.report, str(span[0]), str(span[1]), self.now.isoformat(), "pages")
            lies = self.folder / collect.PLACE / row.family / collect.file_name(item, row, zipped=False)
            path = lies if lies.exists() else None
            if path is None:
                pages = self.apis[row.api].pages(span, *plan.instants(span, self.account.time_zone))
                path = collect.pack(pages, item, row, self.folder)
            self._settle(row, item, path)

    def _collect(self) -> None:
        """Looks at everything that is on its way until nothing is, or the time is over."""
        for turn in range(10_000):
            self._look_at_all()
            left = [item for item in self.state.open if item.id and item.family in self.rows]
            left = [item for item in left if item.family not in self.failed and self.rows[item.family].api in self.apis]
            if not left or self.stopped:
                return
            try:
                self.wire.wait(PAUSES[min(turn, len(PAUSES) - 1)])
            except OutOfTime:
                self.result.notes.append("Amazon has not finished all reports; the next run collects them")
                return

    def _look_at_all(self) -> None:
        for item in [item for item in self.state.open if item.id and item.family in self.rows]:
            row = self.rows[item.family]
            self.guarded(row, self._look, row, item)

    def _look(self, row: Row, item: Open) -> None:
        if path := self.lying.get((row.family, item.id)):
            self._settle(row, item, path)
            return
        api = self.apis[row.api]
        try:
            found: Report = (
                api.look(item.id) if not item.document else Report(item.id, "done", None, None, item.document)
            )
        except Refused as problem:
            self._give_up(row, item, problem)
            return
        item.document = found.document
        if found.status == "done":
            if not item.document:
                raise Unanswered(
                    f"Amazon says that report {item.id} is done, but names no document", do="run again later"
                )
            self._settle(row, item, collect.load(api, self.wire, item, row, self.folder))
        elif found.status == "cancelled":
            self._settle(row, item, None)
        elif found.status == "fatal":
            why = self.secrets.hide(collect.why_fatal(api, self.wire, item, self.folder)) if item.document else ""
            text = f"Amazon could not make report {item.id} for {item.first} to {item.last} (FATAL)"
            self._give_up(
                row, item, Refused(f"{text}{': ' + why if why else ''}", do="nothing, the next run asks again")
            )
        elif item.age(self.now) > STUCK:
            text = f"Amazon has been working on report {item.id} for more than two days"
            self._give_up(row, item, Refused(text, do="nothing, the next run asks again"))

    def _give_up(self, row: Row, item: Open, problem: ReconError) -> None:
        """The report will not come; its days are open again and the next run asks for them."""
        self.state.drop(item)
        self.state.save(self.now)
        self.problem(row.family, problem)

    def _settle(self, row: Row, item: Open, path: Path | None) -> None:
        """Notes what became of a report: a file, or no data."""
        known = self.state.of(row.family)
        if path is not None:
            collect.remember(self.state, item, path, self.folder, self.now)
            if row.how == "snapshot":
                known.last = self.now.astimezone(ZoneInfo(self.account.time_zone)).date()
                collect.set_earlier_aside(self.folder, row, path)
            elif row.how != "listed":
                known.arrived(item.span)
            self.result.files.append(path)
        else:
            self.result.empty += 1
            if row.how == "listed":
                collect.remember_empty(self.state, item, self.now)
            elif row.how == "snapshot":
                known.last = self.now.astimezone(ZoneInfo(self.account.time_zone)).date()
            else:
                known.said_empty(item.span, self.now, row.again)
        self.state.drop(item)
        self.state.save(self.now)
        if path is not None:
            self.told(path)
