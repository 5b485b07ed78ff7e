"""`recon case ...`: recording and showing what people decided. Heavy imports wait inside each command."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recon_lib.arguments import near, packets, place
from recon_lib.errors import UsageError

if TYPE_CHECKING:
    from recon_lib.account import Account
    from recon_lib.register import Register

# command -> kind of event, help
DECISIONS = {
    "open": ("opened", "a person filed a case with Amazon: from now on the finding is claimed"),
    "answer": ("answered", "Amazon answered"),
    "paid": ("paid", "Amazon paid (the reimbursement report says so by itself)"),
    "refuse": ("refused", "Amazon refused"),
    "appeal": ("appealed", "a person appealed"),
    "close": ("closed", "the case, or an acceptance, is over: the finding speaks for itself again"),
    "accept": ("accepted", "a person accepts the difference"),
}


def add_commands(commands: Any) -> None:
    """Adds `case` and its own commands to the parser of `recon`."""
    case = commands.add_parser("case", help="record and show decisions: cases, accepted differences, sign-off")
    words = case.add_subparsers(dest="decision", required=True, metavar="DECISION")
    for name, (_, told) in DECISIONS.items():
        one = _command(words, name, told, _decide)
        one.add_argument("finding_id", metavar="FINDING_ID", help="as in findings.csv")
        _who(one, "why, in one sentence", required=True)
        one.add_argument("--case", help="Amazon's case number; it ties the case to its reimbursement")
        one.add_argument("--amount", help="like 12.34")
        one.add_argument("--currency", help="of the amount (default: the account's)")
        one.add_argument("--out", type=packets, default=Path("packets"), help="where packets lie (default: packets)")
    review = _command(words, "review", "sign a packet off", _review)
    review.add_argument("day", metavar="DATE", help="the day (2026-01-31) or month (2026-01) of the packet")
    review.add_argument("--out", type=packets, default=Path("packets"), help="where packets lie (default: packets)")
    _who(review, "what was looked at", required=False)
    listed = _command(words, "list", "where every decided finding stands", _list)
    listed.add_argument("--date", help="as at the end of that day (default: today)")
    verify = _command(words, "verify", "find out whether a recorded decision was changed", _verify)
    verify.add_argument("--out", type=packets, default=Path("packets"), help="packets whose manifests are compared")
    restored = _command(words, "restore", "make a damaged register anew from its copy", _restore)
    restored.add_argument("--out", type=packets, default=Path("packets"), help="packets whose manifests are compared")
    for name, told, run in (
        ("export", "write all decisions as CSV", _export),
        ("import", "take over exported decisions", _import),
    ):
        _command(words, name, told, run).add_argument("file", type=near, metavar="FILE")


def _command(words: Any, name: str, told: str, run: Any) -> Any:
    one = words.add_parser(name, help=told, description=f"{told[0].upper()}{told[1:]}.")
    one.add_argument("account_folder", type=place, metavar="ACCOUNT_FOLDER")
    one.set_defaults(run=run)
    return one


def _who(one: Any, note: str, *, required: bool) -> None:
    one.add_argument("--who", required=True, help="who decided")
    one.add_argument("--note", required=required, default="signed off", help=note)
    one.add_argument("--at", help="when, a day or a time (default: now); a past packet then becomes a new revision")


def _open(arguments: argparse.Namespace) -> tuple[Account, Register]:
    from recon_lib.account import load_account
    from recon_lib.register import open_register

    account = load_account(arguments.account_folder)
    return account, open_register(arguments.account_folder, account.time_zone)


def _decide(arguments: argparse.Namespace) -> int:
    account, register = _open(arguments)
    kind, _ = DECISIONS[arguments.decision]
    finding = arguments.finding_id.strip()
    _known(finding, arguments.out / account.account, new=kind in ("opened", "accepted"))
    currency = (arguments.currency or account.currency) if arguments.amount is not None else None
    event = register.record(kind, who=arguments.who, note=arguments.note, finding_id=finding, case_id=arguments.case,
                            amount=arguments.amount, currency=currency, at=arguments.at)  # fmt: skip
    print(f"{register.path}: {event.told(register.zone)}")
    return 0


def _known(finding: str, home: Path, *, new: bool) -> None:
    """UsageError where the id cannot be one, or (for a `new` decision, which cannot be taken out again) no packet has it."""
    from recon_lib.titles import AUDIT_TITLES

    match = re.fullmatch(r"([a-z_]+)-[0-9a-f]{16}", finding)
    if match is None or match[1] not in AUDIT_TITLES:
        raise UsageError(
            f"{finding!r} is no finding", hoped="a finding_id as in findings.csv, like warehouse_lost-0123456789abcdef"
        )
    packets = [path for path in sorted(home.glob("*/findings.csv")) if not path.parent.name.startswith(".")]
    if new and packets and not any(f"\n{finding}," in path.read_text(encoding="utf-8") for path in packets):
        raise UsageError(
            f"no packet in {home} has the finding {finding}",
            hoped="an id as in findings.csv",
            do="make the packet first",
        )


def _review(arguments: argparse.Namespace) -> int:
    from recon_lib import manifest, publish

    account, register = _open(arguments)
    if not re.fullmatch(r"\d{4}-\d\d(-\d\d)?", arguments.day):
        raise UsageError(f"{arguments.day!r} is no day or month", hoped="2026-01-31 or 2026-01")
    found = publish.revisions(arguments.out / account.account, arguments.day)
    if not found:
        raise UsageError(
            f"no packet of {arguments.day} lies in {arguments.out / account.account}", do="make it first, or give --out"
        )
    packet = f"{found[-1].name} sha256:{manifest.sha256(found[-1] / manifest.NAME)}"
    event = register.record("reviewed", who=arguments.who, note=arguments.note, packet=packet, at=arguments.at)
    print(f"{register.path}: {event.told(register.zone)}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from recon_lib.books import open_account
    from recon_lib.register import decided

    account, register = _open(arguments)
    try:
        day = date.fromisoformat(arguments.date) if arguments.date else datetime.now(ZoneInfo(account.time_zone)).date()
    except ValueError:
        raise UsageError(f"{arguments.date!r} is no day", hoped="a date like 2026-01-31") from None
    if not register.events() and not register.verify():
        print(f"{register.path}: nothing was decided yet")
        return 0
    rows = decided(open_account(arguments.account_folder, day)).standing
    for row in rows.iter_rows(named=True):
        print(f"{row['finding_id']}: {row['decision'] or 'closed'}: {row['note']}")
    claimed = rows.filter(decision="claimed")
    print(
        f"{claimed.height} claimed, {rows.filter(decision='accepted').height} accepted, {claimed['is_due'].sum()} to ask again"
    )
    return int(claimed.height > 0)


def _anchors(home: Path) -> list[tuple[str, int, str]]:
    """What the manifests of published packets noted of the register."""
    from recon_lib import manifest

    anchors = []
    for path in sorted(home.glob(f"*/{manifest.NAME}")):
        for row in manifest.read(path.parent).get("inputs", []):
            if row.get("family") == "register":
                anchors.append((f"packet {path.parent.name}", int(row["last_event"]), str(row["last_hash"])))
    return anchors


def _restore(arguments: argparse.Namespace) -> int:
    from recon_lib.restoring import restore

    account, register = _open(arguments)
    done = restore(register, _anchors(arguments.out / account.account))
    print(f"{register.path}: {done.decisions} decisions made anew; the damaged file is kept as {done.damaged.name}")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from recon_lib.register_base import RESTORE

    account, register = _open(arguments)
    anchors = _anchors(arguments.out / account.account)
    if problems := register.verify(anchors):
        raise UsageError("; ".join(problems), hoped="an untouched register", do=RESTORE, file=str(register.path))
    print(f"{register.path}: {len(register.events())} decisions, all as recorded; {len(anchors)} manifests agree")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    _, register = _open(arguments)
    try:
        written = register.export_csv(arguments.file)
    except OSError as problem:
        raise UsageError(f"cannot be written: {problem.strerror}", file=str(arguments.file)) from None
    print(f"{arguments.file}: {written} decisions")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    _, register = _open(arguments)
    print(f"{register.path}: {register.import_csv(arguments.file)} decisions taken over")
    return 0
