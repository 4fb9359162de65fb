"""Who interrupts a pass while dbt builds ends it: what was half built is nobody's version."""

import multiprocessing
import os
import signal
import time
from types import SimpleNamespace

import dagster as dg
import duckdb
import pytest
from test_built import PUBLISHED, note, only, words_of
from test_pass import QUIET, run
from world import World

from orchestration import built
from orchestration.definitions import build_defs
from orchestration.jobs import PASS
from orchestration.passes import ClockRefused, Pass, parse_instant
from orchestration.progress import Progress


def interrupted(world: World, sent: signal.Signals) -> None:
    """A pass in a process of its own that gets a signal once dbt has built a model; exit status 0 if it succeeds."""
    struck = []

    def strike(phase: str, _label: str, done: int, _total: int) -> None:
        if phase == "dbt" and done >= 1 and not struck:
            struck.append(done)
            os.kill(os.getpid(), sent)
            time.sleep(1)

    parts = {"tools": world.tools(), "dbt": world.dbt(), "progress": Progress(strike)}
    job = build_defs(world.settings, systems=[world.system()], **parts).resolve_job_def(PASS)
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)
    os._exit(0 if done.success else 1)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_dbt_builds_ends_the_pass_and_the_next_one_builds_all(
    world: World, instance: dg.DagsterInstance, sent: signal.Signals
) -> None:
    assert run(world, instance).success
    world.position, world.rows = "2", [(1, 2), (2, 4), (3, 6)]
    child = multiprocessing.get_context("spawn").Process(target=interrupted, args=(world, sent))
    child.start()
    child.join(120)
    assert child.exitcode not in (0, None)
    assert built.built(world.settings.warehouse) is None and note(world)["version"] == 1
    assert not only(world, instance, PUBLISHED).success
    assert run(world, instance).success and note(world)["version"] == 2


@pytest.mark.parametrize("raised", [RuntimeError(), None])
def test_a_build_that_did_not_succeed_without_a_word_is_no_good_build(
    world: World, instance: dg.DagsterInstance, raised: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.dbt().manifest()
    silent = SimpleNamespace(invoke=lambda _: SimpleNamespace(success=False, exception=raised, result=None))
    monkeypatch.setattr("orchestration.dbt.Dbt._runner", lambda *_, **__: silent)
    result = run(world, instance)
    assert not result.success and ("RuntimeError" in words_of(result) or "did not succeed" in words_of(result))


def test_a_second_try_to_take_the_warehouse_judges_the_clock_as_the_first(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(world, instance)
    real, tries = built.built, []

    def held_by_somebody(path: object) -> object:
        tries.append(path)
        if len(tries) == 1:
            raise duckdb.IOException("IO Error: Could not set lock on file")
        return real(path)  # type: ignore[arg-type]

    monkeypatch.setattr("orchestration.passes.built.built", held_by_somebody)
    monkeypatch.setattr("orchestration.settings.Settings.has_fixed_now", False)
    the_pass = Pass(world.settings, parse_instant("2031-01-01T00:00:00Z"))
    with pytest.raises(duckdb.IOException):
        the_pass.take_warehouse()
    with pytest.raises(ClockRefused):
        the_pass.take_warehouse()
