"""Typed changes: exact or a dead letter, state equal to a simple model, unsent values filled from where they stand."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.landing import Changes, Landing
from connectors.model import Column

COLUMNS = (
    Column("id", "integer", key=True),
    Column("price", "decimal(18,2)"),
    Column("at", "timestamp with time zone"),
)


def table(rows: list[dict[str, Any]], names: list[str]) -> pa.Table:
    """Rows given as dicts: op, position, ordinal, then values; `unchanged` and `old_key` when they occur."""
    n = len(rows)
    columns: dict[str, Any] = {
        "_commit_pos": pa.array([r.get("pos", 1) for r in rows], pa.int64()),
        "_ordinal": pa.array([r.get("ord", i) for i, r in enumerate(rows)]),
        "_op": [r["op"] for r in rows],
        "_tx": pa.nulls(n, pa.int64()),
        "_commit_ts": pa.nulls(n, pa.timestamp("us")),
        "_unchanged": pa.array([r.get("unchanged") for r in rows], pa.list_(pa.string())),
    }
    if any("old_key" in r for r in rows):
        columns["_old_key"] = pa.array([r.get("old_key") for r in rows], pa.list_(pa.string()))
    return pa.table({**columns, **{n: pa.array([r.get(n) for r in rows], pa.string()) for n in names}})


def batch(rows: list[dict[str, Any]], columns: tuple[Column, ...] = COLUMNS) -> Changes:
    return Changes("t", columns, table(rows, [c.name for c in columns]))


def current(landing: Landing) -> list[tuple]:
    names = ", ".join(f'"{c.name}"::varchar' for c in landing.columns("t"))
    with landing.session() as db:
        return db.execute(f"select {names} from raw_erp.t order by 1").fetchall()


def test_a_value_that_does_not_fit_costs_its_row_and_no_other(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "erp.duckdb", "erp")
    good = {"op": "i", "id": "1", "price": "12345678901234.56", "at": "2024-03-01 00:00:00.000001+00"}
    bad = [
        {"op": "i", "id": str(i), "price": p, "at": a}
        for i, p, a in (
            (2, "NaN", None),
            (3, "99999999999999999.00", None),
            (4, "1.00", "294277-01-01 00:00:00+00"),
            (99999999999, "1.00", None),
        )
    ]
    record = landing.land_changes([batch([bad[0], good, *bad[1:]])], {})
    assert (record.rows, record.dead) == (1, 4)
    assert current(landing) == [("1", "12345678901234.56", "2024-03-01 00:00:00.000001+00")]
    with landing.session() as db:
        raws = [r[0] for r in db.execute("select raw from _land.dead_letter order by ordinal").fetchall()]
    assert b'"NaN"' in raws[0] and b'"294277-01-01 00:00:00+00"' in raws[2], "raw keeps the text as it came"


def test_a_type_that_does_not_hold_what_landed_is_a_new_column_and_the_former_stays_in_the_log(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "erp.duckdb", "erp")
    landing.land_changes([batch([{"op": "i", "id": "1", "price": "1.50"}])], {"at": 1})
    dated = (COLUMNS[0], Column("price", "date"), COLUMNS[2])
    landing.land_changes([batch([{"op": "i", "id": "2", "price": "2024-01-01", "pos": 2}], dated)], {"at": 2})
    with landing.session() as db:
        rows = db.execute("select id, price, price__until_v2::varchar from raw_erp.t__log order by id").fetchall()
    assert rows == [(1, None, "1.50"), (2, date(2024, 1, 1), None)]


def test_a_wider_type_holds_what_landed(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "erp.duckdb", "erp")
    landing.land_changes([batch([{"op": "i", "id": "1", "price": "1.50"}])], {"at": 1})
    finer = (Column("id", "bigint", key=True), Column("price", "decimal(20,4)"), COLUMNS[2])
    landing.land_changes([batch([{"op": "i", "id": "3000000000", "price": "2.5001", "pos": 2}], finer)], {"at": 2})
    assert current(landing) == [("1", "1.5000", None), ("3000000000", "2.5001", None)]


TOAST = (Column("id", "integer", key=True), Column("a", "varchar"), Column("b", "varchar"))
op = st.one_of(
    st.tuples(st.just("put"), st.integers(1, 4), st.sampled_from(["x", "y", None]), st.sampled_from(["p", None])),
    st.tuples(st.just("touch"), st.integers(1, 4), st.sampled_from(["z", None]), st.none()),
    st.tuples(st.just("move"), st.integers(1, 4), st.integers(1, 4), st.booleans()),
    st.tuples(st.just("delete"), st.integers(1, 4), st.none(), st.none()),
    st.tuples(st.just("truncate"), st.none(), st.none(), st.none()),
)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.lists(st.lists(op, max_size=6), min_size=1, max_size=3), min_size=1, max_size=3))
def test_state_equals_a_simple_model_with_moves_truncates_and_unsent_values(
    tmp_path_factory: pytest.TempPathFactory, commits: list[list[list[tuple]]]
) -> None:
    """commits[i][j] is chunk j of commit i; the model is a dict."""
    landing = Landing(tmp_path_factory.mktemp("model") / "erp.duckdb", "erp")
    model: dict[int, tuple[str | None, str | None]] = {}
    place, log_rows = 0, 0
    for chunks in commits:
        batches = []
        for chunk in chunks:
            rows = []
            for step in chunk:
                for row in _apply(model, step):
                    place += 1
                    rows.append({**row, "pos": place // 3, "ord": place})
            batches.append(batch(rows, TOAST))
            log_rows += len(rows)
        landing.land_changes(batches, {"place": place})
    if not landing.streams():
        return
    assert current(landing) == [(str(k), *v) for k, v in sorted(model.items())]
    assert landing.check_state("t").ok and landing.duplicates("t") == 0
    landing.rebuild_state("t")
    assert current(landing) == [(str(k), *v) for k, v in sorted(model.items())]


def _apply(model: dict, step: tuple) -> list[dict[str, Any]]:
    """One step on the model; the change rows that a source would send for it."""
    kind, key, *values = step
    if kind == "truncate":
        model.clear()
        return [{"op": "t"}]
    if kind == "put":
        known = key in model
        model[key] = (values[0], values[1])
        return [{"op": "u" if known else "i", "id": str(key), "a": values[0], "b": values[1]}]
    if key not in model:
        return []
    if kind == "touch":  # b was large and is not sent
        model[key] = (values[0], model[key][1])
        return [{"op": "u", "id": str(key), "a": values[0], "unchanged": ["b"]}]
    if kind == "delete":
        del model[key]
        return [{"op": "d", "id": str(key)}]
    target, sent = values
    if target in model:
        return []
    model[target] = model.pop(key)
    new = {"op": "i", "id": str(target), "a": model[target][0], "b": model[target][1]}
    if not sent:
        new = {"op": "i", "id": str(target), "unchanged": ["a", "b"], "old_key": [str(key)]}
    return [{"op": "d", "id": str(key)}, new]
