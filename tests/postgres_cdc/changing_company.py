"""A database of which rows, tables, filters and streams change at random, and what landed of it, value by value."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.conninfo import make_conninfo

from connectors.landing import Landing
from connectors.landing.casts import cast
from connectors.model import quoted
from connectors.postgres.catch_up import SyncCounts
from connectors.postgres.reader import sync_postgres
from sandbox.systems.postgres import PostgresServer

from .conftest import Spec
from .test_every_type import ONLY_VALUES, TYPES, literals

VALUES = TYPES | ONLY_VALUES
RETYPED = {"integer": "bigint", "bigint": "numeric", "date": "timestamp", "real": "double precision"}


@dataclass
class Table:
    """A table: its key's type, the types of its other columns, its filter, whether it is a stream, and is there."""

    name: str
    key: str
    columns: dict[str, str] = field(default_factory=dict)
    condition: str = ""
    is_stream: bool = True
    is_there: bool = True


class Company:
    """A database that changes at random, and what landed of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random, self.number = random.Random(seed), 0
        self.server = PostgresServer(folder / "server", 18)
        self.server.start()
        self.landing = Landing(folder / "erp.duckdb", "erp")
        self.tables: list[Table] = []
        self.did: list[str] = []
        self.run(
            "create role reader login replication password 'reads'; create schema s; grant usage on schema s to reader;"
            "alter default privileges in schema s grant select on tables to reader; create publication crossdock;"
            "create type s.mood as enum ('sad', 'very happy'); create domain s.code as char(5);"
            "create domain s.host as inet; create type s.pair as (a int, b text)"
        )
        for key in ("integer", "integer", *self.random.sample(sorted(TYPES), 4)):
            self.add_table(key)

    def run(self, statements: str) -> None:
        self.did.append(statements)
        with psycopg.connect(self.server.superuser_dsn(), autocommit=True, options="-c timezone=UTC") as owner:
            owner.execute(statements)  # type: ignore[call-overload]

    def next(self, letter: str) -> str:
        self.number += 1
        return f"{letter}{self.number}"

    def value(self, type_: str) -> str:
        if type_ == "text" and self.random.random() < 0.2:  # stored out of line, and not sent where it did not change
            seed = self.random.randint(1, 9)
            return f"(select string_agg(md5((i * {seed})::text), '') from generate_series(1, 500) i)"
        return "null" if self.random.random() < 0.15 else self.random.choice(literals(VALUES[type_]))

    def key(self, table: Table) -> str:
        if table.key == "integer":
            return str(self.random.randint(1, 30))
        return self.random.choice(literals(TYPES[table.key]))

    # what happens to rows

    def insert(self, table: Table) -> None:
        names = ["k", *table.columns]
        values = [self.key(table), *(self.value(t) for t in table.columns.values())]
        self.run(f"insert into s.{table.name} ({', '.join(names)}) values ({', '.join(values)}) on conflict do nothing")

    def update(self, table: Table) -> None:
        if table.columns:
            name = self.random.choice(sorted(table.columns))
            self.run(
                f"update s.{table.name} set {name} = {self.value(table.columns[name])} "
                f"where k = {self.key(table)}::{table.key}"
            )

    def move(self, table: Table) -> None:
        new, old = (f"{self.key(table)}::{table.key}" for _ in range(2))
        self.run(
            f"update s.{table.name} set k = {new} where k = {old} "
            f"and not exists (select from s.{table.name} t where t.k = {new})"
        )

    def delete(self, table: Table) -> None:
        self.run(f"delete from s.{table.name} where k = {self.key(table)}::{table.key}")

    def truncate(self, table: Table) -> None:
        self.run(f"truncate s.{table.name}")

    # what happens to tables

    def add_column(self, table: Table) -> None:
        name, type_ = self.next("c"), self.random.choice(sorted(VALUES))
        default = f" default {self.value(type_)}" if self.random.random() < 0.5 and type_ != "text" else ""
        self.run(f"alter table s.{table.name} add column {name} {type_}{default}")
        table.columns[name] = type_

    def drop_column(self, table: Table) -> None:
        if len(table.columns) > 1:
            name = self.random.choice(sorted(table.columns))
            type_ = table.columns.pop(name)
            self.run(f"alter table s.{table.name} drop column {name}")
            if self.random.random() < 0.3:  # one of the same name comes back
                self.run(f"alter table s.{table.name} add column {name} {type_} default {literals(VALUES[type_])[0]}")
                table.columns[name] = type_

    def rename_column(self, table: Table) -> None:
        if table.columns:
            old, new = self.random.choice(sorted(table.columns)), self.next("r")
            self.run(f"alter table s.{table.name} rename {old} to {new}")
            table.columns = {new if name == old else name: type_ for name, type_ in table.columns.items()}

    def retype_column(self, table: Table) -> None:
        if table.columns:
            name = self.random.choice(sorted(table.columns))
            new = RETYPED.get(table.columns[name], "text" if table.columns[name] != "text" else "varchar(8)")
            using = f"{name}::{new}" if new != "varchar(8)" else f"left({name}, 8)"
            self.run(f"alter table s.{table.name} alter {name} drop default, alter {name} type {new} using {using}")
            table.columns[name] = new

    def change_filter(self, table: Table) -> None:
        table.condition = self.random.choice(["", "k is not null"] + ["k % 2 = 0", "k < 20"] * (table.key == "integer"))
        self.publish()

    def leave_publication(self, table: Table) -> None:
        self.run(f"alter publication crossdock drop table s.{table.name}")
        self.insert(table)
        self.publish()

    def change_identity(self, table: Table) -> None:
        self.run(f"alter table s.{table.name} replica identity {self.random.choice(['full', 'default'])}")

    def swap_table(self, table: Table) -> None:
        other = self.next("x")
        self.run(
            f"create table s.{other} (like s.{table.name} including all); "
            f"insert into s.{other} select * from s.{table.name} limit 1; drop table s.{table.name}; "
            f"alter table s.{other} rename to {table.name}"
        )
        self.publish()

    def rewrite(self, table: Table) -> None:
        self.run(f"vacuum full s.{table.name}")

    # what happens to streams and servers

    def add_table(self, key: str = "") -> None:
        if len([t for t in self.tables if t.is_there]) > 12:
            return
        table = Table(self.next("t"), key or self.random.choice(sorted(TYPES)))
        types = self.random.sample(sorted(VALUES), 3)
        table.columns = {self.next("c"): type_ for type_ in types}
        columns = ", ".join(f"{name} {type_}" for name, type_ in table.columns.items())
        self.run(f"create table s.{table.name} (k {table.key} primary key, {columns})")
        self.tables.append(table)
        for _ in range(3):
            self.insert(table)
        self.publish()

    def drop_table(self, table: Table) -> None:
        if len([t for t in self.tables if t.is_there and t.is_stream]) > 4:
            table.is_there = False
            self.run(f"drop table s.{table.name}")

    def leave_or_come(self, table: Table) -> None:
        table.is_stream = not table.is_stream
        self.did.append(f"{table.name} is a stream: {table.is_stream}")

    def restart(self) -> None:
        self.did.append("restart")
        self.server.stop()
        self.server.start()

    def publish(self) -> None:
        parts = [f"s.{t.name}" + (f" where ({t.condition})" if t.condition else "") for t in self.tables if t.is_there]
        self.run(f"alter publication crossdock set table {', '.join(parts)}")

    def step(self) -> None:
        rows = [self.insert] * 5 + [self.update] * 5 + [self.move, self.delete, self.delete, self.truncate]
        tables = [
            self.add_column, self.drop_column, self.rename_column, self.retype_column, self.change_filter,
            self.leave_publication, self.change_identity, self.swap_table, self.rewrite, self.leave_or_come,
        ]  # fmt: skip
        there = [table for table in self.tables if table.is_there]
        draw = self.random.random()
        if draw < 0.7:
            self.random.choice(rows)(self.random.choice(there))
        elif draw < 0.94:
            self.random.choice(tables)(self.random.choice(there))
        elif draw < 0.98:
            self.random.choice([self.add_table, lambda: self.drop_table(self.random.choice(there))])()
        else:
            self.restart()

    # what landed

    def sync(self) -> SyncCounts:
        dsn = make_conninfo(self.server.superuser_dsn(), user="reader", password="reads")  # noqa: S106
        streams = [Spec(t.name, f"s.{t.name}") for t in self.tables if t.is_stream]
        return sync_postgres("erp", self.landing, dsn=dsn, publication="crossdock", streams=streams, slot="copy")

    def check(self, counts: SyncCounts) -> None:
        gone = {t.name for t in self.tables if t.is_stream and not t.is_there}
        assert counts.stopped.keys() == gone, counts.stopped
        for table in self.tables:
            if table.is_stream and table.is_there:
                self.compare(table)

    def compare(self, table: Table) -> None:
        """Every column of every row, in the types that landed."""
        names = ["k", *table.columns]
        sent = ", ".join(f"textin({OUT.get(t, '')}({n}))" if t in OUT else f"{n}::text" for n, t in self.typed(table))
        where = f" where {table.condition}" if table.condition else ""
        with psycopg.connect(self.server.superuser_dsn(), options=SESSION) as owner:
            rows: list[tuple[Any, ...]] = owner.execute(f"select {sent} from s.{table.name}{where}").fetchall()  # type: ignore[call-overload]
        types = {c.name: c.type for c in self.landing.columns(table.name)}
        texts = pa.table({n: pa.array([row[i] for row in rows], pa.string()) for i, n in enumerate(names)})
        with self.landing.session() as db:
            db.register("_source", texts)
            there = ", ".join(f"{cast(n, types[n])} as {quoted(n)}" for n in names)
            here = f"select {', '.join(map(quoted, names))} from raw_erp.{quoted(table.name)}"
            for one, other in ((f"select {there} from _source", here), (here, f"select {there} from _source")):
                differs = db.execute(f"({one}) except all ({other})").fetchall()
                assert differs == [], (table, differs[:3], self.did[-12:])
            db.unregister("_source")
        assert self.landing.check_state(table.name).ok and self.landing.duplicates(table.name) == 0

    def typed(self, table: Table) -> list[tuple[str, str]]:
        return [("k", table.key), *table.columns.items()]


OUT = {
    "char(8)": "bpcharout", "character(1)": "bpcharout", "inet": "inet_out", "cidr": "cidr_out", "s.code": "bpcharout",
    "s.host": "inet_out", '"char"': "charout", "name": "nameout",
}  # fmt: skip
SESSION = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=1"
