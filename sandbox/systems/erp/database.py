"""The ERP's database: created once with its tables, roles and publication, then filled and kept going by the world."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from sandbox.systems.postgres import PostgresServer

NAME = "erp"
OWNER = "erp_owner"
READER = "crossdock_reader"
PUBLICATION = "crossdock"
SCHEMAS = ("application", "warehouse", "purchasing", "sales")
DDL = Path(__file__).parent / "sql"


@dataclass(frozen=True)
class Table:
    """One published table: its columns in order and its key."""

    name: str
    columns: tuple[str, ...]
    key: str

    @property
    def identifier(self) -> sql.Identifier:
        """The quoted, schema-qualified name."""
        return sql.Identifier(*self.name.split("."))

    @property
    def is_versioned(self) -> bool:
        """Whether people edit it through the API (it has a row version)."""
        return "row_version" in self.columns


class ErpDatabase:
    """The database of one Postgres server. Passwords are new at every start and live only in memory."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._owner_password = secrets.token_urlsafe(24)
        self._reader_password = secrets.token_urlsafe(24)
        self.is_new = False
        self.tables: dict[str, Table] = {}

    def create(self) -> ErpDatabase:
        """Create what is missing: database, roles, tables, publication; then give the roles their passwords."""
        with psycopg.connect(self.server.superuser_dsn(), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone()
            if found is None:
                self._roles(connection)
                connection.execute(
                    sql.SQL("create database {} owner {}").format(sql.Identifier(NAME), sql.Identifier(OWNER))
                )
            for role, password in ((OWNER, self._owner_password), (READER, self._reader_password)):
                connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), password))
        with psycopg.connect(self.owner_dsn) as connection:
            exists = connection.execute("select to_regclass('erp_api.written')").fetchone()
            self.is_new = exists == (None,)
            if self.is_new:
                for schema in (*SCHEMAS, "erp_api"):
                    connection.execute((DDL / f"{schema}.sql").read_bytes())
        with psycopg.connect(self.server.superuser_dsn(NAME)) as connection:
            if self.is_new:
                self._open_to_reader(connection)
            self.tables = _tables(connection)
        return self

    @property
    def owner_dsn(self) -> str:
        """For the ERP itself."""
        return self.server.dsn(OWNER, NAME, self._owner_password)

    @property
    def reader_dsn(self) -> str:
        """For those who read it: REPLICATION, and SELECT on the published tables."""
        return self.server.dsn(READER, NAME, self._reader_password)

    def _roles(self, connection: psycopg.Connection) -> None:
        for role, attributes in ((OWNER, "login"), (READER, "login replication")):
            connection.execute(sql.SQL("create role {} " + attributes).format(sql.Identifier(role)))

    def _open_to_reader(self, connection: psycopg.Connection) -> None:
        reader = sql.Identifier(READER)
        database = sql.Identifier(NAME)
        owned = sql.SQL(", ").join(map(sql.Identifier, SCHEMAS))
        for statement in (
            sql.SQL("revoke all on database {} from public").format(database),
            sql.SQL("revoke all on schema public from public"),
            sql.SQL("grant connect on database {} to {}").format(database, reader),
            sql.SQL("grant usage on schema {} to {}").format(owned, reader),
            sql.SQL("grant select on all tables in schema {} to {}").format(owned, reader),
        ):
            connection.execute(statement)
        published = sql.SQL(", ").join(table.identifier for table in _tables(connection).values())
        connection.execute(sql.SQL("create publication {} for table {}").format(sql.Identifier(PUBLICATION), published))


def _tables(connection: psycopg.Connection) -> dict[str, Table]:
    """The published tables, in the order they were made; the key is the first column."""
    found = connection.execute(
        """
        select n.nspname || '.' || c.relname, array_agg(a.attname::text order by a.attnum)
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relkind = 'r' and n.nspname = any(%s)
        group by c.oid, n.nspname, c.relname
        order by c.oid
        """,
        [list(SCHEMAS)],
    ).fetchall()
    return {name: Table(name, tuple(columns), columns[0]) for name, columns in found}
