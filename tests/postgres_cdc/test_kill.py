"""SIGKILL anywhere, many times, while the source is busy: what landed equals the source, and no change is in the log
twice.
"""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from connectors.postgres.reader import sync_postgres

from .conftest import Source, Spec

ROOT = Path(__file__).parents[2]
STREAMS = [Spec("orders", "k.orders"), Spec("lines", "k.lines")]
SNAPSHOT = ("snapshot", "writing")
COMMIT = ("committing",)
ACKNOWLEDGE = ("committed", "acknowledging")
TABLES = """
create schema k; grant usage on schema k to cdc_reader; alter default privileges in schema k grant select on
    tables to cdc_reader;
create table k.orders (id int primary key, status text, total numeric(18, 2), at timestamptz, note text);
alter table k.orders alter note set storage external;
create table k.lines (order_id int, line int, quantity numeric(18, 4), primary key (order_id, line));
insert into k.orders select i, 'new', i * 0.01, '2024-01-01', repeat('n', 2500) from generate_series(1, 4000) i;
insert into k.lines select i, n, i * n * 0.0001 from generate_series(1, 4000) i, generate_series(1, 3) n;
alter publication crossdock add tables in schema k;
"""


class Traffic(threading.Thread):
    """Transactions of updates, deletes, key changes and re-used keys until told to stop; counts the changes it
    committed.
    """

    def __init__(self, dsn: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.dsn, self.random, self.stopped, self.changes = dsn, random.Random(seed), threading.Event(), Counter()
        self.fresh = itertools.count(100_000 * (seed + 1))

    def run(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            while not self.stopped.is_set():
                with connection.transaction():
                    done = Counter(self._some(connection) for _ in range(self.random.randint(1, 4)))
                    counted = Counter()
                    for (kind, rows), times in done.items():
                        counted[kind] += rows * times
                self.changes.update(counted)
                time.sleep(self.random.uniform(0, 0.01))

    def _some(self, connection: psycopg.Connection) -> tuple[str, int]:
        low = self.random.randint(1, 4000)
        kind = self.random.choice(["update", "update", "toast", "delete", "move", "insert", "lines"])
        if kind == "update":
            query = "update k.orders set total = total + 0.01, status = %s where id between %s and %s"
            return "update", connection.execute(query, [f"s{low}", low, low + 25]).rowcount
        if kind == "toast":
            query = (
                "update k.orders set note = case when note is null then repeat(%s, 2500) end where id between %s and %s"
            )
            return "update", connection.execute(query, [str(low % 10), low, low + 5]).rowcount
        if kind == "delete":
            return "delete", connection.execute(
                "delete from k.orders where id between %s and %s", [low, low + 2]
            ).rowcount
        if kind == "move":  # to a key never used, then a new row under the freed key
            moved = connection.execute("update k.orders set id = %s where id = %s", [next(self.fresh), low]).rowcount
            if moved:
                connection.execute("insert into k.orders (id, status) values (%s, 'again')", [low])
            return "move", moved
        if kind == "insert":
            query = "insert into k.orders (id, status, total, at) values (%s, 'late', 1, now()) on conflict do nothing"
            return "insert", connection.execute(query, [low]).rowcount
        query = "update k.lines set quantity = quantity + 0.0001 where order_id between %s and %s"
        return "update", connection.execute(query, [low, low + 10]).rowcount


def start(source: Source, log: Path, *more: str) -> subprocess.Popen:
    command = [
        sys.executable,
        "-m",
        "tests.postgres_cdc.worker",
        source.dsn,
        source.slot,
        str(source.landing.path),
        str(log),
        *more,
    ]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ, stderr=subprocess.DEVNULL)


def last_phase(log: Path) -> str:
    lines = log.read_text().splitlines() if log.exists() else []
    return lines[-1] if lines else ""


def kill_in(source: Source, log: Path, phases: tuple[str, ...], wait: random.Random, *more: str) -> str:
    """Start the worker, wait for one of `phases`, kill it a random moment later; returns the phase it died in."""
    log.write_text("")
    process = start(source, log, *more)
    deadline = time.monotonic() + 60
    try:
        while last_phase(log) not in phases:
            assert process.poll() is None and time.monotonic() < deadline, f"the worker never came to {phases}"
            time.sleep(0.001)
        time.sleep(wait.uniform(0, 0.02))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    return last_phase(log)


def storm(source: Source, tmp_path: Path, kills: int, changes: int, *more: str) -> tuple[Counter, Counter]:
    """Kill the reader at least `kills` times in each group of phases while at least `changes` changes are committed."""
    source.run(TABLES)
    traffic = [Traffic(source.owner_dsn, seed) for seed in range(2)]
    died, log, wait = Counter(), tmp_path / "phases.log", random.Random(7)
    for thread in traffic:
        thread.start()
    try:
        while died["snapshot"] < kills:
            phase = kill_in(source, log, SNAPSHOT, wait, *more)
            died["snapshot" if phase in SNAPSHOT else phase] += 1
            if source.landing.cursor("*") is not None:
                source.landing.path.unlink()  # it had committed: start over, because the target is the snapshot
        sync(source)
        while (
            min(died["commit"], died["acknowledge"]) < kills or sum(sum(t.changes.values()) for t in traffic) < changes
        ):
            group, phases = (
                ("commit", COMMIT) if died["commit"] <= died["acknowledge"] else ("acknowledge", ACKNOWLEDGE)
            )
            phase = kill_in(source, log, phases, wait, *more)
            died[group if phase in phases else phase] += 1
    finally:
        for thread in traffic:
            thread.stopped.set()
        for thread in traffic:
            thread.join()
    sync(source)
    return died, traffic[0].changes + traffic[1].changes


def sync(source: Source) -> None:
    sync_postgres("erp", source.landing, dsn=source.dsn, publication="crossdock", streams=STREAMS, slot=source.slot)


def faults(source: Source) -> list[str]:
    """What differs between source and landing, row by row and in the log."""
    found = []
    compared = {"orders": 'id, status, total, "at"::{}, note', "lines": "order_id, line, quantity"}
    for name, columns in compared.items():
        there = source.there(f"select {columns.format('text')} from k.{name} order by 1, 2")
        here = source.here(f"select {columns.format('varchar')} from raw_erp.{name} order by 1, 2")
        found += [f"{name}: {len(set(there) ^ set(here))} rows differ"] if there != here else []
        found += [f"{name}: {n} log rows twice"] if (n := source.landing.duplicates(name)) else []
        found += [f"{name}: {check}"] if not (check := source.landing.check_state(name)).ok else []
    return found


@pytest.mark.verify
def test_killed_five_times_in_each_phase_under_ten_thousand_changes(source: Source, tmp_path: Path) -> None:
    died, changes = storm(source, tmp_path, kills=5, changes=12_000)
    assert min(died["snapshot"], died["commit"], died["acknowledge"]) >= 5
    assert min(changes["update"], changes["delete"], changes["move"]) > 0 and sum(changes.values()) >= 10_000
    assert faults(source) == [], (died, changes)


@pytest.mark.verify
def test_a_cursor_outside_the_transaction_is_caught(source: Source, tmp_path: Path) -> None:
    """The proof that the kill test can fail: the same storm over a landing that commits its cursor apart."""
    died, _ = storm(source, tmp_path, 5, 3000, "broken")
    assert any("twice" in fault for fault in faults(source)), died
