"""A system that cannot be read, at its source or in its landing file, holds up nobody: the others are published, and it
is named."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.box import Box, sandbox
from tests.e2e.demo import ROOT, crossdock, differences, published, truth

pytestmark = [pytest.mark.verify, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with sandbox(tmp_path_factory.mktemp("unreachable"), "--world", "simulated", "--days", "8") as box:
        crossdock("run", home=box.home)
        yield box


def note(box: Box) -> dict[str, Any]:
    return dict(json.loads((box.home / "published" / "current" / "snapshot.json").read_text()))


def status_of_run(box: Box, **environment: str) -> "subprocess.CompletedProcess[str]":
    env = os.environ | {"CROSSDOCK_HOME": str(box.home), "PYTHONPATH": str(ROOT)} | environment
    command = [sys.executable, "-m", "orchestration.cli", "run", "--json"]
    return subprocess.run(command, cwd="/", env=env, capture_output=True, text=True, timeout=400)


def test_a_pass_publishes_without_a_system_whose_landing_file_is_damaged(box: Box) -> None:
    path = box.home / "landing" / "oms.duckdb"
    crossdock("run", home=box.home)
    sound, before = path.read_bytes(), note(box)
    box.advance()
    os.truncate(path, 5000)
    done = status_of_run(box)
    said = json.loads(done.stdout)
    assert done.returncode == 3, done.stdout + done.stderr
    assert said["ok"] and said["problems"] == [] and said["version"] == before["version"] + 1
    assert len(said["without"]) == 1 and "oms" in said["without"][0]
    assert "landing/oms.duckdb is damaged" in said["without"][0] and "backup" in said["without"][0]
    assert note(box)["complete_up_to"]["oms"] == before["complete_up_to"]["oms"]
    assert note(box)["complete_up_to"]["carrier"] > before["complete_up_to"]["carrier"]

    path.write_bytes(sound)
    assert json.loads(crossdock("run", "--resnapshot", "oms", "--json", home=box.home))["without"] == []
    assert differences(truth(box.home), published(box.home)) == []


def behind(box: Box) -> dict[str, set[str]]:
    """Per first word of a KPI's name, the systems without whose last word it stands."""
    found: dict[str, set[str]] = {}
    for cell in json.loads(crossdock("kpi", "--json", home=box.home)):
        found.setdefault(cell["kpi_id"].split("_")[0], set()).update(cell["behind"])
    return found


def test_a_pass_publishes_with_the_systems_that_answer_and_the_next_one_catches_up(box: Box) -> None:
    box.advance()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        refused = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        before = note(box)
        done = status_of_run(box, CARRIER_URL=refused)
    said = json.loads(done.stdout)
    assert done.returncode == 3, done.stderr
    assert said["ok"] and said["version"] == before["version"] + 1 and said["problems"] == []
    assert len(said["without"]) == 1 and said["without"][0].startswith("land_carrier")
    now = note(box)["complete_up_to"]
    assert now["carrier"] == before["complete_up_to"]["carrier"] and now["oms"] > before["complete_up_to"]["oms"]
    assert list(note(box)["behind"]) == ["carrier"]
    marked = {family for family, systems in behind(box).items() if systems == {"carrier"}}
    assert marked == {"latency", "on", "delivery"} and {"fill", "gross", "shipped"} <= behind(box).keys()
    assert "Without what carrier said after" in crossdock("kpi", home=box.home)
    assert json.loads(crossdock("run", "--json", home=box.home))["without"] == []
    assert set().union(*behind(box).values()) == set()
    assert differences(truth(box.home), published(box.home)) == []
