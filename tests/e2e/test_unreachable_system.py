"""A system that cannot be read holds up nobody: the others are published, and it is named."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.box import Box, sandbox
from tests.e2e.demo import ROOT, crossdock, differences, published, truth

pytestmark = [pytest.mark.verify, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with sandbox(tmp_path_factory.mktemp("unreachable"), "--world", "simulated", "--days", "8") as box:
        crossdock("run", home=box.home)
        yield box


def test_a_pass_publishes_with_the_systems_that_answer_and_the_next_one_catches_up(box: Box) -> None:
    box.advance()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        refused = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        env = os.environ | {"CROSSDOCK_HOME": str(box.home), "PYTHONPATH": str(ROOT), "OMS_URL": refused}
        command = [sys.executable, "-m", "orchestration.cli", "run", "--json"]
        done = subprocess.run(command, cwd="/", env=env, capture_output=True, text=True, timeout=400)
    said = json.loads(done.stdout)
    assert done.returncode == 3, done.stderr
    assert said["ok"] and said["version"] == 2 and said["problems"] == []
    assert len(said["without"]) == 1 and said["without"][0].startswith("land_oms")
    note = json.loads((box.home / "published" / "current" / "snapshot.json").read_text())
    assert note["complete_up_to"]["oms"] < note["complete_up_to"]["carrier"]
    assert json.loads(crossdock("run", "--json", home=box.home))["without"] == []
    assert differences(truth(box.home), published(box.home)) == []
