"""Work ahead of a consumer in a thread: the server, the decoder and DuckDB each keep a core busy at the same time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

from connectors.model import Unreachable

T = TypeVar("T")
END = object()
MOST_BYTES = 64 << 20
QUIET_S = 900.0
"""How long a server may collect before its first row: a transaction of a GB of log takes some minutes."""
JOIN_S = 30.0


def ahead(
    items: Iterator[T],
    most: int = 2,
    weigh: Callable[[T], int] = lambda _item: 0,
    most_bytes: int = MOST_BYTES,
    quiet_s: float = QUIET_S,
) -> Generator[T, None, None]:
    """The same items in the same order, produced in a thread that is at most `most` items, and of several items
    `most_bytes` by `weigh`, ahead.

    An error of the producer is raised here; when the consumer stops early, the producer's iterator is closed before
    this returns.
    """
    waiting: deque[tuple[Any, BaseException | None, int]] = deque()
    changed = threading.Condition()
    stopped, held = False, 0

    def put(item: Any, error: BaseException | None = None, weight: int = 0) -> bool:
        nonlocal held
        with changed:
            while not stopped and waiting and (len(waiting) >= most or held + weight > most_bytes):
                changed.wait()
            if not stopped:
                waiting.append((item, error, weight))
                held += weight
                changed.notify_all()
            return not stopped

    def produce() -> None:
        try:
            for item in items:
                if not put(item, None, weigh(item)):
                    break
                del item  # what waits is counted; what this thread kept would not be
            put(END)
        except BaseException as error:
            put(END, error)
        finally:
            if hasattr(items, "close"):
                items.close()

    thread = threading.Thread(target=produce, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            with changed:
                if not changed.wait_for(lambda: waiting, quiet_s):
                    raise Unreachable(f"The source sent nothing for {quiet_s:g} s.", "The next run starts anew.")
                item, error, weight = waiting.popleft()
                held -= weight
                changed.notify_all()
            if error is not None:
                raise error
            if item is END:
                return
            yield item
            del item
    finally:
        with changed:
            stopped = True
            changed.notify_all()
        thread.join(JOIN_S)
