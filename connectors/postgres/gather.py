"""Cut a stream of raw messages into batches of whole transactions, and keep a batch until it is complete where needed.

Raw, because decoding is fast and a decoded chunk takes several times the room.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from connectors.model import TransientError

MEMORY_BYTES = 24 << 20
BATCH_MESSAGES = 200_000
BATCH_BYTES = 96 << 20
SCHEMA = pa.schema([("data", pa.binary())])


@dataclass(frozen=True)
class Piece:
    """Consecutive messages. `end` is the position behind the last Commit among them, 0 without one; `cut` says that a
    batch ends here, `last` that the source had no more.
    """

    array: pa.Array
    end: int
    cut: bool
    last: bool = False

    @property
    def size(self) -> int:
        """Bytes of the messages."""
        offsets = np.frombuffer(self.array.buffers()[1], np.int32)
        return int(offsets[self.array.offset + len(self.array)] - offsets[self.array.offset])


def pieces(arrays: Iterator[pa.Array], most: int = BATCH_MESSAGES, most_bytes: int = BATCH_BYTES) -> Iterator[Piece]:
    """Cut messages at the first Commit from which a batch has at least `most` messages or `most_bytes`; the last piece
    ends a batch too.

    Raises TransientError if the source stops inside a transaction.
    """
    before: Piece | None = None
    waiting, weight, is_whole = 0, 0, True
    for array in arrays:
        while len(array):
            offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
            data = np.frombuffer(array.buffers()[2], np.uint8)
            commits = np.nonzero(data[offsets[:-1]] == ord("C"))[0]
            reached = offsets[commits + 1] - offsets[0] >= most_bytes - weight
            enough = commits[(commits + 1 >= most - waiting) | reached]
            count = int(enough[0]) + 1 if len(enough) else len(array)
            ended = commits[commits < count]
            end = 0
            if len(ended):
                at = int(offsets[ended[-1]])
                end = int.from_bytes(data[at + 10 : at + 18].tobytes(), "big")
            is_whole = bool(len(ended)) and int(ended[-1]) == count - 1
            if before is not None:
                yield before
            before = Piece(array.slice(0, count), end, cut=bool(len(enough)))
            waiting = 0 if before.cut else waiting + count
            weight = 0 if before.cut else weight + before.size
            array = array.slice(count)
    if not is_whole:
        raise TransientError(
            "The source stopped in the middle of a transaction.", "The next run starts where this one did."
        )
    if before is not None:
        yield replace(before, cut=True, last=True)


def complete(parts: Iterator[Piece], folder: Path) -> Iterator[Piece]:
    """The same pieces, each batch's only once all of it has come: in memory up to a limit, past it in a local file.

    For a source that may be slow in the middle of a transaction, while the landing file should not be kept open.
    """
    kept = _Kept(folder)
    for piece in parts:
        kept.add(piece)
        if piece.cut:
            yield from kept.pieces()
            kept = _Kept(folder)


class _Kept:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._memory: list[Piece] = []
        self._in_memory = 0
        self._spilled: list[Piece] = []  # without their arrays
        self._file: tempfile._TemporaryFileWrapper | None = None
        self._writer: pa.RecordBatchFileWriter | None = None

    def add(self, piece: Piece) -> None:
        if self._writer is None and (self._in_memory + piece.size <= MEMORY_BYTES or not self._memory):
            self._memory.append(piece)
            self._in_memory += piece.size
            return
        if self._writer is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.NamedTemporaryFile(dir=self.folder, prefix=".spill-", suffix=".arrow")  # noqa: SIM115
            self._writer = pa.ipc.new_stream(self._file, SCHEMA)
        self._writer.write_batch(pa.record_batch([piece.array], schema=SCHEMA))
        self._spilled.append(replace(piece, array=piece.array.slice(0, 0)))

    def pieces(self) -> Iterator[Piece]:
        """Every piece once, in order; memory is released as it goes."""
        while self._memory:
            yield self._memory.pop(0)
        if self._writer is not None and self._file is not None:
            self._writer.close()
            self._file.seek(0)
            for piece, batch in zip(self._spilled, pa.ipc.open_stream(self._file), strict=True):
                yield replace(piece, array=batch.column(0))
            self._file.close()
