"""What the assets call, in one place: the connectors and the KPI reference, imported when first used.

Tests replace single tools; nothing else in `orchestration` imports `connectors` or `kpi_models` for work.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestration.escaping import visible
from orchestration.imports import imported
from orchestration.settings import Settings


class Transient(Exception):
    """A step failed for a reason that may pass; it is tried again."""


class Away(Transient):
    """A source does not answer, and was asked long enough: the next pass asks again, not this one."""


class Permanent(Exception):
    """A step failed for a reason that a person must mend; it is not tried again."""


@dataclass(frozen=True)
class Tools:
    """`sync(system, on_progress, only=streams)`, `source_position(system)`, `landed(system name)`, `load(systems)`,
    `agree(as_of)`, `push(system)`, `totals(system)`."""

    sync: Callable[..., Any]
    source_position: Callable[[Any, str | None], str | None]
    landed: Callable[[str], Any]
    dead_letters: Callable[[str], Sequence[Mapping[str, Any]]]
    load: Callable[[Sequence[Any]], Any]
    agree: Callable[[datetime], Any]
    verify: Callable[[Any], Sequence[Mapping[str, Any]]]
    push: Callable[[Any], Mapping[str, int]]
    approved: Callable[[], Sequence[str]]
    totals: Callable[[Any], Sequence[Any]] = lambda _system: ()


def real_tools(settings: Settings) -> Tools:
    """The tools of a Crossdock home."""

    def sync(system: Any, on_progress: Callable[..., None] | None = None, only: Sequence[str] = ()) -> Any:
        from connectors.sync import sync as land

        return land(system, settings.home, on_progress=on_progress, only=only, control=outside_control(settings))

    def source_position(system: Any, landed: str | None) -> str | None:
        from connectors.sync import source_position as position

        return position(system, landed)

    def load(systems: Sequence[Any]) -> Any:
        from connectors.load import load as copy

        return copy(systems, settings.home, settings.warehouse)

    def agree(as_of: datetime) -> Any:
        imported()
        from kpi_models import agree as compare

        return compare(settings.warehouse, settings.marts, as_of)

    def push(system: Any) -> Mapping[str, int]:
        from orchestration.writes import push_approved

        return push_approved(settings, system)

    def verify(system: Any) -> Sequence[Mapping[str, Any]]:
        from orchestration.writes import verify as look

        return look(settings, system)

    def approved() -> Sequence[str]:
        from orchestration.writes import waiting

        return waiting(settings)

    def totals(system: Any) -> Sequence[Any]:
        from connectors.sync import control_totals

        return control_totals(system, settings.home)

    return Tools(
        sync=sync,
        source_position=source_position,
        landed=lambda name: mirror(settings).landed(name),
        dead_letters=lambda name: mirror(settings).dead_letters(name),
        load=load,
        agree=agree,
        verify=verify,
        push=push,
        approved=approved,
        totals=totals,
    )


def outside_control(settings: Settings) -> str | None:
    """The URL of a control store that is not the home's own file."""
    return settings.environment.get("CROSSDOCK_CONTROL")


def mirror(settings: Settings) -> Any:
    """The mirror of what landed, in the control store: the only place to look without opening a DuckDB file."""
    from connectors.control import Mirror, read_control

    return Mirror(read_control(settings.control))


def translated(error: Exception) -> Exception:
    """The error of a connector as one of two classes, its message visible; what is unknown may pass, so it is
    transient."""
    names = {kind.__name__ for kind in type(error).__mro__}
    permanent = {
        "PermanentError",
        "ConfigError",
        "Refused",
        "PublicationError",
        "SettingsError",
        "Permanent",
        "DbtError",
    }
    words = visible(str(error) or type(error).__name__)
    if "Unreachable" in names:
        return Away(words)
    return Permanent(words) if names & permanent else Transient(words)
