"""`python -m sandbox`: ready when env.json is there, goes on where it stopped, and takes its children with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import psycopg
import pytest

from sandbox.systems.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]


class Sandbox:
    def __init__(self, home: Path, data: Path, *words: str) -> None:
        self.home = home
        command = [sys.executable, "-m", "sandbox", "--world", "wwi", "--home", str(home), *words]
        environment = os.environ | {"CROSSDOCK_DATA": str(data.parent)}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)

    def wait(self) -> dict[str, Any]:
        """env.json, once the process has said that it is ready."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if json.loads(line)["phase"] == "ready":
                return json.loads((self.home / "sandbox" / "env.json").read_text())
        raise AssertionError("the sandbox ended before it was ready")

    def end(self, how: signal.Signals) -> None:
        tree = psutil.Process(self.process.pid).children(recursive=True)
        assert any("postgres" in each.name() for each in tree)
        self.process.send_signal(how)
        _, alive = psutil.wait_procs([psutil.Process(self.process.pid), *tree], timeout=120)
        self.process.wait()
        assert not alive


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    PostgresServer(tmp_path / "sandbox" / "erp").discard()


def last_order(env: dict[str, str]) -> Any:
    with psycopg.connect(env["ERP_DSN"]) as connection:
        row = connection.execute("select max(order_date)::text, max(order_id) from sales.orders").fetchone()
    return row


@pytest.mark.slow
def test_it_starts_advances_stops_and_goes_on(home: Path, wwi_data: Path) -> None:
    sandbox = Sandbox(home, wwi_data, "--until", "2013-01-10")
    ready = sandbox.wait()
    assert Path(ready["systems"]).joinpath("erp.yaml").is_file() and ready["pid"] == sandbox.process.pid
    env = ready["env"]
    assert (home / "sandbox" / "env.json").stat().st_mode & 0o077 == 0
    assert httpx2.get(env["CROSSDOCK_BUSINESS_NOW"]).json() == {"now": "2013-01-10T08:00:00Z"}
    assert last_order(env)[0] == "2013-01-09"
    moved = httpx2.post(env["SANDBOX_CONTROL"] + "/advance", json={"days": 2}, timeout=60).json()
    assert moved == {"now": "2013-01-12T08:00:00Z"}
    there = last_order(env)
    assert there[0] == "2013-01-11"
    assert json.loads((home / "sandbox" / "truth.json").read_text()) == []
    sandbox.end(signal.SIGTERM)
    assert sandbox.process.returncode == 0
    assert not (home / "sandbox" / "env.json").exists()

    again = Sandbox(home, wwi_data, "--until", "2013-01-10", "--replay", "--live", "0.2")
    env = again.wait()["env"]
    deadline = time.monotonic() + 120
    while last_order(env) == there and time.monotonic() < deadline:
        time.sleep(0.1)
    assert last_order(env) > there
    again.end(signal.SIGKILL)


def test_a_bad_command_line_ends_with_status_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "--home", str(tmp_path), "--days", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "--days" in done.stderr


def test_absent_data_is_one_clear_line(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sandbox.wwi.source as s; s.__file__ = '/a/b/c/d/source.py'\n"]
    script = command[2] + f"import sys; sys.argv = ['x', '--world', 'wwi', '--home', {str(tmp_path)!r}]\n"
    script += "from sandbox.__main__ import main; sys.exit(main())"
    environment = {name: value for name, value in os.environ.items() if name != "CROSSDOCK_DATA"}
    done = subprocess.run([*command[:2], script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("sandbox: Wide World Importers is not at") and done.stderr.count("\n") == 1
