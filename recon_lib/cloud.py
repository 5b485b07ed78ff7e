"""Objects in S3-compatible storage, through fsspec: listed, read and written so that nobody's object is overwritten unseen.

Every write names what it expects to find: nothing (`If-None-Match: *`) or the very object that was read (`If-Match`).
Credentials, region and endpoint come from the usual places of AWS (environment, profile, role; AWS_ENDPOINT_URL) or
fsspec's configuration; nothing here sees them. Problems are told by kind and place, never by the text of the server.
"""

from __future__ import annotations

import argparse
import copy
import os
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from recon_lib.errors import ReconError, RunError, UsageError
from recon_lib.paths import to_install

T = TypeVar("T")
AT_ONCE = 8  # downloads
KINDS = {".html": "text/html; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".json": "application/json"}
_DENIED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken",
           "InvalidToken", "RequestTimeTooSkewed", "InvalidSecurity", "NotSignedUp", "403", "401"}  # fmt: skip
_NO_LOGIN = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "CredentialRetrievalError"}
_OTHER = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class Differs(Exception):
    """The object is not the one that was expected: someone else wrote, changed or deleted it."""


@dataclass(frozen=True)
class Found:
    """One object as it was listed. `etag` names this very content; what it is made of is the server's own business."""

    size: int
    etag: str


def is_url(place: object) -> bool:
    """Is that a place in a cloud (whatever it is worth), not a path?"""
    return isinstance(place, str) and bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", place))


def place(text: str) -> Path | str:
    """An argument that may be a folder or an address."""
    return text if is_url(text) else Path(text)


def near(text: str) -> Path:
    """An argument that must be on this machine."""
    if is_url(text):
        raise argparse.ArgumentTypeError(f"{text!r} is an address; this command works on files of this machine")
    return Path(text)


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
            told = _told(problem, self, name)
        raise told from None


def _filesystem(url: str) -> Any:
    try:
        import fsspec
        import s3fs  # noqa: F401  fsspec would say the same, but in its own words
    except ImportError:
        raise UsageError(f"{url} needs the package s3fs, which is not installed",
                         do=f"here and on the workers, {to_install('s3')}") from None  # fmt: skip
    return fsspec.filesystem("s3", use_listings_cache=False)


def _told(problem: BaseException, place: Cloud, name: str) -> Exception:
    """The problem in words: what kind it is and where it was met."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    if isinstance(problem, ReconError | Differs):
        return problem
    where = f"{place.url}/{name}" if name else place.url
    kind = type(problem).__name__
    answer = getattr(problem.__cause__, "response", None) or getattr(problem, "response", None)
    code = str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""
    if code in _OTHER or code in ("NoSuchKey", "404"):
        return Differs(where)
    if code == "NoSuchBucket":
        return UsageError(f"there is no bucket {place.bucket}", hoped="a bucket that exists",
                          do="correct the name, or AWS_ENDPOINT_URL, which says what service is asked")  # fmt: skip
    if code in _DENIED or isinstance(problem, PermissionError):
        return UsageError(
            f"access to {where} is denied ({code or kind})",
            hoped="the right to list, read and (for --out) write and delete objects there",
            do="see which credentials are used (AWS_PROFILE, AWS_ACCESS_KEY_ID, role) and what their policy says",
        )
    if kind in _NO_LOGIN:
        return UsageError(
            f"there are no credentials for {place.url} ({kind})",
            hoped="the usual environment, profile or role of AWS",
            do="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, for the user who runs this",
        )
    if code == "NotImplemented":
        return no_conditions(place)
    if isinstance(problem, OSError) and problem.filename:  # a file of this machine
        return RunError(
            f"{problem.filename} cannot be written: {problem.strerror}", hoped="room for a copy of the account"
        )
    return RunError(f"{where} cannot be reached or broke off ({code or kind})", hoped="a storage that answers",
                    do="run again when it does: what is published stays, what was sent halfway is completed")  # fmt: skip


def no_conditions(place: Cloud) -> UsageError:
    return UsageError(f"the storage of {place.url} ignores the conditions of a write (If-None-Match, If-Match)",
                      hoped="a server that keeps them, as Amazon S3 does: without them two runs could overwrite each other",
                      do="give a local --out folder, and copy it up with another program")  # fmt: skip
