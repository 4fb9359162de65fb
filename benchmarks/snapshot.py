"""Snapshot rows per second from Postgres into a committed DuckDB file, against dlt's fastest backend and COPY to
nowhere.

`python -m benchmarks.snapshot [ROWS]`: three tables of 7 to 10 columns with decimals and timestamptz, ROWS rows
together. Ours lands change log, current state and cursor in one commit; dlt loads its tables. Row count and checksum
are compared with the source after each run. COPY to nowhere (`copy (...) to '/dev/null'` on the server) is the
physical limit of one backend.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import time
from pathlib import Path

import psycopg

from benchmarks.source import ADDERS, REPEATS, STREAMS, child, landed_sums, peak_mb, report, source, source_sums


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="?", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--backends", default="connectorx,pyarrow", help="dlt backends to try; the fastest is the peer")
    parser.add_argument("--child", nargs=3, metavar=("SIDE", "DSN", "FILE"))
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(*arguments.child)))
        return
    with source() as (owner, reader, folder):
        rows = _fill(owner, arguments.rows)
        wanted = source_sums(owner)
        backends = [b for b in arguments.backends.split(",") if b]
        speed: dict[str, list[float]] = {side: [] for side in ("ours", *backends)}
        memory: dict[str, float] = dict.fromkeys(speed, 0.0)
        versions: dict[str, str] = {}
        nowhere = []
        for _ in range(arguments.repeats):
            nowhere.append(rows / _copy_to_nowhere(owner))
            for side in speed:
                path = folder / f"{side}.duckdb"
                done = child("benchmarks.snapshot", side, reader, str(path))
                speed[side].append(rows / done["seconds"])
                memory[side] = max(memory[side], done["rss_mb"])
                versions[side] = done["version"]
                landed = landed_sums(path, "raw_erp.sales_{}" if side == "ours" else "dlt_raw.{}")
                if landed != wanted:
                    raise SystemExit(f"{side} holds something else than the source: {landed} {wanted}")
                path.unlink()
                with psycopg.connect(owner, autocommit=True) as connection:
                    connection.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots")
        more = {"rows": rows, "rss_mb": memory["ours"]}
        if backends:
            best = max(backends, key=lambda b: statistics.median(speed[b]))
            report(
                "snapshot",
                "rows/s",
                speed["ours"],
                f"dlt, {best} backend",
                speed[best],
                **more,
                peer_rss_mb=memory[best],
                peer_version=versions[best],
                peer_settings="sql_database, write_disposition replace, 2 workers",
            )
        report(
            "snapshot_limit",
            "rows/s",
            speed["ours"],
            "COPY to nowhere, one backend",
            nowhere,
            **more,
            peer_version="Postgres 18",
            peer_settings="copy (select *) to '/dev/null' (format binary)",
        )


def _fill(owner: str, rows: int) -> int:
    third = max(1, rows // 3)
    with psycopg.connect(owner, autocommit=True) as connection:
        for adder in ADDERS.values():
            connection.execute(f"select sales.{adder}(1, {third})")
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
    return third * 3


def _copy_to_nowhere(owner: str) -> float:
    start = time.perf_counter()
    with psycopg.connect(owner) as connection:
        for table in ADDERS:
            connection.execute(f"copy (select * from sales.{table}) to '/dev/null' (format binary)")
    return time.perf_counter() - start


def measure(side: str, dsn: str, file: str) -> dict[str, float | str]:
    """One run in this process: seconds, peak resident memory, version of what ran."""
    run = _ours if side == "ours" else _dlt
    importlib.import_module("connectors.postgres.reader" if side == "ours" else "dlt.sources.sql_database")  # not timed
    start = time.perf_counter()
    version = run(dsn, Path(file), side)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "rss_mb": round(peak_mb()), "version": version}


def _ours(dsn: str, path: Path, _side: str) -> str:
    from connectors.landing import Landing
    from connectors.postgres.reader import sync_postgres

    sync_postgres("erp", Landing(path, "erp"), dsn=dsn, publication="crossdock", streams=STREAMS)
    return "crossdock"


def _dlt(dsn: str, path: Path, backend: str) -> str:
    """dlt as its documentation tunes it for speed: an Arrow backend, parallel extraction, no inserts by row."""
    os.environ.update(
        {
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "ERROR",
            "EXTRACT__WORKERS": "2",
            "NORMALIZE__WORKERS": "2",
            "LOAD__WORKERS": "2",
            "DATA_WRITER__FILE_MAX_ITEMS": "500000",
        }
    )
    import dlt
    from dlt.sources.sql_database import sql_database
    from psycopg.conninfo import conninfo_to_dict

    part = conninfo_to_dict(dsn)
    url = f"postgresql://{part['user']}:{part['password']}@{part['host']}:{part['port']}/{part['dbname']}"
    tables = sql_database(
        url,
        schema="sales",
        table_names=list(ADDERS),
        backend=backend,
        chunk_size=200_000,
        backend_kwargs={"return_type": "arrow"} if backend == "connectorx" else None,
    )
    pipeline = dlt.pipeline(
        "snapshot",
        pipelines_dir=str(path.parent / f"dlt-{os.getpid()}"),
        destination=dlt.destinations.duckdb(str(path)),
        dataset_name="dlt_raw",
    )
    pipeline.run(tables, loader_file_format="parquet", write_disposition="replace").raise_on_failed_jobs()
    return f"dlt {dlt.__version__}"


if __name__ == "__main__":
    main()
