"""`crossdock run` killed anywhere: the next one goes on by itself, says what it went past, and ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import dagster as dg
import pytest

from orchestration.history import IN_FLIGHT
from orchestration.instance import prepare_instance
from orchestration.settings import Settings
from tests.e2e.box import Box, sandbox
from tests.e2e.demo import ROOT, cells_of, crossdock, differences, truth

pytestmark = [pytest.mark.verify, pytest.mark.timeout(600)]
BOUND_S = 240
"""How long the next pass may take to end on a busy machine; before, it waited without an end."""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with sandbox(tmp_path_factory.mktemp("killed"), "--world", "simulated", "--days", "8") as box:
        yield box


def kill_when(box: Box, reached: str, seen: Callable[[Box, str], list[str]]) -> None:
    """Starts a pass and kills its process group once one more run is `seen` to have reached that point."""
    env = os.environ | {"CROSSDOCK_HOME": str(box.home), "PYTHONPATH": str(ROOT), "DO_NOT_TRACK": "1"}
    before = len(seen(box, reached))
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "run", "--json"], cwd="/", env=env, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while len(seen(box, reached)) == before:
        assert process.poll() is None, f"the pass ended before {reached} began"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def instance_of(box: Box) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_config(str(prepare_instance(Settings.from_env(home=box.home).dagster_home)))


def steps(box: Box, step: str) -> list[str]:
    with instance_of(box) as instance:
        runs = instance.get_runs()
        return [r.run_id for r in runs if any(s.step_key == step for s in instance.get_run_step_stats(r.run_id))]


def created(box: Box, _reached: str) -> list[str]:
    with instance_of(box) as instance:
        return [run.run_id for run in instance.get_runs()]


@pytest.mark.parametrize(
    "step",
    ["land_erp", "load_warehouse", "dbt_build"],
)
def test_a_pass_killed_in_a_step_holds_up_nothing(box: Box, step: str) -> None:
    kill_when(box, step, steps)
    goes_on(box)


def test_a_pass_killed_before_its_run_started_holds_up_nothing(box: Box) -> None:
    kill_when(box, "created", created)
    goes_on(box)


def goes_on(box: Box) -> None:
    """The next pass ends by itself, says what it went past, leaves nothing in flight and equals the world."""
    said = json.loads(crossdock("run", "--json", home=box.home, timeout_s=BOUND_S))
    assert said["ok"] and "is gone" in said["went_past"][0]
    with instance_of(box) as instance:
        assert not instance.get_runs(dg.RunsFilter(statuses=IN_FLIGHT))
    published = cells_of(box.home / "published" / "current" / "crossdock.duckdb")
    assert differences(truth(box.home), published) == []
