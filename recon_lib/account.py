"""`account.yml` -> `Account`: strict, with every default taken from `params/account.yml`."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
import yaml
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from recon_lib.errors import UsageError
from recon_lib.paths import project_root

# Store -> (time zone of its reports, currency): defaults where account.yml is silent.
MARKETPLACES = {
    "US": ("America/Los_Angeles", "USD"), "CA": ("America/Los_Angeles", "CAD"), "MX": ("America/Los_Angeles", "MXN"),
    "BR": ("America/Sao_Paulo", "BRL"), "UK": ("Europe/London", "GBP"), "IE": ("Europe/Dublin", "EUR"),
    "DE": ("Europe/Berlin", "EUR"), "FR": ("Europe/Paris", "EUR"), "IT": ("Europe/Rome", "EUR"),
    "ES": ("Europe/Madrid", "EUR"), "NL": ("Europe/Amsterdam", "EUR"), "BE": ("Europe/Brussels", "EUR"),
    "SE": ("Europe/Stockholm", "SEK"), "PL": ("Europe/Warsaw", "PLN"), "TR": ("Europe/Istanbul", "TRY"),
    "AE": ("Asia/Dubai", "AED"), "SA": ("Asia/Riyadh", "SAR"), "EG": ("Africa/Cairo", "EGP"),
    "IN": ("Asia/Kolkata", "INR"), "JP": ("Asia/Tokyo", "JPY"), "AU": ("Australia/Sydney", "AUD"),
    "SG": ("Asia/Singapore", "SGD"), "ZA": ("Africa/Johannesburg", "ZAR"),
}  # fmt: skip
MatchKey = Literal["AmazonTransactionId", "SellerReferenceId", "SellerOrderId", "AmazonOrderReferenceId"]
Days = Annotated[int, Field(ge=0, le=3660)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
_MAX_BYTES = 256 * 1024


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class PayFee(_Strict):
    """Amazon Pay's fee schedule for one currency from one day on. `percentage` 2.9 means 2.9 %."""

    currency: Currency
    valid_from: date = Field(validation_alias=AliasChoices("from", "valid_from"))
    percentage: Annotated[Decimal, Field(ge=0, lt=100)]
    fixed: Annotated[Decimal, Field(ge=0)]
    refund_percentage_returned: bool = False
    refund_fixed_returned: bool = False
    dispute: Annotated[Decimal, Field(ge=0)] | None = None


class Account(_Strict):
    """The settings of one seller in one marketplace region. Days are calendar days unless said otherwise."""

    account: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    marketplace: str
    time_zone: str
    currency: Currency
    currencies: tuple[Currency, ...]
    match_keys: tuple[MatchKey, ...] = Field(min_length=1)
    pay_fees: tuple[PayFee, ...]
    overdue_hours: Annotated[int, Field(ge=1, le=24 * 366)]
    bank_pattern: str = Field(min_length=1)
    tolerances: dict[str, Annotated[Decimal, Field(ge=0)]]
    lost_wait_days: Days
    auto_pay_days: Days
    settle_days: Days
    bank_days: Days  # business days
    restock_days: Days
    delay_days: Days
    cep_enrolled: bool | None = None

    @field_validator("marketplace")
    @classmethod
    def _known_marketplace(cls, value: str) -> str:
        if value not in MARKETPLACES:
            raise ValueError(f"unknown marketplace {value!r}; known: {' '.join(sorted(MARKETPLACES))}")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"unknown time zone {value!r}; write it as in America/Los_Angeles") from None
        return value

    @field_validator("bank_pattern")
    @classmethod
    def _readable_pattern(cls, value: str) -> str:
        try:
            pl.Series([""]).str.contains(value)
        except pl.exceptions.ComputeError:
            raise ValueError(f"{value!r} is not a regular expression") from None
        return value

    @field_validator("match_keys")
    @classmethod
    def _each_key_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("each match key may stand once")
        return value

    @field_validator("tolerances")
    @classmethod
    def _tolerance_names(cls, value: dict[str, Decimal]) -> dict[str, Decimal]:
        for name in value:
            if name != "underpaid_tolerance" and not re.fullmatch(r"[A-Z]{3}", name):
                raise ValueError(f"unknown tolerance {name!r}; known: underpaid_tolerance and currency codes")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Account:
        if self.currency not in self.currencies:
            raise ValueError(f"currencies must contain the account's currency {self.currency}")
        if self.marketplace == "DE" and self.cep_enrolled is None:
            raise ValueError("cep_enrolled (true or false) is required for DE: the fee card depends on it")
        days = [(fee.currency, fee.valid_from) for fee in self.pay_fees]
        if len(set(days)) != len(days):
            raise ValueError("two pay_fees rows hold for the same currency from the same day")
        return self


class _UniqueKeys(yaml.BaseLoader):
    """Everything stays text (`00123`, `NO`, `0.10`); a key that stands twice is refused, not overwritten."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for (key_node, _), key in zip(node.value, keys, strict=True):
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, every scalar as text. UsageError names file, line and what was met."""
    name = path.name
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError("the file is larger than 256 KB", hoped="a short settings file", file=name)
        text = path.read_bytes().decode("utf-8-sig")
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.BaseLoader)):
            raise UsageError("the file uses a YAML alias (*name)", hoped="plain values", file=name)
        content = yaml.load(text, _UniqueKeys)
    except FileNotFoundError:
        raise UsageError(
            f"there is no {name} in {path.parent}",
            hoped="a folder with account.yml, reports/ and books/",
            do="give the account folder itself, or copy data/sample/account.yml into it and adapt it",
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"cannot be read: {problem}", hoped="a UTF-8 text file", file=name) from None
    except RecursionError:
        raise UsageError("is nested too deeply", hoped="plain settings", file=name) from None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        met = str(getattr(problem, "problem", None) or problem)
        raise UsageError(
            f"is no valid YAML: {met}",
            hoped="lines like 'currency: USD'",
            file=name,
            line=mark.line + 1 if mark else None,
        ) from None
    if not isinstance(content, dict):
        raise UsageError("holds no settings", hoped="lines like 'currency: USD'", file=name)
    return content


def load_account(folder: Path | str) -> Account:
    """The settings of an account folder; UsageError where anything in account.yml is not understood."""
    given = read_yaml(Path(folder) / "account.yml")
    defaults = read_yaml(project_root() / "params" / "account.yml")
    values = {**defaults, **given}
    if isinstance(given.get("tolerances"), dict):
        values["tolerances"] = {**defaults["tolerances"], **given["tolerances"]}
    zone, currency = MARKETPLACES.get(str(given.get("marketplace")), (None, None))
    for name, default in (("time_zone", zone), ("currency", currency)):
        if default is not None:
            values.setdefault(name, default)
    if "currency" in values:
        values.setdefault("currencies", [values["currency"]])
    try:
        return Account.model_validate(values)
    except ValidationError as problem:
        first = [
            f"{'.'.join(str(part) for part in error['loc']) or 'the file'}: "
            + (
                f"unknown key; known: {', '.join(Account.model_fields)}"
                if error["type"] == "extra_forbidden"
                else error["msg"]
            )
            for error in problem.errors()[:8]
        ]
        raise UsageError(
            "; ".join(first), hoped="the keys of data/sample/account.yml", do="correct account.yml", file="account.yml"
        ) from None
