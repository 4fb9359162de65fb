"""`crossdock status`: where every system stands. Reads the control store and asks the sources; opens no DuckDB file
for it."""

from typing import Any

from orchestration.cli import systems as connected
from orchestration.cli.errors import BadInput
from orchestration.cli.output import instant, out, print_json, print_table
from orchestration.publication import current
from orchestration.settings import Settings
from orchestration.tools import mirror

COLUMNS = ("system", "source", "landed", "complete_up_to", "rows", "dead_letters", "last_run", "outcome")


def standing(settings: Settings, systems: list[Any], *, ask: bool = True) -> list[dict[str, Any]]:
    """One row per system, those that landed here once and are not connected now last. A source that does not answer is
    said so; it never fails the command."""
    look = mirror(settings)
    connected_now = {system.system: system for system in systems}
    rows = []
    for name in [*connected_now, *(name for name in look.systems() if name not in connected_now)]:
        system, landed = connected_now.get(name), look.landed(name)
        rows.append(
            {
                "system": name,
                "role": getattr(system, "role", None),
                "source": _source(system, getattr(landed, "position", None)) if ask else None,
                "landed": getattr(landed, "position", None),
                "complete_up_to": instant(getattr(landed, "complete_up_to_utc", None)),
                "rows": getattr(landed, "rows", 0),
                "dead_letters": getattr(landed, "dead_letters", 0),
                "last_run": instant(getattr(landed, "last_run_utc", None)),
                "outcome": getattr(landed, "last_outcome", None) or "never ran",
                "error": getattr(landed, "last_error", None),
            }
        )
    return rows


def run(as_json: bool) -> None:
    settings = Settings.from_env()
    if not settings.home.exists():
        raise BadInput(
            f"there is no home at {settings.home}; CROSSDOCK_HOME names it (the demo's is .demo in the clone)"
        )
    systems, missing = _systems(settings)
    rows = standing(settings, systems, ask=missing is None)
    snapshot = current(settings.published)
    published = None if snapshot is None else {"version": snapshot.version, **snapshot.note}
    if as_json:
        print_json({"home": str(settings.home), "systems": rows, "published": published, "not_asked": missing})
        return
    print_table(f"Systems of {settings.home}", rows, COLUMNS)
    for row in rows:
        if row["error"]:
            out().print(f"{row['system']}: {row['error']}", style="red")
    if missing is not None:
        out().print(f"The sources were not asked: {missing}", style="yellow")
    if published is None:
        out().print("Published: nothing yet; `crossdock run` publishes after its checks")
    else:
        out().print(f"Published: version {published['version']} as of {published['as_of']}")


def _systems(settings: Settings) -> tuple[list[Any], str | None]:
    """The connected systems, and why they cannot be asked when the environment lacks what that takes: what landed is
    worth seeing without a password too."""
    from connectors.model import ConnectorError

    try:
        return connected.load(settings), None
    except ConnectorError as error:
        return connected.load(settings, require_env=False), str(error)


def _source(system: Any | None, landed: str | None) -> str:
    from connectors.sync import source_position

    if system is None:
        return "not connected here"
    try:
        return source_position(system, landed) or "empty"
    except Exception as error:
        return f"does not answer: {str(error).splitlines()[0]}"
