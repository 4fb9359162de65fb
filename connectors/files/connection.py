"""The SFTP server as a plain object: a thread holds the connection and reads ahead while the caller works."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from typing import Any, TypeVar

import asyncssh

from connectors.config_kinds import SftpRead
from connectors.files import sftp as protocol
from connectors.files.remote import RemoteFile
from connectors.files.session import connected
from connectors.files.sftp import ATTEMPTS, Large, Refused, Unreadable
from connectors.model import TransientError, Unreachable

T = TypeVar("T")
Contents = dict[str, bytes | Unreadable | Large]


class Server:
    """A connection that is made again when it is lost. Use as a context manager; calls come from one thread."""

    def __init__(self, read: SftpRead) -> None:
        self.read = read
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"sftp-{read.host}", daemon=True)
        self._at_once = protocol.AT_ONCE
        self._stack: AsyncExitStack | None = None
        self._client: asyncssh.SFTPClient | None = None
        self.has_read = False
        """Whether the content of any file came."""

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._submit(self._drop()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def listing(self, patterns: Iterable[str]) -> list[RemoteFile]:
        """Every file that could match; see `sftp.listing`."""
        wanted = list(patterns)
        return self._submit(self._asked(lambda client: protocol.listing(client, self.read.root, wanted))).result()

    def looks(self, files: Sequence[RemoteFile]) -> list[RemoteFile]:
        """These files as they are now; see `sftp.looks`."""
        return self._submit(self._asked(lambda client: protocol.looks(client, self.read.root, files))).result()

    def reading(self, files: Sequence[RemoteFile]) -> "Future[Contents]":
        """Start to read files; the result has every one of them, those Refused that several attempts in a row did not
        bring over a connection that holds. Raises TransientError when there was none such."""
        return self._submit(self._read(list(files)))

    def _submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _asked(self, question: Callable[[asyncssh.SFTPClient], Awaitable[list[RemoteFile]]]) -> list[RemoteFile]:
        for attempt in range(ATTEMPTS):
            try:
                client = await self._connected()
                return await asyncio.wait_for(question(client), self.read.timeout.total_seconds() * 4)
            except Unreachable:  # whoever called has more patience than there is between attempts
                raise
            except (TransientError, TimeoutError, asyncssh.Error, OSError) as error:
                await self._drop()
                if attempt + 1 == ATTEMPTS:
                    if isinstance(error, TransientError):
                        raise
                    raise TransientError(
                        f"{self.read.host} could not be listed ({type(error).__name__}).", "Run again."
                    ) from error
                await protocol.pause(attempt)
        raise AssertionError("unreachable")

    async def _read(self, files: list[RemoteFile]) -> Contents:
        """A server that ends the connection is asked for fewer files at once: what is under way then is all lost."""
        found: Contents = {}
        fruitless = 0
        while files:
            lost = is_answered = False
            try:
                client = await self._connected()
                done, files, lost = await protocol.read_some(
                    client, self.read.root, files, self._timeout(files), self._at_once, self._most_bytes
                )
                is_answered = not lost
            except TransientError:
                done = {}
            if lost:
                self._at_once = max(1, self._at_once // 2)
            found |= done
            self.has_read |= any(isinstance(content, bytes | Large) for content in done.values())
            fruitless = 0 if done else fruitless + 1
            if fruitless == ATTEMPTS and is_answered:
                return found | {file.path: Refused("it fails or does not come") for file in files}
            if fruitless == ATTEMPTS:
                raise TransientError(f"{len(files)} files of {self.read.host} could not be read.", "Run again.")
            if files:
                await self._drop()
                await protocol.pause(fruitless)
        return found

    @property
    def _most_bytes(self) -> int:
        return int(self.read.max_file_mb * 1_000_000)

    def _timeout(self, files: list[RemoteFile]) -> float:
        """Seconds one file may take: the setting, and more for large ones at no less than 1 MB/s."""
        return self.read.timeout.total_seconds() + max(file.size for file in files) / 1_000_000

    async def _connected(self) -> asyncssh.SFTPClient:
        if self._client is None:
            self._stack = AsyncExitStack()
            self._client = await self._stack.enter_async_context(connected(self.read))
        return self._client

    async def _drop(self) -> None:
        stack, self._stack, self._client = self._stack, None, None
        if stack is not None:
            # a connection that is lost cannot be closed in good order
            with suppress(TransientError, TimeoutError, asyncssh.Error, OSError):
                await asyncio.wait_for(stack.aclose(), 5)
