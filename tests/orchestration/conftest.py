"""A home of its own and a tiny company per test."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from world import World

from connectors.control import open_control
from orchestration.settings import Settings


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One dbt target for all tests: the project is parsed once."""
    return tmp_path_factory.mktemp("dbt") / "target"


@pytest.fixture
def world(tmp_path: Path, parsed: Path) -> World:
    settings = Settings(home=tmp_path, systems=tmp_path / "systems", business_now="2024-03-05T00:00:00Z", lock_wait_s=5)
    open_control(settings.control).close()  # as the first landing makes it
    return World(settings, parsed)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Its SQLite connections are collected here, in the thread that made them: elsewhere they complain, and a kept
    complaint keeps the frame, with a cursor of dbt, in which the collector happened to run."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral
    del ephemeral
    gc.collect()
