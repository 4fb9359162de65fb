"""Many passes of a tiny world in a row: disk, memory, open files and the time of a pass must stay what they are.

Each round one price changes in the ERP, every sensor of the home looks once, and `crossdock run` does a pass. The
sensors look from this process, which lives as long as a code server does; a pass is a process of its own, as always,
but forked from one that has imported already (`tests.kills.warm`). History and published versions have their usual
ends, only nearer, so that a few dozen passes reach them. One JSON object on standard output; each round on standard
error, and in `rounds.jsonl` of the folder that `--folder` names: a later call with it goes on where this one ended, in
the same home, as after a restart of the machine.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tests.e2e.box import Box, sandbox
from tests.kills import warm

WARM_UP = 25
"""Passes until the history of runs and the published versions have reached their ends."""
HISTORY_MB = 20
DAYS, ORDERS_PER_DAY = 2, 5


@dataclass(frozen=True)
class Round:
    """What one pass took and left: seconds, peak memory and open files of the pass; memory and open files of the
    process whose sensors look; bytes of the home without the sandbox."""

    seconds: float
    pass_kb: int
    pass_files: int
    sensors_kb: int
    sensors_files: int
    home_kb: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=int(os.environ.get("BENCH_PASSES", "60")))
    parser.add_argument("--folder", type=Path, help="keep the home here, and go on in it")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crossdock-passes-") as folder:
        rounds = many(chosen.folder or Path(folder), chosen.passes)
    first, last = compared(rounds)
    print(
        json.dumps(
            {
                "name": "passes", "value": last["seconds"], "unit": "s", "peer": "its own first passes",
                "peer_value": first["seconds"], "ratio": round(last["seconds"] / first["seconds"], 3),
                "peer_version": "this one",
                "settings": {"passes": len(rounds), "warm_up": WARM_UP, "first": first, "last": last,
                             "grows": growth(rounds)},
            }
        )
    )  # fmt: skip
    return 0


def many(folder: Path, passes: int) -> list[Round]:
    """Runs passes over a tiny world in `folder`/home until there are so many in all; returns all of them. Raises
    AssertionError when one does not succeed."""
    home, kept = folder / "home", folder / "rounds.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    home.mkdir(mode=0o700, exist_ok=True)  # as commands make it: the sandbox keeps its database where it may
    (home / "sandbox" / "env.json").unlink(missing_ok=True)  # of a sandbox that is gone
    lines = kept.read_text().splitlines() if kept.exists() else []
    rounds = [Round(**json.loads(line)) for line in lines]
    with (
        sandbox(home, "--world", "simulated", "--days", str(DAYS), "--orders-per-day", str(ORDERS_PER_DAY)) as box,
        kept.open("a") as record,
    ):
        look = sensors(box)
        for number in range(len(rounds), passes):
            change(box, number)
            look()
            rounds.append(one(box))
            print(json.dumps(asdict(rounds[-1])), file=record, flush=True)
            print(json.dumps({"pass": number + 1, **asdict(rounds[-1])}), file=sys.stderr, flush=True)
    return rounds


def change(box: Box, number: int) -> None:
    path = f"/v1/items/{number % 1000 + 1}"
    row, version = box.erp_api("GET", path)
    box.erp_api("PATCH", path, {"lead_time_days": row["lead_time_days"] % 90 + 1},
                **{"If-Match": version, "Content-Type": "application/json"})  # fmt: skip


def sensors(box: Box):
    """A function that evaluates every sensor of the home once, as a code server does when the daemon asks it."""
    import dagster as dg

    from orchestration.cli import systems as connected
    from orchestration.definitions import build_defs
    from orchestration.instance import prepare_instance
    from orchestration.settings import Settings

    settings = Settings.from_env(dict(os.environ) | {"CROSSDOCK_HOME": str(box.home)})
    prepare_instance(settings.dagster_home)
    systems = connected.load(settings)
    defs = build_defs(settings, systems=systems)
    found = [defs.resolve_sensor_def(name) for name in [f"{one.system}_changed" for one in systems]]

    def look() -> None:
        with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
            for sensor in [*found, defs.resolve_sensor_def("approved_writes")]:
                sensor(dg.build_sensor_context(instance=instance, definitions=defs))

    return look


def one(box: Box) -> Round:
    begun = time.perf_counter()
    command = warm.done(box.home, "run", "--json", within_s=600, CROSSDOCK_HISTORY_MB=str(HISTORY_MB))
    seconds = time.perf_counter() - begun
    assert command.process.exitcode == 0, f"{command.said} {command.complained}"
    used, mine = command.usage, psutil.Process()
    command.forget()
    return Round(
        round(seconds, 2),
        used["peak_kb"],
        used["files"],
        mine.memory_info().rss // 1024,
        mine.num_fds(),
        size(box.home),
    )


def size(home: Path) -> int:
    """KB of everything in the home but the sandbox, which is the outside world."""
    found = [path for path in home.rglob("*") if "sandbox" not in path.relative_to(home).parts[:1]]
    return sum(path.stat().st_size for path in found if path.is_file() and not path.is_symlink()) // 1024


def compared(rounds: list[Round]) -> tuple[dict[str, float], dict[str, float]]:
    """Medians of the first and of the last tenth (at least five) after the warm-up."""
    steady = rounds[WARM_UP:] if len(rounds) >= WARM_UP + 10 else rounds[len(rounds) // 2 :]
    share = max(5, len(steady) // 10)
    return medians(steady[:share]), medians(steady[-share:])


def medians(rounds: list[Round]) -> dict[str, float]:
    return {name: statistics.median(asdict(one)[name] for one in rounds) for name in asdict(rounds[0])}


def growth(rounds: list[Round]) -> list[str]:
    """What is larger in the last passes than in the first by more than noise: a tenth, half for seconds, which belong
    to the machine as well, and 15 open files: connections to the control store wait for the collector, up to 29 in
    140 passes and down again."""
    first, last = compared(rounds)
    most = {"seconds": 1.5, "pass_kb": 1.1, "sensors_kb": 1.1, "home_kb": 1.1}
    return [
        f"{name}: {first[name]:g} became {last[name]:g}"
        for name in first
        if last[name] > (first[name] * most[name] if name in most else first[name] + 15)
    ]


if __name__ == "__main__":
    sys.exit(main())
