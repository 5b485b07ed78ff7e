"""What is on the disk when a function returns is there after a power cut as well."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write(path: Path, content: bytes, mode: str = "wb") -> None:
    """Writes (or with mode `ab` appends) the content. OSError where that is not possible."""
    with path.open(mode) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, content: bytes, by: Path) -> None:
    """Puts `path` in place as a whole, written as `by` beside it first: after a power cut the old or the new one is there."""
    write(by, content)
    os.replace(by, path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Waits for a file that was written, or a folder in which a name has come, as far as the system can do that."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
