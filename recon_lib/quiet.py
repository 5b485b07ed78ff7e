"""What a kernel's cells print, handed over only where they printed something."""

from __future__ import annotations

from ipykernel.iostream import OutStream


class Quiet(OutStream):  # type: ignore[misc]
    """As its base, which waits for another thread six times a cell also where there is nothing to hand over."""

    printed = False

    def write(self, string: str) -> int:
        """As its base."""
        self.printed = True
        return super().write(string) or 0

    def flush(self) -> None:
        """As its base, once for what was printed."""
        if self.printed:
            self.printed = False
            super().flush()  # type: ignore[no-untyped-call]
