"""Buyers' names, addresses, mails, phones and postcodes stand in every report family here, and in no file that is written.

The account is made from the readers' own declarations, so a new family or a new private column is in the test by itself.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest

from recon_lib.reports import FAMILIES, Report
from recon_lib.reports.base import FEW, rows_at
from recon_lib.reports.recognise import normal
from tests.pages import ROOT

DAY = "2026-01-31"
# All invented; each kind of thing a report holds about a buyer, in and beyond ASCII.
SECRETS = (
    "Quendolyn Vrastagh", "Þorgerður Öxnadal", "q.vrastagh@nowhere.example", "+1 555 0199 7431", "47 Zzyxmoor Crescent",
    "Plinthwick-under-Moor", "ZX9 7QQ", "VRASTAGHSHIRE", "please leave it with Aunt Hesperiah", "TAX-77-VRASTAGH-01",
)  # fmt: skip
PIECES = (
    "vrastagh",
    "quendolyn",
    "öxnadal",
    "þorgerður",
    "nowhere.example",
    "0199 7431",
    "zzyxmoor",
    "plinthwick",
    "zx9 7qq",
    "hesperiah",
)
VALUES = {"instant": "2026-01-05T10:00:00+00:00", "day": "2026-01-05", "money": "0.00", "text": "T1"}


def tables() -> list[Report]:
    return [r for r in FAMILIES if r.read is None]


def header_of(report: Report) -> list[str]:
    """Every declared column once, every private one, and one that nobody knows yet."""
    names = list(dict.fromkeys(column.names[0] for column in report.columns))
    known = {normal(name) for name in names}
    for name in (*report.signature, *report.private, "buyer-name", "buyer-email", "buyer-nickname"):
        if normal(name) not in known:
            names.append(name)
            known.add(normal(name))
    return names


def written(report: Report) -> str:
    """A file of the family: a whole row, one that is too short, one that is too long, and one with all cells moved by one."""
    names = header_of(report)
    kinds = {normal(name): column.kind for column in report.columns for name in column.names}
    cells = []
    for n, name in enumerate(names):
        kind = kinds.get(normal(name))
        told = (
            "USD"
            if "currency" in name.lower()
            else "2026-01"
            if "month" in name.lower()
            else VALUES.get(kind or "", "1")
        )
        cells.append(SECRETS[n % len(SECRETS)] if kind is None and name not in report.signature else told)
    lines = [names, cells, cells[: len(cells) // 2], [*cells, *SECRETS]]
    if report.private:  # only there a buyer's cell can come under a column that is read
        lines += [[secret, *cells[:-1]] for secret in SECRETS] + [[*cells[-3:], *cells[:-3]]]
    comma = report.family.startswith("pay") or report.family == "date_range"
    rows = [",".join(f'"{cell}"' for cell in line) if comma else "\t".join(line) for line in lines]
    before = ["All amounts in USD, unless specified"] if report.family == "date_range" else []
    return "".join(row + "\n" for row in (*before, *rows))


def encoded(report: Report, n: int) -> bytes:
    """As UTF-8, UTF-16 or, where its header allows, cp1252: a file that must be recoded leaves no copy either."""
    try:
        return written(report).encode(("utf-8", "cp1252", "utf-16")[n % 3])
    except UnicodeEncodeError:
        return written(report).encode()


def hidden(data: bytes) -> list[str]:
    """The planted pieces in these bytes, in any of the encodings a file may have."""
    found = []
    for piece in PIECES:
        for form in {piece, piece.upper(), piece.title()}:
            for encoding in ("utf-8", "utf-16-le", "latin-1"):
                if form.encode(encoding, "ignore") in data:
                    found.append(piece)
    found += [secret for secret in SECRETS if secret.encode() in data]
    return sorted(set(found))


def everything(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, and what lies packed in it: rows as text, archives, compressed parts of pages."""
    found: dict[str, bytes] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        found[name] = path.read_bytes()
        if path.suffix in (".parquet", FEW):
            frame = rows_at(path).collect()
            found[f"{name} (read)"] = str(frame.select(pl.all().cast(pl.String, strict=False)).rows()).encode()
        elif path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                found |= {f"{name}!{inner}": book.read(inner) for inner in book.namelist()}
        elif path.suffix == ".gz":
            found[f"{name} (unpacked)"] = gzip.decompress(found[name])
    return found


def run(*arguments: object, store: Path, temporary: Path) -> subprocess.CompletedProcess[str]:
    temporary.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "recon_lib", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "RECON_STORE": str(store), "TMPDIR": str(temporary)},
    )  # fmt: skip


def test_every_family_with_buyers_names_its_private_columns() -> None:
    """A column whose header speaks of a buyer is read by no family."""
    spoken = re.compile(r"buyer|recipient|e-?mail|phone|postal|address|comments|gift-message|tax-id", re.I)
    for report in FAMILIES:
        for column in report.columns:
            assert not [name for name in column.names if spoken.search(name)], (report.title, column.target)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("privacy")
    folder = base / "accounts" / "planted"
    (folder / "reports").mkdir(parents=True)
    (folder / "books").mkdir()
    (folder / "account.yml").write_text("account: planted\nmarketplace: US\n")
    for n, report in enumerate(tables()):
        if "(books)" not in report.title:
            (folder / "reports" / f"{n:02d}-{report.family}.txt").write_bytes(encoded(report, n))
    return base


def test_no_buyer_is_in_any_file_that_is_written(planted: Path) -> None:
    store, temporary = planted / "store", planted / "tmp"
    folder = planted / "accounts" / "planted"
    assert len(hidden(b"".join(path.read_bytes() for path in folder.rglob("*.txt")))) >= len(PIECES), (
        "nothing was planted"
    )
    checked = run("check", folder, store=store, temporary=temporary)
    assert "Traceback" not in checked.stderr
    assert " 0 refused" in checked.stdout, checked.stdout
    daily = run(
        "daily", planted / "accounts", "--date", DAY, "--out", planted / "out", store=store, temporary=temporary
    )
    told = checked.stdout + checked.stderr + daily.stdout + daily.stderr
    assert hidden(told.encode()) == []
    files = {
        f"{place}/{name}": data
        for place in ("out", "store", "tmp")
        for name, data in everything(planted / place).items()
    }
    assert any(name.endswith("packet.html") for name in files), daily.stderr
    assert any("/all_orders." in name and name.endswith(" (read)") for name in files)
    assert {name: met for name, data in files.items() if (met := hidden(data))} == {}


def test_what_a_killed_run_left_in_the_store_is_removed_by_the_next(tmp_path: Path) -> None:
    from recon_lib.reports import store

    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine = store.work_folder(tmp_path)
    dead = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-"))
    dead.mkdir()
    (dead / "recoded.txt").write_text(SECRETS[0])
    store._sweep.cache_clear()
    store.work_folder(tmp_path)
    assert not dead.exists()
    assert mine.exists(), "another run is at work there"


def test_parameters_cannot_inject_code(tmp_path: Path) -> None:
    """Names of folders and accounts reach the notebook as text only, whatever they look like."""
    evil = tmp_path / '"; import os; os.system("touch pwned") #'
    (evil / "reports").mkdir(parents=True)
    (evil / "account.yml").write_text("account: plain\nmarketplace: US\n")
    made = run("packet", evil, "--date", DAY, "--out", tmp_path / "out", store=tmp_path / "s", temporary=tmp_path / "t")
    assert made.returncode == 0, made.stderr
    assert not list(tmp_path.rglob("pwned"))
    assert not (ROOT / "pwned").exists()
    (evil / "account.yml").write_text('account: "a\\"; import os"\nmarketplace: US\n')
    refused = run(
        "packet", evil, "--date", DAY, "--out", tmp_path / "out", store=tmp_path / "s", temporary=tmp_path / "t"
    )
    assert refused.returncode == 2


def test_the_process_of_a_notebook_is_given_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    from recon_lib.fetch.keys import NEEDED
    from recon_lib.notice_settings import VARIABLE
    from recon_lib.warm import environment_for

    known = [name for names in NEEDED.values() for name in names]
    secret = [
        *known, f"{known[-1]}_SHOP_US", VARIABLE, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
        "GITHUB_TOKEN", "DB_PASSWORD", "smtp_passwd", "OPENAI_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS",
    ]  # fmt: skip
    for name in secret:
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("RECON_STORE", "/srv/store")
    given = environment_for(ROOT)
    assert "hush" not in given.values()
    assert given["RECON_STORE"] == "/srv/store"
    assert given["PATH"] == os.environ["PATH"]
