"""A version claims what it was built of, whoever materialized what, in whatever run."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import dagster as dg
import duckdb
import pytest
from test_pass import QUIET, run
from world import World, system

from connectors.control import Mirror, open_control
from orchestration import built
from orchestration.assets.publication import PUBLISHED
from orchestration.assets.warehouse import LOADED
from orchestration.definitions import build_defs
from orchestration.jobs import PASS
from orchestration.publication import current, reading

LANDING = dg.AssetKey(["landing", "erp", "sales_orders"])
MODELS = {name: dg.AssetKey([group, name]) for group, name in (("canonical", "other"), ("kpi", "cells"))}


def only(world: World, instance: dg.DagsterInstance, *keys: dg.AssetKey) -> dg.ExecuteInProcessResult:
    """These assets alone, as somebody selects them in the UI."""
    defs = build_defs(world.settings, systems=[world.system()], tools=world.tools(), dbt=world.dbt())
    job = defs.resolve_job_def(PASS)
    return job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET, asset_selection=list(keys))


def note(world: World) -> dict[str, Any]:
    snapshot = current(world.settings.published)
    assert snapshot is not None
    return {"version": snapshot.version, **snapshot.note}


def words_of(result: dg.ExecuteInProcessResult) -> str:
    """What the failed steps said."""
    failures = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    return " ".join(str(error) for error in failures)


def lands_up_to(world: World, hour: int) -> None:
    control = open_control(world.settings.control)
    until = datetime(2024, 3, 4, hour)
    Mirror(control).record_run("erp", position="1", complete_up_to_utc=until, stream_rows={}, dead=[], stopped={})
    control.close()


def spoil(world: World) -> None:
    """What a build of dbt leaves: a table without the verdicts."""
    with duckdb.connect(str(world.settings.marts)) as connection:
        connection.execute("alter table kpi.kpi_cell drop column agreement")


def test_publication_alone_compares_a_build_that_was_not_compared_and_says_so(
    world: World, instance: dg.DagsterInstance
) -> None:
    run(world, instance)
    spoil(world)
    result = only(world, instance, PUBLISHED)
    assert result.success and note(world)["version"] == 2 and world.calls.count("agree") == 2
    (event,) = result.get_asset_materialization_events()
    assert event.materialization.metadata["did besides"].value == "kpi/agreement"
    spoil(world)
    world.reference_is_wrong = True
    result = only(world, instance, PUBLISHED)
    assert not result.success and "cells disagree" in words_of(result) and note(world)["version"] == 2


def test_what_was_loaded_after_the_build_is_not_claimed(world: World, instance: dg.DagsterInstance) -> None:
    lands_up_to(world, 1)
    run(world, instance)
    before = note(world)
    lands_up_to(world, 2)
    world.position, world.rows = "2", [(1, 2), (2, 4), (3, 6)]
    assert only(world, instance, LANDING, LOADED).success
    assert only(world, instance, PUBLISHED).success
    after = note(world)
    assert after["version"] == 2
    for name in ("loaded", "complete_up_to", "work_key"):
        assert after[name] == before[name], name

    assert run(world, instance).success
    assert note(world)["version"] == 3 and note(world)["complete_up_to"] == {"erp": "2024-03-04T02:00:00Z"}


@pytest.mark.parametrize("part", MODELS)
def test_some_models_are_built_as_of_the_others(world: World, instance: dg.DagsterInstance, part: str) -> None:
    run(world, instance)
    before = note(world)
    world.settings = replace(world.settings, business_now="2024-03-09T00:00:00Z")
    assert only(world, instance, MODELS[part]).success and only(world, instance, PUBLISHED).success
    assert note(world)["version"] == 2 and note(world)["as_of"] == before["as_of"]
    assert run(world, instance).success
    assert note(world)["version"] == 3 and note(world)["as_of"] == "2024-03-09T00:00:00Z"


@pytest.mark.parametrize("part", MODELS)
@pytest.mark.parametrize("since", ["more was loaded", "the marts were removed", "a system was told otherwise"])
def test_parts_of_two_ages_are_not_published_and_the_next_pass_builds_all(
    world: World, instance: dg.DagsterInstance, part: str, since: str
) -> None:
    run(world, instance)
    if since == "more was loaded":
        world.position, world.rows = "2", [(1, 2), (2, 4), (3, 6)]
        assert only(world, instance, LANDING, LOADED).success
    elif since == "the marts were removed":
        world.settings.marts.unlink()
    else:
        world.zone = "America/New_York"
    assert only(world, instance, MODELS[part]).success
    result = only(world, instance, PUBLISHED)
    assert not result.success and note(world)["version"] == 1
    assert run(world, instance).success and note(world)["version"] == 2
    assert run(world, instance).success and note(world)["version"] == 2


def test_another_file_with_the_same_batches_is_work_also_when_it_was_loaded_alone(
    world: World, instance: dg.DagsterInstance
) -> None:
    run(world, instance)
    world.rows, world.landing_began = [(7, 70)], datetime(2024, 3, 2)
    assert only(world, instance, LOADED).success
    assert run(world, instance).success
    with reading(world.settings.published) as (connection, snapshot):
        assert connection.execute("select numerator from kpi.kpi_cell").fetchall() == [(70,)] and snapshot.version == 2


def test_a_system_that_is_told_otherwise_is_work(world: World, instance: dg.DagsterInstance) -> None:
    run(world, instance)
    world.zone = "America/New_York"
    assert run(world, instance).success and note(world)["version"] == 2


def test_what_lands_while_a_pass_builds_is_not_claimed(world: World, instance: dg.DagsterInstance) -> None:
    lands_up_to(world, 1)
    load = world.load

    def while_it_loads(systems: Any) -> Any:
        result = load(systems)
        lands_up_to(world, 2)
        return result

    world.load = while_it_loads  # type: ignore[method-assign]
    run(world, instance)
    assert note(world)["complete_up_to"] == {"erp": "2024-03-04T01:00:00Z"}


def test_a_kpi_says_up_to_when_each_system_behind_it_is_complete_and_why_not_further(
    world: World, instance: dg.DagsterInstance
) -> None:
    lands_up_to(world, 1)
    control = open_control(world.settings.control)
    Mirror(control).record_run(
        "erp", position=None, complete_up_to_utc=None, stream_rows={}, dead=[], error="the ERP\x1b[2J refuses"
    )
    Mirror(control).record_run("tms", position="1", complete_up_to_utc=None, stream_rows={}, dead=[])
    control.close()
    systems = [system(), system("tms", "carrier")]  # nothing is made of the second one, and its file is gone
    defs = build_defs(world.settings, systems=systems, tools=world.tools(), dbt=world.dbt())
    job = defs.resolve_job_def(PASS)
    assert job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET).success
    with reading(world.settings.published) as (connection, snapshot):
        rows = connection.execute("select * from kpi.kpi_system").fetchall()
    why = "the ERP\\u001b[2J refuses"
    assert rows == [("orders_total", "erp", datetime(2024, 3, 4, 1), why)]
    assert snapshot.note["complete_up_to"] == {"erp": "2024-03-04T01:00:00Z", "tms": None}
    assert snapshot.note["behind"] == {"erp": why, "tms": "its landing file is gone"}

    lands_up_to(world, 1)  # it answers again, and has nothing new
    assert job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET).success
    assert note(world)["version"] == 2 and note(world)["behind"] == {"tms": "its landing file is gone"}


@pytest.mark.parametrize("ending", ["a test failed", "killed"])
def test_marts_of_a_build_that_did_not_end_well_are_not_published_and_the_next_pass_builds_again(
    world: World, instance: dg.DagsterInstance, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(world, instance)
    sound = world.rows
    if ending == "killed":
        with monkeypatch.context() as patched:
            patched.setattr("orchestration.dbt.Dbt.build", lambda *_, **__: 1 / 0)
            assert not only(world, instance, *MODELS.values()).success
    else:
        world.rows, world.position = [(1, 2), (1, None)], "2"
        assert not run(world, instance).success
        world.rows = sound
    result = only(world, instance, PUBLISHED)
    assert not result.success and "the models are not all of one build" in words_of(result)
    assert only(world, instance, MODELS["cells"]).success  # some models built well do not mend the others
    assert not only(world, instance, PUBLISHED).success
    assert note(world)["version"] == 1

    assert run(world, instance).success  # nothing new landed
    assert note(world)["version"] == 2


def test_agreement_on_nothing_but_zeros_is_not_published_alone_either(
    world: World, instance: dg.DagsterInstance
) -> None:
    agree = world.agree
    world.agree = lambda as_of: SimpleNamespace(**vars(agree(as_of)) | {"ok": False})  # type: ignore[method-assign]
    assert not run(world, instance).success
    assert not only(world, instance, PUBLISHED).success and current(world.settings.published) is None


def test_of_a_system_that_is_left_out_before_it_was_ever_noted_the_reason_is_kept(world: World) -> None:
    with duckdb.connect(str(world.settings.warehouse)) as connection:
        connection.execute("create schema _load")
        connection.execute(
            "create table _load.loaded as select 'oms' as system, 3 as batch_id, "
            "timestamp '2024-01-01' as landing_began, timestamp '2024-01-02' as batch_began"
        )
    built.note_load(world.settings.warehouse, {"oms": (datetime(2024, 1, 1), None)}, {"oms": "damaged"})
    built.begin(world.settings.warehouse, world.settings.marts)
    built.end(world.settings.warehouse, "code", datetime(2024, 1, 3, tzinfo=UTC))
    found = built.built(world.settings.warehouse)
    assert found is not None and found.behind == {"oms": "damaged"} and found.complete_up_to == {"oms": None}
