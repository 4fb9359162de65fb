"""What cannot be followed stands still by name while the others go on, and comes back with its history kept."""

from types import SimpleNamespace

import psycopg
import pytest
from pydantic import SecretStr

from connectors.sync import examined

from .conftest import Source, Spec


def test_a_frozen_stream_stands_still_by_name_until_its_columns_are_accepted(two: Source) -> None:
    frozen = Spec("items", "s.items", contract="freeze")
    two.run("update s.items set name = 'before' where id = 1")
    two.run("alter table s.items add column extra int default 1")
    two.run("update s.items set name = 'after' where id = 1; update s.other set n = 9")
    before = two.here("select max(source_time_utc) from _land.batch")[0][0]
    for _ in range(2):
        counts = two.sync(frozen, "other")
        assert "extra (integer) came" in counts.stopped["items"]
        assert "crossdock run --snapshot erp.items" in counts.stopped["items"]
        assert counts.complete_up_to == before, "what stands still is complete up to where it stood"
        assert two.here("select name from raw_erp.items where id = 1") == [("before",)]
        two.assert_equal("other", "id", "n")
    counts = two.sync(frozen, "other", snapshot_of=("items",))
    assert not counts.stopped and counts.complete_up_to > before
    two.assert_equal("items", "id", "name", "made", "extra")


def test_a_frozen_stream_goes_on_by_itself_when_its_columns_are_as_before(two: Source) -> None:
    frozen = Spec("items", "s.items", contract="freeze")
    two.run("alter table s.items alter made type text")
    assert two.sync(frozen, "other").stopped.keys() == {"items"}
    two.run("update s.items set made = '2001-01-01' where id = 1")
    two.run("alter table s.items alter made type date using made::date")
    assert not two.sync(frozen, "other").stopped
    two.assert_equal("items", "id", "name", "made")


def test_rows_under_other_columns_are_dead_letters_by_contract_and_end_when_it_is_accepted(two: Source) -> None:
    strict = Spec("items", "s.items", contract="dead_letter")
    two.run("alter table s.items add column extra int default 1")
    two.run("update s.items set name = 'x' where id in (1, 2); delete from s.items where id = 3; truncate s.other")
    counts = two.sync(strict, "other")
    assert counts.dead == 2 and not counts.stopped
    assert two.here("select id, name from raw_erp.items order by id") == [(1, "n1"), (2, "n2"), (4, "n4"), (5, "n5")]
    reason = two.here("select distinct reason from _land.dead_letter where state = 'open'")[0][0]
    assert "extra" in reason and "contract" in reason
    two.sync(strict, "other", snapshot_of=("items",))
    assert two.here("select count(*) from _land.dead_letter where state = 'open'") == [(0,)]
    two.assert_equal("items", "id", "name", "made", "extra")
    two.run("update s.items set extra = 2")
    assert two.sync(strict, "other").dead == 0, "what was accepted is the contract now"
    two.assert_equal("items", "id", "name", "made", "extra")


def test_a_declared_key_of_several_rows_stands_still_at_the_snapshot_or_when_they_come(two: Source) -> None:
    two.run("create table s.keyless (a int, b int); alter table s.keyless replica identity full")
    two.run("insert into s.keyless values (1, 1), (1, 2)")
    keyless = Spec("keyless", "s.keyless", ("a",))
    said = two.sync("items", "other", keyless).stopped["keyless"]
    assert "several rows with one a (1)" in said and "--snapshot erp.keyless" in said
    two.run("delete from s.keyless where b = 2; update s.other set n = 7")
    assert two.sync("items", "other", keyless).stopped.keys() == {"keyless"}, "a copy each pass would cost too much"
    assert not two.sync("items", "other", keyless, snapshot_of=("keyless",)).stopped
    two.run("update s.keyless set b = 3; delete from s.keyless; insert into s.keyless values (1, 4)")
    assert not two.sync("items", "other", keyless).stopped
    two.assert_equal("keyless", "a", "b")
    two.run("insert into s.keyless values (1, 5); delete from s.keyless where b = 4; update s.other set n = 8")
    assert two.sync("items", "other", keyless).stopped.keys() == {"keyless"}
    two.assert_equal("other", "id", "n")
    whole = Spec("keyless", "s.keyless", ("a", "b"))
    assert not two.sync("items", "other", whole).stopped, "another key is read again by itself"
    two.assert_equal("keyless", "a", "b")


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
        ('create table s.odd (id int primary key, "Note" int, note int)', "upper and lower case alone: Note, note"),
        ("create table s.odd (id int primary key, _op text)", "a name that the log needs for itself: _op"),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_named_with_what_to_do_and_the_others_go_on(
    two: Source, made: str, words: str
) -> None:
    two.run(made)
    two.run("insert into s.other values (2, 2)")
    assert words in two.sync("items", "other", "odd").stopped["odd"]
    two.assert_equal("other", "id", "n")


def test_a_table_that_leaves_the_publication_stands_still_and_comes_back_by_itself(two: Source) -> None:
    two.run("drop publication crossdock; create publication crossdock for table s.other")
    two.run("insert into s.items values (6, 'unseen', null); update s.other set n = 4")
    assert 'add table "s"."items"' in two.sync("items", "other").stopped["items"]
    two.run("alter publication crossdock add table s.items")
    assert not two.sync("items", "other").stopped
    two.assert_equal("items", "id", "name", "made")
    two.assert_equal("other", "id", "n")


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
    two.sync("other")
    two.run("insert into s.items values (6, 'meanwhile', null); update s.other set n = 2")
    two.sync("other")
    assert not two.sync("items", "other").stopped
    two.assert_equal("items", "id", "name", "made")


def test_what_is_read_again_is_known_since_then_also_while_another_stream_stands_still(two: Source) -> None:
    two.run("create view s.seen as select 1 as id")
    before = two.sync("items", "other", "seen").complete_up_to
    counts = two.sync("items", "other", "seen", snapshot_of=("items",))
    assert counts.complete_up_to == before
    ((known_from,),) = two.here("select distinct _commit_ts from raw_erp.items")
    assert known_from > before


def test_a_stream_that_left_and_cannot_come_back_counts_as_complete_up_to_when_it_left(two: Source) -> None:
    left = two.here("select max(source_time_utc) from _land.batch")[0][0]
    two.sync("other")
    two.run("drop table s.items")
    two.sync("other")
    assert left < two.here("select max(source_time_utc) from _land.batch")[0][0]
    assert two.sync("items", "other").complete_up_to == left


@pytest.mark.parametrize("key", [("a",), ("a", "b")])
def test_a_null_in_a_declared_key_is_a_value_like_any_other(two: Source, key: tuple[str, ...]) -> None:
    two.run("create table s.keyless (a int, b int, v int); alter table s.keyless replica identity full")
    two.run("insert into s.keyless values (null, 1, 1), (2, null, 1)")
    keyless = Spec("keyless", "s.keyless", key)
    for statement in (
        "select 1",
        "update s.keyless set v = 2",
        "update s.keyless set a = 1, v = 3 where a is null",
        "update s.keyless set a = null where a = 1",
        "delete from s.keyless where a is null",
        "insert into s.keyless values (null, 1, 4)",
    ):
        two.run(statement)
        assert not two.sync("items", "other", keyless).stopped
        two.assert_equal("keyless", "a", "b", "v")
    two.run("insert into s.keyless values (null, 1, 5)")
    assert "several rows with one" in two.sync("items", "other", keyless).stopped["keyless"]
