"""Work ahead of a consumer in a thread: the server, the decoder and DuckDB each keep a core busy at the same time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
END = object()


def ahead(items: Iterator[T], most: int = 2) -> Generator[T, None, None]:
    """The same items in the same order, produced in a thread that is at most `most` items ahead.

    An error of the producer is raised here; when the consumer stops early, the producer's iterator is closed before
    this returns.
    """
    waiting: queue.Queue[Any] = queue.Queue(most)
    stopped = threading.Event()

    def put(item: Any) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def produce() -> None:
        try:
            for item in items:
                if not put((item, None)):
                    break
            put((END, None))
        except BaseException as error:
            put((END, error))
        finally:
            if hasattr(items, "close"):
                items.close()

    thread = threading.Thread(target=produce, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is END:
                return
            yield item
    finally:
        stopped.set()
        thread.join()
