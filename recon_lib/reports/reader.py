"""The one reader of all report families: a file in, a `Reading` out.

1. The beginning tells the family, the delimiter and the shapes of dates (`recognise`, `dates`).
2. The clean pass streams the file once, text -> typed columns -> Parquet, while a thread hashes and counts the bytes. The
   counts and a few totals then prove that every line has the right width and that every cell was read (`passes`, `scan`).
   A small file takes the same way in memory (`small`), a large one that only grew has its new rows read (`grown`).
3. Where they do not, the strict pass reads again with the decimal marks and date order that the whole file shows, by a
   grammar for each cell, and sets the rows aside that still fail: line, column, value, reason (`strict`, `verdicts`).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from recon_lib.errors import ReportError
from recon_lib.reports import grown, passes, small, store, text
from recon_lib.reports.base import Reading, Report
from recon_lib.reports.job import Job, Outcome, summary
from recon_lib.reports.recognise import recognise
from recon_lib.reports.shortened import shortened
from recon_lib.reports.typed import plans_for, unknown_names


def read_file(
    path: Path,
    families: Sequence[Report],
    *,
    store_folder: Path,
    display: str | None = None,
    language: str | None = None,
    marketplace: str | None = None,
) -> Reading:
    """The typed rows of one plain file, from the store where the same bytes were read before.

    `language` and `marketplace` are hints; they decide only what the file itself leaves open.
    NotAReport: no report at all. ReportError: a report that is unusable as a whole.
    """
    name = display or str(path)
    hints = hints_of(language, marketplace)
    try:
        before = _stamp(path)
        head = _beginning(path)
        quick = "" if path.stat().st_size <= small.LIMIT else store.quick_key(path, head, hints)
        if not quick or store.was_stored(store_folder, quick):
            kept = store.load(store.place(store_folder, store.sha256_of(path), hints))
            if kept is not None:
                return kept
    except OSError as problem:
        raise ReportError(f"cannot be opened: {problem.strerror}", hoped="a readable file", file=name) from problem
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise ReportError("is empty", hoped="a report", do="download it again", file=name)
    text.refuse_other_kinds(head, name)
    work = store.work_folder(store_folder)
    try:
        own = [r for r in families if r.sniff is not None and r.read is not None and r.sniff(head)]
        mark, earlier = "", grown.Earlier.of(store_folder, head, hints)
        if own:
            told, rejects = _read_own(path, own, work, name)
        else:
            told, rejects, mark = _read_table(path, head, families, work, name, language, marketplace, earlier)
        if _stamp(path) != before:  # else the rows of one version could be kept under the hash of another
            raise ReportError(
                "was changed while it was read", hoped="a file that is complete", do="run again", file=name
            )
        final = store.place(store_folder, str(told["sha256"]), hints)
        store.save(work, final, told, rejects, quick)
        earlier.note(mark)
    except ReportError as problem:
        if problem.file:
            raise
        raise type(problem)(problem.met, hoped=problem.hoped, do=problem.do, file=name, line=problem.line) from problem
    finally:
        shutil.rmtree(work, ignore_errors=True)
    kept = store.load(final)
    if kept is None:
        raise ReportError("the parsed file could not be kept", hoped="a writable store folder", file=name)
    return kept


def hints_of(language: str | None, marketplace: str | None) -> str:
    """What a reading depends on beside the bytes of its file, as a part of the place where it is kept."""
    return "".join(f"-{hint}" for hint in (language, marketplace) if hint)


_ORDER = re.compile(r"(?<!\d)\d{3}-\d{7}-\d{7}(?!\d)")


def _orders_on(path: Path, lines: set[int]) -> list[str]:
    """The orders that those lines of a text file name."""
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        named = (line for number, line in enumerate(file, 1) if number in lines)
        return sorted({order for line in named for order in _ORDER.findall(line)})


def _stamp(path: Path) -> tuple[int, int, int]:
    told = path.stat()
    return told.st_ino, told.st_size, told.st_mtime_ns


def _beginning(path: Path) -> bytes:
    """The first 64 KiB, cut at a line end."""
    with path.open("rb") as file:
        head = file.read(text.HEAD)
    return head if len(head) < text.HEAD else head[: head.rfind(b"\n") + 1] or head


def _read_own(path: Path, own: list[Report], work: Path, name: str) -> tuple[dict[str, object], pl.DataFrame]:
    """A file that brings its own reading function (JSON, OFX, MT940, CAMT)."""
    if len(own) > 1:
        raise ReportError(f"fits several formats: {' and '.join(r.title for r in own)}", hoped="one", file=name)
    report = own[0]
    assert report.read is not None
    rows = report.read(path.read_bytes())
    rejects = rows.rejects if rows.rejects is not None else store.NO_REJECTS
    sinks = {family: work / f"{family}.parquet" for family in rows.frames}
    for family, frame in rows.frames.items():
        frame.write_parquet(sinks[family])
    used = sum(frame.height for frame in rows.frames.values())
    facts = {**rows.facts, "layout": rows.layout}
    outcome = Outcome(sinks, used, rejects, facts, list(rows.notes), dict(rows.frames))
    return _told(report, outcome, store.sha256_of(path), rows.encoding)


def _read_table(
    path: Path,
    head: bytes,
    families: Sequence[Report],
    work: Path,
    name: str,
    language: str | None,
    marketplace: str | None,
    earlier: grown.Earlier,
) -> tuple[dict[str, object], pl.DataFrame, str]:
    """A delimited text file; the third is its `grown.mark_of`."""
    japanese = (marketplace or "").upper() == "JP" or (language or "").lower() in ("ja", "jp")

    def attempt(source: Path, beginning: bytes) -> tuple[Job, Outcome, text.ByteFacts]:
        words = beginning.decode("utf-8-sig", errors="replace")
        header = recognise(words, families, name)
        hint = header.report.language or language
        job = Job(source, name, work, words, header, hint, marketplace)
        if source.stat().st_size <= small.LIMIT:
            return job, *small.run(job, source.read_bytes())
        if source == path and (known := earlier.continued(job)) is not None:
            return job, *known
        with ThreadPoolExecutor(1) as pool:
            counting = pool.submit(text.byte_facts, source, header.separator)
            return job, *passes.run(job, counting.result)

    encoding = text.encoding_of(head, utf8=_is_utf8(head), japanese=japanese, partial=True)
    sha256 = mark = ""
    if encoding.startswith("utf-8"):
        job, outcome, facts = attempt(path, head)
        sha256, mark = facts.sha256, grown.mark_of(job, outcome, facts)
        if not facts.utf8:  # some line beyond the beginning is not UTF-8
            encoding = text.encoding_of(path.read_bytes(), utf8=False, japanese=japanese)
    if not encoding.startswith("utf-8"):
        sha256 = sha256 or store.sha256_of(path)
        source, encoding = _recoded(path, encoding, work, name)
        job, outcome, _ = attempt(source, _beginning(source))
    return *told_of_table(job, outcome, sha256, encoding), mark


def told_of_table(job: Job, outcome: Outcome, sha256: str, encoding: str) -> tuple[dict[str, object], pl.DataFrame]:
    """(what reading.json holds, the rejects) of a delimited text file."""
    plans = plans_for(job.header)
    if unknown := unknown_names(job.header, plans):
        outcome.notes.append(f"columns kept aside: {', '.join(unknown)}")
    outcome.notes += shortened(job.path, plans, map(outcome.frame, outcome.frames))
    if outcome.rejects.height:
        outcome.facts["rejected_orders"] = " ".join(_orders_on(job.path, set(outcome.rejects["line"].to_list())))
    return _told(job.report, outcome, sha256, encoding)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as problem:  # a head without any line end may be cut inside a letter
        return len(data) == text.HEAD and problem.start >= len(data) - 3
    return True


def _recoded(path: Path, encoding: str, work: Path, name: str) -> tuple[Path, str]:
    """(the file as UTF-8 in the work folder, the encoding that fitted all of it)."""
    target = work / "recoded.txt"
    for tried in (encoding,) if encoding in ("utf-16", "cp1252") else (encoding, "cp1252"):
        try:
            text.recode(path, tried, target)
            return target, tried
        except UnicodeError:
            continue
    raise ReportError(f"is marked as {encoding} but is not", hoped="a whole file", do="download it again", file=name)


def _told(report: Report, outcome: Outcome, sha256: str, encoding: str) -> tuple[dict[str, object], pl.DataFrame]:
    """(what reading.json holds, the rejects) of a finished pass."""
    stored = {family: outcome.frame(family) for family in outcome.frames}
    notes = list(outcome.notes)
    if report.remark is not None:
        notes += report.remark(stored)
    main = stored.get(report.family)
    first, last, totals = outcome.summary or summary(report, main)
    facts = {k: v for k, v in outcome.facts.items() if k not in ("preamble", "columns", "currencies") and v}
    told: dict[str, object] = {
        "family": report.family,
        "title": report.title,
        "sha256": sha256,
        "encoding": encoding,
        "rows_used": outcome.used,
        "rows_rejected": outcome.rejects.height,
        "period_from": first,
        "period_to": last,
        "totals": totals,
        "frames": {family: path.name for family, path in outcome.frames.items()},
        "layout": facts.pop("layout", ""),
        "facts": facts,
        "notes": notes,
    }
    if not outcome.rejects.height:
        return told, store.NO_REJECTS
    rejects = outcome.rejects.select(pl.col(n).cast(t) for n, t in store.REJECTS.items()).sort("line")
    return told, rejects.with_columns(_shape(pl.col("value"))) if report.private else rejects


# No name, street, telephone number or postcode reads like this: days, decimal amounts and what is written for them.
_PLAIN = (
    r"(?i)^(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T][\d:.,+Z -]*)?( ?[a-z]{2,4})?"
    r"|[+-]?\d+[.,]\d{1,3}|[+-]?(nan|inf|infinity|\d+(\.\d+)?e[+-]?\d+))$"
)


def _shape(value: pl.Expr) -> pl.Expr:
    """`Xxxx 99`: in a report that holds buyers' data, a broken row can bring a buyer's cell under any column.

    File and line are told, so the cell can be looked up where it is; the shape shows what is wrong with it. Days and
    decimal amounts stay as they are written.
    """
    letters = value.str.replace_all(r"\p{Lu}", "X").str.replace_all(r"[\p{L}--\p{Lu}]", "x")
    shape = letters.str.replace_all(r"\p{N}", "9")
    return pl.when(value.str.contains(_PLAIN)).then(value).otherwise(shape)
