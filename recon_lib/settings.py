"""The text of `account.yml` with its defaults, before anything in it is checked. `account` checks it whole.

Apart from `account` because a job over millions of lines needs three settings at once, and pydantic costs more than a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

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
_MAX_BYTES = 256 * 1024


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
    except (FileNotFoundError, NotADirectoryError):
        there = path.parent.is_dir()
        other = path.with_suffix(".yaml").name
        if there and path.with_suffix(".yaml").is_file():
            raise UsageError(
                f"there is no {name} in {path.parent}", hoped=name, do=f"rename {other} to {name}"
            ) from None
        raise UsageError(
            f"there is no {name} in {path.parent}" if there else f"there is no folder {path.parent}",
            hoped="a folder with account.yml, reports/ and books/",
            do="give the account folder itself"
            + (", or copy data/sample/account.yml into it and adapt it" if there else "; look at how it is written"),
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


def account_values(folder: Path | str) -> dict[str, Any]:
    """What account.yml of a folder says, with the defaults for what it leaves out; every scalar is text.

    UsageError where the file cannot be read.
    """
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
    return values
