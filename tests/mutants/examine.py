"""What must hold for any folder: no traceback, a known exit code, and no row, file, reject or decision lost.

Rows are counted here by their own rules, from the bytes: a line of a report is either a row that was used, a row that was
rejected, the further lines of a quoted row, blank, or stands above or in the header.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import traceback
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import polars as pl

from recon_lib import manifest
from recon_lib import settings as account_settings
from recon_lib.account import load_account
from recon_lib.books import Books, account_files, open_account, read_path
from recon_lib.check import CheckResult, check
from recon_lib.check_text import render
from recon_lib.errors import ReconError, ReportError
from recon_lib.policy import Policy, load_policy
from recon_lib.reconcile import Day, reconcile
from recon_lib.register import NAME as REGISTER
from recon_lib.register import open_register
from recon_lib.reports.base import Reading

DAY = "2026-01-31"
ENTRIES = {  # what one row is in the formats that have no lines
    "ofx": re.compile(rb"<STMTTRN>", re.I), "mt940": re.compile(rb"(?m)^(?:\{.*)?:61:"), "camt": re.compile(rb"<(?:\w+:)?Ntry[ >]"),
}  # fmt: skip
HEADER_WITHIN = 60  # lines in which a header is looked for


@dataclass
class Told:
    """What became of one folder. `end`: packet (0, 1), refused (2), failed (3) or defect; `problems`: what must not be."""

    end: str = ""
    exit_code: int = 3
    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    refused: int = 0


@dataclass(frozen=True)
class Seed:
    """The folder before: file -> (rows total, used, rejected, totals), and the lines that hold data by file."""

    files: dict[str, tuple[int, int, int, str]]
    events: int


def examine(folder: Path, store: Path, seed: Seed, touched: set[str], params: Path | None, settings: bool) -> Told:
    """Everything that a person would do with the folder, and what must hold of it. Raises nothing."""
    told = Told()
    try:
        with _defaults(params):
            _examine(folder, store, seed, touched, params, settings, told)
    except Exception:
        told.end, told.exit_code = "defect", 3
        told.problems.append("a traceback:\n" + traceback.format_exc(limit=-8))
    return told


def _defaults(params: Path | None) -> AbstractContextManager[object]:
    """With the defaults of another params/account.yml."""
    return mock.patch.object(account_settings, "project_root", return_value=params) if params else nullcontext()


def _examine(
    folder: Path, store: Path, seed: Seed, touched: set[str], params: Path | None, settings: bool, told: Told
) -> None:
    checked = check([folder], store=store)
    if len(page := render(checked)) < 20 or any(not c.isprintable() for c in page.replace("\n", "")):
        told.problems.append("the page of `recon check` is empty or holds control characters")
    told.problems += _every_file_is_told(folder, checked)
    told.problems += _refusals_are_whole(checked)
    policy: Policy | None = None
    first, removed = True, set[str]()
    for _ in range(6):
        try:
            if params is not None:
                policy = load_policy(params / "params" / "policy")
            books = open_account(folder, DAY, store=store)
            told.problems += conserved(folder, store, books, told)
            told.problems += _same_untouched(books, seed, touched | removed, settings)
            told.problems += _same_as_checked(folder, books, checked) if first else []
            day = reconcile(books, policy)
            told.problems += _decisions(folder, day, seed)
            code = _written(day, folder.parent / "out")
            if first:
                told.end, told.exit_code = "packet", code
            return
        except ReconError as problem:
            told.problems += _in_words(problem)
            if first:
                told.end, told.exit_code, first = "refused", problem.exit_code, False
                if problem.exit_code != 2:
                    told.problems.append(f"exit code {problem.exit_code} for a folder that cannot be used: {problem}")
            if not (gone := _as_told(problem, folder)):
                return  # settings, policy, register: a person has to correct them
            removed |= gone
            told.refused += len(gone)
    told.problems.append("the folder is refused again and again although what was named was taken away")


def _as_told(problem: ReconError, folder: Path) -> set[str]:
    """Takes away the files that a refusal is about; gives them."""
    if not isinstance(problem, ReportError):
        return set()
    about = "\n".join(
        line for line in str(problem).split("\n") if not line.strip().startswith(("What to do", "Hoped for"))
    )
    gone = set()
    for path in sorted([*folder.glob("reports/**/*"), *folder.glob("books/**/*")]):
        name = path.relative_to(folder).as_posix()
        if (path.is_symlink() or not path.is_dir()) and name in about:
            path.unlink()
            gone.add(name)
    return gone


def _in_words(problem: ReconError) -> list[str]:
    text = str(problem)
    wrong = [] if problem.met and len(text) < 40_000 else [f"a message of {len(text)} letters"]
    if "Traceback" in text or 'File "' in text or "polars" in text.lower():
        wrong.append(f"a message that is no words for people: {text[:300]}")
    return wrong


def _every_file_is_told(folder: Path, checked: CheckResult) -> list[str]:
    rows = {row.file for row in checked.rows} | {refusal.file for refusal in checked.refusals}
    bases = {name.split("!")[0] for name in rows} | rows
    wrong = []
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if (path.is_symlink() or not path.is_dir()) and not hidden:
            name = path.as_posix()
            if name not in rows and not any(
                name == base or base == name.split("!")[0] or r.startswith(f"{name}!")
                for base in bases
                for r in (base,)
            ):
                wrong.append(f"{path.relative_to(folder)} is told nowhere in `recon check`")
    return wrong


def _refusals_are_whole(checked: CheckResult) -> list[str]:
    wrong = [
        f"a refusal without words: {refusal}" for refusal in checked.refusals if not (refusal.file and refusal.met)
    ]
    for row in checked.rows:
        if len(row.rejects) != min(row.rows_rejected, 20) or any(
            not reason or line < 1 for line, _, _, reason in row.rejects
        ):
            wrong.append(f"{row.file}: {row.rows_rejected} rejected rows, told are {row.rejects[:3]}")
    if checked.exit_code not in (0, 1, 2):
        wrong.append(f"`recon check` ends with {checked.exit_code}")
    return wrong


def _same_untouched(books: Books, seed: Seed, touched: set[str], settings: bool) -> list[str]:
    if settings:  # another store or currency may rightly read a number or a day in another way
        return []
    now = {row["path"]: _facts(row) for row in books.files.iter_rows(named=True)}
    return [
        f"{name} was not touched; before {facts}, now {now.get(name)}"
        for name, facts in seed.files.items()
        if name.split("!")[0] not in touched and now.get(name) != facts
    ]


def _facts(row: dict[str, object]) -> tuple[int, int, int, str]:
    return row["rows_total"], row["rows_used"], row["rows_rejected"], row["totals"]  # type: ignore[return-value]


def seed_of(books: Books, events: int) -> Seed:
    return Seed({row["path"]: _facts(row) for row in books.files.iter_rows(named=True) if row["family"]}, events)


def _same_as_checked(folder: Path, books: Books, checked: CheckResult) -> list[str]:
    """`recon check` and the packet say the same of every file."""
    said = {
        row.file.removeprefix(f"{folder.as_posix()}/"): (row.rows_used, row.rows_rejected)
        for row in checked.rows
        if row.is_report
    }
    mine = {
        row["path"]: (row["rows_used"], row["rows_rejected"])
        for row in books.files.iter_rows(named=True)
        if row["family"]
    }
    return [
        f"{name}: the check says {said.get(name)}, the packet {facts}"
        for name, facts in mine.items()
        if said.get(name) != facts
    ]


# --- rows


def conserved(folder: Path, store: Path, books: Books, told: Told) -> list[str]:
    """Rows in the file = used + rejected; of the used ones those in the books + repeated + after the day."""
    wrong: list[str] = []
    files = {row["path"]: row for row in books.files.iter_rows(named=True)}
    rejects = Counter(books.rejects["file"].to_list())
    if books.rejects.height and (
        books.rejects.filter(
            pl.any_horizontal(pl.col("file", "line", "reason").is_null()) | (pl.col("line") < 1)
        ).height
    ):
        wrong.append("a reject without file, line or reason")
    wrong += [f"{name}: rejects of a file that is not in the table" for name in rejects if name not in files]
    inside = _in_the_books(books)
    seen: set[str] = set()
    for path in account_files(folder):
        display = path.relative_to(folder).as_posix()
        for name, outcome in read_path(path, display, store, books.account):
            if name not in files:
                wrong.append(f"{name} is missing in the table of files")
            elif isinstance(outcome, Reading):
                row = files[name]
                seen.add(name)
                wrong += [f"{name}: {line}" for line in _of_a_file(row, outcome, inside, rejects)]
                wrong += [f"{name}: {line}" for line in _of_the_bytes(_bytes_of(path, name), outcome)]
                told.counts["rows"] += outcome.rows_total
                told.counts["rejected"] += outcome.rows_rejected
                told.counts["files"] += 1
            elif files[name]["family"] is not None:
                wrong.append(f"{name} is a report in the table, and none when it is read: {outcome}")
    wrong += [
        f"{name} is in the table, and was read from nowhere"
        for name in files
        if files[name]["family"] and name not in seen
    ]
    return wrong


def _of_a_file(
    row: dict[str, object], reading: Reading, inside: dict[str, dict[str, int]], rejects: Counter[str]
) -> list[str]:
    name, wrong = str(row["path"]), []
    total, used, bad, repeated, after = (
        int(str(row[f"rows_{part}"])) for part in ("total", "used", "rejected", "repeated", "after")
    )
    if total != used + bad or bad != rejects[name] or min(total, used, bad, repeated, after) < 0:
        wrong.append(
            f"{total} rows, {used} used, {bad} rejected ({rejects[name]} told), {repeated} repeated, {after} after"
        )
    main = next((f for f in reading.frames if f in ("settlement_lines", "pay_lines")), reading.family)
    kept = inside.get(main, {}).get(name, 0)
    # The summary row of a settlement is a row of the file, and no line of the settlement.
    heads = (
        _lines(reading, "settlements") - _lines(reading, "settlement_lines") if main == "settlement_lines" else set()
    )
    statuses = (
        len(reading.rows("inbound_statuses").collect())
        if main == "inbound_shipments" and "inbound_statuses" in reading.frames
        else 0
    )
    allowed = {kept + repeated + after, kept + repeated + after + len(heads), kept + repeated + after + statuses}
    if main != "inbound_statuses" and used not in allowed:
        wrong.append(
            f"{used} rows used, but {kept} in the books, {repeated} repeated, {after} after the day, {len(heads)} summaries"
        )
    return wrong


def _in_the_books(books: Books) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for family, rows in books.frames.items():
        several = family in ("settlement_lines", "aged_inventory_fees")
        counted = rows.group_by("file").agg((pl.col("line").n_unique() if several else pl.len()).alias("n")).collect()
        found[family] = dict(zip(counted["file"].to_list(), counted["n"].to_list(), strict=True))
    return found


def _lines(reading: Reading, family: str) -> set[int]:
    return set(reading.rows(family).select("line").collect()["line"].to_list()) if family in reading.frames else set()


def _bytes_of(path: Path, name: str) -> bytes:
    """The bytes of a file, or of the member of an archive that `name` speaks of."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            member = name.split("!", 1)[1] if path.as_posix().endswith(name.split("!")[0]) else name.rsplit("!", 1)[1]
            return archive.read(next(info for info in archive.infolist() if _plain(info.filename) == member))
    return data


def _plain(name: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


def _of_the_bytes(data: bytes, reading: Reading) -> list[str]:
    """Every line of the file is accounted for, counted from its bytes alone."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", errors="replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if reading.family == "bank" and reading.layout.lower().split()[0:1] and (kind := _kind(data)):
        entries = len(ENTRIES[kind].findall(data))
        return (
            [] if entries == reading.rows_total else [f"{entries} entries in the file, {reading.rows_total} rows told"]
        )
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _of_json(data, reading)
    used = set().union(*(_lines(reading, family) for family in reading.frames if family != "pay_statements"))
    bad = set(reading.rejects["line"].to_list())
    wrong = [f"lines {sorted(used & bad)[:3]} are both used and rejected"] if used & bad else []
    if len(bad) != reading.rows_rejected or len(used) != reading.rows_used:
        wrong.append(
            f"{reading.rows_used} used on {len(used)} lines, {reading.rows_rejected} rejected on {len(bad)} lines"
        )
    lines = physical(data, anyhow="mapping.yml" in reading.title)
    accounted = used | bad
    if accounted and max(accounted) > len(lines):
        return [*wrong, f"line {max(accounted)} of a file with {len(lines)} lines"]
    begin = _header(lines, min(accounted, default=len(lines) + 1))
    open_quote, since = False, 0
    missing: list[int] = []
    for number, line in enumerate(lines, 1):
        if number <= begin:
            continue
        if number in accounted:
            open_quote, since = line.count('"') % 2 == 1, number
        elif open_quote and number - since <= 200:  # a further line of a quoted row
            open_quote ^= line.count('"') % 2 == 1
        elif line.strip(' \t\r\n\x0b\x0c,;|"\ufeff\xa0\x1c\x1d\x1e\x1f\x85\u3000\u2000\u2028\u2029'):
            missing.append(number)
    if missing:
        wrong.append(
            f"{len(missing)} lines are neither used nor rejected, as line {missing[0]}: {lines[missing[0] - 1][:120]!r}"
        )
    return wrong


def physical(data: bytes, anyhow: bool = False) -> list[str]:
    """The lines of a file; a file without any line feed in its first 64 KiB has carriage returns.

    `anyhow`: a bank's own CSV, in which every line end is one.
    """
    text = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    alone = anyhow or "\n" not in text[: 1 << 16]
    return re.split("\r\n|\r|\n" if alone else "\n", text)


def _header(lines: list[str], first: int) -> int:
    """The line of the header: the last one above the first row that has most separators, never a row of data."""
    above = lines[: max(0, first - 1)][:HEADER_WITHIN]
    if not above:
        return 0
    counts = [max(line.count(mark) for mark in "\t,;|") for line in above]
    return max(range(len(above)), key=lambda n: (counts[n] >= 0.6 * max(counts), n)) + 1


def _kind(data: bytes) -> str:
    if b"<OFX>" in data[:4000].upper():
        return "ofx"
    if b"camt.05" in data[:4000]:
        return "camt"
    return "mt940" if re.search(rb"(?m)^(?:\{.*)?:20:", data[:4000]) else ""


def _of_json(data: bytes, reading: Reading) -> list[str]:
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except ValueError:
        return []
    items = len(list(_items(content)))
    return [] if items == reading.rows_total else [f"{items} items in the file, {reading.rows_total} rows told"]


def _items(content: object) -> Iterator[object]:
    if isinstance(content, dict):
        for key, value in content.items():
            if key in ("ItemData", "ShipmentData") and isinstance(value, list):
                yield from value
            else:
                yield from _items(value)
    elif isinstance(content, list):
        for value in content:
            yield from _items(value)


# --- the day


def _decisions(folder: Path, day: Day, seed: Seed) -> list[str]:
    """A register that is taken is whole: nobody's word is missing."""
    if not (folder / REGISTER).exists():
        return []
    found = len(open_register(folder, load_account(folder).time_zone).events())
    return [] if found == seed.events else [f"{found} decisions are read, {seed.events} were recorded"]


def _written(day: Day, out: Path) -> int:
    """Writes the day as a packet does; gives the exit code of the packet."""
    shutil.rmtree(out, ignore_errors=True)
    day.save(out)
    manifest.draft(day, out)
    code = manifest.read(out)["answer"]["exit_code"]
    assert code in (0, 1), code
    footing = day.rollforward.filter(
        pl.col("opening_amount") + pl.col("new_amount") - pl.col("matched_amount") != pl.col("closing_amount")
    )
    assert footing.is_empty(), f"the roll-forward does not foot: {footing.to_dicts()}"
    for currency, sums in day.control_totals()["journal"].items():
        assert sums["debit"] == sums["credit"], f"the journal of {currency} does not balance: {sums}"
    return int(code)
