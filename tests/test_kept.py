"""What several audits use is worked out once, also when they ask at the same time."""

from __future__ import annotations

import dataclasses
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fee_books import books

from recon_lib import kept, open_account
from recon_lib.audits import AUDITS
from recon_lib.reconcile import reconcile

DEMO = Path(__file__).parents[1] / "data" / "sample"


def test_many_threads_share_one_piece_of_work():
    account, made = books(), []

    def slowly(_: object) -> int:
        made.append(threading.get_ident())
        time.sleep(0.05)
        return len(made)

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: kept.once(account, "sum", slowly), range(8)))
    assert told == [1] * 8
    assert len(made) == 1


def test_what_is_made_may_ask_for_another_and_a_failure_is_no_answer():
    account = books()

    def fails(_: object) -> int:
        raise ValueError("not yet")

    with pytest.raises(ValueError, match="not yet"):
        kept.once(account, "outer", fails)
    assert kept.once(account, "outer", lambda b: kept.once(b, "inner", lambda _: 20) + 1) == 21


def test_nothing_is_kept_longer_than_its_books():
    before, account = len(kept._KEPT), books()
    kept.once(account, "sum", lambda _: 1)
    assert len(kept._KEPT) == before + 1
    del account
    gc.collect()
    assert len(kept._KEPT) <= before


def test_an_audit_that_fails_is_heard(tmp_path):
    def fails(*_: object) -> None:
        raise ZeroDivisionError("of the audit")

    broken = (*AUDITS[:3], dataclasses.replace(AUDITS[3], run=fails), *AUDITS[4:])
    with pytest.raises(ZeroDivisionError, match="of the audit"):
        reconcile(open_account(DEMO, "2025-12-15", store=tmp_path), audits=broken)
