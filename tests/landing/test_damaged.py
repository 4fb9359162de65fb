"""A damaged landing file is told by name with what is lost and the way out, and left where it is."""

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from connectors import sync
from connectors.control import Mirror, read_control
from connectors.landing import Landing, tables
from connectors.landing.tables import CONTROL
from connectors.load import load
from connectors.mirroring import CONTROL_FILE
from connectors.model import PermanentError, TransientError

SYSTEM = SimpleNamespace(
    system="oms", read=SimpleNamespace(kind="rest"), streams=[SimpleNamespace(name="orders")], role="oms"
)


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    landing = Landing(tmp_path / "landing" / "oms.duckdb", "oms")
    landing.land_documents("orders", [(str(i), str(i) * 50, None) for i in range(20000)], {})
    return landing


def cut(path: Path) -> None:
    os.truncate(path, 5000)


def spoil_blocks(path: Path) -> None:
    """Flips bytes in every block of rows, which opening the file does not show."""
    with duckdb.connect(str(path)) as db:
        found = db.execute(
            "select distinct block_id from pragma_storage_info('raw_oms.orders__log') where block_id >= 0"
        )
        blocks = [block for (block,) in found.fetchall()]
    assert blocks
    with path.open("r+b") as file:
        for block in blocks:
            file.seek(3 * 4096 + block * 262144 + 5000)
            file.write(os.urandom(64))


def test_landing_into_a_damaged_file_says_what_is_lost_and_the_way_out(landing: Landing) -> None:
    cut(landing.path)
    before = landing.path.read_bytes()
    with pytest.raises(PermanentError, match=r"landing/oms\.duckdb is damaged .*only history.*--resnapshot oms"):
        landing.land_documents("orders", [("new", "x", None)], {})
    assert landing.path.read_bytes() == before


@pytest.mark.parametrize("broken", [cut, spoil_blocks])
def test_a_damaged_file_holds_up_its_own_system_alone(
    landing: Landing, tmp_path: Path, broken: Callable[[Path], None]
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    load([SYSTEM], tmp_path, warehouse)
    landing.land_documents("orders", [("later", "x", None)], {})
    others = [SimpleNamespace(**vars(SYSTEM) | {"system": name}) for name in ("carrier", "wms")]
    for other in others:
        Landing(tmp_path / "landing" / f"{other.system}.duckdb", other.system).land_documents(
            "orders", [("new", "x", None)], {}
        )
    sound = landing.path.read_bytes()
    broken(landing.path)
    result = load([SYSTEM, *others], tmp_path, warehouse)
    assert list(result.left_out) == ["oms"] and "landing/oms.duckdb is damaged" in result.left_out["oms"]
    assert result.rows["carrier.orders"] == result.rows["wms.orders"] == 1
    assert counted(warehouse) == 20000

    landing.path.write_bytes(sound)
    assert not load([SYSTEM, *others], tmp_path, warehouse).left_out
    assert counted(warehouse) == 20001


def counted(warehouse: Path) -> int:
    with duckdb.connect(str(warehouse), read_only=True) as db:
        return int(db.execute("select count(*) from raw_oms.orders").fetchall()[0][0])


@pytest.mark.parametrize("broken", [cut, spoil_blocks])
def test_it_stops_the_load_when_the_warehouse_holds_nothing_of_it(landing: Landing, tmp_path: Path, broken) -> None:  # type: ignore[no-untyped-def]
    broken(landing.path)
    with pytest.raises(PermanentError, match=r"landing/oms\.duckdb is damaged"):
        load([SYSTEM], tmp_path, tmp_path / "warehouse.duckdb")
    landing.path.unlink()
    landing.land_documents("orders", [("new", "x", None)], {})
    assert load([SYSTEM], tmp_path, tmp_path / "warehouse.duckdb").rows == {"oms.orders": 1}


def test_of_a_damaged_write_ahead_log_the_log_alone_is_given_up(landing: Landing, tmp_path: Path) -> None:
    log = landing.path.with_name("oms.duckdb.wal")
    warehouse = tmp_path / "warehouse.duckdb"
    script = textwrap.dedent(f"""
        import os
        from connectors.landing import Landing
        die = lambda name: os._exit(9) if name == "committed" else None
        rows = [(f"later {{i}}", "y" * 50, None) for i in range(2000)]
        Landing({str(landing.path)!r}, "oms", on_phase=die).land_documents("orders", rows, {{"at": 1}})
    """)
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 9 and log.stat().st_size > 100_000
    whole = tmp_path / "whole"
    shutil.copytree(landing.path.parent, whole / "landing")  # attaching a file plays its log back into it
    load([SYSTEM], whole, warehouse)
    assert counted(warehouse) == 22000

    with log.open("r+b") as file:
        file.seek(log.stat().st_size // 2)
        file.write(os.urandom(64))
    way_out = r"landing/oms\.duckdb is damaged .*WAL file.*Move landing/oms\.duckdb\.wal away.*--resnapshot oms"
    with pytest.raises(PermanentError, match=way_out):
        landing.land_documents("orders", [("new", "x", None)], {})
    assert list(load([SYSTEM], tmp_path, warehouse).left_out) == ["oms"] and counted(warehouse) == 22000

    log.rename(tmp_path / "moved.wal")
    landing.land_documents("orders", [("new", "x", None)], {})
    assert load([SYSTEM], tmp_path, warehouse).anew == ["oms"]
    assert counted(warehouse) == 20001


@pytest.mark.parametrize("size", [0, 4096, 8192, 12288])
def test_a_file_whose_maker_was_killed_before_it_was_one_holds_nothing_up_and_is_made_anew(
    landing: Landing, tmp_path: Path, size: int
) -> None:
    unborn, warehouse = tmp_path / "landing" / "wms.duckdb", tmp_path / "warehouse.duckdb"
    duckdb.connect(str(unborn)).close()
    assert unborn.stat().st_size == 12288
    os.truncate(unborn, size)
    both = [SYSTEM, SimpleNamespace(**vars(SYSTEM) | {"system": "wms"})]
    result = load(both, tmp_path, warehouse)
    assert result.rows == {"oms.orders": 20000, "wms.orders": 0} and not result.left_out
    Landing(unborn, "wms").land_documents("orders", [("a", "1", None)], {})
    assert load(both, tmp_path, warehouse).rows == {"oms.orders": 0, "wms.orders": 1}


def test_a_file_that_somebody_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "landing" / "oms.duckdb"
    path.parent.mkdir()
    path.touch()
    script = f"""
        import fcntl, time
        with open({str(path)!r}, "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            print("made", flush=True)
            time.sleep(60)
    """
    maker = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE)
    try:
        assert maker.stdout is not None and maker.stdout.readline()
        with pytest.raises(TransientError, match="stayed locked"):
            Landing(path, "oms", 0.2).land_documents("orders", [("a", "1", None)], {})
        assert path.stat().st_size == 0
    finally:
        maker.kill()
        maker.wait()
    Landing(path, "oms").land_documents("orders", [("a", "1", None)], {})


@pytest.mark.parametrize("statement", range(1, 7))
def test_the_control_tables_are_there_whole_or_not_at_all(tmp_path: Path, statement: int) -> None:
    path = tmp_path / "oms.duckdb"
    broken = ";".join([*CONTROL.split(";")[:statement], " select error('killed'); "])
    with pytest.raises(duckdb.Error, match="killed"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "CONTROL", broken)
        Landing(path, "oms").streams()
    with duckdb.connect(str(path)) as db:
        assert db.execute("select 1 from duckdb_schemas() where schema_name = '_land'").fetchall() == []
    Landing(path, "oms").land_documents("orders", [("a", "1", None)], {})


def test_an_error_that_nobody_foresaw_is_told_in_the_mirror_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_system: object) -> None:
        raise duckdb.BinderException("nobody foresaw this")

    monkeypatch.setattr(sync, "reader_of", broken)
    with pytest.raises(duckdb.BinderException):
        sync.sync(SYSTEM, tmp_path)  # type: ignore[arg-type]
    store = read_control(tmp_path / CONTROL_FILE)
    try:
        found = Mirror(store).landed("oms")
    finally:
        store.close()
    assert found is not None and found.last_error is not None
    assert "BinderException" in found.last_error and "nobody foresaw this" in found.last_error
