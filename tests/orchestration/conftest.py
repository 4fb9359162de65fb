"""A home of its own and a tiny company per test."""

import sys
from pathlib import Path

import dagster as dg
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from world import World

from orchestration.settings import Settings


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One dbt target for all tests: the project is parsed once."""
    return tmp_path_factory.mktemp("dbt") / "target"


@pytest.fixture
def world(tmp_path: Path, parsed: Path) -> World:
    settings = Settings(home=tmp_path, systems=tmp_path / "systems", business_now="2024-03-05T00:00:00Z", lock_wait_s=5)
    return World(settings, parsed)


@pytest.fixture
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()
