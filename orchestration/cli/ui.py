"""`crossdock ui`: the Dagster UI behind its guard, and the daemon that starts what sensors and schedules ask for."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from orchestration.cli.box import tail
from orchestration.cli.errors import BadInput, Failed
from orchestration.cli.output import out
from orchestration.cli.processes import Started
from orchestration.settings import REPOSITORY, Settings
from orchestration.ui.access import LOOPBACK, Access

START_S = 300


def run(host: str, port: int, daemon: bool) -> int:
    """Serves until Ctrl-C or SIGTERM; exit status 0. Raises Failed when one of the two ends by itself."""
    from orchestration.instance import prepare_instance

    access = Access.from_env(os.environ)
    if host not in LOOPBACK and (access.token is None or not access.origins):
        raise BadInput(
            f"--host {host} is reached from other machines: set CROSSDOCK_UI_TOKEN and CROSSDOCK_UI_URL, "
            "or keep to loopback behind a reverse proxy (docs/deploying.md)"
        )
    port = _free_port(host, port)
    settings = Settings.from_env()
    prepare_instance(settings.dagster_home)
    try:
        with Started() as processes:
            started = [start_daemon(processes, settings)] if daemon else []
            ui, url = start_ui(processes, settings, host=host, port=port)
            out().print(f"Dagster UI: {url}   (home {settings.home})")
            watch([ui, *started], settings)
    except KeyboardInterrupt:
        out().print("\nstopped")
    return 0


def start_ui(
    processes: Started, settings: Settings, *, host: str = "127.0.0.1", port: int = 0
) -> "tuple[subprocess.Popen[bytes], str]":
    """The guarded webserver, answering, and its address; port 0 takes a free one. Raises BadInput for a port that is
    taken, Failed with the end of its log when it does not come up."""
    port = _free_port(host, port)
    command = [sys.executable, "-m", "orchestration.ui", "--host", host, "--port", str(port)]
    ui = processes.start(command, env=_environment(settings), cwd=REPOSITORY, log=log_of(settings))
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    deadline = time.monotonic() + START_S
    while not _answers(f"{url}/server_info"):
        if ui.poll() is not None or time.monotonic() > deadline:
            raise Failed(f"the UI did not come up: {tail(log_of(settings))}")
        time.sleep(0.5)
    return ui, url


def start_daemon(processes: Started, settings: Settings) -> "subprocess.Popen[bytes]":
    """What runs sensors, schedules and queued runs."""
    command = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(REPOSITORY / "workspace.yaml")]
    return processes.start(command, env=_environment(settings), cwd=REPOSITORY, log=log_of(settings))


def watch(started: "list[subprocess.Popen[bytes]]", settings: Settings) -> None:
    """Returns never. Raises Failed when one of the processes ends."""
    while all(process.poll() is None for process in started):
        time.sleep(1)
    raise Failed(f"Dagster ended: {tail(log_of(settings))}")


def log_of(settings: Settings) -> Path:
    return settings.logs / "dagster.log"


def _environment(settings: Settings) -> dict[str, str]:
    return {**settings.exported(), "PYTHONUNBUFFERED": "1"}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own UI
            return True
    except urllib.error.HTTPError:
        return True  # it asks for the token, or does not know that host by this name
    except OSError:
        return False


def _free_port(host: str, port: int) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was served a moment ago is free
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadInput(f"{host}:{port} cannot be served ({error.strerror}); --port 0 takes a free one") from error
        return int(probe.getsockname()[1])
