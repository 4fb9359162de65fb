"""Contracts are sound data, and the dbt project says the same."""

from __future__ import annotations

import csv
import importlib.util
import re
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

REPO = Path(__file__).resolve().parents[2]
CONTRACTS = {p.stem: yaml.safe_load(p.read_text()) for p in sorted((REPO / "contracts/canonical").glob("*.yaml"))}
PROVENANCE = ["source_system", "source_key", "source_batch_id", "known_from_utc", "is_inferred", "contract_version"]
TYPES = re.compile(r"^(varchar|integer|bigint|boolean|date|timestamp|decimal\(\d+,\d+\))$")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_yaml", REPO / "dbt_project" / "generate_yaml.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_is_well_formed(name: str) -> None:
    contract = CONTRACTS[name]
    columns: dict[str, dict[str, Any]] = {column["name"]: column for column in contract["columns"]}
    assert contract["name"] == name
    assert len(columns) == len(contract["columns"])
    assert set(contract["key"]) <= set(columns)
    assert list(columns)[-6:] == PROVENANCE
    assert all(TYPES.match(column["type"]) and column["description"] for column in columns.values())
    assert not any(columns[key]["nullable"] for key in contract["key"])
    for column in columns.values():
        if "references" in column:
            entity, key = column["references"].split(".")
            assert CONTRACTS[entity]["key"] == [key], column


def test_instants_are_naive_utc_and_say_so() -> None:
    for contract in CONTRACTS.values():
        for column in contract["columns"]:
            is_instant = column["type"] == "timestamp" and column["name"] != "event_time_local"
            assert is_instant == bool(re.search(r"_utc(_min|_max)?$", column["name"])), column


def test_dbt_yaml_is_generated_from_the_contracts(generator: ModuleType) -> None:
    assert generator.stale() == []
    models = {p.stem for p in (REPO / "dbt_project/models/canonical").glob("can_*.sql")}
    assert models == set(CONTRACTS)


def test_every_model_states_its_grain_first() -> None:
    for folder in ("staging", "canonical"):
        for path in (REPO / "dbt_project/models" / folder).rglob("*.sql"):
            assert path.read_text().startswith("-- grain: "), path


def test_a_select_list_of_many_lines_ends_with_a_comma() -> None:
    """What sqlfluff cannot say: it would ask the same of `select *`."""
    for path in (REPO / "dbt_project/models").rglob("*.sql"):
        lines = [line.strip() for line in path.read_text().splitlines() if not line.strip().startswith("--")]
        for before, line in pairwise(lines):
            if line.startswith("from ") and not before.startswith("select "):
                assert before.endswith((",", "}}", "%}", "-- noqa: RF02")), f"{path.name}: {before}"


def test_no_engine_time_zone_function_is_used() -> None:
    forbidden = re.compile(
        r"at time zone|timezone\(|timestamptz|with time zone|now\(\)|current_timestamp|current_date", re.I
    )
    for folder in ("models/staging", "models/canonical", "macros"):
        for path in (REPO / "dbt_project" / folder).rglob("*.sql"):
            assert not forbidden.search(path.read_text()), path


def test_code_lists_have_one_row_per_code() -> None:
    keys = {"order_status": 2, "event_types": 1, "carrier_event": 2, "ownership": 2}
    for name, width in keys.items():
        rows = list(csv.reader((REPO / f"contracts/codes/{name}.csv").open()))[1:]
        found = [tuple(row[:width]) for row in rows]
        assert rows and len(set(found)) == len(found), name
