"""The fault knobs every system has. All of them pass: after `calm_after` faults in a row a system answers properly
once."""

from __future__ import annotations

import random
import threading
from dataclasses import asdict, dataclass, fields

SYSTEMS = ("erp", "oms", "wms", "carrier")


@dataclass
class Knobs:
    """What may go wrong in one system. Rates are between 0 and 1; `_next` knobs count down and then rest at 0."""

    slow_rate: float = 0.0
    slow_seconds: float = 0.05
    error_rate: float = 0.0  # answers 500, 502 or 503; SFTP: the operation fails
    error_next: int = 0
    truncate_rate: float = 0.0  # the body, or the file being read, breaks off
    truncate_next: int = 0
    duplicate_rate: float = 0.0  # a record is told twice
    shuffle_rate: float = 0.0  # records or files come out of order
    late_rate: float = 0.0  # a change is held back ...
    late_days: float = 3.0  # ... until the world's clock has passed this many days,
    late_seconds: float = 5.0  # ... or this many real seconds, so that everything arrives in the end
    timeout_after_effect: int = 0  # ERP API: the next n writes take effect and are not answered
    hang_seconds: float = 30.0  # for how long such a write stays silent
    requests_per_second: float = 0.0  # overrides the system's own rate limit when above 0
    drop_next: int = 0  # ERP database: the reader's connections are ended this many times,
    drop_every_seconds: float = 4.0  # ... this far apart
    down_seconds: float = 0.0  # ERP database: it stops once, for this long


CHAOS = Knobs(
    slow_rate=0.1,
    error_rate=0.08,
    truncate_rate=0.05,
    duplicate_rate=0.05,
    shuffle_rate=0.2,
    late_rate=0.02,
    drop_next=3,
)


def chaos(system: str) -> dict[str, object]:
    """The knobs of `--chaos`. On the drop a truncation ends the whole connection with every file under way, so it is
    rarer there: one open in twenty would be a server that nobody could use."""
    knobs = {name: value for name, value in asdict(CHAOS).items() if value}
    return knobs | ({"truncate_rate": 0.01} if system == "wms" else {})


class Faults:
    """The live knobs of one system and its seeded dice; safe to use from several threads."""

    calm_after = 2

    def __init__(self, knobs: Knobs | None = None, seed: int = 0) -> None:
        self.knobs = knobs or Knobs()
        self._dice = random.Random(seed)
        self._in_a_row = 0
        self._lock = threading.Lock()

    def set(self, values: dict[str, object] | None) -> None:
        """Change the named knobs; None resets all. Raises ValueError naming an unknown knob or a bad value."""
        if values is None:
            self.knobs = Knobs()
            return
        kinds = {field.name: type(getattr(Knobs, field.name)) for field in fields(Knobs)}
        checked: dict[str, object] = {}
        for name, value in values.items():
            if name not in kinds:
                raise ValueError(f"unknown knob {name}; knobs are {', '.join(kinds)}")
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise ValueError(f"{name} must be a number of 0 or more, not {value!r}")
            if name.endswith("_rate") and value > 1:
                raise ValueError(f"{name} is a share between 0 and 1, not {value!r}")
            checked[name] = kinds[name](value)
        self.knobs = Knobs(**(asdict(self.knobs) | checked))

    def hits(self, rate: float) -> bool:
        """One throw of the dice."""
        if rate <= 0:
            return False
        with self._lock:
            return self._dice.random() < rate

    def delay(self) -> float:
        """Seconds to wait before answering."""
        return self.knobs.slow_seconds if self.hits(self.knobs.slow_rate) else 0.0

    def failure(self) -> str | None:
        """`error`, `truncate` or None for this answer."""
        with self._lock:
            for kind in ("error", "truncate"):
                left = getattr(self.knobs, f"{kind}_next")
                if left > 0:
                    setattr(self.knobs, f"{kind}_next", left - 1)
                    return kind
            if self._in_a_row >= self.calm_after:
                self._in_a_row = 0
                return None
            throw = self._dice.random()
            kind_hit = None
            if throw < self.knobs.error_rate:
                kind_hit = "error"
            elif throw < self.knobs.error_rate + self.knobs.truncate_rate:
                kind_hit = "truncate"
            self._in_a_row = self._in_a_row + 1 if kind_hit else 0
            return kind_hit

    def take_timeout(self) -> bool:
        """True when this write must take effect and stay unanswered; counts the knob down."""
        with self._lock:
            if self.knobs.timeout_after_effect <= 0:
                return False
            self.knobs.timeout_after_effect -= 1
            return True

    def shuffled(self, items: list) -> list:  # type: ignore[type-arg]
        """The items, now and then out of order."""
        if len(items) < 2 or not self.hits(self.knobs.shuffle_rate):
            return items
        with self._lock:
            return self._dice.sample(items, len(items))

    def with_duplicates(self, items: list) -> list:  # type: ignore[type-arg]
        """The items, some of them twice."""
        return [item for each in items for item in ([each, each] if self.hits(self.knobs.duplicate_rate) else [each])]
