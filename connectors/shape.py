"""How deep, wide and full JSON may be, looked at before anything is built of it: memory follows the number of values,
not of bytes, and a few bytes of brackets exhaust a stack.
"""

from __future__ import annotations

import numpy as np

MOST_DEPTH = 200
MOST_WIDTH = 10_000_000
MOST_VALUES = 20_000_000
MARKS = np.frombuffer(b"[]{},", np.uint8)
PIECE = 4 << 20


def json_fault(text: bytes) -> str | None:
    """Why a JSON text is too much to be walked (depth, members of one object or list, values in all), else None.

    Says nothing about whether it is JSON. The counts of a plain search decide for nearly every record; where they might
    be too many, the brackets outside its texts are followed.
    """
    opens = text.count(b"[") + text.count(b"{")
    commas = text.count(b",")
    if opens <= MOST_DEPTH and commas < min(MOST_WIDTH, MOST_VALUES):
        return None
    walk = _Walk()
    bare = text.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in text else text
    for start in range(0, len(bare), PIECE):
        if (fault := walk.fault(np.frombuffer(bare, np.uint8, min(PIECE, len(bare) - start), start))) is not None:
            return fault
    return None


class _Walk:
    """The brackets and commas outside texts, piece by piece."""

    def __init__(self) -> None:
        self.quotes = self.depth = self.values = 0
        self.members: dict[int, int] = {}

    def fault(self, piece: np.ndarray) -> str | None:
        quotes = np.cumsum(piece == ord('"'), dtype=np.int64) + self.quotes
        self.quotes = int(quotes[-1]) & 1
        outside = (quotes & 1) == 0
        marks = piece[outside & np.isin(piece, MARKS)]
        step = np.zeros(len(marks), np.int64)
        step[(marks == ord("[")) | (marks == ord("{"))] = 1
        step[(marks == ord("]")) | (marks == ord("}"))] = -1
        depths = np.cumsum(step) + self.depth
        if not len(marks):
            return None
        self.depth = int(depths[-1])
        if (deepest := int(depths.max())) > MOST_DEPTH:
            return f"is nested more than {MOST_DEPTH} deep"
        self.values += int((step >= 0).sum())
        if self.values > MOST_VALUES:
            return f"holds more than {MOST_VALUES:,} values"
        return self._wide(marks, step, depths, deepest)

    def _wide(self, marks: np.ndarray, step: np.ndarray, depths: np.ndarray, deepest: int) -> str | None:
        """The commas of one container stand at one depth, with nothing closed to below it in between."""
        for depth in range(1, deepest + 1):
            commas = np.nonzero((marks == ord(",")) & (depths == depth))[0]
            ends = np.nonzero((depths < depth) & (step < 0))[0]
            per = np.bincount(np.searchsorted(ends, commas), minlength=len(ends) + 1)
            per[0] += self.members.get(depth, 0)
            if int(per.max()) >= MOST_WIDTH:
                return f"holds an object or list of more than {MOST_WIDTH:,} members"
            self.members[depth] = int(per[-1])
        return None
