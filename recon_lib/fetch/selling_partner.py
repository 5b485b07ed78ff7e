"""The Selling Partner API through python-amazon-sp-api: its clients make the requests, `Wire` carries them.

What that library would do by itself is switched off: other sources of credentials, another marketplace by an environment
variable, a token cache shared by all accounts, decoding of documents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sp_api.api.fulfillment_inbound.fulfillment_inbound_v0 import FulfillmentInboundV0
from sp_api.api.reports.reports import Reports
from sp_api.auth import AccessTokenClient, AccessTokenResponse
from sp_api.auth.exceptions import AuthorizationError
from sp_api.base import Client, Marketplaces, SellingApiException
from sp_api.base.credential_provider import FromCodeCredentialProvider

from recon_lib.errors import UsageError
from recon_lib.fetch.keys import Secrets
from recon_lib.fetch.problems import NotAllowed, NotLetIn, Refused, Unanswered
from recon_lib.fetch.ready import Report, report
from recon_lib.fetch.spans import Span
from recon_lib.fetch.wire import Wire, endpoint

LWA = "https://api.amazon.com"
STATUSES = "WORKING,READY_TO_SHIP,SHIPPED,RECEIVING,CANCELLED,DELETED,CLOSED,ERROR,IN_TRANSIT,DELIVERED,CHECKED_IN"
MOST_PAGES = 2000


class _Token(AccessTokenClient):  # type: ignore[misc]
    """An access token of this run, renewed before it ends or when Amazon says that it has ended."""

    def __init__(self, wire: Wire, secrets: Secrets, **given: Any) -> None:
        super().__init__(**given)
        self.__dict__["_transport"].close()
        self._transport: Any = wire
        self._wire, self._secrets = wire, secrets
        self.scheme, self.host = endpoint(LWA).split("://")[0] + "://", endpoint(LWA).split("://")[1]
        self._held: dict[str, Any] = {}
        self._until = 0.0

    def get_auth(self) -> AccessTokenResponse:
        if not self._held or self._wire.clock.ticks() >= self._until:
            told = self._request(self.scheme + self.host + self.path, self.data, self.headers)
            if not isinstance(told, dict) or not isinstance(told.get("access_token"), str):
                raise Unanswered("Login with Amazon answered without a token", do="nothing, the next run tries again")
            self._secrets.add(told["access_token"])
            self._held, self._until = told, self._wire.clock.ticks() + float(told.get("expires_in") or 3600) - 120
        return AccessTokenResponse(access_token=self._held["access_token"])

    def forget(self) -> None:
        self._held = {}


class SellingPartner:
    """Reports 2021-06-30 and the shipments of Fulfillment Inbound v0, for one seller in one marketplace."""

    def __init__(self, marketplace: str, keys: Mapping[str, str], wire: Wire, secrets: Secrets) -> None:
        self._wire, self._secrets = wire, secrets
        self._token: _Token | None = None
        place = Marketplaces[marketplace]
        if "sandbox" in place.endpoint:
            raise UsageError("AWS_ENV asks for Amazon's sandbox, whose reports are invented", do="unset AWS_ENV")
        given = {
            "refresh_token": keys["SP_API_REFRESH_TOKEN"],
            "lwa_app_id": keys["LWA_APP_ID"],
            "lwa_client_secret": keys["LWA_CLIENT_SECRET"],
        }
        self._reports = self._client(Reports, place, given)
        self._inbound = self._client(FulfillmentInboundV0, place, given)

    def _client(self, kind: type[Client], place: Marketplaces, given: dict[str, str]) -> Any:
        client = kind(
            place,
            credentials=given,
            credential_providers=(FromCodeCredentialProvider,),
            auth_token_client_class=self._one_token,
        )
        client._transport.close()
        client._transport = self._wire
        client.endpoint = endpoint(place.endpoint)
        client.marketplace_id, client.region = place.marketplace_id, place.region
        return client

    def _one_token(self, **given: Any) -> _Token:
        self._token = self._token or _Token(self._wire, self._secrets, **given)
        return self._token

    def listed(self, report_type: str, since: datetime) -> list[Report]:
        """The reports of a type made since then, the oldest first; Amazon keeps them for 90 days at most."""
        told: dict[str, Any] = {"reportTypes": [report_type], "createdSince": _iso(since), "pageSize": 100}
        told["marketplaceIds"] = [self._reports.marketplace_id]
        found: dict[str, Report] = {}
        for _ in range(MOST_PAGES):
            page, token = self._page(self._reports.get_reports, "reports", **told)
            for each in page["reports"]:
                one = self._report(each)
                found.setdefault(one.id, one)
            if not token or token == told.get("nextToken"):
                break
            told = {"nextToken": token}
        return sorted(found.values(), key=lambda one: (one.first or datetime.min.replace(tzinfo=UTC), one.id))

    def ask(self, report_type: str, begin: datetime, end: datetime, options: Mapping[str, str], mark: str) -> str:
        """Asks for a report; its id."""
        told: dict[str, Any] = {"reportType": report_type, "dataStartTime": _iso(begin), "dataEndTime": _iso(end)}
        told["marketplaceIds"] = [self._reports.marketplace_id]
        if options:
            told["reportOptions"] = dict(options)
        return str(self._call(self._reports.create_report, "reportId", **told)["reportId"])

    def look(self, report_id: str) -> Report:
        """How far a report is."""
        return self._report(self._call(self._reports.get_report, "processingStatus", report_id))

    def document(self, document_id: str) -> tuple[str, bool]:
        """The signed address of a document (good for five minutes), and whether it is gzip."""
        told = self._call(self._reports.get_report_document, "url", document_id)
        return str(told["url"]), told.get("compressionAlgorithm") == "GZIP"

    def pages(self, span: Span, begin: datetime, end: datetime) -> list[tuple[str, bytes]]:
        """Every page of shipments and of their items changed in the period, as delivered."""
        out = []
        for name, ask, inside in (
            ("shipments", self._inbound.get_shipments, "ShipmentData"),
            ("items", self._inbound.shipment_items, "ItemData"),
        ):
            told = {"QueryType": "DATE_RANGE", "LastUpdatedAfter": _iso(begin), "LastUpdatedBefore": _iso(end)}
            if name == "shipments":
                told["ShipmentStatusList"] = STATUSES
            for number in range(1, MOST_PAGES):
                page, token = self._page(ask, inside, **told, MarketplaceId=self._inbound.marketplace_id)
                if page[inside]:
                    out.append((f"{name}-{number:04}.json", self._wire.last_body))
                if not token or token == told.get("NextToken"):
                    break
                told = {"QueryType": "NEXT_TOKEN", "NextToken": token}
        return out

    def _report(self, told: Mapping[str, Any]) -> Report:
        try:
            return report(told, "dataStartTime", "dataEndTime")
        except ValueError:
            raise _strange() from None

    def _call(self, ask: Callable[..., Any], needed: str, *given: str, **named: Any) -> dict[str, Any]:
        return self._page(ask, needed, *given, **named)[0]

    def _page(
        self, ask: Callable[..., Any], needed: str, *given: str, **named: Any
    ) -> tuple[dict[str, Any], str | None]:
        """One call of the library and the token of the next page; its empty answers to broken bodies and all its errors
        in words."""
        for again in (True, False):
            try:
                answer = ask(*given, **named)
                told, token = answer.payload, answer.next_token  # the library takes the token out of the payload
            except AuthorizationError as problem:
                raise self._not_let_in(problem) from None
            except SellingApiException as problem:
                if self._is_about_access(problem) and again and self._token:
                    self._token.forget()  # it may have ended before its time
                    continue
                raise self._refused(problem) from None
            except (json.JSONDecodeError, UnicodeDecodeError, AttributeError, TypeError, LookupError):
                raise _strange() from None
            if not isinstance(told, dict) or told.get(needed) is None:
                raise _strange()
            return told, token
        raise AssertionError("the second try ends the loop")

    @staticmethod
    def _is_about_access(problem: SellingApiException) -> bool:
        return problem.code in (401, 403) or getattr(problem, "amzn_code", "") in ("Unauthorized", "AccessDenied")

    def _refused(self, problem: SellingApiException) -> Refused | NotAllowed:
        code, text = getattr(problem, "amzn_code", "") or problem.code, getattr(problem, "message", "") or ""
        told = self._secrets.hide(f"Amazon refuses it: {code}: {' '.join(str(text).split())[:300]}")
        if self._is_about_access(problem):
            return NotAllowed(
                told, do="give the application the role that docs/fetch.md names, then authorise it again"
            )
        return Refused(
            told, do="nothing, the next run asks again; where it stays so, leave the family out with --family"
        )

    @staticmethod
    def _not_let_in(problem: AuthorizationError) -> NotLetIn:
        known = {
            "invalid_client": "the application's id or secret (LWA_APP_ID, LWA_CLIENT_SECRET) is not good",
            "unauthorized_client": "the refresh token belongs to another application",
            "invalid_grant": "the refresh token (SP_API_REFRESH_TOKEN) is not good or was withdrawn",
        }
        why = known.get(str(problem.error_code), f"it answered {problem.status_code}")
        return NotLetIn(f"Login with Amazon refuses the credentials: {why}", do="authorise the application again")


def _strange() -> Unanswered:
    return Unanswered("Amazon's answer is not what its documents promise", do="nothing, the next run tries again")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
