"""One run of the sandbox: the world's history is told, then time passes by command, by the clock, or not at all."""

from __future__ import annotations

import gc
import json
import os
import queue
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.systems.box import Box
from sandbox.systems.control import control_app, zulu
from sandbox.systems.erp import filling
from sandbox.systems.erp.state import State
from sandbox.systems.faults import chaos as chaos_knobs

Report = Callable[..., None]
CHAOS_DAYS = 10
SYSTEMS_YAML = Path(__file__).resolve().parent.parent / "systems_yaml"


class Session:
    """Ties a world to its box. `open` loads the history, `run` lets time pass.

    Everything that moves the world happens on the thread that calls `run`; the control API hands its wishes over.
    """

    def __init__(self, world: Any, box: Box, home: Path, report: Report) -> None:
        self.world = world
        self.box = box
        self.folder = home / "sandbox"
        self.report = report
        self._truth_is_stale = False
        self._truth_due = 0.0
        self._wishes: queue.Queue[tuple[float, Future[datetime]]] = queue.Queue()

    def open(self, until: datetime, *, chaos: bool = False) -> None:
        """Start the systems, tell the history up to `until`, write truth.json, then env.json as the sign of readiness.

        With `chaos` the last days of the history come step by step with the knobs turned, not as clean history.
        """
        state = self.box.start()
        target = max(until, state.at) if state else until
        calm = target - timedelta(days=CHAOS_DAYS) if chaos else target
        self._fill(max(calm, self.world.now), state)
        # History stays for good: the collector need not walk it again with every truth and every step.
        gc.freeze()
        if chaos:
            for system, faults in self.box.faults.items():
                faults.set(chaos_knobs(system))
        self.advance((target - self.world.now) / timedelta(days=1))
        self._write_truth()
        control = self.box.servers.serve(control_app(self.box, self._wish))
        env = self.box.env | {"SANDBOX_CONTROL": control, "CROSSDOCK_BUSINESS_NOW": f"{control}/now"}
        env["CROSSDOCK_CLOCK_LEAP"] = "36500"  # a world's clock leaps by as much as its days pass quickly
        systems = SYSTEMS_YAML / self.world.name
        write_json(self.folder / "env.json", {"env": env, "systems": str(systems), "pid": os.getpid()}, mode=0o600)

    def _fill(self, until: datetime, state: State | None) -> None:
        """History in bulk. A database that was filled before is not filled again, only caught up with."""
        until = state.at if state else until
        told = State(self.box.identity, until)
        progress = self._progress("generate")
        if hasattr(self.world, "csv_tables"):
            self.world.seek(until)
            if state is None:
                filling.load_csv(self.box.database, self.world.csv_tables(), told, self._progress_of)
            self.box.now = self.world.now
            return
        emission = self.world.advance(until, progress)
        if state is None:
            filling.load(self.box.database, emission.erp, told, self._progress_of)
        self.box.fill_documents(emission, self.world.now)

    def advance(self, days: float) -> datetime:
        """Let days pass, one step per day; a world may move in whole days only. Returns the new now.

        truth.json is then stale: `_write_truth` follows at once, or in time when the world lives by the clock.
        """
        end = getattr(self.world, "end", None)
        target = self.world.now + timedelta(days=days)
        target = min(target, end) if end else target
        while self.world.now < target:
            before = self.world.now
            emission = self.world.advance(min(before + timedelta(days=1), target))
            if self.world.now == before:
                break
            self.box.step(emission, self.world.now)
            self._truth_is_stale = True
        return self.world.now

    def run(self, seconds_per_day: float | None, follow: int | None = None) -> None:
        """Serve until a signal comes or the parent `follow` is gone; with a pace, a day passes every so many
        seconds."""
        next_day = time.monotonic() + (seconds_per_day or 0)
        while follow is None or os.getppid() == follow:
            due = seconds_per_day is not None and time.monotonic() >= next_day
            try:
                days, answer = self._wishes.get(timeout=0.01 if due else 0.2)
            except queue.Empty:
                pass
            else:
                try:
                    now = self.advance(days)
                    self._write_truth()
                    answer.set_result(now)
                except Exception as error:
                    # The world has moved and its systems have not: going on would lose what happened.
                    answer.set_exception(error)
                    raise
            self.box.tick()
            if due and not self._has_ended():
                next_day = time.monotonic() + (seconds_per_day or 0)
                self.report("live", now=zulu(self.advance(1)))
            if self._truth_is_stale and time.monotonic() >= self._truth_due:
                self._write_truth()

    def _has_ended(self) -> bool:
        end = getattr(self.world, "end", None)
        return end is not None and self.world.now >= end

    def _wish(self, days: float) -> datetime:
        answer: Future[datetime] = Future()
        self._wishes.put((days, answer))
        return answer.result()

    def _write_truth(self) -> None:
        """Write what is true now. It takes seconds: a world that lives by the clock spends a tenth of them on it."""
        begun = time.monotonic()
        write_json(self.folder / "truth.json", self.world.truth())
        self._truth_is_stale = False
        self._truth_due = time.monotonic() + 10 * (time.monotonic() - begun)

    def _progress_of(self, phase: str, done: int, total: int) -> None:
        self.report(phase, done=done, total=total)

    def _progress(self, phase: str) -> Callable[[int, int], None]:
        return lambda done, total: self.report(phase, done=done, total=total)


def write_json(file: Path, content: object, mode: int = 0o644) -> None:
    """Write whole or not at all: a reader sees the old file or the new one."""
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as out:
        json.dump(content, out, default=str)
    part.replace(file)
