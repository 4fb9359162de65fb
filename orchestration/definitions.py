"""Crossdock as Dagster sees it: every connected system, the models, the checks, publication and write-back.

Loads without any configured system too, and then shows what is missing.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from orchestration.assets.landing import landing_asset, source_spec
from orchestration.assets.models import models_asset
from orchestration.assets.publication import AGREEMENT, PUBLISHED, agreement_asset, published_asset
from orchestration.assets.setup import Connected, connected, missing_specs
from orchestration.assets.warehouse import LOADED, loaded_asset
from orchestration.assets.writeback import writeback_asset
from orchestration.automation import Automation
from orchestration.dbt import Dbt, systems_by_role
from orchestration.jobs import executor, jobs, pass_resource
from orchestration.passes import code_version
from orchestration.progress import Progress
from orchestration.settings import DBT_PROJECT, REPOSITORY, Settings
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
    found = state.systems
    models = dbt or Dbt(DBT_PROJECT, settings.dbt_target, settings.warehouse, settings.marts, systems_by_role(found))
    code = code_version(models.project, REPOSITORY / "kpi_models", REPOSITORY / "contracts")
    manifest, problems = state.manifest(models)
    assets: list[Any] = [*missing_specs(problems, settings), *(source_spec(system, settings) for system in found)]
    assets += [landing_asset(system, settings, use, watch) for system in found]
    runnable = bool(found and manifest)
    if runnable:
        built = models_asset(models, manifest, found, settings, watch)
        assets += [loaded_asset(found, settings, use, watch, code), built]
        assets += [agreement_asset([*built.keys], settings, use, watch), published_asset(settings, watch, code)]
        assets += [writeback_asset(system, settings, use) for system in found if system.write is not None]
        automation = Automation(settings, use, [LOADED, *built.keys, AGREEMENT, PUBLISHED])
    sensors, schedules = automation.definitions(found) if runnable and not problems else ([], [])
    return dg.Definitions(
        assets=assets,
        jobs=jobs(has_writes=any(system.write for system in found)) if runnable else [],
        sensors=sensors,
        schedules=schedules,
        resources={"the_pass": pass_resource(settings)},
        executor=executor(settings),
    )


@dg.definitions
def crossdock() -> dg.Definitions:
    """The code location, from the environment."""
    return build_defs(Settings.from_env())
