"""Up to which instant each system that could change a KPI is complete in a version: what a reader asks a figure."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from orchestration.built import Built
from orchestration.domains import upstream
from orchestration.escaping import visible


def systems_by_model(manifest: Mapping[str, Any], systems: Sequence[Any]) -> dict[str, list[str]]:
    """The connected systems that a KPI model is made from, through all models before it, by the model's name."""
    found = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["name"].startswith("kpi_"):
            _, streams = upstream(manifest, _with_ancestors(manifest, node))
            found[node["name"]] = sorted(one.system for one in systems if _is_read(one, streams))
    return found


def _is_read(system: Any, streams: Collection[tuple[str, str]]) -> bool:
    return any((name, stream.name) in streams for stream in system.streams for name in (system.role, system.system))


def store(marts: Path, of: Built, systems: Mapping[str, Sequence[str]]) -> None:
    """Replaces `kpi.kpi_system`, grain KPI x system that could change it: the system's instant, and why what came after
    it is not here, null where all that the system said is.

    A KPI whose model is none of `systems` counts as made from all of them.
    """
    made_of: list[tuple[str | None, Sequence[str]]] = [*systems.items(), (None, list(of.complete_up_to))]
    rows = [
        (model, system, of.complete_up_to.get(system), visible(of.behind[system]) if system in of.behind else None)
        for model, names in made_of
        for system in names
    ]
    with duckdb.connect(str(marts)) as connection:
        connection.execute("begin")
        connection.execute("create temp table known (model varchar, system varchar, until_utc timestamp, why varchar)")
        for row in rows:
            connection.execute("insert into known values (?, ?, ?, ?)", row)
        connection.execute("""
            create or replace table kpi.kpi_system as
            select kpi.kpi_id, known.system, known.until_utc as complete_up_to_utc, known.why as behind_because
            from core.dim_kpi as kpi
            join known on known.model is not distinct from
                (select model from known where model = 'kpi_' || kpi.family limit 1)
            order by all
        """)
        connection.execute("drop table known")
        connection.execute("commit")


def _with_ancestors(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one["unique_id"] not in found:
            found[one["unique_id"]] = one
            parents = one.get("depends_on", {}).get("nodes", [])
            waiting += [manifest["nodes"][parent] for parent in parents if parent in manifest["nodes"]]
    return list(found.values())
