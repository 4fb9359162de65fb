"""The catalogue: what each KPI means, validated. `load_catalog()` is the only way in."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from kpi_models.catalog.model import Family, Kpi, Threshold, kpis_of

FOLDER = Path(__file__).parent

__all__ = ["Family", "Kpi", "Threshold", "load_catalog", "load_families"]


def load_families(folder: Path = FOLDER) -> tuple[Family, ...]:
    """All family files in the order they state. Raises pydantic.ValidationError or yaml.YAMLError naming the fault."""
    texts = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(folder.glob("*.yaml"))]
    return tuple(sorted((Family.model_validate(text) for text in texts), key=lambda family: family.order))


@cache
def load_catalog(folder: Path = FOLDER) -> dict[str, Kpi]:
    """KPI id to KPI, in the families' order. Raises ValueError when two entries claim one id, or when there is none."""
    catalog: dict[str, Kpi] = {}
    for family in load_families(folder):
        for kpi in kpis_of(family):
            if kpi.id in catalog:
                raise ValueError(
                    f"KPI {kpi.id} is defined twice (families {catalog[kpi.id].family} and {family.family})"
                )
            catalog[kpi.id] = kpi
    if not catalog:
        raise ValueError(f"no KPI family in {folder}")
    return catalog
