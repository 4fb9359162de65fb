"""A run ends with its process: whoever looks next finds it dead, says so and takes its place."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import psutil
import pytest
from dagster._core.launcher import DefaultRunLauncher, WorkerStatus
from world import World, system

from orchestration import history
from orchestration.automation import Automation
from orchestration.definitions import build_defs
from orchestration.instance import prepare_instance
from orchestration.jobs import PASS
from orchestration.launcher import ProcessRunLauncher
from orchestration.passes import SYSTEM_TAG
from orchestration.runs import DOING, LAUNCHER_TAG, PROCESS_TAG, UNREGISTERED_S, Process, end_dead_runs, why_dead
from orchestration.runs import _started as started_of

HERE = str(Path(__file__).parent)


@pytest.fixture
def dead() -> Process:
    """A process that is gone, and was waited for."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = Process(Process.this().host, child.pid, started_of(child.pid))
    child.kill()
    child.wait()
    return found


@pytest.fixture
def unreaped() -> Iterator[Process]:
    """A process that was killed and that its parent has not waited for."""
    child = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1)
    assert child.stdout is not None
    child.stdout.readline()
    found = Process(Process.this().host, child.pid, started_of(child.pid))
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and still to be waited for
    yield found
    child.wait()


class Home:
    def __init__(self, world: World, instance: dg.DagsterInstance) -> None:
        self.defs = build_defs(world.settings, systems=[system()], tools=world.tools(), dbt=world.dbt())
        self.instance = instance

    def run(self, status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED, **tags: str) -> str:
        job = self.defs.resolve_job_def(PASS)
        named = {key.replace("_", "/", 1): value for key, value in tags.items()}
        return self.instance.create_run_for_job(job, tags={SYSTEM_TAG: "erp", **named}, status=status).run_id

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run.status

    def tick(self) -> dg.RunRequest | dg.SkipReason:
        context = dg.build_sensor_context(instance=self.instance, definitions=self.defs)
        return self.defs.resolve_sensor_def("erp_changed")(context)  # type: ignore[return-value]


@pytest.fixture
def home(world: World, instance: dg.DagsterInstance) -> Home:
    return Home(world, instance)


def test_a_run_whose_process_lives_goes_on(home: Home) -> None:
    run_id = home.run(crossdock_process=Process.this().tag)
    assert end_dead_runs(home.instance) == []
    assert home.status(run_id) is dg.DagsterRunStatus.STARTED


def test_a_run_whose_process_is_gone_fails_and_says_why(home: Home, dead: Process) -> None:
    run_id = home.run(crossdock_process=dead.tag)
    (told,) = end_dead_runs(home.instance)
    assert str(dead.pid) in told and "is gone" in told
    assert home.status(run_id) is dg.DagsterRunStatus.FAILURE
    assert end_dead_runs(home.instance) == []


def test_a_killed_process_that_nobody_waited_for_is_gone(unreaped: Process) -> None:
    assert unreaped.is_gone


def test_a_process_number_that_was_given_again_is_another_process() -> None:
    mine = Process.this()
    assert Process(mine.host, mine.pid, mine.started - 3600).is_gone


def test_a_step_of_the_clock_makes_no_living_process_another(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Process.this()
    create_time = psutil.Process.create_time  # told against a boot time that moves with the clock
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: create_time(process) + 600)
    assert not mine.is_gone and Process.this() == mine


def test_a_run_executed_anew_is_not_taken_for_the_process_of_the_one_before(
    tmp_path: Path, home: Home, dead: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DefaultRunLauncher, "launch_run", lambda *_: None)
    prepare_instance(tmp_path / "dagster")
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        home.instance = instance
        run_id = home.run(dg.DagsterRunStatus.STARTING, crossdock_process=dead.tag)
        instance.run_launcher.launch_run(SimpleNamespace(dagster_run=instance.get_run_by_id(run_id)))  # type: ignore[arg-type]
        assert end_dead_runs(instance) == []


def test_a_process_of_another_machine_is_not_judged_from_here(dead: Process) -> None:
    assert not Process("elsewhere", dead.pid, dead.started).is_gone


def test_a_dead_run_that_was_being_cancelled_is_cancelled(home: Home, dead: Process) -> None:
    run_id = home.run(dg.DagsterRunStatus.CANCELING, crossdock_process=dead.tag)
    end_dead_runs(home.instance)
    assert home.status(run_id) is dg.DagsterRunStatus.CANCELED


def test_a_run_that_nothing_took_up_is_dead_after_a_while_and_not_before(home: Home, dead: Process) -> None:
    started, starting = home.run(), home.run(dg.DagsterRunStatus.STARTING, crossdock_launched_by=dead.tag)
    for run_id in (started, starting):
        record = home.instance.get_run_record_by_id(run_id)
        assert record is not None
        begun = record.create_timestamp.timestamp()
        assert why_dead(record, begun + UNREGISTERED_S - 1) is None
        assert why_dead(record, begun + UNREGISTERED_S + 1)
    alive = home.instance.get_run_record_by_id(
        home.run(dg.DagsterRunStatus.STARTING, crossdock_launched_by=Process.this().tag)
    )
    assert why_dead(alive, time.time() + 10 * UNREGISTERED_S) is None


def test_a_sensor_takes_the_place_of_a_dead_run(home: Home, dead: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BACKOFF_S", 0)
    home.run(crossdock_process=dead.tag)
    assert isinstance(home.tick(), dg.RunRequest)


def test_a_run_killed_before_it_started_holds_up_nobody(
    home: Home, dead: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "BACKOFF_S", 0)
    run_id = home.run(dg.DagsterRunStatus.NOT_STARTED, crossdock_process=dead.tag)
    assert isinstance(home.tick(), dg.RunRequest)
    assert home.status(run_id) is dg.DagsterRunStatus.FAILURE


def test_whatever_a_sensor_waits_for_can_be_found_dead_or_is_in_the_queue() -> None:
    assert set(history.IN_FLIGHT) - set(DOING) == {dg.DagsterRunStatus.QUEUED}


def test_a_created_run_that_nobody_took_up_is_dead_after_a_while_and_not_before(home: Home) -> None:
    record = home.instance.get_run_record_by_id(home.run(dg.DagsterRunStatus.NOT_STARTED))
    assert record is not None
    created = record.create_timestamp.timestamp()
    assert why_dead(record, created + UNREGISTERED_S - 1) is None
    assert why_dead(record, created + UNREGISTERED_S + 1)
    assert why_dead(record, created - 86400), "the clock was ahead when it was made"


def test_write_back_takes_the_place_of_a_dead_write_back_run(
    world: World, instance: dg.DagsterInstance, dead: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "BACKOFF_S", 0)
    home = Home(world, instance)
    tools = replace(world.tools(), approved=lambda: ["a plan"])
    run_id = instance.create_run_for_job(
        home.defs.resolve_job_def(PASS), tags={PROCESS_TAG: dead.tag}, status=dg.DagsterRunStatus.STARTED
    ).run_id
    sensor = Automation(world.settings, tools, []).writes_sensor([system()])
    assert isinstance(sensor(dg.build_sensor_context(instance=instance)), dg.RunRequest)
    assert home.status(run_id) is dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize("name", ["in_process", "multiprocess"])
def test_a_run_that_a_worker_begins_carries_its_process(name: str, tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        job = dg.build_reconstructable_job("worker_job", "made", (name,), reconstructor_working_directory=HERE)
        with dg.execute_job(job, instance=instance) as result:
            assert result.success
            run = instance.get_run_by_id(result.run_id)
    assert run is not None and Process.of(run.tags.get(PROCESS_TAG)) == Process.of(Process.this().tag)


def test_the_launcher_of_a_home_knows_whether_a_run_lives(tmp_path: Path, home: Home, dead: Process) -> None:
    prepare_instance(tmp_path / "dagster")
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        launcher = instance.run_launcher
        assert isinstance(launcher, ProcessRunLauncher) and launcher.supports_check_run_worker_health
        home.instance = instance
        for process, status in ((dead, WorkerStatus.FAILED), (Process.this(), WorkerStatus.RUNNING)):
            run = instance.get_run_by_id(home.run(crossdock_process=process.tag))
            assert run is not None
            assert launcher.check_run_worker_health(run).status is status


def test_tags_are_read_as_they_were_written_and_nothing_else_is_a_process() -> None:
    assert Process.of(Process.this().tag) is not None
    assert Process.of("a host with spaces 12 1.50") == Process("a host with spaces", 12, 1.5)
    assert [Process.of(text) for text in (None, "", "x", "host pid now")] == [None] * 4
    assert PROCESS_TAG != LAUNCHER_TAG
