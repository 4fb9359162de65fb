"""Sync of a system that drops files: find the whole ones, read each once, land many per commit.

Whole means: not named as an upload, the same size and time on two looks, as long as its listing said, and closed by its
format (an IEA, a line end). What stays unfinished past the patience is taken as it is, so that nothing waits for ever.
What was taken is remembered in the transaction that lands its rows; a kill costs at most one batch of reading.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from connectors.config_kinds import SftpStream
from connectors.config_model import System
from connectors.files.connection import Contents, Server
from connectors.files.intake import Intake
from connectors.files.registry import Known, Registry, close_read, forget_gone, read_registry, write_registry
from connectors.files.remote import RemoteFile, belongs, digest
from connectors.files.sftp import Refused
from connectors.landing import Landing
from connectors.landing.commit import utc_now
from connectors.landing.documents import stamps_of, write_documents
from connectors.model import BatchRecord, TransientError
from connectors.stamps import without_stale

log = logging.getLogger(__name__)
BATCH_FILES, BATCH_BYTES = 1000, 16_000_000

OnBatch = Callable[[str, BatchRecord], None]


def sync_files(system: System, landing: Landing, on_batch: OnBatch | None = None) -> None:
    """Land every new whole file of every stream. A file that the server does not give is a dead letter until it is
    read. Raises TransientError or PermanentError, also when no file could be read of some; what landed stays."""
    with Server(system.read) as server:
        looked, started = time.monotonic(), server.listing(stream.pattern for stream in system.streams)
        work = [_Work(system, stream, started, landing) for stream in system.streams]
        if any(one.wanted for one in work):
            time.sleep(max(0.0, looked + system.read.settle.total_seconds() - time.monotonic()))
            second = set(_second_look(server, work, of=len(started)))
            for one in work:
                one.wanted = [file for file in one.wanted if file in second]
        for one in work:
            one.run(server, on_batch)
        refused = sum(len(one.refused) for one in work)
        if refused and not server.has_read:  # the server is ill, and not the files
            raise TransientError(f"{refused} files of {system.read.host} could not be read.", "Run again.")
        for one in work:
            one.give_up(on_batch)


def _second_look(server: Server, work: Sequence["_Work"], of: int) -> list[RemoteFile]:
    """The wanted files as they are now. Few of the `of` that lie there are asked for one by one; where one of them
    seems to be another, a listing decides, because not every server tells a file's time alike in both."""
    wanted = [file for one in work for file in one.wanted]
    if len(wanted) * 10 <= of and len(same := set(server.looks(wanted)) & set(wanted)) == len(wanted):
        return list(same)
    return server.listing(one.stream.pattern for one in work if one.wanted)


def landed_files(landing: Landing, stream: str) -> str | None:
    """The position of a stream: the digest of what was listed, and since when the first file waits for its end."""
    cursor = landing.cursor(stream) or {}
    return f"{cursor['digest']}@{cursor['waits']}" if cursor.get("waits") else cursor.get("digest")


def listed_position(server: Server, system: System, landed: Mapping[str, str | None]) -> dict[str, str]:
    """Per stream, the digest of what lies on the server now: equal to the landed one when there is nothing to do, which
    there is when a file has waited for its end for long enough."""
    files = server.listing(stream.pattern for stream in system.streams)
    found = {stream.name: digest(_of(stream, files)) for stream in system.streams}
    for name, position in landed.items():
        now, at, waits = (position or "").partition("@")
        if at and found.get(name) == now and utc_now() - datetime.fromisoformat(waits) < system.read.patience:
            found[name] = str(position)
    return found


def _of(stream: SftpStream, files: Sequence[RemoteFile]) -> list[RemoteFile]:
    return [file for file in files if belongs(stream.pattern, file)]


class _Work:
    """One stream of one sync: what is listed, what is wanted, and what is remembered."""

    def __init__(self, system: System, stream: SftpStream, files: Sequence[RemoteFile], landing: Landing) -> None:
        self.read, self.stream, self.landing = system.read, stream, landing
        self.listed = _of(stream, files)
        self.registry = read_registry(landing, stream.name)
        self.before = landing.cursor(stream.name) or {}
        self.refused: dict[RemoteFile, Refused] = {}
        self.wanted = sorted((f for f in self.listed if self._is_wanted(f)), key=lambda f: (f.mtime, f.path))

    def _is_wanted(self, file: RemoteFile) -> bool:
        known = self.registry.files.get(file.path)
        if known is None or not known.is_as_listed(file):
            return True
        if known.state == "pending":
            return utc_now() - known.first_seen >= self.read.patience
        return known.state == "unread"

    def run(self, server: Server, on_batch: OnBatch | None) -> None:
        """Read ahead by one batch while the one before is parsed and landed."""
        batches = list(_batches(self.wanted, int(self.read.max_file_mb * 1_000_000)))
        if not batches:
            if self._after() != self.before:
                self._land(Intake(self.stream, self.registry, self.read), self._after(), on_batch)
            return
        ahead: Future[Contents] = server.reading(_readable(batches[0]))
        for number, files in enumerate(batches):
            contents = ahead.result()
            last = number + 1 == len(batches)
            if not last:
                ahead = server.reading(_readable(batches[number + 1]))
            intake = Intake(self.stream, self.registry, self.read)
            for file in files:
                content = contents.get(file.path)
                if isinstance(content, Refused):
                    self.refused[file] = content
                else:
                    intake.take(file, content)
            self._land(intake, self._after() if last else self.before, on_batch)

    def give_up(self, on_batch: OnBatch | None) -> None:
        """Say which files the server did not give; the next pass asks for them again."""
        intake = Intake(self.stream, self.registry, self.read)
        for file, why in self.refused.items():
            intake.take(file, why)
        if self.refused:
            self._land(intake, self._after(), on_batch)

    def _after(self) -> dict[str, Any]:
        waits = [known.first_seen for known in self._known() if known.state == "pending"]
        since = {"waits": min(waits).isoformat()} if waits else {}
        return {"digest": digest(self.listed), "files": len(self.listed)} | since

    def _known(self) -> list[Known]:
        return [known for file in self.listed if (known := self.registry.files.get(file.path)) is not None]

    def _land(self, intake: Intake, cursor: dict, on_batch: OnBatch | None) -> None:
        complete = _complete_up_to(self.listed, self.registry)
        name, here = self.stream.name, {file.path for file in self.listed}
        gone = [path for path, known in self.registry.files.items() if known.is_waiting and path not in here]
        folders = {path.rpartition("/")[0] for path in here} - here
        with self.landing.session():
            landed = stamps_of(self.landing, name, [row[0] for row in intake.rows])
            with self.landing.commit(name, cursor, complete) as commit:
                commit.dead.extend(intake.dead)
                write_documents(commit, name, without_stale(intake.rows, landed, datetime.now(UTC)), complete)
                write_registry(commit.db, name, intake.files, intake.controls)
                close_read(commit.db, name, [*intake.read_now, *folders], commit.batch_id)
                forget_gone(commit.db, name, gone)
        assert commit.record is not None
        if self.landing.on_commit is not None:
            self.landing.on_commit(commit.record)
        if on_batch is not None:
            on_batch(self.stream.name, commit.record)


def _readable(files: Sequence[RemoteFile]) -> list[RemoteFile]:
    return [file for file in files if file.fault is None]


def _batches(files: Sequence[RemoteFile], max_bytes: int) -> Iterator[list[RemoteFile]]:
    """Files in order, in batches bounded by number and bytes; a file over the limit is not kept and weighs nothing."""
    batch: list[RemoteFile] = []
    size = 0
    for file in files:
        weight = file.size if file.size <= max_bytes else 0
        if batch and (len(batch) >= BATCH_FILES or size + weight > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += weight
    if batch:
        yield batch


def _complete_up_to(listed: Sequence[RemoteFile], registry: Registry) -> datetime | None:
    """The server's time of the newest file taken, but not past one that still waits. Naive UTC."""
    taken = [f.mtime for f in listed if (known := registry.files.get(f.path)) and not known.is_waiting]
    waiting = [f.mtime for f in listed if (known := registry.files.get(f.path)) is None or known.is_waiting]
    if not taken:
        return None
    return datetime.fromtimestamp(min([max(taken), *waiting]), UTC).replace(tzinfo=None)
