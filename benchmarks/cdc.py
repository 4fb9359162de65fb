"""Changes per second from replication slot to committed landing, against a decoder that goes message by message.

`python -m benchmarks.cdc [CHANGES]`: mixed inserts (half), updates (35 %) and deletes (15 %) on three tables,
committed in transactions of 2,000 changes. Both sides read the same WAL through copies of one slot, into copies of
one landing file, through the same landing transaction; row count and checksum are compared with the source after each
run.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa

from benchmarks.message_decoder import MessageDecoder
from benchmarks.source import ADDERS, REPEATS, STREAMS, child, landed_sums, peak_mb, report, source, source_sums
from connectors.landing import Changes, Landing
from connectors.model import Column

PER_TRANSACTION = 2000
BASE = 50_000
KEYS = {"orders": "order_id", "order_lines": "order_line_id", "movements": "movement_id"}
EDITS = {
    "orders": "status = 'edited', total = total + 1.01",
    "order_lines": "picked_quantity = 7, unit_price = unit_price + 0.0001",
    "movements": "quantity = quantity - 0.001",
}


def make_changes(owner: str, changes: int) -> int:
    """Commit about `changes` changes; returns how many."""
    made = 0
    with psycopg.connect(owner, autocommit=True) as connection:
        for number in range(max(1, changes // PER_TRANSACTION)):
            table = list(ADDERS)[number % 3]
            key, step = KEYS[table], PER_TRANSACTION // 20
            first, old = BASE + number * 10 * step + 1, (number // 3) * 10 * step % (BASE - 10 * step) + 1
            with connection.transaction():
                connection.execute(f"select sales.{ADDERS[table]}({first}, {first + 10 * step - 1})")
                done = connection.execute(
                    f"update sales.{table} set {EDITS[table]} where {key} between {first} and {first + 4 * step - 1}"
                ).rowcount
                done += connection.execute(
                    f"update sales.{table} set {EDITS[table]} where {key} between {old} and {old + 3 * step - 1}"
                ).rowcount
                done += connection.execute(
                    f"delete from sales.{table} where {key} between {old + 3 * step} and {old + 6 * step - 1}"
                ).rowcount
            made += done + 10 * step
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("changes", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--child", nargs=4, metavar=("SIDE", "DSN", "SLOT", "FILE"))
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(*arguments.child)))
        return
    with source() as (owner, reader, folder):
        with psycopg.connect(owner, autocommit=True) as connection:
            for adder in ADDERS.values():
                connection.execute(f"select sales.{adder}(1, {BASE})")
            connection.execute("checkpoint")
        base = folder / "base.duckdb"
        from connectors.postgres.reader import sync_postgres

        sync_postgres("erp", Landing(base, "erp"), dsn=reader, publication="crossdock", streams=STREAMS, slot="base")
        made = make_changes(owner, arguments.changes)
        wanted = source_sums(owner)
        results: dict[str, list[dict[str, float]]] = {"ours": [], "peer": []}
        for run in range(arguments.repeats):
            for side in results:
                slot, path = f"{side}_{run}", folder / f"{side}.duckdb"
                shutil.copy(base, path)
                with psycopg.connect(owner, autocommit=True) as connection:
                    connection.execute("select pg_copy_logical_replication_slot('base', %s)", [slot])
                results[side].append(child("benchmarks.cdc", side, reader, slot, str(path)))
                if landed_sums(path) != wanted:
                    raise SystemExit(
                        f"{side} landed something else than the source holds: {landed_sums(path)} {wanted}"
                    )
                with psycopg.connect(owner, autocommit=True) as connection:
                    connection.execute("select pg_drop_replication_slot(%s)", [slot])
                path.unlink()
        report(
            "cdc",
            "changes/s",
            [made / r["seconds"] for r in results["ours"]],
            "message-by-message decoder, same landing",
            [made / r["seconds"] for r in results["peer"]],
            changes=made,
            rss_mb=max(r["rss_mb"] for r in results["ours"]),
            peer_rss_mb=max(r["rss_mb"] for r in results["peer"]),
            peer_version=f"Python {platform.python_version()}",
            peer_settings="START_REPLICATION, one batch per 100,000 changes",
            cpu_s=[r["cpu_s"] for r in results["ours"]],
        )


def measure(side: str, dsn: str, slot: str, file: str) -> dict[str, float]:
    """One run in this process: seconds from the call to the last commit, peak resident memory, CPU seconds."""
    from connectors.postgres.reader import sync_postgres  # not timed

    landing = Landing(Path(file), "erp")
    start = time.perf_counter()
    if side == "ours":
        sync_postgres("erp", landing, dsn=dsn, publication="crossdock", streams=STREAMS, slot=slot)
    else:
        one_by_one(dsn, slot, landing)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": seconds, "rss_mb": round(peak_mb()), "cpu_s": round(used.ru_utime + used.ru_stime, 2)}


def one_by_one(dsn: str, slot: str, landing: Landing) -> None:
    """The peer: every message decoded by itself, rows gathered per table, landed through the same transaction."""
    from connectors.postgres.link import lsn_of
    from connectors.postgres.position import source_position
    from connectors.postgres.stream import receive

    cursor = landing.cursor("*") or {}
    decoder = MessageDecoder({f"sales.{t}": (k,) for t, k in KEYS.items()})
    columns = {f"sales.{t}": landing.columns(f"sales_{t}") for t in KEYS}
    gathered: dict[str, list] = {}
    end = lsn_of(cursor["lsn"])

    def land() -> None:
        position = f"{end >> 32:X}/{end & 0xFFFFFFFF:X}"
        landing.land_changes(_as_changes(gathered, columns), {**cursor, "lsn": position})
        gathered.clear()

    waiting = 0
    for array in receive(dsn, slot, "crossdock", end, lsn_of(source_position(dsn))):
        for message in array.to_pylist():
            for row in decoder.decode([message]):
                gathered.setdefault(row.table, []).append(row)
                waiting += 1
            if message[:1] == b"C":
                end = int.from_bytes(message[10:18], "big")
                if waiting >= 100_000:
                    land()
                    waiting = 0
    land()


def _as_changes(gathered: dict[str, list], columns: dict[str, tuple[Column, ...]]) -> Iterator[Changes]:
    for table, rows in gathered.items():
        n = len(rows)
        data = {
            "_commit_pos": pa.array([r.position for r in rows], pa.int64()),
            "_ordinal": pa.array([r.ordinal for r in rows], pa.int64()),
            "_op": pa.array([r.op for r in rows], pa.string()),
            "_tx": pa.nulls(n, pa.int64()),
            "_commit_ts": pa.nulls(n, pa.timestamp("us")),
            "_unchanged": pa.nulls(n, pa.list_(pa.string())),
            **{c.name: pa.array([r.values.get(c.name) for r in rows], pa.string()) for c in columns[table]},
        }
        yield Changes(table.replace(".", "_"), columns[table], pa.table(data))


if __name__ == "__main__":
    main()
