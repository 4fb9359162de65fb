"""Landed state equals the source through every change of a table, and the other streams go on meanwhile."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from connectors.load import load
from connectors.model import TransientError
from connectors.postgres import snapshot

from .conftest import Source


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
    counts = two.sync("items", "other")
    assert not counts.stopped and counts.complete_up_to is not None
    two.assert_equal("items", *columns.split())
    two.assert_equal("other", "id", "n")
    two.run("update s.items set id = 50 where id = 5")
    assert two.sync("items", "other").rows <= 2, "a table is read again once"
    two.assert_equal("items", *columns.split())


def test_a_nullable_column_costs_no_reading_of_the_table(two: Source) -> None:
    two.run("alter table s.items add column extra int; insert into s.items values (6, 'x', null, 6)")
    assert two.sync("items", "other").rows == 1
    two.assert_equal("items", "id", "name", "made", "extra")


def test_what_is_truncated_vacuumed_or_given_a_default_is_not_read_again(two: Source) -> None:
    two.run("vacuum full s.items")
    two.run("alter table s.other alter n set default 4")
    assert two.sync("items", "other").rows == 0
    two.run("truncate s.items; insert into s.items values (7, 'x', null)")
    assert two.sync("items", "other").rows == 2
    two.assert_equal("items", "id", "name", "made")


def test_the_log_keeps_what_a_column_held_before_it_was_retyped(two: Source) -> None:
    two.run("alter table s.items alter made type timestamp using made + time '12:00'")
    two.sync("items", "other")
    log = "select count(made__until_v2), count(made) from raw_erp.items__log where _op = 'r'"
    assert two.here(log) == [(5, 5)]


def test_a_stream_added_later_is_read_beside_the_others_and_their_changes_go_on(two: Source) -> None:
    two.run("create table s.late (id int primary key, v text); insert into s.late values (1, 'a'), (2, 'b')")
    two.run("update s.other set n = 5")
    counts = two.sync("items", "other", "late")
    assert counts.per_stream == {"other": 1, "late": 2}
    two.run("update s.late set v = 'c' where id = 1; delete from s.late where id = 2")
    two.sync("items", "other", "late")
    two.assert_equal("late", "id", "v")
    assert two.here("select max(_generation) from raw_erp.other__log") == [(1,)], "nothing else was read again"


def test_a_label_of_an_enum_renamed_reads_the_table_again_and_one_added_does_not(source: Source) -> None:
    source.run(
        "create type s.mood as enum ('sad', 'fine'); create table s.items (id int primary key, m s.mood[]);"
        "insert into s.items values (1, '{sad}'), (2, '{fine}')"
    )
    source.sync("items")
    source.run("alter type s.mood add value 'great'")
    assert source.sync("items").rows == 0
    source.run("alter type s.mood rename value 'sad' to 'low'")
    source.sync("items")
    source.assert_equal("items", "id", "m")


def test_a_snapshot_takes_the_rows_that_the_publication_lets_through(source: Source) -> None:
    source.run(
        "drop publication crossdock; create table s.items (id int primary key, n int); "
        "alter table s.items replica identity full; insert into s.items values (1, 1), (2, -1);"
        "create publication crossdock for table s.items where (n > 0)"
    )
    source.sync("items")
    assert source.here("select id from raw_erp.items") == [(1,)]
    source.run("update s.items set n = -n")
    source.sync("items")
    assert source.here("select id from raw_erp.items") == [(2,)]
    source.run("alter publication crossdock set table s.items where (n > -5)")
    source.sync("items")
    assert source.here("select id from raw_erp.items order by 1") == [(1,), (2,)]


def test_a_table_with_descendants_lands_without_their_rows(source: Source) -> None:
    source.run(
        "create table s.items (id int primary key); create table s.child () inherits (s.items);"
        "insert into s.items values (1); insert into s.child values (2)"
    )
    source.sync("items")
    source.run("insert into s.items values (3); insert into s.child values (4)")
    source.sync("items")
    assert source.here("select id from raw_erp.items order by 1") == [(1,), (3,)]


def test_a_partitioned_table_lands_by_its_root_also_when_a_partition_comes_with_its_rows(source: Source) -> None:
    source.run(
        "alter publication crossdock set (publish_via_partition_root = true);"
        "create table s.parts (id int primary key, v text) partition by range (id); "
        "create table s.parts_1 partition of s.parts for values from (0) to (10); insert into s.parts values (1, 'a')"
    )
    source.sync("parts")
    source.run(
        "create table s.parts_2 (id int primary key, v text); insert into s.parts_2 values (11, 'b');"
        "alter table s.parts attach partition s.parts_2 for values from (10) to (20); "
        "update s.parts set v = 'c' where id = 1"
    )
    source.sync("parts")
    source.assert_equal("parts", "id", "v")
    source.run("alter table s.parts detach partition s.parts_1")
    source.sync("parts")
    source.assert_equal("parts", "id", "v")


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
        two.sync("items", "other", "late")
    two.run("update s.late set v = 'e' where id = 2")
    two.sync("items", "other", "late")
    two.assert_equal("late", "id", "v")
    two.assert_equal("other", "id", "n")
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
            two.sync("items", "other", snapshot_of=("items",))
    two.run("update s.other set n = 3")
    assert not two.sync("items", "other").stopped
    two.assert_equal("items", "id", "made")
    two.assert_equal("other", "id", "n")


def at_home(source: Source, home: Path) -> SimpleNamespace:
    """The landing file moves to where a load looks for it; returns the system to load."""
    (home / "landing").mkdir()
    source.landing.path = source.landing.path.rename(home / "landing" / "erp.duckdb")
    return SimpleNamespace(system="erp", read=SimpleNamespace(kind="postgres"), streams=[])


def test_a_table_made_again_empty_is_empty_in_the_warehouse_too(two: Source, tmp_path: Path) -> None:
    system = at_home(two, tmp_path)
    loaded = "select _op, count(*) from raw_erp.items__log group by 1 order by 1"
    two.sync("items", "other")
    load([system], tmp_path, tmp_path / "warehouse.duckdb")
    two.run("drop table s.items; create table s.items (id int primary key, name text, made date)")
    for rows, then in ((0, "insert into s.items values (1, 'x', null)"), (1, "select 1")):
        two.sync("items", "other")
        assert not load([system], tmp_path, tmp_path / "warehouse.duckdb").anew
        with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as db:
            assert db.execute("select count(*) from raw_erp.items").fetchall() == [(rows,)]
            assert db.execute(loaded).fetchall() == two.here(loaded)
        two.run(then)


@pytest.mark.parametrize("stand_in", [False, True])
def test_what_came_while_a_table_had_another_name_lands_and_what_stood_in_for_it_does_not(
    two: Source, stand_in: bool
) -> None:
    two.run("alter table s.items rename to busy; insert into s.busy values (6, 'under another name', null)")
    if stand_in:
        two.run("create table s.items (like s.busy including all); insert into s.items values (7, 'stands in', null)")
        two.run("drop table s.items")
    two.run("alter table s.busy rename to items; update s.items set name = 'back' where id = 1")
    counts = two.sync("items", "other")
    assert (counts.rows, counts.stopped) == (2, {}), "nothing had to be read again"
    two.assert_equal("items", "id", "name", "made")


@pytest.mark.parametrize(
    "statement",
    [
        'alter table s.items rename name to "Name"',
        "alter table s.items drop column name; alter table s.items add column \"Name\" varchar(9) default 'again'",
    ],
)
def test_a_name_that_changes_in_upper_and_lower_case_alone_is_followed_into_the_warehouse(
    two: Source, tmp_path: Path, statement: str
) -> None:
    system = at_home(two, tmp_path)
    two.sync("items", "other")
    load([system], tmp_path, tmp_path / "warehouse.duckdb")
    two.run(
        f"update s.items set name = 'before' where id = 1; {statement}; update s.items set \"Name\" = 'x' where id = 2"
    )
    assert not two.sync("items", "other").stopped
    two.assert_equal("items", "id", '"Name"', "made")
    load([system], tmp_path, tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as db:
        names = 'select id, "Name", _op from raw_erp.items__log order by all'
        assert db.execute(names).fetchall() == two.here(names)
        assert [column[0] for column in db.execute("describe raw_erp.items").fetchall()][:2] == ["id", "Name"]
