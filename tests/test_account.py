"""account.yml: every default from params, every unknown thing refused with a word on what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from recon_lib.account import load_account
from recon_lib.errors import UsageError


def account(folder: Path, text: str) -> Path:
    (folder / "account.yml").write_text(text, encoding="utf-8")
    return folder


def test_what_is_left_out_takes_the_default(tmp_path: Path) -> None:
    found = load_account(account(tmp_path, "account: shop\nmarketplace: US\ntolerances: {USD: 0.05}\n"))
    assert (found.time_zone, found.currency, found.currencies) == ("America/Los_Angeles", "USD", ("USD",))
    assert (found.overdue_hours, found.lost_wait_days, found.settle_days, found.bank_days) == (48, 30, 21, 5)
    assert found.tolerances == {"underpaid_tolerance": Decimal("0.02"), "USD": Decimal("0.05")}
    assert found.match_keys[0] == "AmazonTransactionId"


def test_text_stays_text(tmp_path: Path) -> None:
    assert load_account(account(tmp_path, "account: 00123\nmarketplace: US\n")).account == "00123"


def test_a_fee_schedule_is_exact(tmp_path: Path) -> None:
    fee = "pay_fees: [{currency: USD, from: 2020-01-01, percentage: 2.9, fixed: 0.30, dispute: 20.00}]"
    (schedule,) = load_account(account(tmp_path, f"account: a\nmarketplace: US\n{fee}\n")).pay_fees
    assert (schedule.percentage, schedule.fixed, schedule.dispute) == (
        Decimal("2.9"),
        Decimal("0.30"),
        Decimal("20.00"),
    )
    assert schedule.refund_percentage_returned is False


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("account: a\nmarketplace: US\ncolour: red\n", "colour: unknown key"),
        ("account: a\naccount: b\n", "stands twice"),
        ("account: a\nmarketplace: GB\n", "unknown marketplace 'GB'"),
        ("account: ../a\nmarketplace: US\n", "account"),
        ("account: a\nmarketplace: DE\n", "cep_enrolled"),
        ("account: a\nmarketplace: US\ntime_zone: Mars/Olympus\n", "Mars/Olympus"),
        ("account: a\nmarketplace: US\nbank_pattern: '['\n", "regular expression"),
        ("account: a\nmarketplace: US\nmatch_keys: [SellerOrderId, SellerOrderId]\n", "once"),
        ("account: a\nmarketplace: US\noverdue_hours: soon\n", "overdue_hours"),
        ("account: a\nmarketplace: US\ncurrencies: [EUR]\n", "currencies must contain"),
        ("account: a\nmarketplace: US\ntolerances: {usd: 1}\n", "unknown tolerance"),
        ("a: &x [1]\nb: *x\n", "alias"),
        ("[", "no valid YAML"),
        ("", "holds no settings"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError, match="account.yml") as problem:
        load_account(account(tmp_path, text))
    assert told in str(problem.value)


def test_a_folder_without_settings_says_what_is_hoped_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no account.yml"):
        load_account(tmp_path)


def test_no_folder_at_all_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for name in ("absent", "file"):
        with pytest.raises(UsageError, match=f"there is no folder .*{name}"):
            load_account(tmp_path / name)


def test_settings_of_another_ending_are_to_be_renamed(tmp_path: Path) -> None:
    (tmp_path / "account.yaml").write_text("account: a\nmarketplace: US\n")
    with pytest.raises(
        UsageError, match="(?s)there is no account.yml in .*What to do: rename account.yaml to account.yml"
    ) as problem:
        load_account(tmp_path)
    assert "copy data/sample" not in str(problem.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("tolerances: {underpaid_tolerance: 2}", "underpaid_tolerance 2 is no share below 1; 0.02 means 2 %"),
        ("match_keys: [Foo]", "match_keys.0: 'Foo' is none of AmazonTransactionId, SellerReferenceId, "),
        ("colour: red", "colour: unknown key"),
        (
            "pay_fees: [{currency: USD, from: 2020-01-01, percentage: 2,9, fixed: 0.30}]",  # a decimal comma begins a new key
            "pay_fees.0.9: unknown key; known: currency, from, percentage, fixed, refund_percentage_returned, refund_fixed_returned, dispute\n",
        ),
        ("pay_fees: [{currency: USD, percentage: 2.9, from: 2020-01-01}]", "pay_fees.0.fixed: is missing"),
        ("pay_fees: [{currency: USD, percentage: 2,9, from: 2020-01-01, fixed: 0.3}]", "pay_fees.0"),
        ("bank_days: soon", "bank_days: 'soon' is no whole number"),
        ("bank_days: 99999", "bank_days: '99999' is more than 3660"),
        ("overdue_hours: -3", "overdue_hours: '-3' is less than 1"),
        ("currencies: [usd, USD]", "currencies.0: 'usd' is no code of three capital letters"),
        ("cep_enrolled: perhaps", "cep_enrolled: 'perhaps' is neither true nor false"),
    ],
)
def test_a_wrong_setting_is_told_in_words(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(UsageError, match="account.yml") as problem:
        load_account(account(tmp_path, f"account: a\nmarketplace: US\n{line}\n"))
    assert told in str(problem.value)
    assert not any(
        word in str(problem.value) for word in ("Value error", "Input should", "should match", "Tuple", "Field")
    )


def test_a_wrong_account_name_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="letters, digits"):
        load_account(account(tmp_path, "account: ../a\nmarketplace: US\n"))


def test_a_mistake_in_a_notebook_is_told_in_words_alone(tmp_path: Path) -> None:
    """Who changes a parameter in JupyterLab and runs all cells reads the message, not forty lines of the library."""
    code = "from recon_lib.books import open_account; open_account('.', '31.01.2026')"
    ran = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=nocolor", "-c", code],
        env=os.environ | {"IPYTHONDIR": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = ran.stdout + ran.stderr
    assert "UsageError: '31.01.2026' is no day\n  Hoped for: a date like 2026-01-31" in told
    assert "Traceback" not in told
