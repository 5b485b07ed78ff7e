"""Whatever bytes come: a reading whose rows add up, or an error that a person can act on."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from test_reader_files import HEADER, row, table

from recon_lib.errors import ReportError
from recon_lib.reports import read
from recon_lib.reports.text import byte_facts, small_facts

_HEADERS = [
    table().encode(),
    b'"Date"\t"FNSKU"\t"ASIN"\t"MSKU"\t"Title"\t"Event Type"\t"Reference ID"\t"Quantity"\t"Fulfillment Center"\t"Disposition"\t"Reason"\n',
    b"AmazonRefundId,RefundReferenceId,AmazonCaptureId,RefundAmount,CurrencyCode,RefundStatus\n",
]
_CELLS = st.sampled_from(
    ["", " ", "1", "-1.50", "1,5", "1.234", "USD", "2026-01-05", "2026-02-31", "09/06/25", "--", '"', '""', 'a"b', "é", "\u00a0", "x" * 90, "=1", "NaN", "1e9", "(2.00)"]
)  # fmt: skip
QUIET = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


def outcome(data: bytes) -> tuple[int, int] | None:
    """(rows used, rows rejected) of the bytes as a file; None where they are refused. Anything else is a failure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        path.write_bytes(data)
        try:
            got = read(path, store=Path(folder) / "store")
        except ReportError:
            return None
        used = got.rows(got.family).collect()["line"].n_unique()
        assert used == got.rows_used
        assert got.rejects.height == got.rows_rejected == got.rejects["line"].n_unique()
        return got.rows_used, got.rows_rejected


@QUIET
@given(st.binary(max_size=400))
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf\xff")
@example(b'"' * 300)
def test_any_bytes(data: bytes) -> None:
    outcome(data)


@QUIET
@given(st.sampled_from(_HEADERS), st.binary(max_size=300))
def test_any_bytes_after_a_header(header: bytes, data: bytes) -> None:
    outcome(header + data)


@QUIET
@given(st.lists(st.lists(_CELLS, min_size=1, max_size=20), max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_tab_rows_are_used_or_rejected(rows: list[list[str]], end: str) -> None:
    data = end.join("\t".join(cells) for cells in (list(HEADER), row(), *rows))
    told = outcome(data.encode())
    filled = sum(1 for cells in rows if any(c.strip() for c in cells))
    assert told is not None
    assert sum(told) == filled + 1


@QUIET
@given(st.lists(st.tuples(st.integers(0, 17), _CELLS), max_size=8))
def test_one_odd_cell_a_row_never_costs_another_row(odd: list[tuple[int, str]]) -> None:
    body = [row(rid="first")]
    for number, (at, cell) in enumerate(odd):
        cells = row(rid=str(number))
        cells[at] = cell.replace('"', "")
        body.append(cells)
    told = outcome(table(*body).encode())
    assert told is not None
    assert sum(told) == len(body)
    assert told[0] >= 1


@QUIET
@given(st.binary(max_size=60) | st.text(' \t\n\r,"a\0\u00a0é', max_size=60).map(str.encode), st.sampled_from("\t,;"))
@example(b"\xef\xbb\xbfa,b\n", ",")
@example(b" a", "\t")
def test_bytes_in_memory_tell_what_the_file_tells(data: bytes, separator: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        path.write_bytes(data)
        assert small_facts(data, separator) == byte_facts(path, separator)
