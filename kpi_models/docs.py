"""Writes `docs/kpis.md` and the dbt seed `dim_kpi_catalogue.csv` from the catalogue: `python -m kpi_models.docs`.

`--check` writes nothing and exits with status 1 when a committed file is out of date.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable
from pathlib import Path

from kpi_models.catalog import Family, Kpi, load_catalog, load_families
from kpi_models.catalog.model import kpis_of
from kpi_models.golden import load_cases

ROOT = Path(__file__).resolve().parents[1]
HANDBOOK = ROOT / "docs" / "kpis.md"
SEED = ROOT / "dbt_project" / "seeds" / "dim_kpi_catalogue.csv"
SEED_COLUMNS = (
    *("kpi_id", "family", "version", "name", "meaning", "numerator", "denominator", "grain", "period_key", "unit"),
    *("direction", "additivity", "maturity", "has_bounds", "dimensions", "variant_ids", "owner", "steward"),
    *("threshold_good", "threshold_poor", "source_standard", "bi_format"),
)
INTRODUCTION = """\
Every figure is told by day, ISO week, month, year and in total, for the company and for each single dimension it lists.
A roll-up is a ratio of sums, never an average of ratios. A zero denominator has no value: its period cell does not
exist, its total is shown empty. What has no value in a dimension has no cell there. `value_min` and `value_max` say how
far uncertain times could move the value."""


def handbook() -> str:
    """The KPI handbook in Markdown."""
    parts = [
        "# KPIs",
        "Generated from `kpi_models/catalog/` by `python -m kpi_models.docs`; change it there.",
        INTRODUCTION,
        _contents(load_catalog().values()),
        *(_family(family) for family in load_families()),
        _cases(),
    ]
    return "\n\n".join(parts) + "\n"


def seed() -> str:
    """The catalogue as CSV, one row per KPI, for dbt's dimension of KPIs."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(SEED_COLUMNS)
    for kpi in load_catalog().values():
        latest = kpi.thresholds[-1] if kpi.thresholds else None
        row = kpi.model_dump() | {
            "kpi_id": kpi.id,
            "has_bounds": str(kpi.has_bounds).lower(),
            "dimensions": " ".join(kpi.dimensions),
            "variant_ids": " ".join(kpi.variant_ids),
            "threshold_good": latest.good if latest else None,
            "threshold_poor": latest.poor if latest else None,
        }
        writer.writerow(row[column] for column in SEED_COLUMNS)
    return text.getvalue()


def out_of_date() -> list[Path]:
    """The committed files that differ from what the catalogue says."""
    return [path for path, text in _files().items() if not path.exists() or path.read_text("utf-8") != text]


def _files() -> dict[Path, str]:
    return {HANDBOOK: handbook(), SEED: seed()}


def _contents(kpis: Iterable[Kpi]) -> str:
    rows = [f"| `{kpi.id}` | {kpi.name} | {kpi.unit} | {kpi.direction} | {', '.join(kpi.dimensions)} |" for kpi in kpis]
    return "\n".join(["| id | name | unit | better | dimensions |", "| --- | --- | --- | --- | --- |", *rows])


def _family(family: Family) -> str:
    rules = "\n".join(f"- {rule}" for rule in family.rules)
    facts = {
        "Period": family.period_key,
        "Maturity": family.maturity,
        "Bounds": family.bounds,
        "Left out": "; ".join(family.exclusions),
        "Source": family.source_standard,
        "Owner": f"{family.owner}; steward {family.steward}; version {family.version}",
        "Computed by": f"dbt model `{family.dbt_model}`, reference `{family.reference}`",
    }
    lines = "\n".join(f"- {name}: {text}" for name, text in facts.items())
    return "\n\n".join([f"## {family.title}", rules, lines, *(_kpi(kpi) for kpi in kpis_of(family))])


def _kpi(kpi: Kpi) -> str:
    thresholds = "; ".join(f"from {t.valid_from}: good {t.good:g}, poor {t.poor:g}" for t in kpi.thresholds) or "none"
    facts = {
        "Numerator": kpi.numerator,
        "Denominator": kpi.denominator,
        "Grain": kpi.grain,
        "Times used": ", ".join(kpi.timestamps) or "none",
        "Adds up as": kpi.additivity.replace("_", " "),
        "Thresholds": thresholds,
    }
    lines = "\n".join(f"- {name}: {text}" for name, text in facts.items())
    return f"### `{kpi.id}`\n\n{kpi.name}. {kpi.meaning}\n\n{lines}"


def _cases() -> str:
    cases = "\n".join(f"- `{case.id}`: {case.title}. {case.working}" for case in load_cases().values())
    lead = "Worked out by hand; both programs must give these cells (`kpi_models/golden/cases/`)."
    return f"## Golden cases\n\n{lead}\n\n{cases}"


def main(arguments: list[str]) -> int:
    """Write the files, or with --check report those that are out of date."""
    stale = out_of_date()
    if "--check" in arguments:
        print("\n".join(f"{path.relative_to(ROOT)} is out of date: run python -m kpi_models.docs" for path in stale))
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_files()[path], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
