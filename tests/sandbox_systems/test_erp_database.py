"""The ERP's database: what is published, who may do what, and how the world gets in."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from sandbox.systems.erp import filling
from sandbox.systems.erp.database import ErpDatabase
from tests.sandbox_systems.conftest import Change, Row


def rows(database: ErpDatabase, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.owner_dsn) as connection:
        return connection.execute(query).fetchall()


def state(database: ErpDatabase) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows(database, f"select * from {name} order by 1") for name in database.tables}


def test_every_table_has_a_key_and_is_published(database: ErpDatabase) -> None:
    published = rows(
        database, "select schemaname || '.' || tablename from pg_publication_tables where pubname = 'crossdock'"
    )
    assert {name for (name,) in published} == set(database.tables) and len(database.tables) == 27
    keys = rows(database, "select conrelid::regclass::text, conkey from pg_constraint where contype = 'p'")
    assert {name: key for name, key in keys if name in database.tables} == {name: [1] for name in database.tables}


@pytest.mark.parametrize(
    "statement",
    [
        "insert into sales.buying_groups values (1, 'x')",
        "delete from sales.orders",
        "select * from erp_api.written",
        "create temporary table mine (n int)",
        "create table public.mine (n int)",
        "create schema mine",
        "select pg_read_file('/etc/hostname')",
    ],
)
def test_the_reading_role_may_only_read_what_is_published(database: ErpDatabase, statement: str) -> None:
    with psycopg.connect(database.reader_dsn) as connection:
        connection.execute("select count(*) from sales.orders")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_the_reading_role_can_follow_the_log(database: ErpDatabase, change: Row) -> None:
    with psycopg.connect(database.reader_dsn, autocommit=True) as reader:
        reader.execute("select pg_create_logical_replication_slot('follow', 'pgoutput')")
        try:
            filling.apply(database, [change("sales.buying_groups", 9), change("sales.buying_groups", 9)])
            messages = reader.execute(
                "select get_byte(data, 0) from pg_logical_slot_get_binary_changes('follow', null, null,"
                " 'proto_version', '1', 'publication_names', 'crossdock')"
            ).fetchall()
            assert [chr(kind) for (kind,) in messages if chr(kind) in "IUD"] == ["I", "U"]
        finally:
            reader.execute("select pg_drop_replication_slot('follow')")
    filling.apply(database, [Change("delete", "sales.buying_groups", {"buying_group_id": 9})])


def test_steps_end_where_a_load_of_everything_ends(database: ErpDatabase, change: Row) -> None:
    history = [
        change("sales.orders", 1),
        change("sales.order_lines", 11, order_id=1),
        change("sales.order_lines", 12, order_id=1, description="tab\tand \\N and newline\n"),
        change("sales.orders", 2, customer_purchase_order_number=""),
        change("sales.order_lines", 12, order_id=2, picking_completed_when=None),
        change("sales.orders", 1, backorder_order_id=2),
        change("sales.orders", 3),
        Change("delete", "sales.orders", {"order_id": 3}),
    ]
    filling.apply(database, history, transactions=3)
    stepped = state(database)
    emptied = [Change("delete", each.table, each.row) for each in history]
    filling.apply(database, emptied)
    assert rows(database, "select * from sales.orders") == []
    filling.load(database, history)
    assert state(database) == stepped
    assert [row[1] for row in stepped["sales.order_lines"]] == [1, 2]
    filling.apply(database, emptied)


def test_an_unknown_table_or_a_missing_value_is_an_error(database: ErpDatabase, change: Row) -> None:
    with pytest.raises(KeyError):
        filling.apply(database, [Change("upsert", "sales.nowhere", {})])
    with pytest.raises(psycopg.errors.NotNullViolation):
        filling.apply(database, [change("sales.orders", 5, order_date=None)])
