"""The history of runs has an end, by age and by size; what sensors ask for and what is not over stays."""

import gc
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from world import World, system

from orchestration.automation import Automation
from orchestration.history import last_runs
from orchestration.instance import prepare_instance
from orchestration.passes import SYSTEM_TAG
from orchestration.pruning import Files, prune
from orchestration.settings import Settings

DAY = 86400


@dg.asset
def wide(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
    return dg.MaterializeResult(metadata={"text": "x" * 200_000})


JOB = dg.Definitions(assets=[wide], jobs=[dg.define_asset_job("wide_job", "*")]).resolve_job_def("wide_job")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, systems=tmp_path, history_mb=2)


@pytest.fixture
def kept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance on disk, as a home has one."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    with dg.DagsterInstance.from_config(str(prepare_instance(settings.dagster_home))) as instance:
        yield instance
    del instance
    gc.collect()


def run(instance: dg.DagsterInstance, name: str = "erp") -> str:
    return JOB.execute_in_process(instance=instance, tags={SYSTEM_TAG: name}).run_id


def size(settings: Settings) -> int:
    return sum(Files(settings.dagster_home).sizes().values()) + Files(settings.dagster_home).shared()


@pytest.mark.verify
def test_many_runs_stay_within_the_size_and_the_last_ones_are_kept(
    settings: Settings, kept: dg.DagsterInstance
) -> None:
    ids, largest = [], 0
    for _ in range(22):
        ids.append(run(kept))
        prune(kept, settings, most_s=60)
        largest = max(largest, size(settings))
    left = {one.run_id for one in kept.get_runs()}
    assert set(ids[-10:]) <= left and len(left) < 15, "the last ten of a system are what its sensor asks for"
    assert set(Files(settings.dagster_home).sizes()) == left, "no file of a removed run is left"
    assert [one.dagster_run.run_id for one in last_runs(kept, {SYSTEM_TAG: "erp"})] == ids[:-11:-1]
    assert kept.get_latest_materialization_event(dg.AssetKey("wide")) is not None
    again = run(kept)
    prune(kept, settings, most_s=60)
    assert size(settings) <= largest and kept.get_run_by_id(again) is not None


def test_the_run_of_an_assets_latest_materialization_and_a_run_that_is_not_over_stay_however_old(
    settings: Settings, kept: dg.DagsterInstance
) -> None:
    only = run(kept, "oms")
    under_way = kept.create_run_for_job(JOB, status=dg.DagsterRunStatus.STARTED).run_id
    failed = [
        kept.create_run_for_job(JOB, tags={SYSTEM_TAG: "erp"}, status=dg.DagsterRunStatus.FAILURE).run_id
        for _ in range(13)
    ]
    assert prune(kept, settings, now=time.time() + 15 * DAY) == 3, "ten are kept for the sensor"
    assert {one.run_id for one in kept.get_runs()} == {only, under_way, *failed[3:]}


def test_files_of_a_run_that_is_not_known_are_removed_once_nothing_touches_them(
    settings: Settings, kept: dg.DagsterInstance
) -> None:
    run_id = run(kept)
    kept.run_storage.delete_run(run_id)  # and killed here
    assert prune(kept, settings) == 0
    assert prune(kept, settings, now=time.time() + DAY) == 1
    assert Files(settings.dagster_home).sizes() == {}


def test_a_key_is_never_asked_for_twice_when_older_tries_are_pruned(world: World, instance: dg.DagsterInstance) -> None:
    automation, seen = Automation(world.settings, world.tools(), []), []
    for _ in range(4):
        request = automation.request(instance, system(), "7")
        assert isinstance(request, dg.RunRequest)
        seen.append(request.run_key)
        tags = {**request.tags, "dagster/run_key": str(request.run_key)}
        instance.create_run_for_job(JOB, tags=tags, status=dg.DagsterRunStatus.FAILURE)
        oldest = instance.get_runs(ascending=True)
        if len(oldest) > 1:
            instance.delete_run(oldest[0].run_id)
    assert seen == ["erp:7:1", "erp:7:2", "erp:7:3", "erp:7:4"]


def test_another_process_that_prunes_is_not_waited_for(settings: Settings, kept: dg.DagsterInstance) -> None:
    from orchestration.locks import held

    late = replace(settings, history_days=1)
    with held(settings.dagster_home / "prune.lock", wait_s=0, doing="pruning"):
        assert prune(kept, late) == 0
