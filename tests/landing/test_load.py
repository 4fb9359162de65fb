"""Load: what landed and nothing else, once, whether repeated or killed."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pytest

from connectors.landing import Changes, Landing
from connectors.load import forget, load
from connectors.model import Column

COLUMNS = (Column("id", "integer", key=True), Column("amount", "decimal(18,2)"))


def system(name: str, kind: str = "rest", *streams: str) -> SimpleNamespace:
    return SimpleNamespace(
        system=name, read=SimpleNamespace(kind=kind), streams=[SimpleNamespace(name=s) for s in streams or ("orders",)]
    )


def changes(
    rows: list[tuple[str, str | None, str | None]], position: int, columns: tuple[Column, ...] = COLUMNS
) -> Changes:
    """(op, id, amount) rows of one transaction."""
    n = len(rows)
    table = pa.table(
        {
            "_commit_pos": pa.array([position] * n),
            "_ordinal": pa.array(range(n)),
            "_op": [r[0] for r in rows],
            "_tx": pa.array([1] * n),
            "_commit_ts": pa.nulls(n, pa.timestamp("us")),
            "_unchanged": pa.nulls(n, pa.list_(pa.string())),
            **{
                c.name: pa.array([r[i + 1] if i < 2 else None for r in rows], pa.string())
                for i, c in enumerate(columns)
            },
        }
    )
    return Changes("orders", columns, table)


def rows_of(path: Path, relation: str) -> list[tuple]:
    with duckdb.connect(str(path)) as db:
        return db.execute(f"select * from {relation} order by all").fetchall()


def test_a_load_copies_new_batches_once(tmp_path: Path) -> None:
    landing, warehouse = Landing(tmp_path / "landing/erp.duckdb", "erp"), tmp_path / "warehouse.duckdb"
    landing.land_changes([changes([("i", "1", "1.10"), ("i", "2", "2.20"), ("u", "1", "1.11")], 10)], {"lsn": 1})
    first = load([system("erp", "postgres")], tmp_path, warehouse)
    assert (first.rows, first.changed) == ({"erp.orders": 3}, True)
    assert load([system("erp", "postgres")], tmp_path, warehouse).changed is False
    landing.land_changes([changes([("d", "1", None), ("i", "3", "3.30")], 20)], {"lsn": 2})
    assert load([system("erp", "postgres")], tmp_path, warehouse).rows == {"erp.orders": 2}
    for relation in ("raw_erp.orders", "raw_erp.orders__log"):
        assert rows_of(warehouse, relation) == rows_of(landing.path, relation)


def test_a_pass_that_finds_nothing_leaves_nothing_to_load(tmp_path: Path) -> None:
    landing, warehouse = Landing(tmp_path / "landing/erp.duckdb", "erp"), tmp_path / "warehouse.duckdb"
    landing.land_changes([changes([("i", "1", "1.10")], 10)], {"lsn": 1})
    landing.land_changes([], {"lsn": 2})
    load([system("erp", "postgres")], tmp_path, warehouse)
    landing.land_changes([], {"lsn": 3})
    found = load([system("erp", "postgres")], tmp_path, warehouse)
    assert (found.rows, found.changed, found.anew) == ({"erp.orders": 0}, False, [])


def test_a_truncate_and_an_added_column_reach_the_warehouse(tmp_path: Path) -> None:
    landing, warehouse = Landing(tmp_path / "landing/erp.duckdb", "erp"), tmp_path / "warehouse.duckdb"
    landing.land_changes([changes([("i", "1", "1.10"), ("i", "2", "2.20")], 10)], {})
    load([system("erp", "postgres")], tmp_path, warehouse)
    wider = (*COLUMNS, Column("note", "varchar"))
    batches = [changes([("i", "7", "7"), ("t", None, None), ("i", "2", "5.00")], 20, wider)]
    landing.land_changes(batches, {})
    load([system("erp", "postgres")], tmp_path, warehouse)
    assert [row[0] for row in rows_of(warehouse, "raw_erp.orders")] == [2]
    for relation in ("raw_erp.orders", "raw_erp.orders__log"):
        assert rows_of(warehouse, relation) == rows_of(landing.path, relation)


def test_a_document_stream_that_never_landed_exists_empty(tmp_path: Path) -> None:
    load([system("oms", "rest", "orders", "returns")], tmp_path, tmp_path / "warehouse.duckdb")
    assert rows_of(tmp_path / "warehouse.duckdb", "raw_oms.returns") == []


def test_forgotten_and_loaded_again_is_the_same(tmp_path: Path) -> None:
    landing, warehouse = Landing(tmp_path / "landing/oms.duckdb", "oms"), tmp_path / "warehouse.duckdb"
    for i in range(5):
        landing.land_documents("orders", [("a", str(i), None), (str(i), "x", None)], {})
        load([system("oms")], tmp_path, warehouse)
    before = rows_of(warehouse, "raw_oms.orders"), rows_of(warehouse, "raw_oms.orders__log")
    forget("oms", warehouse)
    load([system("oms")], tmp_path, warehouse)
    assert (rows_of(warehouse, "raw_oms.orders"), rows_of(warehouse, "raw_oms.orders__log")) == before


def test_a_landing_file_made_anew_replaces_what_was_loaded_of_the_old_one(tmp_path: Path) -> None:
    landing, warehouse = Landing(tmp_path / "landing/oms.duckdb", "oms"), tmp_path / "warehouse.duckdb"
    landing.land_documents("orders", [("a", "1", None)], {})
    landing.land_documents("orders", [("b", "1", None)], {})
    load([system("oms")], tmp_path, warehouse)
    landing.path.unlink()
    landing.land_documents("orders", [("c", "1", None)], {})
    assert load([system("oms")], tmp_path, warehouse).rows == {"oms.orders": 1}
    for relation in ("raw_oms.orders", "raw_oms.orders__log"):
        assert rows_of(warehouse, relation) == rows_of(landing.path, relation)


@pytest.mark.parametrize("statement", ['insert into "raw_oms"', "insert into _load.loaded", "commit"])
def test_a_load_killed_anywhere_can_be_repeated(tmp_path: Path, statement: str) -> None:
    landing, warehouse = Landing(tmp_path / "landing/oms.duckdb", "oms"), tmp_path / "warehouse.duckdb"
    landing.land_documents("orders", [(str(i), "x", None) for i in range(500)], {})
    script = textwrap.dedent(f"""
        import os, signal, duckdb
        from types import SimpleNamespace
        from connectors import load
        class Dying:
            def __init__(self, db): self.db = db
            def execute(self, sql, *more):
                if sql.strip().startswith({statement!r}): os.kill(os.getpid(), signal.SIGKILL)
                return self.db.execute(sql, *more)
        dying = lambda w, *_, **__: iter([Dying(duckdb.connect(str(w)))])
        load._connection = __import__("contextlib").contextmanager(dying)
        s = SimpleNamespace(system="oms", read=SimpleNamespace(kind="rest"), streams=[SimpleNamespace(name="orders")])
        load.load([s], {str(tmp_path)!r}, {str(warehouse)!r})
    """)
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert load([system("oms")], tmp_path, warehouse).rows == {"oms.orders": 500}
    assert rows_of(warehouse, "raw_oms.orders__log") == rows_of(landing.path, "raw_oms.orders__log")


@pytest.mark.parametrize("more", [0, 1, 2, 3])
def test_an_older_copy_of_a_landing_file_is_loaded_anew_whatever_number_its_batches_have_reached(
    tmp_path: Path, more: int
) -> None:
    path, warehouse = tmp_path / "landing" / "oms.duckdb", tmp_path / "warehouse.duckdb"
    landing = Landing(path, "oms")
    landing.land_documents("orders", [("kept", "{}", None)], {})
    copy = path.read_bytes()
    for number in range(2):
        landing.land_documents("orders", [(f"lost {number}", "{}", None)], {})
    load([system("oms")], tmp_path, warehouse)
    path.write_bytes(copy)
    for number in range(more):
        landing.land_documents("orders", [(f"new {number}", "{}", None)], {})
    for anew in (["oms"], []):
        assert load([system("oms")], tmp_path, warehouse).anew == anew
        with duckdb.connect(str(warehouse), read_only=True) as db:
            found = db.execute("select doc_key from raw_oms.orders order by 1").fetchall()
        assert [key for (key,) in found] == ["kept", *(f"new {number}" for number in range(more))]


def test_a_retyped_column_is_copied_again_so_that_what_landed_before_stands_under_its_former_name(
    tmp_path: Path,
) -> None:
    landing, warehouse = Landing(tmp_path / "landing/erp.duckdb", "erp"), tmp_path / "warehouse.duckdb"
    landing.land_changes([changes([("i", "1", "1.10")], 10)], {"lsn": 1})
    load([system("erp", "postgres")], tmp_path, warehouse)
    dated = (COLUMNS[0], Column("amount", "date"))
    landing.land_changes([changes([("i", "2", "2024-01-01")], 20, dated)], {"lsn": 2})
    load([system("erp", "postgres")], tmp_path, warehouse)
    log = "(select id, amount::varchar, amount__until_v2::varchar from raw_erp.orders__log)"
    assert rows_of(warehouse, log) == [(1, None, "1.10"), (2, "2024-01-01", None)]
