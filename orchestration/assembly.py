"""What there is to run once systems are connected and the models parse: assets, jobs, sensors and schedules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestration.assets.landing import landing_asset
from orchestration.assets.models import models_asset
from orchestration.assets.publication import AGREEMENT, PUBLISHED, agreement_asset, published_asset
from orchestration.assets.totals import check_key, has_totals, totals_check
from orchestration.assets.warehouse import LOADED, loaded_asset
from orchestration.assets.writeback import writeback_asset
from orchestration.automation import Automation
from orchestration.completeness import systems_by_model
from orchestration.dbt import Dbt
from orchestration.jobs import jobs
from orchestration.passes import code_version
from orchestration.progress import Progress
from orchestration.settings import REPOSITORY, Settings
from orchestration.tools import Tools


@dataclass
class Parts:
    """The parts of a code location; empty lists where there is nothing to run."""

    assets: list[Any] = field(default_factory=list)
    checks: list[Any] = field(default_factory=list)
    jobs: list[Any] = field(default_factory=list)
    sensors: list[Any] = field(default_factory=list)
    schedules: list[Any] = field(default_factory=list)


def assemble(
    settings: Settings,
    systems: Sequence[Any],
    dbt: Dbt,
    manifest: Mapping[str, Any] | None,
    *,
    tools: Tools,
    progress: Progress,
    automate: bool,
) -> Parts:
    """The parts for these systems. Without a manifest only landing is shown; `automate` is false on a broken setup."""
    parts = Parts([landing_asset(system, settings, tools, progress) for system in systems])
    if not systems or manifest is None:
        return parts
    counted = [system for system in systems if has_totals(system)]
    parts.checks = [totals_check(system, tools) for system in counted]
    code = code_version(systems, dbt.project, REPOSITORY / "kpi_models", REPOSITORY / "contracts")
    models = models_asset(dbt, manifest, systems, settings, progress, code)
    writable = [system for system in systems if system.write is not None]
    parts.assets += [
        loaded_asset(systems, settings, tools, progress, code),
        models,
        agreement_asset([*models.keys], settings, tools, progress),
        published_asset(settings, tools, progress, systems_by_model(manifest, systems)),
        *(writeback_asset(system, settings, tools) for system in writable),
    ]
    parts.jobs = jobs(has_writes=bool(writable), totals=[check_key(system) for system in counted])
    if automate:
        automation = Automation(settings, tools, [LOADED, *models.keys, AGREEMENT, PUBLISHED])
        parts.sensors, parts.schedules = automation.definitions(systems)
    return parts
