"""The connected systems for commands: read once, chosen by name."""

from collections.abc import Sequence
from typing import Any

from orchestration.cli.errors import BadInput
from orchestration.settings import Settings


def load(settings: Settings, *, require_env: bool = True) -> list[Any]:
    """Every system of the home. Raises the connectors' ConfigError with file, line, key and allowed values."""
    from connectors.config import load_systems

    return load_systems(settings.systems, settings.environment, require_env=require_env)


def chosen(systems: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """The systems of these names, or all. Raises BadInput for an unknown name."""
    known = {system.system: system for system in systems}
    if unknown := sorted(set(names) - set(known)):
        raise BadInput(f"no system {', '.join(unknown)}; there are: {', '.join(sorted(known)) or 'none'}")
    return [known[name] for name in names] if names else list(systems)
