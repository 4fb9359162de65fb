"""What the source does is what lands: every operation, across batches, by both ways of reading the slot."""

import pytest

from connectors.postgres.reader import Limits

from .conftest import Source

ITEMS = """
create table s.items (id int primary key, name text, price numeric(18, 4), at timestamptz, on_date date,
    big text, ok boolean, raw bytea);
alter table s.items alter big set storage external;
insert into s.items select i, 'näme ' || i, i * 1.0001, '2024-03-10 06:59:59.123456+00', '2024-02-29',
    repeat('x', 3000), true, '\\xc0ffee'
from generate_series(1, 300) i;
"""
HERE = 'select id, name, price::varchar, "at"::varchar, on_date::varchar, big, ok, raw from raw_erp.items order by id'
THERE = "select id, name, price::text, at::text, on_date::text, big, ok, raw from s.items order by id"
BY_PROTOCOL = Limits(wal_bytes=0)
TINY_BATCHES = Limits(messages=50, batch=10)


def same(source: Source) -> None:
    assert source.here(HERE) == source.there(THERE)
    assert source.landing.check_state("items").ok
    assert source.landing.duplicates("items") == 0


@pytest.mark.parametrize("limits", [Limits(), BY_PROTOCOL, TINY_BATCHES], ids=["peek", "protocol", "tiny batches"])
def test_every_kind_of_change_lands(source: Source, limits: Limits) -> None:
    source.run(ITEMS)
    assert source.sync("items").rows == 300
    same(source)
    source.run(
        "begin; update s.items set price = price + 1 where id <= 100; delete from s.items where id between 50 and 60; "
        "update s.items set id = id + 1000 where id <= 20; "
        "insert into s.items (id, name) select i, 'again' from generate_series(1, 10) i; commit"
    )
    source.run("update s.items set name = 'moved, big not sent' where id > 1000")
    source.run(
        "update s.items set big = null, name = 'nulled' where id = 1015; update s.items set name = 'n2' where id = 1015"
    )
    source.run(
        "begin; savepoint a; insert into s.items (id) values (7777); rollback to a; "
        "insert into s.items (id) values (7778); commit"
    )
    source.run("begin; insert into s.items (id) values (9999); rollback")
    source.sync("items", limits=limits)
    same(source)
    ops = dict(source.here("select _op, count(*) from raw_erp.items__log group by 1"))
    assert ops == {"r": 300, "u": 100 + 20 + 2, "d": 11 + 20, "i": 20 + 10 + 1}
    source.run(
        "begin; insert into s.items (id) values (8000); truncate s.items; "
        "insert into s.items (id, big) values (1, 'b'); commit"
    )
    source.sync("items", limits=limits)
    same(source)


def test_a_key_swap_and_reuse_in_one_transaction_keep_their_order(source: Source) -> None:
    source.run(
        ITEMS + "create table s.pairs (a int, b text, v text, primary key (a, b)); "
        "insert into s.pairs values (1, 'x', 'one'), (2, 'y', 'two')"
    )
    source.sync("items", "pairs")
    source.run(
        "begin; update s.pairs set a = 9 where a = 1; update s.pairs set a = 1, b = 'x' where a = 2; "
        "update s.pairs set a = 2, b = 'y' where a = 9; delete from s.pairs where a = 1; "
        "insert into s.pairs values (1, 'x', 'new'); commit"
    )
    source.sync("items", "pairs")
    assert source.here("select a, b, v from raw_erp.pairs order by 1") == source.there(
        "select a, b, v from s.pairs order by 1"
    )


def test_replica_identity_full_fills_unsent_values_and_deletes_whole_rows(source: Source) -> None:
    source.run(ITEMS + "alter table s.items replica identity full")
    source.sync("items")
    source.run(
        "update s.items set name = 'n' where id < 10; update s.items set id = 5000 where id = 3; "
        "delete from s.items where id = 4"
    )
    source.sync("items")
    same(source)
    assert source.here("select count(*) from raw_erp.items__log where _unchanged is not null") == [(0,)]
    assert source.here("select name, big is not null from raw_erp.items__log where _op = 'd' and id = 4") == [
        ("n", True)
    ]


def test_an_added_column_is_a_new_version_and_a_dropped_one_is_empty_and_kept_in_the_log(source: Source) -> None:
    source.run(ITEMS)
    source.sync("items")
    source.run(
        "begin; update s.items set name = 'before' where id = 1; alter table s.items add column extra numeric(9, 3); "
        "update s.items set extra = 1.125 where id = 2; alter table s.items drop column ok; "
        "update s.items set extra = 2 where id = 3; commit"
    )
    source.sync("items")
    rows = source.here("select id, name, extra::varchar, ok from raw_erp.items where id <= 3 order by 1")
    assert rows == [(1, "before", None, None), (2, "näme 2", "1.125", None), (3, "näme 3", "2.000", None)]
    assert source.here("select max(version) from _land.schema_version where stream = 'items'") == [(2,)]
    assert source.here("select ok from raw_erp.items__log where id = 1 and name = 'before' and _op = 'u'") == [(True,)]


def test_a_value_duckdb_would_misread_costs_its_row_only(source: Source) -> None:
    bad = """insert into s.extremes (id, at, on_date, n) values (-1, '0044-03-15 00:00:00+00 BC', null, 1),
        (-2, 'infinity', null, 1), (-3, null, '-infinity', 1), (-4, null, '0001-01-01 BC', 1), (-5, null, null, 'NaN'),
        (-6, '294276-12-31 23:59:59+00', null, 1);"""
    source.run(
        "create table s.extremes (id int primary key, at timestamptz, on_date date, n numeric(18, 2), "
        "free numeric, t time);"
        f"{bad} insert into s.extremes values "
        "(1, '0001-01-01 00:00:00+00', '9999-12-31', 9999999999999999.99, 'NaN', '23:59:59.999999')"
    )
    source.sync("extremes")
    assert source.here("select t::varchar from raw_erp.extremes where id = 1") == [("23:59:59.999999",)]
    source.run(
        f"delete from s.extremes; {bad} insert into s.extremes values (2, '2024-01-01', null, -0.01, 1e40, null)"
    )
    source.sync("extremes")
    there = source.there(
        "select id, at::text, on_date::text, n::text, free::text from s.extremes where id in (2, -6) order by 1"
    )
    here = source.here('select id, "at"::varchar, on_date::varchar, n::varchar, free from raw_erp.extremes order by 1')
    assert [row for row in here if row[0] > 0] == [row for row in there if row[0] > 0]
    dead = source.here("select key, count(*) from _land.dead_letter group by 1 order by 1")
    assert {key for key, _ in dead} >= {"-1", "-2", "-3", "-4", "-5"} and all(n == 2 for _, n in dead)
    landed = {row[0] for row in here}
    assert landed | {int(key) for key, _ in dead} == {2, -1, -2, -3, -4, -5, -6}, "each row is either here or dead"


@pytest.mark.parametrize("odd", ["'NaN', null", "1, 'infinity'", "1, '0044-03-15 BC'"])
def test_a_snapshot_with_one_refused_value_lands_every_other_row_once(source: Source, odd: str) -> None:
    source.run("create table s.extremes (id int primary key, n numeric(18, 2), on_date date)")
    source.run("insert into s.extremes select i, i, '2024-02-29' from generate_series(1, 3000) i")
    source.run(f"insert into s.extremes values (0, {odd})")
    for generation in (1, 2):
        counts = source.sync("extremes", resnapshot=generation == 2)
        assert (counts.rows, counts.dead) == (3000 + generation - 1, 1), "with the truncate of what was there before"
        rows = "select count(*), count(distinct id), sum(n)::varchar, min(_ordinal) from"
        wanted = [(3000, 3000, "4501500.00", 0)]
        assert source.here(f"{rows} raw_erp.extremes") == wanted
        assert source.here(f"{rows} raw_erp.extremes__log where _op = 'r' and _generation = {generation}") == wanted
        assert source.landing.check_state("extremes").ok and source.landing.duplicates("extremes") == 0
    assert source.here("select count(*) from raw_erp.extremes__log where _op = 't'") == [(1,)]
    assert source.here("select key from _land.dead_letter group by 1") == [("0",)]


def test_bytes_that_are_not_utf8_cost_their_row_only(server, source: Source, tmp_path) -> None:
    import psycopg
    from psycopg.conninfo import make_conninfo

    from connectors.landing import Landing
    from connectors.postgres.reader import sync_postgres

    from .conftest import Spec

    source.run(f"create database {source.slot}_ascii template template0 encoding sql_ascii locale 'C'")
    owner_dsn = make_conninfo(source.owner_dsn, dbname=f"{source.slot}_ascii")
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute(
            "create table t (id int primary key, v text); grant select on t to cdc_reader; "
            "create publication crossdock for table t"
        )
        owner.execute("insert into t values (1, 'fine'), (2, convert_from('\\xfffe41', 'sql_ascii'))")
        dsn, landing = (
            make_conninfo(owner_dsn, user="cdc_reader", password="reads only"),
            Landing(tmp_path / "a.duckdb", "erp"),
        )
        args = {
            "dsn": dsn,
            "publication": "crossdock",
            "streams": [Spec("t", "public.t")],
            "slot": f"{source.slot}_ascii",
        }
        sync_postgres("erp", landing, **args)
        owner.execute("insert into t values (3, 'gut'), (4, convert_from('\\xc328', 'sql_ascii')), (5, 'ok')")
        sync_postgres("erp", landing, **args)
        owner.execute(f"select pg_drop_replication_slot('{source.slot}_ascii')")
    with landing.session() as db:
        assert db.execute("select id from raw_erp.t order by 1").fetchall() == [(1,), (3,), (5,)]
        assert db.execute("select key from _land.dead_letter order by 1").fetchall() == [("2",), ("4",)]


def test_rows_of_one_transaction_larger_than_the_memory_limit_land_in_one_commit(source: Source, monkeypatch) -> None:
    monkeypatch.setattr("connectors.postgres.gather.MEMORY_BYTES", 100_000)
    monkeypatch.setattr("connectors.postgres.stream.ARRAY_BYTES", 50_000)
    source.run("create table s.items (id int primary key, v text)")
    source.sync("items")
    source.run(
        "insert into s.items select i, repeat('v', 20) from generate_series(1, 20000) i; "
        "update s.items set v = 'w' where id % 7 = 0"
    )
    source.sync("items", limits=Limits(wal_bytes=0))
    assert source.here("select id, v from raw_erp.items order by 1") == source.there(
        "select id, v from s.items order by 1"
    )
    assert source.here("select count(distinct _batch_id) from raw_erp.items__log where _op = 'i'") == [(1,)]
    assert not list(source.landing.path.parent.glob(".spill-*"))
