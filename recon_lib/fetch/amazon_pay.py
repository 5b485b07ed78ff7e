"""The report API of Amazon Pay (v2), for one merchant in one region."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from recon_lib.errors import UsageError
from recon_lib.fetch.keys import Secrets
from recon_lib.fetch.problems import NotLetIn, Refused, Unanswered
from recon_lib.fetch.ready import Report, report
from recon_lib.fetch.signing import private_key, query, signed
from recon_lib.fetch.wire import Wire, endpoint

REGIONS = {
    "na": ("https://pay-api.amazon.com", ("US",)),
    "eu": ("https://pay-api.amazon.eu", ("UK", "DE", "FR", "IT", "ES", "IE", "NL", "BE", "SE", "PL")),
    "jp": ("https://pay-api.amazon.jp", ("JP",)),
}
MOST_PAGES = 2000


class AmazonPay:
    """Reports of Amazon Pay. A document's address is good for 30 seconds: it is asked for just before loading."""

    def __init__(self, marketplace: str, keys: Mapping[str, str], wire: Wire, secrets: Secrets) -> None:
        self._wire, self._secrets = wire, secrets
        self._key = private_key(keys["AMAZON_PAY_PRIVATE_KEY"])
        self._key_id = keys["AMAZON_PAY_PUBLIC_KEY_ID"]
        found = [(name, host) for name, (host, places) in REGIONS.items() if marketplace in places]
        if not found:
            raise UsageError(f"there is no Amazon Pay in {marketplace}", do="unset the Amazon Pay credentials")
        if self._key_id.upper().startswith("SANDBOX"):
            raise NotLetIn("the Amazon Pay key is one for the sandbox, whose reports are invented", hoped="a live key")
        self._region, host = found[0]
        self._base = endpoint(host)
        self._host = str(urlsplit(host).hostname)
        self._start = "/v2" if self._key_id.upper().startswith("LIVE") else "/live/v2"

    def listed(self, report_type: str, since: datetime) -> list[Report]:
        """The reports of a type made since then, the oldest first; Amazon keeps them for 90 days at most."""
        told = {"reportTypes": report_type, "createdSince": _basic(since), "pageSize": "100"}
        found: dict[str, Report] = {}
        for _ in range(MOST_PAGES):
            page = self._call("GET", "/reports", told)
            if not isinstance(page.get("reports"), list):
                raise _strange()
            for each in page["reports"]:
                one = self._report(each)
                found.setdefault(one.id, one)
            token = page.get("nextToken")
            if not token or token == told.get("nextToken"):
                break
            told = {"nextToken": str(token)}
        return sorted(found.values(), key=lambda one: (one.first or datetime.min.replace(tzinfo=UTC), one.id))

    def ask(self, report_type: str, begin: datetime, end: datetime, options: Mapping[str, str], mark: str) -> str:
        """Asks for a report; its id. `mark` makes the same request twice one request for Amazon."""
        body = json.dumps({"reportType": report_type, "startTime": _basic(begin), "endTime": _basic(end)})
        once = hashlib.sha256(f"{report_type} {begin} {end} {mark}".encode()).hexdigest()[:32]
        told = self._call("POST", "/reports", {}, body, {"x-amz-pay-idempotency-key": once})
        if not told.get("reportId"):
            raise _strange()
        return str(told["reportId"])

    def look(self, report_id: str) -> Report:
        """How far a report is."""
        return self._report(self._call("GET", f"/reports/{quote(report_id, safe='')}", {}))

    def document(self, document_id: str) -> tuple[str, bool]:
        """The signed address of a document, and whether it is gzip (today it never is)."""
        told = self._call("GET", f"/report-documents/{quote(document_id, safe='')}", {})
        if not told.get("url"):
            raise _strange()
        return str(told["url"]), told.get("compressionAlgorithm") == "GZIP"

    def _report(self, told: Any) -> Report:
        try:
            return report(told, "startTime", "endTime")
        except (ValueError, AttributeError):
            raise _strange() from None

    def _call(
        self, method: str, place: str, asked: Mapping[str, str], body: str = "", more: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        path, line = self._start + place, query(asked)

        def headers() -> Mapping[str, str]:  # made anew for each try: the signature holds the time
            told = {
                "accept": "application/json",
                "content-type": "application/json",
                "x-amz-pay-date": _basic(self._wire.clock.now()),
                "x-amz-pay-host": self._host,
                "x-amz-pay-region": self._region,
                **(more or {}),
            }
            return signed(self._key, self._key_id, method, path, line, told, body)

        url = f"{self._base}{path}{'?' + line if line else ''}"
        answer = self._wire.request(method, url, content=body.encode() or None, headers=headers)
        try:
            told = answer.json()
        except ValueError:
            told = None
        if answer.status_code in (401, 403):
            raise NotLetIn(
                f"Amazon Pay refuses the credentials: {self._reason(told, answer.status_code)}",
                do="compare public key id, private key and region with Seller Central, Integration Central; and this clock",
            )
        if answer.status_code >= 300:
            raise Refused(f"Amazon Pay refuses it: {self._reason(told, answer.status_code)}", do="see docs/fetch.md")
        if not isinstance(told, dict):
            raise _strange()
        return told

    def _reason(self, told: Any, status: int) -> str:
        told = told if isinstance(told, dict) else {}
        text = f"{told.get('reasonCode') or status}: {' '.join(str(told.get('message') or '').split())[:300]}"
        return self._secrets.hide(text)


def _strange() -> Unanswered:
    return Unanswered("Amazon Pay's answer is not what its documents promise", do="nothing, the next run tries again")


def _basic(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
