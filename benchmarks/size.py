"""Peak memory while wide records land: a process per case, its own VmHWM from /proc, on a Postgres of its own and a
folder of files. `python -m benchmarks.size [CASE ...]`; one JSON object per line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from connectors.landing import Landing
from connectors.landing.room import with_room
from connectors.postgres.reader import sync_postgres
from sandbox.systems.postgres import PostgresServer

BODY = "(select string_agg(md5(i::text || ':' || j), '') from generate_series(1, {size} / 32) j)"
NOISE = "insert into s.docs select i, " + BODY + " from generate_series({first}, {last}) i;"
PLAIN = "insert into s.docs select i, repeat(chr(97 + i % 26), {size}) from generate_series({first}, {last}) i;"
MB = 1_000_000


@dataclass(frozen=True)
class Case:
    """`rows` of `size` bytes in transactions of `per_transaction` rows; `then` is run as one more."""

    rows: int
    size: int
    per_transaction: int
    make: str = PLAIN
    then: str = ""
    dead: int = 0


CASES = {
    "6000 x 50 KB": Case(6000, 50_000, 6000),
    "6000 x 50 KB, noise": Case(6000, 50_000, 6000, NOISE),
    "1000 x 100 KB in 2 MB transactions": Case(1000, 100_000, 20),
    "100 x 3 MB": Case(100, 3 * MB, 100),
    "100 x 3 MB, noise": Case(100, 3 * MB, 100, NOISE),
    "20 x 60 MB": Case(20, 60 * MB, 20),
    "one of 60 MB": Case(1, 60 * MB, 1),
    "one of 100 MB": Case(1, 100 * MB, 1, dead=1),
    "6000 x 50 KB, then a truncate": Case(6000, 50_000, 6000, then="truncate s.docs"),
    "6000 x 50 KB, then an update of all": Case(6000, 50_000, 6000, then="update s.docs set n = n + 1"),
}


@dataclass(frozen=True)
class Spec:
    name: str = "docs"
    table: str = "s.docs"
    key: tuple[str, ...] = ()


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        return child(*sys.argv[2:])
    chosen = sys.argv[1:] or list(CASES)
    with tempfile.TemporaryDirectory() as folder, PostgresServer(Path(folder) / "server", 18) as server:
        for name in chosen:
            for way in ("snapshot", "stream"):
                print(json.dumps({"case": name, "way": way, **measured(server, Path(folder), name, way)}), flush=True)
    return 0


def measured(server: PostgresServer, folder: Path, name: str, way: str) -> dict:
    case, database = CASES[name], f"size{time.monotonic_ns()}"
    with psycopg.connect(server.superuser_dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {database}")  # type: ignore[call-overload]
    dsn = make_conninfo(server.superuser_dsn("postgres"), dbname=database)
    path = str(folder / f"{database}.duckdb")
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(
            "create schema s; create table s.docs (id int primary key, body text, n int default 0); "
            "create publication crossdock for tables in schema s"
        )
        if way == "stream":
            run(dsn, path, database)
        for first in range(1, case.rows + 1, case.per_transaction):
            last = min(case.rows, first + case.per_transaction - 1)
            owner.execute(case.make.format(size=case.size, first=first, last=last))  # type: ignore[call-overload]
        if case.then:
            owner.execute(case.then)  # type: ignore[call-overload]
        told = run(dsn, path, database)
        there = owner.execute(
            "select count(*), coalesce(sum(octet_length(body)), 0), "
            "md5(coalesce(string_agg(md5(body), '' order by id), '')) "
            "from s.docs where octet_length(body) <= 67108864"
        ).fetchone()
        owner.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots")
    told["equal"] = told.pop("here", None) == json.loads(json.dumps(there, default=int))
    told["file_mb"] = (Path(path).stat().st_size if Path(path).exists() else 0) // MB
    with psycopg.connect(server.superuser_dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {database} with (force)")  # type: ignore[call-overload]
    Path(path).unlink(missing_ok=True)
    return told


def run(dsn: str, path: str, slot: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.size", "--child", dsn, path, slot], capture_output=True, text=True
    )
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else {"error": done.stderr.strip().splitlines()[-1][:300]}


def child(dsn: str, path: str, slot: str) -> int:
    landing, started = Landing(path, "erp"), time.monotonic()
    told: dict = {}
    try:
        counts = with_room(
            landing,
            lambda: sync_postgres("erp", landing, dsn=dsn, publication="crossdock", streams=[Spec()], slot=slot),
        )
        told = {"rows": counts.rows, "dead": counts.dead, "batches": counts.batches}
    except Exception as error:
        told = {"error": f"{type(error).__name__}: {error}"[:300]}
    told |= {
        "seconds": round(time.monotonic() - started, 1),
        "memory_limit": (landing.settings or {}).get("memory_limit"),
    }
    told["peak_mb"] = peak()
    with landing.session() as db:
        db.execute("set memory_limit = '8GB'")
        told["here"] = db.execute(
            "select count(*), coalesce(sum(strlen(body)), 0)::bigint, "
            "md5(coalesce(string_agg(md5(body), '' order by id), '')) "
            "from raw_erp.docs"
        ).fetchone()
    print(json.dumps(told))
    return 0


def peak() -> int:
    """MB of this process's VmHWM."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 // MB


if __name__ == "__main__":
    sys.exit(main())
