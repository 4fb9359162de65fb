"""How tables and views are written: what differs is written, and what is there afterwards is what the query says."""

from tiny_project import Project


def test_a_merged_table_ends_as_the_query_says(merged: Project) -> None:
    assert merged.build((1, 10), (2, 20), (3, 30)) == []
    assert merged.build((1, 10), (2, 21), (4, 40)) == []
    assert merged.ask("from stg_thing order by all") == [(1, 10), (2, 21), (4, 40)]
    assert merged.build() == []
    assert merged.ask("from can_thing") == []


def test_rows_that_do_not_differ_are_not_written_again(merged: Project) -> None:
    merged.build(*[(key, key) for key in range(50)])
    places = merged.ask("select rowid, thing_key from can_thing where thing_key > 7 order by all")
    merged.build(*[(key, key) for key in range(50) if key != 3])  # in a table built anew every row moves up
    assert merged.ask("select rowid, thing_key from can_thing where thing_key > 7 order by all") == places


def test_a_view_is_written_only_when_its_text_is_another(project: Project) -> None:
    project.build((1, 10))
    (before,) = project.ask("select view_oid from duckdb_views() where view_name = 'stg_thing'")
    project.build((1, 11))
    assert project.ask("select view_oid from duckdb_views() where view_name = 'stg_thing'") == [before]
    (project.folder / "models" / "stg_thing.sql").write_text("select qty from {{ ref('can_thing') }}")
    project.build((1, 11))
    assert project.ask("from stg_thing") == [(11,)]


def test_a_key_that_comes_twice_is_seen_and_not_merged_away(merged: Project) -> None:
    merged.build((1, 10), (2, 20))
    failed = merged.build((1, 10), (1, 11), (2, 20))
    assert "unique_can_thing_thing_key" in failed
    assert merged.build((1, 10), (2, 20)) == []
    assert merged.ask("from can_thing order by all") == [(1, 10), (2, 20)]


def test_a_key_that_comes_twice_in_two_passes_is_not_merged_onto_itself(merged: Project) -> None:
    merged.build((1, 10), (1, 11))
    assert "unique_can_thing_thing_key" in merged.build((1, 11), (1, 12))
    if not merged.contract:  # what follows such a table is built on it; with a contract, nothing is
        assert merged.ask("from can_thing order by all") == [(1, 11), (1, 12)]
    assert merged.build((1, 12)) == []
    assert merged.ask("from can_thing") == [(1, 12)]


def test_a_row_that_breaks_the_contract_leaves_the_table_as_it_was(project: Project) -> None:
    project.build((1, 10))
    assert "can_thing" in project.build((1, 11), (None, 5))
    assert project.ask("from can_thing") == [(1, 10)]


def test_another_type_replaces_the_table_and_the_view_over_it(merged: Project) -> None:
    merged.build((1, 10))
    merged.typed("varchar")
    assert merged.build((1, 10)) == []
    assert merged.ask("from stg_thing") == [(1, "10")]


def test_a_model_that_becomes_a_view_takes_the_place_of_its_table(project: Project) -> None:
    project.build((1, 10))
    (project.folder / "models" / "can_thing.yml").write_text("version: 2\nmodels: [{name: can_thing}]\n")
    assert project.build((1, 12)) == []
    assert project.ask("select view_name from duckdb_views() where view_name = 'can_thing'") == [("can_thing",)]
    project.typed("integer")
    assert project.build((1, 13)) == []
    assert project.ask("from stg_thing") == [(1, 13)]
