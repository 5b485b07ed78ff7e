"""What both APIs give: a report as Amazon knows it, in the same words for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

Status = Literal["working", "done", "cancelled", "fatal"]
WORDS: dict[str, Status] = {
    "IN_QUEUE": "working", "IN_PROGRESS": "working", "DONE": "done", "COMPLETED": "done",
    "CANCELLED": "cancelled", "FATAL": "fatal", "FAILED": "fatal",
}  # fmt: skip


@dataclass(frozen=True)
class Report:
    """One report. `document` only where there is something to load; `first`, `last` null where Amazon does not say."""

    id: str
    status: Status
    first: datetime | None
    last: datetime | None
    document: str


class Api(Protocol):
    """Asking for reports and listing them."""

    def listed(self, report: str, since: datetime) -> list[Report]: ...

    def ask(self, report: str, begin: datetime, end: datetime, options: Mapping[str, str], mark: str) -> str: ...

    def look(self, report_id: str) -> Report: ...

    def document(self, document_id: str) -> tuple[str, bool]: ...


def report(told: Mapping[str, Any], first: str, last: str) -> Report:
    """The report in an answer; ValueError where it is none. `first`, `last`: what the period's fields are called."""
    status = WORDS.get(str(told.get("processingStatus")))
    if status is None or not told.get("reportId"):
        raise ValueError("no report")
    document = str(told.get("reportDocumentId") or "")
    return Report(str(told["reportId"]), status, moment(told.get(first)), moment(told.get(last)), document)


def moment(text: object) -> datetime | None:
    """An instant as Amazon writes it (`2026-01-31T00:00:00Z`, `20260131T000000Z`); None where it is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
