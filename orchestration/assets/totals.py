"""Control totals as an asset check: does what landed add up to what the source has, at one position?

A whole pass over each table of the source, so it is not part of every pass: a job of its own runs it once a night, and
whoever asks.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from orchestration.assets.landing import landing_key
from orchestration.escaping import metadata
from orchestration.tools import Permanent, Tools, translated

CHECK = "control_totals"


def has_totals(system: Any) -> bool:
    """Only a database tells counts and sums of one instant."""
    return bool(system.read.kind == "postgres")


def check_key(system: Any) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(landing_key(system.system, system.streams[0].name), CHECK)


def totals_check(system: Any, tools: Tools) -> dg.AssetChecksDefinition:
    name = system.system

    @dg.asset_check(
        name=CHECK,
        asset=check_key(system).asset_key,
        description=f"Counts and sums of every column of {name} are the same there and here, at one position.",
    )
    def compare() -> dg.AssetCheckResult:
        try:
            found = tools.totals(system)
        except Exception as error:
            known = translated(error)
            if isinstance(known, Permanent):
                raise dg.Failure(f"{name}: {known}", allow_retries=False) from error
            raise
        return dg.AssetCheckResult(passed=not any(t.differences for t in found), metadata=metadata(told(found)))

    return compare


def told(totals: Sequence[Any]) -> dict[str, str]:
    """Stream -> its rows, what differs, or why it was not compared."""
    return {
        total.stream: "; ".join(total.differences)
        or (f"not compared: {total.why_not}" if total.why_not else f"{total.there['rows']} rows, all equal")
        for total in totals
    }
