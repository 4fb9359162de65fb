"""A writer's marts and the readers around a publication, as separate processes like any BI tool's."""

import multiprocessing
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from orchestration.publication import prepare_marts, publish

ROWS = 2_000
LONG_QUERY = "select count(*) from range(60000) a, range(20000) b where (a.range * 31 + b.range) % 7 = 3"


def build(marts: Path, generation: int) -> None:
    """Two tables whose sums agree and tell the generation."""
    prepare_marts(marts)
    with duckdb.connect(str(marts)) as connection:
        connection.execute("begin")
        connection.execute("create schema if not exists kpi")
        connection.execute(
            f"create or replace table kpi.orders as select range as id, {generation} as amount from range({ROWS})"
        )
        connection.execute(
            "create or replace table kpi.lines as select id, amount, amount * 2 as double_amount from kpi.orders"
        )
        connection.execute("commit")


@dataclass
class Seen:
    reads: int = 0
    errors: list[str] = field(default_factory=list)
    inconsistent: int = 0
    stale: int = 0
    generations: set[int] = field(default_factory=set)


def read_until(stop: Any, published: str, long_query: bool, floor: Any, results: Any) -> None:
    """Opens `current` again and again like a BI tool; with `long_query` another query of this process is always
    running."""
    seen, path = Seen(), f"{published}/current/crossdock.duckdb"
    busy: list[Any] = []
    while not stop.is_set():
        try:
            if long_query and not any(thread.is_alive() for thread in busy):
                busy = [_start_long_query(path, seen)]
            at_least = floor.value
            connection = duckdb.connect(path, read_only=True)
            orders = connection.execute("select sum(amount), count(*) from kpi.orders").fetchone()
            lines = connection.execute("select sum(amount), sum(double_amount) from kpi.lines").fetchone()
            connection.close()
            assert orders is not None and lines is not None
            seen.reads += 1
            seen.inconsistent += orders[0] != lines[0] or lines[1] != 2 * orders[0] or orders[1] != ROWS
            generation = orders[0] // ROWS
            seen.stale += generation < at_least
            seen.generations.add(generation)
        except Exception as error:
            seen.errors.append(repr(error))
        time.sleep(0.02)
    for thread in busy:
        thread.join()
    results.put(seen)


def _start_long_query(path: str, seen: Seen) -> Any:
    import threading

    def run() -> None:
        try:
            connection = duckdb.connect(path, read_only=True)
            connection.execute("set threads = 1")
            first = connection.execute("select sum(amount) from kpi.orders").fetchone()
            connection.execute(LONG_QUERY).fetchone()
            seen.inconsistent += connection.execute("select sum(amount) from kpi.lines").fetchone() != first
            connection.close()
        except Exception as error:
            seen.errors.append(repr(error))

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def swap_under_readers(home: Path, *, swaps: int, seconds: float) -> list[Seen]:
    """Three reader processes, one of them always in a long query, while `swaps` versions are published."""
    marts, published = home / "marts" / "crossdock.duckdb", home / "published"
    build(marts, 1)
    publish(marts, published, note={}, keep=3)
    context = multiprocessing.get_context("spawn")
    stop, floor, results = context.Event(), context.Value("i", 1), context.Queue()
    readers = [
        context.Process(target=read_until, args=(stop, str(published), number == 0, floor, results))
        for number in range(3)
    ]
    for reader in readers:
        reader.start()
    started = time.monotonic()
    for swap in range(swaps):
        time.sleep(max(0.0, started + (swap + 1) * seconds / (swaps + 1) - time.monotonic()))
        build(marts, swap + 2)
        publish(marts, published, note={}, keep=3)
        floor.value = swap + 2
    time.sleep(max(0.0, started + seconds - time.monotonic()))
    stop.set()
    seen = [results.get(timeout=120) for _ in readers]
    for reader in readers:
        reader.join(timeout=60)
    return seen
