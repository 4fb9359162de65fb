"""`crossdock dead-letters` and `crossdock replay`."""

from collections.abc import Sequence
from dataclasses import asdict

from orchestration.cli import systems as connected
from orchestration.cli.errors import BadInput
from orchestration.cli.output import print_json, print_table
from orchestration.settings import Settings

COLUMNS = ("system", "stream", "id", "key", "reason", "first_seen_utc")


def listing(system: str | None, as_json: bool) -> None:
    from connectors.replay import dead_letters

    settings = Settings.from_env()
    if system is not None:
        connected.chosen(connected.load(settings, require_env=False), [system])
    found = dead_letters(settings.home, system, settings.environment.get("CROSSDOCK_CONTROL"))
    if as_json:
        print_json(found)
    else:
        print_table("Dead letters", found, COLUMNS)


def again(ids: Sequence[str], system: str | None, as_json: bool) -> None:
    """Replays through the path that read the record first. Raises BadInput for an id that no open letter has."""
    from connectors.replay import dead_letters, replay

    settings = Settings.from_env()
    control = settings.environment.get("CROSSDOCK_CONTROL")
    systems = connected.chosen(connected.load(settings), [system] if system else [])
    known = {str(letter["id"]) for letter in dead_letters(settings.home, system, control)}
    if unknown := sorted(set(ids) - known):
        raise BadInput(f"no open dead letter {', '.join(unknown)}; `crossdock dead-letters` lists them")
    done = [asdict(one) for one in replay(settings.home, systems, list(ids) or None, control)]
    if as_json:
        print_json(done)
    else:
        print_table("Replayed", done)
