"""A pass that one system asked for lands the others too before it builds, so that KPIs are as of one instant."""

import threading
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import dagster as dg
import pytest
from world import World, system

from orchestration.definitions import build_defs
from orchestration.gathering import Gathering, gather
from orchestration.jobs import PASS, pass_resource
from orchestration.locks import held
from orchestration.passes import LOADING_TAG, SYSTEM_TAG, opened


def tools_of(landed: list[str], broken: str = "") -> Any:
    def sync(one: Any) -> None:
        if one.system == broken:
            raise ConnectionError("no answer")
        landed.append(one.system)

    return SimpleNamespace(sync=sync)


SYSTEMS = [system("erp"), system("oms", "oms"), system("wms", "wms")]


def test_a_system_that_does_not_answer_holds_nothing_back() -> None:
    landed: list[str] = []
    (warning,) = gather(SYSTEMS[1:], tools_of(landed, broken="oms"))
    assert landed == ["wms"] and "oms" in warning


@pytest.mark.parametrize("waits", [False, True])
def test_a_pass_that_waited_for_its_turn_reads_now_and_lands_every_system_again(world: World, waits: bool) -> None:
    landed: list[str] = []
    settings = replace(world.settings, business_now="wall", lock_wait_s=10)
    with opened(settings, {}) as the_pass, ExitStack() as other:
        before = the_pass.as_of
        the_pass.gathering = Gathering("erp", SYSTEMS, tools_of(landed))
        if waits:
            other.enter_context(held(settings.home / "warehouse.lock", wait_s=1, doing="a pass"))
            threading.Timer(1.5, other.close).start()
        the_pass.take_warehouse()
        assert the_pass.gathered() == []
        assert (the_pass.as_of > before) == waits
    assert sorted(landed) == sorted(["oms", "wms"] + (["erp", "oms", "wms"] if waits else []))


def test_a_run_that_one_system_asked_for_gathers_the_others(world: World, instance: dg.DagsterInstance) -> None:
    landed: list[str] = []
    tools = replace(world.tools(), sync=tools_of(landed).sync)
    resource = pass_resource(world.settings, SYSTEMS, tools)
    defs = build_defs(world.settings, systems=[system()], tools=world.tools(), dbt=world.dbt())
    for tags, wanted in (({SYSTEM_TAG: "erp"}, ["oms", "wms"]), ({}, [])):
        run = instance.create_run_for_job(defs.resolve_job_def(PASS), tags=tags)
        context = dg.build_init_resource_context(instance=instance)
        with patch.object(type(context), "run_id", run.run_id):
            steps = resource.resource_fn(context)
            next(steps)
            steps.close()
        assert sorted(landed) == wanted
        landed.clear()


def test_a_sensor_leaves_its_system_to_a_pass_that_has_not_loaded_yet(
    world: World, instance: dg.DagsterInstance
) -> None:
    defs = build_defs(world.settings, systems=[system(), system("oms", "oms")], tools=world.tools(), dbt=world.dbt())

    def tick() -> Any:
        return defs.resolve_sensor_def("oms_changed")(dg.build_sensor_context(instance=instance, definitions=defs))

    run = instance.create_run_for_job(
        defs.resolve_job_def(PASS), tags={SYSTEM_TAG: "erp"}, status=dg.DagsterRunStatus.STARTED
    )
    assert isinstance(tick(), dg.SkipReason)
    instance.add_run_tags(run.run_id, {LOADING_TAG: "true"})
    assert isinstance(tick(), dg.RunRequest), "that pass has looked already: what came later needs its own"
