"""Objects in S3-compatible storage, through fsspec: listed, read and written so that nobody's object is overwritten unseen.

Every write names what it expects to find: nothing (`If-None-Match: *`) or the very object that was read (`If-Match`).
Credentials, region and endpoint come from the usual places of AWS (environment, profile, role; AWS_ENDPOINT_URL) or
fsspec's configuration; nothing here sees them.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from recon_lib import cloud_problems
from recon_lib.cloud_problems import Differs
from recon_lib.errors import RunError, UsageError
from recon_lib.paths import to_install

T = TypeVar("T")
AT_ONCE = 8  # downloads
KINDS = {".html": "text/html; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".json": "application/json"}


@dataclass(frozen=True)
class Found:
    """One object as it was listed. `etag` names this very content; what it is made of is the server's own business."""

    size: int
    etag: str


class Cloud:
    """A folder `s3://bucket/some/folder`; names are relative to it. Every method raises ReconErrors, in words."""

    def __init__(self, url: str) -> None:
        found = re.fullmatch(r"s3://([A-Za-z0-9][A-Za-z0-9._-]{1,254})((?:/[^/?#\\\x00-\x1f]+)*)/?", url)
        if not found or {".", ".."} & set(found[2].split("/")):
            shown = re.sub(r"//[^/]*@", "//...@", url)  # someone may have written a password into it
            raise UsageError(f"{shown!r} is no place in a storage", hoped="a folder, or s3://bucket/folder",
                             do="credentials belong into the environment or a profile, never into an address")  # fmt: skip
        self.bucket, self.prefix = found[1], found[2].strip("/")
        self.url = f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def __str__(self) -> str:
        return self.url

    def below(self, name: str) -> Cloud:
        """The folder `name` in it, as it was listed: also one whose name could not be written as an address."""
        found = copy.copy(self)
        found.prefix = f"{self.prefix}/{name}".strip("/")
        found.url = f"{self.url}/{name}"
        return found

    def objects(self) -> dict[str, Found]:
        """Every object below, by its relative name, sorted. A name that ends with / is a mark for a folder, no object."""
        start = f"{self.prefix}/" if self.prefix else ""
        found: dict[str, Found] = {}
        more: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", "", Prefix=start, **more)
            for item in page.get("Contents", []):
                if not item["Key"].endswith("/"):
                    found[item["Key"].removeprefix(start)] = Found(int(item["Size"]), str(item["ETag"]))
            if not page.get("IsTruncated"):
                return dict(sorted(found.items()))
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def inside(self) -> tuple[list[str], list[str]]:
        """Names of the folders and of the objects directly in it, without going through all that lies below."""
        start = f"{self.prefix}/" if self.prefix else ""
        folders: list[str] = []
        names: list[str] = []
        more: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", "", Prefix=start, Delimiter="/", **more)
            folders += [item["Prefix"].removeprefix(start).rstrip("/") for item in page.get("CommonPrefixes", [])]
            names += [item["Key"].removeprefix(start) for item in page.get("Contents", [])]
            if not page.get("IsTruncated"):
                return sorted(filter(None, folders)), sorted(filter(None, names))
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def read(self, name: str) -> tuple[bytes, str]:
        """(content, etag) of a small object. Differs where there is none."""
        return self._run(name, lambda fs: self._get(fs, name))

    def fetch(self, wanted: Mapping[str, Found], folder: Path) -> None:
        """Downloads the objects as listed to `<folder>/<name>`, several at once, each whole or not at all.

        Raises:
            Differs: one is gone or another one by now. RunError: fewer bytes came than were announced.
        """

        import asyncio

        async def all_of_them(fs: Any) -> None:
            gate = asyncio.Semaphore(AT_ONCE)

            async def one(name: str, found: Found) -> None:
                async with gate:
                    await self._stream(fs, name, found, folder / name)

            async with asyncio.TaskGroup() as group:
                for name, found in wanted.items():
                    group.create_task(one(name, found))

        for name in wanted:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        self._run("", all_of_them)

    def write(self, name: str, content: bytes, *, over: str = "") -> str:
        """Writes an object that does not exist yet, or that replaces the one with the etag `over`; gives its etag.

        An answer that got lost makes a client ask twice: what stands there with these very bytes counts as written.

        Raises:
            Differs: another object stands there, which stays as it is.
        """
        expected = {"IfMatch": over} if over else {"IfNoneMatch": "*"}
        kind = KINDS.get(Path(name).suffix, "application/octet-stream")
        try:
            done = self._call("put_object", name, Key=self._key(name), Body=content, ContentType=kind, **expected)
        except Differs:
            there, etag = self.read(name)
            if there != content:
                raise
            return etag
        return str(done["ETag"])

    def replace(self, name: str, content: bytes) -> None:
        """Writes an object whatever stands there: only for pages that are made anew from everything each time."""
        kind = KINDS.get(Path(name).suffix, "application/octet-stream")
        self._call("put_object", name, Key=self._key(name), Body=content, ContentType=kind)

    def age(self, name: str) -> tuple[str, float]:
        """(etag, seconds since it was written), by the clock of the server alone. Differs where there is none."""
        from email.utils import parsedate_to_datetime

        answer = self._call("head_object", name, Key=self._key(name))
        told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if not told:
            raise RunError(f"{self.url} does not say what time it is", hoped="a date in each answer, as S3 gives it")
        return str(answer["ETag"]), (parsedate_to_datetime(told) - answer["LastModified"]).total_seconds()

    def delete(self, name: str) -> None:
        self._call("delete_object", name, Key=self._key(name))

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    async def _get(self, fs: Any, name: str) -> tuple[bytes, str]:
        answer = await fs._call_s3("get_object", Bucket=self.bucket, Key=self._key(name))
        async with answer["Body"] as body:
            return await body.read(), str(answer["ETag"])

    async def _stream(self, fs: Any, name: str, found: Found, target: Path) -> None:
        fresh = target.with_name(f".{target.name}.part")
        answer = await fs._call_s3("get_object", Bucket=self.bucket, Key=self._key(name), IfMatch=found.etag)
        came = 0
        with fresh.open("wb") as file:
            async with answer["Body"] as body:
                while part := await body.read(1 << 20):
                    came += file.write(part)
        if came != found.size:
            raise RunError(f"{self.url}/{name}: {came} of {found.size} bytes came", do="run again")
        os.replace(fresh, target)

    def _call(self, method: str, name: str, **given: Any) -> Any:
        return self._run(name, lambda fs: fs._call_s3(method, Bucket=self.bucket, **given))

    def _run(self, name: str, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        fs = _filesystem(self.url)
        from fsspec.asyn import sync

        try:
            return sync(fs.loop, work, fs)  # type: ignore[no-any-return]
        except Exception as problem:
            met = cloud_problems.told(problem, self.url, name)
        raise met from None


def _filesystem(url: str) -> Any:
    try:
        import fsspec
        import s3fs  # noqa: F401  fsspec would say the same, but in its own words
    except ImportError:
        raise UsageError(f"{url} needs the package s3fs, which is not installed",
                         do=f"here and on the workers, {to_install('s3')}") from None  # fmt: skip
    return fsspec.filesystem("s3", use_listings_cache=False)
