"""A pass that one system asked for lands the others too before it builds, so that KPIs are as of one instant."""

from types import SimpleNamespace
from typing import Any

import dagster as dg
from world import World, system

from orchestration.assets.warehouse import gather
from orchestration.definitions import build_defs
from orchestration.jobs import PASS
from orchestration.passes import LOADING_TAG, SYSTEM_TAG


def gathered(own: str | None, behind: set[str], broken: str = "") -> tuple[list[str], list[str]]:
    """Runs `gather` over erp, oms and wms; returns what it landed and what it warned of."""
    landed: list[str] = []
    warned: list[str] = []

    def position(one: Any, _landed: str | None) -> str:
        if one.system == broken:
            raise ConnectionError("no answer")
        return "2" if one.system in behind else "1"

    tools: Any = SimpleNamespace(
        landed=lambda _name: SimpleNamespace(position="1"),
        source_position=position,
        sync=lambda one: landed.append(one.system),
    )
    tags = {SYSTEM_TAG: own} if own else {}
    context: Any = SimpleNamespace(run=SimpleNamespace(tags=tags), log=SimpleNamespace(warning=warned.append))
    gather(context, [system("erp"), system("oms", "oms"), system("wms", "wms")], tools)
    return landed, warned


def test_the_others_that_are_ahead_of_what_landed_are_landed() -> None:
    assert gathered("erp", {"erp", "oms"}) == (["oms"], [])


def test_a_system_that_does_not_answer_holds_nothing_back() -> None:
    landed, warned = gathered("erp", {"wms"}, broken="oms")
    assert landed == ["wms"] and len(warned) == 1 and "oms" in warned[0]


def test_a_pass_over_every_system_gathers_none_again() -> None:
    assert gathered(None, {"erp", "oms", "wms"}) == ([], [])


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
