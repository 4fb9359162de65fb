"""The key of the ledger and its anchors: what is kept outside of the store, so that an edit of the store shows.

    CROSSDOCK_LEDGER_KEY      the key, at least 32 characters; without it `control.key` in the home, made once, 0600
    control.anchor            the last entry of the ledger that was seen, in the home
    CROSSDOCK_LEDGER_ANCHOR   a second place for the same, on another disk or under another account's hands

An anchor is written after each commit, so the store may be ahead of it and is never behind: a kill in between is no
alarm, and entries cut off the end are one.
"""

import hmac
import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.model import PermanentError, TransientError

KEY, ANCHOR = "CROSSDOCK_LEDGER_KEY", "CROSSDOCK_LEDGER_ANCHOR"
KEY_FILE, ANCHOR_FILE = "control.key", "control.anchor"
LEAST = 32
SECTOR = 512
"""An anchor is one sector, which a disk writes whole or not at all."""


class NoKey(PermanentError):
    """The ledger has entries and there is no key to check or continue them with."""


@dataclass(frozen=True)
class Head:
    """The last entry of a ledger: its id and hash; 0 and "" before the first."""

    entry: int
    hash: str


@dataclass(frozen=True)
class Keeping:
    """`folder` is where key file and anchor are, None for a store that has no home (then the key must be set)."""

    folder: Path | None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @property
    def is_key_set(self) -> bool:
        return bool(self.environment.get(KEY))

    @property
    def anchors(self) -> list[Path]:
        second = self.environment.get(ANCHOR)
        here = [self.folder / ANCHOR_FILE] if self.folder is not None else []
        return [*here, *([Path(second).expanduser()] if second else [])]

    def key(self, *, make: bool = False) -> bytes:
        """The key; with `make` a new one where none is set and none that is long enough was made yet. Raises NoKey
        without one."""
        if said := self.environment.get(KEY):
            if len(said) < LEAST:
                raise PermanentError(f"{KEY} is shorter than {LEAST} characters.", "`openssl rand -hex 32` makes one.")
            return said.encode()
        path = self.folder / KEY_FILE if self.folder is not None else None
        found = _kept(path)
        if path is not None and make and len(found) < LEAST:
            _place(path, os.urandom(32).hex(), replace=path.exists())
            found = _kept(path)
        if len(found) < LEAST:
            raise NoKey(
                f"There is no key for the ledger: {KEY} is not set, and {path or 'a key file'} is missing or short.",
                "Set it, or put the file of your backup back; without either `crossdock writes accept --reason TEXT` "
                "goes on with a new key.",
            )
        return found

    def seen(self, key: bytes) -> dict[Path, Head | None]:
        """What each anchor that is there has seen; None for one that this key did not make."""
        return {path: _read(path, key) for path in self.anchors if path.exists()}

    def has_anchor(self) -> bool:
        return any(path.exists() for path in self.anchors)

    def write(self, head: Head, *, key: bytes | None = None) -> None:
        """Mirrors the head in every place. Raises TransientError naming the place that takes no file."""
        key = key or self.key()
        text = json.dumps({"entry": head.entry, "hash": head.hash, "mac": _mac(key, head)})
        for path in self.anchors:
            try:
                _overwrite(path, text.ljust(SECTOR - 1) + "\n")
            except OSError as error:
                raise TransientError(
                    f"The anchor of the ledger, {path}, cannot be written ({error.strerror}); nothing was sent.",
                    "Make its place writable, or free some space, and repeat it.",
                ) from error


def _kept(path: Path | None) -> bytes:
    try:
        return path.read_text(errors="replace").strip().encode() if path is not None else b""
    except FileNotFoundError:
        return b""


def _read(path: Path, key: bytes) -> Head | None:
    for wait_s in (0.05, 0.0):  # once more, for one that was just being written
        try:
            said = json.loads(path.read_text())
            head = Head(int(said["entry"]), str(said["hash"]))
            if hmac.compare_digest(str(said["mac"]), _mac(key, head)):
                return head
        except (OSError, ValueError, KeyError, TypeError):
            pass
        time.sleep(wait_s)
    return None


def _mac(key: bytes, head: Head) -> str:
    return hmac.digest(key, f"anchor {head.entry} {head.hash}".encode(), "sha256").hex()


def _overwrite(path: Path, text: str) -> None:
    """Writes an anchor where it is, in one piece: a rename for each entry would cost more than the entry."""
    try:
        handle = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return _place(path, text, replace=True)
    try:
        os.pwrite(handle, text.encode(), 0)
        os.fdatasync(handle)
    finally:
        os.close(handle)


def _place(path: Path, text: str, *, replace: bool) -> None:
    """Writes a file whole or not at all, 0600. The folder is not synced: an anchor that a power cut sets back is only
    further behind."""
    fresh = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        if replace:
            fresh.replace(path)
        elif not path.exists():
            os.link(fresh, path)  # never over a key that somebody else made meanwhile
    except FileExistsError:
        pass
    finally:
        fresh.unlink(missing_ok=True)
