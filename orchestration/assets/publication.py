"""The last two steps of a pass: the two KPI programs must agree, then readers get a new version."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from orchestration import agreement, built, completeness
from orchestration.assets.landing import PLATFORM, docs
from orchestration.derived import minded
from orchestration.escaping import metadata, visible
from orchestration.passes import Pass, instant, work_key
from orchestration.progress import Progress
from orchestration.publication import publish
from orchestration.settings import Settings
from orchestration.tools import Tools

AGREEMENT = dg.AssetKey(["kpi", "agreement"])
PUBLISHED = dg.AssetKey(["published", "snapshot"])
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=6), warn_window=timedelta(hours=2))
AGREE = "both_programs_agree"
NOT_WHOLE = (
    "the models are not all of one build: the last one failed or was killed, or some were built alone after more was"
    " loaded; `crossdock run`, or the job crossdock_pass, builds all of them"
)


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
            result, found = _compared(settings, tools)
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


def _compared(settings: Settings, tools: Tools) -> tuple[Any, agreement.Verdict]:
    """Has the reference compute every cell, and keeps the verdicts in the marts."""
    result = tools.agree(agreement.as_of_of(settings.marts))
    agreement.store(settings.marts, result.cells, ok=result.ok)
    return result, agreement.verdict(settings.marts)


def published_asset(
    settings: Settings, tools: Tools, progress: Progress, systems: Mapping[str, Sequence[str]]
) -> dg.AssetsDefinition:
    """Swaps the published version; refuses marts that are not whole or whose cells do not agree, whoever asks, and
    compares them first where that was not asked for. `systems` are those that each KPI model is made from."""
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
            of = built.built(settings.warehouse)
            if of is None:
                raise dg.Failure(f"not published: {NOT_WHOLE}", allow_retries=False)
            found, needed = agreement.verdict(settings.marts), []
            if not found.compared:
                found, needed = _compared(settings, tools)[1], ["kpi/agreement"]
                context.log.warning("the cells of this build were not compared yet: compared before publication")
            if not found.ok:
                raise dg.Failure(visible(f"not published: {found.words}"), allow_retries=False)
            completeness.store(settings.marts, of, systems)
            as_of = instant(agreement.as_of_of(settings.marts))
            note = {
                "as_of": as_of,
                "loaded": of.loaded,
                "work_key": work_key(of.loaded, of.code),
                "run_id": context.run_id,
                "cells": found.agreed,
                "complete_up_to": {name: at and instant(at) for name, at in of.complete_up_to.items()},
                "behind": {name: visible(why) for name, why in of.behind.items()},
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
                **({"did besides": ", ".join(needed)} if needed else {}),
                "path": dg.MetadataValue.path(str(snapshot.file)),
                **{name: dg.MetadataValue.float(value) for name, value in agreement.headlines(settings.marts).items()},
            },
        )

    return publication
