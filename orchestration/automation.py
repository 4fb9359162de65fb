"""When things run: a sensor per system, one for approved writes, and a schedule that closes what they missed.

Level-triggered: a sensor compares where the source is with what *successfully* landed, again at every tick, so a lost
event, a
failed run or a restart heals by itself. (An edge-triggered condition loses an update that arrives while its run is on.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from orchestration.assets.landing import landing_key, run_tags
from orchestration.assets.totals import has_totals
from orchestration.assets.writeback import writeback_key
from orchestration.escaping import quoted, visible
from orchestration.history import backoff_left, failures, is_gathering, is_running, last_runs, next_attempt, short
from orchestration.jobs import PASS, TOTALS, WRITEBACK
from orchestration.passes import RECONCILE, SYSTEM_TAG, parse_instant
from orchestration.publication import PublicationError, current
from orchestration.runs import end_dead_runs
from orchestration.settings import Settings
from orchestration.tools import Tools

REPUBLISH_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Automation:
    """What sensors need to know: the home, the tools, and the steps that follow landing in every pass."""

    settings: Settings
    tools: Tools
    after_landing: Sequence[dg.AssetKey]

    def definitions(self, systems: Sequence[Any]) -> tuple[list[dg.SensorDefinition], list[dg.ScheduleDefinition]]:
        """Sensors and schedules; RUNNING by themselves only where the environment asks for it."""
        sensors = [self.system_sensor(system) for system in systems]
        if any(system.write for system in systems):
            sensors.append(self.writes_sensor([system for system in systems if system.write]))
        schedules = [self.reconcile_schedule()]
        if any(has_totals(system) for system in systems):
            schedules.append(self.totals_schedule())
        return sensors, schedules

    def totals_schedule(self) -> dg.ScheduleDefinition:
        return dg.ScheduleDefinition(
            name="nightly_totals",
            job_name=TOTALS,
            cron_schedule="30 2 * * *",
            default_status=self._schedule_status(),
            description="Counts and sums of every column, in each database and here: a whole pass over its tables.",
        )

    def selection(self, systems: Sequence[Any]) -> list[dg.AssetKey]:
        """The landing of these systems and everything that follows."""
        return [landing_key(s.system, stream.name) for s in systems for stream in s.streams] + list(self.after_landing)

    def system_sensor(self, system: Any) -> dg.SensorDefinition:
        name = system.system

        @dg.sensor(
            name=f"{name}_changed",
            job_name=PASS,
            minimum_interval_seconds=self.interval_s(system),
            default_status=self._sensor_status(),
            description=f"Asks for a pass when {quoted(system.title or name)} is ahead of what landed or failed last",
        )
        def changed(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
            instance = context.instance
            end_dead_runs(instance)
            if is_running(instance, {SYSTEM_TAG: name}):
                return dg.SkipReason(f"a run that lands {name} is in flight")
            if is_gathering(instance, PASS):
                return dg.SkipReason(f"a pass that will land {name} before it builds is in flight")
            landed = getattr(self.tools.landed(name), "position", None)
            position = self.tools.source_position(system, landed)
            last = last_runs(instance, {SYSTEM_TAG: name})
            if position == landed and not failures(last):
                return dg.SkipReason(f"{name} is landed up to {visible(str(landed))}")
            if (wait := backoff_left(last, datetime.now(UTC))) > timedelta(0):
                return dg.SkipReason(
                    f"the last {failures(last)} runs failed; trying again in {int(wait.total_seconds())} s"
                )
            return self.request(instance, system, position)

        return changed

    def interval_s(self, system: Any) -> int:
        """Seconds between two looks: a second less than asked for, because the daemon goes round every 5 s and would
        else pass over a sensor whose 5 s are not quite over, every other time."""
        return max(4, min(self.settings.poll_s, int(system.read.poll.total_seconds())) - 1)

    def request(self, instance: dg.DagsterInstance, system: Any, position: str | None) -> dg.RunRequest:
        """A pass that lands one system. Its key is system, position and attempt: a key is never run twice, failed or
        not."""
        tags = run_tags(system.system, short(position))
        attempt = next_attempt(instance, tags)
        return dg.RunRequest(
            run_key=f"{system.system}:{short(position)}:{attempt}",
            tags=tags,
            asset_selection=self.selection([system]),
        )

    def writes_sensor(self, systems: Sequence[Any]) -> dg.SensorDefinition:
        @dg.sensor(
            name="approved_writes",
            job_name=WRITEBACK,
            minimum_interval_seconds=max(4, self.settings.poll_s - 1),
            default_status=self._sensor_status(),
            description="Asks for a write-back run when an approved plan waits or an attempt is in doubt.",
        )
        def approved(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
            end_dead_runs(context.instance)
            waiting = self.tools.approved()
            if not waiting:
                return dg.SkipReason("nothing approved waits to be sent")
            tags = {RECONCILE: short(",".join(waiting))}
            if is_running(context.instance, {}, job=WRITEBACK):
                return dg.SkipReason("a write-back run is in flight")
            last = last_runs(context.instance, {}, job=WRITEBACK)
            if (wait := backoff_left(last, datetime.now(UTC))) > timedelta(0):
                return dg.SkipReason(
                    f"the last {failures(last)} runs failed; trying again in {int(wait.total_seconds())} s"
                )
            attempt = next_attempt(context.instance, tags, job=WRITEBACK)
            keys = [writeback_key(system.system) for system in systems]
            return dg.RunRequest(run_key=f"{tags[RECONCILE]}:{attempt}", tags=tags, asset_selection=keys)

        return approved

    def reconcile_schedule(self) -> dg.ScheduleDefinition:
        @dg.schedule(
            name=RECONCILE,
            job_name=PASS,
            cron_schedule="*/5 * * * *",
            default_status=self._schedule_status(),
            description="A pass over every system when the published version is old, whatever the sensors saw.",
        )
        def reconcile(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
            return self.reconcile(context.instance, f"{context.scheduled_execution_time:%Y%m%dT%H%M}")

        return reconcile

    def reconcile(self, instance: dg.DagsterInstance, tick: str) -> dg.RunRequest | dg.SkipReason:
        """A pass over all systems when one is due and none is under way; at most one per tick.

        It gathers them all and has no landing steps of its own: a system that cannot be read holds up no other.
        """
        if is_running(instance, {}, job=PASS):
            return dg.SkipReason("a pass is in flight")
        last = last_runs(instance, {}, job=PASS)
        # what a failed pass had landed of other systems is nobody else's work
        reason = self.why_reconcile(self.settings.now()) or ("the last pass failed" if failures(last) else None)
        if reason is None:
            return dg.SkipReason("what is published is complete and fresh")
        if (wait := backoff_left(last_runs(instance, {RECONCILE: reason}), datetime.now(UTC))) > timedelta(0):
            return dg.SkipReason(f"the last such pass failed; trying again in {int(wait.total_seconds())} s")
        tags = {RECONCILE: reason}
        return dg.RunRequest(run_key=f"{RECONCILE}:{tick}", tags=tags, asset_selection=list(self.after_landing))

    def why_reconcile(self, now: datetime) -> str | None:
        """Why a full pass is due at business now, or None: nothing published, or published too long ago by either
        clock."""
        try:
            snapshot = current(self.settings.published)
        except PublicationError:
            return "what is published is broken"
        if snapshot is None:
            return "nothing is published yet"
        if datetime.now(UTC) - parse_instant(snapshot.note["published_at_utc"]) > REPUBLISH_AFTER:
            return "published long ago"
        # the wall's clock moves while nothing happens; a world's clock moves only when something did
        behind = self.settings.business_now != "wall" and parse_instant(snapshot.note["as_of"]) < now
        return "business now moved on" if behind else None

    def _schedule_status(self) -> dg.DefaultScheduleStatus:
        status = dg.DefaultScheduleStatus
        return status.RUNNING if self.settings.automation else status.STOPPED

    def _sensor_status(self) -> dg.DefaultSensorStatus:
        return dg.DefaultSensorStatus.RUNNING if self.settings.automation else dg.DefaultSensorStatus.STOPPED
