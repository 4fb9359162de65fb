"""`crossdock status`: where every system stands. Reads the control store and asks the sources; opens no DuckDB file
for it."""

from typing import Any

from orchestration.cli import systems as connected
from orchestration.cli.output import instant, out, print_json, print_table
from orchestration.publication import current
from orchestration.settings import Settings
from orchestration.tools import mirror

COLUMNS = ("system", "source", "landed", "complete_up_to", "rows", "dead_letters", "last_run", "outcome")


def standing(settings: Settings, systems: list[Any], *, ask: bool = True) -> list[dict[str, Any]]:
    """One row per system. A source that does not answer is said so; it never fails the command."""
    look = mirror(settings)
    rows = []
    for system in systems:
        landed = look.landed(system.system)
        rows.append(
            {
                "system": system.system,
                "role": system.role,
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
    rows = standing(settings, connected.load(settings))
    snapshot = current(settings.published)
    published = None if snapshot is None else {"version": snapshot.version, **snapshot.note}
    if as_json:
        print_json({"home": str(settings.home), "systems": rows, "published": published})
        return
    print_table("Systems", rows, COLUMNS)
    for row in rows:
        if row["error"]:
            out().print(f"{row['system']}: {row['error']}", style="red")
    if published is None:
        out().print("Published: nothing yet; `crossdock run` publishes after its checks")
    else:
        out().print(f"Published: version {published['version']} as of {published['as_of']}")


def _source(system: Any, landed: str | None) -> str:
    from connectors.sync import source_position

    try:
        return source_position(system, landed) or "empty"
    except Exception as error:
        return f"does not answer: {str(error).splitlines()[0]}"
