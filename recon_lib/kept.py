"""What is worked out once from the books of a day and used by several rooms; kept as long as those books live.

Several threads may ask at the same time: one works it out, the others wait for it.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from recon_lib.books import Books

T = TypeVar("T")


@dataclass
class _Held:
    of: weakref.ref[Books]
    made: dict[str, Any] = field(default_factory=dict)
    locks: dict[str, threading.RLock] = field(default_factory=dict)


_KEPT: dict[int, _Held] = {}
_DOOR = threading.Lock()  # held for a look only, never while something is worked out


def once(books: Books, name: str, make: Callable[[Books], T]) -> T:
    """`make(books)`, made once for these books."""
    with _DOOR:
        held = _KEPT.get(id(books))
        if held is None or held.of() is not books:
            key = id(books)
            held = _Held(weakref.ref(books, lambda _: _KEPT.pop(key, None)))
            _KEPT[key] = held
        lock = held.locks.setdefault(name, threading.RLock())
    with lock:
        if name not in held.made:
            held.made[name] = make(books)
        made: T = held.made[name]
        return made
