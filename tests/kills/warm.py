"""The console's commands in processes of their own that need not import first: forked from one that has.

What is imported is the same, and so is the entry point (`orchestration.cli.main`); a command takes a tenth of a second
to start instead of five, which is what lets a proof kill hundreds of them. Each leads its own process group.
"""

import contextlib
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.e2e.demo import ROOT

AHEAD = [
    "orchestration.cli.app", "orchestration.definitions", "orchestration.writes", "dagster._cli", "dbt.cli.main",
    "dbt.adapters.duckdb", "kpi_models", "connectors.sync", "connectors.load", "connectors.postgres.reader",
    "connectors.rest.reader", "connectors.files.reader", "connectors.writeback", "tests.kills.warm",
]  # fmt: skip
_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(AHEAD)


@dataclass
class Command:
    """A command that runs, or has ended; `said` is its standard output and `complained` its standard error."""

    process: ForkServerProcess
    out: Path
    arguments: tuple[str, ...]
    begun: float

    @property
    def runs(self) -> bool:
        return self.process.is_alive()

    def kill(self) -> bool:
        """SIGKILL to the whole process group; whether it was still running."""
        was_running = self.process.is_alive()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.join()
        return was_running and self.process.exitcode == -signal.SIGKILL

    def status(self, within_s: float) -> int:
        """The exit status. Raises AssertionError when it does not end in time, after ending it."""
        self.process.join(within_s)
        if self.process.exitcode is None:
            self.kill()
            raise AssertionError(f"stuck: {self.arguments} did not end within {within_s:g} s")
        return self.process.exitcode

    @property
    def said(self) -> str:
        return self.out.read_text()

    @property
    def complained(self) -> str:
        return self.out.with_suffix(".err").read_text()

    @property
    def usage(self) -> dict[str, int]:
        """What it held when it ended: `peak_kb` of memory and `files` open."""
        return dict(json.loads(self.out.with_suffix(".usage").read_text()))

    def forget(self) -> None:
        """Removes what it said."""
        for path in self.out.parent.glob(f"{self.out.stem}.*"):
            path.unlink()


def start(home: Path, *arguments: str, program: str = "crossdock", **environment: str) -> Command:
    """Starts `crossdock ARGUMENTS`, or `dagster ARGUMENTS`, on a home; returns once it leads its process group."""
    said = home.parent / f"{home.name}-said"
    said.mkdir(exist_ok=True)
    out = said / f"{time.monotonic_ns()}.out"
    env = {"CROSSDOCK_HOME": str(home), "DO_NOT_TRACK": "1", "DAGSTER_HOME": str(home / "dagster")} | environment
    begun = time.monotonic()
    leads = _fork.Event()
    process = _fork.Process(target=_run, args=(leads, program, arguments, os.environ | env, str(out)))
    process.start()
    while not leads.wait(1) and process.is_alive():
        pass
    return Command(process, out, arguments, begun)


def done(home: Path, *arguments: str, within_s: float = 300, **environment: str) -> Command:
    """Runs a command to its end. Raises AssertionError when that does not come in time."""
    command = start(home, *arguments, **environment)
    command.status(within_s)
    return command


def answer(home: Path, *arguments: str, within_s: float = 300, **environment: str) -> Any:
    """What `crossdock ARGUMENTS --json` says. Raises AssertionError when it fails."""
    command = done(home, *arguments, "--json", within_s=within_s, **environment)
    assert command.process.exitcode == 0, f"{arguments} ended with {command.process.exitcode}: {command.complained}"
    return json.loads(command.said)


def _run(leads: Any, program: str, arguments: tuple[str, ...], env: Mapping[str, str], out: str) -> None:
    os.setsid()
    leads.set()
    for number, path in ((1, out), (2, str(Path(out).with_suffix(".err")))):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    os.environ.clear()
    os.environ.update(env)
    os.chdir("/")
    sys.path.insert(0, str(ROOT))
    sys.argv = [program, *arguments]
    try:
        _main_of(program)()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        usage = {"peak_kb": peak, "files": len(os.listdir("/proc/self/fd"))}
        Path(out).with_suffix(".usage").write_text(json.dumps(usage))


def _main_of(program: str) -> Callable[[], Any]:
    if program == "crossdock":
        from orchestration.cli import main

        return main
    from dagster._cli import main as dagster_main

    return dagster_main
