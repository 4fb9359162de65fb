"""A dbt project of one table, one view over it and a source that a test writes, with the macros of the real one."""

from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.dbt import Dbt

REPO = Path(__file__).resolve().parents[2]
MACROS = REPO / "dbt_project" / "macros"
PROJECT = f"""
name: thing
version: 1.0.0
profile: crossdock
model-paths: [models]
macro-paths: ['{MACROS}/materializations', '{MACROS}/tests']
"""
MODEL = """
version: 2
models:
  - name: can_thing
    config: {materialized: table, unique_key: [thing_key], contract: {enforced: ENFORCED}}
    columns:
      - {name: thing_key, data_type: integer, constraints: [{type: not_null}], data_tests: [unique]}
      - {name: qty, data_type: QTY}
"""


class Project:
    """A project of one table, with a contract or without, and one view over it, on a source that a test writes."""

    def __init__(self, folder: Path, contract: bool = True) -> None:
        self.folder, self.contract = folder, contract
        (folder / "models").mkdir(parents=True)
        (folder / "dbt_project.yml").write_text(PROJECT)
        (folder / "profiles.yml").write_text((REPO / "dbt_project" / "profiles.yml").read_text())
        self.typed("integer")
        (folder / "models" / "stg_thing.sql").write_text("select * from {{ ref('can_thing') }}")
        self.dbt = Dbt(folder, folder / "target", folder / "warehouse.duckdb", folder / "marts" / "crossdock.duckdb")

    def typed(self, kind: str) -> None:
        model = MODEL.replace("QTY", kind).replace("ENFORCED", str(self.contract).lower())
        (self.folder / "models" / "can_thing.yml").write_text(model)
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
