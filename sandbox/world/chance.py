"""Seeded chance: one independent stream per subject, so that a change in one part leaves the others as they were."""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate


class Chance(random.Random):
    """A `random.Random` with the distributions that distribution needs."""

    def poisson(self, mean: float) -> int:
        """Number of events with that mean (Knuth below 40, rounded normal above)."""
        if mean > 40:
            return max(0, round(self.gauss(mean, math.sqrt(mean))))
        limit, count, product = math.exp(-mean), 0, self.random()
        while product > limit:
            count += 1
            product *= self.random()
        return count

    def skewed(self, median: float, sigma: float) -> float:
        """Lognormal by its median."""
        return self.lognormvariate(math.log(median), sigma)

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.random() * (high - low + 1))


class Draw:
    """Weighted draw of an index in O(log n)."""

    def __init__(self, weights: Sequence[float]) -> None:
        self._sums = list(accumulate(weights))

    def __call__(self, chance: random.Random) -> int:
        return bisect(self._sums, chance.random() * self._sums[-1])


def stream(seed: int, subject: str) -> Chance:
    """The stream of one subject; the text seed makes it independent of the process's hash seed."""
    return Chance(f"crossdock:{seed}:{subject}")


def zipf(count: int, exponent: float) -> list[float]:
    """Weights of ranks 1..count."""
    return [1.0 / (rank + 1) ** exponent for rank in range(count)]
