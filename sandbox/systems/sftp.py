"""The WMS's drop: an SFTP server over one folder, where files appear as `.part` and are renamed when they are whole."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import asyncssh

from sandbox.systems.faults import Faults
from sandbox.systems.held import Held

USER = "crossdock"


class DropFile(Protocol):
    """A finished file of one site."""

    site: str
    name: str
    content: bytes


class Outbox:
    """The folder /outbound/<SITE>/ that the server shows, filled as a warehouse does it."""

    def __init__(self, root: Path, faults: Faults) -> None:
        self.root = root
        self._faults = faults
        self._held: Held[DropFile] = Held(faults)
        (root / "outbound").mkdir(parents=True, exist_ok=True)

    @property
    def waiting(self) -> int:
        """How many files are held back."""
        return len(self._held)

    def add(self, files: list[Any], now: datetime, *, bulk: bool = False) -> None:
        """Deliver files in their order, or as the knobs have it: late, out of order, a second time as
        `<name>_again`."""
        for file in files if bulk else self._faults.shuffled(files):
            if bulk or not self._held.hold((file.site, file.name), file, now):
                self._deliver(file, file.name)
                if not bulk and self._faults.hits(self._faults.knobs.duplicate_rate):
                    stem, dot, suffix = file.name.rpartition(".")
                    self._deliver(file, f"{stem}_again{dot}{suffix}")
            else:
                # An upload that broke off: its first half lies there until the whole file comes.
                self._folder(file.site).joinpath(f"{file.name}.part").write_bytes(
                    file.content[: len(file.content) // 2]
                )

    def release(self, now: datetime) -> None:
        """Deliver what was held back and is due."""
        for file in self._held.due(now):
            self._deliver(file, file.name)

    def _folder(self, site: str) -> Path:
        folder = self.root / "outbound" / site
        folder.mkdir(exist_ok=True)
        return folder

    def _deliver(self, file: DropFile, name: str) -> None:
        target = self._folder(file.site) / name
        if target.exists() and target.read_bytes() == file.content:
            return
        part = target.with_name(f"{name}.part")
        part.write_bytes(file.content)
        part.rename(target)


class DropServer(asyncssh.SFTPServer):
    """Read-only SFTP, chrooted, with faults: slow reads, failing operations and connections that break off."""

    def __init__(self, channel: asyncssh.SSHServerChannel, root: Path, faults: Faults) -> None:
        super().__init__(channel, chroot=str(root).encode())
        self._connection = channel.get_connection()
        self._faults = faults

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Open for reading; any other way is refused."""
        if pflags & ~asyncssh.FXF_READ:
            raise asyncssh.SFTPPermissionDenied("this drop is read-only")
        failure = self._faults.failure()
        if failure == "error":
            raise asyncssh.SFTPFailure("try again later")
        if failure == "truncate":
            asyncio.get_running_loop().call_later(0.005, self._connection.abort)
        return super().open(path, pflags, attrs)

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """The same for newer protocol versions, which are not offered."""
        raise asyncssh.SFTPOpUnsupported("protocol version 3 only")

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Read, now and then slowly."""
        await asyncio.sleep(self._faults.delay())
        return super().read(file_obj, offset, size)  # type: ignore[return-value]


def _refuse(*_: object) -> None:
    raise asyncssh.SFTPPermissionDenied("this drop is read-only")


for _operation in (
    *("remove", "rename", "posix_rename", "mkdir", "rmdir", "symlink", "link"),
    *("setstat", "lsetstat", "fsetstat", "write"),
):
    setattr(DropServer, _operation, _refuse)


class _Login(asyncssh.SSHServer):
    def __init__(self, password: str) -> None:
        self._password = password

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == USER and secrets.compare_digest(password.encode(), self._password.encode())


def host_key(folder: Path) -> asyncssh.SSHKey:
    """The server's key, made once and kept in `folder/host_key` (mode 0600)."""
    file = folder / "host_key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    return asyncssh.read_private_key(str(file))


async def serve_sftp(outbox: Outbox, faults: Faults, key: asyncssh.SSHKey, password: str) -> asyncssh.SSHAcceptor:
    """Start the server on a free loopback port."""
    return await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[key],
        server_factory=lambda: _Login(password),
        sftp_factory=lambda channel: DropServer(channel, outbox.root, faults),
        sftp_version=3,
        # Half the work of the default cipher, which counts when a first pass reads thousands of small files.
        encryption_algs=["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"],
        allow_scp=False,
        agent_forwarding=False,
    )


async def stop_sftp(acceptor: asyncssh.SSHAcceptor) -> None:
    """Close the port and every connection."""
    acceptor.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(acceptor.wait_closed(), 5)
