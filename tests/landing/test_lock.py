"""A locked file is waited for, bounded; the error names who holds it. Both directions, in one process and in two."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from connectors.landing import Landing
from connectors.load import load
from connectors.model import TransientError

OMS = SimpleNamespace(system="oms", read=SimpleNamespace(kind="rest"), streams=[SimpleNamespace(name="orders")])


@contextmanager
def other_process(path: Path, read_only: bool) -> Iterator[subprocess.Popen]:
    """A process that has the file open until the block ends."""
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(path)!r}, read_only={read_only}); "
        f"print('open', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout and process.stdout.readline() == "open\n"
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(10)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    Landing(tmp_path / "landing" / "oms.duckdb", "oms").land_documents("orders", [("a", "1", None)], {"at": 1})
    return tmp_path


@pytest.mark.parametrize("read_only", [True, False])
def test_landing_waits_for_another_process_and_then_names_it(home: Path, read_only: bool) -> None:
    path = home / "landing" / "oms.duckdb"
    with other_process(path, read_only) as process:
        with pytest.raises(TransientError, match=f"PID {process.pid}"):
            Landing(path, "oms", lock_timeout_s=0.3).land_documents("orders", [("b", "1", None)], {"at": 2})
        threading.Timer(0.5, process.stdin.close).start()  # type: ignore[union-attr]
        Landing(path, "oms", lock_timeout_s=10).land_documents("orders", [("b", "1", None)], {"at": 2})


def test_load_waits_for_a_landing_process_and_then_names_it(home: Path) -> None:
    with other_process(home / "landing" / "oms.duckdb", read_only=False) as process:
        with pytest.raises(TransientError, match=f"PID {process.pid}"):
            load([OMS], home, home / "warehouse.duckdb", lock_timeout_s=0.3)
    assert load([OMS], home, home / "warehouse.duckdb").rows == {"oms.orders": 1}


def test_load_and_landing_wait_for_each_other_in_one_process(home: Path) -> None:
    landing = Landing(home / "landing" / "oms.duckdb", "oms", lock_timeout_s=0.3)
    with landing.session(), pytest.raises(TransientError, match="this process"):
        load([OMS], home, home / "warehouse.duckdb", lock_timeout_s=0.3)
    with duckdb.connect(str(home / "warehouse.duckdb")) as warehouse:
        from connectors.load import attached

        with attached(warehouse, landing.path, 1), pytest.raises(TransientError, match="this process"):
            landing.land_documents("orders", [], {})


def test_threads_of_one_process_take_turns(home: Path) -> None:
    def work(name: str) -> None:
        for i in range(5):
            landing = Landing(home / "landing" / "oms.duckdb", "oms")
            landing.land_documents("orders", [(f"{name}{i}", "1", None)], {"at": i})
            load([OMS], home, home / "warehouse.duckdb")
            time.sleep(0.01)

    threads = [threading.Thread(target=work, args=(name,)) for name in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load([OMS], home, home / "warehouse.duckdb")
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        assert db.execute("select count(*), count(distinct doc_key) from raw_oms.orders").fetchone() == (16, 16)
