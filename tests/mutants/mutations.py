"""Ways in which files go wrong: bytes, lines, cells, headers, whole files, settings, books, decisions.

Every function takes the dice first and gives what it made; the same dice make the same folder.
"""

from __future__ import annotations

import gzip
import io
import os
import random
import re
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

Change = Callable[[random.Random, bytes], bytes]

# What people, spreadsheets, other programs and bad luck put into a cell.
CELLS = (
    b"", b" ", b"-", b"--", b"n/a", b"N/A", b"null", b"NaN", b"nan", b"inf", b"-inf", b"Infinity", b"-0", b"-0.00", b"0",
    b"0.00", b"00012", b"1e9", b"1E+400", b"1e-9", b"+5", b"(12.34)", b"12-", b"$12.34", b"12.34 USD", b"1,234.56",
    b"1.234,56", b"1'234.56", b"1 234,56", b"12,5", b"12.345", b"1,234", b"99999999999999", b"9" * 30, b"9" * 400,
    b"123456789012345678.99", b"0.000000001", b"-99999999999.99", b"2147483648", b"-2147483649", b"4294967296",
    b"2026-01-05", b"2026-13-45", b"2026-02-30", b"05/01/2026", b"01/05/2026", b"5.1.2026", b"2026/01/05", b"20260105",
    b"05-Jan-2026", b"Jan 5, 2026 10:00:00 PM PST", b"2026-01-05T10:00:00+00:00", b"2026-01-05 10:00:00 UTC", b"46027",
    b"0000-00-00", b"9999-12-31", b"1900-01-01", b"0001-01-01", b"2026-01-05T25:61:00Z", b"2026-01-05T10:00:00+99:99",
    b'"', b'""', b'"a', b'a"b', b"'", b",", b";", b"\t", b"|", b"\\", b"\\n", b'"a\nb"', b'"a\r\nb"', b"=1+1",
    b'=HYPERLINK("http://x.invalid","y")', b"@SUM(A1)", b"<script>alert(1)</script>", b"{{ 7*7 }}", b"${x}", b"%s%n",
    b"../../etc/passwd", b"A" * 5_000, b"x" * 70_000, b"\x00", b"\x1b[31m", b"\x07", b"\xef\xbb\xbf", b"\xc2\xa0",
    "\u202eabc".encode(), "\u200b".encode(), "e\u0301".encode(), "\U0001f4b0".encode(), "\u0661\u0662".encode(),
    "\uff11\uff12.\uff13\uff14".encode(), "\u2212 5,00".encode(), "12\u00a0345,67".encode(), "b\xfccher".encode("cp1252"),
    "\u5546\u54c1".encode("cp932"), b"\xff\xfe", b"\xed\xa0\x80", b"USD", b"usd", b"EUR", b"XXX", b"JPY", b"TRUE", b"#REF!",
    b"#N/A", b"capture", b"refund", b"Order", b"Refund",
)  # fmt: skip
SEPARATORS = (b"\t", b",", b";", b"|")


# --- bytes


def flip(dice: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 3, 20))):
        if out:
            out[dice.randrange(len(out))] ^= 1 << dice.randrange(8)
    return bytes(out)


def cut(dice: random.Random, data: bytes) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + data[at + dice.choice((1, 5, 100, 5_000)) :]


def truncate(dice: random.Random, data: bytes) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def insert(dice: random.Random, data: bytes) -> bytes:
    at = dice.randrange(len(data) + 1)
    piece = dice.choice((*CELLS, bytes(dice.randrange(256) for _ in range(dice.choice((1, 4, 200))))))
    return data[:at] + piece + data[at:]


def double_block(dice: random.Random, data: bytes) -> bytes:
    at = dice.randrange(len(data) + 1)
    block = data[at : at + dice.choice((1, 60, 700, 9_000))]
    return data[:at] + block + block + data[at + len(block) :]


def nul(dice: random.Random, data: bytes) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + b"\0" * dice.choice((1, 2, 512)) + data[at:]


def marked(dice: random.Random, data: bytes) -> bytes:
    return dice.choice((b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2, b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0")) + data


def recoded(dice: random.Random, data: bytes) -> bytes:
    text = data.decode("utf-8", errors="replace")
    name = dice.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "cp932", "utf-8-sig", "cp437", "utf-7"))
    return text.encode(name, errors="replace")


def line_ends(dice: random.Random, data: bytes) -> bytes:
    plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    kind = dice.choice(("\r\n", "\r", "mixed", "\n\r", "\r\r\n"))
    if kind != "mixed":
        return plain.replace(b"\n", kind.encode())
    return b"".join(part + dice.choice((b"\n", b"\r\n", b"\r")) for part in plain.split(b"\n"))


# --- lines


def _line(dice: random.Random, lines: list[bytes]) -> int:
    return dice.randrange(len(lines)) if lines else 0


def drop_line(dice: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[_line(dice, lines) : _line(dice, lines) + 1]
    return b"".join(lines)


def double_line(dice: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        at = _line(dice, lines)
        lines[at:at] = [lines[at]] * dice.choice((1, 1, 50))
    return b"".join(lines)


def swap_lines(dice: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        one, other = _line(dice, lines), _line(dice, lines)
        lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def blank_line(dice: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    at = dice.randrange(len(lines) + 1)
    separators = (lines[at] if at < len(lines) else b"").count(b"\t") * b"\t" or b",,,"
    lines[at:at] = [dice.choice((b"\n", b"   \n", b"\t\n", separators + b"\n", b"\r\n\r\n", b'""\n'))]
    return b"".join(lines)


def join_lines(dice: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        at = _line(dice, lines)
        lines[at] = lines[at].rstrip(b"\r\n") + dice.choice((b"", b" ", b"\t"))
    return b"".join(lines)


def shuffle_lines(dice: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    rest = lines[1:]
    dice.shuffle(rest)
    return b"".join(lines[:1] + rest)


# --- cells


def separator_of(data: bytes) -> bytes:
    head = data[:4_000]
    return max(SEPARATORS, key=head.count)


def cells(dice: random.Random, data: bytes) -> bytes:
    """Other content in one to five cells, mostly below the header."""
    lines, separator = data.splitlines(keepends=True), separator_of(data)
    for _ in range(dice.choice((1, 1, 2, 5))):
        if len(lines) > 1:
            at = dice.randrange(1, len(lines))
            row = lines[at].rstrip(b"\r\n")
            end, parts = lines[at][len(row) :], row.split(separator)
            value = dice.choice(CELLS)
            if b'"' in row and dice.random() < 0.5:
                value = b'"' + value.replace(b'"', b'""') + b'"'
            parts[dice.randrange(len(parts))] = value
            lines[at] = separator.join(parts) + end
    return b"".join(lines)


def column(dice: random.Random, data: bytes) -> bytes:
    """One column of all rows made anew: another shape of days or numbers, a sign, blanks, all empty."""
    lines, separator = data.splitlines(keepends=True), separator_of(data)
    width = max((line.count(separator) for line in lines), default=0) + 1
    at, kind = dice.randrange(width), dice.randrange(8)
    for number in range(1, len(lines)):
        row = lines[number].rstrip(b"\r\n")
        end, parts = lines[number][len(row) :], row.split(separator)
        if at < len(parts):
            parts[at] = _changed(dice, parts[at], kind)
            lines[number] = separator.join(parts) + end
    return b"".join(lines)


def _changed(dice: random.Random, cell: bytes, kind: int) -> bytes:
    if kind == 0:
        return b""
    if kind == 1:
        return b"  " + cell + b" "
    if kind == 2:
        return b"-" + cell
    if kind == 3:
        return cell.replace(b".", b";").replace(b",", b".").replace(b";", b",")
    if kind == 4:
        return re.sub(rb"(\d{4})-(\d\d)-(\d\d)", rb"\3/\2/\1", cell)
    if kind == 5:
        return re.sub(rb"(\d{4})-(\d\d)-(\d\d)", rb"\2/\3/\1", cell)
    if kind == 6:
        return cell + cell
    return dice.choice(CELLS) if dice.random() < 0.1 else cell


# --- headers


def header(dice: random.Random, data: bytes) -> bytes:
    """A column renamed, dropped (with or without its cells), doubled, added or moved."""
    lines, separator = data.splitlines(keepends=True), separator_of(data)
    if not lines:
        return data
    where = max(range(min(len(lines), 10)), key=lambda n: lines[n].count(separator))
    rows = [(line.rstrip(b"\r\n").split(separator), line[len(line.rstrip(b"\r\n")) :]) for line in lines]
    names = rows[where][0]
    at, to = dice.randrange(len(names)), dice.randrange(len(names))
    kind = dice.choice(
        ("rename", "case", "blank", "drop name", "drop", "double name", "double", "move", "add", "again")
    )
    if kind == "rename":
        names[at] = dice.choice((b"column", b"Datum", b"amount", b"", names[at] + b"2", b"\xef\xbb\xbf" + names[at]))
    elif kind == "case":
        rows[where] = ([name.upper().replace(b"-", b"_") for name in names], rows[where][1])
    elif kind == "blank":
        names[at] = b" " + names[at] + b"  "
    elif kind == "drop name":
        del names[at]
    elif kind == "double name":
        names[at] = names[to]
    elif kind == "again":
        rows.insert(dice.randrange(len(rows) + 1), (list(names), rows[where][1]))
    else:
        for parts, _ in rows[where:]:
            if at < len(parts):
                if kind == "drop":
                    del parts[at]
                elif kind == "double":
                    parts.insert(at, parts[at])
                elif kind == "move":
                    parts.insert(to, parts.pop(at))
                else:
                    parts.insert(at, b"new" if parts is names else b"x")
    return b"".join(separator.join(parts) + end for parts, end in rows)


INSIDE: dict[str, Change] = {
    change.__name__: change
    for change in (flip, cut, truncate, insert, double_block, nul, marked, recoded, line_ends, drop_line, double_line,
                   swap_lines, blank_line, join_lines, shuffle_lines, cells, column, header)
}  # fmt: skip
OFTEN = ("cells", "cells", "cells", "cells", "column", "column", "header", "double_line", "blank_line")


# --- whole files: each gives the files of the folder that it touched


def whole(dice: random.Random, folder: Path, path: Path, others: list[Path]) -> tuple[str, list[Path]]:
    """Something done to a file as a whole, or put beside it: (what, the touched files)."""
    data, other = path.read_bytes(), dice.choice(others)
    beside = path.with_name(f"more {dice.randrange(100)}{path.suffix}")
    kind = dice.choice(("empty", "gone", "gz", "broken gz", "zip", "broken zip", "zip in zip", "extension", "merged", "merged bare",
                        "twice", "part again", "renamed", "nested", "odd name", "folder", "link", "link out", "dead link", "loop", "pipe",
                        "hidden", "foreign", "picture", "sparse"))  # fmt: skip
    touched = [path]
    if kind == "empty":
        fresh(path, dice.choice((b"", b"\n", b"\xef\xbb\xbf", b"   ")))
    elif kind == "gone":
        path.unlink()
    elif kind in ("gz", "broken gz"):
        packed = gzip.compress(data, mtime=0)
        fresh(path, packed if kind == "gz" else flip(dice, packed) if dice.random() < 0.5 else truncate(dice, packed))
    elif kind in ("zip", "broken zip", "zip in zip"):
        members = {path.name: data, f"deep/{other.name}": other.read_bytes()}
        if kind == "zip in zip":
            members["inner.zip"] = zipped({path.name: data})
        packed = zipped(members)
        fresh(path, flip(dice, packed) if kind == "broken zip" else packed)
    elif kind == "extension":
        path.rename(
            path.with_name(path.name + dice.choice((".gz", ".zip", ".xml", ".json", ".ofx", ".xlsx", ".bak", ".txt")))
        )
        touched = [path, *(found for found in path.parent.iterdir() if found.name.startswith(path.name))]
    elif kind == "merged":
        fresh(path, data + other.read_bytes())
    elif kind == "merged bare":
        fresh(path, data + b"".join(other.read_bytes().splitlines(keepends=True)[1:]))
    elif kind == "twice":
        fresh(beside, data)
        touched = [beside]
    elif kind == "part again":
        lines = data.splitlines(keepends=True)
        fresh(beside, b"".join(lines[: 1 + len(lines) // 2]))
        touched = [path, beside]
    elif kind in ("renamed", "nested", "odd name"):
        name = {"renamed": "report.dat", "nested": f"a/b/c/{path.name}"}.get(kind) or dice.choice(
            (
                "-rf",
                "a b  c.txt",
                "r\u00e9sum\u00e9 \u65e5\u672c.txt",
                "x!y.zip",
                "a\nb.txt",
                "100%.csv",
                "'; drop.txt",
                "a" * 200,
            )
        )
        target = path.parent / name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        touched = [path, target]
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind in ("link", "link out", "dead link", "loop"):
        aim = {"link": other, "link out": Path("/etc/hostname"), "dead link": path.parent / "nothing", "loop": beside}[
            kind
        ]
        beside.symlink_to(aim)
        touched = [beside]
    elif kind == "pipe":
        os.mkfifo(beside)
        touched = [beside]
    elif kind == "hidden":
        path.rename(path.with_name("." + path.name))
    elif kind == "foreign":
        fresh(beside, FOREIGN[dice.choice(sorted(FOREIGN))])
        touched = [beside]
    elif kind == "picture":
        fresh(
            beside,
            dice.choice(
                (b"\x89PNG\r\n\x1a\n" + bytes(200), b"%PDF-1.7\n" + bytes(50), b"PK\x03\x04" + bytes(90), bytes(4096))
            ),
        )
        touched = [beside]
    else:
        fresh(path, data + b"\n" * 50_000)
    return kind, [*touched, path.with_name("." + path.name)] if kind == "hidden" else touched


FOREIGN: dict[str, bytes] = {
    "german settlement": (
        "settlement-id\tsettlement-start-date\tsettlement-end-date\tdeposit-date\ttotal-amount\tcurrency\ttransaction-type\torder-id\t"
        "merchant-order-id\tadjustment-id\tshipment-id\tmarketplace-name\tamount-type\tamount-description\tamount\tfulfillment-id\tposted-date\t"
        "posted-date-time\torder-item-code\tmerchant-order-item-id\tmerchant-adjustment-item-id\tsku\tquantity-purchased\tpromotion-id\n"
        "900\t01.01.2026 00:00:00 UTC\t15.01.2026 00:00:00 UTC\t17.01.2026 00:00:00 UTC\t8,00\tEUR" + "\t" * 18 + "\n"
        "900\t\t\t\t\t\tOrder\t302-1\t\t\tS1\tAmazon.de\tItemPrice\tPrincipal\t8,00\tAFN\t05.01.2026\t05.01.2026 10:00:00 UTC\t1\t\t\tSKU\t1\t\n"
    ).encode(),
    "xml settlement": b"<?xml version='1.0'?>\n<AmazonEnvelope><Message><SettlementReport/></Message></AmazonEnvelope>\n",
    "html": b"<!DOCTYPE html><html><body>Sign in to your account</body></html>\n",
    "notes": b"Called Amazon on Monday; they said wait, wait, wait.\n" * 3,
    "json": b'{"payload": {"ItemData": [{"ShipmentId": "F1", "SellerSKU": "A", "QuantityShipped": 5, "QuantityReceived": 4}]}}\n',
    "broken json": b'{"payload": {"ItemData": [{"ShipmentId": "F1", "SellerSKU": "A", "QuantityShipped": 1e999, "Quan',
    "own spreadsheet": b"sku;price;date\nA;1,00;05.01.2026\nB;2,00;06.01.2026\n",
}


# --- settings, policy, decisions

SETTINGS = ("marketplace", "time_zone", "currency", "currencies", "match_keys", "pay_fees", "overdue_hours", "bank_pattern",
            "tolerances", "lost_wait_days", "auto_pay_days", "settle_days", "bank_days", "restock_days", "delay_days",
            "cep_enrolled", "account", "unknown_key")  # fmt: skip
VALUES = (
    "", "0", "-1", "1", "3660", "99999999999", "1.5", "NaN", "true", "null", "~", "US", "DE", "UK", "JP", "XX", "Europe/Berlin",
    "Asia/Tokyo", "Mars/Base", "America/Los_Angeles", "USD", "EUR", "usd", "[USD]", "[USD, EUR]", "[EUR]", "[]", "[[[]]]", "{}",
    "{USD: 5}", "{USD: -1}", "{underpaid_tolerance: 0.5}", "{EUR: 1e9}", "'('", "'.*'", "'[0-9]{1,1000}'", "'(a+)+$'", "AMAZON",
    "[AmazonTransactionId]", "[SellerOrderId, AmazonTransactionId]", "[Nothing]", "../../x", "a b", '"\\x00"', "*alias", "&a b",
    "!!python/object:os.system x", "!x y", "2026-01-31", "'" + "x" * 300 + "'", "\u202e", "|\n  text\n  more", "{a: {b: {c: d}}}",
    "[{currency: USD, from: 2020-01-01, percentage: 2.9, fixed: 0.30}]", "[{currency: USD, from: soon, percentage: x, fixed: 0}]",
    "[{currency: USD, from: 2020-01-01, percentage: 99.99, fixed: 99999999}]",
)  # fmt: skip


def settings(dice: random.Random, text: str) -> str:
    """account.yml with a line changed, added, doubled, dropped or broken."""
    kind = dice.choice(("set", "set", "set", "set", "drop", "double", "bytes", "indent", "empty"))
    lines = text.splitlines(keepends=True)
    if kind == "set":
        name = dice.choice(SETTINGS)
        kept = [
            line
            for line in lines
            if not line.startswith(f"{name}:") and not (name == "pay_fees" and line.startswith(" "))
        ]
        return "".join(kept) + f"{name}: {dice.choice(VALUES)}\n"
    if kind == "drop":
        del lines[dice.randrange(len(lines))]
    elif kind == "double":
        lines.append(dice.choice(lines))
    elif kind == "bytes":
        changed = dice.choice((flip, cut, insert, nul, marked))(dice, text.encode())
        return changed.decode("utf-8", errors="surrogateescape")
    elif kind == "indent":
        at = dice.randrange(len(lines))
        lines[at] = dice.choice(("  ", "\t", "- ")) + lines[at]
    else:
        return dice.choice(("", "# nothing\n", "[]\n", "text\n", "---\n---\n"))
    return "".join(lines)


def policy_table(dice: random.Random, data: bytes) -> bytes:
    return INSIDE[dice.choice(("cells", "cells", "drop_line", "double_line", "header", "flip", "column", "truncate"))](
        dice, data
    )


STATEMENTS = (
    "UPDATE events SET note = 'x' WHERE seq = 2", "UPDATE events SET note = x'00ff' WHERE seq = 2", "UPDATE events SET at = 7 WHERE seq = 1",
    "UPDATE events SET at = 'yesterday' WHERE seq = 3", "UPDATE events SET kind = 'guessed' WHERE seq = 2",
    "DELETE FROM events WHERE seq = 1", "DELETE FROM events", "DROP TABLE events", "ALTER TABLE events RENAME COLUMN who TO whom",
    "UPDATE events SET seq = -5 WHERE seq = 3", "UPDATE events SET amount = 'much' WHERE seq = 2", "DROP VIEW current_state",
    "CREATE TABLE more (x)", "UPDATE events SET hash = 'f00' WHERE seq = 4", "UPDATE events SET finding_id = NULL WHERE seq = 1",
)  # fmt: skip


def register(dice: random.Random, path: Path) -> str:
    """A register that was damaged on the disk, or by somebody with SQLite."""
    kind = dice.choice(
        (
            "flip",
            "truncate",
            "cut",
            "nul",
            "empty",
            "text",
            "copy",
            "copy",
            "statement",
            "statement",
            "statement",
            "folder",
            "wal",
        )
    )
    data = path.read_bytes()
    if kind == "copy":
        copy = path.with_name(f".{path.name}-copy.csv")
        change = dice.choice((flip, truncate, cut, nul, insert, double_block, drop_line, shuffle_lines, line_ends))
        fresh(copy, change(dice, copy.read_bytes()))
        return "copy"
    if kind == "statement":
        said = dice.choice(STATEMENTS)
        base = sqlite3.connect(path)
        with suppress(sqlite3.Error):  # it may be damaged already
            for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                base.execute(f"DROP TRIGGER {name}")
            base.execute(said)
            base.commit()
        base.close()
        return said
    if kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "wal":
        fresh(path.with_name(path.name + "-wal"), dice.choice((b"garbage" * 100, bytes(4096), b"")))
    elif kind in ("empty", "text"):
        fresh(path, b"" if kind == "empty" else b"no database, but text that is long enough to be looked into" * 20)
    else:
        fresh(path, {"flip": flip, "truncate": truncate, "cut": cut, "nul": nul}[kind](dice, data))
    return kind


def fresh(path: Path, data: bytes) -> None:
    """Writes a new file: the old one may be linked to the seed."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()
