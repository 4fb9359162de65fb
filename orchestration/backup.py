"""A copy of what a pass cannot make again: the control store and the landing files; and the way back.

    PATH/manifest.json      what is in it: bytes and SHA-256 of each file
    PATH/control.sqlite     unless CROSSDOCK_CONTROL names a store elsewhere
    PATH/control.key, control.anchor    the key of its ledger, unless it is in the environment, and the anchor
    PATH/landing/<system>.duckdb

The control store is copied first: landing then never stands behind the mirror in it, which would look like nothing to
do. Each file is copied as of one of its commits, rows and cursor together, while passes and writes go on.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from connectors.control.keeping import ANCHOR_FILE, KEY, KEY_FILE
from connectors.landing.corruption import history_minded
from connectors.landing.lock import opened
from orchestration.settings import Settings
from orchestration.tools import outside_control

MANIFEST = "manifest.json"
CONTROL = "control.sqlite"
FORMAT = 1


class BackupError(Exception):
    """A backup cannot be made or put back as it is; the message says what to do. Permanent."""


@dataclass(frozen=True)
class Restored:
    """What was put back: the systems with a landing file, and how many approvals were taken back."""

    systems: list[str]
    withdrawn: int
    has_control: bool


def backup(settings: Settings, target: Path) -> dict[str, Any]:
    """Copies the home to `target`, which must not be there yet; returns the manifest.

    Complete or not there: it is made beside its place and renamed at the end. Raises BackupError, or the connectors'
    errors for a landing file that is damaged or stays locked.
    """
    if not settings.landing.is_dir():
        raise BackupError(f"there is nothing to back up in {settings.home}: CROSSDOCK_HOME names the home")
    if target.resolve().is_relative_to(settings.home.resolve()):
        raise BackupError(f"{target} is inside the home that it would be a copy of; name a place outside it")
    with _made(target) as building:
        names = []
        if outside_control(settings) is None and Path(settings.control).exists():
            # in this order: the store is never behind its anchor, and has no entry without the key that made it
            names += _copy_kept(settings.home, building, ANCHOR_FILE)
            _copy_control(Path(settings.control), building / CONTROL)
            names += [CONTROL, *_copy_kept(settings.home, building, KEY_FILE)]
        (building / "landing").mkdir(mode=0o700)
        for path in sorted(settings.landing.glob("*.duckdb")):
            name = f"landing/{path.name}"
            _copy_landing(path, building / name, settings.lock_wait_s)
            names.append(name)
        files = {
            name: {"bytes": (building / name).stat().st_size, "sha256": _digest(building / name)} for name in names
        }
        manifest = {"format": FORMAT, "taken_utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "files": files}
        _write(building / MANIFEST, json.dumps(manifest, indent=1).encode())
    return manifest


def restore(source: Path, home: Path) -> Restored:
    """Makes `home`, which must be absent or empty, from the backup in `source`, once every file is what the manifest
    says; approvals that were not used up are taken back, since they may have been sent after the backup.

    Raises BackupError when a file is missing or altered, or the ledger is.
    """
    names = _verified(source)
    with _made(home) as building:
        for name in names:
            (building / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy(source / name, building / name)
            _sync(building / name)
        withdrawn = _withdrawn(building / CONTROL) if CONTROL in names else 0
    systems = sorted(Path(name).stem for name in names if name.startswith("landing/"))
    return Restored(systems, withdrawn, CONTROL in names)


def _verified(source: Path) -> list[str]:
    try:
        manifest = json.loads((source / MANIFEST).read_text())
        files = {str(name): str(about["sha256"]) for name, about in manifest["files"].items()}
        known = manifest["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"{source} is no backup: its {MANIFEST} cannot be read ({error})") from error
    if not known:
        raise BackupError(f"{source} has format {manifest['format']}, this version reads {FORMAT}")
    for name, digest in files.items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise BackupError(f"{source / MANIFEST} names {name!r}, which lies outside of the backup")
        if not (source / name).is_file():
            raise BackupError(f"{source / name} is missing; nothing was restored, take another backup")
        if _digest(source / name) != digest:
            raise BackupError(f"{source / name} is not what was backed up; nothing was restored, take another backup")
    return list(files)


def _withdrawn(path: Path) -> int:
    from connectors.control import Keeping, open_control
    from connectors.writeback.actor import current_actor
    from connectors.writeback.chain import check_chain, settle
    from connectors.writeback.restored import withdraw

    # without the second anchor: that is the old home's, which a drill must leave alone
    control = open_control(path, keeping=Keeping(path.parent, {KEY: os.environ.get(KEY, "")}))
    try:
        if fault := check_chain(control, restoring=True):
            raise BackupError(f"the ledger in the backup was altered: {fault}; nothing was restored")
        withdrawn = withdraw(control)
        settle(control, current_actor())
        return withdrawn
    finally:
        control.close()


def _copy_control(source: Path, target: Path) -> None:
    """By SQLite's own backup, which is one state of the file whoever writes meanwhile."""
    with (
        closing(sqlite3.connect(source, timeout=30)) as live,
        closing(sqlite3.connect(target)) as copy,
    ):
        live.backup(copy)
    _sync(target)


def _copy_kept(home: Path, target: Path, name: str) -> list[str]:
    if not (home / name).is_file():
        return []
    shutil.copy(home / name, target / name)  # with its mode
    _sync(target / name)
    return [name]


def _copy_landing(source: Path, target: Path, wait_s: float) -> None:
    """The file is held, checkpointed, while its bytes are copied: nobody commits meanwhile, and no log is needed."""
    with history_minded(source), opened(source, wait_s) as connection:
        connection.execute("force checkpoint")
        shutil.copyfile(source, target)
    _sync(target)


@contextmanager
def _made(place: Path) -> Iterator[Path]:
    """A folder beside `place`, for its owner alone, that takes its name when the block ends well, else is removed."""
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise BackupError(f"{place} is there already and not empty; name another place")
    place.parent.mkdir(parents=True, exist_ok=True)
    for left in place.parent.glob(f".{place.name}.partial-*"):
        maker = left.name.rsplit("-", 2)[1]
        if maker.isdigit() and not psutil.pid_exists(int(maker)):
            shutil.rmtree(left)  # of one that was killed
    building = place.with_name(f".{place.name}.partial-{os.getpid()}-{uuid.uuid4().hex}")
    building.mkdir(mode=0o700)
    try:
        yield building
        building.rename(place)
        _sync(place.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
