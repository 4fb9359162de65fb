"""One small world under a storm: its faults, its days, and what is asked of it between the kills."""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from orchestration.instance import prepare_instance
from orchestration.settings import Settings
from tests.e2e.box import Box, sandbox
from tests.kills import equal, warm
from tests.kills.tally import Tally

SYSTEMS = ("erp", "oms", "wms", "carrier")
FAULTS: dict[str, dict[str, dict[str, float]]] = {
    "none": {},
    "40 % errors": {name: {"error_rate": 0.4} for name in SYSTEMS},
    "answers cut short": {name: {"truncate_rate": 0.2} for name in ("oms", "wms", "carrier")},
    "connections dropped": {"erp": {"drop_next": 3, "drop_every_seconds": 0.5}, "wms": {"truncate_rate": 0.1}},
    "database stopped": {"erp": {"down_seconds": 3}, "oms": {"error_next": 2}},
    "out of order and twice": {name: {"shuffle_rate": 0.5, "duplicate_rate": 0.2} for name in SYSTEMS},
}
BOUND_S = 400.0
"""When a pass counts as stuck. The promise is a minute on a machine that is not loaded; what it took is in the table,
and no proof depends on how busy the machine is."""


@dataclass
class World:
    """`dice` decides all that is random here: faults, moments, wishes."""

    box: Box
    dice: random.Random
    pass_s: float = 20.0
    changes: int = 0
    checks: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.box.home

    def faults(self, name: str | None = None) -> str:
        """Turns the fault knobs: a fault by name, or one that the dice choose."""
        name = name or self.dice.choice(list(FAULTS))
        self.box.faults(dict.fromkeys(SYSTEMS))
        if FAULTS[name]:
            self.box.faults(FAULTS[name])
        return name

    def a_day(self) -> None:
        self.box.advance(1)
        self.changes += 1

    def whole_pass(self, tally: Tally, since: float, *, deep: bool = False) -> None:
        """The next pass, with nothing touched before it, must end by itself; then everything is equal."""
        for _ in range(3):  # a system that was down during all of one pass is caught up with by the next
            begun = time.monotonic()
            command = warm.done(self.home, "run", "--json", within_s=BOUND_S)
            if command.process.exitcode != 3:
                break
            self.faults("none")
        if command.process.exitcode != 0:
            tally.faults.append(
                f"manual: `crossdock run` ended with {command.process.exitcode}: {command.said[-1500:]}"
            )
        self.pass_s = time.monotonic() - begun
        command.forget()
        tally.faults += [f"lost: {one}" for one in equal.unlike_the_world(self.home)[:3]]
        tally.recovered(time.monotonic() - since)
        if deep:
            self.faults("none")
            tally.faults += equal.unlike_the_sources(self.box)

    def under_way(self, before: set[str]) -> str:
        """The step that the newest run which is not in `before` was in."""
        with self.instance() as instance:
            runs = [run for run in instance.get_runs() if run.run_id not in before]
            if not runs:
                return "before its run"
            steps = instance.get_run_step_stats(runs[0].run_id)
        begun = [step for step in steps if step.start_time is not None]
        if not begun:
            return "before its first step"
        last = max(begun, key=lambda step: step.start_time or 0.0)
        return _group(last.step_key) if last.end_time is None else f"after {_group(last.step_key)}"

    def runs(self) -> set[str]:
        with self.instance() as instance:
            return {run.run_id for run in instance.get_runs()}

    def instance(self) -> dg.DagsterInstance:
        return dg.DagsterInstance.from_config(str(prepare_instance(Settings.from_env(home=self.home).dagster_home)))


def _group(step: str) -> str:
    return "landing" if step.startswith("land_") else step


@contextmanager
def opened(home: Path, seed: int) -> Iterator[World]:
    """A world of two days, published once."""
    home.mkdir()
    with sandbox(home, "--world", "simulated", "--days", "2", "--orders-per-day", "5", "--seed", str(seed)) as box:
        world = World(box, random.Random(seed))
        warm.answer(home, "run", within_s=600)
        world.whole_pass(Tally("first"), time.monotonic(), deep=True)
        yield world


def wait(until: Callable[[], bool], most_s: float) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + most_s
    while not until():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def note(home: Path) -> dict[str, object]:
    return dict(json.loads((home / "published" / "current" / "snapshot.json").read_text()))
