"""What the run history says about earlier tries: pure questions, asked by sensors before they request anything."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from orchestration.passes import LOADING_TAG

RUN_KEY = "dagster/run_key"
BACKOFF_S = 15
BACKOFF_MAX_S = 3600
IN_FLIGHT = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def is_running(instance: dg.DagsterInstance, tags: Mapping[str, str], job: str | None = None) -> bool:
    """Whether a run of the job with these tags is queued or under way."""
    return instance.get_runs_count(dg.RunsFilter(job_name=job, tags=dict(tags), statuses=IN_FLIGHT)) > 0


def is_gathering(instance: dg.DagsterInstance, job: str) -> bool:
    """Whether a run of the job is queued or under way that has not begun to load: it will land every system itself."""
    records = instance.get_runs(dg.RunsFilter(job_name=job, statuses=IN_FLIGHT))
    return any(LOADING_TAG not in run.tags for run in records)


def last_runs(instance: dg.DagsterInstance, tags: Mapping[str, str], job: str | None = None) -> Sequence[Any]:
    """The last few finished runs, newest first."""
    return instance.get_run_records(dg.RunsFilter(job_name=job, tags=dict(tags), statuses=FINISHED), limit=10)


def failures(records: Sequence[Any]) -> int:
    """How many of the newest runs failed in a row."""
    count = 0
    for record in records:
        if record.dagster_run.status is dg.DagsterRunStatus.SUCCESS:
            break
        count += 1
    return count


def backoff_left(records: Sequence[Any], now: datetime) -> timedelta:
    """How long to wait before the next try: twice as long after each failure, up to an hour. A level-triggered retry
    without
    this would start runs for ever."""
    failed = failures(records)
    if not failed:
        return timedelta(0)
    ended = records[0].end_time or records[0].update_timestamp.timestamp()
    since = now - datetime.fromtimestamp(ended, UTC)
    # a clock that was ahead when the run ended is no reason to wait for it
    return timedelta(seconds=min(BACKOFF_S * 2 ** (failed - 1), BACKOFF_MAX_S)) - max(since, timedelta(0))


def next_attempt(instance: dg.DagsterInstance, tags: Mapping[str, str], job: str | None = None) -> int:
    """The number of the next try at what these tags name: one more than the newest has in its key `...:N`.

    Counting the runs would give a number, and so a key, a second time once old ones are pruned.
    """
    newest = instance.get_runs(dg.RunsFilter(job_name=job, tags=dict(tags)), limit=1)
    tail = newest[0].tags.get(RUN_KEY, "").rpartition(":")[2] if newest else ""
    return (int(tail) if tail.isdigit() else len(newest)) + 1


def short(text: str | None) -> str:
    """A position as a tag: itself when short, else its digest, since tags are indexed and long ones break some
    stores."""
    value = text or "none"
    return value if len(value) <= 40 else hashlib.sha256(value.encode()).hexdigest()[:24]
