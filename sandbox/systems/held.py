"""What a system has not told yet: changes held back by the `late` knobs, in order per key."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sandbox.systems.faults import Faults

Item = TypeVar("Item")


class Held(Generic[Item]):
    """A queue of held changes. A change behind a held one of the same key waits too, so no key ever goes back in time.

    A held change is due when the world's clock has passed `late_days` or the real clock `late_seconds`, whichever is
    first.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._waiting: dict[Hashable, deque[tuple[datetime, float, Item]]] = {}

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._waiting.values())

    def hold(self, key: Hashable, item: Item, now: datetime) -> bool:
        """Keep the item back if the dice say so or its key already waits; False when it should be told now."""
        knobs = self._faults.knobs
        queue = self._waiting.get(key)
        if queue is None and not self._faults.hits(knobs.late_rate):
            return False
        self._waiting.setdefault(key, deque()).append(
            (now + timedelta(days=knobs.late_days), time.monotonic() + knobs.late_seconds, item)
        )
        return True

    def due(self, now: datetime) -> list[Item]:
        """Take out what may be told now, oldest first per key."""
        told: list[Item] = []
        clock = time.monotonic()
        for key, queue in list(self._waiting.items()):
            while queue and (queue[0][0] <= now or queue[0][1] <= clock):
                told.append(queue.popleft()[2])
            if not queue:
                del self._waiting[key]
        return told
