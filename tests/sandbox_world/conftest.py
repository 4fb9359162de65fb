"""One small history per seed, shared by the tests that only look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import pytest

from sandbox.world.base import Emission
from sandbox.world.simulated import SimulatedWorld

DAYS = 60


@dataclass
class History:
    """A world and everything it wrote."""

    world: SimulatedWorld
    emissions: list[Emission]


@lru_cache(maxsize=4)
def history(seed: int, days: int = DAYS) -> History:
    """A world advanced in one step and then three single days."""
    world = SimulatedWorld(seed=seed, days=days)
    emissions = [world.advance(world.start + timedelta(days=days - 3))]
    emissions += [world.advance(world.now + timedelta(days=1)) for _ in range(3)]
    return History(world, emissions)


@pytest.fixture(params=[1, 2], ids=["seed1", "seed2"])
def small(request: pytest.FixtureRequest) -> History:
    """Sixty days of seed 1 or 2."""
    return history(request.param)


@pytest.fixture
def make_history() -> Callable[[int, int], History]:
    """Histories of any seed and length."""
    return history
