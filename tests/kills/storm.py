"""The phases of a storm: each kills one of the user's processes at random moments, and asks that nothing came of it.

A kill is SIGKILL to a whole process group. After each, with nothing touched, the next pass, apply or publication ends
by itself, and what is published equals the world's ledger; now and then, and at the end, also what landed equals each
source row by row, and at the very end all of it equals one build from nothing.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from orchestration.history import IN_FLIGHT
from tests.e2e.demo import ROOT
from tests.kills import equal, warm
from tests.kills.tally import Tally
from tests.kills.world import BOUND_S, World, note, wait

EVERY = 10
"""Kills between two comparisons with the sources."""
PUBLISH = ("asset", "materialize", "--select", 'key:"published/snapshot"', "-m", "orchestration.definitions")


def runs(world: World, kills: int) -> Tally:
    """`crossdock run`, killed at any moment from its start to its end, while the sources change and fail."""
    tally = Tally("`crossdock run`")
    while tally.kills < kills:
        world.a_day()
        fault, before = world.faults(), world.runs()
        moment = world.dice.uniform(0, world.pass_s)
        command = warm.start(world.home, "run", "--json")
        if world.dice.random() < 0.5:
            world.a_day()
        time.sleep(max(0.0, command.begun + moment - time.monotonic()))
        killed, at = command.kill(), time.monotonic()
        command.forget()
        if world.dice.random() < 0.5:
            world.faults("none")
        if killed:
            tally.struck(world.under_way(before))
        say(world, tally, fault, moment)
        world.whole_pass(tally, at, deep=tally.kills % EVERY == 0)
        if stop(tally):
            break
    world.whole_pass(tally, time.monotonic(), deep=True)
    return tally


def publications(world: World, kills: int) -> Tally:
    """`dagster asset materialize --select published/snapshot`, killed, every second time the one after it too."""
    tally = Tally("publication")
    folder = world.home / "published"
    took, rounds = 3.0, 0
    while tally.kills < kills:
        rounds += 1
        for _ in range(world.dice.choice((1, 2))):
            at = _publication_struck(world, tally, took)
        next_one = warm.start(world.home, *PUBLISH, program="dagster")
        if next_one.status(BOUND_S) != 0:
            tally.faults.append(f"manual: the next publication failed: {next_one.complained[-1500:]}")
        took = time.monotonic() - next_one.begun
        next_one.forget()
        tally.recovered(time.monotonic() - at)
        tally.faults += [f"lost: {one}" for one in equal.unlike_the_world(world.home)[:3]]
        if leftover := [*folder.glob(".building-*"), *folder.glob(".current-*")]:
            tally.faults.append(f"manual: the next publication left {leftover}")
        if stop(tally):
            break
        if rounds % 30 == 0:
            world.a_day()
            world.whole_pass(tally, time.monotonic())
    world.whole_pass(tally, time.monotonic(), deep=True)
    return tally


def _publication_struck(world: World, tally: Tally, took: float) -> float:
    """Kills a publication, two of three times once it has begun to publish; when that was."""
    folder = world.home / "published"
    version = note(world.home)["version"]
    command = warm.start(world.home, *PUBLISH, program="dagster")
    if world.dice.random() < 0.67:
        wait(lambda: (folder / ".publish.lock.holder").exists() or not command.runs, BOUND_S)
        time.sleep(world.dice.uniform(0, 0.12))
    else:
        time.sleep(max(0.0, command.begun + world.dice.uniform(0, took) - time.monotonic()))
    killed, at = command.kill(), time.monotonic()
    command.forget()
    if killed:
        tally.struck(_publishing(folder, int(str(version))))
    # what readers see, before anything mended it
    tally.faults += [f"lost: torn publication, {one}" for one in equal.unlike_the_world(world.home)[:3]]
    say(world, tally, "", at - command.begun)
    return at


def _publishing(folder: Path, before: int) -> str:
    if any(folder.glob(".building-*")):
        return "copying"
    newest = max(int(path.name[1:]) for path in folder.glob("v[0-9]*"))
    if newest == before:
        return "before the copy"
    return "after the swap" if (folder / "current").resolve().name == f"v{newest:06d}" else "before the swap"


def daemons(world: World, kills: int) -> Tally:
    """The Dagster daemon with its code server and its runs, killed together while a run is under way."""
    tally = Tally("Dagster daemon")
    daemon = _daemon(world.home)
    try:
        while tally.kills < kills:
            before = world.runs()
            world.a_day()
            fault = world.faults()
            if not wait(lambda: _is_under_way(world), BOUND_S):
                tally.faults.append("stuck: the daemon started no run for a world that had changed")
                break
            time.sleep(moment := world.dice.uniform(0, world.pass_s))
            _kill(daemon)
            at = time.monotonic()
            tally.struck(world.under_way(before))
            say(world, tally, fault, moment)
            if world.dice.random() < 0.5:
                world.a_day()
            if world.dice.random() < 0.5:
                world.faults("none")
            daemon = _daemon(world.home)
            if not wait(lambda: note(world.home)["as_of"] == world.box.now(), BOUND_S):  # noqa: B023
                tally.faults.append(f"stuck: {BOUND_S:g} s after a kill {note(world.home)}, now {world.box.now()}")
                break
            world.faults("none")
            if not wait(lambda: not equal.unlike_the_world(world.home), BOUND_S):
                tally.faults += [f"lost: {one}" for one in equal.unlike_the_world(world.home)[:3]]
            tally.recovered(time.monotonic() - at)
            if stop(tally):
                break
    finally:
        _kill(daemon)
    world.whole_pass(tally, time.monotonic(), deep=True)
    return tally


def _daemon(home: Path) -> "subprocess.Popen[bytes]":
    env = os.environ | {
        "CROSSDOCK_HOME": str(home), "DAGSTER_HOME": str(home / "dagster"), "CROSSDOCK_AUTOMATION": "on",
        "CROSSDOCK_POLL": "5", "PYTHONPATH": str(ROOT), "DO_NOT_TRACK": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(ROOT / "workspace.yaml")]
    with (home.parent / f"{home.name}-daemon.log").open("ab") as log:
        return subprocess.Popen(command, cwd="/", env=env, stdout=log, stderr=log, start_new_session=True)


def _kill(daemon: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to the daemon's process group and to those of all that it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        tree = psutil.Process(daemon.pid).children(recursive=True)
        groups = {daemon.pid}
        for one in tree:
            with contextlib.suppress(ProcessLookupError):
                groups.add(os.getpgid(one.pid))
        for group in groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        psutil.wait_procs(tree, timeout=60)
    daemon.wait()


def _is_under_way(world: World) -> bool:
    with world.instance() as instance:
        found = any(run.status.value in ("STARTED", "STARTING") for run in instance.get_runs(limit=10)
                    if run.status in IN_FLIGHT)  # fmt: skip
    time.sleep(0.3)
    return found


def stop(tally: Tally) -> bool:
    """A storm that found something ends: what comes after would only repeat it."""
    return bool(tally.faults)


def say(world: World, tally: Tally, fault: str, moment: float) -> None:
    """One line of where a storm is, on standard error: with the seed it says which kill it was."""
    line = {"phase": tally.phase, "kill": tally.kills, "fault": fault, "after_s": round(moment, 3)}
    print(json.dumps(line | {"pass_s": round(world.pass_s, 1)}), file=sys.stderr, flush=True)


Phase = Callable[[World, int], Tally]
