"""What one account's run holds, and how it goes on: what goes wrong in one family is told and does not stop the others."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recon_lib.account import Account
from recon_lib.errors import ReconError, RunError, UsageError
from recon_lib.fetch import collect, keys
from recon_lib.fetch.problems import NotLetIn, OutOfTime
from recon_lib.fetch.state import State
from recon_lib.fetch.table import Row

if TYPE_CHECKING:
    from recon_lib.fetch.wire import Wire


@dataclass
class Result:
    """What became of one account. `problems`: (family or API, text, exit code); `waiting`: asked for, not ready yet."""

    account: str
    files: list[Path] = field(default_factory=list)
    asked: int = 0
    empty: int = 0
    waiting: int = 0
    problems: list[tuple[str, str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        return max((code for _, _, code in self.problems), default=0)


class Guarded:
    """The state of a run, the APIs that let it in, and `guarded`, through which every step goes."""

    def __init__(
        self, folder: Path, account: Account, rows: list[Row], wire: Wire, told: Callable[[Path], None]
    ) -> None:
        self.folder, self.account, self.wire, self.told = folder, account, wire, told
        self.rows = {row.family: row for row in rows}
        self.state = State.load(folder, account.account, account.marketplace)
        self.result = Result(account.account, notes=[self.state.note] if self.state.note else [])
        self.secrets = keys.Secrets()
        self.apis: dict[str, Any] = {}
        self.failed: set[str] = set()  # families that are left alone for the rest of this run
        self.stopped = False
        self.lying = collect.lying(folder)

    @property
    def now(self) -> datetime:
        return self.wire.clock.now()

    def open_apis(self, named: bool) -> None:
        """Credentials for everything that is wanted. UsageError: there are none at all, or none for what was `named`."""
        wanted = list(dict.fromkeys(row.api for row in self.rows.values()))
        missing = []
        for api in wanted:
            try:
                found = keys.find(api, self.account.account, self.secrets)
                if found is None:
                    missing.append(api)
                elif api == "selling_partner":
                    from recon_lib.fetch.selling_partner import SellingPartner

                    self.apis[api] = SellingPartner(self.account.marketplace, found, self.wire, self.secrets)
                else:
                    from recon_lib.fetch.amazon_pay import AmazonPay

                    self.apis[api] = AmazonPay(self.account.marketplace, found, self.wire, self.secrets)
            except UsageError as problem:
                self.problem(api, problem)
        if missing and (named or len(missing) == len(wanted)):
            raise keys.set_up(self.account.account, missing)
        for api in missing:
            self.result.notes.append(f"no credentials for the {api.replace('_', ' ')} API: nothing is fetched from it")

    def guarded(self, row: Row, step: Callable[..., None], *given: Any) -> None:
        """Runs a step; what goes wrong ends this family for this run (bad credentials: all of that API), and is told."""
        if self.stopped or row.family in self.failed or row.api not in self.apis:
            return
        try:
            step(*given)
        except OutOfTime as problem:
            self.stopped = True
            self.problem("time", problem)
        except NotLetIn as problem:
            del self.apis[row.api]
            self.problem(row.api, problem)
        except ReconError as problem:
            self.failed.add(row.family)
            self.problem(row.family, problem)
        except BrokenPipeError:  # whoever listened has gone (`| head`): no disk is full, the command ends
            raise
        except OSError as problem:
            self.failed.add(row.family)
            told = RunError(f"a file cannot be written: {problem.strerror}", do="look at the disk, then run again")
            self.problem(row.family, told)
        except Exception as problem:  # a defect: told by its place, for its text may hold what was answered
            self.failed.add(row.family)
            at = traceback.extract_tb(problem.__traceback__)[-1]
            where = f"{type(problem).__name__} in {Path(at.filename).name}, line {at.lineno}"
            self.problem(row.family, RunError(f"something went wrong inside the program: {where}", do="report it"))

    def problem(self, name: str, problem: ReconError) -> None:
        """Notes what went wrong with a family or API, without the secrets."""
        self.result.problems.append((name, self.secrets.hide(problem), problem.exit_code))
