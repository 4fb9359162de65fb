"""The Postgres that the connector benchmarks read: three tables of a distributor, with decimals and timestamptz."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg.conninfo import make_conninfo

from sandbox.systems.postgres import PostgresServer

REPEATS = 5
PASSWORD = "bench"  # of a role in a server that lives as long as the benchmark
TABLES = """
create schema sales;
create table sales.orders (
    order_id int primary key, customer_id int not null, site_id int, order_date date, status text,
    customer_po text, placed_at timestamptz, total numeric(18, 2), is_held boolean, last_edited timestamp
);
create table sales.order_lines (
    order_line_id int primary key, order_id int not null, stock_item_id int, description text, quantity int,
    unit_price numeric(18, 4), tax_rate numeric(9, 3), picked_quantity int, picked_at timestamptz, last_edited timestamp
);
create table sales.movements (
    movement_id bigint primary key, stock_item_id int, site_id int, quantity numeric(18, 3), reason text,
    occurred_at timestamptz, last_edited timestamp
);
create function sales.add_orders(first int, last int) returns void language sql as $$
    insert into sales.orders select i, i % 997, i % 3, date '2024-01-01' + i % 700, 'open', 'PO-' || i,
        timestamptz '2024-01-01 08:00:00+00' + i * interval '7 seconds', i * 1.37, i % 50 = 0, '2024-01-01 08:00:00'
    from generate_series(first, last) i
$$;
create function sales.add_lines(first int, last int) returns void language sql as $$
    insert into sales.order_lines select i, i / 3, i % 227, 'Stock item number ' || i % 227, i % 40,
        i * 0.0731, 15.000, null,
        timestamptz '2024-01-01 08:00:00+00' + i * interval '3 seconds', '2024-01-01 08:00:00'
    from generate_series(first, last) i
$$;
create function sales.add_movements(first int, last int) returns void language sql as $$
    insert into sales.movements select i, i % 227, i % 3, i * -0.125, 'issue',
        timestamptz '2024-01-01 08:00:00+00' + i * interval '5 seconds', '2024-01-01 08:00:00'
    from generate_series(first, last) i
$$;
"""
ADDERS = {"orders": "add_orders", "order_lines": "add_lines", "movements": "add_movements"}


@dataclass(frozen=True)
class Spec:
    """A stream as the reader wants it."""

    name: str
    table: str
    key: tuple[str, ...] = ()


STREAMS = [Spec(f"sales_{name}", f"sales.{name}") for name in ADDERS]


@contextmanager
def source(settings: dict[str, str] | None = None) -> Iterator[tuple[str, str, Path]]:
    """A fresh server with the tables: the owner's DSN, the reading role's DSN, and a folder to work in."""
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as folder:
        with PostgresServer(Path(folder) / "postgres", 18, settings) as server:
            owner = server.superuser_dsn("postgres")
            with psycopg.connect(owner, autocommit=True) as connection:
                connection.execute(TABLES)
                connection.execute(f"create role reader login replication password '{PASSWORD}'")
                connection.execute(
                    "grant usage on schema sales to reader; grant select on all tables in schema sales to reader"
                )
                connection.execute("create publication crossdock for tables in schema sales")
            yield owner, make_conninfo(owner, user="reader", password=PASSWORD), Path(folder)


def source_sums(dsn: str) -> dict[str, list[str]]:
    """Per table, row count and a checksum over the key, a decimal and a timestamptz, as the source computes them."""
    with psycopg.connect(dsn) as connection:
        connection.execute("set timezone = 'UTC'")
        return {
            table: list(
                connection.execute(
                    f"select count(*)::text, coalesce(sum({key}::numeric), 0)::text, coalesce(sum({number}), 0)::text, "
                    f"coalesce(sum((extract(epoch from {instant}) * 1000000)::numeric(30)), 0)::text from sales.{table}"
                ).fetchone()
                or []
            )
            for table, key, number, instant in CHECKED
        }


CHECKED = [
    ("orders", "order_id", "total", "placed_at"),
    ("order_lines", "order_line_id", "unit_price", "picked_at"),
    ("movements", "movement_id", "quantity", "occurred_at"),
]


def landed_sums(path: Path, relation: str = "raw_erp.sales_{}") -> dict[str, list[str]]:
    """The same checksums over what a DuckDB file holds."""
    with duckdb.connect(str(path), read_only=True) as db:
        return {
            table: list(
                db.execute(
                    f"select count(*)::varchar, coalesce(sum({key}::hugeint), 0)::varchar, "
                    f"coalesce(sum({number}), 0)::varchar, "
                    f"coalesce(sum(epoch_us({instant})::hugeint), 0)::varchar from {relation.format(table)}"
                ).fetchone()
                or []
            )
            for table, key, number, instant in CHECKED
        }


def child(module: str, *arguments: str) -> dict[str, Any]:
    """Run one measurement in a process of its own and return the JSON object it prints last."""
    done = subprocess.run([sys.executable, "-m", module, "--child", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def peak_mb() -> float:
    """This process's peak resident memory. `ru_maxrss` would not do: it starts at the peak of the process that forked
    this one.
    """
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def report(name: str, unit: str, ours: Sequence[float], peer: str, theirs: Sequence[float], **more: Any) -> None:
    """Print one result: medians, and their ratio."""
    value, peer_value = statistics.median(ours), statistics.median(theirs)
    print(
        json.dumps(
            {
                "name": name,
                "value": round(value),
                "unit": unit,
                "peer": peer,
                "peer_value": round(peer_value),
                "ratio": round(value / peer_value, 2),
                "runs": len(ours),
                **more,
            }
        ),
        flush=True,
    )
