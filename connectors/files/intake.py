"""The decision about each file of a batch: take it, know it already, wait for its end, or keep it as a dead letter."""

import hashlib
import logging
from datetime import datetime

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
        self.controls: list[Control] = []

    def take(self, file: RemoteFile, content: bytes | Unreadable | Large | None) -> None:
        """Decide about one file. `content` is Large when there is too much of it to be taken, None when it has a name
        that is not asked for."""
        known = self.registry.files.get(file.path)
        if content is None:
            what = "the folder's name {}; nothing in it was read" if file.is_folder else "the name {}; it was not read"
            name = (file.listed or file.path).rpartition("/")[2].encode("utf-8", "surrogateescape")
            self.dead.append(self._letter(file, what.format(file.fault), name, "unread"))
            self._remember(file, None, "refused")
        elif isinstance(content, Large):
            limit = f"{self.read.max_file_mb:g} MB"
            reason = f"the file has {file.size} bytes, more than {limit}; only its head was kept"
            raw = cut(content.size, content.sha256, content.head)
            self.dead.append(self._letter(file, reason, raw, "unread"))
            self._remember(file, None, "refused")
        elif isinstance(content, Unreadable):
            if "NoSuchFile" in str(content):
                return  # gone between the looks: there is nothing to say about it
            self.dead.append(self._letter(file, f"the file may not be read ({content})", b"", "unread"))
        elif len(content) != file.size:
            self._wait(file, known, "its size changed while it was read")
        else:
            self._content(file, known, content)

    def _content(self, file: RemoteFile, known: Known | None, content: bytes) -> None:
        sha256 = hashlib.sha256(content).hexdigest()
        if known is not None and known.sha256 is not None:
            if known.sha256 == sha256:
                self._remember(file, sha256, known.state, known.rows)
                return
            reason = (
                f"the content changed under the same name (taken with sha256 {known.sha256[:12]}, now {sha256[:12]})"
            )
            self.dead.append(self._letter(file, reason, content, "changed"))
            self._remember(file, sha256, "changed")
            return
        twin = self.registry.contents.get(sha256)
        if twin is not None:
            log.info("%s has the content of %s, which was taken already", file.path, twin)
            self._remember(file, sha256, "duplicate")
            return
        found = parse(self.stream, file.path, content)
        if found.cut is not None and not self._is_patience_over(file, known):
            self._wait(file, known, found.cut)
            return
        self._remember(file, sha256, "landed", self._accept(file, found))

    def _accept(self, file: RemoteFile, found: Parsed) -> int:
        before = len(self.rows)
        self.rows += found.rows
        self.dead += found.dead
        for envelope in found.envelopes:
            self._envelope(file, envelope)
        return len(self.rows) - before

    def _envelope(self, file: RemoteFile, envelope: Envelope) -> None:
        """ISA13 is unique between sender and receiver: the same number with the same bytes was sent again and is
        known, with other bytes it is a fault."""
        sha256 = hashlib.sha256(envelope.raw).hexdigest()
        control = Control(envelope.sender, envelope.receiver, envelope.control, sha256, file.path)
        taken = self.registry.controls.get(control.key)
        if taken is None:
            self.registry.controls[control.key] = control
            self.controls.append(control)
            self.rows += envelope.rows
            self.dead += envelope.dead
        elif taken.sha256 != sha256:
            name = f"interchange {envelope.control} of {envelope.sender}"
            reason = f"{name} was taken already, from {taken.path}, with other content"
            self.dead.append(self._letter(file, reason, envelope.raw, "interchange"))

    def _wait(self, file: RemoteFile, known: Known | None, why: str) -> None:
        log.info("%s is not finished (%s); looked at again later", file.path, why)
        since = known.first_seen if known and known.state == "pending" and known.is_as_listed(file) else None
        self._remember(file, None, "pending", first_seen=since)

    def _is_patience_over(self, file: RemoteFile, known: Known | None) -> bool:
        if known is None or known.state != "pending" or not known.is_as_listed(file):
            return False
        return utc_now() - known.first_seen >= self.read.patience

    def _remember(
        self, file: RemoteFile, sha256: str | None, state: State, rows: int = 0, first_seen: datetime | None = None
    ) -> None:
        before = self.registry.files.get(file.path)
        first = first_seen or (before.first_seen if before and state != "pending" else utc_now())
        known = Known(file.path, file.size, file.mtime, sha256, state, rows, first)
        self.registry.remember(known)
        self.files.append(known)

    def _letter(self, file: RemoteFile, reason: str, raw: bytes, level: str) -> DeadLetter:
        return file_letter(self.stream.name, file.path, reason, raw, level)
