"""Landed state equals the source through every change of a table; what cannot be followed stands still by name while
the others go on, and comes back with its history kept.
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from connectors.model import TransientError
from connectors.postgres import snapshot
from connectors.postgres.catch_up import SyncCounts
from connectors.postgres.reader import sync_postgres
from connectors.sync import examined

from .conftest import Source


@dataclass(frozen=True)
class Spec:
    name: str
    table: str
    key: tuple[str, ...] = ()
    contract: str = "evolve"


def sync(source: Source, *streams: Spec | str, snapshot_of: tuple[str, ...] = ()) -> SyncCounts:
    return sync_postgres(
        "erp",
        source.landing,
        dsn=source.dsn,
        publication="crossdock",
        slot=source.slot,
        streams=[s if isinstance(s, Spec) else Spec(s, f"s.{s}") for s in streams],
        snapshot_of=snapshot_of,
    )


def equal(source: Source, stream: str, *columns: str) -> None:
    names = ", ".join(columns)
    here = source.here(f"select {', '.join(f'{c}::varchar' for c in columns)} from raw_erp.{stream} order by {names}")
    there = source.there(f"select {', '.join(f'{c}::text' for c in columns)} from s.{stream} order by {names}")
    assert sorted(here, key=str) == sorted(there, key=str)
    assert source.landing.check_state(stream).ok and source.landing.duplicates(stream) == 0


@pytest.fixture
def two(source: Source) -> Source:
    source.run(
        "create table s.items (id int primary key, name text, made date);"
        "create table s.other (id int primary key, n int);"
        "insert into s.items select i, 'n' || i, date '2024-01-01' + i from generate_series(1, 5) i;"
        "insert into s.other values (1, 1)"
    )
    sync(source, "items", "other")
    return source


@pytest.mark.verify
@pytest.mark.parametrize("touched", [False, True], ids=["at rest", "with changes"])
@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("alter table s.items add column extra int default 7", "id name made extra"),
        ("alter table s.items add column extra double precision default random()", "id extra"),
        ("alter table s.items add column extra int; alter table s.items alter extra set default 3", "id extra"),
        ("alter table s.items rename name to title", "id title made"),
        ("alter table s.items drop column name", "id made"),
        ("alter table s.items drop column name; alter table s.items add column name text default 'again'", "id name"),
        ("alter table s.items alter made type timestamp", "id name made"),
        ("alter table s.items alter name type int using substr(name, 2)::int", "id name"),
        ("alter table s.items alter id type numeric; alter table s.items alter id type bigint", "id name made"),
        ("alter table s.items alter made type text; "
         "alter table s.items alter made type date using '2020-02-02'", "made"),
        ("alter publication crossdock drop tables in schema s; update s.items set name = 'lost'; "
         "alter publication crossdock add tables in schema s", "id name"),
        ("create table s.next (like s.items including all); insert into s.next values (9, 'x', null); "
         "drop table s.items; alter table s.next rename to items; grant select on s.items to cdc_reader",
         "id name made"),
        ("alter table s.items drop constraint items_pkey, add primary key (id, made)", "id name made"),
    ],
)  # fmt: skip
def test_after_any_change_of_a_table_every_column_equals_the_source(
    two: Source, statement: str, columns: str, touched: bool
) -> None:
    if touched:
        two.run("update s.items set made = made + 1 where id = 2; update s.other set n = 2")
    two.run(statement)
    if touched:
        two.run("delete from s.items where id = 3; update s.items set id = 40 where id = 4; update s.other set n = 3")
    counts = sync(two, "items", "other")
    assert not counts.stopped and counts.complete_up_to is not None
    equal(two, "items", *columns.split())
    equal(two, "other", "id", "n")
    two.run("update s.items set id = 50 where id = 5")
    assert sync(two, "items", "other").rows <= 2, "a table is read again once"
    equal(two, "items", *columns.split())


def test_a_nullable_column_costs_no_reading_of_the_table(two: Source) -> None:
    two.run("alter table s.items add column extra int; insert into s.items values (6, 'x', null, 6)")
    assert sync(two, "items", "other").rows == 1
    equal(two, "items", "id", "name", "made", "extra")


def test_what_is_truncated_vacuumed_or_given_a_default_is_not_read_again(two: Source) -> None:
    two.run("vacuum full s.items")
    two.run("alter table s.other alter n set default 4")
    assert sync(two, "items", "other").rows == 0
    two.run("truncate s.items; insert into s.items values (7, 'x', null)")
    assert sync(two, "items", "other").rows == 2
    equal(two, "items", "id", "name", "made")


def test_the_log_keeps_what_a_column_held_before_it_was_retyped(two: Source) -> None:
    two.run("alter table s.items alter made type timestamp using made + time '12:00'")
    sync(two, "items", "other")
    log = "select count(made__until_v2), count(made) from raw_erp.items__log where _op = 'r'"
    assert two.here(log) == [(5, 5)]


def test_a_stream_added_later_is_read_beside_the_others_and_their_changes_go_on(two: Source) -> None:
    two.run("create table s.late (id int primary key, v text); insert into s.late values (1, 'a'), (2, 'b')")
    two.run("update s.other set n = 5")
    counts = sync(two, "items", "other", "late")
    assert counts.per_stream == {"other": 1, "late": 2}
    two.run("update s.late set v = 'c' where id = 1; delete from s.late where id = 2")
    sync(two, "items", "other", "late")
    equal(two, "late", "id", "v")
    assert two.here("select max(_generation) from raw_erp.other__log") == [(1,)], "nothing else was read again"


def test_a_label_of_an_enum_renamed_reads_the_table_again_and_one_added_does_not(source: Source) -> None:
    source.run(
        "create type s.mood as enum ('sad', 'fine'); create table s.items (id int primary key, m s.mood[]);"
        "insert into s.items values (1, '{sad}'), (2, '{fine}')"
    )
    sync(source, "items")
    source.run("alter type s.mood add value 'great'")
    assert sync(source, "items").rows == 0
    source.run("alter type s.mood rename value 'sad' to 'low'")
    sync(source, "items")
    equal(source, "items", "id", "m")


def test_a_frozen_stream_stands_still_by_name_until_its_columns_are_accepted(two: Source) -> None:
    frozen = Spec("items", "s.items", contract="freeze")
    two.run("update s.items set name = 'before' where id = 1")
    two.run("alter table s.items add column extra int default 1")
    two.run("update s.items set name = 'after' where id = 1; update s.other set n = 9")
    before = two.here("select max(source_time_utc) from _land.batch")[0][0]
    for _ in range(2):
        counts = sync(two, frozen, "other")
        assert "extra (integer) came" in counts.stopped["items"]
        assert "crossdock run --snapshot erp.items" in counts.stopped["items"]
        assert counts.complete_up_to == before, "what stands still is complete up to where it stood"
        assert two.here("select name from raw_erp.items where id = 1") == [("before",)]
        equal(two, "other", "id", "n")
    counts = sync(two, frozen, "other", snapshot_of=("items",))
    assert not counts.stopped and counts.complete_up_to > before
    equal(two, "items", "id", "name", "made", "extra")


def test_a_frozen_stream_goes_on_by_itself_when_its_columns_are_as_before(two: Source) -> None:
    frozen = Spec("items", "s.items", contract="freeze")
    two.run("alter table s.items alter made type text")
    assert sync(two, frozen, "other").stopped.keys() == {"items"}
    two.run("update s.items set made = '2001-01-01' where id = 1")
    two.run("alter table s.items alter made type date using made::date")
    assert not sync(two, frozen, "other").stopped
    equal(two, "items", "id", "name", "made")


def test_rows_under_other_columns_are_dead_letters_by_contract_and_end_when_it_is_accepted(two: Source) -> None:
    strict = Spec("items", "s.items", contract="dead_letter")
    two.run("alter table s.items add column extra int default 1")
    two.run("update s.items set name = 'x' where id in (1, 2); delete from s.items where id = 3; truncate s.other")
    counts = sync(two, strict, "other")
    assert counts.dead == 2 and not counts.stopped
    assert two.here("select id, name from raw_erp.items order by id") == [(1, "n1"), (2, "n2"), (4, "n4"), (5, "n5")]
    reason = two.here("select distinct reason from _land.dead_letter where state = 'open'")[0][0]
    assert "extra" in reason and "contract" in reason
    sync(two, strict, "other", snapshot_of=("items",))
    assert two.here("select count(*) from _land.dead_letter where state = 'open'") == [(0,)]
    equal(two, "items", "id", "name", "made", "extra")
    two.run("update s.items set extra = 2")
    assert sync(two, strict, "other").dead == 0, "what was accepted is the contract now"
    equal(two, "items", "id", "name", "made", "extra")


def test_a_snapshot_takes_the_rows_that_the_publication_lets_through(source: Source) -> None:
    source.run(
        "drop publication crossdock; create table s.items (id int primary key, n int); "
        "alter table s.items replica identity full; insert into s.items values (1, 1), (2, -1);"
        "create publication crossdock for table s.items where (n > 0)"
    )
    sync(source, "items")
    assert source.here("select id from raw_erp.items") == [(1,)]
    source.run("update s.items set n = -n")
    sync(source, "items")
    assert source.here("select id from raw_erp.items") == [(2,)]
    source.run("alter publication crossdock set table s.items where (n > -5)")
    sync(source, "items")
    assert source.here("select id from raw_erp.items order by 1") == [(1,), (2,)]


def test_a_table_with_descendants_lands_without_their_rows(source: Source) -> None:
    source.run(
        "create table s.items (id int primary key); create table s.child () inherits (s.items);"
        "insert into s.items values (1); insert into s.child values (2)"
    )
    sync(source, "items")
    source.run("insert into s.items values (3); insert into s.child values (4)")
    sync(source, "items")
    assert source.here("select id from raw_erp.items order by 1") == [(1,), (3,)]


def test_a_declared_key_of_several_rows_stands_still_at_the_snapshot_or_when_they_come(two: Source) -> None:
    two.run("create table s.keyless (a int, b int); alter table s.keyless replica identity full")
    two.run("insert into s.keyless values (1, 1), (1, 2)")
    keyless = Spec("keyless", "s.keyless", ("a",))
    said = sync(two, "items", "other", keyless).stopped["keyless"]
    assert "several rows with one a (1)" in said and "--snapshot erp.keyless" in said
    two.run("delete from s.keyless where b = 2; update s.other set n = 7")
    assert sync(two, "items", "other", keyless).stopped.keys() == {"keyless"}, "a copy each pass would cost too much"
    assert not sync(two, "items", "other", keyless, snapshot_of=("keyless",)).stopped
    two.run("update s.keyless set b = 3; delete from s.keyless; insert into s.keyless values (1, 4)")
    assert not sync(two, "items", "other", keyless).stopped
    equal(two, "keyless", "a", "b")
    two.run("insert into s.keyless values (1, 5); delete from s.keyless where b = 4; update s.other set n = 8")
    assert sync(two, "items", "other", keyless).stopped.keys() == {"keyless"}
    equal(two, "other", "id", "n")
    whole = Spec("keyless", "s.keyless", ("a", "b"))
    assert not sync(two, "items", "other", whole).stopped, "another key is read again by itself"
    equal(two, "keyless", "a", "b")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("create table s.odd (v int)", "alter table \"s\".\"odd\" replica identity full"),
        ("create view s.odd as select o.id from s.other o join s.items using (id)", "made of s.items, s.other"),
        ("create materialized view s.odd as select id from s.other", "a materialized view"),
        ("create table s.odd (id int primary key) partition by range (id); "
         "create table s.odd_1 partition of s.odd for values from (0) to (9)", "publish_via_partition_root = true"),
        ("select 1", "no table s.odd"),
        ("create table s.odd (id int primary key, v int); alter table s.odd replica identity nothing", "lacks id"),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_named_with_what_to_do_and_the_others_go_on(
    two: Source, made: str, words: str
) -> None:
    two.run(made)
    two.run("insert into s.other values (2, 2)")
    assert words in sync(two, "items", "other", "odd").stopped["odd"]
    equal(two, "other", "id", "n")


def test_a_partitioned_table_lands_by_its_root_also_when_a_partition_comes_with_its_rows(source: Source) -> None:
    source.run(
        "alter publication crossdock set (publish_via_partition_root = true);"
        "create table s.parts (id int primary key, v text) partition by range (id); "
        "create table s.parts_1 partition of s.parts for values from (0) to (10); insert into s.parts values (1, 'a')"
    )
    sync(source, "parts")
    source.run(
        "create table s.parts_2 (id int primary key, v text); insert into s.parts_2 values (11, 'b');"
        "alter table s.parts attach partition s.parts_2 for values from (10) to (20); "
        "update s.parts set v = 'c' where id = 1"
    )
    sync(source, "parts")
    equal(source, "parts", "id", "v")
    source.run("alter table s.parts detach partition s.parts_1")
    sync(source, "parts")
    equal(source, "parts", "id", "v")


def test_a_table_that_leaves_the_publication_stands_still_and_comes_back_by_itself(two: Source) -> None:
    two.run("drop publication crossdock; create publication crossdock for table s.other")
    two.run("insert into s.items values (6, 'unseen', null); update s.other set n = 4")
    assert 'add table "s"."items"' in sync(two, "items", "other").stopped["items"]
    two.run("alter publication crossdock add table s.items")
    assert not sync(two, "items", "other").stopped
    equal(two, "items", "id", "name", "made")
    equal(two, "other", "id", "n")


def test_a_dead_letter_ends_when_its_row_is_mended_or_gone_and_not_before(source: Source) -> None:
    source.run("create table s.items (id int primary key, at timestamptz)")
    source.run("insert into s.items values (1, 'infinity'), (2, 'infinity'), (3, 'infinity')")
    source.sync("items")
    still = "select key from _land.dead_letter where state = 'open' order by 1"
    assert source.here(still) == [("1",), ("2",), ("3",)]
    source.run("update s.items set at = '2024-01-01' where id = 1; delete from s.items where id = 2")
    source.run("insert into s.items values (4, 'infinity'); update s.items set at = '2024-01-01' where id = 4")
    source.sync("items")
    assert source.here(still) == [("3",)]
    source.run("update s.items set at = '2024-01-01' where id = 3; update s.items set at = '-infinity' where id = 3")
    source.sync("items")
    reasons = source.here("select reason from _land.dead_letter where state = 'open'")
    assert len(reasons) == 1 and "-infinity" in reasons[0][0]
    source.run("truncate s.items")
    source.sync("items")
    assert source.here(still) == []


def test_examining_a_source_names_what_cannot_be_followed_and_what_the_source_itself_refuses(two: Source) -> None:
    two.run("create table s.bare (v int); create view s.seen as select 1 as id")
    streams = [Spec(name, f"s.{name}") for name in ("items", "seen")]
    read = SimpleNamespace(kind="postgres", dsn=SecretStr(two.dsn), publication="crossdock")
    found = examined(SimpleNamespace(system="erp", read=read, streams=streams))  # type: ignore[arg-type]
    assert len(found) == 2 and "s.seen is a view" in found[0]
    assert "s.bare: published without a replica identity" in found[1]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        two.run("insert into s.bare values (1); update s.bare set v = 2")


def test_a_stream_that_was_left_out_for_a_while_is_read_again_when_it_comes_back(two: Source) -> None:
    two.run("update s.items set name = 'before'")
    sync(two, "other")
    two.run("insert into s.items values (6, 'meanwhile', null); update s.other set n = 2")
    sync(two, "other")
    assert not sync(two, "items", "other").stopped
    equal(two, "items", "id", "name", "made")


def test_what_commits_between_the_last_batch_and_a_stream_s_snapshot_lands_once(
    two: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.run("create table s.late (id int primary key, v text); insert into s.late values (1, 'a'), (2, 'b')")
    real = snapshot.take_beside

    def later(*arguments: Any, **more: Any) -> Any:
        two.run("insert into s.late values (3, 'c'); update s.late set v = 'd' where id = 3; update s.other set n = 6")
        return real(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "take_beside", later)
        sync(two, "items", "other", "late")
    two.run("update s.late set v = 'e' where id = 2")
    sync(two, "items", "other", "late")
    equal(two, "late", "id", "v")
    equal(two, "other", "id", "n")
    assert two.here("select _op, v from raw_erp.late__log where id = 3") == [("r", "d")]


def test_a_table_changed_while_it_is_read_is_tried_again_and_lands(
    two: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = snapshot._seen

    def changed(*arguments: Any) -> Any:
        found = real(*arguments)
        two.run("alter table s.items drop column name")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "_seen", changed)
        with pytest.raises(TransientError, match="its table changed meanwhile"):
            sync(two, "items", "other", snapshot_of=("items",))
    two.run("update s.other set n = 3")
    assert not sync(two, "items", "other").stopped
    equal(two, "items", "id", "made")
    equal(two, "other", "id", "n")


def test_what_is_read_again_is_known_since_then_also_while_another_stream_stands_still(two: Source) -> None:
    two.run("create view s.seen as select 1 as id")
    before = sync(two, "items", "other", "seen").complete_up_to
    counts = sync(two, "items", "other", "seen", snapshot_of=("items",))
    assert counts.complete_up_to == before
    ((known_from,),) = two.here("select distinct _commit_ts from raw_erp.items")
    assert known_from > before


def test_a_stream_that_left_and_cannot_come_back_counts_as_complete_up_to_when_it_left(two: Source) -> None:
    left = two.here("select max(source_time_utc) from _land.batch")[0][0]
    sync(two, "other")
    two.run("drop table s.items")
    sync(two, "other")
    assert left < two.here("select max(source_time_utc) from _land.batch")[0][0]
    assert sync(two, "items", "other").complete_up_to == left
