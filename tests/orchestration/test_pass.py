"""A pass publishes what passed its checks, and nothing else."""

import dagster as dg
from world import World

from orchestration.agreement import Verdict
from orchestration.definitions import build_defs
from orchestration.jobs import PASS
from orchestration.passes import AS_OF_TAG, FORCE_TAG
from orchestration.publication import current, reading

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run(world: World, instance: dg.DagsterInstance, **tags: str) -> dg.ExecuteInProcessResult:
    defs = build_defs(world.settings, systems=[world.system()], tools=world.tools(), dbt=world.dbt())
    job = defs.resolve_job_def(PASS)
    return job.execute_in_process(instance=instance, raise_on_error=False, tags=tags, run_config=QUIET)


def test_a_pass_lands_builds_checks_and_publishes(world: World, instance: dg.DagsterInstance) -> None:
    result = run(world, instance)
    assert result.success
    with reading(world.settings.published) as (connection, snapshot):
        assert connection.execute("select numerator, agreement, as_of_utc::varchar from kpi.kpi_cell").fetchall() == [
            (6, "agreed", "2024-03-05 00:00:00")
        ]
        assert snapshot.note["as_of"] == "2024-03-05T00:00:00Z"
    (record,) = instance.get_run_records()
    assert record.dagster_run.tags[AS_OF_TAG] == "2024-03-05T00:00:00Z"
    events = result.get_asset_materialization_events()
    materialized = {event.asset_key.to_user_string() for event in events if event.asset_key is not None}
    assert materialized == {
        "landing/erp/sales_orders",
        "warehouse/loaded",
        "canonical/other",
        "marts/dimensions",
        "kpi/cells",
        "kpi/agreement",
        "published/snapshot",
    }


def test_a_pass_with_nothing_new_ends_after_loading_and_keeps_the_version(
    world: World, instance: dg.DagsterInstance
) -> None:
    run(world, instance)
    assert run(world, instance).success
    assert current(world.settings.published).version == 1  # type: ignore[union-attr]
    assert world.calls.count("agree") == 1
    assert run(world, instance, **{FORCE_TAG: "true"}).success
    assert current(world.settings.published).version == 2  # type: ignore[union-attr]


def test_disagreement_blocks_publication(world: World, instance: dg.DagsterInstance) -> None:
    run(world, instance)
    world.position, world.reference_is_wrong = "2", True
    result = run(world, instance)
    assert not result.success
    assert current(world.settings.published).version == 1  # type: ignore[union-attr]
    failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert [check.check_name for check in failed] == ["both_programs_agree"]


def test_agreement_on_nothing_blocks_publication(world: World, instance: dg.DagsterInstance) -> None:
    world.reference_is_empty = True
    assert not run(world, instance).success
    assert current(world.settings.published) is None


def test_a_comparison_of_nothing_does_not_say_that_none_disagree(world: World) -> None:
    assert Verdict(0, 0, []).words == "kpi/agreement ran, and neither program computed a cell"
    assert not Verdict(0, 0, []).ok


def test_a_failed_test_of_the_models_blocks_publication_and_skips_what_depends_on_it(
    world: World, instance: dg.DagsterInstance
) -> None:
    world.rows = [(1, 2), (1, None)]
    result = run(world, instance)
    assert not result.success
    assert current(world.settings.published) is None
    assert "agree" not in world.calls
    failed = {(check.asset_key.to_user_string(), check.check_name) for check in result.get_asset_check_evaluations()}
    landing = {("landing/erp/sales_orders", name) for name in ("nothing_dead", "every_stream_follows")}
    assert failed == {("canonical/other", "keys")} | landing


def test_after_a_failed_pass_the_same_work_is_done_again(world: World, instance: dg.DagsterInstance) -> None:
    world.reference_is_wrong = True
    run(world, instance)
    world.reference_is_wrong = False
    assert run(world, instance).success
    assert current(world.settings.published).version == 1  # type: ignore[union-attr]


def test_the_warehouse_is_free_for_others_after_a_pass(world: World, instance: dg.DagsterInstance) -> None:
    from orchestration.locks import held

    run(world, instance)
    with held(world.settings.home / "warehouse.lock", wait_s=0.1, doing="looking"):
        pass
