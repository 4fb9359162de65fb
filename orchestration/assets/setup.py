"""What is missing before anything can run, shown as assets instead of a code location that does not load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from orchestration.assets.landing import docs
from orchestration.dbt import Dbt
from orchestration.escaping import quoted
from orchestration.settings import Settings


@dataclass(frozen=True)
class Connected:
    """The systems found, and the problems that keep them from being read. `ready` means automation may start."""

    systems: list[Any]
    problems: list[str]

    @property
    def ready(self) -> bool:
        return bool(self.systems) and not self.problems

    def manifest(self, dbt: Dbt) -> tuple[Mapping[str, Any] | None, list[str]]:
        """The dbt manifest, or None with one problem more."""
        try:
            return dbt.manifest(), self.problems
        except Exception as error:
            return None, [*self.problems, f"dbt project: {error}"]


def connected(settings: Settings) -> Connected:
    """The systems of the home; with an unset variable they are still shown, but nothing runs by itself."""
    from connectors.config import ConfigError, load_systems

    try:
        systems = load_systems(settings.systems, settings.environment)
        none = f"no system is configured: put one YAML per system into {settings.systems}, or set CROSSDOCK_SYSTEMS"
        return Connected(systems, [] if systems else [none])
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
    try:
        return Connected(load_systems(settings.systems, settings.environment, require_env=False), problems)
    except ConfigError:
        return Connected([], problems)


def missing_specs(problems: Sequence[str], settings: Settings) -> list[dg.AssetSpec]:
    """One asset that says what to do, when there is anything to do."""
    if not problems:
        return []
    listing = "\n".join(f"- {quoted(problem)}" for problem in problems)
    return [
        dg.AssetSpec(
            ["setup", "missing"],
            description=f"Nothing runs by itself until this is mended; `crossdock check` tells the same.\n\n{listing}",
            group_name="setup",
            metadata={"docs": docs(settings, "connecting.md")},
        )
    ]
