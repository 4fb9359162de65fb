"""How a pass tells whoever watches it: phases with counts, and the seconds each one took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PHASES = ("generation", "load", "landing", "dbt", "checks", "publication")
Listener = Callable[[str, str, int, int | None], None]


def _nobody(phase: str, label: str, done: int, total: int | None) -> None:
    """The listener of a pass that nobody watches."""


@dataclass
class Progress:
    """Counts per phase for a listener (phase, label, done, total) and the split of seconds for the summary."""

    listener: Listener = _nobody
    seconds: dict[str, float] = field(default_factory=dict)

    def report(self, phase: str, label: str, done: int, total: int | None = None) -> None:
        self.listener(phase, label, done, total)

    def add(self, phase: str, seconds: float) -> None:
        self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(phase, time.perf_counter() - started)
