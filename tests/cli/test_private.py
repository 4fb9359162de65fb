"""A home is read by its own account alone, whatever the umask of the shell and however it was made before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.private import close

MAKES_A_LEDGER = """
import os; os.umask(0o022)
from orchestration.cli import main
import sys; sys.argv = ["crossdock", "plan"]
try: main()
except SystemExit: pass
from pathlib import Path
from orchestration.settings import Settings
settings = Settings.from_env()
settings.landing.mkdir(parents=True, exist_ok=True)
(settings.home / "control.sqlite").touch()
"""


def made(home: Path, **env: str) -> dict[str, str]:
    """The modes of what a command leaves in a home, when it was started under the usual umask."""
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "CROSSDOCK_HOME": str(home), **env}
    subprocess.run([sys.executable, "-c", MAKES_A_LEDGER], env=environment, check=True, capture_output=True)
    return {name: mode(home / name) for name in (".", "landing", "control.sqlite")}


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def test_a_new_home_is_for_its_own_account(tmp_path: Path) -> None:
    assert made(tmp_path / "home") == {".": "0o700", "landing": "0o700", "control.sqlite": "0o600"}


def test_a_home_that_stood_open_is_closed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    assert made(home)["."] == "0o700"


def test_the_group_reads_when_somebody_says_so(tmp_path: Path) -> None:
    modes = made(tmp_path / "home", CROSSDOCK_UMASK="027")
    assert modes == {".": "0o750", "landing": "0o750", "control.sqlite": "0o640"}


def test_a_word_that_is_no_umask_opens_nothing(tmp_path: Path) -> None:
    assert made(tmp_path / "home", CROSSDOCK_UMASK="000")["."] == "0o700"


def test_a_folder_that_everybody_shares_stays_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, own = tmp_path / "shared", tmp_path / "own"
    for folder, bits in ((shared, 0o1777), (own, 0o755)):
        folder.mkdir()
        folder.chmod(bits)
    monkeypatch.setenv("HOME", str(own))
    close(shared)
    close(own)
    assert (mode(shared), mode(own)) == ("0o777", "0o755")
