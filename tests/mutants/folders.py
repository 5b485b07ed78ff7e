"""The folder that is mutated: the demo account with banks' own formats, JSON and decisions beside it; and its mutants."""

from __future__ import annotations

import gzip
import io
import os
import random
import shutil
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recon_lib.books import open_account
from recon_lib.paths import project_root
from recon_lib.reconcile import reconcile
from recon_lib.register import open_register
from tests.mutants import mutations
from tests.mutants.examine import DAY, Seed, seed_of

DEMO = Path(__file__).resolve().parents[2] / "data" / "sample"
STATEMENTS = 12  # of a hundred daily Amazon Pay settlements: the newest ones
SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
BANKS = {
    "bank/statement.ofx": "OFXHEADER:100\n\n<OFX><STMTRS><CURDEF>USD\n<BANKTRANLIST>\n"
    + "".join(f"<STMTTRN><DTPOSTED>2025100{n}<TRNAMT>{n}.00<FITID>{n}<NAME>x<MEMO>y\n</STMTTRN>\n" for n in range(1, 6))
    + "</BANKTRANLIST></STMTRS></OFX>\n",
    "bank/statement.sta": ":20:A\n:25:1\n:28C:1\n:60F:C251001EUR0,\n:61:2510011001C1,00NTRFX//B\n:86:166?20SVWZ+x?32y\n"
    ":61:251002D1,00NMSCNONREF\n:86:free\ntext\n:62F:C251002EUR0,00\n-\n",
    "bank/statement.xml": f'<Document xmlns="{SPACE}"><BkToCstmrStmt><Stmt>\n'
    + '<Ntry><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2025-10-05</Dt></BookgDt>'
    "<NtryDtls><TxDtls><RmtInf><Ustrd>x</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
    * 3
    + "</Stmt></BkToCstmrStmt></Document>\n",
    "bank/booked.csv": 'd;a;c;t\n2025-10-05;10,00;USD;"x ""y"""\n2025-10-06;-1,00;USD;z\n',
    "bank/mapping.yml": "date: d\ndate_format: '%Y-%m-%d'\namount: a\ncurrency: c\ndescription: [t]\ndecimal: ','\n",
    "inbound.json": '{"payload": {"ItemData": [\n'
    '{"ShipmentId": "FBA15DEMO1", "SellerSKU": "A", "QuantityShipped": 5, "QuantityReceived": 4},\n'
    '{"ShipmentId": "FBA15DEMO2", "SellerSKU": "B", "QuantityShipped": 1, "QuantityReceived": 1}]}}\n',
}


@dataclass(frozen=True)
class Base:
    folder: Path
    store: Path
    seed: Seed


@dataclass(frozen=True)
class Mutant:
    """One folder and what was done to it. `params`: a checkout's params/ that was mutated, `settings`: how files are read may differ."""

    folder: Path
    done: list[str]
    touched: set[str]
    params: Path | None
    settings: bool


def base(place: Path) -> Base:
    """The seed folder, read once: its files lie in the store, and what they hold is known."""
    folder, store = place / "seed", place / "store"
    shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("truth"))
    daily = sorted(folder.glob("reports/amazon-pay/20*/*.csv"), key=lambda path: path.name)
    for path in daily[:-STATEMENTS]:
        path.unlink()
    for name, text in BANKS.items():
        path = (folder / "reports" / name) if name.endswith(".json") else (folder / "books" / name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    books = open_account(folder, DAY, store=store)
    ids = reconcile(books).findings["finding_id"].to_list()[:6]
    register = open_register(folder, books.account.time_zone)
    moment = datetime(2026, 1, 20, tzinfo=UTC)
    for number, finding in enumerate(ids):
        kind = ("opened", "accepted")[number % 2]
        register.record(kind, who="Ann", note="asked", finding_id=finding, case_id=f"C{number}", at=moment, now=moment)
    return Base(folder, store, seed_of(open_account(folder, DAY, store=store), len(ids)))


def make(base: Base, target: Path, seed: int, number: int) -> Mutant:
    """Folder `number` of the seed: two to four changes, most of them inside files. The same numbers make the same folder."""
    dice = random.Random(f"{seed} {number}")
    shutil.copytree(base.folder, target, copy_function=os.link)
    done: list[str] = []
    touched: set[str] = set()
    params, settings = None, False
    for _ in range(dice.choice((1, 1, 2, 2, 3, 5))):
        kind = dice.choices(("inside", "whole", "books", "settings", "params", "register"), (50, 16, 16, 6, 5, 7))[0]
        if kind == "settings":
            path = target / "account.yml"
            text = mutations.settings(dice, path.read_bytes().decode("utf-8", errors="surrogateescape"))
            mutations.fresh(path, text.encode("utf-8", errors="surrogateescape"))
            settings = True
            done.append(f"account.yml: {text[-80:]!r}")
        elif kind == "params":
            params = params or _params(target.parent / "kit")
            names = sorted((params / "params").rglob("*.*"))
            path = dice.choice(names)
            change = mutations.policy_table if path.suffix == ".csv" else mutations.cells
            mutations.fresh(path, change(dice, path.read_bytes()))
            settings = settings or path.suffix == ".yml"
            done.append(f"params/{path.name}")
        elif kind == "register":
            if (target / "register.sqlite").is_file():
                done.append(f"register.sqlite: {_register(dice, target / 'register.sqlite')}")
        else:
            _file(dice, target, kind, done, touched)
    return Mutant(target, done, touched, params, settings or any("mapping.yml" in line for line in done))


def _register(dice: random.Random, path: Path) -> str:
    mutations.fresh(path, path.read_bytes())  # no longer linked to the seed
    return mutations.register(dice, path)


def _file(dice: random.Random, target: Path, kind: str, done: list[str], touched: set[str]) -> None:
    found = [p for p in sorted(target.rglob("*")) if p.is_file() and not p.is_symlink() and p.stat().st_size < 1 << 20]
    reports = [p for p in found if "reports" in p.parts and not p.name.startswith(".")]
    books = [p for p in found if "books" in p.parts and not p.name.startswith(".")]
    if not reports or not books:
        return
    # The many small files of one kind count as one kind.
    kinds: dict[str, list[Path]] = {}
    for path in books if kind == "books" else reports:
        name = path.relative_to(target).as_posix()
        kinds.setdefault(
            "statements" if "amazon-pay/20" in name else "settlements" if "settlements/20" in name else name, []
        ).append(path)
    path = dice.choice(kinds[dice.choice(sorted(kinds))])
    name = path.relative_to(target).as_posix()
    if kind == "whole":
        what, places = mutations.whole(dice, target, path, reports)
        touched |= {place.relative_to(target).as_posix() for place in places}
    else:
        what = dice.choice((*mutations.INSIDE, *mutations.OFTEN, *mutations.OFTEN))
        mutations.fresh(path, inside(dice, what, path.read_bytes()))
        touched.add(name)
    done.append(f"{name}: {what}")


def inside(dice: random.Random, what: str, data: bytes) -> bytes:
    """A change inside a file; of a packed one mostly inside what is packed, where it still can be unpacked."""
    change = mutations.INSIDE[what]
    if dice.random() < 0.8:
        with suppress(OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError):
            if data[:2] == b"\x1f\x8b":
                return gzip.compress(change(dice, gzip.decompress(data)), mtime=0)
            if data[:4] == b"PK\x03\x04":
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    members = {info.filename: archive.read(info) for info in archive.infolist()}
                name = dice.choice(sorted(members))
                return mutations.zipped(members | {name: change(dice, members[name])})
    return change(dice, data)


def _params(kit: Path) -> Path:
    shutil.copytree(project_root() / "params", kit / "params")
    return kit
