"""Random numbers that are the same on every machine and in every Python: splitmix64, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


class Dice:
    """A stream of numbers from one seed; `fork` gives an independent stream for a named purpose."""

    def __init__(self, seed: int) -> None:
        self.seed = seed & _MASK
        self.state = self.seed

    def fork(self, name: str) -> Dice:
        mixed = self.seed
        for letter in name:
            mixed = (mixed * 1099511628211 + ord(letter)) & _MASK
        return Dice(mixed)

    def next(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & _MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + self.next() % (high - low + 1)

    def chance(self, percent: int) -> bool:
        return self.between(1, 100) <= percent

    def pick(self, things: Sequence[T]) -> T:
        return things[self.next() % len(things)]

    def digits(self, count: int) -> str:
        return str(self.between(1, 9)) + "".join(str(self.between(0, 9)) for _ in range(count - 1))

    def letters(self, count: int) -> str:
        return "".join(self.pick(LETTERS) for _ in range(count))

    def cents(self, low: str, high: str) -> Decimal:
        return Decimal(self.between(int(Decimal(low) * 100), int(Decimal(high) * 100))) / 100

    def shuffled(self, things: Sequence[T]) -> list[T]:
        out = list(things)
        for i in range(len(out) - 1, 0, -1):
            j = self.next() % (i + 1)
            out[i], out[j] = out[j], out[i]
        return out
