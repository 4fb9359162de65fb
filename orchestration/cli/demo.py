"""`crossdock demo`: a distributor in a box, from nothing to a KPI table, then alive under the Dagster UI."""

import os
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestration.cli import kpi, status
from orchestration.cli import systems as connected
from orchestration.cli.box import advance, start_sandbox, tail
from orchestration.cli.errors import BadInput, Failed
from orchestration.cli.output import out, print_json, print_table
from orchestration.cli.processes import Started
from orchestration.cli.run import Outcome, bars, one_pass, tell
from orchestration.cli.ui import log_of, start_daemon, start_ui
from orchestration.private import close
from orchestration.progress import PHASES
from orchestration.settings import DBT_PROJECT, REPOSITORY, Settings

WORLDS = ("simulated", "wwi")
WWI_LIVE_FROM = "2016-05-02"
OURS = ("landing", "marts", "published", "dagster", "dbt", "sandbox", "logs")
OUR_FILES = ("control.sqlite*", "warehouse.duckdb*", "*.lock*")


@dataclass(frozen=True)
class Demo:
    """What the user asked for."""

    world: str
    once: bool
    home: Path | None
    ui: bool
    seed: int
    days: int
    orders_per_day: int
    live: float
    chaos: bool
    port: int
    as_json: bool

    def sandbox_options(self) -> list[str]:
        options = ["--seed", str(self.seed), "--days", str(self.days), "--orders-per-day", str(self.orders_per_day)]
        options += ["--chaos"] if self.chaos else []
        return options + (["--until", WWI_LIVE_FROM] if self.world == "wwi" and not self.once else [])


def run(wanted: Demo) -> int:
    """Exit status 0 when the pass succeeded (and, unless `--once`, the user ended the demo); everything started is
    stopped."""
    if wanted.world not in WORLDS:
        raise BadInput(f"--world {wanted.world!r}; allowed: {', '.join(WORLDS)}")
    home = (wanted.home or REPOSITORY / ".demo").expanduser().absolute()
    clear(home)
    started = time.perf_counter()
    try:
        with Started() as processes:
            with bars(quiet=wanted.as_json) as progress:
                warming = threading.Thread(target=warm, args=(wanted.world, home), daemon=True)
                warming.start()
                settings = start_sandbox(processes, wanted.world, wanted.sandbox_options(), home, progress)
                warming.join()  # before this thread imports what that one does
                systems = connected.load(settings)
                os.environ.update(settings.exported())
                outcome = one_pass(settings, systems, systems, progress)
            show(settings, systems, outcome, time.perf_counter() - started, as_json=wanted.as_json)
            if wanted.once or not outcome.ok:
                return 0 if outcome.ok else 1
            keep_going(processes, wanted, settings)
    except KeyboardInterrupt:
        out().print("\nstopped")
    return 0


def clear(home: Path) -> None:
    """An empty demo home. Raises BadInput when the folder holds anything that no demo put there."""
    marker = home / connected.DEMO_MARKER
    if home.exists() and any(home.iterdir()) and not marker.exists():
        raise BadInput(f"{home} is not a demo's folder; choose an empty one with --home")
    for name in OURS:
        shutil.rmtree(home / name, ignore_errors=True)
    for pattern in OUR_FILES:
        for path in home.glob(pattern):
            path.unlink()
    home.mkdir(parents=True, exist_ok=True)
    close(home)
    marker.write_text("A demo's folder: `crossdock demo` empties it at every start.\n")


def warm(world: str, home: Path) -> None:
    """While the sandbox starts: what a pass needs anyway, the imports, the parsed models and the instance."""
    from orchestration.dbt import Dbt, systems_by_role
    from orchestration.instance import prepare_instance

    settings = Settings(
        home=home, systems=REPOSITORY / "sandbox" / "systems_yaml" / world, environment=dict(os.environ)
    )
    by_role = systems_by_role(connected.load(settings, require_env=False))
    with suppress(Exception):  # the pass itself says what is wrong
        Dbt(DBT_PROJECT, settings.dbt_target, settings.warehouse, settings.marts, by_role).manifest()
        prepare_instance(settings.dagster_home)
        import dagster

        import orchestration.definitions  # noqa: F401

        dagster.DagsterInstance.get().dispose()


def show(settings: Settings, systems: list[Any], outcome: Outcome, seconds: float, *, as_json: bool) -> None:
    """The KPI table, a line per system, and where the seconds went."""
    cells = kpi.cells(settings.published, []) if outcome.version else []
    standing = status.standing(settings, systems, ask=False)
    split = {phase: outcome.seconds.get(phase, 0.0) for phase in PHASES}
    if as_json:
        print_json(
            {**outcome.__dict__, "seconds": {**split, "whole": round(seconds, 2)}, "kpis": cells, "systems": standing}
        )
        return
    kpi.show(cells, settings.published)
    lag = [{**row, "lag": _lag(row["complete_up_to"], outcome.as_of)} for row in standing]
    print_table("Systems", lag, ("system", "rows", "landed", "dead_letters", "complete_up_to", "lag"))
    tell(outcome)
    out().print(f"From starting the sandbox to the KPI table: {seconds:.1f} s")
    out().print(f"Home: {settings.home}; with CROSSDOCK_HOME set to it, `crossdock kpi` and `crossdock trace` read it")


def keep_going(processes: Started, wanted: Demo, settings: Settings) -> None:
    """The daemon, the UI unless it is not wanted, and days that pass, until Ctrl-C. Raises Failed when one of them
    ends by itself."""
    automatic = {**settings.environment, "CROSSDOCK_AUTOMATION": "on", "CROSSDOCK_POLL": "5"}
    settings = replace(settings, environment=automatic)
    started = [start_daemon(processes, settings)]
    if wanted.ui:
        ui, url = start_ui(processes, settings, port=wanted.port)
        started.append(ui)
        out().print(f"Dagster UI: {url}   (home {settings.home})")
    out().print(f"A day passes every {wanted.live:g} s. Ctrl-C stops everything this command started.")
    while True:
        time.sleep(wanted.live)
        if any(process.poll() is not None for process in started):
            raise Failed(f"Dagster ended: {tail(log_of(settings))}")
        advance(settings.environment["SANDBOX_CONTROL"])


def _lag(complete_up_to: str | None, as_of: str | None) -> str:
    from orchestration.passes import parse_instant

    if complete_up_to is None or as_of is None:
        return ""
    seconds = (parse_instant(as_of) - parse_instant(complete_up_to)).total_seconds()
    # a database dates its commits by the wall's clock, not by the world's
    return "by its own clock" if seconds < -86400 else f"{max(seconds, 0):.0f} s"
