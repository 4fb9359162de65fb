"""SIGTERM ends a command within 10 s, also while a source sends a byte a second and never ends."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.cli.processes import Started, stop

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = """\
system: oms
role: oms
read:
  kind: rest
  base_url: ${OMS_URL}
streams:
  - {name: orders, path: /orders, records: orders, key: [number], document: order}
"""


@pytest.fixture
def dripping() -> Iterator[tuple[str, threading.Event]]:
    """An API whose answer has no end, and the event of somebody reading it."""
    listening, reading, stopped = socket.create_server(("127.0.0.1", 0)), threading.Event(), threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=[connection], daemon=True).start()

    def drip(connection: socket.socket) -> None:
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
            reading.set()
            while not stopped.wait(1):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", reading
    stopped.set()
    listening.close()


@pytest.mark.verify
def test_a_pass_that_waits_for_a_source_without_end_ends_when_told(
    dripping: tuple[str, threading.Event], tmp_path: Path
) -> None:
    url, reading = dripping
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "oms.yaml").write_text(SYSTEM)
    env = os.environ | {"PYTHONPATH": str(ROOT), "CROSSDOCK_HOME": str(tmp_path / "home"), "OMS_URL": url}
    env |= {"CROSSDOCK_SYSTEMS": str(tmp_path / "systems"), "DO_NOT_TRACK": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "run"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        while not reading.wait(0.1):
            assert process.poll() is None and process.stderr is not None, process.stderr.read().decode()[-2000:]
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) != 0  # without the watch it would wait for the source without end
    finally:
        process.kill()
        process.wait()


def test_what_a_command_started_is_told_to_end_at_once_and_not_one_after_the_other(tmp_path: Path) -> None:
    """The second one ends the first, which would not: it can only if it is told while the first is waited for."""
    env, log = dict(os.environ), tmp_path / "log"
    with Started() as started:
        deaf = started.start(["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], env=env, cwd=tmp_path, log=log)
        ends = f"trap 'kill -9 {deaf.pid}; exit 0' TERM; touch ready; while :; do sleep 0.1; done"
        other = started.start(["sh", "-c", ends], env=env, cwd=tmp_path, log=log)
        while not (tmp_path / "ready").exists():
            time.sleep(0.02)
        stop(deaf, other, grace_s=3600)  # longer than this test may take
        assert (deaf.returncode, other.returncode) == (-signal.SIGKILL, 0)


@pytest.mark.verify
def test_a_source_that_drips_ends_its_read_with_a_name(dripping: tuple[str, threading.Event], tmp_path: Path) -> None:
    systems, home = tmp_path / "systems", tmp_path / "home"
    systems.mkdir()
    (systems / "oms.yaml").write_text(SYSTEM)
    env = {**os.environ, "OMS_URL": dripping[0], "CROSSDOCK_HOME": str(home), "CROSSDOCK_SYSTEMS": str(systems)}
    command = [sys.executable, "-m", "orchestration.cli", "run", "--json"]
    done = subprocess.run(
        command, env={**env, "PYTHONPATH": str(ROOT)}, cwd="/", capture_output=True, text=True, timeout=200
    )
    assert done.returncode in (1, 3) and "answers too slowly" in done.stdout + done.stderr
