"""`account.yml` -> `Account`: strict, with every default taken from `params/account.yml`."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from recon_lib.errors import UsageError
from recon_lib.settings import MARKETPLACES, account_values, read_yaml

__all__ = ["MARKETPLACES", "Account", "PayFee", "load_account", "read_yaml"]

MatchKey = Literal["AmazonTransactionId", "SellerReferenceId", "SellerOrderId", "AmazonOrderReferenceId"]
Days = Annotated[int, Field(ge=0, le=3660)]
ACCOUNT_NAME, CURRENCY = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", r"^[A-Z]{3}$"
Currency = Annotated[str, Field(pattern=CURRENCY)]


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

    account: str = Field(pattern=ACCOUNT_NAME)
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
        share = value.get("underpaid_tolerance", Decimal(0))
        if share >= 1:  # with it nothing would ever be underpaid
            raise ValueError(f"underpaid_tolerance {share} is no share below 1; 0.02 means 2 %")
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


_PATTERNS = {
    ACCOUNT_NAME: "is no name of letters, digits, '.', '_' and '-' that begins with a letter or digit (64 at most)",
    CURRENCY: "is no code of three capital letters",
}
_KINDS = {
    "int_parsing": "is no whole number",
    "decimal_parsing": "is no number with a decimal point",
    "bool_parsing": "is neither true nor false",
    "date_from_datetime_parsing": "is no day like 2026-01-31",
    "date_parsing": "is no day like 2026-01-31",
    "tuple_type": "is no list like [a, b]",
    "dict_type": "is no mapping like {USD: 0.05}",
    "string_type": "is no single value",
    "string_too_short": "is empty",
    "too_short": "is an empty list",
}


def _words(error: ErrorDetails) -> str:
    """One problem of account.yml for a person."""
    kind, context, met = error["type"], error.get("ctx", {}), f"{error['input']!r}"
    if kind == "extra_forbidden":
        known = PayFee.model_fields if error["loc"][0] == "pay_fees" else Account.model_fields
        return f"unknown key; known: {', '.join(known).replace('valid_from', 'from')}"
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        return f"{met} is none of {', '.join(get_args(MatchKey))}"
    if kind == "string_pattern_mismatch":
        return f"{met} {_PATTERNS[context['pattern']]}"
    for limit, said in (("ge", "less than"), ("le", "more than"), ("lt", "not below")):
        if limit in context:
            return f"{met} is {said} {context[limit]}"
    return f"{met} {_KINDS[kind]}" if kind in _KINDS else str(context.get("error", error["msg"]))


def load_account(folder: Path | str) -> Account:
    """The settings of an account folder; UsageError where anything in account.yml is not understood."""
    values = account_values(folder)
    try:
        return Account.model_validate(values)
    except ValidationError as problem:
        errors = [e for e in problem.errors() if e["type"] != "too_short" or not e["input"]]  # else told by its parts
        first = [f"{'.'.join(str(part) for part in e['loc']) or 'the file'}: {_words(e)}" for e in errors[:8]]
        raise UsageError(
            "; ".join(first), hoped="the keys of data/sample/account.yml", do="correct account.yml", file="account.yml"
        ) from None
