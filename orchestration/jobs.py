"""The jobs: a pass from landing to publication; write-back and control totals in runs of their own."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from orchestration.escaping import visible
from orchestration.gathering import Gathering
from orchestration.imports import import_ahead
from orchestration.launcher import registering
from orchestration.passes import AS_OF_TAG, RECONCILE, SYSTEM_TAG, Pass, instant, opened
from orchestration.pruning import prune
from orchestration.settings import Settings
from orchestration.tools import Tools

PASS = "crossdock_pass"  # noqa: S105 - a job, not a password
WRITEBACK = "crossdock_writeback"
TOTALS = "crossdock_totals"


def jobs(*, has_writes: bool, totals: Sequence[dg.AssetCheckKey] = ()) -> list[Any]:
    """Write-back is a job apart, so that a failed check never stops an approved write, nor a refused write a
    publication. Control totals read whole tables, so they are not part of a pass."""
    writes = dg.AssetSelection.key_prefixes("writeback")
    about = "Land what changed, load, build and test the models, compare the two KPI programs, publish."
    counting = dg.AssetSelection.checks(*totals)
    of_a_pass = dg.AssetSelection.all() - writes - counting if totals else dg.AssetSelection.all() - writes
    found = [dg.define_asset_job(PASS, of_a_pass, description=about)]
    if totals:
        found.append(dg.define_asset_job(TOTALS, counting, description="Compare counts and sums with the sources."))
    if has_writes:
        found.append(
            dg.define_asset_job(WRITEBACK, writes, description="Send what was approved; settle what is in doubt.")
        )
    return found


def executor(settings: Settings) -> Any:
    """In one process by default: a step costs nothing to start. `CROSSDOCK_EXECUTOR=multiprocess` isolates steps."""
    known = {"in_process": dg.in_process_executor, "multiprocess": dg.multiprocess_executor}
    return registering(known[settings.executor])


def pass_resource(settings: Settings, systems: Sequence[Any], tools: Tools) -> dg.ResourceDefinition:
    """One `Pass` per run (per step with a multiprocess executor); it lets go of the warehouse when the run ends.

    Business now is read when the run starts, not when it was asked for: it may have waited in the queue.
    """

    @dg.resource
    def the_pass(context: dg.InitResourceContext) -> Iterator[Pass]:
        instance = context.instance
        run = instance.get_run_by_id(context.run_id) if instance is not None and context.run_id else None
        tags = dict(run.tags) if run is not None else {}
        import_ahead()
        with opened(settings, tags) as current:
            if current.reads_now and (SYSTEM_TAG in tags or RECONCILE in tags):
                current.gathering = Gathering(tags.get(SYSTEM_TAG), systems, tools)
            if instance is not None and run is not None and AS_OF_TAG not in tags:
                # for the steps that other processes of this run will do
                instance.add_run_tags(run.run_id, {AS_OF_TAG: instant(current.as_of)})
            yield current
        if instance is not None:
            try:
                prune(instance, settings)
            except Exception as error:  # a history that is not pruned is no reason for a pass to fail
                context.log.warning(visible(f"the history of runs was not pruned: {error}"))  # type: ignore[union-attr]

    return the_pass
