"""A real S3 server (moto, a process of its own) on loopback, and between it and the kit a line that can be disturbed."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
SIGNED = {
    "authorization": "AWS4-HMAC-SHA256 Credential=other/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
}
CUT = "cut"  # what a disturbance gives to break the connection


SECRET = "never-to-be-seen-0123456789"


def environment(server: Storage, place: Path) -> dict[str, str]:
    """How a user says where the storage is and who asks; nothing of this machine's own settings is left."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RECON_"))}
    return clean | {
        "AWS_ENDPOINT_URL": server.address, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(place / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(place / "none"),
        "RECON_STORE": str(place / "store"), "XDG_CACHE_HOME": str(place / "cache"), "RECON_LEASE_SECONDS": "2",
    }  # fmt: skip


@contextmanager
def bucket_of(server: Storage, place: Path) -> Iterator[str]:
    """A new bucket, which this process reaches by its environment as a user would."""
    import s3fs

    name = f"bucket-{time.monotonic_ns()}"
    with pytest.MonkeyPatch.context() as patch:
        for known in set(os.environ) - set(environment(server, place)):
            patch.delenv(known)
        for known, value in environment(server, place).items():
            patch.setenv(known, value)
        patch.setattr(s3fs.S3FileSystem, "retries", 1)
        assert server.send("PUT", f"/{name}")[0] == 200
        server.asked.clear()
        yield name
        server.disturb = lambda asked: None


@contextmanager
def running(log: Path) -> Iterator[Storage]:
    import s3fs

    storage, stop = start(log)
    s3fs.S3FileSystem.clear_instance_cache()
    yield storage
    s3fs.S3FileSystem.clear_instance_cache()
    stop()


@dataclass
class Asked:
    """One request that reached the line: `key` is `/bucket/name`, `query` the rest of the address."""

    method: str
    key: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int = 0


@dataclass
class Storage:
    """The server behind its line. `disturb` is asked before each request: None lets it pass, bytes refuse it with 403,
    CUT breaks the connection; it may also change headers or query, or something behind the kit's back."""

    address: str
    behind: str
    disturb: Callable[[Asked], bytes | str | None] = lambda asked: None
    asked: list[Asked] = field(default_factory=list)

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Straight to the server, past the line: what someone else does."""
        there = urlsplit(self.behind)
        connection = http.client.HTTPConnection(there.hostname or "", there.port)
        connection.request(method, path, body, SIGNED | (headers or {}))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def put(self, path: str, body: bytes) -> None:
        assert self.send("PUT", path, body)[0] == 200

    def get(self, path: str) -> bytes:
        status, content = self.send("GET", path)
        assert status == 200, (path, status)
        return content

    def names(self, bucket: str) -> list[str]:
        """Every key of the bucket (a page of 1000 at most)."""
        text = self.get(f"/{bucket}?list-type=2").decode()
        return sorted(part.split("</Key>")[0] for part in text.split("<Key>")[1:])

    def upload(self, folder: Path, bucket: str, prefix: str) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"/{bucket}/{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())

    def wrote(self, part: str = "") -> list[str]:
        """Keys that the kit wrote, in order."""
        return [a.key for a in self.asked if a.method == "PUT" and a.status == 200 and part in a.key]


def start(log: Path) -> tuple[Storage, Callable[[], None]]:
    """The server with its line, and what ends both."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("w") as told:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=told, stderr=told
        )
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, "the server does not come up"
            time.sleep(0.05)
    line = ThreadingHTTPServer(("127.0.0.1", 0), _Line)
    line.daemon_threads = True
    storage = Storage(f"http://127.0.0.1:{line.server_port}", f"http://127.0.0.1:{port}")
    line.storage = storage  # type: ignore[attr-defined]
    threading.Thread(target=line.serve_forever, daemon=True).start()

    def stop() -> None:
        line.shutdown()
        line.server_close()
        server.kill()
        server.wait()

    return storage, stop


class _Line(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the kit was killed
            self.close_connection = True

    def _any(self) -> None:
        storage: Storage = self.server.storage  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path, _, query = self.path.partition("?")
        asked = Asked(self.command, unquote(path), query, {k.lower(): v for k, v in self.headers.items()}, body)
        storage.asked.append(asked)
        verdict = storage.disturb(asked)
        if verdict == CUT:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if isinstance(verdict, bytes):
            status, headers, content = 403, {"content-type": "application/xml"}, verdict
        else:
            there = urlsplit(storage.behind)
            connection = http.client.HTTPConnection(there.hostname or "", there.port)
            connection.request(self.command, f"{path}?{asked.query}" if asked.query else path, body, asked.headers)
            answer = connection.getresponse()
            content, status = answer.read(), answer.status
            headers = {k.lower(): v for k, v in answer.getheaders()}
            connection.close()
        asked.status = status
        length = headers.pop("content-length", str(len(content))) if self.command == "HEAD" else str(len(content))
        self.send_response_only(status)
        for name, value in headers.items():
            if name not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("content-length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any

    def log_message(self, *told: object) -> None: ...
