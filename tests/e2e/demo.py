"""Runs `crossdock demo --once` as a user would, in a process of its own, and reads what it published."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).resolve().parents[2]
Cell = tuple[str, str, str, str]  # kpi_id, period, dimension, dimension value


def crossdock(*arguments: str, home: Path, timeout_s: float = 900, check: bool = True, **environment: str) -> str:
    """Run the console command from another folder; returns standard output."""
    command = [sys.executable, "-m", "orchestration.cli", *arguments]
    env = os.environ | {"CROSSDOCK_HOME": str(home), "PYTHONPATH": str(ROOT), "DO_NOT_TRACK": "1"} | environment
    done = subprocess.run(command, cwd="/", env=env, capture_output=True, text=True, timeout=timeout_s)
    if check and done.returncode:
        raise AssertionError(f"{arguments} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-5000:]}")
    return done.stdout


def demo_once(home: Path, *arguments: str, timeout_s: float = 1500) -> str:
    return crossdock("demo", "--once", "--no-ui", "--home", str(home), *arguments, home=home, timeout_s=timeout_s)


def published(home: Path) -> dict[Cell, dict[str, Any]]:
    """Every published KPI cell by its key."""
    return cells_of(home / "published" / "current" / "crossdock.duckdb")


def cells_of(marts: Path) -> dict[Cell, dict[str, Any]]:
    """Every KPI cell of a marts file by its key."""
    with duckdb.connect(str(marts), read_only=True) as connection:
        rows = connection.execute("select * from kpi.kpi_cell").fetchall()
        names = [column[0] for column in connection.description or []]
    cells = [dict(zip(names, row, strict=True)) for row in rows]
    return {(cell["kpi_id"], cell["period"], cell["dimension"], cell["dimension_value"]): cell for cell in cells}


def truth(home: Path) -> dict[Cell, dict[str, Any]]:
    """The sandbox world's own ledger, as the same cells."""
    rows = json.loads((home / "sandbox" / "truth.json").read_text(), parse_float=Decimal)
    return {(row["kpi_id"], row["period"], *_dimension(row["dimensions"])): row for row in rows}


def differences(true: dict[Cell, dict[str, Any]], found: dict[Cell, dict[str, Any]]) -> list[str]:
    """Every cell in which the published snapshot does not say what happened: absent, or another figure."""
    wrong = []
    for key, row in true.items():
        cell = found.get(key)
        if cell is None:
            if row["value"] is not None or row["denominator"]:
                wrong.append(f"{key}: not published, truth {row['numerator']}/{row['denominator']}")
            continue
        for name in ("numerator", "denominator", "value", "value_min", "value_max"):
            if not _same(row[name], cell[name], exact=name in {"numerator", "denominator"}):
                wrong.append(f"{key} {name}: published {cell[name]}, truth {row[name]}")
    grid = {(kpi, _kind(period), dimension) for kpi, period, dimension, _ in true}
    for key in found.keys() - true.keys():
        kpi, period, dimension, _ = key
        if (kpi, _kind(period), dimension) in grid:
            wrong.append(f"{key}: published {found[key]['numerator']}/{found[key]['denominator']}, not in the truth")
    return wrong


def summary(wrong: Iterable[str], most: int = 25) -> str:
    lines = sorted(wrong)
    return f"{len(lines)} cells differ:\n" + "\n".join(lines[:most])


def _dimension(dimensions: dict[str, str]) -> tuple[str, str]:
    return next(iter(dimensions.items()), ("", ""))


def _kind(period: str) -> str:
    if "W" in period:
        return "week"
    return {5: "total", 4: "year", 7: "month", 10: "day"}[len(period)]


def _same(true: Any, found: Any, exact: bool) -> bool:
    if true is None or found is None:
        return true is None and found is None
    if exact:
        return Decimal(str(true)) == Decimal(str(found))
    return abs(float(true) - float(found)) <= 1e-6 * max(1.0, abs(float(true)))
