"""How tables and views are written: what differs is written, and what is there afterwards is what the query says."""

import os
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.dbt import Dbt

REPO = Path(__file__).resolve().parents[2]
MACROS = REPO / "dbt_project" / "macros" / "materializations"
MODEL = """
version: 2
models:
  - name: can_thing
    config: {materialized: table, unique_key: [thing_key], contract: {enforced: true}}
    columns:
      - {name: thing_key, data_type: integer, constraints: [{type: not_null}], data_tests: [unique]}
      - {name: qty, data_type: QTY}
"""


class Project:
    """A project of one table and one view over it, on a source that a test writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "models").mkdir(parents=True)
        (folder / "dbt_project.yml").write_text(
            f"name: thing\nversion: 1.0.0\nprofile: crossdock\nmodel-paths: [models]\nmacro-paths: ['{MACROS}']\n"
        )
        (folder / "profiles.yml").write_text((REPO / "dbt_project" / "profiles.yml").read_text())
        self.typed("integer")
        (folder / "models" / "stg_thing.sql").write_text("select * from {{ ref('can_thing') }}")
        self.dbt = Dbt(folder, folder / "target", folder / "warehouse.duckdb", folder / "marts" / "crossdock.duckdb")

    def typed(self, kind: str) -> None:
        (self.folder / "models" / "can_thing.yml").write_text(MODEL.replace("QTY", kind))
        (self.folder / "models" / "can_thing.sql").write_text(
            f"select thing_key, cast(qty as {kind}) as qty from canonical.raw"
        )

    def build(self, *rows: tuple[int | None, int]) -> list[str]:
        """The nodes that did not succeed, after the source says `rows`."""
        with duckdb.connect(str(self.dbt.warehouse)) as connection:
            connection.execute("create schema if not exists canonical; use canonical")
            connection.execute("create or replace table raw (thing_key integer, qty integer)")
            if rows:
                connection.executemany("insert into raw values (?, ?)", rows)
        return [node.unique_id.split(".")[2] for node in self.dbt.build(datetime(2024, 1, 1)).nodes if not node.ok]

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.dbt.warehouse), read_only=True) as connection:
            connection.execute("use canonical")
            return connection.execute(sql).fetchall()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(os, "environ", os.environ.copy())  # dbt in this process is told its files by the environment
    return Project(tmp_path / "project")


def test_a_merged_table_ends_as_the_query_says(project: Project) -> None:
    assert project.build((1, 10), (2, 20), (3, 30)) == []
    assert project.build((1, 10), (2, 21), (4, 40)) == []
    assert project.ask("from stg_thing order by all") == [(1, 10), (2, 21), (4, 40)]
    assert project.build() == []
    assert project.ask("from can_thing") == []


def test_rows_that_do_not_differ_are_not_written_again(project: Project) -> None:
    many = [(key, key) for key in range(50)]
    project.build(*many)
    before = project.ask("select rowid, thing_key from can_thing where thing_key <> 7 order by all")
    project.build(*[(key, 0 if key == 7 else qty) for key, qty in many])
    assert project.ask("select rowid, thing_key from can_thing where thing_key <> 7 order by all") == before
    assert project.ask("select qty from can_thing where thing_key = 7") == [(0,)]


def test_a_key_that_comes_twice_is_seen_and_not_merged_away(project: Project) -> None:
    project.build((1, 10), (2, 20))
    failed = project.build((1, 10), (1, 11), (2, 20))
    assert "unique_can_thing_thing_key" in failed
    assert project.build((1, 10), (2, 20)) == []
    assert project.ask("from can_thing order by all") == [(1, 10), (2, 20)]


def test_a_row_that_breaks_the_contract_leaves_the_table_as_it_was(project: Project) -> None:
    project.build((1, 10))
    assert "can_thing" in project.build((1, 11), (None, 5))
    assert project.ask("from can_thing") == [(1, 10)]


def test_another_contract_replaces_the_table_and_the_view_over_it(project: Project) -> None:
    project.build((1, 10))
    project.typed("varchar")
    assert project.build((1, 10)) == []
    assert project.ask("from stg_thing") == [(1, "10")]


def test_a_model_that_becomes_a_view_takes_the_place_of_its_table(project: Project) -> None:
    project.build((1, 10))
    (project.folder / "models" / "can_thing.yml").write_text("version: 2\nmodels: [{name: can_thing}]\n")
    assert project.build((1, 12)) == []
    assert project.ask("select view_name from duckdb_views() where view_name = 'can_thing'") == [("can_thing",)]
    project.typed("integer")
    assert project.build((1, 13)) == []
    assert project.ask("from stg_thing") == [(1, 13)]
