"""The WMS's drop: whole files, read-only, under one pinned key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from sandbox.systems.faults import Faults
from sandbox.systems.sftp import USER, Outbox, host_key, serve_sftp, stop_sftp
from sandbox.systems.web import Servers
from tests.sandbox_systems.conftest import BEGUN, File

Work = Callable[[asyncssh.SFTPClient], Awaitable[Any]]
ADVICE = File("EWR", "945_EWR_20240301_1_000000001.x12", b"ISA*00~" * 5000)


class Drop:
    def __init__(self, folder: Path, servers: Servers) -> None:
        self.faults = Faults(seed=3)
        self.outbox = Outbox(folder / "wms", self.faults)
        self.key = host_key(folder)
        self.acceptor = servers.call(serve_sftp(self.outbox, self.faults, self.key, "secret"))

    def run(self, work: Work, password: str = "secret", key: asyncssh.SSHKey | None = None) -> Any:
        async def connected() -> Any:
            known = f"[127.0.0.1]:{self.acceptor.get_port()} {(key or self.key).export_public_key().decode()}"
            async with asyncssh.connect(
                "127.0.0.1",
                self.acceptor.get_port(),
                username=USER,
                password=password,
                client_keys=None,
                known_hosts=asyncssh.import_known_hosts(known),
            ) as connection:
                async with connection.start_sftp_client() as client:
                    return await work(client)

        return asyncio.run(connected())

    def names(self) -> list[str]:
        async def listed(client: asyncssh.SFTPClient) -> list[str]:
            return sorted(str(name) for name in await client.glob("/outbound/*/*"))

        try:
            return self.run(listed)
        except asyncssh.SFTPNoSuchFile:
            return []


@pytest.fixture
def drop(tmp_path: Path) -> Iterator[Drop]:
    servers = Servers()
    made = Drop(tmp_path, servers)
    yield made
    servers.call(stop_sftp(made.acceptor))
    servers.stop()


async def content(client: asyncssh.SFTPClient) -> bytes:
    async with client.open(f"/outbound/EWR/{ADVICE.name}", "rb") as file:
        return bytes(await file.read())


def test_a_file_is_read_whole_and_its_folder_is_its_site(drop: Drop) -> None:
    drop.outbox.add([ADVICE], BEGUN)
    assert drop.names() == [f"/outbound/EWR/{ADVICE.name}"]
    assert drop.run(content) == ADVICE.content


def test_nobody_writes(drop: Drop) -> None:
    drop.outbox.add([ADVICE], BEGUN)
    path = f"/outbound/EWR/{ADVICE.name}"

    async def attempts(client: asyncssh.SFTPClient) -> None:
        for attempt in (
            lambda: client.remove(path),
            lambda: client.rename(path, path + "x"),
            lambda: client.mkdir("/outbound/new"),
            lambda: client.chmod(path, 0o600),
            lambda: client.open(path, "wb"),
            lambda: client.open(path, "ab"),
            lambda: client.open("/outbound/EWR/new", "xb"),
        ):
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await attempt()

    drop.run(attempts)
    assert drop.run(content) == ADVICE.content


def test_a_wrong_password_or_another_host_key_ends_the_connection(drop: Drop) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        drop.run(content, password="wrong")
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        drop.run(content, key=asyncssh.generate_private_key("ssh-ed25519"))


def test_the_host_key_stays_the_same(tmp_path: Path) -> None:
    assert host_key(tmp_path).export_public_key() == host_key(tmp_path).export_public_key()


def test_a_late_file_is_a_part_until_it_is_whole(drop: Drop) -> None:
    drop.faults.set({"late_rate": 1.0, "late_seconds": 3600})
    drop.outbox.add([ADVICE], BEGUN)
    assert drop.names() == [f"/outbound/EWR/{ADVICE.name}.part"] and drop.outbox.waiting == 1
    drop.outbox.release(BEGUN + timedelta(days=4))
    assert drop.names() == [f"/outbound/EWR/{ADVICE.name}"]
    assert drop.run(content) == ADVICE.content


def test_a_doubled_file_has_another_name(drop: Drop) -> None:
    drop.faults.set({"duplicate_rate": 1.0})
    drop.outbox.add([ADVICE], BEGUN)
    assert [Path(name).name for name in drop.names()] == [ADVICE.name, ADVICE.name.replace(".x12", "_again.x12")]


def test_reading_fails_or_breaks_off_and_then_works(drop: Drop) -> None:
    drop.outbox.add([ADVICE], BEGUN)
    drop.faults.set({"error_next": 1})
    with pytest.raises(asyncssh.SFTPFailure):
        drop.run(content)
    drop.faults.set({"truncate_next": 1, "slow_rate": 1.0, "slow_seconds": 0.1})
    with pytest.raises((asyncssh.Error, OSError)):
        drop.run(content)
    assert drop.run(content) == ADVICE.content
