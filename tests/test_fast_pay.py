"""The quick way from the files to the match gives what the doorway and `reconcile_pay`'s rules give."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recon_lib.fast_batches import GROUP, IDS
from recon_lib.fast_pay import FastSide, activity_side, settlement_side, stored_side
from recon_lib.matching import Pairing, pair
from recon_lib.pay_keys import pay_rules

KEYS = ("AmazonTransactionId", "SellerReferenceId", "SellerOrderId", "AmazonOrderReferenceId")
PREAMBLE = (
    '\ufeff"Amazon Payments Advanced",\n"Settlement Report",\n"SellerId","A1"\n'
    '"SettlementStartDate","2026-01-01T00:00:00 -0800"\n"SettlementEndDate","2026-01-31T23:59:59 -0800"\n'
    '"TransactionPostedDate","SettlementId","AmazonTransactionId","SellerReferenceId","TransactionType","AmazonOrderReferenceId",'
    '"SellerOrderId","StoreName","CurrencyCode","TransactionDescription","TransactionAmount","TransactionPercentageFee",'
    '"TransactionFixedFee","TotalTransactionFee","NetTransactionAmount",\n'
)
HEADER = (
    "activity_at,kind,amazon_transaction_id,seller_reference_id,seller_order_id,order_reference_id,amount,currency\n"
)


def row(at: str, ids: str, kind: str, amount: str, currency: str = "USD") -> str:
    tx, reference, order, permission = (part if part != "." else "" for part in ids.split())
    cells = [at, "S1", tx, reference, kind, permission, order, "", currency, "", amount, "0", "0", "0", amount]
    return ",".join(f'"{cell}"' for cell in cells) + "\n"


LINES = [
    row("2026-01-02T08:00:00 -0800", ". . . .", "Transfer", "-25.54"),
    row("2026-01-02T09:00:00 -0800", "C1 R1 O1 P1", "Capture", "10.00"),
    row("2026-01-02T10:00:00 -0800", "C2 R2 O2 P2", "Capture", "20.00"),
    row("2026-01-02T11:00:00 -0800", "F1 . O1 P1", "Refund", "-4.50"),
    row("2026-01-02T12:00:00 -0800", "C1 R1 O1 P1", "Capture", "10.00"),
    row("2026-01-02T13:00:00 -0800", "C9 R9 O9 P9", "Capture", "7.00"),
]
ACTIVITY = [
    "2026-01-02T16:00:00+00:00,capture,C1,,O1,P1,10.00,USD\n",
    "2026-01-02T16:30:00+00:00,capture,,R2,O2,P2,21.00,USD\n",
    "2026-01-02T17:00:00+00:00,refund,,,O1,P1,-4.50,USD\n",
    "2026-01-02T18:00:00+00:00,capture,C5,,,P5,1.00,USD\n",
]


def files(folder: Path, lines: list[str] | None = None, activity: list[str] | None = None) -> tuple[Path, Path]:
    settlement, book = folder / "pay.csv", folder / "pay_activity.csv"
    settlement.write_text(PREAMBLE + "".join(LINES if lines is None else lines), encoding="utf-8")
    book.write_text(HEADER + "".join(ACTIVITY if activity is None else activity), encoding="utf-8")
    return settlement, book


def joined(lines: FastSide | None, activity: FastSide | None) -> Pairing:
    assert lines is not None
    assert activity is not None
    return pair(
        activity.frame, lines.frame, pay_rules(KEYS), within=(GROUP,), zone="America/Los_Angeles",
        repeat_left=["at", *IDS, "amount", GROUP], repeat_right=[IDS[0], GROUP, "amount"],
        fetch_left=activity.fetch, fetch_right=lines.fetch,
    )  # fmt: skip


def test_columns_that_stay_empty_take_no_row_away(tmp_path: Path) -> None:
    settlement, _ = files(tmp_path, LINES[1:4] * 100)
    text = settlement.read_text(encoding="utf-8-sig").replace('"', "").splitlines()
    wide = [*text[:5], text[5] + "," + ",".join(f"X{n}" for n in range(90)), *(one + "," * 91 for one in text[6:])]
    settlement.write_text("\n".join(wide), encoding="utf-8")
    side = settlement_side(settlement, ["USD"])
    assert side is not None
    assert (side.frame.height, side.others) == (300, 0)


@pytest.mark.parametrize("way", ["files", "stored", "stored before"])
def test_the_match_of_two_small_files(tmp_path: Path, way: str) -> None:
    settlement, book = files(tmp_path)
    store = tmp_path / "store"
    if way == "stored before":
        assert stored_side(settlement, store, ["USD"])
        assert stored_side(book, store, ["USD"])
    if way.startswith("stored"):
        lines, activity = stored_side(settlement, store, ["USD"]), stored_side(book, store, ["USD"])
    else:
        lines, activity = settlement_side(settlement, ["USD"]), activity_side(book, ["USD"])
    assert lines is not None
    assert lines.others == 1
    found = joined(lines, activity)
    assert found.pairs.select("left", "right", pl.col("rule").cast(pl.String)).rows() == [
        (0, 0, "AmazonTransactionId"), (1, 1, "SellerReferenceId"), (2, 2, "SellerOrderId"),
    ]  # fmt: skip
    assert found.left_pile.to_list() == ["matched", "matched with a difference", "matched", "only left"]
    assert found.right_pile.to_list() == ["matched", "matched with a difference", "matched", "duplicate", "only right"]


def test_instants_and_amounts_are_exact(tmp_path: Path) -> None:
    settlement, book = files(tmp_path, [*LINES, row("2026-07-02T09:00:00 -0700", "C7 . . .", "Capture", "0.10")])
    lines, activity = settlement_side(settlement, ["USD"]), activity_side(book, ["USD"])
    assert lines is not None
    assert activity is not None
    told = lines.frame.select(pl.col("at").dt.to_string("%Y-%m-%dT%H:%M:%S"), "amount").rows()
    assert told[0] == ("2026-01-02T17:00:00", 100000)
    assert told[-1] == ("2026-07-02T16:00:00", 1000)
    assert lines.places(np.arange(6)).tolist() == [1, 2, 3, 4, 5, 6]  # the transfer came first
    assert activity.places(np.arange(4)).tolist() == [0, 1, 2, 3]


def test_rows_left_aside_do_not_shift_the_others(tmp_path: Path) -> None:
    transfer = row("2026-01-02T08:00:00 -0800", ". . . .", "Transfer", "-1.00")
    settlement, _ = files(tmp_path, [LINES[1], transfer, transfer, LINES[2], LINES[3], transfer, LINES[5], transfer])
    lines = settlement_side(settlement, ["USD"])
    assert lines is not None
    assert lines.others == 4
    assert lines.fetch(pl.Series([0, 1, 2, 3], dtype=pl.UInt32))[IDS[0]].to_list() == ["C1", "C2", "F1", "C9"]
    assert lines.fetch(pl.Series([3, 1, 3], dtype=pl.UInt32))[IDS[0]].to_list() == ["C9", "C2", "C9"]


@pytest.mark.parametrize(
    "odd",
    [
        row("yesterday", "C7 . . .", "Capture", "1.00"),
        row("2026-01-02T09:00:00 -0800", "C7 . . .", "Capture", "1,00"),
        row("2026-01-02T09:00:00 -0800", "C7 . . .", "Capture", "1.005"),
        row("2026-01-02T09:00:00 -0800", "C7 . . .", "Capture", ""),
        row("2026-01-02T09:00:00 -0800", "C7 . . .", "capture", "1.00"),
        row("2026-01-02T09:00:00 -0800", "C7 . . .", "Capture", "1.00", "EUR"),
        '"2026-01-02T09:00:00 -0800","S1","C7"\n',
    ],
)
def test_what_is_not_plain_is_left_to_the_doorway(tmp_path: Path, odd: str) -> None:
    settlement, _ = files(tmp_path, [*LINES, odd])
    assert settlement_side(settlement, ["USD"]) is None


@pytest.mark.parametrize(
    "odd",
    [
        "2026-01-02T16:00:00+00:00,capture,C7,,,P7,1e3,USD\n",
        "2026-01-02T16:00:00+00:00,capture,C7,,,P7,1.0e1,USD\n",
        "2026-01-02T16:00:00+00:00,capture,C7,,,P7, 1.00,USD\n",
        "2026-01-02T16:00:00+00:00,capture,C7,,,P7,+1.00,USD\n",
        "2026-01-02T16:00:00+00:00,capture,C7,,,P7,1.,USD\n",
        "2026-01-02T16:00:00+00:00,capture,C7,,,P7,1.000,USD\n",
        "2026-01-02T16:00:00+00:00,capture,C7,,,P7,-1.00,USD\n",
        "2026-01-02T16:00:00+00:00,refund,C7,,,P7,1.00,USD\n",
        "2026-01-02T16:00:00+00:00,payout,C7,,,P7,1.00,USD\n",
        "0226-01-02T16:00:00+00:00,capture,C7,,,P7,1.00,USD\n",
    ],
)
def test_what_the_doorway_may_refuse_is_left_to_it(tmp_path: Path, odd: str) -> None:
    _, book = files(tmp_path, activity=[*ACTIVITY, odd])
    assert activity_side(book, ["USD"]) is None


@pytest.mark.parametrize(
    ("line", "activity"),
    [
        ("C9 R9 O9 P9", "c9,,,P9"),
        ("c9 R9 O9 P9", "C9,,,P9"),
        ("C9 R9 O9 P9", "\u00a0C9 ,,,P9"),
        ("C8 R9 O9 p9", ",,,P9"),
        ("ß9 R9 O9 P9", "SS9,,,"),
    ],
)
def test_an_id_in_two_spellings_is_one_id(tmp_path: Path, line: str, activity: str) -> None:
    lines = [*LINES[:-1], row("2026-01-02T13:00:00 -0800", line, "Capture", "7.00")]
    settlement, book = files(tmp_path, lines, [*ACTIVITY, f"2026-01-02T16:00:00+00:00,capture,{activity},7.00,USD\n"])
    found = joined(settlement_side(settlement, ["USD"]), activity_side(book, ["USD"]))
    assert (4, 4) in found.pairs.select("left", "right").rows()


def test_a_line_that_comes_twice_in_two_spellings_is_a_duplicate(tmp_path: Path) -> None:
    """Both spellings have a partner of their own spelling, so nothing is left over that would show the second one."""
    lines = [row("2026-01-02T09:00:00 -0800", f"{tx} . . .", "Capture", "10.00") for tx in ("C1", "c1")]
    activity = [f"2026-01-02T16:00:0{n}+00:00,capture,{tx},,,,10.00,USD\n" for n, tx in enumerate(("C1", "c1"))]
    settlement, book = files(tmp_path, lines, activity)
    found = joined(settlement_side(settlement, ["USD"]), activity_side(book, ["USD"]))
    assert found.right_pile.to_list() == ["matched", "duplicate"]
    assert found.left_pile.to_list() == ["matched", "only left"]


def test_a_line_end_inside_an_id_does_not_mislead(tmp_path: Path) -> None:
    odd = row("2026-01-02T13:00:00 -0800", "C7 R7 O7 P7", "Capture", "7.00").replace("R7", "R\n7")
    settlement, book = files(tmp_path, [LINES[0], odd, *LINES[1:]])
    lines, activity = settlement_side(settlement, ["USD"]), activity_side(book, ["USD"])
    assert lines is not None
    assert activity is not None
    told = lines.fetch(pl.Series([5, 0, 1, 1], dtype=pl.UInt32))
    assert told[IDS[0]].to_list() == ["C9", "C7", "C1", "C1"]
    assert told[IDS[1]].to_list() == ["R9", "R\n7", "R1", "R1"]
    told = activity.fetch(pl.Series([3, 0], dtype=pl.UInt32))
    assert told.rows() == [("C5", None, None, "P5", 0), ("C1", None, "O1", "P1", 0)]


def test_the_last_line_may_lack_its_end(tmp_path: Path) -> None:
    _, book = files(tmp_path, activity=[*ACTIVITY[:-1], ACTIVITY[-1].rstrip()])
    activity = activity_side(book, ["USD"])
    assert activity is not None
    assert activity.fetch(pl.Series([3], dtype=pl.UInt32)).rows() == [("C5", None, None, "P5", 0)]


def test_a_stored_file_changed_in_its_middle_is_not_proven(tmp_path: Path) -> None:
    """Beginning, end and size are as before; only the hash of the whole tells."""
    many = [f"2026-01-02T16:00:00+00:00,capture,C{n:06d},,,P{n:06d},10.00,USD\n" for n in range(90_000)]
    _, book = files(tmp_path, activity=many)
    store = tmp_path / "store"
    with ThreadPoolExecutor(1) as beside:
        assert stored_side(book, store, ["USD"], beside=beside) is not None  # reads and keeps it
        again = stored_side(book, store, ["USD"], beside=beside)
        assert again is not None
        assert again.proof is not None
        assert again.is_proven()
        many[45_000] = many[45_000].replace("10.00", "99.00")
        files(tmp_path, activity=many)
        changed = stored_side(book, store, ["USD"], beside=beside)
        assert changed is not None
        assert not changed.is_proven()
    read = stored_side(book, store, ["USD"])
    assert read is not None
    assert read.is_proven()
    assert read.frame["amount"][45_000] == 990_000
