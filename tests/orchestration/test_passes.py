"""One pass at a time writes the warehouse, and business now never goes back."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from world import World

from orchestration.locks import Busy, held
from orchestration.passes import AS_OF_TAG, opened
from orchestration.publication import current, prepare_marts, publish

EARLY, LATE = "2024-03-01T00:00:00Z", "2024-03-04T00:00:00Z"


def test_a_pass_that_waited_takes_over_the_later_now_that_was_published_meanwhile(world: World) -> None:
    settings = replace(world.settings, business_now="http://world/now")
    prepare_marts(settings.marts)
    publish(settings.marts, settings.published, note={"as_of": LATE})
    with opened(settings, {AS_OF_TAG: EARLY}) as waited:
        assert waited.as_of == datetime(2024, 3, 1, tzinfo=UTC)
        waited.take_warehouse()
        assert waited.as_of == datetime(2024, 3, 4, tzinfo=UTC)


def test_a_now_that_somebody_set_is_kept(world: World) -> None:
    prepare_marts(world.settings.marts)
    publish(world.settings.marts, world.settings.published, note={"as_of": "2030-01-01T00:00:00Z"})
    with opened(world.settings, {}) as the_pass:
        the_pass.take_warehouse()
        assert the_pass.as_of == datetime(2024, 3, 5, tzinfo=UTC)
    assert current(world.settings.published) is not None


def test_a_second_pass_waits_bounded_and_learns_who_holds_the_warehouse(world: World) -> None:
    settings = replace(world.settings, lock_wait_s=0.3)
    with held(settings.home / "warehouse.lock", wait_s=1, doing="a pass"), opened(settings, {}) as second:
        holder = json.loads((settings.home / "warehouse.lock.holder").read_text())
        with pytest.raises(Busy, match=f"process {holder['pid']} .a pass"):
            second.take_warehouse()
