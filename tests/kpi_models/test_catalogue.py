"""The catalogue is complete, and what is generated from it is up to date."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from pydantic import ValidationError

from kpi_models import docs, load_catalog
from kpi_models.catalog import FOLDER, load_families
from kpi_models.contracts import contract_gaps
from kpi_models.golden import load_cases
from kpi_models.golden.tables import CONTRACTS
from kpi_models.reference import TABLES

SQL = docs.ROOT / "dbt_project" / "models" / "marts" / "kpi"


def test_the_catalogue_names_exactly_the_kpis_and_dimensions_that_are_computed(cells: pl.DataFrame) -> None:
    catalog = load_catalog()
    assert set(catalog) == set(cells["kpi_id"].unique())
    for kpi_id, dimensions in (
        cells.filter(pl.col("dimension") != "").group_by("kpi_id").agg(pl.col("dimension").unique()).rows()
    ):
        assert set(dimensions) == set(catalog[kpi_id].dimensions)


def test_only_kpis_with_declared_bounds_have_them(cells: pl.DataFrame) -> None:
    open_bounds = cells.filter((pl.col("value_min") != pl.col("value_max")) | (pl.col("value") != pl.col("value_min")))
    assert set(open_bounds["kpi_id"].unique()) <= {kpi.id for kpi in load_catalog().values() if kpi.has_bounds}


def test_every_kpi_points_at_things_that_exist() -> None:
    cases = load_cases()
    for kpi in load_catalog().values():
        assert set(kpi.golden_cases) <= set(cases)
        module, function = kpi.reference.rsplit(".", 1)
        assert callable(getattr(importlib.import_module(module), function))
        assert (SQL / f"{kpi.dbt_model}.sql").exists()
        assert "{" not in kpi.meaning + kpi.numerator + kpi.denominator


def test_every_kpi_has_a_cell_worked_out_by_hand() -> None:
    by_hand = {expected.kpi_id for case in load_cases().values() for expected in case.expected}
    assert by_hand == set(load_catalog())


def test_every_golden_case_is_listed_by_a_family() -> None:
    assert {name for family in load_families() for name in family.golden_cases} == set(load_cases())


def test_the_handbook_and_the_seed_are_up_to_date() -> None:
    assert docs.out_of_date() == [], "run python -m kpi_models.docs"


def test_the_contracts_offer_what_the_reference_reads() -> None:
    assert contract_gaps() == []


def test_a_changed_contract_is_seen(tmp_path: Path) -> None:
    for path in CONTRACTS.glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    (tmp_path / "can_release.yaml").unlink()
    lines = tmp_path / "can_order_line.yaml"
    lines.write_text(
        lines.read_text("utf-8").replace('unit_price, type: "decimal(18,4)"', 'unit_price, type: "double"'), "utf-8"
    )
    gaps = contract_gaps(tmp_path)
    assert [gap.split(":")[0] for gap in gaps] == ["can_order_line.unit_price", "can_release"]
    assert set(TABLES) - {"can_release"} <= {path.stem for path in tmp_path.glob("*.yaml")}


@pytest.mark.parametrize(
    "fault",
    [
        {"unknown_key": 1},
        {"golden_cases": []},
        {"measures": [{"id": "x"}]},
    ],
    ids=str,
)
def test_a_faulty_family_file_is_refused(fault: dict[str, Any], tmp_path: Path) -> None:
    good = yaml.safe_load((FOLDER / "margin.yaml").read_text("utf-8"))
    (tmp_path / "margin.yaml").write_text(yaml.safe_dump(good | fault), "utf-8")
    with pytest.raises(ValidationError):
        load_catalog(tmp_path)


def test_an_id_defined_twice_and_thresholds_the_wrong_way_round_are_refused(tmp_path: Path) -> None:
    good = (FOLDER / "margin.yaml").read_text("utf-8")
    (tmp_path / "a.yaml").write_text(good, "utf-8")
    (tmp_path / "b.yaml").write_text(good, "utf-8")
    with pytest.raises(ValueError, match="defined twice"):
        load_catalog(tmp_path)
    (tmp_path / "b.yaml").unlink()
    (tmp_path / "a.yaml").write_text(good.replace("good: 0.25, poor: 0.18", "good: 0.18, poor: 0.25"), "utf-8")
    load_catalog.cache_clear()
    with pytest.raises(ValidationError, match="contradict"):
        load_catalog(tmp_path)
