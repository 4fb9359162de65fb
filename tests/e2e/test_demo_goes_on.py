"""`crossdock demo --no-ui` goes on by itself: days pass, the daemon publishes them, and Ctrl-C ends all of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.demo import ROOT


@pytest.mark.verify
@pytest.mark.timeout(600)
def test_a_demo_without_the_ui_publishes_the_next_day_by_itself_and_ends_when_told(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    arguments = ["demo", "--no-ui", "--home", str(home), "--days", "2", "--orders-per-day", "5", "--live", "5"]
    env = os.environ | {"PYTHONPATH": str(ROOT), "DO_NOT_TRACK": "1"}
    log = tmp_path / "log"
    with log.open("wb") as said:
        demo = subprocess.Popen(
            [sys.executable, "-m", "orchestration.cli", *arguments], cwd="/", env=env, stdout=said, stderr=said
        )
    try:
        first = _published(home, demo, log, later_than="")
        later = _published(home, demo, log, later_than=first["as_of"])
        assert later["version"] > first["version"]
        started = psutil.Process(demo.pid).children(recursive=True)
        names = " ".join(" ".join(one.cmdline()) for one in started)
        assert "dagster._daemon" in names and "dagster_webserver" not in names
        demo.send_signal(signal.SIGINT)
        assert demo.wait(120) == 0
        _, alive = psutil.wait_procs(started, timeout=60)
        assert not alive
    finally:
        demo.kill()
        demo.wait()


def _published(home: Path, demo: "subprocess.Popen[bytes]", log: Path, *, later_than: str) -> dict[str, Any]:
    """What is published once it is of a later instant."""
    note = home / "published" / "current" / "snapshot.json"
    while True:
        assert demo.poll() is None, log.read_text()[-3000:]
        if note.exists() and (found := dict(json.loads(note.read_text())))["as_of"] > later_than:
            return found
        time.sleep(0.2)
