"""Runs and the processes that do them: a run whose process is gone is found dead and ends, and nobody waits for it.

A run carries the process that does it as a tag: host, number and start time, since numbers are given again. Every
command that starts, every sensor's look and the launcher's health check (`orchestration.launcher`) ask here.
"""

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import psutil

from orchestration.history import IN_FLIGHT

PROCESS_TAG = "crossdock/process"
LAUNCHER_TAG = "crossdock/launched_by"
UNREGISTERED_S = 30.0
CLOCK_S = 0.05 if Path("/proc/self/stat").exists() else 5.0
"""By how much the same start time may differ."""
DOING = [status for status in IN_FLIGHT if status is not dg.DagsterRunStatus.QUEUED]
"""What holds others up belongs to a process, also a run that was only created; a queued one belongs to the queue."""


@dataclass(frozen=True)
class Process:
    """One process of one machine; `started` tells it from others that get its number, see `_started`."""

    host: str
    pid: int
    started: float

    @classmethod
    def this(cls) -> "Process":
        return cls(socket.gethostname(), os.getpid(), _started(os.getpid()))

    @classmethod
    def of(cls, tag: str | None) -> "Process | None":
        """From a tag; None without one, or when it is not of this form."""
        host, pid, started = [*(tag or "").rsplit(" ", 2), "", "", ""][:3]
        try:
            return cls(host, int(pid), float(started))
        except ValueError:
            return None

    @property
    def tag(self) -> str:
        return f"{self.host} {self.pid} {self.started:.2f}"

    @property
    def is_gone(self) -> bool:
        """Whether it has ended. A process of another host cannot be asked from here and counts as alive."""
        if self.host != socket.gethostname():
            return False
        try:
            found = psutil.Process(self.pid)
            return found.status() == psutil.STATUS_ZOMBIE or abs(_started(self.pid) - self.started) > CLOCK_S
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False


def _started(pid: int) -> float:
    """When a process started: on Linux in seconds since the machine did, which no correction of the clock moves, else
    since 1970. Raises psutil.NoSuchProcess."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return psutil.Process(pid).create_time()


def why_dead(record: Any, now: float | None = None) -> str | None:
    """Why nothing does this run any more, or None while something does or may.

    A started run registers itself at once; one that has not after `UNREGISTERED_S` never will. A run that is still
    being started belongs to the process that launches it.
    """
    run = record.dagster_run
    since = record.start_time or record.create_timestamp.timestamp()
    is_old = abs((time.time() if now is None else now) - since) > UNREGISTERED_S  # or of a clock that was ahead
    if worker := Process.of(run.tags.get(PROCESS_TAG)):
        return f"its process {worker.pid} is gone" if worker.is_gone else None
    if launcher := Process.of(run.tags.get(LAUNCHER_TAG)):
        return f"process {launcher.pid}, which was starting it, is gone" if launcher.is_gone and is_old else None
    if run.status is dg.DagsterRunStatus.STARTING:
        return None
    return f"no process took it up within {UNREGISTERED_S:g} s" if is_old else None


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Ends every run whose process is gone, as failed, or as cancelled where that was asked for; one line for each.

    Its work is not lost: what it landed is landed, the locks that it held ended with its process, and the next pass
    does the rest.
    """
    told = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=DOING)):
        run, why = record.dagster_run, why_dead(record)
        if why is None:
            continue
        message = f"Run {run.run_id[:8]} ended without a word: {why}. The next pass takes its place."
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, message)
        else:
            instance.report_run_failed(run, message)
        told.append(message)
    return told
