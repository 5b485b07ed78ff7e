"""What is worked out once from the books of a day and used by several rooms; kept as long as those books live."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from recon_lib.books import Books

T = TypeVar("T")
_KEPT: dict[int, tuple[weakref.ref[Books], dict[str, Any]]] = {}


def once(books: Books, name: str, make: Callable[[Books], T]) -> T:
    """`make(books)`, made once for these books."""
    held = _KEPT.get(id(books))
    if held is None or held[0]() is not books:
        key = id(books)
        held = (weakref.ref(books, lambda _: _KEPT.pop(key, None)), {})
        _KEPT[key] = held
    if name not in held[1]:
        held[1][name] = make(books)
    made: T = held[1][name]
    return made


def forget(books: Books, name: str) -> None:
    """Gives back the memory of something that nobody needs any more."""
    held = _KEPT.get(id(books))
    if held is not None and held[0]() is books:
        held[1].pop(name, None)
