"""The last two steps of a pass: the two KPI programs must agree, then readers get a new version."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from orchestration import agreement
from orchestration.assets.landing import PLATFORM, docs
from orchestration.derived import minded
from orchestration.escaping import metadata, visible
from orchestration.passes import Pass, instant, left_out, loaded_state, work_key
from orchestration.progress import Progress
from orchestration.publication import current, publish
from orchestration.settings import Settings
from orchestration.tools import Tools, mirror

AGREEMENT = dg.AssetKey(["kpi", "agreement"])
PUBLISHED = dg.AssetKey(["published", "snapshot"])
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=6), warn_window=timedelta(hours=2))
AGREE = "both_programs_agree"


def agreement_asset(
    upstream: Sequence[dg.AssetKey], settings: Settings, tools: Tools, progress: Progress
) -> dg.AssetsDefinition:
    """Computes every KPI a second time and writes the verdict beside each cell. Disagreement, or agreement on
    nothing, blocks."""
    spec = dg.AssetSpec(
        AGREEMENT,
        deps=upstream,
        description="Every KPI cell as the SQL and the independent reference computed it, and whether they agree.",
        group_name="kpi",
        owners=PLATFORM,
        kinds={"polars", "duckdb"},
        metadata={"docs": docs(settings, "kpis.md")},
    )
    check = dg.AssetCheckSpec(
        AGREE,
        asset=AGREEMENT,
        blocking=True,
        description="Numerators and denominators of both programs are equal in every cell.",
    )

    @dg.multi_asset(name="compare_kpis", specs=[spec], check_specs=[check], required_resource_keys={"the_pass"})
    def compare(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        context.resources.the_pass.take_warehouse()
        progress.report("checks", "agreement", 0, 1)
        with progress.timed("checks"), minded(settings):
            result = tools.agree(agreement.as_of_of(settings.marts))
            agreement.store(settings.marts, verdicts(result))
            found = agreement.verdict(settings.marts)
        progress.report("checks", "agreement", 1, 1)
        records = [dg.TableRecord({key: str(value) for key, value in row.items()}) for row in found.examples]
        yield dg.MaterializeResult(
            asset_key=AGREEMENT,
            metadata={
                "cells agreed": found.agreed,
                "cells disagreed": found.disagreed,
                **{name: dg.MetadataValue.float(value) for name, value in agreement.headlines(settings.marts).items()},
                "docs": docs(settings, "kpis.md"),
            },
        )
        yield dg.AssetCheckResult(
            passed=found.ok and result.ok,
            asset_key=AGREEMENT,
            check_name=AGREE,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata=metadata(
                {
                    "agreed": found.agreed,
                    "disagreed": found.disagreed,
                    "summary": str(result.summary()),
                    **({"first disagreements": dg.MetadataValue.table(records)} if records else {}),
                }
            ),
        )

    return compare


def verdicts(result: Any) -> Any:
    """The frame of verdicts per cell from the comparison of the two programs."""
    return result.cells


def complete_up_to(settings: Settings, left_out: Collection[str] = ()) -> dict[str, str | None]:
    """Per system, the instant up to which what it said is in this version, as it stood when the pass ended; of those
    whose landing file could not be loaded, as the version before says."""
    look, before = mirror(settings), current(settings.published)
    found = {name: look.landed(name) for name in look.systems()}
    told = {
        name: instant(landed.complete_up_to_utc) if landed is not None and landed.complete_up_to_utc else None
        for name, landed in found.items()
    }
    return told | {name: before.note.get("complete_up_to", {}).get(name) if before else None for name in left_out}


def published_asset(settings: Settings, progress: Progress, code: str) -> dg.AssetsDefinition:
    """Swaps the published version; refuses marts whose cells were not compared, whoever asks."""
    spec = dg.AssetSpec(
        PUBLISHED,
        deps=[AGREEMENT],
        description="What BI tools, `crossdock kpi` and `crossdock trace` read: a complete, checked version.",
        group_name="publication",
        owners=PLATFORM,
        kinds={"duckdb", "file"},
        freshness_policy=FRESH,
        metadata={"path": dg.MetadataValue.path(str(settings.snapshot)), "docs": docs(settings, "operations.md")},
    )

    @dg.multi_asset(
        name="publish_snapshot", specs=[spec], required_resource_keys={"the_pass"}, retry_policy=dg.RetryPolicy(2, 5)
    )
    def publication(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        the_pass: Pass = context.resources.the_pass
        the_pass.take_warehouse()
        progress.report("publication", "snapshot", 0, 1)
        with progress.timed("publication"), minded(settings):
            found = agreement.verdict(settings.marts)
            if not found.ok:
                raise dg.Failure(visible(f"not published: {found.words}"), allow_retries=False)
            state = loaded_state(settings.warehouse)
            run = context.instance.get_run_by_id(context.run_id)  # `context.run` is as it was when the run began
            without = left_out(run.tags) if run is not None else {}
            as_of = instant(agreement.as_of_of(settings.marts))
            note = {
                "as_of": as_of,
                "loaded": state,
                "work_key": work_key(state, code),
                "run_id": context.run_id,
                "cells": found.agreed,
                "complete_up_to": complete_up_to(settings, without),
            }
            snapshot = publish(settings.marts, settings.published, note=note, keep=settings.keep_versions)
        progress.report("publication", "snapshot", 1, 1)
        return dg.MaterializeResult(
            asset_key=PUBLISHED,
            metadata={
                "version": snapshot.version,
                "as of": as_of,
                "bytes": snapshot.note["bytes"],
                "seconds": snapshot.note["seconds"],
                "path": dg.MetadataValue.path(str(snapshot.file)),
                **{name: dg.MetadataValue.float(value) for name, value in agreement.headlines(settings.marts).items()},
            },
        )

    return publication
