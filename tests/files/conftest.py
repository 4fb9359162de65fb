"""A real SFTP server in a thread over a real folder, told per test how to misbehave."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from connectors.config_kinds import SftpRead, SftpStream
from connectors.config_model import System

PASSWORD = "canary-password-71c"


class Drop:
    """The server's folder, and its faults: `fail_opens` operations fail, `break_opens` cut the connection."""

    def __init__(self, root: Path, key: asyncssh.SSHKey) -> None:
        self.root, self.key, self.port = root, key, 0
        self.fail_opens = self.break_opens = 0
        self.opened: list[str] = []
        self.on_open: dict[str, object] = {}

    @property
    def host_key(self) -> str:
        return self.key.export_public_key().decode().strip()

    def put(self, path: str, data: bytes | str, mtime: int | None = None) -> Path:
        target = self.root / "outbound" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data.encode() if isinstance(data, str) else data)
        if mtime is not None:
            os.utime(target, (mtime, mtime))
        return target


class _Server(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("crossdock", PASSWORD)


def _sftp(drop: Drop) -> type[asyncssh.SFTPServer]:
    class Server(asyncssh.SFTPServer):
        def __init__(self, channel) -> None:
            super().__init__(channel, chroot=str(drop.root).encode())
            self._connection = channel.get_connection()

        def open(self, path, pflags, attrs):
            drop.opened.append(path.decode())
            act = drop.on_open.pop(path.decode().rpartition("/")[2], None)
            if act:
                act()  # type: ignore[operator]
            if drop.fail_opens:
                drop.fail_opens -= 1
                raise asyncssh.SFTPFailure("not now")
            if drop.break_opens:
                drop.break_opens -= 1
                asyncio.get_running_loop().call_soon(self._connection.abort)
            return super().open(path, pflags, attrs)

    return Server


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Drop]:
    drop = Drop(tmp_path_factory.mktemp("drop"), asyncssh.generate_private_key("ssh-ed25519"))
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def start() -> None:
        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[drop.key],
            server_factory=_Server,
            sftp_factory=lambda channel: _sftp(drop)(channel),
        )
        drop.port = acceptor.get_port()
        ready.set()

    threading.Thread(target=lambda: (loop.create_task(start()), loop.run_forever()), daemon=True).start()
    assert ready.wait(10)
    yield drop
    loop.call_soon_threadsafe(loop.stop)


@pytest.fixture
def drop(server: Drop, tmp_path: Path) -> Drop:
    server.root = tmp_path / "drop"
    (server.root / "outbound").mkdir(parents=True)
    server.fail_opens = server.break_opens = 0
    server.opened, server.on_open = [], {}
    return server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def wms(drop: Drop) -> System:
    read = SftpRead.model_validate(
        {
            "kind": "sftp",
            "host": "127.0.0.1",
            "port": drop.port,
            "username": "crossdock",
            "password": PASSWORD,
            "host_key": drop.host_key,
            "root": "/outbound",
            "settle": "50ms",
            "max_file_mb": 0.5,
            "timeout": "5s",
        }
    )
    streams = [
        {"name": "ship_confirmation", "pattern": "*/945_*.x12", "format": "x12_945"},
        {"name": "event", "pattern": "*/events_*.jsonl", "format": "jsonl", "key": ["id"]},
        {"name": "stock_report", "pattern": "*/stock_*.csv", "format": "csv", "key": ["site", "sku", "lot"]},
    ]
    return System(system="wms", role="wms", read=read, streams=tuple(SftpStream.model_validate(s) for s in streams))
