"""Whether ids stand as they are compared already, told from the bytes of a column as they lie in memory.

A look at every text costs as much as reading it; a look at the whole column as one run of bytes next to nothing. The
bytes come by Arrow's C interface, without a copy: texts of up to 12 bytes in the views, longer ones one after the other.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import POINTER, c_char_p, c_int, c_int64, c_void_p
from typing import Any

import numpy as np
import polars as pl

_INLINE = 12
_DIGITS = 0x30303030
_STREAM = b"arrow_array_stream"


class _Piece(ctypes.Structure):
    """ArrowArray: one piece of a column."""


_Piece._fields_ = [
    ("length", c_int64), ("null_count", c_int64), ("offset", c_int64), ("n_buffers", c_int64), ("n_children", c_int64),
    ("buffers", POINTER(c_void_p)), ("children", POINTER(POINTER(_Piece))), ("dictionary", POINTER(_Piece)),
    ("release", ctypes.CFUNCTYPE(None, POINTER(_Piece))), ("private_data", c_void_p),
]  # fmt: skip


class _Stream(ctypes.Structure):
    """ArrowArrayStream: the pieces one after the other."""


_Stream._fields_ = [
    ("get_schema", c_void_p), ("get_next", ctypes.CFUNCTYPE(c_int, POINTER(_Stream), POINTER(_Piece))),
    ("get_last_error", c_void_p), ("release", c_void_p), ("private_data", c_void_p),
]  # fmt: skip

_address = ctypes.pythonapi.PyCapsule_GetPointer
_address.restype, _address.argtypes = c_void_p, [ctypes.py_object, c_char_p]


class _Memory:
    def __init__(self, at: int, size: int, kind: str) -> None:
        self.__array_interface__ = {"data": (at, True), "shape": (size,), "typestr": kind, "version": 3}


def needs_no_folding(ids: pl.Series) -> bool:
    """Whether folding (`keys.normal`) changes none of them but empty ones."""
    # Bytes that belong to no text lie there too: lengths between the texts of a Parquet page, rows filtered away.
    return all(_plain(piece) for piece in _pieces(ids)) or bool((ids.str.strip_chars().str.to_uppercase() == ids).all())


def _pieces(texts: pl.Series) -> Iterator[_Piece]:
    capsule = texts.__arrow_c_stream__(None)
    stream = _Stream.from_address(_address(capsule, _STREAM))
    while True:
        piece = _Piece()
        if stream.get_next(stream, piece):
            raise RuntimeError("the column cannot be looked at")
        if not piece.release:
            return
        try:
            yield piece
        finally:
            piece.release(piece)


def _plain(piece: _Piece) -> bool:
    """Whether no byte is a blank, a small letter, a brace or of a letter beyond ASCII."""
    if piece.null_count == piece.length:
        return True
    last = piece.n_buffers - 1  # validity, views, any number of runs of bytes, the lengths of these
    views = _look(piece.buffers[1] + 16 * piece.offset, 4 * piece.length, "<u4").reshape(-1, 4)
    sizes = views[:, 0]
    for number, size in enumerate(_look(piece.buffers[last], last - 2, "<i8").tolist()):
        run = _look(piece.buffers[2 + number], size, "|u1")
        if size and (run.max() >= ord("a") or run.min() <= ord(" ")):
            return False
    if sizes.min() > _INLINE or not sizes.any():
        return True
    short = views.copy()
    short[sizes > _INLINE] = _DIGITS
    short[:, 0] = _DIGITS
    run = short.reshape(-1).view(np.uint8)
    # What follows a short text is 0: taken for 255 where the smallest is asked for.
    return bool(run.max() < ord("a") and (run - np.uint8(1)).min() >= ord(" "))


def _look(at: int, size: int, kind: str) -> Any:
    return np.asarray(_Memory(at, size, kind)) if size else np.zeros(0, np.uint8)
