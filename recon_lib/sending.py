"""New packets of an account into a cloud: all files first, the manifest last. A packet without a manifest is not there.

So a reader never meets half a packet, and what a killed run left is completed by the next one with its own bytes. Every
write has a condition, and the manifest goes up only while the lease of the account is held: nothing published is changed.
"""

from __future__ import annotations

from pathlib import Path

from recon_lib import manifest
from recon_lib.cloud import Cloud, Found
from recon_lib.cloud_problems import Differs
from recon_lib.errors import RunError
from recon_lib.lease import Lease
from recon_lib.mirror import POINTERS, packets


def send(folder: Path, home: Cloud, there: dict[str, Found], lease: Lease) -> None:
    """Everything that `folder` has and `home` (listed as `there` while the lease was held) has not.

    Raises:
        RunError: the lease was lost, the storage does not answer, or something stands there that is no part of a packet.
    """
    published = set(packets(there))
    made = {path.parent.name for path in folder.glob(f"*/{manifest.NAME}") if not path.parent.name.startswith(".")}
    try:
        for name in sorted(made - published, key=_order):
            _packet(folder / name, name, home, there, lease)
        for path in sorted(folder.glob("*.log")):
            home.replace(path.name, path.read_bytes())
        for name in POINTERS:
            _pointer(folder / name, home, there)
        done = {name.split(".r")[0] for name in made}
        for log in [name for name in there if name.endswith(".log") and "/" not in name]:
            if log.removesuffix(".log") in done and not (folder / log).exists():
                home.delete(log)  # why it failed then is of no use now
    except Differs as problem:
        raise RunError(f"{problem} was written by someone else meanwhile", hoped="one run of an account at a time",
                       do="nothing published was changed; run again") from None  # fmt: skip


def _order(name: str) -> tuple[str, int]:
    day, _, revision = name.partition(".r")
    return day, int(revision or 1)


def _packet(packet: Path, name: str, home: Cloud, there: dict[str, Found], lease: Lease) -> None:
    files = sorted(path for path in packet.iterdir() if path.name != manifest.NAME)
    left = {file: found for file, found in there.items() if file.startswith(f"{name}/")}
    if strange := sorted(set(left) - {f"{name}/{path.name}" for path in files}):
        raise RunError(f"{home}/{strange[0]} exists, but no packet was published there", hoped="a free place",
                       do="move what lies there away and run again")  # fmt: skip
    lease.renew()  # who lost the account while it worked stops here, before the first write
    for path in files:
        file = f"{name}/{path.name}"
        home.write(file, path.read_bytes(), over=left[file].etag if file in left else "")
    lease.renew()
    home.write(f"{name}/{manifest.NAME}", (packet / manifest.NAME).read_bytes())


def _pointer(path: Path, home: Cloud, there: dict[str, Found]) -> None:
    if not path.is_file():
        return
    content, found = path.read_bytes(), there.get(path.name)
    if found is None or home.read(path.name)[0] != content:
        home.write(path.name, content, over=found.etag if found else "")
