"""What is asked of an SFTP server: listings, and many whole files read at once over one connection.

Every size, name and kind that the server sends is distrusted: links are skipped, what has a name that is no plain path
step is told and not opened, and a file is never read past its limit. Protocol: draft-ietf-secsh-filexfer-02, version 3.
"""

import asyncio
import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncssh

from connectors.files.remote import RemoteFile, escaped, name_fault, step_pattern
from connectors.model import PermanentError, TransientError
from connectors.size import HEAD_BYTES

AT_ONCE = 64
ATTEMPTS = 6
BLOCK = 32_768
HASHED_BYTES = 1 << 30


class Unreadable(Exception):
    """One file cannot be read although the connection is well; the others can."""


class Refused(Unreadable):
    """The server answers only that it failed, however often it is asked."""


@dataclass(frozen=True)
class Large:
    """A file over the limit, read for its hash and its head alone; of more than HASHED_BYTES the hash is that of the
    first so many."""

    size: int
    sha256: str
    head: bytes


async def listing(sftp: asyncssh.SFTPClient, root: str, patterns: Iterable[str]) -> list[RemoteFile]:
    """Every regular file that could match one of the patterns, each folder read once. Links are not followed."""
    wanted = [pattern.split("/") for pattern in patterns]
    found: dict[str, RemoteFile] = {}
    folders: list[tuple[str, list[list[str]]]] = [("", wanted)]
    mtime_of: dict[str, int] = {}
    while folders:
        relative, steps = folders.pop()
        try:
            entries = await _entries(sftp, f"{root.rstrip('/')}/{relative}".rstrip("/") or "/")
        except Unreadable as error:
            if not relative:
                raise PermanentError(f"{error}.", "Check read.root, and ask for the right to list it.") from error
            if isinstance(error.__cause__, asyncssh.SFTPPermissionDenied):  # else it is gone by now
                found[relative] = RemoteFile(relative, 0, mtime_of[relative], "may not be read", is_folder=True)
            continue
        for entry in entries:
            name = entry.filename.decode("utf-8", "surrogateescape")
            here = [rest for rest in steps if step_pattern(rest[0]).fullmatch(name)]
            if name in ("", ".", "..") or not here:
                continue
            path = f"{relative}/{name}" if relative else name
            deeper = [rest[1:] for rest in here if len(rest) > 1]
            is_folder = entry.attrs.type == asyncssh.FILEXFER_TYPE_DIRECTORY and bool(deeper)
            is_file = entry.attrs.type == asyncssh.FILEXFER_TYPE_REGULAR and any(len(rest) == 1 for rest in here)
            size, mtime = int(entry.attrs.size or 0), int(entry.attrs.mtime or 0)
            if (is_folder or is_file) and (fault := name_fault(name)) is not None:
                kept = path.removesuffix(name) + escaped(name)
                found[kept] = RemoteFile(kept, 0 if is_folder else size, mtime, fault, path, is_folder)
            elif is_folder:
                folders.append((path, deeper))
                mtime_of[path] = mtime
            elif is_file:
                found[path] = RemoteFile(path, size, mtime)
    return list(found.values())


async def looks(sftp: asyncssh.SFTPClient, root: str, files: Iterable[RemoteFile]) -> list[RemoteFile]:
    """The same files as they are now, asked for one by one; one that is gone or does not answer is left out."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(file: RemoteFile) -> RemoteFile | None:
        if file.fault is not None:
            return file  # it is not read, so it need not be whole
        async with gate:
            try:
                attrs = await sftp.lstat(f"{root.rstrip('/')}/{file.path}".encode())
            except (asyncssh.SFTPNoConnection, asyncssh.SFTPConnectionLost):
                raise
            except asyncssh.SFTPError:
                return None
        return RemoteFile(file.path, int(attrs.size or 0), int(attrs.mtime or 0))

    return [file for file in await asyncio.gather(*(one(file) for file in files)) if file is not None]


async def _entries(sftp: asyncssh.SFTPClient, folder: str) -> list[Any]:
    try:
        return [entry async for entry in sftp.scandir(folder.encode("utf-8"))]
    except asyncssh.SFTPNoSuchFile as error:
        raise Unreadable(f"The folder {folder} does not exist on the server") from error
    except asyncssh.SFTPPermissionDenied as error:
        raise Unreadable(f"The folder {folder} may not be read") from error
    except asyncssh.SFTPConnectionLost as error:
        raise TransientError("The connection was lost while listing.", "Run again.") from error
    except asyncssh.SFTPError as error:
        raise TransientError(
            f"The folder {folder} could not be listed ({type(error).__name__}).", "Run again."
        ) from error


async def read_some(
    sftp: asyncssh.SFTPClient,
    root: str,
    files: Sequence[RemoteFile],
    timeout_s: float,
    at_once: int = AT_ONCE,
    most_bytes: int | None = None,
) -> tuple[dict[str, bytes | Unreadable | Large], list[RemoteFile], bool]:
    """Read whole files, `at_once` at a time. Returns what was read, by path, the files to try again, and whether the
    connection was lost; nothing more is asked of a lost one. Of a file over `most_bytes` come its hash and head.

    A file shorter or longer than its listing said comes back as it is: the caller compares the length.
    """
    gate = asyncio.Semaphore(at_once)
    done: dict[str, bytes | Unreadable | Large] = {}
    again: list[RemoteFile] = []
    lost = False

    async def one(file: RemoteFile) -> None:
        nonlocal lost
        async with gate:
            if lost:
                again.append(file)
                return
            try:
                is_large = most_bytes is not None and file.size > most_bytes
                reading = _described if is_large else _whole
                done[file.path] = await asyncio.wait_for(
                    reading(sftp, f"{root.rstrip('/')}/{file.path}", file.size), timeout_s
                )
            except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPPermissionDenied) as error:
                done[file.path] = Unreadable(type(error).__name__)
            except TimeoutError:  # an OSError too, but only this file was slow
                again.append(file)
            except (asyncssh.SFTPNoConnection, asyncssh.SFTPConnectionLost, asyncssh.DisconnectError, OSError):
                lost = True
                again.append(file)
            except (asyncssh.Error, ValueError):
                again.append(file)

    await asyncio.gather(*(one(file) for file in files))
    return done, again, lost


async def _whole(sftp: asyncssh.SFTPClient, path: str, size: int) -> bytes:
    """At most one byte more than the listing said, so that a file that grew shows."""
    parts: list[bytes] = []
    at = 0
    async with await sftp.open(path, "rb", encoding=None, block_size=0) as handle:
        while at <= size:
            part: bytes = await handle.read(min(BLOCK, size + 1 - at), at)  # type: ignore[assignment]
            if not part:
                break
            parts.append(part)
            at += len(part)
            if at == size and len(part) < BLOCK and len(part) < size + 1 - (at - len(part)):
                break  # a short answer at the expected end: asking once more would only confirm it
    return b"".join(parts)


async def _described(sftp: asyncssh.SFTPClient, path: str, size: int) -> Large:
    digest, head, at = hashlib.sha256(), b"", 0
    async with await sftp.open(path, "rb", encoding=None, block_size=0) as handle:
        while at < min(size, HASHED_BYTES):
            part: bytes = await handle.read(BLOCK, at)  # type: ignore[assignment]
            if not part:
                break
            digest.update(part)
            head = head or part[:HEAD_BYTES]
            at += len(part)
    return Large(size, digest.hexdigest(), head)


async def pause(attempt: int) -> None:
    """Between attempts: doubled each time, capped, with jitter."""
    await asyncio.sleep(min(5.0, 0.1 * 2**attempt) * (0.5 + random.random() / 2))
