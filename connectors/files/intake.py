"""The decision about each file of a batch: take it, know it already, wait for its end, or keep it as a dead letter."""

import hashlib
import logging
from dataclasses import replace
from datetime import datetime

import msgspec

from connectors.config_kinds import SftpRead, SftpStream
from connectors.documents import Row
from connectors.files.formats import parse
from connectors.files.parsed import Envelope, Parsed, file_letter
from connectors.files.registry import Control, Known, Registry, State
from connectors.files.remote import RemoteFile
from connectors.files.sftp import Large, Unreadable
from connectors.landing.commit import utc_now
from connectors.model import DeadLetter
from connectors.size import cut

log = logging.getLogger(__name__)


class Intake:
    """Collects what one commit lands: rows, dead letters, and what to remember. Updates `registry` as it goes, so that
    two files of one batch see each other."""

    def __init__(self, stream: SftpStream, registry: Registry, read: SftpRead) -> None:
        self.stream, self.registry, self.read = stream, registry, read
        self.rows: list[Row] = []
        self.dead: list[DeadLetter] = []
        self.files: list[Known] = []
        self.read_now: list[str] = []
        self.controls: list[Control] = []

    def take(self, file: RemoteFile, content: bytes | Unreadable | Large | None) -> None:
        """Decide about one file. `content` is Large when there is too much of it to be taken, None when it is not to be
        asked for."""
        known = self.registry.files.get(file.path)
        if content is None:
            self._not_asked_for(file)
        elif isinstance(content, Large):
            limit = f"{self.read.max_file_mb:g} MB"
            reason = f"the file has {file.size} bytes, more than {limit}; only its head was kept"
            raw = cut(content.size, content.sha256, content.head)
            self.dead.append(self._letter(file, reason, raw, "unread"))
            self._remember(file, "refused")
        elif isinstance(content, Unreadable):
            if "NoSuchFile" in str(content):
                return  # gone between the looks: there is nothing to say about it
            self.dead.append(self._letter(file, f"the file may not be read ({content})", b"", "unread"))
            self._remember(file, "unread", known)
        elif len(content) != file.size:
            self._wait(file, known, "its size changed while it was read")
        else:
            self._content(file, known, content)

    def _not_asked_for(self, file: RemoteFile) -> None:
        if file.is_folder and file.listed is None:
            self.dead.append(self._letter(file, f"the folder {file.fault}; nothing in it was read", b"", "unread"))
            self._remember(file, "unread")
            return
        what = "the folder's name {}; nothing in it was read" if file.is_folder else "the name {}; it was not read"
        name = (file.listed or file.path).rpartition("/")[2].encode("utf-8", "surrogateescape")
        self.dead.append(self._letter(file, what.format(file.fault), name, "name"))
        self._remember(file, "refused")

    def _content(self, file: RemoteFile, known: Known | None, content: bytes) -> None:
        """A row is as old as its content: what waited since before another file came does not land over that one."""
        sha256, seen = hashlib.sha256(content).hexdigest(), self._seen(file, known)
        told: list[DeadLetter] = []
        taken = Known(file.path, file.size, file.mtime, sha256, "landed", 0, seen, len(content))
        self.read_now.append(file.path)
        if known is not None and known.sha256 is not None:
            if known.sha256 == sha256:
                self._remember(file, "duplicate" if known.is_waiting else known.state, taken, known.rows)
                return
            if known.state == "changed" or not known.begins(content):
                hashes = f"taken with sha256 {known.sha256[:12]}, now {sha256[:12]}"
                reason = f"the content changed under the same name ({hashes})"
                self.dead.append(_seen_at(seen, self._letter(file, reason, content, "changed")))
                self._remember(file, "changed", taken)
                return
            told = parse(self.stream, file.path, content[: known.length]).dead
        twin = self.registry.contents.get(sha256)
        if twin is not None:  # under the first name it differs from what landed only where something came in between
            log.info("%s has the content of %s, which was taken already", file.path, twin)
            found = parse(self.stream, twin, content)
            found.dead = []
            self._remember(file, "duplicate", taken, self._accept(file, found, seen))
            return
        found = parse(self.stream, file.path, content)
        if found.cut is not None and not self._is_patience_over(file, known):
            self._wait(file, known, found.cut)
            return
        found.dead = [letter for letter in found.dead if letter not in told]
        self._remember(file, "landed", taken, self._accept(file, found, seen))

    def _seen(self, file: RemoteFile, known: Known | None) -> datetime:
        return known.first_seen if known and known.state == "pending" and known.is_as_listed(file) else utc_now()

    def _accept(self, file: RemoteFile, found: Parsed, seen: datetime) -> int:
        rows, dead = [*found.rows], [*found.dead]
        for envelope in found.envelopes:
            more, faults = self._envelope(file, envelope)
            rows += more
            dead += faults
        self.rows += [(key, document, f"{seen.isoformat()}Z") for key, document, _ in rows]
        self.dead += [_seen_at(seen, letter) for letter in dead]
        return len(rows)

    def _envelope(self, file: RemoteFile, envelope: Envelope) -> tuple[list[Row], list[DeadLetter]]:
        """ISA13 is unique between sender and receiver: the same number with the same bytes was sent again and is
        known, with other bytes it is a fault."""
        sha256 = hashlib.sha256(envelope.raw).hexdigest()
        control = Control(envelope.sender, envelope.receiver, envelope.control, sha256, file.path)
        taken = self.registry.controls.get(control.key)
        if taken is None:
            self.registry.controls[control.key] = control
            self.controls.append(control)
            return envelope.rows, envelope.dead
        if taken.sha256 == sha256:
            return [], []
        name = f"interchange {envelope.control} of {envelope.sender}"
        reason = f"{name} was taken already, from {taken.path}, with other content"
        return [], [self._letter(file, reason, envelope.raw, "interchange")]

    def _wait(self, file: RemoteFile, known: Known | None, why: str) -> None:
        log.info("%s is not finished (%s); looked at again later", file.path, why)
        self._remember(file, "pending", known, first_seen=self._seen(file, known))

    def _is_patience_over(self, file: RemoteFile, known: Known | None) -> bool:
        if known is None or known.state != "pending" or not known.is_as_listed(file):
            return False
        return utc_now() - known.first_seen >= self.read.patience

    def _remember(
        self,
        file: RemoteFile,
        state: State,
        taken: Known | None = None,
        rows: int = 0,
        first_seen: datetime | None = None,
    ) -> None:
        """`taken` has the content that was taken last, if any was."""
        before = self.registry.files.get(file.path)
        sha256, length = (taken.sha256, taken.length) if taken and taken.sha256 else (None, None)
        first = first_seen or (before.first_seen if before else utc_now())
        known = Known(file.path, file.size, file.mtime, sha256, state, rows, first, length)
        self.registry.remember(known)
        self.files.append(known)

    def _letter(self, file: RemoteFile, reason: str, raw: bytes, level: str) -> DeadLetter:
        return file_letter(self.stream.name, file.path, reason, raw, level)


def _seen_at(seen: datetime, letter: DeadLetter) -> DeadLetter:
    """The letter with when its content was seen, which says over what a replay of it may land."""
    place = msgspec.json.decode(letter.position or "{}")
    return replace(letter, position=msgspec.json.encode(place | {"seen": f"{seen.isoformat()}Z"}).decode())
