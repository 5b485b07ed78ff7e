"""`books/bank/mapping.yml`: how a bank's own CSV calls its columns and writes its days and amounts.

    date: Buchungstag              # column of the booking day
    date_format: "%d.%m.%Y"        # as written in the file
    amount: Betrag                 # one signed column, or instead of it:
    # credit: Haben                #   money that came
    # debit: Soll                  #   money that left (with or without a minus)
    # direction: Soll/Haben        # beside an `amount` without a sign: the column that says which way the money went,
    # came: [H]                    #   its words for money that came
    # left: [S]                    #   and for money that left
    currency: Waehrung             # a column, or a constant such as EUR where no column has that name
    description: [Auftraggeber, Verwendungszweck]
    reference: Kundenreferenz      # may be left out
    delimiter: ";"                 # ; , | or tab; left out: the one that the header line shows
    decimal: ","                   # , or . (left out: the point)

Unknown keys are refused. `bank_mapped` reads the CSV by it.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from recon_lib.errors import UsageError

NAME = "mapping.yml"
_MOST_SETTINGS = 64 * 1024
DELIMITERS = {";": ";", ",": ",", "|": "|", "tab": "\t", "\t": "\t"}


def plain_name(name: str) -> str:
    """A name as it is compared: without case, its blanks joined."""
    return " ".join(name.split()).lower()


class Mapping(BaseModel):
    """How one bank calls its columns. Names are compared without case and outer blanks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: str = Field(min_length=1)
    date_format: str
    amount: str | None = None
    credit: str | None = None
    debit: str | None = None
    direction: str | None = None
    came: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    currency: str = Field(min_length=1)
    description: tuple[str, ...] = ()
    reference: str | None = None
    delimiter: str | None = None
    decimal: Literal[",", "."] = "."

    @field_validator("amount", "credit", "debit", "direction", "reference", mode="before")
    @classmethod
    def _none_where_blank(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("date", "currency")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("name the column")
        return value

    @field_validator("description", "came", "left", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        names = (value,) if isinstance(value, str) else value
        return tuple(n for n in names if n != "" and not str(n).isspace()) if isinstance(names, tuple | list) else names

    @field_validator("delimiter")
    @classmethod
    def _known_delimiter(cls, value: str | None) -> str | None:
        if value and value not in DELIMITERS:
            raise ValueError("write one of ; , | or tab")
        return DELIMITERS[value] if value else None

    @field_validator("date_format")
    @classmethod
    def _whole_format(cls, value: str) -> str:
        marks = re.findall(r"%(.?)", value)
        day = datetime(2031, 12, 25)
        known = set(marks) <= set("dmyYbBHMS") and len(set(marks)) == len(marks) and not {"y", "Y"} <= set(marks)
        if not known or datetime.strptime(day.strftime(value), value).date() != day.date():
            raise ValueError("write day, month and year, such as %d.%m.%Y or %Y-%m-%d")
        return value

    @model_validator(mode="after")
    def _one_way_to_amounts(self) -> Mapping:
        if (self.amount is None) == (self.credit is None) or (self.credit is None) != (self.debit is None):
            raise ValueError("name either `amount`, or both `credit` and `debit`")
        told = (self.direction is not None, bool(self.came), bool(self.left))
        if any(told) and not (all(told) and self.amount):
            raise ValueError("name `direction`, `came` and `left` together, beside an `amount` without a sign")
        if set(map(plain_name, self.came)) & set(map(plain_name, self.left)):
            raise ValueError("a word stands for both money that came and money that left")
        return self


def load_mapping(path: Path) -> Mapping:
    """The mapping file, strictly: every value stays text, a key may stand once. Raises UsageError."""
    file = path.name
    try:
        data = path.read_bytes()
        if len(data) > _MOST_SETTINGS:
            raise UsageError(f"a file of {len(data)} bytes", hoped="a short settings file", file=file)
        text = data.decode("utf-8-sig")
        tokens = list(yaml.scan(text, Loader=yaml.BaseLoader))
        if any(isinstance(token, yaml.AliasToken) for token in tokens):
            raise UsageError("a YAML alias (*name)", hoped="plain values", file=file)
        node = yaml.compose(text, Loader=yaml.BaseLoader)
        if not isinstance(node, yaml.MappingNode):
            raise UsageError("no `key: value` lines", hoped="the keys " + " ".join(Mapping.model_fields), file=file)
        keys = [str(key.value) for key, _ in node.value]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise UsageError(f"the key {twice[0]!r} stands twice", hoped="each key once", file=file)
        return to_mapping(yaml.load(text, yaml.BaseLoader), file)  # BaseLoader gives text, lists and mappings only
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        met = f"cannot be read: {getattr(error, 'problem', None) or type(error).__name__}"
        raise UsageError(met, hoped="a YAML file in UTF-8", do="correct the mapping", file=file, line=line) from None


def to_mapping(content: object, file: str = NAME) -> Mapping:
    """What the mapping file holds (a YAML mapping with every value as text), strictly. Raises UsageError."""
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        hoped = "the keys " + " ".join(Mapping.model_fields)
        raise UsageError(told, hoped=hoped, do="correct the mapping", file=file) from None
