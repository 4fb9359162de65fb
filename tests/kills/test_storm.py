"""A storm of SIGKILLs over the commands, the daemon and publication: nothing lost, doubled or stuck, nobody needed.

CROSSDOCK_KILLS names the kills per phase (`applies=150,publications=90,runs=45,daemons=15`), CROSSDOCK_KILL_SEED the
dice. The table stands in docs/benchmarks.md.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kills import equal, storm
from tests.kills.applies import applies
from tests.kills.tally import Tally, table
from tests.kills.world import World, opened

KILLS = {"applies": 190, "publications": 90, "runs": 16, "daemons": 4} | {
    name: int(number)
    for name, number in (pair.split("=") for pair in os.environ.get("CROSSDOCK_KILLS", "").split(",") if pair)
}
SEED = int(os.environ.get("CROSSDOCK_KILL_SEED", "1"))
PHASES: dict[str, Callable[[World, int], Tally]] = {
    "applies": applies,
    "publications": storm.publications,
    "runs": storm.runs,
    "daemons": storm.daemons,
}


@pytest.mark.verify
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("phases", [("applies", "publications"), ("runs", "daemons")], ids=" and ".join)
def test_whatever_is_killed_the_next_one_goes_on_by_itself_and_everything_is_equal(
    phases: tuple[str, ...], tmp_path: Path
) -> None:
    tallies = []
    with opened(tmp_path / "home", SEED) as world:
        for phase in phases:
            tallies.append(PHASES[phase](world, KILLS[phase]))
            print(table(tallies))
            assert tallies[-1].faults == [], f"CROSSDOCK_KILL_SEED={SEED}"
        assert equal.unlike_one_build(world.box, tmp_path / "anew") == []
