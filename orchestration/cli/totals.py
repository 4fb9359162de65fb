"""`crossdock totals`: counts and sums of every landed column against the source, at one position."""

from collections.abc import Sequence

from orchestration.cli import systems as connected
from orchestration.cli.output import out, print_json
from orchestration.settings import Settings


def run(names: Sequence[str], as_json: bool) -> int:
    """0 when all that was compared is equal, 1 when anything differs; a system that tells no totals is named."""
    from connectors.sync import control_totals

    settings = Settings.from_env()
    found = {
        system.system: control_totals(system, settings.home)
        for system in connected.chosen(connected.needed(settings), names)
    }
    differs = any(total.differences for totals in found.values() for total in totals)
    if as_json:
        print_json(
            {
                system: [{"stream": t.stream, "differences": t.differences, "why_not": t.why_not} for t in totals]
                for system, totals in found.items()
            }
        )
        return int(differs)
    for system, totals in found.items():
        equal = sum(1 for total in totals if not total.differences and not total.why_not)
        said = f"{equal} of {len(totals)} streams are equal" if totals else "tells no totals"
        out().print(f"{system}: {said}", highlight=False)
        for total in totals:
            for line in total.differences:
                out().print(f"  {total.stream}: {line}", style="red", markup=False, highlight=False)
            if total.why_not:
                out().print(f"  {total.stream} was not compared: {total.why_not}", markup=False, highlight=False)
    return int(differs)
