"""Amazon Pay's canonical request, as its documents and SDKs show it, and the credentials."""

from __future__ import annotations

import sys
import types

import pytest

from recon_lib.fetch.keys import Secrets, find
from recon_lib.fetch.problems import NotLetIn
from recon_lib.fetch.signing import canonical, private_key, query


def test_canonical_request_by_hand() -> None:
    headers = {
        "X-Amz-Pay-Region": "eu", "accept": "application/json", "x-amz-pay-host": "pay-api.amazon.eu",
        "content-type": "application/json", "x-amz-pay-date": "20180524T223710Z",
    }  # fmt: skip
    assert canonical("POST", "/sandbox/v2/in-store/refund", "", headers, "") == (
        "POST\n/sandbox/v2/in-store/refund\n\n"
        "accept:application/json\ncontent-type:application/json\nx-amz-pay-date:20180524T223710Z\n"
        "x-amz-pay-host:pay-api.amazon.eu\nx-amz-pay-region:eu\n\n"
        "accept;content-type;x-amz-pay-date;x-amz-pay-host;x-amz-pay-region\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of nothing
    )


def test_canonical_query_is_sorted_and_encoded() -> None:
    assert query({"reportTypes": "_A_,_B_", "createdSince": "2026-01-01T00:00:00+01:00", "a": "~ /"}) == (
        "a=~%20%2F&createdSince=2026-01-01T00%3A00%3A00%2B01%3A00&reportTypes=_A_%2C_B_"
    )


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----"])
def test_a_key_that_is_none_is_told_without_quoting_it(text: str) -> None:
    with pytest.raises(NotLetIn, match="no private RSA key") as problem:
        private_key(text)
    assert "U0VDUkVU" not in str(problem.value)
    assert problem.value.__cause__ is None


NAMES = ("LWA_APP_ID", "LWA_CLIENT_SECRET", "SP_API_REFRESH_TOKEN")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


def test_credentials_by_account(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find("selling_partner", "demo.us-1", Secrets()) is None
    monkeypatch.setenv("SP_API_REFRESH_TOKEN_DEMO_US_1", " token-of-demo \n")
    with pytest.raises(NotLetIn, match="LWA_APP_ID and LWA_CLIENT_SECRET are missing"):
        find("selling_partner", "demo.us-1", Secrets())
    monkeypatch.setenv("LWA_APP_ID", "common-id")
    monkeypatch.setenv("LWA_CLIENT_SECRET", "common-secret")
    monkeypatch.setenv("LWA_APP_ID_DEMO_US_1", "own-id")
    found = find("selling_partner", "demo.us-1", Secrets())
    assert found == {
        "LWA_APP_ID": "own-id",
        "LWA_CLIENT_SECRET": "common-secret",
        "SP_API_REFRESH_TOKEN": "token-of-demo",
    }


def test_a_token_without_the_accounts_name_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "some-value")
    with pytest.raises(NotLetIn, match="SP_API_REFRESH_TOKEN_SHOP_DE"):
        find("selling_partner", "shop-de", Secrets())


@pytest.mark.parametrize("value", ["with blank inside", "with\nline", "ümlaut-token"])
def test_what_cannot_be_a_credential_is_refused_unquoted(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SP_API_REFRESH_TOKEN_SHOP", value)
    with pytest.raises(NotLetIn) as problem:
        find("selling_partner", "shop", Secrets())
    assert value not in str(problem.value)


def test_the_keyring_is_asked_second_and_its_failures_are_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def get_password(service: str, name: str) -> str | None:
        asked.append((service, name))
        if name == "LWA_CLIENT_SECRET_SHOP":
            raise RuntimeError("locked")
        return {"SP_API_REFRESH_TOKEN_SHOP": "from-the-ring", "LWA_CLIENT_SECRET": "ring-secret"}.get(name)

    monkeypatch.setitem(sys.modules, "keyring", types.SimpleNamespace(get_password=get_password))
    monkeypatch.setenv("LWA_APP_ID", "from-environment")
    found = find("selling_partner", "shop", Secrets())
    assert found == {
        "LWA_APP_ID": "from-environment",
        "LWA_CLIENT_SECRET": "ring-secret",
        "SP_API_REFRESH_TOKEN": "from-the-ring",
    }
    assert {service for service, _ in asked} == {"recon-kit"}
    assert ("recon-kit", "LWA_APP_ID") not in asked


def test_hidden_values() -> None:
    secrets = Secrets()
    secrets.add("abcdefgh")
    secrets.add("-----BEGIN PRIVATE KEY-----\nLINEONE1\nLINETWO2\n-----END PRIVATE KEY-----")
    assert secrets.hide("x abcdefgh y LINETWO2 z") == "x *** y *** z"
    assert "abcdefgh" not in repr(secrets)
