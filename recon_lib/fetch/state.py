"""What was asked for and what arrived: `<account>/.fetch/state.json`, replaced whole after every step. No secrets in it.

A report that was asked for is written down before it is asked for, so a crash at any moment is continued, not repeated.
Lost or damaged, it is built anew: the names of the files in reports/fetched/ hold the report ids.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from recon_lib import disk
from recon_lib.errors import UsageError
from recon_lib.fetch.spans import Span, common, joined, without

FOLDER, NAME, VERSION = ".fetch", "state.json", 1
KEPT = timedelta(days=400)  # files remembered by id; Amazon lists a report for 90 days


@dataclass
class Open:
    """A report that is on its way. `id` empty: it was being asked for when this was written."""

    family: str
    report: str
    first: str
    last: str
    at: str
    id: str = ""
    document: str = ""

    @property
    def span(self) -> Span:
        return date.fromisoformat(self.first), date.fromisoformat(self.last)

    def age(self, now: datetime) -> timedelta:
        return now - datetime.fromisoformat(self.at)


@dataclass
class Known:
    """What is known of one family. `doubt`: days for which "no data" was said once, and when."""

    covered: list[Span] = field(default_factory=list)
    empty: list[Span] = field(default_factory=list)
    doubt: list[tuple[date, date, datetime]] = field(default_factory=list)
    last: date | None = None

    def arrived(self, span: Span) -> None:
        self.covered = joined([*self.covered, span])
        self.doubt = [(*rest, at) for first, last, at in self.doubt for rest in without([(first, last)], [span])]

    def said_empty(self, span: Span, now: datetime, again: int) -> bool:
        """Notes "no data"; True where that is now believed for some days: it was said before, long enough ago."""
        old = [(first, last) for first, last, at in self.doubt if now - at >= timedelta(hours=again)]
        believed = common([span], old)
        for part in believed:
            self.arrived(part)
        self.empty = joined([*self.empty, *believed])
        fresh = without([span], [*self.covered, *((first, last) for first, last, _ in self.doubt)])
        self.doubt += [(first, last, now) for first, last in fresh]
        return bool(believed)

    def resting(self, now: datetime, again: int) -> list[Span]:
        """Days that are not asked for now: "no data" was said a short while ago."""
        return [(first, last) for first, last, at in self.doubt if now - at < timedelta(hours=again)]


class State:
    """The state of one account; `save` after every change."""

    def __init__(self, folder: Path, account: str, marketplace: str) -> None:
        self.folder, self.path = folder / FOLDER, folder / FOLDER / NAME
        self.account, self.marketplace = account, marketplace
        self.families: dict[str, Known] = {}
        self.open: list[Open] = []
        self.files: list[dict[str, Any]] = []
        self.note = ""

    @classmethod
    def load(cls, folder: Path, account: str, marketplace: str) -> State:
        """The state as it was left; a damaged file is set aside and `note` says so. UsageError: it is another account's."""
        state = cls(folder, account, marketplace)
        try:
            told = json.loads(state.path.read_bytes())
            whose = (told["account"], told["marketplace"])
            if told["version"] != VERSION:
                raise ValueError(f"version {told['version']}")
            if whose == (account, marketplace):
                state._take(told)
                return state
        except FileNotFoundError:
            return state
        except (ValueError, KeyError, TypeError, AttributeError):
            aside = state.path.with_name(f"{NAME}.damaged")
            os.replace(state.path, aside)
            state.note = f"{FOLDER}/{NAME} was damaged; it lies in {aside.name} now and is built anew from the files"
            return cls._fresh(state)
        raise UsageError(
            f"{FOLDER}/{NAME} belongs to the account {whose[0]} in {whose[1]}, account.yml says {account} in {marketplace}",
            hoped="one folder for one account",
            do=f"restore account.yml, or delete {FOLDER}/ if this folder really is another account now",
        )

    @staticmethod
    def _fresh(state: State) -> State:
        fresh = State(state.folder.parent, state.account, state.marketplace)
        fresh.note = state.note
        return fresh

    def _take(self, told: dict[str, Any]) -> None:
        for name, known in told["families"].items():
            self.families[name] = Known(
                _spans(known["covered"]),
                _spans(known["empty"]),
                [(date.fromisoformat(f), date.fromisoformat(t), datetime.fromisoformat(at)) for f, t, at in known["doubt"]],
                date.fromisoformat(known["last"]) if known["last"] else None,
            )  # fmt: skip
        self.open = [Open(**item) for item in told["open"]]
        self.files = [dict(file) for file in told["files"]]

    def of(self, family: str) -> Known:
        return self.families.setdefault(family, Known())

    def drop(self, item: Open) -> None:
        self.open = [other for other in self.open if other is not item]

    def ids(self) -> set[str]:
        """The reports that arrived or are on their way."""
        return {str(file["id"]) for file in self.files} | {item.id for item in self.open if item.id}

    def save(self, now: datetime) -> None:
        """Writes the whole state in one replacement: after a power cut the old or the new one is there."""
        self.files = [file for file in self.files if now - datetime.fromisoformat(file["at"]) < KEPT]
        told = {
            "version": VERSION, "account": self.account, "marketplace": self.marketplace,
            "families": {name: _told(known) for name, known in sorted(self.families.items())},
            "open": [asdict(item) for item in self.open], "files": self.files,
        }  # fmt: skip
        self.folder.mkdir(exist_ok=True)
        disk.replace(self.path, json.dumps(told, indent=1).encode(), by=self.path.with_name(f"part-{NAME}"))


def _spans(told: list[list[str]]) -> list[Span]:
    return [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in told]


def _told(known: Known) -> dict[str, Any]:
    return {
        "covered": [[str(first), str(last)] for first, last in known.covered],
        "empty": [[str(first), str(last)] for first, last in known.empty],
        "doubt": [[str(first), str(last), at.isoformat()] for first, last, at in known.doubt],
        "last": str(known.last) if known.last else "",
    }
