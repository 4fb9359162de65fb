"""A warehouse or marts file that is damaged on disk is set aside and made anew; one that is only locked is not."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import duckdb
import pytest
from test_pass import run
from world import World

from connectors.control import Mirror, open_control
from connectors.landing.corruption import damage
from orchestration.derived import Damaged, mended, minded
from orchestration.passes import MENDED_TAG, left_out
from orchestration.publication import current

Break = Callable[[Path], object]


def overwrite(at: int, what: bytes) -> Break:
    def broken(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(at)
            file.write(what)

    return broken


OPENING_SHOWS: dict[str, Break] = {
    "empty": lambda path: os.truncate(path, 0),
    "cut in the header": lambda path: os.truncate(path, 5000),
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "zeroed header": overwrite(0, bytes(12288)),
    "garbage in both database headers": overwrite(4096, b"\xff" * 8192),
    "another file": lambda path: path.write_text("not a database" * 1000),
}


def big(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as db:
        db.execute("create table t as select range i, md5(range::varchar) m from range(200000)")
    return path


def spoil_block(path: Path) -> None:
    """Flips bytes in a block that holds rows of `t`: three headers of 4 KiB stand before blocks of 256 KiB."""
    with duckdb.connect(str(path)) as db:
        found = db.execute("select max(block_id) from pragma_storage_info('t') where column_name = 'm'").fetchone()
    assert found is not None
    overwrite(3 * 4096 + found[0] * 262144 + 5000, os.urandom(64))(path)


def test_a_sound_a_missing_and_a_locked_file_are_not_damaged(tmp_path: Path) -> None:
    path = big(tmp_path / "one.duckdb")
    assert damage(path, deep=True) is None
    assert damage(tmp_path / "none.duckdb") is None
    with duckdb.connect(str(path)):
        assert damage(path) is None


@pytest.mark.parametrize("how", OPENING_SHOWS)
def test_damage_shows_when_the_file_is_opened(tmp_path: Path, how: str) -> None:
    path = big(tmp_path / "one.duckdb")
    OPENING_SHOWS[how](path)
    assert damage(path)


def test_damage_in_a_block_shows_to_the_deep_look(tmp_path: Path) -> None:
    path = big(tmp_path / "one.duckdb")
    spoil_block(path)
    assert damage(path) is None
    assert "checksum" in str(damage(path, deep=True))


@pytest.mark.parametrize("broken", ["warehouse", "marts"])
def test_the_pass_that_finds_a_damaged_file_makes_it_anew_and_says_so(
    world: World, instance: dg.DagsterInstance, broken: str
) -> None:
    run(world, instance)
    path: Path = getattr(world.settings, broken)
    OPENING_SHOWS["zeroed header"](path)
    result = run(world, instance)
    assert result.success
    assert current(world.settings.published).version == 2  # type: ignore[union-attr]
    assert damage(world.settings.warehouse, deep=True) is damage(world.settings.marts, deep=True) is None
    assert len(list(path.parent.glob(f"{path.name}.corrupt-*"))) == 1
    ran = instance.get_run_by_id(result.run_id)
    assert ran is not None and path.name in ran.tags[MENDED_TAG]
    assert run(world, instance).success
    assert current(world.settings.published).version == 2  # type: ignore[union-attr]


def test_damage_met_while_loading_is_mended_in_the_same_pass(world: World, instance: dg.DagsterInstance) -> None:
    run(world, instance)
    big(world.settings.warehouse)
    spoil_block(world.settings.warehouse)
    load, world.position = world.load, "2"

    def reading(systems: object) -> object:
        with duckdb.connect(str(world.settings.warehouse)) as db:
            if db.execute("select 1 from duckdb_tables() where table_name = 't'").fetchone():
                db.execute("select max(i), max(m) from t").fetchall()
        return load(systems)  # type: ignore[arg-type]

    world.load = reading  # type: ignore[method-assign, assignment]
    result = run(world, instance)
    assert result.success
    assert list(world.settings.home.glob("warehouse.duckdb.corrupt-*"))
    assert current(world.settings.published).version == 2  # type: ignore[union-attr]


def test_what_a_damaged_landing_file_says_is_as_old_as_what_was_loaded_of_it(
    world: World, instance: dg.DagsterInstance
) -> None:
    def lands_up_to(hour: int) -> None:
        until = datetime(2024, 3, 4, hour)
        control = open_control(world.settings.control)
        Mirror(control).record_run("erp", position="1", complete_up_to_utc=until, stream_rows={}, dead=[])
        control.close()

    lands_up_to(1)
    run(world, instance)
    lands_up_to(2)
    load, world.position = world.load, "2"
    why = "landing/erp.duckdb is damaged: 'put a copy back'"
    world.load = lambda systems: SimpleNamespace(**vars(load(systems)), left_out={"erp": why})  # type: ignore[method-assign]
    result = run(world, instance)
    assert result.success
    snapshot = current(world.settings.published)
    assert snapshot is not None and snapshot.version == 2
    assert snapshot.note["complete_up_to"] == {"erp": "2024-03-04T01:00:00Z"}
    ran = instance.get_run_by_id(result.run_id)
    assert ran is not None and left_out(ran.tags) == {"erp": why}

    world.load, world.position = load, "3"  # type: ignore[method-assign]
    run(world, instance)
    snapshot = current(world.settings.published)
    assert snapshot is not None and snapshot.note["complete_up_to"] == {"erp": "2024-03-04T02:00:00Z"}


def test_an_error_of_another_kind_leaves_the_files_alone(world: World) -> None:
    path = big(world.settings.warehouse)
    with pytest.raises(OSError, match="No space"), minded(world.settings):
        raise OSError("No space left on device; Corrupt database file")
    with pytest.raises(ValueError, match="Corrupt"), minded(world.settings):
        raise ValueError("Corrupt database file: a landing file, ours are sound")
    assert path.exists() and not mended(world.settings)


def test_only_the_last_damaged_file_is_kept(world: World) -> None:
    for _ in range(2):
        OPENING_SHOWS["empty"](big(world.settings.warehouse))
        with pytest.raises(Damaged), minded(world.settings):
            raise duckdb.IOException("Corrupt database file")
    assert len(list(world.settings.home.glob("warehouse.duckdb.corrupt-*"))) == 1


def test_damage_in_the_write_ahead_log_of_a_killed_process_shows(tmp_path: Path) -> None:
    path = tmp_path / "one.duckdb"
    script = (
        f"import duckdb, os; c = duckdb.connect({str(path)!r}); c.execute('create table t (i integer)');"
        "c.execute('checkpoint'); c.execute('insert into t select range from range(3000)'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    log = path.with_name("one.duckdb.wal")
    assert damage(path) is None
    overwrite(log.stat().st_size // 2, os.urandom(64))(log)
    assert "WAL" in str(damage(path))
