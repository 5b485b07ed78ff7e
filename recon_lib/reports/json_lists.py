"""The elements of named lists in the answers of an Amazon API (JSON), several pages one after the other or in a list.

Only what is asked for is read; each element is told with the place where it begins, so that its line can be named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Generator, Iterator
from typing import Any

from recon_lib.errors import ReportError

_MOST_DEEP = 50
_BLANKS = re.compile(r"[ \t\r\n]*")


def elements(text: str, names: Collection[str]) -> Iterator[tuple[str, int, Any]]:
    """Every element of every list called by one of `names`: list name, offset of its first character, value.

    An empty list gives one element None at its bracket, so that "asked and nothing there" is told from "not there".

    Raises:
        ReportError: broken JSON, or JSON nested too deeply.
    """
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    at = _skip(text, 0)
    try:
        while at < len(text):
            at = _skip(text, (yield from _walk(text, at, decoder, names, 0)))
            if text[at : at + 1] == ",":  # pages pasted together
                at = _skip(text, at + 1)
    except json.JSONDecodeError as problem:
        raise ReportError(
            f"broken JSON: {problem.msg}",
            hoped="whole JSON",
            do="download the file again; it may be cut off",
            line=problem.lineno,
        ) from None
    except ValueError as problem:  # a number of thousands of digits
        raise ReportError(
            f"JSON with a number that cannot be read: {problem}"[:160], hoped="an answer of the v0 API"
        ) from None
    except RecursionError:
        raise ReportError("JSON nested too deeply", hoped="an answer of the v0 API") from None


def _walk(
    text: str, at: int, decoder: json.JSONDecoder, names: Collection[str], depth: int
) -> Generator[tuple[str, int, Any], None, int]:
    """Walks one value and gives the offset after it; numbers and texts are left to the decoder."""
    if depth > _MOST_DEEP:
        raise RecursionError
    opening = text[at : at + 1]
    if opening not in ("{", "["):
        return decoder.raw_decode(text, at)[1]
    closing = "}" if opening == "{" else "]"
    at = _skip(text, at + 1)
    if text[at : at + 1] == closing:
        return at + 1
    while True:
        if opening == "{":
            name, at = decoder.raw_decode(text, at)
            if not isinstance(name, str):
                raise json.JSONDecodeError("a name was hoped for", text, at)
            at = _skip(text, _expect(text, _skip(text, at), ":"))
            if name in names and text[at : at + 1] == "[":
                at = yield from _elements(text, at, decoder, name)
            else:
                at = yield from _walk(text, at, decoder, names, depth + 1)
        else:
            at = yield from _walk(text, at, decoder, names, depth + 1)
        at = _skip(text, at)
        if text[at : at + 1] == closing:
            return at + 1
        at = _skip(text, _expect(text, at, ","))


def _elements(text: str, at: int, decoder: json.JSONDecoder, name: str) -> Generator[tuple[str, int, Any], None, int]:
    start, at = at, _skip(text, at + 1)
    if text[at : at + 1] == "]":
        yield name, start, None
        return at + 1
    while True:
        value, end = decoder.raw_decode(text, at)
        yield name, at, {} if value is None else value
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            return at + 1
        at = _skip(text, _expect(text, at, ","))


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise json.JSONDecodeError(f"'{mark}' was hoped for", text, at)
    return at + 1


def _no_constant(name: str) -> Any:
    raise ReportError(f"JSON with {name}, which is no number", hoped="whole numbers of units")
