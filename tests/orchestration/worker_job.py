"""A job with the executor of a home, made anew in every process that works on it, as a run's worker does."""

from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.jobs import executor
from orchestration.settings import Settings


def made(name: str) -> Any:
    @dg.op
    def nothing() -> None: ...

    @dg.job(executor_def=executor(Settings.from_env({"CROSSDOCK_EXECUTOR": name}, home=Path("unused"))))
    def does_nothing() -> None:
        nothing()

    return does_nothing
