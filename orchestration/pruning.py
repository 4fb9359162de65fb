"""The history of runs has an end: by age and by size, whichever comes first, a little after every pass.

Dagster keeps a file of events for each run, rows about it in shared files, and what its steps printed; it prunes
only ticks by itself. What sensors ask for stays, however old: the last runs of each system and job, and the run of
every asset's latest materialization. A run that is not over is never touched. Killed anywhere, the next call goes on:
files of runs that are not known any more are removed too.
"""

import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.runs.schema import RunTagsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from orchestration.history import FINISHED, last_runs
from orchestration.locks import Busy, held
from orchestration.passes import SYSTEM_TAG
from orchestration.settings import Settings

MB = 1024 * 1024
BATCH = 200
AT_ONCE = 400
ORPHAN_S = 3600.0
"""A run's files are there a moment before and after the run itself is known."""
VACUUM = 32 * MB


def prune(instance: dg.DagsterInstance, settings: Settings, *, most_s: float = 2.0, now: float | None = None) -> int:
    """Removes the oldest finished runs until the history is within its days and MB, for at most `most_s` seconds.

    Returns how many it removed; 0 also while another process prunes.
    """
    deadline, moment = time.monotonic() + most_s, time.time() if now is None else now
    files = Files(settings.dagster_home)
    removed: list[str] = []
    with suppress(Busy), held(settings.dagster_home / "prune.lock", wait_s=0, doing="pruning the history"):
        try:
            for run_id in _removable(instance, files, moment - settings.history_days * 86400, settings.history_mb * MB):
                if time.monotonic() > deadline:
                    break
                instance.delete_run(run_id)
                files.remove(run_id)
                removed.append(run_id)
            for run_id in _orphans(instance, files, moment - ORPHAN_S):
                if time.monotonic() > deadline:
                    break
                instance.event_log_storage.delete_events(run_id)
                files.remove(run_id)
                removed.append(run_id)
        finally:
            _forget(instance, removed)
        files.shrink()
    return len(removed)


def _removable(instance: dg.DagsterInstance, files: "Files", before: float, most: int) -> Iterator[str]:
    """Ids of finished runs, oldest first, as long as one ended before `before` or all together are larger than `most`
    bytes."""
    sizes, shared = files.sizes(), files.shared()
    total, share = sum(sizes.values()) + shared, shared // max(len(sizes), 1)
    kept = _last_of_each_asset(instance)
    groups: set[tuple[str, str | None]] = set()
    for record in instance.get_run_records(dg.RunsFilter(statuses=FINISHED), limit=AT_ONCE, ascending=True):
        run = record.dagster_run
        is_old = (record.end_time or record.update_timestamp.timestamp()) < before
        if not is_old and total <= most:
            return
        group = (run.job_name, run.tags.get(SYSTEM_TAG))
        if group not in groups:
            groups.add(group)
            tags = {SYSTEM_TAG: group[1]} if group[1] else {}
            kept |= {last.dagster_run.run_id for last in last_runs(instance, tags, job=group[0])}
        if run.run_id not in kept:
            total -= sizes.get(run.run_id, 0) + share
            yield run.run_id


def _last_of_each_asset(instance: dg.DagsterInstance) -> set[str]:
    entries = [record.asset_entry for record in instance.get_asset_records()]
    return {entry.last_materialization.run_id for entry in entries if entry.last_materialization is not None}


def _orphans(instance: dg.DagsterInstance, files: "Files", before: float) -> list[str]:
    """Ids that have files, none of them touched since `before`, and no run."""
    aged = files.untouched_since(before)
    known: set[str] = set()
    for start in range(0, len(aged), BATCH):
        found = instance.get_runs(dg.RunsFilter(run_ids=aged[start : start + BATCH]))
        known |= {run.run_id for run in found}
    return [run_id for run_id in aged if run_id not in known]


def _forget(instance: dg.DagsterInstance, ids: Sequence[str]) -> None:
    """What `delete_run` leaves in the shared files: tags, and evaluations of checks but the last one of each."""
    runs: Any = instance.run_storage
    storage: Any = instance.event_log_storage
    if not ids or not isinstance(runs, SqlRunStorage) or not isinstance(storage, SqlEventLogStorage):
        return
    with runs.connect() as connection:
        for start in range(0, len(ids), BATCH):
            connection.execute(sa.delete(RunTagsTable).where(RunTagsTable.c.run_id.in_(ids[start : start + BATCH])))
    checks = AssetCheckExecutionsTable.c
    last = sa.select(sa.func.max(checks.id)).group_by(checks.asset_key, checks.check_name)
    with storage.index_connection() as connection:
        for start in range(0, len(ids), BATCH):
            gone = checks.run_id.in_(ids[start : start + BATCH])
            connection.execute(sa.delete(AssetCheckExecutionsTable).where(gone, checks.id.not_in(last)))


class Files:
    """What the history of a home takes on disk; nothing when its storage is elsewhere."""

    def __init__(self, dagster_home: Path) -> None:
        self.events = dagster_home / "history" / "runs"
        self.printed = dagster_home / "storage"
        self.databases = [self.events / "index.db", dagster_home / "history" / "runs.db"]

    def sizes(self) -> dict[str, int]:
        """Bytes per run id."""
        found: dict[str, int] = {}
        for run_id, path in self._of_runs():
            with suppress(FileNotFoundError):
                inside = [one for one in path.rglob("*") if one.is_file()] if path.is_dir() else [path]
                found[run_id] = found.get(run_id, 0) + sum(one.stat().st_size for one in inside)
        return found

    def shared(self) -> int:
        """Bytes in use of the databases that all runs share; pages that are free will be used again."""
        return sum((pages - free) * size for pages, free, size in map(_pages, self.databases))

    def untouched_since(self, before: float) -> list[str]:
        newest: dict[str, float] = {}
        for run_id, path in self._of_runs():
            with suppress(FileNotFoundError):
                newest[run_id] = max(newest.get(run_id, 0.0), path.stat().st_mtime)
        return sorted(run_id for run_id, touched in newest.items() if touched < before)

    def remove(self, run_id: str) -> None:
        for suffix in (".db", ".db-wal", ".db-shm"):
            (self.events / f"{run_id}{suffix}").unlink(missing_ok=True)
        shutil.rmtree(self.printed / run_id, ignore_errors=True)

    def shrink(self) -> None:
        """Gives free pages back to the disk once they are many; somebody who writes just now goes first."""
        for path in self.databases:
            _, free, size = _pages(path)
            if free * size > VACUUM:
                with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path, timeout=1)) as connection:
                    connection.execute("vacuum")

    def _of_runs(self) -> Iterator[tuple[str, Path]]:
        for path in self.events.glob("*.db*") if self.events.is_dir() else ():
            run_id = path.name.partition(".db")[0]
            if len(run_id) == 36:  # a run's id; the rest belongs to all of them
                yield run_id, path
        for path in self.printed.iterdir() if self.printed.is_dir() else ():
            if len(path.name) == 36:
                yield path.name, path


def _pages(path: Path) -> tuple[int, int, int]:
    """Pages, free pages and bytes per page of a SQLite file; zeros without one."""
    if not path.exists():
        return 0, 0, 0
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        pages, free, size = (
            connection.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    return pages, free, size
