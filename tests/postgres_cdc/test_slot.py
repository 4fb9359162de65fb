"""The slot is checked before it is read, and moved only behind DuckDB; what cannot continue stops with a way out."""

import json
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from pydantic import SecretStr

from connectors.model import PermanentError, TransientError
from connectors.postgres import slot as slots
from connectors.postgres.link import lsn_text
from connectors.postgres.position import source_position
from connectors.postgres.slot import PositionLost
from connectors.sync import landed_position, landing_of, sync
from connectors.sync import source_position as position_of
from sandbox.systems.postgres import PostgresServer

from .conftest import Source, Spec


@pytest.fixture
def landed(source: Source) -> Source:
    source.run(
        "create table s.items (id int primary key, v text); create table s.other (id int primary key); "
        "insert into s.items values (1, 'a')"
    )
    source.sync("items")
    return source


def stops(source: Source, words: str) -> None:
    before = source.landing.cursor("*")
    with pytest.raises(PositionLost, match=words) as caught:
        source.sync("items")
    assert caught.value.way_out and source.landing.cursor("*") == before


def test_a_dropped_slot_stops_and_a_new_snapshot_continues_under_a_new_generation(landed: Source) -> None:
    landed.run(
        f"select pg_drop_replication_slot('{landed.slot}'); delete from s.items; insert into s.items values (2, 'b')"
    )
    stops(landed, "no longer exists")
    landed.sync("items", resnapshot=True)
    assert landed.here("select id from raw_erp.items") == [(2,)]
    assert landed.here("select _generation, _op, id from raw_erp.items__log order by 1, 2 desc, 3") == [
        (1, "r", 1),
        (2, "t", None),
        (2, "r", 2),
    ]
    assert landed.landing.check_state("items").ok
    landed.run("insert into s.items values (3, 'c')")
    landed.sync("items")
    assert (
        landed.here("select id from raw_erp.items order by 1") == [(2,), (3,)]
        and landed.landing.duplicates("items") == 0
    )


def test_a_slot_that_somebody_else_advanced_stops(landed: Source) -> None:
    landed.run("insert into s.items values (2, 'lost if read on')")
    landed.run(f"select pg_replication_slot_advance('{landed.slot}', pg_current_wal_insert_lsn())")
    stops(landed, "beyond the landed position")


def test_another_cluster_or_timeline_stops(landed: Source, monkeypatch) -> None:
    real = slots.identify

    def other(**changed: object):
        return lambda link: slots.Identity(**{**vars(real(link)), **changed})

    monkeypatch.setattr(slots, "identify", other(system_identifier="1"))
    stops(landed, "another cluster")
    monkeypatch.setattr(slots, "identify", other(timeline=2))
    stops(landed, "timeline 2")


def test_a_source_that_stands_before_what_landed_is_an_older_copy_and_stops_before_its_slot_moves(
    landed: Source,
) -> None:
    def flushed() -> list[tuple]:
        return landed.there(f"select confirmed_flush_lsn from pg_replication_slots where slot_name = '{landed.slot}'")

    before, at = flushed(), landed.landing.cursor("*")
    with landed.landing.session() as db:
        later = {**at, "lsn": lsn_text(slots.lsn_of(at["lsn"]) + (1 << 24))}
        db.execute("update _land.cursor set position = ? where stream = '*'", [json.dumps(later)])
    landed.run("insert into s.items values (2, 'after the copy')")
    stops(landed, "older copy of it was put back")
    assert flushed() == before
    landed.sync("items", resnapshot=True)
    assert landed.here("select id from raw_erp.items order by 1") == [(1,), (2,)]


def test_a_publication_that_is_gone_or_lost_an_operation_stops(landed: Source) -> None:
    landed.run("drop publication crossdock")
    with pytest.raises(PermanentError, match=r"create publication \"crossdock\" for table \"s\".\"items\""):
        landed.sync("items")
    landed.run("create publication crossdock for table s.items with (publish = 'insert')")
    with pytest.raises(PermanentError, match="leaves out"):
        landed.sync("items")


def test_a_role_without_rights_and_a_server_that_is_gone_are_different_errors(landed: Source) -> None:
    landed.run("revoke select on s.items from cdc_reader")
    with pytest.raises(PermanentError):
        landed.sync("items", resnapshot=True)
    landed.dsn = landed.dsn.replace("port=", "port=1 application_name=")
    with pytest.raises(TransientError):
        landed.sync("items")


def test_a_slot_held_by_another_reader_is_waited_for_then_named(landed: Source, monkeypatch) -> None:
    from psycopg import pq

    from connectors.postgres.link import ReplicationLink

    monkeypatch.setattr(slots, "BUSY_S", 0.3)
    with ReplicationLink(landed.dsn) as link:
        link.command(
            f"START_REPLICATION SLOT {landed.slot} LOGICAL 0/0 (proto_version '1', publication_names 'crossdock')",
            pq.ExecStatus.COPY_BOTH,
        )
        with pytest.raises(TransientError, match="in use by server process"):
            landed.sync("items")
    landed.sync("items")


def test_while_only_other_tables_are_written_the_slot_and_the_watermark_move(landed: Source) -> None:
    landed.run("create schema elsewhere; create table elsewhere.t (v text)")
    before = landed.sync("items")
    landed.run("insert into elsewhere.t select repeat('x', 100) from generate_series(1, 1000)")
    after = landed.sync("items")
    assert after.complete_up_to > before.complete_up_to and after.rows == 0
    (flushed,) = landed.there(
        f"select confirmed_flush_lsn::text from pg_replication_slots where slot_name = '{landed.slot}'"
    )[0]
    assert flushed == after.position == landed.landing.cursor("*")["lsn"]
    assert slots.lsn_of(after.position) > slots.lsn_of(before.position)
    assert slots.lsn_of(source_position(landed.dsn)) >= slots.lsn_of(after.position)
    batches = landed.here("select count(*) from _land.batch")
    landed.sync("items")
    assert landed.here("select count(*) from _land.batch") == batches, "idle reads must not pile up batches"


def test_the_position_is_the_landed_one_until_a_published_table_changes(landed: Source) -> None:
    landed.run("create schema elsewhere; create table elsewhere.t (v text)")
    at = landed.sync("items").position

    def now() -> str:
        return source_position(landed.dsn, landed.slot, "crossdock", at)

    assert now() == at
    landed.run("insert into elsewhere.t select repeat('x', 100) from generate_series(1, 1000)")
    assert now() == at != source_position(landed.dsn), "other tables are no reason to sync"
    landed.run("begin; insert into s.items values (8, 'x'); rollback")
    assert now() == at
    landed.run("insert into s.items values (9, 'x')")
    assert now() != at
    at = landed.sync("items").position
    assert now() == at
    landed.run("truncate s.items")
    assert now() != at


def test_where_the_slot_cannot_tell_the_position_asks_for_a_sync(landed: Source, monkeypatch) -> None:
    at = landed.sync("items").position
    landed.run("create schema elsewhere; create table elsewhere.t (v text)")
    assert source_position(landed.dsn, landed.slot, "crossdock", at) == at
    with monkeypatch.context() as patch:
        patch.setattr(slots, "HINT_WAL_BYTES", 0)  # too much to look through
        assert source_position(landed.dsn, landed.slot, "crossdock", at) != at
    for statement in (
        f"select pg_replication_slot_advance('{landed.slot}', pg_current_wal_insert_lsn())",
        f"select pg_drop_replication_slot('{landed.slot}')",
    ):
        landed.run("insert into s.items select max(id) + 1, 'x' from s.items")
        landed.run(statement)
        assert source_position(landed.dsn, landed.slot, "crossdock", at) != at


def test_a_slot_that_the_server_invalidated_stops_and_a_new_snapshot_continues(
    landed: Source, server: PostgresServer
) -> None:
    landed.run("create table s.filler (v text)")
    landed.run("insert into s.items values (2, 'lost if read on')")
    try:
        landed.run("alter system set max_slot_wal_keep_size = '1MB'")
        landed.run("select pg_reload_conf()")
        for _ in range(4):  # slots are invalidated at a checkpoint, when whole segments of 16 MB are out of bounds
            landed.run("insert into s.filler select repeat('x', 100) from generate_series(1, 1000)")
            landed.run("select pg_switch_wal()")
            landed.run("checkpoint")
        status = f"select wal_status from pg_replication_slots where slot_name = '{landed.slot}'"
        assert landed.there(status) == [("lost",)]
        stops(landed, "invalidated")
        at = landed.landing.cursor("*")["lsn"]
        assert source_position(landed.dsn, landed.slot, "crossdock", at) != at
        landed.sync("items", resnapshot=True)
    finally:
        landed.run("alter system reset max_slot_wal_keep_size")
        landed.run("select pg_reload_conf()")
    assert landed.here("select id from raw_erp.items order by 1") == [(1,), (2,)]
    assert landed.landing.check_state("items").ok


def test_a_full_sync_of_the_system_takes_a_new_snapshot(landed: Source, tmp_path: Path) -> None:
    read = SimpleNamespace(kind="postgres", dsn=SecretStr(landed.dsn), publication="crossdock", slot=landed.slot)
    system = SimpleNamespace(system="erp", read=read, streams=[Spec("items", "s.items")])
    for full, generation in ((False, 1), (False, 1), (True, 2)):
        sync(system, tmp_path / "home", full=full)  # type: ignore[arg-type]
        with landing_of(tmp_path / "home", "erp").session() as db:
            assert db.execute("select max(_generation), count(*) from raw_erp.items__log").fetchone()[0] == generation
        at = landed_position(tmp_path / "home", "erp")
        assert at == position_of(system, at)  # type: ignore[arg-type]


def test_a_commit_that_failed_to_acknowledge_is_not_landed_twice(landed: Source, monkeypatch) -> None:
    landed.run("insert into s.items select i, 'x' from generate_series(2, 50) i")
    with monkeypatch.context() as patch:
        patch.setattr(slots, "advance", lambda *_: (_ for _ in ()).throw(psycopg.OperationalError("connection lost")))
        with pytest.raises(TransientError):
            landed.sync("items")
    landed.run("update s.items set v = 'y' where id < 10")
    landed.sync("items")
    assert landed.here("select _op, count(*) from raw_erp.items__log group by 1 order by 1") == [
        ("i", 49),
        ("r", 1),
        ("u", 9),
    ]
    assert landed.landing.duplicates("items") == 0


def test_the_reading_role_needs_no_more_than_it_has(landed: Source) -> None:
    rights = landed.there(
        "select rolsuper, rolcreatedb, rolcreaterole, rolbypassrls from pg_roles where rolname = 'cdc_reader'"
    )
    assert rights == [(False, False, False, False)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(landed.dsn) as connection:
        connection.execute("insert into s.items values (99, 'no')")
