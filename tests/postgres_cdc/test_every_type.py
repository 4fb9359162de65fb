"""One text form per type: what a snapshot landed is found again by the stream, as a value and as a key."""

import pytest

from .conftest import Source

TYPES = {
    "smallint": ("1", "-2"),
    "integer": ("1", "2"),
    "bigint": ("1", "9223372036854775807"),
    "numeric": ("1.10", "-12345678901234567890.5"),
    "numeric(12,3)": ("1.1", "2.125"),
    "real": ("1.5", "-2.25"),
    "double precision": ("0.1", "1e300"),
    "money": ("12.34", "-5"),
    "boolean": ("true", "false"),
    "char(8)": ("ab", " b"),
    "character(1)": ("a", "b"),
    "varchar(8)": ("ab ", "b"),
    "text": (" x ", "y"),
    "name": ("n1", "n2"),
    '"char"': ("a", "b"),
    "bytea": ("\\\\x00ff", "\\\\x01"),
    "date": ("2024-02-29", "1999-12-31"),
    "time": ("10:11:12.5", "23:59:59"),
    "timetz": ("10:11:12+02", "01:00:00-05"),
    "timestamp": ("2024-02-29 10:11:12.123456", "1999-12-31"),
    "timestamptz": ("2024-02-29 10:11:12.5+02", "1999-12-31 00:00:00+00"),
    "interval": ("1 mon 2 days 03:04:05", "-1 day"),
    "uuid": ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000"),
    "inet": ("192.168.0.1", "10.0.0.0/8"),
    "cidr": ("10.0.0.0/8", "192.168.1.1/32"),
    "macaddr": ("08:00:2b:01:02:03", "00:00:00:00:00:01"),
    "bit(4)": ("1010", "0001"),
    "varbit": ("10", "1"),
    "oid": ("1", "4294967295"),
    "pg_lsn": ("0/16B3748", "1/0"),
    "jsonb": ('{"b": 1, "a": [1, 2]}', "[]"),
    "integer[]": ("{1,NULL,3}", "{}"),
    "char(3)[]": ("{a,b}", "{}"),
    "text[]": ('{"a b","c,d"}', "{NULL}"),
    "int4range": ("[1,5)", "empty"),
    "tsvector": ("'a':1 'b':2", "'c'"),
    "s.mood": ("sad", "very happy"),
    "s.code": ("ab", "b"),
    "s.host": ("10.1.1.1", "10.2.0.0/16"),
    "s.pair": ("(1,x)", "(2,)"),
}
ONLY_VALUES = {"json": ('{"b":1,  "a":2}', "[]"), "point": ("(1,2)", "(0,0)")}


@pytest.fixture
def typed(source: Source) -> Source:
    source.run(
        "create type s.mood as enum ('sad', 'very happy'); create domain s.code as char(5); "
        "create domain s.host as inet; create type s.pair as (a int, b text)"
    )
    return source


def literals(values: tuple[str, str]) -> list[str]:
    return ["'" + value.replace("\\\\", "\\").replace("'", "''") + "'" for value in values]


def test_a_key_of_any_type_is_the_same_in_snapshot_and_stream(typed: Source) -> None:
    names = {f"k{number}": type_ for number, type_ in enumerate(TYPES)}
    for name, type_ in names.items():
        first, second = literals(TYPES[type_])
        typed.run(
            f"create table s.{name} (k {type_} primary key, n int); "
            f"insert into s.{name} values ({first}, 1), ({second}, 2)"
        )
    typed.sync(*names)
    for name, type_ in names.items():
        first, second = literals(TYPES[type_])
        typed.run(
            f"update s.{name} set n = 10 where k = {first}::{type_}; delete from s.{name} where k = {second}::{type_}"
        )
    typed.sync(*names)
    wrong = {}
    for name, type_ in names.items():
        if (found := typed.here(f"select n from raw_erp.{name}")) != [(10,)]:
            wrong[type_] = found
    assert wrong == {}


def test_a_value_of_any_type_is_the_same_in_snapshot_and_stream(typed: Source) -> None:
    columns = {f"v{number}": pair for number, pair in enumerate((TYPES | ONLY_VALUES).items())}
    typed.run(f"create table s.wide (id int primary key, {', '.join(f'{n} {t}' for n, (t, _) in columns.items())})")
    insert = "insert into s.wide values ($id, " + ", ".join(literals(v)[0] for _, v in columns.values()) + ")"
    typed.run(insert.replace("$id", "1"))
    typed.sync("wide")
    typed.run(insert.replace("$id", "2"))
    typed.sync("wide")
    snapshot, stream = (typed.here(f"select {', '.join(columns)} from raw_erp.wide where id = {i}")[0] for i in (1, 2))
    differ = {t: (a, b) for (t, _), a, b in zip(columns.values(), snapshot, stream, strict=True) if a != b}
    assert differ == {} and None not in snapshot
