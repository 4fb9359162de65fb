"""A damaged landing file is told by name with what is lost and the way out, and left where it is."""

import os
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from connectors.landing import Landing
from connectors.load import load
from connectors.model import PermanentError

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
def test_loading_from_a_damaged_file_names_it_and_keeps_the_warehouse(landing: Landing, tmp_path: Path, broken) -> None:  # type: ignore[no-untyped-def]
    broken(landing.path)
    with pytest.raises(PermanentError, match=r"landing/oms\.duckdb is damaged"):
        load([SYSTEM], tmp_path, tmp_path / "warehouse.duckdb")
    landing.path.unlink()
    landing.land_documents("orders", [("new", "x", None)], {})
    assert load([SYSTEM], tmp_path, tmp_path / "warehouse.duckdb").rows == {"oms.orders": 1}
