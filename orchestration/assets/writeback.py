"""Write-back: an asset like any other, in a job of its own, that sends only what a person approved."""

from typing import Any

import dagster as dg

from orchestration.assets.landing import PLATFORM, docs
from orchestration.assets.publication import PUBLISHED
from orchestration.escaping import quoted
from orchestration.settings import Settings
from orchestration.tools import Permanent, Tools, translated

JOB = "writeback"


def writeback_key(system: str) -> dg.AssetKey:
    return dg.AssetKey(["writeback", system])


def writeback_asset(system: Any, settings: Settings, tools: Tools) -> dg.AssetsDefinition:
    """Sends the approved corrections of one system and settles earlier attempts that are in doubt, by reading, never
    by resending."""
    key, name = writeback_key(system.system), system.system

    @dg.asset(
        key=key,
        deps=[PUBLISHED],
        group_name="writeback",
        owners=PLATFORM,
        description=(
            f"Corrections of {', '.join(system.write.entities)} sent to {quoted(system.title or name)} through its "
            "API, each under a version precondition. Nothing is sent that was not approved by its hash."
        ),
        kinds={"rest"},
        metadata={"guarantee": system.write.guarantee, "docs": docs(settings, "operations.md")},
    )
    def push(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        try:
            counts = tools.push(system)
        except Exception as error:
            known = translated(error)
            if isinstance(known, Permanent):
                raise dg.Failure(str(known), allow_retries=False) from error
            raise
        context.log.info("write-back to %s: %s", name, counts)
        return dg.MaterializeResult(metadata={**counts})

    return push
