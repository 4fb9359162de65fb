"""`crossdock run`: one pass through the same job as the sensors start, on the persisted instance, so that the UI
shows it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from connectors.control import open_control
from orchestration import space
from orchestration.cli import systems as connected
from orchestration.cli.output import err, out, print_json
from orchestration.cli.resnapshot import resnapshot, snapshot_streams
from orchestration.escaping import visible
from orchestration.locks import held
from orchestration.passes import ACCEPT_CLOCK_TAG, AS_OF_TAG, FORCE_TAG, MENDED_TAG, instant, left_out
from orchestration.progress import PHASES, Progress
from orchestration.publication import current
from orchestration.settings import DBT_PROJECT, Settings

PUBLISHED_WITHOUT = 3
FOLLOWS = "every_stream_follows"  # the check of orchestration.assets.landing, which imports Dagster


@dataclass
class Outcome:
    """What a pass did: whether it succeeded, why not, the systems it published without and why, the dead runs and
    damaged files it went past, the version that readers see now, and where the seconds went."""

    ok: bool
    problems: list[str]
    without: list[str]
    went_past: list[str]
    version: int | None
    as_of: str | None
    seconds: dict[str, float] = field(default_factory=dict)


def one_pass(
    settings: Settings,
    systems: Sequence[Any],
    chosen: Sequence[Any],
    progress: Progress,
    accept_clock: bool = False,
) -> Outcome:
    """Runs the pass in this process. Raises Busy when another `crossdock run` of this home does not end."""
    from orchestration.instance import prepare_instance

    prepare_instance(settings.dagster_home)
    import dagster as dg

    from orchestration.assets.landing import landing_key
    from orchestration.dbt import Dbt, systems_by_role
    from orchestration.definitions import build_defs
    from orchestration.jobs import PASS
    from orchestration.runs import PROCESS_TAG, Process, end_dead_runs

    models = Dbt(DBT_PROJECT, settings.dbt_target, settings.warehouse, settings.marts, systems_by_role(systems))
    defs = build_defs(settings, systems=systems, progress=progress, dbt=models)
    try:
        job = defs.resolve_job_def(PASS)
    except dg.DagsterInvariantViolationError:
        models.manifest()  # without one there is no job; this raises why there is none
        raise
    skipped = {
        landing_key(system.system, stream.name)
        for system in systems
        if system not in chosen
        for stream in system.streams
    }
    keys = [key for key in job.asset_layer.executable_asset_keys if key not in skipped]
    consent = {ACCEPT_CLOCK_TAG: "true"} if accept_clock else {}
    with held(settings.home / "run.lock", wait_s=settings.lock_wait_s, doing="crossdock run"):
        with dg.DagsterInstance.get() as instance:
            went_past = end_dead_runs(instance)
            tags = {AS_OF_TAG: instant(settings.now()), FORCE_TAG: "true", PROCESS_TAG: Process.this().tag} | consent

            def execute(selection: Sequence[Any] | None) -> Any:
                return job.execute_in_process(
                    instance=instance,
                    raise_on_error=False,
                    asset_selection=selection,
                    tags=tags,
                    run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                )

            result, without = execute(keys if skipped else None), []
            problems, still, missing = _problems(result), standing_still(result), unreached(result)
            if not result.success and can_go_on_without(settings, chosen, missing):
                landings = {landing_key(system.system, stream.name) for system in systems for stream in system.streams}
                without = problems
                result = execute([key for key in keys if key not in landings])
                problems = _problems(result)
            ran = instance.get_run_by_id(result.run_id)
            tags = dict(ran.tags) if ran is not None else {}
            damaged = {name: why for name, why in left_out(tags).items() if name not in missing}
            without = [*without, *still, *(f"{name}: {why}" for name, why in damaged.items())]
            went_past = [*went_past, *tags.get(MENDED_TAG, "").splitlines()]
    snapshot = current(settings.published)
    return Outcome(
        result.success,
        problems,
        without,
        went_past,
        snapshot.version if snapshot else None,
        snapshot.note["as_of"] if snapshot else None,
        {phase: round(progress.seconds[phase], 2) for phase in PHASES if phase in progress.seconds},
    )


def unreached(result: Any) -> set[str]:
    """The systems whose landing failed; none when anything else failed too, or nothing did."""
    failed = {event.step_key for event in result.filter_events(lambda event: event.is_step_failure)}
    landings = {step.removeprefix("land_") for step in failed if step.startswith("land_")}
    return landings if len(landings) == len(failed) else set()


def standing_still(result: Any) -> list[str]:
    """The streams that landed nothing because they cannot be followed, each with the reason and the way out."""
    return [
        f"{stream}: {reason.value}"
        for check in result.get_asset_check_evaluations()
        if check.check_name == FOLLOWS and not check.passed
        for stream, reason in check.metadata.items()
    ]


def can_go_on_without(settings: Settings, chosen: Sequence[Any], missing: set[str]) -> bool:
    """Whether the others are worth publishing: some system answered, and of the missing ones there is what landed
    before, or at least an empty relation (of a database that never landed not even the columns are known)."""
    if not missing or missing >= {system.system for system in chosen}:
        return False
    return all(
        system.read.kind != "postgres" or (settings.landing / f"{system.system}.duckdb").exists()
        for system in chosen
        if system.system in missing
    )


def run(
    names: Sequence[str],
    as_json: bool,
    anew: Sequence[str] = (),
    streams: Sequence[str] = (),
    accept_clock: bool = False,
) -> int:
    """One pass; `anew` are systems of which a full snapshot is taken before it, `streams` (`system.stream`) those read
    again beside the others; `accept_clock` consents to business now far ahead of what is published, or before it."""
    settings = Settings.from_env()
    systems = connected.needed(settings)
    chosen = connected.chosen(systems, names)
    space.needed(settings)
    open_control(settings.control).close()  # a store that was lost is said once, before anything lands
    with bars(quiet=as_json) as progress, space.minded(settings):
        resnapshot(settings, connected.chosen(systems, anew) if anew else [])
        snapshot_streams(settings, systems, streams)
        outcome = one_pass(settings, systems, chosen, progress, accept_clock)
        if full := space.why(settings, "\n".join([*outcome.problems, *outcome.without])):
            (outcome.went_past if outcome.ok else outcome.problems).insert(0, full)
    if as_json:
        print_json(outcome.__dict__)
    else:
        tell(outcome)
    return status_of(outcome)


def status_of(outcome: Outcome) -> int:
    """0 published, 3 published without a system that could not be read, 1 not published."""
    return (PUBLISHED_WITHOUT if outcome.without else 0) if outcome.ok else 1


def tell(outcome: Outcome) -> None:
    """The outcome in two lines, or its problems; before them the dead runs and damaged files it went
    past."""
    for line in outcome.went_past:
        out().print(line, style="yellow", markup=False, highlight=False)
    for line in outcome.without:
        out().print(f"Published without what is new in {line}", style="yellow", highlight=False, soft_wrap=True)
    for problem in outcome.problems:
        out().print(problem, style="red", markup=False, highlight=False)
    if outcome.ok:
        out().print(f"Published version {outcome.version} as of {outcome.as_of}")
    out().print("Seconds: " + ", ".join(f"{phase} {spent:.1f}" for phase, spent in outcome.seconds.items()))


@contextmanager
def bars(*, quiet: bool = False) -> Iterator[Progress]:
    """A Progress that draws one bar per phase and label on standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Drawing

    drawing = Drawing(
        TextColumn("{task.description:<24}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("{task.fields[label]}", markup=False), console=err(), disable=quiet,
    )  # fmt: skip
    tasks: dict[str, Any] = {}

    def listen(phase: str, label: str, done: int, total: int | None) -> None:
        name = f"{phase} {label}" if phase == "landing" else phase
        if name not in tasks:
            tasks[name] = drawing.add_task(name, total=total, label="")
        shown = "" if phase == "landing" else visible(label[:40])
        drawing.update(tasks[name], completed=done, total=total, label=shown)

    with drawing:
        yield Progress(listen)


def _problems(result: Any) -> list[str]:
    """Why a pass failed: the reason of each failed step once, then the checks that did not pass."""
    found = []
    for event in result.filter_events(lambda event: event.is_step_failure):
        data = event.step_failure_data
        reason = data.user_failure_data.description if data.user_failure_data else None
        cause = data.error.cause if data.error is not None else None
        error = cause or data.error
        found.append(f"{event.step_key}: {reason or (error.message.strip() if error else 'failed')}")
    for check in result.get_asset_check_evaluations():
        if not check.passed and check.severity.value == "ERROR":
            found.append(f"check {check.asset_key.to_user_string()} {check.check_name} did not pass")
    for event in result.all_events:
        if event.is_run_failure and not found:
            data = event.job_failure_data
            found.append(data.error.message.strip() if data.error else "the run failed")
    return found
