"""A real Postgres 18 for the area, and a database of its own for each test."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from connectors.landing import Landing
from connectors.postgres.reader import Limits, SyncCounts, sync_postgres
from sandbox.systems.postgres import PostgresServer

_number = itertools.count(1)


@dataclass(frozen=True)
class Spec:
    name: str
    table: str
    key: tuple[str, ...] = ()
    contract: str = "evolve"


@dataclass
class Source:
    """A database with schema `s`, publication `crossdock`, a reading role with REPLICATION and SELECT only, and its
    landing.
    """

    owner: psycopg.Connection
    owner_dsn: str
    dsn: str
    landing: Landing
    slot: str

    def run(self, statements: str) -> None:
        self.owner.execute(statements)  # type: ignore[call-overload]

    def sync(
        self,
        *tables: str | Spec,
        resnapshot: bool = False,
        snapshot_of: tuple[str, ...] = (),
        limits: Limits = Limits(),
    ) -> SyncCounts:
        streams = [one if isinstance(one, Spec) else Spec(one, f"s.{one}") for one in tables]
        return sync_postgres(
            "erp",
            self.landing,
            dsn=self.dsn,
            publication="crossdock",
            streams=streams,
            slot=self.slot,
            resnapshot=resnapshot,
            snapshot_of=snapshot_of,
            limits=limits,
        )

    def here(self, query: str) -> list[tuple]:
        with self.landing.session() as db:
            return db.execute(query).fetchall()

    def there(self, query: str) -> list[tuple]:
        return self.owner.execute(query).fetchall()  # type: ignore[call-overload]

    def assert_equal(self, stream: str, *columns: str) -> None:
        """These columns of every row are the same there and here, and the state is what the log says."""
        names = ", ".join(columns)
        here = self.here(f"select {', '.join(f'{c}::varchar' for c in columns)} from raw_erp.{stream} order by {names}")
        there = self.there(f"select {', '.join(f'{c}::text' for c in columns)} from s.{stream} order by {names}")
        assert sorted(here, key=str) == sorted(there, key=str)
        assert self.landing.check_state(stream).ok and self.landing.duplicates(stream) == 0


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres_cdc"), 18) as server:
        with psycopg.connect(server.superuser_dsn("postgres"), autocommit=True) as connection:
            connection.execute("create role cdc_reader login replication password 'reads only'")
        yield server


@pytest.fixture
def source(server: PostgresServer, tmp_path: Path) -> Iterator[Source]:
    name = f"cdc{next(_number)}"
    admin = server.superuser_dsn("postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    owner_dsn = make_conninfo(admin, dbname=name)
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute(
            "set timezone = 'UTC'; create schema s; grant usage on schema s to cdc_reader; "
            "alter default privileges in schema s grant select on tables to cdc_reader; "
            "create publication crossdock for tables in schema s"
        )
        dsn = make_conninfo(owner_dsn, user="cdc_reader", password="reads only")
        yield Source(owner, owner_dsn, dsn, Landing(tmp_path / "erp.duckdb", "erp"), f"slot_{name}")
        owner.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database() "
            "and active_pid is null"
        )


@pytest.fixture
def two(source: Source) -> Source:
    """A source with two landed tables, `items` and `other`."""
    source.run(
        "create table s.items (id int primary key, name text, made date);"
        "create table s.other (id int primary key, n int);"
        "insert into s.items select i, 'n' || i, date '2024-01-01' + i from generate_series(1, 5) i;"
        "insert into s.other values (1, 1)"
    )
    source.sync("items", "other")
    return source
