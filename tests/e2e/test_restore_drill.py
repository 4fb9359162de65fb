"""A backup taken while a pass runs, put back elsewhere: the next pass there equals the world."""

import json
import shutil
import threading
from pathlib import Path

import pytest

from tests.e2e.box import sandbox
from tests.e2e.demo import crossdock, differences, published, summary, truth

pytestmark = [pytest.mark.verify, pytest.mark.timeout(600)]


def test_a_restored_home_equals_the_world_after_one_pass(tmp_path: Path) -> None:
    home, new, copy = tmp_path / "old", tmp_path / "new", tmp_path / "backup"
    home.mkdir()
    with sandbox(home, "--world", "simulated", "--days", "8") as box:
        crossdock("run", home=home)
        box.advance()
        passing = threading.Thread(target=lambda: crossdock("run", home=home))
        passing.start()
        crossdock("backup", str(copy), home=home)
        passing.join()
        box.advance()
        crossdock("run", home=home)  # the database's slot is now ahead of the backup
        crossdock("restore", str(copy), "--home", str(new), home=home)
        (new / "sandbox").mkdir()
        shutil.copy(home / "sandbox" / "env.json", new / "sandbox")  # where the sources are
        said = json.loads(crossdock("run", "--resnapshot", "erp", "--json", home=new))
        assert said["ok"] and said["without"] == []
        wrong = differences(truth(home), published(new))
        assert not wrong, summary(wrong)
