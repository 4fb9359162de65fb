"""`check` names every fault; the demo touches only its own folder and stops only what it started."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from orchestration.cli.demo import clear
from orchestration.cli.errors import BadInput
from orchestration.cli.processes import Started
from orchestration.cli.systems import DEMO_MARKER as MARKER
from orchestration.settings import Settings, SettingsError


def test_check_names_file_line_key_and_what_is_allowed(crossdock, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "systems"
    folder.mkdir()
    (folder / "erp.yaml").write_text("system: erp\nrole: banana\nread: {kind: postgres, dsn: x}\nstreams: []\n")
    done = crossdock("check", CROSSDOCK_SYSTEMS=str(folder))
    assert done.returncode == 2
    assert "erp.yaml:2: role" in done.stdout and "carrier" in done.stdout


def test_check_without_any_system_says_where_to_put_one(crossdock, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = crossdock("check", "--json", CROSSDOCK_SYSTEMS=str(tmp_path))
    assert done.returncode == 2 and "no system file" in done.stdout


@pytest.mark.parametrize(
    ("name", "value"), [("CROSSDOCK_AUTOMATION", "yes"), ("CROSSDOCK_EXECUTOR", "magic"), ("CROSSDOCK_POLL", "-1")]
)
def test_a_setting_that_is_not_allowed_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({name: value})


def test_business_now_is_an_instant_in_utc_or_refused() -> None:
    assert (
        Settings.from_env({"CROSSDOCK_BUSINESS_NOW": "2016-06-02T07:00:00Z"}).now().isoformat()
        == "2016-06-02T07:00:00+00:00"
    )
    for bad in ("2016-06-02T07:00:00", "yesterday"):
        with pytest.raises(SettingsError, match="CROSSDOCK_BUSINESS_NOW"):
            Settings.from_env({"CROSSDOCK_BUSINESS_NOW": bad}).now()


def test_the_demo_refuses_a_folder_with_somebody_elses_files(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "erp.duckdb").write_text("precious")
    with pytest.raises(BadInput, match="--home"):
        clear(tmp_path)
    assert (tmp_path / "landing" / "erp.duckdb").exists()
    (tmp_path / MARKER).touch()
    clear(tmp_path)
    assert not (tmp_path / "landing").exists()


CHILD = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
time.sleep(300)
"""


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def test_what_was_started_is_stopped_with_its_children_and_nothing_else(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with pytest.raises(KeyboardInterrupt), Started() as processes:
            mine = processes.start([sys.executable, "-c", CHILD], env=os.environ, cwd=tmp_path, log=tmp_path / "log")
            time.sleep(1)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        alive = [p for p in psutil.process_iter(["status"]) if p.info["status"] != psutil.STATUS_ZOMBIE]
        assert mine.pid not in {_group(process.pid) for process in alive}
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


KILLED = """
import os, signal, sys
from pathlib import Path
from orchestration.cli.processes import Started
with Started() as processes:
    child = processes.start(["sleep", "300"], env=os.environ, cwd=Path("/"), log=Path(sys.argv[1]) / "log")
    print(child.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends children with their parent")
def test_what_was_started_ends_also_when_its_parent_is_killed(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True)
    child = int(done.stdout)
    deadline = time.monotonic() + 60
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_check_names_every_way_that_nobody_verifies(crossdock, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "unverified"
    folder.mkdir()
    (folder / "erp.yaml").write_text(
        "system: erp\nrole: erp\n"
        "read: {kind: postgres, dsn: 'host=erp.example.com sslmode=require', insecure: true}\n"
        "streams: [{name: items, table: sales.items, key: [id]}]\n"
        "write: {kind: http, base_url: 'http://erp.example.com', insecure: true}\n"
    )
    well = json.loads(crossdock("check", "--json", CROSSDOCK_SYSTEMS=str(folder)).stdout)["well"]
    assert [line for line in well if "insecure" in line] == [
        f"erp: {part} goes without TLS that verifies the other side (insecure: true)" for part in ("read", "write")
    ]
