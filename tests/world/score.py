"""How well the library finds what was planted: recall and precision of every audit.

    python -m tests.world.score [--worlds 20] [--seed 1]        random worlds in three marketplaces
    python -m tests.world.score --demo                          the committed demo account

A planted finding is found when the packet holds one of the same audit with the same ids, dates, units and cents
(columns the truth leaves open are not compared). A found one that was not planted is false. Both must be none.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.world.state import Truth

COLUMNS = ("status", "event_on", "claim_from", "claim_by", "order_id", "reference_id", "sku", "fnsku", "asin", "quantity", "owed", "currency")  # fmt: skip
IDS = ("order_id", "reference_id", "sku", "fnsku")


def text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def agrees(truth: Truth, found: dict[str, Any], columns: Iterable[str]) -> bool:
    for column in columns:
        wanted, got = getattr(truth, column), text(found[column])
        if wanted is None or wanted == "*":
            continue
        wanted = text(wanted)
        if not (wanted[1:] in got if wanted.startswith("~") else wanted == got):
            return False
    return True


@dataclass
class Score:
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    missed: list[Truth] = field(default_factory=list)
    false: list[dict[str, Any]] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    unscored: set[str] = field(default_factory=set)

    def add(self, other: Score) -> None:
        self.planted += other.planted
        self.found += other.found
        self.missed += other.missed
        self.false += other.false
        self.differs += other.differs
        self.unscored |= other.unscored

    @property
    def perfect(self) -> bool:
        return not self.missed and not self.false and bool(self.planted)

    def table(self) -> str:
        missed, false = Counter(t.audit for t in self.missed), Counter(f["audit"] for f in self.false)
        out = [f"{'audit':28}{'planted':>9}{'found':>9}{'missed':>9}{'false':>9}{'recall':>9}{'precision':>11}"]
        for audit in [*sorted({*self.planted, *false}), "all"]:
            planted = self.planted[audit] if audit != "all" else self.planted.total()
            right = self.found[audit] if audit != "all" else self.found.total()
            wrong = false[audit] if audit != "all" else len(self.false)
            lost = missed[audit] if audit != "all" else len(self.missed)
            recall = f"{right / planted:.3f}" if planted else "-"
            precision = f"{right / (right + wrong):.3f}" if right + wrong else "-"
            out.append(f"{audit:28}{planted:>9}{right + wrong:>9}{lost:>9}{wrong:>9}{recall:>9}{precision:>11}")
        if self.unscored:
            out.append("not scored, because the library has no such audit: " + ", ".join(sorted(self.unscored)))
        return "\n".join(out)

    def explain(self, most: int = 400) -> str:
        said = [f"differs: {d}" for d in self.differs]
        said += [f"missed:  {show(t)}" for t in self.missed]
        said += ["false:   " + " ".join(f"{c}={text(f[c])}" for c in ("audit", *COLUMNS) if text(f[c])) + f" | {f['reason'] or ''} | {f['evidence'] or ''}"
                 for f in self.false]  # fmt: skip
        return "\n".join(said[:most])


def show(t: Truth) -> str:
    wanted = " ".join(f"{c}={text(getattr(t, c))}" for c in ("audit", *COLUMNS) if getattr(t, c) is not None)
    return f"{wanted} | {t.note}"


def score(findings: Iterable[dict[str, Any]], truth: Iterable[Truth], audits: set[str]) -> Score:
    """Compare found with planted; only audits that the library knows are scored, the others are named."""
    result = Score()
    left = [f for f in findings if f["audit"] in audits]
    wanted = []
    for t in truth:
        if t.audit not in audits:
            result.unscored.add(t.audit)
            continue
        result.planted[t.audit] += 1
        wanted.append(t)
    for t in wanted:
        hit = next((f for f in left if f["audit"] == t.audit and agrees(t, f, COLUMNS)), None)
        if hit is None:
            result.missed.append(t)
        else:
            left.remove(hit)
            result.found[t.audit] += 1
    result.false = left
    for t in result.missed:
        near = [f for f in left if f["audit"] == t.audit and agrees(t, f, IDS)]
        for f in near[:1]:
            columns = [c for c in COLUMNS if not agrees(t, f, (c,))]
            result.differs.append(f"{show(t)} -> " + ", ".join(f"{c}: {text(f[c])!r}" for c in columns))
    return result


def known_audits() -> set[str]:
    from recon_lib.audits import AUDITS

    return {name for audit in AUDITS for name in audit.names} | {
        "pay_amount_differs", "pay_duplicate", "pay_fee_differs", "pay_overdue", "pay_unknown",
    }  # fmt: skip


def run(folder: Path, as_of: date, truth: Iterable[Truth], store: Path | None = None) -> Score:
    """Reconcile the account in `folder` and score its findings."""
    import recon_lib

    books = recon_lib.open_account(folder, as_of.isoformat(), store=store or folder.parent / "store")
    day = recon_lib.reconcile(books)
    return score(day.findings.to_dicts(), truth, known_audits())


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--worlds", type=int, default=20)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--demo", action="store_true")
    options.add_argument("--place", choices=["US", "UK", "DE"])
    chosen = options.parse_args()
    total = Score()
    with tempfile.TemporaryDirectory() as scratch:
        if chosen.demo:
            from tests.world import demo

            w = demo.world()
            total = run(demo.HOME, demo.AS_OF, w.truth, Path(scratch) / "store")
        else:
            from tests.world import worlds

            for place in [chosen.place] if chosen.place else ["US", "UK", "DE"]:
                for seed in range(chosen.seed, chosen.seed + chosen.worlds):
                    folder = Path(scratch) / f"{place}-{seed}"
                    w = worlds.random_world(seed, place)
                    worlds.save(w, folder)
                    one = run(folder, w.as_of, w.truth)
                    print(
                        f"{place} {seed} {w.as_of}: {one.found.total()} of {one.planted.total()} found, {len(one.false)} false",
                        file=sys.stderr,
                    )
                    total.add(one)
    print(total.table())
    if not total.perfect:
        print(total.explain())
    return 0 if total.perfect else 1


if __name__ == "__main__":
    sys.exit(main())
