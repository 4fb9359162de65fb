"""Loading: the batches that landed since the last time, copied into the warehouse. Here a pass learns whether it has
work."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from orchestration import built
from orchestration.assets.landing import PLATFORM, docs, landing_key
from orchestration.derived import Damaged, minded
from orchestration.escaping import visible
from orchestration.passes import (
    AS_OF_TAG,
    LEFT_OUT_TAG,
    LOADING_TAG,
    MENDED_TAG,
    ClockRefused,
    Pass,
    instant,
    is_done,
    work_key,
)
from orchestration.progress import Progress
from orchestration.publication import current
from orchestration.settings import Settings
from orchestration.tools import Permanent, Tools, mirror, translated

LOADED = dg.AssetKey(["warehouse", "loaded"])
Standing = tuple[datetime | None, str | None]


def loaded_asset(
    systems: Sequence[Any], settings: Settings, tools: Tools, progress: Progress, code: str
) -> dg.AssetsDefinition:
    """Copies from every landing file; when nothing came that is not published already, what follows is skipped."""
    spec = dg.AssetSpec(
        LOADED,
        deps=[landing_key(system.system, stream.name) for system in systems for stream in system.streams],
        description="Everything that landed, copied to where dbt works. When nothing new came the pass ends here.",
        group_name="warehouse",
        owners=PLATFORM,
        kinds={"duckdb"},
        skippable=True,
        metadata={"docs": docs(settings, "architecture.md")},
    )

    @dg.multi_asset(
        name="load_warehouse", specs=[spec], required_resource_keys={"the_pass"}, retry_policy=dg.RetryPolicy(2, 10)
    )
    def load(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        the_pass: Pass = context.resources.the_pass
        try:
            the_pass.take_warehouse()
        except ClockRefused as refused:
            raise dg.Failure(str(refused), allow_retries=False) from refused
        if the_pass.reads_now:
            for warning in the_pass.gathered():
                context.log.warning(visible(warning))
            tags = {LOADING_TAG: "true", AS_OF_TAG: instant(the_pass.as_of)}
            context.instance.add_run_tags(context.run_id, tags)
        progress.report("landing", "into the warehouse", 0, 1)
        try:
            with progress.timed("landing"):
                result, complete = _loaded(the_pass, systems, tools)
                state = built.loaded_state(settings.warehouse)
        except Exception as error:
            known = translated(error)
            if isinstance(known, Permanent):
                raise dg.Failure(str(known), allow_retries=False) from error
            raise
        if anew := getattr(result, "anew", []):
            # its batches may have the very numbers of those published
            context.log.warning(f"another landing file than before, copied as a whole: {', '.join(anew)}")
            the_pass.force = True
        if left_out := getattr(result, "left_out", {}):
            lines = [f"{name}: {visible(why)}" for name, why in left_out.items()]
            for line in lines:
                context.log.warning(f"without what is new in {line}")
            context.instance.add_run_tags(context.run_id, {LEFT_OUT_TAG: "\n".join(lines)})
        if the_pass.mended:
            for line in the_pass.mended:
                context.log.warning(visible(line))
            context.instance.add_run_tags(context.run_id, {MENDED_TAG: "\n".join(the_pass.mended)})
        key = work_key(state, code)
        behind = {name for name, (_, why) in complete.items() if why} | set(left_out)
        progress.report("landing", "into the warehouse", 1, 1)
        if not the_pass.force and is_done(
            current(settings.published), key, behind, the_pass.as_of, settings.business_now
        ):
            context.log.info("nothing new since the published version; the rest of this pass is skipped")
            return
        yield dg.MaterializeResult(
            asset_key=LOADED,
            metadata={
                "rows": sum(result.rows.values()),
                "as of": instant(the_pass.as_of),
                "work key": key,
                "last batches": dg.MetadataValue.json(state),
                "docs": docs(settings, "architecture.md"),
            },
        )

    return load


def _loaded(the_pass: Pass, systems: Sequence[Any], tools: Tools) -> tuple[Any, dict[str, Standing]]:
    """What was copied, and how each system stands; once more from the start when the warehouse proves damaged."""
    settings = the_pass.settings
    for last in (False, True):
        try:
            with minded(settings):
                complete = _standing(settings, systems)  # what lands while this load goes on may be in it or not
                result = tools.load(systems)
                built.note_load(settings.warehouse, complete, getattr(result, "left_out", {}))
                return result, complete
        except Damaged as damaged:
            if last:
                raise
            the_pass.mended.append(str(damaged))
            the_pass.force = True
    raise AssertionError("the second try returns or raises")


def _standing(settings: Settings, systems: Sequence[Any]) -> dict[str, Standing]:
    """Per connected system up to which instant what it said is here, and why not further when its last landing failed
    or left a stream out, or nothing of it is here."""
    look, found = mirror(settings), dict[str, Standing]()
    for name in sorted(system.system for system in systems):
        landed = look.landed(name)
        if landed is None:
            found[name] = (None, "nothing of it has landed yet")
        elif not (settings.landing / f"{name}.duckdb").exists():
            found[name] = (None, "its landing file is gone")
        else:
            found[name] = (landed.complete_up_to_utc, landed.last_error)
    return found
