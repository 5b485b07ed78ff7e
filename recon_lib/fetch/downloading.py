"""The bytes of a document, exactly as delivered, into a file that is whole or not there."""

from __future__ import annotations

import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from recon_lib.fetch.problems import Damaged, Expired, Refused, Unanswered
from recon_lib.fetch.wire import Wire, told

CHUNK = 1 << 16


@dataclass(frozen=True)
class Arrived:
    """What lies in the file: `zipped` where the bytes are gzip."""

    path: Path
    sha256: str
    size: int
    zipped: bool


class _Gzip:
    """Looks whether gzip bytes are whole, with their check sums, without keeping what they unpack to."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    def feed(self, data: bytes) -> None:
        while data:
            if self._inner.eof:
                self._inner = zlib.decompressobj(31)
            self._inner.decompress(data, CHUNK * 16)
            data = self._inner.unconsumed_tail or self._inner.unused_data

    @property
    def whole(self) -> bool:
        return self._inner.eof


def download(wire: Wire, url: str, part: Path, *, zipped: bool, most: int | None = None) -> Arrived:
    """Loads the document behind a signed address into `part`, forced to disk.

    Args:
        zipped: Amazon says that the document is gzip.
        most: stop quietly after so many bytes (for the text of an error).

    Raises:
        Expired: the address is no longer good: ask for a fresh one.
        Damaged: less arrived than announced, or the gzip check sum is wrong; try again.
        Refused: the address is none that should be followed.
        Unanswered: the network, or 5xx.
    """
    if urlsplit(url).scheme != "https" or "@" in urlsplit(url).netloc:
        raise Refused("the address of the document is no https address", do="report it to Amazon's developer support")
    digest, size, check = hashlib.sha256(), 0, None
    try:
        # Neither headers nor cookies of the API: the address is another service's and carries its own signature.
        with wire.http.stream("GET", url) as answer, part.open("wb") as file:
            if answer.status_code in (400, 403, 404, 410):
                raise Expired("the address of the document is no longer good")
            if answer.status_code != 200:
                raise Unanswered(
                    f"the document's server answered {answer.status_code}", do="nothing, it is tried again"
                )
            for chunk in answer.iter_raw(CHUNK):
                if not size:
                    check = _Gzip() if chunk[:2] == b"\x1f\x8b" else None
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                if check:
                    check.feed(chunk)
                if most and size >= most:
                    return Arrived(part, digest.hexdigest(), size, check is not None)
            framed = "content-length" in answer.headers or "chunked" in answer.headers.get("transfer-encoding", "")
            file.flush()
            os.fsync(file.fileno())
    except httpx.RemoteProtocolError:
        raise Damaged("the document broke off before its end", do="nothing, it is loaded again") from None
    except httpx.TransportError as problem:
        raise Unanswered(
            f"the document could not be loaded: {told(problem)}", do="nothing, it is tried again"
        ) from None
    except zlib.error:
        raise Damaged("the document is damaged: its check sum is wrong", do="nothing, it is loaded again") from None
    if check and not check.whole:
        raise Damaged("the document is cut off: its gzip end is missing", do="nothing, it is loaded again")
    if size and zipped and check is None:
        raise Damaged("the document should be gzip and is not", do="nothing, it is loaded again")
    if not framed and check is None:
        raise Damaged("nothing says whether the document is whole", do="nothing, it is loaded again")
    return Arrived(part, digest.hexdigest(), size, check is not None)
