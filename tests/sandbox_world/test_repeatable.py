"""The same seed gives the same bytes, and the same history however it is cut into steps."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

from sandbox.world.base import Emission
from sandbox.world.simulated import SimulatedWorld

from . import reading

SMALL: dict[str, Any] = {"items": 150, "customers": 60, "suppliers": 8, "orders_per_day": 12}


def digest(emission: Emission, truth: list[dict[str, Any]]) -> str:
    """A hash over everything a world says."""
    sha = hashlib.sha256()
    for change in emission.erp:
        sha.update(repr((change.op, change.table, sorted(change.row.items()))).encode())
    for file in emission.wms:
        sha.update(file.name.encode() + file.content)
    sha.update(json.dumps([emission.oms, emission.carrier, truth]).encode())
    return sha.hexdigest()


def run(seed: int) -> str:
    """Digest of three weeks of a small world."""
    world = SimulatedWorld(seed=seed, days=21, **SMALL)
    return digest(world.advance(world.start + timedelta(days=21)), world.truth())


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    code = "from tests.sandbox_world.test_repeatable import run; print(run(7))"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert runs == {run(7)}
    assert run(8) not in runs


def test_day_by_day_ends_where_one_long_step_ends() -> None:
    long, short = SimulatedWorld(seed=3, days=25, **SMALL), SimulatedWorld(seed=3, days=25, **SMALL)
    once = [long.advance(long.start + timedelta(days=25))]
    daily = [short.advance(short.now + timedelta(days=1)) for _ in range(25)]
    assert reading.tables(once) == reading.tables(daily)
    for key, name in (("oms", "number"), ("carrier", "tracking_number")):
        assert reading.latest([getattr(e, key) for e in once], name) == reading.latest(
            [getattr(e, key) for e in daily], name
        )
    files = [{(f.site, f.name): f.content for e in many for f in e.wms} for many in (once, daily)]
    assert files[0] == files[1]
    assert long.truth() == short.truth()
    assert sum(len(e.erp) for e in daily) > len(once[0].erp), "day by day, each write shows"


def test_a_part_of_a_day_waits() -> None:
    world = SimulatedWorld(seed=3, days=25, **SMALL)
    emission = world.advance(world.start + timedelta(hours=20))
    assert world.now == world.start and not emission.erp
    world.advance(world.start + timedelta(hours=30))
    assert world.now == world.start + timedelta(days=1)
