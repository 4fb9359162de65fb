"""A landing file put back from an older copy: refused with the command that goes on, which keeps history and loses
nothing."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from connectors.landing import Landing
from connectors.load import load
from connectors.postgres.slot import PositionLost
from connectors.sync import sync
from orchestration.cli.resnapshot import resnapshot
from orchestration.settings import Settings

from .conftest import Source, Spec


@pytest.fixture
def erp(source: Source) -> Any:
    source.run("create table s.items (id int primary key, v text); insert into s.items values (1, 'a')")
    read = SimpleNamespace(kind="postgres", dsn=SecretStr(source.dsn), publication="crossdock", slot=source.slot)
    return SimpleNamespace(system="erp", role="erp", read=read, streams=[Spec("items", "s.items")])


def loaded(home: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as db:
        return db.execute(query).fetchall()


def test_an_older_copy_goes_on_by_a_new_snapshot_and_everything_reaches_the_warehouse(
    source: Source, erp: Any, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    settings, path = Settings(home=home, systems=home, lock_wait_s=5), home / "landing" / "erp.duckdb"
    sync(erp, home)
    shutil.copy(path, tmp_path / "backup.duckdb")
    for i in range(2, 6):  # the warehouse counts more batches than the copy has, also after the snapshot
        source.run(f"insert into s.items values ({i}, 'b')")
        sync(erp, home)
    load([erp], home, home / "warehouse.duckdb")
    shutil.copy(tmp_path / "backup.duckdb", path)
    source.run("delete from s.items where id = 1")
    with pytest.raises(PositionLost, match="crossdock run --resnapshot"):
        sync(erp, home)
    resnapshot(settings, [erp])
    load([erp], home, home / "warehouse.duckdb")
    assert loaded(home, "select id from raw_erp.items order by 1") == [(2,), (3,), (4,), (5,)]
    generations = "select _generation, count(*) from raw_erp.items__log where _op = 'r' group by 1 order by 1"
    assert loaded(home, generations) == [(1, 1), (2, 4)]
    source.run("insert into s.items values (6, 'c')")
    sync(erp, home)
    load([erp], home, home / "warehouse.duckdb")
    assert loaded(home, "select max(id) from raw_erp.items") == [(6,)]
    assert Landing(path, "erp").check_state("items").ok
