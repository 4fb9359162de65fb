"""A home of its own and a tiny company per test."""

import sys
from pathlib import Path

import dagster as dg
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from world import World

from orchestration.settings import Settings


@pytest.fixture
def world(tmp_path: Path) -> World:
    settings = Settings(home=tmp_path, systems=tmp_path / "systems", business_now="2024-03-05T00:00:00Z", lock_wait_s=5)
    return World(settings)


@pytest.fixture
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()
