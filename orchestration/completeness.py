"""Up to which instant each system that could change a KPI is complete in a version: what a reader asks a figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from orchestration.built import Built
from orchestration.domains import upstream
from orchestration.escaping import visible


def systems_by_model(manifest: Mapping[str, Any], systems: Sequence[Any]) -> dict[str, list[str]]:
    """The connected systems that a KPI model is made from, through all models before it, by the model's name."""
    return {
        node["name"]: sorted(
            one.system
            for one in systems
            if any((name, stream.name) in read for stream in one.streams for name in (one.role, one.system))
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["name"].startswith("kpi_")
        for read in [upstream(manifest, _with_ancestors(manifest, node))[1]]
    }


def store(marts: Path, of: Built, systems: Mapping[str, Sequence[str]]) -> None:
    """Replaces `kpi.kpi_system`, grain KPI x system that could change it: the system's instant, and why what came after
    it is not here, null where all that the system said is.

    A KPI whose model is none of `systems` counts as made from all of them.
    """
    rows = [
        (model, system, of.complete_up_to[system], of.behind.get(system))
        for model in [*systems, None]
        for system in sorted(of.complete_up_to)
        if model is None or system in systems[model]
    ]
    with duckdb.connect(str(marts)) as connection:
        connection.execute("begin")
        connection.execute("create temp table known (model varchar, system varchar, until_utc timestamp, why varchar)")
        for model, system, until, why in rows:
            connection.execute("insert into known values (?, ?, ?, ?)", [model, system, until, why and visible(why)])
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
    found, waiting = {}, [node]
    while waiting:
        one = waiting.pop()
        if one["unique_id"] not in found:
            found[one["unique_id"]] = one
            parents = one.get("depends_on", {}).get("nodes", [])
            waiting += [manifest["nodes"][parent] for parent in parents if parent in manifest["nodes"]]
    return list(found.values())
