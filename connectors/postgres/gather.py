"""Collect whole transactions for one commit: raw messages in memory up to a limit, past it in a local file.

Raw, because decoding is fast and a decoded chunk would drag its message buffer along once per column.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from connectors.model import TransientError

MEMORY_BYTES = 24 << 20
BATCH_MESSAGES = 250_000
SCHEMA = pa.schema([("data", pa.binary())])


class Gathered:
    """Messages that end at a Commit: `end` is the position behind it, `messages` how many, `last` whether the source
    had no more.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.messages, self.bytes, self.end = 0, 0, 0
        self.whole, self.last = False, False
        self._memory: list[pa.Array] = []
        self._in_memory = 0
        self._file: tempfile._TemporaryFileWrapper | None = None
        self._writer: pa.RecordBatchFileWriter | None = None

    def add(self, array: pa.Array) -> None:
        size = _size(array)
        self.messages += len(array)
        self.bytes += size
        if self._writer is None and (self._in_memory + size <= MEMORY_BYTES or not self._memory):
            self._memory.append(array)
            self._in_memory += size
            return
        if self._writer is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.NamedTemporaryFile(dir=self.folder, prefix=".spill-", suffix=".arrow")  # noqa: SIM115
            self._writer = pa.ipc.new_stream(self._file, SCHEMA)
        self._writer.write_batch(pa.record_batch([array], schema=SCHEMA))

    def arrays(self) -> Iterator[pa.Array]:
        """Every array once, in order; memory is released as it goes."""
        while self._memory:
            yield self._memory.pop(0)
        if self._writer is not None and self._file is not None:
            self._writer.close()
            self._file.seek(0)
            for batch in pa.ipc.open_stream(self._file):
                yield batch.column(0)
            self._file.close()


def _size(array: pa.Array) -> int:
    offsets = np.frombuffer(array.buffers()[1], np.int32)
    return int(offsets[array.offset + len(array)] - offsets[array.offset])


def transactions(arrays: Iterator[pa.Array], folder: Path, most: int = BATCH_MESSAGES) -> Iterator[Gathered]:
    """Cut a stream of messages into batches of whole transactions, each of at least `most` messages except the last.

    Raises TransientError if the source stops inside a transaction.
    """
    gathered = Gathered(folder)
    for array in arrays:
        while len(array):
            offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
            data = np.frombuffer(array.buffers()[2], np.uint8)
            commits = np.nonzero(data[offsets[:-1]] == ord("C"))[0]
            enough = commits[commits + 1 >= most - gathered.messages]
            cut = int(enough[0]) if len(enough) else (int(commits[-1]) if len(commits) else -1)
            whole = len(array) if cut < 0 else cut + 1
            gathered.add(array.slice(0, whole))
            gathered.whole = cut == len(array.slice(0, whole)) - 1
            if cut >= 0:
                at = int(offsets[cut])
                gathered.end = int.from_bytes(data[at + 10 : at + 18].tobytes(), "big")
            array = array.slice(whole)
            if len(enough):
                yield gathered
                gathered = Gathered(folder)
    if gathered.messages and not gathered.whole:
        raise TransientError(
            "The source stopped in the middle of a transaction.", "The next run starts where this one did."
        )
    if gathered.messages:
        gathered.last = True
        yield gathered
