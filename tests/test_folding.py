"""Which ids stand as they are compared already, told from bytes where these say so."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_lib.folding import needs_no_folding
from recon_lib.keys import normal


@pytest.mark.parametrize(
    "ids",
    [
        [], [None], [""], ["A1"], ["P01-1234567-1234567-C012345"], ["A1", None, "", "P01-1234567-1234567-C012345"],
        ["ABCDEFGHIJKL", "ABCDEFGHIJKLM"], ["A 1"], ["{A}", "A1"], ["É" * 20, "P01-1234567-1234567-C012345"],
    ],
)  # fmt: skip
def test_plain_ids_need_none(ids: list[str | None]) -> None:
    assert needs_no_folding(pl.Series(ids, dtype=pl.String))


@pytest.mark.parametrize(
    "odd", ["a", " A1", "A1\t", "ß", "\u00a0A1", "P01-1234567-1234567-c012345", "é" * 20, " " * 13]
)
@pytest.mark.parametrize("others", [[], ["A1"], ["P01-1234567-1234567-C012345", None]])
def test_one_odd_id_is_seen(odd: str, others: list[str | None]) -> None:
    assert not needs_no_folding(pl.Series([*others, odd], dtype=pl.String))
    assert not needs_no_folding(pl.Series([odd, *others], dtype=pl.String))


def test_only_the_rows_of_a_slice_count_where_ids_are_short() -> None:
    ids = pl.Series(["a", "B", "c"])
    assert needs_no_folding(ids[1:2])
    assert not needs_no_folding(ids[1:])


def test_every_piece_is_looked_at() -> None:
    ids = pl.concat([pl.Series(["A"]), pl.Series(["B" * 30]), pl.Series(["b" * 30])], rechunk=False)
    assert ids.n_chunks() == 3
    assert not needs_no_folding(ids)


LONG = "P01-1234567-1234567-C012345"


@pytest.mark.parametrize("odd", ["", "p01-1234567-1234567-C012345", " P01-1234567-1234567-C012345", "é" * 20, " " * 13])
def test_what_lies_between_the_texts_of_a_parquet_page_counts_for_nothing(tmp_path: Path, odd: str) -> None:
    texts = [f"{LONG}{n}" for n in range(500)]
    for place in (0, 250, 499):
        here = [*texts[:place], odd, *texts[place + 1 :]] if odd else texts
        pl.DataFrame({"id": here}).write_parquet(tmp_path / "ids.parquet", statistics=False)
        ids = pl.read_parquet(tmp_path / "ids.parquet")["id"]
        assert needs_no_folding(ids) is not bool(odd)


def test_long_ids_of_rows_filtered_away_do_not_count() -> None:
    rows = pl.DataFrame({"id": [LONG, LONG.lower(), LONG], "keep": [True, False, True]})
    assert not needs_no_folding(rows["id"])
    assert needs_no_folding(rows.filter("keep")["id"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.none() | st.text(max_size=20) | st.text("AZ09-", max_size=20), max_size=8))
def test_it_says_whether_folding_changes_anything_but_empty_ids(ids: list[str | None]) -> None:
    texts = pl.Series("id", ids, dtype=pl.String)
    folded = texts.to_frame().select(normal("id")).to_series().to_list()
    assert needs_no_folding(texts) is (folded == [text or None for text in ids])
