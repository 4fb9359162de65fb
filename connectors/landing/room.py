"""How much memory DuckDB gets: little as a rule, more where the rows of a file are wide.

DuckDB handles up to 2,048 rows of a table at once, so wide rows need more than narrow ones, also long after they
landed. What a file needed once it gets from the start from then on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb

from connectors.landing.corruption import ran_out_of_memory
from connectors.landing.file import Landing
from connectors.model import TransientError

T = TypeVar("T")
log = logging.getLogger(__name__)
ROOMS_MB = (128, 768, 3072)
NOTE = ".memory"


def with_room(landing: Landing, work: Callable[[], T]) -> T:
    """`work`, which lands through `landing` and goes on from what it committed, done again with more memory where
    DuckDB ran out of it. Raises TransientError when the most is not enough.
    """
    rooms = [room for room in ROOMS_MB if room >= noted(landing.path)]
    for room in rooms:
        landing.settings = {**(landing.settings or {}), "memory_limit": f"{room}MB"}
        try:
            result = work()
        except duckdb.Error as error:
            if not ran_out_of_memory(error):
                raise
            if room == rooms[-1]:
                raise TransientError(
                    f"{landing.system}: {room} MB were not enough for what it sends ({str(error).splitlines()[0]}).",
                    "2,048 rows of a table that follow each other must fit: leave its widest column out of the "
                    "publication, or the stream out of the system file.",
                ) from error
            log.warning("%s: %d MB were not enough for its rows; once more with more", landing.system, room)
            continue
        if room > ROOMS_MB[0]:
            landing.path.with_suffix(NOTE).write_text(f"{room}\n")
        return result
    raise AssertionError("unreachable")


def noted(path: Path) -> int:
    """MB that the landing file `path` needed once; 0 when it never needed more than the least."""
    try:
        return min(int(path.with_suffix(NOTE).read_text()), ROOMS_MB[-1])
    except (OSError, ValueError):
        return 0
