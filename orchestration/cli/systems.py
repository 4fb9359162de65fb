"""The connected systems for commands: read once, chosen by name."""

from collections.abc import Sequence
from typing import Any

from orchestration.cli.errors import BadInput
from orchestration.settings import Settings

DEMO_MARKER = ".crossdock-demo"


def load(settings: Settings, *, require_env: bool = True) -> list[Any]:
    """Every system of the home. Raises the connectors' ConfigError with file, line, key and allowed values."""
    from connectors.config import load_systems

    return load_systems(settings.systems, settings.environment, require_env=require_env)


def needed(settings: Settings) -> list[Any]:
    """The connected systems, at least one. Raises BadInput that says what to do when there is none."""
    systems = load(settings)
    if not systems:
        raise BadInput(why_none(settings))
    return systems


def why_none(settings: Settings) -> str:
    """Why no system is connected, and the way out; a demo's home is connected only while its sandbox runs."""
    if (settings.home / DEMO_MARKER).exists():
        return f"{settings.home} is a demo's home and its sandbox is not running; keep `make demo` running beside this"
    return f"{settings.systems}: no system file; put one YAML per connected system there, or set CROSSDOCK_SYSTEMS"


def chosen(systems: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """The systems of these names, or all. Raises BadInput for an unknown name."""
    known = {system.system: system for system in systems}
    if unknown := sorted(set(names) - set(known)):
        raise BadInput(f"no system {', '.join(unknown)}; there are: {', '.join(sorted(known)) or 'none'}")
    return [known[name] for name in names] if names else list(systems)
