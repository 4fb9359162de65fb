"""The simulation's kernel: SimPy's clock, seeded chance, plain call-backs, and the one list of injected exceptions."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import simpy

from .chance import Chance, stream
from .clock import DAY, HOUR, instant
from .settings import HISTORY_START, Settings


@dataclass(slots=True, eq=False)
class ExceptionFact:
    """A business exception that the world caused: what, on which object, from when to when (None = still open)."""

    kind: str
    key: str
    start: int
    end: int | None
    detail: str


class Kernel:
    """Shared by every part of the world."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.start = instant(HISTORY_START)
        self.env = simpy.Environment(initial_time=self.start)
        self.exceptions: list[ExceptionFact] = []
        self._counters: dict[str, int] = {}

    @property
    def now(self) -> int:
        """The present instant."""
        return self.env._now  # type: ignore[return-value]  # whole seconds by construction

    def chance(self, subject: str) -> Chance:
        """A fresh stream for one subject."""
        return stream(self.settings.seed, subject)

    def number(self, kind: str, first: int = 1) -> int:
        """The next number of a sequence."""
        value = self._counters.get(kind, first - 1) + 1
        self._counters[kind] = value
        return value

    def at(self, moment: int, call: Callable[..., None], *args: Any) -> None:
        """Call back at an instant, or now if it has passed."""
        timeout = self.env.timeout(max(0, moment - self.now))
        assert timeout.callbacks is not None
        timeout.callbacks.append(lambda _event: call(*args))

    def process(self, steps: Generator[Any, Any, Any]) -> None:
        """Start a SimPy process."""
        self.env.process(steps)

    def day_end(self, at: int) -> int:
        """End of the simulated day that holds an instant (exclusive)."""
        return at + DAY - (at - self.start) % DAY

    def exception(self, kind: str, key: str, detail: str = "", end: int | None = None) -> ExceptionFact:
        """Record an exception that starts now."""
        fact = ExceptionFact(kind, key, self.now, end, detail)
        self.exceptions.append(fact)
        return fact


def soon(chance: Chance, median: float, sigma: float, most: float = 30 * HOUR) -> int:
    """A skewed delay in whole seconds, at least one."""
    return max(1, int(min(most, chance.skewed(median, sigma))))
