"""Credentials: from environment variables, else from the system keyring; nowhere else, and never into any text.

What belongs to one seller carries the account's name: `SP_API_REFRESH_TOKEN_DEMO_US` for the account demo-us. So a run for
one account can never bring another seller's reports. The application's own two may be common to all accounts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from recon_lib.errors import UsageError
from recon_lib.fetch.problems import NotLetIn
from recon_lib.fetch.table import Api

SERVICE = "recon-kit"  # the name in the keyring
COMMON = ("LWA_APP_ID", "LWA_CLIENT_SECRET")
NEEDED: dict[Api, tuple[str, ...]] = {
    "selling_partner": (*COMMON, "SP_API_REFRESH_TOKEN"),
    "amazon_pay": ("AMAZON_PAY_PUBLIC_KEY_ID", "AMAZON_PAY_PRIVATE_KEY"),
}


class Secrets:
    """Values that must never be seen; `hide` takes them out of a text."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, value: str) -> str:
        parts = [value, *value.splitlines()] if "\n" in value else [value]
        self._values |= {part for part in parts if len(part) >= 6 and not part.startswith("-----")}
        return value

    def hide(self, text: object) -> str:
        told = str(text)
        for value in sorted(self._values, key=len, reverse=True):
            told = told.replace(value, "***")
        return told

    def __repr__(self) -> str:
        return f"<{len(self._values)} secrets>"


def suffixed(name: str, account: str) -> str:
    """The variable's name for one account: `LWA_APP_ID`, `demo-us` -> `LWA_APP_ID_DEMO_US`."""
    return f"{name}_{re.sub(r'[^A-Z0-9]', '_', account.upper())}"


def find(api: Api, account: str, secrets: Secrets) -> dict[str, str] | None:
    """The credentials for one API by their names; None where none of the account's own is set.

    Raises NotLetIn where they are incomplete or cannot be credentials.
    """
    found: dict[str, str] = {}
    for name in NEEDED[api]:
        asked = [suffixed(name, account), *([name] if name in COMMON else [])]
        for value in _values(asked):
            found[name] = secrets.add(_clean(value, asked[0]))
            break
    own = [name for name in NEEDED[api] if name not in COMMON]
    if not any(name in found for name in own):
        for name in own:
            if os.environ.get(name):
                raise NotLetIn(
                    f"{name} is set, but it belongs to one seller",
                    hoped=f"{suffixed(name, account)}, the name with the account in it",
                    do="name it for the account, so that no other account's reports are fetched with it",
                )
        return None
    missing = [suffixed(name, account) if name in own else name for name in NEEDED[api] if name not in found]
    if missing:
        raise NotLetIn(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
            hoped=f"an environment variable, or an entry of that name under {SERVICE!r} in the system keyring",
        )
    return found


def _values(names: Iterable[str]) -> Iterable[str]:
    names = list(names)
    yield from (os.environ[name] for name in names if os.environ.get(name, "").strip())
    yield from filter(None, map(_from_keyring, names))


def _from_keyring(name: str) -> str:
    """What the keyring holds; nothing where there is no keyring or it is locked (a server often has none)."""
    try:
        import keyring
    except ImportError:
        return ""
    try:
        return (keyring.get_password(SERVICE, name) or "").strip()
    except Exception:  # each keyring has its own errors; the texts of some hold what was asked for
        return ""


def _clean(value: str, name: str) -> str:
    text = value.strip().replace("\\n", "\n") if "PRIVATE_KEY" in name else value.strip()
    if "PRIVATE_KEY" not in name and not re.fullmatch(r"[\x21-\x7e]+", text):
        raise NotLetIn(f"{name} holds blanks or signs that no credential has", do="copy it again, in one piece")
    return text


def set_up(account: str, missing: Iterable[Api]) -> UsageError:
    """The error where an account has no credentials for what is wanted."""
    return UsageError(
        f"there are no credentials for the account {account}",
        hoped=" or ".join(", ".join(suffixed(name, account) for name in NEEDED[api]) for api in missing),
        do="set them as environment variables or in the system keyring; docs/fetch.md tells how to get them",
    )
