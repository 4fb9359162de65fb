"""Golden cases: small facts with the cells a person worked out by hand (`cases/*.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from .facts import Rows, spread

FOLDER = Path(__file__).parent / "cases"
UNSTATED = object()


@dataclass(frozen=True)
class Expected:
    """One cell by hand: numerator and denominator exactly (None = null), value and bounds where stated."""

    kpi_id: str
    numerator: Decimal | None
    denominator: Decimal | None
    period_kind: str = "total"
    period: str = "total"
    dimension: str = ""
    dimension_value: str = ""
    value: Any = UNSTATED
    value_min: Any = UNSTATED
    value_max: Any = UNSTATED

    @property
    def where(self) -> dict[str, str]:
        """The cell's key."""
        names = ("kpi_id", "period_kind", "period", "dimension", "dimension_value")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Case:
    """One golden case. `absent` lists keys of cells that must not exist."""

    id: str
    title: str
    working: str
    as_of: datetime
    rows: Rows
    expected: tuple[Expected, ...]
    absent: tuple[dict[str, str], ...]


@cache
def load_cases(folder: Path = FOLDER) -> dict[str, Case]:
    """Case id to case. Raises KeyError or TypeError when a case file is malformed."""
    loaded = (_case(path.stem, yaml.safe_load(path.read_text("utf-8"))) for path in sorted(folder.glob("*.yaml")))
    return {case.id: case for case in loaded}


def failures(case: Case, cells: pl.DataFrame) -> list[str]:
    """What in the cells differs from the case; empty when all is as worked out by hand."""
    wrong = []
    for expected in case.expected:
        found = _find(cells, expected.where)
        if len(found) != 1:
            wrong.append(f"{case.id}: {len(found)} cells for {expected.where}")
            continue
        cell = found.row(0, named=True)
        for name in ("numerator", "denominator", "value", "value_min", "value_max"):
            wanted = getattr(expected, name)
            if wanted is not UNSTATED and not _same(wanted, cell[name]):
                wrong.append(f"{case.id}: {name} of {expected.where} is {cell[name]}, by hand {wanted}")
    wrong += [f"{case.id}: {key} should not exist" for key in case.absent if len(_find(cells, key))]
    return wrong


def _find(cells: pl.DataFrame, key: dict[str, str]) -> pl.DataFrame:
    return cells.filter(*(pl.col(name) == value for name, value in key.items()))


def _same(wanted: Any, found: Any) -> bool:
    if wanted is None or found is None:
        return wanted is found
    return (
        bool(abs(Decimal(repr(found)) - wanted) < Decimal("1e-9"))
        if isinstance(found, float)
        else bool(wanted == found)
    )


def _case(name: str, text: dict[str, Any]) -> Case:
    cells = text["expected"]
    return Case(
        id=name,
        title=text["title"],
        working=text["working"],
        as_of=text["as_of"],
        rows=spread(text["facts"]),
        expected=tuple(_expected(cell) for cell in cells),
        absent=tuple(_key(key) for key in text.get("absent", [])),
    )


def _expected(cell: dict[str, Any]) -> Expected:
    bounds: dict[str, Any] = {long: _number(cell[short]) for short, long in _SHORT.items() if short in cell}
    return Expected(numerator=_number(cell["n"]), denominator=_number(cell["d"]), **_key(cell), **bounds)


_SHORT = {"value": "value", "min": "value_min", "max": "value_max"}


def _key(cell: dict[str, Any]) -> dict[str, str]:
    kind, dimension = cell.get("by", "total"), cell.get("dimension", "")
    return {
        "kpi_id": cell["kpi"],
        "period_kind": kind,
        "period": str(cell.get("period", "total")),
        "dimension": dimension,
        "dimension_value": str(cell.get("of", "")),
    }


def _number(text: Any) -> Decimal | None:
    """A number, or a fraction written `a/b`, exact to 28 digits."""
    if text is None:
        return None
    if isinstance(text, str) and "/" in text:
        top, bottom = text.split("/")
        return Decimal(top) / Decimal(bottom)
    return Decimal(str(text))
