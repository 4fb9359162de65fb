"""A clock that leaps ahead needs consent, and a wrong one can be taken back."""

from dataclasses import replace
from datetime import datetime

import dagster as dg
import pytest
from test_pass import run
from world import World

from orchestration import settings as settings_module
from orchestration.passes import ACCEPT_CLOCK_TAG, FORCE_TAG
from orchestration.publication import current


@pytest.fixture
def clock(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A wall clock that a test sets."""
    shown = {"now": "2024-03-05T00:00:00+00:00"}
    world.settings = replace(world.settings, business_now="wall")
    monkeypatch.setattr(settings_module, "read_business_now", lambda _spec: datetime.fromisoformat(shown["now"]))
    return shown


def as_of(world: World) -> str:
    return str(current(world.settings.published).note["as_of"])  # type: ignore[union-attr]


def test_a_leap_is_refused_with_the_way_out_and_taken_back_later(
    world: World, instance: dg.DagsterInstance, clock: dict[str, str]
) -> None:
    assert run(world, instance, **{FORCE_TAG: "true"}).success
    clock["now"] = "2031-01-01T00:00:00+00:00"
    refused = run(world, instance, **{FORCE_TAG: "true"})
    assert not refused.success
    failure = next(iter(refused.filter_events(lambda event: event.is_step_failure)))
    assert "crossdock run --accept-clock" in failure.step_failure_data.user_failure_data.description  # type: ignore[union-attr]
    assert as_of(world) == "2024-03-05T00:00:00Z"
    accepted = {FORCE_TAG: "true", ACCEPT_CLOCK_TAG: "true"}
    assert run(world, instance, **accepted).success
    assert as_of(world) == "2031-01-01T00:00:00Z"
    clock["now"] = "2024-03-06T00:00:00+00:00"
    assert run(world, instance, **accepted).success
    assert as_of(world) == "2024-03-06T00:00:00Z"


def test_within_the_span_business_now_moves_on_and_never_back_unasked(
    world: World, instance: dg.DagsterInstance, clock: dict[str, str]
) -> None:
    assert run(world, instance, **{FORCE_TAG: "true"}).success
    clock["now"] = "2024-04-18T00:00:00+00:00"
    assert run(world, instance, **{FORCE_TAG: "true"}).success
    clock["now"] = "2024-04-17T00:00:00+00:00"
    assert run(world, instance, **{FORCE_TAG: "true"}).success
    assert as_of(world) == "2024-04-18T00:00:00Z"
