"""dbt: one build per pass, its outcome shown as one asset per domain and two checks each (keys, rules)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

from orchestration import built, domains
from orchestration.assets.landing import PLATFORM, docs, landing_key
from orchestration.assets.warehouse import LOADED
from orchestration.dbt import Build, Dbt, Node
from orchestration.derived import after
from orchestration.domains import Check, Key
from orchestration.escaping import quoted, visible
from orchestration.passes import Pass, instant
from orchestration.progress import Progress
from orchestration.settings import Settings

KINDS = {"staging": {"dbt", "duckdb"}, "kpi": {"dbt", "duckdb", "table"}}


def models_asset(
    dbt: Dbt,
    manifest: Mapping[str, Any],
    systems: Sequence[Any],
    settings: Settings,
    progress: Progress,
    code: str,
) -> dg.AssetsDefinition:
    """The whole dbt project as one step. A failed blocking check stops what comes after it in this run, publication
    included."""
    found = domains.members(manifest)
    checks = domains.checks(manifest)
    specs = [_spec(key, nodes, manifest, systems, settings) for key, nodes in found.items()]
    names = [node["unique_id"] for nodes in found.values() for node in nodes]
    total = len(names) + sum(len(check.tests) for check in checks)

    @dg.multi_asset(
        name="dbt_build",
        specs=specs,
        check_specs=[_check_spec(check) for check in checks],
        can_subset=True,
        required_resource_keys={"the_pass"},
        op_tags={"crossdock/step": "dbt"},
    )
    def build(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        the_pass: Pass = context.resources.the_pass
        the_pass.take_warehouse()
        wanted = {key for key in found if dg.AssetKey(key) in context.selected_asset_keys}
        done = 0

        def on_node(node: Node) -> None:
            nonlocal done
            done += 1
            progress.report("dbt", node.unique_id.split(".")[2], done, total)

        progress.report("dbt", "models", 0, total)
        select = [] if len(wanted) == len(found) else [node["unique_id"] for key in wanted for node in found[key]]
        with progress.timed("dbt"):
            whole = built.begin(dbt.warehouse, dbt.marts)
            # some models are built as of the instant of the others
            as_of = whole.as_of if select and whole is not None else the_pass.as_of
            outcome = dbt.build(as_of, select=select, on_node=on_node)
            if not (outcome.failed or outcome.error):
                if select:
                    built.end_of_some(dbt.warehouse, whole, code)
                else:
                    built.end(dbt.warehouse, code, as_of)
        progress.add("checks", _move_tests(outcome, progress))
        sizes = table_sizes(dbt)
        for key in found:
            if key in wanted and (result := _materialization(key, found[key], outcome, sizes, the_pass, settings)):
                yield result
        for check in checks:
            if check.domain in wanted and (evaluated := _evaluation(check, outcome)):
                yield evaluated
        if outcome.failed or outcome.error:
            why = _why(outcome)
            raise dg.Failure("\n".join([why, *after(settings, why)]), allow_retries=False)

    return build


def table_sizes(dbt: Dbt) -> dict[str, int]:
    """Rows of every table of warehouse and marts, by name; DuckDB keeps the count, nothing is scanned."""
    sizes: dict[str, int] = {}
    for path in (dbt.warehouse, dbt.marts):
        if path.exists():
            with duckdb.connect(str(path), read_only=True) as connection:
                sizes |= dict(connection.execute("select table_name, estimated_size from duckdb_tables()").fetchall())
    return sizes


def _spec(
    key: Key,
    nodes: Sequence[Mapping[str, Any]],
    manifest: Mapping[str, Any],
    systems: Sequence[Any],
    settings: Settings,
) -> dg.AssetSpec:
    parents, streams = domains.upstream(manifest, nodes)
    landed = {
        landing_key(system.system, stream.name)
        for system in systems
        for stream in system.streams
        if (system.role, stream.name) in streams or (system.system, stream.name) in streams
    }
    listing = "\n".join(f"- {quoted(node['name'])} {_first_line(node.get('description'))}" for node in nodes)
    return dg.AssetSpec(
        dg.AssetKey(key),
        deps=[LOADED, *sorted(landed), *(dg.AssetKey(parent) for parent in sorted(parents - {key}, key=domains.rank))],
        description=f"{domains.title(key)}\n\n{listing}",
        group_name=domains.group(key),
        owners=sorted({owner for node in nodes if (owner := _owner(node))}) or PLATFORM,
        kinds=KINDS.get(key[0], {"dbt", "duckdb"}),
        skippable=True,
        metadata={"models": len(nodes), "docs": docs(settings, "kpis.md" if key[0] == "kpi" else "architecture.md")},
    )


def _first_line(description: str | None) -> str:
    """Of a description in the project's own YAML, which may be markdown; without what hides."""
    return visible((description or "").split("\n")[0])


def _owner(node: Mapping[str, Any]) -> str | None:
    owner = (node.get("meta") or {}).get("owner") or (node.get("config", {}).get("meta") or {}).get("owner")
    if not owner:
        return None
    return str(owner) if "@" in str(owner) else "team:" + "".join(c if c.isalnum() else "-" for c in str(owner))


def _check_spec(check: Check) -> dg.AssetCheckSpec:
    what = "keys, references and allowed values" if check.name == "keys" else "rules of the business"
    described = f"{len(check.tests)} dbt tests on {what}."
    return dg.AssetCheckSpec(
        check.name, asset=dg.AssetKey(check.domain), description=described, blocking=check.blocking
    )


def _materialization(
    key: Key,
    nodes: Sequence[Mapping[str, Any]],
    outcome: Build,
    sizes: Mapping[str, int],
    the_pass: Pass,
    settings: Settings,
) -> dg.MaterializeResult[Any] | None:
    ran = {node.unique_id: node for node in outcome.nodes}
    mine = [(node["name"], ran[node["unique_id"]]) for node in nodes if node["unique_id"] in ran]
    if not mine or not all(node.ok for _, node in mine):
        return None
    rows = {name: sizes[name] for name, _ in mine if name in sizes}
    table = [
        dg.TableRecord({"model": name, "rows": rows.get(name, 0), "seconds": round(node.seconds, 3)})
        for name, node in mine
    ]
    return dg.MaterializeResult(
        asset_key=dg.AssetKey(key),
        metadata={
            "dagster/row_count": sum(rows.values()),
            "seconds": round(sum(node.seconds for _, node in mine), 3),
            "as of": instant(the_pass.as_of),
            "tables": dg.MetadataValue.table(table),
            "docs": docs(settings, "architecture.md"),
        },
    )


def _evaluation(check: Check, outcome: Build) -> dg.AssetCheckResult | None:
    """None when not one of its tests ran, because what they test was skipped."""
    ran = [node for node in outcome.nodes if node.unique_id in check.tests and node.status != "skipped"]
    if not ran:
        return None
    failed = [node for node in ran if not node.ok]
    only_warned = all(node.status == "warn" for node in failed)
    listing = [
        dg.TableRecord({"test": node.unique_id.split(".")[2], "status": node.status, "rows": node.failures or 0})
        for node in sorted(ran, key=lambda node: (node.ok, node.unique_id))
    ]
    return dg.AssetCheckResult(
        passed=not failed,
        asset_key=dg.AssetKey(check.domain),
        check_name=check.name,
        severity=dg.AssetCheckSeverity.WARN if only_warned else dg.AssetCheckSeverity.ERROR,
        metadata={"ran": len(ran), "failed": len(failed), "tests": dg.MetadataValue.table(listing[:50])},
    )


def _move_tests(outcome: Build, progress: Progress) -> float:
    """The share of the build's seconds that tests took, so that the split of seconds tells models from checks."""
    spent = {True: 0.0, False: 0.0}
    for node in outcome.nodes:
        spent[node.unique_id.startswith("test.")] += node.seconds
    whole = progress.seconds.get("dbt", 0.0)
    moved = whole * spent[True] / ((spent[True] + spent[False]) or 1.0)
    progress.add("dbt", -moved)
    return moved


def _why(outcome: Build) -> str:
    lines = [f"{node.unique_id.split('.')[2]}: {node.status}, {node.message}" for node in outcome.failed[:10]]
    return visible("dbt: " + ("\n".join(lines) or outcome.error or "failed"))
