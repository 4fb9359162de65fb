"""Sensors ask for exactly the runs that are needed: real ticks and real run records on an ephemeral instance."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._daemon.sensor import MIN_INTERVAL_LOOP_TIME
from test_pass import QUIET
from world import World, system

from connectors.model import PermanentError
from orchestration import history
from orchestration.assets.warehouse import LOADED
from orchestration.automation import Automation
from orchestration.definitions import build_defs
from orchestration.jobs import PASS
from orchestration.passes import AS_OF_TAG
from orchestration.publication import current, prepare_marts, publish


class Ticking:
    """The ERP's sensor, its ticks, and runs that are recorded as the daemon would."""

    def __init__(self, world: World, instance: dg.DagsterInstance) -> None:
        self.defs = build_defs(world.settings, systems=[system()], tools=world.tools(), dbt=world.dbt())
        self.instance, self.runs = instance, 0

    def tick(self) -> dg.RunRequest | dg.SkipReason:
        context = dg.build_sensor_context(instance=self.instance, definitions=self.defs)
        found: Any = self.defs.resolve_sensor_def("erp_changed")(context)
        return found

    def launch(self, request: dg.RunRequest, status: dg.DagsterRunStatus) -> str:
        self.runs += 1
        job = self.defs.resolve_job_def(PASS)
        run = self.instance.create_run_for_job(job, tags=dict(request.tags), status=dg.DagsterRunStatus.STARTED)
        self.finish(run.run_id, status)
        return run.run_id

    def finish(self, run_id: str, status: dg.DagsterRunStatus) -> None:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        if status is dg.DagsterRunStatus.SUCCESS:
            self.instance.report_dagster_event(
                dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, run.job_name, message=""), run_id
            )
        elif status is dg.DagsterRunStatus.FAILURE:
            self.instance.report_run_failed(run)


@pytest.fixture
def ticking(world: World, instance: dg.DagsterInstance) -> Ticking:
    return Ticking(world, instance)


def requested(answer: dg.RunRequest | dg.SkipReason) -> dg.RunRequest:
    assert isinstance(answer, dg.RunRequest), answer
    return answer


def test_a_source_ahead_of_landing_asks_for_a_pass_of_that_system(world: World, ticking: Ticking) -> None:
    request = requested(ticking.tick())
    assert request.run_key == "erp:1:1"
    assert AS_OF_TAG not in request.tags, "business now is read when the run starts, not when it is asked for"
    keys = {key.to_user_string() for key in request.asset_selection or []}
    assert {"landing/erp/sales_orders", "warehouse/loaded", "kpi/agreement", "published/snapshot"} <= keys


def test_a_landed_source_asks_for_nothing(world: World, ticking: Ticking) -> None:
    world.landed = world.position
    assert isinstance(ticking.tick(), dg.SkipReason)


def test_one_position_is_requested_under_one_key_however_often_it_is_seen(ticking: Ticking) -> None:
    assert requested(ticking.tick()).run_key == requested(ticking.tick()).run_key


def test_nothing_is_requested_while_a_run_is_in_flight(ticking: Ticking) -> None:
    run_id = ticking.launch(requested(ticking.tick()), dg.DagsterRunStatus.STARTED)
    answer = ticking.tick()
    assert isinstance(answer, dg.SkipReason) and "in flight" in str(answer.skip_message)
    ticking.finish(run_id, dg.DagsterRunStatus.SUCCESS)
    assert isinstance(ticking.tick(), dg.RunRequest), "the source is still ahead of what landed"


def test_after_a_failure_the_position_is_tried_again_under_a_new_key_and_not_at_once(
    ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = requested(ticking.tick())
    ticking.launch(first, dg.DagsterRunStatus.FAILURE)
    answer = ticking.tick()
    assert isinstance(answer, dg.SkipReason) and "trying again in" in str(answer.skip_message)
    monkeypatch.setattr(history, "BACKOFF_S", 0)
    assert requested(ticking.tick()).run_key == "erp:1:2"


def test_a_pass_that_failed_after_landing_is_repeated(
    world: World, ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "BACKOFF_S", 0)
    ticking.launch(requested(ticking.tick()), dg.DagsterRunStatus.FAILURE)
    world.landed = world.position
    again = requested(ticking.tick())
    ticking.launch(again, dg.DagsterRunStatus.SUCCESS)
    assert isinstance(ticking.tick(), dg.SkipReason)


def test_failures_wait_longer_and_longer_but_never_more_than_an_hour() -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC)

    class Record:
        def __init__(self) -> None:
            self.dagster_run = type("Run", (), {"status": dg.DagsterRunStatus.FAILURE})()
            self.end_time = now.timestamp()

    waits = [history.backoff_left([Record()] * count, now) for count in (1, 2, 3, 10)]
    assert waits == [timedelta(seconds=15), timedelta(seconds=30), timedelta(seconds=60), timedelta(hours=1)]


def test_a_long_position_becomes_a_short_tag() -> None:
    assert history.short("0/16B3748") == "0/16B3748"
    assert len(history.short("x" * 400)) == 24


def test_reconcile_asks_when_nothing_is_published_or_business_now_moved_on(
    world: World, instance: dg.DagsterInstance
) -> None:
    automation = Automation(world.settings, world.tools(), [LOADED])
    request = requested(automation.reconcile(instance, "t1"))
    assert list(request.asset_selection or []) == [LOADED]  # it gathers: a landing that fails would end it
    prepare_marts(world.settings.marts)
    publish(world.settings.marts, world.settings.published, note={"as_of": "2024-03-05T00:00:00Z"})
    assert isinstance(automation.reconcile(instance, "t2"), dg.SkipReason)
    later = Automation(replace(world.settings, business_now="2024-03-06T00:00:00Z"), world.tools(), [])
    assert requested(later.reconcile(instance, "t3")).run_key == "reconcile:t3"


def test_what_a_failed_pass_had_landed_of_other_systems_is_published_by_reconcile_without_the_one_that_failed(
    world: World, instance: dg.DagsterInstance
) -> None:
    down: set[str] = set()
    systems, sync = [system(), system("tms", "carrier")], world.sync

    def one(of: Any, *more: Any) -> Any:
        if of.system in down:
            raise PermanentError("the TMS refuses")
        return sync(of, *more)

    world.sync = one  # type: ignore[method-assign]
    defs = build_defs(world.settings, systems=systems, tools=world.tools(), dbt=world.dbt())
    job = defs.resolve_job_def(PASS)
    assert job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET).success
    down.add("tms")
    world.position = "2"
    assert not job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET).success
    after = [key for key in defs.resolve_asset_graph().materializable_asset_keys if key.path[0] != "landing"]
    automation = Automation(world.settings, world.tools(), after)
    request = requested(automation.reconcile(instance, "t1"))
    asked = {"asset_selection": list(request.asset_selection or []), "tags": dict(request.tags)}
    assert job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET, **asked).success
    assert current(world.settings.published).version == 2  # type: ignore[union-attr]
    assert isinstance(automation.reconcile(instance, "t2"), dg.SkipReason)


def test_a_clock_that_was_ahead_when_a_run_failed_holds_up_nothing() -> None:
    now = datetime(2024, 3, 5, tzinfo=UTC)
    ahead = SimpleNamespace(
        dagster_run=SimpleNamespace(status=dg.DagsterRunStatus.FAILURE), end_time=(now + timedelta(days=60)).timestamp()
    )
    assert history.backoff_left([ahead], now) == timedelta(seconds=15)


def test_automation_is_off_unless_the_environment_asks_for_it(world: World, ticking: Ticking) -> None:
    assert ticking.defs.resolve_sensor_def("erp_changed").default_status is dg.DefaultSensorStatus.STOPPED
    on = replace(world.settings, automation=True)
    defs = build_defs(on, systems=[system()], tools=world.tools(), dbt=world.dbt())
    assert defs.resolve_sensor_def("erp_changed").default_status is dg.DefaultSensorStatus.RUNNING
    assert defs.resolve_schedule_def("reconcile").default_status is dg.DefaultScheduleStatus.RUNNING


def test_a_sensor_is_looked_at_in_every_round_of_the_daemon_when_its_source_may_be(world: World) -> None:
    quick = replace(world.settings, poll_s=5)
    defs = build_defs(quick, systems=[system()], tools=world.tools(), dbt=world.dbt())
    assert defs.resolve_sensor_def("erp_changed").minimum_interval_seconds < MIN_INTERVAL_LOOP_TIME
