"""What `recon check` prints: plain text for 100 columns."""

from __future__ import annotations

import textwrap

from recon_lib.check import CheckResult, Row
from recon_lib.money import money_text

WIDTH = 100


def render(result: CheckResult) -> str:
    """The result as plain text of at most 100 columns; control characters of the files never reach the terminal."""
    out: list[str] = []
    for row in result.rows:
        out += _wrapped(row.file, "", "    ")
        out += _wrapped(_told(row), "    ", "        ")
        for text in (*row.out_of_balance, *(f"note: {note}" for note in row.notes)):
            out += _wrapped(text, "    ", "        ")
    for row in result.rows:
        if row.rejects:
            out += ["", *_wrapped(f"Rejected rows of {row.file}", "", "    ")]
            for line, column, value, reason in row.rejects:
                where = f"line {line}" + (f", {column}" if column else "") + (f", {value[:80]!r}" if value else "")
                out += _wrapped(f"{where}: {reason}", "    ", "        ")
            more = row.rows_rejected - len(row.rejects)
            if more > 0:
                out.append(f"    and {more} more")
    for refusal in result.refusals:
        where = refusal.file + (f", line {refusal.line}" if refusal.line is not None else "")
        out += ["", *_wrapped(f"Refused: {where}", "", "    "), *_wrapped(f"met: {refusal.met}", "    ", "        ")]
        for word, text in (("hoped for", refusal.hoped), ("what to do", refusal.do)):
            if text:
                out += _wrapped(f"{word}: {text}", "    ", "        ")
    return "\n".join([*out, "", *_wrapped(_summary(result), "", "    ")])


def _told(row: Row) -> str:
    if not row.is_report:
        return row.what
    parts = [row.what]
    if row.period_from:
        parts.append(f"{row.period_from} to {row.period_to}")
    parts.append(f"{row.rows_used} rows used, {row.rows_rejected} rejected")
    parts += [f"{money_text(amount, currency)} {currency}" for currency, amount in row.totals]
    return " · ".join([*parts, row.encoding])


def _summary(result: CheckResult) -> str:
    reports = [row for row in result.rows if row.is_report]
    rejected = sum(row.rows_rejected for row in reports)
    used = sum(row.rows_used for row in reports)
    balances = sum(len(row.out_of_balance) for row in reports)
    others = sum(1 for row in result.rows if row.what.startswith("not a report"))
    text = f"{len(reports)} reports with {used} rows used and {rejected} rejected, {others} not a report"
    text += f", {len(result.refusals)} refused"
    return text + (f", {balances} settlements that do not add up" if balances else "")


def _wrapped(text: str, first: str, following: str) -> list[str]:
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    lines = textwrap.wrap(clean, WIDTH, initial_indent=first, subsequent_indent=following, break_on_hyphens=False)
    return lines or [first.rstrip()]
