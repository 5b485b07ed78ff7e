"""Archives: `.gz` (one member) and `.zip` (members in folders), unpacked without trusting them.

`open_members(path, display)` yields every member as a file of its own. Nothing is ever written under a name that the
archive chose: members stream into numbered files of a private temporary folder, which is removed at the end.

Refused members (yielded as ReportError, the others are read): names that lead out of a folder (`..`, absolute, drive
letters), links and other special entries, encrypted members, archives within archives, names that stand twice, members
whose bytes do not fit their checksum or stated size, and those beyond the limits:

    MOST_BYTES    2 GiB unpacked, all members of one archive together
    MOST_RATIO    200 times the packed size, looked at beyond 50 MB (text packs 5 to 30 times)
    MOST_MEMBERS  10 000 members
"""

from __future__ import annotations

import gzip
import posixpath
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from recon_lib.errors import NotAReport, ReportError

MOST_BYTES = 2 * 1024**3
MOST_RATIO, FREE_BYTES = 200, 50 * 1000**2
MOST_MEMBERS = 10_000
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_WORKBOOK = {"[content_types].xml", "mimetype"}  # spreadsheets and documents are zip files too
_NESTED = re.compile(r"\.(zip|gz|tgz|tar|bz2|xz|7z|rar|zst)$", re.I)
_DOCUMENT = re.compile(r"\.(xlsx|xlsm|ods|docx|odt|pptx|jar)$", re.I)
# What systems, office programs (`~$costs.xlsx` while it is open) and network disks leave beside the files of people.
_LITTER = re.compile(
    r"(^|/)(__MACOSX/|@eaDir/|\$RECYCLE\.BIN/|\.DS_Store$|(eh)?Thumbs\.db$|desktop\.ini$|\._|~\$[^/]*$)", re.I
)
_NOT_BY_AMAZON = "is written by the operating system, not by Amazon"
_AGAIN = "download the archive again, or unpack it and put the files into the folder"
# zipfile says NotImplementedError of a compression and RuntimeError of a password that it does not know.
_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError)


def open_members(path: Path, display: str | None = None) -> Iterator[tuple[str, Path | ReportError]]:
    """The file itself when it is no archive, else each of its members: (display name, file to read or what is wrong).

    `display` is how the file is called in messages and evidence; a member of it is called `display!member`. The file of a
    member is gone when the next one is asked for. A file that is not there or cannot be read is yielded as ReportError.
    """
    name = display if display is not None else path.name
    problem = NotAReport(_NOT_BY_AMAZON, file=name) if is_litter(name) else _unreadable(path, name)
    if problem:
        yield name, problem
        return
    with path.open("rb") as file:
        head = file.read(4)
    if head[:2] == _GZIP:
        yield from _gzip(path, name)
    elif head in _ZIP:
        yield from _zip(path, name)
    else:
        yield name, path


def is_litter(name: str) -> bool:
    """Is this the name of a file that a system or program put beside the files of people?"""
    return _LITTER.search(name) is not None


def _unreadable(path: Path, name: str) -> ReportError | None:
    """Special files would block the reader for ever (pipes) or give endless bytes (devices)."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"
            return ReportError(f"is {kind}", hoped="a file", do="remove it from the folder", file=name)
        with path.open("rb"):
            return None
    except OSError as error:
        why = error.strerror or type(error).__name__
        absent = isinstance(error, (FileNotFoundError, NotADirectoryError))
        do = "look at its name: nothing is there" if absent else "give yourself the right to read it"
        return ReportError(f"cannot be opened: {why}", hoped="a readable file", do=do, file=name)


class _Limits:
    """Bytes unpacked so far in one archive against its packed size."""

    def __init__(self, packed: int) -> None:
        self.packed, self.unpacked, self.passed = max(packed, 1), 0, False

    def count(self, size: int, name: str) -> None:
        self.unpacked += size
        met = ""
        if self.unpacked > MOST_BYTES:
            met = f"unpacks to more than {MOST_BYTES // 1024**2} MB"
        elif self.unpacked > FREE_BYTES and self.unpacked > MOST_RATIO * self.packed:
            met = f"unpacks to more than {MOST_RATIO} times its size"
        if met:
            self.passed = True
            do = "if it is no attack, unpack it yourself and put the files into the folder"
            raise ReportError(met, hoped="an archive of report files", do=do, file=name)


def _gzip(path: Path, name: str) -> Iterator[tuple[str, Path | ReportError]]:
    limits = _Limits(path.stat().st_size)
    inner = posixpath.basename(name)
    inner = inner[:-3] if inner.lower().endswith(".gz") else inner
    shown = f"{name}!{inner}"
    with tempfile.TemporaryDirectory(prefix="recon-") as folder:
        target = Path(folder) / "member"
        try:
            with gzip.open(path, "rb") as source, target.open("wb") as out:
                _copy(source, out, limits, name)
        except ReportError as error:
            yield name, error
            return
        except _BROKEN as error:
            met = f"a gzip file that is cut off, damaged or followed by something else: {_why(error)}"
            yield name, ReportError(met, hoped="a whole gzip file", do=_AGAIN, file=name)
            return
        yield shown, _nested(target, shown) or target


def _zip(path: Path, name: str) -> Iterator[tuple[str, Path | ReportError]]:
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN as error:
        met = f"a zip archive that is cut off or damaged: {_why(error)}"
        yield name, ReportError(met, hoped="a whole zip archive", do=_AGAIN, file=name)
        return
    with archive, tempfile.TemporaryDirectory(prefix="recon-") as folder:
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            met = f"a zip archive with {len(members)} members"
            yield name, ReportError(met, hoped=f"at most {MOST_MEMBERS}", do="pack fewer files together", file=name)
            return
        if {m.filename.lower() for m in members} & _WORKBOOK:
            yield name, NotAReport("is a spreadsheet or document", hoped="the report as text", file=name)
            return
        files = [m for m in members if not m.is_dir()]
        if not files:
            yield name, NotAReport("a zip archive without files", hoped="report files", file=name)
            return
        limits = _Limits(path.stat().st_size)
        seen: set[str] = set()
        for number, member in enumerate(sorted(files, key=lambda m: m.filename)):
            shown = f"{name}!{_printable(member.filename)}"
            target = Path(folder) / str(number)
            try:
                _check(member, seen, shown)
                _unpack(archive, member, target, limits, shown)
            except ReportError as error:
                yield shown, error
                if limits.passed:
                    return  # a bomb: its other members are not touched
                continue
            yield shown, _nested(target, shown) or target
            target.unlink()


def _check(member: zipfile.ZipInfo, seen: set[str], shown: str) -> None:
    """Everything that the directory of the archive tells about a member. Raises ReportError or NotAReport."""
    raw = member.orig_filename
    parts = raw.replace("\\", "/").split("/")
    if raw.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", raw) or "\0" in raw:
        met = "the member's name leads out of the archive's folder"
        raise ReportError(
            met, hoped="plain names", do="do not unpack this archive; ask where it comes from", file=shown
        )
    if is_litter(member.filename):
        raise NotAReport(_NOT_BY_AMAZON, file=shown)
    if raw in seen:
        raise ReportError("a second member of that name", hoped="each name once", do=_AGAIN, file=shown)
    seen.add(raw)
    mode = stat.S_IFMT(member.external_attr >> 16)
    if mode not in (0, stat.S_IFREG):
        kind = "a link" if mode == stat.S_IFLNK else "a special entry"
        raise ReportError(f"the member is {kind}", hoped="plain files", do="pack the file itself", file=shown)
    if member.flag_bits & 0x1:
        raise ReportError("the member is encrypted", hoped="an archive without password", do=_AGAIN, file=shown)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ReportError("the member is packed in an unusual way", hoped="plain zip (deflate)", do=_AGAIN, file=shown)
    if _NESTED.search(member.filename):
        raise ReportError("an archive within an archive", hoped="report files", do="unpack the outer one", file=shown)


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, limits: _Limits, shown: str) -> None:
    try:
        with archive.open(member) as source, target.open("wb") as out:
            _copy(source, out, limits, shown)
    except ReportError:
        raise
    except _BROKEN as error:
        met = f"the member is damaged or cut off: {_why(error)}"
        raise ReportError(met, hoped="a whole zip archive", do=_AGAIN, file=shown) from None
    size = target.stat().st_size
    if size != member.file_size:  # the checksum fits, yet the directory lies
        met = f"the archive says {member.file_size} bytes and holds {size}"
        raise ReportError(met, hoped="a whole zip archive", do=_AGAIN, file=shown)


def _copy(source: IO[bytes] | gzip.GzipFile, out: IO[bytes], limits: _Limits, name: str) -> None:
    while chunk := source.read(_CHUNK):
        limits.count(len(chunk), name)
        out.write(chunk)


def _nested(target: Path, shown: str) -> ReportError | None:
    """Archives are also recognised by their content, whatever their name."""
    with target.open("rb") as file:
        head = file.read(4)
    if head in _ZIP and _DOCUMENT.search(shown):
        return NotAReport("is a spreadsheet or document", hoped="the report as text", file=shown)
    if head[:2] == _GZIP or head in _ZIP:
        return ReportError("an archive within an archive", hoped="report files", do="unpack the outer one", file=shown)
    return None


def _why(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:160]


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
