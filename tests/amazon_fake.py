"""A server on this machine that speaks what Amazon documents: Login with Amazon, Reports 2021-06-30, Fulfillment Inbound v0,
documents behind signed addresses, and the report API of Amazon Pay v2 with its signatures. Faults on request.

It shares no code with the library: signatures are checked against the bytes that came, by an own reading of the documents.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ipaddress
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

CLIENT_ID, CLIENT_SECRET, REFRESH = (
    "amzn1.app.planted-id",
    "amzn1.secret.PLANTED0123456789",
    "Atzr|PLANTED-refresh-token-xyz",
)
PAY_KEY_ID = "PLANTEDKEYID1234567890AB"
US = "ATVPDKIKX0DER"


@dataclass
class Seen:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Fault:
    """What happens instead of an answer: for the first `times` requests whose method and path fit."""

    method: str
    path: str
    do: Callable[[Handler], None]
    times: int = 1
    after: int = 0  # so many good ones first


@dataclass
class Amazon:
    """What the server knows and what was asked of it."""

    documents: dict[str, bytes] = field(default_factory=dict)  # report type -> bytes of every report of that type
    zipped: set[str] = field(default_factory=set)  # report types delivered as GZIP
    made: dict[str, dict[str, Any]] = field(default_factory=dict)  # report id -> as Amazon would tell it
    fate: dict[str, list[str]] = field(default_factory=dict)  # report type -> what becomes of the next ones asked for
    slow: int = 0  # looks until a report is done
    inbound: dict[str, list[list[dict[str, Any]]]] = field(default_factory=dict)  # ShipmentData / ItemData: pages
    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    url: str = ""
    ca: Path = Path()
    pay_pem: str = ""
    pay_public: Any = None
    tokens: set[str] = field(default_factory=set)
    good_addresses: set[str] = field(default_factory=set)
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, method: str, path: str) -> list[Seen]:
        return [one for one in self.seen if one.method == method and re.fullmatch(path, one.path)]

    def fault(self, method: str, path: str, do: Callable[[Handler], None], times: int = 1, after: int = 0) -> None:
        self.faults.append(Fault(method, path, do, times, after))

    def listed(self, kind: str, number: int, first: str, last: str, data: bytes, *, pay: bool = False) -> str:
        """A report that Amazon made by itself."""
        one = f"{'A' if pay else ''}{700000 + number}"
        names = ("startTime", "endTime") if pay else ("dataStartTime", "dataEndTime")
        self.made[one] = {
            "reportId": one, "reportType": kind, names[0]: first, names[1]: last, "createdTime": last,
            "processingStatus": "COMPLETED" if pay else "DONE", "reportDocumentId": f"doc-{one}", "_data": data,
        }  # fmt: skip
        return one


def status(code: int, body: bytes = b"{}", **headers: str) -> Callable[[Handler], None]:
    """A fault: this answer instead."""

    def do(handler: Handler) -> None:
        handler.answer(code, body, headers)

    return do


def errors(code: int, name: str, message: str, **headers: str) -> Callable[[Handler], None]:
    return status(code, json.dumps({"errors": [{"code": name, "message": message}]}).encode(), **headers)


def hang_up(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.close()


def cut_off(handler: Handler) -> None:
    """Half of the document, though its whole length was announced."""
    data = handler.document_bytes()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2])
    handler.wfile.flush()
    handler.close_connection = True


def cut_off_unannounced(handler: Handler) -> None:
    """Half of the document, and nothing says how long it is."""
    data = handler.document_bytes()
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2])
    handler.close_connection = True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    amazon: Amazon
    timeout = 20

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = {name.lower(): value for name, value in self.headers.items()}
        self.now = Seen(self.command, parts.path, parse_qs(parts.query), told, body)
        with self.amazon.lock:
            self.amazon.seen.append(self.now)
            for fault in self.amazon.faults:
                if fault.method == self.command and re.fullmatch(fault.path, parts.path):
                    if fault.after > 0:
                        fault.after -= 1
                        continue
                    if fault.times > 0:
                        fault.times -= 1
                        break
            else:
                fault = None
        if fault is not None:
            fault.do(self)
            return
        if parts.path == "/auth/o2/token":
            self.token()
        elif parts.path.startswith("/doc/"):
            self.document()
        elif parts.path.startswith(("/live/v2/", "/v2/")):
            self.pay(parts.path.split("/v2", 1)[1], parts.query)
        else:
            self.seller(parts.path)

    def answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def json(self, told: object, code: int = 200) -> None:
        self.answer(code, json.dumps(told).encode(), {"Content-Type": "application/json"})

    def token(self) -> None:
        form = {name: values[0] for name, values in parse_qs(self.now.body.decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            self.json(
                {"error": "invalid_client", "error_description": f"Client {form.get('client_secret')} failed"}, 401
            )
        elif form.get("refresh_token") != REFRESH:
            self.json({"error": "invalid_grant", "error_description": f"bad token {form.get('refresh_token')}"}, 400)
        else:
            with self.amazon.lock:
                token = f"Atza|PLANTED-access-{len(self.amazon.tokens)}"
                self.amazon.tokens = {*self.amazon.tokens, token}
                self.amazon.current = token
            self.json({"access_token": token, "refresh_token": REFRESH, "token_type": "bearer", "expires_in": 3600})

    # Selling Partner API

    def seller(self, path: str) -> None:
        if self.now.headers.get("x-amz-access-token") != getattr(self.amazon, "current", None):
            text = f"The access token you provided has expired: {self.now.headers.get('x-amz-access-token')}"
            self.json({"errors": [{"code": "Unauthorized", "message": text}]}, 403)
        elif path == "/reports/2021-06-30/reports" and self.command == "POST":
            told = json.loads(self.now.body)
            if "SETTLEMENT" in told["reportType"]:
                text = "Request for report type 1118 is not allowed at this time"
                self.json({"errors": [{"code": "InvalidInput", "message": text}]}, 400)
                return
            self.json({"reportId": self.new(told, "dataStartTime", "dataEndTime")}, 202)
        elif path == "/reports/2021-06-30/reports":
            self.list("createdSince", "%Y-%m-%dT%H:%M:%SZ")
        elif match := re.fullmatch(r"/reports/2021-06-30/reports/([^/]+)", path):
            self.look(match[1], "DONE")
        elif match := re.fullmatch(r"/reports/2021-06-30/documents/doc-([^/]+)", path):
            told = {"reportDocumentId": f"doc-{match[1]}", "url": self.address(match[1])}
            if self.amazon.made[match[1]]["reportType"] in self.amazon.zipped:
                told["compressionAlgorithm"] = "GZIP"
            self.json(told)
        elif path in ("/fba/inbound/v0/shipments", "/fba/inbound/v0/shipmentItems"):
            self.inbound("ShipmentData" if path.endswith("shipments") else "ItemData")
        else:
            self.json({"errors": [{"code": "NotFound", "message": f"no {path}"}]}, 404)

    def new(self, told: dict[str, Any], first: str, last: str) -> str:
        with self.amazon.lock:
            one = str(50000 + len(self.amazon.made))
            fates = self.amazon.fate.get(told["reportType"], [])
            fate = fates.pop(0) if fates else "DONE"
            self.amazon.made[one] = {
                "reportId": one, "reportType": told["reportType"], first: told[first], last: told[last],
                "createdTime": self.amazon.clock().isoformat(), "_fate": fate, "_left": self.amazon.slow,
            }  # fmt: skip
        return one

    def look(self, one: str, good: str) -> None:
        made = self.amazon.made.get(one)
        if made is None:
            self.json({"errors": [{"code": "NotFound", "message": "no such report"}]}, 404)
            return
        self.json(self.progress(made, good, step=1))

    def progress(self, made: dict[str, Any], good: str, step: int = 0) -> dict[str, Any]:
        if "processingStatus" not in made:
            made["_left"] -= step
            told = {key: value for key, value in made.items() if not key.startswith("_")}
            if made["_left"] >= 0:
                return {**told, "processingStatus": "IN_PROGRESS"}
            made["processingStatus"] = good if made["_fate"] == "DONE" else made["_fate"].split(":")[0]
            if made["_fate"] == "DONE" or ":" in made["_fate"]:
                made["reportDocumentId"] = f"doc-{made['reportId']}"
        return {key: value for key, value in made.items() if not key.startswith("_")}

    def list(self, since_name: str, form: str, good: str = "DONE") -> None:
        query = {name: values[0] for name, values in self.now.query.items()}
        if "nextToken" in query:
            kind, start = query["nextToken"].rsplit("|", 1)
            if set(query) != {"nextToken"}:
                self.json({"errors": [{"code": "InvalidInput", "message": "nextToken must stand alone"}]}, 400)
                return
        else:
            kind, start = query["reportTypes"], "0"
            since = dt.datetime.strptime(query[since_name], form).replace(tzinfo=dt.UTC)
            if self.amazon.clock() - since > dt.timedelta(days=90):
                self.json(
                    {"errors": [{"code": "InvalidInput", "message": "createdSince is more than 90 days ago"}]}, 400
                )
                return
        found = [self.progress(made, good) for made in self.amazon.made.values() if made["reportType"] == kind]
        at, size = int(start), 10
        told: dict[str, Any] = {"reports": found[at : at + size]}
        if len(found) > at + size:
            told["nextToken"] = f"{kind}|{at + size}"
        self.json(told)

    def address(self, one: str) -> str:
        with self.amazon.lock:
            mark = f"PLANTEDSIGNATURE{len(self.amazon.good_addresses)}"
            self.amazon.good_addresses.add(mark)
        return f"{self.amazon.url}/doc/{one}?X-Amz-Signature={mark}&X-Amz-Expires=300"

    def document_bytes(self) -> bytes:
        made = self.amazon.made[self.now.path.removeprefix("/doc/")]
        if ":" in made.get("_fate", ""):
            return made["_fate"].split(":", 1)[1].encode()
        return made.get("_data") or self.amazon.documents[made["reportType"]]

    def document(self) -> None:
        private = [name for name in self.now.headers if name.startswith(("x-amz", "authorization", "cookie"))]
        if private or self.now.query["X-Amz-Signature"][0] not in self.amazon.good_addresses:
            self.answer(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
            return
        self.answer(200, self.document_bytes(), {"Content-Type": "text/plain;charset=Cp1252"})

    def inbound(self, name: str) -> None:
        pages = self.amazon.inbound.get(name, [[]])
        kind, query = self.now.query.get("QueryType", [""])[0], self.now.query
        if kind == "DATE_RANGE" and not {"LastUpdatedAfter", "LastUpdatedBefore", "MarketplaceId"} <= set(query):
            self.json({"errors": [{"code": "InvalidInput", "message": "dates are missing"}]}, 400)
            return
        at = int(query["NextToken"][0]) if kind == "NEXT_TOKEN" else 0
        told: dict[str, Any] = {name: pages[at]}
        if at + 1 < len(pages):
            told["NextToken"] = str(at + 1)
        self.json({"payload": told})

    # Amazon Pay

    def pay(self, path: str, query: str) -> None:
        if not self.is_signed(query):
            self.json({"reasonCode": "InvalidRequestSignature", "message": "the signature does not fit"}, 401)
        elif path == "/reports" and self.command == "POST":
            told = json.loads(self.now.body)
            self.json({"reportId": self.new(told, "startTime", "endTime")}, 201)
        elif path == "/reports":
            self.list("createdSince", "%Y%m%dT%H%M%SZ", "COMPLETED")
        elif match := re.fullmatch(r"/reports/([^/]+)", path):
            self.look(match[1], "COMPLETED")
        elif match := re.fullmatch(r"/report-documents/doc-([^/]+)", path):
            told = {"reportDocumentId": f"doc-{match[1]}", "url": self.address(match[1]), "compressionAlgorithm": "N/A"}
            self.json(told)
        else:
            self.json({"reasonCode": "ResourceNotFound", "message": path}, 404)

    def is_signed(self, query: str) -> bool:
        form = r"AMZN-PAY-RSASSA-PSS-V2 PublicKeyId=(\S+), SignedHeaders=(\S+), Signature=(\S+)"
        match = re.fullmatch(form, self.now.headers.get("authorization", ""))
        needed = {"accept", "content-type", "x-amz-pay-date", "x-amz-pay-host", "x-amz-pay-region"}
        if not match or match[1] != PAY_KEY_ID or not needed <= set(match[2].split(";")):
            return False
        if query != "&".join(sorted(query.split("&"))):
            return False
        text = f"{self.command}\n{self.now.path}\n{query}\n"
        for name in match[2].split(";"):
            text += f"{name}:{self.now.headers[name]}\n"
        text += f"\n{match[2]}\n{hashlib.sha256(self.now.body).hexdigest()}"
        to_sign = "AMZN-PAY-RSASSA-PSS-V2\n" + hashlib.sha256(text.encode()).hexdigest()
        try:
            self.amazon.pay_public.verify(
                base64.b64decode(match[3]), to_sign.encode(), padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()
            )  # fmt: skip
        except Exception:
            return False
        return (
            self.now.headers["x-amz-pay-host"] == "pay-api.amazon.com" and self.now.headers["x-amz-pay-region"] == "na"
        )


def certificate(place: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=2)).not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (place / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (place / "key.pem").write_bytes(key.private_bytes(*form))
    return place / "ca.pem", place / "key.pem"


@contextmanager
def running(place: Path) -> Iterator[Amazon]:
    """The server, on a free port, until the block ends."""
    amazon = Amazon()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    amazon.pay_pem, amazon.pay_public = key.private_bytes(*form).decode(), key.public_key()
    amazon.ca, key_file = certificate(place)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"amazon": amazon}))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(amazon.ca, key_file)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    amazon.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield amazon
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
