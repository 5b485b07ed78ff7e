"""One decision of a person: what it may be, what it may follow, its hash, and its line in a CSV file.

From `opened` until `closed` (or `accepted`) a finding has its case: what Amazon says on the way never makes it claimable
again by itself, because a second claim for one event is refused and counts against the seller.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation

from recon_lib.cents import minor_digits, round_money
from recon_lib.errors import UsageError

KINDS = {
    "opened": "a person filed a case with Amazon", "answered": "Amazon answered", "paid": "Amazon paid",
    "refused": "Amazon refused", "appealed": "a person appealed", "closed": "the case, or an acceptance, is over",
    "accepted": "a person accepted the difference", "reviewed": "a person signed a packet off",
}  # fmt: skip
FIELDS = ("seq", "at", "recorded_at", "kind", "who", "note", "finding_id", "case_id", "amount", "currency", "packet", "prev",
          "hash")  # fmt: skip
START = "0" * 64  # the hash before the first event
RUNNING = ("opened", "answered", "paid", "refused", "appealed")
_GUARDED = re.compile(
    r"^[=+\-@\t\r']"
)  # a spreadsheet would run it; and the guard itself, so that it can be taken off again


@dataclass(frozen=True)
class Event:
    """One decision as recorded. `at` and `recorded_at` are UTC, `amount` is exact text, `seq` counts from 1."""

    seq: int
    at: str
    recorded_at: str
    kind: str
    who: str
    note: str
    finding_id: str | None
    case_id: str | None
    amount: str | None
    currency: str | None
    packet: str | None
    prev: str
    hash: str

    def digest(self) -> str:
        """The hash that this event must have."""
        told = [getattr(self, name) for name in FIELDS[:-1]]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()

    def told(self, zone: tzinfo | None = None) -> str:
        """The event in words, with its day in `zone` (else in UTC)."""
        day = datetime.fromisoformat(self.at).astimezone(zone).date() if zone else self.at[:10]
        about = self.finding_id or self.packet or ""
        case = f", case {self.case_id}" if self.case_id else ""
        return f"event {self.seq} ({self.kind} {about}{case} by {self.who}, {day})"


def must_be_whole(event: Event) -> None:
    """UsageError, in words, where the event lacks what its kind needs."""
    if event.kind not in KINDS:
        raise UsageError(f"{event.kind!r} is no decision", hoped=", ".join(KINDS))
    if event.kind == "reviewed":
        if event.packet is None or event.finding_id is not None:
            raise UsageError("a review needs a packet, and no finding")
    elif event.finding_id is None or event.packet is not None:
        raise UsageError(f"{event.kind} needs a finding id, and no packet")
    if event.kind == "paid" and event.amount is None:
        raise UsageError("a payment without an amount", hoped="--amount 12.34")
    if event.amount is not None and not re.fullmatch("[A-Z]{3}", event.currency or ""):
        raise UsageError("an amount without a currency", hoped="a code like USD")
    if event.amount is not None and round_money(Decimal(event.amount), event.currency) != Decimal(event.amount):
        digits = minor_digits(event.currency)
        raise UsageError(
            f"{event.amount} {event.currency} is no amount",
            hoped=f"at most {digits} digits after the point" if digits else "no digits after the point",
        )


def may_follow(event: Event, before: Sequence[Event]) -> None:
    """UsageError, in words, where `event` cannot follow the decisions `before` on the same finding, the last one last."""
    last = before[-1] if before else None
    if last is not None and event.at < last.at:
        raise UsageError(
            f"{event.at[:16]} lies before the last word on this finding: {last.told()}", hoped="a later --at"
        )
    runs = last is not None and last.kind in RUNNING
    if event.kind == "opened" and last is not None and runs:
        case = next((e.case_id for e in reversed(before) if e.case_id), None)
        raise UsageError(
            f"{event.finding_id} has a case already ({case or 'without number'}): {last.told()}. One event is claimed once",
            do="record appeal, answer or close for it instead",
        )
    if event.kind in ("opened", "accepted") and last is not None and last.kind == "accepted":
        raise UsageError(f"{event.finding_id} was accepted: {last.told()}", do="record close first, with the reason")
    if event.kind in ("answered", "paid", "refused", "appealed") and not runs:
        met = f"the last word is {last.told()}" if last else "nothing is recorded about it"
        raise UsageError(f"{event.finding_id} has no open case: {met}", do="record open first")
    if event.kind == "closed" and not (runs or (last is not None and last.kind == "accepted")):
        raise UsageError(f"{event.finding_id} has nothing to close", hoped="an open case or an accepted difference")


def chain_problems(found: Sequence[Event]) -> list[str]:
    """Which events were changed, taken out or put in, in words. `found` in the order of `seq`."""
    problems, before, expected = [], START, 1
    for event in found:
        if event.seq > expected:
            missing = (
                f"event {expected} is" if event.seq == expected + 1 else f"events {expected} to {event.seq - 1} are"
            )
            problems.append(f"{missing} missing")
        elif event.prev != before:
            problems.append(f"{event.told()} does not continue event {event.seq - 1}: that one was changed or replaced")
        if event.digest() != event.hash:
            problems.append(f"{event.told()} was changed after it was recorded")
        before, expected = event.hash, event.seq + 1
    return problems


def whole_part(found: Iterable[Event]) -> list[Event]:
    """The events, in the order of `seq`, up to the first one that `chain_problems` would name. Each is looked at once."""
    kept: list[Event] = []
    before = START
    for event in found:
        if event.seq != len(kept) + 1 or event.prev != before or event.digest() != event.hash:
            break
        kept.append(event)
        before = event.hash
    return kept


def to_csv(found: Sequence[Event]) -> str:
    """Events as CSV. Text that a spreadsheet would run as a formula gets a leading apostrophe, which `from_csv` takes off."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    for event in found:
        cells = ["" if (value := getattr(event, name)) is None else str(value) for name in FIELDS]
        writer.writerow([f"'{cell}" if _GUARDED.match(cell) else cell for cell in cells])
    return out.getvalue()


def from_csv(text: str, name: str) -> list[Event]:
    """The events of an exported file `name`, in the order of `seq`; UsageError where it is none."""
    try:
        rows = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as problem:
        raise UsageError(f"is no exported register: {problem}", hoped="a file as exported", file=name) from None
    if not rows or tuple(rows[0]) != FIELDS:
        raise UsageError("is no exported register", hoped=f"the columns {','.join(FIELDS)}", file=name)
    events = []
    for line, row in enumerate(rows[1:], start=2):
        cells = [cell[1:] if cell.startswith("'") else cell for cell in row]
        if len(cells) != len(FIELDS) or not re.fullmatch("[0-9]{1,15}", cells[0]):
            raise UsageError("is no event of a register", hoped=f"{len(FIELDS)} cells", file=name, line=line)
        texts = dict(zip(FIELDS[1:], cells[1:], strict=True))
        optional = {key: texts[key] or None for key in ("finding_id", "case_id", "amount", "currency", "packet")}
        events.append(Event(seq=int(cells[0]), **{**texts, **optional}))  # type: ignore[arg-type]
    return sorted(events, key=lambda event: event.seq)


def stamp(moment: datetime) -> str:
    """A moment as UTC text; texts of this form sort by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def one_line(what: str, value: str, longest: int) -> str:
    """`value` with blanks and line ends as single blanks; UsageError where nothing is left or it is too long."""
    told = " ".join(value.split())
    if not told or len(told) > longest or not told.isprintable():
        raise UsageError(f"{what} {value[:40]!r} cannot be recorded", hoped=f"1 to {longest} printable letters")
    return told


def exact_amount(value: str | Decimal | None) -> str | None:
    """A positive amount as text with two digits or more; UsageError for anything else."""
    if value is None:
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise UsageError(f"{value!r} is no amount", hoped="digits and a point, like 12.34") from None
    if not amount.is_finite() or amount <= 0 or amount >= Decimal(10) ** 15 or amount != round(amount, 4):
        raise UsageError(f"{value} is no amount", hoped="more than 0, at most 4 digits after the point")
    return format(amount, "f")
