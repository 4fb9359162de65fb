"""Crossdock as Dagster sees it: every connected system, the models, the checks, publication and write-back.

Loads without any configured system too, and then shows what is missing.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from orchestration.assembly import assemble
from orchestration.assets.landing import source_spec
from orchestration.assets.setup import Connected, connected, missing_specs
from orchestration.dbt import Dbt, systems_by_role
from orchestration.jobs import executor, pass_resource
from orchestration.private import keep_private
from orchestration.progress import Progress
from orchestration.settings import DBT_PROJECT, Settings
from orchestration.tools import Tools, real_tools


def build_defs(
    settings: Settings,
    *,
    systems: Sequence[Any] | None = None,
    tools: Tools | None = None,
    progress: Progress | None = None,
    dbt: Dbt | None = None,
) -> dg.Definitions:
    """The code location of a home. Everything that touches the world can be replaced, which is how tests drive it."""
    use, watch = tools or real_tools(settings), progress or Progress()
    state = connected(settings) if systems is None else Connected(list(systems), [])
    by_role = systems_by_role(state.systems)
    models = dbt or Dbt(DBT_PROJECT, settings.dbt_target, settings.warehouse, settings.marts, by_role)
    manifest, problems = state.manifest(models)
    parts = assemble(settings, state.systems, models, manifest, tools=use, progress=watch, automate=not problems)
    shown = [*missing_specs(problems, settings), *(source_spec(system, settings) for system in state.systems)]
    return dg.Definitions(
        assets=[*shown, *parts.assets],
        asset_checks=parts.checks,
        jobs=parts.jobs,
        sensors=parts.sensors,
        schedules=parts.schedules,
        resources={"the_pass": pass_resource(settings, state.systems, use)},
        executor=executor(settings),
    )


@dg.definitions
def crossdock() -> dg.Definitions:
    """The code location, from the environment."""
    keep_private()
    return build_defs(Settings.from_env())
