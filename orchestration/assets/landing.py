"""Landing: what another company's system said, one asset per stream, one step per system.

Here belongs how a landing run is shown; how it reads and lands is `connectors.sync`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from orchestration.escaping import metadata, quoted, visible
from orchestration.passes import POSITION_TAG, SYSTEM_TAG
from orchestration.progress import Progress
from orchestration.settings import Settings
from orchestration.tools import Away, Permanent, Tools, translated

PLATFORM = ["team:data-platform"]
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=6), warn_window=timedelta(hours=2))
RETRY = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
FOLLOWS = "every_stream_follows"
KIND = {"postgres": "postgres", "rest": "rest", "sftp": "sftp"}


def source_key(system: Any) -> dg.AssetKey:
    return dg.AssetKey(["source", system.system])


def landing_key(system: str, stream: str) -> dg.AssetKey:
    return dg.AssetKey(["landing", system, stream])


def source_spec(system: Any, settings: Settings) -> dg.AssetSpec:
    """The system itself, outside of us: where the graph begins."""
    return dg.AssetSpec(
        source_key(system),
        description=f"{quoted(system.title or system.system)}, the {system.role.upper()}; read by {system.read.kind}.",
        group_name="sources",
        owners=_owners(system),
        kinds={KIND.get(system.read.kind, system.read.kind)},
        tags={"role": system.role},
        metadata={"streams": len(system.streams), "docs": docs(settings, "connecting.md")},
    )


def stream_spec(system: Any, stream: Any, settings: Settings) -> dg.AssetSpec:
    where = next(
        (str(getattr(stream, name)) for name in ("table", "path", "pattern") if getattr(stream, name, None)),
        stream.name,
    )
    return dg.AssetSpec(
        landing_key(system.system, stream.name),
        deps=[source_key(system)],
        description=f"Every change of {quoted(where)} in {quoted(system.title or system.system)}, and what it is now.",
        group_name=f"landing_{system.system}",
        owners=_owners(system),
        kinds={"duckdb", KIND.get(system.read.kind, system.read.kind)},
        tags={"role": system.role},
        freshness_policy=FRESH,
        metadata=metadata(
            {
                "source": where,
                "key": ", ".join(stream.key) or "as declared in the source",
                **({"contract": stream.contract} if hasattr(stream, "contract") else {}),
                "docs": docs(settings, "connecting.md"),
            }
        ),
    )


def landing_asset(system: Any, settings: Settings, tools: Tools, progress: Progress) -> dg.AssetsDefinition:
    """One step that lands everything a system has to say since the last time; safe to kill and to repeat.

    One stream may be selected by itself. Where a source tells all of them together (one slot), the others land too.
    """
    name = system.system
    specs = [stream_spec(system, stream, settings) for stream in system.streams]
    dead = dg.AssetCheckSpec(
        "nothing_dead",
        asset=specs[0].key,
        description=f"No record of {name} waits as a dead letter; see `crossdock dead-letters`.",
    )
    follows = dg.AssetCheckSpec(
        FOLLOWS,
        asset=specs[0].key,
        description=f"No stream of {name} stands still; the reason and the way out are in the metadata.",
    )

    @dg.multi_asset(
        name=f"land_{name}",
        specs=specs,
        check_specs=[dead, follows],
        can_subset=True,
        retry_policy=RETRY,
        op_tags={"crossdock/step": "landing"},
    )
    def land(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        landed: dict[str, int] = {}
        selected = context.selected_asset_keys
        streams = [spec.key.path[-1] for spec in specs if spec.key in selected]
        wanted = {"only": streams} if len(streams) < len(specs) else {}

        def on_progress(_system: str, stream: str, rows: int) -> None:
            landed[stream] = landed.get(stream, 0) + rows
            progress.report("landing", name, sum(landed.values()))

        progress.report("landing", name, 0)
        try:
            with progress.timed("landing"):
                result = tools.sync(system, on_progress, **wanted)
                verified = tools.verify(system) if system.write is not None else ()
        except Exception as error:
            known = translated(error)
            if isinstance(known, Permanent | Away):
                raise dg.Failure(f"{name}: {known}", allow_retries=False) from error
            raise
        progress.report("landing", name, result.rows, result.rows)
        waiting = tools.dead_letters(name)
        shared = {
            "position": str(result.position),
            "complete up to": _time(result.complete_up_to),
            "lag_s": _lag(result.complete_up_to, settings),
            "seconds": round(float(result.seconds), 3),
            "docs": docs(settings, "operations.md"),
        }
        if wanted and (more := sorted(set(result.per_stream) - set(streams))):
            context.log.info("%s tells its streams together: %s landed too", name, visible(", ".join(more)))
        stopped = dict(result.stopped)
        for stream in streams:
            count = int(result.per_stream.get(stream, 0))
            open_here = sum(1 for letter in waiting if letter["stream"] == stream)
            yield dg.MaterializeResult(
                asset_key=landing_key(name, stream),
                metadata=metadata(
                    {
                        "changes": count,
                        "dead letters": open_here,
                        **_without_none({"stands still": stopped.get(stream), **shared}),
                    }
                ),
            )
        reasons = sorted({str(row["reason"]) for row in waiting})
        checked = context.selected_asset_check_keys
        results = [
            _check("nothing_dead", specs, not waiting, {"waiting": len(waiting), "reasons": "; ".join(reasons[:5])}),
            _check(FOLLOWS, specs, not stopped, {f"{name}.{stream}": reason for stream, reason in stopped.items()}),
        ]
        yield from (r for r in results if dg.AssetCheckKey(specs[0].key, str(r.check_name)) in checked)
        for write in verified:
            context.log.info("our own write came back from %s: %s", name, visible(str(dict(write))))
        context.log.info("%s landed %s changes up to %s", name, result.rows, visible(str(result.position)))

    return land


def _check(name: str, specs: Sequence[dg.AssetSpec], passed: bool, values: Mapping[str, Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=passed,
        asset_key=specs[0].key,
        check_name=name,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata(values),
    )


def run_tags(system: str, position: str | None) -> dict[str, str]:
    """Tags of a run that lands a system up to a position; short, since Dagster indexes them."""
    return {SYSTEM_TAG: system, POSITION_TAG: visible((position or "none")[:60])}


def docs(settings: Settings, page: str) -> dg.MetadataValue[Any]:
    return dg.MetadataValue.url(f"{settings.docs}/{page}")


def _owners(system: Any) -> list[str] | None:
    """An address as it is; anything else as a team, in the letters that Dagster allows."""
    owner = system.owner
    if not owner or re.fullmatch(r"(team:[\w-]+|[\w.+-]+@[\w-]+(\.[\w-]+)+)", owner, re.ASCII):
        return [owner] if owner else None
    return ["team:" + re.sub(r"[^\w-]", "-", owner.removeprefix("team:"), flags=re.ASCII)]


def _lag(complete_up_to: datetime | None, settings: Settings) -> float | None:
    """Seconds between business now and the instant up to which the source is complete here."""
    if complete_up_to is None:
        return None
    aware = complete_up_to if complete_up_to.tzinfo else complete_up_to.replace(tzinfo=UTC)
    return max(0.0, (datetime.now(UTC) - aware).total_seconds()) if settings.business_now == "wall" else None


def _time(moment: datetime | None) -> Any:
    if moment is None:
        return None
    return dg.MetadataValue.timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _without_none(metadata: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if value is not None}
