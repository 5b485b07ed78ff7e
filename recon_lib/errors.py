"""What can go wrong with the program.

    ReconError                     anything a person has to act on; `exit_code` is what the command ends with
      UsageError                   the command, a parameter or account.yml is wrong                       (2)
      ReportError                  a file cannot be used: what was met, what was hoped for, what to do    (2)
        NotAReport                 the file is no report at all (a picture, a read-me): listed, not refused
      RunError                     the run failed                                                         (3)
        HeldError                  another run holds the account: it is left alone                        (3)

Wrong money is never an error: it is a finding. A single bad row is never an error: it is a reject.
"""

from __future__ import annotations


class ReconError(Exception):
    """One problem, told for a person: where, what was met, what was hoped for, what to do next."""

    exit_code = 2

    def __init__(self, met: str, *, hoped: str = "", do: str = "", file: str = "", line: int | None = None) -> None:
        self.met, self.hoped, self.do, self.file, self.line = met, hoped, do, file, line
        super().__init__(str(self))

    def __str__(self) -> str:
        where = self.file + (f", line {self.line}" if self.line is not None else "")
        parts = [f"{where}: {self.met}" if where else self.met]
        if self.hoped:
            parts.append(f"Hoped for: {self.hoped}")
        if self.do:
            parts.append(f"What to do: {self.do}")
        return "\n  ".join(parts)

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: the words, not the lines of the library that they came through."""
        return [f"{type(self).__name__}: {self}"]

    def __reduce__(self) -> tuple[object, ...]:  # exceptions with keyword arguments do not pickle by themselves
        return _rebuild, (type(self), self.met, self.hoped, self.do, self.file, self.line)


def _rebuild(cls: type[ReconError], met: str, hoped: str, do: str, file: str, line: int | None) -> ReconError:
    return cls(met, hoped=hoped, do=do, file=file, line=line)


class UsageError(ReconError):
    """The command, a parameter or account.yml is wrong."""


class ReportError(ReconError):
    """A file that should be a report cannot be used as a whole."""


class NotAReport(ReportError):
    """The file holds no report at all; it is listed as such and counts as no refusal."""


class RunError(ReconError):
    """The run failed, or another run holds the account."""

    exit_code = 3


class HeldError(RunError):
    """Another run holds the account."""
