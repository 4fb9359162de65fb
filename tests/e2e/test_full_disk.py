"""A disk that fills up is said as one, and once there is room the next pass goes on by itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.box import sandbox
from tests.e2e.demo import ROOT, crossdock, differences, published, summary, truth

pytestmark = [pytest.mark.verify, pytest.mark.timeout(900)]
LEFT = (0, 300_000, 12_000_000, 30_000_000)


def fill(place: Path, left: int) -> None:
    """Leaves about `left` bytes, in two files so that freeing some leaves the last blocks taken."""
    for name, size in (("ballast", 65536), ("ballast.last", 4096)):
        with (place / name).open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
    os.truncate(place / "ballast", (place / "ballast").stat().st_size - left)


def test_the_pass_after_a_full_disk_equals_the_world(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=500m", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    home = place / "home"
    try:
        with sandbox(tmp_path, "--world", "simulated", "--days", "8") as box:
            (home / "sandbox").mkdir(parents=True)
            shutil.copy(tmp_path / "sandbox" / "env.json", home / "sandbox")
            crossdock("run", home=home)
            for left in LEFT:
                box.advance()
                fill(place, left)
                env = os.environ | {"CROSSDOCK_HOME": str(home), "PYTHONPATH": str(ROOT)}
                command = [sys.executable, "-m", "orchestration.cli", "run"]
                done = subprocess.run(command, cwd="/", env=env, capture_output=True, text=True, timeout=400)
                for ballast in place.glob("ballast*"):
                    ballast.unlink()
                said = done.stdout + done.stderr
                assert done.returncode == 0 or ("the disk is full" in said and str(home) in said), (left, said[-3000:])
            crossdock("run", home=home)
            wrong = differences(truth(tmp_path), published(home))
            assert not wrong, summary(wrong)
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
