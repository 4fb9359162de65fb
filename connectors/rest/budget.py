"""A request budget: a token bucket, shared by everything in this process that calls the same base address."""

import threading
import time
from collections.abc import Callable

_shared: dict[str, "TokenBucket"] = {}
_shared_lock = threading.Lock()


class TokenBucket:
    """At most `burst` requests at once and `rate` per second in the long run. Safe to use from several threads."""

    def __init__(
        self,
        rate: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate, self.burst = rate, burst
        self._clock, self._sleep = clock, sleep
        self._tokens = float(burst)
        self._at = clock()
        self._lock = threading.Lock()

    def acquire(self) -> None:
        """Wait until one request is within the budget, and spend it."""
        wait = self._take()
        if wait > 0:
            self._sleep(wait)

    def pause(self, seconds: float) -> None:
        """The server asked for a rest: nobody who shares this budget spends before it is over."""
        with self._lock:
            self._refill()
            self._tokens = min(self._tokens, 0.0)
            self._at = max(self._at, self._clock() + seconds)

    def _take(self) -> float:
        """Spend one token, on credit if need be; returns how long to wait until it is paid for."""
        with self._lock:
            self._refill()
            self._tokens -= 1
            paid_at = self._at + max(0.0, -self._tokens) / self.rate
            return max(0.0, paid_at - self._clock()) if self._tokens < 0 or self._at > self._clock() else 0.0

    def _refill(self) -> None:
        now = self._clock()
        if now > self._at:
            self._tokens = min(float(self.burst), self._tokens + (now - self._at) * self.rate)
            self._at = now


def shared_budget(base_url: str, rate: float, burst: int) -> TokenBucket:
    """The bucket of a base address; a changed rate replaces it."""
    with _shared_lock:
        bucket = _shared.get(base_url)
        if bucket is None or (bucket.rate, bucket.burst) != (rate, burst):
            bucket = _shared[base_url] = TokenBucket(rate, burst)
        return bucket
