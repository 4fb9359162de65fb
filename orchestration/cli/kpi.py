"""`crossdock kpi`: cells of the published version. Reads one DuckDB file and imports neither Dagster nor dbt."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestration.cli.errors import BadInput
from orchestration.cli.output import instant, out, print_json, print_table, shown
from orchestration.publication import reading
from orchestration.settings import Settings

PERIODS = ("day", "week", "month", "year", "total")
DIMENSIONS = ("site", "customer_category", "item_group")
VALUES = ("value", "value_min", "value_max")
FIGURES = ("numerator", "denominator", *VALUES, "agreement")


def cells(published: Path, kpis: Sequence[str], by: str = "total", where: str | None = None) -> list[dict[str, Any]]:
    """Cells as `kpi --json` prints them. Raises BadInput for a period, KPI or dimension that does not exist."""
    if by not in PERIODS:
        raise BadInput(f"--by {by!r}; allowed: {', '.join(PERIODS)}")
    dimension, _, wanted = (where or "").partition("=")
    if dimension and dimension not in DIMENSIONS:
        raise BadInput(f"--where {where!r}; allowed: DIMENSION=VALUE with {', '.join(DIMENSIONS)}")
    with reading(published) as (connection, _snapshot):
        known = {row[0] for row in connection.execute("select distinct kpi_id from kpi.kpi_cell").fetchall()}
        if unknown := sorted(set(kpis) - known):
            raise BadInput(f"no KPI {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
        if wanted:
            values = "select distinct dimension_value from kpi.kpi_cell where dimension = ? order by 1"
            there = [row[0] for row in connection.execute(values, [dimension]).fetchall()]
            if there and wanted not in there:
                raise BadInput(f"no {dimension} {wanted!r}; there are: {', '.join(there)}")
        rows = connection.execute(
            f"""
            select kpi_id, period, dimension, dimension_value, {", ".join(FIGURES)}, as_of_utc from kpi.kpi_cell
            where period_kind = ? and dimension = ? and (? = '' or dimension_value = ?)
                and (? or kpi_id in (select unnest(?)))
            order by kpi_id, period, dimension_value
            """,
            [by, dimension, wanted, wanted, not kpis, list(kpis)],
        ).fetchall()
        complete, behind = _standing(connection)
    return [
        {
            "kpi_id": kpi_id,
            "period": period,
            "dimensions": {dimension_of: value_of} if dimension_of else {},
            **dict(zip(FIGURES, figures, strict=True)),
            "as_of": instant(as_of),
            "complete_up_to": complete.get(kpi_id, {}),
            "behind": behind.get(kpi_id, {}),
        }
        for kpi_id, period, dimension_of, value_of, *figures, as_of in rows
    ]


def _standing(connection: Any) -> tuple[dict[str, dict[str, str | None]], dict[str, dict[str, str]]]:
    """Per KPI the systems that could change it: up to which instant each is complete, and why one is not further.
    Nothing in a version that was published before there was such a table."""
    complete: dict[str, dict[str, str | None]] = {}
    behind: dict[str, dict[str, str]] = {}
    if not connection.execute("select 1 from duckdb_tables() where table_name = 'kpi_system'").fetchone():
        return complete, behind
    rows = connection.execute("select kpi_id, system, complete_up_to_utc, behind_because from kpi.kpi_system")
    for kpi_id, system, until, why in rows.fetchall():
        complete.setdefault(kpi_id, {})[system] = until and instant(until)
        if why:
            behind.setdefault(kpi_id, {})[system] = why
    return complete, behind


def run(kpis: Sequence[str], by: str, where: Sequence[str], as_json: bool) -> None:
    if len(where) > 1:
        raise BadInput(f"--where {' --where '.join(where)}: cells are by one dimension at a time; give one")
    published = Settings.from_env().published
    found = cells(published, kpis, by, where[0] if where else None)
    if as_json:
        print_json(found)
        return
    show(found, published)


def show(found: Sequence[dict[str, Any]], published: Path) -> None:
    """The table of cells, as the demo and `kpi` print it: values in the kind of form that the catalogue names."""
    if not found:
        out().print("No such cells: not every KPI has every period and dimension; docs/kpis.md tells which")
        return
    as_of = found[0]["as_of"]
    columns = ["kpi_id", *(["period"] if {cell["period"] for cell in found} != {"total"} else [])]
    columns += ["dimensions"] if any(cell["dimensions"] for cell in found) else []
    with reading(published) as (connection, _snapshot):
        forms = dict(connection.execute("select kpi_id, bi_format from core.dim_kpi").fetchall())
    told = [cell | {name: figure(cell[name], forms.get(cell["kpi_id"])) for name in VALUES} for cell in found]
    print_table(f"KPIs as of {as_of}", told, [*columns, *FIGURES], right=VALUES)
    for line in _behind(found):
        out().print(line, markup=False, highlight=False)


def _behind(found: Sequence[dict[str, Any]]) -> list[str]:
    """A line per system that could not be read, with the KPIs that may change once it can."""
    marked: dict[tuple[str, str, str], set[str]] = {}
    for cell in found:
        for system, why in cell["behind"].items():
            until = cell["complete_up_to"][system] or "an unknown instant"
            marked.setdefault((system, until, why), set()).add(cell["kpi_id"])
    return [
        f"Without what {system} said after {until} ({why}); may change: {', '.join(sorted(kpis))}"
        for (system, until, why), kpis in sorted(marked.items())
    ]


def figure(value: Any, form: str | None) -> str:
    """A value as people read it: a ratio in per cent with two decimals, seconds as days and hours, money with cents."""
    if value is None or form is None:
        return shown(value)
    if form == "0.0 %":
        return f"{value:.2%}".replace("%", " %")
    if form == "d hh:mm":
        days, minutes = divmod(round(abs(value) / 60), 24 * 60)
        return f"{'-' if value <= -30 else ''}{days} d {minutes // 60:02}:{minutes % 60:02}"
    return f"{value:,.{len(form.partition('.')[2])}f}"
