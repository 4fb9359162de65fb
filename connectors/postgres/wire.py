"""pgoutput tuples, column by column: where each value of many messages starts and ends, found for all messages at
once with numpy.

Values are handed on as Arrow string views into the message buffer; no byte of a long value is copied until DuckDB
casts it. Format: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html (protocol version
1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

INLINE = 12  # bytes that an Arrow string view holds in place
PAD = 16  # readable bytes behind the last message, so that a fixed-width read never leaves the buffer
_KEEP = (np.arange(INLINE) < np.arange(INLINE + 1)[:, None]).astype(
    np.uint8
) * 255  # (13, 12): bytes kept for each length
TEXT, NULL, UNCHANGED = ord("t"), ord("n"), ord("u")


@dataclass(frozen=True)
class Messages:
    """n messages in one padded buffer: message i is `buffer[offsets[i]:offsets[i + 1]]`, `kinds[i]` its first byte."""

    buffer: np.ndarray
    owner: pa.Buffer
    offsets: np.ndarray
    kinds: np.ndarray

    def __len__(self) -> int:
        return len(self.kinds)

    @classmethod
    def of(cls, array: pa.Array) -> Messages:
        """From an Arrow binary array; the bytes are copied once, into a buffer with room behind the end."""
        offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)[
            array.offset : array.offset + len(array) + 1
        ].astype(np.int64)
        first, last = (int(offsets[0]), int(offsets[-1])) if len(array) else (0, 0)
        buffer = np.zeros(last - first + PAD, dtype=np.uint8)
        if last > first:
            buffer[: last - first] = np.frombuffer(array.buffers()[2], dtype=np.uint8)[first:last]
        offsets -= first
        return cls(buffer, pa.py_buffer(buffer), offsets, buffer[offsets[:-1]])

    def bytes(self, index: int) -> bytes:
        return self.buffer[self.offsets[index] : self.offsets[index + 1]].tobytes()


@dataclass
class Field:
    """One column of n tuples: what was sent ('t', 'n' or 'u'), and where its text stands. Length is 0 unless text was
    sent.
    """

    kind: np.ndarray
    start: np.ndarray
    length: np.ndarray


def integers(buffer: np.ndarray, at: np.ndarray, width: int) -> np.ndarray:
    """Big-endian integers of `width` bytes at positions `at`, which need not be aligned, as int64."""
    raw = np.ndarray((len(buffer) - width + 1,), dtype=f"V{width}", buffer=buffer, strides=(1,))
    return raw[at].view(f">i{width}").astype(np.int64)


def walk(messages: Messages, at: np.ndarray, columns: int) -> tuple[list[Field], np.ndarray]:
    """Tuples that start at `at` (their column count) -> one Field per column, and where each tuple ends."""
    buffer, at = messages.buffer, at + 2
    fields = []
    for _ in range(columns):
        kind = buffer[at]
        sent = kind == TEXT
        length = np.where(sent, integers(buffer, at + 1, 4), 0)
        fields.append(Field(kind, at + 5, length))
        at = at + np.where(sent, 5 + length, 1)
    return fields, at


def text_array(messages: Messages, field: Field) -> pa.Array:
    """A Field -> an Arrow string_view array over the message buffer; whatever was not sent as text is null."""
    null = field.kind != TEXT
    start = np.minimum(field.start, len(messages.buffer) - INLINE)  # a null at the very end has no bytes behind it
    length = field.length
    raw = np.ndarray((len(messages.buffer) - INLINE + 1,), dtype=f"V{INLINE}", buffer=messages.buffer, strides=(1,))
    views = np.empty((len(length), 16), dtype=np.uint8)
    views[:, :4] = length.astype("<i4").view(np.uint8).reshape(-1, 4)
    views[:, 4:] = raw[start].view(np.uint8).reshape(-1, INLINE)
    views[:, 4:] &= _KEEP[np.minimum(length, INLINE)]
    long = length > INLINE
    if long.any():
        where = np.zeros((int(long.sum()), 2), dtype="<i4")
        where[:, 1] = start[long]
        views[long, 8:16] = where.view(np.uint8)
    count = int(null.sum())
    validity = pa.py_buffer(np.packbits(~null, bitorder="little")) if count else None
    return pa.Array.from_buffers(
        pa.string_view(), len(length), [validity, pa.py_buffer(views.reshape(-1)), messages.owner], null_count=count
    )


def same_text(messages: Messages, first: Field, second: Field) -> np.ndarray:
    """(n,) bool: whether two fields of the same n tuples hold the same bytes."""
    same = (first.length == second.length) & (first.kind == second.kind)
    buffer = messages.buffer
    for i in np.nonzero(same & (first.length > 0))[0]:
        a, b, n = first.start[i], second.start[i], first.length[i]
        same[i] = bool((buffer[a : a + n] == buffer[b : b + n]).all())
    return same
