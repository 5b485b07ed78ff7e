"""From bytes to text: encoding, line ends, delimiter, quoting, and what a whole pass over the bytes tells.

The ladder of encodings: byte order mark, strict UTF-8, cp932 (only when the text is Japanese by content or by the
marketplace), cp1252. The last two hardly ever fail, so they come last.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

from recon_lib.errors import NotAReport, ReportError

HEAD = 1 << 16
CHUNK = 1 << 18
DELIMITERS = ("\t", ",", ";", "|")

_MAGIC = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or a spreadsheet workbook",
    b"\x1f\x8b": "a gzip file",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet or document",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "a database",
    b"\x7fELF": "a program",
}
_PACKED = re.compile(
    rb"(?P<seven>7z\xbc\xaf)|(?P<rar>Rar!\x1a)|(?P<bzip2>BZh[1-9]1AY&SY)|(?P<xz>\xfd7zXZ\0)|(?P<zstd>\x28\xb5\x2f\xfd)"
    rb"|(?s:(?P<tar>.{257}ustar))"
)
_WIDE_BLANK = re.compile(rb"\xc2[\x85\xa0]|\xe2\x80[\x80-\x8b\xa8-\xaf]|\xe3\x80\x80|\xef\xbb\xbf")


@dataclass(frozen=True)
class ByteFacts:
    """What one pass over all bytes of a file told."""

    sha256: str
    size: int
    newlines: int
    returns: int
    separators: int
    quotes: int
    nul: bool
    utf8: bool
    padded: bool  # some cell may begin or end with a blank
    ends_open: bool  # the last line has no line end


def byte_facts(path: Path, separator: str) -> ByteFacts:
    """Hash and count the bytes of `path` in chunks; runs beside the parser in a thread of its own."""
    import numpy as np  # only for files that are read in chunks: the import takes longer than a small file

    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")("strict")
    size = newlines = returns = separators = quotes = 0
    nul, utf8, padded, pending, last, sep = False, True, False, False, b"\n", ord(separator)
    edge_bytes = (b"\n", b"\r", b'"', separator.encode())
    held = bytearray(CHUNK)  # and four arrays of flags, made once: asking for memory anew costs more than the counting
    flags = [np.empty(CHUNK, np.bool_) for _ in range(4)]
    with path.open("rb", buffering=0) as file:
        while length := file.readinto(held):
            chunk = held if length == CHUNK else held[:length]
            digest.update(chunk)
            begin = len(codecs.BOM_UTF8) if not size and chunk.startswith(codecs.BOM_UTF8) else 0
            size += length
            before, last = last, bytes(chunk[-1:])
            ascii_only = chunk.isascii()
            raw = np.frombuffer(chunk, np.uint8)
            edges, marks, blank, beside = (flag[:length] for flag in flags)
            # Every control character counts as an edge: one that ends no cell makes the file `padded` by itself.
            np.less(raw, 32, out=edges)
            others = int(np.count_nonzero(edges))
            np.equal(raw, 10, out=marks)
            ends = int(np.count_nonzero(marks))
            np.equal(raw, sep, out=marks)
            cuts = int(np.count_nonzero(marks))
            newlines, separators = newlines + ends, separators + cuts
            if sep < 32:
                others -= ends + cuts
            else:
                others -= ends
                np.logical_or(edges, marks, out=edges)
            if others:
                turns = chunk.count(b"\r")
                returns, others = returns + turns, others - turns
                nul = nul or b"\0" in chunk
            if b'"' in chunk:
                np.equal(raw, 34, out=marks)
                quotes += int(np.count_nonzero(marks))
                np.logical_or(edges, marks, out=edges)
            if not padded:
                # A blank of several bytes and a control character (some are blanks) count wherever they stand; that
                # is rare, and only costs time.
                np.equal(raw, 32, out=blank)
                after = np.logical_and(blank[1:], edges[:-1], out=beside[1:]).any()
                ahead = after or np.logical_and(blank[:-1], edges[1:], out=beside[1:]).any()
                seam = (blank[0] and before in edge_bytes) or (edges[0] and before == b" ")
                wide = not ascii_only and _WIDE_BLANK.search(chunk, begin) is not None
                padded = bool(ahead) or bool(seam) or wide or others > 0
            if utf8 and (pending or not ascii_only):
                try:
                    decoder.decode(chunk)
                    pending = bool(decoder.getstate()[0])
                except UnicodeDecodeError:
                    utf8 = False
    if utf8 and pending:
        utf8 = False
    return ByteFacts(
        digest.hexdigest(), size, newlines, returns, separators, quotes, nul, utf8, padded, size > 0 and last != b"\n"
    )


def small_facts(data: bytes, separator: str) -> ByteFacts:
    """The same of a file that is held in memory."""
    edge = rb'[\n\r"' + re.escape(separator.encode()) + b"]"
    begin = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    utf8 = data.isascii()
    odd = bytes(code for code in range(32) if code not in (10, 13, ord(separator)))
    padded = bool(data[:1] == b" " or re.search(edge + b" | " + edge + b"|[" + re.escape(odd) + b"]", data))
    if not utf8:
        padded = padded or _WIDE_BLANK.search(data, begin) is not None
        try:
            data.decode("utf-8")
            utf8 = True
        except UnicodeDecodeError:
            utf8 = False
    return ByteFacts(
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        newlines=data.count(b"\n"),
        returns=data.count(b"\r"),
        separators=data.count(separator.encode()),
        quotes=data.count(b'"'),
        nul=b"\0" in data,
        utf8=utf8,
        padded=padded,
        ends_open=bool(data) and not data.endswith(b"\n"),
    )


def refuse_other_kinds(head: bytes, name: str) -> None:
    """Raise for bytes that are no text: pictures, documents, NUL bytes, UTF-16 without a mark."""
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            raise NotAReport(f"is {kind}", hoped="a text report as Amazon sends it", file=name)
    packed = _PACKED.match(head)
    if packed is not None:
        kind = (packed.lastgroup or "").replace("seven", "7z")
        raise ReportError(
            f"is an archive of a kind that is not read: {kind}",
            hoped="plain files, .gz or .zip",
            do="unpack it and put the files into the folder",
            file=name,
        )
    utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not head.startswith(codecs.BOM_UTF32_LE)
    if not utf16 and b"\0" in head:
        raise ReportError(
            "holds NUL bytes, so it is no plain text (or UTF-16 without a byte order mark)",
            hoped="the report file as downloaded from Amazon",
            do="download the report again; do not open and save it in another program",
            file=name,
        )


def encoding_of(data: bytes, *, utf8: bool, japanese: bool = False, partial: bool = False) -> str:
    """The encoding of `data` by the ladder; `utf8` tells whether all bytes of the file are valid UTF-8."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig" if utf8 else "cp1252"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if utf8:
        return "utf-8"
    if _is_cp932(data, sure=japanese, partial=partial):
        return "cp932"
    return "cp1252"


def _is_cp932(data: bytes, *, sure: bool, partial: bool) -> bool:
    """Japanese by content: all of it decodes and the letters beyond ASCII are mostly kana and kanji in runs."""
    decoder = codecs.getincrementaldecoder("cp932")("strict")
    try:
        text = decoder.decode(data, final=not partial)
    except UnicodeDecodeError:
        return False
    if sure:
        return True
    beyond = [c for c in text if ord(c) > 127]
    runs = re.findall("[\u3040-\u30ff\u3400-\u9fff]{2,}", text)
    kana = sum(1 for c in beyond if "\u3040" <= c <= "\u30ff")
    half_width = sum(1 for c in beyond if "\uff61" <= c <= "\uff9f")
    # Accented Latin letters read as cp932 become half-width kana or lone kanji; real Japanese has runs with full-width kana.
    return bool(beyond) and half_width < len(beyond) / 2 and kana > 0 and sum(map(len, runs)) > len(beyond) / 2


def recode(path: Path, encoding: str, target: Path) -> None:
    """Write the text of `path` as UTF-8 without mark, line ends untouched; a byte that cp1252 leaves open becomes U+FFFD."""
    errors = "replace" if encoding == "cp1252" else "strict"
    with (
        path.open(encoding=encoding, errors=errors, newline="") as source,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        while text := source.read(1 << 20):
            out.write(text)


def lines_of(text: str) -> list[str]:
    """The physical lines of the beginning of a file, with their ends, as every pass counts them.

    Not `str.splitlines`: a form feed or a lone carriage return ends no line of a file that has line feeds.
    """
    return list(io.StringIO(text, newline="\n" if "\n" in text else ""))


def split_line(line: str, separator: str, *, quoted: bool) -> list[str]:
    """The cells of one physical line."""
    line = line.strip("\r\n")
    if not quoted or '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return line.split(separator)
