"""How deep, wide and full JSON may be, looked at before anything is built of it: memory follows the number of values,
not of bytes, and a few bytes of brackets exhaust a stack.
"""

from __future__ import annotations

import re

import numpy as np

MOST_DEPTH = 200
MOST_WIDTH = 10_000_000
MOST_VALUES = 20_000_000
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
PIECE = 4 << 20


def json_fault(text: bytes) -> str | None:
    """Why a JSON text is too much to be walked (depth, members of one object or list, values in all), else None.

    Says nothing about whether it is JSON. The counts of a plain search decide for nearly every record; where they might
    be too many, its texts are cut out and the brackets alone are followed.
    """
    opens = text.count(b"[") + text.count(b"{")
    commas = text.count(b",")
    if opens <= MOST_DEPTH and commas < min(MOST_WIDTH, MOST_VALUES):
        return None
    bare = _STRING.sub(b"", text)
    if opens > MOST_DEPTH and (depth := _depth(bare)) > MOST_DEPTH:
        return f"is nested {depth:,} deep, more than {MOST_DEPTH}"
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > MOST_VALUES:
        return f"holds more than {MOST_VALUES:,} values"
    if bare.count(b",") >= MOST_WIDTH and _is_wide(bare):
        return f"holds an object or list of more than {MOST_WIDTH:,} members"
    return None


def _steps(bare: bytes, start: int) -> np.ndarray:
    """+1 for each opening bracket of a piece of `bare`, -1 for each closing one."""
    piece = np.frombuffer(bare, np.uint8, min(PIECE, len(bare) - start), start)
    step = ((piece == ord("[")) | (piece == ord("{"))).astype(np.int8)
    step[(piece == ord("]")) | (piece == ord("}"))] = -1
    return step


def _depth(bare: bytes) -> int:
    deepest = now = 0
    for start in range(0, len(bare), PIECE):
        depths = np.cumsum(_steps(bare, start), dtype=np.int64) + now
        deepest, now = max(deepest, int(depths.max())), int(depths[-1])
    return deepest


def _is_wide(bare: bytes) -> bool:
    """Whether one container has more than MOST_WIDTH members: their commas stand at one depth with nothing closed to
    below it in between.
    """
    members: dict[int, int] = {}
    now = 0
    for start in range(0, len(bare), PIECE):
        depths = np.cumsum(_steps(bare, start), dtype=np.int64) + now
        piece = np.frombuffer(bare, np.uint8, len(depths), start)
        now = int(depths[-1])
        for depth in range(1, int(depths.max()) + 1):
            commas = np.nonzero((piece == ord(",")) & (depths == depth))[0]
            ends = np.nonzero((depths < depth) & ((piece == ord("]")) | (piece == ord("}"))))[0]
            per = np.bincount(np.searchsorted(ends, commas), minlength=len(ends) + 1)
            per[0] += members.get(depth, 0)
            if int(per.max()) >= MOST_WIDTH:
                return True
            members[depth] = int(per[-1])
    return False
