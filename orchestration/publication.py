"""Publication: readers get a new snapshot by an atomic swap and never meet a writer.

    published/v000041/crossdock.duckdb, snapshot.json
    published/v000042/crossdock.duckdb, snapshot.json
    published/current -> v000042

DuckDB lets one process write or many read, never both, so BI never opens the marts file. `current` is a *directory*
symlink:
the name of the catalog (the file's stem) stays the same, and a new connection in a process that still runs a query on
the
old version sees the new one, which a file replaced by rename does not give.
"""

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from connectors.landing.corruption import damage
from orchestration.locks import held

FILE = "crossdock.duckdb"
NOTE = "snapshot.json"
READABLE = "v1.0.0"
WAY_OUT = "the next pass mends it: `crossdock run`"
_BUILDING = ".building-"


class PublicationError(Exception):
    """The marts cannot be published as they are. Permanent until the cause is mended."""


@dataclass(frozen=True)
class Snapshot:
    """One published version: its folder, its number and what was noted when it was made."""

    folder: Path
    version: int
    note: Mapping[str, Any]

    @property
    def file(self) -> Path:
        return self.folder / FILE


def prepare_marts(marts: Path) -> None:
    """Creates the marts file in a storage format that 1.5 clients can read, when it is not there yet."""
    if marts.exists():
        return
    marts.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{_quoted(marts)}' as crossdock (storage_version '{READABLE}')")


def publish(marts: Path, published: Path, *, note: Mapping[str, Any], keep: int = 5, wait_s: float = 60) -> Snapshot:
    """Copies the checkpointed marts file beside the older versions and makes it `current`.

    Killed at any moment, `current` is either the old version or the new one, and complete; what was half done is
    swept by
    the next call. Versions are unique and increase also when several processes publish at once. `note` is kept beside
    the
    file. Raises PublicationError when there is nothing to publish, Busy when another publication does not end.
    """
    if not marts.exists():
        raise PublicationError(f"there is no marts file at {marts}; run a pass first")
    published.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    with held(published / ".publish.lock", wait_s=wait_s, doing="publishing"):
        sweep(published)
        version = max((number for number, _ in _versions(published)), default=0) + 1
        building = published / f"{_BUILDING}{uuid.uuid4().hex}"
        building.mkdir()
        with _quiet(marts):
            shutil.copyfile(marts, building / FILE)
        written = {
            **note,
            "version": version,
            "published_at_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "bytes": (building / FILE).stat().st_size,
            "seconds": round(time.perf_counter() - started, 3),
        }
        (building / NOTE).write_text(json.dumps(written, indent=1, default=str))
        for path in (building / FILE, building / NOTE, building):
            _sync(path)
        folder = published / f"v{version:06d}"
        building.rename(folder)
        _point_current(published, folder.name)
        _prune(published, keep)
    return Snapshot(folder, version, written)


def current(published: Path) -> Snapshot | None:
    """The version readers see now, or None when nothing was ever published."""
    link = published / "current"
    for _ in range(5):
        if not link.is_dir():
            return None
        folder = link.resolve()
        try:
            return Snapshot(folder, int(folder.name[1:]), json.loads((folder / NOTE).read_text()))
        except FileNotFoundError:
            continue  # pruned between the look and the read: there is a newer one
        except (ValueError, TypeError) as error:
            raise PublicationError(f"{folder / NOTE} cannot be read ({error}); {WAY_OUT}") from error
    raise PublicationError(f"{link} points at {link.resolve().name}, which has no {NOTE}; {WAY_OUT}")


def mend_current(published: Path, *, wait_s: float = 60) -> list[str]:
    """Points a `current` that leads nowhere, or to a version that is not whole, at the newest whole one; says so.

    Nothing when it is whole, or when nothing was ever published. With no whole version left `current` is removed, and
    the pass that asks publishes anew.
    """
    link = published / "current"
    if not (link.is_symlink() or link.exists() or _versions(published)):
        return []
    if link.is_symlink() and _is_whole(link.resolve()):
        return []
    with held(published / ".publish.lock", wait_s=wait_s, doing="mending published/current"):
        if link.is_symlink() and _is_whole(link.resolve()):
            return []  # somebody else published meanwhile
        if link.is_dir() and not link.is_symlink():
            link.rename(published / f"{_BUILDING}{uuid.uuid4().hex}")  # a copy that followed the link
        whole = [folder for _, folder in _versions(published) if _is_whole(folder)]
        if whole:
            _point_current(published, whole[-1].name)
            return [f"published/current was broken; it shows {whole[-1].name} again, the newest whole version"]
        link.unlink(missing_ok=True)
        return ["published/current was broken, and no whole version is left; this pass publishes anew"]


def _is_whole(folder: Path) -> bool:
    try:
        is_noted = isinstance(json.loads((folder / NOTE).read_text())["as_of"], str)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return is_noted and (folder / FILE).is_file() and damage(folder / FILE) is None


def versions(published: Path) -> list[int]:
    """The numbers of the versions on disk, oldest first."""
    return [number for number, _ in _versions(published)]


@contextmanager
def reading(published: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Snapshot]]:
    """A read-only connection to the current version. Raises PublicationError when nothing is published yet."""
    for _ in range(5):
        snapshot = current(published)
        if snapshot is None:
            raise PublicationError(
                f"nothing is published in {published} yet; `crossdock run` publishes after its checks"
            )
        try:
            connection = duckdb.connect(str(snapshot.file), read_only=True)
        except duckdb.IOException:
            if snapshot.file.exists():
                raise
            continue  # pruned between the look and the open: there is a newer one
        with connection:
            yield connection, snapshot
        return
    raise PublicationError(f"versions in {published} disappear faster than they can be opened")


@contextmanager
def _quiet(marts: Path) -> Iterator[None]:
    """Everything in the file and nobody writing: the connection is held while the bytes are copied."""
    with duckdb.connect(str(marts)) as connection:
        row = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where path is not null and not internal"
        ).fetchone()
        storage = (row[0] if row else None) or ""
        if storage.rstrip("+") > "v1.5.0":
            raise PublicationError(
                f"{marts} has storage {storage}, unreadable for 1.5 clients; delete it and run a pass"
            )
        connection.execute("force checkpoint")
        yield


def _versions(published: Path) -> list[tuple[int, Path]]:
    found = [path for path in published.glob("v[0-9]*") if path.is_dir() and path.name[1:].isdigit()]
    return sorted((int(path.name[1:]), path) for path in found)


def _point_current(published: Path, name: str) -> None:
    link = published / f".current-{uuid.uuid4().hex}"
    link.symlink_to(name, target_is_directory=True)
    link.replace(published / "current")
    _sync(published)


def sweep(published: Path) -> list[Path]:
    """Removes what killed publications left, and names it; for whoever holds `.publish.lock`."""
    left = [*published.glob(f"{_BUILDING}*"), *published.glob(".current-*")]
    for path in left:
        path.unlink() if path.is_symlink() else shutil.rmtree(path)
    return left


def _prune(published: Path, keep: int) -> None:
    seen = (published / "current").resolve()
    for _, folder in _versions(published)[: -max(keep, 1)]:
        if folder.resolve() != seen:
            shutil.rmtree(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
