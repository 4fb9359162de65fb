"""A bug in the reference alone makes the two programs disagree."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

import kpi_models.reference
from kpi_models import compare
from tests.kpi_models.company import AS_OF
from tests.kpi_models.reference_mutants import MUTANTS, Mutant

SOURCE = Path(kpi_models.reference.__file__).parent


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_bug_in_the_reference_is_caught(
    mutant: Mutant,
    company: duckdb.DuckDBPyConnection,
    cells: pl.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = f"reference_with_{mutant.name}"
    shutil.copytree(SOURCE, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / package / mutant.file
    assert file.read_text("utf-8").count(mutant.old) == 1, "the mutant's text must stand exactly once in the source"
    file.write_text(file.read_text("utf-8").replace(mutant.old, mutant.new), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        mutated = importlib.import_module(package).evaluate(company, AS_OF)
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == package]:
            del sys.modules[name]
    result = compare(cells, mutated)
    assert not result.ok and len(result.differing) > 0


def test_there_are_at_least_twenty_bugs_and_each_is_another_one() -> None:
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS) >= 20
