"""How Dagster starts runs and sees whether they live: the default launcher, and a health check, which it has none of.

Without one, run monitoring finds a killed run only when its time is over (hours), and until then everybody waits.
"""

import time
from typing import Any

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, LaunchRunContext, WorkerStatus

from orchestration.runs import LAUNCHER_TAG, PROCESS_TAG, Process, why_dead


class ProcessRunLauncher(DefaultRunLauncher):
    """Named in the generated `dagster.yaml`; a run's worker is the process that it registered."""

    def launch_run(self, context: LaunchRunContext) -> None:
        # a run executed anew inherits the tags of the one before, also the process that did that one
        tags = {LAUNCHER_TAG: Process.this().tag, PROCESS_TAG: ""}
        self._instance.add_run_tags(context.dagster_run.run_id, tags)
        super().launch_run(context)

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        record = self._instance.get_run_record_by_id(run.run_id)
        why = why_dead(record, time.time()) if record is not None else "it was deleted"
        return CheckRunHealthResult(WorkerStatus.FAILED if why else WorkerStatus.RUNNING, why)


def registering(definition: dg.ExecutorDefinition) -> dg.ExecutorDefinition:
    """The same executor; a run that it begins carries the process that runs it, whatever the job and the steps."""

    def create(context: Any) -> Any:
        made = definition.executor_creation_fn(context)  # type: ignore[misc]
        execute = made.execute

        def registered(plan_context: Any, execution_plan: Any) -> Any:
            plan_context.instance.add_run_tags(plan_context.run_id, {PROCESS_TAG: Process.this().tag})
            return execute(plan_context, execution_plan)

        made.execute = registered  # type: ignore[method-assign]
        return made

    return dg.ExecutorDefinition(
        name=definition.name,
        config_schema=definition.config_schema,  # type: ignore[arg-type]
        requirements=definition._requirements_fn,
        executor_creation_fn=create,
    )
